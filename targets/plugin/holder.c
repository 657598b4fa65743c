/* The process that holds a plugin, from the tester's side: calls, the watch over them, and those that wait for the next test (see
 * holder.h).
 *
 * Patience is counted in processor time of the holder, so that a busy machine is nobody's fault; a holder that does not run at all,
 * asleep in a call that must not wait, is given SLEEPS_MAX looks. Patience halves with each call that was too long, for a stack
 * that hangs in every one of thousands of tests must not take hours. */
#include "targets/plugin/holder.h"
#include "targets/plugin/adapter.h"
#include "targets/plugin/holder_within.h"
#include "targets/plugin/tcpassay_plugin.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 50, SLEEPS_MAX = 60, PATIENCE_MS = 2000, PATIENCE_HALVINGS_MAX = 5, IDLE_MAX = 8, MEMORY_MIB = 1024, MEMORY_SANITIZED_MIB = 3072,
       GRACE_MS = 200, PRINTED_TAIL = 16384, NS_PER_MS = 1000000 };

struct holder {
    char *path;
    struct stat file;              /* as it was loaded */
    bool in_process, dead;
    unsigned limit_mib;
    struct exchange *x;
    struct exchange_about about;
    struct adapter *adapter;       /* in process */
    struct holder_process process;
    uint32_t asked;                /* our own count: the other side can write the shared one */
    uint8_t packet[PKT_BYTES_MAX]; /* the last that it was given */
    size_t packet_len;
    char death[512];
};

/* What outlives a test: holders that wait for the next, and how much patience is left. The one thing here that is not in a struct
 * that somebody is handed, since a driver has none. */
static struct {
    struct holder *idle[IDLE_MAX];
    unsigned hangs;
    bool ends_with_us;
} pool;

static void end_idle(void);

/* ---- words */

static unsigned number_from(const char *variable, unsigned fallback)
{
    const char *text = getenv(variable);
    unsigned long number = text ? strtoul(text, NULL, 10) : 0;
    return number && number <= 1000000 ? (unsigned)number : fallback;
}

/* What comes from the other side is shown, and nothing else is done with it. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text == 127)
            *text = '?';
}

/* The line of what it printed that says most: a sanitizer's or an assertion's, else the last. */
static void telling_line(const struct holder *h, char *out, size_t capacity)
{
    static const char *const telling[] = {"ERROR: ", "runtime error: ", "ssertion", "panicked"};
    char text[PRINTED_TAIL + 1], *rest = text, *best = NULL;
    struct stat st;
    *out = '\0';
    if (fstat(h->process.output, &st) < 0 || st.st_size <= h->process.output_start)
        return;
    off_t from = st.st_size - h->process.output_start > PRINTED_TAIL ? st.st_size - PRINTED_TAIL : h->process.output_start;
    ssize_t got = pread(h->process.output, text, PRINTED_TAIL, from);
    text[got > 0 ? got : 0] = '\0';
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (!line[strspn(line, " \t\r")])
            continue;
        best = line;
        for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
            if (strstr(line, telling[i]))
                rest = NULL;
    }
    snprintf(out, capacity, "%.*s", 160, best ? best : "");
    make_printable(out);
}

static void add(struct holder *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct holder *h, const char *format, ...)
{
    va_list arguments;
    const size_t used = strlen(h->death);
    va_start(arguments, format);
    vsnprintf(h->death + used, sizeof h->death - used, format, arguments);
    va_end(arguments);
}

static void add_circumstances(struct holder *h)
{
    char line[200];
    const enum exchange_call call = h->x->request.call;
    const unsigned mib = atomic_load(&h->x->memory_mib);
    if (call == EXCHANGE_INPUT && h->packet_len) {
        struct packet packet;
        pkt_parse(h->packet, h->packet_len, &packet);
        pkt_format(&packet, line, 120);
        add(h, ", of `%s` (%zu octets)", line, h->packet_len);
    }
    if (mib > h->limit_mib / 2)
        add(h, "; its memory was at %u MiB, and %u is the most it may have", mib, h->limit_mib);
    telling_line(h, line, sizeof line);
    if (*line)
        add(h, "; it printed: %s", line);
}

/* ---- its end */

static const char *where(const struct holder *h)
{
    const uint32_t stage = atomic_load(&h->x->stage);
    return exchange_call_name(stage < EXCHANGE_CALL_COUNT ? (enum exchange_call)stage : EXCHANGE_CALL_COUNT);
}

static void sleep_ms(unsigned ms)
{
    const struct timespec time = {.tv_nsec = (long)ms * NS_PER_MS};
    nanosleep(&time, NULL);
}

/* Waits a moment for it to end by itself; then it is ended. Its status as of waitpid(). *ended: had it to be? */
static int bury(struct holder *h, bool at_once, bool *ended)
{
    int status = 0;
    pid_t gone = 0;
    for (unsigned i = 0; !at_once && i < GRACE_MS && (gone = waitpid(h->process.pid, &status, WNOHANG)) == 0; i++)
        sleep_ms(1);
    *ended = gone == 0;
    if (gone == 0) {
        kill(h->process.pid, SIGKILL);
        while (waitpid(h->process.pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    kill(-h->process.pid, SIGKILL); /* what it may have started: the session is its own */
    h->process.pid = -1;
    h->dead = true;
    return status;
}

static void explain_fault(struct holder *h)
{
    char words[EXCHANGE_FAULT_MAX];
    memcpy(words, h->x->fault, sizeof words);
    words[sizeof words - 1] = '\0';
    make_printable(words);
    if (*words == 'h')
        pool.hangs++;
    add(h, "%s: %s", *words == 'h' ? "hang" : "crash", *words ? words + 1 : "");
}

/* The socket is at its end: it has died, or done something to its descriptors. */
static void died(struct holder *h)
{
    bool ended;
    const int status = bury(h, false, &ended);
    if (atomic_load(&h->x->fault_given) && !ended && WIFEXITED(status) && WEXITSTATUS(status) == HOLDER_EXIT_FAULT)
        explain_fault(h);
    else if (ended)
        add(h, "crash: it has closed a descriptor that is not its own, in %s", where(h));
    else if (WIFSIGNALED(status))
        add(h, "crash: ended by signal %d (%s) in %s", WTERMSIG(status), strsignal(WTERMSIG(status)), where(h));
    else
        add(h, "crash: ended itself with exit status %d in %s", WEXITSTATUS(status), where(h));
    add_circumstances(h);
}

void holder_condemn(struct holder *h, const char *words)
{
    bool ended;
    if (h->dead)
        return;
    if (h->in_process) {
        h->dead = true;
    } else {
        bury(h, true, &ended);
    }
    add(h, "crash: %s", words);
    add_circumstances(h);
}

/* ---- the watch */

struct watch {
    bool started;
    int64_t from_ns;  /* of its processor time */
    int64_t look_ns;  /* when to look next: whatever wakes us meanwhile, that is not put off */
    unsigned sleeps;
};

static int64_t processor_time_ns(const struct holder *h)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(h->process.pid, &clock) || clock_gettime(clock, &time))
        return 0;
    return (int64_t)time.tv_sec * 1000 * NS_PER_MS + time.tv_nsec;
}

/* 'R' when it runs or could; 0 when that cannot be told. */
static char process_state(const struct holder *h)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)h->process.pid);
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[got] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end && name_end[1] ? name_end[2] : '\0';
}

static void note_memory(struct holder *h)
{
    char path[64];
    unsigned long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)h->process.pid);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    if (pages)
        atomic_store(&h->x->memory_mib, (uint32_t)(pages / (1024 * 1024 / (unsigned long)sysconf(_SC_PAGESIZE))));
}

static bool is_time_to_look(struct watch *w)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    const int64_t now_ns = (int64_t)time.tv_sec * 1000 * NS_PER_MS + time.tv_nsec;
    const bool now = w->look_ns && now_ns >= w->look_ns;
    if (now || !w->look_ns)
        w->look_ns = now_ns + (int64_t)LOOK_MS * NS_PER_MS;
    return now;
}

/* Another look at one that has not answered yet. True: its time is up, and it has been ended. */
static bool watch(struct holder *h, struct watch *w)
{
    const unsigned halvings = pool.hangs < PATIENCE_HALVINGS_MAX ? pool.hangs : PATIENCE_HALVINGS_MAX;
    const int64_t patience_ns = (int64_t)number_from("TCPASSAY_PLUGIN_CPU_MS", PATIENCE_MS) * NS_PER_MS >> halvings;
    const int64_t now_ns = processor_time_ns(h);
    const char state = process_state(h);
    bool ended;
    if (!w->started)
        w->from_ns = now_ns;
    w->started = true;
    w->sleeps += state && state != 'R';
    note_memory(h);
    const bool busy = now_ns - w->from_ns >= patience_ns, asleep = w->sleeps >= SLEEPS_MAX;
    const bool bloated = atomic_load(&h->x->memory_mib) > h->limit_mib;
    if (!busy && !asleep && !bloated)
        return false;
    bury(h, true, &ended);
    pool.hangs += !bloated;
    if (bloated)
        add(h, "crash: %s took more memory than it may have, and was stopped", where(h));
    else if (busy)
        add(h, "hang: %s took more than %.2f s of processor time, and was stopped", where(h), (double)patience_ns / 1e9);
    else
        add(h, "hang: %s waits for something, for %.0f s now, and was stopped; nothing may wait", where(h),
            SLEEPS_MAX * LOOK_MS / 1e3);
    add_circumstances(h);
    return true;
}

/* ---- calls */

static bool answered(const struct holder *h)
{
    return atomic_load_explicit(&h->x->answered, memory_order_acquire) == h->asked;
}

/* Waits for the answer. False: it has died. */
static bool wait_for_answer(struct holder *h)
{
    struct watch w = {.started = false};
    char wakes[64];
    for (;;) {
        atomic_store(&h->x->tester_sleeps, 1);
        if (answered(h))
            break;
        ssize_t got = recv(h->process.socket, wakes, sizeof wakes, 0); /* for LOOK_MS at most */
        const bool ended = got == 0 || (got < 0 && errno == ECONNRESET);
        if (is_time_to_look(&w) && watch(h, &w))
            return false;
        if (ended) {
            died(h);
            return false;
        }
    }
    atomic_store(&h->x->tester_sleeps, 0);
    return true;
}

bool holder_call(struct holder *h)
{
    struct exchange *x = h->x;
    if (h->dead)
        return false;
    if (x->request.call == EXCHANGE_INPUT) {
        h->packet_len = x->request.len;
        memcpy(h->packet, x->data, h->packet_len);
    }
    if (h->in_process) {
        adapter_perform(h->adapter);
        return true;
    }
    atomic_store(&x->asked, ++h->asked);
    if (atomic_exchange(&x->holder_sleeps, 0))
        send(h->process.socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return wait_for_answer(h);
}

/* ---- making and unmaking */

static void holder_free(struct holder *h)
{
    bool ended;
    if (!h)
        return;
    adapter_free(h->adapter);
    if (h->process.socket >= 0)
        close(h->process.socket); /* its sign to end in good order */
    if (h->process.pid > 0)
        bury(h, false, &ended);
    if (h->process.output >= 0)
        close(h->process.output);
    if (h->x)
        munmap(h->x, sizeof *h->x);
    free(h->path);
    free(h);
}

/* In process there is nobody to contain anything: the program ends where the plugin is wrong, for a debugger or a fuzzer to see. */
static _Noreturn void end_by_abort(const struct exchange *x)
{
    fprintf(stderr, "tcpassay: the plugin has broken its contract: %s\n", x->fault + 1);
    abort();
}

static void take_about(struct holder *h)
{
    struct exchange_about *about = &h->about;
    *about = h->x->about;
    char *const texts[] = {about->error, about->name, about->description, about->lacks, about->settings};
    const size_t sizes[] = {sizeof about->error, sizeof about->name, sizeof about->description, sizeof about->lacks, sizeof about->settings};
    if (about->fact_count > TARGET_PIXIT_MAX)
        about->fact_count = TARGET_PIXIT_MAX;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        texts[i][sizes[i] - 1] = '\0';
        make_printable(texts[i]);
    }
    for (unsigned i = 0; i < about->fact_count; i++) {
        about->facts[i].name[sizeof about->facts->name - 1] = about->facts[i].value[sizeof about->facts->value - 1] = '\0';
        make_printable(about->facts[i].name);
        make_printable(about->facts[i].value);
    }
}

/* A new one with the library loaded, or not: about.error, or its death, says why. False with errno: there is none. */
static bool start(struct holder *h)
{
    if (h->in_process) {
        h->x = mmap(NULL, sizeof *h->x, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (h->x == MAP_FAILED)
            h->x = NULL;
        h->adapter = h->x ? adapter_load(h->path, h->x, end_by_abort) : NULL;
        return h->x != NULL;
    }
    int memory = memfd_create("plugin-exchange", MFD_CLOEXEC);
    if (memory < 0 || ftruncate(memory, sizeof *h->x) < 0 ||
        (h->x = mmap(NULL, sizeof *h->x, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0)) == MAP_FAILED)
        h->x = NULL;
    if (h->x)
        atomic_store(&h->x->asked, 1); /* loading is the first call */
    bool started = h->x && holder_spawn(h->path, memory, h->limit_mib, &h->process);
    const int reason = errno;
    if (memory >= 0)
        close(memory);
    errno = reason;
    h->asked = 1;
    if (started)
        setsockopt(h->process.socket, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_usec = LOOK_MS * 1000}, sizeof(struct timeval));
    if (started)
        wait_for_answer(h);
    return started;
}

static struct holder *holder_new(const char *path, const struct stat *file, bool in_process, struct target_error *error)
{
    struct holder *h = calloc(1, sizeof *h);
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "out of memory");
    if (!h)
        return NULL;
    *h = (struct holder){.path = strdup(path), .file = *file, .in_process = in_process,
                         .process = {.pid = -1, .socket = -1, .output = -1}};
    h->limit_mib = number_from("TCPASSAY_PLUGIN_MEMORY_MIB", holder_is_sanitized(path) ? MEMORY_SANITIZED_MIB : MEMORY_MIB);
    if (!h->path || !start(h)) {
        if (h->path)
            snprintf(error->text, sizeof error->text, "no process could be started to hold the plugin: %s", strerror(errno));
        holder_free(h);
        return NULL;
    }
    if (!h->dead)
        take_about(h);
    if (h->dead || *h->about.error) {
        snprintf(error->text, sizeof error->text, "%.120s %.380s", path, h->dead ? h->death : h->about.error);
        holder_free(h);
        return NULL;
    }
    error->kind = TARGET_ERR_NONE;
    *error->text = '\0';
    if (!pool.ends_with_us)
        pool.ends_with_us = atexit(end_idle) == 0;
    return h;
}

/* ---- those that wait */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* It may have died while nobody asked anything of it. */
static bool is_alive(struct holder *h)
{
    if (h->in_process || waitpid(h->process.pid, NULL, WNOHANG) == 0)
        return true;
    h->process.pid = -1;
    return false;
}

struct holder *holder_acquire(const char *path, bool in_process, struct target_error *error)
{
    struct stat file = {0};
    if (stat(path, &file) < 0) {
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "%.400s: %s", path, strerror(errno));
        return NULL;
    }
    for (size_t i = 0; i < IDLE_MAX; i++) {
        struct holder *h = pool.idle[i];
        if (!h || h->in_process != in_process || strcmp(h->path, path) || !same_file(&h->file, &file))
            continue;
        pool.idle[i] = NULL;
        if (is_alive(h))
            return h;
        holder_free(h);
    }
    return holder_new(path, &file, in_process, error);
}

static bool is_to_be_kept(const struct holder *h)
{
    return !h->dead && !(h->about.flags & TCPASSAY_GLOBALS) && !atomic_load(&h->x->memory_tired);
}

void holder_release(struct holder *h)
{
    h->packet_len = 0;
    for (size_t i = 0; is_to_be_kept(h) && i < IDLE_MAX; i++)
        if (!pool.idle[i]) {
            pool.idle[i] = h;
            return;
        }
    holder_free(h);
}

static void end_idle(void)
{
    for (size_t i = 0; i < IDLE_MAX; i++) {
        holder_free(pool.idle[i]);
        pool.idle[i] = NULL;
    }
}

struct exchange *holder_exchange(struct holder *h)
{
    return h->x;
}

const struct exchange_about *holder_about(const struct holder *h)
{
    return &h->about;
}

const char *holder_death(const struct holder *h)
{
    return h->death;
}

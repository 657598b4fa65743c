/* Starts tcpassay-lwip, exchanges messages with it, and finds out what it died of.
 *
 * What it writes to its standard output and error (lwIP's assertions) goes to a file without a name, and its last line into the
 * description of its death. It is ended with its descriptor, with its parent (PR_SET_PDEATHSIG), or when it does not answer for
 * too long. */
#include "targets/lwip/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SENTENCE_MAX = 256 };

struct output { /* a packet in the store */
    size_t offset, len;
    int64_t at_ns;
};

struct process {
    pid_t pid;                 /* 0: waited for */
    int patience_ms;
    int channel, log;          /* -1: none */
    off_t begun;               /* the log's size when it had started */
    char death[SENTENCE_MAX + 160];
    struct output *outputs;    /* those from first on have not been taken */
    size_t output_count, output_capacity, first;
    uint8_t *store;
    size_t stored, store_capacity;
    uint8_t octets[CHANNEL_OCTETS_MAX];
};

extern char **environ;

/* ---- starting --------------------------------------------------------------------------------------------------- */

static bool beside_program(const char *relative, char *out, size_t capacity)
{
    char program[512];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return snprintf(out, capacity, "%s/%s", program, relative) < (int)capacity && access(out, X_OK) == 0;
}

bool process_find_program(char *out, size_t capacity, struct target_error *error)
{
    const char *wanted = getenv("TCPASSAY_LWIP");
    if (wanted) {
        snprintf(out, capacity, "%s", wanted);
        if (access(out, X_OK) == 0)
            return true;
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "TCPASSAY_LWIP names %.200s, which cannot be run (%s)", wanted, strerror(errno));
        return false;
    }
    snprintf(out, capacity, "%s", TCPASSAY_LWIP_BUILT);
    if (beside_program("../libexec/tcpassay/tcpassay-lwip", out, capacity))
        return true;
    snprintf(out, capacity, "%s", TCPASSAY_LWIP_BUILT);
    if (access(out, X_OK) == 0)
        return true;
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text,
             "there is no tcpassay-lwip: tcpassay was built without lwIP. Install Debian's liblwip-dev and build again");
    return false;
}

static int spawn(struct process *p, const char *program, int theirs)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, p->log, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, p->log, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, theirs, CHANNEL_FD);
    char name[] = "tcpassay-lwip", *const arguments[] = { name, NULL };
    int code = posix_spawn(&p->pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static struct process *cannot_start(struct process *p, const char *what, int code, struct target_error *error)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "lwip: %.200s: %s", what, strerror(code));
    process_end(p);
    return NULL;
}

struct process *process_start(int patience_ms, struct target_error *error)
{
    char program[512];
    int pair[2];
    if (!process_find_program(program, sizeof program, error))
        return NULL;
    struct process *p = calloc(1, sizeof *p);
    if (!p)
        return cannot_start(p, "starting tcpassay-lwip", ENOMEM, error);
    p->channel = -1;
    p->patience_ms = patience_ms;
    p->log = memfd_create("tcpassay-lwip", MFD_CLOEXEC);
    if (p->log < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return cannot_start(p, "starting tcpassay-lwip", errno, error);
    p->channel = pair[0];
    int code = spawn(p, program, pair[1]);
    close(pair[1]);
    if (code)
        p->pid = 0;
    return code ? cannot_start(p, program, code, error) : p;
}

void process_end(struct process *p)
{
    if (!p)
        return;
    if (p->channel >= 0)
        close(p->channel);
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    if (p->log >= 0)
        close(p->log);
    free(p->outputs);
    free(p->store);
    free(p);
}

/* ---- dying ------------------------------------------------------------------------------------------------------ */

static const char *what_was_asked(const struct lwip_request *request)
{
    static const char *const WHAT[ASK_CALLS] = {
        [ASK_BEGIN] = "starting", [ASK_ADVANCE] = "a timer", [ASK_INPUT] = "dealing with a packet", [ASK_SOCKET] = "lwip_socket()",
        [ASK_BIND] = "lwip_bind()", [ASK_CONNECT] = "lwip_connect()", [ASK_LISTEN] = "lwip_listen()",
        [ASK_ACCEPT] = "lwip_accept()", [ASK_SEND] = "lwip_send()", [ASK_RECEIVE] = "lwip_recv()",
        [ASK_SHUTDOWN] = "lwip_shutdown()", [ASK_CLOSE] = "lwip_close()", [ASK_SET_OPTION] = "lwip_setsockopt()",
        [ASK_GET_OPTION] = "lwip_getsockopt()", [ASK_IOCTL] = "lwip_ioctl()", [ASK_POLL] = "lwip_poll()",
        [ASK_LOCAL_ENDPOINT] = "lwip_getsockname()", [ASK_STATUS] = "a look at its connections",
    };
    return request->call < ASK_CALLS ? WHAT[request->call] : "something";
}

/* The last line it wrote since it had started; "" for none. */
static void last_words(const struct process *p, char out[static SENTENCE_MAX])
{
    char text[SENTENCE_MAX];
    off_t size = lseek(p->log, 0, SEEK_END);
    off_t from = size - p->begun > (off_t)sizeof text - 1 ? size - (off_t)sizeof text + 1 : p->begun;
    ssize_t len = pread(p->log, text, sizeof text - 1, from);
    if (len > 0 && text[len - 1] == '\n')
        len--;
    text[len > 0 ? len : 0] = '\0';
    const char *line = strrchr(text, '\n');
    snprintf(out, SENTENCE_MAX, "%s", line ? line + 1 : text);
}

static void note_death(struct process *p, const struct lwip_request *request, bool hangs)
{
    int status = 0;
    char words[SENTENCE_MAX];
    if (hangs)
        kill(p->pid, SIGKILL);
    waitpid(p->pid, &status, 0);
    p->pid = 0;
    last_words(p, words);
    const char *asked = what_was_asked(request), *colon = *words ? ": " : "";
    if (hangs)
        snprintf(p->death, sizeof p->death, "hangs in %s: no answer in %.1f s", asked, p->patience_ms / 1000.0);
    else if (WIFSIGNALED(status))
        snprintf(p->death, sizeof p->death, "ended by signal %d (%s) in %s%s%s", WTERMSIG(status), strsignal(WTERMSIG(status)),
                 asked, colon, words);
    else
        snprintf(p->death, sizeof p->death, "ended with status %d in %s%s%s", WEXITSTATUS(status), asked, colon, words);
}

const char *process_death(const struct process *p)
{
    return *p->death ? p->death : NULL;
}

int process_id(const struct process *p)
{
    return p->pid;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

static bool say(struct process *p, const struct lwip_request *request, const uint8_t *octets)
{
    struct iovec parts[] = { { .iov_base = (void *)(uintptr_t)request, .iov_len = sizeof *request },
                             { .iov_base = (void *)(uintptr_t)octets, .iov_len = request->octets } };
    const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t len;
    do
        len = sendmsg(p->channel, &message, MSG_NOSIGNAL);
    while (len < 0 && errno == EINTR);
    return len >= 0;
}

enum heard { HEARD, HEARD_END, HEARD_NOTHING };

static enum heard hear(struct process *p, struct lwip_answer *answer)
{
    struct iovec parts[] = { { .iov_base = answer, .iov_len = sizeof *answer }, { .iov_base = p->octets, .iov_len = sizeof p->octets } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    struct pollfd wait = { .fd = p->channel, .events = POLLIN };
    int ready;
    do
        ready = poll(&wait, 1, p->patience_ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return HEARD_NOTHING;
    ssize_t len = recvmsg(p->channel, &message, MSG_DONTWAIT);
    return len >= (ssize_t)sizeof *answer && (size_t)len == sizeof *answer + answer->octets ? HEARD : HEARD_END;
}

static bool grow(void **array, size_t *capacity, size_t needed, size_t element)
{
    if (needed <= *capacity)
        return true;
    size_t more = 2 * needed + 16;
    void *grown = realloc(*array, more * element);
    if (!grown)
        return false;
    *array = grown;
    *capacity = more;
    return true;
}

/* Out of memory, a packet is lost; there is nothing better to be had then. */
static void keep_output(struct process *p, const struct lwip_answer *output)
{
    if (p->first == p->output_count)
        p->first = p->output_count = p->stored = 0;
    void *outputs = p->outputs, *store = p->store;
    bool room = grow(&outputs, &p->output_capacity, p->output_count + 1, sizeof *p->outputs);
    p->outputs = outputs;
    room = room && grow(&store, &p->store_capacity, p->stored + output->octets, 1);
    p->store = store;
    if (!room)
        return;
    memcpy(p->store + p->stored, p->octets, output->octets);
    p->outputs[p->output_count++] = (struct output){ .offset = p->stored, .len = output->octets, .at_ns = output->at_ns };
    p->stored += output->octets;
}

bool process_ask(struct process *p, const struct lwip_request *request, const uint8_t *octets, struct lwip_answer *answer,
                 uint8_t *out)
{
    if (*p->death)
        return false;
    enum heard heard = say(p, request, octets) ? HEARD : HEARD_END;
    while (heard == HEARD && (heard = hear(p, answer)) == HEARD && answer->message == ANSWER_OUTPUT)
        keep_output(p, answer);
    if (heard != HEARD) {
        note_death(p, request, heard == HEARD_NOTHING);
        return false;
    }
    if (request->call == ASK_BEGIN)
        p->begun = lseek(p->log, 0, SEEK_END);
    if (out)
        memcpy(out, p->octets, answer->octets);
    return true;
}

size_t process_output(struct process *p, const uint8_t **packet, int64_t *at_ns)
{
    if (p->first == p->output_count)
        return 0;
    const struct output *output = &p->outputs[p->first++];
    *packet = p->store + output->offset;
    *at_ns = output->at_ns;
    return output->len;
}

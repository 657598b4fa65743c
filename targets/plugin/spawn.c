/* Starts the process that holds a plugin: our own program again, with nothing of ours but the memory and the socket, in a session
 * of its own, under limits, and gone when we are. */
#include "targets/plugin/holder.h"
#include "targets/plugin/holder_within.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FDS_FIRST_FREE = 5, FD_HIGH = 20, PRINTED_MAX = 64 << 20, ENVIRONMENT_MORE = 2, TEXT_MAX = 4096 };

/* The name of the runtime of AddressSanitizer that a library wants loaded before all else ("libasan.so.8"), or "". */
static void find_runtime(const char *path, char *name, size_t capacity)
{
    static const char *const prefixes[] = {"libasan.so", "libclang_rt.asan"};
    struct stat st;
    *name = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    const char *bytes = fstat(fd, &st) == 0 && st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (bytes == MAP_FAILED)
        return;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && !*name; i++) {
        const char *found = memmem(bytes, (size_t)st.st_size, prefixes[i], strlen(prefixes[i]));
        if (found)
            snprintf(name, capacity, "%.*s", (int)strnlen(found, (size_t)(bytes + st.st_size - found)), found);
    }
    munmap((void *)bytes, (size_t)st.st_size);
}

#if defined(__SANITIZE_ADDRESS__)
enum { WE_ARE_SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { WE_ARE_SANITIZED = 1 };
#else
enum { WE_ARE_SANITIZED = 0 };
#endif
#else
enum { WE_ARE_SANITIZED = 0 };
#endif

bool holder_is_sanitized(const char *path)
{
    char runtime[64];
    find_runtime(path, runtime, sizeof runtime);
    return WE_ARE_SANITIZED || *runtime;
}

/* ---- the environment: ours, with what a sanitizer's runtime needs */

struct environment {
    char **list;
    char preload[TEXT_MAX], asan[TEXT_MAX];
};

static bool is_variable(const char *entry, const char *name)
{
    const size_t len = strlen(name);
    return !strncmp(entry, name, len) && entry[len] == '=';
}

static bool make_environment(struct environment *e, const char *path)
{
    char runtime[64];
    size_t count = 0, kept = 0;
    const char *preload = getenv("LD_PRELOAD"), *asan = getenv("ASAN_OPTIONS");
    while (environ[count])
        count++;
    e->list = calloc(count + ENVIRONMENT_MORE + 1, sizeof *e->list);
    if (!e->list)
        return false;
    find_runtime(path, runtime, sizeof runtime);
    const bool preloaded = *runtime && !WE_ARE_SANITIZED;
    for (size_t i = 0; i < count; i++)
        if (!is_variable(environ[i], "ASAN_OPTIONS") && !(preloaded && is_variable(environ[i], "LD_PRELOAD")))
            e->list[kept++] = environ[i];
    /* leaks are looked for when a process ends, long after the test that left them */
    snprintf(e->asan, sizeof e->asan, "ASAN_OPTIONS=detect_leaks=0%s%s", asan ? ":" : "", asan ? asan : "");
    e->list[kept++] = e->asan;
    snprintf(e->preload, sizeof e->preload, "LD_PRELOAD=%s%s%s", runtime, preload ? ":" : "", preload ? preload : "");
    if (preloaded)
        e->list[kept++] = e->preload;
    return true;
}

/* ---- the new process, before it is our program again: async-signal-safe calls only */

static void limit(__rlimit_resource_t resource, rlim_t to)
{
    const struct rlimit value = {.rlim_cur = to, .rlim_max = to};
    setrlimit(resource, &value);
}

static _Noreturn void become_holder(const char *path, char *const *environment, pid_t tester, const int fds[4],
                                    const char *limit_text, rlim_t limit_bytes)
{
    char program[] = "tcpassay", command[] = HOLDER_COMMAND;
    char *arguments[] = {program, command, (char *)path, (char *)limit_text, NULL};
    int high[4];
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid(); /* what the terminal sends us is not meant for it */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != tester)
        _exit(HOLDER_EXIT_FAULT);
    for (int i = 0; i < 4; i++) /* first out of each other's way */
        high[i] = fcntl(fds[i], F_DUPFD, FD_HIGH);
    dup2(high[0], STDIN_FILENO);
    dup2(high[1], STDOUT_FILENO);
    dup2(high[1], STDERR_FILENO);
    dup2(high[2], HOLDER_FD_MEMORY);
    dup2(high[3], HOLDER_FD_SOCKET);
    close_range(FDS_FIRST_FREE, ~0u, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, PRINTED_MAX);
    if (limit_bytes)
        limit(RLIMIT_DATA, limit_bytes);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    execve("/proc/self/exe", arguments, environment);
    _exit(HOLDER_EXIT_FAULT);
}

/* Where the plugin may print: memory, read when it dies, or the file that the user names. */
static int open_output(off_t *start)
{
    const char *name = getenv("TCPASSAY_PLUGIN_OUTPUT");
    int fd = name && *name ? open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : memfd_create("plugin-output", MFD_CLOEXEC);
    struct stat st;
    if (fd >= 0)
        fcntl(fd, F_SETFL, O_APPEND);
    *start = fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
    return fd;
}

bool holder_spawn(const char *path, int memory, unsigned limit_mib, struct holder_process *out)
{
    struct environment environment = {0};
    int pair[2] = {-1, -1};
    char limit_text[24];
    const rlim_t limit_bytes = holder_is_sanitized(path) ? 0 : (rlim_t)limit_mib << 20;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    *out = (struct holder_process){.pid = -1, .socket = -1, .output = -1};
    out->output = open_output(&out->output_start);
    snprintf(limit_text, sizeof limit_text, "%u", limit_mib);
    bool ready = null >= 0 && out->output >= 0 && make_environment(&environment, path) &&
                 socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0;
    const pid_t tester = getpid();
    if (ready && (out->pid = fork()) == 0)
        become_holder(path, environment.list, tester, (const int[4]){null, out->output, memory, pair[1]}, limit_text, limit_bytes);
    const int reason = errno;
    ready = ready && out->pid > 0;
    if (null >= 0)
        close(null);
    if (pair[1] >= 0)
        close(pair[1]);
    if (!ready && pair[0] >= 0)
        close(pair[0]);
    if (!ready && out->output >= 0)
        close(out->output);
    out->socket = pair[0];
    free(environment.list);
    errno = reason;
    return ready;
}

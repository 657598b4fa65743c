/* Plays in a child process (see apart.h). The child writes what it finds into memory that both have; what it says on standard
 * error, as sanitizers do when they end it, goes to a file in memory that the parent reads afterwards. */
#include "engine/fuzz/apart.h"

#include "engine/runner/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct apart {
    struct trial trial;
    struct apart_outcome *outcome; /* shared */
};

struct apart *apart_new(const struct trial *trial)
{
    struct apart *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->trial = *trial;
    a->outcome = mmap(NULL, sizeof *a->outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (a->outcome != MAP_FAILED)
        return a;
    free(a);
    return NULL;
}

void apart_free(struct apart *a)
{
    if (a)
        munmap(a->outcome, sizeof *a->outcome);
    free(a);
}

/* ---- in the child */

static void note_packet(void *context, int64_t at_ns, const uint8_t *bytes, size_t len)
{
    struct apart_outcome *out = context;
    if (out->packet_count == APART_PACKETS_MAX || out->bytes_len + len > sizeof out->bytes)
        return;
    memcpy(out->bytes + out->bytes_len, bytes, len);
    out->packets[out->packet_count].at_ns = at_ns;
    out->packets[out->packet_count].offset = out->bytes_len;
    out->packets[out->packet_count++].len = len;
    out->bytes_len += len;
}

static void take_over(struct apart_outcome *out, const struct fuzz_outcome *outcome, bool strict)
{
    for (unsigned i = 0; i < outcome->finding_count && out->finding_count < APART_FINDINGS_MAX; i++) {
        const struct fuzz_finding *from = &outcome->findings[i];
        if (!fuzz_finding_fails(from, strict))
            continue;
        struct apart_finding *to = &out->findings[out->finding_count++];
        *to = (struct apart_finding){.level = from->level, .state = from->state, .event = from->event, .key = from->key};
        snprintf(to->rule, sizeof to->rule, "%s", from->rule);
        snprintf(to->requirement, sizeof to->requirement, "%s", from->requirement);
        snprintf(to->message, sizeof to->message, "%s", from->message);
        snprintf(to->observed, sizeof to->observed, "%s", from->observed);
    }
}

static void play(const struct apart *a, const struct shrink_input *input)
{
    struct apart_outcome *out = a->outcome;
    struct target_error error = {0};
    const struct fuzz_virtual_config config = {
        .driver = a->trial.driver, .argument = a->trial.argument,
        .play = {.judged = true, .strict = a->trial.strict, .packet = note_packet, .context = out},
    };
    struct fuzz_virtual *v = fuzz_virtual_new(&config, &error);
    const struct fuzz_outcome *outcome = v ? fuzz_virtual_play(v, input->octets, input->len, fuzz_seed(a->trial.seed, TRIAL_ID)) : NULL;
    if (outcome)
        take_over(out, outcome, a->trial.strict);
    else
        snprintf(out->how, sizeof out->how, "%s", v ? fuzz_virtual_error(v)->text : error.text);
    out->unable = !outcome;
    fuzz_virtual_free(v); /* what dies in its end dies of this input */
    out->finished = true;
}

/* ---- in the parent */

/* "SUMMARY: AddressSanitizer: heap-use-after-free FILE:LINE in FUNCTION" → "heap-use-after-free in FUNCTION". */
static bool read_summary(const char *said, char *how, size_t capacity)
{
    const char *line = strstr(said, "SUMMARY: ");
    if (!line || !(line = strchr(line + 9, ' ')))
        return false;
    line++;
    const size_t line_len = strcspn(line, "\n"), kind_len = strcspn(line, " \n");
    const char *in = memmem(line, line_len, " in ", 4);
    snprintf(how, capacity, "crash: %.*s%.*s", (int)kind_len, line, in ? (int)(line_len - (size_t)(in - line)) : 0, in ? in : "");
    return true;
}

/* "file.c:12:34: runtime error: index 9 out of bounds …": UBSan's own words, where there is no summary. */
static bool read_runtime_error(const char *said, char *how, size_t capacity)
{
    const char *words = strstr(said, "runtime error: ");
    if (words)
        snprintf(how, capacity, "crash: %.*s", (int)strcspn(words, "\n"), words);
    return words;
}

static void tell_how(const struct apart *a, int status, const char *said)
{
    struct apart_outcome *out = a->outcome;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(out->how, sizeof out->how, "hang: nothing came of it in %d s", APART_SECONDS_MAX);
    else if (read_summary(said, out->how, sizeof out->how) || read_runtime_error(said, out->how, sizeof out->how))
        return;
    else if (WIFSIGNALED(status))
        snprintf(out->how, sizeof out->how, "crash: ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(out->how, sizeof out->how, "crash: ended itself with status %d", WEXITSTATUS(status));
}

static void note_death(const struct apart *a, int status, int said_fd)
{
    char said[1 << 14];
    struct apart_outcome *out = a->outcome;
    const ssize_t len = pread(said_fd, said, sizeof said - 1, 0);
    said[len > 0 ? len : 0] = '\0';
    tell_how(a, status, said);
    struct apart_finding *death = &out->findings[0];
    out->finding_count = 1;
    *death = (struct apart_finding){.level = LEVEL_MUST, .state = REACTION_STATE_UNCERTAIN, .event = REACTION_OTHER_CALL};
    snprintf(death->rule, sizeof death->rule, "%s", strncmp(out->how, "hang", 4) ? "crash" : "hang");
    snprintf(death->message, sizeof death->message, "dies: %.600s", out->how);
    snprintf(death->observed, sizeof death->observed, "%s", out->how);
}

const struct apart_outcome *apart_play(struct apart *a, const struct shrink_input *input)
{
    int status = 0, said_fd = memfd_create("said", MFD_CLOEXEC);
    if (said_fd < 0)
        return NULL;
    a->outcome->finished = a->outcome->unable = false;
    a->outcome->finding_count = a->outcome->packet_count = 0;
    a->outcome->bytes_len = 0;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        dup2(said_fd, STDERR_FILENO);
        alarm(APART_SECONDS_MAX);
        play(a, input);
        _exit(0);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child > 0 && (!a->outcome->finished || status != 0))
        note_death(a, status, said_fd);
    close(said_fd);
    return child > 0 ? a->outcome : NULL;
}

struct fuzz_finding apart_finding(const struct apart_finding *f)
{
    return (struct fuzz_finding){.rule = f->rule, .requirement = f->requirement, .level = f->level, .state = f->state, .event = f->event, .key = f->key,
                                 .message = f->message, .permitted = "", .observed = f->observed};
}

int apart_write_pcap(const struct apart_outcome *outcome, const char *path, char *error, size_t error_size)
{
    struct trace trace = {0};
    for (unsigned i = 0; i < outcome->packet_count; i++)
        trace_packet(&trace, outcome->packets[i].at_ns, outcome->bytes + outcome->packets[i].offset, outcome->packets[i].len);
    const int failed = trace_write_pcap(&trace, path, error, error_size);
    trace_release(&trace);
    return failed;
}

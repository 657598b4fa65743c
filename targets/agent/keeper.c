/* The keeper's two sides: functions of the agent, and the process that they ask.
 *
 * Theory of operation. The keeper is forked before the agent drops its privileges, and keeps them. One socket pair joins the two; a
 * request is one message, and so is its answer. Before each value it sets, the keeper notes the one in force in a journal. The
 * journal has two levels: what every run relies on (from BEGIN to END), and on top of it the settings of one test (until the next
 * RESTORE). Putting back is reading the journal backwards.
 *
 * The end. When the agent ends, however it does (kill -9 too), the keeper reads the end of file, puts everything back, and ends. It
 * leads a session of its own and ignores the signals of a terminal and SIGTERM, which are for the agent. What it cannot survive:
 * being killed itself by SIGKILL, or the machine losing power; the values are the kernel's own again after the next boot. */
#include "targets/agent/keeper.h"
#include "targets/agent/protocol.h"
#include "targets/agent/system.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOURNAL_MAX = 32 + AGENT_SETTINGS_MAX };
enum request_kind { BEGIN, SET, RESTORE, END };

struct request {
    enum request_kind kind;
    char name[AGENT_NAME_MAX + 1], value[AGENT_NAME_MAX + 1];
};

struct keeper {
    int fd;
    pid_t pid;
};

/* ---- the process ------------------------------------------------------------------------------------------------ */

struct journal {
    struct { char name[SYSTEM_NAME_MAX], value[SYSTEM_VALUE_MAX]; } before[JOURNAL_MAX];
    unsigned count, of_baseline; /* entries; the first ones are the baseline's */
};

static void put_back(struct journal *j, unsigned down_to)
{
    while (j->count > down_to) {
        j->count--;
        system_write(j->before[j->count].name, j->before[j->count].value);
    }
}

/* 0, or a positive errno value. */
static int change(struct journal *j, const struct system_change *wanted)
{
    char present[SYSTEM_VALUE_MAX];
    if (j->count == JOURNAL_MAX)
        return ENOSPC;
    if (!system_read(wanted->name, present))
        return wanted->without && strcmp(wanted->without, wanted->value) == 0 ? 0 : ENOENT;
    snprintf(j->before[j->count].name, sizeof j->before[j->count].name, "%s", wanted->name);
    snprintf(j->before[j->count].value, sizeof j->before[j->count].value, "%s", present);
    int code = system_write(wanted->name, wanted->value);
    j->count += code == 0;
    return code;
}

static void begin(struct journal *j)
{
    struct system_change wanted;
    put_back(j, 0);
    for (unsigned i = 0; system_baseline(i, &wanted); i++)
        change(j, &wanted); /* what an older kernel lacks, it does without */
    j->of_baseline = j->count;
}

static void set(struct journal *j, const struct request *request, struct target_error *error)
{
    const struct target_setting setting = { request->name, request->value };
    struct system_change wanted;
    if (!system_change_of(&setting, &wanted, error))
        return;
    int code = change(j, &wanted);
    if (code == 0)
        return;
    error->kind = TARGET_ERR_UNSUPPORTED;
    if (code == ENOENT)
        snprintf(error->text, sizeof error->text, "setting %s %s: this kernel has no %s", setting.name, setting.value, wanted.name);
    else
        snprintf(error->text, sizeof error->text, "setting %s %s: this kernel refuses \"%s\" in %s (%s)", setting.name,
                 setting.value, wanted.value, wanted.name, strerror(code));
}

static void serve(struct journal *j, const struct request *request, struct target_error *error)
{
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    switch (request->kind) {
    case BEGIN: begin(j); break;
    case SET: set(j, request, error); break;
    case RESTORE: put_back(j, j->of_baseline); break;
    case END:
        put_back(j, 0);
        j->of_baseline = 0;
        break;
    }
}

static void keep(int fd)
{
    static const int IGNORED[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
    struct journal journal = { .count = 0 };
    struct request request;
    struct target_error error;
    setsid();
    for (size_t i = 0; i < sizeof IGNORED / sizeof *IGNORED; i++)
        signal(IGNORED[i], SIG_IGN);
    while (recv(fd, &request, sizeof request, 0) == (ssize_t)sizeof request) {
        request.name[AGENT_NAME_MAX] = request.value[AGENT_NAME_MAX] = '\0';
        serve(&journal, &request, &error);
        if (send(fd, &error, sizeof error, MSG_NOSIGNAL) < 0)
            break;
    }
    put_back(&journal, 0);
}

/* ---- the agent's side ------------------------------------------------------------------------------------------- */

struct keeper *keeper_start(struct target_error *error)
{
    int fds[2];
    if (!system_can_set(error))
        return NULL;
    struct keeper *k = malloc(sizeof *k);
    if (!k || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
        free(k);
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "the process that keeps the settings cannot be started (%s)", strerror(errno));
        return NULL;
    }
    *k = (struct keeper){ .fd = fds[0], .pid = fork() };
    if (k->pid == 0) {
        close(fds[0]);
        keep(fds[1]);
        _exit(0);
    }
    close(fds[1]);
    if (k->pid > 0)
        return k;
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "the process that keeps the settings cannot be started (%s)", strerror(errno));
    close(k->fd);
    free(k);
    return NULL;
}

void keeper_stop(struct keeper *k)
{
    if (!k)
        return;
    close(k->fd);
    while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    free(k);
}

static bool ask(struct keeper *k, const struct request *request, struct target_error *error)
{
    if (send(k->fd, request, sizeof *request, MSG_NOSIGNAL) == (ssize_t)sizeof *request) {
        ssize_t len;
        while ((len = recv(k->fd, error, sizeof *error, 0)) < 0 && errno == EINTR)
            continue;
        if (len == (ssize_t)sizeof *error)
            return error->kind == TARGET_ERR_NONE;
    }
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text,
             "the process that keeps the settings is gone: restart the agent, and check its host's settings");
    return false;
}

static void tell(struct keeper *k, enum request_kind kind)
{
    const struct request request = { .kind = kind };
    struct target_error error;
    ask(k, &request, &error);
}

void keeper_begin(struct keeper *k)
{
    tell(k, BEGIN);
}

void keeper_end(struct keeper *k)
{
    tell(k, END);
}

bool keeper_configure(struct keeper *k, const struct target_setting *settings, unsigned count, struct target_error *error)
{
    struct request request = { .kind = RESTORE };
    if (!ask(k, &request, error))
        return false;
    for (unsigned i = 0; i < count; i++) {
        request = (struct request){ .kind = SET };
        snprintf(request.name, sizeof request.name, "%s", settings[i].name);
        snprintf(request.value, sizeof request.value, "%s", settings[i].value);
        if (!ask(k, &request, error)) {
            tell(k, RESTORE);
            return false;
        }
    }
    return true;
}

/* The watcher: a child process at the other end of a socket.
 *
 * Theory of operation. The tester tells each deed before it does it, and waits for the answer. The watcher reads deeds until the
 * socket ends, which it does when the tester closes it or dies of whatever; then it undoes them, last first, and exits. So there is
 * one way of cleaning up, and it is taken by every run that ends well too. Undoing what was never done does no harm.
 *
 * The watcher leads a session of its own, so that what is sent to the tester's group or terminal does not reach it; it ignores what
 * it may, holds no descriptor of the tester's (nobody waits for its output), and gives itself UNDO_SECONDS_MAX at the end. */
#include "targets/remote/watcher.h"
#include "targets/remote/firewall.h"
#include "targets/remote/card.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNDO_SECONDS_MAX = 10 };

struct watcher {
    pid_t pid;
    int fd;
};

/* ---- the process ----------------------------------------------------------------------------------------------- */

static void undo(const struct deed *deed)
{
    if (deed->kind == DEED_OFFLOADS_OFF)
        card_switch(deed->interface, deed->offloads, true);
    else
        firewall_delete_table(deed->table);
}

static void detach(int *fd)
{
    sigset_t signals;
    sigfillset(&signals);
    sigdelset(&signals, SIGALRM);
    sigprocmask(SIG_SETMASK, &signals, NULL);
    signal(SIGALRM, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    setsid();
    prctl(PR_SET_NAME, "tcpassay-undo");
    int nothing = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        dup2(nothing, i);
    dup2(*fd, 3);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    *fd = 3;
    close_range(4, ~0u, 0);
}

/* A deed that is known counts once: an interface may come back often. False when there is no room. */
static bool note(struct deed deeds[static WATCHER_DEEDS_MAX], unsigned *count, const struct deed *deed)
{
    for (unsigned i = 0; i < *count; i++)
        if (memcmp(&deeds[i], deed, sizeof *deed) == 0)
            return true;
    if (*count == WATCHER_DEEDS_MAX)
        return false;
    memcpy(&deeds[(*count)++], deed, sizeof *deed);
    return true;
}

_Noreturn static void watch(int fd)
{
    struct deed deeds[WATCHER_DEEDS_MAX], deed;
    unsigned count = 0;
    detach(&fd);
    for (;;) {
        ssize_t len = recv(fd, &deed, sizeof deed, 0);
        if (len < 0 && errno == EINTR)
            continue;
        if (len != (ssize_t)sizeof deed)
            break;
        uint8_t known = note(deeds, &count, &deed);
        if (send(fd, &known, sizeof known, MSG_NOSIGNAL) < 0)
            break;
    }
    alarm(UNDO_SECONDS_MAX);
    while (count > 0)
        undo(&deeds[--count]);
    _exit(0);
}

/* ---- the tester's side ----------------------------------------------------------------------------------------- */

static struct watcher *failed(struct target_error *error, const char *what)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text,
             "the process that will clean up after the run cannot be started (%s: %s): free some memory, or raise "
             "ulimit -u and -n",
             what, strerror(errno));
    return NULL;
}

struct watcher *watcher_start(struct target_error *error)
{
    int ends[2];
    struct watcher *w = malloc(sizeof *w);
    if (!w)
        return failed(error, "malloc");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        free(w);
        return failed(error, "socketpair");
    }
    w->pid = fork();
    if (w->pid == 0)
        watch(ends[1]);
    close(ends[1]);
    w->fd = ends[0];
    if (w->pid > 0)
        return w;
    failed(error, "fork");
    close(w->fd);
    free(w);
    return NULL;
}

bool watcher_tell(struct watcher *w, const struct deed *deed)
{
    uint8_t known = 0;
    if (send(w->fd, deed, sizeof *deed, MSG_NOSIGNAL) != (ssize_t)sizeof *deed)
        return false;
    ssize_t len;
    do
        len = recv(w->fd, &known, sizeof known, 0);
    while (len < 0 && errno == EINTR);
    return len == 1 && known;
}

void watcher_end(struct watcher *w)
{
    if (!w)
        return;
    close(w->fd);
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    free(w);
}

pid_t watcher_pid(const struct watcher *w)
{
    return w->pid;
}

/* A process at the other end of a pipe, which ends when the tester closes it, or dies of whatever (see sweep.h). */
#include "targets/tap/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Holds nothing of the tester's, and hears no signal that is meant for it. */
_Noreturn static void wait_and_remove(int fd, const char *path)
{
    sigset_t all;
    char ignored;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "tcpassay-sweep");
    int nothing = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        dup2(nothing, i);
    dup2(fd, 3);
    close_range(4, ~0u, 0);
    while (read(3, &ignored, 1) < 0 && errno == EINTR)
        ;
    unlink(path);
    _exit(0);
}

int sweep_start(const char *path, struct sweep *out)
{
    int ends[2];
    *out = (struct sweep){ .fd = -1 };
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    out->pid = fork();
    if (out->pid == 0)
        wait_and_remove(ends[0], path);
    int status = out->pid < 0 ? -errno : 0;
    close(ends[0]);
    out->fd = ends[1];
    if (status < 0) {
        out->pid = 0;
        close(ends[1]);
    }
    return status;
}

void sweep_end(struct sweep *s)
{
    if (!s->pid)
        return;
    close(s->fd);
    while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *s = (struct sweep){ .fd = -1 };
}

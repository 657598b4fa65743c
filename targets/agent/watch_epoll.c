/* Waiting by epoll(7), whose edges say which sockets may have changed. */
#include "targets/agent/watch.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, WAIT_FDS_MAX = 32 };

struct watch {
    int epoll_fd;
    struct epoll_event events[BATCH];
    int at, count;
};

const bool watch_tells = true;

struct watch *watch_new(void)
{
    struct watch *w = malloc(sizeof *w);
    if (!w)
        return NULL;
    *w = (struct watch){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
    if (w->epoll_fd >= 0)
        return w;
    free(w);
    return NULL;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    close(w->epoll_fd);
    free(w);
}

bool watch_add(struct watch *w, int fd, int handle)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET, .data.fd = handle };
    return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void watch_remove(struct watch *w, int fd, int handle)
{
    (void)handle;
    epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void watch_known(struct watch *w, int handle, unsigned events)
{
    (void)w;
    (void)handle;
    (void)events;
}

int watch_wait(struct watch *w, struct pollfd *others, unsigned count, int64_t timeout_ns, const sigset_t *mask)
{
    struct pollfd fds[WAIT_FDS_MAX + 1];
    struct timespec timeout = { .tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000 };
    if (count > WAIT_FDS_MAX)
        count = WAIT_FDS_MAX;
    for (unsigned i = 0; i < count; i++)
        fds[i] = others[i];
    fds[count] = (struct pollfd){ .fd = w->epoll_fd, .events = POLLIN };
    int ready = ppoll(fds, count + 1, timeout_ns < 0 ? NULL : &timeout, mask);
    for (unsigned i = 0; i < count; i++)
        others[i].revents = ready > 0 ? fds[i].revents : 0;
    return ready > 0 && fds[count].revents ? ready - 1 : ready;
}

int watch_changed(struct watch *w)
{
    if (w->at == w->count) {
        w->at = 0;
        w->count = epoll_wait(w->epoll_fd, w->events, BATCH, 0);
        if (w->count < 0)
            w->count = 0;
    }
    return w->at < w->count ? w->events[w->at++].data.fd : -1;
}

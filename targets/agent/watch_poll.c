/* Waiting by poll(2), on any system.
 *
 * A socket is asked for those events only that are not known yet. Errors and hang-ups cannot be left out of the question: a socket
 * that is known to have one is not asked at all, and looked at every so often instead. */
#include "targets/agent/watch.h"

#include <stdlib.h>
#include <time.h>

#include "targets/sockets/sockets.h"

#define LOOK_NS INT64_C(20000000) /* how often sockets are looked at that cannot be waited for */

struct socket {
    int fd;                  /* -1: none */
    short asked;             /* for these events */
    bool ended;              /* an error or a hang-up is known */
};

struct watch {
    struct socket *sockets;  /* by handle */
    struct pollfd *fds;      /* room for all of them, and for the others */
    unsigned count, room;
};

const bool watch_tells = false;

struct watch *watch_new(void)
{
    return calloc(1, sizeof(struct watch));
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    free(w->sockets);
    free(w->fds);
    free(w);
}

bool watch_add(struct watch *w, int fd, int handle)
{
    unsigned count = w->count ? w->count : 32;
    while (count <= (unsigned)handle)
        count *= 2;
    if (count != w->count) {
        struct socket *sockets = realloc(w->sockets, count * sizeof *sockets);
        if (!sockets)
            return false;
        w->sockets = sockets;
        while (w->count < count)
            w->sockets[w->count++] = (struct socket){ .fd = -1 };
    }
    w->sockets[handle] = (struct socket){ .fd = fd, .asked = SOCKETS_POLL_EVENTS };
    return true;
}

void watch_remove(struct watch *w, int fd, int handle)
{
    (void)fd;
    w->sockets[handle].fd = -1;
}

void watch_known(struct watch *w, int handle, unsigned events)
{
    short asked = SOCKETS_POLL_EVENTS;
    if (events & TARGET_EVENT_IN)
        asked &= (short)~POLLIN;
    if (events & TARGET_EVENT_OUT)
        asked &= (short)~POLLOUT;
    if (events & TARGET_EVENT_URGENT)
        asked &= (short)~POLLPRI;
#ifdef POLLRDHUP
    if (events & TARGET_EVENT_READ_HANGUP)
        asked &= (short)~POLLRDHUP;
#endif
    w->sockets[handle].asked = asked;
    w->sockets[handle].ended = (events & (TARGET_EVENT_ERROR | TARGET_EVENT_HANGUP)) != 0;
}

/* Room for the others and all sockets; without memory, only the others are waited for. */
static unsigned gather(struct watch *w, const struct pollfd *others, unsigned count, bool *some_ended)
{
    if (w->room < count + w->count) {
        struct pollfd *fds = realloc(w->fds, (count + w->count) * sizeof *fds);
        if (!fds)
            return 0;
        w->fds = fds;
        w->room = count + w->count;
    }
    for (unsigned i = 0; i < count; i++)
        w->fds[i] = others[i];
    for (unsigned handle = 0; handle < w->count; handle++) {
        const struct socket *s = &w->sockets[handle];
        *some_ended |= s->fd >= 0 && s->ended;
        if (s->fd >= 0 && !s->ended)
            w->fds[count++] = (struct pollfd){ .fd = s->fd, .events = s->asked };
    }
    return count;
}

int watch_wait(struct watch *w, struct pollfd *others, unsigned count, int64_t timeout_ns, const sigset_t *mask)
{
    bool some_ended = false;
    unsigned total = gather(w, others, count, &some_ended);
    if (some_ended && (timeout_ns < 0 || timeout_ns > LOOK_NS))
        timeout_ns = LOOK_NS;
    const struct timespec timeout = { .tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000 };
    struct pollfd *fds = total ? w->fds : others;
    int ready = ppoll(fds, total ? total : count, timeout_ns < 0 ? NULL : &timeout, mask), of_others = 0;
    for (unsigned i = 0; i < count; i++) {
        others[i].revents = ready > 0 ? fds[i].revents : 0;
        of_others += others[i].revents != 0;
    }
    return ready < 0 ? ready : of_others;
}

int watch_changed(struct watch *w)
{
    (void)w;
    return -1;
}

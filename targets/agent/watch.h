/* Waiting until one of many sockets may have changed: by epoll(7) where there is that, else by poll(2). */
#ifndef TCPASSAY_TARGETS_AGENT_WATCH_H
#define TCPASSAY_TARGETS_AGENT_WATCH_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct watch;
struct watch *watch_new(void); /* NULL: out of memory or of descriptors */
void watch_free(struct watch *w);

bool watch_add(struct watch *w, int fd, int handle);
void watch_remove(struct watch *w, int fd, int handle);
/* These events of it (enum target_event) are known, and worth no waking. */
void watch_known(struct watch *w, int handle, unsigned events);

/* Waits until one of the sockets may have changed, or one of the others is ready (as poll(2)), a signal that the mask lets through
 * comes, or the time is over; timeout_ns < 0: for ever. The number of others that are ready, or -1 (errno EINTR). */
int watch_wait(struct watch *w, struct pollfd *others, unsigned count, int64_t timeout_ns, const sigset_t *mask);

/* The next socket that may have changed since it was last told here: its handle; -1: none any more. Where watch_tells is false it
 * cannot tell which: then all of them may have. */
extern const bool watch_tells;
int watch_changed(struct watch *w);

#endif

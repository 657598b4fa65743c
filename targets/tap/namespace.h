/* Network namespaces of our own: a machine's worth of interfaces, addresses, sysctls and sockets that nobody else sees, and that
 * the kernel takes away when its last descriptor is closed. */
#ifndef TCPASSAY_TARGETS_TAP_NAMESPACE_H
#define TCPASSAY_TARGETS_TAP_NAMESPACE_H

#include "engine/runner/target.h"

struct netns {
    int inside; /* descriptor of the new namespace */
    int home;   /* descriptor of the one the thread was in, where netns_leave() returns to */
};

/* Makes a namespace; the calling thread stays where it is. Where the process may not make one (no CAP_SYS_ADMIN or CAP_NET_ADMIN),
 * it first moves, for good, into a user namespace of its own with an empty network: its user and group ids stay as they were, and
 * it can then make as many as it likes. That move needs a process of one thread. False, with *error filled and nothing kept, when
 * the machine does not permit it. */
bool netns_open(struct netns *out, struct target_error *error);

/* Drops the descriptors. The namespace goes when the last socket in it has gone. */
void netns_close(struct netns *ns);

/* Moves the calling thread in and out: 0 or a negative errno value. What it opens in between belongs to the namespace for ever;
 * /proc/sys/net shows the namespace's own values meanwhile. About 2 us each. */
int netns_enter(const struct netns *ns);
int netns_leave(const struct netns *ns);

/* Brings up lo in the namespace the thread is in. 0 or a negative errno value. */
int netns_loopback_up(void);

/* Runs the attempt in a child process, which then ends, so that nothing changes for this one. False with the attempt's error, when
 * it left one; the attempt need not clean up. */
bool netns_try(bool (*attempt)(struct target_error *error), struct target_error *error);

/* Can a namespace with a TAP device in it be made here? */
bool netns_preflight(struct target_error *error);

/* Fills *error with what it means that a TAP device could not be opened (a negative errno value), and how to mend it. */
void tap_explain(int status, struct target_error *error);

#endif

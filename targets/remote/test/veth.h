/* A network namespace for a test, with both ends of a veth pair in it: what is written to one arrives at the other. */
#ifndef TCPASSAY_TARGETS_REMOTE_TEST_VETH_H
#define TCPASSAY_TARGETS_REMOTE_TEST_VETH_H

#include "targets/tap/namespace.h"

#define VETH_NEAR "near0"
#define VETH_FAR "far0"

/* Makes both and enters the namespace. False with *error where that cannot be done here. */
bool veth_enter(struct netns *ns, struct target_error *error);
/* Back home; the namespace goes. */
void veth_leave(struct netns *ns);

/* Makes the pair, both ends up; the thread is in the namespace. 0 or a negative errno value. */
int veth_make(void);
/* Removes it. */
int veth_remove(void);
int veth_switch(const char *end, bool up);

#endif

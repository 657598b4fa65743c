/* One attempt at a sockets call of a scenario; shared by call.c, which decides when to try and what to make of the result, and
 * sockets.c. */
#ifndef TCPASSAY_RUNNER_ATTEMPT_H
#define TCPASSAY_RUNNER_ATTEMPT_H

#include "engine/runner/play.h"

struct attempt {
    struct player *p;
    const struct scn_step *step;
    const struct scn_call *call;
    struct pending_call *pending;
    struct descriptor *fd;    /* of the first argument, where it is one */
    bool nonblocking;
    char why[160];            /* the call cannot be made: not the IUT's doing */
};

/* Makes the call. The result, or a negative errno value: -EAGAIN or -EINPROGRESS when it cannot be done yet. With why filled in,
 * the call could not be made at all, which says nothing about the IUT. */
int64_t attempt_call(struct attempt *attempt);

/* The number that the scenario gives to a new descriptor of this handle; *out NULL, with why filled in, when there are too many. */
int64_t attempt_new_descriptor(struct attempt *attempt, int64_t handle, struct descriptor **out);

#endif

/* The calls of the agent's protocol, one at a time: arguments in, a result and what else the answer carries out. */
#ifndef TCPASSAY_TARGETS_AGENT_CALLS_H
#define TCPASSAY_TARGETS_AGENT_CALLS_H

#include "targets/agent/server.h"

struct agent_call {
    struct agent_sockets *sockets;
    struct agent_reader arguments;
    struct agent_writer data;  /* of the answer, behind its header */
    int handle;                /* the one that the call is about; -1: none */
    int opened;                /* a handle that this call has made; -1: none */
    bool closed;               /* handle is gone */
};

/* Is a handle the first argument of this kind of call? */
bool agent_call_has_handle(uint8_t kind);
/* How many octets of data its answer may need, given its arguments; up to limit. */
size_t agent_call_room(uint8_t kind, struct agent_reader arguments, size_t limit);
/* Makes the call (a handle has been taken from the arguments already). The answer's result: -EBADMSG when the arguments are not
 * what they should be, -ENOSYS for a kind that is unknown. PING, POLL and RESET are the server's own affair. */
int64_t agent_call_make(struct agent_call *c, uint8_t kind);

enum { AGENT_EBADF = 9, AGENT_EINVAL = 22, AGENT_EMFILE = 24, AGENT_ENOSYS = 38, AGENT_EBADMSG = 74, AGENT_EOPNOTSUPP = 95 }; /* Linux's */

#endif

/* The control connections of an upper tester: a TCP port of this machine's own kernel where the agent's protocol is spoken
 * (targets/agent/server.h). One tester is served at a time. */
#ifndef TCPASSAY_TARGETS_REFERENCE_SERVE_CONTROL_H
#define TCPASSAY_TARGETS_REFERENCE_SERVE_CONTROL_H

#include <poll.h>

#include "targets/agent/server.h"

enum { CONTROL_CONNECTIONS_MAX = 4, CONTROL_FDS_MAX = CONTROL_CONNECTIONS_MAX + 1 };

struct control;
/* Listens on port of addr; key NULL: none, which only addresses of this machine alone (loopback) permit. *sockets outlives it. NULL
 * with *error. */
struct control *control_open(const struct pkt_endpoint *local, const uint8_t *key, struct agent_sockets *sockets,
                             struct target_error *error);
void control_close(struct control *c);

/* What to wait for: up to CONTROL_FDS_MAX; how many. */
unsigned control_poll_fds(const struct control *c, struct pollfd *out);
int64_t control_deadline(const struct control *c); /* INT64_MAX: never */

/* Takes and answers whatever has come. To be called when one of the descriptors is ready, when the deadline has come, and when the
 * stack has done something. */
void control_run(struct control *c, int64_t now_ns);

#endif

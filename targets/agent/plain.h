/* The agent's sockets on those of the system it runs on. */
#ifndef TCPASSAY_TARGETS_AGENT_PLAIN_H
#define TCPASSAY_TARGETS_AGENT_PLAIN_H

#include "targets/agent/keeper.h"
#include "targets/agent/server.h"
#include "targets/agent/watch.h"

enum { PLAIN_SOCKETS_MAX = 16384 };

/* keeper NULL: no settings; it outlives this. NULL: out of memory or of descriptors. */
struct agent_sockets *plain_new(struct keeper *keeper);
void plain_free(struct agent_sockets *a); /* aborts what is left */
/* What to wait with until agent_server_work() has something to do. */
struct watch *plain_watch(struct agent_sockets *a);

#endif

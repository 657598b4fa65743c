/* The server's connections: between the stack's sockets and the services. Knows neither link nor clock. */
#ifndef TCPASSAY_TARGETS_REFERENCE_SERVE_CONNECTIONS_H
#define TCPASSAY_TARGETS_REFERENCE_SERVE_CONNECTIONS_H

#include <stdio.h>

#include "targets/reference/reference.h"
#include "targets/reference/serve/service.h"

enum {
    CONNECTIONS_MAX = 512,             /* beyond, they wait in the listener's queue */
    CONNECTION_BUFFER = 16384,         /* octets each way */
    CONNECTION_OCTETS_A_TURN = 1 << 18, /* moved for one connection before the others have their turn */
};

struct connections;
/* Opens a listener for each service. NULL: out of memory, or a port is not to be had. *config outlives it. */
struct connections *connections_new(struct ref_stack *stack, const struct http_config *config);
/* Frees everything; sockets stay as they are. */
void connections_free(struct connections *c);

/* Accepts, reads, writes and closes whatever can be now. True when there is more to do at once. */
bool connections_run(struct connections *c);

/* A line for each listener and connection, those that the application has closed too: state, queues, endpoints, timers. */
void connections_list(struct connections *c, FILE *out);

#endif

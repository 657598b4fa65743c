/* The agent's calls on the reference stack of `tcpassay serve`. */
#ifndef TCPASSAY_TARGETS_REFERENCE_SERVE_UPPER_H
#define TCPASSAY_TARGETS_REFERENCE_SERVE_UPPER_H

#include "targets/agent/server.h"

struct upper_host { /* whoever owns the stack */
    struct target *(*target)(void *context); /* the stack, as a target */
    /* Replaces it by a new one with these settings: a host that boots anew. False with *error, and the old one stays. */
    bool (*boot)(void *context, const struct target_setting *settings, unsigned count, struct target_error *error);
    void *context;
};

struct serve_sockets {
    struct agent_sockets base; /* first: the agent's view */
    struct upper_host host;
    bool configured;           /* with settings that are not those of the beginning */
};
void serve_sockets_init(struct serve_sockets *s, const struct upper_host *host);

#endif

/* A host without upper tester, but with a TCP port that is open: what can be played against that, and by whom the calls are
 * answered. */
#ifndef TCPASSAY_RUNNER_OPEN_PORT_H
#define TCPASSAY_RUNNER_OPEN_PORT_H

#include "engine/runner/attempt.h"

/* What is known of who stands behind the port; found out by the probes below before anything else is played. */
struct open_port {
    bool probed;
    bool answers;  /* a handshake succeeds */
    bool silent;   /* it sends nothing, and keeps the connection, as long as nothing is sent to it */
    bool discards; /* the same when octets are sent to it */
    bool refuses;  /* a port where nobody listens answers with RST, and no packet filter swallows that */
};

/* The probes: scenarios of their own, in this order: answers, silent, discards, refuses. */
enum { OPEN_PORT_PROBES = 4 };
const char *open_port_probe(unsigned index, const char **id);
void open_port_probed(struct open_port *port, unsigned index, bool passed);

/* Can this scenario be played with nothing but an open port? If not, why. */
bool open_port_suffices(const struct open_port *port, const struct scenario *scenario, unsigned variant, char *reason,
                        size_t reason_size);
/* Does a play of it use the open port, rather than one where nobody listens? */
bool open_port_is_used(const struct scenario *scenario);

/* Answers a call in place of an upper tester. As attempt_call(). */
int64_t open_port_call(struct attempt *attempt);
/* At the end of a play: resets the connections it leaves behind. */
void open_port_leave(struct player *p);

#endif

/* How a host across the network is to be reached: what the argument behind "remote:" says, completed by this machine's routing
 * table. */
#ifndef TCPASSAY_TARGETS_REMOTE_PLAN_H
#define TCPASSAY_TARGETS_REMOTE_PLAN_H

#include "targets/remote/filter.h"
#include "targets/tap/pixit.h"

enum { /* the tester's ports where it uses the machine's own address: in blocks, from where the scheduler begins */
    OWN_PORTS_FIRST = 16384, OWN_PORTS_BLOCK = 1024, OWN_PORTS_MAX = 16384,
};

struct plan {
    struct pixit pixit;           /* with the addresses of host, tester and router, and the tester's MAC, filled in */
    char host[256];               /* as written */
    char interface[16];
    unsigned ifindex;
    uint16_t first_port, port_count; /* of the tester, where it may use only these; else 0 */
};

/* False with *error: USAGE when the argument is wrong, UNAVAILABLE when the host cannot be found in name or by route. Waits for
 * name service only. */
bool plan_make(const char *argument, struct plan *out, struct target_error *error);

/* "HOST", "HOST:PORT", "[2001:db8::2]:PORT", "2001:db8::2"; port 0: none was written. */
bool plan_split_host(const char *word, char *host, size_t capacity, uint16_t *port);

/* Ports that the kernel does not give to connections of its own, whose ephemeral ports go from low to high. False when no block of
 * ports is left. */
bool plan_choose_ports(unsigned low, unsigned high, uint16_t *first, uint16_t *count);

struct filter plan_filter(const struct plan *plan);

#endif

/* A target made of a wire and an upper tester: whatever is not in this process and was not made by it. What remote:, tap:, unix:
 * and lwip have in common: the neighbour layer (the tester answers ARP, neighbour discovery and echo on its own addresses),
 * measured round trip, PIXIT into target_info, and what happens when the wire or the upper tester goes away. */
#ifndef TCPASSAY_TARGETS_TAP_STATION_H
#define TCPASSAY_TARGETS_TAP_STATION_H

#include "targets/tap/pixit.h"
#include "targets/tap/upper.h"
#include "targets/tap/wire.h"

struct station_config {
    const char *name;            /* of the target, as on the command line */
    const struct pixit *pixit;
    struct wire *wire;           /* owned from now on, even when opening fails */
    struct upper *upper;         /* likewise; NULL: none */
    unsigned capabilities;       /* beyond what follows from the rest: TARGET_DISRUPTION … */
    uint16_t first_port, port_count; /* of the tester's ports, those that it may use (target.h); 0: as it likes */
    int64_t patience_ns;         /* how long opening waits for the first answer of the host; 0: 3 s */
    uint64_t (*deaths)(void *context, char *text, size_t capacity); /* of a process of ours that is the stack under test (target.h); may be NULL */
    bool (*restart)(void *context, struct target_error *error);     /* first of all in recover(): it is started anew; may be NULL */
    void (*closing)(void *context); /* after everything else is closed: a process of ours is ended … may be NULL */
    void *context;
};

/* Finds the host (ARP, ND, echo) and measures the way to it. NULL with *error: what is silent, and how to mend it. */
struct target *station_open(const struct station_config *config, const struct target_config *target_config,
                            struct target_error *error);

#endif

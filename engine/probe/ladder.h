/* A connection's segments as a ladder: what went which way, with the numbers relative to both sides' first ones, and the state that
 * each side is in afterwards, as far as its segments tell. Sans-I/O. */
#ifndef TCPASSAY_PROBE_LADDER_H
#define TCPASSAY_PROBE_LADDER_H

#include "engine/packet/packet.h"
#include "engine/packet/state.h"

enum { LADDER_MAX = 24, LADDER_OPTIONS_MAX = 120 };

#define LADDER_UNKNOWN TCP_STATE_COUNT /* a state that nothing tells */

struct ladder_rung {
    int64_t at_ns;               /* since the first */
    bool from_client;
    uint16_t flags, window;      /* as stated, unscaled */
    uint32_t seq, ack;           /* as on the wire; ack is 0 without ACK */
    uint32_t rel_seq, rel_ack;
    uint32_t payload_len;
    char options[LADDER_OPTIONS_MAX];
    enum tcp_state client, server; /* once it has arrived */
};

struct ladder {
    unsigned count;
    bool cut;                    /* there was more than LADDER_MAX */
    struct ladder_rung rungs[LADDER_MAX];

    /* What the two sides are known to be at; of nobody else's interest. */
    struct { enum tcp_state state; bool has_first, fin_sent; uint32_t first, fin_ack; } side[2];
    int64_t first_ns;
};

/* The next segment in the order they were captured. */
void ladder_add(struct ladder *ladder, const struct packet *segment, bool from_client, int64_t at_ns);
/* When no more will come. A host that never answered is not known to be in any state. */
void ladder_end(struct ladder *ladder);

#endif

/* A packet as we read it, together with the one it quotes: what is compared with tshark's reading. */
#ifndef TCPASSAY_PACKET_TEST_READING_H
#define TCPASSAY_PACKET_TEST_READING_H

#include "engine/packet/test/generate.h"

enum { LAYERS_MAX = 2 };

struct layer { /* a packet as read, and how it is to be compared */
    struct packet packet;
    struct packet upper; /* the same; but of a first fragment, read as if it were no fragment: tshark goes on into it */
    enum pkt_error error;
    bool quoted;    /* by an ICMP error */
    bool cut;       /* ends before its stated length */
    uint8_t beginning[GENERATED_LEN_MAX];
};
struct reading {
    unsigned depth; /* 1, or 2 with the one quoted */
    struct layer layers[LAYERS_MAX];
};

/* out points into bytes. */
void read_layers(const uint8_t *bytes, size_t len, struct reading *out);

struct option_area { /* where the options of a segment are, or by its data offset would be */
    const uint8_t *options;
    uint8_t len, stated_len; /* here, and by the data offset */
};
struct option_area option_area(const struct layer *layer);

#endif

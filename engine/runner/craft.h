/* A packet being made for the IUT: what craft.c makes of a scenario's injection, and engine/fuzz/play_segment.c of a record. */
#ifndef TCPASSAY_RUNNER_CRAFT_H
#define TCPASSAY_RUNNER_CRAFT_H

#include "engine/runner/play.h"

enum { CRAFT_PAYLOAD_MAX = 65535 };

struct craft {
    struct player *p;
    const struct scn_packet *packet; /* NULL: there is none */
    struct endpoint *e;
    struct pkt_spec spec;
    struct pkt_option_buffer options;
    uint8_t *payload;       /* CRAFT_PAYLOAD_MAX octets */
    size_t truncate, fragment;
    char error[PLAYER_CAUSE_MAX];
};

/* Fills payload with the octets that belong at this place of the stream. */
void craft_payload(struct craft *c);
/* Addresses of the endpoint and the next IP identification. */
void craft_ip(struct craft *c);
/* Spoils or sets what the override says; value: its number. */
void craft_override(struct craft *c, const struct scn_override *o, int64_t value);
/* The start of a segment of the IUT, from seq on the wire on, for an ICMP error to quote: into out. -1: it cannot be built. */
ssize_t craft_quote(struct craft *c, uint32_t seq, int64_t len, uint8_t *out, size_t capacity);
/* Builds it and hands it to the link. False: it cannot be built, error says why. */
bool craft_send(struct craft *c);

#endif

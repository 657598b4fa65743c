/* What a capture shows to somebody who wants to alter it: connections, and what had been sent before each frame. */
#ifndef TCPASSAY_CAPTURE_TEST_MUTATE_SCENE_H
#define TCPASSAY_CAPTURE_TEST_MUTATE_SCENE_H

#include "engine/capture/test/mutate-frames.h"

struct shown { /* of what one side has sent, before a frame */
    bool any, syn, fin, reset;      /* anything; its SYN (so that iss and offer are known) */
    struct pkt_options offer;
    uint32_t iss, nxt, fin_seq, edge, ack;
    bool has_ts;
    uint32_t ts_first, ts_max;
    uint32_t segments;
};

struct view { /* a frame, and what was shown before it in its talk */
    bool tcp;                       /* whole, right, of two known sides */
    bool offloaded;                 /* its talk shows wrong checksums, or more than one wire carries */
    struct packet packet;
    struct pkt_options options;
    size_t offset, talk;
    unsigned side;
    struct shown sides[2];          /* [side]: the sender */
    bool seen_before;               /* all of its payload was sent before, in one frame */
    bool twin;                      /* the same IP packet is there twice: the network doubles, and an altered copy is none */
    bool stamp_elsewhere;           /* its timestamp is in another frame too: the peer may echo it though it is altered here */
};

struct talk { /* one incarnation of a connection */
    struct pkt_endpoint ends[2];
    struct shown sides[2];
    bool offloaded, from_start;
};

/* Where the bytes of altered frames go. */
struct room {
    size_t used, size;
    uint8_t *bytes;
};

struct scene {
    const char *path;
    struct frames original, altered;
    struct view *views;
    struct talk *talks;
    size_t talk_count;
    struct pkt_builder *builder;
    struct room room;
};

/* Reads a capture and looks at it; false when it cannot be read. room_more: octets that altered frames may need beyond those of the
 * capture. */
bool scene_open(struct scene *scene, const char *path, size_t room_more);
void scene_close(struct scene *scene);
bool same_end(const struct pkt_endpoint *end, const struct pkt_addr *addr, uint16_t port);
/* w is of the same connection and direction as v. */
bool same_sender(const struct view *v, const struct view *w);

#endif

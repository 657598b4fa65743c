/* Copies: a capture on several interfaces, or of a mirrored port, shows one segment more than once, though it was sent once. */
#ifndef TCPASSAY_CAPTURE_COPIES_H
#define TCPASSAY_CAPTURE_COPIES_H

#include "engine/packet/packet.h"

enum { COPIES_RECENT = 8, COPIES_RING = 256 };

struct copies { /* of what one endpoint sends; starts zeroed */
    uint64_t origin;        /* where its first segment was seen (link.h) */
    struct copy_print { uint64_t print; int64_t at_ns; } recent[COPIES_RECENT];
    uint64_t *ring;         /* of COPIES_RING prints, from when a segment came from elsewhere */
    uint32_t next;
};

enum copy {
    COPY_NONE,      /* a segment of its own, as far as anybody can tell */
    COPY_CERTAIN,   /* the same segment, seen elsewhere on its way */
    COPY_LIKELY,    /* the same IP packet once more, at the same place and almost at once: copied by the network, or by the capture */
    COPY_UNCERTAIN, /* the first from elsewhere: it may be a copy of one that is not remembered any more */
};

/* What this segment is, given those before it, and remembers it. */
enum copy copies_of(struct copies *copies, const struct packet *segment, uint64_t origin, int64_t at_ns);
/* Frees what the struct points to. */
void copies_release(struct copies *copies);

#endif

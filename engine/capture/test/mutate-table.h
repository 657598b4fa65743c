/* The ways to alter one thing in one frame of a capture, so that a rule is certainly broken there. */
#ifndef TCPASSAY_CAPTURE_TEST_MUTATE_TABLE_H
#define TCPASSAY_CAPTURE_TEST_MUTATE_TABLE_H

#include "engine/capture/test/mutate-scene.h"

enum { MUTATE_PAYLOAD_MAX = 66000, MUTATIONS_MAX = 64, CERTAIN = 1000 };

/* A segment to alter. */
struct draft {
    struct pkt_spec spec;
    struct pkt_option_buffer options;
    uint8_t payload[MUTATE_PAYLOAD_MAX];
    bool insert;             /* a frame of its own behind the one it was made from */
    bool unanswered;         /* from here on, this is all that happens: it is sent again and again, and its receiver acknowledges
                                what came before it, each time */
    int64_t later_ns;        /* … by so much */
};

void draft_from(const struct view *v, struct draft *d);
/* Finds an option in the draft; NULL when it is not there. */
uint8_t *draft_option(struct draft *d, uint8_t kind);
/* Big-endian. */
void put_u32(uint8_t *to, uint32_t value);

/* Says whether the alteration is certainly a violation at frame i, and makes it in the draft of that frame. */
typedef bool alteration(const struct scene *s, size_t i, struct draft *d);

/* The rows: what it is called, what the finding may be called, and of how many out of a thousand it must be found. */
struct mutation {
    const char *name, *rules; /* names of rules, separated by blanks */
    unsigned share;
    alteration *alter;
    bool deviation;           /* of a SHOULD */
};
extern const struct mutation mutations[];
extern const size_t mutation_count;

#endif

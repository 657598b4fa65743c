/* Octets of a stream held by their sequence numbers, for comparison with what comes later: the newest of them, in bounded memory.
 *
 * Holes are allowed; the oldest are forgotten when the span would become too wide, memory runs out, or the budget of the store that
 * many holders share is spent: that makes a comparison find less, never something false. Nothing is allocated while nothing is
 * held.
 */
#ifndef TCPASSAY_MODEL_OCTETS_H
#define TCPASSAY_MODEL_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OCTETS_SPAN_MAX = 256 * 1024,         /* from the first octet held to the last */
    OCTETS_RANGES_MAX = 8,                /* held pieces with holes between them */
    OCTETS_BUDGET_MAX = 24 * 1024 * 1024, /* of all who share a store */
    OCTETS_CHUNK_LEN = 512,
    OCTETS_FEW = 8,
};

struct octets_store { /* starts zeroed, or with a pool */
    size_t held;       /* memory that was taken from it: chunks of OCTETS_CHUNK_LEN */
    struct pool *pool; /* of blocks of that size; NULL: the heap. The caller's */
};

struct octets { /* starts zeroed; octets_release() at the end */
    uint32_t count;
    uint32_t many_count;         /* a power of two */
    struct { uint32_t left, right; } ranges[OCTETS_RANGES_MAX]; /* ascending, apart from each other */
    uint8_t *few[OCTETS_FEW];    /* chunks: that of the octet numbered n is n / OCTETS_CHUNK_LEN, modulo their number; NULL: none … */
    uint8_t **many;              /* … or here, when the few do not suffice */
};

/* Holds data, which begins at left, in place of what was held there; not data that is a quarter of all numbers away from it. Octets
 * further than OCTETS_SPAN_MAX before the last one held are not kept, or forgotten. */
void octets_hold(struct octets *o, uint32_t left, const uint8_t *data, uint32_t len, struct octets_store *store);
/* Forgets all before seq. */
void octets_forget(struct octets *o, uint32_t seq, struct octets_store *store);
/* Does data contradict what is held? *at: the first octet that does. */
bool octets_differ(const struct octets *o, uint32_t left, const uint8_t *data, uint32_t len, uint32_t *at);
/* The octet, or -1 when it is not held. */
int octets_at(const struct octets *o, uint32_t seq);
void octets_release(struct octets *o, struct octets_store *store);

#endif

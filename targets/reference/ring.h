/* A byte ring that grows on demand: send and receive buffers. Octets are named by their offset from the ring's first one. */
#ifndef TCPASSAY_TARGETS_REFERENCE_RING_H
#define TCPASSAY_TARGETS_REFERENCE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ref_budget { /* what all rings of a stack may take together */
    uint64_t used, max;
};

struct ref_ring { /* zeroed: empty, no memory */
    uint8_t *bytes;
    uint32_t capacity; /* 0, or a power of two */
    uint32_t start;    /* index of offset 0 */
};

/* Makes room for octets in all, keeping the first len of them. False: the budget or the memory is used up; nothing has changed. */
bool ref_ring_reserve(struct ref_ring *ring, uint32_t octets, uint32_t len, struct ref_budget *budget);
/* Copy in and out; offset + len must lie within the capacity. */
void ref_ring_write(struct ref_ring *ring, uint32_t offset, const uint8_t *data, uint32_t len);
void ref_ring_read(const struct ref_ring *ring, uint32_t offset, uint8_t *out, uint32_t len);
/* The octets in one piece: in place when they are, else copied to scratch (which holds len octets). */
const uint8_t *ref_ring_view(const struct ref_ring *ring, uint32_t offset, uint32_t len, uint8_t *scratch);
/* Forgets the first len octets. */
void ref_ring_drop(struct ref_ring *ring, uint32_t len);
void ref_ring_free(struct ref_ring *ring, struct ref_budget *budget);

#endif

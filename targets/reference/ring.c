/* A byte ring that grows on demand, by doubling, and gives its memory back only as a whole. */
#include "targets/reference/ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RING_CAPACITY_MIN = 2048 };

static uint32_t index_of(const struct ref_ring *ring, uint32_t offset)
{
    return (ring->start + offset) & (ring->capacity - 1);
}

/* How many of len octets from index on lie before the end of the memory. */
static uint32_t before_wrap(const struct ref_ring *ring, uint32_t index, uint32_t len)
{
    uint32_t room = ring->capacity - index;
    return len < room ? len : room;
}

bool ref_ring_reserve(struct ref_ring *ring, uint32_t octets, uint32_t len, struct ref_budget *budget)
{
    assert(len <= ring->capacity);
    if (octets <= ring->capacity)
        return true;
    uint32_t capacity = ring->capacity ? ring->capacity : RING_CAPACITY_MIN;
    while (capacity < octets) {
        if (capacity > UINT32_MAX / 2)
            return false;
        capacity *= 2;
    }
    if (budget->used + (capacity - ring->capacity) > budget->max)
        return false;
    uint8_t *bytes = malloc(capacity);
    if (!bytes)
        return false;
    if (len)
        ref_ring_read(ring, 0, bytes, len);
    free(ring->bytes);
    budget->used += capacity - ring->capacity;
    *ring = (struct ref_ring){ .bytes = bytes, .capacity = capacity };
    return true;
}

void ref_ring_write(struct ref_ring *ring, uint32_t offset, const uint8_t *data, uint32_t len)
{
    if (len == 0)
        return;
    assert(offset <= ring->capacity && len <= ring->capacity - offset);
    uint32_t index = index_of(ring, offset), first = before_wrap(ring, index, len);
    memcpy(ring->bytes + index, data, first);
    memcpy(ring->bytes, data + first, len - first);
}

void ref_ring_read(const struct ref_ring *ring, uint32_t offset, uint8_t *out, uint32_t len)
{
    if (len == 0)
        return;
    assert(offset <= ring->capacity && len <= ring->capacity - offset);
    uint32_t index = index_of(ring, offset), first = before_wrap(ring, index, len);
    memcpy(out, ring->bytes + index, first);
    memcpy(out + first, ring->bytes, len - first);
}

const uint8_t *ref_ring_view(const struct ref_ring *ring, uint32_t offset, uint32_t len, uint8_t *scratch)
{
    if (len == 0)
        return scratch;
    assert(offset <= ring->capacity && len <= ring->capacity - offset);
    uint32_t index = index_of(ring, offset);
    if (before_wrap(ring, index, len) == len)
        return ring->bytes + index;
    ref_ring_read(ring, offset, scratch, len);
    return scratch;
}

void ref_ring_drop(struct ref_ring *ring, uint32_t len)
{
    assert(len <= ring->capacity);
    if (ring->capacity)
        ring->start = index_of(ring, len);
}

void ref_ring_free(struct ref_ring *ring, struct ref_budget *budget)
{
    assert(budget->used >= ring->capacity);
    budget->used -= ring->capacity;
    free(ring->bytes);
    *ring = (struct ref_ring){ 0 };
}

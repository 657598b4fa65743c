/* Octets of a stream held by their sequence numbers (octets.h). */
#include "engine/model/octets.h"

#include "engine/packet/seq.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 512 };

void octets_release(struct octets *o, size_t *budget)
{
    *budget -= o->capacity;
    free(o->ring);
    *o = (struct octets){0};
}

/* One of the two pieces into which the ring's end may cut a stretch: its length, and where it begins. */
static uint32_t piece(const struct octets *o, uint32_t left, uint32_t len, uint32_t *start)
{
    *start = left & (o->capacity - 1);
    return len < o->capacity - *start ? len : o->capacity - *start;
}

static void put(struct octets *o, uint32_t left, const uint8_t *data, uint32_t len)
{
    uint32_t start, first = piece(o, left, len, &start);
    memcpy(o->ring + start, data, first);
    memcpy(o->ring, data + first, len - first);
}

/* Makes room for a span of that many octets. False: out of memory or budget. */
static bool grow(struct octets *o, uint32_t span, size_t *budget)
{
    struct octets larger = *o;
    if (span <= o->capacity)
        return true;
    if (!larger.capacity)
        larger.capacity = CAPACITY_MIN;
    while (larger.capacity < span)
        larger.capacity *= 2;
    if (*budget + larger.capacity - o->capacity > OCTETS_BUDGET_MAX)
        return false;
    larger.ring = malloc(larger.capacity);
    if (!larger.ring)
        return false;
    for (uint32_t i = 0; i < o->count; i++) {
        uint32_t len = o->ranges[i].right - o->ranges[i].left, start, first = piece(o, o->ranges[i].left, len, &start);
        put(&larger, o->ranges[i].left, o->ring + start, first);
        put(&larger, o->ranges[i].left + first, o->ring, len - first);
    }
    *budget += larger.capacity - o->capacity;
    free(o->ring);
    *o = larger;
    return true;
}

/* Further apart than anything held may be: their order means nothing. */
static bool is_far(uint32_t a, uint32_t b)
{
    return a - b + (UINT32_C(1) << 30) > UINT32_C(1) << 31;
}

void octets_forget(struct octets *o, uint32_t seq, size_t *budget)
{
    uint32_t gone = 0;
    if (o->count && is_far(seq, o->ranges[0].left))
        return;
    while (gone < o->count && seq_le(o->ranges[gone].right, seq))
        gone++;
    if (gone == o->count) {
        if (o->count)
            octets_release(o, budget);
        return;
    }
    if (gone) {
        o->count -= gone;
        memmove(o->ranges, o->ranges + gone, o->count * sizeof *o->ranges);
    }
    o->ranges[0].left = seq_max(o->ranges[0].left, seq);
}

/* Notes that [left, right) is held. Without room for one more range the oldest goes: ours or another. */
static void insert(struct octets *o, uint32_t left, uint32_t right)
{
    uint32_t first = 0;
    while (first < o->count && seq_lt(o->ranges[first].right, left))
        first++;
    uint32_t last = first;
    while (last < o->count && seq_le(o->ranges[last].left, right)) {
        left = seq_min(left, o->ranges[last].left);
        right = seq_max(right, o->ranges[last].right);
        last++;
    }
    if (first == last && o->count == OCTETS_RANGES_MAX) {
        if (first == 0)
            return;
        memmove(o->ranges, o->ranges + 1, --o->count * sizeof *o->ranges);
        first--;
        last--;
    }
    memmove(&o->ranges[first + 1], &o->ranges[last], (o->count - last) * sizeof *o->ranges);
    o->count = o->count - (last - first) + 1;
    o->ranges[first].left = left;
    o->ranges[first].right = right;
}

void octets_hold(struct octets *o, uint32_t left, const uint8_t *data, uint32_t len, size_t *budget)
{
    if (o->count && is_far(left, o->ranges[o->count - 1].right))
        return;
    uint32_t right = left + len, end = o->count ? seq_max(o->ranges[o->count - 1].right, right) : right;
    uint32_t oldest = end - OCTETS_SPAN_MAX;
    if (seq_lt(left, oldest)) {
        if (seq_le(right, oldest))
            return;
        data += oldest - left;
        left = oldest;
    }
    if (left == right)
        return;
    octets_forget(o, oldest, budget);
    uint32_t begin = o->count ? seq_min(o->ranges[0].left, left) : left;
    if (!grow(o, end - begin, budget)) {
        octets_release(o, budget);
        return;
    }
    put(o, left, data, right - left);
    if (o->count && o->ranges[o->count - 1].right == left) /* the common case: it goes on */
        o->ranges[o->count - 1].right = right;
    else
        insert(o, left, right);
}

bool octets_differ(const struct octets *o, uint32_t left, const uint8_t *data, uint32_t len, uint32_t *at)
{
    for (uint32_t i = 0; i < o->count; i++) {
        if (is_far(left, o->ranges[i].left))
            continue;
        uint32_t from = seq_max(left, o->ranges[i].left), to = seq_min(left + len, o->ranges[i].right);
        if (seq_ge(from, to))
            continue;
        uint32_t start, first = piece(o, from, to - from, &start);
        const uint8_t *there = data + (from - left);
        if (!memcmp(o->ring + start, there, first) && !memcmp(o->ring, there + first, to - from - first))
            continue;
        while (o->ring[from & (o->capacity - 1)] == data[from - left])
            from++;
        *at = from;
        return true;
    }
    return false;
}

int octets_at(const struct octets *o, uint32_t seq)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (seq_in_window(seq, o->ranges[i].left, o->ranges[i].right - o->ranges[i].left))
            return o->ring[seq & (o->capacity - 1)];
    return -1;
}

/* Octets of a stream held by their sequence numbers (octets.h). */
#include "engine/model/octets.h"

#include "engine/model/pool.h"
#include "engine/packet/seq.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_LEN = OCTETS_CHUNK_LEN };

/* ---- chunks --------------------------------------------------------------------------------------------------------- */

static uint8_t *take(struct octets_store *store)
{
    if (store->held + CHUNK_LEN > OCTETS_BUDGET_MAX)
        return NULL;
    uint8_t *chunk = store->pool ? pool_take(store->pool) : malloc(CHUNK_LEN);
    store->held += chunk ? CHUNK_LEN : 0;
    return chunk;
}

static void give(struct octets_store *store, uint8_t *chunk)
{
    store->held -= CHUNK_LEN;
    if (store->pool)
        pool_give(store->pool, chunk);
    else
        free(chunk);
}

static uint32_t slot_count(const struct octets *o)
{
    return o->many ? o->many_count : OCTETS_FEW;
}

static uint8_t *chunk_of(const struct octets *o, uint32_t seq)
{
    return (o->many ? o->many : o->few)[seq / CHUNK_LEN & (slot_count(o) - 1)];
}

static uint8_t **slot_of(struct octets *o, uint32_t seq)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): where many is freed, it gets another value at once */
    return &(o->many ? o->many : o->few)[seq / CHUNK_LEN & (slot_count(o) - 1)];
}

static uint32_t chunk_begin(uint32_t seq)
{
    return seq & ~(uint32_t)(CHUNK_LEN - 1);
}

/* How much of [seq, seq + len) lies in the first of its chunks. */
static uint32_t piece(uint32_t seq, uint32_t len)
{
    const uint32_t rest = CHUNK_LEN - seq % CHUNK_LEN;
    return len < rest ? len : rest;
}

/* Gives back the chunks from that of from up to before that of to. */
static void drop(struct octets *o, uint32_t from, uint32_t to, struct octets_store *store)
{
    for (uint32_t seq = chunk_begin(from); seq != chunk_begin(to); seq += CHUNK_LEN) {
        uint8_t **slot = slot_of(o, seq);
        if (*slot)
            give(store, *slot);
        *slot = NULL;
    }
}

void octets_release(struct octets *o, struct octets_store *store)
{
    for (uint32_t i = 0; i < slot_count(o); i++)
        if (chunk_of(o, i * CHUNK_LEN))
            give(store, chunk_of(o, i * CHUNK_LEN));
    free(o->many);
    *o = (struct octets){0};
}

/* Slots for all chunks of [begin, end), which holds everything held. False: out of memory. */
static bool make_room(struct octets *o, uint32_t begin, uint32_t end)
{
    const uint32_t needed = (end - 1 - chunk_begin(begin)) / CHUNK_LEN + 1;
    uint32_t count = slot_count(o);
    if (needed <= count)
        return true;
    while (count < needed)
        count *= 2;
    uint8_t **slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t i = 0, seq = o->count ? o->ranges[0].left : begin; i < slot_count(o); i++, seq += CHUNK_LEN)
        slots[seq / CHUNK_LEN & (count - 1)] = chunk_of(o, seq);
    free(o->many);
    o->many = slots;
    o->many_count = count;
    return true;
}

/* False: out of memory or budget. */
static bool put(struct octets *o, uint32_t left, const uint8_t *data, uint32_t len, struct octets_store *store)
{
    for (uint32_t part; len > 0; left += part, data += part, len -= part) {
        uint8_t **slot = slot_of(o, left);
        part = piece(left, len);
        if (!*slot)
            *slot = take(store);
        if (!*slot)
            return false;
        memcpy(*slot + left % CHUNK_LEN, data, part);
    }
    return true;
}

/* ---- ranges --------------------------------------------------------------------------------------------------------- */

/* Further apart than anything held may be: their order means nothing. */
static bool is_far(uint32_t a, uint32_t b)
{
    return a - b + (UINT32_C(1) << 30) > UINT32_C(1) << 31;
}

void octets_forget(struct octets *o, uint32_t seq, struct octets_store *store)
{
    uint32_t gone = 0;
    if (o->count && is_far(seq, o->ranges[0].left))
        return;
    while (gone < o->count && seq_le(o->ranges[gone].right, seq))
        gone++;
    if (gone == o->count) {
        if (o->count)
            octets_release(o, store);
        return;
    }
    const uint32_t begin = o->ranges[0].left;
    if (gone) {
        o->count -= gone;
        memmove(o->ranges, o->ranges + gone, o->count * sizeof *o->ranges);
    }
    o->ranges[0].left = seq_max(o->ranges[0].left, seq);
    drop(o, begin, o->ranges[0].left, store);
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

void octets_hold(struct octets *o, uint32_t left, const uint8_t *data, uint32_t len, struct octets_store *store)
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
    octets_forget(o, oldest, store);
    uint32_t begin = o->count ? seq_min(o->ranges[0].left, left) : left;
    if (!make_room(o, begin, end) || !put(o, left, data, right - left, store)) {
        octets_release(o, store);
        return;
    }
    if (o->count && o->ranges[o->count - 1].right == left) /* the common case: it goes on */
        o->ranges[o->count - 1].right = right;
    else
        insert(o, left, right);
    drop(o, begin, o->ranges[0].left, store); /* of a range that was given up */
}

/* The first of len octets from seq on, all of them held, that differs from data, or seq + len. */
static uint32_t first_difference(const struct octets *o, uint32_t seq, const uint8_t *data, uint32_t len)
{
    for (uint32_t part; len > 0; seq += part, data += part, len -= part) {
        const uint8_t *held = chunk_of(o, seq) + seq % CHUNK_LEN;
        part = piece(seq, len);
        for (uint32_t i = 0; memcmp(held, data, part) != 0; i++)
            if (held[i] != data[i])
                return seq + i;
    }
    return seq;
}

bool octets_differ(const struct octets *o, uint32_t left, const uint8_t *data, uint32_t len, uint32_t *at)
{
    for (uint32_t i = 0; i < o->count; i++) {
        if (is_far(left, o->ranges[i].left))
            continue;
        uint32_t from = seq_max(left, o->ranges[i].left), to = seq_min(left + len, o->ranges[i].right);
        if (seq_ge(from, to))
            continue;
        *at = first_difference(o, from, data + (from - left), to - from);
        if (*at == to)
            continue;
        return true;
    }
    return false;
}

int octets_at(const struct octets *o, uint32_t seq)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (seq_in_window(seq, o->ranges[i].left, o->ranges[i].right - o->ranges[i].left))
            return chunk_of(o, seq)[seq % CHUNK_LEN];
    return -1;
}

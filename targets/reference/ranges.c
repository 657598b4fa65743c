/* Sets of sequence numbers as sorted half-open ranges. */
#include "targets/reference/ranges.h"

#include "engine/packet/seq.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Index of the first range that ends at or after seq: the first that [seq, ...) could touch. */
static uint16_t first_reaching(const struct ref_ranges *ranges, uint32_t seq)
{
    uint16_t i = 0;
    while (i < ranges->count && seq_lt(ranges->items[i].right, seq))
        i++;
    return i;
}

static bool make_room(struct ref_ranges *ranges)
{
    if (ranges->count < ranges->capacity)
        return true;
    if (ranges->count >= REF_RANGES_MAX)
        return false;
    uint16_t capacity = ranges->capacity ? (uint16_t)(ranges->capacity * 2) : 4;
    struct ref_range *items = realloc(ranges->items, capacity * sizeof *items);
    if (!items)
        return false;
    ranges->items = items;
    ranges->capacity = capacity;
    return true;
}

static void remove_items(struct ref_ranges *ranges, uint16_t at, uint16_t count)
{
    if (count == 0)
        return;
    memmove(ranges->items + at, ranges->items + at + count, (size_t)(ranges->count - at - count) * sizeof *ranges->items);
    ranges->count = (uint16_t)(ranges->count - count);
}

bool ref_ranges_add(struct ref_ranges *ranges, uint32_t left, uint32_t right, uint32_t *added)
{
    assert(seq_lt(left, right));
    uint32_t length = right - left, had = ref_ranges_octets(ranges, left, right);
    uint16_t first = first_reaching(ranges, left), last = first; /* [first, last): what the new range touches */
    while (last < ranges->count && seq_le(ranges->items[last].left, right))
        last++;
    if (first == last) {
        if (!make_room(ranges))
            return false;
        memmove(ranges->items + first + 1, ranges->items + first, (size_t)(ranges->count - first) * sizeof *ranges->items);
        ranges->items[first] = (struct ref_range){ left, right };
        ranges->count++;
    } else {
        struct ref_range *merged = &ranges->items[first];
        merged->left = seq_min(merged->left, left);
        merged->right = seq_max(ranges->items[last - 1].right, right);
        remove_items(ranges, (uint16_t)(first + 1), (uint16_t)(last - first - 1));
    }
    if (added)
        *added = length - had;
    return true;
}

void ref_ranges_drop_below(struct ref_ranges *ranges, uint32_t seq)
{
    uint16_t gone = 0;
    while (gone < ranges->count && seq_le(ranges->items[gone].right, seq))
        gone++;
    remove_items(ranges, 0, gone);
    if (ranges->count && seq_lt(ranges->items[0].left, seq))
        ranges->items[0].left = seq;
}

const struct ref_range *ref_ranges_find(const struct ref_ranges *ranges, uint32_t seq)
{
    for (uint16_t i = 0; i < ranges->count; i++) {
        if (seq_in_window(seq, ranges->items[i].left, ranges->items[i].right - ranges->items[i].left))
            return &ranges->items[i];
    }
    return NULL;
}

bool ref_ranges_first_overlap(const struct ref_ranges *ranges, uint32_t left, uint32_t right, struct ref_range *out)
{
    for (uint16_t i = 0; i < ranges->count; i++) {
        uint32_t from = seq_max(ranges->items[i].left, left), to = seq_min(ranges->items[i].right, right);
        if (seq_lt(from, to)) {
            *out = (struct ref_range){ from, to };
            return true;
        }
    }
    return false;
}

uint32_t ref_ranges_octets(const struct ref_ranges *ranges, uint32_t left, uint32_t right)
{
    uint32_t octets = 0;
    for (uint16_t i = 0; i < ranges->count; i++) {
        uint32_t from = seq_max(ranges->items[i].left, left), to = seq_min(ranges->items[i].right, right);
        if (seq_lt(from, to))
            octets += to - from;
    }
    return octets;
}

void ref_ranges_clear(struct ref_ranges *ranges)
{
    ranges->count = 0;
}

void ref_ranges_free(struct ref_ranges *ranges)
{
    free(ranges->items);
    *ranges = (struct ref_ranges){ 0 };
}

/* Sets of sequence numbers as half-open ranges: what arrived above a gap, and what the peer has SACKed. */
#ifndef TCPASSAY_TARGETS_REFERENCE_RANGES_H
#define TCPASSAY_TARGETS_REFERENCE_RANGES_H

#include <stdbool.h>
#include <stdint.h>

enum { REF_RANGES_MAX = 128 };

struct ref_range { uint32_t left, right; }; /* [left, right) */

/* Sorted, disjoint, never touching one another, never empty; all within 2^31 of each other. Zeroed: the empty set, no memory. */
struct ref_ranges {
    struct ref_range *items;
    uint16_t count, capacity;
};

/* Adds [left, right). False: it would need more than REF_RANGES_MAX ranges, or memory; nothing has changed.
 * *added, if not NULL: how many octets were new. */
bool ref_ranges_add(struct ref_ranges *ranges, uint32_t left, uint32_t right, uint32_t *added);
/* Removes everything below seq. */
void ref_ranges_drop_below(struct ref_ranges *ranges, uint32_t seq);
/* The range that holds seq, or NULL. */
const struct ref_range *ref_ranges_find(const struct ref_ranges *ranges, uint32_t seq);
/* The first part of [left, right) that is in the set; false when none is. */
bool ref_ranges_first_overlap(const struct ref_ranges *ranges, uint32_t left, uint32_t right, struct ref_range *out);
/* How many octets of [left, right) are in the set. */
uint32_t ref_ranges_octets(const struct ref_ranges *ranges, uint32_t left, uint32_t right);
void ref_ranges_clear(struct ref_ranges *ranges);
void ref_ranges_free(struct ref_ranges *ranges);

#endif

/* A bad link: packets lost, doubled, delayed past others, and damaged, at random but the same for the same seed. Sans-I/O. */
#ifndef TCPASSAY_TARGETS_REFERENCE_SERVE_IMPAIR_H
#define TCPASSAY_TARGETS_REFERENCE_SERVE_IMPAIR_H

#include "engine/packet/packet.h"

enum { IMPAIR_HELD_MAX = 512 };                  /* packets under way or delayed; beyond, they are not held up */
#define IMPAIR_DELAY_NS_MAX INT64_C(20000000)    /* a reordered packet is this late at the most */

struct impair_config { /* each packet's chance of it, 0 to 100 */
    double loss_percent, duplicate_percent, reorder_percent, corrupt_percent;
    uint64_t seed;
};

struct impair_counters { uint64_t passed, lost, duplicated, delayed, corrupted; };

struct impair;
struct impair *impair_new(const struct impair_config *config); /* NULL: out of memory */
void impair_free(struct impair *m);

/* Takes one packet of one direction. */
void impair_put(struct impair *m, const uint8_t *bytes, size_t len, int64_t now_ns);
/* The next one to come out by now: its length, or 0. What is longer than capacity is dropped. */
size_t impair_get(struct impair *m, uint8_t *out, size_t capacity, int64_t now_ns);
/* When the next one comes out; INT64_MAX for never. */
int64_t impair_deadline(const struct impair *m);

struct impair_counters impair_counters(const struct impair *m);

#endif

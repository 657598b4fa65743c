/* Two reference stacks and a link between them that loses, repeats, delays, reorders and spoils packets: for tests and benchmarks.
 * All of it is a function of a seed. */
#ifndef TCPASSAY_TARGETS_REFERENCE_TEST_WORLD_H
#define TCPASSAY_TARGETS_REFERENCE_TEST_WORLD_H

#include "targets/reference/reference.h"

struct faults { /* of one direction */
    unsigned loss_permille, duplicate_permille, corrupt_permille;
    int64_t delay_ns, jitter_ns;             /* jitter reorders */
    int64_t blackout_from_ns, blackout_to_ns; /* everything is lost in between */
    unsigned tamper_permille;                /* changes an octet of text and mends the checksum: for canaries */
};

struct flying { /* a packet on the link */
    int64_t at_ns;
    uint64_t order;
    int to;
    size_t len;
    uint8_t *bytes;
};

struct world {
    struct ref_stack *host[2];
    struct faults faults[2];   /* of what host i sends */
    int64_t now_ns;
    uint64_t random_state, order;
    struct flying *flying;     /* a heap */
    size_t flying_count, flying_capacity;
    uint64_t sent, lost, duplicated, corrupted;
    void (*watch)(void *context, int from, const uint8_t *bytes, size_t len); /* sees every packet sent, if not NULL */
    void *watch_context;
};

/* Takes over the hosts. */
void world_init(struct world *world, struct ref_stack *a, struct ref_stack *b, int64_t now_ns, uint64_t seed);
void world_free(struct world *world);

uint64_t world_random(struct world *world);
/* 0 to below - 1. */
uint64_t world_below(struct world *world, uint64_t below);
bool world_chance(struct world *world, unsigned permille);

/* Moves what the hosts have to say onto the link. */
void world_collect(struct world *world);
/* When something happens next: an arrival or a timer; INT64_MAX for never. */
int64_t world_next(const struct world *world);
/* Goes to that time and lets it happen. */
void world_step_to(struct world *world, int64_t now_ns);

#endif

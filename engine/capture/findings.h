/* Findings about a capture, held until its end: only then is it known whether the capture is good enough for them to hold. */
#ifndef TCPASSAY_CAPTURE_FINDINGS_H
#define TCPASSAY_CAPTURE_FINDINGS_H

#include "engine/model/judge.h"

enum standing { /* what the end has decided */
    FINDING_STANDS,
    FINDING_CAPTURE_MISSES, /* withheld: the capture misses packets */
    FINDING_CAPTURE_REORDERS, /* withheld: packets overtook others, or copies cannot be told from packets */
    FINDING_SUMS_UNKNOWN,   /* withheld: checksums were computed only after the capture, so nobody knows what arrived */
    FINDING_STANDINGS
};

struct held_finding { /* texts are its own */
    enum rule_id rule;
    enum requirement_level level;
    enum standing standing;
    unsigned side;              /* which of the pair's ends broke it */
    unsigned needs;             /* enum judge_need */
    uint32_t connection, segment;
    int64_t at_ns;
    const char *requirement, *message, *permitted, *observed;
    uint32_t next;              /* the next of the same pair; 0: none */
};

struct findings {
    struct held_finding *held;  /* 1 … count */
    uint32_t count, capacity, count_max;
    bool out_of_memory;
    /* Beyond count_max findings are only counted: certain ones, and ones that would have had to wait for the end. */
    uint64_t beyond_certain[LEVEL_COUNT], beyond_waiting;
};

/* Is a violation of this level a failure? A SHOULD's is a deviation. */
bool finding_is_failure(enum requirement_level level);

void findings_release(struct findings *findings);
/* Copies one; *first is the pair's list. */
void findings_hold(struct findings *findings, const struct judge_finding *finding, uint32_t connection, unsigned side,
                   uint32_t *first);
/* A pair is finished: which of its findings do not hold for what is known about it alone. */
void findings_settle_pair(struct findings *findings, uint32_t first, unsigned contradicted, bool sums_unknown);
/* The capture is finished: the same for what is known of all of it. */
void findings_settle_all(struct findings *findings, unsigned contradicted);

#endif

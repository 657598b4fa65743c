/* The next input of a campaign: bred from its corpus, or fresh. */
#ifndef TCPASSAY_FUZZ_BREED_H
#define TCPASSAY_FUZZ_BREED_H

#include "engine/fuzz/corpus.h"
#include "engine/fuzz/shrink.h"

/* A number, and the generator's next state (splitmix64). */
uint64_t breed_random(uint64_t *state);

/* One input of the corpus changed, two crossed and changed, or, now and then and while the corpus is empty, a fresh one. New steps
 * are added up to steps_max of them. Deterministic in the corpus and *random. */
void breed_next(struct corpus *corpus, unsigned steps_max, uint64_t *random, struct shrink_input *out);

/* For a real clock: shortens waits, and delays of the link, so that all of them together take no longer. */
void breed_hurry(struct shrink_input *input, int64_t patience_ns);
/* Connects, closes nothing: what a living IUT answers. */
void breed_greeting(struct shrink_input *out);

#endif

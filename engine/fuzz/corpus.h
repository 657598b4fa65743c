/* The corpus of a campaign: inputs that each showed something new, in memory and as files, and which of them is worth mutating
 * next.
 *
 * An input is octets of a scenario (engine/scenario/bytes/bytes.h). What a play of it showed is a set of *features*: numbers below
 * a bound that mean something to the caller only (a tuple of the model, a rule put to the test, an edge of a plugin's code). An
 * input is kept when it has a feature that none had before, or shows one for half of what it cost so far.
 *
 * Choosing. Rare features first: of some features drawn at random the one that the fewest plays had, and of the inputs that have it
 * the cheapest (short, few segments, fast); one time in four any input. The choice depends on nothing but what was offered and
 * drawn.
 *
 * Files. One an input, named by the hash of its octets (16 hexadecimal digits). A file of such a name that holds something else is
 * damaged; any other file is welcome when it begins with the magic of octets. What is neither is told and left alone: this module
 * deletes nothing.
 */
#ifndef TCPASSAY_FUZZ_CORPUS_H
#define TCPASSAY_FUZZ_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/scenario/bytes/bytes.h"

enum { CORPUS_INPUTS_MAX = 1 << 18, CORPUS_BYTES_MAX = 256 << 20 }; /* of memory; an input beyond either is not kept */

struct corpus_input {
    uint8_t *octets;
    size_t len;
    uint64_t hash;
    uint64_t cost;       /* in whatever the caller counts; at least 1 */
    uint32_t chosen;     /* how often corpus_choose() gave it */
};

struct corpus;
/* Features are below feature_count. folder: where inputs are kept, made when it is missing; NULL: only in memory. NULL with the
 * reason in error. */
struct corpus *corpus_new(const char *folder, uint32_t feature_count, char *error, size_t error_size);
void corpus_free(struct corpus *corpus);

/* The inputs of the folder, each given to the caller, who plays and offers it; in the order of their names, so that a corpus is
 * read in the same way again. skipped is told of each file that is no input, and why. Both return false to stop. -1 when the folder
 * cannot be read. */
typedef bool corpus_take(void *context, const uint8_t *octets, size_t len);
typedef void corpus_skipped(void *context, const char *path, const char *why);
int corpus_load(const struct corpus *corpus, corpus_take *take, corpus_skipped *skipped, void *context, char *error,
                size_t error_size);

/* For comparison: from now on as many inputs are kept as deserve it, but which ones is drawn, and all are chosen alike. */
void corpus_be_blind(struct corpus *corpus, uint64_t seed);

/* A play of these octets had these features (each once). True when it was kept. A file that cannot be written is told by
 * corpus_failure(); the input is kept in memory then. */
bool corpus_offer(struct corpus *corpus, const uint8_t *octets, size_t len, const uint32_t *features, size_t feature_count,
                  uint64_t cost);
/* Why a file could not be written, NULL: all could be. */
const char *corpus_failure(const struct corpus *corpus);

/* The next input to mutate; NULL when there is none. random: any number, drawn anew for each call. */
const struct corpus_input *corpus_choose(struct corpus *corpus, uint64_t random);
/* Any of them, for a second parent. NULL when there is none. */
const struct corpus_input *corpus_any(const struct corpus *corpus, uint64_t random);

size_t corpus_count(const struct corpus *corpus);
const struct corpus_input *corpus_at(const struct corpus *corpus, size_t index);
/* How many features have been seen; of those below the bound only, as the caller may have several kinds. */
uint32_t corpus_features(const struct corpus *corpus, uint32_t below);
/* How many plays had this feature. */
uint64_t corpus_hits(const struct corpus *corpus, uint32_t feature);

uint64_t corpus_hash(const uint8_t *octets, size_t len);

#endif

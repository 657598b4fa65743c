/* What the fast play takes for findings, until it is known what they are.
 *
 * The first input of each key (finding.h) is tried by the player. When that shows the same rule broken, the input is shrunk, and
 * stored as a finding; when not, another input of the key gets a chance, a few times, and then the key counts as doubted. Whatever
 * else has a key that was settled is only counted.
 */
#ifndef TCPASSAY_FUZZ_SUSPECTS_H
#define TCPASSAY_FUZZ_SUSPECTS_H

#include "engine/fuzz/finding.h"

enum { SUSPECTS_KEYS_MAX = 4096, SUSPECTS_PENDING_MAX = 64, SUSPECTS_ATTEMPTS_MAX = 3 };

struct suspects_config {
    struct trial trial;
    struct finding_store store;
    /* Plays these inputs fast, and finds the first in which the finding's rule and requirement were broken: *where gets its key, state and
     * event. Returns its index; count when there is none. */
    size_t (*locate)(void *context, const struct shrink_input *inputs, size_t count, const struct finding *finding, struct finding *where);
    void (*found)(void *context, const struct finding *finding);         /* one more is stored */
    void (*unsaved)(void *context, const struct finding *finding, const char *text, const char *why); /* or could not be */
    void *context;
};

struct suspects;
struct suspects *suspects_new(const struct suspects_config *config); /* NULL: out of memory */
void suspects_free(struct suspects *suspects);

/* The fast play has met this. */
void suspects_note(struct suspects *suspects, const struct fuzz_finding *found, const struct shrink_input *input);
/* How many wait to be settled. */
size_t suspects_pending(const struct suspects *suspects);
/* Settles those that wait, so many of them at most, the oldest first; interrupted: without shrinking. False when the target could
 * not work or a file could not be written: why in error. */
bool suspects_settle(struct suspects *suspects, size_t most, char *error, size_t error_size);

/* Stored findings, in the order in which they were. */
size_t suspects_findings(const struct suspects *suspects);
const struct finding *suspects_finding(const struct suspects *suspects, size_t index);
struct suspects_count { size_t fresh, known /* to the ledger */, doubted /* keys that no play of the player confirmed */; };
struct suspects_count suspects_count(const struct suspects *suspects);
/* A rule that was seen broken, and that nothing confirmed; NULL: no such i-th one. */
const struct finding *suspects_doubted(const struct suspects *suspects, size_t index);

#endif

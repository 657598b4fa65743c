/* Inputs played by the real player, the judge of what the fast play finds: its findings count, and what a trial does not show is
 * not told to anybody.
 *
 * All inputs of a trial are played under one id, TRIAL_ID, so that an input gets the same initial sequence numbers whether it is
 * searched, shrunk or replayed. On a real target all of them play at once.
 */
#ifndef TCPASSAY_FUZZ_TRIAL_H
#define TCPASSAY_FUZZ_TRIAL_H

#include "engine/fuzz/shrink.h"
#include "engine/runner/schedule.h"

#define TRIAL_ID "fuzz"

struct trial { /* how to play; all of it the caller's */
    const struct target_driver *driver;
    const char *argument;
    uint64_t seed;
    bool strict;
    const volatile sig_atomic_t *interrupted;
};

enum trial_end { TRIAL_DONE, TRIAL_STOPPED /* by seen(), or interrupted */, TRIAL_UNABLE /* the target could not work: error says why */ };

/* Told of each play, in the order of the inputs on virtual targets and in any on real ones; result and player live during the call.
 * False stops the trial. */
typedef bool trial_seen(void *context, size_t index, struct result_test *result, const struct player *player);
enum trial_end trial_play(const struct trial *trial, const struct shrink_input *inputs, size_t count, trial_seen *seen,
                          void *context, struct target_error *error);
/* The same for a scenario, so many times. It is not taken over. */
enum trial_end trial_repeat(const struct trial *trial, const struct scenario *scenario, size_t times, trial_seen *seen,
                            void *context, struct target_error *error);

/* Does this finding make a test fail? */
bool trial_fails(const struct result_finding *finding, bool strict);
/* The finding of this rule that makes the test fail; NULL: there is none. */
const struct result_finding *trial_find(const struct result_test *result, const char *rule, bool strict);

#endif

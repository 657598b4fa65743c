/* Fuzzes the reference stack with the model for a judge: scenarios as octets (docs/fuzz-bytes.md) are played as fast as can be; a
 * finding of the model, a broken invariant of the stack, and whatever a sanitizer sees, is a crash. The input is then a scenario:
 * `tcpassay replay
 * --bytes FILE` shows it step by step.
 *
 * What the model saw (engine/fuzz/signals.h) are extra counters for libFuzzer. Environment variables, for experiments and
 * benchmarks: TCPASSAY_SIGNALS=off leaves these counters out; TCPASSAY_FINDINGS=ignore goes on after a finding, and says nothing of
 * it; TCPASSAY_INVARIANTS=off does not look inside the stack, so that a finding is what `replay` can show, too. */
#include "engine/fuzz/play.h"
#include "engine/fuzz/trial.h"
#include "targets/reference/target_reference.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
const char *__asan_default_options(void);

enum { SEED = 1 }; /* of the instance, as replay's and `fuzz --shrink`'s when they are not told another */

static struct signals counters SIGNALS_SECTION;
static struct fuzz_virtual *player;
static bool findings_ignored, invariants_ignored;

/* What was freed need not be kept from use for long: a play is short, and memory that is never used again is slow. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4:thread_local_quarantine_size_kb=256:malloc_context_size=8";
}

static bool asked(const char *variable, const char *value)
{
    const char *text = getenv(variable);
    return text && !strcmp(text, value);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const bool without_signals = asked("TCPASSAY_SIGNALS", "off");
    const struct fuzz_virtual_config config = {.driver = &reference_driver, .play = {.judged = true, .signals = without_signals ? NULL : &counters}};
    struct target_error error;
    (void)argc;
    (void)argv;
    findings_ignored = asked("TCPASSAY_FINDINGS", "ignore");
    invariants_ignored = asked("TCPASSAY_INVARIANTS", "off");
    player = fuzz_virtual_new(&config, &error);
    if (!player) {
        fprintf(stderr, "sequences: %s\n", error.text);
        exit(3);
    }
    return 0;
}

/* One line that tells findings apart, then what is to be known. */
static void report(const struct fuzz_finding *finding)
{
    char event[REACTION_EVENT_TEXT_MAX];
    fprintf(stderr, "FINDING %s (%s) in %s after %s: %s\n", finding->rule, finding->requirement,
            reaction_state_name(finding->state),
            finding->event < REACTION_EVENTS ? reaction_event_name(finding->event, event) : "?", finding->message);
    fprintf(stderr, "  step %u, segment %" PRIu32 ", %" PRId64 " ns\n  permitted: %s\n  observed: %s\n", finding->step,
            finding->segment, finding->at_ns, finding->permitted, finding->observed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!player) /* a main that does not initialize */
        LLVMFuzzerInitialize(NULL, NULL);
    const struct fuzz_outcome *outcome = fuzz_virtual_play(player, data, size, fuzz_seed(SEED, TRIAL_ID));
    if (!outcome) {
        fprintf(stderr, "sequences: %s\n", fuzz_virtual_error(player)->text);
        abort();
    }
    if (findings_ignored)
        return 0;
    bool found = false;
    for (unsigned i = 0; i < outcome->finding_count; i++) {
        if (!fuzz_finding_fails(&outcome->findings[i], false))
            continue;
        report(&outcome->findings[i]);
        found = true;
    }
    const char *broken = invariants_ignored ? NULL : ref_check_invariants(reference_target_stack(fuzz_virtual_target(player)));
    if (broken)
        fprintf(stderr, "FINDING invariant of the reference stack: %s\n", broken);
    if (found || broken)
        abort();
    return 0;
}

/* Fuzzes the reference stack with the model for a judge: scenarios as octets (docs/fuzz-bytes.md) are played as fast as can be; a finding
 * of the model, a broken invariant of the stack, and whatever a sanitizer sees, is a crash. The input is then a scenario: `tcpassay replay
 * --bytes FILE` shows it step by step.
 *
 * What the model saw (engine/fuzz/signals.h) are extra counters for libFuzzer. The environment variable TCPASSAY_SIGNALS=off leaves them
 * out, for comparison. */
#include "engine/fuzz/play.h"
#include "targets/reference/target_reference.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { SEED = 1 };

static struct signals counters SIGNALS_SECTION;
static struct fuzz_virtual *player;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *wanted = getenv("TCPASSAY_SIGNALS");
    const struct fuzz_virtual_config config = {
        .driver = &reference_driver, .play = {.judged = true, .signals = wanted && !strcmp(wanted, "off") ? NULL : &counters}};
    struct target_error error;
    (void)argc;
    (void)argv;
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
    fprintf(stderr, "FINDING %s (%s) in %s after %s: %s\n", finding->rule, finding->requirement, reaction_state_name(finding->state),
            finding->event < REACTION_EVENTS ? reaction_event_name(finding->event, event) : "?", finding->message);
    fprintf(stderr, "  step %u, segment %" PRIu32 ", %" PRId64 " ns\n  permitted: %s\n  observed: %s\n", finding->step, finding->segment, finding->at_ns,
            finding->permitted, finding->observed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!player) /* a main that does not initialize */
        LLVMFuzzerInitialize(NULL, NULL);
    const struct fuzz_outcome *outcome = fuzz_virtual_play(player, data, size, SEED);
    if (!outcome) {
        fprintf(stderr, "sequences: %s\n", fuzz_virtual_error(player)->text);
        abort();
    }
    for (unsigned i = 0; i < outcome->finding_count; i++)
        report(&outcome->findings[i]);
    const char *broken = ref_check_invariants(reference_target_stack(fuzz_virtual_target(player)));
    if (broken)
        fprintf(stderr, "FINDING invariant of the reference stack: %s\n", broken);
    for (unsigned i = 0; i < outcome->finding_count; i++)
        if (fuzz_finding_fails(&outcome->findings[i], false))
            abort();
    if (broken)
        abort();
    return 0;
}

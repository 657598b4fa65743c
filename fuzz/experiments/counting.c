/* Counts what a fuzzer finds on the reference stack, instead of stopping at it: the harness of experiments that compare ways to
 * fuzz at the same number of executions. At its end it says in one line how many tuples of the model were seen, rules put to the
 * test, and findings that differ in rule, state or event; edges of code are libFuzzer's to count.
 */
#include "engine/fuzz/play.h"
#include "targets/reference/target_reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { SEED = 1, KINDS_MAX = 512 };

static struct signals counters SIGNALS_SECTION;
static struct count {
    struct fuzz_virtual *player;
    struct signals_seen seen;
    uint32_t kinds[KINDS_MAX];
    unsigned kind_count, plays;
} all;

static void say(void)
{
    const struct signals_total total = signals_total(&all.seen);
    printf("plays %u tuples %zu rules %zu findings %u\n", all.plays, total.tuples, total.rules_tested, all.kind_count);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const struct fuzz_virtual_config config = {.driver = &reference_driver, .play = {.judged = true, .signals = &counters}};
    struct target_error error;
    (void)argc;
    (void)argv;
    all.player = fuzz_virtual_new(&config, &error);
    if (!all.player || atexit(say) != 0) {
        fprintf(stderr, "counting: %s\n", all.player ? "no room" : error.text);
        exit(3);
    }
    return 0;
}

static void count(const struct fuzz_finding *finding)
{
    unsigned i = 0;
    while (i < all.kind_count && all.kinds[i] != finding->key)
        i++;
    if (i == KINDS_MAX)
        return;
    all.kinds[i] = finding->key;
    all.kind_count += i == all.kind_count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!all.player)
        LLVMFuzzerInitialize(NULL, NULL);
    const struct fuzz_outcome *outcome = fuzz_virtual_play(all.player, data, size, SEED);
    for (unsigned i = 0; outcome && i < outcome->finding_count; i++)
        count(&outcome->findings[i]);
    all.plays++;
    signals_merge(&all.seen, &counters);
    return 0;
}

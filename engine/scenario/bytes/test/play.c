/* Decoded octets played on the reference stack, with the model for a judge: nothing stops a play, and nothing is found. */
#include "engine/scenario/bytes/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/runner/schedule.h"
#include "engine/scenario/test/support.h"
#include "targets/reference/target_reference.h"

enum { INPUTS = 1500, STEPS = 20 };

struct seen { unsigned played, stopped; };

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int on_finished(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct seen *seen = context;
    (void)player;
    seen->played++;
    seen->stopped +=
        result->verdict == VERDICT_ERROR || result->verdict == VERDICT_NOT_APPLICABLE || result->verdict == VERDICT_INCONCLUSIVE;
    if (result->verdict != VERDICT_FAIL && result->finding_count == 0)
        return 0;
    char *text = scn_print(test->file->scenario);
    print_message("%s: %s\n%s", test->id, result->finding_count ? result->findings[0].message : result->reason, text);
    free(text);
    fail_msg("a finding on the reference stack");
    return 0;
}

static void play(struct scenario *scenario, const char *id, struct seen *seen)
{
    static const volatile sig_atomic_t never = 0;
    char error[256];
    struct suite suite = {0};
    struct target_error target_error = {0};
    assert_int_equal(suite_add(&suite, id, scenario, error, sizeof error), 0);
    assert_int_equal(suite_expand(&suite, error, sizeof error), 0);
    const struct suite_test *const tests[] = {&suite.tests[0]};
    const struct schedule schedule = {.driver = &reference_driver, .argument = "", .tests = tests, .test_count = 1, .seed = 1, .judged = true,
                                      .interrupted = &never, .finished = on_finished, .context = seen};
    assert_int_equal(schedule_run(&schedule, &target_error), SCHEDULE_DONE);
    suite_release(&suite);
}

static void random_octets_play_on_the_reference_to_their_end(void **unused)
{
    (void)unused;
    uint8_t input[SCN_BYTES_HEADER_LEN + STEPS * SCN_BYTES_RECORD_LEN];
    struct seen seen = {0};
    uint64_t state = 7;
    for (unsigned i = 0; i < INPUTS; i++) {
        char id[32];
        snprintf(id, sizeof id, "input-%u", i);
        const unsigned sparse = i % 3; /* two of three have mostly zeros, which are the usual */
        for (size_t k = 0; k < sizeof input; k++)
            input[k] = sparse && next_random(&state) % 4 ? 0 : (uint8_t)next_random(&state);
        for (unsigned k = 0; k < STEPS; k++)
            input[SCN_BYTES_HEADER_LEN + k * SCN_BYTES_RECORD_LEN] = (uint8_t)next_random(&state);
        play(scn_bytes_decode(input, sizeof input), id, &seen);
    }
    print_message("%u played, %u of them stopped early\n", seen.played, seen.stopped);
    assert_int_equal(seen.played, INPUTS);
    assert_true(seen.stopped < INPUTS / 20 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_octets_play_on_the_reference_to_their_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

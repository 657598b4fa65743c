/* Octets played by the fast machine and, decoded, by the player: packet by packet and finding by finding the same. */
#include "engine/fuzz/play.h"

#include <glob.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/fuzz/mutate.h"
#include "engine/runner/play.h"
#include "engine/runner/schedule.h"
#include "engine/scenario/bytes/bytes.h"
#include "engine/scenario/parse.h"
#include "targets/reference/target_reference.h"

enum { INPUTS = 2500, LIKELY_INPUTS = 2000, VARIANTS = 3, STEPS = 20, RECORDED_MAX = 20000, RECORDED_BYTES_MAX = 8 << 20, REPEATS = 300 };

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* ---- what the fast machine did --------------------------------------------------------------------------------------- */

struct recorded { /* packets, in order */
    struct { int64_t at_ns; size_t offset, len; } of[RECORDED_MAX];
    size_t count, bytes_len;
    uint8_t bytes[RECORDED_BYTES_MAX];
};

static void record(void *context, int64_t at_ns, const uint8_t *bytes, size_t len)
{
    struct recorded *r = context;
    if (r->count == RECORDED_MAX || r->bytes_len + len > RECORDED_BYTES_MAX)
        return;
    r->of[r->count].at_ns = at_ns;
    r->of[r->count].offset = r->bytes_len;
    r->of[r->count++].len = len;
    memcpy(r->bytes + r->bytes_len, bytes, len);
    r->bytes_len += len;
}

/* ---- beside what the player does -------------------------------------------------------------------------------------- */

struct comparison {
    struct fuzz_virtual *fast;
    struct recorded *recorded;
    const struct fuzz_outcome *outcome;
    const struct scenario *scenario;
    unsigned compared, with_findings, stopped, cut_short;
    uint64_t packets;
};

static void fail_with(const struct comparison *c, const char *id, const char *what)
{
    char *text = scn_print(c->scenario);
    print_message("%s: %s\n%s", id, what, text);
    free(text);
    fail_msg("the fast play differs from the player's");
}

static void compare_packets(const struct comparison *c, const char *id, const struct trace *trace)
{
    char what[160];
    for (size_t i = 0; i < trace->packet_count && i < c->recorded->count; i++) {
        const size_t len = trace->packets[i].len;
        const bool same = trace->packets[i].at_ns == c->recorded->of[i].at_ns && len == c->recorded->of[i].len &&
                          !memcmp(trace->bytes + trace->packets[i].offset, c->recorded->bytes + c->recorded->of[i].offset, len);
        if (!same) {
            snprintf(what, sizeof what, "packet %zu differs: %zu octets at %" PRId64 " ns, the fast one's %zu at %" PRId64, i + 1,
                     len, trace->packets[i].at_ns, c->recorded->of[i].len, c->recorded->of[i].at_ns);
            fail_with(c, id, what);
        }
    }
    if (trace->packet_count != c->recorded->count) {
        snprintf(what, sizeof what, "%zu packets, the fast one has %zu", trace->packet_count, c->recorded->count);
        fail_with(c, id, what);
    }
}

/* The model's findings stand behind the player's own in the one list, and before them in the other where the verdict rests on them.
 */
static bool has_finding(const struct result_test *result, const struct fuzz_finding *wanted)
{
    for (size_t i = 0; i < result->finding_count; i++) {
        const struct result_finding *found = &result->findings[i];
        if (!strcmp(found->rule, wanted->rule) && !strcmp(found->requirement, wanted->requirement) && found->level == wanted->level &&
            found->at_ns == wanted->at_ns && found->segment == wanted->segment && !strcmp(found->message, wanted->message) &&
            !strcmp(found->expected, wanted->permitted) && !strcmp(found->observed, wanted->observed))
            return true;
    }
    return false;
}

static bool same_end(enum verdict verdict, const struct fuzz_outcome *outcome)
{
    bool fails = false;
    for (unsigned i = 0; i < outcome->finding_count; i++)
        fails |= fuzz_finding_fails(&outcome->findings[i], false);
    switch (outcome->end) {
    case FUZZ_PLAYED: return verdict == (fails ? VERDICT_FAIL : VERDICT_PASS);
    case FUZZ_INCONCLUSIVE: return verdict == (fails ? VERDICT_FAIL : VERDICT_INCONCLUSIVE);
    case FUZZ_STOPPED: return verdict == VERDICT_ERROR || verdict == VERDICT_NOT_APPLICABLE;
    case FUZZ_CUT_SHORT: case FUZZ_DIED: break;
    }
    return false;
}

static int on_finished(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct comparison *c = context;
    compare_packets(c, test->id, &player->trace);
    if (result->finding_count != c->outcome->finding_count)
        fail_with(c, test->id, "another number of findings");
    for (unsigned i = 0; i < c->outcome->finding_count; i++)
        if (!has_finding(result, &c->outcome->findings[i]))
            fail_with(c, test->id, c->outcome->findings[i].message);
    if (!same_end(result->verdict, c->outcome))
        fail_with(c, test->id, result->reason);
    if (result->duration_ns != c->outcome->duration_ns)
        fail_with(c, test->id, "another duration");
    c->compared++;
    c->packets += c->recorded->count;
    c->with_findings += c->outcome->finding_count > 0;
    c->stopped += c->outcome->end == FUZZ_STOPPED;
    return 0;
}

static void play_slowly(struct comparison *c, struct scenario *scenario, const char *id)
{
    static const volatile sig_atomic_t never = 0;
    char error[256];
    struct suite suite = {0};
    struct target_error target_error = {0};
    assert_int_equal(suite_add(&suite, id, scenario, error, sizeof error), 0);
    assert_int_equal(suite_expand(&suite, error, sizeof error), 0);
    const struct suite_test *const tests[] = {&suite.tests[0]};
    const struct schedule schedule = {.driver = &reference_driver, .argument = "", .tests = tests, .test_count = 1, .seed = 1, .judged = true,
                                      .interrupted = &never, .finished = on_finished, .context = c};
    assert_int_equal(schedule_run(&schedule, &target_error), SCHEDULE_DONE);
    suite_release(&suite);
}

static void compare(struct comparison *c, const uint8_t *octets, size_t len, const char *id)
{
    struct scenario *scenario = scn_bytes_decode(octets, len);
    assert_non_null(scenario);
    c->scenario = scenario;
    c->recorded->count = c->recorded->bytes_len = 0;
    c->outcome = fuzz_virtual_play(c->fast, octets, len, fuzz_seed(1, id));
    assert_non_null(c->outcome);
    if (c->outcome->end == FUZZ_CUT_SHORT || c->recorded->count >= RECORDED_MAX) { /* a bound that the player does not have */
        c->cut_short++;
        scn_free(scenario);
        return;
    }
    play_slowly(c, scenario, id);
}

/* ---- inputs ---------------------------------------------------------------------------------------------------------- */

static struct comparison *begin(void)
{
    struct comparison *c = calloc(1, sizeof *c);
    struct target_error error;
    c->recorded = malloc(sizeof *c->recorded);
    const struct fuzz_virtual_config config = {.driver = &reference_driver, .argument = "",
                                               .play = {.judged = true, .packet = record, .context = c->recorded}};
    c->fast = fuzz_virtual_new(&config, &error);
    assert_non_null(c->fast);
    return c;
}

static void end(struct comparison *c, const char *what)
{
    print_message("%s: %u compared, %" PRIu64 " packets, %u with findings, %u stopped, %u beyond the bound\n", what, c->compared,
                  c->packets, c->with_findings, c->stopped, c->cut_short);
    assert_true(c->compared > 0 && c->cut_short * 50 < c->compared);
    fuzz_virtual_free(c->fast);
    free(c->recorded);
    free(c);
}

static void random_octets_are_played_as_the_player_plays_them(void **unused)
{
    (void)unused;
    uint8_t input[SCN_BYTES_HEADER_LEN + STEPS * SCN_BYTES_RECORD_LEN];
    struct comparison *c = begin();
    uint64_t state = 11;
    for (unsigned i = 0; i < INPUTS; i++) {
        char id[32];
        snprintf(id, sizeof id, "random-%u", i);
        const unsigned sparse = i % 3; /* two of three have mostly zeros, which are the usual */
        const size_t len = i % 5 ? sizeof input : next_random(&state) % sizeof input;
        for (size_t k = 0; k < sizeof input; k++)
            input[k] = sparse && next_random(&state) % 4 ? 0 : (uint8_t)next_random(&state);
        for (unsigned k = 0; k < STEPS; k++)
            input[SCN_BYTES_HEADER_LEN + k * SCN_BYTES_RECORD_LEN] = (uint8_t)next_random(&state);
        compare(c, input, len, id);
    }
    end(c, "random octets");
}

static void likely_sequences_and_their_mutants_are_played_the_same(void **unused)
{
    (void)unused;
    uint8_t input[SCN_BYTES_MAX];
    struct comparison *c = begin();
    size_t len = 0;
    for (unsigned i = 0; i < LIKELY_INPUTS; i++) {
        char id[32];
        snprintf(id, sizeof id, "likely-%u", i);
        if (i % 4 == 0)
            len = fuzz_generate(input, sizeof input, STEPS, i);
        else
            len = fuzz_mutate(input, len, sizeof input, i);
        compare(c, input, len, id);
    }
    end(c, "likely sequences");
}

/* The octets of every scenario of one folder of the suite, and of its sub-tests. */
static void what_the_suite_does_is_played_the_same(void **unused)
{
    (void)unused;
    uint8_t octets[SCN_BYTES_MAX];
    struct comparison *c = begin();
    glob_t files;
    assert_int_equal(glob("tests-suite/rfc9293/3.10*/*.pkt", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct scn_diagnostics diagnostics;
        struct scenario *scenario = scn_parse_file(files.gl_pathv[i], &diagnostics);
        assert_non_null(scenario);
        for (unsigned variant = 0; variant < scn_variant_count(scenario) && variant < VARIANTS; variant++) {
            char id[64];
            snprintf(id, sizeof id, "suite-%zu-%u", i, variant);
            compare(c, octets, scn_bytes_encode(scenario, variant, octets, NULL), id);
        }
        scn_free(scenario);
    }
    globfree(&files);
    end(c, "the suite");
}

/* Whatever was played before. */
static void the_same_octets_and_seed_give_the_same_play(void **unused)
{
    (void)unused;
    uint8_t input[SCN_BYTES_MAX], other[SCN_BYTES_MAX];
    struct comparison *c = begin();
    struct recorded *first = malloc(sizeof *first);
    for (unsigned i = 0; i < REPEATS; i++) {
        const size_t len = fuzz_generate(input, sizeof input, STEPS, i),
                     other_len = fuzz_generate(other, sizeof other, STEPS, i + REPEATS);
        c->recorded->count = c->recorded->bytes_len = 0;
        fuzz_virtual_play(c->fast, input, len, i);
        memcpy(first, c->recorded, sizeof *first);
        fuzz_virtual_play(c->fast, other, other_len, i + 1);
        c->recorded->count = c->recorded->bytes_len = 0;
        fuzz_virtual_play(c->fast, input, len, i);
        assert_int_equal(c->recorded->count, first->count);
        assert_memory_equal(c->recorded->of, first->of, first->count * sizeof *first->of);
        assert_memory_equal(c->recorded->bytes, first->bytes, first->bytes_len);
    }
    free(first);
    c->compared = 1;
    end(c, "repeated");
}

static void signals_count_what_was_seen_and_merge(void **unused)
{
    (void)unused;
    static const uint8_t passive[SCN_BYTES_HEADER_LEN];
    static struct signals signals;
    static struct signals_seen seen;
    struct target_error error;
    char text[SIGNALS_TEXT_MAX];
    const struct fuzz_virtual_config config = {.driver = &reference_driver, .play = {.judged = true, .signals = &signals}};
    struct fuzz_virtual *v = fuzz_virtual_new(&config, &error);
    assert_non_null(v);
    assert_int_equal(fuzz_virtual_play(v, passive, sizeof passive, 1)->end, FUZZ_PLAYED);
    const size_t handshake =
        ((size_t)TCP_STATE_LISTEN * REACTION_EVENTS + REACTION_SYN * REACTION_PLACES + REACTION_NEXT) * REACTIONS +
        REACTION_IS_SYN_ACK;
    assert_int_equal(((const uint8_t *)&signals)[handshake], 1);
    assert_string_equal(signals_text(handshake, text), "LISTEN: SYN -> SYN,ACK");
    assert_true(signals_merge(&seen, &signals) > 1);
    assert_int_equal(signals_merge(&seen, &signals), 0); /* nothing new */
    assert_true(signals_total(&seen).tuples > 1 && signals_total(&seen).rules_tested > 10 &&
                signals_total(&seen).rules_violated == 0);
    fuzz_virtual_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_octets_are_played_as_the_player_plays_them), cmocka_unit_test(likely_sequences_and_their_mutants_are_played_the_same),
        cmocka_unit_test(what_the_suite_does_is_played_the_same),            cmocka_unit_test(the_same_octets_and_seed_give_the_same_play),
        cmocka_unit_test(signals_count_what_was_seen_and_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

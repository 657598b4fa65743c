/* The bad link: nothing happens at 0 %, everything at 100 %, the shares are right, and a seed repeats itself. */
#include "targets/reference/serve/impair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PACKETS = 20000 };

/* Puts PACKETS numbered packets in, a millisecond apart, and counts what comes out. */
struct tally { unsigned out, in_order, damaged; };

static struct tally run(const struct impair_config *config)
{
    struct tally tally = { 0 };
    struct impair *m = impair_new(config);
    assert_non_null(m);
    uint32_t last = 0;
    for (uint32_t i = 0; i < PACKETS; i++) {
        const uint32_t packet[2] = { i, ~i };
        uint32_t seen[2];
        int64_t now_ns = i * INT64_C(1000000);
        impair_put(m, (const uint8_t *)packet, sizeof packet, now_ns);
        while (impair_get(m, (uint8_t *)seen, sizeof seen, now_ns) > 0) {
            bool damaged = seen[0] != ~seen[1];
            tally.out++;
            tally.damaged += damaged;
            tally.in_order += !damaged && seen[0] >= last;
            last = damaged ? last : seen[0];
        }
        assert_true(impair_deadline(m) > now_ns);
        assert_true(impair_deadline(m) == INT64_MAX || impair_deadline(m) <= now_ns + IMPAIR_DELAY_NS_MAX);
    }
    impair_free(m);
    return tally;
}

static void a_good_link_changes_nothing(void **state)
{
    (void)state;
    const struct impair_config config = { .seed = 1 };
    const struct tally tally = run(&config);
    assert_int_equal(tally.out, PACKETS);
    assert_int_equal(tally.in_order, PACKETS);
}

static void at_100_percent_it_happens_to_each(void **state)
{
    (void)state;
    struct impair_config config = { .loss_percent = 100 };
    assert_int_equal(run(&config).out, 0);
    config = (struct impair_config){ .duplicate_percent = 100 };
    assert_int_equal(run(&config).out, 2 * PACKETS);
    config = (struct impair_config){ .corrupt_percent = 100 };
    assert_int_equal(run(&config).damaged, PACKETS);
    config = (struct impair_config){ .reorder_percent = 100 };
    assert_true(run(&config).in_order < PACKETS * 9 / 10);
}

/* Within five standard deviations of the binomial distribution, for any seed: 3 % of 20000 is 600 +- 121. */
static void the_share_is_what_was_asked_for(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        const struct impair_config config = { .loss_percent = 3, .seed = seed };
        const unsigned lost = PACKETS - run(&config).out;
        if (lost < 479 || lost > 721)
            fail_msg("seed %u: %u of %d lost", (unsigned)seed, lost, PACKETS);
    }
}

static void a_seed_repeats_itself(void **state)
{
    (void)state;
    struct impair_config config = { .loss_percent = 3, .duplicate_percent = 2, .reorder_percent = 5, .corrupt_percent = 1, .seed = 7 };
    const struct tally first = run(&config), again = run(&config);
    assert_memory_equal(&first, &again, sizeof first);
    config.seed = 8;
    const struct tally other = run(&config);
    assert_memory_not_equal(&first, &other, sizeof first);
}

static void beyond_its_places_nothing_is_delayed(void **state)
{
    (void)state;
    const struct impair_config config = { .reorder_percent = 100 };
    struct impair *m = impair_new(&config);
    const uint8_t packet[20] = { 0 };
    for (int i = 0; i < 2 * IMPAIR_HELD_MAX; i++)
        impair_put(m, packet, sizeof packet, 0);
    assert_int_equal(impair_counters(m).delayed, IMPAIR_HELD_MAX);
    uint8_t out[20];
    for (int i = 0; i < IMPAIR_HELD_MAX; i++)
        assert_int_equal(impair_get(m, out, sizeof out, 0), sizeof out);
    assert_int_equal(impair_get(m, out, sizeof out, 0), 0);
    for (int i = 0; i < IMPAIR_HELD_MAX; i++)
        assert_int_equal(impair_get(m, out, sizeof out, IMPAIR_DELAY_NS_MAX), sizeof out);
    assert_int_equal(impair_deadline(m), INT64_MAX);
    impair_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_link_changes_nothing),
        cmocka_unit_test(at_100_percent_it_happens_to_each),
        cmocka_unit_test(the_share_is_what_was_asked_for),
        cmocka_unit_test(a_seed_repeats_itself),
        cmocka_unit_test(beyond_its_places_nothing_is_delayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Octets held by their sequence numbers. */
#include "engine/model/octets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/pool.h"
#include "engine/packet/test/random.h"

enum { ISS = 0xfffffe00 }; /* every test crosses the wrap */

static uint8_t octet(uint32_t number)
{
    return (uint8_t)(number * 131 + (number >> 8) * 7);
}

static const uint8_t *octets_from(uint32_t offset, uint32_t len)
{
    static uint8_t data[2 * OCTETS_SPAN_MAX];
    for (uint32_t i = 0; i < len; i++)
        data[i] = octet(offset + i);
    return data;
}

static void hold(struct octets *o, uint32_t offset, uint32_t len, struct octets_store *store)
{
    octets_hold(o, ISS + offset, octets_from(offset, len), len, store);
}

static void expect_held(const struct octets *o, uint32_t from, uint32_t to, bool held)
{
    for (uint32_t i = from; i < to; i++)
        if (octets_at(o, ISS + i) != (held ? octet(i) : -1))
            fail_msg("octet %u is %d", i, octets_at(o, ISS + i));
}

static void what_is_held_is_given_back_across_the_wrap(void **state)
{
    (void)state;
    struct octets o = {0};
    struct octets_store store = {0};
    for (uint32_t i = 0; i < 10; i++)
        hold(&o, i * 300, 300, &store);
    expect_held(&o, 0, 3000, true);
    expect_held(&o, 3000, 3100, false);
    assert_int_equal(o.count, 1);
    octets_forget(&o, ISS + 1000, &store);
    expect_held(&o, 0, 1000, false);
    expect_held(&o, 1000, 3000, true);
    octets_forget(&o, ISS + 3000, &store);
    assert_int_equal(o.count, 0);
    assert_int_equal(store.held, 0);
}

static void a_difference_is_found_at_the_first_octet_that_differs(void **state)
{
    (void)state;
    struct octets o = {0};
    struct octets_store store = {0};
    uint8_t changed[600];
    uint32_t at = 0;
    hold(&o, 100, 1000, &store);
    memcpy(changed, octets_from(50, 600), sizeof changed);
    assert_false(octets_differ(&o, ISS + 50, changed, 600, &at));
    changed[10] ^= 1; /* octet 60 is not held */
    assert_false(octets_differ(&o, ISS + 50, changed, 600, &at));
    changed[599] ^= 1;
    changed[500] ^= 1;
    assert_true(octets_differ(&o, ISS + 50, changed, 600, &at));
    assert_int_equal(at, (uint32_t)(ISS + 550));
    octets_release(&o, &store);
}

static void holes_stay_holes_until_they_are_filled(void **state)
{
    (void)state;
    struct octets o = {0};
    struct octets_store store = {0};
    hold(&o, 1000, 500, &store);
    hold(&o, 3000, 500, &store);
    hold(&o, 0, 500, &store);
    assert_int_equal(o.count, 3);
    expect_held(&o, 500, 1000, false);
    expect_held(&o, 1500, 3000, false);
    hold(&o, 400, 3000, &store);
    assert_int_equal(o.count, 1);
    expect_held(&o, 0, 3500, true);
    octets_release(&o, &store);
}

static void the_oldest_hole_is_given_up_when_there_are_too_many(void **state)
{
    (void)state;
    struct octets o = {0};
    struct octets_store store = {0};
    for (uint32_t i = 0; i <= OCTETS_RANGES_MAX; i++)
        hold(&o, i * 100, 50, &store);
    assert_int_equal(o.count, OCTETS_RANGES_MAX);
    expect_held(&o, 0, 50, false);
    expect_held(&o, OCTETS_RANGES_MAX * 100, OCTETS_RANGES_MAX * 100 + 50, true);
    hold(&o, 0, 50, &store); /* older than all: not taken */
    expect_held(&o, 0, 50, false);
    octets_release(&o, &store);
}

static void the_span_is_bounded_and_the_newest_are_kept(void **state)
{
    (void)state;
    struct octets o = {0};
    struct octets_store store = {0};
    hold(&o, 0, OCTETS_SPAN_MAX, &store);
    hold(&o, OCTETS_SPAN_MAX, 1000, &store);
    assert_in_range(store.held, OCTETS_SPAN_MAX, OCTETS_SPAN_MAX + OCTETS_CHUNK_LEN);
    expect_held(&o, 0, 1000, false);
    expect_held(&o, 1000, OCTETS_SPAN_MAX + 1000, true);
    hold(&o, 500, 1000, &store); /* its first half is too old */
    expect_held(&o, 500, 1000, false);
    expect_held(&o, 1000, 1500, true);
    hold(&o, 0, 2 * OCTETS_SPAN_MAX, &store); /* more at once than there is room for */
    expect_held(&o, OCTETS_SPAN_MAX - 10, OCTETS_SPAN_MAX, false);
    expect_held(&o, OCTETS_SPAN_MAX, 2 * OCTETS_SPAN_MAX, true);
    octets_release(&o, &store);
    assert_int_equal(store.held, 0);
}

static void a_spent_budget_makes_it_forget(void **state)
{
    (void)state;
    struct octets o = {0};
    struct octets_store store = {.held = OCTETS_BUDGET_MAX - 1024};
    hold(&o, 0, 1000, &store);
    expect_held(&o, 0, 1000, true);
    hold(&o, 1000, 1000, &store);
    expect_held(&o, 0, 2000, false);
    assert_int_equal(store.held, OCTETS_BUDGET_MAX - 1024);
}

static void what_is_far_away_is_neither_held_nor_compared(void **state)
{
    static const uint32_t far[] = {UINT32_C(0x7ffffff0), UINT32_C(0x80000000), UINT32_C(0x80000010), UINT32_C(0x40000100)};
    struct octets o = {0};
    struct octets_store store = {0};
    uint32_t at;
    (void)state;
    hold(&o, 0, 100, &store);
    for (unsigned i = 0; i < sizeof far / sizeof *far; i++) {
        hold(&o, far[i], 100, &store);
        assert_false(octets_differ(&o, ISS + far[i], octets_from(1, 100), 100, &at));
        octets_forget(&o, ISS + far[i], &store);
        expect_held(&o, 0, 100, true);
        expect_held(&o, far[i], far[i] + 100, false);
    }
    octets_release(&o, &store);
    assert_int_equal(store.held, 0);
}

/* The last octet held under each number, whatever becomes of it. */
static uint8_t shadow[4 * OCTETS_SPAN_MAX];

static void expect_shadow(const struct octets *o, uint32_t from, uint32_t len, bool held)
{
    for (uint32_t i = from; i < from + len; i++) {
        const int is = octets_at(o, ISS + i);
        if (is != shadow[i] && (held || is != -1))
            fail_msg("octet %u is %d, not %d", i, is, shadow[i]);
    }
}

static void a_stream_moves_on(struct random *random, struct octets_store *store)
{
    struct octets o = {0};
    uint32_t moved = 0, at;
    for (unsigned step = 0; step < 400 && moved < 2 * OCTETS_SPAN_MAX; step++) {
        const uint32_t left = moved + random_below(random, random_one_in(random, 3) ? OCTETS_SPAN_MAX : 6000);
        const uint32_t len = 1 + random_below(random, random_one_in(random, 20) ? OCTETS_SPAN_MAX / 2 : 1500);
        random_fill(random, shadow + left, len);
        octets_hold(&o, ISS + left, shadow + left, len, store);
        expect_shadow(&o, left, len, o.ranges[o.count - 1].right == ISS + left + len);
        assert_false(octets_differ(&o, ISS + left, shadow + left, len, &at));
        if (random_one_in(random, 2))
            moved += random_below(random, random_one_in(random, 10) ? OCTETS_SPAN_MAX / 2 : 3000);
        octets_forget(&o, ISS + moved, store);
        expect_shadow(&o, moved, 2000, false);
        for (uint32_t i = moved > 600 ? moved - 600 : 0; i < moved; i++)
            assert_int_equal(octets_at(&o, ISS + i), -1);
        assert_in_range(store->held, 0, OCTETS_SPAN_MAX + OCTETS_CHUNK_LEN);
    }
    octets_release(&o, store);
    assert_int_equal(store->held, 0);
}

static void whatever_is_held_was_put_there_last(void **state)
{
    struct random random = random_from_environment();
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        struct octets_store store = {.pool = i % 2 ? pool_new(OCTETS_CHUNK_LEN, false) : NULL};
        a_stream_moves_on(&random, &store);
        pool_free(store.pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_held_was_put_there_last),
        cmocka_unit_test(what_is_held_is_given_back_across_the_wrap),
        cmocka_unit_test(a_difference_is_found_at_the_first_octet_that_differs),
        cmocka_unit_test(holes_stay_holes_until_they_are_filled),
        cmocka_unit_test(the_oldest_hole_is_given_up_when_there_are_too_many),
        cmocka_unit_test(the_span_is_bounded_and_the_newest_are_kept),
        cmocka_unit_test(what_is_far_away_is_neither_held_nor_compared),
        cmocka_unit_test(a_spent_budget_makes_it_forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

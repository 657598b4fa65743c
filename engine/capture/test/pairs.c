/* The table of pairs: whatever was put in and not taken out is found, from either side. */
#include <stdlib.h>

#include "engine/capture/pairs.h"
#include "engine/packet/test/random.h"
#include "engine/packet/test/support.h"

enum { MANY = 5000, STEPS = 60000 };

static struct pkt_endpoint client(unsigned i)
{
    return (struct pkt_endpoint){ { 4, { 10, 0, 0, (uint8_t)(i % 3) } }, (uint16_t)(1 + i / 3) };
}

static void what_is_in_is_found_and_what_is_out_is_not(void **state)
{
    static struct pair *in[MANY];
    const struct pkt_endpoint server = { { 4, { 192, 0, 2, 1 } }, 80 };
    struct random random = random_from_environment();
    struct pairs *pairs = pairs_new(1);
    size_t count = 0;
    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        const unsigned i = random_below(&random, step < STEPS / 2 ? MANY : MANY / 8);
        const struct pkt_endpoint end = client(i);
        unsigned side = 2;
        assert_ptr_equal(pairs_find(pairs, &end, &server, &side), in[i]);
        assert_int_equal(side, in[i] ? 0 : 2);
        assert_ptr_equal(pairs_find(pairs, &server, &end, &side), in[i]);
        assert_int_equal(side, in[i] ? 1 : 2);
        if (in[i]) {
            pairs_remove(pairs, in[i]);
            in[i] = NULL;
            count--;
        } else {
            in[i] = pairs_add(pairs, &end, &server, 0);
            count++;
        }
        assert_int_equal(pairs_count(pairs, PAIR_OPEN), count);
    }
    pairs_free(pairs);
}

static void the_queue_gives_them_in_order(void **state)
{
    const struct pkt_endpoint server = { { 4, { 192, 0, 2, 1 } }, 80 };
    struct pairs *pairs = pairs_new(1);
    struct pair *added[4];
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const struct pkt_endpoint end = client(i);
        added[i] = pairs_add(pairs, &end, &server, i);
    }
    pairs_queue(pairs, added[0], PAIR_OPEN, 10);
    pairs_queue(pairs, added[2], PAIR_CLOSED, 11);
    assert_ptr_equal(pairs_first(pairs, PAIR_OPEN), added[1]);
    assert_ptr_equal(pairs_first(pairs, PAIR_CLOSED), added[2]);
    pairs_remove(pairs, added[1]);
    pairs_remove(pairs, added[3]);
    assert_ptr_equal(pairs_first(pairs, PAIR_OPEN), added[0]);
    assert_int_equal(added[0]->queued_ns, 10);
    assert_int_equal(pairs_count(pairs, PAIR_OPEN), 1);
    pairs_free(pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_is_found_and_what_is_out_is_not),
        cmocka_unit_test(the_queue_gives_them_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

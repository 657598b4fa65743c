/* The pool of blocks: each is zero, lies right, and is its owner's alone until it is given back. */
#include <stdlib.h>
#include <string.h>

#include "engine/model/pool.h"
#include "engine/packet/test/random.h"
#include "engine/packet/test/support.h"

enum { BLOCKS = 2000, BLOCK_LEN = 3000, STEPS = 40000 };

static bool is_filled(const uint8_t *block, uint8_t with)
{
    return block[0] == with && memcmp(block, block + 1, BLOCK_LEN - 1) == 0;
}

static void blocks_are_zero_and_their_owners_alone(void **state)
{
    static uint8_t *held[BLOCKS];
    struct random random = random_from_environment();
    struct pool *pool = pool_new(BLOCK_LEN, true);
    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        const unsigned i = random_below(&random, BLOCKS);
        if (held[i]) {
            assert_true(is_filled(held[i], (uint8_t)(i % 255 + 1)));
            pool_give(pool, held[i]);
            held[i] = NULL;
            continue;
        }
        held[i] = pool_take(pool);
        assert_int_equal((uintptr_t)held[i] % POOL_ALIGNMENT, 0);
        assert_true(is_filled(held[i], 0));
        memset(held[i], (int)(i % 255 + 1), BLOCK_LEN);
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        if (held[i])
            pool_give(pool, held[i]);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zero_and_their_owners_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A custom mutator library for AFL++ (API of 4.04c): AFL_CUSTOM_MUTATOR_LIBRARY=…/tcpassay_mutator_afl.so afl-fuzz …
 * sequences_fuzzer.
 *
 * engine/fuzz/mutate.h does the work. A call in four, where AFL++ gives a second input, crosses the two before it mutates. The seed
 * is AFL++'s (-s), so that a run with one seed is repeated by it. Without AFL_CUSTOM_MUTATOR_ONLY AFL++ goes on with its own havoc
 * as well.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/fuzz/mutate.h"

void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **out, uint8_t *other, size_t other_size, size_t max);
const char *afl_custom_describe(void *data, size_t most);
void afl_custom_deinit(void *data);

enum { CROSSED_OF = 4 };

struct mutator {
    uint64_t turn;      /* the seed, then one more with each input */
    uint8_t *octets;    /* what was made last; AFL++ reads it until the next call */
    size_t capacity;
};

void *afl_custom_init(void *afl, unsigned seed)
{
    struct mutator *m = calloc(1, sizeof *m);
    (void)afl;
    if (m)
        m->turn = (uint64_t)seed << 32;
    return m;
}

static bool has_room(struct mutator *m, size_t max)
{
    if (max <= m->capacity)
        return true;
    uint8_t *grown = realloc(m->octets, max);
    if (!grown)
        return false;
    m->octets = grown;
    m->capacity = max;
    return true;
}

/* 0: AFL++ goes on without this one, which is what happens when memory is out. */
size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **out, uint8_t *other, size_t other_size, size_t max)
{
    struct mutator *m = data;
    *out = m->octets;
    if (!has_room(m, max))
        return 0;
    *out = m->octets;
    m->turn++;
    if (other && other_size && m->turn % CROSSED_OF == 0)
        size = fuzz_cross_over(input, size, other, other_size, m->octets, max, m->turn);
    else if ((size = size < max ? size : max))
        memcpy(m->octets, input, size);
    return fuzz_mutate(m->octets, size, max, m->turn);
}

/* Part of the names of the inputs it made. */
const char *afl_custom_describe(void *data, size_t most)
{
    static const char name[] = "tcpassay";
    (void)data;
    return most < sizeof name ? "" : name;
}

void afl_custom_deinit(void *data)
{
    struct mutator *m = data;
    free(m->octets);
    free(m);
}

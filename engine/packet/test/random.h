/* Pseudo-random numbers that a seed determines, for tests (splitmix64). */
#ifndef TCPASSAY_PACKET_TEST_RANDOM_H
#define TCPASSAY_PACKET_TEST_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct random { uint64_t state; };

static inline uint64_t random_next(struct random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* In [0, limit). */
static inline uint32_t random_below(struct random *r, uint32_t limit)
{
    return (uint32_t)((random_next(r) >> 32) * limit >> 32);
}

/* Once in n times. */
static inline bool random_one_in(struct random *r, uint32_t n)
{
    return random_below(r, n) == 0;
}

static inline void random_fill(struct random *r, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)random_next(r);
}

/* The seed in TCPASSAY_SEED, or the usual one; printed, so that a failure can be repeated. */
static inline struct random random_from_environment(void)
{
    const char *text = getenv("TCPASSAY_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20240917;

    printf("seed %llu (set TCPASSAY_SEED to change it)\n", (unsigned long long)seed);
    return (struct random){ seed };
}

#endif

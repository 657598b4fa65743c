/* The judgement of initial sequence numbers: what can be guessed is told so, with how well; what cannot is not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "engine/probe/isn.h"

enum { SAMPLES = 32 };
#define STEP_NS INT64_C(20000000)

/* xorshift64*: numbers that are as good as random, and the same each time. */
static uint32_t drawn(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

/* A host: the number of connection i at time t. */
static uint32_t constant(int i, int64_t t, uint64_t *r) { (void)i; (void)t; (void)r; return 1; }
static uint32_t counting(int i, int64_t t, uint64_t *r) { (void)t; (void)r; return 4294900000u + 64000u * (uint32_t)i; }
static uint32_t clocked(int i, int64_t t, uint64_t *r) { (void)i; (void)r; return (uint32_t)(4294000000u + (uint64_t)t / 4000); }
static uint32_t bsd(int i, int64_t t, uint64_t *r) /* steps at random, but small ones */
{
    static uint32_t last;
    (void)t;
    last = (i ? last : 4290000000u) + 64000 + drawn(r) % 1000000;
    return last;
}
static uint32_t accelerating(int i, int64_t t, uint64_t *r) { (void)t; (void)r; return (uint32_t)i * (uint32_t)i * 4194304u + (uint32_t)i * 2000000011u; }
static uint32_t halved(int i, int64_t t, uint64_t *r) { (void)i; (void)t; return drawn(r) >> 2; } /* keeps to a quarter of the space */
static uint32_t rfc6528(int i, int64_t t, uint64_t *r) { (void)i; return drawn(r) + (uint32_t)(t / 64); }

static const struct row { const char *says; uint32_t (*host)(int, int64_t, uint64_t *); enum isn_kind kind; uint32_t error_max; } rows[] = {
    { "always the same",             constant,     ISN_CONSTANT,    0       },
    { "a fixed step, past 2^32",     counting,     ISN_PREDICTABLE, 0       },
    { "a clock, past 2^32",          clocked,      ISN_PREDICTABLE, 16      },
    { "small steps at random",       bsd,          ISN_PREDICTABLE, 1000000 },
    { "steps that grow",             accelerating, ISN_PREDICTABLE, 8388608 },
    { "a quarter of the space only", halved,       ISN_UNEVEN,      UINT32_MAX },
    { "RFC 6528",                    rfc6528,      ISN_RANDOM,      UINT32_MAX },
};

static void what_can_be_guessed_is_told(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        struct isn_sample s[SAMPLES];
        uint64_t random = 7;
        for (int i = 0; i < SAMPLES; i++)
            s[i] = (struct isn_sample){i * STEP_NS, rows[k].host(i, i * STEP_NS, &random)};
        const struct isn_judgement j = isn_judge(s, SAMPLES, NULL, 0);
        if (j.kind != rows[k].kind || j.error > rows[k].error_max)
            fail_msg("%s: kind %d, error %u, line %f", rows[k].says, (int)j.kind, j.error, j.line);
    }
}

static void good_numbers_are_never_called_bad(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct isn_sample s[SAMPLES];
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
        for (int i = 0; i < SAMPLES; i++)
            s[i] = (struct isn_sample){i * STEP_NS, rfc6528(i, i * STEP_NS, &random)};
        for (size_t count = ISN_SAMPLES_MIN; count <= SAMPLES; count *= 2) {
            const struct isn_judgement j = isn_judge(s, count, NULL, 0);
            if (j.kind != ISN_RANDOM)
                fail_msg("seed %u, %zu samples: kind %d, error %u, line %f", (unsigned)seed, count, (int)j.kind, j.error, j.line);
        }
    }
}

static void the_entropy_of_random_numbers_is_near_32_bits(void **state)
{
    (void)state;
    struct isn_sample s[ISN_SAMPLES_MAX];
    uint64_t random = 3;
    for (int i = 0; i < ISN_SAMPLES_MAX; i++)
        s[i] = (struct isn_sample){i * STEP_NS, drawn(&random)};
    assert_true(isn_judge(s, ISN_SAMPLES_MAX, NULL, 0).entropy_bits > 31);
    for (int i = 0; i < ISN_SAMPLES_MAX; i++)
        s[i].isn &= 0xffff;
    const double bits = isn_judge(s, ISN_SAMPLES_MAX, NULL, 0).entropy_bits;
    assert_true(bits > 14.5 && bits < 17.5);
}

static void the_clock_of_one_pair_of_ports_is_found(void **state)
{
    (void)state;
    struct isn_sample s[SAMPLES];
    uint64_t random = 5;
    for (int i = 0; i < SAMPLES; i++)
        s[i] = (struct isn_sample){i * STEP_NS, (uint32_t)(4294960000u + (uint64_t)(i * STEP_NS) / 64 + drawn(&random) % 1000)};
    struct isn_judgement j = isn_judge(NULL, 0, s, SAMPLES);
    assert_int_equal(j.kind, ISN_UNDECIDED);
    assert_true(j.same_clock);
    assert_true(fabs(j.same_clock_hz - 15625000) < 10000);
    for (int i = 1; i < SAMPLES; i += 2) /* close to the clock, but now and then a step back */
        s[i].isn -= 400000;
    assert_false(isn_judge(NULL, 0, s, SAMPLES).same_clock);
    for (int i = 0; i < SAMPLES; i++)
        s[i].isn = drawn(&random);
    assert_false(isn_judge(NULL, 0, s, SAMPLES).same_clock);
    s[3].isn = s[4].isn;
    assert_true(isn_judge(NULL, 0, s, SAMPLES).same_repeats);
}

static void few_samples_decide_nothing(void **state)
{
    (void)state;
    struct isn_sample s[ISN_SAMPLES_MIN] = {{0}};
    for (size_t count = 0; count < ISN_SAMPLES_MIN; count++)
        assert_int_equal(isn_judge(s, count, s, count).kind, ISN_UNDECIDED);
    assert_int_equal(isn_judge(s, ISN_SAMPLES_MIN, NULL, 0).kind, ISN_CONSTANT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_guessed_is_told), cmocka_unit_test(good_numbers_are_never_called_bad),
        cmocka_unit_test(the_entropy_of_random_numbers_is_near_32_bits), cmocka_unit_test(the_clock_of_one_pair_of_ports_is_found),
        cmocka_unit_test(few_samples_decide_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Judges initial sequence numbers.
 *
 * Theory of operation. RFC 6528 §3: ISN = M + F(addresses, ports, secret), M a clock. So for one pair of sockets the numbers grow
 * steadily, and from port to port they differ by what nobody without the secret can know. The judgement plays the attacker, who
 * sees the numbers of connections of his own and wants that of another port: each predictor guesses every number from those before,
 * and the best is the one with the smallest error (the 90th percentile, so that a lucky hit or an odd one out counts little).
 * Predictable is what it gets within 2^28: of 2^32, by chance, that has a probability of one eighth a number, and 2^-24 for eight
 * in a row.
 *
 * Where no predictor succeeds, two measures that know no rule: the entropy by the spacing of sorted values (Vasicek's estimate with
 * m = 1, on a circle: the mean of log2(n d) over the gaps d, plus gamma / ln 2, is 32 for uniform numbers, give or take 1.9 / sqrt
 * n), and the length of the mean of exp(2 pi i x / 2^32) over values and their differences (Rayleigh's test: beyond r by chance
 * with probability exp(-n r^2)), which shows numbers that keep to a part of the space, or lie on few lines of it. */
#include "engine/probe/isn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/packet/seq.h"

#define CIRCLE 4294967296.0
#define EULER_GAMMA 0.5772156649015329
#define TAU 6.283185307179586
#define ERROR_PREDICTABLE (UINT32_C(1) << 28)
#define ERROR_CLOCK (UINT32_C(1) << 20)   /* a clock read late by some ms */
#define CHANCE 1e-6

static int by_double(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int by_u32(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double middle_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_double);
    return values[count / 2];
}

static uint32_t magnitude(int32_t distance)
{
    return distance < 0 ? 0u - (uint32_t)distance : (uint32_t)distance;
}

/* 2^32 is reached by nothing that is added here: the difference is taken on the circle. */
static uint32_t moved(uint32_t from, double by)
{
    const double wrapped = fmod(by, CIRCLE);
    return from + (uint32_t)(int64_t)llround(wrapped);
}

static double seconds_between(const struct isn_sample *a, const struct isn_sample *b)
{
    return (double)(b->at_ns - a->at_ns) / 1e9;
}

/* ---- predictors ------------------------------------------------------------------------------------------------ */

struct facts { double step, clock_hz; };

static uint32_t predict(enum isn_predictor how, const struct facts *facts, const struct isn_sample *s, size_t i)
{
    switch (how) {
    case ISN_BY_STEP: return moved(s[i - 1].isn, facts->step);
    case ISN_BY_CLOCK: return moved(s[i - 1].isn, facts->clock_hz * seconds_between(&s[i - 1], &s[i]));
    case ISN_BY_TREND: return s[i - 1].isn + (s[i - 1].isn - s[i - 2].isn);
    default: return s[i - 1].isn;
    }
}

/* The 90th percentile of what it is off by. */
static uint32_t error_of(enum isn_predictor how, const struct facts *facts, const struct isn_sample *s, size_t count)
{
    uint32_t errors[ISN_SAMPLES_MAX];
    size_t n = 0;
    for (size_t i = 2; i < count; i++)
        errors[n++] = magnitude(seq_distance(predict(how, facts, s, i), s[i].isn));
    qsort(errors, n, sizeof *errors, by_u32);
    return errors[(n * 9 + 9) / 10 - 1];
}

/* The middle of all steps, and of all speeds. */
static struct facts facts_of(const struct isn_sample *s, size_t count)
{
    double steps[ISN_SAMPLES_MAX], speeds[ISN_SAMPLES_MAX];
    size_t n = 0;
    for (size_t i = 1; i < count; i++) {
        const double seconds = seconds_between(&s[i - 1], &s[i]);
        const double step = seq_distance(s[i - 1].isn, s[i].isn);
        steps[n] = step;
        speeds[n++] = seconds > 0 ? step / seconds : 0;
    }
    return (struct facts){middle_of(steps, n), middle_of(speeds, n)};
}

static void find_predictor(struct isn_judgement *j, const struct isn_sample *s, size_t count)
{
    const struct facts facts = facts_of(s, count);
    j->step = facts.step;
    j->clock_hz = facts.clock_hz;
    j->error = UINT32_MAX;
    for (enum isn_predictor how = 0; how < ISN_PREDICTORS; how++) {
        const uint32_t error = error_of(how, &facts, s, count);
        if (error < j->error) {
            j->error = error;
            j->predictor = how;
        }
    }
}

/* ---- measures that know no rule -------------------------------------------------------------------------------- */

static double entropy_of(const uint32_t *values, size_t count)
{
    uint32_t sorted[ISN_SAMPLES_MAX];
    double sum = 0;
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, by_u32);
    for (size_t i = 0; i < count; i++) {
        const uint32_t gap = sorted[(i + 1) % count] - sorted[i]; /* the last one goes round the circle */
        sum += log2((gap ? gap : 1) * (double)count);
    }
    const double bits = sum / (double)count + EULER_GAMMA / log(2);
    return bits < 0 ? 0 : bits > 32 ? 32 : bits;
}

static double line_of(const uint32_t *values, size_t count)
{
    double x = 0, y = 0;
    for (size_t i = 0; i < count; i++) {
        x += cos(TAU * values[i] / CIRCLE);
        y += sin(TAU * values[i] / CIRCLE);
    }
    return hypot(x, y) / (double)count;
}

static void measure(struct isn_judgement *j, const struct isn_sample *s, size_t count)
{
    uint32_t values[ISN_SAMPLES_MAX];
    size_t n = count;
    for (size_t i = 0; i < count; i++)
        values[i] = s[i].isn;
    j->entropy_bits = 32;
    for (int difference = 0; difference <= 2; difference++) {
        const double bits = entropy_of(values, n), line = line_of(values, n);
        j->entropy_bits = difference < 2 && bits < j->entropy_bits ? bits : j->entropy_bits;
        j->line = line > j->line ? line : j->line;
        for (size_t i = 0; i + 1 < n; i++)
            values[i] = values[i + 1] - values[i];
        n--;
    }
    j->line_by_chance = sqrt(-log(CHANCE) / (double)n);
}

/* ---- one pair of sockets --------------------------------------------------------------------------------------- */

/* A straight line through first and last, where every sample in between is close to it and none goes back. */
static void find_clock(struct isn_judgement *j, const struct isn_sample *s, size_t count)
{
    int64_t travelled = 0;
    bool forward = true;
    for (size_t i = 1; i < count; i++) {
        const int32_t step = seq_distance(s[i - 1].isn, s[i].isn);
        j->same_repeats |= step == 0;
        forward &= step > 0;
        travelled += step;
    }
    const double seconds = count > 1 ? seconds_between(&s[0], &s[count - 1]) : 0;
    if (count < 3 || !forward || seconds <= 0)
        return;
    const double hz = (double)travelled / seconds;
    uint32_t worst = 0;
    for (size_t i = 1; i < count; i++) {
        const uint32_t off = magnitude(seq_distance(moved(s[0].isn, hz * seconds_between(&s[0], &s[i])), s[i].isn));
        worst = off > worst ? off : worst;
    }
    j->same_clock = worst < ERROR_CLOCK;
    j->same_clock_hz = j->same_clock ? hz : 0;
}

struct isn_judgement isn_judge(const struct isn_sample *ports, size_t port_count, const struct isn_sample *same, size_t same_count)
{
    port_count = port_count < ISN_SAMPLES_MAX ? port_count : ISN_SAMPLES_MAX;
    same_count = same_count < ISN_SAMPLES_MAX ? same_count : ISN_SAMPLES_MAX;
    struct isn_judgement j = {.ports = (unsigned)port_count, .same = (unsigned)same_count};
    find_clock(&j, same, same_count);
    if (port_count < ISN_SAMPLES_MIN)
        return j;
    find_predictor(&j, ports, port_count);
    measure(&j, ports, port_count);
    j.kind = j.error == 0 && j.predictor == ISN_BY_SAME ? ISN_CONSTANT
           : j.error <= ERROR_PREDICTABLE ? ISN_PREDICTABLE
           : j.line > j.line_by_chance ? ISN_UNEVEN : ISN_RANDOM;
    return j;
}

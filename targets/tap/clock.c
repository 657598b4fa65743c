/* Reads the clocks (see clock.h). */
#include "targets/tap/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

/* Between reading the two clocks the thread may lose the processor: the best of a few attempts counts. */
int64_t clock_of_realtime(int64_t real_ns)
{
    enum { ATTEMPTS = 4, GOOD_NS = 2000 };
    int64_t best_gap_ns = INT64_MAX, result_ns = 0;
    for (int i = 0; i < ATTEMPTS && best_gap_ns > GOOD_NS; i++) {
        int64_t before_ns = read_ns(CLOCK_MONOTONIC), age_ns = read_ns(CLOCK_REALTIME) - real_ns;
        int64_t after_ns = read_ns(CLOCK_MONOTONIC);
        if (after_ns - before_ns >= best_gap_ns)
            continue;
        best_gap_ns = after_ns - before_ns;
        result_ns = after_ns - age_ns;
    }
    return result_ns;
}

/* Least, median and 99th percentile of a handful of measured times. */
#ifndef TCPASSAY_PROBE_TIMES_H
#define TCPASSAY_PROBE_TIMES_H

#include <stddef.h>
#include <stdint.h>

struct probe_times {
    unsigned count;              /* 0: nothing was measured, and the rest is 0 */
    int64_t min_ns, median_ns, p99_ns, max_ns;
};

/* Sorts values. The median of an even count is the mean of the middle two; the percentile is that of the nearest rank. */
struct probe_times times_of(int64_t *values_ns, size_t count);

#endif

/* Statistics of measured times (see times.h). */
#include "engine/probe/times.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

struct probe_times times_of(int64_t *values_ns, size_t count)
{
    if (!count)
        return (struct probe_times){0};
    qsort(values_ns, count, sizeof *values_ns, by_value);
    const size_t rank = (count * 99 + 99) / 100; /* ceil(0.99 count) */
    return (struct probe_times){
        .count = (unsigned)count, .min_ns = values_ns[0], .max_ns = values_ns[count - 1], .p99_ns = values_ns[rank - 1],
        .median_ns = count % 2 ? values_ns[count / 2] : (values_ns[count / 2 - 1] + values_ns[count / 2]) / 2,
    };
}

/* The runner's clock, and what it showed at a time that somebody stamped by the other. */
#ifndef TCPASSAY_TARGETS_TAP_CLOCK_H
#define TCPASSAY_TARGETS_TAP_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_ns(void);

/* What CLOCK_MONOTONIC showed when CLOCK_REALTIME showed real_ns, as a kernel stamps packets. Never too early, lest a reaction seem
 * to come before its cause. */
int64_t clock_of_realtime(int64_t real_ns);

#endif

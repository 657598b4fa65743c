/* The retransmission timeout from round-trip measurements: RFC 6298 §2 and §5.5, RFC 7323 §4.2. */
#ifndef TCPASSAY_TARGETS_REFERENCE_RTT_H
#define TCPASSAY_TARGETS_REFERENCE_RTT_H

#include <stdbool.h>
#include <stdint.h>

enum { REF_CLOCK_GRANULARITY_NS = 1000000 }; /* G: of the timestamp clock, and of RTT measurement by it */

struct ref_rtt_limits { int64_t min_rto_ns, max_rto_ns; };

struct ref_rtt {
    bool measured;
    int64_t srtt_ns, rttvar_ns;
    int64_t rto_ns; /* in force, backoff included */
};

/* (2.1): until a measurement has been made. */
void ref_rtt_init(struct ref_rtt *rtt, int64_t initial_rto_ns);
/* (2.2), (2.3): one measurement. samples_expected: how many there are per round trip (RFC 7323 §4.2), 1 or more. */
void ref_rtt_sample(struct ref_rtt *rtt, const struct ref_rtt_limits *limits, int64_t sample_ns, uint32_t samples_expected);
/* (5.5): back off the timer. */
void ref_rtt_backoff(struct ref_rtt *rtt, const struct ref_rtt_limits *limits);

#endif

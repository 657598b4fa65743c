/* The retransmission timeout: RFC 6298, its rule numbers beside the code. */
#include "targets/reference/rtt.h"

#include <assert.h>

enum { ALPHA_DIVISOR = 8, BETA_DIVISOR = 4, K = 4 };

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

void ref_rtt_init(struct ref_rtt *rtt, int64_t initial_rto_ns)
{
    *rtt = (struct ref_rtt){ .rto_ns = initial_rto_ns };
}

void ref_rtt_sample(struct ref_rtt *rtt, const struct ref_rtt_limits *limits, int64_t sample_ns, uint32_t samples_expected)
{
    assert(sample_ns >= 0 && samples_expected >= 1);
    if (!rtt->measured) { /* (2.2) */
        rtt->measured = true;
        rtt->srtt_ns = sample_ns;
        rtt->rttvar_ns = sample_ns / 2;
    } else { /* (2.3): RTTVAR first, from the old SRTT */
        int64_t error_ns = sample_ns - rtt->srtt_ns;
        int64_t magnitude_ns = error_ns < 0 ? -error_ns : error_ns;
        rtt->rttvar_ns += (magnitude_ns - rtt->rttvar_ns) / (BETA_DIVISOR * (int64_t)samples_expected);
        rtt->srtt_ns += error_ns / (ALPHA_DIVISOR * (int64_t)samples_expected);
    }
    int64_t variance_ns = K * rtt->rttvar_ns;
    if (variance_ns < REF_CLOCK_GRANULARITY_NS)
        variance_ns = REF_CLOCK_GRANULARITY_NS;
    rtt->rto_ns = clamp(rtt->srtt_ns + variance_ns, limits->min_rto_ns, limits->max_rto_ns); /* (2.4), (2.5) */
}

void ref_rtt_backoff(struct ref_rtt *rtt, const struct ref_rtt_limits *limits)
{
    rtt->rto_ns = rtt->rto_ns > limits->max_rto_ns / 2 ? limits->max_rto_ns : rtt->rto_ns * 2;
}

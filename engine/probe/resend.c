/* Retransmission schedules (see resend.h).
 *
 * Clocks of hosts are coarse (10 ms to 500 ms) and networks delay, so an interval counts as doubled from 1.6 to 2.5 times, and as
 * alike within a quarter. */
#include "engine/probe/resend.h"

#include <stdio.h>

#define NS_PER_S INT64_C(1000000000)
#define RTO_MAX_NS (120 * NS_PER_S)

void resend_add(struct resends *s, int64_t at_ns)
{
    s->seen = true;
    if (s->count < RESEND_MAX)
        s->at_ns[s->count++] = at_ns;
}

struct resend_plan resend_plan(unsigned retries, unsigned linear)
{
    struct resend_plan plan = {.known = true, .retries = retries, .linear = linear};
    int64_t at_ns = 0, rto_ns = NS_PER_S;
    for (unsigned sent = 0; sent <= retries + linear; sent++) {
        if (plan.count < RESEND_MAX)
            plan.at_ns[plan.count++] = at_ns;
        if (sent > linear)
            rto_ns = rto_ns * 2 > RTO_MAX_NS ? RTO_MAX_NS : rto_ns * 2;
        at_ns += rto_ns;
    }
    plan.gives_up_ns = at_ns;
    return plan;
}

static bool read_setting(const char *path, unsigned *out)
{
    FILE *file = fopen(path, "re");
    const bool read = file && fscanf(file, "%3u", out) == 1; /* NOLINT(cert-err34-c): three digits are no overflow */
    if (file)
        fclose(file);
    return read;
}

struct resend_plan resend_plan_here(void)
{
    unsigned retries, linear = 0;
    if (!read_setting("/proc/sys/net/ipv4/tcp_syn_retries", &retries))
        return (struct resend_plan){0};
    read_setting("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", &linear); /* an older kernel has none */
    return resend_plan(retries, linear);
}

/* ---- judging --------------------------------------------------------------------------------------------------- */

static int64_t interval_ns(const struct resends *s, unsigned i) /* before the i-th retransmission, from 1 on */
{
    return s->at_ns[i] - s->at_ns[i - 1];
}

static bool is_doubled(int64_t before_ns, int64_t ns)
{
    return ns * 10 >= before_ns * 16 && ns * 10 <= before_ns * 25;
}

static bool is_alike(int64_t before_ns, int64_t ns)
{
    return ns * 4 >= before_ns * 3 && ns * 4 <= before_ns * 5;
}

enum resend_shape resend_shape(const struct resends *s)
{
    unsigned alike = 0, doubled = 0, i = 2;
    if (s->count < 3)
        return RESEND_TOO_FEW;
    for (; i < s->count && is_alike(interval_ns(s, i - 1), interval_ns(s, i)); i++)
        alike++;
    for (; i < s->count && is_doubled(interval_ns(s, i - 1), interval_ns(s, i)); i++)
        doubled++;
    if (i < s->count)
        return RESEND_IRREGULAR;
    return !alike ? RESEND_DOUBLING : doubled ? RESEND_LINEAR_FIRST : RESEND_CONSTANT;
}

enum resend_first resend_first(const struct resends *s)
{
    if (s->count < 2)
        return RESEND_FIRST_NONE;
    const int64_t ms = interval_ns(s, 1) / 1000000;
    return ms < 800 ? RESEND_FIRST_EARLY : ms <= 1600 ? RESEND_FIRST_ONE_SECOND
         : ms >= 2500 && ms <= 3600 ? RESEND_FIRST_THREE_SECONDS : RESEND_FIRST_OTHER;
}

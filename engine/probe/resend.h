/* When a segment that nobody answers is sent again: what was seen, what a kernel's settings make of it, and how it compares with
 * RFC 6298. */
#ifndef TCPASSAY_PROBE_RESEND_H
#define TCPASSAY_PROBE_RESEND_H

#include <stdbool.h>
#include <stdint.h>

enum { RESEND_MAX = 24 };

enum resend_end { RESEND_STILL_TRYING, RESEND_GAVE_UP /* says its last word, or connect() failed */,
                    RESEND_ANSWERED /* and so there is no more to see */ };
struct resends {
    bool seen;                   /* false: nothing was observed */
    unsigned count;              /* transmissions, the first one included; those beyond RESEND_MAX are not kept */
    int64_t at_ns[RESEND_MAX]; /* since the first: at_ns[0] is 0 */
    enum resend_end end;
    int64_t end_ns;              /* when it gave up, or we stopped looking */
};

struct resend_plan { /* of this machine's kernel, for SYNs */
    bool known;
    unsigned retries, linear;    /* net.ipv4.tcp_syn_retries, tcp_syn_linear_timeouts (Linux 6.5) */
    unsigned count;
    int64_t at_ns[RESEND_MAX]; /* of all transmissions, as in struct resends */
    int64_t gives_up_ns;         /* ETIMEDOUT */
};

/* Adds a transmission. */
void resend_add(struct resends *s, int64_t at_ns);

/* What Linux does: an RTO of one second, `linear` more of the same, then doubled each time, 120 s at most. */
struct resend_plan resend_plan(unsigned retries, unsigned linear);
/* The same with the settings of the namespace the process is in. */
struct resend_plan resend_plan_here(void);

enum resend_shape { RESEND_TOO_FEW /* fewer than two retransmissions */, RESEND_DOUBLING /* each interval twice the last */,
                      RESEND_LINEAR_FIRST /* some alike, then doubling */, RESEND_CONSTANT, RESEND_IRREGULAR };
/* RFC 6298 §5.5: "back off the timer". */
enum resend_shape resend_shape(const struct resends *s);

enum resend_first { RESEND_FIRST_NONE, RESEND_FIRST_EARLY /* before a second: less than RFC 6298 §2.1 */,
                      RESEND_FIRST_ONE_SECOND /* as §2.1 says */, RESEND_FIRST_THREE_SECONDS /* as RFC 2988 said */,
                      RESEND_FIRST_OTHER };
enum resend_first resend_first(const struct resends *s);

#endif

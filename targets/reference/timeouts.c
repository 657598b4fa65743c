/* RFC 9293 §3.10.8, Timeouts; with §3.8.3 (R1 and R2), §3.8.4 (keep-alives), §3.8.6.1 (zero-window probes). */
#include "targets/reference/stack.h"

#include <assert.h>
#include <errno.h>

/* "Connection aborted": the application learns the last soft error instead of a plain timeout (RFC 5461 §2.2). */
static void give_up(struct ref_tcb *tcb)
{
    if (tcb->state == TCP_STATE_SYN_SENT)
        ref_fastopen_negative(tcb);
    if (tcb->state == TCP_STATE_SYN_RECEIVED && tcb->passive && !tcb->socket)
        ref_tcb_give_back(tcb); /* a half-open entry expires; nobody was told of it */
    else
        ref_tcb_close(tcb, tcb->soft_error ? tcb->soft_error : ETIMEDOUT);
}

/* ---- USER TIMEOUT ------------------------------------------------------------------------------------------------ */

/* Only in the synchronized states: RFC 5482 §3.3. */
void ref_user_timer_arm(struct ref_tcb *tcb)
{
    bool counts = tcb->waiting && tcb->user_timeout_ns > 0 && tcb->state >= TCP_STATE_ESTABLISHED;
    if (counts)
        ref_timer_set(tcb, REF_TIMER_USER, tcb->waiting_since_ns + tcb->user_timeout_ns);
    else
        ref_timer_stop(tcb, REF_TIMER_USER);
}

/* ---- RETRANSMISSION TIMEOUT -------------------------------------------------------------------------------------- */

static uint32_t most_retransmissions(const struct ref_tcb *tcb) /* R2 */
{
    const struct ref_config *config = &tcb->stack->config;
    if (tcb->state == TCP_STATE_SYN_SENT || (tcb->state == TCP_STATE_SYN_RECEIVED && !tcb->passive))
        return tcb->options.syn_count > 0 ? (uint32_t)tcb->options.syn_count : config->syn_retries;
    if (tcb->state == TCP_STATE_SYN_RECEIVED)
        return config->synack_retries;
    if (tcb->user_timeout_ns > 0)
        return UINT32_MAX; /* the user timeout is R2 then (MUST-21) */
    return tcb->orphan && config->orphan_retries ? config->orphan_retries : config->data_retries;
}

static void back_off(struct ref_tcb *tcb)
{
    const struct ref_config *config = &tcb->stack->config;
    const struct ref_rtt_limits limits = { .min_rto_ns = config->min_rto_ns, .max_rto_ns = config->max_rto_ns };
    bool linear = tcb->state == TCP_STATE_SYN_SENT && tcb->retransmits <= config->syn_linear_timeouts;
    if (!linear)
        ref_rtt_backoff(&tcb->rtt, &limits);
}

/* Without data and without the fast open option (RFC 7413 §4.2.2); in the end without ECN, too (RFC 3168 §6.1.1.1). */
static void resend_syn(struct ref_tcb *tcb)
{
    tcb->syn_retransmitted = true;
    tcb->fastopen_request = tcb->fastopen_reply = false;
    tcb->stack->counters.retransmissions++;
    if (tcb->state == TCP_STATE_SYN_SENT) {
        if (tcb->retransmits > 2)
            tcb->offer_ecn = false;
        ref_send_syn(tcb, false);
    } else {
        ref_send_syn_ack(tcb);
    }
    ref_arm_timers(tcb);
}

static void report_r1(struct ref_tcb *tcb)
{
    if (tcb->r1_reported || tcb->retransmits < tcb->stack->config.r1_retries)
        return;
    tcb->r1_reported = true;
    ref_report(tcb, REF_REPORT_RETRANSMISSIONS, tcb->retransmits); /* SHLD-9 */
}

static void retransmission_timeout(struct ref_tcb *tcb)
{
    if (tcb->ecn_hold && tcb->snd_una == tcb->snd_nxt) { /* RFC 3168 §6.1.2: now the new packet may go */
        tcb->ecn_hold = false;
        ref_tcp_output(tcb);
        return;
    }
    tcb->retransmits++;
    if (tcb->retransmits > most_retransmissions(tcb)) {
        give_up(tcb);
        return;
    }
    report_r1(tcb);
    back_off(tcb); /* RFC 6298 (5.5) */
    if (ref_syn_unacked(tcb)) {
        resend_syn(tcb);
        return;
    }
    ref_pmtu_timed_out(tcb);
    tcb->send_limit = REF_SEND_FREELY;
    ref_cc_timeout(tcb);
    ref_tcp_output(tcb); /* (5.4): the congestion window lets out the first segment; (5.6): the timer runs again */
}

/* ---- zero-window probes, and the override of SWS avoidance ------------------------------------------------------- */

/* At least one octet of new data, or of what was sent already; the FIN when there is nothing else (MUST-36). */
static void probe_window(struct ref_tcb *tcb)
{
    tcb->probes++;
    tcb->persist_backoff++;
    if (tcb->probes > most_retransmissions(tcb)) { /* not while the peer goes on acknowledging: MUST-37 */
        give_up(tcb);
        return;
    }
    bool only_fin = tcb->snd_una == ref_data_end(tcb);
    ref_send_data(tcb, tcb->snd_una, only_fin ? 0 : 1, only_fin);
    tcb->rtt_timing = false;
    ref_arm_timers(tcb);
}

static void persist_timeout(struct ref_tcb *tcb)
{
    if (tcb->snd_wnd == 0) {
        probe_window(tcb);
        return;
    }
    tcb->override = true; /* §3.8.6.2.1 (4); also the end of waiting for TCP_CORK and MSG_MORE (MUST-60) */
    ref_tcp_output(tcb);
}

/* ---- keep-alives: §3.8.4 ----------------------------------------------------------------------------------------- */

static int64_t keepalive_idle_ns(const struct ref_tcb *tcb)
{
    int64_t idle_ns = (int64_t)tcb->options.keep_idle_s * REF_NS_PER_S;
    bool negotiated = tcb->options.uto_on && idle_ns <= tcb->user_timeout_ns;
    return negotiated ? tcb->user_timeout_ns + REF_NS_PER_S : idle_ns; /* RFC 5482 §4.2: longer than the user timeout */
}

void ref_keepalive_arm(struct ref_tcb *tcb)
{
    bool applies = tcb->options.keepalive && tcb->state >= TCP_STATE_ESTABLISHED && tcb->state != TCP_STATE_TIME_WAIT;
    if (applies)
        ref_timer_set(tcb, REF_TIMER_KEEPALIVE, tcb->last_heard_ns + keepalive_idle_ns(tcb));
    else
        ref_timer_stop(tcb, REF_TIMER_KEEPALIVE);
}

void ref_heard(struct ref_tcb *tcb)
{
    tcb->last_heard_ns = tcb->stack->now_ns;
    if (tcb->keepalives == 0)
        return; /* the timer, when it comes, will see that it was not silent */
    tcb->keepalives = 0;
    ref_keepalive_arm(tcb);
}

static void keepalive_timeout(struct ref_tcb *tcb)
{
    int64_t now_ns = tcb->stack->now_ns;
    if (now_ns - tcb->last_heard_ns < keepalive_idle_ns(tcb)) {
        ref_keepalive_arm(tcb);
        return;
    }
    if (tcb->waiting) { /* MUST-26: retransmission is looking after it */
        ref_timer_set(tcb, REF_TIMER_KEEPALIVE, now_ns + keepalive_idle_ns(tcb));
        return;
    }
    if (tcb->keepalives >= (uint32_t)tcb->options.keep_count) { /* no single probe decides: MUST-29 */
        give_up(tcb);
        return;
    }
    tcb->keepalives++;
    ref_send_probe(tcb, tcb->snd_nxt - 1); /* no data: SHLD-12 */
    ref_timer_set(tcb, REF_TIMER_KEEPALIVE, now_ns + (int64_t)tcb->options.keep_interval_s * REF_NS_PER_S);
}

/* ------------------------------------------------------------------------------------------------------------------ */

void ref_timer_fired(struct ref_tcb *tcb, enum ref_timer timer)
{
    assert(tcb->state != TCP_STATE_CLOSED);
    switch (timer) {
    case REF_TIMER_RETRANSMIT:
        retransmission_timeout(tcb);
        break;
    case REF_TIMER_PERSIST:
        persist_timeout(tcb);
        break;
    case REF_TIMER_DELAYED_ACK:
        tcb->ack_now = true;
        ref_tcp_output(tcb);
        break;
    case REF_TIMER_KEEPALIVE:
        keepalive_timeout(tcb);
        break;
    case REF_TIMER_USER: /* flush all queues, "connection aborted due to user timeout" */
        give_up(tcb);
        break;
    case REF_TIMER_LIFETIME: /* TIME-WAIT TIMEOUT; or nobody closes an orphan's other half */
        ref_tcb_close(tcb, 0);
        break;
    case REF_TIMER_DEFER:
        tcb->accept_deferred = false;
        break;
    case REF_TIMER_COUNT:
        break;
    }
}

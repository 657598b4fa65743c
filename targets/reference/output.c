/* When to send: RFC 9293 §3.7.4 (Nagle), §3.8.1 (what to send again), §3.8.6.1 and §3.8.6.2.1 (the sender's side of the window),
 * and the timers that sending leaves running. */
#include "targets/reference/stack.h"

#include <assert.h>

static bool may_send_data(const struct ref_tcb *tcb)
{
    switch (tcb->state) {
    case TCP_STATE_ESTABLISHED:
    case TCP_STATE_CLOSE_WAIT:
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_CLOSING:
    case TCP_STATE_LAST_ACK:
        return true;
    case TCP_STATE_SYN_RECEIVED:
        return tcb->fastopen; /* RFC 7413 §4.2.2 */
    default:
        return false;
    }
}

/* "U = SND.UNA + SND.WND - SND.NXT", never negative here, however much the window shrank (MUST-34). */
static uint32_t usable_window(const struct ref_tcb *tcb)
{
    int32_t usable = seq_distance(tcb->snd_nxt, tcb->snd_una + tcb->snd_wnd);
    return usable > 0 ? (uint32_t)usable : 0;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* ---- new data ---------------------------------------------------------------------------------------------------- */

/* §3.8.6.2.1: d octets queued and not sent, u usable, mss to a full segment. */
static bool worth_sending(const struct ref_tcb *tcb, uint32_t d, uint32_t u, uint32_t mss)
{
    bool pushed = !tcb->options.cork && !tcb->more_coming;
    bool nagle_permits = ref_flight(tcb) == 0 || tcb->options.nodelay;
    if (smaller(d, u) >= mss)
        return true; /* (1) */
    if (tcb->fin_queued && d <= u)
        return true; /* CLOSE implies push, and nothing will be added: not for Nagle to delay (RFC 2525 §2.15) */
    if (nagle_permits && pushed && d <= u)
        return true; /* (2) */
    if (nagle_permits && pushed && smaller(d, u) >= tcb->max_snd_wnd / 2)
        return true; /* (3) */
    return tcb->override; /* (4) */
}

static bool send_new(struct ref_tcb *tcb)
{
    uint32_t data_end = ref_data_end(tcb);
    if (!may_send_data(tcb) || tcb->ecn_hold || seq_gt(tcb->snd_nxt, data_end))
        return false; /* the last: the FIN is sent */
    uint32_t d = data_end - tcb->snd_nxt, u = usable_window(tcb), mss = ref_data_room(tcb);
    if ((d == 0 && !tcb->fin_queued) || u == 0 || !worth_sending(tcb, d, u, mss))
        return false;
    ref_cc_before_send(tcb);
    uint32_t len = smaller(smaller(d, u), mss);
    bool fin = tcb->fin_queued && len == d && u > len;
    uint32_t wanted = len + (fin ? 1u : 0u), room = ref_cc_room(tcb);
    if (wanted == 0 || (room < wanted && ref_flight(tcb) != 0))
        return false;
    tcb->override = false;
    return ref_send_data(tcb, tcb->snd_nxt, smaller(len, room), fin) != 0;
}

/* ---- data sent before -------------------------------------------------------------------------------------------- */

/* The right edge within which data is sent again: SHLD-16. */
static uint32_t window_edge(const struct ref_tcb *tcb)
{
    return tcb->snd_una + tcb->snd_wnd;
}

/* Go-back: from snd_rtx on, around what has been SACKed, as much as the congestion window lets out (RFC 5681 §3.1, RFC 6675 §5.1).
 * New data may fill up the last segment. */
static bool send_again(struct ref_tcb *tcb)
{
    const struct ref_range *held;
    while ((held = ref_ranges_find(&tcb->sacked, tcb->snd_rtx)))
        tcb->snd_rtx = held->right;
    if (seq_ge(tcb->snd_rtx, tcb->recover)) {
        tcb->recovery = REF_RECOVERY_NONE;
        return false;
    }
    if (seq_ge(tcb->snd_rtx, window_edge(tcb)))
        return false; /* closed: the persist timer sees to it */
    struct ref_range next;
    uint32_t end = ref_data_end(tcb), edge = window_edge(tcb);
    if (ref_ranges_first_overlap(&tcb->sacked, tcb->snd_rtx, tcb->snd_nxt, &next))
        end = seq_min(end, next.left);
    uint32_t len = seq_lt(tcb->snd_rtx, end) ? end - tcb->snd_rtx : 0;
    len = smaller(smaller(len, edge - tcb->snd_rtx), ref_data_room(tcb));
    if (tcb->snd_rtx != tcb->snd_una && ref_cc_room(tcb) < len)
        return false;
    uint32_t sent = ref_send_data(tcb, tcb->snd_rtx, len, seq_lt(tcb->snd_rtx + len, edge));
    tcb->snd_rtx += sent;
    return sent != 0;
}

static bool send_range(struct ref_tcb *tcb, struct ref_range range)
{
    uint32_t data_end = ref_data_end(tcb);
    uint32_t end = seq_min(range.right, data_end);
    uint32_t len = seq_lt(range.left, end) ? end - range.left : 0;
    return ref_send_data(tcb, range.left, len, seq_gt(range.right, data_end)) != 0;
}

/* RFC 6675 §5 (C): while cwnd - pipe >= 1 SMSS, what NextSeg() says. */
static bool send_in_sack_recovery(struct ref_tcb *tcb)
{
    struct ref_range range;
    if (ref_cc_room(tcb) < ref_eff_mss(tcb))
        return false;
    if (ref_sack_next(tcb, REF_SACK_RULE_1, &range)) {
        tcb->snd_rtx = range.right;
        return send_range(tcb, range);
    }
    if (send_new(tcb)) /* rule 2 */
        return true;
    if (ref_sack_next(tcb, REF_SACK_RULE_3, &range)) {
        tcb->snd_rtx = range.right;
        return send_range(tcb, range);
    }
    if (tcb->rescued || !ref_sack_next(tcb, REF_SACK_RULE_4, &range))
        return false;
    tcb->rescued = true; /* and HighRxt stays */
    return send_range(tcb, range);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static void wait_for_queue(struct ref_tcb *tcb)
{
    struct ref_stack *stack = tcb->stack;
    if (tcb->output_blocked)
        return;
    tcb->output_blocked = true;
    tcb->blocked_next = NULL;
    if (stack->blocked_last)
        stack->blocked_last->blocked_next = tcb;
    else
        stack->blocked_first = tcb;
    stack->blocked_last = tcb;
}

static bool send_next(struct ref_tcb *tcb)
{
    if (tcb->send_limit == REF_SEND_SENT_ONE || tcb->snd_una == ref_stream_end(tcb))
        return false;
    if (!ref_queue_has_room(tcb->stack)) {
        wait_for_queue(tcb);
        return false;
    }
    bool sent = false;
    if (tcb->recovery == REF_RECOVERY_GO_BACK)
        sent = send_again(tcb);
    if (tcb->recovery == REF_RECOVERY_SACK)
        sent = send_in_sack_recovery(tcb);
    else if (!sent && tcb->recovery != REF_RECOVERY_GO_BACK)
        sent = send_new(tcb);
    if (sent && tcb->send_limit == REF_SEND_ONE)
        tcb->send_limit = REF_SEND_SENT_ONE;
    return sent;
}

void ref_tcp_output(struct ref_tcb *tcb)
{
    if (may_send_data(tcb) && !(ref_syn_unacked(tcb) && tcb->snd_wnd == 0)) {
        while (send_next(tcb))
            ;
    }
    if (tcb->ack_now)
        ref_send_ack(tcb);
    ref_arm_timers(tcb);
}

void ref_output_unblock(struct ref_stack *stack)
{
    while (stack->blocked_first && ref_queue_has_room(stack)) {
        struct ref_tcb *tcb = stack->blocked_first;
        stack->blocked_first = tcb->blocked_next;
        if (!stack->blocked_first)
            stack->blocked_last = NULL;
        tcb->output_blocked = false;
        ref_tcp_output(tcb);
    }
}

/* ---- the timers that go with it ---------------------------------------------------------------------------------- */

static int64_t persist_interval(const struct ref_tcb *tcb)
{
    int64_t interval_ns = tcb->rtt.rto_ns, most_ns = tcb->stack->config.max_rto_ns;
    for (uint32_t i = 0; i < tcb->persist_backoff && interval_ns < most_ns; i++)
        interval_ns *= 2; /* SHLD-30 */
    return interval_ns < most_ns ? interval_ns : most_ns;
}

static void note_waiting(struct ref_tcb *tcb, bool waiting)
{
    if (waiting && !tcb->waiting)
        tcb->waiting_since_ns = tcb->stack->now_ns;
    tcb->waiting = waiting;
    ref_user_timer_arm(tcb);
}

void ref_arm_timers(struct ref_tcb *tcb)
{
    int64_t now_ns = tcb->stack->now_ns;
    if (tcb->state == TCP_STATE_CLOSED || tcb->state == TCP_STATE_TIME_WAIT)
        return;
    bool outstanding = tcb->snd_una != tcb->snd_nxt;
    bool unsent = may_send_data(tcb) && seq_lt(tcb->snd_nxt, ref_stream_end(tcb));
    bool closed_window = tcb->snd_wnd == 0 && !ref_syn_unacked(tcb);
    note_waiting(tcb, outstanding || (unsent && closed_window));
    if ((outstanding && !closed_window) || tcb->ecn_hold) { /* RFC 6298 (5.1) */
        ref_timer_stop(tcb, REF_TIMER_PERSIST);
        ref_timer_start(tcb, REF_TIMER_RETRANSMIT, now_ns + tcb->rtt.rto_ns);
        return;
    }
    ref_timer_stop(tcb, REF_TIMER_RETRANSMIT);
    if ((outstanding || unsent) && closed_window) /* SHLD-29, MUST-35 */
        ref_timer_start(tcb, REF_TIMER_PERSIST, now_ns + persist_interval(tcb));
    else if (unsent && !tcb->output_blocked)
        ref_timer_start(tcb, REF_TIMER_PERSIST, now_ns + tcb->stack->config.sws_override_ns);
    else
        ref_timer_stop(tcb, REF_TIMER_PERSIST);
}

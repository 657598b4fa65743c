/* RFC 9293 §3.10.7.4, fifth check, ESTABLISHED STATE: what an acceptable acknowledgment does to the send side. */
#include "targets/reference/stack.h"

/* RFC 6298 with RFC 7323 §4: one measurement from this acknowledgment, if it allows one. */
static void measure_round_trip(struct ref_tcb *tcb, const struct ref_segment *seg, uint32_t flight_before)
{
    const struct ref_config *config = &tcb->stack->config;
    const struct ref_rtt_limits limits = { .min_rto_ns = config->min_rto_ns, .max_rto_ns = config->max_rto_ns };
    if (tcb->timestamps && seg->options.has_timestamp) {
        uint32_t elapsed = ref_timestamp_clock(tcb->stack->now_ns) + tcb->ts_offset - seg->options.ts_ecr;
        bool plausible = elapsed < UINT32_MAX / 2 && (int64_t)elapsed * REF_CLOCK_GRANULARITY_NS <= config->max_rto_ns * 16;
        uint32_t mss = ref_eff_mss(tcb), expected = (flight_before + 2 * mss - 1) / (2 * mss);
        if (plausible)
            ref_rtt_sample(&tcb->rtt, &limits, (int64_t)elapsed * REF_CLOCK_GRANULARITY_NS, expected ? expected : 1);
        return;
    }
    if (tcb->rtt_timing && seq_ge(seg->ack, tcb->rtt_seq)) { /* Karn: never a segment sent twice */
        tcb->rtt_timing = false;
        ref_rtt_sample(&tcb->rtt, &limits, tcb->stack->now_ns - tcb->rtt_at_ns, 1);
    }
}

/* "Any segments on the retransmission queue that are thereby entirely acknowledged are removed." */
static void remove_acknowledged(struct ref_tcb *tcb, uint32_t ack)
{
    if (seq_gt(ack, tcb->snd_data)) {
        uint32_t octets = ack - tcb->snd_data;
        if (octets > tcb->snd_queued)
            octets = tcb->snd_queued; /* the rest is the FIN */
        ref_ring_drop(&tcb->snd_ring, octets);
        tcb->snd_data += octets;
        tcb->snd_queued -= octets;
    }
    tcb->snd_una = ack;
    tcb->snd_rtx = seq_max(tcb->snd_rtx, ack);
    ref_ranges_drop_below(&tcb->sacked, ack);
    if (tcb->snd_urgent && seq_ge(ack, tcb->snd_up))
        tcb->snd_urgent = false;
}

static void new_acknowledgment(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    uint32_t flight_before = ref_flight(tcb);
    bool syn_acked = ref_syn_unacked(tcb);
    uint32_t acked = seg->ack - tcb->snd_una - (syn_acked ? 1u : 0u); /* the SYN does not open the window (RFC 5681 §3.1) */
    measure_round_trip(tcb, seg, flight_before);
    if (syn_acked && tcb->syn_retransmitted && tcb->rtt.rto_ns < 3 * (int64_t)REF_NS_PER_S)
        tcb->rtt.rto_ns = 3 * (int64_t)REF_NS_PER_S; /* RFC 6298 (5.7) */
    remove_acknowledged(tcb, seg->ack);
    tcb->syn_acked = true;
    tcb->retransmits = 0;
    tcb->r1_reported = false;
    tcb->soft_error = 0;
    tcb->waiting_since_ns = tcb->stack->now_ns;
    if (tcb->send_limit == REF_SEND_SENT_ONE)
        tcb->send_limit = REF_SEND_FREELY;
    ref_timer_stop(tcb, REF_TIMER_RETRANSMIT); /* RFC 6298 (5.2), (5.3): ref_arm_timers starts it anew */
    ref_timer_stop(tcb, REF_TIMER_USER);
    ref_pmtu_acked(tcb);
    if (acked)
        ref_cc_ack(tcb, acked, flight_before);
}

/* RFC 5681 §2; with SACK, RFC 6675 §2: one that tells of something new held above the gap. */
static bool is_duplicate(const struct ref_tcb *tcb, const struct ref_segment *seg, bool sack_told_something)
{
    if (ref_flight(tcb) == 0 || seg->ack != tcb->snd_una)
        return false;
    if (tcb->snd_wnd == 0) /* the answer to a zero-window probe: it tells of no loss */
        return false;
    if (tcb->sack)
        return sack_told_something;
    return ref_segment_len(seg) == 0 && seg->wnd == tcb->snd_wnd;
}

static void update_send_window(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    bool newer = seq_lt(tcb->snd_wl1, seg->seq) || (tcb->snd_wl1 == seg->seq && seq_le(tcb->snd_wl2, seg->ack));
    if (seq_lt(seg->ack, tcb->snd_una) || seq_gt(seg->ack, tcb->snd_nxt) || !newer)
        return;
    bool reopened = tcb->snd_wnd == 0 && seg->wnd != 0;
    tcb->snd_wnd = seg->wnd;
    tcb->snd_wl1 = seg->seq;
    tcb->snd_wl2 = seg->ack;
    if (tcb->max_snd_wnd < tcb->snd_wnd)
        tcb->max_snd_wnd = tcb->snd_wnd;
    if (!reopened)
        return;
    ref_timer_stop(tcb, REF_TIMER_PERSIST);
    tcb->persist_backoff = 0;
    if (ref_flight(tcb)) /* what was sent into the closed window, a probe's octet at least, is sent again with what follows */
        ref_cc_go_back(tcb);
}

void ref_acknowledge(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    tcb->probes = 0;
    if (seg->options.has_user_timeout && !(seg->flags & PKT_SYN))
        ref_user_timeout_received(tcb, seg->options.user_timeout);
    if (tcb->ecn && (seg->flags & PKT_ECE)) /* first: such an acknowledgment does not open the window (RFC 3168 §6.1.2) */
        ref_cc_ecn_echo(tcb, seg->ack);
    bool sack_told_something = tcb->sack && ref_sack_received(tcb, seg);
    bool duplicate = is_duplicate(tcb, seg, sack_told_something);
    if (seq_gt(seg->ack, tcb->snd_una))
        new_acknowledgment(tcb, seg);
    else if (duplicate)
        ref_cc_duplicate_ack(tcb);
    update_send_window(tcb, seg);
}

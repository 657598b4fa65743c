/* Congestion control: RFC 5681 (slow start, congestion avoidance, fast retransmit), RFC 6582 (NewReno), RFC 3042 (limited
 * transmit), RFC 3168 (ECN), and the entry into RFC 6675's recovery. The names are theirs: SMSS is ref_eff_mss(), FlightSize
 * ref_flight(). */
#include "targets/reference/stack.h"

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* RFC 5681 §3.1: IW; one segment when the SYN or SYN,ACK was lost. */
static uint32_t initial_window(const struct ref_tcb *tcb)
{
    uint32_t smss = ref_eff_mss(tcb);
    if (tcb->syn_retransmitted)
        return smss;
    return smss > 2190 ? 2 * smss : smss > 1095 ? 3 * smss : 4 * smss;
}

void ref_cc_established(struct ref_tcb *tcb)
{
    tcb->cwnd = initial_window(tcb);
    tcb->ssthresh = UINT32_MAX; /* arbitrarily high */
    tcb->cwnd_acked = 0;
}

/* equation (4): max (FlightSize / 2, 2*SMSS) */
static uint32_t half_of(const struct ref_tcb *tcb, uint32_t flight)
{
    return larger(flight / 2, 2 * ref_eff_mss(tcb));
}

/* ---- how much may leave ------------------------------------------------------------------------------------------ */

uint32_t ref_cc_room(const struct ref_tcb *tcb)
{
    uint32_t window = tcb->cwnd, used = ref_flight(tcb);
    switch (tcb->recovery) {
    case REF_RECOVERY_GO_BACK: /* what lies beyond snd_rtx is taken for lost */
        used = tcb->snd_rtx - tcb->snd_una - ref_ranges_octets(&tcb->sacked, tcb->snd_una, tcb->snd_rtx);
        break;
    case REF_RECOVERY_SACK:
        used = ref_sack_pipe(tcb);
        break;
    case REF_RECOVERY_NEWRENO: /* cwnd is inflated instead */
        break;
    case REF_RECOVERY_NONE:
        if (tcb->sack) /* RFC 6675 §5 (3.3) is limited transmit, too: SACKed octets have left the network */
            used -= ref_ranges_octets(&tcb->sacked, tcb->snd_una, tcb->snd_nxt);
        else if (tcb->dup_acks) /* RFC 3042 */
            window += smaller(tcb->dup_acks, 2) * ref_eff_mss(tcb);
        break;
    }
    return window > used ? window - used : 0;
}

/* RFC 5681 §4.1: after more than an RTO without sending, not more than the restart window. */
void ref_cc_before_send(struct ref_tcb *tcb)
{
    bool idle = ref_flight(tcb) == 0 && tcb->stack->now_ns - tcb->last_data_sent_ns > tcb->rtt.rto_ns;
    if (idle)
        tcb->cwnd = smaller(tcb->cwnd, initial_window(tcb));
}

/* ---- growth ------------------------------------------------------------------------------------------------------ */

static void grow(struct ref_tcb *tcb, uint32_t acked, uint32_t flight_before)
{
    uint32_t smss = ref_eff_mss(tcb), most = UINT32_MAX / 4;
    if (flight_before < tcb->cwnd / 2)
        return; /* less than half of it was used: nothing was learned about more */
    if (tcb->cwnd < tcb->ssthresh) { /* slow start, equation (2) */
        tcb->cwnd = smaller(tcb->cwnd + smaller(acked, smss), most);
        return;
    }
    tcb->cwnd_acked += acked; /* congestion avoidance by counting octets */
    if (tcb->cwnd_acked >= tcb->cwnd) {
        tcb->cwnd_acked -= tcb->cwnd;
        tcb->cwnd = smaller(tcb->cwnd + smss, most);
    }
}

/* RFC 6582 §3.2 (3): partial and full acknowledgments. */
static void ack_in_newreno(struct ref_tcb *tcb, uint32_t acked)
{
    uint32_t smss = ref_eff_mss(tcb);
    if (seq_ge(tcb->snd_una, tcb->recover)) {
        tcb->cwnd = smaller(tcb->ssthresh, larger(ref_flight(tcb), smss) + smss);
        tcb->recovery = REF_RECOVERY_NONE;
        return;
    }
    ref_send_data(tcb, tcb->snd_una, ref_flight(tcb), seq_gt(tcb->snd_nxt, ref_data_end(tcb)));
    tcb->cwnd = tcb->cwnd > acked ? tcb->cwnd - acked : 0;
    if (acked >= smss)
        tcb->cwnd += smss;
    tcb->cwnd = larger(tcb->cwnd, smss);
}

/* An acknowledgment of new data; snd_una has moved. */
void ref_cc_ack(struct ref_tcb *tcb, uint32_t acked, uint32_t flight_before)
{
    tcb->dup_acks = 0;
    if (tcb->recover_valid && seq_gt(tcb->snd_una, tcb->recover) && tcb->recovery == REF_RECOVERY_NONE)
        tcb->recover_valid = false; /* so that it cannot be mistaken for a number 2^31 later */
    switch (tcb->recovery) {
    case REF_RECOVERY_NEWRENO:
        ack_in_newreno(tcb, acked);
        return;
    case REF_RECOVERY_SACK:
        if (seq_ge(tcb->snd_una, tcb->recover)) { /* RFC 6675 §5 (A) */
            tcb->cwnd = tcb->ssthresh;
            tcb->recovery = REF_RECOVERY_NONE;
        }
        return;
    case REF_RECOVERY_GO_BACK:
        if (seq_ge(tcb->snd_rtx, tcb->recover))
            tcb->recovery = REF_RECOVERY_NONE;
        break;
    case REF_RECOVERY_NONE:
        break;
    }
    if (!tcb->ecn_reacted || seq_gt(tcb->snd_una, tcb->ecn_point)) {
        tcb->ecn_reacted = false;
        grow(tcb, acked, flight_before);
    }
}

/* ---- loss -------------------------------------------------------------------------------------------------------- */

static void congestion_reported(struct ref_tcb *tcb)
{
    if (tcb->ecn)
        tcb->ecn_cwr = true; /* RFC 3168 §6.1.2: after any reduction */
    tcb->cwnd_acked = 0;
}

/* No second reduction for the losses of one window: RFC 6582 §3.2 (1) wants more than recover acknowledged, as duplicates of what
 * was resent needlessly ask for exactly that; RFC 6675 §5.1 wants RecoveryPoint reached. */
static bool may_enter_recovery(const struct ref_tcb *tcb)
{
    if (!tcb->recover_valid)
        return true;
    return tcb->sack ? seq_ge(tcb->snd_una, tcb->recover) : seq_gt(tcb->snd_una, tcb->recover);
}

/* RFC 5681 §3.2 (2)-(3) and RFC 6675 §5 (4): retransmit what appears to be missing at SND.UNA. */
static void fast_retransmit(struct ref_tcb *tcb)
{
    uint32_t smss = ref_eff_mss(tcb), data_end = ref_data_end(tcb);
    tcb->ssthresh = half_of(tcb, tcb->flight_at_first_dup);
    tcb->recover = tcb->snd_nxt;
    tcb->recover_valid = true;
    tcb->rescued = false;
    tcb->stack->counters.fast_retransmits++;
    congestion_reported(tcb);
    uint32_t len = ref_flight(tcb);
    struct ref_range next;
    if (ref_ranges_first_overlap(&tcb->sacked, tcb->snd_una, tcb->snd_nxt, &next))
        len = next.left - tcb->snd_una;
    uint32_t sent = ref_send_data(tcb, tcb->snd_una, len, seq_gt(tcb->snd_nxt, data_end));
    tcb->recovery = tcb->sack ? REF_RECOVERY_SACK : REF_RECOVERY_NEWRENO;
    tcb->cwnd = tcb->sack ? tcb->ssthresh : tcb->ssthresh + 3 * smss;
    tcb->snd_rtx = tcb->snd_una + sent; /* HighRxt */
}

void ref_cc_duplicate_ack(struct ref_tcb *tcb)
{
    if (tcb->recovery == REF_RECOVERY_NEWRENO) {
        tcb->cwnd += ref_eff_mss(tcb); /* RFC 5681 §3.2 (4) */
        return;
    }
    if (tcb->recovery != REF_RECOVERY_NONE)
        return;
    if (tcb->dup_acks++ == 0)
        tcb->flight_at_first_dup = ref_flight(tcb); /* before limited transmit adds to it */
    bool lost = tcb->dup_acks >= REF_DUP_THRESH || (tcb->sack && ref_sack_is_lost(tcb, tcb->snd_una));
    if (lost && may_enter_recovery(tcb))
        fast_retransmit(tcb);
}

void ref_cc_go_back(struct ref_tcb *tcb)
{
    tcb->recovery = REF_RECOVERY_GO_BACK;
    tcb->snd_rtx = tcb->snd_una;
    tcb->recover = tcb->snd_nxt;
    tcb->recover_valid = true;
    tcb->dup_acks = 0;
}

void ref_cc_timeout(struct ref_tcb *tcb)
{
    if (tcb->retransmits <= 1) /* RFC 5681 §3.1: not for a segment already sent again by the timer */
        tcb->ssthresh = half_of(tcb, ref_flight(tcb));
    tcb->cwnd = ref_eff_mss(tcb); /* the loss window */
    ref_ranges_clear(&tcb->sacked); /* RFC 2018 §5.1: the peer may have reneged */
    tcb->ecn_hold = false;
    congestion_reported(tcb);
    ref_cc_go_back(tcb);
}

/* RFC 3168 §6.1.2: an ECE halves the window, once per window of data. */
void ref_cc_ecn_echo(struct ref_tcb *tcb, uint32_t ack)
{
    if ((tcb->ecn_reacted && seq_le(ack, tcb->ecn_point)) || tcb->recovery != REF_RECOVERY_NONE)
        return;
    uint32_t smss = ref_eff_mss(tcb);
    if (tcb->cwnd <= smss) { /* cannot be halved: wait for the timer instead */
        tcb->ecn_hold = true;
        ref_timer_set(tcb, REF_TIMER_RETRANSMIT, tcb->stack->now_ns + tcb->rtt.rto_ns);
        return;
    }
    tcb->ssthresh = half_of(tcb, ref_flight(tcb));
    tcb->cwnd = larger(tcb->cwnd / 2, smss);
    tcb->ecn_reacted = true;
    tcb->ecn_point = tcb->snd_nxt;
    congestion_reported(tcb);
}

/* RFC 9293 §3.10.7.4, Other States: the checks every segment of a connection goes through, first to eighth, in the RFC's order; and
 * the reopening of a connection from TIME-WAIT (MAY-2, RFC 6191). */
#include "targets/reference/stack.h"

#include <assert.h>
#include <errno.h>

enum step { NEXT, DONE };

/* RFC 5961 §7, as Errata 4772 suggests, for each connection apart: nobody else can count them. The count starts afresh once a whole
 * interval has passed without one, so that no interval ever has more than the limit. */
void ref_challenge_ack(struct ref_tcb *tcb)
{
    const struct ref_config *config = &tcb->stack->config;
    int64_t now_ns = tcb->stack->now_ns;
    if (now_ns - tcb->challenge_ack_at_ns >= config->challenge_ack_interval_ns)
        tcb->challenge_acks = 0;
    if (tcb->challenge_acks >= config->challenge_ack_limit) {
        tcb->stack->counters.challenge_acks_limited++;
        return;
    }
    tcb->challenge_acks++;
    tcb->challenge_ack_at_ns = now_ns;
    tcb->stack->counters.challenge_acks++;
    ref_send_ack(tcb);
}

static bool is_synchronised(const struct ref_tcb *tcb)
{
    return tcb->state >= TCP_STATE_ESTABLISHED;
}

/* ---- First, check sequence number -------------------------------------------------------------------------------- */

/* Two hosts whose windows are both full, and both lost something, find each other's empty segments unacceptable, and would answer
 * them for ever (RFC 9293 Appendix A.2, RFC 5961 §7): so many answers to empty segments a second, and no more. */
static bool answers_too_often(struct ref_tcb *tcb)
{
    int64_t now_ns = tcb->stack->now_ns;
    if (now_ns - tcb->empty_answered_since_ns >= REF_NS_PER_S) {
        tcb->empty_answered_since_ns = now_ns;
        tcb->empty_answered = 0;
    }
    return tcb->empty_answered++ >= REF_EMPTY_ANSWERED_PER_S_MAX;
}

/* "If an incoming segment is not acceptable, an acknowledgment should be sent in reply." */
static enum step not_acceptable(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    if (ref_segment_len(seg) == 0 && answers_too_often(tcb)) {
        tcb->stack->counters.challenge_acks_limited++;
        return DONE;
    }
    uint32_t end = seg->seq + ref_segment_len(seg);
    if (seg->text_len && seq_le(seg->seq + seg->text_len, tcb->rcv_nxt))
        ref_sack_note_duplicate(tcb, seg->seq, seg->seq + seg->text_len);
    if (tcb->state == TCP_STATE_TIME_WAIT && (seg->flags & PKT_FIN) && end == tcb->rcv_nxt)
        ref_enter_time_wait(tcb); /* a retransmission of the remote FIN: restart the 2 MSL timeout */
    ref_send_ack(tcb);
    return DONE;
}

/* "If the RCV.WND is zero, no segments will be acceptable, but special allowance should be made to accept valid ACKs, URGs, and
 * RSTs": the segment counts without its text and FIN, and is answered (MUST-66). */
static bool allow_without_text(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (tcb->rcv_wnd != 0 || seg->seq != tcb->rcv_nxt)
        return false;
    if (tcb->ecn && seg->ce)
        tcb->ecn_echo = true; /* a marked window probe: RFC 3168 §6.1.6 */
    seg->text_len = 0;
    seg->flags &= (uint16_t)~PKT_FIN;
    tcb->ack_now = true;
    return true;
}

/* "One could tailor actual segments to fit this assumption by trimming off any portions that lie outside the window." */
static void trim_to_window(struct ref_tcb *tcb, struct ref_segment *seg)
{
    uint32_t right = tcb->rcv_nxt + tcb->rcv_wnd;
    if (seq_lt(seg->seq + seg->text_len, tcb->rcv_nxt))
        seg->flags &= (uint16_t)~PKT_FIN; /* an old one */
    if (seq_lt(seg->seq, tcb->rcv_nxt)) {
        uint32_t old = tcb->rcv_nxt - seg->seq;
        uint32_t old_text = old < seg->text_len ? old : seg->text_len;
        if (old_text)
            ref_sack_note_duplicate(tcb, seg->seq, seg->seq + old_text);
        seg->text += old_text;
        seg->text_len -= old_text;
        seg->seq = tcb->rcv_nxt;
    }
    if (seq_gt(seg->seq + seg->text_len, right)) {
        seg->text_len = right - seg->seq;
        seg->flags &= (uint16_t)~PKT_FIN;
    } else if ((seg->flags & PKT_FIN) && seg->seq + seg->text_len == right && seg->text_len) {
        seg->flags &= (uint16_t)~PKT_FIN; /* the FIN's own number lies outside */
    }
}

/* The SYN of a SYN,ACK that crossed ours in a simultaneous open (Figure 8) is old: what remains is its ACK. */
static void trim_crossed_syn(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (tcb->state == TCP_STATE_SYN_RECEIVED && !tcb->passive && (seg->flags & PKT_SYN) && (seg->flags & PKT_ACK)
        && seg->seq == tcb->irs) {
        seg->seq++;
        seg->flags &= (uint16_t)~PKT_SYN;
    }
}

static enum step first_check_sequence_number(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (seg->flags & PKT_RST) /* judged by its number alone, text or not, whatever its timestamp (RFC 5961 §3.2, RFC 7323 §5.2) */
        return ref_segment_acceptable(tcb->rcv_nxt, tcb->rcv_wnd, seg->seq, 0) ? NEXT : DONE;
    if ((seg->flags & PKT_SYN) && is_synchronised(tcb)) /* irrespective of the sequence number (RFC 5961 §4.2) */
        return NEXT;
    trim_crossed_syn(tcb, seg);
    if (tcb->timestamps && !seg->options.has_timestamp) /* RFC 7323 §3.2 */
        return DONE;
    if (ref_paws_rejects(tcb, seg)) { /* RFC 7323 §5.3 R1 */
        ref_send_ack(tcb);
        return DONE;
    }
    if (!ref_segment_acceptable(tcb->rcv_nxt, tcb->rcv_wnd, seg->seq, ref_segment_len(seg)) && !allow_without_text(tcb, seg))
        return not_acceptable(tcb, seg); /* R2 */
    ref_paws_update(tcb, seg); /* R3 */
    trim_to_window(tcb, seg);
    return NEXT;
}

/* ---- Second, check the RST bit ----------------------------------------------------------------------------------- */

static void reset_in_syn_received(struct ref_tcb *tcb)
{
    if (!tcb->passive) {
        ref_tcb_close(tcb, ECONNREFUSED);
        return;
    }
    if (tcb->fastopen && tcb->listener)
        ref_fastopen_penalty(tcb->listener, tcb->stack->now_ns);
    if (tcb->socket)
        ref_tcb_close(tcb, ECONNRESET);
    else
        ref_tcb_give_back(tcb); /* return to LISTEN (or, MAY-2 (2), to TIME-WAIT) */
}

static enum step second_check_rst(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (!(seg->flags & PKT_RST))
        return NEXT;
    if (seg->seq != tcb->rcv_nxt) { /* RFC 5961 §3.2: in the window, but not exact */
        ref_challenge_ack(tcb);
        return DONE;
    }
    switch (tcb->state) {
    case TCP_STATE_SYN_RECEIVED:
        reset_in_syn_received(tcb);
        break;
    case TCP_STATE_ESTABLISHED:
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_FIN_WAIT_2:
        ref_tcb_close(tcb, ECONNRESET);
        break;
    case TCP_STATE_CLOSE_WAIT: /* the same to the RFC; sockets call it a broken pipe once the peer has closed */
        ref_tcb_close(tcb, EPIPE);
        break;
    case TCP_STATE_TIME_WAIT:
        if (tcb->stack->config.rfc1337)
            break;
        /* fall through */
    default: /* CLOSING, LAST-ACK, TIME-WAIT */
        ref_tcb_close(tcb, 0);
        break;
    }
    return DONE;
}

/* ---- Third, check security: there are no compartments here. Fourth, check the SYN bit ---------------------------- */

static enum step fourth_check_syn(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (!(seg->flags & PKT_SYN))
        return NEXT;
    if (tcb->state == TCP_STATE_SYN_RECEIVED && tcb->passive && !tcb->socket)
        ref_tcb_give_back(tcb); /* return this connection to the LISTEN state */
    else
        ref_challenge_ack(tcb); /* RFC 5961 §4.2 */
    return DONE;
}

/* ---- Fifth, check the ACK field ---------------------------------------------------------------------------------- */

static enum step ack_in_syn_received(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (!seq_in_window(seg->ack, tcb->snd_una + 1, tcb->snd_nxt - tcb->snd_una)) {
        ref_send_reset_reply(tcb->stack, seg); /* <SEQ=SEG.ACK><CTL=RST> */
        return DONE;
    }
    if (!ref_enter_established(tcb)) {
        if (tcb->stack->config.abort_on_overflow)
            ref_tcb_abort(tcb, 0);
        return DONE;
    }
    tcb->snd_wnd = seg->wnd;
    tcb->snd_wl1 = seg->seq;
    tcb->snd_wl2 = seg->ack;
    if (tcb->max_snd_wnd < tcb->snd_wnd)
        tcb->max_snd_wnd = tcb->snd_wnd;
    ref_take_held(tcb);
    trim_to_window(tcb, seg); /* what has come with the SYN may be in it, too */
    return NEXT;
}

static void enter_fin_wait_2(struct ref_tcb *tcb)
{
    tcb->state = TCP_STATE_FIN_WAIT_2;
    if (tcb->orphan) {
        int64_t stay_ns = tcb->options.linger2_s > 0 ? (int64_t)tcb->options.linger2_s * REF_NS_PER_S : tcb->stack->config.fin_wait_2_ns;
        ref_timer_set(tcb, REF_TIMER_LIFETIME, tcb->stack->now_ns + stay_ns);
    }
}

/* In addition to the processing for the ESTABLISHED state. */
static enum step ack_when_closing(struct ref_tcb *tcb)
{
    bool fin_acked = ref_fin_acked(tcb);
    switch (tcb->state) {
    case TCP_STATE_FIN_WAIT_1:
        if (fin_acked)
            enter_fin_wait_2(tcb);
        return NEXT;
    case TCP_STATE_CLOSING:
        if (!fin_acked)
            return DONE;
        ref_enter_time_wait(tcb);
        return NEXT;
    case TCP_STATE_LAST_ACK:
        if (!fin_acked)
            return NEXT;
        ref_tcb_close(tcb, 0);
        return DONE;
    default:
        return NEXT;
    }
}

/* RFC 5961 §5.2: (SND.UNA - MAX.SND.WND) =< SEG.ACK =< SND.NXT. */
static bool ack_in_range(const struct ref_tcb *tcb, uint32_t ack)
{
    uint32_t lowest = tcb->snd_una - tcb->max_snd_wnd;
    return ack - lowest <= tcb->snd_nxt - lowest;
}

static enum step fifth_check_ack(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (!(seg->flags & PKT_ACK))
        return DONE;
    if (tcb->state == TCP_STATE_SYN_RECEIVED && ack_in_syn_received(tcb, seg) == DONE)
        return DONE;
    if (!ack_in_range(tcb, seg->ack)) {
        ref_challenge_ack(tcb);
        return DONE;
    }
    if (tcb->state == TCP_STATE_TIME_WAIT) {
        if (seg->flags & PKT_FIN) { /* acknowledge it, and restart the 2 MSL timeout */
            tcb->ack_now = true;
            ref_enter_time_wait(tcb);
        }
        return NEXT;
    }
    ref_acknowledge(tcb, seg);
    return ack_when_closing(tcb);
}

/* ---- Sixth, check the URG bit ------------------------------------------------------------------------------------ */

static bool may_receive(const struct ref_tcb *tcb)
{
    return tcb->state == TCP_STATE_ESTABLISHED || tcb->state == TCP_STATE_FIN_WAIT_1 || tcb->state == TCP_STATE_FIN_WAIT_2;
}

static enum step sixth_check_urg(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (!(seg->flags & PKT_URG) || !may_receive(tcb))
        return NEXT;
    bool advances = !tcb->urgent_known || seq_gt(seg->up, tcb->rcv_up);
    if (!advances || seq_le(seg->up, ref_unread_seq(tcb))) /* not in advance of the data consumed */
        return NEXT;
    tcb->urgent_known = true;
    tcb->urgent_taken = false;
    tcb->rcv_up = seg->up;
    ref_report(tcb, REF_REPORT_URGENT, seq_distance(ref_unread_seq(tcb), tcb->rcv_up)); /* MUST-32 */
    return NEXT;
}

/* ---- Seventh, process the segment text. Eighth, check the FIN bit: receive.c ------------------------------------- */

static enum step seventh_process_text(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (may_receive(tcb))
        ref_process_text(tcb, seg);
    return tcb->state == TCP_STATE_CLOSED ? DONE : NEXT;
}

static enum step eighth_check_fin(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (may_receive(tcb))
        ref_check_fin(tcb, seg);
    return NEXT;
}

typedef enum step check(struct ref_tcb *tcb, struct ref_segment *seg);

static enum step go_through(check *const *checks, size_t count, struct ref_tcb *tcb, struct ref_segment *seg)
{
    for (size_t i = 0; i < count; i++) {
        if (checks[i](tcb, seg) == DONE)
            return DONE;
    }
    return NEXT;
}

void ref_check_urg_text_fin(struct ref_tcb *tcb, struct ref_segment *seg)
{
    static check *const checks[] = { sixth_check_urg, seventh_process_text, eighth_check_fin };
    go_through(checks, sizeof checks / sizeof *checks, tcb, seg);
}

/* ---- TIME-WAIT: the improved algorithm of RFC 6191 §2, and MAY-2 ------------------------------------------------- */

enum syn_in_time_wait { SYN_OPENS, SYN_IS_DROPPED };

static enum syn_in_time_wait judge_syn(const struct ref_tcb *tcb, const struct ref_segment *syn)
{
    bool number_is_newer = seq_gt(syn->seq, tcb->rcv_nxt - 1); /* than the last one used: the FIN's */
    if (tcb->timestamps && syn->options.has_timestamp) {
        if (syn->options.ts_val == tcb->ts_recent)
            return number_is_newer ? SYN_OPENS : SYN_IS_DROPPED;
        return seq_gt(syn->options.ts_val, tcb->ts_recent) ? SYN_OPENS : SYN_IS_DROPPED;
    }
    if (!tcb->timestamps && syn->options.has_timestamp && tcb->stack->config.timestamps)
        return SYN_OPENS; /* the new connection would use timestamps */
    return number_is_newer ? SYN_OPENS : SYN_IS_DROPPED;
}

/* True: the SYN was dealt with here. Without a listener no connection could follow: it is treated like any other. */
static bool syn_in_time_wait(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (tcb->state != TCP_STATE_TIME_WAIT || (seg->flags & (PKT_SYN | PKT_ACK | PKT_RST)) != PKT_SYN)
        return false;
    struct pkt_endpoint local = { .addr = tcb->tuple.local, .port = tcb->tuple.local_port };
    struct ref_listener *listener = ref_listener_find(tcb->stack, &local);
    if (!listener)
        return false;
    if (judge_syn(tcb, seg) == SYN_OPENS)
        ref_arrives_listen(tcb->stack, listener, seg);
    return true;
}

void ref_arrives_other(struct ref_tcb *tcb, struct ref_segment *seg)
{
    static check *const checks[] = {
        first_check_sequence_number, second_check_rst, /* third: security */ fourth_check_syn, fifth_check_ack,
        sixth_check_urg, seventh_process_text, eighth_check_fin,
    };
    ref_heard(tcb);
    if (syn_in_time_wait(tcb, seg))
        return;
    go_through(checks, sizeof checks / sizeof *checks, tcb, seg);
    if (tcb->state != TCP_STATE_CLOSED)
        ref_tcp_output(tcb); /* one acknowledgment at most, with data if there is any (MUST-58) */
}

/* "Start the time-wait timer, turn off the other timers." */
void ref_enter_time_wait(struct ref_tcb *tcb)
{
    tcb->state = TCP_STATE_TIME_WAIT;
    ref_timers_stop_all(tcb);
    ref_timer_set(tcb, REF_TIMER_LIFETIME, tcb->stack->now_ns + 2 * tcb->stack->config.msl_ns);
}

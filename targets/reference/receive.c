/* Receiving: RFC 9293 §3.10.7.4 seventh (segment text) and eighth (FIN), when to acknowledge (§3.8.6.3), which window to offer
 * (§3.8.6.2.2). Text lies in the receive ring at its place in the stream, whether in order or above a gap. */
#include "targets/reference/stack.h"

#include <errno.h>

/* ---- the window -------------------------------------------------------------------------------------------------- */

/* RCV.BUFF - RCV.USER, bounded by what the window field can say. Never less than what was offered before (SHLD-14), and more only
 * in steps worth sending: "RCV.BUFF - RCV.USER - RCV.WND >= min(Fr * RCV.BUFF, Eff.snd.MSS)". */
uint32_t ref_receive_window(const struct ref_tcb *tcb)
{
    uint32_t buffer = (uint32_t)tcb->options.receive_buffer;
    uint32_t space = buffer > tcb->rcv_unread ? buffer - tcb->rcv_unread : 0;
    uint32_t most = (uint32_t)UINT16_MAX << tcb->rcv_wscale;
    if (tcb->options.window_clamp > 0 && most > (uint32_t)tcb->options.window_clamp)
        most = (uint32_t)tcb->options.window_clamp;
    if (space > most)
        space = most;
    if (space <= tcb->rcv_wnd)
        return tcb->rcv_wnd;
    uint32_t step = ref_eff_mss(tcb) < buffer / 2 ? ref_eff_mss(tcb) : buffer / 2;
    return space - tcb->rcv_wnd >= step ? space : tcb->rcv_wnd;
}

/* After RECEIVE: a segment of its own for two more segments' worth of window, for half the buffer, or to end a closed or nearly
 * closed window. */
void ref_window_update(struct ref_tcb *tcb)
{
    uint32_t offered = tcb->rcv_wnd, possible = ref_receive_window(tcb), mss = ref_eff_mss(tcb);
    if (tcb->fin_received || possible <= offered)
        return;
    uint32_t gain = possible - offered;
    if (gain >= 2 * mss || gain >= (uint32_t)tcb->options.receive_buffer / 2 || offered < mss)
        tcb->ack_now = true;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static void advance(struct ref_tcb *tcb, uint32_t octets)
{
    tcb->rcv_nxt += octets;
    tcb->rcv_unread += octets;
    tcb->rcv_wnd -= octets < tcb->rcv_wnd ? octets : tcb->rcv_wnd;
}

/* What was held above the gap has become in order, up to a FIN at most. */
static void advance_over_ranges(struct ref_tcb *tcb)
{
    if (tcb->rcv_ranges.count == 0 || seq_gt(tcb->rcv_ranges.items[0].left, tcb->rcv_nxt))
        return;
    uint32_t right = tcb->rcv_ranges.items[0].right;
    if (tcb->fin_known && seq_gt(right, tcb->fin_seq))
        right = tcb->fin_seq;
    advance(tcb, right - tcb->rcv_nxt);
    ref_ranges_drop_below(&tcb->rcv_ranges, tcb->rcv_nxt);
    if (tcb->rcv_ranges.count == 0)
        tcb->rcv_recent_count = 0;
}

/* Nothing follows a FIN. */
static void trim_to_fin(const struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (!tcb->fin_known || seq_le(seg->seq + seg->text_len, tcb->fin_seq))
        return;
    seg->text_len = seq_lt(seg->seq, tcb->fin_seq) ? tcb->fin_seq - seg->seq : 0;
}

/* Writes what is not there yet: of octets received twice, the first copy counts. */
static void write_new_octets(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    uint32_t at = seg->seq, end = seg->seq + seg->text_len;
    while (seq_lt(at, end)) {
        struct ref_range held;
        bool overlap = ref_ranges_first_overlap(&tcb->rcv_ranges, at, end, &held);
        uint32_t until = overlap ? held.left : end;
        ref_ring_write(&tcb->rcv_ring, tcb->rcv_unread + (at - tcb->rcv_nxt), seg->text + (at - seg->seq), until - at);
        at = overlap ? held.right : end;
    }
}

/* True when the ring holds the segment's text now. */
static bool store(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    struct ref_stack *stack = tcb->stack;
    const struct ref_ranges *ranges = &tcb->rcv_ranges;
    uint32_t offset = tcb->rcv_unread + (seg->seq - tcb->rcv_nxt);
    uint32_t held = tcb->rcv_unread + (ranges->count ? ranges->items[ranges->count - 1].right - tcb->rcv_nxt : 0);
    if (held > tcb->rcv_ring.capacity) /* a FIN above a gap counts as an octet, but has none */
        held = tcb->rcv_ring.capacity;
    if (!ref_ring_reserve(&tcb->rcv_ring, offset + seg->text_len, held, &stack->buffers)) {
        stack->counters.buffers_full++;
        return false;
    }
    write_new_octets(tcb, seg);
    return true;
}

static bool hold_above_gap(struct ref_tcb *tcb, uint32_t left, uint32_t right)
{
    struct ref_range twice;
    bool duplicate = ref_ranges_first_overlap(&tcb->rcv_ranges, left, right, &twice);
    if (!ref_ranges_add(&tcb->rcv_ranges, left, right, NULL)) {
        tcb->stack->counters.ranges_full++;
        return false;
    }
    if (duplicate)
        ref_sack_note_duplicate(tcb, twice.left, twice.right);
    ref_sack_note_arrival(tcb, left);
    return true;
}

/* §3.8.6.3 and RFC 5681 §4.2: at once for every second segment or 2*RMSS octets, for one above a gap or filling one; else soon. */
static void owe_acknowledgment(struct ref_tcb *tcb, bool at_once)
{
    bool much = tcb->rcv_nxt - tcb->last_ack_sent >= 2u * tcb->rcv_mss; /* SHLD-19 */
    tcb->segments_unacked++;
    if (at_once || much || tcb->segments_unacked >= 2 || tcb->options.quickack)
        tcb->ack_now = true;
    else
        ref_timer_start(tcb, REF_TIMER_DELAYED_ACK, tcb->stack->now_ns + tcb->stack->config.delayed_ack_ns);
}

/* RFC 3168 §6.1.3: ECE in every acknowledgment from a mark on until CWR. */
static void note_congestion(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    if (!tcb->ecn)
        return;
    if (seg->flags & PKT_CWR)
        tcb->ecn_echo = false;
    if (seg->ce)
        tcb->ecn_echo = true;
}

/* SHLD-3: the application has closed and will never read this. */
static bool refuse_after_close(struct ref_tcb *tcb)
{
    if (!tcb->orphan)
        return false;
    ref_tcb_abort(tcb, 0);
    return true;
}

static void show_deferred(struct ref_tcb *tcb)
{
    if (tcb->accept_deferred) {
        tcb->accept_deferred = false;
        ref_timer_stop(tcb, REF_TIMER_DEFER);
    }
}

/* Where the stream ends is known from the first FIN. But one that is next in order ends the stream, whatever is held beyond it, be
 * it another FIN (segments are processed in order of SEG.SEQ); one above a gap that contradicts what is held is ignored. */
static void learn_end(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    uint32_t fin_seq = seg->seq + seg->text_len;
    const struct ref_ranges *ranges = &tcb->rcv_ranges;
    bool in_order = seg->seq == tcb->rcv_nxt;
    bool contradicted = tcb->fin_known || (ranges->count && seq_gt(ranges->items[ranges->count - 1].right, fin_seq));
    if (!(seg->flags & PKT_FIN) || tcb->fin_received || (contradicted && !in_order) || seq_lt(fin_seq, tcb->rcv_nxt))
        return;
    tcb->fin_known = true;
    tcb->fin_seq = fin_seq;
    if (!in_order && fin_seq != tcb->rcv_nxt) {
        hold_above_gap(tcb, fin_seq, fin_seq + 1);
        tcb->ack_now = true;
    }
}

void ref_process_text(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (seg->text_len == 0 || refuse_after_close(tcb))
        return;
    note_congestion(tcb, seg);
    trim_to_fin(tcb, seg);
    if (seg->seq == tcb->rcv_nxt)
        learn_end(tcb, seg);
    bool had_gap = tcb->rcv_ranges.count != 0;
    bool stored = seg->text_len != 0 && store(tcb, seg);
    if (!stored) {
        tcb->ack_now = true;
        return;
    }
    uint32_t end = seg->seq + seg->text_len;
    if (seg->seq == tcb->rcv_nxt && !had_gap) {
        advance(tcb, seg->text_len);
    } else if (hold_above_gap(tcb, seg->seq, end)) {
        advance_over_ranges(tcb);
    }
    if (seq_ge(tcb->rcv_nxt, end))
        show_deferred(tcb);
    owe_acknowledgment(tcb, had_gap || tcb->rcv_ranges.count != 0);
}

/* "Any other incoming control or data (combined with SYN) will be processed …" once the connection is ESTABLISHED. */
void ref_hold_text(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (seg->text_len > tcb->rcv_wnd) {
        seg->text_len = tcb->rcv_wnd;
        seg->flags &= (uint16_t)~PKT_FIN;
    }
    bool held = seg->text_len == 0 || (store(tcb, seg) && hold_above_gap(tcb, seg->seq, seg->seq + seg->text_len));
    if (held && (seg->flags & PKT_FIN)) {
        tcb->fin_known = true;
        tcb->fin_seq = seg->seq + seg->text_len;
    }
}

void ref_take_held(struct ref_tcb *tcb)
{
    if (tcb->rcv_ranges.count == 0 && !tcb->fin_known)
        return;
    struct ref_segment nothing = { .seq = tcb->rcv_nxt };
    advance_over_ranges(tcb);
    tcb->ack_now = true;
    show_deferred(tcb);
    ref_check_fin(tcb, &nothing);
}

/* ---- FIN --------------------------------------------------------------------------------------------------------- */

static void enter_closing_state(struct ref_tcb *tcb)
{
    switch (tcb->state) {
    case TCP_STATE_SYN_RECEIVED:
    case TCP_STATE_ESTABLISHED:
        tcb->state = TCP_STATE_CLOSE_WAIT;
        break;
    case TCP_STATE_FIN_WAIT_1: /* if our FIN had been acknowledged, perhaps by this segment, this would be FIN-WAIT-2 */
        tcb->state = TCP_STATE_CLOSING;
        break;
    case TCP_STATE_FIN_WAIT_2:
        ref_enter_time_wait(tcb);
        break;
    default:
        break;
    }
}

void ref_check_fin(struct ref_tcb *tcb, struct ref_segment *seg)
{
    learn_end(tcb, seg);
    if (!tcb->fin_known || tcb->fin_received || tcb->rcv_nxt != tcb->fin_seq)
        return;
    tcb->fin_received = true;
    tcb->rcv_nxt++;
    tcb->rcv_wnd -= tcb->rcv_wnd ? 1u : 0u;
    ref_ranges_clear(&tcb->rcv_ranges);
    tcb->ack_now = true;
    show_deferred(tcb);
    enter_closing_state(tcb);
}

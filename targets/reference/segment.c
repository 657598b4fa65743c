/* Segments as they leave: header fields from the connection record (RFC 9293 §3.1, §3.5.2, §3.8.5, RFC 3168), and what sending
 * changes in it. When to send what is output.c's business. */
#include "targets/reference/stack.h"

#include <assert.h>
#include <stdlib.h>

enum { ECT_0 = 2, ECN_MASK = 3, DEFAULT_TTL = 64 };

static struct pkt_spec addressed(const struct ref_stack *stack, const struct ref_tuple *tuple)
{
    return (struct pkt_spec){
        .protocol = PKT_PROTO_TCP, .src = tuple->local, .dst = tuple->remote, .src_port = tuple->local_port,
        .dst_port = tuple->remote_port, .ttl = DEFAULT_TTL, .flow_label = ref_flow_label(stack, tuple),
        .dont_fragment = true, /* RFC 1191 §2 */
    };
}

static struct pkt_spec of_connection(struct ref_tcb *tcb, uint32_t seq, uint16_t flags)
{
    struct pkt_spec spec = addressed(tcb->stack, &tcb->tuple);
    spec.seq = seq;
    spec.flags = flags;
    spec.ttl = (uint8_t)tcb->options.ttl;
    spec.tos = (uint8_t)(tcb->options.tos & ~ECN_MASK); /* DSCP as the application set it (SHLD-22); the ECN bits are TCP's */
    spec.dont_fragment = tcb->options.mtu_discover != 0;
    if (!spec.dont_fragment)
        spec.ip_id = (uint16_t)ref_random(tcb->stack);
    if (flags & PKT_ACK)
        spec.ack = tcb->rcv_nxt;
    return spec;
}

/* ---- the window field: §3.8.6, RFC 7323 §2.3 --------------------------------------------------------------------- */

/* Offers what may be offered, and remembers the right edge. Scaling leaves only multiples of 2^shift to say: rounded up, so that
 * the edge does not go back, as long as the buffer has that much to spare; else down (RFC 7323 §2.4). RCV.WND keeps the highest
 * edge. */
static uint16_t offer_window(struct ref_tcb *tcb)
{
    uint32_t window = ref_receive_window(tcb), granularity = 1u << tcb->rcv_wscale;
    uint32_t buffer = (uint32_t)tcb->options.receive_buffer;
    uint32_t space = buffer > tcb->rcv_unread ? buffer - tcb->rcv_unread : 0;
    uint32_t field = window >> tcb->rcv_wscale;
    bool inexact = (field << tcb->rcv_wscale) != window;
    if (inexact && ((field + 1) << tcb->rcv_wscale) < space + granularity)
        field++;
    if (field > UINT16_MAX)
        field = UINT16_MAX;
    uint32_t offered = field << tcb->rcv_wscale;
    tcb->rcv_wnd = offered > window ? offered : window;
    return (uint16_t)field;
}

static uint16_t window_of_syn(const struct ref_tcb *tcb) /* never scaled */
{
    return tcb->rcv_wnd > UINT16_MAX ? UINT16_MAX : (uint16_t)tcb->rcv_wnd;
}

/* ---- fields common to segments of a synchronized connection ------------------------------------------------------ */

static void put_urgent(const struct ref_tcb *tcb, struct pkt_spec *spec)
{
    if (!tcb->snd_urgent || seq_le(tcb->snd_up, spec->seq))
        return;
    uint32_t offset = tcb->snd_up - spec->seq; /* the octet following the urgent data (MUST-62) */
    spec->flags |= PKT_URG;
    spec->urgent = offset > UINT16_MAX ? UINT16_MAX : (uint16_t)offset; /* RFC 7323 Appendix A */
}

static void acknowledged(struct ref_tcb *tcb)
{
    tcb->ack_now = false;
    tcb->segments_unacked = 0;
    tcb->last_ack_sent = tcb->rcv_nxt;
    ref_timer_stop(tcb, REF_TIMER_DELAYED_ACK);
}

static void emit(struct ref_tcb *tcb, struct pkt_spec *spec, struct pkt_option_buffer *options)
{
    spec->options = options->bytes;
    spec->options_len = options->len;
    ref_emit(tcb->stack, spec);
    if (spec->flags & PKT_ACK)
        acknowledged(tcb);
}

/* ---- SYN, SYN,ACK ------------------------------------------------------------------------------------------------ */

static void time_syn(struct ref_tcb *tcb)
{
    if (tcb->syn_retransmitted) {
        tcb->rtt_timing = false; /* Karn */
        return;
    }
    tcb->rtt_timing = true;
    tcb->rtt_seq = tcb->iss + 1;
    tcb->rtt_at_ns = tcb->stack->now_ns;
}

void ref_send_syn(struct ref_tcb *tcb, bool with_data)
{
    struct pkt_option_buffer options = { 0 };
    struct pkt_spec spec = of_connection(tcb, tcb->iss, PKT_SYN);
    uint8_t text[2048];
    if (tcb->offer_ecn)
        spec.flags |= PKT_ECE | PKT_CWR;
    spec.window = window_of_syn(tcb);
    ref_put_syn_options(tcb, false, &options);
    if (with_data && tcb->fastopen_syn_data) {
        assert(tcb->fastopen_syn_data <= sizeof text);
        ref_ring_read(&tcb->snd_ring, 0, text, tcb->fastopen_syn_data);
        spec.payload = text;
        spec.payload_len = tcb->fastopen_syn_data;
    }
    time_syn(tcb);
    emit(tcb, &spec, &options);
}

void ref_send_syn_ack(struct ref_tcb *tcb)
{
    struct pkt_option_buffer options = { 0 };
    struct pkt_spec spec = of_connection(tcb, tcb->iss, PKT_SYN | PKT_ACK);
    if (tcb->ecn)
        spec.flags |= PKT_ECE;
    spec.window = window_of_syn(tcb);
    ref_put_syn_options(tcb, true, &options);
    time_syn(tcb);
    emit(tcb, &spec, &options);
}

/* ---- acknowledgments and probes ---------------------------------------------------------------------------------- */

static void send_empty(struct ref_tcb *tcb, uint32_t seq, bool with_sack)
{
    struct pkt_option_buffer options = { 0 };
    struct pkt_spec spec = of_connection(tcb, seq, PKT_ACK);
    if (tcb->ecn && tcb->ecn_echo)
        spec.flags |= PKT_ECE;
    spec.window = offer_window(tcb);
    put_urgent(tcb, &spec);
    ref_put_options(tcb, with_sack, true, &options);
    emit(tcb, &spec, &options);
}

/* SND.NXT; but where that lies beyond the peer's window, as after a zero-window probe or when the window shrank, a number inside
 * it: else the peer would take nothing from the segment but a reason to answer it, and two hosts that probe each other would never
 * stop. RFC 9293, Appendix A.2. */
static uint32_t empty_segment_seq(const struct ref_tcb *tcb)
{
    uint32_t edge = tcb->snd_una + tcb->snd_wnd;
    if (ref_syn_unacked(tcb) || seq_le(tcb->snd_nxt, edge))
        return tcb->snd_nxt;
    return tcb->snd_wnd ? edge - 1 : tcb->snd_una;
}

void ref_send_ack(struct ref_tcb *tcb)
{
    send_empty(tcb, empty_segment_seq(tcb), true);
}

void ref_send_probe(struct ref_tcb *tcb, uint32_t seq)
{
    send_empty(tcb, seq, false);
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

/* Eff.snd.MSS = min(SendMSS+20, MMS_S) - TCPhdrsize - IPoptionsize, without SACK blocks (§3.7.1). */
uint32_t ref_eff_mss(const struct ref_tcb *tcb)
{
    uint32_t path = tcb->pmtu - ref_headers_len(tcb->tuple.local.version);
    uint32_t mss = tcb->snd_mss < path ? tcb->snd_mss : path;
    return mss - (tcb->timestamps ? 12u : 0u);
}

static uint32_t sack_options_len(const struct ref_tcb *tcb)
{
    uint32_t blocks[PKT_SACK_BLOCKS_MAX][2];
    if (!tcb->sack || (tcb->rcv_ranges.count == 0 && !tcb->has_dsack))
        return 0;
    unsigned room = (PKT_TCP_OPTIONS_MAX - (tcb->timestamps ? 12u : 0u) - (tcb->uto_pending ? 4u : 0u) - 4u) / 8;
    unsigned count = ref_sack_blocks(tcb, blocks, room);
    return count ? 4 + 8 * count : 0;
}

uint32_t ref_data_room(const struct ref_tcb *tcb)
{
    uint32_t mss = ref_eff_mss(tcb), extra = sack_options_len(tcb) + (tcb->uto_pending ? 4u : 0u);
    return mss > extra ? mss - extra : 1;
}

/* Karn's algorithm where there are no timestamps: one new segment is timed at a time, none that was sent again. */
static void time_segment(struct ref_tcb *tcb, uint32_t seq, uint32_t end, bool is_new)
{
    if (!is_new) {
        if (tcb->rtt_timing && seq_lt(seq, tcb->rtt_seq))
            tcb->rtt_timing = false;
    } else if (!tcb->rtt_timing) {
        tcb->rtt_timing = true;
        tcb->rtt_seq = end;
        tcb->rtt_at_ns = tcb->stack->now_ns;
    }
}

/* RFC 3168 §6.1.2 to §6.1.5: ECT and CWR on new data alone. */
static void put_ecn(struct ref_tcb *tcb, struct pkt_spec *spec, bool new_data)
{
    if (!tcb->ecn)
        return;
    if (tcb->ecn_echo)
        spec->flags |= PKT_ECE;
    if (!new_data || tcb->snd_wnd == 0 /* a zero-window probe */)
        return;
    spec->tos |= ECT_0;
    if (tcb->ecn_cwr) {
        spec->flags |= PKT_CWR;
        tcb->ecn_cwr = false;
    }
}

uint32_t ref_send_data(struct ref_tcb *tcb, uint32_t seq, uint32_t len, bool may_fin)
{
    struct pkt_option_buffer options = { 0 };
    uint32_t room = ref_data_room(tcb), queued = ref_data_end(tcb) - seq; /* 0 when seq is the FIN's own number */
    assert(seq_ge(seq, tcb->snd_data) && seq_le(seq, ref_data_end(tcb)));
    len = len < room ? len : room;
    len = len < queued ? len : queued;
    bool fin = may_fin && tcb->fin_queued && len == queued, is_new = seq_ge(seq, tcb->snd_nxt);
    uint32_t end = seq + len + (fin ? 1u : 0u);
    struct ref_stack *stack = tcb->stack;
    if (end == seq || (!stack->scratch && !(stack->scratch = malloc(PKT_BYTES_MAX))))
        return 0;

    struct pkt_spec spec = of_connection(tcb, seq, PKT_ACK);
    if (fin)
        spec.flags |= PKT_FIN;
    if (len && len == queued) /* no more queued data to be sent (MUST-61) */
        spec.flags |= PKT_PSH;
    put_ecn(tcb, &spec, is_new && len);
    put_urgent(tcb, &spec);
    spec.window = offer_window(tcb);
    spec.payload = ref_ring_view(&tcb->snd_ring, seq - tcb->snd_data, len, stack->scratch);
    spec.payload_len = len;
    ref_put_options(tcb, true, true, &options);
    emit(tcb, &spec, &options);

    if (!is_new)
        stack->counters.retransmissions++;
    time_segment(tcb, seq, end, is_new);
    tcb->snd_nxt = seq_max(tcb->snd_nxt, end);
    tcb->last_data_sent_ns = stack->now_ns;
    ref_pmtu_sent(tcb, ref_headers_len(tcb->tuple.local.version) + options.len + len, end);
    return end - seq;
}

/* ---- resets: §3.5.2 ---------------------------------------------------------------------------------------------- */

void ref_send_reset(struct ref_tcb *tcb)
{
    struct pkt_option_buffer options = { 0 };
    struct pkt_spec spec = of_connection(tcb, tcb->snd_nxt, PKT_RST);
    if (tcb->timestamps) { /* RFC 7323 §5.2 */
        pkt_put_nop(&options);
        pkt_put_nop(&options);
        pkt_put_timestamp(&options, ref_tsval(tcb), tcb->ts_recent);
    }
    tcb->stack->counters.resets_sent++;
    emit(tcb, &spec, &options);
}

void ref_send_reset_reply(struct ref_stack *stack, const struct ref_segment *seg)
{
    struct pkt_option_buffer options = { 0 };
    struct pkt_spec spec = addressed(stack, &seg->tuple);
    if (seg->flags & PKT_ACK) {
        spec.seq = seg->ack;
        spec.flags = PKT_RST;
    } else {
        spec.ack = seg->seq + ref_segment_len(seg);
        spec.flags = PKT_RST | PKT_ACK;
    }
    if (seg->options.has_timestamp) { /* RFC 7323 §5.2: TSval 0, TSecr the offender's */
        pkt_put_nop(&options);
        pkt_put_nop(&options);
        pkt_put_timestamp(&options, 0, seg->options.ts_val);
    }
    spec.options = options.bytes;
    spec.options_len = options.len;
    stack->counters.resets_sent++;
    ref_emit(stack, &spec);
}

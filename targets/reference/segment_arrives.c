/* RFC 9293 §3.10.7, SEGMENT ARRIVES: which connection a segment belongs to, and §3.10.7.1, what happens when there is none. */
#include "targets/reference/stack.h"

/* Table 6: is the segment acceptable? */
bool ref_segment_acceptable(uint32_t rcv_nxt, uint32_t rcv_wnd, uint32_t seq, uint32_t len)
{
    if (len == 0)
        return rcv_wnd == 0 ? seq == rcv_nxt : seq_in_window(seq, rcv_nxt, rcv_wnd);
    if (rcv_wnd == 0)
        return false;
    return seq_in_window(seq, rcv_nxt, rcv_wnd) || seq_in_window(seq + len - 1, rcv_nxt, rcv_wnd);
}

static struct ref_segment segment_from(const struct packet *packet)
{
    const struct pkt_tcp *tcp = &packet->tcp;
    struct ref_segment seg = {
        .packet = packet,
        .tuple = { .local = packet->ip.dst, .remote = packet->ip.src, .local_port = tcp->dst_port, .remote_port = tcp->src_port },
        .seq = tcp->seq, .ack = tcp->ack, .wnd = tcp->window, .up = tcp->seq + tcp->urgent, .flags = tcp->flags,
        .text = tcp->payload, .text_len = tcp->payload_len,
        .ce = (packet->ip.tos & 3) == 3,
    };
    /* An illegal option (MUST-7) ends the reading of options; what was read before it counts. */
    pkt_options_read(tcp->options, tcp->options_len, &seg.options);
    return seg;
}

/* §3.10.7.1 CLOSED STATE */
void ref_arrives_closed(struct ref_stack *stack, const struct ref_segment *seg)
{
    if (!(seg->flags & PKT_RST))
        ref_send_reset_reply(stack, seg);
}

void ref_segment_arrives(struct ref_stack *stack, const struct packet *packet)
{
    struct ref_segment seg = segment_from(packet);
    struct ref_tcb *tcb = ref_tcb_find(stack, &seg.tuple);
    if (tcb) {
        if (tcb->window_scaling && !(seg.flags & PKT_SYN)) /* RFC 7323 §2.2: never on a SYN */
            seg.wnd <<= tcb->snd_wscale;
        if (tcb->state == TCP_STATE_SYN_SENT)
            ref_arrives_syn_sent(tcb, &seg);
        else
            ref_arrives_other(tcb, &seg);
        return;
    }
    struct pkt_endpoint local = { .addr = seg.tuple.local, .port = seg.tuple.local_port };
    struct ref_listener *listener = ref_listener_find(stack, &local);
    if (listener)
        ref_arrives_listen(stack, listener, &seg);
    else
        ref_arrives_closed(stack, &seg);
}

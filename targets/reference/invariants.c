/* What must hold between calls, whatever peers and applications do: for tests and fuzzing. */
#include "targets/reference/stack.h"

static const char *check_send_side(const struct ref_tcb *tcb)
{
    if (seq_gt(tcb->snd_una, tcb->snd_nxt))
        return "SND.UNA <= SND.NXT";
    if (seq_gt(tcb->snd_nxt, ref_stream_end(tcb)) && tcb->state != TCP_STATE_SYN_SENT)
        return "SND.NXT is not beyond what was queued";
    if (tcb->snd_queued > tcb->snd_ring.capacity)
        return "the send ring holds what is queued";
    if (!ref_syn_unacked(tcb) && seq_lt(tcb->snd_data, tcb->snd_una) && !ref_fin_acked(tcb))
        return "the send ring starts at SND.UNA";
    if (seq_gt(tcb->snd_rtx, tcb->snd_nxt))
        return "nothing is resent beyond SND.NXT";
    if (tcb->snd_wnd > tcb->max_snd_wnd)
        return "Max(SND.WND) >= SND.WND";
    if (tcb->state >= TCP_STATE_ESTABLISHED && tcb->cwnd == 0)
        return "cwnd > 0";
    return NULL;
}

static const char *check_receive_side(const struct ref_tcb *tcb)
{
    if (tcb->rcv_unread > tcb->rcv_ring.capacity)
        return "the receive ring holds what is unread";
    if (tcb->fin_received && tcb->rcv_nxt != tcb->fin_seq + 1)
        return "nothing follows the FIN";
    if (tcb->rcv_ranges.count && seq_lt(tcb->rcv_ranges.items[0].left, tcb->rcv_nxt))
        return "what is held lies above RCV.NXT";
    if (tcb->urgent_known && seq_le(tcb->rcv_up, ref_unread_seq(tcb)))
        return "urgent mode ends when the urgent data is read";
    return NULL;
}

static const char *check_ranges(const struct ref_ranges *ranges)
{
    for (uint16_t i = 0; i < ranges->count; i++) {
        if (seq_ge(ranges->items[i].left, ranges->items[i].right))
            return "ranges are not empty";
        if (i && seq_ge(ranges->items[i - 1].right, ranges->items[i].left))
            return "ranges are sorted and do not touch";
    }
    return NULL;
}

/* A connection that waits for something must have a timer that ends the waiting: else it is dead and does not know. */
static const char *check_progress(const struct ref_tcb *tcb)
{
    bool timer = ref_timer_runs(tcb, REF_TIMER_RETRANSMIT) || ref_timer_runs(tcb, REF_TIMER_PERSIST);
    if (tcb->state == TCP_STATE_TIME_WAIT)
        return ref_timer_runs(tcb, REF_TIMER_LIFETIME) ? NULL : "TIME-WAIT ends";
    if (tcb->snd_una != tcb->snd_nxt && !timer)
        return "a retransmission or persist timer runs while something is unacknowledged";
    bool data_states = tcb->state == TCP_STATE_ESTABLISHED || tcb->state == TCP_STATE_CLOSE_WAIT || tcb->state == TCP_STATE_FIN_WAIT_1
                    || tcb->state == TCP_STATE_LAST_ACK || tcb->state == TCP_STATE_CLOSING;
    if (data_states && seq_lt(tcb->snd_nxt, ref_stream_end(tcb)) && !timer && !tcb->output_blocked)
        return "a timer runs while something waits to be sent";
    if (tcb->state == TCP_STATE_FIN_WAIT_2 && tcb->orphan && !ref_timer_runs(tcb, REF_TIMER_LIFETIME))
        return "an orphan does not stay in FIN-WAIT-2";
    if (tcb->segments_unacked && tcb->state != TCP_STATE_SYN_RECEIVED && !ref_timer_runs(tcb, REF_TIMER_DELAYED_ACK))
        return "an acknowledgment owed is sent or scheduled";
    return NULL;
}

static const char *check_tcb(const struct ref_tcb *tcb)
{
    if (tcb->state == TCP_STATE_CLOSED || tcb->state == TCP_STATE_LISTEN)
        return "a connection in the table is neither CLOSED nor in LISTEN";
    if (tcb->socket && tcb->socket->tcb != tcb)
        return "a socket and its connection know each other";
    if (tcb->ack_now)
        return "an immediate acknowledgment has been sent";
    const char *broken = check_send_side(tcb);
    if (!broken)
        broken = check_receive_side(tcb);
    if (!broken)
        broken = check_ranges(&tcb->rcv_ranges);
    if (!broken)
        broken = check_ranges(&tcb->sacked);
    return broken ? broken : check_progress(tcb);
}

static const char *check_listeners(const struct ref_stack *stack)
{
    for (const struct ref_listener *l = stack->listeners; l; l = l->next) {
        uint32_t half_open = 0, queued = 0;
        for (const struct ref_tcb *tcb = stack->connections; tcb; tcb = tcb->hh.next) {
            half_open += tcb->listener == l && tcb->state == TCP_STATE_SYN_RECEIVED;
            queued += tcb->listener == l && tcb->in_accept_queue;
        }
        if (half_open != l->half_open || queued != l->accept_count)
            return "a listener counts its connections right";
    }
    return NULL;
}

static const char *check_heap(const struct ref_stack *stack)
{
    for (uint32_t i = 0; i < stack->heap_count; i++) {
        if (stack->heap[i]->heap_index != i)
            return "a connection knows its place in the timer heap";
        if (i && stack->heap[(i - 1) / 2]->next_timer_at > stack->heap[i]->next_timer_at)
            return "the timer heap is a heap";
    }
    return NULL;
}

const char *ref_check_invariants(const struct ref_stack *stack)
{
    if (stack->graveyard)
        return "the graveyard is empty between calls";
    if (stack->buffers.used > stack->buffers.max)
        return "buffers stay within their bound";
    for (const struct ref_tcb *tcb = stack->connections; tcb; tcb = tcb->hh.next) {
        const char *broken = check_tcb(tcb);
        if (broken)
            return broken;
    }
    const char *broken = check_listeners(stack);
    return broken ? broken : check_heap(stack);
}

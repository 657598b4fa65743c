/* RFC 9293 §3.10.7.2, LISTEN STATE: a SYN opens a connection in SYN-RECEIVED; the backlog's bounds (RFC 4987); and the step from
 * SYN-RECEIVED to ESTABLISHED, which fills the accept queue. */
#include "targets/reference/stack.h"

#include <assert.h>

static struct ref_options inherited(const struct ref_listener *listener)
{
    return listener->socket->options;
}

static void initialise(struct ref_tcb *tcb, struct ref_listener *listener, const struct ref_segment *syn, uint32_t iss)
{
    tcb->state = TCP_STATE_SYN_RECEIVED;
    tcb->passive = true;
    tcb->listener = listener;
    listener->half_open++;
    tcb->irs = syn->seq;
    tcb->rcv_nxt = tcb->last_ack_sent = syn->seq + 1;
    tcb->iss = tcb->snd_una = iss;
    tcb->snd_nxt = tcb->snd_data = tcb->snd_rtx = iss + 1;
    tcb->snd_wnd = tcb->max_snd_wnd = syn->wnd;
    tcb->snd_wl1 = syn->seq;
    tcb->snd_wl2 = iss;
    ref_options_from_syn(tcb, syn);
    uint32_t window = ref_receive_window(tcb);
    tcb->rcv_wnd = window > UINT16_MAX ? UINT16_MAX : window;
    ref_cc_established(tcb);
}

struct ref_tcb *ref_listen_open(struct ref_stack *stack, struct ref_listener *listener, const struct ref_segment *syn, uint32_t iss)
{
    struct ref_options options = inherited(listener);
    struct ref_tcb *existing = ref_tcb_find(stack, &syn->tuple);
    struct ref_tcb *tcb = existing ? ref_tcb_replace(existing, &options) : ref_tcb_new(stack, &syn->tuple, &options);
    if (tcb)
        initialise(tcb, listener, syn, iss);
    return tcb;
}

/* RFC 7413 §4.2.2: the text is taken before the handshake is done, and the application may have the connection at once. */
static void accept_fast(struct ref_tcb *tcb, struct ref_segment *syn)
{
    tcb->fastopen = true;
    tcb->listener->fastopen_pending++;
    ref_process_text(tcb, syn);
    syn->seq += syn->text_len;
    syn->text_len = 0;
    tcb->ack_now = false; /* the SYN,ACK does it */
    ref_timer_stop(tcb, REF_TIMER_DELAYED_ACK);
    ref_accept_queue_push(tcb->listener, tcb);
}

/* Over the bound: SYN cookies (RFC 4987 §3.6), or silence; the peer will try again. */
static bool over_the_bounds(struct ref_stack *stack, struct ref_listener *listener, const struct ref_segment *syn, bool fast)
{
    if (listener->accept_count >= listener->backlog) {
        stack->counters.accept_queue_full++;
        return true;
    }
    bool backlog_full = listener->half_open >= stack->config.syn_backlog_max;
    if (backlog_full)
        stack->counters.syn_backlog_full++;
    bool cookies = stack->config.syncookies == REF_SYNCOOKIES_ALWAYS
                || (stack->config.syncookies == REF_SYNCOOKIES_ON && backlog_full);
    bool from_time_wait = ref_tcb_find(stack, &syn->tuple) != NULL; /* which a stateless SYN,ACK could not end */
    if (cookies && !fast && !from_time_wait) {
        ref_syncookie_send(stack, syn, listener);
        return true;
    }
    return backlog_full;
}

static uint32_t initial_sequence_number(struct ref_stack *stack, const struct ref_segment *syn)
{
    uint32_t iss = ref_isn(stack, &syn->tuple, stack->now_ns);
    const struct ref_tcb *old = ref_tcb_find(stack, &syn->tuple);
    if (old && seq_le(iss, old->snd_nxt)) /* MAY-2 (1): larger than the largest one used before */
        iss = old->snd_nxt + 1;
    return iss;
}

static void passive_open(struct ref_stack *stack, struct ref_listener *listener, struct ref_segment *syn)
{
    bool fast = ref_fastopen_accepts(stack, listener, syn);
    if (over_the_bounds(stack, listener, syn, fast))
        return;
    struct ref_tcb *tcb = ref_listen_open(stack, listener, syn, initial_sequence_number(stack, syn));
    if (!tcb)
        return;
    tcb->fastopen_reply = syn->options.has_fastopen && !fast && ref_fastopen_enabled(stack, listener);
    syn->seq++;
    syn->flags &= (uint16_t)~PKT_SYN;
    if (fast)
        accept_fast(tcb, syn);
    if (syn->text_len || (syn->flags & PKT_FIN))
        ref_hold_text(tcb, syn);
    ref_send_syn_ack(tcb); /* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> */
    ref_arm_timers(tcb);
}

void ref_arrives_listen(struct ref_stack *stack, struct ref_listener *listener, struct ref_segment *seg)
{
    if (seg->flags & PKT_RST) /* First, check for a RST */
        return;
    if (seg->flags & PKT_ACK) { /* Second, check for an ACK: bad, unless it answers a SYN cookie */
        struct ref_tcb *tcb = seg->flags & PKT_SYN ? NULL : ref_syncookie_open(stack, seg, listener);
        if (tcb)
            ref_arrives_other(tcb, seg);
        else
            ref_send_reset_reply(stack, seg);
        return;
    }
    if (seg->flags & PKT_SYN) /* Third, check for a SYN */
        passive_open(stack, listener, seg);
    /* Fourth, other data or control: dropped */
}

/* ---- from SYN-RECEIVED to ESTABLISHED ---------------------------------------------------------------------------- */

static bool joins_accept_queue(struct ref_tcb *tcb)
{
    struct ref_listener *listener = tcb->listener;
    if (tcb->in_accept_queue)
        return true; /* fast open: since the SYN */
    if (listener->accept_count >= listener->backlog) {
        tcb->stack->counters.accept_queue_full++;
        return false;
    }
    ref_accept_queue_push(listener, tcb);
    if (tcb->options.defer_accept_s > 0) {
        tcb->accept_deferred = true;
        ref_timer_set(tcb, REF_TIMER_DEFER, tcb->stack->now_ns + (int64_t)tcb->options.defer_accept_s * REF_NS_PER_S);
    }
    return true;
}

static void no_longer_half_open(struct ref_tcb *tcb)
{
    struct ref_listener *listener = tcb->listener;
    assert(listener->half_open > 0);
    listener->half_open--;
    if (tcb->fastopen)
        listener->fastopen_pending--;
    if (!tcb->in_accept_queue)
        tcb->listener = NULL;
}

bool ref_enter_established(struct ref_tcb *tcb)
{
    bool accepted_early = tcb->socket || tcb->orphan; /* an active open, or fast open accepted in SYN-RECEIVED */
    if (tcb->listener) {
        if (!accepted_early && !joins_accept_queue(tcb))
            return false;
        no_longer_half_open(tcb);
    }
    tcb->state = tcb->fin_queued ? TCP_STATE_FIN_WAIT_1 : TCP_STATE_ESTABLISHED; /* a CLOSE may have been queued */
    ref_timer_stop(tcb, REF_TIMER_RETRANSMIT);
    tcb->retransmits = 0;
    tcb->r1_reported = false;
    if (tcb->time_wait) { /* the SYN was no old duplicate */
        struct ref_tcb *old = tcb->time_wait;
        tcb->time_wait = NULL;
        old->replaced_by = NULL;
        ref_tcb_close(old, 0);
    }
    if (tcb->syn_retransmitted && tcb->rtt.rto_ns < 3 * (int64_t)REF_NS_PER_S) /* RFC 6298 (5.7) */
        tcb->rtt.rto_ns = 3 * (int64_t)REF_NS_PER_S;
    ref_cc_established(tcb);
    if (tcb->options.uto_on)
        tcb->uto_pending = 1; /* RFC 5482 §3: in the first segment without SYN, too */
    ref_keepalive_arm(tcb);
    return true;
}

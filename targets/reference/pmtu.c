/* Path MTU discovery: RFC 1191, RFC 8201, with RFC 5927 §7.2's defence against forged messages. Estimates are kept per destination,
 * and each connection has its own copy. */
#include "targets/reference/stack.h"

#include <stdlib.h>

static const int64_t RAISE_AFTER_NS = 600LL * REF_NS_PER_S; /* RFC 1191 §6.3: not decreased for about ten minutes */

/* RFC 1191 §7.1, for routers that name no MTU. */
static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68 };

static uint32_t smallest_mtu(const struct ref_tcb *tcb)
{
    return tcb->tuple.local.version == 4 ? REF_IPV4_MTU_MIN : REF_IPV6_MTU_MIN;
}

/* ---- per destination --------------------------------------------------------------------------------------------- */

static struct ref_pmtu_entry *lookup(const struct ref_stack *stack, const struct pkt_addr *remote)
{
    for (int i = 0; stack->pmtu && i < REF_PMTU_ENTRIES_MAX; i++) {
        if (pkt_addr_equal(&stack->pmtu[i].remote, remote))
            return &stack->pmtu[i];
    }
    return NULL;
}

uint32_t ref_pmtu_for(struct ref_stack *stack, const struct pkt_addr *remote, int64_t *raise_at_ns)
{
    struct ref_pmtu_entry *entry = lookup(stack, remote);
    if (entry && entry->raise_at_ns <= stack->now_ns) { /* aged: try the first hop's again */
        *entry = (struct ref_pmtu_entry){ 0 };
        entry = NULL;
    }
    *raise_at_ns = entry ? entry->raise_at_ns : REF_NEVER;
    return entry ? entry->mtu : stack->config.mtu;
}

static void remember(struct ref_stack *stack, const struct pkt_addr *remote, uint32_t mtu)
{
    if (!stack->pmtu)
        stack->pmtu = calloc(REF_PMTU_ENTRIES_MAX, sizeof *stack->pmtu);
    if (!stack->pmtu)
        return;
    struct ref_pmtu_entry *entry = lookup(stack, remote);
    for (int i = 0; !entry && i < REF_PMTU_ENTRIES_MAX; i++) {
        if (stack->pmtu[i].remote.version == 0)
            entry = &stack->pmtu[i];
    }
    if (!entry) { /* all in use: the one that would age first */
        entry = stack->pmtu;
        for (int i = 1; i < REF_PMTU_ENTRIES_MAX; i++) {
            if (stack->pmtu[i].raise_at_ns < entry->raise_at_ns)
                entry = &stack->pmtu[i];
        }
    }
    *entry = (struct ref_pmtu_entry){ .remote = *remote, .mtu = mtu, .raise_at_ns = stack->now_ns + RAISE_AFTER_NS };
}

/* ---- per connection ---------------------------------------------------------------------------------------------- */

/* A smaller estimate: what is outstanding is cut anew and sent again, one segment until ACKs come back; the congestion window stays
 * as it is (RFC 1191 §6.4). */
static void honour(struct ref_tcb *tcb, uint32_t mtu)
{
    tcb->ptb_mtu = 0;
    if (mtu >= tcb->pmtu)
        return;
    remember(tcb->stack, &tcb->tuple.remote, mtu);
    tcb->pmtu = mtu;
    tcb->pmtu_raise_at_ns = tcb->stack->now_ns + RAISE_AFTER_NS;
    tcb->max_size_sent = smallest_mtu(tcb);
    tcb->size_pending = 0;
    if (tcb->cwnd < ref_eff_mss(tcb))
        tcb->cwnd = ref_eff_mss(tcb);
    if (ref_syn_unacked(tcb) || ref_flight(tcb) == 0)
        return;
    ref_cc_go_back(tcb);
    tcb->rtt_timing = false;
    tcb->send_limit = REF_SEND_ONE;
    ref_timer_stop(tcb, REF_TIMER_RETRANSMIT);
    ref_tcp_output(tcb);
}

static uint32_t next_plateau(uint32_t size)
{
    for (size_t i = 0; i < sizeof plateaus / sizeof *plateaus; i++) {
        if (plateaus[i] < size)
            return plateaus[i];
    }
    return REF_IPV4_MTU_MIN;
}

/* The quoted segment was mtu octets too big for somebody, if it is to be believed. */
void ref_pmtu_too_big(struct ref_tcb *tcb, const struct packet *quoted, uint32_t mtu)
{
    if (mtu == 0 && quoted->ip.version == 4) { /* RFC 1191 §5, with §6.5's care for old routers */
        uint32_t size = quoted->ip.total_len;
        if (size >= tcb->pmtu + 4u * (quoted->ip.header_len / 4u) && size > quoted->ip.header_len)
            size -= quoted->ip.header_len;
        mtu = next_plateau(size);
    }
    if (mtu < smallest_mtu(tcb) || mtu > tcb->max_size_sent || !tcb->options.mtu_discover)
        return; /* RFC 8201 §4; RFC 5927 §7.2: nothing that large was ever sent */
    if (mtu >= tcb->max_size_acked) { /* no packet of that size has got through yet: initial discovery */
        honour(tcb, mtu);
        return;
    }
    tcb->ptb_mtu = mtu; /* else only when the quoted segment times out, too */
    tcb->ptb_seq = quoted->tcp.seq;
}

void ref_pmtu_sent(struct ref_tcb *tcb, uint32_t size, uint32_t seq_end)
{
    if (size <= tcb->max_size_sent)
        return;
    tcb->max_size_sent = size;
    tcb->size_pending = size;
    tcb->size_pending_seq = seq_end;
}

void ref_pmtu_acked(struct ref_tcb *tcb)
{
    if (tcb->size_pending && seq_ge(tcb->snd_una, tcb->size_pending_seq)) {
        if (tcb->max_size_acked < tcb->size_pending)
            tcb->max_size_acked = tcb->size_pending;
        tcb->size_pending = 0;
    }
    if (tcb->ptb_mtu && seq_gt(tcb->snd_una, tcb->ptb_seq))
        tcb->ptb_mtu = 0; /* it got through: the message lied */
    if (tcb->pmtu_raise_at_ns <= tcb->stack->now_ns)
        tcb->pmtu = ref_pmtu_for(tcb->stack, &tcb->tuple.remote, &tcb->pmtu_raise_at_ns);
}

void ref_pmtu_timed_out(struct ref_tcb *tcb)
{
    if (tcb->ptb_mtu && seq_in_window(tcb->ptb_seq, tcb->snd_una, ref_data_room(tcb))) /* the segment that was sent again holds it */
        honour(tcb, tcb->ptb_mtu);
}

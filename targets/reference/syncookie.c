/* SYN cookies: RFC 4987 §3.6 and Appendix A. The SYN,ACK's sequence number says all that is needed to open the connection when its
 * acknowledgment comes: 5 bits of time, 3 bits for the MSS, 24 bits of keyed hash over these, the two sockets and the peer's ISN.
 *
 * Window scaling, SACK and ECN do not fit in there; where the peer uses timestamps, they travel in the low six bits of ours and
 * come back with its echo. Where it does not, they are not agreed upon.
 */
#include "targets/reference/stack.h"

#include <string.h>

enum { COUNTER_SECONDS = 64, COUNTERS_VALID = 2, OPTION_BITS = 6, NO_WSCALE = 15 };

static const uint16_t mss_table[8] = { REF_MSS_MIN, 216, 536, 1220, 1360, 1440, 1460, 8960 };

static uint8_t mss_index(const struct ref_segment *syn)
{
    uint16_t mss = syn->options.has_mss ? syn->options.mss
                 : syn->tuple.local.version == 4 ? REF_DEFAULT_MSS_IPV4 : REF_DEFAULT_MSS_IPV6;
    uint8_t index = 0;
    while (index < 7 && mss_table[index + 1] <= mss) /* never above what the SYN said */
        index++;
    return index;
}

static uint32_t counter(const struct ref_stack *stack)
{
    return (uint32_t)(stack->now_ns / REF_NS_PER_S / COUNTER_SECONDS);
}

static uint32_t cookie(const struct ref_stack *stack, const struct ref_tuple *tuple, uint32_t irs, uint32_t count, uint8_t mss)
{
    uint8_t input[sizeof *tuple + 12];
    memcpy(input, tuple, sizeof *tuple);
    memcpy(input + sizeof *tuple, &irs, 4);
    memcpy(input + sizeof *tuple + 4, &count, 4);
    memset(input + sizeof *tuple + 8, mss, 4);
    uint32_t hash = (uint32_t)ref_hash(stack, REF_PURPOSE_COOKIE, input, sizeof input) & 0xffffff;
    return (count & 31) << 27 | (uint32_t)mss << 24 | hash;
}

/* ---- options in the timestamp ------------------------------------------------------------------------------------ */

static uint32_t encode_options(const struct ref_tcb *would_be, uint32_t tsval)
{
    uint32_t bits = would_be->window_scaling ? would_be->snd_wscale : NO_WSCALE;
    bits |= would_be->sack ? 16u : 0;
    bits |= would_be->ecn ? 32u : 0;
    uint32_t stamped = (tsval & ~((1u << OPTION_BITS) - 1)) | bits;
    return seq_gt(stamped, tsval) ? stamped - (1u << OPTION_BITS) : stamped; /* never ahead of the clock */
}

static void decode_options(struct ref_segment *syn, uint32_t ts_ecr)
{
    syn->options.wscale = ts_ecr & 15;
    syn->options.has_wscale = syn->options.wscale != NO_WSCALE;
    syn->options.sack_permitted = (ts_ecr & 16) != 0;
    if (ts_ecr & 32)
        syn->flags |= PKT_ECE | PKT_CWR;
}

/* ---- SYN,ACK ----------------------------------------------------------------------------------------------------- */

/* What a real connection would have agreed upon, in a TCB that lives as long as this call. */
static struct ref_tcb would_be(struct ref_stack *stack, const struct ref_segment *syn, const struct ref_listener *listener)
{
    struct ref_tcb tcb = {
        .stack = stack, .tuple = syn->tuple, .options = listener->socket->options, .state = TCP_STATE_SYN_RECEIVED, .passive = true,
        .ts_offset = ref_timestamp_offset(stack, &syn->tuple), .pmtu = stack->config.mtu, .heap_index = UINT32_MAX, .next_timer_at = REF_NEVER,
    };
    for (int i = 0; i < REF_TIMER_COUNT; i++)
        tcb.timer_at[i] = REF_NEVER;
    tcb.options.reports = 0;
    ref_options_from_syn(&tcb, syn);
    if (!tcb.timestamps) {
        tcb.window_scaling = tcb.sack = tcb.ecn = false;
        tcb.rcv_wscale = 0;
    }
    uint32_t window = ref_receive_window(&tcb);
    tcb.rcv_wnd = window > UINT16_MAX ? UINT16_MAX : window;
    tcb.rcv_nxt = syn->seq + 1;
    return tcb;
}

void ref_syncookie_send(struct ref_stack *stack, const struct ref_segment *syn, struct ref_listener *listener)
{
    struct ref_tcb tcb = would_be(stack, syn, listener);
    tcb.iss = cookie(stack, &tcb.tuple, syn->seq, counter(stack), mss_index(syn));
    if (tcb.timestamps)
        tcb.ts_offset += encode_options(&tcb, ref_tsval(&tcb)) - ref_tsval(&tcb);
    stack->counters.cookies_sent++;
    listener->cookies_until_ns = stack->now_ns + (int64_t)COUNTERS_VALID * COUNTER_SECONDS * REF_NS_PER_S;
    ref_send_syn_ack(&tcb);
}

/* ---- the last ACK ------------------------------------------------------------------------------------------------ */

/* The index of the MSS a valid cookie names, or -1. */
static int check(const struct ref_stack *stack, const struct ref_segment *ack)
{
    uint32_t value = ack->ack - 1, irs = ack->seq - 1;
    uint8_t mss = (value >> 24) & 7;
    for (uint32_t age = 0; age < COUNTERS_VALID; age++) {
        uint32_t count = counter(stack) - age;
        if ((count & 31) == value >> 27 && cookie(stack, &ack->tuple, irs, count, mss) == value)
            return mss;
    }
    return -1;
}

/* The SYN as it must have been. */
static struct ref_segment reconstruct(const struct ref_segment *ack, int mss)
{
    struct ref_segment syn = { .packet = ack->packet, .tuple = ack->tuple, .seq = ack->seq - 1, .wnd = ack->wnd, .flags = PKT_SYN };
    syn.options.has_mss = true;
    syn.options.mss = mss_table[mss];
    if (ack->options.has_timestamp) {
        syn.options.has_timestamp = true;
        syn.options.ts_val = ack->options.ts_val;
        decode_options(&syn, ack->options.ts_ecr);
    }
    return syn;
}

struct ref_tcb *ref_syncookie_open(struct ref_stack *stack, const struct ref_segment *ack, struct ref_listener *listener)
{
    if (stack->now_ns > listener->cookies_until_ns || listener->cookies_until_ns == 0)
        return NULL;
    int mss = check(stack, ack);
    if (mss < 0)
        return NULL;
    struct ref_segment syn = reconstruct(ack, mss);
    struct ref_tcb *tcb = ref_listen_open(stack, listener, &syn, ack->ack - 1);
    if (tcb)
        stack->counters.cookies_accepted++;
    return tcb;
}

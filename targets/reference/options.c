/* TCP options: what a SYN agrees upon (RFC 6691, 7323, 2018, 3168), what each later segment carries, PAWS, the user timeout option.
 */
#include "targets/reference/stack.h"

/* ---- the maximum segment size: §3.7.1, RFC 6691 ------------------------------------------------------------------ */

uint16_t ref_announced_mss(const struct ref_stack *stack, uint8_t version, const struct ref_options *options)
{
    uint32_t mss = stack->config.mtu - ref_headers_len(version); /* fixed headers only */
    if (options->max_segment > 0 && mss > (uint32_t)options->max_segment)
        mss = (uint32_t)options->max_segment;
    return (uint16_t)mss;
}

static uint16_t peer_mss(const struct ref_tcb *tcb, const struct pkt_options *syn)
{
    uint32_t mss = tcb->tuple.local.version == 4 ? REF_DEFAULT_MSS_IPV4 : REF_DEFAULT_MSS_IPV6; /* MUST-15 */
    if (syn->has_mss)
        mss = syn->mss < REF_MSS_MIN ? REF_MSS_MIN : syn->mss;
    if (tcb->options.max_segment > 0 && mss > (uint32_t)tcb->options.max_segment)
        mss = (uint32_t)tcb->options.max_segment;
    return (uint16_t)mss;
}

/* The smallest shift with which the window field can say the whole buffer. */
uint8_t ref_window_shift(uint32_t receive_buffer)
{
    uint8_t shift = 0;
    while (shift < REF_WSCALE_MAX && (receive_buffer >> shift) > UINT16_MAX)
        shift++;
    return shift;
}

/* ---- SYN --------------------------------------------------------------------------------------------------------- */

/* What both sides want is in force from now on. For an active open the offers were made in our SYN, for a passive one they will be.
 */
void ref_options_from_syn(struct ref_tcb *tcb, const struct ref_segment *syn)
{
    const struct ref_config *config = &tcb->stack->config;
    const struct pkt_options *options = &syn->options;
    if (tcb->passive) {
        tcb->offer_wscale = config->window_scaling;
        tcb->offer_timestamps = config->timestamps;
        tcb->offer_sack = config->sack;
        tcb->offer_ecn = config->ecn != REF_ECN_OFF;
        tcb->rcv_wscale = ref_window_shift((uint32_t)tcb->options.receive_buffer);
        tcb->rcv_mss = ref_announced_mss(tcb->stack, tcb->tuple.local.version, &tcb->options);
    }
    tcb->snd_mss = peer_mss(tcb, options);
    tcb->window_scaling = tcb->offer_wscale && options->has_wscale;
    tcb->snd_wscale = options->wscale > REF_WSCALE_MAX ? REF_WSCALE_MAX : options->wscale; /* RFC 7323 §2.3 */
    if (!tcb->window_scaling)
        tcb->snd_wscale = tcb->rcv_wscale = 0;
    tcb->timestamps = tcb->offer_timestamps && options->has_timestamp;
    if (tcb->timestamps) {
        tcb->ts_recent = options->ts_val;
        tcb->ts_recent_valid = true;
        tcb->ts_recent_at_ns = tcb->stack->now_ns;
    }
    tcb->sack = tcb->offer_sack && options->sack_permitted;
    /* RFC 3168 §6.1.1: an ECN-setup SYN has ECE and CWR, an ECN-setup SYN,ACK only ECE. */
    uint16_t ecn_setup = syn->flags & PKT_ACK ? PKT_ECE : PKT_ECE | PKT_CWR;
    tcb->ecn = tcb->offer_ecn && (syn->flags & (PKT_ECE | PKT_CWR | PKT_AE)) == ecn_setup;
    if (options->has_user_timeout)
        ref_user_timeout_received(tcb, options->user_timeout);
}

static void put_fastopen(const struct ref_tcb *tcb, bool is_syn_ack, struct pkt_option_buffer *out)
{
    uint8_t cookie[REF_FASTOPEN_COOKIE_LEN];
    if (is_syn_ack && tcb->fastopen_reply) {
        ref_fastopen_cookie(tcb->stack, &tcb->tuple, 0, cookie);
        pkt_put_fastopen(out, cookie, sizeof cookie);
    } else if (!is_syn_ack && tcb->fastopen_request) {
        const struct ref_fastopen_entry *entry = ref_fastopen_cached(tcb->stack, &tcb->tuple.remote);
        pkt_put_fastopen(out, entry ? entry->cookie : NULL, entry ? entry->cookie_len : 0);
    }
}

static uint16_t user_timeout_option(const struct ref_tcb *tcb) /* RFC 5482 §3.3: seconds when they fit, else minutes */
{
    uint32_t seconds = (uint32_t)tcb->options.uto_advertise_s;
    if (seconds <= 0x7fff)
        return (uint16_t)seconds;
    uint32_t minutes = (seconds + 59) / 60;
    return (uint16_t)(0x8000 | (minutes > 0x7fff ? 0x7fff : minutes));
}

void ref_put_syn_options(const struct ref_tcb *tcb, bool is_syn_ack, struct pkt_option_buffer *out)
{
    bool sack = is_syn_ack ? tcb->sack : tcb->offer_sack;
    bool timestamps = is_syn_ack ? tcb->timestamps : tcb->offer_timestamps;
    bool wscale = is_syn_ack ? tcb->window_scaling : tcb->offer_wscale;
    pkt_put_mss(out, tcb->rcv_mss);
    if (sack)
        pkt_put_sack_permitted(out);
    if (timestamps) {
        if (!sack) {
            pkt_put_nop(out);
            pkt_put_nop(out);
        }
        pkt_put_timestamp(out, ref_tsval(tcb), is_syn_ack ? tcb->ts_recent : 0);
    } else if (sack) {
        pkt_put_nop(out);
        pkt_put_nop(out);
    }
    if (wscale) {
        pkt_put_nop(out);
        pkt_put_wscale(out, tcb->rcv_wscale);
    }
    put_fastopen(tcb, is_syn_ack, out);
    if (tcb->options.uto_on && tcb->options.uto_advertise_s > 0 && out->len + 4 <= PKT_TCP_OPTIONS_MAX)
        pkt_put_user_timeout(out, user_timeout_option(tcb));
    pkt_pad_options(out);
}

/* ---- every other segment ----------------------------------------------------------------------------------------- */

uint32_t ref_tsval(const struct ref_tcb *tcb)
{
    return ref_timestamp_clock(tcb->stack->now_ns) + tcb->ts_offset;
}

void ref_put_options(struct ref_tcb *tcb, bool with_sack, bool consume, struct pkt_option_buffer *out)
{
    if (tcb->timestamps) { /* RFC 7323 Appendix A */
        pkt_put_nop(out);
        pkt_put_nop(out);
        pkt_put_timestamp(out, ref_tsval(tcb), tcb->ts_recent);
    }
    if (tcb->uto_pending && tcb->options.uto_on && tcb->options.uto_advertise_s > 0) {
        pkt_put_user_timeout(out, user_timeout_option(tcb));
        if (consume)
            tcb->uto_pending--;
    }
    if (!with_sack || !tcb->sack)
        return;
    uint32_t blocks[PKT_SACK_BLOCKS_MAX][2];
    unsigned room = (unsigned)(PKT_TCP_OPTIONS_MAX - out->len - 4) / 8;
    unsigned count = ref_sack_blocks(tcb, blocks, room < PKT_SACK_BLOCKS_MAX ? room : PKT_SACK_BLOCKS_MAX);
    if (count == 0)
        return;
    pkt_put_nop(out);
    pkt_put_nop(out);
    pkt_put_sack(out, (const uint32_t(*)[2])blocks, count);
    if (consume)
        tcb->has_dsack = false; /* RFC 2883 §4: reported once */
}

/* ---- PAWS: RFC 7323 §5 ------------------------------------------------------------------------------------------- */

static const int64_t TS_RECENT_AGE_MAX_NS = 24LL * 86400 * REF_NS_PER_S; /* §5.5 */

bool ref_paws_rejects(const struct ref_tcb *tcb, const struct ref_segment *seg)
{
    if (!tcb->timestamps || !seg->options.has_timestamp || !tcb->ts_recent_valid)
        return false;
    bool outdated = tcb->stack->now_ns - tcb->ts_recent_at_ns > TS_RECENT_AGE_MAX_NS;
    return seq_lt(seg->options.ts_val, tcb->ts_recent) && !outdated;
}

void ref_paws_update(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    if (!tcb->timestamps || !seg->options.has_timestamp)
        return;
    /* The numbers of R3: SEG.TSval >= TS.Recent (unless that is outdated) and SEG.SEQ <= Last.ACK.sent. */
    if (ref_paws_rejects(tcb, seg) || seq_gt(seg->seq, tcb->last_ack_sent))
        return;
    tcb->ts_recent = seg->options.ts_val;
    tcb->ts_recent_valid = true;
    tcb->ts_recent_at_ns = tcb->stack->now_ns;
}

/* ---- the peer's user timeout: RFC 5482 §3.1 ---------------------------------------------------------------------- */

enum { UTO_L_LIMIT_S = 100, UTO_U_LIMIT_S = 3600 };

/* USER_TIMEOUT = min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)), where the application has enabled it and set none itself. */
void ref_user_timeout_received(struct ref_tcb *tcb, uint16_t value)
{
    int64_t remote_s = (int64_t)(value & 0x7fff) * (value & 0x8000 ? 60 : 1);
    if (remote_s == 0) /* §3.4: must be ignored */
        return;
    ref_report(tcb, REF_REPORT_USER_TIMEOUT, remote_s);
    if (!tcb->options.uto_on || tcb->options.uto_fixed)
        return;
    int64_t timeout_s = tcb->options.uto_advertise_s;
    if (timeout_s < remote_s)
        timeout_s = remote_s;
    if (timeout_s < UTO_L_LIMIT_S)
        timeout_s = UTO_L_LIMIT_S;
    if (timeout_s > UTO_U_LIMIT_S)
        timeout_s = UTO_U_LIMIT_S;
    int64_t timeout_ns = timeout_s * REF_NS_PER_S;
    if (timeout_ns <= tcb->rtt.rto_ns)
        timeout_ns = 2 * tcb->rtt.rto_ns; /* L_LIMIT is larger than the RTO */
    tcb->user_timeout_ns = timeout_ns;
}

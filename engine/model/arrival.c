/* SEGMENT ARRIVES (RFC 9293 §3.10.7): what may follow in each state, in the order of the RFC's checks.
 *
 * Each function takes one situation and adds every situation that RFC 9293, or the RFCs that change it, permits to follow. Where
 * the RFC leaves a choice, or where it is not known from outside how a check went (a window that may have grown silently, a segment
 * that was perhaps kept out of order), each way is added. A reaction that must come is an obligation (struct due); one that may
 * come needs nothing here, since emission.c permits it by itself. */
#include "engine/model/inside.h"

#include <string.h>

struct arrival {
    struct judge *j;
    const struct segment *s;
    struct hypotheses *next;
    struct fate *fate;
};

static bool has(const struct arrival *a, unsigned flags)
{
    return (a->s->tcp->flags & flags) == flags;
}

static void keep(const struct arrival *a, const struct hypothesis *h)
{
    hypotheses_add(a->j, a->next, h);
}

/* ---- obligations --------------------------------------------------------------------------------------------------- */

void due_add(struct hypothesis *h, const struct due *due)
{
    struct due *last = h->due_count ? &h->dues[h->due_count - 1] : NULL;
    if (due->kind == DUE_ACK && last && last->kind == DUE_ACK && h->due_count >= 2) {
        last->ack = seq_max(last->ack, due->ack); /* the first is watched, and the latest: what lies between follows from these */
        last->deadline_ns = due->deadline_ns;
        last->cause = due->cause;
        last->rule = due->rule;
        last->at_once &= due->at_once;
    } else if (h->due_count < HYPOTHESIS_DUES_MAX) {
        h->dues[h->due_count++] = *due;
    }
}

/* Immediately, as far as that can be told from outside. */
static struct due at_once(const struct arrival *a, enum due_kind kind, enum rule_id rule)
{
    judge_tested(a->j, rule);
    return (struct due){.kind = kind, .rule = rule, .deadline_ns = judge_latest(a->j, a->s->at_ns, 0), .cause = a->s->index, .at_once = true};
}

static void owe_ack(const struct arrival *a, struct hypothesis h, enum rule_id rule)
{
    struct due due = at_once(a, DUE_ACK, rule);
    due.ack = h.rcv_nxt_low;
    due_add(&h, &due);
    keep(a, &h);
}

/* RFC 9293 §3.5.2: <SEQ=SEG.ACK><CTL=RST>, or <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>. */
static struct due reset_of(const struct arrival *a, enum rule_id rule, bool loose)
{
    struct due due = at_once(a, DUE_RST, rule);
    due.has_ack = !has(a, PKT_ACK);
    due.seq = due.has_ack ? 0 : a->s->tcp->ack;
    due.ack = due.has_ack ? a->s->end : 0;
    due.loose = loose;
    return due;
}

static void owe_rst(const struct arrival *a, struct hypothesis h, enum rule_id rule, bool loose)
{
    struct due due = reset_of(a, rule, loose);
    due_add(&h, &due);
    keep(a, &h);
}

/* RFC 5961 §7 lets a stack be silent to what may be an attack once it has answered a few: "at most 10 in 5 seconds" is what it
 * suggests. */
static bool is_throttled(const struct arrival *a)
{
    static const int64_t throttle_ns = 5000000000;
    return a->j->challenged_before_ns && a->s->at_ns - a->j->challenged_before_ns < throttle_ns;
}

static void owe_challenge(const struct arrival *a, const struct hypothesis *h, enum rule_id rule)
{
    bool attack = a->s->tcp->flags & (PKT_SYN | PKT_RST) || rule == RULE_ACK_OF_FUTURE;
    a->fate->doubted = true;
    if (is_throttled(a) || (attack && judge_host_throttles(a->j->host, a->s->at_ns)))
        keep(a, h);
    else
        owe_ack(a, *h, rule);
    a->j->challenged_ns = a->s->at_ns ? a->s->at_ns : 1;
}

/* ---- CLOSED, LISTEN (§3.10.7.1, §3.10.7.2) ------------------------------------------------------------------------- */

static void arrive_closed(const struct arrival *a, const struct hypothesis *h)
{
    if (has(a, PKT_RST))
        keep(a, h);
    else
        owe_rst(a, *h, RULE_CLOSED_RST, false);
}

/* Is this SYN not that of the connection which was there before, but of the next? The same SYN may begin another one, too; where
 * the first was given up unseen, not before a peer has surely lost interest. */
static bool begins_another(const struct arrival *a, const struct hypothesis *h)
{
    static const int64_t long_silence_ns = 20000000000;
    const struct judge *j = a->j;
    if (!j->in.begun)
        return false;
    bool hurried = j->calls.timers_configured || j->app.error_told || j->icmp.hard ||
                   (j->timing.flying && a->s->at_ns - j->timing.sent_ns > long_silence_ns);
    return j->in.iss != a->s->seq || (j->out.begun && (!h->faded || hurried || a->s->at_ns - j->out.live_ns > long_silence_ns));
}

/* A SYN where a passive OPEN waits: SYN-RECEIVED, with a SYN,ACK to come. Under pressure it may be passed over, or be answered by a
 * cookie (RFC 4987), which is the same seen from here but for retransmissions. */
static void open_passively(const struct arrival *a, const struct hypothesis *h, bool reopened)
{
    struct hypothesis opened = {
        .state = TCP_STATE_SYN_RECEIVED, .passive = true, .reopened = reopened || begins_another(a, h),
        .rcv_nxt_low = a->s->seq + 1, .rcv_nxt_high = a->s->end,
    };
    bool optional = a->j->host->pressed || reopened || a->s->odd;
    a->fate->taken = true;
    a->fate->doubted |= optional;
    if (optional) {
        keep(a, h);
        keep(a, &opened);
        return;
    }
    opened.dues[opened.due_count++] = at_once(a, DUE_SYN_ACK, RULE_SYN_ANSWER);
    keep(a, &opened);
}

/* Where cookies are taken, that of a connection which was reset may be good still, and an old segment begin it again (RFC 4987). */
static void refuse_in_listen(const struct arrival *a, const struct hypothesis *h)
{
    const struct side *out = &a->j->out;
    if (a->j->host->pressed && a->j->reset && out->begun && a->s->tcp->ack == out->iss + 1 && !has(a, PKT_SYN))
        a->j->disturbed = a->j->blind = true;
    owe_rst(a, *h, RULE_LISTEN_ACK_RST, false);
}

static void arrive_listen(const struct arrival *a, const struct hypothesis *h)
{
    if (has(a, PKT_RST))
        keep(a, h);
    else if (has(a, PKT_ACK))
        refuse_in_listen(a, h);
    else if (has(a, PKT_SYN))
        open_passively(a, h, false);
    else
        keep(a, h);
}

/* ---- text and FIN (§3.10.7.4, seventh and eighth) ------------------------------------------------------------------- */

static enum tcp_state after_fin(enum tcp_state state, bool fin_acked)
{
    switch (state) {
    case TCP_STATE_SYN_RECEIVED:
    case TCP_STATE_ESTABLISHED:
        return TCP_STATE_CLOSE_WAIT;
    case TCP_STATE_FIN_WAIT_1:
        return fin_acked ? TCP_STATE_TIME_WAIT : TCP_STATE_CLOSING;
    case TCP_STATE_FIN_WAIT_2:
        return TCP_STATE_TIME_WAIT;
    default:
        return state;
    }
}

static bool receives_text(enum tcp_state state)
{
    return state == TCP_STATE_ESTABLISHED || state == TCP_STATE_FIN_WAIT_1 || state == TCP_STATE_FIN_WAIT_2;
}

/* Where the peer may have ended its stream: by a FIN in this segment, or by one that was kept from before. */
struct ends {
    unsigned count;
    uint32_t at[FACTS_ODD_FINS_MAX + 2];
    bool doubtful;               /* the peer contradicts itself: which of its FINs counts, if any, the RFCs do not say */
};

static void add_end(struct ends *ends, uint32_t fin)
{
    for (unsigned i = 0; i < ends->count; i++)
        if (ends->at[i] == fin)
            return;
    ends->at[ends->count++] = fin;
}

static struct ends peer_ends(const struct arrival *a)
{
    const struct side *in = &a->j->in;
    struct ends ends = {0};
    if (has(a, PKT_FIN))
        add_end(&ends, a->s->end - 1);
    if (in->fin_seen)
        add_end(&ends, in->fin);
    for (unsigned i = 0; i < in->odd_fin_count; i++)
        add_end(&ends, in->odd_fins[i]);
    const uint32_t text_end = a->s->end - (has(a, PKT_FIN) ? 1 : 0);
    ends.doubtful = ends.count > 1 || in->odd_fin_count;
    for (unsigned i = 0; i < ends.count; i++) {
        const bool known = in->fin_seen && in->fin == ends.at[i];
        ends.doubtful |= seq_gt(text_end, ends.at[i]) || (in->known && seq_gt(in->nxt, ends.at[i] + (known ? 1 : 0)));
    }
    return ends;
}

static void owe_data_ack(const struct arrival *a, struct hypothesis *h, uint32_t ack, enum rule_id rule)
{
    static const int64_t delay_max_ns = 500000000; /* RFC 9293 §3.8.6.3 */
    judge_tested(a->j, rule);
    due_add(h, &(struct due){.kind = DUE_ACK, .rule = rule, .deadline_ns = judge_latest(a->j, a->s->at_ns, delay_max_ns),
                             .cause = a->s->index, .ack = ack});
}

/* A RST, and the connection is gone. */
static void reset_with_any_numbers(const struct arrival *a)
{
    struct hypothesis gone = {0};
    struct due due = at_once(a, DUE_RST, RULE_RST_NUMBERS);
    due.loose = true;
    due.seq = a->j->out.nxt;
    due_add(&gone, &due);
    judge_add_gone(a->j, a->next, &gone);
}

/* RFC 9293 §3.6.1: data that comes after CLOSE is lost, and the peer SHOULD be told so by a RST (SHLD-3). A FIN beyond RCV.NXT says
 * that there is data, too. */
static void maybe_reset_for_lost_data(const struct arrival *a, const struct hypothesis *h)
{
    const struct application *app = &a->j->app;
    bool nobody_reads = app->closed || app->deaf || !a->j->host->application_known,
         is_data = a->s->tcp->payload_len || (has(a, PKT_FIN) && seq_gt(a->s->seq, h->rcv_nxt_low));
    if (is_data && nobody_reads)
        reset_with_any_numbers(a);
}

/* Up to here data is in the window, for certain: an edge that was taken back (SHLD-14 asks not to) holds no longer. */
static uint32_t sure_edge(const struct side *out)
{
    return seq_min(out->edge, out->ack + out->window);
}

/* How far the sequence may have come, given that everything up to the window's edge is taken. */
struct advance { uint32_t low, high; };

static struct advance advance(const struct arrival *a, const struct hypothesis *h)
{
    const struct segment *s = a->s;
    const struct side *out = &a->j->out;
    struct advance to = {h->rcv_nxt_low, h->rcv_nxt_high};
    uint32_t edge = out->ack_known ? sure_edge(out) : s->end;
    if (seq_le(s->seq, h->rcv_nxt_low) && !a->j->app.buffer_changed) {
        uint32_t data_end = s->end - (s->tcp->flags & PKT_FIN ? 1u : 0u); /* of a segment too long for the window, all may be dropped */
        if (seq_le(data_end, edge))
            to.low = seq_max(to.low, seq_le(s->end, edge) ? s->end : data_end);
    }
    if (seq_le(s->seq, h->rcv_nxt_high)) {
        uint32_t far = seq_max(s->end, to.high), gapless = a->j->in.gapless;
        if (a->j->in.known)
            far = seq_max(far, a->j->in.ranges_full ? a->j->in.nxt : gapless);
        for (unsigned i = 0; i < a->j->in.range_count && seq_le(a->j->in.ranges[i].left, far); i++)
            far = seq_max(far, a->j->in.ranges[i].right);
        to.high = far;
    }
    return to;
}

/* A FIN at this number is reached. After CLOSE, FIN-WAIT-1 has been entered whether our own FIN could be sent or not (§3.10.4). */
static void keep_finished(const struct arrival *a, const struct hypothesis *h, uint32_t fin, bool fin_acked)
{
    struct hypothesis closing = *h;
    closing.state = (uint8_t)after_fin((enum tcp_state)h->state, fin_acked);
    closing.rcv_nxt_low = closing.rcv_nxt_high = fin + 1;
    owe_data_ack(a, &closing, fin + 1, RULE_FIN_ACK);
    keep(a, &closing);
    if (h->state != TCP_STATE_ESTABLISHED || !a->j->app.shut)
        return;
    closing.state = TCP_STATE_CLOSING;
    keep(a, &closing);
}

/* Another FIN right behind the first: "advance RCV.NXT over the FIN, and send an acknowledgment for the FIN" stands before the
 * states in which that has been done already (§3.10.7.4, eighth). */
static void maybe_pass_second_fin(const struct arrival *a, const struct hypothesis *h)
{
    struct hypothesis passed = *h;
    if (!has(a, PKT_FIN) || seq_lt(a->s->end - 1, h->rcv_nxt_low) || seq_gt(a->s->end - 1, h->rcv_nxt_high) ||
        seq_gt(a->s->seq, h->rcv_nxt_high))
        return;
    passed.rcv_nxt_low = passed.rcv_nxt_high = a->s->end;
    keep(a, &passed);
}

/* fin_acked: our own FIN is acknowledged. */
static void take_text(const struct arrival *a, const struct hypothesis *h, bool fin_acked)
{
    a->fate->taken = true;
    if (!receives_text((enum tcp_state)h->state)) {
        if (h->state == TCP_STATE_TIME_WAIT && has(a, PKT_FIN) && seq_ge(h->rcv_nxt_low, a->s->end))
            owe_ack(a, *h, RULE_TIME_WAIT_FIN);
        else
            keep(a, h);
        maybe_pass_second_fin(a, h);
        if (a->s->tcp->payload_len && seq_gt(a->s->end, h->rcv_nxt_low)) /* text behind a FIN is no text of this connection */
            reset_with_any_numbers(a);
        return;
    }
    maybe_reset_for_lost_data(a, h);
    const struct advance to = advance(a, h);
    const struct ends ends = peer_ends(a);
    struct hypothesis open = *h;
    open.rcv_nxt_low = to.low;
    open.rcv_nxt_high = to.high;
    for (unsigned i = 0; i < ends.count; i++) {
        uint32_t fin = ends.at[i];
        if (seq_le(to.high, fin) || seq_lt(fin, h->rcv_nxt_low))
            continue;
        keep_finished(a, h, fin, fin_acked);
        if (!ends.doubtful && seq_gt(to.low, fin))
            return;
        if (!ends.doubtful || (has(a, PKT_FIN) && i == 0)) /* a FIN that does not count has no number */
            open.rcv_nxt_low = seq_min(to.low, fin);
        if (!ends.doubtful)
            open.rcv_nxt_high = fin;
    }
    if (seq_gt(open.rcv_nxt_low, h->rcv_nxt_low))
        owe_data_ack(a, &open, open.rcv_nxt_low, RULE_DATA_ACK);
    keep(a, &open);
}

/* ---- SYN-SENT (§3.10.7.3) ------------------------------------------------------------------------------------------ */

static void syn_sent_syn(const struct arrival *a, const struct hypothesis *h)
{
    struct hypothesis opened = *h;
    opened.rcv_nxt_low = opened.rcv_nxt_high = a->s->seq + 1;
    a->fate->taken = true;
    if (!has(a, PKT_ACK)) {
        opened.state = TCP_STATE_SYN_RECEIVED;
        opened.passive = false;
        opened.rcv_nxt_high = a->s->end;
        struct due due = at_once(a, DUE_SYN_ACK, RULE_SIMULTANEOUS_OPEN);
        due_add(&opened, &due);
        keep(a, &opened);
        return;
    }
    opened.state = TCP_STATE_ESTABLISHED;
    opened.snd_una_low = opened.snd_una_high = a->s->tcp->ack;
    struct due due = at_once(a, DUE_ACK, RULE_SYN_SENT_ACK);
    due.ack = opened.rcv_nxt_low;
    due_add(&opened, &due);
    if (a->s->len == 1) {
        keep(a, &opened);
        return;
    }
    keep(a, &opened); /* what came with the SYN need not be taken: "the TCP peer may not accept … all of the data on the SYN" */
    take_text(a, &opened, false);
    for (unsigned i = 0; i < a->next->count; i++) /* the SYN may be acknowledged first, and the rest in its turn */
        if (a->next->of[i].state == TCP_STATE_ESTABLISHED || a->next->of[i].state == TCP_STATE_CLOSE_WAIT)
            a->next->of[i].rcv_nxt_low = seq_min(a->next->of[i].rcv_nxt_low, opened.rcv_nxt_low);
}

static void arrive_syn_sent(const struct arrival *a, const struct hypothesis *h)
{
    const struct side *out = &a->j->out;
    bool acceptable = has(a, PKT_ACK) && seq_gt(a->s->tcp->ack, out->iss) && seq_le(a->s->tcp->ack, out->nxt);
    if (has(a, PKT_ACK) && !acceptable) {
        if (has(a, PKT_RST))
            keep(a, h);
        else
            owe_rst(a, *h, RULE_SYN_SENT_BAD_ACK_RST, false);
    } else if (has(a, PKT_RST)) {
        if (acceptable) {
            a->j->reset = true;
            judge_add_gone(a->j, a->next, h);
        } else {
            keep(a, h);
        }
    } else if (has(a, PKT_SYN)) {
        syn_sent_syn(a, h);
    } else {
        keep(a, h);
    }
}

/* ---- the other states (§3.10.7.4) ---------------------------------------------------------------------------------- */

enum { UNSAID_WINDOW_MAX = 1 << 20 };

enum acceptable { ACCEPTABLE_NO, ACCEPTABLE_MAYBE, ACCEPTABLE_YES };

/* The peer's FIN has been taken. */
static bool has_ended(const struct hypothesis *h)
{
    return h->state >= TCP_STATE_CLOSE_WAIT;
}

/* First: the sequence number, by the window that the IUT has advertised (Table 6). The window that counts is the IUT's own: it may
 * be wider than advertised, by what does not show in a scaled field, by what the application has read since, and by the FIN's
 * number, which no application will read; and for text (never for a RST) by what a field at its largest cannot say. */
static enum acceptable acceptable(const struct arrival *a, const struct hypothesis *h)
{
    const struct segment *s = a->s;
    const struct side *out = &a->j->out;
    uint32_t last = s->len ? s->end - 1 : s->seq;
    int scale = facts_scale(out, &a->j->in);
    uint32_t hidden = (1u << (scale < 0 ? 14 : scale)) - 1 + (has_ended(h) ? 1u : 0u);
    if (s->seq - h->rcv_nxt_low == 1u << 31) /* neither before nor behind */
        return ACCEPTABLE_NO;
    if (!out->ack_known)
        return seq_lt(last, h->rcv_nxt_low) ? ACCEPTABLE_NO : ACCEPTABLE_MAYBE;
    uint32_t edge = out->edge;
    if (seq_lt(last, h->rcv_nxt_low))
        return ACCEPTABLE_NO;
    if (!s->len && seq_le(s->seq, h->rcv_nxt_high)) /* acceptable to any window */
        return h->rcv_nxt_low == h->rcv_nxt_high ? ACCEPTABLE_YES : ACCEPTABLE_MAYBE;
    bool wider = seq_lt(s->seq, h->rcv_nxt_low) && seq_ge(last, sure_edge(out)); /* than the window: neither end lies inside */
    if (seq_lt(s->seq, sure_edge(out)) && seq_ge(last, h->rcv_nxt_high) && !wider)
        return ACCEPTABLE_YES;
    if (seq_lt(s->seq, edge) && seq_ge(last, h->rcv_nxt_low))
        return ACCEPTABLE_MAYBE;
    bool may_have_grown = a->j->received_since_output || !a->j->host->application_known,
         says_all_it_can = s->len && s->seq - edge < UNSAID_WINDOW_MAX && !(s->tcp->flags & (PKT_SYN | PKT_RST)) &&
                           out->window == (uint32_t)UINT16_MAX << (scale < 0 ? 14 : scale);
    return may_have_grown || says_all_it_can || seq_lt(s->seq, edge + hidden) ? ACCEPTABLE_MAYBE : ACCEPTABLE_NO;
}

/* A SYN in TIME-WAIT may open a new connection (MAY-2, RFC 6191), be acknowledged, or be dropped. */
static void time_wait_syn(const struct arrival *a, const struct hypothesis *h)
{
    if (a->j->app.listening || !a->j->host->application_known)
        open_passively(a, h, true);
    else
        owe_rst(a, *h, RULE_CLOSED_RST, true);
    keep(a, h);
}

/* "… returns to TIME-WAIT state if the SYN turns out to be an old duplicate" (§3.6.1, MAY-2): its numbers are forgotten. */
static void maybe_back_to_time_wait(const struct arrival *a, const struct hypothesis *h)
{
    if (h->state == TCP_STATE_SYN_RECEIVED && a->j->from_time_wait)
        a->j->disturbed = a->j->blind = true;
}

static void take_rst(const struct arrival *a, const struct hypothesis *h)
{
    bool exact = a->s->seq == h->rcv_nxt_low && a->s->seq == h->rcv_nxt_high;
    struct hypothesis gone = *h;
    gone.due_count = 0;
    if (!exact) /* RFC 5961 §3.2: challenge; RFC 793: reset */
        owe_challenge(a, h, RULE_CHALLENGE_RST);
    bool straddles = seq_lt(a->s->seq, h->rcv_nxt_high); /* SEG.SEQ is outside, other octets inside: RFC 5961 §3.2 goes by SEG.SEQ */
    if (h->state == TCP_STATE_TIME_WAIT || straddles) /* RFC 1337 §3: it may be ignored in TIME-WAIT */
        keep(a, h);
    if (exact)
        judge_tested(a->j, RULE_AFTER_RST);
    a->j->reset |= exact;
    maybe_back_to_time_wait(a, h);
    if (h->state == TCP_STATE_SYN_RECEIVED && a->j->host->pressed) /* a cookie: there is no record that could be reset */
        keep(a, h);
    judge_add_gone(a->j, a->next, &gone);
}

static void take_ack(const struct arrival *a, const struct hypothesis *given);

/* §3.5.2 names no order of checks: "an unacceptable ACK" in SYN-RECEIVED is reset. */
static void maybe_reset_bad_ack(const struct arrival *a, const struct hypothesis *h)
{
    const struct side *out = &a->j->out;
    bool bad_ack = has(a, PKT_ACK) && (seq_le(a->s->tcp->ack, out->iss) || seq_gt(a->s->tcp->ack, out->nxt));
    if (h->state == TCP_STATE_SYN_RECEIVED && bad_ack && !has(a, PKT_RST))
        owe_rst(a, *h, RULE_SYN_RECEIVED_BAD_ACK_RST, false);
}

/* RFC 793's answer to a SYN in the window: "it is an error, send a reset … enter the CLOSED state". */
static void reset_and_gone(const struct arrival *a)
{
    struct hypothesis gone = {0};
    struct due due = reset_of(a, RULE_CHALLENGE_SYN, true);
    due_add(&gone, &due);
    judge_add_gone(a->j, a->next, &gone);
}

static void take_syn(const struct arrival *a, const struct hypothesis *h, bool in_window)
{
    if (h->state == TCP_STATE_TIME_WAIT) {
        time_wait_syn(a, h);
        if (in_window)
            reset_and_gone(a);
        return;
    }
    /* Both have opened, and this is the other's SYN,ACK (§3.5, Figure 8): taken, although it lies left of the window. */
    if (h->state == TCP_STATE_SYN_RECEIVED && has(a, PKT_ACK) && a->s->seq + 1 == h->rcv_nxt_low &&
        seq_gt(a->s->tcp->ack, a->j->out.iss) && seq_le(a->s->tcp->ack, a->j->out.nxt)) {
        struct hypothesis established = *h;
        established.state = TCP_STATE_ESTABLISHED;
        established.snd_una_low = established.snd_una_high = a->s->tcp->ack;
        keep(a, &established);
        take_text(a, &established, false); /* and what had come with its SYN */
    }
    if (h->state == TCP_STATE_SYN_RECEIVED && h->passive && in_window) {
        maybe_back_to_time_wait(a, h);
        judge_add_gone(a->j, a->next, &(struct hypothesis){0}); /* "return this connection to the LISTEN state" */
    }
    if (in_window && seq_lt(a->s->seq, h->rcv_nxt_low)) { /* the SYN lies outside: it may be cut off ("including SYN and FIN") */
        if (has(a, PKT_ACK))
            take_ack(a, h);
        else
            keep(a, h);
    }
    maybe_reset_bad_ack(a, h);
    if (in_window)
        reset_and_gone(a);
    owe_challenge(a, h, in_window ? RULE_CHALLENGE_SYN : RULE_UNACCEPTABLE_ACK);
}

static void refuse(const struct arrival *a, const struct hypothesis *h);

/* Fifth: the acknowledgment. */
static void take_ack(const struct arrival *a, const struct hypothesis *given)
{
    struct hypothesis h = *given;
    const struct side *out = &a->j->out;
    uint32_t ack = a->s->tcp->ack;
    bool future = seq_gt(ack, out->nxt), advances = seq_gt(ack, h.snd_una_low) && !future;
    if (h.state == TCP_STATE_SYN_RECEIVED) {
        if (!advances || seq_le(ack, out->iss)) {
            owe_rst(a, h, RULE_SYN_RECEIVED_BAD_ACK_RST, false);
            owe_challenge(a, &h, RULE_SYN_RECEIVED_BAD_ACK_RST); /* RFC 5961 §5.2 comes before the state's own check */
            return;
        }
        if (a->j->host->pressed)
            keep(a, &h);
        h.state = TCP_STATE_ESTABLISHED;
        h.due_count = 0;
    }
    if (future && h.state != TCP_STATE_TIME_WAIT) {
        owe_challenge(a, &h, RULE_ACK_OF_FUTURE);
        if (!seq_lt(ack, h.snd_una_low) && !seq_lt(ack, h.snd_una_high))
            return; /* else, half of the number space away, it lies behind SND.UNA as well as ahead of SND.NXT: a duplicate, too */
    }
    if (seq_lt(ack, h.snd_una_low - a->j->max_snd_wnd)) /* RFC 5961 §5.2: it may be dropped with an ACK, or taken for a duplicate */
        refuse(a, &h);
    if (advances) {
        h.snd_una_low = ack;
        h.snd_una_high = seq_max(h.snd_una_high, ack);
    }
    bool fin_acked = out->fin_seen && seq_gt(ack, out->fin) && !future;
    switch ((enum tcp_state)h.state) {
    case TCP_STATE_FIN_WAIT_1:
        h.state = fin_acked ? TCP_STATE_FIN_WAIT_2 : TCP_STATE_FIN_WAIT_1;
        break;
    case TCP_STATE_CLOSING:
        h.state = fin_acked ? TCP_STATE_TIME_WAIT : TCP_STATE_CLOSING;
        break;
    case TCP_STATE_LAST_ACK:
        if (fin_acked) {
            a->fate->taken = true;
            h.due_count = 0;
            judge_add_gone(a->j, a->next, &h);
            return;
        }
        break;
    default:
        break;
    }
    take_text(a, &h, fin_acked);
}

/* Not acceptable: an ACK (rarely more than a few, RFC 5961 §7), and nothing else. */
static void refuse(const struct arrival *a, const struct hypothesis *h)
{
    a->fate->doubted = true;
    maybe_reset_bad_ack(a, h);
    if (has(a, PKT_RST)) {
        judge_tested(a->j, RULE_RST_ANSWERED);
        keep(a, h);
    } else if (h->state == TCP_STATE_TIME_WAIT && has(a, PKT_FIN) && a->s->end == h->rcv_nxt_low) {
        owe_ack(a, *h, RULE_TIME_WAIT_FIN);
    } else {
        owe_challenge(a, h, RULE_UNACCEPTABLE_ACK);
    }
}

static void process(const struct arrival *a, const struct hypothesis *h)
{
    if (has(a, PKT_RST)) {
        take_rst(a, h);
    } else if (has(a, PKT_SYN)) {
        take_syn(a, h, true);
    } else if (!has(a, PKT_ACK)) {
        judge_tested(a->j, RULE_NO_ACK_BIT);
        keep(a, h);
    } else {
        take_ack(a, h);
    }
}

/* "If the RCV.WND is zero, no segments will be acceptable, but special allowance should be made to accept valid ACKs, URGs, and
 * RSTs": they are acknowledged no less. */
static void process_nevertheless(const struct arrival *a, const struct hypothesis *h)
{
    struct hypothesis owing = *h;
    bool last = (h->state == TCP_STATE_CLOSING || h->state == TCP_STATE_LAST_ACK) && seq_gt(a->s->tcp->ack, a->j->out.fin); /* nothing is left to wait for */
    if (!has(a, PKT_RST) && !is_throttled(a) && !last) {
        struct due due = at_once(a, DUE_ACK, RULE_UNACCEPTABLE_ACK);
        due.ack = h->rcv_nxt_low;
        due_add(&owing, &due);
    }
    process(a, &owing);
}

static bool is_old(const struct judge *j, const struct segment *s)
{
    return j->ts_recent_known && seq_lt(s->options.ts_val, j->ts_recent) && s->at_ns - j->ts_recent_ns < timestamp_outdated_ns;
}

/* RFC 7323 §5.3: a segment older than TS.Recent is not acceptable; one without the option SHOULD be dropped silently (§3.2). */
static bool check_timestamp(const struct arrival *a, const struct hypothesis *h)
{
    const struct judge *j = a->j;
    const enum agreed agreed = facts_timestamps(&j->in, &j->out);
    if (has(a, PKT_RST) || agreed == AGREED_NO)
        return true;
    if (!a->s->options.has_timestamp) {
        a->fate->doubted = true;
        keep(a, h);
        return true;
    }
    if (has(a, PKT_SYN) && h->state == TCP_STATE_TIME_WAIT)
        return true;
    if (is_old(j, a->s)) {
        refuse(a, h);
        return agreed == AGREED_UNKNOWN || h->state == TCP_STATE_SYN_RECEIVED; /* §5 speaks of synchronized states */
    }
    if (timestamps_may_be_old(j, a->s->options.ts_val))
        refuse(a, h);
    return true;
}

/* It may be refused as a whole: what reaches beyond the window may, but need not be, trimmed; an ACK of nothing this connection has
 * ever sent, or an echo of a timestamp it has not, need not be believed (RFC 5961 §5, RFC 7323 §3). */
static bool may_be_refused(const struct arrival *a, const struct hypothesis *h)
{
    const struct segment *s = a->s;
    const struct side *out = &a->j->out;
    if (!out->ack_known)
        return false;
    if (s->len && seq_gt(s->end, out->edge))
        return true;
    if (has(a, PKT_RST))
        return false;
    if (has(a, PKT_ACK) && h->state != TCP_STATE_SYN_RECEIVED && seq_le(s->tcp->ack, out->iss))
        return true;
    return h->state == TCP_STATE_SYN_RECEIVED && s->options.has_timestamp && has(a, PKT_ACK) &&
           s->options.ts_ecr != out->ts_val_max;
}

/* RFC 9293 Appendix A.2: common stacks take more sequence numbers than Table 6, so that the ACK field of a keep-alive, or of a FIN
 * that crosses ours, is not lost: those that end at RCV.NXT. */
static bool is_just_left(const struct arrival *a, const struct hypothesis *h)
{
    bool plain = has(a, PKT_ACK) && !has(a, PKT_RST) && !has(a, PKT_SYN);
    return plain && (a->s->end == h->rcv_nxt_low || a->s->seq + 1 == h->rcv_nxt_low);
}

static void arrive_otherwise(const struct arrival *a, const struct hypothesis *h)
{
    if (!check_timestamp(a, h))
        return;
    enum acceptable acceptance = acceptable(a, h);
    if (acceptance != ACCEPTABLE_YES) {
        if (has(a, PKT_SYN) && !has(a, PKT_RST))
            take_syn(a, h, false);
        else
            refuse(a, h);
        bool may_be_next = seq_ge(a->s->seq, h->rcv_nxt_low) && seq_le(a->s->seq, h->rcv_nxt_high);
        bool closed_window = may_be_next && (has(a, PKT_RST) || (has(a, PKT_ACK) && !has(a, PKT_SYN)));
        if (acceptance == ACCEPTABLE_NO && is_just_left(a, h))
            process_nevertheless(a, h);
        if (closed_window && acceptance == ACCEPTABLE_NO)
            process_nevertheless(a, h);
    }
    if (acceptance == ACCEPTABLE_YES && may_be_refused(a, h))
        refuse(a, h);
    if (acceptance != ACCEPTABLE_NO)
        process(a, h);
}

void arrive(struct judge *j, const struct hypothesis *h, const struct segment *s, struct hypotheses *next, struct fate *fate)
{
    const struct arrival a = {.j = j, .s = s, .next = next, .fate = fate};
    fate->doubted |= s->odd;
    if (s->odd) /* any handling */
        hypotheses_add(j, next, h);
    switch ((enum tcp_state)h->state) {
    case TCP_STATE_CLOSED:
        arrive_closed(&a, h);
        break;
    case TCP_STATE_LISTEN:
        arrive_listen(&a, h);
        break;
    case TCP_STATE_SYN_SENT:
        arrive_syn_sent(&a, h);
        break;
    default:
        arrive_otherwise(&a, h);
        break;
    }
}

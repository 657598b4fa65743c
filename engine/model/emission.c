/* What the IUT sends: does this situation explain it? By state first (which kinds of segment a state sends at all), then by
 * numbers, and last by what each kind needs. A check that fails names its rule; the further down it lies, the closer the situation
 * was. */
#include "engine/model/inside.h"

#include <stdio.h>
#include <string.h>

/* ---- kinds of segment and the states that send them --------------------------------------------------------------------- */

enum kind { KIND_SYN, KIND_SYN_ACK, KIND_RST, KIND_FIN, KIND_DATA, KIND_ACK, KIND_COUNT };

static enum kind kind_of(const struct segment *s)
{
    unsigned flags = s->tcp->flags;
    if (flags & PKT_RST)
        return KIND_RST;
    if (flags & PKT_SYN)
        return flags & PKT_ACK ? KIND_SYN_ACK : KIND_SYN;
    if (flags & PKT_FIN)
        return KIND_FIN;
    return s->tcp->payload_len ? KIND_DATA : KIND_ACK;
}

#define SENDS(kind) (1u << KIND_##kind)
static const unsigned sends[TCP_STATE_COUNT] = { /* RFC 9293 §3.10; a RST has checks of its own */
    [TCP_STATE_CLOSED] = SENDS(SYN) | SENDS(RST),
    [TCP_STATE_LISTEN] = SENDS(SYN) | SENDS(RST),
    [TCP_STATE_SYN_SENT] = SENDS(SYN) | SENDS(RST),
    [TCP_STATE_SYN_RECEIVED] = SENDS(SYN_ACK) | SENDS(ACK) | SENDS(FIN) | SENDS(DATA) | SENDS(RST),
    [TCP_STATE_ESTABLISHED] = SENDS(ACK) | SENDS(DATA) | SENDS(FIN) | SENDS(RST),
    [TCP_STATE_FIN_WAIT_1] = SENDS(ACK) | SENDS(DATA) | SENDS(FIN) | SENDS(RST) | SENDS(SYN_ACK), /* closed in SYN-RECEIVED: */
    [TCP_STATE_FIN_WAIT_2] = SENDS(ACK) | SENDS(DATA) | SENDS(RST), /* data: the garbage octet of a keep-alive only */
    [TCP_STATE_CLOSE_WAIT] = SENDS(ACK) | SENDS(DATA) | SENDS(FIN) | SENDS(RST),
    [TCP_STATE_CLOSING] = SENDS(ACK) | SENDS(DATA) | SENDS(FIN) | SENDS(RST) | SENDS(SYN_ACK), /* our SYN may still be unacknowledged */
    [TCP_STATE_LAST_ACK] = SENDS(ACK) | SENDS(DATA) | SENDS(FIN) | SENDS(RST),
    [TCP_STATE_TIME_WAIT] = SENDS(ACK) | SENDS(RST) | SENDS(SYN), /* SYN: the application opens the same pair again (RFC 6191) */
};
#undef SENDS

static enum rule_id not_sent_rule(const struct judge *j, enum kind kind, enum tcp_state state)
{
    if (j->reset && (state == TCP_STATE_CLOSED || state == TCP_STATE_LISTEN))
        return RULE_AFTER_RST;
    return kind == KIND_SYN ? RULE_SYN_WITHOUT_OPEN : kind == KIND_SYN_ACK ? RULE_SYN_ACK_UNASKED : RULE_SEGMENT_IN_STATE;
}

/* ---- one output against one situation --------------------------------------------------------------------------------- */

struct emission {
    struct judge *j;
    const struct segment *s;
    struct hypotheses *next;
    struct misfit *misfit;
};

enum depth { DEPTH_STATE = 1, DEPTH_CAUSE, DEPTH_SEQUENCE, DEPTH_ACKNOWLEDGMENT, DEPTH_DETAIL };

static bool miss(const struct emission *e, enum rule_id rule, enum depth depth, uint32_t low, uint32_t high)
{
    if (depth >= e->misfit->depth) {
        e->misfit->rule = rule;
        e->misfit->depth = depth;
        e->misfit->low = low;
        e->misfit->high = high;
    }
    return false;
}

/* What it was obliged to send, it has sent. */
static void settle(struct hypothesis *h, enum due_kind kind, const struct segment *s)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < h->due_count; i++) {
        bool settled = h->dues[i].kind == kind && (kind != DUE_ACK || seq_ge(s->tcp->ack, h->dues[i].ack));
        if (!settled)
            h->dues[kept++] = h->dues[i];
    }
    h->due_count = (uint8_t)kept;
}

/* ---- SYN and SYN,ACK ---------------------------------------------------------------------------------------------------- */

static bool emit_syn(const struct emission *e, struct hypothesis h)
{
    const struct side *out = &e->j->out;
    judge_tested(e->j, RULE_SYN_WITHOUT_OPEN);
    if (h.state != TCP_STATE_SYN_SENT) {
        if (e->j->host->application_known && !e->j->app.connecting)
            return miss(e, RULE_SYN_WITHOUT_OPEN, DEPTH_CAUSE, 0, 0);
        h = (struct hypothesis){.state = TCP_STATE_SYN_SENT, .snd_una_low = e->s->seq, .snd_una_high = e->s->seq};
    } else {
        judge_tested(e->j, RULE_SYN_CHANGED);
        if (out->begun && out->iss != e->s->seq)
            return miss(e, RULE_SYN_CHANGED, DEPTH_SEQUENCE, out->iss, out->iss);
    }
    hypotheses_add(e->j, e->next, &h);
    return true;
}

static bool emit_syn_ack(const struct emission *e, struct hypothesis h)
{
    const struct side *out = &e->j->out, *in = h.reopened && e->j->candidate && !e->j->in.begun ? e->j->candidate : &e->j->in;
    uint32_t high = h.rcv_nxt_high;
    judge_tested(e->j, RULE_SYN_ACK_NUMBERS);
    judge_tested(e->j, RULE_SYN_ACK_UNASKED);
    if (h.state != TCP_STATE_SYN_RECEIVED && seq_gt(h.snd_una_low, out->iss))
        return miss(e, RULE_SYN_ACK_UNASKED, DEPTH_STATE, 0, 0);
    if (in->fin_seen)
        high = seq_max(high, in->fin + 1);
    if (seq_lt(e->s->tcp->ack, h.rcv_nxt_low) || seq_gt(e->s->tcp->ack, high))
        return miss(e, RULE_SYN_ACK_NUMBERS, DEPTH_ACKNOWLEDGMENT, h.rcv_nxt_low, high);
    if (out->begun)
        judge_tested(e->j, RULE_SYN_CHANGED);
    if (out->begun && out->iss != e->s->seq)
        return miss(e, RULE_SYN_CHANGED, DEPTH_SEQUENCE, out->iss, out->iss);
    h.snd_una_low = h.snd_una_high = e->s->seq;
    h.reopened = false;
    settle(&h, DUE_SYN_ACK, e->s);
    settle(&h, DUE_ACK, e->s);
    hypotheses_add(e->j, e->next, &h);
    return true;
}

/* ---- RST ------------------------------------------------------------------------------------------------------------------ */

static bool is_reply(const struct segment *s, uint32_t seq, uint32_t ack, bool has_ack)
{
    if (s->seq != seq)
        return false;
    return !has_ack || ((s->tcp->flags & PKT_ACK) && s->tcp->ack == ack);
}

/* <SEQ=SND.NXT>, or what any of the last inputs may be answered with. */
static bool fits_loosely(const struct judge *j, const struct segment *s)
{
    bool of_connection = j->out.known && seq_le(j->in.ack_known ? j->in.ack : j->out.start, s->seq) && seq_le(s->seq, j->out.nxt);
    for (unsigned i = 0; i < JUDGE_REPLIES_MAX && i < j->reply_count && !of_connection; i++)
        of_connection = is_reply(s, j->replies[i].seq, j->replies[i].ack, j->replies[i].has_ack);
    return of_connection;
}

/* A RST that is due, or may still come in answer to a recent input. */
static bool emit_due_rst(const struct emission *e, struct hypothesis h)
{
    unsigned met = h.due_count; /* of those that it meets, the most urgent */
    for (unsigned i = 0; i < h.due_count; i++) {
        const struct due *due = &h.dues[i];
        if (due->kind != DUE_RST || !(is_reply(e->s, due->seq, due->ack, due->has_ack) || (due->loose && fits_loosely(e->j, e->s))))
            continue;
        if (met == h.due_count || due->deadline_ns < h.dues[met].deadline_ns)
            met = i;
    }
    if (met == h.due_count)
        return false;
    memmove(&h.dues[met], &h.dues[met + 1], (h.due_count - met - 1u) * sizeof *h.dues);
    h.due_count--;
    hypotheses_add(e->j, e->next, &h);
    return true;
}

static bool may_abort(const struct judge *j, const struct segment *s)
{
    static const int64_t timeout_ns = 1000000000; /* R2, user timeout, keep-alive: none is shorter */
    const struct application *app = &j->app;
    return !j->host->application_known || app->closed || app->aborted || app->unlistened || app->error_told || j->host->pressed ||
           j->calls.timers_configured || s->at_ns - j->progress_ns >= timeout_ns;
}

static bool emit_rst(const struct emission *e, const struct hypothesis *h)
{
    const struct judge *j = e->j;
    bool due = false;
    judge_tested(e->j, RULE_RST_NUMBERS);
    judge_tested(e->j, RULE_RST_UNASKED);
    if (emit_due_rst(e, *h))
        return true;
    for (unsigned i = 0; i < h->due_count; i++)
        due |= h->dues[i].kind == DUE_RST;
    if (due)
        return miss(e, RULE_RST_NUMBERS, DEPTH_DETAIL, h->dues[0].seq, h->dues[0].seq);
    if (h->state < TCP_STATE_SYN_SENT || !may_abort(j, e->s))
        return miss(e, j->last_input_was_rst ? RULE_RST_ANSWERED : RULE_RST_UNASKED, DEPTH_CAUSE, 0, 0);
    uint32_t low = h->state == TCP_STATE_SYN_SENT ? j->out.iss : h->snd_una_low, high = j->out.nxt;
    if (seq_lt(e->s->seq, low) || seq_gt(e->s->seq, high))
        return miss(e, RULE_RST_NUMBERS, DEPTH_SEQUENCE, low, high);
    struct hypothesis gone = *h;
    gone.due_count = 0;
    judge_add_gone(e->j, e->next, &gone);
    return true;
}

/* ---- ACK, data, FIN -------------------------------------------------------------------------------------------------------- */

/* RFC 9293 §3.8.4: SEG.SEQ = SND.NXT-1, with or without one garbage octet. Zero-window probes of some stacks look the same. */
static bool is_keep_alive(const struct judge *j, const struct hypothesis *h, const struct segment *s)
{
    return s->tcp->payload_len <= 1 && !(s->tcp->flags & PKT_FIN) &&
           (s->seq == j->out.nxt - 1 || s->seq == h->snd_una_low - 1 || s->seq == h->snd_una_high - 1);
}

static bool sequence_fits(const struct emission *e, const struct hypothesis *h, enum kind kind)
{
    const struct judge *j = e->j;
    const struct segment *s = e->s;
    if (is_keep_alive(j, h, s))
        return true;
    if (kind == KIND_ACK) {
        judge_tested(e->j, RULE_SEQ_BEYOND_NXT);
        if (seq_gt(s->seq, j->out.nxt))
            return miss(e, RULE_SEQ_BEYOND_NXT, DEPTH_SEQUENCE, h->snd_una_low, j->out.nxt);
    } else {
        judge_tested(e->j, RULE_SEQ_GAP);
        if (seq_gt(s->seq, j->out.nxt))
            return miss(e, RULE_SEQ_GAP, DEPTH_SEQUENCE, h->snd_una_low, j->out.nxt);
    }
    judge_tested(e->j, RULE_SEQ_BELOW_UNA);
    bool below = kind == KIND_ACK ? seq_lt(s->seq, h->snd_una_low) : seq_le(s->end, h->snd_una_low);
    if (below)
        return miss(e, RULE_SEQ_BELOW_UNA, DEPTH_SEQUENCE, h->snd_una_low, j->out.nxt);
    return true;
}

/* What the ACK field of a segment lets out (fifth) may leave before its text is taken (seventh): RCV.NXT is then still the one
 * before. */
static bool leaves_before_text(const struct emission *e)
{
    const struct judge *j = e->j;
    if (!j->reacting || !e->s->len || e->s->at_ns > judge_latest(j, j->last_input_ns, 0))
        return false;
    for (unsigned i = 0; i < j->before->count; i++)
        if (seq_ge(e->s->tcp->ack, j->before->of[i].rcv_nxt_low) && seq_le(e->s->tcp->ack, j->before->of[i].rcv_nxt_high))
            return true;
    return false;
}

/* Header and numbers may be of a segment formed before the input at hand: the bound is that of what may have been received. */
static bool acknowledgment_fits(const struct emission *e, struct hypothesis *h)
{
    const struct segment *s = e->s;
    if (!(s->tcp->flags & PKT_ACK))
        return true;
    judge_tested(e->j, RULE_ACK_NOT_RECEIVED);
    judge_tested(e->j, RULE_ACK_TOO_LOW);
    if (seq_gt(s->tcp->ack, h->rcv_nxt_high))
        return miss(e, RULE_ACK_NOT_RECEIVED, DEPTH_ACKNOWLEDGMENT, h->rcv_nxt_low, h->rcv_nxt_high);
    if (seq_lt(s->tcp->ack, h->rcv_nxt_low) && leaves_before_text(e))
        return true;
    if (seq_lt(s->tcp->ack, h->rcv_nxt_low))
        return miss(e, RULE_ACK_TOO_LOW, DEPTH_ACKNOWLEDGMENT, h->rcv_nxt_low, h->rcv_nxt_high);
    h->rcv_nxt_low = s->tcp->ack;
    return true;
}

static bool data_fits(const struct emission *e, const struct hypothesis *h)
{
    const struct judge *j = e->j;
    const struct segment *s = e->s;
    uint32_t end = s->end - ((s->tcp->flags & PKT_FIN) ? 1u : 0u);
    if (!s->tcp->payload_len || is_keep_alive(j, h, s))
        return true;
    if (h->state == TCP_STATE_SYN_RECEIVED && !j->in.offer.has_fastopen)
        return miss(e, RULE_SEGMENT_IN_STATE, DEPTH_DETAIL, 0, 0);
    if (h->state == TCP_STATE_FIN_WAIT_2)
        return miss(e, RULE_DATA_AFTER_FIN, DEPTH_DETAIL, 0, 0);
    if (j->out.fin_seen) {
        judge_tested(e->j, RULE_DATA_AFTER_FIN);
        if (seq_gt(end, j->out.fin))
            return miss(e, RULE_DATA_AFTER_FIN, DEPTH_DETAIL, h->snd_una_low, j->out.fin);
    }
    judge_tested(e->j, RULE_WINDOW_EXCEEDED);
    if (j->in.ack_known && seq_gt(end, j->out.nxt) && seq_gt(end, judge_send_edge_most(j)) && s->tcp->payload_len > 1)
        return miss(e, RULE_WINDOW_EXCEEDED, DEPTH_DETAIL, h->snd_una_low, judge_send_edge_most(j));
    return true;
}

static bool fin_fits(const struct emission *e, struct hypothesis *h)
{
    const struct judge *j = e->j;
    judge_tested(e->j, RULE_FIN_UNASKED);
    if (j->host->application_known && !j->app.shut && !j->app.closed && !j->app.unlistened)
        return miss(e, RULE_FIN_UNASKED, DEPTH_DETAIL, 0, 0);
    if (j->out.fin_seen) {
        judge_tested(e->j, RULE_FIN_MOVED);
        if (e->s->end - 1 != j->out.fin)
            return miss(e, RULE_FIN_MOVED, DEPTH_DETAIL, j->out.fin, j->out.fin);
    }
    if (h->state == TCP_STATE_SYN_RECEIVED || h->state == TCP_STATE_ESTABLISHED)
        h->state = TCP_STATE_FIN_WAIT_1;
    else if (h->state == TCP_STATE_CLOSE_WAIT)
        h->state = TCP_STATE_LAST_ACK;
    return true;
}

/* The field of a SYN is not scaled (RFC 7323 §2.2): one that comes again may be unable to say what was offered since. */
static bool says_all_it_can(const struct segment *s)
{
    return s->tcp->flags & PKT_SYN && s->tcp->window == UINT16_MAX;
}

static void note_window(struct judge *j, const struct segment *s)
{
    int agreed = facts_scale(&j->out, &j->in), scale = s->tcp->flags & PKT_SYN ? 0 : agreed;
    if (agreed < 0 || !j->out.ack_known || !(s->tcp->flags & PKT_ACK) || says_all_it_can(s))
        return;
    uint32_t edge = s->tcp->ack + ((uint32_t)s->tcp->window << scale), rounding = (1u << scale) - 1;
    judge_tested(j, RULE_WINDOW_SHRUNK);
    if (seq_lt(edge + rounding, j->out.edge))
        judge_find(j, RULE_WINDOW_SHRUNK, s, 0, "a right edge at or beyond the one before",
                   "its right edge moves back by %u octets", (unsigned)(j->out.edge - edge));
}

static bool emit_otherwise(const struct emission *e, struct hypothesis h, enum kind kind)
{
    if (!sequence_fits(e, &h, kind) || !acknowledgment_fits(e, &h) || !data_fits(e, &h))
        return false;
    if (kind == KIND_FIN && !fin_fits(e, &h))
        return false;
    if (e->s->tcp->flags & PKT_ACK)
        settle(&h, DUE_ACK, e->s);
    if (kind == KIND_FIN)
        settle(&h, DUE_FIN, e->s);
    hypotheses_add(e->j, e->next, &h);
    return true;
}

bool emit(struct judge *j, const struct hypothesis *h, const struct segment *s, struct hypotheses *next, struct misfit *misfit)
{
    const struct emission e = {.j = j, .s = s, .next = next, .misfit = misfit};
    enum kind kind = kind_of(s);
    judge_tested(j, RULE_SEGMENT_IN_STATE);
    if (!(sends[h->state] & 1u << kind))
        return miss(&e, not_sent_rule(j, kind, (enum tcp_state)h->state), DEPTH_STATE, 0, 0);
    switch (kind) {
    case KIND_SYN:
        return emit_syn(&e, *h);
    case KIND_SYN_ACK:
        return emit_syn_ack(&e, *h);
    case KIND_RST:
        return emit_rst(&e, h);
    default:
        return emit_otherwise(&e, *h, kind);
    }
}

void emit_judge_window(struct judge *j, const struct segment *s)
{
    if (!(s->tcp->flags & PKT_RST))
        note_window(j, s);
}

/* ---- in words -------------------------------------------------------------------------------------------------------------- */

static bool about_acknowledgment(enum rule_id rule)
{
    return rule == RULE_ACK_NOT_RECEIVED || rule == RULE_ACK_TOO_LOW || rule == RULE_SYN_ACK_NUMBERS;
}

void emit_report(struct judge *j, const struct segment *s, const struct misfit *misfit)
{
    char low[NUMBER_TEXT_MAX], high[NUMBER_TEXT_MAX], was[NUMBER_TEXT_MAX], permitted[160];
    const char *state = tcp_state_name(misfit->state);
    if (misfit->depth < DEPTH_SEQUENCE || (misfit->low == 0 && misfit->high == 0)) {
        judge_find(j, misfit->rule, s, JUDGE_NEEDS_COMPLETE, rule_at(misfit->rule)->demand, "in %s", state);
        return;
    }
    bool acknowledgment = about_acknowledgment(misfit->rule);
    const struct side *side = acknowledgment ? &j->in : &j->out;
    side_number(side, misfit->low, low);
    side_number(side, misfit->high, high);
    side_number(side, acknowledgment ? s->tcp->ack : s->seq, was);
    const char *field = acknowledgment ? "SEG.ACK" : "SEG.SEQ";
    if (misfit->low == misfit->high)
        snprintf(permitted, sizeof permitted, "%s %s in %s", field, low, state);
    else
        snprintf(permitted, sizeof permitted, "%s from %s to %s in %s", field, low, high, state);
    judge_find(j, misfit->rule, s, JUDGE_NEEDS_COMPLETE, permitted, "%s is %s, in %s", field, was, state);
}

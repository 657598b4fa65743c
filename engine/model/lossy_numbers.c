/* Captures: the numbers of what the IUT sends, as far as the facts of both sides bound them. */
#include "engine/model/lossy.h"

#include <stdio.h>

static bool is_recent_reply(const struct judge *j, const struct segment *s)
{
    for (unsigned i = 0; i < JUDGE_REPLIES_MAX && i < j->reply_count; i++) {
        const struct reply *r = &j->replies[i];
        if (s->seq == r->seq && (!r->has_ack || (s->tcp->flags & PKT_ACK && s->tcp->ack == r->ack)))
            return true;
    }
    return false;
}

/* What a RST that ends a connection may have as SEG.SEQ: SND.NXT, as far as it is known. */
struct bounds {
    uint32_t from, to;
    bool exact;
};

static struct bounds bounds_of_rst(const struct judge *j, bool next)
{
    struct bounds b = {.exact = next && j->out.range_count == 0};
    bool all_inputs_known = j->reply_count <= JUDGE_REPLIES_MAX && lossy_is_whole(&j->lossy.trail_in) && j->in.ack_known;
    b.from = all_inputs_known ? j->in.ack : j->out.start;
    if (b.exact)
        b.to = j->out.nxt;
    else
        b.to = j->in.ack_known ? seq_max(j->out.nxt, j->in.edge + 1) : j->out.nxt + (1u << 30);
    return b;
}

static void note_own_rst(struct judge *j, const struct segment *s)
{
    bool synchronized = j->out.begun && j->in.begun && j->in.ack_known && seq_gt(j->in.ack, j->out.iss);
    if (!synchronized || s->seq != j->out.nxt || j->lossy.again)
        return;
    j->lossy.own_rst_seen = true;
    j->lossy.own_rst = s->seq;
}

/* Of an endpoint that has sent nothing else: the answer to a SYN. */
static void judge_refusal(struct judge *j, const struct segment *s)
{
    char permitted[80];
    const struct reply *r = &j->replies[0];
    bool to_syn = s->tcp->flags & PKT_ACK && s->seq == 0;
    if (!j->reply_count || !j->in.begun || !to_syn)
        return;
    snprintf(permitted, sizeof permitted, r->has_ack ? "<SEQ=0><ACK=%u><CTL=RST,ACK>" : "<SEQ=%u><CTL=RST>",
             (unsigned)(r->has_ack ? r->ack : r->seq));
    judge_find(j, RULE_RST_NUMBERS, s, JUDGE_NEEDS_COMPLETE, permitted, "SEG.SEQ is %u, SEG.ACK %u", (unsigned)s->seq,
               (unsigned)s->tcp->ack);
}

/* It is not of an earlier life of the port, whose late segments may still come: it acknowledges what this peer has sent, or its
 * timestamp is not below the last. */
static bool is_of_this_life(const struct judge *j, const struct segment *s)
{
    if (s->options.has_timestamp && j->out.ts_known)
        return seq_ge(s->options.ts_val, j->out.ts_val_max);
    return s->tcp->flags & PKT_ACK && seq_gt(s->tcp->ack, j->in.iss) && seq_le(s->tcp->ack, j->in.nxt);
}

void lossy_judge_rst(struct judge *j, const struct segment *s, bool next)
{
    char low[NUMBER_TEXT_MAX], high[NUMBER_TEXT_MAX], was[NUMBER_TEXT_MAX], permitted[200];
    judge_tested(j, RULE_RST_NUMBERS);
    note_own_rst(j, s);
    if (is_recent_reply(j, s))
        return;
    if (!j->out.known) {
        if (!j->lossy.again)
            judge_refusal(j, s);
        return;
    }
    struct bounds bounds = bounds_of_rst(j, next);
    bool opened = j->out.begun && j->in.begun, before = j->out.begun && seq_lt(s->seq, j->out.iss);
    bool of_this_life = opened && is_of_this_life(j, s);
    bool enough_known = before || j->lossy.again ? of_this_life : j->out.begun && j->in.known;
    if (!enough_known || (seq_ge(s->seq, bounds.from) && seq_le(s->seq, bounds.to)))
        return;
    bool impossible = before || (opened && j->in.ack_known && s->seq - j->out.nxt - (1u << 30) < 1u << 30);
    snprintf(permitted, sizeof permitted, "SEG.SEQ from %s to %s, or SEG.ACK of the segment that it answers",
             side_number(&j->out, bounds.from, low), side_number(&j->out, bounds.to, high));
    judge_find(j, RULE_RST_NUMBERS, s,
               bounds.exact ? 0
               : impossible ? JUDGE_NEEDS_COMPLETE
                            : lossy_clean,
               permitted, "SEG.SEQ is %s", side_number(&j->out, s->seq, was));
}

void lossy_judge_syn_ack(struct judge *j, const struct segment *s)
{
    char permitted[80];
    if (!j->in.begun)
        return;
    judge_tested(j, RULE_SYN_ACK_NUMBERS);
    uint32_t high = seq_max(j->in.gapless, j->in.iss + 1);
    if (seq_lt(s->tcp->ack, j->in.iss + 1) || seq_gt(s->tcp->ack, high)) {
        snprintf(permitted, sizeof permitted, "SEG.ACK %u", (unsigned)(j->in.iss + 1));
        judge_find(j, RULE_SYN_ACK_NUMBERS, s, JUDGE_NEEDS_COMPLETE, permitted, "SEG.ACK is %u", (unsigned)s->tcp->ack);
    }
    if (!j->out.begun || j->lossy.again)
        return;
    judge_tested(j, RULE_SYN_CHANGED);
    if (j->out.iss != s->seq) {
        snprintf(permitted, sizeof permitted, "SEG.SEQ %u", (unsigned)j->out.iss);
        judge_find(j, RULE_SYN_CHANGED, s, lossy_clean, permitted, "SEG.SEQ is %u", (unsigned)s->seq);
    }
}

bool lossy_is_impossible(const struct side *claimant, const struct side *sender, uint32_t ack)
{
    uint32_t beyond = ack - sender->nxt, edge = claimant->ack_known ? claimant->edge : sender->nxt + UINT16_MAX;
    uint32_t windows =
        2 * (claimant->window_max > UINT16_MAX ? claimant->window_max : UINT16_MAX); /* several, and the ACKs between them */
    if ((sender->fin_seen && seq_gt(ack, sender->fin + 1)) || beyond - 1 >= 1u << 30)
        return true;
    return (claimant->ack_known || claimant->begun) && seq_gt(ack, edge + 1) && beyond > windows;
}

bool lossy_judge_ack(struct judge *j, const struct segment *s)
{
    uint32_t ack = s->tcp->ack;
    char was[NUMBER_TEXT_MAX], high[NUMBER_TEXT_MAX], permitted[80];
    if (!(s->tcp->flags & PKT_ACK) || !j->in.known)
        return true;
    judge_tested(j, RULE_ACK_NOT_RECEIVED);
    if (j->out.ack_known && seq_lt(ack, j->out.ack))
        j->evidence |= JUDGE_NEEDS_ORDER;
    lossy_resolve_by_claimant(j, s, true);
    if (seq_le(ack, j->in.nxt)) {
        if (seq_gt(ack, j->in.gapless))
            j->evidence |= JUDGE_NEEDS_COMPLETE;
        return true;
    }
    if (lossy_is_impossible(&j->out, &j->in, ack)) {
        snprintf(permitted, sizeof permitted, "SEG.ACK at most %s", side_number(&j->in, j->in.nxt, high));
        judge_find(j, RULE_ACK_NOT_RECEIVED, s, JUDGE_NEEDS_COMPLETE, permitted, "SEG.ACK is %s", side_number(&j->in, ack, was));
        return false;
    }
    lossy_claim_ack(j, s, true);
    return false;
}

static bool is_keep_alive(const struct judge *j, const struct segment *s)
{
    return s->tcp->payload_len <= 1 && !(s->tcp->flags & PKT_FIN) && seq_lt(s->seq, j->out.nxt);
}

/* The FIN, and data behind it. False: a finding. */
static bool judge_fin(struct judge *j, const struct segment *s)
{
    char was[NUMBER_TEXT_MAX], limit[NUMBER_TEXT_MAX], permitted[80];
    bool fin = s->tcp->flags & PKT_FIN;
    uint32_t data_end = s->end - (fin ? 1u : 0u);
    if (fin && j->out.fin_seen && data_end != j->out.fin) {
        snprintf(permitted, sizeof permitted, "a FIN at %s", side_number(&j->out, j->out.fin, limit));
        judge_find(j, RULE_FIN_MOVED, s, JUDGE_NEEDS_COMPLETE, permitted, "the FIN is at %s", side_number(&j->out, data_end, was));
        return false;
    }
    if (j->out.fin_seen && s->tcp->payload_len && seq_gt(data_end, j->out.fin)) {
        snprintf(permitted, sizeof permitted, "data up to %s", side_number(&j->out, j->out.fin, limit));
        judge_find(j, RULE_DATA_AFTER_FIN, s, JUDGE_NEEDS_COMPLETE, permitted, "its data ends at %s",
                   side_number(&j->out, data_end, was));
        return false;
    }
    if (fin && !j->out.fin_seen && seq_lt(s->end, j->out.nxt)) {
        judge_find(j, RULE_DATA_AFTER_FIN, s, JUDGE_NEEDS_COMPLETE, "a FIN after all data sent",
                   "the FIN is at %s, data was sent up to %s", side_number(&j->out, data_end, was),
                   side_number(&j->out, j->out.nxt, limit));
        return false;
    }
    return true;
}

/* What lies before a segment may be lost or on its way, but not beyond the window. */
static void judge_empty(struct judge *j, const struct segment *s, bool next)
{
    char was[NUMBER_TEXT_MAX], limit[NUMBER_TEXT_MAX], permitted[80];
    uint32_t highest = next ? j->out.nxt : seq_max(j->out.nxt, j->in.edge + 1);
    judge_tested(j, RULE_SEQ_BEYOND_NXT);
    if (seq_le(s->seq, highest) || !j->in.ack_known)
        return;
    snprintf(permitted, sizeof permitted, "SEG.SEQ at most %s", side_number(&j->out, highest, limit));
    judge_find(j, RULE_SEQ_BEYOND_NXT, s, next ? 0 : lossy_clean, permitted, "SEG.SEQ is %s", side_number(&j->out, s->seq, was));
}

static void judge_window(struct judge *j, const struct segment *s)
{
    char was[NUMBER_TEXT_MAX], limit[NUMBER_TEXT_MAX], permitted[80];
    uint32_t data_end = s->end - ((s->tcp->flags & PKT_FIN) ? 1u : 0u);
    uint32_t edge = seq_max(j->in.edge, j->out.nxt + 2 * j->in.window_max); /* what an ACK that was missed may have granted */
    judge_tested(j, RULE_WINDOW_EXCEEDED);
    lossy_note_excess(j, s, data_end);
    if (!j->in.ack_known || !j->in.begun || s->tcp->payload_len <= 1 || seq_le(data_end, j->out.nxt) || seq_le(data_end, edge))
        return;
    snprintf(permitted, sizeof permitted, "data up to %s", side_number(&j->out, edge, limit));
    judge_find(j, RULE_WINDOW_EXCEEDED, s, JUDGE_NEEDS_COMPLETE, permitted, "its data ends at %s",
               side_number(&j->out, data_end, was));
}

void lossy_judge_sequence(struct judge *j, const struct segment *s, bool next)
{
    char was[NUMBER_TEXT_MAX], limit[NUMBER_TEXT_MAX], permitted[80];
    if (!j->out.begun || is_keep_alive(j, s))
        return;
    judge_tested(j, j->out.fin_seen ? RULE_FIN_MOVED : RULE_SEQ_GAP);
    if (!judge_fin(j, s))
        return;
    if (!s->len) {
        judge_empty(j, s, next);
    } else if (next && seq_gt(s->seq, j->out.nxt)) {
        snprintf(permitted, sizeof permitted, "SEG.SEQ at most %s", side_number(&j->out, j->out.nxt, limit));
        judge_find(j, RULE_SEQ_GAP, s, 0, permitted, "SEG.SEQ is %s", side_number(&j->out, s->seq, was));
    } else if (seq_lt(s->end, j->out.iss + 1)) {
        judge_tested(j, RULE_SEQ_BELOW_UNA);
        judge_find(j, RULE_SEQ_BELOW_UNA, s, lossy_clean, "SEG.SEQ from ISS on", "SEG.SEQ is %u before ISS",
                   (unsigned)(j->out.iss - s->seq));
    } else {
        judge_window(j, s);
    }
}

void lossy_judge_life(struct judge *j, const struct segment *s, bool next)
{
    const struct lossy_watch *w = &j->lossy;
    if (next && w->own_rst_seen && s->len && seq_gt(s->end, j->out.nxt) && seq_ge(s->seq, w->own_rst))
        judge_find(j, RULE_SEGMENT_IN_STATE, s, lossy_clean, "nothing, or a RST", "in CLOSED: it has reset this connection");
}

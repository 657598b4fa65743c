/* Captures: what can only be decided when more has been seen. */
#include "engine/model/lossy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOSSY_TEXT_MAX = 256, REPEATS_MAX = 7, ECHOED_REPEATS_MAX = 3 };

char *lossy_in_words(const struct segment *s)
{
    char text[LOSSY_TEXT_MAX];
    pkt_format(s->packet, text, sizeof text);
    return strdup(text);
}

static void forget_ack(struct lossy_ack *a)
{
    free(a->observed);
    *a = (struct lossy_ack){0};
}

void lossy_release(struct judge *j)
{
    forget_ack(&j->lossy.of_iut);
    forget_ack(&j->lossy.of_peer);
    free(j->lossy.other_observed);
    free(j->lossy.excess.observed);
    j->lossy = (struct lossy_watch){0};
}

/* ---- what IPv4 identifications tell --------------------------------------------------------------------------------------------
 */

bool lossy_sent_next(const struct lossy_trail *trail, const struct segment *s)
{
    return trail->unbroken && !trail->syn && s->packet->ip.version == 4 && s->packet->ip.id == ((trail->id + 1) & 0xffff);
}

/* Two copies of one packet: the network has doubled it. */
/* Old octets under an old timestamp: what is sent again has a new one. */
static bool is_late(const struct side *side, const struct segment *s)
{
    return s->len && side->known && seq_le(s->end, side->nxt) && s->options.has_timestamp && side->ts_known &&
           seq_lt(s->options.ts_val, side->ts_val_max);
}

void lossy_note_trail(struct judge *j, struct lossy_trail *trail, const struct segment *s)
{
    if (is_late(trail == &j->lossy.trail_in ? &j->in : &j->out, s))
        j->evidence |= JUDGE_NEEDS_ORDER;
    if (s->packet->ip.version != 4)
        return;
    uint32_t id = s->packet->ip.id;
    if (trail->known && id == trail->id && id && s->seq == trail->seq && s->len)
        j->evidence |= JUDGE_NEEDS_ORDER;
    bool syn = s->tcp->flags & PKT_SYN, next = id == ((trail->id + 1) & 0xffff);
    bool first = trail->syn && trail->id == 0 && s->seq == trail->seq + 1; /* a SYN,ACK is often sent before there is a counter */
    trail->unbroken = trail->known ? trail->unbroken && (next || first) : syn;
    trail->known = true;
    trail->syn = syn;
    trail->id = id;
    trail->seq = s->seq;
}

/* ---- acknowledgments of what was not seen ---------------------------------------------------------------------------------- */

void lossy_wait_for_ack(struct lossy_ack *a, const struct side *acknowledged, const struct segment *s, bool words)
{
    if (a->waiting)
        return;
    *a = (struct lossy_ack){.waiting = true, .ack = s->tcp->ack, .nxt = acknowledged->nxt, .at_ns = s->at_ns, .index = s->index,
                            .observed = words ? lossy_in_words(s) : NULL};
}

static void blame_ack(struct judge *j, struct lossy_ack *a, unsigned needs, const char *why)
{
    char ack[NUMBER_TEXT_MAX], nxt[NUMBER_TEXT_MAX], permitted[80];
    side_number(&j->in, a->ack, ack);
    side_number(&j->in, a->nxt, nxt);
    snprintf(permitted, sizeof permitted, "SEG.ACK at most %s", nxt);
    judge_find_later(j, RULE_ACK_NOT_RECEIVED, a->index, a->at_ns, needs, permitted, a->observed ? a->observed : "",
                     "SEG.ACK is %s, but the peer had sent only up to %s (%s)", ack, nxt, why);
    forget_ack(a);
}

void lossy_resolve_by_data(struct judge *j, struct lossy_ack *a, const struct side *sender, const struct segment *s, bool blame)
{
    if (!a->waiting || !s->len || (s->tcp->flags & (PKT_SYN | PKT_RST)) || seq_le(s->end, a->nxt))
        return;
    if (s->seq != a->nxt || sender->nxt != a->nxt) {
        j->evidence |= JUDGE_NEEDS_COMPLETE;
        forget_ack(a);
    } else if (j->lossy.rtt_ns > 0 && s->at_ns - a->at_ns < j->lossy.rtt_ns) {
        if (blame && s->packet->ip.version == 6) /* nothing tells a copy made by the network from the original, which may have been missed */
            return;
        if (blame)
            blame_ack(j, a, JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_ORDER, "and sends this for the first time only afterwards");
        else
            forget_ack(a);
    }
}

void lossy_resolve_by_ack(struct judge *j, uint32_t ack)
{
    struct lossy_ack *a = &j->lossy.of_iut;
    if (a->waiting && seq_gt(ack, a->nxt) && seq_lt(ack, a->ack) && seq_ge(j->in.nxt, ack))
        blame_ack(j, a, JUDGE_NEEDS_ORDER, "and it acknowledges less itself, afterwards");
}

static void resolve_by_fin(struct judge *j, struct lossy_ack *a, const struct side *sender, bool blame)
{
    if (!a->waiting || !sender->fin_seen || seq_le(a->ack, sender->fin + 1))
        return;
    if (blame)
        blame_ack(j, a, 0, "and its FIN ends there");
    else
        forget_ack(a);
}

void lossy_resolve_by_fin(struct judge *j, const struct segment *s)
{
    if (j->lossy.of_iut.waiting && s->tcp->flags & PKT_FIN && !(s->tcp->flags & PKT_RST) && seq_gt(j->lossy.of_iut.ack, s->end))
        blame_ack(j, &j->lossy.of_iut, 0, "and its FIN ends before that");
}

void lossy_end(struct judge *j, int64_t now_ns)
{
    (void)now_ns;
    resolve_by_fin(j, &j->lossy.of_iut, &j->in, true);
    resolve_by_fin(j, &j->lossy.of_peer, &j->out, false);
    if (j->lossy.of_iut.waiting || j->lossy.of_peer.waiting)
        j->evidence |= JUDGE_NEEDS_COMPLETE;
    forget_ack(&j->lossy.of_iut);
    forget_ack(&j->lossy.of_peer);
}

/* ---- data beyond the window -----------------------------------------------------------------------------------------------------
 */

void lossy_note_excess(struct judge *j, const struct segment *s, uint32_t data_end)
{
    struct lossy_excess *x = &j->lossy.excess;
    if (x->waiting || !j->lossy.trail_in.unbroken || !j->out.begun || !j->in.ack_known || s->tcp->payload_len <= 1 ||
        seq_le(data_end, j->out.nxt) || seq_le(data_end, j->in.edge))
        return;
    *x = (struct lossy_excess){.waiting = true, .edge = j->in.edge, .end = data_end, .index = s->index, .at_ns = s->at_ns,
                               .observed = lossy_in_words(s)};
}

void lossy_resolve_excess(struct judge *j)
{
    struct lossy_excess *x = &j->lossy.excess;
    char edge[NUMBER_TEXT_MAX], end[NUMBER_TEXT_MAX], permitted[80];
    if (!x->waiting)
        return;
    if (j->lossy.trail_in.unbroken) {
        snprintf(permitted, sizeof permitted, "data up to %s", side_number(&j->out, x->edge, edge));
        judge_find_later(j, RULE_WINDOW_EXCEEDED, x->index, x->at_ns, lossy_clean, permitted, x->observed ? x->observed : "",
                         "its data ends at %s", side_number(&j->out, x->end, end));
    }
    free(x->observed);
    *x = (struct lossy_excess){0};
}

/* ---- data that is never taken -------------------------------------------------------------------------------------------------
 */

static void note_repetition(struct judge *j, const struct segment *s)
{
    struct lossy_watch *w = &j->lossy;
    w->repeats++;
    w->waiting_for_answer = true;
    w->repeated_index = s->index;
    w->repeated_ts_fresh = s->options.has_timestamp && j->in.ts_known && seq_gt(s->options.ts_val, j->in.ts_val_max);
    w->repeated_ts = s->options.ts_val;
}

void lossy_note_repeats(struct judge *j, const struct segment *s)
{
    struct lossy_watch *w = &j->lossy;
    if (!s->len || (s->tcp->flags & (PKT_SYN | PKT_RST)))
        return;
    if (s->end == w->repeated_end && s->seq == w->repeated_seq) {
        note_repetition(j, s);
        return;
    }
    if (j->out.ack_known && s->seq == j->out.ack) {
        w->repeated_seq = s->seq;
        w->repeated_end = s->end;
        w->repeats = w->answered = w->echoed = 0;
        w->repeated_since_ns = s->at_ns;
        note_repetition(j, s);
    }
    if (s->len > w->trying_len || seq_gt(j->out.ack, w->trying_end)) {
        w->trying_len = s->len;
        w->trying_end = s->end;
    }
}

/* It has arrived: TSecr is taken from segments that were received (RFC 7323 §4.3). Or so often, while as much got through before,
 * that losses are no explanation. */
static bool has_arrived(const struct lossy_watch *w, int64_t span_ns)
{
    static const int64_t delay_max_ns = 500000000, long_ns = 3000000000;
    if (w->echoed >= ECHOED_REPEATS_MAX && span_ns > delay_max_ns)
        return true;
    return w->answered >= REPEATS_MAX && span_ns > long_ns && w->taken_len >= w->repeated_end - w->repeated_seq;
}

void lossy_judge_repeats(struct judge *j, const struct segment *s)
{
    struct lossy_watch *w = &j->lossy;
    if (!(s->tcp->flags & PKT_ACK))
        return;
    if (seq_ge(s->tcp->ack, w->trying_end) && w->trying_len > w->taken_len)
        w->taken_len = w->trying_len;
    if (seq_gt(s->tcp->ack, w->repeated_seq)) {
        w->repeats = w->answered = w->echoed = 0;
        return;
    }
    if (!w->waiting_for_answer || !w->repeats)
        return;
    w->waiting_for_answer = false;
    w->answered++;
    w->echoed += w->repeated_ts_fresh && s->options.has_timestamp && s->options.ts_ecr == w->repeated_ts;
    judge_tested(j, RULE_DATA_ACK);
    if (has_arrived(w, s->at_ns - w->repeated_since_ns) && seq_le(w->repeated_end, j->out.edge))
        judge_find_later(j, RULE_DATA_ACK, w->repeated_index, s->at_ns, w->echoed >= ECHOED_REPEATS_MAX ? 0 : JUDGE_NEEDS_COMPLETE,
                         "an ACK of it", "nothing",
                         "it came %u times within its window, and what was sent after it does not acknowledge it", w->repeats);
}

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

void lossy_release(struct judge *j)
{
    lossy_claims_release(j);
    free(j->lossy.other_observed);
    free(j->lossy.excess.observed);
    j->lossy = (struct lossy_watch){0};
}

void lossy_end(struct judge *j, int64_t now_ns)
{
    (void)now_ns;
    lossy_claims_end(j);
}

/* ---- data beyond the window -----------------------------------------------------------------------------------------------------
 */

void lossy_note_excess(struct judge *j, const struct segment *s, uint32_t data_end)
{
    struct lossy_excess *x = &j->lossy.excess;
    if (x->waiting || !lossy_is_whole(&j->lossy.trail_in) || !j->out.begun || !j->in.ack_known || s->tcp->payload_len <= 1 ||
        seq_le(data_end, j->out.nxt) || seq_le(data_end, j->in.edge))
        return;
    *x = (struct lossy_excess){.waiting = true, .id = j->lossy.trail_in.id, .edge = j->in.edge, .end = data_end, .index = s->index, .at_ns = s->at_ns,
                               .observed = lossy_in_words(s)};
}

void lossy_resolve_excess(struct judge *j, const struct segment *s)
{
    struct lossy_excess *x = &j->lossy.excess;
    char edge[NUMBER_TEXT_MAX], end[NUMBER_TEXT_MAX], permitted[80];
    if (!x->waiting)
        return;
    if (s->packet->ip.version == 4 && s->packet->ip.id == ((x->id + 1) & 0xffff)) {
        snprintf(permitted, sizeof permitted, "data up to %s", side_number(&j->out, x->edge, edge));
        judge_find_later(j, RULE_WINDOW_EXCEEDED, x->index, x->at_ns, lossy_clean | JUDGE_NEEDS_UNIQUE, permitted, x->observed ? x->observed : "",
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

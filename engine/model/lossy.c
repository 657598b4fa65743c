/* What the IUT sends, seen in a capture.
 *
 * A capture shows what passes one point of the path. What goes to the IUT may be lost or overtaken behind it; what comes from the
 * IUT may have been reordered, and lost, before it; and the capture itself may miss packets of either kind, also singly. What still
 * holds: whatever the IUT has received has passed here before (or was missed), since its answer comes by here later. So the facts
 * bound what the IUT may know from above, and its own numbers from below, and an output beyond these bounds is a violation, or
 * something was missed. Which of the two is decided as follows.
 *
 * - Most findings need a complete capture (JUDGE_NEEDS_COMPLETE). They are void when the capture contradicts itself anywhere: an
 *   acknowledgment of octets that it does not show is such a contradiction (judge_evidence).
 * - An acknowledgment of octets not yet seen may be either. It is a violation when the peer then goes on, in sequence, and sends
 *   just these octets for the first time: had they been sent before and been missed here, then the peer would have to repeat them,
 * which no sender does within a round trip of being acknowledged; or when the IUT itself shows later that it has not received them;
 * or when they lie beyond the peer's FIN.
 * - A number beyond everything seen, but inside the window, may follow segments that were lost before the capture. Only where
 *   IPv4 identifications that count up show that nothing was sent in between is it a violation.
 * - Silence is a violation only if it is shown again and again that the IUT lives and could have answered. */
#include "engine/model/lossy.h"

#include <stdlib.h>
#include <stdio.h>

/* ---- which connection a segment belongs to ------------------------------------------------------------------------------------
 */

static void begin(struct judge *j)
{
    lossy_end(j, j->now_ns);
    lossy_release(j);
    judge_begin_incarnation(j);
    j->lossy.again = true;
}

/* Nothing new can come of this connection. */
static bool is_closed(const struct judge *j)
{
    return (j->in.fin_seen && j->out.fin_seen) || j->reset || j->lossy.own_rst_seen;
}

/* A number below the ISS is of the connection before. */
static bool is_of_old(const struct side *side, uint32_t seq)
{
    return side->begun && seq_lt(seq, side->iss);
}

static bool is_outside(const struct side *side, uint32_t seq)
{
    return side->known && seq - (side->start - 1) > side->nxt - (side->start - 1);
}

/* Both numbers of a segment are others than those of the connection at hand: the opening of a new one was missed. */
static bool is_of_new(const struct side *from, const struct side *to, const struct segment *s)
{
    return s->tcp->flags & PKT_ACK && is_outside(from, s->seq) && is_outside(to, s->tcp->ack);
}

/* The IUT has sent a SYN with this ISS, seen or not. */
static void begin_with_iss(struct judge *j, uint32_t iss)
{
    begin(j);
    j->out.known = j->out.begun = true;
    j->out.iss = j->out.start = iss;
    j->out.gapless = j->out.nxt = iss + 1;
}

/* Numbers of this connection lie within the largest window (RFC 7323 §2.3: 2^30) of what was seen; others are of an earlier one. */
static bool is_near(const struct side *side, uint32_t seq)
{
    static const uint32_t far = 1u << 30;
    return !side->known || seq - (side->start - far) < 2 * far + (side->nxt - side->start);
}

bool lossy_begin_input(struct judge *j, const struct segment *s)
{
    unsigned control = s->tcp->flags & (PKT_SYN | PKT_ACK | PKT_RST);
    if (control == PKT_SYN) {
        j->lossy.syn_since_syn_ack = true;
        if (j->in.begun && j->in.iss == s->seq)
            return true;
        if (is_closed(j))
            begin(j);
        if (!j->in.known)
            return true;
        judge_note_candidate(j, s);
        return false;
    }
    if (control == (PKT_SYN | PKT_ACK)) {
        bool other = j->lossy.other_syn && s->tcp->ack == j->lossy.other_iss + 1; /* the other SYN was the one that counts */
        if (other || is_of_new(&j->in, &j->out, s)) {
            begin_with_iss(j, s->tcp->ack - 1);
            return true;
        }
        if (j->out.begun && s->tcp->ack != j->out.iss + 1 && j->out.nxt == j->out.iss + 1)
            return false;
        return !j->in.known || j->in.iss == s->seq || !j->in.begun;
    }
    if (j->lossy.again && is_of_old(&j->in, s->seq))
        return false;
    if (is_of_new(&j->in, &j->out, s))
        begin(j);
    return is_near(&j->in, s->seq);
}

/* A SYN,ACK answers the SYN seen, or the one that came while an old connection was still there. */
static bool begin_by_syn_ack(struct judge *j, const struct segment *s)
{
    if (j->candidate && s->tcp->ack - (j->candidate->iss + 1) <= j->candidate->nxt - j->candidate->iss - 1 &&
        !(j->in.begun && j->in.iss == j->candidate->iss)) {
        struct side candidate = *j->candidate;
        begin(j);
        j->in = candidate;
    } else if (is_of_new(&j->out, &j->in, s) || (j->out.known && !j->in.begun && j->out.iss != s->seq)) {
        begin(j);
    } else if (j->out.begun && j->out.iss != s->seq && j->lossy.syn_since_syn_ack && j->in.begun &&
               seq_le(j->in.nxt, j->in.iss + 1)) {
        lossy_claims_release(j);
        facts_reset(&j->out); /* the SYN came again when the first attempt was forgotten: a new one, with a new ISS */
    }
    j->lossy.syn_since_syn_ack = false;
    return true;
}

static void blame_other_syn(struct judge *j)
{
    struct lossy_watch *w = &j->lossy;
    char iss[NUMBER_TEXT_MAX], permitted[80];
    snprintf(iss, sizeof iss, "%u", (unsigned)j->out.iss);
    snprintf(permitted, sizeof permitted, "SEG.SEQ %s", iss);
    judge_find_later(j, RULE_SYN_CHANGED, w->other_index, w->other_ns, JUDGE_NEEDS_ORDER, permitted,
                     w->other_observed ? w->other_observed : "", "SEG.SEQ is %u, before and after it %s", (unsigned)w->other_iss, iss);
    free(w->other_observed);
    w->other_observed = NULL;
    w->other_syn = false;
}

bool lossy_begin_output(struct judge *j, const struct segment *s)
{
    struct lossy_watch *w = &j->lossy;
    unsigned control = s->tcp->flags & (PKT_SYN | PKT_ACK | PKT_RST);
    if (control == (PKT_SYN | PKT_ACK))
        return begin_by_syn_ack(j, s);
    if (control == PKT_SYN && is_closed(j) && !(j->out.begun && j->out.iss == s->seq)) {
        begin(j);
        return true;
    }
    if (control == PKT_SYN && j->out.known && (!j->out.begun || j->out.iss != s->seq)) {
        bool of_old = s->options.has_timestamp && j->out.ts_known && seq_lt(s->options.ts_val, j->out.ts_val_max);
        if (of_old || (w->other_syn && w->other_iss == s->seq))
            return false;
        free(w->other_observed);
        w->other_syn = true;
        w->other_iss = s->seq;
        w->other_index = s->index;
        w->other_ns = s->at_ns;
        w->other_observed = lossy_in_words(s);
        return false;
    }
    if (w->other_syn && !w->again && j->out.begun && j->out.nxt == j->out.iss + 1 &&
        (s->seq == j->out.iss || s->seq == j->out.iss + 1) && !(control & PKT_RST))
        blame_other_syn(j);
    if (control & PKT_RST)
        return true;
    if (w->other_syn && s->seq == w->other_iss + 1 && s->seq != j->out.nxt) {
        begin_with_iss(j, w->other_iss);
        return true;
    }
    if (w->again && (is_of_old(&j->out, s->seq) || (control & PKT_ACK && is_of_old(&j->in, s->tcp->ack))))
        return false;
    if (is_of_new(&j->out, &j->in, s))
        begin(j);
    return is_near(&j->out, s->seq);
}

bool lossy_is_newest(const struct judge *j, const struct segment *s)
{
    const struct lossy_watch *w = &j->lossy;
    if (!(s->tcp->flags & PKT_ACK) || !w->claim_known)
        return false;
    bool new_data = s->len && seq_gt(s->end, j->out.nxt);
    return seq_gt(s->tcp->ack, w->claim) || (new_data && s->tcp->ack == w->claim);
}

/* ---- inputs -------------------------------------------------------------------------------------------------------------------
 */

static void note_handshake(struct judge *j, const struct segment *s, const struct side *of)
{
    struct lossy_watch *w = &j->lossy;
    unsigned control = s->tcp->flags & (PKT_SYN | PKT_ACK | PKT_RST);
    if (control == PKT_SYN) {
        w->handshake_clean = !of->known;
        w->syn_ns = s->at_ns;
    } else if (control == (PKT_SYN | PKT_ACK) && !of->known) {
        w->syn_ack_ns = s->at_ns;
    } else if (control == (PKT_SYN | PKT_ACK)) {
        w->handshake_clean = false;
    } else if (w->handshake_clean && w->syn_ack_ns && !w->rtt_ns) {
        w->rtt_ns = s->at_ns - w->syn_ns;
    }
}

/* When its last new octets came. */
static void note_new(int64_t *new_ns, const struct side *side, const struct segment *s)
{
    if (s->len && !(s->tcp->flags & (PKT_SYN | PKT_RST)) && (!side->known || seq_gt(s->end, side->nxt)))
        *new_ns = s->at_ns;
}

void lossy_input(struct judge *j, struct segment *s)
{
    lossy_note_trail(j, &j->lossy.trail_in, s);
    lossy_resolve_excess(j, s);
    note_handshake(j, s, &j->in);
    lossy_resolve_by_sender(j, s, true);
    lossy_resolve_by_claimant(j, s, false);
    note_new(&j->lossy.in_new_ns, &j->in, s);
    lossy_note_repeats(j, s);
    if (s->tcp->flags & PKT_RST) {
        j->reset = true;
        return;
    }
    if (!(s->tcp->flags & PKT_ACK) || !j->out.known)
        return;
    uint32_t ack = s->tcp->ack;
    s->ack_doubtful = seq_gt(ack, j->out.nxt);
    if (s->ack_doubtful && !lossy_is_impossible(&j->in, &j->out, ack))
        lossy_claim_ack(j, s, false);
    else if (!s->ack_doubtful && seq_gt(ack, j->out.gapless))
        j->evidence |= JUDGE_NEEDS_COMPLETE;
    if (j->in.ack_known && seq_lt(ack, j->in.ack) && s->len == 0)
        j->evidence |= JUDGE_NEEDS_ORDER;
}

/* ---- outputs ------------------------------------------------------------------------------------------------------------------
 */

static void note_claim(struct judge *j, const struct segment *s)
{
    struct lossy_watch *w = &j->lossy;
    if (!(s->tcp->flags & PKT_ACK))
        return;
    w->claim = w->claim_known ? seq_max(w->claim, s->tcp->ack) : s->tcp->ack;
    w->claim_known = true;
}

/* After everything that was seen of the IUT. */
static bool was_sent_last(const struct judge *j, const struct segment *s)
{
    if (j->out.ack_known && s->tcp->flags & PKT_ACK && seq_gt(s->tcp->ack, j->out.ack))
        return true;
    return s->options.has_timestamp && j->out.ts_known && seq_gt(s->options.ts_val, j->out.ts_val_max);
}

bool lossy_output(struct judge *j, struct segment *s)
{
    unsigned flags = s->tcp->flags;
    bool found_before = j->found;
    note_handshake(j, s, &j->out);
    bool next = lossy_sent_next(&j->lossy.trail_out, s);
    lossy_note_trail(j, &j->lossy.trail_out, s);
    if (flags & PKT_RST) {
        lossy_judge_rst(j, s, next);
        return true;
    }
    if (flags & PKT_SYN) {
        if (flags & PKT_ACK)
            lossy_judge_syn_ack(j, s);
        note_claim(j, s);
        return !j->found || found_before;
    }
    j->found = false;
    next &= j->out.begun && j->out.range_count == 0; /* of a stream that begins later, a probe of old octets may have been the first */
    lossy_judge_sequence(j, s, next);
    bool wrong_numbers = j->found && s->seq != j->out.nxt;
    s->ack_doubtful = !lossy_judge_ack(j, s);
    if (!j->found && !s->ack_doubtful && was_sent_last(j, s))
        emit_judge_window(j, s);
    note_claim(j, s);
    lossy_judge_life(j, s, next);
    lossy_judge_repeats(j, s);
    lossy_resolve_by_sender(j, s, false);
    note_new(&j->lossy.out_new_ns, &j->out, s);
    j->found |= found_before;
    if (next && wrong_numbers && s->tcp->payload_len && seq_gt(s->seq, j->out.nxt)) { /* what was sent next, under a wrong number */
        s->seq = j->out.nxt;
        s->end = s->seq + s->len;
    } else if (next && wrong_numbers) {
        return false;
    }
    return true;
}

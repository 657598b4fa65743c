/* What the IUT sends, seen in a capture.
 *
 * A capture shows what passes one point of the path. What goes to the IUT may be lost or overtaken behind it; what comes from the IUT
 * may have been reordered, and lost, before it; and the capture itself may miss packets of either kind, also singly. What still
 * holds: whatever the IUT has received has passed here before (or was missed), since its answer comes by here later. So the facts
 * bound what the IUT may know from above, and its own numbers from below, and an output beyond these bounds is a violation, or
 * something was missed. Which of the two is decided as follows.
 *
 * - Most findings need a complete capture (JUDGE_NEEDS_COMPLETE). They are void when the capture contradicts itself anywhere: an
 *   acknowledgment of octets that it does not show is such a contradiction (judge_evidence).
 * - An acknowledgment of octets not yet seen may be either. It is a violation when the peer then goes on, in sequence, and sends
 *   just these octets for the first time: had they been sent before and been missed here, then the peer would have to repeat them, which no
 *   sender does within a round trip of being acknowledged; or when the IUT itself shows later that it has not received them; or when they lie
 *   beyond the peer's FIN.
 * - A number beyond everything seen, but inside the window, may follow segments that were lost before the capture. Only where
 *   IPv4 identifications that count up show that nothing was sent in between is it a violation.
 * - Silence is a violation only if it is shown again and again that the IUT lives and could have answered. */
#include "engine/model/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOSSY_TEXT_MAX = 256, REPEATS_MAX = 7 };

static const unsigned clean = JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_ORDER;

static char *in_words(const struct segment *s)
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

/* ---- what IPv4 identifications tell -------------------------------------------------------------------------------------------- */

/* From the SYN to this packet not one of its direction is missing. Shown by senders that count their packets up, as most do (RFC 6864
 * leaves it to them), but for the SYN itself. */
static bool sent_next(const struct lossy_trail *trail, const struct segment *s)
{
    return trail->unbroken && !trail->syn && s->packet->ip.version == 4 && s->packet->ip.id == ((trail->id + 1) & 0xffff);
}

/* Two copies of one packet: the network has doubled it. */
static void note_trail(struct judge *j, struct lossy_trail *trail, const struct segment *s)
{
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

static void wait_for_ack(struct lossy_ack *a, const struct side *acknowledged, const struct segment *s, bool words)
{
    if (a->waiting)
        return;
    *a = (struct lossy_ack){.waiting = true, .ack = s->tcp->ack, .nxt = acknowledged->nxt, .at_ns = s->at_ns, .index = s->index,
                            .observed = words ? in_words(s) : NULL};
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

/* The side goes on to send: does that show whether the octets acknowledged early had been sent? For the peer's acknowledgments of the
 * IUT's octets only the evidence counts: the other endpoint's judge finds. */
static void resolve_by_data(struct judge *j, struct lossy_ack *a, const struct side *sender, const struct segment *s, bool blame)
{
    if (!a->waiting || !s->len || (s->tcp->flags & (PKT_SYN | PKT_RST)) || seq_le(s->end, a->nxt))
        return;
    if (s->seq != a->nxt || sender->nxt != a->nxt) {
        j->evidence |= JUDGE_NEEDS_COMPLETE;
        forget_ack(a);
    } else if (j->lossy.rtt_ns > 0 && s->at_ns - a->at_ns < j->lossy.rtt_ns) {
        if (blame)
            blame_ack(j, a, JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_ORDER, "and sends this for the first time only afterwards");
        else
            forget_ack(a);
    }
}

/* A later acknowledgment below the early one, of octets that came in between. */
static void resolve_by_ack(struct judge *j, uint32_t ack)
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

/* ---- which connection a segment belongs to ------------------------------------------------------------------------------------ */

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

/* Both numbers of a segment are others than those of the connection at hand: the opening of a new one was missed. */
static bool is_of_old(const struct side *side, uint32_t seq)
{
    return side->begun && seq_lt(seq, side->iss);
}

static bool is_outside(const struct side *side, uint32_t seq)
{
    return side->known && seq - (side->start - 1) > side->nxt - (side->start - 1);
}

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
    } else if (j->out.begun && j->out.iss != s->seq && j->lossy.syn_since_syn_ack && j->in.begun && seq_le(j->in.nxt, j->in.iss + 1)) {
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
        if (w->other_syn && w->other_iss == s->seq)
            return false;
        free(w->other_observed);
        w->other_syn = true;
        w->other_iss = s->seq;
        w->other_index = s->index;
        w->other_ns = s->at_ns;
        w->other_observed = in_words(s);
        return false;
    }
    if (w->other_syn && !w->again && j->out.begun && j->out.nxt == j->out.iss + 1 && (s->seq == j->out.iss || s->seq == j->out.iss + 1) && !(control & PKT_RST))
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

/* ---- data beyond the window ----------------------------------------------------------------------------------------------------- */

static void note_excess(struct judge *j, const struct segment *s, uint32_t data_end)
{
    struct lossy_excess *x = &j->lossy.excess;
    if (x->waiting || !j->lossy.trail_in.unbroken || !j->out.begun || !j->in.ack_known || s->tcp->payload_len <= 1 ||
        seq_le(data_end, j->out.nxt) || seq_le(data_end, j->in.edge))
        return;
    *x = (struct lossy_excess){.waiting = true, .edge = j->in.edge, .end = data_end, .index = s->index, .at_ns = s->at_ns,
                               .observed = in_words(s)};
}

/* The next packet of the peer: its identification says whether one before it was missed. */
static void resolve_excess(struct judge *j)
{
    struct lossy_excess *x = &j->lossy.excess;
    char edge[NUMBER_TEXT_MAX], end[NUMBER_TEXT_MAX], permitted[80];
    if (!x->waiting)
        return;
    if (j->lossy.trail_in.unbroken) {
        snprintf(permitted, sizeof permitted, "data up to %s", side_number(&j->out, x->edge, edge));
        judge_find_later(j, RULE_WINDOW_EXCEEDED, x->index, x->at_ns, clean, permitted, x->observed ? x->observed : "",
                         "its data ends at %s", side_number(&j->out, x->end, end));
    }
    free(x->observed);
    *x = (struct lossy_excess){0};
}

/* ---- inputs ------------------------------------------------------------------------------------------------------------------- */

static void note_handshake(struct judge *j, const struct segment *s, const struct side *of)
{
    struct lossy_watch *w = &j->lossy;
    unsigned control = s->tcp->flags & (PKT_SYN | PKT_ACK | PKT_RST);
    if (control == PKT_SYN)
        w->handshake_clean = !of->known, w->syn_ns = s->at_ns;
    else if (control == (PKT_SYN | PKT_ACK) && !of->known)
        w->syn_ack_ns = s->at_ns;
    else if (control == (PKT_SYN | PKT_ACK))
        w->handshake_clean = false;
    else if (w->handshake_clean && w->syn_ack_ns && !w->rtt_ns)
        w->rtt_ns = s->at_ns - w->syn_ns;
}

/* Data of the peer that the IUT, alive, never takes. */
static void note_repeats(struct judge *j, const struct segment *s)
{
    struct lossy_watch *w = &j->lossy;
    if (!s->tcp->payload_len || (s->tcp->flags & (PKT_SYN | PKT_RST)))
        return;
    if (s->end == w->repeated_end && s->seq == w->repeated_seq) {
        w->repeats++;
        w->waiting_for_answer = true;
        w->repeated_index = s->index;
        return;
    }
    if (j->out.ack_known && s->seq == j->out.ack) {
        w->repeated_seq = s->seq;
        w->repeated_end = s->end;
        w->repeats = 1;
        w->answered = 0;
        w->waiting_for_answer = true;
        w->repeated_since_ns = s->at_ns;
    }
    if (s->tcp->payload_len > w->trying_len || seq_gt(j->out.ack, w->trying_end)) {
        w->trying_len = s->tcp->payload_len;
        w->trying_end = s->end;
    }
}

void lossy_input(struct judge *j, struct segment *s)
{
    note_trail(j, &j->lossy.trail_in, s);
    resolve_excess(j);
    note_handshake(j, s, &j->in);
    resolve_by_data(j, &j->lossy.of_iut, &j->in, s, true);
    if (s->tcp->flags & PKT_FIN && j->lossy.of_iut.waiting && !(s->tcp->flags & PKT_RST) && seq_gt(j->lossy.of_iut.ack, s->end))
        blame_ack(j, &j->lossy.of_iut, 0, "and its FIN ends before that");
    note_repeats(j, s);
    if (s->tcp->flags & PKT_RST) {
        j->reset = true;
        return;
    }
    if (!(s->tcp->flags & PKT_ACK) || !j->out.known)
        return;
    uint32_t ack = s->tcp->ack;
    s->ack_doubtful = seq_gt(ack, j->out.nxt);
    bool beyond_own_window = j->in.ack_known && seq_gt(ack, j->in.edge + 1); /* the peer's judge has a finding, or was blind to more than one packet */
    if (s->ack_doubtful && !beyond_own_window)
        wait_for_ack(&j->lossy.of_peer, &j->out, s, false);
    else if (!s->ack_doubtful && seq_gt(ack, j->out.gapless))
        j->evidence |= JUDGE_NEEDS_COMPLETE;
    if (j->in.ack_known && seq_lt(ack, j->in.ack) && s->len == 0)
        j->evidence |= JUDGE_NEEDS_ORDER;
}

/* ---- outputs ------------------------------------------------------------------------------------------------------------------ */

static bool is_recent_reply(const struct judge *j, const struct segment *s)
{
    for (unsigned i = 0; i < JUDGE_REPLIES_MAX && i < j->reply_count; i++) {
        const struct reply *r = &j->replies[i];
        if (s->seq == r->seq && (!r->has_ack || (s->tcp->flags & PKT_ACK && s->tcp->ack == r->ack)))
            return true;
    }
    return false;
}

/* next: nothing was sent since the last segment seen */
static void judge_rst(struct judge *j, const struct segment *s, bool next)
{
    char low[NUMBER_TEXT_MAX], high[NUMBER_TEXT_MAX], was[NUMBER_TEXT_MAX], permitted[200];
    judge_tested(j, RULE_RST_NUMBERS);
    if (j->out.begun && j->in.begun && j->in.ack_known && seq_gt(j->in.ack, j->out.iss) && s->seq == j->out.nxt && !j->lossy.again) {
        j->lossy.own_rst_seen = true;
        j->lossy.own_rst = s->seq;
    }
    if (is_recent_reply(j, s))
        return;
    bool all_known = j->reply_count <= JUDGE_REPLIES_MAX;
    all_known &= j->lossy.trail_in.unbroken && j->in.ack_known;
    uint32_t from = all_known ? j->in.ack : j->out.start;
    bool complete = next && j->out.range_count == 0;
    uint32_t to = complete ? j->out.nxt : j->in.ack_known ? seq_max(j->out.nxt, j->in.edge + 1) : j->out.nxt + (1u << 30);
    bool of_connection = j->out.known && seq_ge(s->seq, from) && seq_le(s->seq, to);
    bool opened = j->out.begun && j->in.begun, before = opened && seq_lt(s->seq, j->out.iss);
    if (of_connection || (j->out.known && !(j->out.begun && j->in.known)) || (j->lossy.again && (!opened || before)))
        return; /* too little is known of what it may answer */
    bool impossible = before || (opened && j->in.ack_known && s->seq - j->out.nxt - (1u << 30) < 1u << 30);
    bool to_syn = s->tcp->flags & PKT_ACK && s->seq == 0;
    if (!j->out.known && (!j->reply_count || !j->in.begun || !to_syn))
        return;
    if (!j->out.known) {
        const struct reply *r = &j->replies[0];
        snprintf(permitted, sizeof permitted, r->has_ack ? "<SEQ=0><ACK=%u><CTL=RST,ACK>" : "<SEQ=%u><CTL=RST>",
                 (unsigned)(r->has_ack ? r->ack : r->seq));
        judge_find(j, RULE_RST_NUMBERS, s, JUDGE_NEEDS_COMPLETE, permitted, "SEG.SEQ is %u, SEG.ACK %u", (unsigned)s->seq, (unsigned)s->tcp->ack);
        return;
    }
    snprintf(permitted, sizeof permitted, "SEG.SEQ from %s to %s, or SEG.ACK of the segment that it answers",
             side_number(&j->out, from, low), side_number(&j->out, to, high));
    judge_find(j, RULE_RST_NUMBERS, s, complete ? 0 : impossible ? JUDGE_NEEDS_COMPLETE : clean, permitted, "SEG.SEQ is %s", side_number(&j->out, s->seq, was));
}

static void judge_syn_ack(struct judge *j, const struct segment *s)
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
    if (!j->out.begun)
        return;
    judge_tested(j, RULE_SYN_CHANGED);
    if (j->out.iss != s->seq) {
        snprintf(permitted, sizeof permitted, "SEG.SEQ %u", (unsigned)j->out.iss);
        judge_find(j, RULE_SYN_CHANGED, s, JUDGE_NEEDS_COMPLETE, permitted, "SEG.SEQ is %u", (unsigned)s->seq);
    }
}

/* False: the number is not to be learned. */
static bool judge_ack(struct judge *j, const struct segment *s)
{
    uint32_t ack = s->tcp->ack;
    char was[NUMBER_TEXT_MAX], high[NUMBER_TEXT_MAX], permitted[80];
    if (!(s->tcp->flags & PKT_ACK) || !j->in.known)
        return true;
    judge_tested(j, RULE_ACK_NOT_RECEIVED);
    if (j->out.ack_known && seq_lt(ack, j->out.ack))
        j->evidence |= JUDGE_NEEDS_ORDER;
    resolve_by_ack(j, ack);
    if (seq_le(ack, j->in.nxt)) {
        if (seq_gt(ack, j->in.gapless))
            j->evidence |= JUDGE_NEEDS_COMPLETE;
        return true;
    }
    bool impossible = (j->in.fin_seen && seq_gt(ack, j->in.fin + 1)) || ack - j->in.nxt > 1u << 30;
    uint32_t edge = j->out.ack_known ? j->out.edge : j->in.nxt + UINT16_MAX; /* before its first ACK only the window of its SYN counts */
    bool beyond_own_window = (j->out.ack_known || j->out.begun) && seq_gt(ack, edge + 1);
    if (impossible || beyond_own_window) {
        snprintf(permitted, sizeof permitted, "SEG.ACK at most %s", side_number(&j->in, j->in.nxt, high));
        judge_find(j, RULE_ACK_NOT_RECEIVED, s, JUDGE_NEEDS_COMPLETE, permitted, "SEG.ACK is %s%s",
                   side_number(&j->in, ack, was), impossible ? "" : ", beyond the window it has offered itself");
        return false;
    }
    wait_for_ack(&j->lossy.of_iut, &j->in, s, true);
    return false;
}

static void note_claim(struct judge *j, const struct segment *s)
{
    struct lossy_watch *w = &j->lossy;
    if (!(s->tcp->flags & PKT_ACK))
        return;
    w->claim = w->claim_known ? seq_max(w->claim, s->tcp->ack) : s->tcp->ack;
    w->claim_known = true;
}

static bool is_keep_alive(const struct judge *j, const struct segment *s)
{
    return s->tcp->payload_len <= 1 && !(s->tcp->flags & PKT_FIN) && seq_lt(s->seq, j->out.nxt);
}

/* Sequence numbers of ACK, data and FIN. next: nothing is missing before this segment. */
static void judge_sequence(struct judge *j, const struct segment *s, bool next)
{
    char was[NUMBER_TEXT_MAX], limit[NUMBER_TEXT_MAX], permitted[80];
    bool fin = s->tcp->flags & PKT_FIN;
    uint32_t data_end = s->end - (fin ? 1u : 0u);
    if (!j->out.begun || is_keep_alive(j, s))
        return;
    if (fin && j->out.fin_seen) {
        judge_tested(j, RULE_FIN_MOVED);
        if (s->end - 1 != j->out.fin) {
            snprintf(permitted, sizeof permitted, "a FIN at %s", side_number(&j->out, j->out.fin, limit));
            judge_find(j, RULE_FIN_MOVED, s, JUDGE_NEEDS_COMPLETE, permitted, "the FIN is at %s", side_number(&j->out, s->end - 1, was));
            return;
        }
    }
    if (j->out.fin_seen && s->tcp->payload_len) {
        judge_tested(j, RULE_DATA_AFTER_FIN);
        if (seq_gt(data_end, j->out.fin)) {
            snprintf(permitted, sizeof permitted, "data up to %s", side_number(&j->out, j->out.fin, limit));
            judge_find(j, RULE_DATA_AFTER_FIN, s, JUDGE_NEEDS_COMPLETE, permitted, "its data ends at %s", side_number(&j->out, data_end, was));
            return;
        }
    }
    if (fin && !j->out.fin_seen && seq_lt(s->end, j->out.nxt)) {
        judge_find(j, RULE_DATA_AFTER_FIN, s, JUDGE_NEEDS_COMPLETE, "a FIN after all data sent", "the FIN is at %s, data was sent up to %s",
                   side_number(&j->out, s->end - 1, was), side_number(&j->out, j->out.nxt, limit));
        return;
    }
    if (!s->len) {
        judge_tested(j, RULE_SEQ_BEYOND_NXT);
        uint32_t highest = next ? j->out.nxt : seq_max(j->out.nxt, j->in.edge + 1); /* what lies before it may be lost or on its way */
        if (seq_gt(s->seq, highest) && j->in.ack_known) {
            snprintf(permitted, sizeof permitted, "SEG.SEQ at most %s", side_number(&j->out, highest, limit));
            judge_find(j, RULE_SEQ_BEYOND_NXT, s, next ? 0 : clean, permitted, "SEG.SEQ is %s", side_number(&j->out, s->seq, was));
        }
        return;
    }
    judge_tested(j, RULE_SEQ_GAP);
    if (next && seq_gt(s->seq, j->out.nxt)) {
        snprintf(permitted, sizeof permitted, "SEG.SEQ at most %s", side_number(&j->out, j->out.nxt, limit));
        judge_find(j, RULE_SEQ_GAP, s, 0, permitted, "SEG.SEQ is %s", side_number(&j->out, s->seq, was));
        return;
    }
    judge_tested(j, RULE_WINDOW_EXCEEDED);
    uint32_t edge = seq_max(j->in.edge, j->out.nxt + 2 * j->in.window_max); /* what an ACK that was missed may have granted */
    note_excess(j, s, data_end);
    if (j->in.ack_known && j->in.begun && j->out.begun && s->tcp->payload_len > 1 && seq_gt(data_end, j->out.nxt) && seq_gt(data_end, edge)) {
        snprintf(permitted, sizeof permitted, "data up to %s", side_number(&j->out, edge, limit));
        judge_find(j, RULE_WINDOW_EXCEEDED, s, clean, permitted, "its data ends at %s", side_number(&j->out, data_end, was));
        return;
    }
    if (j->out.begun && seq_lt(s->end, j->out.iss + 1)) {
        judge_tested(j, RULE_SEQ_BELOW_UNA);
        judge_find(j, RULE_SEQ_BELOW_UNA, s, clean, "SEG.SEQ from ISS on", "SEG.SEQ is %u before ISS", (unsigned)(j->out.iss - s->seq));
    }
}

static void judge_life(struct judge *j, const struct segment *s)
{
    const struct lossy_watch *w = &j->lossy;
    if (w->own_rst_seen && s->len && seq_gt(s->end, j->out.nxt) && seq_ge(s->seq, w->own_rst))
        judge_find(j, RULE_SEGMENT_IN_STATE, s, clean, "nothing, or a RST", "in CLOSED: it has reset this connection");
}

static void judge_repeats(struct judge *j, const struct segment *s)
{
    struct lossy_watch *w = &j->lossy;
    static const int64_t span_ns = 3000000000;
    if (!(s->tcp->flags & PKT_ACK))
        return;
    if (seq_ge(s->tcp->ack, w->trying_end) && w->trying_len > w->taken_len)
        w->taken_len = w->trying_len;
    if (seq_gt(s->tcp->ack, w->repeated_seq)) {
        w->repeats = w->answered = 0;
        return;
    }
    if (!w->waiting_for_answer || !w->repeats)
        return;
    w->waiting_for_answer = false;
    judge_tested(j, RULE_DATA_ACK);
    if (++w->answered >= REPEATS_MAX && s->at_ns - w->repeated_since_ns > span_ns && w->taken_len >= w->repeated_end - w->repeated_seq &&
        seq_le(w->repeated_end, j->out.edge))
        judge_find_silence(j, RULE_DATA_ACK, w->repeated_index, s->at_ns, "an ACK of it",
                           "it came %u times within its window, and what was sent after it does not acknowledge it", w->repeats);
}

bool lossy_output(struct judge *j, struct segment *s)
{
    unsigned flags = s->tcp->flags;
    bool found_before = j->found;
    note_handshake(j, s, &j->out);
    bool next = sent_next(&j->lossy.trail_out, s);
    note_trail(j, &j->lossy.trail_out, s);
    if (flags & PKT_RST) {
        judge_rst(j, s, next);
        return true;
    }
    if (flags & PKT_SYN) {
        if (flags & PKT_ACK)
            judge_syn_ack(j, s);
        note_claim(j, s);
        return !j->found || found_before;
    }
    j->found = false;
    next &= j->out.begun && j->out.range_count == 0; /* of a stream that begins later, a probe of old octets may have been the first */
    judge_sequence(j, s, next);
    bool wrong_numbers = j->found && s->seq != j->out.nxt;
    s->ack_doubtful = !judge_ack(j, s);
    if (!j->found)
        note_claim(j, s);
    judge_life(j, s);
    judge_repeats(j, s);
    resolve_by_data(j, &j->lossy.of_peer, &j->out, s, false);
    j->found |= found_before;
    if (next && wrong_numbers && s->tcp->payload_len && seq_gt(s->seq, j->out.nxt)) { /* what was sent next, under a wrong number */
        s->seq = j->out.nxt;
        s->end = s->seq + s->len;
    } else if (next && wrong_numbers) {
        return false;
    }
    return true;
}

/* Judges the SACK option of what the IUT sends, by RFC 2018, with the duplicates that RFC 2883 lets it report in the first block.
 *
 * Every block says that octets were received: they must have been sent. Where nothing is lost or overtaken, more is known: a
 * segment that is wholly new, out of order and inside the window (the *trigger*) must be in the first block of the ACK it causes.
 *
 * A first block at or below SEG.ACK, or inside the second block, is a D-SACK; the octets it reports are not judged (they may be
 * those of a segment that was dropped as too old).
 *
 * Left out: how often a D-SACK or a block is repeated, and whether neighbouring blocks ought to be one. */
#include "engine/model/lossy.h"

enum { SACK_ROOM = 12, SYNCHRONIZED = 1u << TCP_STATE_ESTABLISHED | 1u << TCP_STATE_FIN_WAIT_1 | 1u << TCP_STATE_FIN_WAIT_2 };

/* ---- what the peer has sent --------------------------------------------------------------------------------------------- */

static bool overlaps_seen(const struct side *side, const struct segment *s)
{
    if (seq_lt(s->seq, side->gapless))
        return true;
    for (unsigned i = 0; i < side->range_count; i++)
        if (seq_lt(side->ranges[i].left, s->end) && seq_lt(s->seq, side->ranges[i].right))
            return true;
    return false;
}

/* Nothing but its sequence number is unusual: the IUT takes it, if it takes anything out of order. */
static bool is_plain_data(const struct judge *j, const struct segment *s)
{
    const struct pkt_tcp *t = s->tcp;
    if (!t->payload_len || (t->flags & (PKT_SYN | PKT_RST | PKT_FIN | PKT_URG | PKT_ACK)) != PKT_ACK || j->in.fin_seen ||
        j->in.odd_fin_count)
        return false;
    if (!j->in.ack_known || seq_lt(t->ack, j->in.ack) || seq_gt(t->ack, j->out.nxt))
        return false;
    if (facts_timestamps(&j->in, &j->out) != AGREED_NO &&
        (!s->options.has_timestamp || timestamps_may_be_old(j, s->options.ts_val)))
        return false;
    return judge_must_be(j, SYNCHRONIZED);
}

void sack_input(struct judge *j, const struct segment *s)
{
    struct sack_watch *w = &j->sack;
    w->trigger = w->duplicate = false;
    if (s->tcp->flags & PKT_SYN)
        w->peer_permitted |= s->options.sack_permitted;
    if (!judge_is_exact(j) || !j->out.ack_known || !j->in.begun || !is_plain_data(j, s))
        return;
    w->duplicate = facts_covers(&j->in, s->seq, s->end);
    if (seq_le(s->seq, j->in.gapless) || overlaps_seen(&j->in, s) || seq_gt(s->end, j->out.ack + j->out.window))
        return;
    w->trigger = true;
    w->left = s->seq;
    w->right = s->end;
}

/* ---- blocks --------------------------------------------------------------------------------------------------------------- */

static bool is_duplicate_report(const struct segment *s)
{
    const struct pkt_options *o = &s->options;
    if (seq_le(o->sack[0].right, s->tcp->ack))
        return true;
    return o->sack_count > 1 && seq_ge(o->sack[0].left, o->sack[1].left) && seq_le(o->sack[0].right, o->sack[1].right);
}

/* Has the peer sent all of it, as far as we remember? */
static bool was_sent(const struct side *peer, uint32_t left, uint32_t right)
{
    if (!peer->known || (!peer->begun && seq_lt(left, peer->start)))
        return true;
    if (peer->ranges_full)
        return seq_le(right, peer->nxt);
    return facts_covers(peer, left, right);
}

/* Of a capture: the peer may have sent it within the window that is known; before the first ACK that is the window of its SYN. */
static bool is_within_window(const struct judge *j, uint32_t right)
{
    if (!j->out.ack_known && !j->out.begun)
        return true;
    return seq_le(right, j->out.ack_known ? j->out.edge : j->in.nxt + UINT16_MAX);
}

static void judge_block(struct judge *j, const struct segment *s, unsigned i)
{
    uint32_t left = s->options.sack[i].left, right = s->options.sack[i].right;
    char a[NUMBER_TEXT_MAX], b[NUMBER_TEXT_MAX];
    if (seq_ge(left, right)) {
        judge_find(j, RULE_SACK_EDGES, s, 0, "a left edge below the right edge", "block %u is %s:%s", i + 1,
                   side_number(&j->in, left, a), side_number(&j->in, right, b));
        return;
    }
    if (i == 0 && is_duplicate_report(s))
        return;
    if (seq_lt(left, s->tcp->ack)) {
        judge_find(j, RULE_SACK_BELOW_ACK, s, 0, "blocks above SEG.ACK, but for a first one that reports a duplicate",
                   "block %u is %s:%s", i + 1, side_number(&j->in, left, a), side_number(&j->in, right, b));
        return;
    }
    if (was_sent(&j->in, left, right))
        return;
    if (judge_is_lossy(j) && is_within_window(j, right))
        lossy_claim_sack(j, s, left, right); /* what was missed, or never sent */
    else
        judge_find(j, RULE_SACK_NOT_RECEIVED, s, JUDGE_NEEDS_COMPLETE, "blocks of octets that have come", "block %u is %s:%s",
                   i + 1, side_number(&j->in, left, a), side_number(&j->in, right, b));
}

static void judge_blocks(struct judge *j, const struct segment *s)
{
    if (j->in.offer.seen) {
        judge_tested(j, RULE_SACK_UNASKED);
        if (!j->in.offer.sack_permitted && !j->sack.peer_permitted)
            judge_find(j, RULE_SACK_UNASKED, s, JUDGE_NEEDS_COMPLETE, "no SACK option", "the peer has not sent SACK-permitted");
    }
    judge_tested(j, RULE_SACK_EDGES);
    judge_tested(j, RULE_SACK_BELOW_ACK);
    judge_tested(j, RULE_SACK_NOT_RECEIVED);
    for (unsigned i = 0; i < s->options.sack_count; i++)
        judge_block(j, s, i);
}

/* ---- the answer to data out of order ---------------------------------------------------------------------------------------- */

static void judge_first_block(struct judge *j, const struct segment *s)
{
    const struct sack_watch *w = &j->sack;
    char left[NUMBER_TEXT_MAX], right[NUMBER_TEXT_MAX];
    judge_tested(j, RULE_SACK_FIRST_BLOCK);
    if (seq_gt(s->options.sack[0].left, w->left) || seq_lt(s->options.sack[0].right, w->right))
        judge_find(j, RULE_SACK_FIRST_BLOCK, s, 0, "a first block with the segment that has just come",
                   "%s:%s has come, the first block is without it", side_number(&j->in, w->left, left),
                   side_number(&j->in, w->right, right));
}

/* A pure ACK, that is: data may have been on its way out already. */
static void judge_answer(struct judge *j, const struct segment *s)
{
    const struct sack_watch *w = &j->sack;
    char left[NUMBER_TEXT_MAX], right[NUMBER_TEXT_MAX];
    if (s->options.sack_count == 0 && s->tcp->options_len + SACK_ROOM > PKT_TCP_OPTIONS_MAX)
        return;
    judge_tested(j, RULE_SACK_MISSING);
    if (s->options.sack_count == 0)
        judge_find(j, RULE_SACK_MISSING, s, 0, "a SACK option while data out of order is held", "%s:%s has come, and there is none",
                   side_number(&j->in, w->left, left), side_number(&j->in, w->right, right));
    else if (!is_duplicate_report(s))
        judge_first_block(j, s);
}

void sack_output(struct judge *j, const struct segment *s)
{
    struct sack_watch *w = &j->sack;
    if (s->tcp->flags & PKT_RST)
        return;
    if (s->options.sack_count)
        judge_blocks(j, s);
    if (!(w->trigger || w->duplicate) || s->len || !judge_is_exact(j) || s->earliest_ns < j->last_input_ns ||
        facts_sack(&j->in, &j->out) != AGREED_YES)
        return;
    if (w->duplicate)
        portrait_note(&j->host->portrait, CHOICE_DSACK_SENT, s->options.sack_count && is_duplicate_report(s));
    if (w->trigger && !j->found && s->tcp->flags & PKT_ACK && seq_lt(s->tcp->ack, w->left))
        judge_answer(j, s);
    w->trigger = w->duplicate = false;
}

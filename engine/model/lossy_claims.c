/* Captures: an endpoint acknowledges, or reports by SACK, octets that were not seen. Either the capture missed them, or they were
 * never sent. Which of the two is shown by what comes later:
 *
 * - the sender counts its packets up, and of those up to one that it sent later none is missing (IPv4 identifications);
 * - its FIN ends before what was claimed;
 * - it has received the claim, or something sent after it (shown by TSecr, or by its acknowledgment of what came with the claim),
 * and still sends these octets, or sends an ACK from before them: no sender repeats what was acknowledged, and <SEQ=SND.NXT>;
 * - it sends them, next in sequence, so soon after what came before them that they are not sent again but for the first time;
 * - the claimant itself acknowledges less, later: nobody takes back an acknowledgment.
 *
 * Where the sender goes on behind a gap, the capture has missed something. Both judges of a connection follow both endpoints'
 * claims, since only what stays unexplained is evidence against the capture; the one of the claimant finds. */
#include "engine/model/lossy.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- a claim ------------------------------------------------------------------------------------------------------------------
 */

static void forget(struct lossy_claim **claim)
{
    if (*claim)
        free((*claim)->observed);
    free(*claim);
    *claim = NULL;
}

void lossy_claims_release(struct judge *j)
{
    forget(&j->lossy.ack_of_iut);
    forget(&j->lossy.sack_of_iut);
    forget(&j->lossy.ack_of_peer);
}

static void claim(struct judge *j, struct lossy_claim **to, const struct segment *s, bool of_iut, uint32_t low, uint32_t end)
{
    const struct side *claimant = of_iut ? &j->out : &j->in, *sender = of_iut ? &j->in : &j->out;
    if (*to)
        return;
    struct lossy_claim *c = calloc(1, sizeof *c);
    if (!c) {
        j->evidence |= JUDGE_NEEDS_COMPLETE;
        return;
    }
    *c = (struct lossy_claim){
        .low = low,
        .end = end,
        .nxt = sender->nxt,
        .at_ns = s->at_ns,
        .index = s->index,
        .id = s->packet->ip.id,
        .has_ts = s->options.has_timestamp,
        .ts = s->options.ts_val,
        .ts_fresh = s->options.has_timestamp && (!claimant->ts_known || seq_gt(s->options.ts_val, claimant->ts_val_max)),
        .brings_new = s->len && s->seq == claimant->nxt,
        .sent_before = claimant->nxt,
        .edge_known = claimant->ack_known,
        .edge = claimant->edge,
        .beyond_window = seq_gt(end, claimant->ack_known ? claimant->edge + 1 : sender->nxt + UINT16_MAX) &&
                         (claimant->ack_known || claimant->begun),
        .observed = of_iut ? lossy_in_words(s) : NULL,
    };
    *to = c;
}

void lossy_claim_ack(struct judge *j, const struct segment *s, bool of_iut)
{
    struct lossy_claim **to = of_iut ? &j->lossy.ack_of_iut : &j->lossy.ack_of_peer;
    claim(j, to, s, of_iut, of_iut ? j->in.nxt : j->out.nxt, s->tcp->ack);
}

void lossy_claim_sack(struct judge *j, const struct segment *s, uint32_t left, uint32_t right)
{
    if (seq_lt(left, j->in.nxt)) { /* in a hole: there is something missing */
        j->evidence |= JUDGE_NEEDS_COMPLETE;
        return;
    }
    claim(j, &j->lossy.sack_of_iut, s, true, left, right);
}

static void blame(struct judge *j, struct lossy_claim **claim, unsigned needs, const char *why)
{
    const struct lossy_claim *c = *claim;
    char low[NUMBER_TEXT_MAX], end[NUMBER_TEXT_MAX], nxt[NUMBER_TEXT_MAX], permitted[80];
    const char *observed = c->observed ? c->observed : "";
    side_number(&j->in, c->low, low);
    side_number(&j->in, c->end, end);
    side_number(&j->in, c->nxt, nxt);
    if (claim == &j->lossy.ack_of_iut) {
        snprintf(permitted, sizeof permitted, "SEG.ACK at most %s", nxt);
        judge_find_later(j, RULE_ACK_NOT_RECEIVED, c->index, c->at_ns, needs, permitted, observed,
                         "SEG.ACK is %s, but the peer had sent only up to %s (%s)", end, nxt, why);
    } else if (claim == &j->lossy.sack_of_iut) {
        judge_find_later(j, RULE_SACK_NOT_RECEIVED, c->index, c->at_ns, needs, "blocks of octets that have come", observed,
                         "a block is %s:%s, but the peer had sent only up to %s (%s)", low, end, nxt, why);
    }
    forget(claim);
}

/* ---- what shows that the octets had not been sent ------------------------------------------------------------------------------
 */

enum { NOT_SHOWN = JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_ORDER | JUDGE_NEEDS_UNIQUE };

/* The sender of the segment had the claim, or something that the claimant sent after it. What must be true for that: NOT_SHOWN or
 * less. */
static unsigned had_claim(const struct lossy_claim *c, const struct segment *s)
{
    bool echoes = c->has_ts && s->options.has_timestamp && s->tcp->flags & PKT_ACK;
    if (echoes && seq_gt(s->options.ts_ecr, c->ts))
        return 0;
    if (echoes && c->ts_fresh && s->options.ts_ecr == c->ts)
        return JUDGE_NEEDS_COMPLETE;
    if (c->brings_new && s->tcp->flags & PKT_ACK && seq_gt(s->tcp->ack, c->sent_before))
        return JUDGE_NEEDS_COMPLETE;
    return NOT_SHOWN;
}

/* Of octets acknowledged in part, all may be sent again, if the window had no room for all. */
static bool repeats_claimed(const struct lossy_claim *c, const struct segment *s, unsigned *needs)
{
    bool may_keep_alive = s->tcp->payload_len <= 1 && !(s->tcp->flags & PKT_FIN);
    if (may_keep_alive || seq_ge(s->seq, c->end) || seq_le(s->end, c->nxt))
        return false;
    if (seq_gt(s->end, c->end) && !(c->edge_known && seq_le(s->end, c->edge)))
        return false;
    *needs |= seq_gt(s->end, c->end) ? (unsigned)JUDGE_NEEDS_COMPLETE : 0;
    return true;
}

/* An ACK is <SEQ=SND.NXT>; a keep-alive or a probe, which acknowledges nothing new, is one octet below SND.UNA. */
static bool is_before_claimed(const struct lossy_claim *c, const struct segment *s, const struct side *sender)
{
    bool acknowledges = sender->ack_known && seq_gt(s->tcp->ack, sender->ack);
    return !s->len && (acknowledges ? seq_lt(s->seq, c->end) : seq_lt(s->seq, c->end - 1));
}

/* New octets leave in the order of their numbers. These come less than a round trip after those before them: they were not sent
 * before, since nothing is sent again as soon as that. */
static bool is_first_time(const struct judge *j, const struct segment *s, const struct side *sender, int64_t new_ns)
{
    return s->len && s->seq == sender->nxt && j->lossy.rtt_ns > 0 && new_ns && s->at_ns - new_ns < j->lossy.rtt_ns / 2;
}

static const char *shows(const struct judge *j, const struct lossy_claim *c, const struct segment *s, bool of_iut, bool sack,
                         unsigned *needs)
{
    const struct side *sender = of_iut ? &j->in : &j->out;
    unsigned had = had_claim(c, s), more = 0;
    if (s->tcp->flags & PKT_FIN && seq_gt(c->end, s->end)) {
        *needs = 0;
        return "and its FIN ends before that";
    }
    bool all_seen = s->packet->ip.version == 4 && lossy_is_whole(of_iut ? &j->lossy.trail_in : &j->lossy.trail_out);
    bool brings = s->len && seq_ge(seq_max(s->end, sender->nxt), c->end);
    if (all_seen && (brings || had != NOT_SHOWN)) {
        *needs = JUDGE_NEEDS_UNIQUE | (brings ? 0 : had);
        return "by the identifications of its packets none was missed until then";
    }
    if (!sack && had != NOT_SHOWN && repeats_claimed(c, s, &more)) {
        *needs = had | more;
        return "and sends this although it had the acknowledgment";
    }
    if (had != NOT_SHOWN && is_before_claimed(c, s, sender) && (!sack || seq_gt(s->tcp->ack, sender->ack))) {
        *needs = had | (s->seq == c->end - 1 ? (unsigned)JUDGE_NEEDS_COMPLETE : 0);
        return "and has SND.NXT below that when it had the acknowledgment";
    }
    if (c->beyond_window && s->seq == c->nxt && sender->nxt == c->nxt) {
        *needs = JUDGE_NEEDS_COMPLETE;
        return "it lies beyond the window that it has offered itself, and is not left out";
    }
    bool reaches =
        sack ? seq_ge(s->end, c->end) : s->seq == c->nxt; /* what is reported selectively may have overtaken what comes before it */
    if (!c->interrupted && reaches && is_first_time(j, s, sender, of_iut ? j->lossy.in_new_ns : j->lossy.out_new_ns)) {
        *needs = JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_UNIQUE;
        return "and sends this for the first time only afterwards";
    }
    return NULL;
}

/* The sender of what is claimed goes on. */
static void resolve(struct judge *j, struct lossy_claim **claim, const struct segment *s, bool of_iut)
{
    struct lossy_claim *c = *claim;
    const struct side *sender = of_iut ? &j->in : &j->out;
    unsigned needs = 0;
    if (!c || s->tcp->flags & (PKT_SYN | PKT_RST))
        return;
    bool sack = claim == &j->lossy.sack_of_iut;
    const char *why = shows(j, c, s, of_iut, sack, &needs);
    if (why) {
        blame(j, claim, needs, why);
    } else if (s->len && seq_gt(s->seq, sack ? sender->nxt : c->nxt) && seq_gt(s->end, c->nxt)) {
        j->evidence |= JUDGE_NEEDS_COMPLETE;
        forget(claim);
    } else {
        c->interrupted |= s->len && !is_first_time(j, s, sender, of_iut ? j->lossy.in_new_ns : j->lossy.out_new_ns);
    }
}

void lossy_resolve_by_sender(struct judge *j, const struct segment *s, bool of_iut)
{
    if (of_iut) {
        resolve(j, &j->lossy.ack_of_iut, s, true);
        resolve(j, &j->lossy.sack_of_iut, s, true);
    } else {
        resolve(j, &j->lossy.ack_of_peer, s, false);
    }
}

/* The claimant acknowledges less than before. */
void lossy_resolve_by_claimant(struct judge *j, const struct segment *s, bool of_iut)
{
    struct lossy_claim **claim = of_iut ? &j->lossy.ack_of_iut : &j->lossy.ack_of_peer;
    const struct lossy_claim *c = *claim;
    const struct side *sender = of_iut ? &j->in : &j->out, *claimant = of_iut ? &j->out : &j->in;
    if (!c || (s->seq != c->sent_before && s->seq != claimant->nxt)) /* perhaps of another life of the port */
        return;
    if (!(s->tcp->flags & PKT_ACK) || s->tcp->flags & (PKT_SYN | PKT_RST) || seq_ge(s->tcp->ack, c->end))
        return;
    bool stamped = c->has_ts && s->options.has_timestamp;
    bool counted = lossy_is_counted(of_iut ? &j->lossy.trail_out : &j->lossy.trail_in, c->id, s->packet);
    if ((stamped && seq_gt(s->options.ts_val, c->ts)) || counted)
        blame(j, claim, JUDGE_NEEDS_COMPLETE,
              "and it acknowledges less itself, afterwards"); /* not in another life of the port, whose opening was missed */
    else if (!(stamped && seq_lt(s->options.ts_val, c->ts)) && seq_gt(s->tcp->ack, c->nxt) && seq_ge(sender->nxt, s->tcp->ack))
        blame(j, claim, lossy_clean, "and it acknowledges less itself, afterwards");
}

static void end(struct judge *j, struct lossy_claim **claim, const struct side *sender)
{
    if (!*claim)
        return;
    if (sender->fin_seen && seq_gt((*claim)->end, sender->fin + 1))
        blame(j, claim, 0, "and its FIN ends before that");
    else
        j->evidence |= JUDGE_NEEDS_COMPLETE;
    forget(claim);
}

void lossy_claims_end(struct judge *j)
{
    end(j, &j->lossy.ack_of_iut, &j->in);
    end(j, &j->lossy.sack_of_iut, &j->in);
    end(j, &j->lossy.ack_of_peer, &j->out);
}

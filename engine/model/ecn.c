/* Judges explicit congestion notification: the flags of the handshake, ECT, ECE and CWR, by RFC 3168, as far as RFC 8311 and RFC
 * 9768 leave it in force.
 *
 * What was negotiated follows from the flags of the SYNs seen: nothing (one side never offered it), classic (a SYN with ECE and CWR
 * was answered with ECE alone), or anything else: AccECN, a handshake in which SYNs differed, crossed or were missed. Of anything
 * else nothing is judged but the handshake itself.
 *
 * Left out: CWR that no reduction of the window explains (nobody sees that window); ECE for CE-marked data out of order; ECT on
 * SYNs that ask for ECN (experiments permit it, RFC 8311). */
#include "engine/model/inside.h"

enum { ECT_MASK = 3, ECT_1 = 1, CE = 3 };
/* Combinations of AE, CWR and ECE, a bit each. */
enum {
    NO_FLAGS = 1 << 0, ONLY_ECE = 1 << 1, ONLY_CWR = 1 << 2, CWR_ECE = 1 << 3, ONLY_AE = 1 << 4, AE_ECE = 1 << 5, AE_CWR = 1 << 6,
    ALL_FLAGS = 1 << 7,
    ASKS_FOR_ACCECN = ONLY_ECE | ONLY_CWR | ONLY_AE | AE_ECE | AE_CWR | ALL_FLAGS, /* RFC 9768 §3.1.3: the unknown ones as well */
    ANSWERS_ACCECN = ONLY_CWR | CWR_ECE | ONLY_AE | AE_CWR,
};

static uint8_t combination(unsigned flags)
{
    _Static_assert(PKT_ECE == 1 << 6 && PKT_CWR == 1 << 7 && PKT_AE == 1 << 8, "the flags are three bits, AE CWR ECE");
    return (uint8_t)(1u << (flags >> 6 & 7));
}

/* ---- what was negotiated ---------------------------------------------------------------------------------------------- */

enum mode { MODE_UNKNOWN, MODE_NONE, MODE_CLASSIC };

static enum mode mode_of(const struct ecn_watch *w)
{
    unsigned syns = (unsigned)w->own_syns | w->peer_syns, answers = (unsigned)w->own_answers | w->peer_answers;
    if (syns == NO_FLAGS)
        return MODE_NONE;
    if (w->own_syns && w->peer_syns)
        return MODE_UNKNOWN;
    if (answers == NO_FLAGS)
        return MODE_NONE;
    if (syns && (syns | CWR_ECE | ALL_FLAGS) == (CWR_ECE | ALL_FLAGS) && answers == ONLY_ECE)
        return MODE_CLASSIC;
    return MODE_UNKNOWN;
}

static void note_syn(struct ecn_watch *w, unsigned flags, uint8_t *syns, uint8_t *answers)
{
    *(flags & PKT_ACK ? answers : syns) |= combination(flags);
    w->mode = (uint8_t)mode_of(w);
}

bool ecn_explains_ae(const struct judge *j, const struct segment *s, unsigned *needs)
{
    const struct ecn_watch *w = &j->ecn;
    unsigned flags = s->tcp->flags, syns = (unsigned)w->own_syns | w->peer_syns;
    *needs = JUDGE_NEEDS_COMPLETE;
    if ((flags & (PKT_SYN | PKT_ACK)) == PKT_SYN) {
        *needs = 0;
        return combination(flags) == ALL_FLAGS;
    }
    return !syns || syns & ASKS_FOR_ACCECN;
}

/* ---- the handshake ---------------------------------------------------------------------------------------------------- */

static void judge_syn(struct judge *j, const struct segment *s)
{
    judge_tested(j, RULE_ECN_SYN_FLAGS);
    if (combination(s->tcp->flags) & (ONLY_ECE | ONLY_CWR))
        judge_find(j, RULE_ECN_SYN_FLAGS, s, 0, "both ECE and CWR, or neither", "only %s is set", s->tcp->flags & PKT_ECE ? "ECE" : "CWR");
    if (!j->ecn.own_syns)
        portrait_note(&j->host->portrait, CHOICE_ECN_OFFERED, (combination(s->tcp->flags) & (CWR_ECE | ALL_FLAGS)) != 0);
}

/* What a SYN,ACK may have in answer to SYNs with these combinations (RFC 3168 §6.1.1, RFC 9768 §3.1.1-3.1.3): AccECN servers take
 * unknown combinations for their own. */
static unsigned answers_permitted(unsigned syns)
{
    unsigned answers = NO_FLAGS;
    if (syns & (CWR_ECE | ALL_FLAGS))
        answers |= ONLY_ECE;
    if (syns & ASKS_FOR_ACCECN)
        answers |= ANSWERS_ACCECN;
    return answers;
}

static void judge_syn_ack(struct judge *j, const struct segment *s)
{
    const struct ecn_watch *w = &j->ecn;
    unsigned answer = combination(s->tcp->flags);
    if (!w->peer_syns || w->own_syns || !options_answers_syn(j, s))
        return;
    judge_tested(j, RULE_ECN_UNASKED);
    judge_tested(j, RULE_ECN_ANSWER_FLAGS);
    if (answer & answers_permitted(w->peer_syns))
        return;
    if (answer == ONLY_ECE)
        judge_find(j, RULE_ECN_UNASKED, s, JUDGE_NEEDS_COMPLETE, "a SYN,ACK without ECE", "the SYN did not have both ECE and CWR");
    else if (answer & (ONLY_CWR | CWR_ECE))
        judge_find(j, RULE_ECN_ANSWER_FLAGS, s, JUDGE_NEEDS_COMPLETE, "neither CWR nor AE, unless the SYN asked for AccECN",
                   "CWR is set");
}

static void syn_output(struct judge *j, const struct segment *s)
{
    unsigned flags = s->tcp->flags;
    if (flags & PKT_ACK)
        judge_syn_ack(j, s);
    else
        judge_syn(j, s);
    if (combination(flags) == NO_FLAGS) {
        judge_tested(j, RULE_ECN_SYN_ECT);
        if (s->packet->ip.tos & ECT_MASK)
            judge_find(j, RULE_ECN_SYN_ECT, s, 0, "Not-ECT", "the IP header says %u", (unsigned)(s->packet->ip.tos & ECT_MASK));
    }
    note_syn(&j->ecn, flags, &j->ecn.own_syns, &j->ecn.own_answers);
}

/* ---- codepoints ------------------------------------------------------------------------------------------------------- */

/* Everything in it was sent before: told only where nothing is overtaken or doubled on the way to us. */
static bool is_retransmission(const struct judge *j, const struct segment *s)
{
    return !judge_is_lossy(j) && seq_le(s->end, j->out.nxt) && facts_covers(&j->out, s->seq, s->end);
}

/* Data that is wholly beyond every window the peer has ever granted. */
static bool is_window_probe(const struct judge *j, const struct segment *s)
{
    return !judge_is_lossy(j) && j->in.ack_known && seq_ge(s->seq, judge_send_edge_most(j));
}

static void judge_retransmission(struct judge *j, const struct segment *s, unsigned ecn)
{
    judge_tested(j, RULE_ECN_RETRANSMISSION);
    if (ecn)
        judge_find(j, RULE_ECN_RETRANSMISSION, s, 0, "Not-ECT", "the IP header says %u", ecn);
    judge_tested(j, RULE_ECN_CWR_RETRANSMISSION);
    if (s->tcp->flags & PKT_CWR)
        judge_find(j, RULE_ECN_CWR_RETRANSMISSION, s, 0, "CWR on new data only", "CWR is set");
}

static void judge_data(struct judge *j, const struct segment *s, unsigned ecn)
{
    if (j->ecn.mode == MODE_NONE) {
        judge_tested(j, RULE_ECN_ECT_UNASKED);
        if (ecn)
            judge_find(j, RULE_ECN_ECT_UNASKED, s, JUDGE_NEEDS_COMPLETE, "Not-ECT", "the IP header says %u", ecn);
        return;
    }
    judge_tested(j, RULE_ECN_ECT_1);
    if (ecn == ECT_1)
        judge_find(j, RULE_ECN_ECT_1, s, JUDGE_NEEDS_COMPLETE, "ECT(0) or Not-ECT", "it is ECT(1)");
    if (is_window_probe(j, s)) {
        judge_tested(j, RULE_ECN_PROBE);
        if (ecn || s->tcp->flags & PKT_CWR)
            judge_find(j, RULE_ECN_PROBE, s, 0, "Not-ECT, and no CWR", "it has %s", ecn ? "ECT" : "CWR");
    } else if (is_retransmission(j, s)) {
        judge_retransmission(j, s, ecn);
    }
}

static void judge_pure_ack(struct judge *j, const struct segment *s, unsigned ecn)
{
    judge_tested(j, RULE_ECN_PURE_ACK);
    if (ecn)
        judge_find(j, RULE_ECN_PURE_ACK, s, JUDGE_NEEDS_COMPLETE, "Not-ECT", "the IP header says %u", ecn);
}

/* ---- the echo --------------------------------------------------------------------------------------------------------- */

static void judge_echo_unasked(struct judge *j, const struct segment *s)
{
    unsigned flags = s->tcp->flags & (PKT_ECE | PKT_CWR);
    if (j->ecn.mode == MODE_NONE) {
        judge_tested(j, RULE_ECN_ECHO_UNASKED);
        if (flags)
            judge_find(j, RULE_ECN_ECHO_UNASKED, s, JUDGE_NEEDS_COMPLETE, "neither ECE nor CWR", "ECN was not agreed upon");
    } else if (!judge_is_lossy(j)) { /* behind a capture anyone may have set CE */
        judge_tested(j, RULE_ECN_ECHO_UNASKED);
        if (flags & PKT_ECE && !j->ecn.ce_seen)
            judge_find(j, RULE_ECN_ECHO_UNASKED, s, 0, "no ECE before the first CE", "nothing with CE has come");
    }
}

/* ECE is due on the ACK that covers CE-marked data, and on all after it until CWR comes. */
static void judge_echo_due(struct judge *j, const struct segment *s)
{
    struct ecn_watch *w = &j->ecn;
    bool echo = s->tcp->flags & PKT_ECE;
    if (w->echo_standing && !j->in.fin_seen && !j->out.fin_seen) {
        judge_tested(j, RULE_ECN_ECHO_ENDS);
        if (!echo)
            judge_find(j, RULE_ECN_ECHO_ENDS, s, 0, "ECE in every segment until one with CWR has come", "ECE is not set");
        w->echo_standing = echo;
    }
    if (w->echo_due && seq_ge(s->tcp->ack, w->echo_end)) {
        judge_tested(j, RULE_ECN_ECHO_MISSING);
        if (!echo)
            judge_find(j, RULE_ECN_ECHO_MISSING, s, 0, "ECE, for data that came with CE", "ECE is not set");
        w->echo_due = false;
        w->echo_standing = echo;
    }
}

void ecn_input(struct judge *j, const struct segment *s)
{
    struct ecn_watch *w = &j->ecn;
    unsigned flags = s->tcp->flags;
    bool ce = (s->packet->ip.tos & ECT_MASK) == CE;
    if (flags & PKT_SYN && !(flags & PKT_RST)) {
        note_syn(w, flags, &w->peer_syns, &w->peer_answers);
        return;
    }
    if (flags & PKT_CWR)
        w->echo_due = w->echo_standing = false;
    if (!ce)
        return;
    w->ce_seen = true;
    if (w->mode == MODE_CLASSIC && judge_is_exact(j) && s->tcp->payload_len && !(flags & PKT_RST) && !w->echo_due &&
        j->out.ack_known && seq_le(s->seq, j->out.ack) && seq_gt(s->end, j->out.ack)) {
        w->echo_due = true;
        w->echo_end = s->end;
    }
}

void ecn_output(struct judge *j, const struct segment *s)
{
    unsigned flags = s->tcp->flags, ecn = s->packet->ip.tos & ECT_MASK;
    if (flags & PKT_RST)
        return;
    if (flags & PKT_SYN) {
        syn_output(j, s);
        return;
    }
    if (j->ecn.mode == MODE_UNKNOWN || !(flags & PKT_ACK))
        return;
    if (s->tcp->payload_len)
        judge_data(j, s, ecn);
    else if (!(flags & PKT_FIN))
        judge_pure_ack(j, s, ecn);
    judge_echo_unasked(j, s);
    if (judge_is_exact(j))
        judge_echo_due(j, s);
}

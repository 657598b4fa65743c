/* Choices that show only as the reaction to one kind of event: which of two permitted things the IUT did.
 *
 * An input or a call may pose a question to the portrait ("a SYN in the window: reset or challenge?"). The next output answers it,
 * or, on a synchronous link, the fence behind it: silence is an answer too. Whatever comes in between withdraws the question.
 * Questions are posed only where one situation is left, so that the answer is about what it seems to be about. */
#include "engine/model/inside.h"

static const unsigned synchronized_states = 1u << TCP_STATE_ESTABLISHED | 1u << TCP_STATE_FIN_WAIT_1 | 1u << TCP_STATE_FIN_WAIT_2 |
                                            1u << TCP_STATE_CLOSE_WAIT | 1u << TCP_STATE_CLOSING | 1u << TCP_STATE_LAST_ACK;

/* The one situation that is left, where RCV.NXT is certain; else NULL. */
static const struct hypothesis *only_one(const struct judge *j)
{
    const struct hypothesis *h = j->now->of;
    return j->now->count == 1 && h->rcv_nxt_low == h->rcv_nxt_high ? h : NULL;
}

static bool is_inside(const struct judge *j, const struct hypothesis *h, uint32_t seq)
{
    return seq_gt(seq, h->rcv_nxt_low) && seq_lt(seq, j->out.edge);
}

static enum choice_id question_of(const struct judge *j, const struct hypothesis *h, const struct segment *s)
{
    unsigned control = s->tcp->flags & (PKT_SYN | PKT_RST | PKT_FIN | PKT_ACK);
    bool synchronized = 1u << h->state & synchronized_states;
    if (h->state == TCP_STATE_LISTEN)
        return control == (PKT_SYN | PKT_FIN) ? CHOICE_SYN_FIN_ANSWERED : CHOICE_COUNT;
    if (h->state == TCP_STATE_SYN_RECEIVED)
        return control == PKT_SYN && h->passive && is_inside(j, h, s->seq) ? CHOICE_SYN_RECEIVED_TO_LISTEN : CHOICE_COUNT;
    if (h->state == TCP_STATE_TIME_WAIT)
        return control == PKT_SYN && seq_gt(s->seq, h->rcv_nxt_low) ? CHOICE_TIME_WAIT_REOPENS : CHOICE_COUNT;
    if (!synchronized || !is_inside(j, h, s->seq))
        return CHOICE_COUNT;
    return control & PKT_RST ? CHOICE_CHALLENGE_ACK : control == PKT_SYN ? CHOICE_RESET_ON_SYN : CHOICE_COUNT;
}

/* Text that closes the gap before what came out of order: is that acknowledged with it? */
static bool closes_gap(struct judge *j, const struct segment *s)
{
    if (!j->in.range_count || seq_gt(s->seq, j->in.gapless) || s->end != j->in.ranges[0].left ||
        s->tcp->flags & (PKT_SYN | PKT_FIN | PKT_RST))
        return false;
    j->choices.gap_end = s->end;
    j->choices.kept_end = j->in.ranges[0].right;
    return true;
}

void choices_input(struct judge *j, const struct segment *s)
{
    const struct hypothesis *h = only_one(j);
    j->choices.question = (uint8_t)(h ? question_of(j, h, s) : CHOICE_COUNT);
    if (h && 1u << h->state & synchronized_states && closes_gap(j, s))
        j->choices.question = CHOICE_OUT_OF_ORDER_KEPT;
}

void choices_call(struct judge *j, const struct judge_call *call)
{
    uint64_t came = j->in.begun ? j->in.gapless - j->in.iss - 1 - (j->in.fin_seen && j->in.gapless == j->in.fin + 1) : 0;
    j->choices.question = CHOICE_COUNT;
    if (!only_one(j) || !(hypotheses_states(j->now) & synchronized_states))
        return;
    if (call->kind == JUDGE_CALL_ABORT)
        j->choices.question = CHOICE_RST_HAS_ACK;
    else if (call->kind == JUDGE_CALL_CLOSE && j->host->application_known && came > j->calls.received)
        j->choices.question = CHOICE_RESET_ON_UNREAD_DATA;
}

static void answer(struct judge *j, bool yes)
{
    portrait_note(&j->host->portrait, (enum choice_id)j->choices.question, yes);
    j->choices.question = CHOICE_COUNT;
}

static void answer_about_gap(struct judge *j, const struct segment *s)
{
    if (seq_ge(s->tcp->ack, j->choices.kept_end))
        answer(j, true);
    else if (s->tcp->ack == j->choices.gap_end)
        answer(j, false);
}

void choices_output(struct judge *j, const struct segment *s)
{
    const uint16_t flags = s->tcp->flags;
    bool reset = flags & PKT_RST, opens = flags & PKT_SYN, pure_ack = (flags & (PKT_SYN | PKT_RST | PKT_FIN | PKT_ACK)) == PKT_ACK;
    if (opens && !j->out.begun)
        portrait_note(&j->host->portrait, CHOICE_WINDOW_INITIAL, s->tcp->window);
    switch (j->choices.question) {
    case CHOICE_SYN_FIN_ANSWERED:
    case CHOICE_TIME_WAIT_REOPENS: answer(j, opens); break;
    case CHOICE_SYN_RECEIVED_TO_LISTEN:
        if (pure_ack)
            answer(j, false);
        break;
    case CHOICE_CHALLENGE_ACK:
        if (pure_ack)
            answer(j, true);
        break;
    case CHOICE_RESET_ON_SYN:
        if (reset || pure_ack)
            answer(j, reset);
        break;
    case CHOICE_RST_HAS_ACK:
        if (reset)
            answer(j, flags & PKT_ACK);
        break;
    case CHOICE_RESET_ON_UNREAD_DATA:
        if (reset || flags & PKT_FIN)
            answer(j, reset);
        break;
    case CHOICE_OUT_OF_ORDER_KEPT:
        if (flags & PKT_ACK)
            answer_about_gap(j, s);
        break;
    default: break;
    }
}

void choices_silence(struct judge *j)
{
    static const struct { enum choice_id question; bool silence_means; } silences[] = {
        {CHOICE_SYN_FIN_ANSWERED, false}, {CHOICE_SYN_RECEIVED_TO_LISTEN, true}, {CHOICE_CHALLENGE_ACK, false}, {CHOICE_TIME_WAIT_REOPENS, false}};
    for (size_t i = 0; i < sizeof silences / sizeof *silences; i++) {
        bool throttled = silences[i].question == CHOICE_CHALLENGE_ACK && j->challenged_before_ns; /* RFC 5961 §7: it may leave some out */
        if (silences[i].question == (enum choice_id)j->choices.question && !throttled) {
            answer(j, silences[i].silence_means);
            return;
        }
    }
}

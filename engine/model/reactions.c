/* (State, event, reaction) tuples: how a judge makes them, and their names (see reactions.h).
 *
 * An event opens a tuple; what is sent adds to its reaction; the next event closes it. An output while none is open was caused by a
 * timer. Whatever follows later than at once, a delayed ACK for one, so is a reaction of the timeout, not of the segment. */
#include "engine/model/inside.h"

#include <stdio.h>

static uint8_t one_state(const struct judge *j)
{
    const unsigned states = judge_is_exact(j) ? judge_states(j) : 0;
    return !states || states & (states - 1) ? REACTION_STATE_UNCERTAIN : (uint8_t)__builtin_ctz(states);
}

static void begin(struct judge *j, unsigned event)
{
    reactions_settle(j);
    j->reaction = (struct reaction_watch){.pending = true, .state = one_state(j), .event = (uint8_t)event};
}

void reactions_settle(struct judge *j)
{
    struct reaction_watch *w = &j->reaction;
    if (!w->pending)
        return;
    uint8_t *count = &j->host->reactions->counts[w->state][w->event][w->reaction];
    *count = (uint8_t)(*count + (*count != UINT8_MAX));
    w->pending = false;
}

static enum reaction_segment kind_of(const struct segment *s)
{
    const unsigned flags = s->tcp->flags;
    if (flags & PKT_RST)
        return flags & PKT_ACK ? REACTION_RST_ACK : REACTION_RST;
    if (flags & PKT_SYN)
        return flags & PKT_ACK ? REACTION_SYN_ACK : REACTION_SYN;
    if (!(flags & PKT_ACK))
        return REACTION_NO_ACK;
    return flags & PKT_FIN ? REACTION_FIN : s->len ? REACTION_DATA : REACTION_ACK;
}

/* By the facts: what the IUT has acknowledged last, and the edge it has granted. */
static enum reaction_place place_of(const struct judge *j, const struct segment *s)
{
    if (!j->out.ack_known || s->seq == j->out.ack)
        return REACTION_NEXT;
    if (seq_lt(s->seq, j->out.ack)) /* from before: does it reach into the window? */
        return seq_gt(s->end, j->out.ack) ? REACTION_AHEAD : REACTION_OUTSIDE;
    return seq_lt(s->seq, j->out.edge) ? REACTION_AHEAD : REACTION_OUTSIDE;
}

void reactions_input(struct judge *j, const struct segment *s)
{
    begin(j, (unsigned)kind_of(s) * REACTION_PLACES + place_of(j, s));
}

void reactions_icmp(struct judge *j)
{
    begin(j, REACTION_ICMP);
}

void reactions_call(struct judge *j, const struct judge_call *call)
{
    static const uint8_t events[] = {
        [JUDGE_CALL_LISTEN] = REACTION_OTHER_CALL, [JUDGE_CALL_UNLISTEN] = REACTION_OTHER_CALL, [JUDGE_CALL_CONNECT] = REACTION_OPEN,
        [JUDGE_CALL_ACCEPT] = REACTION_OTHER_CALL, [JUDGE_CALL_SEND] = REACTION_SEND, [JUDGE_CALL_RECEIVE] = REACTION_RECEIVE,
        [JUDGE_CALL_SHUTDOWN] = REACTION_SHUTDOWN, [JUDGE_CALL_CLOSE] = REACTION_CLOSE, [JUDGE_CALL_ABORT] = REACTION_CLOSE,
        [JUDGE_CALL_ERROR] = REACTION_OTHER_CALL, [JUDGE_CALL_OPTION] = REACTION_OTHER_CALL};
    begin(j, events[call->kind]);
}

void reactions_output(struct judge *j, const struct segment *s)
{
    static const uint8_t reaction_of[REACTION_SEGMENTS] = {
        [REACTION_SYN] = REACTION_IS_SYN, [REACTION_SYN_ACK] = REACTION_IS_SYN_ACK, [REACTION_RST] = REACTION_IS_RST, [REACTION_RST_ACK] = REACTION_IS_RST_ACK,
        [REACTION_NO_ACK] = REACTION_SEVERAL, [REACTION_ACK] = REACTION_IS_ACK, [REACTION_DATA] = REACTION_IS_DATA, [REACTION_FIN] = REACTION_IS_FIN};
    if (!j->reaction.pending)
        begin(j, REACTION_TIMEOUT);
    const uint8_t now = reaction_of[kind_of(s)], before = j->reaction.reaction;
    j->reaction.reaction = before == REACTION_NOTHING || before == now ? now : (uint8_t)REACTION_SEVERAL;
}

/* ---- names ---------------------------------------------------------------------------------------------------------- */

const char *reaction_state_name(unsigned state)
{
    return state < TCP_STATE_COUNT ? tcp_state_name((enum tcp_state)state) : "uncertain";
}

const char *reaction_event_name(unsigned event, char out[static REACTION_EVENT_TEXT_MAX])
{
    static const char *const kinds[] = {"SYN", "SYN,ACK", "RST", "RST,ACK", "no ACK", "ACK", "data", "FIN"};
    static const char *const places[] = {"", ", ahead", ", outside"};
    static const char *const others[] = {"ICMP", "OPEN call", "SEND call", "RECEIVE call", "half-close", "CLOSE call", "other call", "timeout"};
    if (event < REACTION_ICMP)
        snprintf(out, REACTION_EVENT_TEXT_MAX, "%s%s", kinds[event / REACTION_PLACES], places[event % REACTION_PLACES]);
    else
        snprintf(out, REACTION_EVENT_TEXT_MAX, "%s", event < REACTION_EVENTS ? others[event - REACTION_ICMP] : "?");
    return out;
}

const char *reaction_name(unsigned reaction)
{
    static const char *const names[] = {"nothing", "ACK", "RST", "RST,ACK", "SYN", "SYN,ACK", "data", "FIN", "several"};
    return reaction < sizeof names / sizeof *names ? names[reaction] : "?";
}

/* What the numbers of a script come to while it plays as it says.
 *
 * A scenario often remembers where a connection stands (`let $rcv = snd_nxt()`, `> . ack $acked`) and sends relative to that later.
 * Octets cannot remember; but a script says what it sends and what it expects, so that its numbers can be followed as the player
 * follows them on the wire (engine/runner/endpoint.c), and what was remembered becomes a number. Where the IUT does something
 * else, the scenario would have failed before.
 */
#include "engine/scenario/bytes/inside.h"

void bytes_speak_of(struct variables *variables, const struct scn_endpoint_ref *endpoint)
{
    variables->endpoint = endpoint->subscript || endpoint->slot >= TRACKED_COUNT ? TRACKED_COUNT : endpoint->slot;
}

static const struct tracked *tracked(const struct variables *variables)
{
    return variables->endpoint < TRACKED_COUNT ? &variables->tracked[variables->endpoint] : NULL;
}

struct linear bytes_settled(const struct variables *variables, struct linear l)
{
    const struct tracked *t = tracked(variables);
    if (!t || !l.known)
        return l;
    const struct { enum term term; bool known; int64_t value; } values[] = {
        {TERM_SND_NXT, t->tester_known, t->snd_nxt}, {TERM_SND_UNA, t->tester_known, t->snd_una}, {TERM_RCV_NXT, t->iut_known, t->rcv_nxt}};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        if (!l.terms[values[i].term] || !values[i].known)
            continue;
        l.constant += l.terms[values[i].term] * values[i].value;
        l.terms[values[i].term] = 0;
    }
    return l;
}

/* What a number on the wire is relative to its side's ISN; before that is known they are the same. */
static struct linear relative(const struct variables *variables, struct linear l, bool ours, bool syn)
{
    const struct tracked *t = tracked(variables);
    const struct scenario *s = variables->scenario;
    const uint32_t wire = (uint32_t)l.constant;
    const bool isn_known = ours ? syn || (t && t->tester_known) : !t || t->iut_known;
    l.constant = wire;
    if (!isn_known) {
        l.absolute = false;
    } else if (ours && s->has_isn) {
        l.absolute = false;
        l.constant = (int32_t)(wire - s->isn - (syn ? 0 : (uint32_t)t->begun_at));
    }
    return l;
}

struct linear bytes_number(const struct variables *variables, const struct scn_match *match, bool ours, bool syn)
{
    if (match->relation != SCN_EQ)
        return (struct linear){.known = false};
    const struct linear l = bytes_settled(variables, bytes_linear(variables, match->value));
    return l.absolute && bytes_linear_constant(&l) ? relative(variables, l, ours, syn) : l;
}

unsigned bytes_flags_of(const struct variables *variables, const struct scn_packet *packet)
{
    return packet->flags_value ? (unsigned)bytes_constant(variables, packet->flags_value, PKT_ACK) & 0x1ffu : packet->flags;
}

/* Is this match a constant here? */
static bool constant_of(const struct variables *variables, const struct scn_match *match, int64_t *value)
{
    if (match->relation != SCN_EQ)
        return false;
    const struct linear l = bytes_settled(variables, bytes_linear(variables, match->value));
    *value = l.constant;
    return bytes_linear_constant(&l) && !l.absolute;
}

static int64_t length_of(const struct variables *variables, const struct scn_packet *packet, unsigned flags)
{
    int64_t len = 0;
    if (!constant_of(variables, &packet->len, &len))
        len = 0;
    return len + (flags & PKT_SYN ? 1 : 0) + (flags & PKT_FIN ? 1 : 0);
}

void bytes_track_sent(struct variables *variables, const struct scn_packet *packet)
{
    bytes_speak_of(variables, &packet->endpoint);
    if (variables->endpoint >= TRACKED_COUNT || packet->protocol != SCN_TCP)
        return;
    struct tracked *t = &variables->tracked[variables->endpoint];
    const unsigned flags = bytes_flags_of(variables, packet);
    const bool begins = (flags & PKT_SYN) && (!t->tester_known || t->tester_renumbers);
    const struct linear given = bytes_number(variables, &packet->seq, true, flags & PKT_SYN);
    int64_t seq = given.known ? given.constant : flags & PKT_SYN ? 0 : t->snd_nxt;
    if (packet->seq.relation == SCN_EQ && !begins && (given.absolute || !bytes_linear_constant(&given)))
        return;
    if (begins) {
        t->tester_known = true;
        t->tester_renumbers = false;
        t->begun_at = seq;
        t->snd_nxt = t->snd_una = seq = 0;
    }
    const int64_t end = seq + length_of(variables, packet, flags);
    if (t->tester_known && seq <= t->snd_nxt && end > t->snd_nxt)
        t->snd_nxt = end;
}

/* A variable that stands for a number and has none yet takes it. */
static void capture(struct variables *variables, const struct scn_match *match, struct linear value)
{
    if (match->relation != SCN_EQ || match->value->kind != SCN_EXPR_VARIABLE || variables->values[match->value->slot].known)
        return;
    variables->values[match->value->slot] = bytes_settled(variables, value);
}

static struct linear one(enum term term)
{
    struct linear l = {.known = true};
    l.terms[term] = 1;
    return l;
}

static void capture_all(struct variables *variables, const struct scn_packet *packet)
{
    capture(variables, &packet->seq, one(TERM_RCV_NXT));
    capture(variables, &packet->ack, one(TERM_SND_NXT));
    capture(variables, &packet->window, one(TERM_WINDOW));
    for (unsigned i = 0; i < packet->option_count; i++)
        if (packet->options[i].form == SCN_OPT_TIMESTAMP)
            capture(variables, &packet->options[i].values[0], one(TERM_TS_RECENT));
}

void bytes_track_expected(struct variables *variables, const struct scn_packet *packet)
{
    bytes_speak_of(variables, &packet->endpoint);
    capture_all(variables, packet);
    if (variables->endpoint >= TRACKED_COUNT || packet->protocol != SCN_TCP || packet->flags_any)
        return;
    struct tracked *t = &variables->tracked[variables->endpoint];
    const unsigned flags = bytes_flags_of(variables, packet);
    int64_t seq = t->rcv_nxt, ack = t->snd_nxt;
    if (flags & PKT_RST)
        return;
    if ((flags & PKT_SYN) && (!t->iut_known || t->iut_renumbers)) {
        t->iut_known = true;
        t->iut_renumbers = false;
        t->rcv_nxt = seq = 0;
    } else if (packet->seq.relation != SCN_NONE && packet->seq.relation != SCN_ANY && !constant_of(variables, &packet->seq, &seq)) {
        return;
    }
    const int64_t end = seq + length_of(variables, packet, flags);
    if (t->iut_known && seq <= t->rcv_nxt && end > t->rcv_nxt)
        t->rcv_nxt = end;
    if ((flags & PKT_ACK) && (packet->ack.relation == SCN_NONE || constant_of(variables, &packet->ack, &ack)))
        t->snd_una = ack;
}

void bytes_track_gathered(struct variables *variables, const struct scn_step *step)
{
    int64_t to;
    bytes_speak_of(variables, &step->gather.endpoint);
    if (variables->endpoint < TRACKED_COUNT && constant_of(variables, &step->gather.to, &to) &&
        to > variables->tracked[variables->endpoint].rcv_nxt)
        variables->tracked[variables->endpoint].rcv_nxt = to;
}

void bytes_track_incarnation(struct variables *variables, const struct scn_step *step)
{
    bytes_speak_of(variables, &step->incarnation.endpoint);
    if (variables->endpoint < TRACKED_COUNT)
        variables->tracked[variables->endpoint].tester_renumbers = variables->tracked[variables->endpoint].iut_renumbers = true;
}

void bytes_track_let(struct variables *variables, const struct scn_step *step)
{
    variables->endpoint = 0;
    variables->values[step->let.slot] = bytes_settled(variables, bytes_linear(variables, step->let.value));
}

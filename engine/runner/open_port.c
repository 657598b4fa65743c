/* Playing against an open port (see open_port.h).
 *
 * Theory of operation. Most of what RFC 9293 asks of a TCP can be seen from outside once a connection is there, and somebody who
 * listens is all that takes. So socket(), bind(), listen() and accept() at the beginning of a scenario are taken as done: the
 * server behind the port has called them long ago. What else an application would have to do cannot be had, and what the server
 * does by itself must not be taken for its TCP's doing. Therefore a scenario is played only if
 *
 *   - its calls are those, all before the first segment but for accept(), and close() only in the postamble;
 *   - it sends no FIN, for the server would answer the end of the stream in its own way and time;
 *   - it sends no octets, unless the server is seen to discard them in silence.
 *
 * Which of this the server does is found out by playing probes first. */
#include "engine/runner/open_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- probes */

#define HANDSHAKE                                       \
    "//: needs listen\n"                                \
    "//: ip both\n"                                     \
    "0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"    \
    "+0 bind(3, ..., ...) = 0\n"                        \
    "+0 listen(3, 5) = 0\n"                             \
    "+0 < S 0:0(0) win 65535 <mss 536>\n"               \
    "*  > S. 0:0(0) ack 1\n"                            \
    "+0 < . 1:1(0) ack 1 win 65535\n"

static const struct { const char *id, *text; } probes[OPEN_PORT_PROBES] = {
    {"open-port/answers", "//: title The open port answers a SYN\n" HANDSHAKE},
    {"open-port/silent", "//: title Nothing comes from the open port by itself\n" HANDSHAKE "+0~+0.5 never > any\n"},
    {"open-port/discards", "//: title The open port takes octets in silence\n" HANDSHAKE
                           "+0 < P. 1:201(200) ack 1 win 65535\n* > . 1:1(0) ack 201\n+0~+0.5 never > any\n"},
    {"open-port/refuses", "//: title A closed port refuses\n//: ip both\n+0 < S 0:0(0) win 65535 <mss 536>\n* > R. abs(0):*(0) ack 1\n"},
};

const char *open_port_probe(unsigned index, const char **id)
{
    *id = probes[index].id;
    return probes[index].text;
}

void open_port_probed(struct open_port *port, unsigned index, bool passed)
{
    bool *const facts[OPEN_PORT_PROBES] = {&port->answers, &port->silent, &port->discards, &port->refuses};
    port->probed = true;
    *facts[index] = passed;
}

/* ---- what can be played */

struct walk {
    const struct scn_value *values; /* of the sub-test's variables */
    bool listens, sends_octets, sends_fin, in_postamble, segment_seen;
    const char *obstacle;
};

static void look_at_call(struct walk *w, const struct scn_call *call)
{
    static const char *const opening[] = {"socket", "bind", "listen", "setsockopt"};
    for (size_t i = 0; i < sizeof opening / sizeof *opening; i++)
        if (!strcmp(call->name, opening[i])) {
            w->listens |= !strcmp(call->name, "listen");
            if (w->segment_seen)
                w->obstacle = "an application that opens a port in the midst of it";
            else if (!strcmp(call->name, "setsockopt"))
                w->obstacle = "an application that sets options";
            return;
        }
    bool waits = !strcmp(call->name, "accept"), ends = !strcmp(call->name, "close") && w->in_postamble;
    if (call->error || (!waits && !ends))
        w->obstacle = "an application that does more than listen and accept";
}

/* What a number or a variable of the table is; anything else might be anything. */
static bool known_value(const struct walk *w, const struct scn_expr *e, int64_t *out)
{
    bool variable = e->kind == SCN_EXPR_VARIABLE && w->values && w->values[e->slot].kind != SCN_VALUE_UNSET;
    *out = variable ? w->values[e->slot].number : e->number;
    return variable || e->kind == SCN_EXPR_NUMBER;
}

static bool is_zero(const struct walk *w, const struct scn_match *len)
{
    int64_t value;
    return len->relation == SCN_NONE || (len->relation == SCN_EQ && known_value(w, len->value, &value) && value == 0);
}

static bool may_have_fin(const struct walk *w, const struct scn_packet *packet)
{
    int64_t flags = packet->flags;
    return (packet->flags_value && !known_value(w, packet->flags_value, &flags)) || flags & PKT_FIN;
}

static void look_at_packet(struct walk *w, const struct scn_packet *packet)
{
    w->segment_seen = true;
    if (packet->protocol != SCN_TCP)
        return;
    w->sends_fin |= may_have_fin(w, packet);
    for (unsigned i = 0; i < packet->override_count; i++)
        w->sends_octets |= packet->overrides[i].key == SCN_KEY_PAYLOAD;
    w->sends_octets |= !is_zero(w, &packet->len);
}

static void walk_block(struct walk *w, const struct scn_block *block)
{
    for (unsigned i = 0; i < block->count && !w->obstacle; i++) {
        const struct scn_step *step = &block->steps[i];
        switch (step->kind) {
        case SCN_STEP_CALL: look_at_call(w, &step->call); break;
        case SCN_STEP_INJECT: look_at_packet(w, step->packet); break;
        case SCN_STEP_PHASE: w->in_postamble = step->phase == SCN_POSTAMBLE; break;
        case SCN_STEP_NEVER: walk_block(w, &step->never.block); break;
        case SCN_STEP_REPEAT: walk_block(w, &step->repeat.block); break;
        case SCN_STEP_EITHER:
            for (unsigned b = 0; b < step->either.count; b++)
                walk_block(w, &step->either.branches[b]);
            break;
        default: break;
        }
    }
}

static bool uses_other_ports(const struct scenario *scenario)
{
    for (unsigned i = 0; i < scenario->endpoint_count; i++)
        if (scenario->endpoints[i].port_index)
            return true;
    return false;
}

bool open_port_is_used(const struct scenario *scenario)
{
    struct walk w = {0};
    walk_block(&w, &scenario->body);
    return w.listens;
}

bool open_port_suffices(const struct open_port *port, const struct scenario *scenario, unsigned number, char *reason,
                        size_t reason_size)
{
    struct scn_value values[SCN_VARIABLES_MAX + 1];
    struct scn_variant variant;
    struct walk w = {.values = values};
    scn_variant(scenario, number, &variant, values);
    if (scenario->needs & (SCN_NEEDS_CONNECT | SCN_NEEDS_URGENT))
        w.obstacle = "an application that connects or handles urgent data";
    else
        walk_block(&w, &scenario->body);
    if (!w.obstacle && w.listens && w.sends_fin)
        w.obstacle = "an application that closes when it is told to";
    if (!w.obstacle && w.listens && uses_other_ports(scenario))
        w.obstacle = "an application on several ports";
    if (w.obstacle) {
        snprintf(reason, reason_size, "it takes %s, and the target has an open port but no upper tester", w.obstacle);
        return false;
    }
    const char *lacks = !w.listens && !port->refuses ? "no port of the target refuses a SYN: a packet filter seems to swallow them"
                      : !w.listens                   ? NULL
                      : !port->answers               ? "the open port of the target did not answer a SYN"
                      : !port->silent                ? "the server behind the open port talks, or closes, by itself"
                      : w.sends_octets && !port->discards ? "the server behind the open port does not take octets in silence" : NULL;
    if (lacks)
        snprintf(reason, reason_size, "%s", lacks);
    return !lacks;
}

/* ---- playing */

int64_t open_port_call(struct attempt *a)
{
    struct descriptor *fd = NULL;
    bool makes = !strcmp(a->call->name, "socket") || !strcmp(a->call->name, "accept");
    if (!makes)
        return 0;
    int64_t number = attempt_new_descriptor(a, (int64_t)a->p->fd_count, &fd);
    if (fd && !strcmp(a->call->name, "accept"))
        fd->endpoint = play_endpoint_at(a->p, 0, 0);
    return number;
}

static void reset(struct player *p, const struct endpoint *e, uint32_t seq)
{
    uint8_t bytes[128];
    const struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = e->tester.addr, .dst = e->iut.addr, .src_port = e->tester.port,
                                  .dst_port = e->iut.port, .flags = PKT_RST, .seq = seq, .ip_id = p->ip_id++};
    ssize_t len = pkt_build(p->builder, &spec, bytes, sizeof bytes);
    if (len > 0)
        p->target->ops->send(p->target, bytes, (size_t)len);
}

void open_port_leave(struct player *p)
{
    for (unsigned i = 0; i < p->endpoint_count; i++) {
        const struct endpoint *e = p->endpoints[i];
        if (!e->tester_isn_known || !e->iut_isn_known)
            continue;
        reset(p, e, e->snd_una); /* what the IUT acknowledged last is what it expects … */
        if (e->snd_nxt != e->snd_una)
            reset(p, e, e->snd_nxt); /* … unless it has not acknowledged all yet */
    }
}

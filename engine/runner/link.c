/* The link between the player and its target: what it records, loses, doubles, delays and swaps, in both directions. */
#include "engine/runner/judging.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_CALL_MAX_NS = 1000000 }; /* where asking takes longer, it is asked only when a scenario does */

void play_note_packet(struct player *p, enum result_event_kind kind, struct endpoint *e, const uint8_t *bytes, size_t len,
                      bool from_tester, int64_t at_ns, uint32_t index)
{
    struct packet packet;
    char text[512], error_text[128] = "";
    if (p->trace.silent)
        return;
    enum pkt_error error = pkt_parse(bytes, len, &packet);
    play_describe(e, &packet, from_tester, text, sizeof text);
    if (error != PKT_OK)
        snprintf(error_text, sizeof error_text, "malformed: %s", pkt_error_text(error));
    else if (packet.kind == PKT_KIND_TCP && !packet.tcp.checksum_ok)
        snprintf(error_text, sizeof error_text, "wrong checksum");
    else if (packet.kind == PKT_KIND_TCP)
        snprintf(error_text, sizeof error_text, "seq %" PRIu32 " ack %" PRIu32 " on the wire", packet.tcp.seq, packet.tcp.ack);
    trace_event(&p->trace, kind, play_since_start(p, at_ns), index, play_line(p), text, error_text);
}

void play_note_state(struct player *p, struct endpoint *e)
{
    enum tcp_state state;
    bool costly = p->target->info.call_ns > STATE_CALL_MAX_NS;
    if (!e || costly || p->states_left_out || e->subscript > 0 || !play_reveal_state(p, e, &state) ||
        (e->state_known && e->state == state))
        return;
    e->state = state;
    e->state_known = true;
    if (p->trace.silent)
        return;
    char text[96];
    snprintf(text, sizeof text, "IUT: %s%s%s", tcp_state_name(state), e->slot ? " with @" : "", e->slot ? p->scenario->endpoints[e->slot].name : "");
    trace_event(&p->trace, RESULT_STATE, play_since_start(p, p->now_ns), 0, play_line(p), NULL, text);
}

static void transmit(struct player *p, const uint8_t *bytes, size_t len)
{
    struct packet packet;
    pkt_parse(bytes, len, &packet);
    struct endpoint *e = packet.kind == PKT_KIND_TCP ? play_endpoint_of_port(p, &packet.ip.src, packet.tcp.src_port) : NULL;
    judging_catch_up(p);
    uint32_t index = trace_packet(&p->trace, play_since_start(p, p->now_ns), bytes, len);
    p->sent++;
    play_note_packet(p, RESULT_SENT, e, bytes, len, true, p->now_ns, index);
    int64_t at_ns = play_clock_ns(p);
    int error = p->target->ops->send(p->target, bytes, len);
    play_stirred(p);
    if (error >= 0)
        judging_input(p, bytes, len, at_ns, index);
    if (error < 0)
        play_stop(p, VERDICT_ERROR, "the link to the target is gone: %s", strerror(-error));
    else
        play_note_state(p, e ? e : p->endpoint_count ? p->endpoints[0] : NULL);
}

/* Keeps a copy of a packet back. When there is no room it goes through at once. */
static bool hold(struct player *p, struct held held)
{
    uint8_t *copy = p->held_count < PLAYER_HELD_MAX ? malloc(held.len ? held.len : 1) : NULL;
    if (!copy)
        return false;
    memcpy(copy, held.bytes, held.len);
    held.bytes = copy;
    p->held[p->held_count++] = held;
    return true;
}

static void let_go(struct player *p, unsigned i)
{
    struct held held = p->held[i];
    memmove(&p->held[i], &p->held[i + 1], (p->held_count - i - 1) * sizeof *p->held);
    p->held_count--;
    if (held.inbound)
        transmit(p, held.bytes, held.len);
    else
        play_accept(p, held.bytes, held.len, (struct interval){p->now_ns, p->now_ns}, held.index);
    free(held.bytes);
}

void play_release_due(struct player *p)
{
    for (unsigned i = 0; i < p->held_count;)
        if (!p->held[i].until_next && p->held[i].due_ns <= p->now_ns)
            let_go(p, i);
        else
            i++;
    for (unsigned i = 0; i < p->held_count; i++)
        if (!p->held[i].until_next)
            play_wake_at(p, p->held[i].due_ns);
}

static void release_reordered(struct player *p, bool inbound)
{
    for (unsigned i = 0; i < p->held_count;)
        if (p->held[i].until_next && p->held[i].inbound == inbound)
            let_go(p, i);
        else
            i++;
}

/* The rule that this packet is the n-th for, or NULL; each waiting rule of the direction counts it. */
static const struct link_rule *count_packet(struct player *p, bool inbound, struct link_rule *hit)
{
    bool found = false;
    for (unsigned i = 0; i < p->rule_count;) {
        struct link_rule *rule = &p->rules[i];
        if (rule->inbound != inbound || --rule->nth > 0) {
            i++;
            continue;
        }
        *hit = *rule;
        found = true;
        memmove(rule, rule + 1, (p->rule_count - i - 1) * sizeof *rule);
        p->rule_count--;
    }
    return found ? hit : NULL;
}

/* Sends a packet through the link's rules, in either direction. */
void play_through_link(struct player *p, bool inbound, const uint8_t *bytes, size_t len, struct interval at, uint32_t index)
{
    struct link_rule hit;
    const struct link_rule *rule = count_packet(p, inbound, &hit);
    bool held = false;
    if (rule && rule->event == SCN_LINK_DROP) {
        struct packet packet;
        pkt_parse(bytes, len, &packet);
        struct endpoint *e = packet.kind != PKT_KIND_TCP ? NULL
                             : inbound ? play_endpoint_of_port(p, &packet.ip.src, packet.tcp.src_port)
                                       : play_endpoint_of_port(p, &packet.ip.dst, packet.tcp.dst_port);
        play_note_packet(p, RESULT_DROPPED, e, bytes, len, inbound, at.latest, index);
        return;
    }
    if (rule && (rule->event == SCN_LINK_DELAY || rule->event == SCN_LINK_REORDER))
        held = hold(p, (struct held){inbound, rule->event == SCN_LINK_REORDER, p->now_ns + rule->delay_ns, (uint8_t *)(uintptr_t)bytes, len, index});
    if (held) {
        play_release_due(p);
        return;
    }
    for (unsigned copies = rule && rule->event == SCN_LINK_DUPLICATE ? 2 : 1; copies > 0; copies--)
        if (inbound)
            transmit(p, bytes, len);
        else
            play_accept(p, bytes, len, at, index);
    release_reordered(p, inbound);
}

void play_send(struct player *p, struct endpoint *e, const uint8_t *bytes, size_t len)
{
    (void)e;
    play_through_link(p, true, bytes, len, (struct interval){p->now_ns, p->now_ns}, 0);
}

uint16_t play_send_echo(struct player *p)
{
    unsigned family = p->variant.ip_version == 6;
    struct endpoint *e = play_endpoint_at(p, 0, 0);
    uint8_t bytes[128];
    uint16_t sequence = ++p->echo_sequence;
    struct pkt_spec spec = {
        .protocol = family ? PKT_PROTO_ICMP6 : PKT_PROTO_ICMP, .src = e->tester.addr, .dst = e->iut.addr,
        .icmp_type = family ? 128 : 8, .icmp_rest = (uint32_t)p->place.echo_id << 16 | sequence, .ip_id = p->ip_id++,
    };
    ssize_t len = pkt_build(p->builder, &spec, bytes, sizeof bytes);
    int error = len < 0 ? -EINVAL : p->target->ops->send(p->target, bytes, (size_t)len);
    p->echo_is_last = true;
    if (error < 0)
        play_stop(p, VERDICT_ERROR, "the link to the target is gone: %s", strerror(-error));
    return sequence;
}

bool play_echo_answered(const struct player *p, uint16_t sequence)
{
    return (int16_t)(p->echo_answered - sequence) >= 0;
}

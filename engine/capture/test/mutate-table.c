/* Alterations: a table of ways to break a rule, and for each where it is certain. */
#include "engine/capture/test/mutate-table.h"

#include <string.h>

#include "engine/packet/seq.h"

/* ---- a segment to alter ----------------------------------------------------------------------------------------- */

void draft_from(const struct view *v, struct draft *d)
{
    const struct packet *p = &v->packet;
    const struct pkt_tcp *t = &p->tcp;
    d->insert = d->unanswered = false;
    d->later_ns = 0;
    d->options = (struct pkt_option_buffer){ .len = t->options_len };
    memcpy(d->options.bytes, t->options, t->options_len);
    memcpy(d->payload, t->payload, t->payload_len);
    d->spec = (struct pkt_spec){
        .protocol = PKT_PROTO_TCP,
        .src = p->ip.src,
        .dst = p->ip.dst,
        .tos = p->ip.tos,
        .ttl = p->ip.ttl,
        .ip_id = (uint16_t)p->ip.id,
        .dont_fragment = p->ip.dont_fragment,
        .flow_label = p->ip.flow_label,
        .src_port = t->src_port,
        .dst_port = t->dst_port,
        .seq = t->seq,
        .ack = t->ack,
        .flags = t->flags,
        .window = t->window,
        .urgent = t->urgent,
        .payload_len = t->payload_len,
    };
}

uint8_t *draft_option(struct draft *d, uint8_t kind)
{
    uint8_t cursor = 0;
    struct pkt_option option;
    while (pkt_option_next(d->options.bytes, d->options.len, &cursor, &option) == PKT_OPTION_OK)
        if (option.kind == kind)
            return d->options.bytes + option.offset;
    return NULL;
}

void put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        to[i] = (uint8_t)value;
}

static uint32_t get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* An option becomes NOPs. */
static bool blank_option(struct draft *d, uint8_t kind)
{
    uint8_t *option = draft_option(d, kind);
    if (option == NULL)
        return false;
    memset(option, PKT_OPT_NOP, option[1]);
    return true;
}

static bool room_for(const struct draft *d, unsigned octets) { return d->options.len + octets <= PKT_TCP_OPTIONS_MAX; }

/* ---- the alterations: each says whether it is certainly a violation at this frame, and makes it ------------------- */

static const struct shown *me(const struct view *v) { return &v->sides[v->side]; }
static const struct shown *peer(const struct view *v) { return &v->sides[!v->side]; }
static bool is(const struct view *v, unsigned mask, unsigned flags) { return (v->packet.tcp.flags & mask) == flags; }
/* An ordinary segment of an established connection whose opening was seen. */
static bool established(const struct view *v)
{
    return is(v, PKT_SYN | PKT_RST | PKT_ACK, PKT_ACK) && me(v)->syn && peer(v)->syn && !peer(v)->reset && !me(v)->reset &&
           me(v)->segments > 0;
}
static bool pure_ack(const struct view *v) { return established(v) && v->packet.tcp.payload_len == 0 && is(v, PKT_FIN, 0); }
static bool in_order(const struct view *v) /* nothing that looks as if it was overtaken, or lost before */
{
    return v->packet.tcp.seq == me(v)->nxt && v->packet.tcp.ack == seq_max(v->packet.tcp.ack, me(v)->ack);
}

/* Without this segment its peer would conform, too: what it sends until the next segment of this side fits the window granted
 * before this one, and it answers this one with no reset. */
static bool is_dispensable(const struct scene *s, size_t i)
{
    const struct view *v = &s->views[i];
    for (size_t k = i + 1; k < s->original.count && !same_sender(v, &s->views[k]); k++) {
        const struct view *w = &s->views[k];
        if (w->tcp && w->talk == v->talk && seq_gt(w->packet.tcp.seq + w->packet.tcp.payload_len, me(v)->edge))
            return false;
    }
    for (size_t k = i + 1; k < s->original.count; k++)
        if (s->views[k].tcp && s->views[k].talk == v->talk && is(&s->views[k], PKT_RST, PKT_RST) &&
            s->views[k].packet.tcp.seq == v->packet.tcp.ack)
            return false;
    return true;
}

static bool ack_by(const struct scene *s, size_t i, struct draft *d, uint32_t more)
{
    const struct view *v = &s->views[i];
    if (!established(v) || !in_order(v) || !is_dispensable(s, i))
        return false;
    d->spec.ack = peer(v)->nxt + more;
    return true;
}
static bool ack_1(const struct scene *s, size_t i, struct draft *d) { return ack_by(s, i, d, 1); }
static bool ack_1000(const struct scene *s, size_t i, struct draft *d) { return ack_by(s, i, d, 1000); }
static bool ack_1m(const struct scene *s, size_t i, struct draft *d) { return ack_by(s, i, d, 1000000); }
static bool ack_1g(const struct scene *s, size_t i, struct draft *d) { return ack_by(s, i, d, 1u << 30); }

/* Data that may still be sent: of an established connection, with the peer's window known. */
static bool sends_data(const struct view *v)
{
    return established(v) && v->packet.tcp.payload_len >= 2 && !me(v)->fin && is(v, PKT_FIN, 0) && in_order(v) &&
           peer(v)->segments >= 2;
}
/* A segment that had its place gets another: what it carried is then missing, so that the capture no longer looks complete. */
static bool moved_beyond_window(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    d->spec.seq = peer(v)->edge + 1;
    return sends_data(v);
}
/* A segment more, behind the last that fits; or so far behind that no update missed could have let it. */
static bool data_far_beyond_window(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    d->insert = true;
    d->spec.seq = peer(v)->edge + (1u << 20);
    return sends_data(v);
}
static bool data_beyond_window(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    d->insert = true;
    d->spec.seq = peer(v)->edge + 1;
    return sends_data(v);
}
static bool data_across_window(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    const uint32_t end = v->packet.tcp.seq + v->packet.tcp.payload_len, room = peer(v)->edge - end;
    if (!sends_data(v) || room > 65000)
        return false;
    d->insert = true;
    d->spec.seq = peer(v)->edge - v->packet.tcp.payload_len / 2;
    return seq_ge(d->spec.seq, end);
}

static bool changed_octet(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    if (!v->seen_before || !is(v, PKT_SYN | PKT_RST, 0) || v->packet.tcp.payload_len < 2)
        return false;
    d->payload[v->packet.tcp.payload_len / 2] ^= 0x20;
    return true;
}

static bool refuses(const struct view *v) /* a RST that answers a SYN to a closed port */
{
    return is(v, PKT_RST | PKT_ACK, PKT_RST | PKT_ACK) && v->packet.tcp.seq == 0 && !me(v)->any && peer(v)->syn &&
           peer(v)->segments == 1;
}
static bool refusal_ack(const struct scene *s, size_t i, struct draft *d)
{
    d->spec.ack += 1;
    return refuses(&s->views[i]);
}
static bool refusal_seq(const struct scene *s, size_t i, struct draft *d)
{
    d->spec.seq = 12345;
    return refuses(&s->views[i]);
}
static bool aborts(const struct view *v) { return is(v, PKT_RST, PKT_RST) && me(v)->syn && peer(v)->syn; }
static bool abort_far_beyond(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    d->spec.seq = peer(v)->edge + (1u << 30);
    return aborts(v) && peer(v)->edge != 0;
}
static bool abort_before_iss(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    d->spec.seq = me(v)->iss - 5000;
    return aborts(v);
}

static bool syn_ack(const struct view *v) { return is(v, PKT_SYN | PKT_ACK | PKT_RST, PKT_SYN | PKT_ACK) && peer(v)->syn; }
static bool syn_ack_high(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    d->spec.ack = peer(v)->nxt + 1;
    return syn_ack(v) && !me(v)->any;
}
static bool syn_ack_low(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    d->spec.ack = peer(v)->iss;
    return syn_ack(v) && !me(v)->any;
}
static bool syn_ack_iss(const struct scene *s, size_t i, struct draft *d) /* repeated without a SYN in between, from another ISS */
{
    const struct view *v = &s->views[i];
    size_t k = i;
    while (k > 0 && (!s->views[k - 1].tcp || s->views[k - 1].talk != v->talk))
        k--;
    d->spec.seq += 1000;
    return syn_ack(v) && me(v)->syn && k > 0 && s->views[k - 1].side == v->side;
}

static bool timestamp_unasked(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    if (!established(v) || (me(v)->offer.has_timestamp && peer(v)->offer.has_timestamp) || v->options.has_timestamp ||
        !room_for(d, 12))
        return false;
    pkt_put_nop(&d->options);
    pkt_put_nop(&d->options);
    pkt_put_timestamp(&d->options, 77777, 0);
    return true;
}
static bool timestamp_left_out(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    return established(v) && v->stamp_elsewhere && me(v)->offer.has_timestamp && peer(v)->offer.has_timestamp &&
           blank_option(d, PKT_OPT_TIMESTAMP);
}
static bool put_sack(struct draft *d, uint32_t left, uint32_t right)
{
    if (!room_for(d, 12))
        return false;
    pkt_put_nop(&d->options);
    pkt_put_nop(&d->options);
    pkt_put_sack(&d->options, &(const uint32_t[2]){ left, right }, 1);
    return true;
}
static bool sack_unasked(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    return pure_ack(v) && !peer(v)->offer.sack_permitted && put_sack(d, v->packet.tcp.ack - 100, v->packet.tcp.ack - 50);
}
static bool mss_on_data(const struct scene *s, size_t i, struct draft *d)
{
    if (!established(&s->views[i]) || !room_for(d, 4))
        return false;
    pkt_put_mss(&d->options, 1400);
    return true;
}
static bool wscale_on_data(const struct scene *s, size_t i, struct draft *d)
{
    if (!established(&s->views[i]) || !room_for(d, 4))
        return false;
    pkt_put_wscale(&d->options, 7);
    pkt_put_nop(&d->options);
    return true;
}
static bool sack_permitted_on_data(const struct scene *s, size_t i, struct draft *d)
{
    if (!established(&s->views[i]) || !room_for(d, 4))
        return false;
    pkt_put_sack_permitted(&d->options);
    pkt_put_nop(&d->options);
    pkt_put_nop(&d->options);
    return true;
}
static bool wscale_unasked(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    if (!syn_ack(v) || peer(v)->offer.has_wscale || v->options.has_wscale || !room_for(d, 4))
        return false;
    pkt_put_wscale(&d->options, 7);
    pkt_put_nop(&d->options);
    return true;
}
static bool syn_ack_timestamp_unasked(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    if (!syn_ack(v) || peer(v)->offer.has_timestamp || v->options.has_timestamp || !room_for(d, 12))
        return false;
    pkt_put_nop(&d->options);
    pkt_put_nop(&d->options);
    pkt_put_timestamp(&d->options, 77777, 0);
    return true;
}
static bool wscale_15(const struct scene *s, size_t i, struct draft *d)
{
    uint8_t *option = draft_option(d, PKT_OPT_WSCALE);
    if (option == NULL || !is(&s->views[i], PKT_SYN, PKT_SYN))
        return false;
    option[2] = 15;
    return true;
}

static bool whole_tcp(const struct view *v) { return v->packet.kind == PKT_KIND_TCP && !v->offloaded && is(v, PKT_RST, 0); }
static bool bad_checksum(const struct scene *s, size_t i, struct draft *d)
{
    d->spec.overrides |= PKT_SET_CHECKSUM;
    d->spec.checksum_value = s->views[i].packet.tcp.checksum ^ 0x5a5a;
    return whole_tcp(&s->views[i]);
}
static bool bad_ip_checksum(const struct scene *s, size_t i, struct draft *d)
{
    d->spec.overrides |= PKT_SPOIL_IP_CHECKSUM;
    return whole_tcp(&s->views[i]) && s->views[i].packet.ip.version == 4;
}
static bool reserved_bits(const struct scene *s, size_t i, struct draft *d)
{
    d->spec.flags |= 0x400;
    return established(&s->views[i]);
}
static bool reserved_bits_syn(const struct scene *s, size_t i, struct draft *d)
{
    d->spec.flags |= 0x800;
    return is(&s->views[i], PKT_SYN, PKT_SYN);
}
static bool no_ack_bit(const struct scene *s, size_t i, struct draft *d)
{
    d->spec.flags &= (uint16_t)~PKT_ACK;
    d->spec.ack = 0;
    return established(&s->views[i]) && is_dispensable(s, i);
}
static bool option_length_0(const struct scene *s, size_t i, struct draft *d)
{
    uint8_t *option = draft_option(d, PKT_OPT_TIMESTAMP);
    if (option == NULL || !established(&s->views[i]) || !s->views[i].stamp_elsewhere)
        return false;
    option[1] = 0;
    return true;
}
static bool padding(const struct scene *s, size_t i, struct draft *d)
{
    static const uint8_t end[4] = { PKT_OPT_EOL, 1, 2, 3 };
    if (!established(&s->views[i]) || !room_for(d, 4))
        return false;
    memcpy(d->options.bytes + d->options.len, end, sizeof end);
    d->options.len = (uint8_t)(d->options.len + 4);
    return true;
}

static bool timestamps_on(const struct view *v)
{
    return established(v) && me(v)->offer.has_timestamp && peer(v)->offer.has_timestamp && v->options.has_timestamp &&
           me(v)->has_ts;
}
static bool tsval_back(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    uint8_t *option = draft_option(d, PKT_OPT_TIMESTAMP);
    if (option == NULL || !timestamps_on(v) || !v->stamp_elsewhere || !in_order(v) || v->packet.tcp.payload_len == 0 ||
        is(v, PKT_FIN, PKT_FIN))
        return false;
    put_u32(option + 2, me(v)->ts_max - 1000);
    return true;
}
static bool tsecr_by(const struct scene *s, size_t i, struct draft *d, bool above, uint32_t by)
{
    const struct view *v = &s->views[i];
    uint8_t *option = draft_option(d, PKT_OPT_TIMESTAMP);
    if (option == NULL || !timestamps_on(v) || !peer(v)->has_ts)
        return false;
    put_u32(option + 6, above ? peer(v)->ts_max + by : peer(v)->ts_first - by);
    return true;
}
static bool tsecr_future(const struct scene *s, size_t i, struct draft *d) { return tsecr_by(s, i, d, true, 100000); }
static bool tsecr_far_future(const struct scene *s, size_t i, struct draft *d) { return tsecr_by(s, i, d, true, 1u << 30); }
static bool tsecr_past(const struct scene *s, size_t i, struct draft *d) { return tsecr_by(s, i, d, false, 100000); }
static bool tsecr_far_past(const struct scene *s, size_t i, struct draft *d) { return tsecr_by(s, i, d, false, 1u << 30); }

static bool sack_on(const struct view *v) { return pure_ack(v) && peer(v)->offer.sack_permitted && v->options.sack_count == 0; }
static bool sack_future(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    return sack_on(v) && !peer(v)->fin && put_sack(d, peer(v)->nxt + 1000, peer(v)->nxt + 2000);
}
static bool sack_beyond_fin(const struct scene *s, size_t i, struct draft *d) /* of a FIN seen, or still to come */
{
    const struct view *v = &s->views[i];
    bool fin = false;
    for (size_t k = i; k < s->original.count; k++)
        fin = fin ||
              (s->views[k].tcp && s->views[k].talk == v->talk && s->views[k].side != v->side && is(&s->views[k], PKT_FIN, PKT_FIN));
    return sack_on(v) && fin && put_sack(d, peer(v)->nxt + 100000, peer(v)->nxt + 101000);
}
static bool sack_moved(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    uint8_t *option = draft_option(d, PKT_OPT_SACK);
    if (option == NULL || !pure_ack(v))
        return false;
    put_u32(option + 2, get_u32(option + 2) + (1u << 20));
    put_u32(option + 6, get_u32(option + 6) + (1u << 20));
    return true;
}
static bool sack_inverted(const struct scene *s, size_t i, struct draft *d)
{
    uint8_t *option = draft_option(d, PKT_OPT_SACK);
    if (option == NULL || !pure_ack(&s->views[i]))
        return false;
    const uint32_t left = get_u32(option + 2);
    put_u32(option + 2, get_u32(option + 6));
    put_u32(option + 6, left);
    return true;
}

static bool after_fin(const struct view *v)
{
    return pure_ack(v) && me(v)->fin && v->packet.tcp.seq == me(v)->fin_seq + 1;
}
static bool second_fin(const struct scene *s, size_t i, struct draft *d)
{
    d->spec.flags |= PKT_FIN;
    return after_fin(&s->views[i]);
}
static bool data_after_fin(const struct scene *s, size_t i, struct draft *d)
{
    memset(d->payload, 'x', 10);
    d->spec.payload_len = 10;
    return after_fin(&s->views[i]);
}
static bool fin_moved(const struct scene *s, size_t i, struct draft *d) /* a FIN sent again, somewhere else */
{
    const struct view *v = &s->views[i];
    d->spec.seq += 7;
    return established(v) && is(v, PKT_FIN, PKT_FIN) && me(v)->fin && v->packet.tcp.payload_len == 0;
}
static bool data_after_reset(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    if (!aborts(v) || me(v)->reset || peer(v)->reset || me(v)->fin || v->packet.tcp.seq != me(v)->nxt ||
        !(v->packet.tcp.flags & PKT_ACK))
        return false;
    d->insert = true;
    d->later_ns = 5000000;
    d->spec.flags = PKT_ACK | PKT_PSH;
    d->spec.window = 500;
    memset(d->payload, 'x', 10);
    d->spec.payload_len = 10;
    return true;
}

static bool window_taken_back(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    d->spec.window = 1;
    return pure_ack(v) && in_order(v) && v->packet.tcp.window > 100 && !is(v, PKT_FIN, PKT_FIN) && !peer(v)->fin &&
           is_dispensable(s, i);
}
static bool ect_unasked(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    d->spec.tos |= 2;
    return established(v) && v->packet.tcp.payload_len > 0 && !(v->packet.ip.tos & 3);
}

/* Its receiver shows by its echo of the timestamp that each repetition has come, and never takes it. */
static bool never_taken(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    d->unanswered = true;
    return timestamps_on(v) && in_order(v) && v->packet.tcp.seq == peer(v)->ack && peer(v)->has_ts &&
           pkt_seg_len(&v->packet.tcp) > 0 && seq_le(v->packet.tcp.seq + pkt_seg_len(&v->packet.tcp), peer(v)->edge) &&
           !peer(v)->fin;
}

/* The octet that this side sends under a sequence number, from whatever frame has it. */
static bool octet_of(const struct scene *s, const struct view *v, uint32_t seq, uint8_t *out)
{
    for (size_t k = 0; k < s->original.count; k++) {
        const struct view *w = &s->views[k];
        if (!same_sender(v, w) || seq - w->packet.tcp.seq >= w->packet.tcp.payload_len)
            continue;
        *out = w->packet.tcp.payload[seq - w->packet.tcp.seq];
        return true;
    }
    return false;
}
static bool longer_than_mss(const struct scene *s, size_t i, struct draft *d)
{
    const struct view *v = &s->views[i];
    const uint32_t mss = peer(v)->offer.has_mss ? peer(v)->offer.mss : 536;
    if (!sends_data(v) || v->offloaded || v->packet.tcp.payload_len > mss || mss > 9000 ||
        seq_gt(v->packet.tcp.seq + mss + 40, peer(v)->edge))
        return false;
    for (d->spec.payload_len = 0; d->spec.payload_len < mss + 40; d->spec.payload_len++)
        if (!octet_of(s, v, v->packet.tcp.seq + d->spec.payload_len, d->payload + d->spec.payload_len))
            return false;
    return true;
}

const struct mutation mutations[] = {
    { "ACK of 1 octet never sent", "ack-of-what-was-not-received", 845, ack_1, false },
    { "ACK of 1000 octets never sent", "ack-of-what-was-not-received", 865, ack_1000, false },
    { "ACK of 1,000,000 octets never sent", "ack-of-what-was-not-received", 990, ack_1m, false },
    { "ACK of 2^30 octets never sent", "ack-of-what-was-not-received", CERTAIN, ack_1g, false },
    { "data far beyond the window", "data-beyond-the-window gap-in-sequence", CERTAIN, data_far_beyond_window, false },
    { "data beyond the window", "data-beyond-the-window gap-in-sequence", 700, data_beyond_window, false },
    { "data half beyond the window", "data-beyond-the-window gap-in-sequence", 705, data_across_window, false },
    { "segment moved beyond the window", "data-beyond-the-window gap-in-sequence", 610, moved_beyond_window, false },
    { "retransmission with another octet", "retransmission-changed", 915, changed_octet, false },
    { "refusal acknowledges too much", "rst-numbers", CERTAIN, refusal_ack, false },
    { "refusal not from 0", "rst-numbers", 0, refusal_seq, false },
    { "reset far beyond the window", "rst-numbers", 930, abort_far_beyond, false },
    { "reset from before the ISS", "rst-numbers", 410, abort_before_iss, false },
    { "SYN,ACK acknowledges too much", "syn-ack-numbers", CERTAIN, syn_ack_high, false },
    { "SYN,ACK does not acknowledge the SYN", "syn-ack-numbers", 980, syn_ack_low, false },
    { "SYN,ACK sent again from another ISS", "syn-retransmission-changes-iss", CERTAIN, syn_ack_iss, false },
    { "timestamps never agreed on", "timestamps-unasked", CERTAIN, timestamp_unasked, false },
    { "timestamps left out", "timestamps-missing", 995, timestamp_left_out, false },
    { "SACK never permitted", "sack-unasked", CERTAIN, sack_unasked, false },
    { "MSS option without SYN", "mss-outside-syn", CERTAIN, mss_on_data, false },
    { "window scale option without SYN", "window-scale-unasked", CERTAIN, wscale_on_data, false },
    { "SACK-permitted option without SYN", "sack-permitted-outside-syn", CERTAIN, sack_permitted_on_data, false },
    { "window scale in a SYN,ACK unasked", "window-scale-unasked", CERTAIN, wscale_unasked, false },
    { "timestamp in a SYN,ACK unasked", "timestamps-unasked", CERTAIN, syn_ack_timestamp_unasked, false },
    { "window scale of 15", "window-scale-limit", 995, wscale_15, false },
    { "bad TCP checksum", "tcp-checksum", CERTAIN, bad_checksum, false },
    { "bad IP checksum", "ipv4-header-checksum", CERTAIN, bad_ip_checksum, false },
    { "reserved bit", "reserved-bits", CERTAIN, reserved_bits, false },
    { "reserved bit in a SYN", "reserved-bits", CERTAIN, reserved_bits_syn, false },
    { "no ACK bit", "ack-bit", CERTAIN, no_ack_bit, false },
    { "option of length 0", "option-form timestamps-missing", CERTAIN, option_length_0, false },
    { "padding that is not zero", "option-padding", CERTAIN, padding, false },
    { "timestamp gone backwards", "timestamp-backward", 930, tsval_back, false },
    { "timestamp echo 100 s ahead", "timestamp-echo-never-sent", 960, tsecr_future, false },
    { "timestamp echo 2^30 ahead", "timestamp-echo-never-sent", CERTAIN, tsecr_far_future, false },
    { "timestamp echo 100 s behind", "timestamp-echo-never-sent", CERTAIN, tsecr_past, false },
    { "timestamp echo 2^30 behind", "timestamp-echo-never-sent", CERTAIN, tsecr_far_past, false },
    { "SACK of data never sent", "sack-of-what-was-not-received", 780, sack_future, false },
    { "SACK of data far beyond the FIN", "sack-of-what-was-not-received", 995, sack_beyond_fin, false },
    { "SACK moved by 2^20", "sack-of-what-was-not-received", CERTAIN, sack_moved, false },
    { "SACK with its edges swapped", "sack-block-edges", CERTAIN, sack_inverted, false },
    { "second FIN behind the first", "second-fin data-after-fin", CERTAIN, second_fin, false },
    { "FIN sent again elsewhere", "second-fin data-after-fin", CERTAIN, fin_moved, false },
    { "data after FIN", "data-after-fin", CERTAIN, data_after_fin, false },
    { "data after a reset", "segment-not-permitted-in-state", 360, data_after_reset, false },
    { "no window any more", "window-shrunk", 910, window_taken_back, true },
    { "ECN-capable without agreement", "ect-without-ecn", 990, ect_unasked, false },
    { "data or FIN that is never taken", "data-is-acknowledged fin-is-acknowledged", CERTAIN, never_taken, false },
    { "segment longer than the MSS", "mss-exceeded", 0, longer_than_mss, false },
};
const size_t mutation_count = sizeof mutations / sizeof *mutations;
_Static_assert(sizeof mutations / sizeof *mutations <= MUTATIONS_MAX, "room for the counts of each row");

/* No blind spot: alters one thing in one frame of a capture of conforming stacks, and wants `check` to name that frame.
 *
 *     mutate [--samples N] [--only TEXT] [--list] [--keep FOLDER] CAPTURE-OR-FOLDER…
 *
 * Each row of the table `mutations` is a way to break a rule. A row looks at a frame, and at what the capture showed before it, and
 * says whether the alteration is certainly a violation there, whatever the capture may have missed besides; if so it changes the
 * segment, which is built anew with right checksums. N frames (6), spread over the capture, are altered in turn, one at a time. The
 * frame counts as found when a finding of a MUST (or, where the RFC says SHOULD, of that) names it and one of the rules that the
 * row lists.
 *
 * The report gives, for each row: how many alterations, how many found, found under another rule, missed, and how often the
 * endpoint was blamed that did nothing wrong; and the share that has to be found, of a thousand. It is 1000 for what the capture
 * alone makes certain; less where a capture cannot always tell: then the number keeps what is reached. Exit 1: a share was not
 * reached, or a wrong endpoint was blamed. --list tells each one; --keep writes what was missed into a folder; --only takes rows
 * whose name holds the text.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/capture/test/mutate-inspect.h"
#include "engine/packet/checksum.h"
#include "engine/packet/seq.h"

enum { TALKS_MAX = 512, REPEATS = 10, PAYLOAD_MAX = 66000, MUTATIONS_MAX = 64, SAMPLES = 6 };

/* ---- what a capture shows -------------------------------------------------------------------------------------- */

struct shown { /* of what one side has sent, before a frame */
    bool any, syn, fin, reset;      /* anything; its SYN (so that iss and offer are known) */
    struct pkt_options offer;
    uint32_t iss, nxt, fin_seq, edge, ack;
    bool has_ts;
    uint32_t ts_first, ts_max;
    uint32_t segments;
};

struct view { /* a frame, and what was shown before it in its talk */
    bool tcp;                       /* whole, right, of two known sides */
    bool offloaded;                 /* its talk shows wrong checksums, or more than one wire carries */
    struct packet packet;
    struct pkt_options options;
    size_t offset, talk;
    unsigned side;
    struct shown sides[2];          /* [side]: the sender */
    bool seen_before;               /* all of its payload was sent before, in one frame */
    bool twin;                      /* the same IP packet is there twice: the network doubles, and an altered copy is none */
    bool stamp_elsewhere;           /* its timestamp is in another frame too: the peer may echo it though it is altered here */
};

struct talk { /* one incarnation of a connection */
    struct pkt_endpoint ends[2];
    struct shown sides[2];
    bool offloaded, from_start;
};

/* Where the bytes of altered frames go. */
struct room { size_t used, size; uint8_t *bytes; };

struct scene {
    const char *path;
    struct frames original, altered;
    struct view *views;
    struct talk *talks;
    size_t talk_count;
    struct pkt_builder *builder;
    struct room room;
};

static bool same_end(const struct pkt_endpoint *end, const struct pkt_addr *addr, uint16_t port)
{
    return end->port == port && pkt_addr_equal(&end->addr, addr);
}

/* The latest talk between these two ends. */
static struct talk *find_talk(struct scene *s, const struct packet *p, unsigned *side)
{
    for (size_t i = s->talk_count; i-- > 0;) {
        struct talk *t = &s->talks[i];
        for (*side = 0; *side < 2; (*side)++)
            if (same_end(&t->ends[*side], &p->ip.src, p->tcp.src_port) && same_end(&t->ends[!*side], &p->ip.dst, p->tcp.dst_port))
                return t;
    }
    return NULL;
}

static struct talk *talk_of(struct scene *s, const struct packet *p, unsigned *side)
{
    struct talk *talk = find_talk(s, p, side);
    const bool opens = (p->tcp.flags & (PKT_SYN | PKT_ACK | PKT_RST)) == PKT_SYN;
    if (talk != NULL && !(opens && talk->sides[*side].any && talk->sides[*side].iss != p->tcp.seq))
        return talk;
    if (s->talk_count == TALKS_MAX)
        return NULL;
    talk = &s->talks[s->talk_count++];
    *talk = (struct talk){ .ends = { { p->ip.src, p->tcp.src_port }, { p->ip.dst, p->tcp.dst_port } }, .from_start = opens };
    *side = 0;
    return talk;
}

static uint32_t scale_of(const struct shown *of, const struct shown *other)
{
    if (!of->syn || !other->syn || !of->offer.has_wscale || !other->offer.has_wscale)
        return 0;
    return of->offer.wscale > 14 ? 14 : of->offer.wscale;
}

static void note(struct talk *talk, unsigned side, const struct packet *p, const struct pkt_options *options)
{
    struct shown *me = &talk->sides[side];
    const struct pkt_tcp *t = &p->tcp;
    const uint32_t end = t->seq + pkt_seg_len(t);
    if (!p->tcp.checksum_ok || p->ip.total_len > 1500)
        talk->offloaded = true;
    me->segments++;
    if (t->flags & PKT_RST) {
        me->reset = true;
        return;
    }
    if (t->flags & PKT_SYN) {
        me->syn = true;
        me->iss = t->seq;
        me->offer = *options;
    }
    if (!me->any || seq_gt(end, me->nxt))
        me->nxt = end;
    if (t->flags & PKT_FIN) {
        me->fin = true;
        me->fin_seq = end - 1;
    }
    if (t->flags & PKT_ACK) {
        const uint32_t edge = t->ack + ((uint32_t)t->window << ((t->flags & PKT_SYN) ? 0 : scale_of(me, &talk->sides[!side])));
        if (me->ack == 0 || seq_gt(t->ack, me->ack))
            me->ack = t->ack;
        if (me->edge == 0 || seq_gt(edge, me->edge))
            me->edge = edge;
    }
    if (options->has_timestamp) {
        me->ts_first = me->has_ts ? me->ts_first : options->ts_val;
        me->ts_max = me->has_ts ? seq_max(me->ts_max, options->ts_val) : options->ts_val;
        me->has_ts = true;
    }
    me->any = true;
}

static bool same_sender(const struct view *v, const struct view *w) { return w->tcp && w->talk == v->talk && w->side == v->side; }

static bool is_twin(const struct packet *a, const struct packet *b)
{
    return a->len == b->len && a->ip.header_len == b->ip.header_len && a->ip.id == b->ip.id &&
           memcmp(a->bytes + a->ip.header_len, b->bytes + b->ip.header_len, a->len - a->ip.header_len) == 0;
}

/* What other frames of the same sender tell about this one. */
static void compare(const struct scene *s, size_t i)
{
    struct view *v = &s->views[i];
    const struct pkt_tcp *t = &v->packet.tcp;
    for (size_t k = 0; k < s->original.count; k++) {
        const struct view *w = &s->views[k];
        if (k == i || !same_sender(v, w))
            continue;
        const uint32_t left = w->packet.tcp.seq, right = left + w->packet.tcp.payload_len;
        if (k < i && t->payload_len > 0 && w->packet.tcp.checksum_ok && seq_le(left, t->seq) &&
            seq_ge(right, t->seq + t->payload_len))
            v->seen_before = true;
        v->twin = v->twin || is_twin(&v->packet, &w->packet);
        v->stamp_elsewhere = v->stamp_elsewhere || (k < i && w->options.has_timestamp && w->options.ts_val == v->options.ts_val);
    }
}

static void look(struct scene *s)
{
    s->views = calloc(s->original.count, sizeof *s->views);
    s->talks = calloc(TALKS_MAX, sizeof *s->talks);
    s->talk_count = 0;
    if (s->views == NULL || s->talks == NULL)
        exit(1);
    for (size_t i = 0; i < s->original.count; i++) {
        struct view *v = &s->views[i];
        const struct frame *f = &s->original.at[i];
        if (!frames_packet(&s->original, i, &v->packet, &v->offset) || v->packet.kind != PKT_KIND_TCP || f->len != f->wire_len)
            continue;
        struct talk *talk = talk_of(s, &v->packet, &v->side);
        if (talk == NULL || same_end(&talk->ends[!v->side], &v->packet.ip.src, v->packet.tcp.src_port))
            continue;
        pkt_options_read(v->packet.tcp.options, v->packet.tcp.options_len, &v->options);
        v->tcp = true;
        v->talk = (size_t)(talk - s->talks);
        memcpy(v->sides, talk->sides, sizeof v->sides);
        note(talk, v->side, &v->packet, &v->options);
    }
    for (size_t i = 0; i < s->original.count; i++) {
        if (!s->views[i].tcp)
            continue;
        s->views[i].offloaded = s->talks[s->views[i].talk].offloaded;
        compare(s, i);
    }
}

/* ---- a segment to alter ----------------------------------------------------------------------------------------- */

struct draft {
    struct pkt_spec spec;
    struct pkt_option_buffer options;
    uint8_t payload[PAYLOAD_MAX];
    bool insert;             /* a frame of its own behind the one it was made from */
    bool unanswered;         /* from here on, this is all that happens: it is sent again and again, and its receiver acknowledges
                                what came before it, each time */
    int64_t later_ns;        /* … by so much */
};

static void draft_from(const struct view *v, struct draft *d)
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

/* Finds an option in the draft; NULL when it is not there. */
static uint8_t *draft_option(struct draft *d, uint8_t kind)
{
    uint8_t cursor = 0;
    struct pkt_option option;
    while (pkt_option_next(d->options.bytes, d->options.len, &cursor, &option) == PKT_OPTION_OK)
        if (option.kind == kind)
            return d->options.bytes + option.offset;
    return NULL;
}

static void put_u32(uint8_t *to, uint32_t value)
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

typedef bool alteration(const struct scene *s, size_t i, struct draft *d);

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

enum { CERTAIN = 1000 };

/* The rows: what it is called, what the finding may be called, and of how many out of a thousand it must be found. */
static const struct mutation {
    const char *name, *rules; /* names of rules, separated by blanks */
    unsigned share;
    alteration *alter;
    bool deviation;           /* of a SHOULD */
} mutations[] = {
    { "ACK of 1 octet never sent", "ack-of-what-was-not-received", 360, ack_1, false },
    { "ACK of 1000 octets never sent", "ack-of-what-was-not-received", 740, ack_1000, false },
    { "ACK of 1,000,000 octets never sent", "ack-of-what-was-not-received", 960, ack_1m, false },
    { "ACK of 2^30 octets never sent", "ack-of-what-was-not-received", 970, ack_1g, false },
    { "data far beyond the window", "data-beyond-the-window gap-in-sequence", 920, data_far_beyond_window, false },
    { "data beyond the window", "data-beyond-the-window gap-in-sequence", 670, data_beyond_window, false },
    { "data half beyond the window", "data-beyond-the-window gap-in-sequence", 690, data_across_window, false },
    { "segment moved beyond the window", "data-beyond-the-window gap-in-sequence", 590, moved_beyond_window, false },
    { "retransmission with another octet", "retransmission-changed", 910, changed_octet, false },
    { "refusal acknowledges too much", "rst-numbers", CERTAIN, refusal_ack, false },
    { "refusal not from 0", "rst-numbers", 0, refusal_seq, false },
    { "reset far beyond the window", "rst-numbers", CERTAIN, abort_far_beyond, false },
    { "reset from before the ISS", "rst-numbers", 880, abort_before_iss, false },
    { "SYN,ACK acknowledges too much", "syn-ack-numbers", 970, syn_ack_high, false },
    { "SYN,ACK does not acknowledge the SYN", "syn-ack-numbers", 970, syn_ack_low, false },
    { "SYN,ACK sent again from another ISS", "syn-retransmission-changes-iss", CERTAIN, syn_ack_iss, false },
    { "timestamps never agreed on", "timestamps-unasked", CERTAIN, timestamp_unasked, false },
    { "timestamps left out", "timestamps-missing", 990, timestamp_left_out, false },
    { "SACK never permitted", "sack-unasked", CERTAIN, sack_unasked, false },
    { "MSS option without SYN", "mss-outside-syn", CERTAIN, mss_on_data, false },
    { "window scale option without SYN", "window-scale-unasked", CERTAIN, wscale_on_data, false },
    { "SACK-permitted option without SYN", "sack-permitted-outside-syn", CERTAIN, sack_permitted_on_data, false },
    { "window scale in a SYN,ACK unasked", "window-scale-unasked", CERTAIN, wscale_unasked, false },
    { "timestamp in a SYN,ACK unasked", "timestamps-unasked", CERTAIN, syn_ack_timestamp_unasked, false },
    { "window scale of 15", "window-scale-limit", 990, wscale_15, false },
    { "bad TCP checksum", "tcp-checksum", CERTAIN, bad_checksum, false },
    { "bad IP checksum", "ipv4-header-checksum", CERTAIN, bad_ip_checksum, false },
    { "reserved bit", "reserved-bits", CERTAIN, reserved_bits, false },
    { "reserved bit in a SYN", "reserved-bits", CERTAIN, reserved_bits_syn, false },
    { "no ACK bit", "ack-bit", CERTAIN, no_ack_bit, false },
    { "option of length 0", "option-form timestamps-missing", CERTAIN, option_length_0, false },
    { "padding that is not zero", "option-padding", CERTAIN, padding, false },
    { "timestamp gone backwards", "timestamp-backward", 850, tsval_back, false },
    { "timestamp echo 100 s ahead", "timestamp-echo-never-sent", 930, tsecr_future, false },
    { "timestamp echo 2^30 ahead", "timestamp-echo-never-sent", CERTAIN, tsecr_far_future, false },
    { "timestamp echo 100 s behind", "timestamp-echo-never-sent", CERTAIN, tsecr_past, false },
    { "timestamp echo 2^30 behind", "timestamp-echo-never-sent", CERTAIN, tsecr_far_past, false },
    { "SACK of data never sent", "sack-of-what-was-not-received", 30, sack_future, false },
    { "SACK of data far beyond the FIN", "sack-of-what-was-not-received", 770, sack_beyond_fin, false },
    { "SACK moved by 2^20", "sack-of-what-was-not-received", CERTAIN, sack_moved, false },
    { "SACK with its edges swapped", "sack-block-edges", CERTAIN, sack_inverted, false },
    { "second FIN behind the first", "second-fin data-after-fin", CERTAIN, second_fin, false },
    { "FIN sent again elsewhere", "second-fin data-after-fin", CERTAIN, fin_moved, false },
    { "data after FIN", "data-after-fin", CERTAIN, data_after_fin, false },
    { "data after a reset", "segment-not-permitted-in-state", 810, data_after_reset, false },
    { "no window any more", "window-shrunk", 0, window_taken_back, true },
    { "ECN-capable without agreement", "ect-without-ecn", 960, ect_unasked, false },
    { "data or FIN that is never taken", "data-is-acknowledged fin-is-acknowledged", 10, never_taken, false },
    { "segment longer than the MSS", "mss-exceeded", 0, longer_than_mss, false },
};
enum { MUTATIONS = sizeof mutations / sizeof *mutations };
_Static_assert(sizeof mutations / sizeof *mutations <= MUTATIONS_MAX, "room for the counts of each row");

/* ---- judging them ------------------------------------------------------------------------------------------------ */

struct score { unsigned tried, found, otherwise, missed, blamed; };

struct run {
    unsigned samples;
    bool list;
    const char *keep, *only;
    struct score scores[MUTATIONS_MAX];
};

static bool lists(const char *rules, const char *name)
{
    const char *at = strstr(rules, name);
    const size_t len = strlen(name);
    return at != NULL && (at == rules || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' ');
}

static bool counts(const struct held_finding *f, bool deviation)
{
    return f->standing == FINDING_STANDS && (finding_is_failure(f->level) || (deviation && requirement_level_is_should(f->level)));
}

static void keep(const struct run *run, const struct scene *s, const struct mutation *m, uint32_t frame)
{
    char path[600];
    const char *base = strrchr(s->path, '/');
    uint8_t *bytes;
    snprintf(path, sizeof path, "%s/%s-%u-%s.pcap", run->keep, m->name, frame, base == NULL ? s->path : base + 1);
    for (char *c = path + strlen(run->keep); *c != '\0'; c++)
        *c = *c == ' ' || *c == ',' || *c == '^' ? '_' : *c;
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return;
    const size_t len = frames_write(&s->altered, &bytes);
    fwrite(bytes, 1, len, file);
    fclose(file);
    free(bytes);
}

/* The endpoint that a finding is about. */
static bool is_of(const struct inspection_report *report, const struct held_finding *f, const struct pkt_addr *addr, uint16_t port)
{
    for (uint32_t k = 0; k < report->listed; k++)
        if (report->connections_listed[k].number == f->connection)
            return same_end(&report->connections_listed[k].ends[f->side], addr, port);
    return false;
}

/* The endpoint that did nothing wrong was blamed: the first such finding, or NULL. */
static const struct held_finding *blamed(const struct inspection_report *report, const struct pkt_tcp *tcp, const struct pkt_ip *ip)
{
    for (uint32_t k = 1; k <= report->findings.count; k++)
        if (is_failure(&report->findings.held[k]) && !is_of(report, &report->findings.held[k], &ip->src, tcp->src_port))
            return &report->findings.held[k];
    return NULL;
}

static void judge(struct run *run, const struct scene *s, size_t m, const struct view *v, uint32_t frame, uint32_t last)
{
    const struct mutation *mutation = &mutations[m];
    struct score *score = &run->scores[m];
    struct inspection *inspection = inspect(&s->altered);
    const struct findings *findings = &inspection_report(inspection)->findings;
    const struct held_finding *named = NULL, *other = NULL, *withheld = NULL;
    for (uint32_t k = 1; k <= findings->count; k++) {
        const struct held_finding *f = &findings->held[k];
        const bool here = f->segment >= frame && f->segment <= last;
        if (here && counts(f, mutation->deviation)) {
            named = lists(mutation->rules, rule_at(f->rule)->name) ? f : named;
            other = f;
        } else if (here) {
            withheld = f;
        }
    }
    score->tried++;
    score->found += named != NULL;
    score->otherwise += named == NULL && other != NULL;
    score->missed += other == NULL;
    if (other == NULL && run->list)
        printf("MISSED %s: frame %u: %s%s%s\n", s->path, frame, mutation->name, withheld ? "; withheld: " : "",
               withheld ? rule_at(withheld->rule)->name : "");
    if (named != NULL && run->list)
        printf("FOUND %s: frame %u: %s: %s\n", s->path, frame, mutation->name, rule_at(named->rule)->name);
    if (named == NULL && other != NULL && run->list)
        printf("OTHERWISE %s: frame %u: %s: %s\n", s->path, frame, mutation->name, rule_at(other->rule)->name);
    const struct held_finding *blame = last == frame ? blamed(inspection_report(inspection), &v->packet.tcp, &v->packet.ip) : NULL;
    if (blame != NULL) {
        score->blamed++;
        if (run->list)
            printf("BLAMED %s: frame %u: %s: frame %u, %s: %s\n", s->path, frame, mutation->name, blame->segment,
                   rule_at(blame->rule)->name, blame->message);
    }
    if (run->keep != NULL && (other == NULL || blame != NULL))
        keep(run, s, mutation, frame);
    inspection_free(inspection);
}


/* Builds a segment into a frame behind the link header of frame i. False: no room. */
static bool build(struct scene *s, size_t i, struct draft *d, struct room *room, struct frame *out)
{
    const struct view *v = &s->views[i];
    uint8_t *bytes = room->bytes + room->used;
    if (room->used + v->offset > room->size)
        return false;
    memcpy(bytes, s->original.at[i].bytes, v->offset);
    d->spec.options = d->options.bytes;
    d->spec.options_len = d->options.len;
    d->spec.payload = d->payload;
    const ssize_t len = pkt_build(s->builder, &d->spec, bytes + v->offset, room->size - room->used - v->offset);
    if (len < 0)
        return false;
    *out = s->original.at[i];
    out->bytes = bytes;
    out->len = out->wire_len = (uint32_t)v->offset + (uint32_t)len;
    room->used += out->len;
    return true;
}

/* The answer of its receiver: an ACK of what came before. The link header stays that of the other direction: nobody looks at it. */
static void turn_round(const struct view *v, struct draft *d, uint32_t stamp, uint32_t echo)
{
    const struct pkt_spec was = d->spec;
    d->spec.src = was.dst;
    d->spec.dst = was.src;
    d->spec.src_port = was.dst_port;
    d->spec.dst_port = was.src_port;
    d->spec.flags = PKT_ACK;
    d->spec.seq = peer(v)->nxt;
    d->spec.ack = was.seq;
    d->spec.window = 500;
    d->spec.payload_len = 0;
    d->options = (struct pkt_option_buffer){ .len = 0 };
    pkt_put_nop(&d->options);
    pkt_put_nop(&d->options);
    pkt_put_timestamp(&d->options, stamp, echo);
}

static bool repeat(struct scene *s, size_t i, struct room *room)
{
    static struct draft draft;
    const struct view *v = &s->views[i];
    s->altered.count = i + 1;
    int64_t at_ns = s->original.at[i].at_ns, wait_ns = 250000000;
    for (uint32_t n = 1; n <= REPEATS; n++, wait_ns = wait_ns * 3 / 2) {
        struct frame again, answer;
        at_ns += wait_ns;
        const uint32_t ticks = (uint32_t)((at_ns - s->original.at[i].at_ns) / 1000000), stamp = v->options.ts_val + ticks;
        draft_from(v, &draft);
        put_u32(draft_option(&draft, PKT_OPT_TIMESTAMP) + 2, stamp);
        if (!build(s, i, &draft, room, &again))
            return false;
        turn_round(v, &draft, peer(v)->ts_max + ticks, stamp);
        if (!build(s, i, &draft, room, &answer))
            return false;
        again.at_ns = at_ns;
        answer.at_ns = at_ns + 1000000;
        frames_insert(&s->altered, s->altered.count, again);
        frames_insert(&s->altered, s->altered.count, answer);
    }
    return true;
}

/* The sender counts its packets (the identification of IPv4): behind one more, each has the next number. */
static bool count_on(struct scene *s, size_t i, size_t inserted, struct room *room)
{
    const struct view *v = &s->views[i];
    for (size_t k = i + 1; k < s->original.count && v->packet.ip.version == 4 && v->packet.ip.id != 0; k++) {
        const struct view *w = &s->views[k];
        const size_t at = k < inserted ? k : k + 1;
        struct frame *f = &s->altered.at[at];
        if (!same_sender(v, w) || at == inserted || w->packet.ip.id == 0)
            continue;
        if (room->used + f->len > room->size)
            return false;
        uint8_t *ip = room->bytes + room->used + w->offset;
        memcpy(room->bytes + room->used, f->bytes, f->len);
        const uint16_t id = (uint16_t)(w->packet.ip.id + 1);
        ip[4] = (uint8_t)(id >> 8);
        ip[5] = (uint8_t)id;
        ip[10] = ip[11] = 0;
        const uint16_t sum = pkt_checksum(ip, (size_t)(ip[0] & 15) * 4);
        ip[10] = (uint8_t)(sum >> 8);
        ip[11] = (uint8_t)sum;
        f->bytes = room->bytes + room->used;
        room->used += f->len;
    }
    return true;
}

static bool alter(struct scene *s, size_t i, struct draft *d, struct room *room)
{
    struct frame changed;
    room->used = 0;
    if (d->insert && d->spec.ip_id != 0)
        d->spec.ip_id++;
    if (!build(s, i, d, room, &changed))
        return false;
    frames_copy(&s->altered, &s->original);
    if (d->unanswered)
        return repeat(s, i, room);
    if (!d->insert) {
        s->altered.at[i] = changed;
        return true;
    }
    changed.at_ns += d->later_ns;
    size_t to = i + 1;
    while (to < s->altered.count && s->altered.at[to].at_ns <= changed.at_ns)
        to++;
    frames_insert(&s->altered, to, changed);
    return count_on(s, i, to, room);
}

static bool is_fit(const struct view *v) { return v->tcp && !v->twin; }

static void try_row(struct run *run, struct scene *s, size_t m)
{
    static struct draft draft;
    struct room *room = &s->room;
    size_t eligible = 0, taken = 0;
    for (size_t i = 0; i < s->original.count; i++) {
        if (is_fit(&s->views[i]) && (draft_from(&s->views[i], &draft), mutations[m].alter(s, i, &draft)))
            eligible++;
    }
    for (size_t i = 0, k = 0; i < s->original.count && eligible > 0; i++) {
        if (!is_fit(&s->views[i]) || (draft_from(&s->views[i], &draft), !mutations[m].alter(s, i, &draft)))
            continue;
        if (k++ * run->samples / eligible < taken || taken >= run->samples || !alter(s, i, &draft, room))
            continue;
        taken++;
        uint32_t frame = (uint32_t)i + 1, last = frame;
        for (size_t f = i; draft.insert && s->altered.at[f].bytes != room->bytes; f++)
            frame = last = (uint32_t)f + 2;
        if (draft.unanswered)
            last = (uint32_t)s->altered.count;
        judge(run, s, m, &s->views[i], frame, last);
    }
}

static bool try_capture(void *context, const char *path)
{
    struct run *run = context;
    struct scene s = { .path = path, .builder = pkt_builder_new() };
    if (s.builder == NULL || !frames_read(path, &s.original))
        return false;
    struct inspection *inspection = inspect(&s.original);
    const bool clean = first_failure(inspection) == NULL;
    inspection_free(inspection);
    for (size_t i = 0; i < s.original.count; i++)
        s.room.size += s.original.at[i].len;
    s.room.size += PAYLOAD_MAX + REPEATS * 4000;
    if ((s.room.bytes = malloc(s.room.size)) == NULL)
        exit(1);
    look(&s);
    for (size_t m = 0; m < MUTATIONS && clean; m++)
        if (run->only == NULL || strstr(mutations[m].name, run->only) != NULL)
            try_row(run, &s, m);
    if (!clean)
        printf("LEFT OUT %s: not clean as it is\n", path);
    frames_free(&s.altered);
    frames_free(&s.original);
    free(s.room.bytes);
    free(s.views);
    free(s.talks);
    pkt_builder_free(s.builder);
    return clean;
}

static int summary(const struct run *run)
{
    struct score all = { 0 };
    bool failed = false;
    printf("%-40s %6s %7s %7s %9s %7s %7s\n", "alteration", "wanted", "tried", "found", "otherwise", "missed", "blamed");
    for (size_t m = 0; m < MUTATIONS; m++) {
        const struct score *c = &run->scores[m];
        const bool short_of = c->found * 1000 < c->tried * mutations[m].share;
        printf("%-40s %6u %7u %7u %9u %7u %7u%s\n", mutations[m].name, mutations[m].share, c->tried, c->found, c->otherwise,
               c->missed, c->blamed, short_of || c->blamed > 0 ? " !" : "");
        all = (struct score){all.tried + c->tried, all.found + c->found, all.otherwise + c->otherwise, all.missed + c->missed,
                             all.blamed + c->blamed};
        failed = failed || short_of || c->blamed > 0;
    }
    printf("%-40s %6s %7u %7u %9u %7u %7u\n", "all", "", all.tried, all.found, all.otherwise, all.missed, all.blamed);
    return failed || all.tried == 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct run run = { .samples = SAMPLES };
    bool read = true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--samples") == 0 && i + 1 < argc)
            run.samples = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--keep") == 0 && i + 1 < argc)
            run.keep = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            run.only = argv[++i];
        else if (strcmp(argv[i], "--list") == 0)
            run.list = true;
        else
            read = captures_each(argv[i], try_capture, &run) && read;
    }
    return summary(&run) != 0 || !read ? 1 : 0;
}

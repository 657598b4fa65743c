/* Looks at a capture: which connection and direction each frame is of, and what was shown before it. */
#include "engine/capture/test/mutate-scene.h"

#include <stdlib.h>
#include <string.h>

#include "engine/packet/seq.h"

enum { TALKS_MAX = 512 };

bool same_end(const struct pkt_endpoint *end, const struct pkt_addr *addr, uint16_t port)
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

bool same_sender(const struct view *v, const struct view *w) { return w->tcp && w->talk == v->talk && w->side == v->side; }

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
    s->views = calloc((size_t)s->original.count + 1, sizeof *s->views);
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

bool scene_open(struct scene *s, const char *path, size_t room_more)
{
    *s = (struct scene){.path = path, .builder = pkt_builder_new()};
    if (s->builder == NULL || !frames_read(path, &s->original))
        return false;
    for (size_t i = 0; i < s->original.count; i++)
        s->room.size += s->original.at[i].len;
    s->room.size += room_more;
    if ((s->room.bytes = malloc(s->room.size)) == NULL)
        exit(1);
    look(s);
    return true;
}

void scene_close(struct scene *s)
{
    frames_free(&s->altered);
    frames_free(&s->original);
    free(s->room.bytes);
    free(s->views);
    free(s->talks);
    pkt_builder_free(s->builder);
}

/* Following connections from outside (see track.h). */
#include "targets/saboteur/track.h"
#include "engine/packet/seq.h"

#include <stdlib.h>
#include <string.h>

enum { WSCALE_MAX = 14 };

bool tracker_init(struct tracker *t, void (*forgotten)(void *context, struct connection *connection), void *context)
{
    *t = (struct tracker){.connections = calloc(CONNECTIONS_MAX, sizeof *t->connections), .forgotten = forgotten, .context = context};
    return t->connections != NULL;
}

void tracker_release(struct tracker *t)
{
    free(t->connections);
}

/* ---- records */

static bool same_endpoint(const struct pkt_endpoint *a, const struct pkt_endpoint *b)
{
    return a->port == b->port && pkt_addr_equal(&a->addr, &b->addr);
}

static struct connection *find(const struct tracker *t, const struct pkt_endpoint *iut, const struct pkt_endpoint *tester)
{
    for (unsigned i = 0; i < t->count; i++)
        if (same_endpoint(&t->connections[i].tester, tester) && same_endpoint(&t->connections[i].iut, iut))
            return &t->connections[i];
    return NULL;
}

const struct connection *track_lookup(const struct tracker *t, const struct pkt_endpoint *iut, const struct pkt_endpoint *tester)
{
    return find(t, iut, tester);
}

static struct connection *longest_at_rest(struct tracker *t)
{
    struct connection *oldest = &t->connections[0];
    for (unsigned i = 1; i < t->count; i++)
        if (t->connections[i].used < oldest->used)
            oldest = &t->connections[i];
    t->forgotten(t->context, oldest);
    return oldest;
}

static struct connection *begin(struct tracker *t, const struct pkt_endpoint *iut, const struct pkt_endpoint *tester)
{
    struct connection *c = t->count < CONNECTIONS_MAX ? &t->connections[t->count++] : longest_at_rest(t);
    *c = (struct connection){.iut = *iut, .tester = *tester};
    return c;
}

void track_find(struct tracker *t, struct segment *s, bool from_iut)
{
    struct packet quoted;
    const struct packet *p = &s->packet;
    s->connection = NULL;
    if (segment_quoted(s, &quoted))
        p = &quoted;
    else if (!segment_is_tcp(s))
        return;
    struct pkt_endpoint src = {p->ip.src, p->tcp.src_port}, dst = {p->ip.dst, p->tcp.dst_port};
    bool by_iut = from_iut || p == &quoted; /* errors quote what the IUT sent */
    const struct pkt_endpoint *iut = by_iut ? &src : &dst, *tester = by_iut ? &dst : &src;
    s->connection = find(t, iut, tester);
    if (!s->connection && segment_has(s, PKT_SYN) && !segment_has_any(s, PKT_RST))
        s->connection = begin(t, iut, tester);
    if (s->connection)
        s->connection->used = ++t->packets;
}

static bool is_established(const struct connection *c)
{
    return c->has_iss && c->has_irs && !c->closed && c->snd_una != c->iss;
}

/* ---- what the IUT sends */

static bool was_sent_before(const struct connection *c, const struct segment *s)
{
    const struct pkt_tcp *tcp = &s->packet.tcp;
    if (!c->has_iss || pkt_seg_len(tcp) == 0 || (tcp->flags & PKT_RST))
        return false;
    if (tcp->flags & PKT_SYN)
        return tcp->seq == c->iss && (segment_is_synack(s) ? c->synacks : c->syns) > 0;
    return seq_le(tcp->seq + pkt_seg_len(tcp), c->snd_nxt);
}

/* In the place before SND.NXT, with at most one octet, though there is nothing to retransmit: what a keep-alive looks like. */
static bool repeats_last_octet(const struct connection *c, const struct pkt_tcp *tcp)
{
    return tcp->payload_len <= 1 && tcp->seq == c->snd_nxt - 1 && !(tcp->flags & (PKT_SYN | PKT_FIN | PKT_RST));
}

void track_judge_sent(struct segment *s)
{
    const struct connection *c = s->connection;
    const struct pkt_tcp *tcp = &s->packet.tcp;
    if (!c || !segment_is_tcp(s))
        return;
    s->retransmission = was_sent_before(c, s);
    s->answers_at_once = c->has_irs && s->now_ns - c->arrived_ns < ANSWERS_AT_ONCE_NS;
    if (is_established(c)) {
        s->keepalive = !c->zero_window && c->snd_una == c->snd_nxt && repeats_last_octet(c, tcp);
        s->probe = c->zero_window && (segment_is_data(s) || repeats_last_octet(c, tcp));
    }
    s->answers_unacceptable = c->unacceptable_came && segment_is_pure_ack(s);
}

static void note_options_sent(struct connection *c, const struct segment *s)
{
    struct pkt_options options;
    pkt_options_read(s->packet.tcp.options, s->packet.tcp.options_len, &options);
    if (segment_has(s, PKT_SYN)) {
        c->iut_offers_wscale = options.has_wscale;
        c->iut_wscale = options.wscale < WSCALE_MAX ? options.wscale : WSCALE_MAX;
    }
    if (!options.has_timestamp)
        return;
    if (!c->has_ts_sent)
        c->first_ts_sent = options.ts_val;
    c->has_ts_sent = true;
    c->last_ts_sent = options.ts_val;
}

/* A SYN with a number of its own begins the record anew; what the tester offered last stays known. */
static void note_syn_sent(struct tracker *t, struct connection *c, const struct segment *s)
{
    uint32_t seq = s->packet.tcp.seq;
    if (!c->has_iss || c->iss != seq) {
        t->forgotten(t->context, c);
        *c = (struct connection){.iut = c->iut, .tester = c->tester, .used = c->used, .has_iss = true, .iss = seq, .snd_una = seq,
                                 .snd_nxt = seq, .last_offer = c->last_offer, .arrived_ns = c->arrived_ns};
    }
    if (segment_is_synack(s)) {
        c->synacks++;
        c->offer = c->last_offer;
        c->has_irs = true;
        c->irs = s->packet.tcp.ack - 1;
    } else {
        c->syns++;
    }
}

void track_sent(struct tracker *t, struct segment *s)
{
    struct connection *c = s->connection;
    const struct pkt_tcp *tcp = &s->packet.tcp;
    if (!segment_is_tcp(s))
        return;
    if (tcp->flags & PKT_RST) { /* one that ends the connection has its own number, one that refuses a segment has that one's */
        c->closed |= c->has_iss && seq_le(c->snd_una, tcp->seq) && seq_le(tcp->seq, c->snd_nxt);
        return;
    }
    if (tcp->flags & PKT_SYN)
        note_syn_sent(t, c, s);
    if (!c->has_iss)
        return;
    c->closed = false;
    note_options_sent(c, s);
    c->snd_nxt = seq_max(c->snd_nxt, tcp->seq + pkt_seg_len(tcp));
    c->probed |= s->probe;
    c->fin_sent |= segment_is_fin(s);
    if (!(tcp->flags & PKT_ACK))
        return;
    bool scaled = c->iut_offers_wscale && c->offer.wscale && !(tcp->flags & PKT_SYN);
    c->rcv_nxt = tcp->ack;
    c->rcv_wnd = (uint32_t)tcp->window << (scaled ? c->iut_wscale : 0);
    if (!(tcp->flags & PKT_SYN))
        c->last_window = tcp->window;
    if (c->has_gap && seq_ge(c->rcv_nxt, c->gap_right))
        c->has_gap = false;
}

/* ---- what the tester sends */

/* RFC 9293 §3.10.7.4, Table 6. */
static bool is_acceptable(const struct connection *c, const struct pkt_tcp *tcp)
{
    uint32_t len = pkt_seg_len(tcp);
    if (len == 0)
        return c->rcv_wnd == 0 ? tcp->seq == c->rcv_nxt : seq_in_window(tcp->seq, c->rcv_nxt, c->rcv_wnd);
    return seq_in_window(tcp->seq, c->rcv_nxt, c->rcv_wnd) || seq_in_window(tcp->seq + len - 1, c->rcv_nxt, c->rcv_wnd);
}

static bool is_ack_acceptable(const struct connection *c, uint32_t ack)
{
    bool not_before = c->snd_una == c->iss ? seq_lt(c->snd_una, ack) : seq_le(c->snd_una, ack);
    return not_before && seq_le(ack, c->snd_nxt);
}

/* RFC 5961 §5.2: an old acknowledgment is of use, up to a point. */
static bool is_ack_of_use(const struct connection *c, const struct pkt_tcp *tcp)
{
    return (tcp->flags & PKT_ACK) && seq_le(tcp->ack, c->snd_nxt) && seq_ge(tcp->ack, c->snd_una - c->snd_wnd_max);
}

void track_judge_arriving(struct segment *s)
{
    const struct connection *c = s->connection;
    if (!c || !segment_is_tcp(s))
        return;
    s->established = is_established(c);
    s->acceptable = c->has_irs && is_acceptable(c, &s->packet.tcp);
    s->ack_acceptable = c->has_iss && segment_has(s, PKT_ACK) && is_ack_acceptable(c, s->packet.tcp.ack);
}

static void note_syn_arrived(struct connection *c, const struct segment *s)
{
    struct pkt_options options;
    pkt_options_read(s->packet.tcp.options, s->packet.tcp.options_len, &options);
    c->last_offer = (struct offer){.wscale = options.has_wscale, .sack = options.sack_permitted, .timestamp = options.has_timestamp,
                                   .wscale_shift = options.wscale < WSCALE_MAX ? options.wscale : WSCALE_MAX};
    if (c->has_iss && !c->has_irs) { /* an active open: this is what the connection is made with, unless the IUT sends a SYN-ACK */
        c->offer = c->last_offer;
        c->has_irs = true;
        c->irs = s->packet.tcp.seq;
        c->rcv_nxt = c->irs + 1;
        c->rcv_wnd = UINT16_MAX;
    }
}

static void note_ack_arrived(struct connection *c, const struct pkt_tcp *tcp)
{
    bool scaled = c->iut_offers_wscale && c->offer.wscale && !(tcp->flags & PKT_SYN);
    uint32_t window = (uint32_t)tcp->window << (scaled ? c->offer.wscale_shift : 0);
    c->snd_una = seq_max(c->snd_una, tcp->ack);
    c->zero_window = window == 0;
    if (window > c->snd_wnd_max)
        c->snd_wnd_max = window;
}

static void note_data_arrived(struct connection *c, const struct pkt_tcp *tcp)
{
    uint32_t end = tcp->seq + pkt_seg_len(tcp);
    c->data_arrived |= tcp->payload_len > 0;
    if (seq_le(tcp->seq, c->rcv_nxt) && seq_gt(end, c->rcv_nxt)) {
        c->rcv_wnd -= end - c->rcv_nxt < c->rcv_wnd ? end - c->rcv_nxt : c->rcv_wnd; /* the right edge stays where it is */
        c->rcv_nxt = end;
    } else if (seq_gt(tcp->seq, c->rcv_nxt)) {
        c->has_gap = true;
        c->gap_left = tcp->seq;
        c->gap_right = end;
    }
}

static void note_timestamp_arrived(struct connection *c, const struct pkt_tcp *tcp)
{
    struct pkt_options options;
    pkt_options_read(tcp->options, tcp->options_len, &options);
    if (!options.has_timestamp || (c->has_ts_recent && seq_lt(options.ts_val, c->ts_recent)))
        return;
    c->has_ts_recent = true;
    c->ts_recent = options.ts_val;
}

void track_arrived(struct segment *s)
{
    struct connection *c = s->connection;
    const struct pkt_tcp *tcp = &s->packet.tcp;
    if (!segment_is_tcp(s) || !tcp->checksum_ok)
        return;
    c->arrived_ns = s->now_ns;
    track_judge_arriving(s); /* a fault may have altered it */
    c->unacceptable_came = s->established && (!s->acceptable || !is_ack_of_use(c, tcp) || segment_has_any(s, PKT_SYN | PKT_RST));
    if (segment_has_any(s, PKT_RST)) {
        c->closed |= c->has_irs ? tcp->seq == c->rcv_nxt : s->ack_acceptable;
        return;
    }
    if (segment_has(s, PKT_SYN))
        note_syn_arrived(c, s);
    if (!c->has_irs)
        return;
    if (s->ack_acceptable)
        note_ack_arrived(c, tcp);
    if (segment_has(s, PKT_SYN))
        return;
    note_timestamp_arrived(c, tcp);
    if (is_acceptable(c, tcp) && pkt_seg_len(tcp) > 0)
        note_data_arrived(c, tcp);
}

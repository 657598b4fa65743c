/* Numbering, tracking and payload pattern of a tester endpoint (see endpoint.h). */
#include "engine/runner/endpoint.h"

#include <string.h>

bool endpoint_is_at(const struct endpoint *e, const struct pkt_addr *addr, uint16_t port)
{
    return e->tester.port == port &&
           (pkt_addr_equal(&e->tester.addr, addr) || (e->alias.version && pkt_addr_equal(&e->alias, addr)));
}

static const uint64_t pattern_factor = UINT64_C(0xff51afd7ed558ccd);

static uint64_t pattern_number(const struct endpoint *e, bool from_tester, uint64_t offset)
{
    return (offset + ((uint64_t)e->tester.port << 32) + (from_tester ? UINT64_C(0x9e3779b97f4a7c15) : 0)) * pattern_factor;
}

uint8_t endpoint_pattern(const struct endpoint *e, bool from_tester, uint64_t offset)
{
    return (uint8_t)(pattern_number(e, from_tester, offset) >> 40);
}

/* Its octets follow each other by the pattern's factor, so that a sum takes the product's place. */
void endpoint_fill_pattern(const struct endpoint *e, bool from_tester, uint64_t offset, uint8_t *out, size_t len)
{
    uint64_t x = pattern_number(e, from_tester, offset);
    for (size_t i = 0; i < len; i++, x += pattern_factor)
        out[i] = (uint8_t)(x >> 40);
}

uint32_t endpoint_tester_wire(const struct endpoint *e, int64_t script)
{
    return (uint32_t)script + (e->tester_isn_known ? e->tester_isn : 0);
}

uint32_t endpoint_iut_wire(const struct endpoint *e, int64_t script)
{
    return (uint32_t)script + (e->iut_isn_known ? e->iut_isn : 0);
}

int64_t endpoint_tester_script(const struct endpoint *e, uint32_t wire)
{
    return e->tester_isn_known ? seq_distance(e->tester_isn, wire) : (int64_t)wire;
}

int64_t endpoint_iut_script(const struct endpoint *e, uint32_t wire)
{
    return e->iut_isn_known ? seq_distance(e->iut_isn, wire) : (int64_t)wire;
}

/* Window scaling is in force once both SYNs carried the option (RFC 7323 §2.2). */
static void note_scale_agreed(struct endpoint *e)
{
    if (e->tester_offered_scale && e->iut_offered_scale)
        e->window_shift = e->iut_scale > 14 ? 14 : e->iut_scale;
}

void endpoint_expect_incarnation(struct endpoint *e)
{
    e->tester_renumbers = e->iut_renumbers = e->iut_restarts = true;
}

void endpoint_begin_stream(struct endpoint *e)
{
    if (!e->iut_restarts)
        return;
    e->iut_restarts = e->iut_pattern_broken = false;
    e->iut_written = 0;
}

void endpoint_note_sent(struct endpoint *e, const struct pkt_tcp *tcp)
{
    if ((tcp->flags & PKT_SYN) && (!e->tester_isn_known || e->tester_renumbers)) {
        e->tester_isn = tcp->seq;
        e->tester_isn_known = true;
        if (e->tester_renumbers) {
            e->tester_streams++;
            e->tester_pattern_broken = e->iut_renumbers; /* until the IUT has begun anew, it takes what we send for data of the old connection */
        }
        e->tester_renumbers = false;
        e->snd_nxt = e->snd_una = tcp->seq;
        e->tester_offered_scale = false;
        e->window_shift = 0;
    }
    if (tcp->flags & PKT_SYN) {
        struct pkt_options options;
        if (tcp->seq != e->tester_isn) /* which of them the IUT has taken, and counts its stream from, shows nowhere */
            e->tester_pattern_broken = true;
        pkt_options_read(tcp->options, tcp->options_len, &options);
        e->tester_offered_scale |= options.has_wscale;
        note_scale_agreed(e);
    }
    uint32_t end = tcp->seq + pkt_seg_len(tcp);
    if (e->tester_isn_known && seq_le(tcp->seq, e->snd_nxt) && seq_gt(end, e->snd_nxt))
        e->snd_nxt = end;
    if (tcp->flags & PKT_ACK)
        e->acked = seq_max(e->acked, tcp->ack);
    if (tcp->flags & PKT_URG)
        e->tester_pattern_broken = true;
}

static void note_range(struct endpoint *e, uint32_t left, uint32_t right)
{
    unsigned i = 0;
    while (i < e->range_count && seq_lt(e->ranges[i].right, left))
        i++;
    if (i < e->range_count && seq_le(e->ranges[i].left, right)) {
        struct seq_range *r = &e->ranges[i];
        r->left = seq_min(r->left, left);
        r->right = seq_max(r->right, right);
        while (i + 1 < e->range_count && seq_le(e->ranges[i + 1].left, r->right)) {
            r->right = seq_max(r->right, e->ranges[i + 1].right);
            memmove(&e->ranges[i + 1], &e->ranges[i + 2], (e->range_count - i - 2) * sizeof *e->ranges);
            e->range_count--;
        }
        return;
    }
    if (e->range_count == ENDPOINT_RANGES_MAX) {
        e->ranges_overflow = true;
        return;
    }
    memmove(&e->ranges[i + 1], &e->ranges[i], (e->range_count - i) * sizeof *e->ranges);
    e->ranges[i] = (struct seq_range){left, right};
    e->range_count++;
}

static void note_iut_syn(struct endpoint *e, const struct pkt_tcp *tcp)
{
    if (!e->iut_isn_known || e->iut_renumbers) {
        if (!e->iut_isn_known || e->iut_isn != tcp->seq)
            endpoint_begin_stream(e);
        if (e->iut_renumbers && !e->tester_renumbers)
            e->tester_pattern_broken = false;
        e->iut_isn = tcp->seq;
        e->iut_isn_known = true;
        e->iut_renumbers = false;
        e->rcv_nxt = tcp->seq;
        e->acked = tcp->seq;
        e->range_count = 0;
        e->iut.port = tcp->src_port;
        e->iut_port_known = true;
    } else if (tcp->seq != e->iut_isn) { /* another connection that nobody has told of: numbers are still those of the first */
        e->iut_pattern_broken = true;
    }
    struct pkt_options options;
    pkt_options_read(tcp->options, tcp->options_len, &options);
    e->iut_offered_scale = options.has_wscale;
    e->iut_scale = options.wscale;
    note_scale_agreed(e);
}

void endpoint_note_received(struct endpoint *e, const struct pkt_tcp *tcp)
{
    if (tcp->flags & PKT_SYN)
        note_iut_syn(e, tcp);
    if (e->iut_isn_known && !(tcp->flags & PKT_RST) && pkt_seg_len(tcp) != 0) {
        note_range(e, tcp->seq, tcp->seq + pkt_seg_len(tcp));
        for (unsigned i = 0; i < e->range_count; i++)
            if (seq_le(e->ranges[i].left, e->rcv_nxt) && seq_gt(e->ranges[i].right, e->rcv_nxt))
                e->rcv_nxt = e->ranges[i].right;
    }
    if (!(tcp->flags & PKT_RST)) {
        e->window = tcp->window;
        if (tcp->flags & PKT_ACK)
            e->snd_una = tcp->ack;
    }
    struct pkt_options options;
    pkt_options_read(tcp->options, tcp->options_len, &options);
    if (options.has_timestamp)
        e->ts_recent = options.ts_val;
}

bool endpoint_has_received(const struct endpoint *e, uint32_t left, uint32_t right)
{
    if (left == right)
        return true;
    for (unsigned i = 0; i < e->range_count; i++)
        if (seq_le(e->ranges[i].left, left) && seq_ge(e->ranges[i].right, right))
            return true;
    return false;
}

int64_t endpoint_stream_mismatch(const struct endpoint *e, const struct pkt_tcp *tcp)
{
    const bool of_old_connection = (e->iut_renumbers && !e->iut_restarts) /* the application has asked for another since … */ ||
                                   tcp->src_port != e->iut.port;          /* … or this is of another, from another port */
    if (!e->iut_isn_known || e->iut_pattern_broken || of_old_connection)
        return -1;
    uint32_t first = tcp->seq + ((tcp->flags & PKT_SYN) ? 1u : 0u);
    for (uint32_t i = 0; i < tcp->payload_len; i++) {
        int64_t offset = (int64_t)seq_distance(e->iut_isn + 1, first + i);
        bool comparable = offset >= 0 && (uint64_t)offset < e->iut_written && seq_ge(first + i, e->acked);
        if (comparable && tcp->payload[i] != endpoint_pattern(e, false, (uint64_t)offset))
            return offset;
    }
    return -1;
}

uint32_t endpoint_window(const struct endpoint *e)
{
    return (uint32_t)e->window << e->window_shift;
}

/* What should stand in each column that tshark prints.
 *
 * A row of the table names tshark's field, the header it is in and the octet it ends at, and says where its value is in struct
 * packet, or which function computes it. Whether tshark shows a field of a damaged packet at all follows from header and octet
 * (shown): it stops at other places than we do, and where was found out by experiment. */
#include "engine/packet/test/columns.h"

#include "engine/packet/test/support.h"

#include <assert.h>

enum { RAW_LEN_MIN = 8 /* fewer octets, and tshark does not take them for an IP packet */ };

void put_number(struct numbers *numbers, uint64_t value)
{
    assert_true(numbers->count < NUMBERS_MAX);
    numbers->values[numbers->count++] = value;
}

/* ---- which fields tshark shows ------------------------------------------------------------------------------------ */

/* IPv4: up to a header length that is too small, or larger than the total length. */
static bool has_ip4(const struct layer *l, unsigned to)
{
    const struct pkt_ip *ip = &l->packet.ip;

    if (ip->version != 4 || l->packet.len < to || (!l->quoted && l->packet.len < RAW_LEN_MIN))
        return false;
    return to <= 1 || (ip->header_len >= 20 && (to <= 4 || ip->total_len >= ip->header_len));
}

static bool has_ip6(const struct layer *l, unsigned to)
{
    return l->packet.ip.version == 6 && l->packet.len >= to && (l->quoted || l->packet.len >= RAW_LEN_MIN);
}

static bool has_upper(const struct packet *p, uint8_t protocol, unsigned to)
{
    return p->kind != PKT_KIND_UNPARSED && p->kind != PKT_KIND_FRAGMENT && p->ip.protocol == protocol && p->payload_len >= to;
}

/* TCP: tshark wants both ports, and then the first 16 octets, before it shows any of them. */
static bool has_tcp(const struct layer *l, unsigned to)
{
    return has_upper(&l->upper, PKT_PROTO_TCP, to <= 4 ? 4 : to <= 16 ? 16 : to);
}

/* The sequence number, though, as soon as it is there in an IPv4 packet that an ICMP error quotes. */
static bool has_seq(const struct layer *l)
{
    return has_tcp(l, 8) || (l->quoted && l->packet.ip.version == 4 && has_upper(&l->upper, PKT_PROTO_TCP, 8));
}

/* ICMPv4: its sixth octet may hold a length (RFC 4884), and tshark reads that first. */
static bool has_icmp(const struct layer *l, uint8_t version, unsigned to)
{
    return l->packet.ip.version == version && has_upper(&l->upper, version == 4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6, version == 4 ? 6 : to);
}

/* It shows nothing behind a data offset that is smaller than 5. */
static bool has_tcp_rest(const struct layer *l, unsigned to)
{
    return has_tcp(l, to) && l->upper.tcp.data_offset >= 5;
}

/* Nor does it say how long the payload is when the header ends behind the packet, or when the segment is quoted or a fragment. */
static bool has_payload_len(const struct layer *l)
{
    return has_tcp(l, 16) && !l->quoted && l->packet.kind != PKT_KIND_FRAGMENT &&
           l->upper.tcp.data_offset * 4u <= l->upper.payload_len;
}

enum place { IP4, IP6, IP6_FRAGMENT, TCP, TCP_SEQ, TCP_REST, TCP_LEN, ICMP4, ICMP4_REST, ICMP6 };

static bool shown(enum place place, unsigned to, const struct layer *l)
{
    switch (place) {
    case IP4: return has_ip4(l, to);
    case IP6: return has_ip6(l, to);
    case IP6_FRAGMENT: return l->packet.ip.has_fragment_header;
    case TCP: return has_tcp(l, to);
    case TCP_SEQ: return has_seq(l);
    case TCP_REST: return has_tcp_rest(l, to);
    case TCP_LEN: return has_payload_len(l);
    case ICMP4: return has_icmp(l, 4, to);
    case ICMP4_REST: return has_icmp(l, 4, to) && l->upper.payload_len >= 8;
    default: return has_icmp(l, 6, to);
    }
}

/* ---- values that are not as they stand in struct packet ----------------------------------------------------------- */

uint64_t address_number(const uint8_t *bytes, unsigned len)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < len; i++)
        number = number * (len == 4 ? 256 : 1099511628211) + bytes[i];
    return number;
}

static uint64_t source4(const struct layer *l) { return address_number(l->packet.ip.src.bytes, 4); }
static uint64_t destination4(const struct layer *l) { return address_number(l->packet.ip.dst.bytes, 4); }
static uint64_t source6(const struct layer *l) { return address_number(l->packet.ip.src.bytes, 16); }
static uint64_t destination6(const struct layer *l) { return address_number(l->packet.ip.dst.bytes, 16); }
static uint64_t offset_units(const struct layer *l) { return l->packet.ip.fragment_offset / 8; }
static uint64_t payload_len6(const struct layer *l) { return l->packet.ip.total_len - 40; }
static uint64_t tcp_header_len(const struct layer *l) { return l->upper.tcp.data_offset * 4u; }
static uint64_t rest_high(const struct layer *l) { return l->upper.icmp.rest >> 16; }
static uint64_t rest_low(const struct layer *l) { return l->upper.icmp.rest & 0xffff; }

/* Of a segment whose data offset is too small, what tshark makes of that. */
static uint64_t tcp_payload_len(const struct layer *l)
{
    const struct packet *p = &l->upper;

    return p->kind == PKT_KIND_TCP ? p->tcp.payload_len : p->payload_len - p->tcp.data_offset * 4u;
}

enum { TSHARK_BAD, TSHARK_GOOD, TSHARK_UNVERIFIED };

static uint64_t ip4_status(const struct layer *l)
{
    const struct packet *p = &l->packet;

    return p->len < p->ip.header_len ? TSHARK_UNVERIFIED : p->ip.checksum_ok ? TSHARK_GOOD : TSHARK_BAD;
}

/* tshark takes a packet that ends early for one with a wrong length, and verifies what is there. */
static unsigned upper_status(const struct layer *l, bool ours)
{
    const struct packet *p = &l->upper;

    if (l->packet.kind == PKT_KIND_FRAGMENT)
        return TSHARK_UNVERIFIED;
    if (!l->cut)
        return ours ? TSHARK_GOOD : TSHARK_BAD;
    if (p->ip.protocol == PKT_PROTO_ICMP)
        return pkt_checksum(p->payload, p->payload_len) == 0;
    return pkt_transport_checksum(&p->ip.src, &p->ip.dst, p->ip.protocol, p->payload, p->payload_len) == 0;
}

static uint64_t tcp_status(const struct layer *l) { return upper_status(l, l->upper.tcp.checksum_ok); }
static uint64_t icmp_status(const struct layer *l) { return upper_status(l, l->upper.icmp.checksum_ok); }

/* ---- fields of some messages only --------------------------------------------------------------------------------- */

/* Echo, and in ICMPv4 the old requests and replies built like it: timestamp, information, address mask. */
static bool is_echo4(const struct layer *l)
{
    uint8_t type = l->upper.icmp.type;

    return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

static bool is_frag_needed(const struct layer *l)
{
    return l->upper.icmp.type == 3 && l->upper.icmp.code == 4;
}

static bool is_echo6(const struct layer *l)
{
    return l->upper.icmp.type == 128 || l->upper.icmp.type == 129;
}

static bool is_extended_echo6(const struct layer *l) /* RFC 8335 */
{
    return is_echo6(l) || l->upper.icmp.type == 160 || l->upper.icmp.type == 161;
}

static bool is_too_big(const struct layer *l)
{
    return l->upper.icmp.type == 2;
}

/* ---- options ------------------------------------------------------------------------------------------------------ */

static uint32_t number_at(const struct pkt_option *o, unsigned offset, unsigned len)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < len && offset + i < o->data_len; i++)
        value = value << 8 | o->data[offset + i];
    return value;
}

static void put_kind(const struct pkt_option *o, unsigned offset, struct numbers *n)
{
    (void)offset;
    put_number(n, o->kind);
}

static void put_len(const struct pkt_option *o, unsigned offset, struct numbers *n)
{
    (void)offset;
    if (o->kind > PKT_OPT_NOP)
        put_number(n, o->len);
}

/* A number of an option whose length fits its kind, if it is there; its length is what is left of the option, but four octets at
 * most. */
static void put_field(const struct pkt_option *o, unsigned offset, struct numbers *n)
{
    static const uint8_t fitting_len[256] = { [PKT_OPT_MSS] = 4, [PKT_OPT_WSCALE] = 3, [PKT_OPT_TIMESTAMP] = 10, [PKT_OPT_USER_TIMEOUT] = 4 };
    unsigned len = o->len - 2u - offset < 4 ? o->len - 2u - offset : 4;

    if (o->len == fitting_len[o->kind] && o->data_len >= offset + len)
        put_number(n, number_at(o, offset, len) & (o->kind == PKT_OPT_USER_TIMEOUT ? 0x7fff : UINT32_MAX));
}

/* Edges, as many as there are: tshark shows them even where the length is no SACK's. */
static void put_edges(const struct pkt_option *o, unsigned offset, struct numbers *n)
{
    for (; offset + 4 <= o->data_len; offset += 8)
        put_number(n, number_at(o, offset, 4));
}

static bool meaning_mss(const struct pkt_options *o, const struct numbers *theirs)
{
    return o->has_mss ? theirs->count > 0 && theirs->values[0] == o->mss : theirs->count == 0;
}

static bool meaning_wscale(const struct pkt_options *o, const struct numbers *theirs)
{
    return o->has_wscale ? theirs->count > 0 && theirs->values[0] == o->wscale : theirs->count == 0;
}

static bool meaning_ts_val(const struct pkt_options *o, const struct numbers *theirs)
{
    return o->has_timestamp ? theirs->count > 0 && theirs->values[0] == o->ts_val : theirs->count == 0;
}

static bool meaning_ts_ecr(const struct pkt_options *o, const struct numbers *theirs)
{
    return o->has_timestamp ? theirs->count > 0 && theirs->values[0] == o->ts_ecr : theirs->count == 0;
}

static bool meaning_user_timeout(const struct pkt_options *o, const struct numbers *theirs)
{
    return o->has_user_timeout ? theirs->count > 0 && theirs->values[0] == (o->user_timeout & 0x7fff) : theirs->count == 0;
}

static bool meaning_sack_left(const struct pkt_options *o, const struct numbers *theirs)
{
    for (unsigned i = 0; i < o->sack_count; i++) {
        if (i >= theirs->count || theirs->values[i] != o->sack[i].left)
            return false;
    }
    return o->sack_count > 0 || theirs->count == 0;
}

static bool meaning_sack_right(const struct pkt_options *o, const struct numbers *theirs)
{
    for (unsigned i = 0; i < o->sack_count; i++) {
        if (i >= theirs->count || theirs->values[i] != o->sack[i].right)
            return false;
    }
    return o->sack_count > 0 || theirs->count == 0;
}

/* ---- the table ---------------------------------------------------------------------------------------------------- */

#define AS_IT_IS(member) .offset = offsetof(struct packet, member), .size = sizeof((struct packet){ 0 }.member)

static const struct column {
    const char *name;                              /* tshark's */
    enum place place;
    unsigned to;                                   /* the octet of that header behind the field's last one */
    size_t offset, size;                           /* in struct packet */
    uint64_t (*compute)(const struct layer *l);    /* instead */
    bool (*only_if)(const struct layer *l);
} columns[] = {
    { "ip.hdr_len", IP4, 1, AS_IT_IS(ip.header_len) },
    { "ip.dsfield", IP4, 2, AS_IT_IS(ip.tos) },
    { "ip.len", IP4, 4, AS_IT_IS(ip.total_len) },
    { "ip.id", IP4, 6, AS_IT_IS(ip.id) },
    { "ip.flags.df", IP4, 8, AS_IT_IS(ip.dont_fragment) },
    { "ip.flags.mf", IP4, 8, AS_IT_IS(ip.more_fragments) },
    { "ip.frag_offset", IP4, 8, .compute = offset_units },
    { "ip.ttl", IP4, 9, AS_IT_IS(ip.ttl) },
    { "ip.proto", IP4, 10, AS_IT_IS(ip.protocol) },
    { "ip.checksum", IP4, 12, AS_IT_IS(ip.checksum) },
    { "ip.checksum.status", IP4, 12, .compute = ip4_status },
    { "ip.src", IP4, 16, .compute = source4 },
    { "ip.dst", IP4, 20, .compute = destination4 },
    { "ipv6.tclass", IP6, 4, AS_IT_IS(ip.tos) },
    { "ipv6.flow", IP6, 4, AS_IT_IS(ip.flow_label) },
    { "ipv6.plen", IP6, 7, .compute = payload_len6 },
    { "ipv6.hlim", IP6, 8, AS_IT_IS(ip.ttl) },
    { "ipv6.src", IP6, 24, .compute = source6 },
    { "ipv6.dst", IP6, 40, .compute = destination6 },
    { "ipv6.fraghdr.offset", IP6_FRAGMENT, 8, .compute = offset_units },
    { "ipv6.fraghdr.more", IP6_FRAGMENT, 8, AS_IT_IS(ip.more_fragments) },
    { "ipv6.fraghdr.ident", IP6_FRAGMENT, 8, AS_IT_IS(ip.id) },
    { "tcp.srcport", TCP, 2, AS_IT_IS(tcp.src_port) },
    { "tcp.dstport", TCP, 4, AS_IT_IS(tcp.dst_port) },
    { "tcp.seq", TCP_SEQ, 8, AS_IT_IS(tcp.seq) },
    { "tcp.ack", TCP_REST, 12, AS_IT_IS(tcp.ack) },
    { "tcp.hdr_len", TCP, 13, .compute = tcp_header_len },
    { "tcp.flags", TCP_REST, 14, AS_IT_IS(tcp.flags) },
    { "tcp.window_size_value", TCP_REST, 16, AS_IT_IS(tcp.window) },
    { "tcp.checksum", TCP_REST, 18, AS_IT_IS(tcp.checksum) },
    { "tcp.checksum.status", TCP_REST, 18, .compute = tcp_status },
    { "tcp.urgent_pointer", TCP_REST, 20, AS_IT_IS(tcp.urgent) },
    { "tcp.len", TCP_LEN, 20, .compute = tcp_payload_len },
    { "icmp.type", ICMP4, 1, AS_IT_IS(icmp.type) },
    { "icmp.code", ICMP4, 2, AS_IT_IS(icmp.code) },
    { "icmp.checksum", ICMP4, 4, AS_IT_IS(icmp.checksum) },
    { "icmp.checksum.status", ICMP4, 4, .compute = icmp_status },
    { "icmp.seq", ICMP4_REST, 8, .compute = rest_low, .only_if = is_echo4 },
    { "icmp.mtu", ICMP4_REST, 8, .compute = rest_low, .only_if = is_frag_needed },
    { "icmpv6.type", ICMP6, 1, AS_IT_IS(icmp.type) },
    { "icmpv6.code", ICMP6, 2, AS_IT_IS(icmp.code) },
    { "icmpv6.checksum", ICMP6, 4, AS_IT_IS(icmp.checksum) },
    { "icmpv6.checksum.status", ICMP6, 4, .compute = icmp_status },
    { "icmpv6.echo.identifier", ICMP6, 6, .compute = rest_high, .only_if = is_extended_echo6 },
    { "icmpv6.echo.sequence_number", ICMP6, 8, .compute = rest_low, .only_if = is_echo6 },
    { "icmpv6.mtu", ICMP6, 8, AS_IT_IS(icmp.rest), .only_if = is_too_big },
};

static const struct option_column {
    const char *name;
    int kind;        /* of which options; -1: of all */
    unsigned offset; /* in the option's data */
    void (*put)(const struct pkt_option *o, unsigned offset, struct numbers *n);
    bool (*meaning_agrees)(const struct pkt_options *o, const struct numbers *theirs);
} option_columns[] = {
    { "tcp.option_kind", -1, 0, put_kind, NULL },
    { "tcp.option_len", -1, 0, put_len, NULL },
    { "tcp.options.mss_val", PKT_OPT_MSS, 0, put_field, meaning_mss },
    { "tcp.options.wscale.shift", PKT_OPT_WSCALE, 0, put_field, meaning_wscale },
    { "tcp.options.timestamp.tsval", PKT_OPT_TIMESTAMP, 0, put_field, meaning_ts_val },
    { "tcp.options.timestamp.tsecr", PKT_OPT_TIMESTAMP, 4, put_field, meaning_ts_ecr },
    { "tcp.options.sack_le", PKT_OPT_SACK, 0, put_edges, meaning_sack_left },
    { "tcp.options.sack_re", PKT_OPT_SACK, 4, put_edges, meaning_sack_right },
    { "tcp.options.user_to_val", PKT_OPT_USER_TIMEOUT, 0, put_field, meaning_user_timeout },
};
static_assert(COUNT(columns) + COUNT(option_columns) == COLUMNS, "as many as the header says");

const char *column_name(unsigned column)
{
    return column < COUNT(columns) ? columns[column].name : option_columns[column - COUNT(columns)].name;
}

static uint64_t as_it_is(const struct column *c, const struct packet *p)
{
    const uint8_t *at = (const uint8_t *)p + c->offset;
    uint32_t word;
    uint16_t half;

    if (c->size == sizeof word)
        return memcpy(&word, at, sizeof word), word;
    if (c->size == sizeof half)
        return memcpy(&half, at, sizeof half), half;
    return *at;
}

static void field_numbers(const struct column *c, const struct layer *l, struct numbers *out)
{
    bool upper = c->place >= TCP;

    if (shown(c->place, c->to, l) && (c->only_if == NULL || c->only_if(l)))
        put_number(out, c->compute != NULL ? c->compute(l) : as_it_is(c, upper ? &l->upper : &l->packet));
}

/* tshark shows each zero that pads the list as an end-of-list, and of an option that the end of the packet cuts, but the header's
 * stated length does not, what is there. */
static void option_numbers(const struct option_column *c, const struct layer *l, struct numbers *out)
{
    struct option_area area = option_area(l);
    enum pkt_option_status status;
    struct pkt_option o;
    uint8_t cursor = 0;

    while ((status = pkt_option_next(area.options, area.len, &cursor, &o)) != PKT_OPTION_END) {
        if (status == PKT_OPTION_ILLEGAL && (o.len < 2 || o.offset + o.len > area.stated_len))
            break;
        if (c->kind == -1 || c->kind == o.kind)
            c->put(&o, c->offset, out);
        if (o.kind == PKT_OPT_EOL && o.offset + 1 < area.len && area.options[o.offset + 1] == PKT_OPT_EOL)
            cursor = (uint8_t)(o.offset + 1);
    }
}

void column_numbers(unsigned column, const struct reading *reading, struct numbers *out)
{
    out->count = 0;
    for (unsigned d = 0; d < reading->depth; d++) {
        if (column < COUNT(columns))
            field_numbers(&columns[column], &reading->layers[d], out);
        else
            option_numbers(&option_columns[column - COUNT(columns)], &reading->layers[d], out);
    }
}

bool column_meaning_agrees(unsigned column, const struct pkt_options *options, const struct numbers *theirs)
{
    const struct option_column *c = column < COUNT(columns) ? NULL : &option_columns[column - COUNT(columns)];

    return c == NULL || c->meaning_agrees == NULL || c->meaning_agrees(options, theirs);
}

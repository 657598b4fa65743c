/* Compares what pkt_parse reads with what an independent dissector, tshark, reads in the same packets, field by field.
 *
 * Theory of operation. Thousands of generated packets, most of them damaged, go into a pcap file; one run of tshark prints a line
 * for each, with a column for each field (-T fields). For the same octets we compute what should stand in each column (struct
 * column, get), from the packet, and from the one it quotes if it is an ICMP error. All numbers are compared as numbers, all
 * occurrences of a field, in order. A difference is a failure, unless it is one of those in `differences`: places where the two
 * mean different things, each with the reason. A difference that never occurs fails too, so that the list stays honest. */
#include "engine/packet/packet.h"

#include "engine/packet/test/generate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
enum { PACKETS = 6000, NUMBERS_MAX = 64, LINE_MAX_LEN = 1 << 14, MISMATCHES_SHOWN = 20, LAYERS_MAX = 2 };
enum { RAW_LEN_MIN = 8 /* fewer octets, and tshark does not take them for an IP packet */ };

extern char **environ;

/* ---- what we read ------------------------------------------------------------------------------------------------- */

struct layer { /* a packet as read, and how it is to be compared */
    struct packet packet;
    struct packet upper; /* the same; but of a first fragment, read as if it were no fragment: tshark goes on into it */
    enum pkt_error error;
    bool quoted;    /* by an ICMP error */
    bool cut;       /* ends before its stated length */
    uint8_t beginning[GENERATED_LEN_MAX];
};
struct reading {
    unsigned depth; /* 1, or 2 with the one quoted */
    struct layer layers[LAYERS_MAX];
};

static bool is_icmp_error(const struct packet *p)
{
    static const uint8_t errors4[] = { 3, 4, 5, 11, 12 };
    uint8_t type = p->icmp.type;

    if (p->kind != PKT_KIND_ICMP)
        return false;
    return p->ip.version == 4 ? memchr(errors4, type, sizeof errors4) != NULL : type >= 1 && type <= 4;
}

/* Clears "more fragments" in a copy, and reads that. */
static void read_beginning(struct layer *l)
{
    const struct packet *p = &l->packet;
    size_t flags_at = p->ip.version == 4 ? 6 : p->ip.header_len - 5u; /* of the fragment header: octet 3 of its 8 */

    memcpy(l->beginning, p->bytes, p->len);
    l->beginning[flags_at] &= p->ip.version == 4 ? 0xdf : 0xfe;
    pkt_parse_quoted(l->beginning, p->len, &l->upper);
}

/* A packet that ends before its stated length is no packet to us; read as a quotation it has the fields that are there. */
static void read_one(const uint8_t *bytes, size_t len, bool quoted, struct reading *out)
{
    struct layer *l = &out->layers[out->depth++];

    l->quoted = quoted;
    l->error = quoted ? pkt_parse_quoted(bytes, len, &l->packet) : pkt_parse(bytes, len, &l->packet);
    if (!quoted && l->error == PKT_ERR_IP_TOTAL_LEN)
        l->error = pkt_parse_quoted(bytes, len, &l->packet);
    l->cut = l->packet.ip.total_len > len;
    l->upper = l->packet;
    if (l->packet.kind == PKT_KIND_FRAGMENT && l->packet.ip.fragment_offset == 0)
        read_beginning(l);
}

static void read_both(const uint8_t *bytes, size_t len, struct reading *out)
{
    out->depth = 0;
    read_one(bytes, len, false, out);
    if (is_icmp_error(&out->layers[0].upper))
        read_one(out->layers[0].upper.icmp.body, out->layers[0].upper.icmp.body_len, true, out);
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

struct numbers {
    unsigned count;
    uint64_t values[NUMBERS_MAX];
};

static void put(struct numbers *n, uint64_t value)
{
    assert_true(n->count < NUMBERS_MAX);
    n->values[n->count++] = value;
}

/* Does tshark show the IPv4 field that ends at octet `to`? It stops at a header length that is too small, or larger than the total
 * length. */
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

/* The TCP field that ends at octet `to`: tshark wants both ports, and then the first 16 octets, before it shows any of them. */
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

/* tshark shows nothing behind a data offset that is smaller than 5. */
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

/* Of a segment whose data offset is too small, what it makes of that. */
static uint32_t payload_len(const struct packet *p)
{
    return p->kind == PKT_KIND_TCP ? p->tcp.payload_len : p->payload_len - p->tcp.data_offset * 4u;
}

/* An address as a number that another address is unlikely to have: the octets of IPv4, a hash of those of IPv6. */
static uint64_t address_number(const uint8_t *bytes, unsigned len)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < len; i++)
        number = number * (len == 4 ? 256 : 1099511628211) + bytes[i];
    return number;
}

enum { TSHARK_BAD, TSHARK_GOOD, TSHARK_UNVERIFIED };

static unsigned ip_status(const struct packet *p)
{
    return p->len < p->ip.header_len ? TSHARK_UNVERIFIED : p->ip.checksum_ok ? TSHARK_GOOD : TSHARK_BAD;
}

/* tshark takes a packet that ends early for one with a wrong length, and verifies what is there. */
static unsigned upper_status(const struct layer *l, bool ours)
{
    const struct packet *p = &l->upper;
    bool pseudo_header = p->ip.protocol != PKT_PROTO_ICMP;

    if (l->packet.kind == PKT_KIND_FRAGMENT)
        return TSHARK_UNVERIFIED;
    if (!l->cut)
        return ours ? TSHARK_GOOD : TSHARK_BAD;
    if (pseudo_header)
        return pkt_transport_checksum(&p->ip.src, &p->ip.dst, p->ip.protocol, p->payload, p->payload_len) == 0;
    return pkt_checksum(p->payload, p->payload_len) == 0;
}

#define FIELD(name, part, condition, value) \
    static void name(const struct layer *l, struct numbers *n) \
    { \
        const struct packet *p = (part); \
        if (condition) \
            put(n, (value)); \
    }
#define IP4_FIELD(name, to, value) FIELD(name, &l->packet, has_ip4(l, (to)), value)
#define IP6_FIELD(name, to, value) FIELD(name, &l->packet, has_ip6(l, (to)), value)
#define TCP_FIELD(name, to, value) FIELD(name, &l->upper, has_tcp(l, (to)), value)
#define TCP_REST_FIELD(name, to, value) FIELD(name, &l->upper, has_tcp_rest(l, (to)), value)
#define ICMP_FIELD(name, version, to, value) FIELD(name, &l->upper, has_icmp(l, (version), (to)), value)

IP4_FIELD(get_ip_header_len, 1, p->ip.header_len)
IP4_FIELD(get_ip_tos, 2, p->ip.tos)
IP4_FIELD(get_ip_len, 4, p->ip.total_len)
IP4_FIELD(get_ip_id, 6, p->ip.id)
IP4_FIELD(get_ip_df, 8, p->ip.dont_fragment)
IP4_FIELD(get_ip_mf, 8, p->ip.more_fragments)
IP4_FIELD(get_ip_offset, 8, p->ip.fragment_offset / 8)
IP4_FIELD(get_ip_ttl, 9, p->ip.ttl)
IP4_FIELD(get_ip_protocol, 10, p->ip.protocol)
IP4_FIELD(get_ip_checksum, 12, p->ip.checksum)
IP4_FIELD(get_ip_checksum_status, 12, ip_status(p))
IP4_FIELD(get_ip_src, 16, address_number(p->ip.src.bytes, 4))
IP4_FIELD(get_ip_dst, 20, address_number(p->ip.dst.bytes, 4))
IP6_FIELD(get_ip6_src, 24, address_number(p->ip.src.bytes, 16))
IP6_FIELD(get_ip6_dst, 40, address_number(p->ip.dst.bytes, 16))
IP6_FIELD(get_ip6_class, 4, p->ip.tos)
IP6_FIELD(get_ip6_flow, 4, p->ip.flow_label)
IP6_FIELD(get_ip6_len, 7, p->ip.total_len - 40)
IP6_FIELD(get_ip6_hop_limit, 8, p->ip.ttl)

TCP_FIELD(get_src_port, 2, p->tcp.src_port)
TCP_FIELD(get_dst_port, 4, p->tcp.dst_port)
FIELD(get_seq, &l->upper, has_seq(l), p->tcp.seq)
TCP_REST_FIELD(get_ack, 12, p->tcp.ack)
TCP_FIELD(get_data_offset, 13, p->tcp.data_offset * 4u)
TCP_REST_FIELD(get_flags, 14, p->tcp.flags)
TCP_REST_FIELD(get_window, 16, p->tcp.window)
TCP_REST_FIELD(get_checksum, 18, p->tcp.checksum)
TCP_REST_FIELD(get_checksum_status, 18, upper_status(l, p->tcp.checksum_ok))
TCP_REST_FIELD(get_urgent, 20, p->tcp.urgent)
FIELD(get_payload_len, &l->upper, has_payload_len(l), payload_len(p))

ICMP_FIELD(get_icmp_type, 4, 1, p->icmp.type)
ICMP_FIELD(get_icmp_code, 4, 2, p->icmp.code)
ICMP_FIELD(get_icmp_checksum, 4, 4, p->icmp.checksum)
ICMP_FIELD(get_icmp_checksum_status, 4, 4, upper_status(l, p->icmp.checksum_ok))
ICMP_FIELD(get_icmp6_type, 6, 1, p->icmp.type)
ICMP_FIELD(get_icmp6_code, 6, 2, p->icmp.code)
ICMP_FIELD(get_icmp6_checksum, 6, 4, p->icmp.checksum)
ICMP_FIELD(get_icmp6_checksum_status, 6, 4, upper_status(l, p->icmp.checksum_ok))

struct option_area {
    const uint8_t *options;
    uint8_t len, stated_len; /* here, and by the data offset */
};

/* Of a damaged segment, where options would be by its data offset. */
static struct option_area option_area(const struct layer *l)
{
    const struct packet *p = &l->upper;
    struct option_area area = { p->tcp.options, p->tcp.options_len, 0 };
    unsigned header_len = p->tcp.data_offset * 4u;

    if (!has_tcp_rest(l, 20))
        return (struct option_area){ 0 };
    area.stated_len = (uint8_t)(header_len - 20);
    if (p->kind != PKT_KIND_TCP) {
        area.options = p->payload + 20;
        area.len = (uint8_t)((header_len < p->payload_len ? header_len : p->payload_len) - 20);
    }
    return area;
}

/* Echo, and in ICMPv4 the old requests and replies built like it: timestamp, information, address mask. */
static bool is_echo(const struct packet *p)
{
    uint8_t type = p->icmp.type;

    return p->ip.version == 4 ? type == 0 || type == 8 || (type >= 13 && type <= 18) : type == 128 || type == 129;
}

FIELD(get_icmp_seq, &l->upper, has_icmp(l, 4, 8) && p->payload_len >= 8 && is_echo(p), p->icmp.rest & 0xffff)
FIELD(get_icmp_mtu, &l->upper, has_icmp(l, 4, 8) && p->payload_len >= 8 && p->icmp.type == 3 && p->icmp.code == 4, p->icmp.rest & 0xffff)
FIELD(get_icmp6_id, &l->upper, has_icmp(l, 6, 6) && (is_echo(p) || p->icmp.type == 160 || p->icmp.type == 161 /* RFC 8335 */), p->icmp.rest >> 16)
FIELD(get_icmp6_seq, &l->upper, has_icmp(l, 6, 8) && is_echo(p), p->icmp.rest & 0xffff)
FIELD(get_icmp6_mtu, &l->upper, has_icmp(l, 6, 8) && p->icmp.type == 2, p->icmp.rest)
FIELD(get_fragment_offset, &l->packet, p->ip.has_fragment_header, p->ip.fragment_offset / 8)
FIELD(get_fragment_more, &l->packet, p->ip.has_fragment_header, p->ip.more_fragments)
FIELD(get_fragment_id, &l->packet, p->ip.has_fragment_header, p->ip.id)

/* Walks the options with pkt_option_next and puts what `value` makes of each. tshark shows each zero that pads the list as an
 * end-of-list, and of an option that the end of the packet cuts, but the header's stated length does not, what is there. */
static void each_option(const struct layer *l, struct numbers *n, void (*value)(const struct pkt_option *o, struct numbers *n))
{
    struct option_area area = option_area(l);
    enum pkt_option_status status;
    struct pkt_option option;
    uint8_t cursor = 0;

    while ((status = pkt_option_next(area.options, area.len, &cursor, &option)) == PKT_OPTION_OK) {
        value(&option, n);
        if (option.kind == PKT_OPT_EOL && option.offset + 1 < area.len && area.options[option.offset + 1] == PKT_OPT_EOL)
            cursor = (uint8_t)(option.offset + 1);
    }
    if (status == PKT_OPTION_ILLEGAL && option.len >= 2 && option.offset + option.len <= area.stated_len)
        value(&option, n);
}

static uint32_t number_at(const struct pkt_option *o, unsigned offset, unsigned len)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < len; i++)
        value = value << 8 | o->data[offset + i];
    return value;
}

/* Edges, as many as there are: tshark shows them even where the length is no SACK's. */
static void put_edges(const struct pkt_option *o, unsigned offset, struct numbers *n)
{
    for (; offset + 4 <= o->data_len; offset += 8)
        put(n, number_at(o, offset, 4));
}

#define OPTION_FIELD(name, condition, put_values) \
    static void put_##name(const struct pkt_option *o, struct numbers *n) { if (condition) put_values; } \
    static void get_##name(const struct layer *l, struct numbers *n) { each_option(l, n, put_##name); }
OPTION_FIELD(option_kinds, true, put(n, o->kind))
OPTION_FIELD(option_lens, o->kind > PKT_OPT_NOP, put(n, o->len))
OPTION_FIELD(mss, o->kind == PKT_OPT_MSS && o->len == 4 && o->data_len >= 2, put(n, number_at(o, 0, 2)))
OPTION_FIELD(wscale, o->kind == PKT_OPT_WSCALE && o->len == 3 && o->data_len >= 1, put(n, number_at(o, 0, 1)))
OPTION_FIELD(ts_val, o->kind == PKT_OPT_TIMESTAMP && o->len == 10 && o->data_len >= 4, put(n, number_at(o, 0, 4)))
OPTION_FIELD(ts_ecr, o->kind == PKT_OPT_TIMESTAMP && o->len == 10 && o->data_len >= 8, put(n, number_at(o, 4, 4)))
OPTION_FIELD(sack_left, o->kind == PKT_OPT_SACK, put_edges(o, 0, n))
OPTION_FIELD(sack_right, o->kind == PKT_OPT_SACK, put_edges(o, 4, n))
OPTION_FIELD(user_timeout, o->kind == PKT_OPT_USER_TIMEOUT && o->len == 4 && o->data_len >= 2, put(n, number_at(o, 0, 2) & 0x7fff))

static const struct column {
    const char *name; /* tshark's */
    void (*get)(const struct layer *l, struct numbers *n);
} columns[] = {
    { "ip.hdr_len", get_ip_header_len },
    { "ip.dsfield", get_ip_tos },
    { "ip.len", get_ip_len },
    { "ip.id", get_ip_id },
    { "ip.flags.df", get_ip_df },
    { "ip.flags.mf", get_ip_mf },
    { "ip.frag_offset", get_ip_offset },
    { "ip.ttl", get_ip_ttl },
    { "ip.proto", get_ip_protocol },
    { "ip.checksum", get_ip_checksum },
    { "ip.checksum.status", get_ip_checksum_status },
    { "ip.src", get_ip_src },
    { "ip.dst", get_ip_dst },
    { "ipv6.src", get_ip6_src },
    { "ipv6.dst", get_ip6_dst },
    { "ipv6.fraghdr.offset", get_fragment_offset },
    { "ipv6.fraghdr.more", get_fragment_more },
    { "ipv6.fraghdr.ident", get_fragment_id },
    { "ipv6.tclass", get_ip6_class },
    { "ipv6.flow", get_ip6_flow },
    { "ipv6.plen", get_ip6_len },
    { "ipv6.hlim", get_ip6_hop_limit },
    { "tcp.srcport", get_src_port },
    { "tcp.dstport", get_dst_port },
    { "tcp.seq", get_seq },
    { "tcp.ack", get_ack },
    { "tcp.hdr_len", get_data_offset },
    { "tcp.flags", get_flags },
    { "tcp.window_size_value", get_window },
    { "tcp.checksum", get_checksum },
    { "tcp.checksum.status", get_checksum_status },
    { "tcp.urgent_pointer", get_urgent },
    { "tcp.len", get_payload_len },
    { "tcp.option_kind", get_option_kinds },
    { "tcp.option_len", get_option_lens },
    { "tcp.options.mss_val", get_mss },
    { "tcp.options.wscale.shift", get_wscale },
    { "tcp.options.timestamp.tsval", get_ts_val },
    { "tcp.options.timestamp.tsecr", get_ts_ecr },
    { "tcp.options.sack_le", get_sack_left },
    { "tcp.options.sack_re", get_sack_right },
    { "tcp.options.user_to_val", get_user_timeout },
    { "icmp.type", get_icmp_type },
    { "icmp.code", get_icmp_code },
    { "icmp.checksum", get_icmp_checksum },
    { "icmp.checksum.status", get_icmp_checksum_status },
    { "icmp.seq", get_icmp_seq },
    { "icmp.mtu", get_icmp_mtu },
    { "icmpv6.echo.identifier", get_icmp6_id },
    { "icmpv6.echo.sequence_number", get_icmp6_seq },
    { "icmpv6.mtu", get_icmp6_mtu },
    { "icmpv6.type", get_icmp6_type },
    { "icmpv6.code", get_icmp6_code },
    { "icmpv6.checksum", get_icmp6_checksum },
    { "icmpv6.checksum.status", get_icmp6_checksum_status },
};

/* ---- where we differ, and why ------------------------------------------------------------------------------------- */

enum comparison { EQUAL, OURS_BEGINS_THEIRS, THEIRS_BEGINS_OURS, EITHER_BEGINS, OURS_ENDS_THEIRS };

static bool other_protocol(const struct reading *r)
{
    const struct packet *p = &r->layers[r->depth - 1].upper;

    return p->kind == PKT_KIND_IP_ONLY && r->layers[r->depth - 1].error == PKT_OK;
}

static bool extension_in_wrong_place(const struct reading *r)
{
    return r->layers[r->depth - 1].error == PKT_ERR_IP_EXTENSION;
}

static size_t extension_len(uint8_t kind, const uint8_t *header)
{
    return kind == 44 ? 8 : kind == 51 ? (header[1] + 2u) * 4 : (header[1] + 1u) * 8;
}

/* How many of the packet's extension headers are such? */
static unsigned count_extensions(const struct reading *r, bool (*is_such)(uint8_t kind, const uint8_t *header, size_t len))
{
    const struct packet *p = &r->layers[r->depth - 1].packet;
    unsigned count = 0;
    uint8_t kind;

    if (p->ip.version != 6 || p->ip.header_len <= 40)
        return 0;
    kind = p->bytes[6];
    for (size_t at = 40, len; at < p->ip.header_len; kind = p->bytes[at], at += len) {
        len = extension_len(kind, p->bytes + at);
        count += is_such(kind, p->bytes + at, len);
    }
    return count;
}

/* Do the options of a hop-by-hop or destination options header run past its end? */
static bool options_overrun(uint8_t kind, const uint8_t *header, size_t len)
{
    size_t at = 2;

    if (kind != 0 && kind != 60)
        return false;
    while (at < len)
        at += header[at] == 0 ? 1 : at + 1 < len ? 2u + header[at + 1] : len;
    return at > len;
}

static bool malformed_extension_options(const struct reading *r)
{
    return count_extensions(r, options_overrun) > 0;
}

static bool is_assigned_route(uint8_t kind, const uint8_t *header, size_t len)
{
    (void)len;
    return kind == 43 && header[2] != 0 && header[2] < 253;
}

static bool assigned_route(const struct reading *r)
{
    return count_extensions(r, is_assigned_route) > 0;
}

static bool is_fragment_header(uint8_t kind, const uint8_t *header, size_t len)
{
    (void)header;
    (void)len;
    return kind == 44;
}

static bool two_fragment_headers(const struct reading *r)
{
    return count_extensions(r, is_fragment_header) > 1;
}

static bool ip4_options(const struct reading *r)
{
    const struct packet *p = &r->layers[r->depth - 1].packet;

    for (size_t i = 20; p->ip.version == 4 && i < p->ip.header_len && i < p->len; i++) {
        if (p->bytes[i] != 1)
            return true;
    }
    return false;
}

/* A SACK without whole blocks, or an option that tshark looks into and ours never fit: quick start, partial order, SCPS, MPTCP,
 * Riverbed … */
static bool ill_fitting_option(const struct reading *r)
{
    static const uint8_t looked_into[] = { 6, 7, 9, 10, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 23, 27, 29, 30, 69, 70, 76, 78 };
    struct option_area area = option_area(&r->layers[r->depth - 1]);
    struct pkt_option o;
    uint8_t cursor = 0;

    while (pkt_option_next(area.options, area.len, &cursor, &o) == PKT_OPTION_OK) {
        if ((o.kind == PKT_OPT_SACK && (o.len % 8 != 2 || o.len == 2)) || memchr(looked_into, o.kind, sizeof looked_into) != NULL)
            return true;
    }
    return false;
}

static bool stated_quotation_length(const struct reading *r)
{
    uint32_t rest = r->layers[0].upper.icmp.rest;

    return r->depth == 2 && (r->layers[0].packet.ip.version == 4 ? rest >> 16 & 0xff : rest >> 24) != 0;
}

static bool cut_ip4_options(const struct reading *r)
{
    const struct packet *p = &r->layers[r->depth - 1].packet;

    return p->ip.version == 4 && p->len >= 20 && p->len < p->ip.header_len;
}

static bool quotes_other_version(const struct reading *r)
{
    return r->depth == 2 && r->layers[0].packet.ip.version != r->layers[1].packet.ip.version;
}

static bool redirect(const struct reading *r)
{
    return r->depth == 2 && r->layers[0].packet.ip.version == 4 && r->layers[0].upper.icmp.type == 5;
}

static bool looks_like_ppp(const struct reading *r)
{
    const struct packet *p = &r->layers[0].packet;

    return p->len > 2 && p->bytes[1] == 0xff && p->bytes[2] == 0x03;
}

static const struct difference {
    const char *reason;
    bool (*applies)(const struct reading *r);
    enum comparison comparison;
    bool rare; /* may not occur at all */
} differences[] = {
    { "octets 1 and 2 are ff 03: without a link header, tshark takes that for PPP", looks_like_ppp, THEIRS_BEGINS_OURS, true },
    { "the IPv4 header ends within its options: tshark looks for a source route there before it shows the destination", cut_ip4_options,
      THEIRS_BEGINS_OURS, false },
    { "IPv4 options other than padding: tshark reads them, and may stop there", ip4_options, EITHER_BEGINS, true },
    { "a routing header of an assigned type: tshark reads what is in it, and may stop there", assigned_route, EITHER_BEGINS, true },
    { "two fragment headers: we say what the last one says, tshark what each says", two_fragment_headers, OURS_ENDS_THEIRS, true },
    { "an ICMP error quotes the other IP version: tshark does not read it", quotes_other_version, THEIRS_BEGINS_OURS, true },
    { "the options of an extension header run past its end: we do not read them, tshark may stop there", malformed_extension_options,
      EITHER_BEGINS, false },
    { "a protocol that is neither TCP nor ICMP: a payload to us, dissected by tshark, packets in tunnels too", other_protocol, OURS_BEGINS_THEIRS, false },
    { "an extension header is cut, or hop-by-hop options are not first (RFC 8200 §4.1): an error to us, tshark reads on", extension_in_wrong_place,
      OURS_BEGINS_THEIRS, false },
    { "an option of a length that is not its kind's: we step over it, tshark stops", ill_fitting_option, THEIRS_BEGINS_OURS, false },
    { "an ICMP redirect: tshark reads no more than the eight octets that RFC 792 promises, we read what is there", redirect, THEIRS_BEGINS_OURS,
      false },
    { "RFC 4884 length in an ICMP error: tshark reads no more of the quotation than that, we read what is there", stated_quotation_length,
      THEIRS_BEGINS_OURS, false },
};

static bool is_status(const struct column *c)
{
    return strstr(c->name, "checksum.status") != NULL;
}

static bool is_route_with_stops(uint8_t kind, const uint8_t *header, size_t len)
{
    (void)len;
    return kind == 43 && header[2] == 0 && header[3] != 0;
}

/* Is the checksum's status the one thing that may differ? A segment on its way through a type 0 routing header: tshark sums with
 * the last address in there, we with the one in the IPv6 header, as the node that gets it does. A quotation longer than RFC 4884
 * says: tshark sums the shorter part. */
static bool sums_other_octets(const struct reading *r)
{
    return count_extensions(r, is_route_with_stops) > 0 || stated_quotation_length(r);
}

/* How this packet is to be compared; counts what difference there is in uses, which has a place for each. */
static enum comparison how_to_compare(const struct reading *r, unsigned uses[static COUNT(differences)])
{
    for (size_t i = 0; i < COUNT(differences); i++) {
        if (differences[i].applies(r)) {
            uses[i]++;
            return differences[i].comparison;
        }
    }
    return EQUAL;
}

/* ---- running tshark ----------------------------------------------------------------------------------------------- */

struct run {
    char directory[64], pcap_path[96];
    struct generated *packets;
    FILE *lines;  /* tshark's output */
    pid_t tshark;
};

static void generate(struct run *run)
{
    struct random random = random_from_environment();
    struct pkt_builder *builder = pkt_builder_new();

    run->packets = calloc(PACKETS, sizeof *run->packets);
    assert_non_null(builder);
    assert_non_null(run->packets);
    for (unsigned i = 0; i < PACKETS; i++)
        generate_packet(&random, builder, &run->packets[i]);
    pkt_builder_free(builder);
}

static void write_pcap(const struct run *run)
{
    pcap_t *pcap = pcap_open_dead(DLT_RAW, GENERATED_LEN_MAX);
    pcap_dumper_t *dumper = pcap_dump_open(pcap, run->pcap_path);

    assert_non_null(dumper);
    for (unsigned i = 0; i < PACKETS; i++) {
        bpf_u_int32 len = (bpf_u_int32)run->packets[i].len;
        struct pcap_pkthdr header = { .ts = { .tv_sec = i }, .caplen = len, .len = len };
        pcap_dump((u_char *)dumper, &header, run->packets[i].bytes);
    }
    assert_int_equal(pcap_dump_flush(dumper), 0);
    pcap_dump_close(dumper);
    pcap_close(pcap);
}

/* The options: nothing relative, nothing remembered from one packet to the next, no assumption that a length of zero means
 * offloading. */
static const char *const tshark_options[] = {
    "tshark", "-n", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,",
    "-o", "tcp.relative_sequence_numbers:FALSE", "-o", "tcp.check_checksum:TRUE", "-o", "tcp.desegment_tcp_streams:FALSE",
    "-o", "ip.check_checksum:TRUE", "-o", "ip.defragment:FALSE", "-o", "ip.tso_support:FALSE", "-o", "ipv6.defragment:FALSE",
};

/* Returns 0, or why tshark did not start. Its output is to be read from run->lines. */
static int start_tshark(struct run *run)
{
    const char *arguments[COUNT(tshark_options) + 2 * COUNT(columns) + 3];
    posix_spawn_file_actions_t actions;
    size_t n = 0;
    int ends[2], error;

    for (size_t i = 0; i < COUNT(tshark_options); i++)
        arguments[n++] = tshark_options[i];
    for (size_t i = 0; i < COUNT(columns); i++) {
        arguments[n++] = "-e";
        arguments[n++] = columns[i].name;
    }
    arguments[n++] = "-r";
    arguments[n++] = run->pcap_path;
    arguments[n] = NULL;
    setenv("WIRESHARK_CONFIG_DIR", run->directory, 1); /* not the user's preferences */
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    error = posix_spawnp(&run->tshark, "tshark", &actions, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    run->lines = fdopen(ends[0], "r");
    return error;
}

/* ---- comparing ---------------------------------------------------------------------------------------------------- */

/* A number, or an address as one. */
static uint64_t parse_number(const char *text)
{
    uint8_t address[16];
    uint64_t number;
    char *end;

    if (inet_pton(AF_INET, text, address) == 1)
        return address_number(address, 4);
    if (inet_pton(AF_INET6, text, address) == 1)
        return address_number(address, 16);
    number = strtoull(text, &end, 0);
    if (end == text || *end != '\0')
        fail_msg("tshark printed \"%s\" where a number or an address was expected", text);
    return number;
}

static void parse_numbers(const char *text, struct numbers *out)
{
    char copy[LINE_MAX_LEN], *rest = copy, *item;

    snprintf(copy, sizeof copy, "%s", text);
    for (out->count = 0; (item = strsep(&rest, ",")) != NULL;) {
        if (*item != '\0')
            put(out, parse_number(item));
    }
}

static bool begins(const struct numbers *a, const struct numbers *b)
{
    return a->count <= b->count && memcmp(a->values, b->values, a->count * sizeof a->values[0]) == 0;
}

static bool ends(const struct numbers *a, const struct numbers *b)
{
    return a->count <= b->count && memcmp(a->values, b->values + b->count - a->count, a->count * sizeof a->values[0]) == 0;
}

static bool agree(const struct numbers *ours, const struct numbers *theirs, enum comparison comparison)
{
    bool ours_begins = begins(ours, theirs), theirs_begins = begins(theirs, ours);

    switch (comparison) {
    case OURS_BEGINS_THEIRS:
        return ours_begins;
    case THEIRS_BEGINS_OURS:
        return theirs_begins;
    case EITHER_BEGINS:
        return ours_begins || theirs_begins;
    case OURS_ENDS_THEIRS:
        return ends(ours, theirs);
    default:
        return ours_begins && theirs_begins;
    }
}

static int format_numbers(const struct numbers *n, char *out, size_t capacity)
{
    size_t len = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < n->count && len < capacity; i++)
        len += (size_t)snprintf(out + len, capacity - len, i > 0 ? ",%llu" : "%llu", (unsigned long long)n->values[i]);
    return (int)len;
}

static void hex(const struct generated *g, char *out, size_t capacity)
{
    for (size_t i = 0; i < g->len && i < 120 && 2 * i + 3 < capacity; i++)
        snprintf(out + 2 * i, 3, "%02x", g->bytes[i]);
}

static void show_mismatch(unsigned index, const struct generated *g, const struct reading *r, const struct column *c,
                          const struct numbers *ours, const char *theirs)
{
    char mine[1024], octets[300];

    format_numbers(ours, mine, sizeof mine);
    hex(g, octets, sizeof octets);
    print_error("packet %u (%s, %s, %zu octets; %s): %s is \"%s\" to us, \"%s\" to tshark\n    %s\n", index + 1, g->what, g->damage,
                g->len, pkt_error_text(r->layers[0].error), c->name, mine, theirs, octets);
}

static unsigned compare_line(unsigned index, const struct generated *g, char *line, unsigned mismatches,
                             unsigned uses[static COUNT(differences)])
{
    static struct reading reading;
    enum comparison comparison;
    unsigned found = 0;

    read_both(g->bytes, g->len, &reading);
    comparison = how_to_compare(&reading, uses);
    line[strcspn(line, "\n")] = '\0';
    for (size_t i = 0; i < COUNT(columns); i++) {
        char *text = strsep(&line, "\t");
        struct numbers ours = { 0 }, theirs;
        assert_non_null(text);
        parse_numbers(text, &theirs);
        for (unsigned d = 0; d < reading.depth; d++)
            columns[i].get(&reading.layers[d], &ours);
        if (agree(&ours, &theirs, comparison) || (is_status(&columns[i]) && sums_other_octets(&reading)))
            continue;
        if (mismatches + found++ < MISMATCHES_SHOWN)
            show_mismatch(index, g, &reading, &columns[i], &ours, text);
    }
    return found;
}

static void tshark_reads_what_we_read(void **state)
{
    struct run *run = *state;
    static char line[LINE_MAX_LEN];
    unsigned mismatches = 0, lines = 0, uses[COUNT(differences)] = { 0 };
    int error = start_tshark(run), status;

    if (error == ENOENT && getenv("TCPASSAY_ALLOW_SKIP") != NULL && strcmp(getenv("TCPASSAY_ALLOW_SKIP"), "1") == 0)
        skip();
    if (error != 0)
        fail_msg("cannot run tshark: %s. Install it (apt-get install tshark), or set TCPASSAY_ALLOW_SKIP=1", strerror(error));
    for (; fgets(line, sizeof line, run->lines) != NULL && lines < PACKETS; lines++)
        mismatches += compare_line(lines, &run->packets[lines], line, mismatches, uses);
    assert_int_equal(waitpid(run->tshark, &status, 0), run->tshark);
    assert_int_equal(status, 0);
    assert_int_equal(lines, PACKETS);
    for (size_t i = 0; i < COUNT(differences); i++) {
        printf("%u packets: %s\n", uses[i], differences[i].reason);
        assert_true(uses[i] != 0 || differences[i].rare);
    }
    if (mismatches != 0)
        fail_msg("%u fields differ in %u packets", mismatches, PACKETS);
}

static int set_up(void **state)
{
    static struct run run;

    snprintf(run.directory, sizeof run.directory, "/tmp/tcpassay-dissector-XXXXXX");
    if (mkdtemp(run.directory) == NULL)
        return -1;
    snprintf(run.pcap_path, sizeof run.pcap_path, "%s/packets.pcap", run.directory);
    generate(&run);
    write_pcap(&run);
    *state = &run;
    return 0;
}

static int tear_down(void **state)
{
    struct run *run = *state;

    if (run->lines != NULL)
        fclose(run->lines);
    unlink(run->pcap_path);
    rmdir(run->directory);
    free(run->packets);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tshark_reads_what_we_read, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("packets as an independent dissector reads them", tests, NULL, NULL);
}

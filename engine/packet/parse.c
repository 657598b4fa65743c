/* Reads an IP packet into its fields, and says how far it could.
 *
 * Theory of operation. One pass from the outside in: IP header, IPv6 extension headers, then TCP or ICMP. Each step fills in what
 * it read and then judges it, so that an error leaves everything before it, and the damaged header as far as it goes, in *out.
 * Nothing is allocated; pointers go into the caller's bytes and never past them, whatever lengths the packet states. The three
 * readings, of a packet, of one quoted by an ICMP error, and of one that a capture cut short, are one code; they differ in where
 * the octets may end early (enum reading).
 *
 * Left out: jumbograms (RFC 2675), and what is inside IPv4 options, AH, and routing headers; a checksum is computed with the
 * destination in the IPv6 header, so that it is wrong for a packet that a routing header has not yet brought to its destination.
 *
 * RFC 791 §3.1, RFC 8200 §3-4, RFC 9293 §3.1, RFC 792, RFC 4443 §2.1. */
#include "engine/packet/packet.h"

#include "engine/packet/checksum.h"
#include "engine/packet/extension.h"
#include "engine/packet/wire.h"

#include <assert.h>
#include <string.h>

enum { TCP_HEADER_LEN = 20, ICMP_HEADER_LEN = 8, QUOTE_LEN_MIN = 8 /* RFC 792 */ };

enum reading {
    READ_WHOLE,  /* nothing is missing */
    READ_QUOTED, /* ends anywhere behind QUOTE_LEN_MIN octets of payload, and counts what is there */
    READ_CUT,    /* ends anywhere behind the TCP header, and counts what was there */
};

static const char *const error_texts[] = {
    [PKT_OK] = "no error",
    [PKT_ERR_EMPTY] = "no octets at all",
    [PKT_ERR_IP_VERSION] = "IP version neither 4 nor 6",
    [PKT_ERR_IP_TRUNCATED] = "ends within the IP header",
    [PKT_ERR_IP_HEADER_LEN] = "IPv4 header length smaller than 5 words",
    [PKT_ERR_IP_TOTAL_LEN] = "IP length smaller than the header, or larger than the packet",
    [PKT_ERR_IP_EXTENSION] = "IPv6 extension header past the end or out of place",
    [PKT_ERR_TCP_TRUNCATED] = "ends within the TCP header",
    [PKT_ERR_TCP_DATA_OFFSET] = "TCP data offset smaller than 5 or past the end",
    [PKT_ERR_ICMP_TRUNCATED] = "ends within the ICMP header",
};
static_assert(sizeof error_texts / sizeof error_texts[0] == PKT_ERR_COUNT, "a sentence for every error");

const char *pkt_error_text(enum pkt_error error)
{
    return (unsigned)error < PKT_ERR_COUNT ? error_texts[error] : "unknown error";
}

/* ---- TCP --------------------------------------------------------------------------------------------------------- */

/* Fills in what the first len octets hold of the fixed header; the rest stays zero. */
static void read_tcp_header(const uint8_t *at, uint32_t len, struct pkt_tcp *t)
{
    uint8_t header[TCP_HEADER_LEN] = { 0 };

    if (len < TCP_HEADER_LEN) {
        memcpy(header, at, len);
        at = header;
    }
    t->src_port = wire_get16(at);
    t->dst_port = wire_get16(at + 2);
    t->seq = wire_get32(at + 4);
    t->ack = wire_get32(at + 8);
    t->data_offset = at[12] >> 4;
    t->flags = wire_get16(at + 12) & 0x0fff;
    t->window = wire_get16(at + 14);
    t->checksum = wire_get16(at + 16);
    t->urgent = wire_get16(at + 18);
}

/* Options and payload, as far as they are there. */
static void read_tcp_rest(const uint8_t *at, uint32_t len, struct pkt_tcp *t)
{
    uint32_t header_len = wire_min(t->data_offset * 4u, len);

    t->options = at + TCP_HEADER_LEN;
    t->options_len = (uint8_t)(header_len - TCP_HEADER_LEN);
    t->payload = at + header_len;
    t->payload_len = len - header_len;
}

static bool upper_checksum_ok(const struct packet *p, uint8_t protocol)
{
    return pkt_transport_checksum(&p->ip.src, &p->ip.dst, protocol, p->payload, p->payload_len) == 0;
}

/* missing: octets that the packet has and we do not. */
static enum pkt_error read_tcp(enum reading reading, uint32_t missing, struct packet *out)
{
    uint32_t len = out->payload_len;
    struct pkt_tcp *t = &out->tcp;

    read_tcp_header(out->payload, len, t);
    t->checksum_ok = missing == 0 ? len >= TCP_HEADER_LEN && upper_checksum_ok(out, PKT_PROTO_TCP) : reading == READ_CUT;
    if (len < (reading == READ_QUOTED ? QUOTE_LEN_MIN : TCP_HEADER_LEN))
        return PKT_ERR_TCP_TRUNCATED;
    if (len > 12 && t->data_offset < 5)
        return PKT_ERR_TCP_DATA_OFFSET;
    if ((missing == 0 || reading == READ_CUT) && t->data_offset * 4u > len + missing)
        return PKT_ERR_TCP_DATA_OFFSET;
    if (reading == READ_CUT && t->data_offset * 4u > len)
        return PKT_ERR_TCP_TRUNCATED;
    if (len >= TCP_HEADER_LEN)
        read_tcp_rest(out->payload, len, t);
    if (reading == READ_CUT) {
        t->payload_len += missing;
        out->payload_len += missing;
    }
    out->kind = PKT_KIND_TCP;
    return PKT_OK;
}

/* ---- ICMP -------------------------------------------------------------------------------------------------------- */

static enum pkt_error read_icmp(enum reading reading, uint32_t missing, struct packet *out)
{
    uint8_t header[ICMP_HEADER_LEN] = { 0 };
    uint32_t len = out->payload_len;
    struct pkt_icmp *i = &out->icmp;

    memcpy(header, out->payload, wire_min(len, ICMP_HEADER_LEN));
    i->type = header[0];
    i->code = header[1];
    i->checksum = wire_get16(header + 2);
    i->rest = wire_get32(header + 4);
    if (len < ICMP_HEADER_LEN)
        return PKT_ERR_ICMP_TRUNCATED;
    i->body = out->payload + ICMP_HEADER_LEN;
    i->body_len = len - ICMP_HEADER_LEN;
    if (missing > 0)
        i->checksum_ok = reading == READ_CUT;
    else
        i->checksum_ok = out->ip.version == 4 ? pkt_checksum(out->payload, len) == 0 : upper_checksum_ok(out, PKT_PROTO_ICMP6);
    out->kind = PKT_KIND_ICMP;
    return PKT_OK;
}

/* ---- IP ---------------------------------------------------------------------------------------------------------- */

/* Dispatches on the protocol once the payload is known, as far as it is there. */
static enum pkt_error read_upper(enum reading reading, struct packet *out)
{
    uint32_t missing = out->ip.total_len <= out->len ? 0 : out->ip.total_len - (uint32_t)out->len;

    out->kind = PKT_KIND_IP_ONLY;
    if (out->ip.more_fragments || out->ip.fragment_offset != 0) {
        out->kind = PKT_KIND_FRAGMENT;
        return PKT_OK;
    }
    if (out->ip.protocol == PKT_PROTO_TCP)
        return read_tcp(reading, missing, out);
    if (out->ip.protocol == (out->ip.version == 4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6))
        return read_icmp(reading, missing, out);
    return PKT_OK;
}

static void read_ip4_header(const uint8_t *at, struct pkt_ip *ip)
{
    uint16_t fragment = wire_get16(at + 6);

    ip->header_len = (uint16_t)((at[0] & 0x0f) * 4);
    ip->tos = at[1];
    ip->total_len = wire_get16(at + 2);
    ip->id = wire_get16(at + 4);
    ip->dont_fragment = fragment & 0x4000;
    ip->more_fragments = fragment & 0x2000;
    ip->fragment_offset = (fragment & 0x1fffu) * 8;
    ip->ttl = at[8];
    ip->protocol = at[9];
    ip->checksum = wire_get16(at + 10);
    ip->src.version = ip->dst.version = 4;
    memcpy(ip->src.bytes, at + 12, 4);
    memcpy(ip->dst.bytes, at + 16, 4);
}

/* What there is of a header that ends early; the rest is zero. */
static enum pkt_error read_cut_header(struct packet *out, void (*read)(const uint8_t *at, struct pkt_ip *ip))
{
    uint8_t header[IP6_HEADER_LEN] = { 0 };

    memcpy(header, out->bytes, out->len);
    read(header, &out->ip);
    return PKT_ERR_IP_TRUNCATED;
}

/* wire_len: how long the packet was before a capture cut it (READ_CUT), else as much as is there. */
static enum pkt_error read_ip4(enum reading reading, size_t wire_len, struct packet *out)
{
    const uint8_t *at = out->bytes;
    struct pkt_ip *ip = &out->ip;

    if (out->len < IP4_HEADER_LEN)
        return read_cut_header(out, read_ip4_header);
    read_ip4_header(at, ip);
    if (ip->header_len < IP4_HEADER_LEN)
        return PKT_ERR_IP_HEADER_LEN;
    if (ip->header_len > out->len)
        return PKT_ERR_IP_TRUNCATED;
    ip->checksum_ok = pkt_checksum(at, ip->header_len) == 0;
    out->kind = PKT_KIND_IP_ONLY;
    out->payload = at + ip->header_len;
    if (ip->total_len == 0 && reading == READ_CUT)
        ip->total_len = (uint32_t)wire_len;
    if (ip->total_len < ip->header_len)
        return PKT_ERR_IP_TOTAL_LEN;
    out->payload_len = (ip->total_len < out->len ? ip->total_len : (uint32_t)out->len) - ip->header_len;
    if (ip->total_len > wire_len && reading != READ_QUOTED)
        return PKT_ERR_IP_TOTAL_LEN;
    return read_upper(reading, out);
}

static void read_ip6_header(const uint8_t *at, struct pkt_ip *ip)
{
    uint32_t first = wire_get32(at);

    ip->tos = (uint8_t)(first >> 20);
    ip->flow_label = first & 0xfffff;
    ip->total_len = IP6_HEADER_LEN + (uint32_t)wire_get16(at + 4);
    ip->protocol = at[6];
    ip->ttl = at[7];
    ip->header_len = IP6_HEADER_LEN;
    ip->checksum_ok = true;
    ip->src.version = ip->dst.version = 6;
    memcpy(ip->src.bytes, at + 8, 16);
    memcpy(ip->dst.bytes, at + 24, 16);
}

static enum pkt_error read_ip6(enum reading reading, size_t wire_len, struct packet *out)
{
    struct pkt_ip *ip = &out->ip;
    struct ip6_chain chain;
    enum pkt_error error;
    uint32_t len;

    if (out->len < IP6_HEADER_LEN)
        return read_cut_header(out, read_ip6_header);
    read_ip6_header(out->bytes, ip);
    if (ip->total_len == IP6_HEADER_LEN && reading == READ_CUT)
        ip->total_len = (uint32_t)wire_len;
    len = ip->total_len < out->len ? ip->total_len : (uint32_t)out->len;
    out->kind = PKT_KIND_IP_ONLY;
    out->payload = out->bytes + IP6_HEADER_LEN;
    out->payload_len = len - IP6_HEADER_LEN;
    if (ip->total_len > wire_len && reading != READ_QUOTED)
        return PKT_ERR_IP_TOTAL_LEN;

    error = ip6_walk(out->bytes, len, &chain);
    ip->protocol = chain.protocol;
    ip->header_len = (uint16_t)chain.end;
    ip->has_fragment_header = chain.has_fragment_header;
    ip->more_fragments = chain.more_fragments;
    ip->fragment_offset = chain.fragment_offset;
    ip->id = chain.fragment_id;
    out->payload = out->bytes + chain.end;
    out->payload_len = len - chain.end;
    return error != PKT_OK ? error : read_upper(reading, out);
}

static enum pkt_error read_packet(const uint8_t *bytes, size_t len, enum reading reading, size_t wire_len, struct packet *out)
{
    memset(out, 0, sizeof *out);
    out->bytes = bytes;
    out->len = len;
    if (len == 0)
        return PKT_ERR_EMPTY;
    out->ip.version = bytes[0] >> 4;
    if (out->ip.version == 4)
        return read_ip4(reading, wire_len, out);
    if (out->ip.version == 6)
        return read_ip6(reading, wire_len, out);
    return PKT_ERR_IP_VERSION;
}

enum pkt_error pkt_parse(const uint8_t *bytes, size_t len, struct packet *out)
{
    return read_packet(bytes, len, READ_WHOLE, len, out);
}

enum pkt_error pkt_parse_quoted(const uint8_t *bytes, size_t len, struct packet *out)
{
    return read_packet(bytes, len, READ_QUOTED, len, out);
}

enum pkt_error pkt_parse_cut(const uint8_t *bytes, size_t len, size_t wire_len, struct packet *out)
{
    return read_packet(bytes, len, READ_CUT, wire_len < len ? len : wire_len, out);
}

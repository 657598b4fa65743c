/* Fuzzes engine/packet: whatever the octets, reading them is safe and says what is true, and what reads well is built again octet
 * for octet.
 *
 * The first octet says what the rest is: 0, a series of packets for the reassembler, each behind an octet with its length; 1, an
 * Ethernet frame; anything else (0x45, 0x60 …), itself the first octet of an IP packet. Checksums are mended in a copy where a
 * wrong one would end the way at once.
 *
 * A crash means that any packet of a stack or a capture stops the tester; a broken promise, that it is judged for what it did not
 * say. */
#include "engine/packet/ethernet.h"

#include <stdlib.h>
#include <string.h>

enum { SERIES = 0, FRAME = 1, TEXT_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static void check_inside(const struct packet *p, const uint8_t *start, uint32_t len)
{
    if (len > 0)
        require(start >= p->bytes && start + len <= p->bytes + p->len);
}

static void check_options(const struct pkt_tcp *tcp)
{
    struct pkt_options meaning;
    struct pkt_option option;
    enum pkt_option_status status;
    uint8_t cursor = 0;

    while ((status = pkt_option_next(tcp->options, tcp->options_len, &cursor, &option)) == PKT_OPTION_OK)
        require(option.offset + option.len <= tcp->options_len);
    pkt_options_read(tcp->options, tcp->options_len, &meaning);
    require(meaning.illegal == (status == PKT_OPTION_ILLEGAL));
    require(meaning.sack_count <= PKT_SACK_BLOCKS_MAX && meaning.fastopen_cookie_len <= PKT_FASTOPEN_COOKIE_MAX);
}

static void check_text(const struct packet *p)
{
    char whole[TEXT_MAX], part[16];
    int len = pkt_format(p, whole, sizeof whole);

    require(len > 0 && strlen(whole) == (len < TEXT_MAX ? (size_t)len : TEXT_MAX - 1));
    require(pkt_format(p, part, sizeof part) == len);
    require(strncmp(part, whole, sizeof part - 1) == 0);
}

static void check_reading(const uint8_t *bytes, size_t len, bool quoted)
{
    struct packet p;
    enum pkt_error error = quoted ? pkt_parse_quoted(bytes, len, &p) : pkt_parse(bytes, len, &p);

    require(strlen(pkt_error_text(error)) > 0);
    require(error != PKT_OK || p.kind != PKT_KIND_UNPARSED);
    check_inside(&p, p.payload, p.payload_len);
    check_inside(&p, p.tcp.options, p.tcp.options_len);
    check_inside(&p, p.tcp.payload, p.tcp.payload_len);
    check_inside(&p, p.icmp.body, p.icmp.body_len);
    if (p.kind == PKT_KIND_TCP && !quoted)
        require(p.tcp.data_offset * 4u == 20u + p.tcp.options_len && p.payload_len == p.tcp.data_offset * 4u + p.tcp.payload_len);
    if (p.kind == PKT_KIND_TCP)
        check_options(&p.tcp);
    check_text(&p);
    if (p.kind == PKT_KIND_ICMP && !quoted)
        check_reading(p.icmp.body, p.icmp.body_len, true);
}

/* ---- building again ----------------------------------------------------------------------------------------------- */

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Makes the checksums right where a header's lengths allow it. */
static void mend_checksums(uint8_t *bytes, size_t len)
{
    struct packet p;
    uint8_t *field;

    pkt_parse(bytes, len, &p);
    if (p.ip.version == 4 && p.payload != NULL) {
        put16(bytes + 10, 0);
        put16(bytes + 10, pkt_checksum(bytes, p.ip.header_len));
    }
    if (p.kind != PKT_KIND_TCP && p.kind != PKT_KIND_ICMP)
        return;
    field = bytes + (p.payload - p.bytes) + (p.kind == PKT_KIND_TCP ? 16 : 2);
    put16(field, 0);
    if (p.kind == PKT_KIND_ICMP && p.ip.version == 4)
        put16(field, pkt_checksum(p.payload, p.payload_len));
    else
        put16(field, pkt_transport_checksum(&p.ip.src, &p.ip.dst, p.ip.protocol, p.payload, p.payload_len));
}

/* Can a spec say all that is in this packet? It has neither IPv4 options, nor extension headers, nor fragments, nor IPv4's reserved
 * bit. */
static bool can_be_described(const struct packet *p)
{
    if (p->ip.version == 4 && (p->ip.header_len != 20 || (p->bytes[6] & 0x80)))
        return false;
    return p->ip.version == 4 || p->ip.header_len == 40;
}

static struct pkt_spec describe(const struct packet *p)
{
    struct pkt_spec spec = {
        .protocol = p->ip.protocol, .src = p->ip.src, .dst = p->ip.dst, .tos = p->ip.tos, .ttl = p->ip.ttl, .ip_id = (uint16_t)p->ip.id,
        .dont_fragment = p->ip.dont_fragment, .flow_label = p->ip.flow_label, .overrides = PKT_SET_TTL,
    };

    if (p->kind == PKT_KIND_TCP) {
        spec.src_port = p->tcp.src_port;
        spec.dst_port = p->tcp.dst_port;
        spec.seq = p->tcp.seq;
        spec.ack = p->tcp.ack;
        spec.flags = p->tcp.flags;
        spec.window = p->tcp.window;
        spec.urgent = p->tcp.urgent;
        spec.options = p->tcp.options;
        spec.options_len = p->tcp.options_len;
        spec.payload = p->tcp.payload;
        spec.payload_len = p->tcp.payload_len;
    } else if (p->kind == PKT_KIND_ICMP) {
        spec.icmp_type = p->icmp.type;
        spec.icmp_code = p->icmp.code;
        spec.icmp_rest = p->icmp.rest;
        spec.payload = p->icmp.body;
        spec.payload_len = p->icmp.body_len;
    } else {
        spec.payload = p->payload;
        spec.payload_len = p->payload_len;
    }
    return spec;
}

static bool checksums_equal(uint16_t a, uint16_t b)
{
    return a == b || (a == 0 && b == 0xffff) || (a == 0xffff && b == 0);
}

static void check_building(struct pkt_builder *builder, const uint8_t *bytes, size_t len)
{
    static uint8_t again[PKT_BYTES_MAX];
    struct packet p, q;
    struct pkt_spec spec;
    ssize_t built;

    if (pkt_parse(bytes, len, &p) != PKT_OK || p.kind == PKT_KIND_FRAGMENT || !can_be_described(&p))
        return;
    if (p.kind == PKT_KIND_IP_ONLY && (p.ip.protocol == PKT_PROTO_ICMP || p.ip.protocol == PKT_PROTO_ICMP6))
        return; /* the other version's ICMP: the builder would give it a checksum */
    spec = describe(&p);
    built = pkt_build(builder, &spec, again, sizeof again);
    require(built == (ssize_t)p.ip.total_len);
    require(pkt_parse(again, (size_t)built, &q) == PKT_OK && q.ip.checksum_ok);
    require(p.kind != PKT_KIND_TCP || (q.tcp.checksum_ok && checksums_equal(p.tcp.checksum, q.tcp.checksum)));
    require(p.kind != PKT_KIND_ICMP || q.icmp.checksum_ok || q.icmp.checksum == 0xffff); /* all zero has no right checksum */
    require(memcmp(bytes, again, p.ip.header_len) == 0);
    require(p.kind != PKT_KIND_IP_ONLY || memcmp(p.payload, q.payload, p.payload_len) == 0);
    require(p.kind != PKT_KIND_TCP || memcmp(p.payload, q.payload, 16) == 0);
    require(p.kind != PKT_KIND_TCP || memcmp(p.payload + 18, q.payload + 18, p.payload_len - 18) == 0);
    require(p.kind != PKT_KIND_ICMP || memcmp(p.payload + 4, q.payload + 4, p.payload_len - 4) == 0);
}

/* ---- fragments ---------------------------------------------------------------------------------------------------- */

struct reassembly {
    struct pkt_reassembler *reassembler;
    const uint8_t *whole;
    size_t whole_len;
    unsigned completed;
};

static void add_fragment(void *context, const uint8_t *fragment, size_t fragment_len)
{
    struct reassembly *r = context;
    struct packet p;

    if (pkt_parse(fragment, fragment_len, &p) == PKT_OK && pkt_reassemble(r->reassembler, &p, 0, &r->whole, &r->whole_len))
        r->completed++;
}

/* What is cut and put together again is what it was, but for the id and "don't fragment". */
static void check_cutting(const uint8_t *bytes, size_t len)
{
    struct reassembly r = { .reassembler = pkt_reassembler_new() };
    struct packet before, after;
    int count;

    pkt_parse(bytes, len, &before);
    count = pkt_fragment(bytes, len, 64 + bytes[len - 1], 7, add_fragment, &r);
    if (count > 1 && before.kind != PKT_KIND_FRAGMENT && before.ip.header_len < 400) {
        require(r.completed == 1);
        pkt_parse(r.whole, r.whole_len, &after);
        require(after.ip.total_len == before.ip.total_len && after.payload_len == before.payload_len);
        require(memcmp(after.payload, before.payload, before.payload_len) == 0);
    }
    pkt_reassembler_free(r.reassembler);
}

static void check_series(const uint8_t *data, size_t size)
{
    struct reassembly r = { .reassembler = pkt_reassembler_new() };
    uint8_t bytes[256];

    while (size > 0) {
        size_t len = data[0] < size ? data[0] : size - 1;
        unsigned before = r.completed;
        memcpy(bytes, data + 1, len);
        mend_checksums(bytes, len);
        add_fragment(&r, bytes, len);
        if (r.completed > before)
            check_reading(r.whole, r.whole_len, false);
        data += 1 + len;
        size -= 1 + len;
    }
    pkt_reassembler_free(r.reassembler);
}

/* ---- Ethernet, ARP, neighbour discovery --------------------------------------------------------------------------- */

static void check_arp(const struct eth_frame *frame)
{
    struct arp_packet arp;
    uint8_t again[28];

    if (!arp_parse(frame->payload, frame->payload_len, &arp))
        return;
    require(arp_build(&arp, again, sizeof again) == (ssize_t)sizeof again);
    require(memcmp(again, frame->payload, sizeof again) == 0);
}

static void check_neighbour(const uint8_t *bytes, size_t len)
{
    struct nd_message message, again;
    uint8_t built[128];
    struct packet p;
    ssize_t built_len;

    pkt_parse(bytes, len, &p);
    if (!nd_parse(&p, &message))
        return;
    built_len = nd_build(&message, built, sizeof built);
    require(built_len > 0 && pkt_parse(built, (size_t)built_len, &p) == PKT_OK && nd_parse(&p, &again));
    require(memcmp(&message, &again, sizeof message) == 0);
}

static void check_frame(const uint8_t *data, size_t size)
{
    struct eth_frame frame;
    uint8_t *again = malloc(size + 1);

    if (again != NULL && eth_parse(data, size, &frame)) {
        require(eth_build(&frame, again, size) == (ssize_t)size && memcmp(again, data, size) == 0);
        if (frame.type == ETH_TYPE_ARP)
            check_arp(&frame);
        if (frame.type == ETH_TYPE_IPV6)
            check_neighbour(frame.payload, frame.payload_len);
    }
    free(again);
}

static void check_packet(struct pkt_builder *builder, const uint8_t *data, size_t size)
{
    uint8_t *mended = malloc(size);

    if (mended == NULL)
        return;
    check_reading(data, size, false);
    check_reading(data, size, true);
    memcpy(mended, data, size);
    mend_checksums(mended, size);
    check_reading(mended, size, false);
    check_building(builder, mended, size);
    check_neighbour(mended, size);
    check_cutting(mended, size);
    free(mended);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pkt_builder *builder; /* reused, as it is meant to be; what it builds depends on nothing before */

    if (builder == NULL)
        builder = pkt_builder_new();
    if (builder == NULL || size == 0)
        return 0;
    if (data[0] == SERIES)
        check_series(data + 1, size - 1);
    else if (data[0] == FRAME)
        check_frame(data + 1, size - 1);
    else
        check_packet(builder, data, size);
    return 0;
}

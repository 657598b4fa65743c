/* Builds packets with libnet, without privilege, reusing its blocks; then makes them as wrong as asked.
 *
 * Theory of operation. A libnet context holds a chain of protocol blocks. Contexts are kept per shape of packet (struct chain):
 * TCP, ICMP or other payload, over IPv4 or IPv6; each is created when first needed, and from then on its blocks are only refilled
 * through their tags. libnet grows and shrinks payload and option blocks itself; the TCP shape has an option block from the start,
 * of length zero if need be, since libnet finds the data offset by it and cannot insert one later. libnet_pblock_coalesce gives the
 * packet; it is copied out, and what libnet does not know is written into the copy: the reserved nibble, the flow label
 * (libnet 1.1.6 mixes up its octets), the checksums, the overrides.
 *
 * Checksums are ours, not libnet's: libnet adds 16-bit words into a signed int, which 64 KiB of high octets overflow, and one at a
 * time. Passing it a nonzero checksum turns its own off. They are right for the packet as the spec describes it: the transport
 * checksum covers all the octets that follow the IP header, and a pseudo header with the spec's protocol, even where a length or
 * protocol is overridden; the IPv4 checksum covers the header as it goes out, overrides and all, so that an overridden field is the
 * only thing wrong.
 *
 * A quick builder writes the headers itself instead (write_packet); everything else is the same, and so is every octet
 * (test/build.c).
 *
 * Invariant: a chain whose libnet call failed is destroyed, for libnet may have freed any of its blocks; the next packet makes a
 * new one. */
#include "engine/packet/packet.h"

#include "engine/packet/checksum.h"
#include "engine/packet/extension.h"
#include "engine/packet/wire.h"

#include <libnet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TCP_HEADER_LEN = 20, ICMP_HEADER_LEN = 8, TTL_DEFAULT = 64, SUM_NOT_BY_LIBNET = 1 };
enum shape { SHAPE_TCP, SHAPE_ICMP, SHAPE_OTHER, SHAPE_COUNT };

struct chain {
    libnet_t *libnet; /* NULL until first used */
    libnet_ptag_t options, upper, ip;
};

struct pkt_builder {
    struct chain chains[SHAPE_COUNT][2]; /* IPv4, IPv6 */
    bool quick;
    char error[LIBNET_ERRBUF_SIZE];
};

struct layout { /* of the packet being built, in octets */
    enum shape shape;
    uint32_t ip_header_len, upper_header_len, options_len, upper_len, total_len;
};

struct pkt_builder *pkt_builder_new(void)
{
    return calloc(1, sizeof(struct pkt_builder));
}

struct pkt_builder *pkt_builder_new_quick(void)
{
    struct pkt_builder *builder = pkt_builder_new();
    if (builder != NULL)
        builder->quick = true;
    return builder;
}

static void drop_chain(struct chain *chain)
{
    if (chain->libnet != NULL)
        libnet_destroy(chain->libnet);
    memset(chain, 0, sizeof *chain);
}

void pkt_builder_free(struct pkt_builder *builder)
{
    if (builder == NULL)
        return;
    for (unsigned i = 0; i < SHAPE_COUNT * 2; i++)
        drop_chain(&builder->chains[i / 2][i % 2]);
    free(builder);
}

const char *pkt_builder_error(const struct pkt_builder *builder)
{
    return builder->error;
}

/* ---- the chains ------------------------------------------------------------------------------------------------- */

static enum shape shape_of(uint8_t protocol)
{
    switch (protocol) {
    case PKT_PROTO_TCP:
        return SHAPE_TCP;
    case PKT_PROTO_ICMP:
    case PKT_PROTO_ICMP6:
        return SHAPE_ICMP;
    default:
        return SHAPE_OTHER;
    }
}

static bool fill_tcp(struct chain *chain, const struct pkt_spec *spec, const struct layout *layout)
{
    uint8_t options[PKT_TCP_OPTIONS_MAX] = { 0 };

    if (spec->options_len > 0)
        memcpy(options, spec->options, spec->options_len);
    chain->options = libnet_build_tcp_options(options, layout->options_len, chain->libnet, chain->options);
    if (chain->options < 0)
        return false;
    chain->upper = libnet_build_tcp(spec->src_port, spec->dst_port, spec->seq, spec->ack, (uint8_t)spec->flags, spec->window,
                                    SUM_NOT_BY_LIBNET, spec->urgent, (uint16_t)layout->upper_len, spec->payload, spec->payload_len,
                                    chain->libnet, chain->upper);
    return chain->upper >= 0;
}

/* libnet's echo blocks take any type and code, and their id and sequence number are octets 4 to 7 of whatever message it is. */
static bool fill_icmp(struct chain *chain, const struct pkt_spec *spec)
{
    uint16_t high = (uint16_t)(spec->icmp_rest >> 16), low = (uint16_t)spec->icmp_rest;

    if (spec->src.version == 4)
        chain->upper = libnet_build_icmpv4_echo(spec->icmp_type, spec->icmp_code, SUM_NOT_BY_LIBNET, high, low, spec->payload,
                                                spec->payload_len, chain->libnet, chain->upper);
    else
        chain->upper = libnet_build_icmpv6_echo(spec->icmp_type, spec->icmp_code, SUM_NOT_BY_LIBNET, high, low,
                                                (uint8_t *)spec->payload, spec->payload_len, chain->libnet, chain->upper);
    return chain->upper >= 0;
}

static bool fill_other(struct chain *chain, const struct pkt_spec *spec)
{
    chain->upper = libnet_build_data(spec->payload, spec->payload_len, chain->libnet, chain->upper);
    return chain->upper >= 0;
}

static bool fill_upper(struct chain *chain, const struct pkt_spec *spec, const struct layout *layout)
{
    switch (layout->shape) {
    case SHAPE_TCP:
        return fill_tcp(chain, spec, layout);
    case SHAPE_ICMP:
        return fill_icmp(chain, spec);
    default:
        return fill_other(chain, spec);
    }
}

static uint8_t ttl_of(const struct pkt_spec *spec)
{
    return spec->ttl != 0 || (spec->overrides & PKT_SET_TTL) ? spec->ttl : TTL_DEFAULT;
}

static bool fill_ip(struct chain *chain, const struct pkt_spec *spec, const struct layout *layout)
{
    if (spec->src.version == 4) {
        uint32_t src, dst;
        memcpy(&src, spec->src.bytes, 4);
        memcpy(&dst, spec->dst.bytes, 4);
        chain->ip = libnet_build_ipv4((uint16_t)layout->total_len, spec->tos, spec->ip_id, spec->dont_fragment ? IP_DF : 0, ttl_of(spec),
                                      spec->protocol, SUM_NOT_BY_LIBNET, src, dst, NULL, 0, chain->libnet, chain->ip);
    } else {
        struct libnet_in6_addr src, dst;
        memcpy(&src, spec->src.bytes, 16);
        memcpy(&dst, spec->dst.bytes, 16);
        chain->ip = libnet_build_ipv6(spec->tos, 0, (uint16_t)layout->upper_len, spec->protocol, ttl_of(spec), src, dst, NULL, 0,
                                      chain->libnet, chain->ip);
    }
    return chain->ip >= 0;
}

/* Refills the chain and copies the packet out. On failure the reason is in builder->error, and the chain is gone. */
static bool assemble(struct pkt_builder *builder, const struct pkt_spec *spec, const struct layout *layout, uint8_t *out)
{
    struct chain *chain = &builder->chains[layout->shape][spec->src.version == 6];
    uint8_t *packet;
    uint32_t packet_len;

    if (chain->libnet == NULL)
        chain->libnet = libnet_init(LIBNET_NONE, NULL, builder->error);
    if (chain->libnet == NULL)
        return false;
    if (!fill_upper(chain, spec, layout) || !fill_ip(chain, spec, layout) ||
        libnet_pblock_coalesce(chain->libnet, &packet, &packet_len) < 0) {
        snprintf(builder->error, sizeof builder->error, "%s", libnet_geterror(chain->libnet));
        drop_chain(chain);
        return false;
    }
    memcpy(out, packet, layout->total_len);
    free(packet - chain->libnet->aligner);
    if (packet_len == layout->total_len)
        return true;
    snprintf(builder->error, sizeof builder->error, "libnet made %u octets instead of %u", packet_len, layout->total_len);
    drop_chain(chain);
    return false;
}

/* ---- without libnet ----------------------------------------------------------------------------------------------- */

static uint8_t *write_ip(const struct pkt_spec *spec, const struct layout *layout, uint8_t *out)
{
    if (spec->src.version == 4) {
        out[0] = 0x45;
        out[1] = spec->tos;
        wire_put16(out + 2, (uint16_t)layout->total_len);
        wire_put16(out + 4, spec->ip_id);
        wire_put16(out + 6, spec->dont_fragment ? IP_DF : 0);
        out[8] = ttl_of(spec);
        out[9] = spec->protocol;
        memcpy(out + 12, spec->src.bytes, 4);
        memcpy(out + 16, spec->dst.bytes, 4);
    } else { /* the first word is written where the flow label is, for every builder */
        wire_put16(out + 4, (uint16_t)layout->upper_len);
        out[6] = spec->protocol;
        out[7] = ttl_of(spec);
        memcpy(out + 8, spec->src.bytes, 16);
        memcpy(out + 24, spec->dst.bytes, 16);
    }
    return out + layout->ip_header_len;
}

/* Checksums and data offset are not its business. */
static void write_packet(const struct pkt_spec *spec, const struct layout *layout, uint8_t *out)
{
    uint8_t *upper = write_ip(spec, layout, out);

    if (layout->shape == SHAPE_TCP) {
        wire_put16(upper, spec->src_port);
        wire_put16(upper + 2, spec->dst_port);
        wire_put32(upper + 4, spec->seq);
        wire_put32(upper + 8, spec->ack);
        upper[13] = (uint8_t)spec->flags;
        wire_put16(upper + 14, spec->window);
        wire_put16(upper + 18, spec->urgent);
        memset(upper + TCP_HEADER_LEN, 0, layout->options_len);
        if (spec->options_len > 0)
            memcpy(upper + TCP_HEADER_LEN, spec->options, spec->options_len);
    } else if (layout->shape == SHAPE_ICMP) {
        upper[0] = spec->icmp_type;
        upper[1] = spec->icmp_code;
        wire_put32(upper + 4, spec->icmp_rest);
    }
    if (spec->payload_len > 0)
        memcpy(upper + layout->upper_header_len, spec->payload, spec->payload_len);
}

/* ---- what libnet does not do -------------------------------------------------------------------------------------- */

static uint16_t choose_checksum(uint16_t right, unsigned overrides, unsigned set, uint16_t value, unsigned spoil)
{
    if (overrides & set)
        return value;
    if (!(overrides & spoil))
        return right;
    return right == 0xffff ? 1 : (uint16_t)(right + 1); /* 0xffff and 0 are the same number in one's complement */
}

static void finish_upper(const struct pkt_spec *spec, const struct layout *layout, uint8_t *upper)
{
    static const uint8_t checksum_at[SHAPE_COUNT] = { [SHAPE_TCP] = 16, [SHAPE_ICMP] = 2 };
    uint8_t *field = upper + checksum_at[layout->shape];
    uint64_t sum = 0;

    if (layout->shape == SHAPE_OTHER)
        return;
    if (layout->shape == SHAPE_TCP) {
        unsigned words = (spec->overrides & PKT_SET_DATA_OFFSET) ? spec->data_offset_words : layout->upper_header_len / 4;
        upper[12] = (uint8_t)(words << 4 | (spec->flags >> 8 & 0x0f));
    }
    if (spec->protocol != PKT_PROTO_ICMP)
        sum = checksum_pseudo_header(&spec->src, &spec->dst, spec->protocol, layout->upper_len);
    wire_put16(field, 0);
    sum += checksum_sum(upper, layout->upper_len);
    wire_put16(field,
               choose_checksum(checksum_finish(sum), spec->overrides, PKT_SET_CHECKSUM, spec->checksum_value, PKT_SPOIL_CHECKSUM));
}

static void override_ip(const struct pkt_spec *spec, uint8_t *ip)
{
    bool v4 = spec->src.version == 4;

    if (spec->overrides & PKT_SET_IP_VERSION)
        ip[0] = (uint8_t)(spec->ip_version_value << 4 | (ip[0] & 0x0f));
    if (v4 && (spec->overrides & PKT_SET_IP_HEADER_LEN))
        ip[0] = (uint8_t)((ip[0] & 0xf0) | (spec->ip_header_words & 0x0f));
    if (spec->overrides & PKT_SET_IP_TOTAL_LEN)
        wire_put16(ip + (v4 ? 2 : 4), spec->ip_total_len_value);
    if (spec->overrides & PKT_SET_IP_PROTOCOL)
        ip[v4 ? 9 : 6] = spec->ip_protocol_value;
}

/* Over as many octets as the header says it has, if the packet has them: that is how many a receiver adds up. */
static void finish_ip4(const struct pkt_spec *spec, const struct layout *layout, uint8_t *ip)
{
    uint32_t stated_len = (ip[0] & 0x0fu) * 4;
    uint32_t covered_len = stated_len >= IP4_HEADER_LEN && stated_len <= layout->total_len ? stated_len : IP4_HEADER_LEN;
    uint16_t right;

    wire_put16(ip + 10, 0);
    right = pkt_checksum(ip, covered_len);
    wire_put16(ip + 10,
               choose_checksum(right, spec->overrides, PKT_SET_IP_CHECKSUM, spec->ip_checksum_value, PKT_SPOIL_IP_CHECKSUM));
}

/* ---- pkt_build ---------------------------------------------------------------------------------------------------- */

/* False, with the reason in error, when the packet cannot be laid out. */
static bool lay_out(const struct pkt_spec *spec, size_t capacity, struct layout *out, char error[static LIBNET_ERRBUF_SIZE])
{
    static const uint8_t header_len[SHAPE_COUNT] = { [SHAPE_TCP] = TCP_HEADER_LEN, [SHAPE_ICMP] = ICMP_HEADER_LEN };
    const char *problem = NULL;

    out->shape = shape_of(spec->protocol);
    out->options_len = out->shape == SHAPE_TCP ? (spec->options_len + 3u) & ~3u : 0;
    out->ip_header_len = spec->src.version == 4 ? IP4_HEADER_LEN : IP6_HEADER_LEN;
    out->upper_header_len = header_len[out->shape] + out->options_len;
    out->upper_len = out->upper_header_len + wire_min(spec->payload_len, PKT_BYTES_MAX);
    out->total_len = out->ip_header_len + out->upper_len;
    if (spec->src.version != spec->dst.version || (spec->src.version != 4 && spec->src.version != 6))
        problem = "source and destination must be addresses of one IP version";
    else if (out->options_len > PKT_TCP_OPTIONS_MAX)
        problem = "TCP options are longer than 40 octets";
    else if ((spec->src.version == 4 ? out->total_len : out->upper_len) > IP_UPPER_LEN_MAX)
        problem = "packet is longer than 65535 octets";
    else if (out->total_len > capacity)
        problem = "packet is longer than the space given for it";
    if (problem != NULL)
        snprintf(error, LIBNET_ERRBUF_SIZE, "%s", problem);
    return problem == NULL;
}

ssize_t pkt_build(struct pkt_builder *builder, const struct pkt_spec *spec, uint8_t *out, size_t capacity)
{
    struct layout layout;

    if (!lay_out(spec, capacity, &layout, builder->error))
        return -1;
    if (builder->quick)
        write_packet(spec, &layout, out);
    else if (!assemble(builder, spec, &layout, out))
        return -1;
    finish_upper(spec, &layout, out + layout.ip_header_len);
    if (spec->src.version == 6)
        wire_put32(out, UINT32_C(6) << 28 | (uint32_t)spec->tos << 20 | (spec->flow_label & 0xfffff));
    override_ip(spec, out);
    if (spec->src.version == 4)
        finish_ip4(spec, &layout, out);
    return (ssize_t)layout.total_len;
}

/* Cuts an IP packet into fragments (RFC 791 §3.2, RFC 8200 §4.5). */
#include "engine/packet/packet.h"

#include "engine/packet/extension.h"
#include "engine/packet/wire.h"

#include <string.h>

struct headers { /* of a fragment, but for what differs from one to the next */
    uint8_t bytes[PKT_BYTES_MAX];
    uint32_t len;
};

struct cut { /* how a packet is to be cut */
    const struct packet *packet;
    size_t mtu;
    uint32_t id;
    const uint8_t *data; /* the fragmentable part */
    uint32_t data_len;
    void (*emit)(void *context, const uint8_t *fragment, size_t fragment_len);
    void *context;
};

/* ---- IPv4 --------------------------------------------------------------------------------------------------------- */

enum { IP4_OPTION_COPIED = 0x80, IP4_OPTION_EOL = 0, IP4_OPTION_NOP = 1 };

/* Drops the options that only the first fragment carries (RFC 791 §3.1: those without the copied flag), and everything from an
 * illegal one on. */
static uint32_t keep_copied_options(uint8_t *options, uint32_t len)
{
    uint32_t kept = 0, option_len;

    for (uint32_t at = 0; at < len && options[at] != IP4_OPTION_EOL; at += option_len) {
        if (options[at] == IP4_OPTION_NOP) {
            option_len = 1;
            continue;
        }
        option_len = at + 1 < len ? options[at + 1] : 0;
        if (option_len < 2 || option_len > len - at)
            break;
        if (options[at] & IP4_OPTION_COPIED) {
            memmove(options + kept, options + at, option_len);
            kept += option_len;
        }
    }
    while (kept % 4 != 0)
        options[kept++] = IP4_OPTION_EOL;
    return kept;
}

static void ip4_headers(const struct cut *cut, bool first, struct headers *out)
{
    out->len = cut->packet->ip.header_len;
    memcpy(out->bytes, cut->packet->bytes, out->len);
    if (!first)
        out->len = IP4_HEADER_LEN + keep_copied_options(out->bytes + IP4_HEADER_LEN, out->len - IP4_HEADER_LEN);
    out->bytes[0] = (uint8_t)(4 << 4 | out->len / 4);
    wire_put16(out->bytes + 4, (uint16_t)cut->id);
}

static void finish_ip4(const struct cut *cut, uint8_t *ip, uint32_t header_len, uint32_t piece_offset, uint32_t piece_len)
{
    uint32_t offset = cut->packet->ip.fragment_offset + piece_offset;
    bool more = cut->packet->ip.more_fragments || piece_offset + piece_len < cut->data_len;

    wire_put16(ip + 2, (uint16_t)(header_len + piece_len));
    wire_put16(ip + 6, (uint16_t)((more ? 0x2000 : 0) | offset / 8));
    wire_put16(ip + 10, 0);
    wire_put16(ip + 10, pkt_checksum(ip, header_len));
}

/* ---- IPv6 --------------------------------------------------------------------------------------------------------- */

static void ip6_headers(const struct cut *cut, const struct ip6_chain *chain, struct headers *out)
{
    uint8_t *fragment_header = out->bytes + chain->per_hop_end;

    memcpy(out->bytes, cut->packet->bytes, chain->per_hop_end);
    out->len = chain->per_hop_end + IP6_FRAGMENT_HEADER_LEN;
    out->bytes[chain->per_hop_next_at] = IP6_FRAGMENT;
    fragment_header[0] = cut->packet->bytes[chain->per_hop_next_at];
    fragment_header[1] = 0;
    wire_put32(fragment_header + 4, cut->id);
}

static void finish_ip6(const struct cut *cut, uint8_t *ip, uint32_t header_len, uint32_t piece_offset, uint32_t piece_len)
{
    bool more = piece_offset + piece_len < cut->data_len;

    wire_put16(ip + 4, (uint16_t)(header_len + piece_len - IP6_HEADER_LEN));
    wire_put16(ip + header_len - 6, (uint16_t)(piece_offset | (more ? 1 : 0)));
}

/* ---- cutting ------------------------------------------------------------------------------------------------------ */

/* How much of what is left goes behind headers of this length; 0 when the MTU leaves no room. */
static uint32_t piece_len(const struct cut *cut, uint32_t header_len, uint32_t left)
{
    uint32_t room = cut->mtu > header_len ? (uint32_t)cut->mtu - header_len : 0;

    return left <= room ? left : room & ~7u;
}

static int cut_ip4(const struct cut *cut)
{
    struct headers headers;
    uint32_t len;
    int count = 0;

    for (uint32_t at = 0; at < cut->data_len; at += len, count++) {
        ip4_headers(cut, at == 0, &headers);
        len = piece_len(cut, headers.len, cut->data_len - at);
        if (len == 0)
            return -1;
        memcpy(headers.bytes + headers.len, cut->data + at, len);
        finish_ip4(cut, headers.bytes, headers.len, at, len);
        cut->emit(cut->context, headers.bytes, headers.len + len);
    }
    return count;
}

static int cut_ip6(const struct cut *cut, const struct ip6_chain *chain)
{
    struct headers headers;
    uint32_t len;
    int count = 0;

    ip6_headers(cut, chain, &headers);
    for (uint32_t at = 0; at < cut->data_len; at += len, count++) {
        len = piece_len(cut, headers.len, cut->data_len - at);
        if (len == 0)
            return -1;
        memcpy(headers.bytes + headers.len, cut->data + at, len);
        finish_ip6(cut, headers.bytes, headers.len, at, len);
        cut->emit(cut->context, headers.bytes, headers.len + len);
    }
    return count;
}

static bool headers_parse(enum pkt_error error)
{
    return error == PKT_OK || error == PKT_ERR_TCP_TRUNCATED || error == PKT_ERR_TCP_DATA_OFFSET || error == PKT_ERR_ICMP_TRUNCATED;
}

int pkt_fragment(const uint8_t *bytes, size_t len, size_t mtu, uint32_t id,
                 void (*emit)(void *context, const uint8_t *fragment, size_t fragment_len), void *context)
{
    struct packet packet;
    struct ip6_chain chain;
    struct cut cut = { .packet = &packet, .mtu = mtu, .id = id, .emit = emit, .context = context };

    if (!headers_parse(pkt_parse(bytes, len, &packet)))
        return -1;
    if (packet.ip.total_len <= mtu) {
        emit(context, bytes, packet.ip.total_len);
        return 1;
    }
    if (packet.ip.version == 4) {
        cut.data = packet.payload;
        cut.data_len = packet.payload_len;
        if (packet.kind == PKT_KIND_FRAGMENT)
            cut.id = packet.ip.id;
        return packet.ip.fragment_offset + packet.payload_len > IP_UPPER_LEN_MAX ? -1 : cut_ip4(&cut);
    }
    if (packet.ip.has_fragment_header)
        return -1;
    ip6_walk(bytes, packet.ip.total_len, &chain);
    cut.data = bytes + chain.per_hop_end;
    cut.data_len = packet.ip.total_len - chain.per_hop_end;
    return cut_ip6(&cut, &chain);
}

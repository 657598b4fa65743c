/* Changing packets in place (see segment.h). */
#include "targets/saboteur/segment.h"

#include <string.h>

enum { IP4_TOS_AT = 1, IP4_LEN_AT = 2, IP4_TTL_AT = 8, IP4_CHECKSUM_AT = 10, IP4_SOURCE_END = 16, IP6_LEN_AT = 4,
       IP6_HOP_LIMIT_AT = 7, IP6_SOURCE_END = 24, IP6_HEADER_LEN = 40 };
enum { TCP_SEQ_AT = 4, TCP_ACK_AT = 8, TCP_OFFSET_AT = 12, TCP_FLAGS_AT = 13, TCP_WINDOW_AT = 14, TCP_CHECKSUM_AT = 16, TCP_URGENT_AT = 18,
       TCP_HEADER_LEN = 20 };
enum { ICMP_CHECKSUM_AT = 2, ICMP_HEADER_LEN = 8 };

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void segment_read(struct segment *s, const uint8_t *bytes, size_t len)
{
    memcpy(s->bytes, bytes, len);
    s->len = len;
    pkt_parse(s->bytes, len, &s->packet);
}

static void read_again(struct segment *s)
{
    pkt_parse(s->bytes, s->len, &s->packet);
}

bool segment_is_icmp_error(const struct segment *s)
{
    enum { UNREACHABLE = 3, SOURCE_QUENCH = 4, REDIRECT = 5, TIME_EXCEEDED = 11, PARAMETER_PROBLEM = 12, ICMP6_INFORMATIONAL = 128 };
    if (s->packet.kind != PKT_KIND_ICMP)
        return false;
    uint8_t type = s->packet.icmp.type;
    if (s->packet.ip.version == 6)
        return type < ICMP6_INFORMATIONAL;
    return type == UNREACHABLE || type == SOURCE_QUENCH || type == REDIRECT || type == TIME_EXCEEDED || type == PARAMETER_PROBLEM;
}

/* ---- checksums */

static uint8_t *upper(struct segment *s) /* the TCP or ICMP header */
{
    return s->bytes + (s->packet.payload - s->packet.bytes);
}

/* Of TCP and ICMP alike; checksum_at is relative to their header. */
static uint16_t right_checksum(struct segment *s, unsigned checksum_at)
{
    uint8_t *header = upper(s), kept[2] = {header[checksum_at], header[checksum_at + 1]};
    const struct pkt_ip *ip = &s->packet.ip;
    put16(header + checksum_at, 0);
    uint16_t sum = s->packet.kind == PKT_KIND_ICMP && ip->version == 4
                       ? pkt_checksum(header, s->packet.payload_len)
                       : pkt_transport_checksum(&ip->src, &ip->dst, ip->protocol, header, s->packet.payload_len);
    memcpy(header + checksum_at, kept, sizeof kept);
    return sum;
}

/* After a change: right where it was right before, wrong where it was wrong. */
static void renew_checksum(struct segment *s, unsigned checksum_at, bool was_right)
{
    uint16_t sum = right_checksum(s, checksum_at);
    put16(upper(s) + checksum_at, was_right ? sum : (uint16_t)(sum + 1));
    read_again(s);
}

static void changed(struct segment *s)
{
    renew_checksum(s, TCP_CHECKSUM_AT, s->packet.tcp.checksum_ok);
}

void segment_spoil_checksum(struct segment *s)
{
    renew_checksum(s, TCP_CHECKSUM_AT, false);
}

void segment_mend_checksum(struct segment *s)
{
    renew_checksum(s, TCP_CHECKSUM_AT, true);
}

/* ---- the fixed fields */

void segment_set_seq(struct segment *s, uint32_t seq)
{
    put32(upper(s) + TCP_SEQ_AT, seq);
    changed(s);
}

void segment_set_ack(struct segment *s, uint32_t ack)
{
    put32(upper(s) + TCP_ACK_AT, ack);
    changed(s);
}

void segment_set_flags(struct segment *s, uint16_t flags)
{
    upper(s)[TCP_FLAGS_AT] = (uint8_t)flags;
    changed(s);
}

void segment_set_window(struct segment *s, uint16_t window)
{
    put16(upper(s) + TCP_WINDOW_AT, window);
    changed(s);
}

void segment_set_urgent(struct segment *s, uint16_t urgent)
{
    put16(upper(s) + TCP_URGENT_AT, urgent);
    changed(s);
}

static void renew_ip4_checksum(struct segment *s)
{
    put16(s->bytes + IP4_CHECKSUM_AT, 0);
    uint16_t sum = pkt_checksum(s->bytes, s->packet.ip.header_len);
    put16(s->bytes + IP4_CHECKSUM_AT, s->packet.ip.checksum_ok ? sum : (uint16_t)(sum + 1));
}

void segment_raise_source(struct segment *s)
{
    bool was_right = s->packet.tcp.checksum_ok;
    s->bytes[(s->packet.ip.version == 6 ? IP6_SOURCE_END : IP4_SOURCE_END) - 1]++;
    if (s->packet.ip.version == 4)
        renew_ip4_checksum(s);
    read_again(s);
    renew_checksum(s, TCP_CHECKSUM_AT, was_right);
}

void segment_set_tos(struct segment *s, uint8_t tos)
{
    if (s->packet.ip.version == 6) {
        s->bytes[0] = (uint8_t)((s->bytes[0] & 0xf0) | tos >> 4);
        s->bytes[1] = (uint8_t)((s->bytes[1] & 0x0f) | tos << 4);
    } else {
        s->bytes[IP4_TOS_AT] = tos;
        renew_ip4_checksum(s);
    }
    read_again(s);
}

void segment_set_ttl(struct segment *s, uint8_t ttl)
{
    if (s->packet.ip.version == 6) {
        s->bytes[IP6_HOP_LIMIT_AT] = ttl;
    } else {
        s->bytes[IP4_TTL_AT] = ttl;
        renew_ip4_checksum(s);
    }
    read_again(s);
}

void segment_set_reserved(struct segment *s, uint8_t nibble)
{
    uint8_t *at = &upper(s)[TCP_OFFSET_AT];
    *at = (uint8_t)((*at & 0xf0) | (nibble & 0x0f));
    changed(s);
}

void segment_spoil_ip_checksum(struct segment *s)
{
    if (s->packet.ip.version == 6)
        return;
    s->bytes[IP4_CHECKSUM_AT] ^= 0x55;
    read_again(s);
}

void segment_set_payload_octet(struct segment *s, uint32_t index, uint8_t octet)
{
    s->bytes[(size_t)(s->packet.tcp.payload - s->bytes) + index] = octet;
    changed(s);
}

/* ---- options */

bool segment_find_option(const struct segment *s, uint8_t kind, struct pkt_option *out)
{
    uint8_t cursor = 0;
    while (pkt_option_next(s->packet.tcp.options, s->packet.tcp.options_len, &cursor, out) == PKT_OPTION_OK)
        if (out->kind == kind)
            return true;
    return false;
}

void segment_set_option8(struct segment *s, const struct pkt_option *option, uint8_t data_offset, uint8_t value)
{
    if (data_offset >= option->data_len)
        return;
    s->bytes[(option->data - s->bytes) + data_offset] = value;
    changed(s);
}

void segment_set_option16(struct segment *s, const struct pkt_option *option, uint8_t data_offset, uint16_t value)
{
    if (data_offset + 2 > option->data_len)
        return;
    put16(s->bytes + (option->data - s->bytes) + data_offset, value);
    changed(s);
}

void segment_set_option32(struct segment *s, const struct pkt_option *option, uint8_t data_offset, uint32_t value)
{
    if (data_offset + 4 > option->data_len)
        return;
    put32(s->bytes + (option->data - s->bytes) + data_offset, value);
    changed(s);
}

void segment_shift_sack(struct segment *s, uint32_t by)
{
    struct pkt_option sack;
    if (!segment_find_option(s, PKT_OPT_SACK, &sack))
        return;
    for (uint8_t at = 0; at + 4 <= sack.data_len; at = (uint8_t)(at + 4))
        segment_set_option32(s, &sack, at, get32(sack.data + at) + by);
}

/* The packet's length changed by this much: what the IP header says of it. */
static void grow_ip(struct segment *s, int by)
{
    unsigned total = (unsigned)((int)s->packet.ip.total_len + by);
    if (s->packet.ip.version == 6) {
        put16(s->bytes + IP6_LEN_AT, (uint16_t)(total - IP6_HEADER_LEN));
        return;
    }
    put16(s->bytes + IP4_LEN_AT, (uint16_t)total);
    renew_ip4_checksum(s);
}

static bool can_grow(const struct segment *s, int by)
{
    return (int)s->packet.ip.total_len + by <= (s->packet.ip.version == 4 ? UINT16_MAX : UINT16_MAX + IP6_HEADER_LEN);
}

void segment_append_octet(struct segment *s, uint8_t octet)
{
    bool was_right = s->packet.tcp.checksum_ok;
    if (!can_grow(s, 1))
        return;
    s->bytes[s->packet.ip.total_len] = octet;
    grow_ip(s, 1);
    s->len = s->packet.ip.total_len + 1u; /* link padding goes */
    read_again(s);
    renew_checksum(s, TCP_CHECKSUM_AT, was_right);
}

void segment_set_options(struct segment *s, const uint8_t *options, uint8_t len)
{
    uint8_t padded[PKT_TCP_OPTIONS_MAX] = {0}, *header = upper(s);
    int padded_len = (len + 3) & ~3, by = padded_len - s->packet.tcp.options_len;
    bool was_right = s->packet.tcp.checksum_ok;
    if (!can_grow(s, by))
        return;
    for (uint8_t i = 0; i < len; i++)
        padded[i] = options[i];
    memmove(header + TCP_HEADER_LEN + padded_len, header + TCP_HEADER_LEN + s->packet.tcp.options_len, s->packet.tcp.payload_len);
    memcpy(header + TCP_HEADER_LEN, padded, (size_t)padded_len);
    header[TCP_OFFSET_AT] = (uint8_t)((header[TCP_OFFSET_AT] & 0x0f) | ((TCP_HEADER_LEN + padded_len) / 4) << 4);
    grow_ip(s, by);
    s->len = s->packet.ip.total_len + (size_t)by; /* link padding goes */
    read_again(s);
    renew_checksum(s, TCP_CHECKSUM_AT, was_right);
}

/* Copies the options but those of one kind; no-operations only when wanted. */
static void copy_options(const struct segment *s, uint8_t without, bool no_operations, struct pkt_option_buffer *out)
{
    uint8_t cursor = 0;
    struct pkt_option option;
    *out = (struct pkt_option_buffer){0};
    while (pkt_option_next(s->packet.tcp.options, s->packet.tcp.options_len, &cursor, &option) == PKT_OPTION_OK) {
        if (option.kind == without || option.kind == PKT_OPT_EOL)
            continue;
        if (option.kind != PKT_OPT_NOP)
            pkt_put_raw_option(out, option.kind, option.len, option.data, option.data_len);
        else if (no_operations)
            pkt_put_nop(out);
    }
}

void segment_remove_option(struct segment *s, uint8_t kind)
{
    struct pkt_option_buffer kept;
    copy_options(s, kind, false, &kept);
    segment_set_options(s, kept.bytes, kept.len);
}

void segment_add_option(struct segment *s, uint8_t kind, const uint8_t *data, uint8_t data_len)
{
    struct pkt_option_buffer all;
    copy_options(s, PKT_OPT_EOL, true, &all);
    pkt_put_raw_option(&all, kind, (uint8_t)(data_len + 2), data, data_len);
    if (all.overflow) {
        copy_options(s, PKT_OPT_EOL, false, &all);
        pkt_put_raw_option(&all, kind, (uint8_t)(data_len + 2), data, data_len);
    }
    if (!all.overflow)
        segment_set_options(s, all.bytes, all.len);
}

void segment_add_raw_options(struct segment *s, const uint8_t *octets, uint8_t len)
{
    uint8_t all[PKT_TCP_OPTIONS_MAX];
    uint8_t kept = s->packet.tcp.options_len;
    if (kept + len > PKT_TCP_OPTIONS_MAX)
        kept = 0;
    memcpy(all, s->packet.tcp.options, kept);
    memcpy(all + kept, octets, len);
    segment_set_options(s, all, (uint8_t)(kept + len));
}

void segment_add_timestamp(struct segment *s, uint32_t val, uint32_t ecr)
{
    uint8_t data[8];
    put32(data, val);
    put32(data + 4, ecr);
    segment_add_option(s, PKT_OPT_TIMESTAMP, data, sizeof data);
}

/* ---- quoted segments */

bool segment_quoted(const struct segment *s, struct packet *quoted)
{
    return segment_is_icmp_error(s) && pkt_parse_quoted(s->packet.icmp.body, s->packet.icmp.body_len, quoted) == PKT_OK &&
           quoted->kind == PKT_KIND_TCP;
}

void segment_set_quoted_seq(struct segment *s, uint32_t seq)
{
    struct packet quoted;
    if (!segment_quoted(s, &quoted))
        return;
    bool was_right = s->packet.icmp.checksum_ok;
    put32(s->bytes + (quoted.payload - s->bytes) + TCP_SEQ_AT, seq);
    renew_checksum(s, ICMP_CHECKSUM_AT, was_right);
}

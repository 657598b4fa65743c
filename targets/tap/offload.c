/* Does what a network card would have done (see offload.h). */
#include "targets/tap/offload.h"

#include <errno.h>
#include <string.h>

static void put16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static void put32(uint8_t *out, uint32_t value)
{
    put16(out, value >> 16);
    put16(out + 2, value & 0xffff);
}

bool offload_complete(uint8_t *frame, size_t len, size_t start, size_t offset)
{
    if (start > len || len - start < 2 || offset > len - start - 2)
        return false;
    put16(frame + start + offset, pkt_checksum(frame + start, len - start));
    return true;
}

/* The TCP segment in a frame. */
static bool parse_tcp(const uint8_t *frame, size_t len, size_t link_len, struct packet *out)
{
    return len > link_len && pkt_parse(frame + link_len, len - link_len, out) == PKT_OK && out->kind == PKT_KIND_TCP;
}

unsigned offload_segments(const uint8_t *frame, size_t len, size_t link_len, size_t segment_bytes)
{
    struct packet packet;
    if (segment_bytes == 0 || !parse_tcp(frame, len, link_len, &packet))
        return 0;
    return (unsigned)((packet.tcp.payload_len + segment_bytes - 1) / segment_bytes);
}

static void write_ip(uint8_t *ip, const struct packet *packet, size_t packet_len, unsigned n)
{
    enum { V4_HEADER_WORDS = 0x0f, TOTAL_LEN = 2, ID = 4, CHECKSUM = 10, PAYLOAD_LEN = 4, V6_HEADER = 40 };
    if (packet->ip.version == 6) {
        put16(ip + PAYLOAD_LEN, (uint32_t)(packet_len - V6_HEADER));
        return;
    }
    put16(ip + TOTAL_LEN, (uint32_t)packet_len);
    put16(ip + ID, packet->ip.id + n);
    put16(ip + CHECKSUM, 0);
    put16(ip + CHECKSUM, pkt_checksum(ip, (size_t)(ip[0] & V4_HEADER_WORDS) * 4));
}

static void write_tcp(uint8_t *tcp, const struct packet *packet, size_t segment_len, uint32_t offset, bool first, bool last)
{
    enum { SEQ = 4, FLAGS = 13, CHECKSUM = 16 };
    put32(tcp + SEQ, packet->tcp.seq + offset);
    if (!last)
        tcp[FLAGS] &= (uint8_t) ~(PKT_FIN | PKT_PSH);
    if (!first)
        tcp[FLAGS] &= (uint8_t)~PKT_CWR;
    put16(tcp + CHECKSUM, 0);
    put16(tcp + CHECKSUM, pkt_transport_checksum(&packet->ip.src, &packet->ip.dst, PKT_PROTO_TCP, tcp, segment_len));
}

ssize_t offload_segment(const uint8_t *frame, size_t len, size_t link_len, size_t segment_bytes, unsigned n, uint8_t *out,
                        size_t capacity)
{
    struct packet packet;
    if (!parse_tcp(frame, len, link_len, &packet))
        return -EMSGSIZE;
    size_t offset = n * segment_bytes, all = packet.tcp.payload_len;
    if (offset >= all)
        return -EMSGSIZE;
    size_t part = all - offset < segment_bytes ? all - offset : segment_bytes;
    size_t tcp_len = (size_t)packet.tcp.data_offset * 4, head = link_len + packet.ip.header_len + tcp_len;
    if (head + part > capacity)
        return -EMSGSIZE;
    memcpy(out, frame, head);
    memcpy(out + head, packet.tcp.payload + offset, part);
    write_ip(out + link_len, &packet, head - link_len + part, n);
    write_tcp(out + link_len + packet.ip.header_len, &packet, tcp_len + part, (uint32_t)offset, n == 0, offset + part == all);
    return (ssize_t)(head + part);
}

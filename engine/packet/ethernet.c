/* Ethernet frames, ARP (RFC 826) and neighbour discovery (RFC 4861 §4.3, §4.4, §7.1), read and written. */
#include "engine/packet/ethernet.h"

#include "engine/packet/wire.h"

#include <string.h>

enum { ARP_LEN = 28, ARP_HARDWARE_ETHERNET = 1 };
enum {
    ND_SOLICITATION = 135, ND_ADVERTISEMENT = 136, ND_HOP_LIMIT = 255,
    ND_OPT_SOURCE_ADDRESS = 1, ND_OPT_TARGET_ADDRESS = 2, ND_OPT_UNIT = 8,
    ND_ICMP_LEN = 24, /* ICMPv6 header and target address */
    IP6_LEN = 40, ADDR_LEN = 16,
};
#define ND_FLAG_SOLICITED UINT32_C(0x40000000)
#define ND_FLAG_OVERRIDE UINT32_C(0x20000000)

/* ---- frames ------------------------------------------------------------------------------------------------------- */

bool eth_parse(const uint8_t *bytes, size_t len, struct eth_frame *out)
{
    if (len < ETH_HEADER_LEN)
        return false;
    memcpy(out->dst.bytes, bytes, 6);
    memcpy(out->src.bytes, bytes + 6, 6);
    out->type = wire_get16(bytes + 12);
    out->payload = bytes + ETH_HEADER_LEN;
    out->payload_len = len - ETH_HEADER_LEN;
    return true;
}

ssize_t eth_build(const struct eth_frame *frame, uint8_t *out, size_t capacity)
{
    if (capacity < ETH_HEADER_LEN || capacity - ETH_HEADER_LEN < frame->payload_len)
        return -1;
    memcpy(out, frame->dst.bytes, 6);
    memcpy(out + 6, frame->src.bytes, 6);
    wire_put16(out + 12, frame->type);
    if (frame->payload_len > 0)
        memmove(out + ETH_HEADER_LEN, frame->payload, frame->payload_len);
    return (ssize_t)(ETH_HEADER_LEN + frame->payload_len);
}

/* ---- ARP ---------------------------------------------------------------------------------------------------------- */

static const uint8_t arp_fixed[6] = { 0, ARP_HARDWARE_ETHERNET, ETH_TYPE_IPV4 >> 8, ETH_TYPE_IPV4 & 0xff, 6, 4 };

bool arp_parse(const uint8_t *bytes, size_t len, struct arp_packet *out)
{
    if (len < ARP_LEN || memcmp(bytes, arp_fixed, sizeof arp_fixed) != 0)
        return false;
    memset(out, 0, sizeof *out);
    out->operation = wire_get16(bytes + 6);
    memcpy(out->sender_mac.bytes, bytes + 8, 6);
    memcpy(out->sender_ip.bytes, bytes + 14, 4);
    memcpy(out->target_mac.bytes, bytes + 18, 6);
    memcpy(out->target_ip.bytes, bytes + 24, 4);
    out->sender_ip.version = out->target_ip.version = 4;
    return true;
}

ssize_t arp_build(const struct arp_packet *arp, uint8_t *out, size_t capacity)
{
    if (capacity < ARP_LEN)
        return -1;
    memcpy(out, arp_fixed, sizeof arp_fixed);
    wire_put16(out + 6, arp->operation);
    memcpy(out + 8, arp->sender_mac.bytes, 6);
    memcpy(out + 14, arp->sender_ip.bytes, 4);
    memcpy(out + 18, arp->target_mac.bytes, 6);
    memcpy(out + 24, arp->target_ip.bytes, 4);
    return ARP_LEN;
}

/* ---- neighbour discovery ------------------------------------------------------------------------------------------ */

static bool is_multicast(const struct pkt_addr *addr)
{
    return addr->bytes[0] == 0xff;
}

static bool is_unspecified(const struct pkt_addr *addr)
{
    static const uint8_t zero[ADDR_LEN];

    return memcmp(addr->bytes, zero, ADDR_LEN) == 0;
}

struct pkt_addr nd_solicited_node(const struct pkt_addr *target)
{
    struct pkt_addr group = { .version = 6, .bytes = { 0xff, 0x02, [11] = 0x01, [12] = 0xff } };

    memcpy(group.bytes + 13, target->bytes + 13, 3);
    return group;
}

struct eth_addr eth_multicast(const struct pkt_addr *group)
{
    struct eth_addr mac = { { 0x33, 0x33 } };

    if (group->version == 6) { /* RFC 2464 §7 */
        memcpy(mac.bytes + 2, group->bytes + 12, 4);
    } else { /* RFC 1112 §6.4 */
        mac = (struct eth_addr){ { 0x01, 0x00, 0x5e, group->bytes[1] & 0x7f, group->bytes[2], group->bytes[3] } };
    }
    return mac;
}

/* Steps through the options; false when one has length zero or runs past the end (RFC 4861 §7.1.1, §7.1.2). */
static bool read_nd_options(const uint8_t *at, uint32_t len, struct nd_message *out)
{
    uint8_t wanted = out->is_advertisement ? ND_OPT_TARGET_ADDRESS : ND_OPT_SOURCE_ADDRESS;
    uint32_t option_len;

    for (; len >= 2; at += option_len, len -= option_len) {
        option_len = at[1] * (uint32_t)ND_OPT_UNIT;
        if (option_len == 0 || option_len > len)
            return false;
        if (at[0] == wanted && !out->has_link_address) {
            out->has_link_address = true;
            memcpy(out->link_address.bytes, at + 2, 6);
        }
    }
    return len == 0;
}

/* What RFC 4861 §7.1.1 demands of a solicitation, and §7.1.2 of an advertisement, besides what both share. */
static bool nd_acceptable(const struct nd_message *m)
{
    struct pkt_addr group = nd_solicited_node(&m->target);

    if (m->is_advertisement)
        return !is_multicast(&m->dst) || !m->solicited;
    return !is_unspecified(&m->src) || (pkt_addr_equal(&m->dst, &group) && !m->has_link_address);
}

bool nd_parse(const struct packet *packet, struct nd_message *out)
{
    const struct pkt_icmp *icmp = &packet->icmp;

    if (packet->kind != PKT_KIND_ICMP || packet->ip.version != 6 ||
        (icmp->type != ND_SOLICITATION && icmp->type != ND_ADVERTISEMENT))
        return false;
    if (packet->ip.ttl != ND_HOP_LIMIT || !icmp->checksum_ok || icmp->code != 0 || icmp->body_len < ADDR_LEN)
        return false;
    memset(out, 0, sizeof *out);
    out->is_advertisement = icmp->type == ND_ADVERTISEMENT;
    out->solicited = out->is_advertisement && (icmp->rest & ND_FLAG_SOLICITED);
    out->override = out->is_advertisement && (icmp->rest & ND_FLAG_OVERRIDE);
    out->src = packet->ip.src;
    out->dst = packet->ip.dst;
    out->target.version = 6;
    memcpy(out->target.bytes, icmp->body, ADDR_LEN);
    return !is_multicast(&out->target) && read_nd_options(icmp->body + ADDR_LEN, icmp->body_len - ADDR_LEN, out) &&
           nd_acceptable(out);
}

static void put_ip6_header(const struct nd_message *message, uint16_t payload_len, uint8_t *out)
{
    wire_put32(out, UINT32_C(6) << 28);
    wire_put16(out + 4, payload_len);
    out[6] = PKT_PROTO_ICMP6;
    out[7] = ND_HOP_LIMIT;
    memcpy(out + 8, message->src.bytes, ADDR_LEN);
    memcpy(out + 24, message->dst.bytes, ADDR_LEN);
}

ssize_t nd_build(const struct nd_message *message, uint8_t *out, size_t capacity)
{
    uint16_t icmp_len = ND_ICMP_LEN + (message->has_link_address ? ND_OPT_UNIT : 0);
    uint32_t flags = (message->solicited ? ND_FLAG_SOLICITED : 0) | (message->override ? ND_FLAG_OVERRIDE : 0);
    uint8_t *icmp;

    if (capacity < IP6_LEN + (size_t)icmp_len)
        return -1;
    icmp = out + IP6_LEN;
    put_ip6_header(message, icmp_len, out);
    memset(icmp, 0, icmp_len);
    icmp[0] = message->is_advertisement ? ND_ADVERTISEMENT : ND_SOLICITATION;
    wire_put32(icmp + 4, message->is_advertisement ? flags : 0);
    memcpy(icmp + 8, message->target.bytes, ADDR_LEN);
    if (message->has_link_address) {
        icmp[ND_ICMP_LEN] = message->is_advertisement ? ND_OPT_TARGET_ADDRESS : ND_OPT_SOURCE_ADDRESS;
        icmp[ND_ICMP_LEN + 1] = 1;
        memcpy(icmp + ND_ICMP_LEN + 2, message->link_address.bytes, 6);
    }
    wire_put16(icmp + 2, pkt_transport_checksum(&message->src, &message->dst, PKT_PROTO_ICMP6, icmp, icmp_len));
    return IP6_LEN + icmp_len;
}

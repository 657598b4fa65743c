/* Ethernet frames, ARP (RFC 826) and neighbour discovery (RFC 4861): what a tester with an address of its own needs on a link. */
#ifndef TCPASSAY_PACKET_ETHERNET_H
#define TCPASSAY_PACKET_ETHERNET_H

#include "engine/packet/packet.h"

enum { ETH_HEADER_LEN = 14, ETH_TYPE_IPV4 = 0x0800, ETH_TYPE_ARP = 0x0806, ETH_TYPE_IPV6 = 0x86dd };

struct eth_addr { uint8_t bytes[6]; };

struct eth_frame {
    struct eth_addr dst, src;
    uint16_t type;
    const uint8_t *payload; /* into the parsed bytes */
    size_t payload_len;
};
/* False when shorter than a header. */
bool eth_parse(const uint8_t *bytes, size_t len, struct eth_frame *out);
/* Writes header and payload; returns the length, or -1 when it does not fit. */
ssize_t eth_build(const struct eth_frame *frame, uint8_t *out, size_t capacity);

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };
struct arp_packet { /* for IPv4 over Ethernet */
    uint16_t operation;
    struct eth_addr sender_mac, target_mac;
    struct pkt_addr sender_ip, target_ip;
};
bool arp_parse(const uint8_t *bytes, size_t len, struct arp_packet *out);
ssize_t arp_build(const struct arp_packet *arp, uint8_t *out, size_t capacity);

/* Neighbour solicitation and advertisement, as the ICMPv6 body they are. */
struct nd_message {
    bool is_advertisement; /* else a solicitation */
    bool solicited, override;
    struct pkt_addr src, dst, target;
    bool has_link_address;
    struct eth_addr link_address;
};
/* Reads an ND message from a parsed ICMPv6 packet: hop limit 255 and checksum are checked (RFC 4861 §7.1). */
bool nd_parse(const struct packet *packet, struct nd_message *out);
/* Builds the whole IPv6 packet. */
ssize_t nd_build(const struct nd_message *message, uint8_t *out, size_t capacity);
/* The solicited-node multicast address of target, and the Ethernet group it maps to. */
struct pkt_addr nd_solicited_node(const struct pkt_addr *target);
struct eth_addr eth_multicast(const struct pkt_addr *group);

#endif

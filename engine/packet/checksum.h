/* Sums of the Internet checksum that are not yet folded; private to engine/packet.
 *
 * A sum is taken in memory order: 32-bit words as the machine loads them, added in 64 bits, which no packet can overflow. One's
 * complement addition does not care about byte order (RFC 1071 §2 (B)), so that only the folded result is swapped. */
#ifndef TCPASSAY_PACKET_CHECKSUM_H
#define TCPASSAY_PACKET_CHECKSUM_H

#include "engine/packet/packet.h"

/* The sum of len octets; an odd one at the end counts as followed by zero, so that only the last piece of a sum may be odd. */
uint64_t checksum_sum(const uint8_t *bytes, size_t len);
/* The sum of the pseudo header (RFC 9293 §3.1 for IPv4, RFC 8200 §8.1 for IPv6). */
uint64_t checksum_pseudo_header(const struct pkt_addr *src, const struct pkt_addr *dst, uint8_t protocol, uint32_t upper_len);
/* The checksum that a sum amounts to, in host byte order; 0 when the field itself was part of the sum, and right. */
uint16_t checksum_finish(uint64_t sum);

#endif

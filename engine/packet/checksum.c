/* The Internet checksum (RFC 1071). */
#include "engine/packet/checksum.h"

#include <arpa/inet.h>
#include <string.h>

uint64_t checksum_sum(const uint8_t *bytes, size_t len)
{
    uint64_t sum = 0;
    size_t words = len / 4;
    uint32_t word;

    for (size_t i = 0; i < words; i++) {
        memcpy(&word, bytes + 4 * i, sizeof word);
        sum += word;
    }
    if (len % 4 != 0) {
        word = 0;
        memcpy(&word, bytes + 4 * words, len % 4);
        sum += word;
    }
    return sum;
}

uint64_t checksum_pseudo_header(const struct pkt_addr *src, const struct pkt_addr *dst, uint8_t protocol, uint32_t upper_len)
{
    size_t addr_len = src->version == 6 ? 16 : 4;

    return checksum_sum(src->bytes, addr_len) + checksum_sum(dst->bytes, addr_len) + htonl(upper_len) + htonl(protocol);
}

uint16_t checksum_finish(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return ntohs((uint16_t)~sum);
}

uint16_t pkt_checksum(const uint8_t *bytes, size_t len)
{
    return checksum_finish(checksum_sum(bytes, len));
}

uint16_t pkt_transport_checksum(const struct pkt_addr *src, const struct pkt_addr *dst, uint8_t protocol, const uint8_t *bytes,
                                size_t len)
{
    return checksum_finish(checksum_pseudo_header(src, dst, protocol, (uint32_t)len) + checksum_sum(bytes, len));
}

uint16_t pkt_partial_checksum(const struct pkt_addr *src, const struct pkt_addr *dst, uint8_t protocol, uint32_t upper_len)
{
    return (uint16_t)~checksum_finish(checksum_pseudo_header(src, dst, protocol, upper_len));
}

/* The host's addresses: which are its own, and which no single host can have (RFC 1122 §3.2.1.3, RFC 4291 §2). */
#include "targets/reference/stack.h"

#include <string.h>

bool ref_address_is_ours(const struct ref_stack *stack, const struct pkt_addr *addr)
{
    for (unsigned i = 0; i < stack->config.address_count; i++) {
        if (pkt_addr_equal(&stack->config.addresses[i], addr))
            return true;
    }
    return false;
}

const struct pkt_addr *ref_address_for(const struct ref_stack *stack, uint8_t version)
{
    for (unsigned i = 0; i < stack->config.address_count; i++) {
        if (stack->config.addresses[i].version == version)
            return &stack->config.addresses[i];
    }
    return NULL;
}

static uint32_t ipv4_bits(const struct pkt_addr *addr)
{
    return (uint32_t)addr->bytes[0] << 24 | (uint32_t)addr->bytes[1] << 16 | (uint32_t)addr->bytes[2] << 8 | addr->bytes[3];
}

/* The all-ones and the all-zeros host of the link's own network. */
static bool is_link_broadcast(const struct ref_stack *stack, uint32_t bits)
{
    const struct pkt_addr *own = ref_address_for(stack, 4);
    uint8_t prefix = stack->config.ipv4_prefix_len;
    if (!own || prefix == 0 || prefix >= 31)
        return false;
    uint32_t hosts = UINT32_MAX >> prefix;
    if ((bits & ~hosts) != (ipv4_bits(own) & ~hosts))
        return false;
    return (bits & hosts) == hosts || (bits & hosts) == 0;
}

static bool is_unicast_ipv4(const struct ref_stack *stack, const struct pkt_addr *addr)
{
    uint8_t first = addr->bytes[0];
    bool this_network = first == 0, loopback = first == 127, multicast_or_reserved = first >= 224;
    return !this_network && !loopback && !multicast_or_reserved && !is_link_broadcast(stack, ipv4_bits(addr));
}

static bool is_unicast_ipv6(const struct pkt_addr *addr)
{
    static const uint8_t zeros[15];
    bool multicast = addr->bytes[0] == 0xff;
    bool unspecified_or_loopback = memcmp(addr->bytes, zeros, sizeof zeros) == 0 && addr->bytes[15] <= 1;
    return !multicast && !unspecified_or_loopback;
}

bool ref_address_is_unicast(const struct ref_stack *stack, const struct pkt_addr *addr)
{
    if (addr->version == 4)
        return is_unicast_ipv4(stack, addr);
    return addr->version == 6 && is_unicast_ipv6(addr);
}

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct pkt_addr ref_address_map(const struct pkt_addr *addr)
{
    struct pkt_addr mapped = { .version = 6 };
    memcpy(mapped.bytes, mapped_prefix, sizeof mapped_prefix);
    memcpy(mapped.bytes + sizeof mapped_prefix, addr->bytes, 4);
    return mapped;
}

struct pkt_addr ref_address_unmap(const struct pkt_addr *addr)
{
    bool mapped = addr->version == 6 && memcmp(addr->bytes, mapped_prefix, sizeof mapped_prefix) == 0;
    struct pkt_addr plain = { .version = 4 };
    if (addr->version != 4 && !mapped)
        return *addr;
    memcpy(plain.bytes, addr->bytes + (mapped ? sizeof mapped_prefix : 0), 4);
    return plain;
}

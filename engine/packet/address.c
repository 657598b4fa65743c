/* IP addresses: comparing them, reading them from text and writing them as text. */
#include "engine/packet/packet.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert(PKT_ADDR_TEXT_MAX >= INET6_ADDRSTRLEN, "room for any address as text");

bool pkt_addr_equal(const struct pkt_addr *a, const struct pkt_addr *b)
{
    return a->version == b->version && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool pkt_addr_parse(const char *text, struct pkt_addr *out)
{
    struct pkt_addr addr = { 0 };

    if (inet_pton(AF_INET, text, addr.bytes) == 1)
        addr.version = 4;
    else if (inet_pton(AF_INET6, text, addr.bytes) == 1)
        addr.version = 6;
    else
        return false;
    *out = addr;
    return true;
}

const char *pkt_addr_format(const struct pkt_addr *addr, char out[static PKT_ADDR_TEXT_MAX])
{
    int family = addr->version == 4 ? AF_INET : AF_INET6;

    if ((addr->version != 4 && addr->version != 6) || inet_ntop(family, addr->bytes, out, PKT_ADDR_TEXT_MAX) == NULL)
        snprintf(out, PKT_ADDR_TEXT_MAX, "none");
    return out;
}

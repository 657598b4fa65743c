/* What this machine's routing table says of the way to a host. */
#ifndef TCPASSAY_TARGETS_REMOTE_ROUTE_H
#define TCPASSAY_TARGETS_REMOTE_ROUTE_H

#include "engine/packet/ethernet.h"

#include <net/if.h>

struct route {
    unsigned ifindex;
    char interface[IFNAMSIZ];
    bool local;                   /* the host is this machine itself */
    struct pkt_addr router;       /* version 0: the host is on the link */
    struct pkt_addr source;       /* the address that this machine uses on it */
    uint8_t source_prefix_len;    /* of its network on the link; 0: not known */
};

/* The way to host; ifindex 0 lets the table choose. 0 or a negative errno value: -ENETUNREACH … */
int route_find(const struct pkt_addr *host, unsigned ifindex, struct route *out);

struct link {
    bool up, running;             /* switched on; and with something at the other end */
    bool ethernet, loopback;
    struct eth_addr mac;
    uint16_t mtu;
    uint32_t carrier_changes;     /* how often the other end has gone and come since the interface was made */
};
int link_read(unsigned ifindex, struct link *out);

#endif

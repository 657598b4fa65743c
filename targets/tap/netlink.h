/* Interfaces, addresses, routes and neighbours of the network namespace the thread is in, set through rtnetlink(7). */
#ifndef TCPASSAY_TARGETS_TAP_NETLINK_H
#define TCPASSAY_TARGETS_TAP_NETLINK_H

#include "engine/packet/ethernet.h"

/* A socket of the namespace the thread is in now, whatever namespace it moves to. Returns a descriptor or a negative errno value.
 */
int rtnl_open(void);

/* Every call below asks the kernel and waits for its answer: 0 or a negative errno value. */

struct rtnl_link {
    unsigned ifindex;
    bool up;
    uint16_t mtu;               /* 0: as it is */
    uint32_t queue_frames;      /* how many frames wait for the reader before the kernel drops some; 0: as it is */
    const struct eth_addr *mac; /* NULL: as it is */
};
int rtnl_set_link(int fd, const struct rtnl_link *link);

/* Without duplicate address detection (RFC 4862 §5.4). The interface must be up: the address works when this returns. */
int rtnl_add_address(int fd, unsigned ifindex, const struct pkt_addr *addr, uint8_t prefix_len);

/* To a prefix by a router on the link. */
int rtnl_add_route(int fd, unsigned ifindex, const struct pkt_addr *prefix, uint8_t prefix_len, const struct pkt_addr *router);

/* For good: the kernel never asks for it nor doubts it. */
int rtnl_add_neighbour(int fd, unsigned ifindex, const struct pkt_addr *addr, const struct eth_addr *mac);

/* Frames go to the device in the call that sends them, with no queueing discipline between that another processor could be busy
 * with. */
int rtnl_remove_queueing(int fd, unsigned ifindex);

#endif

/* What a run captures: a filter in pcap-filter(7)'s language, so that the kernel copies only frames that are meant for the tester.
 */
#ifndef TCPASSAY_TARGETS_REMOTE_FILTER_H
#define TCPASSAY_TARGETS_REMOTE_FILTER_H

#include "engine/packet/ethernet.h"

enum { FILTER_TEXT_MAX = 2048 };

struct filter {
    struct eth_addr mac;         /* the tester's */
    struct pkt_addr tester[2];   /* IPv4 and IPv6; version 0: none */
    uint32_t tester_count;       /* of each, counting up */
    bool own_address;            /* these are the machine's own too: only … */
    struct pkt_addr iut[2];      /* … segments of the IUT … */
    uint16_t first_port, last_port; /* … to these ports, both included, and ICMP errors and echo replies; what else the machine's
                                    kernel has to answer stays out */
};

/* Returns the length, or -1 when it does not fit, which FILTER_TEXT_MAX octets never fail to. */
int filter_text(const struct filter *filter, char *out, size_t capacity);

#endif

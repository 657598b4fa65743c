/* Two small eBPF programs, each held to a network interface by a descriptor: the kernel takes it off when the descriptor is closed,
 * however the process ends. */
#ifndef TCPASSAY_TARGETS_REMOTE_BPF_H
#define TCPASSAY_TARGETS_REMOTE_BPF_H

#include "engine/packet/packet.h"

/* Lets everything pass. What it is for is a side effect: while a veth device has an XDP program, its peer sends no frames that
 * would still have to be segmented (TSO, GSO). Returns a descriptor or a negative errno value. */
int bpf_hold_pass(unsigned ifindex);

/* TCP segments that the local kernel shall not see. */
struct guarded_ports {
    struct pkt_addr from, to;           /* of one version */
    uint16_t first, last;               /* destination ports, both included */
};

/* Drops them on their way from the interface into the kernel; packet captures still see them. Needs Linux 6.6 (tcx). Segments
 * behind IPv4 fragments and IPv6 extension headers are let through. Returns a descriptor or a negative errno value. */
int bpf_hold_port_filter(unsigned ifindex, const struct guarded_ports *guarded);

#endif

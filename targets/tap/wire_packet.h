/* The wires of wire_open_tap() by their two sides. */
#ifndef TCPASSAY_TARGETS_TAP_WIRE_PACKET_H
#define TCPASSAY_TARGETS_TAP_WIRE_PACKET_H

#include "targets/tap/wire.h"

/* The interface's side of any interface, by a packet socket. NULL with *error. */
struct wire *wire_open_packet(const char *interface, struct target_error *error);

struct wire_interface { /* what the kernel tells of an interface of the namespace the thread is in */
    unsigned index;     /* 0: there is none of that name */
    bool up, is_tap, is_tun, raw_ip, is_ethernet;
    uint16_t mtu;
};
/* 0, or a negative errno value. */
int wire_interface(const char *name, struct wire_interface *out);

#endif

/* From a captured frame to the IP packet in it: the link layers that captures are made on. */
#ifndef TCPASSAY_CAPTURE_LINK_H
#define TCPASSAY_CAPTURE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum link_content {
    LINK_IP,    /* the packet is given */
    LINK_OTHER, /* something else: ARP, LLDP … */
    LINK_CUT,   /* the frame ends within its own headers */
};

struct link_packet {
    const uint8_t *bytes; /* into the frame */
    size_t len;           /* octets there */
    size_t wire_len;      /* octets that were on the wire, padding of the link included */
    uint64_t origin;      /* where it was seen: interface and direction, or addresses of the link; equal for equal ones, 0 when the
                             link layer does not tell */
};

/* Is this a data link type (pcap's DLT_*) that can be read? */
bool link_is_known(int type);
/* "Ethernet": never NULL. */
const char *link_name(int type);
/* Finds the packet in a frame of which len octets of wire_len were kept. */
enum link_content link_unwrap(int type, const uint8_t *frame, size_t len, size_t wire_len, struct link_packet *out);

#endif

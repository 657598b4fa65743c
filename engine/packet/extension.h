/* The chain of IPv6 extension headers; private to engine/packet. */
#ifndef TCPASSAY_PACKET_EXTENSION_H
#define TCPASSAY_PACKET_EXTENSION_H

#include "engine/packet/packet.h"

enum {
    IP4_HEADER_LEN = 20, IP4_HEADER_LEN_MAX = 60, IP6_HEADER_LEN = 40, IP6_FRAGMENT_HEADER_LEN = 8, IP6_EXTENSION_LEN_MIN = 8,
    IP_UPPER_LEN_MAX = 65535 /* what follows an IPv6 header, and more than ever follows an IPv4 header */
};
enum { IP6_HOP_BY_HOP = 0, IP6_ROUTING = 43, IP6_FRAGMENT = 44, IP6_AUTH = 51, IP6_DEST_OPTIONS = 60, IP6_MOBILITY = 135, IP6_HIP = 139,
       IP6_SHIM6 = 140 };

struct ip6_chain { /* all offsets are octets from the start of the packet */
    uint8_t protocol;          /* of what the walk stopped at */
    uint32_t end;              /* where that is */
    uint32_t per_hop_end;      /* end of the headers every fragment must repeat: through the routing header (RFC 8200 §4.5) */
    uint32_t per_hop_next_at;  /* of the octet that names what follows them */
    bool has_fragment_header;
    uint32_t fragment_at;      /* the fragment header's own offset */
    uint32_t fragment_next_at; /* of the octet that announces it */
    uint32_t fragment_offset, fragment_id;
    bool more_fragments;
};

/* Walks the headers of the len octets of an IPv6 packet, at least IP6_HEADER_LEN. Stops at what is no extension header, and behind
 * the header of a fragment proper (an atomic fragment is walked through, RFC 6946). PKT_ERR_IP_EXTENSION: a header runs past the
 * end, or hop-by-hop options stand elsewhere than first (RFC 8200 §4.1); then end is where that header begins. */
enum pkt_error ip6_walk(const uint8_t *bytes, uint32_t len, struct ip6_chain *out);

#endif

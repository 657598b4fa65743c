/* The neighbour layer between IP packets and Ethernet frames: one station on a link, with a MAC address and a set of IP addresses.
 * It answers ARP and neighbour solicitations for them, finds out its neighbours' MAC addresses, wraps and unwraps. Sans-I/O. */
#ifndef TCPASSAY_TARGETS_TAP_ETHER_H
#define TCPASSAY_TARGETS_TAP_ETHER_H

#include "engine/packet/ethernet.h"

enum {
    ETHER_RANGES_MAX = 8,
    ETHER_NEIGHBOURS_MAX = 64,     /* the one not used for longest makes way */
    ETHER_HELD_MAX = 128,          /* packets waiting for their neighbour's address; the newest is dropped beyond */
    ETHER_REPLIES_MAX = 64,        /* frames waiting for ether_next(); the newest is dropped beyond */
    ETHER_SOLICITATIONS_MAX = 3,   /* unanswered, then the neighbour is given up (RFC 4861 §10: MAX_MULTICAST_SOLICIT) */
};
#define ETHER_RETRANSMIT_NS INT64_C(1000000000) /* between them (RFC 4861 §10: RETRANS_TIMER) */

/* count addresses from first on, counting up the last four octets. */
struct ether_range {
    struct pkt_addr first;
    uint32_t count;
};
bool ether_range_holds(const struct ether_range *range, const struct pkt_addr *addr);

struct ether_config {
    struct eth_addr mac;
    struct ether_range ranges[ETHER_RANGES_MAX]; /* our addresses */
    unsigned range_count;
    bool peer_known;                /* every unicast packet goes to this neighbour, whatever its address; nothing is ever asked */
    struct eth_addr peer_mac;
    struct pkt_addr broadcast;      /* the link's IPv4 broadcast address, beside 255.255.255.255; version 0: none */
};

struct ether_counters {             /* what became of everything that did not get through */
    uint64_t malformed;             /* frames, ARP or ND that could not be read */
    uint64_t foreign;               /* for another station, another address, or of another protocol */
    uint64_t unresolved;            /* packets dropped because their neighbour did not answer */
    uint64_t overflowed;            /* packets or replies dropped at one of the bounds above */
};

struct ether;
/* NULL: out of memory. *config is copied. */
struct ether *ether_new(const struct ether_config *config);
void ether_free(struct ether *e);

/* Wraps one IP packet, perhaps a malformed one, into the frame to be written now, and returns its length. 0 when it was kept until
 * its neighbour's address is known: ether_next() then gives it. -EMSGSIZE: longer than capacity; -EHOSTUNREACH: too damaged to tell
 * where to; -ENOBUFS: dropped, see ETHER_HELD_MAX. */
ssize_t ether_wrap(struct ether *e, const uint8_t *packet, size_t len, int64_t now_ns, uint8_t *out, size_t capacity);

/* Takes one frame off the link. True when it carries an IP packet to one of our addresses: *packet points into frame. Anything else
 * is dealt with here; call ether_next() afterwards. */
bool ether_unwrap(struct ether *e, const uint8_t *frame, size_t len, const uint8_t **packet, size_t *packet_len);

/* The next frame to be written: a reply, a solicitation that has become due, a packet that waited. 0 when there is none. One longer
 * than capacity is dropped: ETH_HEADER_LEN + PKT_BYTES_MAX holds any. */
ssize_t ether_next(struct ether *e, int64_t now_ns, uint8_t *out, size_t capacity);

/* When ether_next() may have something although nothing was put in; INT64_MAX for never. */
int64_t ether_deadline(const struct ether *e);

/* Begins to look for a neighbour, in the name of one of our addresses, unless it is known or looked for already; ether_next() has
 * the solicitations. Given up after ETHER_SOLICITATIONS_MAX. */
void ether_ask(struct ether *e, const struct pkt_addr *asker, const struct pkt_addr *neighbour, int64_t now_ns);
/* True with *mac when the neighbour is known. */
bool ether_find(struct ether *e, const struct pkt_addr *addr, struct eth_addr *mac);
/* Forgets all neighbours: one that comes back may have another MAC address. What waits for them is dropped. */
void ether_forget(struct ether *e);
/* From now on every unicast packet of this IP version (4 or 6) goes to mac, whatever its address, and damaged packets too. NULL
 * ends that. */
void ether_set_peer(struct ether *e, uint8_t version, const struct eth_addr *mac);

struct ether_counters ether_counters(const struct ether *e);

#endif

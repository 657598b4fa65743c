/* A packet on its way through the saboteur: the fields it stood with, and functions that change it and mend its checksums. */
#ifndef TCPASSAY_TARGETS_SABOTEUR_SEGMENT_H
#define TCPASSAY_TARGETS_SABOTEUR_SEGMENT_H

#include "engine/packet/packet.h"

struct connection;

/* Options can be added: so much more than the packet itself must fit. */
enum { SEGMENT_BYTES_MAX = PKT_BYTES_MAX + PKT_TCP_OPTIONS_MAX };

struct segment {
    uint8_t *bytes;            /* room for SEGMENT_BYTES_MAX */
    size_t len;
    struct packet packet;      /* of bytes; the functions below keep it true */
    struct connection *connection; /* which it belongs to, of an ICMP error: the quoted segment's; NULL: none that is known */
    int64_t now_ns;

    /* Facts from before it passed (see track.h); false without a connection. From the IUT: */
    bool retransmission;       /* of a SYN, SYN-ACK, data or FIN: all of it was sent before */
    bool answers_at_once;      /* something from the tester came just before */
    bool answers_unacceptable; /* a pure ACK, and what came last was not acceptable: a challenge ACK */
    bool probe;                /* of a zero window */
    bool keepalive;
    /* From the tester: */
    bool established;          /* both SYNs had been acknowledged, and no end was seen */
    bool acceptable;           /* its sequence numbers are within the receive window (RFC 9293 §3.10.7.4, Table 6) */
    bool ack_acceptable;       /* it acknowledges something between SND.UNA and SND.NXT; our SYN, while that is not acknowledged */

    /* Decisions. */
    bool dropped;
    int64_t delay_ns;
};

/* Takes a copy of a packet into segment->bytes, which is set already, and reads it. */
void segment_read(struct segment *segment, const uint8_t *bytes, size_t len);

/* ---- what it is */

static inline bool segment_is_tcp(const struct segment *s) { return s->packet.kind == PKT_KIND_TCP; }
static inline bool segment_has(const struct segment *s, uint16_t flags) { return segment_is_tcp(s) && (s->packet.tcp.flags & flags) == flags; }
static inline bool segment_has_any(const struct segment *s, uint16_t flags) { return segment_is_tcp(s) && (s->packet.tcp.flags & flags); }
static inline bool segment_is_syn(const struct segment *s) { return segment_has(s, PKT_SYN) && !segment_has_any(s, PKT_ACK | PKT_RST); }
static inline bool segment_is_synack(const struct segment *s) { return segment_has(s, PKT_SYN | PKT_ACK) && !segment_has_any(s, PKT_RST); }
static inline bool segment_is_fin(const struct segment *s) { return segment_has(s, PKT_FIN) && !segment_has_any(s, PKT_SYN | PKT_RST); }
static inline bool segment_is_data(const struct segment *s)
{
    return segment_is_tcp(s) && s->packet.tcp.payload_len > 0 && !segment_has_any(s, PKT_SYN | PKT_RST);
}
/* An ACK that is nothing else; of the IUT's, no probe either. */
static inline bool segment_is_pure_ack(const struct segment *s)
{
    return segment_has(s, PKT_ACK) && !segment_has_any(s, PKT_SYN | PKT_FIN | PKT_RST) && s->packet.tcp.payload_len == 0 && !s->probe &&
           !s->keepalive;
}
/* An ICMP message that is no echo, no neighbour discovery and such: one about a packet. */
bool segment_is_icmp_error(const struct segment *segment);

/* ---- changing it. A checksum that was right is right afterwards, one that was wrong stays wrong. All are for TCP segments. */

void segment_set_seq(struct segment *segment, uint32_t seq);
void segment_set_ack(struct segment *segment, uint32_t ack);
void segment_set_flags(struct segment *segment, uint16_t flags); /* the reserved nibble stays as it is */
void segment_set_window(struct segment *segment, uint16_t window);
void segment_set_urgent(struct segment *segment, uint16_t urgent);
void segment_raise_source(struct segment *segment); /* the address after this one */
void segment_set_tos(struct segment *segment, uint8_t tos); /* the traffic class in IPv6 */
void segment_set_ttl(struct segment *segment, uint8_t ttl); /* the hop limit */
void segment_set_reserved(struct segment *segment, uint8_t nibble); /* the bits between data offset and flags */
void segment_spoil_ip_checksum(struct segment *segment); /* IPv6 has none, and stays as it is */
void segment_set_payload_octet(struct segment *segment, uint32_t index, uint8_t octet);
void segment_append_octet(struct segment *segment, uint8_t octet); /* behind the payload */
void segment_spoil_checksum(struct segment *segment);
void segment_mend_checksum(struct segment *segment);

/* Is there such an option, and where does its data lie? Of several the first. Nothing after an illegal option counts. */
bool segment_find_option(const struct segment *segment, uint8_t kind, struct pkt_option *out);
/* Writes a number in network order over an option's data, from data_offset on. Ignored when the option is shorter. */
void segment_set_option16(struct segment *segment, const struct pkt_option *option, uint8_t data_offset, uint16_t value);
void segment_set_option32(struct segment *segment, const struct pkt_option *option, uint8_t data_offset, uint32_t value);
void segment_set_option8(struct segment *segment, const struct pkt_option *option, uint8_t data_offset, uint8_t value);
/* Adds `by` to each edge of each SACK block. */
void segment_shift_sack(struct segment *segment, uint32_t by);
/* Other options instead, 40 octets at most: padded with zeros to a multiple of four. A packet that would grow past what IP can say
 * stays. */
void segment_set_options(struct segment *segment, const uint8_t *options, uint8_t len);
/* Takes out every option of this kind, and the no-operations that aligned them. */
void segment_remove_option(struct segment *segment, uint8_t kind);
/* Puts an option behind the others. Where 40 octets do not hold them all the segment stays as it is. */
void segment_add_option(struct segment *segment, uint8_t kind, const uint8_t *data, uint8_t data_len);
/* Puts raw octets there, however illegal. Where 40 octets do not hold them and the options that are there, only they are left. */
void segment_add_raw_options(struct segment *segment, const uint8_t *octets, uint8_t len);
void segment_add_timestamp(struct segment *segment, uint32_t val, uint32_t ecr);

/* ---- of an ICMP error: the quoted TCP header's ports and number */

/* False when it quotes no TCP segment. */
bool segment_quoted(const struct segment *segment, struct packet *quoted);
void segment_set_quoted_seq(struct segment *segment, uint32_t seq);

#endif

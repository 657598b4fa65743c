/* A tester endpoint: one address and port on our side of a connection, with the two numberings that a scenario's relative numbers
 * need.
 *
 * A scenario counts from each side's SYN; the wire counts from the initial sequence numbers. An endpoint knows both ISNs as soon as
 * they are seen and is the only place where one is turned into the other. It also keeps what a well-behaved peer would keep, so
 * that a scenario may leave numbers out: what we sent last, and what has come from the IUT in order.
 *
 * Payload is a *pattern*: the octet at stream offset n is a function of n, the direction and the endpoint, so that any loss,
 * doubling or displacement of data shows, on the wire and at the application, without either side storing what was sent.
 */
#ifndef TCPASSAY_RUNNER_ENDPOINT_H
#define TCPASSAY_RUNNER_ENDPOINT_H

#include "engine/packet/packet.h"
#include "engine/packet/seq.h"
#include "engine/packet/state.h"

enum { ENDPOINT_RANGES_MAX = 64 };

struct seq_range { uint32_t left, right; }; /* half-open */

struct endpoint {
    unsigned slot;                /* of the scenario's endpoint table */
    int64_t subscript;            /* @flood[7]: 7; 0 without one */
    struct pkt_endpoint tester, iut;
    struct pkt_addr alias;        /* what we last claimed our address to be (with ip.src): replies go there. version 0: never did */
    bool iut_port_known;

    uint32_t isn_base;            /* what a script's SYN number is added to */
    uint32_t tester_isn, iut_isn;
    bool tester_isn_known, iut_isn_known;
    bool tester_renumbers, iut_renumbers; /* an `incarnation` step: the next SYN of this side sets its ISN anew */
    bool iut_restarts;            /* … and with the IUT's SYN, or the connect() before it, the application's stream begins anew */

    uint32_t snd_nxt;             /* after the last octet we sent, absolute */
    uint32_t snd_una;             /* what the IUT acknowledged last, absolute; our SYN's number until it has */
    uint32_t rcv_nxt;             /* after the last octet the IUT sent in order, absolute */
    uint32_t acked;               /* highest acknowledgment we sent */
    struct seq_range ranges[ENDPOINT_RANGES_MAX]; /* what came from the IUT, merged, ascending */
    unsigned range_count;
    bool ranges_overflow;         /* more gaps than ENDPOINT_RANGES_MAX: the newest data was not noted */

    uint16_t window;              /* the IUT's last, as stated */
    uint8_t window_shift;         /* its scale, once both SYNs carried the option */
    bool tester_offered_scale, iut_offered_scale;
    uint8_t iut_scale;
    uint32_t ts_recent;           /* the IUT's last TSval */
    uint32_t ts_base;             /* strict scenarios: what to add to the script's TSval of the IUT to get the one on the wire … */
    bool ts_base_known;           /* … learned, as packetdrill does, from the first that is compared */

    enum tcp_state state;         /* last revealed by the target */
    bool state_known;

    uint64_t iut_written;         /* octets the application was made to write to its last connection, all of them pattern … */
    bool iut_pattern_broken;      /* … unless it wrote something else */
    unsigned tester_streams;      /* how often we have begun to count ours anew */
    bool tester_pattern_broken;   /* we injected other octets than the pattern, or urgent data */
};

/* Is this where the IUT would answer to, be it by an address that is not really ours? */
bool endpoint_is_at(const struct endpoint *e, const struct pkt_addr *addr, uint16_t port);
/* The pattern's octet at a stream offset. */
uint8_t endpoint_pattern(const struct endpoint *e, bool from_tester, uint64_t offset);
void endpoint_fill_pattern(const struct endpoint *e, bool from_tester, uint64_t offset, uint8_t *out, size_t len);

/* Script number → wire number. Before an ISN is known the script's numbers are absolute. */
uint32_t endpoint_tester_wire(const struct endpoint *e, int64_t script);
uint32_t endpoint_iut_wire(const struct endpoint *e, int64_t script);
/* Wire number → script number: signed around the ISN once that is known, else as it stands. */
int64_t endpoint_tester_script(const struct endpoint *e, uint32_t wire);
int64_t endpoint_iut_script(const struct endpoint *e, uint32_t wire);

/* An `incarnation` step: a new connection is to come on the same ports. Until its SYNs do, everything is as it was. */
void endpoint_expect_incarnation(struct endpoint *e);
/* The application has asked for a connection: what it writes from now on belongs to that. */
void endpoint_begin_stream(struct endpoint *e);
/* Notes a segment that we send: sets the ISN on the first SYN, follows SND.NXT. */
void endpoint_note_sent(struct endpoint *e, const struct pkt_tcp *tcp);
/* Notes a segment of the IUT: its port, ISN, data, window, scale and timestamp. */
void endpoint_note_received(struct endpoint *e, const struct pkt_tcp *tcp);
/* Has all of [left, right) come? */
bool endpoint_has_received(const struct endpoint *e, uint32_t left, uint32_t right);
/* Offset of the first octet in which the payload differs from the IUT's stream, or -1. Octets that the application did not write,
 * or that we have acknowledged already (a keep-alive's garbage octet, RFC 9293 §3.8.4), are not compared. */
int64_t endpoint_stream_mismatch(const struct endpoint *e, const struct pkt_tcp *tcp);

/* The IUT's window in octets. */
uint32_t endpoint_window(const struct endpoint *e);

#endif

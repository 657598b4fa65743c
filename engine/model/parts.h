/* What each watching part of a judge remembers (see inside.h for what the parts are). One struct a part; it starts zeroed, and only its
 * own part touches it. */
#ifndef TCPASSAY_MODEL_PARTS_H
#define TCPASSAY_MODEL_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/model/octets.h"

struct judge;
struct segment;
struct judge_call;
struct packet;

/* ---- lossy.c */
struct lossy_ack { /* an acknowledgment of what was not seen: the capture missed it, or it was never sent */
    bool waiting;
    uint32_t ack, nxt;           /* what it acknowledges, and what had been seen until then */
    int64_t at_ns;
    uint32_t index;
    char *observed;              /* the segment in words; owned */
};
struct lossy_watch {
    struct lossy_ack of_iut;     /* the IUT's, of its peer's octets: perhaps a violation */
    struct lossy_ack of_peer;    /* the peer's, of the IUT's octets */
    int64_t syn_ns, syn_ack_ns, rtt_ns; /* of the handshake, past the capture and back; 0: not known */
    bool own_rst_seen, handshake_clean;
    uint32_t own_rst;            /* SEG.SEQ of the RST that ended a synchronized connection */
    bool other_syn;              /* a SYN of the IUT with another ISS than the one before … */
    uint32_t other_iss, other_index;
    int64_t other_ns;
    char *other_observed;        /* … in words; owned */
    bool syn_since_syn_ack;      /* the peer's SYN came (again) after the last SYN,ACK */
    uint32_t repeated_seq, repeated_end; /* data of the peer that comes again and again … */
    unsigned repeats, answered;  /* … how often, and after how many of them the IUT sent something without taking it */
    bool waiting_for_answer;
    int64_t repeated_since_ns;
    uint32_t repeated_index, taken_len, trying_len, trying_end;
};

/* ---- header.c */
struct header_watch { bool nothing; };
void header_output(struct judge *j, const struct segment *s);

/* ---- options.c */
struct options_watch { bool nothing; };
void options_output(struct judge *j, const struct segment *s);

/* ---- timestamps.c */
struct timestamps_watch { bool nothing; };
void timestamps_input(struct judge *j, const struct segment *s);
void timestamps_output(struct judge *j, const struct segment *s);

/* ---- sack.c */
struct sack_watch { bool nothing; };
void sack_input(struct judge *j, const struct segment *s);
void sack_output(struct judge *j, const struct segment *s);

/* ---- ecn.c */
struct ecn_watch { bool nothing; };
void ecn_input(struct judge *j, const struct segment *s);
void ecn_output(struct judge *j, const struct segment *s);

/* ---- content.c */
struct content_watch {
    struct octets out;           /* what the IUT sends, from SEND or first transmission until it is acknowledged */
    struct octets in;            /* what the peer sends, until the application receives it */
    bool in_mixed;               /* the peer sent two different octets under one number, or urgent data: what is received is not compared */
    bool ended;                  /* a RST came in */
};
enum { CALLS_URGENT_MAX = 4 };
struct calls_watch { /* of the connection that was last opened or accepted; a new incarnation on the wire does not reset it */
    uint64_t sent, received;     /* octets */
    uint32_t urgent_ends[CALLS_URGENT_MAX]; /* offsets in the stream after urgent SENDs */
    unsigned urgent_count;       /* ever */
    bool push_withheld;          /* TCP_CORK, MSG_MORE: the application has pushing in its own hands */
    bool failed;                 /* an error was told */
};
void content_input(struct judge *j, const struct segment *s);
void content_output(struct judge *j, const struct segment *s);
void content_call(struct judge *j, const struct judge_call *call, int64_t at_ns);
void content_release(struct judge *j); /* frees what it allocated */

/* ---- timing.c */
struct timing_watch { bool nothing; };
void timing_input(struct judge *j, const struct segment *s);
void timing_output(struct judge *j, const struct segment *s);
void timing_call(struct judge *j, const struct judge_call *call, int64_t at_ns);
void timing_time(struct judge *j, int64_t now_ns);
int64_t timing_deadline(const struct judge *j); /* INT64_MAX: never */

/* ---- icmp.c */
struct icmp_watch { bool nothing; };
void icmp_input(struct judge *j, const struct packet *packet, int64_t at_ns, uint32_t index); /* an ICMP error that quotes this pair */
void icmp_output(struct judge *j, const struct segment *s);
void icmp_call(struct judge *j, const struct judge_call *call, int64_t at_ns);
void icmp_time(struct judge *j, int64_t now_ns);

/* Every part anew, for a new incarnation of the connection. */
void parts_reset(struct judge *j);

#endif

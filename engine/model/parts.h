/* What each watching part of a judge remembers (see inside.h for what the parts are). One struct a part; it starts zeroed, and only
 * its own part touches it. */
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
struct lossy_claim { /* of octets that were not seen: the capture missed them, or they were never sent */
    uint32_t low, end, nxt;      /* what is claimed, and what had been seen until then */
    int64_t at_ns;
    uint32_t index, id;
    bool has_ts, ts_fresh;       /* its TSval; fresh: no segment before had it */
    uint32_t ts;
    bool brings_new;             /* octets of the claimant, from sent_before on */
    uint32_t sent_before;
    bool edge_known, beyond_window; /* beyond: nobody may have sent it */
    bool interrupted;            /* something came since that may have been sent before */
    uint32_t edge;               /* the highest that the claimant has granted */
    char *observed;              /* the segment in words; owned */
};
struct lossy_trail { /* see lossy_trail.c */
    uint64_t seen;               /* bit n: the packet with the number id - n has come … */
    uint32_t id, seq;
    unsigned span, counted;      /* … for so many of them; how often the numbers have gone on */
    bool known, from_syn, syn;   /* since the SYN none is missing that seen no longer tells of; the last was a SYN */
};
struct lossy_watch {
    struct lossy_claim *ack_of_iut, *sack_of_iut; /* the IUT's, of its peer's octets: perhaps a violation; NULL: none. Owned */
    struct lossy_claim *ack_of_peer; /* the peer's, of the IUT's octets */
    int64_t in_new_ns, out_new_ns; /* when the last new octets of each side came; 0: none */
    int64_t syn_ns, syn_ack_ns, rtt_ns; /* of the handshake, past the capture and back; 0: not known */
    struct lossy_trail trail_in, trail_out; /* of the packets of each direction */
    struct lossy_excess {        /* data beyond the window, if no ACK was missed: the peer's next packet will tell */
        bool waiting;
        uint32_t edge, end, index, id;
        int64_t at_ns;
        char *observed;          /* owned */
    } excess;
    bool own_rst_seen, handshake_clean, again; /* again: there was an incarnation before this one */
    bool claim_known;
    uint32_t claim;              /* the highest SEG.ACK of the IUT, doubtful ones included */
    uint32_t own_rst;            /* SEG.SEQ of the RST that ended a synchronized connection */
    bool other_syn;              /* a SYN of the IUT with another ISS than the one before … */
    uint32_t other_iss, other_index;
    int64_t other_ns;
    char *other_observed;        /* … in words; owned */
    bool syn_since_syn_ack;      /* the peer's SYN came (again) after the last SYN,ACK */
    uint32_t repeated_seq, repeated_end; /* data of the peer that comes again and again … */
    unsigned repeats, answered;  /* … how often, and after how many of them the IUT sent something without taking it */
    unsigned echoed;             /* how often its own timestamp came back, so that it has arrived */
    uint32_t repeated_ts;
    bool waiting_for_answer, repeated_ts_fresh; /* fresh: the timestamp is its own, no other segment before had it */
    int64_t repeated_since_ns;
    uint32_t repeated_index, taken_len, trying_len, trying_end;
};

/* ---- header.c */
/* False when it is damaged (a wrong checksum): on a lossy link, where that may have happened on the way, nothing else in it can be
 * believed. */
bool header_output(struct judge *j, const struct segment *s);

/* ---- options.c */
struct options_watch {
    bool peer_wscale;            /* a SYN of the peer had it */
    bool peer_no_mss;            /* a SYN of the peer was without */
    uint16_t peer_mss;           /* the largest of those in the peer's SYNs; 0: none had it */
};
void options_input(struct judge *j, const struct segment *s);
void options_output(struct judge *j, const struct segment *s);
/* Does this SYN,ACK acknowledge the SYN of the peer that facts.c knows? */
bool options_answers_syn(const struct judge *j, const struct segment *s);

/* ---- timestamps.c */
struct ts_bounds { /* timestamps from low to high, both inclusive */
    bool known;
    bool wide;                   /* too far apart to be compared */
    uint32_t low, high;
};
struct timestamps_watch {
    bool own_with, own_without, peer_with, peer_without; /* SYNs with and without the option were seen */
    bool own_syn;                /* the IUT has sent a SYN without ACK */
    bool floor_known, clock_known, last_has;
    int64_t recent_ns;           /* when TS.Recent may last have been set */
    int64_t seen_ns, first_seen_ns; /* when the last and the first TSval of the peer were seen */
    bool echoed_known;
    uint32_t echoed;             /* the highest TSecr */
    uint32_t floor_id;           /* IPv4 identification of the segment that set floor */
    bool bearer;                 /* a segment that may bear the octets at Last.ACK.sent has come */
    bool bearer_unclear;         /* one of those would not raise TS.Recent */
    bool bearer_fills_hole;
    uint32_t bearer_val;         /* the lowest TSval of those */
    uint32_t floor;              /* no later TSval may be below */
    uint32_t floor_new;          /* … nor that of new data below this, which came with new data too: what is sent again may overtake it */
    struct ts_bounds seen;       /* TSvals of the peer */
    struct ts_bounds recent;     /* TS.Recent, where nothing is lost or overtaken */
    uint32_t clock_val;          /* the last TSval sent … */
    int64_t clock_ns;            /* … first at this time */
    uint32_t last_val;           /* TSval of the last input, when last_has */
};
void timestamps_input(struct judge *j, const struct segment *s);
void timestamps_output(struct judge *j, const struct segment *s);
/* "If the connection has been idle more than 24 days", TS.Recent counts no longer (RFC 7323 §5.5). */
static const int64_t timestamp_outdated_ns = 24LL * 86400 * 1000000000;
/* Is this TSval of the peer perhaps below TS.Recent? */
bool timestamps_may_be_old(const struct judge *j, uint32_t ts_val);

/* ---- sack.c */
struct sack_watch {
    bool peer_permitted;         /* a SYN of the peer had SACK-permitted */
    bool trigger;                /* the last input was new data out of order: left to right */
    bool duplicate;              /* the last input was data that had come before */
    uint32_t left, right;
};
void sack_input(struct judge *j, const struct segment *s);
void sack_output(struct judge *j, const struct segment *s);

/* ---- ecn.c */
struct ecn_watch {
    uint8_t own_syns, own_answers, peer_syns, peer_answers; /* combinations of AE, CWR and ECE in SYNs and SYN,ACKs: a bit each */
    uint8_t mode;                /* what follows from them: ecn.c */
    bool ce_seen;                /* the peer's packets came with CE */
    bool echo_due;               /* the ACK that covers echo_end is to have ECE */
    bool echo_standing;          /* every segment is to have ECE until CWR comes */
    uint32_t echo_end;
};
void ecn_input(struct judge *j, const struct segment *s);
void ecn_output(struct judge *j, const struct segment *s);
/* Does AccECN (RFC 9768) explain that AE is set? *needs: what must be true for "no" to hold. */
bool ecn_explains_ae(const struct judge *j, const struct segment *s, unsigned *needs);

/* ---- content.c */
struct content_watch {
    struct octets out;           /* what the IUT sends, from SEND or first transmission until it is acknowledged */
    struct octets in;            /* what the peer sends, until the application receives it */
    bool attached;               /* the application's calls are about this incarnation: it asked for it, or has accepted it */
    bool in_mixed;               /* the peer sent two different octets under one number, or urgent data: what is received is not compared */
};
enum { CALLS_URGENT_MAX = 4 };
struct calls_watch { /* what the application was told and asked for; a new incarnation on the wire does not reset it */
    uint64_t sent, received;     /* octets, of the connection that was last opened or accepted, as the next two */
    uint32_t urgent_ends[CALLS_URGENT_MAX]; /* offsets in the stream after urgent SENDs */
    unsigned urgent_count;       /* ever */
    bool failed;                 /* an error was told */
    bool push_withheld;          /* TCP_CORK, MSG_MORE: the application has pushing in its own hands */
    bool discovery_configured;   /* IP_MTU_DISCOVER: how the path MTU counts */
    bool timers_configured;      /* options that change retransmission or giving up */
    bool keep_alive_asked;
    bool keep_idle_any;          /* an interval of 0 */
    int64_t keep_idle_s;         /* the shortest interval asked for; 0: none */
};
void content_input(struct judge *j, const struct segment *s);
void content_output(struct judge *j, const struct segment *s);
void content_call(struct judge *j, const struct judge_call *call, int64_t at_ns);
void content_release(struct judge *j); /* frees what it allocated */
void content_forget_stream(struct judge *j); /* what the application was told and asked for was of a connection before this one */

/* ---- timing.c */
struct timing_watch { /* see timing.c for the words */
    bool flying, armed, configured;
    uint8_t kind;                /* enum flight_kind */
    bool sent_known, undisturbed; /* when the head was last sent; nothing came in since */
    bool syn_lost;               /* a SYN was sent again after less than three seconds */
    uint32_t head;
    unsigned events;             /* segments in, and calls */
    unsigned flights, transmissions; /* of the head */
    unsigned intervals;          /* between them, made by the timer, one after the other */
    unsigned errors_before;      /* ICMP errors up to the last of them */
    int64_t first_ns, sent_earliest_ns, sent_ns;
    int64_t longest_wait_ns;     /* for an ACK that came in the end */
    int64_t sure_first_ns;       /* first_ns of the last head that no ACK which the IUT may have refused has moved */
    int64_t interval_ns, interval_max_ns; /* the last one at least, the longest at most */
    uint32_t rtt_mark;
    int64_t rtt_from_ns, rtt_mark_ns, rtt_max_ns;
    int64_t stirred_ns;          /* the last event that may have moved a timer */
    int64_t heard_ns;            /* the last segment in order */
    bool heard;
    bool probe_answered;
    unsigned probes;             /* of the closed window */
    int64_t window_closed_ns, probe_ns, probe_interval_ns; /* the last probe, the first interval */
    bool initial_window_noted;
    bool ack_wanted, ack_outstanding; /* the last input has sequence numbers; the one before had, and no ACK since */
    bool ack_since_input;        /* a pure ACK was sent since the last input or call: these are its fields */
    uint8_t ack_blocks;
    uint16_t ack_window, ack_flags;
    uint32_t ack_ack, ack_left, ack_right;
    unsigned unacked;            /* segments with data that came in order since the last ACK, the first of them at */
    int64_t unacked_ns;
};
void timing_input(struct judge *j, const struct segment *s);
void timing_output(struct judge *j, const struct segment *s);
void timing_call(struct judge *j, const struct judge_call *call, int64_t at_ns);
void timing_time(struct judge *j, int64_t now_ns);
int64_t timing_deadline(const struct judge *j); /* INT64_MAX: never */

/* ---- choices.c */
struct choices_watch {
    uint8_t question;            /* enum choice_id that the next output answers; CHOICE_COUNT: none */
    uint32_t gap_end, kept_end;  /* of a segment that closed a gap: its end, and that of what lay behind it */
};
void choices_input(struct judge *j, const struct segment *s);
void choices_call(struct judge *j, const struct judge_call *call);
void choices_output(struct judge *j, const struct segment *s);
void choices_silence(struct judge *j); /* nothing follows at once */

/* ---- icmp.c */
struct icmp_watch {
    unsigned count;              /* ICMP errors that came */
    bool hard;                   /* one of them may have ended the connection */
    bool unheeded;               /* the last of them must not */
    uint8_t reason;              /* enum icmp_reason: why */
    bool opening;                /* it came before the connection was open */
    unsigned events;             /* how many the timing had seen by then */
    uint32_t index;
    int64_t at_ns;
    uint32_t largest;            /* octets of the largest packet sent */
    bool reduced;                /* a message that a packet was too big is in force, or pending */
    uint8_t resent;              /* how often the segment it quoted was sent again, up to RESENT_IN_FORCE */
    uint32_t mtu, quoted;        /* what it said; SEG.SEQ of that segment */
    int64_t reduced_ns;
};
void icmp_input(struct judge *j, const struct packet *packet, int64_t at_ns, uint32_t index); /* an ICMP error that quotes this pair */
void icmp_output(struct judge *j, const struct segment *s);
void icmp_call(struct judge *j, const struct judge_call *call, int64_t at_ns);

/* Every part anew, for a new incarnation of the connection. */
void parts_reset(struct judge *j);

#endif

/* What can be told from outside about each connection of the IUT: numbers, windows, options, what came last.
 *
 * Numbers are the IUT's own (before a fault alters what it sends, after a fault has altered what it is sent). SND.NXT is the end of
 * what it has sent, RCV.NXT what it last acknowledged, or the end of what has come in order since. A record begins with a SYN in
 * either direction and with each new ISN of the IUT. Of CONNECTIONS_MAX records the one that rested longest makes room. */
#ifndef TCPASSAY_TARGETS_SABOTEUR_TRACK_H
#define TCPASSAY_TARGETS_SABOTEUR_TRACK_H

#include "targets/saboteur/segment.h"

enum { CONNECTIONS_MAX = 512 };
#define ANSWERS_AT_ONCE_NS INT64_C(50000000) /* less than any retransmission timer */

struct offer { /* what the tester's SYN said */
    bool wscale, sack, timestamp;
    uint8_t wscale_shift;
};

struct connection {
    struct pkt_endpoint iut, tester;
    uint64_t used;                 /* when, by the count of packets */
    bool has_iss, has_irs;         /* the ISN of the IUT, the tester's as the IUT took it, are known */
    bool closed;                   /* a RST ended it, unless the IUT goes on sending */
    bool fin_sent, data_arrived;
    uint32_t iss, irs, snd_una, snd_nxt, rcv_nxt;
    uint32_t rcv_wnd;              /* octets */
    uint16_t last_window;          /* as in the last segment that was no SYN */
    bool zero_window, probed;      /* the tester's; probed at all */
    uint32_t snd_wnd_max;          /* the largest it offered, octets (MAX.SND.WND of RFC 5961) */
    uint8_t iut_wscale;
    bool iut_offers_wscale;
    unsigned syns, synacks;        /* sent */
    struct offer offer, last_offer; /* of the SYN that made the connection, and of the last SYN that came */
    bool has_gap;                  /* data came out of order, and this was the last of it: */
    uint32_t gap_left, gap_right;
    bool has_ts_sent;
    uint32_t first_ts_sent, last_ts_sent;
    bool has_ts_recent;
    uint32_t ts_recent;
    int64_t arrived_ns;            /* when the last segment from the tester came */
    bool unacceptable_came;        /* and that was not acceptable: a SYN, a RST off RCV.NXT, numbers outside */

    uint32_t isn_shift;            /* faults: how far on the ISN is shown … */
    unsigned shrunk;               /* … how often the window was … */
    bool has_ts_echoed, ece_sent;  /* … the first echoes of the connection */
    uint32_t first_ts_echoed;
    bool denied;                   /* … the application is told that there is none */
};

struct tracker {
    struct connection *connections; /* CONNECTIONS_MAX of them */
    unsigned count;
    uint64_t packets;
    void (*forgotten)(void *context, struct connection *connection); /* a record makes room, or begins anew */
    void *context;
};

bool tracker_init(struct tracker *tracker, void (*forgotten)(void *context, struct connection *connection), void *context);
void tracker_release(struct tracker *tracker);

/* Sets segment->connection. A SYN begins a record where there was none. */
void track_find(struct tracker *tracker, struct segment *segment, bool from_iut);
/* The record of the connection between these two, or NULL. */
const struct connection *track_lookup(const struct tracker *tracker, const struct pkt_endpoint *iut,
                                      const struct pkt_endpoint *tester);
/* Fills in the facts of segment. */
void track_judge_sent(struct segment *segment);
void track_judge_arriving(struct segment *segment);
/* The IUT sent it; it reached the IUT. Only where segment->connection is set. */
void track_sent(struct tracker *tracker, struct segment *segment);
void track_arrived(struct segment *segment);

#endif

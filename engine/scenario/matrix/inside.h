/* Inside the matrix: what ways in, events and the script share. Included by engine/scenario/matrix's own files only.
 *
 *   ways.c    how to get into each state (§3.5, §3.6)        events.c  which segments arrive there (§3.10.7), as classes
 *   script.c  a way and its events as the text of a .pkt     matrix.c  the text as a scenario whose sub-tests have readable names
 */
#ifndef TCPASSAY_SCENARIO_MATRIX_INSIDE_H
#define TCPASSAY_SCENARIO_MATRIX_INSIDE_H

#include "engine/scenario/matrix/matrix.h"

#include <stdio.h>

/* ---- ways in ----------------------------------------------------------------------------------------------------- */

enum event_set { /* which events arrive: see the tables in events.c */
    EVENTS_CONNECTED,       /* there is a window: every flag set meets every sequence class, and products where checks interact */
    EVENTS_CONNECTED_SHORT, /* the same state, reached otherwise: what could differ */
    EVENTS_CONNECTED_FEW,   /* the same again, over IPv6 */
    EVENTS_SMALL_WINDOW,    /* a window that one segment fills */
    EVENTS_STAMPED,         /* timestamps are in use */
    EVENTS_SYN_SENT, EVENTS_SYN_SENT_FEW, EVENTS_NO_CONNECTION, EVENTS_NO_CONNECTION_FEW,
    EVENT_SET_COUNT
};

enum way_feature {
    WAY_ACTIVE = 1u << 0,      /* the IUT connects: needs `connect`, else `listen` */
    WAY_IPV6 = 1u << 1,
    WAY_STAMPED = 1u << 2,     /* both sides use timestamps */
    WAY_WINDOW_CLOSED = 1u << 3,
    WAY_APPLICATION = 1u << 4, /* the application still holds the connection, as descriptor 4 */
    WAY_FIN_UNACKED = 1u << 5, /* only time tells whether the event acknowledged our FIN: some cases wait for its retransmission */
};

enum { WAY_STEPS_MAX = 8 };
struct way {
    const char *name;              /* "matrix/established/passive" */
    enum tcp_state state;
    unsigned features;             /* enum way_feature */
    enum event_set events;
    uint32_t isn;                  /* the tester's */
    int una, nxt;                  /* the IUT's SND.UNA and SND.NXT when the event arrives, counted from its ISS */
    const char *steps[WAY_STEPS_MAX]; /* the preamble, piece by piece; markers as in script.c */
};

extern const struct way matrix_ways[];
extern const unsigned matrix_ways_count;

/* Markers in the text of a preamble, for what depends on whether timestamps are in use. */
#define MARK_SYN "\1"     /* the options of a SYN that the tester sends */
#define MARK_SYN_ACK "\2" /* the step that expects the SYN-ACK */
#define MARK_OPTIONS "\3" /* those of any other segment that the tester sends */

/* ---- events ------------------------------------------------------------------------------------------------------ */

struct event { /* indices into the tables of classes; by these two events are compared */
    uint8_t flags, seq, ack, octets, stamp;
};

struct segment_class { /* an event made concrete: a row of the script's table */
    char name[MATRIX_EVENT_MAX]; /* "rst/inside/no-ack/0/no-ts" */
    uint16_t flags;              /* enum pkt_flag */
    int64_t seq;                 /* from RCV.NXT, or from the right edge of the window, or as it stands on the wire */
    bool from_edge;
    int octets;                  /* of text … */
    bool whole_window;           /* … besides as many as the window has */
    int64_t ack;                 /* from the IUT's ISS, or as it stands on the wire */
    bool stamped;
    uint32_t tsval;
    int64_t tsecr;               /* beyond the IUT's last TSval */
    bool syn;                    /* begins a new incarnation if it begins anything */
    bool watched;                /* the probes wait for a retransmission first */
};

/* The events that arrive after this way in, in order; malloc'ed. NULL: out of memory. */
struct event *matrix_events(const struct way *way, unsigned *count);
void matrix_event_class(const struct way *way, const struct event *event, struct segment_class *out);
/* Are numbers as they stand on the wire, since no connection gives others a meaning? */
bool matrix_is_absolute(const struct way *way);

/* ---- script ------------------------------------------------------------------------------------------------------ */

enum { TESTER_TSVAL = 1000, PROBE_TSVAL = 2000 }; /* of the preamble, and of the probes */

/* The scenario of these events after this way in. */
void matrix_write_script(FILE *out, const struct way *way, const struct event *events, unsigned count);

#endif

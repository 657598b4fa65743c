/* The parts of the scheduler on a real clock; its own.
 *
 *   lane.c     instances, places, packets        seating.c  who plays next, and where
 *   ending.c   what becomes of a play            probing.c  who is behind an open port
 *   ../schedule_real.c  the loop
 */
#ifndef TCPASSAY_RUNNER_REAL_REAL_H
#define TCPASSAY_RUNNER_REAL_REAL_H

#include "engine/runner/open_port.h"
#include "engine/runner/schedule_internal.h"

enum { RECOVERIES_MAX = 3, UNHEARD_MAX = 16, IUT_PORT_GROUPS = 7800 };

struct waiting { /* a test that is still to be played */
    size_t test;           /* index into the schedule's tests */
    unsigned reruns;       /* because the tester, or what is between it and the IUT, failed */
    bool alone;            /* something died when it was played together with others */
    char *failed_before;   /* why it failed the first time, where a failure counts only twice; owned */
};

struct seat { /* a player and the test it plays */
    struct player *player;
    uint16_t iut_port;
    struct waiting of;
    bool troubled;         /* the link or the upper tester failed meanwhile */
};

struct real;

struct lane {
    struct real *real;
    struct target *target;
    bool exclusive, draining;
    struct seat *seats;
    unsigned seat_count, seat_capacity;
    unsigned first_port, port_blocks; /* of the tester */
    int64_t empty_ns;      /* when its link was last seen empty */
    struct player **owners; /* [tester address][port block] */
    bool iut_ports_taken[IUT_PORT_GROUPS];
    uint64_t troubles, deaths; /* of the target, so far */
    char trouble[SCHEDULE_TROUBLE_TEXT_MAX];
    unsigned capabilities; /* when it was opened */
    bool link_gone;
    bool broken;           /* nobody sits down until it is mended; tried again at mend_ns */
    bool reopening;        /* closed and opened anew as soon as nobody plays */
    bool lost;             /* nothing can be played on it any more: trouble says why */
    bool upper_lost;       /* the same of what needs an upper tester */
    unsigned recoveries_failed;
    unsigned unheard;      /* plays in a row that lost fences: beyond UNHEARD_MAX the host counts as gone */
    int64_t mend_ns;
};

struct real {
    const struct schedule *s;
    struct target_error *error;
    struct lane *lanes[SCHEDULE_LANES_MAX];
    unsigned lane_count;
    struct open_port port; /* of a target without upper tester */
    int epoll_fd;
    int64_t began_ns; /* the run */
    uint64_t next_place; /* lanes do not begin anew: where there is one host, what the last one left is still there */
    unsigned openings_failed; /* one after the other; after a few nobody tries again */
    struct waiting *shared, *exclusive; /* stacks of what is still to be played, last first */
    size_t shared_count, exclusive_count;
    size_t done, running;
    uint8_t *buffer;
    enum schedule_end end;
};

int64_t real_now_ns(void); /* CLOCK_MONOTONIC */

/* ---- lane.c */
/* An instance for this test, or, with NULL, for everybody. NULL with the error in r. */
struct lane *lane_open(struct real *r, const struct suite_test *test);
void lane_close(struct real *r, unsigned index);
/* A free place; *addresses is how many of the tester's, side by side, the scenario takes. */
struct player_place lane_deal_place(struct lane *lane, const struct scenario *scenario, unsigned *addresses);
/* Whose packets come to that place; NULL: nobody's. */
void lane_set_owner(struct lane *lane, const struct player_place *place, unsigned addresses, struct player *player);
bool *lane_iut_port_taken(struct lane *lane, uint16_t iut_port);
/* Reads all that the lane's IUT has sent. True when there was something. */
bool lane_drain(struct real *r, struct lane *lane);
/* The same in the midst of a player's run; context is the lane. */
void lane_catch_up(void *context);
/* The link is gone, or (status 0) trouble() says that something failed: what is being played proves nothing. */
void lane_troubled(struct lane *lane, int status);

/* ---- seating.c */
/* What finished() returned: non-zero stops the schedule. */
void real_stopped(struct real *r, int stop);
/* A few at a time, so that those who play already are not kept waiting. */
void real_seat_more(struct real *r);
/* Is there work for a free seat? Then nobody sleeps. */
bool real_can_seat_more(const struct real *r);

/* ---- ending.c */
/* The play in this seat is over: its result is told, or it is played again. */
void real_unseat(struct real *r, struct lane *lane, unsigned index);
/* Has the IUT died, or the link or the upper tester failed, since this was last asked? */
void real_look_after(struct real *r, struct lane *lane);

/* ---- probing.c */
/* Plays the probes on the lane that everybody shares, where they are wanted. False: out of memory. */
bool real_probe_open_port(struct real *r);

/* ---- ../schedule_real.c */
void real_loop(struct real *r);
bool real_sort_tests(struct real *r);

#endif

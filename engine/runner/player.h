/* Plays one sub-test of a scenario on one instance of a target, and says what came of it.
 *
 * A player is a small interpreter that never waits: it is told what the IUT sent (player_receive), run whenever something may have
 * changed (player_run), and says when it wants to be run though nothing came (player_deadline). So one thread plays hundreds at
 * once on a real target, and a virtual target's two hours pass in microseconds. Whoever owns the clock drives it: see schedule.h.
 *
 * Time of arrival is an interval. On a real link a segment is read some time after the IUT sent it; all that is known for sure is
 * that it was not there when the link was last found empty, and was there when it was read. A segment came too late only if its
 * earliest time is past the bound, too early only if its latest time is before it. Load on the tester widens intervals; it cannot
 * make a conforming IUT fail. Steps that the tester itself performs late are noted (player_lateness), so that the caller can play
 * again.
 */
#ifndef TCPASSAY_RUNNER_PLAYER_H
#define TCPASSAY_RUNNER_PLAYER_H

#include "engine/model/judge.h"
#include "engine/runner/target.h"
#include "engine/scenario/scenario.h"
#include "reports/results.h"

enum { PLAYER_PORTS = 1024, PLAYER_IUT_PORTS = 4 };

struct player_place { /* the part of the address space that is this player's alone while it plays */
    unsigned tester_address;  /* index of its first address among the target's tester addresses */
    uint16_t tester_port;     /* the first of PLAYER_PORTS … */
    uint16_t first_port;      /* … of which they are given out from this one on, round and round: a place that comes again has other ports */
    uint16_t iut_port;        /* the first of PLAYER_IUT_PORTS for the IUT to listen on */
    uint16_t echo_id;
};

struct player_config {
    const struct scenario *scenario; /* must outlive the player */
    unsigned variant;                /* see scn_variant() */
    const char *id;                  /* of the sub-test; copied */
    struct target *target;           /* must outlive the player */
    struct player_place place;
    uint64_t seed;
    bool strict;                     /* --strict: a SHOULD not followed fails */
    bool judged;                     /* the model judges all that the IUT sends, unless the scenario opts out */
    /* Reads what the IUT has sent by now, by player_receive(); called from within player_run(). NULL: nobody can. */
    void (*catch_up)(void *context);
    void *context;
};

struct player;
/* NULL: out of memory. now_ns is the scenario's time zero. */
struct player *player_new(const struct player_config *config, int64_t now_ns);
void player_free(struct player *player);

/* One packet of the IUT, for one of this player's endpoints (player_owns); it was emitted between the two times. The model judges
 * it now; the play sees it at the next player_run(). */
void player_receive(struct player *player, const uint8_t *bytes, size_t len, int64_t earliest_ns, int64_t latest_ns);
/* Goes on as far as possible without waiting. */
void player_run(struct player *player, int64_t now_ns);
/* When player_run() is wanted even if nothing comes; INT64_MAX once finished. */
int64_t player_deadline(const struct player *player);
bool player_finished(const struct player *player);
/* The IUT died under it: that is a failure, whatever it has come to otherwise. how: "ended by signal 11 (Segmentation fault)". */
void player_iut_died(struct player *player, const char *how);
/* Was something lost between tester and IUT, or its port taken, so that what is missing may not be the IUT's fault? */
bool player_lost_something(const struct player *player);
/* Stops it where it is: the verdict becomes `error` with this reason, unless it has one. */
void player_abort(struct player *player, const char *reason);

/* The verdict and all that belongs to it; started_ns is the now_ns of player_new(). Pointers are the player's and live as long as
 * it does. */
void player_result(struct player *player, struct result_test *out);
/* What the judges gathered: coverage and portrait. NULL: the play was not judged. */
const struct judge_host *player_judged(const struct player *player);
/* How many of the result's findings are the model's. */
size_t player_findings_of_model(const struct player *player);
/* The tester looked at the link this much after a packet for this player had come: its own steps were late too. */
void player_held_up(struct player *player, int64_t by_ns);
/* By how much the tester's own steps were late at the worst (0 in virtual time), and how much of that the scenario bears. */
int64_t player_lateness(const struct player *player);
int64_t player_lateness_borne(const struct player *player);
/* All packets of the play, as pcap (raw IP), frame numbers being the trace's segment numbers. 0, or -1 with error filled. */
int player_write_pcap(const struct player *player, const char *path, char *error, size_t error_size);

/* Is this packet of the IUT for this player? By place: the tester's address and port, the echo's id, or what an ICMP error quotes.
 */
bool player_owns(const struct player *player, const struct packet *packet);

#endif

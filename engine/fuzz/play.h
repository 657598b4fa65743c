/* Plays octets (docs/fuzz-bytes.md) on an instance of a target, fast, with the model judging.
 *
 * A *fuzz play* does what a player (engine/runner/player.h) does with the scenario that scn_bytes_decode() makes of the same
 * octets: the same packets at the same times, the same calls, the same findings. It is made of a player's parts, but takes its
 * steps from the octets themselves: no scenario is made, no text but that of findings, and nothing is allocated once it has warmed
 * up.
 *
 * As a player it never waits: whoever owns the clock tells it what came (fuzz_play_receive), runs it (fuzz_play_run), and asks when
 * it wants to be run again (fuzz_play_deadline). One that is finished is begun again (fuzz_play_begin) with other octets, for as
 * long as one likes. So hundreds play at once on a real target from one epoll loop. For virtual targets fuzz_virtual does all of
 * it.
 */
#ifndef TCPASSAY_FUZZ_PLAY_H
#define TCPASSAY_FUZZ_PLAY_H

#include "engine/fuzz/signals.h"
#include "engine/runner/player.h"

/* ---- what came of a play ------------------------------------------------------------------------------------------- */

enum fuzz_end {
    FUZZ_PLAYED,       /* to the end of its steps, or to a finding that ends a play */
    FUZZ_INCONCLUSIVE, /* to its end, but the model lost track; or an echo was not answered */
    FUZZ_CUT_SHORT,    /* a bound was reached: rounds_max */
    FUZZ_STOPPED,      /* it could not go on, which says nothing about the IUT: reason says why (no such call, the link is gone, a port taken) */
    FUZZ_DIED,         /* the IUT did */
};

struct fuzz_finding { /* texts live until the play begins again */
    const char *rule;              /* "ack-below-rcv-nxt"; of the player's own checks "checksum", "stream", "address"; "crash", "hang" */
    const char *requirement;       /* "RFC9293:MUST-2"; "" for none */
    enum requirement_level level;
    unsigned step;                 /* the record that was being played, from 1; 0: the opening; one more than there are: the end */
    int64_t at_ns;                 /* since the play began */
    uint32_t segment;              /* the offending one, by its number in the play's trace; 0: none */
    uint8_t state, event;          /* enum tcp_state or REACTION_STATE_UNCERTAIN, enum reaction_event: where the connection was, and what had come */
    uint32_t key;                  /* of rule, state and event: findings that have it in common are taken for one */
    const char *message, *permitted, *observed;
};
/* Does it make a test fail (a SHOULD does when strict, a MAY never)? */
bool fuzz_finding_fails(const struct fuzz_finding *finding, bool strict);

enum { FUZZ_FINDINGS_MAX = 24 };
struct fuzz_outcome {
    enum fuzz_end end;
    const char *reason;            /* for people; "" where there is none */
    const struct fuzz_finding *findings;
    unsigned finding_count;
    uint32_t sent, received;       /* packets towards the IUT, and from it */
    unsigned steps;                /* records performed */
    int64_t duration_ns;           /* on the target's clock */
    int64_t lateness_ns;           /* by how much the tester was late at the worst (0 in virtual time) */
    bool lost_something;           /* as player_lost_something(): what is missing may not be the IUT's fault */
};

/* ---- a machine ----------------------------------------------------------------------------------------------------- */

struct fuzz_play_config {
    struct target *target;         /* must outlive the machine */
    bool judged;
    bool strict;
    bool fences_left_out;          /* of a synchronous target: a `fence` step only reads what has come. Not what replay does, but fast */
    bool states_left_out;          /* STATUS is not asked after each packet: the model knows less, and a system call or two are saved */
    int64_t wait_max_ns;           /* longer waits, and delays of the link, become this; 0: as they are */
    struct signals *signals;       /* what the play adds its own to; NULL: none. Not cleared */
    void (*catch_up)(void *context); /* as player_config's */
    /* Told each packet as it crosses the link, before its rules on the way from the IUT and after them on the way to it; at_ns: since the play
                                    began. NULL: nobody is. */
    void (*packet)(void *context, int64_t at_ns, const uint8_t *bytes, size_t len);
    void *context;                 /* of both */
};

struct fuzz_play;
struct fuzz_play *fuzz_play_new(const struct fuzz_play_config *config); /* NULL: out of memory */
void fuzz_play_free(struct fuzz_play *play);
/* A machine for another instance from now on; between plays. */
void fuzz_play_move(struct fuzz_play *play, struct target *target);

/* The seed that run, replay and a schedule give to the test of this id: of the instance (target_config.seed) and of the player. */
uint64_t fuzz_seed(uint64_t seed, const char *id);
/* Begins: octets must live until it is finished. False: out of memory. */
bool fuzz_play_begin(struct fuzz_play *play, const uint8_t *octets, size_t len, const struct player_place *place, uint64_t seed,
                     int64_t now_ns);
void fuzz_play_receive(struct fuzz_play *play, const uint8_t *bytes, size_t len, int64_t earliest_ns, int64_t latest_ns);
void fuzz_play_run(struct fuzz_play *play, int64_t now_ns);
int64_t fuzz_play_deadline(const struct fuzz_play *play); /* INT64_MAX once finished */
bool fuzz_play_finished(const struct fuzz_play *play);    /* also before the first begin */
bool fuzz_play_owns(const struct fuzz_play *play, const struct packet *packet);
/* As player_held_up(), player_iut_died(), player_abort(). */
void fuzz_play_held_up(struct fuzz_play *play, int64_t by_ns);
void fuzz_play_iut_died(struct fuzz_play *play, const char *how);
void fuzz_play_abort(struct fuzz_play *play, enum fuzz_end end, const char *reason);
/* Of a finished play; until it begins again. */
const struct fuzz_outcome *fuzz_play_outcome(struct fuzz_play *play);
/* What the judges gathered, since the machine was made. */
const struct judge_host *fuzz_play_judged(const struct fuzz_play *play);

/* ---- on a virtual target ------------------------------------------------------------------------------------------- */

struct fuzz_virtual_config {
    const struct target_driver *driver; /* with virtual_time */
    const char *argument;
    struct fuzz_play_config play;  /* target and catch_up are filled in */
    unsigned rounds_max;           /* after so many turns of the clock the play is cut short; 0: FUZZ_ROUNDS_DEFAULT */
};
enum { FUZZ_ROUNDS_DEFAULT = 4000 };

struct fuzz_virtual;
/* NULL with *error when the target cannot be opened. */
struct fuzz_virtual *fuzz_virtual_new(const struct fuzz_virtual_config *config, struct target_error *error);
void fuzz_virtual_free(struct fuzz_virtual *v);
/* One play, from its beginning to its end, on an instance as new: one that is begun again where the target can do that, else one
 * that is opened and closed. Then the same octets and seed give the same outcome. NULL: the target could not be opened; see
 * fuzz_virtual_error(). */
const struct fuzz_outcome *fuzz_virtual_play(struct fuzz_virtual *v, const uint8_t *octets, size_t len, uint64_t seed);
const struct target_error *fuzz_virtual_error(const struct fuzz_virtual *v);
/* The instance of the last play, as it was at its end: for what its owner knows to ask it. NULL: it is closed. */
struct target *fuzz_virtual_target(struct fuzz_virtual *v);
struct fuzz_play *fuzz_virtual_machine(struct fuzz_virtual *v);

#endif

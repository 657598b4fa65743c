/* Plays many tests: one after the other in virtual time, all at once on a real clock.
 *
 * Virtual. Each test gets a fresh instance of the target. When neither the player nor the instance has anything left to do now, the
 * clock jumps to whichever wants to act next; nothing ever sleeps.
 *
 * Real. *Lanes*: a lane is one instance and the players on it, each with ports (and an echo id) of its own. Tests that leave the
 * IUT's configuration alone share the first lane. An exclusive test, or one with settings, gets a lane to itself: beside the others
 * where the driver can have many instances, else when everybody else is done. One thread serves all lanes from one epoll. The link
 * is looked at every TICK at least, so that a packet's time of arrival is known to within that (see player.h).
 *
 * A test that did not pass while the tester itself was late (a busy machine) is played again, up to RERUNS_MAX times. What the last
 * play says counts, unless the tester was so late even then that timers of the IUT may have run out meanwhile: that is an error.
 */
#ifndef TCPASSAY_RUNNER_SCHEDULE_H
#define TCPASSAY_RUNNER_SCHEDULE_H

#include <signal.h>

#include "engine/runner/player.h"
#include "engine/runner/suite.h"

enum { SCHEDULE_RERUNS_MAX = 3, SCHEDULE_JOBS_DEFAULT = 256, SCHEDULE_LANES_MAX = 48, SCHEDULE_TICK_NS = 2000000,
       SCHEDULE_LATENESS_MAX_NS = 50000000 /* well below the shortest timer of a TCP that a test waits for */ };

struct schedule {
    const struct target_driver *driver;
    const char *argument;                     /* of the target, "" for none */
    const struct suite_test *const *tests;
    size_t test_count;
    uint64_t seed;
    unsigned jobs;                            /* players at once on a shared lane; 0: the default */
    bool strict;
    bool judged;                              /* by the model, too */
    bool disruption_allowed;                  /* on targets that floods may harm */
    const volatile sig_atomic_t *interrupted; /* non-zero: start nothing more, give up what is running */
    /* A finished test; result and player live during the call. Non-zero stops the schedule. */
    int (*finished)(void *context, const struct suite_test *test, struct result_test *result, const struct player *player);
    /* Called now and then: how many are done and running. May be NULL. */
    void (*progress)(void *context, size_t done, size_t running);
    void *context;
};

enum schedule_end { SCHEDULE_DONE, SCHEDULE_INTERRUPTED, SCHEDULE_STOPPED /* by finished() */, SCHEDULE_FAILED /* error says why */ };

enum schedule_end schedule_run(const struct schedule *schedule, struct target_error *error);

/* Why this scenario cannot be played on this target, into reason; false when it can. */
bool schedule_not_applicable(const struct schedule *schedule, const struct scenario *scenario, const struct target_info *info,
                             uint8_t ip_version, char *reason, size_t reason_size);

#endif

/* What becomes of a test whose play is over, or whose target, link or upper tester failed meanwhile. */
#include "engine/runner/real/real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIRMATION_TEXT_MAX = 768 };
static const int64_t recovery_pause_ns = 1000000000;

static void wait_again(struct real *r, const struct lane *lane, struct waiting again)
{
    if (lane->exclusive || again.alone)
        r->exclusive[r->exclusive_count++] = again;
    else
        r->shared[r->shared_count++] = again;
}

/* Leaves the lane; its player, and what it played. */
static struct seat leave_seat(struct real *r, struct lane *lane, unsigned index)
{
    struct seat seat = lane->seats[index];
    lane->seats[index] = lane->seats[--lane->seat_count];
    for (size_t i = 0; i < (size_t)lane->target->info.tester_count * lane->port_blocks; i++)
        if (lane->owners[i] == seat.player)
            lane->owners[i] = NULL;
    *lane_iut_port_taken(lane, seat.iut_port) = false;
    r->running--;
    return seat;
}

/* A play that says nothing against the IUT, since the tester was late, or something was lost between the two. */
enum disturbance { UNDISTURBED, DISTURBED_LATE, DISTURBED_HOPELESSLY_LATE, DISTURBED_LINK };

static enum disturbance disturbance_of(const struct seat *seat, const struct result_test *result)
{
    int64_t lateness = player_lateness(seat->player);
    bool blamed = player_findings_of_model(seat->player) != 0;
    if (result->verdict == VERDICT_NOT_APPLICABLE || (result->verdict == VERDICT_PASS && !blamed))
        return UNDISTURBED;
    if (seat->troubled || player_lost_something(seat->player))
        return DISTURBED_LINK;
    if (lateness <= player_lateness_borne(seat->player))
        return UNDISTURBED;
    return lateness > SCHEDULE_LATENESS_MAX_NS ? DISTURBED_HOPELESSLY_LATE : DISTURBED_LATE;
}

/* The last play of a disturbed test is what counts; but what the disturbance can explain is not the IUT's fault. */
static void excuse(const struct lane *lane, const struct seat *seat, enum disturbance disturbance, struct result_test *result)
{
    if (disturbance == UNDISTURBED || disturbance == DISTURBED_LATE)
        return;
    if (result->verdict == VERDICT_PASS) { /* what the model found amiss may be our own doing */
        result->finding_count -= player_findings_of_model(seat->player);
        return;
    }
    bool told = result->verdict == VERDICT_ERROR;
    result->verdict = VERDICT_ERROR;
    if (disturbance == DISTURBED_HOPELESSLY_LATE)
        result->reason = "the tester's own steps were late in every run: the machine is too busy for this test";
    else if (*lane->trouble)
        result->reason = lane->trouble;
    else if (!told)
        result->reason = "packets were lost between tester and target in every run";
}

/* Where something may be lost unseen between tester and IUT, a failure counts when it comes twice. True: it is played once more. */
static bool needs_confirmation(const struct lane *lane, struct seat *seat, struct result_test *result,
                               char reason[CONFIRMATION_TEXT_MAX])
{
    if (!(lane->target->info.capabilities & TARGET_FENCED))
        return false;
    if (result->verdict == VERDICT_FAIL && !seat->of.failed_before) {
        seat->of.failed_before = strdup(result->reason);
        return seat->of.failed_before != NULL;
    }
    if (result->verdict == VERDICT_PASS && seat->of.failed_before) {
        result->verdict = VERDICT_INCONCLUSIVE;
        snprintf(reason, CONFIRMATION_TEXT_MAX, "failed, and did not when it was played again: %s", seat->of.failed_before);
        result->reason = reason;
    }
    return false;
}

void real_unseat(struct real *r, struct lane *lane, unsigned index)
{
    struct seat seat = leave_seat(r, lane, index);
    struct result_test result;
    player_result(seat.player, &result);
    result.started_ns -= r->began_ns;
    char reason[CONFIRMATION_TEXT_MAX];
    enum disturbance disturbance = disturbance_of(&seat, &result);
    lane->unheard = player_lost_something(seat.player) ? lane->unheard + 1 : 0;
    lane->link_gone |= lane->unheard >= UNHEARD_MAX;
    if (disturbance != UNDISTURBED && seat.of.reruns < SCHEDULE_RERUNS_MAX) {
        seat.of.reruns++;
        wait_again(r, lane, seat.of);
    } else if (disturbance == UNDISTURBED && needs_confirmation(lane, &seat, &result, reason)) {
        wait_again(r, lane, seat.of);
    } else {
        excuse(lane, &seat, disturbance, &result);
        result.reruns = seat.of.reruns;
        r->done++;
        real_stopped(r, r->s->finished(r->s->context, r->s->tests[seat.of.test], &result, seat.player));
        free(seat.of.failed_before);
    }
    player_free(seat.player);
}

/* ---- when something has died or failed */

/* Of several that played when the IUT died, each is played again alone. */
static void mourn(struct real *r, struct lane *lane)
{
    bool culprit_known = lane->seat_count == 1 || !r->s->driver->many;
    for (unsigned i = 0; i < lane->seat_count && culprit_known; i++)
        player_iut_died(lane->seats[i].player, lane->trouble);
    while (lane->seat_count && !culprit_known) {
        struct seat seat = leave_seat(r, lane, 0);
        player_abort(seat.player, "the stack under test died");
        player_free(seat.player);
        seat.of.alone = true;
        wait_again(r, lane, seat.of);
    }
}

/* Tries to make the instance usable again, a few times; then what cannot be played on it any more is told of each test. */
static void mend(struct lane *lane)
{
    const struct target_ops *ops = lane->target->ops;
    struct target_error error = {0};
    if (!ops->recover) {
        lane->reopening = true;
        return;
    }
    lane->broken = !ops->recover(lane->target, &error);
    lane->mend_ns = real_now_ns() + recovery_pause_ns;
    for (unsigned i = 0; i < lane->seat_count && lane->broken; i++)
        player_abort(lane->seats[i].player, lane->trouble); /* nobody waits for what cannot come */
    if (!lane->broken) {
        lane->link_gone = false;
        lane->recoveries_failed = lane->unheard = 0;
        return;
    }
    if (*error.text)
        snprintf(lane->trouble, sizeof lane->trouble, "%.250s", error.text);
    if (++lane->recoveries_failed < RECOVERIES_MAX)
        return;
    lane->broken = false;
    lane->lost = lane->link_gone;
    lane->upper_lost = true;
}

/* Has the IUT died, or the link or the upper tester failed, since this was last asked? */
void real_look_after(struct real *r, struct lane *lane)
{
    uint64_t deaths = schedule_deaths(lane->target, lane->trouble, sizeof lane->trouble);
    if (deaths != lane->deaths) {
        lane->deaths = deaths;
        mourn(r, lane);
        mend(lane);
        return;
    }
    uint64_t troubles = schedule_troubles(lane->target, lane->trouble, sizeof lane->trouble);
    bool again = lane->broken && real_now_ns() >= lane->mend_ns, news = troubles != lane->troubles;
    if (!news && !again && !(lane->link_gone && !lane->broken && !lane->lost))
        return;
    lane->troubles = troubles;
    if (news)
        lane_troubled(lane, 0);
    if (!lane->lost)
        mend(lane);
}

/* Who plays next, and where: the lane everybody shares, or one of his own. */
#include "engine/runner/real/real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEATED_AT_ONCE = 8, JOBS_MIN = 2 };
/* Upper-tester calls that take long keep everybody waiting: so few play at once that this is what all of them could take together.
 */
static const int64_t calls_at_once_ns = 25000000;

static int report(struct real *r, const struct suite_test *test, enum verdict verdict, const char *reason)
{
    r->done++;
    return schedule_report_unplayed(r->s, test, verdict, reason);
}

void real_stopped(struct real *r, int stop)
{
    if (stop)
        r->end = SCHEDULE_STOPPED;
}

static void give_up(struct real *r, struct waiting w, enum verdict verdict, const char *reason)
{
    real_stopped(r, report(r, r->s->tests[w.test], verdict, reason));
    free(w.failed_before);
}

/* A test that cannot be played since the target, or its upper tester, was lost before. */
static bool comes_too_late(const struct lane *lane, const struct scenario *scenario)
{
    static const unsigned upper = SCN_NEEDS_CONNECT | SCN_NEEDS_LISTEN | SCN_NEEDS_URGENT;
    return lane->lost || (lane->upper_lost && scenario->needs & upper);
}

static void seat(struct real *r, struct lane *lane, struct waiting w)
{
    const struct suite_test *test = r->s->tests[w.test];
    const struct scenario *scenario = test->file->scenario;
    char reason[SCHEDULE_TROUBLE_TEXT_MAX + 32];
    if (comes_too_late(lane, scenario)) {
        snprintf(reason, sizeof reason, "the target was lost before: %s", lane->trouble);
        give_up(r, w, VERDICT_ERROR, reason);
        return;
    }
    if (schedule_cannot_play(r->s, scenario, &lane->target->info, &r->port, test->variant, schedule_ip_version(test), reason,
                             sizeof reason)) {
        give_up(r, w, VERDICT_NOT_APPLICABLE, reason);
        return;
    }
    if (lane->seat_count == lane->seat_capacity) {
        unsigned capacity = lane->seat_capacity ? 2 * lane->seat_capacity : 8;
        struct seat *grown = realloc(lane->seats, capacity * sizeof *grown);
        if (!grown) {
            give_up(r, w, VERDICT_ERROR, "out of memory");
            return;
        }
        lane->seats = grown;
        lane->seat_capacity = capacity;
    }
    unsigned addresses;
    struct player_config config = {.scenario = scenario, .variant = test->variant, .id = test->id, .target = lane->target,
                                   .place = lane_deal_place(lane, scenario, &addresses), .seed = r->s->seed, .strict = r->s->strict,
                                   .judged = r->s->judged, .catch_up = lane_catch_up, .context = lane};
    struct player *player = player_new(&config, real_now_ns());
    if (!player) {
        *lane_iut_port_taken(lane, config.place.iut_port) = false;
        give_up(r, w, VERDICT_ERROR, "out of memory");
        return;
    }
    lane_set_owner(lane, &config.place, addresses, player);
    lane->seats[lane->seat_count++] = (struct seat){.player = player, .iut_port = config.place.iut_port, .of = w};
    r->running++;
    player_run(player, real_now_ns());
}

static unsigned most_at_once(const struct real *r)
{
    const struct lane *lane = r->lane_count ? r->lanes[0] : NULL;
    int64_t call_ns = lane ? lane->target->info.call_ns : 0;
    unsigned jobs = r->s->jobs ? r->s->jobs : SCHEDULE_JOBS_DEFAULT;
    unsigned places = lane ? lane->target->info.tester_count * lane->port_blocks : jobs;
    if (places < jobs)
        jobs = places;
    if (!r->s->jobs && call_ns * jobs > calls_at_once_ns)
        jobs = calls_at_once_ns / call_ns < JOBS_MIN ? JOBS_MIN : (unsigned)(calls_at_once_ns / call_ns);
    return jobs;
}

static bool same_settings(const struct scenario *a, const struct scenario *b)
{
    bool same = a->setting_count == b->setting_count;
    for (unsigned i = 0; i < a->setting_count && same; i++)
        same = !strcmp(a->settings[i].name, b->settings[i].name) && !strcmp(a->settings[i].value, b->settings[i].value);
    return same;
}

/* Where there is but one instance, those who want the same settings, and nothing else, share it. */
static void seat_alike(struct real *r, struct lane *lane, const struct scenario *first)
{
    for (size_t i = r->exclusive_count; i-- > 0 && lane->seat_count < most_at_once(r);) {
        struct waiting w = r->exclusive[i];
        const struct scenario *scenario = r->s->tests[w.test]->file->scenario;
        if (w.alone || scenario->needs & SCN_NEEDS_EXCLUSIVE || !same_settings(first, scenario))
            continue;
        memmove(&r->exclusive[i], &r->exclusive[i + 1], (r->exclusive_count - i - 1) * sizeof *r->exclusive);
        r->exclusive_count--;
        seat(r, lane, w);
    }
}

static void seat_exclusive(struct real *r, struct waiting w)
{
    struct lane *lane = r->openings_failed < RECOVERIES_MAX ? lane_open(r, r->s->tests[w.test]) : NULL;
    bool unsupported = !lane && r->error->kind == TARGET_ERR_UNSUPPORTED;
    r->openings_failed = lane || unsupported ? 0 : r->openings_failed + 1;
    const struct scenario *scenario = r->s->tests[w.test]->file->scenario;
    if (lane) {
        seat(r, lane, w);
        if (!r->s->driver->many && !w.alone && !(scenario->needs & SCN_NEEDS_EXCLUSIVE))
            seat_alike(r, lane, scenario);
        return;
    }
    give_up(r, w, unsupported ? VERDICT_NOT_APPLICABLE : VERDICT_ERROR, r->error->text);
}

static unsigned exclusive_lanes(const struct real *r)
{
    unsigned count = 0;
    for (unsigned i = 0; i < r->lane_count; i++)
        count += r->lanes[i]->exclusive;
    return count;
}

static bool may_sit_down(const struct lane *lane)
{
    return !lane->exclusive && !lane->broken && !lane->reopening;
}

/* A few at a time, so that those who play already are not kept waiting. */
void real_seat_more(struct real *r)
{
    unsigned jobs = most_at_once(r);
    unsigned lanes = !r->s->driver->many ? 1 : jobs < SCHEDULE_LANES_MAX - 1 ? jobs : SCHEDULE_LANES_MAX - 1;
    if (r->exclusive_count && r->end == SCHEDULE_DONE && exclusive_lanes(r) < lanes &&
        (r->s->driver->many || (r->running == 0 && r->shared_count == 0))) {
        if (!r->s->driver->many && r->lane_count) /* the shared instance makes room */
            lane_close(r, 0);
        seat_exclusive(r, r->exclusive[--r->exclusive_count]);
    }
    for (unsigned i = 0; i < r->lane_count; i++)
        for (unsigned n = 0; n < SEATED_AT_ONCE && may_sit_down(r->lanes[i]) && r->shared_count && r->lanes[i]->seat_count < jobs &&
                             r->end == SCHEDULE_DONE;
             n++)
            seat(r, r->lanes[i], r->shared[--r->shared_count]);
}

/* Is there work for a free seat? Then nobody sleeps. */
bool real_can_seat_more(const struct real *r)
{
    unsigned jobs = most_at_once(r);
    for (unsigned i = 0; i < r->lane_count; i++)
        if (may_sit_down(r->lanes[i]) && r->shared_count && r->lanes[i]->seat_count < jobs)
            return true;
    return false;
}

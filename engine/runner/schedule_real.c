/* The real clock: lanes, one epoll, and players that come and go (see schedule.h; the parts are in real/). */
#include "engine/runner/real/real.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { REALTIME_PRIORITY = 1 };
/* Where there is one host, what the last run left behind may be there still (TIME-WAIT): each run begins where one that ended just
 * now would have ended, at about so many places a second. */
static const int64_t place_ns = 12500000;

int64_t real_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SCN_NS_PER_S + t.tv_nsec;
}

static void run_lane(struct real *r, struct lane *lane)
{
    for (unsigned i = 0; i < lane->seat_count;) {
        player_run(lane->seats[i].player, real_now_ns());
        if (player_finished(lane->seats[i].player))
            real_unseat(r, lane, i);
        else
            i++;
    }
}

/* Milliseconds are too coarse for what the players wish; epoll_pwait2 takes nanoseconds. */
static void wait_for_something(struct real *r)
{
    int64_t now = real_now_ns(), until = real_can_seat_more(r) ? now : now + SCHEDULE_TICK_NS;
    for (unsigned i = 0; i < r->lane_count; i++)
        for (unsigned k = 0; k < r->lanes[i]->seat_count; k++) {
            int64_t wish = player_deadline(r->lanes[i]->seats[k].player);
            until = wish < until ? wish : until;
        }
    struct timespec timeout = {.tv_nsec = until > now ? until - now : 0};
    struct epoll_event events[SCHEDULE_LANES_MAX];
    if (epoll_pwait2(r->epoll_fd, events, SCHEDULE_LANES_MAX, &timeout, NULL) < 0 && errno != EINTR)
        r->end = SCHEDULE_FAILED;
}

static void close_empty_lanes(struct real *r)
{
    for (unsigned i = r->lane_count; i-- > 0;)
        if (r->lanes[i]->exclusive && r->lanes[i]->seat_count == 0)
            lane_close(r, i);
        else if (r->lanes[i]->reopening && r->lanes[i]->seat_count == 0) {
            lane_close(r, i);
            if (!lane_open(r, NULL))
                r->end = SCHEDULE_FAILED;
        }
}

void real_loop(struct real *r)
{
    while (r->end == SCHEDULE_DONE) {
        real_seat_more(r);
        if (r->running == 0 && r->shared_count == 0 && r->exclusive_count == 0)
            return;
        wait_for_something(r);
        for (unsigned i = 0; i < r->lane_count; i++) {
            lane_drain(r, r->lanes[i]);
            do
                run_lane(r, r->lanes[i]);
            while (lane_drain(r, r->lanes[i]) && r->end == SCHEDULE_DONE);
            real_look_after(r, r->lanes[i]);
        }
        close_empty_lanes(r);
        if (*r->s->interrupted && r->end == SCHEDULE_DONE)
            r->end = SCHEDULE_INTERRUPTED;
        if (r->s->progress)
            r->s->progress(r->s->context, r->done, r->running);
    }
}

/* ---- */

static bool wants_own_instance(const struct scenario *scenario)
{
    return (scenario->needs & SCN_NEEDS_EXCLUSIVE) || scenario->setting_count;
}

/* Does anything need the shared lane? It is opened first: a target that cannot be opened at all is found out before anything runs.
 */
bool real_sort_tests(struct real *r)
{
    r->shared = calloc(r->s->test_count + 1, sizeof *r->shared);
    r->exclusive = calloc(r->s->test_count + 1, sizeof *r->exclusive);
    if (!r->shared || !r->exclusive)
        return false;
    for (size_t i = r->s->test_count; i-- > 0;) {
        struct waiting w = {.test = i};
        if (wants_own_instance(r->s->tests[i]->file->scenario))
            r->exclusive[r->exclusive_count++] = w;
        else
            r->shared[r->shared_count++] = w;
    }
    return true;
}

/* Where it is permitted, the tester goes before whatever else keeps the machine busy; it sleeps most of the time. */
static void go_first(struct sched_param *before, int *policy)
{
    const struct sched_param first = {.sched_priority = REALTIME_PRIORITY};
    *policy = sched_getscheduler(0);
    if (*policy < 0 || sched_getparam(0, before) < 0 || sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &first) < 0)
        *policy = -1;
}

enum schedule_end schedule_real(const struct schedule *s, struct target_error *error)
{
    struct sched_param before;
    int policy;
    struct real r = {.s = s, .error = error, .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .began_ns = real_now_ns(),
                     .buffer = malloc(PKT_BYTES_MAX), .end = SCHEDULE_DONE,
                     .next_place = s->driver->many ? 0 : (uint64_t)(real_now_ns() / place_ns)};
    if (r.epoll_fd < 0 || !r.buffer) {
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory or file descriptors"};
        r.end = SCHEDULE_FAILED;
    } else if (s->test_count && !lane_open(&r, NULL)) {
        r.end = SCHEDULE_FAILED;
    } else {
        go_first(&before, &policy);
        if (r.lane_count && !(real_probe_open_port(&r) && real_sort_tests(&r)))
            r.end = SCHEDULE_FAILED;
        real_loop(&r);
        if (policy >= 0)
            sched_setscheduler(0, policy, &before);
    }
    /* NOLINTBEGIN(clang-analyzer-unix.Malloc): it takes lane_count for 0 after real_loop(), and so the lanes for lost */
    while (r.lane_count)
        lane_close(&r, r.lane_count - 1);
    if (r.epoll_fd >= 0)
        close(r.epoll_fd);
    for (size_t i = 0; i < r.shared_count; i++)
        free(r.shared[i].failed_before);
    for (size_t i = 0; i < r.exclusive_count; i++)
        free(r.exclusive[i].failed_before);
    free(r.shared);
    free(r.exclusive);
    free(r.buffer);
    return r.end;
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
}

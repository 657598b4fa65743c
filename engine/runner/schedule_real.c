/* The real clock: lanes, one epoll, and players that come and go (see schedule.h). */
#include "engine/runner/schedule_internal.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* The tester's ports are dealt out in blocks, one block of one address a player: a packet's address and port tell whose it is. */
enum { SEATED_AT_ONCE = 8, REALTIME_PRIORITY = 1 };

enum { FIRST_TESTER_PORT = 16384, PORT_BLOCKS = (65536 - FIRST_TESTER_PORT) / PLAYER_PORTS, FIRST_IUT_PORT = 1024, IUT_PORT_GROUPS = 3900 };

struct seat { /* a player and the test it plays */
    struct player *player;
    uint16_t iut_port;
    size_t test;           /* index into the schedule's tests */
    unsigned reruns;
};

struct real;

struct lane {
    struct real *real;
    struct target *target;
    bool exclusive, draining;
    struct seat *seats;
    unsigned seat_count, seat_capacity;
    uint64_t next_place;
    int64_t empty_ns;      /* when its link was last seen empty */
    struct player **owners; /* [tester address][port block] */
    bool iut_ports_taken[IUT_PORT_GROUPS];
};

struct waiting { size_t test; unsigned reruns; };

struct real {
    const struct schedule *s;
    struct target_error *error;
    struct lane *lanes[SCHEDULE_LANES_MAX];
    unsigned lane_count;
    int epoll_fd;
    struct waiting *shared, *exclusive; /* stacks of what is still to be played, last first */
    size_t shared_count, exclusive_count;
    size_t done, running;
    uint8_t *buffer;
    enum schedule_end end;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SCN_NS_PER_S + t.tv_nsec;
}

/* ---- lanes */

static struct lane *lane_open(struct real *r, const struct suite_test *test)
{
    struct target *target = schedule_open(r->s, test, r->error);
    if (!target)
        return NULL;
    struct lane *lane = calloc(1, sizeof *lane);
    struct player **owners = calloc((size_t)target->info.tester_count * PORT_BLOCKS, sizeof(struct player *));
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = lane}};
    if (!lane || !owners || epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, target->ops->fd(target), &event) < 0) {
        *r->error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE};
        snprintf(r->error->text, sizeof r->error->text, "cannot wait for the target: %s", strerror(errno));
        free(lane);
        free(owners);
        target->ops->close(target);
        return NULL;
    }
    *lane = (struct lane){.real = r, .target = target, .owners = owners, .empty_ns = now_ns(), .exclusive = test != NULL};
    return r->lanes[r->lane_count++] = lane;
}

static void lane_close(struct real *r, unsigned index)
{
    struct lane *lane = r->lanes[index];
    for (unsigned i = 0; i < lane->seat_count; i++)
        player_free(lane->seats[i].player);
    lane->target->ops->close(lane->target);
    free(lane->owners);
    free(lane->seats);
    free(lane);
    memmove(&r->lanes[index], &r->lanes[index + 1], (r->lane_count - index - 1) * sizeof *r->lanes);
    r->lane_count--;
}

static unsigned addresses_needed(const struct scenario *scenario)
{
    unsigned most = 1;
    for (unsigned i = 0; i < scenario->endpoint_count; i++)
        if (scenario->endpoints[i].address_index > most)
            most = scenario->endpoints[i].address_index;
    return most;
}

static struct player **owner_of(const struct lane *lane, unsigned address, uint16_t port)
{
    if (address >= lane->target->info.tester_count || port < FIRST_TESTER_PORT)
        return NULL;
    return &lane->owners[address * PORT_BLOCKS + (unsigned)(port - FIRST_TESTER_PORT) / PLAYER_PORTS];
}

/* The n-th place: neighbours differ in everything. */
static struct player_place place_of(const struct lane *lane, uint64_t n)
{
    unsigned count = lane->target->info.tester_count;
    return (struct player_place){
        .tester_address = (unsigned)(n % count),
        .tester_port = (uint16_t)(FIRST_TESTER_PORT + n / count % PORT_BLOCKS * PLAYER_PORTS),
        .iut_port = (uint16_t)(FIRST_IUT_PORT + n % IUT_PORT_GROUPS * PLAYER_IUT_PORTS),
        .echo_id = (uint16_t)(n + 1),
    };
}

static bool *iut_port_taken(struct lane *lane, uint16_t iut_port)
{
    return &lane->iut_ports_taken[(unsigned)(iut_port - FIRST_IUT_PORT) / PLAYER_IUT_PORTS];
}

static bool is_free(struct lane *lane, const struct player_place *place, unsigned addresses)
{
    bool free_place = !*iut_port_taken(lane, place->iut_port);
    for (unsigned i = 0; i < addresses && free_place; i++) {
        struct player **owner = owner_of(lane, place->tester_address + i, place->tester_port);
        free_place = !owner || !*owner;
    }
    return free_place;
}

/* Places come round while a player who takes his time still has his: then the next one is taken. */
static struct player_place deal_place(struct lane *lane, const struct scenario *scenario, unsigned *addresses)
{
    unsigned count = lane->target->info.tester_count;
    struct player_place place;
    *addresses = addresses_needed(scenario);
    for (unsigned tries = 0; tries <= IUT_PORT_GROUPS; tries++) {
        if (lane->next_place % count + *addresses > count) /* a player's addresses lie side by side */
            lane->next_place += count - lane->next_place % count;
        place = place_of(lane, lane->next_place);
        lane->next_place += *addresses;
        if (is_free(lane, &place, *addresses))
            break;
    }
    *iut_port_taken(lane, place.iut_port) = true;
    return place;
}

static void set_owner(struct lane *lane, const struct player_place *place, unsigned addresses, struct player *player)
{
    for (unsigned i = 0; i < addresses; i++) {
        struct player **owner = owner_of(lane, place->tester_address + i, place->tester_port);
        if (owner)
            *owner = player;
    }
}

/* ---- packets */

static unsigned address_index(const struct target_info *info, const struct pkt_addr *addr)
{
    const struct pkt_addr *first = &info->tester[addr->version == 6];
    unsigned last = addr->version == 6 ? 15 : 3;
    uint32_t a = (uint32_t)addr->bytes[last] | (uint32_t)addr->bytes[last - 1] << 8;
    uint32_t f = (uint32_t)first->bytes[last] | (uint32_t)first->bytes[last - 1] << 8;
    return a - f;
}

static struct player *addressee(const struct lane *lane, const struct packet *packet)
{
    if (packet->kind == PKT_KIND_TCP) {
        struct player **owner = owner_of(lane, address_index(&lane->target->info, &packet->ip.dst), packet->tcp.dst_port);
        return owner && *owner && player_owns(*owner, packet) ? *owner : NULL;
    }
    for (unsigned i = 0; i < lane->seat_count; i++)
        if (player_owns(lane->seats[i].player, packet))
            return lane->seats[i].player;
    return NULL;
}

/* Hands a packet to its player. at_ns: when the IUT emitted it, 0 where the driver cannot tell. */
static void deliver(struct real *r, struct lane *lane, size_t len, int64_t at_ns)
{
    struct packet packet;
    pkt_parse(r->buffer, len, &packet);
    struct player *player = addressee(lane, &packet);
    if (!player)
        return;
    int64_t read_ns = now_ns(), earliest = lane->empty_ns, latest = read_ns;
    if (at_ns > earliest && at_ns < latest)
        earliest = latest = at_ns;
    player_held_up(player, read_ns - earliest);
    player_receive(player, r->buffer, len, earliest, latest);
}

/* Reads all that the lane's IUT has sent. True when there was something. */
static bool drain(struct real *r, struct lane *lane)
{
    lane->draining = true;
    for (bool any = false;; any = true) {
        int64_t before = now_ns(), at_ns = 0;
        ssize_t len = lane->target->ops->receive(lane->target, r->buffer, PKT_BYTES_MAX, &at_ns);
        if (len == 0) {
            lane->empty_ns = before;
            lane->draining = false;
            return any;
        }
        if (len < 0) {
            char reason[160];
            snprintf(reason, sizeof reason, "the link to the target is gone: %s", strerror((int)-len));
            for (unsigned i = 0; i < lane->seat_count; i++)
                player_abort(lane->seats[i].player, reason);
            lane->draining = false;
            return false;
        }
        deliver(r, lane, (size_t)len, at_ns);
    }
}

/* The same in the midst of a player's run. */
static void catch_up(void *context)
{
    struct lane *lane = context;
    if (!lane->draining)
        drain(lane->real, lane);
}

/* ---- seating */

static int report(struct real *r, const struct suite_test *test, enum verdict verdict, const char *reason)
{
    r->done++;
    return schedule_report_unplayed(r->s, test, verdict, reason);
}

static void stopped(struct real *r, int stop)
{
    if (stop)
        r->end = SCHEDULE_STOPPED;
}

static void seat(struct real *r, struct lane *lane, struct waiting w)
{
    const struct suite_test *test = r->s->tests[w.test];
    const struct scenario *scenario = test->file->scenario;
    char reason[256];
    if (schedule_not_applicable(r->s, scenario, &lane->target->info, schedule_ip_version(test), reason, sizeof reason)) {
        stopped(r, report(r, test, VERDICT_NOT_APPLICABLE, reason));
        return;
    }
    if (lane->seat_count == lane->seat_capacity) {
        unsigned capacity = lane->seat_capacity ? 2 * lane->seat_capacity : 8;
        struct seat *grown = realloc(lane->seats, capacity * sizeof *grown);
        if (!grown) {
            stopped(r, report(r, test, VERDICT_ERROR, "out of memory"));
            return;
        }
        lane->seats = grown;
        lane->seat_capacity = capacity;
    }
    unsigned addresses;
    struct player_config config = {.scenario = scenario, .variant = test->variant, .id = test->id, .target = lane->target,
                                   .place = deal_place(lane, scenario, &addresses), .seed = r->s->seed, .strict = r->s->strict,
                                   .judged = r->s->judged, .catch_up = catch_up, .context = lane};
    struct player *player = player_new(&config, now_ns());
    if (!player) {
        *iut_port_taken(lane, config.place.iut_port) = false;
        stopped(r, report(r, test, VERDICT_ERROR, "out of memory"));
        return;
    }
    set_owner(lane, &config.place, addresses, player);
    lane->seats[lane->seat_count++] = (struct seat){.player = player, .iut_port = config.place.iut_port, .test = w.test, .reruns = w.reruns};
    r->running++;
    player_run(player, now_ns());
}

static void seat_exclusive(struct real *r, struct waiting w)
{
    const struct suite_test *test = r->s->tests[w.test];
    struct lane *lane = lane_open(r, test);
    if (lane)
        seat(r, lane, w);
    else if (r->error->kind == TARGET_ERR_UNSUPPORTED)
        stopped(r, report(r, test, VERDICT_NOT_APPLICABLE, r->error->text));
    else
        stopped(r, report(r, test, VERDICT_ERROR, r->error->text));
}

static unsigned exclusive_lanes(const struct real *r)
{
    unsigned count = 0;
    for (unsigned i = 0; i < r->lane_count; i++)
        count += r->lanes[i]->exclusive;
    return count;
}

/* A few at a time, so that those who play already are not kept waiting. */
static void seat_more(struct real *r)
{
    unsigned jobs = r->s->jobs ? r->s->jobs : SCHEDULE_JOBS_DEFAULT;
    unsigned lanes = !r->s->driver->many ? 1 : jobs < SCHEDULE_LANES_MAX - 1 ? jobs : SCHEDULE_LANES_MAX - 1;
    if (r->exclusive_count && r->end == SCHEDULE_DONE && exclusive_lanes(r) < lanes &&
        (r->s->driver->many || (r->running == 0 && r->shared_count == 0))) {
        if (!r->s->driver->many && r->lane_count) /* the shared instance makes room */
            lane_close(r, 0);
        seat_exclusive(r, r->exclusive[--r->exclusive_count]);
    }
    for (unsigned i = 0; i < r->lane_count; i++)
        for (unsigned n = 0; n < SEATED_AT_ONCE && !r->lanes[i]->exclusive && r->shared_count && r->lanes[i]->seat_count < jobs &&
                             r->end == SCHEDULE_DONE;
             n++)
            seat(r, r->lanes[i], r->shared[--r->shared_count]);
}

/* Is there work for a free seat? Then nobody sleeps. */
static bool can_seat_more(const struct real *r)
{
    unsigned jobs = r->s->jobs ? r->s->jobs : SCHEDULE_JOBS_DEFAULT;
    for (unsigned i = 0; i < r->lane_count; i++)
        if (!r->lanes[i]->exclusive && r->shared_count && r->lanes[i]->seat_count < jobs)
            return true;
    return false;
}

/* ---- playing */

static void unseat(struct real *r, struct lane *lane, unsigned index)
{
    struct seat seat = lane->seats[index];
    const struct suite_test *test = r->s->tests[seat.test];
    lane->seats[index] = lane->seats[--lane->seat_count];
    for (size_t i = 0; i < (size_t)lane->target->info.tester_count * PORT_BLOCKS; i++)
        if (lane->owners[i] == seat.player)
            lane->owners[i] = NULL;
    *iut_port_taken(lane, seat.iut_port) = false;
    r->running--;
    struct result_test result;
    player_result(seat.player, &result);
    result.reruns = seat.reruns;
    int64_t lateness = player_lateness(seat.player);
    bool late = lateness > player_lateness_borne(seat.player), blamed = player_findings_of_model(seat.player) != 0;
    bool disturbed = late && result.verdict != VERDICT_NOT_APPLICABLE && (result.verdict != VERDICT_PASS || blamed);
    if (disturbed && seat.reruns < SCHEDULE_RERUNS_MAX) {
        struct waiting again = {.test = seat.test, .reruns = seat.reruns + 1};
        if (lane->exclusive)
            r->exclusive[r->exclusive_count++] = again;
        else
            r->shared[r->shared_count++] = again;
    } else {
        bool hopeless = disturbed && lateness > SCHEDULE_LATENESS_MAX_NS;
        if (hopeless && result.verdict == VERDICT_PASS) { /* what the model found amiss may be our own lateness */
            result.finding_count -= player_findings_of_model(seat.player);
        } else if (hopeless) {
            result.verdict = VERDICT_ERROR;
            result.reason = "the tester's own steps were late in every run: the machine is too busy for this test";
        }
        r->done++;
        stopped(r, r->s->finished(r->s->context, test, &result, seat.player));
    }
    player_free(seat.player);
}

static void run_lane(struct real *r, struct lane *lane)
{
    for (unsigned i = 0; i < lane->seat_count;) {
        player_run(lane->seats[i].player, now_ns());
        if (player_finished(lane->seats[i].player))
            unseat(r, lane, i);
        else
            i++;
    }
}

/* Milliseconds are too coarse for what the players wish; epoll_pwait2 takes nanoseconds. */
static void wait_for_something(struct real *r)
{
    int64_t now = now_ns(), until = can_seat_more(r) ? now : now + SCHEDULE_TICK_NS;
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
}

static void loop(struct real *r)
{
    while (r->end == SCHEDULE_DONE) {
        seat_more(r);
        if (r->running == 0 && r->shared_count == 0 && r->exclusive_count == 0)
            return;
        wait_for_something(r);
        for (unsigned i = 0; i < r->lane_count; i++) {
            drain(r, r->lanes[i]);
            do
                run_lane(r, r->lanes[i]);
            while (drain(r, r->lanes[i]) && r->end == SCHEDULE_DONE);
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
static bool sort_tests(struct real *r)
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
    struct real r = {.s = s, .error = error, .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .buffer = malloc(PKT_BYTES_MAX), .end = SCHEDULE_DONE};
    if (r.epoll_fd < 0 || !r.buffer || !sort_tests(&r)) {
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory or file descriptors"};
        r.end = SCHEDULE_FAILED;
    } else if (s->test_count && !lane_open(&r, NULL)) {
        r.end = SCHEDULE_FAILED;
    } else {
        go_first(&before, &policy);
        loop(&r);
        if (policy >= 0)
            sched_setscheduler(0, policy, &before);
    }
    /* NOLINTBEGIN(clang-analyzer-unix.Malloc): it takes lane_count for 0 after loop(), and so the lanes for lost */
    while (r.lane_count)
        lane_close(&r, r.lane_count - 1);
    if (r.epoll_fd >= 0)
        close(r.epoll_fd);
    free(r.shared);
    free(r.exclusive);
    free(r.buffer);
    return r.end;
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
}

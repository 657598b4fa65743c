/* The real clock: lanes, one epoll, and players that come and go (see schedule.h). */
#include "engine/runner/open_port.h"
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
enum { SEATED_AT_ONCE = 8, CONFIRMATION_TEXT_MAX = 768, REALTIME_PRIORITY = 1, RECOVERIES_MAX = 3, PORTS_APART = 64, JOBS_MIN = 2 };
/* Upper-tester calls that take long keep everybody waiting: so few play at once that this is what all of them could take together.
 */
static const int64_t calls_at_once_ns = 25000000, recovery_pause_ns = 1000000000;

enum { FIRST_TESTER_PORT = 16384, FIRST_IUT_PORT = 1024, IUT_PORT_GROUPS = 3900 };

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
    int64_t mend_ns;
};

struct real {
    const struct schedule *s;
    struct target_error *error;
    struct lane *lanes[SCHEDULE_LANES_MAX];
    unsigned lane_count;
    struct open_port port; /* of a target without upper tester */
    int epoll_fd;
    uint64_t next_place; /* lanes do not begin anew: where there is one host, what the last one left is still there */
    unsigned openings_failed; /* one after the other; after a few nobody tries again */
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
    unsigned first_port = target->info.port_count ? target->info.first_port : FIRST_TESTER_PORT;
    unsigned port_blocks = (target->info.port_count ? target->info.port_count : 65536u - FIRST_TESTER_PORT) / PLAYER_PORTS;
    struct player **owners = calloc((size_t)target->info.tester_count * port_blocks, sizeof(struct player *));
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = lane}};
    if (!lane || !owners || epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, target->ops->fd(target), &event) < 0) {
        *r->error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE};
        snprintf(r->error->text, sizeof r->error->text, "cannot wait for the target: %s", strerror(errno));
        free(lane);
        free(owners);
        target->ops->close(target);
        return NULL;
    }
    *lane = (struct lane){.real = r, .target = target, .owners = owners, .empty_ns = now_ns(), .exclusive = test != NULL,
                           .first_port = first_port, .port_blocks = port_blocks};
    lane->capabilities = target->info.capabilities;
    lane->troubles = schedule_troubles(target, lane->trouble, sizeof lane->trouble);
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

static struct player **owner_of(const struct lane *lane, unsigned address, uint16_t port)
{
    if (address >= lane->target->info.tester_count || port < lane->first_port)
        return NULL;
    unsigned block = (port - lane->first_port) / PLAYER_PORTS;
    return block < lane->port_blocks ? &lane->owners[address * lane->port_blocks + block] : NULL;
}

/* The n-th place: neighbours differ in everything. */
static struct player_place place_of(const struct lane *lane, uint64_t n)
{
    unsigned count = lane->target->info.tester_count;
    return (struct player_place){
        .tester_address = (unsigned)(n % count),
        .tester_port = (uint16_t)(lane->first_port + n / count % lane->port_blocks * PLAYER_PORTS),
        .first_port = (uint16_t)(n / count / lane->port_blocks * PORTS_APART % PLAYER_PORTS),
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
    *addresses = schedule_addresses_needed(scenario);
    for (unsigned tries = 0; tries <= IUT_PORT_GROUPS; tries++) {
        if (lane->real->next_place % count + *addresses > count) /* a player's addresses lie side by side */
            lane->real->next_place += count - lane->real->next_place % count;
        place = place_of(lane, lane->real->next_place);
        lane->real->next_place += *addresses;
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
    player_receive(player, r->buffer, len, earliest - lane->target->info.rtt_ns, latest); /* it was on its way for a part of that */
}

/* The link is gone, or (status 0) trouble() says that something failed: what is being played proves nothing. */
static void lane_troubled(struct lane *lane, int status)
{
    if (status && !lane->target->ops->trouble)
        snprintf(lane->trouble, sizeof lane->trouble, "the link to the target is gone: %s", strerror(status));
    for (unsigned i = 0; i < lane->seat_count; i++) {
        lane->seats[i].troubled = true;
        if (status)
            player_abort(lane->seats[i].player, "the link to the target is gone");
    }
    lane->link_gone |= status != 0;
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
            lane_troubled(lane, (int)-len);
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

static void give_up(struct real *r, struct waiting w, enum verdict verdict, const char *reason)
{
    stopped(r, report(r, r->s->tests[w.test], verdict, reason));
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
                                   .place = deal_place(lane, scenario, &addresses), .seed = r->s->seed, .strict = r->s->strict,
                                   .judged = r->s->judged, .catch_up = catch_up, .context = lane};
    struct player *player = player_new(&config, now_ns());
    if (!player) {
        *iut_port_taken(lane, config.place.iut_port) = false;
        give_up(r, w, VERDICT_ERROR, "out of memory");
        return;
    }
    set_owner(lane, &config.place, addresses, player);
    lane->seats[lane->seat_count++] = (struct seat){.player = player, .iut_port = config.place.iut_port, .of = w};
    r->running++;
    player_run(player, now_ns());
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
static void seat_more(struct real *r)
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
static bool can_seat_more(const struct real *r)
{
    unsigned jobs = most_at_once(r);
    for (unsigned i = 0; i < r->lane_count; i++)
        if (may_sit_down(r->lanes[i]) && r->shared_count && r->lanes[i]->seat_count < jobs)
            return true;
    return false;
}

/* ---- playing */

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
    *iut_port_taken(lane, seat.iut_port) = false;
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

static void unseat(struct real *r, struct lane *lane, unsigned index)
{
    struct seat seat = leave_seat(r, lane, index);
    struct result_test result;
    player_result(seat.player, &result);
    char reason[CONFIRMATION_TEXT_MAX];
    enum disturbance disturbance = disturbance_of(&seat, &result);
    if (disturbance != UNDISTURBED && seat.of.reruns < SCHEDULE_RERUNS_MAX) {
        seat.of.reruns++;
        wait_again(r, lane, seat.of);
    } else if (disturbance == UNDISTURBED && needs_confirmation(lane, &seat, &result, reason)) {
        wait_again(r, lane, seat.of);
    } else {
        excuse(lane, &seat, disturbance, &result);
        result.reruns = seat.of.reruns;
        r->done++;
        stopped(r, r->s->finished(r->s->context, r->s->tests[seat.of.test], &result, seat.player));
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
    lane->mend_ns = now_ns() + recovery_pause_ns;
    for (unsigned i = 0; i < lane->seat_count && lane->broken; i++)
        player_abort(lane->seats[i].player, lane->trouble); /* nobody waits for what cannot come */
    if (!lane->broken) {
        lane->link_gone = false;
        lane->recoveries_failed = 0;
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
static void look_after(struct real *r, struct lane *lane)
{
    uint64_t deaths = schedule_deaths(lane->target, lane->trouble, sizeof lane->trouble);
    if (deaths != lane->deaths) {
        lane->deaths = deaths;
        mourn(r, lane);
        mend(lane);
        return;
    }
    uint64_t troubles = schedule_troubles(lane->target, lane->trouble, sizeof lane->trouble);
    bool again = lane->broken && now_ns() >= lane->mend_ns, news = troubles != lane->troubles;
    if (!news && !again && !(lane->link_gone && !lane->broken && !lane->lost))
        return;
    lane->troubles = troubles;
    if (news)
        lane_troubled(lane, 0);
    if (!lane->lost)
        mend(lane);
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
        else if (r->lanes[i]->reopening && r->lanes[i]->seat_count == 0) {
            lane_close(r, i);
            if (!lane_open(r, NULL))
                r->end = SCHEDULE_FAILED;
        }
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
            look_after(r, r->lanes[i]);
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

/* ---- an open port instead of an upper tester: who is behind it? */

struct probing { struct suite suite; const struct suite_test *tests[2 * OPEN_PORT_PROBES]; struct open_port found; };

static int note_probe(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct probing *probing = context;
    (void)player;
    for (unsigned i = 0; i < OPEN_PORT_PROBES; i++) {
        const char *id;
        open_port_probe(i, &id);
        bool is_this = !strcmp(test->file->id, id), counts = result->verdict != VERDICT_NOT_APPLICABLE;
        if (is_this && counts && result->verdict != VERDICT_PASS)
            open_port_probed(&probing->found, i, false);
    }
    return 0;
}

static bool load_probes(struct probing *probing)
{
    char text[256];
    for (unsigned i = 0; i < OPEN_PORT_PROBES; i++) {
        const char *id, *source = open_port_probe(i, &id);
        struct scn_diagnostics diagnostics = {0};
        struct scenario *scenario = scn_parse(id, source, strlen(source), &diagnostics);
        if (!scenario || suite_add(&probing->suite, id, scenario, text, sizeof text) < 0)
            return false;
        open_port_probed(&probing->found, i, true); /* until it is seen not to be so */
    }
    return suite_expand(&probing->suite, text, sizeof text) == 0 && probing->suite.test_count <= 2 * OPEN_PORT_PROBES;
}

/* Plays the probes on the lane that everybody shares, before the others come. False: out of memory. */
static bool probe_open_port(struct real *r)
{
    const struct target_info *info = &r->lanes[0]->target->info;
    if (info->capabilities & TARGET_UPPER_TESTER || !info->open_port)
        return true;
    struct probing probing = {0};
    bool loaded = load_probes(&probing);
    const struct schedule *whole = r->s;
    struct schedule probes = *whole;
    r->port = probing.found;
    if (loaded) {
        for (size_t i = 0; i < probing.suite.test_count; i++)
            probing.tests[i] = &probing.suite.tests[i];
        probes.tests = probing.tests;
        probes.test_count = probing.suite.test_count;
        probes.finished = note_probe;
        probes.progress = NULL;
        probes.context = &probing;
        r->s = &probes;
        loaded = sort_tests(r);
        if (loaded)
            loop(r);
        r->s = whole;
        r->port = probing.found;
        r->done = 0;
    }
    free(r->shared);
    free(r->exclusive);
    r->shared = r->exclusive = NULL;
    r->shared_count = r->exclusive_count = 0;
    suite_release(&probing.suite);
    return loaded;
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
    if (r.epoll_fd < 0 || !r.buffer) {
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory or file descriptors"};
        r.end = SCHEDULE_FAILED;
    } else if (s->test_count && !lane_open(&r, NULL)) {
        r.end = SCHEDULE_FAILED;
    } else {
        go_first(&before, &policy);
        if (r.lane_count && !(probe_open_port(&r) && sort_tests(&r)))
            r.end = SCHEDULE_FAILED;
        loop(&r);
        if (policy >= 0)
            sched_setscheduler(0, policy, &before);
    }
    /* NOLINTBEGIN(clang-analyzer-unix.Malloc): it takes lane_count for 0 after loop(), and so the lanes for lost */
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

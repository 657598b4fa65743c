/* A campaign's plays on a real target (see field.h).
 *
 * Theory of operation. The instance is opened with the first play and closed by field_real_rest(), when its places are used up
 * (where there can be many instances: each port of the IUT is used once an instance, so that nothing left in TIME-WAIT is in
 * anybody's way), or when it has died. Machines stay and are moved to the next instance.
 *
 * A packet belongs to the seat that owns its address and block of ports. Only seats that got something, or whose time has come, are
 * run.
 *
 * Leaving. Whoever has a connection that the application closed, and that is not over, leaves it to the IUT's timers for minutes;
 * thousands of them fill the IUT up, and then it behaves in ways that no input explains. So the last acknowledgment that each pair
 * of ports got from the IUT is kept, and when a play ends a RST goes out at exactly that number (RFC 9293 §3.10.7.4: the one that
 * is believed), unless a RST has ended the connection already. */
#include "engine/fuzz/field_real.h"

#include "engine/fuzz/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_TESTER_PORT = 16384, FIRST_IUT_PORT = 1024, PORTS_APART = 64, IUT_PORT_GROUPS = 7800, PAIRS_MAX = 16 };
static const int64_t ns_per_s = 1000000000, tick_ns = 2000000, place_ns = 12500000;

struct pair { struct pkt_endpoint iut, tester; uint32_t ack; bool over; }; /* a connection of a play; ack: the IUT's last */

struct seat {
    struct field_real *field;
    struct fuzz_play *machine;
    struct signals signals;
    struct shrink_input input;
    void *tag;
    struct player_place place;
    struct pair pairs[PAIRS_MAX];
    unsigned pair_count;
    bool busy, due;
};

struct field_real {
    struct field_config config;
    struct target *target;      /* NULL: closed, for now */
    int epoll_fd;
    struct seat *seats;
    unsigned seat_count, playing;
    struct seat **owners;       /* [tester address][port block] */
    unsigned first_port, port_blocks;
    uint64_t next_place, places_left;
    int64_t empty_ns;           /* when the link was last seen empty */
    uint8_t *buffer;
    struct pkt_builder *builder;
    struct target_error error;
    struct field_deaths deaths;
    uint64_t deaths_before, troubles_before; /* of the instance */
    bool draining, lost;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * ns_per_s + t.tv_nsec;
}

/* ---- the instance */

static void close_instance(struct field_real *f)
{
    if (!f->target)
        return;
    f->target->ops->close(f->target);
    f->target = NULL;
    free(f->owners);
    f->owners = NULL;
}

static uint64_t count_of(uint64_t (*ask)(struct target *t, char *text, size_t capacity), struct target *target, char *text,
                         size_t capacity)
{
    return ask ? ask(target, text, capacity) : 0;
}

static bool lose(struct field_real *f, const char *what, int cause)
{
    f->error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE};
    snprintf(f->error.text, sizeof f->error.text, "%s: %s", what, strerror(cause));
    f->lost = true;
    return false;
}

static bool take_instance(struct field_real *f, struct target *target)
{
    struct epoll_event event = {.events = EPOLLIN};
    const struct target_info *info = &target->info;
    f->target = target;
    f->first_port = info->port_count ? info->first_port : FIRST_TESTER_PORT;
    f->port_blocks = (info->port_count ? info->port_count : 65536u - FIRST_TESTER_PORT) / PLAYER_PORTS;
    f->owners = calloc((size_t)info->tester_count * f->port_blocks + 1, sizeof(struct seat *));
    if (!f->owners || epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, target->ops->fd(target), &event) < 0)
        return lose(f, "cannot wait for the target", f->owners ? errno : ENOMEM);
    f->next_place = f->config.driver->many ? 0 : (uint64_t)(now_ns() / place_ns);
    f->places_left = f->config.driver->many ? IUT_PORT_GROUPS : UINT64_MAX;
    f->empty_ns = now_ns();
    f->deaths_before = count_of(target->ops->deaths, target, f->deaths.how, sizeof f->deaths.how);
    f->troubles_before = count_of(target->ops->trouble, target, f->error.text, sizeof f->error.text);
    for (unsigned i = 0; i < f->seat_count; i++)
        fuzz_play_move(f->seats[i].machine, target);
    return true;
}

static bool open_instance(struct field_real *f)
{
    const struct target_config config = {.seed = f->config.seed};
    if (f->lost)
        return false;
    if (f->target)
        return true;
    for (unsigned i = 0; i < FIELD_OPENINGS_MAX; i++) {
        f->error = (struct target_error){.kind = TARGET_ERR_NONE};
        struct target *target = f->config.driver->open(f->config.argument, &config, &f->error);
        if (target)
            return take_instance(f, target);
    }
    f->lost = true;
    return false;
}

/* ---- packets */

static struct seat **owner_of(const struct field_real *f, unsigned address, uint16_t port)
{
    if (address >= f->target->info.tester_count || port < f->first_port)
        return NULL;
    const unsigned block = (port - f->first_port) / PLAYER_PORTS;
    return block < f->port_blocks ? &f->owners[address * f->port_blocks + block] : NULL;
}

static unsigned address_index(const struct target_info *info, const struct pkt_addr *addr)
{
    const struct pkt_addr *first = &info->tester[addr->version == 6];
    const unsigned last = addr->version == 6 ? 15 : 3;
    return ((unsigned)addr->bytes[last] | (unsigned)addr->bytes[last - 1] << 8) -
           ((unsigned)first->bytes[last] | (unsigned)first->bytes[last - 1] << 8);
}

static struct seat *addressee(const struct field_real *f, const struct packet *packet)
{
    if (packet->kind == PKT_KIND_TCP) {
        struct seat **owner = owner_of(f, address_index(&f->target->info, &packet->ip.dst), packet->tcp.dst_port);
        return owner && *owner && fuzz_play_owns((*owner)->machine, packet) ? *owner : NULL;
    }
    for (unsigned i = 0; i < f->seat_count; i++)
        if (f->seats[i].busy && fuzz_play_owns(f->seats[i].machine, packet))
            return &f->seats[i];
    return NULL;
}

static void deliver(struct field_real *f, size_t len, int64_t at_ns)
{
    struct packet packet;
    pkt_parse(f->buffer, len, &packet);
    struct seat *seat = addressee(f, &packet);
    if (!seat)
        return;
    int64_t read_ns = now_ns(), earliest = f->empty_ns, latest = read_ns;
    if (at_ns > earliest && at_ns < latest)
        earliest = latest = at_ns;
    fuzz_play_held_up(seat->machine, read_ns - earliest);
    fuzz_play_receive(seat->machine, f->buffer, len, earliest - f->target->info.rtt_ns, latest);
    seat->due = true;
}

/* Reads all that the IUT has sent. False when the link is gone. */
static bool drain(struct field_real *f)
{
    f->draining = true;
    for (;;) {
        int64_t before = now_ns(), at_ns = 0;
        ssize_t len = f->target->ops->receive(f->target, f->buffer, PKT_BYTES_MAX, &at_ns);
        if (len <= 0) {
            f->empty_ns = len == 0 ? before : f->empty_ns;
            f->draining = false;
            return len == 0;
        }
        deliver(f, (size_t)len, at_ns);
    }
}

static void catch_up(void *context)
{
    struct seat *seat = context;
    if (!seat->field->draining)
        drain(seat->field);
}

/* ---- what a play leaves behind */

static struct pair *pair_of(struct seat *seat, const struct pkt_endpoint *iut, const struct pkt_endpoint *tester)
{
    for (unsigned i = 0; i < seat->pair_count; i++)
        if (seat->pairs[i].iut.port == iut->port && seat->pairs[i].tester.port == tester->port)
            return &seat->pairs[i];
    if (seat->pair_count == PAIRS_MAX)
        return NULL;
    seat->pairs[seat->pair_count] = (struct pair){.iut = *iut, .tester = *tester};
    return &seat->pairs[seat->pair_count++];
}

static void note_packet(void *context, int64_t at_ns, const uint8_t *bytes, size_t len)
{
    struct seat *seat = context;
    struct packet packet;
    (void)at_ns;
    if (pkt_parse(bytes, len, &packet) != PKT_OK || packet.kind != PKT_KIND_TCP ||
        !pkt_addr_equal(&packet.ip.src, &seat->field->target->info.iut[packet.ip.version == 6]))
        return;
    const struct pkt_endpoint iut = {packet.ip.src, packet.tcp.src_port}, tester = {packet.ip.dst, packet.tcp.dst_port};
    struct pair *pair = pair_of(seat, &iut, &tester);
    if (!pair)
        return;
    pair->over = (packet.tcp.flags & PKT_RST) != 0;
    if ((packet.tcp.flags & (PKT_ACK | PKT_RST)) == PKT_ACK)
        pair->ack = packet.tcp.ack;
}

static void leave(struct field_real *f, struct seat *seat)
{
    for (unsigned i = 0; i < seat->pair_count; i++) {
        const struct pair *pair = &seat->pairs[i];
        if (pair->over || !pair->ack)
            continue;
        const struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = pair->tester.addr, .dst = pair->iut.addr, .src_port = pair->tester.port,
                                      .dst_port = pair->iut.port, .seq = pair->ack, .flags = PKT_RST};
        const ssize_t len = pkt_build(f->builder, &spec, f->buffer, PKT_BYTES_MAX);
        if (len > 0)
            f->target->ops->send(f->target, f->buffer, (size_t)len);
    }
    seat->pair_count = 0;
}

/* ---- seats */

static struct player_place place_of(const struct field_real *f, uint64_t n)
{
    const unsigned count = f->target->info.tester_count;
    return (struct player_place){
        .tester_address = (unsigned)(n % count),
        .tester_port = (uint16_t)(f->first_port + n / count % f->port_blocks * PLAYER_PORTS),
        .first_port = (uint16_t)(n / count / f->port_blocks * PORTS_APART % PLAYER_PORTS),
        .iut_port = (uint16_t)(FIRST_IUT_PORT + n % IUT_PORT_GROUPS * PLAYER_IUT_PORTS),
        .echo_id = (uint16_t)(n + 1),
    };
}

/* A place whose block nobody has. Among more blocks than seats there is always one. */
static bool deal_place(struct field_real *f, struct seat *seat)
{
    const uint64_t blocks = (uint64_t)f->target->info.tester_count * f->port_blocks;
    for (uint64_t tries = 0; tries < blocks && f->places_left; tries++, f->places_left--) {
        seat->place = place_of(f, f->next_place++);
        struct seat **owner = owner_of(f, seat->place.tester_address, seat->place.tester_port);
        if (*owner)
            continue;
        *owner = seat;
        f->places_left--;
        return true;
    }
    return false;
}

static void end_play(struct field_real *f, struct seat *seat)
{
    const struct field_ended ended = {
        .input = &seat->input, .outcome = fuzz_play_outcome(seat->machine), .signals = &seat->signals, .tag = seat->tag};
    leave(f, seat);
    *owner_of(f, seat->place.tester_address, seat->place.tester_port) = NULL;
    seat->busy = false;
    f->playing--;
    f->config.ended(f->config.context, &ended);
}

static void run_seat(struct field_real *f, struct seat *seat)
{
    seat->due = false;
    fuzz_play_run(seat->machine, now_ns());
    if (fuzz_play_finished(seat->machine))
        end_play(f, seat);
}

bool field_real_has_room(const struct field_real *f)
{
    return f->playing < f->seat_count && (!f->target || f->places_left > f->seat_count);
}

unsigned field_real_playing(const struct field_real *f)
{
    return f->playing;
}

bool field_real_begin(struct field_real *f, const struct shrink_input *input, void *tag)
{
    if (!open_instance(f))
        return false;
    struct seat *seat = f->seats;
    while (seat->busy)
        seat++;
    if (!deal_place(f, seat))
        return lose(f, "no place to play is left", EADDRNOTAVAIL);
    seat->input = *input;
    seat->tag = tag;
    seat->signals = (struct signals){.tested = {0}};
    seat->pair_count = 0;
    seat->busy = true;
    f->playing++;
    if (!fuzz_play_begin(seat->machine, seat->input.octets, seat->input.len, &seat->place, fuzz_seed(f->config.seed, TRIAL_ID),
                         now_ns()))
        return lose(f, "cannot play", ENOMEM);
    run_seat(f, seat);
    return true;
}

/* ---- turns */

static void wait_for_something(struct field_real *f, bool busy)
{
    int64_t now = now_ns(), until = busy ? now : now + tick_ns;
    for (unsigned i = 0; i < f->seat_count && until > now; i++) {
        const int64_t wish = f->seats[i].busy ? fuzz_play_deadline(f->seats[i].machine) : INT64_MAX;
        until = wish < until ? wish : until;
    }
    struct timespec timeout = {.tv_nsec = until > now ? until - now : 0};
    struct epoll_event event;
    if (timeout.tv_nsec)
        epoll_pwait2(f->epoll_fd, &event, 1, &timeout, NULL);
}

static void abort_all(struct field_real *f, enum fuzz_end end, const char *reason)
{
    for (unsigned i = 0; i < f->seat_count; i++) {
        struct seat *seat = &f->seats[i];
        if (!seat->busy)
            continue;
        if (end == FUZZ_DIED)
            fuzz_play_iut_died(seat->machine, reason);
        else
            fuzz_play_abort(seat->machine, end, reason);
        end_play(f, seat);
    }
}

/* Has the IUT died, or the link or upper tester failed? Then nobody plays on, and the instance is opened anew. */
static bool look_after(struct field_real *f, bool link_is_there)
{
    char how[sizeof f->deaths.how] = "the link to the target is gone";
    const struct target_ops *ops = f->target->ops;
    const uint64_t deaths = count_of(ops->deaths, f->target, how, sizeof how);
    const bool died = deaths != f->deaths_before;
    const uint64_t troubles = died ? 0 : count_of(ops->trouble, f->target, how, sizeof how);
    if (!died && troubles == f->troubles_before && link_is_there)
        return true;
    f->troubles_before = troubles;
    if (died)
        f->deaths.count += deaths - f->deaths_before;
    snprintf(f->deaths.how, sizeof f->deaths.how, "%s", how);
    abort_all(f, died ? FUZZ_DIED : FUZZ_STOPPED, how);
    if (!died && link_is_there)
        return true; /* what was played meanwhile proves nothing; the rest goes on */
    close_instance(f);
    return open_instance(f);
}

bool field_real_turn(struct field_real *f, bool busy)
{
    if (!f->target)
        return open_instance(f);
    if (f->places_left <= f->seat_count && f->playing == 0)
        close_instance(f);
    if (!f->target && !open_instance(f))
        return false;
    wait_for_something(f, busy);
    bool link_is_there = drain(f);
    const int64_t now = now_ns();
    for (unsigned i = 0; i < f->seat_count && link_is_there; i++) {
        struct seat *seat = &f->seats[i];
        if (seat->busy && (seat->due || fuzz_play_deadline(seat->machine) <= now))
            run_seat(f, seat);
    }
    return look_after(f, link_is_there);
}

void field_real_rest(struct field_real *f, bool anew)
{
    if (anew || !f->config.driver->many)
        close_instance(f);
}

/* ---- life cycle */

const struct target_error *field_real_error(const struct field_real *f)
{
    return &f->error;
}

const struct field_deaths *field_real_deaths(const struct field_real *f)
{
    return &f->deaths;
}

void field_real_gather(struct field_real *f, struct result_model *sum)
{
    for (unsigned i = 0; i < f->seat_count; i++) {
        const struct judge_host *host = fuzz_play_judged(f->seats[i].machine);
        coverage_add(&sum->coverage, &host->coverage);
        portrait_add(&sum->portrait, &host->portrait);
    }
}

static bool make_seats(struct field_real *f)
{
    f->seats = calloc(f->seat_count, sizeof *f->seats);
    for (unsigned i = 0; i < f->seat_count && f->seats; i++) {
        struct seat *seat = &f->seats[i];
        const struct fuzz_play_config config = {
            .target = f->target, .judged = true, .strict = f->config.strict, .signals = &seat->signals,
            .catch_up = catch_up, .packet = note_packet, .context = seat,
        };
        seat->field = f;
        seat->machine = fuzz_play_new(&config);
        if (!seat->machine)
            return false;
    }
    return f->seats != NULL;
}

/* So many as there are places for, and as an upper tester far away bears. */
static unsigned seats_for(const struct field_config *config, const struct target_info *info)
{
    static const int64_t calls_at_once_ns = 25000000;
    const unsigned jobs = config->jobs ? config->jobs : FIELD_JOBS_DEFAULT;
    const unsigned blocks = info->tester_count * ((info->port_count ? info->port_count : 65536u - FIRST_TESTER_PORT) / PLAYER_PORTS);
    const unsigned places = blocks > 2 ? blocks / 2 : 1;
    const unsigned bearable = config->jobs || info->call_ns * jobs <= calls_at_once_ns ? jobs : (unsigned)(calls_at_once_ns / info->call_ns) + 1;
    return bearable < places ? bearable : places;
}

struct field_real *field_real_open(const struct field_config *config, struct target_error *error)
{
    struct field_real *f = calloc(1, sizeof *f);
    *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory or file descriptors"};
    if (!f)
        return NULL;
    f->config = *config;
    f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    f->buffer = malloc(PKT_BYTES_MAX);
    f->builder = pkt_builder_new();
    if (f->epoll_fd >= 0 && f->buffer && f->builder && !open_instance(f))
        *error = f->error;
    if (f->target) {
        f->seat_count = seats_for(config, &f->target->info);
        if (make_seats(f))
            return f;
    }
    field_real_close(f);
    return NULL;
}

void field_real_close(struct field_real *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < f->seat_count && f->seats; i++)
        fuzz_play_free(f->seats[i].machine);
    close_instance(f);
    free(f->seats);
    free(f->buffer);
    pkt_builder_free(f->builder);
    if (f->epoll_fd >= 0)
        close(f->epoll_fd);
    free(f);
}

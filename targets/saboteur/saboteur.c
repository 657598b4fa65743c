/* The target "saboteur": opens another target and stands between it and the runner, as one fault bids.
 *
 * Theory of operation. Every call goes through to the wrapped target. On its way
 *
 *     from the IUT:  receive ──▶ find its connection, judge ──▶ take note ──▶ fault ──▶ show the ISN shifted ──▶ out, or held
 *     to the IUT:    send ──▶ find its connection, shift back, judge ──▶ fault ──▶ take note ──▶ send
 *
 * so that the record of a connection (track.h) says what the IUT itself said and got. A packet that is no TCP segment, or a
 * malformed one, is nothing to most faults and goes through octet for octet; ICMP echo does to all. Faults are tables, one a group:
 * output_faults.c, form_faults.c, timing_faults.c, input_faults.c, call_faults.c, setting_faults.c.
 *
 * Time. Packets that leave later wait in timed.h. A virtual instance answers deadline() with the earlier of the wrapped target's
 * and its own; a real one gives as fd() an epoll descriptor over the wrapped target's and a timer, which is set anew by each
 * receive() that finds nothing.
 *
 * Everything is bounded: connections, waiting packets, repeats (their headers say what happens at the bound). */
#include "targets/saboteur/sabotage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const struct target_driver *const *drivers; /* saboteur_use_drivers() */

void saboteur_use_drivers(const struct target_driver *const *list)
{
    drivers = list;
}

int64_t saboteur_now(const struct saboteur *s)
{
    if (s->virtual_time)
        return s->now_ns;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void saboteur_emit(struct saboteur *s, const struct pkt_spec *spec)
{
    uint8_t packet[256]; /* headers and options */
    ssize_t len = pkt_build(s->builder, spec, packet, sizeof packet);
    if (len > 0)
        timed_hold(&s->timed, packet, (size_t)len, saboteur_now(s));
}

/* ---- the link -------------------------------------------------------------------------------------------------- */

/* Lets the fault act, from the N-th match of NAME@N on. */
static void sabotage(struct saboteur *s, struct segment *segment)
{
    const struct fault *fault = s->fault.fault;
    if (fault->matches(segment) && ++s->matched >= s->fault.from)
        fault->act(s, segment);
}

static bool is_about_sent_segments(const struct saboteur *s)
{
    return s->fault.group == SABOTEUR_OUTPUT || s->fault.group == SABOTEUR_FORM || s->fault.group == SABOTEUR_TIMING;
}

/* The IUT's packet, as the fault wants it: false when it goes no further, or not yet. */
static bool pass_out(struct saboteur *s, struct segment *segment)
{
    track_find(&s->tracker, segment, true);
    if (segment->connection && segment_is_tcp(segment)) {
        track_judge_sent(segment);
        track_sent(&s->tracker, segment);
    }
    if (is_about_sent_segments(s))
        sabotage(s, segment);
    if (segment->connection && segment->connection->isn_shift && segment_is_tcp(segment))
        segment_set_seq(segment, segment->packet.tcp.seq + segment->connection->isn_shift);
    if (segment->dropped)
        return false;
    return !segment->delay_ns || !timed_hold(&s->timed, segment->bytes, segment->len, segment->now_ns + segment->delay_ns);
}

/* The next packet of the IUT that goes out now; 0 when there is none, -errno. */
static ssize_t next_of_iut(struct saboteur *s, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    for (;;) {
        ssize_t len = s->inner->ops->receive(s->inner, out, capacity, at_ns);
        if (len <= 0)
            return len;
        struct segment segment = {.bytes = s->outbound, .now_ns = saboteur_now(s)};
        segment_read(&segment, out, (size_t)len);
        if (!pass_out(s, &segment))
            continue;
        if (segment.len > capacity)
            return -EMSGSIZE;
        memcpy(out, segment.bytes, segment.len);
        return (ssize_t)segment.len;
    }
}

/* Real time: fd() becomes readable when the next waiting packet is due. */
static void set_timer(struct saboteur *s)
{
    int64_t next_ns = timed_next(&s->timed);
    if (s->virtual_time || next_ns == s->timer_ns)
        return;
    int64_t at_ns = next_ns == INT64_MAX ? 0 : next_ns > 0 ? next_ns : 1; /* 0 turns it off */
    struct itimerspec when = {.it_value = {.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000}};
    if (timerfd_settime(s->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
        s->timer_ns = next_ns;
}

/* The runner lets no time pass while there is something to do, not even for a timer that is due now. */
static void run_timers_due(struct saboteur *s)
{
    if (s->virtual_time && s->inner->ops->deadline(s->inner) <= s->now_ns)
        s->inner->ops->advance(s->inner, s->now_ns);
}

static ssize_t saboteur_receive(struct target *t, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct saboteur *s = saboteur_of(t);
    ssize_t len = next_of_iut(s, out, capacity, at_ns);
    if (len == 0) {
        run_timers_due(s);
        len = next_of_iut(s, out, capacity, at_ns);
    }
    if (len == 0)
        len = timed_take(&s->timed, saboteur_now(s), out, capacity, at_ns);
    if (len == 0)
        set_timer(s);
    return len;
}

/* What the tester says of the IUT's numbers is about the shifted ones. */
static void shift_back(struct segment *segment)
{
    struct packet quoted;
    uint32_t shift = segment->connection ? segment->connection->isn_shift : 0;
    if (shift == 0)
        return;
    if (segment_has(segment, PKT_ACK))
        segment_set_ack(segment, segment->packet.tcp.ack - shift);
    if (segment_is_tcp(segment))
        segment_shift_sack(segment, (uint32_t)0 - shift);
    else if (segment_quoted(segment, &quoted))
        segment_set_quoted_seq(segment, quoted.tcp.seq - shift);
}

static int saboteur_send(struct target *t, const uint8_t *bytes, size_t len)
{
    struct saboteur *s = saboteur_of(t);
    if (len > PKT_BYTES_MAX)
        return s->inner->ops->send(s->inner, bytes, len);
    struct segment segment = {.bytes = s->inbound, .now_ns = saboteur_now(s)};
    segment_read(&segment, bytes, len);
    track_find(&s->tracker, &segment, false);
    shift_back(&segment);
    track_judge_arriving(&segment);
    if (s->fault.group == SABOTEUR_INPUT)
        sabotage(s, &segment);
    if (segment.dropped) {
        set_timer(s);
        return 0;
    }
    if (segment.connection) {
        track_arrived(&segment);
        timed_arrived(&s->timed, segment.connection, segment.now_ns);
    }
    set_timer(s);
    return s->inner->ops->send(s->inner, segment.bytes, segment.len);
}

static int64_t saboteur_deadline(struct target *t)
{
    struct saboteur *s = saboteur_of(t);
    int64_t inner_ns = s->inner->ops->deadline(s->inner), own_ns = timed_next(&s->timed);
    return own_ns < inner_ns ? own_ns : inner_ns;
}

static void saboteur_advance(struct target *t, int64_t now_ns)
{
    struct saboteur *s = saboteur_of(t);
    s->now_ns = now_ns;
    s->inner->ops->advance(s->inner, now_ns);
}

static int saboteur_fd(struct target *t)
{
    return saboteur_of(t)->epoll_fd;
}

/* ---- the upper tester: straight through, unless a fault of call_faults.c takes a function's place ---------------- */

static int64_t saboteur_socket(struct target *t, uint8_t ip_version)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->socket(inner, ip_version);
}

static int64_t saboteur_bind(struct target *t, int handle, const struct pkt_endpoint *local)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->bind(inner, handle, local);
}

static int64_t saboteur_listen(struct target *t, int handle, int backlog)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->listen(inner, handle, backlog);
}

static int64_t saboteur_accept(struct target *t, int handle, struct pkt_endpoint *peer)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->accept(inner, handle, peer);
}

static int64_t saboteur_connect(struct target *t, int handle, const struct pkt_endpoint *remote)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->connect(inner, handle, remote);
}

static int64_t saboteur_send_data(struct target *t, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->send_data(inner, handle, data, len, flags);
}

static int64_t saboteur_receive_data(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->receive_data(inner, handle, out, len, flags);
}

static int64_t saboteur_shutdown(struct target *t, int handle, enum target_shutdown how)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->shutdown(inner, handle, how);
}

static int64_t saboteur_close_handle(struct target *t, int handle)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->close_handle(inner, handle);
}

static int64_t saboteur_set_option(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->set_option(inner, handle, name, values, count);
}

static int64_t saboteur_get_option(struct target *t, int handle, const char *name, int64_t *value)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->get_option(inner, handle, name, value);
}

static int64_t saboteur_ioctl(struct target *t, int handle, const char *name, int64_t *value)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->ioctl(inner, handle, name, value);
}

static unsigned saboteur_poll(struct target *t, int handle)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->poll(inner, handle);
}

static int64_t saboteur_local_endpoint(struct target *t, int handle, struct pkt_endpoint *out)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->local_endpoint(inner, handle, out);
}

static int64_t saboteur_status(struct target *t, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                               struct target_status *out)
{
    struct saboteur *s = saboteur_of(t);
    int64_t result = s->inner->ops->status(s->inner, local, remote, out);
    const struct connection *c = track_lookup(&s->tracker, local, remote);
    if (result == 0 && c) {
        out->snd_una += c->isn_shift;
        out->snd_nxt += c->isn_shift;
    }
    return result;
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void saboteur_close(struct target *t)
{
    struct saboteur *s = saboteur_of(t);
    if (s->inner)
        s->inner->ops->close(s->inner);
    close_fd(s->epoll_fd);
    close_fd(s->timer_fd);
    timed_release(&s->timed);
    tracker_release(&s->tracker);
    pkt_builder_free(s->builder);
    free(s->outbound);
    free(s->inbound);
    free(s);
}

/* ---- what befalls the wrapped target; without recover(), it is opened anew after that ------------------------------ */

static void saboteur_finish(struct target *t)
{
    struct target *inner = saboteur_of(t)->inner;
    if (inner->ops->finish)
        inner->ops->finish(inner);
}

static uint64_t saboteur_trouble(struct target *t, char *text, size_t capacity)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->trouble ? inner->ops->trouble(inner, text, capacity) : 0;
}

static uint64_t saboteur_deaths(struct target *t, char *text, size_t capacity)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->deaths ? inner->ops->deaths(inner, text, capacity) : 0;
}

static const struct target_ops SABOTEUR_OPS = {
    .close = saboteur_close, .send = saboteur_send, .receive = saboteur_receive, .deadline = saboteur_deadline, .advance = saboteur_advance,
    .fd = saboteur_fd, .socket = saboteur_socket, .bind = saboteur_bind, .listen = saboteur_listen, .accept = saboteur_accept,
    .connect = saboteur_connect, .send_data = saboteur_send_data, .receive_data = saboteur_receive_data, .shutdown = saboteur_shutdown,
    .close_handle = saboteur_close_handle, .set_option = saboteur_set_option, .get_option = saboteur_get_option, .ioctl = saboteur_ioctl,
    .poll = saboteur_poll, .local_endpoint = saboteur_local_endpoint, .status = saboteur_status, .finish = saboteur_finish,
    .trouble = saboteur_trouble, .deaths = saboteur_deaths,
};

struct choice { struct fault_ref fault; const struct target_driver *wrapped; const char *argument; /* of the wrapped one */ };

static const struct target_driver *find_driver(const char *name, size_t len, const char *argument)
{
    for (size_t i = 0; drivers && drivers[i]; i++)
        if (strlen(drivers[i]->name) == len && !strncmp(drivers[i]->name, name, len))
            return drivers[i] == &saboteur_driver ? saboteur_driver_for(argument) : drivers[i];
    return NULL;
}

/* "FAULT,TARGET[:ARGUMENT]". False with what is wrong in error, if that is wanted. */
static bool choose(const char *argument, struct choice *out, struct target_error *error)
{
    struct target_error ignored;
    struct target_error *to = error ? error : &ignored;
    size_t fault_len = strcspn(argument, ",");
    *to = (struct target_error){.kind = TARGET_ERR_USAGE};
    if (!argument[fault_len]) {
        snprintf(to->text, sizeof to->text,
                 "write saboteur:FAULT,TARGET, as in saboteur:ack-dropped,reference; `tcpassay targets saboteur` lists the faults");
        return false;
    }
    if (!fault_find(argument, fault_len, &out->fault)) {
        snprintf(to->text, sizeof to->text, "there is no fault \"%.*s\"; `tcpassay targets saboteur` lists them", (int)fault_len,
                 argument);
        return false;
    }
    const char *target = argument + fault_len + 1;
    size_t target_len = strcspn(target, ":");
    out->argument = target[target_len] ? target + target_len + 1 : "";
    out->wrapped = find_driver(target, target_len, out->argument);
    if (!out->wrapped) {
        snprintf(to->text, sizeof to->text, "there is no target \"%.*s\" to wrap; `tcpassay targets` lists what there is",
                 (int)target_len, target);
        return false;
    }
    *to = (struct target_error){.kind = TARGET_ERR_NONE};
    return true;
}

static bool watch(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool make_waitable(struct saboteur *s)
{
    if (s->virtual_time)
        return true;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return watch(s->epoll_fd, s->timer_fd) && watch(s->epoll_fd, s->inner->ops->fd(s->inner));
}

/* A record is given up, or begins anew. */
static void forget(void *context, struct connection *connection)
{
    timed_forget(&((struct saboteur *)context)->timed, connection);
}

/* The wrapped target's own description, and what was done to it. */
static void describe(struct saboteur *s, const struct choice *choice, const char *argument)
{
    struct target_info *info = &s->base.info;
    char of[TARGET_TEXT_MAX];
    *info = s->inner->info;
    snprintf(of, sizeof of, "%s", info->description);
    snprintf(info->name, sizeof info->name, "saboteur:%.50s", argument);
    snprintf(info->description, sizeof info->description, "%.150s, sabotaged: %s", of, choice->fault.fault->says);
    if (info->pixit_count < TARGET_PIXIT_MAX) {
        snprintf(info->pixit[info->pixit_count].name, sizeof info->pixit->name, "fault");
        snprintf(info->pixit[info->pixit_count++].value, sizeof info->pixit->value, "%.60s", argument);
    }
}

/* The wrapped target, with the fault's setting in place of the scenario's. */
static struct target *open_wrapped(const struct choice *choice, const struct target_config *config, struct target_error *error)
{
    const struct fault *fault = choice->fault.fault;
    if (!fault->setting)
        return choice->wrapped->open(choice->argument, config, error);
    struct target_setting *settings = calloc((size_t)config->setting_count + 1, sizeof *settings);
    struct target_config changed = *config;
    if (!settings) {
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
        return NULL;
    }
    changed.settings = settings;
    changed.setting_count = 0;
    for (unsigned i = 0; i < config->setting_count; i++)
        if (strcmp(config->settings[i].name, fault->setting))
            settings[changed.setting_count++] = config->settings[i];
    settings[changed.setting_count++] = (struct target_setting){fault->setting, fault->value};
    struct target *inner = choice->wrapped->open(choice->argument, &changed, error);
    free(settings);
    return inner;
}

static struct target *saboteur_open(const char *argument, const struct target_config *config, struct target_error *error)
{
    struct choice choice;
    if (!choose(argument, &choice, error))
        return NULL;
    struct saboteur *s = malloc(sizeof *s);
    if (s) {
        *s = (struct saboteur){.ops = SABOTEUR_OPS, .fault = choice.fault, .virtual_time = choice.wrapped->virtual_time, .epoll_fd = -1,
                               .timer_fd = -1, .timer_ns = INT64_MAX, .builder = pkt_builder_new(), .outbound = malloc(SEGMENT_BYTES_MAX),
                               .inbound = malloc(SEGMENT_BYTES_MAX)};
        s->base.ops = &s->ops;
        if (s->fault.fault->replace)
            s->fault.fault->replace(&s->ops);
    }
    if (!s || !timed_init(&s->timed) || !tracker_init(&s->tracker, forget, s) || !s->builder || !s->outbound || !s->inbound) {
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
    } else if ((s->inner = open_wrapped(&choice, config, error))) {
        describe(s, &choice, argument);
        if (make_waitable(s))
            return &s->base;
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE};
        snprintf(error->text, sizeof error->text, "cannot wait for the wrapped target: %s", strerror(errno));
    }
    if (s)
        saboteur_close(&s->base);
    return NULL;
}

static bool saboteur_preflight(const char *argument, struct target_error *error)
{
    struct choice choice;
    if (!argument || !*argument) /* a list of targets asks */
        return true;
    return choose(argument, &choice, error) && (!choice.wrapped->preflight || choice.wrapped->preflight(choice.argument, error));
}

#define SABOTEUR_DRIVER(IS_MANY, IS_VIRTUAL)                                                                                           \
    {                                                                                                                                  \
        .name = "saboteur", .argument = "FAULT,TARGET", .summary = "another target, broken in one named way: shows that tests can fail", \
        .many = IS_MANY, .virtual_time = IS_VIRTUAL, .preflight = saboteur_preflight, .open = saboteur_open,                           \
    }
const struct target_driver saboteur_driver = SABOTEUR_DRIVER(true, true);

static const struct target_driver by_time[2][2] = { /* [many][virtual] */
    {SABOTEUR_DRIVER(false, false), SABOTEUR_DRIVER(false, true)},
    {SABOTEUR_DRIVER(true, false), SABOTEUR_DRIVER(true, true)},
};

const struct target_driver *saboteur_driver_for(const char *argument)
{
    struct choice choice;
    return choose(argument, &choice, NULL) ? &by_time[choice.wrapped->many][choice.wrapped->virtual_time] : &saboteur_driver;
}

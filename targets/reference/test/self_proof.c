/* Two reference stacks over an unreliable link, thousands of seeds: every octet arrives intact and in order, or the connection is
 * reported dead to both sides; nothing leaks, nothing hangs.
 *
 * A seed draws everything: IP version, options, buffers, the link's faults, who opens (or both at once), what each application
 * does: how much it writes, how fast it reads, where it stops reading for a while, whether it sends urgent data, and how it ends.
 * Half of the runs start next to the wrap of one side's sequence numbers. `reference_self_proof_test SEED` runs one seed and tells
 * what happens.
 */
#include "targets/reference/stack.h"
#include "targets/reference/test/world.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 5000, PORT_A = 4000, PORT_B = 5000, CHUNK_MAX = 9000, PACKETS_MAX = 10000 };
static const int64_t S = 1000000000, MS = 1000000, PATIENCE_NS = 48LL * 3600 * 1000000000;

enum ending {
    END_GRACEFUL,   /* shutdown(WR) when all is written, read to the end, close */
    END_CLOSE,      /* close when all is written, whatever else arrives */
    END_ABORT,      /* RST somewhere in the middle */
    ENDING_COUNT
};

struct app {
    int handle;                  /* -1: not open (yet, or any more) */
    bool finished, shut, saw_end;
    enum ending ending;
    uint32_t to_write, written, read;
    uint32_t abort_after, urgent_at;
    int64_t pause_until_ns, pause_ns;
    uint32_t pause_at;
    int error;                   /* how the connection died, 0: it did not */
    uint8_t pattern;
};

struct run {
    uint64_t seed;
    struct world world;
    struct app app[2];
    int listener;                /* of host 1; -1: none (any more) */
    uint8_t version;
    bool tell, winding_down, never_met;
    char why[256];               /* what went wrong, "" for nothing */
};

static uint8_t octet(const struct app *writer, uint32_t offset)
{
    return (uint8_t)(offset * 31 + offset / 251 + writer->pattern);
}

static void complain(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(struct run *run, const char *format, ...)
{
    va_list arguments;
    if (run->why[0])
        return;
    va_start(arguments, format);
    vsnprintf(run->why, sizeof run->why, format, arguments);
    va_end(arguments);
}

/* ---- drawing a run ----------------------------------------------------------------------------------------------- */

static bool coin(struct world *w)
{
    return world_below(w, 2) != 0;
}

static struct pkt_addr address(uint8_t version, int host)
{
    struct pkt_addr addr;
    static const char *const text[2][2] = { { "192.0.2.1", "192.0.2.2" }, { "2001:db8::1", "2001:db8::2" } };
    pkt_addr_parse(text[version == 6][host], &addr);
    return addr;
}

static struct ref_config draw_config(struct world *w, uint8_t version, int host)
{
    static const uint16_t mtus[] = { 1500, 1500, 1280, 9000, 1400 };
    static const uint32_t buffers[] = { 131072, 65535, 16384, 4096, 1000, 300000 };
    struct ref_config c = ref_config_default();
    c.seed = world_random(w);
    c.addresses[c.address_count++] = address(version, host);
    c.mtu = mtus[world_below(w, 5)];
    c.timestamps = !world_chance(w, 300);
    c.sack = !world_chance(w, 300);
    c.window_scaling = !world_chance(w, 200);
    c.ecn = (enum ref_ecn)world_below(w, 3);
    c.receive_buffer = buffers[world_below(w, 6)];
    c.send_buffer = buffers[world_below(w, 6)];
    c.syncookies = (enum ref_syncookies)world_below(w, 3);
    c.keepalive_idle_ns = 600 * S; /* so that both sides learn of a dead peer */
    c.keepalive_interval_ns = 60 * S;
    if (world_chance(w, 100))
        c.output_queue_bytes_max = 16u * c.mtu;
    return c;
}

static struct faults draw_faults(struct world *w)
{
    struct faults f = { .delay_ns = (int64_t)world_below(w, 200) * MS + 1 };
    if (coin(w))
        f.loss_permille = (unsigned)world_below(w, world_chance(w, 200) ? 300 : 60);
    if (coin(w))
        f.duplicate_permille = (unsigned)world_below(w, 50);
    if (coin(w))
        f.corrupt_permille = (unsigned)world_below(w, 40);
    if (coin(w))
        f.jitter_ns = (int64_t)world_below(w, 100) * MS;
    return f;
}

static struct app draw_app(struct world *w)
{
    static const uint32_t sizes[] = { 0, 1, 1000, 20000, 200000 };
    struct app a = { .handle = -1, .urgent_at = UINT32_MAX, .pause_at = UINT32_MAX, .abort_after = UINT32_MAX };
    a.pattern = (uint8_t)world_random(w);
    a.to_write = (uint32_t)world_below(w, sizes[world_below(w, 5)] + 1u);
    a.ending = world_chance(w, 700) ? END_GRACEFUL : world_chance(w, 700) ? END_CLOSE : END_ABORT;
    if (a.ending == END_ABORT)
        a.abort_after = (uint32_t)world_below(w, a.to_write + 1u);
    if (world_chance(w, 200))
        a.urgent_at = (uint32_t)world_below(w, a.to_write + 1u);
    if (world_chance(w, 300)) { /* a stall long enough to close the window */
        a.pause_at = (uint32_t)world_below(w, 50000);
        a.pause_ns = (int64_t)world_below(w, 300) * S;
    }
    return a;
}

/* The time at which host's ISN stands a little before the wrap. */
static int64_t before_wrap(struct world *w, const struct ref_stack *stack, uint8_t version, int host)
{
    const struct ref_tuple tuple = {
        .local = address(version, host), .remote = address(version, 1 - host),
        .local_port = host ? PORT_B : PORT_A, .remote_port = host ? PORT_A : PORT_B,
    };
    uint32_t ticks = 0u - ref_isn(stack, &tuple, 0) - (uint32_t)world_below(w, 100000);
    return (int64_t)ticks * 4000;
}

static void set_up(struct run *run)
{
    struct world *w = &run->world;
    world_init(w, NULL, NULL, 0, run->seed);
    run->version = coin(w) ? 4 : 6;
    struct ref_config config[2] = { draw_config(w, run->version, 0), draw_config(w, run->version, 1) };
    if (coin(w)) {
        struct ref_stack *probe = ref_stack_new(&config[0], 0);
        w->now_ns = before_wrap(w, probe, run->version, 0);
        ref_stack_free(probe);
    } else if (coin(w)) {
        struct ref_stack *probe = ref_stack_new(&config[1], 0);
        w->now_ns = before_wrap(w, probe, run->version, 1);
        ref_stack_free(probe);
    }
    for (int i = 0; i < 2; i++) {
        w->host[i] = ref_stack_new(&config[i], w->now_ns);
        w->faults[i] = draw_faults(w);
        run->app[i] = draw_app(w);
    }
    if (world_chance(w, 30)) { /* the link dies for good */
        int64_t from_ns = w->now_ns + (int64_t)world_below(w, 20) * S;
        for (int i = 0; i < 2; i++) {
            w->faults[i].blackout_from_ns = from_ns;
            w->faults[i].blackout_to_ns = INT64_MAX;
        }
    }
}

/* ---- applications ------------------------------------------------------------------------------------------------ */

static void set(struct ref_stack *stack, int handle, const char *name, int64_t value)
{
    ref_set_option(stack, handle, name, &value, 1);
}

static void configure(struct run *run, struct ref_stack *stack, int handle)
{
    set(stack, handle, "SO_OOBINLINE", 1);
    set(stack, handle, "SO_KEEPALIVE", 1);
    set(stack, handle, "TCP_NODELAY", coin(&run->world));
}

static int open_socket(struct run *run, int host, uint16_t port)
{
    struct ref_stack *stack = run->world.host[host];
    const struct pkt_endpoint local = { .addr = address(run->version, host), .port = port };
    int handle = (int)ref_socket(stack, run->version);
    configure(run, stack, handle);
    if (ref_bind(stack, handle, &local) != 0)
        complain(run, "bind failed");
    return handle;
}

static void open_both(struct run *run)
{
    const struct pkt_endpoint a = { .addr = address(run->version, 0), .port = PORT_A }, b = { .addr = address(run->version, 1), .port = PORT_B };
    run->listener = -1;
    run->app[0].handle = open_socket(run, 0, PORT_A);
    int other = open_socket(run, 1, PORT_B);
    if (world_chance(&run->world, 100)) { /* simultaneous */
        run->app[1].handle = other;
        ref_connect(run->world.host[1], other, &a);
    } else {
        run->listener = other;
        ref_listen(run->world.host[1], other, 1);
    }
    if (ref_connect(run->world.host[0], run->app[0].handle, &b) != -EINPROGRESS)
        complain(run, "connect did not start");
}

static void died(struct run *run, int host, int error)
{
    struct app *app = &run->app[host];
    app->error = error;
    app->finished = true;
    ref_close(run->world.host[host], app->handle);
    app->handle = -1;
    if (run->tell)
        printf("%10.3f host %d: %s\n", (double)run->world.now_ns / 1e9, host, strerror(error));
}

static void finish(struct run *run, int host)
{
    struct app *app = &run->app[host];
    ref_close(run->world.host[host], app->handle);
    app->handle = -1;
    app->finished = true;
    if (run->tell)
        printf("%10.3f host %d: closed, wrote %u, read %u\n", (double)run->world.now_ns / 1e9, host, app->written, app->read);
}

static bool read_some(struct run *run, int host)
{
    struct app *app = &run->app[host], *writer = &run->app[1 - host];
    uint8_t bytes[CHUNK_MAX];
    int64_t got = ref_receive(run->world.host[host], app->handle, bytes, 1 + world_below(&run->world, CHUNK_MAX), 0);
    if (got == -EAGAIN)
        return false;
    if (got < 0) {
        died(run, host, (int)-got);
        return false;
    }
    if (got == 0)
        app->saw_end = true;
    for (int64_t i = 0; i < got; i++) {
        if (app->read >= writer->written || bytes[i] != octet(writer, app->read)) {
            complain(run, "host %d read octet %u wrong", host, app->read);
            return false;
        }
        app->read++;
    }
    return got > 0;
}

static bool write_some(struct run *run, int host)
{
    struct app *app = &run->app[host];
    uint8_t bytes[CHUNK_MAX];
    uint32_t left = app->to_write - app->written, len = 1 + (uint32_t)world_below(&run->world, CHUNK_MAX);
    if (left == 0 || app->shut)
        return false;
    len = len < left ? len : left;
    unsigned flags = app->written <= app->urgent_at && app->urgent_at < app->written + len ? REF_MSG_OOB : 0;
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = octet(app, app->written + i);
    int64_t taken = ref_send(run->world.host[host], app->handle, bytes, len, flags);
    if (taken == -EAGAIN)
        return false;
    if (taken < 0) {
        died(run, host, (int)-taken);
        return false;
    }
    app->written += (uint32_t)taken;
    return true;
}

static void end(struct run *run, int host)
{
    struct app *app = &run->app[host];
    struct ref_stack *stack = run->world.host[host];
    if (app->finished)
        return;
    if (app->ending == END_ABORT && app->written >= app->abort_after) {
        ref_abort(stack, app->handle);
        app->handle = -1;
        app->finished = true;
        return;
    }
    if (app->written < app->to_write || app->ending == END_ABORT)
        return;
    if (app->ending == END_CLOSE) {
        finish(run, host);
        return;
    }
    if (!app->shut) {
        app->shut = true;
        ref_shutdown(stack, app->handle, REF_SHUT_WR);
    }
    if (app->saw_end)
        finish(run, host);
}

static bool stalled(struct run *run, struct app *app)
{
    if (app->read >= app->pause_at) {
        app->pause_at = UINT32_MAX;
        app->pause_until_ns = run->world.now_ns + app->pause_ns;
    }
    return run->world.now_ns < app->pause_until_ns;
}

static bool opening(struct run *run, int host)
{
    struct ref_status status;
    ref_handle_status(run->world.host[host], run->app[host].handle, &status);
    return status.state == TCP_STATE_SYN_SENT || status.state == TCP_STATE_SYN_RECEIVED;
}

static void run_app(struct run *run, int host)
{
    struct app *app = &run->app[host];
    struct ref_stack *stack = run->world.host[host];
    if (app->finished)
        return;
    if (host == 1 && app->handle < 0) {
        int64_t handle = ref_accept(stack, run->listener, NULL);
        if (handle < 0)
            return;
        app->handle = (int)handle;
        ref_close(stack, run->listener); /* else an old segment with a valid SYN cookie might open a second one that nobody serves */
        run->listener = -1;
    }
    bool impatient = app->ending != END_GRACEFUL && app->pattern % 4 == 0; /* does not wait for the connection */
    if (!impatient && opening(run, host))
        return;
    while (!app->finished && write_some(run, host) && app->written < app->abort_after)
        ;
    while (!app->finished && !stalled(run, app) && !app->saw_end && read_some(run, host))
        ;
    end(run, host);
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

static void check_stacks(struct run *run)
{
    for (int i = 0; i < 2; i++) {
        const char *broken = ref_check_invariants(run->world.host[i]);
        if (broken)
            complain(run, "host %d does not hold: %s", i, broken);
    }
}

static bool all_finished(const struct run *run)
{
    return run->app[0].finished && run->app[1].finished;
}

/* The first host gave up before the second ever heard of it. */
static bool never_met(const struct run *run)
{
    return run->app[0].finished && run->listener >= 0;
}

static int64_t next_event(const struct run *run)
{
    int64_t next_ns = world_next(&run->world);
    for (int i = 0; i < 2; i++) {
        const struct app *app = &run->app[i];
        if (!run->winding_down && !app->finished && app->pause_until_ns > run->world.now_ns && app->pause_until_ns < next_ns)
            next_ns = app->pause_until_ns;
    }
    return next_ns;
}

static void step(struct run *run)
{
    int64_t next_ns = next_event(run);
    world_step_to(&run->world, next_ns);
    for (int i = 0; i < 2 && !run->winding_down; i++)
        run_app(run, i);
    world_collect(&run->world);
    check_stacks(run);
}

static void carry_out(struct run *run)
{
    int64_t start_ns = run->world.now_ns;
    world_collect(&run->world);
    while (!run->why[0] && !all_finished(run)) {
        run->never_met = never_met(run);
        if (next_event(run) == INT64_MAX && run->never_met)
            break;
        if (next_event(run) == INT64_MAX)
            complain(run, "deadlock: applications wait, and nothing will ever happen");
        else if (run->world.sent > PACKETS_MAX)
            complain(run, "a storm: %d packets for less than half a megabyte", PACKETS_MAX);
        else if (next_event(run) - start_ns > PATIENCE_NS)
            complain(run, "no end after two days");
        else
            step(run);
    }
}

/* After the applications: connections end by themselves, and nothing of them is left. */
static void wind_down(struct run *run)
{
    if (run->listener >= 0 && !run->why[0])
        ref_close(run->world.host[1], run->listener);
    run->winding_down = true;
    while (!run->why[0] && next_event(run) != INT64_MAX)
        step(run);
    for (int i = 0; i < 2 && !run->why[0]; i++) {
        const struct ref_stack *stack = run->world.host[i];
        if (stack->connections)
            complain(run, "host %d still has a connection in %s", i, tcp_state_name(stack->connections->state));
        if (stack->sockets_used || stack->buffers.used)
            complain(run, "host %d leaks", i);
    }
}

static bool dead(const struct app *app)
{
    return app->error != 0;
}

/* A link that loses a packet in ten at most, and never for long, is no reason to die. But a SYN cookie is refused, with a RST, when
 * the ACK that completes the handshake is overtaken: the numbers do not fit then. */
static bool link_is_usable(const struct run *run)
{
    if (run->world.host[1]->config.syncookies == REF_SYNCOOKIES_ALWAYS)
        return false;
    for (int i = 0; i < 2; i++) {
        const struct faults *f = &run->world.faults[i];
        if (f->loss_permille + f->corrupt_permille > 100 || f->blackout_to_ns)
            return false;
    }
    return true;
}

/* Who ended in peace has read all that the other was to write; who has not was told why. An application that had read all and
 * closed cannot be told any more whether its own last octets arrived. */
static void judge(struct run *run)
{
    if (run->app[0].ending != END_GRACEFUL || run->app[1].ending != END_GRACEFUL)
        return;
    for (int i = 0; i < 2; i++) {
        const struct app *app = &run->app[i], *other = &run->app[1 - i];
        bool never_opened = i == 1 && run->never_met && dead(other);
        if (app->read != other->to_write && !dead(app) && !never_opened)
            complain(run, "host %d read %u of %u octets and was not told why", i, app->read, other->to_write);
        if (dead(app) && link_is_usable(run))
            complain(run, "host %d gave up on a usable link: %s", i, strerror(app->error));
    }
}

static void run_seed(struct run *run)
{
    set_up(run);
    open_both(run);
    carry_out(run);
    wind_down(run);
    judge(run);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void every_octet_arrives_or_both_are_told(void **state)
{
    uint64_t packets = 0, octets = 0, deaths = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct run run = { .seed = seed };
        run_seed(&run);
        packets += run.world.sent;
        octets += (uint64_t)run.app[0].read + run.app[1].read;
        deaths += dead(&run.app[0]) || dead(&run.app[1]);
        world_free(&run.world);
        if (run.why[0])
            fail_msg("seed %" PRIu64 ": %s", seed, run.why);
    }
    print_message("%d seeds: %" PRIu64 " packets, %" PRIu64 " octets delivered, %" PRIu64 " connections reset or timed out\n",
                  SEEDS, packets, octets, deaths);
    assert_true(deaths > 0 && deaths < SEEDS / 2);
}

/* The canary: where the link forges text under a valid checksum, the proof must fail. */
static void forged_text_is_noticed(void **state)
{
    int noticed = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct run run = { .seed = seed };
        set_up(&run);
        run.world.faults[0].tamper_permille = run.world.faults[1].tamper_permille = 1000;
        open_both(&run);
        carry_out(&run);
        noticed += strstr(run.why, "wrong") != NULL;
        world_free(&run.world);
    }
    assert_true(noticed >= 20);
}

static void print_packet(void *context, int from, const uint8_t *bytes, size_t len)
{
    const struct run *run = context;
    struct packet packet;
    char text[256];
    pkt_parse(bytes, len, &packet);
    pkt_format(&packet, text, sizeof text);
    printf("%10.3f %s %s\n", (double)run->world.now_ns / 1e9, from ? "        <" : ">", text);
}

static int run_one(uint64_t seed)
{
    struct run run = { .seed = seed, .tell = true };
    set_up(&run);
    run.world.watch = print_packet;
    run.world.watch_context = &run;
    open_both(&run);
    carry_out(&run);
    wind_down(&run);
    judge(&run);
    printf("seed %" PRIu64 ": IPv%d, %" PRIu64 " packets, %" PRIu64 " lost, %" PRIu64 " corrupted: %s\n", seed, run.version, run.world.sent,
           run.world.lost, run.world.corrupted, run.why[0] ? run.why : "all is well");
    world_free(&run.world);
    return run.why[0] != 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_octet_arrives_or_both_are_told),
        cmocka_unit_test(forged_text_is_noticed),
    };
    if (argc > 1)
        return run_one(strtoull(argv[1], NULL, 10));
    return cmocka_run_group_tests(tests, NULL, NULL);
}

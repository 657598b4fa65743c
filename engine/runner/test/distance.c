/* The suite on a host some way off: the reference stack with a round trip between, paced by fences, comes to the same verdicts as
 * next door, and fails the same tests when it is broken.
 *
 * The distance is a driver of its own around the reference: packets take half a round trip each way, in virtual time; calls of the
 * upper tester are as good as next door, as an agent's are once their answer is there. */
#include <stdlib.h>
#include <string.h>

#include "engine/runner/schedule.h"
#include "targets/reference/target_reference.h"
#include "targets/saboteur/saboteur.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t round_trip_ns = 400000;

struct on_the_way { int64_t due_ns; size_t len; uint8_t *bytes; };
struct way { struct on_the_way *of; size_t count, capacity; };

struct distant {
    struct target base; /* first */
    struct target_ops ops;
    struct target *near;
    struct way there, back;
    int64_t now_ns;
};

static struct distant *self(struct target *t)
{
    return (struct distant *)t;
}

static void push(struct way *way, const uint8_t *bytes, size_t len, int64_t due_ns)
{
    if (way->count == way->capacity) {
        way->capacity = way->capacity ? 2 * way->capacity : 16;
        way->of = realloc(way->of, way->capacity * sizeof *way->of);
        assert_non_null(way->of);
    }
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    way->of[way->count++] = (struct on_the_way){due_ns, len, copy};
}

static struct on_the_way shift(struct way *way)
{
    struct on_the_way first = way->of[0];
    memmove(way->of, way->of + 1, --way->count * sizeof *way->of);
    return first;
}

static void collect(struct distant *d)
{
    static uint8_t bytes[PKT_BYTES_MAX];
    int64_t at_ns;
    for (ssize_t len; (len = d->near->ops->receive(d->near, bytes, sizeof bytes, &at_ns)) > 0;)
        push(&d->back, bytes, (size_t)len, d->now_ns + round_trip_ns / 2);
}

static int distant_send(struct target *t, const uint8_t *bytes, size_t len)
{
    push(&self(t)->there, bytes, len, self(t)->now_ns + round_trip_ns / 2);
    return 0;
}

static ssize_t distant_receive(struct target *t, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct distant *d = self(t);
    collect(d); /* what a call has caused */
    if (!d->back.count || d->back.of[0].due_ns > d->now_ns || d->back.of[0].len > capacity)
        return 0;
    struct on_the_way first = shift(&d->back);
    memcpy(out, first.bytes, first.len);
    free(first.bytes);
    *at_ns = first.due_ns;
    return (ssize_t)first.len;
}

static int64_t distant_deadline(struct target *t)
{
    struct distant *d = self(t);
    int64_t next = d->near->ops->deadline(d->near);
    collect(d);
    if (d->there.count && d->there.of[0].due_ns < next)
        next = d->there.of[0].due_ns;
    if (d->back.count && d->back.of[0].due_ns < next)
        next = d->back.of[0].due_ns;
    return next;
}

static void distant_advance(struct target *t, int64_t now_ns)
{
    struct distant *d = self(t);
    while (d->there.count && d->there.of[0].due_ns <= now_ns) {
        struct on_the_way first = shift(&d->there);
        d->now_ns = first.due_ns > d->now_ns ? first.due_ns : d->now_ns;
        d->near->ops->advance(d->near, d->now_ns);
        collect(d);
        d->near->ops->send(d->near, first.bytes, first.len);
        collect(d);
        free(first.bytes);
    }
    d->now_ns = now_ns;
    d->near->ops->advance(d->near, now_ns);
    collect(d);
}

static void distant_close(struct target *t)
{
    struct distant *d = self(t);
    d->near->ops->close(d->near);
    while (d->there.count)
        free(shift(&d->there).bytes);
    while (d->back.count)
        free(shift(&d->back).bytes);
    free(d->there.of);
    free(d->back.of);
    free(d);
}

/* The calls need no way: each goes to the stack itself. */
#define CALL(name, parameters, arguments)               \
    static int64_t distant_##name parameters            \
    {                                                   \
        struct target *near = self(t)->near;            \
        return near->ops->name arguments;               \
    }
CALL(socket, (struct target * t, uint8_t v), (near, v))
CALL(bind, (struct target * t, int h, const struct pkt_endpoint *e), (near, h, e))
CALL(listen, (struct target * t, int h, int backlog), (near, h, backlog))
CALL(accept, (struct target * t, int h, struct pkt_endpoint *e), (near, h, e))
CALL(connect, (struct target * t, int h, const struct pkt_endpoint *e), (near, h, e))
CALL(send_data, (struct target * t, int h, const uint8_t *d, size_t n, unsigned f), (near, h, d, n, f))
CALL(receive_data, (struct target * t, int h, uint8_t *d, size_t n, unsigned f), (near, h, d, n, f))
CALL(shutdown, (struct target * t, int h, enum target_shutdown how), (near, h, how))
CALL(close_handle, (struct target * t, int h), (near, h))
CALL(set_option, (struct target * t, int h, const char *name, const int64_t *v, unsigned n), (near, h, name, v, n))
CALL(get_option, (struct target * t, int h, const char *name, int64_t *v), (near, h, name, v))
CALL(ioctl, (struct target * t, int h, const char *name, int64_t *v), (near, h, name, v))
CALL(local_endpoint, (struct target * t, int h, struct pkt_endpoint *e), (near, h, e))
CALL(status, (struct target * t, const struct pkt_endpoint *l, const struct pkt_endpoint *r, struct target_status *s),
     (near, l, r, s))

static unsigned distant_poll(struct target *t, int handle)
{
    return self(t)->near->ops->poll(self(t)->near, handle);
}

static const struct target_ops distant_ops = {
    .close = distant_close, .send = distant_send, .receive = distant_receive, .deadline = distant_deadline, .advance = distant_advance,
    .socket = distant_socket, .bind = distant_bind, .listen = distant_listen, .accept = distant_accept, .connect = distant_connect,
    .send_data = distant_send_data, .receive_data = distant_receive_data, .shutdown = distant_shutdown,
    .close_handle = distant_close_handle, .set_option = distant_set_option, .get_option = distant_get_option, .ioctl = distant_ioctl,
    .poll = distant_poll, .local_endpoint = distant_local_endpoint, .status = distant_status,
};

static struct target *distant_open(const char *argument, const struct target_config *config, struct target_error *error)
{
    const struct target_driver *driver = *argument ? saboteur_driver_for(argument) : &reference_driver;
    struct target *near = driver->open(argument, config, error);
    if (!near)
        return NULL;
    struct distant *d = calloc(1, sizeof *d);
    assert_non_null(d);
    *d = (struct distant){.base = {.ops = &distant_ops, .info = near->info}, .near = near};
    d->base.info.capabilities &= ~(unsigned)TARGET_SYNCHRONOUS;
    d->base.info.capabilities |= TARGET_FENCED | TARGET_ECHO;
    d->base.info.rtt_ns = round_trip_ns;
    d->base.info.latency_ns += round_trip_ns;
    return &d->base;
}

static const struct target_driver distant_driver = {.name = "distant", .summary = "", .many = true, .virtual_time = true, .open = distant_open};

/* ---- */

struct tally { enum verdict *verdicts; size_t done, failed, other; bool first; };

static int note(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct tally *tally = context;
    enum verdict *verdict = &tally->verdicts[tally->done++];
    (void)player;
    if (tally->first) {
        *verdict = result->verdict;
        tally->failed += result->verdict == VERDICT_FAIL;
    } else if (*verdict != result->verdict) {
        tally->other++;
        print_message("%s: %s instead of %s: %s\n", test->id, verdict_text(result->verdict), verdict_text(*verdict),
                      result->reason);
    }
    return 0;
}

struct world { struct suite suite; const struct suite_test **tests; enum verdict *verdicts; };

static int load(void **state)
{
    static struct world world;
    char text[256];
    static const struct target_driver *const drivers[] = {&reference_driver, NULL};
    saboteur_use_drivers(drivers);
    if (suite_load_folder(&world.suite, TCPASSAY_SOURCE_DIR "/tests-suite", text, sizeof text) ||
        suite_expand(&world.suite, text, sizeof text))
        return -1;
    world.tests = calloc(world.suite.test_count, sizeof(struct suite_test *));
    world.verdicts = calloc(world.suite.test_count, sizeof *world.verdicts);
    *state = &world;
    return world.tests && world.verdicts ? 0 : -1;
}

static int unload(void **state)
{
    struct world *world = *state;
    free(world->tests);
    free(world->verdicts);
    suite_release(&world->suite);
    return 0;
}

/* Plays each nth test next door and far away; returns how many failed next door. */
static size_t compare(struct world *world, const char *argument, size_t nth)
{
    static const volatile sig_atomic_t never;
    struct target_error error;
    struct tally tally = {.verdicts = world->verdicts, .first = true};
    struct schedule schedule = {.argument = argument, .tests = world->tests, .seed = 1, .judged = true, .interrupted = &never,
                                .finished = note, .context = &tally};
    for (size_t i = 0; i < world->suite.test_count; i += nth)
        if (!strstr(world->suite.tests[i].id, "/3.4.1/")) /* how numbers are drawn: elsewhere they are others */
            world->tests[schedule.test_count++] = &world->suite.tests[i];
    schedule.driver = *argument ? saboteur_driver_for(argument) : &reference_driver;
    assert_int_equal(schedule_run(&schedule, &error), SCHEDULE_DONE);
    tally.first = false;
    tally.done = 0;
    schedule.driver = &distant_driver;
    assert_int_equal(schedule_run(&schedule, &error), SCHEDULE_DONE);
    assert_int_equal(tally.done, schedule.test_count);
    assert_int_equal(tally.other, 0);
    return tally.failed;
}

static void a_round_trip_changes_no_verdict(void **state)
{
    assert_int_equal(compare(*state, "", 1), 0);
}

static void a_round_trip_hides_no_fault(void **state)
{
    static const char *const faults[] = {"challenge-ack-dropped,reference", "rst-dropped,reference", "seq-unchecked,reference",
                                         "fin-dropped,reference", "deaf-to-fin,reference", "ack-plus-one,reference", "state-lies,reference"};
    enum { EACH_NTH = 4, FAIL_AT_LEAST = 3 };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        assert_true(compare(*state, faults[i], EACH_NTH) >= FAIL_AT_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_round_trip_changes_no_verdict), cmocka_unit_test(a_round_trip_hides_no_fault)};
    return cmocka_run_group_tests(tests, load, unload);
}

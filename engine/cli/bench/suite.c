/* How long the suite takes, or the state×event matrix: on the reference stack in tests a second on one core, on this machine's
 * kernel beside its longest test and the sum of all.
 *
 * usage: suite_bench [TARGET [SELECTOR]]     default: reference, then linux, profile quick; suite_bench linux matrix
 * Prints ratios, since machines differ. Yardstick in virtual time: opening and closing an instance of the target for each test,
 * which is the least a fresh stack for each test can cost. Yardstick in real time: the longest test, which no schedule can beat. In
 * both: a SYN to a port where nobody listens and its RST, through the bare link, once for each test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "engine/cli/cli.h"
#include "engine/runner/schedule.h"

struct tally { size_t count, failed; int64_t longest_ns, sum_ns; };

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SCN_NS_PER_S + t.tv_nsec;
}

static int on_finished(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct tally *tally = context;
    (void)test, (void)player;
    tally->count++;
    tally->failed += result->verdict == VERDICT_FAIL || result->verdict == VERDICT_ERROR;
    tally->sum_ns += result->duration_ns;
    if (result->duration_ns > tally->longest_ns)
        tally->longest_ns = result->duration_ns;
    return 0;
}

static int64_t open_and_close(const struct schedule *s)
{
    int64_t start = now_ns();
    for (size_t i = 0; i < s->test_count; i++) {
        struct target_config config = {.seed = i};
        struct target_error error;
        struct target *target = s->driver->open(s->argument, &config, &error);
        if (target)
            target->ops->close(target);
    }
    return now_ns() - start;
}

/* Sends a SYN to a closed port, as often as there are tests, each time waiting for its RST. 0: it does not answer. */
static int64_t round_trips(const struct schedule *s)
{
    enum { CLOSED_PORT = 9, ROUNDS_MAX = 10000000 };
    static uint8_t out[128], in[PKT_BYTES_MAX];
    struct target_config config = {.seed = 1};
    struct target_error error;
    struct target *target = s->driver->open(s->argument, &config, &error);
    struct pkt_builder *builder = pkt_builder_new();
    size_t answered = 0, rounds = 0;
    int64_t start = now_ns(), at_ns;
    if (target && builder && s->driver->virtual_time)
        target->ops->advance(target, SCN_NS_PER_S);
    for (; target && builder && answered < s->test_count && rounds < ROUNDS_MAX; answered++) {
        struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = target->info.tester[0], .dst = target->info.iut[0],
                                .src_port = (uint16_t)(20000 + answered % 20000), .dst_port = CLOSED_PORT, .flags = PKT_SYN,
                                .seq = (uint32_t)answered, .window = UINT16_MAX};
        ssize_t len = pkt_build(builder, &spec, out, sizeof out);
        target->ops->send(target, out, (size_t)len);
        struct packet packet = {0};
        for (; rounds < ROUNDS_MAX && (packet.kind != PKT_KIND_TCP || !(packet.tcp.flags & PKT_RST)); rounds++) {
            ssize_t came = target->ops->receive(target, in, sizeof in, &at_ns);
            if (came > 0)
                pkt_parse(in, (size_t)came, &packet);
        }
    }
    int64_t took_ns = rounds < ROUNDS_MAX ? now_ns() - start : 0;
    pkt_builder_free(builder);
    if (target)
        target->ops->close(target);
    return answered == s->test_count ? took_ns : 0;
}

static double seconds(int64_t ns) { return (double)ns / 1e9; }

static void report(const struct schedule *s, const struct tally *tally, int64_t wall_ns)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%s: %zu tests (%zu not passed) in %.3f s wall: %.0f tests/s; peak memory %.1f MiB\n", s->driver->name, tally->count,
           tally->failed, seconds(wall_ns), (double)tally->count / seconds(wall_ns), (double)usage.ru_maxrss / 1024);
    if (s->driver->virtual_time) {
        int64_t bare_ns = open_and_close(s);
        printf("  ratio to opening an instance for each test and nothing else (%.3f s): %.1f; virtual time played: %.0f s\n",
               seconds(bare_ns), (double)wall_ns / (double)bare_ns, seconds(tally->sum_ns));
    } else {
        printf("  ratio to the longest test (%.3f s): %.3f; to the sum of all (%.1f s): %.3f\n", seconds(tally->longest_ns),
               (double)wall_ns / (double)tally->longest_ns, seconds(tally->sum_ns), (double)wall_ns / (double)tally->sum_ns);
    }
    int64_t bare_ns = round_trips(s);
    if (bare_ns)
        printf("  ratio to a SYN and its RST for each test (%.3f s, %.0f a second): %.1f\n", seconds(bare_ns),
               (double)tally->count / seconds(bare_ns), (double)wall_ns / (double)bare_ns);
}

static int measure(const char *target, char **selectors, int selector_count)
{
    static const volatile sig_atomic_t never;
    struct suite suite;
    struct tally tally = {0};
    struct target_error error = {0};
    unsigned broken;
    const struct suite_test **tests = NULL;
    struct schedule s = {.seed = 1, .judged = true, .interrupted = &never, .disruption_allowed = true, .finished = on_finished, .context = &tally};
    s.driver = cli_find_driver(target, &s.argument);
    int code = s.driver ? cli_load_suite("bench", NULL, selectors, selector_count, &suite, &broken) : EXIT_USAGE;
    if (code != EXIT_OK)
        return code;
    code = cli_select_tests("bench", &suite, selectors, selector_count, s.driver->virtual_time ? SCN_SOAK : SCN_QUICK, &tests, &s.test_count);
    s.tests = tests;
    int64_t start = now_ns();
    if (code == EXIT_OK && schedule_run(&s, &error) == SCHEDULE_DONE)
        report(&s, &tally, now_ns() - start);
    else
        printf("%s: not measured: %s\n", target, error.text);
    free(tests);
    suite_release(&suite);
    return code;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return measure(argv[1], argv + 2, argc - 2);
    int reference = measure("reference", NULL, 0), kernel = measure("linux", NULL, 0);
    return reference ? reference : kernel;
}

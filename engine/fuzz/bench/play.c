/* How fast octets are played, with ratios in one run. On the reference stack: scenarios of the default length (12 steps beside the
 * handshake) and long sequences of segments, beside building and reading as many packets, and beside the bare stack (ref_input,
 * ref_output, nobody judging). On linux (`fuzz_play_bench linux`, as root): long sequences, beside a bare write and read of the
 * same TAP, an echo and its answer.
 *
 * Time is the processor's for the reference, since nothing waits; the clock's for linux. The best of ROUNDS counts. Inputs are made
 * by fuzz_generate() of fixed seeds. For the figure under libFuzzer with ASan see fuzz/bench.sh. */
#include "engine/fuzz/mutate.h"
#include "engine/fuzz/play.h"
#include "engine/scenario/bytes/layout.h"
#include "targets/linux/target_linux.h"
#include "targets/reference/target_reference.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, INPUTS = 1000, STEPS = 12, LONG_STEPS = 120, LONG_INPUTS = 100, DATA_LEN = 100, LINUX_PLAYS = 200, ECHOES = 20000 };

struct figure { double seconds, processor_seconds; uint64_t segments, plays; };

static double now_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_play_bench: %s\n", what);
    exit(3);
}

static struct figure better(struct figure a, struct figure b)
{
    return a.seconds > 0 && a.seconds < b.seconds ? a : b;
}

static void show(const char *what, struct figure f, struct figure beside)
{
    printf("%-52s %10.0f segments/s", what, (double)f.segments / f.seconds);
    if (f.plays)
        printf(" %8.0f plays/s (%.1f segments each)", (double)f.plays / f.seconds, (double)f.segments / (double)f.plays);
    if (f.processor_seconds > 0)
        printf("  %10.0f/s of the processor", (double)f.segments / f.processor_seconds);
    if (beside.segments)
        printf("  %.2f of the yardstick", (double)f.segments / f.seconds / ((double)beside.segments / beside.seconds));
    putchar('\n');
}

/* ---- inputs ---------------------------------------------------------------------------------------------------------- */

struct inputs { uint8_t (*octets)[SCN_BYTES_MAX]; size_t *lens; unsigned count; };

static struct inputs make_inputs(unsigned count)
{
    struct inputs in = {.octets = calloc(count, SCN_BYTES_MAX), .lens = calloc(count, sizeof(size_t)), .count = count};
    if (!in.octets || !in.lens)
        fail("out of memory");
    return in;
}

static void free_inputs(struct inputs *in)
{
    free(in->octets);
    free(in->lens);
}

/* Of just so many steps. */
static struct inputs generated(void)
{
    const size_t wanted = SCN_BYTES_HEADER_LEN + STEPS * SCN_BYTES_RECORD_LEN;
    struct inputs in = make_inputs(INPUTS);
    for (unsigned i = 0; i < in.count; i++)
        for (uint64_t seed = i; in.lens[i] < wanted; seed += 7777)
            in.lens[i] = fuzz_generate(in.octets[i], wanted, STEPS, seed);
    return in;
}

/* A handshake, then data in order, some of it again, each to be acknowledged. */
static struct inputs sequences(void)
{
    struct inputs in = make_inputs(LONG_INPUTS);
    for (unsigned i = 0; i < in.count; i++) {
        in.octets[i][HEADER_USE] = (uint8_t)(i & (USE_TS | USE_SACK | USE_WSCALE)) | USE_MSS;
        for (unsigned k = 0; k < LONG_STEPS; k++) {
            uint8_t *record = in.octets[i] + SCN_BYTES_HEADER_LEN + k * SCN_BYTES_RECORD_LEN;
            record[AT_FLAGS] = 1; /* P. */
            bytes_put16(record, AT_LEN, DATA_LEN);
            if (k % 8 == 7) { /* what came before */
                record[AT_HOW] = BASE_NEXT;
                bytes_put16(record, AT_SEQ, (uint16_t)-DATA_LEN);
            }
        }
        in.lens[i] = SCN_BYTES_HEADER_LEN + LONG_STEPS * SCN_BYTES_RECORD_LEN;
    }
    return in;
}

/* ---- the reference --------------------------------------------------------------------------------------------------- */

static struct figure play_all(struct fuzz_virtual *v, const struct inputs *in)
{
    struct figure best = {0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct figure f = {.seconds = -now_s(CLOCK_PROCESS_CPUTIME_ID)};
        for (unsigned i = 0; i < in->count; i++) {
            const struct fuzz_outcome *outcome = fuzz_virtual_play(v, in->octets[i], in->lens[i], 1);
            if (!outcome)
                fail(fuzz_virtual_error(v)->text);
            f.segments += outcome->sent + outcome->received;
            f.plays++;
        }
        f.seconds += now_s(CLOCK_PROCESS_CPUTIME_ID);
        best = better(best, f);
    }
    return best;
}

static struct pkt_spec data_segment(uint16_t flags, uint32_t seq, uint32_t ack)
{
    struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src_port = 20480, .dst_port = 8080, .seq = seq, .ack = ack, .flags = flags, .window = 65535};
    pkt_addr_parse("198.51.100.1", &spec.src);
    pkt_addr_parse("192.0.2.2", &spec.dst);
    return spec;
}

/* So many packets built and read. */
static struct figure build_and_parse(unsigned count)
{
    static const uint8_t data[DATA_LEN];
    struct pkt_builder *builder = pkt_builder_new_quick();
    struct figure best = {0};
    uint64_t octets = 0;
    for (unsigned round = 0; builder && round < ROUNDS; round++) {
        struct figure f = {.seconds = -now_s(CLOCK_PROCESS_CPUTIME_ID), .segments = count};
        struct pkt_spec spec = data_segment(PKT_ACK, 1, 1);
        spec.payload = data;
        for (unsigned i = 0; i < count; i++) {
            uint8_t bytes[256];
            struct packet packet;
            spec.seq += spec.payload_len;
            spec.payload_len = i % 2 ? 0 : DATA_LEN;
            const ssize_t len = pkt_build(builder, &spec, bytes, sizeof bytes);
            octets += pkt_parse(bytes, (size_t)len, &packet) == PKT_OK ? packet.tcp.payload_len : 0;
        }
        f.seconds += now_s(CLOCK_PROCESS_CPUTIME_ID);
        best = better(best, f);
    }
    if (!octets)
        fail("nothing was built");
    pkt_builder_free(builder);
    return best;
}

struct bare { struct ref_stack *stack; struct pkt_builder *builder; int64_t now_ns; uint64_t segments; uint32_t ack; int handle; };

static void exchange(struct bare *b, struct pkt_spec *spec)
{
    uint8_t bytes[2048];
    struct packet packet;
    const ssize_t len = pkt_build(b->builder, spec, bytes, sizeof bytes);
    ref_input(b->stack, bytes, (size_t)len, b->now_ns);
    b->segments++;
    for (ssize_t out; (out = ref_output(b->stack, bytes, sizeof bytes, b->now_ns, NULL)) > 0; b->segments++)
        if (pkt_parse(bytes, (size_t)out, &packet) == PKT_OK && packet.kind == PKT_KIND_TCP && (packet.tcp.flags & PKT_SYN))
            b->ack = packet.tcp.seq + 1;
}

/* The sequences above, by hand. */
static void bare_connection(struct bare *b)
{
    static uint8_t data[DATA_LEN], read[65536];
    const struct pkt_endpoint local = {.port = 8080};
    const int listener = (int)ref_socket(b->stack, 4);
    ref_bind(b->stack, listener, &local);
    ref_listen(b->stack, listener, 4);
    struct pkt_spec spec = data_segment(PKT_SYN, 1000, 0);
    exchange(b, &spec);
    spec = data_segment(PKT_ACK, 1001, b->ack);
    exchange(b, &spec);
    const int handle = (int)ref_accept(b->stack, listener, NULL);
    spec.payload = data;
    spec.payload_len = DATA_LEN;
    for (unsigned k = 0; k < LONG_STEPS; k++, spec.seq += DATA_LEN)
        exchange(b, &spec);
    ref_receive(b->stack, handle, read, sizeof read, 0);
}

static struct figure bare_stack(void)
{
    struct ref_config config = ref_config_default();
    struct figure best = {0};
    struct bare b = {.builder = pkt_builder_new_quick()};
    pkt_addr_parse("192.0.2.2", &config.addresses[config.address_count++]);
    b.stack = ref_stack_new(&config, 0);
    if (!b.stack || !b.builder)
        fail("out of memory");
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct figure f = {.seconds = -now_s(CLOCK_PROCESS_CPUTIME_ID)};
        b.segments = 0;
        for (unsigned i = 0; i < LONG_INPUTS; i++) {
            ref_stack_restart(b.stack, i, 0);
            bare_connection(&b);
        }
        f.seconds += now_s(CLOCK_PROCESS_CPUTIME_ID);
        f.segments = b.segments;
        best = better(best, f);
    }
    ref_stack_free(b.stack);
    pkt_builder_free(b.builder);
    return best;
}

static void on_reference(void)
{
    static struct signals signals;
    struct target_error error;
    const struct fuzz_virtual_config config = {.driver = &reference_driver, .play = {.judged = true, .signals = &signals}};
    struct inputs short_ones = generated(), long_ones = sequences();
    struct fuzz_virtual *v = fuzz_virtual_new(&config, &error);
    if (!v)
        fail(error.text);
    const struct figure none = {0}, long_play = play_all(v, &long_ones), packets = build_and_parse((unsigned)long_play.segments);
    printf("On reference, best of %d rounds, processor time, no instrumentation:\n", ROUNDS);
    show("yardstick: build and read as many packets", packets, none);
    show("the bare stack, nobody plays or judges", bare_stack(), packets);
    show("sequences of 120 segments, judged", long_play, packets);
    show("scenarios of the default length (12 steps), judged", play_all(v, &short_ones), packets);
    fuzz_virtual_free(v);
    free_inputs(&short_ones);
    free_inputs(&long_ones);
}

/* ---- linux ------------------------------------------------------------------------------------------------------------ */

struct real { struct target *target; struct fuzz_play *play; uint8_t *buffer; int64_t empty_ns; };

static int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void drain(void *context)
{
    struct real *r = context;
    int64_t at_ns;
    for (ssize_t len; (len = r->target->ops->receive(r->target, r->buffer, PKT_BYTES_MAX, &at_ns)) > 0;)
        fuzz_play_receive(r->play, r->buffer, (size_t)len, r->empty_ns, clock_ns());
    r->empty_ns = clock_ns();
}

static void wait_for(struct real *r)
{
    const int64_t wish = fuzz_play_deadline(r->play), now = clock_ns();
    struct pollfd fd = {.fd = r->target->ops->fd(r->target), .events = POLLIN};
    if (wish > now)
        poll(&fd, 1, wish - now > 100000000 ? 100 : (int)((wish - now) / 1000000) + 1);
}

static struct figure play_real(struct real *r, const struct inputs *in)
{
    struct figure f = {.seconds = -now_s(CLOCK_MONOTONIC), .processor_seconds = -now_s(CLOCK_PROCESS_CPUTIME_ID)};
    for (unsigned i = 0; i < LINUX_PLAYS; i++) {
        const struct player_place place = {.tester_address = i % r->target->info.tester_count, .tester_port = 20480,
                                           .first_port = (uint16_t)(i * 4 % PLAYER_PORTS),
                                           .iut_port = (uint16_t)(2000 + i * PLAYER_IUT_PORTS), .echo_id = 7};
        const struct inputs one = {.octets = in->octets + i % in->count, .lens = in->lens + i % in->count};
        if (!fuzz_play_begin(r->play, one.octets[0], one.lens[0], &place, i, clock_ns()))
            fail("out of memory");
        while (!fuzz_play_finished(r->play)) {
            fuzz_play_run(r->play, clock_ns());
            drain(r);
            if (!fuzz_play_finished(r->play))
                wait_for(r);
        }
        const struct fuzz_outcome *outcome = fuzz_play_outcome(r->play);
        if (outcome->end == FUZZ_STOPPED)
            fail(outcome->reason);
        f.segments += outcome->sent + outcome->received;
        f.plays++;
    }
    f.seconds += now_s(CLOCK_MONOTONIC);
    f.processor_seconds += now_s(CLOCK_PROCESS_CPUTIME_ID);
    return f;
}

/* An echo written, its answer read, again and again. */
static struct figure bare_tap(struct real *r)
{
    struct pkt_builder *builder = pkt_builder_new_quick();
    struct pkt_spec spec = {.protocol = PKT_PROTO_ICMP, .src = r->target->info.tester[0], .dst = r->target->info.iut[0], .icmp_type = 8};
    uint8_t bytes[128];
    struct figure f = {0};
    const ssize_t len = builder ? pkt_build(builder, &spec, bytes, sizeof bytes) : -1;
    if (len < 0)
        fail("out of memory");
    f.seconds = -now_s(CLOCK_MONOTONIC);
    f.processor_seconds = -now_s(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < ECHOES; i++) {
        int64_t at_ns;
        r->target->ops->send(r->target, bytes, (size_t)len);
        while (r->target->ops->receive(r->target, r->buffer, PKT_BYTES_MAX, &at_ns) == 0)
            continue;
        f.segments += 2;
    }
    f.seconds += now_s(CLOCK_MONOTONIC);
    f.processor_seconds += now_s(CLOCK_PROCESS_CPUTIME_ID);
    pkt_builder_free(builder);
    return f;
}

static void on_linux(void)
{
    static struct signals signals;
    struct target_error error = {0};
    const struct target_config config = {.seed = 1};
    struct real r = {.buffer = malloc(PKT_BYTES_MAX), .target = linux_driver.open("", &config, &error)};
    struct inputs in = sequences();
    if (!r.buffer || !r.target)
        fail(error.text);
    const struct fuzz_play_config play = {.target = r.target, .judged = true, .fences_left_out = true, .states_left_out = true,
                                          .wait_max_ns = 1000000, .signals = &signals,
                                          .catch_up = drain, .context = &r};
    r.play = fuzz_play_new(&play);
    if (!r.play)
        fail("out of memory");
    const struct figure none = {0}, bare = bare_tap(&r);
    printf("On linux over TAP, one sequence after the other, clock time (and the processor's, which others take less of):\n");
    show("yardstick: bare write and read, echoes", bare, none);
    show("sequences of 120 segments, judged", play_real(&r, &in), bare);
    fuzz_play_free(r.play);
    r.target->ops->close(r.target);
    free_inputs(&in);
    free(r.buffer);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "linux"))
        on_linux();
    else
        on_reference();
    return 0;
}

/* What judging costs a segment, beside reading the same segment (pkt_parse): ratios of one run, for a link where everything is
 * known and for a capture; and whether a long connection costs more a segment than a short one.
 *
 * Packets are built and parsed beforehand. Both sides are measured by turns, and the best of ROUNDS counts, so that what else the
 * machine does weighs on neither. */
#include "engine/model/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, SEGMENTS_MAX = 60000, BYTES_MAX = 1600, SEGMENT_LEN = 1448, LIMIT_NS = 1000 };

struct recorded { /* one segment of a talk */
    bool inwards;
    int64_t at_ns;
    size_t len;
    struct packet packet;
    uint8_t bytes[BYTES_MAX];
};

struct talk {
    struct recorded *segments;
    unsigned count;
    struct pkt_builder *builder;
    struct pkt_endpoint iut, peer;
    uint32_t in_nxt, out_nxt, in_ts, out_ts; /* what comes next, and the last TSval of each side */
    uint32_t ts; /* the clock of both, which stands still for the segments of one turn, so that it does not matter which is echoed */
    int64_t now_ns;
    unsigned findings;
    uint64_t octets; /* seen, so that nothing is optimised away */
};

static int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "model_judge_bench: %s\n", what);
    exit(3);
}

/* ---- talks --------------------------------------------------------------------------------------------------------- */

static void put_options(struct talk *t, bool inwards, uint16_t flags, struct pkt_option_buffer *o)
{
    uint32_t *own = inwards ? &t->in_ts : &t->out_ts, ecr = flags == PKT_SYN ? 0 : inwards ? t->out_ts : t->in_ts;
    *own = t->ts;
    if (flags & PKT_SYN) {
        pkt_put_mss(o, 1460);
        pkt_put_sack_permitted(o);
        pkt_put_wscale(o, 7);
    }
    pkt_put_nop(o);
    pkt_put_nop(o);
    pkt_put_timestamp(o, *own, ecr);
    pkt_pad_options(o);
}

static void say(struct talk *t, bool inwards, uint16_t flags, uint32_t payload_len)
{
    static const uint8_t payload[SEGMENT_LEN];
    struct pkt_option_buffer options = {0};
    if (t->count == SEGMENTS_MAX)
        return;
    struct recorded *r = &t->segments[t->count++];
    const struct pkt_endpoint *from = inwards ? &t->peer : &t->iut, *to = inwards ? &t->iut : &t->peer;
    uint32_t *nxt = inwards ? &t->in_nxt : &t->out_nxt;
    put_options(t, inwards, flags, &options);
    struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = from->addr, .dst = to->addr, .src_port = from->port, .dst_port = to->port,
                            .seq = *nxt, .ack = flags & PKT_ACK ? inwards ? t->out_nxt : t->in_nxt : 0, .flags = flags, .window = 60000,
                            .options = options.bytes, .options_len = options.len, .payload = payload, .payload_len = payload_len,
                            .ip_id = (uint16_t)t->count, .dont_fragment = true};
    ssize_t len = pkt_build(t->builder, &spec, r->bytes, sizeof r->bytes);
    if (len < 0 || pkt_parse(r->bytes, (size_t)len, &r->packet) != PKT_OK)
        fail("cannot build a segment");
    r->len = (size_t)len;
    r->inwards = inwards;
    r->at_ns = t->now_ns;
    *nxt += pkt_seg_len(&r->packet.tcp);
    t->now_ns += 10000;
}

static void open_and_close(struct talk *t)
{
    t->peer.port++;
    t->in_nxt += 100000;
    t->out_nxt += 100000;
    say(t, true, PKT_SYN, 0);
    say(t, false, PKT_SYN | PKT_ACK, 0);
    say(t, true, PKT_ACK, 0);
    say(t, true, PKT_ACK | PKT_FIN, 0);
    say(t, false, PKT_ACK, 0);
    say(t, false, PKT_ACK | PKT_FIN, 0);
    say(t, true, PKT_ACK, 0);
}

static void handshake(struct talk *t)
{
    say(t, true, PKT_SYN, 0);
    say(t, false, PKT_SYN | PKT_ACK, 0);
    say(t, true, PKT_ACK, 0);
}

static void receive_bulk(struct talk *t)
{
    say(t, true, PKT_ACK, SEGMENT_LEN);
    say(t, true, PKT_ACK | PKT_PSH, SEGMENT_LEN);
    say(t, false, PKT_ACK, 0);
}

static void send_bulk(struct talk *t)
{
    say(t, false, PKT_ACK, SEGMENT_LEN);
    say(t, false, PKT_ACK | PKT_PSH, SEGMENT_LEN);
    say(t, true, PKT_ACK, 0);
}

static void ask(struct talk *t)
{
    say(t, true, PKT_ACK | PKT_PSH, 100);
    say(t, false, PKT_ACK | PKT_PSH, 700);
    say(t, true, PKT_ACK, 0);
}

static void record(struct talk *t, void (*first)(struct talk *), void (*again)(struct talk *), unsigned segments)
{
    t->count = 0;
    t->in_nxt = t->out_nxt = 0xffff0000; /* soon across the wrap */
    t->now_ns = 1000000000;
    t->peer.port = 40000;
    t->in_ts = t->out_ts = 0;
    t->ts = 1000;
    if (first)
        first(t);
    while (t->count + 7 <= segments) {
        t->ts = (uint32_t)(t->now_ns / 1000000);
        again(t);
    }
}

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

static void note(void *context, const struct judge_finding *finding)
{
    struct talk *t = context;
    t->findings++;
    fprintf(stderr, "segment %u: %s\n", finding->segment, finding->message);
}

static void judge_all(struct talk *t, struct judge_host *host)
{
    struct judge *judge = NULL;
    for (unsigned i = 0; i < t->count; i++) {
        const struct recorded *r = &t->segments[i];
        if (!judge || (r->packet.tcp.flags & (PKT_SYN | PKT_ACK)) == PKT_SYN) {
            const struct judge_config config = {
                .host = host, .iut = t->iut, .peer = {t->peer.addr, r->packet.tcp.src_port}, .report = note, .context = t,
                .states = host->link == JUDGE_LOSSY ? 0 : 1u << TCP_STATE_LISTEN};
            judge_free(judge);
            judge = judge_new(&config);
            if (!judge)
                fail("out of memory");
        }
        if (r->inwards) {
            judge_input(judge, &r->packet, true, r->at_ns, i + 1);
        } else {
            judge_output(judge, &r->packet, true, r->at_ns, r->at_ns, i + 1);
            judge_fence(judge, r->at_ns);
        }
    }
    judge_end(judge, t->now_ns);
    judge_free(judge);
}

static double judge_ns(struct talk *t, enum judge_link link)
{
    struct judge_host host = {.link = link, .mtu = 1500, .granularity_ns = 1000000, .latency_ns = 1000000};
    int64_t start = clock_ns();
    judge_all(t, &host);
    return (double)(clock_ns() - start) / t->count;
}

static double parse_ns(struct talk *t)
{
    int64_t start = clock_ns();
    for (unsigned i = 0; i < t->count; i++) {
        struct packet packet;
        if (pkt_parse(t->segments[i].bytes, t->segments[i].len, &packet) != PKT_OK)
            fail("what was built does not parse");
        t->octets += packet.tcp.window;
    }
    return (double)(clock_ns() - start) / t->count;
}

static void lower(double *best, double value)
{
    if (*best == 0 || value < *best)
        *best = value;
}

static void measure(struct talk *t, const char *name)
{
    double parse = 0, exact = 0, lossy = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        lower(&parse, parse_ns(t));
        lower(&exact, judge_ns(t, JUDGE_SYNCHRONOUS));
        lower(&lossy, judge_ns(t, JUDGE_LOSSY));
    }
    printf("%-30s pkt_parse %5.0f ns   judge %5.0f ns, ratio %4.1f   of a capture %5.0f ns, ratio %4.1f   (limit %d ns)%s\n", name, parse, exact,
           exact / parse, lossy, lossy / parse, LIMIT_NS, exact < LIMIT_NS && lossy < LIMIT_NS ? "" : "   TOO SLOW");
}

int main(void)
{
    static const struct { const char *name; void (*first)(struct talk *), (*again)(struct talk *); } talks[] = {
        {"opened and closed", NULL, open_and_close},
        {"data in, every second ACKed", handshake, receive_bulk},
        {"data out, every second ACKed", handshake, send_bulk},
        {"requests and responses", handshake, ask},
    };
    struct talk t = {.segments = malloc(SEGMENTS_MAX * sizeof *t.segments), .builder = pkt_builder_new(), .iut = {.port = 80}};
    if (!t.segments || !t.builder || !pkt_addr_parse("192.0.2.1", &t.iut.addr) || !pkt_addr_parse("192.0.2.2", &t.peer.addr))
        fail("cannot set up");
    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) {
        record(&t, talks[i].first, talks[i].again, 6000);
        measure(&t, talks[i].name);
    }
    record(&t, handshake, ask, SEGMENTS_MAX);
    measure(&t, "requests, ten times as many");
    printf("%u findings (none is due)\n", t.findings);
    pkt_builder_free(t.builder);
    free(t.segments);
    return t.findings ? 1 : 0;
}

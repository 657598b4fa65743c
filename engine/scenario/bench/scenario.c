/* How long a scenario takes to read and to print, beside the budget of 50 us for a file of 30 lines, and beside a plain pass over
 * its octets. The best of ROUNDS counts, so that what else the machine does weighs little. */
#include "engine/scenario/bytes/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 25, TURNS = 400, BUDGET_NS = 50000, RECORDS = 20, DECODE_BUDGET_NS = 5000 };

/* 30 lines as a conformance test has them. */
static const char typical[] =
    "//: title      A delayed ACK leaves within half a second\n"
    "//: purpose    Ten octets in order and nothing to piggyback on: the IUT may wait, but less than 0.5 s (§3.8.6.3).\n"
    "//: covers     RFC9293:MUST-40\n"
    "//: needs      listen\n"
    "//: killed-by  ack-late-600ms\n"
    "//: profile    quick\n"
    "\n"
    "//: preamble\n"
    " 0      socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
    "+0      setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0\n"
    "+0      bind(3, ..., ...) = 0\n"
    "+0      listen(3, 1) = 0\n"
    "+0      < S  0:0(0) win 65535 <mss 1460, nop, wscale 7, sackOK>\n"
    "+0~+1   > S. 0:0(0) ack 1 <mss $mss, ...>\n"
    "+0      < .  1:1(0) ack 1 win 65535\n"
    "+0      accept(3, ..., ...) = 4\n"
    "+0      state ESTABLISHED\n"
    "\n"
    "//: body\n"
    "// One small segment, one acknowledgment in time.\n"
    "+0      < P. 1:11(10) ack 1 win 65535\n"
    "+0~+.5  > .  1:1(0) ack 11\n"
    "+0      read(4, ..., 1000) = 10\n"
    "+0      write(4, ..., 1000) = 1000\n"
    "+0~+.5  > P. 1:1001(1000) ack 11\n"
    "+0      < .  11:11(0) ack 1001 win 65535\n"
    "assert $mss <= 1460\n"
    "\n"
    "//: postamble\n"
    "+0      close(4) = 0\n";

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * SCN_NS_PER_S + t.tv_nsec;
}

static size_t read_it(const struct scenario *scenario)
{
    struct scn_diagnostics diagnostics;
    (void)scenario;
    struct scenario *parsed = scn_parse("bench.pkt", typical, sizeof typical - 1, &diagnostics);
    if (!parsed)
        abort();
    const size_t steps = parsed->body.count;
    scn_free(parsed);
    return steps;
}

static size_t print_it(const struct scenario *scenario)
{
    char *text = scn_print(scenario);
    const size_t len = text ? strlen(text) : 0;
    free(text);
    return len;
}

/* 20 records of octets that look random, and a handshake. */
static size_t decode_octets(const struct scenario *scenario)
{
    uint8_t octets[SCN_BYTES_HEADER_LEN + RECORDS * SCN_BYTES_RECORD_LEN] = {0};
    uint32_t noise = 1;
    (void)scenario;
    for (size_t i = SCN_BYTES_HEADER_LEN; i < sizeof octets; i++) {
        noise = noise * 1664525u + 1013904223u;
        octets[i] = (uint8_t)(noise >> 24);
    }
    struct scenario *decoded = scn_bytes_decode(octets, sizeof octets);
    if (!decoded)
        abort();
    const size_t steps = decoded->body.count;
    scn_free(decoded);
    return steps;
}

static size_t pass_over_it(const struct scenario *scenario)
{
    size_t sum = 0;
    for (const char *c = scenario->source_text; *c; c++)
        sum = sum * 31 + (unsigned char)*c;
    return sum;
}

/* Nanoseconds of one turn. */
static double measure(size_t (*turn)(const struct scenario *scenario), const struct scenario *scenario)
{
    int64_t best = INT64_MAX;
    volatile size_t seen = 0; /* so that nothing is optimised away */
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t start = now_ns();
        for (int i = 0; i < TURNS; i++)
            seen = seen + turn(scenario);
        const int64_t spent = now_ns() - start;
        best = spent < best ? spent : best;
    }
    return (double)best / TURNS;
}

int main(void)
{
    struct scn_diagnostics diagnostics;
    struct scenario *scenario = scn_parse("bench.pkt", typical, sizeof typical - 1, &diagnostics);
    if (!scenario) {
        fprintf(stderr, "scenario_bench: its own scenario does not parse: %s\n", diagnostics.list[0].message);
        return 1;
    }
    const double pass = measure(pass_over_it, scenario), parse = measure(read_it, scenario), print = measure(print_it, scenario),
                 decode = measure(decode_octets, scenario);
    printf("a scenario of 30 lines, %zu octets\n", sizeof typical - 1);
    printf("read   %6.1f us   %.2f of the budget   %5.1f times a pass over its octets\n", parse / 1000, parse / BUDGET_NS,
           parse / pass);
    printf("print  %6.1f us   %.2f of reading it\n", print / 1000, print / parse);
    printf("decode %6.1f us   %.2f of the budget   %.3f of reading it: %d records, %.0f scenarios a second\n", decode / 1000,
           decode / DECODE_BUDGET_NS, decode / parse, RECORDS, 1e9 / decode);
    scn_free(scenario);
    return 0;
}

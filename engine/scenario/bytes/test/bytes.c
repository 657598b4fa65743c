/* The byte codec: all octets are scenarios, near octets near ones, and both ways back lead to where they came from. */
#include "engine/scenario/bytes/bytes.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/scenario/test/support.h"

enum { INPUT_MAX = SCN_BYTES_MAX + 40 };

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static size_t random_input(uint64_t *state, uint8_t *out, size_t most)
{
    const size_t len = next_random(state) % (most + 1);
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)next_random(state);
    return len;
}

static void print_step(const struct scenario *s, unsigned i, char *out, size_t capacity)
{
    out[0] = '\0';
    if (i < s->body.count)
        scn_print_step(s, &s->body.steps[i], out, capacity);
}

/* How many of the last count steps print differently. */
static unsigned steps_that_differ(const struct scenario *a, const struct scenario *b)
{
    unsigned differ = 0;
    assert_int_equal(a->body.count, b->body.count);
    for (unsigned i = 0; i < a->body.count; i++) {
        char text_a[1500], text_b[1500];
        print_step(a, i, text_a, sizeof text_a);
        print_step(b, i, text_b, sizeof text_b);
        differ += strcmp(text_a, text_b) != 0;
    }
    return differ;
}

static void any_octets_are_a_scenario_of_bounded_length(void **unused)
{
    (void)unused;
    static uint8_t input[INPUT_MAX];
    uint64_t state = 1;
    for (unsigned i = 0; i < 30000; i++) {
        const size_t len = random_input(&state, input, i % 100 ? 400 : INPUT_MAX);
        struct scenario *s = scn_bytes_decode(input, len);
        assert_non_null(s);
        assert_true(s->body.count <= SCN_BYTES_STEPS_MAX + 12);
        assert_int_equal(scn_variant_count(s), 1);
        scn_free(s);
    }
}

static void what_is_decoded_prints_and_parses_to_the_same(void **unused)
{
    (void)unused;
    uint8_t input[1000];
    uint64_t state = 2;
    for (unsigned i = 0; i < 4000; i++) {
        char what[32];
        snprintf(what, sizeof what, "input %u", i);
        struct scenario *s = scn_bytes_decode(input, random_input(&state, input, sizeof input));
        assert_round_trip(what, s);
        assert_null(s->unsupported);
        scn_free(s);
    }
}

static void decoding_expects_nothing_and_captures_nothing(void **unused)
{
    (void)unused;
    uint8_t input[2000];
    uint64_t state = 3;
    for (unsigned i = 0; i < 2000; i++) {
        struct scenario *s = scn_bytes_decode(input, random_input(&state, input, sizeof input));
        assert_int_equal(s->variable_count, 0);
        for (unsigned k = 0; k < s->body.count; k++) {
            const enum scn_step_kind kind = s->body.steps[k].kind;
            assert_true(kind == SCN_STEP_INJECT || kind == SCN_STEP_CALL || kind == SCN_STEP_LINK || kind == SCN_STEP_WAIT || kind == SCN_STEP_FENCE ||
                        kind == SCN_STEP_INCARNATION || kind == SCN_STEP_PHASE);
        }
        scn_free(s);
    }
}

static void a_changed_octet_of_a_record_changes_that_step_at_most(void **unused)
{
    (void)unused;
    uint8_t input[SCN_BYTES_HEADER_LEN + 20 * SCN_BYTES_RECORD_LEN];
    uint64_t state = 4;
    for (unsigned i = 0; i < 5000; i++) {
        for (size_t k = 0; k < sizeof input; k++)
            input[k] = (uint8_t)next_random(&state);
        struct scenario *before = scn_bytes_decode(input, sizeof input);
        const size_t at = SCN_BYTES_HEADER_LEN + next_random(&state) % (sizeof input - SCN_BYTES_HEADER_LEN);
        input[at] = (uint8_t)next_random(&state);
        struct scenario *after = scn_bytes_decode(input, sizeof input);
        assert_true(steps_that_differ(before, after) <= 1);
        scn_free(before);
        scn_free(after);
    }
}

static void the_magic_is_passed_over(void **unused)
{
    (void)unused;
    uint8_t input[100];
    uint64_t state = 5;
    for (size_t k = 0; k < sizeof input; k++)
        input[k] = (uint8_t)next_random(&state);
    struct scenario *a = scn_bytes_decode(input, sizeof input);
    assert_false(scn_bytes_is_magic(input, sizeof input));
    memcpy(input, scn_bytes_magic, SCN_BYTES_MAGIC_LEN);
    assert_true(scn_bytes_is_magic(input, sizeof input));
    assert_false(scn_bytes_is_magic(input, 3));
    struct scenario *b = scn_bytes_decode(input, sizeof input);
    assert_true(scn_equal(a, b));
    scn_free(a);
    scn_free(b);
}

static void encoding_what_was_decoded_loses_nothing_and_is_canonical(void **unused)
{
    (void)unused;
    static uint8_t input[INPUT_MAX], canonical[SCN_BYTES_MAX], again[SCN_BYTES_MAX];
    uint64_t state = 6;
    for (unsigned i = 0; i < 6000; i++) {
        struct scn_bytes_report report;
        struct scenario *s = scn_bytes_decode(input, random_input(&state, input, i % 50 ? 500 : INPUT_MAX));
        const size_t len = scn_bytes_encode(s, 0, canonical, &report);
        assert_true(len >= SCN_BYTES_HEADER_LEN && scn_bytes_is_magic(canonical, len));
        if (!report.equal) {
            struct scenario *other = scn_bytes_decode(canonical, len);
            char *was = scn_print(s), *is = scn_print(other);
            fail_msg("input %u: was\n%s\nis\n%s", i, was, is);
        }
        assert_int_equal(report.nearest + report.left_out + report.note_count, 0);
        struct scenario *t = scn_bytes_decode(canonical, len);
        assert_int_equal(scn_bytes_encode(t, 0, again, NULL), len);
        assert_memory_equal(canonical, again, len);
        scn_free(s);
        scn_free(t);
    }
}

static void the_header_chooses_the_way_in(void **unused)
{
    (void)unused;
    static const struct { uint8_t header[4]; const char *text; } rows[] = {
        {{0, 0x03, 0, 0}, "//: preamble\n+0      socket(..., SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP) = <=3\n+0      bind(3, ..., ...) = ...\n"
                          "+0      listen(3, 4) = ...\n+0      < S <mss 1460>\n+0      fence\n+0      < .\n+0      fence\n+0      accept(3, ..., ...) = <=4\n//: body\n"},
        {{1, 0x16, 0x71, 0}, "//: preamble\n+0      socket(..., SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP) = <=4\n+0      connect(4, ..., ...) = ...\n"
                             "+0      fence\n+0      < S. <mss 536, wscale 7, TS val now() / 1000000 + 1000 ecr ts_recent()>\n+0      fence\n//: body\n"},
        {{2, 0, 0, 0}, "//: preamble\n+0      socket(..., SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP) = <=3\n+0      bind(3, ..., ...) = ...\n+0      listen(3, 4) = ...\n//: body\n"},
        {{3, 0, 0, 0}, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t input[8] = {0};
        memcpy(input + 4, rows[i].header, 4);
        struct scenario *s = scn_bytes_decode(input, sizeof input);
        char *text = scn_print(s);
        const char *steps = strstr(text, "//: preamble");
        assert_string_equal(steps ? steps : "", rows[i].text);
        assert_int_equal(s->ipv6, i == 0);
        free(text);
        scn_free(s);
    }
}

static void a_record_says_what_the_format_says(void **unused)
{
    (void)unused;
    static const struct { uint8_t record[24]; const char *text; } rows[] = {
        {{0}, "+0      < ."},
        {{[1] = 1, [2] = 0x80, [3] = 1, [4] = 0x09, [5] = 0xff, [6] = 0xfe, [9] = 0, [10] = 10}, "+0.000001 < @b P. snd_nxt(@b) - 2:snd_nxt(@b) + 8(10) ack rcv_nxt(@b)"},
        {{[3] = 2, [4] = 0x04}, "+0      < F. snd_una() + window():snd_una() + window()(0)"},
        {{[3] = 4, [4] = 0x06, [5] = 0x80}, "+0      < R abs(65536):abs(65536)(0)"},
        {{[3] = 1, [4] = 0x02, [6] = 1, [10] = 10, [20] = 1}, "+0      < P. 1:11(10) with checksum bad"},
        {{[13] = 0x88, [15] = 1, [16] = 0xff}, "+0      < . <TS val now() / 1000000 + 1001 ecr ts_recent() - 1>"},
        {{[13] = 0x90, [18] = 1, [19] = 0x42}, "+0      < . <sack (rcv_nxt() + 16):(rcv_nxt() + 48) (rcv_nxt() + 80):(rcv_nxt() + 112)>"},
        {{[4] = 0x05, [5] = 0xf8, [6] = 1}, "+0      < . snd_nxt() - 2147483647:snd_nxt() - 2147483647(0)"},
        {{[4] = 0x05, [5] = 0x83, [6] = 0xff}, "+0      < . snd_nxt() + 65535:snd_nxt() + 65535(0)"},
        {{[4] = 0x06, [5] = 0x07, [6] = 0xff}, "+0      < . abs(4294967294):abs(4294967294)(0)"},
        {{[13] = 0xa0, [18] = 200, [19] = 2}, "+0      < . <kind 200 0102>"},
        {{[13] = 0xa0, [18] = 200, [19] = 0x43}, "+0      < . <kind 200 000102>"},
        {{[13] = 0xa1, [18] = 200, [19] = 2, [20] = 16, [21] = 4, [22] = 3}, "+0      < . <mss 1460, nop, kind 200 0102 len 3>"},
        {{[13] = 0xa1, [18] = 200, [19] = 2, [20] = 19, [21] = 0, [22] = 1}, "+0      < . <kind 200 0102 len 1, mss 1460>"},
        {{[13] = 0x88, [20] = 23, [21] = 2}, "+0      < . <nop, nop, TS val now() / 1000000 + 1000 ecr ts_recent()>"},
        {{[13] = 0x85, [20] = 24, [21] = 0x0d}, "+0      < . <nop, sackOK, nop, nop, nop, mss 1460>"},
        {{[13] = 0xc8, [14] = 0xff, [15] = 0xff}, "+0      < . <TS val 4294967295 ecr ts_recent()>"},
        {{[20] = 25, [21] = 1, [22] = 2}, "+0      < . with checksum 258"},
        {{[0] = 1, [9] = 3, [10] = 232}, "+0      send(4, ..., 1000, MSG_DONTWAIT) = ..."},
        {{[0] = 3}, "+0      close(4) = ..."},
        {{[0] = 5, [1] = 1}, "+0      accept(3, ..., ...) = <=4"},
        {{[0] = 10, [17] = 1}, "+0      setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = ..."},
        {{[0] = 11, [3] = 6, [17] = 1, [18] = 0x8c}, "+0      link delay < 2 0.00001s"},
        {{[0] = 12, [2] = 0xff}, "+50000  wait"},
        {{[0] = 12, [2] = 0xb6}, "+0.04   wait"},
        {{[0] = 15, [3] = 0, [17] = 4, [4] = 0x80, [11] = 2, [12] = 64, [10] = 8}, "+0      < icmp 3 4 mtu 576 [rcv_nxt():rcv_nxt() + 8(8)]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t input[SCN_BYTES_HEADER_LEN + SCN_BYTES_RECORD_LEN] = {[4] = 3};
        char text[500];
        memcpy(input + SCN_BYTES_HEADER_LEN, rows[i].record, SCN_BYTES_RECORD_LEN);
        struct scenario *s = scn_bytes_decode(input, sizeof input);
        print_step(s, 0, text, sizeof text);
        assert_string_equal(text, rows[i].text);
        scn_free(s);
    }
}

/* Fails unless the decoded steps from `first` on print so. */
static void assert_steps(const struct scenario *s, unsigned first, const char *const *steps, size_t count)
{
    for (unsigned i = 0; i < count; i++) {
        char text[500];
        print_step(s, first + i, text, sizeof text);
        assert_string_equal(text, steps[i]);
    }
}

static unsigned reason_count(const struct scn_bytes_report *report, const char *why)
{
    for (unsigned i = 0; i < SCN_BYTES_REASONS_MAX && report->reasons[i].why; i++)
        if (!strcmp(report->reasons[i].why, why))
            return report->reasons[i].count;
    return 0;
}

static void a_scenario_becomes_the_nearest_octets_and_the_report_says_what_was_lost(void **unused)
{
    (void)unused;
    uint8_t out[SCN_BYTES_MAX];
    struct scn_bytes_report report;
    struct scenario *s = parse_portable(
        "//: needs listen\neach $n in (7), (9)\nlet $at = snd_nxt() + $n\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
        "+0 < P. $at:$at + 10(10) ack 1 win 1000\n* > . 1:1(0)\n+0 < . 1:1(0) ack 1 with ip.src \"192.0.2.77\"\nrepeat 2 {\n+1 wait\n}\n"
        "+.013 < .\n+0 fcntl(3, F_GETFL) = ...\n+0 < raw 45\n+.5~+1 > R\n");
    const size_t len = scn_bytes_encode(s, 1, out, &report);
    assert_int_equal(len, SCN_BYTES_HEADER_LEN + 8 * SCN_BYTES_RECORD_LEN);
    assert_int_equal(report.exact, 4);
    assert_int_equal(report.nearest, 2);
    assert_int_equal(report.left_out, 2);
    assert_int_equal(report.by_design, 2);
    assert_int_equal(reason_count(&report, "overrides") + reason_count(&report, "the time"), 2);
    assert_false(report.equal);
    struct scenario *t = scn_bytes_decode(out, len);
    static const char *const steps[] = {"+0      socket(..., SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP) = <=3", "+0      < P. snd_nxt() + 9:snd_nxt() + 19(10) ack 1 win 1000",
                                        "+0      fence", "+0      < . 1:1(0) ack 1", "+1      wait", "+1      wait", "+0.012  < .", "+1      wait"};
    assert_steps(t, 0, steps, ARRAY_LEN(steps));
    scn_free(s);
    scn_free(t);
}

/* A passive opening, as the suite's scenarios write it. */
static const char handshake[] =
    "//: needs listen\n//: isn 1000\n//: preamble\nrepeat (2 - 1) {\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n"
                                "+0 listen(3, 1) = 0\n+0 < S 0:0(0) win 65535 <mss 1460>\n+0~+1 > S. 0:0(0) ack 1 <...>\n+0 < . 1:1(0) ack 1 win 65535\n"
                                "+0 accept(3, ..., ...) = 8\n+0 state ESTABLISHED\n}\n//: body\n";

/* A script remembers numbers; octets are told what they come to. */
static void what_a_script_remembers_becomes_a_number(void **unused)
{
    (void)unused;
    static const struct { const char *text, *step; } rows[] = {
        {"+0 < P. 1:11(10) ack 1\nlet $rcv = snd_nxt()\n+0 < P. 11:21(10) ack 1\n+0 < . $rcv:$rcv(0) ack 1\n", "+0      < . 11:11(0) ack 1"},
        {"+0 < P. 1:11(10) ack 1\n* > . 1:1(0) ack $acked\n+0 < F. $acked:$acked(0) ack 1\n", "+0      < F. 11:11(0) ack 1"},
        {"* > P. 1:101(100)\nlet $n = rcv_nxt()\n+0 < . 1:1(0) ack $n\n", "+0      < . 1:1(0) ack 101"},
        {"* > FP. 1:101(100)\n+0 < . 1:1(0) ack rcv_nxt()\n", "+0      < . 1:1(0) ack rcv_nxt()"},
        {"let $edge = snd_nxt() + window()\n+0 < P. $edge:$edge + 1(1) ack 1\n", "+0      < P. snd_una() + window():snd_una() + window() + 1(1) ack 1"},
        {"+0 < R abs(1500):abs(1500)(0)\n", "+0      < R abs(1500):abs(1500)(0)"},
        {"+0 < R abs(3000):abs(3000)(0)\n", "+0      < R 2000:2000(0)"},
        {"+0 < . 1:1(0) ack 1 + 2147483648\n", "+0      < . 1:1(0) ack rcv_nxt() - 2147483648"},
        {"repeat 3 $i {\n+0 < P. 1 + 10 * $i:11 + 10 * $i(10) ack 1\n}\n", "+0      < P. 21:31(10) ack 1"},
        {"repeat (1 == 2) {\n+0 < R 1:1(0)\n}\n+0 read(8, ..., 100) = 100\n", "+0      recv(4, ..., 100, MSG_DONTWAIT) = ..."},
        {"+0 write(8, ..., min(2000, 100 * 3)) = 300\n", "+0      send(4, ..., 300, MSG_DONTWAIT) = ..."},
        {"* > . <TS val $t ecr 0>\n+0 < . 1:1(0) ack 1 <nop, nop, TS val 3 ecr $t>\n", "+0      < . 1:1(0) ack 1 <nop, nop, TS val 3 ecr ts_recent()>"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t out[SCN_BYTES_MAX];
        char script[1500];
        struct scn_bytes_report report;
        snprintf(script, sizeof script, "%s%s", handshake, rows[i].text);
        struct scenario *s = parse_portable(script);
        const size_t len = scn_bytes_encode(s, 0, out, &report);
        struct scenario *t = scn_bytes_decode(out, len);
        assert_steps(t, t->body.count - 1, &rows[i].step, 1);
        assert_int_equal(out[4] & 7, 0);
        if (report.nearest || report.left_out)
            fail_msg("%s: %s", rows[i].text, report.reasons[0].why);
        scn_free(s);
        scn_free(t);
    }
}

/* Row by row, what octets cannot do, and the report's word for it. */
static void what_octets_cannot_do_is_not_called_exact(void **unused)
{
    (void)unused;
    static const struct { const char *text, *why; } rows[] = {
        {"+0 < P. 1:min(window(), 500) + 1(min(window(), 500)) ack 1\n", "the payload's length"},
        {"+0 < . 1:1(0) ack 1 <sack 1:2>\n", "options"},
        {"+0 < . 1:1(0) ack 1 <mss 1461>\n", "options"},
        {"+0 < . 1:1(0) ack 2000000\n", "the acknowledgment number"},
        {"+0 < P. 1:11(10) ack 1 with payload \"0123456789\"\n", "overrides"},
        {"+0 < P. 1:9001(9000) ack 1\n", "the payload's length"},
        {"+0 < [ttl 3] . 1:1(0) ack 1\n", "IP fields"},
        {"+0...+1 read(8, ..., 10) = 10\n", "that the call waits"},
        {"+0 recv(8, ..., 10, MSG_PEEK) = 10\n", "the call's arguments"},
        {"+0 setsockopt(8, IPPROTO_TCP, TCP_KEEPCNT, [70000], 4) = 0\n", "the call's arguments"},
        {"+0 link drop < 9\n", "the link event"},
        {"+.013 wait\n", "the time"},
        {"+0 fence @z\n", "the endpoint"},
        {"+0 < @b[3] S 0:0(0) win 65535\n", "the endpoint"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t out[SCN_BYTES_MAX];
        char script[1500];
        struct scn_bytes_report report;
        snprintf(script, sizeof script, "//: endpoint b\n//: endpoint z address 2\n%s%s", handshake, rows[i].text);
        struct scenario *s = parse_portable(script);
        assert_true(scn_bytes_encode(s, 0, out, &report) > 0);
        if (report.nearest != 1 || reason_count(&report, rows[i].why) != 1)
            fail_msg("%s: %s", rows[i].text, report.reasons[0].why ? report.reasons[0].why : "exact");
        scn_free(s);
    }
}

/* A handshake that the header cannot say is left to records. */
static void a_handshake_of_its_own_kind_stays_one(void **unused)
{
    (void)unused;
    uint8_t out[SCN_BYTES_MAX];
    struct scn_bytes_report report;
    struct scenario *s = parse_portable(
        "//: needs listen\n//: preamble\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 5) = 0\n"
                                        "+0 < S 0:0(0) win 1000 <mss 1460>\n+0~+1 > S. 0:0(0) ack 1 <...>\n+0 < . 1:1(0) ack 1 win 1000\n+0 accept(3, ..., ...) = 4\n//: body\n");
    const size_t len = scn_bytes_encode(s, 0, out, &report);
    struct scenario *t = scn_bytes_decode(out, len);
    static const char *const steps[] = {"+0      < S 0:0(0) win 1000 <mss 1460>", "+0      fence", "+0      < . 1:1(0) ack 1 win 1000",
                                        "+0      accept(3, ..., ...) = <=4"};
    assert_steps(t, t->body.count - 4, steps, ARRAY_LEN(steps));
    assert_int_equal(out[4], 2 | 2 << 3);
    assert_int_equal(report.exact, 6);
    assert_int_equal(report.nearest + report.left_out, 0);
    scn_free(s);
    scn_free(t);
}

/* Every file of the suite, every sub-test: octets, and those are canonical. */
static void the_suite_becomes_a_corpus(void **unused)
{
    (void)unused;
    char *roots[] = {(char[]){"tests-suite"}, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    static uint8_t out[SCN_BYTES_MAX], again[SCN_BYTES_MAX];
    unsigned files = 0, exact = 0, steps = 0, by_design = 0, empty = 0;
    assert_non_null(walk);
    for (FTSENT *entry; (entry = fts_read(walk));) {
        struct scn_diagnostics diagnostics;
        struct scenario *s = entry->fts_info == FTS_F && strstr(entry->fts_name, ".pkt") ? scn_parse_file(entry->fts_accpath, &diagnostics) : NULL;
        for (unsigned v = 0; s && v < scn_variant_count(s); v++) {
            struct scn_bytes_report report;
            const size_t len = scn_bytes_encode(s, v, out, &report);
            assert_true(len >= SCN_BYTES_HEADER_LEN);
            struct scenario *t = scn_bytes_decode(out, len);
            assert_int_equal(scn_bytes_encode(t, 0, again, NULL), len);
            assert_memory_equal(out, again, len);
            exact += report.exact;
            steps += report.exact + report.nearest + report.left_out;
            by_design += report.by_design;
            empty += t->body.count == 0;
            scn_free(t);
        }
        files += s != NULL;
        scn_free(s);
    }
    fts_close(walk);
    print_message("%u files; of %u steps that do something %u are exact; %u steps expect; %u scenarios without a step\n", files,
                  steps, exact, by_design, empty);
    assert_true(files > 200 && exact > steps / 100 * 85 && by_design > 10000 && empty < files / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_octets_are_a_scenario_of_bounded_length),
        cmocka_unit_test(what_is_decoded_prints_and_parses_to_the_same),
        cmocka_unit_test(decoding_expects_nothing_and_captures_nothing),
        cmocka_unit_test(a_changed_octet_of_a_record_changes_that_step_at_most),
        cmocka_unit_test(the_magic_is_passed_over),
        cmocka_unit_test(encoding_what_was_decoded_loses_nothing_and_is_canonical),
        cmocka_unit_test(the_header_chooses_the_way_in),
        cmocka_unit_test(a_record_says_what_the_format_says),
        cmocka_unit_test(a_scenario_becomes_the_nearest_octets_and_the_report_says_what_was_lost),
        cmocka_unit_test(what_a_script_remembers_becomes_a_number),
        cmocka_unit_test(what_octets_cannot_do_is_not_called_exact),
        cmocka_unit_test(a_handshake_of_its_own_kind_stays_one),
        cmocka_unit_test(the_suite_becomes_a_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
    for (unsigned i = 0; i < 100000; i++) {
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
    for (unsigned i = 0; i < 20000; i++) {
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
        {{[3] = 4, [4] = 0x06, [5] = 0x80}, "+0      < R abs(2147483648):abs(2147483648)(0)"},
        {{[3] = 1, [4] = 0x02, [6] = 1, [10] = 10, [20] = 1}, "+0      < P. 1:11(10) with checksum bad"},
        {{[13] = 0x88, [15] = 1, [16] = 0xff}, "+0      < . <TS val now() / 1000000 + 1001 ecr ts_recent() - 1>"},
        {{[13] = 0x90, [18] = 1, [19] = 0x42}, "+0      < . <sack (rcv_nxt() + 16):(rcv_nxt() + 48) (rcv_nxt() + 80):(rcv_nxt() + 112)>"},
        {{[13] = 0xa0, [18] = 200, [19] = 0x3a}, "+0      < . <kind 200 0102 len 3>"},
        {{[0] = 1, [9] = 3, [10] = 232}, "+0      send(4, ..., 1000, MSG_DONTWAIT) = ..."},
        {{[0] = 3}, "+0      close(4) = ..."},
        {{[0] = 5, [1] = 1}, "+0      accept(3, ..., ...) = <=4"},
        {{[0] = 10, [17] = 1}, "+0      setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = ..."},
        {{[0] = 11, [3] = 6, [17] = 1, [18] = 0x8c}, "+0      link delay < 2 0.00001s"},
        {{[0] = 12, [2] = 0xff}, "+33000  wait"},
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

static void a_scenario_becomes_the_nearest_octets_and_the_report_says_what_was_lost(void **unused)
{
    (void)unused;
    uint8_t out[SCN_BYTES_MAX];
    struct scn_bytes_report report;
    struct scenario *s = parse_portable(
        "//: needs listen\neach $n in (7), (9)\nlet $at = snd_nxt() + $n\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                                        "+0 < P. $at:$at + 10(10) ack 1 win 1000\n* > . 1:1(0)\n+0 < . 1:1(0) ack 1\nrepeat 2 {\n+1 wait\n}\n+.5~+1 > R\n");
    const size_t len = scn_bytes_encode(s, 1, out, &report);
    assert_int_equal(len, SCN_BYTES_HEADER_LEN + 7 * SCN_BYTES_RECORD_LEN);
    assert_int_equal(report.exact, 3);
    assert_int_equal(report.nearest, 2);
    assert_int_equal(report.left_out, 2);
    assert_false(report.equal);
    struct scenario *t = scn_bytes_decode(out, len);
    static const char *const steps[] = {"+0      socket(..., SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP) = <=3", "+0      < P. snd_nxt() + 9:snd_nxt() + 19(10) ack 1 win 1000",
                                        "+0      fence", "+0      < . 1:1(0) ack 1", "+1      wait", "+1      wait", "+1      wait"};
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        char text[500];
        print_step(t, i, text, sizeof text);
        assert_string_equal(text, steps[i]);
    }
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
    unsigned files = 0, exact = 0, steps = 0, empty = 0;
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
            empty += t->body.count == 0;
            scn_free(t);
        }
        files += s != NULL;
        scn_free(s);
    }
    fts_close(walk);
    print_message("%u files, %u steps, of which %u are exact; %u scenarios without a step\n", files, steps, exact, empty);
    assert_true(files > 200 && exact > steps / 20 && empty < files / 10);
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
        cmocka_unit_test(the_suite_becomes_a_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

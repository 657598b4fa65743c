/* What texts become in memory: each construct's fields, the bounds, and what is no text at all. */
#include "engine/scenario/test/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALWAYS = PKT_SYN | PKT_FIN | PKT_RST | PKT_ACK, EVERY = 0x1ff };
static const int64_t ms = 1000000;

/* ---- flags ------------------------------------------------------------------------------------------------------- */

static void flags_that_are_not_written_count_only_in_a_strict_script(void **state)
{
    static const struct { const char *text; uint16_t flags, care_portable, care_strict; int ace; } rows[] = {
        { "S", PKT_SYN, ALWAYS, EVERY, -1 },
        { "S.", PKT_SYN | PKT_ACK, ALWAYS, EVERY, -1 },
        { ".", PKT_ACK, ALWAYS, EVERY, -1 },
        { "-", 0, ALWAYS, EVERY, -1 },
        { "P.", PKT_PSH | PKT_ACK, ALWAYS | PKT_PSH, EVERY, -1 },
        { "SEWA.", PKT_SYN | PKT_ECE | PKT_CWR | PKT_AE | PKT_ACK, ALWAYS | PKT_ECE | PKT_CWR | PKT_AE, EVERY, -1 },
        { ".!P", PKT_ACK, ALWAYS | PKT_PSH, EVERY, -1 },
        { "S. !PU", PKT_SYN | PKT_ACK, ALWAYS | PKT_PSH | PKT_URG, EVERY, -1 },
        { "R ~.", PKT_RST, ALWAYS & ~PKT_ACK, EVERY & ~PKT_ACK, -1 },
        { "R~P.", PKT_RST, ALWAYS & ~PKT_ACK, EVERY & ~(PKT_ACK | PKT_PSH), -1 },
        { "any", 0, 0, 0, -1 },
        { ".0", PKT_ACK, ALWAYS | PKT_ECE | PKT_CWR | PKT_AE, EVERY, 0 },
        { "S.1", PKT_SYN | PKT_ACK | PKT_ECE, ALWAYS | PKT_ECE | PKT_CWR | PKT_AE, EVERY, 1 },
        { "P.6", PKT_PSH | PKT_ACK | PKT_CWR | PKT_AE, ALWAYS | PKT_PSH | PKT_ECE | PKT_CWR | PKT_AE, EVERY, 6 },
    };
    (void)state;
    for (unsigned i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        const bool portable = i % 2;
        char text[64];
        snprintf(text, sizeof text, "+0 > %s\n", rows[i / 2].text);
        struct scenario *s = portable ? parse_portable(text) : parse_text(text);
        const struct scn_packet *p = s->body.steps[0].packet;
        if (p->flags != rows[i / 2].flags || p->flags_care != (portable ? rows[i / 2].care_portable : rows[i / 2].care_strict)
            || p->ace != rows[i / 2].ace)
            fail_msg("%s, %s: flags %#x of %#x, ace %d", rows[i / 2].text, portable ? "portable" : "strict", p->flags, p->flags_care, p->ace);
        assert_int_equal(p->flags_any, strcmp(rows[i / 2].text, "any") == 0);
        scn_free(s);
    }
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

static void times_are_exact_nanoseconds(void **state)
{
    static const struct { const char *text; enum scn_time_kind kind; bool range; int64_t from_ns, to_ns; } rows[] = {
        { "+0", SCN_TIME_RELATIVE, false, 0, 0 },
        { "0", SCN_TIME_ABSOLUTE, false, 0, 0 },
        { "1.5", SCN_TIME_ABSOLUTE, false, 1500000000, 1500000000 },
        { "+.1", SCN_TIME_RELATIVE, false, 100000000, 100000000 },
        { "+ .1", SCN_TIME_RELATIVE, false, 100000000, 100000000 },
        { "+0.3", SCN_TIME_RELATIVE, false, 300000000, 300000000 }, /* which no double is */
        { "+0.000000001", SCN_TIME_RELATIVE, false, 1, 1 },
        { "+0.123456789", SCN_TIME_RELATIVE, false, 123456789, 123456789 },
        { "+0.1234567899", SCN_TIME_RELATIVE, false, 123456789, 123456789 },
        { "+31622399.999999999", SCN_TIME_RELATIVE, false, INT64_C(31622399999999999), INT64_C(31622399999999999) },
        { "+200ms", SCN_TIME_RELATIVE, false, 200000000, 200000000 },
        { "+50us", SCN_TIME_RELATIVE, false, 50000, 50000 },
        { "+7ns", SCN_TIME_RELATIVE, false, 7, 7 },
        { "+2s", SCN_TIME_RELATIVE, false, 2000000000, 2000000000 },
        { "+3m", SCN_TIME_RELATIVE, false, INT64_C(180000000000), INT64_C(180000000000) },
        { "+.5m", SCN_TIME_RELATIVE, false, INT64_C(30000000000), INT64_C(30000000000) },
        { "+0~+.5", SCN_TIME_RELATIVE, true, 0, 500000000 },
        { "1~2", SCN_TIME_ABSOLUTE, true, 1000000000, 2000000000 },
        { "*", SCN_TIME_ANY, false, 0, 0 },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char text[64];
        snprintf(text, sizeof text, "%s > S\n", rows[i].text);
        struct scenario *s = parse_portable(text);
        const struct scn_time *t = &s->body.steps[0].time;
        if (t->kind != rows[i].kind || t->is_range != rows[i].range || t->from_ns != rows[i].from_ns || t->to_ns != rows[i].to_ns ||
            t->has_return)
            fail_msg("%s: kind %d, %lld to %lld", rows[i].text, t->kind, (long long)t->from_ns, (long long)t->to_ns);
        scn_free(s);
    }
}

static void a_blocking_call_returns_at_a_time_of_the_same_kind(void **state)
{
    static const struct { const char *text; bool relative; int64_t from_ns, return_ns; } rows[] = {
        { "+0...+2", true, 0, 2000000000 }, { "+.1...0.2", true, 100000000, 200000000 }, { "1...2", false, 1000000000, 2000000000 },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char text[64];
        snprintf(text, sizeof text, "%s close(3) = 0\n", rows[i].text);
        struct scenario *s = parse_portable(text);
        const struct scn_time *t = &s->body.steps[0].time;
        assert_true(t->has_return);
        assert_int_equal(t->return_relative, rows[i].relative);
        assert_int_equal(t->from_ns, rows[i].from_ns);
        assert_int_equal(t->return_ns, rows[i].return_ns);
        scn_free(s);
    }
}

static void a_step_may_leave_its_time_out_unless_it_is_a_segment_or_a_call(void **state)
{
    struct scenario *s = parse_portable("wait\nfence\nstate LISTEN\n");
    (void)state;
    for (unsigned i = 0; i < s->body.count; i++)
        assert_int_equal(s->body.steps[i].time.kind, SCN_TIME_NONE);
    scn_free(s);
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static void what_is_left_out_of_a_segment_is_none(void **state)
{
    struct scenario *s = parse_portable("+0 < S\n");
    const struct scn_packet *p = s->body.steps[0].packet;
    (void)state;
    assert_int_equal(s->body.steps[0].kind, SCN_STEP_INJECT);
    assert_int_equal(p->seq.relation, SCN_NONE);
    assert_int_equal(p->ack.relation, SCN_NONE);
    assert_int_equal(p->window.relation, SCN_NONE);
    assert_int_equal(p->endpoint.slot, 0);
    assert_int_equal(p->capture_at_slot, -1);
    assert_false(p->options_given);
    assert_string_equal(s->endpoints[0].name, "a");
    scn_free(s);
}

static void numbers_compare_in_eight_ways(void **state)
{
    static const struct { const char *text; enum scn_relation relation; int64_t value, upper; } rows[] = {
        { "5", SCN_EQ, 5, 0 }, { "=5", SCN_EQ, 5, 0 }, { "!=5", SCN_NE, 5, 0 }, { "<5", SCN_LT, 5, 0 }, { "<=5", SCN_LE, 5, 0 },
        { ">5", SCN_GT, 5, 0 }, { ">=5", SCN_GE, 5, 0 }, { "5..9", SCN_BETWEEN, 5, 9 }, { "-1", SCN_EQ, -1, 0 }, { "0x10", SCN_EQ, 16, 0 },
        { "*", SCN_ANY, 0, 0 },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char text[64];
        snprintf(text, sizeof text, "+0 > . 1:1(0) ack %s win 7\n", rows[i].text);
        struct scenario *s = parse_portable(text);
        const struct scn_match *m = &s->body.steps[0].packet->ack;
        assert_int_equal(m->relation, rows[i].relation);
        if (m->value)
            assert_int_equal(m->value->number, rows[i].value);
        if (m->upper)
            assert_int_equal(m->upper->number, rows[i].upper);
        assert_int_equal(s->body.steps[0].packet->window.value->number, 7);
        scn_free(s);
    }
}

static void a_variable_is_captured_once_and_then_compared_or_computed_with(void **state)
{
    struct scenario *s = parse_portable("+0 > S. $iss:$iss(0) ack $n <mss $m, ...> at $t\n+0 < . $n:$n(0) ack $iss + 1 win $m\n");
    const struct scn_packet *p = s->body.steps[0].packet;
    static const char *const names[] = { "iss", "n", "m", "t" };
    (void)state;
    assert_int_equal(s->variable_count, ARRAY_LEN(names));
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(s->variables[i], names[i]);
    assert_int_equal(p->seq.value->kind, SCN_EXPR_VARIABLE);
    assert_int_equal(p->seq.value->slot, p->seq_end.value->slot);
    assert_int_equal(p->capture_at_slot, 3);
    assert_true(p->options_open);
    assert_int_equal(p->option_count, 1);
    assert_int_equal(s->body.steps[1].packet->ack.value->kind, SCN_EXPR_BINARY);
    scn_free(s);
}

static void options_keep_their_order_kinds_and_octets(void **state)
{
    static const struct { uint8_t kind; enum scn_option_form form; unsigned values, octets; } rows[] = {
        { PKT_OPT_MSS, SCN_OPT_NUMBER, 1, 0 }, { PKT_OPT_NOP, SCN_OPT_PLAIN, 0, 0 }, { PKT_OPT_SACK, SCN_OPT_SACK, 4, 0 },
        { PKT_OPT_TIMESTAMP, SCN_OPT_TIMESTAMP, 2, 0 }, { PKT_OPT_FASTOPEN, SCN_OPT_BYTES, 0, 4 },
        { PKT_OPT_EXPERIMENT_2, SCN_OPT_BYTES, 0, 0 }, { 77, SCN_OPT_BYTES, 0, 2 }, { PKT_OPT_ACCECN0, SCN_OPT_ACCECN, 2, 0 },
        { PKT_OPT_ACCECN1, SCN_OPT_ACCECN, 1, 0 },
    };
    struct scenario *s = parse_portable(
        "+0 < S <mss 1460, nop, sack 1:2 3:4, TS val 1 ecr 2, FO 01020304, FOEXP, kind 77 0aff, ECN e0b 1 ceb 2, ECN e1b 3>\n");
    const struct scn_packet *p = s->body.steps[0].packet;
    (void)state;
    assert_int_equal(p->option_count, ARRAY_LEN(rows));
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(p->options[i].kind, rows[i].kind);
        assert_int_equal(p->options[i].form, rows[i].form);
        assert_int_equal(p->options[i].value_count, rows[i].values);
        assert_int_equal(p->options[i].bytes_len, rows[i].octets);
    }
    assert_true(p->options[5].experimental);
    assert_memory_equal(p->options[6].bytes, "\x0a\xff", 2);
    assert_int_equal(p->options[2].values[3].value->number, 4);
    scn_free(s);
}

static void a_line_may_go_on_where_no_step_can_begin(void **state)
{
    struct scenario *s =
        parse_portable("+0 > . 1:1(0)\n ack 1 win 5\n <mss 5,\n nop\n >\n+0 < S\n+0 write(4,\n ...,\n 1000) =\n 1000\n1 wait\n");
    (void)state;
    assert_int_equal(s->body.count, 4);
    assert_int_equal(s->body.steps[0].packet->option_count, 2);
    assert_int_equal(s->body.steps[2].call.argument_count, 3);
    assert_string_equal(s->body.steps[2].source, "+0 write(4,");
    assert_int_equal(s->body.steps[3].at.line, 12);
    scn_free(s);
}

static void a_time_behind_a_number_is_no_sum(void **state)
{
    struct scenario *s = parse_portable(
        "+0 > . 1:1(0) ack 1 win 5\n+1 > . 1:1(0) ack 2\n*  > . 1:1(0)\n2 close(3) = 0\n+1 let $x = 1\n+1 let $y = 1 +\n 1\n");
    (void)state;
    assert_int_equal(s->body.count, 6);
    assert_int_equal(s->body.steps[0].packet->window.value->number, 5);
    assert_int_equal(s->body.steps[5].let.value->kind, SCN_EXPR_BINARY);
    scn_free(s);
}

static bool parses(const char *text)
{
    struct scn_diagnostics diagnostics;
    struct scenario *s = scn_parse("test.pkt", text, strlen(text), &diagnostics);
    scn_free(s);
    return s != NULL;
}

static void each_number_fits_its_field_and_the_next_one_does_not(void **state)
{
    static const struct { const char *format; int64_t max; } rows[] = {
        { "+0 < S ack %lld", UINT32_MAX }, { "+0 < S win %lld", 65535 }, { "+0 < S urg %lld", 65535 }, { "+0 < P. *:*(%lld)", -1 },
        { "+0 > P. *:*(%lld)", 65535 }, { "+0 > P. %lld:*(*)", UINT32_MAX }, { "+0 < %lld > 5 S", 65535 }, { "+0 < 5 > %lld S", 65535 },
        { "+0 < [tos %lld] S", 255 }, { "+0 < [ttl %lld] S", 255 }, { "+0 < [flowlabel %lld] S", 0xfffff },
        { "+0 < S <mss %lld>", 65535 }, { "+0 < S <wscale %lld>", 255 }, { "+0 < S <uto %lld>", 65535 }, { "+0 < S <kind %lld>", 255 },
        { "+0 < S <TS val %lld ecr 0>", UINT32_MAX }, { "+0 < S <TS val 0 ecr %lld>", UINT32_MAX }, { "+0 < S <sack 0:%lld>", UINT32_MAX },
        { "+0 < S <ECN e0b %lld>", 0xffffff }, { "+0 < S <nop len %lld>", 255 }, { "+0 < icmp %lld", 255 }, { "+0 < icmp 3 %lld", 255 },
        { "+0 < icmp 3 mtu %lld", UINT32_MAX }, { "+0 < icmp 3 id %lld", 65535 }, { "+0 < S with checksum %lld", 65535 },
        { "+0 < S with doff %lld", 15 }, { "+0 < S with reserved %lld", 15 }, { "+0 < S with payload fill %lld", 255 },
        { "+0 < S with truncate %lld", PKT_BYTES_MAX }, { "+0 < S with fragment %lld", 65535 }, { "+0 < S with sport %lld", 65535 },
        { "+0 < S with dport %lld", 65535 }, { "+0 < S with seq.abs %lld", UINT32_MAX }, { "+0 < S with ack.abs %lld", UINT32_MAX },
        { "+0 < S with ip.checksum %lld", 65535 }, { "+0 < S with ip.len %lld", 65535 }, { "+0 < S with ip.ihl %lld", 15 },
        { "+0 < S with ip.version %lld", 15 }, { "+0 < S with ip.proto %lld", 255 }, { "+0 < S with ip.ttl %lld", 255 },
        { "+0 < S with ip.tos %lld", 255 }, { "+0 < S with ip.id %lld", 65535 }, { "+0 < S with ip.df %lld", 1 },
        { "+0 < @b[%lld] S", INT32_MAX }, { "gather 0:%lld", UINT32_MAX }, { "repeat %lld {\n}", SCN_REPEAT_MAX },
        { "link drop < %lld", SCN_REPEAT_MAX }, { "//: isn %lld", UINT32_MAX }, { "//: endpoint b address %lld", 65535 },
        { "//: endpoint b to %lld", 65535 }, { "+%lld wait", 366 * 86400 }, { "//: patience %lld", 366 * 86400 },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        for (long long more = 0; more < 2; more++) {
            char line[100], text[128];
            snprintf(line, sizeof line, rows[i].format, rows[i].max + more);
            snprintf(text, sizeof text, "//: title T\n%s\n", line);
            if (parses(text) != (rows[i].max >= 0 && more == 0))
                fail_msg("%s: %s", line, more ? "parses" : "does not parse");
        }
    }
}

static void integers_have_64_bits(void **state)
{
    static const struct { const char *text; bool fits; int64_t value; } rows[] = {
        { "9223372036854775807", true, INT64_MAX }, { "9223372036854775808", false, 0 }, { "0xffffffffffffffff", true, -1 },
        { "0x10000000000000000", false, 0 }, { "0x8000000000000000", true, INT64_MIN }, { "-9223372036854775807", true, -INT64_MAX },
        { "00000000000000000000000000000000000000007", true, 7 }, { "0x00000000000000000000000000000000000000Ff", true, 255 },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char text[100];
        snprintf(text, sizeof text, "//: title T\nlet $x = %s\n", rows[i].text);
        assert_int_equal(parses(text), rows[i].fits);
        if (!rows[i].fits)
            continue;
        struct scenario *s = parse_text(text);
        assert_int_equal(s->body.steps[0].let.value->number, rows[i].value);
        scn_free(s);
    }
}

/* ---- the scenario ------------------------------------------------------------------------------------------------ */

static void defaults_follow_from_the_way_of_running(void **state)
{
    struct scenario *portable = parse_portable(""), *strict = parse_text("+0 < S 0:0(0) win 5\n");
    struct scenario *told = parse_text("--tolerance_usecs=7000\n+0 < S 0:0(0) win 5\n");
    (void)state;
    assert_true(portable->has_front_matter);
    assert_true(portable->ipv4 && portable->ipv6);
    assert_int_equal(portable->tolerance_ns, -1);
    assert_int_equal(portable->patience_ns, 2 * SCN_NS_PER_S);
    assert_int_equal(portable->profile, SCN_FULL);
    assert_int_equal(portable->level, SCN_LEVEL_DEFAULT);
    assert_false(strict->has_front_matter);
    assert_true(strict->ipv4 && !strict->ipv6);
    assert_int_equal(strict->tolerance_ns, 4 * ms);
    assert_int_equal(told->tolerance_ns, 7 * ms);
    assert_int_equal(told->option_count, 1);
    assert_string_equal(told->options[0].name, "tolerance_usecs");
    assert_string_equal(told->options[0].value, "7000");
    scn_free(portable);
    scn_free(strict);
    scn_free(told);
}

static void what_no_target_can_do_is_named_with_its_line(void **state)
{
    static const struct { const char *text, *unsupported; } rows[] = {
        { "+0 close(3) = 0\n", NULL },
        { "+0 close(3) = 0\n`ls`\n+0 %{ x }%\n", "line 2: a command in backquotes" },
        { "+0 %{ x }%\n", "line 1: a code block" },
        { "+0 epoll_create(1) = 3\n", "line 1: the call epoll_create" },
        { "+0 < udp (5)\n", "line 1: UDP" },
        { "+0 < gre: S 0:0(0) win 5\n", "line 1: encapsulation" },
        { "+0 < icmp unreachable port_unreachable [udp (8)]\n", "line 1: an ICMP error about UDP or a raw packet" },
        { "+0 > S. 0:0(0) ack 1 <mss MSS>\n", "line 1: the symbol MSS, which nothing defines" },
        { "+0 < S 0:0(0) win 5 <FO COOKIE>\n", "line 1: the symbol COOKIE, which nothing defines" },
        { "+0 > S. 0:0(0) ack 1 <mss A_LONG_NAME_THAT_GOES_ON_AND_ON_AND_ON_AND_ON_AND_ON_AND_ON_AND_ON_AND_ON_AND_ON_AND_ON>\n",
          "line 1: the symbol A_LONG_NAME_THAT_GOES_ON_AND_ON_AND_ON_A, which nothing defines" },
        { "--define=MSS=5\n+0 > S. 0:0(0) ack 1 <mss MSS>\n", NULL },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct scenario *s = parse_text(rows[i].text);
        if (rows[i].unsupported)
            assert_string_equal(s->unsupported, rows[i].unsupported);
        else
            assert_null(s->unsupported);
        scn_free(s);
    }
}

static void a_step_knows_its_place_and_its_own_text(void **state)
{
    struct scenario *s = parse_text("// one\n\n   +0   < S  0:0(0) win 5   // two\n+0 `a\nb`\n\t+0\tclose(3) = 0 /* x */\n"
                                   "repeat  2  {\n+0 < S\n}\nassert  1 \"a  \\\"  b\"\n");
    static const struct { int line, column; const char *source; } rows[] = {
        { 3, 4, "+0 < S 0:0(0) win 5" }, { 4, 1, "+0 `a" }, { 6, 2, "+0 close(3) = 0" },
        { 7, 1, "repeat 2" }, { 10, 1, "assert 1 \"a  \\\"  b\"" },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(s->body.steps[i].at.line, rows[i].line);
        assert_int_equal(s->body.steps[i].at.column, rows[i].column);
        assert_string_equal(s->body.steps[i].source, rows[i].source);
    }
    scn_free(s);
}

static void text_outlives_what_was_parsed(void **state)
{
    char text[] = "+0 write(4, \"abc\", 3) = 3 (note)\n";
    struct scn_diagnostics diagnostics;
    struct scenario *s = scn_parse("x.pkt", text, strlen(text), &diagnostics);
    (void)state;
    assert_non_null(s);
    memset(text, 'x', sizeof text);
    assert_string_equal(s->body.steps[0].call.name, "write");
    assert_string_equal(s->body.steps[0].call.arguments[1]->text, "abc");
    assert_string_equal(s->body.steps[0].call.note, "note");
    assert_string_equal(s->source_text, "+0 write(4, \"abc\", 3) = 3 (note)\n");
    scn_free(s);
}

/* ---- what is hardly a text --------------------------------------------------------------------------------------- */

static void an_empty_text_is_an_empty_scenario(void **state)
{
    static const char *const texts[] = { "", "\n", "   \t\r\n", "// comment", "# comment", "/* comment */", "/**/", "\xef\xbb\xbf" };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        struct scenario *s = parse_text(texts[i]);
        assert_int_equal(s->body.count, 0);
        assert_round_trip("empty", s);
        scn_free(s);
    }
}

static void carriage_returns_are_blanks(void **state)
{
    struct scenario *unix_text =
        parse_text("//: title T\n//: needs listen\n+0 < S <mss 5,\n nop>\n//: body\n+0 close(3) = 0 (a b)\n");
    struct scenario *dos_text =
        parse_text("//: title T\r\n//: needs listen\r\n+0 < S <mss 5,\r\n nop>\r\n//: body\r\n+0 close(3) = 0 (a b)\r\n");
    (void)state;
    assert_true(scn_equal(unix_text, dos_text));
    assert_string_equal(dos_text->title, "T");
    scn_free(unix_text);
    scn_free(dos_text);
}

#define TEXT(literal) literal, sizeof(literal) - 1

static void a_nul_is_named_where_it_is(void **state)
{
    static const struct { const char *text; size_t len; const char *found; } rows[] = {
        { TEXT("+0 < S \0 win 5"), "1:8: found `\\x00`, which has no meaning in a scenario" },
        { TEXT("//: title a\0b"), "1:1: found a NUL octet, which a text here cannot hold" },
        { TEXT("+0 %{ a\0b }%"), "1:4: found a NUL octet, which a text here cannot hold" },
        { TEXT("`a\0b`"), "1:1: found a NUL octet, which a text here cannot hold" },
        { TEXT("--local_ip=a\0b"), "1:1: found a NUL octet, which a text here cannot hold" },
        { TEXT("//: title T\nassert 1 \"a\0b\""), "2:10: this text cannot hold a NUL" },
        { TEXT("\0"), "1:1: found `\\x00`, which has no meaning in a scenario" },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char found[300];
        parse_wrong(rows[i].text, rows[i].len, found, sizeof found);
        assert_string_equal(found, rows[i].found);
    }
    struct scn_diagnostics diagnostics;
    struct scenario *s = scn_parse("x", TEXT("// a\0b\n+0 write(3, \"a\0b\", 3) = 3"), &diagnostics);
    assert_non_null(s); /* in a comment, and in octets to write */
    assert_int_equal(s->body.steps[0].call.arguments[1]->text_len, 3);
    assert_round_trip("NUL", s);
    scn_free(s);
}

static void columns_count_characters(void **state)
{
    char found[300];
    (void)state;
    parse_wrong(TEXT("//: title \xc3\xa9\n+0 write(3, \"\xe2\x82\xac\xc3\xa9\", 3) ] 3\n"), found, sizeof found);
    assert_string_equal(found, "2:22: expected the end of the step, a name, `(` or `=` after `)`, found `]`");
    parse_wrong(TEXT("//: \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 x\n"), found, sizeof found);
    assert_string_equal(found, "1:5: unknown directive `\\xC3\\xA9\\xC3\\xA9\\xC3\\xA9\\xC3\\xA9`");
}

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

/* head, then count times body, then tail. */
static char *long_text(const char *head, const char *body, size_t count, const char *tail, size_t *len)
{
    const size_t body_len = strlen(body);
    char *text = malloc(strlen(head) + count * body_len + strlen(tail) + 1), *end = text;
    assert_non_null(text);
    end = stpcpy(end, head);
    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, body);
    *len = (size_t)(stpcpy(end, tail) - text);
    return text;
}

static void assert_long_wrong(const char *head, const char *body, size_t count, const char *tail, const char *expected)
{
    size_t len;
    char found[300], *text = long_text(head, body, count, tail, &len);
    parse_wrong(text, len, found, sizeof found);
    if (strcmp(found, expected) != 0)
        fail_msg("expected\n%s\nbut found\n%s", expected, found);
    free(text);
}

static void each_bound_has_a_message(void **state)
{
    (void)state;
    assert_long_wrong("", " ", SCN_TEXT_BYTES_MAX + 1, "", "0:0: the file is larger than 1 MiB");
    assert_long_wrong("//: title T\n", "repeat 1 {\n", SCN_NESTING_MAX + 1, "", "34:10: blocks are nested more than 32 deep");
    assert_long_wrong("//: title T\n", "wait\n", SCN_STEPS_MAX + 1, "", "100002:1: more than 100000 steps");
    assert_long_wrong("//: title T\nlet $x = 1", "+1", SCN_EXPR_DEPTH_MAX, "", "2:10: the expression is nested more than 64 deep");
    assert_long_wrong("//: title T\nlet $x = ", "(", 2000, "1", "2:603: expressions and blocks are nested too deeply here");
    assert_long_wrong("//: title T\nlet $x = ", "-", 2000, "$y", "2:603: expressions and blocks are nested too deeply here");
    assert_long_wrong("+0 write(3, ", "[", 2000, "", "1:605: expressions and blocks are nested too deeply here");
    assert_long_wrong("//: title T\nlet $x = ", "9", 1000000, "",
                      "2:10: the number 9999999999999999999999999999999999999... does not fit into 64 bits");
    assert_long_wrong("//: title T\n+", "9", 1000000, " wait",
                      "2:2: the time 9999999999999999999999999999999999999... is longer than a year");
    assert_long_wrong("//: title T\n", "x", 1000000, "",
                      "2:1000001: expected `(` and the arguments of a call after "
                      "`xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...`, found the end of the file");
    assert_long_wrong("+0 ", "\"", 999999, "", "1:4: expected `<` or `>` and a segment, a call or another step, found `\"\"`");
    assert_long_wrong("+0 < raw ", "00", PKT_BYTES_MAX + 1, "", "1:10: a packet has at most 65575 octets");
    assert_long_wrong("//: title T\nrepeat ", "9", 18, " {\n}\n",
                      "2:8: the number of turns is from 0 to 1000000, not 999999999999999999");
    assert_long_wrong("//: title T\n//: purpose ", "p", 100000, "\n//: nonsense\n", "3:5: unknown directive `nonsense`");
}

static void nothing_takes_long_however_often_it_is_repeated(void **state)
{
    (void)state; /* each of these once was quadratic, or would be without its bound; a megabyte shows it */
    assert_long_wrong("//: title T\n", "//: setting a b\n", 60000, "", "3:13: the setting a is given twice");
    assert_long_wrong("", "--define=a=b\n", 80000, "", "257:1: more than 256 definitions");
    assert_long_wrong("//: title T\n//: needs", " x", 500000, "",
                      "2:11: expected something a target can have, such as `listen` or `virtual-time`, found `x`");
    assert_long_wrong("//: title T\n", "//: purpose x\n", 70000, "", "0:0: the scenario needs more than 64 MiB of memory");
    assert_long_wrong("+0 write(3, ", "\"\\n\" ", 200000, ", 1) = 1", "0:0: the scenario needs more than 64 MiB of memory");
    assert_long_wrong("+0 < ", "gre: ", 200000, "S", "0:0: the scenario needs more than 64 MiB of memory");
    assert_long_wrong("//: title T\neach $a", ", $a", 250000, " in 1", "2:1: $a gets its values from two places");
    assert_long_wrong("//: title T\neach $a in 1", ",1", 50000, "", "2:1: the tables make more than 10000 sub-tests");
    assert_long_wrong("+0 ", "1:", 500000, "",
                      "1:4: expected `<` or `>` and a segment, a call or another step, found `1:1:1:1:1:1:1:1`");
    assert_long_wrong("+0 ", "--", 500000, "", "1:4: expected `<` or `>` and a segment, a call or another step, found `-`");
    assert_long_wrong("", "/*/", 333333, "", "1:999997: the comment opened here is never closed");
}

static void memory_is_bounded(void **state)
{
    (void)state; /* each `,nop` is four octets of text, and an option in memory; each line a whole segment */
    assert_long_wrong("", "0>S<nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop>\n",
                      10000, "", "0:0: the scenario needs more than 64 MiB of memory");
}

static void variables_and_endpoints_are_bounded(void **state)
{
    char *text = NULL, found[300];
    size_t len = 0;
    (void)state;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    fprintf(out, "//: title T\n");
    for (int i = 0; i <= SCN_VARIABLES_MAX; i++)
        fprintf(out, "let $v%d = 1\n", i);
    fclose(out);
    parse_wrong(text, len, found, sizeof found);
    assert_string_equal(found, "258:5: more than 256 variables");
    free(text);
    out = open_memstream(&text, &len);
    assert_non_null(out);
    for (int i = 0; i <= SCN_ENDPOINTS_MAX; i++)
        fprintf(out, "+0 < @e%d S\n", i);
    fclose(out);
    parse_wrong(text, len, found, sizeof found);
    assert_string_equal(found, "64:6: more than 64 endpoints; one with a subscript, as in @flood[$i], counts once");
    free(text);
}

static void what_is_long_but_right_parses(void **state)
{
    static const struct { const char *head, *body; size_t count; const char *tail; } rows[] = {
        { "// ", "x", 1000000, "" },
        { "//: title ", "t", 1000000, "\n" },
        { "+0 write(3, \"", "x", 1000000, "\", 5) = 5" },
        { "+0 < S 0:0(0) win ", " ", 1000000, "5" },
        { "", "+0 wait\n", 100000, "" },
        { "+0 < raw ", "00", PKT_BYTES_MAX, "" },
        { "+0 write(3, ", "\"\" ", 1000, "\"x\", 1) = 1" },
        { "//: title T\n+0 wait", "\n", 1000000, "" },
        { "//: title T\nlet $x = 1", "+1", SCN_EXPR_DEPTH_MAX - 1, "" },
        { "/*", "*", 1000000, "/" },
        { "%{", "}", 1000000, "}%" },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len;
        struct scn_diagnostics diagnostics;
        char *text = long_text(rows[i].head, rows[i].body, rows[i].count, rows[i].tail, &len);
        struct scenario *s = scn_parse("long.pkt", text, len, &diagnostics);
        if (!s)
            fail_msg("%.20s…: %s", rows[i].head, diagnostics.list[0].message);
        scn_free(s);
        free(text);
    }
}

static void nesting_up_to_the_bound_parses_and_prints(void **state)
{
    char *text = NULL;
    size_t len = 0;
    (void)state;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    fprintf(out, "//: title T\n");
    for (int i = 0; i < SCN_NESTING_MAX; i++)
        fprintf(out, "repeat 1 $i%d {\n", i);
    for (int i = 0; i < SCN_NESTING_MAX; i++)
        fprintf(out, "}\n");
    fclose(out);
    struct scenario *s = parse_text(text);
    assert_round_trip("nested", s);
    scn_free(s);
    free(text);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void a_file_that_cannot_be_read_is_a_diagnostic_without_a_line(void **state)
{
    static const struct { const char *path, *message; } rows[] = {
        { "engine/scenario/test/no-such.pkt", "engine/scenario/test/no-such.pkt: cannot read this file: No such file or directory" },
        { "engine/scenario/test", "engine/scenario/test: cannot read this file: Is a directory" },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct scn_diagnostics diagnostics;
        char text[512];
        assert_null(scn_parse_file(rows[i].path, &diagnostics));
        assert_int_equal(diagnostics.count, 1);
        assert_int_equal(diagnostics.list[0].at.line, 0);
        scn_format_diagnostic(rows[i].path, &diagnostics.list[0], text, sizeof text);
        assert_string_equal(text, rows[i].message);
    }
}

static void a_diagnostic_is_file_line_column_message(void **state)
{
    const struct scn_diagnostic diagnostic = { { 14, 9 }, "expected flags after `<`, found `win`" };
    char text[64];
    (void)state;
    assert_int_equal(scn_format_diagnostic("a.pkt", &diagnostic, text, sizeof text),
                     strlen("a.pkt:14:9: expected flags after `<`, found `win`"));
    assert_string_equal(text, "a.pkt:14:9: expected flags after `<`, found `win`");
    assert_true(scn_format_diagnostic("a.pkt", &diagnostic, text, 8) > 8);
    assert_string_equal(text, "a.pkt:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_that_are_not_written_count_only_in_a_strict_script),
        cmocka_unit_test(times_are_exact_nanoseconds),
        cmocka_unit_test(a_blocking_call_returns_at_a_time_of_the_same_kind),
        cmocka_unit_test(a_step_may_leave_its_time_out_unless_it_is_a_segment_or_a_call),
        cmocka_unit_test(what_is_left_out_of_a_segment_is_none),
        cmocka_unit_test(numbers_compare_in_eight_ways),
        cmocka_unit_test(a_variable_is_captured_once_and_then_compared_or_computed_with),
        cmocka_unit_test(options_keep_their_order_kinds_and_octets),
        cmocka_unit_test(a_line_may_go_on_where_no_step_can_begin),
        cmocka_unit_test(a_time_behind_a_number_is_no_sum),
        cmocka_unit_test(each_number_fits_its_field_and_the_next_one_does_not),
        cmocka_unit_test(integers_have_64_bits),
        cmocka_unit_test(defaults_follow_from_the_way_of_running),
        cmocka_unit_test(what_no_target_can_do_is_named_with_its_line),
        cmocka_unit_test(a_step_knows_its_place_and_its_own_text),
        cmocka_unit_test(text_outlives_what_was_parsed),
        cmocka_unit_test(an_empty_text_is_an_empty_scenario),
        cmocka_unit_test(carriage_returns_are_blanks),
        cmocka_unit_test(a_nul_is_named_where_it_is),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(each_bound_has_a_message),
        cmocka_unit_test(nothing_takes_long_however_often_it_is_repeated),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(variables_and_endpoints_are_bounded),
        cmocka_unit_test(what_is_long_but_right_parses),
        cmocka_unit_test(nesting_up_to_the_bound_parses_and_prints),
        cmocka_unit_test(a_file_that_cannot_be_read_is_a_diagnostic_without_a_line),
        cmocka_unit_test(a_diagnostic_is_file_line_column_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

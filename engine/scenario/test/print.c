/* The printer: whatever a scenario holds, its text reads back as the same; and the canonical form is what it is said to be. */
#include "engine/scenario/test/generate.h"
#include "engine/scenario/test/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void random_scenarios_print_as_themselves(void **state)
{
    enum { SCENARIOS = 3000 };
    (void)state;
    for (uint64_t seed = 1; seed <= SCENARIOS; seed++) {
        char what[32];
        struct scenario *s = generate_scenario(seed);
        assert_non_null(s);
        snprintf(what, sizeof what, "seed %llu", (unsigned long long)seed);
        assert_round_trip(what, s);
        scn_free(s);
    }
}

static void random_scenarios_differ(void **state)
{
    struct scenario *first = generate_scenario(1);
    unsigned equal = 0;
    (void)state;
    for (uint64_t seed = 2; seed < 100; seed++) {
        struct scenario *s = generate_scenario(seed);
        equal += scn_equal(first, s);
        scn_free(s);
    }
    assert_int_equal(equal, 0);
    scn_free(first);
}

static void the_canonical_form_of_a_step(void **state)
{
    static const struct { const char *text, *printed; } rows[] = {
        { "+.5   <  S.  0:0(0)   ack   1 win 5  <mss 5,nop>", "+0.5    < S. 0:0(0) ack 1 win 5 <mss 5, nop>" },
        { "  +0~+.5 >P. 1:11( 10 )", "+0~+0.5 > P. 1:11(10)" },
        { "* > any", "*       > any" },
        { "100ms~200ms > - !PU", "0.1~0.2 > - !PU" },
        { "* > R~. 1:1(0)", "*       > R ~. 1:1(0)" },
        { "+0...1 close ( 3 )=0", "+0...+1 close(3) = 0" },
        { "state   estab_lished", NULL },
        { "state time_wait or LISTEN", "state LISTEN or TIME-WAIT" },
        { "let $x=((1))+(2*3)-(4-5)", "let $x = 1 + 2 * 3 - (4 - 5)" },
        { "let $x=(1==2)==(3<4)", "let $x = (1 == 2) == (3 < 4)" },
        { "let $x=!(!(1))", "let $x = !!1" },
        { "let $x=-(1+2)*-3", "let $x = -(1 + 2) * -3" },
        { "let $x=(1|2)&3<<(4+5)", "let $x = (1 | 2) & 3 << 4 + 5" },
        { "let $x=SF.", "let $x = SF." },
        { "link delay <  1  200ms", "link delay < 1 0.2s" },
        { "+0 < (tos 0x2,ttl 5) @b 1>2 S", "+0      < @b [tos 2, ttl 5] 1 > 2 S" },
        { "+0 < S with ip.ttl 5,doff 0xf", "+0      < S with ip.ttl 5, doff 15" },
        { "either{wait}or{}", NULL },
        { "either { assert 1 } or { }", "either {\n    assert 1\n} or {\n}" },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char text[128], printed[256];
        if (!rows[i].printed) {
            snprintf(text, sizeof text, "//: title T\n%s\n", rows[i].text);
            parse_wrong(text, strlen(text), printed, sizeof printed);
            continue;
        }
        struct scenario *s = parse_portable(rows[i].text);
        const int len = scn_print_step(s, &s->body.steps[0], printed, sizeof printed);
        assert_int_equal(len, strlen(printed));
        assert_string_equal(printed, rows[i].printed);
        scn_free(s);
    }
}

static void a_packet_prints_alone_and_into_little_room(void **state)
{
    struct scenario *s = parse_portable("+0 < S. 0:0(0) ack 1 win 5 <mss 1460>");
    static const char whole[] = "< S. 0:0(0) ack 1 win 5 <mss 1460>";
    char text[64];
    (void)state;
    for (size_t room = 0; room < sizeof text; room++) {
        memset(text, '#', sizeof text);
        assert_int_equal(scn_print_packet(s, s->body.steps[0].packet, true, text, room), sizeof whole - 1);
        const size_t fits = room == 0 ? 0 : room - 1 < sizeof whole - 1 ? room - 1 : sizeof whole - 1;
        assert_memory_equal(text, whole, fits);
        if (room > 0)
            assert_int_equal(text[fits], '\0');
        assert_int_equal(text[room], '#');
    }
    scn_free(s);
}

/* Each of these says something else than all the others. */
static void equality_sees_each_difference(void **state)
{
    static const char *const steps[] = {
        "", "wait", "+1 wait", "+0 wait", "1 wait", "fence", "fence @b", "fence @b[1]", "fence @b[2]", "incarnation", "state LISTEN", "state CLOSED",
        "state @b LISTEN", "gather 1:2", "gather 1:3", "gather @b 1:2", "let $x = 1", "let $y = 1", "let $x = 2", "let $x = 1 + 1", "let $x = 1 - 1",
        "let $x = \"a\"", "let $x = \"b\"", "let $x = S", "let $x = iss()", "let $x = irs()", "let $x = iss(@b)", "assert 1", "assert 1 \"a\"",
        "assert 1 \"b\"", "link drop < 1", "link drop > 1", "link drop < 2", "link delay < 1 1s", "link delay < 1 2s", "repeat 1 {\n}",
        "repeat 2 {\n}", "repeat 1 $i {\n}", "repeat 1 {\nwait\n}", "either {\nassert 1\n} or {\n}", "either {\nassert 2\n} or {\n}",
        "either {\nassert 1\n} or {\nassert 1\n}", "never > R {\n}", "never > S {\n}", "+0~+1 never > R", "+0~+2 never > R", "never > R {\nwait\n}",
        "never > R, > S {\n}", "skip \"a\"", "skip \"b\"",
        "+0 < S", "+0 > S", "* > S", "+0~+0 > S", "+0 < S.", "+0 < S.1", "+0 < SE.", "+0 > S !P", "+0 > any", "+0 < @b S", "+0 < 1 > 2 S",
        "+0 < 1 > 3 S", "+0 < S 0:0(0)", "+0 < S 1:1(0)", "+0 < S 0:1(1)", "+0 < S ack 1", "+0 < S ack 2", "+0 > S ack >1", "+0 > S ack 1..2",
        "+0 > S ack 1..3", "+0 > S ack *", "+0 < S win 1", "+0 < S urg 1", "+0 < S <>", "+0 > S <...>", "+0 < S <nop>", "+0 < S <nop, nop>",
        "+0 > S <nop, ...>", "+0 < S <mss 1>", "+0 < S <mss 2>", "+0 < S <mss 1 len 4>", "+0 > S <!mss>", "+0 < S <FO>", "+0 < S <FO 01>",
        "+0 < S <FO 02>", "+0 < S <kind 254>", "+0 < S <FOEXP>", "+0 < S <kind 2>", "+0 < [ect0] S", "+0 < [ect1] S", "+0 < [tos 1] S",
        "+0 < [ttl 1] S", "+0 < [flowlabel 1] S", "+0 < S with doff 5", "+0 < S with doff 6", "+0 < S with checksum bad",
        "+0 < S with checksum 1", "+0 < S with ip.src \"192.0.2.1\"", "+0 < S with ip.src \"192.0.2.2\"", "+0 < S with payload \"a\"",
        "+0 < S with payload \"b\"", "+0 < S with payload fill 1", "+0 > S at $t", "+0 > S at $u", "+0 < raw 00", "+0 < raw 01",
        "+0 < icmp unreachable", "+0 < icmp redirect", "+0 < icmp unreachable frag_needed", "+0 < icmp unreachable mtu 1",
        "+0 < icmp unreachable id 1", "+0 < icmp unreachable [0:0(0)]", "+0 < udp (1)", "+0 < gre: S", "+0 < icmp unreachable [udp (1)]",
        "+0 close(3)", "+0 close(3) = 0", "+0 close(4) = 0", "+0 close(3, 3) = 0", "+0 listen(3) = 0", "+0 close(3) = ...",
        "+0 close(3) = -1 EAGAIN", "+0 close(3) = -1 EBADF", "+0 close(3) = 0 (a)", "+0 close(3) = 0 (b)", "+0...+1 close(3) = 0",
        "+0 close(A) = 0", "+0 close(B) = 0", "+0 close(0.5) = 0", "+0 close([]) = 0", "+0 close({}) = 0", "+0 close(a=1) = 0", "+0 close(a(1)=1) = 0",
        "+0 close(\"a\") = 0", "+0 close(\"a\"...) = 0", "+0 close(@b) = 0", "`a`", "`b`", "%{a}%",
    };
    static const char *const front[] = {
        "//: purpose p", "//: covers A", "//: covers A B", "//: level MUST", "//: needs icmp", "//: killed-by x", "//: profile quick", "//: ip 4",
        "//: ip 6", "//: setting a b", "//: setting a c", "//: isn 0", "//: isn 1", "//: patience 1s", "//: tolerance 1s", "//: endpoint b address 2",
        "//: endpoint b to 2", "//: preamble", "//: body", "each $n in 1", "each $n in 2", "each $n in S", "each $n in \"a\"", "each $n in 1, 2",
        "each $m in 1", "--mtu=5", "--mtu=6", "//: body\n//: covers A",
    };
    enum { ALL = ARRAY_LEN(steps) + ARRAY_LEN(front) };
    struct scenario *all[ALL];
    (void)state;
    for (unsigned i = 0; i < ALL; i++) {
        all[i] = parse_portable(i < ARRAY_LEN(steps) ? steps[i] : front[i - ARRAY_LEN(steps)]);
        for (unsigned j = 0; j <= i; j++)
            if (scn_equal(all[i], all[j]) != (i == j))
                fail_msg("%s and %s", i < ARRAY_LEN(steps) ? steps[i] : front[i - ARRAY_LEN(steps)],
                         j < ARRAY_LEN(steps) ? steps[j] : front[j - ARRAY_LEN(steps)]);
    }
    for (unsigned i = 0; i < ALL; i++)
        scn_free(all[i]);
}

static void equality_does_not_see_places_and_spelling(void **state)
{
    static const char *const pairs[][2] = {
        { "+0 < S 0:0(0) win 16\n", "\n\n+0.000 <   S 0x0:0x0(0x0) win 0x10 // comment\n" },
        { "let $x = 1\nlet $y = $x\n", "let $x = (1)\nlet $y = ($x)\n" },
        { "state LISTEN or CLOSED\n", "state closed or LISTEN\n" },
        { "//: endpoint b\n", "" },
        { "+0 write(3, \"ab\", 2) = 2", "+0 write(3, \"a\" \"\\x62\", 2) = 2" },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
        struct scenario *a = parse_portable(pairs[i][0]), *b = parse_portable(pairs[i][1]);
        if (!scn_equal(a, b))
            fail_msg("%s is not %s", pairs[i][0], pairs[i][1]);
        scn_free(a);
        scn_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_scenarios_print_as_themselves),
        cmocka_unit_test(random_scenarios_differ),
        cmocka_unit_test(the_canonical_form_of_a_step),
        cmocka_unit_test(a_packet_prints_alone_and_into_little_room),
        cmocka_unit_test(equality_sees_each_difference),
        cmocka_unit_test(equality_does_not_see_places_and_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The player against a puppet: what each construct of the language does when it is run, and what is said when it is not met. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "engine/runner/test/puppet.h"

#define FRONT "//: title t\n//: covers RFC9293:MUST-40\n//: ip 4\n//: isn 1000\n"
#define MS INT64_C(1000000)

static const struct puppet_script silent = {0};

/* Answers everything with one pure ACK after a delay kept in these. */
static int64_t answer_delay_ns;
static uint16_t answer_flags;
static int32_t answer_ack_offset;

static void answer(struct puppet *p, const struct packet *packet)
{
    const struct pkt_tcp *t = &packet->tcp;
    struct pkt_spec spec = {.seq = 5000, .ack = t->seq + pkt_seg_len(t) + (uint32_t)answer_ack_offset, .flags = answer_flags, .window = 1000};
    puppet_emit(p, packet, spec, answer_delay_ns);
}
static const struct puppet_script answering = {.on_packet = answer};

static void answer_with(uint16_t flags, int64_t delay_ns, int32_t ack_offset)
{
    answer_flags = flags;
    answer_delay_ns = delay_ns;
    answer_ack_offset = ack_offset;
}

#define assert_verdict(played, wanted) \
    do { \
        if ((played).verdict != (wanted)) \
            fail_msg("verdict %s, not %s: %s\n%s", verdict_text((played).verdict), verdict_text(wanted), (played).reason, (played).trace); \
    } while (0)

/* ---- expectations and time */

static void an_expected_segment_in_time_passes(void **state)
{
    (void)state;
    answer_with(PKT_SYN | PKT_ACK, 0, 0);
    struct played p = puppet_play(FRONT "0 < S 0:0(0) win 100\n+0 > S. 0:0(0) ack 1\n", &answering);
    assert_verdict(p, VERDICT_PASS);
    assert_int_equal(p.findings, 0);
}

static void a_segment_after_its_bound_is_late_and_says_when(void **state)
{
    (void)state;
    answer_with(PKT_SYN | PKT_ACK, 612 * MS, 0);
    struct played p = puppet_play(FRONT "0 < S 0:0(0) win 100\n+0~+.5 > S. 0:0(0) ack 1\n", &answering);
    assert_verdict(p, VERDICT_FAIL);
    assert_non_null(strstr(p.reason, "too late"));
    assert_non_null(strstr(p.reason, "+0.612"));
    assert_string_equal(p.requirement, "RFC9293:MUST-40");
}

static void a_segment_before_its_bound_is_early(void **state)
{
    (void)state;
    answer_with(PKT_SYN | PKT_ACK, 500 * MS, 0);
    struct played p = puppet_play(FRONT "0 < S 0:0(0) win 100\n+1~+3 > S. 0:0(0) ack 1\n", &answering);
    assert_verdict(p, VERDICT_FAIL);
    assert_non_null(strstr(p.reason, "too early"));
}

static void the_bounds_themselves_are_in_time(void **state)
{
    (void)state;
    static const struct { int64_t delay_ms; enum verdict verdict; } rows[] = {
        {999, VERDICT_FAIL}, {1000, VERDICT_PASS}, {3000, VERDICT_PASS}, {3001, VERDICT_FAIL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        answer_with(PKT_SYN | PKT_ACK, rows[i].delay_ms * MS, 0);
        struct played p = puppet_play(FRONT "0 < S 0:0(0) win 100\n+1~+3 > S. 0:0(0) ack 1\n", &answering);
        assert_verdict(p, rows[i].verdict);
    }
}

static void an_absent_segment_fails_and_the_closest_is_named(void **state)
{
    (void)state;
    answer_with(PKT_SYN | PKT_ACK, 0, 1);
    struct played p = puppet_play(FRONT "0 < S 0:0(0) win 100\n+0 > S. 0:0(0) ack 1\n", &answering);
    assert_verdict(p, VERDICT_FAIL);
    assert_non_null(strstr(p.reason, "ack: expected 1, was 2"));
    assert_non_null(strstr(p.reason, "link alive"));
}

static void silence_of_a_dead_host_is_inconclusive(void **state)
{
    (void)state;
    struct puppet_script dead = {.deaf_to_echo = true};
    struct played p = puppet_play(FRONT "0 < S 0:0(0) win 100\n+0 > S. 0:0(0) ack 1\n", &dead);
    assert_verdict(p, VERDICT_INCONCLUSIVE);
}

static void other_segments_are_passed_over_only_in_portable_scenarios(void **state)
{
    (void)state;
    struct played portable = puppet_play(FRONT "0 < S 0:0(0) win 100\n+0 > S. 0:0(0) ack 1\n+0 < P. 1:11(10) ack 1 win 100\n"
                                               "+0 > S. 0:0(0) ack 12\n",
                                         &answering);
    (void)portable;
    answer_with(PKT_SYN | PKT_ACK, 0, 0);
    struct played strict = puppet_play("0 < S 0:0(0) win 100\n+0 > . 1:1(0) ack 1\n", &answering);
    assert_verdict(strict, VERDICT_FAIL);
    assert_non_null(strstr(strict.reason, "flags: expected ., was S."));
    assert_int_equal(strict.duration_ns, 0); /* no waiting for another */
}

/* ---- numbers */

static void numbers_are_relative_also_across_the_wrap(void **state)
{
    (void)state;
    answer_with(PKT_SYN | PKT_ACK, 0, 0);
    struct played p = puppet_play("//: title t\n//: ip 4\n//: isn 4294967295\n0 < S 0:0(0) win 100\n+0 > S. 0:0(0) ack 1\n"
                                  "+0 < . 1:1(0) ack 1 win 100\n",
                                  &answering);
    assert_verdict(p, VERDICT_PASS);
    struct packet last;
    assert_int_equal(pkt_parse(p.last_sent, p.last_sent_len, &last), PKT_OK);
    assert_int_equal(last.tcp.seq, 0);
    assert_int_equal(last.tcp.ack, 5001);
}

static void captures_bind_once_and_compare_afterwards(void **state)
{
    (void)state;
    answer_with(PKT_SYN | PKT_ACK, 0, 0);
    struct played p =
        puppet_play(FRONT "0 < S 0:0(0) win 100\n+0 > S. 0:0(0) ack $a win $w at $t\nassert $a == 1 && $w == 1000 && $t == 0\n"
                          "assert iss() == 5000 && irs() == 1000\n+0 < S 0:0(0) win 100\n+0 > S. 0:0(0) ack $a win $w\n",
                    &answering);
    assert_verdict(p, VERDICT_PASS);
    p = puppet_play(FRONT "0 < S 0:0(0) win 100\n+0 > S. 0:0(0) win $w\nassert $w == 999 \"the window\"\n", &answering);
    assert_verdict(p, VERDICT_FAIL);
    assert_non_null(strstr(p.reason, "the window"));
    assert_non_null(strstr(p.reason, "1000 and 999"));
}

static void what_an_injection_leaves_out_is_filled_in_as_a_peer_would(void **state)
{
    (void)state;
    answer_with(PKT_SYN | PKT_ACK, 0, 0);
    struct played p = puppet_play(FRONT "0 < S\n+0 > S. 0:0(0) ack 1\n+0 < .\n", &answering);
    assert_verdict(p, VERDICT_PASS);
    struct packet last;
    pkt_parse(p.last_sent, p.last_sent_len, &last);
    assert_int_equal(last.tcp.seq, 1001);
    assert_int_equal(last.tcp.ack, 5001);
    assert_int_equal(last.tcp.window, 65535);
}

/* ---- verdicts */

static void a_preamble_unmet_is_inconclusive_and_a_postamble_unmet_is_noted(void **state)
{
    (void)state;
    struct played p = puppet_play(FRONT "//: preamble\n0 < S 0:0(0)\n+0 > S. 0:0(0) ack 1\n//: body\n", &silent);
    assert_verdict(p, VERDICT_INCONCLUSIVE);
    p = puppet_play(FRONT "//: body\n0 < S 0:0(0)\n//: postamble\n+0 > S. 0:0(0) ack 1\n", &silent);
    assert_verdict(p, VERDICT_PASS);
    assert_int_equal(p.findings, 0);
}

static void a_should_not_followed_is_a_deviation_and_fails_when_strict(void **state)
{
    (void)state;
    const char *text = "//: title t\n//: covers RFC9293:SHLD-18\n//: ip 4\n0 < S 0:0(0)\n+0 > S. 0:0(0) ack 1\n";
    struct played p = puppet_play(text, &silent);
    assert_verdict(p, VERDICT_PASS);
    assert_int_equal(p.findings, 1);
    assert_int_equal(p.level, LEVEL_SHOULD);
    p = puppet_play_variant(text, 0, true, &silent);
    assert_verdict(p, VERDICT_FAIL);
}

static void a_directive_charges_failures_to_another_requirement(void **state)
{
    (void)state;
    struct played p =
        puppet_play(FRONT "//: covers RFC9293:MUST-2\n0 < S 0:0(0)\n//: covers RFC9293:MUST-3\n+0 > S. 0:0(0) ack 1\n", &silent);
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.requirement, "RFC9293:MUST-3");
}

static void answer_badly(struct puppet *p, const struct packet *packet)
{
    struct pkt_spec spec = {.seq = 5000, .ack = packet->tcp.seq + 1, .flags = PKT_SYN | PKT_ACK, .overrides = PKT_SPOIL_CHECKSUM};
    puppet_emit(p, packet, spec, 0);
}

static void a_wrong_checksum_of_the_iut_fails_whatever_is_tested(void **state)
{
    (void)state;
    struct puppet_script script = {.on_packet = answer_badly};
    struct played p = puppet_play(FRONT "//: preamble\n0 < S 0:0(0)\n+0 > S. 0:0(0) ack 1\n", &script);
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.requirement, "RFC9293:MUST-2");
}

static void answer_from_elsewhere(struct puppet *p, const struct packet *packet)
{
    struct pkt_spec spec = {.seq = 5000, .ack = packet->tcp.seq + 1, .flags = PKT_SYN | PKT_ACK, .src = packet->ip.dst, .dst = packet->ip.src};
    spec.src.bytes[3]++;
    puppet_emit(p, packet, spec, 0);
}

static void another_source_address_fails_whatever_is_tested(void **state)
{
    (void)state;
    struct puppet_script script = {.on_packet = answer_from_elsewhere};
    struct played p = puppet_play(FRONT "//: preamble\n0 < S 0:0(0)\n+0 > S. 0:0(0) ack 1\n", &script);
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.requirement, "RFC9293:MUST-45");
}

/* ---- never, either, gather, repeat, fence, link */

static void never_with_a_span_waits_for_its_end(void **state)
{
    (void)state;
    struct played p = puppet_play(FRONT "0 < S 0:0(0)\n+0~+2 never > any\n", &silent);
    assert_verdict(p, VERDICT_PASS);
    assert_int_equal(p.duration_ns, 2000 * MS);
    answer_with(PKT_RST | PKT_ACK, 1999 * MS, 0);
    p = puppet_play(FRONT "0 < S 0:0(0)\n+0~+2 never > R.\n", &answering);
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.rule, "never");
    answer_with(PKT_RST | PKT_ACK, 2001 * MS, 0);
    p = puppet_play(FRONT "0 < S 0:0(0)\n+0~+2 never > R.\n", &answering);
    assert_verdict(p, VERDICT_PASS);
}

static void never_with_a_block_holds_only_inside_it(void **state)
{
    (void)state;
    answer_with(PKT_RST | PKT_ACK, 0, 0);
    struct played p = puppet_play(FRONT "never > R. { +0 < S 0:0(0)\n fence }\n", &answering);
    assert_verdict(p, VERDICT_FAIL);
    p = puppet_play(FRONT "never > R. { fence }\n+0 < S 0:0(0)\n+0 > R. 0:0(0)\n", &answering);
    assert_verdict(p, VERDICT_FAIL); /* the RST carries 5000: absolute, for its ISS is unknown */
    p = puppet_play(FRONT "never > R. { fence }\n+0 < S 0:0(0)\n+0 > R. 5000:5000(0) ack 1\n", &answering);
    assert_verdict(p, VERDICT_PASS);
}

static void either_takes_the_branch_whose_first_step_comes_true(void **state)
{
    (void)state;
    const char *text =
        FRONT "0 < S 0:0(0)\neither { +0 > R.\n let $x = 1 } or { +0 > S.\n let $x = 2 } or { +0~+1 never > any\n let $x = 3 }\n"
                             "assert $x == 2 \"branch\"\n";
    answer_with(PKT_SYN | PKT_ACK, 0, 0);
    assert_verdict(puppet_play(text, &answering), VERDICT_PASS);
    struct played p = puppet_play(text, &silent);
    assert_verdict(p, VERDICT_FAIL);
    assert_non_null(strstr(p.reason, "3 and 2"));
}

static void an_empty_branch_is_taken_when_the_others_ran_out(void **state)
{
    (void)state;
    struct played p = puppet_play(FRONT "0 < S 0:0(0)\neither { +0 > R. } or { }\n+0 < S 0:0(0)\n", &silent);
    assert_verdict(p, VERDICT_PASS);
    assert_int_equal(p.sent_count, 2);
    p = puppet_play(FRONT "0 < S 0:0(0)\neither { +0 > R. } or { +0 > S. }\n", &silent);
    assert_verdict(p, VERDICT_FAIL);
}

static void emit_data(struct puppet *p, const struct packet *packet, uint32_t seq, const char *data, uint16_t flags, int64_t delay)
{
    struct pkt_spec spec = {.seq = seq, .ack = packet->tcp.seq + 1, .flags = flags, .payload = (const uint8_t *)data, .payload_len = (uint32_t)strlen(data)};
    puppet_emit(p, packet, spec, delay);
}

static void send_in_pieces(struct puppet *p, const struct packet *packet)
{
    if (!(packet->tcp.flags & PKT_SYN))
        return;
    struct pkt_spec syn_ack = {.seq = 5000, .ack = packet->tcp.seq + 1, .flags = PKT_SYN | PKT_ACK};
    puppet_emit(p, packet, syn_ack, 0);
    emit_data(p, packet, 5004, "def", PKT_ACK, 10 * MS);
    emit_data(p, packet, 5001, "abc", PKT_ACK, 20 * MS);
    emit_data(p, packet, 5007, "ghi", PKT_ACK | PKT_FIN, 30 * MS);
}

static void gather_wants_all_octets_and_leaves_the_last_segment(void **state)
{
    (void)state;
    struct puppet_script script = {.on_packet = send_in_pieces};
    struct played p = puppet_play(FRONT "0 < S\n+0 > S.\n+0~+1 gather 1:10\n+0 > F. 7:10(3)\n", &script);
    assert_verdict(p, VERDICT_PASS);
    p = puppet_play(FRONT "0 < S\n+0 > S.\n+0~+1 gather 1:11\n", &script); /* the FIN has a number too */
    assert_verdict(p, VERDICT_PASS);
    p = puppet_play(FRONT "0 < S\n+0 > S.\n+0~+1 gather 1:12\n", &script);
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.rule, "gather");
}

static void repeat_gives_each_round_its_number(void **state)
{
    (void)state;
    struct played p = puppet_play(FRONT "repeat 3 $i { +0 < @flood[$i] S 0:0(0) win 10 + $i }\nassert $i == 2\n", &silent);
    assert_verdict(p, VERDICT_PASS);
    assert_int_equal(p.sent_count, 3);
    struct packet last;
    pkt_parse(p.last_sent, p.last_sent_len, &last);
    assert_int_equal(last.tcp.window, 12);
    assert_int_equal(last.tcp.src_port, 20483); /* @a has the first port */
    assert_verdict(puppet_play(FRONT "repeat 0 { +0 < S }\n", &silent), VERDICT_PASS);
}

static void the_link_drops_doubles_delays_and_swaps(void **state)
{
    (void)state;
    struct played p = puppet_play(FRONT "link drop < 2\n0 < S\n+0 < S\n+0 < S\n", &silent);
    assert_int_equal(p.sent_count, 2);
    assert_non_null(strstr(p.trace, "dropped"));
    p = puppet_play(FRONT "link duplicate < 1\n0 < S\n+0 < S\n", &silent);
    assert_int_equal(p.sent_count, 3);
    p = puppet_play(FRONT "link reorder < 1\n0 < S win 1\n+0 < S win 2\n", &silent);
    struct packet last;
    pkt_parse(p.last_sent, p.last_sent_len, &last);
    assert_int_equal(last.tcp.window, 1);
    answer_with(PKT_SYN | PKT_ACK, 0, 0);
    p = puppet_play(FRONT "link delay > 1 300ms\n0 < S\n+.3 > S.\n", &answering);
    assert_verdict(p, VERDICT_PASS);
    p = puppet_play(FRONT "link drop > 1\n0 < S\n+0 > S.\n", &answering);
    assert_verdict(p, VERDICT_FAIL);
}

static void a_new_incarnation_counts_from_its_own_syn(void **state)
{
    (void)state;
    answer_with(PKT_SYN | PKT_ACK, 0, 0);
    struct played p = puppet_play(
        FRONT "0 < S 0:0(0)\n+0 > S. 0:0(0) ack 1\nincarnation\n+0 < S 50000:50000(0)\n+0 > S. 0:0(0) ack 1\n", &answering);
    assert_verdict(p, VERDICT_PASS);
    struct packet last;
    pkt_parse(p.last_sent, p.last_sent_len, &last);
    assert_int_equal(last.tcp.seq, 51000);
}

/* ---- malformed on purpose */

static void overrides_reach_the_wire(void **state)
{
    (void)state;
    struct packet last;
    struct played p = puppet_play(
        FRONT "0 < S 0:0(0) win 5 <mss 1460, wscale 7, nop> with checksum bad, reserved 5, doff 7, ip.ttl 3\n", &silent);
    pkt_parse(p.last_sent, p.last_sent_len, &last);
    assert_false(last.tcp.checksum_ok);
    assert_int_equal(last.tcp.data_offset, 7);
    assert_int_equal(last.tcp.flags, PKT_SYN | 0x500);
    assert_int_equal(last.ip.ttl, 3);
    p = puppet_play(FRONT "0 < S 0:0(0) <mss 1460 len 0>\n", &silent);
    pkt_parse(p.last_sent, p.last_sent_len, &last);
    assert_int_equal(last.tcp.options[1], 0);
    p = puppet_play(FRONT "0 < P. 1:101(100) ack 1 with fragment 64\n", &silent);
    assert_true(p.sent_count > 1);
    p = puppet_play(FRONT "0 < S 0:0(0) with truncate 30\n", &silent);
    assert_int_equal(p.last_sent_len, 30);
    p = puppet_play(FRONT "0 < raw 4500\n", &silent);
    assert_int_equal(p.last_sent_len, 2);
}

/* ---- calls */

static int64_t scripted_call(struct puppet *p, const char *name, int handle)
{
    (void)handle;
    if (!strcmp(name, "accept"))
        return p->sent_count >= 2 ? 9 : -EAGAIN;
    if (!strcmp(name, "read"))
        return p->read_len ? (int64_t)p->read_len : -EAGAIN;
    if (!strcmp(name, "shutdown"))
        return -ENOTCONN;
    return 0;
}

static void a_call_that_cannot_return_stays_pending_while_the_scenario_goes_on(void **state)
{
    (void)state;
    struct puppet_script script = {.on_call = scripted_call};
    struct played p = puppet_play(
        FRONT "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 accept(3, ..., ...) = 4\n+0 < S\n+0 < .\n+0 close(4) = 0\n",
        &script);
    assert_verdict(p, VERDICT_PASS);
    p = puppet_play(FRONT "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 accept(3, ..., ...) = 4\n+0 < S\n+0 close(4) = 0\n",
                    &script);
    assert_verdict(p, VERDICT_FAIL);
    assert_non_null(strstr(p.reason, "did not return"));
}

static void results_of_calls_are_compared(void **state)
{
    (void)state;
    struct puppet_script script = {.on_call = scripted_call};
    const char *socket = FRONT "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n";
    static const struct { const char *step; enum verdict verdict; } rows[] = {
        {"+0 shutdown(3, SHUT_WR) = -1 ENOTCONN (Transport endpoint is not connected)\n", VERDICT_PASS},
        {"+0 shutdown(3, SHUT_WR) = -1 EPIPE (Broken pipe)\n", VERDICT_FAIL},
        {"+0 shutdown(3, SHUT_WR) = 0\n", VERDICT_FAIL},
        {"+0 listen(3, 1) = 0\n", VERDICT_PASS},
        {"+0 listen(3, 1) = -1 EADDRINUSE (Address already in use)\n", VERDICT_FAIL},
        {"+0 close(7) = 0\n", VERDICT_ERROR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        snprintf(text, sizeof text, "%s%s", socket, rows[i].step);
        assert_verdict(puppet_play(text, &script), rows[i].verdict);
    }
}

static void packetdrill_scripts_without_front_matter_use_isn_zero(void **state)
{
    (void)state;
    answer_with(PKT_SYN | PKT_ACK, 0, 0);
    struct played p = puppet_play("0 < S 0:0(0) win 100\n+0 > S. 0:0(0) ack 1 win 1000\n", &answering);
    assert_verdict(p, VERDICT_PASS);
    struct packet last;
    pkt_parse(p.last_sent, p.last_sent_len, &last);
    assert_int_equal(last.tcp.seq, 0);
}

static void state_is_compared_where_the_target_reveals_it(void **state)
{
    (void)state;
    struct puppet_script established = {.state = TCP_STATE_ESTABLISHED};
    assert_verdict(puppet_play(FRONT "0 < S\n+0 state ESTABLISHED or CLOSE-WAIT\n", &established), VERDICT_PASS);
    struct played p = puppet_play(FRONT "0 < S\n+0 state LISTEN\n", &established);
    assert_verdict(p, VERDICT_FAIL);
    assert_non_null(strstr(p.reason, "ESTABLISHED"));
    established.capabilities_off = TARGET_STATUS;
    assert_verdict(puppet_play(FRONT "0 < S\n+0 state LISTEN\n", &established), VERDICT_PASS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expected_segment_in_time_passes),
        cmocka_unit_test(a_segment_after_its_bound_is_late_and_says_when),
        cmocka_unit_test(a_segment_before_its_bound_is_early),
        cmocka_unit_test(the_bounds_themselves_are_in_time),
        cmocka_unit_test(an_absent_segment_fails_and_the_closest_is_named),
        cmocka_unit_test(silence_of_a_dead_host_is_inconclusive),
        cmocka_unit_test(other_segments_are_passed_over_only_in_portable_scenarios),
        cmocka_unit_test(numbers_are_relative_also_across_the_wrap),
        cmocka_unit_test(captures_bind_once_and_compare_afterwards),
        cmocka_unit_test(what_an_injection_leaves_out_is_filled_in_as_a_peer_would),
        cmocka_unit_test(a_preamble_unmet_is_inconclusive_and_a_postamble_unmet_is_noted),
        cmocka_unit_test(a_should_not_followed_is_a_deviation_and_fails_when_strict),
        cmocka_unit_test(a_directive_charges_failures_to_another_requirement),
        cmocka_unit_test(a_wrong_checksum_of_the_iut_fails_whatever_is_tested),
        cmocka_unit_test(another_source_address_fails_whatever_is_tested),
        cmocka_unit_test(never_with_a_span_waits_for_its_end),
        cmocka_unit_test(never_with_a_block_holds_only_inside_it),
        cmocka_unit_test(either_takes_the_branch_whose_first_step_comes_true),
        cmocka_unit_test(an_empty_branch_is_taken_when_the_others_ran_out),
        cmocka_unit_test(gather_wants_all_octets_and_leaves_the_last_segment),
        cmocka_unit_test(repeat_gives_each_round_its_number),
        cmocka_unit_test(the_link_drops_doubles_delays_and_swaps),
        cmocka_unit_test(a_new_incarnation_counts_from_its_own_syn),
        cmocka_unit_test(overrides_reach_the_wire),
        cmocka_unit_test(a_call_that_cannot_return_stays_pending_while_the_scenario_goes_on),
        cmocka_unit_test(results_of_calls_are_compared),
        cmocka_unit_test(packetdrill_scripts_without_front_matter_use_isn_zero),
        cmocka_unit_test(state_is_compared_where_the_target_reveals_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The model at a play: a puppet that breaks one rule makes a scenario fail that is content with it; what is judged, in which order,
 * and what is not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "engine/runner/test/puppet.h"

#define FRONT "//: title t\n//: covers RFC9293:MUST-40\n//: ip 4\n//: isn 1000\n"
#define LISTENER "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n"
#define ESTABLISHED LISTENER "+0 < S 0:0(0) win 65535 <mss 1460>\n+0 > S. 0:0(0) ack 1\n+0 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4\n"
#define MS INT64_C(1000000)

/* ---- a TCP of few lines, right but for one fault */

enum fault { RIGHT, ACKS_TOO_MUCH, SHRINKS_ITS_WINDOW, SILENT_TO_SYN, SILENT_TO_DATA, SILENT_OUTSIDE, SILENT_ON_ABORT };
static enum fault fault;
enum { ISS = 5000, WINDOW = 60000 };
static uint32_t rcv_nxt;
static unsigned windows_sent;
static struct packet last_packet;   /* whom to answer when the application acts */
static uint8_t last_bytes[2048];

static void send_ack(struct puppet *p, const struct packet *packet, uint32_t ack)
{
    uint16_t window = (uint16_t)(fault == SHRINKS_ITS_WINDOW ? WINDOW - 1000 * ++windows_sent : WINDOW);
    puppet_emit(p, packet, (struct pkt_spec){.seq = ISS + 1, .ack = ack, .flags = PKT_ACK, .window = window}, 0);
}

static void arrive(struct puppet *p, const struct packet *packet)
{
    const struct pkt_tcp *t = &packet->tcp;
    uint8_t options[] = {2, 4, 5, 180};
    memcpy(last_bytes, packet->bytes, packet->len);
    pkt_parse(last_bytes, packet->len, &last_packet);
    if (!t->checksum_ok || (t->flags & PKT_RST))
        return;
    if (t->flags & PKT_SYN) {
        rcv_nxt = t->seq + 1;
        if (fault != SILENT_TO_SYN)
            puppet_emit(p, packet, (struct pkt_spec){.seq = ISS, .ack = rcv_nxt, .flags = PKT_SYN | PKT_ACK, .window = WINDOW,
                                                     .options = options, .options_len = sizeof options}, 0);
    } else if (t->seq != rcv_nxt) {
        if (fault != SILENT_OUTSIDE)
            send_ack(p, packet, rcv_nxt);
    } else if (pkt_seg_len(t)) {
        rcv_nxt += pkt_seg_len(t);
        if (fault != SILENT_TO_DATA)
            send_ack(p, packet, rcv_nxt + (fault == ACKS_TOO_MUCH ? 100 : 0));
    }
}

static int64_t act(struct puppet *p, const char *call, int handle)
{
    static bool lingers_not;
    if (!strcmp(call, "socket"))
        return lingers_not = false;
    if (!strcmp(call, "accept"))
        return 4;
    if (!strcmp(call, "read"))
        return -EAGAIN;
    if (!strcmp(call, "SO_LINGER"))
        lingers_not = true;
    if (!strcmp(call, "close") && handle == 4) {
        uint16_t flags = lingers_not ? PKT_RST | PKT_ACK : PKT_FIN | PKT_ACK;
        if (fault != SILENT_ON_ABORT)
            puppet_emit(p, &last_packet, (struct pkt_spec){.seq = ISS + 1, .ack = rcv_nxt, .flags = flags, .window = WINDOW}, 0);
    }
    return 0;
}

static const struct puppet_script tcp = {.on_packet = arrive, .on_call = act, .capabilities_off = TARGET_STATUS};

static struct played judged(enum fault with, const char *text)
{
    fault = with;
    windows_sent = 0;
    return puppet_play_judged(text, false, &tcp);
}

#define assert_verdict(played, wanted) \
    do { \
        if ((played).verdict != (wanted)) \
            fail_msg("verdict %s, not %s: %s\n%s", verdict_text((played).verdict), verdict_text(wanted), (played).reason, (played).trace); \
    } while (0)

#define assert_clean(played) \
    do { \
        assert_verdict(played, VERDICT_PASS); \
        if ((played).findings) \
            fail_msg("finding: %s\n%s", (played).rule, (played).trace); \
    } while (0)

/* ---- what a finding does to a play */

static const char data[] = FRONT ESTABLISHED "+0 < P. 1:11(10) ack 1 win 65535\n* > .\n";

static void a_conforming_stack_has_no_finding(void **state)
{
    (void)state;
    struct played p = judged(RIGHT, data);
    assert_clean(p);
    assert_true(p.rules_tested > 0);
}

static void a_rule_broken_fails_a_scenario_that_is_content(void **state)
{
    (void)state;
    struct played p = judged(ACKS_TOO_MUCH, data);
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.rule, "ack-of-what-was-not-received");
    assert_string_equal(p.requirement, "RFC9293:3.4-c");
    assert_int_equal(p.segment, 5);
    assert_non_null(strstr(p.reason, "the model"));
    assert_non_null(strstr(p.reason, "rule ack-of-what-was-not-received, RFC9293:3.4-c"));
    assert_non_null(strstr(p.trace, "note  the model, segment 5: "));
}

static void who_is_not_judged_passes(void **state)
{
    (void)state;
    struct played p =
        judged(ACKS_TOO_MUCH, FRONT "//: judge off \"it is meant to\"\n" ESTABLISHED "+0 < P. 1:11(10) ack 1 win 65535\n* > .\n");
    assert_clean(p);
    assert_int_equal(p.rules_tested, 0);
    p = puppet_play(data, &tcp); /* as with --no-model */
    assert_clean(p);
    assert_int_equal(p.rules_tested, 0);
}

static void a_should_of_the_model_is_a_deviation_and_fails_when_strict(void **state)
{
    (void)state;
    struct played p = judged(SHRINKS_ITS_WINDOW, data);
    assert_verdict(p, VERDICT_PASS);
    assert_int_equal(p.findings, 1);
    assert_string_equal(p.rule, "window-shrunk");
    assert_string_equal(p.requirement, "RFC9293:SHLD-14");
    assert_int_equal(p.level, LEVEL_SHOULD_NOT);
    windows_sent = 0;
    p = puppet_play_judged(data, true, &tcp);
    assert_verdict(p, VERDICT_FAIL);
    assert_non_null(strstr(p.reason, "window-shrunk"));
}

static void a_violation_wins_over_everything_but_error(void **state)
{
    (void)state;
    static const struct { const char *rest; enum verdict right, wrong; const char *rule; } rows[] = {
        {"+0 < P. 1:11(10) ack 1 win 65535\n* > R\n//: body\n+0 < .\n", VERDICT_INCONCLUSIVE, VERDICT_FAIL, "ack-of-what-was-not-received"},
        {"+0 < P. 1:11(10) ack 1 win 65535\n* > .\nskip \"not here\"\n", VERDICT_NOT_APPLICABLE, VERDICT_FAIL, "ack-of-what-was-not-received"},
        {"+0 < P. 1:11(10) ack 1 win 65535\n* > .\n+0 write(9, ..., 10) = 10\n", VERDICT_ERROR, VERDICT_ERROR, "ack-of-what-was-not-received"},
        {"//: body\n+0 < P. 1:11(10) ack 1 win 65535\n* > R\n", VERDICT_FAIL, VERDICT_FAIL, "expect"},
    };
    char text[1024];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text, FRONT "//: preamble\n" ESTABLISHED "%s", rows[i].rest);
        struct played p = judged(RIGHT, text);
        assert_verdict(p, rows[i].right);
        p = judged(ACKS_TOO_MUCH, text);
        assert_verdict(p, rows[i].wrong);
        assert_string_equal(p.rule, rows[i].rule);
    }
}

/* ---- what is told, and in which order */

static void outputs_are_judged_before_the_inputs_that_follow(void **state)
{
    (void)state;
    struct played p =
        judged(RIGHT, FRONT ESTABLISHED "+0 < P. 1:11(10) ack 1 win 65535\n+0 < P. 11:21(10) ack 1 win 65535\n+0 < P. 21:31(10)\n"
                                                      "* > . ack 11\n* > . ack 21\n* > . ack 31\n");
    assert_clean(p);
}

static void silence_is_found_on_a_synchronous_link_without_waiting(void **state)
{
    (void)state;
    struct played p = judged(SILENT_OUTSIDE, FRONT ESTABLISHED "+0 < P. 100000:100010(10) ack 1 win 65535\n");
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.rule, "unacceptable-segment-is-acknowledged");
    assert_int_equal(p.duration_ns, 0);
    assert_int_equal(p.segment, 4); /* the one that was not answered */
}

static void an_acknowledgment_may_wait_half_a_second_and_no_play_is_prolonged_for_it(void **state)
{
    (void)state;
    struct played p = judged(SILENT_TO_DATA, FRONT ESTABLISHED "+0 < P. 1:11(10) ack 1 win 65535\n");
    assert_clean(p);
    assert_int_equal(p.duration_ns, 0);
    p = judged(SILENT_TO_DATA, FRONT ESTABLISHED "+0 < P. 1:11(10) ack 1 win 65535\n+2 wait\n");
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.requirement, "RFC9293:MUST-40");
}

static void what_the_link_loses_was_sent_but_not_received(void **state)
{
    (void)state;
    struct played lost_on_the_way_in =
        judged(SILENT_OUTSIDE, FRONT ESTABLISHED "+0 link drop < 1\n+0 < P. 100000:100010(10) ack 1 win 65535\n");
    assert_clean(lost_on_the_way_in);
    struct played lost_on_the_way_out =
        judged(ACKS_TOO_MUCH, FRONT ESTABLISHED "+0 link drop > 1\n+0 < P. 1:11(10) ack 1 win 65535\n");
    assert_verdict(lost_on_the_way_out, VERDICT_FAIL);
    assert_string_equal(lost_on_the_way_out.rule, "ack-of-what-was-not-received");
    struct played answered = judged(RIGHT, FRONT ESTABLISHED "+0 link drop > 1\n+0 < P. 100000:100010(10) ack 1 win 65535\n");
    assert_clean(answered);
}

static void what_does_not_concern_the_stack_is_not_judged(void **state)
{
    (void)state;
    static const char *const injections[] = {
        "< P. 100000:100010(10) ack 1 win 65535 with checksum bad",
        "< P. 100000:100010(10) ack 1 win 65535 with ip.checksum bad",
        "< P. 100000:100010(10) ack 1 win 65535 with doff 4",
        "< P. 100000:100010(10) ack 1 win 65535 with ip.proto 17",
        "< P. 100000:100010(10) ack 1 win 65535 with ip.src \"203.0.113.9\"", /* the answer would not come here */
        "< P. 100000:100010(10) ack 1 win 65535 with ip.dst \"224.0.0.1\"",
        "< P. 100000:100010(10) ack 1 win 65535 with sport 9",
    };
    char text[1024];
    for (size_t i = 0; i < sizeof injections / sizeof *injections; i++) {
        snprintf(text, sizeof text, FRONT ESTABLISHED "+0 %s\n", injections[i]);
        assert_clean(judged(SILENT_OUTSIDE, text));
    }
}

static void fragments_are_judged_as_the_whole_that_they_are(void **state)
{
    (void)state;
    struct played p = judged(SILENT_OUTSIDE, FRONT ESTABLISHED "+0 < P. 100000:100100(100) ack 1 win 65535 with fragment 60\n");
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.rule, "unacceptable-segment-is-acknowledged");
}

static void a_listener_that_is_pressed_may_keep_silent(void **state)
{
    (void)state;
    struct played p = judged(SILENT_TO_SYN, FRONT LISTENER "+0 < S 0:0(0) win 65535\n");
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.rule, "syn-in-listen-is-answered");
    fault = RIGHT;
    p = judged(RIGHT, FRONT LISTENER "+0 < S 0:0(0) win 65535\n+0 < @b S 0:0(0) win 65535\n");
    assert_clean(p);
    p = judged(SILENT_TO_SYN, FRONT "//: setting max-syn-backlog 1\n" LISTENER "+0 < S 0:0(0) win 65535\n");
    assert_clean(p);
}

static void calls_are_told_an_abort_is_no_close(void **state)
{
    (void)state;
    static const char close_it[] =
        "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, ...) = 0\n+0 close(4) = 0\n+1 wait\n";
    char text[1024];
    snprintf(text, sizeof text, FRONT ESTABLISHED "%s", close_it);
    assert_clean(judged(RIGHT, text));
    struct played p = judged(SILENT_ON_ABORT, text);
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.rule, "abort-sends-rst");
    snprintf(text, sizeof text, FRONT ESTABLISHED "+0 close(4) = 0\n* > F.\n");
    assert_clean(judged(RIGHT, text));
}

static void without_a_listener_the_port_is_closed(void **state)
{
    (void)state;
    struct played p = judged(RIGHT, FRONT "0 < S 0:0(0) win 65535\n* > S.\n");
    assert_verdict(p, VERDICT_FAIL);
    p = judged(SILENT_TO_SYN, FRONT "0 < S 0:0(0) win 65535\n");
    assert_verdict(p, VERDICT_FAIL);
    assert_string_equal(p.rule, "segment-in-closed-is-reset");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conforming_stack_has_no_finding),
        cmocka_unit_test(a_rule_broken_fails_a_scenario_that_is_content),
        cmocka_unit_test(who_is_not_judged_passes),
        cmocka_unit_test(a_should_of_the_model_is_a_deviation_and_fails_when_strict),
        cmocka_unit_test(a_violation_wins_over_everything_but_error),
        cmocka_unit_test(outputs_are_judged_before_the_inputs_that_follow),
        cmocka_unit_test(silence_is_found_on_a_synchronous_link_without_waiting),
        cmocka_unit_test(an_acknowledgment_may_wait_half_a_second_and_no_play_is_prolonged_for_it),
        cmocka_unit_test(what_the_link_loses_was_sent_but_not_received),
        cmocka_unit_test(what_does_not_concern_the_stack_is_not_judged),
        cmocka_unit_test(fragments_are_judged_as_the_whole_that_they_are),
        cmocka_unit_test(a_listener_that_is_pressed_may_keep_silent),
        cmocka_unit_test(calls_are_told_an_abort_is_no_close),
        cmocka_unit_test(without_a_listener_the_port_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

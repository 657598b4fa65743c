/* The judge of timestamps: where they are, that they run forward, and what they echo. The peer's clock starts just below 2^32. */
#include "engine/model/test/talk.h"

/* TSvals of the peer: 4294967290 and up, wrapping; of the IUT: 500 and up. */
#define OPEN "< S 0 <mss 1460,TS 4294967290 0>", "> S. 0 ack 1 <mss 1460,TS 500 4294967290>", "< . 1 ack 1 <TS 4294967291 500>"

static void the_option_is_where_it_was_agreed_upon(void **state)
{
    static const struct talk_row rows[] = {
        {"in every segment", TALK_SOUND, {OPEN, "> P. 1+10 ack 1 <TS 500 4294967291>"}},
        {"missing in data", RULE_TS_MISSING, {OPEN, "> P. 1+10 ack 1"}},
        {"missing in an ACK", RULE_TS_MISSING, {OPEN, "< P. 1+10 ack 1 <TS 0 500>", "> . 1 ack 11"}},
        {"missing in a RST", RULE_TS_RST, {OPEN, "> R. 1 ack 1"}},
        {"a SYN,ACK without it agrees to nothing", TALK_SOUND, {"< S 0 <TS 9 0>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "> P. 1+10 ack 1"}},
        {"nobody asked", RULE_TS_UNASKED, {"< S 0", "> S. 0 ack 1 <mss 1460,TS 500 0>"}},
        {"the peer did not agree", RULE_TS_UNASKED,
         {"> S 0 <mss 1460,TS 500 0>", "< S. 0 ack 1 <mss 1460>", "> . 1 ack 1 <TS 500 0>"}},
        {"the IUT itself did not agree", RULE_TS_UNASKED,
         {"< S 0 <TS 9 0>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "> P. 1+10 ack 1 <TS 500 9>"}},
        {"a RST may have it, as what it answers", TALK_SOUND, {"< S 0", "> S. 0 ack 1 <mss 1460>", "> R. 1 ack 1 <TS 0 9>"}},
        {"SYNs of the peer that differ leave it open", TALK_SOUND,
         {"< S 0 <TS 9 0>", "< S 0", "> S. 0 ack 1 <mss 1460,TS 500 9>", "< . 1 ack 1", "> P. 1+10 ack 1"}},
        {"a simultaneous open may offer it again", TALK_SOUND,
         {"> S 0 <mss 1460,TS 500 0>", "< S 0", "> S. 0 ack 1 <mss 1460,TS 500 0>"}},
    };
    talk_rows(*state, rows, COUNT(rows));
}

static void the_clock_runs_forward(void **state)
{
    static const struct talk_row rows[] = {
        {"standing still for a moment", TALK_SOUND, {OPEN, "> P. 1+10 ack 1 <TS 501 4294967291>", "> P. 11+10 ack 1 <TS 501 4294967291>"}},
        {"forward", TALK_SOUND, {OPEN, "> P. 1+10 ack 1 <TS 501 4294967291>", "> P. 11+10 ack 1 <TS 502 4294967291>"}},
        {"back by one", RULE_TS_BACKWARD, {OPEN, "> P. 1+10 ack 1 <TS 502 4294967291>", "> P. 11+10 ack 1 <TS 501 4294967291>"}},
        {"a retransmission with the old TSval", RULE_TS_BACKWARD,
         {OPEN, "> P. 1+10 ack 1 <TS 501 4294967291>", "> P. 11+10 ack 1 <TS 502 4294967291>", "+ 300", "> P. 1+10 ack 1 <TS 501 4294967291>"}},
        {"over the wrap", TALK_SOUND,
         {"< S 0 <TS 9 0>", "> S. 0 ack 1 <mss 1460,TS 4294967295 9>", "< . 1 ack 1 <TS 9 4294967295>", "> P. 1+10 ack 1 <TS 0 9>"}},
        {"a SYN cookie hid bits", TALK_SOUND, {OPEN, "> P. 1+10 ack 1 <TS 436 4294967291>"}},
        {"more than they are", RULE_TS_BACKWARD, {OPEN, "> P. 1+10 ack 1 <TS 435 4294967291>"}},
        {"behind the SYN", RULE_TS_BACKWARD,
         {"> S 0 <mss 1460,TS 500 0>", "< S. 0 ack 1 <mss 1460,TS 9 500>", "> . 1 ack 1 <TS 499 9>"}},
        {"a RST may say 0", TALK_SOUND, {OPEN, "> R. 1 ack 1 <TS 0 4294967291>"}},
    };
    talk_rows(*state, rows, COUNT(rows));
}

static void a_server_under_pressure_may_begin_anywhere(void **state)
{
    static const struct talk_row rows[] = {
        {"a cookie", TALK_SOUND, {OPEN, "> P. 1+10 ack 1 <TS 100 4294967291>"}},
        {"but goes on from there", RULE_TS_BACKWARD, {OPEN, "> P. 1+10 ack 1 <TS 100 4294967291>", "> P. 11+10 ack 1 <TS 99 4294967291>"}},
    };
    struct talk *t = *state;
    t->host.pressed = true;
    talk_rows(t, rows, COUNT(rows));
}

static void the_clock_runs_at_all(void **state)
{
    static const struct talk_row rows[] = {
        {"a tick a second is enough", TALK_SOUND,
         {OPEN, "> P. 1+10 ack 1 <TS 501 4294967291>", "< . 1 ack 11 <TS 4294967291 501>", "+ 1000", "> P. 11+10 ack 1 <TS 501 4294967291>"}},
        {"more than two seconds", RULE_TS_FROZEN,
         {OPEN, "> P. 1+10 ack 1 <TS 501 4294967291>", "< . 1 ack 11 <TS 4294967291 501>", "+ 2100", "> P. 11+10 ack 1 <TS 501 4294967291>"}},
    };
    talk_rows(*state, rows, COUNT(rows));
}

static void the_echo_is_ts_recent(void **state)
{
    static const struct talk_row rows[] = {
        {"the last in sequence", TALK_SOUND, {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 5>"}},
        {"never sent", RULE_TS_ECHO, {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 6>"}},
        {"older than the SYN's", RULE_TS_ECHO, {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 4294967289>"}},
        {"stale", RULE_TS_ECHO_STALE, {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 4294967291>"}},
        {"delayed: the earliest not yet acknowledged", TALK_SOUND,
         {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "< P. 11+10 ack 1 <TS 6 500>", "> . 1 ack 21 <TS 501 5>"}},
        {"delayed: not the latest", RULE_TS_ECHO_TOO_NEW,
         {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "< P. 11+10 ack 1 <TS 6 500>", "> . 1 ack 21 <TS 501 6>"}},
        {"out of order: the last in sequence", TALK_SOUND,
         {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 5>", "< P. 21+10 ack 1 <TS 6 500>", "> . 1 ack 11 <TS 501 5>"}},
        {"out of order: not its own", RULE_TS_ECHO_TOO_NEW,
         {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 5>", "< P. 21+10 ack 1 <TS 6 500>", "> . 1 ack 11 <TS 501 6>"}},
        {"the hole is filled", TALK_SOUND,
         {OPEN, "< P. 11+10 ack 1 <TS 5 500>", "> . 1 ack 1 <TS 501 4294967291>", "< P. 1+10 ack 1 <TS 6 500>", "> . 1 ack 21 <TS 501 6>"}},
        {"the hole is filled, and nobody says so", RULE_TS_ECHO_HOLE,
         {OPEN, "< P. 11+10 ack 1 <TS 5 500>", "> . 1 ack 1 <TS 501 4294967291>", "< P. 1+10 ack 1 <TS 6 500>", "> . 1 ack 21 <TS 501 4294967291>"}},
        {"an ACK without text may count or not (RFC 1323)", TALK_SOUND,
         {OPEN, "< . 1 ack 1 <TS 7 500>", "> P. 1+10 ack 1 <TS 501 4294967290>", "> P. 11+10 ack 1 <TS 501 7>"}},
        {"a timestamp too old is not echoed", RULE_TS_ECHO_STALE,
         {OPEN, "< P. 1+10 ack 1 <TS 50 500>", "> . 1 ack 11 <TS 501 50>", "< P. 11+10 ack 1 <TS 40 500>", "> . 1 ack 11 <TS 501 40>"}},
        {"a RST teaches nothing", RULE_TS_ECHO, {OPEN, "< R 200 <TS 99 500>", "> . 1 ack 1 <TS 501 99>"}},
        {"two that may have brought the same octets", TALK_SOUND,
         {OPEN, "< P. 1+10 ack 1 <TS 9 500>", "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 5>"}},
        {"one of them too old", TALK_SOUND,
         {OPEN, "< P. 1+10 ack 1 <TS 4294967280 500>", "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 4294967291>"}},
        {"the earlier of two in sequence, once acknowledged", RULE_TS_ECHO_STALE,
         {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 5>", "< P. 11+10 ack 1 <TS 6 500>", "> . 1 ack 21 <TS 501 5>"}},
        {"a SYN echoes nothing", RULE_TS_SYN_ECHO, {"> S 0 <mss 1460,TS 500 7>"}},
    };
    talk_rows(*state, rows, COUNT(rows));
}

/* On a link where segments may be on their way, an older TSval may be echoed; in a capture nothing but what never was. */
static void elsewhere_the_echo_is_any_of_those_sent(void **state)
{
    static const struct talk_row rows[] = {
        {"older", TALK_SOUND, {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 4294967291>"}},
        {"newer than in sequence", TALK_SOUND, {OPEN, "< P. 11+10 ack 1 <TS 5 500>", "> . 1 ack 1 <TS 501 5>"}},
        {"never sent", RULE_TS_ECHO, {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 6>"}},
    };
    static const struct talk_row far[] = {
        {"a little newer: one was missed", TALK_SOUND, {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 6>"}},
        {"an earlier SYN was missed", TALK_SOUND, {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 4294966000>"}},
        {"far ahead", RULE_TS_ECHO, {OPEN, "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 100000>"}},
    };
    static const struct talk_row captured[] = {
        {"from the middle", TALK_SOUND, {"< P. 1+10 ack 1", "> . 1 ack 11 <TS 500 9>"}},
        {"from the middle: sent before", TALK_SOUND, {"< P. 1+10 ack 1 <TS 9 500>", "> . 1 ack 11 <TS 500 8>"}},
        {"from the middle: not yet sent", RULE_TS_ECHO, {"< P. 1+10 ack 1 <TS 9 500>", "> . 1 ack 11 <TS 500 100000>"}},
    };
    struct talk *t = *state;
    t->host.link = JUDGE_ORDERED;
    talk_rows(t, rows, COUNT(rows));
    talk_again(t);
    t->host.link = JUDGE_LOSSY;
    talk_rows(t, rows, COUNT(rows) - 1);
    talk_rows(t, far, COUNT(far));
    assert_int_equal(talk_finding(t, RULE_TS_ECHO)->needs, JUDGE_NEEDS_COMPLETE);
    talk_rows(t, captured, COUNT(captured));
    assert_int_equal(talk_finding(t, RULE_TS_ECHO)->needs, JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_ORDER);
}

static void a_capture_shows_no_order_of_old_segments(void **state)
{
    static const struct talk_row rows[] = {
        {"an old duplicate", TALK_SOUND,
         {OPEN, "> P. 1+10 ack 1 <TS 501 4294967291>", "> P. 11+10 ack 1 <TS 502 4294967291>", "> P. 1+10 ack 1 <TS 501 4294967291>"}},
        {"new data", RULE_TS_BACKWARD, {OPEN, "> P. 1+10 ack 1 <TS 502 4294967291>", "> P. 11+10 ack 1 <TS 501 4294967291>"}},
        {"a new acknowledgment is the newest for sure", RULE_TS_BACKWARD,
         {OPEN, "> . 1 ack 1 <TS 502 4294967291>", "< P. 1+10 ack 1 <TS 5 500>", "> . 1 ack 11 <TS 501 5>"}},
    };
    struct talk *t = *state;
    t->host.link = JUDGE_LOSSY;
    talk_rows(t, rows, 2);
    assert_int_equal(talk_finding(t, RULE_TS_BACKWARD)->needs, JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_ORDER);
    talk_rows(t, rows + 2, 1);
    assert_int_equal(talk_finding(t, RULE_TS_BACKWARD)->needs, 0);
}

static void a_reset_echoes_what_it_answers(void **state)
{
    static const struct talk_row rows[] = {
        {"it does", TALK_SOUND, {"< P. 1+10 ack 1 <TS 77 0>", "> R 1 <TS 0 77>"}},
        {"it does not", RULE_TS_RST_ECHO, {"< P. 1+10 ack 1 <TS 77 0>", "> R 1 <TS 0 76>"}},
    };
    struct talk *t = *state;
    t->host.application_known = true;
    t->config.states = 1u << TCP_STATE_CLOSED;
    talk_rows(t, rows, COUNT(rows));
}

static int setup(void **state)
{
    *state = talk_new();
    return 0;
}

static int teardown(void **state)
{
    talk_free(*state);
    return 0;
}

/* RFC 7323 §5.3: what is outside the window is rejected (R2) before its timestamp is recorded (R3); so it makes no later one old.
 */
static void outside_the_window_nothing_is_remembered(void **state)
{
    static const struct talk_row rows[] = {
        {"an old segment", TALK_SOUND,
         {OPEN, "< . 0 ack 1 <TS 5000 500>", "> . 1 ack 1 <TS 500 4294967291>", "< . 1+10 ack 1 <TS 4294967292 500>", "> . 1 ack 11 <TS 501 4294967292>"}},
        {"the next one: then the later may be dropped", TALK_SOUND,
         {OPEN, "< . 1 ack 1 <TS 5000 500>", "< . 1+10 ack 1 <TS 4294967292 500>", "> . 1 ack 1 <TS 501 5000>"}},
        {"and is not taken", RULE_ACK_NOT_RECEIVED,
         {OPEN, "< . 1 ack 1 <TS 5000 500>", "< . 1+10 ack 1 <TS 4294967292 500>", "> . 1 ack 11 <TS 501 5000>"}},
    };
    struct talk *t = *state;
    t->config.states = 1u << TCP_STATE_LISTEN;
    talk_rows(t, rows, COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_option_is_where_it_was_agreed_upon, setup, teardown),
        cmocka_unit_test_setup_teardown(the_clock_runs_forward, setup, teardown),
        cmocka_unit_test_setup_teardown(a_server_under_pressure_may_begin_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(the_clock_runs_at_all, setup, teardown),
        cmocka_unit_test_setup_teardown(the_echo_is_ts_recent, setup, teardown),
        cmocka_unit_test_setup_teardown(elsewhere_the_echo_is_any_of_those_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(a_capture_shows_no_order_of_old_segments, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_echoes_what_it_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(outside_the_window_nothing_is_remembered, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

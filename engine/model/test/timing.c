/* The judge on time: retransmission, giving up, probes, keep-alives and the number of ACKs, all in virtual time. */
#include "engine/model/test/talk.h"

#include <errno.h>

static const int64_t ms = 1000000, s = 1000000000;

static struct talk *stack(unsigned state)
{
    struct talk *t = talk_new();
    t->host.application_known = true;
    t->config.states = 1u << state;
    talk_begin(t);
    return t;
}

static void call(struct talk *t, enum judge_call_kind kind, int64_t amount, const char *name)
{
    judge_call(t->judge, &(struct judge_call){.kind = kind, .amount = amount, .name = name}, t->now_ns);
}

static struct talk *established(void)
{
    struct talk *t = stack(TCP_STATE_LISTEN);
    call(t, JUDGE_CALL_LISTEN, 0, NULL);
    talk_open(t, "mss 1460", "mss 1460");
    talk_in(t, ". 1 ack 1");
    call(t, JUDGE_CALL_ACCEPT, 0, NULL);
    return t;
}

static struct talk *connecting(void)
{
    struct talk *t = stack(TCP_STATE_CLOSED);
    call(t, JUDGE_CALL_CONNECT, 0, NULL);
    talk_out(t, "S 0 <mss 1460>");
    return t;
}

static struct talk *half_open(void)
{
    struct talk *t = stack(TCP_STATE_LISTEN);
    call(t, JUDGE_CALL_LISTEN, 0, NULL);
    talk_open(t, "mss 1460", "mss 1460");
    return t;
}

static struct talk *with_data_in_flight(void)
{
    struct talk *t = established();
    call(t, JUDGE_CALL_SEND, 100, NULL);
    talk_out(t, "P. 1+100 ack 1");
    return t;
}

static struct talk *with_fin_in_flight(void)
{
    struct talk *t = established();
    call(t, JUDGE_CALL_SHUTDOWN, 0, NULL);
    talk_out(t, "F. 1 ack 1");
    return t;
}

static struct talk *with_window_closed(void)
{
    struct talk *t = established();
    talk_in(t, ". 1 ack 1 win 0");
    call(t, JUDGE_CALL_SEND, 100, NULL);
    return t;
}

/* Time goes on in steps, as a runner's would, so that every deadline is met, and passed. */
static void pass(struct talk *t, int64_t ns)
{
    int64_t end_ns = t->now_ns + ns;
    for (unsigned turns = 0; judge_deadline(t->judge) < end_ns; turns++) {
        int64_t deadline_ns = judge_deadline(t->judge);
        assert_in_range(turns, 0, 100);
        talk_wait(t, (deadline_ns > t->now_ns ? deadline_ns - t->now_ns : 0) + 1);
    }
    talk_wait(t, end_ns - t->now_ns);
}

/* The line again, that many ms after the time before each. */
static void again(struct talk *t, const char *line, const int *after_ms)
{
    for (; *after_ms; after_ms++) {
        pass(t, *after_ms * ms);
        talk_out(t, line);
    }
}

/* ---- backoff --------------------------------------------------------------------------------------------------------- */

static const struct way { struct talk *(*begin)(void); const char *line; } syn = {connecting, "S 0 <mss 1460>"},
    syn_ack = {half_open, "S. 0 ack 1 <mss 1460>"}, data = {with_data_in_flight, "P. 1+100 ack 1"}, fin = {with_fin_in_flight, "F. 1 ack 1"};

static void intervals_that_are_permitted(void **state)
{
    (void)state;
    static const struct { const struct way *way; int after_ms[12]; } rows[] = {
        {&syn, {1000, 2000, 4000, 8000, 16000, 32000, 64000}},
        {&syn, {3000, 6000, 12000, 24000, 48000, 60000, 60000}},
        {&syn, {1009, 1990, 4015, 7999}},
        {&syn_ack, {1000, 2000, 4000}},
        {&syn_ack, {3000, 6000}},
        {&data, {200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200}},
        {&data, {10, 210, 420, 840}}, /* a tail loss probe comes first */
        {&data, {200, 200, 400, 800}},
        {&data, {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000}},
        {&fin, {300, 600, 1200, 2400}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk *t = rows[i].way->begin();
        again(t, rows[i].way->line, rows[i].after_ms);
        talk_expect_nothing(t);
        assert_true(t->host.coverage.tested[RULE_RTO_BACKOFF] > 0);
        talk_free(t);
    }
}

static void a_timer_that_does_not_back_off_is_found(void **state)
{
    (void)state;
    static const struct { const struct way *way; int after_ms[12]; } rows[] = {
        {&syn, {1000, 1000}}, {&syn, {1000, 2000, 3000}}, {&syn, {3000, 6000, 12000, 12000}}, {&syn_ack, {1000, 1000}},
        {&data, {200, 400, 400}}, {&data, {1000, 1000, 1000}}, {&data, {200, 400, 800, 1200}}, {&fin, {300, 300, 300}},
        {&data, {1000, 2000, 4000, 8000, 16000, 32000, 50000}}, /* capped below 60 s */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk *t = rows[i].way->begin();
        again(t, rows[i].way->line, rows[i].after_ms);
        talk_expect(t, RULE_RTO_BACKOFF);
        assert_string_equal(talk_finding(t, RULE_RTO_BACKOFF)->requirement, "RFC6298:5-f");
        talk_free(t);
    }
}

static void lateness_of_a_coarse_timer_is_forgiven(void **state)
{
    (void)state;
    static const int after_ms[] = {1120, 2000, 4400, 8000, 0};
    struct talk *t = connecting();
    t->host.granularity_permille = 125;
    again(t, syn.line, after_ms);
    talk_expect_nothing(t);
    talk_free(t);

    t = connecting(); /* seen late, but sent earlier */
    talk_wait(t, 1500 * ms);
    t->early_ns = 500 * ms;
    talk_out(t, syn.line);
    talk_wait(t, 1900 * ms);
    t->early_ns = 0;
    talk_out(t, syn.line);
    talk_expect_nothing(t);
    talk_free(t);
}

static void what_comes_in_between_explains_a_retransmission(void **state)
{
    (void)state;
    struct talk *t = with_data_in_flight();
    for (unsigned i = 0; i < 6; i++) {
        talk_wait(t, 300 * ms);
        talk_in(t, ". 1 ack 1"); /* a duplicate ACK */
        talk_out(t, "P. 1+100 ack 1");
    }
    talk_expect_nothing(t);
    assert_int_equal(t->host.coverage.tested[RULE_RTO_BACKOFF], 0);
    talk_free(t);

    t = half_open();
    for (unsigned i = 0; i < 4; i++) {
        talk_wait(t, 100 * ms);
        talk_in(t, "S 0 <mss 1460>");
        talk_out(t, "S. 0 ack 1 <mss 1460>");
    }
    talk_expect_nothing(t);
    talk_free(t);
}

static void a_user_timeout_cuts_the_last_interval_short(void **state)
{
    (void)state;
    static const int after_ms[] = {200, 400, 800, 100, 0};
    struct talk *t = with_data_in_flight();
    call(t, JUDGE_CALL_OPTION, 1500, "TCP_USER_TIMEOUT");
    again(t, data.line, after_ms);
    call(t, JUDGE_CALL_ERROR, ETIMEDOUT, NULL);
    talk_expect_nothing(t);
    talk_free(t);
}

/* ---- the first interval --------------------------------------------------------------------------------------------------- */

static void a_syn_sent_again_too_early_deviates(void **state)
{
    (void)state;
    const struct way *const ways[] = {&syn, &syn_ack};
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct talk *t = ways[i]->begin();
        again(t, ways[i]->line, (const int[]){500, 0});
        talk_expect(t, RULE_RTO_INITIAL);
        assert_int_equal(rule_at(RULE_RTO_INITIAL)->level, LEVEL_SHOULD);
        talk_free(t);
        t = ways[i]->begin();
        t->host.timers_configured = true;
        again(t, ways[i]->line, (const int[]){500, 0});
        talk_expect_nothing(t);
        talk_free(t);
    }
}

static void data_after_a_lost_syn_waits_three_seconds(void **state)
{
    (void)state;
    static const struct { const char *options; int after_ms, tick_ms; bool found; } rows[] = {
        {"mss 1460", 3000, 0, false},
        {"mss 1460", 1000, 0, true},
        {"mss 1460", 2500, 0, true},
        {"mss 1460", 2500, 500, false}, /* the sixth tick of half a second comes early */
        {"mss 1460", 2000, 500, true},
        {"mss 1460,TS 5 0", 1000, 0, false}, /* with timestamps the SYN,ACK gives a measurement */
        {"mss 1460,sackOK", 1000, 0, false}, /* a tail loss probe */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char line[TALK_TEXT_MAX];
        struct talk *t = stack(TCP_STATE_CLOSED);
        if (rows[i].tick_ms)
            t->host.granularity_ns = rows[i].tick_ms * INT64_C(1000000);
        const char *stamp = strstr(rows[i].options, "TS") ? "<TS 6 5>" : "";
        call(t, JUDGE_CALL_CONNECT, 0, NULL);
        snprintf(line, sizeof line, "S 0 <%s>", rows[i].options);
        talk_out(t, line);
        again(t, line, (const int[]){1000, 0});
        snprintf(line, sizeof line, "S. 0 ack 1 <%s>", rows[i].options);
        talk_in(t, line);
        snprintf(line, sizeof line, ". 1 ack 1 %s", stamp);
        talk_out(t, line);
        call(t, JUDGE_CALL_SEND, 100, NULL);
        snprintf(line, sizeof line, "P. 1+100 ack 1 %s", stamp);
        talk_out(t, line);
        again(t, line, (const int[]){rows[i].after_ms, 0});
        if (talk_found(t, RULE_RTO_AFTER_SYN) != rows[i].found)
            fail_msg("row %zu", i);
        talk_free(t);
    }
}

/* ---- silence ---------------------------------------------------------------------------------------------------------------- */

static void what_is_never_sent_again_is_found(void **state)
{
    (void)state;
    const struct way *const ways[] = {&syn, &syn_ack, &data, &fin};
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct talk *t = ways[i]->begin();
        uint32_t unanswered = t->index;
        pass(t, 4 * s);
        talk_expect_nothing(t);
        pass(t, 2 * s);
        assert_int_equal(t->finding_count, 1);
        assert_int_equal(talk_finding(t, RULE_RETRANSMITTED)->segment, unanswered);
        assert_string_equal(talk_finding(t, RULE_RETRANSMITTED)->requirement, "RFC9293:3.8-a");
        talk_free(t);
    }
}

static void what_is_acknowledged_need_not_be_sent_again(void **state)
{
    (void)state;
    struct talk *t = with_data_in_flight();
    talk_wait(t, s);
    talk_in(t, ". 1 ack 101");
    pass(t, 200 * s);
    call(t, JUDGE_CALL_SHUTDOWN, 0, NULL);
    talk_out(t, "F. 101 ack 1");
    talk_in(t, ". 1 ack 102");
    pass(t, 200 * s);
    talk_expect_nothing(t);
    talk_free(t);
}

static void the_rest_of_a_flight_is_sent_again_after_a_partial_ack(void **state)
{
    (void)state;
    struct talk *t = with_data_in_flight();
    talk_in(t, ". 1 ack 51");
    pass(t, 6 * s);
    assert_true(talk_found(t, RULE_RETRANSMITTED));
    talk_free(t);
}

static void a_slow_peer_makes_for_a_slow_timer(void **state)
{
    (void)state;
    struct talk *t = with_data_in_flight();
    again(t, data.line, (const int[]){3000, 0});
    talk_wait(t, s);
    talk_in(t, ". 1 ack 101"); /* a round trip of one to four seconds */
    call(t, JUDGE_CALL_SEND, 100, NULL);
    talk_out(t, "P. 101+100 ack 1");
    pass(t, 15 * s);
    talk_expect_nothing(t);
    pass(t, 15 * s);
    assert_true(talk_found(t, RULE_RETRANSMITTED));
    talk_free(t);
}

static void where_silence_is_no_wonder_nothing_is_found(void **state)
{
    (void)state;
    struct talk *t = connecting();
    call(t, JUDGE_CALL_CLOSE, 0, NULL);
    pass(t, 400 * s);
    talk_expect_nothing(t);
    talk_free(t);

    t = half_open(); /* back to LISTEN, perhaps */
    again(t, syn_ack.line, (const int[]){1000, 0});
    pass(t, 400 * s);
    talk_expect_nothing(t);
    talk_free(t);

    t = half_open();
    t->host.pressed = true; /* a cookie is sent once */
    pass(t, 400 * s);
    talk_expect_nothing(t);
    talk_free(t);

    t = with_data_in_flight();
    talk_in(t, "R 1");
    pass(t, 400 * s);
    talk_expect_nothing(t);
    talk_free(t);

    t = with_data_in_flight();
    t->host.timers_configured = true;
    pass(t, 400 * s);
    talk_expect_nothing(t);
    talk_free(t);

    t = with_data_in_flight();
    call(t, JUDGE_CALL_ABORT, 0, NULL);
    talk_out(t, "R. 101 ack 1");
    pass(t, 400 * s);
    talk_expect_nothing(t);
    talk_free(t);
}

/* ---- giving up --------------------------------------------------------------------------------------------------------------- */

static void opening_goes_on_for_three_minutes(void **state)
{
    (void)state;
    static const int enough_ms[] = {3000, 6000, 12000, 24000, 48000, 60000, 0}, early_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 0};
    struct talk *t = connecting();
    again(t, syn.line, enough_ms);
    pass(t, 30 * s);
    call(t, JUDGE_CALL_ERROR, ETIMEDOUT, NULL);
    pass(t, 600 * s);
    talk_expect_nothing(t);
    talk_free(t);

    t = connecting();
    again(t, syn.line, early_ms);
    pass(t, 64 * s);
    call(t, JUDGE_CALL_ERROR, ETIMEDOUT, NULL);
    assert_int_equal(t->finding_count, 1);
    assert_string_equal(talk_finding(t, RULE_R2_SYN)->requirement, "RFC9293:MUST-23");
    talk_free(t);

    t = connecting(); /* nobody is told, but no SYN comes any more */
    again(t, syn.line, early_ms);
    pass(t, 100 * s);
    assert_true(talk_found(t, RULE_R2_SYN));
    talk_free(t);
}

static void data_is_tried_for_a_hundred_seconds(void **state)
{
    (void)state;
    static const int enough_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 0}, early_ms[] = {1000, 2000, 4000, 0};
    struct talk *t = with_data_in_flight();
    again(t, data.line, enough_ms);
    call(t, JUDGE_CALL_ERROR, ETIMEDOUT, NULL);
    pass(t, 600 * s);
    talk_expect_nothing(t);
    talk_free(t);

    t = with_data_in_flight();
    again(t, data.line, early_ms);
    call(t, JUDGE_CALL_ERROR, ETIMEDOUT, NULL);
    assert_string_equal(talk_finding(t, RULE_R2_DATA)->requirement, "RFC9293:SHLD-11");
    talk_free(t);

    t = with_data_in_flight();
    again(t, data.line, early_ms);
    pass(t, 15 * s);
    assert_true(talk_found(t, RULE_R2_DATA));
    talk_free(t);
}

/* ---- queued data and closed windows -------------------------------------------------------------------------------------------
 */

static void data_that_stays_in_the_queue_is_found(void **state)
{
    (void)state;
    struct talk *t = established();
    call(t, JUDGE_CALL_SEND, 100, NULL);
    pass(t, 6 * s);
    assert_int_equal(t->finding_count, 1);
    assert_string_equal(talk_finding(t, RULE_SENT_IN_TIME)->requirement, "RFC9293:MUST-60");
    talk_free(t);

    t = established();
    call(t, JUDGE_CALL_OPTION, 1, "TCP_CORK");
    call(t, JUDGE_CALL_SEND, 100, NULL);
    pass(t, 600 * s);
    talk_expect_nothing(t);
    talk_free(t);
}

static void a_closed_window_that_is_not_probed_is_found(void **state)
{
    (void)state;
    struct talk *t = with_window_closed();
    pass(t, 6 * s);
    assert_int_equal(t->finding_count, 1);
    assert_string_equal(talk_finding(t, RULE_PROBES)->requirement, "RFC9293:MUST-36");
    talk_free(t);

    t = established(); /* nothing waits: nothing is to be probed for */
    talk_in(t, ". 1 ack 1 win 0");
    pass(t, 600 * s);
    talk_expect_nothing(t);
    talk_free(t);
}

static void probes_of_every_kind_are_permitted(void **state)
{
    (void)state;
    static const char *const probes[] = {". 0 ack 1", ". 1+1 ack 1", ". 0+1 ack 1"}; /* Linux, BSD, and one with garbage */
    for (size_t i = 0; i < COUNT(probes); i++) {
        struct talk *t = with_window_closed();
        for (int after_ms = 200; after_ms < 100000; after_ms *= 2) {
            pass(t, after_ms * ms);
            talk_out(t, probes[i]);
            talk_in(t, ". 1 ack 1 win 0");
        }
        talk_expect_nothing(t);
        talk_free(t);
    }
}

static void a_probe_timer_may_have_a_floor(void **state)
{
    (void)state;
    static const int after_ms[] = {5000, 5000, 5000, 5000, 6400, 12800, 25600, 51200, 0};
    struct talk *t = with_window_closed();
    talk_out(t, ". 1+1 ack 1");
    again(t, ". 1+1 ack 1", after_ms); /* and no answer */
    talk_expect_nothing(t);
    talk_free(t);
}

static void probes_at_constant_intervals_deviate(void **state)
{
    (void)state;
    struct talk *t = with_window_closed();
    for (unsigned i = 0; i < 9; i++) {
        talk_expect_nothing(t);
        pass(t, 500 * ms);
        talk_out(t, ". 0 ack 1");
        if (i < 8)
            talk_in(t, ". 1 ack 1 win 0");
    }
    talk_expect(t, RULE_PROBE_BACKOFF);
    talk_free(t);
}

static void a_peer_that_answers_probes_is_not_timed_out(void **state)
{
    (void)state;
    for (unsigned answered = 0; answered < 2; answered++) {
        struct talk *t = with_window_closed();
        for (int after_ms = 1000; after_ms < 100000; after_ms *= 2) {
            pass(t, after_ms * ms);
            talk_out(t, ". 0 ack 1");
            if (answered)
                talk_in(t, ". 1 ack 1 win 0");
        }
        call(t, JUDGE_CALL_ERROR, ETIMEDOUT, NULL);
        assert_int_equal(talk_found(t, RULE_PROBED_STAYS_OPEN), answered);
        talk_free(t);
    }
}

/* ---- keep-alives
 * ----------------------------------------------------------------------------------------------------------------- */

static void keep_alives_need_to_be_asked_for_and_idleness(void **state)
{
    (void)state;
    static const struct { int64_t asked, idle_s, after_s; const char *line; int rule; } rows[] = {
        {0, 0, 7200, ". 0 ack 1", RULE_KEEP_ALIVE_ASKED},
        {0, 0, 7200, ". 0+1 ack 1", RULE_KEEP_ALIVE_ASKED},
        {1, 0, 7200, ". 0 ack 1", -1},
        {1, 0, 7100, ". 0+1 ack 1", -1},
        {1, 0, 7000, ". 0 ack 1", RULE_KEEP_ALIVE_IDLE},
        {1, 10, 10, ". 0 ack 1", -1},
        {1, 10, 9, ". 0+1 ack 1", RULE_KEEP_ALIVE_IDLE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk *t = established();
        if (rows[i].asked)
            call(t, JUDGE_CALL_OPTION, 1, "SO_KEEPALIVE");
        if (rows[i].idle_s)
            call(t, JUDGE_CALL_OPTION, rows[i].idle_s, "TCP_KEEPIDLE");
        pass(t, rows[i].after_s * s);
        talk_out(t, rows[i].line);
        if (rows[i].rule < 0)
            talk_expect_nothing(t);
        else
            talk_expect(t, (enum rule_id)rows[i].rule);
        talk_free(t);
    }
}

static void further_keep_alives_follow_until_one_is_answered(void **state)
{
    (void)state;
    struct talk *t = established();
    call(t, JUDGE_CALL_OPTION, 1, "SO_KEEPALIVE");
    pass(t, 7200 * s);
    talk_out(t, ". 0 ack 1");
    pass(t, 75 * s);
    talk_out(t, ". 0 ack 1");
    talk_in(t, ". 1 ack 1");
    talk_expect_nothing(t);
    pass(t, 75 * s);
    talk_out(t, ". 0 ack 1");
    talk_expect(t, RULE_KEEP_ALIVE_IDLE);
    talk_free(t);
}

/* ---- acknowledgments
 * ---------------------------------------------------------------------------------------------------------------- */

static void every_second_full_sized_segment_is_acknowledged(void **state)
{
    (void)state;
    struct talk *t = established();
    talk_in(t, ". 1+1460 ack 1");
    talk_in(t, ". 1461+1460 ack 1");
    talk_out(t, ". 1 ack 2921");
    talk_in(t, ". 2921+1460 ack 1");
    talk_in(t, ". 4381+1459 ack 1");
    talk_in(t, ". 5840+1 ack 1");
    talk_out(t, ". 1 ack 5841");
    talk_expect_nothing(t);
    talk_in(t, ". 5841+1460 ack 1");
    talk_in(t, ". 7301+1460 ack 1");
    talk_in(t, ". 8761+1460 ack 1");
    assert_int_equal(t->finding_count, 1);
    assert_int_equal(talk_finding(t, RULE_ACK_EVERY_SECOND)->segment, t->index - 1);
    talk_free(t);
}

static void one_segment_gets_one_ack(void **state)
{
    (void)state;
    struct talk *t = established();
    talk_in(t, "P. 1+100 ack 1");
    talk_out(t, ". 1 ack 101 win 65435");
    talk_out(t, ". 1 ack 101 win 65535"); /* a window update */
    talk_in(t, "P. 201+100 ack 1");
    talk_out(t, ". 1 ack 101");
    talk_in(t, "P. 201+100 ack 1");
    talk_out(t, ". 1 ack 101");
    talk_expect_nothing(t);
    talk_out(t, ". 1 ack 101");
    talk_expect(t, RULE_ACK_ONCE);
    talk_free(t);
}

static void two_acks_that_differ_are_two(void **state)
{
    (void)state;
    struct talk *t = established();
    talk_in(t, ". 1+100 ack 1");
    talk_in(t, ". 101+100 ack 1");
    talk_out(t, ". 1 ack 101");
    talk_out(t, ". 1 ack 201");
    assert_false(talk_found(t, RULE_ACK_ONCE));
    talk_free(t);
}

static void a_later_ack_is_not_immediate(void **state)
{
    (void)state;
    struct talk *t = established();
    talk_in(t, "P. 201+100 ack 1");
    talk_out(t, ". 1 ack 1");
    pass(t, 100 * ms);
    talk_out(t, ". 1 ack 1");
    assert_false(talk_found(t, RULE_ACK_ONCE));
    talk_free(t);
}

/* ---- the portrait
 * ---------------------------------------------------------------------------------------------------------------- */

static void expect_choice(const struct talk *t, enum choice_id id, int64_t value)
{
    assert_int_equal(t->host.portrait.choices[id].count, 1);
    assert_int_equal(t->host.portrait.choices[id].sum, value);
}

static void the_portrait_tells_the_timers(void **state)
{
    (void)state;
    struct talk *t = connecting();
    again(t, syn.line, (const int[]){1000, 2000, 0});
    expect_choice(t, CHOICE_RTO_INITIAL_SYN, 1000 * ms);
    talk_free(t);

    t = half_open();
    again(t, syn_ack.line, (const int[]){3000, 6000, 0});
    expect_choice(t, CHOICE_RTO_INITIAL_SYN_ACK, 3000 * ms);
    pass(t, 100 * s);
    expect_choice(t, CHOICE_SYN_ACK_TRANSMISSIONS, 3);
    talk_free(t);

    t = with_data_in_flight();
    again(t, data.line, (const int[]){200, 400, 0});
    expect_choice(t, CHOICE_RTO_DATA, 200 * ms);
    talk_in(t, ". 1 ack 101");
    expect_choice(t, CHOICE_INITIAL_WINDOW, 100);
    talk_in(t, "P. 1+100 ack 101");
    talk_wait(t, 40 * ms);
    talk_out(t, ". 101 ack 101");
    expect_choice(t, CHOICE_ACK_DELAY, 40 * ms);
    talk_free(t);

    t = with_window_closed();
    pass(t, 250 * ms);
    talk_out(t, ". 0 ack 1");
    expect_choice(t, CHOICE_PERSIST_FIRST, 250 * ms);
    talk_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_that_are_permitted),
        cmocka_unit_test(a_timer_that_does_not_back_off_is_found),
        cmocka_unit_test(lateness_of_a_coarse_timer_is_forgiven),
        cmocka_unit_test(what_comes_in_between_explains_a_retransmission),
        cmocka_unit_test(a_user_timeout_cuts_the_last_interval_short),
        cmocka_unit_test(a_syn_sent_again_too_early_deviates),
        cmocka_unit_test(data_after_a_lost_syn_waits_three_seconds),
        cmocka_unit_test(what_is_never_sent_again_is_found),
        cmocka_unit_test(what_is_acknowledged_need_not_be_sent_again),
        cmocka_unit_test(the_rest_of_a_flight_is_sent_again_after_a_partial_ack),
        cmocka_unit_test(a_slow_peer_makes_for_a_slow_timer),
        cmocka_unit_test(where_silence_is_no_wonder_nothing_is_found),
        cmocka_unit_test(opening_goes_on_for_three_minutes),
        cmocka_unit_test(data_is_tried_for_a_hundred_seconds),
        cmocka_unit_test(data_that_stays_in_the_queue_is_found),
        cmocka_unit_test(a_closed_window_that_is_not_probed_is_found),
        cmocka_unit_test(probes_of_every_kind_are_permitted),
        cmocka_unit_test(a_probe_timer_may_have_a_floor),
        cmocka_unit_test(probes_at_constant_intervals_deviate),
        cmocka_unit_test(a_peer_that_answers_probes_is_not_timed_out),
        cmocka_unit_test(keep_alives_need_to_be_asked_for_and_idleness),
        cmocka_unit_test(further_keep_alives_follow_until_one_is_answered),
        cmocka_unit_test(every_second_full_sized_segment_is_acknowledged),
        cmocka_unit_test(one_segment_gets_one_ack),
        cmocka_unit_test(two_acks_that_differ_are_two),
        cmocka_unit_test(a_later_ack_is_not_immediate),
        cmocka_unit_test(the_portrait_tells_the_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

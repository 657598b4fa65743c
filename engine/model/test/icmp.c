/* The judge on ICMP errors: what they must not do to a connection, and how large packets may be after one. */
#include "engine/model/test/talk.h"

#include <errno.h>

static const int64_t ms = 1000000, s = 1000000000;

static void call(struct talk *t, enum judge_call_kind kind, int64_t amount, const char *name)
{
    judge_call(t->judge, &(struct judge_call){.kind = kind, .amount = amount, .name = name}, t->now_ns);
}

static struct talk *stack(unsigned state, unsigned version)
{
    struct talk *t = talk_new();
    t->host.application_known = true;
    t->config.states = 1u << state;
    if (version == 6) {
        assert_true(pkt_addr_parse("2001:db8::1", &t->config.iut.addr));
        assert_true(pkt_addr_parse("2001:db8::2", &t->config.peer.addr));
        t->in.src = t->out.dst = t->config.peer.addr;
        t->in.dst = t->out.src = t->config.iut.addr;
    }
    talk_begin(t);
    return t;
}

/* One segment of 1400 octets in flight. */
static struct talk *in_flight(unsigned version)
{
    struct talk *t = stack(TCP_STATE_LISTEN, version);
    call(t, JUDGE_CALL_LISTEN, 0, NULL);
    talk_open(t, "mss 1460", "mss 1440");
    talk_in(t, ". 1 ack 1");
    call(t, JUDGE_CALL_ACCEPT, 0, NULL);
    call(t, JUDGE_CALL_SEND, 1400, NULL);
    talk_out(t, "P. 1+1400 ack 1");
    return t;
}

static struct talk *connecting(void)
{
    struct talk *t = stack(TCP_STATE_CLOSED, 4);
    call(t, JUDGE_CALL_CONNECT, 0, NULL);
    talk_out(t, "S 0 <mss 1460>");
    return t;
}

struct error { uint8_t type, code; uint32_t mtu, seq, len; bool damaged; };

static void icmp(struct talk *t, struct error e)
{
    uint8_t quoted[2000], bytes[2000];
    static const uint8_t nothing[1500];
    struct packet packet;
    struct pkt_spec about = t->out, error = {.protocol = PKT_PROTO_ICMP, .src = t->in.src, .dst = t->in.dst};
    about.seq = t->iut_iss + e.seq;
    about.flags = PKT_ACK;
    about.payload = nothing;
    about.payload_len = e.len;
    ssize_t len = pkt_build(t->builder, &about, quoted, sizeof quoted);
    assert_true(len > 0);
    if (about.src.version == 6)
        error.protocol = PKT_PROTO_ICMP6;
    error.icmp_type = e.type;
    error.icmp_code = e.code;
    error.icmp_rest = e.mtu;
    error.payload = quoted;
    error.payload_len = len < 500 ? (uint32_t)len : 500;
    error.overrides = e.damaged ? PKT_SPOIL_CHECKSUM : 0;
    len = pkt_build(t->builder, &error, bytes, sizeof bytes);
    assert_true(len > 0);
    assert_int_equal(pkt_parse(bytes, (size_t)len, &packet), PKT_OK);
    judge_input(t->judge, &packet, true, t->now_ns, ++t->index);
}

/* ---- errors that must not end a connection ------------------------------------------------------------------------------ */

static const struct { unsigned version; struct error error; enum rule_id rule; } harmless[] = {
    {4, {.type = 3, .code = 0, .seq = 1}, RULE_ICMP_SOFT},      {4, {.type = 3, .code = 1, .seq = 1}, RULE_ICMP_SOFT},
    {4, {.type = 3, .code = 5, .seq = 1}, RULE_ICMP_SOFT},      {4, {.type = 11, .code = 0, .seq = 1}, RULE_ICMP_SOFT},
    {4, {.type = 12, .code = 0, .seq = 1}, RULE_ICMP_SOFT},     {6, {.type = 1, .code = 0, .seq = 1}, RULE_ICMP_SOFT},
    {6, {.type = 1, .code = 3, .seq = 1}, RULE_ICMP_SOFT},      {6, {.type = 3, .code = 1, .seq = 1}, RULE_ICMP_SOFT},
    {6, {.type = 4, .code = 2, .seq = 1}, RULE_ICMP_SOFT},      {4, {.type = 4, .code = 0, .seq = 1}, RULE_SOURCE_QUENCH},
    {4, {.type = 3, .code = 3, .seq = 0}, RULE_ICMP_OUTSIDE},   {4, {.type = 3, .code = 2, .seq = 1402}, RULE_ICMP_OUTSIDE},
    {6, {.type = 1, .code = 4, .seq = 100000}, RULE_ICMP_OUTSIDE},
};

static void errors_that_must_not_end_a_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(harmless); i++) {
        struct talk *t = in_flight(harmless[i].version);
        icmp(t, harmless[i].error);
        talk_out(t, "P. 1+1400 ack 1"); /* a timer may expire just now */
        talk_in(t, ". 1 ack 1401");
        talk_expect_nothing(t);
        assert_int_equal(t->host.coverage.tested[harmless[i].rule], 1);
        talk_free(t);

        t = in_flight(harmless[i].version);
        icmp(t, harmless[i].error);
        talk_out(t, "R. 1401 ack 1");
        if (!talk_found(t, harmless[i].rule))
            fail_msg("row %zu", i);
        assert_int_equal(talk_finding(t, harmless[i].rule)->segment, t->index);
        talk_free(t);
    }
}

static void a_reset_that_something_else_explains_is_no_finding(void **state)
{
    (void)state;
    struct talk *t = in_flight(4);
    icmp(t, (struct error){.type = 3, .code = 1, .seq = 1});
    call(t, JUDGE_CALL_ABORT, 0, NULL);
    talk_out(t, "R. 1401 ack 1");
    talk_expect_nothing(t);
    talk_free(t);

    t = in_flight(4); /* a hard error may end a connection, or not */
    icmp(t, (struct error){.type = 3, .code = 3, .seq = 1});
    call(t, JUDGE_CALL_ERROR, ECONNREFUSED, NULL);
    talk_wait(t, 600 * s);
    talk_expect_nothing(t);
    talk_free(t);
}

static void a_connection_that_vanishes_upon_a_soft_error_is_missed(void **state)
{
    (void)state;
    struct talk *t = in_flight(4);
    icmp(t, (struct error){.type = 3, .code = 1, .seq = 1});
    talk_wait(t, 10 * s);
    assert_true(talk_found(t, RULE_RETRANSMITTED));
    talk_free(t);
}

static void telling_of_a_soft_error_is_no_abort(void **state)
{
    (void)state;
    struct talk *t = in_flight(4);
    icmp(t, (struct error){.type = 3, .code = 1, .seq = 1});
    call(t, JUDGE_CALL_ERROR, EHOSTUNREACH, NULL);
    talk_expect_nothing(t);
    talk_free(t);

    t = in_flight(4); /* but of what should have been discarded there is nothing to tell */
    icmp(t, (struct error){.type = 3, .code = 1, .seq = 1});
    talk_in(t, ". 1 ack 1401");
    icmp(t, (struct error){.type = 3, .code = 3, .seq = 50000});
    call(t, JUDGE_CALL_ERROR, ECONNREFUSED, NULL);
    assert_true(talk_found(t, RULE_ICMP_OUTSIDE));
    talk_free(t);
}

static void opening_goes_on_after_a_soft_error(void **state)
{
    (void)state;
    static const struct { struct error error; int64_t errno_told; int rule; } rows[] = {
        {{.type = 3, .code = 1, .seq = 0}, EHOSTUNREACH, RULE_ICMP_SOFT_OPENING},
        {{.type = 3, .code = 3, .seq = 0}, ECONNREFUSED, -1},            /* hard */
        {{.type = 3, .code = 3, .seq = 7}, ECONNREFUSED, RULE_ICMP_OUTSIDE}, /* and not about our SYN */
        {{.type = 3, .code = 1, .seq = 0}, ETIMEDOUT, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk *t = connecting();
        t->host.timers_configured = false;
        icmp(t, rows[i].error);
        call(t, JUDGE_CALL_ERROR, rows[i].errno_told, NULL);
        if (rows[i].rule < 0)
            talk_expect_nothing(t);
        else
            assert_true(talk_found(t, (enum rule_id)rows[i].rule));
        talk_free(t);
    }
}

/* ---- the path MTU ----------------------------------------------------------------------------------------------------------- */

static const struct version { unsigned version; struct error error; enum rule_id rule; }
    four = {4, {.type = 3, .code = 4, .mtu = 1300, .seq = 1, .len = 1400}, RULE_PATH_MTU_IPV4},
    six = {6, {.type = 2, .mtu = 1300, .seq = 1, .len = 1400}, RULE_PATH_MTU_IPV6};

static void smaller_packets_follow_a_packet_too_big(void **state)
{
    const struct version *v = *state;
    struct talk *t = in_flight(v->version);
    icmp(t, v->error);
    talk_out(t, ". 1+1240 ack 1");
    talk_out(t, "P. 1241+160 ack 1");
    talk_in(t, ". 1 ack 1401");
    call(t, JUDGE_CALL_SEND, 3000, NULL);
    talk_out(t, ". 1401+1240 ack 1");
    talk_expect_nothing(t);
    assert_true(t->host.coverage.tested[v->rule] > 0);
    talk_out(t, ". 2641+1280 ack 1");
    talk_expect(t, v->rule);
    talk_free(t);
}

static void one_more_large_packet_may_be_tried(void **state)
{
    const struct version *v = *state;
    struct talk *t = in_flight(v->version);
    icmp(t, v->error);
    talk_wait(t, 300 * ms);
    talk_out(t, "P. 1+1400 ack 1"); /* RFC 5927 §7.2: the message waits until the segment has timed out */
    talk_wait(t, 600 * ms);
    talk_out(t, ". 1+1240 ack 1");
    talk_expect_nothing(t);
    talk_wait(t, 1200 * ms);
    talk_out(t, "P. 1+1400 ack 1");
    talk_expect(t, v->rule);
    talk_free(t);
}

static void a_third_large_packet_is_found(void **state)
{
    const struct version *v = *state;
    struct talk *t = in_flight(v->version);
    icmp(t, v->error);
    for (int64_t after_ns = 300 * ms; after_ns < 1300 * ms; after_ns *= 2) {
        talk_expect_nothing(t);
        talk_wait(t, after_ns);
        talk_out(t, "P. 1+1400 ack 1");
    }
    talk_expect(t, v->rule);
    talk_free(t);
}

static void a_message_is_forgotten_when_its_segment_is_acknowledged(void **state)
{
    const struct version *v = *state;
    struct talk *t = in_flight(v->version);
    icmp(t, v->error);
    talk_in(t, ". 1 ack 1401");
    call(t, JUDGE_CALL_SEND, 1400, NULL);
    talk_out(t, "P. 1401+1400 ack 1");
    talk_expect_nothing(t);
    struct error later = v->error; /* not lower than the one forgotten */
    later.seq = 1401;
    later.mtu++;
    icmp(t, later);
    talk_out(t, ". 1401+1240 ack 1");
    talk_out(t, "P. 1401+1400 ack 1");
    talk_expect(t, v->rule);
    talk_free(t);
}

static void messages_that_mean_nothing_lower_nothing(void **state)
{
    (void)state;
    static const struct { unsigned version; struct error error; } rows[] = {
        {4, {.type = 3, .code = 4, .mtu = 67, .seq = 1, .len = 1400}},
        {4, {.type = 3, .code = 4, .mtu = 0, .seq = 1, .len = 1400}},
        {4, {.type = 3, .code = 4, .mtu = 1440, .seq = 1, .len = 1400}}, /* what was sent fits */
        {4, {.type = 3, .code = 4, .mtu = 1300, .seq = 1401, .len = 1400}},
        {4, {.type = 3, .code = 4, .mtu = 1300, .seq = 90000, .len = 1400}},
        {4, {.type = 3, .code = 4, .mtu = 1300, .seq = 1, .len = 100}},
        {4, {.type = 3, .code = 4, .mtu = 1300, .seq = 1, .len = 1400, .damaged = true}},
        {6, {.type = 2, .mtu = 1279, .seq = 1, .len = 1400}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk *t = in_flight(rows[i].version);
        icmp(t, rows[i].error);
        for (int64_t after_ns = 200 * ms; after_ns < 2 * s; after_ns *= 2) {
            talk_wait(t, after_ns);
            talk_out(t, "P. 1+1400 ack 1");
        }
        talk_expect_nothing(t);
        talk_free(t);
    }
}

/* Retransmissions, and then new data, of the largest size. */
static void send_large(struct talk *t, const char *line)
{
    for (int64_t after_ns = 200 * ms; after_ns < 2 * s; after_ns *= 2) {
        talk_wait(t, after_ns);
        talk_out(t, line);
    }
}

static void a_message_about_what_was_not_sent_lowers_nothing(void **state)
{
    (void)state;
    struct talk *t = in_flight(4); /* larger than anything sent */
    icmp(t, (struct error){.type = 3, .code = 4, .mtu = 1445, .seq = 1, .len = 1460});
    send_large(t, "P. 1+1400 ack 1");
    talk_in(t, ". 1 ack 1401");
    call(t, JUDGE_CALL_SEND, 1440, NULL);
    send_large(t, "P. 1401+1440 ack 1");
    talk_expect_nothing(t);
    talk_free(t);

    t = in_flight(4); /* not yet in flight */
    icmp(t, (struct error){.type = 3, .code = 4, .mtu = 1300, .seq = 1401, .len = 1400});
    talk_in(t, ". 1 ack 1401");
    call(t, JUDGE_CALL_SEND, 1400, NULL);
    send_large(t, "P. 1401+1400 ack 1");
    talk_expect_nothing(t);
    talk_free(t);
}

static void without_df_ipv4_packets_may_be_large(void **state)
{
    (void)state;
    struct talk *t = in_flight(4);
    icmp(t, four.error);
    t->out.dont_fragment = false;
    for (int64_t after_ns = 200 * ms; after_ns < 2 * s; after_ns *= 2) {
        talk_wait(t, after_ns);
        talk_out(t, "P. 1+1400 ack 1");
    }
    talk_expect_nothing(t);
    talk_free(t);
}

static void after_five_minutes_larger_packets_may_be_tried(void **state)
{
    const struct version *v = *state;
    struct talk *t = in_flight(v->version);
    icmp(t, v->error);
    talk_out(t, ". 1+1240 ack 1");
    talk_out(t, "P. 1241+160 ack 1");
    talk_in(t, ". 1 ack 1401");
    talk_wait(t, 301 * s);
    call(t, JUDGE_CALL_SEND, 1400, NULL);
    talk_out(t, "P. 1401+1400 ack 1");
    talk_expect_nothing(t);
    talk_free(t);
}

static void an_application_may_look_after_the_path_itself(void **state)
{
    (void)state;
    struct talk *t = in_flight(4);
    call(t, JUDGE_CALL_OPTION, 3, "IP_MTU_DISCOVER");
    icmp(t, four.error);
    for (int64_t after_ns = 200 * ms; after_ns < 2 * s; after_ns *= 2) {
        talk_wait(t, after_ns);
        talk_out(t, "P. 1+1400 ack 1");
    }
    talk_expect_nothing(t);
    talk_free(t);
}

static void a_capture_says_nothing_of_icmp(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    t->host.link = JUDGE_LOSSY;
    talk_open(t, "mss 1460", "mss 1440");
    talk_in(t, ". 1 ack 1");
    talk_out(t, "P. 1+1400 ack 1");
    icmp(t, four.error);
    icmp(t, harmless[0].error);
    talk_out(t, "P. 1+1400 ack 1");
    talk_out(t, "P. 1+1400 ack 1");
    talk_expect_nothing(t);
    talk_free(t);
}

int main(void)
{
    static struct version v4, v6;
    v4 = four;
    v6 = six;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_that_must_not_end_a_connection),
        cmocka_unit_test(a_reset_that_something_else_explains_is_no_finding),
        cmocka_unit_test(a_connection_that_vanishes_upon_a_soft_error_is_missed),
        cmocka_unit_test(telling_of_a_soft_error_is_no_abort),
        cmocka_unit_test(opening_goes_on_after_a_soft_error),
        cmocka_unit_test_prestate(smaller_packets_follow_a_packet_too_big, &v4),
        cmocka_unit_test_prestate(smaller_packets_follow_a_packet_too_big, &v6),
        cmocka_unit_test_prestate(one_more_large_packet_may_be_tried, &v4),
        cmocka_unit_test_prestate(one_more_large_packet_may_be_tried, &v6),
        cmocka_unit_test_prestate(a_third_large_packet_is_found, &v4),
        cmocka_unit_test_prestate(a_third_large_packet_is_found, &v6),
        cmocka_unit_test_prestate(a_message_is_forgotten_when_its_segment_is_acknowledged, &v4),
        cmocka_unit_test_prestate(a_message_is_forgotten_when_its_segment_is_acknowledged, &v6),
        cmocka_unit_test(messages_that_mean_nothing_lower_nothing),
        cmocka_unit_test(a_message_about_what_was_not_sent_lowers_nothing),
        cmocka_unit_test(without_df_ipv4_packets_may_be_large),
        cmocka_unit_test_prestate(after_five_minutes_larger_packets_may_be_tried, &v4),
        cmocka_unit_test_prestate(after_five_minutes_larger_packets_may_be_tried, &v6),
        cmocka_unit_test(an_application_may_look_after_the_path_itself),
        cmocka_unit_test(a_capture_says_nothing_of_icmp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

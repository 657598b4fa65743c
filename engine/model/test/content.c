/* The judge on octets: retransmissions, SEND, RECEIVE, PSH, FIN, urgent data. */
#include "engine/model/test/talk.h"

/* An established connection, begun by the peer and accepted. */
static struct talk *established(enum judge_link link, bool application_known)
{
    struct talk *t = talk_new();
    t->host.link = link;
    t->host.application_known = application_known;
    t->config.states = 1u << TCP_STATE_LISTEN;
    talk_begin(t);
    talk_call(t, JUDGE_CALL_LISTEN, 0);
    talk_open(t, "mss 1460", "mss 1460");
    talk_in(t, ". 1 ack 1");
    talk_call(t, JUDGE_CALL_ACCEPT, 0);
    return t;
}

static void call(struct talk *t, enum judge_call_kind kind, int64_t amount, const uint8_t *data, const char *name)
{
    judge_call(t->judge, &(struct judge_call){.kind = kind, .amount = amount, .data = data, .name = name}, t->now_ns);
}

/* The octets of a line, all of one value. */
static const uint8_t *all(uint8_t value)
{
    static uint8_t octets[4096];
    memset(octets, value, sizeof octets);
    return octets;
}

static const uint8_t *stream(uint32_t first, uint32_t len)
{
    static uint8_t octets[4096];
    for (uint32_t i = 0; i < len; i++)
        octets[i] = talk_octet(first + i);
    return octets;
}

/* ---- retransmissions --------------------------------------------------------------------------------------------------- */

static void a_retransmission_may_be_cut_otherwise(void **state)
{
    const enum judge_link *link = *state;
    struct talk *t = established(*link, false);
    talk_out(t, ". 1+500 ack 1");
    talk_out(t, ". 501+500 ack 1");
    talk_out(t, ". 1+1000 ack 1");
    talk_out(t, ". 251+500 ack 1");
    talk_in(t, ". 1 ack 501");
    talk_out(t, ". 501+100 ack 1");
    talk_expect_nothing(t);
    assert_true(t->host.coverage.tested[RULE_RETRANSMISSION_CHANGED] >= 3);
    talk_free(t);
}

static void a_changed_retransmission_is_found(void **state)
{
    const enum judge_link *link = *state;
    static const char *const lines[] = {". 1+1000 ack 1", ". 1+1 ack 1", ". 500+100 ack 1", "F. 900+101 ack 1", ". 1000+1001 ack 1"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct talk *t = established(*link, false);
        talk_out(t, ". 1+1000 ack 1");
        talk_out(t, ". 1001+500 ack 1");
        t->payload = all(0xee);
        talk_out(t, lines[i]);
        assert_string_equal(talk_finding(t, RULE_RETRANSMISSION_CHANGED)->requirement, "RFC9293:3.8-a");
        assert_int_equal(talk_finding(t, RULE_RETRANSMISSION_CHANGED)->segment, t->index);
        assert_int_equal(talk_finding(t, RULE_RETRANSMISSION_CHANGED)->needs, 0);
        talk_free(t);
    }
}

static void what_was_acknowledged_is_not_compared(void **state)
{
    const enum judge_link *link = *state;
    struct talk *t = established(*link, false);
    talk_out(t, ". 1+1000 ack 1");
    talk_in(t, ". 1 ack 1001");
    assert_int_equal(t->host.octets.held, 0);
    t->payload = all(0xee);
    talk_out(t, ". 1000+1 ack 1"); /* a keep-alive with garbage */
    assert_int_equal(t->host.octets.held, 0);
    assert_false(talk_found(t, RULE_RETRANSMISSION_CHANGED));
    talk_free(t);
}

static void a_keep_alive_whose_ack_the_capture_missed_is_not_compared(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_LOSSY, false);
    talk_out(t, ". 1+1000 ack 1");
    t->payload = all(0xee);
    talk_out(t, ". 1000+1 ack 1");
    talk_expect_nothing(t);
    talk_out(t, ". 999+1 ack 1"); /* but no other octet is excused */
    talk_expect(t, RULE_RETRANSMISSION_CHANGED);
    talk_free(t);
}

static void damaged_cut_and_resetting_segments_are_not_compared(void **state)
{
    const enum judge_link *link = *state;
    struct talk *t = established(*link, false);
    talk_out(t, ". 1+1000 ack 1");
    t->payload = all(0xee);
    t->cut_short = true;
    talk_out(t, ". 1+1000 ack 1");
    t->cut_short = false;
    t->out.overrides = PKT_SPOIL_CHECKSUM;
    talk_out(t, ". 1+1000 ack 1");
    t->out.overrides = 0;
    talk_out(t, "R. 1+10 ack 1");
    assert_false(talk_found(t, RULE_RETRANSMISSION_CHANGED));
    talk_free(t);
}

/* Before a network card completes the checksum, the field holds the sum of the pseudo header. */
static void left_to_the_card(struct talk *t, uint16_t segment_len)
{
    t->out.overrides = PKT_SET_CHECKSUM;
    uint32_t sum = (uint16_t)~pkt_transport_checksum(&t->out.src, &t->out.dst, PKT_PROTO_TCP, NULL, 0) + (uint32_t)segment_len;
    t->out.checksum_value = (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void a_checksum_left_to_the_card_hides_no_change(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_LOSSY, false);
    t->host.offload = true;
    left_to_the_card(t, 1020);
    talk_out(t, ". 1+1000 ack 1");
    talk_out(t, ". 1+1000 ack 1");
    talk_expect_nothing(t);
    t->payload = all(0xee);
    talk_out(t, ". 1+1000 ack 1");
    assert_true(talk_found(t, RULE_RETRANSMISSION_CHANGED));
    talk_free(t);
}

static void damage_is_not_taken_for_a_change_where_cards_complete_checksums(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_LOSSY, false);
    t->host.offload = true;
    talk_out(t, ". 1+1000 ack 1");
    t->payload = all(0xee);
    t->out.overrides = PKT_SPOIL_CHECKSUM;
    talk_out(t, ". 1+1000 ack 1");
    talk_out(t, ". 1+3000 ack 1"); /* merged: nobody has summed it up anew */
    assert_false(talk_found(t, RULE_RETRANSMISSION_CHANGED));
    talk_free(t);
}

static void a_capture_compares_what_it_saw_around_a_hole(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_LOSSY, false);
    talk_out(t, ". 1001+1000 ack 1");
    t->payload = all(0xee);
    talk_out(t, ". 1+1000 ack 1"); /* the first that is seen of them */
    assert_false(talk_found(t, RULE_RETRANSMISSION_CHANGED));
    t->payload = NULL;
    talk_out(t, ". 1+1000 ack 1");
    talk_expect(t, RULE_RETRANSMISSION_CHANGED);
    talk_free(t);
}

static void data_on_a_syn_begins_behind_it(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    t->host.link = JUDGE_LOSSY;
    talk_out(t, "S 0+100 <mss 1460,fastopen 0102030405060708>");
    talk_out(t, "S 0 <mss 1460>");
    talk_in(t, "S. 0 ack 1 <mss 1460>");
    talk_out(t, ". 1+100 ack 1");
    assert_false(talk_found(t, RULE_RETRANSMISSION_CHANGED));
    assert_int_equal(t->host.coverage.tested[RULE_RETRANSMISSION_CHANGED], 1);
    t->payload = all(0xee);
    talk_out(t, ". 1+100 ack 1");
    assert_true(talk_found(t, RULE_RETRANSMISSION_CHANGED));
    talk_free(t);
}

/* ---- what the application gave ------------------------------------------------------------------------------------------- */

static void what_was_sent_may_leave_in_any_pieces(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    call(t, JUDGE_CALL_SEND, 2000, stream(1, 2000), NULL);
    talk_out(t, ". 1+1460 ack 1");
    talk_out(t, "P. 1461+540 ack 1");
    call(t, JUDGE_CALL_SEND, 10, stream(2001, 10), NULL);
    talk_out(t, "P. 2001+10 ack 1");
    talk_in(t, ". 1 ack 2011");
    talk_expect_nothing(t);
    assert_int_equal(t->host.octets.held, 0);
    talk_free(t);
}

static void other_octets_than_the_application_gave_are_found(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    call(t, JUDGE_CALL_SEND, 2000, stream(1, 2000), NULL);
    talk_out(t, ". 1+1460 ack 1");
    t->payload = all(0xee);
    talk_out(t, "P. 1461+540 ack 1");
    talk_expect(t, RULE_SEND_CHANGED);
    talk_free(t);
}

static void more_than_was_given_is_found(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    call(t, JUDGE_CALL_SEND, 100, NULL, NULL);
    talk_out(t, "P. 1+101 ack 1");
    talk_expect(t, RULE_DATA_WITHOUT_SEND);
    talk_free(t);
}

static void counts_begin_anew_with_each_connection(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    call(t, JUDGE_CALL_SEND, 100, NULL, NULL);
    talk_out(t, "P. 1+100 ack 1");
    talk_in(t, "R 1");
    t->iut_iss += 100000;
    t->peer_iss += 100000;
    talk_in(t, "S 0 <mss 1460>");
    talk_out(t, "S. 0 ack 1 <mss 1460>");
    talk_in(t, ". 1 ack 1");
    talk_wait(t, 60000000000);
    talk_expect_nothing(t); /* the 100 octets of old do not wait to be sent */
    call(t, JUDGE_CALL_ACCEPT, 0, NULL, NULL);
    call(t, JUDGE_CALL_SEND, 10, NULL, NULL);
    talk_out(t, "P. 1+10 ack 1");
    talk_expect_nothing(t);
    talk_out(t, "P. 11+10 ack 1");
    talk_expect(t, RULE_DATA_WITHOUT_SEND);
    talk_free(t);
}

static void a_fin_comes_behind_all_that_was_given(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    call(t, JUDGE_CALL_SEND, 100, NULL, NULL);
    call(t, JUDGE_CALL_SHUTDOWN, 0, NULL, NULL);
    talk_out(t, "F. 1+100 ack 1"); /* a FIN says what PSH would say */
    talk_expect_nothing(t);
    talk_free(t);

    t = established(JUDGE_SYNCHRONOUS, true);
    call(t, JUDGE_CALL_SEND, 100, NULL, NULL);
    call(t, JUDGE_CALL_SHUTDOWN, 0, NULL, NULL);
    talk_out(t, "FP. 1+99 ack 1");
    assert_true(talk_found(t, RULE_FIN_BEFORE_DATA));
    talk_free(t);
}

static void the_last_segment_has_psh(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    call(t, JUDGE_CALL_SEND, 1560, NULL, NULL);
    talk_out(t, ". 1+1460 ack 1");
    talk_expect_nothing(t);
    talk_out(t, ". 1461+100 ack 1");
    talk_expect(t, RULE_PSH_ON_LAST);
    assert_string_equal(talk_finding(t, RULE_PSH_ON_LAST)->requirement, "RFC9293:MUST-61");
    talk_free(t);
}

static void an_application_that_holds_back_pushing_gets_none(void **state)
{
    (void)state;
    static const struct { enum judge_call_kind kind; const char *name; } ways[] = {{JUDGE_CALL_OPTION, "TCP_CORK"}, {JUDGE_CALL_SEND, "MSG_MORE"}};
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct talk *t = established(JUDGE_SYNCHRONOUS, true);
        call(t, ways[i].kind, 1, NULL, ways[i].name);
        call(t, JUDGE_CALL_SEND, 100, NULL, NULL);
        talk_out(t, ways[i].kind == JUDGE_CALL_SEND ? ". 1+101 ack 1" : ". 1+100 ack 1");
        talk_expect_nothing(t);
        talk_free(t);
    }
}

/* ---- what the application is given --------------------------------------------------------------------------------------- */

static void what_came_in_sequence_may_be_received(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    talk_in(t, "P. 1+100 ack 1");
    talk_out(t, ". 1 ack 101");
    call(t, JUDGE_CALL_RECEIVE, 60, stream(1, 60), NULL);
    call(t, JUDGE_CALL_RECEIVE, 40, stream(61, 40), NULL);
    talk_in(t, "F. 101 ack 1");
    talk_out(t, ". 1 ack 102");
    call(t, JUDGE_CALL_RECEIVE, 0, NULL, NULL);
    talk_expect_nothing(t);
    assert_int_equal(t->host.octets.held, 0);
    assert_int_equal(t->host.coverage.tested[RULE_RECEIVE_CHANGED], 2);
    talk_free(t);
}

static void more_than_came_cannot_be_received(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    talk_in(t, "P. 1+100 ack 1");
    talk_out(t, ". 1 ack 101");
    talk_in(t, "P. 201+100 ack 1"); /* behind a hole */
    talk_out(t, ". 1 ack 101");
    call(t, JUDGE_CALL_RECEIVE, 101, NULL, NULL);
    assert_true(talk_found(t, RULE_RECEIVE_BEYOND));
    talk_free(t);
}

static void a_fin_is_no_octet_to_be_received(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    talk_in(t, "FP. 1+100 ack 1");
    talk_out(t, ". 1 ack 102");
    call(t, JUDGE_CALL_RECEIVE, 101, NULL, NULL);
    assert_true(talk_found(t, RULE_RECEIVE_BEYOND));
    talk_free(t);
}

static void other_octets_than_came_cannot_be_received(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    talk_in(t, "P. 1+100 ack 1");
    talk_out(t, ". 1 ack 101");
    call(t, JUDGE_CALL_RECEIVE, 50, stream(2, 50), NULL);
    assert_true(talk_found(t, RULE_RECEIVE_CHANGED));
    talk_free(t);
}

static void where_the_peer_contradicts_itself_either_may_be_received(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    talk_in(t, "P. 11+10 ack 1");
    talk_out(t, ". 1 ack 1");
    t->payload = all(0xee);
    talk_in(t, "P. 1+20 ack 1");
    talk_out(t, ". 1 ack 21");
    t->payload = NULL;
    talk_in(t, "P. 1+20 ack 1");
    talk_out(t, ". 1 ack 21");
    call(t, JUDGE_CALL_RECEIVE, 20, all(0xee), NULL);
    talk_expect_nothing(t);
    talk_free(t);
}

static void urgent_data_may_be_taken_out_of_the_stream(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    talk_in(t, "PU. 1+10 ack 1 urg 5");
    talk_out(t, ". 1 ack 11");
    call(t, JUDGE_CALL_RECEIVE, 4, stream(1, 4), NULL);
    call(t, JUDGE_CALL_RECEIVE, 5, stream(6, 5), NULL);
    talk_expect_nothing(t);
    talk_free(t);
}

static void the_end_of_data_needs_a_fin(void **state)
{
    (void)state;
    static const struct { const char *in, *out; bool found; } rows[] = {
        {NULL, NULL, true},
        {"F. 1 ack 1", ". 1 ack 2", false},
        {"F. 101 ack 1", ". 1 ack 1", true}, /* data before it is missing */
        {"R 1", NULL, false},                /* after an error, recv() says 0 as well */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk *t = established(JUDGE_SYNCHRONOUS, true);
        if (rows[i].in)
            talk_in(t, rows[i].in);
        if (rows[i].out)
            talk_out(t, rows[i].out);
        call(t, JUDGE_CALL_RECEIVE, 0, NULL, NULL);
        if (talk_found(t, RULE_END_WITHOUT_FIN) != rows[i].found)
            fail_msg("row %zu", i);
        talk_free(t);
    }
}

static void what_an_old_connection_still_gives_is_not_of_the_new(void **state)
{
    (void)state;
    struct talk *t = established(JUDGE_SYNCHRONOUS, true);
    talk_in(t, "P. 1+100 ack 1");
    talk_out(t, ". 1 ack 101");
    call(t, JUDGE_CALL_CLOSE, 0, NULL, NULL);
    talk_out(t, "F. 1 ack 101");
    talk_in(t, "F. 101 ack 2");
    talk_out(t, ". 2 ack 102");
    t->iut_iss += 100000;
    t->peer_iss += 100000;
    talk_in(t, "S 0 <mss 1460>"); /* reopens it from TIME-WAIT */
    talk_out(t, "S. 0 ack 1 <mss 1460>");
    talk_in(t, ". 1 ack 1");
    call(t, JUDGE_CALL_RECEIVE, 100, NULL, NULL);
    call(t, JUDGE_CALL_RECEIVE, 0, NULL, NULL);
    talk_expect_nothing(t);
    call(t, JUDGE_CALL_ACCEPT, 0, NULL, NULL);
    call(t, JUDGE_CALL_RECEIVE, 1, NULL, NULL);
    assert_true(talk_found(t, RULE_RECEIVE_BEYOND));
    talk_free(t);
}

/* ---- urgent data ----------------------------------------------------------------------------------------------------------- */

static void the_urgent_pointer_is_the_octet_after_urgent_data(void **state)
{
    (void)state;
    static const struct { const char *line; bool found; } rows[] = {
        {"PU. 1+20 ack 1 urg 20", false}, {"PU. 1+10 ack 1 urg 20", false}, {"PU. 1+20 ack 1 urg 19", true},
        {"PU. 1+20 ack 1 urg 0", true},   {"PU. 1+20 ack 1 urg 65535", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk *t = established(JUDGE_SYNCHRONOUS, true);
        call(t, JUDGE_CALL_SEND, 10, NULL, NULL);
        call(t, JUDGE_CALL_SEND, 10, NULL, "MSG_OOB");
        talk_out(t, rows[i].line);
        if (talk_found(t, RULE_URGENT_POINTER) != rows[i].found)
            fail_msg("%s", rows[i].line);
        talk_free(t);
    }
}

int main(void)
{
    static enum judge_link synchronous = JUDGE_SYNCHRONOUS, lossy = JUDGE_LOSSY;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_retransmission_may_be_cut_otherwise, &synchronous),
        cmocka_unit_test_prestate(a_retransmission_may_be_cut_otherwise, &lossy),
        cmocka_unit_test_prestate(a_changed_retransmission_is_found, &synchronous),
        cmocka_unit_test_prestate(a_changed_retransmission_is_found, &lossy),
        cmocka_unit_test_prestate(what_was_acknowledged_is_not_compared, &synchronous),
        cmocka_unit_test_prestate(what_was_acknowledged_is_not_compared, &lossy),
        cmocka_unit_test(a_keep_alive_whose_ack_the_capture_missed_is_not_compared),
        cmocka_unit_test_prestate(damaged_cut_and_resetting_segments_are_not_compared, &synchronous),
        cmocka_unit_test_prestate(damaged_cut_and_resetting_segments_are_not_compared, &lossy),
        cmocka_unit_test(a_checksum_left_to_the_card_hides_no_change),
        cmocka_unit_test(damage_is_not_taken_for_a_change_where_cards_complete_checksums),
        cmocka_unit_test(a_capture_compares_what_it_saw_around_a_hole),
        cmocka_unit_test(data_on_a_syn_begins_behind_it),
        cmocka_unit_test(what_was_sent_may_leave_in_any_pieces),
        cmocka_unit_test(other_octets_than_the_application_gave_are_found),
        cmocka_unit_test(more_than_was_given_is_found),
        cmocka_unit_test(counts_begin_anew_with_each_connection),
        cmocka_unit_test(a_fin_comes_behind_all_that_was_given),
        cmocka_unit_test(the_last_segment_has_psh),
        cmocka_unit_test(an_application_that_holds_back_pushing_gets_none),
        cmocka_unit_test(what_came_in_sequence_may_be_received),
        cmocka_unit_test(more_than_came_cannot_be_received),
        cmocka_unit_test(a_fin_is_no_octet_to_be_received),
        cmocka_unit_test(other_octets_than_came_cannot_be_received),
        cmocka_unit_test(where_the_peer_contradicts_itself_either_may_be_received),
        cmocka_unit_test(urgent_data_may_be_taken_out_of_the_stream),
        cmocka_unit_test(the_end_of_data_needs_a_fin),
        cmocka_unit_test(what_an_old_connection_still_gives_is_not_of_the_new),
        cmocka_unit_test(the_urgent_pointer_is_the_octet_after_urgent_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

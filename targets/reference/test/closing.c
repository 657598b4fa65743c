/* RFC 9293 §3.6, §3.10.4, §3.10.5, and the checks of §3.10.7.4 in every state: closing, aborting, being reset, TIME-WAIT. */
#include "targets/reference/test/host.h"

#include <errno.h>

static int established_v4(void **state)
{
    struct host *h = host_new(4, NULL);
    *state = h;
    peer_connects(h, (struct seg){ .mss = 1460 });
    return 0;
}

static int established_v6(void **state)
{
    struct host *h = host_new(6, NULL);
    *state = h;
    peer_connects(h, (struct seg){ .mss = 1440 });
    return 0;
}

/* ---- the ways to TIME-WAIT and CLOSED ---------------------------------------------------------------------------- */

static void host_closes_first(void **state) /* Figure 12 */
{
    struct host *h = *state;
    ref_close(h->stack, h->handle);
    EXPECT(h, "F.", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_1);
    inject(h, (struct seg){ .flags = ".", .ack = 1 });
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_2);
    h->ack++;
    say(h, (struct seg){ .flags = "F." });
    EXPECT(h, ".", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_TIME_WAIT);
    advance_by(h, 240 * S - 1); /* 2 MSL: MUST-13 */
    EXPECT_STATE(h, TCP_STATE_TIME_WAIT);
    advance_by(h, 1);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

static void peer_closes_first(void **state)
{
    struct host *h = *state;
    uint8_t out[8];
    say(h, (struct seg){ .flags = "F.", .len = 3 });
    EXPECT(h, ".", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_CLOSE_WAIT);
    assert_int_equal(ref_poll(h->stack, h->handle), REF_EVENT_IN | REF_EVENT_OUT | REF_EVENT_READ_HANGUP);
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 3);
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 0);
    assert_int_equal(host_sends(h, 5), 5); /* the other half is open */
    EXPECT(h, "P.", 0, 0, 5);
    ref_close(h->stack, h->handle);
    EXPECT(h, "F.", 5, 0, 0);
    EXPECT_STATE(h, TCP_STATE_LAST_ACK);
    inject(h, (struct seg){ .flags = ".", .ack = 5 });
    EXPECT_STATE(h, TCP_STATE_LAST_ACK);
    inject(h, (struct seg){ .flags = ".", .ack = 6 });
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

static void both_close_at_once(void **state) /* Figure 13 */
{
    struct host *h = *state;
    ref_close(h->stack, h->handle);
    EXPECT(h, "F.", 0, 0, 0);
    say(h, (struct seg){ .flags = "F." });
    EXPECT(h, ".", 1, 0, 0);
    EXPECT_STATE(h, TCP_STATE_CLOSING);
    inject(h, (struct seg){ .flags = ".", .ack = 1 });
    EXPECT_STATE(h, TCP_STATE_TIME_WAIT);
    EXPECT_NOTHING(h);
}

static void fin_that_acknowledges_ours_leads_straight_to_time_wait(void **state) /* Figure 5, note 2 */
{
    struct host *h = *state;
    ref_close(h->stack, h->handle);
    EXPECT(h, "F.", 0, 0, 0);
    say(h, (struct seg){ .flags = "F.", .ack = 1 });
    EXPECT(h, ".", 1, 0, 0);
    EXPECT_STATE(h, TCP_STATE_TIME_WAIT);
}

static void half_closed_connection_still_receives(void **state)
{
    struct host *h = *state;
    uint8_t out[2000];
    assert_int_equal(ref_shutdown(h->stack, h->handle, REF_SHUT_WR), 0);
    EXPECT(h, "F.", 0, 0, 0);
    inject(h, (struct seg){ .flags = ".", .ack = 1 });
    h->ack++;
    assert_int_equal(ref_send(h->stack, h->handle, out, 1, 0), -EPIPE);
    say(h, (struct seg){ .flags = ".", .len = 1000 });
    say(h, (struct seg){ .flags = ".", .len = 1000 });
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 2000);
    assert_int_equal(out[1999], stream_octet(999));
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_2);
    advance_by(h, 3600 * S); /* not an orphan: it may stay */
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_2);
}

static void fin_follows_the_last_octet_of_data(void **state)
{
    struct host *h = *state;
    host_sends(h, 2000);
    EXPECT(h, ".", 0, 0, 1460);
    EXPECT_NOTHING(h); /* Nagle … */
    ref_close(h->stack, h->handle);
    EXPECT(h, "FP.", 1460, 0, 540); /* … does not hold the FIN back (RFC 2525 §2.15) */
}

static void fin_is_retransmitted(void **state)
{
    struct host *h = *state;
    ref_close(h->stack, h->handle);
    EXPECT(h, "F.", 0, 0, 0);
    advance_by(h, S);
    EXPECT(h, "F.", 0, 0, 0);
    advance_by(h, 2 * S);
    EXPECT(h, "F.", 0, 0, 0);
}

static void a_fin_above_a_gap_waits(void **state)
{
    struct host *h = *state;
    inject(h, (struct seg){ .flags = "F.", .seq = 10, .len = 5 });
    EXPECT(h, ".", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    inject(h, (struct seg){ .flags = ".", .len = 10 });
    EXPECT(h, ".", 0, 16, 0);
    EXPECT_STATE(h, TCP_STATE_CLOSE_WAIT);
}

static void orphan_leaves_fin_wait_2_after_a_minute(void **state)
{
    struct host *h = *state;
    ref_close(h->stack, h->handle);
    inject(h, (struct seg){ .flags = ".", .ack = 1 });
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_2);
    advance_by(h, 60 * S - 1);
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_2);
    advance_by(h, 1);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

static void linger2_sets_that_time(void **state)
{
    struct host *h = *state;
    set_option(h, "TCP_LINGER2", 5);
    ref_shutdown(h->stack, h->handle, REF_SHUT_WR);
    inject(h, (struct seg){ .flags = ".", .ack = 1 });
    advance_by(h, 100 * S);
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_2);
    ref_close(h->stack, h->handle); /* only now an orphan */
    advance_by(h, 5 * S - 1);
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_2);
    advance_by(h, 1);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

static void a_fin_stays_within_the_window_with_its_own_number(void **state)
{
    struct host *h = *state;
    inject(h, (struct seg){ .flags = ".", .win = 100 });
    host_sends(h, 100);
    ref_shutdown(h->stack, h->handle, REF_SHUT_WR);
    EXPECT(h, "P.", 0, 0, 100);
    EXPECT_NOTHING(h);
    inject(h, (struct seg){ .flags = ".", .ack = 100, .win = 1 });
    EXPECT(h, "F.", 100, 0, 0);
}

/* ---- data that is lost is told: SHLD-3 --------------------------------------------------------------------------- */

static void close_with_unread_data_resets(void **state)
{
    struct host *h = *state;
    say(h, (struct seg){ .flags = "P.", .len = 5 });
    ref_close(h->stack, h->handle);
    EXPECT(h, "R", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

static void data_after_close_resets(void **state)
{
    struct host *h = *state;
    ref_close(h->stack, h->handle);
    EXPECT(h, "F.", 0, 0, 0);
    inject(h, (struct seg){ .flags = "P.", .ack = 1, .len = 5 });
    EXPECT(h, "R", 1, 0, 0);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

static void linger_0_and_abort_reset(void **state)
{
    struct host *h = *state;
    const int64_t linger[2] = { 1, 0 };
    ref_set_option(h->stack, h->handle, "SO_LINGER", linger, 2);
    host_sends(h, 100);
    EXPECT(h, "P.", 0, 0, 100);
    ref_close(h->stack, h->handle);
    EXPECT(h, "R", 100, 0, 0); /* <SEQ=SND.NXT><CTL=RST> */
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    EXPECT_NOTHING(h);
}

static void an_abort_carries_the_timestamp(void **state) /* RFC 7323 §5.2 */
{
    struct host *h = host_new(4, NULL);
    (void)state;
    h->timestamps = true;
    peer_connects(h, (struct seg){ .mss = 1460 });
    ref_abort(h->stack, h->handle);
    EXPECT(h, "R", 0, 0, 0);
    assert_true(h->options.has_timestamp);
    assert_int_equal(h->options.ts_ecr, h->ts_val);
    host_free(h);
}

/* ---- every synchronized state: resets, SYNs, segments outside the window ----------------------------------------- */

static void to_established(struct host *h) { (void)h; }

static void to_fin_wait_1(struct host *h)
{
    ref_shutdown(h->stack, h->handle, REF_SHUT_WR);
    EXPECT(h, "F.", 0, 0, 0);
    h->ack++;
}

static void to_fin_wait_2(struct host *h)
{
    to_fin_wait_1(h);
    inject(h, (struct seg){ .flags = "." });
}

static void to_close_wait(struct host *h)
{
    say(h, (struct seg){ .flags = "F." });
    EXPECT(h, ".", 0, 0, 0);
}

static void to_closing(struct host *h)
{
    to_fin_wait_1(h);
    say(h, (struct seg){ .flags = "F.", .ack = -1 });
    EXPECT(h, ".", 0, 0, 0);
}

static void to_last_ack(struct host *h)
{
    to_close_wait(h);
    to_fin_wait_1(h);
}

static void to_time_wait(struct host *h)
{
    to_fin_wait_2(h);
    say(h, (struct seg){ .flags = "F." });
    EXPECT(h, ".", 0, 0, 0);
}

static const struct state_row { enum tcp_state state; void (*reach)(struct host *h); int reset_error; } state_rows[] = {
    { TCP_STATE_ESTABLISHED, to_established, ECONNRESET },
    { TCP_STATE_FIN_WAIT_1,  to_fin_wait_1,  ECONNRESET },
    { TCP_STATE_FIN_WAIT_2,  to_fin_wait_2,  ECONNRESET },
    { TCP_STATE_CLOSE_WAIT,  to_close_wait,  EPIPE },
    { TCP_STATE_CLOSING,     to_closing,     0 },
    { TCP_STATE_LAST_ACK,    to_last_ack,    0 },
    { TCP_STATE_TIME_WAIT,   to_time_wait,   0 },
};

static struct host *in_state(const struct state_row *row)
{
    struct host *h = host_new(4, NULL);
    peer_connects(h, (struct seg){ .mss = 1460 });
    row->reach(h);
    EXPECT_STATE(h, row->state);
    return h;
}

static void an_exact_reset_closes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(state_rows); i++) {
        struct host *h = in_state(&state_rows[i]);
        int64_t error;
        inject(h, (struct seg){ .flags = "R", .len = i % 2 ? 20 : 0 }); /* with text or without: SHLD-2 */
        EXPECT_NOTHING(h);
        EXPECT_STATE(h, TCP_STATE_CLOSED);
        ref_get_option(h->stack, h->handle, "SO_ERROR", &error);
        assert_int_equal(error, state_rows[i].reset_error);
        host_free(h);
    }
}

static void an_inexact_reset_is_challenged_and_one_outside_ignored(void **state) /* RFC 5961 §3.2 */
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(state_rows); i++) {
        struct host *h = in_state(&state_rows[i]);
        int32_t window = (int32_t)tcb_of(h)->rcv_wnd;
        inject(h, (struct seg){ .flags = "R", .seq = -1 });
        inject(h, (struct seg){ .flags = "R", .seq = window });
        EXPECT_NOTHING(h);
        inject(h, (struct seg){ .flags = "R", .seq = 1 });
        EXPECT(h, ".", 0, 0, 0);
        inject(h, (struct seg){ .flags = "R.", .seq = window - 1 });
        EXPECT(h, ".", 0, 0, 0);
        EXPECT_STATE(h, state_rows[i].state);
        host_free(h);
    }
}

static void a_syn_is_challenged_wherever_it_lies(void **state) /* RFC 5961 §4.2 */
{
    static const int32_t offsets[] = { 0, -1, 1000, 1000000, -1000000 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(state_rows); i++) {
        if (state_rows[i].state == TCP_STATE_TIME_WAIT)
            continue; /* where it may open a new connection */
        struct host *h = in_state(&state_rows[i]);
        for (size_t n = 0; n < ARRAY_LEN(offsets); n++) {
            inject(h, (struct seg){ .flags = n % 2 ? "S." : "S", .seq = offsets[n] });
            EXPECT(h, ".", 0, 0, 0);
            EXPECT_STATE(h, state_rows[i].state);
        }
        host_free(h);
    }
}

static void unacceptable_segments_are_acknowledged_and_dropped(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(state_rows); i++) {
        struct host *h = in_state(&state_rows[i]);
        int32_t window = (int32_t)tcb_of(h)->rcv_wnd;
        const struct seg bad[] = {
            { .flags = ".", .seq = -1 }, { .flags = ".", .seq = window }, { .flags = "F.", .seq = -100, .len = 20 },
            { .flags = "P.", .seq = window, .len = 10 },
        };
        for (size_t n = 0; n < ARRAY_LEN(bad); n++) {
            inject(h, bad[n]);
            EXPECT(h, ".", 0, 0, 0);
            EXPECT_NOTHING(h);
            EXPECT_STATE(h, state_rows[i].state);
        }
        host_free(h);
    }
}

static void without_an_ack_bit_segments_are_dropped(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(state_rows); i++) {
        struct host *h = in_state(&state_rows[i]);
        inject(h, (struct seg){ .flags = "", .len = 10 });
        inject(h, (struct seg){ .flags = "F" });
        EXPECT_NOTHING(h);
        EXPECT_STATE(h, state_rows[i].state);
        host_free(h);
    }
}

static void acknowledgments_out_of_range_are_challenged(void **state) /* RFC 5961 §5.2 */
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(state_rows); i++) {
        if (state_rows[i].state == TCP_STATE_CLOSE_WAIT || state_rows[i].state == TCP_STATE_LAST_ACK)
            continue; /* no text follows there; the same check */
        struct host *h = in_state(&state_rows[i]);
        int32_t most = (int32_t)tcb_of(h)->max_snd_wnd;
        uint32_t una = tcb_of(h)->snd_una - h->ack;
        inject(h, (struct seg){ .flags = ".", .ack = 1 });
        EXPECT(h, ".", 0, 0, 0);
        inject(h, (struct seg){ .flags = "F.", .ack = (int32_t)una - most - 1 });
        EXPECT(h, ".", 0, 0, 0);
        EXPECT_STATE(h, state_rows[i].state);
        inject(h, (struct seg){ .flags = ".", .ack = (int32_t)una - most }); /* old, but in range */
        EXPECT_NOTHING(h);
        host_free(h);
    }
}

static void challenge_acks_are_limited(void **state) /* RFC 5961 §7: ten in five seconds */
{
    struct host *h = *state;
    for (int i = 0; i < 10; i++) {
        inject(h, (struct seg){ .flags = "R", .seq = 1 });
        EXPECT(h, ".", 0, 0, 0);
    }
    inject(h, (struct seg){ .flags = "S", .seq = 1 });
    advance_by(h, 5 * S - 1);
    inject(h, (struct seg){ .flags = "R", .seq = 1 });
    EXPECT_NOTHING(h);
    advance_by(h, 1);
    for (int i = 0; i < 10; i++) {
        inject(h, (struct seg){ .flags = "R", .seq = 1 });
        EXPECT(h, ".", 0, 0, 0);
    }
    inject(h, (struct seg){ .flags = "R", .seq = 1 });
    EXPECT_NOTHING(h);
}

static void the_application_learns_how_the_connection_ended(void **state) /* MUST-12 */
{
    struct host *h = *state;
    uint8_t out[4];
    say(h, (struct seg){ .flags = "P.", .len = 4 });
    inject(h, (struct seg){ .flags = "R" }); /* "all segment queues should be flushed" */
    assert_int_equal(ref_poll(h->stack, h->handle) & (REF_EVENT_ERROR | REF_EVENT_HANGUP), REF_EVENT_ERROR | REF_EVENT_HANGUP);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 4, 0), -ECONNRESET);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 4, 0), 0);
    assert_int_equal(ref_send(h->stack, h->handle, out, 4, 0), -EPIPE);
    assert_int_equal(ref_shutdown(h->stack, h->handle, REF_SHUT_WR), -ENOTCONN);
    assert_int_equal(ref_close(h->stack, h->handle), 0);
    assert_int_equal(ref_close(h->stack, h->handle), -EBADF);
}

/* ---- TIME-WAIT --------------------------------------------------------------------------------------------------- */

static void a_retransmitted_fin_restarts_2_msl(void **state)
{
    struct host *h = *state;
    to_time_wait(h);
    advance_by(h, 100 * S);
    inject(h, (struct seg){ .flags = "F.", .seq = -1 });
    EXPECT(h, ".", 0, 0, 0);
    advance_by(h, 240 * S - 1);
    EXPECT_STATE(h, TCP_STATE_TIME_WAIT);
    advance_by(h, 1);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

static void pure_acks_in_time_wait_do_not_restart_it(void **state)
{
    struct host *h = *state;
    to_time_wait(h);
    advance_by(h, 100 * S);
    inject(h, (struct seg){ .flags = "." });
    EXPECT_NOTHING(h);
    advance_by(h, 140 * S);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

static void rfc_1337(struct ref_config *c)
{
    c->rfc1337 = true;
}

static void with_rfc_1337_a_reset_does_not_end_time_wait(void **state)
{
    struct host *h = host_new(4, rfc_1337);
    (void)state;
    peer_connects(h, (struct seg){ .mss = 1460 });
    to_time_wait(h);
    inject(h, (struct seg){ .flags = "R" });
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_TIME_WAIT);
    host_free(h);
}

/* RFC 6191 §2, its table of cases: which SYN opens a new connection from TIME-WAIT. */
static const struct reuse_row { const char *says; bool old_ts, new_ts; int32_t ts_offset, seq_offset; bool opens; } reuse_rows[] = {
    { "newer timestamp, older number",          true,  true,   1, -100, true  },
    { "equal timestamp, newer number",          true,  true,   0,    0, true  },
    { "equal timestamp, the FIN's own number",  true,  true,   0,   -1, false },
    { "older timestamp, newer number",          true,  true,  -1,  100, false },
    { "timestamps gone, newer number",          true,  false,  0,    0, true  },
    { "timestamps gone, older number",          true,  false,  0,   -1, false },
    { "timestamps new, older number",           false, true,   1, -100, true  },
    { "none, newer number",                     false, false,  0,    0, true  },
    { "none, older number",                     false, false,  0,   -1, false },
};

static void time_wait_may_be_left_for_a_new_syn(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(reuse_rows); i++) {
        const struct reuse_row *r = &reuse_rows[i];
        struct host *h = host_new(4, NULL);
        struct pkt_option_buffer options = { 0 };
        h->timestamps = r->old_ts;
        peer_connects(h, (struct seg){ .mss = 1460 });
        to_time_wait(h);
        uint32_t old_nxt = tcb_of(h)->snd_nxt;
        h->timestamps = false;
        if (r->new_ts)
            pkt_put_timestamp(&options, h->ts_val + (uint32_t)r->ts_offset, 0);
        inject(h, (struct seg){ .flags = "S", .seq = r->seq_offset, .options = &options });
        if (hear(h) != r->opens)
            fail_msg("%s: expected %s", r->says, r->opens ? "a SYN,ACK" : "silence");
        EXPECT_STATE(h, r->opens ? TCP_STATE_SYN_RECEIVED : TCP_STATE_TIME_WAIT);
        if (r->opens)
            assert_true(seq_gt(h->got.tcp.seq, old_nxt)); /* MAY-2 (1) */
        host_free(h);
    }
}

static void time_wait_returns_if_the_syn_was_an_old_duplicate(void **state) /* MAY-2 (2) */
{
    struct host *h = *state;
    to_time_wait(h);
    advance_by(h, 100 * S);
    inject(h, (struct seg){ .flags = "S", .seq = 1000, .no_timestamp = true, .mss = 1460 });
    assert_true(hear(h));
    EXPECT_STATE(h, TCP_STATE_SYN_RECEIVED);
    inject(h, (struct seg){ .flags = "R", .seq = 1001, .no_timestamp = true });
    EXPECT_STATE(h, TCP_STATE_TIME_WAIT);
    inject(h, (struct seg){ .flags = "F.", .seq = -1 }); /* and it is the old connection */
    EXPECT(h, ".", 0, 0, 0);
    advance_by(h, 240 * S);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

int main(void)
{
#define V4(test) cmocka_unit_test_setup_teardown(test, established_v4, without_host)
#define V6(test) { #test " over IPv6", test, established_v6, without_host, NULL }
    const struct CMUnitTest tests[] = {
        V4(host_closes_first), V6(host_closes_first),
        V4(peer_closes_first), V6(peer_closes_first),
        V4(both_close_at_once), V6(both_close_at_once),
        V4(fin_that_acknowledges_ours_leads_straight_to_time_wait),
        V4(half_closed_connection_still_receives),
        V4(fin_follows_the_last_octet_of_data),
        V4(fin_is_retransmitted),
        V4(a_fin_above_a_gap_waits), V6(a_fin_above_a_gap_waits),
        V4(orphan_leaves_fin_wait_2_after_a_minute),
        V4(linger2_sets_that_time),
        V4(a_fin_stays_within_the_window_with_its_own_number),
        V4(close_with_unread_data_resets),
        V4(data_after_close_resets),
        V4(linger_0_and_abort_reset),
        cmocka_unit_test(an_abort_carries_the_timestamp),
        cmocka_unit_test(an_exact_reset_closes),
        cmocka_unit_test(an_inexact_reset_is_challenged_and_one_outside_ignored),
        cmocka_unit_test(a_syn_is_challenged_wherever_it_lies),
        cmocka_unit_test(unacceptable_segments_are_acknowledged_and_dropped),
        cmocka_unit_test(without_an_ack_bit_segments_are_dropped),
        cmocka_unit_test(acknowledgments_out_of_range_are_challenged),
        V4(challenge_acks_are_limited),
        V4(the_application_learns_how_the_connection_ended),
        V4(a_retransmitted_fin_restarts_2_msl), V6(a_retransmitted_fin_restarts_2_msl),
        V4(pure_acks_in_time_wait_do_not_restart_it),
        cmocka_unit_test(with_rfc_1337_a_reset_does_not_end_time_wait),
        cmocka_unit_test(time_wait_may_be_left_for_a_new_syn),
        V4(time_wait_returns_if_the_syn_was_an_old_duplicate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

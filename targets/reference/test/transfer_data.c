/* RFC 9293 §3.7 and §3.8: segmentation, Nagle, acknowledging, windows, zero-window probes, urgent data, keep-alives, user timeout.
 */
#include "targets/reference/test/host.h"

#include <errno.h>

static int established(void **state)
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

static struct host *with(void (*change)(struct ref_config *), struct seg syn)
{
    struct host *h = host_new(4, change);
    peer_connects(h, syn);
    return h;
}

static int64_t read_all(struct host *h)
{
    uint8_t out[70000];
    return ref_receive(h->stack, h->handle, out, sizeof out, 0);
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

static void acknowledgment_of_one_segment_is_delayed_less_than_half_a_second(void **state) /* MUST-40 */
{
    struct host *h = *state;
    say(h, (struct seg){ .flags = "P.", .len = 10 });
    EXPECT_NOTHING(h);
    advance_by(h, 40 * MS - 1);
    EXPECT_NOTHING(h);
    advance_by(h, 1);
    EXPECT(h, ".", 0, 0, 0);
    advance_by(h, 10 * S);
    EXPECT_NOTHING(h);
}

static void every_second_segment_is_acknowledged_at_once(void **state) /* SHLD-19 */
{
    struct host *h = *state;
    for (int i = 0; i < 3; i++) {
        say(h, (struct seg){ .flags = ".", .len = 1460 });
        EXPECT_NOTHING(h);
        say(h, (struct seg){ .flags = ".", .len = 1460 });
        EXPECT(h, ".", 0, 0, 0);
    }
}

static void acknowledgment_rides_on_data(void **state)
{
    struct host *h = *state;
    say(h, (struct seg){ .flags = "P.", .len = 10 });
    host_sends(h, 20);
    EXPECT(h, "P.", 0, 0, 20);
    advance_by(h, 500 * MS);
    EXPECT_NOTHING(h);
}

static void text_in_any_order_is_delivered_in_order(void **state)
{
    static const struct { int32_t seq; uint32_t len; int32_t ack; } arrivals[] = {
        { 30, 10, 0 }, { 10, 10, 0 }, { 15, 20, 0 }, { 0, 5, 5 }, { 3, 10, 40 }, { 0, 40, 40 },
    };
    struct host *h = *state;
    uint8_t out[64];
    for (size_t i = 0; i < ARRAY_LEN(arrivals); i++) {
        inject(h, (struct seg){ .flags = ".", .seq = arrivals[i].seq, .len = arrivals[i].len });
        EXPECT(h, ".", 0, arrivals[i].ack, 0); /* at once: above a gap, or filling one (RFC 5681 §4.2) */
    }
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 40);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(out[i], stream_octet(i));
}

static void the_first_copy_of_an_octet_counts(void **state)
{
    static const uint8_t other[10] = { 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x' };
    struct host *h = *state;
    uint8_t out[20];
    inject(h, (struct seg){ .flags = ".", .seq = 5, .len = 5 });
    inject(h, (struct seg){ .flags = ".", .seq = 0, .len = 10, .text = other });
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 10);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(out[i], i < 5 ? 'x' : stream_octet(i));
}

static void small_buffer(struct ref_config *c)
{
    c->receive_buffer = 3000;
    c->window_scaling = c->timestamps = false;
}

static void the_right_edge_stays_until_it_can_move_a_segment(void **state) /* MUST-39, SHLD-14 */
{
    struct host *h = with(small_buffer, (struct seg){ .mss = 1460 });
    uint8_t out[1500];
    (void)state;
    say(h, (struct seg){ .flags = ".", .len = 1460 });
    say(h, (struct seg){ .flags = ".", .len = 1460 });
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(h->got.tcp.window, 80);
    say(h, (struct seg){ .flags = ".", .len = 80 });
    advance_by(h, 40 * MS);
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(h->got.tcp.window, 0);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 1000, 0), 1000); /* less than a segment: silence */
    EXPECT_NOTHING(h);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 500, 0), 500);   /* min (Fr * RCV.BUFF, Eff.snd.MSS) */
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(h->got.tcp.window, 1500);
    host_free(h);
}

static void a_window_update_leaves_for_two_segments_or_half_the_buffer(void **state)
{
    struct host *h = *state;
    uint8_t out[60000];
    for (int i = 0; i < 20; i++)
        say(h, (struct seg){ .flags = ".", .len = 1460 });
    while (hear(h))
        ;
    assert_int_equal(ref_receive(h->stack, h->handle, out, 2920, 0), 2920);
    EXPECT_NOTHING(h); /* the field says no more than 65535 without scaling, and that was offered all the time */
    struct host *small = with(small_buffer, (struct seg){ .mss = 500 });
    say(small, (struct seg){ .flags = ".", .len = 1000 });
    say(small, (struct seg){ .flags = ".", .len = 500 });
    EXPECT(small, ".", 0, 0, 0);
    assert_int_equal(small->got.tcp.window, 1500);
    assert_int_equal(ref_receive(small->stack, small->handle, out, 999, 0), 999);
    EXPECT_NOTHING(small);
    assert_int_equal(ref_receive(small->stack, small->handle, out, 1, 0), 1); /* 2 * Eff.snd.MSS */
    EXPECT(small, ".", 0, 0, 0);
    assert_int_equal(small->got.tcp.window, 2500);
    host_free(small);
}

static void status_counts_the_queues(void **state)
{
    struct host *h = *state;
    struct ref_status status;
    say(h, (struct seg){ .flags = ".", .len = 7 });
    host_sends(h, 5000);
    assert_int_equal(ref_handle_status(h->stack, h->handle, &status), 0);
    assert_int_equal(status.state, TCP_STATE_ESTABLISHED);
    assert_int_equal(status.unread_bytes, 7);
    assert_int_equal(status.unacked_bytes, 3 * 1460);
    assert_int_equal(status.unsent_bytes, 5000 - 3 * 1460);
    assert_int_equal(status.snd_nxt - status.snd_una, 3 * 1460);
    assert_int_equal(status.rcv_nxt, h->seq);
}

static void with_a_closed_window_acks_urgs_and_resets_count(void **state) /* MUST-66 */
{
    struct host *h = with(small_buffer, (struct seg){ .mss = 1460 });
    (void)state;
    say(h, (struct seg){ .flags = ".", .len = 1500 });
    say(h, (struct seg){ .flags = ".", .len = 1500 });
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(h->got.tcp.window, 0);
    host_sends(h, 10);
    EXPECT(h, "P.", 0, 0, 10);
    inject(h, (struct seg){ .flags = "U.", .len = 1, .ack = 10, .urgent = 1 }); /* a window probe with news */
    EXPECT(h, ".", 10, 0, 0);
    assert_int_equal(tcb_of(h)->snd_una, h->ack + 10);
    assert_true(ref_poll(h->stack, h->handle) & REF_EVENT_URGENT);
    inject(h, (struct seg){ .flags = "R", .len = 1 });
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    host_free(h);
}

static void scaled_windows_never_move_back_more_than_their_grain(void **state) /* RFC 7323 §2.4 */
{
    struct host *h = *state;
    struct pkt_option_buffer options = { 0 };
    struct host *scaled = host_new(4, NULL);
    (void)h;
    pkt_put_mss(&options, 1460);
    pkt_put_wscale(&options, 0);
    peer_connects(scaled, (struct seg){ .options = &options });
    uint32_t grain = 1u << tcb_of(scaled)->rcv_wscale, edge = 0;
    assert_true(grain > 1);
    for (uint32_t i = 0; i < 80; i++) {
        say(scaled, (struct seg){ .flags = ".", .len = 1401 + i });
        advance_by(scaled, 50 * MS);
        if (!hear(scaled))
            break;
        uint32_t right = scaled->got.tcp.ack - (scaled->seq - 0) + (uint32_t)scaled->got.tcp.window * grain + scaled->seq;
        if (edge)
            assert_true(seq_gt(right + grain, edge));
        edge = right;
    }
    host_free(scaled);
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static void nagle_holds_a_small_segment_while_data_is_out(void **state) /* SHLD-7, MUST-17 */
{
    struct host *h = *state;
    host_sends(h, 10);
    EXPECT(h, "P.", 0, 0, 10);
    host_sends(h, 10);
    host_sends(h, 10);
    EXPECT_NOTHING(h);
    inject(h, (struct seg){ .flags = ".", .ack = 10 });
    EXPECT(h, "P.", 10, 0, 20);
    set_option(h, "TCP_NODELAY", 1);
    host_sends(h, 10);
    EXPECT(h, "P.", 30, 0, 10);
}

static void push_stands_in_the_last_segment_of_what_is_queued(void **state) /* MUST-61 */
{
    struct host *h = *state;
    set_option(h, "TCP_NODELAY", 1);
    host_sends(h, 3000);
    EXPECT(h, ".", 0, 0, 1460);
    EXPECT(h, ".", 1460, 0, 1460);
    EXPECT(h, "P.", 2920, 0, 80);
}

static void the_initial_window_is_rfc_5681s(void **state)
{
    static const struct { uint16_t mss; uint32_t segments; } rows[] = { { 536, 4 }, { 1095, 4 }, { 1096, 3 }, { 1460, 3 } };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct host *h = with(NULL, (struct seg){ .mss = rows[i].mss });
        host_sends(h, 20000);
        for (uint32_t n = 0; n < rows[i].segments; n++)
            EXPECT(h, ".", (int32_t)(n * rows[i].mss), 0, rows[i].mss);
        EXPECT_NOTHING(h);
        host_free(h);
    }
}

static void no_data_goes_beyond_the_window(void **state)
{
    struct host *h = with(NULL, (struct seg){ .mss = 1000, .win = 2500 });
    (void)state;
    host_sends(h, 10000);
    EXPECT(h, ".", 0, 0, 1000);
    EXPECT(h, ".", 1000, 0, 1000);
    EXPECT_NOTHING(h); /* SWS avoidance: 500 octets are less than a segment and than half the window */
    inject(h, (struct seg){ .flags = ".", .ack = 2000, .win = 1400 });
    EXPECT(h, ".", 2000, 0, 1000);
    EXPECT_NOTHING(h);
    host_free(h);
}

static void the_override_timer_ends_sws_avoidance(void **state) /* §3.8.6.2.1 (4) */
{
    struct host *h = with(NULL, (struct seg){ .mss = 1460, .win = 10000 });
    (void)state;
    inject(h, (struct seg){ .flags = ".", .win = 100 });
    host_sends(h, 1000);
    EXPECT_NOTHING(h);
    advance_by(h, 500 * MS - 1);
    EXPECT_NOTHING(h);
    advance_by(h, 1);
    EXPECT(h, ".", 0, 0, 100);
    host_free(h);
}

static void a_shrunk_window_is_survived(void **state) /* MUST-34, SHLD-15, SHLD-16 */
{
    struct host *h = *state;
    host_sends(h, 4000);
    EXPECT(h, ".", 0, 0, 1460);
    EXPECT(h, ".", 1460, 0, 1460);
    EXPECT_NOTHING(h);
    inject(h, (struct seg){ .flags = ".", .win = 500 });
    EXPECT_NOTHING(h);
    advance_by(h, S);
    EXPECT(h, ".", 0, 0, 500); /* old data within SND.UNA+SND.WND */
    EXPECT_NOTHING(h);
}

static void cork_and_more_hold_back_partial_segments_for_a_while(void **state)
{
    struct host *h = *state;
    uint8_t text[2000] = { 0 };
    set_option(h, "TCP_CORK", 1);
    host_sends(h, 100);
    EXPECT_NOTHING(h);
    set_option(h, "TCP_CORK", 0);
    EXPECT(h, "P.", 0, 0, 100);
    inject(h, (struct seg){ .flags = ".", .ack = 100 });
    ref_send(h->stack, h->handle, text, 100, REF_MSG_MORE);
    EXPECT_NOTHING(h);
    advance_by(h, 500 * MS); /* MUST-60: not for ever */
    EXPECT(h, "P.", 100, 0, 100);
}

static void diffserv_and_ttl_are_the_applications(void **state) /* MUST-48, -49, SHLD-21, -22 */
{
    struct host *h = *state;
    set_option(h, "IP_TOS", 0xb9);
    set_option(h, "IP_TTL", 3);
    host_sends(h, 10);
    EXPECT(h, "P.", 0, 0, 10);
    assert_int_equal(h->got.ip.tos, 0xb8); /* the ECN bits are TCP's */
    assert_int_equal(h->got.ip.ttl, 3);
}

static void mss_leaves_room_for_options(void **state) /* RFC 6691 */
{
    struct host *h = host_new(4, NULL);
    (void)state;
    h->timestamps = true;
    peer_connects(h, (struct seg){ .mss = 1000 });
    host_sends(h, 5000);
    assert_true(hear(h));
    assert_int_equal(h->got.tcp.payload_len, h->options.has_timestamp ? 988 : 1000);
    host_free(h);
}

/* ---- zero-window probes: §3.8.6.1 -------------------------------------------------------------------------------- */

static void a_zero_window_is_probed_with_growing_intervals(void **state)
{
    struct host *h = with(NULL, (struct seg){ .mss = 1460, .win = 1460 });
    (void)state;
    host_sends(h, 3000);
    EXPECT(h, ".", 0, 0, 1460);
    inject(h, (struct seg){ .flags = ".", .ack = 1460, .win = ZERO_WINDOW });
    h->ack += 1460;
    EXPECT_NOTHING(h);
    for (int64_t wait_ns = S, i = 0; i < 12; i++) {
        advance_by(h, wait_ns - 1);
        EXPECT_NOTHING(h);
        advance_by(h, 1);
        EXPECT(h, ".", 0, 0, 1); /* SHLD-29, SHLD-30 */
        inject(h, (struct seg){ .flags = ".", .win = ZERO_WINDOW }); /* MUST-37: answered, so it stays open */
        wait_ns = wait_ns * 2 < 240 * S ? wait_ns * 2 : 240 * S;
    }
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    inject(h, (struct seg){ .flags = ".", .win = 4000 });
    EXPECT(h, ".", 0, 0, 1460); /* the probe's octet again, with what follows */
    inject(h, (struct seg){ .flags = ".", .ack = 1460, .win = 4000 });
    EXPECT(h, "P.", 1460, 0, 80);
    host_free(h);
}

static void unanswered_probes_end_the_connection(void **state)
{
    struct host *h = with(NULL, (struct seg){ .mss = 1460, .win = 1460 });
    (void)state;
    host_sends(h, 3000);
    EXPECT(h, ".", 0, 0, 1460);
    inject(h, (struct seg){ .flags = ".", .ack = 1460, .win = ZERO_WINDOW });
    advance_by(h, 99 * S);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    advance_by(h, 3600 * S);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    host_free(h);
}

static void a_window_that_closes_over_data_in_flight_is_probed(void **state) /* MUST-35 */
{
    struct host *h = *state;
    host_sends(h, 2000);
    EXPECT(h, ".", 0, 0, 1460);
    inject(h, (struct seg){ .flags = ".", .win = ZERO_WINDOW });
    advance_by(h, S);
    EXPECT(h, ".", 0, 0, 1);
    inject(h, (struct seg){ .flags = ".", .ack = 1, .win = 5000 });
    EXPECT(h, ".", 1, 0, 1460);
    inject(h, (struct seg){ .flags = ".", .ack = 1461, .win = 5000 });
    EXPECT(h, "P.", 1461, 0, 539);
}

static void two_hosts_that_probe_each_other_agree(void **state) /* RFC 9293 Appendix A.2 */
{
    struct host *h = with(small_buffer, (struct seg){ .mss = 1460, .win = 1460 });
    (void)state;
    say(h, (struct seg){ .flags = ".", .len = 1500 });
    say(h, (struct seg){ .flags = ".", .len = 1500, .win = ZERO_WINDOW });
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(h->got.tcp.window, 0);
    host_sends(h, 100);
    advance_by(h, S);
    EXPECT(h, ".", 0, 0, 1); /* our probe */
    inject(h, (struct seg){ .flags = ".", .len = 1, .win = ZERO_WINDOW }); /* theirs */
    EXPECT(h, ".", 0, 0, 0); /* within their window: not SND.NXT, which they would not accept */
    host_free(h);
}

static void unacceptable_empty_segments_are_not_answered_without_end(void **state)
{
    struct host *h = *state;
    uint32_t answers = 0;
    for (int i = 0; i < 1000; i++) {
        inject(h, (struct seg){ .flags = ".", .seq = -1 });
        answers += hear(h);
    }
    assert_int_equal(answers, REF_EMPTY_ANSWERED_PER_S_MAX);
    advance_by(h, S);
    inject(h, (struct seg){ .flags = ".", .seq = -1 });
    EXPECT(h, ".", 0, 0, 0);
}

static void fin_waits_for_the_window_and_probes_it(void **state)
{
    struct host *h = *state;
    inject(h, (struct seg){ .flags = ".", .win = ZERO_WINDOW });
    ref_shutdown(h->stack, h->handle, REF_SHUT_WR);
    EXPECT_NOTHING(h);
    advance_by(h, S);
    EXPECT(h, "F.", 0, 0, 0);
    inject(h, (struct seg){ .flags = ".", .ack = 1, .win = ZERO_WINDOW });
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_2);
}

/* ---- retransmission and failure: §3.8.1, §3.8.3 ------------------------------------------------------------------ */

static void data_is_retransmitted_with_backoff_until_r2(void **state) /* MUST-20, SHLD-10, SHLD-11 */
{
    struct host *h = *state;
    uint8_t out[4];
    int retransmissions = 0;
    host_sends(h, 10);
    EXPECT(h, "P.", 0, 0, 10);
    int64_t sent_ns = h->now_ns, wait_ns = S, start_ns = sent_ns;
    for (;;) {
        advance_to(h, sent_ns + wait_ns - 1);
        EXPECT_NOTHING(h);
        advance_to(h, sent_ns + wait_ns);
        if (state_of(h) == TCP_STATE_CLOSED)
            break;
        EXPECT(h, "P.", 0, 0, 10);
        retransmissions++;
        sent_ns += wait_ns;
        wait_ns = wait_ns * 2 < 240 * S ? wait_ns * 2 : 240 * S;
    }
    assert_true(retransmissions > 3);
    assert_true(h->now_ns - start_ns >= 100 * S);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 4, 0), -ETIMEDOUT);
}

static void the_user_timeout_replaces_r2(void **state) /* MUST-21 */
{
    struct host *h = *state;
    uint8_t out[4];
    set_option(h, "TCP_USER_TIMEOUT", 5000);
    advance_by(h, 100 * S); /* idle time does not count */
    host_sends(h, 10);
    advance_by(h, 5 * S - 1);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    advance_by(h, 1);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 4, 0), -ETIMEDOUT);
}

static void a_user_timeout_announced_is_adopted_between_its_limits(void **state) /* RFC 5482 §3.1 */
{
    static const struct { uint16_t option; int64_t fixed_ms, adopted_s; } rows[] = {
        { 10, 0, 100 },                 /* L_LIMIT */
        { 500, 0, 500 },
        { 0x8000 | 10, 0, 600 },        /* minutes */
        { 0x8000 | 1000, 0, 3600 },     /* U_LIMIT */
        { 0, 0, 0 },                    /* §3.4 */
        { 500, 7000, 7 },               /* not CHANGEABLE */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct host *h = with(NULL, (struct seg){ .mss = 1460 });
        const int64_t uto[2] = { 1, 50 };
        struct pkt_option_buffer options = { 0 };
        assert_int_equal(ref_set_option(h->stack, h->handle, "REF_UTO", uto, 2), 0);
        if (rows[i].fixed_ms)
            set_option(h, "TCP_USER_TIMEOUT", rows[i].fixed_ms);
        pkt_put_user_timeout(&options, rows[i].option);
        inject(h, (struct seg){ .flags = ".", .options = &options });
        assert_int_equal(tcb_of(h)->user_timeout_ns, rows[i].adopted_s * S);
        host_sends(h, 1);
        assert_true(hear(h));
        assert_true(h->options.has_user_timeout);
        assert_int_equal(h->options.user_timeout, 50);
        host_free(h);
    }
}

/* ---- keep-alives: §3.8.4 ----------------------------------------------------------------------------------------- */

static void keep_alives_are_off_by_default(void **state) /* MUST-25 */
{
    struct host *h = *state;
    assert_int_equal(ref_next_deadline(h->stack), INT64_MAX);
    advance_by(h, 100 * 3600 * S);
    EXPECT_NOTHING(h);
}

static void keep_alives_probe_after_two_hours_and_give_up_after_nine(void **state)
{
    struct host *h = *state;
    set_option(h, "SO_KEEPALIVE", 1);
    advance_by(h, 7200 * S - 1);
    EXPECT_NOTHING(h);
    advance_by(h, 1);
    EXPECT(h, ".", -1, 0, 0); /* SEG.SEQ = SND.NXT-1, no data: SHLD-12 */
    inject(h, (struct seg){ .flags = "." });
    advance_by(h, 7200 * S - 1);
    EXPECT_NOTHING(h);
    advance_by(h, 1);
    for (int i = 0; i < 9; i++) {
        EXPECT(h, ".", -1, 0, 0);
        EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
        advance_by(h, 75 * S);
    }
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

static void an_answered_keep_alive_starts_the_idle_time_anew(void **state) /* also where that is less than the interval of probes */
{
    struct host *h = *state;
    set_option(h, "SO_KEEPALIVE", 1);
    set_option(h, "TCP_KEEPIDLE", 2);
    for (int i = 0; i < 3; i++) {
        advance_by(h, 2 * S);
        EXPECT(h, ".", -1, 0, 0);
        inject(h, (struct seg){ .flags = "." });
    }
}

static void keep_alives_wait_while_data_is_out(void **state) /* MUST-26, MUST-27 */
{
    struct host *h = *state;
    set_option(h, "SO_KEEPALIVE", 1);
    set_option(h, "TCP_KEEPIDLE", 2);
    host_sends(h, 10);
    EXPECT(h, "P.", 0, 0, 10);
    advance_by(h, 2500 * MS);
    EXPECT(h, "P.", 0, 0, 10);
    EXPECT_NOTHING(h);
}

static void a_keep_alive_of_the_peer_is_answered(void **state)
{
    struct host *h = *state;
    inject(h, (struct seg){ .flags = ".", .seq = -1 });
    EXPECT(h, ".", 0, 0, 0);
    inject(h, (struct seg){ .flags = ".", .seq = -1, .len = 1 }); /* with the garbage octet of MAY-6 */
    EXPECT(h, ".", 0, 0, 0);
}

/* ---- urgent data: §3.8.5 ----------------------------------------------------------------------------------------- */

static void urgent_pointer_points_past_the_urgent_data(void **state) /* MUST-62 */
{
    struct host *h = *state;
    assert_int_equal(ref_send(h->stack, h->handle, (const uint8_t *)"abc", 3, REF_MSG_OOB), 3);
    EXPECT(h, "UP.", 0, 0, 3);
    assert_int_equal(h->got.tcp.urgent, 3);
    host_sends(h, 10);
    inject(h, (struct seg){ .flags = ".", .ack = 3 });
    EXPECT(h, "P.", 3, 0, 10); /* no longer in urgent mode */
}

static void urgent_news_travels_with_a_closed_window(void **state)
{
    struct host *h = *state;
    inject(h, (struct seg){ .flags = ".", .win = ZERO_WINDOW });
    ref_send(h->stack, h->handle, (const uint8_t *)"abc", 3, REF_MSG_OOB);
    EXPECT(h, "U.", 0, 0, 0);
    assert_int_equal(h->got.tcp.urgent, 3);
}

static void urgent_data_of_any_length_is_announced_and_found(void **state) /* MUST-31 to -33 */
{
    struct host *h = *state;
    struct ref_report report;
    uint8_t out[3000];
    int64_t at_mark;
    set_option(h, "SO_OOBINLINE", 1);
    say(h, (struct seg){ .flags = "U.", .len = 1000, .urgent = 2000 }); /* more to come */
    assert_true(ref_next_report(h->stack, &report));
    assert_int_equal(report.kind, REF_REPORT_URGENT);
    assert_int_equal(report.value, 2000);
    assert_true(ref_poll(h->stack, h->handle) & REF_EVENT_URGENT);
    say(h, (struct seg){ .flags = "U.", .len = 1000, .urgent = 1000 });
    assert_false(ref_next_report(h->stack, &report)); /* the pointer has not advanced */
    say(h, (struct seg){ .flags = ".", .len = 500 });
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 1999); /* up to the mark */
    ref_ioctl(h->stack, h->handle, "SIOCATMARK", &at_mark);
    assert_true(at_mark);
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 501);
    assert_int_equal(ref_poll(h->stack, h->handle) & REF_EVENT_URGENT, 0);
}

static void out_of_band_octet_is_taken_from_the_stream(void **state)
{
    struct host *h = *state;
    uint8_t out[20];
    int64_t at_mark;
    assert_int_equal(ref_receive(h->stack, h->handle, out, 1, REF_MSG_OOB), -EINVAL);
    inject(h, (struct seg){ .flags = "U.", .urgent = 6 }); /* announced before it comes */
    assert_int_equal(ref_receive(h->stack, h->handle, out, 1, REF_MSG_OOB), -EAGAIN);
    say(h, (struct seg){ .flags = "U.", .len = 10, .urgent = 6 });
    assert_int_equal(ref_receive(h->stack, h->handle, out, 1, REF_MSG_OOB), 1);
    assert_int_equal(out[0], stream_octet(5));
    assert_int_equal(ref_receive(h->stack, h->handle, out, 1, REF_MSG_OOB), -EINVAL);
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 5);
    ref_ioctl(h->stack, h->handle, "SIOCATMARK", &at_mark);
    assert_true(at_mark);
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 4);
    assert_int_equal(out[0], stream_octet(6));
}

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

static void a_full_send_buffer_says_again(void **state)
{
    struct host *h = *state;
    set_option(h, "SO_SNDBUF", 5000);
    assert_int_equal(host_sends(h, 9000), 5000);
    assert_int_equal(host_sends(h, 1), -EAGAIN);
    assert_int_equal(ref_poll(h->stack, h->handle) & REF_EVENT_OUT, 0);
}

static void scarce_buffers(struct ref_config *c)
{
    c->buffer_bytes_max = 4096;
}

static void memory_for_buffers_is_bounded(void **state)
{
    struct host *h = with(scarce_buffers, (struct seg){ .mss = 1460 });
    (void)state;
    assert_int_equal(host_sends(h, 5000), -ENOBUFS);
    assert_int_equal(host_sends(h, 1000), 1000);
    EXPECT(h, "P.", 0, 0, 1000);
    say(h, (struct seg){ .flags = ".", .len = 1460 });
    inject(h, (struct seg){ .flags = ".", .len = 1460 }); /* dropped, not acknowledged */
    EXPECT(h, ".", 1000, 0, 0);
    assert_true(ref_counters(h->stack)->buffers_full >= 2);
    assert_int_equal(read_all(h), 1460);
    host_free(h);
}

int main(void)
{
#define V4(test) cmocka_unit_test_setup_teardown(test, established, without_host)
#define V6(test) { #test " over IPv6", test, established_v6, without_host, NULL }
    const struct CMUnitTest tests[] = {
        V4(acknowledgment_of_one_segment_is_delayed_less_than_half_a_second), V6(acknowledgment_of_one_segment_is_delayed_less_than_half_a_second),
        V4(every_second_segment_is_acknowledged_at_once),
        V4(acknowledgment_rides_on_data),
        V4(text_in_any_order_is_delivered_in_order), V6(text_in_any_order_is_delivered_in_order),
        V4(the_first_copy_of_an_octet_counts),
        cmocka_unit_test(the_right_edge_stays_until_it_can_move_a_segment),
        V4(a_window_update_leaves_for_two_segments_or_half_the_buffer),
        V4(status_counts_the_queues),
        cmocka_unit_test(with_a_closed_window_acks_urgs_and_resets_count),
        V4(scaled_windows_never_move_back_more_than_their_grain),
        V4(nagle_holds_a_small_segment_while_data_is_out),
        V4(push_stands_in_the_last_segment_of_what_is_queued),
        cmocka_unit_test(the_initial_window_is_rfc_5681s),
        cmocka_unit_test(no_data_goes_beyond_the_window),
        cmocka_unit_test(the_override_timer_ends_sws_avoidance),
        V4(a_shrunk_window_is_survived),
        V4(cork_and_more_hold_back_partial_segments_for_a_while),
        V4(diffserv_and_ttl_are_the_applications),
        cmocka_unit_test(mss_leaves_room_for_options),
        cmocka_unit_test(a_zero_window_is_probed_with_growing_intervals),
        cmocka_unit_test(unanswered_probes_end_the_connection),
        V4(a_window_that_closes_over_data_in_flight_is_probed),
        cmocka_unit_test(two_hosts_that_probe_each_other_agree),
        V4(unacceptable_empty_segments_are_not_answered_without_end),
        V4(fin_waits_for_the_window_and_probes_it),
        V4(data_is_retransmitted_with_backoff_until_r2), V6(data_is_retransmitted_with_backoff_until_r2),
        V4(the_user_timeout_replaces_r2),
        cmocka_unit_test(a_user_timeout_announced_is_adopted_between_its_limits),
        V4(keep_alives_are_off_by_default),
        V4(keep_alives_probe_after_two_hours_and_give_up_after_nine),
        V4(an_answered_keep_alive_starts_the_idle_time_anew),
        V4(keep_alives_wait_while_data_is_out),
        V4(a_keep_alive_of_the_peer_is_answered),
        V4(urgent_pointer_points_past_the_urgent_data),
        V4(urgent_news_travels_with_a_closed_window),
        V4(urgent_data_of_any_length_is_announced_and_found),
        V4(out_of_band_octet_is_taken_from_the_stream),
        V4(a_full_send_buffer_says_again),
        cmocka_unit_test(memory_for_buffers_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

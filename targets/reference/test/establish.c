/* RFC 9293 §3.5 and §3.10.7.1 to §3.10.7.3: establishing a connection, and each way it goes wrong. */
#include "targets/reference/test/host.h"

#include <errno.h>

/* ---- CLOSED ------------------------------------------------------------------------------------------------------ */

static const struct closed_row { const char *says, *flags; uint32_t len; const char *answer; int32_t seq, ack; } closed_rows[] = {
    { "a RST is discarded",                    "R",   0, NULL, 0, 0 },
    { "a RST with ACK and text is discarded",  "R.",  5, NULL, 0, 0 },
    { "with ACK: <SEQ=SEG.ACK><CTL=RST>",      ".",   0, "R",  0, 0 },
    { "SYN,ACK: likewise",                     "S.",  0, "R",  0, 0 },
};

static void closed_answers_with_a_reset(void **state)
{
    struct host *h = *state;
    h->ack = 0xfffffff5u;
    for (size_t i = 0; i < ARRAY_LEN(closed_rows); i++) {
        const struct closed_row *r = &closed_rows[i];
        inject(h, (struct seg){ .flags = r->flags, .len = r->len });
        if (r->answer)
            EXPECT(h, r->answer, r->seq, r->ack, 0);
        EXPECT_NOTHING(h);
    }
    inject(h, (struct seg){ .flags = "SF", .len = 3 }); /* no ACK: SEQ=0, ACK=SEG.SEQ+SEG.LEN, the SYN and FIN counted */
    h->ack = 0;
    EXPECT(h, "R.", 0, 5, 0);
}

static void reset_replies_echo_the_timestamp(void **state) /* RFC 7323 §5.2 */
{
    struct host *h = *state;
    h->timestamps = true;
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, "R", 0, 0, 0);
    assert_true(h->options.has_timestamp);
    assert_int_equal(h->options.ts_val, 0);
    assert_int_equal(h->options.ts_ecr, h->ts_val);
}

/* ---- passive OPEN ------------------------------------------------------------------------------------------------ */

static void three_steps_lead_to_established(void **state)
{
    struct host *h = *state;
    struct pkt_endpoint peer;
    host_listens(h);
    assert_int_equal(ref_accept(h->stack, h->listener, NULL), -EAGAIN);
    say(h, (struct seg){ .flags = "S", .mss = 1460 });
    EXPECT_STATE(h, TCP_STATE_SYN_RECEIVED);
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S.", -1, 0, 0);
    assert_int_equal(ref_poll(h->stack, h->listener), 0);
    inject(h, (struct seg){ .flags = "." });
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    assert_int_equal(ref_poll(h->stack, h->listener), REF_EVENT_IN);
    assert_true(ref_accept(h->stack, h->listener, &peer) > 0);
    assert_true(pkt_addr_equal(&peer.addr, &h->peer.addr));
    assert_int_equal(peer.port, PEER_PORT);
}

static void listen_ignores_resets_and_refuses_acknowledgments(void **state)
{
    struct host *h = *state;
    host_listens(h);
    inject(h, (struct seg){ .flags = "R" });
    inject(h, (struct seg){ .flags = "RS" });
    inject(h, (struct seg){ .flags = "" });
    inject(h, (struct seg){ .flags = "F" });
    EXPECT_NOTHING(h);
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, "R", 0, 0, 0);
    inject(h, (struct seg){ .flags = "S." });
    EXPECT(h, "R", 0, 0, 0);
}

static void text_and_fin_on_the_syn_are_processed_once_established(void **state)
{
    struct host *h = *state;
    uint8_t out[10];
    host_listens(h);
    inject(h, (struct seg){ .flags = "SF", .len = 5 });
    h->ack = tcb_of(h)->iss + 1;
    h->seq++;
    EXPECT(h, "S.", -1, 0, 0); /* the SYN alone */
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, ".", 0, 6, 0);   /* now text and FIN, too */
    EXPECT_STATE(h, TCP_STATE_CLOSE_WAIT);
    h->handle = (int)ref_accept(h->stack, h->listener, NULL);
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 5);
    assert_int_equal(out[4], stream_octet(4));
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 0);
}

static void text_alone_on_the_syn_is_kept_as_well(void **state)
{
    struct host *h = *state;
    host_listens(h);
    inject(h, (struct seg){ .flags = "S", .len = 5 });
    h->ack = tcb_of(h)->iss + 1;
    h->seq++;
    EXPECT(h, "S.", -1, 0, 0);
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, ".", 0, 5, 0);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    assert_int_equal(tcb_of(h)->rcv_unread, 5);
}

static void syn_ack_is_retransmitted_and_then_the_entry_expires(void **state)
{
    struct host *h = *state;
    host_listens(h);
    say(h, (struct seg){ .flags = "S" });
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S.", -1, 0, 0);
    int64_t at_ns = 0, wait_ns = S;
    for (int i = 0; i < 7; i++) {
        advance_to(h, at_ns + wait_ns - 1);
        EXPECT_NOTHING(h);
        at_ns += wait_ns;
        advance_to(h, at_ns);
        EXPECT(h, "S.", -1, 0, 0);
        wait_ns *= 2;
    }
    advance_to(h, at_ns + wait_ns);
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    assert_true(at_ns + wait_ns >= 180 * S); /* MUST-23 */
}

static void a_wrong_acknowledgment_in_syn_received_is_reset(void **state)
{
    static const int32_t wrong[] = { -1, 1, 1000 };
    struct host *h = *state;
    host_listens(h);
    say(h, (struct seg){ .flags = "S" });
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S.", -1, 0, 0);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        inject(h, (struct seg){ .flags = ".", .ack = wrong[i] });
        EXPECT(h, "R", wrong[i], 0, 0);
        EXPECT_STATE(h, TCP_STATE_SYN_RECEIVED);
    }
}

static void a_reset_in_syn_received_returns_to_listen(void **state)
{
    struct host *h = *state;
    host_listens(h);
    say(h, (struct seg){ .flags = "S" });
    EXPECT(h, "S.", (int32_t)(tcb_of(h)->iss - h->ack), 0, 0);
    inject(h, (struct seg){ .flags = "R", .seq = 1 }); /* in the window, but not exact: RFC 5961 §3.2 */
    assert_true(hear(h));
    EXPECT_STATE(h, TCP_STATE_SYN_RECEIVED);
    inject(h, (struct seg){ .flags = "R" });
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    struct ref_status status;
    assert_int_equal(ref_status(h->stack, &h->local, &h->peer, &status), 0);
    assert_int_equal(status.state, TCP_STATE_LISTEN);
}

static void a_second_syn_in_syn_received(void **state)
{
    struct host *h = *state;
    host_listens(h);
    say(h, (struct seg){ .flags = "S" });
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S.", -1, 0, 0);
    inject(h, (struct seg){ .flags = "S", .seq = -1 }); /* a duplicate: unacceptable, so an ACK */
    EXPECT(h, ".", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_SYN_RECEIVED);
    inject(h, (struct seg){ .flags = "S", .seq = 100 }); /* in the window: return to LISTEN */
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
}

/* ---- active OPEN ------------------------------------------------------------------------------------------------- */

static void open_actively(struct host *h)
{
    h->handle = (int)ref_socket(h->stack, h->local.addr.version);
    const struct pkt_endpoint local = { .addr = h->local.addr, .port = HOST_PORT };
    assert_int_equal(ref_bind(h->stack, h->handle, &local), 0);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -EINPROGRESS);
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S", -1, 0, 0);
    EXPECT_STATE(h, TCP_STATE_SYN_SENT);
}

static void connect_reports_progress_then_success_once(void **state)
{
    struct host *h = *state;
    open_actively(h);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -EALREADY);
    assert_int_equal(ref_poll(h->stack, h->handle), 0);
    say(h, (struct seg){ .flags = "S.", .mss = 1460 });
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(ref_poll(h->stack, h->handle), REF_EVENT_OUT);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), 0);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -EISCONN);
}

static void a_wrong_acknowledgment_in_syn_sent_is_reset_unless_it_is_a_reset(void **state)
{
    static const int32_t wrong[] = { -1, 1, -2, 5000 };
    struct host *h = *state;
    open_actively(h);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        inject(h, (struct seg){ .flags = "S.", .ack = wrong[i] });
        EXPECT(h, "R", wrong[i], 0, 0);
        inject(h, (struct seg){ .flags = ".", .ack = wrong[i] }); /* a half-open connection is discovered: Figure 9 */
        EXPECT(h, "R", wrong[i], 0, 0);
        inject(h, (struct seg){ .flags = "R.", .ack = wrong[i] });
        EXPECT_NOTHING(h);
        EXPECT_STATE(h, TCP_STATE_SYN_SENT);
    }
}

static void syn_sent_believes_only_resets_that_acknowledge_the_syn(void **state)
{
    struct host *h = *state;
    open_actively(h);
    inject(h, (struct seg){ .flags = "R" });
    inject(h, (struct seg){ .flags = "." }); /* neither SYN nor RST: dropped */
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_SYN_SENT);
    inject(h, (struct seg){ .flags = "R." });
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    assert_true(ref_poll(h->stack, h->handle) & REF_EVENT_ERROR);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -ECONNREFUSED);
}

static void syn_is_retransmitted_for_three_minutes_at_least(void **state)
{
    struct host *h = *state;
    open_actively(h);
    int64_t at_ns = 0, wait_ns = S;
    while (state_of(h) == TCP_STATE_SYN_SENT) {
        advance_to(h, at_ns + wait_ns - 1);
        EXPECT_NOTHING(h);
        at_ns += wait_ns;
        advance_to(h, at_ns);
        if (state_of(h) != TCP_STATE_SYN_SENT)
            break;
        EXPECT(h, "S", -1, 0, 0);
        wait_ns = wait_ns * 2 < 240 * S ? wait_ns * 2 : 240 * S;
    }
    assert_true(at_ns >= 180 * S); /* MUST-23 */
    int64_t error;
    assert_int_equal(ref_get_option(h->stack, h->handle, "SO_ERROR", &error), 0);
    assert_int_equal(error, ETIMEDOUT);
    struct ref_report report;
    assert_true(ref_next_report(h->stack, &report)); /* SHLD-9: told at R1 */
    assert_int_equal(report.kind, REF_REPORT_RETRANSMISSIONS);
    assert_int_equal(report.value, 3);
}

static void simultaneous_open_meets_in_the_middle(void **state) /* Figure 8, MUST-10 */
{
    struct host *h = *state;
    open_actively(h);
    say(h, (struct seg){ .flags = "S", .mss = 1460 });
    EXPECT(h, "S.", -1, 0, 0);
    EXPECT_STATE(h, TCP_STATE_SYN_RECEIVED);
    inject(h, (struct seg){ .flags = "S.", .seq = -1, .mss = 1460 }); /* the SYN,ACK that crossed ours */
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), 0);
}

static void text_on_a_crossing_syn_is_kept(void **state)
{
    struct host *h = *state;
    uint8_t out[10];
    open_actively(h);
    inject(h, (struct seg){ .flags = "S", .len = 5, .mss = 1460 });
    h->seq++;
    EXPECT(h, "S.", -1, 0, 0);
    inject(h, (struct seg){ .flags = ".", .seq = 5 }); /* acknowledges our SYN, above the text: held until then */
    EXPECT(h, ".", 0, 5, 0);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 5);
    assert_int_equal(out[4], stream_octet(4));
}

static void a_reset_refuses_a_simultaneous_open(void **state) /* MUST-11: it did not come from LISTEN */
{
    struct host *h = *state;
    open_actively(h);
    say(h, (struct seg){ .flags = "S" });
    EXPECT(h, "S.", -1, 0, 0);
    inject(h, (struct seg){ .flags = "R" });
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -ECONNREFUSED);
}

static void data_sent_before_the_handshake_waits_for_it(void **state)
{
    struct host *h = *state;
    open_actively(h);
    assert_int_equal(host_sends(h, 100), 100);
    EXPECT_NOTHING(h);
    say(h, (struct seg){ .flags = "S.", .mss = 1460, .len = 4 });
    EXPECT(h, "P.", 0, 0, 100); /* acknowledges the SYN and its text */
    assert_int_equal(h->got.tcp.ack, h->seq);
}

static void close_in_syn_sent_deletes_and_in_syn_received_sends_fin(void **state)
{
    struct host *h = *state;
    open_actively(h);
    ref_close(h->stack, h->handle);
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    open_actively(h);
    say(h, (struct seg){ .flags = "S" });
    EXPECT(h, "S.", -1, 0, 0);
    ref_close(h->stack, h->handle);
    EXPECT(h, "F.", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_1);
    inject(h, (struct seg){ .flags = ".", .ack = 1 });
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_2);
}

static void the_first_rto_for_data_is_3_s_after_a_lost_syn(void **state) /* RFC 6298 (5.7) */
{
    struct host *h = *state;
    open_actively(h);
    advance_to(h, S);
    EXPECT(h, "S", -1, 0, 0);
    say(h, (struct seg){ .flags = "S.", .mss = 1460 });
    EXPECT(h, ".", 0, 0, 0);
    host_sends(h, 3000);
    EXPECT(h, ".", 0, 0, 1460); /* and the initial window is one segment: RFC 5681 §3.1 */
    EXPECT_NOTHING(h);
    advance_to(h, 4 * S - 1);
    EXPECT_NOTHING(h);
    advance_to(h, 4 * S);
    EXPECT(h, ".", 0, 0, 1460);
}

/* ---- addresses: MUST-46, MUST-57, MUST-63 ------------------------------------------------------------------------ */

static const struct address_row { const char *says, *src, *dst; } address_rows[] = {
    { "from a multicast address",          "224.0.0.1",       "192.0.2.2"   },
    { "from the limited broadcast",        "255.255.255.255", "192.0.2.2"   },
    { "from the link's broadcast",         "192.0.2.255",     "192.0.2.2"   },
    { "from the link's network",           "192.0.2.0",       "192.0.2.2"   },
    { "from this host on this network",    "0.0.0.0",         "192.0.2.2"   },
    { "from loopback",                     "127.0.0.1",       "192.0.2.2"   },
    { "from itself",                       "192.0.2.2",       "192.0.2.2"   },
    { "to a multicast address",            "198.51.100.1",    "224.0.0.1"   },
    { "to the link's broadcast",           "198.51.100.1",    "192.0.2.255" },
    { "to somebody else",                  "198.51.100.1",    "192.0.2.3"   },
};

static const struct address_row address_rows_v6[] = {
    { "from the unspecified address",      "::",              "2001:db8::2" },
    { "from loopback",                     "::1",             "2001:db8::2" },
    { "from a multicast address",          "ff02::1",         "2001:db8::2" },
    { "from itself",                       "2001:db8::2",     "2001:db8::2" },
    { "to all nodes",                      "2001:db8:1::1",   "ff02::1"     },
    { "to somebody else",                  "2001:db8:1::1",   "2001:db8::3" },
};

static void syns_with_impossible_addresses_are_silently_discarded(void **state)
{
    struct host *h = *state;
    bool v4 = h->local.addr.version == 4;
    const struct address_row *rows = v4 ? address_rows : address_rows_v6;
    host_listens(h);
    for (size_t i = 0; i < (v4 ? ARRAY_LEN(address_rows) : ARRAY_LEN(address_rows_v6)); i++) {
        pkt_addr_parse(rows[i].src, &h->peer.addr);
        pkt_addr_parse(rows[i].dst, &h->local.addr);
        inject(h, (struct seg){ .flags = "S" });
        inject(h, (struct seg){ .flags = "." });
        if (hear(h))
            fail_msg("a segment %s was answered", rows[i].says);
    }
}

static void connect_refuses_impossible_addresses(void **state)
{
    static const char *const text[] = { "224.0.0.1", "255.255.255.255", "192.0.2.255", "0.0.0.0", "127.0.0.1", "192.0.2.2" };
    struct host *h = *state;
    h->handle = (int)ref_socket(h->stack, 4);
    for (size_t i = 0; i < ARRAY_LEN(text); i++) {
        struct pkt_endpoint remote = { .port = 1 };
        pkt_addr_parse(text[i], &remote.addr);
        assert_int_equal(ref_connect(h->stack, h->handle, &remote), -ENETUNREACH);
    }
    const struct pkt_endpoint unspecified = { .port = 1 }, no_port = { .addr = h->peer.addr };
    assert_int_equal(ref_connect(h->stack, h->handle, &unspecified), -EINVAL);
    assert_int_equal(ref_connect(h->stack, h->handle, &no_port), -EINVAL);
    EXPECT_NOTHING(h);
}

/* ---- options of the handshake ------------------------------------------------------------------------------------ */

static void syn_offers_what_the_rfcs_recommend(void **state)
{
    struct host *h = *state;
    open_actively(h);
    assert_true(h->options.has_mss && h->options.has_wscale && h->options.sack_permitted && h->options.has_timestamp);
    assert_int_equal(h->options.mss, h->local.addr.version == 4 ? 1460 : 1440); /* RFC 6691, RFC 8200 §8.3 */
    assert_int_equal(h->options.ts_ecr, 0);
    assert_int_equal(h->options.wscale, 2); /* for 131072 octets */
    assert_int_equal(h->got.tcp.window, UINT16_MAX);
    assert_false(h->options.has_fastopen || h->options.has_user_timeout);
    assert_int_equal(h->got.tcp.flags & (PKT_ECE | PKT_CWR), 0); /* off by default */
    assert_true(h->got.ip.version == 6 || h->got.ip.dont_fragment);
}

static void syn_ack_answers_only_what_the_syn_offered(void **state)
{
    struct host *h = *state;
    host_listens(h);
    say(h, (struct seg){ .flags = "S" });
    assert_true(hear(h));
    assert_true(h->options.has_mss);
    assert_false(h->options.has_wscale || h->options.sack_permitted || h->options.has_timestamp);
    inject(h, (struct seg){ .flags = ".", .ack = (int32_t)(h->got.tcp.seq + 1 - h->ack) });
    h->handle = (int)ref_accept(h->stack, h->listener, NULL);
    assert_int_equal(tcb_of(h)->snd_mss, h->local.addr.version == 4 ? 536 : 1220); /* MUST-15 */
}

static void window_scale_above_14_counts_as_14(void **state) /* RFC 7323 §2.3 */
{
    struct host *h = *state;
    struct pkt_option_buffer options = { 0 };
    pkt_put_wscale(&options, 200);
    peer_connects(h, (struct seg){ .options = &options });
    assert_int_equal(tcb_of(h)->snd_wscale, 14);
    assert_int_equal(tcb_of(h)->snd_wnd, UINT16_MAX << 14);
}

static void illegal_and_unknown_options_do_no_harm(void **state) /* MUST-5, -6, -7 */
{
    static const uint8_t unknown[3] = { 1, 2, 3 };
    struct host *h = *state;
    struct pkt_option_buffer options = { 0 };
    pkt_put_raw_option(&options, 222, 5, unknown, 3);
    pkt_put_nop(&options);
    pkt_put_mss(&options, 1000); /* not on a word boundary: MUST-64 */
    pkt_put_raw_option(&options, 254, 0, NULL, 0); /* length zero */
    peer_connects(h, (struct seg){ .options = &options });
    assert_int_equal(tcb_of(h)->snd_mss, 1000);
    inject(h, (struct seg){ .flags = ".", .options = &options });
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
}

int main(void)
{
#define V4(test) cmocka_unit_test_setup_teardown(test, with_host_v4, without_host)
#define V6(test) { #test " over IPv6", test, with_host_v6, without_host, NULL }
    const struct CMUnitTest tests[] = {
        V4(closed_answers_with_a_reset), V6(closed_answers_with_a_reset),
        V4(reset_replies_echo_the_timestamp),
        V4(three_steps_lead_to_established), V6(three_steps_lead_to_established),
        V4(listen_ignores_resets_and_refuses_acknowledgments),
        V4(text_and_fin_on_the_syn_are_processed_once_established),
        V4(text_alone_on_the_syn_is_kept_as_well),
        V4(syn_ack_is_retransmitted_and_then_the_entry_expires),
        V4(a_wrong_acknowledgment_in_syn_received_is_reset),
        V4(a_reset_in_syn_received_returns_to_listen), V6(a_reset_in_syn_received_returns_to_listen),
        V4(a_second_syn_in_syn_received),
        V4(connect_reports_progress_then_success_once), V6(connect_reports_progress_then_success_once),
        V4(a_wrong_acknowledgment_in_syn_sent_is_reset_unless_it_is_a_reset),
        V4(syn_sent_believes_only_resets_that_acknowledge_the_syn),
        V4(syn_is_retransmitted_for_three_minutes_at_least),
        V4(simultaneous_open_meets_in_the_middle), V6(simultaneous_open_meets_in_the_middle),
        V4(text_on_a_crossing_syn_is_kept),
        V4(a_reset_refuses_a_simultaneous_open),
        V4(data_sent_before_the_handshake_waits_for_it),
        V4(close_in_syn_sent_deletes_and_in_syn_received_sends_fin),
        V4(the_first_rto_for_data_is_3_s_after_a_lost_syn),
        V4(syns_with_impossible_addresses_are_silently_discarded), V6(syns_with_impossible_addresses_are_silently_discarded),
        V4(connect_refuses_impossible_addresses),
        V4(syn_offers_what_the_rfcs_recommend), V6(syn_offers_what_the_rfcs_recommend),
        V4(syn_ack_answers_only_what_the_syn_offered), V6(syn_ack_answers_only_what_the_syn_offered),
        V4(window_scale_above_14_counts_as_14),
        V4(illegal_and_unknown_options_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

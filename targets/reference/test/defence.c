/* Floods and forgeries: the SYN backlog and cookies (RFC 4987), bounds, ICMP (RFC 9293 §3.9.2.2, RFC 5927), path MTU (RFC 1191,
 * 8201), fragments, echo. */
#include "targets/reference/test/host.h"

#include <errno.h>

/* ---- SYN flood --------------------------------------------------------------------------------------------------- */

static void small_backlog(struct ref_config *c)
{
    c->syn_backlog_max = 4;
}

static void small_backlog_no_cookies(struct ref_config *c)
{
    small_backlog(c);
    c->syncookies = REF_SYNCOOKIES_OFF;
}

static void flood(struct host *h, int count)
{
    uint16_t port = h->peer.port;
    for (int i = 0; i < count; i++) {
        h->peer.port = (uint16_t)(10000 + i);
        inject(h, (struct seg){ .flags = "S", .mss = 1460 });
    }
    h->peer.port = port;
    while (hear(h))
        ;
}

static void without_cookies_a_full_backlog_drops_syns_until_entries_expire(void **state)
{
    struct host *h = host_new(4, small_backlog_no_cookies);
    (void)state;
    host_listens(h);
    flood(h, 10);
    inject(h, (struct seg){ .flags = "S" });
    EXPECT_NOTHING(h);
    assert_int_equal(HASH_COUNT(h->stack->connections), 4);
    advance_by(h, 600 * S);
    while (hear(h))
        ;
    assert_null(h->stack->connections);
    peer_connects(h, (struct seg){ .mss = 1460 });
    host_free(h);
}

static void with_cookies_a_legitimate_client_is_served_during_the_flood(void **state)
{
    struct host *h = host_new(4, small_backlog);
    (void)state;
    host_listens(h);
    flood(h, 100);
    assert_int_equal(HASH_COUNT(h->stack->connections), 4);
    h->timestamps = true;
    peer_connects(h, (struct seg){ .mss = 1460 });
    assert_int_equal(ref_counters(h->stack)->cookies_accepted, 1);
    assert_int_equal(tcb_of(h)->snd_mss, 1460);
    assert_true(tcb_of(h)->timestamps);
    say(h, (struct seg){ .flags = "P.", .len = 5 });
    host_sends(h, 3);
    EXPECT(h, "P.", 0, 0, 3);
    host_free(h);
}

static void always_cookies(struct ref_config *c)
{
    c->syncookies = REF_SYNCOOKIES_ALWAYS;
}

static void a_cookie_keeps_no_state_and_carries_options_in_the_timestamp(void **state)
{
    static const struct { bool timestamp, wscale, sack; } rows[] = { { true, true, true }, { true, false, true }, { true, true, false },
                                                                     { false, true, true } };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct host *h = host_new(i % 2 ? 6 : 4, always_cookies);
        struct pkt_option_buffer options = { 0 };
        host_listens(h);
        advance_by(h, 1000 * S);
        pkt_put_mss(&options, 1400);
        if (rows[i].wscale)
            pkt_put_wscale(&options, 5);
        if (rows[i].sack)
            pkt_put_sack_permitted(&options);
        if (rows[i].timestamp)
            pkt_put_timestamp(&options, h->ts_val, 0);
        say(h, (struct seg){ .flags = "S", .options = &options });
        assert_null(h->stack->connections);
        assert_true(hear(h));
        h->ack = h->got.tcp.seq + 1;
        h->timestamps = h->options.has_timestamp;
        bool scaled = rows[i].timestamp && rows[i].wscale, sacked = rows[i].timestamp && rows[i].sack;
        assert_int_equal(h->options.has_wscale, scaled); /* only what will be remembered is agreed upon */
        assert_int_equal(h->options.sack_permitted, sacked);
        inject(h, (struct seg){ .flags = ".", .len = 5 }); /* the first data completes the handshake as well as a bare ACK */
        EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
        assert_int_equal(tcb_of(h)->snd_mss, 1360); /* a table value not above the MSS of the SYN */
        assert_int_equal(tcb_of(h)->sack, sacked);
        assert_int_equal(tcb_of(h)->window_scaling, scaled);
        assert_int_equal(tcb_of(h)->snd_wscale, scaled ? 5 : 0);
        assert_int_equal(tcb_of(h)->rcv_unread, 5);
        host_free(h);
    }
}

static const struct forged_row { const char *says; int32_t ack, seq; int64_t later_ns; uint16_t port; bool opens; } forged_rows[] = {
    { "the right one",           0, 0,   0,               0, true  },
    { "a minute later",          0, 0,   60000000000,     0, true  },
    { "too late",                0, 0,   200000000000,    0, false },
    { "one off",                 1, 0,   0,               0, false },
    { "another hash",       -65536, 0,   0,               0, false },
    { "another ISN",             0, 1,   0,               0, false },
    { "another port",            0, 0,   0,               1, false },
};

static void forged_or_expired_cookies_open_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forged_rows); i++) {
        const struct forged_row *r = &forged_rows[i];
        struct host *h = host_new(4, always_cookies);
        host_listens(h);
        advance_by(h, 1000 * S);
        say(h, (struct seg){ .flags = "S", .mss = 1460 });
        assert_true(hear(h));
        h->ack = h->got.tcp.seq + 1;
        advance_by(h, r->later_ns);
        h->peer.port = (uint16_t)(h->peer.port + r->port);
        inject(h, (struct seg){ .flags = ".", .ack = r->ack, .seq = r->seq });
        if ((state_of(h) == TCP_STATE_ESTABLISHED) != r->opens)
            fail_msg("%s: expected %s", r->says, r->opens ? "a connection" : "none");
        if (!r->opens)
            EXPECT(h, "R", r->ack, r->seq, 0);
        host_free(h);
    }
}

static void no_cookie_is_believed_unless_some_were_sent(void **state)
{
    struct host *h = *state;
    host_listens(h);
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, "R", 0, 0, 0);
    assert_null(h->stack->connections);
}

/* ---- the accept queue and the table ------------------------------------------------------------------------------ */

static void handshake_from(struct host *h, uint16_t port)
{
    h->peer.port = port;
    inject(h, (struct seg){ .flags = "S", .mss = 1460 });
    while (hear(h)) {
        if (h->got.tcp.flags == (PKT_SYN | PKT_ACK))
            inject(h, (struct seg){ .flags = ".", .seq = 1, .ack = (int32_t)(h->got.tcp.seq + 1 - h->ack) });
    }
}

static void a_full_accept_queue_ignores_newcomers(void **state)
{
    struct host *h = *state;
    host_listens(h);
    ref_listen(h->stack, h->listener, 2); /* changes the backlog */
    for (uint16_t port = 6000; port < 6005; port++)
        handshake_from(h, port);
    int accepted = 0;
    while (ref_accept(h->stack, h->listener, NULL) >= 0)
        accepted++;
    assert_int_equal(accepted, 2);
    assert_true(ref_counters(h->stack)->accept_queue_full > 0);
    handshake_from(h, 6010);
    assert_true(ref_accept(h->stack, h->listener, NULL) >= 0);
}

static void abort_on_overflow(struct ref_config *c)
{
    c->abort_on_overflow = true;
}

static void overflow_of_the_last_step_waits_or_aborts(void **state)
{
    (void)state;
    for (int abort = 0; abort < 2; abort++) {
        struct host *h = host_new(4, abort ? abort_on_overflow : NULL);
        host_listens(h);
        ref_listen(h->stack, h->listener, 1);
        inject(h, (struct seg){ .flags = "S" });
        assert_true(hear(h));
        uint32_t first = h->got.tcp.seq;
        handshake_from(h, 6001); /* overtakes it */
        h->peer.port = PEER_PORT;
        h->ack = first + 1;
        h->seq++;
        inject(h, (struct seg){ .flags = "." });
        EXPECT_STATE(h, abort ? TCP_STATE_CLOSED : TCP_STATE_SYN_RECEIVED);
        if (abort)
            EXPECT(h, "R", 0, 0, 0);
        EXPECT_NOTHING(h);
        if (!abort) {
            assert_true(ref_accept(h->stack, h->listener, NULL) >= 0);
            inject(h, (struct seg){ .flags = "." });
            EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
        }
        host_free(h);
    }
}

static void four_connections(struct ref_config *c)
{
    c->connections_max = 4;
}

static void a_full_table_evicts_time_wait_and_orphans_but_nothing_in_use(void **state)
{
    struct host *h = host_new(4, four_connections);
    int handles[4];
    (void)state;
    host_listens(h);
    for (int i = 0; i < 4; i++) {
        handshake_from(h, (uint16_t)(6000 + i));
        handles[i] = (int)ref_accept(h->stack, h->listener, NULL);
    }
    inject(h, (struct seg){ .flags = "S" }); /* from the last port again: challenged, not opened */
    while (hear(h))
        ;
    handshake_from(h, 7000);
    assert_int_equal(ref_accept(h->stack, h->listener, NULL), -EAGAIN);
    assert_true(ref_counters(h->stack)->connections_full > 0);
    ref_close(h->stack, handles[2]); /* an orphan now (RFC 6429 §4) */
    while (hear(h))
        ;
    handshake_from(h, 7000);
    assert_true(ref_accept(h->stack, h->listener, NULL) >= 0);
    assert_int_equal(ref_counters(h->stack)->evicted, 1);
    assert_int_equal(HASH_COUNT(h->stack->connections), 4);
    host_free(h);
}

static void small_queue(struct ref_config *c)
{
    c->output_queue_bytes_max = 16000;
}

static void data_waits_while_the_output_queue_is_full(void **state)
{
    struct host *h = host_new(4, small_queue);
    (void)state;
    peer_connects(h, (struct seg){ .mss = 1460 });
    tcb_of(h)->cwnd = 60000;
    set_option(h, "SO_SNDBUF", 60000);
    set_option(h, "TCP_NODELAY", 1);
    host_sends(h, 50000);
    uint32_t sent = tcb_of(h)->snd_nxt - h->ack;
    assert_true(sent < 16000);
    uint32_t heard = 0;
    while (hear(h)) {
        assert_int_equal(h->got.tcp.seq, h->ack + heard);
        heard += h->got.tcp.payload_len;
    }
    assert_int_equal(heard, 50000); /* taking packets out lets the rest follow */
    host_free(h);
}

static void answers_nobody_takes_are_dropped_at_the_bound(void **state)
{
    struct host *h = host_new(4, small_queue);
    uint64_t count = 0;
    (void)state;
    for (int i = 0; i < 2000; i++)
        inject(h, (struct seg){ .flags = "." });
    while (hear(h))
        count++;
    assert_in_range(count, 100, 400);
    assert_int_equal(count + ref_counters(h->stack)->output_queue_full, 2000);
    host_free(h);
}

static void orphans_in_fin_wait_2_go_before_others(void **state)
{
    struct host *h = host_new(4, four_connections);
    int handles[4];
    (void)state;
    host_listens(h);
    for (int i = 0; i < 4; i++) {
        handshake_from(h, (uint16_t)(6000 + i));
        handles[i] = (int)ref_accept(h->stack, h->listener, NULL);
    }
    ref_close(h->stack, handles[0]); /* FIN-WAIT-1 */
    ref_close(h->stack, handles[1]);
    h->peer.port = 6001;
    h->ack = tcb_of(h)->snd_nxt;
    inject(h, (struct seg){ .flags = ".", .seq = 1 }); /* FIN-WAIT-2 */
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_2);
    handshake_from(h, 7000);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    h->peer.port = 6001;
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    h->peer.port = 6000;
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_1);
    host_free(h);
}

/* ---- ICMP -------------------------------------------------------------------------------------------------------- */

struct error_spec { uint8_t type, code; uint32_t rest; int32_t seq; uint16_t quoted_len; };

/* An ICMP error about a segment of ours, seq being its offset from h->ack. */
static void icmp_error(struct host *h, struct error_spec e)
{
    static const uint8_t text[2000];
    uint8_t quoted[PKT_BYTES_MAX], bytes[PKT_BYTES_MAX];
    bool v4 = h->local.addr.version == 4;
    const struct pkt_spec ours = {
        .protocol = PKT_PROTO_TCP, .src = h->local.addr, .dst = h->peer.addr, .src_port = h->local.port, .dst_port = h->peer.port,
        .seq = h->ack + (uint32_t)e.seq, .flags = PKT_ACK, .payload = text, .payload_len = e.quoted_len,
    };
    ssize_t quoted_len = pkt_build(h->builder, &ours, quoted, sizeof quoted);
    const struct pkt_spec error = {
        .protocol = v4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6, .src = h->peer.addr, .dst = h->local.addr, .icmp_type = e.type, .icmp_code = e.code,
        .icmp_rest = e.rest, .payload = quoted, .payload_len = quoted_len < 48 ? (uint32_t)quoted_len : v4 ? 28 : 48,
    };
    ssize_t len = pkt_build(h->builder, &error, bytes, sizeof bytes);
    assert_true(len > 0);
    ref_input(h->stack, bytes, (size_t)len, h->now_ns);
}

static const struct icmp_row { const char *says; uint8_t version, type, code; int error; bool hard; } icmp_rows[] = {
    { "network unreachable",             4,  3,  0, ENETUNREACH,  false },
    { "host unreachable",                4,  3,  1, EHOSTUNREACH, false },
    { "protocol unreachable",            4,  3,  2, ENOPROTOOPT,  true  },
    { "port unreachable",                4,  3,  3, ECONNREFUSED, true  },
    { "source route failed",             4,  3,  5, EOPNOTSUPP,   false },
    { "administratively prohibited",     4,  3, 13, EHOSTUNREACH, false },
    { "source quench",                   4,  4,  0, 0,            false },
    { "time to live exceeded",           4, 11,  0, EHOSTUNREACH, false },
    { "reassembly time exceeded",        4, 11,  1, EHOSTUNREACH, false },
    { "parameter problem",               4, 12,  0, EPROTO,       false },
    { "no route",                        6,  1,  0, EHOSTUNREACH, false },
    { "administratively prohibited",     6,  1,  1, EACCES,       true  },
    { "address unreachable",             6,  1,  3, EHOSTUNREACH, false },
    { "port unreachable",                6,  1,  4, ECONNREFUSED, true  },
    { "hop limit exceeded",              6,  3,  0, EHOSTUNREACH, false },
    { "parameter problem",               6,  4,  1, EPROTO,       false },
};

static void icmp_errors_are_told_and_only_hard_ones_stop_an_open(void **state) /* MUST-54 to -56, SHLD-25, -26 */
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(icmp_rows); i++) {
        const struct icmp_row *r = &icmp_rows[i];
        struct host *h = host_new(r->version, NULL);
        struct ref_report report = { .value = 0 };
        h->handle = (int)ref_socket(h->stack, r->version);
        const struct pkt_endpoint local = { .port = HOST_PORT };
        ref_bind(h->stack, h->handle, &local);
        ref_connect(h->stack, h->handle, &h->peer);
        h->ack = tcb_of(h)->iss;
        icmp_error(h, (struct error_spec){ .type = r->type, .code = r->code, .seq = 1 }); /* another sequence number: RFC 5927 §4.1 */
        icmp_error(h, (struct error_spec){ .type = r->type, .code = r->code, .seq = -1 });
        EXPECT_STATE(h, TCP_STATE_SYN_SENT);
        assert_false(ref_next_report(h->stack, &report));
        icmp_error(h, (struct error_spec){ .type = r->type, .code = r->code });
        if ((state_of(h) == TCP_STATE_CLOSED) != r->hard)
            fail_msg("IPv%d %s: expected the open to %s", r->version, r->says, r->hard ? "fail" : "go on");
        if (r->hard) {
            assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -r->error);
        } else {
            assert_int_equal(ref_next_report(h->stack, &report), r->error != 0);
            assert_int_equal(report.value, r->error);
            advance_by(h, 1000 * S); /* and is the reason in the end */
            assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -(r->error ? r->error : ETIMEDOUT));
        }
        host_free(h);
    }
}

static void icmp_errors_never_abort_what_is_established(void **state) /* RFC 5927 §5.2 */
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(icmp_rows); i++) {
        struct host *h = host_new(icmp_rows[i].version, NULL);
        peer_connects(h, (struct seg){ .mss = 1460 });
        host_sends(h, 100);
        icmp_error(h, (struct error_spec){ .type = icmp_rows[i].type, .code = icmp_rows[i].code });
        EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
        host_free(h);
    }
}

static void a_hard_error_ends_a_half_open_entry_and_not_the_listener(void **state)
{
    struct host *h = *state;
    host_listens(h);
    say(h, (struct seg){ .flags = "S" });
    h->ack = tcb_of(h)->iss;
    icmp_error(h, (struct error_spec){ .type = 3, .code = 3 });
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    struct ref_status status;
    assert_int_equal(ref_status(h->stack, &h->local, &h->peer, &status), 0);
    assert_int_equal(status.state, TCP_STATE_LISTEN);
}

static void progress_clears_a_soft_error(void **state)
{
    struct host *h = *state;
    uint8_t out[4];
    peer_connects(h, (struct seg){ .mss = 1460 });
    host_sends(h, 10);
    icmp_error(h, (struct error_spec){ .type = 3, .code = 1 });
    inject(h, (struct seg){ .flags = ".", .ack = 10 });
    host_sends(h, 10);
    advance_by(h, 3600 * S);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 4, 0), -ETIMEDOUT);
}

static void hard_errors_abort(struct ref_config *c)
{
    c->hard_errors_abort = true;
}

static void hard_errors_may_be_configured_to_abort(void **state) /* SHLD-26 */
{
    struct host *h = host_new(4, hard_errors_abort);
    (void)state;
    peer_connects(h, (struct seg){ .mss = 1460 });
    host_sends(h, 100);
    icmp_error(h, (struct error_spec){ .type = 3, .code = 3, .seq = 100 }); /* not in flight */
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    icmp_error(h, (struct error_spec){ .type = 3, .code = 3 });
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    host_free(h);
}

static void reports_can_be_turned_off(void **state) /* SHLD-20 */
{
    struct host *h = *state;
    struct ref_report report;
    peer_connects(h, (struct seg){ .mss = 1460 });
    set_option(h, "REF_REPORTS", 0);
    host_sends(h, 100);
    icmp_error(h, (struct error_spec){ .type = 3, .code = 1 });
    assert_false(ref_next_report(h->stack, &report));
}

static void reports_are_bounded_and_the_newest_kept(void **state)
{
    struct host *h = *state;
    struct ref_report report;
    int count = 0;
    peer_connects(h, (struct seg){ .mss = 1460 });
    host_sends(h, 100);
    for (int i = 0; i < REF_REPORTS_MAX + 5; i++)
        icmp_error(h, (struct error_spec){ .type = 3, .code = i < 5 ? 0 : 1 });
    icmp_error(h, (struct error_spec){ .type = 3, .code = 0 });
    while (ref_next_report(h->stack, &report)) { /* the oldest first */
        count++;
        assert_int_equal(report.value, count < REF_REPORTS_MAX ? EHOSTUNREACH : ENETUNREACH);
    }
    assert_int_equal(count, REF_REPORTS_MAX);
    assert_int_equal(ref_counters(h->stack)->reports_lost, 6);
}

/* ---- path MTU ---------------------------------------------------------------------------------------------------- */

static void too_big(struct host *h, uint32_t mtu, int32_t seq)
{
    bool v4 = h->local.addr.version == 4;
    icmp_error(h, (struct error_spec){ .type = v4 ? 3 : 2, .code = v4 ? 4 : 0, .rest = mtu, .seq = seq, .quoted_len = 1460 });
}

static void a_smaller_path_mtu_cuts_the_outstanding_segment_anew(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct host *h = host_new(version, NULL);
        uint32_t headers = version == 4 ? 40 : 60, mss = 1500 - headers;
        peer_connects(h, (struct seg){ .mss = (uint16_t)mss });
        host_sends(h, 20000);
        for (int32_t i = 0; i < 3; i++)
            EXPECT(h, ".", i * (int32_t)mss, 0, mss);
        uint32_t cwnd = tcb_of(h)->cwnd;
        too_big(h, 1300, 0);
        EXPECT(h, ".", 0, 0, 1300 - headers);
        EXPECT_NOTHING(h); /* one segment until ACKs come back: RFC 1191 §6.4 */
        assert_int_equal(tcb_of(h)->cwnd, cwnd);
        too_big(h, 1300, 0); /* told twice: nothing is sent for it */
        EXPECT_NOTHING(h);
        inject(h, (struct seg){ .flags = ".", .ack = (int32_t)(1300 - headers) });
        EXPECT(h, ".", (int32_t)(1300 - headers), 0, 1300 - headers);
        int64_t mtu;
        ref_get_option(h->stack, h->handle, "IP_MTU", &mtu);
        assert_int_equal(mtu, 1300);
        host_free(h);
    }
}

static const struct mtu_row { const char *says; uint8_t version; uint32_t mtu; uint32_t then; } mtu_rows[] = {
    { "raising it",                          4, 1600, 1500 },
    { "the same",                            4, 1500, 1500 },
    { "one less",                            4, 1499, 1499 },
    { "the least there is",                  4,   68,   68 },
    { "less than that",                      4,   67, 1500 },
    { "none: the next plateau",              4,    0, 1492 },
    { "IPv6: the least there is",            6, 1280, 1280 },
    { "IPv6: less than that",                6, 1279, 1500 },
    { "IPv6: none",                          6,    0, 1500 },
    { "more than ever sent",                 4, 1501, 1500 },
};

static void only_plausible_path_mtus_are_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mtu_rows); i++) {
        struct host *h = host_new(mtu_rows[i].version, NULL);
        peer_connects(h, (struct seg){ .mss = mtu_rows[i].version == 4 ? 1460 : 1440 });
        host_sends(h, 20000);
        too_big(h, mtu_rows[i].mtu, 0);
        if (tcb_of(h)->pmtu != mtu_rows[i].then)
            fail_msg("%s: the path MTU is %u, not %u", mtu_rows[i].says, tcb_of(h)->pmtu, mtu_rows[i].then);
        host_free(h);
    }
}

static void a_message_about_what_got_through_waits_for_a_timeout(void **state) /* RFC 5927 §7.2 */
{
    struct host *h = *state;
    peer_connects(h, (struct seg){ .mss = 1460 });
    host_sends(h, 20000);
    while (hear(h))
        ;
    inject(h, (struct seg){ .flags = ".", .ack = 1460 });
    while (hear(h))
        ;
    h->ack += 1460;
    too_big(h, 600, 0);
    assert_int_equal(tcb_of(h)->pmtu, 1500);
    EXPECT_NOTHING(h);
    advance_by(h, S);
    EXPECT(h, ".", 0, 0, 560);
    assert_int_equal(tcb_of(h)->pmtu, 600);
}

static void an_acknowledgment_cancels_the_recorded_message(void **state)
{
    struct host *h = *state;
    peer_connects(h, (struct seg){ .mss = 1460 });
    host_sends(h, 20000);
    inject(h, (struct seg){ .flags = ".", .ack = 1460 });
    h->ack += 1460;
    too_big(h, 600, 0);
    inject(h, (struct seg){ .flags = ".", .ack = 1460 });
    while (hear(h))
        ;
    advance_by(h, 2 * S);
    assert_int_equal(tcb_of(h)->pmtu, 1500);
}

static void the_estimate_is_kept_for_the_destination_and_ages(void **state) /* RFC 1191 §6.3 */
{
    struct host *h = *state;
    peer_connects(h, (struct seg){ .mss = 1460 });
    host_sends(h, 20000);
    too_big(h, 1000, 0);
    assert_int_equal(tcb_of(h)->pmtu, 1000);
    while (hear(h))
        ;
    h->seq++;
    handshake_from(h, 6000);
    assert_int_equal(tcb_of(h)->pmtu, 1000);
    assert_int_equal(h->options.mss, 1460); /* §6.4: not in the MSS option */
    advance_by(h, 601 * S);
    h->seq++;
    handshake_from(h, 6001);
    assert_int_equal(tcb_of(h)->pmtu, 1500);
}

static void without_discovery_packets_may_be_fragmented(void **state)
{
    struct host *h = *state;
    peer_connects(h, (struct seg){ .mss = 1460 });
    set_option(h, "IP_MTU_DISCOVER", 0);
    host_sends(h, 10);
    EXPECT(h, "P.", 0, 0, 10);
    assert_false(h->got.ip.dont_fragment);
}

/* ---- IP ---------------------------------------------------------------------------------------------------------- */

static void deliver(void *context, const uint8_t *fragment, size_t len)
{
    struct host *h = context;
    ref_input(h->stack, fragment, len, h->now_ns);
}

static void fragmented_segments_are_put_together(void **state)
{
    static const uint8_t text[1000] = { 42 };
    (void)state;
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct host *h = host_new(version, NULL);
        uint8_t bytes[2000];
        peer_connects(h, (struct seg){ .mss = 1460 });
        const struct pkt_spec spec = {
            .protocol = PKT_PROTO_TCP, .src = h->peer.addr, .dst = h->local.addr, .src_port = h->peer.port, .dst_port = h->local.port,
            .seq = h->seq, .ack = h->ack, .flags = PKT_ACK, .window = 1000, .payload = text, .payload_len = sizeof text,
        };
        ssize_t len = pkt_build(h->builder, &spec, bytes, sizeof bytes);
        assert_true(pkt_fragment(bytes, (size_t)len, 300, 7, deliver, h) > 3);
        assert_int_equal(tcb_of(h)->rcv_unread, 1000);
        host_free(h);
    }
}

static void echo_is_answered_in_order_with_tcp(void **state)
{
    static const uint8_t body[3000] = { 1, 2, 3 };
    (void)state;
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct host *h = host_new(version, NULL);
        uint8_t bytes[4000];
        inject(h, (struct seg){ .flags = "." });
        struct pkt_spec spec = {
            .protocol = version == 4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6, .src = h->peer.addr, .dst = h->local.addr,
            .icmp_type = version == 4 ? 8 : 128, .icmp_rest = 0x12345678, .payload = body, .payload_len = 100,
        };
        ssize_t len = pkt_build(h->builder, &spec, bytes, sizeof bytes);
        ref_input(h->stack, bytes, (size_t)len, 0);
        EXPECT(h, "R", 0, 0, 0);
        assert_true(hear(h));
        assert_int_equal(h->got.icmp.type, version == 4 ? 0 : 129);
        assert_int_equal(h->got.icmp.rest, 0x12345678);
        assert_int_equal(h->got.icmp.body_len, 100);
        assert_memory_equal(h->got.icmp.body, body, 100);
        spec.payload_len = sizeof body; /* larger than the MTU: in fragments */
        len = pkt_build(h->builder, &spec, bytes, sizeof bytes);
        ref_input(h->stack, bytes, (size_t)len, 0);
        int fragments = 0;
        while (hear(h)) {
            assert_int_equal(h->got.kind, PKT_KIND_FRAGMENT);
            fragments++;
        }
        assert_int_equal(fragments, 3);
        host_free(h);
    }
}

static void damaged_packets_are_dropped(void **state) /* MUST-3 */
{
    (void)state;
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct host *h = host_new(version, NULL);
        uint8_t bytes[200];
        const struct pkt_spec spec = {
            .protocol = PKT_PROTO_TCP, .src = h->peer.addr, .dst = h->local.addr, .src_port = 1, .dst_port = 2, .flags = PKT_SYN,
            .payload = (const uint8_t *)"text", .payload_len = 4,
        };
        size_t len = (size_t)pkt_build(h->builder, &spec, bytes, sizeof bytes);
        size_t harmless = version == 4 ? 0 : 8; /* IPv6 has no header checksum: class, label and hop limit may change */
        for (size_t bit = 0; bit < len * 8; bit++) {
            if (bit / 8 < harmless)
                continue;
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ref_input(h->stack, bytes, len, 0);
            if (hear(h))
                fail_msg("IPv%d: a packet with bit %zu flipped was answered", version, bit);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        ref_input(h->stack, bytes, len, 0);
        assert_true(hear(h));
        host_free(h);
    }
}

int main(void)
{
#define V4(test) cmocka_unit_test_setup_teardown(test, with_host_v4, without_host)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_cookies_a_full_backlog_drops_syns_until_entries_expire),
        cmocka_unit_test(with_cookies_a_legitimate_client_is_served_during_the_flood),
        cmocka_unit_test(a_cookie_keeps_no_state_and_carries_options_in_the_timestamp),
        cmocka_unit_test(forged_or_expired_cookies_open_nothing),
        V4(no_cookie_is_believed_unless_some_were_sent),
        V4(a_full_accept_queue_ignores_newcomers),
        cmocka_unit_test(overflow_of_the_last_step_waits_or_aborts),
        cmocka_unit_test(a_full_table_evicts_time_wait_and_orphans_but_nothing_in_use),
        cmocka_unit_test(data_waits_while_the_output_queue_is_full),
        cmocka_unit_test(answers_nobody_takes_are_dropped_at_the_bound),
        cmocka_unit_test(orphans_in_fin_wait_2_go_before_others),
        cmocka_unit_test(icmp_errors_are_told_and_only_hard_ones_stop_an_open),
        cmocka_unit_test(icmp_errors_never_abort_what_is_established),
        V4(a_hard_error_ends_a_half_open_entry_and_not_the_listener),
        V4(progress_clears_a_soft_error),
        cmocka_unit_test(hard_errors_may_be_configured_to_abort),
        V4(reports_can_be_turned_off),
        V4(reports_are_bounded_and_the_newest_kept),
        cmocka_unit_test(a_smaller_path_mtu_cuts_the_outstanding_segment_anew),
        cmocka_unit_test(only_plausible_path_mtus_are_believed),
        V4(a_message_about_what_got_through_waits_for_a_timeout),
        V4(an_acknowledgment_cancels_the_recorded_message),
        V4(the_estimate_is_kept_for_the_destination_and_ages),
        V4(without_discovery_packets_may_be_fragmented),
        cmocka_unit_test(fragmented_segments_are_put_together),
        cmocka_unit_test(echo_is_answered_in_order_with_tcp),
        cmocka_unit_test(damaged_packets_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

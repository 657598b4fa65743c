/* RFC 7413, TCP Fast Open: the server against single segments, the client against a server of its own kind. */
#include "targets/reference/test/host.h"

#include <errno.h>

static void enabled(struct ref_config *c)
{
    c->fastopen = REF_FASTOPEN_BOTH;
}

/* ---- server ------------------------------------------------------------------------------------------------------ */

static struct host *server(int64_t queue)
{
    struct host *h = host_new(4, enabled);
    host_listens(h);
    ref_set_option(h->stack, h->listener, "TCP_FASTOPEN", &queue, 1);
    return h;
}

/* A SYN that asks for a cookie (NULL) or shows one, with len octets. */
static void fast_syn(struct host *h, const uint8_t *cookie, uint8_t cookie_len, uint32_t len)
{
    struct pkt_option_buffer options = { 0 };
    pkt_put_mss(&options, 1460);
    pkt_put_fastopen(&options, cookie, cookie_len);
    inject(h, (struct seg){ .flags = "S", .len = len, .options = &options });
}

static void get_cookie(struct host *h, uint8_t cookie[PKT_FASTOPEN_COOKIE_MAX])
{
    uint16_t port = h->peer.port;
    h->peer.port = 4999;
    fast_syn(h, NULL, 0, 0);
    h->peer.port = port;
    assert_true(hear(h));
    assert_true(h->options.has_fastopen);
    assert_int_equal(h->options.fastopen_cookie_len, REF_FASTOPEN_COOKIE_LEN);
    memcpy(cookie, h->options.fastopen_cookie, PKT_FASTOPEN_COOKIE_MAX);
}

static void a_valid_cookie_delivers_data_before_the_handshake_is_done(void **state) /* §4.2.2 */
{
    struct host *h = server(5);
    uint8_t cookie[PKT_FASTOPEN_COOKIE_MAX], out[20];
    (void)state;
    get_cookie(h, cookie);
    fast_syn(h, cookie, REF_FASTOPEN_COOKIE_LEN, 10);
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S.", -1, 11, 0); /* acknowledges SYN and data */
    h->seq += 11;
    h->handle = (int)ref_accept(h->stack, h->listener, NULL);
    assert_true(h->handle >= 0);
    EXPECT_STATE(h, TCP_STATE_SYN_RECEIVED);
    assert_int_equal(ref_receive(h->stack, h->handle, out, sizeof out, 0), 10);
    host_sends(h, 20000); /* the answer may leave at once, within the initial window */
    for (int32_t i = 0; i < 3; i++)
        EXPECT(h, ".", i * 1460, 0, 1460);
    EXPECT_NOTHING(h);
    inject(h, (struct seg){ .flags = ".", .ack = 1460 });
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    assert_int_equal(ref_accept(h->stack, h->listener, NULL), -EAGAIN);
    host_free(h);
}

static void what_is_closed_before_the_handshake_is_done_closes_after_it(void **state)
{
    struct host *h = server(5);
    uint8_t cookie[PKT_FASTOPEN_COOKIE_MAX], out[20];
    (void)state;
    get_cookie(h, cookie);
    fast_syn(h, cookie, REF_FASTOPEN_COOKIE_LEN, 10);
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S.", -1, 11, 0);
    h->seq += 11;
    h->handle = (int)ref_accept(h->stack, h->listener, NULL);
    ref_receive(h->stack, h->handle, out, sizeof out, 0);
    ref_close(h->stack, h->handle);
    EXPECT_NOTHING(h);
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, "F.", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_FIN_WAIT_1);
    assert_int_equal(ref_accept(h->stack, h->listener, NULL), -EAGAIN); /* nobody gets it twice */
    host_free(h);
}

static void syn_ack_is_retransmitted_without_data_and_cookie(void **state)
{
    struct host *h = server(5);
    uint8_t cookie[PKT_FASTOPEN_COOKIE_MAX];
    (void)state;
    get_cookie(h, cookie);
    advance_by(h, 400 * S);
    while (hear(h))
        ;
    fast_syn(h, cookie, REF_FASTOPEN_COOKIE_LEN, 10);
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S.", -1, 11, 0);
    h->handle = (int)ref_accept(h->stack, h->listener, NULL);
    host_sends(h, 100);
    EXPECT(h, "P.", 0, 11, 100);
    advance_by(h, S);
    EXPECT(h, "S.", -1, 11, 0);
    assert_false(h->options.has_fastopen);
    EXPECT_NOTHING(h);
    host_free(h);
}

static const struct refusal_row { const char *says; uint8_t spoil, cookie_len; int64_t later_ns, queue; bool other_client; } refusals[] = {
    { "a wrong cookie",            1, 8, 0,                0x7fff, false },
    { "a cookie of another length", 0, 4, 0,               0x7fff, false },
    { "an expired cookie",         0, 8, 3 * 3600LL * 1000000000, 0x7fff, false },
    { "another client's cookie",   0, 8, 0,                0x7fff, true  },
    { "too many pending",          0, 8, 0,                0,      false },
};

static void anything_else_falls_back_to_the_ordinary_handshake(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refusal_row *r = &refusals[i];
        struct host *h = server(5);
        uint8_t cookie[PKT_FASTOPEN_COOKIE_MAX];
        get_cookie(h, cookie);
        if (r->queue == 0) {
            const int64_t one = 1;
            h->peer.port = 4998;
            fast_syn(h, cookie, REF_FASTOPEN_COOKIE_LEN, 10);
            h->peer.port = PEER_PORT;
            ref_set_option(h->stack, h->listener, "TCP_FASTOPEN", &one, 1);
        }
        while (hear(h))
            ;
        advance_by(h, r->later_ns);
        while (hear(h))
            ;
        cookie[0] ^= r->spoil;
        if (r->other_client)
            pkt_addr_parse("198.51.100.77", &h->peer.addr);
        fast_syn(h, cookie, r->cookie_len, 10);
        h->ack = tcb_of(h)->iss + 1;
        EXPECT(h, "S.", -1, 1, 0); /* the SYN alone */
        assert_true(h->options.has_fastopen); /* and a fresh cookie */
        host_free(h);
    }
}

static void off_unless_the_application_turns_it_on(void **state) /* §4.2 */
{
    struct host *h = host_new(4, enabled);
    (void)state;
    host_listens(h);
    fast_syn(h, NULL, 0, 0);
    assert_true(hear(h));
    assert_false(h->options.has_fastopen);
    host_free(h);
}

static void a_reset_request_counts_against_the_limit_for_a_while(void **state) /* §5.1 */
{
    struct host *h = server(1);
    uint8_t cookie[PKT_FASTOPEN_COOKIE_MAX];
    (void)state;
    get_cookie(h, cookie);
    fast_syn(h, cookie, REF_FASTOPEN_COOKIE_LEN, 10);
    inject(h, (struct seg){ .flags = "R", .seq = 11 });
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    assert_int_equal(ref_accept(h->stack, h->listener, NULL), -EAGAIN);
    while (hear(h))
        ;
    fast_syn(h, cookie, REF_FASTOPEN_COOKIE_LEN, 10);
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S.", -1, 1, 0);
    host_free(h);
}

/* ---- client ------------------------------------------------------------------------------------------------------ */

/* Connects to the peer with data; gives what ref_send_to gave. */
static int64_t open_fast(struct host *h, uint32_t len)
{
    static const uint8_t text[4000];
    h->handle = (int)ref_socket(h->stack, 4);
    const struct pkt_endpoint local = { .port = HOST_PORT };
    const int64_t on = 1;
    ref_set_option(h->stack, h->handle, "SO_REUSEADDR", &on, 1);
    assert_int_equal(ref_bind(h->stack, h->handle, &local), 0);
    return ref_send_to(h->stack, h->handle, &h->peer, text, len, REF_MSG_FASTOPEN);
}

/* A connection that fetched a cookie from the peer and was reset. */
static void learn_cookie(struct host *h, uint16_t mss)
{
    static const uint8_t cookie[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    struct pkt_option_buffer options = { 0 };
    assert_int_equal(open_fast(h, 10), -EINPROGRESS); /* no cookie yet: one is asked for */
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S", -1, 0, 0);
    assert_true(h->options.has_fastopen);
    assert_int_equal(h->options.fastopen_cookie_len, 0);
    pkt_put_mss(&options, mss);
    pkt_put_fastopen(&options, cookie, sizeof cookie);
    say(h, (struct seg){ .flags = "S.", .options = &options });
    EXPECT(h, ".", 0, 0, 0);
    inject(h, (struct seg){ .flags = "R" });
    ref_close(h->stack, h->handle);
    h->seq += 1000;
}

static void with_a_cookie_the_syn_carries_data(void **state) /* §4.2.1, §4.2.2 */
{
    struct host *h = host_new(4, enabled);
    (void)state;
    learn_cookie(h, 1460);
    assert_int_equal(open_fast(h, 100), 100);
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S", -1, 0, 100);
    assert_int_equal(h->options.fastopen_cookie_len, 8);
    assert_int_equal(h->options.fastopen_cookie[7], 8);
    say(h, (struct seg){ .flags = "S.", .ack = 100, .mss = 1460 });
    EXPECT(h, ".", 100, 0, 0);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    assert_int_equal(tcb_of(h)->snd_una, h->ack + 100);
    host_free(h);
}

static void data_not_taken_goes_into_the_first_segment_and_is_remembered(void **state)
{
    struct host *h = host_new(4, enabled);
    (void)state;
    learn_cookie(h, 1460);
    assert_int_equal(open_fast(h, 100), 100);
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S", -1, 0, 100);
    say(h, (struct seg){ .flags = "S.", .mss = 1460 });
    EXPECT(h, "P.", 0, 0, 100);
    inject(h, (struct seg){ .flags = "R" });
    ref_close(h->stack, h->handle);
    h->seq += 1000;
    assert_int_equal(open_fast(h, 100), -EINPROGRESS); /* §4.1.3.1: a negative response */
    host_free(h);
}

static void a_retransmitted_syn_is_plain(void **state)
{
    struct host *h = host_new(4, enabled);
    (void)state;
    learn_cookie(h, 1460);
    open_fast(h, 100);
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S", -1, 0, 100);
    advance_by(h, S);
    EXPECT(h, "S", -1, 0, 0);
    assert_false(h->options.has_fastopen);
    say(h, (struct seg){ .flags = "S.", .mss = 1460 });
    EXPECT(h, "P.", 0, 0, 100);
    host_free(h);
}

static void silence_is_a_negative_response(void **state) /* §4.1.3.1 */
{
    struct host *h = host_new(4, enabled);
    (void)state;
    learn_cookie(h, 1460);
    assert_int_equal(open_fast(h, 100), 100);
    advance_by(h, 1000 * S);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    ref_close(h->stack, h->handle);
    assert_int_equal(open_fast(h, 100), -EINPROGRESS);
    ref_close(h->stack, h->handle);
    advance_by(h, 3600 * S); /* for an hour */
    assert_int_equal(open_fast(h, 100), 100);
    host_free(h);
}

static void syn_data_stays_within_the_cached_mss(void **state)
{
    struct host *h = host_new(4, enabled);
    (void)state;
    learn_cookie(h, 500);
    assert_int_equal(open_fast(h, 4000), 460); /* the options' room is left free */
    assert_true(hear(h));
    assert_int_equal(h->got.tcp.payload_len, 460);
    host_free(h);
}

static void fastopen_connect_defers_the_syn_to_the_first_send(void **state)
{
    struct host *h = host_new(4, enabled);
    (void)state;
    learn_cookie(h, 1460);
    h->handle = (int)ref_socket(h->stack, 4);
    const struct pkt_endpoint local = { .port = HOST_PORT };
    set_option(h, "SO_REUSEADDR", 1);
    ref_bind(h->stack, h->handle, &local);
    set_option(h, "TCP_FASTOPEN_CONNECT", 1);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), 0);
    EXPECT_NOTHING(h);
    assert_int_equal(host_sends(h, 50), 50);
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S", -1, 0, 50);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_valid_cookie_delivers_data_before_the_handshake_is_done),
        cmocka_unit_test(what_is_closed_before_the_handshake_is_done_closes_after_it),
        cmocka_unit_test(syn_ack_is_retransmitted_without_data_and_cookie),
        cmocka_unit_test(anything_else_falls_back_to_the_ordinary_handshake),
        cmocka_unit_test(off_unless_the_application_turns_it_on),
        cmocka_unit_test(a_reset_request_counts_against_the_limit_for_a_while),
        cmocka_unit_test(with_a_cookie_the_syn_carries_data),
        cmocka_unit_test(data_not_taken_goes_into_the_first_segment_and_is_remembered),
        cmocka_unit_test(a_retransmitted_syn_is_plain),
        cmocka_unit_test(silence_is_a_negative_response),
        cmocka_unit_test(syn_data_stays_within_the_cached_mss),
        cmocka_unit_test(fastopen_connect_defers_the_syn_to_the_first_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The application's calls: RFC 9293 §3.9.1 as sockets, with the errno values of Linux; and the same through the target's interface.
 */
#include "targets/reference/target_reference.h"
#include "targets/reference/test/host.h"

#include <errno.h>
#include <stdlib.h>

static int new_socket(struct host *h)
{
    int handle = (int)ref_socket(h->stack, h->local.addr.version);
    assert_true(handle >= 0);
    return handle;
}

static int64_t bind_to(struct host *h, int handle, uint16_t port)
{
    const struct pkt_endpoint local = { .port = port };
    return ref_bind(h->stack, handle, &local);
}

static void handles_are_small_and_reused(void **state)
{
    struct host *h = *state;
    assert_int_equal(new_socket(h), 0);
    assert_int_equal(new_socket(h), 1);
    assert_int_equal(ref_close(h->stack, 0), 0);
    assert_int_equal(new_socket(h), 0);
    assert_int_equal(ref_socket(h->stack, 6), -EAFNOSUPPORT); /* this host has no IPv6 address */
    assert_int_equal(ref_socket(h->stack, 5), -EAFNOSUPPORT);
}

static void unknown_handles_are_refused_everywhere(void **state)
{
    struct host *h = *state;
    uint8_t byte = 0;
    int64_t value = 0;
    struct pkt_endpoint endpoint = { .port = 1 };
    static const int bad[] = { -1, 0, 7, 1000000 };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(ref_bind(h->stack, bad[i], &endpoint), -EBADF);
        assert_int_equal(ref_listen(h->stack, bad[i], 1), -EBADF);
        assert_int_equal(ref_accept(h->stack, bad[i], NULL), -EBADF);
        assert_int_equal(ref_connect(h->stack, bad[i], &endpoint), -EBADF);
        assert_int_equal(ref_send(h->stack, bad[i], &byte, 1, 0), -EBADF);
        assert_int_equal(ref_receive(h->stack, bad[i], &byte, 1, 0), -EBADF);
        assert_int_equal(ref_shutdown(h->stack, bad[i], REF_SHUT_WR), -EBADF);
        assert_int_equal(ref_close(h->stack, bad[i]), -EBADF);
        assert_int_equal(ref_set_option(h->stack, bad[i], "TCP_NODELAY", &value, 1), -EBADF);
        assert_int_equal(ref_get_option(h->stack, bad[i], "TCP_NODELAY", &value), -EBADF);
        assert_int_equal(ref_ioctl(h->stack, bad[i], "SIOCINQ", &value), -EBADF);
        assert_int_equal(ref_local_endpoint(h->stack, bad[i], &endpoint), -EBADF);
    }
}

static void bind_refuses_what_is_taken_or_not_ours(void **state)
{
    struct host *h = *state;
    int a = new_socket(h), b = new_socket(h);
    const struct pkt_endpoint foreign = { .addr = h->peer.addr, .port = 1 };
    const int64_t on = 1;
    assert_int_equal(ref_bind(h->stack, a, &foreign), -EADDRNOTAVAIL);
    assert_int_equal(bind_to(h, a, 80), 0);
    assert_int_equal(bind_to(h, a, 81), -EINVAL);
    assert_int_equal(bind_to(h, b, 80), -EADDRINUSE);
    ref_set_option(h->stack, a, "SO_REUSEADDR", &on, 1);
    assert_int_equal(bind_to(h, b, 80), -EADDRINUSE); /* both must say so */
    ref_set_option(h->stack, b, "SO_REUSEADDR", &on, 1);
    assert_int_equal(bind_to(h, b, 80), 0);
    assert_int_equal(ref_listen(h->stack, a, 1), 0);
    assert_int_equal(ref_listen(h->stack, b, 1), -EADDRINUSE); /* MUST-41 */
}

static void a_port_may_be_listened_on_while_a_connection_uses_it(void **state) /* MUST-42 */
{
    struct host *h = *state;
    const int64_t on = 1;
    int connecting = new_socket(h), listening = new_socket(h);
    ref_set_option(h->stack, connecting, "SO_REUSEADDR", &on, 1);
    ref_set_option(h->stack, listening, "SO_REUSEADDR", &on, 1);
    assert_int_equal(bind_to(h, connecting, 80), 0);
    assert_int_equal(ref_connect(h->stack, connecting, &h->peer), -EINPROGRESS);
    EXPECT_STATE(h, TCP_STATE_SYN_SENT);
    assert_int_equal(bind_to(h, listening, 80), 0);
    assert_int_equal(ref_listen(h->stack, listening, 1), 0);
    EXPECT_STATE(h, TCP_STATE_SYN_SENT);
    assert_int_equal(ref_accept(h->stack, connecting, NULL), -EINVAL);
    assert_int_equal(ref_connect(h->stack, listening, &h->peer), -EISCONN);
}

static void time_wait_keeps_the_port_unless_reuse_is_asked_for(void **state)
{
    struct host *h = *state;
    const int64_t on = 1;
    peer_connects(h, (struct seg){ .mss = 1460 });
    ref_close(h->stack, h->listener);
    ref_close(h->stack, h->handle);
    say(h, (struct seg){ .flags = "F.", .ack = 1 });
    EXPECT_STATE(h, TCP_STATE_TIME_WAIT);
    int handle = new_socket(h);
    assert_int_equal(bind_to(h, handle, HOST_PORT), -EADDRINUSE);
    ref_set_option(h->stack, handle, "SO_REUSEADDR", &on, 1);
    assert_int_equal(bind_to(h, handle, HOST_PORT), 0);
    assert_int_equal(ref_connect(h->stack, handle, &h->peer), -EADDRNOTAVAIL); /* "connection already exists" */
}

static void ephemeral_ports_are_not_sequential(void **state) /* RFC 6056 §3.3 */
{
    struct host *h = *state;
    uint16_t ports[16];
    int ascending = 0;
    for (int i = 0; i < 16; i++) {
        struct pkt_endpoint local;
        int handle = new_socket(h);
        assert_int_equal(ref_connect(h->stack, handle, &h->peer), -EINPROGRESS);
        ref_local_endpoint(h->stack, handle, &local);
        assert_true(pkt_addr_equal(&local.addr, &h->local.addr)); /* MUST-44 */
        assert_true(local.port >= 1024);
        ports[i] = local.port;
        ascending += i && ports[i] - ports[i - 1] > 0 && ports[i] - ports[i - 1] < 100;
    }
    assert_true(ascending < 3);
}

static void status_follows_a_handle_from_closed_to_listen(void **state)
{
    struct host *h = *state;
    struct ref_status status;
    int handle = new_socket(h);
    assert_int_equal(ref_handle_status(h->stack, handle, &status), 0);
    assert_int_equal(status.state, TCP_STATE_CLOSED);
    assert_int_equal(ref_listen(h->stack, handle, 1), 0);
    assert_int_equal(ref_handle_status(h->stack, handle, &status), 0);
    assert_int_equal(status.state, TCP_STATE_LISTEN);
    assert_int_equal(ref_handle_status(h->stack, 99, &status), -EBADF);
}

static void calls_on_an_unconnected_socket(void **state)
{
    struct host *h = *state;
    uint8_t byte = 0;
    int handle = new_socket(h);
    assert_int_equal(ref_send(h->stack, handle, &byte, 1, 0), -EPIPE);
    assert_int_equal(ref_receive(h->stack, handle, &byte, 1, 0), -ENOTCONN);
    assert_int_equal(ref_shutdown(h->stack, handle, REF_SHUT_WR), -ENOTCONN);
    assert_int_equal(ref_accept(h->stack, handle, NULL), -EINVAL);
    assert_int_equal(ref_poll(h->stack, handle), REF_EVENT_OUT | REF_EVENT_HANGUP);
}

static void a_refused_socket_may_connect_again(void **state)
{
    struct host *h = *state;
    h->handle = new_socket(h);
    assert_int_equal(bind_to(h, h->handle, HOST_PORT), 0);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -EINPROGRESS);
    h->ack = tcb_of(h)->iss + 1;
    inject(h, (struct seg){ .flags = "R." });
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -ECONNREFUSED);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -EINPROGRESS);
    EXPECT_STATE(h, TCP_STATE_SYN_SENT);
}

static void closing_a_listener_aborts_what_was_not_accepted(void **state)
{
    struct host *h = *state;
    host_listens(h);
    say(h, (struct seg){ .flags = "S" });
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S.", -1, 0, 0);
    inject(h, (struct seg){ .flags = "." });
    ref_close(h->stack, h->listener);
    EXPECT(h, "R", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    inject(h, (struct seg){ .flags = "S" });
    assert_true(hear(h));
    assert_true(h->got.tcp.flags & PKT_RST);
}

static void peek_leaves_the_data_and_ioctl_counts_it(void **state)
{
    struct host *h = *state;
    uint8_t out[20];
    int64_t count;
    peer_connects(h, (struct seg){ .mss = 1460 });
    say(h, (struct seg){ .flags = "P.", .len = 10 });
    assert_int_equal(ref_receive(h->stack, h->handle, out, 4, REF_MSG_PEEK), 4);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 20, REF_MSG_PEEK), 10);
    ref_ioctl(h->stack, h->handle, "SIOCINQ", &count);
    assert_int_equal(count, 10);
    host_sends(h, 7);
    ref_ioctl(h->stack, h->handle, "SIOCOUTQ", &count);
    assert_int_equal(count, 7);
    assert_int_equal(ref_ioctl(h->stack, h->handle, "SIOCNONE", &count), -EINVAL);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 20, 0), 10);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 20, 0), -EAGAIN);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 0, 0), 0);
}

static void shutdown_for_reading_ends_the_stream(void **state)
{
    struct host *h = *state;
    uint8_t out[4];
    peer_connects(h, (struct seg){ .mss = 1460 });
    assert_int_equal(ref_shutdown(h->stack, h->handle, REF_SHUT_RD), 0);
    assert_int_equal(ref_receive(h->stack, h->handle, out, 4, 0), 0);
    EXPECT_NOTHING(h);
    assert_int_equal(ref_shutdown(h->stack, h->handle, (enum ref_shutdown)9), -EINVAL);
}

static void deferred_accept_waits_for_data(void **state)
{
    struct host *h = *state;
    const int64_t seconds = 10;
    host_listens(h);
    ref_set_option(h->stack, h->listener, "TCP_DEFER_ACCEPT", &seconds, 1);
    say(h, (struct seg){ .flags = "S" });
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "S.", -1, 0, 0);
    inject(h, (struct seg){ .flags = "." });
    assert_int_equal(ref_accept(h->stack, h->listener, NULL), -EAGAIN);
    assert_int_equal(ref_poll(h->stack, h->listener), 0);
    say(h, (struct seg){ .flags = "P.", .len = 1 });
    assert_true(ref_accept(h->stack, h->listener, NULL) >= 0);
    h->peer.port++;
    say(h, (struct seg){ .flags = "S" });
    inject(h, (struct seg){ .flags = ".", .ack = (int32_t)(tcb_of(h)->iss + 1 - h->ack) });
    assert_int_equal(ref_accept(h->stack, h->listener, NULL), -EAGAIN);
    advance_by(h, 10 * S);
    assert_true(ref_accept(h->stack, h->listener, NULL) >= 0);
}

static const struct option_case { const char *name; int64_t value; int64_t result, reads; } option_cases[] = {
    { "TCP_NODELAY", 17, 0, 1 },          { "TCP_NODELAY", 0, 0, 0 },
    { "TCP_CORK", 1, 0, 1 },              { "TCP_QUICKACK", 1, 0, 1 },
    { "SO_KEEPALIVE", 1, 0, 1 },          { "TCP_KEEPIDLE", 0, -EINVAL, 7200 },
    { "TCP_KEEPIDLE", 5, 0, 5 },          { "TCP_KEEPINTVL", 6, 0, 6 },
    { "TCP_KEEPCNT", 128, -EINVAL, 9 },   { "TCP_KEEPCNT", 3, 0, 3 },
    { "TCP_USER_TIMEOUT", -1, -EINVAL, 0 }, { "TCP_USER_TIMEOUT", 5000, 0, 5000 },
    { "SO_RCVBUF", 100, -EINVAL, 131072 }, { "SO_RCVBUF", 5000, 0, 5000 },
    { "SO_SNDBUF", 5000, 0, 5000 },       { "TCP_MAXSEG", 10, -EINVAL, 0 },
    { "TCP_MAXSEG", 500, 0, 500 },        { "TCP_SYNCNT", 2, 0, 2 },
    { "IP_TOS", 256, -EINVAL, 0 },        { "IP_TOS", 0x20, 0, 0x20 },
    { "IP_TTL", 0, -EINVAL, 64 },         { "IP_TTL", 1, 0, 1 },
    { "SO_REUSEADDR", 1, 0, 1 },          { "SO_OOBINLINE", 1, 0, 1 },
    { "TCP_LINGER2", 3, 0, 3 },           { "TCP_WINDOW_CLAMP", 1000, 0, 1000 },
    { "TCP_FASTOPEN_CONNECT", 1, 0, 1 },  { "TCP_DEFER_ACCEPT", 2, 0, 2 },
};

static void options_are_checked_and_read_back(void **state)
{
    struct host *h = *state;
    int handle = new_socket(h);
    int64_t value;
    for (size_t i = 0; i < ARRAY_LEN(option_cases); i++) {
        const struct option_case *c = &option_cases[i];
        if (ref_set_option(h->stack, handle, c->name, &c->value, 1) != c->result)
            fail_msg("%s = %d: expected %d", c->name, (int)c->value, (int)c->result);
        assert_int_equal(ref_get_option(h->stack, handle, c->name, &value), 0);
        if (value != c->reads)
            fail_msg("%s reads %d, not %d", c->name, (int)value, (int)c->reads);
    }
    assert_int_equal(ref_set_option(h->stack, handle, "SO_NONSENSE", &value, 1), -ENOPROTOOPT);
    assert_int_equal(ref_get_option(h->stack, handle, "SO_NONSENSE", &value), -ENOPROTOOPT);
    assert_int_equal(ref_set_option(h->stack, handle, "SO_LINGER", &value, 1), -EINVAL);
    assert_int_equal(ref_set_option(h->stack, handle, "TCP_NODELAY", NULL, 0), -EINVAL);
}

static void maxseg_bounds_both_directions(void **state)
{
    struct host *h = *state;
    const int64_t mss = 700;
    host_listens(h);
    ref_set_option(h->stack, h->listener, "TCP_MAXSEG", &mss, 1);
    peer_connects(h, (struct seg){ .mss = 1460 });
    assert_int_equal(h->options.mss, 700);
    host_sends(h, 2000);
    EXPECT(h, ".", 0, 0, 700);
}

static int both_versions(void **state)
{
    struct host *h = host_new(6, NULL);
    struct ref_config c = h->stack->config;
    ref_stack_free(h->stack);
    pkt_addr_parse("192.0.2.2", &c.addresses[c.address_count++]);
    h->stack = ref_stack_new(&c, 0);
    *state = h;
    return 0;
}

static void an_ipv6_socket_takes_ipv4_peers_as_mapped_addresses(void **state)
{
    struct host *h = *state;
    struct pkt_endpoint peer;
    struct pkt_addr mapped;
    const int64_t on = 1;
    host_listens(h);
    pkt_addr_parse("192.0.2.2", &h->local.addr);
    pkt_addr_parse("198.51.100.1", &h->peer.addr);
    say(h, (struct seg){ .flags = "S" });
    inject(h, (struct seg){ .flags = ".", .ack = (int32_t)(tcb_of(h)->iss + 1 - h->ack) });
    assert_true(ref_accept(h->stack, h->listener, &peer) >= 0);
    pkt_addr_parse("::ffff:198.51.100.1", &mapped);
    assert_true(pkt_addr_equal(&peer.addr, &mapped));
    int handle = (int)ref_socket(h->stack, 6);
    peer = (struct pkt_endpoint){ .addr = mapped, .port = 9 };
    assert_int_equal(ref_connect(h->stack, handle, &peer), -EINPROGRESS);
    int only = (int)ref_socket(h->stack, 6);
    ref_set_option(h->stack, only, "IPV6_V6ONLY", &on, 1);
    assert_int_equal(ref_connect(h->stack, only, &peer), -EAFNOSUPPORT);
    const struct pkt_endpoint local = { .port = 81 };
    ref_bind(h->stack, only, &local);
    ref_listen(h->stack, only, 1);
    while (hear(h))
        ;
    h->local.port = 81;
    inject(h, (struct seg){ .flags = "S" });
    assert_true(hear(h));
    assert_true(h->got.tcp.flags & PKT_RST);
}

static void few_of_everything(struct ref_config *c)
{
    c->sockets_max = 3;
    c->listeners_max = 1;
    c->connections_max = 1;
}

static void bounds_have_errors_of_their_own(void **state)
{
    struct host *h = host_new(4, few_of_everything);
    (void)state;
    int a = new_socket(h), b = new_socket(h), c = new_socket(h);
    assert_int_equal(ref_socket(h->stack, 4), -EMFILE);
    assert_int_equal(ref_listen(h->stack, a, 1), 0);
    assert_int_equal(ref_listen(h->stack, b, 1), -ENOBUFS);
    assert_int_equal(ref_connect(h->stack, c, &h->peer), -EINPROGRESS);
    ref_close(h->stack, b);
    int d = new_socket(h);
    assert_int_equal(ref_connect(h->stack, d, &h->peer), -ENOBUFS);
    host_free(h);
}

static void tw_reuse(struct ref_config *c)
{
    c->tw_reuse = true;
}

static void an_active_open_may_leave_time_wait_where_so_configured(void **state)
{
    struct host *h = host_new(4, tw_reuse);
    (void)state;
    h->timestamps = true;
    peer_connects(h, (struct seg){ .mss = 1460 });
    ref_close(h->stack, h->listener);
    ref_close(h->stack, h->handle);
    while (hear(h))
        ;
    say(h, (struct seg){ .flags = "F.", .ack = 1 });
    EXPECT_STATE(h, TCP_STATE_TIME_WAIT);
    uint32_t old_nxt = tcb_of(h)->snd_nxt;
    while (hear(h))
        ;
    advance_by(h, 2 * S);
    int handle = new_socket(h);
    const int64_t on = 1;
    ref_set_option(h->stack, handle, "SO_REUSEADDR", &on, 1);
    assert_int_equal(bind_to(h, handle, HOST_PORT), 0);
    assert_int_equal(ref_connect(h->stack, handle, &h->peer), -EINPROGRESS);
    assert_true(hear(h));
    assert_true(h->got.tcp.flags == PKT_SYN && seq_gt(h->got.tcp.seq, old_nxt));
    host_free(h);
}

/* ---- through the target's interface ------------------------------------------------------------------------------ */

static struct target *open_with(const char *name, const char *value, struct target_error *error)
{
    const struct target_setting setting = { name, value };
    const struct target_config config = { .seed = 1, .settings = &setting, .setting_count = name ? 1 : 0 };
    *error = (struct target_error){ TARGET_ERR_NONE, "" };
    return reference_driver.open("", &config, error);
}

static void the_target_knows_every_setting_of_the_interface(void **state)
{
    static const char *const good[][2] = {
        { "syn-retries", "3" }, { "synack-retries", "3" }, { "data-retries", "5" }, { "orphan-retries", "2" }, { "syncookies", "off" },
        { "syncookies", "on" }, { "syncookies", "always" }, { "max-syn-backlog", "10" }, { "timestamps", "off" }, { "sack", "off" },
        { "window-scaling", "off" }, { "ecn", "on" }, { "fastopen", "both" }, { "fin-wait-2-ms", "1000" }, { "tw-reuse", "on" },
        { "rfc1337", "on" }, { "mtu", "9000" }, { "receive-buffer", "4096" }, { "send-buffer", "4096" }, { "syn-linear-timeouts", "2" },
        { "challenge-ack-limit", "100" }, { "keepalive-idle-s", "10" }, { "keepalive-interval-s", "1" }, { "keepalive-probes", "3" },
        { "min-rto-ms", "200" }, { "abort-on-overflow", "on" }, { "msl-ms", "30000" }, { "delayed-ack-ms", "200" },
    };
    static const char *const bad[][2] = { { "mtu", "12" }, { "mtu", "x" }, { "mtu", "" }, { "sack", "maybe" }, { "colour", "red" } };
    struct target_error error;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct target *t = open_with(good[i][0], good[i][1], &error);
        if (!t)
            fail_msg("%s %s: %s", good[i][0], good[i][1], error.text);
        else
            t->ops->close(t);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_null(open_with(bad[i][0], bad[i][1], &error));
        assert_int_equal(error.kind, TARGET_ERR_UNSUPPORTED);
        assert_non_null(strstr(error.text, bad[i][0]));
    }
    assert_null(reference_driver.open("eth0", &(struct target_config){ .seed = 1 }, &error));
    assert_int_equal(error.kind, TARGET_ERR_USAGE);
}

static void the_target_is_a_function_of_its_seed(void **state)
{
    uint8_t first[200], second[200];
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct target_error error;
        struct target *t = open_with(NULL, NULL, &error);
        int64_t at_ns = -1;
        int handle = (int)t->ops->socket(t, 4);
        const struct pkt_endpoint remote = { .addr = t->info.tester[0], .port = 80 };
        t->ops->advance(t, 5 * S);
        assert_int_equal(t->ops->connect(t, handle, &remote), -EINPROGRESS);
        assert_true(t->ops->receive(t, run ? second : first, 200, &at_ns) > 0);
        assert_int_equal(at_ns, 5 * S);
        assert_int_equal(t->ops->deadline(t), 6 * S);
        t->ops->advance(t, 100 * S); /* each retransmission at its own time */
        uint8_t bytes[200];
        static const int64_t times_s[] = { 6, 8, 12, 20, 36, 68 };
        for (size_t i = 0; i < ARRAY_LEN(times_s); i++) {
            assert_true(t->ops->receive(t, bytes, sizeof bytes, &at_ns) > 0);
            assert_int_equal(at_ns, times_s[i] * S);
        }
        struct pkt_endpoint local;
        struct target_status status;
        t->ops->local_endpoint(t, handle, &local);
        assert_int_equal(t->ops->status(t, &local, &remote, &status), 0);
        assert_int_equal(status.state, TCP_STATE_SYN_SENT);
        assert_int_equal(status.retransmits, 6);
        t->ops->close(t);
    }
    assert_memory_equal(first, second, 60);
}

int main(void)
{
#define V4(test) cmocka_unit_test_setup_teardown(test, with_host_v4, without_host)
    const struct CMUnitTest tests[] = {
        V4(handles_are_small_and_reused),
        V4(unknown_handles_are_refused_everywhere),
        V4(bind_refuses_what_is_taken_or_not_ours),
        V4(a_port_may_be_listened_on_while_a_connection_uses_it),
        V4(time_wait_keeps_the_port_unless_reuse_is_asked_for),
        V4(ephemeral_ports_are_not_sequential),
        V4(status_follows_a_handle_from_closed_to_listen),
        V4(calls_on_an_unconnected_socket),
        V4(a_refused_socket_may_connect_again),
        V4(closing_a_listener_aborts_what_was_not_accepted),
        V4(peek_leaves_the_data_and_ioctl_counts_it),
        V4(shutdown_for_reading_ends_the_stream),
        V4(deferred_accept_waits_for_data),
        V4(options_are_checked_and_read_back),
        V4(maxseg_bounds_both_directions),
        cmocka_unit_test_setup_teardown(an_ipv6_socket_takes_ipv4_peers_as_mapped_addresses, both_versions, without_host),
        cmocka_unit_test(bounds_have_errors_of_their_own),
        cmocka_unit_test(an_active_open_may_leave_time_wait_where_so_configured),
        cmocka_unit_test(the_target_knows_every_setting_of_the_interface),
        cmocka_unit_test(the_target_is_a_function_of_its_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The upper tester of the target "linux": data both ways, closing in every manner, options by name, handles. */
#include "targets/linux/test/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IP_VERSIONS = 2 };

static void take_all(struct peer *p)
{
    while (peer_take(p))
        ;
}

static void data_goes_both_ways_until_both_have_closed(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    const struct target_ops *ops = t->ops;
    for (unsigned ip = 0; ip < IP_VERSIONS; ip++) {
        for (int actively = 0; actively < 2; actively++) {
            struct peer *p = peer_new(t, ip, (uint16_t)(4000 + actively), 8080);
            int handle = actively ? peer_establish_actively(p) : peer_establish_passively(p);
            uint8_t in[16];
            assert_int_equal(ops->receive_data(t, handle, in, sizeof in, 0), -EAGAIN);
            assert_int_equal(ops->send_data(t, handle, (const uint8_t *)"hello", 5, 0), 5);
            peer_expect(p, PKT_ACK);
            assert_int_equal(p->seen.tcp.payload_len, 5);
            assert_memory_equal(p->seen.tcp.payload, "hello", 5);
            peer_send(p, PKT_ACK | PKT_PSH, "world!");
            assert_int_equal(ops->poll(t, handle), TARGET_EVENT_IN | TARGET_EVENT_OUT);
            assert_int_equal(ops->receive_data(t, handle, in, sizeof in, TARGET_MSG_PEEK), 6);
            assert_int_equal(ops->receive_data(t, handle, in, sizeof in, 0), 6);
            assert_memory_equal(in, "world!", 6);
            take_all(p);
            peer_send(p, PKT_FIN | PKT_ACK, NULL);
            assert_true(ops->poll(t, handle) & TARGET_EVENT_READ_HANGUP);
            assert_int_equal(ops->receive_data(t, handle, in, sizeof in, 0), 0);
            take_all(p);
            assert_int_equal(ops->close_handle(t, handle), 0);
            peer_expect(p, PKT_FIN | PKT_ACK);
            peer_send(p, PKT_ACK, NULL);
            assert_int_equal(peer_state(p), TCP_STATE_CLOSED);
            peer_free(p);
        }
    }
    ops->close(t);
}

static void urgent_data_is_received_out_of_band(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 0, 4000, 8080);
    int handle = peer_establish_passively(p);
    assert_int_equal(t->ops->send_data(t, handle, (const uint8_t *)"ab", 2, TARGET_MSG_OOB), 2);
    peer_expect(p, PKT_ACK | PKT_URG);
    assert_int_equal(p->seen.tcp.urgent, 2);
    const struct pkt_spec urgent = {
        .protocol = PKT_PROTO_TCP, .src = p->tester.addr, .dst = p->iut.addr, .src_port = 4000, .dst_port = 8080, .seq = p->snd_nxt,
        .ack = p->rcv_nxt, .flags = PKT_ACK | PKT_URG, .urgent = 3, .window = 65535, .payload = (const uint8_t *)"xyz", .payload_len = 3,
    };
    uint8_t out[128], in[8];
    int64_t at_mark = -1;
    ssize_t len = pkt_build(p->builder, &urgent, out, sizeof out);
    assert_int_equal(t->ops->send(t, out, (size_t)len), 0);
    assert_true(t->ops->poll(t, handle) & TARGET_EVENT_URGENT);
    assert_int_equal(t->ops->receive_data(t, handle, in, sizeof in, TARGET_MSG_OOB), 1);
    assert_int_equal(in[0], 'z');
    assert_int_equal(t->ops->ioctl(t, handle, "SIOCATMARK", &at_mark), 0);
    assert_int_equal(at_mark, 0);
    assert_int_equal(t->ops->receive_data(t, handle, in, sizeof in, 0), 2);
    assert_int_equal(t->ops->ioctl(t, handle, "SIOCATMARK", &at_mark), 0);
    assert_int_equal(at_mark, 1);
    peer_free(p);
    t->ops->close(t);
}

static void a_refused_connection_says_so(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 0, 4000, 8080);
    int handle = (int)t->ops->socket(t, 4);
    assert_int_equal(t->ops->bind(t, handle, &p->iut), 0);
    assert_int_equal(t->ops->connect(t, handle, &p->tester), -EINPROGRESS);
    peer_expect(p, PKT_SYN);
    peer_send(p, PKT_RST | PKT_ACK, NULL);
    assert_true(t->ops->poll(t, handle) & TARGET_EVENT_ERROR);
    assert_int_equal(t->ops->connect(t, handle, &p->tester), -ECONNREFUSED);
    peer_free(p);
    t->ops->close(t);
}

static void lingering_decides_between_reset_and_fin_and_never_blocks(void **state)
{
    static const struct row { const char *says; int64_t linger[2]; uint16_t flags; } rows[] = {
        { "off", { 0, 0 }, PKT_FIN | PKT_ACK },
        { "on, no time", { 1, 0 }, PKT_RST | PKT_ACK },
        { "on, an hour", { 1, 3600 }, PKT_FIN | PKT_ACK },
    };
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer *p = peer_new(t, 0, 4000, (uint16_t)(8080 + i));
        int handle = peer_establish_passively(p);
        int64_t value = 0;
        assert_int_equal(t->ops->set_option(t, handle, "SO_LINGER", rows[i].linger, 2), 0);
        assert_int_equal(t->ops->get_option(t, handle, "SO_LINGER", &value), 0);
        assert_int_equal(value, rows[i].linger[0] ? rows[i].linger[1] : -1);
        assert_int_equal(t->ops->close_handle(t, handle), 0);
        peer_expect(p, rows[i].flags);
        peer_free(p);
    }
    t->ops->close(t);
}

static void options_go_by_their_names(void **state)
{
    static const struct row { const char *name; int64_t set, found; } rows[] = {
        { "SO_KEEPALIVE", 1, 1 }, { "SO_REUSEADDR", 1, 1 }, { "SO_RCVBUF", 10000, 20000 }, { "SO_SNDBUF", 10000, 20000 },
        { "SO_OOBINLINE", 1, 1 }, { "SO_BROADCAST", 1, 1 }, { "TCP_NODELAY", 1, 1 }, { "TCP_CORK", 1, 1 }, { "TCP_MAXSEG", 700, 700 },
        { "TCP_KEEPIDLE", 11, 11 }, { "TCP_KEEPINTVL", 12, 12 }, { "TCP_KEEPCNT", 13, 13 }, { "TCP_USER_TIMEOUT", 1400, 1400 },
        { "TCP_SYNCNT", 2, 2 }, { "TCP_LINGER2", 9, 9 }, { "TCP_WINDOW_CLAMP", 20000, 20000 }, { "TCP_NOTSENT_LOWAT", 4294967295, -1 },
        { "TCP_FASTOPEN_CONNECT", 1, 1 }, { "IP_TOS", 0x28, 0x28 }, { "IP_TTL", 7, 7 }, { "IP_MTU_DISCOVER", 2, 2 },
        { "IPV6_TCLASS", 0x28, 0x28 }, { "IPV6_UNICAST_HOPS", 7, 7 }, { "IPV6_V6ONLY", 1, 1 },
    };
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t found = -99;
        int handle = (int)t->ops->socket(t, strncmp(rows[i].name, "IPV6", 4) == 0 ? 6 : 4);
        int64_t result = t->ops->set_option(t, handle, rows[i].name, &rows[i].set, 1);
        if (result == 0)
            result = t->ops->get_option(t, handle, rows[i].name, &found);
        if (result != 0 || found != rows[i].found)
            fail_msg("%s %lld: result %lld, found %lld", rows[i].name, (long long)rows[i].set, (long long)result, (long long)found);
        assert_int_equal(t->ops->close_handle(t, handle), 0);
    }
    int64_t value = 0;
    int handle = (int)t->ops->socket(t, 4);
    assert_int_equal(t->ops->get_option(t, handle, "SO_ERROR", &value), 0);
    assert_int_equal(t->ops->set_option(t, handle, "TCP_NO_SUCH_THING", &value, 1), -ENOPROTOOPT);
    assert_int_equal(t->ops->get_option(t, handle, "TCP_NO_SUCH_THING", &value), -ENOPROTOOPT);
    assert_int_equal(t->ops->ioctl(t, handle, "SIOCNOSUCHTHING", &value), -ENOTTY);
    assert_int_equal(t->ops->set_option(t, handle, "SO_LINGER", &value, 1), -EINVAL);
    assert_int_equal(t->ops->set_option(t, handle, "SO_KEEPALIVE", &value, 0), -EINVAL);
    t->ops->close(t);
}

static void options_reach_the_wire(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 0, 4000, 8080);
    int handle = peer_establish_passively(p);
    const int64_t ttl = 7;
    assert_int_equal(t->ops->set_option(t, handle, "IP_TTL", &ttl, 1), 0);
    assert_int_equal(t->ops->send_data(t, handle, (const uint8_t *)"x", 1, 0), 1);
    peer_expect(p, PKT_ACK);
    assert_int_equal(p->seen.ip.ttl, 7);
    peer_free(p);
    t->ops->close(t);
}

static void queues_are_told_by_ioctl(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 0, 4000, 8080);
    int handle = peer_establish_passively(p);
    int64_t in = -1, out = -1;
    peer_send(p, PKT_ACK, "12345");
    assert_int_equal(t->ops->send_data(t, handle, (const uint8_t *)"123", 3, 0), 3);
    assert_int_equal(t->ops->ioctl(t, handle, "SIOCINQ", &in), 0);
    assert_int_equal(t->ops->ioctl(t, handle, "SIOCOUTQ", &out), 0);
    assert_int_equal(in, 5);
    assert_int_equal(out, 3);
    peer_free(p);
    t->ops->close(t);
}

static void an_ipv6_socket_takes_ipv4_peers(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 0, 4000, 8080);
    const struct pkt_endpoint any = { .port = 8080 };
    struct pkt_endpoint from, local;
    int listener = (int)t->ops->socket(t, 6);
    assert_int_equal(t->ops->bind(t, listener, &any), 0);
    assert_int_equal(t->ops->listen(t, listener, 1), 0);
    peer_send(p, PKT_SYN, NULL);
    peer_expect(p, PKT_SYN | PKT_ACK);
    peer_send(p, PKT_ACK, NULL);
    int handle = (int)t->ops->accept(t, listener, &from);
    assert_true(handle >= 0);
    assert_int_equal(from.addr.version, 4);
    assert_true(pkt_addr_equal(&from.addr, &p->tester.addr));
    assert_int_equal(t->ops->local_endpoint(t, handle, &local), 0);
    assert_true(pkt_addr_equal(&local.addr, &p->iut.addr));
    assert_int_equal(local.port, 8080);
    assert_int_equal(peer_state(p), TCP_STATE_ESTABLISHED);
    peer_free(p);
    t->ops->close(t);
}

static void a_handle_that_is_not_open_is_refused(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    const struct target_ops *ops = t->ops;
    int handle = (int)ops->socket(t, 4);
    assert_int_equal(ops->close_handle(t, handle), 0);
    static const int EXTREMES[] = { -1, 0, 1000000, INT32_MAX, INT32_MIN };
    for (size_t i = 0; i < sizeof EXTREMES / sizeof *EXTREMES; i++) {
        int bad = EXTREMES[i] ? EXTREMES[i] : handle;
        struct pkt_endpoint endpoint = { .addr = t->info.iut[0] };
        uint8_t octet = 0;
        int64_t value = 0;
        assert_int_equal(ops->bind(t, bad, &endpoint), -EBADF);
        assert_int_equal(ops->listen(t, bad, 1), -EBADF);
        assert_int_equal(ops->accept(t, bad, &endpoint), -EBADF);
        assert_int_equal(ops->connect(t, bad, &endpoint), -EBADF);
        assert_int_equal(ops->send_data(t, bad, &octet, 1, 0), -EBADF);
        assert_int_equal(ops->receive_data(t, bad, &octet, 1, 0), -EBADF);
        assert_int_equal(ops->shutdown(t, bad, TARGET_SHUT_RDWR), -EBADF);
        assert_int_equal(ops->close_handle(t, bad), -EBADF);
        assert_int_equal(ops->set_option(t, bad, "SO_KEEPALIVE", &value, 1), -EBADF);
        assert_int_equal(ops->get_option(t, bad, "SO_KEEPALIVE", &value), -EBADF);
        assert_int_equal(ops->ioctl(t, bad, "SIOCINQ", &value), -EBADF);
        assert_int_equal(ops->local_endpoint(t, bad, &endpoint), -EBADF);
        assert_int_equal(ops->poll(t, bad), 0);
    }
    ops->close(t);
}

static void handles_are_given_again(void **state)
{
    enum { COUNT = 300 };
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    int64_t handles[COUNT];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            handles[i] = t->ops->socket(t, i % 2 ? 6 : 4);
            assert_true(handles[i] >= 0 && handles[i] < 512);
        }
        for (int i = 0; i < COUNT; i++)
            assert_int_equal(t->ops->close_handle(t, (int)handles[i]), 0);
    }
    t->ops->close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_goes_both_ways_until_both_have_closed),
        cmocka_unit_test(urgent_data_is_received_out_of_band),
        cmocka_unit_test(a_refused_connection_says_so),
        cmocka_unit_test(lingering_decides_between_reset_and_fin_and_never_blocks),
        cmocka_unit_test(options_go_by_their_names),
        cmocka_unit_test(options_reach_the_wire),
        cmocka_unit_test(queues_are_told_by_ioctl),
        cmocka_unit_test(an_ipv6_socket_takes_ipv4_peers),
        cmocka_unit_test(a_handle_that_is_not_open_is_refused),
        cmocka_unit_test(handles_are_given_again),
    };
    int skip = fixture_preflight();
    return skip ? skip : cmocka_run_group_tests(tests, NULL, NULL);
}

/* The link of the target "linux": what goes in and comes out, in which order, and when fd() says so. */
#include "targets/linux/test/fixture.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { IP_VERSIONS = 2 };

static bool readable(struct target *t)
{
    struct pollfd asked = { .fd = t->ops->fd(t), .events = POLLIN };
    return poll(&asked, 1, 0) == 1;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void a_reaction_is_there_when_send_returns(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    assert_true(t->info.capabilities & TARGET_SYNCHRONOUS);
    for (unsigned ip = 0; ip < IP_VERSIONS; ip++) {
        struct peer *p = peer_new(t, ip, 4000, 9);
        for (int i = 0; i < 100; i++) {
            int64_t before_ns = now_ns();
            peer_send(p, PKT_SYN, NULL);
            peer_expect(p, PKT_RST | PKT_ACK);
            assert_true(p->seen_at_ns > before_ns && p->seen_at_ns <= now_ns());
            peer_expect_nothing(p);
        }
        peer_free(p);
    }
    t->ops->close(t);
}

static void echo_replies_keep_their_place_among_segments(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    for (unsigned ip = 0; ip < IP_VERSIONS; ip++) {
        struct peer *p = peer_new(t, ip, 4000, 9);
        for (uint16_t i = 0; i < 100; i++) {
            peer_send(p, PKT_SYN, NULL);
            peer_send_echo(p, i);
        }
        for (uint16_t i = 0; i < 100; i++) {
            peer_expect(p, PKT_RST | PKT_ACK);
            assert_true(peer_take(p));
            assert_int_equal(p->seen.kind, PKT_KIND_ICMP);
            assert_int_equal(p->seen.icmp.type, ip ? 129 : 0);
            assert_int_equal(p->seen.icmp.rest, 0x12340000u | i);
        }
        peer_expect_nothing(p);
        peer_free(p);
    }
    t->ops->close(t);
}

/* Replies to the first and the last of the tester's addresses come up; to the one after it they do not. */
static void every_address_of_the_tester_is_reachable(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    for (unsigned ip = 0; ip < IP_VERSIONS; ip++) {
        struct peer *p = peer_new(t, ip, 4000, 9);
        uint8_t *last = &p->tester.addr.bytes[ip ? 15 : 3];
        for (uint32_t i = 0; i <= t->info.tester_count; i++) {
            *last = (uint8_t)(t->info.tester[ip].bytes[ip ? 15 : 3] + i);
            peer_send(p, PKT_SYN, NULL);
            if (i < t->info.tester_count)
                peer_expect(p, PKT_RST | PKT_ACK);
            peer_expect_nothing(p);
        }
        peer_free(p);
    }
    t->ops->close(t);
}

/* The kernel leaves checksums and segmentation to the device where the device says it can: this one must not. */
static void what_the_kernel_emits_is_segmented_and_checksummed(void **state)
{
    enum { OCTETS = 100000 };
    static const uint8_t data[OCTETS];
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    for (unsigned ip = 0; ip < IP_VERSIONS; ip++) {
        struct peer *p = peer_new(t, ip, 4000, 8080);
        int handle = peer_establish_passively(p);
        uint32_t taken = 0, queued = 0, longest = 0;
        while (taken < OCTETS) {
            int64_t sent = t->ops->send_data(t, handle, data + queued, OCTETS - queued, 0);
            queued += sent > 0 ? (uint32_t)sent : 0;
            while (peer_take(p)) {
                assert_int_equal(p->seen.kind, PKT_KIND_TCP);
                assert_true(p->seen.tcp.checksum_ok && p->seen.ip.checksum_ok);
                assert_true(p->seen.len <= t->info.mtu);
                longest = p->seen.ip.total_len > longest ? p->seen.ip.total_len : longest;
                p->rcv_nxt = p->seen.tcp.seq + p->seen.tcp.payload_len;
                taken += p->seen.tcp.payload_len;
            }
            peer_send(p, PKT_ACK, NULL);
        }
        assert_true(longest > 500); /* the peer's MSS of 536 is what bounds it */
        peer_free(p);
    }
    t->ops->close(t);
}

static void a_full_segment_fills_the_mtu(void **state)
{
    (void)state;
    const struct target_setting settings[] = { { "mtu", "1280" } };
    struct target *t = fixture_open(settings, 1);
    assert_int_equal(t->info.mtu, 1280);
    struct peer *p = peer_new(t, 1, 4000, 8080);
    peer_listen(p);
    peer_send(p, PKT_SYN, NULL);
    peer_expect(p, PKT_SYN | PKT_ACK);
    struct pkt_options options;
    pkt_options_read(p->seen.tcp.options, p->seen.tcp.options_len, &options);
    assert_int_equal(options.mss, 1280 - 60);
    peer_free(p);
    t->ops->close(t);
}

static void any_bytes_may_be_sent(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 0, 4000, 9);
    uint8_t junk[PKT_BYTES_MAX];
    memset(junk, 0x5a, sizeof junk);
    static const uint8_t FIRST[] = { 0x00, 0x45, 0x4f, 0x60, 0x5a, 0xff };
    static const size_t LENGTHS[] = { 0, 1, 19, 20, 39, 40, 60, 1500, 1501, 65535, PKT_BYTES_MAX };
    for (size_t i = 0; i < sizeof FIRST; i++) {
        for (size_t k = 0; k < sizeof LENGTHS / sizeof *LENGTHS; k++) {
            junk[0] = FIRST[i];
            assert_int_equal(t->ops->send(t, junk, LENGTHS[k]), 0);
        }
    }
    peer_expect_nothing(p);
    peer_send(p, PKT_SYN, NULL);
    peer_expect(p, PKT_RST | PKT_ACK);
    peer_free(p);
    t->ops->close(t);
}

static void instances_do_not_hear_each_other(void **state)
{
    enum { COUNT = 8 };
    (void)state;
    struct target *targets[COUNT];
    struct peer *peers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        targets[i] = fixture_open(NULL, 0);
        peers[i] = peer_new(targets[i], (unsigned)i % 2, 4000, 8080);
    }
    for (int i = 0; i < COUNT; i++)
        peer_establish_passively(peers[i]);
    for (int i = 0; i < COUNT; i++) {
        peer_expect_nothing(peers[i]);
        assert_int_equal(peer_state(peers[i]), TCP_STATE_ESTABLISHED);
        peer_free(peers[i]);
        targets[i]->ops->close(targets[i]);
    }
}

/* ---- fd() ------------------------------------------------------------------------------------------------------ */

static void settle(struct peer *p)
{
    for (int turns = 0; readable(p->target); turns++) {
        if (turns > 3)
            fail_msg("fd() stays readable although nothing happens");
        while (peer_take(p))
            ;
    }
}

static void fd_tells_of_packets(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 0, 4000, 9);
    settle(p);
    peer_send(p, PKT_SYN, NULL);
    assert_true(readable(t));
    peer_expect(p, PKT_RST | PKT_ACK);
    settle(p);
    peer_free(p);
    t->ops->close(t);
}

static void fd_tells_of_sockets_but_does_not_nag(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 0, 4000, 8080);
    int handle = peer_establish_passively(p);
    settle(p);
    peer_send(p, PKT_ACK | PKT_PSH, "data");
    while (peer_take(p)) /* an ACK, if it is not delayed */
        ;
    assert_true(readable(t));
    settle(p); /* although the data has not been read */
    assert_true(t->ops->poll(t, handle) & TARGET_EVENT_IN);
    peer_send(p, PKT_FIN | PKT_ACK, NULL);
    assert_true(readable(t));
    settle(p); /* although the socket has hung up */
    peer_send(p, PKT_RST | PKT_ACK, NULL);
    assert_true(readable(t));
    settle(p);
    peer_free(p);
    t->ops->close(t);
}

/* The runner asks accept(), which has nothing; the connection comes; the runner takes packets, and with them the edge. */
static void an_edge_taken_with_the_packets_is_told_once_more(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 0, 4000, 8080);
    int listener = peer_listen(p);
    struct pkt_endpoint from;
    peer_send(p, PKT_SYN, NULL);
    peer_expect(p, PKT_SYN | PKT_ACK);
    settle(p);
    assert_int_equal(t->ops->accept(t, listener, &from), -EAGAIN);
    peer_send(p, PKT_ACK, NULL);
    peer_expect_nothing(p);
    assert_true(readable(t));
    assert_true(t->ops->accept(t, listener, &from) >= 0);
    settle(p);
    peer_free(p);
    t->ops->close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reaction_is_there_when_send_returns),
        cmocka_unit_test(echo_replies_keep_their_place_among_segments),
        cmocka_unit_test(every_address_of_the_tester_is_reachable),
        cmocka_unit_test(what_the_kernel_emits_is_segmented_and_checksummed),
        cmocka_unit_test(a_full_segment_fills_the_mtu),
        cmocka_unit_test(any_bytes_may_be_sent),
        cmocka_unit_test(instances_do_not_hear_each_other),
        cmocka_unit_test(fd_tells_of_packets),
        cmocka_unit_test(fd_tells_of_sockets_but_does_not_nag),
        cmocka_unit_test(an_edge_taken_with_the_packets_is_told_once_more),
    };
    int skip = fixture_preflight();
    return skip ? skip : cmocka_run_group_tests(tests, NULL, NULL);
}

/* The neighbour layer and the kernel find each other on a TAP device: ARP and neighbour discovery, asked and answered by both. */
#include "targets/tap/ether.h"
#include "targets/tap/namespace.h"
#include "targets/tap/netlink.h"
#include "targets/tap/tap.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIP = 77, WATCHDOG_S = 30 };

static const struct pkt_addr KERNEL[] = { { 4, { 192, 0, 2, 1 } }, { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } } };
static const struct pkt_addr OURS[] = { { 4, { 192, 0, 2, 2 } }, { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } } };
static const uint8_t PREFIX_LEN[] = { 24, 64 };

struct link {
    struct netns ns;
    struct tap tap;
    struct ether *ether;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int open_link(void **state)
{
    static struct link link;
    struct target_error error;
    if (!netns_open(&link.ns, &error))
        return -1;
    assert_int_equal(netns_enter(&link.ns), 0);
    assert_int_equal(tap_open("tap%d", &link.tap), 0);
    int rtnl = rtnl_open();
    assert_true(rtnl >= 0);
    const struct rtnl_link up = { .ifindex = link.tap.ifindex, .up = true };
    assert_int_equal(rtnl_set_link(rtnl, &up), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(rtnl_add_address(rtnl, link.tap.ifindex, &KERNEL[i], PREFIX_LEN[i]), 0);
    close(rtnl);
    assert_int_equal(netns_leave(&link.ns), 0);
    const struct ether_config config = {
        .mac = { { 2, 0, 0, 0, 0, 7 } }, .ranges = { { OURS[0], 1 }, { OURS[1], 1 } }, .range_count = 2,
    };
    link.ether = ether_new(&config);
    *state = &link;
    return link.ether ? 0 : -1;
}

static int close_link(void **state)
{
    struct link *link = *state;
    ether_free(link->ether);
    tap_close_with_namespace(&link->tap);
    netns_close(&link->ns);
    return 0;
}

/* Moves frames until a packet of ours has come in. */
static size_t next_packet(struct link *link, uint8_t frame[static TAP_FRAME_MAX], const uint8_t **packet)
{
    for (;;) {
        uint8_t out[TAP_FRAME_MAX];
        ssize_t len;
        size_t packet_len;
        while ((len = ether_next(link->ether, now_ns(), out, sizeof out)) > 0)
            assert_int_equal(tap_write(&link->tap, out, (size_t)len), 0);
        struct pollfd wait = { .fd = link->tap.fd, .events = POLLIN };
        poll(&wait, 1, 100);
        len = tap_read(&link->tap, frame, TAP_FRAME_MAX);
        assert_true(len >= 0);
        if (len > 0 && ether_unwrap(link->ether, frame, (size_t)len, packet, &packet_len))
            return packet_len;
    }
}

static void both_find_each_other(void **state)
{
    struct link *link = *state;
    struct pkt_builder *builder = pkt_builder_new();
    for (int i = 0; i < 2; i++) {
        static uint8_t frame[TAP_FRAME_MAX];
        uint8_t bytes[128], out[256];
        const struct pkt_spec echo = {
            .protocol = i ? PKT_PROTO_ICMP6 : PKT_PROTO_ICMP, .src = OURS[i], .dst = KERNEL[i], .icmp_type = i ? 128 : 8, .icmp_rest = 77,
        };
        ssize_t len = pkt_build(builder, &echo, bytes, sizeof bytes);
        assert_true(len > 0);
        assert_int_equal(ether_wrap(link->ether, bytes, (size_t)len, now_ns(), out, sizeof out), 0);
        const uint8_t *reply;
        size_t reply_len = next_packet(link, frame, &reply);
        struct packet parsed;
        assert_int_equal(pkt_parse(reply, reply_len, &parsed), PKT_OK);
        assert_int_equal(parsed.kind, PKT_KIND_ICMP);
        assert_int_equal(parsed.icmp.type, i ? 129 : 0);
        assert_int_equal(parsed.icmp.rest, 77);
        assert_true(ether_wrap(link->ether, bytes, (size_t)len, now_ns(), out, sizeof out) > 0);
    }
    pkt_builder_free(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(both_find_each_other, open_link, close_link) };
    struct target_error error;
    if (!netns_preflight(&error)) {
        fprintf(stderr, "skipped: %s\n", error.text);
        return SKIP;
    }
    alarm(WATCHDOG_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

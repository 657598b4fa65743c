/* Tests of the wire on a veth pair: frames in both directions, what a capture must not show, what counts as lost, and interfaces
 * that go and come back. */
#include "targets/remote/card.h"
#include "targets/remote/filter.h"
#include "targets/remote/net_wire.h"
#include "targets/remote/test/veth.h"
#include "targets/tap/clock.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SKIP = 77, PATIENCE_MS = 2000, A_MOMENT_MS = 20 };

static const struct eth_addr TESTER_MAC = { { 2, 0, 0, 0, 0, 9 } }, HOST_MAC = { { 2, 0, 0, 0, 0, 2 } };
static const struct pkt_addr TESTER = { 4, { 192, 0, 2, 100 } }, HOST = { 4, { 192, 0, 2, 2 } };

struct lab {
    struct netns ns;
    struct watcher *watcher;
    struct wire *tester, *host; /* at either end of the pair */
};

static struct wire *open_end(struct lab *lab, const char *interface, const struct eth_addr *mac, const struct pkt_addr *addr)
{
    char text[FILTER_TEXT_MAX];
    struct target_error error;
    const struct filter filter = { .mac = *mac, .tester = { *addr, { 0 } }, .tester_count = 50 };
    struct net_wire_config config = { .filter = text, .watcher = lab->watcher };
    filter_text(&filter, text, sizeof text);
    snprintf(config.interface, sizeof config.interface, "%s", interface);
    struct wire *wire = net_wire_open(&config, &error);
    if (!wire)
        fail_msg("%s", error.text);
    return wire;
}

static int set_up(void **state)
{
    static struct lab lab;
    struct target_error error;
    if (!veth_enter(&lab.ns, &error))
        return -1;
    lab.watcher = watcher_start(&error);
    if (!lab.watcher)
        return -1;
    lab.tester = open_end(&lab, VETH_NEAR, &TESTER_MAC, &TESTER);
    lab.host = open_end(&lab, VETH_FAR, &HOST_MAC, &HOST);
    *state = &lab;
    return 0;
}

static int tear_down(void **state)
{
    struct lab *lab = *state;
    lab->tester->ops->close(lab->tester);
    lab->host->ops->close(lab->host);
    watcher_end(lab->watcher);
    veth_leave(&lab->ns);
    return 0;
}

/* A segment with data octets of payload, from the host or to it. */
static size_t make_frame(bool to_host, uint16_t data, uint8_t *out, size_t capacity)
{
    static const uint8_t zeros[UINT16_MAX];
    static uint8_t packet[PKT_BYTES_MAX];
    struct pkt_builder *builder = pkt_builder_new();
    const struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = to_host ? TESTER : HOST, .dst = to_host ? HOST : TESTER, .src_port = 1, .dst_port = 2,
        .flags = PKT_ACK, .payload = zeros, .payload_len = data,
    };
    ssize_t len = pkt_build(builder, &spec, packet, sizeof packet);
    const struct eth_frame frame = {
        .dst = to_host ? HOST_MAC : TESTER_MAC, .src = to_host ? TESTER_MAC : HOST_MAC, .type = ETH_TYPE_IPV4, .payload = packet,
        .payload_len = (size_t)len,
    };
    pkt_builder_free(builder);
    ssize_t built = eth_build(&frame, out, capacity);
    assert_true(len > 0 && built > 0);
    return (size_t)built;
}

/* The next frame's length, of those that the kernel's own IPv6 does not send by itself; 0 when none comes within the time. */
static ssize_t receive(struct wire *wire, uint8_t *out, size_t capacity, int64_t *at_ns, int patience_ms)
{
    int64_t until_ns = clock_monotonic_ns() + patience_ms * INT64_C(1000000);
    for (;;) {
        ssize_t len = wire->ops->receive(wire, out, capacity, at_ns);
        bool kernels = len > ETH_HEADER_LEN && out[12] == ETH_TYPE_IPV6 >> 8;
        if ((len != 0 && !kernels) || clock_monotonic_ns() > until_ns)
            return kernels ? 0 : len;
        struct pollfd wait = { .fd = wire->ops->fd(wire), .events = POLLIN };
        poll(&wait, 1, A_MOMENT_MS);
    }
}

static uint8_t sent[WIRE_FRAME_MAX], got[WIRE_FRAME_MAX];

/* From one end to the other, whole. False when it does not arrive. */
static bool carries(struct wire *from, struct wire *to, bool to_host, uint16_t data, int patience_ms)
{
    int64_t before_ns = clock_monotonic_ns(), at_ns = 0;
    size_t len = make_frame(to_host, data, sent, sizeof sent);
    assert_int_equal(from->ops->send(from, sent, len), 0);
    ssize_t got_len = receive(to, got, sizeof got, &at_ns, patience_ms);
    if (got_len <= 0)
        return false;
    assert_int_equal(got_len, len);
    assert_memory_equal(got, sent, len);
    assert_true(at_ns >= before_ns && at_ns <= clock_monotonic_ns());
    return true;
}

static void frames_pass_whole_in_both_directions_and_are_stamped(void **state)
{
    struct lab *lab = *state;
    static const uint16_t sizes[] = { 0, 1, 536, 1459, 1460 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_true(carries(lab->tester, lab->host, true, sizes[i], PATIENCE_MS));
        assert_true(carries(lab->host, lab->tester, false, sizes[i], PATIENCE_MS));
    }
    assert_int_equal(lab->tester->ops->lost(lab->tester), 0);
    assert_int_equal(lab->tester->mtu, 1500);
    assert_true(lab->tester->shared);
}

static void nobody_hears_himself(void **state)
{
    struct lab *lab = *state;
    int64_t at_ns;
    assert_true(carries(lab->tester, lab->host, true, 10, PATIENCE_MS));
    assert_int_equal(receive(lab->tester, got, sizeof got, &at_ns, 0), 0);
}

static void arrival_makes_the_descriptor_readable_until_all_is_taken(void **state)
{
    struct lab *lab = *state;
    int64_t at_ns;
    struct pollfd wait = { .fd = lab->host->ops->fd(lab->host), .events = POLLIN };
    size_t len = make_frame(true, 5, sent, sizeof sent);
    for (int i = 0; i < 3; i++)
        assert_int_equal(lab->tester->ops->send(lab->tester, sent, len), 0);
    assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(receive(lab->host, got, sizeof got, &at_ns, PATIENCE_MS), len);
    while (lab->host->ops->receive(lab->host, got, sizeof got, &at_ns) != 0)
        continue;
    assert_int_equal(poll(&wait, 1, 0), 0);
}

static void a_frame_that_is_too_long_counts_as_lost(void **state)
{
    struct lab *lab = *state;
    size_t len = make_frame(true, 1461 + 4, sent, sizeof sent);
    assert_int_equal(lab->tester->ops->send(lab->tester, sent, len), 0);
    assert_int_equal(lab->tester->ops->lost(lab->tester), 1);
    assert_non_null(strstr(lab->tester->ailment, "too long"));
    assert_true(carries(lab->tester, lab->host, true, 1460, PATIENCE_MS));
}

static void a_checksum_left_to_the_card_arrives_complete(void **state)
{
    struct lab *lab = *state;
    struct packet packet;
    int64_t at_ns;
    size_t len = make_frame(false, 3, sent, sizeof sent);
    assert_int_equal(pkt_parse(sent + ETH_HEADER_LEN, len - ETH_HEADER_LEN, &packet), PKT_OK);
    uint32_t sum = 0xc000 + 0x0202 + 0xc000 + 0x0264 + PKT_PROTO_TCP + packet.payload_len;
    sum = (sum & 0xffff) + (sum >> 16);
    uint8_t *field = sent + ETH_HEADER_LEN + packet.ip.header_len + 16;
    field[0] = (uint8_t)(sum >> 8);
    field[1] = (uint8_t)sum;
    assert_int_equal(lab->host->ops->send(lab->host, sent, len), 0);
    assert_int_equal(receive(lab->tester, got, sizeof got, &at_ns, PATIENCE_MS), len);
    assert_int_equal(pkt_parse(got + ETH_HEADER_LEN, len - ETH_HEADER_LEN, &packet), PKT_OK);
    assert_true(packet.tcp.checksum_ok);
}

/* Receives until the wire has noticed that its interface is gone, and counted that. */
static bool notices(struct wire *wire)
{
    int64_t at_ns;
    for (int attempt = 0; attempt < PATIENCE_MS / A_MOMENT_MS && wire->ops->lost(wire) == 0; attempt++)
        receive(wire, got, sizeof got, &at_ns, A_MOMENT_MS);
    return wire->ops->lost(wire) > 0 && *wire->ailment;
}

/* Receives until frames get through again. */
static bool comes_back(struct lab *lab)
{
    for (int attempt = 0; attempt < PATIENCE_MS / A_MOMENT_MS; attempt++)
        if (carries(lab->tester, lab->host, true, 1, A_MOMENT_MS))
            return true;
    return false;
}

static void while_the_interface_is_down_frames_are_lost_and_then_it_goes_on(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(veth_switch(VETH_NEAR, false), 0);
    assert_true(notices(lab->tester));
    uint64_t lost = lab->tester->ops->lost(lab->tester);
    size_t len = make_frame(true, 1, sent, sizeof sent);
    assert_int_equal(lab->tester->ops->send(lab->tester, sent, len), 0);
    assert_true(lab->tester->ops->lost(lab->tester) > lost);
    assert_int_equal(veth_switch(VETH_NEAR, true), 0);
    assert_true(comes_back(lab));
    assert_true(carries(lab->host, lab->tester, false, 1, PATIENCE_MS));
}

static void an_interface_that_is_made_anew_under_its_name_is_taken_again(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(veth_remove(), 0);
    assert_true(notices(lab->tester));
    assert_true(notices(lab->host));
    assert_int_equal(veth_make(), 0);
    assert_true(comes_back(lab));
}

static void a_wire_that_was_lost_can_be_recovered_once_the_interface_is_back(void **state)
{
    struct lab *lab = *state;
    struct target_error error;
    assert_int_equal(veth_switch(VETH_NEAR, false), 0);
    assert_true(notices(lab->tester));
    assert_false(lab->tester->ops->recover(lab->tester, &error));
    assert_non_null(strstr(error.text, "is down"));
    assert_int_equal(veth_switch(VETH_NEAR, true), 0);
    assert_true(lab->tester->ops->recover(lab->tester, &error));
    assert_true(comes_back(lab));
}

static void offloads_are_off_meanwhile_and_as_before_afterwards(void **state)
{
    struct lab *lab = *state;
    struct target_error error;
    unsigned on = 0;
    lab->tester->ops->close(lab->tester);
    watcher_end(lab->watcher);
    assert_int_equal(card_switch(VETH_NEAR, CARD_GRO, true), 0);
    lab->watcher = watcher_start(&error);
    lab->tester = open_end(lab, VETH_NEAR, &TESTER_MAC, &TESTER);
    assert_int_equal(card_offloads(VETH_NEAR, &on), 0);
    assert_int_equal(on & CARD_GRO, 0);
    lab->tester->ops->close(lab->tester);
    watcher_end(lab->watcher);
    assert_int_equal(card_offloads(VETH_NEAR, &on), 0);
    assert_int_equal(on & CARD_GRO, CARD_GRO);
    lab->watcher = watcher_start(&error);
    lab->tester = open_end(lab, VETH_NEAR, &TESTER_MAC, &TESTER);
}

static void what_cannot_be_opened_is_told_in_words(void **state)
{
    struct lab *lab = *state;
    static const struct row { const char *interface, *says; } rows[] = {
        { "no-such-device", "there is no interface no-such-device" }, { "lo", "interface lo is down" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target_error error = { 0 };
        struct net_wire_config config = { .filter = "arp", .watcher = lab->watcher };
        snprintf(config.interface, sizeof config.interface, "%s", rows[i].interface);
        if (net_wire_open(&config, &error) || error.kind != TARGET_ERR_UNAVAILABLE || !strstr(error.text, rows[i].says))
            fail_msg("%s: %s", rows[i].interface, error.text);
    }
    assert_int_equal(netns_loopback_up(), 0);
    struct target_error error = { 0 };
    const struct net_wire_config config = { .interface = "lo", .filter = "arp", .watcher = lab->watcher };
    assert_null(net_wire_open(&config, &error));
    assert_non_null(strstr(error.text, "no Ethernet"));
}

#define WIRE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    struct target_error error = { 0 };
    struct netns ns;
    const struct CMUnitTest tests[] = {
        WIRE_TEST(frames_pass_whole_in_both_directions_and_are_stamped),
        WIRE_TEST(nobody_hears_himself),
        WIRE_TEST(arrival_makes_the_descriptor_readable_until_all_is_taken),
        WIRE_TEST(a_frame_that_is_too_long_counts_as_lost),
        WIRE_TEST(a_checksum_left_to_the_card_arrives_complete),
        WIRE_TEST(while_the_interface_is_down_frames_are_lost_and_then_it_goes_on),
        WIRE_TEST(an_interface_that_is_made_anew_under_its_name_is_taken_again),
        WIRE_TEST(a_wire_that_was_lost_can_be_recovered_once_the_interface_is_back),
        WIRE_TEST(offloads_are_off_meanwhile_and_as_before_afterwards),
        WIRE_TEST(what_cannot_be_opened_is_told_in_words),
    };
    if (!veth_enter(&ns, &error)) {
        fprintf(stderr, "skipped: %s\n", error.text);
        return SKIP;
    }
    veth_leave(&ns);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The neighbour layer: ARP, neighbour discovery, resolution, wrapping, and the bounds of its stores. */
#include "targets/tap/ether.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

static const struct eth_addr OUR_MAC = { { 2, 0, 0, 0, 0, 1 } }, PEER_MAC = { { 2, 0, 0, 0, 0, 2 } };
static const struct eth_addr ALL = { { 255, 255, 255, 255, 255, 255 } };

static struct pkt_addr ip(const char *text)
{
    struct pkt_addr addr;
    assert_true(pkt_addr_parse(text, &addr));
    return addr;
}

static struct ether_config config(void)
{
    return (struct ether_config){
        .mac = OUR_MAC,
        .ranges = { { ip("198.51.100.1"), 200 }, { ip("2001:db8:1::1"), 200 } }, .range_count = 2,
        .broadcast = ip("198.51.100.255"),
    };
}

static struct ether *station(void)
{
    const struct ether_config c = config();
    struct ether *e = ether_new(&c);
    assert_non_null(e);
    return e;
}

/* An IP packet with nothing but addresses in it, and one octet to tell it by. */
static size_t bare_packet(const char *src, const char *dst, uint8_t mark, uint8_t out[static 41])
{
    const struct pkt_addr from = ip(src), to = ip(dst);
    memset(out, 0, 41);
    if (from.version == 4) {
        out[0] = 0x45;
        memcpy(out + 12, from.bytes, 4);
        memcpy(out + 16, to.bytes, 4);
        out[20] = mark;
        return 21;
    }
    out[0] = 0x60;
    out[6] = 59; /* no next header */
    memcpy(out + 8, from.bytes, 16);
    memcpy(out + 24, to.bytes, 16);
    out[40] = mark;
    return 41;
}

static bool put_frame(struct ether *e, const struct eth_addr *dst, uint16_t type, const uint8_t *payload, size_t len)
{
    uint8_t bytes[256];
    const struct eth_frame frame = { .dst = *dst, .src = PEER_MAC, .type = type, .payload = payload, .payload_len = len };
    ssize_t frame_len = eth_build(&frame, bytes, sizeof bytes);
    assert_true(frame_len > 0);
    const uint8_t *packet;
    size_t packet_len;
    return ether_unwrap(e, bytes, (size_t)frame_len, &packet, &packet_len);
}

static void put_arp(struct ether *e, enum arp_operation operation, const char *sender, const char *target)
{
    uint8_t payload[64];
    const struct arp_packet arp = {
        .operation = (uint16_t)operation, .sender_mac = PEER_MAC, .sender_ip = ip(sender), .target_ip = ip(target),
    };
    ssize_t len = arp_build(&arp, payload, sizeof payload);
    assert_true(len > 0);
    assert_false(put_frame(e, &ALL, ETH_TYPE_ARP, payload, (size_t)len));
}

static void put_nd(struct ether *e, struct nd_message message)
{
    uint8_t payload[128];
    ssize_t len = nd_build(&message, payload, sizeof payload);
    assert_true(len > 0);
    const struct eth_addr dst = message.dst.bytes[0] == 0xff ? eth_multicast(&message.dst) : OUR_MAC;
    assert_false(put_frame(e, &dst, ETH_TYPE_IPV6, payload, (size_t)len));
}

struct next { /* one frame from ether_next(), taken apart; len 0: there was none */
    size_t len;
    uint8_t bytes[256];
    struct eth_frame frame;
};

static struct next next_frame(struct ether *e, int64_t now_ns)
{
    struct next next = { 0 };
    ssize_t len = ether_next(e, now_ns, next.bytes, sizeof next.bytes);
    assert_true(len >= 0);
    next.len = (size_t)len;
    return next;
}

static void take_apart(struct next *next)
{
    assert_true(next->len > 0);
    assert_true(eth_parse(next->bytes, next->len, &next->frame));
    assert_memory_equal(&next->frame.src, &OUR_MAC, 6);
}

static void assert_nothing_next(struct ether *e, int64_t now_ns)
{
    assert_int_equal(next_frame(e, now_ns).len, 0);
}

/* ---- being found ----------------------------------------------------------------------------------------------- */

static void a_request_for_an_address_of_ours_is_answered(void **state)
{
    static const struct row { const char *target; bool answered; } rows[] = {
        { "198.51.100.0", false }, { "198.51.100.1", true }, { "198.51.100.200", true }, { "198.51.100.201", false },
        { "198.51.101.1", false }, { "0.0.0.0", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ether *e = station();
        put_arp(e, ARP_REQUEST, "192.0.2.2", rows[i].target);
        struct next next = next_frame(e, 0);
        if ((next.len > 0) != rows[i].answered)
            fail_msg("%s: expected %s", rows[i].target, rows[i].answered ? "an answer" : "none");
        if (next.len) {
            struct arp_packet arp;
            take_apart(&next);
            assert_true(arp_parse(next.frame.payload, next.frame.payload_len, &arp));
            assert_int_equal(arp.operation, ARP_REPLY);
            assert_memory_equal(&next.frame.dst, &PEER_MAC, 6);
            assert_memory_equal(&arp.sender_mac, &OUR_MAC, 6);
            assert_memory_equal(&arp.target_mac, &PEER_MAC, 6);
            const struct pkt_addr asked = ip(rows[i].target), asker = ip("192.0.2.2");
            assert_true(pkt_addr_equal(&arp.sender_ip, &asked));
            assert_true(pkt_addr_equal(&arp.target_ip, &asker));
        }
        assert_nothing_next(e, 0);
        ether_free(e);
    }
}

static void a_solicitation_is_answered_to_who_asked(void **state)
{
    (void)state;
    struct ether *e = station();
    const struct pkt_addr target = ip("2001:db8:1::c8"), asker = ip("2001:db8::2"), beyond = ip("2001:db8:1::c9");
    put_nd(e, (struct nd_message){ .src = asker, .dst = nd_solicited_node(&beyond), .target = beyond });
    assert_nothing_next(e, 0);
    put_nd(e, (struct nd_message){ .src = asker, .dst = nd_solicited_node(&target), .target = target, .has_link_address = true,
                                   .link_address = PEER_MAC });
    struct next next = next_frame(e, 0);
    take_apart(&next);
    struct packet packet;
    struct nd_message nd;
    assert_int_equal(pkt_parse(next.frame.payload, next.frame.payload_len, &packet), PKT_OK);
    assert_true(nd_parse(&packet, &nd));
    assert_memory_equal(&next.frame.dst, &PEER_MAC, 6);
    assert_true(nd.is_advertisement && nd.solicited && nd.override && nd.has_link_address);
    assert_memory_equal(&nd.link_address, &OUR_MAC, 6);
    assert_true(pkt_addr_equal(&nd.target, &target) && pkt_addr_equal(&nd.src, &target) && pkt_addr_equal(&nd.dst, &asker));
    ether_free(e);
}

/* RFC 4861 §7.2.4: if the source is the unspecified address, the answer is not solicited and goes to all nodes. */
static void duplicate_address_detection_is_answered_to_all_nodes(void **state)
{
    (void)state;
    struct ether *e = station();
    const struct pkt_addr target = ip("2001:db8:1::1"), all_nodes = ip("ff02::1");
    put_nd(e, (struct nd_message){ .src = ip("::"), .dst = nd_solicited_node(&target), .target = target });
    struct next next = next_frame(e, 0);
    take_apart(&next);
    struct packet packet;
    struct nd_message nd;
    assert_int_equal(pkt_parse(next.frame.payload, next.frame.payload_len, &packet), PKT_OK);
    assert_true(nd_parse(&packet, &nd));
    assert_true(nd.is_advertisement && !nd.solicited && pkt_addr_equal(&nd.dst, &all_nodes));
    assert_int_equal(next.frame.dst.bytes[0], 0x33);
    ether_free(e);
}

/* ---- finding --------------------------------------------------------------------------------------------------- */

static void a_neighbour_is_asked_for_three_times_and_then_given_up(void **state)
{
    static const char *const versions[][2] = { { "198.51.100.7", "192.0.2.2" }, { "2001:db8:1::7", "2001:db8::2" } };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ether *e = station();
        uint8_t packet[41], out[128];
        size_t len = bare_packet(versions[i][0], versions[i][1], 1, packet);
        assert_int_equal(ether_deadline(e), INT64_MAX);
        assert_int_equal(ether_wrap(e, packet, len, 5 * MS, out, sizeof out), 0);
        for (int64_t now_ns = 5 * MS, asked = 0; asked < ETHER_SOLICITATIONS_MAX; asked++, now_ns += ETHER_RETRANSMIT_NS) {
            assert_int_equal(ether_deadline(e), now_ns);
            assert_nothing_next(e, now_ns - 1);
            struct next next = next_frame(e, now_ns);
            take_apart(&next);
            assert_true(next.frame.dst.bytes[0] & 1);
            assert_int_equal(next.frame.type, i ? ETH_TYPE_IPV6 : ETH_TYPE_ARP);
            assert_nothing_next(e, now_ns);
        }
        assert_int_equal(ether_counters(e).unresolved, 0);
        assert_nothing_next(e, 5 * MS + ETHER_SOLICITATIONS_MAX * ETHER_RETRANSMIT_NS);
        assert_int_equal(ether_counters(e).unresolved, 1);
        assert_int_equal(ether_deadline(e), INT64_MAX);
        ether_free(e);
    }
}

static void what_waited_leaves_in_order_once_the_neighbour_answers(void **state)
{
    (void)state;
    struct ether *e = station();
    uint8_t packet[41], out[128];
    for (uint8_t mark = 1; mark <= 3; mark++)
        assert_int_equal(ether_wrap(e, packet, bare_packet("198.51.100.7", "192.0.2.2", mark, packet), 0, out, sizeof out), 0);
    struct next next = next_frame(e, 0);
    struct arp_packet arp;
    take_apart(&next);
    assert_true(arp_parse(next.frame.payload, next.frame.payload_len, &arp));
    const struct pkt_addr asker = ip("198.51.100.7"), asked = ip("192.0.2.2");
    assert_int_equal(arp.operation, ARP_REQUEST);
    assert_true(pkt_addr_equal(&arp.sender_ip, &asker) && pkt_addr_equal(&arp.target_ip, &asked));
    put_arp(e, ARP_REPLY, "192.0.2.2", "198.51.100.7");
    for (uint8_t mark = 1; mark <= 3; mark++) {
        next = next_frame(e, 0);
        take_apart(&next);
        assert_memory_equal(&next.frame.dst, &PEER_MAC, 6);
        assert_int_equal(next.frame.payload[20], mark);
    }
    assert_nothing_next(e, 0);
    assert_int_equal(ether_wrap(e, packet, bare_packet("198.51.100.8", "192.0.2.2", 4, packet), 0, out, sizeof out), 14 + 21);
    ether_free(e);
}

static void an_advertisement_resolves_what_was_asked_for_and_nothing_else(void **state)
{
    (void)state;
    struct ether *e = station();
    uint8_t packet[41], out[128];
    size_t len = bare_packet("2001:db8:1::7", "2001:db8::2", 9, packet);
    const struct nd_message answer = {
        .is_advertisement = true, .solicited = true, .override = true, .src = ip("2001:db8::2"), .dst = ip("2001:db8:1::7"),
        .target = ip("2001:db8::2"), .has_link_address = true, .link_address = PEER_MAC,
    };
    put_nd(e, answer);
    assert_int_equal(ether_wrap(e, packet, len, 0, out, sizeof out), 0);
    struct next next = next_frame(e, 0);
    take_apart(&next);
    struct packet parsed;
    struct nd_message nd;
    assert_int_equal(pkt_parse(next.frame.payload, next.frame.payload_len, &parsed), PKT_OK);
    assert_true(nd_parse(&parsed, &nd) && !nd.is_advertisement && nd.has_link_address);
    put_nd(e, answer);
    next = next_frame(e, 0);
    take_apart(&next);
    assert_int_equal(next.frame.payload[40], 9);
    ether_free(e);
}

static void whoever_speaks_to_us_need_not_be_asked_for(void **state)
{
    static const char *const pairs[][2] = { { "203.0.113.9", "198.51.100.1" }, { "2001:db8:9::9", "2001:db8:1::1" } };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ether *e = station();
        uint8_t packet[41], out[128];
        size_t len = bare_packet(pairs[i][0], pairs[i][1], 1, packet);
        assert_true(put_frame(e, &OUR_MAC, i ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4, packet, len));
        bare_packet(pairs[i][1], pairs[i][0], 2, packet);
        assert_int_equal(ether_wrap(e, packet, len, 0, out, sizeof out), ETH_HEADER_LEN + len);
        assert_memory_equal(out, &PEER_MAC, 6);
        ether_free(e);
    }
}

static void nobody_takes_our_own_address_from_us(void **state)
{
    (void)state;
    struct ether *e = station();
    uint8_t packet[41], out[128];
    put_arp(e, ARP_REQUEST, "198.51.100.9", "198.51.100.1");
    assert_int_equal(ether_wrap(e, packet, bare_packet("198.51.100.1", "198.51.100.9", 1, packet), 0, out, sizeof out), 0);
    ether_free(e);
}

/* ---- wrapping -------------------------------------------------------------------------------------------------- */

static void the_destination_decides_the_frame(void **state)
{
    static const struct row { const char *says, *src, *dst; struct eth_addr mac; } rows[] = {
        { "limited broadcast", "198.51.100.1", "255.255.255.255", { { 255, 255, 255, 255, 255, 255 } } },
        { "the link's broadcast", "198.51.100.1", "198.51.100.255", { { 255, 255, 255, 255, 255, 255 } } },
        { "IPv4 group", "198.51.100.1", "224.1.2.3", { { 1, 0, 0x5e, 1, 2, 3 } } },
        { "IPv6 group", "2001:db8:1::1", "ff02::1:ff00:2", { { 0x33, 0x33, 0xff, 0, 0, 2 } } },
        { "the known peer", "198.51.100.1", "10.0.0.1", { { 2, 0, 0, 0, 0, 2 } } },
        { "the known peer over IPv6", "2001:db8:1::1", "fe80::1", { { 2, 0, 0, 0, 0, 2 } } },
    };
    (void)state;
    struct ether_config c = config();
    c.peer_known = true;
    c.peer_mac = PEER_MAC;
    struct ether *e = ether_new(&c);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t packet[41], out[128];
        size_t len = bare_packet(rows[i].src, rows[i].dst, 1, packet);
        assert_int_equal(ether_wrap(e, packet, len, 0, out, sizeof out), ETH_HEADER_LEN + len);
        if (memcmp(out, &rows[i].mac, 6) != 0)
            fail_msg("%s: wrong MAC address", rows[i].says);
        assert_memory_equal(out + ETH_HEADER_LEN, packet, len);
        assert_int_equal(out[12] << 8 | out[13], packet[0] >> 4 == 6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4);
    }
    ether_free(e);
}

static void a_damaged_packet_reaches_a_known_peer_only(void **state)
{
    (void)state;
    uint8_t out[128];
    static const uint8_t damaged[][19] = { { 0x45 }, { 0x60 }, { 0x55 }, { 0x00 } };
    for (size_t known = 0; known < 2; known++) {
        struct ether_config c = config();
        c.peer_known = known;
        c.peer_mac = PEER_MAC;
        struct ether *e = ether_new(&c);
        for (size_t i = 0; i < 4; i++)
            for (size_t len = 0; len <= sizeof damaged[i]; len++)
                assert_int_equal(ether_wrap(e, damaged[i], len, 0, out, sizeof out),
                                 known ? ETH_HEADER_LEN + (ssize_t)len : -EHOSTUNREACH);
        ether_free(e);
    }
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    struct ether_config c = config();
    uint8_t packet[41], out[ETH_HEADER_LEN + 41];
    for (size_t known = 0; known < 2; known++) {
        c.peer_known = known;
        struct ether *e = ether_new(&c);
        size_t len = bare_packet("2001:db8:1::1", "2001:db8::2", 1, packet);
        assert_int_equal(ether_wrap(e, packet, len, 0, out, sizeof out - 1), -EMSGSIZE);
        assert_int_equal(ether_wrap(e, packet, len, 0, out, sizeof out), known ? (ssize_t)sizeof out : 0);
        ether_free(e);
    }
}

/* ---- unwrapping ------------------------------------------------------------------------------------------------ */

static void only_packets_to_us_come_up(void **state)
{
    static const struct row { const char *says; struct eth_addr mac; uint16_t type; const char *src, *dst; bool up; } rows[] = {
        { "ours", { { 2, 0, 0, 0, 0, 1 } }, ETH_TYPE_IPV4, "192.0.2.2", "198.51.100.200", true },
        { "ours over IPv6", { { 2, 0, 0, 0, 0, 1 } }, ETH_TYPE_IPV6, "2001:db8::2", "2001:db8:1::c8", true },
        { "ours, in a broadcast frame", { { 255, 255, 255, 255, 255, 255 } }, ETH_TYPE_IPV4, "192.0.2.2", "198.51.100.1", true },
        { "another station", { { 2, 0, 0, 0, 0, 9 } }, ETH_TYPE_IPV4, "192.0.2.2", "198.51.100.1", false },
        { "another address", { { 2, 0, 0, 0, 0, 1 } }, ETH_TYPE_IPV4, "192.0.2.2", "198.51.100.201", false },
        { "another prefix", { { 2, 0, 0, 0, 0, 1 } }, ETH_TYPE_IPV6, "2001:db8::2", "2001:db8:2::1", false },
        { "a group", { { 1, 0, 0x5e, 0, 0, 1 } }, ETH_TYPE_IPV4, "192.0.2.2", "224.0.0.1", false },
        { "IPv4 in a frame that says IPv6", { { 2, 0, 0, 0, 0, 1 } }, ETH_TYPE_IPV6, "192.0.2.2", "198.51.100.1", false },
        { "another protocol", { { 2, 0, 0, 0, 0, 1 } }, 0x88cc, "192.0.2.2", "198.51.100.1", false },
    };
    (void)state;
    struct ether *e = station();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t packet[41];
        size_t len = bare_packet(rows[i].src, rows[i].dst, 1, packet);
        uint64_t foreign = ether_counters(e).foreign;
        if (put_frame(e, &rows[i].mac, rows[i].type, packet, len) != rows[i].up)
            fail_msg("%s: expected it %s", rows[i].says, rows[i].up ? "to come up" : "to be dropped");
        assert_int_equal(ether_counters(e).foreign - foreign, rows[i].up ? 0 : 1);
    }
    assert_nothing_next(e, 0);
    ether_free(e);
}

static void what_cannot_be_read_is_counted(void **state)
{
    (void)state;
    struct ether *e = station();
    const uint8_t runt[13] = { 0 }, *packet;
    uint8_t nd[72] = { 0x60, [6] = 58, [7] = 255, [40] = 135 };
    size_t len;
    assert_false(ether_unwrap(e, runt, sizeof runt, &packet, &len));
    assert_false(put_frame(e, &OUR_MAC, ETH_TYPE_ARP, runt, sizeof runt));
    assert_false(put_frame(e, &OUR_MAC, ETH_TYPE_IPV6, nd, sizeof nd));
    assert_int_equal(ether_counters(e).malformed, 3);
    ether_free(e);
}

/* ---- bounds ---------------------------------------------------------------------------------------------------- */

static void beyond_the_last_place_packets_are_dropped_and_counted(void **state)
{
    (void)state;
    struct ether *e = station();
    uint8_t packet[41], out[128];
    size_t len = bare_packet("198.51.100.7", "192.0.2.2", 1, packet);
    for (int i = 0; i < ETHER_HELD_MAX; i++)
        assert_int_equal(ether_wrap(e, packet, len, 0, out, sizeof out), 0);
    assert_int_equal(ether_wrap(e, packet, len, 0, out, sizeof out), -ENOBUFS);
    assert_int_equal(ether_counters(e).overflowed, 1);
    ether_free(e);
}

static void beyond_the_last_place_replies_are_dropped_and_counted(void **state)
{
    (void)state;
    struct ether *e = station();
    for (int i = 0; i <= ETHER_REPLIES_MAX; i++)
        put_arp(e, ARP_REQUEST, "192.0.2.2", "198.51.100.1");
    assert_int_equal(ether_counters(e).overflowed, 1);
    for (int i = 0; i < ETHER_REPLIES_MAX; i++)
        assert_true(next_frame(e, 0).len > 0);
    assert_nothing_next(e, 0);
    ether_free(e);
}

static void the_neighbour_not_used_for_longest_makes_way(void **state)
{
    (void)state;
    struct ether *e = station();
    uint8_t packet[41], out[128];
    for (int i = 0; i <= ETHER_NEIGHBOURS_MAX; i++) {
        char address[32];
        snprintf(address, sizeof address, "192.0.2.%d", i);
        size_t len = bare_packet("198.51.100.7", address, 1, packet);
        assert_int_equal(ether_wrap(e, packet, len, 0, out, sizeof out), 0);
    }
    assert_int_equal(ether_counters(e).unresolved, 1); /* the packet that waited for 192.0.2.0 */
    put_arp(e, ARP_REPLY, "192.0.2.64", "198.51.100.7");
    size_t len = bare_packet("198.51.100.7", "192.0.2.64", 1, packet);
    assert_true(ether_wrap(e, packet, len, 0, out, sizeof out) > 0);
    ether_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_for_an_address_of_ours_is_answered),
        cmocka_unit_test(a_solicitation_is_answered_to_who_asked),
        cmocka_unit_test(duplicate_address_detection_is_answered_to_all_nodes),
        cmocka_unit_test(a_neighbour_is_asked_for_three_times_and_then_given_up),
        cmocka_unit_test(what_waited_leaves_in_order_once_the_neighbour_answers),
        cmocka_unit_test(an_advertisement_resolves_what_was_asked_for_and_nothing_else),
        cmocka_unit_test(whoever_speaks_to_us_need_not_be_asked_for),
        cmocka_unit_test(nobody_takes_our_own_address_from_us),
        cmocka_unit_test(the_destination_decides_the_frame),
        cmocka_unit_test(a_damaged_packet_reaches_a_known_peer_only),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(only_packets_to_us_come_up),
        cmocka_unit_test(what_cannot_be_read_is_counted),
        cmocka_unit_test(beyond_the_last_place_packets_are_dropped_and_counted),
        cmocka_unit_test(beyond_the_last_place_replies_are_dropped_and_counted),
        cmocka_unit_test(the_neighbour_not_used_for_longest_makes_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

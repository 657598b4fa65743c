/* Ethernet, ARP and neighbour discovery: what is built is read again, and what RFC 4861 §7.1 forbids is refused. */
#include "engine/packet/ethernet.h"

#include "engine/packet/test/support.h"

static const struct eth_addr mac_a = { { 2, 0, 0, 0, 0, 0xaa } }, mac_b = { { 2, 0, 0, 0, 0, 0xbb } };

static void a_frame_built_is_read_again(void **state)
{
    const struct eth_frame frame = { .dst = mac_a, .src = mac_b, .type = ETH_TYPE_IPV4, .payload = (const uint8_t *)"hello", .payload_len = 5 };
    struct eth_frame again;
    uint8_t bytes[32];

    (void)state;
    assert_int_equal(eth_build(&frame, bytes, sizeof bytes), 19);
    assert_true(eth_parse(bytes, 19, &again));
    assert_memory_equal(&again.dst, &mac_a, 6);
    assert_memory_equal(&again.src, &mac_b, 6);
    assert_true(again.type == ETH_TYPE_IPV4 && again.payload_len == 5 && memcmp(again.payload, "hello", 5) == 0);
    assert_int_equal(eth_build(&frame, bytes, 18), -1);
    assert_int_equal(eth_build(&frame, bytes, 13), -1);
    assert_false(eth_parse(bytes, 13, &again));
    assert_true(eth_parse(bytes, 14, &again) && again.payload_len == 0);
}

static void arp_built_is_read_again(void **state)
{
    const struct arp_packet arp = {
        .operation = ARP_REQUEST, .sender_mac = mac_a, .target_mac = mac_b, .sender_ip = address("192.0.2.1"), .target_ip = address("192.0.2.2"),
    };
    struct arp_packet again;
    uint8_t bytes[28], expected[28];

    (void)state;
    assert_int_equal(arp_build(&arp, bytes, sizeof bytes), 28);
    octets("0001 0800 06 04 0001 0200000000aa c0000201 0200000000bb c0000202", expected, sizeof expected); /* RFC 826 */
    assert_memory_equal(bytes, expected, 28);
    assert_true(arp_parse(bytes, 28, &again));
    assert_memory_equal(&arp, &again, sizeof arp);
    assert_int_equal(arp_build(&arp, bytes, 27), -1);
    assert_false(arp_parse(bytes, 27, &again));
}

static void arp_for_anything_but_ipv4_over_ethernet_is_refused(void **state)
{
    static const unsigned fixed_octets[] = { 0, 1, 2, 3, 4, 5 };
    struct arp_packet again;
    uint8_t bytes[28];

    (void)state;
    for (size_t i = 0; i < COUNT(fixed_octets); i++) {
        octets("0001 0800 06 04 0001 0200000000aa c0000201 0200000000bb c0000202", bytes, sizeof bytes);
        bytes[fixed_octets[i]] ^= 1;
        assert_false(arp_parse(bytes, sizeof bytes, &again));
    }
}

static struct nd_message solicitation(void)
{
    return (struct nd_message){
        .src = address("2001:db8::1"), .dst = address("ff02::1:ff00:2"), .target = address("2001:db8::2"), .has_link_address = true,
        .link_address = mac_a,
    };
}

static struct nd_message advertisement(void)
{
    return (struct nd_message){
        .is_advertisement = true, .solicited = true, .override = true, .src = address("2001:db8::2"), .dst = address("2001:db8::1"),
        .target = address("2001:db8::2"), .has_link_address = true, .link_address = mac_b,
    };
}

static bool nd_round_trip(const struct nd_message *message, struct nd_message *again)
{
    static uint8_t bytes[128];
    ssize_t len = nd_build(message, bytes, sizeof bytes);
    struct packet p;

    assert_true(len > 0);
    assert_int_equal(pkt_parse(bytes, (size_t)len, &p), PKT_OK);
    return nd_parse(&p, again);
}

static void neighbour_discovery_built_is_read_again(void **state)
{
    struct nd_message messages[] = { solicitation(), advertisement(), solicitation(), advertisement() }, again;

    (void)state;
    messages[2].has_link_address = false;
    messages[3].solicited = messages[3].override = messages[3].has_link_address = false;
    for (size_t i = 0; i < COUNT(messages); i++) {
        struct nd_message *m = &messages[i];
        assert_true(nd_round_trip(m, &again));
        assert_true(again.is_advertisement == m->is_advertisement && again.solicited == m->solicited &&
                    again.override == m->override);
        assert_true(pkt_addr_equal(&again.src, &m->src) && pkt_addr_equal(&again.dst, &m->dst) &&
                    pkt_addr_equal(&again.target, &m->target));
        assert_int_equal(again.has_link_address, m->has_link_address);
        if (m->has_link_address)
            assert_memory_equal(&again.link_address, &m->link_address, 6);
    }
}

/* RFC 4861 §4.3, §4.4, §4.6.1: the octets, but for the checksum. */
static void neighbour_discovery_has_the_rfcs_octets(void **state)
{
    static const struct row { bool advertisement; const char *icmp; } rows[] = {
        { false, "8700 0000 00000000 20010db8000000000000000000000002 01 01 0200000000aa" },
        { true, "8800 0000 60000000 20010db8000000000000000000000002 02 01 0200000000bb" },
    };
    uint8_t bytes[128], expected[128];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct nd_message m = rows[i].advertisement ? advertisement() : solicitation();
        size_t len = octets(rows[i].icmp, expected, sizeof expected);
        assert_int_equal(nd_build(&m, bytes, sizeof bytes), 40 + len);
        assert_int_equal(pkt_transport_checksum(&m.src, &m.dst, PKT_PROTO_ICMP6, bytes + 40, len), 0);
        bytes[42] = bytes[43] = 0;
        assert_memory_equal(bytes + 40, expected, len);
        assert_true(bytes[6] == PKT_PROTO_ICMP6 && bytes[7] == 255);
    }
}

static void what_a_neighbour_may_not_send_is_refused(void **state)
{
    struct nd_message m, again;

    (void)state;
    m = solicitation();
    m.target = address("ff02::1");
    assert_false(nd_round_trip(&m, &again)); /* a multicast target */
    m = solicitation();
    m.src = address("::");
    assert_false(nd_round_trip(&m, &again)); /* duplicate address detection does not say where it lives */
    m.has_link_address = false;
    assert_true(nd_round_trip(&m, &again));
    m.dst = address("2001:db8::2");
    assert_false(nd_round_trip(&m, &again)); /* and asks the solicited-node group */
    m = advertisement();
    m.dst = address("ff02::1");
    assert_false(nd_round_trip(&m, &again)); /* to all, and solicited */
    m.solicited = false;
    assert_true(nd_round_trip(&m, &again));
}

static void a_message_that_came_through_a_router_or_is_damaged_is_refused(void **state)
{
    static const struct row { const char *says; size_t octet; uint8_t value; bool mend; } rows[] = {
        { "hop limit 254", 7, 254, false },
        { "a wrong checksum", 43, 0x55, false },
        { "code 1", 41, 1, true },
        { "another type", 40, 134, true },
        { "an option of length 0", 65, 0, true },
        { "an option past the end", 65, 2, true },
    };
    struct nd_message m = solicitation(), again;
    uint8_t bytes[128];
    struct packet p;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = (size_t)nd_build(&m, bytes, sizeof bytes);
        bytes[rows[i].octet] = rows[i].value;
        if (rows[i].mend) {
            uint16_t checksum;
            bytes[42] = bytes[43] = 0;
            checksum = pkt_transport_checksum(&m.src, &m.dst, PKT_PROTO_ICMP6, bytes + 40, len - 40);
            bytes[42] = (uint8_t)(checksum >> 8);
            bytes[43] = (uint8_t)checksum;
        }
        pkt_parse(bytes, len, &p);
        if (nd_parse(&p, &again))
            fail_msg("%s was accepted", rows[i].says);
    }
}

static void options_before_the_one_that_counts_are_stepped_over(void **state)
{
    struct nd_message m = solicitation(), again;
    uint8_t bytes[128];
    struct packet p;
    uint16_t checksum;
    size_t len = (size_t)nd_build(&m, bytes, sizeof bytes);

    (void)state;
    memmove(bytes + 80, bytes + 64, 8); /* the address, behind a nonce of two units (RFC 3971 §5.3.2), and before a second address */
    memcpy(bytes + 64, "\x0e\x02 nonce nonce ", 16);
    memcpy(bytes + 88, "\x01\x01\xff\xff\xff\xff\xff\xff", 8);
    len += 24;
    bytes[5] = (uint8_t)(len - 40);
    bytes[42] = bytes[43] = 0;
    checksum = pkt_transport_checksum(&m.src, &m.dst, PKT_PROTO_ICMP6, bytes + 40, len - 40);
    bytes[42] = (uint8_t)(checksum >> 8);
    bytes[43] = (uint8_t)checksum;
    pkt_parse(bytes, len, &p);
    assert_true(nd_parse(&p, &again) && again.has_link_address);
    assert_memory_equal(&again.link_address, &m.link_address, 6);
    p.kind = PKT_KIND_TCP;
    assert_false(nd_parse(&p, &again));
}

static void nd_build_needs_its_room(void **state)
{
    struct nd_message m = solicitation();
    uint8_t bytes[72];

    (void)state;
    assert_int_equal(nd_build(&m, bytes, 71), -1);
    assert_int_equal(nd_build(&m, bytes, 72), 72);
    m.has_link_address = false;
    assert_int_equal(nd_build(&m, bytes, 64), 64);
}

static void groups_and_their_frames(void **state)
{
    struct pkt_addr target = address("2001:db8::1234:5678"), group = nd_solicited_node(&target),
                    expected = address("ff02::1:ff34:5678");
    struct pkt_addr group4 = address("239.129.2.3");
    struct eth_addr mac = eth_multicast(&group), mac4 = eth_multicast(&group4);

    (void)state;
    assert_true(pkt_addr_equal(&group, &expected));
    assert_memory_equal(mac.bytes, "\x33\x33\xff\x34\x56\x78", 6); /* RFC 2464 §7 */
    assert_memory_equal(mac4.bytes, "\x01\x00\x5e\x01\x02\x03", 6); /* RFC 1112 §6.4: the low 23 bits */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_built_is_read_again),
        cmocka_unit_test(arp_built_is_read_again),
        cmocka_unit_test(arp_for_anything_but_ipv4_over_ethernet_is_refused),
        cmocka_unit_test(neighbour_discovery_built_is_read_again),
        cmocka_unit_test(neighbour_discovery_has_the_rfcs_octets),
        cmocka_unit_test(what_a_neighbour_may_not_send_is_refused),
        cmocka_unit_test(a_message_that_came_through_a_router_or_is_damaged_is_refused),
        cmocka_unit_test(options_before_the_one_that_counts_are_stepped_over),
        cmocka_unit_test(nd_build_needs_its_room),
        cmocka_unit_test(groups_and_their_frames),
    };

    return cmocka_run_group_tests_name("Ethernet, ARP and neighbour discovery", tests, NULL, NULL);
}

/* Tests of what remote: thinks without a network: arguments, ports, capture filters, rules for nft, checksums left to a card. */
#include "targets/remote/card.h"
#include "targets/remote/filter.h"
#include "targets/remote/firewall.h"
#include "targets/remote/plan.h"

#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))

static const struct eth_addr TESTER_MAC = { { 2, 0, 0, 0, 0, 9 } }, HOST_MAC = { { 2, 0, 0, 0, 0, 2 } }, OTHER_MAC = { { 2, 0, 0, 0, 0, 3 } };

static struct pkt_addr addr(const char *text)
{
    struct pkt_addr out = { 0 };
    if (*text)
        assert_true(pkt_addr_parse(text, &out));
    return out;
}

/* ---- HOST[:PORT] ----------------------------------------------------------------------------------------------- */

static void a_host_may_be_followed_by_a_port(void **state)
{
    static const struct row { const char *word, *host; uint16_t port; } rows[] = {
        { "192.0.2.2", "192.0.2.2", 0 },       { "192.0.2.2:80", "192.0.2.2", 80 },  { "board.example:65535", "board.example", 65535 },
        { "2001:db8::2", "2001:db8::2", 0 },   { "[2001:db8::2]", "2001:db8::2", 0 }, { "[2001:db8::2]:1", "2001:db8::2", 1 },
        { "host:0", NULL, 0 },                 { "host:65536", NULL, 0 },             { "host:", NULL, 0 },
        { "host:8o", NULL, 0 },                { "[2001:db8::2", NULL, 0 },           { "[2001:db8::2]80", NULL, 0 },
        { ":80", NULL, 0 },                    { "[]:80", NULL, 0 },                  { "host:-1", NULL, 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char host[64];
        uint16_t port;
        bool read = plan_split_host(rows[i].word, host, sizeof host, &port);
        if (read != (rows[i].host != NULL))
            fail_msg("%s: read %d", rows[i].word, read);
        if (read && (strcmp(host, rows[i].host) != 0 || port != rows[i].port))
            fail_msg("%s: host %s port %u", rows[i].word, host, port);
    }
}

static void the_testers_ports_keep_clear_of_the_kernels_own(void **state)
{
    static const struct row { unsigned low, high; bool found; uint16_t first, count; } rows[] = {
        { 32768, 60999, true, 16384, 16384 },                     /* Linux's defaults */
        { 20000, 60999, true, 16384, 3072 },                      /* three blocks below 20000 */
        { 1024, 40000, true, 40960, 16384 },                      /* nothing below: above */
        { 16384, 63999, true, 64512, 1024 }, { 1024, 65535, false, 0, 0 }, { 17407, 64512, false, 0, 0 },
        { 1, 2, true, 16384, 16384 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint16_t first = 0, count = 0;
        bool found = plan_choose_ports(rows[i].low, rows[i].high, &first, &count);
        if (found != rows[i].found || first != rows[i].first || count != rows[i].count)
            fail_msg("%u to %u: found %d, %u ports from %u on", rows[i].low, rows[i].high, found, count, first);
    }
}

static void a_bad_argument_is_told_in_words(void **state)
{
    static const struct row { const char *argument, *says; enum target_error_kind kind; } rows[] = {
        { "", "no host is named", TARGET_ERR_USAGE },
        { "192.0.2.2:0,tester=192.0.2.9", "neither HOST nor HOST:PORT", TARGET_ERR_USAGE },
        { "192.0.2.2:80,port=81,tester=192.0.2.9", "stands twice", TARGET_ERR_USAGE },
        { "192.0.2.2,testr=192.0.2.9", "did you mean tester=", TARGET_ERR_USAGE },
        { "192.0.2.2,tester=2001:db8::9", "iut= is missing for IPv6", TARGET_ERR_USAGE },
        { "127.0.0.1,tester=192.0.2.9", "this machine itself", TARGET_ERR_USAGE },
        { "192.0.2.2,tester=192.0.2.9,interface=no-such-device", "there is no interface no-such-device", TARGET_ERR_UNAVAILABLE },
        { "192.0.2.2,iut=2001:db8::2,tester=192.0.2.9,interface=no-such-device", "there is no interface no-such-device",
          TARGET_ERR_UNAVAILABLE }, /* what iut= does not give is the host's */
        { "192.0.2.2,iut=192.0.2.3,tester=2001:db8::9", "iut= is missing for IPv6", TARGET_ERR_USAGE },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plan plan;
        struct target_error error;
        if (plan_make(rows[i].argument, &plan, &error) || error.kind != rows[i].kind || !strstr(error.text, rows[i].says))
            fail_msg("%s: %d: %s", rows[i].argument, error.kind, error.text);
    }
}

/* ---- capture filters ------------------------------------------------------------------------------------------- */

enum { FRAME_MAX = 256 };

struct frame {
    uint8_t bytes[FRAME_MAX];
    size_t len;
};

static struct frame wrap(const struct eth_addr *src, const struct eth_addr *dst, uint16_t type, const uint8_t *payload, ssize_t len)
{
    const struct eth_frame frame = { .src = *src, .dst = *dst, .type = type, .payload = payload, .payload_len = (size_t)len };
    struct frame out;
    assert_true(len > 0);
    ssize_t built = eth_build(&frame, out.bytes, sizeof out.bytes);
    assert_true(built > 0);
    out.len = (size_t)built;
    return out;
}

static struct frame segment(const struct eth_addr *src_mac, const struct eth_addr *dst_mac, const char *src, const char *dst,
                            uint16_t dst_port)
{
    uint8_t bytes[FRAME_MAX];
    struct pkt_builder *builder = pkt_builder_new();
    const struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = addr(src), .dst = addr(dst), .src_port = 80, .dst_port = dst_port, .flags = PKT_SYN,
    };
    ssize_t len = pkt_build(builder, &spec, bytes, sizeof bytes);
    pkt_builder_free(builder);
    return wrap(src_mac, dst_mac, spec.dst.version == 6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4, bytes, len);
}

static struct frame icmp(const char *src, const char *dst, uint8_t type)
{
    uint8_t bytes[FRAME_MAX];
    struct pkt_builder *builder = pkt_builder_new();
    struct pkt_spec spec = { .protocol = PKT_PROTO_ICMP, .src = addr(src), .dst = addr(dst), .icmp_type = type };
    if (spec.src.version == 6)
        spec.protocol = PKT_PROTO_ICMP6;
    ssize_t len = pkt_build(builder, &spec, bytes, sizeof bytes);
    pkt_builder_free(builder);
    return wrap(&HOST_MAC, &TESTER_MAC, spec.dst.version == 6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4, bytes, len);
}

static struct frame arp(enum arp_operation operation, const struct eth_addr *dst)
{
    uint8_t bytes[FRAME_MAX];
    const struct arp_packet packet = {
        .operation = (uint16_t)operation, .sender_mac = HOST_MAC, .sender_ip = addr("192.0.2.2"), .target_mac = *dst, .target_ip = addr("192.0.2.100"),
    };
    return wrap(&HOST_MAC, dst, ETH_TYPE_ARP, bytes, arp_build(&packet, bytes, sizeof bytes));
}

static struct frame solicitation(void)
{
    uint8_t bytes[FRAME_MAX];
    struct nd_message message = { .src = addr("2001:db8::2"), .target = addr("2001:db8::100"), .has_link_address = true, .link_address = HOST_MAC };
    message.dst = nd_solicited_node(&message.target);
    const struct eth_addr group = eth_multicast(&message.dst);
    return wrap(&HOST_MAC, &group, ETH_TYPE_IPV6, bytes, nd_build(&message, bytes, sizeof bytes));
}

static bool passes(const struct filter *filter, const struct frame *frame)
{
    char text[FILTER_TEXT_MAX];
    struct bpf_program program;
    assert_true(filter_text(filter, text, sizeof text) > 0);
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
    if (pcap_compile(dead, &program, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
        fail_msg("%s: %s", text, pcap_geterr(dead));
    const struct pcap_pkthdr header = { .caplen = (bpf_u_int32)frame->len, .len = (bpf_u_int32)frame->len };
    bool passed = pcap_offline_filter(&program, &header, frame->bytes) != 0;
    pcap_freecode(&program);
    pcap_close(dead);
    return passed;
}

struct expectation { const char *says; struct frame frame; bool passes; };

static void check_filter(const struct filter *filter, const struct expectation *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (passes(filter, &rows[i].frame) != rows[i].passes)
            fail_msg("%s: expected to %s", rows[i].says, rows[i].passes ? "pass" : "stay out");
}

static void a_spare_address_gets_what_is_for_it(void **state)
{
    static const struct eth_addr everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
    const struct filter filter = { .mac = TESTER_MAC, .tester = { addr("192.0.2.100"), addr("2001:db8::100") }, .tester_count = 50 };
    const struct expectation rows[] = {
        { "the first address", segment(&HOST_MAC, &TESTER_MAC, "192.0.2.2", "192.0.2.100", 1), true },
        { "the last one", segment(&HOST_MAC, &TESTER_MAC, "192.0.2.2", "192.0.2.149", 1), true },
        { "one before", segment(&HOST_MAC, &TESTER_MAC, "192.0.2.2", "192.0.2.99", 1), false },
        { "one past", segment(&HOST_MAC, &TESTER_MAC, "192.0.2.2", "192.0.2.150", 1), false },
        { "IPv6, the first", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db8::100", 1), true },
        { "IPv6, the last", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db8::131", 1), true },
        { "IPv6, one past", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db8::132", 1), false },
        { "IPv6, another prefix", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db9::100", 1), false },
        { "another station", segment(&HOST_MAC, &OTHER_MAC, "192.0.2.2", "192.0.2.100", 1), false },
        { "our own frame", segment(&TESTER_MAC, &HOST_MAC, "192.0.2.100", "192.0.2.2", 1), false },
        { "an ICMP error of a router", icmp("198.51.100.1", "192.0.2.100", 3), true },
        { "an ARP request", arp(ARP_REQUEST, &everybody), true },
        { "an ARP reply", arp(ARP_REPLY, &TESTER_MAC), true },
        { "an ARP reply to somebody else", arp(ARP_REPLY, &OTHER_MAC), false },
        { "a neighbour solicitation", solicitation(), true },
    };
    (void)state;
    check_filter(&filter, rows, ARRAY_LEN(rows));
}

static void addresses_that_count_past_the_end_go_on_at_the_beginning(void **state)
{
    const struct filter filter = { .mac = TESTER_MAC, .tester = { { 0 }, addr("2001:db8::ffff:fff0") }, .tester_count = 32 };
    const struct expectation rows[] = {
        { "the first", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db8::ffff:fff0", 1), true },
        { "before the wrap", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db8::ffff:ffff", 1), true },
        { "past the wrap", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db8::f", 1), true },
        { "one past", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db8::10", 1), false },
        { "one before", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db8::ffff:ffef", 1), false },
    };
    (void)state;
    check_filter(&filter, rows, ARRAY_LEN(rows));
}

static void the_machines_own_address_is_shared_by_ports(void **state)
{
    const struct filter filter = {
        .mac = TESTER_MAC, .tester = { addr("192.0.2.1"), addr("2001:db8::1") }, .tester_count = 1, .own_address = true,
        .iut = { addr("192.0.2.2"), addr("2001:db8::2") }, .first_port = 16384, .last_port = 32767,
    };
    static const struct eth_addr everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
    const struct expectation rows[] = {
        { "the first port", segment(&HOST_MAC, &TESTER_MAC, "192.0.2.2", "192.0.2.1", 16384), true },
        { "the last port", segment(&HOST_MAC, &TESTER_MAC, "192.0.2.2", "192.0.2.1", 32767), true },
        { "the control connection", segment(&HOST_MAC, &TESTER_MAC, "192.0.2.2", "192.0.2.1", 32768), false },
        { "another host", segment(&HOST_MAC, &TESTER_MAC, "192.0.2.3", "192.0.2.1", 16384), false },
        { "IPv6, the first port", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db8::1", 16384), true },
        { "IPv6, one below", segment(&HOST_MAC, &TESTER_MAC, "2001:db8::2", "2001:db8::1", 16383), false },
        { "an echo request, which the kernel answers", icmp("192.0.2.2", "192.0.2.1", 8), false },
        { "an echo reply", icmp("192.0.2.2", "192.0.2.1", 0), true },
        { "IPv6, an echo request", icmp("2001:db8::2", "2001:db8::1", 128), false },
        { "IPv6, an echo reply", icmp("2001:db8::2", "2001:db8::1", 129), true },
        { "an ICMP error of a router", icmp("198.51.100.1", "192.0.2.1", 3), true },
        { "an ARP request, which the kernel answers", arp(ARP_REQUEST, &everybody), false },
        { "an ARP reply", arp(ARP_REPLY, &TESTER_MAC), true },
    };
    (void)state;
    check_filter(&filter, rows, ARRAY_LEN(rows));
}

/* ---- rules for nft --------------------------------------------------------------------------------------------- */

static void the_rules_name_one_host_one_address_and_the_ports(void **state)
{
    const struct guarded_ports guarded[] = {
        { addr("192.0.2.2"), addr("192.0.2.1"), 16384, 32767 }, { addr("2001:db8::2"), addr("2001:db8::1"), 16384, 32767 },
    };
    static const char expected[] = "table inet tcpassay_77 {\n"
                                   "    chain guard {\n"
                                   "        type filter hook prerouting priority raw; policy accept;\n"
                                   "        ip saddr 192.0.2.2 ip daddr 192.0.2.1 tcp dport 16384-32767 drop\n"
                                   "        ip6 saddr 2001:db8::2 ip6 daddr 2001:db8::1 tcp dport 16384-32767 drop\n"
                                   "    }\n"
                                   "}\n";
    char text[FIREWALL_TEXT_MAX];
    (void)state;
    assert_int_equal(firewall_text("tcpassay_77", guarded, ARRAY_LEN(guarded), text, sizeof text), (int)strlen(expected));
    assert_string_equal(text, expected);
    for (size_t capacity = 1; capacity <= strlen(expected); capacity++)
        assert_int_equal(firewall_text("tcpassay_77", guarded, ARRAY_LEN(guarded), text, capacity), -1);
}

/* ---- checksums ------------------------------------------------------------------------------------------------- */

/* A segment as it leaves a kernel that has a card to complete checksums: the folded sum of the pseudo header stands in the field.
 */
static ssize_t build_unfinished(const char *src, const char *dst, const char *data, uint8_t *out, size_t capacity, uint16_t *right)
{
    struct pkt_builder *builder = pkt_builder_new();
    const struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = addr(src), .dst = addr(dst), .src_port = 80, .dst_port = 20000, .flags = PKT_ACK, .seq = 7,
        .payload = (const uint8_t *)data, .payload_len = (uint32_t)strlen(data),
    };
    ssize_t len = pkt_build(builder, &spec, out, capacity);
    struct packet packet;
    pkt_builder_free(builder);
    assert_int_equal(pkt_parse(out, (size_t)len, &packet), PKT_OK);
    *right = packet.tcp.checksum;
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < 16; i += 2)
        sum +=
            (uint32_t)(spec.src.bytes[i] << 8 | spec.src.bytes[i + 1]) + (uint32_t)(spec.dst.bytes[i] << 8 | spec.dst.bytes[i + 1]);
    sum += PKT_PROTO_TCP + packet.payload_len;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    uint8_t *field = out + (packet.payload - out) + 16;
    field[0] = (uint8_t)(sum >> 8);
    field[1] = (uint8_t)sum;
    return len;
}

static void a_checksum_left_to_the_card_is_completed(void **state)
{
    static const struct row { const char *src, *dst, *data; } rows[] = {
        { "192.0.2.2", "192.0.2.100", "" }, { "192.0.2.2", "192.0.2.100", "odd" }, { "255.255.255.254", "255.255.255.253", "even" },
        { "2001:db8::2", "2001:db8::100", "" }, { "2001:db8::2", "2001:db8::100", "some data" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t bytes[FRAME_MAX];
        uint16_t right;
        struct packet packet;
        ssize_t len = build_unfinished(rows[i].src, rows[i].dst, rows[i].data, bytes, sizeof bytes, &right);
        bytes[len] = 0xa5; /* padding of the link does not count */
        if (!card_complete_checksum(bytes, (size_t)len + 1))
            fail_msg("row %zu is not completed", i);
        assert_int_equal(pkt_parse(bytes, (size_t)len, &packet), PKT_OK);
        assert_true(packet.tcp.checksum_ok);
        assert_int_equal(packet.tcp.checksum, right);
        assert_false(card_complete_checksum(bytes, (size_t)len));
    }
}

static void a_wrong_checksum_stays_wrong(void **state)
{
    uint8_t bytes[FRAME_MAX], copy[FRAME_MAX];
    uint16_t right;
    (void)state;
    size_t len = (size_t)build_unfinished("192.0.2.2", "192.0.2.100", "data", bytes, sizeof bytes, &right);
    for (unsigned delta = 1; delta < UINT16_MAX; delta += 257) {
        memcpy(copy, bytes, len);
        uint16_t wrong = (uint16_t)((copy[36] << 8 | copy[37]) + (int)delta);
        if (wrong == right)
            continue;
        copy[36] = (uint8_t)(wrong >> 8);
        copy[37] = (uint8_t)wrong;
        assert_false(card_complete_checksum(copy, len));
        assert_int_equal(copy[36] << 8 | copy[37], wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_may_be_followed_by_a_port),
        cmocka_unit_test(the_testers_ports_keep_clear_of_the_kernels_own),
        cmocka_unit_test(a_bad_argument_is_told_in_words),
        cmocka_unit_test(a_spare_address_gets_what_is_for_it),
        cmocka_unit_test(addresses_that_count_past_the_end_go_on_at_the_beginning),
        cmocka_unit_test(the_machines_own_address_is_shared_by_ports),
        cmocka_unit_test(the_rules_name_one_host_one_address_and_the_ports),
        cmocka_unit_test(a_checksum_left_to_the_card_is_completed),
        cmocka_unit_test(a_wrong_checksum_stays_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Link layers: where the packet begins in each kind of frame, and what is no packet. */
#include <pcap/pcap.h>

#include "engine/capture/link.h"
#include "engine/packet/test/support.h"

static const char packet[] = "4500 0014 0000 0000 4006 0000 c0000201 c0000202";

static const struct row { const char *says; int link; const char *header; enum link_content content; } rows[] = {
    { "Ethernet", DLT_EN10MB, "020000000001 020000000002 0800", LINK_IP },
    { "Ethernet, IPv6", DLT_EN10MB, "020000000001 020000000002 86dd", LINK_IP },
    { "Ethernet, ARP", DLT_EN10MB, "020000000001 020000000002 0806", LINK_OTHER },
    { "Ethernet, a VLAN tag", DLT_EN10MB, "020000000001 020000000002 8100 0064 0800", LINK_IP },
    { "Ethernet, two tags", DLT_EN10MB, "020000000001 020000000002 88a8 0001 8100 0064 0800", LINK_IP },
    { "Ethernet, more tags than anybody needs", DLT_EN10MB,
      "020000000001 020000000002 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 0800", LINK_OTHER },
    { "Ethernet, PPPoE", DLT_EN10MB, "020000000001 020000000002 8864 1100 0001 0016 0021", LINK_IP },
    { "Ethernet, PPPoE, LCP", DLT_EN10MB, "020000000001 020000000002 8864 1100 0001 0016 c021", LINK_OTHER },
    { "raw", DLT_RAW, "", LINK_IP },
    { "raw, as LINKTYPE_RAW", 101, "", LINK_IP },
    { "raw IPv4", DLT_IPV4, "", LINK_IP },
    { "raw IPv6", DLT_IPV6, "", LINK_IP },
    { "cooked", DLT_LINUX_SLL, "0004 0001 0006 0200000000010000 0800", LINK_IP },
    { "cooked, a VLAN tag", DLT_LINUX_SLL, "0004 0001 0006 0200000000010000 8100 0064 0800", LINK_IP },
    { "cooked v2", DLT_LINUX_SLL2, "0800 0000 00000003 0001 04 06 0200000000010000", LINK_IP },
    { "cooked v2, ARP", DLT_LINUX_SLL2, "0806 0000 00000003 0001 04 06 0200000000010000", LINK_OTHER },
    { "loopback, little endian", DLT_NULL, "02000000", LINK_IP },
    { "loopback, big endian", DLT_NULL, "00000002", LINK_IP },
    { "loopback, IPv6 of macOS", DLT_NULL, "1e000000", LINK_IP },
    { "loopback, AppleTalk", DLT_NULL, "10000000", LINK_OTHER },
    { "OpenBSD's loopback, IPv6", DLT_LOOP, "00000018", LINK_IP },
    { "PPP", DLT_PPP, "ff03 0021", LINK_IP },
    { "PPP, compressed", DLT_PPP, "21", LINK_IP },
    { "PPP over Ethernet", DLT_PPP_ETHER, "1100 0001 0016 0057", LINK_IP },
    { "a link nobody knows", 147, "", LINK_OTHER },
};

static void the_packet_is_found_behind_every_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t frame[256];
        struct link_packet found;
        const size_t header_len = octets(rows[i].header, frame, sizeof frame);
        const size_t len = header_len + octets(packet, frame + header_len, sizeof frame - header_len);
        const enum link_content content = link_unwrap(rows[i].link, frame, len, len + 7, &found);
        if (content != rows[i].content)
            fail_msg("%s: %d", rows[i].says, content);
        if (content == LINK_IP && (found.bytes != frame + header_len || found.len != 20 || found.wire_len != 27))
            fail_msg("%s: at %td, %zu of %zu", rows[i].says, found.bytes - frame, found.len, found.wire_len);
    }
}

static void a_frame_that_ends_within_its_headers_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t frame[256];
        struct link_packet found;
        const size_t header_len = octets(rows[i].header, frame, sizeof frame);
        for (size_t len = 0; rows[i].content == LINK_IP && len < header_len; len++)
            if (link_unwrap(rows[i].link, frame, len, 100, &found) == LINK_IP)
                fail_msg("%s: %zu octets of %zu", rows[i].says, len, header_len);
    }
}

static void where_a_frame_was_seen_is_told_apart(void **state)
{
    uint8_t one[64], other[64];
    struct link_packet a, b, c;
    const size_t len = octets("0800 0000 00000003 0001 04 06 0200000000010000 4500", one, sizeof one);
    (void)state;
    octets("0800 0000 00000002 0001 00 06 0200000000010000 4500", other, sizeof other);
    link_unwrap(DLT_LINUX_SLL2, one, len, len, &a);
    link_unwrap(DLT_LINUX_SLL2, other, len, len, &b);
    link_unwrap(DLT_LINUX_SLL2, one, len, len, &c);
    assert_true(a.origin != b.origin && a.origin == c.origin && a.origin != 0);
    link_unwrap(DLT_RAW, one, len, len, &a);
    assert_int_equal(a.origin, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_packet_is_found_behind_every_header),
        cmocka_unit_test(a_frame_that_ends_within_its_headers_is_cut),
        cmocka_unit_test(where_a_frame_was_seen_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Reading packets: every field of well-formed ones, the first reason why not of damaged ones, IPv6 extension headers, quotations in
 * ICMP errors.
 *
 * (What tshark makes of thousands of packets is compared in dissector.c; here stand the cases a reader of the RFCs would look for.)
 */
#include "engine/packet/test/random.h"
#include "engine/packet/test/support.h"

#include <stdlib.h>

/* IPv4, don't fragment, id 0x1234, ttl 63, tos 0x2e; TCP 1024 > 80, all twelve flag bits' worth below. Both checksums right. */
static const char segment4[] = "452e 0039 1234 4000 3f06 a559 c000 0201 c000 0202"
                               "0400 0050 fffffffe 00000005 8f18 2000 78c8 0007 0204 05b4 0103 0307 00 00 00 00 68656c6c6f";
static const char segment6[] = "62eabcde 0019 06 3f 20010db8000000000000000000000001 20010db8000000000000000000000002"
                               "0400 0050 fffffffe 00000005 5018 2000 ec2c 0000 68656c6c6f";

static enum pkt_error parse_hex(const char *hex, struct packet *out)
{
    static uint8_t bytes[512];

    return pkt_parse(bytes, octets(hex, bytes, sizeof bytes), out);
}

/* ---- well-formed -------------------------------------------------------------------------------------------------- */

static void every_field_of_an_ipv4_segment_is_read(void **state)
{
    struct pkt_addr src = address("192.0.2.1"), dst = address("192.0.2.2");
    struct packet p;

    (void)state;
    assert_int_equal(parse_hex(segment4, &p), PKT_OK);
    assert_int_equal(p.kind, PKT_KIND_TCP);
    assert_true(p.ip.version == 4 && p.ip.tos == 0x2e && p.ip.ttl == 63 && p.ip.protocol == PKT_PROTO_TCP);
    assert_true(p.ip.header_len == 20 && p.ip.total_len == 57 && p.ip.id == 0x1234 && p.ip.fragment_offset == 0);
    assert_true(p.ip.dont_fragment && !p.ip.more_fragments && !p.ip.has_fragment_header);
    assert_true(p.ip.checksum_ok && p.ip.checksum == 0xa559);
    assert_true(pkt_addr_equal(&p.ip.src, &src) && pkt_addr_equal(&p.ip.dst, &dst));
    assert_true(p.tcp.src_port == 1024 && p.tcp.dst_port == 80 && p.tcp.seq == 0xfffffffe && p.tcp.ack == 5);
    assert_int_equal(p.tcp.data_offset, 8);
    assert_int_equal(p.tcp.flags, PKT_RESERVED | PKT_AE | PKT_PSH | PKT_ACK);
    assert_true(p.tcp.window == 0x2000 && p.tcp.urgent == 7 && p.tcp.checksum_ok && p.tcp.checksum == 0x78c8);
    assert_true(p.tcp.options_len == 12 && p.tcp.options == p.bytes + 40);
    assert_true(p.tcp.payload_len == 5 && memcmp(p.tcp.payload, "hello", 5) == 0);
    assert_true(p.payload == p.bytes + 20 && p.payload_len == 37 && p.len == 57);
}

static void every_field_of_an_ipv6_segment_is_read(void **state)
{
    struct pkt_addr src = address("2001:db8::1"), dst = address("2001:db8::2");
    struct packet p;

    (void)state;
    assert_int_equal(parse_hex(segment6, &p), PKT_OK);
    assert_true(p.ip.version == 6 && p.ip.tos == 0x2e && p.ip.flow_label == 0xabcde && p.ip.ttl == 63);
    assert_true(p.ip.header_len == 40 && p.ip.total_len == 65 && p.ip.checksum_ok && p.ip.protocol == PKT_PROTO_TCP);
    assert_true(pkt_addr_equal(&p.ip.src, &src) && pkt_addr_equal(&p.ip.dst, &dst));
    assert_true(p.kind == PKT_KIND_TCP && p.tcp.checksum_ok && p.tcp.payload_len == 5);
}

static void a_wrong_checksum_is_a_fact_and_no_error(void **state)
{
    static const struct row { size_t octet; bool ip_ok, tcp_ok; } rows[] = {
        { 8, false, true }, { 10, false, true }, { 12, false, false }, { 36, true, false }, { 56, true, false },
    };
    uint8_t bytes[64];
    struct packet p;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = octets(segment4, bytes, sizeof bytes);
        bytes[rows[i].octet] ^= 0x10;
        assert_int_equal(pkt_parse(bytes, len, &p), PKT_OK);
        if (p.ip.checksum_ok != rows[i].ip_ok || p.tcp.checksum_ok != rows[i].tcp_ok)
            fail_msg("octet %zu changed: IP checksum %d, TCP checksum %d", rows[i].octet, p.ip.checksum_ok, p.tcp.checksum_ok);
    }
}

static void padding_of_the_link_is_ignored(void **state)
{
    uint8_t bytes[128] = { 0 };
    size_t len = octets(segment4, bytes, sizeof bytes);
    struct packet p;

    (void)state;
    assert_int_equal(pkt_parse(bytes, len + 20, &p), PKT_OK);
    assert_true(p.tcp.checksum_ok && p.tcp.payload_len == 5 && p.payload_len == 37 && p.len == len + 20);
}

static void icmp_is_read_for_both_versions(void **state)
{
    struct packet p;

    (void)state;
    assert_int_equal(parse_hex("4500 0020 0000 0000 4001 f6da c0000201 c0000202 0800 51a6 1234 0005 5a5a 3bc0", &p), PKT_OK);
    assert_true(p.kind == PKT_KIND_ICMP && p.icmp.type == 8 && p.icmp.code == 0 && p.icmp.rest == 0x12340005 &&
                p.icmp.body_len == 4);
    assert_true(p.icmp.checksum == 0x51a6 && p.icmp.body == p.bytes + 28);
    assert_int_equal(p.icmp.checksum_ok, pkt_checksum(p.payload, p.payload_len) == 0);
    assert_int_equal(
        parse_hex("60000000 0008 3a 40 20010db8000000000000000000000001 20010db8000000000000000000000002 80 00 1111 1234 0005", &p),
        PKT_OK);
    assert_true(p.kind == PKT_KIND_ICMP && p.icmp.type == 128 && !p.icmp.checksum_ok);
}

static void the_other_versions_icmp_is_just_a_payload(void **state)
{
    struct packet p;

    (void)state;
    assert_int_equal(parse_hex("4500 001c 0000 0000 403a 0000 c0000201 c0000202 8000 1111 1234 0005", &p), PKT_OK);
    assert_true(p.kind == PKT_KIND_IP_ONLY && p.payload_len == 8);
    assert_int_equal(
        parse_hex("60000000 0008 01 40 20010db8000000000000000000000001 20010db8000000000000000000000002 08 00 1111 1234 0005", &p),
        PKT_OK);
    assert_int_equal(p.kind, PKT_KIND_IP_ONLY);
}

/* ---- damaged ------------------------------------------------------------------------------------------------------ */

static void each_damage_has_its_reason(void **state)
{
    static const struct row { const char *says, *hex; enum pkt_error error; enum pkt_kind kind; } rows[] = {
        { "nothing", "", PKT_ERR_EMPTY, PKT_KIND_UNPARSED },
        { "version 0", "00", PKT_ERR_IP_VERSION, PKT_KIND_UNPARSED },
        { "version 5", "55 00 00 14", PKT_ERR_IP_VERSION, PKT_KIND_UNPARSED },
        { "19 octets of IPv4", "4500 0014 0000 0000 4006 0000 c0000201 c00002", PKT_ERR_IP_TRUNCATED, PKT_KIND_UNPARSED },
        { "header of 4 words", "4400 0014 0000 0000 4006 0000 c0000201 c0000202", PKT_ERR_IP_HEADER_LEN, PKT_KIND_UNPARSED },
        { "header of 6 words, 5 there", "4600 0018 0000 0000 4006 0000 c0000201 c0000202", PKT_ERR_IP_TRUNCATED, PKT_KIND_UNPARSED },
        { "total length below the header's", "4500 0013 0000 0000 4006 0000 c0000201 c0000202", PKT_ERR_IP_TOTAL_LEN, PKT_KIND_IP_ONLY },
        { "total length one too many", "4500 0015 0000 0000 4006 0000 c0000201 c0000202", PKT_ERR_IP_TOTAL_LEN, PKT_KIND_IP_ONLY },
        { "39 octets of IPv6", "60000000 0000 06 40 20010db8000000000000000000000001 20010db80000000000000000000000", PKT_ERR_IP_TRUNCATED,
          PKT_KIND_UNPARSED },
        { "IPv6 payload length one too many", "60000000 0001 3b 40 20010db8000000000000000000000001 20010db8000000000000000000000002",
          PKT_ERR_IP_TOTAL_LEN, PKT_KIND_IP_ONLY },
        { "no TCP at all", "4500 0014 0000 0000 4006 0000 c0000201 c0000202", PKT_ERR_TCP_TRUNCATED, PKT_KIND_IP_ONLY },
        { "19 octets of TCP", "4500 0027 0000 0000 4006 0000 c0000201 c0000202 0400 0050 00000001 00000002 5010 2000 0000 00", PKT_ERR_TCP_TRUNCATED,
          PKT_KIND_IP_ONLY },
        { "data offset 4", "4500 0028 0000 0000 4006 0000 c0000201 c0000202 0400 0050 00000001 00000002 4010 2000 0000 0000", PKT_ERR_TCP_DATA_OFFSET,
          PKT_KIND_IP_ONLY },
        { "data offset one word past the end", "4500 0028 0000 0000 4006 0000 c0000201 c0000202 0400 0050 00000001 00000002 6010 2000 0000 0000",
          PKT_ERR_TCP_DATA_OFFSET, PKT_KIND_IP_ONLY },
        { "7 octets of ICMP", "4500 001b 0000 0000 4001 0000 c0000201 c0000202 0800 0000 0000 00", PKT_ERR_ICMP_TRUNCATED, PKT_KIND_IP_ONLY },
    };
    struct packet p;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum pkt_error error = parse_hex(rows[i].hex, &p);
        if (error != rows[i].error || p.kind != rows[i].kind)
            fail_msg("%s: \"%s\", kind %d", rows[i].says, pkt_error_text(error), p.kind);
    }
}

static void what_came_before_the_damage_is_there(void **state)
{
    struct packet p;

    (void)state;
    parse_hex("4500 0027 abcd 0000 4006 0000 c0000201 c0000202 0400 0050 00000001 00000002 5010 2000 0000 00", &p);
    assert_true(p.ip.id == 0xabcd && p.ip.ttl == 64 && p.tcp.src_port == 1024 && p.tcp.seq == 1 && p.tcp.flags == PKT_ACK &&
                p.tcp.window == 0x2000);
    parse_hex("4500 0028 0000 0000 4006 0000 c0000201 c0000202 0400 0050 00000001 00000002 4010 2000 0000 0009", &p);
    assert_true(p.tcp.data_offset == 4 && p.tcp.urgent == 9 && p.tcp.options_len == 0 && p.tcp.payload == NULL);
    parse_hex("4500 00ff 0000 0000 4006 0000 c0000201 c0000202 0400 0050", &p);
    assert_true(p.ip.total_len == 255 && p.payload_len == 4);
    parse_hex("45 2e 00", &p);
    assert_true(p.ip.version == 4 && p.ip.tos == 0x2e && p.payload == NULL);
}

static void every_error_has_a_sentence(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PKT_ERR_COUNT; i++)
        assert_true(strlen(pkt_error_text((enum pkt_error)i)) > 5);
    assert_string_equal(pkt_error_text(PKT_ERR_COUNT), "unknown error");
}

/* Each prefix of a packet stands alone in memory, so that reading past its end is seen by the sanitizer. */
static void any_prefix_gives_a_segment_or_a_reason(void **state)
{
    const char *const packets[] = { segment4, segment6 };
    uint8_t bytes[128];

    (void)state;
    for (size_t i = 0; i < COUNT(packets); i++) {
        size_t whole = octets(packets[i], bytes, sizeof bytes);
        for (size_t len = 0; len <= whole; len++) {
            uint8_t *copy = malloc(len + (len == 0));
            struct packet p;
            memcpy(copy, bytes, len);
            assert_int_equal(pkt_parse(copy, len, &p) == PKT_OK, len == whole);
            pkt_parse_quoted(copy, len, &p);
            free(copy);
        }
    }
}

/* ---- IPv6 extension headers --------------------------------------------------------------------------------------- */

#define IP6(next, len) "60000000" len next "40 20010db8000000000000000000000001 20010db8000000000000000000000002"
#define TCP_OCTETS "0400 0050 00000001 00000002 5010 2000 0000 0000"

static void extension_headers_are_walked_to_the_segment(void **state)
{
    static const struct row { const char *says, *hex; uint16_t header_len; } rows[] = {
        { "hop-by-hop options", IP6("00", "001c") "06 00 0104 00000000" TCP_OCTETS, 48 },
        { "of two units", IP6("00", "0024") "06 01 0104 00000000 0106 000000000000" TCP_OCTETS, 56 },
        { "routing", IP6("2b", "001c") "06 00 0300 00000000" TCP_OCTETS, 48 },
        { "destination options", IP6("3c", "001c") "06 00 0104 00000000" TCP_OCTETS, 48 },
        { "authentication: its length counts words", IP6("33", "002c") "06 04 0000 00000001 00000001 000000000000000000000000" TCP_OCTETS, 64 },
        { "mobility", IP6("87", "001c") "06 00 0000 00000000" TCP_OCTETS, 48 },
        { "an atomic fragment (RFC 6946)", IP6("2c", "001c") "06 00 0000 00000007" TCP_OCTETS, 48 },
        { "an atomic fragment, and options behind it", IP6("2c", "0024") "3c 00 0000 00000007 06 00 0104 00000000" TCP_OCTETS, 56 },
        { "all in RFC 8200's order",
          IP6("00", "0034") "3c 00 0104 00000000 2b 00 0104 00000000 2c 00 0300 00000000 06 00 0000 00000007" TCP_OCTETS, 72 },
    };
    struct packet p;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum pkt_error error = parse_hex(rows[i].hex, &p);
        if (error != PKT_OK || p.kind != PKT_KIND_TCP || p.ip.header_len != rows[i].header_len || p.tcp.seq != 1)
            fail_msg("%s: %s, header of %u octets", rows[i].says, pkt_error_text(error), p.ip.header_len);
    }
    assert_true(p.ip.has_fragment_header && p.ip.id == 7 && !p.ip.more_fragments);
}

static void an_extension_header_that_does_not_fit_is_an_error(void **state)
{
    static const struct row { const char *says, *hex; } rows[] = {
        { "none there", IP6("00", "0000") },
        { "seven octets", IP6("00", "0007") "06 00 0104 000000" },
        { "its length past the end", IP6("3c", "0008") "06 01 0104 00000000" },
        { "the longest there is", IP6("3c", "0008") "06 ff 0104 00000000" },
        { "a fragment header cut", IP6("2c", "0004") "06 00 0001" },
        { "hop-by-hop options not first", IP6("3c", "0024") "00 00 0104 00000000 06 00 0104 00000000" TCP_OCTETS },
    };
    struct packet p;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (parse_hex(rows[i].hex, &p) != PKT_ERR_IP_EXTENSION || p.kind != PKT_KIND_IP_ONLY)
            fail_msg("%s: not found", rows[i].says);
    }
}

/* The headers' length is 16 bits wide; an IPv6 packet may be longer, and all of it headers. */
static void no_more_than_65535_octets_of_headers_are_walked(void **state)
{
    static uint8_t bytes[PKT_BYTES_MAX];
    size_t len = octets(IP6("3c", "ffff"), bytes, sizeof bytes);
    struct packet p;

    (void)state;
    for (; len + 8 <= sizeof bytes; len += 8)
        bytes[len] = 60;
    assert_int_equal(pkt_parse(bytes, sizeof bytes, &p), PKT_ERR_IP_EXTENSION);
    assert_true(p.ip.header_len == 65528 && p.payload_len == PKT_BYTES_MAX - 65528);
}

static void what_is_no_extension_header_ends_the_walk(void **state)
{
    struct packet p;

    (void)state;
    assert_int_equal(parse_hex(IP6("3b", "0004") "01020304", &p), PKT_OK);
    assert_true(p.kind == PKT_KIND_IP_ONLY && p.ip.protocol == 59 && p.payload_len == 4);
    assert_int_equal(parse_hex(IP6("32", "0004") "01020304", &p), PKT_OK); /* ESP: what follows is encrypted */
    assert_true(p.kind == PKT_KIND_IP_ONLY && p.ip.protocol == 50);
}

static void fragments_are_not_read_as_segments(void **state)
{
    struct packet p;

    (void)state;
    assert_int_equal(parse_hex("4500 0028 0007 2000 4006 0000 c0000201 c0000202" TCP_OCTETS, &p), PKT_OK);
    assert_true(p.kind == PKT_KIND_FRAGMENT && p.ip.more_fragments && p.ip.fragment_offset == 0 && p.payload_len == 20 &&
                p.tcp.seq == 0);
    assert_int_equal(parse_hex("4500 0028 0007 1fff 4006 0000 c0000201 c0000202" TCP_OCTETS, &p), PKT_OK);
    assert_true(p.kind == PKT_KIND_FRAGMENT && !p.ip.more_fragments && p.ip.fragment_offset == 65528);
    assert_int_equal(parse_hex(IP6("2c", "001c") "06 00 0009 00000007" TCP_OCTETS, &p), PKT_OK);
    assert_true(p.kind == PKT_KIND_FRAGMENT && p.ip.more_fragments && p.ip.fragment_offset == 8 && p.ip.id == 7 &&
                p.ip.protocol == PKT_PROTO_TCP);
}

/* ---- quotations --------------------------------------------------------------------------------------------------- */

static void a_quotation_may_end_after_eight_octets(void **state)
{
    uint8_t bytes[64];
    size_t whole = octets(segment4, bytes, sizeof bytes);
    struct packet p;

    (void)state;
    for (size_t len = 0; len <= whole; len++) {
        enum pkt_error error = pkt_parse_quoted(bytes, len, &p);
        enum pkt_error expected = len == 0 ? PKT_ERR_EMPTY : len < 20 ? PKT_ERR_IP_TRUNCATED : len < 28 ? PKT_ERR_TCP_TRUNCATED : PKT_OK;
        if (error != expected)
            fail_msg("%zu octets: %s", len, pkt_error_text(error));
        if (error != PKT_OK)
            continue;
        assert_true(p.kind == PKT_KIND_TCP && p.tcp.src_port == 1024 && p.tcp.dst_port == 80 && p.tcp.seq == 0xfffffffe);
        assert_int_equal(p.ip.total_len, 57);
        assert_int_equal(p.tcp.ack, len >= 32 ? 5 : 0);
        assert_int_equal(p.tcp.options_len, len < 40 ? 0 : len < 52 ? len - 40 : 12);
        assert_int_equal(p.tcp.payload_len, len < 52 ? 0 : len - 52);
        assert_int_equal(p.tcp.checksum_ok, len == whole);
    }
}

static void a_quotation_is_still_judged_by_what_is_there(void **state)
{
    uint8_t bytes[64];
    struct packet p;
    size_t len = octets("4500 0400 0000 0000 4006 0000 c0000201 c0000202 0400 0050 00000001 00000002 4010", bytes, sizeof bytes);

    (void)state;
    assert_int_equal(pkt_parse_quoted(bytes, len, &p), PKT_ERR_TCP_DATA_OFFSET);
    assert_int_equal(pkt_parse_quoted(bytes, 32, &p), PKT_OK); /* the data offset is not there any more */
    bytes[3] = bytes[2] = 0;
    assert_int_equal(pkt_parse_quoted(bytes, len, &p), PKT_ERR_IP_TOTAL_LEN);
}

static void an_icmp_error_leads_to_the_segment_it_is_about(void **state)
{
    uint8_t bytes[256];
    struct packet error, quoted;
    size_t len = octets("4500 0038 0000 0000 4001 0000 c0000202 c0000201 0303 0000 00000000", bytes, sizeof bytes);

    (void)state;
    len += octets("4500 0040 1234 4000 3f06 0000 c0000201 c0000202 0400 0050 00000009", bytes + len, sizeof bytes - len);
    assert_int_equal(pkt_parse(bytes, len, &error), PKT_OK);
    assert_int_equal(pkt_parse_quoted(error.icmp.body, error.icmp.body_len, &quoted), PKT_OK);
    assert_true(quoted.kind == PKT_KIND_TCP && quoted.tcp.seq == 9 && quoted.tcp.src_port == 1024);
}

/* ---- cut by a capture --------------------------------------------------------------------------------------------- */

static void a_segment_cut_behind_its_header_keeps_its_length(void **state)
{
    uint8_t bytes[64];
    size_t whole = octets(segment4, bytes, sizeof bytes);
    struct packet p;

    (void)state;
    for (size_t len = 0; len <= whole; len++) {
        enum pkt_error error = pkt_parse_cut(bytes, len, whole, &p);
        enum pkt_error expected = len == 0 ? PKT_ERR_EMPTY : len < 20 ? PKT_ERR_IP_TRUNCATED : len < 52 ? PKT_ERR_TCP_TRUNCATED : PKT_OK;
        if (error != expected)
            fail_msg("%zu octets: %s", len, pkt_error_text(error));
        if (error == PKT_OK)
            assert_true(p.tcp.options_len == 12 && p.tcp.payload_len == 5 && p.payload_len == 37 && p.tcp.checksum_ok);
    }
    assert_int_equal(pkt_parse_cut(bytes, whole - 1, whole - 1, &p), PKT_ERR_IP_TOTAL_LEN);
}

static void a_length_of_nought_is_that_of_the_frame(void **state)
{
    uint8_t bytes[128];
    size_t len = octets(segment4, bytes, sizeof bytes);
    struct packet p;

    (void)state;
    bytes[2] = bytes[3] = 0;
    assert_int_equal(pkt_parse(bytes, len, &p), PKT_ERR_IP_TOTAL_LEN);
    assert_int_equal(pkt_parse_cut(bytes, len, 3000, &p), PKT_OK);
    assert_true(p.ip.total_len == 3000 && p.tcp.payload_len == 3000 - 52);
    len = octets(segment6, bytes, sizeof bytes);
    bytes[4] = bytes[5] = 0;
    assert_int_equal(pkt_parse_cut(bytes, len, 70000, &p), PKT_OK);
    assert_true(p.ip.total_len == 70000 && p.tcp.payload_len == 70000 - 60);
}

static void a_cut_packet_is_still_judged_by_what_is_there(void **state)
{
    uint8_t bytes[64];
    struct packet p;
    size_t len = octets("4500 002c 0000 0000 4006 0000 c0000201 c0000202 0400 0050 00000001 00000002 f010 0000 00000000", bytes,
                        sizeof bytes);

    (void)state;
    assert_int_equal(pkt_parse_cut(bytes, len, 44, &p), PKT_ERR_TCP_DATA_OFFSET); /* 60 octets of header in 24 */
    bytes[32] = 0x40;
    assert_int_equal(pkt_parse_cut(bytes, len, 44, &p), PKT_ERR_TCP_DATA_OFFSET);
    bytes[32] = 0x60;
    assert_int_equal(pkt_parse_cut(bytes, len, 44, &p), PKT_ERR_TCP_TRUNCATED); /* the options are not there */
    bytes[6] = 0x20; /* a fragment: what is there counts */
    assert_int_equal(pkt_parse_cut(bytes, len, 44, &p), PKT_OK);
    assert_true(p.kind == PKT_KIND_FRAGMENT && p.payload_len == 20);
}

static void any_octets_at_all_are_survived(void **state)
{
    struct random random = random_from_environment();
    struct packet p;

    (void)state;
    for (unsigned i = 0; i < 50000; i++) {
        size_t len = random_below(&random, 120);
        uint8_t *bytes = malloc(len + 1);
        random_fill(&random, bytes, len);
        if (len > 0 && !random_one_in(&random, 10))
            bytes[0] = random_one_in(&random, 2) ? 0x45 : 0x60;
        if (pkt_parse(bytes, len, &p) == PKT_OK)
            assert_true(p.kind != PKT_KIND_UNPARSED && p.payload + p.payload_len <= bytes + len);
        pkt_parse_quoted(bytes, len, &p);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_an_ipv4_segment_is_read),
        cmocka_unit_test(every_field_of_an_ipv6_segment_is_read),
        cmocka_unit_test(a_wrong_checksum_is_a_fact_and_no_error),
        cmocka_unit_test(padding_of_the_link_is_ignored),
        cmocka_unit_test(icmp_is_read_for_both_versions),
        cmocka_unit_test(the_other_versions_icmp_is_just_a_payload),
        cmocka_unit_test(each_damage_has_its_reason),
        cmocka_unit_test(what_came_before_the_damage_is_there),
        cmocka_unit_test(every_error_has_a_sentence),
        cmocka_unit_test(any_prefix_gives_a_segment_or_a_reason),
        cmocka_unit_test(extension_headers_are_walked_to_the_segment),
        cmocka_unit_test(an_extension_header_that_does_not_fit_is_an_error),
        cmocka_unit_test(no_more_than_65535_octets_of_headers_are_walked),
        cmocka_unit_test(what_is_no_extension_header_ends_the_walk),
        cmocka_unit_test(fragments_are_not_read_as_segments),
        cmocka_unit_test(a_quotation_may_end_after_eight_octets),
        cmocka_unit_test(a_quotation_is_still_judged_by_what_is_there),
        cmocka_unit_test(an_icmp_error_leads_to_the_segment_it_is_about),
        cmocka_unit_test(a_segment_cut_behind_its_header_keeps_its_length),
        cmocka_unit_test(a_length_of_nought_is_that_of_the_frame),
        cmocka_unit_test(a_cut_packet_is_still_judged_by_what_is_there),
        cmocka_unit_test(any_octets_at_all_are_survived),
    };

    return cmocka_run_group_tests_name("reading packets", tests, NULL, NULL);
}

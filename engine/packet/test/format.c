/* Packets as text: the scenario language's words, all of what stood on the wire, and never past the buffer. */
#include "engine/packet/test/random.h"
#include "engine/packet/test/support.h"

static void flags_are_packetdrills_letters(void **state)
{
    static const struct row { uint16_t flags; const char *text; } rows[] = {
        { 0, "-" }, { PKT_SYN, "S" }, { PKT_SYN | PKT_ACK, "S." }, { PKT_PSH | PKT_URG | PKT_ACK, "PU." }, { PKT_FIN | PKT_ACK, "F." }, { PKT_RST, "R" },
        { PKT_SYN | PKT_ECE | PKT_CWR, "SEW" }, { PKT_SYN | PKT_ECE | PKT_CWR | PKT_AE, "SEWA" },
        { PKT_SYN | PKT_ECE | PKT_ACK, "SE." }, { 0x1ff, "FSRPUEWA." },
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(pkt_format_flags(rows[i].flags, text, sizeof text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

static void options_are_written_as_scenarios_have_them(void **state)
{
    static const struct row { const char *hex, *text; } rows[] = {
        { "", "" },
        { "0204 05b4", "mss 1460" },
        { "0204 05b4 0402 080a 00000064 00000000 01 030307", "mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7" },
        { "01 01 0512 00000001 00000005 fffffff0 00000010", "nop,nop,sack 1:5 4294967280:16" },
        { "1c04 8005", "uto 32773" },
        { "2202", "FO" },
        { "2206 01020304", "FO 01020304" },
        { "fe04 f989", "FOEXP" },
        { "fe08 f989 aabbccdd", "FOEXP aabbccdd" },
        { "fe04 1234", "kind 254 1234" },
        { "1312 000102030405060708090a0b0c0d0e0f", "md5 000102030405060708090a0b0c0d0e0f" },
        { "ac0b 010203 000002 000003", "ECN e0b 66051 ceb 2 e1b 3" },
        { "ac02", "kind 172" },
        { "ac04 0102", "kind 172 0102" },
        { "ac0e 010203 040506 070809 0a0b0c", "kind 172 0102030405060708090a0b0c" },
        { "1306 01020304", "kind 19 01020304" },
        { "0506 01020304", "kind 5 01020304" },
        { "c812 000102030405060708090a0b0c0d0e0f", "kind 200 000102030405060708090a0b0c0d0e0f" },
        { "ae08 000001 000002", "ECN e1b 1 ceb 2" },
        { "0203 05", "kind 2 05" },
        { "0502", "kind 5" },
        { "c802", "kind 200" },
        { "01 00 0000", "nop,eol" },
        { "01 00 0102", "nop,eol (then 0102)" },
        { "01 0500 0102", "nop,kind 5 0102 len 0" },
        { "0209 05b4", "kind 2 05b4 len 9" },
        { "01 02", "nop,kind 2 len 0" },
    };
    uint8_t bytes[64];
    char text[200];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        pkt_format_options(bytes, (uint8_t)octets(rows[i].hex, bytes, sizeof bytes), text, sizeof text);
        if (strcmp(text, rows[i].text) != 0)
            fail_msg("%s: got \"%s\", expected \"%s\"", rows[i].hex, text, rows[i].text);
    }
}

/* ---- whole packets ------------------------------------------------------------------------------------------------ */

static void format_spec(const struct pkt_spec *spec, char *text, size_t capacity)
{
    struct pkt_builder *builder = pkt_builder_new();
    static uint8_t bytes[4096];
    struct packet p;
    ssize_t len = pkt_build(builder, spec, bytes, sizeof bytes);

    assert_true(len > 0);
    pkt_parse(bytes, (size_t)len, &p);
    len = pkt_format(&p, text, capacity);
    assert_int_equal(len, strlen(text));
    pkt_builder_free(builder);
}

static void segments_are_one_line(void **state)
{
    static const uint8_t mss[] = { 2, 4, 5, 0xb4 };
    static const struct row { struct pkt_spec spec; const char *text; } rows[] = {
        { { .flags = PKT_SYN | PKT_ACK, .seq = 100, .ack = 5, .window = 65535, .options = mss, .options_len = 4 },
          "S. 100:100(0) ack 5 win 65535 <mss 1460>" },
        { { .flags = PKT_PSH | PKT_ACK, .seq = 0xfffffffb, .ack = 1, .window = 8, .payload = mss, .payload_len = 4 },
          "P. 4294967291:4294967295(4) ack 1 win 8" },
        { { .flags = PKT_ACK, .seq = 0xfffffffe, .ack = 1, .window = 8, .payload = mss, .payload_len = 4 }, ". 4294967294:2(4) ack 1 win 8" },
        { { .flags = PKT_RST, .seq = 9 }, "R 9:9(0) win 0" },
        { { .flags = PKT_RST, .seq = 9, .ack = 7 }, "R 9:9(0) ack 7 win 0" },
        { { .flags = PKT_URG | PKT_ACK, .urgent = 3 }, "U. 0:0(0) ack 0 win 0 urg 3" },
        { { .flags = PKT_ACK | 0x600 }, ". 0:0(0) ack 0 win 0 with reserved 6" },
        { { .flags = PKT_ACK | 0x200, .overrides = PKT_SPOIL_CHECKSUM }, ". 0:0(0) ack 0 win 0 with reserved 2, checksum bad" },
        { { .flags = PKT_SYN, .overrides = PKT_SPOIL_CHECKSUM }, "S 0:0(0) win 0 with checksum bad" },
        { { .flags = PKT_SYN, .overrides = PKT_SET_DATA_OFFSET, .data_offset_words = 4 }, "ip proto 6 (20) damaged" },
        { { .protocol = 17, .payload = mss, .payload_len = 3 }, "ip proto 17 (3)" },
    };
    char text[200];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pkt_spec spec = rows[i].spec;
        spec.src = address("192.0.2.1");
        spec.dst = address("192.0.2.2");
        spec.protocol = spec.protocol != 0 ? spec.protocol : PKT_PROTO_TCP;
        format_spec(&spec, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
}

static void icmp_is_named_and_its_segment_shown(void **state)
{
    static const struct row { uint8_t version, type, code; uint32_t rest; size_t quote; const char *text; } rows[] = {
        { 4, 3, 3, 0, 28, "icmp unreachable port_unreachable [100:...]" },
        { 4, 3, 4, 0xabcd0000 + 1200, 60, "icmp unreachable frag_needed mtu 1200 [100:1100(1000)]" },
        { 4, 11, 0, 0, 60, "icmp time_exceeded 0 [100:1100(1000)]" },
        { 4, 3, 200, 0, 4, "icmp unreachable 200" },
        { 4, 5, 1, 0, 60, "icmp redirect 1 [100:1100(1000)]" },
        { 6, 2, 0, 0x12345678, 0, "icmp packet_too_big 0 mtu 305419896" },
        { 6, 127, 0, 0, 60, "icmp 127 0 [100:1100(1000)]" },
        { 4, 8, 0, 0x00050007, 10, "icmp echo_request id 5 seq 7 (10)" },
        { 4, 0, 0, 0x00050007, 0, "icmp echo_reply id 5 seq 7 (0)" },
        { 4, 42, 1, 0, 3, "icmp 42 1 (3)" },
        { 6, 1, 4, 0, 60, "icmp unreachable port_unreachable [100:1100(1000)]" },
        { 6, 2, 0, 1280, 60, "icmp packet_too_big 0 mtu 1280 [100:1100(1000)]" },
        { 6, 128, 0, 0x00050007, 2, "icmp echo_request id 5 seq 7 (2)" },
    };
    uint8_t quoted[64];
    char text[200];

    (void)state;
    octets("4500 0410 0000 0000 4006 0000 c0000201 c0000202 0001 0002 00000064 00000000 5010 0000 0000 0000", quoted,
           sizeof quoted);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        struct pkt_spec spec = {
            .protocol = r->version == 4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6, .src = address(r->version == 4 ? "192.0.2.1" : "2001:db8::1"),
            .dst = address(r->version == 4 ? "192.0.2.2" : "2001:db8::2"), .icmp_type = r->type, .icmp_code = r->code, .icmp_rest = r->rest,
            .payload = quoted, .payload_len = (uint32_t)r->quote,
        };
        format_spec(&spec, text, sizeof text);
        assert_string_equal(text, r->text);
        spec.overrides = PKT_SPOIL_CHECKSUM;
        format_spec(&spec, text, sizeof text);
        assert_non_null(strstr(text, "with checksum bad"));
    }
}

static void icmp_has_packetdrills_names(void **state)
{
    static const struct row { uint8_t version, type; const char *type_name, *code_names; } rows[] = {
        { 4, 3, "unreachable", "net_unreachable host_unreachable protocol_unreachable port_unreachable frag_needed source_route_failed "
                               "net_unknown host_unknown source_host_isolated net_prohibited host_prohibited net_unreachable_for_tos "
                               "host_unreachable_for_tos packet_filtered precedence_violation precedence_cutoff" },
        { 4, 4, "source_quench", "" }, { 4, 5, "redirect", "" }, { 4, 11, "time_exceeded", "" }, { 4, 12, "parameter_problem", "" },
        { 4, 13, "timestamp_request", NULL }, { 4, 14, "timestamp_reply", NULL }, { 6, 133, "router_solicitation", NULL },
        { 6, 134, "router_advertisement", NULL }, { 6, 135, "neighbor_solicitation", NULL }, { 6, 136, "neighbor_advertisement", NULL },
        { 6, 1, "unreachable", "no_route admin_prohibited not_neighbour address_unreachable port_unreachable" },
        { 6, 3, "time_exceeded", "exceeded_hop_limit exceeded_frag_time" },
        { 6, 4, "parameter_problem", "header_field unknown_next_header unknown_option" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct packet p = { .kind = PKT_KIND_ICMP, .ip.version = rows[i].version, .icmp = { .type = rows[i].type, .checksum_ok = true } };
        char names[300], expected[400], text[100], *rest = names, *name;
        snprintf(names, sizeof names, "%s", rows[i].code_names != NULL ? rows[i].code_names : "");
        while ((name = strsep(&rest, " ")) != NULL) {
            const char *mtu = strcmp(name, "frag_needed") == 0 ? " mtu 0" : "";
            snprintf(expected, sizeof expected, "icmp %s %s%s", rows[i].type_name, *name != '\0' ? name : rows[i].code_names != NULL ? "0" : "0 (0)", mtu);
            pkt_format(&p, text, sizeof text);
            assert_string_equal(text, expected);
            p.icmp.code++;
        }
    }
}

static void the_rest_has_its_line_too(void **state)
{
    uint8_t bytes[64];
    char text[100];
    struct packet p;

    (void)state;
    pkt_parse(bytes, octets("4500 0020 0007 2001 4006 0000 c0000201 c0000202 000000000000000000000000", bytes, sizeof bytes), &p);
    pkt_format(&p, text, sizeof text);
    assert_string_equal(text, "fragment id 7 8:20(12) more proto 6");
    pkt_parse(bytes, octets("4500 0018 0000 0000 4001 0000 c0000201 c0000202 08000000", bytes, sizeof bytes), &p);
    pkt_format(&p, text, sizeof text);
    assert_string_equal(text, "ip proto 1 (4) damaged");
    pkt_parse(bytes, 1, &p);
    pkt_format(&p, text, sizeof text);
    assert_string_equal(text, "not an IP packet (1)");
}

static void a_short_buffer_is_terminated_and_the_whole_length_returned(void **state)
{
    static const uint8_t options[] = { 2, 4, 5, 0xb4, 3, 3, 7, 0 };
    struct pkt_tcp tcp = { .flags = PKT_SYN, .options = options, .options_len = 8, .checksum_ok = true };
    struct packet p = { .kind = PKT_KIND_TCP, .tcp = tcp };
    char whole[100], part[100];
    int len = pkt_format(&p, whole, sizeof whole);

    (void)state;
    assert_int_equal(len, strlen(whole));
    assert_int_equal(pkt_format(&p, NULL, 0), len);
    for (size_t capacity = 1; capacity <= sizeof part; capacity++) {
        memset(part, '#', sizeof part);
        assert_int_equal(pkt_format(&p, part, capacity), len);
        assert_int_equal(strlen(part), capacity - 1 < (size_t)len ? capacity - 1 : (size_t)len);
        assert_memory_equal(part, whole, strlen(part));
        if (capacity < sizeof part)
            assert_int_equal(part[capacity], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_packetdrills_letters),
        cmocka_unit_test(options_are_written_as_scenarios_have_them),
        cmocka_unit_test(segments_are_one_line),
        cmocka_unit_test(icmp_is_named_and_its_segment_shown),
        cmocka_unit_test(icmp_has_packetdrills_names),
        cmocka_unit_test(the_rest_has_its_line_too),
        cmocka_unit_test(a_short_buffer_is_terminated_and_the_whole_length_returned),
    };

    return cmocka_run_group_tests_name("packets as text", tests, NULL, NULL);
}

/* Building packets: right as described, wrong exactly as asked, whatever was built before. */
#include "engine/packet/test/generate.h"
#include "engine/packet/test/support.h"

#include <stdlib.h>

static int set_up(void **state)
{
    *state = pkt_builder_new();
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    pkt_builder_free(*state);
    return 0;
}

static struct pkt_spec segment(const char *src, const char *dst)
{
    return (struct pkt_spec){
        .protocol = PKT_PROTO_TCP, .src = address(src), .dst = address(dst), .src_port = 1024, .dst_port = 80, .seq = 1, .ack = 2,
        .flags = PKT_ACK, .window = 1000,
    };
}

static size_t build(struct pkt_builder *builder, const struct pkt_spec *spec, uint8_t *out)
{
    ssize_t len = pkt_build(builder, spec, out, PKT_BYTES_MAX);

    if (len < 0)
        fail_msg("not built: %s", pkt_builder_error(builder));
    return (size_t)len;
}

/* ---- right -------------------------------------------------------------------------------------------------------- */

static void expect_upper(const struct pkt_spec *s, const struct packet *p)
{
    uint8_t padded = (uint8_t)((s->options_len + 3) & ~3);

    if (p->kind == PKT_KIND_TCP) {
        assert_true(p->tcp.src_port == s->src_port && p->tcp.dst_port == s->dst_port && p->tcp.seq == s->seq &&
                    p->tcp.ack == s->ack);
        assert_true(p->tcp.flags == s->flags && p->tcp.window == s->window && p->tcp.urgent == s->urgent && p->tcp.checksum_ok);
        assert_int_equal(p->tcp.options_len, padded);
        assert_memory_equal(p->tcp.options, s->options, s->options_len);
        for (uint8_t i = s->options_len; i < padded; i++)
            assert_int_equal(p->tcp.options[i], 0);
        assert_int_equal(p->tcp.payload_len, s->payload_len);
        assert_memory_equal(p->tcp.payload, s->payload, s->payload_len);
    } else if (p->kind == PKT_KIND_ICMP) {
        assert_true(p->icmp.type == s->icmp_type && p->icmp.code == s->icmp_code && p->icmp.rest == s->icmp_rest &&
                    p->icmp.checksum_ok);
        assert_int_equal(p->icmp.body_len, s->payload_len);
        assert_memory_equal(p->icmp.body, s->payload, s->payload_len);
    } else {
        assert_int_equal(p->payload_len, s->payload_len);
        assert_memory_equal(p->payload, s->payload, s->payload_len);
    }
}

static void expect_ip(const struct pkt_spec *s, const struct packet *p)
{
    assert_true(p->ip.tos == s->tos && p->ip.ttl == s->ttl && p->ip.protocol == s->protocol && p->ip.checksum_ok);
    assert_true(pkt_addr_equal(&p->ip.src, &s->src) && pkt_addr_equal(&p->ip.dst, &s->dst));
    if (s->src.version == 4)
        assert_true(p->ip.id == s->ip_id && p->ip.dont_fragment == s->dont_fragment);
    else
        assert_int_equal(p->ip.flow_label, s->flow_label);
}

/* Shapes, versions, option and payload lengths change from one to the next as they come: blocks are reused all the time. */
static void what_is_built_reads_as_described_whatever_was_built_before(void **state)
{
    struct random random = random_from_environment();
    static struct spec_storage storage;
    static uint8_t out[PKT_BYTES_MAX];
    struct pkt_spec spec;
    struct packet p;

    for (unsigned i = 0; i < 20000; i++) {
        size_t len;
        generate_spec(&random, &spec, &storage);
        len = build(*state, &spec, out);
        assert_int_equal(pkt_parse(out, len, &p), PKT_OK);
        assert_int_equal(p.ip.total_len, len);
        expect_ip(&spec, &p);
        expect_upper(&spec, &p);
    }
}

static void a_reused_builder_gives_the_octets_of_a_new_one(void **state)
{
    struct random random = random_from_environment();
    static struct spec_storage storage;
    static uint8_t reused[PKT_BYTES_MAX], fresh[PKT_BYTES_MAX];
    struct pkt_spec spec;

    for (unsigned i = 0; i < 1000; i++) {
        struct pkt_builder *builder = pkt_builder_new();
        size_t len;
        generate_spec(&random, &spec, &storage);
        len = build(*state, &spec, reused);
        assert_int_equal(build(builder, &spec, fresh), len);
        assert_memory_equal(reused, fresh, len);
        pkt_builder_free(builder);
    }
}

/* Options and payload up and down and away again, in all orders of four sizes each. */
static void lengths_may_change_in_any_order(void **state)
{
    static const uint32_t payload_lens[] = { 0, 1, 1460, 30 };
    static const uint8_t option_lens[] = { 0, 4, 40, 7 };
    static uint8_t payload[1460], options[40], out[PKT_BYTES_MAX];
    struct pkt_spec spec = segment("192.0.2.1", "192.0.2.2");
    struct packet p;

    memset(options, PKT_OPT_NOP, sizeof options);
    memset(payload, 'x', sizeof payload);
    spec.options = options;
    spec.payload = payload;
    for (unsigned i = 0; i < 16 * 16; i++) {
        size_t len;
        spec.payload_len = payload_lens[i % 16 / 4 ^ i / 16 % 4];
        spec.options_len = option_lens[i % 4 ^ i / 64];
        len = build(*state, &spec, out);
        assert_int_equal(pkt_parse(out, len, &p), PKT_OK);
        expect_upper(&spec, &p);
    }
}

/* Whatever stands beside the overrides: here anything may. */
static void override_at_random(struct random *random, struct pkt_spec *spec)
{
    spec->overrides = random_one_in(random, 2) ? 0 : (unsigned)random_next(random) & (2u * PKT_SET_TTL - 1);
    spec->ip_version_value = (uint8_t)random_below(random, 16);
    spec->ip_header_words = (uint8_t)random_below(random, 16);
    spec->ip_protocol_value = (uint8_t)random_next(random);
    spec->data_offset_words = (uint8_t)random_below(random, 16);
    spec->ip_total_len_value = (uint16_t)random_next(random);
    spec->ip_checksum_value = (uint16_t)random_next(random);
    spec->checksum_value = (uint16_t)random_next(random);
}

static void a_quick_builder_gives_the_octets_of_the_other(void **state)
{
    static uint8_t out[PKT_BYTES_MAX], quick_out[PKT_BYTES_MAX];
    struct random random = random_from_environment();
    struct pkt_builder *quick = pkt_builder_new_quick();
    struct spec_storage storage;
    struct pkt_spec spec;

    for (unsigned i = 0; i < 20000; i++) {
        generate_spec(&random, &spec, &storage);
        override_at_random(&random, &spec);
        memset(quick_out, 0xa5, 100);
        ssize_t len = pkt_build(*state, &spec, out, sizeof out);
        assert_int_equal(pkt_build(quick, &spec, quick_out, sizeof quick_out), len);
        if (len > 0)
            assert_memory_equal(out, quick_out, (size_t)len);
    }
    pkt_builder_free(quick);
}

static void what_is_left_out_gets_sensible_values(void **state)
{
    struct pkt_spec spec = { .protocol = PKT_PROTO_TCP, .src = address("192.0.2.1"), .dst = address("192.0.2.2") };
    uint8_t out[64];
    struct packet p;

    assert_int_equal(pkt_build(*state, &spec, out, sizeof out), 40);
    assert_int_equal(pkt_parse(out, 40, &p), PKT_OK);
    assert_true(p.ip.ttl == 64 && p.tcp.data_offset == 5 && p.tcp.flags == 0 && p.tcp.checksum_ok && p.ip.checksum_ok);
}

static void the_largest_packets_have_right_checksums(void **state)
{
    static const char *const ends[][2] = { { "255.255.255.254", "255.255.255.255" }, { "ffff::1", "ffff::2" } };
    static uint8_t payload[PKT_BYTES_MAX], out[PKT_BYTES_MAX];
    struct packet p;

    memset(payload, 0xff, sizeof payload);
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct pkt_spec spec = segment(ends[i][0], ends[i][1]);
        spec.payload = payload;
        spec.payload_len = i == 0 ? 65535 - 40 : 65535 - 20;
        assert_int_equal(pkt_parse(out, build(*state, &spec, out), &p), PKT_OK);
        assert_true(p.tcp.checksum_ok && p.tcp.payload_len == spec.payload_len);
        spec.payload_len++;
        assert_int_equal(pkt_build(*state, &spec, out, sizeof out), -1);
        assert_non_null(strstr(pkt_builder_error(*state), "65535"));
        spec.payload_len = UINT32_MAX;
        assert_int_equal(pkt_build(*state, &spec, out, sizeof out), -1);
    }
}

static void what_cannot_be_built_says_why(void **state)
{
    static const uint8_t options[44];
    struct pkt_spec spec = segment("192.0.2.1", "2001:db8::1");
    uint8_t out[100];

    assert_int_equal(pkt_build(*state, &spec, out, sizeof out), -1);
    assert_non_null(strstr(pkt_builder_error(*state), "IP version"));
    spec.dst = (struct pkt_addr){ 0 };
    spec.src = (struct pkt_addr){ 0 };
    assert_int_equal(pkt_build(*state, &spec, out, sizeof out), -1);
    spec = segment("192.0.2.1", "192.0.2.2");
    assert_int_equal(pkt_build(*state, &spec, out, 39), -1);
    assert_non_null(strstr(pkt_builder_error(*state), "space"));
    assert_int_equal(pkt_build(*state, &spec, out, 40), 40);
    spec.options = options;
    spec.options_len = 41;
    assert_int_equal(pkt_build(*state, &spec, out, sizeof out), -1);
    assert_non_null(strstr(pkt_builder_error(*state), "40 octets"));
    spec.options_len = 40;
    assert_int_equal(pkt_build(*state, &spec, out, sizeof out), 80);
    pkt_builder_free(NULL);
}

/* ---- wrong on purpose --------------------------------------------------------------------------------------------- */

/* The octets in which a packet built with this override differs from the one built without. */
static void differing(struct pkt_builder *builder, const struct pkt_spec *spec, char *out, size_t capacity)
{
    struct pkt_spec plain = *spec;
    uint8_t a[128], b[128];
    ssize_t len = pkt_build(builder, spec, a, sizeof a);
    size_t n = 0;

    plain.overrides = 0;
    assert_int_equal(pkt_build(builder, &plain, b, sizeof b), len);
    out[0] = '\0';
    for (ssize_t i = 0; i < len; i++) {
        if (a[i] != b[i])
            n += (size_t)snprintf(out + n, capacity - n, "%s%zd=%02x", n > 0 ? " " : "", i, a[i]);
    }
}

static void an_override_changes_its_field_and_what_must_follow(void **state)
{
    /* IPv4: 0 version and header length, 2-3 total length, 9 protocol, 10-11 checksum; TCP at 20: 32 data offset, 36-37 checksum */
    static const struct row { unsigned override; const char *src, *dst, *changed; } rows[] = {
        { PKT_SET_IP_CHECKSUM, "192.0.2.1", "192.0.2.2", "10=ab 11=cd" },
        { PKT_SPOIL_IP_CHECKSUM, "192.0.2.1", "192.0.2.2", "11=cd" },
        { PKT_SET_IP_TOTAL_LEN, "192.0.2.1", "192.0.2.2", "2=01 3=02 10=f5 11=f2" },
        { PKT_SET_IP_VERSION, "192.0.2.1", "192.0.2.2", "0=75 10=c6" },
        { PKT_SET_IP_PROTOCOL, "192.0.2.1", "192.0.2.2", "9=11 11=c1" },
        { PKT_SET_DATA_OFFSET, "192.0.2.1", "192.0.2.2", "32=f0 36=83 37=95" },
        { PKT_SET_CHECKSUM, "192.0.2.1", "192.0.2.2", "36=12 37=34" },
        { PKT_SPOIL_CHECKSUM, "192.0.2.1", "192.0.2.2", "37=97" },
        { PKT_SET_TTL, "192.0.2.1", "192.0.2.2", "8=00 10=36 11=cd" },
        { PKT_SET_IP_TOTAL_LEN, "2001:db8::1", "2001:db8::2", "4=01 5=02" },
        { PKT_SET_IP_PROTOCOL, "2001:db8::1", "2001:db8::2", "6=11" },
        { PKT_SET_IP_VERSION, "2001:db8::1", "2001:db8::2", "0=70" },
        { PKT_SET_IP_CHECKSUM | PKT_SPOIL_IP_CHECKSUM | PKT_SET_IP_HEADER_LEN, "2001:db8::1", "2001:db8::2", "" },
        { PKT_SET_CHECKSUM, "2001:db8::1", "2001:db8::2", "56=12 57=34" },
    };
    char changed[200];

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pkt_spec spec = segment(rows[i].src, rows[i].dst);
        spec.overrides = rows[i].override;
        spec.ip_checksum_value = 0xabcd;
        spec.ip_total_len_value = 0x0102;
        spec.ip_version_value = 7;
        spec.ip_protocol_value = 17;
        spec.data_offset_words = 15;
        spec.checksum_value = 0x1234;
        differing(*state, &spec, changed, sizeof changed);
        if (strcmp(changed, rows[i].changed) != 0)
            fail_msg("override %#x, %s: changed \"%s\", expected \"%s\"", rows[i].override, rows[i].src, changed, rows[i].changed);
    }
}

static void a_header_length_that_lies_is_the_only_lie(void **state)
{
    struct pkt_spec spec = segment("192.0.2.1", "192.0.2.2");
    uint8_t out[128];
    struct packet p;
    size_t len;

    spec.overrides = PKT_SET_IP_HEADER_LEN;
    for (uint8_t words = 0; words < 16; words++) {
        spec.ip_header_words = words;
        len = build(*state, &spec, out);
        assert_int_equal(out[0], 0x40 | words);
        pkt_parse(out, len, &p);
        if (words >= 5 && words <= 10)
            assert_true(p.ip.checksum_ok); /* as the receiver adds it up */
    }
}

static void a_spoilt_checksum_is_wrong_whatever_the_right_one(void **state)
{
    struct pkt_spec echo = { .protocol = PKT_PROTO_ICMP, .src = address("192.0.2.1"), .dst = address("192.0.2.2"), .overrides = PKT_SPOIL_CHECKSUM };
    struct pkt_spec tcp = segment("192.0.2.1", "192.0.2.2");
    uint8_t out[64];
    struct packet p;

    tcp.overrides = PKT_SPOIL_CHECKSUM | PKT_SPOIL_IP_CHECKSUM;
    for (uint32_t i = 0; i < 0x10000; i++) { /* every right value comes by */
        tcp.window = (uint16_t)i;
        tcp.ip_id = (uint16_t)i;
        echo.icmp_rest = i;
        pkt_parse(out, build(*state, &tcp, out), &p);
        assert_false(p.tcp.checksum_ok || p.ip.checksum_ok);
        pkt_parse(out, build(*state, &echo, out), &p);
        assert_false(p.icmp.checksum_ok);
        assert_true(p.icmp.checksum != 0 || i != 0); /* 0 and ffff are both "nothing" */
    }
}

static void reserved_bits_and_ae_are_sent(void **state)
{
    struct pkt_spec spec = segment("192.0.2.1", "192.0.2.2");
    uint8_t out[64];
    struct packet p;

    for (unsigned flags = 0; flags < 0x1000; flags++) {
        spec.flags = (uint16_t)flags;
        assert_int_equal(pkt_parse(out, build(*state, &spec, out), &p), PKT_OK);
        assert_int_equal(p.tcp.flags, flags);
        assert_true(p.tcp.checksum_ok && p.tcp.data_offset == 5);
    }
}

static void icmp_of_the_other_version_is_built_too(void **state)
{
    struct pkt_spec spec = { .protocol = PKT_PROTO_ICMP6, .src = address("192.0.2.1"), .dst = address("192.0.2.2"), .icmp_type = 128 };
    uint8_t out[64];

    assert_int_equal(build(*state, &spec, out), 28);
    assert_int_equal(out[9], PKT_PROTO_ICMP6);
    assert_int_equal(pkt_transport_checksum(&spec.src, &spec.dst, PKT_PROTO_ICMP6, out + 20, 8), 0);
    spec.protocol = PKT_PROTO_ICMP;
    spec.src = address("2001:db8::1");
    spec.dst = address("2001:db8::2");
    assert_int_equal(build(*state, &spec, out), 48);
    assert_int_equal(out[6], PKT_PROTO_ICMP);
    assert_int_equal(pkt_checksum(out + 40, 8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_built_reads_as_described_whatever_was_built_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reused_builder_gives_the_octets_of_a_new_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lengths_may_change_in_any_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_quick_builder_gives_the_octets_of_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_out_gets_sensible_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_largest_packets_have_right_checksums, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_built_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_override_changes_its_field_and_what_must_follow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_header_length_that_lies_is_the_only_lie, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_spoilt_checksum_is_wrong_whatever_the_right_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reserved_bits_and_ae_are_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(icmp_of_the_other_version_is_built_too, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("building packets", tests, NULL, NULL);
}

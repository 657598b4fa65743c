/* TCP options: stepping, meaning, writing; legal and illegal. */
#include "engine/packet/test/random.h"
#include "engine/packet/test/support.h"

/* ---- stepping ----------------------------------------------------------------------------------------------------- */

/* What a walk gives, as text: "2+2@0" is kind 2 with two octets of data at offset 0, "!" marks an illegal one and its stated
 * length. */
static void walk(const uint8_t *options, uint8_t len, char *out, size_t capacity)
{
    enum pkt_option_status status;
    struct pkt_option o;
    uint8_t cursor = 0;
    size_t n = 0;

    out[0] = '\0';
    while ((status = pkt_option_next(options, len, &cursor, &o)) != PKT_OPTION_END && n < capacity) {
        const char *form = status == PKT_OPTION_OK ? "%s%u+%u@%u" : "%s!%u+%u@%u/%u";
        n += (size_t)snprintf(out + n, capacity - n, form, n > 0 ? " " : "", o.kind, o.data_len, o.offset, o.len);
    }
    assert_int_equal(pkt_option_next(options, len, &cursor, &o), PKT_OPTION_END);
}

static void options_are_stepped_through_in_wire_order(void **state)
{
    static const struct row { const char *says, *hex, *expected; } rows[] = {
        { "none", "", "" },
        { "a SYN's", "0204 05b4 01 030307 0402", "2+2@0 1+0@4 3+1@5 4+0@8" },
        { "end of list ends it", "01 00 0204 05b4", "1+0@0 0+0@1" },
        { "length 0", "01 0500 0204", "1+0@0 !5+0@1/0" },
        { "length 1", "0501", "!5+0@0/1" },
        { "length 2: no data", "0402 0402", "4+0@0 4+0@2" },
        { "one past the end", "01 0208 0102 0304 05", "1+0@0 !2+5@1/8" },
        { "up to the end exactly", "02 08 010203040506", "2+6@0" },
        { "far past the end", "08ff 0102", "!8+2@0/255" },
        { "no length octet", "01 02", "1+0@0 !2+0@1/0" },
        { "unknown kinds are stepped over", "fd04 aabb c803 01 01", "253+2@0 200+1@4 1+0@7" },
    };
    uint8_t bytes[64];
    char text[200];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        walk(bytes, (uint8_t)octets(rows[i].hex, bytes, sizeof bytes), text, sizeof text);
        if (strcmp(text, rows[i].expected) != 0)
            fail_msg("%s: got \"%s\", expected \"%s\"", rows[i].says, text, rows[i].expected);
    }
}

static void a_walk_stays_inside_and_ends_whatever_the_octets(void **state)
{
    struct random random = random_from_environment();
    uint8_t bytes[PKT_TCP_OPTIONS_MAX];

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t len = (uint8_t)random_below(&random, PKT_TCP_OPTIONS_MAX + 1), cursor = 0;
        struct pkt_option o;
        unsigned steps = 0;
        random_fill(&random, bytes, len);
        while (pkt_option_next(bytes, len, &cursor, &o) != PKT_OPTION_END) {
            assert_true(++steps <= len);
            assert_true(o.offset < len);
            if (o.data_len > 0)
                assert_true(o.data == bytes + o.offset + 2 && o.offset + 2u + o.data_len <= len);
        }
    }
}

/* ---- meaning ------------------------------------------------------------------------------------------------------ */

static void read_hex(const char *hex, struct pkt_options *out)
{
    uint8_t bytes[64];

    pkt_options_read(bytes, (uint8_t)octets(hex, bytes, sizeof bytes), out);
}

static void a_syns_options_mean_what_the_rfcs_say(void **state)
{
    struct pkt_options o;

    (void)state;
    read_hex("0204 05b4 0402 080a 01020304 05060708 01 030307", &o);
    assert_true(o.has_mss && o.mss == 1460 && o.sack_permitted && o.has_wscale && o.wscale == 7);
    assert_true(o.has_timestamp && o.ts_val == 0x01020304 && o.ts_ecr == 0x05060708);
    assert_false(o.illegal || o.has_user_timeout || o.has_fastopen || o.padding_not_zero);
    assert_int_equal(o.unknown_count, 0);
    assert_int_equal(o.sack_count, 0);
}

static void sack_blocks_are_read_up_to_four(void **state)
{
    static const struct row { const char *says, *hex; uint8_t count, unknown; } rows[] = {
        { "none: not a SACK", "0502", 0, 1 },
        { "one", "050a 00000001 00000002", 1, 0 },
        { "four", "0522 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008", 4, 0 },
        { "half a block", "050e 00000001 00000002 00000003", 0, 1 },
    };
    struct pkt_options o;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        read_hex(rows[i].hex, &o);
        if (o.sack_count != rows[i].count || o.unknown_count != rows[i].unknown || o.illegal)
            fail_msg("%s: %u blocks, %u unknown", rows[i].says, o.sack_count, o.unknown_count);
        for (uint8_t block = 0; block < o.sack_count; block++)
            assert_true(o.sack[block].left == 2u * block + 1 && o.sack[block].right == 2u * block + 2);
    }
}

static void a_length_that_does_not_fit_the_kind_makes_it_unknown(void **state)
{
    static const char *const rows[] = {
        "0203 05", "0205 05b4 00", "0302", "0304 0701", "0403 00", "0809 01020304050607", "1c03 00", "1c05 000000",
        "2203 01", "2204 0102", "2205 010203", "2207 0102030405", "2214 0102030405060708090a0b0c0d0e0f101112", "fe03 f9", "fe04 f98a", "fe05 f989 01",
    };
    struct pkt_options o;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        read_hex(rows[i], &o);
        if (o.unknown_count < 1 || o.illegal || o.has_mss || o.has_wscale || o.sack_permitted || o.has_timestamp ||
            o.has_user_timeout || o.has_fastopen)
            fail_msg("%s was taken for what it is not", rows[i]);
    }
}

static void fast_open_is_known_by_its_kind_and_by_its_magic_number(void **state)
{
    static const struct row { const char *hex; bool experimental; uint8_t len; const char *cookie; } rows[] = {
        { "2202", false, 0, "" },
        { "2206 01020304", false, 4, "01020304" },
        { "2212 0102030405060708090a0b0c0d0e0f10", false, 16, "0102030405060708090a0b0c0d0e0f10" },
        { "fe04 f989", true, 0, "" },
        { "fe0c f989 0102030405060708", true, 8, "0102030405060708" },
    };
    struct pkt_options o;
    uint8_t cookie[16];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        read_hex(rows[i].hex, &o);
        assert_true(o.has_fastopen && o.fastopen_experimental == rows[i].experimental && o.fastopen_cookie_len == rows[i].len);
        assert_memory_equal(o.fastopen_cookie, cookie, octets(rows[i].cookie, cookie, sizeof cookie));
    }
}

static void of_options_repeated_the_first_counts(void **state)
{
    struct pkt_options o;

    (void)state;
    read_hex("0204 0001 0204 0002 030301 030302 1c04 0003 1c04 0004 2206 01020304 2202", &o);
    assert_true(o.mss == 1 && o.wscale == 1 && o.user_timeout == 3 && o.fastopen_cookie_len == 4);
    assert_int_equal(o.unknown_count, 0);
    read_hex("080a 00000001 00000002 080a 00000003 00000004", &o);
    assert_true(o.ts_val == 1 && o.ts_ecr == 2);
    read_hex("050a 00000001 00000002 0512 00000003 00000004 00000005 00000006", &o);
    assert_true(o.sack_count == 1 && o.sack[0].left == 1);
}

static void an_illegal_option_ends_the_reading_and_is_told(void **state)
{
    static const char *const rows[] = { "0204 05b4 0300 0402", "0204 05b4 0301 0402", "0204 05b4 03ff 0402", "0204 05b4 03" };
    struct pkt_options o;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        read_hex(rows[i], &o);
        if (!o.illegal || !o.has_mss || o.sack_permitted)
            fail_msg("%s: expected an MSS, then an illegal option, then nothing", rows[i]);
    }
}

static void padding_is_zero_or_it_is_told(void **state)
{
    struct pkt_options o;

    (void)state;
    read_hex("030307 00", &o);
    assert_false(o.padding_not_zero);
    read_hex("030307 00 00000000", &o);
    assert_false(o.padding_not_zero);
    read_hex("030307 00 00000100", &o);
    assert_true(o.padding_not_zero);
    read_hex("00 0204 05b4", &o);
    assert_true(o.padding_not_zero && !o.has_mss);
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static void what_is_put_is_what_the_wire_has(void **state)
{
    static const char expected[] = "0204 05b4 0402 080a 00000001 00000002 030307 01 1c04 8005 2206 01020304 00 00";
    static const uint8_t cookie[] = { 1, 2, 3, 4 };
    struct pkt_option_buffer b = { 0 };
    uint8_t bytes[64];
    size_t len = octets(expected, bytes, sizeof bytes);

    (void)state;
    pkt_put_mss(&b, 1460);
    pkt_put_sack_permitted(&b);
    pkt_put_timestamp(&b, 1, 2);
    pkt_put_wscale(&b, 7);
    pkt_put_nop(&b);
    pkt_put_user_timeout(&b, 0x8005);
    pkt_put_fastopen(&b, cookie, sizeof cookie);
    pkt_put_eol(&b);
    pkt_pad_options(&b);
    assert_false(b.overflow);
    assert_int_equal(b.len, len);
    assert_memory_equal(b.bytes, bytes, b.len);
}

static void sack_blocks_are_put_in_order(void **state)
{
    static const uint32_t blocks[5][2] = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 0xfffffff0, 8 }, { 9, 10 } };
    struct pkt_option_buffer b = { 0 };
    struct pkt_options o;

    (void)state;
    pkt_put_sack(&b, blocks, 4);
    pkt_options_read(b.bytes, b.len, &o);
    assert_int_equal(o.sack_count, 4);
    assert_true(o.sack[3].left == 0xfffffff0 && o.sack[3].right == 8);
    b = (struct pkt_option_buffer){ 0 };
    pkt_put_sack(&b, blocks, 5);
    assert_true(b.overflow && b.len == 0);
}

static void forty_octets_are_the_most_and_what_fitted_is_kept(void **state)
{
    struct pkt_option_buffer b = { 0 };

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        pkt_put_timestamp(&b, i, i);
    for (unsigned i = 0; i < 10; i++)
        pkt_put_nop(&b);
    assert_int_equal(b.len, PKT_TCP_OPTIONS_MAX);
    assert_false(b.overflow);
    pkt_put_nop(&b);
    assert_true(b.overflow);
    assert_int_equal(b.len, PKT_TCP_OPTIONS_MAX);
    b = (struct pkt_option_buffer){ 0 };
    for (unsigned i = 0; i < 39; i++)
        pkt_put_nop(&b);
    pkt_put_mss(&b, 1);
    assert_true(b.overflow && b.len == 39);
    pkt_pad_options(&b);
    assert_int_equal(b.len, PKT_TCP_OPTIONS_MAX);
    pkt_put_raw_option(&b, 254, 255, (const uint8_t *)"", 255);
    assert_int_equal(b.len, PKT_TCP_OPTIONS_MAX);
}

static void any_length_can_be_stated(void **state)
{
    static const uint8_t stated[] = { 0, 1, 2, 5, 40, 255 };
    struct pkt_option o;

    (void)state;
    for (size_t i = 0; i < COUNT(stated); i++) {
        struct pkt_option_buffer b = { 0 };
        uint8_t cursor = 0;
        bool legal = stated[i] >= 2 && stated[i] <= 5;
        pkt_put_raw_option(&b, 2, stated[i], (const uint8_t *)"abc", 3);
        assert_int_equal(b.len, 5);
        assert_int_equal(pkt_option_next(b.bytes, b.len, &cursor, &o), legal ? PKT_OPTION_OK : PKT_OPTION_ILLEGAL);
        assert_int_equal(o.len, stated[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_stepped_through_in_wire_order),
        cmocka_unit_test(a_walk_stays_inside_and_ends_whatever_the_octets),
        cmocka_unit_test(a_syns_options_mean_what_the_rfcs_say),
        cmocka_unit_test(sack_blocks_are_read_up_to_four),
        cmocka_unit_test(a_length_that_does_not_fit_the_kind_makes_it_unknown),
        cmocka_unit_test(fast_open_is_known_by_its_kind_and_by_its_magic_number),
        cmocka_unit_test(of_options_repeated_the_first_counts),
        cmocka_unit_test(an_illegal_option_ends_the_reading_and_is_told),
        cmocka_unit_test(padding_is_zero_or_it_is_told),
        cmocka_unit_test(what_is_put_is_what_the_wire_has),
        cmocka_unit_test(sack_blocks_are_put_in_order),
        cmocka_unit_test(forty_octets_are_the_most_and_what_fitted_is_kept),
        cmocka_unit_test(any_length_can_be_stated),
    };

    return cmocka_run_group_tests_name("TCP options", tests, NULL, NULL);
}

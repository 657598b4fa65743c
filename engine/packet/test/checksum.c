/* The Internet checksum, against vectors worked out elsewhere and against a slow one of our own. */
#include "engine/packet/test/random.h"
#include "engine/packet/test/support.h"

/* As RFC 1071 §4.1 has it: 16 bits at a time, in network order. */
static uint16_t slow_checksum(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static void known_vectors(void **state)
{
    static const struct row { const char *says, *hex; uint16_t checksum; } rows[] = {
        { "RFC 1071 §3: the sum is ddf2", "0001 f203 f4f5 f6f7", 0x220d },
        { "nothing", "", 0xffff },
        { "an odd octet counts as followed by zero", "01", 0xfeff },
        { "three octets", "0001 f2", 0x0dfe },
        { "all ones", "ffff ffff", 0x0000 },
        { "a well-known IPv4 header", "4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7", 0xb861 },
        { "the same with its checksum: nothing is left", "4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7", 0 },
    };
    uint8_t bytes[64];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = octets(rows[i].hex, bytes, sizeof bytes);
        if (pkt_checksum(bytes, len) != rows[i].checksum)
            fail_msg("%s: %04x instead of %04x", rows[i].says, pkt_checksum(bytes, len), rows[i].checksum);
    }
}

static void every_length_and_alignment_gives_what_the_slow_one_gives(void **state)
{
    struct random random = random_from_environment();
    static uint8_t bytes[300];

    (void)state;
    random_fill(&random, bytes, sizeof bytes);
    for (size_t start = 0; start < 8; start++) {
        for (size_t len = 0; len < 260; len++)
            assert_int_equal(pkt_checksum(bytes + start, len), slow_checksum(bytes + start, len));
    }
}

static void sixty_five_thousand_high_octets_do_not_overflow(void **state)
{
    static uint8_t bytes[65535];

    (void)state;
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(pkt_checksum(bytes, sizeof bytes), slow_checksum(bytes, sizeof bytes));
}

/* The pseudo header written out, and summed with what follows it. */
static void the_pseudo_header_is_the_rfcs(void **state)
{
    struct pkt_addr src4 = address("192.0.2.1"), dst4 = address("192.0.2.2"), src6 = address("2001:db8::1"),
                    dst6 = address("2001:db8::2");
    static const char segment[] = "1234 0050 0000 0001 0000 0002 5010 ffff 0000 0000 61";
    uint8_t bytes[128], upper[64];
    size_t upper_len = octets(segment, upper, sizeof upper), len;

    (void)state;
    len = octets("c000 0201 c000 0202 00 06 0015", bytes, sizeof bytes); /* RFC 9293 §3.1 */
    memcpy(bytes + len, upper, upper_len);
    assert_int_equal(pkt_transport_checksum(&src4, &dst4, PKT_PROTO_TCP, upper, upper_len), slow_checksum(bytes, len + upper_len));
    len = octets("20010db8000000000000000000000001 20010db8000000000000000000000002 00000015 000000 3a", bytes, sizeof bytes); /* RFC 8200 §8.1 */
    memcpy(bytes + len, upper, upper_len);
    assert_int_equal(pkt_transport_checksum(&src6, &dst6, PKT_PROTO_ICMP6, upper, upper_len),
                     slow_checksum(bytes, len + upper_len));
}

static void a_card_completes_what_the_partial_sum_begins(void **state)
{
    struct pkt_addr src = address("192.0.2.1"), dst = address("192.0.2.2");
    uint8_t bytes[64];
    size_t len = octets("0400 0050 00000001 00000002 5010 2000 0000 0000 68656c6c6f", bytes, sizeof bytes);
    const uint16_t right = pkt_transport_checksum(&src, &dst, PKT_PROTO_TCP, bytes, len);
    const uint16_t partial = pkt_partial_checksum(&src, &dst, PKT_PROTO_TCP, (uint32_t)len);

    (void)state;
    bytes[16] = (uint8_t)(partial >> 8);
    bytes[17] = (uint8_t)partial;
    assert_int_equal(pkt_checksum(bytes, len), right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors),
        cmocka_unit_test(every_length_and_alignment_gives_what_the_slow_one_gives),
        cmocka_unit_test(sixty_five_thousand_high_octets_do_not_overflow),
        cmocka_unit_test(the_pseudo_header_is_the_rfcs),
        cmocka_unit_test(a_card_completes_what_the_partial_sum_begins),
    };

    return cmocka_run_group_tests_name("checksums", tests, NULL, NULL);
}

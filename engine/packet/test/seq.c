/* Sequence arithmetic is modulo 2^32 (RFC 9293 §3.4): every row is run at zero, in the middle, and across the wrap. */
#include "engine/packet/seq.h"

#include "engine/packet/test/support.h"

static const uint32_t bases[] = { 0, 1, 1000, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };

static void order_is_that_of_the_shorter_way_round(void **state)
{
    static const struct row { int32_t ahead; bool lt, le, gt, ge; } rows[] = {
        { 0, false, true, false, true },
        { 1, true, true, false, false },
        { -1, false, false, true, true },
        { 0x7fffffff, true, true, false, false },
        { -0x7fffffff, false, false, true, true },
    };

    (void)state;
    for (size_t b = 0; b < COUNT(bases); b++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            uint32_t a = bases[b], c = a + (uint32_t)rows[i].ahead;
            if (seq_lt(a, c) != rows[i].lt || seq_le(a, c) != rows[i].le || seq_gt(a, c) != rows[i].gt ||
                seq_ge(a, c) != rows[i].ge)
                fail_msg("%u and %u, %d ahead: wrong order", a, c, rows[i].ahead);
            assert_int_equal(seq_distance(a, c), rows[i].ahead);
        }
    }
}

static void a_window_is_half_open(void **state)
{
    static const struct row { const char *says; int32_t from_left; uint32_t length; bool inside; } rows[] = {
        { "an empty window holds nothing", 0, 0, false },
        { "the left edge is inside", 0, 1, true },
        { "the right edge is outside", 1, 1, false },
        { "before the left edge", -1, 10, false },
        { "the last one inside", 9, 10, true },
        { "one past", 10, 10, false },
        { "the widest scaled window (RFC 7323: 2^30)", (1 << 30) - 1, 1u << 30, true },
        { "one past the widest", 1 << 30, 1u << 30, false },
    };

    (void)state;
    for (size_t b = 0; b < COUNT(bases); b++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            if (seq_in_window(bases[b] + (uint32_t)rows[i].from_left, bases[b], rows[i].length) != rows[i].inside)
                fail_msg("left edge %u, %s: expected %s", bases[b], rows[i].says, rows[i].inside ? "inside" : "outside");
        }
    }
}

static void the_larger_and_the_smaller_are_told_across_the_wrap(void **state)
{
    (void)state;
    for (size_t b = 0; b < COUNT(bases); b++) {
        uint32_t a = bases[b], c = a + 5;
        assert_int_equal(seq_max(a, c), c);
        assert_int_equal(seq_max(c, a), c);
        assert_int_equal(seq_min(a, c), a);
        assert_int_equal(seq_min(c, a), a);
        assert_int_equal(seq_max(a, a), a);
    }
}

static void a_segments_length_counts_syn_and_fin(void **state)
{
    static const struct row { uint16_t flags; uint32_t payload_len, seg_len; } rows[] = {
        { 0, 0, 0 }, { PKT_ACK, 10, 10 }, { PKT_SYN, 0, 1 }, { PKT_FIN | PKT_ACK, 0, 1 }, { PKT_SYN | PKT_FIN, 7, 9 }, { PKT_RST, 3, 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pkt_tcp tcp = { .flags = rows[i].flags, .payload_len = rows[i].payload_len };
        assert_int_equal(pkt_seg_len(&tcp), rows[i].seg_len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_that_of_the_shorter_way_round),
        cmocka_unit_test(a_window_is_half_open),
        cmocka_unit_test(the_larger_and_the_smaller_are_told_across_the_wrap),
        cmocka_unit_test(a_segments_length_counts_syn_and_fin),
    };

    return cmocka_run_group_tests_name("sequence arithmetic", tests, NULL, NULL);
}

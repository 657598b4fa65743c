/* The mutator: bounded, deterministic, kind to the handshake, and close to the edges that matter. */
#include "engine/fuzz/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/scenario/bytes/layout.h"

enum { RECORD = SCN_BYTES_RECORD_LEN, HEADER = SCN_BYTES_HEADER_LEN };

static size_t size_of(size_t records)
{
    return HEADER + records * RECORD;
}

/* Octets with exactly the room they have, so that what is beside them is noticed. */
static uint8_t *room(size_t max)
{
    uint8_t *data = malloc(max ? max : 1);
    assert_non_null(data);
    memset(data, 0xa5, max);
    return data;
}

static bool is_whole(size_t size)
{
    return size > HEADER && (size - HEADER) % RECORD == 0 && size <= SCN_BYTES_MAX;
}

static void any_octets_become_whole_records_within_the_room_there_is(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 20000; i++) {
        const size_t max = i % 97 * 7 % 500, size = max ? (i * 31u) % (max + 1) : 0;
        uint8_t *data = room(max);
        const size_t after = fuzz_mutate(data, size, max, i);
        assert_true(after <= max);
        assert_true(max < size_of(1) ? after == size : is_whole(after));
        free(data);
    }
}

static void inputs_longer_than_the_format_reads_are_cut(void **unused)
{
    (void)unused;
    const size_t max = SCN_BYTES_MAX + 1000;
    for (unsigned i = 0; i < 200; i++) {
        uint8_t *data = room(max);
        assert_true(is_whole(fuzz_mutate(data, max, max, i)));
        free(data);
    }
}

static void the_same_seed_does_the_same(void **unused)
{
    (void)unused;
    unsigned differ = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t a[500], b[500], c[500];
        const size_t size = fuzz_generate(a, sizeof a, 10, i);
        memcpy(b, a, sizeof a);
        memcpy(c, a, sizeof a);
        const size_t len_a = fuzz_mutate(a, size, sizeof a, 7 * i), len_b = fuzz_mutate(b, size, sizeof b, 7 * i),
                     len_c = fuzz_mutate(c, size, sizeof c, 7 * i + 1);
        assert_int_equal(len_a, len_b);
        assert_memory_equal(a, b, len_a);
        differ += len_a != len_c || memcmp(a, c, len_a) != 0;
    }
    assert_true(differ > 950);
}

static void the_way_in_is_kept_most_of_the_time(void **unused)
{
    (void)unused;
    unsigned lost = 0;
    for (unsigned i = 0; i < 10000; i++) {
        uint8_t data[300] = {0};
        fuzz_mutate(data, size_of(5), sizeof data, i);
        lost += bytes_ways[data[HEADER_WAY] % WAY_TABLE_COUNT] != WAY_PASSIVE;
    }
    assert_in_range(lost, 1, 10000 / 20);
}

/* What a thousand mutations of plain segments come to: for each place of interest, whether somebody was there. */
static void numbers_come_to_lie_on_edges_and_beside_them(void **unused)
{
    (void)unused;
    static const struct { uint8_t base; int64_t offset; } places[] = {
        {BASE_NEXT, 0}, {BASE_NEXT, 1}, {BASE_NEXT, -1}, {BASE_EDGE, 0}, {BASE_EDGE, 1}, {BASE_EDGE, -1}, {BASE_UNA, -1},
        {BASE_FAR, INT64_C(1) << 31}, {BASE_FAR, (INT64_C(1) << 31) - 1}, {BASE_FAR, (INT64_C(1) << 31) + 1}};
    enum { PLACES = sizeof places / sizeof *places };
    unsigned seen[PLACES] = {0}, zero_windows = 0, waits = 0;
    for (unsigned i = 0; i < 60000; i++) {
        uint8_t data[300] = {0};
        const size_t size = fuzz_mutate(data, size_of(3), sizeof data, i);
        for (const uint8_t *r = data + HEADER; r < data + size; r += RECORD) {
            const uint8_t base = bytes_seq_bases[r[AT_HOW] & HOW_SEQ];
            const uint16_t octets = bytes_get16(r, AT_SEQ);
            for (unsigned k = 0; k < PLACES; k++)
                seen[k] += base == places[k].base && (uint32_t)(base == BASE_FAR ? bytes_far(octets) : (int16_t)octets) == (uint32_t)places[k].offset;
            zero_windows += (r[AT_HOW] & HOW_WINDOW) && bytes_get16(r, AT_WINDOW) == 0;
            waits += bytes_time_ns(r[AT_TIME]) >= 1000 * (int64_t)NS_PER_TICK;
        }
    }
    for (unsigned k = 0; k < PLACES; k++)
        assert_in_range(seen[k], 10, UINT32_MAX);
    assert_true(zero_windows > 100 && waits > 100);
}

static void every_operation_comes_about(void **unused)
{
    (void)unused;
    unsigned seen[OP_COUNT] = {0};
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t data[size_of(12)];
        const size_t size = fuzz_generate(data, sizeof data, 12, i);
        assert_true(is_whole(size));
        assert_true(scn_bytes_is_magic(data, size));
        for (const uint8_t *r = data + HEADER; r < data + size; r += RECORD)
            seen[bytes_ops[r[AT_OP] % OP_TABLE_COUNT]]++;
    }
    for (unsigned i = 0; i < OP_COUNT; i++)
        assert_in_range(seen[i], 20, UINT32_MAX);
    assert_true(seen[OP_SEGMENT] > 5000);
}

static void a_fresh_input_has_as_many_steps_as_asked_for_at_most(void **unused)
{
    (void)unused;
    size_t longest = 0;
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t data[size_of(20)];
        const size_t size = fuzz_generate(data, sizeof data, 7, i);
        longest = size > longest ? size : longest;
    }
    assert_int_equal(longest, size_of(7));
    uint8_t few[size_of(2) + 5];
    assert_int_equal(fuzz_generate(few, HEADER, 7, 1), 0);
    assert_true(fuzz_generate(few, sizeof few, 7, 1) <= size_of(2));
}

/* Records of a are marked 1, 2, 3 …, those of b 101, 102 … */
static void mark(uint8_t *data, size_t records, uint8_t first)
{
    memset(data, first, HEADER);
    for (size_t i = 0; i < records; i++)
        memset(data + size_of(i), (int)(first + 1 + i), RECORD);
}

static void a_crossing_has_whole_steps_of_both_in_their_order(void **unused)
{
    (void)unused;
    enum { OF_A = 9, OF_B = 7 };
    uint8_t a[HEADER + OF_A * RECORD], b[HEADER + OF_B * RECORD];
    unsigned of_both = 0;
    mark(a, OF_A, 0);
    mark(b, OF_B, 100);
    for (unsigned i = 0; i < 3000; i++) {
        uint8_t last[2] = {0};
        const size_t max = size_of(1 + i % 20) + i % 5;
        uint8_t *out = room(max);
        const size_t size = fuzz_cross_over(a, sizeof a, b, sizeof b, out, max, i);
        assert_true(size <= max && is_whole(size));
        assert_memory_equal(out, a, HEADER);
        for (const uint8_t *r = out + HEADER; r < out + size && *r; r += RECORD) {
            uint8_t *before = &last[*r > 100];
            assert_true(*r > *before && memcmp(r, r + 1, RECORD - 1) == 0);
            *before = *r;
        }
        of_both += last[0] && last[1];
        free(out);
    }
    assert_true(of_both > 1500);
}

static void nothing_crossed_with_nothing_is_one_empty_step(void **unused)
{
    (void)unused;
    uint8_t out[100], nothing[1] = {0};
    assert_int_equal(fuzz_cross_over(nothing, 0, nothing, 0, out, sizeof out, 1), size_of(1));
    assert_int_equal(fuzz_cross_over(nothing, 0, nothing, 0, out, 5, 1), 0);
    assert_int_equal(fuzz_cross_over(nothing, 1, nothing, 0, out, 5, 1), 1);
}

/* An input cut within a record is filled up with zeros, whatever stood behind it. */
static void what_is_missing_of_a_record_is_zeros(void **unused)
{
    (void)unused;
    uint8_t a[size_of(1) - 4], b[HEADER];
    memset(a, 0x11, sizeof a);
    memset(b, 0, sizeof b);
    unsigned filled = 0;
    for (unsigned i = 0; i < 200; i++) {
        uint8_t out[300];
        memset(out, 0xff, sizeof out);
        const size_t size = fuzz_cross_over(a, sizeof a, b, sizeof b, out, sizeof out, i);
        assert_int_equal(size, size_of(1));
        filled += out[HEADER] == 0x11;
        assert_true(out[size - 1] == 0 && out[size - 4] == 0 && (out[size - 5] == 0x11 || out[HEADER] == 0));
    }
    assert_true(filled > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_octets_become_whole_records_within_the_room_there_is),
        cmocka_unit_test(inputs_longer_than_the_format_reads_are_cut),
        cmocka_unit_test(the_same_seed_does_the_same),
        cmocka_unit_test(the_way_in_is_kept_most_of_the_time),
        cmocka_unit_test(numbers_come_to_lie_on_edges_and_beside_them),
        cmocka_unit_test(every_operation_comes_about),
        cmocka_unit_test(a_fresh_input_has_as_many_steps_as_asked_for_at_most),
        cmocka_unit_test(a_crossing_has_whole_steps_of_both_in_their_order),
        cmocka_unit_test(nothing_crossed_with_nothing_is_one_empty_step),
        cmocka_unit_test(what_is_missing_of_a_record_is_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Delta debugging: whatever is beside the point goes, whatever is needed stays, within the plays allowed. */
#include "engine/fuzz/shrink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "engine/scenario/bytes/layout.h"

enum { STEPS = 60, PLAYS = 4000 };

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static const uint8_t *record_of(const struct shrink_input *input, unsigned step)
{
    return input->octets + SCN_BYTES_HEADER_LEN + step * SCN_BYTES_RECORD_LEN;
}

static enum op op_of(const struct shrink_input *input, unsigned step)
{
    return (enum op)bytes_ops[record_of(input, step)[AT_OP] % OP_TABLE_COUNT];
}

/* "A close, and somewhere behind it a FIN with more than 100 octets, over IPv6": what the finding is about. */
static bool is_it(const struct shrink_input *input)
{
    bool closed = false;
    if (!(input->octets[HEADER_USE] & USE_IPV6))
        return false;
    for (unsigned i = 0; i < shrink_steps(input); i++) {
        const uint8_t *r = record_of(input, i);
        closed |= op_of(input, i) == OP_CLOSE;
        if (closed && op_of(input, i) == OP_SEGMENT && r[AT_FLAGS] == 2 && bytes_get16(r, AT_LEN) > 100)
            return true;
    }
    return false;
}

struct asked { size_t questions, inputs, longest; };

static size_t shows(void *context, const struct shrink_input *inputs, size_t count)
{
    struct asked *asked = context;
    size_t first = count;
    asked->questions++;
    asked->inputs += count;
    asked->longest = count > asked->longest ? count : asked->longest;
    for (size_t i = count; i-- > 0;)
        if (is_it(&inputs[i]))
            first = i;
    return first;
}

static struct shrink_input a_long_input_that_shows_it(uint64_t seed)
{
    struct shrink_input input = {.len = SCN_BYTES_HEADER_LEN + STEPS * SCN_BYTES_RECORD_LEN};
    for (size_t i = 0; i < input.len; i++)
        input.octets[i] = (uint8_t)next_random(&seed);
    input.octets[HEADER_USE] |= USE_IPV6;
    uint8_t *closing = input.octets + SCN_BYTES_HEADER_LEN + 17 * SCN_BYTES_RECORD_LEN, *fin = closing + 20 * SCN_BYTES_RECORD_LEN;
    closing[AT_OP] = OP_CLOSE + 64;
    fin[AT_OP] = OP_SEGMENT;
    fin[AT_FLAGS] = 2;
    bytes_put16(fin, AT_LEN, 1000);
    return input;
}

static void what_is_beside_the_point_goes(void **unused)
{
    static const size_t at_once[] = {1, 7, 64, 1000};
    (void)unused;
    for (size_t i = 0; i < sizeof at_once / sizeof *at_once; i++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct asked asked = {0};
            const struct shrink how = {.shows = shows, .context = &asked, .plays_max = PLAYS, .at_once_max = at_once[i]};
            struct shrink_input input = a_long_input_that_shows_it(seed);
            assert_true(is_it(&input));
            const size_t plays = shrink(&how, &input);
            assert_true(is_it(&input));
            assert_int_equal(shrink_steps(&input), 2);
            assert_int_equal(input.octets[HEADER_USE], USE_IPV6);
            const uint8_t *closing = record_of(&input, 0), *fin = record_of(&input, 1);
            assert_int_equal(closing[AT_OP], OP_CLOSE); /* its plain place in the table */
            for (unsigned at = AT_WHO; at < SCN_BYTES_RECORD_LEN; at++)
                if (closing[at] || (at != AT_FLAGS && at != AT_LEN && at != AT_LEN + 1 && fin[at]))
                    fail_msg("octet %u of a record was left, of seed %d", at, (int)seed);
            assert_in_range(bytes_get16(fin, AT_LEN), 101, 201); /* halved as long as it shows */
            assert_true(plays < PLAYS / 4 && asked.longest <= at_once[i]);
        }
}

static void plays_are_bounded(void **unused)
{
    struct asked asked = {0};
    const struct shrink how = {.shows = shows, .context = &asked, .plays_max = 10, .at_once_max = 4};
    struct shrink_input input = a_long_input_that_shows_it(1);
    (void)unused;
    assert_in_range(shrink(&how, &input), 10, 14);
    assert_true(is_it(&input));
}

static size_t never_shows(void *context, const struct shrink_input *inputs, size_t count)
{
    (void)context, (void)inputs;
    return count;
}

static void what_never_shows_again_stays_as_it_was(void **unused)
{
    const struct shrink how = {.shows = never_shows, .plays_max = PLAYS, .at_once_max = 16};
    struct shrink_input input = a_long_input_that_shows_it(3);
    const struct shrink_input before = input;
    (void)unused;
    shrink(&how, &input);
    assert_int_equal(input.len, before.len);
    assert_memory_equal(input.octets, before.octets, before.len);
}

static void octets_are_made_whole_records(void **unused)
{
    static const struct { size_t len, whole; } rows[] = {{0, 8}, {5, 8}, {8, 8}, {9, 32}, {32, 32}, {33, 56}, {SCN_BYTES_MAX, SCN_BYTES_MAX}};
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct shrink_input input = {.len = rows[i].len};
        memset(input.octets, 0xa5, sizeof input.octets);
        shrink_tidy(&input);
        assert_int_equal(input.len, rows[i].whole > 8 || rows[i].len > 8 ? rows[i].whole : 8);
        assert_true(scn_bytes_is_magic(input.octets, input.len));
        if (rows[i].len == 9)
            assert_int_equal(input.octets[9], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_beside_the_point_goes), cmocka_unit_test(plays_are_bounded),
        cmocka_unit_test(what_never_shows_again_stays_as_it_was), cmocka_unit_test(octets_are_made_whole_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

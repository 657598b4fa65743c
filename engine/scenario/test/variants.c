/* Sub-tests: how many there are, in which order, with which values, and that their names are distinct. */
#include "engine/scenario/test/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct scn_variant variant_of(const struct scenario *scenario, unsigned index, struct scn_value values[static 8])
{
    struct scn_variant variant;
    assert_true(scenario->variable_count <= 8);
    scn_variant(scenario, index, &variant, values);
    return variant;
}

static void the_ip_version_is_slowest_and_the_last_table_fastest(void **state)
{
    static const struct { uint8_t version; const char *suffix; int64_t flags, n, m; } rows[] = {
        { 4, "/ipv4/flags=S,n=0,m=7", PKT_SYN, 0, 7 },
        { 4, "/ipv4/flags=S,n=0,m=8", PKT_SYN, 0, 8 },
        { 4, "/ipv4/flags=FS.,n=-1,m=7", PKT_SYN | PKT_FIN | PKT_ACK, -1, 7 },
        { 4, "/ipv4/flags=FS.,n=-1,m=8", PKT_SYN | PKT_FIN | PKT_ACK, -1, 8 },
        { 6, "/ipv6/flags=S,n=0,m=7", PKT_SYN, 0, 7 },
        { 6, "/ipv6/flags=S,n=0,m=8", PKT_SYN, 0, 8 },
        { 6, "/ipv6/flags=FS.,n=-1,m=7", PKT_SYN | PKT_FIN | PKT_ACK, -1, 7 },
        { 6, "/ipv6/flags=FS.,n=-1,m=8", PKT_SYN | PKT_FIN | PKT_ACK, -1, 8 },
    };
    struct scenario *s = parse_portable("each $flags, $n in (S, 0), (SF., -1)\neach $m in 7, 8\nlet $other = 1\n");
    (void)state;
    assert_int_equal(scn_variant_count(s), ARRAY_LEN(rows));
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct scn_value values[8];
        const struct scn_variant v = variant_of(s, i, values);
        assert_int_equal(v.ip_version, rows[i].version);
        assert_int_equal(values[0].kind, SCN_VALUE_FLAGS);
        assert_int_equal(values[0].number, rows[i].flags);
        assert_int_equal(values[1].number, rows[i].n);
        assert_int_equal(values[2].number, rows[i].m);
        assert_int_equal(values[3].kind, SCN_VALUE_UNSET);
        assert_string_equal(v.suffix, rows[i].suffix);
    }
    scn_free(s);
}

static void without_tables_there_is_a_sub_test_for_each_ip_version(void **state)
{
    static const struct { const char *text; unsigned count; uint8_t first; const char *suffix; } rows[] = {
        { "//: title T\n", 2, 4, "/ipv4" },
        { "//: title T\n//: ip both\n", 2, 4, "/ipv4" },
        { "//: title T\n//: ip 4\n", 1, 4, "" },
        { "//: title T\n//: ip 6\n", 1, 6, "" },
        { "//: title T\n//: ip 6\neach $n in 1, 2\n", 2, 6, "/n=1" },
        { "+0 < S 0:0(0) win 5\n", 1, 4, "" },
        { "--ip_version=ipv6\n", 1, 6, "" },
        { "--ip_version=ipv4-mapped-ipv6\n", 1, 4, "" },
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct scenario *s = parse_text(rows[i].text);
        struct scn_value values[8];
        assert_int_equal(scn_variant_count(s), rows[i].count);
        const struct scn_variant v = variant_of(s, 0, values);
        assert_int_equal(v.ip_version, rows[i].first);
        assert_string_equal(v.suffix, rows[i].suffix);
        scn_free(s);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void assert_names_are_distinct(const char *steps, unsigned count)
{
    struct scenario *s = parse_portable(steps);
    assert_int_equal(scn_variant_count(s), count);
    struct scn_value *values = calloc(s->variable_count, sizeof *values);
    char(*names)[160] = calloc(count, sizeof *names);
    assert_true(values && names);
    for (unsigned i = 0; i < count; i++) {
        struct scn_variant v;
        scn_variant(s, i, &v, values);
        assert_true(strlen(v.suffix) < sizeof *names);
        assert_true(strspn(v.suffix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-=,~/") == strlen(v.suffix));
        memcpy(names[i], v.suffix, strlen(v.suffix) + 1);
    }
    qsort(names, count, sizeof *names, by_text);
    for (unsigned i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            fail_msg("two sub-tests are named %s", names[i]);
    free(names);
    free(values);
    scn_free(s);
}

static void names_are_distinct_whatever_the_values_are(void **state)
{
    (void)state;
    assert_names_are_distinct("each $s in \"a b\", \"a/b\", \"a=b\", \"a,b\", \"a\\x00b\", \"a_b\", \"\", \"\\xff\"\n", 16);
    assert_names_are_distinct("each $a, $b in (\"x\", 1), (\"x\", 2), (\"x_1\", 1)\neach $n in 1, 1, 1\n", 18);
    assert_names_are_distinct("each $a in 1, 2\neach $b in \"1,b\", \"1\"\neach $c in S, S., -\n", 24);
    assert_names_are_distinct(
        "each $a in \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2\"\n",
        4);
}

static void a_value_is_cut_after_40_characters(void **state)
{
    struct scenario *s = parse_portable(
        "//: ip 4\neach $a in \"1234567890123456789012345678901234567890\", \"123456789012345678901234567890123456789012\"\n");
    struct scn_value values[8];
    (void)state;
    assert_string_equal(variant_of(s, 0, values).suffix, "/a=1234567890123456789012345678901234567890~1");
    assert_string_equal(variant_of(s, 1, values).suffix, "/a=1234567890123456789012345678901234567890~2");
    scn_free(s);
}

static void names_too_long_become_numbers(void **state)
{
    struct scenario *s;
    struct scn_value values[8];
    (void)state;
    s = parse_portable("//: ip 4\n"
                       "each $aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa in \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"b\"\n"
                       "each $bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb in \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"b\"\n");
    assert_string_equal(variant_of(s, 0, values).suffix, "/case-1");
    assert_non_null(strstr(variant_of(s, 3, values).suffix, "=b,"));
    scn_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ip_version_is_slowest_and_the_last_table_fastest),
        cmocka_unit_test(without_tables_there_is_a_sub_test_for_each_ip_version),
        cmocka_unit_test(names_are_distinct_whatever_the_values_are),
        cmocka_unit_test(a_value_is_cut_after_40_characters),
        cmocka_unit_test(names_too_long_become_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

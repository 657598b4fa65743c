/* The requirement catalogue holds what the RFCs hold, and is found again by id. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/catalogue.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* "RFC9293:3.6-d": a sentence without a label; those that have one begin with a letter. */
static bool is_rule(const struct requirement *r)
{
    return isdigit((unsigned char)r->id[strlen("RFC9293:")]);
}

static void every_label_of_rfc_9293_is_there(void **state)
{
    (void)state;
    static const struct { const char *family; unsigned last; } families[] = {
        { "MUST", 69 }, { "SHLD", 31 }, { "MAY", 18 }, { "REC", 1 },
    };
    unsigned labels = 0;
    for (size_t f = 0; f < ARRAY_LEN(families); f++) {
        for (unsigned n = 1; n <= families[f].last; n++, labels++) {
            char id[32];
            snprintf(id, sizeof id, "RFC9293:%s-%u", families[f].family, n);
            if (!requirement_find(id))
                fail_msg("%s is missing", id);
        }
    }
    assert_int_equal(labels, 119);

    size_t cursor = 0, entries = 0;
    for (const struct requirement *r; (r = requirement_next("RFC9293:", &cursor));)
        entries += !is_rule(r);
    assert_int_equal(entries, 119);
}

static void the_companions_are_there(void **state)
{
    (void)state;
    size_t companions = 0;
    for (size_t i = 0; i < requirement_count(); i++)
        companions += strncmp(requirement_at(i)->id, "RFC9293:", 8) != 0;
    assert_int_equal(companions, 582);
}

static void ids_are_unique_and_in_order(void **state)
{
    (void)state;
    for (size_t i = 1; i < requirement_count(); i++)
        if (strverscmp(requirement_at(i - 1)->id, requirement_at(i)->id) >= 0)
            fail_msg("%s does not come before %s", requirement_at(i - 1)->id, requirement_at(i)->id);
}

static void every_entry_is_whole_and_found_by_its_id(void **state)
{
    (void)state;
    for (size_t i = 0; i < requirement_count(); i++) {
        const struct requirement *r = requirement_at(i);
        enum requirement_level level = LEVEL_UNSTATED;
        if (requirement_find(r->id) != r)
            fail_msg("%s is not found", r->id);
        if (!*r->section || !*r->text || !*r->observable)
            fail_msg("%s has an empty field", r->id);
        if (r->level == LEVEL_UNSTATED || !requirement_level_parse(requirement_level_text(r->level), &level) || level != r->level)
            fail_msg("%s has the level %d", r->id, (int)r->level);
    }
}

/* RFC 9293 Appendix B knows MUST and SHLD; which of them are prohibitions stands in the sentences alone. */
static void levels_are_those_of_the_sentences(void **state)
{
    (void)state;
    static const struct { const char *id; enum requirement_level level; } rows[] = {
        { "RFC9293:MUST-10", LEVEL_MUST },         { "RFC9293:MUST-9", LEVEL_MUST_NOT },
        { "RFC9293:MUST-55", LEVEL_MUST },         { "RFC9293:MUST-56", LEVEL_MUST_NOT },
        { "RFC9293:MUST-60", LEVEL_MUST_NOT },     { "RFC9293:MUST-61", LEVEL_MUST },
        { "RFC9293:SHLD-14", LEVEL_SHOULD_NOT },   { "RFC9293:SHLD-15", LEVEL_SHOULD_NOT },
        { "RFC9293:SHLD-16", LEVEL_SHOULD },       { "RFC9293:SHLD-25", LEVEL_SHOULD },
        { "RFC9293:MAY-18", LEVEL_MAY },           { "RFC9293:REC-1", LEVEL_SHOULD },
        { "RFC1122:3.2.1.7-a", LEVEL_MUST_NOT },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct requirement *r = requirement_find(rows[i].id);
        assert_non_null(r);
        if (r->level != rows[i].level)
            fail_msg("%s is a %s", r->id, requirement_level_text(r->level));
    }
}

static void a_label_used_twice_keeps_both_sections(void **state)
{
    (void)state;
    const struct requirement *r = requirement_find("RFC9293:SHLD-13");
    assert_non_null(r);
    assert_string_equal(r->section, "3.8.5, 3.9.1.2");
    assert_non_null(strstr(r->text, "§3.8.5: As a result"));
    assert_non_null(strstr(r->text, "§3.9.1.2: New applications"));
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    static const char *const ids[] = { "", "RFC9293", "RFC9293:MUST-0", "RFC9293:MUST-70", "RFC9293:MUST-010", "rfc9293:MUST-10",
                                       "RFC9293:MUST-1 ", "ZZZ", "\xff" };
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        if (requirement_find(ids[i]))
            fail_msg("found \"%s\"", ids[i]);
}

static void a_prefix_gives_its_entries_in_order(void **state)
{
    (void)state;
    size_t cursor = 0;
    assert_string_equal(requirement_next("RFC1337:", &cursor)->id, "RFC1337:1-a");
    unsigned more = 0;
    while (requirement_next("RFC1337:", &cursor))
        more++;
    assert_int_equal(more, 2);
    cursor = 0;
    assert_null(requirement_next("nothing starts so", &cursor));
    size_t all = 0;
    for (cursor = 0; requirement_next("", &cursor);)
        all++;
    assert_int_equal(all, requirement_count());
}

static void untestable_ones_say_why(void **state)
{
    (void)state;
    assert_true(requirement_is_testable(requirement_find("RFC9293:MUST-10")));
    const struct requirement *r = requirement_find("RFC9293:REC-1");
    assert_false(requirement_is_testable(r));
    assert_string_equal(r->observable, "internal: width of the variables in the connection record");
}

static void synonyms_of_the_levels_are_read(void **state)
{
    (void)state;
    enum requirement_level level = LEVEL_RULE;
    assert_true(requirement_level_parse("", &level));
    assert_int_equal(level, LEVEL_UNSTATED);
    assert_true(requirement_level_parse("NOT RECOMMENDED", &level));
    assert_int_equal(level, LEVEL_SHOULD_NOT);
    assert_false(requirement_level_parse("must", &level));
    assert_true(requirement_level_is_should(LEVEL_SHOULD_NOT));
    assert_false(requirement_level_is_should(LEVEL_MUST_NOT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_label_of_rfc_9293_is_there),
        cmocka_unit_test(the_companions_are_there),
        cmocka_unit_test(ids_are_unique_and_in_order),
        cmocka_unit_test(every_entry_is_whole_and_found_by_its_id),
        cmocka_unit_test(levels_are_those_of_the_sentences),
        cmocka_unit_test(a_label_used_twice_keeps_both_sections),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(a_prefix_gives_its_entries_in_order),
        cmocka_unit_test(untestable_ones_say_why),
        cmocka_unit_test(synonyms_of_the_levels_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

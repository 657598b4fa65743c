/* The tables of other suites' tests (tests-suite/mappings/): whatever they name is there, and each of their ids can be found. */
#include <string.h>

#include "engine/runner/mapping.h"
#include "engine/runner/suite.h"
#include "engine/scenario/matrix/matrix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The whole suite, and every case of the matrix. */
static int load_everything(void **state)
{
    static struct suite suite;
    char error[512];
    suite = (struct suite){0};
    *state = &suite;
    if (suite_load_folder(&suite, TCPASSAY_SOURCE_DIR "/tests-suite", error, sizeof error))
        return -1;
    for (unsigned way = 0; way < matrix_way_count(); way++) {
        struct scn_diagnostics diagnostics;
        struct scenario *scenario = matrix_scenario(way, &diagnostics);
        if (!scenario || suite_add(&suite, matrix_way_name(way), scenario, error, sizeof error))
            return -1;
    }
    return suite_expand(&suite, error, sizeof error);
}

static int release_everything(void **state)
{
    suite_release(*state);
    return 0;
}

static bool means_something(const char *selector, const struct suite *suite)
{
    const size_t literal = strcspn(selector, "*?[:"); /* most tests can be passed over quickly */
    for (size_t i = 0; i < suite->test_count; i++)
        if ((selector[literal] == ':' || !strncmp(selector, suite->tests[i].id, literal)) &&
            suite_selects(selector, &suite->tests[i]))
            return true;
    return false;
}

static void every_selector_of_every_row_means_a_test(void **state)
{
    unsigned missing = 0, selectors = 0;
    char selector[MAPPING_SELECTOR_MAX];
    for (size_t i = 0; i < mapping_count(); i++)
        for (const char *tests = mapping_at(i)->tests; mapping_selector(&tests, selector); selectors++)
            if (!means_something(selector, *state)) {
                print_error("%s: there is no %s\n", mapping_at(i)->id, selector);
                missing++;
            }
    assert_int_equal(missing, 0);
    assert_true(selectors > 500);
}

static void a_selector_of_a_row_is_never_one_of_another_suite(void **state)
{
    (void)state;
    char selector[MAPPING_SELECTOR_MAX];
    for (size_t i = 0; i < mapping_count(); i++)
        for (const char *tests = mapping_at(i)->tests; mapping_selector(&tests, selector);)
            assert_false(mapping_is_meant(selector));
}

static void ids_are_unique_ordered_and_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < mapping_count(); i++) {
        const struct mapping *row = mapping_at(i);
        assert_true(i == 0 || strverscmp(mapping_at(i - 1)->id, row->id) < 0);
        assert_ptr_equal(mapping_find(row->id), row);
        assert_true(mapping_is_meant(row->id));
        assert_non_null(mapping_certainty(row->certainty));
        assert_true(*row->tests || *row->note);
    }
    assert_null(mapping_find("tc8/TCP_UNACCEPTABLE"));
    assert_null(mapping_find(""));
}

static void a_whole_row_means_what_its_selectors_mean(void **state)
{
    const struct suite *suite = *state;
    const struct mapping *row = mapping_find("tc8/TCP_FLAGS_PROCESSING_02");
    assert_non_null(row);
    unsigned meant = 0;
    for (size_t i = 0; i < suite->test_count; i += 7) { /* all of them take long */
        char selector[MAPPING_SELECTOR_MAX];
        bool by_selector = false;
        for (const char *tests = row->tests; mapping_selector(&tests, selector);)
            by_selector |= suite_selects(selector, &suite->tests[i]);
        assert_int_equal(by_selector, suite_selects(row->id, &suite->tests[i]));
        assert_int_equal(by_selector, suite_stands_for(row, suite->tests[i].id, suite->tests[i].file->scenario));
        meant += by_selector;
    }
    assert_true(meant > 0 && meant < suite->test_count);
}

static unsigned rows_of(const char *selector)
{
    unsigned rows = 0;
    size_t cursor = 0;
    while (mapping_next(selector, &cursor))
        rows++;
    return rows;
}

static void a_prefix_and_a_glob_mean_several_rows(void **state)
{
    (void)state;
    assert_int_equal(rows_of("tc8") + rows_of("freebsd") + rows_of("packetimpact"), mapping_count());
    assert_int_equal(rows_of("tc8/TCP_UNACCEPTABLE_04"), 1);
    assert_int_equal(rows_of("tc8/TCP_UNACCEPTABLE"), 14);
    assert_int_equal(rows_of("tc8/TCP_*_04"), rows_of("tc8/*_04"));
    assert_int_equal(rows_of("tc8/TCP_UNACCEPTABLE_0"), 0); /* ends in a part */
    assert_int_equal(rows_of("TCP_UNACCEPTABLE_04"), 0);
    assert_int_equal(rows_of("rfc9293/3.5"), 0);
    assert_int_equal(rows_of("*"), 0);
    assert_false(mapping_is_meant("*"));
    assert_false(mapping_is_meant("tc80/TCP"));
    assert_true(mapping_is_meant("freebsd/nothing"));
    assert_null(mapping_certainty("perhaps"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_selector_of_every_row_means_a_test),
        cmocka_unit_test(a_selector_of_a_row_is_never_one_of_another_suite),
        cmocka_unit_test(ids_are_unique_ordered_and_found),
        cmocka_unit_test(a_whole_row_means_what_its_selectors_mean),
        cmocka_unit_test(a_prefix_and_a_glob_mean_several_rows),
    };
    return cmocka_run_group_tests(tests, load_everything, release_everything);
}

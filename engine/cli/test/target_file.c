/* Target files: what they say, and what is said of those that say it wrong. */
#include "engine/cli/target_file.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct row { const char *text, *expected; };

static void is_what_could_stand_on_the_command_line(void **state)
{
    static const struct row rows[] = {
        {"target = linux\n", "linux"},
        {"target=saboteur:syn-once,linux", "saboteur:syn-once,linux"},
        {"# the board\n\n  target = remote:192.0.2.2  \r\n\tiut = 192.0.2.2/24\n tester\t=192.0.2.100+50\n",
         "remote:192.0.2.2,iut=192.0.2.2/24,tester=192.0.2.100+50"},
        {"target = tap:tap0\ndescription = a, b, and c\n", "tap:tap0,description=a\\, b\\, and c"},
        {"target = remote:h\nagent = 192.0.2.2\nkey = board.key\n", "remote:h,agent=192.0.2.2,key=there/board.key"},
        {"target = remote:h\nagent = 192.0.2.2\nkey = /etc/board.key\n", "remote:h,agent=192.0.2.2,key=/etc/board.key"},
        {"target = tap:t\nledger = linux\n", "tap:t,ledger=linux"},
        {"target = tap:t\nledger = my.json\n", "tap:t,ledger=there/my.json"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target_error error = {0};
        char *read = target_file_read("x.target", "there", rows[i].text, strlen(rows[i].text), &error);
        if (!read)
            fail_msg("%s: %s", rows[i].text, error.text);
        assert_string_equal(read, rows[i].expected);
        free(read);
    }
}

static void says_where_it_is_wrong(void **state)
{
    static const struct row rows[] = {
        {"", "x.target: there is no target in it"},
        {"# nothing\n", "x.target: there is no target in it"},
        {"target linux", "x.target:1: expected KEY = VALUE"},
        {"\n\niut = 192.0.2.2\n", "x.target:3: the first key is target"},
        {"target = linux\niut = 192.0.2.2\n", "x.target:2: this target takes no keys"},
        {"target = tap:t\ntarget = tap:u\n", "x.target:2: target stands twice"},
        {"target = tap:t,iut=192.0.2.2\n", "x.target:1: target is what stands before the first comma"},
        {"target = tap:t\niut = 192.0.2\n", "x.target:2: iut=192.0.2: expected iut=ADDR"},
        {"target = tap:t\n\niutt = 192.0.2.2\n", "x.target:3: there is no key \"iutt\": did you mean iut=?"},
        {"target = tap:t\nmtu = 1500\nmtu = 1500\n", "x.target:3: mtu= stands twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target_error error = {0};
        assert_null(target_file_read("x.target", ".", rows[i].text, strlen(rows[i].text), &error));
        if (strncmp(error.text, rows[i].expected, strlen(rows[i].expected)))
            fail_msg("%s: \"%s\" instead of \"%s\"", rows[i].text, error.text, rows[i].expected);
        assert_int_equal(error.kind, TARGET_ERR_USAGE);
    }
}

static void octets_that_are_no_text_are_refused(void **state)
{
    struct target_error error = {0};
    static const char zero[] = "target = linux\0\n";
    (void)state;
    assert_null(target_file_read("x", ".", zero, sizeof zero - 1, &error));
    char *large = malloc(TARGET_FILE_MAX + 1);
    assert_non_null(large);
    memset(large, '#', TARGET_FILE_MAX + 1);
    assert_null(target_file_read("x", ".", large, TARGET_FILE_MAX + 1, &error));
    free(large);
}

static void a_name_is_a_file_by_its_ending_only(void **state)
{
    (void)state;
    assert_true(target_file_is_meant("board.target"));
    assert_true(target_file_is_meant("there/board.target"));
    assert_false(target_file_is_meant("board"));
    assert_false(target_file_is_meant(".target"));
    assert_false(target_file_is_meant("plugin:x.target"));
    assert_null(target_file_find("no-such-board"));
    assert_null(target_file_find("../etc/passwd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_could_stand_on_the_command_line), cmocka_unit_test(says_where_it_is_wrong),
        cmocka_unit_test(octets_that_are_no_text_are_refused), cmocka_unit_test(a_name_is_a_file_by_its_ending_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Ids, selectors, ledgers and the virtual scheduler's verdicts that need no play. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine/runner/ledger.h"
#include "engine/runner/schedule.h"
#include "engine/runner/test/puppet.h"

static char folder[] = "/tmp/tcpassay-suite-test.XXXXXX";

static void put(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(path, 0777);
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    put("rfc9293/3.5-establishing/one.pkt", "//: title one\n//: covers RFC9293:MUST-10\n0 < S 0:0(0)\n");
    put("rfc9293/3.5.2-reset-generation/two.pkt", "//: title two\n//: ip 4\n//: needs virtual-time\n0 < S 0:0(0)\n");
    put("rfc9293/3.51-nothing/three.pkt", "//: title three\n//: ip 6\n//: needs disruptive\n0 < S 0:0(0)\n");
    put("rfc5961/3-rst/broken.pkt", "//: title broken\n0 < nonsense nonsense\n");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void load(struct suite *suite)
{
    char error[256];
    *suite = (struct suite){0};
    assert_int_equal(suite_load_folder(suite, folder, error, sizeof error), 0);
    assert_int_equal(suite_expand(suite, error, sizeof error), 0);
}

static void ids_come_from_folders_without_their_titles(void **state)
{
    (void)state;
    static const char *const ids[] = {"rfc9293/3.5.2/two", "rfc9293/3.5/one/ipv4", "rfc9293/3.5/one/ipv6", "rfc9293/3.51/three"};
    struct suite suite;
    load(&suite);
    assert_int_equal(suite.file_count, 4);
    assert_int_equal(suite.test_count, 4);
    for (size_t i = 0; i < 4; i++) {
        bool found = false;
        for (size_t t = 0; t < suite.test_count; t++)
            found |= !strcmp(suite.tests[t].id, ids[i]);
        if (!found)
            fail_msg("no test is called %s", ids[i]);
    }
    suite_release(&suite);
}

static void selectors_mean_ids_prefixes_globs_and_requirements(void **state)
{
    (void)state;
    static const struct { const char *selector; size_t tests; } rows[] = {
        {"rfc9293", 4}, {"rfc9293/3.5", 3}, {"rfc9293/3.5/", 2}, {"rfc9293/3.5/one", 2}, {"rfc9293/3.5/one/ipv6", 1}, {"rfc9293/3.51", 1},
        {"rfc929", 0}, {"*/ipv4", 1}, {"*", 4}, {"covers:RFC9293:MUST-10", 2}, {"covers:RFC9293:MUST-1", 0}, {"covers:RFC9293", 2}, {"", 0},
    };
    struct suite suite;
    load(&suite);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count = 0;
        for (size_t t = 0; t < suite.test_count; t++)
            count += suite_selects(rows[i].selector, &suite.tests[t]);
        if (count != rows[i].tests)
            fail_msg("\"%s\" means %zu tests, not %zu", rows[i].selector, count, rows[i].tests);
    }
    suite_release(&suite);
}

static void two_tests_of_one_name_are_refused(void **state)
{
    (void)state;
    char error[512], path[256];
    struct suite suite = {0};
    snprintf(path, sizeof path, "%s/rfc9293/3.5-establishing/one.pkt", folder);
    assert_int_equal(suite_load_file(&suite, path, error, sizeof error), 0);
    assert_int_equal(suite_load_file(&suite, path, error, sizeof error), 0);
    assert_int_equal(suite_expand(&suite, error, sizeof error), -1);
    assert_non_null(strstr(error, "two tests are called"));
    suite_release(&suite);
}

/* What the ledger says of a test that fails by these two findings; a rule of NULL is no finding. */
static const char *known(const struct ledger *ledger, const char *id, struct result_finding first, struct result_finding second)
{
    const struct result_finding findings[] = {first, second};
    const struct result_test test = {
        .id = id, .verdict = VERDICT_FAIL, .findings = findings, .finding_count = (first.rule ? 1u : 0u) + (second.rule ? 1u : 0u)};
    return ledger_find(ledger, &test, false);
}

static const struct result_finding none = {0}, own = {.rule = "expect", .requirement = "RFC9293:MUST-1", .level = LEVEL_MUST};

static void a_ledger_knows_tests_by_id_prefix_or_glob(void **state)
{
    (void)state;
    char path[256], error[256];
    put("ledger.json", "[{\"test\":\"rfc9293/3.5/one\",\"requirement\":\"r\",\"summary\":\"why\",\"evidence\":\"e\",\"rfc\":\"t\"},"
                       "{\"test\":\"*/two\",\"requirement\":\"r\",\"summary\":\"glob\",\"evidence\":\"e\",\"rfc\":\"t\"}]");
    snprintf(path, sizeof path, "%s/ledger.json", folder);
    struct ledger *ledger = ledger_read(path, error, sizeof error);
    assert_non_null(ledger);
    assert_string_equal(known(ledger, "rfc9293/3.5/one/ipv4", own, none), "why");
    assert_string_equal(known(ledger, "rfc9293/3.5.2/two", none, none), "glob");
    assert_null(known(ledger, "rfc9293/3.5/one-more", own, none));
    assert_string_equal(ledger_find(ledger, &(struct result_test){.id = "rfc9293/3.5/one/ipv4", .verdict = VERDICT_PASS}, false), "why");
    ledger_free(ledger);
    ledger = ledger_read("/nonexistent/ledger.json", error, sizeof error);
    assert_non_null(ledger);
    assert_null(known(ledger, "anything", own, none));
    ledger_free(ledger);
}

static void a_ledger_knows_what_the_model_finds_by_rule_and_every_finding_must_be_known(void **state)
{
    (void)state;
    static const struct result_finding shrunk = {.rule = "ack-below-rcv-nxt", .requirement = "RFC9293:3.4-c", .level = LEVEL_RULE},
                                       reset = {.rule = "rst-numbers", .requirement = "RFC9293:3.5.2-b", .level = LEVEL_RULE},
                                       gap = {.rule = "gap-in-sequence", .requirement = "RFC9293:3.4-b", .level = LEVEL_RULE},
                                       should = {.rule = "window-shrunk", .requirement = "RFC9293:SHLD-14", .level = LEVEL_SHOULD_NOT};
    const struct { const char *id; struct result_finding first, second; const char *known; } rows[] = {
        {"any/test/ipv4", shrunk, none, "everywhere"},
        {"any/test/ipv4", shrunk, gap, NULL},
        {"any/test/ipv4", shrunk, should, "everywhere"},
        {"any/test/ipv4", reset, none, NULL},
        {"here/one/ipv4", reset, none, "here"},
        {"here/one/ipv4", reset, shrunk, "here"},
        {"here/one/ipv4", reset, own, NULL},
        {"any/test/ipv4", own, none, NULL},
        {"listed/one/ipv4", own, none, "by test"},
        {"listed/one/ipv4", own, reset, NULL}, /* a new finding in a test that fails for another reason */
        {"listed/one/ipv4", own, gap, "by test"}, /* charged to the entry's requirement */
    };
    char path[256], error[256];
    put("ledger.json",
        "[{\"rule\":\"ack-below-rcv-nxt\",\"requirement\":\"r\",\"summary\":\"everywhere\",\"evidence\":\"e\",\"rfc\":\"t\"},"
        "{\"rule\":\"rst-numbers\",\"test\":\"here\",\"requirement\":\"r\",\"summary\":\"here\",\"evidence\":\"e\",\"rfc\":\"t\"},"
        "{\"test\":\"listed/*\",\"requirement\":\"RFC9293:3.4-b\",\"summary\":\"by test\",\"evidence\":\"e\",\"rfc\":\"t\"}]");
    snprintf(path, sizeof path, "%s/ledger.json", folder);
    struct ledger *ledger = ledger_read(path, error, sizeof error);
    if (!ledger)
        fail_msg("%s", error);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *says = known(ledger, rows[i].id, rows[i].first, rows[i].second);
        if (!says != !rows[i].known || (says && strcmp(says, rows[i].known)))
            fail_msg("row %zu: %s", i, says ? says : "not known");
    }
    const struct result_test strict = {.id = "any", .verdict = VERDICT_FAIL, .findings = &should, .finding_count = 1};
    assert_null(ledger_find(ledger, &strict, true));
    assert_null(ledger_find(ledger, &(struct result_test){.id = "any", .verdict = VERDICT_PASS}, false));
    ledger_free(ledger);
}

static void a_wrong_ledger_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } rows[] = {
        {"[{]", ":1: "}, {"{}", "array"}, {"[{\"test\":\"x\"}]", "entry 1 has no \"requirement\""}, {"[5]", "entry 1"},
        {"[{\"requirement\":\"r\",\"summary\":\"s\",\"evidence\":\"e\",\"rfc\":\"t\"}]", "entry 1 has neither a \"test\" nor a \"rule\""},
        {"[{\"rule\":\"no-such\",\"requirement\":\"r\",\"summary\":\"s\",\"evidence\":\"e\",\"rfc\":\"t\"}]", "entry 1 names the rule \"no-such\""}};
    char path[256], error[256];
    snprintf(path, sizeof path, "%s/ledger.json", folder);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put("ledger.json", rows[i].text);
        assert_null(ledger_read(path, error, sizeof error));
        if (!strstr(error, rows[i].says))
            fail_msg("%s: said \"%s\"", rows[i].text, error);
    }
}

/* ---- the virtual scheduler */

static struct target *open_puppet(const char *argument, const struct target_config *config, struct target_error *error)
{
    static const struct puppet_script silent;
    if (config->setting_count && !strcmp(config->settings[0].name, "unheard-of")) {
        *error = (struct target_error){.kind = TARGET_ERR_UNSUPPORTED, .text = "no such setting here"};
        return NULL;
    }
    if (!strcmp(argument, "broken")) {
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "the device is gone"};
        return NULL;
    }
    return &puppet_new(&silent)->target;
}
static const struct target_driver puppet_driver = {.name = "puppet", .summary = "", .many = true, .virtual_time = true, .open = open_puppet};

struct seen_verdicts { unsigned count[VERDICT_COUNT]; char reason[256]; int stop_after; };
static int count_verdict(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct seen_verdicts *seen = context;
    (void)test, (void)player;
    seen->count[result->verdict]++;
    if (result->verdict == VERDICT_NOT_APPLICABLE)
        snprintf(seen->reason, sizeof seen->reason, "%s", result->reason);
    return seen->stop_after && --seen->stop_after == 0;
}

static enum schedule_end play_suite(struct suite *suite, const char *argument, bool disruption, volatile sig_atomic_t *interrupted,
                                    struct seen_verdicts *seen)
{
    const struct suite_test *tests[16];
    struct target_error error = {0};
    for (size_t i = 0; i < suite->test_count; i++)
        tests[i] = &suite->tests[i];
    struct schedule s = {.driver = &puppet_driver, .argument = argument, .tests = tests, .test_count = suite->test_count,
                         .disruption_allowed = disruption, .interrupted = interrupted, .finished = count_verdict, .context = seen};
    return schedule_run(&s, &error);
}

static void each_test_gets_a_verdict_and_disruptive_ones_must_be_asked_for(void **state)
{
    (void)state;
    volatile sig_atomic_t interrupted = 0;
    struct suite suite;
    struct seen_verdicts seen = {0};
    load(&suite);
    assert_int_equal(play_suite(&suite, "", false, &interrupted, &seen), SCHEDULE_DONE);
    assert_int_equal(seen.count[VERDICT_PASS], 3);
    assert_int_equal(seen.count[VERDICT_NOT_APPLICABLE], 1);
    assert_non_null(strstr(seen.reason, "disruptive"));
    seen = (struct seen_verdicts){0};
    assert_int_equal(play_suite(&suite, "", true, &interrupted, &seen), SCHEDULE_DONE);
    assert_int_equal(seen.count[VERDICT_PASS], 4);
    suite_release(&suite);
}

static void a_schedule_ends_early_for_its_reasons(void **state)
{
    (void)state;
    volatile sig_atomic_t interrupted = 0;
    struct suite suite;
    struct seen_verdicts seen = {.stop_after = 2};
    load(&suite);
    assert_int_equal(play_suite(&suite, "", true, &interrupted, &seen), SCHEDULE_STOPPED);
    assert_int_equal(seen.count[VERDICT_PASS], 2);
    seen = (struct seen_verdicts){0};
    assert_int_equal(play_suite(&suite, "broken", true, &interrupted, &seen), SCHEDULE_FAILED);
    interrupted = 1;
    assert_int_equal(play_suite(&suite, "", true, &interrupted, &seen), SCHEDULE_INTERRUPTED);
    suite_release(&suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_come_from_folders_without_their_titles),
        cmocka_unit_test(selectors_mean_ids_prefixes_globs_and_requirements),
        cmocka_unit_test(two_tests_of_one_name_are_refused),
        cmocka_unit_test(a_ledger_knows_tests_by_id_prefix_or_glob),
        cmocka_unit_test(a_ledger_knows_what_the_model_finds_by_rule_and_every_finding_must_be_known),
        cmocka_unit_test(a_wrong_ledger_is_told_with_its_place),
        cmocka_unit_test(each_test_gets_a_verdict_and_disruptive_ones_must_be_asked_for),
        cmocka_unit_test(a_schedule_ends_early_for_its_reasons),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

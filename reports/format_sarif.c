/* results.sarif: what a run found, for code scanning. Findings of failing tests are errors and deviations warnings, those that the
 * ledger knows are suppressed; what the tester could not do stands among its own notifications, so that no error of it looks like
 * one of the stack. */
#include "reports/formats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/sarif.h"
#include "reports/standing.h"
#include "reports/text.h"

struct lists {
    struct sarif_finding *findings;
    struct sarif_notice *notices;
    size_t finding_count, notice_count;
};

enum { BASE_SUITE, BASE_RESULTS };
static const struct sarif_base bases[] = {
    [BASE_SUITE] = {"TESTS-SUITE", "the folder tests-suite of tcpassay, or where the scenarios were"},
    [BASE_RESULTS] = {"RESULTS", "the results' directory, which holds what a fuzzing campaign found"},
};

/* A campaign's findings are scenarios that it has made itself (engine/fuzz/). */
static size_t base_of(const struct result_test *test)
{
    return strncmp(test->id, "fuzz/", 5) == 0 ? BASE_RESULTS : BASE_SUITE;
}

/* The line of the scenario that the offending segment belongs to; else where the verdict was decided. */
static uint32_t line_of(const struct result_test *test, const struct result_finding *finding)
{
    for (size_t i = 0; finding && finding->segment && i < test->trace_count; i++)
        if (test->trace[i].index == finding->segment && test->trace[i].step)
            return test->trace[i].step;
    return test->line;
}

static struct sarif_finding make_finding(const struct result_test *test, const struct result_finding *f)
{
    const bool fails = test->verdict == VERDICT_FAIL && !requirement_level_is_should(f->level);
    return (struct sarif_finding){
        .rule = f->rule, .requirement = f->requirement, .level = fails ? SARIF_ERROR : SARIF_WARNING,
        .message = *f->message ? f->message : test->reason, .expected = f->expected, .observed = f->observed, .subject = test->id,
        .base = base_of(test), .file = test->file, .line = line_of(test, f), .known = test->known && test->verdict == VERDICT_FAIL ? test->known_note : NULL,
    };
}

/* A failure without findings is one of all that the test covers: the first of these stands for it. */
static struct sarif_finding make_bare_finding(const struct result_test *test)
{
    return (struct sarif_finding){
        .rule = "verdict", .requirement = test->cover_count ? test->covers[0] : "", .level = SARIF_ERROR, .message = test->reason,
        .subject = test->id, .base = base_of(test), .file = test->file, .line = test->line, .known = test->known ? test->known_note : NULL,
    };
}

static void add_test(struct lists *lists, const struct result_test *test)
{
    for (size_t i = 0; i < test->finding_count; i++)
        lists->findings[lists->finding_count++] = make_finding(test, &test->findings[i]);
    if (test->verdict == VERDICT_FAIL && test->finding_count == 0)
        lists->findings[lists->finding_count++] = make_bare_finding(test);
    if (test->verdict == VERDICT_ERROR || test->verdict == VERDICT_INCONCLUSIVE)
        lists->notices[lists->notice_count++] = (struct sarif_notice){
            .level = test->verdict == VERDICT_ERROR ? SARIF_ERROR : SARIF_WARNING, .message = test->reason, .subject = test->id};
}

static size_t finding_max(const struct results *results)
{
    size_t max = 1;
    for (size_t i = 0; i < results->test_count; i++)
        max += results->tests[i].finding_count + 1;
    return max;
}

bool format_sarif(const struct results *results, FILE *out)
{
    char category[300], target[256], cut_short[STANDING_LINE_MAX];
    const enum standing standing = standing_of(results);
    struct lists lists = {.findings = calloc(finding_max(results), sizeof *lists.findings),
                          .notices = calloc(results->test_count + 1, sizeof *lists.notices)};
    if (!lists.findings || !lists.notices) {
        free(lists.findings);
        free(lists.notices);
        return false;
    }
    if (!results_are_complete(results)) {
        standing_line(results, cut_short, sizeof cut_short);
        lists.notices[lists.notice_count++] = (struct sarif_notice){.level = SARIF_ERROR, .message = cut_short};
    }
    for (size_t i = 0; i < results->test_count; i++)
        add_test(&lists, &results->tests[i]);
    snprintf(category, sizeof category, "tcpassay/%s/", text_show(results->run.target_name, target, sizeof target));
    const struct sarif_log log = {
        .version = results->run.tcpassay, .category = category, .bases = bases, .base_count = sizeof bases / sizeof *bases,
        .started = results->run.started, .complete = standing != STANDING_INCOMPLETE && standing != STANDING_ERRORS,
        .findings = lists.findings, .finding_count = lists.finding_count, .notices = lists.notices, .notice_count = lists.notice_count,
    };
    const bool good = sarif_print(&log, out);
    free(lists.findings);
    free(lists.notices);
    return good;
}

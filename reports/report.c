/* Writes reports: the table of formats. */
#include "reports/report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "reports/file.h"
#include "reports/formats.h"
#include "reports/html/html.h"
#include "reports/standing.h"

static const struct {
    const char *text, *file_name;
    bool (*print)(const struct results *, FILE *);
} formats[] = {
    [REPORT_JSON] = { "json", "results.json", format_json },
    [REPORT_JUNIT] = { "junit", "junit.xml", format_junit },
    [REPORT_TAP] = { "tap", "results.tap", format_tap },
    [REPORT_MARKDOWN] = { "md", "summary.md", format_markdown },
    [REPORT_SARIF] = { "sarif", "results.sarif", format_sarif },
    [REPORT_CSV] = { "csv", "requirements.csv", format_csv },
    [REPORT_TESTS_CSV] = { "tests-csv", "tests.csv", format_tests_csv },
    [REPORT_PCAPNG] = { "pcapng", "packets.pcapng", format_pcapng },
    [REPORT_BADGE] = { "badge", "badge.svg", standing_print_badge },
    [REPORT_HTML] = { "html", "report.html", format_html },
};
static_assert(sizeof formats / sizeof formats[0] == REPORT_COUNT, "a row for each format");

const char *report_format_text(enum report_format format)
{
    assert((unsigned)format < REPORT_COUNT);
    return formats[format].text;
}

bool report_format_parse(const char *text, enum report_format *out)
{
    for (unsigned i = 0; i < REPORT_COUNT; i++) {
        if (strcmp(text, formats[i].text) == 0) {
            *out = (enum report_format)i;
            return true;
        }
    }
    return false;
}

const char *report_file_name(enum report_format format)
{
    assert((unsigned)format < REPORT_COUNT);
    return formats[format].file_name;
}

enum outcome outcome_of(const struct result_test *test)
{
    static const enum outcome outcomes[] = {
        [VERDICT_PASS] = OUTCOME_PASSED,
        [VERDICT_FAIL] = OUTCOME_FAILED,
        [VERDICT_INCONCLUSIVE] = OUTCOME_INCONCLUSIVE,
        [VERDICT_ERROR] = OUTCOME_ERROR,
        [VERDICT_NOT_APPLICABLE] = OUTCOME_NOT_APPLICABLE,
    };
    return test->verdict == VERDICT_FAIL && test->known ? OUTCOME_KNOWN : outcomes[test->verdict];
}

char *outcome_explain(const struct result_test *test)
{
    const enum outcome outcome = outcome_of(test);
    const char *word = outcome == OUTCOME_KNOWN ? "known" : outcome == OUTCOME_INCONCLUSIVE ? "inconclusive" : "not applicable";
    const char *why = outcome == OUTCOME_KNOWN && has_text(test->known_note) ? test->known_note : test->reason;
    char *text = NULL;
    return asprintf(&text, "%s: %s", word, why) < 0 ? NULL : text;
}

const struct result_finding *leading_finding(const struct result_test *test)
{
    return test->finding_count ? &test->findings[0] : NULL;
}

int report_print(const struct results *results, enum report_format format, FILE *out)
{
    assert((unsigned)format < REPORT_COUNT);
    return formats[format].print(results, out) ? 0 : -1;
}

/* A format with its results, as file_write() takes them. */
struct job {
    const struct results *results;
    enum report_format format;
};

static bool print_job(const void *context, FILE *out)
{
    const struct job *job = context;
    return report_print(job->results, job->format, out) == 0;
}

int report_write(const struct results *results, enum report_format format, const char *path, char *error, size_t error_size)
{
    const struct job job = { results, format };
    return file_write(path, print_job, &job, error, error_size);
}

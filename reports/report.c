/* Writes reports: the table of formats, and files that appear whole or not at all. */
#include "reports/report.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/formats.h"

static const struct {
    const char *text, *file_name;
    bool (*print)(const struct results *, FILE *);
} formats[] = {
    [REPORT_JSON] = { "json", "results.json", format_json },
    [REPORT_JUNIT] = { "junit", "junit.xml", format_junit },
    [REPORT_TAP] = { "tap", "results.tap", format_tap },
    [REPORT_MARKDOWN] = { "md", "summary.md", format_markdown },
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

static int fault(char *error, size_t error_size, const char *path, const char *why)
{
    snprintf(error, error_size, "%s: the report cannot be written: %s", path, why);
    return -1;
}

/* Prints and closes: 0, or what errno would say. */
static int print_and_close(const struct results *results, enum report_format format, FILE *out)
{
    errno = 0;
    const bool printed = report_print(results, format, out) == 0;
    const bool flushed = fflush(out) == 0 && !ferror(out);
    const int why = printed ? errno : ENOMEM;
    const bool closed = out == stdout || fclose(out) == 0;
    if (printed && flushed && closed)
        return 0;
    return why ? why : errno ? errno : EIO;
}

/* A pipe or a device is written as it is: there is nothing to replace. */
static bool is_special(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

static int write_in_place(const struct results *results, enum report_format format, FILE *out, const char *path, char *error,
                          size_t error_size)
{
    const int why = out ? print_and_close(results, format, out) : errno;
    return why ? fault(error, error_size, path, strerror(why)) : 0;
}

int report_write(const struct results *results, enum report_format format, const char *path, char *error, size_t error_size)
{
    if (strcmp(path, "-") == 0)
        return write_in_place(results, format, stdout, "standard output", error, error_size);
    if (is_special(path))
        return write_in_place(results, format, fopen(path, "wbe"), path, error, error_size);

    char beside[PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
        return fault(error, error_size, path, strerror(ENAMETOOLONG));
    FILE *out = fopen(beside, "wbe");
    if (!out)
        return fault(error, error_size, path, strerror(errno));
    const int why = print_and_close(results, format, out);
    if (why == 0 && rename(beside, path) == 0)
        return 0;
    const int reason = why ? why : errno;
    unlink(beside);
    return fault(error, error_size, path, strerror(reason));
}

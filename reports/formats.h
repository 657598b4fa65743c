/* The formats behind report_print(): each writes one document. */
#ifndef TCPASSAY_REPORTS_FORMATS_H
#define TCPASSAY_REPORTS_FORMATS_H

#include <stdio.h>

#include "reports/sections.h"

/* Each returns false when memory ran out; errors of the stream stay in ferror(out). */
bool format_json(const struct results *results, FILE *out);
bool format_junit(const struct results *results, FILE *out);
bool format_tap(const struct results *results, FILE *out);
bool format_markdown(const struct results *results, FILE *out);
bool format_sarif(const struct results *results, FILE *out);
bool format_csv(const struct results *results, FILE *out);
bool format_tests_csv(const struct results *results, FILE *out);
bool format_pcapng(const struct results *results, FILE *out);

/* The one function that makes a string fit for Markdown: a code span, in which nothing is markup, a link, a mention or HTML. */
void markdown_span(const char *text, bool in_table, FILE *out);

/* Is there something in text? A live test (report_console_line) may have NULL where a read one has "". */
static inline bool has_text(const char *text)
{
    return text && *text;
}

/* How a test counts where a format knows only pass, fail, error and skipped. Failing and in error is what makes a run's exit code
 * other than 0; everything else must not turn a CI job red. */
enum outcome { OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_ERROR, OUTCOME_KNOWN, OUTCOME_INCONCLUSIVE, OUTCOME_NOT_APPLICABLE };
enum outcome outcome_of(const struct result_test *test);
static inline bool outcome_is_skipped(enum outcome outcome)
{
    return outcome >= OUTCOME_KNOWN;
}
/* "known: the note", "inconclusive: the reason" and the like, for those skipped. The caller frees; NULL when memory ran out. */
char *outcome_explain(const struct result_test *test);

/* The finding that the verdict rests on; NULL when there is none. */
const struct result_finding *leading_finding(const struct result_test *test);

#endif

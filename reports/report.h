/* Reports: what people and other programs read, made from results and from nothing else (docs/results.md).
 *
 * Every format escapes in one function of its own; results are hostile text. Two equal results give identical bytes. A report
 * is written beside its path first and then renamed, so a full disk leaves an earlier report as it was.
 */
#ifndef TCPASSAY_REPORTS_REPORT_H
#define TCPASSAY_REPORTS_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "reports/results.h"

enum report_format {
    REPORT_JSON,     /* results.json: everything, schema 1 (reports/results.schema.json) */
    REPORT_JUNIT,    /* junit.xml */
    REPORT_TAP,      /* results.tap, version 14 */
    REPORT_MARKDOWN, /* summary.md */
    REPORT_SARIF,    /* results.sarif, version 2.1.0 */
    REPORT_CSV,      /* requirements.csv, RFC 4180 */
    REPORT_TESTS_CSV, /* tests.csv */
    REPORT_PCAPNG,   /* packets.pcapng: the captures that were kept, commented */
    REPORT_BADGE,    /* badge.svg */
    REPORT_HTML,     /* report.html: for people, one page with everything in it (docs/html.md) */
    REPORT_COUNT
};

/* "json", "junit", "tap", "md", …: as on the command line. */
const char *report_format_text(enum report_format format);
bool report_format_parse(const char *text, enum report_format *out);
/* "results.json", "junit.xml", …: the file name within the results' directory. */
const char *report_file_name(enum report_format format);

/* Writes one report to path ("-": standard output). 0, or -1 with the reason in error. */
int report_write(const struct results *results, enum report_format format, const char *path, char *error, size_t error_size);
/* The same onto a stream; the caller checks ferror() and closes. 0, or -1 when memory ran out. */
int report_print(const struct results *results, enum report_format format, FILE *out);

/* width: columns of the terminal; 0: lines may be as long as they like.
 * The summary table by RFC section, and after it a line for each test that people should look at: known failures, inconclusive
 * ones, errors, and last the new failures. Control characters of the results are shown as \xNN, never sent to the terminal. */
void report_console_summary(const struct results *results, FILE *out, bool color, unsigned width);
/* One line for one test: "FAIL ID  REQUIREMENT  expected …, observed … (segment 7)  open DIR/PCAP". dir is where the results
 * are, or NULL. Also for progress, of tests that passed too and straight from the runner: strings may be NULL. */
void report_console_line(const struct result_test *test, const char *dir, FILE *out, bool color);

/* The section a test belongs to: its id up to the second slash ("rfc9293/3.5-establishing"). Returns that length within id; 0
 * when the id has fewer than two slashes: such tests are listed last, as "other". */
size_t report_section_len(const char *id);

#endif

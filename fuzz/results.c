/* Fuzzes the reader of results, and feeds whatever it accepts to the reports: one of them an input, chosen by its size.
 *
 * A crash means that a file of results, which people hand around and CI stores, stops whoever reports on it or compares with it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/compare.h"
#include "reports/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const struct results *results, enum report_format format, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (!out || report_print(results, format, out) != 0 || fclose(out) != 0)
        abort();
    return text;
}

/* results.json must be readable again, and say the same. */
static void round_trip(const struct results *results)
{
    char error[512];
    size_t len = 0, again_len = 0;
    char *text = print(results, REPORT_JSON, &len);
    struct results *again = results_read_bytes(text, len, "again", error, sizeof error);
    if (!again)
        abort();
    char *same = print(again, REPORT_JSON, &again_len);
    if (len != again_len || memcmp(text, same, len) != 0)
        abort();
    results_free(again);
    free(text);
    free(same);
}

static void show(const struct results *results)
{
    char *text = NULL;
    size_t len = 0;
    struct comparison comparison;
    FILE *out = open_memstream(&text, &len);
    if (!out || compare_results(results, results, &comparison) != 0)
        abort();
    report_console_summary(results, out, false, 0);
    comparison_print(&comparison, out, false);
    comparison_release(&comparison);
    if (fclose(out) != 0 || memchr(text, '\x1b', len))
        abort();
    free(text);
}

/* JSON and Markdown list the whole catalogue, which costs as much as a hundred of the others: they come rarely. */
static void use(const struct results *results, size_t choice)
{
    size_t len = 0;
    if (choice % 128 == 0)
        round_trip(results);
    else if (choice % 128 == 1)
        free(print(results, REPORT_MARKDOWN, &len));
    else if (choice % 8 == 2)
        free(print(results, REPORT_JUNIT, &len));
    else if (choice % 8 == 3)
        free(print(results, REPORT_TAP, &len));
    else if (choice % 8 == 4)
        show(results);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[512] = "";
    struct results *results = results_read_bytes((const char *)data, size, "input", error, sizeof error);
    if (results)
        use(results, size);
    else if (!*error)
        abort();
    results_free(results);
    return 0;
}

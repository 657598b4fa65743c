/* Several runs side by side: a table of tests and one of requirements, a column a run, what differs first. */
#ifndef TCPASSAY_REPORTS_VERSUS_H
#define TCPASSAY_REPORTS_VERSUS_H

#include <stdio.h>

#include "reports/results.h"

enum { VERSUS_RUNS_MAX = 16, VERSUS_NAME_MAX = 160 };

struct versus_row {
    const char *id;
    enum requirement_level level; /* of a requirement */
    bool differs;                 /* not the same in all runs */
    uint8_t cells[VERSUS_RUNS_MAX]; /* see versus_test_text() and versus_requirement_text() */
};

struct versus_table {
    struct versus_row *rows; /* those that differ first, each part in order of ids */
    size_t count, differing;
};

struct versus {
    const struct results *const *runs; /* borrowed, with everything that rows point to */
    size_t run_count;
    char names[VERSUS_RUNS_MAX][VERSUS_NAME_MAX]; /* the target's; where two have the same one, with what tells them apart. Visible characters */
    struct versus_table tests, requirements;
};

/* 1 to VERSUS_RUNS_MAX runs. False when memory ran out. Release with versus_release(). */
bool versus_make(const struct results *const *runs, size_t run_count, struct versus *out);
void versus_release(struct versus *versus);

/* What a cell says: "pass", "fail", "known" (a failure of the ledger), …, "absent"; "satisfied", "violated", …, "absent". */
const char *versus_test_text(uint8_t cell);
const char *versus_requirement_text(uint8_t cell);

enum versus_format { VERSUS_TEXT, VERSUS_MARKDOWN, VERSUS_JSON, VERSUS_CSV, VERSUS_HTML };
struct versus_style {
    unsigned width; /* columns of the terminal */
    bool color;
    bool all;       /* in text and Markdown, rows that do not differ too */
};
/* Errors of the stream stay in ferror(). */
void versus_print(const struct versus *versus, enum versus_format format, const struct versus_style *style, FILE *out);

#endif

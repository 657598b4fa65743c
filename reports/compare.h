/* Two runs compared: what --baseline shows. */
#ifndef TCPASSAY_REPORTS_COMPARE_H
#define TCPASSAY_REPORTS_COMPARE_H

#include <stdio.h>

#include "reports/results.h"

enum comparison_kind {
    COMPARE_NEW_FAILURE,   /* fails now, and did not fail in the baseline (or was not in it) */
    COMPARE_STILL_FAILING,
    COMPARE_FIXED,         /* failed in the baseline and passes now */
    COMPARE_UNDECIDED,     /* failed in the baseline, and now is neither pass nor fail, or was not run */
    COMPARE_APPEARED,      /* was not in the baseline, and does not fail */
    COMPARE_VANISHED,      /* did not fail in the baseline, and was not run */
    COMPARE_COUNT
};

struct comparison_row {
    enum comparison_kind kind;
    const char *id;                    /* of the results it came from: lives as long as they do */
    const struct result_test *before;  /* NULL: not in the baseline */
    const struct result_test *now;     /* NULL: not in this run */
};

struct comparison {
    struct comparison_row *rows;       /* ordered by kind, then by id */
    size_t row_count;
    size_t counts[COMPARE_COUNT];
    const struct results *baseline, *now;
};

/* Failures of the ledger are failures here: a baseline is the other way of knowing them. 0, or -1 when memory ran out. Both results
 * must outlive *out; release with comparison_release(). */
int compare_results(const struct results *baseline, const struct results *now, struct comparison *out);
void comparison_release(struct comparison *comparison);
/* What the two are when they are not of a kind (another target, or one of them incomplete); a line for each row, new failures
 * first, of tests that appeared or vanished the first few; and one of totals. */
void comparison_print(const struct comparison *comparison, FILE *out, bool color);

#endif

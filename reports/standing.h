/* How a run stands, in one word, one line and one badge: never better than what its results bear out. */
#ifndef TCPASSAY_REPORTS_STANDING_H
#define TCPASSAY_REPORTS_STANDING_H

#include <stdio.h>

#include "reports/results.h"

enum standing { /* the first that applies */
    STANDING_INCOMPLETE, /* cut short, or fewer tests than planned: nothing is sure, however the rest looks */
    STANDING_ERRORS,     /* the tester failed in some test */
    STANDING_FAILED,     /* a failure that the ledger does not know */
    STANDING_EMPTY,      /* no test passed or failed: nothing was tested */
    STANDING_KNOWN,      /* failures, all of them known */
    STANDING_PASSED,
    STANDING_COUNT
};
const char *standing_word(enum standing standing); /* "incomplete": one word */

/* Has the run come to its end, with a result for each test that it set out to run, and no torn line? */
bool results_are_complete(const struct results *results);
enum standing standing_of(const struct results *results);

/* "linux: 3862 passed, 164 failed (all known), 6 not applicable; 412 requirements satisfied, 23 violated, 9 deviated": one line
 * without its newline, in which every character can be seen. Begins with "INCOMPLETE: " and the like when it does not stand well.
 * Returns out. */
enum { STANDING_LINE_MAX = 600 };
const char *standing_line(const struct results *results, char *out, size_t size);

/* What a badge says of it: "3862 passed", "12 failed", "incomplete"; and its colour, "#4c1". */
enum { STANDING_BADGE_MAX = 48 };
const char *standing_badge_text(const struct results *results, char out[static STANDING_BADGE_MAX]);
const char *standing_color(enum standing standing);

/* The badge as SVG: self-contained, readable without the font it would like best. False when memory ran out. */
bool standing_print_badge(const struct results *results, FILE *out);

#endif

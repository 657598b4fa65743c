/* What a run says about each requirement. */
#ifndef TCPASSAY_REPORTS_REQUIREMENTS_H
#define TCPASSAY_REPORTS_REQUIREMENTS_H

#include "reports/results.h"

enum requirement_status {
    STATUS_SATISFIED,  /* a test that covers it passed, and nothing below was seen */
    STATUS_VIOLATED,   /* a failing test's finding names it; or the finding names none and the test covers it */
    STATUS_DEVIATED,   /* the same for a SHOULD */
    STATUS_UNTESTED,   /* no test that covers it came to a verdict about it */
    STATUS_UNTESTABLE, /* the same, and the catalogue says why no black-box test could */
    STATUS_COUNT
};
const char *requirement_status_text(enum requirement_status status); /* "satisfied" */

struct requirement_result {
    const char *id;
    enum requirement_level level; /* LEVEL_UNSTATED: not in the catalogue, but a test claims it */
    enum requirement_status status;
    const struct result_test **tests; /* that cover it, or have a finding about it; in order of ids */
    size_t test_count;
};

struct requirement_results {
    struct requirement_result *list; /* the whole catalogue and what tests claim beyond it, in order of ids */
    size_t count;
    size_t statuses[STATUS_COUNT];
    const struct result_test **tests; /* backs the lists above */
};

/* Borrows from results. False when memory ran out. Release with requirements_release(). */
bool requirements_judge(const struct results *results, struct requirement_results *out);
void requirements_release(struct requirement_results *requirements);

#endif

/* A test's trace as text, step by step, with what the scenario wants beside it: what replay shows, and run --verbose and fuzz of
 * failures. */
#ifndef TCPASSAY_CLI_TRACE_VIEW_H
#define TCPASSAY_CLI_TRACE_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "reports/results.h"

struct trace_view {
    bool color;
    unsigned columns;     /* of the terminal, from 40 on; 0: lines may be as long as they like, one for each event */
    const char *scenario; /* its text, which the events' steps are lines of; NULL: not known */
    unsigned events_max;  /* of a longer trace the middle is left out, but for what is around a finding; 0: everything is shown */
};

/* Time since the start, direction, segment or words of each event, the line of the scenario that it belongs to beside it where
 * there are TRACE_VIEW_BESIDE columns; the offending segments are marked, and each finding stands behind its segment, or, of a
 * silence, at its time: what was expected, and what came. Text of any origin is made visible first. */
enum { TRACE_VIEW_BESIDE = 100 };
void trace_view(const struct result_test *test, const struct trace_view *view, FILE *out);

#endif

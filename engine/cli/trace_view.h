/* A test's trace as text, step by step: what replay shows, and run --verbose of failures. */
#ifndef TCPASSAY_CLI_TRACE_VIEW_H
#define TCPASSAY_CLI_TRACE_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "reports/results.h"

/* One line an event: time since the start, direction, segment or words; the offending segment of the first finding is marked. */
void trace_view(const struct result_test *test, FILE *out, bool color);

#endif

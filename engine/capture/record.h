/* An inspection's report as results (reports/results.h): a test for each connection and endpoint. */
#ifndef TCPASSAY_CAPTURE_RECORD_H
#define TCPASSAY_CAPTURE_RECORD_H

#include "engine/capture/inspection.h"
#include "reports/results.h"

/* Takes one test; it and what it points to live until that returns. Anything but 0 ends the recording. */
typedef int record_test(void *context, const struct result_test *test);

/* name: of the capture, unique in the results; ids are capture/NAME/CONNECTION/ADDRESS:PORT. strict: a SHOULD fails too. damage: as
 * in text.h. Connections that are not listed share one test. Returns 0, or what take did when that was not 0. */
int inspection_record(const struct inspection_report *report, const char *name, bool strict, const char *damage, record_test *take,
                      void *context);

#endif

/* The texts of scenarios for reports that show them: from a suite, from the state×event matrix, or a fuzzer's finding. */
#ifndef TCPASSAY_CLI_SOURCES_H
#define TCPASSAY_CLI_SOURCES_H

#include "engine/runner/suite.h"
#include "reports/results.h"

struct cli_sources {
    struct result_sources texts; /* what results.sources points to */
    const struct suite *suite;
    struct suite own;            /* of cli_sources_load() */
    const char *dir;             /* where the results lie, and a fuzzer's findings/ */
};

/* From a suite that is loaded, and outlives it. */
void cli_sources_of(struct cli_sources *out, const struct suite *suite, const char *dir);
/* From the program's own suite; without one, less is shown. */
void cli_sources_load(const char *command, struct cli_sources *out, const char *dir);
void cli_sources_release(struct cli_sources *sources);

#endif

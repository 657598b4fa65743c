/* The ledger of a target: deviations that are known, checked by hand, and true. A run tells them from new failures. */
#ifndef TCPASSAY_RUNNER_LEDGER_H
#define TCPASSAY_RUNNER_LEDGER_H

#include "reports/results.h"

struct ledger;

/* Reads a JSON array of {"test": id, prefix or glob, "rule": of the model, "requirement", "summary", "evidence", "rfc", "source"}.
 * Of test and rule one at least must be there; the source may be missing. A file that does not exist is an empty ledger. NULL with
 * "file:line: what" in error when it cannot be understood. */
struct ledger *ledger_read(const char *path, char *error, size_t error_size);
void ledger_free(struct ledger *ledger);
/* What is known of this test failing: the summary of an entry, or NULL. Lives as long as the ledger.
 *
 * A failing test is known when each of its failing findings is (those of a SHOULD only fail when strict). An entry with a rule
 * knows what breaks that rule, in the tests it names or in all. One without knows what the scenario itself found in the tests it
 * names, and of the model's findings those that are charged to its requirement. Of a test that does not fail, the entry counts that
 * names it and no rule. */
const char *ledger_find(const struct ledger *ledger, const struct result_test *test, bool strict);

#endif

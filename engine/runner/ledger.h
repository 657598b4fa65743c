/* The ledger of a target: deviations that are known, checked by hand, and true. A run tells them from new failures. */
#ifndef TCPASSAY_RUNNER_LEDGER_H
#define TCPASSAY_RUNNER_LEDGER_H

#include <stddef.h>

struct ledger;

/* Reads a JSON array of {"test": id, prefix or glob, "requirement", "summary", "evidence", "rfc", "source"}. A file that does not
 * exist is an empty ledger. NULL with "file:line: what" in error when it cannot be understood. */
struct ledger *ledger_read(const char *path, char *error, size_t error_size);
void ledger_free(struct ledger *ledger);
/* What is known of this test failing: the entry's summary, or NULL. Lives as long as the ledger. */
const char *ledger_find(const struct ledger *ledger, const char *test_id);

#endif

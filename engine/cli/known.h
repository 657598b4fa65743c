/* The ledger of known deviations that belongs to a target. */
#ifndef TCPASSAY_CLI_KNOWN_H
#define TCPASSAY_CLI_KNOWN_H

#include "engine/runner/ledger.h"

/* name: of a target of ours, whose ledger is meant, or a file (with a slash or a dot in its name), which must be there. 0, or an
 * exit code with the reason told. */
int cli_read_ledger(const char *command, const char *name, struct ledger **out);

#endif

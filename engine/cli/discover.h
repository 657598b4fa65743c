/* `tcpassay targets --discover`: fills in PICS and PIXIT of a target by looking at it. */
#ifndef TCPASSAY_CLI_DISCOVER_H
#define TCPASSAY_CLI_DISCOVER_H

#include <stdint.h>

#include "engine/cli/cli.h"

/* Plays some connections on the target and prints a target file on stdout: what was given, what was found, and the portrait as
 * comments. patience_s: how long TIME-WAIT is watched. An exit code. */
int discover(const struct cli_target *target, const char *name, uint64_t patience_s);

#endif

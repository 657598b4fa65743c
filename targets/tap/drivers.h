/* The drivers "tap" and "unix", and what they have in common with others that attach to a host they did not make. */
#ifndef TCPASSAY_TARGETS_TAP_DRIVERS_H
#define TCPASSAY_TARGETS_TAP_DRIVERS_H

#include "targets/tap/pixit.h"
#include "targets/tap/upper.h"

extern const struct target_driver tap_driver;  /* tap:IFACE[,KEY=VALUE]… */
extern const struct target_driver unix_driver; /* unix:PATH[,KEY=VALUE]… */

/* The upper tester that PIXIT names: true with *out, NULL when it names none; else false with *error. */
bool pixit_open_upper(const struct pixit *pixit, struct upper **out, struct target_error *error);

#endif

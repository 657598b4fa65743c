/* How a driver says why it cannot. */
#ifndef TCPASSAY_TARGETS_TAP_FAILURE_H
#define TCPASSAY_TARGETS_TAP_FAILURE_H

#include "engine/runner/target.h"

/* Fills in *error; returns false, so that it can be returned. */
bool target_fail(struct target_error *error, enum target_error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

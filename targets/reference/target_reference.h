/* The reference stack as a target: in process, in virtual time. */
#ifndef TCPASSAY_TARGETS_REFERENCE_TARGET_REFERENCE_H
#define TCPASSAY_TARGETS_REFERENCE_TARGET_REFERENCE_H

#include "engine/runner/target.h"

extern const struct target_driver reference_driver;

#endif

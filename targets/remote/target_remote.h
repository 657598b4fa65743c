/* The target "remote": a host across the network (docs/targets.md). */
#ifndef TCPASSAY_TARGETS_REMOTE_TARGET_REMOTE_H
#define TCPASSAY_TARGETS_REMOTE_TARGET_REMOTE_H

#include "engine/runner/target.h"

extern const struct target_driver remote_driver;

#endif

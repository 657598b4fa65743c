/* The reference stack as a target, on a clock that its owner tells it: in process, in virtual time. */
#ifndef TCPASSAY_TARGETS_REFERENCE_TARGET_REFERENCE_H
#define TCPASSAY_TARGETS_REFERENCE_TARGET_REFERENCE_H

#include "engine/runner/target.h"
#include "targets/reference/reference.h"

extern const struct target_driver reference_driver;

/* One that begins with base and the wanted settings, at now_ns; what it tells of itself is that of the driver. NULL with *error. */
struct target *reference_target_new(const struct ref_config *base, const struct target_config *wanted, int64_t now_ns,
                                    struct target_error *error);
/* The stack in it. */
struct ref_stack *reference_target_stack(struct target *target);

#endif

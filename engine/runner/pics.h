/* The PICS: features that a target does not claim to have, by name, and which tests are about them. */
#ifndef TCPASSAY_RUNNER_PICS_H
#define TCPASSAY_RUNNER_PICS_H

#include <stdbool.h>

#include "engine/runner/target.h"
#include "engine/scenario/scenario.h"

struct pics_feature { const char *name, *meaning; };
/* Every feature that can be disclaimed; ended by a name NULL. */
extern const struct pics_feature pics_features[];
/* The index of a feature by its name, -1 when there is none of that name. */
int pics_feature_index(const char *name, size_t len);
/* The feature without which this scenario makes no sense on the target, by its PICS (target_info.lacks); NULL: none. */
const struct pics_feature *pics_lacking(const struct target_info *info, const struct scenario *scenario);

#endif

/* The target "lwip": Debian's lwIP in a process of its own, in virtual time. */
#ifndef TCPASSAY_TARGETS_LWIP_TARGET_LWIP_H
#define TCPASSAY_TARGETS_LWIP_TARGET_LWIP_H

#include "engine/runner/target.h"

extern const struct target_driver lwip_driver;

#endif

/* The kernel's TCP settings in the namespace the thread is in: what every run is given, what a scenario asks for, what was in
 * force. */
#ifndef TCPASSAY_TARGETS_LINUX_SETTINGS_H
#define TCPASSAY_TARGETS_LINUX_SETTINGS_H

#include "engine/runner/target.h"

enum { LINUX_MTU_DEFAULT = 1500 };

/* Sets the sysctls that a run relies on, then those of config. Call it before the device is made, which inherits some. *mtu is the
 * link's, to be set by the caller. False with *error filled: UNSUPPORTED, when this kernel lacks a setting or refuses its value;
 * USAGE, when the value makes no sense; UNAVAILABLE, when /proc/sys cannot be written. */
bool settings_apply(const struct target_config *config, uint16_t *mtu, struct target_error *error);

/* Is there IPv6 in this kernel at all? */
bool settings_have_ipv6(void);

/* Fills info's PIXIT, description and timer figures with what is now in force. */
void settings_record(struct target_info *info);

#endif

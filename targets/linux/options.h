/* The kernel's socket options of one number, and its ioctls, by their names. */
#ifndef TCPASSAY_TARGETS_LINUX_OPTIONS_H
#define TCPASSAY_TARGETS_LINUX_OPTIONS_H

#include <stdint.h>

/* All return 0 or a negative errno value; -ENOPROTOOPT (-ENOTTY for an ioctl) for an unknown name. */

int option_set(int fd, const char *name, const int64_t *values, unsigned count); /* uses the first value */
int option_get(int fd, const char *name, int64_t *value);
int option_ioctl(int fd, const char *name, int64_t *value);

#endif

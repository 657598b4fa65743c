/* The kernel's socket options of one number, and its ioctls, by their names. Which there are depends on the kernel. */
#ifndef TCPASSAY_TARGETS_SOCKETS_OPTIONS_H
#define TCPASSAY_TARGETS_SOCKETS_OPTIONS_H

#include <stdint.h>

/* All return 0 or a negative errno value of Linux (errors.h); -ENOPROTOOPT (-ENOTTY for an ioctl) for an unknown name. */

int64_t option_set(int fd, const char *name, const int64_t *values, unsigned count); /* uses the first value */
int64_t option_get(int fd, const char *name, int64_t *value);
int64_t option_ioctl(int fd, const char *name, int64_t *value);

#endif

/* Socket options and ioctls by their names. */
#ifndef TCPASSAY_TARGETS_LINUX_OPTIONS_H
#define TCPASSAY_TARGETS_LINUX_OPTIONS_H

#include <stdint.h>

/* All return 0 or a negative errno value; -ENOPROTOOPT (-ENOTTY for an ioctl) for an unknown name. */

/* SO_LINGER takes two values, on/off and seconds; the others one. */
int option_set(int fd, const char *name, const int64_t *values, unsigned count);
/* SO_LINGER gives its seconds, or -1 when it is off. */
int option_get(int fd, const char *name, int64_t *value);
int option_ioctl(int fd, const char *name, int64_t *value);

#endif

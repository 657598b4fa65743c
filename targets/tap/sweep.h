/* Removes a file when the process ends, however it ends: a small process that waits for that. */
#ifndef TCPASSAY_TARGETS_TAP_SWEEP_H
#define TCPASSAY_TARGETS_TAP_SWEEP_H

#include <stdbool.h>
#include <sys/types.h>

struct sweep {
    pid_t pid; /* 0: none */
    int fd;
};

/* 0 or a negative errno value. path is copied. */
int sweep_start(const char *path, struct sweep *out);
/* The file is gone, and the process has ended, when this returns. */
void sweep_end(struct sweep *s);

#endif

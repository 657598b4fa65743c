/* What both sides of a holder agree on; included by holder.c, spawn.c and holder_main.c only. */
#ifndef TCPASSAY_TARGETS_PLUGIN_HOLDER_WITHIN_H
#define TCPASSAY_TARGETS_PLUGIN_HOLDER_WITHIN_H

#include <sys/types.h>

enum { HOLDER_FD_MEMORY = 3, HOLDER_FD_SOCKET = 4, HOLDER_EXIT_FAULT = 113 };

/* spawn.c: a new process for the plugin. False with errno. */
struct holder_process {
    pid_t pid;
    int socket, output;  /* output: what the plugin prints, as a file in memory, or the one the user names */
    off_t output_start;  /* where this process began to print */
};
bool holder_spawn(const char *path, int memory, unsigned limit_mib, struct holder_process *out);
/* Is this library built with AddressSanitizer, or this program? Then memory cannot be limited by the kernel. */
bool holder_is_sanitized(const char *path);

#endif

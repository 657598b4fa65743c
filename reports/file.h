/* Files that appear whole or not at all: written beside their path first, then renamed. */
#ifndef TCPASSAY_REPORTS_FILE_H
#define TCPASSAY_REPORTS_FILE_H

#include <stdbool.h>
#include <stdio.h>

/* Prints onto a stream; false when memory ran out. Errors of the stream stay in ferror(). */
typedef bool file_printer(const void *context, FILE *out);

/* Writes what print() prints to path ("-": standard output; a pipe or a device is written as it is). 0, or -1 with the reason in
 * error, and then what was at path before is there still. */
int file_write(const char *path, file_printer *print, const void *context, char *error, size_t error_size);

/* Is this a path that stays below the folder it is relative to: not empty, not absolute, without ".." and without control
 * characters? */
bool file_is_below(const char *path);

#endif

/* Files that are whole or not there: written beside their name first, then renamed. */
#ifndef TCPASSAY_FUZZ_STORE_H
#define TCPASSAY_FUZZ_STORE_H

#include <stddef.h>

/* Makes a folder and its parents; one that is there is fine. 0, or -1 with "PATH: why" in error. */
int store_make_folder(const char *path, char *error, size_t error_size);
/* Replaces the file by these octets. 0, or -1 with "PATH: why" in error; then a file of that name is as it was. */
int store_write(const char *path, const void *octets, size_t len, char *error, size_t error_size);

#endif

/* Files that are whole or not there (see store.h). */
#include "engine/fuzz/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_one(const char *path)
{
    return mkdir(path, 0777) < 0 && errno != EEXIST ? -1 : 0;
}

int store_make_folder(const char *path, char *error, size_t error_size)
{
    char *copy = strdup(path);
    int failed = copy ? 0 : -1;
    for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash && !failed; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        failed = make_one(copy);
        *slash = '/';
    }
    if (!failed)
        failed = make_one(copy);
    if (failed)
        snprintf(error, error_size, "%.400s: %s", path, strerror(errno));
    free(copy);
    return failed;
}

/* All of it, or the reason why not. */
static int write_all(int fd, const uint8_t *octets, size_t len)
{
    while (len) {
        const ssize_t written = write(fd, octets, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? errno : ENOSPC;
        octets += written;
        len -= (size_t)written;
    }
    return 0;
}

int store_write(const char *path, const void *octets, size_t len, char *error, size_t error_size)
{
    char *beside;
    if (asprintf(&beside, "%s.new", path) < 0) {
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int cause = fd < 0 ? errno : write_all(fd, octets, len);
    if (fd >= 0 && close(fd) < 0 && !cause)
        cause = errno;
    if (!cause && rename(beside, path) < 0)
        cause = errno;
    if (cause) {
        unlink(beside);
        snprintf(error, error_size, "%.400s: %s", path, strerror(cause));
    }
    free(beside);
    return cause ? -1 : 0;
}

/* Writes files whole or not at all. */
#include "reports/file.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/text.h"

static int fault(char *error, size_t error_size, const char *path, const char *why)
{
    snprintf(error, error_size, "%s: the report cannot be written: %s", path, why);
    return -1;
}

/* Prints and closes: 0, or what errno would say. */
static int print_and_close(file_printer *print, const void *context, FILE *out)
{
    errno = 0;
    const bool printed = print(context, out);
    const bool flushed = fflush(out) == 0 && !ferror(out);
    const int why = printed ? errno : ENOMEM;
    const bool closed = out == stdout || fclose(out) == 0;
    if (printed && flushed && closed)
        return 0;
    return why ? why : errno ? errno : EIO;
}

/* A pipe or a device is written as it is: there is nothing to replace. */
static bool is_special(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

static int write_in_place(file_printer *print, const void *context, FILE *out, const char *path, char *error, size_t error_size)
{
    const int why = out ? print_and_close(print, context, out) : errno;
    return why ? fault(error, error_size, path, strerror(why)) : 0;
}

int file_write(const char *path, file_printer *print, const void *context, char *error, size_t error_size)
{
    if (strcmp(path, "-") == 0)
        return write_in_place(print, context, stdout, "standard output", error, error_size);
    if (is_special(path))
        return write_in_place(print, context, fopen(path, "wbe"), path, error, error_size);

    char beside[PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
        return fault(error, error_size, path, strerror(ENAMETOOLONG));
    FILE *out = fopen(beside, "wbe");
    if (!out)
        return fault(error, error_size, path, strerror(errno));
    const int why = print_and_close(print, context, out);
    if (why == 0 && rename(beside, path) == 0)
        return 0;
    const int reason = why ? why : errno;
    unlink(beside);
    return fault(error, error_size, path, strerror(reason));
}

bool file_is_below(const char *path)
{
    uint32_t code = 0;
    if (!*path || *path == '/')
        return false;
    for (const char *p = path; *p; p += strcspn(p, "/"), p += *p == '/')
        if (strcspn(p, "/") == 2 && p[0] == '.' && p[1] == '.')
            return false;
    for (size_t len; (len = text_decode(path, &code)) > 0; path += len)
        if (code < 0x20 || code == 0x7f)
            return false;
    return true;
}

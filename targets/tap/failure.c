/* Fills in a target's error. */
#include "targets/tap/failure.h"

#include <stdarg.h>
#include <stdio.h>

bool target_fail(struct target_error *error, enum target_error_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->kind = kind;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

/* What a selector means (see selector.h). */
#include "engine/runner/selector.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

bool selector_means(const char *selector, const char *text)
{
    if (strpbrk(selector, "*?["))
        return fnmatch(selector, text, 0) == 0;
    size_t len = strlen(selector);
    if (len == 0 || strncmp(selector, text, len))
        return false;
    return text[len] == '\0' || selector[len - 1] == '/' || !isalnum((unsigned char)text[len]);
}

/* Distances between words (see closest.h). */
#include "targets/tap/closest.h"

#include <string.h>

enum { WORD_MAX = 32, TOO_FAR = 3 };

/* Levenshtein distance, for short words. */
static size_t distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), row[WORD_MAX + 1];
    if (la > WORD_MAX || lb > WORD_MAX)
        return TOO_FAR;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]), best = replace;
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = best;
        }
    }
    return row[lb];
}

const char *closest_word(const char *typed, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t least = TOO_FAR;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(typed, words[i]);
        if (d < least) {
            least = d;
            best = words[i];
        }
    }
    return best;
}

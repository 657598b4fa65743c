/* Which word somebody meant who misspelled it. */
#ifndef TCPASSAY_TARGETS_TAP_CLOSEST_H
#define TCPASSAY_TARGETS_TAP_CLOSEST_H

#include <stddef.h>

/* The word that differs from what was typed in the fewest letters, two at the most; NULL when there is none. */
const char *closest_word(const char *typed, const char *const *words, size_t count);

#endif

/* What a selector means: ids by whole parts, or by a glob. */
#ifndef TCPASSAY_RUNNER_SELECTOR_H
#define TCPASSAY_RUNNER_SELECTOR_H

#include <stdbool.h>

/* Is it the text, or the beginning of it up to the end of a part ("rfc9293/3.5" means 3.5 and 3.5.2, not 3.51), or a glob (with any
 * of * ? [) that matches all of it? "" means nothing. */
bool selector_means(const char *selector, const char *text);

#endif

/* What the place that text goes to can show: colours, progress that overwrites itself, and how wide it is. */
#ifndef TCPASSAY_CLI_TERMINAL_H
#define TCPASSAY_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
/* "always", "never", "auto". */
bool terminal_parse_color(const char *text, enum color_choice *out);
/* Auto: on a terminal that is not dumb, unless NO_COLOR is set and not empty (no-color.org). */
bool terminal_color(enum color_choice choice, FILE *out);
/* Is it a terminal whose cursor can be moved, so that progress can be shown in one line? */
bool terminal_is_live(FILE *out);
/* Its columns: $COLUMNS when that is set, else what the terminal says; 0 when it is none, and lines may be as long as they like. */
unsigned terminal_width(FILE *out);

#endif

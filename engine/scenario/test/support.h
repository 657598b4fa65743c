/* What the tests of the language share: scenarios out of texts, with the diagnostics in the message when that goes wrong. */
#ifndef TCPASSAY_SCENARIO_TEST_SUPPORT_H
#define TCPASSAY_SCENARIO_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/scenario/scenario.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof *(array))

/* The scenario; fails the test when there is none. Free with scn_free(). */
struct scenario *parse_text(const char *text);
/* As parse_text(), behind a title, so that it is portable. */
struct scenario *parse_portable(const char *steps);
/* The first diagnostic as "LINE:COLUMN: message" into out; fails the test when the text is a scenario. */
void parse_wrong(const char *text, size_t len, char *out, size_t capacity);
/* Printed and parsed again it is the same, and prints the same; fails the test, naming what, otherwise. */
void assert_round_trip(const char *what, const struct scenario *scenario);

/* Calls visit for each .pkt file in the folder, in order of their names; returns how many there were. */
unsigned each_script(const char *folder, void (*visit)(const char *path, void *context), void *context);
/* The file's octets, terminated; fails the test when there is none. Free with free(). */
char *read_file(const char *path, size_t *len);

#endif

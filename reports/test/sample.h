/* A small run with one test of every kind, and a hostile one, for the tests of results and reports. */
#ifndef TCPASSAY_REPORTS_TEST_SAMPLE_H
#define TCPASSAY_REPORTS_TEST_SAMPLE_H

#include "reports/results.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

extern const struct result_run sample_run;
extern const struct result_test sample_tests[]; /* not in order of ids */
extern const size_t sample_count;
/* A few rules and transitions, and one choice of each unit. */
void sample_model(struct result_model *out);

/* A new directory for a test's files, and its removal with all that is in it. */
enum { SAMPLE_DIR_MAX = 64 };
void sample_dir_make(char out[static SAMPLE_DIR_MAX]);
void sample_dir_remove(const char *dir);

/* Everything a string can do to a format: markup of all of them, controls, bytes that are no UTF-8, marks that reorder text. */
extern const char sample_hostile_text[];

/* The sample run, written and read back; the caller frees. hostile puts sample_hostile_text, or a string of 1 MB, wherever a
 * string can stand. */
enum sample_kind { SAMPLE_PLAIN, SAMPLE_HOSTILE, SAMPLE_HUGE, SAMPLE_EMPTY };
struct results *sample_results(enum sample_kind kind);

/* The file's bytes, NUL-terminated; the caller frees. */
char *sample_slurp(const char *path, size_t *len);

#endif

/* What the two halves of `tcpassay selftest` share: the matrix of tests and faults (selftest.c), and that of the model's rules and
 * faults (selftest_rules.c). */
#ifndef TCPASSAY_CLI_SELFTEST_H
#define TCPASSAY_CLI_SELFTEST_H

#include "engine/cli/cli.h"
#include "engine/runner/schedule.h"

/* The stack that is sabotaged: a target's name. */
#define SELFTEST_WRAPPED "reference"
enum {
    SELFTEST_FAULTS_MAX = 320, SELFTEST_FAULT_TEXT_MAX = 80,
    SELFTEST_LATEST_BEGINNING = 16, /* segments of one kind in a preamble are fewer */
};

struct selftest_plays {
    const char *fault;             /* "NAME" or "NAME@N"; NULL: the stack is played on as it is */
    const struct suite_test *const *tests;
    size_t test_count;
    uint64_t seed;
    bool judged;                   /* by the model, too */
    int (*finished)(void *context, const struct suite_test *test, struct result_test *result, const struct player *player);
    void *context;
};
/* Plays the tests, one after the other. An exit code, with what went wrong told on stderr. */
int selftest_play(const struct selftest_plays *plays);

/* Is there a fault "NAME@N"? Its text into out. */
bool selftest_later_fault(const char *name, unsigned n, char out[static SELFTEST_FAULT_TEXT_MAX]);
/* "; did you mean "x"?" for a fault that does not exist, or nothing; into out, which is returned. */
enum { SELFTEST_HINT_MAX = 96 };
const char *selftest_suggestion(const char *fault, char out[static SELFTEST_HINT_MAX]);
/* A field of a tab-separated table, and what stands behind it. */
void selftest_put_field(FILE *out, const char *text, char after);
/* How far a long search is, on a terminal only; NULL: wipes it away. */
void selftest_progress(const char *what, size_t done, size_t all);

/* ---- selftest_rules.c */

struct selftest_rules {
    const char *suite_folder;      /* where the table of rules lies, "rules.tsv"; NULL: the program's own */
    const struct suite_test *const *tests; /* those that the selectors mean */
    size_t test_count;
    bool whole_suite;              /* they are all there are: what none of them does is said. Else only rows about them count */
    uint64_t seed;
    FILE *words;                   /* where sentences go */
    const char *out;               /* where a table of plays goes; NULL: of a search, standard output, else nowhere */
};
/* Plays what the table of rules lists. An exit code. */
int selftest_rules_check(const struct selftest_rules *rules);
/* Plays each test with each of the faults and writes what the model finds. An exit code. */
int selftest_rules_search(const struct selftest_rules *rules, const char *const *faults, size_t fault_count);

#endif

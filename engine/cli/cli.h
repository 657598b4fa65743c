/* What the commands of `tcpassay` share: exit codes, targets by name, where the suite lies, and how an error is told. */
#ifndef TCPASSAY_CLI_CLI_H
#define TCPASSAY_CLI_CLI_H

#include <stdio.h>

#include "engine/runner/suite.h"
#include "engine/runner/target.h"

enum exit_code { EXIT_OK = 0, EXIT_TESTS_FAILED = 1, EXIT_USAGE = 2, EXIT_UNABLE = 3, EXIT_INTERRUPTED = 130 };

/* The commands: argv[0] is the command's name. They return an exit code. */
int command_run(int argc, char **argv);
int command_list(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_check(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_targets(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_agent(int argc, char **argv);
int command_selftest(int argc, char **argv);
int command_probe(int argc, char **argv);
int command_fuzz(int argc, char **argv);
int command_report(int argc, char **argv);

/* "tcpassay run: what went wrong" to stderr. */
void cli_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Tells that an argument is wrong and where help is; returns EXIT_USAGE. */
int cli_usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Every driver there is, ended by NULL. */
extern const struct target_driver *const cli_drivers[];
/* "linux", "saboteur:x,linux" → its driver and the argument behind the colon ("" without one). NULL: no such target. */
const struct target_driver *cli_find_driver(const char *target, const char **argument);

/* A target as a user names it: "linux", "tap:tap0,iut=…", or a target file by its name or path (target_file.h). */
struct cli_target { const struct target_driver *driver; const char *argument; char *text; /* "tap:tap0,iut=…"; owned */ };
/* 0, or an exit code with the reason told. */
int cli_open_name(const char *command, const char *name, struct cli_target *out);
void cli_target_release(struct cli_target *target);

/* A file or folder that belongs to the program ("tests-suite", "targets/linux/ledger.json"): below $TCPASSAY_DATA, beside an
 * installed program, or in the source tree it was built from. Returns a malloc'ed path, or NULL with a message on stderr. */
char *cli_data_path(const char *command, const char *name);

/* Loads the suite (folder, or the program's own when NULL) and any selectors that are .pkt files, and expands it. Files with errors
 * that a selector means (all of them without selectors) are reported on stderr, and counted in *broken. 0, or an exit code. */
int cli_load_suite(const char *command, const char *folder, char *const *selectors, int selector_count, struct suite *suite,
                   unsigned *broken);
/* Does this selector, or id, belong to the state×event matrix? Its cases are made only when one such is given. */
bool cli_is_matrix(const char *selector);
/* Adds the ways in of the matrix that a selector may mean. 0, or an exit code. */
int cli_load_matrix(const char *command, char *const *selectors, int selector_count, struct suite *suite);
/* A case of the matrix, or a file of scenarios, as text that anybody can run; malloc'ed. NULL: out of memory, or unreadable. */
char *cli_scenario_text(const struct suite_test *test);
/* The tests that any of the selectors means and that belong to the profile (a test named by its whole id, its own or another
 * suite's, always does), in order. Complains about a selector that means nothing, or another suite's test for which nothing stands.
 * The list is malloc'ed. 0, or an exit code. */
int cli_select_tests(const char *command, const struct suite *suite, char *const *selectors, int selector_count,
                     enum scn_profile profile, const struct suite_test ***tests, size_t *count);
/* "quick" → SCN_QUICK. */
bool cli_parse_profile(const char *text, enum scn_profile *out);
/* A whole decimal number between the bounds; false otherwise. */
bool cli_parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *out);

/* Makes the machine's stops orderly: the first SIGINT or SIGTERM sets the flag, the second ends the process at once with 130. */
#include <signal.h>
extern volatile sig_atomic_t cli_interrupted;
void cli_catch_interrupts(void);

/* The saboteur's faults, a line each, under headings. */
void cli_list_faults(FILE *out);

#endif

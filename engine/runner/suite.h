/* The tests there are: .pkt files under a folder, their sub-tests, and which of them a selector means. */
#ifndef TCPASSAY_RUNNER_SUITE_H
#define TCPASSAY_RUNNER_SUITE_H

#include "engine/runner/mapping.h"
#include "engine/scenario/scenario.h"

struct suite_file {
    char *path;                    /* as opened */
    char *name;                    /* relative to the suite's root, or as given: what results call the file */
    char *id;                      /* "rfc9293/3.5/closed-port" */
    struct scenario *scenario;     /* NULL when it does not parse */
    struct scn_diagnostics diagnostics;
};

struct suite_test {                /* one sub-test */
    const struct suite_file *file;
    unsigned variant;
    char *id;                      /* the file's id and the variant's suffix */
};

struct suite {
    struct suite_file *files;
    size_t file_count;
    struct suite_test *tests;      /* of all files that parse, ordered by id */
    size_t test_count;
};

/* Reads every .pkt file under root. A folder named "3.5-establishing" counts as "3.5" in ids. 0, or -1 when root cannot be read.
 * Files with errors are in the suite, with their diagnostics and without tests. */
int suite_load_folder(struct suite *suite, const char *root, char *error, size_t error_size);
/* Is this a file of octets that are a scenario (engine/scenario/bytes/bytes.h), with their magic? */
bool suite_is_octets(const char *path);
/* Adds one file, of text or of octets; its id is its name without .pkt. */
int suite_load_file(struct suite *suite, const char *path, char *error, size_t error_size);
/* Adds a file as octets, whatever it begins with: any octets are a scenario. */
int suite_load_octets(struct suite *suite, const char *path, char *error, size_t error_size);
/* Adds a scenario that is in no file, under this id; takes it over, also when it fails. */
int suite_add(struct suite *suite, const char *id, struct scenario *scenario, char *error, size_t error_size);
/* Call once after loading: makes the list of tests. 0, or -1 when memory is out or two tests share an id. */
int suite_expand(struct suite *suite, char *error, size_t error_size);
void suite_release(struct suite *suite);

/* Does the selector mean this test? An id or a prefix of one that ends where a part ends ("rfc9293/3.5" means 3.5 and 3.5.2,
 * not 3.51), a glob, covers:ID, where ID may be a prefix or a glob too, or any of these for ids of other suites (mapping.h). */
bool suite_selects(const char *selector, const struct suite_test *test);
/* The same for a file's id, whether it parses or not. */
bool suite_selects_file(const char *selector, const struct suite_file *file);
/* Does the test, or the file, of this id and scenario stand for another suite's? */
bool suite_stands_for(const struct mapping *row, const char *id, const struct scenario *scenario);

#endif

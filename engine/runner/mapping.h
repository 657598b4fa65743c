/* The tests of other suites by their own names, and which of ours stand for each: OPEN Alliance TC8 ("tc8/TCP_CLOSING_03"),
 * FreeBSD's tcp-testsuite ("freebsd/rcv-rst-closed"), packetimpact ("packetimpact/tcp_zero_window_probe").
 *
 * The rows come from tests-suite/mappings/ (a .tsv file for each suite, named after it; docs/tc8.md tells what its columns mean)
 * and are compiled in as one constant table, so nothing here allocates, fails or changes. Rows are ordered by id, numbers by value.
 */
#ifndef TCPASSAY_RUNNER_MAPPING_H
#define TCPASSAY_RUNNER_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

enum { MAPPING_SELECTOR_MAX = 160 }; /* octets of one selector of a row, its NUL included; the build checks it */

struct mapping {
    const char *id;        /* the suite's name, "/", and what its authors call the test */
    const char *purpose;   /* what it asks, in our words; "" when that is not public */
    const char *tests;     /* selectors of ours that stand for it, a blank between them; "" for none */
    const char *certainty; /* how its purpose is known: a key of mapping_certainty() */
    const char *note;      /* what differs, or why none stands for it; "" for nothing */
};

size_t mapping_count(void);
/* The i-th row in order of ids; i < mapping_count(). */
const struct mapping *mapping_at(size_t i);
/* The row of that id, compared exactly; NULL when there is none. */
const struct mapping *mapping_find(const char *id);
/* The next row that the selector means, from *cursor (0 at first) on; NULL after the last, and where !mapping_is_meant(). */
const struct mapping *mapping_next(const char *selector, size_t *cursor);
/* Does the selector speak of another suite's tests: is its first part such a suite's name? */
bool mapping_is_meant(const char *selector);
/* Takes the next selector off *tests, which begins as a row's tests. False at the end. */
bool mapping_selector(const char **tests, char out[MAPPING_SELECTOR_MAX]);
/* What a certainty is in words: "read in its source". NULL for what is none. */
const char *mapping_certainty(const char *certainty);

#endif

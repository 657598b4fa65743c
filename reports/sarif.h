/* SARIF 2.1.0 logs (OASIS, 27 March 2020), as code scanning reads them: of runs (format_sarif.c), and of whatever else finds
 * something. */
#ifndef TCPASSAY_REPORTS_SARIF_H
#define TCPASSAY_REPORTS_SARIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/model/catalogue.h"

enum sarif_level { SARIF_NOTE, SARIF_WARNING, SARIF_ERROR };

struct sarif_finding { /* strings may hold anything; NULL is "" */
    const char *rule;        /* of the model ("ack-of-data-never-sent"), or any other word: "expect", "crash" */
    const char *requirement; /* of the catalogue: gives the SARIF rule its id, text and link; "": rule does */
    enum sarif_level level;
    const char *message;     /* one sentence */
    const char *expected, *observed;
    const char *subject;     /* what was tested: a test's id, a finding's name; goes into the fingerprint */
    size_t base;             /* which of the log's folders file is relative to */
    const char *file;        /* the scenario; "": none */
    uint32_t line;           /* in file; 0: nowhere in particular */
    const char *known;       /* why it is accepted: makes it suppressed; NULL: it is not. May be "" */
};

struct sarif_notice { /* of the tester's own: what it could not do */
    enum sarif_level level;
    const char *message, *subject;
};

struct sarif_base { const char *name, *text; }; /* a folder: its uriBaseId ("TESTS-SUITE"), and what it is */

struct sarif_log {
    const char *version;      /* of the program */
    const char *category;     /* tells runs apart that are uploaded for the same commit: "tcpassay/linux" */
    const struct sarif_base *bases;
    size_t base_count;
    const char *started;      /* RFC 3339, UTC; left out when it is not */
    bool complete;            /* the work was done to its end, without errors of the tester */
    const struct sarif_finding *findings;
    size_t finding_count;
    const struct sarif_notice *notices;
    size_t notice_count;
};

/* The log. Fingerprints depend on rule, requirement and subject alone, and on how many before are alike: they stay when messages,
 * numbers or lines change. False when memory ran out; errors of the stream stay in ferror(). */
bool sarif_print(const struct sarif_log *log, FILE *out);

/* MUST is an error, SHOULD a warning, everything below a note. */
enum sarif_level sarif_level_of(enum requirement_level level);

#endif

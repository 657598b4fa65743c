/* Results of a run: in memory, and in DIR/results.jsonl, the file that every report is made from.
 *
 * The file (docs/results.md) has one JSON object a line: a run header, one line for each finished scenario, and an end line,
 * which is absent when the run was cut short. A crash or a kill therefore loses nothing that was finished, but for a last line
 * torn in half, which the reader drops (and says so) and a resuming writer truncates.
 *
 * Strings: all are NUL-terminated bytes from anywhere, nothing is trusted. NULL is written as "". Bytes that are no UTF-8 are
 * written as U+FFFD, so what a reader gives back is always valid UTF-8. Times are nanoseconds; those of events and findings
 * count from the start of their test.
 */
#ifndef TCPASSAY_REPORTS_RESULTS_H
#define TCPASSAY_REPORTS_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/model/catalogue.h"
#include "engine/model/coverage.h"
#include "engine/model/portrait.h"

enum { RESULTS_SCHEMA = 1 };

/* ---- in memory ------------------------------------------------------------------------------------------------- */

enum verdict {
    VERDICT_PASS,
    VERDICT_FAIL,           /* a MUST or MUST NOT was seen violated (under --strict also a SHOULD) */
    VERDICT_INCONCLUSIVE,   /* the purpose could not be decided */
    VERDICT_ERROR,          /* the tester failed: says nothing about the IUT */
    VERDICT_NOT_APPLICABLE, /* the IUT or the target lacks what the test needs */
    VERDICT_COUNT
};
/* "pass", "fail", "inconclusive", "error", "not_applicable": as in the files. */
const char *verdict_text(enum verdict verdict);
bool verdict_parse(const char *text, enum verdict *out);

/* The order in which tests are listed: numbers by value, and a folder before what only begins with its name, so that section 3.5
 * comes before 3.5.1, and 3.9 before 3.10. Less than, equal to (only of equal strings) or greater than 0. */
int result_id_compare(const char *left, const char *right);

struct result_setting {
    const char *name, *value;
};

struct result_run { /* the header: known before the first test starts */
    const char *tcpassay;        /* version of the program that ran; NULL given to a writer: this one's */
    const char *target_name;     /* as on the command line: "linux" */
    const char *target_description;
    const struct result_setting *pixit; /* the target's parameters: addresses, sysctls, versions */
    size_t pixit_count;
    const char *started;         /* RFC 3339, UTC: "2025-01-31T12:00:00Z" */
    int64_t seed;                /* 0 … 2^63-1, so that JSON integers hold it */
    const char *profile;         /* "quick", "full", "soak" */
    const char *const *selectors; /* as on the command line */
    size_t selector_count;
    uint32_t planned;            /* how many tests the run set out to run; 0: not known */
};

enum result_event_kind {
    RESULT_SENT,      /* a segment to the IUT */
    RESULT_RECEIVED,  /* a segment from the IUT */
    RESULT_CALL,      /* the upper tester called the IUT */
    RESULT_RETURN,    /* … and what that returned */
    RESULT_STATE,     /* a state of the connection, as asked or as inferred */
    RESULT_NOTE,
    RESULT_DROPPED,   /* a segment that the link lost on purpose */
    RESULT_EVENT_COUNT
};
const char *result_event_kind_text(enum result_event_kind kind); /* "sent" */
bool result_event_kind_parse(const char *text, enum result_event_kind *out);

struct result_event { /* one line of a test's trace */
    int64_t at_ns;
    enum result_event_kind kind;
    uint32_t index;      /* of a segment: its number in the test, from 1, which is its frame number in the pcap; 0: no segment */
    uint32_t step;       /* line of the scenario file whose step this belongs to; 0: none */
    const char *segment; /* a segment as the scenario language writes it: "< S 0:0(0) win 65535"; "" of other kinds */
    const char *text;    /* everything else in words: the call, the value, the note */
};

struct result_finding {
    const char *rule;        /* what was broken, by the judge's name for it: "expect", "never", "state", or a rule of the model */
    const char *requirement; /* "RFC9293:MUST-40"; "" when none is known: counts against all that the test covers */
    enum requirement_level level; /* SHOULD and SHOULD NOT make it a deviation */
    const char *message;     /* one sentence */
    const char *expected, *observed;
    int64_t at_ns;
    uint32_t segment;        /* the offending segment's result_event.index; 0: none, as when something did not come */
};

struct result_test {
    const char *id;          /* "rfc9293/3.8.6.3/ack-within-500ms": unique in a run; of two lines with one id the later counts */
    const char *title;
    enum verdict verdict;
    const char *reason;      /* one sentence for every verdict but pass */
    int64_t started_ns;      /* since the run began; 0 in virtual time, where every test begins at zero */
    int64_t duration_ns;
    const char *const *covers; /* requirement ids */
    size_t cover_count;
    enum requirement_level level; /* the scenario's own */
    const struct result_finding *findings; /* the first is the one that the verdict rests on */
    size_t finding_count;
    bool known;              /* the target's ledger lists this test as failing, for a reason checked by hand */
    const char *known_note;  /* that reason */
    uint32_t reruns;         /* how often it was run again because the tester's own timing was disturbed */
    const char *file;        /* the scenario, as a path from the suite's root or as given */
    uint32_t line;           /* in file, where the verdict was decided; 0: nowhere in particular */
    const char *pcap;        /* path of the capture within the results' directory; "" when none was kept */
    const struct result_setting *pixit; /* settings that this test asked for, beyond the target's own */
    size_t pixit_count;
    const struct result_event *trace;
    size_t trace_count;
    const char *const *transitions; /* changes of the IUT's state that were certain, each once: coverage_changes() */
    size_t transition_count;
};

/* A failure that the ledger does not know: what makes a run exit with 1. */
static inline bool result_is_new_failure(const struct result_test *test)
{
    return test->verdict == VERDICT_FAIL && !test->known;
}

/* What the model saw: in a line of the journal since the line before of its kind, in memory and in a document all of it. */
struct result_model {
    struct coverage coverage;
    struct portrait portrait;
};
void result_model_add(struct result_model *sum, const struct result_model *more);

/* The texts of scenarios, for reports that show them. */
struct result_sources {
    char *(*text)(const struct result_sources *sources, const char *file); /* by result_test.file, malloc'ed; NULL: not at hand */
};

struct results { /* of results_read(), which owns all of it; tests are in the order of result_id_compare() */
    const char *dir;         /* where the file lies, and what a test's pcap is relative to; "" when read from memory */
    struct result_run run;
    const struct result_test *tests;
    size_t test_count;
    bool finished;           /* the end line is there */
    int64_t duration_ns;     /* the end lines added up, one a stretch of a resumed run; 0 without one */
    struct result_model model; /* zero where nothing was judged */
    bool torn;               /* the last line was cut off, and left out */
    const struct result_sources *sources; /* NULL, unless whoever has read the results has the scenarios, too, and sets it */
};

struct results_summary {
    uint32_t verdicts[VERDICT_COUNT];
    uint32_t known;          /* of the failures, those in the ledger */
    uint32_t deviations;     /* findings of level SHOULD or SHOULD NOT, of tests that do not fail */
};
void results_summarise(const struct result_test *tests, size_t count, struct results_summary *out);
/* The number of deviations of one test: 0 when it fails. */
uint32_t result_deviations(const struct result_test *test);

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* Errors: functions that take (error, error_size) write there what went wrong, where, and what to do next, as one line of text.
 *
 * Each line goes out in one write(2). When that fails or is cut short (a full disk), the file is truncated to its last whole line,
 * so that what was there stays readable, and the call returns -1; the next call tries again. Lines are not synced one by one: a
 * killed process loses nothing, a machine that loses power may lose the last lines. The header and the end are synced. */
struct results_writer;

enum results_mode {
    RESULTS_REPLACE, /* a new run: an earlier results.jsonl of the directory is replaced once the new header is safely written */
    RESULTS_RESUME,  /* goes on with an earlier run; starts a new one when there is no results.jsonl */
};

/* Creates dir, parents too, when it is missing, and locks it against a second run. The header given to a resuming writer is
 * ignored when the file has one. NULL with the reason in error. */
struct results_writer *results_writer_open(const char *dir, enum results_mode mode, const struct result_run *run, char *error,
                                           size_t error_size);
/* Appends one finished test. Everything is copied out before it returns. 0, or -1: see results_writer_error(). */
int results_writer_test(struct results_writer *writer, const struct result_test *test);
/* Appends what the model saw since this was last called (for the first time: since the start of this stretch). 0 or -1. */
int results_writer_model(struct results_writer *writer, const struct result_model *seen);
/* Appends the end line: the run was not cut short. duration_ns is that of this stretch of a resumed run. 0 or -1. */
int results_writer_end(struct results_writer *writer, int64_t duration_ns);
/* Why the last call failed; valid until the next one. */
const char *results_writer_error(const struct results_writer *writer);
/* Closes without an end line when there was none. NULL is fine. */
void results_writer_close(struct results_writer *writer);

/* ---- reading --------------------------------------------------------------------------------------------------- */

/* Bounds of what is read; whatever exceeds one is an error that names it. A writer refuses to write what a reader would refuse. */
enum {
    RESULTS_LINE_BYTES_MAX = 16 << 20,     /* one test, its trace included */
    RESULTS_DOCUMENT_BYTES_MAX = 64 << 20, /* a results.json; a results.jsonl may be of any length */
    RESULTS_TESTS_MAX = 1 << 20,
    RESULTS_ID_BYTES_MAX = 1024,
};

/* Reads a directory's results.jsonl, a results.jsonl, or a results.json (which holds the same). NULL with "file:line: what" in
 * error. A torn last line is no error: results.torn. The caller frees with results_free(). */
struct results *results_read(const char *path, char *error, size_t error_size);
/* The same from memory, name standing in for the path in messages. */
struct results *results_read_bytes(const char *bytes, size_t len, const char *name, char *error, size_t error_size);
void results_free(struct results *results);

/* The test of that id, or NULL. O(log n). */
const struct result_test *results_find(const struct results *results, const char *id);

#endif

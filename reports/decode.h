/* JSON values back into results, with every type, range and name checked: the other half of encode.h. */
#ifndef TCPASSAY_REPORTS_DECODE_H
#define TCPASSAY_REPORTS_DECODE_H

#include <jansson.h>

#include "reports/arena.h"
#include "reports/results.h"

struct decoder {
    struct arena *arena;  /* everything decoded lives here */
    char path[96];        /* where in the value: "tests[3].findings[0]" */
    bool failed;          /* the first fault stays */
    char error[512];      /* "findings[0].at_ns: expected a whole number, found a string" */
};

/* Each returns !decoder->failed. Keys that are not known are left alone: documents grow. What is absent is "", 0, false or
 * empty, but a test's id and verdict and a document's schema, which must be there. */
bool decode_run(struct decoder *d, const json_t *object, struct result_run *out); /* of a header line or of a document */
bool decode_test(struct decoder *d, const json_t *object, struct result_test *out);
/* Adds what a journal's line, or a document, says the model saw. Names that this program does not know are left alone. */
bool decode_model(struct decoder *d, const json_t *object, struct result_model *sum);
bool decode_whole(struct decoder *d, const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out);
bool decode_bool(struct decoder *d, const json_t *object, const char *key, bool *out);
bool decode_string(struct decoder *d, const json_t *object, const char *key, const char **out);
/* The list of that key, or NULL for none. */
const json_t *decode_list(struct decoder *d, const json_t *object, const char *key);
/* Notes a fault at path.key; returns false. */
bool decode_fault(struct decoder *d, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

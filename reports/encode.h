/* Results as JSON values: the same objects stand in results.jsonl and in results.json. */
#ifndef TCPASSAY_REPORTS_ENCODE_H
#define TCPASSAY_REPORTS_ENCODE_H

#include <jansson.h>

#include "reports/results.h"

/* Each gives a new reference, or NULL when memory ran out. Strings are made valid UTF-8 on the way. */
json_t *encode_run(const struct result_run *run);    /* the header line, "type" and "schema" first */
json_t *encode_target(const struct result_run *run); /* its "target" alone */
json_t *encode_test(const struct result_test *test); /* without "type" */
json_t *encode_end(int64_t duration_ns);
json_t *encode_model(const struct result_model *model); /* a line of its own */
json_t *encode_coverage(const struct coverage *coverage);
json_t *encode_portrait(const struct portrait *portrait);
json_t *encode_string(const char *text);

/* Sets object's key to value, whose reference it takes; false when value is NULL or memory ran out. */
bool encode_put(json_t *object, const char *key, json_t *value);

#endif

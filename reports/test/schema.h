/* A JSON Schema validator for the words that results.schema.json uses, so that the schema and the report cannot drift apart. */
#ifndef TCPASSAY_REPORTS_TEST_SCHEMA_H
#define TCPASSAY_REPORTS_TEST_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* True when value follows schema; else where and why not in error. A word of the schema that is not known here is a fault too. root
 * is what "#/…" references start from. */
bool schema_check(const json_t *root, const json_t *schema, const json_t *value, char *error, size_t error_size);

#endif

/* Writes JSON piece by piece onto a stream, without building it in memory: for the formats whose documents are long. */
#ifndef TCPASSAY_REPORTS_EMIT_H
#define TCPASSAY_REPORTS_EMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct emit {
    FILE *out;
    bool comma;    /* something stands before, in the object or list that is open */
    bool newline;  /* the next value begins a line of its own */
};

/* What each adds is a member of that key in an object, and key NULL in a list or at the top. Whether the brackets match is up to
 * the caller; errors of the stream stay in ferror(). Octets that are no UTF-8 are written as U+FFFD, a text of NULL as "". */
void emit_object(struct emit *emit, const char *key);
void emit_object_end(struct emit *emit);
void emit_list(struct emit *emit, const char *key);
void emit_list_end(struct emit *emit);
void emit_string(struct emit *emit, const char *key, const char *text);
void emit_whole(struct emit *emit, const char *key, int64_t value);
void emit_bool(struct emit *emit, const char *key, bool value);

/* A string of JSON, with its quotes. */
void emit_quoted(const char *text, FILE *out);

#endif

/* The requirement catalogue: what the RFCs ask of a TCP, one entry a requirement, known by a stable id ("RFC9293:MUST-10").
 *
 * The entries come from engine/model/requirements/ (.tsv files, see the README there) and are compiled in as one constant table, so
 * nothing here allocates, fails or changes. Entries are ordered by id, numbers by value (strverscmp): MUST-2 stands before MUST-10.
 */
#ifndef TCPASSAY_MODEL_CATALOGUE_H
#define TCPASSAY_MODEL_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

enum requirement_level { /* RFC 2119; REQUIRED and SHALL count as MUST, RECOMMENDED as SHOULD, OPTIONAL as MAY */
    LEVEL_UNSTATED,      /* of something that is no requirement of the catalogue */
    LEVEL_MUST,
    LEVEL_MUST_NOT,
    LEVEL_SHOULD,
    LEVEL_SHOULD_NOT,
    LEVEL_MAY,
    LEVEL_RULE,          /* normative text without a capitalised keyword: formulas, steps of an algorithm */
    LEVEL_COUNT
};

/* "MUST NOT"; "" for LEVEL_UNSTATED. */
const char *requirement_level_text(enum requirement_level level);
/* The other way round, "REQUIRED" and its like included; false when text is no level. "" is LEVEL_UNSTATED. */
bool requirement_level_parse(const char *text, enum requirement_level *out);
/* SHOULD and SHOULD NOT: not following it is a deviation, not a failure. */
static inline bool requirement_level_is_should(enum requirement_level level)
{
    return level == LEVEL_SHOULD || level == LEVEL_SHOULD_NOT;
}

struct requirement {
    const char *id;         /* "RFC9293:MUST-10", "RFC5961:3.2-a" */
    enum requirement_level level;
    const char *section;    /* "3.5"; of a label that the RFC uses twice, both: "3.8.5, 3.9.1.2" */
    const char *text;       /* RFC 9293: the RFC's own sentence, two of them as "§3.8.5: … §3.9.1.2: …"; others: our paraphrase */
    const char *observable; /* "wire", "wire+app" (an application action must be driven or seen), or "internal: why it cannot be tested" */
};

size_t requirement_count(void);
/* The i-th entry in order of ids; i < requirement_count(). */
const struct requirement *requirement_at(size_t i);
/* The entry of that id, compared exactly; NULL when there is none. O(log n). */
const struct requirement *requirement_find(const char *id);
/* The next entry whose id starts with prefix, from *cursor (0 at first) on; NULL after the last. "" gives all of them. */
const struct requirement *requirement_next(const char *prefix, size_t *cursor);
/* False for those whose observable is "internal: …": no black-box test can decide them. */
bool requirement_is_testable(const struct requirement *requirement);

#endif

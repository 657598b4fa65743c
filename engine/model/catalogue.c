/* Serves the requirement catalogue: a constant table sorted by id, searched by halving. */
#include "engine/model/catalogue.h"

#include <assert.h>
#include <string.h>

static const struct requirement entries[] = {
#include "requirements.inc"
};

enum { ENTRY_COUNT = sizeof entries / sizeof entries[0] };

static const char *const level_texts[] = {
    [LEVEL_UNSTATED] = "",
    [LEVEL_MUST] = "MUST",
    [LEVEL_MUST_NOT] = "MUST NOT",
    [LEVEL_SHOULD] = "SHOULD",
    [LEVEL_SHOULD_NOT] = "SHOULD NOT",
    [LEVEL_MAY] = "MAY",
    [LEVEL_RULE] = "RULE",
};
static_assert(sizeof level_texts / sizeof level_texts[0] == LEVEL_COUNT, "a text for each level");

static const struct {
    const char *text;
    enum requirement_level level;
} level_synonyms[] = { /* RFC 2119 §1-5 */
    { "REQUIRED", LEVEL_MUST },
    { "SHALL", LEVEL_MUST },
    { "SHALL NOT", LEVEL_MUST_NOT },
    { "RECOMMENDED", LEVEL_SHOULD },
    { "NOT RECOMMENDED", LEVEL_SHOULD_NOT },
    { "OPTIONAL", LEVEL_MAY },
};

const char *requirement_level_text(enum requirement_level level)
{
    assert((unsigned)level < LEVEL_COUNT);
    return level_texts[level];
}

bool requirement_level_parse(const char *text, enum requirement_level *out)
{
    for (unsigned i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(text, level_texts[i]) == 0) {
            *out = (enum requirement_level)i;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof level_synonyms / sizeof level_synonyms[0]; i++) {
        if (strcmp(text, level_synonyms[i].text) == 0) {
            *out = level_synonyms[i].level;
            return true;
        }
    }
    return false;
}

size_t requirement_count(void)
{
    return ENTRY_COUNT;
}

const struct requirement *requirement_at(size_t i)
{
    assert(i < ENTRY_COUNT);
    return &entries[i];
}

const struct requirement *requirement_find(const char *id)
{
    size_t low = 0, high = ENTRY_COUNT;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strverscmp(entries[middle].id, id);
        if (order == 0)
            return &entries[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct requirement *requirement_next(const char *prefix, size_t *cursor)
{
    const size_t len = strlen(prefix);
    while (*cursor < ENTRY_COUNT) {
        const struct requirement *r = &entries[(*cursor)++];
        if (strncmp(r->id, prefix, len) == 0)
            return r;
    }
    return NULL;
}

bool requirement_is_testable(const struct requirement *requirement)
{
    return strncmp(requirement->observable, "internal", strlen("internal")) != 0;
}

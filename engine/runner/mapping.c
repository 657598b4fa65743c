/* Serves the table of other suites' tests: constant, sorted by id (see mapping.h). */
#include "engine/runner/mapping.h"

#include <assert.h>
#include <string.h>

#include "engine/runner/selector.h"

static const struct mapping entries[] = {
#include "mappings.inc"
};

enum { ENTRY_COUNT = sizeof entries / sizeof entries[0] };

static const struct {
    const char *certainty, *words;
} certainties[] = {
    {"source", "read in its public source"},
    {"twice", "told by a public implementation of the specification; a second, independent one has a test of this name"},
    {"once", "told by one public implementation of the specification"},
    {"name", "inferred from its name: its authors have written no more"},
    {"unknown", "not public: only the name is known"},
};

size_t mapping_count(void)
{
    return ENTRY_COUNT;
}

const struct mapping *mapping_at(size_t i)
{
    assert(i < ENTRY_COUNT);
    return &entries[i];
}

const struct mapping *mapping_find(const char *id)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (!strcmp(entries[i].id, id))
            return &entries[i];
    return NULL;
}

const struct mapping *mapping_next(const char *selector, size_t *cursor)
{
    if (!mapping_is_meant(selector))
        *cursor = ENTRY_COUNT;
    while (*cursor < ENTRY_COUNT) {
        const struct mapping *row = &entries[(*cursor)++];
        if (selector_means(selector, row->id))
            return row;
    }
    return NULL;
}

bool mapping_is_meant(const char *selector)
{
    const size_t len = strcspn(selector, "/");
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (!strncmp(entries[i].id, selector, len) && entries[i].id[len] == '/')
            return true;
    return false;
}

bool mapping_selector(const char **tests, char out[MAPPING_SELECTOR_MAX])
{
    *tests += strspn(*tests, " ");
    const size_t len = strcspn(*tests, " ");
    assert(len < MAPPING_SELECTOR_MAX);
    memcpy(out, *tests, len);
    out[len] = '\0';
    *tests += len;
    return len > 0;
}

const char *mapping_certainty(const char *certainty)
{
    for (size_t i = 0; i < sizeof certainties / sizeof certainties[0]; i++)
        if (!strcmp(certainties[i].certainty, certainty))
            return certainties[i].words;
    return NULL;
}

/* Turns the tables of other suites' tests (.tsv) into the C table that engine/runner/mapping.c includes; runs at build time and
 * checks every row: engine/embed/table.h.
 *
 * A table is named after its suite, which stands before its ids; "-" is an empty field. Whether its selectors mean anything is for
 * the tests of engine/runner, which have the suite.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "engine/embed/table.h"
#include "engine/runner/mapping.h"

enum column { ID, PURPOSE, TESTS, CERTAINTY, NOTE };

static bool is_certainty(const char *text)
{
    static const char *const certainties[] = {"source", "twice", "once", "name", "unknown"};
    for (size_t i = 0; i < sizeof certainties / sizeof *certainties; i++)
        if (!strcmp(certainties[i], text))
            return true;
    return false;
}

static bool selectors_fit(const char *tests)
{
    for (size_t len; *tests; tests += len + (tests[len] == ' ')) {
        len = strcspn(tests, " ");
        if (len == 0 || len >= MAPPING_SELECTOR_MAX)
            return false;
    }
    return true;
}

/* ".../tc8.tsv" → "tc8/TCP_BASICS_01". False: too long. */
static bool name_with_suite(struct embed_row *r)
{
    const char *slash = strrchr(r->file, '/'), *name = slash ? slash + 1 : r->file;
    return snprintf(r->id, sizeof r->id, "%.*s/%s", (int)strcspn(name, "."), name, r->cell[ID]) < (int)sizeof r->id;
}

static const char *fault(struct embed_row *r)
{
    const bool known = strcmp(r->cell[PURPOSE], "-") != 0, mapped = strcmp(r->cell[TESTS], "-") != 0;
    if (!is_certainty(r->cell[CERTAINTY]))
        return "the certainty is none of source, twice, once, name, unknown";
    if (known == !strcmp(r->cell[CERTAINTY], "unknown"))
        return "a purpose is told where it is known, and only there";
    if (mapped && !known)
        return "nothing can stand for a test whose purpose is unknown";
    if (!mapped && !strcmp(r->cell[NOTE], "-"))
        return "where nothing stands for a test, the note says why";
    if (!selectors_fit(r->cell[TESTS]))
        return "selectors have one blank between them, and are not that long";
    return name_with_suite(r) ? NULL : "the id is too long";
}

static void print(FILE *out, const struct embed_row *r)
{
    embed_string(out, r->id);
    for (int column = PURPOSE; column <= NOTE; column++) {
        fputs(", ", out);
        embed_string(out, strcmp(r->cell[column], "-") ? r->cell[column] : "");
    }
}

int main(int argc, char **argv)
{
    static const struct embed_kind mappings = {"id\tpurpose\ttests\tcertainty\tnote", "id, purpose, tests, certainty, note",
                                               "tests-suite/mappings/embed.c", fault, print};
    return embed_main(argc, argv, &mappings);
}

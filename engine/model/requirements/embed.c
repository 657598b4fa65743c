/* Turns the requirement tables (.tsv) into the C table that catalogue.c includes; runs at build time and checks every row:
 * engine/embed/table.h. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "engine/embed/table.h"

enum column { ID, LEVEL, SECTION, STATEMENT, OBSERVABLE };

static const struct {
    const char *text, *constant;
} levels[] = {
    { "MUST", "LEVEL_MUST" },
    { "MUST NOT", "LEVEL_MUST_NOT" },
    { "SHOULD", "LEVEL_SHOULD" },
    { "SHOULD NOT", "LEVEL_SHOULD_NOT" },
    { "MAY", "LEVEL_MAY" },
    { "RULE", "LEVEL_RULE" },
};

static const char *level_constant(const char *text)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(levels[i].text, text) == 0)
            return levels[i].constant;
    return NULL;
}

static bool observable_is_valid(const char *text)
{
    static const char internal[] = "internal: ";
    return strcmp(text, "wire") == 0 || strcmp(text, "wire+app") == 0
           || (strncmp(text, internal, sizeof internal - 1) == 0 && text[sizeof internal - 1] != '\0');
}

static const char *fault(struct embed_row *r)
{
    if (strncmp(r->cell[ID], "RFC", 3) != 0 || !strchr(r->cell[ID], ':'))
        return "an id reads RFCnnnn:LABEL";
    if (!level_constant(r->cell[LEVEL]))
        return "the level is none of MUST, MUST NOT, SHOULD, SHOULD NOT, MAY, RULE";
    if (!observable_is_valid(r->cell[OBSERVABLE]))
        return "the last field is wire, wire+app, or \"internal: \" and a reason";
    return NULL;
}

static void print(FILE *out, const struct embed_row *r)
{
    embed_string(out, r->id);
    fprintf(out, ", %s, ", level_constant(r->cell[LEVEL]));
    embed_string(out, r->cell[SECTION]);
    fputs(", ", out);
    embed_string(out, r->cell[STATEMENT]);
    fputs(", ", out);
    embed_string(out, r->cell[OBSERVABLE]);
}

int main(int argc, char **argv)
{
    static const struct embed_kind requirements = {"id\tlevel\tsection\tstatement\tobservable", "id, level, section, statement, observable",
                                                   "engine/model/requirements/embed.c", fault, print};
    return embed_main(argc, argv, &requirements);
}

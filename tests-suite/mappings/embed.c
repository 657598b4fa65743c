/* Turns the tables of other suites' tests (.tsv) into the C table that engine/runner/mapping.c includes; runs at build time and
 * checks every row.
 *
 * embed OUT.inc A.tsv B.tsv …: a table is named after its suite; its rows are id, purpose, tests, certainty, note, "-" for an empty
 * field. A row that is wrong stops the build with "file:line: what". Whether its selectors mean anything is for the tests of
 * engine/runner, which have the suite.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/runner/mapping.h"

enum { COLUMNS = 5, ROWS_MAX = 4096, FILE_BYTES_MAX = 4 << 20, ID_MAX = 160 };
enum column { ID, PURPOSE, TESTS, CERTAINTY, NOTE };

static const char header[] = "id\tpurpose\ttests\tcertainty\tnote";
static const char *const certainties[] = {"source", "twice", "once", "name", "unknown"};

struct row {
    char id[ID_MAX];           /* with the suite's name before it */
    const char *cell[COLUMNS]; /* into the file's text, which lives until the end */
    const char *file;
    unsigned line;
};

struct table {
    struct row rows[ROWS_MAX];
    size_t count;
};

static bool complain(const char *file, unsigned line, const char *what)
{
    fprintf(stderr, "%s:%u: %s\n", file, line, what);
    return false;
}

static bool is_certainty(const char *text)
{
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

/* What is wrong with a row, or NULL. */
static const char *row_fault(const struct row *r)
{
    for (int i = 0; i < COLUMNS; i++)
        if (!r->cell[i] || !*r->cell[i])
            return "a row needs five fields, tab separated, none of them empty (\"-\" is nothing)";
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
    return strchr(r->cell[NOTE], '\t') ? "more than five fields" : NULL;
}

/* The whole file as text to be cut up in place. */
static char *slurp(const char *path)
{
    FILE *in = fopen(path, "rb");
    char *text = in ? malloc(FILE_BYTES_MAX) : NULL;
    const size_t len = text ? fread(text, 1, FILE_BYTES_MAX, in) : 0;
    const bool whole = text && !ferror(in) && feof(in) && len < FILE_BYTES_MAX;
    if (in)
        fclose(in);
    if (!whole) {
        free(text);
        return NULL;
    }
    text[len] = '\0';
    return text;
}

/* ".../tc8.tsv" → "tc8" */
static void suite_name(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    snprintf(out, size, "%.*s", (int)strcspn(name, "."), name);
}

static bool read_row(struct table *table, char *line, const char *file, unsigned number)
{
    char suite[32];
    if (table->count == ROWS_MAX)
        return complain(file, number, "too many rows: raise ROWS_MAX in embed.c");
    struct row *r = &table->rows[table->count++];
    *r = (struct row){.file = file, .line = number};
    for (int i = 0; i < COLUMNS; i++)
        r->cell[i] = i + 1 < COLUMNS ? strsep(&line, "\t") : line;
    const char *fault = row_fault(r);
    suite_name(file, suite, sizeof suite);
    if (!fault && snprintf(r->id, sizeof r->id, "%s/%s", suite, r->cell[ID]) >= (int)sizeof r->id)
        fault = "the id is too long";
    return !fault || complain(file, number, fault);
}

static bool read_table(struct table *table, const char *file, char *text)
{
    const char *first = strsep(&text, "\n");
    if (strcmp(first, header))
        return complain(file, 1, "the header line is not: id, purpose, tests, certainty, note");
    for (unsigned number = 2; text; number++) {
        char *line = strsep(&text, "\n");
        if (!*line && !text)
            break; /* behind the last newline */
        if (!read_row(table, line, file, number))
            return false;
    }
    return true;
}

static int by_id(const void *a, const void *b)
{
    return strverscmp(((const struct row *)a)->id, ((const struct row *)b)->id);
}

static bool ids_are_unique(const struct table *table)
{
    for (size_t i = 1; i < table->count; i++)
        if (!strcmp(table->rows[i - 1].id, table->rows[i].id))
            return complain(table->rows[i].file, table->rows[i].line, "this id is used twice");
    return true;
}

static void print_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p >= 0x7f || *p == '"' || *p == '\\' || *p == '?')
            fprintf(out, "\\%03o", *p);
        else
            fputc(*p, out);
    }
    fputc('"', out);
}

static bool write_table(const char *path, const struct table *table)
{
    FILE *out = fopen(path, "wb");
    if (!out)
        return complain(path, 0, "cannot be written");
    fputs("/* Made by tests-suite/mappings/embed.c from the .tsv files beside it; not to be edited. */\n", out);
    for (size_t i = 0; i < table->count; i++) {
        const struct row *r = &table->rows[i];
        fputs("{ ", out);
        print_string(out, r->id);
        for (int column = PURPOSE; column <= NOTE; column++) {
            fputs(", ", out);
            print_string(out, strcmp(r->cell[column], "-") ? r->cell[column] : "");
        }
        fputs(" },\n", out);
    }
    const bool written = !ferror(out);
    return (fclose(out) == 0 && written) || complain(path, 0, "cannot be written in full");
}

static bool embed(struct table *table, char **texts, const char *out, char **files, int file_count)
{
    for (int i = 0; i < file_count; i++) {
        texts[i] = slurp(files[i]);
        if (!texts[i])
            return complain(files[i], 0, "cannot be read, or is too large");
        if (!read_table(table, files[i], texts[i]))
            return false;
    }
    qsort(table->rows, table->count, sizeof table->rows[0], by_id);
    return ids_are_unique(table) && write_table(out, table);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: embed OUT.inc FILE.tsv...\n", stderr);
        return EXIT_FAILURE;
    }
    struct table *table = calloc(1, sizeof *table);
    char **texts = calloc((size_t)argc, sizeof *texts);
    const bool good = table && texts && embed(table, texts, argv[1], argv + 2, argc - 2);
    for (int i = 0; texts && i < argc; i++)
        free(texts[i]);
    free(texts);
    free(table);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

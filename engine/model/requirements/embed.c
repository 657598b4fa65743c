/* Turns the requirement tables (.tsv) into the C table that catalogue.c includes; runs at build time and checks every row.
 *
 * embed OUT.inc A.tsv B.tsv …: rows are merged and sorted by id as the catalogue promises, so the output depends on the rows alone.
 * A row that is wrong stops the build with "file:line: what".
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 5, ROWS_MAX = 4096, FILE_BYTES_MAX = 4 << 20 };

static const char header[] = "id\tlevel\tsection\tstatement\tobservable";

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

struct row {
    const char *cell[COLUMNS]; /* into the file's text, which lives until the end */
    const char *file;
    unsigned line;
};

struct table {
    struct row rows[ROWS_MAX];
    size_t count;
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

/* What is wrong with a row, or NULL. */
static const char *row_fault(const struct row *r)
{
    for (int i = 0; i < COLUMNS; i++)
        if (!r->cell[i] || !*r->cell[i])
            return "a row needs five fields, tab separated, none of them empty";
    if (strncmp(r->cell[0], "RFC", 3) != 0 || !strchr(r->cell[0], ':'))
        return "an id reads RFCnnnn:LABEL";
    if (!level_constant(r->cell[1]))
        return "the level is none of MUST, MUST NOT, SHOULD, SHOULD NOT, MAY, RULE";
    if (!observable_is_valid(r->cell[4]))
        return "the last field is wire, wire+app, or \"internal: \" and a reason";
    return NULL;
}

static bool complain(const char *file, unsigned line, const char *what)
{
    fprintf(stderr, "%s:%u: %s\n", file, line, what);
    return false;
}

/* The whole file as text to be cut up in place. */
static char *slurp(const char *path)
{
    FILE *in = fopen(path, "rb");
    char *text = in ? malloc(FILE_BYTES_MAX) : NULL;
    size_t len = text ? fread(text, 1, FILE_BYTES_MAX, in) : 0;
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

static bool read_row(struct table *table, char *line, const char *file, unsigned number)
{
    if (table->count == ROWS_MAX)
        return complain(file, number, "too many rows: raise ROWS_MAX in embed.c");
    struct row *r = &table->rows[table->count++];
    *r = (struct row){ .file = file, .line = number };
    for (int i = 0; i < COLUMNS; i++)
        r->cell[i] = i + 1 < COLUMNS ? strsep(&line, "\t") : line;
    const char *fault = row_fault(r);
    if (!fault && strchr(r->cell[COLUMNS - 1], '\t'))
        fault = "more than five fields";
    return !fault || complain(file, number, fault);
}

static bool read_table(struct table *table, const char *file, char *text)
{
    const char *first = strsep(&text, "\n");
    if (strcmp(first, header) != 0)
        return complain(file, 1, "the header line is not: id, level, section, statement, observable");
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
    return strverscmp(((const struct row *)a)->cell[0], ((const struct row *)b)->cell[0]);
}

static bool ids_are_unique(const struct table *table)
{
    for (size_t i = 1; i < table->count; i++)
        if (strcmp(table->rows[i - 1].cell[0], table->rows[i].cell[0]) == 0)
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

static void print_table(FILE *out, const struct table *table)
{
    fputs("/* Made by engine/model/requirements/embed.c from the .tsv files beside it; not to be edited. */\n", out);
    for (size_t i = 0; i < table->count; i++) {
        const struct row *r = &table->rows[i];
        fputs("{ ", out);
        print_string(out, r->cell[0]);
        fprintf(out, ", %s, ", level_constant(r->cell[1]));
        print_string(out, r->cell[2]);
        fputs(", ", out);
        print_string(out, r->cell[3]);
        fputs(", ", out);
        print_string(out, r->cell[4]);
        fputs(" },\n", out);
    }
}

static bool write_table(const char *path, const struct table *table)
{
    FILE *out = fopen(path, "wb");
    if (!out)
        return complain(path, 0, "cannot be written");
    print_table(out, table);
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

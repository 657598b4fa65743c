/* Reads tables of tab-separated values, checks and sorts them, and writes them as C. See table.h. */
#include "engine/embed/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 4096, FILE_BYTES_MAX = 4 << 20 };

struct table {
    const struct embed_kind *kind;
    struct embed_row rows[ROWS_MAX];
    size_t count;
};

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

static const char *row_fault(const struct table *table, struct embed_row *r)
{
    for (int i = 0; i < EMBED_COLUMNS; i++)
        if (!r->cell[i] || !*r->cell[i])
            return "a row needs five fields, tab separated, none of them empty";
    if (strchr(r->cell[EMBED_COLUMNS - 1], '\t'))
        return "more than five fields";
    if (snprintf(r->id, sizeof r->id, "%s", r->cell[0]) >= (int)sizeof r->id)
        return "the id is too long";
    return table->kind->fault(r);
}

static bool read_row(struct table *table, char *line, const char *file, unsigned number)
{
    if (table->count == ROWS_MAX)
        return complain(file, number, "too many rows: raise ROWS_MAX in engine/embed/table.c");
    struct embed_row *r = &table->rows[table->count++];
    *r = (struct embed_row){.file = file, .line = number};
    for (int i = 0; i < EMBED_COLUMNS; i++)
        r->cell[i] = i + 1 < EMBED_COLUMNS ? strsep(&line, "\t") : line;
    const char *fault = row_fault(table, r);
    return !fault || complain(file, number, fault);
}

static bool read_table(struct table *table, const char *file, char *text)
{
    const char *first = strsep(&text, "\n");
    if (strcmp(first, table->kind->header) != 0) {
        fprintf(stderr, "%s:1: the header line is not: %s\n", file, table->kind->columns);
        return false;
    }
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
    return strverscmp(((const struct embed_row *)a)->id, ((const struct embed_row *)b)->id);
}

static bool ids_are_unique(const struct table *table)
{
    for (size_t i = 1; i < table->count; i++)
        if (strcmp(table->rows[i - 1].id, table->rows[i].id) == 0)
            return complain(table->rows[i].file, table->rows[i].line, "this id is used twice");
    return true;
}

void embed_string(FILE *out, const char *text)
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
    fprintf(out, "/* Made by %s from the .tsv files beside it; not to be edited. */\n", table->kind->made_by);
    for (size_t i = 0; i < table->count; i++) {
        fputs("{ ", out);
        table->kind->print(out, &table->rows[i]);
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

int embed_main(int argc, char **argv, const struct embed_kind *kind)
{
    if (argc < 3) {
        fputs("usage: embed OUT.inc FILE.tsv...\n", stderr);
        return EXIT_FAILURE;
    }
    struct table *table = calloc(1, sizeof *table);
    char **texts = calloc((size_t)argc, sizeof *texts);
    if (table)
        table->kind = kind;
    const bool good = table && texts && embed(table, texts, argv[1], argv + 2, argc - 2);
    for (int i = 0; texts && i < argc; i++)
        free(texts[i]);
    free(texts);
    free(table);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

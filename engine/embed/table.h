/* Tables of tab-separated values that become C tables at build time: what the programs that make them share.
 *
 * PROGRAM OUT.inc A.tsv B.tsv …: each file begins with the header line; rows of all files are merged and sorted by id, as
 * strverscmp() sorts, so the output depends on the rows alone. A row that is wrong, or an id used twice, stops the build with
 * "file:line: what".
 */
#ifndef TCPASSAY_EMBED_TABLE_H
#define TCPASSAY_EMBED_TABLE_H

#include <stdio.h>

enum { EMBED_COLUMNS = 5, EMBED_ID_MAX = 160 };

struct embed_row {
    char id[EMBED_ID_MAX];           /* the first cell, unless the kind makes another of it */
    const char *cell[EMBED_COLUMNS]; /* into the file's text, which lives until the end; none is empty */
    const char *file;
    unsigned line;
};

struct embed_kind {
    const char *header;                           /* the line, with tabs */
    const char *columns;                          /* the same for people: "id, level, …" */
    const char *made_by;                          /* the path of the program's source */
    const char *(*fault)(struct embed_row *row);  /* what is wrong with a row, or NULL; may write its id */
    void (*print)(FILE *out, const struct embed_row *row); /* between the braces of its initializer */
};

/* The whole program: EXIT_SUCCESS or EXIT_FAILURE. */
int embed_main(int argc, char **argv, const struct embed_kind *kind);
/* A string literal. */
void embed_string(FILE *out, const char *text);

#endif

/* Comma-separated values (RFC 4180), safe to open in a spreadsheet. */
#ifndef TCPASSAY_REPORTS_CSV_H
#define TCPASSAY_REPORTS_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct csv {
    FILE *out;
    bool begun; /* the row has a field */
};

/* A text: quoted where it must be, controls made visible, cut at CSV_CELL_BYTES_MAX with "..."; what a spreadsheet would take for a
 * formula
 * (= + - @ at its start) has an apostrophe before it. */
enum { CSV_CELL_BYTES_MAX = 8000 };
void csv_text(struct csv *csv, const char *text);
void csv_whole(struct csv *csv, int64_t value);
void csv_end(struct csv *csv); /* of the row */
/* A row of texts, ended by NULL. */
void csv_row(struct csv *csv, const char *const *texts);

#endif

/* Writes comma-separated values: RFC 4180, and what spreadsheets make of it. */
#include "reports/csv.h"

#include <inttypes.h>
#include <string.h>

#include "reports/text.h"

static void separate(struct csv *csv)
{
    if (csv->begun)
        putc_unlocked(',', csv->out);
    csv->begun = true;
}

void csv_text(struct csv *csv, const char *text)
{
    char shown[CSV_CELL_BYTES_MAX];
    text_show(text ? text : "", shown, sizeof shown);
    const bool formula = *shown && strchr("=+-@", *shown), quoted = formula || strpbrk(shown, "\",' ;") != NULL;
    separate(csv);
    if (!quoted) {
        fputs(shown, csv->out);
        return;
    }
    fputs(formula ? "\"'" : "\"", csv->out);
    for (const char *p = shown; *p; p++) {
        if (*p == '"')
            putc_unlocked('"', csv->out);
        putc_unlocked(*p, csv->out);
    }
    putc_unlocked('"', csv->out);
}

void csv_whole(struct csv *csv, int64_t value)
{
    separate(csv);
    fprintf(csv->out, "%" PRId64, value);
}

void csv_end(struct csv *csv)
{
    fputs("\r\n", csv->out);
    csv->begun = false;
}

void csv_row(struct csv *csv, const char *const *texts)
{
    for (; *texts; texts++)
        csv_text(csv, *texts);
    csv_end(csv);
}

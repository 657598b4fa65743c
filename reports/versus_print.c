/* Runs side by side, as text for a terminal, Markdown, JSON, CSV and a page (see versus.h). */
#include "reports/versus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/csv.h"
#include "reports/emit.h"
#include "reports/formats.h"
#include "reports/markup.h"
#include "reports/standing.h"
#include "reports/text.h"

/* The two tables, and what they have in common. */
struct kind {
    const char *title, *word;
    const char *(*text)(uint8_t cell);
};
static const struct kind requirements = {"Requirements", "requirement", versus_requirement_text};
static const struct kind tests = {"Tests", "test", versus_test_text};

/* ---- text ------------------------------------------------------------------------------------------------------ */

enum { CELL_COLUMNS = 14, ID_COLUMNS_MIN = 20, MARKDOWN_ROWS_MAX = 300 };

static const char *color_of(const char *cell)
{
    if (!strcmp(cell, "pass") || !strcmp(cell, "satisfied"))
        return "\x1b[32m";
    if (!strcmp(cell, "fail") || !strcmp(cell, "error") || !strcmp(cell, "violated"))
        return "\x1b[1;31m";
    return !strcmp(cell, "known") || !strcmp(cell, "deviated") ? "\x1b[33m" : "\x1b[2m";
}

/* Columns of the ids: as the longest wants, as far as the cells leave room. */
static unsigned id_columns(const struct versus *v, const struct versus_table *table, const struct versus_style *style, size_t rows)
{
    const unsigned cells = (unsigned)v->run_count * CELL_COLUMNS;
    unsigned columns = ID_COLUMNS_MIN;
    for (size_t i = 0; i < rows; i++)
        columns = strlen(table->rows[i].id) > columns ? (unsigned)strlen(table->rows[i].id) : columns;
    const unsigned room = style->width > cells + ID_COLUMNS_MIN ? style->width - cells - 1 : ID_COLUMNS_MIN;
    return columns < room ? columns : room;
}

static bool is_character_start(char octet)
{
    return ((unsigned char)octet & 0xc0) != 0x80;
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += is_character_start(*text);
    return count;
}

/* Text in so many columns, a character each, filled up with blanks. Of one that is too long the end is shown, behind "..": of ids
 * and of names of several versions that is what tells them apart. */
static void print_cell(const char *text, size_t columns, FILE *out)
{
    const size_t characters = count_characters(text);
    const bool cut = characters > columns;
    for (size_t skip = cut ? characters - (columns - 2) : 0; skip > 0; skip--)
        do
            text++;
        while (!is_character_start(*text));
    fprintf(out, "%s%s%*s", cut ? ".." : "", text, cut || characters >= columns ? 0 : (int)(columns - characters), "");
}

static void print_id(const char *id, size_t columns, FILE *out)
{
    char shown[RESULTS_ID_BYTES_MAX * 4 + 1];
    print_cell(text_show(id, shown, sizeof shown), columns, out);
}

static void print_table(const struct versus *v, const struct versus_table *table, const struct kind *kind,
                        const struct versus_style *style, FILE *out)
{
    const size_t rows = style->all ? table->count : table->differing;
    const unsigned columns = id_columns(v, table, style, rows);
    fprintf(out, "\n%s: %zu of %zu differ\n", kind->title, table->differing, table->count);
    if (rows == 0)
        return;
    fprintf(out, "%-*s", (int)columns, kind->word);
    for (size_t r = 0; r < v->run_count; r++) {
        fputc(' ', out);
        print_cell(v->names[r], CELL_COLUMNS - 1, out);
    }
    fputc('\n', out);
    for (size_t i = 0; i < rows; i++) {
        print_id(table->rows[i].id, columns, out);
        for (size_t r = 0; r < v->run_count; r++) {
            const char *cell = kind->text(table->rows[i].cells[r]);
            fprintf(out, " %s%-*.*s%s", style->color ? color_of(cell) : "", CELL_COLUMNS - 1, CELL_COLUMNS - 1, cell, style->color ? "\x1b[0m" : "");
        }
        fputc('\n', out);
    }
}

static void print_text(const struct versus *v, const struct versus_style *style, FILE *out)
{
    char line[STANDING_LINE_MAX];
    for (size_t r = 0; r < v->run_count; r++)
        fprintf(out, "%zu  %s\n   %s\n", r + 1, v->names[r], standing_line(v->runs[r], line, sizeof line));
    print_table(v, &v->requirements, &requirements, style, out);
    print_table(v, &v->tests, &tests, style, out);
}

/* ---- Markdown -------------------------------------------------------------------------------------------------- */

static void print_md_table(const struct versus *v, const struct versus_table *table, const struct kind *kind, bool all, FILE *out)
{
    const size_t rows = all ? table->count : table->differing, shown = rows < MARKDOWN_ROWS_MAX ? rows : MARKDOWN_ROWS_MAX;
    fprintf(out, "\n## %s: %zu of %zu differ\n", kind->title, table->differing, table->count);
    if (shown == 0)
        return;
    fprintf(out, "\n| %s |", kind->word);
    for (size_t r = 0; r < v->run_count; r++) {
        fputc(' ', out);
        markdown_span(v->names[r], true, out);
        fputs(" |", out);
    }
    fputs("\n|---|", out);
    for (size_t r = 0; r < v->run_count; r++)
        fputs("---|", out);
    for (size_t i = 0; i < shown; i++) {
        fputs("\n| ", out);
        markdown_span(table->rows[i].id, true, out);
        for (size_t r = 0; r < v->run_count; r++)
            fprintf(out, " | %s", kind->text(table->rows[i].cells[r]));
        fputs(" |", out);
    }
    fputc('\n', out);
    if (rows > shown)
        fprintf(out, "\n… and %zu more rows.\n", rows - shown);
}

static void print_markdown(const struct versus *v, const struct versus_style *style, FILE *out)
{
    char line[STANDING_LINE_MAX];
    fputs("# Runs side by side\n\n", out);
    for (size_t r = 0; r < v->run_count; r++) {
        fprintf(out, "%zu. ", r + 1);
        markdown_span(v->names[r], false, out);
        fputs(": ", out);
        markdown_span(standing_line(v->runs[r], line, sizeof line), false, out);
        fputc('\n', out);
    }
    print_md_table(v, &v->requirements, &requirements, style->all, out);
    print_md_table(v, &v->tests, &tests, style->all, out);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------ */

static void print_json_run(const struct versus *v, size_t r, struct emit *emit)
{
    const struct result_run *run = &v->runs[r]->run;
    struct results_summary s;
    results_summarise(v->runs[r]->tests, v->runs[r]->test_count, &s);
    emit->newline = true;
    emit_object(emit, NULL);
    emit_string(emit, "name", v->names[r]);
    emit_string(emit, "target", run->target_name);
    emit_string(emit, "description", run->target_description);
    emit_string(emit, "started", run->started);
    emit_string(emit, "tcpassay", run->tcpassay);
    emit_bool(emit, "complete", results_are_complete(v->runs[r]));
    emit_string(emit, "standing", standing_word(standing_of(v->runs[r])));
    for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
        emit_whole(emit, verdict_text((enum verdict)verdict), s.verdicts[verdict]);
    emit_whole(emit, "known", s.known);
    emit_whole(emit, "deviations", s.deviations);
    emit_object_end(emit);
}

static void print_json_table(const struct versus *v, const struct versus_table *table, const struct kind *kind, const char *key,
                             bool levels, struct emit *emit)
{
    emit->newline = true;
    emit_list(emit, key);
    for (size_t i = 0; i < table->count; i++) {
        const struct versus_row *row = &table->rows[i];
        emit->newline = true;
        emit_object(emit, NULL);
        emit_string(emit, "id", row->id);
        if (levels)
            emit_string(emit, "level", requirement_level_text(row->level));
        emit_bool(emit, "differs", row->differs);
        emit_list(emit, "runs");
        for (size_t r = 0; r < v->run_count; r++)
            emit_string(emit, NULL, kind->text(row->cells[r]));
        emit_list_end(emit);
        emit_object_end(emit);
    }
    emit_list_end(emit);
}

static void print_json(const struct versus *v, FILE *out)
{
    struct emit emit = {.out = out};
    emit_object(&emit, NULL);
    emit_string(&emit, "type", "comparison");
    emit_whole(&emit, "schema", RESULTS_SCHEMA);
    emit_list(&emit, "runs");
    for (size_t r = 0; r < v->run_count; r++)
        print_json_run(v, r, &emit);
    emit_list_end(&emit);
    print_json_table(v, &v->requirements, &requirements, "requirements", true, &emit);
    print_json_table(v, &v->tests, &tests, "tests", false, &emit);
    emit_object_end(&emit);
    putc('\n', out);
}

/* ---- CSV ------------------------------------------------------------------------------------------------------- */

static void print_csv_table(const struct versus *v, const struct versus_table *table, const struct kind *kind, struct csv *csv)
{
    for (size_t i = 0; i < table->count; i++) {
        csv_text(csv, kind->word);
        csv_text(csv, table->rows[i].id);
        csv_text(csv, table->rows[i].differs ? "differs" : "same");
        for (size_t r = 0; r < v->run_count; r++)
            csv_text(csv, kind->text(table->rows[i].cells[r]));
        csv_end(csv);
    }
}

static void print_csv(const struct versus *v, FILE *out)
{
    struct csv csv = {.out = out};
    csv_text(&csv, "kind");
    csv_text(&csv, "id");
    csv_text(&csv, "differs");
    for (size_t r = 0; r < v->run_count; r++)
        csv_text(&csv, v->names[r]);
    csv_end(&csv);
    print_csv_table(v, &v->requirements, &requirements, &csv);
    print_csv_table(v, &v->tests, &tests, &csv);
}

/* ---- page ------------------------------------------------------------------------------------------------------ */

static void print_html_table(const struct versus *v, const struct versus_table *table, const struct kind *kind, FILE *out)
{
    fprintf(
        out,
        "<h2>%s: %zu of %zu differ</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table>\n<thead><tr><th scope=\"col\">%s</th>",
            kind->title, table->differing, table->count, kind->title, kind->word);
    for (size_t r = 0; r < v->run_count; r++) {
        fputs("<th scope=\"col\">", out);
        markup_text(v->names[r], out);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < table->count; i++) {
        fprintf(out, "<tr%s><td>", table->rows[i].differs ? " class=\"differs\"" : "");
        markup_text(table->rows[i].id, out);
        fputs("</td>", out);
        for (size_t r = 0; r < v->run_count; r++) {
            const char *cell = kind->text(table->rows[i].cells[r]);
            fprintf(out, "<td class=\"%s\">%s</td>", cell, cell);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

static void print_html(const struct versus *v, FILE *out)
{
    char line[STANDING_LINE_MAX];
    markup_begin("TCP stacks side by side", out);
    fputs("<ol>\n", out);
    for (size_t r = 0; r < v->run_count; r++) {
        const char *standing = standing_word(standing_of(v->runs[r]));
        fputs("<li><strong>", out);
        markup_text(v->names[r], out);
        fprintf(out, "</strong> <span class=\"%s\">", strcmp(standing, "nothing tested") ? standing : "other");
        markup_text(standing_line(v->runs[r], line, sizeof line), out);
        fputs("</span><br><span class=\"faint\">", out);
        markup_text(v->runs[r]->run.target_description, out);
        fputs(", ", out);
        markup_text(v->runs[r]->run.started, out);
        fputs("</span></li>\n", out);
    }
    fputs("</ol>\n", out);
    markup_filter("only what differs", out);
    print_html_table(v, &v->requirements, &requirements, out);
    print_html_table(v, &v->tests, &tests, out);
    markup_end(out);
}

void versus_print(const struct versus *versus, enum versus_format format, const struct versus_style *style, FILE *out)
{
    switch (format) {
    case VERSUS_TEXT: print_text(versus, style, out); break;
    case VERSUS_MARKDOWN: print_markdown(versus, style, out); break;
    case VERSUS_JSON: print_json(versus, out); break;
    case VERSUS_CSV: print_csv(versus, out); break;
    case VERSUS_HTML: print_html(versus, out); break;
    }
}

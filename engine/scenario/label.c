/* Names the rows of a table after their values, so that a verdict says which case it is about. */
#include "engine/scenario/label.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 120, VALUE_SHOWN_MAX = 40 };

/* Fit for a file name and for a shell; a comma or `=` in a value would look like the next one. */
static void append_text(char label[static LABEL_MAX], const char *text, size_t len)
{
    size_t used = strlen(label);
    for (size_t i = 0; i < len && i < VALUE_SHOWN_MAX && used < LABEL_MAX - 1; i++) {
        const unsigned char c = (unsigned char)text[i];
        label[used++] = isalnum(c) || c == '.' || c == '-' || c == '_' ? (char)c : '_';
    }
    label[used] = '\0';
}

static void append_value(const struct scn_parser *parser, char label[static LABEL_MAX], const struct scn_value *value)
{
    char text[32];
    switch (value->kind) {
    case SCN_VALUE_UNSET:
        break;
    case SCN_VALUE_NUMBER:
        append_text(label, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)value->number));
        break;
    case SCN_VALUE_FLAGS:
        append_text(label, text, (size_t)pkt_format_flags((uint16_t)value->number, text, sizeof text));
        break;
    case SCN_VALUE_STRING:
        append_text(label, value->text, value->text_len);
        break;
    case SCN_VALUE_ENDPOINT: {
        const struct scn_endpoint *endpoint = parser->endpoints.items[value->number];
        append_text(label, endpoint->name, strlen(endpoint->name));
        break;
    }
    }
}

/* A text in the first column says what the row is about; the others then are how to get there, and would only make the name long.
 */
static unsigned columns_shown(const struct scn_table *table, unsigned row)
{
    return table->cells[row * table->slot_count].kind == SCN_VALUE_STRING ? 1 : table->slot_count;
}

static void write_label(const struct scn_parser *parser, const struct scn_table *table, unsigned row, char label[static LABEL_MAX])
{
    label[0] = '\0';
    for (unsigned i = 0; i < columns_shown(table, row); i++) {
        const char *name = parser->variables.items[table->slots[i]];
        size_t used = strlen(label);
        snprintf(label + used, LABEL_MAX - used, "%s%.*s=", i ? "," : "", VALUE_SHOWN_MAX, name);
        append_value(parser, label, &table->cells[row * table->slot_count + i]);
    }
}

static int by_label(const void *a, const void *b)
{
    return strcmp(**(char *const *const *)a, **(char *const *const *)b);
}

/* Where values look alike once sanitized or cut, the row's number tells them apart. `~` is in no label otherwise. */
static void make_distinct(struct scn_parser *parser, struct scn_table *table)
{
    char ***sorted = scn_arena_alloc(parser->arena, table->row_count, sizeof *sorted);
    bool *ambiguous = scn_arena_alloc(parser->arena, table->row_count, sizeof *ambiguous);
    for (unsigned i = 0; i < table->row_count; i++)
        sorted[i] = &table->row_labels[i];
    qsort(sorted, table->row_count, sizeof *sorted, by_label);
    for (unsigned i = 1; i < table->row_count; i++)
        if (strcmp(*sorted[i - 1], *sorted[i]) == 0)
            ambiguous[sorted[i - 1] - table->row_labels] = ambiguous[sorted[i] - table->row_labels] = true;
    for (unsigned i = 0; i < table->row_count; i++) {
        if (ambiguous[i])
            table->row_labels[i] = scn_arena_format(parser->arena, "%s~%u", table->row_labels[i], i + 1);
    }
}

void scn_label_rows(struct scn_parser *parser, struct scn_table *table)
{
    char label[LABEL_MAX];
    table->row_labels = scn_arena_alloc(parser->arena, table->row_count, sizeof *table->row_labels);
    for (unsigned i = 0; i < table->row_count; i++) {
        write_label(parser, table, i, label);
        table->row_labels[i] = scn_arena_text(parser->arena, label, strlen(label));
    }
    make_distinct(parser, table);
}

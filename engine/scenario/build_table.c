/* Makes tables out of `each $a, $b in …` lines: their cells are constants, and each row gets a label for the name of its sub-test.
 */
#include "engine/scenario/label.h"
#include "engine/scenario/parse.h"

#include <stdint.h>
#include <string.h>

/* ---- cells ------------------------------------------------------------------------------------------------------- */

static struct scn_value *new_cell(struct scn_parser *parser, enum scn_value_kind kind, int64_t number)
{
    struct scn_value *value = scn_arena_alloc(parser->arena, 1, sizeof *value);
    value->kind = kind;
    value->number = number;
    return value;
}

struct scn_value *scn_cell_number(struct scn_parser *parser, const struct scn_expr *number, bool negative)
{
    return new_cell(parser, SCN_VALUE_NUMBER, negative ? (int64_t)(0 - (uint64_t)number->number) : number->number);
}

struct scn_value *scn_cell_string(struct scn_parser *parser, struct scn_piece token, struct scn_span at)
{
    const struct scn_bytes octets = scn_read_string(parser, token, at);
    struct scn_value *value = new_cell(parser, SCN_VALUE_STRING, 0);
    value->text = (const char *)octets.bytes;
    value->text_len = octets.len;
    return value;
}

struct scn_value *scn_cell_flags(struct scn_parser *parser, struct scn_span at)
{
    const struct scn_piece letters = scn_span_piece(parser, at);
    char wrong, quote[SCN_QUOTE_MAX];
    const int flags = scn_piece_is(letters, "-") ? 0 : scn_read_flags(letters, &wrong);
    if (flags < 0)
        scn_error(parser, scn_place(at),
                  "expected a number, a text in quotes, an endpoint or flags, letters of S F R P . U E W A; found `%s`",
                  scn_quote(letters, quote));
    return new_cell(parser, SCN_VALUE_FLAGS, flags < 0 ? 0 : flags);
}

struct scn_value *scn_cell_endpoint(struct scn_parser *parser, struct scn_endpoint_ref endpoint, struct scn_span at)
{
    if (endpoint.subscript)
        scn_error(parser, scn_place(at), "an endpoint in a table has no subscript");
    return new_cell(parser, SCN_VALUE_ENDPOINT, endpoint.slot);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static bool variables_are_new(struct scn_parser *parser, const struct scn_table *table, struct scn_span at)
{
    for (unsigned i = 0; i < table->slot_count; i++) {
        bool taken = false;
        for (unsigned j = 0; j < i; j++)
            taken = taken || table->slots[j] == table->slots[i];
        for (unsigned t = 0; t < parser->tables.count; t++) {
            const struct scn_table *other = parser->tables.items[t];
            for (unsigned j = 0; j < other->slot_count; j++)
                taken = taken || other->slots[j] == table->slots[i];
        }
        if (taken) {
            scn_error(parser, scn_place(at), "$%.60s gets its values from two places",
                      (const char *)parser->variables.items[table->slots[i]]);
            return false;
        }
    }
    return true;
}

/* Sub-tests so far, times the rows of this table: at most SCN_EXPANSION_MAX / 2, as there may be two IP versions. */
static bool expansion_is_bounded(struct scn_parser *parser, unsigned rows, struct scn_span at)
{
    uint64_t product = rows;
    for (unsigned i = 0; i < parser->tables.count; i++)
        product *= ((const struct scn_table *)parser->tables.items[i])->row_count;
    if (product <= SCN_EXPANSION_MAX / 2)
        return true;
    scn_error(parser, scn_place(at), "the tables make more than %d sub-tests", SCN_EXPANSION_MAX / 2);
    return false;
}

static bool fill_cells(struct scn_parser *parser, struct scn_table *table, const struct scn_list *rows, struct scn_span at)
{
    table->cells = scn_arena_alloc(parser->arena, (size_t)rows->count * table->slot_count, sizeof *table->cells);
    for (unsigned i = 0; i < rows->count; i++) {
        const struct scn_list *row = rows->items[i];
        if (row->count != table->slot_count) {
            scn_error(parser, scn_place(at), "row %u of the table has %u values for %u variables", i + 1, row->count,
                      table->slot_count);
            return false;
        }
        for (unsigned j = 0; j < row->count; j++)
            table->cells[i * table->slot_count + j] = *(const struct scn_value *)row->items[j];
    }
    return true;
}

void scn_add_table(struct scn_parser *parser, const struct scn_list *variables, const struct scn_list *rows, struct scn_span at)
{
    if (parser->seen_step) {
        scn_error(parser, scn_place(at), "a table stands before the first step");
        return;
    }
    struct scn_table *table = scn_arena_alloc(parser->arena, 1, sizeof *table);
    table->slot_count = variables->count;
    table->slots = scn_arena_alloc(parser->arena, variables->count, sizeof *table->slots);
    for (unsigned i = 0; i < variables->count; i++)
        table->slots[i] = ((const struct scn_expr *)variables->items[i])->slot;
    table->row_count = rows->count;
    if (!variables_are_new(parser, table, at) || !expansion_is_bounded(parser, rows->count, at) ||
        !fill_cells(parser, table, rows, at))
        return;
    scn_label_rows(parser, table);
    scn_list_add(parser->arena, &parser->tables, table);
}

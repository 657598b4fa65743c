/* The state×event matrix as scenarios (see matrix.h): the text of a way in, parsed like any other, with its rows named.
 *
 * The text is the single source: what is played is what matrix_case_text() shows, but for the number of rows in the table. Rows of
 * an ordinary scenario are named by their values, in which a stroke cannot stand; here it separates the classes, so that a prefix
 * of an id means a row, a column or a cell.
 */
#include "engine/scenario/matrix/inside.h"

#include "engine/scenario/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

unsigned matrix_way_count(void)
{
    return matrix_ways_count;
}

const char *matrix_way_name(unsigned way)
{
    assert(way < matrix_ways_count);
    return matrix_ways[way].name;
}

enum tcp_state matrix_way_state(unsigned way)
{
    assert(way < matrix_ways_count);
    return matrix_ways[way].state;
}

/* The script of these events; malloc'ed. NULL: out of memory. */
static char *script_of(const struct way *way, const struct event *events, unsigned count, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (!out)
        return NULL;
    matrix_write_script(out, way, events, count);
    bool failed = ferror(out);
    if (fclose(out) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

/* A way has one table, made of its events. False: out of memory. */
static bool name_rows(struct scenario *scenario, const struct way *way, const struct event *events, unsigned count)
{
    struct scn_table *table = scenario->tables;
    assert(scenario->table_count == 1);
    assert(table->row_count == count);
    for (unsigned i = 0; i < count; i++) {
        struct segment_class c;
        matrix_event_class(way, &events[i], &c);
        table->row_labels[i] = scn_arena_text(scenario->arena, c.name, strlen(c.name));
        if (!table->row_labels[i])
            return false;
    }
    return true;
}

struct scenario *matrix_scenario(unsigned way, struct scn_diagnostics *diagnostics)
{
    unsigned count;
    size_t len;
    const struct way *w = &matrix_ways[way];
    assert(way < matrix_ways_count);
    *diagnostics = (struct scn_diagnostics){0};
    struct event *events = matrix_events(w, &count);
    char *text = events ? script_of(w, events, count, &len) : NULL;
    struct scenario *scenario = text ? scn_parse(w->name, text, len, diagnostics) : NULL;
    if (scenario && !name_rows(scenario, w, events, count)) {
        scn_free(scenario);
        scenario = NULL;
    }
    free(text);
    free(events);
    return scenario;
}

char *matrix_case_text(unsigned way, unsigned case_index)
{
    unsigned count;
    size_t len;
    assert(way < matrix_ways_count);
    struct event *events = matrix_events(&matrix_ways[way], &count);
    if (!events)
        return NULL;
    assert(case_index < count);
    char *text = script_of(&matrix_ways[way], &events[case_index], 1, &len);
    free(events);
    return text;
}

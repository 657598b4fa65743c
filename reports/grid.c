/* The state×event matrix of a run as a grid (see grid.h). */
#include "reports/grid.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/text.h"

static const char root[] = "matrix/";
enum { PARTS = 7, FLAGS = 2, OCTETS = 5 };

struct part { const char *text; size_t len; };

/* The parts of an id after its root: state, way, flags, sequence, acknowledgment, octets, options. False: it is no case. */
static bool split(const char *id, struct part parts[static PARTS])
{
    if (strncmp(id, root, sizeof root - 1) != 0)
        return false;
    const char *at = id + sizeof root - 1;
    for (unsigned i = 0; i < PARTS; i++) {
        parts[i] = (struct part){ at, strcspn(at, "/") };
        at += parts[i].len;
        if (parts[i].len == 0 || (*at == '/') != (i + 1 < PARTS))
            return false;
        at += *at == '/';
    }
    return true;
}

static bool mentions(struct part part, const char *word)
{
    return memmem(part.text, part.len, word, strlen(word)) != NULL;
}

/* What a segment is, by what is looked at first. */
static enum grid_column column_of(const struct part parts[static PARTS])
{
    const struct part flags = parts[FLAGS], octets = parts[OCTETS];
    bool ack = mentions(flags, "ack"), empty = octets.len == 1 && *octets.text == '0';
    if (mentions(flags, "rst") || mentions(flags, "all"))
        return GRID_RST;
    if (mentions(flags, "syn"))
        return ack ? GRID_SYN_ACK : GRID_SYN;
    if (!ack)
        return GRID_NO_ACK;
    return mentions(flags, "fin") ? GRID_FIN : empty ? GRID_ACK : GRID_TEXT;
}

const char *grid_column_text(enum grid_column column)
{
    static const char *const texts[GRID_COLUMNS] = {
        [GRID_NO_ACK] = "no ACK", [GRID_SYN] = "SYN", [GRID_SYN_ACK] = "SYN,ACK", [GRID_RST] = "RST", [GRID_ACK] = "ACK", [GRID_TEXT] = "text",
        [GRID_FIN] = "FIN",
    };
    return texts[column];
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

/* The place of a state in the RFC's order; states that are none come last. */
static size_t rank(const struct grid_row *row)
{
    static const char *const states[] = { "closed", "listen", "syn-sent", "syn-received", "established", "fin-wait-1", "fin-wait-2", "close-wait",
                                          "closing", "last-ack", "time-wait" };
    enum { STATES = sizeof states / sizeof *states };
    size_t len = strcspn(row->name, "/");
    for (size_t i = 0; i < STATES; i++)
        if (strlen(states[i]) == len && strncmp(states[i], row->name, len) == 0)
            return i;
    return STATES;
}

static int by_state(const void *a, const void *b)
{
    const struct grid_row *left = a, *right = b;
    size_t left_rank = rank(left), right_rank = rank(right);
    if (left_rank != right_rank)
        return left_rank < right_rank ? -1 : 1;
    size_t shorter = left->name_len < right->name_len ? left->name_len : right->name_len;
    int order = memcmp(left->name, right->name, shorter);
    return order ? order : (left->name_len > right->name_len) - (left->name_len < right->name_len);
}

/* The row of this name: the last one, or a new one, since results are in order of their ids. NULL: out of memory. */
static struct grid_row *row_of(struct grid *grid, const char *name, size_t len)
{
    struct grid_row *last = grid->count ? &grid->rows[grid->count - 1] : NULL;
    if (last && last->name_len == len && memcmp(last->name, name, len) == 0)
        return last;
    struct grid_row *grown = realloc(grid->rows, (grid->count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    grid->rows = grown;
    grid->rows[grid->count] = (struct grid_row){ .name = name, .name_len = len };
    return &grid->rows[grid->count++];
}

bool grid_make(const struct results *results, struct grid *out)
{
    *out = (struct grid){ 0 };
    for (size_t i = 0; i < results->test_count; i++) {
        struct part parts[PARTS];
        if (!split(results->tests[i].id, parts))
            continue;
        struct grid_row *row = row_of(out, parts[0].text, parts[0].len + 1 + parts[1].len);
        if (!row) {
            grid_release(out);
            return false;
        }
        row->cells[column_of(parts)].counts[outcome_of(&results->tests[i])]++;
    }
    if (out->count)
        qsort(out->rows, out->count, sizeof *out->rows, by_state);
    return true;
}

void grid_release(struct grid *grid)
{
    free(grid->rows);
    *grid = (struct grid){ 0 };
}

/* ---- printing ------------------------------------------------------------------------------------------------------ */

void grid_cell_text(const struct grid_cell *cell, char out[static GRID_CELL_MAX])
{
    static const struct { enum outcome outcome; char mark; } marks[] = {
        { OUTCOME_FAILED, '!' }, { OUTCOME_ERROR, 'E' }, { OUTCOME_KNOWN, 'k' }, { OUTCOME_INCONCLUSIVE, '?' } };
    uint32_t total = 0;
    for (size_t i = 0; i < sizeof cell->counts / sizeof *cell->counts; i++)
        total += cell->counts[i];
    *out = '\0';
    if (total == 0)
        return;
    if (total == cell->counts[OUTCOME_NOT_APPLICABLE]) {
        snprintf(out, GRID_CELL_MAX, "%" PRIu32 "-", total);
        return;
    }
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (cell->counts[marks[i].outcome]) {
            snprintf(out, GRID_CELL_MAX, "%" PRIu32 "%c/%" PRIu32, cell->counts[marks[i].outcome], marks[i].mark, total);
            return;
        }
    snprintf(out, GRID_CELL_MAX, "%" PRIu32, total);
}

void grid_print(const struct grid *grid, FILE *out)
{
    enum { NAME_WIDTH = 30, CELL_WIDTH = 9 };
    if (grid->count == 0)
        return;
    fprintf(out, "\n%-*s", NAME_WIDTH, "state/way in");
    for (enum grid_column c = 0; c < GRID_COLUMNS; c++)
        fprintf(out, " %*s", CELL_WIDTH, grid_column_text(c));
    fputc('\n', out);
    for (size_t i = 0; i < grid->count; i++) {
        char name[RESULTS_ID_BYTES_MAX + 1], shown[NAME_WIDTH + 1], cell[GRID_CELL_MAX];
        snprintf(name, sizeof name, "%.*s", (int)grid->rows[i].name_len, grid->rows[i].name);
        fprintf(out, "%-*s", NAME_WIDTH, text_show(name, shown, sizeof shown));
        for (enum grid_column c = 0; c < GRID_COLUMNS; c++) {
            grid_cell_text(&grid->rows[i].cells[c], cell);
            fprintf(out, " %*s", CELL_WIDTH, *cell ? cell : ".");
        }
        fputc('\n', out);
    }
    fputs("24: so many cases, all passed · of 24 cases 2!/24 failed, 2k/24 failed as known,\n"
          "2?/24 were inconclusive, 2E/24 were errors of the tester · 24-: not applicable\n",
          out);
}

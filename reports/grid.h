/* The state×event matrix of a run as a grid: a row a way into a state, a column a kind of event, in each cell what came of its
 * cases. Made from the ids of tests, "matrix/STATE/WAY/FLAGS/SEQUENCE/ACKNOWLEDGMENT/OCTETS/OPTIONS" (docs/matrix.md). */
#ifndef TCPASSAY_REPORTS_GRID_H
#define TCPASSAY_REPORTS_GRID_H

#include "reports/formats.h"

enum grid_column { GRID_NO_ACK, GRID_SYN, GRID_SYN_ACK, GRID_RST, GRID_ACK, GRID_TEXT, GRID_FIN, GRID_COLUMNS };

struct grid_cell { uint32_t counts[OUTCOME_NOT_APPLICABLE + 1]; /* by enum outcome */ };
struct grid_row {
    const char *name; /* name_len octets of it: "established/passive" */
    size_t name_len;
    struct grid_cell cells[GRID_COLUMNS];
};
struct grid {
    struct grid_row *rows; /* the states in the RFC's order, the ways of a state as they come */
    size_t count;
};

/* Borrows from results; without cases of the matrix there are no rows. False when memory ran out. Release with grid_release(). */
bool grid_make(const struct results *results, struct grid *out);
void grid_release(struct grid *grid);

/* "RST": what stands above a column. */
const char *grid_column_text(enum grid_column column);
/* A cell in at most GRID_CELL_MAX - 1 characters: "24", all passed; "2!/24", of 24 cases 2 failed; "3k/24" fail as known; "1?/24"
 * were inconclusive; "1E/24", the tester erred; "24-", not applicable; "" without a case. The worst counts. */
enum { GRID_CELL_MAX = 24 };
void grid_cell_text(const struct grid_cell *cell, char out[static GRID_CELL_MAX]);

/* The grid for a terminal, at most 100 columns wide, with what the marks mean; nothing when it has no rows. */
void grid_print(const struct grid *grid, FILE *out);

#endif

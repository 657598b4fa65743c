/* The grid of the state×event matrix: which cell a case counts in, what a cell says, and what it does with ids that are no cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/grid.h"

#define TEST(name, outcome) { .id = (name), .title = "", .reason = "", .verdict = (outcome), .pcap = "", .file = "", .known_note = "" }

static struct result_test tests[] = { /* in order of ids, as results are */
    TEST("matrix/closed/no-listener/ack/any/ack-any/0/no-ts", VERDICT_PASS),
    TEST("matrix/established/passive/ack/nxt/ack-nxt/0/no-ts", VERDICT_PASS),
    TEST("matrix/established/passive/ack/nxt/ack-nxt/10/no-ts", VERDICT_INCONCLUSIVE),
    TEST("matrix/established/passive/all-flags/nxt/ack-nxt/0/no-ts", VERDICT_PASS),
    TEST("matrix/established/passive/fin-ack/nxt/ack-nxt/0/no-ts", VERDICT_ERROR),
    TEST("matrix/established/passive/fin/nxt/no-ack/0/no-ts", VERDICT_PASS),
    TEST("matrix/established/passive/psh-ack/nxt/ack-nxt/10/no-ts", VERDICT_PASS),
    TEST("matrix/established/passive/rst/nxt/no-ack/0/no-ts", VERDICT_FAIL),
    TEST("matrix/established/passive/syn-ack/nxt/ack-nxt/0/no-ts", VERDICT_FAIL),
    TEST("matrix/established/passive/syn/nxt/no-ack/0/no-ts", VERDICT_NOT_APPLICABLE),
    TEST("matrix/listen/passive/rst/any/no-ack/0/no-ts", VERDICT_PASS),
    TEST("matrix/too/short", VERDICT_PASS),
    TEST("matrix/too/long/rst/any/no-ack/0/no-ts/more", VERDICT_PASS),
    TEST("matrix//empty/rst/any/no-ack/0/no-ts", VERDICT_PASS),
    TEST("rfc9293/3.5/passive/rst/any/no-ack/0/no-ts", VERDICT_PASS),
};

static int make(void **state)
{
    static struct results results = { .dir = "", .tests = tests, .test_count = sizeof tests / sizeof *tests, .finished = true };
    static struct grid grid;
    tests[8].known = true;
    if (!grid_make(&results, &grid))
        return -1;
    *state = &grid;
    return 0;
}

static int release(void **state)
{
    grid_release(*state);
    return 0;
}

static void rows_are_ways_in_the_order_of_the_states(void **state)
{
    static const char *const names[] = { "closed/no-listener", "listen/passive", "established/passive" };
    const struct grid *grid = *state;
    assert_int_equal(grid->count, 3);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(grid->rows[i].name_len, strlen(names[i]));
        assert_memory_equal(grid->rows[i].name, names[i], strlen(names[i]));
    }
}

static void a_cell_says_the_worst(void **state)
{
    static const char *const texts[GRID_COLUMNS] = {
        [GRID_NO_ACK] = "1", [GRID_SYN] = "1-", [GRID_SYN_ACK] = "1k/1", [GRID_RST] = "1!/2", [GRID_ACK] = "1", [GRID_TEXT] = "1?/2",
        [GRID_FIN] = "1E/1",
    };
    const struct grid *grid = *state;
    for (enum grid_column c = 0; c < GRID_COLUMNS; c++) {
        char text[GRID_CELL_MAX];
        grid_cell_text(&grid->rows[2].cells[c], text);
        assert_string_equal(text, texts[c]);
        grid_cell_text(&grid->rows[1].cells[c], text);
        assert_string_equal(text, c == GRID_RST ? "1" : "");
    }
}

/* Octets of UTF-8 that begin no character take no column. */
static size_t columns(const char *line, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)line[i] & 0xc0) != 0x80;
    return count;
}

static void the_grid_fits_a_hundred_columns(void **state)
{
    const struct grid *grid = *state;
    struct grid wide = *grid;
    struct grid_row row = { .name = "time-wait/with-a-name-that-is-much-longer-than-any", .name_len = 50 };
    for (enum grid_column c = 0; c < GRID_COLUMNS; c++)
        row.cells[c].counts[OUTCOME_FAILED] = 999;
    wide.rows = &row;
    wide.count = 1;
    const struct grid *const both[] = { grid, &wide };
    for (size_t i = 0; i < 2; i++) {
        char *text = NULL;
        size_t len;
        FILE *out = open_memstream(&text, &len);
        assert_non_null(out);
        grid_print(both[i], out);
        fclose(out);
        unsigned lines = 0;
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1, lines++)
            if (columns(line, strcspn(line, "\n")) > 100)
                fail_msg("too wide: %.*s", (int)strcspn(line, "\n"), line);
        assert_true(lines >= both[i]->count + 3);
        free(text);
    }
}

static void a_run_without_the_matrix_has_no_grid(void **state)
{
    static const struct results results = { .dir = "", .tests = &tests[14], .test_count = 1 };
    struct grid grid;
    char *text = NULL;
    size_t len;
    (void)state;
    assert_true(grid_make(&results, &grid));
    assert_int_equal(grid.count, 0);
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    grid_print(&grid, out);
    fclose(out);
    assert_int_equal(len, 0);
    free(text);
    grid_release(&grid);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(rows_are_ways_in_the_order_of_the_states),
        cmocka_unit_test(a_cell_says_the_worst),
        cmocka_unit_test(the_grid_fits_a_hundred_columns),
        cmocka_unit_test(a_run_without_the_matrix_has_no_grid),
    };
    return cmocka_run_group_tests(all, make, release);
}

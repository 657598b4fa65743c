/* Puts runs side by side: all of them are ordered by id, so one walk through all finds every row. */
#include "reports/versus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "reports/formats.h"
#include "reports/requirements.h"
#include "reports/text.h"

enum { TEST_ABSENT = OUTCOME_NOT_APPLICABLE + 1, REQUIREMENT_ABSENT = STATUS_COUNT };

const char *versus_test_text(uint8_t cell)
{
    static const char *const texts[] = {
        [OUTCOME_PASSED] = "pass", [OUTCOME_FAILED] = "fail", [OUTCOME_ERROR] = "error", [OUTCOME_KNOWN] = "known",
        [OUTCOME_INCONCLUSIVE] = "inconclusive", [OUTCOME_NOT_APPLICABLE] = "not_applicable", [TEST_ABSENT] = "absent",
    };
    assert(cell <= TEST_ABSENT);
    return texts[cell];
}

const char *versus_requirement_text(uint8_t cell)
{
    return cell == REQUIREMENT_ABSENT ? "absent" : requirement_status_text((enum requirement_status)cell);
}

/* ---- names ----------------------------------------------------------------------------------------------------- */

static bool is_name_taken(const struct versus *v, size_t run)
{
    for (size_t i = 0; i < v->run_count; i++)
        if (i != run && strcmp(v->names[i], v->names[run]) == 0)
            return true;
    return false;
}

/* The target; where that is not enough when it ran; where that is not either, its place on the command line. */
static void name_runs(struct versus *v)
{
    bool taken[VERSUS_RUNS_MAX] = {false};
    for (size_t i = 0; i < v->run_count; i++)
        text_show(v->runs[i]->run.target_name, v->names[i], VERSUS_NAME_MAX / 2);
    for (size_t i = 0; i < v->run_count; i++)
        taken[i] = is_name_taken(v, i);
    for (size_t i = 0; i < v->run_count; i++) {
        char started[40];
        const size_t len = strlen(v->names[i]);
        if (taken[i])
            snprintf(v->names[i] + len, VERSUS_NAME_MAX - len, " (%s)",
                     text_show(v->runs[i]->run.started, started, sizeof started));
    }
    for (size_t i = 0; i < v->run_count; i++)
        taken[i] = is_name_taken(v, i);
    for (size_t i = 0; i < v->run_count; i++) {
        const size_t len = strlen(v->names[i]);
        if (taken[i])
            snprintf(v->names[i] + len, VERSUS_NAME_MAX - len, " #%zu", i + 1);
    }
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

/* What is walked through: so many sorted lists, the id and the cell of an entry, and how ids are ordered. */
struct walk {
    size_t counts[VERSUS_RUNS_MAX];
    const void *lists[VERSUS_RUNS_MAX];
    const char *(*id)(const void *list, size_t i);
    uint8_t (*cell)(const void *list, size_t i);
    int (*compare)(const char *, const char *);
    uint8_t absent;
};

static const char *test_id(const void *list, size_t i)
{
    return ((const struct result_test *)list)[i].id;
}

static uint8_t test_cell(const void *list, size_t i)
{
    return (uint8_t)outcome_of(&((const struct result_test *)list)[i]);
}

static const char *requirement_id(const void *list, size_t i)
{
    return ((const struct requirement_result *)list)[i].id;
}

static uint8_t requirement_cell(const void *list, size_t i)
{
    return (uint8_t)((const struct requirement_result *)list)[i].status;
}

/* The least id that any of the lists has next; NULL at their ends. */
static const char *next_id(const struct walk *w, const size_t *at, size_t runs)
{
    const char *least = NULL;
    for (size_t r = 0; r < runs; r++) {
        const char *id = at[r] < w->counts[r] ? w->id(w->lists[r], at[r]) : NULL;
        if (id && (!least || w->compare(id, least) < 0))
            least = id;
    }
    return least;
}

static void fill_row(const struct walk *w, size_t *at, size_t runs, const char *id, struct versus_row *row)
{
    *row = (struct versus_row){.id = id};
    for (size_t r = 0; r < runs; r++) {
        const bool here = at[r] < w->counts[r] && strcmp(w->id(w->lists[r], at[r]), id) == 0;
        row->cells[r] = here ? w->cell(w->lists[r], at[r]++) : w->absent;
        row->differs = row->differs || row->cells[r] != row->cells[0];
    }
}

/* Those that differ first; within each part they stay as they were. */
static bool part(struct versus_table *table)
{
    struct versus_row *sorted = calloc(table->count + 1, sizeof *sorted);
    size_t first = 0, then = table->differing;
    for (size_t i = 0; sorted && i < table->count; i++)
        sorted[table->rows[i].differs ? first++ : then++] = table->rows[i];
    if (!sorted)
        return false;
    free(table->rows);
    table->rows = sorted;
    return true;
}

static bool make_table(const struct walk *w, size_t runs, struct versus_table *out)
{
    size_t at[VERSUS_RUNS_MAX] = {0}, max = 1;
    for (size_t r = 0; r < runs; r++)
        max += w->counts[r];
    *out = (struct versus_table){.rows = calloc(max, sizeof *out->rows)};
    if (!out->rows)
        return false;
    for (const char *id; (id = next_id(w, at, runs));) {
        struct versus_row *row = &out->rows[out->count++];
        fill_row(w, at, runs, id, row);
        out->differing += row->differs;
    }
    return part(out);
}

static bool make_tests(struct versus *v)
{
    struct walk w = {.id = test_id, .cell = test_cell, .compare = result_id_compare, .absent = TEST_ABSENT};
    for (size_t r = 0; r < v->run_count; r++) {
        w.lists[r] = v->runs[r]->tests;
        w.counts[r] = v->runs[r]->test_count;
    }
    return make_table(&w, v->run_count, &v->tests);
}

static bool make_requirements(struct versus *v)
{
    struct walk w = {.id = requirement_id, .cell = requirement_cell, .compare = strverscmp, .absent = REQUIREMENT_ABSENT};
    struct requirement_results judged[VERSUS_RUNS_MAX] = {0};
    bool good = true;
    for (size_t r = 0; r < v->run_count && good; r++) {
        good = requirements_judge(v->runs[r], &judged[r]);
        w.lists[r] = judged[r].list;
        w.counts[r] = judged[r].count;
    }
    good = good && make_table(&w, v->run_count, &v->requirements);
    for (size_t i = 0; good && i < v->requirements.count; i++) {
        const struct requirement *entry = requirement_find(v->requirements.rows[i].id);
        v->requirements.rows[i].level = entry ? entry->level : LEVEL_UNSTATED;
    }
    for (size_t r = 0; r < v->run_count; r++)
        requirements_release(&judged[r]);
    return good;
}

bool versus_make(const struct results *const *runs, size_t run_count, struct versus *out)
{
    assert(run_count >= 1 && run_count <= VERSUS_RUNS_MAX);
    *out = (struct versus){.runs = runs, .run_count = run_count};
    name_runs(out);
    if (make_tests(out) && make_requirements(out))
        return true;
    versus_release(out);
    return false;
}

void versus_release(struct versus *versus)
{
    free(versus->tests.rows);
    free(versus->requirements.rows);
    *versus = (struct versus){.run_count = 0};
}

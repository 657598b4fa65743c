/* Compares two runs: both are ordered by id, so one walk through both finds every pair. */
#include "reports/compare.h"

#include <stdlib.h>
#include <string.h>

#include "reports/report.h"
#include "reports/standing.h"
#include "reports/text.h"

static bool fails(const struct result_test *test)
{
    return test && test->verdict == VERDICT_FAIL;
}

/* False when the pair is of no interest. One of the two may be NULL. */
static bool classify(const struct result_test *before, const struct result_test *now, enum comparison_kind *kind)
{
    if (!fails(before) && !fails(now) && before && now)
        return false;
    if (fails(now))
        *kind = fails(before) ? COMPARE_STILL_FAILING : COMPARE_NEW_FAILURE;
    else if (fails(before))
        *kind = now && now->verdict == VERDICT_PASS ? COMPARE_FIXED : COMPARE_UNDECIDED;
    else
        *kind = now ? COMPARE_APPEARED : COMPARE_VANISHED;
    return true;
}

static void add(struct comparison *c, const char *id, const struct result_test *before, const struct result_test *now)
{
    enum comparison_kind kind;
    if (!classify(before, now, &kind))
        return;
    c->rows[c->row_count++] = (struct comparison_row){ kind, id, before, now };
    c->counts[kind]++;
}

static int by_kind_and_id(const void *a, const void *b)
{
    const struct comparison_row *left = a, *right = b;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return result_id_compare(left->id, right->id);
}

int compare_results(const struct results *baseline, const struct results *now, struct comparison *out)
{
    *out = (struct comparison){ .rows = calloc(baseline->test_count + now->test_count + 1, sizeof *out->rows), .baseline = baseline, .now = now };
    if (!out->rows)
        return -1;
    size_t b = 0, n = 0;
    while (b < baseline->test_count && n < now->test_count) {
        const struct result_test *before = &baseline->tests[b], *after = &now->tests[n];
        const int order = result_id_compare(before->id, after->id);
        add(out, order <= 0 ? before->id : after->id, order <= 0 ? before : NULL, order >= 0 ? after : NULL);
        b += order <= 0;
        n += order >= 0;
    }
    for (; b < baseline->test_count; b++)
        add(out, baseline->tests[b].id, &baseline->tests[b], NULL);
    for (; n < now->test_count; n++)
        add(out, now->tests[n].id, NULL, &now->tests[n]);
    qsort(out->rows, out->row_count, sizeof *out->rows, by_kind_and_id);
    return 0;
}

void comparison_release(struct comparison *comparison)
{
    free(comparison->rows);
    *comparison = (struct comparison){ .row_count = 0 };
}

static void print_row(const struct comparison_row *row, FILE *out, bool color)
{
    static const struct {
        const char *word, *color;
    } styles[] = {
        [COMPARE_NEW_FAILURE] = { "NEW FAILURE", "\x1b[1;31m" },
        [COMPARE_STILL_FAILING] = { "STILL FAILING", "\x1b[33m" },
        [COMPARE_FIXED] = { "FIXED", "\x1b[32m" },
        [COMPARE_UNDECIDED] = { "UNDECIDED", "\x1b[36m" },
        [COMPARE_APPEARED] = { "APPEARED", "\x1b[2m" },
        [COMPARE_VANISHED] = { "VANISHED", "\x1b[2m" },
    };
    char id[512], why[300];
    fprintf(out, "%s%s%s %s", color ? styles[row->kind].color : "", styles[row->kind].word, color ? "\x1b[0m" : "",
            text_show(row->id, id, sizeof id));
    if (row->kind == COMPARE_NEW_FAILURE)
        fprintf(out, "  %s  was %s", text_show(row->now->reason, why, sizeof why),
                row->before ? verdict_text(row->before->verdict) : "not in the baseline");
    if (row->kind == COMPARE_UNDECIDED)
        fprintf(out, "  was fail, now %s", row->now ? verdict_text(row->now->verdict) : "not run");
    if (row->kind == COMPARE_APPEARED)
        fprintf(out, "  %s, and was not in the baseline", verdict_text(row->now->verdict));
    if (row->kind == COMPARE_VANISHED)
        fprintf(out, "  was %s, and was not run", verdict_text(row->before->verdict));
    fputc('\n', out);
}

/* What keeps the two from being of a kind is said first: it explains most of what follows. */
static void print_premises(const struct comparison *c, FILE *out)
{
    char before[200], now[200];
    if (strcmp(c->baseline->run.target_name, c->now->run.target_name) != 0)
        fprintf(out, "NOTE the baseline is of another target: %s, and this run of %s\n",
                text_show(c->baseline->run.target_name, before, sizeof before),
                text_show(c->now->run.target_name, now, sizeof now));
    if (!results_are_complete(c->baseline))
        fputs("NOTE the baseline is incomplete: what it did not reach counts as not failing there\n", out);
    if (!results_are_complete(c->now))
        fputs("NOTE this run is incomplete: what it did not reach is missing\n", out);
}

void comparison_print(const struct comparison *comparison, FILE *out, bool color)
{
    enum { SHOWN_MAX = 10 }; /* of those that appeared or vanished: with other selectors it is thousands */
    size_t shown[COMPARE_COUNT] = { 0 };
    print_premises(comparison, out);
    for (size_t i = 0; i < comparison->row_count; i++) {
        const enum comparison_kind kind = comparison->rows[i].kind;
        if (kind < COMPARE_APPEARED || ++shown[kind] <= SHOWN_MAX)
            print_row(&comparison->rows[i], out, color);
    }
    fprintf(
        out,
        "Against the baseline: %zu new failures, %zu still failing, %zu fixed, %zu undecided; %zu tests appeared, %zu vanished.\n",
            comparison->counts[COMPARE_NEW_FAILURE], comparison->counts[COMPARE_STILL_FAILING], comparison->counts[COMPARE_FIXED],
            comparison->counts[COMPARE_UNDECIDED], comparison->counts[COMPARE_APPEARED], comparison->counts[COMPARE_VANISHED]);
}

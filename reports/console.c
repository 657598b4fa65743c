/* What a run shows on a terminal, or in the log of a CI job: a line a test, and the summary by RFC section.
 *
 * Results are hostile: print_text() is the one way by which they get to the terminal.
 */
#include "reports/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/formats.h"
#include "reports/grid.h"
#include "reports/standing.h"
#include "reports/text.h"

enum { TEXT_BYTES_MAX = 300 }; /* of one string on a line */

static void print_text(const char *text, FILE *out)
{
    char shown[TEXT_BYTES_MAX];
    fputs(text ? text_show(text, shown, sizeof shown) : "", out);
}

static const struct style {
    const char *word, *color;
} styles[] = {
    [OUTCOME_PASSED] = { "PASS", "\x1b[32m" },
    [OUTCOME_FAILED] = { "FAIL", "\x1b[1;31m" },
    [OUTCOME_ERROR] = { "ERROR", "\x1b[1;35m" },
    [OUTCOME_KNOWN] = { "KNOWN", "\x1b[33m" },
    [OUTCOME_INCONCLUSIVE] = { "INCONCLUSIVE", "\x1b[36m" },
    [OUTCOME_NOT_APPLICABLE] = { "NOT APPLICABLE", "\x1b[2m" },
};

static void print_word(enum outcome outcome, FILE *out, bool color)
{
    fprintf(out, "%s%s%s ", color ? styles[outcome].color : "", styles[outcome].word, color ? "\x1b[0m" : "");
}

static const char *requirement_of(const struct result_test *test)
{
    const struct result_finding *f = leading_finding(test);
    if (f && has_text(f->requirement))
        return f->requirement;
    return test->cover_count ? test->covers[0] : "";
}

/* What was expected and what came; or, when the finding does not say, its message or the reason. */
static void print_what(const struct result_test *test, FILE *out)
{
    const struct result_finding *f = leading_finding(test);
    if (!f || !has_text(f->expected)) {
        print_text(f && has_text(f->message) ? f->message : test->reason, out);
    } else {
        fputs("expected ", out);
        print_text(f->expected, out);
        fputs(has_text(f->observed) ? ", observed " : "", out);
        print_text(f->observed, out);
    }
    if (f && f->segment)
        fprintf(out, " (segment %" PRIu32 ")", f->segment);
}

static void print_where(const struct result_test *test, const char *dir, FILE *out)
{
    const bool capture = has_text(test->pcap);
    if (!capture && !has_text(test->file))
        return;
    fputs("  open ", out);
    if (capture && has_text(dir)) {
        print_text(dir, out);
        fputs(dir[strlen(dir) - 1] == '/' ? "" : "/", out);
    }
    print_text(capture ? test->pcap : test->file, out);
    if (!capture && test->line)
        fprintf(out, ":%" PRIu32, test->line);
}

static void print_seconds(int64_t ns, FILE *out)
{
    fprintf(out, "%" PRId64 ".%03" PRId64 " s", ns / 1000000000, ns % 1000000000 / 1000000);
}

void report_console_line(const struct result_test *test, const char *dir, FILE *out, bool color)
{
    const enum outcome outcome = outcome_of(test);
    print_word(outcome, out, color);
    print_text(test->id, out);
    if (outcome == OUTCOME_PASSED) {
        fputs("  ", out);
        print_seconds(test->duration_ns, out);
    } else if (outcome == OUTCOME_NOT_APPLICABLE) {
        fputs("  ", out);
        print_text(test->reason, out);
    } else {
        fputs("  ", out);
        print_text(requirement_of(test), out);
        fputs(*requirement_of(test) ? "  " : "", out);
        print_what(test, out);
        print_where(test, dir, out);
    }
    if (outcome == OUTCOME_KNOWN && has_text(test->known_note)) {
        fputs("  known: ", out);
        print_text(test->known_note, out);
    }
    fputc('\n', out);
}

/* ---- summary --------------------------------------------------------------------------------------------------- */

enum { COUNTS_COLUMNS = 59, NAME_COLUMNS_MIN = 16, NAME_COLUMNS_MAX = 60, GRID_COLUMNS_MAX = 100 };

/* As the longest name wants, as far as the counts beside it leave room. */
static size_t name_width(const struct sections *sections, unsigned terminal)
{
    const size_t room = terminal == 0                                          ? NAME_COLUMNS_MAX
                        : terminal < COUNTS_COLUMNS + NAME_COLUMNS_MIN         ? NAME_COLUMNS_MIN
                        : terminal - COUNTS_COLUMNS < NAME_COLUMNS_MAX         ? terminal - COUNTS_COLUMNS
                                                                               : NAME_COLUMNS_MAX;
    size_t width = strlen("section");
    for (size_t i = 0; i < sections->count; i++)
        if (sections->list[i].name_len > width)
            width = sections->list[i].name_len;
    return width < room ? width : room;
}

/* A number, or a dot for 0, so that what is there stands out. */
static void print_count(uint32_t count, int width, FILE *out)
{
    if (count)
        fprintf(out, "%*" PRIu32, width, count);
    else
        fprintf(out, "%*s", width, ".");
}

static void print_row(const char *name, size_t name_len, size_t width, const struct results_summary *s, FILE *out)
{
    char copy[RESULTS_ID_BYTES_MAX + 1], shown[64];
    snprintf(copy, sizeof copy, "%.*s", (int)name_len, name);
    fprintf(out, "%-*s", (int)width, text_show(copy, shown, width + 1 > 5 ? width + 1 : 5));
    print_count(s->verdicts[VERDICT_PASS], 7, out);
    print_count(s->verdicts[VERDICT_FAIL], 6, out);
    print_count(s->known, 7, out);
    print_count(s->verdicts[VERDICT_INCONCLUSIVE], 14, out);
    print_count(s->verdicts[VERDICT_ERROR], 7, out);
    print_count(s->verdicts[VERDICT_NOT_APPLICABLE], 6, out);
    print_count(s->deviations, 12, out);
    fputc('\n', out);
}

static void print_table(const struct results *results, const struct sections *sections, unsigned terminal, FILE *out)
{
    struct results_summary sum;
    const size_t width = name_width(sections, terminal);
    results_summarise(results->tests, results->test_count, &sum);
    fprintf(out, "%-*s   pass  fail  known  inconclusive  error   n/a  deviations\n", (int)width, "section");
    for (size_t i = 0; i < sections->count; i++)
        print_row(sections->list[i].name, sections->list[i].name_len, width, &sections->list[i].summary, out);
    print_row("all", 3, width, &sum, out);
}

static void print_lines(const struct results *results, const struct sections *sections, enum outcome outcome, FILE *out, bool color)
{
    bool any = false;
    for (size_t i = 0; i < results->test_count; i++) {
        if (outcome_of(sections->tests[i]) != outcome)
            continue;
        if (!any)
            fputc('\n', out);
        any = true;
        report_console_line(sections->tests[i], results->dir, out, color);
    }
}

/* What should be and is not: no failure, but whoever runs the tests wants to know. */
static void print_deviations(const struct results *results, FILE *out)
{
    for (size_t i = 0; i < results->test_count; i++) {
        const struct result_test *test = &results->tests[i];
        if (result_deviations(test) == 0)
            continue;
        fputs("SHOULD ", out);
        print_text(test->id, out);
        fputs("  ", out);
        print_text(requirement_of(test), out);
        fputs("  ", out);
        print_what(test, out);
        print_where(test, results->dir, out);
        fputc('\n', out);
    }
}

/* A ledger entry that nothing bears out any more is worth a line: it would hide the next failure. */
static void print_mended(const struct results *results, FILE *out)
{
    for (size_t i = 0; i < results->test_count; i++) {
        const struct result_test *test = &results->tests[i];
        if (!test->known || test->verdict != VERDICT_PASS)
            continue;
        fputs("NOTE ", out);
        print_text(test->id, out);
        fputs("  passes, though the target's ledger lists it as failing: take it out\n", out);
    }
}

/* The stack: offers SACK: yes · sends with a TTL of 64 · … in lines of bounded width. */
static void print_portrait(const struct portrait *portrait, unsigned terminal, FILE *out)
{
    const size_t width = terminal && terminal < 110 ? terminal : 110;
    char text[256];
    size_t column = 0;
    for (enum choice_id id = 0; id < CHOICE_COUNT; id++) {
        portrait_describe(portrait, id, text, sizeof text);
        if (!*text)
            continue;
        const size_t len = strlen(text);
        if (column == 0)
            column = (size_t)fprintf(out, "\nThe stack: ");
        else if (column + len + 3 > width)
            column = (size_t)fprintf(out, " ·\n  ");
        else
            column += (size_t)fprintf(out, " · ");
        fputs(text, out);
        column += len;
    }
    if (column)
        fputc('\n', out);
}

static void print_coverage(const struct coverage *coverage, FILE *out)
{
    size_t tested = 0, broken = 0, transitions = 0;
    for (enum rule_id id = 0; id < RULE_COUNT; id++) {
        tested += coverage->tested[id] != 0;
        broken += coverage->violated[id] != 0;
    }
    for (enum tcp_state from = 0; from < TCP_STATE_COUNT; from++)
        for (enum model_event event = 0; event < EVENT_COUNT; event++)
            for (enum tcp_state to = 0; to < TCP_STATE_COUNT; to++)
                transitions += coverage->transitions[from][event][to] != 0;
    if (tested)
        fprintf(out, "The model: %zu of %d rules put to the test, %zu broken; %zu transitions seen\n", tested, RULE_COUNT, broken,
                transitions);
}

static void print_grid(const struct results *results, unsigned terminal, FILE *out)
{
    struct grid grid;
    if (!grid_make(results, &grid))
        return;
    if (terminal == 0 || terminal >= GRID_COLUMNS_MAX)
        grid_print(&grid, out);
    else if (grid.count)
        fputs("\nThe state×event grid takes 100 columns: make the terminal wider, or see summary.md (--report md).\n", out);
    grid_release(&grid);
}

/* ---- what was not applicable, by the reason */

enum { REASONS_SHOWN = 8 };
struct left_out { const char *reason; uint32_t count; };

static int compare_reasons(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_counts(const void *a, const void *b)
{
    const struct left_out *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->reason, y->reason);
}

/* Folds a sorted list of texts into the different ones, the most frequent first; returns how many they are. */
static size_t fold_reasons(const char *const *sorted, size_t count, struct left_out *out)
{
    size_t different = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(sorted[i], sorted[i - 1]))
            out[different++] = (struct left_out){ sorted[i], 1 };
        else
            out[different - 1].count++;
    qsort(out, different, sizeof *out, compare_counts);
    return different;
}

static void print_left_out(const struct results *results, FILE *out)
{
    const char **reasons = calloc(results->test_count + 1, sizeof *reasons);
    struct left_out *left_out = calloc(results->test_count + 1, sizeof *left_out);
    size_t count = 0;
    for (size_t i = 0; reasons && i < results->test_count; i++)
        if (results->tests[i].verdict == VERDICT_NOT_APPLICABLE)
            reasons[count++] = results->tests[i].reason ? results->tests[i].reason : "";
    if (reasons && left_out && count) {
        qsort(reasons, count, sizeof *reasons, compare_reasons);
        size_t different = fold_reasons(reasons, count, left_out);
        fputs("\nLeft out, since\n", out);
        for (size_t i = 0; i < different && i < REASONS_SHOWN; i++) {
            fprintf(out, "%7" PRIu32 "  ", left_out[i].count);
            print_text(left_out[i].reason, out);
            fputc('\n', out);
        }
        if (different > REASONS_SHOWN)
            fprintf(out, "         and %zu other reasons, each in results.json\n", different - REASONS_SHOWN);
    }
    free(reasons);
    free(left_out);
}

static void print_end(const struct results *results, FILE *out)
{
    struct results_summary s;
    results_summarise(results->tests, results->test_count, &s);
    fprintf(out, "\n%" PRIu32 " passed, %" PRIu32 " failed", s.verdicts[VERDICT_PASS], s.verdicts[VERDICT_FAIL]);
    if (s.known)
        fprintf(out, " (%" PRIu32 " as known)", s.known);
    fprintf(out, ", %" PRIu32 " inconclusive, %" PRIu32 " errors, %" PRIu32 " not applicable, %" PRIu32 " deviations",
            s.verdicts[VERDICT_INCONCLUSIVE], s.verdicts[VERDICT_ERROR], s.verdicts[VERDICT_NOT_APPLICABLE], s.deviations);
    if (results->finished) {
        fputs(" in ", out);
        print_seconds(results->duration_ns, out);
    }
    fputc('\n', out);
    if (!results->finished)
        fprintf(out, "The run was cut short: %zu tests finished; --resume goes on.\n", results->test_count);
    else if (!results_are_complete(results))
        fprintf(out, "The run is incomplete: %zu of %" PRIu32 " tests finished.\n", results->test_count, results->run.planned);
}

void report_console_summary(const struct results *results, FILE *out, bool color, unsigned width)
{
    static const enum outcome shown[] = { OUTCOME_KNOWN, OUTCOME_INCONCLUSIVE, OUTCOME_ERROR, OUTCOME_FAILED };
    struct sections sections;
    if (!sections_make(results, &sections)) {
        fputs("out of memory: no summary\n", out);
        return;
    }
    print_table(results, &sections, width, out);
    print_mended(results, out);
    print_deviations(results, out);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        print_lines(results, &sections, shown[i], out, color);
    print_portrait(&results->model.portrait, width, out);
    print_coverage(&results->model.coverage, out);
    print_grid(results, width, out);
    print_left_out(results, out);
    print_end(results, out);
    sections_release(&sections);
}

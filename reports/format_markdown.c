/* summary.md: a run on one page, for a pull request or a job's summary (GitHub-flavoured Markdown).
 *
 * The numbers by section, and what people should look at. Long texts are cut, with a mark, and so are long lists, since a comment
 * of GitHub's has 65,536 characters at most; the whole of it is in results.json.
 */
#include "reports/formats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/grid.h"
#include "reports/requirements.h"
#include "reports/standing.h"
#include "reports/text.h"

enum { TEXT_BYTES_MAX = 400 /* of one string on the page */, PAGE_BYTES_MAX = 64000, REQUIREMENTS_MAX = 40 };

/* The longest run of backquotes. */
static size_t longest_run(const char *text)
{
    size_t longest = 0;
    for (size_t run; *text; text += run ? run : 1) {
        run = strspn(text, "`");
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void print_fence(size_t len, FILE *out)
{
    while (len--)
        fputc('`', out);
}

/* The one function that makes a string fit for Markdown: a code span, in which nothing is markup, a link, a mention or HTML. Its
 * fence has one backquote more than any run inside, and a blank parts it from one at the edge (CommonMark §6.1). A border would end
 * a cell of a table even there, but not with a backslash before it. */
void markdown_span(const char *text, bool in_table, FILE *out)
{
    char shown[TEXT_BYTES_MAX];
    text_show(*text ? text : " ", shown, sizeof shown);
    const size_t len = strlen(shown), fence = longest_run(shown) + 1;
    print_fence(fence, out);
    fputs(shown[0] == '`' || shown[0] == ' ' ? " " : "", out);
    for (const char *p = shown; *p; p++) {
        if (*p == '|' && in_table)
            fputc('\\', out);
        fputc(*p, out);
    }
    fputs(shown[len - 1] == '`' || shown[len - 1] == ' ' ? " " : "", out);
    print_fence(fence, out);
}

static void print_text(const char *text, FILE *out)
{
    markdown_span(text, false, out);
}

static void print_name(const char *name, size_t len, FILE *out)
{
    char copy[RESULTS_ID_BYTES_MAX + 1];
    snprintf(copy, sizeof copy, "%.*s", (int)len, name);
    markdown_span(copy, true, out);
}

static void print_seconds(int64_t ns, FILE *out)
{
    fprintf(out, "%" PRId64 ".%03" PRId64 " s", ns / 1000000000, ns % 1000000000 / 1000000);
}

static void print_head(const struct results *results, FILE *out)
{
    const struct result_run *run = &results->run;
    fputs("# Conformance of ", out);
    print_text(run->target_name, out);
    fputs("\n\n", out);
    print_text(run->target_description, out);
    fputs(", tested with tcpassay ", out);
    print_text(run->tcpassay, out);
    fputs(" on ", out);
    print_text(run->started, out);
    fputs(", profile ", out);
    print_text(run->profile, out);
    fprintf(out, ", seed %" PRId64 ", in ", run->seed);
    print_seconds(results->duration_ns, out);
    fputs(".\n\n", out);
    if (!results_are_complete(results))
        fprintf(out, "**The run was cut short**: %zu tests finished%s.\n\n", results->test_count, results->finished ? ", fewer than it set out to run" : "");
}

static void print_row(const char *name, size_t name_len, const struct results_summary *s, FILE *out)
{
    fputs("| ", out);
    print_name(name, name_len, out);
    fprintf(out, " | %u | %u | %u | %u | %u | %u | %u |\n", s->verdicts[VERDICT_PASS], s->verdicts[VERDICT_FAIL], s->known,
            s->verdicts[VERDICT_INCONCLUSIVE], s->verdicts[VERDICT_ERROR], s->verdicts[VERDICT_NOT_APPLICABLE], s->deviations);
}

static void print_table(const struct results *results, const struct sections *sections, FILE *out)
{
    struct results_summary sum;
    results_summarise(results->tests, results->test_count, &sum);
    fputs("| section | pass | fail | of these known | inconclusive | error | not applicable | deviations |\n"
          "|---|--:|--:|--:|--:|--:|--:|--:|\n",
          out);
    for (size_t i = 0; i < sections->count; i++)
        print_row(sections->list[i].name, sections->list[i].name_len, &sections->list[i].summary, out);
    print_row("all", 3, &sum, out);
    fputc('\n', out);
}

/* said: what the line above says already. */
static void print_finding(const struct result_finding *f, const char *said, FILE *out)
{
    fputs("  - ", out);
    print_text(*f->requirement ? f->requirement : f->rule, out);
    if (*f->message && strcmp(f->message, said) != 0) {
        fputs(": ", out);
        print_text(f->message, out);
    }
    if (*f->expected) {
        fputs("; expected ", out);
        print_text(f->expected, out);
    }
    if (*f->observed) {
        fputs("; observed ", out);
        print_text(f->observed, out);
    }
    if (f->segment)
        fprintf(out, " (segment %" PRIu32 ")", f->segment);
    fputc('\n', out);
}

static void print_test(const struct result_test *test, FILE *out)
{
    const char *why = outcome_of(test) == OUTCOME_KNOWN && *test->known_note ? test->known_note : test->reason;
    fputs("- ", out);
    print_text(test->id, out);
    fputs(*why ? ": " : "", out);
    if (*why)
        print_text(why, out);
    if (*test->pcap) {
        fputs(" (packets: ", out);
        print_text(test->pcap, out);
        fputs(")", out);
    }
    fputc('\n', out);
    for (size_t i = 0; i < test->finding_count; i++)
        print_finding(&test->findings[i], why, out);
}

static bool deviates(const struct result_test *test)
{
    return result_deviations(test) > 0;
}

static bool fails_anew(const struct result_test *test)
{
    return outcome_of(test) == OUTCOME_FAILED;
}

static bool fails_as_known(const struct result_test *test)
{
    return outcome_of(test) == OUTCOME_KNOWN;
}

static bool is_error(const struct result_test *test)
{
    return outcome_of(test) == OUTCOME_ERROR;
}

static bool is_inconclusive(const struct result_test *test)
{
    return outcome_of(test) == OUTCOME_INCONCLUSIVE;
}

static bool is_mended(const struct result_test *test)
{
    return test->known && test->verdict == VERDICT_PASS;
}

static const struct list {
    const char *title;
    bool (*wants)(const struct result_test *);
    size_t bytes_max; /* what goes beyond is counted */
} lists[] = {
    { "Failures", fails_anew, 16000 },
    { "Errors of the tester", is_error, 5000 },
    { "Inconclusive", is_inconclusive, 4000 },
    { "Deviations (a SHOULD not followed)", deviates, 5000 },
    { "Known failures (in the target's ledger)", fails_as_known, 5000 },
    { "Passes, though the ledger lists it as failing", is_mended, 2000 },
};

/* Prints the test unless that takes more than is left. */
static bool print_within(const struct result_test *test, size_t *left, FILE *out)
{
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    if (!memory)
        return false;
    print_test(test, memory);
    const bool fits = fclose(memory) == 0 && len <= *left;
    if (fits)
        fwrite(text, 1, len, out);
    *left = fits ? *left - len : 0;
    free(text);
    return fits;
}

static void print_list(const struct list *list, const struct sections *sections, size_t test_count, FILE *out)
{
    size_t shown = 0, all = 0, left = list->bytes_max;
    for (size_t i = 0; i < test_count; i++) {
        if (!list->wants(sections->tests[i]))
            continue;
        if (all++ == 0)
            fprintf(out, "## %s\n\n", list->title);
        shown += left > 0 && print_within(sections->tests[i], &left, out);
    }
    if (all > shown)
        fprintf(out, "- … and %zu more\n", all - shown);
    if (all)
        fputc('\n', out);
}

static bool print_requirements(const struct results *results, FILE *out)
{
    struct requirement_results r;
    if (!requirements_judge(results, &r))
        return false;
    fprintf(
        out,
        "## Requirements\n\n%zu in the catalogue or claimed by a test: %zu satisfied, %zu violated, %zu deviated, %zu untested, "
        "%zu not testable from outside.\n",
        r.count, r.statuses[STATUS_SATISFIED], r.statuses[STATUS_VIOLATED], r.statuses[STATUS_DEVIATED],
        r.statuses[STATUS_UNTESTED], r.statuses[STATUS_UNTESTABLE]);
    size_t left_out = 0, listed = 0;
    for (size_t i = 0; i < r.count; i++) {
        if (r.list[i].status != STATUS_VIOLATED && r.list[i].status != STATUS_DEVIATED)
            continue;
        const struct requirement *known = requirement_find(r.list[i].id);
        if (++listed > REQUIREMENTS_MAX) {
            left_out++;
            continue;
        }
        fputs("\n- ", out);
        print_text(r.list[i].id, out);
        fprintf(out, " %s: ", requirement_status_text(r.list[i].status));
        print_text(known ? known->text : "not in the catalogue", out);
    }
    if (left_out)
        fprintf(out, "\n- … and %zu more", left_out);
    fputc('\n', out);
    requirements_release(&r);
    return true;
}

static void print_portrait(const struct portrait *portrait, FILE *out)
{
    char text[256];
    bool any = false;
    for (enum choice_id id = 0; id < CHOICE_COUNT; id++) {
        portrait_describe(portrait, id, text, sizeof text);
        if (!*text)
            continue;
        if (!any)
            fputs("## What the stack chose\n\n", out);
        any = true;
        fputs("- ", out);
        print_text(text, out);
        fprintf(out, " (%s)\n", choice_at(id)->source);
    }
    if (any)
        fputc('\n', out);
}

static bool print_grid(const struct results *results, FILE *out)
{
    struct grid grid;
    char cell[GRID_CELL_MAX];
    if (!grid_make(results, &grid))
        return false;
    if (grid.count) {
        fputs("## State\303\227event matrix\n\nCases; `!` of them failed, `k` failed as known, `?` were inconclusive, `E` errors, `-` not applicable.\n\n| state/way in |", out);
        for (enum grid_column c = 0; c < GRID_COLUMNS; c++)
            fprintf(out, " %s |", grid_column_text(c));
        fputs("\n|---|--:|--:|--:|--:|--:|--:|--:|\n", out);
    }
    for (size_t i = 0; i < grid.count; i++) {
        fputs("| ", out);
        print_name(grid.rows[i].name, grid.rows[i].name_len, out);
        for (enum grid_column c = 0; c < GRID_COLUMNS; c++) {
            grid_cell_text(&grid.rows[i].cells[c], cell);
            fprintf(out, " | %s", cell);
        }
        fputs(" |\n", out);
    }
    fputs(grid.count ? "\n" : "", out);
    grid_release(&grid);
    return true;
}

static bool print_page(const struct results *results, FILE *out)
{
    struct sections sections;
    if (!sections_make(results, &sections))
        return false;
    print_head(results, out);
    print_table(results, &sections, out);
    if (!print_grid(results, out)) {
        sections_release(&sections);
        return false;
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        print_list(&lists[i], &sections, results->test_count, out);
    sections_release(&sections);
    print_portrait(&results->model.portrait, out);
    return print_requirements(results, out);
}

/* The whole page, or as many whole lines of it as there may be. */
bool format_markdown(const struct results *results, FILE *out)
{
    static const char cut[] = "\n**This page was cut**: it would be too long for a comment. The whole of it is in results.json.\n";
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    if (!memory)
        return false;
    const bool printed = print_page(results, memory), good = fclose(memory) == 0 && printed;
    const bool fits = len <= PAGE_BYTES_MAX;
    while (!fits && (len > PAGE_BYTES_MAX || (len > 0 && text[len - 1] != '\n')))
        len--;
    fwrite(text, 1, len, out);
    fputs(fits ? "" : cut, out);
    free(text);
    return good;
}

/* requirements.csv and tests.csv: the two tables of a run, a row each, for spreadsheets and scripts. The last column says in every
 * row whether the run was complete, since a table has no other place for it. */
#include "reports/formats.h"

#include <string.h>

#include "reports/csv.h"
#include "reports/requirements.h"
#include "reports/standing.h"

static const char *completeness(const struct results *results)
{
    return results_are_complete(results) ? "complete" : "incomplete";
}

/* ---- requirements ---------------------------------------------------------------------------------------------- */

static void print_requirement(const struct requirement_result *r, const char *run, struct csv *csv)
{
    const struct requirement *entry = requirement_find(r->id);
    uint32_t outcomes[OUTCOME_NOT_APPLICABLE + 1] = {0};
    for (size_t i = 0; i < r->test_count; i++)
        outcomes[outcome_of(r->tests[i])]++;
    csv_text(csv, r->id);
    csv_text(csv, requirement_level_text(r->level));
    csv_text(csv, entry ? entry->section : "");
    csv_text(csv, requirement_status_text(r->status));
    csv_whole(csv, (int64_t)r->test_count);
    csv_whole(csv, outcomes[OUTCOME_PASSED]);
    csv_whole(csv, (int64_t)outcomes[OUTCOME_FAILED] + outcomes[OUTCOME_KNOWN]);
    csv_whole(csv, outcomes[OUTCOME_KNOWN]);
    csv_whole(csv, outcomes[OUTCOME_INCONCLUSIVE]);
    csv_whole(csv, outcomes[OUTCOME_ERROR]);
    csv_whole(csv, outcomes[OUTCOME_NOT_APPLICABLE]);
    csv_text(csv, entry ? entry->observable : "");
    csv_text(csv, entry ? entry->text : "");
    csv_text(csv, run);
    csv_end(csv);
}

bool format_csv(const struct results *results, FILE *out)
{
    static const char *const head[] = {"requirement", "level", "section", "status", "tests", "pass", "fail", "known", "inconclusive", "error",
                                       "not_applicable", "observable", "text", "run", NULL};
    struct requirement_results requirements;
    struct csv csv = {.out = out};
    const bool good = requirements_judge(results, &requirements);
    csv_row(&csv, head);
    for (size_t i = 0; good && i < requirements.count; i++)
        print_requirement(&requirements.list[i], completeness(results), &csv);
    requirements_release(&requirements);
    return good;
}

/* ---- tests ----------------------------------------------------------------------------------------------------- */

static void print_covers(const struct result_test *test, struct csv *csv)
{
    char covers[CSV_CELL_BYTES_MAX];
    size_t used = 0;
    *covers = '\0';
    for (size_t i = 0; i < test->cover_count && used < sizeof covers; i++)
        used += (size_t)snprintf(covers + used, sizeof covers - used, "%s%s", i ? " " : "", test->covers[i]);
    csv_text(csv, covers);
}

static void print_test(const struct result_test *test, const char *run, struct csv *csv)
{
    static const struct result_finding none = {.rule = "", .requirement = "", .message = "", .expected = "", .observed = ""};
    const struct result_finding *f = leading_finding(test) ? leading_finding(test) : &none;
    csv_text(csv, test->id);
    csv_text(csv, test->title);
    csv_text(csv, requirement_level_text(test->level));
    csv_text(csv, verdict_text(test->verdict));
    csv_text(csv, test->known && test->verdict == VERDICT_FAIL ? "known" : "");
    csv_text(csv, test->reason);
    csv_text(csv, test->known_note);
    csv_whole(csv, test->duration_ns);
    print_covers(test, csv);
    csv_whole(csv, (int64_t)test->finding_count);
    csv_whole(csv, result_deviations(test));
    csv_text(csv, f->rule);
    csv_text(csv, f->requirement);
    csv_text(csv, f->expected);
    csv_text(csv, f->observed);
    csv_whole(csv, f->segment);
    csv_text(csv, test->file);
    csv_whole(csv, test->line);
    csv_text(csv, test->pcap);
    csv_text(csv, run);
    csv_end(csv);
}

bool format_tests_csv(const struct results *results, FILE *out)
{
    static const char *const head[] = {"test", "title", "level", "verdict", "known", "reason", "known_note", "duration_ns", "covers", "findings",
                                       "deviations", "rule", "requirement", "expected", "observed", "segment", "file", "line", "pcap", "run", NULL};
    struct csv csv = {.out = out};
    csv_row(&csv, head);
    for (size_t i = 0; i < results->test_count; i++)
        print_test(&results->tests[i], completeness(results), &csv);
    return true;
}

/* Works out what a run says about each requirement.
 *
 * Every test gives evidence: "this requirement, by this test, says that". The evidence is sorted by requirement and merged with
 * the catalogue, which is sorted the same way; the gravest evidence decides. A failing test counts against what its findings
 * name and not against everything it covers, because it stopped there; only a finding that names nothing counts against all.
 */
#include "reports/requirements.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const status_texts[] = {
    [STATUS_SATISFIED] = "satisfied", [STATUS_VIOLATED] = "violated",     [STATUS_DEVIATED] = "deviated",
    [STATUS_UNTESTED] = "untested",   [STATUS_UNTESTABLE] = "untestable",
};
static_assert(sizeof status_texts / sizeof status_texts[0] == STATUS_COUNT, "a text for each status");

const char *requirement_status_text(enum requirement_status status)
{
    assert((unsigned)status < STATUS_COUNT);
    return status_texts[status];
}

enum weight { NOTHING, SATISFIED, DEVIATED, VIOLATED }; /* in order of gravity */

struct evidence {
    const char *id;
    const struct result_test *test;
    enum weight weight;
};

struct evidences {
    struct evidence *list;
    size_t count;
};

static void add(struct evidences *e, const char *id, const struct result_test *test, enum weight weight)
{
    if (*id)
        e->list[e->count++] = (struct evidence){ id, test, weight };
}

static size_t evidence_max(const struct results *results)
{
    size_t max = 1;
    for (size_t i = 0; i < results->test_count; i++)
        max += results->tests[i].cover_count + results->tests[i].finding_count;
    return max;
}

/* Does the test fail for a reason that names no requirement? */
static bool fails_as_a_whole(const struct result_test *test)
{
    if (test->verdict != VERDICT_FAIL)
        return false;
    for (size_t i = 0; i < test->finding_count; i++)
        if (!*test->findings[i].requirement && !requirement_level_is_should(test->findings[i].level))
            return true;
    return test->finding_count == 0;
}

static enum weight weight_of_cover(const struct result_test *test, const char *id, bool whole)
{
    const struct requirement *r = requirement_find(id);
    if (whole)
        return r && requirement_level_is_should(r->level) ? DEVIATED : VIOLATED;
    return test->verdict == VERDICT_PASS ? SATISFIED : NOTHING;
}

static enum weight weight_of_finding(const struct result_test *test, const struct result_finding *finding)
{
    if (requirement_level_is_should(finding->level))
        return DEVIATED;
    return test->verdict == VERDICT_FAIL && finding->level != LEVEL_MAY ? VIOLATED : NOTHING;
}

static void add_test(struct evidences *e, const struct result_test *test)
{
    const bool whole = fails_as_a_whole(test);
    for (size_t i = 0; i < test->cover_count; i++)
        add(e, test->covers[i], test, weight_of_cover(test, test->covers[i], whole));
    for (size_t i = 0; i < test->finding_count; i++)
        add(e, test->findings[i].requirement, test, weight_of_finding(test, &test->findings[i]));
}

/* Tests come from one array that is ordered by id, so addresses order them. */
static int by_requirement_and_test(const void *a, const void *b)
{
    const struct evidence *left = a, *right = b;
    const int order = strverscmp(left->id, right->id);
    return order ? order : (left->test > right->test) - (left->test < right->test);
}

static enum requirement_status status_of(enum weight gravest, const struct requirement *requirement)
{
    switch (gravest) {
    case VIOLATED:
        return STATUS_VIOLATED;
    case DEVIATED:
        return STATUS_DEVIATED;
    case SATISFIED:
        return STATUS_SATISFIED;
    case NOTHING:
        break;
    }
    return requirement && !requirement_is_testable(requirement) ? STATUS_UNTESTABLE : STATUS_UNTESTED;
}

/* Appends the requirement of that id with the evidence about it from *next on, and moves *next past it. */
static void conclude(struct requirement_results *out, const char *id, const struct requirement *requirement,
                     const struct evidences *e, size_t *next, size_t *tests_used)
{
    struct requirement_result *r = &out->list[out->count++];
    enum weight gravest = NOTHING;
    *r = (struct requirement_result){ .id = id, .tests = out->tests + *tests_used };
    r->level = requirement ? requirement->level : LEVEL_UNSTATED;
    for (; *next < e->count && strcmp(e->list[*next].id, id) == 0; (*next)++) {
        const struct evidence *evidence = &e->list[*next];
        if (r->test_count == 0 || r->tests[r->test_count - 1] != evidence->test)
            r->tests[r->test_count++] = evidence->test;
        if (evidence->weight > gravest)
            gravest = evidence->weight;
    }
    *tests_used += r->test_count;
    r->status = status_of(gravest, requirement);
    out->statuses[r->status]++;
}

static void merge(struct requirement_results *out, const struct evidences *e)
{
    size_t next = 0, entry = 0, tests_used = 0;
    while (next < e->count || entry < requirement_count()) {
        const struct requirement *r = entry < requirement_count() ? requirement_at(entry) : NULL;
        const char *claimed = next < e->count ? e->list[next].id : NULL;
        const int order = !r ? 1 : !claimed ? -1 : strverscmp(r->id, claimed);
        if (order <= 0)
            entry++;
        conclude(out, order <= 0 ? r->id : claimed, order <= 0 ? r : NULL, e, &next, &tests_used);
    }
}

bool requirements_judge(const struct results *results, struct requirement_results *out)
{
    const size_t max = evidence_max(results);
    struct evidences e = { .list = calloc(max, sizeof *e.list) };
    *out = (struct requirement_results){ .list = calloc(max + requirement_count(), sizeof *out->list),
                                         .tests = calloc(max, sizeof(const struct result_test *)) };
    if (!e.list || !out->list || !out->tests) {
        free(e.list);
        requirements_release(out);
        return false;
    }
    for (size_t i = 0; i < results->test_count; i++)
        add_test(&e, &results->tests[i]);
    qsort(e.list, e.count, sizeof *e.list, by_requirement_and_test);
    merge(out, &e);
    free(e.list);
    return true;
}

void requirements_release(struct requirement_results *requirements)
{
    free(requirements->list);
    free(requirements->tests);
    *requirements = (struct requirement_results){ .count = 0 };
}

/* Groups tests by RFC section.
 *
 * Tests come ordered by id, so those that share a section stand together already, except those without one: they are taken in a
 * second pass and make up the last section.
 */
#include "reports/sections.h"

#include <stdlib.h>
#include <string.h>

#include "reports/report.h"

size_t report_section_len(const char *id)
{
    const char *first = strchr(id, '/');
    const char *second = first ? strchr(first + 1, '/') : NULL;
    return second ? (size_t)(second - id) : 0;
}

static bool is_in(const struct section *section, const char *id, size_t len)
{
    return section->name_len == len && memcmp(section->name, id, len) == 0;
}

static void add(struct sections *s, size_t place, const struct result_test *test, const char *name, size_t name_len)
{
    if (s->count == 0 || !is_in(&s->list[s->count - 1], name, name_len))
        s->list[s->count++] = (struct section){ .name = name, .name_len = name_len, .first = place };
    struct section *section = &s->list[s->count - 1];
    struct results_summary one;
    results_summarise(test, 1, &one);
    section->count++;
    for (int v = 0; v < VERDICT_COUNT; v++)
        section->summary.verdicts[v] += one.verdicts[v];
    section->summary.known += one.known;
    section->summary.deviations += one.deviations;
    if (__builtin_add_overflow(section->duration_ns, test->duration_ns, &section->duration_ns))
        section->duration_ns = INT64_MAX;
    s->tests[place] = test;
}

bool sections_make(const struct results *results, struct sections *out)
{
    static const char other[] = "other";
    const size_t room = results->test_count ? results->test_count : 1;
    *out = (struct sections){ .tests = calloc(room, sizeof(const struct result_test *)), .list = calloc(room, sizeof(struct section)) };
    if (!out->tests || !out->list) {
        sections_release(out);
        return false;
    }
    size_t place = 0;
    for (size_t i = 0; i < results->test_count; i++) {
        const size_t len = report_section_len(results->tests[i].id);
        if (len)
            add(out, place++, &results->tests[i], results->tests[i].id, len);
    }
    for (size_t i = 0; i < results->test_count; i++)
        if (!report_section_len(results->tests[i].id))
            add(out, place++, &results->tests[i], other, sizeof other - 1);
    return true;
}

void sections_release(struct sections *sections)
{
    free(sections->tests);
    free(sections->list);
    *sections = (struct sections){ .count = 0 };
}

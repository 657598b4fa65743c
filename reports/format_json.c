/* results.json: everything about a run in one document, schema 1 (docs/results.md, reports/results.schema.json).
 *
 * Tests and requirements stand one a line, so that people can grep and diff; and only one of them is in memory as JSON at a time.
 */
#include "reports/formats.h"

#include <string.h>

#include "reports/encode.h"
#include "reports/requirements.h"

/* Writes value, whose reference it takes; false when there is none. */
static bool print_value(json_t *value, FILE *out)
{
    const bool there = value != NULL;
    if (there)
        json_dumpf(value, out, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
    return there;
}

static bool print_member(const char *key, json_t *value, FILE *out)
{
    fprintf(out, " \"%s\": ", key);
    const bool good = print_value(value, out);
    fputs(",\n", out);
    return good;
}

/* What the header line holds, but for its "type"; then how the run went. */
static bool print_run(const struct results *results, FILE *out)
{
    json_t *run = encode_run(&results->run);
    bool good = run != NULL;
    const char *key;
    json_t *value;
    json_object_foreach (run, key, value) {
        if (strcmp(key, "type") != 0)
            good = print_member(key, json_incref(value), out) && good;
    }
    json_decref(run);
    good = print_member("duration_ns", json_integer(results->duration_ns), out) && good;
    return print_member("finished", json_boolean(results->finished), out) && good;
}

static json_t *encode_summary(const struct results *results)
{
    struct results_summary sum;
    json_t *object = json_object();
    bool good = true;
    results_summarise(results->tests, results->test_count, &sum);
    for (int v = 0; v < VERDICT_COUNT; v++)
        good = encode_put(object, verdict_text((enum verdict)v), json_integer(sum.verdicts[v])) && good;
    good = encode_put(object, "deviations", json_integer(sum.deviations)) && good;
    good = encode_put(object, "known", json_integer(sum.known)) && good;
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static bool print_tests(const struct results *results, FILE *out)
{
    bool good = true;
    fputs(" \"tests\": [", out);
    for (size_t i = 0; i < results->test_count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        good = print_value(encode_test(&results->tests[i]), out) && good;
    }
    fputs("\n ],\n", out);
    return good;
}

static json_t *encode_requirement(const struct requirement_result *r)
{
    json_t *tests = json_array();
    for (size_t i = 0; tests && i < r->test_count; i++) {
        if (json_array_append_new(tests, encode_string(r->tests[i]->id)) != 0) {
            json_decref(tests);
            tests = NULL;
        }
    }
    json_t *object = json_object();
    const bool good = encode_put(object, "id", encode_string(r->id))
                      && encode_put(object, "level", encode_string(requirement_level_text(r->level)))
                      && encode_put(object, "status", encode_string(requirement_status_text(r->status)))
                      && encode_put(object, "tests", json_incref(tests));
    json_decref(tests);
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static bool print_requirements(const struct results *results, FILE *out)
{
    struct requirement_results requirements;
    bool good = requirements_judge(results, &requirements);
    fputs(" \"requirements\": [", out);
    for (size_t i = 0; good && i < requirements.count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        good = print_value(encode_requirement(&requirements.list[i]), out);
    }
    fputs("\n ],\n", out);
    requirements_release(&requirements);
    return good;
}

bool format_json(const struct results *results, FILE *out)
{
    fputs("{\n", out);
    bool good = print_run(results, out);
    good = print_member("summary", encode_summary(results), out) && good;
    good = print_tests(results, out) && good;
    good = print_requirements(results, out) && good;
    good = print_member("coverage", encode_coverage(&results->model.coverage), out) && good;
    fputs(" \"portrait\": ", out);
    good = print_value(encode_portrait(&results->model.portrait), out) && good;
    fputs("\n}\n", out);
    return good;
}

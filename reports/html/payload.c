/* What the page's script reads: everything about a run, as JSON in <script> elements that are data to a browser.
 *
 *   #data-head     the run, its summary, the catalogue with a status each, the rules, coverage, portrait: plain JSON, read at once
 *   #data-tests    a row for each test, packed (html_print_packed)
 *   #data-trace-N  the traces of some tests, an object by the tests' places, packed; opened when one of them is looked at
 *   #data-sources  the texts of scenarios by file, packed; opened when one is looked at
 *
 * Rows are lists, their columns in the order of the functions below; data.js gives them names again. Plain JSON stands in HTML: no
 * string of it has a "<", nor a character that ends a line of script.
 */
#include "reports/html/html.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/rules.h"
#include "reports/encode.h"
#include "reports/requirements.h"
#include "reports/text.h"

/* ---- JSON ---------------------------------------------------------------------------------------------------------- */

static void put_octets(const char *octets, size_t len, FILE *out)
{
    while (len--)
        putc_unlocked(*octets++, out);
}

static void put_character(const char *p, size_t len, uint32_t code, FILE *out)
{
    if (code == TEXT_NOT_UTF8)
        fputs("\\ufffd", out);
    else if (text_is_control(code) || code == '<' || code == '"' || code == '\\')
        fprintf(out, "\\u%04" PRIx32, code);
    else
        put_octets(p, len, out);
}

/* The one function that makes a string fit for JSON within HTML. */
static void put_string(const char *text, FILE *out)
{
    uint32_t code = 0;
    putc_unlocked('"', out);
    for (size_t len; (len = text_decode(text, &code)) > 0; text += len)
        put_character(text, len, code, out);
    putc_unlocked('"', out);
}

static void put_comma_string(const char *text, FILE *out)
{
    putc_unlocked(',', out);
    put_string(text, out);
}

static void put_strings(const char *const *texts, size_t count, FILE *out)
{
    fputs(",[", out);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? "," : "", out);
        put_string(texts[i], out);
    }
    putc_unlocked(']', out);
}

/* jansson's values: what is encoded for results.json stands here, too. Takes the reference; false when there is none. */
static bool put_value(json_t *value, FILE *out)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY) : NULL;
    json_decref(value);
    for (const char *p = text; p && *p; p++)
        if (*p == '<')
            fputs("\\u003c", out);
        else
            putc_unlocked(*p, out);
    free(text);
    return text != NULL;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static void put_finding(const struct result_finding *f, FILE *out)
{
    putc_unlocked('[', out);
    put_string(f->rule, out);
    put_comma_string(f->requirement, out);
    put_comma_string(requirement_level_text(f->level), out);
    put_comma_string(f->message, out);
    put_comma_string(f->expected, out);
    put_comma_string(f->observed, out);
    fprintf(out, ",%" PRId64 ",%" PRIu32 "]", f->at_ns, f->segment);
}

static void put_settings(const struct result_setting *settings, size_t count, FILE *out)
{
    fputs(",[", out);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ",[" : "[", out);
        put_string(settings[i].name, out);
        put_comma_string(settings[i].value, out);
        putc_unlocked(']', out);
    }
    putc_unlocked(']', out);
}

/* trace: the part that its trace is in; -1: none. */
static void put_test(const struct result_test *t, int32_t trace, FILE *out)
{
    putc_unlocked('[', out);
    put_string(t->id, out);
    put_comma_string(t->title, out);
    put_comma_string(verdict_text(t->verdict), out);
    put_comma_string(t->reason, out);
    fprintf(out, ",%" PRId64 ",%" PRId64, t->started_ns, t->duration_ns);
    put_strings(t->covers, t->cover_count, out);
    put_comma_string(requirement_level_text(t->level), out);
    fputs(",[", out);
    for (size_t i = 0; i < t->finding_count; i++) {
        fputs(i ? "," : "", out);
        put_finding(&t->findings[i], out);
    }
    fprintf(out, "],%d", t->known);
    put_comma_string(t->known_note, out);
    fprintf(out, ",%" PRIu32, t->reruns);
    put_comma_string(t->file, out);
    fprintf(out, ",%" PRIu32, t->line);
    put_comma_string(t->pcap, out);
    put_settings(t->pixit, t->pixit_count, out);
    put_strings(t->transitions, t->transition_count, out);
    fprintf(out, ",%" PRId32 "]", trace);
}

static void put_event(const struct result_event *e, FILE *out)
{
    fprintf(out, "[%" PRId64 ",%u,%" PRIu32 ",%" PRIu32, e->at_ns, (unsigned)e->kind, e->index, e->step);
    put_comma_string(e->segment, out);
    put_comma_string(e->text, out);
    putc_unlocked(']', out);
}

static void put_requirement(const struct requirement_result *r, FILE *out)
{
    const struct requirement *known = requirement_find(r->id);
    putc_unlocked('[', out);
    put_string(r->id, out);
    put_comma_string(requirement_level_text(r->level), out);
    put_comma_string(known ? known->section : "", out);
    put_comma_string(known ? known->text : "", out);
    put_comma_string(known ? known->observable : "", out);
    put_comma_string(requirement_status_text(r->status), out);
    putc_unlocked(']', out);
}

static void put_rule(enum rule_id id, const struct coverage *coverage, FILE *out)
{
    const struct rule *rule = rule_at(id);
    putc_unlocked('[', out);
    put_string(rule->name, out);
    put_comma_string(rule->section, out);
    put_comma_string(rule->requirements, out);
    put_comma_string(requirement_level_text(rule->level), out);
    put_comma_string(rule->condition, out);
    put_comma_string(rule->demand, out);
    put_comma_string(rule->violation, out);
    fprintf(out, ",%" PRIu64 ",%" PRIu64 "]", coverage->tested[id], coverage->violated[id]);
}

/* ---- parts --------------------------------------------------------------------------------------------------------- */

static bool put_requirements(const struct results *results, FILE *out)
{
    struct requirement_results requirements;
    if (!requirements_judge(results, &requirements))
        return false;
    fputs(",\"requirements\":[", out);
    for (size_t i = 0; i < requirements.count; i++) {
        fputs(i ? "," : "", out);
        put_requirement(&requirements.list[i], out);
    }
    putc_unlocked(']', out);
    requirements_release(&requirements);
    return true;
}

static void put_summary(const struct results *results, FILE *out)
{
    struct results_summary sum;
    results_summarise(results->tests, results->test_count, &sum);
    fputs(",\"summary\":{", out);
    for (int v = 0; v < VERDICT_COUNT; v++)
        fprintf(out, "\"%s\":%" PRIu32 ",", verdict_text((enum verdict)v), sum.verdicts[v]);
    fprintf(out, "\"deviations\":%" PRIu32 ",\"known\":%" PRIu32 "}", sum.deviations, sum.known);
}

/* How a fuzzing went on, from the progress.jsonl beside its results (engine/fuzz/campaign.h): a row a line, what is no such line
 * left out. */
static void put_progress_line(const char *line, size_t *count, FILE *out)
{
    static const char *const members[] = { "at_ns", "plays", "tuples", "rules", "inputs", "findings" };
    enum { MEMBERS = sizeof members / sizeof *members };
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    bool whole = json_is_object(object);
    for (size_t i = 0; whole && i < MEMBERS; i++)
        whole = json_is_integer(json_object_get(object, members[i]));
    for (size_t i = 0; whole && i < MEMBERS; i++)
        fprintf(out, "%s%" JSON_INTEGER_FORMAT, i ? "," : *count ? ",[" : "[", json_integer_value(json_object_get(object, members[i])));
    fputs(whole ? "]" : "", out);
    *count += whole;
    json_decref(object);
}

static void put_progress(const struct results *results, FILE *out)
{
    enum { LINES_MAX = 10000, LINE_BYTES_MAX = 1024 };
    char path[PATH_MAX], line[LINE_BYTES_MAX];
    size_t count = 0;
    FILE *in = NULL;
    if (*results->dir && snprintf(path, sizeof path, "%s/progress.jsonl", results->dir) < (int)sizeof path)
        in = fopen(path, "rbe");
    fputs(",\"progress\":[", out);
    while (in && count < LINES_MAX && fgets(line, sizeof line, in))
        put_progress_line(line, &count, out);
    putc_unlocked(']', out);
    if (in)
        fclose(in);
}

static bool print_head(const struct results *results, FILE *out)
{
    fputs("<script type=\"application/json\" id=\"data-head\">{\"run\":", out);
    bool good = put_value(encode_run(&results->run), out);
    fprintf(out, ",\"seed\":\"%" PRId64 "\"", results->run.seed); /* as text: a script's numbers are not that wide */
    fprintf(out, ",\"duration_ns\":%" PRId64 ",\"finished\":%s,\"torn\":%s,\"test_count\":%zu", results->duration_ns,
            results->finished ? "true" : "false", results->torn ? "true" : "false", results->test_count);
    put_summary(results, out);
    good = put_requirements(results, out) && good;
    put_progress(results, out);
    fputs(",\"rules\":[", out);
    for (enum rule_id id = 0; id < RULE_COUNT; id++) {
        fputs(id ? "," : "", out);
        put_rule(id, &results->model.coverage, out);
    }
    fputs("],\"coverage\":", out);
    good = put_value(encode_coverage(&results->model.coverage), out) && good;
    fputs(",\"portrait\":", out);
    good = put_value(encode_portrait(&results->model.portrait), out) && good;
    fputs("}</script>\n", out);
    return good;
}

/* A packed part that is being written. */
struct part { FILE *stream; char *bytes; size_t len; };

static bool part_open(struct part *part)
{
    *part = (struct part){ .stream = NULL };
    part->stream = open_memstream(&part->bytes, &part->len);
    return part->stream != NULL;
}

static bool part_print(struct part *part, const char *id, FILE *out)
{
    bool good = !ferror(part->stream);
    good = fclose(part->stream) == 0 && good;
    fprintf(out, "<script type=\"text/plain\" id=\"data-%s\">", id);
    good = good && html_print_packed(part->bytes, part->len, out);
    fputs("</script>\n", out);
    free(part->bytes);
    return good;
}

/* Prints the traces from *next on until a part is full, and moves *next behind them. */
static bool print_traces_some(const struct results *results, size_t *next, int32_t number, int32_t *part_of, FILE *out)
{
    enum { PART_BYTES = 256 << 10 };
    struct part part;
    char id[24];
    if (!part_open(&part))
        return false;
    char before = '{';
    for (; *next < results->test_count && ftell(part.stream) < PART_BYTES; ++*next) {
        const struct result_test *test = &results->tests[*next];
        part_of[*next] = test->trace_count ? number : -1;
        if (!test->trace_count)
            continue;
        fprintf(part.stream, "%c\"%zu\":[", before, *next);
        for (size_t i = 0; i < test->trace_count; i++) {
            fputs(i ? "," : "", part.stream);
            put_event(&test->trace[i], part.stream);
        }
        putc_unlocked(']', part.stream);
        before = ',';
    }
    fputs(before == '{' ? "{}" : "}", part.stream);
    snprintf(id, sizeof id, "trace-%" PRId32, number);
    return part_print(&part, id, out);
}

static bool print_tests(const struct results *results, const int32_t *part_of, FILE *out)
{
    struct part part;
    if (!part_open(&part))
        return false;
    putc_unlocked('[', part.stream);
    for (size_t i = 0; i < results->test_count; i++) {
        fputs(i ? ",\n" : "", part.stream);
        put_test(&results->tests[i], part_of[i], part.stream);
    }
    putc_unlocked(']', part.stream);
    return part_print(&part, "tests", out);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_sources(const struct results *results, const char **files, FILE *out)
{
    char before = '{';
    for (size_t i = 0; results->sources && i < results->test_count; i++) {
        char *text = *files[i] && (i == 0 || strcmp(files[i], files[i - 1]) != 0) ? results->sources->text(results->sources, files[i]) : NULL;
        if (!text)
            continue;
        putc_unlocked(before, out);
        put_string(files[i], out);
        putc_unlocked(':', out);
        put_string(text, out);
        before = ',';
        free(text);
    }
    fputs(before == '{' ? "{}" : "}", out);
}

static bool print_sources(const struct results *results, FILE *out)
{
    struct part part;
    const char **files = calloc(results->test_count + 1, sizeof *files);
    if (!files || !part_open(&part)) {
        free(files);
        return false;
    }
    for (size_t i = 0; i < results->test_count; i++)
        files[i] = results->tests[i].file;
    qsort(files, results->test_count, sizeof *files, by_text);
    put_sources(results, files, part.stream);
    free(files);
    return part_print(&part, "sources", out);
}

bool html_print_payload(const struct results *results, FILE *out)
{
    int32_t *part_of = calloc(results->test_count + 1, sizeof *part_of), parts = 0;
    bool good = part_of && print_head(results, out);
    for (size_t next = 0; good && next < results->test_count; parts++)
        good = print_traces_some(results, &next, parts, part_of, out);
    good = good && print_tests(results, part_of, out) && print_sources(results, out);
    free(part_of);
    return good;
}

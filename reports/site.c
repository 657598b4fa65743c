/* A static site of runs (see site.h).
 *
 * The history is a file to which a line is added per run, in one write, so that two runs that are published at once both stay. What
 * is in it may be older, newer, torn, or somebody's joke: a line counts when it is an object with a target and whole numbers, and
 * only the last HISTORY_MAX count. Pages are made from the history and the run at hand alone, so the newest can always be made
 * again.
 *
 * Permanent addresses: tests.html#ID and requirements.html#ID, with the ids as everywhere else (percent-encoded where they must
 * be).
 */
#include "reports/site.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "reports/emit.h"
#include "reports/file.h"
#include "reports/formats.h"
#include "reports/markup.h"
#include "reports/report.h"
#include "reports/requirements.h"
#include "reports/standing.h"
#include "reports/text.h"

enum { HISTORY_MAX = 1000, HISTORY_LINE_BYTES_MAX = 64 << 10, ROWS_MAX = 200, NAME_BYTES_MAX = 120, TRACE_RUNS_MAX = 60, TESTS_LISTED_MAX = 12 };

enum number { N_PASS, N_FAIL, N_INCONCLUSIVE, N_ERROR, N_NOT_APPLICABLE, N_KNOWN, N_DEVIATIONS, N_SATISFIED, N_VIOLATED, N_DEVIATED, N_COUNT };
static const char *const number_names[] = {
    [N_PASS] = "pass", [N_FAIL] = "fail", [N_INCONCLUSIVE] = "inconclusive", [N_ERROR] = "error", [N_NOT_APPLICABLE] = "not_applicable",
    [N_KNOWN] = "known", [N_DEVIATIONS] = "deviations", [N_SATISFIED] = "satisfied", [N_VIOLATED] = "violated", [N_DEVIATED] = "deviated",
};

struct past { /* one run of the history */
    char target[NAME_BYTES_MAX], started[40], version[40];
    enum standing standing;
    int64_t seed, numbers[N_COUNT];
};

struct site {
    const char *dir;
    const struct results *results;
    struct past *history; /* the newest last */
    size_t history_count;
    size_t unreadable;    /* lines that were left out */
    bool has_report;      /* report.html is among the pages */
};

/* ---- history --------------------------------------------------------------------------------------------------- */

static enum standing standing_named(const char *text)
{
    for (enum standing s = 0; text && s < STANDING_COUNT; s++)
        if (strcmp(text, standing_word(s)) == 0)
            return s;
    return STANDING_INCOMPLETE;
}

static void copy_member(const json_t *object, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    text_show(text ? text : "", out, size);
}

/* False when the line says nothing that could be shown. */
static bool parse_past(const char *line, size_t len, struct past *out)
{
    json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(object, "type"));
    bool good = type && strcmp(type, "summary") == 0 && json_is_string(json_object_get(object, "target"));
    *out = (struct past){.standing = standing_named(json_string_value(json_object_get(object, "standing")))};
    copy_member(object, "target", out->target, sizeof out->target);
    copy_member(object, "started", out->started, sizeof out->started);
    copy_member(object, "tcpassay", out->version, sizeof out->version);
    out->seed = json_integer_value(json_object_get(object, "seed"));
    for (int i = 0; i < N_COUNT && good; i++) {
        const json_t *value = json_object_get(object, number_names[i]);
        out->numbers[i] = json_integer_value(value);
        good = json_is_integer(value) && out->numbers[i] >= 0 && out->numbers[i] <= UINT32_MAX;
    }
    json_decref(object);
    return good;
}

/* Behind all others; the oldest goes when there are too many, and the same run of before. */
static void keep_past(struct site *site, const struct past *past)
{
    size_t kept = 0;
    const bool full = site->history_count == HISTORY_MAX;
    for (size_t i = full ? 1 : 0; i < site->history_count; i++) {
        const struct past *p = &site->history[i];
        if (p->seed != past->seed || strcmp(p->started, past->started) != 0 || strcmp(p->target, past->target) != 0)
            site->history[kept++] = *p;
    }
    site->history[kept++] = *past;
    site->history_count = kept;
}

/* Reads what is there; 0, or errno. */
static int read_history(struct site *site, const char *path)
{
    char *line = NULL;
    size_t capacity = 0;
    struct past past;
    FILE *in = fopen(path, "rbe");
    if (!in)
        return errno == ENOENT ? 0 : errno;
    for (ssize_t len; (len = getline(&line, &capacity, in)) > 0;) {
        if (len <= HISTORY_LINE_BYTES_MAX && parse_past(line, (size_t)len, &past))
            keep_past(site, &past);
        else
            site->unreadable += len > 1;
    }
    const int why = ferror(in) ? EIO : 0;
    free(line);
    fclose(in);
    return why;
}

static void count_numbers(const struct results *results, int64_t out[static N_COUNT])
{
    struct results_summary s;
    struct requirement_results r;
    results_summarise(results->tests, results->test_count, &s);
    for (int v = 0; v < VERDICT_COUNT; v++)
        out[v] = s.verdicts[v];
    out[N_KNOWN] = s.known;
    out[N_DEVIATIONS] = s.deviations;
    if (requirements_judge(results, &r)) {
        out[N_SATISFIED] = (int64_t)r.statuses[STATUS_SATISFIED];
        out[N_VIOLATED] = (int64_t)r.statuses[STATUS_VIOLATED];
        out[N_DEVIATED] = (int64_t)r.statuses[STATUS_DEVIATED];
        requirements_release(&r);
    }
}

static char *make_history_line(const struct results *results, size_t *len)
{
    char *text = NULL;
    int64_t numbers[N_COUNT] = {0};
    char target[NAME_BYTES_MAX], started[40], version[40];
    struct emit emit = {.out = open_memstream(&text, len)};
    if (!emit.out)
        return NULL;
    count_numbers(results, numbers);
    emit_object(&emit, NULL);
    emit_string(&emit, "type", "summary");
    emit_whole(&emit, "schema", RESULTS_SCHEMA);
    emit_string(&emit, "target", text_show(results->run.target_name, target, sizeof target));
    emit_string(&emit, "started", text_show(results->run.started, started, sizeof started));
    emit_string(&emit, "tcpassay", text_show(results->run.tcpassay, version, sizeof version));
    emit_whole(&emit, "seed", results->run.seed);
    emit_string(&emit, "standing", standing_word(standing_of(results)));
    for (int i = 0; i < N_COUNT; i++)
        emit_whole(&emit, number_names[i], numbers[i]);
    emit_object_end(&emit);
    putc('\n', emit.out);
    if (fclose(emit.out) == 0)
        return text;
    free(text);
    return NULL;
}

/* Adds the line in one write; a torn line before it is ended first. 0, or errno. */
static int append_history(const char *path, const char *line, size_t len)
{
    char last = '\n';
    const int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return errno;
    const off_t end = lseek(fd, 0, SEEK_END);
    int why = 0;
    if (end > 0 && pread(fd, &last, 1, end - 1) != 1)
        why = errno ? errno : EIO;
    if (!why && last != '\n' && write(fd, "\n", 1) != 1)
        why = errno;
    if (!why) {
        const ssize_t put = write(fd, line, len);
        if (put != (ssize_t)len)
            why = put < 0 ? errno : ENOSPC;
    }
    if (close(fd) != 0 && !why)
        why = errno;
    return why;
}

/* ---- pages ----------------------------------------------------------------------------------------------------- */

static const char *class_of(enum standing standing)
{
    return standing == STANDING_EMPTY ? "other" : standing_word(standing);
}

/* The navigation and, loudly, that a run is not whole. */
static void print_head(const struct site *site, const char *title, FILE *out)
{
    char line[STANDING_LINE_MAX];
    markup_begin(title, out);
    fprintf(
        out,
        "<nav><a href=\"index.html\">Overview</a> · %s<a href=\"tests.html\">Tests</a> · <a href=\"requirements.html\">Requirements</a></nav>\n",
            site->has_report ? "<a href=\"report.html\">Report</a> · " : "");
    fprintf(out, "<p class=\"%s%s\">", class_of(standing_of(site->results)), results_are_complete(site->results) ? "" : " alarm");
    markup_text(standing_line(site->results, line, sizeof line), out);
    fputs("</p>\n<p class=\"faint\">", out);
    markup_text(site->results->run.target_description, out);
    fputs(" · ", out);
    markup_text(site->results->run.started, out);
    fputs(" · tcpassay ", out);
    markup_text(site->results->run.tcpassay, out);
    fputs("</p>\n", out);
}

/* Failures of a target's last runs as a line that rises with them. */
static void print_trend(const struct site *site, const char *target, FILE *out)
{
    enum { STEP = 8, HEIGHT = 36, EDGE = 4 };
    const struct past *runs[TRACE_RUNS_MAX];
    size_t count = 0;
    int64_t most = 1;
    for (size_t i = site->history_count; i-- > 0 && count < TRACE_RUNS_MAX;)
        if (strcmp(site->history[i].target, target) == 0)
            runs[count++] = &site->history[i];
    for (size_t i = 0; i < count; i++)
        most = runs[i]->numbers[N_FAIL] > most ? runs[i]->numbers[N_FAIL] : most;
    const size_t width = 2 * EDGE + (count > 1 ? count - 1 : 1) * STEP;
    fprintf(out,
            "<svg width=\"%zu\" height=\"%d\" role=\"img\" aria-label=\"failures in the last %zu runs, at most %" PRId64 "\">"
                 "<polyline fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" points=\"",
            width, HEIGHT, count, count && most == 1 && runs[0]->numbers[N_FAIL] == 0 ? 0 : most);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%zu,%" PRId64 " ", EDGE + i * STEP,
                HEIGHT - EDGE - runs[count - 1 - i]->numbers[N_FAIL] * (HEIGHT - 2 * EDGE) / most);
    if (count == 1)
        fprintf(out, "%d,%" PRId64, EDGE + STEP, HEIGHT - EDGE - runs[0]->numbers[N_FAIL] * (HEIGHT - 2 * EDGE) / most);
    fputs("\"/></svg>", out);
}

static bool is_first_of_target(const struct site *site, size_t place)
{
    for (size_t i = place + 1; i < site->history_count; i++)
        if (strcmp(site->history[i].target, site->history[place].target) == 0)
            return false;
    return true;
}

static void print_past(const struct past *p, FILE *out)
{
    fputs("<tr><td class=\"when\">", out);
    markup_text(p->started, out);
    fputs("</td><td>", out);
    markup_text(p->target, out);
    fprintf(out, "</td><td class=\"%s\">%s</td>", class_of(p->standing), standing_word(p->standing));
    static const enum number shown[] = {N_PASS, N_FAIL, N_KNOWN, N_INCONCLUSIVE, N_ERROR, N_NOT_APPLICABLE, N_DEVIATIONS, N_SATISFIED, N_VIOLATED};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        fprintf(out, "<td class=\"number\">%" PRId64 "</td>", p->numbers[shown[i]]);
    fputs("<td>", out);
    markup_text(p->version, out);
    fputs("</td></tr>\n", out);
}

static bool print_index(const void *context, FILE *out)
{
    const struct site *site = context;
    print_head(site, "TCP conformance", out);
    fputs(
        "<p><img src=\"badge.svg\" alt=\"\" height=\"20\"> <a href=\"requirements.csv\">requirements.csv</a> · <a href=\"tests.csv\">tests.csv</a> · "
        "<a href=\"history.jsonl\">history.jsonl</a></p>\n<h2>Failures over time</h2>\n<ul>\n",
        out);
    for (size_t i = site->history_count; i-- > 0;) {
        if (!is_first_of_target(site, i))
            continue;
        fputs("<li><strong>", out);
        markup_text(site->history[i].target, out);
        fprintf(out, "</strong> <span class=\"%s\">%s</span> ", class_of(site->history[i].standing),
                standing_word(site->history[i].standing));
        print_trend(site, site->history[i].target, out);
        fprintf(out, " %" PRId64, site->history[i].numbers[N_FAIL]);
        fputs("</li>\n", out);
    }
    fputs("</ul>\n<h2>Runs</h2>\n", out);
    if (site->unreadable)
        fprintf(out, "<p class=\"alarm\">%zu lines of history.jsonl cannot be read, and are not shown.</p>\n", site->unreadable);
    fputs(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Runs\"><table>\n<thead><tr><th scope=\"col\">started</th>"
          "<th scope=\"col\">target</th>"
        "<th scope=\"col\">result</th>",
        out);
    static const char *const heads[] = {"pass",           "fail",       "of these known",         "inconclusive", "errors",
                                        "not applicable", "deviations", "requirements satisfied", "violated"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        fprintf(out, "<th scope=\"col\" class=\"number\">%s</th>", heads[i]);
    fputs("<th scope=\"col\">tcpassay</th></tr></thead>\n<tbody>\n", out);
    for (size_t i = site->history_count, rows = 0; i-- > 0 && rows < ROWS_MAX; rows++)
        print_past(&site->history[i], out);
    fputs("</tbody></table></div>\n", out);
    markup_end(out);
    return true;
}

/* A row that has an address of its own. */
static void begin_row(const char *id, FILE *out)
{
    fputs("<tr id=\"", out);
    markup_fragment(id, out);
    fputs("\"><td><a href=\"#", out);
    markup_fragment(id, out);
    fputs("\">", out);
    markup_text(id, out);
    fputs("</a>", out);
}

static void print_detail_link(const struct site *site, const char *view, const char *id, FILE *out)
{
    if (!site->has_report)
        return;
    fprintf(out, " <a href=\"report.html#%s/", view);
    markup_fragment(id, out);
    fputs("\">details</a>", out);
}

static bool print_tests(const void *context, FILE *out)
{
    const struct site *site = context;
    print_head(site, "Tests", out);
    markup_filter(NULL, out);
    fputs(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Tests\"><table>\n<thead><tr><th scope=\"col\">test</th><th scope=\"col\">verdict</th>"
        "<th scope=\"col\">title</th><th scope=\"col\">reason</th></tr></thead>\n<tbody>\n",
        out);
    for (size_t i = 0; i < site->results->test_count; i++) {
        const struct result_test *test = &site->results->tests[i];
        const bool known = outcome_of(test) == OUTCOME_KNOWN;
        begin_row(test->id, out);
        print_detail_link(site, "test", test->id, out);
        fprintf(out, "</td><td class=\"%s\">%s%s</td><td>", known ? "known" : verdict_text(test->verdict), verdict_text(test->verdict), known ? " (known)" : "");
        markup_text(test->title, out);
        fputs("</td><td>", out);
        markup_text(test->reason, out);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    markup_end(out);
    return true;
}

/* Failing ones first, as many as fit. */
static void print_tests_of(const struct requirement_result *r, FILE *out)
{
    size_t listed = 0;
    for (int failing = 1; failing >= 0; failing--) {
        for (size_t i = 0; i < r->test_count && listed < TESTS_LISTED_MAX; i++) {
            if ((r->tests[i]->verdict == VERDICT_FAIL) != (failing == 1))
                continue;
            fprintf(out, "%s<a class=\"%s\" href=\"tests.html#", listed++ ? ", " : "", verdict_text(r->tests[i]->verdict));
            markup_fragment(r->tests[i]->id, out);
            fputs("\">", out);
            markup_text(r->tests[i]->id, out);
            fputs("</a>", out);
        }
    }
    if (r->test_count > listed)
        fprintf(out, " and %zu more", r->test_count - listed);
}

static bool print_requirements(const void *context, FILE *out)
{
    const struct site *site = context;
    struct requirement_results r;
    if (!requirements_judge(site->results, &r))
        return false;
    print_head(site, "Requirements", out);
    markup_filter(NULL, out);
    fputs("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Requirements\"><table>\n<thead><tr>"
        "<th scope=\"col\">requirement</th><th scope=\"col\">level</th>"
        "<th scope=\"col\">status</th><th scope=\"col\">text</th><th scope=\"col\">tests</th></tr></thead>\n<tbody>\n",
        out);
    for (size_t i = 0; i < r.count; i++) {
        const struct requirement *entry = requirement_find(r.list[i].id);
        begin_row(r.list[i].id, out);
        print_detail_link(site, "requirement", r.list[i].id, out);
        fprintf(out, "</td><td>%s</td><td class=\"%s\">%s</td><td>", requirement_level_text(r.list[i].level),
                requirement_status_text(r.list[i].status), requirement_status_text(r.list[i].status));
        markup_text(entry ? entry->text : "not in the catalogue", out);
        fputs("</td><td>", out);
        print_tests_of(&r.list[i], out);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    markup_end(out);
    requirements_release(&r);
    return true;
}

static bool print_line(const void *context, FILE *out)
{
    char line[STANDING_LINE_MAX];
    fprintf(out, "%s\n", standing_line(((const struct site *)context)->results, line, sizeof line));
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

static const struct page { const char *name; file_printer *print; } pages[] = {
    {"tests.html", print_tests}, {"requirements.html", print_requirements}, {"line.txt", print_line}, {"index.html", print_index}};
static const char *const formats[] = {"badge", "csv", "tests-csv", "html"};
enum { PAGE_COUNT = sizeof pages / sizeof *pages, FORMAT_COUNT = sizeof formats / sizeof *formats };

static bool make_path(char path[static PATH_MAX], const char *dir, const char *name)
{
    return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX;
}

static bool exists(const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct stat info;
    return make_path(path, dir, name) && lstat(path, &info) == 0;
}

/* The name of something that is not ours to replace; NULL when there is none. */
static const char *find_foreign(const char *dir)
{
    enum report_format format;
    for (size_t i = 0; i < PAGE_COUNT; i++)
        if (exists(dir, pages[i].name))
            return pages[i].name;
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (report_format_parse(formats[i], &format) && exists(dir, report_file_name(format)))
            return report_file_name(format);
    return NULL;
}

static int write_pages(const struct site *site, char *error, size_t error_size)
{
    char path[PATH_MAX];
    enum report_format format;
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (report_format_parse(formats[i], &format) && make_path(path, site->dir, report_file_name(format)) &&
            report_write(site->results, format, path, error, error_size) < 0)
            return -1;
    for (size_t i = 0; i < PAGE_COUNT; i++)
        if (make_path(path, site->dir, pages[i].name) && file_write(path, pages[i].print, site, error, error_size) < 0)
            return -1;
    return 0;
}

static int fault(char *error, size_t error_size, const char *dir, const char *name, const char *why)
{
    snprintf(error, error_size, "the site %s: %s%s%s", dir, name, *name ? ": " : "", why);
    return -1;
}

static int add(struct site *site, char *error, size_t error_size)
{
    char path[PATH_MAX];
    struct past now;
    size_t len = 0;
    enum report_format format;
    if (!make_path(path, site->dir, "history.jsonl"))
        return fault(error, error_size, site->dir, "", strerror(ENAMETOOLONG));
    int why = read_history(site, path);
    char *line = make_history_line(site->results, &len);
    if (!why && (!line || !parse_past(line, len, &now)))
        why = ENOMEM;
    if (!why)
        why = append_history(path, line, len);
    free(line);
    if (why)
        return fault(error, error_size, site->dir, "history.jsonl", strerror(why));
    keep_past(site, &now);
    site->has_report = report_format_parse("html", &format);
    return write_pages(site, error, error_size);
}

int site_add(const char *dir, const struct results *results, char *error, size_t error_size)
{
    struct site site = {.dir = dir, .results = results, .history = calloc(HISTORY_MAX + 1, sizeof *site.history)};
    *error = '\0';
    if (!site.history)
        return fault(error, error_size, dir, "", strerror(ENOMEM));
    int code = 0;
    if (mkdir(dir, 0777) < 0 && errno != EEXIST)
        code = fault(error, error_size, dir, "", strerror(errno));
    else if (!exists(dir, "history.jsonl") && find_foreign(dir))
        code = fault(error, error_size, dir, find_foreign(dir), "is there already, and not of such a site; choose another folder");
    else
        code = add(&site, error, error_size);
    if (code == 0 && site.unreadable)
        snprintf(error, error_size,
                 "the site %s: %zu lines of history.jsonl cannot be read; they are left as they are, and not shown", dir,
                 site.unreadable);
    free(site.history);
    return code;
}

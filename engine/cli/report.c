/* `tcpassay report`: results read back, as reports of every format, one line, a badge, a site, or several runs side by side. */
#include <assert.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cli/cli.h"
#include "engine/cli/sources.h"
#include "engine/cli/terminal.h"
#include "reports/compare.h"
#include "reports/file.h"
#include "reports/report.h"
#include "reports/site.h"
#include "reports/standing.h"
#include "reports/versus.h"

static const char help_text[] =
    "usage: tcpassay report RESULTS [OPTION]…\n"
    "       tcpassay report RESULTS RESULTS… --compare [OPTION]…\n"
    "\n"
    "Reads what a run left behind, a directory, a results.jsonl or a results.json, and makes reports of it. Without an option that asks for\n"
    "something else it prints the summary. FILE is \"-\" for standard output.\n"
    "\n"
    "      --html FILE       the report for people, one page with everything in it\n"
    "      --md FILE         Markdown, for a pull request or a job's summary\n"
    "      --json FILE       results.json\n"
    "      --junit FILE      JUnit XML, for CI servers\n"
    "      --tap FILE        TAP version 14\n"
    "      --sarif FILE      SARIF 2.1.0, for code scanning\n"
    "      --csv FILE        the requirements, a row each\n"
    "      --tests-csv FILE  the tests, a row each\n"
    "      --pcapng FILE     the captures, with what happened as comments of the packets\n"
    "      --badge FILE      an SVG image for a README\n"
    "      --line            one line\n"
    "      --site DIR        a static site that grows with each run that is added to it\n"
    "      --baseline FILE   what has changed since an earlier run\n"
    "      --compare         several runs side by side; also as --html, --md, --json and --csv\n"
    "      --all             … with the rows that are the same everywhere\n"
    "      --color WHEN      always, never or auto (default: on a terminal, unless NO_COLOR is set)\n"
    "  -q, --quiet           no summary, no notes\n"
    "  -h, --help\n"
    "\n"
    "Exit status: 0 done, whatever the results say · 1 with --baseline: something fails anew · 2 usage · 3 results that cannot be read, or a\n"
    "report that cannot be written.\n";

enum { OPT_FORMAT = 256, OPT_LINE = OPT_FORMAT + REPORT_COUNT, OPT_SITE, OPT_BASELINE, OPT_COMPARE, OPT_ALL, OPT_COLOR, OPTIONS_MAX = 40 };

struct reporting {
    const char *files[REPORT_COUNT]; /* where to; NULL: that format is not wanted */
    const char *site, *baseline;
    bool line, compare, all, quiet;
    enum color_choice color;
    char **paths;
    size_t path_count;
    const struct results *runs[VERSUS_RUNS_MAX];
    struct cli_sources sources;      /* for the page, which shows scenarios */
};

/* ---- arguments */

static void make_options(struct option out[static OPTIONS_MAX])
{
    static const struct option others[] = {
        {"line", no_argument, NULL, OPT_LINE}, {"site", required_argument, NULL, OPT_SITE}, {"baseline", required_argument, NULL, OPT_BASELINE},
        {"compare", no_argument, NULL, OPT_COMPARE}, {"all", no_argument, NULL, OPT_ALL}, {"color", required_argument, NULL, OPT_COLOR},
        {"quiet", no_argument, NULL, 'q'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    static_assert(REPORT_COUNT + sizeof others / sizeof *others <= OPTIONS_MAX, "room for all");
    for (int format = 0; format < REPORT_COUNT; format++)
        out[format] = (struct option){report_format_text((enum report_format)format), required_argument, NULL, OPT_FORMAT + format};
    memcpy(out + REPORT_COUNT, others, sizeof others);
}

static int parse_option(struct reporting *r, int option)
{
    if (option >= OPT_FORMAT && option < OPT_FORMAT + REPORT_COUNT) {
        r->files[option - OPT_FORMAT] = optarg;
        return EXIT_OK;
    }
    switch (option) {
    case OPT_LINE: r->line = true; return EXIT_OK;
    case OPT_SITE: r->site = optarg; return EXIT_OK;
    case OPT_BASELINE: r->baseline = optarg; return EXIT_OK;
    case OPT_COMPARE: r->compare = true; return EXIT_OK;
    case OPT_ALL: r->all = true; return EXIT_OK;
    case OPT_COLOR:
        return terminal_parse_color(optarg, &r->color) ? EXIT_OK : cli_usage_error("report", "--color is always, never or auto, not \"%s\"", optarg);
    default: r->quiet = true; return EXIT_OK;
    }
}

/* The formats of several runs side by side. */
static const struct { const char *name; enum versus_format as; } compared[] = {
    {"html", VERSUS_HTML}, {"md", VERSUS_MARKDOWN}, {"json", VERSUS_JSON}, {"csv", VERSUS_CSV}};
enum { COMPARED_COUNT = sizeof compared / sizeof *compared };

static int find_compared(enum report_format format)
{
    for (int i = 0; i < COMPARED_COUNT; i++)
        if (strcmp(compared[i].name, report_format_text(format)) == 0)
            return i;
    return -1;
}

/* What only one run, or only several, can have. */
static int check_arguments(const struct reporting *r)
{
    if (r->path_count == 0)
        return cli_usage_error("report", "results of which run? Name the directory it wrote to, as in `tcpassay report tcpassay-results`");
    if (r->path_count > VERSUS_RUNS_MAX)
        return cli_usage_error("report", "at most %d runs are put side by side", VERSUS_RUNS_MAX);
    if (!r->compare && r->path_count > 1)
        return cli_usage_error("report", "several results: add --compare to see them side by side");
    if (r->compare && r->path_count < 2)
        return cli_usage_error("report", "--compare takes two runs or more");
    if (r->compare && (r->site || r->baseline || r->line))
        return cli_usage_error("report", "--site, --baseline and --line are about one run, not about several side by side");
    for (int format = 0; r->compare && format < REPORT_COUNT; format++)
        if (r->files[format] && find_compared((enum report_format)format) < 0)
            return cli_usage_error("report", "--%s cannot show several runs; --html, --md, --json and --csv can",
                                   report_format_text((enum report_format)format));
    return EXIT_OK;
}

static int parse_arguments(struct reporting *r, int argc, char **argv)
{
    struct option options[OPTIONS_MAX];
    make_options(options);
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "qh", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return -1;
        }
        if (option == '?')
            return cli_usage_error("report", "option %s is unknown, or lacks its value", argv[optind - 1]);
        const int code = parse_option(r, option);
        if (code != EXIT_OK)
            return code;
    }
    r->paths = argv + optind;
    r->path_count = (size_t)(argc - optind);
    return check_arguments(r);
}

/* ---- reading */

/* A run that is not whole is reported on, but never in silence. */
static void tell_what_is_missing(const struct reporting *r, const char *path, const struct results *results)
{
    if (r->quiet || results_are_complete(results))
        return;
    if (results->torn)
        cli_error("report", "%s: its last line is torn, and left out", path);
    if (results->run.planned)
        cli_error("report", "%s: the run is incomplete: %zu of %u tests; the report says so", path, results->test_count,
                  results->run.planned);
    else
        cli_error("report", "%s: the run is incomplete: it was cut short after %zu tests; the report says so", path,
                  results->test_count);
}

static int read_runs(struct reporting *r)
{
    char error[600];
    for (size_t i = 0; i < r->path_count; i++) {
        struct results *results = results_read(r->paths[i], error, sizeof error);
        r->runs[i] = results;
        if (!results) {
            cli_error("report", "%s", error);
            return EXIT_UNABLE;
        }
        if ((r->files[REPORT_HTML] || r->site) && !r->compare) {
            cli_sources_load("report", &r->sources, results->dir);
            results->sources = &r->sources.texts;
        }
        tell_what_is_missing(r, r->paths[i], r->runs[i]);
    }
    return EXIT_OK;
}

/* ---- several runs */

struct comparing { const struct versus *versus; enum versus_format format; struct versus_style style; };

static bool print_comparison(const void *context, FILE *out)
{
    const struct comparing *c = context;
    versus_print(c->versus, c->format, &c->style, out);
    return true;
}

static int compare(const struct reporting *r)
{
    struct versus versus;
    char error[600];
    bool written = false;
    int code = EXIT_OK;
    if (!versus_make(r->runs, r->path_count, &versus)) {
        cli_error("report", "out of memory");
        return EXIT_UNABLE;
    }
    struct comparing c = {&versus, VERSUS_TEXT, {terminal_width(stdout), terminal_color(r->color, stdout), r->all}};
    for (int format = 0; format < REPORT_COUNT && code == EXIT_OK; format++) {
        const char *file = r->files[format];
        if (!file)
            continue;
        c.format = compared[find_compared((enum report_format)format)].as;
        written = true;
        if (file_write(file, print_comparison, &c, error, sizeof error) < 0) {
            cli_error("report", "%s", error);
            code = EXIT_UNABLE;
        }
    }
    if (!written && !r->quiet)
        versus_print(&versus, VERSUS_TEXT, &c.style, stdout);
    versus_release(&versus);
    return code;
}

/* ---- one run */

static int write_files(const struct reporting *r)
{
    char error[600];
    for (int format = 0; format < REPORT_COUNT; format++) {
        if (r->files[format] && report_write(r->runs[0], (enum report_format)format, r->files[format], error, sizeof error) < 0) {
            cli_error("report", "%s", error);
            return EXIT_UNABLE;
        }
    }
    if (r->site && site_add(r->site, r->runs[0], error, sizeof error) < 0) {
        cli_error("report", "%s", error);
        return EXIT_UNABLE;
    }
    if (r->site && *error && !r->quiet)
        cli_error("report", "%s", error);
    return EXIT_OK;
}

static int compare_with_baseline(const struct reporting *r)
{
    char error[600];
    struct comparison comparison;
    struct results *baseline = results_read(r->baseline, error, sizeof error);
    if (!baseline || compare_results(baseline, r->runs[0], &comparison) < 0) {
        cli_error("report", "the baseline: %s", baseline ? "out of memory" : error);
        results_free(baseline);
        return EXIT_UNABLE;
    }
    comparison_print(&comparison, stdout, terminal_color(r->color, stdout));
    const int code = comparison.counts[COMPARE_NEW_FAILURE] ? EXIT_TESTS_FAILED : EXIT_OK;
    comparison_release(&comparison);
    results_free(baseline);
    return code;
}

static int report(const struct reporting *r)
{
    char line[STANDING_LINE_MAX];
    bool asked = r->line || r->site || r->baseline || r->quiet;
    for (int format = 0; format < REPORT_COUNT; format++)
        asked = asked || r->files[format];
    if (!asked)
        report_console_summary(r->runs[0], stdout, terminal_color(r->color, stdout), terminal_width(stdout));
    const int code = write_files(r);
    if (r->line)
        printf("%s\n", standing_line(r->runs[0], line, sizeof line));
    return code == EXIT_OK && r->baseline ? compare_with_baseline(r) : code;
}

int command_report(int argc, char **argv)
{
    struct reporting r = {.color = COLOR_AUTO};
    int code = parse_arguments(&r, argc, argv);
    if (code != EXIT_OK)
        return code < 0 ? EXIT_OK : code;
    code = read_runs(&r);
    if (code == EXIT_OK)
        code = r.compare ? compare(&r) : report(&r);
    for (size_t i = 0; i < r.path_count && r.runs[i]; i++)
        results_free((struct results *)(uintptr_t)r.runs[i]);
    cli_sources_release(&r.sources);
    return code;
}

/* `tcpassay check`: judges captured traffic, both endpoints of each connection. */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "engine/capture/record.h"
#include "engine/capture/text.h"
#include "engine/capture/link.h"
#include "engine/cli/cli.h"
#include "engine/cli/terminal.h"
#include "reports/report.h"

static const char help_text[] =
    "usage: tcpassay check TRACE.pcap… [OPTION]…\n"
    "\n"
    "Judges both endpoints of every TCP connection in a capture (pcap or pcapng; -: standard input) by the model of RFC 9293 and its\n"
    "companions: what was violated, by whom, in which frame. Nothing is held against anybody that a packet missing from the capture could\n"
    "explain.\n"
    "\n"
    "  -f, --filter EXPR     only packets that tcpdump would show for it\n"
    "      --strict          a SHOULD not followed fails too\n"
    "      --offload WHEN    yes: packets were captured before (or after) a network card worked on them; no: they were not; auto\n"
    "                        (default): by what the capture shows\n"
    "      --connections N   that may be open at one time (default 50000); beyond it those idle longest are no longer followed\n"
    "      --json FILE       all results as one JSON document\n"
    "  -o, --out DIR         results as of a run (results.jsonl, results.json), from which all reports can be made\n"
    "      --report LIST     reports to write there: json (always is), html, md, junit, tap, sarif, csv, tests-csv, pcapng, badge\n"
    "  -v, --verbose         each connection, findings that were withheld, and a portrait of each host\n"
    "  -q, --quiet           nothing but violations and deviations\n"
    "  -h, --help\n"
    "\n"
    "Exit status: 0 nothing was violated · 1 something was · 2 usage · 3 a file could not be read (to its end).\n";

enum { OPT_STRICT = 256, OPT_OFFLOAD, OPT_CONNECTIONS, OPT_JSON, OPT_REPORT };

static const struct option options[] = {
    {"filter", required_argument, NULL, 'f'}, {"strict", no_argument, NULL, OPT_STRICT}, {"offload", required_argument, NULL, OPT_OFFLOAD},
    {"connections", required_argument, NULL, OPT_CONNECTIONS}, {"json", required_argument, NULL, OPT_JSON}, {"out", required_argument, NULL, 'o'},
    {"report", required_argument, NULL, OPT_REPORT}, {"verbose", no_argument, NULL, 'v'}, {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
};

enum { LISTED_MAX = 20000, CONNECTIONS_MOST = 100000000 };

struct checking {
    const char *filter, *json, *out;
    bool strict, verbose, quiet, color;
    bool reports[REPORT_COUNT];
    struct inspection_config config;
    char **files;
    int file_count;

    struct results_writer *writer;
    char scratch[64];             /* folder of the journal when only --json is wanted */
    bool violated, unreadable;
    int64_t started_ns;
};

static int64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SCN_NS_PER_S + t.tv_nsec;
}

/* ---- arguments */

static bool parse_offload(const char *text, enum offload *out)
{
    static const char *const words[] = {[OFFLOAD_AUTO] = "auto", [OFFLOAD_YES] = "yes", [OFFLOAD_NO] = "no"};
    for (enum offload offload = OFFLOAD_AUTO; offload <= OFFLOAD_NO; offload++)
        if (!strcmp(words[offload], text)) {
            *out = offload;
            return true;
        }
    return false;
}

static bool parse_reports(struct checking *c, char *list)
{
    for (char *rest, *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        enum report_format format;
        if (!report_format_parse(name, &format))
            return false;
        c->reports[format] = true;
    }
    return true;
}

static int parse_option(struct checking *c, int option)
{
    uint64_t number;
    switch (option) {
    case 'f': c->filter = optarg; return EXIT_OK;
    case 'o': c->out = optarg; return EXIT_OK;
    case 'v': c->verbose = true; return EXIT_OK;
    case 'q': c->quiet = true; return EXIT_OK;
    case OPT_STRICT: c->strict = true; return EXIT_OK;
    case OPT_JSON: c->json = optarg; return EXIT_OK;
    case OPT_REPORT:
        return parse_reports(c, optarg) ? EXIT_OK : cli_usage_error("check", "--report takes a list of json, html, md, junit, tap, sarif, csv, tests-csv, pcapng and badge");
    case OPT_OFFLOAD:
        return parse_offload(optarg, &c->config.offload) ? EXIT_OK : cli_usage_error("check", "--offload is yes, no or auto, not \"%s\"", optarg);
    case OPT_CONNECTIONS:
        if (!cli_parse_number(optarg, 1, CONNECTIONS_MOST, &number))
            return cli_usage_error("check", "--connections takes a number from 1 on, not \"%s\"", optarg);
        c->config.connections_max = (uint32_t)number;
        return EXIT_OK;
    default: return cli_usage_error("check", "that option cannot be used");
    }
}

/* EXIT_OK, -1 when help was all that was wanted, or an exit code. */
static int parse_arguments(struct checking *c, int argc, char **argv)
{
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "f:o:vqh", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return -1;
        }
        if (option == '?')
            return cli_usage_error("check", "option %s is unknown, or lacks its value", argv[optind - 1]);
        int code = parse_option(c, option);
        if (code != EXIT_OK)
            return code;
    }
    c->files = argv + optind;
    c->file_count = argc - optind;
    bool reports = false;
    for (enum report_format format = 0; format < REPORT_COUNT; format++)
        reports |= c->reports[format];
    if (reports && !c->out)
        return cli_usage_error("check", "--report needs a directory to write to: --out DIR");
    return c->file_count > 0 ? EXIT_OK : cli_usage_error("check", "which capture?");
}

/* ---- results */

static int open_results(struct checking *c)
{
    char started[32], error[600];
    time_t now = time(NULL);
    struct tm utc;
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    static const char *const offloads[] = {[OFFLOAD_AUTO] = "auto", [OFFLOAD_YES] = "yes", [OFFLOAD_NO] = "no"};
    const struct result_setting pixit[] = {{"offload", offloads[c->config.offload]}, {"filter", c->filter}};
    const struct result_run header = {
        .target_name = c->file_count == 1 ? c->files[0] : "captures", .target_description = "captured traffic, both endpoints judged",
        .pixit = pixit, .pixit_count = c->filter ? 2 : 1, .started = started, .profile = "full",
        .selectors = (const char *const *)c->files, .selector_count = (size_t)c->file_count,
    };
    if (!c->out && !c->json)
        return EXIT_OK;
    const char *folder = c->out;
    if (!folder) { /* results on their way to the document pass through a journal like all others */
        const char *temporary = getenv("TMPDIR");
        const int length = snprintf(c->scratch, sizeof c->scratch, "%s/tcpassay-XXXXXX", temporary ? temporary : "/tmp");
        folder = length < (int)sizeof c->scratch ? mkdtemp(c->scratch) : NULL;
        if (!folder) {
            *c->scratch = '\0';
            cli_error("check", "no temporary directory for the results: %s; name one with --out", strerror(errno));
            return EXIT_UNABLE;
        }
    }
    c->writer = results_writer_open(folder, RESULTS_REPLACE, &header, error, sizeof error);
    if (!c->writer)
        cli_error("check", "%s", error);
    return c->writer ? EXIT_OK : EXIT_UNABLE;
}

static int write_reports(struct checking *c, const struct results *results)
{
    char path[4096], error[600];
    c->reports[REPORT_JSON] = true;
    for (enum report_format format = 0; c->out && format < REPORT_COUNT; format++) {
        snprintf(path, sizeof path, "%s/%s", c->out, report_file_name(format));
        if (c->reports[format] && report_write(results, format, path, error, sizeof error) < 0) {
            cli_error("check", "%s", error);
            return EXIT_UNABLE;
        }
    }
    if (c->json && report_write(results, REPORT_JSON, c->json, error, sizeof error) < 0) {
        cli_error("check", "%s", error);
        return EXIT_UNABLE;
    }
    return EXIT_OK;
}

static int close_results(struct checking *c)
{
    char error[600];
    if (!c->writer)
        return EXIT_OK;
    int code = results_writer_end(c->writer, monotonic_ns() - c->started_ns) < 0 ? EXIT_UNABLE : EXIT_OK;
    if (code != EXIT_OK)
        cli_error("check", "%s", results_writer_error(c->writer));
    struct results *results = code == EXIT_OK ? results_read(c->out ? c->out : c->scratch, error, sizeof error) : NULL;
    if (results)
        code = write_reports(c, results);
    else if (code == EXIT_OK) {
        cli_error("check", "%s", error);
        code = EXIT_UNABLE;
    }
    results_free(results);
    return code;
}

static void remove_scratch(const struct checking *c)
{
    char path[sizeof c->scratch + 16];
    if (!*c->scratch)
        return;
    snprintf(path, sizeof path, "%s/results.jsonl", c->scratch);
    unlink(path);
    rmdir(c->scratch);
}

static int take_test(void *context, const struct result_test *test)
{
    struct checking *c = context;
    return results_writer_test(c->writer, test);
}

/* ---- captures */

/* The capture's part of test ids: the file's name without its folders, made unique. */
static void name_of(const struct checking *c, int index, char *out, size_t size)
{
    char *copies[2] = {strdup(c->files[index]), NULL};
    const char *name = !strcmp(c->files[index], "-") ? "stdin" : copies[0] ? basename(copies[0]) : "capture";
    bool taken = false;
    for (int i = 0; i < index && !taken; i++) {
        copies[1] = strdup(c->files[i]);
        taken = copies[1] && !strcmp(basename(copies[1]), name);
        free(copies[1]);
    }
    snprintf(out, size, taken ? "%s~%d" : "%s", name, index + 1);
    free(copies[0]);
}

/* NULL when it was read to its end; else why not. */
static const char *inspect(struct capture_reader *reader, struct inspection *inspection)
{
    enum capture_next next = CAPTURE_END;
    while (!cli_interrupted && (next = inspection_read(inspection, reader)) == CAPTURE_FRAME)
        continue;
    inspection_finish(inspection);
    return next == CAPTURE_DAMAGED ? capture_error(reader) : NULL;
}

static int report(struct checking *c, int index, const struct inspection_report *report, int link, const char *damage)
{
    char name[512];
    struct inspection_counts counts;
    const struct text_config text = {
        .name = c->files[index], .link = link, .verbose = c->verbose, .quiet = c->quiet, .color = c->color, .damage = damage,
    };
    const bool document_to_stdout = c->json && !strcmp(c->json, "-");
    inspection_print(report, &text, document_to_stdout ? stderr : stdout);
    inspection_count(report, &counts);
    c->violated |= counts.failures || (c->strict && counts.deviations);
    if (damage) {
        cli_error("check", "%s: damaged after frame %llu: %s; what came before it was judged", c->files[index],
                  (unsigned long long)report->frames, damage);
        c->unreadable = true;
    }
    c->unreadable |= report->out_of_memory;
    name_of(c, index, name, sizeof name);
    if (c->writer && inspection_record(report, name, c->strict, damage, take_test, c) != 0) {
        cli_error("check", "%s", results_writer_error(c->writer));
        return EXIT_UNABLE;
    }
    return EXIT_OK;
}

static struct capture_reader *open_capture(const struct checking *c, const char *path, int *code)
{
    char error[600];
    int filter_is_wrong = 0;
    FILE *file = strcmp(path, "-") ? fopen(path, "rb") : fdopen(dup(STDIN_FILENO), "rb");
    *code = EXIT_UNABLE;
    if (!file) {
        cli_error("check", "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct capture_reader *reader = capture_open(file, c->filter, &filter_is_wrong, error, sizeof error);
    if (!reader && filter_is_wrong)
        *code = cli_usage_error("check", "--filter \"%s\": %s", c->filter, error);
    else if (!reader)
        cli_error("check", "%s: no capture that can be read: %s; pcap and pcapng files can", path, error);
    if (reader && !link_is_known(capture_link(reader))) {
        cli_error(
            "check",
            "%s: captured on a link of type %d, which is not understood; Ethernet, raw IP, Linux cooked, loopback and PPP are",
            path, capture_link(reader));
        capture_close(reader);
        reader = NULL;
    }
    return reader;
}

/* EXIT_OK also when it could not be read, which is noted: the other files are judged all the same. */
static int check_file(struct checking *c, int index)
{
    int code;
    struct capture_reader *reader = open_capture(c, c->files[index], &code);
    if (!reader) {
        c->unreadable = true;
        return code == EXIT_USAGE ? code : EXIT_OK;
    }
    c->config.link = capture_link(reader);
    struct inspection *inspection = inspection_new(&c->config);
    if (inspection) {
        const char *damage = inspect(reader, inspection);
        code = report(c, index, inspection_report(inspection), c->config.link, damage);
    } else {
        cli_error("check", "out of memory");
    }
    inspection_free(inspection);
    capture_close(reader);
    return code;
}

int command_check(int argc, char **argv)
{
    struct checking c = {.color = terminal_color(COLOR_AUTO, stdout), .started_ns = monotonic_ns()};
    int code = parse_arguments(&c, argc, argv);
    if (code != EXIT_OK)
        return code < 0 ? EXIT_OK : code;
    if (getrandom(&c.config.seed, sizeof c.config.seed, GRND_NONBLOCK) != sizeof c.config.seed)
        c.config.seed = (uint64_t)c.started_ns;
    c.config.portraits = c.verbose;
    c.config.listed_max = c.verbose || c.out || c.json ? LISTED_MAX : 0;
    cli_catch_interrupts();
    code = open_results(&c);
    for (int i = 0; code == EXIT_OK && i < c.file_count && !cli_interrupted; i++)
        code = check_file(&c, i);
    if (code == EXIT_OK)
        code = close_results(&c);
    results_writer_close(c.writer);
    remove_scratch(&c);
    if (code != EXIT_OK)
        return code;
    return cli_interrupted ? EXIT_INTERRUPTED : c.violated ? EXIT_TESTS_FAILED : c.unreadable ? EXIT_UNABLE : EXIT_OK;
}

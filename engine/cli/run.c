/* `tcpassay run`: tests against a target, results on disk, a summary for people. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "engine/cli/sources.h"
#include "engine/cli/terminal.h"
#include "engine/cli/trace_view.h"
#include "engine/runner/ledger.h"
#include "engine/runner/pics.h"
#include "engine/runner/schedule.h"
#include "reports/compare.h"
#include "reports/report.h"

static const char help_text[] =
    "usage: tcpassay run [SELECTOR…] [OPTION]…\n"
    "\n"
    "Runs tests against a target. SELECTOR is a test's id, a prefix of ids (rfc9293/3.5), a glob, covers:REQUIREMENT, or a .pkt file;\n"
    "without one, every test of the profile. The state×event matrix runs only when a selector begins with \"matrix\": matrix for all of it,\n"
    "matrix/established, 'matrix/*/rst/*'; '*' matrix is everything there is.\n"
    "\n"
    "  -t, --target T        what is tested (default: reference); `tcpassay targets` lists what there is\n"
    "  -o, --out DIR         where results go (default: tcpassay-results)\n"
    "      --report LIST     reports to write there: json (always is), html, md, junit, tap, sarif, csv, tests-csv, pcapng, badge\n"
    "      --baseline FILE   results of an earlier run: only what fails now and did not then counts\n"
    "      --strict          a SHOULD not followed fails too\n"
    "      --no-model        only what scenarios expect counts; else the model of the RFCs judges every segment, too\n"
    "      --profile P       quick, full (default) or soak\n"
    "      --jobs N          tests at once on a real target (default 256)\n"
    "      --shard I/N       the I-th of N equal parts of the tests\n"
    "      --seed N          of everything random (default: drawn, and shown)\n"
    "      --resume          go on with the run that DIR holds\n"
    "      --suite DIR       other tests than the program's own\n"
    "      --allow-disruptive  floods too, on targets that they may harm\n"
    "  -v, --verbose         show what happened in each test that did not pass, segment by segment\n"
    "  -q, --quiet           nothing but failures and errors\n"
    "      --color WHEN      always, never or auto (default: on a terminal, unless NO_COLOR is set)\n"
    "  -h, --help\n"
    "\n"
    "Exit status: 0 nothing failed (or only as the target's ledger, or the baseline, knows) · 1 something did · 2 usage, or a bad scenario ·\n"
    "3 the tester or the target could not work · 130 interrupted; what was finished is kept, and --resume goes on.\n";

enum { OPT_REPORT = 256, OPT_BASELINE, OPT_STRICT, OPT_PROFILE, OPT_JOBS, OPT_SHARD, OPT_SEED, OPT_RESUME, OPT_SUITE, OPT_DISRUPTIVE, OPT_NO_MODEL, OPT_COLOR };

static const struct option options[] = {
    {"target", required_argument, NULL, 't'},       {"out", required_argument, NULL, 'o'},
    {"report", required_argument, NULL, OPT_REPORT}, {"baseline", required_argument, NULL, OPT_BASELINE},
    {"strict", no_argument, NULL, OPT_STRICT},      {"profile", required_argument, NULL, OPT_PROFILE},
    {"jobs", required_argument, NULL, OPT_JOBS},    {"shard", required_argument, NULL, OPT_SHARD},
    {"seed", required_argument, NULL, OPT_SEED},    {"resume", no_argument, NULL, OPT_RESUME},
    {"suite", required_argument, NULL, OPT_SUITE},  {"allow-disruptive", no_argument, NULL, OPT_DISRUPTIVE},
    {"no-model", no_argument, NULL, OPT_NO_MODEL},  {"color", required_argument, NULL, OPT_COLOR},
    {"verbose", no_argument, NULL, 'v'},            {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},               {NULL, 0, NULL, 0},
};

struct run {
    const char *target, *out, *baseline, *suite_folder;
    bool reports[REPORT_COUNT];
    enum color_choice color_choice;
    bool strict, resume, verbose, quiet, disruptive, no_model, seed_given, color, terminal;
    enum scn_profile profile;
    uint64_t jobs, shard_index, shard_count, seed;
    char **selectors;
    int selector_count;

    struct cli_target named;          /* by target */
    struct suite suite;
    unsigned broken;                  /* scenarios that do not parse */
    const struct suite_test **tests;
    size_t test_count, skipped;
    struct ledger *ledger;
    struct results_writer *writer;
    char failure[600];                /* why the schedule was stopped */
    int64_t started_ns;
    size_t last_done;
    struct result_model model;        /* what it saw in the tests since it was last written */
    size_t model_tests;               /* how many these are */
};

static int64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SCN_NS_PER_S + t.tv_nsec;
}

/* ---- arguments */

static bool parse_reports(struct run *run, char *list)
{
    for (char *rest, *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        enum report_format format;
        if (!report_format_parse(name, &format))
            return false;
        run->reports[format] = true;
    }
    return true;
}

static bool parse_shard(struct run *run, const char *text)
{
    char index[16];
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof index)
        return false;
    memcpy(index, text, (size_t)(slash - text));
    index[slash - text] = '\0';
    return cli_parse_number(slash + 1, 1, 100000, &run->shard_count) &&
           cli_parse_number(index, 1, run->shard_count, &run->shard_index);
}

static int parse_option(struct run *run, int option)
{
    switch (option) {
    case 't': run->target = optarg; return EXIT_OK;
    case 'o': run->out = optarg; return EXIT_OK;
    case 'v': run->verbose = true; return EXIT_OK;
    case 'q': run->quiet = true; return EXIT_OK;
    case OPT_COLOR:
        return terminal_parse_color(optarg, &run->color_choice) ? EXIT_OK : cli_usage_error("run", "--color is always, never or auto, not \"%s\"", optarg);
    case OPT_BASELINE: run->baseline = optarg; return EXIT_OK;
    case OPT_STRICT: run->strict = true; return EXIT_OK;
    case OPT_RESUME: run->resume = true; return EXIT_OK;
    case OPT_SUITE: run->suite_folder = optarg; return EXIT_OK;
    case OPT_DISRUPTIVE: run->disruptive = true; return EXIT_OK;
    case OPT_NO_MODEL: run->no_model = true; return EXIT_OK;
    case OPT_REPORT:
        return parse_reports(run, optarg) ? EXIT_OK : cli_usage_error("run", "--report takes a list of json, html, md, junit, tap, sarif, csv, tests-csv, pcapng and badge");
    case OPT_PROFILE:
        return cli_parse_profile(optarg, &run->profile) ? EXIT_OK : cli_usage_error("run", "there is no profile \"%s\", but quick, full and soak", optarg);
    case OPT_JOBS:
        return cli_parse_number(optarg, 1, 100000, &run->jobs) ? EXIT_OK : cli_usage_error("run", "--jobs takes a number from 1 on, not \"%s\"", optarg);
    case OPT_SHARD:
        return parse_shard(run, optarg) ? EXIT_OK : cli_usage_error("run", "--shard takes I/N, as in 1/4, not \"%s\"", optarg);
    case OPT_SEED:
        run->seed_given = true;
        return cli_parse_number(optarg, 0, INT64_MAX, &run->seed) ? EXIT_OK : cli_usage_error("run", "--seed takes a number below 2^63, not \"%s\"", optarg);
    default: return cli_usage_error("run", "that option cannot be used");
    }
}

static int parse_arguments(struct run *run, int argc, char **argv)
{
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "t:o:vqh", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return -1;
        }
        if (option == '?')
            return cli_usage_error("run", "option %s is unknown, or lacks its value", argv[optind - 1]);
        int code = parse_option(run, option);
        if (code != EXIT_OK)
            return code;
    }
    run->selectors = argv + optind;
    run->selector_count = argc - optind;
    return EXIT_OK;
}

/* ---- before the run */

static int find_target(struct run *run)
{
    struct target_error error = {0};
    int code = cli_open_name("run", run->target, &run->named);
    if (code != EXIT_OK)
        return code;
    if (run->named.driver->preflight && !run->named.driver->preflight(run->named.argument, &error)) {
        cli_error("run", "target %s: %s", run->target, error.text);
        return error.kind == TARGET_ERR_USAGE ? EXIT_USAGE : EXIT_UNABLE;
    }
    return EXIT_OK;
}

/* name: of a target of ours, whose ledger is meant, or a file. */
static int read_ledger(struct run *run, const char *ledger)
{
    char name[128], error[512];
    if (strchr(ledger, '/') || strchr(ledger, '.')) {
        run->ledger = ledger_read(ledger, error, sizeof error);
        if (run->ledger && access(ledger, R_OK) == 0)
            return EXIT_OK;
        cli_error("run", "ledger=%s: %s", ledger, run->ledger ? "there is no such file" : error);
        return EXIT_USAGE;
    }
    snprintf(name, sizeof name, "targets/%s/ledger.json", ledger);
    char *path = cli_data_path("run", "tests-suite"); /* ledgers lie beside the suite */
    if (!path)
        return EXIT_UNABLE;
    char *folder = strrchr(path, '/'), *ledger_path = NULL;
    if (folder)
        *folder = '\0';
    int length = asprintf(&ledger_path, "%s/%s", path, name);
    free(path);
    run->ledger = length < 0 ? NULL : ledger_read(ledger_path, error, sizeof error);
    if (!run->ledger)
        cli_error("run", "the ledger of known deviations: %s", length < 0 ? "out of memory" : error);
    free(length < 0 ? NULL : ledger_path);
    return run->ledger ? EXIT_OK : EXIT_UNABLE;
}

/* The PICS must be about features that there are. */
static int check_lacks(const struct run *run, const char *lacks)
{
    for (const char *at = lacks; *at;) {
        size_t len = strcspn(at, "+");
        if (pics_feature_index(at, len) < 0) {
            fprintf(stderr, "tcpassay run: target %s: lacks=%s: there is no feature \"%.*s\"; there are", run->target, lacks,
                    (int)len, at);
            for (const struct pics_feature *f = pics_features; f->name; f++)
                fprintf(stderr, "%s %s", f == pics_features ? "" : ",", f->name);
            fputc('\n', stderr);
            return EXIT_USAGE;
        }
        at += len + (at[len] == '+');
    }
    return EXIT_OK;
}

static void keep_shard(struct run *run)
{
    size_t kept = 0;
    for (size_t i = 0; run->shard_count && i < run->test_count; i++)
        if (i % run->shard_count == run->shard_index - 1)
            run->tests[kept++] = run->tests[i];
    if (run->shard_count)
        run->test_count = kept;
}

static int load_tests(struct run *run)
{
    int code = cli_load_suite("run", run->suite_folder, run->selectors, run->selector_count, &run->suite, &run->broken);
    if (code == EXIT_OK)
        code =
            cli_select_tests("run", &run->suite, run->selectors, run->selector_count, run->profile, &run->tests, &run->test_count);
    if (code == EXIT_OK && run->broken && run->test_count == 0)
        code = EXIT_USAGE; /* said already, file by file */
    if (code == EXIT_OK)
        keep_shard(run);
    return code;
}

/* A baseline that cannot be read is told before the run, not after it. */
static int check_baseline(const struct run *run)
{
    char error[600];
    struct results *baseline = run->baseline ? results_read(run->baseline, error, sizeof error) : NULL;
    if (run->baseline && !baseline) {
        cli_error("run", "the baseline: %s", error);
        return EXIT_UNABLE;
    }
    results_free(baseline);
    return EXIT_OK;
}

/* Leaves out what an interrupted run of the same target finished already, and takes over its seed. */
static int skip_finished(struct run *run)
{
    char error[600], path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/results.jsonl", run->out);
    if (!run->resume || stat(path, &st) != 0)
        return EXIT_OK;
    struct results *before = results_read(path, error, sizeof error);
    if (!before) {
        cli_error("run", "cannot resume: %s", error);
        return EXIT_UNABLE;
    }
    if (strcmp(before->run.target_name, run->target)) {
        cli_error("run", "%s holds results of target %s, not %s; choose another --out", run->out, before->run.target_name,
                  run->target);
        results_free(before);
        return EXIT_USAGE;
    }
    if (run->seed_given && run->seed != (uint64_t)before->run.seed) {
        cli_error("run", "%s holds results of seed %lld, not %llu; leave --seed away, or choose another --out", run->out,
                  (long long)before->run.seed, (unsigned long long)run->seed);
        results_free(before);
        return EXIT_USAGE;
    }
    run->seed = (uint64_t)before->run.seed;
    size_t kept = 0;
    for (size_t i = 0; i < run->test_count; i++)
        if (!results_find(before, run->tests[i]->id))
            run->tests[kept++] = run->tests[i];
    run->skipped = run->test_count - kept;
    run->test_count = kept;
    results_free(before);
    return EXIT_OK;
}

/* The header needs what the target says of itself: an instance is opened for that. */
static int open_results(struct run *run)
{
    struct target_error target_error = {0};
    struct target_config config = {.seed = run->seed};
    struct target *target = run->named.driver->open(run->named.argument, &config, &target_error);
    if (!target) {
        cli_error("run", "target %s: %s", run->target, target_error.text);
        return target_error.kind == TARGET_ERR_USAGE ? EXIT_USAGE : EXIT_UNABLE;
    }
    struct result_setting pixit[TARGET_PIXIT_MAX];
    for (unsigned i = 0; i < target->info.pixit_count; i++)
        pixit[i] = (struct result_setting){target->info.pixit[i].name, target->info.pixit[i].value};
    char started[32], error[600];
    time_t now = time(NULL);
    struct tm utc;
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    struct result_run header = {
        .target_name = run->target, .target_description = target->info.description, .pixit = pixit,
        .pixit_count = target->info.pixit_count, .started = started, .seed = (int64_t)run->seed, .profile = scn_profile_name(run->profile),
        .selectors = (const char *const *)run->selectors, .selector_count = (size_t)run->selector_count,
        .planned = (uint32_t)(run->test_count + run->skipped),
    };
    if (!run->quiet)
        printf("%s: %s\n%zu tests, profile %s, seed %llu%s\n", run->target, target->info.description, run->test_count, header.profile,
               (unsigned long long)run->seed, run->skipped ? ", resumed" : "");
    int code = check_lacks(run, target->info.lacks);
    if (code != EXIT_OK) {
        target->ops->close(target);
        return code;
    }
    run->writer = results_writer_open(run->out, run->resume ? RESULTS_RESUME : RESULTS_REPLACE, &header, error, sizeof error);
    char ledger[sizeof target->info.ledger];
    snprintf(ledger, sizeof ledger, "%s", *target->info.ledger ? target->info.ledger : run->named.driver->name);
    target->ops->close(target);
    if (!run->writer)
        cli_error("run", "%s", error);
    return run->writer ? read_ledger(run, ledger) : EXIT_UNABLE;
}

/* ---- during the run */

static void clear_progress(const struct run *run)
{
    if (run->terminal)
        fputs("\r\033[K", stdout);
}

enum { PCAP_ID_MAX = 200, MODEL_TESTS_MAX = 500, TRACE_EVENTS_SHOWN = 200 };

static uint32_t hash_of(const char *text) /* FNV-1a */
{
    uint32_t hash = UINT32_C(2166136261);
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT32_C(16777619);
    return hash;
}

/* Evidence: the packets of whatever did not simply pass. */
static int keep_pcap(struct run *run, struct result_test *result, const struct player *player, char *name, size_t name_size)
{
    char path[4096];
    bool wanted = player && (result->verdict != VERDICT_PASS || result->finding_count) && result->verdict != VERDICT_NOT_APPLICABLE;
    if (!wanted)
        return 0;
    snprintf(path, sizeof path, "%s/pcap", run->out);
    if (mkdir(path, 0777) < 0 && errno != EEXIST) {
        snprintf(run->failure, sizeof run->failure, "%.400s: %s", path, strerror(errno));
        return -1;
    }
    if (strlen(result->id) <= PCAP_ID_MAX)
        snprintf(name, name_size, "pcap/%s.pcap", result->id);
    else /* a file's name has 255 octets at most */
        snprintf(name, name_size, "pcap/%.*s-%08x.pcap", PCAP_ID_MAX, result->id, hash_of(result->id));
    for (char *c = name + 5; *c; c++)
        *c = *c == '/' ? '_' : *c;
    snprintf(path, sizeof path, "%s/%s", run->out, name);
    result->pcap = name;
    return player_write_pcap(player, path, run->failure, sizeof run->failure);
}

static int write_model(struct run *run)
{
    if (run->model_tests == 0)
        return 0;
    int failed = results_writer_model(run->writer, &run->model);
    if (failed)
        snprintf(run->failure, sizeof run->failure, "%s", results_writer_error(run->writer));
    run->model = (struct result_model){0};
    run->model_tests = 0;
    return failed;
}

/* Written now and then, so that little is lost when the run is killed. */
static int gather_model(struct run *run, const struct player *player)
{
    const struct judge_host *judged = player ? player_judged(player) : NULL;
    if (!judged)
        return 0;
    coverage_add(&run->model.coverage, &judged->coverage);
    portrait_add(&run->model.portrait, &judged->portrait);
    return ++run->model_tests < MODEL_TESTS_MAX ? 0 : write_model(run);
}

static int write_result(struct run *run, struct result_test *result, const struct player *player)
{
    static const struct coverage none;
    const struct judge_host *judged = player ? player_judged(player) : NULL;
    char texts[COVERAGE_TRANSITIONS_MAX][COVERAGE_TRANSITION_TEXT_MAX];
    const char *transitions[COVERAGE_TRANSITIONS_MAX];
    result->transition_count = coverage_changes(judged ? &judged->coverage : &none, texts);
    for (size_t i = 0; i < result->transition_count; i++)
        transitions[i] = texts[i];
    result->transitions = transitions;
    int failed = results_writer_test(run->writer, result);
    result->transitions = NULL;
    result->transition_count = 0;
    return failed;
}

static void show_trace(const struct run *run, const struct suite_test *test, const struct result_test *result)
{
    const struct trace_view view = {.color = run->color, .columns = terminal_width(stdout), .scenario = test->file->scenario->source_text,
                                    .events_max = TRACE_EVENTS_SHOWN};
    trace_view(result, &view, stdout);
}

static int on_finished(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct run *run = context;
    char pcap_name[512];
    const char *known = ledger_find(run->ledger, result, run->strict);
    result->known = known != NULL;
    result->known_note = known;
    if (cli_is_matrix(result->id) && result->verdict == VERDICT_PASS && result->finding_count == 0)
        result->trace_count = 0; /* ten thousand of them: who wants to see one replays it */
    if (keep_pcap(run, result, player, pcap_name, sizeof pcap_name) < 0)
        return -1;
    if (write_result(run, result, player) < 0) {
        snprintf(run->failure, sizeof run->failure, "%s", results_writer_error(run->writer));
        return -1;
    }
    if (gather_model(run, player) < 0)
        return -1;
    bool notable = result->verdict != VERDICT_PASS && result->verdict != VERDICT_NOT_APPLICABLE;
    if (notable && (!run->quiet || result_is_new_failure(result) || result->verdict == VERDICT_ERROR)) {
        clear_progress(run);
        report_console_line(result, run->out, stdout, run->color);
        if (run->verbose)
            show_trace(run, test, result);
    }
    return 0;
}

static void on_progress(void *context, size_t done, size_t running)
{
    struct run *run = context;
    if (!run->terminal || run->quiet || (done == run->last_done && running))
        return;
    run->last_done = done;
    printf("\r\033[K[%zu/%zu] %.1f s, %zu running", done, run->test_count, (double)(monotonic_ns() - run->started_ns) / 1e9,
           running);
    fflush(stdout);
}

/* ---- after the run */

static int write_reports(struct run *run, const struct results *results)
{
    char path[4096], error[600];
    for (enum report_format format = 0; format < REPORT_COUNT; format++) {
        if (!run->reports[format])
            continue;
        snprintf(path, sizeof path, "%s/%s", run->out, report_file_name(format));
        if (report_write(results, format, path, error, sizeof error) < 0) {
            cli_error("run", "%s", error);
            return EXIT_UNABLE;
        }
    }
    return EXIT_OK;
}

static int compare_with_baseline(const struct run *run, const struct results *results)
{
    char error[600];
    struct results *baseline = results_read(run->baseline, error, sizeof error);
    struct comparison comparison;
    if (!baseline) {
        cli_error("run", "the baseline: %s", error);
        return EXIT_UNABLE;
    }
    int code = EXIT_UNABLE;
    if (compare_results(baseline, results, &comparison) == 0) {
        comparison_print(&comparison, stdout, run->color);
        code = comparison.counts[COMPARE_NEW_FAILURE] ? EXIT_TESTS_FAILED : EXIT_OK;
        comparison_release(&comparison);
    } else {
        cli_error("run", "out of memory");
    }
    results_free(baseline);
    return code;
}

static int judge(const struct run *run, const struct results *results)
{
    struct results_summary summary;
    results_summarise(results->tests, results->test_count, &summary);
    int code = run->baseline ? compare_with_baseline(run, results)
               : summary.verdicts[VERDICT_FAIL] > summary.known ? EXIT_TESTS_FAILED : EXIT_OK;
    if (code == EXIT_OK && summary.verdicts[VERDICT_ERROR])
        code = EXIT_UNABLE;
    if (code == EXIT_OK && run->broken)
        code = EXIT_USAGE;
    return code;
}

static int conclude(struct run *run, enum schedule_end end, const struct target_error *target_error)
{
    char error[600];
    clear_progress(run);
    if (end != SCHEDULE_STOPPED && write_model(run) < 0)
        end = SCHEDULE_STOPPED;
    if (end == SCHEDULE_DONE && results_writer_end(run->writer, monotonic_ns() - run->started_ns) < 0) {
        snprintf(run->failure, sizeof run->failure, "%s", results_writer_error(run->writer));
        end = SCHEDULE_STOPPED;
    }
    results_writer_close(run->writer);
    run->writer = NULL;
    struct results *results = results_read(run->out, error, sizeof error);
    if (!results) {
        cli_error("run", "%s", error);
        return EXIT_UNABLE;
    }
    struct cli_sources sources;
    cli_sources_of(&sources, &run->suite, run->out);
    results->sources = &sources.texts;
    int code = end == SCHEDULE_STOPPED ? EXIT_UNABLE : write_reports(run, results);
    if (!run->quiet) {
        report_console_summary(results, stdout, run->color, terminal_width(stdout));
        printf("results: %s/results.json\n", run->out);
    }
    int verdict = judge(run, results);
    results_free(results);
    if (end == SCHEDULE_INTERRUPTED) {
        cli_error("run", "interrupted; what was finished is in %s, and --resume goes on", run->out);
        return EXIT_INTERRUPTED;
    }
    if (end != SCHEDULE_DONE) {
        cli_error("run", "%s; what was finished before is in %s, and --resume goes on", end == SCHEDULE_STOPPED ? run->failure : target_error->text,
                  run->out);
        return EXIT_UNABLE;
    }
    return code != EXIT_OK ? code : verdict;
}

static int run_all(struct run *run)
{
    struct target_error error = {0};
    struct schedule schedule = {
        .driver = run->named.driver, .argument = run->named.argument, .tests = run->tests, .test_count = run->test_count, .seed = run->seed,
        .jobs = (unsigned)run->jobs, .strict = run->strict, .judged = !run->no_model,
        .disruption_allowed = run->disruptive, .interrupted = &cli_interrupted,
        .finished = on_finished, .progress = on_progress, .context = run,
    };
    run->started_ns = monotonic_ns();
    cli_catch_interrupts();
    enum schedule_end end = schedule_run(&schedule, &error);
    return conclude(run, end, &error);
}

int command_run(int argc, char **argv)
{
    struct run run = {.target = "reference", .out = "tcpassay-results", .profile = SCN_FULL, .reports = {[REPORT_JSON] = true}};
    int code = parse_arguments(&run, argc, argv);
    if (code != EXIT_OK)
        return code < 0 ? EXIT_OK : code;
    run.terminal = terminal_is_live(stdout) && !run.quiet;
    run.color = terminal_color(run.color_choice, stdout);
    if (!run.seed_given && getrandom(&run.seed, sizeof run.seed, 0) > 0)
        run.seed >>= 33; /* short enough to type again */
    if ((code = find_target(&run)) == EXIT_OK && (code = load_tests(&run)) == EXIT_OK &&
        (code = check_baseline(&run)) == EXIT_OK &&
        (code = skip_finished(&run)) == EXIT_OK && (code = open_results(&run)) == EXIT_OK)
        code = run_all(&run);
    if (run.writer)
        results_writer_close(run.writer);
    if (run.ledger)
        ledger_free(run.ledger);
    free(run.tests);
    suite_release(&run.suite);
    cli_target_release(&run.named);
    return code;
}

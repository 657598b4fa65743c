/* `tcpassay replay`: plays scenario files and shows every step, as somebody who reads a failure wants it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "engine/cli/terminal.h"
#include "engine/cli/trace_view.h"
#include "engine/fuzz/finding.h"
#include "engine/runner/schedule.h"
#include "reports/report.h"

static const char help_text[] =
    "usage: tcpassay replay FILE… [--target T] [--seed N] [--pcap FILE] [--print] [--disruptive] [--bytes]\n"
    "\n"
    "Plays .pkt files (or inputs of a fuzzer, or tests of the suite, by id) and prints all that happened: segments with relative and absolute numbers, calls,\n"
    "states, and the verdict. A finding of `tcpassay fuzz` is played on its target, with its seed, up to five times until it shows. Exit status 1\n"
    "when a test fails.\n"
    "  -t, --target T   default: reference, or a finding's own\n"
    "      --seed N     default: 1, or a finding's own\n"
    "      --pcap FILE  keeps the packets of the last test\n"
    "      --bytes      the files are inputs of a fuzzer, whatever they begin with: a crash of libFuzzer or AFL++\n"
    "      --disruptive also floods, on targets that they may harm\n"
    "      --print      plays nothing, but prints the scenarios: a case of the state×event matrix (matrix/…) as a .pkt of its own\n";

static const struct option options[] = {
    {"target", required_argument, NULL, 't'}, {"seed", required_argument, NULL, 's'}, {"pcap", required_argument, NULL, 'p'},
    {"print", no_argument, NULL, 'P'}, {"disruptive", no_argument, NULL, 'D'}, {"bytes", no_argument, NULL, 'B'},
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
};

struct replay { const char *pcap; unsigned plays; bool print, disruptive, bytes, color, failed, erred; };

static int print_scenarios(const struct suite_test *const *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i && tests[i]->file == tests[i - 1]->file && !cli_is_matrix(tests[i]->id))
            continue; /* its sub-tests are one text */
        char *text = cli_scenario_text(tests[i]);
        if (!text) {
            cli_error("replay", "out of memory");
            return EXIT_UNABLE;
        }
        printf("%s// %s\n%s", i ? "\n" : "", tests[i]->id, text);
        free(text);
    }
    return EXIT_OK;
}

static int on_finished(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct replay *replay = context;
    char error[512];
    printf("%s\n  %s\n", strcmp(test->id, TRIAL_ID) ? test->id : test->file->path, result->title);
    const struct trace_view view = {.color = replay->color, .columns = terminal_width(stdout), .scenario = test->file->scenario->source_text};
    trace_view(result, &view, stdout);
    printf("%s%s%s\n", verdict_text(result->verdict), *result->reason ? ": " : "", result->reason);
    for (size_t i = 0; i < result->finding_count; i++)
        if (*result->findings[i].requirement)
            printf("  %s (%s)\n", result->findings[i].requirement, requirement_level_text(result->findings[i].level));
    putchar('\n');
    replay->failed |= result->verdict == VERDICT_FAIL;
    replay->erred |= result->verdict == VERDICT_ERROR;
    if (replay->pcap && player && player_write_pcap(player, replay->pcap, error, sizeof error) < 0) {
        cli_error("replay", "%s", error);
        return -1;
    }
    return 0;
}

/* Findings and inputs of a fuzzer get the numbers that they had when they were found: those of the id that a trial gives to all. */
static bool number_as_found(const struct suite *suite)
{
    struct finding_head head;
    for (size_t i = 0; i < suite->test_count; i++) {
        const char *path = suite->tests[i].file->path;
        if (!finding_read_head(path, &head) && !suite_is_octets(path))
            continue;
        char *id = strdup(TRIAL_ID);
        if (!id)
            return false;
        free(suite->tests[i].id);
        suite->tests[i].id = id;
    }
    return true;
}

/* The first finding among the files says where it was found, unless the command line does. */
static bool take_head(char **selectors, int count, struct finding_head *head)
{
    for (int i = 0; i < count; i++)
        if (finding_read_head(selectors[i], head))
            return true;
    return false;
}

/* All the files, taken for octets. */
static int load_octets(struct suite *suite, char **files, int count, unsigned *broken)
{
    char error[512];
    *suite = (struct suite){0};
    *broken = 0;
    for (int i = 0; i < count; i++)
        if (suite_load_octets(suite, files[i], error, sizeof error) < 0) {
            cli_error("replay", "%s", error);
            return EXIT_USAGE;
        }
    if (suite_expand(suite, error, sizeof error) == 0)
        return EXIT_OK;
    cli_error("replay", "%s", error);
    return EXIT_USAGE;
}

static int play(const struct cli_target *named, const char *target, uint64_t seed, struct replay *replay, char **selectors,
                int selector_count)
{
    struct suite suite;
    const struct suite_test **tests = NULL;
    size_t count = 0;
    unsigned broken;
    struct target_error error = {0};
    struct schedule schedule = {.seed = seed, .judged = true, .interrupted = &cli_interrupted, .disruption_allowed = replay->disruptive,
                                .finished = on_finished, .context = replay};
    if (named->driver->virtual_time) /* once is as good as often */
        replay->plays = 1;
    schedule.driver = named->driver;
    schedule.argument = named->argument;
    int code = replay->bytes ? load_octets(&suite, selectors, selector_count, &broken)
                             : cli_load_suite("replay", NULL, selectors, selector_count, &suite, &broken);
    if (code == EXIT_OK)
        code = number_as_found(&suite)
                   ? cli_select_tests("replay", &suite, selectors, replay->bytes ? 0 : selector_count, SCN_SOAK, &tests, &count)
                   : EXIT_UNABLE;
    if (code == EXIT_OK && replay->print) {
        code = print_scenarios(tests, count);
    } else if (code == EXIT_OK) {
        schedule.tests = tests;
        schedule.test_count = count;
        cli_catch_interrupts();
        enum schedule_end end = SCHEDULE_DONE;
        for (unsigned i = 0; i < replay->plays && end == SCHEDULE_DONE && !replay->failed; i++)
            end = schedule_run(&schedule, &error);
        if (end == SCHEDULE_FAILED)
            cli_error("replay", "target %s: %s", target, error.text);
        code = end == SCHEDULE_INTERRUPTED ? EXIT_INTERRUPTED : end != SCHEDULE_DONE ? EXIT_UNABLE
               : replay->failed ? EXIT_TESTS_FAILED : replay->erred ? EXIT_UNABLE : broken ? EXIT_USAGE : EXIT_OK;
    }
    free(tests);
    suite_release(&suite);
    return code;
}

int command_replay(int argc, char **argv)
{
    const char *target = NULL;
    bool seed_given = false;
    uint64_t seed = 1;
    struct finding_head head = {0};
    struct replay replay = {.plays = 1, .color = terminal_color(COLOR_AUTO, stdout)};
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "t:h", options, NULL)) != -1;) {
        switch (option) {
        case 't': target = optarg; break;
        case 'p': replay.pcap = optarg; break;
        case 'P': replay.print = true; break;
        case 'D': replay.disruptive = true; break;
        case 'B': replay.bytes = true; break;
        case 's':
            if (!cli_parse_number(optarg, 0, INT64_MAX, &seed))
                return cli_usage_error("replay", "--seed takes a number, not \"%s\"", optarg);
            seed_given = true;
            break;
        case 'h': fputs(help_text, stdout); return EXIT_OK;
        default: return cli_usage_error("replay", "option %s is unknown, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind == argc)
        return cli_usage_error("replay", "which file?");
    if (take_head(argv + optind, argc - optind, &head)) {
        target = target ? target : head.target;
        seed = seed_given ? seed : head.seed;
        replay.plays = FINDING_PLAYS_REAL;
        printf("a finding of tcpassay fuzz: target %s, seed %llu\n", target, (unsigned long long)seed);
    }
    target = target ? target : "reference";
    struct cli_target named;
    int code = cli_open_name("replay", target, &named);
    if (code == EXIT_OK)
        code = play(&named, target, seed, &replay, argv + optind, argc - optind);
    cli_target_release(&named);
    return code;
}

/* `tcpassay fuzz`: sequences that nobody thought of, played on a target, with the model for a judge. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "engine/cli/cli.h"
#include "engine/cli/known.h"
#include "engine/cli/terminal.h"
#include "engine/fuzz/apart.h"
#include "engine/fuzz/campaign.h"
#include "reports/report.h"

static const char help_text[] =
    "usage: tcpassay fuzz [OPTION]…\n"
    "       tcpassay fuzz --shrink FILE… [OPTION]…\n"
    "\n"
    "Plays sequences of segments, calls and times on a target, ever new ones, bred from those that showed something new of the target. The model\n"
    "of the RFCs judges each. What it finds is confirmed, shrunk to few steps, and stored: DIR/findings/NAME.pkt, beside its packets; `tcpassay\n"
    "replay DIR/findings/NAME.pkt` shows it again. Ends after --time or --runs, or with Ctrl-C; what was found is kept.\n"
    "\n"
    "  -t, --target T        what is fuzzed (default: reference); `tcpassay targets` lists what there is\n"
    "      --against B       a second target, which gets the same sequences: where both do what is permitted, but not the same, that is a choice,\n"
    "                        listed in DIR/choices.tsv\n"
    "      --time S          seconds to search\n"
    "      --runs N          sequences to play\n"
    "      --seed N          of everything random (default: drawn, and shown); on virtual targets the same seed and runs find the same\n"
    "      --corpus DIR      what is worth mutating, kept between runs (default: DIR/corpus of --out). At first: the program's own tests\n"
    "      --no-seeds        begins with nothing, rather than with the program's own tests\n"
    "  -o, --out DIR         where findings and results go (default: tcpassay-fuzz)\n"
    "      --report LIST     reports to write there at the end: json,sarif,md,…\n"
    "      --jobs N          sequences at once on a real target (default 128)\n"
    "      --steps N         steps that a sequence may have (default 24)\n"
    "      --strict          a SHOULD not followed is a finding too\n"
    "      --shrink          searches nothing, but makes findings of what another fuzzer left behind: FILE is octets, with or without their magic\n"
    "      --feedback WHAT   model (default), or none: what is kept to be mutated is kept at random, for comparison\n"
    "  -q, --quiet           nothing but findings and errors\n"
    "  -h, --help\n"
    "\n"
    "Exit status: 0 nothing found (or only what the target's ledger knows) · 1 findings · 2 usage · 3 the tester or the target could not work ·\n"
    "130 interrupted.\n";

enum { OPT_AGAINST = 256, OPT_TIME, OPT_RUNS, OPT_SEED, OPT_CORPUS, OPT_NO_SEEDS, OPT_REPORT, OPT_JOBS, OPT_STEPS, OPT_STRICT, OPT_FEEDBACK, OPT_SHRINK };

static const struct option options[] = {
    {"target", required_argument, NULL, 't'},         {"against", required_argument, NULL, OPT_AGAINST},
    {"time", required_argument, NULL, OPT_TIME},      {"runs", required_argument, NULL, OPT_RUNS},
    {"seed", required_argument, NULL, OPT_SEED},      {"corpus", required_argument, NULL, OPT_CORPUS},
    {"no-seeds", no_argument, NULL, OPT_NO_SEEDS},    {"out", required_argument, NULL, 'o'},
    {"report", required_argument, NULL, OPT_REPORT},  {"jobs", required_argument, NULL, OPT_JOBS},
    {"steps", required_argument, NULL, OPT_STEPS},    {"strict", no_argument, NULL, OPT_STRICT},
    {"feedback", required_argument, NULL, OPT_FEEDBACK}, {"quiet", no_argument, NULL, 'q'},
    {"shrink", no_argument, NULL, OPT_SHRINK},        {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct fuzz {
    const char *targets[CAMPAIGN_SIDES]; /* [1] NULL: no comparison */
    const char *out, *corpus;
    bool reports[REPORT_COUNT];
    bool shrink, no_seeds, strict, quiet, seed_given, blind, terminal;
    uint64_t time_s, runs, seed, jobs, steps;

    char **files;             /* of --shrink */
    int file_count;

    struct cli_target named[CAMPAIGN_SIDES];
    struct ledger *ledgers[CAMPAIGN_SIDES];
    struct results_writer *writer;
    struct shrink_input *seeds;
    size_t seed_count;
    char *own_corpus;
    struct campaign *campaign;
    int64_t said_s;           /* when the last plain line of status was printed */
    uint64_t plays_before, segments_before; /* at the last line of status */
    int64_t elapsed_before_ns;
    unsigned unsaved, deaths;
    struct apart *apart;      /* of --shrink, on virtual targets */
};

/* ---- arguments */

static bool parse_reports(struct fuzz *fuzz, char *list)
{
    for (char *rest, *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        enum report_format format;
        if (!report_format_parse(name, &format))
            return false;
        fuzz->reports[format] = true;
    }
    return true;
}

static int number(const char *option, uint64_t least, uint64_t most, uint64_t *out)
{
    if (cli_parse_number(optarg, least, most, out))
        return EXIT_OK;
    return cli_usage_error("fuzz", "%s takes a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"", option, least, most, optarg);
}

static int parse_option(struct fuzz *fuzz, int option)
{
    switch (option) {
    case 't': fuzz->targets[0] = optarg; return EXIT_OK;
    case 'o': fuzz->out = optarg; return EXIT_OK;
    case 'q': fuzz->quiet = true; return EXIT_OK;
    case OPT_AGAINST: fuzz->targets[1] = optarg; return EXIT_OK;
    case OPT_CORPUS: fuzz->corpus = optarg; return EXIT_OK;
    case OPT_NO_SEEDS: fuzz->no_seeds = true; return EXIT_OK;
    case OPT_SHRINK: fuzz->shrink = true; return EXIT_OK;
    case OPT_STRICT: fuzz->strict = true; return EXIT_OK;
    case OPT_TIME: return number("--time", 1, 100000000, &fuzz->time_s);
    case OPT_RUNS: return number("--runs", 1, INT64_MAX, &fuzz->runs);
    case OPT_JOBS: return number("--jobs", 1, 1024, &fuzz->jobs);
    case OPT_STEPS: return number("--steps", 1, SCN_BYTES_STEPS_MAX, &fuzz->steps);
    case OPT_SEED: fuzz->seed_given = true; return number("--seed", 0, INT64_MAX, &fuzz->seed);
    case OPT_REPORT: return parse_reports(fuzz, optarg) ? EXIT_OK : cli_usage_error("fuzz", "--report takes a list of formats, as in json,sarif");
    case OPT_FEEDBACK:
        fuzz->blind = !strcmp(optarg, "none");
        return fuzz->blind || !strcmp(optarg, "model") ? EXIT_OK : cli_usage_error("fuzz", "--feedback is model or none, not \"%s\"", optarg);
    default: return cli_usage_error("fuzz", "that option cannot be used");
    }
}

static int parse_arguments(struct fuzz *fuzz, int argc, char **argv)
{
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "t:o:qh", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return -1;
        }
        if (option == '?')
            return cli_usage_error("fuzz", "option %s is unknown, or lacks its value", argv[optind - 1]);
        int code = parse_option(fuzz, option);
        if (code != EXIT_OK)
            return code;
    }
    fuzz->files = argv + optind;
    fuzz->file_count = argc - optind;
    if (fuzz->shrink)
        return fuzz->file_count ? EXIT_OK : cli_usage_error("fuzz", "--shrink which file?");
    if (optind != argc)
        return cli_usage_error("fuzz", "what is \"%s\" for? Sequences to begin with go into --corpus", argv[optind]);
    return EXIT_OK;
}

/* ---- before */

static int find_target(struct fuzz *fuzz, unsigned side)
{
    struct target_error error = {0};
    struct cli_target *named = &fuzz->named[side];
    int code = cli_open_name("fuzz", fuzz->targets[side], named);
    if (code != EXIT_OK || !named->driver->preflight || named->driver->preflight(named->argument, &error))
        return code;
    cli_error("fuzz", "target %s: %s", fuzz->targets[side], error.text);
    return error.kind == TARGET_ERR_USAGE ? EXIT_USAGE : EXIT_UNABLE;
}

/* The folder may hold what an earlier campaign found: that is gone on with, if it was the same target. */
static int check_folder(const struct fuzz *fuzz)
{
    char error[600], path[4096];
    snprintf(path, sizeof path, "%s/results.jsonl", fuzz->out);
    FILE *file = fopen(path, "re");
    if (!file)
        return EXIT_OK;
    fclose(file);
    struct results *before = results_read(path, error, sizeof error);
    if (!before) {
        cli_error("fuzz", "%s", error);
        return EXIT_UNABLE;
    }
    const bool same = !strcmp(before->run.target_name, fuzz->targets[0]);
    if (!same)
        cli_error("fuzz", "%s holds results of target %s, not %s; choose another --out", fuzz->out, before->run.target_name,
                  fuzz->targets[0]);
    results_free(before);
    return same ? EXIT_OK : EXIT_USAGE;
}

static struct results_writer *open_writer(const struct fuzz *fuzz, const struct target_info *info, char *error, size_t error_size)
{
    struct result_setting pixit[TARGET_PIXIT_MAX];
    for (unsigned i = 0; i < info->pixit_count; i++)
        pixit[i] = (struct result_setting){info->pixit[i].name, info->pixit[i].value};
    char started[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    const struct result_run header = {
        .target_name = fuzz->targets[0], .target_description = info->description, .pixit = pixit, .pixit_count = info->pixit_count,
        .started = started, .seed = (int64_t)fuzz->seed, .profile = "fuzz",
    };
    return results_writer_open(fuzz->out, RESULTS_RESUME, &header, error, error_size);
}

/* What the target says of itself: for the header, and whose ledger counts. An instance is opened for that. */
static int ask_target(struct fuzz *fuzz, unsigned side)
{
    struct target_error target_error = {0};
    const struct target_config config = {.seed = fuzz->seed};
    const struct cli_target *named = &fuzz->named[side];
    char error[600], ledger[64];
    struct target *target = named->driver->open(named->argument, &config, &target_error);
    if (!target) {
        cli_error("fuzz", "target %s: %s", fuzz->targets[side], target_error.text);
        return target_error.kind == TARGET_ERR_USAGE ? EXIT_USAGE : EXIT_UNABLE;
    }
    if (!fuzz->quiet)
        printf("%s%s: %s\n", side ? "against " : "", fuzz->targets[side], target->info.description);
    snprintf(ledger, sizeof ledger, "%s", *target->info.ledger ? target->info.ledger : named->driver->name);
    if (side == 0 && !(fuzz->writer = open_writer(fuzz, &target->info, error, sizeof error)))
        cli_error("fuzz", "%s", error);
    target->ops->close(target);
    return side == 0 && !fuzz->writer ? EXIT_UNABLE : cli_read_ledger("fuzz", ledger, &fuzz->ledgers[side]);
}

/* The program's own tests, as octets. */
static int load_seeds(struct fuzz *fuzz)
{
    struct suite suite;
    unsigned broken;
    if (fuzz->no_seeds || fuzz->shrink)
        return EXIT_OK;
    int code = cli_load_suite("fuzz", NULL, NULL, 0, &suite, &broken);
    if (code == EXIT_OK)
        fuzz->seeds = calloc(suite.test_count + 1, sizeof *fuzz->seeds);
    for (size_t i = 0; fuzz->seeds && i < suite.test_count; i++) {
        struct shrink_input *seed = &fuzz->seeds[fuzz->seed_count];
        seed->len = scn_bytes_encode(suite.tests[i].file->scenario, suite.tests[i].variant, seed->octets, NULL);
        fuzz->seed_count += seed->len != 0;
    }
    suite_release(&suite);
    return code;
}

/* ---- during */

static void clear_line(const struct fuzz *fuzz)
{
    if (fuzz->terminal)
        fputs("\r\033[K", stdout);
}

static void on_say(void *context, const char *what)
{
    clear_line(context);
    fflush(stdout);
    cli_error("fuzz", "%s", what);
}

static void on_found(void *context, const struct campaign_side *side, const struct finding *f)
{
    const struct fuzz *fuzz = context;
    char event[REACTION_EVENT_TEXT_MAX];
    const bool known = *f->known_note;
    clear_line(fuzz);
    if (known && fuzz->quiet)
        return;
    printf("%s %s  %s  %s, on %s: the IUT %s\n      ", known ? "KNOWN" : "FOUND", f->rule, *f->requirement ? f->requirement : "-",
           reaction_state_name(f->state), reaction_event_name(f->event, event), f->message);
    if (fuzz->targets[1])
        printf("%s; ", side->name);
    printf("%u steps; shown in %u of %u plays; tcpassay replay %s/findings/%s.pkt\n", shrink_steps(&f->input), f->shown, f->plays,
           fuzz->out, f->name);
    if (known)
        printf("      %s\n", f->known_note);
    fflush(stdout);
}

static void on_unsaved(void *context, const struct finding *f, const char *text, const char *why)
{
    struct fuzz *fuzz = context;
    clear_line(fuzz);
    fuzz->unsaved++;
    printf("FOUND %s, which could not be written (%s); its scenario:\n%s", f->rule, why, text);
    fflush(stdout);
}

static void print_status(const struct fuzz *fuzz, const struct campaign_status *s)
{
    const double span_s = (double)(s->elapsed_ns - fuzz->elapsed_before_ns) / 1e9, per_s = span_s > 0 ? 1 / span_s : 0;
    printf("%" PRId64 " s  %" PRIu64 " sequences (%.0f/s)  %.0f segments/s  %zu tuples  %zu rules  corpus %zu  findings %zu",
           s->elapsed_ns / 1000000000, s->plays, (double)(s->plays - fuzz->plays_before) * per_s,
           (double)(s->segments - fuzz->segments_before) * per_s, s->tuples, s->rules, s->inputs, s->findings);
    if (s->known)
        printf(", known %zu", s->known);
    if (fuzz->targets[1])
        printf("  choices %zu", s->choices);
    if (s->deaths)
        printf("  deaths %" PRIu64, s->deaths);
    if (s->seeds_left)
        printf("  (%zu to begin with are left)", s->seeds_left);
}

/* A line that is overwritten on a terminal; in a pipe a line now and then, ever more seldom. */
static void on_status(void *context, const struct campaign_status *s)
{
    struct fuzz *fuzz = context;
    const int64_t now_s = s->elapsed_ns / 1000000000, pause_s = now_s < 10 ? 1 : now_s < 60 ? 10 : 60;
    if (fuzz->quiet || (!fuzz->terminal && now_s - fuzz->said_s < pause_s))
        return;
    fuzz->said_s = now_s;
    clear_line(fuzz);
    print_status(fuzz, s);
    if (!fuzz->terminal)
        putchar('\n');
    fflush(stdout);
    fuzz->plays_before = s->plays;
    fuzz->segments_before = s->segments;
    fuzz->elapsed_before_ns = s->elapsed_ns;
}

/* ---- after */

static void print_doubted(const struct fuzz *fuzz, unsigned side)
{
    const struct finding *f;
    char event[REACTION_EVENT_TEXT_MAX];
    const struct suspects *suspects = campaign_suspects(fuzz->campaign, side);
    for (size_t i = 0; (f = suspects_doubted(suspects, i)); i++)
        printf("not confirmed: %s  %s, on %s: the IUT %s\n", f->rule, reaction_state_name(f->state),
               reaction_event_name(f->event, event), f->message);
}

static void print_choices(const struct fuzz *fuzz)
{
    char event[REACTION_EVENT_TEXT_MAX], a[160], b[160];
    const struct differ *differ = campaign_differ(fuzz->campaign);
    if (!differ || !differ_count(differ))
        return;
    printf("\nwhere both may, and do not do the same (%s/choices.tsv):\n", fuzz->out);
    for (size_t i = 0; i < differ_count(differ); i++) {
        const struct differ_choice *c = differ_at(differ, i);
        differ_words(c->did[0], a, sizeof a);
        differ_words(c->did[1], b, sizeof b);
        printf("  %s, on %s: %s sent %s, %s sent %s (%" PRIu64 " plays)  %s/choices/%zu.pkt\n", reaction_state_name(c->state),
               reaction_event_name(c->event, event), fuzz->targets[0], a, fuzz->targets[1], b, c->plays, fuzz->out, i + 1);
    }
}

static void print_end(struct fuzz *fuzz)
{
    struct campaign_status status;
    clear_line(fuzz);
    campaign_status(fuzz->campaign, &status);
    if (fuzz->quiet)
        return;
    for (unsigned side = 0; side < CAMPAIGN_SIDES && fuzz->targets[side]; side++)
        print_doubted(fuzz, side);
    print_choices(fuzz);
    fuzz->plays_before = fuzz->segments_before = 0;
    fuzz->elapsed_before_ns = 0;
    print_status(fuzz, &status);
    printf("\n%" PRIu64 " plays proved nothing, %" PRIu64
           " times a SHOULD was not followed, %zu findings not confirmed; seed %" PRIu64 "; results: %s\n",
           status.disturbed, status.deviations, status.doubted, fuzz->seed, fuzz->out);
}

static int write_reports(struct fuzz *fuzz)
{
    char path[4096], error[600];
    struct results *results = results_read(fuzz->out, error, sizeof error);
    int code = EXIT_OK;
    if (!results) {
        cli_error("fuzz", "%s", error);
        return EXIT_UNABLE;
    }
    for (enum report_format format = 0; format < REPORT_COUNT && code == EXIT_OK; format++) {
        snprintf(path, sizeof path, "%s/%s", fuzz->out, report_file_name(format));
        if (!fuzz->reports[format] || report_write(results, format, path, error, sizeof error) == 0)
            continue;
        cli_error("fuzz", "%s", error);
        code = EXIT_UNABLE;
    }
    results_free(results);
    return code;
}

static int conclude(struct fuzz *fuzz, enum campaign_end end, const char *why)
{
    struct campaign_status status;
    campaign_status(fuzz->campaign, &status);
    print_end(fuzz);
    if (end == CAMPAIGN_DONE && results_writer_end(fuzz->writer, status.elapsed_ns) < 0) {
        cli_error("fuzz", "%s", results_writer_error(fuzz->writer));
        end = CAMPAIGN_UNABLE;
    } else if (end == CAMPAIGN_UNABLE) {
        cli_error("fuzz", "%s; what was found before is in %s", why, fuzz->out);
    } else if (end == CAMPAIGN_INTERRUPTED) {
        cli_error("fuzz", "interrupted; what was found is in %s, and the same command goes on with its corpus", fuzz->out);
    }
    results_writer_close(fuzz->writer);
    fuzz->writer = NULL;
    const int reported = end == CAMPAIGN_UNABLE ? EXIT_UNABLE : write_reports(fuzz);
    if (end == CAMPAIGN_INTERRUPTED)
        return EXIT_INTERRUPTED;
    return reported != EXIT_OK ? reported : status.findings || fuzz->unsaved || fuzz->deaths ? EXIT_TESTS_FAILED : EXIT_OK;
}

static int search(struct fuzz *fuzz)
{
    char error[1024] = "";
    struct campaign_config config = {
        .side_count = fuzz->targets[1] ? 2 : 1, .seed = fuzz->seed, .runs_max = fuzz->runs, .time_max_ns = (int64_t)fuzz->time_s * 1000000000,
        .jobs = (unsigned)fuzz->jobs, .steps_max = (unsigned)fuzz->steps, .strict = fuzz->strict, .blind = fuzz->blind,
        .corpus = fuzz->shrink ? NULL : fuzz->corpus ? fuzz->corpus : fuzz->own_corpus, .apart = fuzz->apart,
        .out = fuzz->out, .seeds = fuzz->seeds, .seed_count = fuzz->seed_count, .writer = fuzz->writer, .interrupted = &cli_interrupted,
        .say = on_say, .found = on_found, .unsaved = on_unsaved, .status = on_status, .context = fuzz,
    };
    for (unsigned i = 0; i < config.side_count; i++)
        config.sides[i] = (struct campaign_side){.driver = fuzz->named[i].driver, .argument = fuzz->named[i].argument, .name = fuzz->targets[i],
                                                 .ledger = fuzz->ledgers[i]};
    cli_catch_interrupts();
    fuzz->campaign = campaign_new(&config, error, sizeof error);
    if (!fuzz->campaign) {
        cli_error("fuzz", "%s", error);
        return EXIT_UNABLE;
    }
    const enum campaign_end end = campaign_run(fuzz->campaign, error, sizeof error);
    return conclude(fuzz, end, error);
}

/* ---- what others left behind */

static struct trial trial_of(const struct fuzz *fuzz)
{
    return (struct trial){.driver = fuzz->named[0].driver, .argument = fuzz->named[0].argument, .seed = fuzz->seed, .strict = fuzz->strict,
                          .interrupted = &cli_interrupted};
}

/* True when it is a death, and all is done; *failed when it could not be kept. */
static bool keep_death(struct fuzz *fuzz, const struct apart_outcome *outcome, const struct shrink_input *input, bool *failed)
{
    const struct trial trial = trial_of(fuzz);
    const struct finding_store store = {.out = fuzz->out, .target = fuzz->targets[0], .suffix = "", .ledger = fuzz->ledgers[0], .writer = fuzz->writer};
    const struct campaign_side side = {.name = fuzz->targets[0]};
    struct finding finding;
    char error[600], *text;
    if (!outcome->finding_count || (strcmp(outcome->findings[0].rule, "crash") && strcmp(outcome->findings[0].rule, "hang")))
        return false;
    const struct fuzz_finding found = apart_finding(&outcome->findings[0]);
    finding_begin(&finding, &found, input);
    *failed = finding_keep_death(&finding, &store, fuzz->apart, &trial, &text, error, sizeof error) != 0;
    if (*failed)
        on_unsaved(fuzz, &finding, text ? text : "", error);
    else
        on_found(fuzz, &side, &finding);
    fuzz->deaths++;
    free(text);
    return true;
}

static int read_file(const char *path, struct shrink_input *input)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        cli_error("fuzz", "%s: %s", path, strerror(errno));
        return EXIT_USAGE;
    }
    input->len = fread(input->octets, 1, sizeof input->octets, file);
    fclose(file);
    return EXIT_OK;
}

/* What kills is done with here; the rest is for a campaign that plays nothing else. */
static int sort_file(struct fuzz *fuzz, const char *path)
{
    struct shrink_input *input = &fuzz->seeds[fuzz->seed_count];
    bool failed = false;
    int code = read_file(path, input);
    if (code != EXIT_OK)
        return code;
    if (!fuzz->apart) {
        fuzz->seed_count++;
        return EXIT_OK;
    }
    const struct apart_outcome *outcome = apart_play(fuzz->apart, input);
    if (!outcome || outcome->unable) {
        cli_error("fuzz", "%s: %s", path, outcome ? outcome->how : strerror(errno));
        return EXIT_UNABLE;
    }
    if (keep_death(fuzz, outcome, input, &failed))
        return failed ? EXIT_UNABLE : EXIT_OK;
    if (outcome->finding_count == 0)
        printf("%s: nothing is found in a play of it on %s\n", path, fuzz->targets[0]);
    fuzz->seed_count += outcome->finding_count != 0;
    return EXIT_OK;
}

static int take_files(struct fuzz *fuzz)
{
    const struct trial trial = trial_of(fuzz);
    int code = EXIT_OK;
    fuzz->seeds = calloc((size_t)fuzz->file_count, sizeof *fuzz->seeds);
    if (fuzz->named[0].driver->virtual_time)
        fuzz->apart = apart_new(&trial);
    if (!fuzz->seeds || (fuzz->named[0].driver->virtual_time && !fuzz->apart)) {
        cli_error("fuzz", "out of memory");
        return EXIT_UNABLE;
    }
    for (int i = 0; i < fuzz->file_count && code == EXIT_OK; i++)
        code = sort_file(fuzz, fuzz->files[i]);
    fuzz->runs = fuzz->seed_count;
    return code;
}

static int make_findings(struct fuzz *fuzz)
{
    int code = take_files(fuzz);
    if (code != EXIT_OK)
        return code;
    if (fuzz->seed_count)
        return search(fuzz);
    if (results_writer_end(fuzz->writer, 0) < 0) {
        cli_error("fuzz", "%s", results_writer_error(fuzz->writer));
        return EXIT_UNABLE;
    }
    results_writer_close(fuzz->writer);
    fuzz->writer = NULL;
    code = write_reports(fuzz);
    return code != EXIT_OK ? code : fuzz->deaths ? EXIT_TESTS_FAILED : EXIT_OK;
}

static int prepare(struct fuzz *fuzz)
{
    int code = EXIT_OK;
    for (unsigned i = 0; i < CAMPAIGN_SIDES && fuzz->targets[i] && code == EXIT_OK; i++)
        code = find_target(fuzz, i);
    if (code == EXIT_OK)
        code = check_folder(fuzz);
    for (unsigned i = 0; i < CAMPAIGN_SIDES && fuzz->targets[i] && code == EXIT_OK; i++)
        code = ask_target(fuzz, i);
    if (code == EXIT_OK)
        code = load_seeds(fuzz);
    if (code == EXIT_OK && asprintf(&fuzz->own_corpus, "%s/corpus", fuzz->out) < 0) {
        cli_error("fuzz", "out of memory");
        code = EXIT_UNABLE;
    }
    return code;
}

int command_fuzz(int argc, char **argv)
{
    struct fuzz fuzz = {.targets = {"reference"}, .out = "tcpassay-fuzz", .reports = {[REPORT_JSON] = true}};
    int code = parse_arguments(&fuzz, argc, argv);
    if (code != EXIT_OK)
        return code < 0 ? EXIT_OK : code;
    fuzz.terminal = terminal_is_live(stdout) && !fuzz.quiet;
    if (fuzz.shrink && !fuzz.seed_given)
        fuzz.seed = 1; /* as the harnesses */
    else if (!fuzz.seed_given && getrandom(&fuzz.seed, sizeof fuzz.seed, 0) > 0)
        fuzz.seed >>= 33; /* short enough to type again */
    code = prepare(&fuzz);
    if (code == EXIT_OK && !fuzz.quiet && !fuzz.shrink)
        printf("seed %" PRIu64 "; Ctrl-C ends it%s, and keeps everything\n", fuzz.seed, fuzz.time_s || fuzz.runs ? " earlier" : "");
    if (code == EXIT_OK)
        code = fuzz.shrink ? make_findings(&fuzz) : search(&fuzz);
    campaign_free(fuzz.campaign);
    results_writer_close(fuzz.writer);
    for (unsigned i = 0; i < CAMPAIGN_SIDES; i++) {
        if (fuzz.ledgers[i])
            ledger_free(fuzz.ledgers[i]);
        cli_target_release(&fuzz.named[i]);
    }
    apart_free(fuzz.apart);
    free(fuzz.seeds);
    free(fuzz.own_corpus);
    return code;
}

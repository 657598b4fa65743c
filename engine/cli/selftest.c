/* `tcpassay selftest`: shows that each test can fail, by playing it on the reference stack broken in the ways that it says it would
 * notice. The rules of the model are held to the same proof in selftest_rules.c.
 *
 * A play is a test (a sub-test of a scenario) with a fault. First every test is played on the reference stack as it is: one that
 * does not pass there shows nothing. Then, fault by fault, on saboteur:FAULT,reference. It is killed when it fails; a SHOULD not
 * followed and a MAY seen otherwise count (plays are strict); `inconclusive` and `not_applicable` do not, for then the fault kept
 * the test from getting to its point. Such a play is played again with a fault that begins later, FAULT@2, FAULT@3 …, until the
 * preamble gets through.
 *
 * What must hold, of a scenario in one IP version: each of its sub-tests is killed by one of its faults at least, and each of its
 * faults kills one of its sub-tests at least. Without a table that is every play. With one, a fault need not be noticed in the rows
 * that it has nothing to do with. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/cli/selftest.h"
#include "engine/cli/terminal.h"
#include "targets/saboteur/saboteur.h"
#include "targets/tap/closest.h"

static const char help_text[] =
    "usage: tcpassay selftest [SELECTOR…] [OPTION]…\n"
    "       tcpassay selftest --rules [SELECTOR…] [OPTION]…\n"
    "       tcpassay selftest --faults\n"
    "\n"
    "Plays each test on the reference stack, sabotaged by each fault that its killed-by names: it must fail. A survivor, and a test that names no\n"
    "fault, is an error. A fault may be NAME@N, which spares the first N-1 segments that it is about; where one keeps a test from getting through\n"
    "its preamble, that is done for it. Of a table, each row must be killed by one of the faults, and each fault must kill one of the rows.\n"
    "\n"
    "Then, without selectors, the rules of the model: each of level MUST, MUST NOT or RULE must be reported by the model alone, whatever the scenario\n"
    "expects, under the faults and in the tests that the suite's table rules.tsv names for it; and no rule without a fault.\n"
    "\n"
    "      --rules         only the rules of the model\n"
    "      --fault NAME    only this fault (may be given several times)\n"
    "      --all-faults    each test with each fault, as a table of tab-separated values: for choosing what killed-by should name; with --rules, which\n"
    "                      rules each fault breaks, in how many plays and in which test best: for rules.tsv\n"
    "      --faults        lists the faults there are\n"
    "      --seed N        default: 1\n"
    "      --suite DIR     other tests than the program's own\n"
    "  -o, --out FILE      the table of all plays, tab-separated (default with --all-faults: standard output)\n"
    "  -h, --help\n"
    "\n"
    "Exit status: 0 every test fails under the faults it names, and every rule is seen broken · 1 a survivor, a test or rule without a fault, or a test that does not\n"
    "pass unsabotaged ·\n"
    "2 usage, a bad scenario, or an unknown fault · 3 the tester could not work · 130 interrupted\n";

enum { OPT_FAULT = 256, OPT_ALL_FAULTS, OPT_FAULTS, OPT_SEED, OPT_SUITE, OPT_RULES };

static const struct option options[] = {
    {"fault", required_argument, NULL, OPT_FAULT}, {"all-faults", no_argument, NULL, OPT_ALL_FAULTS}, {"faults", no_argument, NULL, OPT_FAULTS},
    {"seed", required_argument, NULL, OPT_SEED},   {"suite", required_argument, NULL, OPT_SUITE},     {"out", required_argument, NULL, 'o'},
    {"rules", no_argument, NULL, OPT_RULES},       {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

struct play {
    const struct suite_test *test;
    const char *fault;          /* "" for none; "NAME" or "NAME@N" */
    unsigned from;              /* played as FAULT@from; 0: as fault says */
    enum verdict verdict;
    bool done, noticed;         /* noticed: something the RFC does not want was seen */
    char *reason;
};

struct selftest {
    const char *faults[SELFTEST_FAULTS_MAX]; /* of --fault; with --all-faults and none, all there are */
    size_t fault_count;
    bool all_faults, rules, whole_suite;
    uint64_t seed;
    const char *out, *suite_folder;
    FILE *words;                /* where sentences go: beside a table on standard output, to standard error */
    struct suite suite;
    const struct suite_test **tests;
    size_t test_count;
    struct play *plain, *plays; /* unsabotaged, one for each test; sabotaged, ordered by fault */
    size_t play_count, play_capacity;
    size_t unkillable, unknown, broken_plain;
    /* while a schedule runs */
    struct play **current;
    size_t current_count, next;
};

/* ---- the list of faults */

void cli_list_faults(FILE *out)
{
    enum saboteur_group group = SABOTEUR_GROUP_COUNT;
    for (size_t i = 0; i < saboteur_fault_count(); i++) {
        struct saboteur_fault fault = saboteur_fault_at(i);
        if (fault.group != group)
            fprintf(out, "%s%s:\n", i ? "\n" : "", saboteur_group_text(fault.group));
        group = fault.group;
        fprintf(out, "  %-26s %s\n", fault.name, fault.says);
    }
}

const char *selftest_suggestion(const char *typed, char out[static SELFTEST_HINT_MAX])
{
    const char *names[SELFTEST_FAULTS_MAX];
    size_t count = saboteur_fault_count();
    *out = '\0';
    for (size_t i = 0; i < count && i < SELFTEST_FAULTS_MAX; i++)
        names[i] = saboteur_fault_at(i).name;
    const char *closest = closest_word(typed, names, count < SELFTEST_FAULTS_MAX ? count : SELFTEST_FAULTS_MAX);
    if (closest)
        snprintf(out, SELFTEST_HINT_MAX, "; did you mean \"%s\"?", closest);
    return out;
}

/* ---- what is to be played */

/* Does --fault ask for it? "ack-dropped" asks for "ack-dropped@2", too. */
static bool is_asked_for(const struct selftest *s, const char *fault)
{
    for (size_t i = 0; i < s->fault_count; i++) {
        size_t len = strlen(s->faults[i]);
        if (!strncmp(s->faults[i], fault, len) && (fault[len] == '\0' || fault[len] == '@'))
            return true;
    }
    return s->fault_count == 0;
}

static int add_play(struct selftest *s, const struct suite_test *test, const char *fault)
{
    if (s->play_count == s->play_capacity) {
        size_t capacity = s->play_capacity ? 2 * s->play_capacity : 1024;
        struct play *grown = realloc(s->plays, capacity * sizeof *grown);
        if (!grown) {
            cli_error("selftest", "out of memory");
            return EXIT_UNABLE;
        }
        s->plays = grown;
        s->play_capacity = capacity;
    }
    s->plays[s->play_count++] = (struct play){.test = test, .fault = fault};
    return EXIT_OK;
}

static int add_plays_of_test(struct selftest *s, const struct suite_test *test)
{
    const struct scenario *scenario = test->file->scenario;
    int code = EXIT_OK;
    for (size_t i = 0; s->all_faults && i < s->fault_count && code == EXIT_OK; i++)
        code = add_play(s, test, s->faults[i]);
    for (unsigned i = 0; !s->all_faults && i < scenario->killed_by_count && code == EXIT_OK; i++)
        if (saboteur_fault_exists(scenario->killed_by[i]) && is_asked_for(s, scenario->killed_by[i]))
            code = add_play(s, test, scenario->killed_by[i]);
    return code;
}

/* What is wrong with the front matter: told once a file. */
static void check_killed_by(struct selftest *s, const struct suite_test *test, const struct suite_test *before)
{
    const struct scenario *scenario = test->file->scenario;
    char hint[SELFTEST_HINT_MAX];
    if (s->all_faults || (before && before->file == test->file))
        return;
    if (scenario->killed_by_count == 0) {
        fprintf(s->words, "NO FAULT  %s  killed-by names none: a test that cannot fail is a defect\n", test->file->id);
        s->unkillable++;
    }
    for (unsigned i = 0; i < scenario->killed_by_count; i++)
        if (!saboteur_fault_exists(scenario->killed_by[i])) {
            fprintf(s->words, "UNKNOWN   %s  there is no fault \"%s\"%s\n", test->file->id, scenario->killed_by[i],
                    selftest_suggestion(scenario->killed_by[i], hint));
            s->unknown++;
        }
}

static int by_fault(const void *a, const void *b)
{
    const struct play *left = a, *right = b;
    int order = strcmp(left->fault, right->fault);
    return order ? order : strverscmp(left->test->id, right->test->id);
}

static int plan(struct selftest *s)
{
    int code = EXIT_OK;
    for (size_t i = 0; i < s->test_count && code == EXIT_OK; i++) {
        check_killed_by(s, s->tests[i], i ? s->tests[i - 1] : NULL);
        if (s->plain[i].verdict == VERDICT_PASS && !s->plain[i].noticed)
            code = add_plays_of_test(s, s->tests[i]);
    }
    if (s->play_count)
        qsort(s->plays, s->play_count, sizeof *s->plays, by_fault);
    return code; /* a test has one play with each fault: s->current has room for those of one fault */
}

/* ---- playing */

static int on_finished(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct selftest *s = context;
    (void)player;
    while (s->next < s->current_count && s->current[s->next]->test != test)
        s->next++;
    if (s->next == s->current_count)
        return -1;
    struct play *play = s->current[s->next++];
    play->done = true;
    play->verdict = result->verdict;
    play->noticed = result->verdict == VERDICT_FAIL || (result->verdict == VERDICT_PASS && result->finding_count);
    free(play->reason);
    play->reason = strdup(result->reason ? result->reason : "");
    return play->reason ? 0 : -1;
}

int selftest_play(const struct selftest_plays *plays)
{
    struct target_error error = {0};
    char target[2 * SELFTEST_FAULT_TEXT_MAX];
    struct schedule schedule = {.tests = plays->tests, .test_count = plays->test_count, .seed = plays->seed, .strict = true, .judged = plays->judged,
                                .disruption_allowed = true, .interrupted = &cli_interrupted, .finished = plays->finished, .context = plays->context};
    if (plays->fault)
        snprintf(target, sizeof target, "saboteur:%s,%s", plays->fault, SELFTEST_WRAPPED);
    schedule.driver = cli_find_driver(plays->fault ? target : SELFTEST_WRAPPED, &schedule.argument);
    enum schedule_end end = schedule.driver ? schedule_run(&schedule, &error) : SCHEDULE_STOPPED;
    if (end == SCHEDULE_DONE)
        return EXIT_OK;
    if (end == SCHEDULE_INTERRUPTED)
        return EXIT_INTERRUPTED;
    cli_error("selftest", "target %s: %s", plays->fault ? target : SELFTEST_WRAPPED, end == SCHEDULE_FAILED ? error.text : "out of memory");
    return EXIT_UNABLE;
}

/* Of the state×event matrix, which expects nothing itself, the model is put to the proof. */
static bool is_only_matrix(const struct selftest *s)
{
    for (size_t i = 0; i < s->test_count; i++)
        if (!cli_is_matrix(s->tests[i]->id))
            return false;
    return true;
}

/* Plays s->current, all with one fault. The model is off: a scenario's own expectations are put to the proof. */
static int play_current(struct selftest *s, const char *fault)
{
    const struct suite_test **tests = calloc(s->current_count + 1, sizeof *tests);
    s->next = 0;
    for (size_t i = 0; tests && i < s->current_count; i++)
        tests[i] = s->current[i]->test;
    if (!tests) {
        cli_error("selftest", "out of memory");
        return EXIT_UNABLE;
    }
    int code = selftest_play(&(struct selftest_plays){.fault = fault, .tests = tests, .test_count = s->current_count, .seed = s->seed,
                                                      .judged = is_only_matrix(s),
                                                      .finished = on_finished, .context = s});
    free(tests);
    return code;
}

static int play_plain(struct selftest *s)
{
    s->plain = calloc(s->test_count + 1, sizeof *s->plain);
    s->current = calloc(s->test_count + 1, sizeof(struct play *));
    if (!s->plain || !s->current) {
        cli_error("selftest", "out of memory");
        return EXIT_UNABLE;
    }
    for (s->current_count = 0; s->current_count < s->test_count; s->current_count++) {
        s->plain[s->current_count] = (struct play){.test = s->tests[s->current_count], .fault = ""};
        s->current[s->current_count] = &s->plain[s->current_count];
    }
    int code = play_current(s, NULL);
    for (size_t i = 0; i < s->test_count && code == EXIT_OK; i++)
        if (s->plain[i].verdict != VERDICT_PASS || s->plain[i].noticed) {
            fprintf(s->words, "NO PASS   %s  unsabotaged already: %s: %s\n", s->plain[i].test->id,
                    verdict_text(s->plain[i].verdict), s->plain[i].reason);
            s->broken_plain++;
        }
    return code;
}

bool selftest_later_fault(const char *name, unsigned n, char out[static SELFTEST_FAULT_TEXT_MAX])
{
    snprintf(out, SELFTEST_FAULT_TEXT_MAX, "%s@%u", name, n);
    return !strchr(name, '@') && saboteur_fault_exists(out);
}

/* The fault as it was played, "ack-dropped@3", into out, which is returned. */
static const char *played_fault(const struct play *play, char out[static SELFTEST_FAULT_TEXT_MAX])
{
    snprintf(out, SELFTEST_FAULT_TEXT_MAX, play->from ? "%s@%u" : "%s", play->fault, play->from);
    return out;
}

/* Does it go on with a fault that begins later? */
static bool is_undecided(const struct play *play)
{
    char later[SELFTEST_FAULT_TEXT_MAX];
    bool before_the_point = play->verdict == VERDICT_INCONCLUSIVE || play->verdict == VERDICT_NOT_APPLICABLE;
    return play->done && before_the_point && selftest_later_fault(play->fault, 2, later);
}

/* The plays from first to end, of one fault: as the scenario says, then later and later where the preamble did not get through. */
static int play_fault(struct selftest *s, size_t first, size_t end)
{
    char fault[SELFTEST_FAULT_TEXT_MAX];
    int code = EXIT_OK;
    for (unsigned from = 1; from <= SELFTEST_LATEST_BEGINNING && code == EXIT_OK; from++) {
        s->current_count = 0;
        for (size_t i = first; i < end; i++)
            if (from == 1 || is_undecided(&s->plays[i])) {
                s->plays[i].from = from == 1 ? 0 : from;
                s->current[s->current_count++] = &s->plays[i];
            }
        if (s->current_count == 0)
            break;
        code = play_current(s, played_fault(s->current[0], fault));
    }
    return code;
}

void selftest_progress(const char *what, size_t done, size_t all)
{
    if (!terminal_is_live(stderr))
        return;
    if (what)
        fprintf(stderr, "\r\033[K[%zu/%zu] %s", done, all, what);
    else
        fputs("\r\033[K", stderr);
}

static int play_sabotaged(struct selftest *s)
{
    int code = EXIT_OK;
    for (size_t first = 0, end; first < s->play_count && code == EXIT_OK; first = end) {
        selftest_progress(s->plays[first].fault, first, s->play_count);
        for (end = first; end < s->play_count && !strcmp(s->plays[end].fault, s->plays[first].fault); end++)
            ;
        code = play_fault(s, first, end);
    }
    selftest_progress(NULL, 0, 0);
    return code;
}

/* ---- the outcome */

void selftest_put_field(FILE *out, const char *text, char after)
{
    for (; *text; text++)
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    fputc(after, out);
}

static int write_table(const struct selftest *s)
{
    char fault[SELFTEST_FAULT_TEXT_MAX];
    FILE *out = s->out ? fopen(s->out, "w") : stdout;
    if (out)
        fputs("test\tfault\tkilled\tverdict\treason\n", out);
    for (size_t i = 0; out && i < s->play_count; i++) {
        const struct play *play = &s->plays[i];
        if (!play->done)
            continue;
        selftest_put_field(out, play->test->id, '\t');
        selftest_put_field(out, played_fault(play, fault), '\t');
        selftest_put_field(out, play->noticed ? "yes" : "no", '\t');
        selftest_put_field(out, verdict_text(play->verdict), '\t');
        selftest_put_field(out, play->reason, '\n');
    }
    bool bad = !out || fflush(out) || ferror(out);
    if (out && out != stdout)
        bad |= fclose(out) != 0;
    if (bad)
        cli_error("selftest", "cannot write %s: %m", s->out ? s->out : "standard output");
    return bad ? EXIT_UNABLE : EXIT_OK;
}

static uint8_t ip_version_of(const struct suite_test *test)
{
    struct scn_variant variant;
    struct scn_value values[SCN_VARIABLES_MAX + 1];
    scn_variant(test->file->scenario, test->variant, &variant, values);
    return variant.ip_version;
}

/* Is there a kill by another fault of the same test, and one by the same fault in another row? Plays are ordered by fault, then by
 * test. */
static bool is_excused(const struct selftest *s, const struct play *survivor)
{
    bool test_killed = false, fault_kills = false;
    for (size_t i = 0; i < s->play_count && !(test_killed && fault_kills); i++) {
        const struct play *play = &s->plays[i];
        if (!play->noticed || play->test->file != survivor->test->file)
            continue;
        test_killed |= play->test == survivor->test;
        fault_kills |= !strcmp(play->fault, survivor->fault) && ip_version_of(play->test) == ip_version_of(survivor->test);
    }
    return test_killed && fault_kills;
}

static void print_survivor(const struct play *play)
{
    char fault[SELFTEST_FAULT_TEXT_MAX];
    printf("SURVIVED  %s  %s  %s%s%s\n", play->test->id, played_fault(play, fault), verdict_text(play->verdict), *play->reason ? ": " : "",
           play->reason);
}

/* Is there a play in which this fault, with or without @N, was noticed? */
static bool kills_something(const struct selftest *s, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < s->play_count; i++)
        if (s->plays[i].noticed && !strncmp(s->plays[i].fault, name, len) &&
            (s->plays[i].fault[len] == '\0' || s->plays[i].fault[len] == '@'))
            return true;
    return false;
}

static void print_idle_faults(const struct selftest *s)
{
    size_t idle = 0, count = 0;
    for (size_t i = 0; i < saboteur_fault_count(); i++) {
        const char *name = saboteur_fault_at(i).name;
        count += is_asked_for(s, name);
        if (!is_asked_for(s, name) || kills_something(s, name))
            continue;
        printf("%s%s", idle++ ? ", " : "faults that kill nothing: ", name);
    }
    if (idle)
        printf(" (%zu of %zu)\n", idle, count);
}

static int conclude(struct selftest *s)
{
    size_t kills = 0, survivors = 0, excused = 0;
    for (size_t i = 0; i < s->play_count; i++) {
        const struct play *play = &s->plays[i];
        bool survived = play->done && !play->noticed, is_error = survived && !s->all_faults && !is_excused(s, play);
        kills += play->noticed;
        survivors += is_error;
        excused += survived && !is_error;
        if (is_error)
            print_survivor(play);
    }
    if (s->all_faults || s->out) {
        int code = write_table(s);
        if (s->all_faults || code != EXIT_OK)
            return code;
    }
    if (s->whole_suite)
        print_idle_faults(s);
    printf(
        "%zu tests, %zu faults, %zu kills; %zu survivors (and %zu in rows of tables that another fault kills), %zu tests that do not pass "
           "unsabotaged, %zu scenarios that name no fault, %zu names that are unknown\n",
           s->test_count, saboteur_fault_count(), kills, survivors, excused, s->broken_plain, s->unkillable, s->unknown);
    if (survivors || s->broken_plain || s->unkillable)
        return EXIT_TESTS_FAILED;
    return s->unknown ? EXIT_USAGE : EXIT_OK;
}

static int prove_tests(struct selftest *s)
{
    int code = play_plain(s);
    if (code == EXIT_OK && (code = plan(s)) == EXIT_OK)
        code = play_sabotaged(s);
    if (code == EXIT_UNABLE)
        return code;
    int outcome = conclude(s);
    return code != EXIT_OK ? code : outcome;
}

/* A suite that is not the program's own need not say what breaks the model's rules. */
static bool has_table(const struct selftest *s)
{
    char path[4096];
    return !s->suite_folder ||
           ((size_t)snprintf(path, sizeof path, "%s/rules.tsv", s->suite_folder) < sizeof path && access(path, R_OK) == 0);
}

static int prove_rules(const struct selftest *s, const char *out)
{
    const struct selftest_rules rules = {.suite_folder = s->suite_folder, .tests = s->tests, .test_count = s->test_count,
                                         .whole_suite = s->whole_suite, .seed = s->seed, .words = s->words, .out = out};
    return s->all_faults ? selftest_rules_search(&rules, s->faults, s->fault_count) : selftest_rules_check(&rules);
}

static int run(struct selftest *s, char *const *selectors, int selector_count)
{
    unsigned broken = 0;
    int code = cli_load_suite("selftest", s->suite_folder, selectors, selector_count, &s->suite, &broken);
    if (code == EXIT_OK)
        code = cli_select_tests("selftest", &s->suite, selectors, selector_count, SCN_SOAK, &s->tests, &s->test_count);
    if (code != EXIT_OK)
        return code;
    s->whole_suite = selector_count == 0;
    s->words = s->all_faults && !s->out ? stderr : stdout;
    cli_catch_interrupts();
    code = s->rules ? prove_rules(s, s->out) : prove_tests(s);
    if (code == EXIT_OK && !s->rules && s->whole_suite && !s->all_faults && s->fault_count == 0 && has_table(s))
        code = prove_rules(s, NULL);
    return code == EXIT_OK && broken ? EXIT_USAGE : code;
}

static void release(struct selftest *s)
{
    for (size_t i = 0; i < s->play_count; i++)
        free(s->plays[i].reason);
    for (size_t i = 0; s->plain && i < s->test_count; i++)
        free(s->plain[i].reason);
    free(s->plays);
    free(s->plain);
    free(s->current);
    free(s->tests);
    suite_release(&s->suite);
}

/* ---- arguments */

static int add_fault(struct selftest *s, const char *name)
{
    char hint[SELFTEST_HINT_MAX];
    if (!saboteur_fault_exists(name))
        return cli_usage_error("selftest", "there is no fault \"%s\"%s", name, selftest_suggestion(name, hint));
    if (s->fault_count == SELFTEST_FAULTS_MAX)
        return cli_usage_error("selftest", "more than %d faults", SELFTEST_FAULTS_MAX);
    s->faults[s->fault_count++] = name;
    return EXIT_OK;
}

/* -1: go on. */
static int parse_arguments(struct selftest *s, int argc, char **argv)
{
    int code = EXIT_OK;
    opterr = 0;
    optind = 0;
    for (int option; code == EXIT_OK && (option = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        switch (option) {
        case OPT_FAULT: code = add_fault(s, optarg); break;
        case OPT_ALL_FAULTS: s->all_faults = true; break;
        case OPT_RULES: s->rules = true; break;
        case OPT_FAULTS: cli_list_faults(stdout); return EXIT_OK;
        case OPT_SUITE: s->suite_folder = optarg; break;
        case 'o': s->out = optarg; break;
        case OPT_SEED:
            if (!cli_parse_number(optarg, 0, INT64_MAX, &s->seed))
                return cli_usage_error("selftest", "--seed takes a number, not \"%s\"", optarg);
            break;
        case 'h': fputs(help_text, stdout); return EXIT_OK;
        default: return cli_usage_error("selftest", "option %s is unknown, or lacks its value", argv[optind - 1]);
        }
    }
    bool every = s->all_faults && s->fault_count == 0;
    for (size_t i = 0; every && code == EXIT_OK && i < saboteur_fault_count(); i++)
        code = add_fault(s, saboteur_fault_at(i).name);
    return code == EXIT_OK ? -1 : code;
}

int command_selftest(int argc, char **argv)
{
    struct selftest s = {.seed = 1};
    int code = parse_arguments(&s, argc, argv);
    if (code < 0) {
        code = run(&s, argv + optind, argc - optind);
        release(&s);
    }
    return code;
}

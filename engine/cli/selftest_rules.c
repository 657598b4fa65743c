/* The rules of the model held to the proof: each must be seen broken by the model alone.
 *
 * A row of the table (rules.tsv, beside the scenarios) says: under this fault, in this test, the model reports this rule. The play
 * itself goes on as the scenario says, but what the scenario expects counts for nothing here, pass or fail: only what the judge
 * reports does. Every rule of level MUST, MUST NOT or RULE needs a row; of one without, nobody knows that it can be broken at all.
 * The finding must be charged to one of the rule's requirements, and the test as it is, on the stack as it is, must have no finding
 * of the model: so all of the suite is played unsabotaged as well, which also shows the rules whose condition never comes true in
 * it. A row with "-" for a fault says, in place of a test, why there is none; one with "idle", why the reference stack as it is
 * gives the rule no occasion.
 *
 * The search plays every test with every fault, for choosing rows: it writes, for each rule and fault, in how many plays the rule
 * was reported, and the test with the fewest other rules beside it. A fault that keeps a test from getting through its preamble is
 * put off, as in selftest.c; each is tried with a few later beginnings anyway. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cli/selftest.h"
#include "engine/model/judge.h"
#include "targets/saboteur/saboteur.h"

enum { BEGINNINGS_OF_ALL = 3 }; /* a search plays every test with FAULT, @2 and @3: what comes first may hide what comes later */

static const char table_head[] = "rule\tfault\ttest";

struct row { /* texts lie in matrix.text */
    enum rule_id rule;
    const char *fault; /* "-": there is none; "idle": nothing fires the rule as things are … */
    const char *why;   /* … for this reason; else the test's id */
    const struct suite_test *test;
    unsigned line;
    bool found, charged_rightly;
};

struct matrix {
    const struct selftest_rules *what;
    char *path, *text;
    struct row *rows;
    size_t row_count;
    unsigned bad_rows, false_alarms;
    uint64_t tested[RULE_COUNT]; /* unsabotaged */
    struct row *current;         /* those of one fault, while they are played */
    size_t current_count;
};

/* ---- findings of the model */

/* Is this the model's, and of which rule? */
static bool is_of_model(const struct result_finding *finding, enum rule_id *out)
{
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (!strcmp(rule_at((enum rule_id)i)->name, finding->rule)) {
            *out = (enum rule_id)i;
            return true;
        }
    return false;
}

static bool is_obligatory(enum rule_id rule)
{
    enum requirement_level level = rule_at(rule)->level;
    return level != LEVEL_MAY && !requirement_level_is_should(level);
}

static bool stands_for(enum rule_id rule, const char *requirement)
{
    char id[RULE_REQUIREMENT_MAX];
    for (unsigned i = 0; rule_requirement(rule_at(rule), i, id); i++)
        if (!strcmp(id, requirement))
            return true;
    return false;
}

/* ---- the table */

static char *read_file(const char *path)
{
    FILE *in = fopen(path, "r");
    char *text = NULL;
    size_t capacity = 0;
    ssize_t len = in ? getdelim(&text, &capacity, '\0', in) : -1;
    bool bad = !in || ferror(in);
    if (in)
        fclose(in);
    if (bad || len < 0) {
        free(text);
        return bad ? NULL : strdup("");
    }
    return text;
}

static const struct suite_test *find_test(const struct selftest_rules *what, const char *id)
{
    for (size_t i = 0; i < what->test_count; i++)
        if (!strcmp(what->tests[i]->id, id))
            return what->tests[i];
    return NULL;
}

static void complain(struct matrix *m, unsigned line, const char *what, const char *name)
{
    fprintf(m->what->words, "UNKNOWN   %s:%u: there is no %s \"%s\"\n", m->path, line, what, name);
    m->bad_rows++;
}

/* In the place of a fault: as it is, the reference stack gives the rule no occasion. */
static const char idle_mark[] = "idle";

static void add_row(struct matrix *m, unsigned line, char *text)
{
    char *rule_name = strsep(&text, "\t"), *fault = strsep(&text, "\t"), *test_id = strsep(&text, "\t");
    if (!test_id) {
        fprintf(m->what->words, "UNKNOWN   %s:%u: a row is a rule, a fault and a test, with tabs between them\n", m->path, line);
        m->bad_rows++;
        return;
    }
    enum rule_id rule;
    bool none = !strcmp(fault, "-") || !strcmp(fault, idle_mark);
    const struct suite_test *test = none ? NULL : find_test(m->what, test_id);
    if (!m->what->whole_suite && !test)
        return;
    if (!is_of_model(&(struct result_finding){.rule = rule_name}, &rule))
        complain(m, line, "rule", rule_name);
    else if (!none && !saboteur_fault_exists(fault))
        complain(m, line, "fault", fault);
    else if (!none && !test)
        complain(m, line, "test", test_id);
    else
        m->rows[m->row_count++] = (struct row){.rule = rule, .fault = fault, .why = test_id, .test = test, .line = line};
}

static int by_fault(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = strcmp(left->fault, right->fault);
    return order ? order : left->line < right->line ? -1 : 1;
}

static int read_table(struct matrix *m)
{
    size_t lines = 1;
    m->path = NULL;
    if (m->what->suite_folder && asprintf(&m->path, "%s/rules.tsv", m->what->suite_folder) < 0)
        m->path = NULL;
    else if (!m->what->suite_folder)
        m->path = cli_data_path("selftest", "tests-suite/rules.tsv");
    m->text = m->path ? read_file(m->path) : NULL;
    for (const char *at = m->text; at && (at = strchr(at, '\n')); at++)
        lines++;
    m->rows = calloc(lines, sizeof *m->rows);
    if (!m->text || !m->rows) {
        cli_error("selftest", "cannot read the table of rules%s%s: %m", m->path ? ", " : "", m->path ? m->path : "");
        return EXIT_UNABLE;
    }
    char *rest = m->text;
    unsigned line = 0;
    for (char *text; (text = strsep(&rest, "\n"));)
        if (++line > 1 && *text && *text != '#')
            add_row(m, line, text);
    if (strncmp(m->text, table_head, sizeof table_head - 1) != 0) {
        cli_error("selftest", "%s:1: the table of rules begins with the line \"rule, fault, test\", with tabs between them",
                  m->path);
        return EXIT_USAGE;
    }
    qsort(m->rows, m->row_count, sizeof *m->rows, by_fault);
    return EXIT_OK;
}

/* ---- playing it */

static int on_plain(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct matrix *m = context;
    const struct judge_host *host = player ? player_judged(player) : NULL;
    enum rule_id rule;
    for (unsigned i = 0; host && i < RULE_COUNT; i++)
        m->tested[i] += host->coverage.tested[i];
    for (size_t i = 0; i < result->finding_count; i++)
        if (is_of_model(&result->findings[i], &rule)) {
            fprintf(m->what->words, "UNFOUNDED %s  unsabotaged already: %s (rule %s)\n", test->id, result->findings[i].message,
                    rule_at(rule)->name);
            m->false_alarms++;
        }
    return 0;
}

static int on_sabotaged(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct matrix *m = context;
    (void)player;
    for (size_t r = 0; r < m->current_count; r++) {
        struct row *row = &m->current[r];
        for (size_t i = 0; row->test == test && i < result->finding_count; i++)
            if (!strcmp(result->findings[i].rule, rule_at(row->rule)->name)) {
                row->found = true;
                row->charged_rightly = stands_for(row->rule, result->findings[i].requirement);
            }
    }
    return 0;
}

/* A test is played once, however many rows it has. The count afterwards. */
static size_t add_test(const struct suite_test **tests, size_t count, const struct suite_test *test)
{
    for (size_t i = 0; i < count; i++)
        if (tests[i] == test)
            return count;
    tests[count] = test;
    return count + 1;
}

static int play_rows(struct matrix *m)
{
    const struct suite_test **tests = calloc(m->row_count + 1, sizeof *tests);
    int code = tests ? EXIT_OK : EXIT_UNABLE;
    for (size_t first = 0, end; first < m->row_count && code == EXIT_OK; first = end) {
        size_t count = 0;
        for (end = first; end < m->row_count && !strcmp(m->rows[end].fault, m->rows[first].fault); end++)
            if (m->rows[end].test)
                count = add_test(tests, count, m->rows[end].test);
        m->current = &m->rows[first];
        m->current_count = end - first;
        if (count == 0)
            continue;
        code = selftest_play(&(struct selftest_plays){.fault = m->rows[first].fault,
                                                      .tests = tests,
                                                      .test_count = count,
                                                      .seed = m->what->seed,
                                                      .judged = true,
                                                      .finished = on_sabotaged,
                                                      .context = m});
    }
    free(tests);
    return code;
}

/* ---- the outcome */

static bool is_idle(const struct row *row)
{
    return !strcmp(row->fault, idle_mark);
}

/* How many rows of the rule there are; those that were found, if that is asked for. */
static size_t count_rows(const struct matrix *m, enum rule_id rule, bool only_found)
{
    size_t count = 0;
    for (size_t i = 0; i < m->row_count; i++)
        count += m->rows[i].rule == rule && !is_idle(&m->rows[i]) && (m->rows[i].found || !only_found);
    return count;
}

static size_t print_bad_rows(const struct matrix *m)
{
    size_t bad = 0;
    for (size_t i = 0; i < m->row_count; i++) {
        const struct row *row = &m->rows[i];
        if (!row->test && !is_idle(row))
            fprintf(m->what->words, "note: rule %s (%s) is broken by no fault: %s\n", rule_at(row->rule)->name,
                    requirement_level_text(rule_at(row->rule)->level), row->why);
        if (!row->test || (row->found && row->charged_rightly))
            continue;
        fprintf(m->what->words, "%s  %s (%s)  %s  %s\n", row->found ? "CHARGED AMISS" : "UNNOTICED", rule_at(row->rule)->name,
                requirement_level_text(rule_at(row->rule)->level), row->fault, row->test->id);
        bad++;
    }
    return bad;
}

static size_t print_rules_without_fault(const struct matrix *m)
{
    size_t count = 0;
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = rule_at((enum rule_id)i);
        bool obligatory = is_obligatory((enum rule_id)i);
        if (count_rows(m, (enum rule_id)i, false))
            continue;
        fprintf(m->what->words, "%s rule %s (%s) is broken by none that the table names\n",
                obligatory ? "NO FAULT " : "note:", rule->name, requirement_level_text(rule->level));
        count += obligatory;
    }
    return count;
}

/* Why no scenario can fire the rule on the reference stack, or NULL. */
static const char *excuse_of(const struct matrix *m, enum rule_id rule)
{
    for (size_t i = 0; i < m->row_count; i++)
        if (m->rows[i].rule == rule && is_idle(&m->rows[i]))
            return m->rows[i].why;
    return NULL;
}

static size_t print_idle_rules(const struct matrix *m)
{
    size_t idle = 0;
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (m->tested[i] == 0 && excuse_of(m, (enum rule_id)i))
            fprintf(m->what->words, "note: rule %s is fired by no scenario: %s\n", rule_at((enum rule_id)i)->name,
                    excuse_of(m, (enum rule_id)i));
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (m->tested[i] == 0 && !excuse_of(m, (enum rule_id)i))
            fprintf(m->what->words, "%s%s", idle++ ? ", " : "rules that no scenario fires: ", rule_at((enum rule_id)i)->name);
    if (idle)
        fprintf(m->what->words, " (%zu of %d)\n", idle, RULE_COUNT);
    return idle;
}

static int conclude(const struct matrix *m)
{
    size_t broken = 0, bad = print_bad_rows(m), without = m->what->whole_suite ? print_rules_without_fault(m) : 0;
    for (unsigned i = 0; i < RULE_COUNT; i++)
        broken += count_rows(m, (enum rule_id)i, true) > 0;
    if (m->what->whole_suite)
        print_idle_rules(m);
    fprintf(m->what->words, "%d rules of the model, %zu of them broken by a fault and noticed, in %zu plays; ", RULE_COUNT, broken,
            m->row_count);
    fprintf(m->what->words,
            "%zu unnoticed, %zu obligatory rules that no fault breaks, %u findings without a fault, %u rows that mean nothing\n",
            bad, without, m->false_alarms, m->bad_rows);
    if (bad || without || m->false_alarms)
        return EXIT_TESTS_FAILED;
    return m->bad_rows ? EXIT_USAGE : EXIT_OK;
}

/* What was played, and in how many tests as they are each rule's condition came true. */
static int write_rows(const struct matrix *m)
{
    FILE *out = fopen(m->what->out, "w");
    if (out)
        fprintf(out, "%s\tlevel\tnoticed\tfired-unsabotaged\n", table_head);
    for (size_t i = 0; out && i < m->row_count; i++) {
        const struct row *row = &m->rows[i];
        fprintf(out, "%s\t%s\t%s\t%s\t%s\t%" PRIu64 "\n", rule_at(row->rule)->name, row->fault, row->why,
                requirement_level_text(rule_at(row->rule)->level), row->found ? "yes" : "no", m->tested[row->rule]);
    }
    bool bad = !out || ferror(out);
    if (out)
        bad |= fclose(out) != 0;
    if (bad)
        cli_error("selftest", "cannot write %s: %m", m->what->out);
    return bad ? EXIT_UNABLE : EXIT_OK;
}

int selftest_rules_check(const struct selftest_rules *what)
{
    struct matrix m = {.what = what};
    int code = read_table(&m);
    if (code == EXIT_OK)
        code = selftest_play(&(struct selftest_plays){.tests = what->tests,
                                                      .test_count = what->test_count,
                                                      .seed = what->seed,
                                                      .judged = true,
                                                      .finished = on_plain,
                                                      .context = &m});
    if (code == EXIT_OK)
        code = play_rows(&m);
    if (code == EXIT_OK && what->out)
        code = write_rows(&m);
    if (code == EXIT_OK)
        code = conclude(&m);
    free(m.rows);
    free(m.text);
    free(m.path);
    return code;
}

/* ---- the search */

struct cell {                      /* a rule and a fault */
    size_t plays;                  /* in so many the rule was reported */
    const struct suite_test *best; /* the one with the fewest other rules beside it … */
    unsigned company;              /* … so many */
    unsigned from;                 /* played as FAULT@from, 0: as FAULT */
};

struct search {
    const struct selftest_rules *what;
    struct cell *cells; /* of the fault at hand, RULE_COUNT */
    unsigned from;
    const struct suite_test **undecided; /* tests to be played again with a fault that begins later */
    size_t undecided_count;
    FILE *out;
};

static int on_searched(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct search *s = context;
    bool seen[RULE_COUNT] = {false};
    unsigned count = 0;
    enum rule_id rule;
    (void)player;
    for (size_t i = 0; i < result->finding_count; i++)
        if (is_of_model(&result->findings[i], &rule) && !seen[rule]) {
            seen[rule] = true;
            count++;
        }
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        struct cell *cell = &s->cells[i];
        if (!seen[i])
            continue;
        if (cell->plays++ == 0 || count - 1 < cell->company) {
            cell->best = test;
            cell->company = count - 1;
            cell->from = s->from;
        }
    }
    if (result->verdict == VERDICT_INCONCLUSIVE || result->verdict == VERDICT_NOT_APPLICABLE)
        s->undecided[s->undecided_count++] = test;
    return 0;
}

static void write_cells(const struct search *s, const char *fault)
{
    char later[SELFTEST_FAULT_TEXT_MAX];
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const struct cell *cell = &s->cells[i];
        if (!cell->plays)
            continue;
        if (cell->from)
            selftest_later_fault(fault, cell->from, later);
        fprintf(s->out, "%s\t%s\t%s\t%zu\t%u\n", rule_at((enum rule_id)i)->name, cell->from ? later : fault, cell->best->id,
                cell->plays, cell->company);
    }
}

static int search_fault(struct search *s, const char *fault, const struct suite_test **tests)
{
    char text[SELFTEST_FAULT_TEXT_MAX];
    int code = EXIT_OK;
    memset(s->cells, 0, RULE_COUNT * sizeof *s->cells);
    memcpy(tests, s->what->tests, s->what->test_count * sizeof *tests);
    size_t count = s->what->test_count;
    for (unsigned from = 1; from <= SELFTEST_LATEST_BEGINNING && count > 0 && code == EXIT_OK; from++) {
        bool later = from > 1;
        if (later && !selftest_later_fault(fault, from, text))
            break;
        s->from = later ? from : 0;
        s->undecided_count = 0;
        code = selftest_play(&(struct selftest_plays){.fault = later ? text : fault,
                                                      .tests = tests,
                                                      .test_count = count,
                                                      .seed = s->what->seed,
                                                      .judged = true,
                                                      .finished = on_searched,
                                                      .context = s});
        if (from >= BEGINNINGS_OF_ALL) {
            count = s->undecided_count;
            memcpy(tests, s->undecided, count * sizeof *tests);
        }
    }
    write_cells(s, fault);
    return code;
}

int selftest_rules_search(const struct selftest_rules *what, const char *const *faults, size_t fault_count)
{
    struct search s = {.what = what,
                       .cells = calloc(RULE_COUNT, sizeof *s.cells),
                       .undecided = calloc(what->test_count + 1, sizeof *s.undecided),
                       .out = what->out ? fopen(what->out, "w") : stdout};
    const struct suite_test **tests = calloc(what->test_count + 1, sizeof *tests);
    int code = s.cells && s.undecided && tests ? EXIT_OK : EXIT_UNABLE;
    if (s.out)
        fprintf(s.out, "%s\tplays\tother-rules\n", table_head);
    for (size_t i = 0; s.out && i < fault_count && code == EXIT_OK; i++) {
        selftest_progress(faults[i], i, fault_count);
        code = search_fault(&s, faults[i], tests);
    }
    selftest_progress(NULL, 0, 0);
    bool bad = !s.out || fflush(s.out) || ferror(s.out);
    if (s.out && s.out != stdout)
        bad |= fclose(s.out) != 0;
    if (bad)
        cli_error("selftest", "cannot write %s: %m", what->out ? what->out : "standard output");
    free(s.cells);
    free(s.undecided);
    free(tests);
    return bad ? EXIT_UNABLE : code;
}

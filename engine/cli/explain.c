/* `tcpassay explain`: a requirement, a rule of the model, or a test, with everything known of it. */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include "engine/cli/cli.h"
#include "engine/model/rules.h"
#include "targets/tap/closest.h"

static const char help_text[] =
    "usage: tcpassay explain ID\n"
    "\n"
    "ID is a requirement (RFC9293:MUST-10, RFC5961:3.2-a), a test (rfc9293/3.5/…), the beginning of requirement ids (RFC5961:3), or a rule of the\n"
    "model (rule:gap-in-sequence); \"rule:\" alone, or the beginning of a name, lists rules. It may be what another suite calls a test, too\n"
    "(tc8/TCP_CLOSING_03, freebsd/rcv-rst-closed, packetimpact/tcp_linger): what that asks, and what stands for it here; or the beginning of one.\n";

static bool covers(const struct scenario *scenario, const char *id)
{
    for (unsigned i = 0; scenario && i < scenario->cover_count; i++)
        if (!strcmp(scenario->covers[i], id))
            return true;
    return false;
}

static bool stands_for(const struct rule *rule, const char *requirement)
{
    char id[RULE_REQUIREMENT_MAX];
    for (unsigned i = 0; rule_requirement(rule, i, id); i++)
        if (!strcmp(id, requirement))
            return true;
    return false;
}

static void list_rules_of(const char *requirement)
{
    bool any = false;
    for (enum rule_id id = 0; id < RULE_COUNT; id++) {
        const struct rule *rule = rule_at(id);
        if (!stands_for(rule, requirement))
            continue;
        if (!any)
            puts("Judged by the rules of the model:");
        any = true;
        printf("  rule:%s   when %s: %s\n", rule->name, rule->condition, rule->demand);
    }
}

static void explain_rule(const struct rule *rule)
{
    char id[RULE_REQUIREMENT_MAX];
    printf("rule:%s   %s, %s\n\n", rule->name, requirement_level_text(rule->level), rule->section);
    printf("  When %s:\n  %s.\n\n  A stack that breaks it %s.\n\nStands for:\n", rule->condition, rule->demand, rule->violation);
    for (unsigned i = 0; rule_requirement(rule, i, id); i++) {
        const struct requirement *r = requirement_find(id);
        printf("  %s%s%s\n    %s\n", id, r ? "   " : "", r ? requirement_level_text(r->level) : "", r ? r->text : "not in the catalogue");
    }
}

static int explain_rules(const char *name)
{
    const struct rule *exact = *name ? rule_find(name) : NULL;
    if (exact) {
        explain_rule(exact);
        return EXIT_OK;
    }
    const char *names[RULE_COUNT];
    bool any = false;
    for (enum rule_id id = 0; id < RULE_COUNT; id++) {
        const struct rule *rule = rule_at(id);
        names[id] = rule->name;
        if (strncmp(rule->name, name, strlen(name)) != 0)
            continue;
        any = true;
        printf("rule:%-40s %-10s %-22s %s\n", rule->name, requirement_level_text(rule->level), rule->section, rule->demand);
    }
    if (any)
        return EXIT_OK;
    const char *closest = closest_word(name, names, RULE_COUNT);
    return closest ? cli_usage_error("explain", "there is no rule \"%s\"; did you mean rule:%s?", name, closest)
                   : cli_usage_error("explain", "there is no rule \"%s\"; `tcpassay explain rule:` lists them", name);
}

static void explain_requirement(const struct requirement *r, const struct suite *suite)
{
    unsigned tested = 0;
    printf("%s   %s, section %s\n\n  %s\n\n", r->id, requirement_level_text(r->level), r->section, r->text);
    printf("Observable: %s\n", r->observable);
    list_rules_of(r->id);
    for (size_t i = 0; i < suite->file_count; i++) {
        if (!covers(suite->files[i].scenario, r->id))
            continue;
        if (!tested++)
            puts("Tested by:");
        printf("  %s\n    %s\n", suite->files[i].id, suite->files[i].scenario->title ? suite->files[i].scenario->title : "");
    }
    if (!tested)
        puts(requirement_is_testable(r) ? "No test covers it." : "It cannot be tested from outside.");
}

/* The files that a selector of a row means, or that the matrix has them. */
static void list_files_of(const char *selector, const struct suite *suite)
{
    printf("  %s\n", selector);
    if (cli_is_matrix(selector))
        puts("    cases of the state\303\227event matrix, judged by the model");
    for (size_t i = 0; i < suite->file_count; i++) {
        const struct suite_file *file = &suite->files[i];
        bool any = suite_selects_file(selector, file);
        for (size_t t = 0; t < suite->test_count && !any; t++)
            any = suite->tests[t].file == file && suite_selects(selector, &suite->tests[t]);
        if (any)
            printf("    %s\n", file->scenario && file->scenario->title ? file->scenario->title : file->id);
    }
}

static void explain_mapping(const struct mapping *row, const struct suite *suite)
{
    char selector[MAPPING_SELECTOR_MAX];
    printf("%s\n\n  %s\n\nIts purpose is %s.\n", row->id, *row->purpose ? row->purpose : "(unknown)", mapping_certainty(row->certainty));
    puts(*row->tests ? "For it stand here:" : "Nothing stands for it here.");
    for (const char *tests = row->tests; mapping_selector(&tests, selector);)
        list_files_of(selector, suite);
    if (*row->note)
        printf("Note: %s\n", row->note);
}

static int explain_mappings(const char *name, const struct suite *suite)
{
    const struct mapping *row = mapping_find(name);
    if (row) {
        explain_mapping(row, suite);
        return EXIT_OK;
    }
    size_t cursor = 0;
    bool any = false;
    for (; (row = mapping_next(name, &cursor)); any = true)
        printf("%-52s %-8s %s%s\n", row->id, row->certainty, row->purpose, *row->tests ? "" : " (nothing stands for it)");
    if (any)
        return EXIT_OK;
    return cli_usage_error("explain", "nothing is called \"%s\"; `tcpassay explain %.*s` lists what there is", name,
                           (int)strcspn(name, "/"), name);
}

static void list_other_names(const struct suite_file *file)
{
    for (size_t i = 0; i < mapping_count(); i++) {
        const struct mapping *row = mapping_at(i);
        if (suite_stands_for(row, file->id, file->scenario))
            printf("Stands for %s: %s\n", row->id, row->purpose);
    }
}

static void explain_test(const struct suite_file *file)
{
    const struct scenario *s = file->scenario;
    printf("%s   (%s)\n\n  %s\n", file->id, file->name, s->title ? s->title : "(no title)");
    if (s->purpose)
        printf("  %s\n", s->purpose);
    printf("\nProfile %s; %u sub-test%s.\n", scn_profile_name(s->profile), scn_variant_count(s), scn_variant_count(s) == 1 ? "" : "s");
    for (unsigned i = 0; i < s->cover_count; i++) {
        const struct requirement *r = requirement_find(s->covers[i]);
        printf("Covers %s%s%s\n", s->covers[i], r ? ": " : "", r ? r->text : "");
    }
    list_other_names(file);
    if (s->judge_off)
        printf("The model does not judge it: %s\n", s->judge_off);
    for (unsigned i = 0; i < s->killed_by_count; i++)
        printf("%s%s%s", i ? ", " : "Must fail under: ", s->killed_by[i], i + 1 == s->killed_by_count ? "\n" : "");
    printf("\n%s", s->source_text);
}

static bool list_prefix(const char *prefix)
{
    size_t cursor = 0;
    const struct requirement *r;
    bool any = false;
    for (; (r = requirement_next(prefix, &cursor)); any = true)
        printf("%-18s %-10s %-8s %s\n", r->id, requirement_level_text(r->level), r->section, r->text);
    return any;
}

static int explain(const char *id, const struct suite *suite)
{
    const struct requirement *r = requirement_find(id);
    if (r) {
        explain_requirement(r, suite);
        return EXIT_OK;
    }
    const struct suite_file *file = NULL;
    for (size_t i = 0; i < suite->file_count && !file; i++)
        if (suite->files[i].scenario && !strcmp(suite->files[i].id, id))
            file = &suite->files[i];
    for (size_t i = 0; i < suite->test_count && !file; i++)
        if (!strcmp(suite->tests[i].id, id))
            file = suite->tests[i].file;
    if (file) {
        explain_test(file);
        return EXIT_OK;
    }
    if (list_prefix(id))
        return EXIT_OK;
    return cli_usage_error(
        "explain",
        "there is neither a requirement nor a test \"%s\"; `tcpassay list` shows the tests, and `tcpassay explain RFC9293` the requirements",
        id);
}

int command_explain(int argc, char **argv)
{
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        fputs(help_text, stdout);
        return EXIT_OK;
    }
    if (argc != 2)
        return cli_usage_error("explain", "one id is wanted");
    if (!strncmp(argv[1], "rule:", 5))
        return explain_rules(argv[1] + 5);
    struct suite suite;
    unsigned broken;
    int code = cli_load_suite("explain", NULL, NULL, 0, &suite, &broken);
    if (code == EXIT_OK)
        code = mapping_is_meant(argv[1]) ? explain_mappings(argv[1], &suite) : explain(argv[1], &suite);
    suite_release(&suite);
    return code;
}

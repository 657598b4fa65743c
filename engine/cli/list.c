/* `tcpassay list`: what would run, and what it covers. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/cli/cli.h"
#include "reports/text.h"

static const char help_text[] =
    "usage: tcpassay list [SELECTOR…] [--json] [--profile P] [--suite DIR]\n"
    "\n"
    "Lists the tests that `tcpassay run` with the same selectors would play: id, profile, requirements covered, title. The cases of the\n"
    "state×event matrix are among them only when a selector begins with \"matrix\". Other suites' names for tests (\"tc8/TCP_CLOSING\",\n"
    "\"freebsd\", \"packetimpact\") are headings, with what stands for each below it.\n"
    "  --json        as a JSON array\n"
    "  --profile P   quick, full or soak (default: soak, which is all of them)\n"
    "  --suite DIR   other tests than the program's own\n";

static const struct option options[] = {
    {"json", no_argument, NULL, 'j'}, {"profile", required_argument, NULL, 'p'}, {"suite", required_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
};

static void print_plain(const struct suite_test *test)
{
    const struct scenario *s = test->file->scenario;
    char shown[1100];
    printf("%-58s %-5s ", text_show(test->id, shown, sizeof shown), scn_profile_name(s->profile));
    for (unsigned i = 0; i < s->cover_count; i++)
        printf("%s%s", i ? " " : "", s->covers[i]);
    printf("%s%s\n", s->cover_count ? "  " : "", s->title ? text_show(s->title, shown, sizeof shown) : "");
}

/* As in results: octets that are no UTF-8 are U+FFFD. NULL for NULL. */
static json_t *text(const char *raw)
{
    char *clean = raw ? text_to_utf8(raw) : NULL;
    json_t *value = clean ? json_string(clean) : NULL;
    free(clean);
    return value;
}

static json_t *strings(const char *const *list, unsigned count)
{
    json_t *array = json_array();
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(array, text(list[i]));
    return array;
}

static json_t *as_json(const struct suite_test *test)
{
    const struct scenario *s = test->file->scenario;
    json_t *needs = json_array();
    for (unsigned need = SCN_NEEDS_CONNECT; need <= SCN_NEEDS_VIRTUAL_TIME; need <<= 1)
        if (s->needs & need)
            json_array_append_new(needs, json_string(scn_need_name((enum scn_need)need)));
    return json_pack("{so so* so* so so ss so so}", "id", text(test->id), "title", text(s->title), "purpose", text(s->purpose),
                     "covers", strings(s->covers, s->cover_count), "killed_by", strings(s->killed_by, s->killed_by_count),
                     "profile", scn_profile_name(s->profile), "needs", needs, "file", text(test->file->name));
}

static int print_json(const struct suite_test *const *tests, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, as_json(tests[i]));
    int failed = json_dumpf(array, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(array);
    return failed ? EXIT_UNABLE : EXIT_OK;
}

static bool is_mapped(const struct suite_test *test, char *const *selectors, int count)
{
    for (int i = 0; i < count; i++)
        if (mapping_is_meant(selectors[i]) && suite_selects(selectors[i], test))
            return true;
    return false;
}

/* What another suite calls its tests, each with those of ours that stand for it. */
static void print_mapped(const char *selector, const struct suite_test *const *tests, size_t count)
{
    size_t cursor = 0;
    for (const struct mapping *row; (row = mapping_next(selector, &cursor));) {
        printf("%s  %s\n", row->id, row->purpose);
        if (!*row->tests)
            printf("  nothing: %s\n", row->note);
        for (size_t i = 0; i < count; i++)
            if (suite_stands_for(row, tests[i]->id, tests[i]->file->scenario)) {
                fputs("  ", stdout);
                print_plain(tests[i]);
            }
    }
}

static void print_all(const struct suite_test *const *tests, size_t count, char *const *selectors, int selector_count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_mapped(tests[i], selectors, selector_count))
            print_plain(tests[i]);
    for (int i = 0; i < selector_count; i++)
        if (mapping_is_meant(selectors[i]))
            print_mapped(selectors[i], tests, count);
}

int command_list(int argc, char **argv)
{
    bool json = false;
    const char *folder = NULL;
    enum scn_profile profile = SCN_SOAK;
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'j': json = true; break;
        case 's': folder = optarg; break;
        case 'p':
            if (!cli_parse_profile(optarg, &profile))
                return cli_usage_error("list", "there is no profile \"%s\", but quick, full and soak", optarg);
            break;
        case 'h': fputs(help_text, stdout); return EXIT_OK;
        default: return cli_usage_error("list", "option %s is unknown, or lacks its value", argv[optind - 1]);
        }
    }
    struct suite suite;
    const struct suite_test **tests = NULL;
    size_t count = 0;
    unsigned broken;
    int code = cli_load_suite("list", folder, argv + optind, argc - optind, &suite, &broken);
    if (code == EXIT_OK)
        code = cli_select_tests("list", &suite, argv + optind, argc - optind, profile, &tests, &count);
    if (code == EXIT_OK && json)
        code = print_json(tests, count);
    else if (code == EXIT_OK)
        print_all(tests, count, argv + optind, argc - optind);
    free(tests);
    suite_release(&suite);
    return code == EXIT_OK && broken ? EXIT_USAGE : code;
}

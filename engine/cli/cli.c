/* Shared by the commands (see cli.h). */
#include "engine/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/cli/target_file.h"
#include "targets/linux/target_linux.h"
#include "targets/lwip/target_lwip.h"
#include "targets/plugin/target_plugin.h"
#include "targets/reference/target_reference.h"
#include "targets/remote/target_remote.h"
#include "targets/saboteur/saboteur.h"
#include "targets/tap/closest.h"
#include "targets/tap/drivers.h"

const struct target_driver *const cli_drivers[] = {
    &reference_driver, &plugin_driver, &plugin_in_process_driver, &linux_driver, &lwip_driver, &tap_driver, &unix_driver, &remote_driver,
    &saboteur_driver, NULL,
};

volatile sig_atomic_t cli_interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    if (cli_interrupted)
        _exit(EXIT_INTERRUPTED);
    cli_interrupted = 1;
}

void cli_catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may grow no more is told by write() */
}

void cli_error(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "tcpassay %s: ", command);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int cli_usage_error(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "tcpassay %s: ", command);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "; see `tcpassay %s --help`\n", command);
    va_end(arguments);
    return EXIT_USAGE;
}

const struct target_driver *cli_find_driver(const char *target, const char **argument)
{
    size_t len = strcspn(target, ":");
    *argument = target[len] ? target + len + 1 : "";
    saboteur_use_drivers(cli_drivers);
    for (size_t i = 0; cli_drivers[i]; i++)
        if (strlen(cli_drivers[i]->name) == len && !strncmp(cli_drivers[i]->name, target, len))
            return cli_drivers[i] == &saboteur_driver ? saboteur_driver_for(*argument) : cli_drivers[i];
    return NULL;
}

static int no_such_target(const char *command, const char *name)
{
    const char *names[32];
    size_t count = 0, len = strcspn(name, ":");
    char head[64];
    for (; cli_drivers[count]; count++)
        names[count] = cli_drivers[count]->name;
    snprintf(head, sizeof head, "%.*s", (int)(len < sizeof head ? len : sizeof head - 1), name);
    const char *closest = closest_word(head, names, count);
    if (closest)
        return cli_usage_error(command, "there is no target \"%s\": did you mean \"%s\"?", name, closest);
    return cli_usage_error(command, "there is no target \"%s\", nor a file %s.target; `tcpassay targets` lists what there is", name,
                           name);
}

int cli_open_name(const char *command, const char *name, struct cli_target *out)
{
    struct target_error error = {0};
    *out = (struct cli_target){.text = NULL};
    out->driver = target_file_is_meant(name) ? NULL : cli_find_driver(name, &out->argument);
    if (out->driver) {
        out->text = strdup(name);
        return out->text ? EXIT_OK : EXIT_UNABLE;
    }
    char *path = target_file_find(name);
    if (!path)
        return no_such_target(command, name);
    out->text = target_file_load(path, &error);
    free(path);
    if (!out->text) {
        cli_error(command, "%s", error.text);
        return error.kind == TARGET_ERR_USAGE ? EXIT_USAGE : EXIT_UNABLE;
    }
    out->driver = cli_find_driver(out->text, &out->argument);
    int code = out->driver ? EXIT_OK : no_such_target(command, out->text);
    if (code != EXIT_OK)
        cli_target_release(out);
    return code;
}

void cli_target_release(struct cli_target *target)
{
    free(target->text);
    target->text = NULL;
}

/* ---- where things lie */

static char *join(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static char *beside_program(const char *name)
{
    char program[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len <= 0)
        return NULL;
    program[len] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    char *share = join(program, "../share/tcpassay"), *path = share ? join(share, name) : NULL;
    free(share);
    return path;
}

char *cli_data_path(const char *command, const char *name)
{
    const char *data = getenv("TCPASSAY_DATA");
    char *candidates[] = {data ? join(data, name) : NULL, beside_program(name), join(TCPASSAY_SOURCE_DIR, name)};
    char *found = NULL;
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        if (!found && candidates[i] && access(candidates[i], R_OK) == 0)
            found = candidates[i];
        else
            free(candidates[i]);
    }
    if (!found)
        cli_error(command, "cannot find %s; set TCPASSAY_DATA to the folder that holds it", name);
    return found;
}

/* ---- the suite */

static bool is_scenario_file(const char *selector)
{
    size_t len = strlen(selector);
    return (len > 4 && !strcmp(selector + len - 4, ".pkt")) || suite_is_octets(selector);
}

static void report_diagnostics(const struct suite_file *file)
{
    char line[1024];
    for (unsigned i = 0; i < file->diagnostics.count; i++) {
        scn_format_diagnostic(file->path, &file->diagnostics.list[i], line, sizeof line);
        fprintf(stderr, "%s\n", line);
    }
}

static bool any_selects_file(char *const *selectors, int count, const struct suite_file *file)
{
    bool only_files = true;
    for (int i = 0; i < count; i++) {
        if (is_scenario_file(selectors[i]) ? !strcmp(selectors[i], file->path) : suite_selects_file(selectors[i], file))
            return true;
        only_files &= is_scenario_file(selectors[i]);
    }
    return count == 0 && only_files;
}

int cli_load_suite(const char *command, const char *folder, char *const *selectors, int selector_count, struct suite *suite,
                   unsigned *broken)
{
    char error[512];
    bool wants_suite = selector_count == 0 || folder;
    *suite = (struct suite){0};
    *broken = 0;
    for (int i = 0; i < selector_count; i++)
        wants_suite |= !is_scenario_file(selectors[i]) && !cli_is_matrix(selectors[i]);
    if (wants_suite) {
        char *path = folder ? strdup(folder) : cli_data_path(command, "tests-suite");
        int failed = path ? suite_load_folder(suite, path, error, sizeof error) : -1;
        if (path && failed)
            cli_error(command, "%s", error);
        free(path);
        if (failed)
            return folder ? EXIT_USAGE : EXIT_UNABLE;
    }
    for (int i = 0; i < selector_count; i++)
        if (is_scenario_file(selectors[i]) && suite_load_file(suite, selectors[i], error, sizeof error) < 0) {
            cli_error(command, "%s", error);
            return EXIT_UNABLE;
        }
    int code = cli_load_matrix(command, selectors, selector_count, suite);
    if (code != EXIT_OK)
        return code;
    for (size_t i = 0; i < suite->file_count; i++)
        if (!suite->files[i].scenario && any_selects_file(selectors, selector_count, &suite->files[i])) {
            report_diagnostics(&suite->files[i]);
            ++*broken;
        }
    if (suite_expand(suite, error, sizeof error) < 0) {
        cli_error(command, "%s", error);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static bool selector_means(const char *selector, const struct suite_test *test)
{
    return is_scenario_file(selector) ? !strcmp(selector, test->file->path) : suite_selects(selector, test);
}

/* A selector of another suite's tests: says which of them nothing here stands for. EXIT_USAGE when that is all of them. */
static int check_mapped(const char *command, const char *selector)
{
    unsigned rows = 0, unmapped = 0;
    size_t cursor = 0;
    const struct mapping *last = NULL;
    for (const struct mapping *row; (row = mapping_next(selector, &cursor)); rows++)
        if (!*row->tests) {
            unmapped++;
            last = row;
        }
    if (rows == 0)
        return cli_usage_error(command, "nothing is called \"%s\"; `tcpassay explain %.*s` shows what there is", selector,
                               (int)strcspn(selector, "/"), selector);
    if (unmapped == rows && rows == 1)
        return cli_usage_error(command, "nothing stands for %s: %.*s", last->id,
                               (int)strlen(last->note) - (int)(last->note[0] != 0), last->note);
    if (unmapped == rows)
        return cli_usage_error(command, "nothing stands for any of the %u that \"%s\" means; `tcpassay explain %s` says why", rows,
                               selector, selector);
    if (unmapped)
        cli_error(command, "for %u of the %u that \"%s\" means nothing stands; `tcpassay explain %s` says why", unmapped, rows,
                  selector, selector);
    return EXIT_OK;
}

int cli_select_tests(const char *command, const struct suite *suite, char *const *selectors, int selector_count,
                     enum scn_profile profile, const struct suite_test ***tests, size_t *count)
{
    *count = 0;
    *tests = calloc(suite->test_count + 1, sizeof **tests);
    bool *meant = calloc((size_t)selector_count + 1, sizeof *meant);
    if (!*tests || !meant) {
        cli_error(command, "out of memory");
        free(meant);
        return EXIT_UNABLE;
    }
    for (size_t t = 0; t < suite->test_count; t++) {
        const struct suite_test *test = &suite->tests[t];
        bool selected = selector_count == 0, by_name = false;
        for (int i = 0; i < selector_count; i++)
            if (selector_means(selectors[i], test)) {
                selected = meant[i] = true;
                by_name |= is_scenario_file(selectors[i]) || !strcmp(selectors[i], test->id) || !strcmp(selectors[i], test->file->id)
                           || mapping_find(selectors[i]);
            }
        if (selected && (by_name || test->file->scenario->profile <= profile))
            (*tests)[(*count)++] = test;
    }
    int code = EXIT_OK;
    for (int i = 0; i < selector_count && code == EXIT_OK; i++) {
        if (mapping_is_meant(selectors[i]) && (code = check_mapped(command, selectors[i])) != EXIT_OK)
            break;
        bool broken_file = false;
        for (size_t f = 0; f < suite->file_count; f++)
            broken_file |= !suite->files[f].scenario && any_selects_file(&selectors[i], 1, &suite->files[f]);
        if (!meant[i] && !broken_file)
            code = cli_usage_error(command, "no test is meant by \"%s\"; `tcpassay list` shows what there is", selectors[i]);
    }
    free(meant);
    return code;
}

/* ---- arguments */

bool cli_parse_profile(const char *text, enum scn_profile *out)
{
    for (enum scn_profile profile = SCN_QUICK; profile <= SCN_SOAK; profile++)
        if (!strcmp(scn_profile_name(profile), text)) {
            *out = profile;
            return true;
        }
    return false;
}

bool cli_parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    char *end;
    errno = 0;
    if (*text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return !errno && !*end && *out >= least && *out <= most;
}

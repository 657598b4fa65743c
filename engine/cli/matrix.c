/* The state×event matrix on the command line: made when a selector asks for it, and shown as text (see cli.h). */
#include "engine/scenario/matrix/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cli/cli.h"

static const char root[] = "matrix";

bool cli_is_matrix(const char *selector)
{
    const size_t len = sizeof root - 1;
    return !strncmp(selector, root, len) && strchr("/*?[", selector[len]) != NULL;
}

/* A glob may mean any way; else one name must begin like the other. */
static bool may_mean(const char *selector, const char *way)
{
    size_t selector_len = strlen(selector), way_len = strlen(way);
    if (!cli_is_matrix(selector))
        return false;
    return strpbrk(selector, "*?[") || !strncmp(selector, way, selector_len < way_len ? selector_len : way_len);
}

/* The same for a selector of another suite's tests (engine/runner/mapping.h), for which cases of the matrix may stand. */
static bool mapped_may_mean(const char *selector, const char *way)
{
    char one[MAPPING_SELECTOR_MAX];
    size_t cursor = 0;
    for (const struct mapping *row; (row = mapping_next(selector, &cursor));)
        for (const char *tests = row->tests; mapping_selector(&tests, one);)
            if (may_mean(one, way))
                return true;
    return false;
}

static int add_way(const char *command, unsigned way, struct suite *suite)
{
    struct scn_diagnostics diagnostics;
    char error[512] = "out of memory";
    struct scenario *scenario = matrix_scenario(way, &diagnostics);
    if (scenario && suite_add(suite, matrix_way_name(way), scenario, error, sizeof error) == 0)
        return EXIT_OK;
    if (!scenario && diagnostics.count)
        scn_format_diagnostic(matrix_way_name(way), &diagnostics.list[0], error, sizeof error);
    cli_error(command, "%s", error);
    return EXIT_UNABLE;
}

int cli_load_matrix(const char *command, char *const *selectors, int selector_count, struct suite *suite)
{
    int code = EXIT_OK;
    for (unsigned way = 0; way < matrix_way_count() && code == EXIT_OK; way++) {
        bool wanted = false;
        for (int i = 0; i < selector_count; i++)
            wanted |= may_mean(selectors[i], matrix_way_name(way)) || mapped_may_mean(selectors[i], matrix_way_name(way));
        if (wanted)
            code = add_way(command, way, suite);
    }
    return code;
}

char *cli_scenario_text(const struct suite_test *test)
{
    for (unsigned way = 0; way < matrix_way_count(); way++)
        if (!strcmp(matrix_way_name(way), test->file->id))
            return matrix_case_text(way, test->variant);
    return strdup(test->file->scenario->source_text);
}

/* Finds and reads a target's ledger (see known.h). */
#include "engine/cli/known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/cli/cli.h"

/* Ledgers of ours lie beside the suite. malloc'ed; NULL with the reason told. */
static char *path_of(const char *command, const char *name)
{
    char *path = cli_data_path(command, "tests-suite"), *out = NULL;
    char *folder = path ? strrchr(path, '/') : NULL;
    if (!path)
        return NULL;
    if (folder)
        *folder = '\0';
    if (asprintf(&out, "%s/targets/%s/ledger.json", path, name) < 0) {
        cli_error(command, "out of memory");
        out = NULL;
    }
    free(path);
    return out;
}

int cli_read_ledger(const char *command, const char *name, struct ledger **out)
{
    char error[512];
    const bool is_file = strchr(name, '/') || strchr(name, '.');
    *out = NULL;
    if (is_file && access(name, R_OK) != 0) {
        cli_error(command, "ledger=%s: there is no such file", name);
        return EXIT_USAGE;
    }
    char *path = is_file ? strdup(name) : path_of(command, name);
    if (!path)
        return EXIT_UNABLE;
    *out = ledger_read(path, error, sizeof error);
    free(path);
    if (!*out)
        cli_error(command, "the ledger of known deviations: %s", error);
    return *out ? EXIT_OK : is_file ? EXIT_USAGE : EXIT_UNABLE;
}

/* Finds the text of a scenario by what results call its file (see sources.h).
 *
 * Results are hostile: a file is never opened because they name it. A scenario is one of the suite's, or of the matrix, by its
 * name; of files only a finding that a fuzzer has left, whose name can lead nowhere else.
 */
#include "engine/cli/sources.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "engine/scenario/matrix/matrix.h"

enum { FINDING_BYTES_MAX = 1 << 20 };

static char *of_suite(const struct suite *suite, const char *file)
{
    for (size_t i = 0; i < suite->file_count; i++)
        if (suite->files[i].scenario && !strcmp(suite->files[i].name, file))
            return strdup(suite->files[i].scenario->source_text);
    return NULL;
}

static char *of_matrix(const char *file)
{
    struct scn_diagnostics diagnostics;
    for (unsigned way = 0; way < matrix_way_count(); way++) {
        if (strcmp(matrix_way_name(way), file))
            continue;
        struct scenario *scenario = matrix_scenario(way, &diagnostics);
        char *text = scenario ? strdup(scenario->source_text) : NULL;
        scn_free(scenario);
        return text;
    }
    return NULL;
}

/* "findings/NAME.pkt", where NAME is plain. */
static bool is_finding(const char *file)
{
    static const char folder[] = "findings/", plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,_+=-";
    const size_t len = strlen(file);
    return !strncmp(file, folder, sizeof folder - 1) && strspn(file + sizeof folder - 1, plain) == len - (sizeof folder - 1) && len > 4
           && !strcmp(file + len - 4, ".pkt");
}

static char *read_all(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > FINDING_BYTES_MAX)
        return NULL;
    char *text = calloc((size_t)info.st_size + 1, 1);
    const ssize_t len = text ? read(fd, text, (size_t)info.st_size) : -1;
    if (len == info.st_size)
        return text;
    free(text);
    return NULL;
}

static char *of_finding(const char *dir, const char *file)
{
    char path[4096];
    if (!is_finding(file) || snprintf(path, sizeof path, "%s/%s", dir, file) >= (int)sizeof path)
        return NULL;
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char *text = fd < 0 ? NULL : read_all(fd);
    if (fd >= 0)
        close(fd);
    return text;
}

static char *text_of(const struct result_sources *texts, const char *file)
{
    const struct cli_sources *sources = (const struct cli_sources *)texts; /* its first member */
    char *text = sources->suite ? of_suite(sources->suite, file) : NULL;
    text = text ? text : of_matrix(file);
    return text ? text : of_finding(sources->dir, file);
}

void cli_sources_of(struct cli_sources *out, const struct suite *suite, const char *dir)
{
    *out = (struct cli_sources){.texts = {text_of}, .suite = suite, .dir = dir};
}

void cli_sources_load(const char *command, struct cli_sources *out, const char *dir)
{
    char error[512];
    char *path = cli_data_path(command, "tests-suite");
    cli_sources_of(out, NULL, dir);
    if (path && suite_load_folder(&out->own, path, error, sizeof error) == 0)
        out->suite = &out->own;
    free(path);
}

void cli_sources_release(struct cli_sources *sources)
{
    suite_release(&sources->own);
}

/* Finding tests and choosing among them (see suite.h). */
#include "engine/runner/suite.h"
#include "engine/runner/selector.h"
#include "engine/scenario/bytes/bytes.h"

#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "rfc9293/3.5-establishing/closed-port.pkt" → "rfc9293/3.5/closed-port": what follows the number of a section's folder is for
 * people. */
static char *id_of(const char *name)
{
    char *id = strdup(name), *out = id;
    if (!id)
        return NULL;
    for (const char *part = name; *part;) {
        size_t len = strcspn(part, "/");
        bool folder = part[len] == '/';
        size_t number = strspn(part, "0123456789.");
        size_t kept = folder && number && number < len && part[number] == '-' ? number : len;
        if (!folder && len > 4 && !strncmp(part + len - 4, ".pkt", 4))
            kept = len - 4;
        memmove(out, part, kept);
        out += kept;
        if (folder)
            *out++ = '/';
        part += len + folder;
    }
    *out = '\0';
    return id;
}

/* A file of the suite, still without its scenario. NULL: out of memory, which error says. */
static struct suite_file *new_file(struct suite *suite, const char *path, const char *name, char *error, size_t error_size)
{
    struct suite_file *grown = realloc(suite->files, (suite->file_count + 1) * sizeof *grown);
    if (grown)
        suite->files = grown;
    struct suite_file file = {.path = strdup(path), .name = strdup(name), .id = id_of(name)};
    if (!grown || !file.path || !file.name || !file.id) {
        free(file.path);
        free(file.name);
        free(file.id);
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    suite->files[suite->file_count] = file;
    return &suite->files[suite->file_count++];
}

/* What octets say, read as a text, so that its steps have lines and words. */
static struct scenario *from_octets(const char *path, const uint8_t *octets, size_t len, struct scn_diagnostics *diagnostics)
{
    struct scenario *decoded = scn_bytes_decode(octets, len);
    char *text = decoded ? scn_print(decoded) : NULL;
    struct scenario *scenario = text ? scn_parse(path, text, strlen(text), diagnostics) : NULL;
    free(text);
    scn_free(decoded);
    return scenario;
}

/* A scenario as text, or as octets with their magic (docs/fuzz-bytes.md). */
static struct scenario *read_scenario(const char *path, struct scn_diagnostics *diagnostics)
{
    uint8_t octets[SCN_BYTES_MAX];
    FILE *file = fopen(path, "rbe");
    const size_t len = file ? fread(octets, 1, sizeof octets, file) : 0;
    if (file)
        fclose(file);
    return scn_bytes_is_magic(octets, len) ? from_octets(path, octets, len, diagnostics) : scn_parse_file(path, diagnostics);
}

bool suite_is_octets(const char *path)
{
    uint8_t magic[SCN_BYTES_MAGIC_LEN];
    FILE *file = fopen(path, "rbe");
    const size_t len = file ? fread(magic, 1, sizeof magic, file) : 0;
    if (file)
        fclose(file);
    return scn_bytes_is_magic(magic, len);
}

static int add_file(struct suite *suite, const char *path, const char *name, char *error, size_t error_size)
{
    struct suite_file *file = new_file(suite, path, name, error, error_size);
    if (!file)
        return -1;
    file->scenario = read_scenario(path, &file->diagnostics);
    if (file->scenario)
        file->scenario->file = file->name;
    return 0;
}

int suite_add(struct suite *suite, const char *id, struct scenario *scenario, char *error, size_t error_size)
{
    struct suite_file *file = new_file(suite, id, id, error, error_size);
    if (!file) {
        scn_free(scenario);
        return -1;
    }
    file->scenario = scenario;
    scenario->file = file->name;
    return 0;
}

int suite_load_file(struct suite *suite, const char *path, char *error, size_t error_size)
{
    return add_file(suite, path, path, error, error_size);
}

int suite_load_octets(struct suite *suite, const char *path, char *error, size_t error_size)
{
    uint8_t octets[SCN_BYTES_MAX];
    FILE *file = fopen(path, "rbe");
    const size_t len = file ? fread(octets, 1, sizeof octets, file) : 0;
    const bool failed = !file || ferror(file);
    if (failed)
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
    if (file)
        fclose(file);
    struct suite_file *added = failed ? NULL : new_file(suite, path, path, error, error_size);
    if (!added)
        return -1;
    added->scenario = from_octets(path, octets, len, &added->diagnostics);
    if (added->scenario)
        added->scenario->file = added->name;
    return 0;
}

int suite_load_folder(struct suite *suite, const char *root, char *error, size_t error_size)
{
    char *roots[] = {(char *)root, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    int failed = walk ? 0 : -1;
    size_t root_len = strlen(root);
    for (FTSENT *entry; !failed && (entry = fts_read(walk));) {
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
            snprintf(error, error_size, "%s: %s", entry->fts_path, strerror(entry->fts_errno));
            failed = -1;
        } else if (entry->fts_info == FTS_F && fnmatch("*.pkt", entry->fts_name, 0) == 0) {
            const char *name = entry->fts_path + root_len;
            failed = add_file(suite, entry->fts_path, name + strspn(name, "/"), error, error_size);
        }
    }
    if (walk)
        fts_close(walk);
    else
        snprintf(error, error_size, "%s: %s", root, strerror(errno));
    return failed;
}

static int by_id(const void *a, const void *b)
{
    const struct suite_test *left = a, *right = b;
    return strverscmp(left->id, right->id);
}

static int expand_file(struct suite *suite, const struct suite_file *file)
{
    unsigned count = file->scenario ? scn_variant_count(file->scenario) : 0;
    struct suite_test *grown = realloc(suite->tests, (suite->test_count + count + 1) * sizeof *grown);
    struct scn_value *values = calloc((file->scenario ? file->scenario->variable_count : 0) + 1, sizeof *values);
    if (grown)
        suite->tests = grown;
    bool ok = grown && values;
    for (unsigned i = 0; ok && i < count; i++) {
        struct scn_variant variant;
        scn_variant(file->scenario, i, &variant, values);
        struct suite_test *test = &suite->tests[suite->test_count];
        *test = (struct suite_test){.file = file, .variant = i};
        ok = asprintf(&test->id, "%s%s", file->id, variant.suffix) >= 0;
        suite->test_count += ok;
    }
    free(values);
    return ok ? 0 : -1;
}

int suite_expand(struct suite *suite, char *error, size_t error_size)
{
    for (size_t i = 0; i < suite->file_count; i++)
        if (expand_file(suite, &suite->files[i]) < 0) {
            snprintf(error, error_size, "out of memory");
            return -1;
        }
    if (suite->test_count)
        qsort(suite->tests, suite->test_count, sizeof *suite->tests, by_id);
    for (size_t i = 1; i < suite->test_count; i++)
        if (!strcmp(suite->tests[i - 1].id, suite->tests[i].id)) {
            snprintf(error, error_size, "two tests are called %s: %s and %s; rename one of the files", suite->tests[i].id,
                     suite->tests[i - 1].file->path, suite->tests[i].file->path);
            return -1;
        }
    return 0;
}

void suite_release(struct suite *suite)
{
    for (size_t i = 0; i < suite->test_count; i++)
        free(suite->tests[i].id);
    for (size_t i = 0; i < suite->file_count; i++) {
        scn_free(suite->files[i].scenario);
        free(suite->files[i].path);
        free(suite->files[i].name);
        free(suite->files[i].id);
    }
    free(suite->tests);
    free(suite->files);
    *suite = (struct suite){0};
}

/* ---- selectors */

static bool covers_selected(const char *wanted, const struct scenario *scenario)
{
    for (unsigned i = 0; scenario && i < scenario->cover_count; i++)
        if (selector_means(wanted, scenario->covers[i]))
            return true;
    return false;
}

static bool selected(const char *selector, const char *id, const struct scenario *scenario)
{
    if (!strncmp(selector, "covers:", 7))
        return covers_selected(selector + 7, scenario);
    return selector_means(selector, id);
}

bool suite_stands_for(const struct mapping *row, const char *id, const struct scenario *scenario)
{
    char selector[MAPPING_SELECTOR_MAX];
    for (const char *tests = row->tests; mapping_selector(&tests, selector);)
        if (selected(selector, id, scenario))
            return true;
    return false;
}

/* Is it meant by its own name, or by one that another suite has for it? */
static bool meant(const char *selector, const char *id, const struct scenario *scenario)
{
    if (!mapping_is_meant(selector))
        return selected(selector, id, scenario);
    size_t cursor = 0;
    for (const struct mapping *row; (row = mapping_next(selector, &cursor));)
        if (suite_stands_for(row, id, scenario))
            return true;
    return false;
}

bool suite_selects(const char *selector, const struct suite_test *test)
{
    return meant(selector, test->id, test->file->scenario);
}

bool suite_selects_file(const char *selector, const struct suite_file *file)
{
    return meant(selector, file->id, file->scenario);
}

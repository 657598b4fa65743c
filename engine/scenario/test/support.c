/* Scenarios out of texts and files, for the tests. */
#include "engine/scenario/test/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail_with(const char *what, const struct scn_diagnostics *diagnostics)
{
    char text[1024] = "";
    if (diagnostics->count)
        scn_format_diagnostic(what, &diagnostics->list[0], text, sizeof text);
    fail_msg("does not parse: %s", text);
}

struct scenario *parse_text(const char *text)
{
    struct scn_diagnostics diagnostics;
    struct scenario *scenario = scn_parse("test.pkt", text, strlen(text), &diagnostics);
    if (!scenario)
        fail_with(text, &diagnostics);
    return scenario;
}

struct scenario *parse_portable(const char *steps)
{
    char *text;
    if (asprintf(&text, "//: title A test\n%s", steps) < 0)
        fail_msg("out of memory");
    struct scenario *scenario = parse_text(text);
    free(text);
    return scenario;
}

void parse_wrong(const char *text, size_t len, char *out, size_t capacity)
{
    struct scn_diagnostics diagnostics;
    struct scenario *scenario = scn_parse("test.pkt", text, len, &diagnostics);
    if (scenario)
        fail_msg("parses: %.100s", text);
    assert_true(diagnostics.count > 0);
    snprintf(out, capacity, "%d:%d: %s", diagnostics.list[0].at.line, diagnostics.list[0].at.column, diagnostics.list[0].message);
}

void assert_round_trip(const char *what, const struct scenario *scenario)
{
    struct scn_diagnostics diagnostics;
    char *text = scn_print(scenario);
    assert_non_null(text);
    struct scenario *again = scn_parse("printed.pkt", text, strlen(text), &diagnostics);
    if (!again)
        fail_with(text, &diagnostics);
    if (!scn_equal(scenario, again) || !scn_equal(again, scenario))
        fail_msg("%s: not the same when printed and parsed:\n%s", what, text);
    char *text_again = scn_print(again);
    assert_non_null(text_again);
    if (strcmp(text, text_again) != 0)
        fail_msg("%s: printed as\n%s\nand then as\n%s", what, text, text_again);
    free(text_again);
    free(text);
    scn_free(again);
}

static int is_script(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".pkt") == 0;
}

unsigned each_script(const char *folder, void (*visit)(const char *path, void *context), void *context)
{
    struct dirent **entries;
    const int count = scandir(folder, &entries, is_script, alphasort);
    if (count < 0)
        fail_msg("cannot read the folder %s", folder);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        visit(path, context);
        free(entries[i]);
    }
    free(entries);
    return (unsigned)count;
}

char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot read %s", path);
    const size_t capacity = 1 << 20;
    char *text = malloc(capacity + 1);
    assert_non_null(text);
    *len = fread(text, 1, capacity, file);
    text[*len] = '\0';
    fclose(file);
    return text;
}

/* Known deviations of a target (see ledger.h). */
#include "engine/runner/ledger.h"

#include <fnmatch.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ledger { json_t *entries; };

static int check_entries(const json_t *entries, const char *path, char *error, size_t error_size)
{
    static const char *const required[] = {"test", "requirement", "summary", "evidence", "rfc"};
    size_t index;
    json_t *entry;
    if (!json_is_array(entries)) {
        snprintf(error, error_size, "%s: a ledger is a JSON array of entries", path);
        return -1;
    }
    json_array_foreach (entries, index, entry)
        for (size_t i = 0; i < sizeof required / sizeof *required; i++)
            if (!json_is_string(json_object_get(entry, required[i]))) {
                snprintf(error, error_size, "%s: entry %zu has no \"%s\" in words", path, index + 1, required[i]);
                return -1;
            }
    return 0;
}

struct ledger *ledger_read(const char *path, char *error, size_t error_size)
{
    json_error_t reason;
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    if (access(path, F_OK) != 0)
        return ledger;
    ledger->entries = json_load_file(path, 0, &reason);
    if (!ledger->entries)
        snprintf(error, error_size, "%s:%d: %s", path, reason.line, reason.text);
    else if (check_entries(ledger->entries, path, error, error_size) == 0)
        return ledger;
    ledger_free(ledger);
    return NULL;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger)
        json_decref(ledger->entries);
    free(ledger);
}

const char *ledger_find(const struct ledger *ledger, const char *test_id)
{
    size_t index;
    json_t *entry;
    json_array_foreach (ledger->entries, index, entry) {
        const char *test = json_string_value(json_object_get(entry, "test"));
        size_t len = strlen(test);
        bool prefix = strncmp(test, test_id, len) == 0 && (test_id[len] == '\0' || test_id[len] == '/');
        if (prefix || fnmatch(test, test_id, 0) == 0)
            return json_string_value(json_object_get(entry, "summary"));
    }
    return NULL;
}

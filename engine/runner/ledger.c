/* Known deviations of a target (see ledger.h). */
#include "engine/runner/ledger.h"

#include "engine/model/rules.h"

#include <fnmatch.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ledger { json_t *entries; };

static const char *text_of(const json_t *entry, const char *key)
{
    return json_string_value(json_object_get(entry, key));
}

/* What is wrong with an entry, or false. */
static bool is_wrong(const json_t *entry, char *what, size_t size)
{
    static const char *const required[] = {"requirement", "summary", "evidence", "rfc"};
    const char *rule = text_of(entry, "rule");
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (!text_of(entry, required[i])) {
            snprintf(what, size, "has no \"%s\" in words", required[i]);
            return true;
        }
    if (!rule && !text_of(entry, "test"))
        snprintf(what, size, "has neither a \"test\" nor a \"rule\" in words");
    else if (rule && !rule_find(rule))
        snprintf(what, size, "names the rule \"%.60s\", which the model does not have", rule);
    else
        return false;
    return true;
}

static int check_entries(const json_t *entries, const char *path, char *error, size_t error_size)
{
    size_t index;
    json_t *entry;
    char what[128];
    if (!json_is_array(entries)) {
        snprintf(error, error_size, "%s: a ledger is a JSON array of entries", path);
        return -1;
    }
    json_array_foreach (entries, index, entry)
        if (is_wrong(entry, what, sizeof what)) {
            snprintf(error, error_size, "%s: entry %zu %s", path, index + 1, what);
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

static bool names_test(const json_t *entry, const char *id)
{
    const char *test = text_of(entry, "test");
    size_t len = test ? strlen(test) : 0;
    return test && ((strncmp(test, id, len) == 0 && (id[len] == '\0' || id[len] == '/')) || fnmatch(test, id, 0) == 0);
}

static bool knows(const json_t *entry, const char *id, const struct result_finding *finding)
{
    const char *rule = text_of(entry, "rule");
    if (rule)
        return !strcmp(rule, finding->rule) && (!text_of(entry, "test") || names_test(entry, id));
    return names_test(entry, id) && (!rule_find(finding->rule) || !strcmp(text_of(entry, "requirement"), finding->requirement));
}

/* NULL: no entry. */
static const char *known_of_finding(const struct ledger *ledger, const char *id, const struct result_finding *finding)
{
    size_t index;
    json_t *entry;
    json_array_foreach (ledger->entries, index, entry)
        if (knows(entry, id, finding))
            return text_of(entry, "summary");
    return NULL;
}

static const char *known_of_test(const struct ledger *ledger, const char *id)
{
    size_t index;
    json_t *entry;
    json_array_foreach (ledger->entries, index, entry)
        if (!text_of(entry, "rule") && names_test(entry, id))
            return text_of(entry, "summary");
    return NULL;
}

static bool fails(const struct result_finding *finding, bool strict)
{
    return finding->level != LEVEL_MAY && (strict || !requirement_level_is_should(finding->level));
}

const char *ledger_find(const struct ledger *ledger, const struct result_test *test, bool strict)
{
    const char *first = NULL;
    for (size_t i = 0; test->verdict == VERDICT_FAIL && i < test->finding_count; i++) {
        if (!fails(&test->findings[i], strict))
            continue;
        const char *known = known_of_finding(ledger, test->id, &test->findings[i]);
        if (!known)
            return NULL;
        first = first ? first : known;
    }
    return first ? first : known_of_test(ledger, test->id);
}

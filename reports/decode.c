/* Reads JSON values of results (docs/results.md), trusting none of them.
 *
 * The decoder notes the first fault with the place it was found at, and everything after that returns at once, so the code below
 * is a list of fields. Strings are copied into the decoder's arena; jansson has checked that they are UTF-8 without NUL.
 */
#include "reports/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reports/text.h"

enum { SHOWN_BYTES = 64 }; /* of a wrong value, in a message */

bool decode_fault(struct decoder *d, const char *key, const char *format, ...)
{
    if (d->failed)
        return false;
    d->failed = true;
    char where[sizeof d->path + SHOWN_BYTES], what[256];
    snprintf(where, sizeof where, "%s%s%s", d->path, *d->path && *key ? "." : "", key);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(d->error, sizeof d->error, "%s%s%s", where, *where ? ": " : "", what);
    return false;
}

static const char *kind_of(const json_t *value)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "an object",        [JSON_ARRAY] = "a list",     [JSON_STRING] = "a string", [JSON_INTEGER] = "a whole number",
        [JSON_REAL] = "a number with a fraction", [JSON_TRUE] = "true", [JSON_FALSE] = "false",     [JSON_NULL] = "null",
    };
    return kinds[json_typeof(value)];
}

/* The member of that key; NULL when absent, or of another type (which is a fault). */
static const json_t *member(struct decoder *d, const json_t *object, const char *key, bool right_type(const json_t *),
                            const char *wanted)
{
    const json_t *value = d->failed ? NULL : json_object_get(object, key);
    if (!value || right_type(value))
        return value;
    decode_fault(d, key, "expected %s, found %s", wanted, kind_of(value));
    return NULL;
}

static bool is_string(const json_t *value)
{
    return json_is_string(value);
}

static bool is_whole(const json_t *value)
{
    return json_is_integer(value);
}

static bool is_bool(const json_t *value)
{
    return json_is_boolean(value);
}

static bool is_list(const json_t *value)
{
    return json_is_array(value);
}

static bool is_object(const json_t *value)
{
    return json_is_object(value);
}

static bool out_of_memory(struct decoder *d)
{
    return decode_fault(d, "", "out of memory");
}

static const char *keep(struct decoder *d, const char *text)
{
    const char *copy = *text ? arena_copy(d->arena, text) : "";
    if (!copy)
        out_of_memory(d);
    return copy;
}

bool decode_string(struct decoder *d, const json_t *object, const char *key, const char **out)
{
    const json_t *value = member(d, object, key, is_string, "a string");
    *out = value ? keep(d, json_string_value(value)) : "";
    return !d->failed;
}

bool decode_whole(struct decoder *d, const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out)
{
    const json_t *value = member(d, object, key, is_whole, "a whole number");
    *out = value ? json_integer_value(value) : 0;
    if (value && (*out < min || *out > max))
        return decode_fault(d, key, "%lld is out of range: %lld to %lld are possible", (long long)*out, (long long)min,
                            (long long)max);
    return !d->failed;
}

bool decode_bool(struct decoder *d, const json_t *object, const char *key, bool *out)
{
    const json_t *value = member(d, object, key, is_bool, "true or false");
    *out = value && json_is_true(value);
    return !d->failed;
}

const json_t *decode_list(struct decoder *d, const json_t *object, const char *key)
{
    return member(d, object, key, is_list, "a list");
}

static uint32_t decode_u32(struct decoder *d, const json_t *object, const char *key)
{
    int64_t value = 0;
    return decode_whole(d, object, key, 0, UINT32_MAX, &value) ? (uint32_t)value : 0;
}

static void decode_level(struct decoder *d, const json_t *object, enum requirement_level *out)
{
    const json_t *value = member(d, object, "level", is_string, "a string");
    char shown[SHOWN_BYTES];
    if (value && !requirement_level_parse(json_string_value(value), out))
        decode_fault(d, "level", "expected MUST, MUST NOT, SHOULD, SHOULD NOT, MAY, RULE or \"\", found \"%s\"",
                     text_show(json_string_value(value), shown, sizeof shown));
}

/* Room for count things, at least for one; NULL, and a fault noted, when there is none. */
static void *make_room(struct decoder *d, size_t count, size_t size)
{
    void *room = d->failed ? NULL : arena_alloc(d->arena, count ? count : 1, size);
    if (!room)
        out_of_memory(d); /* unless another fault was first */
    return room;
}

static void decode_strings(struct decoder *d, const json_t *object, const char *key, const char *const **out, size_t *count)
{
    const json_t *list = decode_list(d, object, key);
    const size_t len = json_array_size(list);
    const char **texts = make_room(d, len, sizeof *texts);
    for (size_t i = 0; texts && i < len && !d->failed; i++) {
        const json_t *value = json_array_get(list, i);
        if (json_is_string(value))
            texts[i] = keep(d, json_string_value(value));
        else
            decode_fault(d, key, "entry %zu: expected a string, found %s", i, kind_of(value));
    }
    *out = texts;
    *count = d->failed ? 0 : len;
}

static void decode_settings(struct decoder *d, const json_t *object, const char *key, const struct result_setting **out,
                            size_t *count)
{
    json_t *settings = (json_t *)(uintptr_t)member(d, object, key, is_object, "an object"); /* iterating wants it unqualified */
    const size_t len = json_object_size(settings);
    struct result_setting *list = make_room(d, len, sizeof *list);
    size_t i = 0;
    for (void *at = json_object_iter(settings); list && at && !d->failed; at = json_object_iter_next(settings, at), i++) {
        const json_t *value = json_object_iter_value(at);
        if (json_is_string(value))
            list[i] = (struct result_setting){ keep(d, json_object_iter_key(at)), keep(d, json_string_value(value)) };
        else
            decode_fault(d, key, "expected strings for values, found %s", kind_of(value));
    }
    *out = list;
    *count = d->failed ? 0 : len;
}

static void decode_schema(struct decoder *d, const json_t *object)
{
    int64_t schema = 0;
    if (!json_object_get(object, "schema")) {
        decode_fault(d, "schema", "missing: this is no file of results");
        return;
    }
    if (decode_whole(d, object, "schema", 1, INT64_MAX, &schema) && schema > RESULTS_SCHEMA)
        decode_fault(d, "schema", "%lld was written by a newer tcpassay; this one reads up to %d", (long long)schema,
                     RESULTS_SCHEMA);
}

bool decode_run(struct decoder *d, const json_t *object, struct result_run *out)
{
    *out = (struct result_run){ .tcpassay = "" };
    decode_schema(d, object);
    decode_string(d, object, "tcpassay", &out->tcpassay);
    const json_t *target = member(d, object, "target", is_object, "an object");
    decode_string(d, target, "name", &out->target_name);
    decode_string(d, target, "description", &out->target_description);
    decode_settings(d, target, "pixit", &out->pixit, &out->pixit_count);
    decode_string(d, object, "started", &out->started);
    decode_whole(d, object, "seed", 0, INT64_MAX, &out->seed);
    decode_string(d, object, "profile", &out->profile);
    decode_strings(d, object, "selectors", &out->selectors, &out->selector_count);
    out->planned = decode_u32(d, object, "planned");
    return !d->failed;
}

static void decode_finding(struct decoder *d, const json_t *object, struct result_finding *out)
{
    decode_string(d, object, "rule", &out->rule);
    decode_string(d, object, "requirement", &out->requirement);
    decode_level(d, object, &out->level);
    decode_string(d, object, "message", &out->message);
    decode_string(d, object, "expected", &out->expected);
    decode_string(d, object, "observed", &out->observed);
    decode_whole(d, object, "at_ns", INT64_MIN, INT64_MAX, &out->at_ns);
    out->segment = decode_u32(d, object, "segment");
}

static void decode_event(struct decoder *d, const json_t *object, struct result_event *out)
{
    const char *kind = "";
    char shown[SHOWN_BYTES];
    decode_whole(d, object, "at_ns", INT64_MIN, INT64_MAX, &out->at_ns);
    if (decode_string(d, object, "kind", &kind) && !result_event_kind_parse(kind, &out->kind))
        decode_fault(d, "kind", "expected sent, received, call, return, state, note or dropped, found \"%s\"",
                     text_show(kind, shown, sizeof shown));
    out->index = decode_u32(d, object, "index");
    out->step = decode_u32(d, object, "step");
    decode_string(d, object, "segment", &out->segment);
    decode_string(d, object, "text", &out->text);
}

/* Enters path.key[i], which must be an object. */
static bool enter(struct decoder *d, size_t path_len, const char *key, size_t i, const json_t *value)
{
    snprintf(d->path + path_len, sizeof d->path - path_len, "%s%s[%zu]", path_len ? "." : "", key, i);
    return json_is_object(value) || decode_fault(d, "", "expected an object, found %s", kind_of(value));
}

static void decode_findings(struct decoder *d, const json_t *object, struct result_test *out)
{
    const json_t *list = decode_list(d, object, "findings");
    const size_t len = json_array_size(list), path_len = strlen(d->path);
    struct result_finding *findings = make_room(d, len, sizeof *findings);
    for (size_t i = 0; findings && i < len && !d->failed; i++)
        if (enter(d, path_len, "findings", i, json_array_get(list, i)))
            decode_finding(d, json_array_get(list, i), &findings[i]);
    d->path[path_len] = '\0';
    out->findings = findings;
    out->finding_count = d->failed ? 0 : len;
}

static void decode_trace(struct decoder *d, const json_t *object, struct result_test *out)
{
    const json_t *list = decode_list(d, object, "trace");
    const size_t len = json_array_size(list), path_len = strlen(d->path);
    struct result_event *events = make_room(d, len, sizeof *events);
    for (size_t i = 0; events && i < len && !d->failed; i++)
        if (enter(d, path_len, "trace", i, json_array_get(list, i)))
            decode_event(d, json_array_get(list, i), &events[i]);
    d->path[path_len] = '\0';
    out->trace = events;
    out->trace_count = d->failed ? 0 : len;
}

static void decode_identity(struct decoder *d, const json_t *object, struct result_test *out)
{
    const char *verdict = "";
    char shown[SHOWN_BYTES];
    decode_string(d, object, "id", &out->id);
    if (!d->failed && (!*out->id || strlen(out->id) > RESULTS_ID_BYTES_MAX))
        decode_fault(d, "id", "expected 1 to %d octets, found %zu", RESULTS_ID_BYTES_MAX, strlen(out->id));
    decode_string(d, object, "verdict", &verdict);
    if (!d->failed && !verdict_parse(verdict, &out->verdict))
        decode_fault(d, "verdict", "expected pass, fail, inconclusive, error or not_applicable, found \"%s\"",
                     text_show(verdict, shown, sizeof shown));
}

bool decode_test(struct decoder *d, const json_t *object, struct result_test *out)
{
    *out = (struct result_test){ .id = "" };
    decode_identity(d, object, out);
    decode_string(d, object, "title", &out->title);
    decode_string(d, object, "reason", &out->reason);
    decode_whole(d, object, "started_ns", 0, INT64_MAX, &out->started_ns);
    decode_whole(d, object, "duration_ns", 0, INT64_MAX, &out->duration_ns);
    decode_strings(d, object, "covers", &out->covers, &out->cover_count);
    decode_level(d, object, &out->level);
    decode_findings(d, object, out);
    decode_bool(d, object, "known", &out->known);
    decode_string(d, object, "known_note", &out->known_note);
    out->reruns = decode_u32(d, object, "reruns");
    decode_string(d, object, "file", &out->file);
    out->line = decode_u32(d, object, "line");
    decode_string(d, object, "pcap", &out->pcap);
    decode_settings(d, object, "pixit", &out->pixit, &out->pixit_count);
    decode_trace(d, object, out);
    decode_strings(d, object, "transitions", &out->transitions, &out->transition_count);
    return !d->failed;
}

/* ---- what the model saw */

static bool add_counter(struct decoder *d, const json_t *object, const char *key, uint64_t *sum)
{
    int64_t value = 0;
    if (!decode_whole(d, object, key, 0, INT64_MAX, &value))
        return false;
    return !__builtin_add_overflow(*sum, (uint64_t)value, sum) || decode_fault(d, key, "the counts add up to more than 2^64");
}

static void decode_rule(struct decoder *d, const json_t *object, struct result_model *sum)
{
    const char *name = json_string_value(member(d, object, "rule", is_string, "a string"));
    for (enum rule_id id = 0; name && id < RULE_COUNT; id++)
        if (!strcmp(rule_at(id)->name, name)) {
            add_counter(d, object, "tested", &sum->coverage.tested[id]);
            add_counter(d, object, "violated", &sum->coverage.violated[id]);
        }
}

static enum tcp_state decode_state(struct decoder *d, const json_t *object, const char *key)
{
    const char *name = json_string_value(member(d, object, key, is_string, "a string"));
    return name ? tcp_state_from_name(name) : TCP_STATE_COUNT;
}

static void decode_transition(struct decoder *d, const json_t *object, struct result_model *sum)
{
    enum tcp_state from = decode_state(d, object, "from"), to = decode_state(d, object, "to");
    const char *name = json_string_value(member(d, object, "event", is_string, "a string"));
    for (enum model_event event = 0; name && from < TCP_STATE_COUNT && to < TCP_STATE_COUNT && event < EVENT_COUNT; event++)
        if (!strcmp(model_event_name(event), name))
            add_counter(d, object, "count", &sum->coverage.transitions[from][event][to]);
}

static void decode_choice(struct decoder *d, const json_t *object, struct result_model *sum)
{
    struct portrait more = {0};
    struct portrait_entry entry = {0};
    int64_t total;
    const char *name = json_string_value(member(d, object, "choice", is_string, "a string"));
    add_counter(d, object, "count", &entry.count);
    decode_whole(d, object, "min", INT64_MIN, INT64_MAX, &entry.min);
    decode_whole(d, object, "max", INT64_MIN, INT64_MAX, &entry.max);
    decode_whole(d, object, "sum", INT64_MIN, INT64_MAX, &entry.sum);
    for (enum choice_id id = 0; name && !d->failed && id < CHOICE_COUNT; id++) {
        if (strcmp(choice_at(id)->id, name) != 0)
            continue;
        more.choices[id] = entry;
        if (entry.min > entry.max)
            decode_fault(d, "min", "is more than max");
        else if (__builtin_add_overflow(sum->portrait.choices[id].sum, entry.sum, &total))
            decode_fault(d, "sum", "the sums add up to more than 2^63");
        else
            portrait_add(&sum->portrait, &more);
    }
}

static void decode_each(struct decoder *d, const json_t *object, const char *key, struct result_model *sum,
                        void decode(struct decoder *, const json_t *, struct result_model *))
{
    const json_t *list = decode_list(d, object, key);
    const size_t path_len = strlen(d->path);
    for (size_t i = 0; i < json_array_size(list) && !d->failed; i++)
        if (enter(d, path_len, key, i, json_array_get(list, i)))
            decode(d, json_array_get(list, i), sum);
    d->path[path_len] = '\0';
}

bool decode_model(struct decoder *d, const json_t *object, struct result_model *sum)
{
    const json_t *coverage = member(d, object, "coverage", is_object, "an object");
    decode_each(d, coverage, "rules", sum, decode_rule);
    decode_each(d, coverage, "transitions", sum, decode_transition);
    decode_each(d, object, "portrait", sum, decode_choice);
    return !d->failed;
}

/* Builds the JSON values of results (docs/results.md), in the order in which people read them.
 *
 * A builder goes on after a failure and remembers it, so that the code below is a list of fields and not of error paths.
 */
#include "reports/encode.h"

#include <stdlib.h>

#include "reports/text.h"

struct object {
    json_t *json;
    bool failed;
};

static struct object object_new(void)
{
    json_t *json = json_object();
    return (struct object){ .json = json, .failed = !json };
}

static json_t *object_finish(struct object *o)
{
    if (o->failed) {
        json_decref(o->json);
        return NULL;
    }
    return o->json;
}

bool encode_put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new_nocheck(object, key, value) == 0;
}

static void put(struct object *o, const char *key, json_t *value)
{
    if (!encode_put(o->json, key, value))
        o->failed = true;
}

json_t *encode_string(const char *text)
{
    if (!text)
        text = "";
    if (text_is_utf8(text))
        return json_string_nocheck(text);
    char *repaired = text_to_utf8(text);
    json_t *value = repaired ? json_string_nocheck(repaired) : NULL;
    free(repaired);
    return value;
}

static void put_string(struct object *o, const char *key, const char *text)
{
    put(o, key, encode_string(text));
}

static void put_integer(struct object *o, const char *key, int64_t value)
{
    put(o, key, json_integer(value));
}

static void put_level(struct object *o, enum requirement_level level)
{
    put_string(o, "level", requirement_level_text(level));
}

static json_t *encode_strings(const char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(list, encode_string(texts[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Settings of one name twice: the last one counts, as it does for the target. */
static json_t *encode_settings(const struct result_setting *settings, size_t count)
{
    struct object o = object_new();
    for (size_t i = 0; i < count; i++) {
        char *name = text_to_utf8(settings[i].name);
        if (name)
            put_string(&o, name, settings[i].value);
        else
            o.failed = true;
        free(name);
    }
    return object_finish(&o);
}

json_t *encode_target(const struct result_run *run)
{
    struct object o = object_new();
    put_string(&o, "name", run->target_name);
    put_string(&o, "description", run->target_description);
    put(&o, "pixit", encode_settings(run->pixit, run->pixit_count));
    return object_finish(&o);
}

json_t *encode_run(const struct result_run *run)
{
    struct object o = object_new();
    put_string(&o, "type", "run");
    put_integer(&o, "schema", RESULTS_SCHEMA);
    put_string(&o, "tcpassay", run->tcpassay ? run->tcpassay : TCPASSAY_VERSION);
    put(&o, "target", encode_target(run));
    put_string(&o, "started", run->started);
    put_integer(&o, "seed", run->seed);
    put_string(&o, "profile", run->profile);
    put(&o, "selectors", encode_strings(run->selectors, run->selector_count));
    put_integer(&o, "planned", run->planned);
    return object_finish(&o);
}

static json_t *encode_finding(const struct result_finding *finding)
{
    struct object o = object_new();
    put_string(&o, "rule", finding->rule);
    put_string(&o, "requirement", finding->requirement);
    put_level(&o, finding->level);
    put_string(&o, "message", finding->message);
    put_string(&o, "expected", finding->expected);
    put_string(&o, "observed", finding->observed);
    put_integer(&o, "at_ns", finding->at_ns);
    put_integer(&o, "segment", finding->segment);
    return object_finish(&o);
}

static json_t *encode_findings(const struct result_test *test)
{
    json_t *list = json_array();
    for (size_t i = 0; i < test->finding_count; i++) {
        if (json_array_append_new(list, encode_finding(&test->findings[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *encode_event(const struct result_event *event)
{
    struct object o = object_new();
    put_integer(&o, "at_ns", event->at_ns);
    put_string(&o, "kind", result_event_kind_text(event->kind));
    put_integer(&o, "index", event->index);
    put_integer(&o, "step", event->step);
    put_string(&o, "segment", event->segment);
    put_string(&o, "text", event->text);
    return object_finish(&o);
}

static json_t *encode_trace(const struct result_test *test)
{
    json_t *list = json_array();
    for (size_t i = 0; i < test->trace_count; i++) {
        if (json_array_append_new(list, encode_event(&test->trace[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *encode_test(const struct result_test *test)
{
    struct object o = object_new();
    put_string(&o, "id", test->id);
    put_string(&o, "title", test->title);
    put_string(&o, "verdict", verdict_text(test->verdict));
    put_string(&o, "reason", test->reason);
    put_integer(&o, "started_ns", test->started_ns);
    put_integer(&o, "duration_ns", test->duration_ns);
    put(&o, "covers", encode_strings(test->covers, test->cover_count));
    put_level(&o, test->level);
    put(&o, "findings", encode_findings(test));
    put(&o, "known", json_boolean(test->known));
    put_string(&o, "known_note", test->known_note);
    put_integer(&o, "reruns", test->reruns);
    put_string(&o, "file", test->file);
    put_integer(&o, "line", test->line);
    put_string(&o, "pcap", test->pcap);
    put(&o, "pixit", encode_settings(test->pixit, test->pixit_count));
    put(&o, "trace", encode_trace(test));
    put(&o, "transitions", encode_strings(test->transitions, test->transition_count));
    return object_finish(&o);
}

json_t *encode_end(int64_t duration_ns)
{
    struct object o = object_new();
    put_string(&o, "type", "end");
    put_integer(&o, "duration_ns", duration_ns);
    return object_finish(&o);
}

/* Counters are 64 bits without a sign, JSON integers here 63. */
static void put_counter(struct object *o, const char *key, uint64_t value)
{
    put_integer(o, key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

/* Appends the object to the list, which becomes NULL when memory runs out. */
static void append(json_t **list, struct object *o)
{
    json_t *value = object_finish(o);
    if (*list && value && json_array_append_new(*list, value) == 0)
        return;
    json_decref(*list);
    *list = NULL;
}

static json_t *encode_rules(const struct coverage *coverage)
{
    json_t *list = json_array();
    for (enum rule_id id = 0; id < RULE_COUNT; id++) {
        if (!coverage->tested[id] && !coverage->violated[id])
            continue;
        struct object o = object_new();
        put_string(&o, "rule", rule_at(id)->name);
        put_counter(&o, "tested", coverage->tested[id]);
        put_counter(&o, "violated", coverage->violated[id]);
        append(&list, &o);
    }
    return list;
}

static json_t *encode_transitions(const struct coverage *coverage)
{
    json_t *list = json_array();
    for (enum tcp_state from = 0; from < TCP_STATE_COUNT; from++)
        for (enum model_event event = 0; event < EVENT_COUNT; event++)
            for (enum tcp_state to = 0; to < TCP_STATE_COUNT; to++) {
                if (!coverage->transitions[from][event][to])
                    continue;
                struct object o = object_new();
                put_string(&o, "from", tcp_state_name(from));
                put_string(&o, "event", model_event_name(event));
                put_string(&o, "to", tcp_state_name(to));
                put_counter(&o, "count", coverage->transitions[from][event][to]);
                append(&list, &o);
            }
    return list;
}

json_t *encode_coverage(const struct coverage *coverage)
{
    struct object o = object_new();
    put(&o, "rules", encode_rules(coverage));
    put(&o, "transitions", encode_transitions(coverage));
    return object_finish(&o);
}

json_t *encode_portrait(const struct portrait *portrait)
{
    static const char *const units[] = {
        [CHOICE_YES_NO] = "yes or no", [CHOICE_NUMBER] = "number", [CHOICE_OCTETS] = "octets", [CHOICE_TIME] = "ns"};
    char text[256];
    json_t *list = json_array();
    for (enum choice_id id = 0; id < CHOICE_COUNT; id++) {
        const struct portrait_entry *entry = &portrait->choices[id];
        if (!entry->count)
            continue;
        struct object o = object_new();
        portrait_describe(portrait, id, text, sizeof text);
        put_string(&o, "choice", choice_at(id)->id);
        put_string(&o, "question", choice_at(id)->question);
        put_string(&o, "source", choice_at(id)->source);
        put_string(&o, "unit", units[choice_at(id)->unit]);
        put_counter(&o, "count", entry->count);
        put_integer(&o, "min", entry->min);
        put_integer(&o, "max", entry->max);
        put_integer(&o, "sum", entry->sum);
        put_string(&o, "text", text);
        append(&list, &o);
    }
    return list;
}

json_t *encode_model(const struct result_model *model)
{
    struct object o = object_new();
    put_string(&o, "type", "model");
    put(&o, "coverage", encode_coverage(&model->coverage));
    put(&o, "portrait", encode_portrait(&model->portrait));
    return object_finish(&o);
}

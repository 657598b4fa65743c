/* Prints a scenario in canonical form: front matter, options, tables, then a step a line. What is a default is left out.
 *
 * Reading the text again gives an equal scenario (equal.c says what that is); the tests and the fuzzer hold the printer to that.
 */
#include "engine/scenario/names.h"
#include "engine/scenario/sink.h"

#include <stdlib.h>
#include <string.h>

enum { TIME_COLUMNS = 8 };

static void put_block(struct scn_sink *sink, const struct scn_block *block, unsigned indent);

/* ---- what describes ---------------------------------------------------------------------------------------------- */

static void put_words(struct scn_sink *sink, const char *key, const char *const *words, unsigned count)
{
    if (count == 0)
        return;
    scn_put(sink, "//: %-10s", key);
    for (unsigned i = 0; i < count; i++)
        scn_put(sink, " %s", words[i]);
    scn_put(sink, "\n");
}

static void put_needs(struct scn_sink *sink)
{
    const char *names[32];
    unsigned count = 0;
    for (unsigned bit = 0; bit < scn_need_word_count; bit++)
        if (sink->scenario->needs & 1u << bit)
            names[count++] = scn_need_words[bit];
    put_words(sink, "needs", names, count);
}

static void put_duration(struct scn_sink *sink, const char *key, int64_t ns)
{
    scn_put(sink, "//: %-10s ", key);
    scn_put_time(sink, ns);
    scn_put(sink, "s\n");
}

static void put_endpoints(struct scn_sink *sink)
{
    for (unsigned i = 0; i < sink->scenario->endpoint_count; i++) {
        const struct scn_endpoint *endpoint = &sink->scenario->endpoints[i];
        if (endpoint->address_index != 1 || endpoint->port_index != 0)
            scn_put(sink, "//: endpoint   %s address %u to %u\n", endpoint->name, endpoint->address_index, endpoint->port_index);
    }
}

static void put_front_matter(struct scn_sink *sink)
{
    static const char *const levels[] = { [SCN_LEVEL_MUST] = "MUST", [SCN_LEVEL_SHOULD] = "SHOULD", [SCN_LEVEL_MAY] = "MAY" };
    const struct scenario *s = sink->scenario;
    scn_put(sink, "//: title      %s\n", s->title);
    if (s->purpose)
        scn_put(sink, "//: purpose    %s\n", s->purpose);
    put_words(sink, "covers", s->covers, s->cover_count);
    if (s->level != SCN_LEVEL_DEFAULT)
        scn_put(sink, "//: level      %s\n", levels[s->level]);
    put_needs(sink);
    put_words(sink, "killed-by", s->killed_by, s->killed_by_count);
    if (s->profile != SCN_FULL)
        scn_put(sink, "//: profile    %s\n", scn_profile_name(s->profile));
    if (!s->ipv4 || !s->ipv6)
        scn_put(sink, "//: ip         %d\n", s->ipv4 ? 4 : 6);
    for (unsigned i = 0; i < s->setting_count; i++)
        scn_put(sink, "//: setting    %s %s\n", s->settings[i].name, s->settings[i].value);
    if (s->has_isn)
        scn_put(sink, "//: isn        %u\n", s->isn);
    if (s->patience_ns != SCN_PATIENCE_DEFAULT_NS)
        put_duration(sink, "patience", s->patience_ns);
    if (s->tolerance_ns >= 0)
        put_duration(sink, "tolerance", s->tolerance_ns);
    if (s->judge_off) {
        scn_put(sink, "//: judge      off ");
        scn_put_quoted(sink, s->judge_off, strlen(s->judge_off));
        scn_put(sink, "\n");
    }
    put_endpoints(sink);
}

static void put_options(struct scn_sink *sink)
{
    for (unsigned i = 0; i < sink->scenario->option_count; i++) {
        const struct scn_setting *option = &sink->scenario->options[i];
        scn_put(sink, "--%s%s%s\n", option->name, option->value[0] ? "=" : "", option->value);
    }
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static void put_cell(struct scn_sink *sink, const struct scn_value *value)
{
    switch (value->kind) {
    case SCN_VALUE_UNSET: break;
    case SCN_VALUE_NUMBER: scn_put_expr(sink, &(struct scn_expr){ .kind = SCN_EXPR_NUMBER, .number = value->number }); break;
    case SCN_VALUE_FLAGS: scn_put_flags(sink, (unsigned)value->number); break;
    case SCN_VALUE_STRING: scn_put_quoted(sink, value->text, value->text_len); break;
    case SCN_VALUE_ENDPOINT: scn_put_endpoint(sink, &(struct scn_endpoint_ref){ (unsigned)value->number, NULL }); break;
    }
}

static void put_table(struct scn_sink *sink, const struct scn_table *table)
{
    scn_put(sink, "each");
    for (unsigned i = 0; i < table->slot_count; i++)
        scn_put(sink, "%s $%s", i ? "," : "", sink->scenario->variables[table->slots[i]]);
    scn_put(sink, " in");
    for (unsigned i = 0; i < table->row_count; i++) {
        scn_put(sink, i ? ", (" : " (");
        for (unsigned j = 0; j < table->slot_count; j++) {
            scn_put(sink, "%s", j ? ", " : "");
            put_cell(sink, &table->cells[i * table->slot_count + j]);
        }
        scn_put(sink, ")");
    }
    scn_put(sink, "\n");
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void put_step_time(struct scn_sink *sink, const struct scn_time *time)
{
    const size_t before = sink->len;
    const char *plus = time->kind == SCN_TIME_RELATIVE ? "+" : "";
    if (time->kind == SCN_TIME_NONE)
        return;
    if (time->kind == SCN_TIME_ANY) {
        scn_put(sink, "*");
    } else {
        scn_put(sink, "%s", plus);
        scn_put_time(sink, time->from_ns);
    }
    if (time->is_range) {
        scn_put(sink, "~%s", plus);
        scn_put_time(sink, time->to_ns);
    }
    if (time->has_return) {
        scn_put(sink, "...%s", time->return_relative ? "+" : "");
        scn_put_time(sink, time->return_ns);
    }
    do
        scn_put(sink, " ");
    while (sink->len < before + TIME_COLUMNS);
}

static void put_call(struct scn_sink *sink, const struct scn_call *call)
{
    scn_put(sink, "%s(", call->name);
    for (unsigned i = 0; i < call->argument_count; i++) {
        scn_put(sink, "%s", i ? ", " : "");
        scn_put_expr(sink, call->arguments[i]);
    }
    scn_put(sink, ")");
    if (call->result.relation == SCN_ANY) {
        scn_put(sink, " = ...");
    } else if (call->result.relation != SCN_NONE) {
        scn_put(sink, " = ");
        scn_put_match_closed(sink, &call->result);
    }
    if (call->error)
        scn_put(sink, " %s", call->error);
    if (call->note)
        scn_put(sink, " (%s)", call->note);
}

static void put_states(struct scn_sink *sink, unsigned mask)
{
    const char *before = " ";
    for (unsigned i = 0; i < TCP_STATE_COUNT; i++) {
        if (mask & 1u << i) {
            scn_put(sink, "%s%s", before, tcp_state_name((enum tcp_state)i));
            before = " or ";
        }
    }
}

static void put_optional_endpoint(struct scn_sink *sink, const struct scn_endpoint_ref *endpoint)
{
    if (endpoint->slot == 0 && !endpoint->subscript)
        return;
    scn_put(sink, " ");
    scn_put_endpoint(sink, endpoint);
}

static void put_braces(struct scn_sink *sink, const struct scn_block *block, unsigned indent)
{
    scn_put(sink, "{\n");
    put_block(sink, block, indent + 1);
    scn_put_indent(sink, indent);
    scn_put(sink, "}");
}

static void put_never(struct scn_sink *sink, const struct scn_step *step, unsigned indent)
{
    scn_put(sink, "never ");
    for (unsigned i = 0; i < step->never.count; i++) {
        scn_put(sink, "%s", i ? ", " : "");
        scn_put_packet(sink, step->never.packets[i], false);
    }
    if (step->never.has_block) {
        scn_put(sink, " ");
        put_braces(sink, &step->never.block, indent);
    }
}

static void put_either(struct scn_sink *sink, const struct scn_step *step, unsigned indent)
{
    for (unsigned i = 0; i < step->either.count; i++) {
        scn_put(sink, i ? " or " : "either ");
        put_braces(sink, &step->either.branches[i], indent);
    }
}

static void put_repeat(struct scn_sink *sink, const struct scn_step *step, unsigned indent)
{
    scn_put(sink, "repeat ");
    scn_put_arith(sink, step->repeat.times);
    if (step->repeat.slot >= 0)
        scn_put(sink, " $%s", sink->scenario->variables[step->repeat.slot]);
    scn_put(sink, " ");
    put_braces(sink, &step->repeat.block, indent);
}

static void put_assertion(struct scn_sink *sink, const struct scn_step *step)
{
    scn_put(sink, "assert ");
    scn_put_expr(sink, step->assertion.condition);
    if (step->assertion.why) {
        scn_put(sink, " ");
        scn_put_quoted(sink, step->assertion.why, strlen(step->assertion.why));
    }
}

static void put_link(struct scn_sink *sink, const struct scn_step *step)
{
    scn_put(sink, "link %s %c ", scn_link_event_name(step->link.event), step->link.inbound ? '<' : '>');
    scn_put_arith(sink, step->link.nth);
    if (step->link.event == SCN_LINK_DELAY) {
        scn_put(sink, " ");
        scn_put_time(sink, step->link.delay_ns);
        scn_put(sink, "s");
    }
}

static void put_step(struct scn_sink *sink, const struct scn_step *step, unsigned indent)
{
    static const char *const phases[] = { [SCN_BODY] = "body", [SCN_PREAMBLE] = "preamble", [SCN_POSTAMBLE] = "postamble" };
    put_step_time(sink, &step->time);
    switch (step->kind) {
    case SCN_STEP_INJECT: case SCN_STEP_EXPECT: scn_put_packet(sink, step->packet, step->kind == SCN_STEP_INJECT); break;
    case SCN_STEP_CALL: put_call(sink, &step->call); break;
    case SCN_STEP_COMMAND: scn_put(sink, "`%s`", step->text); break;
    case SCN_STEP_CODE: scn_put(sink, "%%{%s}%%", step->text); break;
    case SCN_STEP_PHASE: scn_put(sink, "//: %s", phases[step->phase]); break;
    case SCN_STEP_COVERS:
        scn_put(sink, "//: covers    ");
        for (unsigned i = 0; i < step->covers.count; i++)
            scn_put(sink, " %s", step->covers.ids[i]);
        break;
    case SCN_STEP_STATE:
        scn_put(sink, "state");
        put_optional_endpoint(sink, &step->state.endpoint);
        put_states(sink, step->state.state_mask);
        break;
    case SCN_STEP_NEVER: put_never(sink, step, indent); break;
    case SCN_STEP_FENCE: scn_put(sink, "fence"); put_optional_endpoint(sink, &step->fence.endpoint); break;
    case SCN_STEP_EITHER: put_either(sink, step, indent); break;
    case SCN_STEP_REPEAT: put_repeat(sink, step, indent); break;
    case SCN_STEP_GATHER:
        scn_put(sink, "gather");
        put_optional_endpoint(sink, &step->gather.endpoint);
        scn_put(sink, " ");
        scn_put_match(sink, &step->gather.from);
        scn_put(sink, ":");
        scn_put_match(sink, &step->gather.to);
        break;
    case SCN_STEP_LET:
        scn_put(sink, "let $%s = ", sink->scenario->variables[step->let.slot]);
        scn_put_expr(sink, step->let.value);
        break;
    case SCN_STEP_ASSERT: put_assertion(sink, step); break;
    case SCN_STEP_LINK: put_link(sink, step); break;
    case SCN_STEP_INCARNATION: scn_put(sink, "incarnation"); put_optional_endpoint(sink, &step->incarnation.endpoint); break;
    case SCN_STEP_WAIT: scn_put(sink, "wait"); break;
    case SCN_STEP_SKIP: scn_put(sink, "skip "); scn_put_quoted(sink, step->text, strlen(step->text)); break;
    case SCN_STEP_KIND_COUNT: break;
    }
}

static void put_block(struct scn_sink *sink, const struct scn_block *block, unsigned indent)
{
    for (unsigned i = 0; i < block->count; i++) {
        scn_put_indent(sink, indent);
        put_step(sink, &block->steps[i], indent);
        scn_put(sink, "\n");
    }
}

/* ---- the interface ----------------------------------------------------------------------------------------------- */

char *scn_print(const struct scenario *scenario)
{
    struct scn_sink sink = { .scenario = scenario, .grows = true };
    scn_put(&sink, "%s", ""); /* so that there is a text even when there is nothing in it */
    if (scenario->has_front_matter)
        put_front_matter(&sink);
    put_options(&sink);
    for (unsigned i = 0; i < scenario->table_count; i++)
        put_table(&sink, &scenario->tables[i]);
    put_block(&sink, &scenario->body, 0);
    if (!sink.failed)
        return sink.out;
    free(sink.out);
    return NULL;
}

static struct scn_sink fixed_sink(const struct scenario *scenario, char *out, size_t capacity)
{
    if (capacity > 0)
        out[0] = '\0';
    return (struct scn_sink){ .scenario = scenario, .out = out, .capacity = capacity };
}

int scn_print_step(const struct scenario *scenario, const struct scn_step *step, char *out, size_t capacity)
{
    struct scn_sink sink = fixed_sink(scenario, out, capacity);
    put_step(&sink, step, 0);
    return (int)sink.len;
}

int scn_print_packet(const struct scenario *scenario, const struct scn_packet *packet, bool injection, char *out, size_t capacity)
{
    struct scn_sink sink = fixed_sink(scenario, out, capacity);
    scn_put_packet(&sink, packet, injection);
    return (int)sink.len;
}

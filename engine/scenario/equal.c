/* Do two scenarios mean the same? Places, source texts and the order of the tables of names do not count. */
#include "engine/scenario/scenario.h"

#include <string.h>

struct pair { const struct scenario *a, *b; }; /* the scenarios that slots are looked up in */

static bool equal_blocks(const struct pair *in, const struct scn_block *a, const struct scn_block *b);

/* ---- small things ------------------------------------------------------------------------------------------------ */

static bool equal_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool equal_octets(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool equal_words(const char *const *a, unsigned a_count, const char *const *b, unsigned b_count)
{
    if (a_count != b_count)
        return false;
    for (unsigned i = 0; i < a_count; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static bool equal_settings(const struct scn_setting *a, unsigned a_count, const struct scn_setting *b, unsigned b_count)
{
    if (a_count != b_count)
        return false;
    for (unsigned i = 0; i < a_count; i++)
        if (strcmp(a[i].name, b[i].name) != 0 || strcmp(a[i].value, b[i].value) != 0)
            return false;
    return true;
}

static bool equal_variables(const struct pair *in, unsigned a, unsigned b)
{
    return strcmp(in->a->variables[a], in->b->variables[b]) == 0;
}

static bool equal_slots(const struct pair *in, int a, int b) /* -1: none */
{
    return a < 0 || b < 0 ? a == b : equal_variables(in, (unsigned)a, (unsigned)b);
}

static bool equal_endpoint_names(const struct pair *in, unsigned a, unsigned b)
{
    return strcmp(in->a->endpoints[a].name, in->b->endpoints[b].name) == 0;
}

static bool equal_time(const struct scn_time *a, const struct scn_time *b)
{
    return a->kind == b->kind && a->is_range == b->is_range && a->has_return == b->has_return && a->return_relative == b->return_relative
           && a->from_ns == b->from_ns && a->to_ns == b->to_ns && a->return_ns == b->return_ns;
}

/* ---- expressions ------------------------------------------------------------------------------------------------- */

static bool equal_leaves(const struct pair *in, const struct scn_expr *a, const struct scn_expr *b)
{
    switch (a->kind) {
    case SCN_EXPR_NUMBER: case SCN_EXPR_FLAGS: return a->number == b->number;
    case SCN_EXPR_VARIABLE: return equal_variables(in, a->slot, b->slot);
    case SCN_EXPR_ENDPOINT: return equal_endpoint_names(in, a->slot, b->slot);
    case SCN_EXPR_UNARY: case SCN_EXPR_BINARY: return a->op == b->op;
    case SCN_EXPR_STRING: case SCN_EXPR_CONCAT: case SCN_EXPR_NAME: case SCN_EXPR_CALL: case SCN_EXPR_FIELD: case SCN_EXPR_FLOAT:
        return equal_octets(a->text, a->text_len, b->text, b->text_len);
    case SCN_EXPR_ELLIPSIS: case SCN_EXPR_LIST: case SCN_EXPR_STRUCT: return true;
    }
    return false;
}

static bool equal_exprs(const struct pair *in, const struct scn_expr *a, const struct scn_expr *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->child_count != b->child_count || !equal_leaves(in, a, b))
        return false;
    for (unsigned i = 0; i < a->child_count; i++)
        if (!equal_exprs(in, a->child[i], b->child[i]))
            return false;
    return true;
}

static bool equal_matches(const struct pair *in, const struct scn_match *a, const struct scn_match *b)
{
    return a->relation == b->relation && equal_exprs(in, a->value, b->value) && equal_exprs(in, a->upper, b->upper);
}

static bool equal_endpoints(const struct pair *in, const struct scn_endpoint_ref *a, const struct scn_endpoint_ref *b)
{
    return equal_endpoint_names(in, a->slot, b->slot) && equal_exprs(in, a->subscript, b->subscript);
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static bool equal_options(const struct pair *in, const struct scn_option *a, const struct scn_option *b)
{
    if (a->kind != b->kind || a->form != b->form || a->experimental != b->experimental || a->negated != b->negated
        || a->has_bytes != b->has_bytes || a->value_count != b->value_count || !equal_octets(a->bytes, a->bytes_len, b->bytes, b->bytes_len)
        || !equal_text(a->symbol, b->symbol) || !equal_exprs(in, a->stated_len, b->stated_len))
        return false;
    for (unsigned i = 0; i < a->value_count; i++)
        if (!equal_matches(in, &a->values[i], &b->values[i]))
            return false;
    return true;
}

static bool equal_overrides(const struct pair *in, const struct scn_override *a, const struct scn_override *b)
{
    return a->key == b->key && a->special == b->special && equal_matches(in, &a->value, &b->value)
           && equal_octets(a->bytes, a->bytes_len, b->bytes, b->bytes_len) && pkt_addr_equal(&a->address, &b->address);
}

static bool equal_icmp(const struct pair *in, const struct scn_icmp *a, const struct scn_icmp *b)
{
    return equal_exprs(in, a->type, b->type) && equal_exprs(in, a->code, b->code) && equal_matches(in, &a->mtu, &b->mtu)
           && equal_matches(in, &a->id, &b->id) && a->quotes_segment == b->quotes_segment && equal_text(a->quotes_other, b->quotes_other);
}

static bool equal_numbers(const struct pair *in, const struct scn_packet *a, const struct scn_packet *b)
{
    return equal_matches(in, &a->seq, &b->seq) && equal_matches(in, &a->seq_end, &b->seq_end) && equal_matches(in, &a->len, &b->len)
           && equal_matches(in, &a->ack, &b->ack) && equal_matches(in, &a->window, &b->window) && equal_matches(in, &a->urgent, &b->urgent)
           && equal_matches(in, &a->tos, &b->tos) && equal_matches(in, &a->ttl, &b->ttl) && equal_matches(in, &a->flow_label, &b->flow_label)
           && equal_matches(in, &a->src_port, &b->src_port) && equal_matches(in, &a->dst_port, &b->dst_port);
}

static bool equal_packets(const struct pair *in, const struct scn_packet *a, const struct scn_packet *b)
{
    if (a->protocol != b->protocol || !equal_endpoints(in, &a->endpoint, &b->endpoint) || a->flags_any != b->flags_any || a->flags != b->flags
        || a->flags_care != b->flags_care || a->flags_open != b->flags_open || !equal_exprs(in, a->flags_value, b->flags_value)
        || a->ace != b->ace || !equal_numbers(in, a, b)
        || a->options_given != b->options_given || a->options_any != b->options_any || a->options_open != b->options_open
        || a->option_count != b->option_count || a->ecn != b->ecn || !equal_icmp(in, &a->icmp, &b->icmp)
        || !equal_octets(a->raw, a->raw_len, b->raw, b->raw_len) || a->override_count != b->override_count
        || !equal_slots(in, a->capture_at_slot, b->capture_at_slot) || !equal_text(a->encapsulation, b->encapsulation))
        return false;
    for (unsigned i = 0; i < a->option_count; i++)
        if (!equal_options(in, &a->options[i], &b->options[i]))
            return false;
    for (unsigned i = 0; i < a->override_count; i++)
        if (!equal_overrides(in, &a->overrides[i], &b->overrides[i]))
            return false;
    return true;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static bool equal_calls(const struct pair *in, const struct scn_call *a, const struct scn_call *b)
{
    if (strcmp(a->name, b->name) != 0 || a->argument_count != b->argument_count || !equal_matches(in, &a->result, &b->result)
        || !equal_text(a->error, b->error) || !equal_text(a->note, b->note))
        return false;
    for (unsigned i = 0; i < a->argument_count; i++)
        if (!equal_exprs(in, a->arguments[i], b->arguments[i]))
            return false;
    return true;
}

static bool equal_nevers(const struct pair *in, const struct scn_step *a, const struct scn_step *b)
{
    if (a->never.count != b->never.count || a->never.has_block != b->never.has_block)
        return false;
    for (unsigned i = 0; i < a->never.count; i++)
        if (!equal_packets(in, a->never.packets[i], b->never.packets[i]))
            return false;
    return !a->never.has_block || equal_blocks(in, &a->never.block, &b->never.block);
}

static bool equal_branches(const struct pair *in, const struct scn_step *a, const struct scn_step *b)
{
    if (a->either.count != b->either.count)
        return false;
    for (unsigned i = 0; i < a->either.count; i++)
        if (!equal_blocks(in, &a->either.branches[i], &b->either.branches[i]))
            return false;
    return true;
}

static bool equal_steps(const struct pair *in, const struct scn_step *a, const struct scn_step *b)
{
    if (a->kind != b->kind || !equal_time(&a->time, &b->time))
        return false;
    switch (a->kind) {
    case SCN_STEP_INJECT: case SCN_STEP_EXPECT: return equal_packets(in, a->packet, b->packet);
    case SCN_STEP_CALL: return equal_calls(in, &a->call, &b->call);
    case SCN_STEP_COMMAND: case SCN_STEP_CODE: return strcmp(a->text, b->text) == 0;
    case SCN_STEP_PHASE: return a->phase == b->phase;
    case SCN_STEP_COVERS: return equal_words(a->covers.ids, a->covers.count, b->covers.ids, b->covers.count);
    case SCN_STEP_STATE: return equal_endpoints(in, &a->state.endpoint, &b->state.endpoint) && a->state.state_mask == b->state.state_mask;
    case SCN_STEP_NEVER: return equal_nevers(in, a, b);
    case SCN_STEP_FENCE: return equal_endpoints(in, &a->fence.endpoint, &b->fence.endpoint);
    case SCN_STEP_INCARNATION: return equal_endpoints(in, &a->incarnation.endpoint, &b->incarnation.endpoint);
    case SCN_STEP_EITHER: return equal_branches(in, a, b);
    case SCN_STEP_REPEAT:
        return equal_exprs(in, a->repeat.times, b->repeat.times) && equal_slots(in, a->repeat.slot, b->repeat.slot)
               && equal_blocks(in, &a->repeat.block, &b->repeat.block);
    case SCN_STEP_GATHER:
        return equal_endpoints(in, &a->gather.endpoint, &b->gather.endpoint) && equal_matches(in, &a->gather.from, &b->gather.from)
               && equal_matches(in, &a->gather.to, &b->gather.to);
    case SCN_STEP_LET: return equal_variables(in, a->let.slot, b->let.slot) && equal_exprs(in, a->let.value, b->let.value);
    case SCN_STEP_ASSERT:
        return equal_exprs(in, a->assertion.condition, b->assertion.condition) && equal_text(a->assertion.why, b->assertion.why);
    case SCN_STEP_LINK:
        return a->link.event == b->link.event && a->link.inbound == b->link.inbound && equal_exprs(in, a->link.nth, b->link.nth)
               && a->link.delay_ns == b->link.delay_ns;
    case SCN_STEP_SKIP: return equal_text(a->text, b->text);
    case SCN_STEP_WAIT: case SCN_STEP_KIND_COUNT: return true;
    }
    return false;
}

static bool equal_blocks(const struct pair *in, const struct scn_block *a, const struct scn_block *b)
{
    if (a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (!equal_steps(in, &a->steps[i], &b->steps[i]))
            return false;
    return true;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static bool equal_values(const struct pair *in, const struct scn_value *a, const struct scn_value *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == SCN_VALUE_STRING)
        return equal_octets(a->text, a->text_len, b->text, b->text_len);
    if (a->kind == SCN_VALUE_ENDPOINT)
        return equal_endpoint_names(in, (unsigned)a->number, (unsigned)b->number);
    return a->number == b->number;
}

static bool equal_tables(const struct pair *in, const struct scn_table *a, const struct scn_table *b)
{
    if (a->slot_count != b->slot_count || a->row_count != b->row_count)
        return false;
    for (unsigned i = 0; i < a->slot_count; i++)
        if (!equal_variables(in, a->slots[i], b->slots[i]))
            return false;
    for (size_t i = 0; i < (size_t)a->row_count * a->slot_count; i++)
        if (!equal_values(in, &a->cells[i], &b->cells[i]))
            return false;
    return true;
}

/* Where every endpoint of a is in b the same; one that is missing is one that nothing is said about. */
static bool endpoints_within(const struct scenario *a, const struct scenario *b)
{
    for (unsigned i = 0; i < a->endpoint_count; i++) {
        unsigned address_index = 1, port_index = 0;
        for (unsigned j = 0; j < b->endpoint_count; j++) {
            if (strcmp(a->endpoints[i].name, b->endpoints[j].name) == 0) {
                address_index = b->endpoints[j].address_index;
                port_index = b->endpoints[j].port_index;
            }
        }
        if (a->endpoints[i].address_index != address_index || a->endpoints[i].port_index != port_index)
            return false;
    }
    return true;
}

bool scn_equal(const struct scenario *a, const struct scenario *b)
{
    const struct pair in = { a, b };
    if (a->has_front_matter != b->has_front_matter || !equal_text(a->title, b->title) || !equal_text(a->purpose, b->purpose)
        || !equal_words(a->covers, a->cover_count, b->covers, b->cover_count)
        || !equal_words(a->killed_by, a->killed_by_count, b->killed_by, b->killed_by_count)
        || a->level != b->level || a->profile != b->profile || a->needs != b->needs || a->ipv4 != b->ipv4 || a->ipv6 != b->ipv6
        || !equal_settings(a->settings, a->setting_count, b->settings, b->setting_count)
        || !equal_settings(a->options, a->option_count, b->options, b->option_count)
        || !equal_text(a->judge_off, b->judge_off)
        || a->has_isn != b->has_isn || a->isn != b->isn || a->patience_ns != b->patience_ns || a->tolerance_ns != b->tolerance_ns
        || !endpoints_within(a, b) || !endpoints_within(b, a) || a->table_count != b->table_count)
        return false;
    for (unsigned i = 0; i < a->table_count; i++)
        if (!equal_tables(&in, &a->tables[i], &b->tables[i]))
            return false;
    return equal_blocks(&in, &a->body, &b->body);
}

/* Do two steps do the same? Not: do they read the same. `write(4, ..., 10) = 10` sends what `send(4, ..., 10, MSG_DONTWAIT) = ...`
 * sends, and `ack 11` acknowledges what `ack rcv_nxt()` does where that is 11. What is expected is not compared: octets expect
 * nothing. */
#include "engine/scenario/bytes/inside.h"

#include <string.h>

enum { WINDOW_DEFAULT = 65535 };

struct pair { const struct variables *a, *b; const struct naming *naming; };

/* ---- names ------------------------------------------------------------------------------------------------------- */

int64_t bytes_descriptor(const struct naming *naming, int64_t script)
{
    for (unsigned i = naming->descriptor_count; i-- > 0;)
        if (naming->descriptors[i].script == script)
            return naming->descriptors[i].octets;
    return script;
}

/* @d is where port 1 is, others keep their places as far as there are. */
unsigned bytes_endpoint(const struct naming *naming, const struct scn_endpoint_ref *endpoint, bool *exact)
{
    const unsigned slot = endpoint->slot, last = ENDPOINT_COUNT - 1;
    const struct scn_endpoint *named = &naming->scenario->endpoints[slot];
    const bool second_port = slot && named->port_index == 1;
    const unsigned place = second_port ? last : slot < last ? slot : last - 1;
    *exact = !endpoint->subscript && named->address_index == 1 && named->port_index == (second_port ? 1 : 0) &&
             (second_port || slot < last);
    return place;
}

static const struct { const char *name; uint8_t types[2]; } icmp_types[] = {
    {"unreachable", {3, 1}}, {"time_exceeded", {11, 3}}, {"parameter_problem", {12, 4}}, {"source_quench", {4, 1}}, {"packet_too_big", {3, 2}},
    {"redirect", {5, 1}}};
static const struct { const char *name; uint8_t codes[2]; } icmp_codes[] = {
    {"net_unreachable", {0, 0}}, {"host_unreachable", {1, 3}}, {"protocol_unreachable", {2, 4}}, {"port_unreachable", {3, 4}}, {"frag_needed", {4, 0}},
    {"no_route", {0, 0}}, {"admin_prohibited", {13, 1}}, {"address_unreachable", {1, 3}}};

void bytes_icmp_numbers(const struct variables *variables, const struct scn_packet *packet, unsigned version, int64_t *type,
                        int64_t *code)
{
    const struct scn_expr *of_type = packet->icmp.type, *of_code = packet->icmp.code;
    *type = bytes_constant(variables, of_type, 3);
    *code = of_code ? bytes_constant(variables, of_code, 0) : 0;
    for (unsigned i = 0; i < sizeof icmp_types / sizeof *icmp_types; i++)
        if (of_type->kind == SCN_EXPR_NAME && !strcmp(of_type->text, icmp_types[i].name))
            *type = icmp_types[i].types[version];
    for (unsigned i = 0; i < sizeof icmp_codes / sizeof *icmp_codes; i++)
        if (of_code && of_code->kind == SCN_EXPR_NAME && !strcmp(of_code->text, icmp_codes[i].name))
            *code = icmp_codes[i].codes[version];
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static bool same_linear(const struct linear *a, const struct linear *b)
{
    return a->known && b->known && !a->assumed && (uint32_t)a->constant == (uint32_t)b->constant && !memcmp(a->terms, b->terms, sizeof a->terms) &&
           a->absolute == b->absolute;
}

static bool same_expr(const struct pair *p, const struct scn_expr *a, const struct scn_expr *b)
{
    const struct linear of_a = bytes_settled(p->a, bytes_linear(p->a, a)), of_b = bytes_settled(p->b, bytes_linear(p->b, b));
    return same_linear(&of_a, &of_b);
}

/* What is left out is the fallback. */
static struct linear filled(const struct variables *variables, const struct scn_match *match, int64_t fallback)
{
    if (match->relation != SCN_EQ)
        return (struct linear){.constant = fallback, .known = true};
    return bytes_settled(variables, bytes_linear(variables, match->value));
}

static bool same_filled(const struct pair *p, const struct scn_match *a, const struct scn_match *b, int64_t fallback)
{
    const struct linear of_a = filled(p->a, a, fallback), of_b = filled(p->b, b, fallback);
    return same_linear(&of_a, &of_b);
}

/* SEQ or ACK, as the player fills it in. */
static struct linear number_of(const struct variables *variables, const struct scn_match *match, bool ours, unsigned flags)
{
    struct linear next = {.known = true};
    if (match->relation == SCN_EQ)
        return bytes_number(variables, match, ours, flags & PKT_SYN);
    if (ours ? !(flags & PKT_SYN) : (flags & PKT_ACK) != 0)
        next.terms[ours ? TERM_SND_NXT : TERM_RCV_NXT] = 1;
    return bytes_settled(variables, next);
}

static bool same_number(const struct pair *p, const struct scn_match *a, const struct scn_match *b, bool ours, unsigned flags)
{
    const struct linear of_a = number_of(p->a, a, ours, flags), of_b = number_of(p->b, b, ours, flags);
    return same_linear(&of_a, &of_b);
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static bool same_option(const struct pair *p, const struct scn_option *a, const struct scn_option *b)
{
    if (a->kind != b->kind || a->form != b->form || a->value_count != b->value_count || a->experimental || a->symbol ||
        !a->stated_len != !b->stated_len)
        return false;
    if (a->bytes_len != b->bytes_len || (a->bytes_len && memcmp(a->bytes, b->bytes, a->bytes_len) != 0))
        return false;
    if (a->stated_len && !same_expr(p, a->stated_len, b->stated_len))
        return false;
    for (unsigned i = 0; i < a->value_count; i++)
        if (!same_filled(p, &a->values[i], &b->values[i], 0))
            return false;
    return true;
}

static bool same_options(const struct pair *p, const struct scn_packet *a, const struct scn_packet *b)
{
    if (a->option_count != b->option_count)
        return false;
    for (unsigned i = 0; i < a->option_count; i++)
        if (!same_option(p, &a->options[i], &b->options[i]))
            return false;
    return true;
}

static bool same_overrides(const struct pair *p, const struct scn_packet *a, const struct scn_packet *b)
{
    if (a->override_count != b->override_count)
        return false;
    for (unsigned i = 0; i < a->override_count; i++) {
        const struct scn_override *of_a = &a->overrides[i], *of_b = &b->overrides[i];
        if (of_a->key != of_b->key || of_a->special != of_b->special || of_a->bytes_len != of_b->bytes_len || of_a->bytes_len ||
            !same_filled(p, &of_a->value, &of_b->value, -1) || of_a->address.version)
            return false;
    }
    return true;
}

static unsigned ecn_of(const struct scn_packet *packet)
{
    return packet->ecn == SCN_ECN_NOT_ECT ? SCN_ECN_NONE_GIVEN : packet->ecn == SCN_ECN_ECT01 ? SCN_ECN_ECT0 : packet->ecn;
}

static bool has_other_fields(const struct scn_packet *packet)
{
    return packet->tos.relation != SCN_NONE || packet->ttl.relation != SCN_NONE || packet->flow_label.relation != SCN_NONE ||
           packet->src_port.relation != SCN_NONE || packet->dst_port.relation != SCN_NONE || packet->encapsulation ||
           packet->unsupported;
}

static const char *segment_differs(const struct pair *p, const struct scn_packet *a, const struct scn_packet *b)
{
    const unsigned flags = bytes_flags_of(p->a, a);
    return flags != bytes_flags_of(p->b, b) ? "flags"
           : !same_number(p, &a->seq, &b->seq, true, flags) ? "the sequence number"
           : !same_filled(p, &a->len, &b->len, 0) ? "the payload's length"
           : !same_number(p, &a->ack, &b->ack, false, flags) ? "the acknowledgment number"
           : !same_filled(p, &a->window, &b->window, WINDOW_DEFAULT) ? "the window"
           : !same_filled(p, &a->urgent, &b->urgent, 0) ? "the urgent pointer"
           : !same_options(p, a, b) ? "options"
           : !same_overrides(p, a, b) ? "overrides"
           : ecn_of(a) != ecn_of(b) || has_other_fields(a) ? "IP fields" : NULL;
}

static const char *icmp_differs(const struct pair *p, const struct scn_packet *a, const struct scn_packet *b)
{
    int64_t type[2], code[2];
    const unsigned version = p->naming->scenario->ipv4 ? 0 : 1;
    bytes_icmp_numbers(p->a, a, version, &type[0], &code[0]);
    bytes_icmp_numbers(p->b, b, version, &type[1], &code[1]);
    if (type[0] != type[1] || code[0] != code[1] || !same_filled(p, &a->icmp.mtu, &b->icmp.mtu, 0))
        return "ICMP's type, code or MTU";
    const bool same =
        a->icmp.quotes_segment && same_number(p, &a->seq, &b->seq, false, PKT_ACK) && same_filled(p, &a->len, &b->len, 0);
    return same && !a->override_count ? NULL : "what ICMP quotes";
}

static const char *packet_differs(const struct pair *p, const struct scn_packet *a, const struct scn_packet *b)
{
    bool exact;
    if (a->protocol != b->protocol)
        return "the protocol";
    if (bytes_endpoint(p->naming, &a->endpoint, &exact) != b->endpoint.slot || !exact)
        return "the endpoint";
    return a->protocol == SCN_ICMP ? icmp_differs(p, a, b) : segment_differs(p, a, b);
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

/* Calls by other names. */
static const char *plain_name(const char *name)
{
    static const char *const names[][2] = {{"read", "recv"}, {"recvfrom", "recv"}, {"write", "send"}, {"sendto", "send"}};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i][0]))
            return names[i][1];
    return name;
}

static const struct scn_expr *argument(const struct scn_call *call, unsigned i)
{
    return i < call->argument_count ? call->arguments[i] : NULL;
}

static bool is_left_open(const struct scn_expr *expr)
{
    return !expr || expr->kind == SCN_EXPR_ELLIPSIS || (expr->kind == SCN_EXPR_NAME && !strcmp(expr->text, "NULL"));
}

/* Names and numbers in the same places, whatever brackets are around them. */
static bool same_content(const struct pair *p, const struct scn_expr *a, const struct scn_expr *b)
{
    while (a && (a->kind == SCN_EXPR_LIST || (a->kind == SCN_EXPR_STRUCT && b && b->kind != SCN_EXPR_STRUCT)) &&
           a->child_count == 1)
        a = a->child[0];
    while (b && (b->kind == SCN_EXPR_LIST || (b->kind == SCN_EXPR_STRUCT && a && a->kind != SCN_EXPR_STRUCT)) &&
           b->child_count == 1)
        b = b->child[0];
    if (is_left_open(a) || is_left_open(b))
        return is_left_open(a) && is_left_open(b);
    if (a->kind == SCN_EXPR_NAME || b->kind == SCN_EXPR_NAME)
        return a->kind == b->kind && !strcmp(a->text, b->text);
    if (a->kind != SCN_EXPR_STRUCT && a->kind != SCN_EXPR_FIELD)
        return same_expr(p, a, b);
    if (a->kind != b->kind || a->child_count != b->child_count || (a->kind == SCN_EXPR_FIELD && strcmp(a->text, b->text) != 0))
        return false;
    for (unsigned i = 0; i < a->child_count; i++)
        if (!same_content(p, a->child[i], b->child[i]))
            return false;
    return true;
}

/* Flags of a transfer; whether it may wait is not among them. */
enum { TRANSFER_URGENT = 1, TRANSFER_OTHER = 2 };
static unsigned transfer_flags(const struct scn_expr *expr)
{
    unsigned found = 0;
    if (!expr)
        return 0;
    if (expr->kind == SCN_EXPR_NAME)
        return !strcmp(expr->text, "MSG_OOB") ? TRANSFER_URGENT : strcmp(expr->text, "MSG_DONTWAIT") && strcmp(expr->text, "MSG_NOSIGNAL") ? TRANSFER_OTHER : 0;
    for (unsigned i = 0; i < expr->child_count; i++)
        found |= transfer_flags(expr->child[i]);
    return found;
}

static bool same_transfer(const struct pair *p, const struct scn_call *a, const struct scn_call *b)
{
    return is_left_open(argument(a, 1)) && same_content(p, argument(a, 2), argument(b, 2)) &&
           transfer_flags(argument(a, 3)) == transfer_flags(argument(b, 3));
}

/* An address: that of an endpoint, or with a port of the IUT's. */
static bool same_address(const struct pair *p, const struct scn_expr *a, const struct scn_expr *b)
{
    bool exact = true;
    if (a && a->kind == SCN_EXPR_ENDPOINT) {
        const struct scn_endpoint_ref endpoint = {.slot = a->slot, .subscript = a->child_count ? a->child[0] : NULL};
        const unsigned place = bytes_endpoint(p->naming, &endpoint, &exact);
        return exact && place == (b && b->kind == SCN_EXPR_ENDPOINT ? b->slot : 0);
    }
    return same_content(p, a, b);
}

static bool same_descriptor(const struct pair *p, const struct scn_expr *a, const struct scn_expr *b)
{
    return bytes_descriptor(p->naming, bytes_constant(p->a, a, 0)) == bytes_constant(p->b, b, -1);
}

static const char *call_differs(const struct pair *p, const struct scn_step *step, const struct scn_call *a,
                                const struct scn_call *b)
{
    const char *name = plain_name(a->name);
    const bool makes = !strcmp(name, "socket") || !strcmp(name, "accept");
    if (strcmp(name, b->name) != 0)
        return "the call";
    if (step->time.has_return)
        return "that the call waits";
    if (makes && a->result.relation == SCN_EQ && !a->error && !same_descriptor(p, a->result.value, b->result.value))
        return "the descriptor";
    if (!strcmp(name, "socket"))
        return NULL;
    if (!same_descriptor(p, argument(a, 0), argument(b, 0)))
        return "the descriptor";
    if (!strcmp(name, "send") || !strcmp(name, "recv"))
        return same_transfer(p, a, b) ? NULL : "the call's arguments";
    if (!strcmp(name, "bind") || !strcmp(name, "connect") || !strcmp(name, "accept"))
        return same_address(p, argument(a, 1), argument(b, 1)) ? NULL : "the address";
    for (unsigned i = 1; i < b->argument_count && i < 4; i++)
        if (!same_content(p, argument(a, i), argument(b, i)))
            return "the call's arguments";
    return NULL;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static const char *endpoint_differs(const struct pair *p, const struct scn_endpoint_ref *a, const struct scn_endpoint_ref *b)
{
    bool exact;
    return bytes_endpoint(p->naming, a, &exact) != b->slot || !exact ? "the endpoint" : NULL;
}

static const char *link_differs(const struct pair *p, const struct scn_step *a, const struct scn_step *b)
{
    const bool same = a->link.event == b->link.event && a->link.inbound == b->link.inbound && same_expr(p, a->link.nth, b->link.nth) &&
                      (a->link.event != SCN_LINK_DELAY || a->link.delay_ns == b->link.delay_ns);
    return same ? NULL : "the link event";
}

const char *bytes_differs(const struct variables *variables, const struct naming *naming, const struct scn_step *a,
                          const struct scn_step *b)
{
    struct variables of_a = *variables, of_b = *variables;
    const struct pair p = {&of_a, &of_b, naming};
    of_a.endpoint = 0;
    if (a->kind != b->kind)
        return "the step";
    if (a->kind == SCN_STEP_INJECT)
        bytes_speak_of(&of_a, &a->packet->endpoint);
    /* b's names are those of octets: what it says of its own endpoint is said of the one that stands for it */
    of_b = of_a;
    of_b.own_endpoint = a->kind == SCN_STEP_INJECT;
    switch (a->kind) {
    case SCN_STEP_INJECT: return packet_differs(&p, a->packet, b->packet);
    case SCN_STEP_CALL: return call_differs(&p, a, &a->call, &b->call);
    case SCN_STEP_LINK: return link_differs(&p, a, b);
    case SCN_STEP_FENCE: return endpoint_differs(&p, &a->fence.endpoint, &b->fence.endpoint);
    case SCN_STEP_INCARNATION: return endpoint_differs(&p, &a->incarnation.endpoint, &b->incarnation.endpoint);
    default: return NULL;
    }
}

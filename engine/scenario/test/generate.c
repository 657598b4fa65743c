/* Makes random scenarios on an arena, step by step as the language allows them: each field is there or not, each number is a
 * literal or an expression, blocks nest. All variables come from tables, so that each has a value everywhere. */
#include "engine/scenario/test/generate.h"

#include "engine/scenario/arena.h"
#include "engine/scenario/names.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLES = 6, FLAG_VARIABLE = 5, ENDPOINTS = 3, DEPTH_MAX = 3, NESTING = 3 };
static const int64_t seq_min = -(INT64_C(1) << 31), u8_max = 0xff, u16_max = 0xffff, u24_max = 0xffffff, u32_max = UINT32_MAX;

struct generator {
    uint64_t state;
    struct scn_arena *arena;
    bool portable;
};

static uint64_t next(struct generator *g) /* splitmix64 */
{
    uint64_t z = g->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned below(struct generator *g, unsigned bound)
{
    return (unsigned)(next(g) % bound);
}

static bool one_in(struct generator *g, unsigned n)
{
    return below(g, n) == 0;
}

static int64_t between(struct generator *g, int64_t min, int64_t max)
{
    const uint64_t span = (uint64_t)max - (uint64_t)min;
    if (one_in(g, 4))
        return one_in(g, 2) ? min : max;
    return (int64_t)((uint64_t)min + (span == UINT64_MAX ? next(g) : next(g) % (span + 1)));
}

#define PICK(g, words) (words)[below(g, (unsigned)(sizeof(words) / sizeof *(words)))]

static void *make(struct generator *g, size_t count, size_t size)
{
    return scn_arena_alloc(g->arena, count, size);
}

static const char *octets(struct generator *g, size_t *len)
{
    static const char alphabet[] = "ab \n\t\\\"'`\x01\x7f\xff\xc3\xa9$@{}/*#";
    *len = below(g, 9);
    char *text = make(g, *len + 1, 1);
    for (size_t i = 0; i < *len; i++)
        text[i] = alphabet[below(g, sizeof alphabet)]; /* its NUL, too */
    return text;
}

/* ---- expressions ------------------------------------------------------------------------------------------------- */

static struct scn_expr *expression(struct generator *g, unsigned depth);

static struct scn_expr *node(struct generator *g, enum scn_expr_kind kind, unsigned children)
{
    struct scn_expr *expr = make(g, 1, sizeof *expr);
    expr->kind = kind;
    expr->child_count = children;
    expr->child = make(g, children, sizeof(struct scn_expr *));
    return expr;
}

static struct scn_expr *number(struct generator *g, int64_t value)
{
    struct scn_expr *expr = node(g, SCN_EXPR_NUMBER, 0);
    expr->number = value;
    return expr;
}

static struct scn_expr *variable(struct generator *g)
{
    struct scn_expr *expr = node(g, SCN_EXPR_VARIABLE, 0);
    expr->slot = below(g, VARIABLES);
    return expr;
}

static struct scn_expr *named(struct generator *g, enum scn_expr_kind kind, const char *text, unsigned children)
{
    struct scn_expr *expr = node(g, kind, children);
    expr->text = text;
    expr->text_len = strlen(text);
    return expr;
}

static struct scn_expr *endpoint_expr(struct generator *g)
{
    struct scn_expr *expr = node(g, SCN_EXPR_ENDPOINT, one_in(g, 3));
    expr->slot = below(g, ENDPOINTS);
    if (expr->child_count)
        expr->child[0] = number(g, between(g, 0, INT32_MAX));
    return expr;
}

static struct scn_expr *function_call(struct generator *g, unsigned depth)
{
    const struct scn_function *function = scn_function_from_name(scn_function_words[below(g, scn_function_word_count)]);
    const bool has_endpoint = function->takes_endpoint && one_in(g, 2);
    struct scn_expr *expr = named(g, SCN_EXPR_CALL, function->name, has_endpoint ? 1 : function->arguments);
    for (unsigned i = 0; i < expr->child_count; i++)
        expr->child[i] = has_endpoint ? endpoint_expr(g) : expression(g, depth + 1);
    return expr;
}

static struct scn_expr *binary(struct generator *g, unsigned depth)
{
    struct scn_expr *expr = node(g, SCN_EXPR_BINARY, 2);
    expr->op = (enum scn_op)below(g, SCN_OP_NOT);
    expr->child[0] = expression(g, depth + 1);
    expr->child[1] = expr->op == SCN_OP_DIV || expr->op == SCN_OP_MOD ? variable(g) : expression(g, depth + 1);
    return expr;
}

static struct scn_expr *unary(struct generator *g, unsigned depth)
{
    struct scn_expr *expr = node(g, SCN_EXPR_UNARY, 1);
    expr->op = one_in(g, 2) ? SCN_OP_NOT : SCN_OP_NEGATE;
    expr->child[0] = expression(g, depth + 1);
    if (expr->op == SCN_OP_NEGATE && expr->child[0]->kind == SCN_EXPR_NUMBER) /* which is a number itself */
        expr->child[0] = variable(g);
    return expr;
}

static struct scn_expr *flags_expr(struct generator *g)
{
    struct scn_expr *expr = node(g, SCN_EXPR_FLAGS, 0);
    expr->number = (int64_t)(PKT_SYN | below(g, 0x200));
    return expr;
}

static struct scn_expr *string_expr(struct generator *g)
{
    struct scn_expr *expr = node(g, SCN_EXPR_STRING, 0);
    expr->text = octets(g, &expr->text_len);
    return expr;
}

static struct scn_expr *expression(struct generator *g, unsigned depth)
{
    switch (depth < DEPTH_MAX ? below(g, 10) : below(g, 6)) {
    case 0: case 1: case 2: return number(g, between(g, one_in(g, 2) ? INT64_MIN : -10, one_in(g, 2) ? INT64_MAX : 10));
    case 3: return flags_expr(g);
    case 4: return string_expr(g);
    case 5: return variable(g);
    case 6: case 7: return binary(g, depth);
    case 8: return unary(g, depth);
    default: return function_call(g, depth);
    }
}

/* A number for a field with these bounds: a literal within them, or an expression that is no literal. */
static struct scn_expr *field(struct generator *g, int64_t min, int64_t max)
{
    if (one_in(g, 2))
        return number(g, between(g, min, max));
    return one_in(g, 2) ? variable(g) : one_in(g, 2) ? binary(g, 0) : function_call(g, 0);
}

static struct scn_match sent(struct generator *g, int64_t min, int64_t max)
{
    return (struct scn_match){ .relation = SCN_EQ, .value = field(g, min, max) };
}

static struct scn_match compared(struct generator *g, int64_t min, int64_t max)
{
    const enum scn_relation relation = (enum scn_relation)(SCN_ANY + below(g, SCN_BETWEEN));
    if (relation == SCN_ANY)
        return (struct scn_match){ .relation = SCN_ANY };
    if (relation == SCN_BETWEEN)
        return (struct scn_match){ SCN_BETWEEN, number(g, min), field(g, min, max) };
    return (struct scn_match){ .relation = relation, .value = field(g, min, max) };
}

static struct scn_match any_match(struct generator *g, bool injection, int64_t min, int64_t max)
{
    return injection ? sent(g, min, max) : compared(g, min, max);
}

static struct scn_match maybe(struct generator *g, bool injection, int64_t min, int64_t max)
{
    return one_in(g, 2) ? (struct scn_match){ .relation = SCN_NONE } : any_match(g, injection, min, max);
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static struct scn_endpoint_ref endpoint(struct generator *g)
{
    return (struct scn_endpoint_ref){ one_in(g, 2) ? 0 : below(g, ENDPOINTS), one_in(g, 6) ? field(g, 0, 9) : NULL };
}

static void put_hex(struct generator *g, struct scn_option *option)
{
    option->bytes_len = (uint8_t)(1 + below(g, 20));
    uint8_t *bytes = make(g, option->bytes_len, 1);
    for (unsigned i = 0; i < option->bytes_len; i++)
        bytes[i] = (uint8_t)next(g);
    option->bytes = bytes;
    option->has_bytes = true;
}

static void put_values(struct generator *g, struct scn_option *option, unsigned count, bool injection, int64_t min, int64_t max)
{
    option->value_count = count;
    for (unsigned i = 0; i < count; i++)
        option->values[i] = any_match(g, injection, min, max);
}

static void put_edges(struct generator *g, struct scn_option *option)
{
    option->value_count = 2 * (1 + below(g, 5));
    for (unsigned i = 0; i < option->value_count; i++) /* `*` there would multiply what stands before it */
        option->values[i] = sent(g, seq_min, u32_max);
}

static struct scn_option random_option(struct generator *g, bool injection)
{
    static const uint8_t plain[] = { PKT_OPT_NOP, PKT_OPT_EOL, PKT_OPT_SACK_PERMITTED };
    static const uint8_t numbers[] = { PKT_OPT_MSS, PKT_OPT_WSCALE, PKT_OPT_USER_TIMEOUT };
    static const uint8_t bytes[] = { PKT_OPT_FASTOPEN, PKT_OPT_MD5, PKT_OPT_EXPERIMENT_1, 77, PKT_OPT_MSS };
    static const uint8_t counters[] = { PKT_OPT_ACCECN0, PKT_OPT_ACCECN1 };
    struct scn_option option = { .form = (enum scn_option_form)below(g, SCN_OPT_ACCECN + 1) };
    switch (option.form) {
    case SCN_OPT_PLAIN: option.kind = PICK(g, plain); break;
    case SCN_OPT_NUMBER:
        option.kind = PICK(g, numbers);
        put_values(g, &option, 1, injection, 0, option.kind == PKT_OPT_WSCALE ? u8_max : u16_max);
        break;
    case SCN_OPT_TIMESTAMP: option.kind = PKT_OPT_TIMESTAMP; put_values(g, &option, 2, injection, 0, u32_max); break;
    case SCN_OPT_SACK: option.kind = PKT_OPT_SACK; put_edges(g, &option); break;
    case SCN_OPT_BYTES:
        option.experimental = one_in(g, 4);
        option.kind = option.experimental ? PKT_OPT_EXPERIMENT_2 : PICK(g, bytes);
        if (one_in(g, 2))
            put_hex(g, &option);
        else if (!injection && one_in(g, 2))
            option.values[option.value_count++] = (struct scn_match){ .relation = SCN_ANY };
        break;
    case SCN_OPT_ACCECN: option.kind = PICK(g, counters); put_values(g, &option, 1 + below(g, 3), injection, 0, u24_max); break;
    }
    if (one_in(g, 5))
        option.stated_len = field(g, 0, u8_max);
    if (!injection && one_in(g, 6))
        option = (struct scn_option){ .kind = PICK(g, numbers), .negated = true };
    return option;
}

static void put_options(struct generator *g, struct scn_packet *packet, bool injection)
{
    packet->options_given = one_in(g, 2);
    if (!packet->options_given)
        return;
    packet->options_any = !injection && one_in(g, 3);
    packet->option_count = packet->options_any ? 0 : below(g, 5);
    packet->options_open = !injection && packet->option_count && one_in(g, 2);
    packet->options = make(g, packet->option_count, sizeof *packet->options);
    for (unsigned i = 0; i < packet->option_count; i++)
        packet->options[i] = random_option(g, injection);
}

static struct scn_override random_override(struct generator *g, enum scn_key key, bool injection, const struct scn_packet *packet)
{
    struct scn_override o = { .key = key };
    if (key == SCN_KEY_OPTIONS) {
        o.bytes = (const uint8_t *)"\x02\x04\x05";
        o.bytes_len = 3;
    } else if (key == SCN_KEY_IP_SRC || key == SCN_KEY_IP_DST) {
        pkt_addr_parse(one_in(g, 2) ? "192.0.2.1" : "2001:db8::1", &o.address);
    } else if (key == SCN_KEY_PAYLOAD && (packet->seq.relation != SCN_NONE || one_in(g, 2))) {
        o.special = SCN_FILL;
        o.value = sent(g, 0, u8_max);
    } else if (key == SCN_KEY_PAYLOAD) {
        o.bytes = (const uint8_t *)octets(g, &o.bytes_len);
    } else if ((key == SCN_KEY_CHECKSUM || key == SCN_KEY_IP_CHECKSUM) && one_in(g, 2)) {
        o.special = injection ? SCN_BAD : SCN_GOOD;
    } else {
        o.value = any_match(g, injection, 0, scn_key_max(key));
    }
    return o;
}

static void put_overrides(struct generator *g, struct scn_packet *packet, bool injection)
{
    packet->overrides = make(g, SCN_KEY_COUNT, sizeof *packet->overrides);
    for (unsigned key = 0; key < SCN_KEY_COUNT; key++) {
        const bool fits = injection ? scn_key_in_injection((enum scn_key)key) : scn_key_in_expectation((enum scn_key)key);
        const bool raw_fits = packet->protocol != SCN_RAW || key == SCN_KEY_TRUNCATE || key == SCN_KEY_FRAGMENT;
        if (fits && raw_fits && one_in(g, 8))
            packet->overrides[packet->override_count++] = random_override(g, (enum scn_key)key, injection, packet);
    }
}

static void put_flags(struct generator *g, struct scn_packet *packet, bool injection)
{
    const uint16_t always = PKT_SYN | PKT_FIN | PKT_RST | PKT_ACK, ecn = PKT_ECE | PKT_CWR | PKT_AE;
    packet->flags = (uint16_t)below(g, 0x200);
    if (one_in(g, 8)) {
        packet->ace = (int)below(g, 8);
        packet->flags = (uint16_t)((packet->flags & ~ecn) | PKT_ACK | (packet->ace & 1 ? PKT_ECE : 0) | (packet->ace & 2 ? PKT_CWR : 0)
                                   | (packet->ace & 4 ? PKT_AE : 0));
    } else if (one_in(g, 8)) {
        packet->flags = 0;
        packet->flags_value = node(g, SCN_EXPR_VARIABLE, 0);
        packet->flags_value->slot = FLAG_VARIABLE;
    } else if (!injection && one_in(g, 8)) {
        packet->flags = 0;
        packet->flags_any = true;
    }
    if (injection || packet->flags_any)
        return;
    packet->flags_care = g->portable ? (uint16_t)(packet->flags | always | (one_in(g, 3) ? PKT_PSH | PKT_URG : 0)) : 0x1ff;
    if (packet->ace >= 0)
        packet->flags_care |= ecn;
}

static void put_sequence(struct generator *g, struct scn_packet *packet, bool injection)
{
    if (one_in(g, 2)) {
        const int64_t seq = between(g, seq_min, INT32_MAX), len = between(g, 0, u16_max);
        packet->seq = (struct scn_match){ .relation = SCN_EQ, .value = number(g, seq) };
        packet->seq_end = (struct scn_match){ .relation = SCN_EQ, .value = number(g, seq + len) };
        packet->len = (struct scn_match){ .relation = SCN_EQ, .value = number(g, len) };
    } else {
        packet->seq = any_match(g, injection, seq_min, u32_max);
        packet->seq_end = (struct scn_match){ .relation = SCN_EQ, .value = one_in(g, 2) ? variable(g) : binary(g, 0) };
        packet->len = any_match(g, injection, 0, u16_max);
    }
}

static void put_tcp(struct generator *g, struct scn_packet *packet, bool injection)
{
    put_flags(g, packet, injection);
    if (one_in(g, 6)) {
        packet->src_port = (struct scn_match){ .relation = SCN_EQ, .value = number(g, between(g, 0, u16_max)) };
        packet->dst_port = (struct scn_match){ .relation = SCN_EQ, .value = number(g, between(g, 0, u16_max)) };
    }
    if (one_in(g, 2))
        put_sequence(g, packet, injection);
    packet->ack = maybe(g, injection, seq_min, u32_max);
    packet->window = maybe(g, injection, 0, u16_max);
    packet->urgent = maybe(g, injection, 0, u16_max);
    put_options(g, packet, injection);
}

static void put_icmp(struct generator *g, struct scn_packet *packet, bool injection)
{
    packet->icmp.type = one_in(g, 2) ? named(g, SCN_EXPR_NAME, "unreachable", 0) : number(g, between(g, 0, u8_max));
    if (one_in(g, 2))
        packet->icmp.code = one_in(g, 2) ? named(g, SCN_EXPR_NAME, "frag_needed", 0) : number(g, between(g, 0, u8_max));
    packet->icmp.mtu = maybe(g, injection, 0, u32_max);
    packet->icmp.id = maybe(g, injection, 0, u16_max);
    packet->icmp.quotes_segment = one_in(g, 2);
    if (packet->icmp.quotes_segment)
        put_sequence(g, packet, injection);
}

static struct scn_packet *random_packet(struct generator *g, bool injection)
{
    static const uint8_t raw[] = { 0x45, 0x00, 0xce, 0xeb, 0x00 };
    struct scn_packet *packet = make(g, 1, sizeof *packet);
    packet->ace = packet->capture_at_slot = -1;
    packet->endpoint = endpoint(g);
    packet->ecn = (enum scn_ecn)(one_in(g, 3) ? below(g, SCN_ECN_CE + 1) : 0);
    if (injection && packet->ecn == SCN_ECN_ECT01)
        packet->ecn = SCN_ECN_ECT0;
    packet->tos = maybe(g, injection, 0, u8_max);
    packet->ttl = maybe(g, injection, 0, u8_max);
    packet->flow_label = maybe(g, injection, 0, 0xfffff);
    if (injection && one_in(g, 8)) {
        packet->protocol = SCN_RAW;
        packet->raw = raw;
        packet->raw_len = 1 + below(g, sizeof raw);
    } else if (one_in(g, 6)) {
        packet->protocol = SCN_ICMP;
        put_icmp(g, packet, injection);
    } else {
        put_tcp(g, packet, injection);
    }
    put_overrides(g, packet, injection);
    if (!injection && one_in(g, 4))
        packet->capture_at_slot = (int)below(g, VARIABLES);
    return packet;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static struct scn_expr *argument(struct generator *g, unsigned depth);

static struct scn_expr *composed(struct generator *g, enum scn_expr_kind kind, unsigned depth)
{
    struct scn_expr *expr = node(g, kind, below(g, 4));
    for (unsigned i = 0; i < expr->child_count; i++)
        expr->child[i] = argument(g, depth + 1);
    return expr;
}

static struct scn_expr *field_argument(struct generator *g, unsigned depth)
{
    struct scn_expr *expr = named(g, SCN_EXPR_FIELD, "msg_iov", 1 + below(g, 2));
    for (unsigned i = 0; i < expr->child_count; i++)
        expr->child[i] = argument(g, depth + 1);
    return expr;
}

static struct scn_expr *argument(struct generator *g, unsigned depth)
{
    struct scn_expr *expr;
    switch (depth < DEPTH_MAX ? below(g, 11) : below(g, 7)) {
    case 0: case 1: return expression(g, DEPTH_MAX)->kind == SCN_EXPR_FLAGS ? variable(g) : number(g, between(g, -10, 10));
    case 2: return node(g, SCN_EXPR_ELLIPSIS, 0);
    case 3: return named(g, SCN_EXPR_NAME, one_in(g, 2) ? "SOCK_STREAM" : "S", 0);
    case 4: return endpoint_expr(g);
    case 5:
        expr = named(g, SCN_EXPR_FLOAT, one_in(g, 2) ? "0.5" : "-12.25", 0);
        expr->real = strtod(expr->text, NULL);
        return expr;
    case 6:
        expr = string_expr(g);
        expr->kind = one_in(g, 2) ? SCN_EXPR_CONCAT : SCN_EXPR_STRING;
        return expr;
    case 7: return composed(g, SCN_EXPR_LIST, depth);
    case 8: return composed(g, SCN_EXPR_STRUCT, depth);
    case 9: return field_argument(g, depth);
    default:
        expr = node(g, SCN_EXPR_BINARY, 2);
        expr->op = SCN_OP_OR;
        expr->child[0] = named(g, SCN_EXPR_NAME, "MSG_OOB", 0);
        expr->child[1] = one_in(g, 2) ? named(g, SCN_EXPR_NAME, "MSG_MORE", 0) : variable(g);
        return expr;
    }
}

static struct scn_call random_call(struct generator *g)
{
    static const char *const notes[] = { NULL, "flags O_RDWR", "done, really - yes" }, *const errors[] = { NULL, NULL, "EAGAIN", "ECONNREFUSED" };
    struct scn_call call = { .name = scn_call_words[below(g, scn_call_word_count)], .argument_count = below(g, 5) };
    call.arguments = make(g, call.argument_count, sizeof(struct scn_expr *));
    for (unsigned i = 0; i < call.argument_count; i++)
        call.arguments[i] = argument(g, 0);
    if (one_in(g, 8))
        return call;
    call.result = compared(g, -1, 1000);
    call.error = PICK(g, errors);
    call.note = PICK(g, notes);
    return call;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static struct scn_block random_block(struct generator *g, unsigned nesting, bool decides);

static struct scn_time random_time(struct generator *g, const struct scn_step *step)
{
    const bool expects = step->kind == SCN_STEP_EXPECT, calls = step->kind == SCN_STEP_CALL;
    const bool needs_range = step->kind == SCN_STEP_NEVER && !step->never.has_block;
    struct scn_time time = { .kind = one_in(g, 2) ? SCN_TIME_RELATIVE : SCN_TIME_ABSOLUTE, .from_ns = between(g, 0, 3 * SCN_NS_PER_S) };
    if (expects && one_in(g, 6))
        return (struct scn_time){ .kind = SCN_TIME_ANY };
    if (!expects && !calls && !needs_range && step->kind != SCN_STEP_INJECT && one_in(g, 2))
        return (struct scn_time){ .kind = SCN_TIME_NONE };
    time.to_ns = time.from_ns;
    time.is_range = needs_range || (expects && one_in(g, 2));
    if (time.is_range)
        time.to_ns += between(g, 0, SCN_NS_PER_S);
    if (calls && one_in(g, 3)) {
        time.has_return = true;
        time.return_relative = time.kind == SCN_TIME_RELATIVE;
        time.return_ns = time.from_ns + between(g, 0, SCN_NS_PER_S);
    }
    return time;
}

static void put_never(struct generator *g, struct scn_step *step, unsigned nesting)
{
    step->never.count = 1 + below(g, 3);
    step->never.packets = make(g, step->never.count, sizeof(struct scn_packet *));
    for (unsigned i = 0; i < step->never.count; i++)
        step->never.packets[i] = random_packet(g, false);
    step->never.has_block = one_in(g, 2);
    if (step->never.has_block)
        step->never.block = random_block(g, nesting + 1, false);
}

static void put_either(struct generator *g, struct scn_step *step, unsigned nesting)
{
    step->either.count = 2 + below(g, 3);
    step->either.branches = make(g, step->either.count, sizeof *step->either.branches);
    for (unsigned i = 0; i < step->either.count; i++)
        if (i + 1 < step->either.count || one_in(g, 2))
            step->either.branches[i] = random_block(g, nesting + 1, true);
}

static enum scn_step_kind random_kind(struct generator *g, unsigned nesting, bool decides)
{
    static const enum scn_step_kind deciding[] = { SCN_STEP_EXPECT, SCN_STEP_NEVER, SCN_STEP_GATHER, SCN_STEP_ASSERT };
    if (decides)
        return PICK(g, deciding);
    for (;;) {
        const enum scn_step_kind kind = (enum scn_step_kind)below(g, SCN_STEP_KIND_COUNT);
        const bool directive = kind == SCN_STEP_PHASE || kind == SCN_STEP_COVERS;
        const bool has_blocks = kind == SCN_STEP_EITHER || kind == SCN_STEP_REPEAT;
        if ((!directive || (g->portable && nesting == 0)) && (!has_blocks || nesting < NESTING))
            return kind;
    }
}

static void put_step(struct generator *g, struct scn_step *step, unsigned nesting, bool decides)
{
    static const char *const codes[] = { "", " assert x == 1 ", "\nif a:\n  b } %\n" }, *const ids[] = { "RFC9293:MUST-1", "RFC5961:3.2-a" };
    step->kind = random_kind(g, nesting, decides);
    switch (step->kind) {
    case SCN_STEP_INJECT: case SCN_STEP_EXPECT: step->packet = random_packet(g, step->kind == SCN_STEP_INJECT); break;
    case SCN_STEP_CALL: step->call = random_call(g); break;
    case SCN_STEP_COMMAND: case SCN_STEP_CODE: case SCN_STEP_SKIP: step->text = PICK(g, codes); break;
    case SCN_STEP_PHASE: step->phase = (enum scn_phase)below(g, 3); return;
    case SCN_STEP_COVERS:
        step->covers.count = 1 + below(g, 2);
        step->covers.ids = make(g, step->covers.count, sizeof *step->covers.ids);
        for (unsigned i = 0; i < step->covers.count; i++)
            step->covers.ids[i] = ids[i];
        return;
    case SCN_STEP_STATE:
        step->state.endpoint = endpoint(g);
        step->state.state_mask = 1 + below(g, (1u << TCP_STATE_COUNT) - 1);
        break;
    case SCN_STEP_NEVER: put_never(g, step, nesting); break;
    case SCN_STEP_FENCE: step->fence.endpoint = endpoint(g); break;
    case SCN_STEP_INCARNATION: step->incarnation.endpoint = endpoint(g); break;
    case SCN_STEP_EITHER: put_either(g, step, nesting); break;
    case SCN_STEP_REPEAT:
        step->repeat.times = field(g, 0, 10);
        step->repeat.slot = one_in(g, 2) ? -1 : (int)below(g, VARIABLES);
        step->repeat.block = random_block(g, nesting + 1, false);
        break;
    case SCN_STEP_GATHER:
        step->gather.endpoint = endpoint(g);
        step->gather.from = sent(g, 0, u32_max);
        step->gather.to = sent(g, 0, u32_max);
        break;
    case SCN_STEP_LET: step->let.slot = below(g, VARIABLES); step->let.value = expression(g, 0); break;
    case SCN_STEP_ASSERT: step->assertion.condition = expression(g, 0); step->assertion.why = one_in(g, 2) ? NULL : "it \"must\" \xc3\xa9"; break;
    case SCN_STEP_LINK:
        step->link.event = (enum scn_link_event)below(g, 4);
        step->link.inbound = one_in(g, 2);
        step->link.nth = field(g, 1, 9);
        step->link.delay_ns = step->link.event == SCN_LINK_DELAY ? between(g, 0, SCN_NS_PER_S) : 0;
        break;
    case SCN_STEP_WAIT: case SCN_STEP_KIND_COUNT: break;
    }
    step->time = random_time(g, step);
}

static struct scn_block random_block(struct generator *g, unsigned nesting, bool decides)
{
    struct scn_block block = { .count = (decides ? 1 : 0) + below(g, 3) };
    block.steps = make(g, block.count, sizeof *block.steps);
    for (unsigned i = 0; i < block.count; i++)
        put_step(g, &block.steps[i], nesting, decides && i == 0);
    return block;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void put_front_matter(struct generator *g, struct scenario *s)
{
    static const char *words[] = { "RFC9293:MUST-40", "RFC9293:MUST-58" };
    static const struct scn_setting settings[] = { { "syn-retries", "3" }, { "mtu", "1500 octets" } };
    s->title = "A title: with `things` in it // and §";
    s->purpose = one_in(g, 2) ? NULL : "Why";
    s->covers = s->killed_by = words;
    s->cover_count = below(g, 3);
    s->killed_by_count = below(g, 3);
    s->level = (enum scn_level)below(g, 4);
    s->profile = (enum scn_profile)below(g, 3);
    s->needs = below(g, 1u << scn_need_word_count);
    s->ipv4 = one_in(g, 2);
    s->ipv6 = !s->ipv4 || one_in(g, 2);
    s->settings = make(g, 2, sizeof *settings);
    memcpy(s->settings, settings, sizeof settings);
    s->setting_count = below(g, 3);
    s->has_isn = one_in(g, 2);
    s->isn = s->has_isn ? (uint32_t)next(g) : 0;
    s->patience_ns = one_in(g, 2) ? SCN_PATIENCE_DEFAULT_NS : between(g, 0, 100 * SCN_NS_PER_S);
    s->tolerance_ns = one_in(g, 2) ? -1 : between(g, 0, SCN_NS_PER_S);
    s->judge_off = one_in(g, 4) ? "a \"quoted\" reason, with \\ and §" : NULL;
    s->endpoints[1].address_index = 1 + below(g, 3);
    s->endpoints[2].port_index = below(g, 3);
}

static struct scn_value random_cell(struct generator *g, unsigned slot)
{
    struct scn_value value = { .kind = SCN_VALUE_FLAGS, .number = below(g, 0x200) };
    if (slot == FLAG_VARIABLE)
        return value;
    switch (below(g, 4)) {
    case 0:
        value.kind = SCN_VALUE_STRING;
        value.number = 0;
        value.text = octets(g, &value.text_len);
        break;
    case 1: value = (struct scn_value){ .kind = SCN_VALUE_ENDPOINT, .number = below(g, ENDPOINTS) }; break;
    case 2: break;
    default: value = (struct scn_value){ .kind = SCN_VALUE_NUMBER, .number = between(g, INT64_MIN, INT64_MAX) }; break;
    }
    return value;
}

static void put_table(struct generator *g, struct scenario *s)
{
    struct scn_table *table = make(g, 1, sizeof *table);
    s->tables = table;
    s->table_count = 1;
    table->slot_count = VARIABLES;
    table->row_count = 1 + below(g, 3);
    table->slots = make(g, VARIABLES, sizeof *table->slots);
    table->cells = make(g, (size_t)table->row_count * VARIABLES, sizeof *table->cells);
    for (unsigned i = 0; i < VARIABLES; i++)
        table->slots[i] = i;
    for (unsigned i = 0; i < table->row_count * VARIABLES; i++)
        table->cells[i] = random_cell(g, i % VARIABLES);
}

static void fill(struct generator *g, struct scenario *s)
{
    static const char *variables[VARIABLES] = { "a", "b1", "long_name", "S", "win", "flags" };
    static const char *const endpoints[ENDPOINTS] = { "a", "b", "flood" };
    s->variables = variables;
    s->variable_count = VARIABLES;
    s->endpoints = make(g, ENDPOINTS, sizeof *s->endpoints);
    s->endpoint_count = ENDPOINTS;
    for (unsigned i = 0; i < ENDPOINTS; i++)
        s->endpoints[i] = (struct scn_endpoint){ endpoints[i], 1, 0 };
    s->profile = SCN_FULL;
    s->patience_ns = SCN_PATIENCE_DEFAULT_NS;
    s->tolerance_ns = 4000000;
    s->ipv4 = true;
    s->has_front_matter = g->portable;
    if (g->portable)
        put_front_matter(g, s);
    put_table(g, s);
    s->body = random_block(g, 0, false);
    if (s->body.count && s->body.steps[0].kind == SCN_STEP_COVERS) /* before all steps it would be front matter */
        s->body.steps[0] = (struct scn_step){ .kind = SCN_STEP_WAIT };
}

struct scenario *generate_scenario(uint64_t seed)
{
    struct scn_arena *arena = scn_arena_new();
    jmp_buf escape;
    if (!arena)
        return NULL;
    arena->escape = &escape;
    if (setjmp(escape) != 0) {
        scn_arena_free(arena);
        return NULL;
    }
    struct generator g = { .state = seed, .arena = arena };
    g.portable = one_in(&g, 2);
    struct scenario *scenario = make(&g, 1, sizeof *scenario);
    scenario->arena = arena;
    fill(&g, scenario);
    arena->escape = NULL;
    return scenario;
}

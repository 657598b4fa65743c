/* Expressions of a scenario, evaluated against a player's variables and endpoints. All arithmetic is checked: hostile input gives a
 * reason, never undefined behaviour. */
#include "engine/runner/play.h"

#include <stdio.h>
#include <string.h>

static bool number_result(struct evaluated *out, int64_t value, bool absolute)
{
    *out = (struct evaluated){.value = {.kind = SCN_VALUE_NUMBER, .number = value}, .absolute = absolute};
    return true;
}

static bool refuse(char *error, const char *text)
{
    snprintf(error, PLAYER_CAUSE_MAX, "%s", text);
    return false;
}

bool eval_number(struct player *p, const struct scn_value *values, const struct scn_expr *expr, int64_t *out, bool *absolute,
                 char *error)
{
    struct evaluated result;
    if (!eval(p, values, expr, &result, error))
        return false;
    if (result.value.kind != SCN_VALUE_NUMBER && result.value.kind != SCN_VALUE_FLAGS)
        return refuse(error, "a number is needed here");
    *out = result.value.number;
    if (absolute)
        *absolute = result.absolute;
    return true;
}

static bool checked_arithmetic(enum scn_op op, int64_t a, int64_t b, int64_t *out, char *error)
{
    bool overflow = false;
    switch (op) {
    case SCN_OP_ADD: overflow = __builtin_add_overflow(a, b, out); break;
    case SCN_OP_SUB: overflow = __builtin_sub_overflow(a, b, out); break;
    case SCN_OP_MUL: overflow = __builtin_mul_overflow(a, b, out); break;
    case SCN_OP_DIV:
    case SCN_OP_MOD:
        if (b == 0)
            return refuse(error, "division by zero");
        if (b == -1)
            overflow = __builtin_sub_overflow(0, a, out), *out = op == SCN_OP_MOD ? 0 : *out;
        else
            *out = op == SCN_OP_DIV ? a / b : a % b;
        break;
    case SCN_OP_SHL:
    case SCN_OP_SHR:
        if (b < 0 || b > 62)
            return refuse(error, "a shift by less than 0 or more than 62");
        *out = op == SCN_OP_SHL ? (int64_t)((uint64_t)a << b) : a >> b;
        break;
    case SCN_OP_AND: *out = a & b; break;
    case SCN_OP_OR: *out = a | b; break;
    case SCN_OP_EQ: *out = a == b; break;
    case SCN_OP_NE: *out = a != b; break;
    case SCN_OP_LT: *out = a < b; break;
    case SCN_OP_LE: *out = a <= b; break;
    case SCN_OP_GT: *out = a > b; break;
    case SCN_OP_GE: *out = a >= b; break;
    case SCN_OP_LOGICAL_AND: *out = a && b; break;
    case SCN_OP_LOGICAL_OR: *out = a || b; break;
    case SCN_OP_NOT:
    case SCN_OP_NEGATE: break;
    }
    return overflow ? refuse(error, "a number beyond 64 bits") : true;
}

static bool eval_binary(struct player *p, const struct scn_value *values, const struct scn_expr *e, struct evaluated *out,
                        char *error)
{
    int64_t a, b, result = 0;
    bool a_absolute, b_absolute;
    if (!eval_number(p, values, e->child[0], &a, &a_absolute, error) ||
        !eval_number(p, values, e->child[1], &b, &b_absolute, error))
        return false;
    if (!checked_arithmetic(e->op, a, b, &result, error))
        return false;
    return number_result(out, result, a_absolute || b_absolute);
}

static bool eval_unary(struct player *p, const struct scn_value *values, const struct scn_expr *e, struct evaluated *out,
                       char *error)
{
    int64_t a, result;
    bool absolute;
    if (!eval_number(p, values, e->child[0], &a, &absolute, error))
        return false;
    if (e->op == SCN_OP_NOT)
        return number_result(out, !a, false);
    if (__builtin_sub_overflow(0, a, &result))
        return refuse(error, "a number beyond 64 bits");
    return number_result(out, result, absolute);
}

/* ---- functions: of an endpoint (argument 0, or the default), or of numbers */

static int64_t fn_iss(struct player *p, struct endpoint *e) { (void)p; return e->iut_isn; }
static int64_t fn_irs(struct player *p, struct endpoint *e) { (void)p; return e->tester_isn; }
static int64_t fn_snd_nxt(struct player *p, struct endpoint *e) { (void)p; return endpoint_tester_script(e, e->snd_nxt); }
static int64_t fn_snd_una(struct player *p, struct endpoint *e) { (void)p; return endpoint_tester_script(e, e->snd_una); }
static int64_t fn_rcv_nxt(struct player *p, struct endpoint *e) { (void)p; return endpoint_iut_script(e, e->rcv_nxt); }
static int64_t fn_window(struct player *p, struct endpoint *e) { (void)p; return endpoint_window(e); }
static int64_t fn_ts_recent(struct player *p, struct endpoint *e) { (void)p; return e->ts_recent; }
static int64_t fn_mtu(struct player *p, struct endpoint *e) { (void)e; return p->target->info.mtu; }
static int64_t fn_ipv6(struct player *p, struct endpoint *e) { (void)e; return p->variant.ip_version == 6; }
static int64_t fn_now(struct player *p, struct endpoint *e) { (void)e; return p->now_ns - p->start_ns; }

static const struct { const char *name; bool absolute; int64_t (*value)(struct player *, struct endpoint *); } endpoint_functions[] = {
    {"iss", true, fn_iss},          {"irs", true, fn_irs},          {"snd_nxt", false, fn_snd_nxt}, {"snd_una", false, fn_snd_una},
    {"rcv_nxt", false, fn_rcv_nxt}, {"window", false, fn_window},   {"ts_recent", false, fn_ts_recent},
    {"mtu", false, fn_mtu},         {"ipv6", false, fn_ipv6},       {"now", false, fn_now},
};

static bool eval_endpoint_argument(struct player *p, const struct scn_value *values, const struct scn_expr *e,
                                   struct endpoint **out, char *error)
{
    int64_t subscript = 0;
    if (e->child_count == 0) {
        *out = play_endpoint_at(p, 0, 0);
    } else {
        const struct scn_expr *argument = e->child[0];
        if (argument->kind != SCN_EXPR_ENDPOINT)
            return refuse(error, "this function takes an endpoint, as in iss(@b)");
        if (argument->child_count && !eval_number(p, values, argument->child[0], &subscript, NULL, error))
            return false;
        *out = play_endpoint_at(p, argument->slot, subscript);
    }
    return *out ? true : refuse(error, "too many endpoints");
}

static bool eval_number_function(struct player *p, const struct scn_value *values, const struct scn_expr *e, struct evaluated *out,
                                 char *error)
{
    int64_t a, b = 0;
    bool absolute = false;
    if (e->child_count == 0 || !eval_number(p, values, e->child[0], &a, &absolute, error))
        return e->child_count == 0 ? refuse(error, "this function needs an argument") : false;
    if (!strcmp(e->text, "abs"))
        return number_result(out, a, true);
    if (!strcmp(e->text, "mod32"))
        return number_result(out, (int64_t)(uint32_t)a, absolute);
    if (e->child_count != 2 || !eval_number(p, values, e->child[1], &b, NULL, error))
        return refuse(error, "min() and max() take two numbers");
    if (!strcmp(e->text, "min"))
        return number_result(out, a < b ? a : b, absolute);
    if (!strcmp(e->text, "max"))
        return number_result(out, a > b ? a : b, absolute);
    return refuse(error, "no such function");
}

static bool eval_call(struct player *p, const struct scn_value *values, const struct scn_expr *e, struct evaluated *out,
                      char *error)
{
    for (size_t i = 0; i < sizeof endpoint_functions / sizeof *endpoint_functions; i++) {
        struct endpoint *endpoint;
        if (strcmp(e->text, endpoint_functions[i].name))
            continue;
        if (!eval_endpoint_argument(p, values, e, &endpoint, error))
            return false;
        return number_result(out, endpoint_functions[i].value(p, endpoint), endpoint_functions[i].absolute);
    }
    return eval_number_function(p, values, e, out, error);
}

bool eval(struct player *p, const struct scn_value *values, const struct scn_expr *e, struct evaluated *out, char *error)
{
    *out = (struct evaluated){0};
    switch (e->kind) {
    case SCN_EXPR_NUMBER:
        return number_result(out, e->number, false);
    case SCN_EXPR_FLAGS:
        out->value = (struct scn_value){.kind = SCN_VALUE_FLAGS, .number = e->number};
        return true;
    case SCN_EXPR_STRING:
        out->value = (struct scn_value){.kind = SCN_VALUE_STRING, .text = e->text, .text_len = e->text_len};
        return true;
    case SCN_EXPR_VARIABLE:
        out->value = values[e->slot];
        if (out->value.kind != SCN_VALUE_UNSET)
            return true;
        snprintf(error, PLAYER_CAUSE_MAX, "$%s has no value yet", p->scenario->variables[e->slot]);
        return false;
    case SCN_EXPR_UNARY:
        return eval_unary(p, values, e, out, error);
    case SCN_EXPR_BINARY:
        return eval_binary(p, values, e, out, error);
    case SCN_EXPR_CALL:
        return eval_call(p, values, e, out, error);
    case SCN_EXPR_NAME:
    case SCN_EXPR_ELLIPSIS:
    case SCN_EXPR_ENDPOINT:
    case SCN_EXPR_LIST:
    case SCN_EXPR_STRUCT:
    case SCN_EXPR_FIELD:
    case SCN_EXPR_FLOAT:
    case SCN_EXPR_CONCAT:
        break;
    }
    return refuse(error, "this has no value");
}

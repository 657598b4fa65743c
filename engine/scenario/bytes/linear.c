/* Expressions of a scenario as sums of functions of the live connection and a constant, which is what octets can say. */
#include "engine/scenario/bytes/inside.h"

#include <string.h>

static const struct linear unknown;

static struct linear number(int64_t constant)
{
    return (struct linear){.constant = constant, .known = true};
}

struct linear bytes_linear_value(const struct scn_value *value)
{
    bool is_number = value->kind == SCN_VALUE_NUMBER || value->kind == SCN_VALUE_FLAGS;
    return is_number ? number(value->number) : unknown;
}

static struct linear function(const struct variables *variables, const struct scn_expr *call)
{
    static const char *const names[TERM_COUNT] = {"snd_nxt", "snd_una", "rcv_nxt", "window", "ts_recent"};
    struct linear result = number(0);
    if (!strcmp(call->text, "abs") && call->child_count == 1) {
        result = bytes_linear(variables, call->child[0]);
        result.absolute = true;
        return result;
    }
    if (!strcmp(call->text, "ipv6"))
        return number(!variables->scenario->ipv4);
    for (unsigned i = 0; i < TERM_COUNT; i++) {
        if (!names[i] || strcmp(call->text, names[i]))
            continue;
        result.terms[i] = 1;
        return result;
    }
    return unknown;
}

static bool is_now(const struct scn_expr *expr)
{
    return expr->kind == SCN_EXPR_CALL && !strcmp(expr->text, "now");
}

/* a + sign * b; terms stay few, or the sum is not known. */
static struct linear sum(struct linear a, const struct linear *b, int sign)
{
    int64_t signed_b;
    a.absolute |= b->absolute;
    a.known = a.known && b->known && !__builtin_mul_overflow(b->constant, sign, &signed_b) &&
              !__builtin_add_overflow(a.constant, signed_b, &a.constant);
    for (unsigned i = 0; i < TERM_COUNT; i++) {
        int terms = a.terms[i] + sign * b->terms[i];
        a.known &= terms >= -1 && terms <= 1;
        a.terms[i] = (int8_t)terms;
    }
    return a;
}

static struct linear product(struct linear a, const struct linear *b)
{
    if (!bytes_linear_constant(b) || b->constant < -1 || b->constant > 1)
        return bytes_linear_constant(&a) && bytes_linear_constant(b) && !__builtin_mul_overflow(a.constant, b->constant, &a.constant) ? a : unknown;
    const struct linear zero = number(0);
    return b->constant == 0 ? zero : b->constant == 1 ? a : sum(zero, &a, -1);
}

static struct linear binary(const struct variables *variables, const struct scn_expr *expr)
{
    struct linear a = bytes_linear(variables, expr->child[0]), b = bytes_linear(variables, expr->child[1]);
    if (expr->op == SCN_OP_DIV && is_now(expr->child[0]) && bytes_linear_constant(&b) && b.constant == NS_PER_TICK)
        return (struct linear){.terms[TERM_TICKS] = 1, .known = true};
    if (!a.known || !b.known)
        return unknown;
    switch (expr->op) {
    case SCN_OP_ADD: return sum(a, &b, 1);
    case SCN_OP_SUB: return sum(a, &b, -1);
    case SCN_OP_MUL: return bytes_linear_constant(&a) ? product(b, &a) : product(a, &b);
    case SCN_OP_DIV: return bytes_linear_constant(&a) && bytes_linear_constant(&b) && b.constant > 0 ? number(a.constant / b.constant) : unknown;
    default: return unknown;
    }
}

struct linear bytes_linear(const struct variables *variables, const struct scn_expr *expr)
{
    if (!expr)
        return unknown;
    switch (expr->kind) {
    case SCN_EXPR_NUMBER: case SCN_EXPR_FLAGS: return number(expr->number);
    case SCN_EXPR_VARIABLE: return variables->values[expr->slot];
    case SCN_EXPR_CALL: return function(variables, expr);
    case SCN_EXPR_BINARY: return binary(variables, expr);
    default: return unknown;
    }
}

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

int64_t bytes_constant(const struct variables *variables, const struct scn_expr *expr, int64_t fallback)
{
    const struct linear l = bytes_linear(variables, expr);
    return bytes_linear_constant(&l) ? l.constant : fallback;
}

/* a + sign * b; terms stay few, or the sum is not known. */
static struct linear sum(struct linear a, const struct linear *b, int sign)
{
    int64_t signed_b;
    a.absolute |= b->absolute;
    a.assumed |= b->assumed;
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

/* ---- functions --------------------------------------------------------------------------------------------------- */

/* The lesser, or the greater, of two; a window is taken for larger than a number. */
static struct linear chosen(struct linear a, struct linear b, bool lesser)
{
    const bool a_constant = bytes_linear_constant(&a), b_constant = bytes_linear_constant(&b);
    if (a_constant && b_constant)
        return (a.constant < b.constant) == lesser ? a : b;
    if (!a.known || !b.known || a_constant == b_constant || (a_constant ? &b : &a)->terms[TERM_WINDOW] != 1)
        return unknown;
    struct linear result = a_constant == lesser ? a : b;
    result.assumed = true;
    return result;
}

static struct linear of_number(const struct variables *variables, const struct scn_expr *call)
{
    struct linear a = bytes_linear(variables, call->child[0]);
    if (!strcmp(call->text, "abs"))
        a.absolute = true;
    else if (bytes_linear_constant(&a))
        a.constant = (uint32_t)a.constant;
    return a;
}

/* A number of another endpoint than the one spoken of is known only where it is tracked. */
static struct linear of_endpoint(const struct variables *variables, const struct scn_expr *call, enum term term)
{
    struct linear result = number(0);
    const struct scn_expr *at = call->child_count ? call->child[0] : NULL;
    const unsigned slot = !at ? 0 : at->kind == SCN_EXPR_ENDPOINT && !at->child_count ? at->slot : TRACKED_COUNT;
    result.terms[term] = 1;
    if (variables->own_endpoint || slot == variables->endpoint || (slot >= TRACKED_COUNT && variables->endpoint >= TRACKED_COUNT))
        return result;
    struct variables other = *variables;
    other.endpoint = slot;
    result = bytes_settled(&other, result);
    return bytes_linear_constant(&result) ? result : unknown;
}

static struct linear function(const struct variables *variables, const struct scn_expr *call)
{
    static const char *const names[TERM_COUNT] = {"snd_nxt", "snd_una", "rcv_nxt", "window", "ts_recent"};
    if (call->child_count == 1 && (!strcmp(call->text, "abs") || !strcmp(call->text, "mod32")))
        return of_number(variables, call);
    if (call->child_count == 2 && (!strcmp(call->text, "min") || !strcmp(call->text, "max")))
        return chosen(bytes_linear(variables, call->child[0]), bytes_linear(variables, call->child[1]), !strcmp(call->text, "min"));
    if (!strcmp(call->text, "ipv6"))
        return number(!variables->scenario->ipv4);
    for (unsigned i = 0; i < TERM_COUNT; i++)
        if (names[i] && !strcmp(call->text, names[i]))
            return of_endpoint(variables, call, (enum term)i);
    return unknown;
}

/* ---- operators --------------------------------------------------------------------------------------------------- */

static bool is_now(const struct scn_expr *expr)
{
    return expr->kind == SCN_EXPR_CALL && !strcmp(expr->text, "now");
}

static struct linear of_constants(enum scn_op op, int64_t a, int64_t b)
{
    switch (op) {
    case SCN_OP_DIV: return b > 0 ? number(a / b) : unknown;
    case SCN_OP_MOD: return b > 0 ? number(a % b) : unknown;
    case SCN_OP_AND: return number(a & b);
    case SCN_OP_OR: return number(a | b);
    case SCN_OP_SHL: return a >= 0 && a <= UINT32_MAX && b >= 0 && b < 31 ? number(a << b) : unknown;
    case SCN_OP_SHR: return a >= 0 && b >= 0 && b < 63 ? number(a >> b) : unknown;
    case SCN_OP_EQ: return number(a == b);
    case SCN_OP_NE: return number(a != b);
    case SCN_OP_LT: return number(a < b);
    case SCN_OP_LE: return number(a <= b);
    case SCN_OP_GT: return number(a > b);
    case SCN_OP_GE: return number(a >= b);
    case SCN_OP_LOGICAL_AND: return number(a && b);
    case SCN_OP_LOGICAL_OR: return number(a || b);
    default: return unknown;
    }
}

static struct linear binary(const struct variables *variables, const struct scn_expr *expr)
{
    const struct linear a = bytes_linear(variables, expr->child[0]), b = bytes_linear(variables, expr->child[1]);
    if (expr->op == SCN_OP_DIV && is_now(expr->child[0]) && bytes_linear_constant(&b) && b.constant == NS_PER_TICK)
        return (struct linear){.terms[TERM_TICKS] = 1, .known = true};
    if (!a.known || !b.known)
        return unknown;
    switch (expr->op) {
    case SCN_OP_ADD: return sum(a, &b, 1);
    case SCN_OP_SUB: return sum(a, &b, -1);
    case SCN_OP_MUL: return bytes_linear_constant(&a) ? product(b, &a) : product(a, &b);
    default: break;
    }
    const struct linear settled_a = bytes_settled(variables, a), settled_b = bytes_settled(variables, b);
    if (!bytes_linear_constant(&settled_a) || !bytes_linear_constant(&settled_b))
        return unknown;
    return of_constants(expr->op, settled_a.constant, settled_b.constant);
}

static struct linear unary(const struct variables *variables, const struct scn_expr *expr)
{
    const struct linear zero = number(0), a = bytes_linear(variables, expr->child[0]);
    if (expr->op == SCN_OP_NEGATE)
        return sum(zero, &a, -1);
    return expr->op == SCN_OP_NOT && bytes_linear_constant(&a) ? number(!a.constant) : unknown;
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
    case SCN_EXPR_UNARY: return unary(variables, expr);
    default: return unknown;
    }
}

/* Prints expressions with as few parentheses as the grammar lets them do with. */
#include "engine/scenario/sink.h"

/* How tightly an expression holds together, from loose to tight: the order of the grammar's precedences. */
enum level { LEVEL_OR = 1, LEVEL_AND, LEVEL_COMPARE, LEVEL_NOT, LEVEL_BIT_OR, LEVEL_BIT_AND, LEVEL_SHIFT, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_NEGATIVE,
             LEVEL_PRIMARY, LEVEL_ARITH = LEVEL_BIT_OR };

static const struct { const char *text; enum level level; } operators[] = {
    [SCN_OP_ADD] = { "+", LEVEL_SUM }, [SCN_OP_SUB] = { "-", LEVEL_SUM }, [SCN_OP_MUL] = { "*", LEVEL_PRODUCT },
    [SCN_OP_DIV] = { "/", LEVEL_PRODUCT }, [SCN_OP_MOD] = { "%", LEVEL_PRODUCT }, [SCN_OP_AND] = { "&", LEVEL_BIT_AND },
    [SCN_OP_OR] = { "|", LEVEL_BIT_OR }, [SCN_OP_SHL] = { "<<", LEVEL_SHIFT }, [SCN_OP_SHR] = { ">>", LEVEL_SHIFT },
    [SCN_OP_EQ] = { "==", LEVEL_COMPARE }, [SCN_OP_NE] = { "!=", LEVEL_COMPARE }, [SCN_OP_LT] = { "<", LEVEL_COMPARE },
    [SCN_OP_LE] = { "<=", LEVEL_COMPARE }, [SCN_OP_GT] = { ">", LEVEL_COMPARE }, [SCN_OP_GE] = { ">=", LEVEL_COMPARE },
    [SCN_OP_LOGICAL_AND] = { "&&", LEVEL_AND }, [SCN_OP_LOGICAL_OR] = { "||", LEVEL_OR },
    [SCN_OP_NOT] = { "!", LEVEL_NOT }, [SCN_OP_NEGATE] = { "-", LEVEL_NEGATIVE },
};

static enum level level_of(const struct scn_expr *expr)
{
    if (expr->kind == SCN_EXPR_UNARY || expr->kind == SCN_EXPR_BINARY)
        return operators[expr->op].level;
    return expr->kind == SCN_EXPR_NUMBER && expr->number < 0 && expr->number != INT64_MIN ? LEVEL_NEGATIVE : LEVEL_PRIMARY;
}

static void put_at_level(struct scn_sink *sink, const struct scn_expr *expr, enum level least)
{
    const bool open = level_of(expr) < least;
    scn_put(sink, "%s", open ? "(" : "");
    scn_put_expr(sink, expr);
    scn_put(sink, "%s", open ? ")" : "");
}

static void put_binary(struct scn_sink *sink, const struct scn_expr *expr)
{
    const enum level level = operators[expr->op].level;
    put_at_level(sink, expr->child[0], level == LEVEL_COMPARE ? level + 1 : level); /* comparisons do not chain */
    scn_put(sink, " %s ", operators[expr->op].text);
    put_at_level(sink, expr->child[1], level + 1);
}

static void put_unary(struct scn_sink *sink, const struct scn_expr *expr)
{
    const struct scn_expr *operand = expr->child[0];
    const bool not_not = expr->op == SCN_OP_NOT && operand->kind == SCN_EXPR_UNARY && operand->op == SCN_OP_NOT;
    scn_put(sink, "%s", operators[expr->op].text);
    put_at_level(sink, operand, not_not ? LEVEL_NOT : LEVEL_PRIMARY); /* so never `--`, which begins an option of packetdrill */
}

static void put_children(struct scn_sink *sink, const char *open, const struct scn_expr *expr, const char *close)
{
    scn_put(sink, "%s", open);
    for (unsigned i = 0; i < expr->child_count; i++) {
        scn_put(sink, "%s", i ? ", " : "");
        scn_put_expr(sink, expr->child[i]);
    }
    scn_put(sink, "%s", close);
}

static void put_field(struct scn_sink *sink, const struct scn_expr *expr)
{
    scn_put(sink, "%s", expr->text);
    if (expr->child_count > 1) {
        scn_put(sink, "(");
        scn_put_expr(sink, expr->child[1]);
        scn_put(sink, ")");
    }
    scn_put(sink, "=");
    scn_put_expr(sink, expr->child[0]);
}

static void put_number(struct scn_sink *sink, int64_t number)
{
    if (number == INT64_MIN) /* its absolute value is no number of ours */
        scn_put(sink, "0x%llx", (unsigned long long)number);
    else
        scn_put(sink, "%lld", (long long)number);
}

void scn_put_expr(struct scn_sink *sink, const struct scn_expr *expr)
{
    switch (expr->kind) {
    case SCN_EXPR_NUMBER: put_number(sink, expr->number); break;
    case SCN_EXPR_FLAGS: scn_put_flags(sink, (unsigned)expr->number); break;
    case SCN_EXPR_STRING: scn_put_quoted(sink, expr->text, expr->text_len); break;
    case SCN_EXPR_CONCAT: scn_put_quoted(sink, expr->text, expr->text_len); scn_put(sink, "..."); break;
    case SCN_EXPR_NAME: case SCN_EXPR_FLOAT: scn_put(sink, "%s", expr->text); break;
    case SCN_EXPR_VARIABLE: scn_put(sink, "$%s", sink->scenario->variables[expr->slot]); break;
    case SCN_EXPR_ELLIPSIS: scn_put(sink, "..."); break;
    case SCN_EXPR_ENDPOINT:
        scn_put_endpoint(sink, &(struct scn_endpoint_ref){ expr->slot, expr->child_count ? expr->child[0] : NULL });
        break;
    case SCN_EXPR_UNARY: put_unary(sink, expr); break;
    case SCN_EXPR_BINARY: put_binary(sink, expr); break;
    case SCN_EXPR_CALL: scn_put(sink, "%s", expr->text); put_children(sink, "(", expr, ")"); break;
    case SCN_EXPR_LIST: put_children(sink, "[", expr, "]"); break;
    case SCN_EXPR_STRUCT: put_children(sink, "{", expr, "}"); break;
    case SCN_EXPR_FIELD: put_field(sink, expr); break;
    }
}

void scn_put_arith(struct scn_sink *sink, const struct scn_expr *expr)
{
    put_at_level(sink, expr, LEVEL_ARITH);
}

static bool is_word(const struct scn_expr *expr)
{
    return expr->kind == SCN_EXPR_NAME || expr->kind == SCN_EXPR_FLAGS;
}

/* Begins with a name when printed: `<` before it would open options. */
static bool begins_with_name(const struct scn_expr *expr)
{
    while (expr->kind == SCN_EXPR_BINARY)
        expr = expr->child[0];
    return is_word(expr);
}

/* Ends in a name when printed: `(` behind it would make it a call. */
static bool ends_in_name(const struct scn_expr *expr)
{
    while (expr->kind == SCN_EXPR_BINARY || expr->kind == SCN_EXPR_UNARY)
        expr = expr->child[expr->child_count - 1];
    return is_word(expr);
}

void scn_put_closed(struct scn_sink *sink, const struct scn_expr *expr)
{
    const bool open = level_of(expr) < LEVEL_PRIMARY || is_word(expr);
    scn_put(sink, "%s", open ? "(" : "");
    scn_put_expr(sink, expr);
    scn_put(sink, "%s", open ? ")" : "");
}

static void put_match(struct scn_sink *sink, const struct scn_match *match,
                      void (*put)(struct scn_sink *sink, const struct scn_expr *expr))
{
    static const char *const relations[] = { [SCN_NONE] = "", [SCN_ANY] = "*", [SCN_EQ] = "", [SCN_NE] = "!=", [SCN_LT] = "<", [SCN_LE] = "<=",
                                             [SCN_GT] = ">", [SCN_GE] = ">=", [SCN_BETWEEN] = "" };
    scn_put(sink, "%s", relations[match->relation]);
    if (match->relation == SCN_LT && begins_with_name(match->value))
        put = scn_put_closed;
    if (match->value)
        put(sink, match->value);
    if (match->upper) {
        scn_put(sink, "..");
        put(sink, match->upper);
    }
}

void scn_put_match(struct scn_sink *sink, const struct scn_match *match)
{
    put_match(sink, match, scn_put_arith);
}

static void put_before_parenthesis(struct scn_sink *sink, const struct scn_expr *expr)
{
    if (ends_in_name(expr))
        scn_put_closed(sink, expr);
    else
        scn_put_arith(sink, expr);
}

void scn_put_match_closed(struct scn_sink *sink, const struct scn_match *match)
{
    put_match(sink, match, put_before_parenthesis);
}

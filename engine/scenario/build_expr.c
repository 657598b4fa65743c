/* Makes expressions out of tokens, and gives variables and endpoints their places in the scenario's tables. */
#include "engine/scenario/parse.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------------------------------------------- */

unsigned scn_variable_slot(struct scn_parser *parser, struct scn_piece token, struct scn_at at)
{
    const struct scn_piece name = { token.start + 1, token.len - 1 };
    for (unsigned i = 0; i < parser->variables.count; i++)
        if (scn_piece_is(name, parser->variables.items[i]))
            return i;
    if (parser->variables.count == SCN_VARIABLES_MAX) {
        if (!parser->stop)
            scn_error(parser, at, "more than %d variables", SCN_VARIABLES_MAX);
        parser->stop = true;
        return 0;
    }
    scn_list_add(parser->arena, &parser->variables, scn_piece_copy(parser, name));
    return parser->variables.count - 1;
}

unsigned scn_endpoint_slot(struct scn_parser *parser, struct scn_piece token, struct scn_at at)
{
    const struct scn_piece name = { token.start + 1, token.len - 1 };
    for (unsigned i = 0; i < parser->endpoints.count; i++)
        if (scn_piece_is(name, ((struct scn_endpoint *)parser->endpoints.items[i])->name))
            return i;
    if (parser->endpoints.count == SCN_ENDPOINTS_MAX) {
        if (!parser->stop)
            scn_error(parser, at, "more than %d endpoints; one with a subscript, as in @flood[$i], counts once", SCN_ENDPOINTS_MAX);
        parser->stop = true;
        return 0;
    }
    struct scn_endpoint *endpoint = scn_arena_alloc(parser->arena, 1, sizeof *endpoint);
    *endpoint = (struct scn_endpoint){ scn_piece_copy(parser, name), 1, 0 };
    scn_list_add(parser->arena, &parser->endpoints, endpoint);
    return parser->endpoints.count - 1;
}

/* ---- leaves ------------------------------------------------------------------------------------------------------ */

struct scn_expr *scn_new_expr(struct scn_parser *parser, enum scn_expr_kind kind, struct scn_span at)
{
    struct scn_expr *expr = scn_arena_alloc(parser->arena, 1, sizeof *expr);
    expr->kind = kind;
    expr->at = scn_place(at);
    expr->depth = 1;
    return expr;
}

static struct scn_expr *number_expr(struct scn_parser *parser, struct scn_span at, int64_t number)
{
    struct scn_expr *expr = scn_new_expr(parser, SCN_EXPR_NUMBER, at);
    expr->number = number;
    return expr;
}

struct scn_expr *scn_integer_expr(struct scn_parser *parser, struct scn_piece token, struct scn_span at)
{
    int64_t value = 0;
    char quote[SCN_QUOTE_MAX];
    if (!scn_read_integer(token, &value))
        scn_error(parser, scn_place(at), "the number %s does not fit into 64 bits", scn_quote(token, quote));
    return number_expr(parser, at, value);
}

struct scn_expr *scn_duration_expr(struct scn_parser *parser, struct scn_piece token, struct scn_span at)
{
    return number_expr(parser, at, scn_instant(parser, token, at));
}

struct scn_expr *scn_float_expr(struct scn_parser *parser, struct scn_piece token, struct scn_span at)
{
    struct scn_expr *expr = scn_text_expr(parser, SCN_EXPR_FLOAT, token, at);
    expr->real = strtod(expr->text, NULL);
    return expr;
}

struct scn_expr *scn_text_expr(struct scn_parser *parser, enum scn_expr_kind kind, struct scn_piece name, struct scn_span at)
{
    struct scn_expr *expr = scn_new_expr(parser, kind, at);
    expr->text = scn_piece_copy(parser, name);
    expr->text_len = name.len;
    return expr;
}

struct scn_expr *scn_string_expr(struct scn_parser *parser, const struct scn_expr *before, struct scn_piece token,
                                 struct scn_span at)
{
    const struct scn_bytes octets = scn_read_string(parser, token, at);
    struct scn_expr *expr = scn_new_expr(parser, SCN_EXPR_STRING, at);
    const size_t before_len = before ? before->text_len : 0;
    char *text = scn_arena_alloc(parser->arena, before_len + octets.len + 1, 1);
    if (before) {
        memcpy(text, before->text, before_len);
        expr->at = before->at;
    }
    memcpy(text + before_len, octets.bytes, octets.len);
    expr->text = text;
    expr->text_len = before_len + octets.len;
    return expr;
}

char *scn_plain_text(struct scn_parser *parser, struct scn_piece token, struct scn_span at)
{
    const struct scn_bytes octets = scn_read_string(parser, token, at);
    if (memchr(octets.bytes, 0, octets.len))
        scn_error(parser, scn_place(at), "this text cannot hold a NUL");
    return (char *)octets.bytes;
}

struct scn_expr *scn_concat_expr(struct scn_parser *parser, struct scn_piece token, struct scn_span at)
{
    struct scn_expr *expr = scn_string_expr(parser, NULL, token, at);
    expr->kind = SCN_EXPR_CONCAT;
    return expr;
}

struct scn_expr *scn_flags_expr(struct scn_parser *parser, struct scn_span at)
{
    char wrong, quote[SCN_QUOTE_MAX];
    const struct scn_piece letters = scn_span_piece(parser, at);
    const int flags = scn_read_flags(letters, &wrong);
    if (flags < 0)
        scn_error(parser, scn_place(at), "expected flags, letters of S F R P . U E W A, each once; found `%s`",
                  scn_quote(letters, quote));
    struct scn_expr *expr = scn_new_expr(parser, SCN_EXPR_FLAGS, at);
    expr->number = flags;
    return expr;
}

struct scn_expr *scn_variable_expr(struct scn_parser *parser, struct scn_piece token, struct scn_span at)
{
    struct scn_expr *expr = scn_new_expr(parser, SCN_EXPR_VARIABLE, at);
    expr->slot = scn_variable_slot(parser, token, scn_place(at));
    return expr;
}

/* ---- composed ---------------------------------------------------------------------------------------------------- */

static void add_children(struct scn_parser *parser, struct scn_expr *parent, struct scn_expr *const *children, unsigned count)
{
    parent->child = scn_arena_alloc(parser->arena, count, sizeof(struct scn_expr *));
    parent->child_count = count;
    for (unsigned i = 0; i < count; i++) {
        parent->child[i] = children[i];
        if (children[i]->depth >= parent->depth)
            parent->depth = children[i]->depth + 1;
    }
    if (parent->depth > SCN_EXPR_DEPTH_MAX) {
        if (!parser->stop)
            scn_error(parser, parent->at, "the expression is nested more than %d deep", SCN_EXPR_DEPTH_MAX);
        parser->stop = true;
    }
}

struct scn_expr *scn_endpoint_expr(struct scn_parser *parser, struct scn_endpoint_ref endpoint, struct scn_span at)
{
    struct scn_expr *expr = scn_new_expr(parser, SCN_EXPR_ENDPOINT, at);
    expr->slot = endpoint.slot;
    if (endpoint.subscript)
        add_children(parser, expr, &endpoint.subscript, 1);
    return expr;
}

static struct scn_expr *negated_float(struct scn_parser *parser, const struct scn_expr *operand, struct scn_span at)
{
    struct scn_expr *expr = scn_new_expr(parser, SCN_EXPR_FLOAT, at);
    char *text = scn_arena_alloc(parser->arena, operand->text_len + 2, 1);
    text[0] = '-';
    memcpy(text + 1, operand->text, operand->text_len);
    expr->text = text;
    expr->text_len = operand->text_len + 1;
    expr->real = -operand->real;
    return expr;
}

struct scn_expr *scn_unary(struct scn_parser *parser, enum scn_op op, struct scn_expr *operand, struct scn_span at)
{
    if (op == SCN_OP_NEGATE && operand->kind == SCN_EXPR_NUMBER)
        return number_expr(parser, at, (int64_t)(0 - (uint64_t)operand->number));
    if (op == SCN_OP_NEGATE && operand->kind == SCN_EXPR_FLOAT)
        return negated_float(parser, operand, at);
    struct scn_expr *expr = scn_new_expr(parser, SCN_EXPR_UNARY, at);
    expr->op = op;
    add_children(parser, expr, &operand, 1);
    return expr;
}

struct scn_expr *scn_binary(struct scn_parser *parser, enum scn_op op, struct scn_expr *left, struct scn_expr *right,
                            struct scn_span at)
{
    struct scn_expr *expr = scn_new_expr(parser, SCN_EXPR_BINARY, at);
    struct scn_expr *const operands[] = { left, right };
    expr->op = op;
    expr->at = left->at;
    add_children(parser, expr, operands, 2);
    return expr;
}

struct scn_expr *scn_children(struct scn_parser *parser, struct scn_expr *parent, const struct scn_list *children)
{
    add_children(parser, parent, (struct scn_expr *const *)children->items, children->count);
    return parent;
}

struct scn_expr *scn_field_expr(struct scn_parser *parser, struct scn_expr *name, struct scn_expr *value)
{
    struct scn_expr *const parts[] = { value, name->child_count ? name->child[0] : NULL };
    if (name->child_count > 1)
        scn_error(parser, name->at, "a field has one number in its parentheses, as in msg_iov(1)=[...]");
    name->kind = SCN_EXPR_FIELD;
    add_children(parser, name, parts, parts[1] ? 2 : 1);
    return name;
}

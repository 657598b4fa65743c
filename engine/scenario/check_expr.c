/* Checks expressions: names that mean something, functions with the arguments they take, variables that can have a value. */
#include "engine/scenario/check.h"
#include "engine/scenario/names.h"

#include <string.h>

void scn_check_endpoint(struct scn_checker *checker, const struct scn_endpoint_ref *endpoint)
{
    if (endpoint->subscript)
        scn_check_number(checker, endpoint->subscript, "the subscript of an endpoint", 0, INT32_MAX);
}

static void check_endpoint_expr(struct scn_checker *checker, const struct scn_expr *expr)
{
    if (expr->child_count)
        scn_check_number(checker, expr->child[0], "the subscript of an endpoint", 0, INT32_MAX);
}

static void check_variable(struct scn_checker *checker, const struct scn_expr *expr)
{
    if (!scn_has_value(checker, expr->slot))
        scn_error(checker->parser, expr->at, "$%.60s has no value here: nothing before this can have set it",
                  (const char *)checker->parser->variables.items[expr->slot]);
}

static void check_name(struct scn_checker *checker, struct scn_expr *expr)
{
    char wrong, quote[SCN_QUOTE_MAX];
    const struct scn_piece name = { expr->text, (unsigned)expr->text_len };
    const int flags = scn_read_flags(name, &wrong);
    if (flags >= 0) {
        expr->kind = SCN_EXPR_FLAGS;
        expr->number = flags;
    } else if (!checker->parser->scenario->has_front_matter) {
        if (!checker->symbol)
            checker->symbol = expr->text;
    } else {
        const struct scn_list *variables = &checker->parser->variables;
        const char *meant = scn_did_you_mean(expr->text, (const char *const *)variables->items, variables->count);
        scn_error(checker->parser, expr->at,
                  meant ? "unknown name `%s`; did you mean `$%.40s`?" : "unknown name `%s`; a variable is written with a $",
                  scn_quote(name, quote), meant);
    }
}

/* The arguments of a function of ours; false when there is none of that name. */
static bool check_function(struct scn_checker *checker, const struct scn_expr *call)
{
    const struct scn_function *function = scn_function_from_name(call->text);
    if (!function)
        return false;
    unsigned first = 0;
    if (function->takes_endpoint && call->child_count && call->child[0]->kind == SCN_EXPR_ENDPOINT) {
        check_endpoint_expr(checker, call->child[0]);
        first = 1;
    }
    if (call->child_count - first != function->arguments)
        scn_error(checker->parser, call->at, function->takes_endpoint ? "%s() takes one argument at most, an endpoint"
                  : function->arguments == 0 ? "%s() takes no arguments" : function->arguments == 1 ? "%s() takes one argument"
                  : "%s() takes two arguments", function->name);
    else
        for (unsigned i = first; i < call->child_count; i++)
            scn_check_expr(checker, call->child[i]);
    return true;
}

static void check_call(struct scn_checker *checker, const struct scn_expr *call)
{
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    if (!check_function(checker, call))
        scn_error(checker->parser, call->at, "unknown function `%s`%s", scn_quote(scn_piece_of(call->text), quote),
                  scn_hint(call->text, scn_function_words, scn_function_word_count, hint));
}

static bool divides(enum scn_op op)
{
    return op == SCN_OP_DIV || op == SCN_OP_MOD;
}

static void check_operands(struct scn_checker *checker, struct scn_expr *expr)
{
    for (unsigned i = 0; i < expr->child_count; i++)
        scn_check_expr(checker, expr->child[i]);
    if (expr->kind == SCN_EXPR_BINARY && divides(expr->op) && expr->child[1]->kind == SCN_EXPR_NUMBER &&
        expr->child[1]->number == 0)
        scn_error(checker->parser, expr->child[1]->at, "division by zero");
}

void scn_check_expr(struct scn_checker *checker, struct scn_expr *expr)
{
    switch (expr->kind) {
    case SCN_EXPR_NUMBER: case SCN_EXPR_FLAGS: case SCN_EXPR_STRING:
        break;
    case SCN_EXPR_VARIABLE:
        check_variable(checker, expr);
        break;
    case SCN_EXPR_NAME:
        check_name(checker, expr);
        break;
    case SCN_EXPR_UNARY: case SCN_EXPR_BINARY:
        check_operands(checker, expr);
        break;
    case SCN_EXPR_CALL:
        check_call(checker, expr);
        break;
    case SCN_EXPR_FLOAT:
        scn_error(checker->parser, expr->at, "numbers are whole; a time is written with its unit, as in %ss",
                  expr->text_len < 20 ? expr->text : "0.5");
        break;
    case SCN_EXPR_ENDPOINT:
        scn_error(checker->parser, expr->at, "an endpoint is no number; give it to a function, as in iss(@b)");
        break;
    case SCN_EXPR_ELLIPSIS: case SCN_EXPR_LIST: case SCN_EXPR_STRUCT: case SCN_EXPR_FIELD: case SCN_EXPR_CONCAT:
        scn_error(checker->parser, expr->at, "expected a number; this may only stand in the arguments of a call");
        break;
    }
}

void scn_check_number(struct scn_checker *checker, struct scn_expr *expr, const char *what, int64_t min, int64_t max)
{
    scn_check_expr(checker, expr);
    if (expr->kind == SCN_EXPR_FLAGS || expr->kind == SCN_EXPR_STRING)
        scn_error(checker->parser, expr->at, "%s is a number, not %s", what, expr->kind == SCN_EXPR_FLAGS ? "flags" : "a text");
    else if (expr->kind == SCN_EXPR_NUMBER && (expr->number < min || expr->number > max))
        scn_error(checker->parser, expr->at, "%s is from %lld to %lld, not %lld", what, (long long)min, (long long)max,
                  (long long)expr->number);
}

static bool is_packetdrill_function(const char *name)
{
    static const char *const names[] = { "htons", "htonl", "inet_addr", "inet6_addr" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

void scn_check_argument(struct scn_checker *checker, struct scn_expr *expr)
{
    switch (expr->kind) {
    case SCN_EXPR_VARIABLE:
        check_variable(checker, expr);
        break;
    case SCN_EXPR_ENDPOINT:
        check_endpoint_expr(checker, expr);
        break;
    case SCN_EXPR_CALL:
        if (!is_packetdrill_function(expr->text)) {
            check_call(checker, expr);
            break;
        }
        /* fall through */
    default:
        for (unsigned i = 0; i < expr->child_count; i++)
            scn_check_argument(checker, expr->child[i]);
    }
}

/* ---- matches ----------------------------------------------------------------------------------------------------- */

void scn_check_sent(struct scn_checker *checker, struct scn_match *match, const char *what, int64_t min, int64_t max)
{
    if (match->relation == SCN_NONE)
        return;
    if (match->relation != SCN_EQ)
        scn_error(checker->parser, match->value ? match->value->at : checker->place,
                  "%s is sent here, so it is one number, not a range or a comparison", what);
    if (match->value)
        scn_check_number(checker, match->value, what, min, max);
}

void scn_check_compared(struct scn_checker *checker, struct scn_match *match, const char *what, int64_t min, int64_t max)
{
    if (match->relation == SCN_NONE || match->relation == SCN_ANY)
        return;
    if (match->relation == SCN_EQ && match->value->kind == SCN_EXPR_VARIABLE && checker->may_capture) {
        scn_set_variable(checker, match->value->slot);
        return;
    }
    scn_check_number(checker, match->value, what, min, max);
    if (match->upper)
        scn_check_number(checker, match->upper, what, min, max);
    if (match->upper && match->value->kind == SCN_EXPR_NUMBER && match->upper->kind == SCN_EXPR_NUMBER &&
        match->upper->number < match->value->number)
        scn_error(checker->parser, match->value->at, "the range of %s ends before it begins", what);
}

/* Between scanner and grammar: decides where steps end, and what words and angle brackets mean where they stand.
 *
 * packetdrill's notation gives no sign where a step ends: the `+` of the next step's time looks like an addition. What tells is the
 * line: a token that is the first on its line, outside of brackets, and can begin a step, begins one. An END is put before it,
 * which is also where the grammar picks itself up after an error. A line that begins with anything else continues the step before.
 *
 * Within a step the first word that is no time decides its mode, and the mode which words are keywords: `win` is one in a segment,
 * and an ordinary name in a call. `<` is a direction at the head of a step, opens options within a segment when an option follows,
 * and is "less than" elsewhere. None of this needs more than two tokens of lookahead.
 */
#include "engine/scenario/tokens.h"

#include "scenario_grammar.h"

#include <string.h>

/* ---- what a token can mean --------------------------------------------------------------------------------------- */

static bool is_number(int kind)
{
    return kind == INTEGER || kind == FLOAT || kind == DURATION;
}

static bool is_step_keyword(int kind)
{
    return kind >= STATE && kind <= EACH; /* as the grammar declares them */
}

static bool is_segment_keyword(int kind)
{
    return kind >= ACK && kind <= MPLS;
}

static bool is_option_keyword(int kind)
{
    return kind >= MSS && kind <= KIND;
}

/* Is this keyword one in this mode? Otherwise it is a WORD. */
static bool has_meaning(int kind, enum scn_mode mode)
{
    if (is_step_keyword(kind))
        return mode == SCN_MODE_HEAD;
    if (is_segment_keyword(kind))
        return mode == SCN_MODE_SEGMENT;
    if (kind == OR)
        return mode == SCN_MODE_STATE || mode == SCN_MODE_EITHER;
    return kind != TABLE_IN || mode == SCN_MODE_TABLE;
}

static enum scn_mode mode_after(int head)
{
    switch (head) {
    case IN: case OUT: case NEVER: return SCN_MODE_SEGMENT;
    case WORD: return SCN_MODE_CALL;
    case STATE: return SCN_MODE_STATE;
    case EACH: return SCN_MODE_TABLE;
    case EITHER: return SCN_MODE_EITHER;
    default: return SCN_MODE_OTHER;
    }
}

/* ---- lookahead --------------------------------------------------------------------------------------------------- */

static void read_ahead(struct scn_parser *parser, unsigned count)
{
    struct scn_token_stream *s = &parser->tokens;
    while (s->ahead_count < count) {
        struct scn_token *token = &s->ahead[s->ahead_count];
        token->kind = scn_scan(parser, &token->piece, &token->at);
        token->first_on_line = token->at.line > s->scanned_line;
        s->scanned_line = token->at.last_line;
        s->ahead_count++;
    }
}

static const struct scn_token *peek(struct scn_parser *parser, unsigned index)
{
    read_ahead(parser, index + 1);
    return &parser->tokens.ahead[index];
}

static struct scn_token take(struct scn_parser *parser)
{
    struct scn_token_stream *s = &parser->tokens;
    read_ahead(parser, 1);
    struct scn_token token = s->ahead[0];
    s->ahead_count--;
    memmove(s->ahead, s->ahead + 1, s->ahead_count * sizeof s->ahead[0]);
    return token;
}

/* ---- where steps begin ------------------------------------------------------------------------------------------- */

/* `<` followed by what can only be options (or a slip in them): not a call, and no number to compare with. */
static bool opens_options(struct scn_parser *parser)
{
    const int next = peek(parser, 1)->kind;
    if (next == WORD || next == TABLE_IN || next == OR || is_step_keyword(next))
        return peek(parser, 2)->kind != '(';
    return is_option_keyword(next) || next == ELLIPSIS || next == '!' || next == '>';
}

/* Behind these a number goes on with what was begun. (`*`, `-` and `>` can also be the end of it: anything, no flags, the last
 * option.) */
static bool wants_number(int kind)
{
    static const int kinds[] = { ',', '=', '+', '/', '%', '|', '&', '<', SHIFT_LEFT, SHIFT_RIGHT, EQUAL, NOT_EQUAL, LESS_EQUAL, GREATER_EQUAL,
                                 AND_AND, OR_OR, TABLE_IN };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kind == kinds[i])
            return true;
    return false;
}

/* Behind a `>`: what tells a segment that somebody forgot the time of from the end of options on a line of its own. */
static bool starts_segment(const struct scn_token *token)
{
    const int kind = token->kind;
    return !token->first_on_line &&
           (kind == WORD || kind == '.' || kind == '-' || kind == FLOAT || kind == ICMP || kind == ENDPOINT || kind == '[');
}

/* Can the token ahead, first on its line, begin a step? */
static bool begins_step(struct scn_parser *parser)
{
    const struct scn_token_stream *s = &parser->tokens;
    const int kind = peek(parser, 0)->kind;
    if (kind == DIRECTIVE || kind == OPTION)
        return true;
    if (kind == '+') /* even within brackets, which somebody then forgot to close */
        return s->depth == 0 || is_number(peek(parser, 1)->kind);
    if (s->depth > 0)
        return false;
    if (s->last.kind == '}')
        return kind != OR;
    if (is_number(kind))
        return peek(parser, 1)->kind != ':' && !wants_number(s->last.kind);
    switch (kind) {
    case '*': case BACKQUOTED: case CODE:
        return true;
    case WORD:
        return peek(parser, 1)->kind == '(' || s->mode == SCN_MODE_OTHER;
    case '<':
        return s->mode != SCN_MODE_SEGMENT || !opens_options(parser);
    case '>':
        return s->mode != SCN_MODE_SEGMENT || starts_segment(peek(parser, 1));
    default:
        return is_step_keyword(kind);
    }
}

/* ---- what tokens become ------------------------------------------------------------------------------------------ */

/* A word that a --define gave a value becomes that value. */
static void substitute(struct scn_parser *parser, struct scn_token *token)
{
    if (token->kind != WORD)
        return;
    for (unsigned i = 0; i < parser->defines.count; i++) {
        const struct scn_define *define = parser->defines.items[i];
        if (define->name.len != token->piece.len || memcmp(define->name.start, token->piece.start, define->name.len) != 0)
            continue;
        int64_t value;
        const char first = *define->value.start; /* which is never empty */
        token->piece = define->value;
        if (first == '"')
            token->kind = STRING;
        else if (first == '`')
            token->kind = BACKQUOTED;
        else if (scn_read_integer(define->value, &value))
            token->kind = define->value.len > 1 && (define->value.start[1] | 0x20) == 'x' ? HEX : INTEGER;
        return;
    }
}

static void classify_angle(struct scn_parser *parser, struct scn_token *token)
{
    const struct scn_token_stream *s = &parser->tokens;
    const bool after_never = s->last.kind == NEVER || s->last.kind == NEXT;
    if (s->mode == SCN_MODE_HEAD || after_never)
        token->kind = token->kind == '<' ? IN : OUT;
    else if (token->kind == '<' && s->mode == SCN_MODE_SEGMENT && s->depth == 0 && opens_options(parser))
        token->kind = OPTIONS;
}

/* mtu() and ipv6(), which are functions where `mtu 1500` and `ipv6 …:` begin something else. */
static bool is_function_call(struct scn_parser *parser, int kind)
{
    return (kind == MTU || kind == IPV6) && peek(parser, 1)->kind == '(' && peek(parser, 2)->kind == ')';
}

/* Gives the token ahead its meaning. Only looks; take() comes after. */
static void classify(struct scn_parser *parser)
{
    struct scn_token_stream *s = &parser->tokens;
    peek(parser, 0);
    struct scn_token token = s->ahead[0];
    if ((is_step_keyword(token.kind) || is_segment_keyword(token.kind) || token.kind == OR || token.kind == TABLE_IN)
        && (!has_meaning(token.kind, s->mode) || is_function_call(parser, token.kind)))
        token.kind = WORD;
    substitute(parser, &token);
    if (token.kind == '<' || token.kind == '>')
        classify_angle(parser, &token);
    if (token.kind == ',' && s->is_never && s->depth == 0 && (peek(parser, 1)->kind == '>' || peek(parser, 1)->kind == '<'))
        token.kind = NEXT;
    if (token.kind == '[' && s->last.kind == ENDPOINT && s->last.at.end == token.at.first)
        token.kind = SUBSCRIPT;
    s->ahead[0] = token;
}

/* ---- following along --------------------------------------------------------------------------------------------- */

static struct scn_token end_token(struct scn_parser *parser)
{
    struct scn_token_stream *s = &parser->tokens;
    const struct scn_span last = s->last.at;
    const struct scn_span at = { last.last_line, last.end_column, last.last_line, last.end_column, last.end, last.end };
    s->in_step = s->end_pending = s->is_never = false;
    s->mode = SCN_MODE_HEAD;
    s->depth = 0;
    return (struct scn_token){ .kind = END, .piece = { "", 0 }, .at = at };
}

static void follow_brackets(struct scn_token_stream *s, int kind)
{
    if (kind == '(' || kind == '[' || kind == SUBSCRIPT || (kind == '{' && s->depth > 0))
        s->depth++;
    else if ((kind == ')' || kind == ']' || kind == '}') && s->depth > 0)
        s->depth--;
}

/* Keeps track of where in a step the stream is, once a token was taken. */
static void follow(struct scn_token_stream *s, const struct scn_token *token)
{
    const int kind = token->kind;
    const bool block_brace = s->depth == 0 && (kind == '{' || kind == '}');
    follow_brackets(s, kind);
    if (block_brace) {
        s->in_step = kind == '}'; /* behind `}` the step that has the block is still open */
        s->is_never = false;
        s->mode = kind == '{' ? SCN_MODE_HEAD : SCN_MODE_EITHER;
        return;
    }
    s->in_step = true;
    s->end_pending = kind == DIRECTIVE || kind == OPTION;
    const bool is_time = is_number(kind) || kind == '+' || kind == '~' || kind == '*' || kind == ELLIPSIS;
    if (s->mode == SCN_MODE_HEAD && !is_time) {
        s->mode = mode_after(kind);
        s->is_never = kind == NEVER;
    }
}

int scn_next_token(struct scn_parser *parser, struct scn_piece *piece, struct scn_span *at)
{
    struct scn_token_stream *s = &parser->tokens;
    read_ahead(parser, 1);
    substitute(parser, &s->ahead[0]); /* it may become a command, which begins a step */
    const struct scn_token *next = &s->ahead[0];
    const bool closes_block = next->kind == '}' && s->depth == 0;
    struct scn_token token;
    if (s->in_step &&
        (s->end_pending || next->kind == END_OF_FILE || closes_block || (next->first_on_line && begins_step(parser)))) {
        token = end_token(parser);
    } else {
        classify(parser);
        token = take(parser);
        token.in_head = s->mode == SCN_MODE_HEAD;
        follow(s, &token);
    }
    s->before_last = s->last;
    s->last = token;
    *piece = token.piece;
    *at = token.at;
    return token.kind;
}

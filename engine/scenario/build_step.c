/* Makes steps out of what the grammar reads, with their times, and collects them in blocks. */
#include "engine/scenario/names.h"
#include "engine/scenario/parse.h"

#include <ctype.h>
#include <string.h>

/* ---- time -------------------------------------------------------------------------------------------------------- */

enum { TIME_S_MAX = 366 * 86400 }; /* nobody tests for longer than a year, and sums of times stay far from the end of int64_t */

int64_t scn_instant(struct scn_parser *parser, struct scn_piece token, struct scn_span at)
{
    int64_t ns = 0;
    char quote[SCN_QUOTE_MAX];
    if (!scn_read_time(token, &ns) || ns > TIME_S_MAX * SCN_NS_PER_S) {
        scn_error(parser, scn_place(at), "the time %s is longer than a year", scn_quote(token, quote));
        return 0;
    }
    return ns;
}

struct scn_time scn_time_range(struct scn_parser *parser, enum scn_time_kind kind, bool is_range, int64_t from_ns, int64_t to_ns,
                               struct scn_span at)
{
    if (to_ns < from_ns)
        scn_error(parser, scn_place(at), "the time range ends before it begins");
    return (struct scn_time){ .kind = kind, .is_range = is_range, .from_ns = from_ns, .to_ns = to_ns };
}

struct scn_time scn_time_return(struct scn_parser *parser, struct scn_time start, bool plus, int64_t return_ns, struct scn_span at)
{
    if (start.kind == SCN_TIME_ANY || start.is_range)
        scn_error(parser, scn_place(at), "expected one time before `...`, as in `+0...+2 connect(3, ..., ...) = 0`");
    else if (plus && start.kind == SCN_TIME_ABSOLUTE)
        scn_error(parser, scn_place(at),
                  "a call that starts at a time from the start returns at one, too: write the second without `+`");
    else if (return_ns < start.from_ns)
        scn_error(parser, scn_place(at), "the call returns before it begins");
    start.has_return = true;
    start.return_relative = start.kind == SCN_TIME_RELATIVE;
    start.return_ns = return_ns;
    return start;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

struct scn_step *scn_new_step(struct scn_parser *parser, enum scn_step_kind kind)
{
    struct scn_step *step = scn_arena_alloc(parser->arena, 1, sizeof *step);
    step->kind = kind;
    return step;
}

struct scn_step *scn_packet_step(struct scn_parser *parser, bool injection, struct scn_packet *packet)
{
    struct scn_step *step = scn_new_step(parser, injection ? SCN_STEP_INJECT : SCN_STEP_EXPECT);
    step->packet = packet;
    return step;
}

/* Words keep the blank between them, if there was one. */
void scn_note_word(struct scn_parser *parser, bool first, struct scn_span at)
{
    const struct scn_piece word = scn_span_piece(parser, at);
    if (first)
        parser->note = (struct scn_bytes){ 0 };
    else if (at.first > parser->note_end)
        scn_append(parser, &parser->note, (struct scn_piece){ " ", 1 });
    scn_append(parser, &parser->note, word);
    parser->note_end = at.end;
}

struct scn_step *scn_call_step(struct scn_parser *parser, const struct scn_expr *function, struct scn_match result,
                               struct scn_piece error)
{
    struct scn_step *step = scn_new_step(parser, SCN_STEP_CALL);
    step->call = (struct scn_call){ .name = function->text, .arguments = function->child, .argument_count = function->child_count,
                                    .result = result, .error = error.len ? scn_piece_copy(parser, error) : NULL,
                                    .note = NULL };
    if (parser->note.len)
        step->call.note = scn_arena_text(parser->arena, (const char *)parser->note.bytes, parser->note.len);
    parser->note = (struct scn_bytes){ 0 };
    return step;
}

struct scn_step *scn_text_step(struct scn_parser *parser, enum scn_step_kind kind, struct scn_piece token, unsigned delimiter_len)
{
    struct scn_step *step = scn_new_step(parser, kind);
    step->text = scn_piece_text(parser, (struct scn_piece){ token.start + delimiter_len, token.len - 2 * delimiter_len },
                                scn_place(parser->tokens.last.at));
    return step;
}

struct scn_step *scn_never_step(struct scn_parser *parser, const struct scn_list *packets, const struct scn_block *block)
{
    struct scn_step *step = scn_new_step(parser, SCN_STEP_NEVER);
    step->never.packets = (struct scn_packet **)packets->items;
    step->never.count = packets->count;
    step->never.has_block = block != NULL;
    if (block)
        step->never.block = *block;
    return step;
}

struct scn_step *scn_either_step(struct scn_parser *parser, struct scn_block first, const struct scn_list *others)
{
    struct scn_step *step = scn_new_step(parser, SCN_STEP_EITHER);
    step->either.count = others->count + 1;
    step->either.branches = scn_arena_alloc(parser->arena, step->either.count, sizeof *step->either.branches);
    step->either.branches[0] = first;
    for (unsigned i = 0; i < others->count; i++)
        step->either.branches[i + 1] = *(const struct scn_block *)others->items[i];
    return step;
}

struct scn_step *scn_repeat_step(struct scn_parser *parser, struct scn_expr *times, const struct scn_expr *variable,
                                 struct scn_block block)
{
    struct scn_step *step = scn_new_step(parser, SCN_STEP_REPEAT);
    step->repeat.times = times;
    step->repeat.slot = variable ? (int)variable->slot : -1;
    step->repeat.block = block;
    return step;
}

struct scn_step *scn_gather_step(struct scn_parser *parser, struct scn_endpoint_ref endpoint, struct scn_match from,
                                 struct scn_match to)
{
    struct scn_step *step = scn_new_step(parser, SCN_STEP_GATHER);
    step->gather.endpoint = endpoint;
    step->gather.from = from;
    step->gather.to = to;
    return step;
}

struct scn_step *scn_let_step(struct scn_parser *parser, const struct scn_expr *variable, struct scn_expr *value)
{
    struct scn_step *step = scn_new_step(parser, SCN_STEP_LET);
    step->let.slot = variable->slot;
    step->let.value = value;
    return step;
}

struct scn_step *scn_link_step(struct scn_parser *parser, struct scn_piece event, bool inbound, struct scn_expr *nth,
                               int64_t delay_ns, struct scn_span at)
{
    struct scn_step *step = scn_new_step(parser, SCN_STEP_LINK);
    const char *name = scn_piece_copy(parser, event);
    const int found = scn_link_event_from_name(name);
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    if (found < 0)
        scn_error(parser, scn_place(at), "expected `drop`, `duplicate`, `delay` or `reorder` after `link`, found `%s`%s",
                  scn_quote(event, quote), scn_hint(name, scn_link_words, scn_link_word_count, hint));
    else if (found == SCN_LINK_DELAY && delay_ns < 0)
        scn_error(parser, scn_place(at), "`link delay` needs to know how long: as in `link delay < 1 200ms`");
    else if (found != SCN_LINK_DELAY && delay_ns >= 0)
        scn_error(parser, scn_place(at), "only `link delay` has a time");
    step->link.event = (enum scn_link_event)(found < 0 ? 0 : found);
    step->link.inbound = inbound;
    step->link.nth = nth;
    step->link.delay_ns = delay_ns < 0 ? 0 : delay_ns;
    return step;
}

unsigned scn_state_bit(struct scn_parser *parser, struct scn_span at)
{
    const struct scn_piece piece = scn_span_piece(parser, at);
    const char *text = scn_piece_copy(parser, piece);
    const enum tcp_state state = tcp_state_from_name(text);
    if (state != TCP_STATE_COUNT)
        return 1u << state;
    const char *names[TCP_STATE_COUNT];
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    for (unsigned i = 0; i < TCP_STATE_COUNT; i++)
        names[i] = tcp_state_name((enum tcp_state)i);
    scn_error(parser, scn_place(at), "`%s` is no state of RFC 9293%s", scn_quote(piece, quote),
              scn_hint(text, names, TCP_STATE_COUNT, hint));
    return 0;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* Runs of blanks outside of quotes become one, in place: scenarios align their columns, messages do not. */
static void squeeze_blanks(char *text)
{
    bool quoted = false, escaped = false;
    char *end = text;
    for (const char *c = text; *c; c++) {
        const bool blank = isspace((unsigned char)*c) && !quoted;
        quoted ^= *c == '"' && !escaped;
        escaped = quoted && *c == '\\' && !escaped;
        if (!blank || end[-1] != ' ')
            *end++ = blank ? ' ' : *c;
    }
    *end = '\0';
}

/* The first line of the text, without the blanks around it and the brace of a block that begins there. */
static const char *source_of(struct scn_parser *parser, struct scn_span at)
{
    struct scn_piece piece = scn_span_piece(parser, at);
    const char *newline = memchr(piece.start, '\n', piece.len);
    if (newline)
        piece.len = (unsigned)(newline - piece.start);
    while (piece.len > 0 && isspace((unsigned char)*piece.start)) {
        piece.start++;
        piece.len--;
    }
    while (piece.len > 1 && (isspace((unsigned char)piece.start[piece.len - 1]) || piece.start[piece.len - 1] == '{'))
        piece.len--;
    char *text = scn_piece_copy(parser, piece);
    if (text)
        squeeze_blanks(text);
    return text;
}

void scn_add_step(struct scn_parser *parser, struct scn_step *step, struct scn_span at)
{
    if (parser->step_count == SCN_STEPS_MAX) {
        scn_error(parser, scn_place(at), "more than %d steps", SCN_STEPS_MAX);
        parser->stop = true;
        return;
    }
    parser->step_count++;
    parser->seen_step = parser->seen_step || (step->kind != SCN_STEP_PHASE && step->kind != SCN_STEP_COVERS);
    step->at = scn_place(at);
    step->source = source_of(parser, at);
    scn_list_add(parser->arena, &parser->blocks[parser->nesting], step);
}

void scn_block_begin(struct scn_parser *parser, struct scn_span at)
{
    parser->seen_step = true;
    if (parser->nesting == SCN_NESTING_MAX) {
        scn_error(parser, scn_place(at), "blocks are nested more than %d deep", SCN_NESTING_MAX);
        parser->stop = true;
        return;
    }
    parser->blocks[++parser->nesting] = (struct scn_list){ 0 };
    parser->block_lines[parser->nesting] = at.line;
}

static struct scn_block block_of(struct scn_parser *parser, const struct scn_list *steps)
{
    struct scn_block block = { scn_arena_alloc(parser->arena, steps->count, sizeof *block.steps), steps->count };
    for (unsigned i = 0; i < steps->count; i++)
        block.steps[i] = *(const struct scn_step *)steps->items[i];
    return block;
}

struct scn_block scn_block_end(struct scn_parser *parser)
{
    const struct scn_block block = block_of(parser, &parser->blocks[parser->nesting]);
    if (parser->nesting > 0)
        parser->nesting--;
    return block;
}

/* What the parts of the parser share: the tokens' values, the state of one parse, and the functions by which the grammar builds.
 *
 * One parse is one struct scn_parser; there is no other state. Every allocation comes from the scenario's arena, whose `escape` is
 * set meanwhile, so nothing here checks for memory.
 */
#ifndef TCPASSAY_SCENARIO_PARSE_H
#define TCPASSAY_SCENARIO_PARSE_H

#include "engine/scenario/arena.h"
#include "engine/scenario/scenario.h"

#include <string.h>

/* ---- places and pieces of the text ------------------------------------------------------------------------------- */

struct scn_span { /* of a token or of what was made of several; columns count characters from 1; offsets are octets, ends exclusive */
    int line, column, last_line, end_column;
    unsigned first, end;
};

struct scn_piece { const char *start; unsigned len; }; /* of the source text, or of a --define's value */
static inline struct scn_piece scn_piece_of(const char *text)
{
    return (struct scn_piece){ text, (unsigned)strlen(text) };
}

struct scn_bytes { uint8_t *bytes; size_t len, capacity; };

/* ---- the state of one parse -------------------------------------------------------------------------------------- */

/* What the words of the line at hand can mean: `win` is a keyword in a segment and an ordinary name in a call. */
enum scn_mode { SCN_MODE_HEAD, SCN_MODE_SEGMENT, SCN_MODE_CALL, SCN_MODE_STATE, SCN_MODE_TABLE, SCN_MODE_EITHER, SCN_MODE_OTHER };

struct scn_token {
    int kind;
    bool first_on_line, in_head; /* in_head: taken before it was known what kind of step this is */
    struct scn_piece piece;
    struct scn_span at;
};

enum { SCN_LOOKAHEAD = 3 };
struct scn_token_stream { /* tokens.c */
    struct scn_token ahead[SCN_LOOKAHEAD];
    unsigned ahead_count;
    int scanned_line;                    /* the line that the last token scanned ended in */
    struct scn_token last, before_last;  /* handed to the parser */
    enum scn_mode mode;
    unsigned depth;                      /* of ( and [, and of { within them */
    bool in_step;                        /* something has come since the last end of a step */
    bool is_never;                       /* a comma may be followed by another segment */
    bool end_pending;                    /* an END must come next: behind a line that stands for itself */
};

struct scn_define { struct scn_piece name, value; };

struct scn_parser {
    struct scenario *scenario;
    struct scn_arena *arena;
    struct scn_diagnostics *diagnostics;
    const char *source;             /* the scenario's source_text */
    size_t source_len;

    void *scanner;                  /* flex's */
    int line, column;               /* where the scanner is */
    unsigned offset;
    struct scn_span match;          /* what it matched last */
    struct scn_token_stream tokens;
    struct scn_list defines;        /* struct scn_define */

    struct scn_list blocks[SCN_NESTING_MAX + 1]; /* steps of the open blocks; [0] is the scenario's */
    int block_lines[SCN_NESTING_MAX + 1]; /* where they were opened */
    unsigned nesting;               /* the innermost open one */
    unsigned step_count;
    bool failed;                    /* an error was found */
    bool stop;                      /* no use in going on: a bound was passed */

    struct scn_packet *packet;      /* the one being built, … */
    struct scn_list options, overrides; /* … its options and overrides, … */
    struct scn_bytes raw;           /* … its octets */

    struct scn_bytes note;          /* behind the result of the call at hand */
    unsigned note_end;              /* where its last word ended */

    struct scn_list variables;      /* char *: names without $ */
    struct scn_list endpoints;      /* struct scn_endpoint * */
    struct scn_list tables, settings, option_lines, covers, killed_by;
    struct scn_list declared;       /* char *: endpoints that the front matter names */
    bool seen_step, seen_phase, seen_ip, option_ipv4, option_ipv6;
    int64_t option_tolerance_ns;    /* --tolerance_usecs; -1 without */
    unsigned keys_seen;             /* front_matter.c: a bit for each key that came */
    struct scn_at first_directive;
};

/* ---- errors (diagnostics.c) -------------------------------------------------------------------------------------- */

/* "expected …, found …": the names are the grammar's for the tokens that would have done. */
void scn_syntax_error(struct scn_parser *parser, struct scn_span at, const char **expected, unsigned count);
/* Records a diagnostic; one more than SCN_DIAGNOSTICS_MAX ends the parse. */
__attribute__((format(printf, 3, 4))) void scn_error(struct scn_parser *parser, struct scn_at at, const char *format, ...);
/* The word among count words that text is most likely a slip of, or NULL. */
const char *scn_did_you_mean(const char *text, const char *const *words, unsigned count);
/* "; did you mean `x`?" or "", into out; returns out. */
enum { SCN_HINT_MAX = 64 };
const char *scn_hint(const char *text, const char *const *words, unsigned count, char out[static SCN_HINT_MAX]);
/* The text as it may stand in a message: cut to some 30 characters, unprintable octets as \xHH. Returns out. */
enum { SCN_QUOTE_MAX = 48 };
const char *scn_quote(struct scn_piece piece, char out[static SCN_QUOTE_MAX]);

static inline struct scn_at scn_place(struct scn_span span)
{
    return (struct scn_at){ span.line, span.column };
}

/* ---- scanning ---------------------------------------------------------------------------------------------------- */

bool scn_scanner_start(struct scn_parser *parser);
/* The next token of the text (lexer.l). */
int scn_scan(struct scn_parser *parser, struct scn_piece *piece, struct scn_span *at);

/* ---- small readers (literal.c) ----------------------------------------------------------------------------------- */

bool scn_piece_is(struct scn_piece piece, const char *text);
/* As scn_piece_copy(), for what may be any octets: a NUL is an error. */
char *scn_piece_text(struct scn_parser *parser, struct scn_piece piece, struct scn_at at);
char *scn_piece_copy(struct scn_parser *parser, struct scn_piece piece);
/* What stands in the source between the ends of a span. */
struct scn_piece scn_span_piece(const struct scn_parser *parser, struct scn_span span);
/* Decimal or 0x hexadecimal. False when it does not fit: decimals into int64_t, hexadecimals into 64 bits. */
bool scn_read_integer(struct scn_piece piece, int64_t *value);
/* "2", "0.5", ".5", with or without a unit (ns us ms s m); seconds without. False when it does not fit. Finer than 1 ns is cut off.
 */
bool scn_read_time(struct scn_piece piece, int64_t *ns);
/* The octets between the quotes of a STRING token, escapes resolved; terminated besides. */
struct scn_bytes scn_read_string(struct scn_parser *parser, struct scn_piece piece, struct scn_span at);
void scn_append(struct scn_parser *parser, struct scn_bytes *bytes, struct scn_piece piece);
/* Hex digits, with or without 0x in front, appended to what is there. False: not hex, or an odd number of digits. */
bool scn_read_hex(struct scn_parser *parser, struct scn_piece piece, struct scn_bytes *out);
/* Letters of flags, "SFRP.UEWA" in any order: the bits, or -1 with *wrong the letter that is none, or that came twice. */
int scn_read_flags(struct scn_piece piece, char *wrong);

/* ---- expressions (build_expr.c) ---------------------------------------------------------------------------------- */

unsigned scn_variable_slot(struct scn_parser *parser, struct scn_piece token, struct scn_at at);  /* "$name" */
unsigned scn_endpoint_slot(struct scn_parser *parser, struct scn_piece token, struct scn_at at);  /* "@name" */

struct scn_expr *scn_new_expr(struct scn_parser *parser, enum scn_expr_kind kind, struct scn_span at);
struct scn_expr *scn_integer_expr(struct scn_parser *parser, struct scn_piece token, struct scn_span at);
struct scn_expr *scn_duration_expr(struct scn_parser *parser, struct scn_piece token, struct scn_span at);
struct scn_expr *scn_float_expr(struct scn_parser *parser, struct scn_piece token, struct scn_span at);
/* NAME, CALL or FIELD of that name. */
struct scn_expr *scn_text_expr(struct scn_parser *parser, enum scn_expr_kind kind, struct scn_piece name, struct scn_span at);
/* The octets of `before` (or none), then those of the token. */
struct scn_expr *scn_string_expr(struct scn_parser *parser, const struct scn_expr *before, struct scn_piece token,
                                 struct scn_span at);
struct scn_expr *scn_concat_expr(struct scn_parser *parser, struct scn_piece token, struct scn_span at);
struct scn_expr *scn_flags_expr(struct scn_parser *parser, struct scn_span at);
struct scn_expr *scn_variable_expr(struct scn_parser *parser, struct scn_piece token, struct scn_span at);
struct scn_expr *scn_endpoint_expr(struct scn_parser *parser, struct scn_endpoint_ref endpoint, struct scn_span at);
/* A negative literal becomes a number. */
struct scn_expr *scn_unary(struct scn_parser *parser, enum scn_op op, struct scn_expr *operand, struct scn_span at);
struct scn_expr *scn_binary(struct scn_parser *parser, enum scn_op op, struct scn_expr *left, struct scn_expr *right,
                            struct scn_span at);
struct scn_expr *scn_children(struct scn_parser *parser, struct scn_expr *parent, const struct scn_list *children);
/* name = value; the name is a FIELD, or a CALL with at most one argument: msg_iov(1) = value. */
struct scn_expr *scn_field_expr(struct scn_parser *parser, struct scn_expr *name, struct scn_expr *value);
char *scn_plain_text(struct scn_parser *parser, struct scn_piece token, struct scn_span at);

static inline struct scn_match scn_match_of(enum scn_relation relation, struct scn_expr *value)
{
    return (struct scn_match){ relation, value, NULL };
}

/* ---- segments (build_packet.c) ----------------------------------------------------------------------------------- */

/* A segment: begun by its direction, ended when all of it was read; fields are set in between on parser->packet. */
void scn_packet_begin(struct scn_parser *parser, struct scn_span at);
struct scn_packet *scn_packet_end(struct scn_parser *parser);
/* Letters, or "any", and what stood behind them: "", "." or ".5". */
void scn_packet_flags(struct scn_parser *parser, struct scn_piece letters, struct scn_piece ack, struct scn_span at);
void scn_packet_forbid(struct scn_parser *parser, struct scn_span at);
void scn_packet_leave_open(struct scn_parser *parser, struct scn_span at);
void scn_packet_ip_word(struct scn_parser *parser, struct scn_piece word, struct scn_span at);
void scn_packet_ip_field(struct scn_parser *parser, struct scn_piece word, struct scn_match value, struct scn_span at);
void scn_packet_raw(struct scn_parser *parser, struct scn_piece hex, struct scn_span at);
void scn_packet_encapsulation(struct scn_parser *parser, struct scn_span from, struct scn_span to);
void scn_packet_quotes_other(struct scn_parser *parser, const char *protocol, const struct scn_expr *len);
void scn_packet_option(struct scn_parser *parser, struct scn_option *option, struct scn_span at);
void scn_packet_override(struct scn_parser *parser, struct scn_piece key, struct scn_match value, struct scn_span at,
                         struct scn_span value_at);
void scn_packet_fill(struct scn_parser *parser, struct scn_piece key, struct scn_expr *value, struct scn_span at);
void scn_packet_option_bytes(struct scn_parser *parser, struct scn_piece hex, struct scn_span at, struct scn_span value_at);

struct scn_option *scn_new_option(struct scn_parser *parser, uint8_t kind, enum scn_option_form form, struct scn_span at);
struct scn_option *scn_kind_option(struct scn_parser *parser, const struct scn_expr *kind, enum scn_option_form form,
                                   struct scn_span at);
void scn_option_value(struct scn_parser *parser, struct scn_option *option, struct scn_match value);
void scn_option_hex(struct scn_parser *parser, struct scn_option *option, struct scn_piece hex, struct scn_span at);
void scn_option_counter(struct scn_parser *parser, struct scn_option *option, struct scn_piece field, struct scn_match value,
                        struct scn_span at);
void scn_unknown_option(struct scn_parser *parser, struct scn_piece word, struct scn_span at);

/* ---- steps (build_step.c) ---------------------------------------------------------------------------------------- */

int64_t scn_instant(struct scn_parser *parser, struct scn_piece token, struct scn_span at);
struct scn_time scn_time_range(struct scn_parser *parser, enum scn_time_kind kind, bool is_range, int64_t from_ns, int64_t to_ns,
                               struct scn_span at);
struct scn_time scn_time_return(struct scn_parser *parser, struct scn_time start, bool plus, int64_t return_ns, struct scn_span at);

struct scn_step *scn_new_step(struct scn_parser *parser, enum scn_step_kind kind);
struct scn_step *scn_packet_step(struct scn_parser *parser, bool injection, struct scn_packet *packet);
struct scn_step *scn_call_step(struct scn_parser *parser, const struct scn_expr *function, struct scn_match result,
                               struct scn_piece error);
/* One more word of the note behind a call's result. */
void scn_note_word(struct scn_parser *parser, bool first, struct scn_span at);
struct scn_step *scn_text_step(struct scn_parser *parser, enum scn_step_kind kind, struct scn_piece token, unsigned delimiter_len);
struct scn_step *scn_never_step(struct scn_parser *parser, const struct scn_list *packets, const struct scn_block *block);
struct scn_step *scn_either_step(struct scn_parser *parser, struct scn_block first, const struct scn_list *others);
struct scn_step *scn_repeat_step(struct scn_parser *parser, struct scn_expr *times, const struct scn_expr *variable,
                                 struct scn_block block);
struct scn_step *scn_gather_step(struct scn_parser *parser, struct scn_endpoint_ref endpoint, struct scn_match from,
                                 struct scn_match to);
struct scn_step *scn_let_step(struct scn_parser *parser, const struct scn_expr *variable, struct scn_expr *value);
/* delay_ns < 0: none was given. */
struct scn_step *scn_link_step(struct scn_parser *parser, struct scn_piece event, bool inbound, struct scn_expr *nth,
                               int64_t delay_ns, struct scn_span at);
/* The bit of the state whose name the span covers. */
unsigned scn_state_bit(struct scn_parser *parser, struct scn_span at);
/* Appends the step to the innermost open block; the span is all of its text. */
void scn_add_step(struct scn_parser *parser, struct scn_step *step, struct scn_span at);
void scn_block_begin(struct scn_parser *parser, struct scn_span at);
struct scn_block scn_block_end(struct scn_parser *parser);

/* ---- tables (build_table.c) -------------------------------------------------------------------------------------- */

/* each $a, $b in …: variables are expressions, rows lists of struct scn_value. */
void scn_add_table(struct scn_parser *parser, const struct scn_list *variables, const struct scn_list *rows, struct scn_span at);
struct scn_value *scn_cell_number(struct scn_parser *parser, const struct scn_expr *number, bool negative);
struct scn_value *scn_cell_string(struct scn_parser *parser, struct scn_piece token, struct scn_span at);
struct scn_value *scn_cell_flags(struct scn_parser *parser, struct scn_span at);
struct scn_value *scn_cell_endpoint(struct scn_parser *parser, struct scn_endpoint_ref endpoint, struct scn_span at);

/* ---- lines that describe (front_matter.c) ------------------------------------------------------------------------ */

/* A "//:" line: a key of the front matter, or a phase or covers step. */
void scn_directive(struct scn_parser *parser, struct scn_piece line, struct scn_span at);
/* A "--name=value" of packetdrill. */
void scn_option_line(struct scn_parser *parser, struct scn_piece line, struct scn_span at);
/* What follows from the whole: the title is there, defaults, lists moved into the scenario. */
void scn_front_matter_end(struct scn_parser *parser);

/* ---- meaning (check.c) ------------------------------------------------------------------------------------------- */

/* Resolves names and checks references, values and places; what is wrong becomes a diagnostic. */
void scn_check(struct scn_parser *parser);

#endif

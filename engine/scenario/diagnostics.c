/* Says what is wrong with a scenario: what was expected, what was found, and what may have been meant. */
#include "engine/scenario/parse.h"
#include "scenario_grammar.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void scn_error(struct scn_parser *parser, struct scn_at at, const char *format, ...)
{
    struct scn_diagnostics *d = parser->diagnostics;
    parser->failed = true;
    if (d->count > 0 && d->list[d->count - 1].at.line == at.line && d->list[d->count - 1].at.column == at.column)
        return; /* what is wrong in two ways at one place needs one message */
    if (d->count == SCN_DIAGNOSTICS_MAX) {
        parser->stop = true;
        return;
    }
    struct scn_diagnostic *diagnostic = &d->list[d->count++];
    diagnostic->at = at;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(diagnostic->message, sizeof diagnostic->message, format, arguments);
    va_end(arguments);
}

int scn_format_diagnostic(const char *file, const struct scn_diagnostic *diagnostic, char *out, size_t capacity)
{
    if (diagnostic->at.line == 0)
        return snprintf(out, capacity, "%s: %s", file, diagnostic->message);
    return snprintf(out, capacity, "%s:%d:%d: %s", file, diagnostic->at.line, diagnostic->at.column, diagnostic->message);
}

const char *scn_quote(struct scn_piece piece, char out[static SCN_QUOTE_MAX])
{
    enum { SHOWN_MAX = 36 }; /* the rest is for one more character and the dots */
    size_t used = 0;
    for (unsigned i = 0; i < piece.len && piece.start[i] != '\n'; i++) {
        const unsigned char c = (unsigned char)piece.start[i];
        if (used > SHOWN_MAX) {
            memcpy(out + used, "...", 4);
            return out;
        }
        if (isprint(c))
            out[used++] = (char)c;
        else
            used += (size_t)snprintf(out + used, SCN_QUOTE_MAX - used, "\\x%02X", c);
    }
    out[used] = '\0';
    return out;
}

/* ---- did you mean ------------------------------------------------------------------------------------------------ */

enum { WORD_MAX = 40 };

/* Insertions, deletions, replacements and swaps of neighbours that turn one word into the other, upper and lower case being alike.
 */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][WORD_MAX + 1];
    for (unsigned j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *before = rows[(i + 2) % 3], *before_that = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            const int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            unsigned best = before[j - 1] + (x != y);
            best = before[j] + 1 < best ? before[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]) &&
                before_that[j - 2] + 1 < best)
                best = before_that[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_len % 3][b_len];
}

const char *scn_did_you_mean(const char *text, const char *const *words, unsigned count)
{
    const size_t len = strlen(text);
    const char *best = NULL;
    unsigned best_distance = len < 4 ? 2 : 3; /* one slip in a short word, two in a longer one */
    if (len > WORD_MAX)
        return NULL;
    for (unsigned i = 0; i < count; i++) {
        const size_t word_len = strlen(words[i]);
        if (word_len > WORD_MAX)
            continue;
        const unsigned d = distance(text, len, words[i], word_len);
        if (d < best_distance && d < word_len) {
            best_distance = d;
            best = words[i];
        }
    }
    return best;
}

const char *scn_hint(const char *text, const char *const *words, unsigned count, char out[static SCN_HINT_MAX])
{
    const char *word = scn_did_you_mean(text, words, count);
    out[0] = '\0';
    if (word)
        snprintf(out, SCN_HINT_MAX, "; did you mean `%s`?", word);
    return out;
}

/* ---- syntax errors ----------------------------------------------------------------------------------------------- */

static bool among(const char *const names[], unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* What may stand where a number may; said as "a number". */
static bool starts_number(const char *name)
{
    static const char *const starts[] = { "a hexadecimal number", "a fraction", "a time", "a variable", "a name", "a text in quotes", "an endpoint",
                                          "'('", "'-'", "'='", "'<'", "'>'", "'*'", "'!'", "'.'", "`!=`", "`<=`", "`>=`" };
    return among(starts, sizeof starts / sizeof *starts, name);
}

/* Operators and what else may stand behind any number would only lengthen the list. */
static bool continues_number(const char *name)
{
    static const char *const operators[] = { "'+'", "'-'", "'*'", "'/'", "'%'", "'&'", "'|'", "'.'", "`<<`", "`>>`", "`..`", "`==`", "`!=`", "`<=`",
                                             "`>=`", "`&&`", "`||`", "'<'", "`, >`", "a text in quotes" };
    return among(operators, sizeof operators / sizeof *operators, name);
}

/* Beside `>=` it is a comparison; elsewhere it ends options, or is a direction. */
static bool is_greater(const char *name)
{
    return strcmp(name, "'>'") == 0;
}

/* Drops names, unless that would leave none. */
static unsigned drop(const char **names, unsigned count, bool (*dropped)(const char *name))
{
    unsigned kept = 0;
    for (unsigned i = 0; i < count; i++)
        kept += !dropped(names[i]);
    if (kept == 0)
        return count;
    kept = 0;
    for (unsigned i = 0; i < count; i++)
        if (!dropped(names[i]))
            names[kept++] = names[i];
    return kept;
}

/* bison writes '(' for a character; messages write `(`. */
static void append_name(char *out, size_t capacity, const char *before, const char *name)
{
    const size_t used = strlen(out);
    if (name[0] == '\'')
        snprintf(out + used, capacity - used, "%s`%c`", before, name[1]);
    else
        snprintf(out + used, capacity - used, "%s%s", before, name);
}

static void list_expected(char *out, size_t capacity, const char **names, unsigned count)
{
    enum { LISTED_MAX = 7 };
    out[0] = '\0';
    if (among(names, count, "a number"))
        count = drop(names, count, starts_number);
    if (among(names, count, "`>=`"))
        count = drop(names, count, is_greater);
    if (count > 2)
        count = drop(names, count, continues_number);
    if (count > LISTED_MAX)
        count = LISTED_MAX;
    for (unsigned i = 0; i < count; i++)
        append_name(out, capacity, i == 0 ? "" : i + 1 == count ? " or " : ", ", names[i]);
}

/* Where the grammar's own list would be long, or hide the point: what should stand behind this token, and how it looks. */
static const char *expected_after(int before, const char **example)
{
    static const struct { int last; const char *expected, *example; } rows[] = {
        { IN, "flags after `<`", "write them first, as in `< S. 0:0(0)`" },
        { OUT, "flags after `>`", "write them first, as in `> S. 0:0(0)`" },
        { OPTIONS, "an option after `<`", "as in `<mss 1460, nop, wscale 7>`" },
        { EITHER, "a block after `either`", "as in `either { … } or { … }`" },
        { NEVER, "`>` and a segment after `never`", "as in `+0~+1 never > R.`" },
        { LINK, "`drop`, `duplicate`, `delay` or `reorder` after `link`", "as in `link drop < 1`" },
        { STATE, "a state after `state`", "as in `state ESTABLISHED or CLOSE-WAIT`" },
        { WITH, "a field after `with`", "as in `with checksum bad`" },
        { TIMESTAMP, "`val` after `TS`", "as in `TS val 100 ecr 0`" },
        { ICMP, "a type after `icmp`", "as in `icmp unreachable port_unreachable`" },
        { RAW, "octets in hexadecimal after `raw`", "as in `raw 45000014`" },
        { TABLE_IN, "values after `in`", "as in `each $flags, $n in (S, 0), (SF, 1)`" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].last == before) {
            *example = rows[i].example;
            return rows[i].expected;
        }
    }
    return NULL;
}

static bool at_head(const struct scn_token *before)
{
    return before->kind == END || before->kind == 0 || (before->kind == '{' && before->in_head);
}

static bool behind_time(const struct scn_token *before)
{
    return before->in_head && (before->kind == INTEGER || before->kind == FLOAT || before->kind == DURATION || before->kind == '*');
}

static const char *found_text(const struct scn_parser *parser, char out[static SCN_QUOTE_MAX + 4])
{
    const struct scn_token_stream *tokens = &parser->tokens;
    char quote[SCN_QUOTE_MAX];
    if (tokens->last.kind != END && tokens->last.kind != END_OF_FILE)
        snprintf(out, SCN_QUOTE_MAX + 4, "`%s`", scn_quote(tokens->last.piece, quote));
    else if (tokens->last.kind == END && tokens->ahead_count && tokens->ahead[0].kind != END_OF_FILE)
        return tokens->ahead[0].kind == '}' && !tokens->ahead[0].first_on_line ? "`}`" : "the end of the line";
    else
        return "the end of the file";
    return out;
}

/* A step that starts with a word is a call, unless the word is one of these. */
static void wrong_first_word(struct scn_parser *parser, const struct scn_token *word, const char *found_what)
{
    static const char *const steps[] = { "state", "never", "fence", "either", "repeat", "gather", "let", "assert", "link", "incarnation", "wait", "skip",
                                         "each" };
    char quote[SCN_QUOTE_MAX], wrong;
    const char *meant = scn_did_you_mean(scn_piece_copy(parser, word->piece), steps, sizeof steps / sizeof *steps);
    scn_quote(word->piece, quote);
    if (meant)
        scn_error(parser, scn_place(word->at), "unknown step `%s`; did you mean `%s`?", quote, meant);
    else if (scn_read_flags(word->piece, &wrong) >= 0)
        scn_error(parser, scn_place(word->at), "expected `<` or `>` before a segment, found `%s`", quote);
    else
        scn_error(parser, scn_place(parser->tokens.last.at), "expected `(` and the arguments of a call after `%s`, found %s", quote,
                  found_what);
}

static void wrong_head(struct scn_parser *parser, struct scn_at at, const char *found_what)
{
    const struct scn_token *found = &parser->tokens.last;
    if (found->kind == END_OF_FILE && parser->nesting > 0)
        scn_error(parser, at, "expected `}` for the block opened on line %d, found the end of the file",
                  parser->block_lines[parser->nesting]);
    else if (found->kind == '}' && parser->nesting == 0)
        scn_error(parser, at, "expected a time or a step, found `}`; no block is open here");
    else
        scn_error(parser, at, "expected a time or a step, found %s", found_what);
}

void scn_syntax_error(struct scn_parser *parser, struct scn_span at, const char **expected, unsigned count)
{
    const struct scn_token *found = &parser->tokens.last, *before = &parser->tokens.before_last;
    char what[SCN_QUOTE_MAX + 4], quote[SCN_QUOTE_MAX], list[160];
    const char *found_what = found_text(parser, what), *example;
    if (found->kind == UNKNOWN || parser->stop) /* said already */
        return;
    const char *phrase = expected_after(before->kind, &example);
    if (phrase) {
        scn_error(parser, scn_place(at), "expected %s, found %s; %s", phrase, found_what, example);
    } else if (at_head(before)) {
        wrong_head(parser, scn_place(at), found_what);
    } else if (behind_time(before)) {
        scn_error(parser, scn_place(at), "expected `<` or `>` and a segment, a call or another step, found %s", found_what);
    } else if (before->kind == WORD && before->in_head) {
        wrong_first_word(parser, before, found_what);
    } else if (found->kind == ':' && count == 1 && strcmp(expected[0], "'>'") == 0) { /* it might have been a port */
        scn_error(parser, scn_place(before->at), "expected flags, found `%s`; write them first, as in `< S. 0:0(0)`",
                  scn_quote(before->piece, quote));
    } else {
        list_expected(list, sizeof list, expected, count);
        scn_error(parser, scn_place(at), "expected %s after `%s`, found %s", list, scn_quote(before->piece, quote), found_what);
    }
}

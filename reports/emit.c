/* Writes JSON piece by piece (RFC 8259): commas, quotes and escapes are all there is to it. */
#include "reports/emit.h"

#include <inttypes.h>
#include <string.h>

#include "reports/text.h"

/* How many octets from text on stand for themselves: no controls, no quote, no backslash, nothing beyond ASCII. */
static size_t plain_run(const char *text)
{
    const char *p = text;
    while ((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f && *p != '"' && *p != '\\')
        p++;
    return (size_t)(p - text);
}

static void put_code(const char *p, size_t len, uint32_t code, FILE *out)
{
    if (code == TEXT_NOT_UTF8)
        fputs("\xef\xbf\xbd", out);
    else if (code == '"' || code == '\\')
        fprintf(out, "\\%c", (char)code);
    else if (code < 0x20 || code == 0x7f)
        fprintf(out, "\\u%04" PRIx32, code);
    else
        fwrite(p, 1, len, out);
}

void emit_quoted(const char *text, FILE *out)
{
    uint32_t code = 0;
    putc_unlocked('"', out);
    for (const char *p = text ? text : ""; *p;) {
        const size_t run = plain_run(p);
        fwrite(p, 1, run, out);
        p += run;
        const size_t len = text_decode(p, &code);
        if (len)
            put_code(p, len, code, out);
        p += len;
    }
    putc_unlocked('"', out);
}

static void begin(struct emit *emit, const char *key)
{
    if (emit->comma)
        putc_unlocked(',', emit->out);
    if (emit->newline)
        putc_unlocked('\n', emit->out);
    emit->newline = false;
    emit->comma = true;
    if (key) {
        emit_quoted(key, emit->out);
        putc_unlocked(':', emit->out);
    }
}

static void open_bracket(struct emit *emit, const char *key, char bracket)
{
    begin(emit, key);
    putc_unlocked(bracket, emit->out);
    emit->comma = false;
}

static void close_bracket(struct emit *emit, char bracket)
{
    putc_unlocked(bracket, emit->out);
    emit->comma = true;
}

void emit_object(struct emit *emit, const char *key)
{
    open_bracket(emit, key, '{');
}

void emit_object_end(struct emit *emit)
{
    close_bracket(emit, '}');
}

void emit_list(struct emit *emit, const char *key)
{
    open_bracket(emit, key, '[');
}

void emit_list_end(struct emit *emit)
{
    close_bracket(emit, ']');
}

void emit_string(struct emit *emit, const char *key, const char *text)
{
    begin(emit, key);
    emit_quoted(text, emit->out);
}

void emit_whole(struct emit *emit, const char *key, int64_t value)
{
    begin(emit, key);
    fprintf(emit->out, "%" PRId64, value);
}

void emit_bool(struct emit *emit, const char *key, bool value)
{
    begin(emit, key);
    fputs(value ? "true" : "false", emit->out);
}

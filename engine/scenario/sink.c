/* Puts text where it is to go, and the small things that many constructs print alike. */
#include "engine/scenario/sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for that many more octets and a NUL. */
static bool make_room(struct scn_sink *sink, size_t more)
{
    if (!sink->grows || sink->failed)
        return false;
    if (sink->len + more < sink->capacity)
        return true;
    const size_t capacity = 2 * (sink->len + more) + 256;
    char *out = realloc(sink->out, capacity);
    if (!out) {
        sink->failed = true;
        return false;
    }
    sink->out = out;
    sink->capacity = capacity;
    return true;
}

void scn_put_octets(struct scn_sink *sink, const char *octets, size_t len)
{
    if (sink->grows) {
        if (!make_room(sink, len))
            return;
        memcpy(sink->out + sink->len, octets, len);
        sink->out[sink->len + len] = '\0';
    } else if (sink->len + 1 < sink->capacity) {
        const size_t room = sink->capacity - sink->len - 1, fits = len < room ? len : room;
        memcpy(sink->out + sink->len, octets, fits);
        sink->out[sink->len + fits] = '\0';
    }
    sink->len += len;
}

static void put_formatted(struct scn_sink *sink, const char *format, va_list arguments)
{
    char text[256];
    va_list again;
    va_copy(again, arguments);
    const int len = vsnprintf(text, sizeof text, format, arguments);
    if (len >= 0 && (size_t)len < sizeof text) {
        scn_put_octets(sink, text, (size_t)len);
    } else if (len >= 0) {
        char *long_text = malloc((size_t)len + 1);
        if (long_text) {
            vsnprintf(long_text, (size_t)len + 1, format, again);
            scn_put_octets(sink, long_text, (size_t)len);
        }
        sink->failed = sink->failed || !long_text;
        free(long_text);
    }
    va_end(again);
}

void scn_put(struct scn_sink *sink, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put_formatted(sink, format, arguments);
    va_end(arguments);
}

void scn_put_indent(struct scn_sink *sink, unsigned levels)
{
    for (unsigned i = 0; i < levels; i++)
        scn_put_octets(sink, "    ", 4);
}

/* The length of the UTF-8 sequence at text, or 0 when there is none of several octets. Overlong forms and surrogates are let pass:
 * this decides how an octet is shown, not what it means. */
static size_t utf8_length(const unsigned char *text, size_t len)
{
    const size_t wanted = *text >= 0xc2 && *text < 0xe0 ? 2 : *text >= 0xe0 && *text < 0xf0 ? 3 : *text >= 0xf0 && *text < 0xf5 ? 4 : 0;
    if (wanted > len)
        return 0;
    for (size_t i = 1; i < wanted; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return wanted;
}

void scn_put_quoted(struct scn_sink *sink, const char *text, size_t len)
{
    static const char escaped[] = "\n\r\t\\\"", letters[] = "nrt\\\"";
    const unsigned char *octets = (const unsigned char *)text;
    scn_put_octets(sink, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        const char *escape = octets[i] ? strchr(escaped, text[i]) : NULL;
        const size_t sequence = utf8_length(octets + i, len - i);
        if (escape) {
            scn_put(sink, "\\%c", letters[escape - escaped]);
        } else if (sequence) {
            scn_put_octets(sink, text + i, sequence);
            i += sequence - 1;
        } else if (octets[i] < ' ' || octets[i] >= 0x7f) {
            scn_put(sink, "\\x%02x", octets[i]);
        } else {
            scn_put_octets(sink, text + i, 1);
        }
    }
    scn_put_octets(sink, "\"", 1);
}

void scn_put_hex(struct scn_sink *sink, const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        scn_put(sink, "%02x", octets[i]);
}

void scn_put_time(struct scn_sink *sink, int64_t ns)
{
    char text[40];
    int len = snprintf(text, sizeof text, "%lld.%09lld", (long long)(ns / SCN_NS_PER_S), (long long)(ns % SCN_NS_PER_S));
    while (text[len - 1] == '0')
        len--;
    if (text[len - 1] == '.')
        len--;
    scn_put_octets(sink, text, (size_t)len);
}

void scn_put_flags(struct scn_sink *sink, unsigned flags)
{
    static const struct { unsigned bit; char letter; } letters[] = {
        { PKT_SYN, 'S' }, { PKT_FIN, 'F' }, { PKT_RST, 'R' }, { PKT_PSH, 'P' }, { PKT_URG, 'U' }, { PKT_ECE, 'E' }, { PKT_CWR, 'W' },
        { PKT_AE, 'A' }, { PKT_ACK, '.' },
    };
    const size_t before = sink->len;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (flags & letters[i].bit)
            scn_put_octets(sink, &letters[i].letter, 1);
    if (sink->len == before)
        scn_put_octets(sink, "-", 1);
}

void scn_put_endpoint(struct scn_sink *sink, const struct scn_endpoint_ref *endpoint)
{
    scn_put(sink, "@%s", sink->scenario->endpoints[endpoint->slot].name);
    if (endpoint->subscript) {
        scn_put(sink, "[");
        scn_put_expr(sink, endpoint->subscript);
        scn_put(sink, "]");
    }
}

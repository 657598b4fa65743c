/* Reads text of unknown origin code point by code point (RFC 3629). */
#include "reports/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The lead octet's sequence, of those longer than one octet: its length, the bits it carries, and the least code point that
 * needs that length. */
static const struct lead {
    uint8_t first, last, len;
    uint8_t bits;
    uint32_t least;
} leads[] = {
    { 0xc2, 0xdf, 2, 0x1f, 0x80 },
    { 0xe0, 0xef, 3, 0x0f, 0x800 },
    { 0xf0, 0xf4, 4, 0x07, 0x10000 },
};

static const struct lead *lead_of(uint8_t octet)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if (octet >= leads[i].first && octet <= leads[i].last)
            return &leads[i];
    return NULL;
}

static bool is_scalar(uint32_t code, const struct lead *lead)
{
    return code >= lead->least && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
}

size_t text_decode(const char *p, uint32_t *code)
{
    const uint8_t *octets = (const uint8_t *)p;
    if (octets[0] < 0x80) { /* nearly always */
        *code = octets[0] ? octets[0] : *code;
        return octets[0] ? 1 : 0;
    }
    const struct lead *lead = lead_of(octets[0]);
    *code = TEXT_NOT_UTF8;
    if (!lead)
        return 1;
    uint32_t value = octets[0] & lead->bits;
    for (size_t i = 1; i < lead->len; i++) {
        if ((octets[i] & 0xc0) != 0x80) /* the terminating NUL included, so nothing behind it is read */
            return 1;
        value = value << 6 | (octets[i] & 0x3fu);
    }
    if (!is_scalar(value, lead))
        return 1;
    *code = value;
    return lead->len;
}

bool text_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) /* C0, DEL, C1 */
           || code == 0x200e || code == 0x200f || code == 0x061c /* direction marks */
           || (code >= 0x2028 && code <= 0x202e) /* line and paragraph separators, embeddings and overrides */
           || (code >= 0x2066 && code <= 0x2069) /* isolates */
           || code == 0xfeff;
}

/* "\\x1b" or "\\u202e": a letter, and so many hex digits. */
static size_t put_escape(char out[static TEXT_VISIBLE_MAX], char letter, uint32_t value, unsigned digits)
{
    out[0] = '\\';
    out[1] = letter;
    for (unsigned i = 0; i < digits; i++)
        out[2 + i] = "0123456789abcdef"[value >> 4 * (digits - 1 - i) & 0xf];
    return 2 + digits;
}

size_t text_make_visible(const char *p, size_t len, uint32_t code, char out[static TEXT_VISIBLE_MAX])
{
    if (code == TEXT_NOT_UTF8)
        return put_escape(out, 'x', (uint8_t)*p, 2);
    if (text_is_control(code))
        return code < 0x100 ? put_escape(out, 'x', code, 2) : put_escape(out, 'u', code, 4);
    memcpy(out, p, len);
    return len;
}

const char *text_show(const char *text, char *out, size_t size)
{
    static const char cut[] = "...";
    assert(size > sizeof cut);
    size_t used = 0, last_fit = 0; /* last_fit: where the text can end so that the mark of the cut has room behind it */
    uint32_t code = 0;
    for (size_t len; (len = text_decode(text, &code)) > 0; text += len) {
        char visible[TEXT_VISIBLE_MAX];
        const size_t put = text_make_visible(text, len, code, visible);
        if (used + put >= size) {
            memcpy(out + last_fit, cut, sizeof cut);
            return out;
        }
        memcpy(out + used, visible, put);
        used += put;
        if (used + sizeof cut <= size)
            last_fit = used;
    }
    out[used] = '\0';
    return out;
}

bool text_is_utf8(const char *text)
{
    uint32_t code = 0;
    for (size_t len; (len = text_decode(text, &code)) > 0; text += len)
        if (code == TEXT_NOT_UTF8)
            return false;
    return true;
}

char *text_to_utf8(const char *text)
{
    static const char replacement[] = "\xef\xbf\xbd";
    char *copy = malloc(strlen(text) * (sizeof replacement - 1) + 1);
    if (!copy)
        return NULL;
    char *end = copy;
    uint32_t code = 0;
    for (size_t len; (len = text_decode(text, &code)) > 0; text += len) {
        const bool bad = code == TEXT_NOT_UTF8;
        const size_t put = bad ? sizeof replacement - 1 : len;
        memcpy(end, bad ? replacement : text, put);
        end += put;
    }
    *end = '\0';
    return copy;
}

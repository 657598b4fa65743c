/* Text of unknown origin: reading it code point by code point, whatever its bytes are. Shared by the formats' escaping
 * functions. */
#ifndef TCPASSAY_REPORTS_TEXT_H
#define TCPASSAY_REPORTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_NOT_UTF8 = 0x110000 }; /* one past the last code point: an octet that belongs to no valid sequence */

/* The code point at p (a NUL-terminated string) into *code; returns its octets, 0 at the end. An octet that starts no valid
 * sequence (RFC 3629: overlong forms, surrogates and truncated sequences included) is TEXT_NOT_UTF8 and 1 octet long. */
size_t text_decode(const char *p, uint32_t *code);

/* Controls (C0, DEL, C1) and the marks that reorder or hide text: what must not reach a terminal or a reader's eye as it is. */
bool text_is_control(uint32_t code);

/* A code point as something visible: itself, or "\\x1b", "\\u202e" for controls; an octet that is no UTF-8 as "\\xff". p is where
 * text_decode() read it, len what it returned. Returns the octets put into out, which is not terminated. */
enum { TEXT_VISIBLE_MAX = 8 };
size_t text_make_visible(const char *p, size_t len, uint32_t code, char out[static TEXT_VISIBLE_MAX]);

/* Copies text into out with everything made visible; "..." at its end says that it was cut. Always terminated; size > 4.
 * Returns out. */
const char *text_show(const char *text, char *out, size_t size);

bool text_is_utf8(const char *text);
/* A copy with U+FFFD for every octet that is no UTF-8; NULL when memory ran out. The caller frees. */
char *text_to_utf8(const char *text);

#endif

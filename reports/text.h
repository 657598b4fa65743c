/* Text of unknown origin: reading it code point by code point, whatever its bytes are. Shared by the formats' escaping functions. */
#ifndef TCPASSAY_REPORTS_TEXT_H
#define TCPASSAY_REPORTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_NOT_UTF8 = 0x110000 }; /* one past the last code point: an octet that belongs to no valid sequence */

/* The code point at p (a NUL-terminated string) into *code; returns its octets, 0 at the end. An octet that starts no valid sequence
 * (RFC 3629: overlong forms, surrogates and truncated sequences included) is TEXT_NOT_UTF8 and 1 octet long. */
size_t text_decode(const char *p, uint32_t *code);

/* Controls (C0, DEL, C1) and the marks that reorder or hide text: what must not reach a terminal or a reader's eye as it is. */
bool text_is_control(uint32_t code);

bool text_is_utf8(const char *text);
/* A copy with U+FFFD for every octet that is no UTF-8; NULL when memory ran out. The caller frees. */
char *text_to_utf8(const char *text);

#endif

/* What every test of this folder needs: cmocka's headers in the order it wants, and octets from text. */
#ifndef TCPASSAY_PACKET_TEST_SUPPORT_H
#define TCPASSAY_PACKET_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/packet/packet.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static inline unsigned digit(char hex)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = strchr(digits, hex);

    assert_true(hex != '\0' && at != NULL);
    return (unsigned)(at - digits);
}

/* Octets from hexadecimal digits; blanks are skipped. Returns how many. */
static inline size_t octets(const char *hex, uint8_t *out, size_t capacity)
{
    size_t len = 0;

    for (; *hex != '\0'; hex += *hex == ' ' ? 1 : 2) {
        if (*hex == ' ')
            continue;
        assert_true(len < capacity);
        out[len++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
    }
    return len;
}

static inline struct pkt_addr address(const char *text)
{
    struct pkt_addr addr;

    assert_true(pkt_addr_parse(text, &addr));
    return addr;
}

#endif

/* Large parts of the page's data: deflated, then in base64, since a page is text. */
#include "reports/html/html.h"

#include <stdlib.h>
#include <zlib.h>

static void print_base64(const unsigned char *octets, size_t len, FILE *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        const size_t left = len - i;
        const uint32_t three = (uint32_t)octets[i] << 16 | (left > 1 ? (uint32_t)octets[i + 1] << 8 : 0) | (left > 2 ? octets[i + 2] : 0u);
        const char four[] = { digits[three >> 18], digits[three >> 12 & 63], left > 1 ? digits[three >> 6 & 63] : '=',
                              left > 2 ? digits[three & 63] : '=' };
        fwrite(four, 1, sizeof four, out);
    }
}

bool html_print_packed(const char *bytes, size_t len, FILE *out)
{
    uLongf packed_len = compressBound(len);
    unsigned char *packed = malloc(packed_len);
    const bool good = packed && compress2(packed, &packed_len, (const unsigned char *)bytes, len, Z_DEFAULT_COMPRESSION) == Z_OK;
    if (good)
        print_base64(packed, packed_len, out);
    free(packed);
    return good;
}

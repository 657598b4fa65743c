/* Finds frames in a stream (see framing.h). */
#include "targets/tap/framing.h"

#include <errno.h>
#include <string.h>

size_t framing_space(struct framing *f, uint8_t **at)
{
    if (f->start) {
        memmove(f->bytes, f->bytes + f->start, f->end - f->start);
        f->end -= f->start;
        f->start = 0;
    }
    *at = f->bytes + f->end;
    return FRAMING_CAPACITY - f->end;
}

void framing_filled(struct framing *f, size_t len)
{
    f->end += len;
}

ssize_t framing_next(struct framing *f, const uint8_t **frame)
{
    while (f->end - f->start >= FRAMING_LENGTH_BYTES) {
        const uint8_t *at = f->bytes + f->start;
        size_t len = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
        if (len > WIRE_FRAME_MAX)
            return -EPROTO;
        if (f->end - f->start - FRAMING_LENGTH_BYTES < len)
            return 0;
        f->start += FRAMING_LENGTH_BYTES + len;
        *frame = at + FRAMING_LENGTH_BYTES;
        if (len)
            return (ssize_t)len;
    }
    return 0;
}

void framing_length(size_t len, uint8_t out[static FRAMING_LENGTH_BYTES])
{
    for (int i = 0; i < FRAMING_LENGTH_BYTES; i++)
        out[i] = (uint8_t)(len >> (24 - 8 * i));
}

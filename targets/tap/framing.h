/* Frames on a stream of octets, each behind its length in 32 bits, most significant octet first, as QEMU's -netdev stream speaks.
 * Sans-I/O. */
#ifndef TCPASSAY_TARGETS_TAP_FRAMING_H
#define TCPASSAY_TARGETS_TAP_FRAMING_H

#include "targets/tap/wire.h"

enum { FRAMING_LENGTH_BYTES = 4, FRAMING_CAPACITY = 4 * WIRE_FRAME_MAX };

struct framing { /* octets that have come and were not taken yet; starts zeroed */
    size_t start, end;
    uint8_t bytes[FRAMING_CAPACITY];
};

/* Where to read the next octets to, and how many fit: at least one, when framing_next() has said that there is no whole frame. */
size_t framing_space(struct framing *f, uint8_t **at);
/* So many have been read there. */
void framing_filled(struct framing *f, size_t len);
/* The next frame's length, *frame points into *f until the next call; 0: none is whole yet; -EPROTO: a length that no frame can
 * have: the stream is of no use any more. Frames without octets are skipped. */
ssize_t framing_next(struct framing *f, const uint8_t **frame);

/* Writes what stands before a frame. */
void framing_length(size_t len, uint8_t out[static FRAMING_LENGTH_BYTES]);

#endif

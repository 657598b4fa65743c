/* A capture as a list of frames that can be taken out, put in, moved and changed: what the tests of `check` on altered captures
 * share. */
#ifndef TCPASSAY_CAPTURE_TEST_MUTATE_FRAMES_H
#define TCPASSAY_CAPTURE_TEST_MUTATE_FRAMES_H

#include "engine/packet/packet.h"

struct frame {
    int64_t at_ns;
    uint32_t len, wire_len;
    const uint8_t *bytes;   /* owned by the capture it was read from, or by whoever changed it */
};

struct frames {
    int link;               /* DLT_* */
    size_t count, capacity;
    struct frame *at;
    uint8_t *store;         /* the bytes of frames that were read */
};

/* Reads a capture file; false, with a message on stderr, when that fails. A file that is damaged at its end gives what comes
 * before. */
bool frames_read(const char *path, struct frames *out);
void frames_free(struct frames *frames);
/* to becomes the same frames (their bytes are shared, and its own list is kept if it has one). */
void frames_copy(struct frames *to, const struct frames *from);
void frames_remove(struct frames *frames, size_t i);
void frames_insert(struct frames *frames, size_t i, struct frame frame);
/* Frame `from` comes to stand at place `to`; the times of the capture keep their order. */
void frames_move(struct frames *frames, size_t from, size_t to);
/* The capture as a file in memory (pcap, nanoseconds); the caller frees *bytes. */
size_t frames_write(const struct frames *frames, uint8_t **bytes);
/* The IP packet in a frame: false when there is none. offset: where it begins in the frame. */
bool frames_packet(const struct frames *frames, size_t i, struct packet *out, size_t *offset);

/* Calls each() for a file, or for the captures in a folder (*.pcap, *.pcapng) in the order of their names. False: one of the calls
 * gave false, or there was nothing. */
bool captures_each(const char *path, bool (*each)(void *context, const char *path), void *context);

#endif

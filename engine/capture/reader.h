/* Reads the frames of a capture file: pcap and pcapng, by libpcap. */
#ifndef TCPASSAY_CAPTURE_READER_H
#define TCPASSAY_CAPTURE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct capture_reader;

struct capture_frame {
    uint32_t number;      /* from 1 on, as other tools count; frames that a filter leaves out are counted */
    int64_t at_ns;        /* since the epoch, as the file says, in no certain order; 0 for a time that cannot be */
    const uint8_t *bytes; /* valid until the next call */
    size_t len, wire_len; /* octets kept, octets there were */
};

enum capture_next { CAPTURE_FRAME, CAPTURE_END, CAPTURE_DAMAGED /* see capture_error() */ };

/* Takes over file, and closes it, also when this fails: NULL, with the reason in error. filter: an expression as of tcpdump, or
 * NULL; *filter_is_wrong says that it was that. */
struct capture_reader *capture_open(FILE *file, const char *filter, int *filter_is_wrong, char *error, size_t error_size);
enum capture_next capture_read(struct capture_reader *reader, struct capture_frame *out);
/* A look ahead: of the frames that capture_read() will give, each but the first is shown here once, about FRAMES_AHEAD before its
 * turn, without its number and time; some are not. False: there is none to show now. Valid until the next call of capture_read().
 */
enum { FRAMES_AHEAD = 2 };
bool capture_look_ahead(struct capture_reader *reader, struct capture_frame *out);
/* pcap's DLT_* number of the link layer. */
int capture_link(const struct capture_reader *reader);
/* Frames read so far. */
uint32_t capture_frames(const struct capture_reader *reader);
/* Why the file could not be read on. */
const char *capture_error(const struct capture_reader *reader);
void capture_close(struct capture_reader *reader);

#endif

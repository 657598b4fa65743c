/* What a network card does to a frame on its way out, and a virtual link between two kernels leaves undone: completing a checksum,
 * and cutting a segment of up to 64 KiB into ones that the link carries. A tester on such a link does it, so as to see what a wire
 * would have shown. Sans-I/O. */
#ifndef TCPASSAY_TARGETS_TAP_OFFLOAD_H
#define TCPASSAY_TARGETS_TAP_OFFLOAD_H

#include "engine/packet/packet.h"

/* The checksum field at start + offset holds the sum of a pseudo header: it becomes the checksum of all octets from start on. False
 * when these are not within the frame. */
bool offload_complete(uint8_t *frame, size_t len, size_t start, size_t offset);

/* How many segments a TCP super-frame becomes, each with segment_bytes of payload, the last with what is left. 0: it is not TCP, or
 * has no payload. link_len: octets before the IP header. */
unsigned offload_segments(const uint8_t *frame, size_t len, size_t link_len, size_t segment_bytes);

/* The n-th of them, from 0 on, whole with its checksums; its length, or -EMSGSIZE. FIN and PSH are on the last one, CWR is on the
 * first one only (RFC 3168 §6.1.2), and IPv4 identifications count up, as network cards do. */
ssize_t offload_segment(const uint8_t *frame, size_t len, size_t link_len, size_t segment_bytes, unsigned n, uint8_t *out,
                        size_t capacity);

#endif

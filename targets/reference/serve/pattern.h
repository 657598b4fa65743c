/* The octets that the server sends: a stream in which every eight octets tell where they belong, so that nothing lost, repeated or
 * moved goes unnoticed. */
#ifndef TCPASSAY_TARGETS_REFERENCE_SERVE_PATTERN_H
#define TCPASSAY_TARGETS_REFERENCE_SERVE_PATTERN_H

#include <stddef.h>
#include <stdint.h>

/* Fills out with len octets of the stream, from the given offset on. */
void pattern_fill(uint64_t offset, uint8_t *out, size_t len);

#endif

/* Octets of scenarios changed as somebody who knows TCP would change them: step by step, field by field, in place.
 *
 * One implementation for all that mutate: libFuzzer's and AFL++'s custom mutators (fuzz/mutator_libfuzzer.c, fuzz/mutator_afl.c)
 * and `tcpassay fuzz`. All of it is deterministic in its arguments and the seed, allocates nothing, and knows of the format
 * (docs/fuzz-bytes.md) what engine/scenario/bytes/layout.h says. Lengths are octets; a result is a header and whole records, but
 * where max leaves no room for that.
 *
 * What is done to steps: inserted (fresh ones, likely in TCP's life), deleted, duplicated, swapped, moved, repeated as a group;
 * what to fields: numbers to one before, at and one after RCV.NXT, the edges of the window, half the number space away, the wrap;
 * lengths to 0, 1, the MSS and around it; windows to 0, 1, 65535; timestamps to old, new and half a space away; times to around
 * what timers wait (delayed ACK, RTO, 2 MSL, keep-alive). The header's way in is left as it is in 19 inputs out of 20, so that what
 * follows a handshake still follows one.
 */
#ifndef TCPASSAY_FUZZ_MUTATE_H
#define TCPASSAY_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* Changes data[size], which has room for max octets, once, twice, 4 … or 64 times, each as likely; returns the new size, at most
 * max and, where max allows, at least a header and a record. Any octets are welcome, none too; size <= max. */
size_t fuzz_mutate(uint8_t *data, size_t size, size_t max, uint64_t seed);

/* Two inputs into one of at most max octets: the header and first steps of one, then steps of the other, or steps of both in turn.
 * out overlaps neither a nor b. Returns the size. */
size_t fuzz_cross_over(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, size_t max, uint64_t seed);

/* A fresh input of 1 to steps_max steps (at most what max and the format have room for), for a beginning without seeds, and for
 * black boxes: a way in that is mostly a handshake, then segments, calls, times and link events as likely as they are to matter.
 * Returns the size. */
size_t fuzz_generate(uint8_t *out, size_t max, unsigned steps_max, uint64_t seed);

#endif

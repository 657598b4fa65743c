/* Sequence-number arithmetic modulo 2^32 (RFC 9293 §3.4): the only place where sequence numbers are compared or subtracted. */
#ifndef TCPASSAY_PACKET_SEQ_H
#define TCPASSAY_PACKET_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* a < b, for numbers less than 2^31 apart ("=<" and friends of RFC 9293 §3.4). */
static inline bool seq_lt(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }
static inline bool seq_le(uint32_t a, uint32_t b) { return (int32_t)(a - b) <= 0; }
static inline bool seq_gt(uint32_t a, uint32_t b) { return seq_lt(b, a); }
static inline bool seq_ge(uint32_t a, uint32_t b) { return seq_le(b, a); }

/* How far b lies ahead of a: negative when it lies behind. */
static inline int32_t seq_distance(uint32_t a, uint32_t b) { return (int32_t)(b - a); }

/* Is seq in the half-open range [left, left + length)? An empty range holds nothing. */
static inline bool seq_in_window(uint32_t seq, uint32_t left, uint32_t length) { return seq - left < length; }

static inline uint32_t seq_max(uint32_t a, uint32_t b) { return seq_lt(a, b) ? b : a; }
static inline uint32_t seq_min(uint32_t a, uint32_t b) { return seq_lt(a, b) ? a : b; }

#endif

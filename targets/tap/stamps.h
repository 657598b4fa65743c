/* When the kernel emitted each frame, by its own clock: a tester that comes late to read it still knows. */
#ifndef TCPASSAY_TARGETS_TAP_STAMPS_H
#define TCPASSAY_TARGETS_TAP_STAMPS_H

#include <stddef.h>
#include <stdint.h>

struct stamps;

/* Begins to note the frames that leave by this device of the namespace the thread is in. 0 or a negative errno value. */
int stamps_open(unsigned ifindex, struct stamps **out);
void stamps_close(struct stamps *s);

/* CLOCK_MONOTONIC when this frame left, which is the next one read from the device; now_ns when that has been lost in a flood. */
int64_t stamps_find(struct stamps *s, const uint8_t *frame, size_t len, int64_t now_ns);

#endif

/* A TAP device: a network interface of this machine's kernel whose wire is a file descriptor. */
#ifndef TCPASSAY_TARGETS_TAP_TAP_H
#define TCPASSAY_TARGETS_TAP_TAP_H

#include "engine/packet/ethernet.h"

#include <net/if.h>

enum {
    TAP_MTU_MIN = 68,      /* below it the kernel takes IPv4 off the device (RFC 791) */
    TAP_MTU_IPV6_MIN = 1280, /* below it the kernel takes IPv6 off the device (RFC 8200 §5) */
    TAP_MTU_MAX = 65521,   /* 65535 octets less the Ethernet header */
    TAP_FRAME_MAX = PKT_BYTES_MAX + ETH_HEADER_LEN,
};

struct tap {
    int fd;                /* non-blocking, close-on-exec; one read or write is one frame */
    unsigned ifindex;      /* in the network namespace it was opened in */
    char name[IFNAMSIZ];
};

/* Makes the device, or attaches to a persistent one of that name, in the calling thread's network namespace; name may hold "%d".
 * The device is not persistent: it vanishes with the descriptor, however the process ends. Frames carry no offload header, so what
 * the kernel emits is segmented to the MTU and checksummed. Returns 0 or a negative errno value. */
int tap_open(const char *name, struct tap *out);

/* Closes it; a device made by tap_open goes with it, which takes the kernel some 20 ms. */
void tap_close(struct tap *tap);

/* The same, for a device whose network namespace is about to go as well: the kernel then removes both in the background, and this
 * returns at once. */
void tap_close_with_namespace(struct tap *tap);

/* One frame. Returns its length, 0 when there is none now, or a negative errno value. A longer one is cut to capacity. */
ssize_t tap_read(struct tap *tap, uint8_t *out, size_t capacity);

/* 0, or a negative errno value. */
int tap_write(struct tap *tap, const uint8_t *frame, size_t len);

#endif

/* What a network card, or the kernel in its place, does to segments before a capture sees them, and how to see what was on the
 * wire. */
#ifndef TCPASSAY_TARGETS_REMOTE_CARD_H
#define TCPASSAY_TARGETS_REMOTE_CARD_H

#include "engine/packet/packet.h"

#include <net/if.h>

/* What puts arriving segments together: GRO in software and hardware, LRO. Bits of our own. */
enum card_offload { CARD_GRO = 1u << 0, CARD_GRO_HW = 1u << 1, CARD_LRO = 1u << 2, CARD_GRO_LIST = 1u << 3 };

/* Those that are on now into *out. 0 or a negative errno value: -EOPNOTSUPP where the device has no such settings. */
int card_offloads(const char *interface, unsigned *out);
/* Switches these, and no others. */
int card_switch(const char *interface, unsigned offloads, bool on);
/* Into name, the driver's: "veth", "virtio_net"; "" when it does not tell. */
void card_driver(const char *interface, char name[static 32]);

/* A TCP segment that comes from this machine, or from a virtual one beside it, may have no checksum yet, but the pseudo header's
 * sum in its place, for a card to complete. Does that, and returns true, when it looks like that and its checksum is wrong as it
 * stands. A stack that really sends such sums looks the same: so only for interfaces that can show them. */
bool card_complete_checksum(uint8_t *packet, size_t len);

/* Can segments without checksum arrive by a device of this driver? */
bool card_leaves_checksums(const char *driver);

#endif

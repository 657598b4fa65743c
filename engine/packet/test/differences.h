/* Where we and tshark mean different things by the same octets, and why. */
#ifndef TCPASSAY_PACKET_TEST_DIFFERENCES_H
#define TCPASSAY_PACKET_TEST_DIFFERENCES_H

#include "engine/packet/test/reading.h"

enum comparison { EQUAL, OURS_BEGINS_THEIRS, THEIRS_BEGINS_OURS, EITHER_BEGINS, OURS_ENDS_THEIRS };

enum { DIFFERENCES = 12 };
const char *difference_reason(unsigned difference);
/* May it not occur at all among a few thousand packets? */
bool difference_is_rare(unsigned difference);

/* How the columns of this packet are to be compared: EQUAL, or as the first difference that applies has it, which is then counted
 * in uses. */
enum comparison how_to_compare(const struct reading *reading, unsigned uses[static DIFFERENCES]);

/* Is the checksum's status the one thing that may differ besides? A segment on its way through a routing header: tshark sums
 * with the last address in there, we with the one in the IPv6 header, as the node that gets it does. A quotation longer than RFC
 * 4884 says: tshark sums the shorter part. */
bool sums_other_octets(const struct reading *reading);

#endif

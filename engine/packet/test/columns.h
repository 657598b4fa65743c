/* The columns that tshark prints, and what should stand in each by our reading. */
#ifndef TCPASSAY_PACKET_TEST_COLUMNS_H
#define TCPASSAY_PACKET_TEST_COLUMNS_H

#include "engine/packet/test/reading.h"

enum { NUMBERS_MAX = 64 };

struct numbers {
    unsigned count;
    uint64_t values[NUMBERS_MAX];
};
void put_number(struct numbers *numbers, uint64_t value);

/* An address as a number that another address is unlikely to have: the octets of IPv4, a hash of those of IPv6. */
uint64_t address_number(const uint8_t *bytes, unsigned len);

enum { COLUMNS = 55 };
const char *column_name(unsigned column);
/* All occurrences of the field, of the packet and of the one it quotes. */
void column_numbers(unsigned column, const struct reading *reading, struct numbers *out);
/* Does what pkt_options_read makes of the packet's options agree with what tshark shows in this column? Of columns that are no
 * options: yes. */
bool column_meaning_agrees(unsigned column, const struct pkt_options *options, const struct numbers *theirs);

#endif

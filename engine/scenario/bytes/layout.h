/* Where things stand in the octets of a scenario, and what they choose from: the format of docs/fuzz-bytes.md as names. For the
 * codec itself (engine/scenario/bytes), and for what works on octets without making scenarios of them: engine/fuzz. */
#ifndef TCPASSAY_SCENARIO_BYTES_LAYOUT_H
#define TCPASSAY_SCENARIO_BYTES_LAYOUT_H

#include "engine/scenario/bytes/bytes.h"

/* ---- places ------------------------------------------------------------------------------------------------------ */

enum header_place { HEADER_WAY = 4, HEADER_USE, HEADER_SYN, HEADER_ISN };
enum { WAY_BACKLOG_SHIFT = 3, BACKLOG_COUNT = 4 };
enum header_use { USE_IPV6 = 1u << 0, USE_MSS = 1u << 1, USE_WSCALE = 1u << 2, USE_SACK = 1u << 3, USE_TS = 1u << 4, USE_SMALL_BUFFER = 1u << 5 };

enum record_place {
    AT_OP = 0, AT_WHO = 1, AT_TIME = 2, AT_FLAGS = 3, AT_HOW = 4, AT_SEQ = 5, AT_ACK = 7, AT_LEN = 9, AT_WINDOW = 11, AT_OPTIONS = 13,
    AT_TSVAL = 14, AT_TSECR = 16, AT_SYN = 17, AT_FIRST = 18, AT_SECOND = 19, AT_KEY = 20, AT_VALUE = 21, AT_URGENT = 23
};
enum who { WHO_ENDPOINT = 0x07, WHO_ECN_SHIFT = 4, WHO_ECN = 0x30, WHO_AE = 0x40, WHO_CWR = 0x80 };
enum { FLAGS_COMMON_COUNT = 16, FLAGS_RAW = 0x80, FLAGS_LOW = 0x7f };
enum how { HOW_SEQ = 0x07, HOW_ACK_SHIFT = 3, HOW_ACK = 0x38, HOW_URGENT = 0x40, HOW_WINDOW = 0x80 };
enum option_bit {
    OPTION_MSS = 1u << 0, OPTION_WSCALE = 1u << 1, OPTION_SACK_PERMITTED = 1u << 2, OPTION_TS = 1u << 3, OPTION_SACK = 1u << 4, OPTION_KIND = 1u << 5,
    OPTION_TS_CONSTANT = 1u << 6, OPTION_GIVEN = 1u << 7
};
enum { LEN_COUNT = 8192, TSECR_ZERO = 0x80, SACK_UNIT = 16, SACK_LEN_MASK = 0x3f, SACK_COUNT_SHIFT = 6, KIND_LEN_MASK = 0x3f, KIND_FROM_ZERO = 0x40,
       TSVAL_FIRST = 1000, NS_PER_TICK = 1000000, LINK_INBOUND = 4, LINK_NTH_COUNT = 8, WHO_COUNT = 8, FD_COUNT = 4, FD_FIRST = 3,
       ENDPOINT_COUNT = 4 };

/* ---- tables ------------------------------------------------------------------------------------------------------ */

enum way { WAY_PASSIVE, WAY_ACTIVE, WAY_LISTENING, WAY_NONE };
enum { WAY_TABLE_COUNT = 8 };
extern const uint8_t bytes_ways[WAY_TABLE_COUNT];
extern const uint8_t bytes_backlogs[BACKLOG_COUNT];

enum op { OP_SEGMENT, OP_SEND, OP_RECEIVE, OP_CLOSE, OP_SHUTDOWN, OP_ACCEPT, OP_CONNECT, OP_SOCKET, OP_BIND, OP_LISTEN, OP_SET_OPTION, OP_LINK, OP_WAIT,
          OP_FENCE, OP_INCARNATION, OP_ICMP, OP_COUNT };
enum { OP_TABLE_COUNT = 64 };
extern const uint8_t bytes_ops[OP_TABLE_COUNT];
extern const uint8_t bytes_endpoints[WHO_COUNT];
extern const uint16_t bytes_flags[FLAGS_COMMON_COUNT];

enum base { BASE_LEFT_OUT, BASE_NEXT, BASE_SCRIPT, BASE_UNA, BASE_EDGE, BASE_FAR, BASE_ABSOLUTE, BASE_COUNT };
enum { BASE_TABLE_COUNT = 8 };
extern const uint8_t bytes_seq_bases[BASE_TABLE_COUNT], bytes_ack_bases[BASE_TABLE_COUNT];

enum { MSS_COUNT = 16, ISN_COUNT = 16, KEY_COUNT = 64 };
extern const uint16_t bytes_mss[MSS_COUNT];
struct isn_choice { bool given; uint32_t isn; };
extern const struct isn_choice bytes_isns[ISN_COUNT];

/* What `with` can say: the key, and the values it can take: value % count * unit + least. count 0: it is `bad`. */
struct override_choice { uint8_t key; bool present; enum scn_special special; uint16_t least, unit; uint32_t count; };
extern const struct override_choice bytes_overrides[KEY_COUNT];

/* The keys that change no field but the list of options: its order, lengths that lie, and nops. */
enum { KEY_ARRANGES = 15, KEY_ARRANGES_REVERSED = 19, KEY_NOPS = 23, KEY_NOPS_REVERSED = 24, ARRANGED_COUNT = 4 };
struct arrangement {
    bool reversed;                 /* before the rest */
    int stated;                    /* the option whose length is stated_len, or -1 */
    uint8_t stated_len;
    uint8_t nops[ARRANGED_COUNT];  /* before the option of that place */
};
/* false: the record leaves its options as they are. */
bool bytes_arrangement(const uint8_t *record, struct arrangement *out);

struct sockopt_choice { const char *level, *name; bool linger; int fixed; /* value, or -1: the record's */ };
enum { SOCKOPT_COUNT = 16 };
extern const struct sockopt_choice bytes_sockopts[SOCKOPT_COUNT];

enum { ICMP_COUNT = 8 };
extern const uint8_t bytes_icmp_types[2][ICMP_COUNT]; /* of ICMP, and of ICMPv6 */

/* Nanoseconds of a time octet, and the octet that is nearest to them. */
int64_t bytes_time_ns(uint8_t octet);
uint8_t bytes_time_octet(int64_t ns);
/* The far offset that 16 bits mean: +- 2^e + d, with e in bits 15 to 11, the minus in bit 10, and d, signed, in the rest; of 32
 * bits. */
int64_t bytes_far(uint16_t octets);
/* The 16 bits that come nearest to an offset, modulo 2^32. */
uint16_t bytes_far_octets(int64_t offset);
/* The first place of a value in a table of octets. */
uint8_t bytes_place_of(const uint8_t *table, unsigned count, uint8_t value);

static inline uint16_t bytes_get16(const uint8_t *record, unsigned at)
{
    return (uint16_t)(record[at] << 8 | record[at + 1]);
}

static inline void bytes_put16(uint8_t *record, unsigned at, uint16_t value)
{
    record[at] = (uint8_t)(value >> 8);
    record[at + 1] = (uint8_t)value;
}

#endif

/* The tables of the byte codec: what an octet, taken modulo a table's length, chooses. What stands in a table more than once is
 * chosen more often; its first place is the canonical one. Their order is the format: a change of it is a new version. */
#include "engine/scenario/bytes/inside.h"

#include <assert.h>
#include <string.h>

const uint8_t scn_bytes_magic[SCN_BYTES_MAGIC_LEN] = {'T', 'A', 'B', SCN_BYTES_VERSION};

const uint8_t bytes_ways[WAY_TABLE_COUNT] = {WAY_PASSIVE, WAY_ACTIVE, WAY_LISTENING, WAY_NONE, WAY_PASSIVE, WAY_ACTIVE, WAY_PASSIVE, WAY_PASSIVE};

const uint8_t bytes_backlogs[BACKLOG_COUNT] = {4, 1, 5, 64};

const uint8_t bytes_ops[OP_TABLE_COUNT] = {
    OP_SEGMENT, OP_SEND, OP_RECEIVE, OP_CLOSE, OP_SHUTDOWN, OP_ACCEPT, OP_CONNECT, OP_SOCKET, OP_BIND, OP_LISTEN, OP_SET_OPTION, OP_LINK, OP_WAIT, OP_FENCE,
    OP_INCARNATION, OP_ICMP,
    OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT,
    OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT,
    OP_SEND, OP_SEND, OP_SEND, OP_SEND, OP_RECEIVE, OP_RECEIVE, OP_RECEIVE, OP_CLOSE, OP_SHUTDOWN, OP_LINK, OP_LINK, OP_LINK, OP_WAIT, OP_WAIT, OP_WAIT,
    OP_WAIT, OP_FENCE, OP_ACCEPT, OP_SET_OPTION, OP_ICMP, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT, OP_SEGMENT,
};

const uint8_t bytes_endpoints[WHO_COUNT] = {0, 1, 2, 3, 0, 0, 0, 0};

const uint16_t bytes_flags[FLAGS_COMMON_COUNT] = {
    PKT_ACK, PKT_ACK | PKT_PSH, PKT_ACK | PKT_FIN, PKT_SYN, PKT_RST, PKT_RST | PKT_ACK, PKT_SYN | PKT_ACK, PKT_ACK | PKT_PSH | PKT_URG,
    PKT_ACK | PKT_PSH | PKT_FIN, 0, PKT_SYN | PKT_ECE | PKT_CWR, PKT_ACK | PKT_ECE, PKT_FIN, PKT_ACK, PKT_ACK | PKT_PSH, PKT_ACK,
};

const uint8_t bytes_seq_bases[BASE_TABLE_COUNT] = {BASE_LEFT_OUT, BASE_NEXT, BASE_SCRIPT, BASE_UNA, BASE_EDGE, BASE_FAR, BASE_ABSOLUTE, BASE_LEFT_OUT};
const uint8_t bytes_ack_bases[BASE_TABLE_COUNT] = {BASE_LEFT_OUT, BASE_NEXT, BASE_SCRIPT, BASE_FAR, BASE_ABSOLUTE, BASE_LEFT_OUT, BASE_LEFT_OUT, BASE_NEXT};

const uint16_t bytes_mss[MSS_COUNT] = {1460, 536, 1440, 1220, 1000, 500, 200, 100, 88, 64, 48, 1, 0, 8960, 16384, 65535};

const struct isn_choice bytes_isns[ISN_COUNT] = {
    {false, 0}, {true, 1000}, {true, 0}, {true, 0xffffffff}, {true, 0xfffffff0}, {true, 0x7fffffff}, {true, 0x7ffffff0}, {true, 0xffff0000},
    {true, 0xfffffffe}, {true, 0xfffffffa}, {true, 1000000}, {true, 0xffffff96}, {true, 0x80000000}, {true, 1}, {true, 0x10000}, {false, 0},
};

const struct override_choice bytes_overrides[KEY_COUNT] = {
    [1] = {SCN_KEY_CHECKSUM, true, SCN_BAD, 0, 1, 0}, [2] = {SCN_KEY_IP_CHECKSUM, true, SCN_BAD, 0, 1, 0},
    [3] = {SCN_KEY_DOFF, true, SCN_NOT_SPECIAL, 0, 1, 16}, [4] = {SCN_KEY_RESERVED, true, SCN_NOT_SPECIAL, 0, 1, 16},
    [5] = {SCN_KEY_TRUNCATE, true, SCN_NOT_SPECIAL, 1, 1, 1500}, [6] = {SCN_KEY_FRAGMENT, true, SCN_NOT_SPECIAL, 128, 8, 128},
    [7] = {SCN_KEY_DPORT, true, SCN_NOT_SPECIAL, 0, 1, 65536}, [8] = {SCN_KEY_IP_LEN, true, SCN_NOT_SPECIAL, 0, 1, 65536},
    [9] = {SCN_KEY_IP_IHL, true, SCN_NOT_SPECIAL, 0, 1, 16}, [10] = {SCN_KEY_IP_TTL, true, SCN_NOT_SPECIAL, 0, 1, 256},
    [11] = {SCN_KEY_IP_TOS, true, SCN_NOT_SPECIAL, 0, 1, 256}, [12] = {SCN_KEY_IP_ID, true, SCN_NOT_SPECIAL, 0, 1, 65536},
    [13] = {SCN_KEY_IP_DF, true, SCN_NOT_SPECIAL, 0, 1, 2}, [14] = {SCN_KEY_PAYLOAD, true, SCN_FILL, 0, 1, 256},
    /* 15 to 24: enum KEY_ARRANGES … */
    [25] = {SCN_KEY_CHECKSUM, true, SCN_NOT_SPECIAL, 0, 1, 65536},
};

const struct sockopt_choice bytes_sockopts[SOCKOPT_COUNT] = {
    {"SOL_SOCKET", "SO_KEEPALIVE", false, 1}, {"SOL_SOCKET", "SO_LINGER", true, 0}, {"IPPROTO_TCP", "TCP_NODELAY", false, 1},
    {"SOL_SOCKET", "SO_RCVBUF", false, -1}, {"SOL_SOCKET", "SO_SNDBUF", false, -1}, {"IPPROTO_TCP", "TCP_KEEPIDLE", false, -1},
    {"IPPROTO_TCP", "TCP_KEEPINTVL", false, -1}, {"IPPROTO_TCP", "TCP_KEEPCNT", false, -1}, {"IPPROTO_TCP", "TCP_USER_TIMEOUT", false, -1},
    {"SOL_SOCKET", "SO_REUSEADDR", false, 1}, {"IPPROTO_TCP", "TCP_NODELAY", false, 0}, {"SOL_SOCKET", "SO_KEEPALIVE", false, 0},
    {"IPPROTO_IP", "IP_TTL", false, -1}, {"IPPROTO_IP", "IP_TOS", false, -1},
    {"IPPROTO_TCP", "TCP_FASTOPEN", false, -1}, {"IPPROTO_TCP", "TCP_MAXSEG", false, -1},
};

const uint8_t bytes_icmp_types[2][ICMP_COUNT] = {{3, 11, 12, 4, 5, 3, 3, 3}, {1, 2, 3, 4, 1, 2, 1, 1}};

bool bytes_arrangement(const uint8_t *record, struct arrangement *out)
{
    const unsigned key = record[AT_KEY] % KEY_COUNT, nops = record[AT_VALUE];
    if (key < KEY_ARRANGES || key > KEY_NOPS_REVERSED)
        return false;
    *out = (struct arrangement){.reversed = key == KEY_NOPS_REVERSED || (key >= KEY_ARRANGES_REVERSED && key < KEY_NOPS),
                                .stated = key < KEY_NOPS ? (int)(key - KEY_ARRANGES) % ARRANGED_COUNT : -1, .stated_len = record[AT_VALUE + 1]};
    for (unsigned i = 0; i < ARRANGED_COUNT; i++)
        out->nops[i] = nops >> 2 * i & 3;
    return true;
}

/* ---- time: one half of all octets is no time; the other is 128 steps, twelve to a decade, from 1 us to 50000 s ------------------
 */

enum { TIME_SET = 128, TIMES_COUNT = 128, PER_DECADE = 12 };

static int64_t time_of(unsigned index)
{
    static const int64_t series[PER_DECADE] = {1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 7000, 8000, 9000};
    static const int64_t decades[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, INT64_C(10000000000)};
    static_assert(sizeof decades / sizeof *decades == (TIMES_COUNT + PER_DECADE - 1) / PER_DECADE, "a power for each decade");
    return series[index % PER_DECADE] * decades[index / PER_DECADE];
}

int64_t bytes_time_ns(uint8_t octet)
{
    return octet < TIME_SET ? 0 : time_of(octet - (unsigned)TIME_SET);
}

uint8_t bytes_time_octet(int64_t ns)
{
    unsigned best = 0;
    if (ns < time_of(0) / 2)
        return 0;
    for (unsigned i = 1; i < TIMES_COUNT; i++) {
        int64_t off = time_of(i) - ns, best_off = time_of(best) - ns;
        if ((off < 0 ? -off : off) < (best_off < 0 ? -best_off : best_off))
            best = i;
    }
    return (uint8_t)(TIME_SET + best);
}

/* ---- far numbers: powers of two and what is near them -------------------------------------------------------------- */

enum { FAR_EXPONENT_SHIFT = 11, FAR_MINUS = 1u << 10, FAR_SIGN = 1u << 9, FAR_LOW = FAR_MINUS - 1 };

int64_t bytes_far(uint16_t octets)
{
    const int64_t power = INT64_C(1) << (octets >> FAR_EXPONENT_SHIFT), low = octets & FAR_LOW;
    return (int32_t)(uint32_t)((octets & FAR_MINUS ? -power : power) + (low & FAR_SIGN ? low - FAR_MINUS : low));
}

uint16_t bytes_far_octets(int64_t offset)
{
    uint16_t best = 0;
    int64_t best_off = INT64_MAX;
    for (unsigned power = 0; power < 1u << (16 - 10); power++) {
        const int64_t least = -(int64_t)FAR_SIGN, most = FAR_SIGN - 1;
        const int64_t beyond = (int32_t)(uint32_t)(offset - bytes_far((uint16_t)(power << 10)));
        const int64_t low = beyond < least ? least : beyond > most ? most : beyond, off = beyond < low ? low - beyond : beyond - low;
        if (off >= best_off)
            continue;
        best_off = off;
        best = (uint16_t)(power << 10 | ((unsigned)low & FAR_LOW));
    }
    return best;
}

uint8_t bytes_place_of(const uint8_t *table, unsigned count, uint8_t value)
{
    const uint8_t *found = memchr(table, value, count);
    return (uint8_t)(found ? found - table : 0);
}

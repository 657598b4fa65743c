/* A mutator of the octets of scenarios that knows their steps and what numbers matter to TCP.
 *
 * The idea: a change is drawn from one of two tables. Those of steps move whole records; those of fields draw a field of one record
 * and set it to what is one off an edge: edges lie at RCV.NXT, at the ends of the window, at half the number space, at the MSS, at
 * a timer's deadline. Since the format says numbers relative to the connection, an edge is a base and a small offset. Every value
 * is a draw from a table, or one of those plus or minus one, and one change in eight is of any octet to anything, so that nothing
 * the format can say is out of reach.
 *
 * Invariants: 1 <= count <= most records, all of data[header + count * record] is set; nothing is allocated; the draws depend on
 * the seed alone. An input with less room than a header and a record is changed octet by octet.
 */
#include "engine/fuzz/mutate.h"

#include <string.h>

#include "engine/scenario/bytes/layout.h"

enum { RECORD = SCN_BYTES_RECORD_LEN, HEADER = SCN_BYTES_HEADER_LEN, GROUP_MAX = 6, DOUBLINGS_MAX = 6 /* of the number of changes */ };

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))
#define DRAW(m, table) ((table)[below(m, COUNT_OF(table))])

struct mutation {
    uint8_t *data;
    size_t count, most; /* records there are; that there is room for */
    uint64_t random;
};

static uint32_t draw(struct mutation *m)
{
    uint64_t z = m->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

static size_t below(struct mutation *m, size_t limit)
{
    return (size_t)((uint64_t)draw(m) * limit >> 32);
}

static bool one_in(struct mutation *m, unsigned n)
{
    return below(m, n) == 0;
}

static uint8_t *record_at(const struct mutation *m, size_t i)
{
    return m->data + HEADER + i * RECORD;
}

static uint8_t *any_record(struct mutation *m)
{
    return record_at(m, below(m, m->count));
}

/* ---- values that matter ------------------------------------------------------------------------------------------ */

/* Octets from a base: at it, beside it, a segment or a window away. */
static int16_t near_offset(struct mutation *m)
{
    static const int16_t offsets[] = {0, 0, 0, 1, -1, 1, -1, 2, -2, 10, -10, 100, -100, 536, -536, 1000, 1460, -1460, 2920, 4096, 16384, 32767, -32768};
    return DRAW(m, offsets);
}

/* +- 2^e + d as bytes_far() has it: half the space, the sign, the window's largest, and one beside. */
static uint16_t far_offset(struct mutation *m)
{
    static const int64_t offsets[] = {INT64_C(1) << 31, INT64_C(1) << 30, 65535, 65536, -65536, 1 << 24, INT64_C(0x3fffc000), -(1 << 20), 1, -1};
    return bytes_far_octets(DRAW(m, offsets) + (int64_t)below(m, 3) - 1);
}

static uint16_t payload_len(struct mutation *m)
{
    static const uint16_t lengths[] = {0, 0, 0, 1, 1, 2, 10, 100, 500, 535, 536, 537, 1000, 1459, 1460, 1461, 1448, 4096, 8191};
    return DRAW(m, lengths);
}

static uint16_t window(struct mutation *m)
{
    static const uint16_t windows[] = {0, 0, 1, 2, 100, 535, 536, 537, 1460, 4096, 32767, 32768, 65534, 65535};
    return DRAW(m, windows);
}

static int16_t clock_offset(struct mutation *m)
{
    static const int16_t offsets[] = {0, 1, -1, 2, -2, 10, -10, 1000, -1000, 32767, -32768, -1001};
    return DRAW(m, offsets);
}

/* About as long as a timer waits: delayed ACK, RTO and its doubles, keep-alive, 2 MSL, user timeout, the two hours, half a day. */
static uint8_t timer_octet(struct mutation *m)
{
    static const int64_t times_ms[] = {1, 10, 40, 100, 200, 500, 1000, 1200, 2000, 3000, 4000,
                                       8000, 15000, 30000, 60000, 120000, 240000, 7000000, 8000000, 40000000};
    const int octet = bytes_time_octet(DRAW(m, times_ms) * NS_PER_TICK) + (int)below(m, 3) - 1;
    return (uint8_t)(octet > UINT8_MAX ? UINT8_MAX : octet);
}

static uint8_t time_octet(struct mutation *m)
{
    return one_in(m, 3) ? timer_octet(m) : 0;
}

/* ---- fields of a segment ----------------------------------------------------------------------------------------- */

static void set_low(uint8_t *octet, unsigned mask, unsigned bits)
{
    *octet = (uint8_t)((*octet & ~mask) | (bits & mask));
}

static void change_flags(struct mutation *m, uint8_t *r)
{
    if (one_in(m, 4))
        r[AT_FLAGS] = (uint8_t)(FLAGS_RAW | draw(m)); /* any of all */
    else if (one_in(m, 4) && r[AT_FLAGS] & FLAGS_RAW)
        r[AT_FLAGS] ^= (uint8_t)(1u << below(m, 7));
    else
        r[AT_FLAGS] = (uint8_t)below(m, FLAGS_COMMON_COUNT);
}

static void change_seq(struct mutation *m, uint8_t *r)
{
    static const uint8_t bases[] = {BASE_LEFT_OUT, BASE_NEXT, BASE_NEXT, BASE_NEXT, BASE_SCRIPT, BASE_UNA, BASE_EDGE,
                                    BASE_EDGE, BASE_EDGE, BASE_FAR, BASE_FAR, BASE_ABSOLUTE};
    const uint8_t base = DRAW(m, bases);
    int16_t offset = near_offset(m);
    if (base == BASE_FAR || base == BASE_ABSOLUTE)
        offset = (int16_t)far_offset(m);
    else if (one_in(m, 4)) /* so that it ends there */
        offset = (int16_t)(offset - bytes_get16(r, AT_LEN) % LEN_COUNT);
    set_low(&r[AT_HOW], HOW_SEQ, bytes_place_of(bytes_seq_bases, BASE_TABLE_COUNT, base));
    bytes_put16(r, AT_SEQ, (uint16_t)offset);
}

static void change_ack(struct mutation *m, uint8_t *r)
{
    static const uint8_t bases[] = {BASE_LEFT_OUT, BASE_LEFT_OUT, BASE_NEXT, BASE_NEXT, BASE_NEXT, BASE_NEXT, BASE_SCRIPT, BASE_FAR, BASE_FAR, BASE_ABSOLUTE};
    const uint8_t base = DRAW(m, bases);
    const bool is_far = base == BASE_FAR || base == BASE_ABSOLUTE;
    set_low(&r[AT_HOW], HOW_ACK, (unsigned)bytes_place_of(bytes_ack_bases, BASE_TABLE_COUNT, base) << HOW_ACK_SHIFT);
    bytes_put16(r, AT_ACK, is_far ? far_offset(m) : (uint16_t)near_offset(m));
}

static void change_len(struct mutation *m, uint8_t *r)
{
    bytes_put16(r, AT_LEN, payload_len(m));
}

static void change_window(struct mutation *m, uint8_t *r)
{
    r[AT_HOW] |= HOW_WINDOW;
    bytes_put16(r, AT_WINDOW, window(m));
    if (one_in(m, 4))
        r[AT_HOW] &= (uint8_t)~HOW_WINDOW;
}

static void change_urgent(struct mutation *m, uint8_t *r)
{
    static const int8_t offsets[] = {0, 1, -1, 10, 127, -128};
    r[AT_HOW] ^= HOW_URGENT;
    r[AT_URGENT] = (uint8_t)DRAW(m, offsets);
    if (r[AT_HOW] & HOW_URGENT && one_in(m, 2))
        r[AT_FLAGS] = 7; /* PU. */
}

static void change_timestamps(struct mutation *m, uint8_t *r)
{
    static const int8_t echoes[] = {0, 0, 1, -1, 10, -10, 127, INT8_MIN /* zero */};
    r[AT_OPTIONS] |= OPTION_GIVEN | OPTION_TS;
    r[AT_OPTIONS] &= (uint8_t)~OPTION_TS_CONSTANT;
    if (one_in(m, 4))
        r[AT_OPTIONS] |= OPTION_TS_CONSTANT;
    bytes_put16(r, AT_TSVAL, (uint16_t)clock_offset(m));
    r[AT_TSECR] = (uint8_t)DRAW(m, echoes);
}

static void change_sack(struct mutation *m, uint8_t *r)
{
    r[AT_OPTIONS] |= OPTION_GIVEN | OPTION_SACK;
    r[AT_FIRST] = (uint8_t)((int)below(m, 9) - 4);
    r[AT_SECOND] = (uint8_t)(below(m, 8) | below(m, 4) << SACK_COUNT_SHIFT);
}

static void change_options(struct mutation *m, uint8_t *r)
{
    static const uint8_t kinds[] = {0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34, 69, 172, 253, 254, 255};
    r[AT_OPTIONS] ^= (uint8_t)(1u << below(m, 8));
    r[AT_SYN] = (uint8_t)draw(m);
    if ((r[AT_OPTIONS] & (OPTION_GIVEN | OPTION_KIND | OPTION_SACK)) == (OPTION_GIVEN | OPTION_KIND)) {
        r[AT_FIRST] = DRAW(m, kinds);
        r[AT_SECOND] = (uint8_t)below(m, 12);
    }
}

static void change_override(struct mutation *m, uint8_t *r)
{
    r[AT_KEY] = one_in(m, 3) ? 0 : (uint8_t)below(m, 26);
    bytes_put16(r, AT_VALUE, one_in(m, 2) ? (uint16_t)below(m, 64) : (uint16_t)draw(m));
}

static void change_who(struct mutation *m, uint8_t *r)
{
    if (one_in(m, 3))
        r[AT_WHO] ^= (uint8_t)(1u << (WHO_ECN_SHIFT + below(m, 4)));
    else
        set_low(&r[AT_WHO], WHO_ENDPOINT, (unsigned)below(m, ENDPOINT_COUNT));
}

static void change_any(struct mutation *m, uint8_t *r)
{
    uint8_t *octet = &r[below(m, RECORD)];
    if (one_in(m, 2))
        *octet = (uint8_t)draw(m);
    else
        *octet ^= (uint8_t)(1u << below(m, 8));
}

static void change_time(struct mutation *m, uint8_t *r)
{
    r[AT_TIME] = time_octet(m);
}

static void change_operation(struct mutation *m, uint8_t *r)
{
    r[AT_OP] = (uint8_t)below(m, OP_TABLE_COUNT);
}

/* ---- fresh steps ------------------------------------------------------------------------------------------------- */

static void fresh_segment(struct mutation *m, uint8_t *r)
{
    r[AT_OP] = OP_SEGMENT;
    r[AT_FLAGS] = (uint8_t)(one_in(m, 3) ? below(m, FLAGS_COMMON_COUNT) : below(m, 3)); /* mostly . P. F. */
    if (one_in(m, 2))
        change_len(m, r);
    if (one_in(m, 3))
        change_seq(m, r);
    if (one_in(m, 4))
        change_ack(m, r);
    if (one_in(m, 6))
        change_window(m, r);
    if (one_in(m, 16))
        change_urgent(m, r);
    if (one_in(m, 12))
        change_timestamps(m, r);
    if (one_in(m, 16))
        change_sack(m, r);
    if (one_in(m, 20))
        change_options(m, r);
    if (one_in(m, 24))
        change_override(m, r);
    if (one_in(m, 12))
        change_who(m, r);
}

static void fresh_call(struct mutation *m, uint8_t *r)
{
    static const uint8_t calls[] = {OP_SEND, OP_SEND, OP_SEND, OP_RECEIVE, OP_RECEIVE, OP_CLOSE, OP_SHUTDOWN, OP_ACCEPT, OP_SET_OPTION, OP_SEND,
                                    OP_RECEIVE, OP_CLOSE, OP_CONNECT, OP_SOCKET, OP_BIND, OP_LISTEN};
    static const uint16_t lengths[] = {1, 10, 100, 536, 1000, 1460, 2920, 5000, 16384, 65535, 0};
    r[AT_OP] = DRAW(m, calls);
    bytes_put16(r, AT_LEN, DRAW(m, lengths));
    if (r[AT_OP] == OP_SHUTDOWN || r[AT_OP] == OP_SET_OPTION)
        r[AT_SYN] = (uint8_t)below(m, SOCKOPT_COUNT);
    if (one_in(m, 8))
        r[AT_FLAGS] = (uint8_t)below(m, FD_COUNT);
    if (one_in(m, 16))
        r[AT_HOW] = HOW_URGENT;
}

static void fresh_other(struct mutation *m, uint8_t *r)
{
    static const uint8_t ops[] = {OP_WAIT, OP_WAIT, OP_WAIT, OP_FENCE, OP_FENCE, OP_LINK, OP_LINK, OP_LINK, OP_ICMP, OP_INCARNATION};
    r[AT_OP] = DRAW(m, ops);
    if (r[AT_OP] == OP_WAIT) {
        r[AT_TIME] = timer_octet(m);
    } else if (r[AT_OP] == OP_LINK) {
        r[AT_FLAGS] = (uint8_t)below(m, 8);
        r[AT_SYN] = (uint8_t)(one_in(m, 2) ? 0 : below(m, LINK_NTH_COUNT));
        r[AT_FIRST] = bytes_time_octet(NS_PER_TICK * (int64_t)below(m, 2000));
    } else if (r[AT_OP] == OP_ICMP) {
        r[AT_FLAGS] = (uint8_t)below(m, ICMP_COUNT);
        r[AT_SYN] = (uint8_t)below(m, 16);
        change_ack(m, r);
        change_window(m, r);
    }
}

static void fresh_record(struct mutation *m, uint8_t *r)
{
    memset(r, 0, RECORD);
    const size_t which = below(m, 10);
    if (one_in(m, 5))
        change_time(m, r);
    if (which < 6)
        fresh_segment(m, r);
    else if (which < 8)
        fresh_call(m, r);
    else
        fresh_other(m, r);
}

/* ---- changes of steps -------------------------------------------------------------------------------------------- */

/* Room for more records at i; false where there is none. */
static bool open_at(struct mutation *m, size_t i, size_t more)
{
    if (m->count + more > m->most)
        return false;
    memmove(record_at(m, i + more), record_at(m, i), (m->count - i) * RECORD);
    m->count += more;
    return true;
}

static void close_at(struct mutation *m, size_t i, size_t fewer)
{
    memmove(record_at(m, i), record_at(m, i + fewer), (m->count - i - fewer) * RECORD);
    m->count -= fewer;
}

static void insert_step(struct mutation *m)
{
    const size_t at = below(m, m->count + 1);
    if (open_at(m, at, 1))
        fresh_record(m, record_at(m, at));
}

static void append_step(struct mutation *m)
{
    if (open_at(m, m->count, 1))
        fresh_record(m, record_at(m, m->count - 1));
}

static void delete_steps(struct mutation *m)
{
    const size_t fewer = one_in(m, 4) ? 1 + below(m, GROUP_MAX) : 1;
    if (m->count > fewer)
        close_at(m, below(m, m->count - fewer + 1), fewer);
}

static void duplicate_step(struct mutation *m)
{
    const size_t from = below(m, m->count);
    if (open_at(m, from, 1))
        memcpy(record_at(m, from), record_at(m, from + 1), RECORD);
}

/* A few steps once more, somewhere behind. */
static void repeat_group(struct mutation *m)
{
    const size_t from = below(m, m->count), left = m->count - from, len = 1 + below(m, left < GROUP_MAX ? left : GROUP_MAX);
    const size_t to = from + len + below(m, m->count - from - len + 1);
    if (open_at(m, to, len))
        memcpy(record_at(m, to), record_at(m, from), len * RECORD);
}

static void swap_steps(struct mutation *m)
{
    uint8_t held[RECORD];
    uint8_t *a = any_record(m), *b = a;
    if (one_in(m, 2))
        b = any_record(m);
    else if (a + RECORD < record_at(m, m->count))
        b = a + RECORD;
    memcpy(held, a, RECORD);
    memmove(a, b, RECORD);
    memcpy(b, held, RECORD);
}

static void replace_step(struct mutation *m)
{
    fresh_record(m, any_record(m));
}

/* The tail is cut off: what remains is as it was, and new steps may follow it. */
static void cut_tail(struct mutation *m)
{
    m->count = 1 + below(m, m->count);
    append_step(m);
}

/* The second half of a record, options and all, as another has it. */
static void borrow_fields(struct mutation *m)
{
    const size_t from = below(m, RECORD), len = 1 + below(m, RECORD - from);
    uint8_t *to = any_record(m);
    memmove(to + from, any_record(m) + from, len);
}

static void change_header(struct mutation *m)
{
    uint8_t *h = m->data;
    if (one_in(m, 24))
        h[HEADER_WAY] = (uint8_t)below(m, 32);
    else if (one_in(m, 2))
        h[HEADER_USE] ^= (uint8_t)(1u << below(m, 6));
    else if (one_in(m, 2))
        h[HEADER_SYN] = (uint8_t)draw(m);
    else
        h[HEADER_ISN] = (uint8_t)below(m, ISN_COUNT);
}

static void change_field(struct mutation *m)
{
    static void (*const changes[])(struct mutation *, uint8_t *) = {
        change_seq, change_seq, change_seq, change_ack, change_ack, change_len, change_len, change_window, change_flags, change_flags, change_urgent,
        change_timestamps, change_sack, change_options, change_override, change_who, change_time, change_time, change_operation, change_any, change_any,
        change_any};
    DRAW(m, changes)(m, any_record(m));
}

static void change(struct mutation *m)
{
    static void (*const changes[])(struct mutation *) = {
        insert_step, insert_step, insert_step, append_step, append_step, delete_steps, delete_steps, delete_steps, duplicate_step, repeat_group, swap_steps,
        swap_steps, replace_step, cut_tail, borrow_fields, change_header, change_field, change_field, change_field, change_field, change_field, change_field,
        change_field, change_field, change_field, change_field, change_field, change_field};
    DRAW(m, changes)(m);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static size_t records_in(size_t size)
{
    const size_t records = size > HEADER ? (size - HEADER + RECORD - 1) / RECORD : 0;
    return records < SCN_BYTES_STEPS_MAX ? records : SCN_BYTES_STEPS_MAX;
}

static size_t room_for(size_t max)
{
    const size_t records = max > HEADER ? (max - HEADER) / RECORD : 0;
    return records < SCN_BYTES_STEPS_MAX ? records : SCN_BYTES_STEPS_MAX;
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t size_of(const struct mutation *m)
{
    return HEADER + m->count * RECORD;
}

/* The input filled up to whole records, at least one. */
static struct mutation begin(uint8_t *data, size_t size, size_t max, uint64_t seed)
{
    struct mutation m = {.data = data, .most = room_for(max), .random = seed};
    m.count = least_of(records_in(size), m.most);
    if (m.count == 0)
        m.count = 1;
    if (size < size_of(&m))
        memset(data + size, 0, size_of(&m) - size);
    return m;
}

/* Where no step fits. */
static size_t mutate_octet(uint8_t *data, size_t size, uint64_t seed)
{
    struct mutation m = {.random = seed};
    if (size)
        data[below(&m, size)] ^= (uint8_t)(1u << below(&m, 8));
    return size;
}

size_t fuzz_mutate(uint8_t *data, size_t size, size_t max, uint64_t seed)
{
    if (room_for(max) == 0)
        return mutate_octet(data, size, seed);
    struct mutation m = begin(data, size, max, seed);
    for (unsigned changes = 1u << below(&m, DOUBLINGS_MAX + 1); changes > 0; changes--)
        change(&m);
    return size_of(&m);
}

size_t fuzz_generate(uint8_t *out, size_t max, unsigned steps_max, uint64_t seed)
{
    static const uint8_t ways[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3};
    if (room_for(max) == 0)
        return 0;
    struct mutation m = begin(out, 0, max, seed);
    m.most = least_of(m.most, steps_max ? steps_max : 1);
    m.count = 1 + below(&m, m.most);
    memcpy(out, scn_bytes_magic, SCN_BYTES_MAGIC_LEN);
    out[HEADER_WAY] = DRAW(&m, ways);
    out[HEADER_USE] = (uint8_t)below(&m, 32);
    out[HEADER_SYN] = (uint8_t)(one_in(&m, 2) ? 0 : draw(&m));
    out[HEADER_ISN] = (uint8_t)below(&m, ISN_COUNT);
    for (size_t i = 0; i < m.count; i++)
        fresh_record(&m, record_at(&m, i));
    return size_of(&m);
}

/* ---- two into one ------------------------------------------------------------------------------------------------ */

struct input { const uint8_t *octets; size_t len, count; };

/* Appends records [from, from + count) of an input, what is missing of them as zeros, as far as there is room. */
static void append(struct mutation *m, const struct input *in, size_t from, size_t count)
{
    for (size_t i = from; i < from + count && i < in->count && m->count < m->most; i++, m->count++) {
        const size_t at = HEADER + i * RECORD, there = least_of(in->len - at, RECORD);
        memset(record_at(m, m->count), 0, RECORD);
        memcpy(record_at(m, m->count), in->octets + at, there);
    }
}

/* A few of one, a few of the other, in their order. */
static void in_turn(struct mutation *m, const struct input *a, const struct input *b)
{
    for (size_t at_a = 0, at_b = 0; m->count < m->most && (at_a < a->count || at_b < b->count);) {
        const size_t of_a = below(m, GROUP_MAX + 1), of_b = below(m, GROUP_MAX + 1);
        append(m, a, at_a, of_a);
        append(m, b, at_b, of_b);
        at_a += of_a;
        at_b += of_b;
    }
}

size_t fuzz_cross_over(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, size_t max, uint64_t seed)
{
    const struct input of_a = {a, a_len, records_in(a_len)}, of_b = {b, b_len, records_in(b_len)};
    if (room_for(max) == 0) {
        if (least_of(a_len, max))
            memcpy(out, a, least_of(a_len, max));
        return least_of(a_len, max);
    }
    struct mutation m = {.data = out, .most = room_for(max), .random = seed};
    memset(out, 0, HEADER);
    if (least_of(a_len, HEADER))
        memcpy(out, a, least_of(a_len, HEADER));
    const size_t cut = below(&m, of_a.count + 1), from = below(&m, of_b.count + 1), way = below(&m, 3);
    if (way == 0) {
        in_turn(&m, &of_a, &of_b);
    } else {
        append(&m, &of_a, 0, cut);
        append(&m, &of_b, from, way == 1 ? of_b.count : 1 + below(&m, GROUP_MAX));
        if (way == 2)
            append(&m, &of_a, cut, of_a.count);
    }
    if (m.count == 0) {
        memset(record_at(&m, 0), 0, RECORD);
        m.count = 1;
    }
    return size_of(&m);
}

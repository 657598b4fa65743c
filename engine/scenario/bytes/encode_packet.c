/* Segments and ICMP errors of a scenario to records: the nearest there are, in canonical form. */
#include "engine/scenario/bytes/inside.h"

#include <stdlib.h>

static int64_t constant(const struct variables *v, const struct scn_expr *expr, int64_t fallback)
{
    const struct linear l = bytes_settled(v, bytes_linear(v, expr));
    return bytes_linear_constant(&l) ? l.constant : fallback;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static bool fits16(int64_t value)
{
    return value >= INT16_MIN && value <= INT16_MAX;
}

/* A number that is no function's: as in the script, else from where the connection stands. */
static enum base base_of_constant(const struct variables *v, const struct linear *l, bool ours, int64_t *offset)
{
    struct linear next = {.known = true};
    if (l->absolute) {
        *offset = (int16_t)bytes_far_octets(l->constant);
        return BASE_ABSOLUTE;
    }
    if (fits16(l->constant))
        return BASE_SCRIPT;
    next.terms[ours ? TERM_SND_NXT : TERM_RCV_NXT] = 1;
    next = bytes_settled(v, next);
    *offset = (int32_t)(uint32_t)(l->constant - (bytes_linear_constant(&next) ? next.constant : 0));
    if (fits16(*offset))
        return BASE_NEXT;
    *offset = (int16_t)bytes_far_octets(*offset);
    return BASE_FAR;
}

/* The window's right edge is said from what the IUT acknowledged last. */
static enum base base_of_edge(const struct variables *v, const struct linear *l, int64_t *offset)
{
    struct linear una = {.known = true};
    una.terms[TERM_SND_UNA] = 1;
    una = bytes_settled(v, una);
    if (l->terms[TERM_SND_UNA] != 1)
        *offset = l->constant - (bytes_linear_constant(&una) ? una.constant : 0);
    return BASE_EDGE;
}

/* The base of a sum that begins with this function, and what is beyond it. */
static enum base base_of(const struct variables *v, const struct linear *l, bool ours, int64_t *offset)
{
    const int8_t *t = l->terms;
    *offset = l->constant;
    if (!l->known)
        return BASE_LEFT_OUT;
    if (bytes_linear_constant(l))
        return base_of_constant(v, l, ours, offset);
    if (ours && t[TERM_WINDOW] == 1)
        return base_of_edge(v, l, offset);
    if (ours && t[TERM_SND_UNA] == 1)
        return BASE_UNA;
    if (t[ours ? TERM_SND_NXT : TERM_RCV_NXT] != 1)
        return BASE_LEFT_OUT;
    if (fits16(*offset))
        return BASE_NEXT;
    *offset = (int16_t)bytes_far_octets(*offset);
    return BASE_FAR;
}

/* A wire's number that has no octets of its own may have a relative one. */
static struct linear number_of(const struct variables *v, const struct scn_match *match, bool ours, bool syn)
{
    const struct linear l = bytes_linear(v, match->value);
    const bool absolute = l.absolute && bytes_linear_constant(&l);
    if (!absolute || (uint32_t)bytes_far(bytes_far_octets(l.constant)) == (uint32_t)l.constant)
        return l;
    return bytes_number(v, match, ours, syn);
}

/* fallback: the base that is as good as none. */
static void put_place(const struct variables *v, uint8_t *r, const struct scn_match *match, bool ours, bool syn, enum base fallback)
{
    int64_t offset = 0;
    const uint8_t *table = ours ? bytes_seq_bases : bytes_ack_bases;
    enum base base = BASE_LEFT_OUT;
    if (match->relation == SCN_EQ) {
        const struct linear l = number_of(v, match, ours, syn);
        base = base_of(v, &l, ours, &offset);
    }
    if (base == BASE_LEFT_OUT) {
        offset = 0;
        base = fallback;
    }
    const unsigned place = bytes_place_of(table, BASE_TABLE_COUNT, (uint8_t)base);
    r[AT_HOW] |= (uint8_t)(ours ? place : place << HOW_ACK_SHIFT);
    bytes_put16(r, ours ? AT_SEQ : AT_ACK, (uint16_t)(int16_t)bytes_within(offset, INT16_MIN, INT16_MAX));
}

static void put_len(const struct variables *v, uint8_t *r, const struct scn_match *len)
{
    if (len->relation == SCN_EQ)
        bytes_put16(r, AT_LEN, (uint16_t)bytes_within(constant(v, len->value, LEN_COUNT - 1), 0, LEN_COUNT - 1));
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static uint8_t nearest_mss(int64_t mss)
{
    unsigned best = 0;
    for (unsigned i = 1; i < MSS_COUNT; i++)
        if (llabs(bytes_mss[i] - mss) < llabs(bytes_mss[best] - mss))
            best = i;
    return (uint8_t)best;
}

static void put_timestamps(const struct variables *v, uint8_t *r, const struct scn_option *option)
{
    const struct linear value = bytes_linear(v, option->values[0].value), echo = bytes_linear(v, option->values[1].value);
    if (value.known && value.terms[TERM_TICKS] == 1) {
        bytes_put16(r, AT_TSVAL, (uint16_t)(int16_t)bytes_within(value.constant - TSVAL_FIRST, INT16_MIN, INT16_MAX));
    } else if (bytes_linear_constant(&value)) {
        bytes_put16(r, AT_TSVAL, (uint16_t)(int16_t)bytes_within((int32_t)(uint32_t)value.constant, INT16_MIN, INT16_MAX));
        r[AT_OPTIONS] |= OPTION_TS_CONSTANT;
    }
    if (bytes_linear_constant(&echo) && echo.constant == 0)
        r[AT_TSECR] = TSECR_ZERO;
    else if (echo.known && echo.terms[TERM_TS_RECENT] == 1)
        r[AT_TSECR] = (uint8_t)(int8_t)bytes_within(echo.constant, INT8_MIN + 1, INT8_MAX);
}

/* Blocks of equal length with as much between them: the first says how long, their number how many. */
static void put_sack(const struct variables *v, uint8_t *r, const struct scn_option *option)
{
    const struct linear left = bytes_linear(v, option->values[0].value), right = bytes_linear(v, option->values[1].value);
    const unsigned blocks = option->value_count / 2;
    int64_t from = left.known ? left.constant : 0, len = left.known && right.known ? right.constant - left.constant : SACK_UNIT;
    r[AT_FIRST] = (uint8_t)(int8_t)bytes_within(from / SACK_UNIT, INT8_MIN, INT8_MAX);
    r[AT_SECOND] =
        (uint8_t)(bytes_within(len / SACK_UNIT, 0, SACK_LEN_MASK) | (bytes_within(blocks, 1, 4) - 1) << SACK_COUNT_SHIFT);
}

/* Octets that count up, from 0 or 1. */
static void put_kind(uint8_t *r, const struct scn_option *option)
{
    r[AT_FIRST] = option->kind;
    r[AT_SECOND] = (uint8_t)bytes_within(option->bytes_len, 0, KIND_LEN_MASK);
    if (option->bytes_len && option->bytes[0] == 0)
        r[AT_SECOND] |= KIND_FROM_ZERO;
}

void bytes_put_option(const struct variables *v, uint8_t *r, const struct scn_option *option)
{
    const uint8_t shift = option->form == SCN_OPT_NUMBER && option->kind == PKT_OPT_WSCALE ? 1 : 0;
    if (option->form == SCN_OPT_NUMBER && (shift || option->kind == PKT_OPT_MSS)) {
        const int64_t value = constant(v, option->values[0].value, 0);
        r[AT_SYN] |= shift ? (uint8_t)(bytes_within(value, 0, 15) * MSS_COUNT) : nearest_mss(value);
        r[AT_OPTIONS] |= shift ? OPTION_WSCALE : OPTION_MSS;
    } else if (option->form == SCN_OPT_TIMESTAMP) {
        r[AT_OPTIONS] |= OPTION_TS;
        put_timestamps(v, r, option);
    } else if (option->form == SCN_OPT_SACK && option->value_count >= 2) {
        r[AT_OPTIONS] |= OPTION_SACK;
        put_sack(v, r, option);
    } else if (option->form == SCN_OPT_PLAIN && option->kind == PKT_OPT_SACK_PERMITTED) {
        r[AT_OPTIONS] |= OPTION_SACK_PERMITTED;
    } else if (option->form != SCN_OPT_PLAIN && !(r[AT_OPTIONS] & OPTION_SACK)) {
        r[AT_OPTIONS] |= OPTION_KIND;
        put_kind(r, option);
    }
}

static bool is_nop(const struct scn_option *option)
{
    return option->form == SCN_OPT_PLAIN && option->kind == PKT_OPT_NOP;
}

/* The place of an option in the order that octets have by themselves. */
static int rank_of(const struct scn_option *option)
{
    if (option->form == SCN_OPT_NUMBER)
        return option->kind == PKT_OPT_MSS ? 0 : option->kind == PKT_OPT_WSCALE ? 1 : 5;
    return option->form == SCN_OPT_PLAIN ? 2 : option->form == SCN_OPT_TIMESTAMP ? 3 : 4;
}

/* Nops, another order, a length that lies: as far as one key can say it. */
static void put_arrangement(const struct variables *v, uint8_t *r, const struct scn_packet *packet)
{
    unsigned place = 0, nops = 0, pending = 0, key = 0, rising = 0, falling = 0;
    int last = -1;
    uint8_t len = 0;
    for (unsigned i = 0; i < packet->option_count; i++) {
        const struct scn_option *option = &packet->options[i];
        if (is_nop(option)) {
            pending++;
            continue;
        }
        rising += last >= 0 && rank_of(option) > last;
        falling += last >= 0 && rank_of(option) < last;
        last = rank_of(option);
        if (place < ARRANGED_COUNT)
            nops |= (pending < 3 ? pending : 3) << 2 * place;
        if (option->stated_len && place < ARRANGED_COUNT) {
            key = KEY_ARRANGES + place;
            len = (uint8_t)constant(v, option->stated_len, 0);
        }
        pending = 0;
        place++;
    }
    const bool reversed = falling > rising;
    if (!key && (nops || reversed))
        key = reversed ? KEY_NOPS_REVERSED : KEY_NOPS;
    else if (key && reversed)
        key += ARRANGED_COUNT;
    if (!key)
        return;
    r[AT_KEY] = (uint8_t)key;
    r[AT_VALUE] = (uint8_t)nops;
    r[AT_VALUE + 1] = len;
}

static uint8_t usual_options(const uint8_t *header, unsigned flags)
{
    static const struct { uint8_t use, option; } pairs[] = {
        {USE_MSS, OPTION_MSS}, {USE_WSCALE, OPTION_WSCALE}, {USE_SACK, OPTION_SACK_PERMITTED}, {USE_TS, OPTION_TS}};
    unsigned usual = 0;
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if ((header[HEADER_USE] & pairs[i].use) && (flags & PKT_SYN || pairs[i].use == USE_TS))
            usual |= pairs[i].option;
    return (uint8_t)usual;
}

static void put_options(const struct variables *v, const uint8_t *header, uint8_t *r, const struct scn_packet *packet,
                        unsigned flags)
{
    for (unsigned i = 0; i < packet->option_count; i++)
        bytes_put_option(v, r, &packet->options[i]);
    if (r[AT_OPTIONS] != usual_options(header, flags))
        r[AT_OPTIONS] |= OPTION_GIVEN;
    put_arrangement(v, r, packet);
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static void put_flags(uint8_t *r, unsigned flags)
{
    const unsigned low = flags & ~(unsigned)(PKT_AE | PKT_CWR);
    for (unsigned i = 0; i < FLAGS_COMMON_COUNT; i++) {
        const unsigned beside = flags & ~(unsigned)bytes_flags[i]; /* what the octet does not have, and another has */
        if ((flags & bytes_flags[i]) != bytes_flags[i] || (beside & ~(unsigned)(PKT_AE | PKT_CWR)))
            continue;
        r[AT_FLAGS] = (uint8_t)i;
        r[AT_WHO] |= (uint8_t)((beside & PKT_AE ? WHO_AE : 0) | (beside & PKT_CWR ? WHO_CWR : 0));
        return;
    }
    r[AT_FLAGS] = (uint8_t)(FLAGS_RAW | (low & FLAGS_LOW));
    r[AT_WHO] |= (uint8_t)((flags & PKT_AE ? WHO_AE : 0) | (flags & PKT_CWR ? WHO_CWR : 0));
}

static void put_override(const struct variables *v, uint8_t *r, const struct scn_override *override)
{
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        const struct override_choice *choice = &bytes_overrides[i];
        if (!choice->present || choice->key != override->key || choice->special != override->special)
            continue;
        r[AT_KEY] = (uint8_t)i;
        if (choice->count) {
            const int64_t value = constant(v, override->value.value, 0) - choice->least;
            bytes_put16(r, AT_VALUE, (uint16_t)bytes_within(value / choice->unit, 0, (int64_t)choice->count - 1));
        }
        return;
    }
}

static uint8_t ecn_octet(enum scn_ecn ecn)
{
    const unsigned place = ecn == SCN_ECN_ECT0 || ecn == SCN_ECN_ECT01 ? 1 : ecn == SCN_ECN_ECT1 ? 2 : ecn == SCN_ECN_CE ? 3 : 0;
    return (uint8_t)(place << WHO_ECN_SHIFT);
}

void bytes_put_segment(struct variables *v, const uint8_t *header, uint8_t *r, const struct scn_packet *packet)
{
    bytes_speak_of(v, &packet->endpoint);
    const unsigned flags = bytes_flags_of(v, packet);
    const bool syn = flags & PKT_SYN;
    r[AT_WHO] |= ecn_octet(packet->ecn);
    put_flags(r, flags);
    put_len(v, r, &packet->len);
    put_place(v, r, &packet->seq, true, syn, bytes_get16(r, AT_LEN) == 0 ? BASE_LEFT_OUT : syn ? BASE_SCRIPT : BASE_NEXT);
    put_place(v, r, &packet->ack, false, syn, BASE_LEFT_OUT);
    if (packet->window.relation == SCN_EQ) {
        r[AT_HOW] |= HOW_WINDOW;
        bytes_put16(r, AT_WINDOW, (uint16_t)bytes_within(constant(v, packet->window.value, UINT16_MAX), 0, UINT16_MAX));
    }
    if (packet->urgent.relation == SCN_EQ) {
        r[AT_HOW] |= HOW_URGENT;
        r[AT_URGENT] =
            (uint8_t)(int8_t)bytes_within(constant(v, packet->urgent.value, 0) - bytes_get16(r, AT_LEN), INT8_MIN, INT8_MAX);
    }
    put_options(v, header, r, packet, flags);
    if (packet->override_count && !r[AT_KEY])
        put_override(v, r, &packet->overrides[0]);
}

void bytes_put_icmp(struct variables *v, const uint8_t *header, uint8_t *r, const struct scn_packet *packet)
{
    const unsigned version = header[HEADER_USE] & USE_IPV6 ? 1 : 0;
    int64_t type, code;
    bytes_speak_of(v, &packet->endpoint);
    bytes_icmp_numbers(v, packet, version, &type, &code);
    r[AT_FLAGS] = bytes_place_of(bytes_icmp_types[version], ICMP_COUNT, (uint8_t)bytes_within(type, 0, UINT8_MAX));
    r[AT_SYN] = (uint8_t)bytes_within(code, 0, 15);
    if (packet->icmp.mtu.relation == SCN_EQ) {
        r[AT_HOW] |= HOW_WINDOW;
        bytes_put16(r, AT_WINDOW, (uint16_t)bytes_within(constant(v, packet->icmp.mtu.value, 0), 0, UINT16_MAX));
    }
    put_place(v, r, &packet->seq, false, false, BASE_NEXT);
    put_len(v, r, &packet->len);
}

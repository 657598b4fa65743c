/* Records of segments and ICMP errors made into packets: what decode.c and craft.c do by way of a scenario, without one. */
#include "engine/fuzz/play_inside.h"

#include <string.h>

/* ---- numbers -------------------------------------------------------------------------------------------------------- */

/* A place in a stream: a script's number, or the wire's. */
struct place { int64_t number; bool absolute; };

static struct place place_of(const struct endpoint *e, enum base base, bool ours, uint16_t octets)
{
    const int64_t offset = (int16_t)octets, next = ours ? endpoint_tester_script(e, e->snd_nxt) : endpoint_iut_script(e, e->rcv_nxt);
    switch (base) {
    case BASE_SCRIPT: return (struct place){offset, false};
    case BASE_UNA: return (struct place){endpoint_tester_script(e, e->snd_una) + offset, false};
    case BASE_EDGE: return (struct place){endpoint_tester_script(e, e->snd_una) + endpoint_window(e) + offset, false};
    case BASE_FAR: return (struct place){next + bytes_far(octets), false};
    case BASE_ABSOLUTE: return (struct place){bytes_far(octets) & UINT32_MAX, true};
    case BASE_LEFT_OUT: case BASE_NEXT: case BASE_COUNT: break;
    }
    return (struct place){next + offset, false};
}

static uint16_t flags_of(const uint8_t *r)
{
    unsigned flags = r[AT_FLAGS] & FLAGS_RAW ? r[AT_FLAGS] & (unsigned)FLAGS_LOW : bytes_flags[r[AT_FLAGS] % FLAGS_COMMON_COUNT];
    flags |= (r[AT_WHO] & WHO_AE ? PKT_AE : 0u) | (r[AT_WHO] & WHO_CWR ? PKT_CWR : 0u);
    return (uint16_t)flags;
}

static void put_sequence(struct craft *c, const uint8_t *r)
{
    const struct endpoint *e = c->e;
    const bool is_syn = c->spec.flags & PKT_SYN;
    const enum base base = (enum base)bytes_seq_bases[r[AT_HOW] & HOW_SEQ];
    struct place seq = {0, false};
    if (base != BASE_LEFT_OUT)
        seq = place_of(e, base, true, bytes_get16(r, AT_SEQ));
    else if (!is_syn)
        seq.number = endpoint_tester_script(e, e->snd_nxt);
    c->spec.seq = seq.absolute ? (uint32_t)seq.number : is_syn ? e->isn_base + (uint32_t)seq.number : endpoint_tester_wire(e, seq.number);
}

static void put_acknowledgment(struct craft *c, const uint8_t *r)
{
    const struct endpoint *e = c->e;
    const enum base base = (enum base)bytes_ack_bases[(r[AT_HOW] & HOW_ACK) >> HOW_ACK_SHIFT];
    if (base == BASE_LEFT_OUT) {
        c->spec.ack = c->spec.flags & PKT_ACK ? endpoint_iut_wire(e, endpoint_iut_script(e, e->rcv_nxt)) : 0;
        return;
    }
    const struct place ack = place_of(e, base, false, bytes_get16(r, AT_ACK));
    c->spec.ack = ack.absolute ? (uint32_t)ack.number : endpoint_iut_wire(e, ack.number);
}

static void put_fields(struct craft *c, const uint8_t *r)
{
    static const uint8_t codepoints[] = {0, 2, 1, 3}; /* none, ECT(0), ECT(1), CE */
    const int64_t urgent = (int64_t)(bytes_get16(r, AT_LEN) % LEN_COUNT) + (int8_t)r[AT_URGENT];
    c->spec.tos = codepoints[(r[AT_WHO] & WHO_ECN) >> WHO_ECN_SHIFT];
    c->spec.payload_len = bytes_get16(r, AT_LEN) % LEN_COUNT;
    c->spec.window = r[AT_HOW] & HOW_WINDOW ? bytes_get16(r, AT_WINDOW) : UINT16_MAX;
    c->spec.urgent = r[AT_HOW] & HOW_URGENT && urgent > 0 ? (uint16_t)urgent : 0;
    c->spec.src_port = c->e->tester.port;
    c->spec.dst_port = c->e->iut.port;
}

/* ---- options -------------------------------------------------------------------------------------------------------- */

enum { LISTED_MAX = 6 };
struct listed { /* options in the order they are written, and the room they leave */
    uint8_t bits[LISTED_MAX];
    unsigned count, room;
};

static void put_timestamps(const struct fuzz_play *f, struct craft *c, const uint8_t *r)
{
    const struct player *p = f->player;
    const int64_t offset = (int16_t)bytes_get16(r, AT_TSVAL);
    const bool constant = (r[AT_OPTIONS] & OPTION_GIVEN) && (r[AT_OPTIONS] & OPTION_TS_CONSTANT);
    const int64_t value = constant ? offset : (p->now_ns - p->start_ns) / NS_PER_TICK + TSVAL_FIRST + offset;
    const int64_t echo = r[AT_TSECR] == TSECR_ZERO ? 0 : (int64_t)c->e->ts_recent + (int8_t)r[AT_TSECR];
    pkt_put_timestamp(&c->options, (uint32_t)value, (uint32_t)echo);
}

static unsigned sack_blocks(const uint8_t *r, unsigned room)
{
    const unsigned wanted = 1 + (unsigned)(r[AT_SECOND] >> SACK_COUNT_SHIFT), fit = (room - 2) / 8;
    return wanted < fit ? wanted : fit;
}

static unsigned kind_len(const uint8_t *r, unsigned room)
{
    const unsigned wanted = r[AT_SECOND] & KIND_LEN_MASK;
    return wanted + 2 > room ? room - 2 : wanted;
}

/* room: what is left by the options before it, in the order of their bits. */
static void put_sack(struct craft *c, const uint8_t *r, unsigned room)
{
    uint32_t edges[PKT_SACK_BLOCKS_MAX][2];
    const unsigned count = sack_blocks(r, room);
    const uint32_t len = SACK_UNIT * (uint32_t)(r[AT_SECOND] & SACK_LEN_MASK);
    uint32_t left = c->e->rcv_nxt + (uint32_t)(SACK_UNIT * (int8_t)r[AT_FIRST]);
    for (unsigned i = 0; i < count; i++, left += 2 * len) {
        edges[i][0] = left;
        edges[i][1] = left + len;
    }
    pkt_put_sack(&c->options, (const uint32_t(*)[2])edges, count);
}

static void put_kind(struct craft *c, const uint8_t *r, unsigned room)
{
    uint8_t octets[PKT_TCP_OPTIONS_MAX];
    const unsigned len = kind_len(r, room), first = r[AT_SECOND] & KIND_FROM_ZERO ? 0 : 1;
    for (unsigned i = 0; i < len; i++)
        octets[i] = (uint8_t)(first + i);
    pkt_put_raw_option(&c->options, r[AT_FIRST], (uint8_t)(2 + len), octets, (uint8_t)len);
}

static void put_option(const struct fuzz_play *f, struct craft *c, const uint8_t *r, unsigned bit, unsigned room)
{
    switch (bit) {
    case OPTION_MSS: pkt_put_mss(&c->options, bytes_mss[r[AT_SYN] % MSS_COUNT]); break;
    case OPTION_WSCALE: pkt_put_wscale(&c->options, r[AT_SYN] / MSS_COUNT); break;
    case OPTION_SACK_PERMITTED: pkt_put_sack_permitted(&c->options); break;
    case OPTION_TS: put_timestamps(f, c, r); break;
    case OPTION_SACK: put_sack(c, r, room); break;
    case OPTION_KIND: put_kind(c, r, room); break;
    }
}

static struct listed list_options(unsigned which)
{
    static const struct { uint8_t bit, len; } fixed[] = {{OPTION_MSS, 4}, {OPTION_WSCALE, 3}, {OPTION_SACK_PERMITTED, 2}, {OPTION_TS, 10}};
    struct listed list = {.room = PKT_TCP_OPTIONS_MAX};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (which & fixed[i].bit) {
            list.bits[list.count++] = fixed[i].bit;
            list.room -= fixed[i].len;
        }
    if (which & (OPTION_SACK | OPTION_KIND))
        list.bits[list.count++] = which & OPTION_SACK ? OPTION_SACK : OPTION_KIND;
    return list;
}

/* In another order, with a length that lies, and with nops as far as there is room. */
static void put_arranged(const struct fuzz_play *f, struct craft *c, const uint8_t *r, const struct listed *list,
                         const struct arrangement *how)
{
    const uint8_t last = list->bits[list->count - 1];
    unsigned room = list->room - (last == OPTION_SACK ? 2 + 8 * sack_blocks(r, list->room) : last == OPTION_KIND ? 2 + kind_len(r, list->room) : 0);
    for (unsigned i = 0; i < list->count; i++) {
        for (unsigned nops = i < ARRANGED_COUNT ? how->nops[i] : 0; nops > 0 && room > 0; nops--, room--)
            pkt_put_nop(&c->options);
        const uint8_t start = c->options.len;
        put_option(f, c, r, list->bits[how->reversed ? list->count - 1 - i : i], list->room);
        if (how->stated == (int)i && c->options.len > start + 1)
            c->options.bytes[start + 1] = how->stated_len;
    }
}

static void put_options(const struct fuzz_play *f, struct craft *c, const uint8_t *r, unsigned which)
{
    const struct listed list = list_options(which);
    struct arrangement how;
    if (list.count == 0)
        return;
    if (bytes_arrangement(r, &how))
        put_arranged(f, c, r, &list, &how);
    else
        for (unsigned i = 0; i < list.count; i++)
            put_option(f, c, r, list.bits[i], list.room);
    c->spec.options = c->options.bytes;
    c->spec.options_len = c->options.len;
}

/* What a well-behaved peer has: all that is in use with a SYN, timestamps with the rest. */
static unsigned usual_options(const struct fuzz_play *f, unsigned flags)
{
    const unsigned use = f->header[HEADER_USE];
    unsigned which = use & USE_TS ? OPTION_TS : 0;
    if (flags & PKT_SYN)
        which |= (use & USE_MSS ? OPTION_MSS : 0) | (use & USE_WSCALE ? OPTION_WSCALE : 0) | (use & USE_SACK ? OPTION_SACK_PERMITTED : 0);
    return which;
}

/* ---- packets -------------------------------------------------------------------------------------------------------- */

static struct craft *begin(struct fuzz_play *f, const uint8_t *r)
{
    struct craft *c = &f->craft;
    c->e = play_endpoint_at(f->player, bytes_endpoints[r[AT_WHO] & WHO_ENDPOINT], 0);
    if (!c->e) {
        play_stop(f->player, VERDICT_ERROR, "out of memory");
        return NULL;
    }
    c->p = f->player;
    c->spec = (struct pkt_spec){.ttl = 64};
    c->options.len = 0;
    c->options.overflow = false;
    c->truncate = c->fragment = 0;
    craft_ip(c);
    return c;
}

static void spoil(struct craft *c, const uint8_t *r)
{
    const struct override_choice *choice = &bytes_overrides[r[AT_KEY] % KEY_COUNT];
    if (!choice->present)
        return;
    const struct scn_override chosen = {.key = (enum scn_key)choice->key, .special = choice->special};
    craft_override(c, &chosen, choice->count ? (int64_t)(bytes_get16(r, AT_VALUE) % choice->count) * choice->unit + choice->least : 0);
}

static bool send(struct craft *c)
{
    if (craft_send(c))
        return true;
    play_stop(c->p, VERDICT_ERROR, "this segment cannot be injected: %s", c->error);
    return false;
}

bool play_segment(struct fuzz_play *f, const uint8_t *r)
{
    struct craft *c = begin(f, r);
    if (!c)
        return false;
    c->spec.protocol = PKT_PROTO_TCP;
    c->spec.flags = flags_of(r);
    put_sequence(c, r);
    put_acknowledgment(c, r);
    put_fields(c, r);
    put_options(f, c, r, r[AT_OPTIONS] & OPTION_GIVEN ? r[AT_OPTIONS] : usual_options(f, c->spec.flags));
    craft_payload(c);
    spoil(c, r);
    return send(c);
}

/* An error about a segment of the IUT. */
bool play_icmp(struct fuzz_play *f, const uint8_t *r)
{
    const bool ipv6 = f->header[HEADER_USE] & USE_IPV6;
    struct craft *c = begin(f, r);
    if (!c)
        return false;
    const struct place seq =
        place_of(c->e, (enum base)bytes_ack_bases[(r[AT_HOW] & HOW_ACK) >> HOW_ACK_SHIFT], false, bytes_get16(r, AT_ACK));
    const enum base base = (enum base)bytes_ack_bases[(r[AT_HOW] & HOW_ACK) >> HOW_ACK_SHIFT];
    const uint32_t wire = base == BASE_LEFT_OUT ? c->e->rcv_nxt : seq.absolute ? (uint32_t)seq.number : endpoint_iut_wire(c->e, seq.number);
    c->spec.protocol = ipv6 ? PKT_PROTO_ICMP6 : PKT_PROTO_ICMP;
    c->spec.icmp_type = bytes_icmp_types[ipv6][r[AT_FLAGS] % ICMP_COUNT];
    c->spec.icmp_code = r[AT_SYN] % 16;
    c->spec.icmp_rest = r[AT_HOW] & HOW_WINDOW ? bytes_get16(r, AT_WINDOW) : 0;
    const ssize_t len = craft_quote(c, wire, bytes_get16(r, AT_LEN) % LEN_COUNT, c->payload, CRAFT_PAYLOAD_MAX);
    if (len < 0) {
        play_stop(f->player, VERDICT_ERROR, "this error cannot be injected: %s", pkt_builder_error(f->player->builder));
        return false;
    }
    c->spec.payload = c->payload;
    c->spec.payload_len = (uint32_t)len;
    return send(c);
}

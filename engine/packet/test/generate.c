/* Random packets for tests.
 *
 * A generator makes a packet that is right; three out of five packets then go through one damage. Sizes are mostly small, so that
 * lengths that lie hit headers and options rather than payload. */
#include "engine/packet/test/generate.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- specs -------------------------------------------------------------------------------------------------------- */

static void random_address(struct random *r, uint8_t version, struct pkt_addr *out)
{
    static const uint8_t prefix4[] = { 192, 0, 2 }, prefix6[] = { 0x20, 0x01, 0x0d, 0xb8 };

    memset(out, 0, sizeof *out);
    out->version = version;
    if (version == 4) {
        memcpy(out->bytes, prefix4, sizeof prefix4);
        out->bytes[3] = (uint8_t)random_next(r);
        return;
    }
    memcpy(out->bytes, prefix6, sizeof prefix6);
    random_fill(r, out->bytes + 4 + random_below(r, 3) * 4, 4);
}

static void put_random_option(struct random *r, struct pkt_option_buffer *b)
{
    uint32_t a = (uint32_t)random_next(r), c = (uint32_t)random_next(r);
    uint32_t blocks[4][2];
    uint8_t bytes[16];

    random_fill(r, (uint8_t *)blocks, sizeof blocks);
    random_fill(r, bytes, sizeof bytes);
    switch (random_below(r, 12)) {
    case 0: pkt_put_mss(b, (uint16_t)a); break;
    case 1: pkt_put_wscale(b, (uint8_t)(a % 16)); break;
    case 2: pkt_put_sack_permitted(b); break;
    case 3: pkt_put_sack(b, blocks, 1 + c % 4); break;
    case 4: pkt_put_timestamp(b, a, c); break;
    case 5: pkt_put_user_timeout(b, (uint16_t)a); break;
    case 6: pkt_put_fastopen(b, bytes, (uint8_t)(c % 2 ? 0 : 4 + 2 * (a % 7))); break;
    case 7: pkt_put_raw_option(b, (uint8_t)(200 + a % 50), (uint8_t)(2 + c % 8), bytes, (uint8_t)(c % 8)); break;
    case 8: pkt_put_eol(b); break;
    default: pkt_put_nop(b); break;
    }
}

void generate_spec(struct random *random, struct pkt_spec *spec, struct spec_storage *storage)
{
    static const uint8_t other_protocols[] = { 17, 47, 59, 132, 200 };
    uint8_t version = random_below(random, 2) ? 4 : 6;
    uint32_t shape = random_below(random, 10);
    uint32_t payload_len = random_one_in(random, 20) ? random_below(random, 9000) : random_below(random, 70);

    memset(&storage->options, 0, sizeof storage->options);
    for (uint32_t n = random_below(random, 6); n > 0; n--)
        put_random_option(random, &storage->options);
    random_fill(random, storage->payload, payload_len);
    *spec = (struct pkt_spec){
        .protocol = shape < 7 ? PKT_PROTO_TCP : shape < 9 ? (version == 4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6)
                                                          : other_protocols[random_below(random, COUNT(other_protocols))],
        .tos = (uint8_t)random_next(random),
        .ttl = (uint8_t)(1 + random_below(random, 255)),
        .ip_id = (uint16_t)random_next(random),
        .dont_fragment = random_below(random, 2),
        .flow_label = random_below(random, 1u << 20),
        .src_port = (uint16_t)random_next(random),
        .dst_port = (uint16_t)random_next(random),
        .seq = (uint32_t)random_next(random),
        .ack = (uint32_t)random_next(random),
        .flags = (uint16_t)random_below(random, 1u << 12),
        .window = (uint16_t)random_next(random),
        .urgent = (uint16_t)random_next(random),
        .options = storage->options.bytes,
        .options_len = storage->options.len,
        .icmp_type = (uint8_t)(version == 4 ? 8 * random_below(random, 2) : 128 + random_below(random, 2)),
        .icmp_rest = (uint32_t)random_next(random),
        .payload = storage->payload,
        .payload_len = payload_len,
    };
    random_address(random, version, &spec->src);
    random_address(random, version, &spec->dst);
}

/* ---- generators --------------------------------------------------------------------------------------------------- */

struct maker {
    struct random *random;
    struct pkt_builder *builder;
    struct spec_storage storage;
    struct pkt_spec spec;
};

static size_t build(struct maker *m, uint8_t *out)
{
    ssize_t len = pkt_build(m->builder, &m->spec, out, GENERATED_LEN_MAX);

    return len < 0 ? 0 : (size_t)len;
}

static size_t make_plain(struct maker *m, uint8_t *out)
{
    return build(m, out);
}

static size_t make_overridden(struct maker *m, uint8_t *out)
{
    m->spec.overrides = 1u << random_below(m->random, 10);
    m->spec.ip_version_value = (uint8_t)random_below(m->random, 16);
    m->spec.ip_header_words = (uint8_t)random_below(m->random, 16);
    m->spec.ip_protocol_value = (uint8_t)(random_one_in(m->random, 2) ? PKT_PROTO_TCP : random_next(m->random));
    m->spec.data_offset_words = (uint8_t)random_below(m->random, 16);
    m->spec.ip_total_len_value = (uint16_t)random_below(m->random, 120);
    m->spec.ip_checksum_value = (uint16_t)random_next(m->random);
    m->spec.checksum_value = (uint16_t)random_next(m->random);
    return build(m, out);
}

static size_t make_random_options(struct maker *m, uint8_t *out)
{
    static const uint8_t kinds[] = { 0, 1, 1, 2, 3, 4, 5, 8, 28, 34, 172, 254 };
    struct pkt_option_buffer *b = &m->storage.options;

    b->len = (uint8_t)(4 * random_below(m->random, 11));
    random_fill(m->random, b->bytes, b->len);
    for (unsigned i = 0; i < b->len; i++) {
        if (random_one_in(m->random, 3))
            b->bytes[i] = kinds[random_below(m->random, COUNT(kinds))];
        else if (random_one_in(m->random, 3))
            b->bytes[i] = (uint8_t)random_below(m->random, 12);
    }
    m->spec.protocol = PKT_PROTO_TCP;
    m->spec.options_len = b->len;
    return build(m, out);
}

/* An ICMP error that quotes a TCP packet, cut anywhere behind the first eight octets of its payload. */
static size_t make_icmp_error(struct maker *m, uint8_t *out)
{
    static const uint8_t types4[] = { 3, 3, 3, 4, 5, 11, 11, 12 }, types6[] = { 1, 1, 2, 2, 2, 3, 3, 4 };
    uint8_t quoted[GENERATED_LEN_MAX];
    bool v4 = m->spec.src.version == 4;
    size_t quoted_len, least;

    m->spec.protocol = PKT_PROTO_TCP;
    quoted_len = build(m, quoted);
    least = v4 ? 28 : 48;
    m->spec.protocol = v4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6;
    m->spec.icmp_type = (v4 ? types4 : types6)[random_below(m->random, COUNT(types4))];
    m->spec.icmp_code = (uint8_t)random_below(m->random, 5);
    if (!random_one_in(m->random, 10))
        m->spec.icmp_rest &= 0xffff; /* what RFC 4884 reads as the length of the quotation */
    m->spec.payload = quoted;
    m->spec.payload_len = (uint32_t)least + random_below(m->random, (uint32_t)(quoted_len < 500 ? quoted_len - least : 500) + 1);
    return build(m, out);
}

/* Puts insert_len octets at `at`, moving what follows. */
static size_t insert(uint8_t *bytes, size_t len, size_t at, size_t insert_len)
{
    memmove(bytes + at + insert_len, bytes + at, len - at);
    memset(bytes + at, 0, insert_len);
    return len + insert_len;
}

static void put16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* An extension header of this kind before the one at `at`, which the octet at next_at announces. */
static size_t insert_extension(struct random *r, uint8_t kind, uint8_t *bytes, size_t len, size_t at, size_t next_at)
{
    static const uint8_t pad[] = { 1, 4 }; /* PadN over the rest of the first unit */
    size_t units = kind == 44 ? 0 : kind == 51 ? 2 : random_below(r, 3);

    len = insert(bytes, len, at, 8 + 8 * units);
    bytes[at] = bytes[next_at];
    bytes[next_at] = kind;
    if (kind == 44) { /* an atomic fragment */
        random_fill(r, bytes + at + 4, 4);
        return len;
    }
    if (kind == 51) { /* an authentication header counts words, less two (RFC 4302 §2.2) */
        bytes[at + 1] = 4;
        random_fill(r, bytes + at + 4, 20);
        return len;
    }
    bytes[at + 1] = (uint8_t)units;
    if (kind == 43) { /* a routing header, mostly with nothing left to visit (RFC 8200 §4.4) */
        bytes[at + 2] = (uint8_t)(random_one_in(r, 3) ? 0 : 253 + random_below(r, 2));
        bytes[at + 3] = random_one_in(r, 4) ? (uint8_t)(units / 2) : 0;
        return len;
    }
    memcpy(bytes + at + 2, pad, sizeof pad);
    if (random_one_in(r, 8))
        bytes[at + 3] = (uint8_t)random_next(r); /* an option that may run past its header */
    for (size_t i = 1; i <= units; i++) {
        bytes[at + 8 * i] = 1;
        bytes[at + 8 * i + 1] = 6;
    }
    return len;
}

static size_t make_extensions(struct maker *m, uint8_t *out)
{
    static const uint8_t kinds[] = { 60, 51, 44, 43, 60, 0, 60 }; /* from the innermost out; with the last, hop-by-hop options are out of place */
    size_t len, count = random_one_in(m->random, 4) ? COUNT(kinds) : COUNT(kinds) - 1;

    random_address(m->random, 6, &m->spec.src);
    random_address(m->random, 6, &m->spec.dst);
    if (m->spec.protocol == PKT_PROTO_ICMP)
        m->spec.protocol = PKT_PROTO_ICMP6;
    len = build(m, out);
    for (size_t i = 0; i < count && len + 32 < GENERATED_LEN_MAX; i++) {
        if (random_one_in(m->random, 2))
            len = insert_extension(m->random, kinds[i], out, len, 40, 6);
    }
    put16(out + 4, len - 40);
    return len;
}

static size_t make_ip4_options(struct maker *m, uint8_t *out)
{
    size_t len, words = 1 + random_below(m->random, 10);

    random_address(m->random, 4, &m->spec.src);
    random_address(m->random, 4, &m->spec.dst);
    if (m->spec.protocol == PKT_PROTO_ICMP6)
        m->spec.protocol = PKT_PROTO_ICMP;
    len = build(m, out);
    len = insert(out, len, 20, 4 * words);
    memset(out + 20, 1, 4 * words); /* NOP */
    out[0] = (uint8_t)(0x45 + words);
    put16(out + 2, len);
    put16(out + 10, 0);
    put16(out + 10, pkt_checksum(out, 20 + 4 * words));
    return len;
}

static size_t make_tunnel(struct maker *m, uint8_t *out)
{
    uint8_t inner[GENERATED_LEN_MAX];

    m->spec.payload_len %= 500;
    m->spec.protocol = PKT_PROTO_TCP;
    m->spec.payload_len = (uint32_t)build(m, inner);
    m->spec.payload = inner;
    m->spec.protocol = m->spec.src.version == 4 ? 4 : 41;
    return build(m, out);
}

struct picked { uint32_t countdown; uint8_t *out; size_t len; };

static void pick(void *context, const uint8_t *fragment, size_t fragment_len)
{
    struct picked *p = context;

    if (p->countdown-- != 0 && p->len != 0)
        return;
    memcpy(p->out, fragment, fragment_len);
    p->len = fragment_len;
}

static size_t make_fragment(struct maker *m, uint8_t *out)
{
    uint8_t whole[GENERATED_LEN_MAX];
    struct picked picked = { .countdown = random_below(m->random, 4), .out = out };

    random_fill(m->random, m->storage.payload, 200);
    m->spec.payload_len = 200;
    pkt_fragment(whole, build(m, whole), 60 + random_below(m->random, 100), (uint32_t)random_next(m->random), pick, &picked);
    return picked.len;
}

static size_t make_garbage(struct maker *m, uint8_t *out)
{
    size_t len = 1 + random_below(m->random, 100);

    random_fill(m->random, out, len);
    if (!random_one_in(m->random, 5))
        out[0] = random_below(m->random, 2) ? 0x45 : 0x60;
    return len;
}

/* ---- damage ------------------------------------------------------------------------------------------------------- */

static size_t cut_short(struct random *r, uint8_t *bytes, size_t len)
{
    (void)bytes;
    return 1 + random_below(r, (uint32_t)len);
}

/* Cut, and with lengths in the IP header that say so. */
static size_t cut_honestly(struct random *r, uint8_t *bytes, size_t len)
{
    size_t least = bytes[0] >> 4 == 4 ? 20 : 40;

    if (len <= least)
        return len;
    len = least + random_below(r, (uint32_t)(len - least));
    if (least == 40) {
        put16(bytes + 4, len - 40);
        return len;
    }
    put16(bytes + 2, len);
    put16(bytes + 10, 0);
    put16(bytes + 10, pkt_checksum(bytes, 20)); /* wrong again for a header with options, which is as well */
    return len;
}

static size_t flip_bits(struct random *r, uint8_t *bytes, size_t len)
{
    uint32_t reach = (uint32_t)(len < 90 ? len : 90);

    for (uint32_t n = 1 + random_below(r, 3); n > 0; n--) {
        uint32_t bit = random_below(r, reach * 8);
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
    }
    return len;
}

static size_t append_padding(struct random *r, uint8_t *bytes, size_t len)
{
    size_t padding_len = random_below(r, 20);

    if (len + padding_len > GENERATED_LEN_MAX)
        return len;
    random_fill(r, bytes + len, padding_len);
    return len + padding_len;
}

static size_t no_damage(struct random *r, uint8_t *bytes, size_t len)
{
    (void)r;
    (void)bytes;
    return len;
}

static const struct { const char *name; size_t (*make)(struct maker *m, uint8_t *out); } makers[] = {
    { "plain", make_plain }, { "plain", make_plain }, { "overridden", make_overridden }, { "random options", make_random_options },
    { "ICMP error", make_icmp_error }, { "IPv6 extensions", make_extensions }, { "IPv4 options", make_ip4_options },
    { "tunnel", make_tunnel }, { "fragment", make_fragment }, { "garbage", make_garbage },
};
static const struct { const char *name; size_t (*apply)(struct random *r, uint8_t *bytes, size_t len); } damages[] = {
    { "intact", no_damage }, { "intact", no_damage }, { "cut", cut_short }, { "cut honestly", cut_honestly }, { "bits flipped", flip_bits },
    { "padded", append_padding },
};

void generate_packet(struct random *random, struct pkt_builder *builder, struct generated *out)
{
    struct maker m = { .random = random, .builder = builder };
    uint32_t damage = random_below(random, COUNT(damages)), maker;

    do {
        generate_spec(random, &m.spec, &m.storage);
        maker = random_below(random, COUNT(makers));
        out->len = makers[maker].make(&m, out->bytes);
    } while (out->len == 0);
    out->what = makers[maker].name;
    out->damage = damages[damage].name;
    out->len = damages[damage].apply(random, out->bytes, out->len);
}

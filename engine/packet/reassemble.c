/* Puts IP fragments together again (RFC 791 §3.2, RFC 8200 §4.5, RFC 5722).
 *
 * Theory of operation. A datagram in progress is a buffer with room for its headers in front and its 64 KiB of payload behind, and
 * a bit for each block of eight octets that has come: fragments begin on block boundaries, and only the very last block may be
 * partial. The datagram is complete when its end is known and every block before it is there; the first fragment's headers are then
 * mended and put directly before the payload, so that nothing is copied twice. A datagram found to contradict itself is kept,
 * spoiled, until it expires or is pushed out, so that the rest of its fragments are swallowed with it. Bounds: PKT_REASSEMBLIES_MAX
 * datagrams, LIFETIME_NS each, PKT_REASSEMBLY_HEADER_MAX octets of headers. */
#include "engine/packet/packet.h"

#include "engine/packet/extension.h"
#include "engine/packet/wire.h"

#include <stdlib.h>
#include <string.h>

#define LIFETIME_NS (INT64_C(60) * 1000000000) /* RFC 8200 §4.5; RFC 1122 §3.3.2 allows 60 to 120 s */
enum { BLOCK_LEN = 8, DATA_LEN_MAX = 65536, BLOCKS_MAX = DATA_LEN_MAX / BLOCK_LEN };

struct datagram {
    bool in_use, spoiled;
    struct pkt_addr src, dst;
    uint8_t protocol;    /* part of an IPv4 datagram's identity; 0 for IPv6, where fragments may differ in it */
    uint32_t id;
    int64_t started_ns;
    uint64_t serial;     /* which came first */
    uint32_t total_len;  /* of the payload; 0 until the last fragment has come */
    uint32_t end_max;    /* of any fragment so far */
    uint32_t blocks_here;
    uint32_t header_len; /* 0 until the first fragment has come */
    uint8_t have[BLOCKS_MAX / 8];
    uint8_t *buffer;     /* PKT_REASSEMBLY_HEADER_MAX + DATA_LEN_MAX octets, kept from one datagram to the next */
};

struct pkt_reassembler {
    struct datagram datagrams[PKT_REASSEMBLIES_MAX];
    uint64_t serial;
};

struct pkt_reassembler *pkt_reassembler_new(void)
{
    return calloc(1, sizeof(struct pkt_reassembler));
}

void pkt_reassembler_free(struct pkt_reassembler *reassembler)
{
    if (reassembler == NULL)
        return;
    for (unsigned i = 0; i < PKT_REASSEMBLIES_MAX; i++)
        free(reassembler->datagrams[i].buffer);
    free(reassembler);
}

static uint8_t *data_of(const struct datagram *d)
{
    return d->buffer + PKT_REASSEMBLY_HEADER_MAX;
}

/* ---- finding the datagram ----------------------------------------------------------------------------------------- */

static uint8_t identity_protocol(const struct pkt_ip *ip)
{
    return ip->version == 4 ? ip->protocol : 0;
}

static bool belongs(const struct datagram *d, const struct pkt_ip *ip)
{
    return d->in_use && d->id == ip->id && d->protocol == identity_protocol(ip) && pkt_addr_equal(&d->src, &ip->src) &&
           pkt_addr_equal(&d->dst, &ip->dst);
}

static void expire(struct pkt_reassembler *r, int64_t now_ns)
{
    for (unsigned i = 0; i < PKT_REASSEMBLIES_MAX; i++) {
        if (r->datagrams[i].in_use && now_ns - r->datagrams[i].started_ns >= LIFETIME_NS)
            r->datagrams[i].in_use = false;
    }
}

/* A free place, or the oldest one's. */
static struct datagram *place_for_another(struct pkt_reassembler *r)
{
    struct datagram *best = &r->datagrams[0];

    for (unsigned i = 0; i < PKT_REASSEMBLIES_MAX; i++) {
        struct datagram *d = &r->datagrams[i];
        if (!d->in_use)
            return d;
        if (d->serial < best->serial)
            best = d;
    }
    return best;
}

/* NULL: out of memory. */
static struct datagram *find_or_begin(struct pkt_reassembler *r, const struct pkt_ip *ip, int64_t now_ns)
{
    struct datagram *d;
    uint8_t *buffer;

    for (unsigned i = 0; i < PKT_REASSEMBLIES_MAX; i++) {
        if (belongs(&r->datagrams[i], ip))
            return &r->datagrams[i];
    }
    d = place_for_another(r);
    buffer = d->buffer != NULL ? d->buffer : malloc(PKT_REASSEMBLY_HEADER_MAX + DATA_LEN_MAX);
    if (buffer == NULL)
        return NULL;
    *d = (struct datagram){
        .in_use = true, .src = ip->src, .dst = ip->dst, .protocol = identity_protocol(ip), .id = ip->id,
        .started_ns = now_ns, .serial = r->serial++, .buffer = buffer,
    };
    return d;
}

/* ---- adding a fragment -------------------------------------------------------------------------------------------- */

static bool have_block(const struct datagram *d, uint32_t block)
{
    return d->have[block / 8] >> block % 8 & 1;
}

/* Puts one block, or compares it with what is there already. False: it differs. */
static bool put_block(struct datagram *d, uint32_t offset, const uint8_t *bytes, uint32_t len)
{
    uint32_t block = offset / BLOCK_LEN;

    if (have_block(d, block))
        return memcmp(data_of(d) + offset, bytes, len) == 0;
    memcpy(data_of(d) + offset, bytes, len);
    d->have[block / 8] = (uint8_t)(d->have[block / 8] | 1u << block % 8);
    d->blocks_here++;
    return true;
}

/* False: the fragment contradicts what came before. */
static bool put_data(struct datagram *d, const struct packet *f)
{
    uint32_t offset = f->ip.fragment_offset, end = offset + f->payload_len;

    if (!f->ip.more_fragments) {
        if (d->total_len != 0 && d->total_len != end)
            return false;
        d->total_len = end;
    }
    if (end > d->end_max)
        d->end_max = end;
    if (d->total_len != 0 && d->end_max > d->total_len)
        return false;
    for (uint32_t at = 0; at < f->payload_len; at += BLOCK_LEN) {
        if (!put_block(d, offset + at, f->payload + at, wire_min(BLOCK_LEN, f->payload_len - at)))
            return false;
    }
    return true;
}

/* Where the fragment's own headers end: before the fragment header in IPv6. */
static uint32_t own_header_len(const struct packet *f, struct ip6_chain *chain)
{
    if (f->ip.version == 4)
        return f->ip.header_len;
    ip6_walk(f->bytes, wire_min(f->ip.total_len, (uint32_t)f->len), chain);
    return chain->fragment_at;
}

/* Keeps the first fragment's headers, as they will stand before the whole, but for the lengths. */
static void put_headers(struct datagram *d, const struct packet *f)
{
    struct ip6_chain chain = { 0 };

    if (f->ip.fragment_offset != 0 || d->header_len != 0)
        return;
    d->header_len = own_header_len(f, &chain);
    memcpy(d->buffer, f->bytes, d->header_len);
    if (f->ip.version == 4)
        wire_put16(d->buffer + 6, wire_get16(f->bytes + 6) & 0xc000); /* the reserved bit and "don't fragment" stay */
    else
        d->buffer[chain.fragment_next_at] = f->ip.protocol;
}

static bool is_acceptable(const struct packet *f)
{
    struct ip6_chain chain;

    if (f->kind != PKT_KIND_FRAGMENT || !f->ip.checksum_ok || f->payload_len == 0)
        return false;
    if (f->ip.more_fragments && f->payload_len % BLOCK_LEN != 0)
        return false;
    return f->ip.fragment_offset + f->payload_len <= IP_UPPER_LEN_MAX && own_header_len(f, &chain) <= PKT_REASSEMBLY_HEADER_MAX;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static bool is_complete(const struct datagram *d)
{
    return d->total_len != 0 && d->header_len != 0 && d->blocks_here == (d->total_len + BLOCK_LEN - 1) / BLOCK_LEN;
}

/* Moves the headers up to the payload and mends their lengths. False: the whole would be too long for its own length field. */
static bool finish(struct datagram *d, const uint8_t **whole, size_t *whole_len)
{
    uint8_t *start = data_of(d) - d->header_len;
    uint32_t stated_len = d->total_len + d->header_len - (d->src.version == 4 ? 0 : IP6_HEADER_LEN);

    d->in_use = false;
    if (stated_len > UINT16_MAX)
        return false;
    memmove(start, d->buffer, d->header_len);
    if (d->src.version == 4) {
        wire_put16(start + 2, (uint16_t)stated_len);
        wire_put16(start + 10, 0);
        wire_put16(start + 10, pkt_checksum(start, d->header_len));
    } else {
        wire_put16(start + 4, (uint16_t)stated_len);
    }
    *whole = start;
    *whole_len = d->header_len + d->total_len;
    return true;
}

bool pkt_reassemble(struct pkt_reassembler *reassembler, const struct packet *fragment, int64_t now_ns, const uint8_t **whole,
                    size_t *whole_len)
{
    struct datagram *d;

    if (!is_acceptable(fragment))
        return false;
    expire(reassembler, now_ns);
    d = find_or_begin(reassembler, &fragment->ip, now_ns);
    if (d == NULL || d->spoiled)
        return false;
    if (!put_data(d, fragment)) {
        d->spoiled = true;
        return false;
    }
    put_headers(d, fragment);
    return is_complete(d) && finish(d, whole, whole_len);
}

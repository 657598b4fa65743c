/* The differences between tshark's reading and ours that are no faults of either: a list, each with its reason and the test for it.
 */
#include "engine/packet/test/differences.h"

#include <assert.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool other_protocol(const struct reading *r)
{
    const struct packet *p = &r->layers[r->depth - 1].upper;

    return p->kind == PKT_KIND_IP_ONLY && r->layers[r->depth - 1].error == PKT_OK;
}

static bool extension_in_wrong_place(const struct reading *r)
{
    return r->layers[r->depth - 1].error == PKT_ERR_IP_EXTENSION;
}

static size_t extension_len(uint8_t kind, const uint8_t *header)
{
    return kind == 44 ? 8 : kind == 51 ? (header[1] + 2u) * 4 : (header[1] + 1u) * 8;
}

/* How many of the packet's extension headers are such? */
static unsigned count_extensions(const struct reading *r, bool (*is_such)(uint8_t kind, const uint8_t *header, size_t len))
{
    const struct packet *p = &r->layers[r->depth - 1].upper;
    unsigned count = 0;
    uint8_t kind;

    if (p->ip.version != 6 || p->ip.header_len <= 40)
        return 0;
    kind = p->bytes[6];
    for (size_t at = 40, len; at < p->ip.header_len; kind = p->bytes[at], at += len) {
        len = extension_len(kind, p->bytes + at);
        count += is_such(kind, p->bytes + at, len);
    }
    return count;
}

/* Do the options of a hop-by-hop or destination options header run past its end? */
static bool options_overrun(uint8_t kind, const uint8_t *header, size_t len)
{
    size_t at = 2;

    if (kind != 0 && kind != 60)
        return false;
    while (at < len)
        at += header[at] == 0 ? 1 : at + 1 < len ? 2u + header[at + 1] : len;
    return at > len;
}

static bool malformed_extension_options(const struct reading *r)
{
    return count_extensions(r, options_overrun) > 0;
}

static bool is_assigned_route(uint8_t kind, const uint8_t *header, size_t len)
{
    (void)len;
    return kind == 43 && header[2] != 0 && header[2] < 253;
}

static bool assigned_route(const struct reading *r)
{
    return count_extensions(r, is_assigned_route) > 0;
}

static bool is_fragment_header(uint8_t kind, const uint8_t *header, size_t len)
{
    (void)header;
    (void)len;
    return kind == 44;
}

static bool two_fragment_headers(const struct reading *r)
{
    return count_extensions(r, is_fragment_header) > 1;
}

static bool ip4_options(const struct reading *r)
{
    const struct packet *p = &r->layers[r->depth - 1].packet;

    for (size_t i = 20; p->ip.version == 4 && i < p->ip.header_len && i < p->len; i++) {
        if (p->bytes[i] != 1)
            return true;
    }
    return false;
}

/* A SACK without whole blocks, or an option that tshark looks into and ours never fit: quick start, partial order, SCPS, MPTCP,
 * Riverbed … */
static bool ill_fitting_option(const struct reading *r)
{
    static const uint8_t looked_into[] = { 6, 7, 9, 10, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 23, 27, 29, 30, 69, 70, 76, 78 };
    struct option_area area = option_area(&r->layers[r->depth - 1]);
    struct pkt_option o;
    uint8_t cursor = 0;

    while (pkt_option_next(area.options, area.len, &cursor, &o) == PKT_OPTION_OK) {
        if ((o.kind == PKT_OPT_SACK && (o.len % 8 != 2 || o.len == 2)) || memchr(looked_into, o.kind, sizeof looked_into) != NULL)
            return true;
    }
    return false;
}

static bool stated_quotation_length(const struct reading *r)
{
    uint32_t rest = r->layers[0].upper.icmp.rest;

    return r->depth == 2 && (r->layers[0].packet.ip.version == 4 ? rest >> 16 & 0xff : rest >> 24) != 0;
}

static bool cut_ip4_options(const struct reading *r)
{
    const struct packet *p = &r->layers[r->depth - 1].packet;

    return p->ip.version == 4 && p->len >= 20 && p->len < p->ip.header_len;
}

static bool quotes_other_version(const struct reading *r)
{
    return r->depth == 2 && r->layers[0].packet.ip.version != r->layers[1].packet.ip.version;
}

static bool redirect(const struct reading *r)
{
    return r->depth == 2 && r->layers[0].packet.ip.version == 4 && r->layers[0].upper.icmp.type == 5;
}

static bool looks_like_ppp(const struct reading *r)
{
    const struct packet *p = &r->layers[0].packet;

    return (p->len > 2 && p->bytes[1] == 0xff && p->bytes[2] == 0x03) || (p->len > 7 && p->bytes[6] == 0xff && p->bytes[7] == 0x03);
}

static const struct difference {
    const char *reason;
    bool (*applies)(const struct reading *r);
    enum comparison comparison;
    bool rare; /* may not occur at all */
} differences[] = {
    { "octets 1 and 2, or 6 and 7, are ff 03: without a link header, tshark takes that for PPP", looks_like_ppp, THEIRS_BEGINS_OURS, true },
    { "the IPv4 header ends within its options: tshark looks for a source route there before it shows the destination", cut_ip4_options,
      THEIRS_BEGINS_OURS, false },
    { "IPv4 options other than padding: tshark reads them, and may stop there", ip4_options, EITHER_BEGINS, true },
    { "a routing header of an assigned type: tshark reads what is in it, and may stop there", assigned_route, EITHER_BEGINS, true },
    { "two fragment headers: we say what the last one says, tshark what each says", two_fragment_headers, OURS_ENDS_THEIRS, true },
    { "an ICMP error quotes the other IP version: tshark does not read it", quotes_other_version, THEIRS_BEGINS_OURS, true },
    { "the options of an extension header run past its end: we do not read them, tshark may stop there", malformed_extension_options,
      EITHER_BEGINS, false },
    { "a protocol that is neither TCP nor ICMP: a payload to us, dissected by tshark, packets in tunnels too", other_protocol, OURS_BEGINS_THEIRS, false },
    { "an extension header is cut, or hop-by-hop options are not first (RFC 8200 §4.1): an error to us, tshark reads on", extension_in_wrong_place,
      OURS_BEGINS_THEIRS, false },
    { "an option of a length that is not its kind's: we step over it, tshark stops", ill_fitting_option, THEIRS_BEGINS_OURS, false },
    { "an ICMP redirect: tshark reads no more than the eight octets that RFC 792 promises, we read what is there", redirect, THEIRS_BEGINS_OURS,
      false },
    { "RFC 4884 length in an ICMP error: tshark reads no more of the quotation than that, we read what is there", stated_quotation_length,
      THEIRS_BEGINS_OURS, false },
};

static bool is_route_with_stops(uint8_t kind, const uint8_t *header, size_t len)
{
    (void)len;
    return kind == 43 && header[3] != 0;
}

bool sums_other_octets(const struct reading *reading)
{
    return count_extensions(reading, is_route_with_stops) > 0 || stated_quotation_length(reading);
}

static_assert(COUNT(differences) == DIFFERENCES, "as many as the header says");

const char *difference_reason(unsigned difference)
{
    return differences[difference].reason;
}

bool difference_is_rare(unsigned difference)
{
    return differences[difference].rare;
}

enum comparison how_to_compare(const struct reading *reading, unsigned uses[static DIFFERENCES])
{
    for (size_t i = 0; i < COUNT(differences); i++) {
        if (differences[i].applies(reading)) {
            uses[i]++;
            return differences[i].comparison;
        }
    }
    return EQUAL;
}

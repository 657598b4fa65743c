/* Reads a packet and what it quotes, the way the comparison with tshark needs them. */
#include "engine/packet/test/reading.h"

#include <string.h>

static bool is_icmp_error(const struct packet *p)
{
    static const uint8_t errors4[] = { 3, 4, 5, 11, 12 };
    uint8_t type = p->icmp.type;

    if (p->kind != PKT_KIND_ICMP)
        return false;
    return p->ip.version == 4 ? memchr(errors4, type, sizeof errors4) != NULL : type >= 1 && type <= 4;
}

/* Clears "more fragments" in a copy, and reads that. */
static void read_beginning(struct layer *l)
{
    const struct packet *p = &l->packet;
    size_t flags_at = p->ip.version == 4 ? 6 : p->ip.header_len - 5u; /* of the fragment header: octet 3 of its 8 */

    memcpy(l->beginning, p->bytes, p->len);
    l->beginning[flags_at] &= p->ip.version == 4 ? 0xdf : 0xfe;
    pkt_parse_quoted(l->beginning, p->len, &l->upper);
}

/* A packet that ends before its stated length is no packet to us; read as a quotation it has the fields that are there. */
static void read_one(const uint8_t *bytes, size_t len, bool quoted, struct reading *out)
{
    struct layer *l = &out->layers[out->depth++];

    l->quoted = quoted;
    l->error = quoted ? pkt_parse_quoted(bytes, len, &l->packet) : pkt_parse(bytes, len, &l->packet);
    if (!quoted && l->error == PKT_ERR_IP_TOTAL_LEN)
        l->error = pkt_parse_quoted(bytes, len, &l->packet);
    l->cut = l->packet.ip.total_len > len;
    l->upper = l->packet;
    if (l->packet.kind == PKT_KIND_FRAGMENT && l->packet.ip.fragment_offset == 0)
        read_beginning(l);
}

void read_layers(const uint8_t *bytes, size_t len, struct reading *out)
{
    out->depth = 0;
    read_one(bytes, len, false, out);
    if (is_icmp_error(&out->layers[0].upper))
        read_one(out->layers[0].upper.icmp.body, out->layers[0].upper.icmp.body_len, true, out);
}

struct option_area option_area(const struct layer *layer)
{
    const struct packet *p = &layer->upper;
    struct option_area area = { p->tcp.options, p->tcp.options_len, 0 };
    unsigned header_len = p->tcp.data_offset * 4u;

    if (p->kind == PKT_KIND_UNPARSED || p->kind == PKT_KIND_FRAGMENT || p->ip.protocol != PKT_PROTO_TCP || p->payload_len < 20 ||
        p->tcp.data_offset < 5)
        return (struct option_area){ 0 };
    area.stated_len = (uint8_t)(header_len - 20);
    if (p->kind != PKT_KIND_TCP) {
        area.options = p->payload + 20;
        area.len = (uint8_t)((header_len < p->payload_len ? header_len : p->payload_len) - 20);
    }
    return area;
}

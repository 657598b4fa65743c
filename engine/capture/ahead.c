/* Looking ahead: the processor is told what the next segments will need.
 *
 * Of thousands of connections, none is in the processor's cache when its segment comes, and judging it would wait for main memory
 * again and again: for the hash table, for the pair, for its judges. But the frames that come next are in the reader's
 * hands already. So two frames ahead, the pair's place in the table is fetched, and one frame ahead the pair and its judges. That
 * changes nothing of what is judged; what cannot be told at a glance is not fetched. */
#include "engine/capture/within.h"
#include "engine/packet/wire.h"

#include <string.h>

/* Of an ordinary TCP segment, which most packets are. */
static bool read_endpoints(const uint8_t *at, size_t len, struct pkt_endpoint *src, struct pkt_endpoint *dst)
{
    const bool is_ip4 = len >= 24 && at[0] == 0x45 && at[9] == PKT_PROTO_TCP;
    const bool is_ip6 = len >= 44 && at[0] >> 4 == 6 && at[6] == PKT_PROTO_TCP;
    if (!is_ip4 && !is_ip6)
        return false;
    const size_t address_len = is_ip4 ? 4 : 16, addresses = is_ip4 ? 12 : 8, ports = addresses + 2 * address_len;
    *src = (struct pkt_endpoint){ { is_ip4 ? 4 : 6, { 0 } }, wire_get16(at + ports) };
    *dst = (struct pkt_endpoint){ { is_ip4 ? 4 : 6, { 0 } }, wire_get16(at + ports + 2) };
    memcpy(src->addr.bytes, at + addresses, address_len);
    memcpy(dst->addr.bytes, at + addresses + address_len, address_len);
    return true;
}

static void expect(struct inspection *in, const struct capture_frame *frame)
{
    struct link_packet link;
    struct pkt_endpoint src, dst;
    if (in->expecting)
        pairs_prepare(in->pairs, in->expected);
    in->expecting = link_unwrap(in->config.link, frame->bytes, frame->len, frame->wire_len, &link) == LINK_IP &&
                    read_endpoints(link.bytes, link.len, &src, &dst);
    if (in->expecting)
        in->expected = pairs_expect(in->pairs, &src, &dst);
}

enum capture_next inspection_read(struct inspection *in, struct capture_reader *reader)
{
    struct capture_frame frame, coming;
    const enum capture_next next = capture_read(reader, &frame);
    if (next != CAPTURE_FRAME)
        return next;
    while (capture_look_ahead(reader, &coming))
        expect(in, &coming);
    inspection_frame(in, &frame);
    return CAPTURE_FRAME;
}

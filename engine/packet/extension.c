/* Walks the chain of IPv6 extension headers (RFC 8200 §4). */
#include "engine/packet/extension.h"

#include "engine/packet/wire.h"

#include <string.h>

static bool is_extension(uint8_t kind)
{
    switch (kind) {
    case IP6_HOP_BY_HOP:
    case IP6_ROUTING:
    case IP6_FRAGMENT:
    case IP6_AUTH:
    case IP6_DEST_OPTIONS:
    case IP6_MOBILITY:
    case IP6_HIP:
    case IP6_SHIM6:
        return true;
    default:
        return false;
    }
}

/* The length of the extension header that starts at `at` with `room` octets there; 0 when it runs past them. */
static uint32_t extension_len(uint8_t kind, const uint8_t *at, uint32_t room)
{
    uint32_t len;

    if (room < IP6_EXTENSION_LEN_MIN)
        return 0;
    if (kind == IP6_FRAGMENT)
        len = IP6_FRAGMENT_HEADER_LEN;
    else if (kind == IP6_AUTH)
        len = (at[1] + 2u) * 4; /* in units of its own: RFC 4302 §2.2 */
    else
        len = (at[1] + 1u) * 8;
    return len <= room ? len : 0;
}

static void note_fragment(const uint8_t *at, uint32_t offset, uint32_t next_at, struct ip6_chain *out)
{
    uint16_t field = wire_get16(at + 2);

    out->has_fragment_header = true;
    out->fragment_at = offset;
    out->fragment_next_at = next_at;
    out->fragment_offset = field & 0xfff8u;
    out->more_fragments = field & 1;
    out->fragment_id = wire_get32(at + 4);
}

enum pkt_error ip6_walk(const uint8_t *bytes, uint32_t len, struct ip6_chain *out)
{
    uint32_t next_at = 6;

    memset(out, 0, sizeof *out);
    out->end = out->per_hop_end = IP6_HEADER_LEN;
    out->per_hop_next_at = next_at;
    for (out->protocol = bytes[next_at]; is_extension(out->protocol); out->protocol = bytes[next_at]) {
        const uint8_t *at = bytes + out->end;
        uint32_t header_len = extension_len(out->protocol, at, len - out->end);

        if (header_len == 0 || out->end + header_len > UINT16_MAX || (out->protocol == IP6_HOP_BY_HOP && next_at != 6))
            return PKT_ERR_IP_EXTENSION;
        if (out->protocol == IP6_FRAGMENT)
            note_fragment(at, out->end, next_at, out);
        next_at = out->end;
        out->end += header_len;
        if (out->protocol == IP6_HOP_BY_HOP || out->protocol == IP6_ROUTING) {
            out->per_hop_end = out->end;
            out->per_hop_next_at = next_at;
        }
        if (out->protocol == IP6_FRAGMENT && (out->more_fragments || out->fragment_offset != 0)) {
            out->protocol = bytes[next_at];
            break;
        }
    }
    return PKT_OK;
}

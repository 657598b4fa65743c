/* Unwraps captured frames.
 *
 * Theory of operation. Each link type has a row in a table: how long its header is at least, and a function that reads it and says
 * which protocol follows at which offset; what follows is found out by one function more (VLAN tags, PPPoE), since tags may stand
 * behind any header that has an ethertype. Formats: www.tcpdump.org/linktypes.html, IEEE 802.1Q, RFC 1661, RFC 2516. */
#include "engine/capture/link.h"

#include <pcap/pcap.h>
#include <string.h>

enum {
    TYPE_IP4 = 0x0800, TYPE_IP6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_VLAN_SERVICE = 0x88a8, TYPE_VLAN_OLD = 0x9100,
    TYPE_PPPOE_SESSION = 0x8864,
    PPP_IP4 = 0x0021, PPP_IP6 = 0x0057,
    TAGS_MAX = 8,
};

struct cursor { /* reading a frame from its front */
    const uint8_t *frame;
    size_t len, at;
    uint64_t origin;
};

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* Octets into one number that is hardly ever equal for different ones (FNV-1a), and never 0. */
static uint64_t mix(uint64_t origin, const uint8_t *bytes, size_t len)
{
    uint64_t hash = origin ? origin : UINT64_C(14695981039346656037);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash ? hash : 1;
}

/* ---- what follows a header ------------------------------------------------------------------------------------------ */

static enum link_content ppp(struct cursor *c)
{
    if (c->len >= c->at + 2 && c->frame[c->at] == 0xff && c->frame[c->at + 1] == 0x03)
        c->at += 2; /* address and control, unless they are compressed away (RFC 1661 §6.6) */
    if (c->len < c->at + 2)
        return LINK_CUT;
    const bool compressed = c->frame[c->at] & 1; /* §6.5 */
    const uint16_t protocol = compressed ? c->frame[c->at] : get16(c->frame + c->at);
    c->at += compressed ? 1 : 2;
    return protocol == PPP_IP4 || protocol == PPP_IP6 ? LINK_IP : LINK_OTHER;
}

static enum link_content pppoe(struct cursor *c)
{
    c->at += 6;
    return c->len < c->at ? LINK_CUT : ppp(c);
}

static enum link_content ethertype(struct cursor *c, uint16_t type)
{
    for (unsigned tags = 0; type == TYPE_VLAN || type == TYPE_VLAN_SERVICE || type == TYPE_VLAN_OLD; tags++) {
        if (c->len < c->at + 4)
            return LINK_CUT;
        if (tags == TAGS_MAX)
            return LINK_OTHER;
        c->origin = mix(c->origin, c->frame + c->at, 2);
        type = get16(c->frame + c->at + 2);
        c->at += 4;
    }
    if (type == TYPE_PPPOE_SESSION)
        return pppoe(c);
    return type == TYPE_IP4 || type == TYPE_IP6 ? LINK_IP : LINK_OTHER;
}

/* ---- the headers ---------------------------------------------------------------------------------------------------- */

static enum link_content ethernet(struct cursor *c)
{
    c->origin = mix(0, c->frame, 12);
    c->at = 14;
    return ethertype(c, get16(c->frame + 12));
}

static enum link_content raw(struct cursor *c)
{
    const uint8_t version = c->frame[0] >> 4;
    return version == 4 || version == 6 ? LINK_IP : LINK_OTHER;
}

/* Linux "cooked": which way, hardware type, address, protocol. */
static enum link_content cooked(struct cursor *c)
{
    c->origin = mix(0, c->frame, 14);
    c->at = 16;
    return ethertype(c, get16(c->frame + 14));
}

/* Version 2 begins with the protocol, and names the interface. */
static enum link_content cooked_2(struct cursor *c)
{
    c->origin = mix(0, c->frame + 4, 7); /* interface, hardware type, which way */
    c->at = 20;
    return ethertype(c, get16(c->frame));
}

/* BSD's loopback: the address family, in the byte order of the host that captured, or (LOOP) in network order. */
static enum link_content loopback(struct cursor *c)
{
    uint32_t family = get32(c->frame);
    if (family > 0xffff)
        family = family >> 24 | (family >> 8 & 0xff00);
    c->at = 4;
    switch (family) {
    case 2: return LINK_IP;                              /* everywhere */
    case 10: case 23: case 24: case 28: case 30: return LINK_IP; /* IPv6: Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS */
    default: return LINK_OTHER;
    }
}

static const struct layer {
    int type;
    size_t header_len;
    enum link_content (*read)(struct cursor *c);
    const char *name;
} layers[] = {
    { DLT_EN10MB, 14, ethernet, "Ethernet" },
    { DLT_RAW, 1, raw, "raw IP" },
    { 14, 1, raw, "raw IP" }, /* DLT_RAW of OpenBSD, which is what the number in the file may be */
    { 101, 1, raw, "raw IP" }, /* LINKTYPE_RAW, should it come untranslated */
    { DLT_IPV4, 1, raw, "raw IPv4" },
    { DLT_IPV6, 1, raw, "raw IPv6" },
    { DLT_LINUX_SLL, 16, cooked, "Linux cooked" },
    { DLT_LINUX_SLL2, 20, cooked_2, "Linux cooked v2" },
    { DLT_NULL, 4, loopback, "BSD loopback" },
    { DLT_LOOP, 4, loopback, "OpenBSD loopback" },
    { DLT_PPP, 1, ppp, "PPP" },
    { DLT_PPP_SERIAL, 1, ppp, "PPP" },
    { DLT_PPP_ETHER, 6, pppoe, "PPPoE" },
};

static const struct layer *find(int type)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (layers[i].type == type)
            return &layers[i];
    return NULL;
}

bool link_is_known(int type)
{
    return find(type) != NULL;
}

const char *link_name(int type)
{
    const struct layer *layer = find(type);
    return layer ? layer->name : "unknown";
}

enum link_content link_unwrap(int type, const uint8_t *frame, size_t len, size_t wire_len, struct link_packet *out)
{
    const struct layer *layer = find(type);
    struct cursor cursor = { .frame = frame, .len = len };
    *out = (struct link_packet){ 0 };
    if (!layer)
        return LINK_OTHER;
    if (len < layer->header_len)
        return LINK_CUT;
    const enum link_content content = layer->read(&cursor);
    if (content != LINK_IP)
        return content;
    *out = (struct link_packet){ frame + cursor.at, len - cursor.at, (wire_len > len ? wire_len : len) - cursor.at, cursor.origin };
    return out->len > 0 ? LINK_IP : LINK_CUT;
}

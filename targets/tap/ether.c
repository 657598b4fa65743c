/* One station on an Ethernet link: ARP (RFC 826), neighbour discovery (RFC 4861), wrapping and unwrapping of IP packets.
 *
 * Theory of operation. Frames and packets are put in by ether_wrap() and ether_unwrap(); frames to be written come back from the
 * former, when it can answer at once, and otherwise from ether_next(). Three bounded stores lie in between:
 *   replies     ready frames (an ARP reply or an advertisement has under 96 octets);
 *   neighbours  who is where: ASKED while solicitations are out, KNOWN afterwards. Learned from ARP and ND as their RFCs say, and
 * from any packet addressed to us: a server then answers by the way the question came, through routers too; held        packets
 * whose neighbour is ASKED, in order. They leave when it becomes KNOWN, and are dropped when it is given up. A neighbour is looked
 * for on the link itself: there is no routing table. An entry never expires, for a link under test has no station that moves; a
 * newer message from the neighbour replaces it.
 *
 * Left out: ND redirects, router discovery, unreachability detection, duplicate address detection of our own. */
#include "targets/tap/ether.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY_BYTES_MAX = 96 };

enum neighbour_state { FREE, ASKED, KNOWN };

struct neighbour {
    enum neighbour_state state;
    struct pkt_addr addr;
    struct pkt_addr asker;    /* ASKED: our address that asks */
    struct eth_addr mac;      /* KNOWN */
    unsigned solicitations;   /* ASKED: sent so far */
    int64_t next_ns;          /* ASKED: when the next one, or giving up, is due */
    uint64_t last_use;        /* in uses of the table */
};

struct held {
    struct held *next;
    struct pkt_addr neighbour;
    size_t len;
    uint8_t packet[];
};

struct reply {
    size_t len;
    uint8_t bytes[REPLY_BYTES_MAX];
};

struct ether {
    struct ether_config config;
    struct ether_counters counters;
    bool peer_known[2];       /* of IPv4 and IPv6: everything goes to … */
    struct eth_addr peer[2];
    struct neighbour neighbours[ETHER_NEIGHBOURS_MAX];
    uint64_t uses;
    struct held *held_first, **held_end;
    unsigned held_count;
    struct reply replies[ETHER_REPLIES_MAX]; /* a ring */
    unsigned reply_first, reply_count;
};

static const struct eth_addr BROADCAST_MAC = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

struct ether *ether_new(const struct ether_config *config)
{
    assert(config->range_count <= ETHER_RANGES_MAX);
    struct ether *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->config = *config;
    e->peer_known[0] = e->peer_known[1] = config->peer_known;
    e->peer[0] = e->peer[1] = config->peer_mac;
    e->held_end = &e->held_first;
    return e;
}

void ether_free(struct ether *e)
{
    while (e && e->held_first) {
        struct held *next = e->held_first->next;
        free(e->held_first);
        e->held_first = next;
    }
    free(e);
}

struct ether_counters ether_counters(const struct ether *e)
{
    return e->counters;
}

/* ---- addresses ------------------------------------------------------------------------------------------------- */

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool ether_range_holds(const struct ether_range *range, const struct pkt_addr *addr)
{
    if (addr->version != range->first.version)
        return false;
    size_t prefix = addr->version == 6 ? 12 : 0;
    return memcmp(addr->bytes, range->first.bytes, prefix) == 0
        && read_u32(addr->bytes + prefix) - read_u32(range->first.bytes + prefix) < range->count;
}

static bool ours(const struct ether *e, const struct pkt_addr *addr)
{
    for (unsigned i = 0; i < e->config.range_count; i++)
        if (ether_range_holds(&e->config.ranges[i], addr))
            return true;
    return false;
}

static bool is_unspecified(const struct pkt_addr *addr)
{
    static const uint8_t zeros[16];
    return memcmp(addr->bytes, zeros, sizeof zeros) == 0;
}

static bool is_multicast(const struct pkt_addr *addr)
{
    return addr->version == 6 ? addr->bytes[0] == 0xff : (addr->bytes[0] & 0xf0) == 0xe0;
}

static bool is_broadcast(const struct ether *e, const struct pkt_addr *addr)
{
    const struct pkt_addr limited = { .version = 4, .bytes = { 255, 255, 255, 255 } };
    return pkt_addr_equal(addr, &limited) || (e->config.broadcast.version && pkt_addr_equal(addr, &e->config.broadcast));
}

/* Source and destination as far as the packet has them; version 0 when it is too short, or of neither version. */
static void read_addresses(const uint8_t *packet, size_t len, struct pkt_addr *src, struct pkt_addr *dst)
{
    *src = *dst = (struct pkt_addr){ 0 };
    uint8_t version = len ? packet[0] >> 4 : 0;
    if (version == 4 && len >= 20) {
        src->version = dst->version = 4;
        memcpy(src->bytes, packet + 12, 4);
        memcpy(dst->bytes, packet + 16, 4);
    } else if (version == 6 && len >= 40) {
        src->version = dst->version = 6;
        memcpy(src->bytes, packet + 8, 16);
        memcpy(dst->bytes, packet + 24, 16);
    }
}

/* ---- neighbours ------------------------------------------------------------------------------------------------ */

static struct neighbour *find(struct ether *e, const struct pkt_addr *addr)
{
    for (struct neighbour *n = e->neighbours; n < e->neighbours + ETHER_NEIGHBOURS_MAX; n++) {
        if (n->state != FREE && pkt_addr_equal(&n->addr, addr)) {
            n->last_use = ++e->uses;
            return n;
        }
    }
    return NULL;
}

static struct held *take_held(struct ether *e, struct held **link)
{
    struct held *held = *link;
    *link = held->next;
    if (!*link)
        e->held_end = link;
    e->held_count--;
    return held;
}

static void give_up(struct ether *e, struct neighbour *n)
{
    for (struct held **link = &e->held_first; *link;) {
        if (!pkt_addr_equal(&(*link)->neighbour, &n->addr)) {
            link = &(*link)->next;
            continue;
        }
        free(take_held(e, link));
        e->counters.unresolved++;
    }
    *n = (struct neighbour){ .state = FREE };
}

static struct neighbour *add(struct ether *e, const struct pkt_addr *addr)
{
    struct neighbour *oldest = e->neighbours;
    for (struct neighbour *n = e->neighbours; n < e->neighbours + ETHER_NEIGHBOURS_MAX && oldest->state != FREE; n++)
        if (n->state == FREE || n->last_use < oldest->last_use)
            oldest = n;
    if (oldest->state != FREE)
        give_up(e, oldest);
    *oldest = (struct neighbour){ .addr = *addr, .last_use = ++e->uses };
    return oldest;
}

/* What neighbour says of itself; may_add: also when we have not asked. */
static void learn(struct ether *e, const struct pkt_addr *addr, const struct eth_addr *mac, bool may_add)
{
    if (e->peer_known[addr->version == 6] || (mac->bytes[0] & 1) || is_unspecified(addr) || is_multicast(addr) || ours(e, addr))
        return;
    struct neighbour *n = find(e, addr);
    if (!n && may_add)
        n = add(e, addr);
    if (!n)
        return;
    n->state = KNOWN;
    n->mac = *mac;
}

/* ---- frames out ------------------------------------------------------------------------------------------------ */

static ssize_t frame_packet(const struct ether *e, const struct eth_addr *dst, const uint8_t *packet, size_t len, uint8_t *out,
                            size_t capacity)
{
    const struct eth_frame frame = {
        .dst = *dst, .src = e->config.mac, .type = len && packet[0] >> 4 == 6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4,
        .payload = packet, .payload_len = len,
    };
    ssize_t built = eth_build(&frame, out, capacity);
    return built < 0 ? -EMSGSIZE : built;
}

static void reply_with(struct ether *e, const struct eth_addr *dst, uint16_t type, const uint8_t *payload, ssize_t len)
{
    assert(len > 0 && len + ETH_HEADER_LEN <= REPLY_BYTES_MAX);
    if (e->reply_count == ETHER_REPLIES_MAX) {
        e->counters.overflowed++;
        return;
    }
    struct reply *reply = &e->replies[(e->reply_first + e->reply_count++) % ETHER_REPLIES_MAX];
    const struct eth_frame frame = { .dst = *dst, .src = e->config.mac, .type = type, .payload = payload, .payload_len = (size_t)len };
    ssize_t built = eth_build(&frame, reply->bytes, sizeof reply->bytes);
    assert(built > 0);
    reply->len = (size_t)built;
}

static void send_arp(struct ether *e, enum arp_operation operation, const struct pkt_addr *sender, const struct pkt_addr *target,
                     const struct eth_addr *target_mac, const struct eth_addr *dst)
{
    const struct arp_packet arp = {
        .operation = (uint16_t)operation, .sender_mac = e->config.mac, .sender_ip = *sender, .target_mac = *target_mac, .target_ip = *target,
    };
    uint8_t payload[REPLY_BYTES_MAX];
    reply_with(e, dst, ETH_TYPE_ARP, payload, arp_build(&arp, payload, sizeof payload - ETH_HEADER_LEN));
}

static void send_nd(struct ether *e, struct nd_message *message, const struct eth_addr *dst)
{
    message->has_link_address = true;
    message->link_address = e->config.mac;
    uint8_t payload[REPLY_BYTES_MAX];
    reply_with(e, dst, ETH_TYPE_IPV6, payload, nd_build(message, payload, sizeof payload - ETH_HEADER_LEN));
}

static void solicit(struct ether *e, const struct neighbour *n)
{
    if (n->addr.version == 4) {
        const struct eth_addr unknown = { { 0 } };
        send_arp(e, ARP_REQUEST, &n->asker, &n->addr, &unknown, &BROADCAST_MAC);
        return;
    }
    struct nd_message solicitation = { .src = n->asker, .dst = nd_solicited_node(&n->addr), .target = n->addr };
    const struct eth_addr group = eth_multicast(&solicitation.dst);
    send_nd(e, &solicitation, &group);
}

/* Asks, gives up, or does nothing, as it is time to. */
static void run_timers(struct ether *e, int64_t now_ns)
{
    for (struct neighbour *n = e->neighbours; n < e->neighbours + ETHER_NEIGHBOURS_MAX; n++) {
        if (n->state != ASKED || n->next_ns > now_ns)
            continue;
        if (n->solicitations == ETHER_SOLICITATIONS_MAX) {
            give_up(e, n);
            continue;
        }
        solicit(e, n);
        n->solicitations++;
        n->next_ns = now_ns + ETHER_RETRANSMIT_NS;
    }
}

int64_t ether_deadline(const struct ether *e)
{
    int64_t deadline_ns = INT64_MAX;
    for (const struct neighbour *n = e->neighbours; n < e->neighbours + ETHER_NEIGHBOURS_MAX; n++)
        if (n->state == ASKED && n->next_ns < deadline_ns)
            deadline_ns = n->next_ns;
    return deadline_ns;
}

static ssize_t next_reply(struct ether *e, uint8_t *out, size_t capacity)
{
    while (e->reply_count) {
        const struct reply *reply = &e->replies[e->reply_first];
        e->reply_first = (e->reply_first + 1) % ETHER_REPLIES_MAX;
        e->reply_count--;
        if (reply->len <= capacity) {
            memcpy(out, reply->bytes, reply->len);
            return (ssize_t)reply->len;
        }
        e->counters.overflowed++;
    }
    return 0;
}

static ssize_t next_held(struct ether *e, uint8_t *out, size_t capacity)
{
    for (struct held **link = &e->held_first; *link;) {
        const struct neighbour *n = find(e, &(*link)->neighbour);
        assert(n && "a packet is held for a neighbour in the table only");
        if (n->state != KNOWN) {
            link = &(*link)->next;
            continue;
        }
        struct held *held = take_held(e, link);
        ssize_t len = frame_packet(e, &n->mac, held->packet, held->len, out, capacity);
        free(held);
        if (len > 0)
            return len;
        e->counters.overflowed++;
    }
    return 0;
}

ssize_t ether_next(struct ether *e, int64_t now_ns, uint8_t *out, size_t capacity)
{
    run_timers(e, now_ns);
    ssize_t len = next_reply(e, out, capacity);
    return len ? len : e->held_count ? next_held(e, out, capacity) : 0;
}

/* ---- packets out ----------------------------------------------------------------------------------------------- */

/* Our address to ask with: that of the packet, or else our first of that version. */
static bool choose_asker(const struct ether *e, const struct pkt_addr *src, struct pkt_addr *out)
{
    *out = *src;
    if (ours(e, src))
        return true;
    for (unsigned i = 0; i < e->config.range_count; i++) {
        *out = e->config.ranges[i].first;
        if (out->version == src->version)
            return true;
    }
    return false;
}

static int hold(struct ether *e, const struct pkt_addr *neighbour, const uint8_t *packet, size_t len)
{
    struct held *held = e->held_count < ETHER_HELD_MAX ? malloc(sizeof *held + len) : NULL;
    if (!held) {
        e->counters.overflowed++;
        return -ENOBUFS;
    }
    *held = (struct held){ .neighbour = *neighbour, .len = len };
    memcpy(held->packet, packet, len);
    *e->held_end = held;
    e->held_end = &held->next;
    e->held_count++;
    return 0;
}

static ssize_t wrap_unicast(struct ether *e, const struct pkt_addr *src, const struct pkt_addr *dst, const uint8_t *packet,
                            size_t len, int64_t now_ns, uint8_t *out, size_t capacity)
{
    struct neighbour *n = find(e, dst);
    if (n && n->state == KNOWN)
        return frame_packet(e, &n->mac, packet, len, out, capacity);
    if (len + ETH_HEADER_LEN > capacity)
        return -EMSGSIZE;
    if (!n) {
        struct pkt_addr asker;
        if (!choose_asker(e, src, &asker))
            return -EHOSTUNREACH;
        n = add(e, dst);
        n->state = ASKED;
        n->asker = asker;
        n->next_ns = now_ns;
    }
    return hold(e, dst, packet, len);
}

ssize_t ether_wrap(struct ether *e, const uint8_t *packet, size_t len, int64_t now_ns, uint8_t *out, size_t capacity)
{
    struct pkt_addr src, dst;
    read_addresses(packet, len, &src, &dst);
    if (dst.version && is_multicast(&dst)) {
        const struct eth_addr group = eth_multicast(&dst);
        return frame_packet(e, &group, packet, len, out, capacity);
    }
    if (is_broadcast(e, &dst))
        return frame_packet(e, &BROADCAST_MAC, packet, len, out, capacity);
    bool v6 = dst.version ? dst.version == 6 : !e->peer_known[0];
    if (e->peer_known[v6])
        return frame_packet(e, &e->peer[v6], packet, len, out, capacity);
    if (!dst.version)
        return -EHOSTUNREACH;
    return wrap_unicast(e, &src, &dst, packet, len, now_ns, out, capacity);
}

void ether_ask(struct ether *e, const struct pkt_addr *asker, const struct pkt_addr *neighbour, int64_t now_ns)
{
    struct neighbour *n = find(e, neighbour);
    if (n)
        return;
    n = add(e, neighbour);
    n->state = ASKED;
    n->asker = *asker;
    n->next_ns = now_ns;
}

bool ether_find(struct ether *e, const struct pkt_addr *addr, struct eth_addr *mac)
{
    const struct neighbour *n = find(e, addr);
    if (!n || n->state != KNOWN)
        return false;
    *mac = n->mac;
    return true;
}

void ether_forget(struct ether *e)
{
    for (struct neighbour *n = e->neighbours; n < e->neighbours + ETHER_NEIGHBOURS_MAX; n++)
        if (n->state != FREE)
            give_up(e, n);
}

void ether_set_peer(struct ether *e, uint8_t version, const struct eth_addr *mac)
{
    e->peer_known[version == 6] = mac != NULL;
    if (mac)
        e->peer[version == 6] = *mac;
}

/* ---- frames in ------------------------------------------------------------------------------------------------- */

/* RFC 826, "Packet Reception": whoever speaks of itself is updated; whoever speaks to us is also added. */
static void take_arp(struct ether *e, const struct eth_frame *frame)
{
    struct arp_packet arp;
    if (!arp_parse(frame->payload, frame->payload_len, &arp)) {
        e->counters.malformed++;
        return;
    }
    bool for_us = ours(e, &arp.target_ip);
    learn(e, &arp.sender_ip, &arp.sender_mac, for_us);
    if (!for_us)
        e->counters.foreign++;
    else if (arp.operation == ARP_REQUEST)
        send_arp(e, ARP_REPLY, &arp.target_ip, &arp.sender_ip, &arp.sender_mac, &frame->src);
}

/* RFC 4861 §7.2.4: the answer to whoever detects duplicates (from the unspecified address) goes to all nodes. */
static void advertise(struct ether *e, const struct nd_message *solicitation, const struct eth_addr *asker_mac)
{
    struct nd_message advertisement = {
        .is_advertisement = true, .solicited = true, .override = true,
        .src = solicitation->target, .dst = solicitation->src, .target = solicitation->target,
    };
    struct eth_addr dst = *asker_mac;
    if (is_unspecified(&solicitation->src)) {
        advertisement.solicited = false;
        advertisement.dst = (struct pkt_addr){ .version = 6, .bytes = { 0xff, 0x02, [15] = 1 } };
        dst = eth_multicast(&advertisement.dst);
    }
    send_nd(e, &advertisement, &dst);
}

static void take_nd(struct ether *e, const struct eth_frame *frame)
{
    struct packet packet;
    struct nd_message nd;
    if (pkt_parse(frame->payload, frame->payload_len, &packet) != PKT_OK || !nd_parse(&packet, &nd)) {
        e->counters.malformed++;
        return;
    }
    if (nd.is_advertisement) { /* §7.2.5: of no use unless asked for */
        if (nd.has_link_address)
            learn(e, &nd.target, &nd.link_address, false);
        return;
    }
    if (!ours(e, &nd.target)) {
        e->counters.foreign++;
        return;
    }
    const struct eth_addr *mac = nd.has_link_address ? &nd.link_address : &frame->src;
    learn(e, &nd.src, mac, true);
    advertise(e, &nd, mac);
}

static bool is_nd(const struct eth_frame *frame)
{
    enum { NEXT_HEADER = 6, ICMP_TYPE = 40, SOLICITATION = 135, ADVERTISEMENT = 136 };
    const uint8_t *p = frame->payload;
    return frame->type == ETH_TYPE_IPV6 && frame->payload_len > ICMP_TYPE && p[NEXT_HEADER] == PKT_PROTO_ICMP6
        && (p[ICMP_TYPE] == SOLICITATION || p[ICMP_TYPE] == ADVERTISEMENT);
}

bool ether_unwrap(struct ether *e, const uint8_t *bytes, size_t len, const uint8_t **packet, size_t *packet_len)
{
    struct eth_frame frame;
    if (!eth_parse(bytes, len, &frame)) {
        e->counters.malformed++;
        return false;
    }
    bool to_a_group = frame.dst.bytes[0] & 1;
    if (!to_a_group && memcmp(&frame.dst, &e->config.mac, sizeof frame.dst) != 0) {
        e->counters.foreign++;
        return false;
    }
    if (frame.type == ETH_TYPE_ARP) {
        take_arp(e, &frame);
        return false;
    }
    if (is_nd(&frame)) {
        take_nd(e, &frame);
        return false;
    }
    struct pkt_addr src, dst;
    read_addresses(frame.payload, frame.payload_len, &src, &dst);
    uint16_t type = dst.version == 6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4;
    if (!dst.version || frame.type != type || !ours(e, &dst)) {
        e->counters.foreign++;
        return false;
    }
    learn(e, &src, &frame.src, true);
    *packet = frame.payload;
    *packet_len = frame.payload_len;
    return true;
}

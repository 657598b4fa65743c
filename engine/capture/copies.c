/* Tells copies of a segment from segments.
 *
 * Theory of operation. A capture on all interfaces of a router or a bridge shows a packet where it comes in and again where it goes
 * out; a mirrored switch port shows it with two pairs of link addresses. The place where the first segment of an endpoint was
 * seen counts for all others: what comes from elsewhere and is equal in all that the way leaves alone (IP id, TCP header and
 * options, length; neither the TTL nor the checksum, which a card may complete) is a copy. What comes from elsewhere and is not
 * equal to one of the last COPIES_RING has taken another way, and counts.
 *
 * At one place, a host cannot send the same packet twice: a retransmission has a new IP id. So an equal one, within DUPLICATE_NS,
 * is not judged as sent again. Where the id tells nothing (0, IPv6), it stays a segment of its own, which is what a repeated ACK
 * is. */
#include "engine/capture/copies.h"

#include <stdlib.h>
#include <string.h>

#define DUPLICATE_NS INT64_C(5000000)

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t print_of(const struct packet *p)
{
    const struct pkt_tcp *t = &p->tcp;
    uint64_t hash = mix((uint64_t)t->seq << 32 | t->ack, (uint64_t)t->payload_len << 32 | (uint64_t)t->window << 16 | t->flags);
    hash = mix(hash, (uint64_t)p->ip.id << 32 | (uint64_t)t->urgent << 16 | t->options_len);
    for (uint8_t at = 0; at + 4 <= t->options_len; at = (uint8_t)(at + 4)) {
        uint32_t word;
        memcpy(&word, t->options + at, sizeof word);
        hash = mix(hash, word);
    }
    return hash ? hash : 1;
}

static bool is_recent(const struct copies *c, uint64_t print, int64_t since_ns)
{
    for (unsigned i = 0; i < COPIES_RECENT; i++)
        if (c->recent[i].print == print && c->recent[i].at_ns >= since_ns)
            return true;
    return false;
}

static bool is_in_ring(const struct copies *c, uint64_t print)
{
    for (unsigned i = 0; c->ring && i < COPIES_RING; i++)
        if (c->ring[i] == print)
            return true;
    return false;
}

static void remember(struct copies *c, uint64_t print, int64_t at_ns)
{
    c->recent[c->next % COPIES_RECENT] = (struct copy_print){ print, at_ns };
    if (c->ring)
        c->ring[c->next % COPIES_RING] = print;
    c->next++;
}

static enum copy from_elsewhere(struct copies *c, uint64_t print)
{
    const bool first = !c->ring;
    if (is_in_ring(c, print) || is_recent(c, print, INT64_MIN))
        return COPY_CERTAIN;
    return first ? COPY_UNCERTAIN : COPY_NONE;
}

enum copy copies_of(struct copies *copies, const struct packet *segment, uint64_t origin, int64_t at_ns)
{
    const uint64_t print = print_of(segment);
    enum copy copy = COPY_NONE;
    if (copies->next == 0)
        copies->origin = origin;
    if (origin != copies->origin) {
        copy = from_elsewhere(copies, print);
        if (!copies->ring) /* without memory for it, the few in recent must do */
            copies->ring = calloc(COPIES_RING, sizeof *copies->ring);
    } else if (segment->ip.version == 4 && segment->ip.id != 0 && is_recent(copies, print, at_ns - DUPLICATE_NS)) {
        copy = COPY_LIKELY;
    }
    if (copy != COPY_CERTAIN)
        remember(copies, print, at_ns);
    return copy;
}

void copies_release(struct copies *copies)
{
    free(copies->ring);
    copies->ring = NULL;
}

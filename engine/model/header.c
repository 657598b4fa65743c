/* Judges the IP and TCP headers of what the IUT sends, each segment by itself: checksums, reserved bits, control bits (RFC 9293
 * §3.1).
 *
 * A capture on the host itself shows packets before the network card has summed and cut them up, or after it has merged them
 * (host.offload): then the checksum field may still hold the sum of the pseudo header, or nothing, and of a packet larger than the
 * link takes no checksum means anything.
 *
 * Left out: combinations of control bits that no sentence of an RFC forbids (SYN and FIN together). */
#include "engine/model/inside.h"

enum { ETHERNET_MTU = 1500 };

/* ---- checksums ----------------------------------------------------------------------------------------------------- */

/* Was it captured in a form that never was on the wire? */
static bool is_merged(const struct judge *j, const struct segment *s)
{
    uint32_t mtu = j->host->mtu ? j->host->mtu : ETHERNET_MTU;
    return j->host->offload && s->packet->ip.total_len > mtu;
}

/* Linux and BSD leave the sum of the pseudo header for the network card to complete, Windows that without the length, others
 * nothing. */
static bool is_left_to_the_card(const struct judge *j, const struct segment *s)
{
    const struct pkt_ip *ip = &s->packet->ip;
    uint16_t stated = s->tcp->checksum;
    if (!j->host->offload)
        return false;
    return stated == 0 || stated == pkt_partial_checksum(&ip->src, &ip->dst, PKT_PROTO_TCP, s->packet->payload_len) ||
           stated == pkt_partial_checksum(&ip->src, &ip->dst, PKT_PROTO_TCP, 0);
}

static bool judge_tcp_checksum(struct judge *j, const struct segment *s)
{
    if (!s->whole)
        return true;
    judge_tested(j, RULE_CHECKSUM);
    if (s->tcp->checksum_ok || is_merged(j, s) || is_left_to_the_card(j, s))
        return true;
    judge_find(j, RULE_CHECKSUM, s, 0, "the checksum of header, text and pseudo header", "0x%04x", (unsigned)s->tcp->checksum);
    return false;
}

static bool judge_ip_checksum(struct judge *j, const struct segment *s)
{
    const struct pkt_ip *ip = &s->packet->ip;
    if (ip->version != 4)
        return true;
    judge_tested(j, RULE_IP_CHECKSUM);
    if (ip->checksum_ok || is_merged(j, s) || (j->host->offload && ip->checksum == 0))
        return true;
    judge_find(j, RULE_IP_CHECKSUM, s, 0, "the checksum of the IPv4 header", "0x%04x", (unsigned)ip->checksum);
    return false;
}

/* ---- bits ------------------------------------------------------------------------------------------------------------ */

static void judge_reserved_bits(struct judge *j, const struct segment *s)
{
    unsigned needs = 0, reserved = s->tcp->flags & PKT_RESERVED;
    judge_tested(j, RULE_RESERVED_BITS);
    if (!(s->tcp->flags & (PKT_RESERVED | PKT_AE)))
        return;
    if (s->tcp->flags & PKT_AE && !ecn_explains_ae(j, s, &needs)) {
        needs = reserved ? 0 : needs;
        reserved |= PKT_AE;
    }
    if (reserved)
        judge_find(j, RULE_RESERVED_BITS, s, needs, "zeros (the last one is AE in segments that set up or use AccECN)",
                   "bits 0x%03x are set", reserved);
}

static void judge_control_bits(struct judge *j, const struct segment *s)
{
    unsigned flags = s->tcp->flags;
    if (flags & PKT_RST) {
        judge_tested(j, RULE_RST_FLAGS);
        if (flags & (PKT_SYN | PKT_FIN))
            judge_find(j, RULE_RST_FLAGS, s, 0, "<CTL=RST> or <CTL=RST,ACK>", "%s is set as well", flags & PKT_SYN ? "SYN" : "FIN");
        return;
    }
    if (flags & PKT_SYN)
        return;
    judge_tested(j, RULE_ACK_BIT);
    if (!(flags & PKT_ACK))
        judge_find(j, RULE_ACK_BIT, s, 0, "a segment with SYN, RST or ACK", "none of them is set");
}

/* ---- all of it ------------------------------------------------------------------------------------------------------- */

static void note_choices(struct judge *j, const struct segment *s)
{
    const struct pkt_ip *ip = &s->packet->ip;
    portrait_note(&j->host->portrait, CHOICE_TTL, ip->ttl);
    if (ip->version == 4)
        portrait_note(&j->host->portrait, CHOICE_DONT_FRAGMENT, ip->dont_fragment);
}

bool header_output(struct judge *j, const struct segment *s)
{
    bool sound = judge_ip_checksum(j, s);
    sound &= judge_tcp_checksum(j, s);
    if (!sound)
        return false;
    if (s->packet->ip.version == 4) { /* a hop limit of 0 is for routers to look at (RFC 8200 §3) */
        judge_tested(j, RULE_TTL_ZERO);
        if (s->packet->ip.ttl == 0)
            judge_find(j, RULE_TTL_ZERO, s, 0, "a time to live of at least 1", "no router and no host may take it");
    }
    judge_reserved_bits(j, s);
    judge_control_bits(j, s);
    if (s->tcp->flags & PKT_SYN)
        note_choices(j, s);
    return true;
}

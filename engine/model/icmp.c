/* ICMP errors about packets of this connection (RFC 9293 §3.9.2.2, RFC 5461, 5927), and the path MTU (RFC 1191, 8201).
 *
 * Some errors must not end the connection: soft ones, Source Quench, and those that quote a sequence number which is not in flight.
 * What such an error has done is known only where nothing else can have done it: a RST at once and before any other input or call,
 * or, for an application that waits for its connection to open, an error told soon. An error told on an open connection may be just
 * information (SHLD-25), but for an error that should have been discarded. Hard errors may end a connection or not (SHLD-26 and
 * RFC 5927 §5.2 say both), so nothing is asked of them.
 *
 * A packet too big (IPv4: fragmentation needed) about a segment in flight lowers the path MTU. RFC 5927 §7.2 lets a host wait until
 * that segment has timed out once, and forget the message when it is acknowledged instead; so it is in force once the segment was
 * sent again in a smaller packet, or twice. From then on, for five minutes, no packet may be larger (RFC 1191 §3, RFC 8201 §4), but
 * with IPv4 one without DF. Messages below the least MTU, or not below the largest packet sent so far, are ignored.
 *
 * In a capture none of this is judged: the capture cannot show what arrived, and from where the IUT knows its path. */
#include "engine/model/inside.h"

#include <errno.h>

enum icmp_reason { REASON_NONE, REASON_SOFT, REASON_QUENCH, REASON_OUTSIDE };
enum { IPV4_MTU_MIN = 68, IPV6_MTU_MIN = 1280, RESENT_IN_FORCE = 2 };

static const int64_t told_within_ns = 1000000000;
static const int64_t no_increase_ns = 300000000000; /* RFC 1191 §3, RFC 8201 §4: five minutes */

enum { OPENING_STATES = 1u << TCP_STATE_SYN_SENT | 1u << TCP_STATE_SYN_RECEIVED, GONE_STATES = 1u << TCP_STATE_CLOSED | 1u << TCP_STATE_LISTEN };

/* ---- kinds of errors (RFC 9293 §3.9.2.2) ---------------------------------------------------------------------------- */

static bool is_soft(const struct packet *p)
{
    static const struct { uint8_t version, type; unsigned codes; } table[] = {
        {4, 3, 1u << 0 | 1u << 1 | 1u << 5}, /* net, host unreachable, source route failed */
        {4, 11, 1u << 0 | 1u << 1},          /* time exceeded */
        {4, 12, 1u << 0 | 1u << 1 | 1u << 2}, /* parameter problem */
        {6, 1, 1u << 0 | 1u << 3},           /* no route, address unreachable */
        {6, 3, 1u << 0 | 1u << 1},           /* time exceeded */
        {6, 4, 1u << 0 | 1u << 1 | 1u << 2}, /* parameter problem */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].version == p->ip.version && table[i].type == p->icmp.type && p->icmp.code < 32 &&
            table[i].codes & 1u << p->icmp.code)
            return true;
    return false;
}

static bool is_quench(const struct packet *p)
{
    return p->ip.version == 4 && p->icmp.type == 4;
}

static bool is_too_big(const struct packet *p)
{
    return p->ip.version == 4 ? p->icmp.type == 3 && p->icmp.code == 4 : p->icmp.type == 2;
}

/* SND.UNA =< SEG.SEQ =< SND.NXT in some situation that the IUT may be in. RFC 5927 §4.1 leaves out SND.NXT itself; there is nothing
 * to gain from being as strict. */
static bool may_be_in_flight(const struct judge *j, uint32_t seq)
{
    for (unsigned i = 0; i < j->now->count; i++) {
        const struct hypothesis *h = &j->now->of[i];
        if (1u << h->state & GONE_STATES || !j->out.known)
            return true;
        uint32_t una = h->state == TCP_STATE_SYN_SENT ? j->out.iss : h->snd_una_low;
        if (seq_le(una, seq) && seq_le(seq, j->out.nxt))
            return true;
    }
    return false;
}

static enum icmp_reason reason_of(const struct judge *j, const struct packet *p, uint32_t quoted_seq)
{
    if (is_quench(p))
        return REASON_QUENCH;
    if (is_soft(p))
        return REASON_SOFT;
    return may_be_in_flight(j, quoted_seq) ? REASON_NONE : REASON_OUTSIDE;
}

static enum rule_id rule_of(const struct icmp_watch *w)
{
    return w->reason == REASON_QUENCH ? RULE_SOURCE_QUENCH : w->reason == REASON_OUTSIDE ? RULE_ICMP_OUTSIDE :
           w->opening ? RULE_ICMP_SOFT_OPENING : RULE_ICMP_SOFT;
}

/* ---- errors that come ------------------------------------------------------------------------------------------------- */

static void note_too_big(struct judge *j, const struct packet *p, const struct packet *quoted, int64_t at_ns)
{
    struct icmp_watch *w = &j->icmp;
    uint32_t mtu = p->ip.version == 4 ? p->icmp.rest & 0xffff : p->icmp.rest, seq = quoted->tcp.seq;
    uint32_t least = p->ip.version == 4 ? IPV4_MTU_MIN : IPV6_MTU_MIN;
    bool in_flight = j->timing.flying && seq_le(j->timing.head, seq) && seq_lt(seq, j->out.nxt);
    if (mtu < least || mtu >= w->largest || quoted->ip.total_len <= mtu || !in_flight || j->host->offload ||
        (w->reduced && mtu >= w->mtu))
        return;
    w->reduced = true;
    w->resent = 0;
    w->mtu = mtu;
    w->quoted = seq;
    w->reduced_ns = at_ns;
}

void icmp_input(struct judge *j, const struct packet *packet, int64_t at_ns, uint32_t index)
{
    struct icmp_watch *w = &j->icmp;
    struct packet quoted;
    w->count++;
    w->unheeded = false;
    if (!judge_is_exact(j))
        return;
    if (!packet->icmp.checksum_ok || !packet->ip.checksum_ok || pkt_parse_quoted(packet->icmp.body, packet->icmp.body_len, &quoted) != PKT_OK ||
        quoted.kind != PKT_KIND_TCP) {
        w->hard = true; /* whatever a stack makes of it */
        return;
    }
    w->reason = (uint8_t)reason_of(j, packet, quoted.tcp.seq);
    w->opening = judge_must_be(j, OPENING_STATES);
    if (is_too_big(packet) && w->reason == REASON_NONE)
        note_too_big(j, packet, &quoted, at_ns);
    else if (w->reason == REASON_NONE || (w->reason == REASON_SOFT && w->opening))
        w->hard = true;
    if (w->reason == REASON_NONE || !judge_must_be(j, ~(unsigned)GONE_STATES))
        return;
    judge_tested(j, rule_of(w));
    w->unheeded = true;
    w->at_ns = at_ns;
    w->index = index;
    w->events = j->timing.events;
}

/* ---- what follows ----------------------------------------------------------------------------------------------------- */

static bool nothing_else_came(const struct judge *j)
{
    return j->icmp.unheeded && j->icmp.events == j->timing.events;
}

static void watch_size(struct judge *j, const struct segment *s)
{
    struct icmp_watch *w = &j->icmp;
    uint32_t size = s->packet->ip.total_len;
    bool acknowledged = seq_gt(j->timing.head, w->quoted);
    if (s->at_ns > w->reduced_ns + no_increase_ns || (acknowledged && w->resent < RESENT_IN_FORCE)) {
        w->reduced = false;
        return;
    }
    if (w->resent < RESENT_IN_FORCE) {
        if (seq_in_window(w->quoted, s->seq, s->len))
            w->resent = size <= w->mtu && j->in.window >= w->mtu ? RESENT_IN_FORCE : w->resent + 1;
        return;
    }
    enum rule_id rule = s->packet->ip.version == 4 ? RULE_PATH_MTU_IPV4 : RULE_PATH_MTU_IPV6;
    judge_tested(j, rule);
    if (size > w->mtu && (s->packet->ip.version == 6 || s->packet->ip.dont_fragment))
        judge_find(j, rule, s, 0, "packets no larger than the path MTU", "it has %u octets, after a message that the path takes %u",
                   size, w->mtu);
}

void icmp_output(struct judge *j, const struct segment *s)
{
    struct icmp_watch *w = &j->icmp;
    if (s->tcp->flags & PKT_RST && nothing_else_came(j) && s->at_ns <= w->at_ns + j->host->latency_ns)
        judge_find(j, rule_of(w), s, 0, "the connection goes on", "it comes at once after ICMP packet %u", w->index);
    if (w->reduced && !j->calls.discovery_configured)
        watch_size(j, s);
    if (s->packet->ip.total_len > w->largest)
        w->largest = s->packet->ip.total_len;
}

/* What an ICMP error is translated to; a time-out may come from elsewhere. */
static bool is_of_icmp(int64_t error)
{
    return error == EHOSTUNREACH || error == ENETUNREACH || error == ECONNREFUSED || error == EPROTO || error == ENOPROTOOPT || error == EMSGSIZE ||
           error == EHOSTDOWN || error == ENONET || error == EOPNOTSUPP || error == EACCES;
}

void icmp_call(struct judge *j, const struct judge_call *call, int64_t at_ns)
{
    static const int64_t timeout_ns = 1000000000; /* R2, user timeout: none is shorter */
    struct icmp_watch *w = &j->icmp;
    if (call->kind != JUDGE_CALL_ERROR || !nothing_else_came(j) || !is_of_icmp(call->amount) || j->host->timers_configured)
        return;
    if (w->count > 1 && at_ns - j->progress_ns >= timeout_ns) /* of a time-out the last soft error is told (RFC 5461 §2.2) */
        return;
    if (at_ns - w->at_ns > told_within_ns || (w->reason == REASON_SOFT && !w->opening))
        return;
    judge_find_silence(j, rule_of(w), w->index, at_ns, "the connection goes on",
                       "the application is told of an error by ICMP packet %u", w->index);
}

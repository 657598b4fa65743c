/* The connections of a capture: from a segment to the judges of its pair, and the end of a pair.
 *
 * Theory of operation. Each pair of endpoints has two judges, one an end. A segment goes to its sender's as output and to its
 * receiver's as input. A pair begins with the first segment seen of it; a SYN says that both ends were without a connection before,
 * but of its receiver that is only likely (it may hold an older connection, which the capture does not show): should it
 * answer with anything but a SYN or a RST, it is judged from that answer on, with nothing assumed.
 *
 * A pair ends when both of its ends hold no record any more, when the capture ends, or when there are too many. Pairs wait in two
 * queues (pairs.h), and each frame that comes has the first of both looked at. One in which a RST or both FINs were seen waits in
 * the shorter queue: most of those are over but for TIME-WAIT, whose end nobody need wait for when CLOSED_KEPT_MAX others do. */
#include "engine/capture/within.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_AGAIN_NS INT64_C(1000000000)
enum { SECOND_CHANCES_MAX = 64, SUMS_WRONG_MIN = 2, SUMS_WRONG_SHARE = 4 };
enum { NOTHING_KNOWN = 0, NO_CONNECTION = 1u << TCP_STATE_CLOSED | 1u << TCP_STATE_LISTEN };

/* ---- judges --------------------------------------------------------------------------------------------------------- */

static void on_finding(void *context, const struct judge_finding *finding)
{
    struct pair_end *end = context;
    findings_hold(&end->inspection->report.findings, finding, end->pair->number, end != end->pair->ends, &end->pair->first_finding);
}

/* The host that an address belongs to, for its portrait; one for all when nobody wants one, or there are too many. */
static struct judge_host *host_of(struct inspection *in, const struct pkt_addr *addr)
{
    struct inspection_report *report = &in->report;
    if (!in->config.portraits)
        return in->shared;
    for (unsigned i = 0; i < report->host_count; i++)
        if (pkt_addr_equal(&report->hosts[i].addr, addr))
            return report->hosts[i].host;
    struct judge_host *host = report->host_count < PORTRAITS_MAX ? malloc(sizeof *host) : NULL;
    if (!host)
        return in->shared;
    *host = *in->shared;
    host->coverage = (struct coverage){ 0 };
    host->portrait = (struct portrait){ 0 };
    report->hosts[report->host_count++] = (struct inspected_host){ *addr, host };
    return host;
}

static void begin_judge(struct inspection *in, struct pair_end *end, unsigned states)
{
    const unsigned side = end != end->pair->ends;
    const struct judge_config config = {
        .host = host_of(in, &end->endpoint.addr), .iut = end->endpoint, .peer = end->pair->ends[!side].endpoint, .states = states,
        .report = on_finding, .context = end,
    };
    end->judge = judge_place(pairs_judge_memory(end->pair, side), &config);
}

/* ---- the end of a pair ---------------------------------------------------------------------------------------------- */

static bool list_has_room(struct inspection *in, const struct pair *pair)
{
    struct inspection_report *report = &in->report;
    if (!pair->first_finding && report->listed >= in->config.listed_max)
        return false;
    if (report->listed < in->listed_capacity)
        return true;
    const uint32_t capacity = in->listed_capacity ? in->listed_capacity * 2 : 64;
    struct inspected_connection *list = realloc(report->connections_listed, capacity * sizeof *list);
    report->out_of_memory |= !list;
    if (!list)
        return false;
    report->connections_listed = list;
    in->listed_capacity = capacity;
    return true;
}

static void list(struct inspection *in, const struct pair *pair)
{
    if (!list_has_room(in, pair)) {
        in->report.unlisted++;
        return;
    }
    struct inspected_connection *listed = &in->report.connections_listed[in->report.listed++];
    *listed = (struct inspected_connection){
        .number = pair->number, .first_frame = pair->first_frame, .last_frame = pair->last_frame, .first_ns = pair->first_ns,
        .last_ns = pair->last_ns, .from_start = pair->from_start, .contradicted = pair->contradicted, .sums_unknown = pair->sums_unknown,
        .first_finding = pair->first_finding,
    };
    for (unsigned side = 0; side < 2; side++) {
        const char *why = judge_inconclusive(pair->ends[side].judge);
        listed->ends[side] = pair->ends[side].endpoint;
        listed->segments[side] = pair->ends[side].segments;
        listed->inconclusive[side] = why ? strdup(why) : NULL;
    }
}

static void end_pair(struct inspection *in, struct pair *pair)
{
    for (unsigned side = 0; side < 2; side++) {
        struct pair_end *end = &pair->ends[side];
        judge_end(end->judge, in->now_ns);
        pair->contradicted |= judge_evidence(end->judge);
        in->report.contradicted |= judge_evidence(end->judge);
        in->report.endpoints += end->segments > 0;
        in->report.inconclusive += judge_inconclusive(end->judge) != NULL;
    }
    findings_settle_pair(&in->report.findings, pair->first_finding, pair->contradicted, pair->sums_unknown);
    list(in, pair);
    for (unsigned side = 0; side < 2; side++) {
        judge_clear(pair->ends[side].judge);
        copies_release(&pair->ends[side].copies);
    }
    pairs_remove(in->pairs, pair);
}

void connections_end_all(struct inspection *in)
{
    for (enum pair_queue queue = 0; queue < PAIR_QUEUES; queue++)
        for (struct pair *pair; (pair = pairs_first(in->pairs, queue));)
            end_pair(in, pair);
}

static bool is_over(const struct inspection *in, const struct pair *pair)
{
    return judge_is_over(pair->ends[0].judge, in->now_ns) && judge_is_over(pair->ends[1].judge, in->now_ns);
}

/* Ends one that is not in use: those at the front of a queue that were used since they were put there go to the back. */
static void end_idlest(struct inspection *in)
{
    const enum pair_queue queue = pairs_count(in->pairs, PAIR_CLOSED) > 0 ? PAIR_CLOSED : PAIR_OPEN;
    struct pair *pair = pairs_first(in->pairs, queue);
    in->report.not_followed += queue == PAIR_OPEN;
    for (unsigned chances = 0; pair->last_ns > pair->queued_ns && chances < SECOND_CHANCES_MAX; chances++) {
        pairs_queue(in->pairs, pair, queue, pair->last_ns);
        pair = pairs_first(in->pairs, queue);
    }
    end_pair(in, pair);
}

void connections_sweep(struct inspection *in)
{
    for (enum pair_queue queue = 0; queue < PAIR_QUEUES; queue++) {
        struct pair *pair = pairs_first(in->pairs, queue);
        if (!pair || in->now_ns - pair->queued_ns < LOOK_AGAIN_NS)
            continue;
        const bool idle = in->now_ns - pair->last_ns >= LOOK_AGAIN_NS;
        const bool dispensable = queue == PAIR_CLOSED && pairs_count(in->pairs, PAIR_CLOSED) > CLOSED_KEPT_MAX;
        if (idle && (dispensable || is_over(in, pair)))
            end_pair(in, pair);
        else
            pairs_queue(in->pairs, pair, queue, in->now_ns);
    }
}

/* ---- segments ------------------------------------------------------------------------------------------------------- */

static struct pair *begin_pair(struct inspection *in, const struct pkt_endpoint *src, const struct pkt_endpoint *dst,
                               bool from_start)
{
    if (inspection_open(in) >= in->config.connections_max)
        end_idlest(in);
    struct pair *pair = pairs_add(in->pairs, src, dst, in->now_ns);
    in->report.out_of_memory |= !pair;
    if (!pair)
        return NULL;
    for (unsigned side = 0; side < 2; side++) {
        pair->ends[side].inspection = in;
        begin_judge(in, &pair->ends[side], from_start ? NO_CONNECTION : NOTHING_KNOWN);
    }
    pair->number = (uint32_t)++in->report.connections;
    pair->first_frame = in->frame;
    pair->first_ns = in->now_ns;
    pair->from_start = pair->ends[1].fresh = from_start;
    return pair;
}

static bool is_syn(const struct pkt_tcp *tcp)
{
    return (tcp->flags & (PKT_SYN | PKT_ACK | PKT_RST | PKT_FIN)) == PKT_SYN;
}

/* The answer to the first SYN: anything but a SYN or a RST is that of a connection from before. */
static void take_answer(struct inspection *in, struct pair_end *end, const struct pkt_tcp *tcp)
{
    end->fresh = false;
    if (tcp->flags & (PKT_SYN | PKT_RST))
        return;
    judge_clear(end->judge);
    memset(end->judge, 0, judge_memory_len());
    begin_judge(in, end, NOTHING_KNOWN);
}

/* When a good part of what an end sends has a wrong checksum and yet the connection goes on, the sums were made elsewhere. */
static void note_sums(struct pair *pair, struct pair_end *sender, const struct sighting *sighting)
{
    if (!sighting->whole)
        return;
    ++*(sighting->packet->tcp.checksum_ok ? &sender->sums_right : &sender->sums_wrong);
    if (sender->sums_wrong >= SUMS_WRONG_MIN && sender->sums_wrong > sender->sums_right / SUMS_WRONG_SHARE)
        pair->sums_unknown = true;
}

static void note_end(struct inspection *in, struct pair *pair, struct pair_end *sender, const struct pkt_tcp *tcp)
{
    sender->fin |= (tcp->flags & PKT_FIN) != 0;
    if (pair->queue == PAIR_CLOSED || !(tcp->flags & PKT_RST || (pair->ends[0].fin && pair->ends[1].fin)))
        return;
    pairs_queue(in->pairs, pair, PAIR_CLOSED, in->now_ns);
}

static void judge_segment(struct inspection *in, struct pair *pair, unsigned side, const struct sighting *sighting)
{
    struct pair_end *sender = &pair->ends[side], *receiver = &pair->ends[!side];
    const struct packet *p = sighting->packet;
    const enum copy copy = copies_of(&sender->copies, p, sighting->origin, in->now_ns);
    if (copy == COPY_CERTAIN) {
        skip(in, SKIPPED_COPY);
        return;
    }
    if (copy == COPY_UNCERTAIN)
        pair->contradicted |= JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_ORDER | JUDGE_NEEDS_UNIQUE;
    else if (copy == COPY_LIKELY) /* it adds nothing that could be missing, but on such a path another copy may be the first that is seen */
        pair->contradicted |= JUDGE_NEEDS_ORDER | JUDGE_NEEDS_UNIQUE;
    in->report.likely_copies += copy == COPY_LIKELY;
    in->report.segments++;
    sender->segments++;
    pair->last_ns = in->now_ns;
    pair->last_frame = in->frame;
    note_sums(pair, sender, sighting);
    if (sender->fresh)
        take_answer(in, sender, &p->tcp);
    if (copy != COPY_LIKELY)
        judge_output(sender->judge, p, sighting->whole, in->now_ns, in->now_ns, in->frame);
    judge_input(receiver->judge, p, sighting->whole, in->now_ns, in->frame);
    if (p->tcp.flags & (PKT_FIN | PKT_RST))
        note_end(in, pair, sender, &p->tcp);
}

static bool same_endpoint(const struct pkt_endpoint *a, const struct pkt_endpoint *b)
{
    return a->port == b->port && pkt_addr_equal(&a->addr, &b->addr);
}

void connections_segment(struct inspection *in, const struct sighting *sighting)
{
    const struct packet *p = sighting->packet;
    const struct pkt_endpoint src = { p->ip.src, p->tcp.src_port }, dst = { p->ip.dst, p->tcp.dst_port };
    unsigned side = 0;
    if (same_endpoint(&src, &dst)) {
        skip(in, SKIPPED_SELF);
        return;
    }
    struct pair *pair = pairs_find(in->pairs, &src, &dst, &side);
    if (!pair)
        pair = begin_pair(in, &src, &dst, is_syn(&p->tcp));
    if (!pair)
        return;
    judge_segment(in, pair, side, sighting);
}

/* ---- ICMP ----------------------------------------------------------------------------------------------------------- */

static bool is_error(const struct packet *p)
{
    return p->ip.version == 4 ? p->icmp.type == 3 || p->icmp.type == 4 || p->icmp.type == 11 || p->icmp.type == 12
                              : p->icmp.type < 128;
}

void connections_error(struct inspection *in, const struct sighting *sighting)
{
    const struct packet *p = sighting->packet;
    struct packet quoted;
    struct pair *pair = NULL;
    unsigned side = 0;
    if (is_error(p) && pkt_parse_quoted(p->icmp.body, p->icmp.body_len, &quoted) == PKT_OK && quoted.kind == PKT_KIND_TCP &&
        pkt_addr_equal(&quoted.ip.src, &p->ip.dst)) {
        const struct pkt_endpoint src = { quoted.ip.src, quoted.tcp.src_port }, dst = { quoted.ip.dst, quoted.tcp.dst_port };
        if (!same_endpoint(&src, &dst))
            pair = pairs_find(in->pairs, &src, &dst, &side);
    }
    if (pair)
        judge_input(pair->ends[side].judge, p, sighting->whole, in->now_ns, in->frame);
    else
        skip(in, SKIPPED_ICMP);
}

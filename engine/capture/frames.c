/* From a frame to what the judges are told: its time, the packet in it, and whether that is as it was on the wire.
 *
 * Time. Judges want a clock that does not go backwards. That of a capture may: by a little, where several processors capture at
 * once, which also says that the order of frames is not that of the wire; by much, where somebody set the clock, or two files were
 * joined. By a little, it stands still until it has caught up; by much, nothing that was measured before can be compared with what
 * comes after, so every connection ends there and begins anew.
 *
 * Offload. A host that captures its own traffic sees segments before the card has filled in their checksums, which then hold the
 * sum of the pseudo header (or nothing), and before it has cut them up. Such sums are taken as right; other wrong ones are wrong.
 */
#include "engine/capture/within.h"

#include "engine/packet/packet.h"

#define BACK_TOLERANCE_NS INT64_C(50000000)
#define TIME_MAX (INT64_MAX / 4) /* 73 years: far enough from the end for deadlines to be added */
enum { ETHERNET_MTU = 1500 };

/* ---- time ----------------------------------------------------------------------------------------------------------- */

static void clock_step(struct inspection *in, int64_t since_start_ns)
{
    connections_end_all(in);
    in->shift_ns = in->now_ns - since_start_ns;
    in->report.clock_steps++;
}

static void take_time(struct inspection *in, int64_t at_ns)
{
    struct inspection_report *report = &in->report;
    int64_t since_start_ns = at_ns - report->start_ns, now_ns;
    if (!in->started) {
        in->started = true;
        report->start_ns = at_ns;
        return;
    }
    if (__builtin_add_overflow(since_start_ns, in->shift_ns, &now_ns) || now_ns > TIME_MAX ||
        now_ns < in->now_ns - BACK_TOLERANCE_NS)
        clock_step(in, since_start_ns);
    else if (now_ns < in->now_ns)
        report->contradicted |= JUDGE_NEEDS_ORDER;
    else
        in->now_ns = now_ns;
    report->duration_ns = in->now_ns;
}

/* ---- offload -------------------------------------------------------------------------------------------------------- */

static bool sum_is_left_to_the_card(const struct packet *p)
{
    const uint16_t sum = p->tcp.checksum;
    return sum == 0 || sum == pkt_partial_checksum(&p->ip.src, &p->ip.dst, PKT_PROTO_TCP, p->payload_len) ||
           sum == pkt_partial_checksum(&p->ip.src, &p->ip.dst, PKT_PROTO_TCP, 0); /* some leave the length to the card too */
}

static void see_offload(struct inspection *in)
{
    in->report.offload_seen = in->shared->offload = true;
    for (unsigned i = 0; i < in->report.host_count; i++)
        in->report.hosts[i].host->offload = true;
}

static void mend_sums(struct inspection *in, struct packet *p)
{
    const bool all = in->config.offload == OFFLOAD_YES;
    if (!p->ip.checksum_ok && (all || p->ip.checksum == 0))
        p->ip.checksum_ok = true;
    if (p->tcp.checksum_ok || (!all && !sum_is_left_to_the_card(p)))
        return;
    p->tcp.checksum_ok = true;
    see_offload(in);
}

/* ---- packets -------------------------------------------------------------------------------------------------------- */

static void take_segment(struct inspection *in, struct packet *p, bool whole, uint64_t origin)
{
    const struct sighting sighting = { p, whole, origin };
    if (in->config.offload != OFFLOAD_NO) {
        if (!p->tcp.checksum_ok || !p->ip.checksum_ok)
            mend_sums(in, p);
        if (p->ip.total_len > ETHERNET_MTU && !in->report.offload_seen)
            see_offload(in);
    }
    connections_segment(in, &sighting);
}

static bool is_about_tcp(const struct packet *p)
{
    return p->ip.protocol == PKT_PROTO_TCP || p->kind == PKT_KIND_ICMP;
}

static void take_packet(struct inspection *in, struct packet *p, enum pkt_error error, bool whole, uint64_t origin)
{
    if (error == PKT_ERR_TCP_TRUNCATED && !whole) {
        in->report.contradicted |= JUDGE_NEEDS_COMPLETE; /* a segment that nobody will know of */
        skip(in, SKIPPED_CUT);
    } else if (error != PKT_OK) {
        skip(in, error == PKT_ERR_IP_TRUNCATED && !whole ? SKIPPED_CUT : SKIPPED_DAMAGED);
    } else if (!is_about_tcp(p)) {
        skip(in, SKIPPED_OTHER_PROTOCOL);
    } else if (p->kind == PKT_KIND_TCP) {
        take_segment(in, p, whole, origin);
    } else if (p->kind == PKT_KIND_ICMP) {
        connections_error(in, &(struct sighting){ p, whole, origin });
    } else {
        skip(in, SKIPPED_FRAGMENT);
    }
}

/* The fragment that completes its packet stands for all of it. */
static void take_fragment(struct inspection *in, const struct packet *fragment, uint64_t origin)
{
    const uint8_t *bytes;
    size_t len;
    struct packet p;
    if (!pkt_reassemble(in->reassembler, fragment, in->now_ns, &bytes, &len)) {
        skip(in, SKIPPED_FRAGMENT);
        return;
    }
    const enum pkt_error error = pkt_parse(bytes, len, &p);
    take_packet(in, &p, error, true, origin);
}

void inspection_frame(struct inspection *in, const struct capture_frame *frame)
{
    struct link_packet link;
    struct packet p;
    in->report.frames++;
    in->frame = frame->number;
    take_time(in, frame->at_ns);
    connections_sweep(in);
    switch (link_unwrap(in->config.link, frame->bytes, frame->len, frame->wire_len, &link)) {
    case LINK_OTHER: skip(in, SKIPPED_NOT_IP); return;
    case LINK_CUT: skip(in, SKIPPED_CUT); return;
    case LINK_IP: break;
    }
    const enum pkt_error error = pkt_parse_cut(link.bytes, link.len, link.wire_len, &p);
    const bool whole = p.ip.total_len <= link.len && link.len > 0;
    if (error == PKT_OK && p.kind == PKT_KIND_FRAGMENT && p.ip.protocol == PKT_PROTO_TCP && whole)
        take_fragment(in, &p, link.origin);
    else
        take_packet(in, &p, error, whole, link.origin);
}

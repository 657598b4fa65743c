/* Captures: what the identifications of IPv4 packets tell. Most senders count them up for each connection, though RFC 6864 leaves
 * it to them. Where they do, a packet that was missed leaves a hole, one that was overtaken fills it later, and one that the
 * network has doubled comes under a number that was there already. Senders that do not count break the trail at once. */
#include "engine/model/lossy.h"

enum { TRAIL_LEN = 64, COUNTED_MIN = 3, LATE_MAX = 1 << 14 };

static uint64_t span_mask(const struct lossy_trail *trail)
{
    return trail->span >= TRAIL_LEN ? UINT64_MAX : (UINT64_C(1) << trail->span) - 1;
}

bool lossy_is_whole(const struct lossy_trail *trail)
{
    return trail->from_syn && trail->seen == span_mask(trail);
}

bool lossy_sent_next(const struct lossy_trail *trail, const struct segment *s)
{
    return lossy_is_whole(trail) && !trail->syn && s->packet->ip.version == 4 && s->packet->ip.id == ((trail->id + 1) & 0xffff);
}

bool lossy_is_counted(const struct lossy_trail *trail, uint32_t from, const struct packet *packet)
{
    uint32_t step = (packet->ip.id - from) & 0xffff;
    return packet->ip.version == 4 && trail->counted >= COUNTED_MIN && step > 0 && step < TRAIL_LEN;
}

/* Old octets: under an old timestamp they come late, since what is sent again has a new one. Octets that were there already, under
 * a timestamp that is not new and without an identification that would tell, may be a copy; and a D-SACK (RFC 2883) says that some
 * came twice. */
static void note_late(struct judge *j, const struct side *side, const struct segment *s)
{
    if (s->options.sack_count && s->tcp->flags & PKT_ACK && seq_le(s->options.sack[0].right, s->tcp->ack))
        j->evidence |= JUDGE_NEEDS_UNIQUE;
    if (!s->len || s->tcp->flags & (PKT_SYN | PKT_RST) || !side->known || seq_gt(s->end, side->nxt))
        return;
    bool stamped = s->options.has_timestamp && side->ts_known;
    if (stamped && seq_lt(s->options.ts_val, side->ts_val_max))
        j->evidence |= JUDGE_NEEDS_ORDER;
    bool stale = !stamped || seq_le(s->options.ts_val, side->ts_val_max);
    if (stale && !s->packet->ip.id && s->tcp->payload_len && facts_covers(side, s->seq, s->end))
        j->evidence |= JUDGE_NEEDS_UNIQUE;
}

static void begin(struct lossy_trail *trail, uint32_t id)
{
    trail->id = id;
    trail->seen = 1;
    trail->span = 1;
}

static void go_ahead(struct lossy_trail *trail, unsigned step)
{
    unsigned lost = trail->span + step > TRAIL_LEN ? trail->span + step - TRAIL_LEN : 0; /* of the oldest numbers */
    uint64_t oldest = trail->seen >> (trail->span - lost), all = (UINT64_C(1) << lost) - 1;
    trail->from_syn &= !lost || (oldest & all) == all;
    trail->seen = trail->seen << step | 1;
    trail->span = trail->span + step - lost;
    trail->id = (trail->id + step) & 0xffff;
    trail->counted += trail->counted < COUNTED_MIN;
}

static void stay_behind(struct judge *j, struct lossy_trail *trail, const struct segment *s, unsigned step)
{
    if (step >= trail->span) {
        j->evidence |= step > TRAIL_LEN ? (unsigned)JUDGE_NEEDS_UNIQUE : 0;
        trail->from_syn = false;
        return;
    }
    uint64_t bit = UINT64_C(1) << step;
    if (trail->seen & bit)
        j->evidence |= JUDGE_NEEDS_UNIQUE | (step || !s->len ? 0u : (unsigned)JUDGE_NEEDS_ORDER);
    trail->seen |= bit;
}

void lossy_note_trail(struct judge *j, struct lossy_trail *trail, const struct segment *s)
{
    note_late(j, trail == &j->lossy.trail_in ? &j->in : &j->out, s);
    if (s->packet->ip.version != 4)
        return;
    uint32_t id = s->packet->ip.id, ahead = (id - trail->id) & 0xffff, behind = (trail->id - id) & 0xffff;
    bool syn = s->tcp->flags & PKT_SYN;
    bool first =
        trail->syn && trail->id == 0 && (s->seq == trail->seq + 1 || syn); /* a SYN,ACK is often sent before there is a counter */
    if (!trail->known) {
        trail->from_syn = syn;
        begin(trail, id);
    } else if (first) {
        begin(trail, id);
    } else if (trail->syn && trail->id == 0) {
        trail->from_syn = false;
        begin(trail, id);
    } else if (ahead && ahead < TRAIL_LEN) {
        go_ahead(trail, ahead);
    } else if (behind < LATE_MAX && (behind || id)) {
        stay_behind(j, trail, s, behind);
    } else {
        trail->from_syn = false;
        trail->counted = 0;
        begin(trail, id);
    }
    trail->known = true;
    trail->syn = syn;
    trail->seq = s->seq;
}

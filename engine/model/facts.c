/* What both sides of a connection have put on the wire: the ground on which everything else is judged. Facts only grow; whether the
 * IUT has received what its peer put on the wire is not a fact but a hypothesis. */
#include "engine/model/inside.h"

#include <string.h>

int facts_scale(const struct side *of, const struct side *other)
{
    if (!of->offer.seen || !other->offer.seen || of->offer.unsure || other->offer.unsure)
        return -1;
    return of->offer.has_wscale && other->offer.has_wscale ? of->offer.wscale : 0;
}

static enum agreed agreed(const struct side *a, const struct side *b, bool of_a, bool of_b)
{
    if (a->offer.unsure || b->offer.unsure)
        return AGREED_UNKNOWN;
    if ((a->offer.seen && !of_a) || (b->offer.seen && !of_b))
        return AGREED_NO;
    return a->offer.seen && b->offer.seen ? AGREED_YES : AGREED_UNKNOWN;
}

enum agreed facts_sack(const struct side *a, const struct side *b)
{
    return agreed(a, b, a->offer.sack_permitted, b->offer.sack_permitted);
}

enum agreed facts_timestamps(const struct side *a, const struct side *b)
{
    return agreed(a, b, a->offer.has_timestamp, b->offer.has_timestamp);
}

bool facts_covers(const struct side *side, uint32_t left, uint32_t right)
{
    if (left == right)
        return true;
    if (!side->known || seq_lt(left, side->start))
        return false;
    if (seq_le(right, side->gapless))
        return true;
    for (unsigned i = 0; i < side->range_count; i++)
        if (seq_le(side->ranges[i].left, seq_max(left, side->gapless)) && seq_le(right, side->ranges[i].right))
            return seq_le(side->ranges[i].left, left) || seq_le(side->ranges[i].left, side->gapless);
    return false;
}

void facts_reset(struct side *side)
{
    memset(side, 0, sizeof *side);
}

/* Takes the ranges that the gapless stretch has reached into it. */
static void advance(struct side *side, uint32_t end)
{
    unsigned taken = 0;
    side->gapless = seq_max(side->gapless, end);
    while (taken < side->range_count && seq_le(side->ranges[taken].left, side->gapless))
        side->gapless = seq_max(side->gapless, side->ranges[taken++].right);
    if (taken) {
        side->range_count -= taken;
        memmove(side->ranges, side->ranges + taken, side->range_count * sizeof *side->ranges);
    }
}

/* A stretch beyond a hole. When there is no room, the highest is forgotten, which only makes us know less. */
static void insert_range(struct side *side, uint32_t left, uint32_t right)
{
    unsigned first = 0;
    while (first < side->range_count && seq_lt(side->ranges[first].right, left))
        first++;
    unsigned last = first;
    while (last < side->range_count && seq_le(side->ranges[last].left, right)) {
        left = seq_min(left, side->ranges[last].left);
        right = seq_max(right, side->ranges[last].right);
        last++;
    }
    if (first == last && side->range_count == FACTS_RANGES_MAX) {
        side->ranges_full = true;
        if (first == FACTS_RANGES_MAX)
            return;
        side->range_count--;
    }
    memmove(&side->ranges[first + 1], &side->ranges[last], (side->range_count - last) * sizeof *side->ranges);
    side->range_count = side->range_count - (last - first) + 1;
    side->ranges[first] = (struct range){left, right};
}

/* The side contradicts itself: there is text behind this FIN, or another FIN elsewhere. Which of them counts, the RFCs do not say.
 */
static void note_odd_fin(struct side *side, uint32_t fin)
{
    for (unsigned i = 0; i < side->odd_fin_count; i++)
        if (side->odd_fins[i] == fin)
            return;
    if (side->odd_fin_count < FACTS_ODD_FINS_MAX)
        side->odd_fins[side->odd_fin_count++] = fin;
    else
        side->odd_fins_full = true;
}

/* Before side->nxt takes the segment into account. */
static void note_fin(struct side *side, const struct segment *s)
{
    const bool has_fin = s->tcp->flags & PKT_FIN;
    const uint32_t text_end = s->end - (has_fin ? 1 : 0);
    if (side->fin_seen && s->tcp->payload_len && seq_gt(text_end, side->fin)) {
        note_odd_fin(side, side->fin);
        side->fin_seen = false; /* it goes on behind it, or there: that FIN did not count */
    }
    if (!has_fin)
        return;
    const bool again = side->fin_seen && side->fin == text_end;
    if (side->fin_seen && !again)
        note_odd_fin(side, side->fin);
    side->fin_seen = true;
    side->fin = text_end;
    if (!again && seq_gt(side->nxt, text_end))
        note_odd_fin(side, text_end);
}

static void note_numbers(struct side *side, const struct segment *s)
{
    if (!side->known) {
        side->known = true;
        side->start = side->gapless = side->nxt = s->seq;
    }
    if (s->tcp->flags & PKT_SYN) {
        side->begun = true;
        side->iss = side->start = s->seq;
    }
    if (s->len > 0) {
        if (seq_le(s->seq, side->gapless))
            advance(side, s->end);
        else
            insert_range(side, s->seq, s->end);
    }
    note_fin(side, s);
    if (s->len > 0 || !(s->tcp->flags & PKT_RST))
        side->nxt = seq_max(side->nxt, s->end);
}

/* SYNs with other options, before any was answered: who knows which is? */
static bool is_other_offer(const struct offer *offer, const struct pkt_options *o)
{
    return offer->has_wscale != o->has_wscale || (o->has_wscale && offer->wscale != (o->wscale > 14 ? 14 : o->wscale)) ||
           offer->sack_permitted != o->sack_permitted || offer->has_timestamp != o->has_timestamp;
}

static void note_offer(struct side *side, const struct side *other, const struct segment *s)
{
    const struct pkt_options *o = &s->options;
    bool answer = s->tcp->flags & PKT_ACK;
    bool cut = s->tcp->options_len < s->tcp->data_offset * 4 - 20;
    if (side->offer.seen && !cut && !other->offer.seen)
        side->offer.unsure |= is_other_offer(&side->offer, o);
    if (side->offer.seen || cut)
        return;
    side->offer = (struct offer){
        .seen = true, .has_mss = o->has_mss, .mss = o->mss, .has_wscale = o->has_wscale,
        .wscale = o->wscale > 14 ? 14 : o->wscale, .sack_permitted = o->sack_permitted, .has_timestamp = o->has_timestamp,
        .has_fastopen = o->has_fastopen,
        .ecn_setup = answer ? (s->tcp->flags & (PKT_ECE | PKT_CWR)) == PKT_ECE : (s->tcp->flags & (PKT_ECE | PKT_CWR)) == (PKT_ECE | PKT_CWR),
    };
}

/* An ACK older than the newest may still grant more than that. Counted from the newest, since an edge that lies far behind it would
 * look like one ahead. */
static void note_ack(struct side *side, uint32_t ack, uint32_t window)
{
    const uint32_t newest = seq_max(side->ack, ack);
    const int64_t before = seq_distance(newest, side->edge), now = (int64_t)window - (int64_t)(newest - ack);
    const int64_t reach = before > now ? before : now;
    side->ack = newest;
    side->edge = newest + (reach > 0 ? (uint32_t)reach : 0);
}

static void note_window(struct side *side, const struct side *other, const struct segment *s)
{
    int scale = s->tcp->flags & PKT_SYN ? 0 : facts_scale(side, other);
    uint32_t window = (uint32_t)s->tcp->window << (scale < 0 ? 14 : scale);
    side->window = window;
    if (window > side->window_max)
        side->window_max = window;
    if (!(s->tcp->flags & PKT_ACK) || s->ack_doubtful)
        return;
    if (!side->ack_known) {
        side->ack = s->tcp->ack;
        side->edge = s->tcp->ack + window;
    }
    side->ack_known = true;
    note_ack(side, s->tcp->ack, window);
}

void facts_note(struct side *side, const struct side *other, const struct segment *s)
{
    side->segments++;
    side->last_index = s->index;
    if (s->tcp->flags & PKT_RST)
        return;
    side->live_ns = s->at_ns;
    note_numbers(side, s);
    if (s->tcp->flags & PKT_SYN)
        note_offer(side, other, s);
    note_window(side, other, s);
    if (s->options.has_timestamp) {
        side->ts_val_max = side->ts_known ? seq_max(side->ts_val_max, s->options.ts_val) : s->options.ts_val;
        side->ts_known = true;
    }
}

/* Judges the Timestamps option of what the IUT sends (RFC 7323 §3-5): where it is, that TSval runs forward, and what TSecr echoes.
 *
 * What TSecr may echo is TS.Recent (§4.3), and where nothing is lost or overtaken its value is known within bounds, both inclusive.
 * A segment *may* have raised it when SEG.SEQ =< Last.ACK.sent and SEG.TSval >= TS.Recent; whether it did depends on which formula
 * the IUT follows (RFC 1323 wanted text in the segment), and on whether it took the segment at all. It *has* raised it when the IUT
 * later acknowledges what this segment, and no other, brought first. Elsewhere TSecr only has to lie among the TSvals seen.
 *
 * Order: a segment with a larger SEG.ACK than any before was sent after them, however a capture shows it; anything else may be a
 * duplicate or have been overtaken. SYN cookies hide bits in the TSval of a SYN,ACK, at the cost of up to 64 ticks.
 *
 * Left out: how fast the clock ticks (§5.4), but that it does so at all; that each connection has its own offset (§7). */
#include "engine/model/lossy.h"

#include <inttypes.h>

enum {
    COOKIE_TICKS = 64,
    OPENING_STATES = 1u << TCP_STATE_CLOSED | 1u << TCP_STATE_LISTEN | 1u << TCP_STATE_SYN_SENT | 1u << TCP_STATE_SYN_RECEIVED,
};
static const int64_t frozen_ns = 2000000000; /* §5.4: a tick a second at least; and one of grace */

/* ---- what the peer has sent ------------------------------------------------------------------------------------------- */

static void see(struct ts_bounds *b, uint32_t value)
{
    if (!b->known) {
        *b = (struct ts_bounds){.known = true, .low = value, .high = value};
    } else if (seq_lt(value, b->low)) {
        b->low = value;
    } else if (seq_gt(value, b->high)) {
        b->high = value;
    }
    b->wide |= b->high - b->low > INT32_MAX;
}

static bool is_within(const struct ts_bounds *b, uint32_t value)
{
    return b->wide || value - b->low <= b->high - b->low;
}

/* A connection reopened by a SYN begins with what facts.c has kept of that SYN. */
static void begin(struct judge *j)
{
    struct timestamps_watch *w = &j->timestamps;
    if (w->seen.known || !j->in.ts_known)
        return;
    see(&w->seen, j->in.ts_val_max);
    if (j->in.begun)
        see(&w->recent, j->in.ts_val_max);
}

/* Which segment will have raised TS.Recent, once its first octets are acknowledged: the oldest of those that can have brought them.
 */
static void note_bearer(struct judge *j, const struct segment *s)
{
    struct timestamps_watch *w = &j->timestamps;
    bool plain = s->options.has_timestamp && seq_ge(s->options.ts_val, w->recent.low);
    if (s->tcp->flags & PKT_SYN && s->tcp->payload_len) { /* what came with a SYN may be kept, whatever brings it again */
        w->bearer = w->bearer_unclear = true;
        return;
    }
    if (!s->len || !j->out.ack_known || seq_gt(s->seq, j->out.ack) || seq_le(s->end, j->out.ack))
        return;
    if (!plain) {
        w->bearer_unclear = true;
    } else if (!w->bearer || seq_lt(s->options.ts_val, w->bearer_val)) {
        w->bearer_val = s->options.ts_val;
        w->bearer_fills_hole = j->in.range_count > 0;
    }
    w->bearer = true;
}

static void note_recent(struct judge *j, const struct segment *s)
{
    struct timestamps_watch *w = &j->timestamps;
    if (s->tcp->flags & PKT_SYN && s->options.has_timestamp && (!w->recent.known || judge_must_be(j, OPENING_STATES)))
        see(&w->recent, s->options.ts_val); /* of several, any may be the one that was taken */
    if (!w->recent.known)
        return;
    if (s->options.has_timestamp && s->at_ns - w->recent_ns >= timestamp_outdated_ns) /* then any TSval counts (§5.5) */
        see(&w->recent, s->options.ts_val);
    if (s->options.has_timestamp)
        w->recent_ns = s->at_ns;
    note_bearer(j, s);
    if (s->options.has_timestamp && seq_gt(s->options.ts_val, w->recent.high) && (!j->out.ack_known || seq_le(s->seq, j->out.ack)))
        w->recent.high = s->options.ts_val;
    w->recent.wide |= w->recent.high - w->recent.low > INT32_MAX;
}

/* TS.Recent may even be that of a segment which was dropped by a later check: R3 of §5.3 comes before those of RFC 9293. */
bool timestamps_may_be_old(const struct judge *j, uint32_t ts_val)
{
    const struct ts_bounds *recent = &j->timestamps.recent;
    return (j->in.ts_known && seq_lt(ts_val, j->in.ts_val_max)) ||
           (recent->known && (recent->wide || seq_lt(ts_val, recent->high)));
}

void timestamps_input(struct judge *j, const struct segment *s)
{
    struct timestamps_watch *w = &j->timestamps;
    begin(j);
    w->last_val = s->options.ts_val;
    w->last_has = s->options.has_timestamp && !(s->tcp->flags & PKT_RST);
    if (s->tcp->flags & PKT_RST)
        return;
    if (s->tcp->flags & PKT_SYN)
        *(s->options.has_timestamp ? &w->peer_with : &w->peer_without) = true;
    if (s->options.has_timestamp) {
        w->first_seen_ns = w->seen.known ? w->first_seen_ns : s->at_ns;
        see(&w->seen, s->options.ts_val);
        w->seen_ns = s->at_ns;
    }
    note_recent(j, s);
}

/* ---- where the option is ----------------------------------------------------------------------------------------------- */

/* Were timestamps agreed upon? SYNs that differ among each other leave it open. */
static enum agreed agreed(const struct judge *j)
{
    const struct timestamps_watch *w = &j->timestamps;
    if ((w->own_with && w->own_without) || (w->peer_with && w->peer_without))
        return AGREED_UNKNOWN;
    return facts_timestamps(&j->in, &j->out);
}

static void judge_syn_ack(struct judge *j, const struct segment *s)
{
    const struct timestamps_watch *w = &j->timestamps;
    if (w->own_syn || !j->in.offer.seen || !options_answers_syn(j, s))
        return;
    judge_tested(j, RULE_TS_UNASKED);
    if (s->options.has_timestamp && !w->peer_with && !j->in.offer.has_timestamp)
        judge_find(j, RULE_TS_UNASKED, s, JUDGE_NEEDS_COMPLETE, "a SYN,ACK without Timestamps option",
                   "the SYN it answers had none");
}

/* Where the connection may be gone already, a RST answers for none: nothing was agreed upon. */
static bool is_of_none(const struct judge *j)
{
    static const unsigned gone = 1u << TCP_STATE_CLOSED | 1u << TCP_STATE_LISTEN;
    return !judge_is_lossy(j) && (!judge_is_exact(j) || hypotheses_states(j->before) & gone);
}

static void judge_presence(struct judge *j, const struct segment *s)
{
    bool rst = s->tcp->flags & PKT_RST, has = s->options.has_timestamp;
    enum agreed yes = agreed(j);
    if (yes == AGREED_UNKNOWN || (rst && is_of_none(j)))
        return;
    if (yes == AGREED_NO) {
        judge_tested(j, RULE_TS_UNASKED);
        if (has && !rst)
            judge_find(j, RULE_TS_UNASKED, s, JUDGE_NEEDS_COMPLETE, "no Timestamps option", "not both SYNs had it");
        return;
    }
    judge_tested(j, rst ? RULE_TS_RST : RULE_TS_MISSING);
    if (!has)
        judge_find(j, rst ? RULE_TS_RST : RULE_TS_MISSING, s, JUDGE_NEEDS_COMPLETE, "a Timestamps option",
                   "both SYNs had it, this %s has not", rst ? "RST" : "segment");
}

/* ---- TSval --------------------------------------------------------------------------------------------------------------- */

/* In a capture: after the segment that had the highest TSval. Its identification says so, or its echo: TS.Recent never goes back.
 */
static bool was_sent_later(const struct judge *j, const struct segment *s)
{
    const struct timestamps_watch *w = &j->timestamps;
    return (w->echoed_known && s->tcp->flags & PKT_ACK && seq_gt(s->options.ts_ecr, w->echoed) &&
            is_within(&w->seen, s->options.ts_ecr)) ||
           lossy_is_counted(&j->lossy.trail_out, w->floor_id, s->packet);
}

static void judge_order(struct judge *j, const struct segment *s)
{
    const struct timestamps_watch *w = &j->timestamps;
    unsigned needs = JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_ORDER;
    uint32_t floor = w->floor;
    if (!w->floor_known || s->tcp->flags & PKT_SYN)
        return;
    if (judge_is_lossy(j) && !was_sent_later(j, s) && !lossy_is_newest(j, s))
        return;
    if (judge_is_lossy(j) && was_sent_later(j, s)) {
        needs = 0;
    } else if (s->tcp->flags & PKT_ACK && j->out.ack_known && seq_gt(s->tcp->ack, j->out.ack)) {
        needs = 0;
    } else if (judge_is_lossy(j)) {
        if (!s->len || seq_le(s->end, j->out.nxt))
            return;
        floor = w->floor_new;
    }
    judge_tested(j, RULE_TS_BACKWARD);
    if (seq_lt(s->options.ts_val, floor))
        judge_find(j, RULE_TS_BACKWARD, s, needs, "a TSval not below that of any segment before",
                   "TSval %" PRIu32 " after %" PRIu32, s->options.ts_val, floor);
}

static void raise_floor(struct judge *j, const struct segment *s)
{
    struct timestamps_watch *w = &j->timestamps;
    uint32_t value = s->options.ts_val;
    unsigned syn = s->tcp->flags & (PKT_SYN | PKT_ACK);
    if (syn & PKT_ACK) {
        w->echoed = w->echoed_known ? seq_max(w->echoed, s->options.ts_ecr) : s->options.ts_ecr;
        w->echoed_known = true;
    }
    if (!w->floor_known || seq_gt(value, w->floor))
        w->floor_id = s->packet->ip.id;
    if (syn & PKT_SYN) {
        w->floor = syn & PKT_ACK ? value - COOKIE_TICKS : value;
        w->floor_known = !(syn & PKT_ACK && j->host->pressed);
        w->floor_new = w->floor;
    } else if (!w->floor_known || seq_gt(value, w->floor)) {
        w->floor = value;
        w->floor_new = w->floor_known ? w->floor_new : value;
        w->floor_known = true;
    }
    if (w->floor_known && s->len && seq_gt(s->end, j->out.nxt) && seq_gt(value, w->floor_new))
        w->floor_new = value;
}

static void judge_clock(struct judge *j, const struct segment *s)
{
    struct timestamps_watch *w = &j->timestamps;
    if (judge_is_lossy(j))
        return;
    if (w->clock_known && w->clock_val == s->options.ts_val) {
        judge_tested(j, RULE_TS_FROZEN);
        if (s->earliest_ns > judge_latest(j, w->clock_ns, frozen_ns))
            judge_find(j, RULE_TS_FROZEN, s, 0, "a clock that ticks once a second at least", "TSval %" PRIu32 " still after %.3g s",
                       s->options.ts_val, (double)(s->earliest_ns - w->clock_ns) / 1e9);
        return;
    }
    w->clock_known = true;
    w->clock_val = s->options.ts_val;
    w->clock_ns = s->at_ns;
}

/* ---- TSecr --------------------------------------------------------------------------------------------------------------- */

/* The acknowledgment tells that the segment which bore its first octets was taken. */
static void take_bearer(struct judge *j, const struct segment *s, bool *filled_hole)
{
    struct timestamps_watch *w = &j->timestamps;
    *filled_hole = false;
    if (!w->bearer || !j->out.ack_known || seq_le(s->tcp->ack, j->out.ack))
        return;
    if (!w->bearer_unclear && seq_gt(w->bearer_val, w->recent.low)) {
        w->recent.low = w->bearer_val;
        *filled_hole = w->bearer_fills_hole;
    }
    w->bearer = w->bearer_unclear = false;
}

static void judge_recent(struct judge *j, const struct segment *s)
{
    const struct ts_bounds *recent = &j->timestamps.recent;
    uint32_t echo = s->options.ts_ecr;
    bool filled_hole;
    take_bearer(j, s, &filled_hole);
    if (!recent->known || recent->wide)
        return;
    enum rule_id rule = filled_hole ? RULE_TS_ECHO_HOLE : RULE_TS_ECHO_STALE;
    judge_tested(j, rule);
    judge_tested(j, RULE_TS_ECHO_TOO_NEW);
    if (seq_lt(echo, recent->low))
        judge_find(j, rule, s, 0, "the TSval of the segment that last advanced the acknowledgment",
                   "TSecr %" PRIu32 ", but TS.Recent is %" PRIu32 " or more", echo, recent->low);
    else if (seq_gt(echo, recent->high))
        judge_find(j, RULE_TS_ECHO_TOO_NEW, s, 0,
                   "the TSval of the earliest segment not yet acknowledged, or the last one in sequence",
                   "TSecr %" PRIu32 ", but TS.Recent is %" PRIu32 " at most", echo, recent->high);
}

/* The most ticks of the peer's clock in so long: microseconds are the fastest in use, unless it was seen for long enough to be
 * slower. */
static uint64_t ticks_at_most(const struct timestamps_watch *w, int64_t span_ns)
{
    static const int64_t long_enough_ns = 500000000; /* no path delays one segment so much more than another */
    static const unsigned slow_hz = 5000, fast_hz = 1000000;
    int64_t seen_ns = w->seen_ns - w->first_seen_ns;
    bool slow = seen_ns >= long_enough_ns && !w->seen.wide &&
                (uint64_t)(w->seen.high - w->seen.low) < (uint64_t)seen_ns / 1000000 * slow_hz / 1000;
    return (uint64_t)span_ns / 1000000 * (slow ? slow_hz : fast_hz) / 1000;
}

/* In a capture: a little above all TSvals seen says that one was missed, and a little below that an earlier SYN was. SYNs come
 * again for a minute. */
static bool is_of_missed(const struct judge *j, const struct segment *s)
{
    static const uint32_t slack = 2000, minute = 65536;
    uint32_t above = s->options.ts_ecr - j->timestamps.seen.high, below = j->timestamps.seen.low - s->options.ts_ecr;
    if (seq_lt(s->options.ts_ecr, j->timestamps.seen.low))
        return below <= minute;
    return seq_gt(s->options.ts_ecr, j->timestamps.seen.high) && above <= INT32_MAX &&
           above <= ticks_at_most(&j->timestamps, s->at_ns - j->timestamps.seen_ns) + slack;
}

static void judge_echo(struct judge *j, const struct segment *s)
{
    const struct ts_bounds *seen = &j->timestamps.seen;
    struct ts_bounds permitted = *seen;
    if (!seen->known)
        return;
    if (judge_is_lossy(j) && is_of_missed(j, s)) {
        j->evidence |= JUDGE_NEEDS_COMPLETE;
        return;
    }
    if (!j->in.begun) /* what was sent before the capture began may still be echoed */
        permitted.low = seq_min(permitted.low, s->options.ts_ecr);
    judge_tested(j, RULE_TS_ECHO);
    if (!is_within(&permitted, s->options.ts_ecr))
        judge_find(j, RULE_TS_ECHO, s, JUDGE_NEEDS_COMPLETE | (j->in.begun ? 0u : JUDGE_NEEDS_ORDER),
                   "a TSval that the peer has sent", "TSecr %" PRIu32 ", but the peer has sent %" PRIu32 " to %" PRIu32,
                   s->options.ts_ecr, seen->low, seen->high);
    else if (judge_is_exact(j))
        judge_recent(j, s);
}

static void judge_syn_echo(struct judge *j, const struct segment *s)
{
    judge_tested(j, RULE_TS_SYN_ECHO);
    if (s->options.ts_ecr != 0)
        judge_find(j, RULE_TS_SYN_ECHO, s, 0, "TSecr 0 in a segment without ACK", "TSecr %" PRIu32, s->options.ts_ecr);
}

/* A RST that the last input has caused, for all we know: nothing the application has done explains it. */
static void judge_rst_echo(struct judge *j, const struct segment *s)
{
    const struct application *app = &j->app;
    const struct timestamps_watch *w = &j->timestamps;
    if (!judge_is_exact(j) || !j->host->application_known || app->aborted || app->closed || app->unlistened || app->shut ||
        app->error_told || !w->last_has || s->earliest_ns < j->last_input_ns || judge_latest(j, j->last_input_ns, 0) < s->at_ns)
        return;
    judge_tested(j, RULE_TS_RST_ECHO);
    if (s->options.ts_ecr != w->last_val)
        judge_find(j, RULE_TS_RST_ECHO, s, 0, "the TSval of the segment that the RST answers",
                   "TSecr %" PRIu32 ", but that was %" PRIu32, s->options.ts_ecr, w->last_val);
}

/* ---- all of it ------------------------------------------------------------------------------------------------------------ */

static void judge_option(struct judge *j, const struct segment *s)
{
    if (s->tcp->flags & PKT_RST) {
        judge_rst_echo(j, s);
        return;
    }
    judge_order(j, s);
    raise_floor(j, s);
    judge_clock(j, s);
    if (s->tcp->flags & PKT_ACK)
        judge_echo(j, s);
    else if (s->tcp->flags & PKT_SYN)
        judge_syn_echo(j, s);
}

void timestamps_output(struct judge *j, const struct segment *s)
{
    struct timestamps_watch *w = &j->timestamps;
    unsigned flags = s->tcp->flags;
    begin(j);
    if (!(flags & PKT_SYN))
        judge_presence(j, s);
    else if (flags & PKT_ACK)
        judge_syn_ack(j, s);
    if (s->options.has_timestamp)
        judge_option(j, s);
    if (flags & PKT_SYN && !(flags & PKT_RST)) {
        w->own_syn |= !(flags & PKT_ACK);
        *(s->options.has_timestamp ? &w->own_with : &w->own_without) = true;
    }
}

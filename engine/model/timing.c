/* When: retransmission and its backoff, giving up, zero-window probes, keep-alives, and how many ACKs there are.
 *
 * Judged where the judge knows what has arrived (judge_is_exact): in a capture a retransmission may be lost before it is seen, and
 * an input after it was. Every bound is widened by the granularity and the latency of the target, and an output stands for the
 * interval in which it may have left.
 *
 * The *flight* is what the IUT has sent and no input has acknowledged; its head is the first octet (or SYN or FIN) of it. An ACK in
 * any input counts, whether the IUT takes it or not: so the flight is never larger than what the IUT must still care for.
 *
 * Intervals between transmissions of the head count as made by the timer only when nothing came in between them (RFC 5681 and 8985
 * have other reasons to send again). Of data, the first interval may be that of a tail loss probe, so RFC 6298's doubling is asked
 * for from the second to the third on; of SYN and SYN,ACK, from the first. Intervals of 60 s need grow no more (RFC 6298 (2.5)).
 *
 * Silence. The retransmission timeout cannot be seen, but bounded: three seconds at first (RFC 2988; RFC 6298 (2.1): one), then
 * no more than some multiple of the longest round trip so far, or twice the last interval. The watch waits well beyond that,
 * counted from the last event that may have moved the timer. A head never sent again is data not cared for (§3.8); one that was
 * sent again and then not any more has been given up, which must not be before R2 (§3.8.3). The same wait is for data that the
 * application has SENT, which is neither sent (MUST-60) nor probed for where the window is closed (§3.8.6.1).
 *
 * Left out: the value of the RTO of data, which depends on measurements nobody sees; that it is at least a second is a SHOULD that
 * stacks everywhere set aside, so it is a line of the portrait. Who has configured times or retries is not judged by defaults. */
#include "engine/model/inside.h"

#include <errno.h>

enum flight_kind { FLIGHT_SYN, FLIGHT_SYN_ACK, FLIGHT_DATA /* and FIN */ };

static const int64_t second_ns = 1000000000;
static const int64_t silence_min_ns = 5000000000;
static const int64_t interval_enough_ns = 57000000000; /* of 60 s, less what a coarse clock cuts off */
static const int64_t keep_alive_idle_s = 7200;

enum {
    OPEN_STATES = 1u << TCP_STATE_ESTABLISHED | 1u << TCP_STATE_FIN_WAIT_1 | 1u << TCP_STATE_CLOSE_WAIT | 1u << TCP_STATE_CLOSING |
                  1u << TCP_STATE_LAST_ACK,
    RECEIVING_STATES = 1u << TCP_STATE_ESTABLISHED | 1u << TCP_STATE_FIN_WAIT_1 | 1u << TCP_STATE_FIN_WAIT_2,
    GONE_STATES = 1u << TCP_STATE_CLOSED | 1u << TCP_STATE_LISTEN,
    PROBES_COMPARED = 8,
    SECONDS_R2_DATA = 100, SECONDS_R2_SYN = 180, SECONDS_R2_SYN_ACK = 20,
};

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

/* ---- what is known ------------------------------------------------------------------------------------------------- */

/* The application has SENT more than is on the wire. */
static bool has_queued(const struct judge *j)
{
    return j->host->application_known && j->out.begun && seq_lt(j->out.nxt, j->out.iss + 1 + (uint32_t)j->calls.sent);
}

static bool window_is_closed(const struct judge *j)
{
    return j->in.ack_known && j->in.window == 0;
}

/* The IUT knows that everything it sent has been acknowledged. */
static bool all_is_acknowledged(const struct judge *j)
{
    for (unsigned i = 0; i < j->now->count; i++)
        if (j->now->of[i].snd_una_low != j->out.nxt)
            return false;
    return j->now->count > 0;
}

/* How long the timer of that interval must at least have been set to. */
static int64_t timer_at_least(const struct judge *j, int64_t interval_ns)
{
    int64_t late_ns = j->host->granularity_ns + j->host->latency_ns;
    return interval_ns <= late_ns ? 0 : (interval_ns - late_ns) / (1000 + (int64_t)j->host->granularity_permille) * 1000;
}

/* What the retransmission or persist timer cannot exceed now. */
static int64_t silence_max_ns(const struct judge *j)
{
    const struct timing_watch *w = &j->timing;
    int64_t bound_ns = silence_min_ns;
    if (6 * w->rtt_max_ns > bound_ns)
        bound_ns = 6 * w->rtt_max_ns;
    if (w->interval_max_ns / 2 * 5 > bound_ns)
        bound_ns = w->interval_max_ns / 2 * 5;
    return bound_ns;
}

/* The times of the connection are not the stack's own; in_host: or retries, or times of the host. */
static bool is_configured(const struct judge *j, bool in_host)
{
    return j->timing.configured || j->calls.timers_configured || (in_host && j->host->timers_configured);
}

static void stir(struct timing_watch *w, int64_t at_ns)
{
    w->stirred_ns = at_ns;
    w->armed = true;
}

/* ---- the round trip, from above -------------------------------------------------------------------------------------- */

/* Everything in flight left after rtt_from_ns; everything beyond rtt_mark, after rtt_mark_ns. */
static void measure(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    static const int64_t tick_max_ns = 10000000; /* clocks of timestamps that tick more slowly only make the estimate too large */
    int64_t rtt_ns = s->at_ns - w->rtt_from_ns;
    if (s->options.has_timestamp && j->out.ts_known && seq_lt(s->options.ts_ecr, j->out.ts_val_max)) {
        int64_t told_ns = tick_max_ns * seq_distance(s->options.ts_ecr, j->out.ts_val_max);
        rtt_ns = rtt_ns > told_ns ? rtt_ns : told_ns;
    }
    if (rtt_ns > w->rtt_max_ns)
        w->rtt_max_ns = rtt_ns;
    if (seq_ge(s->tcp->ack, w->rtt_mark)) {
        w->rtt_from_ns = w->rtt_mark_ns;
        w->rtt_mark = j->out.nxt;
        w->rtt_mark_ns = s->at_ns;
    }
}

/* ---- the flight ------------------------------------------------------------------------------------------------------ */

static uint8_t kind_of(const struct segment *s)
{
    if (s->tcp->flags & PKT_SYN)
        return s->tcp->flags & PKT_ACK ? FLIGHT_SYN_ACK : FLIGHT_SYN;
    return FLIGHT_DATA;
}

static void note_transmission(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    w->kind = kind_of(s);
    w->transmissions++;
    w->sent_earliest_ns = s->earliest_ns;
    w->sent_ns = s->at_ns;
    w->sent_known = w->undisturbed = true;
    w->errors_before = j->icmp.count;
}

static int64_t r2_s(const struct timing_watch *w)
{
    static const int64_t of[] = {[FLIGHT_SYN] = SECONDS_R2_SYN, [FLIGHT_SYN_ACK] = SECONDS_R2_SYN_ACK, [FLIGHT_DATA] = SECONDS_R2_DATA};
    return of[w->kind];
}

/* Did the IUT surely take the ACKs that have brought the head to where it is? */
static bool head_is_sure(const struct judge *j)
{
    for (unsigned i = 0; i < j->now->count; i++)
        if (j->now->of[i].state >= TCP_STATE_SYN_SENT && seq_lt(j->now->of[i].snd_una_low, j->timing.head))
            return false;
    return true;
}

/* Since when the IUT has been waiting for the ACK of its head, at the latest. */
static int64_t waits_since(const struct judge *j)
{
    const struct timing_watch *w = &j->timing;
    return head_is_sure(j) ? w->first_ns : w->sure_first_ns;
}

/* The flight is still cared for after R2 (RFC 9293 §3.8.3). */
static void note_persistence(struct judge *j, int64_t at_ns)
{
    const struct timing_watch *w = &j->timing;
    if (w->kind != FLIGHT_SYN_ACK && at_ns - waits_since(j) >= r2_s(w) * second_ns)
        judge_tested(j, w->kind == FLIGHT_SYN ? RULE_R2_SYN : RULE_R2_DATA);
}

static void begin_flight(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    bool sure = head_is_sure(j);
    w->flying = true;
    w->head = s->seq;
    w->transmissions = w->intervals = 0;
    w->first_ns = s->earliest_ns;
    if (sure)
        w->sure_first_ns = w->first_ns;
    w->rtt_from_ns = s->earliest_ns;
    w->rtt_mark = s->end;
    w->rtt_mark_ns = s->at_ns;
    note_transmission(j, s);
}

/* It is sent again although it seemed acknowledged: the IUT has refused that ACK (it came outside the window, say), and still
 * waits. */
static void resume_flight(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    if (!w->flying) {
        w->rtt_mark = s->end;
        w->rtt_from_ns = w->rtt_mark_ns = s->at_ns;
    }
    w->flying = true;
    w->head = s->seq;
    w->intervals = 0;
    w->transmissions = 1;
    w->first_ns = w->sure_first_ns;
    note_transmission(j, s);
}

static bool is_resumed(const struct judge *j, const struct segment *s)
{
    const struct timing_watch *w = &j->timing;
    return !head_is_sure(j) && j->out.known && seq_lt(s->seq, w->head) && seq_le(s->end, j->out.nxt);
}

/* RFC 6298 (5.5). longest_ns: what the interval may have been at most. */
static void watch_backoff(struct judge *j, const struct segment *s, int64_t longest_ns)
{
    struct timing_watch *w = &j->timing;
    bool is_syn = w->kind == FLIGHT_SYN || w->kind == FLIGHT_SYN_ACK;
    int64_t before_ns = timer_at_least(j, w->interval_ns), needed_ns = before_ns * 2 / 10 * 9;
    if (w->intervals < (is_syn ? 1 : 2) || before_ns <= 0 || is_configured(j, false) || (!is_syn && window_is_closed(j)))
        return;
    judge_tested(j, RULE_RTO_BACKOFF);
    if (longest_ns >= needed_ns || longest_ns >= interval_enough_ns)
        return;
    judge_find(j, RULE_RTO_BACKOFF, s, 0, "twice the interval before, or at least 60 s",
               "it comes %.3f s after the transmission before it, which came after %.3f s", seconds(longest_ns),
               seconds(w->interval_ns));
}

/* RFC 6298 (2.1), (5.7). A timer that counts coarse ticks may run out up to one early. */
static void watch_first_interval(struct judge *j, const struct segment *s, int64_t longest_ns)
{
    const int64_t early_ns = j->host->granularity_ns, syn_ns = 950000000 - early_ns, data_ns = 2850000000 - early_ns;
    struct timing_watch *w = &j->timing;
    if (w->kind == FLIGHT_SYN || w->kind == FLIGHT_SYN_ACK) {
        portrait_note(&j->host->portrait, w->kind == FLIGHT_SYN ? CHOICE_RTO_INITIAL_SYN : CHOICE_RTO_INITIAL_SYN_ACK, longest_ns);
        w->syn_lost = longest_ns < data_ns;
        judge_tested(j, RULE_RTO_INITIAL);
        if (longest_ns < syn_ns && !is_configured(j, true))
            judge_find(j, RULE_RTO_INITIAL, s, 0, "a second or more after the first", "it comes after %.3f s", seconds(longest_ns));
        return;
    }
    if (window_is_closed(j))
        return;
    portrait_note(&j->host->portrait, CHOICE_RTO_DATA, longest_ns);
    bool rtt_unknown = w->syn_lost && w->head == j->out.iss + 1 && w->flights == 2 && facts_sack(&j->in, &j->out) == AGREED_NO &&
                       facts_timestamps(&j->in, &j->out) == AGREED_NO;
    if (!rtt_unknown || is_configured(j, true))
        return;
    judge_tested(j, RULE_RTO_AFTER_SYN);
    if (longest_ns < data_ns)
        judge_find(j, RULE_RTO_AFTER_SYN, s, 0, "three seconds or more after the first transmission", "it comes after %.3f s",
                   seconds(longest_ns));
}

static void retransmit(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    note_persistence(j, s->at_ns);
    int64_t shortest_ns = s->earliest_ns - w->sent_ns, longest_ns = s->at_ns - w->sent_earliest_ns;
    if (!w->sent_known || !w->undisturbed || w->errors_before != j->icmp.count || w->kind != kind_of(s)) {
        w->intervals = 0;
    } else {
        if (w->intervals == 0 && w->transmissions == 1)
            watch_first_interval(j, s, longest_ns);
        judge_tested(j, RULE_RETRANSMITTED);
        watch_backoff(j, s, longest_ns);
        w->intervals++;
        w->interval_ns = shortest_ns > 0 ? shortest_ns : 0;
    }
    if (w->sent_known && longest_ns > w->interval_max_ns)
        w->interval_max_ns = longest_ns;
    note_transmission(j, s);
}

/* ---- zero-window probes ------------------------------------------------------------------------------------------------ */

/* RFC 9293 §3.8.6.1: SHLD-30. A probe timer may have a floor, so that the first intervals are alike; eight of them are not. */
static void note_probe(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    int64_t interval_ns = s->at_ns - w->probe_ns;
    if (w->probes == 0 && w->window_closed_ns)
        portrait_note(&j->host->portrait, CHOICE_PERSIST_FIRST, s->at_ns - w->window_closed_ns);
    if (w->probes == 1)
        w->probe_interval_ns = s->earliest_ns - w->probe_ns;
    if (w->probes > 0 && interval_ns > w->interval_max_ns)
        w->interval_max_ns = interval_ns;
    if (w->probes == PROBES_COMPARED && !is_configured(j, false)) {
        int64_t needed_ns = timer_at_least(j, w->probe_interval_ns) / 10 * 18;
        judge_tested(j, RULE_PROBE_BACKOFF);
        if (interval_ns < needed_ns && interval_ns < interval_enough_ns)
            judge_find(j, RULE_PROBE_BACKOFF, s, 0, "intervals that grow exponentially", "the first was %.3f s, the %uth is %.3f s",
                       seconds(w->probe_interval_ns), w->probes, seconds(interval_ns));
    }
    judge_tested(j, RULE_PROBES);
    w->probes++;
    w->probe_ns = s->at_ns;
    w->probe_answered = false;
}

/* ---- keep-alives --------------------------------------------------------------------------------------------------------- */

static void note_keep_alive(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    int64_t idle_ns = s->at_ns - w->heard_ns, limit_s = j->calls.keep_idle_s ? j->calls.keep_idle_s : keep_alive_idle_s;
    portrait_note(&j->host->portrait, CHOICE_KEEP_ALIVE_GARBAGE, s->len ? 1 : 0);
    if (!j->host->application_known || !w->heard)
        return;
    judge_tested(j, RULE_KEEP_ALIVE_ASKED);
    if (!j->app.keep_alive && !j->calls.keep_alive_asked) {
        judge_find(j, RULE_KEEP_ALIVE_ASKED, s, 0, "nothing, as the application has not asked for keep-alives",
                   "it comes after %.3f s without anything", seconds(idle_ns));
        return;
    }
    if (j->host->timers_configured && !j->calls.keep_idle_s)
        return;
    if (j->calls.keep_idle_any)
        return;
    judge_tested(j, RULE_KEEP_ALIVE_IDLE);
    if (idle_ns < limit_s * second_ns / 100 * 98)
        judge_find(j, RULE_KEEP_ALIVE_IDLE, s, 0, "nothing before the connection has been idle for the interval",
                   "the last segment came %.3f s ago, and the interval is %d s", seconds(idle_ns), (int)limit_s);
}

/* ---- acknowledgments ------------------------------------------------------------------------------------------------------ */

static uint32_t rmss(const struct judge *j)
{
    if (j->out.offer.has_mss)
        return j->out.offer.mss;
    return j->iut.addr.version == 6 ? 1220 : 536;
}

/* RFC 9293 §3.8.6.3, SHLD-19, when the next input comes: all that the last one caused has been seen. */
static void watch_ack_every_second(struct judge *j)
{
    uint32_t twice = 2 * rmss(j);
    if (!j->out.ack_known || !j->in.begun || !j->out.offer.seen || seq_distance(j->out.ack, j->in.gapless) < (int32_t)twice)
        return;
    for (unsigned i = 0; i < j->now->count; i++)
        if (seq_distance(j->out.ack, j->now->of[i].rcv_nxt_low) < (int32_t)twice)
            return;
    if (!judge_must_be(j, RECEIVING_STATES))
        return;
    judge_tested(j, RULE_ACK_EVERY_SECOND);
    judge_find_silence(j, RULE_ACK_EVERY_SECOND, j->in.last_index, j->now_ns, "an ACK at every second full-sized segment",
                       "%d octets are not acknowledged, more than two segments of %u", seq_distance(j->out.ack, j->in.gapless),
                       rmss(j));
}

static bool is_same_ack(const struct timing_watch *w, const struct segment *s)
{
    const struct pkt_options *o = &s->options;
    return w->ack_ack == s->tcp->ack && w->ack_window == s->tcp->window && w->ack_flags == s->tcp->flags && w->ack_blocks == o->sack_count &&
           (!o->sack_count || (w->ack_left == o->sack[0].left && w->ack_right == o->sack[0].right));
}

/* RFC 5681 §4.2: at most one immediate ACK for each segment. One that says nothing new, and follows another without any input or
 * call between, is a second; but where the segment before the last has had none, either may be its own. */
static void watch_second_ack(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    if (!(s->tcp->flags & PKT_ACK) || s->tcp->flags & (PKT_SYN | PKT_RST | PKT_FIN) || s->len > 0 || s->seq != j->out.nxt)
        return;
    judge_tested(j, RULE_ACK_ONCE);
    if (w->ack_since_input && !w->ack_outstanding && j->host->application_known && is_same_ack(w, s) &&
        s->at_ns <= j->last_input_ns + j->host->latency_ns)
        judge_find(j, RULE_ACK_ONCE, s, 0, "one ACK for a segment",
                       "it is the same as the one before, and nothing came between them");
    w->ack_outstanding &= !w->ack_since_input;
    w->ack_since_input = true;
    w->ack_ack = s->tcp->ack;
    w->ack_window = s->tcp->window;
    w->ack_flags = s->tcp->flags;
    w->ack_blocks = s->options.sack_count;
    w->ack_left = s->options.sack[0].left;
    w->ack_right = s->options.sack[0].right;
}

static void note_ack_delay(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    if (s->tcp->flags & PKT_ACK && j->out.ack_known && j->out.offer.seen &&
        seq_distance(j->out.ack, s->tcp->ack) >= (int32_t)(2 * rmss(j)))
        judge_tested(j, RULE_ACK_EVERY_SECOND);
    if (w->unacked == 0 || !(s->tcp->flags & PKT_ACK) || seq_le(s->tcp->ack, j->out.ack))
        return;
    portrait_note(&j->host->portrait, CHOICE_ACK_DELAY, s->at_ns - w->unacked_ns);
    if (s->at_ns <= j->last_input_ns + j->host->latency_ns)
        portrait_note(&j->host->portrait, CHOICE_ACK_EVERY, w->unacked);
    w->unacked = 0;
}

/* ---- events -------------------------------------------------------------------------------------------------------------- */

/* An ACK that may have been taken: the flight shrinks. */
static void take_ack(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    uint32_t ack = s->tcp->ack;
    if (!w->flying || seq_le(ack, w->head) || seq_gt(ack, j->out.nxt))
        return;
    measure(j, s);
    if (s->at_ns - waits_since(j) > w->longest_wait_ns)
        w->longest_wait_ns = s->at_ns - waits_since(j);
    if (head_is_sure(j))
        w->sure_first_ns = w->first_ns;
    if (!w->initial_window_noted && j->out.begun && seq_gt(ack, j->out.iss + 1)) {
        w->initial_window_noted = true;
        portrait_note(&j->host->portrait, CHOICE_INITIAL_WINDOW, (int64_t)(j->out.nxt - j->out.iss - 1));
    }
    w->flying = ack != j->out.nxt;
    w->head = ack;
    w->transmissions = 1;
    w->intervals = 0;
    w->sent_known = false;
    w->first_ns = s->at_ns;
}

void timing_input(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    bool syn_ack = (s->tcp->flags & (PKT_ACK | PKT_SYN)) == (PKT_ACK | PKT_SYN);
    bool in_order = (s->tcp->flags & (PKT_ACK | PKT_RST)) == PKT_ACK && (syn_ack || (j->in.known && s->seq == j->in.gapless));
    w->events++;
    w->ack_outstanding = w->ack_wanted && !w->ack_since_input;
    w->ack_wanted = s->len > 0;
    w->undisturbed = w->ack_since_input = false;
    if (!judge_is_exact(j))
        return;
    watch_ack_every_second(j);
    stir(w, s->at_ns);
    if (s->options.has_user_timeout)
        w->configured = true;
    if ((s->tcp->flags & (PKT_ACK | PKT_RST)) == PKT_ACK && s->at_ns - w->probe_ns < silence_max_ns(j) &&
        !judge_must_be(j, GONE_STATES)) /* later, nobody may be waiting for it any more */
        w->probe_answered = true;
    if (w->probes > 0)
        judge_tested(j, RULE_PROBED_STAYS_OPEN);
    if (in_order) {
        w->heard = true;
        w->heard_ns = s->at_ns;
        if (s->tcp->payload_len > 0 && w->unacked++ == 0)
            w->unacked_ns = s->at_ns;
    }
    if ((s->tcp->flags & (PKT_ACK | PKT_RST)) != PKT_ACK)
        return;
    if (s->tcp->window > 0)
        w->probes = 0;
    else if (!window_is_closed(j))
        w->window_closed_ns = s->at_ns;
    take_ack(j, s);
}

/* What lies just below SND.NXT, or beyond the window. */
static bool is_probe(const struct judge *j, const struct segment *s)
{
    bool answers = s->len == 0 && j->reacting && s->at_ns <= judge_latest(j, j->last_input_ns, 0);
    if (s->tcp->flags & (PKT_SYN | PKT_FIN | PKT_RST) || !j->out.known || s->len > 1 || answers)
        return false;
    return s->seq + 1 == j->out.nxt || (s->len == 1 && seq_gt(s->end, judge_send_edge_most(j)));
}

static void take_probe(struct judge *j, const struct segment *s)
{
    bool fin_waits = j->app.shut && !j->out.fin_seen;
    if (s->seq + 1 == j->out.nxt && !j->timing.flying && all_is_acknowledged(j) && !has_queued(j) && !fin_waits) {
        note_keep_alive(j, s);
    } else if (window_is_closed(j)) {
        note_probe(j, s);
        stir(&j->timing, s->at_ns);
    }
}

void timing_output(struct judge *j, const struct segment *s)
{
    struct timing_watch *w = &j->timing;
    if (!judge_is_exact(j))
        return;
    if (s->tcp->flags & PKT_RST) { /* it may have answered a segment of no connection */
        if (judge_must_be(j, GONE_STATES))
            w->flying = w->armed = false;
        return;
    }
    note_ack_delay(j, s);
    watch_second_ack(j, s);
    if (is_probe(j, s))
        take_probe(j, s);
    if (s->len == 0)
        return;
    w->ack_since_input = false;
    stir(w, s->at_ns);
    if (w->flying && seq_le(s->seq, w->head) && seq_gt(s->end, w->head)) {
        retransmit(j, s);
    } else if (is_resumed(j, s)) {
        resume_flight(j, s);
    } else if (!w->flying && (!j->out.known || seq_gt(s->end, j->out.nxt))) {
        w->flights++;
        begin_flight(j, s);
        if (s->tcp->payload_len > 0 && j->host->application_known)
            judge_tested(j, RULE_SENT_IN_TIME);
    } else if (w->kind == FLIGHT_DATA) {
        w->intervals = 0; /* new data, or another part of the flight: what the next interval is made by is not sure */
    }
}

/* ---- silence ------------------------------------------------------------------------------------------------------------- */

static bool flight_must_go_on(const struct judge *j)
{
    const struct timing_watch *w = &j->timing;
    if (w->kind == FLIGHT_SYN)
        return judge_must_be(j, 1u << TCP_STATE_SYN_SENT);
    if (w->kind == FLIGHT_SYN_ACK)
        return judge_must_be(j, 1u << TCP_STATE_SYN_RECEIVED) && !j->host->pressed && !j->app.unlistened;
    return judge_must_be(j, OPEN_STATES);
}

static void find_silent_flight(struct judge *j, int64_t now_ns)
{
    const struct timing_watch *w = &j->timing;
    char number[NUMBER_TEXT_MAX];
    int64_t since_ns = waits_since(j), begun_ns = window_is_closed(j) && w->heard_ns > since_ns ? w->heard_ns : since_ns;
    bool again = w->transmissions > 1;
    if (again && w->kind == FLIGHT_SYN_ACK) /* back to LISTEN, and nobody is told */
        return;
    enum rule_id rule = !again ? RULE_RETRANSMITTED : w->kind == FLIGHT_SYN ? RULE_R2_SYN : RULE_R2_DATA;
    if (!flight_must_go_on(j) || j->icmp.hard || judge_latest(j, w->stirred_ns, silence_max_ns(j)) > begun_ns + r2_s(w) * second_ns)
        return;
    judge_tested(j, rule);
    judge_find_silence(j, rule, j->out.last_index, now_ns, "another transmission", "%s of %s, and then nothing for %.1f s",
                       again ? "there were retransmissions" : "there was no retransmission", side_number(&j->out, w->head, number),
                       seconds(now_ns - w->stirred_ns));
}

static void find_silent_queue(struct judge *j, int64_t now_ns)
{
    const struct timing_watch *w = &j->timing;
    bool closed = window_is_closed(j);
    if (!judge_must_be(j, OPEN_STATES) || j->calls.push_withheld || j->icmp.hard)
        return;
    if (judge_latest(j, w->stirred_ns, silence_max_ns(j)) > w->heard_ns + SECONDS_R2_DATA * second_ns)
        return;
    enum rule_id rule = closed ? RULE_PROBES : RULE_SENT_IN_TIME;
    judge_tested(j, rule);
    judge_find_silence(j, rule, 0, now_ns, closed ? "a probe of one octet, or a retransmission" : "the data",
                       "%u octets wait to be sent, and nothing came for %.1f s",
                       j->out.iss + 1 + (uint32_t)j->calls.sent - j->out.nxt, seconds(now_ns - w->stirred_ns));
}

static bool waits(const struct judge *j)
{
    const struct timing_watch *w = &j->timing;
    return w->armed && judge_is_exact(j) && !is_configured(j, true) && (w->flying || has_queued(j));
}

int64_t timing_deadline(const struct judge *j)
{
    return waits(j) ? judge_latest(j, j->timing.stirred_ns, silence_max_ns(j)) + 1 : INT64_MAX;
}

void timing_time(struct judge *j, int64_t now_ns)
{
    struct timing_watch *w = &j->timing;
    if (now_ns < timing_deadline(j))
        return;
    if (w->flying)
        find_silent_flight(j, now_ns);
    else
        find_silent_queue(j, now_ns);
    if (w->flying && w->kind == FLIGHT_SYN_ACK)
        portrait_note(&j->host->portrait, CHOICE_SYN_ACK_TRANSMISSIONS, w->transmissions);
    w->armed = false;
}

/* ---- the application ------------------------------------------------------------------------------------------------------- */

/* The application is told that the connection timed out (RFC 9293 §3.8.3). */
static void watch_give_up(struct judge *j, int64_t at_ns)
{
    struct timing_watch *w = &j->timing;
    int64_t spent_ns = at_ns - waits_since(j);
    if (!judge_is_exact(j) || is_configured(j, true) || j->icmp.count)
        return;
    if (window_is_closed(j) && w->probes > 0) {
        judge_tested(j, RULE_PROBED_STAYS_OPEN);
        if (w->probe_answered)
            judge_find_silence(j, RULE_PROBED_STAYS_OPEN, j->in.last_index, at_ns, "the connection stays open",
                               "it times out after %u probes, the last of them answered", w->probes);
        return;
    }
    if (!w->flying || w->kind == FLIGHT_SYN_ACK)
        return;
    if (w->kind == FLIGHT_SYN)
        portrait_note(&j->host->portrait, CHOICE_SYN_TRANSMISSIONS, w->transmissions);
    enum rule_id rule = w->kind == FLIGHT_SYN ? RULE_R2_SYN : RULE_R2_DATA;
    judge_tested(j, rule);
    if (w->longest_wait_ns > spent_ns) /* it may have been then that it gave up, and was asked only now */
        spent_ns = w->longest_wait_ns;
    if (spent_ns < r2_s(w) * second_ns / 100 * 98)
        judge_find_silence(j, rule, j->out.last_index, at_ns, "more retransmissions",
                           "it times out %.1f s after the first of %u transmissions", seconds(spent_ns), w->transmissions);
}

void timing_call(struct judge *j, const struct judge_call *call, int64_t at_ns)
{
    stir(&j->timing, at_ns);
    j->timing.ack_since_input = false;
    if (call->kind != JUDGE_CALL_ERROR)
        j->timing.events++;
    if (call->kind == JUDGE_CALL_ERROR && call->amount == ETIMEDOUT)
        watch_give_up(j, at_ns);
}

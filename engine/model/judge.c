/* The judge: life cycle, the order of things, and the set of hypotheses.
 *
 * Theory of operation. A *hypothesis* is one situation in which the IUT may be: a state, bounds on RCV.NXT and SND.UNA, and the
 * reactions it still owes. The judge holds the set of those that explain everything so far. An input maps each to all its permitted
 * successors (arrival.c: RFC 9293 §3.10.7 with its MAYs); an output is explained when at least one permits it (emission.c), and
 * those that do not are dropped; an obligation that runs out drops the hypotheses that have it. When none is left, the last to go
 * say what was violated: that is the finding. This is conformance in the sense of ioco and tioco (Tretmans; Schmaltz and Tretmans):
 * after every trace that the specification allows, outputs, silence included, are among those that it allows.
 *
 * Bounded. Hypotheses that agree in state and obligations are joined: the hull of their bounds. There are eleven states, so the set
 * is small whatever the trace; a join only ever permits more. Should the bound be reached nevertheless, the judge says so
 * (judge_inconclusive) and finds nothing more.
 *
 * Facts, as opposed to hypotheses, are what both sides have put on the wire (facts.c): they only grow, and the watching parts
 * (header.c, options.c, …) judge by them. In a capture nothing says that an input arrived, or that an output was not
 * preceded by one that the capture missed: there lossy.c takes the place of emission.c.
 *
 * An output may have left before the last input arrived (on TAP, a timer that fires on another processor). Where its time says
 * so, the hypotheses before that input may explain it as well.
 *
 * After a MUST-level finding the IUT is not where it should be, and everything said about it from then on would be an echo of
 * that: only the watching parts go on, which judge each segment by itself. */
#include "engine/model/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the set ------------------------------------------------------------------------------------------------------- */

static bool same_dues(const struct hypothesis *a, const struct hypothesis *b)
{
    if (a->due_count != b->due_count)
        return false;
    for (unsigned i = 0; i < a->due_count; i++)
        if (a->dues[i].kind != b->dues[i].kind || a->dues[i].rule != b->dues[i].rule || a->dues[i].cause != b->dues[i].cause)
            return false;
    return true;
}

static void join(struct hypothesis *a, const struct hypothesis *b)
{
    a->rcv_nxt_low = seq_min(a->rcv_nxt_low, b->rcv_nxt_low);
    a->rcv_nxt_high = seq_max(a->rcv_nxt_high, b->rcv_nxt_high);
    a->snd_una_low = seq_min(a->snd_una_low, b->snd_una_low);
    a->snd_una_high = seq_max(a->snd_una_high, b->snd_una_high);
    for (unsigned i = 0; i < a->due_count; i++) {
        if (b->dues[i].deadline_ns > a->dues[i].deadline_ns)
            a->dues[i].deadline_ns = b->dues[i].deadline_ns;
        a->dues[i].loose |= b->dues[i].loose;
        if (a->dues[i].kind == DUE_ACK)
            a->dues[i].ack = seq_min(a->dues[i].ack, b->dues[i].ack);
    }
}

void hypotheses_add(struct judge *j, struct hypotheses *set, const struct hypothesis *h)
{
    for (unsigned i = 0; i < set->count; i++) {
        struct hypothesis *other = &set->of[i];
        bool of_other_syns = h->reopened && other->rcv_nxt_low != h->rcv_nxt_low;
        if (other->state == h->state && other->passive == h->passive && other->reopened == h->reopened && other->faded == h->faded &&
            !of_other_syns && same_dues(other, h)) {
            join(other, h);
            return;
        }
    }
    if (set->count == HYPOTHESES_MAX) {
        j->cut_short = j->disturbed = j->blind = true;
        return;
    }
    set->of[set->count++] = *h;
}

void hypotheses_copy(struct hypotheses *to, const struct hypotheses *from)
{
    to->count = from->count;
    memcpy(to->of, from->of, from->count * sizeof *from->of);
}

unsigned hypotheses_states(const struct hypotheses *set)
{
    unsigned states = 0;
    for (unsigned i = 0; i < set->count; i++)
        states |= 1u << set->of[i].state;
    return states;
}

bool judge_may_be(const struct judge *j, enum tcp_state state)
{
    return hypotheses_states(j->now) & 1u << state;
}

bool judge_must_be(const struct judge *j, unsigned states)
{
    return !(hypotheses_states(j->now) & ~states);
}

unsigned judge_lives(const struct judge *j)
{
    return j->lives;
}

unsigned judge_states(const struct judge *j)
{
    return hypotheses_states(j->now);
}

void judge_add_gone(struct judge *j, struct hypotheses *set, const struct hypothesis *h)
{
    struct hypothesis gone = {.state = j->app.listening ? TCP_STATE_LISTEN : TCP_STATE_CLOSED, .faded = h->faded};
    gone.due_count = h->due_count;
    memcpy(gone.dues, h->dues, sizeof gone.dues);
    hypotheses_add(j, set, &gone);
    if (!j->host->application_known && gone.state == TCP_STATE_CLOSED) {
        gone.state = TCP_STATE_LISTEN;
        hypotheses_add(j, set, &gone);
    }
}

/* ---- life cycle ---------------------------------------------------------------------------------------------------- */

/* RFC 9293 §3.9.2.3: segments from or to what is no single host's address are dropped without a word. */
static bool is_unicast(const struct pkt_addr *a)
{
    static const uint8_t none[16];
    if (a->version == 6)
        return a->bytes[0] != 0xff && memcmp(a->bytes, none, 16) != 0;
    return a->bytes[0] < 224 && a->bytes[0] != 0;
}

bool judge_host_throttles(struct judge_host *host, int64_t now_ns)
{
    static const int64_t interval_ns = 5000000000;
    int64_t *oldest = &host->challenges_ns[host->challenge_count++ % JUDGE_CHALLENGES_MAX];
    bool throttles = host->challenge_count > JUDGE_CHALLENGES_MAX && now_ns - *oldest < interval_ns;
    *oldest = now_ns;
    return throttles;
}

enum { GONE_STATES = 1u << TCP_STATE_CLOSED | 1u << TCP_STATE_LISTEN, MORTAL_STATES = (1u << TCP_STATE_COUNT) - 1 - GONE_STATES };

/* In a capture there is no set: the IUT may be anywhere. */
static struct hypotheses *anything(void)
{
    static struct hypotheses all = {.count = TCP_STATE_COUNT};
    for (unsigned state = 0; state < TCP_STATE_COUNT; state++)
        all.of[state].state = (uint8_t)state;
    return &all;
}

static void fill_set(struct judge *j, unsigned states)
{
    j->now->count = 0;
    j->before = j->now + 1;
    j->disturbed = !states || states & MORTAL_STATES; /* the numbers of a connection that is there already are not known */
    for (unsigned state = 0; state < TCP_STATE_COUNT; state++)
        if (!states || states & 1u << state)
            hypotheses_add(j, j->now, &(struct hypothesis){.state = (uint8_t)state});
    hypotheses_copy(j->before, j->now);
}

static bool begin_set(struct judge *j, unsigned states)
{
    if (judge_is_lossy(j)) {
        j->now = j->before = anything();
        return true;
    }
    j->now = calloc(2, sizeof *j->now);
    if (!j->now)
        return false;
    fill_set(j, states);
    return true;
}

size_t judge_memory_len(void)
{
    return sizeof(struct judge);
}

static void begin(struct judge *j, const struct judge_config *config)
{
    j->host = config->host;
    j->iut = config->iut;
    j->peer = config->peer;
    j->report = config->report;
    j->context = config->context;
    j->unicast = is_unicast(&config->iut.addr) && is_unicast(&config->peer.addr);
    j->app.listening = config->states == 1u << TCP_STATE_LISTEN;
}

struct judge *judge_place(void *memory, const struct judge_config *config)
{
    struct judge *j = memory;
    begin(j, config);
    return begin_set(j, config->states) ? j : NULL;
}

void judge_again(struct judge *j, const struct judge_config *config)
{
    struct hypotheses *set = j->now;
    struct side *candidate = j->candidate;
    content_release(j);
    *j = (struct judge){.now = set};
    begin(j, config);
    fill_set(j, config->states);
    free(candidate);
}

struct judge *judge_new(const struct judge_config *config)
{
    void *memory = calloc(1, sizeof(struct judge));
    struct judge *j = memory ? judge_place(memory, config) : NULL;
    if (!j)
        free(memory);
    return j;
}

void judge_clear(struct judge *j)
{
    content_release(j);
    lossy_release(j);
    free(j->candidate);
    if (!judge_is_lossy(j))
        free(j->now);
}

void judge_free(struct judge *j)
{
    if (!j)
        return;
    judge_clear(j);
    free(j);
}

/* Of thousands of connections, none is in the processor's cache when its segment comes: what follows would wait for one line of
 * memory after the other. The lines, with a few more that are seldom used, from the beginning up to where only other links go. */
void judge_prefetch(const void *judge)
{
    enum { CACHE_LINE_LEN = 64 };
    for (size_t at = 0; at < offsetof(struct judge, content.in); at += CACHE_LINE_LEN)
        __builtin_prefetch((const char *)judge + at, 1);
}

void parts_reset(struct judge *j)
{
    content_release(j);
    j->options = (struct options_watch){0};
    j->timestamps = (struct timestamps_watch){0};
    j->sack = (struct sack_watch){0};
    j->ecn = (struct ecn_watch){0};
    j->content = (struct content_watch){0};
    j->timing = (struct timing_watch){0};
    j->icmp = (struct icmp_watch){0};
}

static bool has_odd_option(const struct pkt_tcp *tcp)
{
    static const struct { uint8_t kind, len; } fixed[] = {{PKT_OPT_MSS, 4}, {PKT_OPT_WSCALE, 3}, {PKT_OPT_SACK_PERMITTED, 2}, {PKT_OPT_TIMESTAMP, 10},
                                                          {PKT_OPT_USER_TIMEOUT, 4}, {PKT_OPT_MD5, 0}, {PKT_OPT_AO, 0}};
    struct pkt_option option;
    uint8_t cursor = 0;
    enum pkt_option_status status;
    while ((status = pkt_option_next(tcp->options, tcp->options_len, &cursor, &option)) == PKT_OPTION_OK)
        for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
            if (option.kind == fixed[i].kind && option.len != fixed[i].len)
                return true;
    return status == PKT_OPTION_ILLEGAL;
}

void judge_read_segment(struct segment *s, const struct packet *packet, bool whole, int64_t earliest_ns, int64_t at_ns,
                        uint32_t index)
{
    *s = (struct segment){
        .packet = packet, .tcp = &packet->tcp, .whole = whole, .earliest_ns = earliest_ns, .at_ns = at_ns, .index = index,
        .seq = packet->tcp.seq, .len = pkt_seg_len(&packet->tcp), .end = packet->tcp.seq + pkt_seg_len(&packet->tcp),
    };
    s->valid = !whole || (packet->tcp.checksum_ok && packet->ip.checksum_ok);
    if (packet->tcp.options_len)
        pkt_options_read(packet->tcp.options, packet->tcp.options_len, &s->options);
    s->odd = (s->options.illegal || s->options.unknown_count) && has_odd_option(&packet->tcp);
}

/* ---- coverage ------------------------------------------------------------------------------------------------------ */

static enum model_event event_of(const struct segment *s)
{
    unsigned flags = s->tcp->flags;
    if (flags & PKT_RST)
        return EVENT_RST;
    if (flags & PKT_SYN)
        return flags & PKT_ACK ? EVENT_SYN_ACK : EVENT_SYN;
    if (!(flags & PKT_ACK))
        return EVENT_NO_ACK;
    return flags & PKT_FIN ? EVENT_FIN : s->len ? EVENT_DATA : EVENT_ACK;
}

void judge_count_transition(struct judge *j, unsigned from, enum model_event event)
{
    unsigned to = hypotheses_states(j->now);
    if (from && to && !(from & (from - 1)) && !(to & (to - 1)))
        j->host->coverage.transitions[__builtin_ctz(from)][event][__builtin_ctz(to)]++;
}

/* What a call began shows when its segment leaves: it is counted then. */
static void count_shown(struct judge *j, unsigned from, const struct segment *s)
{
    unsigned flags = s->tcp->flags;
    if (from == hypotheses_states(j->now))
        return;
    if (flags & PKT_FIN)
        judge_count_transition(j, from, EVENT_CALL_CLOSE);
    else if ((flags & (PKT_SYN | PKT_ACK | PKT_RST)) == PKT_SYN)
        judge_count_transition(j, from, EVENT_CALL_OPEN);
}

/* ---- obligations --------------------------------------------------------------------------------------------------- */

static const char *due_permitted(const struct due *due)
{
    static const char *const texts[] = {
        [DUE_ACK] = "a segment with ACK", [DUE_SYN_ACK] = "a SYN,ACK", [DUE_RST] = "a RST", [DUE_FIN] = "a FIN"};
    return texts[due->kind];
}

static void judge_silence(struct judge *j, const struct due *due, int64_t now_ns)
{
    judge_find_silence(j, due->rule, due->cause, now_ns, due_permitted(due), "nothing came within %.3g ms",
                       (double)(due->deadline_ns - j->last_input_ns) / 1e6);
    j->disturbed = true;
}

static bool overdue(const struct due *due, int64_t now_ns, bool fenced)
{
    return due->deadline_ns < now_ns || (fenced && due->at_once);
}

/* Drops the hypotheses whose obligations have run out. */
static void drop_overdue(struct judge *j, int64_t now_ns, bool fenced)
{
    unsigned kept = 0;
    const struct due *first = NULL;
    struct due missed;
    for (unsigned i = 0; i < j->now->count; i++) {
        struct hypothesis *h = &j->now->of[i];
        const struct due *late = NULL;
        for (unsigned k = 0; k < h->due_count && !late; k++)
            if (overdue(&h->dues[k], now_ns, fenced))
                late = &h->dues[k];
        if (!late) {
            j->now->of[kept++] = *h;
        } else if (!first) {
            missed = *late;
            first = &missed;
            j->unanswered.state = h->state;
        }
    }
    if (kept > 0 || !first) {
        j->now->count = kept;
        if (first) {
            j->unanswered.set = true;
            j->unanswered.rule = first->rule;
            j->unanswered.cause = first->cause;
        }
        return;
    }
    judge_silence(j, first, now_ns);
}

void judge_time(struct judge *j, int64_t now_ns)
{
    if (now_ns > j->now_ns)
        j->now_ns = now_ns;
    if (judge_is_exact(j) && j->calls.timers_configured) /* a user timeout may be shorter than what is owed may take */
        judge_let_die(j, now_ns);
    if (judge_is_exact(j))
        drop_overdue(j, now_ns, false);
    if (!judge_is_lossy(j))
        timing_time(j, now_ns);
}

void judge_fence(struct judge *j, int64_t now_ns)
{
    j->reacting = false;
    if (reactions_wanted(j))
        reactions_settle(j);
    judge_time(j, now_ns);
    if (!judge_is_exact(j))
        return;
    drop_overdue(j, now_ns, true);
    choices_silence(j);
}

bool judge_owes(const struct judge *j)
{
    for (unsigned i = 0; judge_is_exact(j) && i < j->now->count; i++)
        for (unsigned k = 0; k < j->now->of[i].due_count; k++)
            if (j->now->of[i].dues[k].at_once)
                return true;
    return false;
}

int64_t judge_deadline(const struct judge *j)
{
    if (judge_is_lossy(j))
        return INT64_MAX;
    int64_t deadline = timing_deadline(j);
    for (unsigned i = 0; judge_is_exact(j) && i < j->now->count; i++)
        for (unsigned k = 0; k < j->now->of[i].due_count; k++)
            if (j->now->of[i].dues[k].deadline_ns < deadline)
                deadline = j->now->of[i].dues[k].deadline_ns;
    return deadline;
}

void judge_end(struct judge *j, int64_t now_ns)
{
    judge_time(j, now_ns);
    if (reactions_wanted(j))
        reactions_settle(j);
    if (judge_is_lossy(j))
        lossy_end(j, now_ns);
}

/* ---- incarnations -------------------------------------------------------------------------------------------------- */

void judge_begin_incarnation(struct judge *j)
{
    j->lives++;
    j->max_snd_wnd = j->snd_wnd_most = 0;
    facts_reset(&j->in);
    facts_reset(&j->out);
    parts_reset(j);
    j->reset = j->ts_recent_known = j->from_time_wait = j->snd_edge_known = false;
    j->progress_ns = j->now_ns;
    memset(j->reported, 0, sizeof j->reported);
}

void judge_note_candidate(struct judge *j, const struct segment *s)
{
    if (!j->candidate)
        j->candidate = malloc(sizeof *j->candidate);
    if (!j->candidate)
        return;
    facts_reset(j->candidate);
    facts_note(j->candidate, &(struct side){0}, s);
}

/* A SYN to where no connection is begins one. */
static void note_peer_syn(struct judge *j, const struct segment *s)
{
    if ((s->tcp->flags & (PKT_SYN | PKT_ACK | PKT_RST)) != PKT_SYN)
        return;
    if (judge_must_be(j, GONE_STATES) && !(j->in.begun && !j->out.known && j->in.iss == s->seq) &&
        judge_may_be(j, TCP_STATE_LISTEN)) {
        judge_begin_incarnation(j);
        content_forget_stream(j);
    } else {
        judge_note_candidate(j, s);
    }
}

/* ---- what comes in ------------------------------------------------------------------------------------------------- */

/* After a while without progress a connection may be gone: R2, user timeout, keep-alive, the timeout of an orphan, 2 MSL. */
static const int64_t mortal_after_ns = 1000000000;

static bool may_have_died(const struct judge *j, const struct hypothesis *h, int64_t now_ns)
{
    bool at_once = j->app.error_told || j->icmp.hard, in_time = now_ns - j->progress_ns < mortal_after_ns;
    if (h->state == TCP_STATE_SYN_RECEIVED && h->passive && j->app.unlistened) /* nobody waits for it any more */
        return true;
    if (!(1u << h->state & MORTAL_STATES) || (in_time && !at_once && !j->calls.timers_configured))
        return false;
    if (h->state == TCP_STATE_ESTABLISHED || h->state == TCP_STATE_CLOSE_WAIT)
        return at_once || j->app.keep_alive || j->calls.keep_alive_asked || j->app.shut || j->app.closed || seq_lt(h->snd_una_low, j->out.nxt) ||
               seq_lt(j->out.nxt, j->out.iss + 1 + (uint32_t)j->calls.sent) || !j->host->application_known;
    return true;
}

void judge_let_die(struct judge *j, int64_t now_ns)
{
    unsigned count = j->now->count;
    for (unsigned i = 0; i < count; i++)
        if (may_have_died(j, &j->now->of[i], now_ns)) {
            struct hypothesis h = j->now->of[i];
            h.due_count = 0;
            h.faded = h.state == TCP_STATE_SYN_SENT || h.state == TCP_STATE_SYN_RECEIVED;
            judge_add_gone(j, j->now, &h);
        }
}

static void remember_reply(struct judge *j, const struct segment *s)
{
    bool ack = s->tcp->flags & PKT_ACK;
    if (s->tcp->flags & PKT_RST)
        return;
    struct reply reply = {.seq = ack ? s->tcp->ack : 0, .ack = ack ? 0 : s->end, .has_ack = !ack};
    for (unsigned i = 0; i < JUDGE_REPLIES_MAX && i < j->reply_count; i++)
        if (j->replies[i].seq == reply.seq && j->replies[i].ack == reply.ack && j->replies[i].has_ack == reply.has_ack)
            return;
    j->replies[j->reply_count++ % JUDGE_REPLIES_MAX] = reply;
}

/* Every situation takes the segment for the next in order: it is neither outside the window nor ahead. */
static bool is_next(const struct hypotheses *set, const struct segment *s)
{
    for (unsigned i = 0; i < set->count; i++) {
        const struct hypothesis *h = &set->of[i];
        bool empty_at = s->len == 0 && s->seq == h->rcv_nxt_low,
             reaches = s->len > 0 && seq_le(s->seq, h->rcv_nxt_low) && seq_gt(s->end, h->rcv_nxt_high);
        bool syn = s->tcp->flags & PKT_SYN, opens = syn && (h->state == TCP_STATE_LISTEN || h->state == TCP_STATE_SYN_SENT);
        if (h->rcv_nxt_low != h->rcv_nxt_high || !(syn ? opens : empty_at || reaches))
            return false;
    }
    return true;
}

/* TS.Recent is taken from segments at or before Last.ACK.sent (RFC 7323 §4.3), but not from those outside the window, which are
 * rejected first (§5.3, R2 before R3). */
static void note_ts_recent(struct judge *j, const struct segment *s)
{
    if (!s->options.has_timestamp || s->tcp->flags & PKT_RST || !is_next(j->before, s))
        return;
    bool certain = s->tcp->flags & PKT_SYN || (j->out.ack_known && seq_le(s->seq, j->out.ack));
    if (certain && (!j->ts_recent_known || seq_gt(s->options.ts_val, j->ts_recent))) {
        j->ts_recent = s->options.ts_val;
        j->ts_recent_ns = s->at_ns;
        j->ts_recent_known = true;
    }
}

/* SND.WND is what the segment says if it was taken, and none before it was newer (SND.WL1, SND.WL2: §3.10.7.4). */
static void note_send_edge(struct judge *j, const struct segment *s, bool certain)
{
    int scale = s->tcp->flags & PKT_SYN ? 0 : facts_scale(&j->in, &j->out);
    uint32_t window = (uint32_t)s->tcp->window << (scale < 0 ? 14 : scale), edge = s->tcp->ack + window;
    bool newest =
        certain && s->tcp->flags & PKT_ACK && s->tcp->ack == j->in.ack && (!j->snd_edge_known || seq_ge(s->seq, j->snd_wl1));
    if (newest || window > j->snd_wnd_most)
        j->snd_wnd_most = window;
    if (!(s->tcp->flags & PKT_ACK) || s->ack_doubtful || scale < 0)
        return;
    if (newest || !j->snd_edge_known || seq_lt(edge, j->snd_edge))
        j->snd_edge = edge;
    if (newest && window > j->max_snd_wnd)
        j->max_snd_wnd = window;
    j->snd_wl1 = j->snd_edge_known ? seq_max(j->snd_wl1, s->seq) : s->seq;
    j->snd_edge_known = true;
}

static void take_input(struct judge *j, const struct segment *s)
{
    struct hypotheses next;
    bool taken = false, certain = true;
    next.count = 0;
    j->challenged_before_ns = j->challenged_ns;
    hypotheses_copy(j->before, j->now);
    for (unsigned i = 0; i < j->before->count; i++) {
        struct fate here = {0};
        arrive(j, &j->before->of[i], s, &next, &here);
        taken |= here.taken;
        certain &= here.taken && !here.doubted;
    }
    hypotheses_copy(j->now, &next);
    bool of_another = s->tcp->flags & PKT_SYN && j->in.begun && j->in.iss != s->seq; /* see note_peer_syn */
    if (taken && !of_another) {
        facts_note(&j->in, &j->out, s);
        note_send_edge(j, s, certain);
        j->progress_ns = s->at_ns;
        if (j->in.odd_fins_full)
            j->cut_short = j->disturbed = j->blind = true;
    }
    if (taken && certain)
        note_ts_recent(j, s);
}

uint32_t judge_send_edge_most(const struct judge *j)
{
    return seq_max(j->in.edge, j->in.ack + j->snd_wnd_most);
}

/* It acknowledges what was never sent, or nothing of this connection. */
static bool is_ack_doubtful(const struct side *out, const struct segment *s)
{
    return out->known && (seq_gt(s->tcp->ack, out->nxt) || (out->nxt - out->start < INT32_MAX && seq_lt(s->tcp->ack, out->start)));
}

static void parts_input(struct judge *j, const struct segment *s)
{
    options_input(j, s);
    timestamps_input(j, s);
    sack_input(j, s);
    ecn_input(j, s);
    content_input(j, s);
}

static void judge_lossy_input(struct judge *j, struct segment *s)
{
    bool belongs = lossy_begin_input(j, s);
    remember_reply(j, s);
    if (!belongs) {
        timestamps_input(j, s); /* it may have been received */
        return;
    }
    parts_input(j, s);
    lossy_input(j, s);
    facts_note(&j->in, &j->out, s);
}

void judge_input(struct judge *j, const struct packet *packet, bool whole, int64_t at_ns, uint32_t index)
{
    struct segment s;
    if (packet->kind == PKT_KIND_ICMP) {
        if (reactions_wanted(j))
            reactions_icmp(j);
        icmp_input(j, packet, at_ns, index);
        return;
    }
    judge_read_segment(&s, packet, whole, at_ns, at_ns, index);
    judge_time(j, at_ns);
    j->last_input_ns = at_ns;
    j->last_input_was_rst = s.tcp->flags & PKT_RST;
    j->last_input_without_ack = !(s.tcp->flags & (PKT_SYN | PKT_RST | PKT_ACK));
    j->last_input_index = index;
    if (judge_is_lossy(j)) {
        judge_lossy_input(j, &s);
        return;
    }
    if (!s.valid || !j->unicast)
        return;
    j->reacting = true;
    s.ack_doubtful = is_ack_doubtful(&j->out, &s);
    if (reactions_wanted(j))
        reactions_input(j, &s);
    if (judge_is_exact(j))
        judge_let_die(j, at_ns);
    note_peer_syn(j, &s);
    parts_input(j, &s);
    timing_input(j, &s);
    remember_reply(j, &s);
    if (!judge_is_exact(j)) {
        j->blind |= s.tcp->flags & PKT_SYN && j->in.begun && j->in.iss != s.seq; /* is it still the connection that was there? */
        if (!j->blind)
            facts_note(&j->in, &j->out, &s);
        return;
    }
    unsigned from = hypotheses_states(j->now);
    choices_input(j, &s);
    take_input(j, &s);
    judge_count_transition(j, from, event_of(&s));
}

/* ---- what comes out ------------------------------------------------------------------------------------------------ */

/* The hypotheses of the set that explain the output, or the closest misfit. */
static bool explain(struct judge *j, const struct hypotheses *set, const struct segment *s, struct hypotheses *next,
                    struct misfit *closest)
{
    next->count = 0;
    for (unsigned i = 0; i < set->count; i++) {
        struct misfit misfit = {.state = set->of[i].state};
        if (!emit(j, &set->of[i], s, next, &misfit) && misfit.depth >= closest->depth)
            *closest = misfit;
    }
    return next->count > 0;
}

static bool offers_differ(const struct offer *a, const struct offer *b)
{
    return a->has_wscale != b->has_wscale || a->wscale != b->wscale || a->sack_permitted != b->sack_permitted ||
           a->has_timestamp != b->has_timestamp;
}

/* A SYN of our own, or a SYN,ACK to a SYN that came while an old connection was still there, begins a new incarnation. */
static void note_own_syn(struct judge *j, const struct segment *s)
{
    unsigned control = s->tcp->flags & (PKT_SYN | PKT_ACK | PKT_RST);
    if (control == PKT_SYN && (!j->out.begun || j->out.iss != s->seq || j->app.connecting)) { /* two OPENs at one time have one ISS */
        if (judge_is_exact(j) && (j->app.connecting || !j->host->application_known))
            judge_let_die(j, s->at_ns);
        if (hypotheses_states(j->now) & (GONE_STATES | 1u << TCP_STATE_TIME_WAIT)) /* no other state explains another ISS */
            judge_begin_incarnation(j);
    } else if (control == (PKT_SYN | PKT_ACK) && j->candidate && s->tcp->ack == j->candidate->iss + 1) {
        bool other = !(j->in.begun && j->in.iss == j->candidate->iss) || (j->out.begun && j->out.iss != s->seq), can = false;
        for (unsigned i = 0; i < j->now->count; i++)
            can |= j->now->of[i].reopened;
        if (can && !other) /* the same numbers as before: which of the two SYNs it answers does not show */
            j->in.offer.unsure |= offers_differ(&j->in.offer, &j->candidate->offer);
        if (!can || !other)
            return;
        struct side candidate = *j->candidate;
        judge_begin_incarnation(j);
        j->in = candidate;
        j->from_time_wait = true;
        content_forget_stream(j);
        j->calls.failed = true; /* what the application still asks of is the old connection */
    }
}

/* What no situation explains may come of something before, which then is the rule that is broken: a segment that should have been
 * dropped, a reset, or an obligation that was let go by since it could have been met by ending the connection. */
static enum rule_id judge_root(const struct judge *j, enum rule_id rule, enum tcp_state told)
{
    static const unsigned synchronized = ~(GONE_STATES | 1u << TCP_STATE_SYN_SENT | 1u << TCP_STATE_SYN_RECEIVED);
    bool lives = rule == RULE_SEGMENT_IN_STATE || (rule == RULE_STATE_TOLD && told == (enum tcp_state)j->unanswered.state);
    if (j->unanswered.set && lives)
        return j->unanswered.rule;
    if (j->last_input_without_ack && hypotheses_states(j->before) & synchronized &&
        (rule == RULE_ACK_NOT_RECEIVED || rule == RULE_STATE_TOLD))
        return RULE_NO_ACK_BIT;
    if (j->reset && rule == RULE_STATE_TOLD && judge_must_be(j, GONE_STATES) && !(1u << told & GONE_STATES))
        return RULE_AFTER_RST;
    return rule;
}

static void take_output(struct judge *j, const struct segment *s)
{
    struct hypotheses next;
    struct misfit closest = {0};
    if (explain(j, j->now, s, &next, &closest)) {
        hypotheses_copy(j->now, &next);
        j->unanswered.set = false;
        emit_judge_window(j, s);
        return;
    }
    if (s->earliest_ns < j->last_input_ns && explain(j, j->before, s, &next, &closest))
        return;
    closest.rule = judge_root(j, closest.rule, TCP_STATE_COUNT);
    emit_report(j, s, &closest);
    j->disturbed = true;
}

static void parts_output(struct judge *j, const struct segment *s)
{
    options_output(j, s);
    timestamps_output(j, s);
    sack_output(j, s);
    ecn_output(j, s);
    content_output(j, s);
}

static void judge_lossy_output(struct judge *j, struct segment *s)
{
    if (!header_output(j, s) || !lossy_begin_output(j, s))
        return;
    parts_output(j, s);
    if (lossy_output(j, s))
        facts_note(&j->out, &j->in, s);
}

void judge_output(struct judge *j, const struct packet *packet, bool whole, int64_t earliest_ns, int64_t at_ns, uint32_t index)
{
    struct segment s;
    judge_read_segment(&s, packet, whole, earliest_ns, at_ns, index);
    if (at_ns > j->now_ns)
        j->now_ns = at_ns;
    j->found = false;
    j->last_output_ns = at_ns;
    if (judge_is_lossy(j)) {
        judge_lossy_output(j, &s);
        return;
    }
    if (reactions_wanted(j))
        reactions_output(j, &s);
    note_own_syn(j, &s);
    header_output(j, &s);
    if (!j->blind)
        parts_output(j, &s);
    if (judge_is_exact(j)) {
        unsigned from = hypotheses_states(j->now);
        choices_output(j, &s);
        take_output(j, &s);
        count_shown(j, from, &s);
    }
    if ((s.tcp->flags & (PKT_SYN | PKT_ACK)) == PKT_SYN)
        j->app.connecting = false; /* one connection an OPEN */
    timing_output(j, &s);
    icmp_output(j, &s);
    facts_note(&j->out, &j->in, &s);
    j->received_since_output = false;
}

/* ---- what the IUT tells of itself ---------------------------------------------------------------------------------- */

/* After CLOSE a state is entered before its FIN can be sent ("Queue this until all preceding SENDs have been segmentized … In any
 * case, enter FIN-WAIT-1 state", §3.10.4), while the hypotheses change with what is seen. */
static bool told_fits(const struct judge *j, enum tcp_state told, enum tcp_state held)
{
    if (told == held)
        return true;
    if (j->app.shut && (held == TCP_STATE_ESTABLISHED || held == TCP_STATE_SYN_RECEIVED) && told == TCP_STATE_FIN_WAIT_1)
        return true;
    if (j->app.shut && held == TCP_STATE_CLOSE_WAIT && (told == TCP_STATE_LAST_ACK || told == TCP_STATE_CLOSING))
        return true;
    return 1u << told & GONE_STATES && 1u << held & GONE_STATES; /* no record is both, seen through a listener */
}

void judge_state(struct judge *j, enum tcp_state state, int64_t at_ns)
{
    struct hypotheses next;
    next.count = 0;
    judge_time(j, at_ns);
    if (!judge_is_exact(j) || j->host->pressed)
        return;
    unsigned from = hypotheses_states(j->now);
    judge_let_die(j, at_ns);
    bool aged = from != hypotheses_states(j->now);
    for (unsigned i = 0; i < j->now->count; i++)
        if (told_fits(j, state, j->now->of[i].state))
            hypotheses_add(j, &next, &j->now->of[i]);
    judge_tested(j, RULE_STATE_TOLD);
    if (next.count > 0) {
        hypotheses_copy(j->now, &next);
        if (aged && judge_must_be(j, GONE_STATES))
            judge_count_transition(j, from, EVENT_TIMEOUT);
        return;
    }
    enum rule_id rule = judge_root(j, RULE_STATE_TOLD, state);
    uint32_t segment = rule != RULE_STATE_TOLD && j->unanswered.set && rule == j->unanswered.rule ? j->unanswered.cause : j->last_input_index;
    char permitted[256] = "";
    for (unsigned i = 0; i < j->now->count; i++) {
        size_t used = strlen(permitted);
        snprintf(permitted + used, sizeof permitted - used, "%s%s", i ? " or " : "", tcp_state_name(j->now->of[i].state));
    }
    judge_find_silence(j, rule, segment, at_ns, permitted, "it tells %s", tcp_state_name(state));
    j->disturbed = true;
}

const char *judge_inconclusive(const struct judge *j)
{
    return j->cut_short ? "more situations of the stack explain what was seen than are followed" : NULL;
}

unsigned judge_evidence(const struct judge *j)
{
    return j->evidence;
}

bool judge_is_over(const struct judge *j, int64_t now_ns)
{
    static const int64_t two_msl_ns = 240000000000; /* RFC 9293 §3.4.2: MSL is two minutes */
    return now_ns - j->last_input_ns > two_msl_ns && now_ns - j->last_output_ns > two_msl_ns &&
           (j->out.fin_seen || j->in.fin_seen || j->reset || judge_must_be(j, GONE_STATES));
}

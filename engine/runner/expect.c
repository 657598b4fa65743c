/* Expectations: windows of time, what is passed over, and what is said when nothing comes (see player.h on intervals).
 *
 * An expectation that is not met is not blamed at once. The tester first asks the IUT for an echo (a fence): only where that is
 * answered is the missing segment known to be missing and not lost with the host. Meanwhile it keeps looking, so that a late
 * segment is reported as late rather than as absent. */
#include "engine/runner/play.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum attempt { NO_MATCH, MATCH, MATCH_EARLY, MATCH_LATE, MATCH_IMPOSSIBLE };

/* Compares one segment; captures are committed only on a match in time. */
static enum attempt attempt(struct player *p, const struct scn_packet *want, const struct seen *seen, struct window w,
                            struct match_result *result)
{
    struct scn_value scratch[SCN_VARIABLES_MAX];
    size_t size = p->scenario->variable_count * sizeof *scratch;
    memcpy(scratch, p->values, size);
    match_packet(p, want, seen, scratch, result);
    if (result->impossible)
        return MATCH_IMPOSSIBLE;
    if (result->differences)
        return NO_MATCH;
    if (seen->at.latest < w.low)
        return MATCH_EARLY;
    if (seen->at.earliest > w.high)
        return MATCH_LATE;
    memcpy(p->values, scratch, size);
    return MATCH;
}

static double seconds(int64_t ns)
{
    return ns < 0 ? 0 : (double)ns / 1e9; /* before the step it answers: the clock's doing */
}

static void note_closest(struct player *p, const struct seen *seen, const struct match_result *result)
{
    struct closest *c = &p->step.closest;
    p->step.passed_over++;
    if (c->index && c->differences <= result->differences)
        return;
    c->differences = result->differences;
    c->index = seen->index;
    char described[300];
    play_describe(seen->endpoint, &seen->packet, false, described, sizeof described);
    snprintf(c->text, sizeof c->text, "segment %u `%.200s` (%.280s)", seen->index, described, result->text);
}

/* ---- what is said */

static void blame_segment(struct player *p, const struct scn_step *step, const struct seen *seen, const char *what,
                          const char *differences)
{
    char described[300], observed[PLAYER_CAUSE_MAX];
    play_describe(seen->endpoint, &seen->packet, false, described, sizeof described);
    snprintf(observed, sizeof observed, "`%.200s` at +%.3f s%s%.300s", described, seconds(seen->at.latest - p->step.base.latest),
             *differences ? ": " : "", differences);
    struct play_cause cause = {.rule = "expect", .expected = step->source, .observed = observed, .segment = seen->index};
    snprintf(cause.message, sizeof cause.message, "expected `%.200s`, %s: %.340s (segment %u)", step->source, what, observed,
             seen->index);
    play_blame(p, &cause);
}

/* What was wanted, in the scenario's words: of an `either`, the first step of each branch. */
static void describe_wish(const struct scn_step *step, char *out, size_t capacity)
{
    size_t used = 0;
    if (step->kind != SCN_STEP_EITHER) {
        snprintf(out, capacity, "%s", step->source);
        return;
    }
    for (unsigned i = 0; i < step->either.count && used < capacity; i++)
        if (step->either.branches[i].count)
            used += (size_t)snprintf(out + used, capacity - used, "%s%s", used ? "` or `" : "", step->either.branches[i].steps[0].source);
}

static void describe_gathered(struct player *p, const struct scn_step *step, char *out, size_t capacity)
{
    const struct endpoint *e = play_endpoint(p, &step->gather.endpoint);
    snprintf(out, capacity, "in order up to %" PRId64, e ? endpoint_iut_script(e, e->rcv_nxt) : 0);
}

static void blame_absence(struct player *p, const struct scn_step *step, const char *rule)
{
    char observed[PLAYER_CAUSE_MAX], wish[320];
    describe_wish(step, wish, sizeof wish);
    if (step->kind == SCN_STEP_GATHER)
        describe_gathered(p, step, observed, sizeof observed);
    else if (p->step.passed_over)
        snprintf(observed, sizeof observed, "nothing like it; of %u others the closest was %.480s", p->step.passed_over,
                 p->step.closest.text);
    else
        snprintf(observed, sizeof observed, "nothing");
    struct play_cause cause = {.rule = rule, .expected = wish, .observed = observed, .segment = p->step.closest.index};
    snprintf(cause.message, sizeof cause.message, "expected `%.200s`, came: %.380s (%s)", wish, observed,
             p->target->info.capabilities & TARGET_ECHO ? "link alive" : "no echo to test the link with");
    play_blame(p, &cause);
}

/* The time of an expectation has run out: watch on. STEP_STOPPED once it is blamed. */
static enum progress overdue(struct player *p, const struct scn_step *step, const char *rule)
{
    bool can_echo = p->target->info.capabilities & TARGET_ECHO;
    if (!p->step.past_due) {
        p->step.past_due = true;
        p->step.watch_until_ns = p->now_ns + p->scenario->patience_ns;
        p->step.echo_sequence = can_echo ? play_send_echo(p) : 0;
    }
    if (p->finished)
        return STEP_STOPPED;
    if (p->now_ns < p->step.watch_until_ns) {
        play_wake_at(p, p->step.watch_until_ns);
        return STEP_WAITS;
    }
    if (can_echo && !play_echo_answered(p, p->step.echo_sequence))
        play_stop(p, VERDICT_INCONCLUSIVE, "line %d: the IUT does not answer an echo: the link or the host is dead", step->at.line);
    else
        blame_absence(p, step, rule);
    return STEP_STOPPED;
}

static void explain_impossible(struct player *p, const struct scn_step *step, const struct match_result *result)
{
    play_stop(p, VERDICT_ERROR, "line %d: this cannot be compared: %s", step->at.line, result->text);
}

/* ---- > SEGMENT */

/* packetdrill sees what a kernel hands to a device that segments for it, and its scripts say so: `P. 1:4001(4000)` is four segments
 * on a link that does not. In a strict scenario segments that follow on each other are therefore taken together up to the length
 * that is expected. Returns how many segments from the cursor make up *merged; 0 when more of them may still come. */
static size_t merge_segments(struct player *p, const struct scn_packet *want, struct seen *merged)
{
    int64_t wanted_len;
    char error[PLAYER_CAUSE_MAX];
    *merged = p->inbox[p->cursor];
    if (want->protocol != SCN_TCP || merged->packet.kind != PKT_KIND_TCP || want->len.relation != SCN_EQ ||
        !eval_number(p, p->values, want->len.value, &wanted_len, NULL, error))
        return 1;
    const uint32_t seq = merged->packet.tcp.seq;
    uint32_t len = merged->packet.tcp.payload_len;
    size_t taken = 1;
    for (; len > 0 && len < wanted_len && p->cursor + taken < p->inbox_count; taken++) {
        const struct seen *next = &p->inbox[p->cursor + taken];
        if (next->packet.kind != PKT_KIND_TCP || next->endpoint != merged->endpoint || next->packet.tcp.seq != seq + len)
            return taken;
        len += next->packet.tcp.payload_len;
        *merged = *next;
        merged->packet.tcp.seq = seq;
        merged->packet.tcp.payload_len = len;
        if (next->packet.tcp.payload_len == 0)
            return taken + 1;
    }
    return len > 0 && len < wanted_len ? 0 : taken;
}

/* Looks at one segment for an expectation. STEP_WAITS: it is something else. */
static enum progress consider(struct player *p, const struct scn_step *step, const struct seen *seen, struct window w)
{
    struct match_result result;
    switch (attempt(p, step->packet, seen, w, &result)) {
    case MATCH:
        p->base = seen->at;
        return STEP_DONE;
    case MATCH_EARLY:
        blame_segment(p, step, seen, "it came too early", "");
        return STEP_STOPPED;
    case MATCH_LATE:
        blame_segment(p, step, seen, "it came too late", "");
        return STEP_STOPPED;
    case MATCH_IMPOSSIBLE:
        explain_impossible(p, step, &result);
        return STEP_STOPPED;
    case NO_MATCH: break;
    }
    if (!p->scenario->has_front_matter) {
        blame_segment(p, step, seen, "came", result.text);
        return STEP_STOPPED;
    }
    note_closest(p, seen, &result);
    return STEP_WAITS;
}

enum progress play_expect(struct player *p, const struct scn_step *step)
{
    play_due(p, step);
    struct window w = play_window(p, step);
    while (p->cursor < p->inbox_count) {
        struct seen merged = p->inbox[p->cursor];
        size_t taken = p->scenario->has_front_matter ? 1 : merge_segments(p, step->packet, &merged);
        if (taken == 0 && p->now_ns <= w.high)
            break;
        enum progress progress = consider(p, step, &merged, w);
        if (p->finished)
            return STEP_STOPPED;
        p->cursor += taken ? taken : 1;
        if (progress == STEP_DONE)
            return STEP_DONE;
    }
    if (p->now_ns > w.high)
        return overdue(p, step, "expect");
    play_wake_at(p, w.high + 1);
    return STEP_WAITS;
}

/* ---- never */

static bool matches_any(struct player *p, const struct scn_step *step, const struct seen *seen)
{
    for (unsigned i = 0; i < step->never.count; i++) {
        struct match_result result;
        struct scn_value scratch[SCN_VARIABLES_MAX];
        memcpy(scratch, p->values, p->scenario->variable_count * sizeof *scratch);
        match_packet(p, step->never.packets[i], seen, scratch, &result);
        if (!result.differences)
            return true;
    }
    return false;
}

static void blame_never(struct player *p, const struct scn_step *step, const struct seen *seen)
{
    char described[300];
    play_describe(seen->endpoint, &seen->packet, false, described, sizeof described);
    struct play_cause cause = {.rule = "never", .expected = step->source, .observed = described, .segment = seen->index};
    snprintf(cause.message, sizeof cause.message, "`%.160s` (line %d), but `%.200s` came (segment %u)", step->source, step->at.line,
             described, seen->index);
    play_blame(p, &cause);
}

void play_check_nevers(struct player *p, const struct seen *seen)
{
    for (unsigned i = 0; i < p->never_count && !p->finished; i++)
        if (matches_any(p, p->nevers[i].step, seen))
            blame_never(p, p->nevers[i].step, seen);
}

/* The span during which nothing may come: without tolerance, since a segment outside it is not ours to forbid. */
static struct window never_window(const struct player *p, const struct scn_step *step)
{
    struct window w = play_window(p, step);
    w.high = w.high - play_slack_ns(p, step->time.to_ns);
    if (step->time.from_ns)
        w.low += 2 * play_early_slack_ns(p);
    return w;
}

enum progress play_never_span(struct player *p, const struct scn_step *step)
{
    play_due(p, step);
    struct window w = never_window(p, step);
    while (p->cursor < p->inbox_count) {
        const struct seen *seen = &p->inbox[p->cursor++];
        bool within = seen->at.earliest >= w.low && seen->at.latest <= w.high;
        if (within && matches_any(p, step, seen)) {
            blame_never(p, step, seen);
            return STEP_STOPPED;
        }
    }
    if (p->now_ns < w.high) {
        play_wake_at(p, w.high);
        return STEP_WAITS;
    }
    p->base = (struct interval){w.high, p->now_ns};
    return STEP_DONE;
}

/* ---- gather */

static bool gather_bounds(struct player *p, const struct scn_step *step, struct endpoint *e, uint32_t *left, uint32_t *right)
{
    int64_t from, to;
    char error[PLAYER_CAUSE_MAX];
    if (!eval_number(p, p->values, step->gather.from.value, &from, NULL, error) ||
        !eval_number(p, p->values, step->gather.to.value, &to, NULL, error)) {
        play_stop(p, VERDICT_ERROR, "line %d: gather: %s", step->at.line, error);
        return false;
    }
    *left = endpoint_iut_wire(e, from);
    *right = endpoint_iut_wire(e, to);
    return true;
}

/* Everything up to the segment that brought the last number is passed over; that one may carry a FIN too, and is left for the next
 * step. */
static void consume_gathered(struct player *p, const struct endpoint *e, uint32_t right)
{
    for (; p->cursor < p->inbox_count; p->cursor++) {
        const struct seen *seen = &p->inbox[p->cursor];
        const struct pkt_tcp *tcp = &seen->packet.tcp;
        if (seen->packet.kind != PKT_KIND_TCP || seen->endpoint != e || pkt_seg_len(tcp) == 0)
            continue;
        if (seq_lt(tcp->seq, right) && seq_ge(tcp->seq + pkt_seg_len(tcp), right)) {
            p->base = seen->at;
            return;
        }
    }
    p->base = (struct interval){p->step.base.earliest, p->now_ns};
}

/* Is it all there, in time? STEP_WAITS when not yet. */
static enum progress gather_now(struct player *p, const struct scn_step *step)
{
    uint32_t left, right;
    struct endpoint *e = play_endpoint(p, &step->gather.endpoint);
    if (!e || !gather_bounds(p, step, e, &left, &right))
        return STEP_STOPPED;
    if (!endpoint_has_received(e, left, right))
        return STEP_WAITS;
    consume_gathered(p, e, right);
    return STEP_DONE;
}

enum progress play_gather(struct player *p, const struct scn_step *step)
{
    play_due(p, step);
    struct window w = play_window(p, step);
    enum progress progress = gather_now(p, step);
    if (progress != STEP_WAITS)
        return progress;
    if (p->now_ns > w.high)
        return overdue(p, step, "gather");
    play_wake_at(p, w.high + 1);
    return STEP_WAITS;
}

/* ---- either */

enum branch_fate { BRANCH_OPEN, BRANCH_TAKEN, BRANCH_DEAD };

static enum branch_fate branch_meets_segment(struct player *p, const struct scn_step *first, const struct seen *seen)
{
    struct match_result result;
    switch (first->kind) {
    case SCN_STEP_EXPECT:
        return attempt(p, first->packet, seen, play_window(p, first), &result) == MATCH ? BRANCH_TAKEN : BRANCH_OPEN;
    case SCN_STEP_NEVER: {
        struct window w = never_window(p, first);
        bool within = seen->at.earliest >= w.low && seen->at.latest <= w.high;
        return within && matches_any(p, first, seen) ? BRANCH_DEAD : BRANCH_OPEN;
    }
    default:
        return BRANCH_OPEN;
    }
}

static enum branch_fate branch_by_time(struct player *p, int64_t deadline_ns)
{
    if (p->now_ns > deadline_ns)
        return BRANCH_DEAD;
    play_wake_at(p, deadline_ns + 1);
    return BRANCH_OPEN;
}

/* What has become of a branch when all segments so far have been looked at. */
static enum branch_fate branch_now(struct player *p, const struct scn_block *branch)
{
    const struct scn_step *first = branch->steps;
    int64_t truth = 0;
    enum tcp_state state;
    char error[PLAYER_CAUSE_MAX];
    if (branch->count == 0)
        return BRANCH_OPEN;
    switch (first->kind) {
    case SCN_STEP_ASSERT:
        return eval_number(p, p->values, first->assertion.condition, &truth, NULL, error) && truth ? BRANCH_TAKEN : BRANCH_DEAD;
    case SCN_STEP_GATHER:
        return gather_now(p, first) == STEP_DONE ? BRANCH_TAKEN : branch_by_time(p, play_window(p, first).high);
    case SCN_STEP_STATE:
        if (play_state_is(p, first, &state) == STATE_YES)
            return BRANCH_TAKEN;
        if (!(p->target->info.capabilities & TARGET_VIRTUAL_TIME))
            play_wake_at(p, p->now_ns + 1000000);
        return branch_by_time(p, play_window(p, first).high);
    case SCN_STEP_NEVER:
        if (p->now_ns >= never_window(p, first).high)
            return BRANCH_TAKEN;
        play_wake_at(p, never_window(p, first).high);
        return BRANCH_OPEN;
    default:
        return branch_by_time(p, play_window(p, first).high);
    }
}

static enum progress take_branch(struct player *p, const struct scn_block *branch)
{
    struct frame frame = {.kind = FRAME_BLOCK, .block = branch, .pc = branch->count ? 1 : 0, .slot = -1};
    return play_push(p, frame) ? STEP_DONE : STEP_STOPPED;
}

static enum progress either_segments(struct player *p, const struct scn_step *step)
{
    for (; p->cursor < p->inbox_count; p->cursor++) {
        const struct seen *seen = &p->inbox[p->cursor];
        for (unsigned b = 0; b < step->either.count; b++) {
            const struct scn_block *branch = &step->either.branches[b];
            if (branch->count == 0 || p->step.dead >> b & 1)
                continue;
            enum branch_fate fate = branch_meets_segment(p, branch->steps, seen);
            if (p->finished)
                return STEP_STOPPED;
            if (fate == BRANCH_DEAD)
                p->step.dead |= UINT64_C(1) << b;
            if (fate == BRANCH_TAKEN) {
                p->base = seen->at;
                p->cursor++;
                return take_branch(p, branch);
            }
        }
        struct match_result none = {.differences = 5, .text = "met no alternative"};
        note_closest(p, seen, &none);
    }
    return STEP_WAITS;
}

enum progress play_either(struct player *p, const struct scn_step *step)
{
    play_due(p, step);
    enum progress progress = either_segments(p, step);
    if (progress != STEP_WAITS)
        return progress;
    unsigned open = 0;
    const struct scn_block *empty = NULL;
    for (unsigned b = 0; b < step->either.count; b++) {
        const struct scn_block *branch = &step->either.branches[b];
        if (p->step.dead >> b & 1)
            continue;
        if (branch->count == 0) {
            empty = branch;
            continue;
        }
        enum branch_fate fate = branch_now(p, branch);
        if (p->finished)
            return STEP_STOPPED;
        if (fate == BRANCH_TAKEN)
            return take_branch(p, branch);
        if (fate == BRANCH_DEAD)
            p->step.dead |= UINT64_C(1) << b;
        open += fate == BRANCH_OPEN;
    }
    if (open)
        return STEP_WAITS;
    if (empty) {
        p->base = (struct interval){p->now_ns, p->now_ns};
        return take_branch(p, empty);
    }
    return overdue(p, step, "either");
}

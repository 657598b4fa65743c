/* One function a kind of step. A step is entered, may be visited many times while it waits, and is over when its function says so.
 */
#include "engine/runner/judging.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STATE_POLL_NS = 1000000 };

/* ---- time */

static int64_t step_time(const struct player *p, const struct scn_time *time, int64_t offset_ns, int64_t base_ns)
{
    switch (time->kind) {
    case SCN_TIME_RELATIVE: return base_ns + offset_ns;
    case SCN_TIME_ABSOLUTE: return p->start_ns + offset_ns;
    case SCN_TIME_NONE:
    case SCN_TIME_ANY: break;
    }
    return base_ns;
}

bool play_due(struct player *p, const struct scn_step *step)
{
    if (!p->step.entered) {
        p->step.entered = true;
        p->step.base = p->base;
        p->step.due_ns = step_time(p, &step->time, step->time.from_ns, p->base.latest);
    }
    if (p->now_ns >= p->step.due_ns)
        return true;
    play_wake_at(p, p->step.due_ns);
    return false;
}

struct window play_window(const struct player *p, const struct scn_step *step)
{
    const struct scn_time *time = &step->time;
    const struct interval *base = &p->step.base;
    if (time->kind == SCN_TIME_ANY)
        return (struct window){INT64_MIN, base->latest + p->scenario->patience_ns};
    struct window w = {
        .low = step_time(p, time, time->from_ns, base->earliest) - play_early_slack_ns(p),
        .high = step_time(p, time, time->to_ns, base->latest) + play_slack_ns(p, time->to_ns),
    };
    if (time->kind != SCN_TIME_ABSOLUTE && time->from_ns == 0) /* at once: nothing can be too early for that */
        w.low = INT64_MIN;
    return w;
}

/* May the tester act now? How late it is is noted, but not the time for what was before to be dealt with. */
static bool may_act(struct player *p, const struct scn_step *step)
{
    if (!play_due(p, step))
        return false;
    int64_t lateness = p->now_ns - p->step.due_ns;
    if (!p->step.lateness_noted && lateness > p->worst_lateness_ns)
        p->worst_lateness_ns = lateness;
    p->step.lateness_noted = true;
    return play_settled(p);
}

static void acted(struct player *p)
{
    p->base = (struct interval){p->now_ns, p->now_ns};
}

bool play_push(struct player *p, struct frame frame)
{
    if (p->depth == sizeof p->stack / sizeof *p->stack) {
        play_stop(p, VERDICT_ERROR, "blocks nested deeper than %zu", sizeof p->stack / sizeof *p->stack);
        return false;
    }
    p->stack[p->depth++] = frame;
    return true;
}

/* ---- the steps */

static enum progress step_inject(struct player *p, const struct scn_step *step)
{
    if (!may_act(p, step))
        return p->finished ? STEP_STOPPED : STEP_WAITS;
    acted(p);
    return craft_and_send(p, step->packet) && !p->finished ? STEP_DONE : STEP_STOPPED;
}

static enum progress step_call(struct player *p, const struct scn_step *step)
{
    if (!may_act(p, step))
        return p->finished ? STEP_STOPPED : STEP_WAITS;
    enum progress progress = play_call(p, step);
    if (progress == STEP_DONE) {
        acted(p);
        play_note_state(p, play_endpoint_at(p, 0, 0));
    }
    return p->finished ? STEP_STOPPED : progress;
}

static enum progress step_unsupported(struct player *p, const struct scn_step *step)
{
    play_stop(p, VERDICT_NOT_APPLICABLE, "line %d: a scenario never executes anything: %.60s", step->at.line, step->source);
    return STEP_STOPPED;
}

static enum progress step_phase(struct player *p, const struct scn_step *step)
{
    p->phase = step->phase;
    return STEP_DONE;
}

static enum progress step_covers(struct player *p, const struct scn_step *step)
{
    if (step->covers.count)
        p->requirement = step->covers.ids[0];
    return STEP_DONE;
}

bool play_reveal_state(struct player *p, struct endpoint *e, enum tcp_state *out)
{
    struct target_status status = {0};
    if (!(p->target->info.capabilities & TARGET_STATUS) || !play_settled(p))
        return false;
    judging_catch_up(p);
    size_t arrived = p->trace.segments;
    int64_t result = p->target->ops->status(p->target, &e->iut, &e->tester, &status);
    if (result == -ENOENT)
        *out = TCP_STATE_CLOSED;
    else if (result >= 0)
        *out = status.state;
    bool known = result >= 0 || result == -ENOENT;
    if (known && p->judging) {
        judging_catch_up(p);
        if (p->trace.segments == arrived) /* else it may have been before or behind what came meanwhile */
            judging_state(p, e, *out);
    }
    return known;
}

enum tristate play_state_is(struct player *p, const struct scn_step *step, enum tcp_state *now)
{
    struct endpoint *e = play_endpoint(p, &step->state.endpoint);
    if (!e || !play_reveal_state(p, e, now))
        return STATE_UNKNOWN;
    unsigned mask = step->state.state_mask;
    if (mask & 1u << TCP_STATE_CLOSED) /* behind a listener, no record of a connection shows as LISTEN */
        mask |= 1u << TCP_STATE_LISTEN;
    return mask >> *now & 1 ? STATE_YES : STATE_NO;
}

static enum progress step_state(struct player *p, const struct scn_step *step)
{
    enum tcp_state now;
    if (!may_act(p, step))
        return p->finished ? STEP_STOPPED : STEP_WAITS;
    switch (play_state_is(p, step, &now)) {
    case STATE_UNKNOWN:
        if (p->finished)
            return STEP_STOPPED;
        if (!play_settled(p))
            return STEP_WAITS;
        play_note(p, "the target does not reveal its state");
        return STEP_DONE;
    case STATE_YES:
        play_note_state(p, play_endpoint(p, &step->state.endpoint));
        p->base = (struct interval){p->step.due_ns > p->base.earliest ? p->step.due_ns : p->base.earliest, p->now_ns};
        return STEP_DONE;
    case STATE_NO: break;
    }
    int64_t until = play_window(p, step).high;
    if (p->now_ns < until) {
        bool virtual_time = p->target->info.capabilities & TARGET_VIRTUAL_TIME;
        play_wake_at(p, virtual_time || until < p->now_ns + STATE_POLL_NS ? until : p->now_ns + STATE_POLL_NS);
        return STEP_WAITS;
    }
    struct play_cause cause = {.rule = "state", .expected = step->source, .observed = tcp_state_name(now)};
    snprintf(cause.message, sizeof cause.message, "expected `%s`, the IUT is in %s", step->source, tcp_state_name(now));
    play_blame(p, &cause);
    return STEP_STOPPED;
}

static enum progress step_never(struct player *p, const struct scn_step *step)
{
    if (!step->never.has_block)
        return play_never_span(p, step);
    if (p->never_count == PLAYER_NEVERS_MAX) {
        play_stop(p, VERDICT_ERROR, "more than %d nevers inside each other", PLAYER_NEVERS_MAX);
        return STEP_STOPPED;
    }
    if (!play_push(p, (struct frame){.kind = FRAME_NEVER, .block = &step->never.block, .slot = -1}))
        return STEP_STOPPED;
    p->nevers[p->never_count++] = (struct never){.step = step, .depth = p->depth};
    return STEP_DONE;
}

static enum progress no_echo(struct player *p)
{
    play_stop(p, VERDICT_INCONCLUSIVE, "line %u: the IUT does not answer an echo: the link or the host is dead", play_line(p));
    return STEP_STOPPED;
}

/* A fenced target's every step has its fence; this one is for the sake of what came by itself. */
static enum progress own_fence(struct player *p)
{
    if (!p->step.watch_until_ns) {
        p->step.watch_until_ns = p->now_ns;
        p->step.lost_before = p->fences_lost;
        play_stirred(p);
    }
    if (!play_settled(p))
        return p->finished ? STEP_STOPPED : STEP_WAITS;
    if (p->fences_lost != p->step.lost_before)
        return no_echo(p);
    p->base = (struct interval){p->now_ns, p->now_ns};
    return STEP_DONE;
}

enum progress play_fence(struct player *p)
{
    if (p->target->info.capabilities & TARGET_FENCED)
        return own_fence(p);
    bool can_echo = p->target->info.capabilities & TARGET_ECHO;
    if (!p->step.watch_until_ns) {
        p->step.watch_until_ns = p->now_ns + (can_echo ? p->scenario->patience_ns : play_slack_ns(p, 0));
        if (can_echo)
            p->step.echo_sequence = play_send_echo(p);
        play_wake_at(p, p->step.watch_until_ns);
        return p->finished ? STEP_STOPPED : STEP_WAITS;
    }
    if (can_echo ? play_echo_answered(p, p->step.echo_sequence) : p->now_ns >= p->step.watch_until_ns) {
        p->base = (struct interval){p->now_ns, p->now_ns};
        return STEP_DONE;
    }
    if (p->now_ns < p->step.watch_until_ns) {
        play_wake_at(p, p->step.watch_until_ns);
        return STEP_WAITS;
    }
    return no_echo(p);
}

static enum progress step_fence(struct player *p, const struct scn_step *step)
{
    return play_due(p, step) ? play_fence(p) : STEP_WAITS;
}

static enum progress step_repeat(struct player *p, const struct scn_step *step)
{
    int64_t times;
    char error[PLAYER_CAUSE_MAX];
    if (!eval_number(p, p->values, step->repeat.times, &times, NULL, error)) {
        play_stop(p, VERDICT_ERROR, "line %d: repeat: %s", step->at.line, error);
        return STEP_STOPPED;
    }
    if (times <= 0)
        return STEP_DONE;
    if (step->repeat.slot >= 0)
        p->values[step->repeat.slot] = (struct scn_value){.kind = SCN_VALUE_NUMBER, .number = 0};
    struct frame frame = {.kind = FRAME_REPEAT, .block = &step->repeat.block, .times = times, .slot = step->repeat.slot};
    return play_push(p, frame) ? STEP_DONE : STEP_STOPPED;
}

static enum progress step_let(struct player *p, const struct scn_step *step)
{
    struct evaluated result;
    char error[PLAYER_CAUSE_MAX];
    if (!eval(p, p->values, step->let.value, &result, error)) {
        play_stop(p, VERDICT_ERROR, "line %d: let: %s", step->at.line, error);
        return STEP_STOPPED;
    }
    p->values[step->let.slot] = result.value;
    return STEP_DONE;
}

/* Both sides of a comparison that failed, for the message. */
static void describe_assertion(struct player *p, const struct scn_expr *condition, char *out, size_t capacity)
{
    int64_t left, right;
    char error[PLAYER_CAUSE_MAX];
    *out = '\0';
    if (condition->kind == SCN_EXPR_BINARY && eval_number(p, p->values, condition->child[0], &left, NULL, error) &&
        eval_number(p, p->values, condition->child[1], &right, NULL, error))
        snprintf(out, capacity, "%" PRId64 " and %" PRId64, left, right);
}

static enum progress step_assert(struct player *p, const struct scn_step *step)
{
    int64_t truth;
    char error[PLAYER_CAUSE_MAX], sides[80];
    if (!eval_number(p, p->values, step->assertion.condition, &truth, NULL, error)) {
        play_stop(p, VERDICT_ERROR, "line %d: assert: %s", step->at.line, error);
        return STEP_STOPPED;
    }
    if (truth)
        return STEP_DONE;
    describe_assertion(p, step->assertion.condition, sides, sizeof sides);
    struct play_cause cause = {.rule = "assert", .expected = step->source, .observed = sides};
    snprintf(cause.message, sizeof cause.message, "%s: `%.200s` is false%s%s", step->assertion.why ? step->assertion.why : "assertion",
             step->source, *sides ? ": the sides are " : "", sides);
    play_blame(p, &cause);
    return STEP_STOPPED;
}

static enum progress step_link(struct player *p, const struct scn_step *step)
{
    int64_t nth;
    char error[PLAYER_CAUSE_MAX];
    if (!play_due(p, step))
        return STEP_WAITS;
    if (p->rule_count == PLAYER_LINK_RULES_MAX) {
        play_stop(p, VERDICT_ERROR, "more than %d link events waiting", PLAYER_LINK_RULES_MAX);
        return STEP_STOPPED;
    }
    if (!eval_number(p, p->values, step->link.nth, &nth, NULL, error) || nth < 1) {
        play_stop(p, VERDICT_ERROR, "line %d: link: which segment? 1 is the next", step->at.line);
        return STEP_STOPPED;
    }
    p->rules[p->rule_count++] =
        (struct link_rule){.event = step->link.event, .inbound = step->link.inbound, .nth = nth, .delay_ns = step->link.delay_ns};
    return STEP_DONE;
}

static enum progress step_incarnation(struct player *p, const struct scn_step *step)
{
    struct endpoint *e = play_endpoint(p, &step->incarnation.endpoint);
    if (!e)
        return STEP_STOPPED;
    endpoint_expect_incarnation(e);
    return STEP_DONE;
}

static enum progress step_wait(struct player *p, const struct scn_step *step)
{
    if (!play_due(p, step))
        return STEP_WAITS;
    p->base = (struct interval){p->step.due_ns, p->now_ns};
    return STEP_DONE;
}

static enum progress step_skip(struct player *p, const struct scn_step *step)
{
    play_stop(p, VERDICT_NOT_APPLICABLE, "%s", step->text);
    return STEP_STOPPED;
}

enum progress play_step(struct player *p, const struct scn_step *step)
{
    static enum progress (*const table[SCN_STEP_KIND_COUNT])(struct player *, const struct scn_step *) = {
        [SCN_STEP_INJECT] = step_inject,     [SCN_STEP_EXPECT] = play_expect,    [SCN_STEP_CALL] = step_call,
        [SCN_STEP_COMMAND] = step_unsupported, [SCN_STEP_CODE] = step_unsupported, [SCN_STEP_PHASE] = step_phase,
        [SCN_STEP_COVERS] = step_covers,     [SCN_STEP_STATE] = step_state,      [SCN_STEP_NEVER] = step_never,
        [SCN_STEP_FENCE] = step_fence,       [SCN_STEP_EITHER] = play_either,    [SCN_STEP_REPEAT] = step_repeat,
        [SCN_STEP_GATHER] = play_gather,     [SCN_STEP_LET] = step_let,          [SCN_STEP_ASSERT] = step_assert,
        [SCN_STEP_LINK] = step_link,         [SCN_STEP_INCARNATION] = step_incarnation, [SCN_STEP_WAIT] = step_wait,
        [SCN_STEP_SKIP] = step_skip,
    };
    return table[step->kind](p, step);
}

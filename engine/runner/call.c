/* The sockets calls of a scenario, on the IUT's upper tester.
 *
 * The target's calls never block. A scenario's may: what cannot return yet is kept as a *pending call* and tried again whenever the
 * player runs; the scenario goes on meanwhile, and only a step that needs the descriptor waits for it. How long a pending call may
 * take is decided by who waits: the next step on its descriptor, the end of the scenario, or the return time the scenario gives.
 */
#include "engine/runner/attempt.h"
#include "engine/runner/open_port.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- results */

static void format_result(int64_t result, char *out, size_t capacity)
{
    const char *name = result < 0 ? strerrorname_np((int)-result) : NULL;
    if (result >= 0)
        snprintf(out, capacity, "%" PRId64, result);
    else
        snprintf(out, capacity, "-1 %s (%s)", name ? name : "?", strerror((int)-result));
}

static bool result_as_expected(struct attempt *a, int64_t result)
{
    const struct scn_call *call = a->call;
    char error[PLAYER_CAUSE_MAX];
    const char *name = result < 0 ? strerrorname_np((int)-result) : NULL;
    if (call->error)
        return name && !strcmp(name, call->error);
    if (result < 0 && call->result.relation != SCN_NONE && call->result.relation != SCN_ANY)
        return match_number(a->p, &call->result, -1, a->p->values, error);
    return match_number(a->p, &call->result, result, a->p->values, error);
}

static void check_return_time(struct attempt *a)
{
    const struct scn_time *time = &a->step->time;
    struct player *p = a->p;
    if (!time->has_return)
        return;
    int64_t origin = time->return_relative ? a->pending->begun.latest - time->from_ns : p->start_ns;
    int64_t due = origin + time->return_ns, slack = play_slack_ns(p, time->return_ns);
    if (p->now_ns >= due - slack && p->now_ns <= due + slack)
        return;
    struct play_cause cause = {.rule = "call", .expected = a->step->source, .observed = "another time"};
    snprintf(cause.message, sizeof cause.message, "`%.200s` returned %.3f s %s than expected", a->step->source,
             (double)(p->now_ns > due ? p->now_ns - due : due - p->now_ns) / 1e9, p->now_ns > due ? "later" : "earlier");
    play_blame(p, &cause);
}

static void conclude(struct attempt *a, int64_t result)
{
    struct player *p = a->p;
    char text[96];
    format_result(result, text, sizeof text);
    char line[PLAYER_CAUSE_MAX];
    bool at_once = a->step == play_current_step(p);
    snprintf(line, sizeof line, at_once ? "%s" : "%s, of `%.300s` in line %d", text, play_words(a->step), a->step->at.line);
    trace_event(&p->trace, RESULT_RETURN, play_since_start(p, p->now_ns), 0, (uint32_t)a->step->at.line, NULL, line);
    if (p->finished)
        return;
    if (result == -ECOMM) {
        play_stop(p, VERDICT_ERROR, "line %d: %s(): the upper tester cannot be reached any more", a->step->at.line, a->call->name);
        return;
    }
    bool opens = !strcmp(a->call->name, "bind") || !strcmp(a->call->name, "listen");
    if (result == -EADDRINUSE && opens && !a->call->error && p->trace.segments == 0) {
        p->place_taken = true;
        play_stop(p, VERDICT_ERROR, "line %d: %s(): something from before still has this port at the IUT", a->step->at.line,
                  a->call->name);
        return;
    }
    if (*a->why) {
        enum verdict verdict = p->scenario->has_front_matter ? VERDICT_ERROR : VERDICT_NOT_APPLICABLE;
        play_stop(p, verdict, "line %d: %s(): %s", a->step->at.line, a->call->name, a->why);
        return;
    }
    if (result == -ENOSYS) { /* whatever was expected of it */
        play_stop(p, VERDICT_NOT_APPLICABLE, "line %d: the target has no call %s()", a->step->at.line, a->call->name);
        return;
    }
    if (!result_as_expected(a, result)) {
        const char *error = a->call->error; /* that a connection is under way is no error, but how connect() begins */
        bool lacks = (result == -ENOPROTOOPT || result == -EOPNOTSUPP || result == -EAFNOSUPPORT) &&
                     (!error || !strcmp(error, "EINPROGRESS"));
        if (lacks) {
            play_stop(p, VERDICT_NOT_APPLICABLE, "line %d: the target cannot do %s: %s", a->step->at.line, a->step->source,
                      strerror((int)-result));
            return;
        }
        struct play_cause cause = {.rule = "call", .expected = a->step->source, .observed = text};
        snprintf(cause.message, sizeof cause.message, "expected `%.300s`, it returned %s", a->step->source, text);
        play_blame(p, &cause);
        return;
    }
    check_return_time(a);
}

static bool not_yet(const struct attempt *a, int64_t result)
{
    if (result != -EAGAIN && result != -EINPROGRESS)
        return false;
    bool polled = !strcmp(a->call->name, "poll");
    return polled || !a->nonblocking;
}

/* ---- pending calls */

static bool first_argument_is(const struct pending_call *pending, const struct scn_call *call)
{
    if (!call->argument_count || !pending->step->call.argument_count)
        return false;
    const struct scn_expr *mine = call->arguments[0], *theirs = pending->step->call.arguments[0];
    return mine->kind == SCN_EXPR_NUMBER && theirs->kind == SCN_EXPR_NUMBER && mine->number == theirs->number;
}

/* Will this pending call give the descriptor that the call is about? */
static bool will_give_descriptor(const struct pending_call *pending, const struct scn_call *call)
{
    const struct scn_match *result = &pending->step->call.result;
    return !strcmp(pending->step->call.name, "accept") && call->argument_count && call->arguments[0]->kind == SCN_EXPR_NUMBER &&
           result->relation == SCN_EQ && result->value->kind == SCN_EXPR_NUMBER &&
           result->value->number == call->arguments[0]->number;
}

static struct pending_call *blocks(struct player *p, const struct scn_call *call)
{
    for (unsigned i = 0; i < p->pending_count; i++)
        if (first_argument_is(&p->pending[i], call) || will_give_descriptor(&p->pending[i], call))
            return &p->pending[i];
    return NULL;
}

static int64_t patience_from_now(const struct player *p)
{
    return p->now_ns + p->scenario->patience_ns;
}

enum progress play_call(struct player *p, const struct scn_step *step)
{
    struct pending_call *blocker = blocks(p, &step->call);
    if (blocker) {
        if (blocker->due_ns == INT64_MAX)
            blocker->due_ns = patience_from_now(p);
        play_wake_at(p, blocker->due_ns);
        return STEP_WAITS;
    }
    trace_event(&p->trace, RESULT_CALL, play_since_start(p, p->now_ns), 0, (uint32_t)step->at.line, NULL, play_words(step));
    struct pending_call pending = {.step = step, .begun = {p->now_ns, p->now_ns}, .due_ns = INT64_MAX, .phase = p->phase};
    struct attempt a = {.p = p, .step = step, .call = &step->call, .pending = &pending};
    int64_t result = attempt_call(&a);
    play_stirred(p);
    if (!not_yet(&a, result)) {
        conclude(&a, result);
        return p->finished ? STEP_STOPPED : STEP_DONE;
    }
    if (p->pending_count == PLAYER_PENDING_MAX) {
        play_stop(p, VERDICT_ERROR, "more than %d calls pending", PLAYER_PENDING_MAX);
        return STEP_STOPPED;
    }
    if (step->time.has_return)
        pending.due_ns = (step->time.return_relative ? p->now_ns - step->time.from_ns : p->start_ns) + step->time.return_ns +
                         play_slack_ns(p, step->time.return_ns) + 1;
    p->pending[p->pending_count++] = pending;
    return STEP_DONE;
}

/* What a call of the preamble comes to while the body runs is the body's matter. */
static enum scn_phase phase_of(const struct player *p, const struct pending_call *pending)
{
    return pending->phase == SCN_PREAMBLE && p->phase == SCN_BODY ? SCN_BODY : pending->phase;
}

static void blame_overdue(struct player *p, const struct pending_call *pending)
{
    struct play_cause cause = {.rule = "call", .expected = pending->step->source, .observed = "it did not return"};
    snprintf(cause.message, sizeof cause.message, "expected `%.300s`, but the call did not return within %.3f s",
             pending->step->source, (double)(p->now_ns - pending->begun.earliest) / 1e9);
    enum scn_phase phase = p->phase;
    p->phase = phase_of(p, pending);
    play_blame(p, &cause);
    p->phase = phase;
}

void play_retry_calls(struct player *p)
{
    for (unsigned i = 0; i < p->pending_count && !p->finished;) {
        struct pending_call *pending = &p->pending[i];
        struct attempt a = {.p = p, .step = pending->step, .call = &pending->step->call, .pending = pending};
        int64_t done_before = pending->done_bytes, result = attempt_call(&a);
        if (!not_yet(&a, result) || pending->done_bytes != done_before)
            play_stirred(p);
        if (!not_yet(&a, result)) {
            struct pending_call concluded = *pending;
            memmove(pending, pending + 1, (p->pending_count - i - 1) * sizeof *pending);
            p->pending_count--;
            a.pending = &concluded;
            enum scn_phase phase = p->phase;
            p->phase = phase_of(p, &concluded);
            conclude(&a, result);
            p->phase = phase;
            continue;
        }
        if (p->now_ns >= pending->due_ns) {
            blame_overdue(p, pending);
            return;
        }
        play_wake_at(p, pending->due_ns);
        if (pending->timeout_ns)
            play_wake_at(p, pending->timeout_ns);
        i++;
    }
}

bool play_calls_outstanding(struct player *p)
{
    for (unsigned i = 0; i < p->pending_count; i++) {
        if (p->pending[i].due_ns == INT64_MAX)
            p->pending[i].due_ns = patience_from_now(p);
        play_wake_at(p, p->pending[i].due_ns);
    }
    return p->pending_count != 0;
}

void play_close_descriptors(struct player *p)
{
    static const int64_t abort_now[2] = {1, 0};
    if (p->target->info.capabilities & TARGET_VIRTUAL_TIME) /* the whole instance goes away */
        return;
    if (p->on_open_port) {
        open_port_leave(p);
        return;
    }
    for (unsigned i = 0; i < p->fd_count; i++) {
        if (!p->fds[i].open)
            continue;
        p->fds[i].open = false;
        p->target->ops->set_option(p->target, p->fds[i].handle, "SO_LINGER", abort_now, 2);
        p->target->ops->close_handle(p->target, p->fds[i].handle);
    }
}

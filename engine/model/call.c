/* The calls of the application (RFC 9293 §3.10.1-3.10.6), as far as they are seen on the wire. */
#include "engine/model/inside.h"

#include <string.h>

static enum model_event event_of(enum judge_call_kind kind)
{
    switch (kind) {
    case JUDGE_CALL_LISTEN:
    case JUDGE_CALL_CONNECT:
        return EVENT_CALL_OPEN;
    case JUDGE_CALL_SEND:
        return EVENT_CALL_SEND;
    case JUDGE_CALL_SHUTDOWN:
    case JUDGE_CALL_CLOSE:
        return EVENT_CALL_CLOSE;
    case JUDGE_CALL_ABORT:
        return EVENT_CALL_ABORT;
    default:
        return EVENT_COUNT;
    }
}

/* A listener comes or goes: where no connection is, the pair changes between CLOSED and LISTEN. */
static void set_listening(struct judge *j, bool listening)
{
    struct hypotheses next;
    enum tcp_state from = listening ? TCP_STATE_CLOSED : TCP_STATE_LISTEN, to = listening ? TCP_STATE_LISTEN : TCP_STATE_CLOSED;
    next.count = 0;
    j->app.listening = listening;
    if (judge_is_lossy(j))
        return;
    for (unsigned i = 0; i < j->now->count; i++) {
        struct hypothesis h = j->now->of[i];
        if (h.state == from)
            h.state = (uint8_t)to;
        hypotheses_add(j, &next, &h);
        if (!listening && h.state == TCP_STATE_SYN_RECEIVED && h.passive) /* what is half open may go with it */
            judge_add_gone(j, &next, &h);
    }
    hypotheses_copy(j->now, &next);
}

static bool must_send_fin(const struct hypothesis *h)
{
    return h->state == TCP_STATE_ESTABLISHED || h->state == TCP_STATE_CLOSE_WAIT;
}

/* Does the congestion window let out one more octet for certain? It has room for one segment at least, whatever was lost; but a
 * path MTU may have become smaller. */
static bool may_send_one_more(const struct judge *j, const struct hypothesis *h)
{
    enum { MSS_DEFAULT = 536, OPTIONS_MAX = 40 };
    const uint32_t mss = j->in.offer.has_mss && j->in.offer.mss < MSS_DEFAULT ? j->in.offer.mss : MSS_DEFAULT, flight = j->out.nxt - h->snd_una_low;
    return flight == 0 || (flight + OPTIONS_MAX < mss && !j->icmp.count);
}

/* RFC 9293 §3.10.4. A FIN is owed at once where nothing waits to be sent before it; that the application has left data unread may
 * lead to a RST instead (§3.6.1). */
static void close_side(struct judge *j, int64_t at_ns)
{
    static const int64_t grace_ns = 500000000;
    bool all_sent = j->out.begun && j->out.nxt - j->out.iss - 1 == (uint32_t)j->app.sent && j->snd_edge_known && seq_lt(j->out.nxt, j->snd_edge);
    bool all_read = !j->in.known || !j->in.begun || j->in.nxt - j->in.iss - 1 - (j->in.fin_seen ? 1 : 0) == (uint32_t)j->app.received;
    struct hypotheses next;
    next.count = 0;
    for (unsigned i = 0; i < j->now->count; i++) {
        struct hypothesis h = j->now->of[i];
        if (h.state == TCP_STATE_SYN_SENT) { /* deleted without a word; a shutdown may leave it to go on */
            judge_add_gone(j, &next, &h);
            if (j->app.closed)
                continue;
        }
        if (j->app.closed && !all_read && (h.state == TCP_STATE_CLOSING || h.state == TCP_STATE_LAST_ACK)) /* an ABORT, without a word */
            judge_add_gone(j, &next, &h);
        if (must_send_fin(&h) && all_sent && may_send_one_more(j, &h) && (all_read || !j->app.closed)) {
            judge_tested(j, RULE_FIN_SENT);
            due_add(&h, &(struct due){.kind = DUE_FIN, .rule = RULE_FIN_SENT, .deadline_ns = judge_latest(j, at_ns, grace_ns)});
        }
        hypotheses_add(j, &next, &h);
    }
    hypotheses_copy(j->now, &next);
}

/* RFC 9293 §3.10.5. */
static void abort_connection(struct judge *j, int64_t at_ns)
{
    static const unsigned with_rst = 1u << TCP_STATE_SYN_RECEIVED | 1u << TCP_STATE_ESTABLISHED | 1u << TCP_STATE_FIN_WAIT_1 |
                                     1u << TCP_STATE_FIN_WAIT_2 | 1u << TCP_STATE_CLOSE_WAIT,
                          without_rst = 1u << TCP_STATE_CLOSING | 1u << TCP_STATE_LAST_ACK; /* but SHLD-3 asks for one when data is lost */
    struct hypotheses next;
    next.count = 0;
    for (unsigned i = 0; i < j->now->count; i++) {
        struct hypothesis h = j->now->of[i], gone = {.state = j->app.listening ? TCP_STATE_LISTEN : TCP_STATE_CLOSED};
        if (1u << h.state & with_rst) {
            judge_tested(j, RULE_ABORT_RST);
            due_add(&gone, &(struct due){.kind = DUE_RST, .rule = RULE_ABORT_RST, .deadline_ns = judge_latest(j, at_ns, 0),
                                         .seq = j->out.nxt, .at_once = true});
        } else if (1u << h.state & without_rst) {
            due_add(&gone, &(struct due){.kind = DUE_RST, .rule = RULE_ABORT_RST, .deadline_ns = INT64_MAX, .seq = j->out.nxt, .loose = true});
        }
        hypotheses_add(j, &next, &gone);
        if (h.state == TCP_STATE_TIME_WAIT)
            hypotheses_add(j, &next, &h);
    }
    hypotheses_copy(j->now, &next);
}

static void note_call(struct judge *j, const struct judge_call *call, int64_t at_ns)
{
    struct application *app = &j->app;
    switch (call->kind) {
    case JUDGE_CALL_LISTEN:
        set_listening(j, true);
        break;
    case JUDGE_CALL_UNLISTEN:
        app->unlistened = true;
        set_listening(j, false);
        break;
    case JUDGE_CALL_CONNECT:
        app->connecting = true;
        break;
    case JUDGE_CALL_ACCEPT:
        app->accepted = true;
        break;
    case JUDGE_CALL_SEND:
        app->sent += (uint64_t)call->amount;
        break;
    case JUDGE_CALL_RECEIVE:
        app->received += (uint64_t)call->amount;
        app->fin_told |= call->amount == 0;
        j->received_since_output = true;
        break;
    case JUDGE_CALL_SHUTDOWN:
        app->shut = true;
        break;
    case JUDGE_CALL_CLOSE:
        app->shut = app->closed = true;
        app->closed_ns = at_ns;
        j->received_since_output = true;
        break;
    case JUDGE_CALL_ABORT:
        app->aborted = app->closed = true;
        break;
    case JUDGE_CALL_ERROR:
        app->error_told = true;
        break;
    case JUDGE_CALL_OPTION:
        if (!strcmp(call->name, "SO_KEEPALIVE"))
            app->keep_alive = call->amount != 0;
        else if (!strcmp(call->name, "TCP_NODELAY"))
            app->no_delay = call->amount != 0;
        else if (!strcmp(call->name, "TCP_CORK"))
            app->corked = call->amount != 0;
        else if (!strcmp(call->name, "SHUT_RD"))
            app->deaf = true;
        else if (!strncmp(call->name, "SO_RCVBUF", 9)) {
            j->received_since_output = true;
            app->buffer_changed |= j->out.ack_known;
        }
        break;
    }
}

void judge_call(struct judge *j, const struct judge_call *call, int64_t at_ns)
{
    unsigned from = hypotheses_states(j->now);
    j->reacting = false;
    if (reactions_wanted(j))
        reactions_call(j, call);
    judge_time(j, at_ns);
    note_call(j, call, at_ns);
    content_call(j, call, at_ns);
    timing_call(j, call, at_ns);
    icmp_call(j, call, at_ns);
    if (!judge_is_exact(j))
        return;
    judge_let_die(j, at_ns);
    choices_call(j, call);
    if (call->kind == JUDGE_CALL_SHUTDOWN || call->kind == JUDGE_CALL_CLOSE)
        close_side(j, at_ns);
    else if (call->kind == JUDGE_CALL_ABORT)
        abort_connection(j, at_ns);
    enum model_event event = event_of(call->kind);
    if (event != EVENT_COUNT)
        judge_count_transition(j, from, event);
}

/* RFC 9293 §3.10.6 STATUS, and what poll() and getsockname() say. */
#include "targets/reference/stack.h"

#include <errno.h>

/* ---- poll -------------------------------------------------------------------------------------------------------- */

static bool has_connection_to_accept(const struct ref_listener *listener)
{
    const struct ref_tcb *tcb = listener->accept_first;
    while (tcb && tcb->accept_deferred)
        tcb = tcb->accept_next;
    return tcb != NULL;
}

static unsigned poll_connection(const struct ref_socket *socket, const struct ref_tcb *tcb)
{
    unsigned events = 0;
    bool opening = tcb->state == TCP_STATE_SYN_SENT || (tcb->state == TCP_STATE_SYN_RECEIVED && !tcb->fastopen);
    bool closed = tcb->state == TCP_STATE_CLOSED;
    bool read_end = tcb->fin_received || socket->read_shut || closed;
    if (tcb->rcv_unread || read_end)
        events |= REF_EVENT_IN;
    if (read_end)
        events |= REF_EVENT_READ_HANGUP;
    if (closed || (read_end && tcb->fin_queued))
        events |= REF_EVENT_HANGUP;
    if (!opening && (tcb->fin_queued || closed || ref_send_room(tcb)))
        events |= REF_EVENT_OUT;
    if (tcb->urgent_known && !tcb->urgent_taken && seq_lt(ref_unread_seq(tcb), tcb->rcv_up))
        events |= REF_EVENT_URGENT;
    return events;
}

unsigned ref_poll(struct ref_stack *stack, int handle)
{
    const struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return REF_EVENT_ERROR;
    unsigned events = socket->error ? REF_EVENT_ERROR | REF_EVENT_IN | REF_EVENT_OUT : 0;
    if (socket->listener)
        return events | (has_connection_to_accept(socket->listener) ? REF_EVENT_IN : 0);
    if (socket->fastopen_deferred && !socket->tcb)
        return events | REF_EVENT_OUT;
    return events | (socket->tcb ? poll_connection(socket, socket->tcb) : REF_EVENT_HANGUP | REF_EVENT_OUT);
}

/* ---- endpoints --------------------------------------------------------------------------------------------------- */

static struct pkt_addr shown_to(const struct ref_socket *socket, const struct pkt_addr *addr)
{
    return socket->ip_version == 6 && addr->version == 4 ? ref_address_map(addr) : *addr;
}

int64_t ref_local_endpoint(struct ref_stack *stack, int handle, struct pkt_endpoint *out)
{
    const struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    *out = (struct pkt_endpoint){ .addr = shown_to(socket, &socket->local.addr), .port = socket->local.port };
    return 0;
}

int64_t ref_remote_endpoint(struct ref_stack *stack, int handle, struct pkt_endpoint *out)
{
    const struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    if (!socket->tcb)
        return -ENOTCONN;
    *out = (struct pkt_endpoint){ .addr = shown_to(socket, &socket->tcb->tuple.remote), .port = socket->tcb->tuple.remote_port };
    return 0;
}

/* ---- STATUS ------------------------------------------------------------------------------------------------------ */

static struct ref_status status_of(const struct ref_tcb *tcb)
{
    uint32_t end = ref_data_end(tcb), unsent = seq_lt(tcb->snd_nxt, end) ? end - tcb->snd_nxt : 0;
    if (unsent > tcb->snd_queued)
        unsent = tcb->snd_queued;
    return (struct ref_status){
        .state = tcb->state, .iss = tcb->iss, .irs = tcb->irs,
        .snd_una = tcb->snd_una, .snd_nxt = tcb->snd_nxt, .snd_wnd = tcb->snd_wnd, .snd_up = tcb->snd_urgent ? tcb->snd_up : tcb->snd_una,
        .rcv_nxt = tcb->rcv_nxt, .rcv_wnd = tcb->rcv_wnd, .rcv_up = tcb->urgent_known ? tcb->rcv_up : tcb->rcv_nxt,
        .unread_bytes = tcb->rcv_unread, .unsent_bytes = unsent, .unacked_bytes = tcb->snd_queued - unsent,
        .cwnd_bytes = tcb->cwnd, .ssthresh_bytes = tcb->ssthresh, .mss_bytes = ref_eff_mss(tcb), .pmtu_bytes = tcb->pmtu,
        .retransmits = tcb->retransmits, .probes = tcb->probes + tcb->keepalives,
        .rto_ns = tcb->rtt.rto_ns, .srtt_ns = tcb->rtt.srtt_ns, .rttvar_ns = tcb->rtt.rttvar_ns, .user_timeout_ns = tcb->user_timeout_ns,
        .snd_wscale = tcb->snd_wscale, .rcv_wscale = tcb->rcv_wscale,
        .timestamps = tcb->timestamps, .sack = tcb->sack, .window_scaling = tcb->window_scaling, .ecn = tcb->ecn, .passive = tcb->passive,
    };
}

static struct ref_status status_of_listener(const struct ref_listener *listener)
{
    return (struct ref_status){ .state = TCP_STATE_LISTEN, .passive = true,
                                .rcv_wnd = (uint32_t)listener->socket->options.receive_buffer };
}

int64_t ref_status(struct ref_stack *stack, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                   struct ref_status *out)
{
    if (remote->port) {
        const struct ref_tuple tuple = {
            .local = ref_address_unmap(&local->addr), .remote = ref_address_unmap(&remote->addr),
            .local_port = local->port, .remote_port = remote->port,
        };
        const struct ref_tcb *tcb = ref_tcb_find(stack, &tuple);
        if (tcb) {
            *out = status_of(tcb);
            return 0;
        }
    }
    const struct ref_listener *listener = ref_listener_find(stack, local);
    if (!listener)
        return -ENOENT;
    *out = status_of_listener(listener);
    return 0;
}

int64_t ref_handle_status(struct ref_stack *stack, int handle, struct ref_status *out)
{
    const struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    if (socket->tcb)
        *out = status_of(socket->tcb);
    else if (socket->listener)
        *out = status_of_listener(socket->listener);
    else
        *out = (struct ref_status){ .state = TCP_STATE_CLOSED };
    return 0;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static struct ref_connection connection_of(const struct ref_tcb *tcb)
{
    static const char *const names[REF_TIMER_COUNT] = {
        [REF_TIMER_RETRANSMIT] = "retransmit", [REF_TIMER_PERSIST] = "persist", [REF_TIMER_DELAYED_ACK] = "delayed-ack",
        [REF_TIMER_KEEPALIVE] = "keepalive", [REF_TIMER_USER] = "user-timeout", [REF_TIMER_LIFETIME] = "lifetime", [REF_TIMER_DEFER] = "defer-accept",
    };
    struct ref_connection out = {
        .local = { tcb->tuple.local, tcb->tuple.local_port }, .remote = { tcb->tuple.remote, tcb->tuple.remote_port },
        .status = status_of(tcb), .orphan = tcb->orphan,
    };
    _Static_assert(REF_TIMER_COUNT <= sizeof out.timers / sizeof *out.timers, "there is room for every timer");
    for (enum ref_timer timer = 0; timer < REF_TIMER_COUNT; timer++) {
        if (!ref_timer_runs(tcb, timer))
            continue;
        out.timers[out.timer_count].name = names[timer];
        out.timers[out.timer_count++].at_ns = tcb->timer_at[timer];
    }
    return out;
}

void ref_each_connection(const struct ref_stack *stack, void (*visit)(void *context, const struct ref_connection *connection),
                         void *context)
{
    for (const struct ref_listener *listener = stack->listeners; listener; listener = listener->next) {
        const struct ref_connection out = {
            .local = listener->local, .status = status_of_listener(listener), .waiting = listener->accept_count, .half_open = listener->half_open,
        };
        visit(context, &out);
    }
    for (const struct ref_tcb *tcb = stack->connections; tcb; tcb = tcb->hh.next) {
        const struct ref_connection out = connection_of(tcb);
        visit(context, &out);
    }
}

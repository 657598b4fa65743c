/* RFC 9293 §3.10.4 CLOSE and §3.10.5 ABORT, and the sockets they are called on. */
#include "targets/reference/stack.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- sockets ----------------------------------------------------------------------------------------------------- */

struct ref_options ref_options_default(const struct ref_config *config)
{
    return (struct ref_options){
        .keep_idle_s = (int32_t)(config->keepalive_idle_ns / REF_NS_PER_S),
        .keep_interval_s = (int32_t)(config->keepalive_interval_ns / REF_NS_PER_S),
        .keep_count = (int32_t)config->keepalive_probes,
        .receive_buffer = (int32_t)config->receive_buffer, .send_buffer = (int32_t)config->send_buffer,
        .ttl = 64, .mtu_discover = 1, .reports = 1,
    };
}

struct ref_socket *ref_socket_get(const struct ref_stack *stack, int handle)
{
    return handle >= 0 && (uint32_t)handle < stack->sockets_capacity ? stack->sockets[handle] : NULL;
}

static bool grow_sockets(struct ref_stack *stack)
{
    uint32_t capacity = stack->sockets_capacity ? stack->sockets_capacity * 2 : 8;
    struct ref_socket **sockets = realloc(stack->sockets, capacity * sizeof(struct ref_socket *));
    if (!sockets)
        return false;
    for (uint32_t i = stack->sockets_capacity; i < capacity; i++)
        sockets[i] = NULL;
    stack->sockets = sockets;
    stack->sockets_capacity = capacity;
    return true;
}

static int lowest_free_handle(const struct ref_stack *stack)
{
    uint32_t handle = 0;
    while (stack->sockets[handle])
        handle++;
    return (int)handle;
}

struct ref_socket *ref_socket_new(struct ref_stack *stack, uint8_t ip_version, int *error)
{
    if (stack->sockets_used >= stack->config.sockets_max) {
        *error = EMFILE;
        return NULL;
    }
    struct ref_socket *socket = NULL;
    if (stack->sockets_used < stack->sockets_capacity || grow_sockets(stack))
        socket = calloc(1, sizeof *socket);
    if (!socket) {
        *error = ENOMEM;
        return NULL;
    }
    socket->handle = lowest_free_handle(stack);
    socket->ip_version = ip_version;
    socket->options = ref_options_default(&stack->config);
    stack->sockets[socket->handle] = socket;
    stack->sockets_used++;
    return socket;
}

void ref_socket_free(struct ref_stack *stack, struct ref_socket *socket)
{
    assert(!socket->tcb && !socket->listener);
    stack->sockets[socket->handle] = NULL;
    stack->sockets_used--;
    free(socket);
}

int64_t ref_socket(struct ref_stack *stack, uint8_t ip_version)
{
    int error = 0;
    if (ip_version != 4 && ip_version != 6)
        return -EAFNOSUPPORT;
    if (!ref_address_for(stack, ip_version))
        return -EAFNOSUPPORT;
    struct ref_socket *socket = ref_socket_new(stack, ip_version, &error);
    return socket ? socket->handle : -error;
}

/* ---- ABORT: §3.10.5 ---------------------------------------------------------------------------------------------- */

void ref_tcb_abort(struct ref_tcb *tcb, int error)
{
    switch (tcb->state) {
    case TCP_STATE_SYN_RECEIVED:
    case TCP_STATE_ESTABLISHED:
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_FIN_WAIT_2:
    case TCP_STATE_CLOSE_WAIT:
        ref_send_reset(tcb); /* <SEQ=SND.NXT><CTL=RST> */
        break;
    case TCP_STATE_CLOSING:
    case TCP_STATE_LAST_ACK:
        if (seq_le(tcb->snd_nxt, ref_data_end(tcb))) /* the FIN waits behind data: to the peer this is CLOSE-WAIT or FIN-WAIT-1 */
            ref_send_reset(tcb);
        break;
    default: /* SYN-SENT, TIME-WAIT: none is needed */
        break;
    }
    ref_tcb_close(tcb, error);
}

/* ---- CLOSE: §3.10.4 ---------------------------------------------------------------------------------------------- */

/* "Queue this until all preceding SENDs have been segmentized, then form a FIN segment and send it." */
static void close_for_sending(struct ref_tcb *tcb)
{
    switch (tcb->state) {
    case TCP_STATE_SYN_SENT: /* delete the TCB */
        ref_tcb_close(tcb, 0);
        return;
    case TCP_STATE_SYN_RECEIVED:
    case TCP_STATE_ESTABLISHED:
        if (tcb->state == TCP_STATE_SYN_RECEIVED && (tcb->snd_queued || tcb->passive)) {
            tcb->fin_queued = true; /* queued for processing after entering ESTABLISHED state */
            return;
        }
        tcb->state = TCP_STATE_FIN_WAIT_1;
        break;
    case TCP_STATE_CLOSE_WAIT:
        tcb->state = TCP_STATE_LAST_ACK;
        break;
    default: /* a second FIN is not emitted */
        return;
    }
    tcb->fin_queued = true;
    ref_tcp_output(tcb);
}

int64_t ref_shutdown(struct ref_stack *stack, int handle, enum ref_shutdown how)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    if (how != REF_SHUT_RD && how != REF_SHUT_WR && how != REF_SHUT_RDWR)
        return -EINVAL;
    struct ref_tcb *tcb = socket->tcb;
    if (!tcb || tcb->state == TCP_STATE_CLOSED)
        return -ENOTCONN;
    if (how != REF_SHUT_WR)
        socket->read_shut = true;
    if (how != REF_SHUT_RD)
        close_for_sending(tcb);
    ref_reap(stack);
    return 0;
}

/* Every connection that came from here and was not accepted is aborted. */
static void close_listener(struct ref_stack *stack, struct ref_socket *socket)
{
    struct ref_listener *listener = socket->listener, **link = &stack->listeners;
    struct ref_tcb *tcb, *next;
    HASH_ITER(hh, stack->connections, tcb, next)
    {
        if (tcb->listener != listener)
            continue;
        if (tcb->socket) { /* fast open, accepted in SYN-RECEIVED: it lives on */
            ref_leave_listener(tcb);
            continue;
        }
        ref_tcb_abort(tcb, 0);
    }
    while (*link != listener)
        link = &(*link)->next;
    *link = listener->next;
    stack->listener_count--;
    socket->listener = NULL;
    free(listener);
}

/* "… its TCP implementation SHOULD send a RST to show that data was lost" (§3.6.1, SHLD-3): in CLOSING and LAST-ACK, too, where
 * ABORT needs none. */
static void abort_with_data_lost(struct ref_tcb *tcb)
{
    if ((tcb->state == TCP_STATE_CLOSING || tcb->state == TCP_STATE_LAST_ACK) && seq_gt(tcb->snd_nxt, ref_data_end(tcb)))
        ref_send_reset(tcb);
    ref_tcb_abort(tcb, 0);
}

/* The application lets go of its connection: who closes with data unread, or with SO_LINGER 0, aborts. */
static void close_connection(struct ref_tcb *tcb)
{
    tcb->socket = NULL;
    tcb->orphan = true;
    if (tcb->state == TCP_STATE_CLOSED) {
        ref_tcb_release(tcb);
        return;
    }
    bool data_lost = tcb->rcv_unread != 0 && tcb->state != TCP_STATE_TIME_WAIT;
    bool linger_0 = tcb->options.linger_on && tcb->options.linger_s == 0;
    if (data_lost) {
        abort_with_data_lost(tcb);
        return;
    }
    if (linger_0) {
        ref_tcb_abort(tcb, 0);
        return;
    }
    if (tcb->state == TCP_STATE_FIN_WAIT_2) { /* shut down before; nobody is left to wait for the peer's FIN for ever */
        int64_t stay_ns = tcb->options.linger2_s > 0 ? (int64_t)tcb->options.linger2_s * REF_NS_PER_S : tcb->stack->config.fin_wait_2_ns;
        ref_timer_set(tcb, REF_TIMER_LIFETIME, tcb->stack->now_ns + stay_ns);
    }
    close_for_sending(tcb);
}

static void drop_reports(struct ref_stack *stack, int handle)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stack->report_count; i++) {
        struct ref_report report = stack->reports[(stack->report_first + i) % REF_REPORTS_MAX];
        if (report.handle != handle)
            stack->reports[(stack->report_first + kept++) % REF_REPORTS_MAX] = report;
    }
    stack->report_count = kept;
}

static int64_t close_socket(struct ref_stack *stack, int handle, bool abort)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    if (socket->listener)
        close_listener(stack, socket);
    struct ref_tcb *tcb = socket->tcb;
    socket->tcb = NULL;
    if (tcb && abort) {
        tcb->options.linger_on = 1;
        tcb->options.linger_s = 0;
    }
    if (tcb)
        close_connection(tcb);
    drop_reports(stack, handle);
    ref_socket_free(stack, socket);
    ref_reap(stack);
    return 0;
}

int64_t ref_close(struct ref_stack *stack, int handle)
{
    return close_socket(stack, handle, false);
}

int64_t ref_abort(struct ref_stack *stack, int handle)
{
    return close_socket(stack, handle, true);
}

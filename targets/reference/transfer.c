/* RFC 9293 §3.10.2 SEND and §3.10.3 RECEIVE, urgent data among them (§3.8.5; as sockets show it, RFC 6093). */
#include "targets/reference/stack.h"

#include <errno.h>
#include <string.h>

/* ---- SEND -------------------------------------------------------------------------------------------------------- */

uint32_t ref_send_room(const struct ref_tcb *tcb)
{
    uint32_t buffer = (uint32_t)tcb->options.send_buffer;
    return buffer > tcb->snd_queued ? buffer - tcb->snd_queued : 0;
}

static int64_t pending_error(struct ref_socket *socket)
{
    int error = socket->error;
    socket->error = 0;
    return -error;
}

/* "error: connection closing", "does not exist": sockets say broken pipe to all of them. */
static bool may_queue(const struct ref_tcb *tcb)
{
    if (tcb->fin_queued)
        return false;
    return tcb->state == TCP_STATE_SYN_SENT || tcb->state == TCP_STATE_SYN_RECEIVED || tcb->state == TCP_STATE_ESTABLISHED
        || tcb->state == TCP_STATE_CLOSE_WAIT;
}

static int64_t enqueue(struct ref_tcb *tcb, const uint8_t *data, size_t len)
{
    uint32_t room = ref_send_room(tcb);
    uint32_t taken = len < room ? (uint32_t)len : room;
    if (taken == 0)
        return len ? -EAGAIN : 0;
    if (!ref_ring_reserve(&tcb->snd_ring, tcb->snd_queued + taken, tcb->snd_queued, &tcb->stack->buffers)) {
        tcb->stack->counters.buffers_full++;
        return -ENOBUFS; /* "error: insufficient resources" */
    }
    ref_ring_write(&tcb->snd_ring, tcb->snd_queued, data, taken);
    tcb->snd_queued += taken;
    return taken;
}

/* The news of urgent data does not wait for a window or for Nagle: with no segment of text to carry it, an empty one does. */
static void announce_urgent(struct ref_tcb *tcb)
{
    uint32_t sent_before = tcb->snd_nxt;
    tcb->snd_urgent = true;
    tcb->snd_up = ref_data_end(tcb); /* the octet following the urgent data (MUST-62) */
    ref_tcp_output(tcb);
    if (tcb->snd_nxt == sent_before && tcb->state >= TCP_STATE_ESTABLISHED)
        ref_send_ack(tcb);
}

int64_t ref_send(struct ref_stack *stack, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    if (socket->fastopen_deferred && !socket->tcb)
        return ref_send_to(stack, handle, NULL, data, len, flags);
    if (socket->error)
        return pending_error(socket);
    struct ref_tcb *tcb = socket->tcb;
    if (!tcb || !may_queue(tcb))
        return -EPIPE;
    int64_t taken = enqueue(tcb, data, len);
    if (taken <= 0)
        return taken;
    tcb->more_coming = (flags & REF_MSG_MORE) != 0;
    if ((flags & REF_MSG_OOB) && (size_t)taken == len)
        announce_urgent(tcb);
    else
        ref_tcp_output(tcb);
    ref_reap(stack);
    return taken;
}

/* ---- RECEIVE ----------------------------------------------------------------------------------------------------- */

/* The octet that sockets call out of band is the last urgent one, before the urgent pointer. */
static uint32_t mark_of(const struct ref_tcb *tcb)
{
    return tcb->rcv_up - 1;
}

static bool mark_ahead(const struct ref_tcb *tcb) /* not passed yet */
{
    return tcb->urgent_known && seq_ge(mark_of(tcb), ref_unread_seq(tcb));
}

static int64_t receive_out_of_band(struct ref_tcb *tcb, uint8_t *out, size_t len, unsigned flags)
{
    if (tcb->options.oob_inline || !mark_ahead(tcb) || tcb->urgent_taken)
        return -EINVAL;
    uint32_t offset = mark_of(tcb) - ref_unread_seq(tcb);
    if (offset >= tcb->rcv_unread)
        return tcb->fin_received || tcb->state == TCP_STATE_CLOSED ? 0 : -EAGAIN;
    if (len == 0)
        return 0;
    ref_ring_read(&tcb->rcv_ring, offset, out, 1);
    if (!(flags & REF_MSG_PEEK))
        tcb->urgent_taken = true;
    return 1;
}

static void consume(struct ref_tcb *tcb, uint32_t octets)
{
    ref_ring_drop(&tcb->rcv_ring, octets);
    tcb->rcv_unread -= octets;
    if (tcb->urgent_known && seq_ge(ref_unread_seq(tcb), tcb->rcv_up))
        tcb->urgent_known = false; /* back to "normal mode" */
    if (tcb->state != TCP_STATE_CLOSED) {
        ref_window_update(tcb);
        if (tcb->ack_now)
            ref_tcp_output(tcb);
    }
}

/* Up to the mark; at the mark, past the out-of-band octet unless that is wanted inline. */
static int64_t receive_in_band(struct ref_tcb *tcb, uint8_t *out, size_t len, unsigned flags)
{
    uint32_t skip = 0, octets = tcb->rcv_unread;
    if (mark_ahead(tcb)) {
        uint32_t to_mark = mark_of(tcb) - ref_unread_seq(tcb);
        if (to_mark == 0)
            skip = tcb->options.oob_inline || octets == 0 ? 0 : 1;
        else if (to_mark < octets)
            octets = to_mark;
    }
    octets -= skip;
    if (octets > len)
        octets = (uint32_t)len;
    ref_ring_read(&tcb->rcv_ring, skip, out, octets);
    if (!(flags & REF_MSG_PEEK) && skip + octets)
        consume(tcb, skip + octets);
    return octets;
}

static int64_t nothing_to_receive(struct ref_socket *socket)
{
    const struct ref_tcb *tcb = socket->tcb;
    if (socket->error)
        return pending_error(socket);
    return tcb->fin_received || socket->read_shut || tcb->state == TCP_STATE_CLOSED ? 0 : -EAGAIN;
}

int64_t ref_receive(struct ref_stack *stack, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    struct ref_tcb *tcb = socket->tcb;
    if (!tcb)
        return socket->error ? pending_error(socket) : -ENOTCONN;
    int64_t got;
    if (flags & REF_MSG_OOB)
        return receive_out_of_band(tcb, out, len, flags);
    got = receive_in_band(tcb, out, len, flags);
    if (got == 0 && len)
        got = nothing_to_receive(socket);
    ref_reap(stack);
    return got;
}

int64_t ref_ioctl(struct ref_stack *stack, int handle, const char *name, int64_t *value)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    if (socket->listener)
        return -EINVAL;
    const struct ref_tcb *tcb = socket->tcb;
    if (strcmp(name, "SIOCINQ") == 0)
        *value = tcb ? tcb->rcv_unread : 0;
    else if (strcmp(name, "SIOCOUTQ") == 0)
        *value = tcb ? tcb->snd_queued : 0;
    else if (strcmp(name, "SIOCATMARK") == 0)
        *value = tcb && tcb->urgent_known && mark_of(tcb) == ref_unread_seq(tcb);
    else
        return -EINVAL;
    return 0;
}

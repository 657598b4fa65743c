/* The tables of a host: connections by their pair of sockets, listeners with their queues, and what happens when a bound is
 * reached. */
#include "targets/reference/stack.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- connections ------------------------------------------------------------------------------------------------- */

struct ref_tcb *ref_tcb_find(const struct ref_stack *stack, const struct ref_tuple *tuple)
{
    struct ref_tcb *tcb;
    unsigned hash = (unsigned)ref_hash(stack, REF_PURPOSE_TABLE, tuple, sizeof *tuple);
    HASH_FIND_BYHASHVALUE(hh, stack->connections, tuple, sizeof *tuple, hash, tcb);
    return tcb;
}

static bool table_add(struct ref_tcb *tcb)
{
    struct ref_stack *stack = tcb->stack;
    unsigned hash = (unsigned)ref_hash(stack, REF_PURPOSE_TABLE, &tcb->tuple, sizeof tcb->tuple);
    HASH_ADD_BYHASHVALUE(hh, stack->connections, tuple, sizeof tcb->tuple, hash, tcb);
    return tcb->hh.tbl != NULL;
}

static void table_remove(struct ref_tcb *tcb)
{
    HASH_DEL(tcb->stack->connections, tcb);
}

static bool heap_make_room(struct ref_stack *stack)
{
    /* Replaced incarnations are out of the table but may come back: two places for each connection suffice. */
    uint32_t needed = 2 * (HASH_COUNT(stack->connections) + 1);
    if (needed <= stack->heap_capacity)
        return true;
    uint32_t capacity = needed < 8 ? 8 : needed * 2;
    struct ref_tcb **heap = realloc(stack->heap, capacity * sizeof(struct ref_tcb *));
    if (!heap)
        return false;
    stack->heap = heap;
    stack->heap_capacity = capacity;
    return true;
}

/* How willingly a connection is given up for a new one: 0 not at all. TIME-WAIT goes first; then what the application has left
 * behind, for which RFC 6429 §4 gives resource management leave. */
static int evictable(const struct ref_tcb *tcb)
{
    if (tcb->state == TCP_STATE_TIME_WAIT)
        return 3;
    if (!tcb->orphan)
        return 0;
    return tcb->state == TCP_STATE_FIN_WAIT_2 ? 2 : 1;
}

static bool evict_one(struct ref_stack *stack)
{
    struct ref_tcb *victim = NULL;
    for (struct ref_tcb *tcb = stack->connections; tcb; tcb = tcb->hh.next) { /* oldest first */
        if (evictable(tcb) > (victim ? evictable(victim) : 0))
            victim = tcb;
        if (victim && evictable(victim) == 3)
            break;
    }
    if (!victim)
        return false;
    stack->counters.evicted++;
    ref_tcb_abort(victim, 0);
    return true;
}

struct ref_tcb *ref_tcb_new(struct ref_stack *stack, const struct ref_tuple *tuple, const struct ref_options *options)
{
    if (HASH_COUNT(stack->connections) >= stack->config.connections_max && !evict_one(stack)) {
        stack->counters.connections_full++;
        return NULL;
    }
    struct ref_tcb *tcb = heap_make_room(stack) ? calloc(1, sizeof *tcb) : NULL;
    if (!tcb)
        return NULL;
    tcb->stack = stack;
    tcb->tuple = *tuple;
    tcb->options = *options;
    tcb->state = TCP_STATE_CLOSED;
    tcb->heap_index = UINT32_MAX;
    tcb->next_timer_at = REF_NEVER;
    for (int i = 0; i < REF_TIMER_COUNT; i++)
        tcb->timer_at[i] = REF_NEVER;
    tcb->ts_offset = ref_timestamp_offset(stack, tuple);
    tcb->pmtu = ref_pmtu_for(stack, &tuple->remote, &tcb->pmtu_raise_at_ns);
    tcb->max_size_sent = tcb->max_size_acked = tuple->local.version == 4 ? REF_IPV4_MTU_MIN : REF_IPV6_MTU_MIN;
    tcb->last_heard_ns = stack->now_ns;
    tcb->user_timeout_ns = (int64_t)options->user_timeout_ms * REF_NS_PER_MS;
    ref_rtt_init(&tcb->rtt, stack->config.initial_rto_ns);
    if (!table_add(tcb)) {
        free(tcb);
        return NULL;
    }
    return tcb;
}

void ref_tcb_destroy(struct ref_tcb *tcb)
{
    ref_ring_free(&tcb->snd_ring, &tcb->stack->buffers);
    ref_ring_free(&tcb->rcv_ring, &tcb->stack->buffers);
    ref_ranges_free(&tcb->rcv_ranges);
    ref_ranges_free(&tcb->sacked);
    free(tcb);
}

static void leave_blocked_list(struct ref_tcb *tcb)
{
    struct ref_stack *stack = tcb->stack;
    struct ref_tcb **link = &stack->blocked_first, *before = NULL;
    if (!tcb->output_blocked)
        return;
    while (*link != tcb) {
        before = *link;
        link = &before->blocked_next;
    }
    *link = tcb->blocked_next;
    if (stack->blocked_last == tcb)
        stack->blocked_last = before;
    tcb->output_blocked = false;
}

static void bury(struct ref_tcb *tcb)
{
    tcb->grave_next = tcb->stack->graveyard;
    tcb->stack->graveyard = tcb;
}

void ref_tcb_close(struct ref_tcb *tcb, int error)
{
    assert(tcb->state != TCP_STATE_CLOSED || !tcb->socket);
    ref_leave_listener(tcb);
    leave_blocked_list(tcb);
    ref_timers_stop_all(tcb);
    if (tcb->time_wait) {
        struct ref_tcb *old = tcb->time_wait;
        tcb->time_wait = NULL;
        old->replaced_by = NULL;
        ref_tcb_close(old, 0);
    } else if (tcb->replaced_by) {
        tcb->replaced_by->time_wait = NULL;
        tcb->replaced_by = NULL;
    }
    if (tcb->hh.tbl)
        table_remove(tcb);
    tcb->hh.tbl = NULL;
    tcb->state = TCP_STATE_CLOSED;
    ref_ring_free(&tcb->snd_ring, &tcb->stack->buffers);
    tcb->snd_queued = 0;
    if (error) {
        ref_ring_free(&tcb->rcv_ring, &tcb->stack->buffers); /* all segment queues should be flushed */
        tcb->rcv_unread = 0;
    }
    if (!tcb->socket) {
        bury(tcb);
        return;
    }
    if (error)
        tcb->socket->error = error;
}

void ref_tcb_release(struct ref_tcb *tcb)
{
    assert(tcb->state == TCP_STATE_CLOSED && !tcb->socket);
    bury(tcb);
}

void ref_reap(struct ref_stack *stack)
{
    while (stack->graveyard) {
        struct ref_tcb *tcb = stack->graveyard;
        stack->graveyard = tcb->grave_next;
        ref_tcb_destroy(tcb);
    }
}

struct ref_tcb *ref_tcb_replace(struct ref_tcb *old, const struct ref_options *options)
{
    assert(old->state == TCP_STATE_TIME_WAIT && old->hh.tbl);
    int64_t until_ns = old->timer_at[REF_TIMER_LIFETIME];
    ref_timers_stop_all(old);
    old->timer_at[REF_TIMER_LIFETIME] = until_ns; /* remembered, but out of the heap: next_timer_at stays REF_NEVER */
    table_remove(old);
    old->hh.tbl = NULL;
    struct ref_tcb *tcb = ref_tcb_new(old->stack, &old->tuple, options);
    if (tcb) {
        tcb->time_wait = old;
        old->replaced_by = tcb;
        return tcb;
    }
    old->timer_at[REF_TIMER_LIFETIME] = REF_NEVER;
    if (table_add(old))
        ref_timer_set(old, REF_TIMER_LIFETIME, until_ns);
    else
        ref_tcb_close(old, 0);
    return NULL;
}

void ref_tcb_give_back(struct ref_tcb *tcb)
{
    struct ref_tcb *old = tcb->time_wait;
    if (old) {
        tcb->time_wait = NULL;
        old->replaced_by = NULL;
    }
    ref_tcb_close(tcb, 0);
    if (!old)
        return;
    int64_t until_ns = old->timer_at[REF_TIMER_LIFETIME];
    old->timer_at[REF_TIMER_LIFETIME] = REF_NEVER;
    if (heap_make_room(old->stack) && table_add(old))
        ref_timer_set(old, REF_TIMER_LIFETIME, until_ns);
    else
        ref_tcb_close(old, 0);
}

/* ---- listeners --------------------------------------------------------------------------------------------------- */

/* The one bound to this very address goes before the one bound to any; one for IPv6 and any address takes IPv4 unless V6ONLY. */
struct ref_listener *ref_listener_find(const struct ref_stack *stack, const struct pkt_endpoint *local)
{
    struct ref_listener *any = NULL;
    for (struct ref_listener *l = stack->listeners; l; l = l->next) {
        if (l->local.port != local->port)
            continue;
        if (l->local.addr.version != 0) {
            if (pkt_addr_equal(&l->local.addr, &local->addr))
                return l;
        } else if (l->socket->ip_version == local->addr.version) {
            any = l;
        } else if (local->addr.version == 4 && !l->socket->options.v6only && !any) {
            any = l;
        }
    }
    return any;
}

void ref_accept_queue_push(struct ref_listener *listener, struct ref_tcb *tcb)
{
    assert(tcb->listener == listener && !tcb->in_accept_queue);
    tcb->in_accept_queue = true;
    tcb->accept_next = NULL;
    if (listener->accept_last)
        listener->accept_last->accept_next = tcb;
    else
        listener->accept_first = tcb;
    listener->accept_last = tcb;
    listener->accept_count++;
}

static void accept_queue_remove(struct ref_listener *listener, struct ref_tcb *tcb)
{
    struct ref_tcb **link = &listener->accept_first, *before = NULL;
    while (*link != tcb) {
        before = *link;
        link = &before->accept_next;
    }
    *link = tcb->accept_next;
    if (listener->accept_last == tcb)
        listener->accept_last = before;
    listener->accept_count--;
    tcb->in_accept_queue = false;
}

/* The first that may be shown; it stays counted as half open while it is (fast open). */
struct ref_tcb *ref_accept_queue_pop(struct ref_listener *listener)
{
    struct ref_tcb *tcb = listener->accept_first;
    while (tcb && tcb->accept_deferred)
        tcb = tcb->accept_next;
    if (!tcb)
        return NULL;
    accept_queue_remove(listener, tcb);
    if (tcb->state != TCP_STATE_SYN_RECEIVED)
        tcb->listener = NULL;
    return tcb;
}

void ref_leave_listener(struct ref_tcb *tcb)
{
    struct ref_listener *listener = tcb->listener;
    if (!listener)
        return;
    if (tcb->in_accept_queue)
        accept_queue_remove(listener, tcb);
    if (tcb->state == TCP_STATE_SYN_RECEIVED) {
        assert(listener->half_open > 0);
        listener->half_open--;
        if (tcb->fastopen) {
            assert(listener->fastopen_pending > 0);
            listener->fastopen_pending--;
        }
    }
    tcb->listener = NULL;
}

/* ---- reports ----------------------------------------------------------------------------------------------------- */

void ref_report(struct ref_tcb *tcb, enum ref_report_kind kind, int64_t value)
{
    struct ref_stack *stack = tcb->stack;
    if (!tcb->socket || !tcb->options.reports)
        return;
    if (stack->report_count == REF_REPORTS_MAX) {
        stack->report_first = (stack->report_first + 1) % REF_REPORTS_MAX;
        stack->report_count--;
        stack->counters.reports_lost++;
    }
    uint32_t at = (stack->report_first + stack->report_count++) % REF_REPORTS_MAX;
    stack->reports[at] = (struct ref_report){ .kind = kind, .handle = tcb->socket->handle, .at_ns = stack->now_ns, .value = value };
}

/* The reference stack: its life, its clock, and the way of a packet in and out.
 *
 * Theory of operation
 *
 * A stack is one host. Whatever happens to it happens inside a call: a packet arrives (ref_input), time passes (ref_advance), the
 * application calls (calls.c). Each of them ends with everything that is due now standing in the output queue, as finished packets,
 * and with the earliest timer known; then it returns. RFC 9293 §3.10 is written as such events, and the files follow it:
 *
 *     §3.3.1     the connection record         stack.h
 *     §3.4.1     initial sequence numbers      secrets.c
 *     §3.5       establishing                  listen.c, syn_sent.c, syncookie.c, fastopen.c
 *     §3.6       closing                       calls.c, receive.c
 *     §3.7       segmentation, path MTU        output.c, segment.c, pmtu.c
 *     §3.8.1-3   retransmission, congestion    timeouts.c, rtt.c, congestion.c, sack.c
 *     §3.8.4     keep-alives                   timeouts.c
 *     §3.8.5     urgent data                   other_states.c (sixth), transfer.c
 *     §3.8.6     windows                       output.c, receive.c
 *     §3.9.2.2   ICMP                          icmp.c
 *     §3.10.1-6  user calls                    open.c, transfer.c, calls.c, status.c, sockopts.c
 *     §3.10.7    SEGMENT ARRIVES               segment_arrives.c, listen.c, syn_sent.c, other_states.c, acknowledge.c, receive.c
 *     §3.10.8    timeouts                      timeouts.c, timers.c
 *
 * Data. A send buffer holds what was written and is not yet acknowledged, wholly or partly sent: any part of it can be cut into
 * segments again. A receive buffer holds what arrived, in order or above a gap, at its place in the stream. What the peer has
 * SACKed, and what we hold above a gap, are sets of ranges. Nothing else is remembered of a segment.
 *
 * Invariants: ref_check_invariants (invariants.c). Bounds: struct ref_config; each has a counter in struct ref_counters.
 */
#include "targets/reference/stack.h"

#include <stdlib.h>
#include <string.h>

struct ref_config ref_config_default(void)
{
    const int64_t s = REF_NS_PER_S, ms = REF_NS_PER_MS;
    return (struct ref_config){
        .ipv4_prefix_len = 24, .mtu = 1500,
        .connections_max = 16384, .sockets_max = 16384, .listeners_max = 4096, .syn_backlog_max = 128,
        .output_queue_bytes_max = 1u << 20, .buffer_bytes_max = 1u << 30,
        .syn_retries = 8, .synack_retries = 7, .data_retries = 8, .r1_retries = 3,
        .syncookies = REF_SYNCOOKIES_ON,
        .msl_ns = 120 * s,
        .initial_rto_ns = 1 * s, .min_rto_ns = 1 * s, .max_rto_ns = 240 * s, /* RFC 1122 §4.2.3.1: 2*MSL */
        .delayed_ack_ns = 40 * ms, .sws_override_ns = 500 * ms, .fin_wait_2_ns = 60 * s,
        .keepalive_idle_ns = 7200 * s, .keepalive_interval_ns = 75 * s, .keepalive_probes = 9,
        .timestamps = true, .sack = true, .window_scaling = true,
        .receive_buffer = 131072, .send_buffer = 131072,
        .challenge_ack_limit = 10, .challenge_ack_interval_ns = 5 * s, /* RFC 5961 §7 */
        .port_min = 1024, .port_max = 65535,                           /* RFC 6056 §3.2 */
    };
}

static bool config_makes_sense(const struct ref_config *config)
{
    if (config->address_count == 0 || config->address_count > REF_ADDRESSES_MAX || config->mtu < REF_IPV4_MTU_MIN)
        return false;
    for (unsigned i = 0; i < config->address_count; i++) {
        uint8_t version = config->addresses[i].version;
        if ((version != 4 && version != 6) || (version == 6 && config->mtu < REF_IPV6_MTU_MIN))
            return false;
    }
    bool queue_holds_packets = config->output_queue_bytes_max / 4 >= 2u * config->mtu;
    bool timers_advance = config->min_rto_ns > 0 && config->initial_rto_ns > 0 && config->max_rto_ns >= config->min_rto_ns;
    return queue_holds_packets && timers_advance && config->port_min <= config->port_max && config->port_min > 0;
}

struct ref_stack *ref_stack_new(const struct ref_config *config, int64_t now_ns)
{
    if (!config_makes_sense(config) || now_ns < 0)
        return NULL;
    struct ref_stack *stack = calloc(1, sizeof *stack);
    if (!stack)
        return NULL;
    stack->config = *config;
    stack->now_ns = now_ns;
    stack->buffers.max = config->buffer_bytes_max;
    ref_secrets_init(stack);
    return stack;
}

static void free_connections(struct ref_stack *stack)
{
    struct ref_tcb *tcb, *next;
    HASH_ITER(hh, stack->connections, tcb, next)
    {
        HASH_DEL(stack->connections, tcb);
        if (tcb->socket)
            tcb->socket->tcb = NULL;
        if (tcb->time_wait) {
            if (tcb->time_wait->socket)
                tcb->time_wait->socket->tcb = NULL;
            ref_tcb_destroy(tcb->time_wait);
        }
        ref_tcb_destroy(tcb);
    }
}

static void free_sockets(struct ref_stack *stack)
{
    for (uint32_t i = 0; i < stack->sockets_capacity; i++) {
        struct ref_socket *socket = stack->sockets[i];
        if (!socket)
            continue;
        if (socket->tcb)
            ref_tcb_destroy(socket->tcb); /* closed, not yet released */
        free(socket->listener);
        free(socket);
    }
}

static void free_contents(struct ref_stack *stack)
{
    ref_reap(stack);
    free_connections(stack);
    free_sockets(stack);
}

/* What holds memory only, and what cannot change, stays. */
void ref_stack_restart(struct ref_stack *stack, uint64_t seed, int64_t now_ns)
{
    free_contents(stack);
    const struct ref_stack old = *stack;
    pkt_reassembler_free(old.reassembler);
    free(old.pmtu);
    free(old.fastopen);
    memset(stack, 0, offsetof(struct ref_stack, reports)); /* those beyond the count are not read */
    stack->report_first = stack->report_count = 0;
    stack->counters = (struct ref_counters){0};
    stack->config = old.config;
    stack->config.seed = seed;
    stack->now_ns = now_ns;
    stack->sockets = old.sockets;
    stack->sockets_capacity = old.sockets_capacity;
    for (uint32_t i = 0; i < stack->sockets_capacity; i++)
        stack->sockets[i] = NULL;
    stack->heap = old.heap;
    stack->heap_capacity = old.heap_capacity;
    stack->queue.bytes = old.queue.bytes;
    stack->queue.capacity = old.queue.capacity;
    stack->builder = old.builder;
    stack->scratch = old.scratch;
    stack->buffers.max = stack->config.buffer_bytes_max;
    ref_secrets_init(stack);
}

void ref_stack_free(struct ref_stack *stack)
{
    if (!stack)
        return;
    free_contents(stack);
    free(stack->sockets);
    pkt_builder_free(stack->builder);
    pkt_reassembler_free(stack->reassembler);
    free(stack->heap);
    free(stack->queue.bytes);
    free(stack->scratch);
    free(stack->pmtu);
    free(stack->fastopen);
    free(stack);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void set_clock(struct ref_stack *stack, int64_t now_ns)
{
    if (now_ns > stack->now_ns)
        stack->now_ns = now_ns;
}

int64_t ref_now(const struct ref_stack *stack)
{
    return stack->now_ns;
}

int64_t ref_next_deadline(const struct ref_stack *stack)
{
    return stack->heap_count ? stack->heap[0]->next_timer_at : REF_NEVER;
}

static void fire_due(struct ref_tcb *tcb)
{
    for (enum ref_timer timer = 0; timer < REF_TIMER_COUNT; timer++) {
        if (tcb->timer_at[timer] == tcb->next_timer_at) {
            ref_timer_stop(tcb, timer);
            ref_timer_fired(tcb, timer);
            return;
        }
    }
}

void ref_advance(struct ref_stack *stack, int64_t now_ns)
{
    set_clock(stack, now_ns);
    while (ref_next_deadline(stack) <= stack->now_ns) {
        fire_due(stack->heap[0]);
        ref_reap(stack);
    }
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

static void packet_arrives(struct ref_stack *stack, const struct packet *packet);

static void fragment_arrives(struct ref_stack *stack, const struct packet *fragment)
{
    const uint8_t *whole;
    size_t whole_len;
    struct packet packet;
    if (!stack->reassembler)
        stack->reassembler = pkt_reassembler_new();
    if (!stack->reassembler || !pkt_reassemble(stack->reassembler, fragment, stack->now_ns, &whole, &whole_len))
        return;
    if (pkt_parse(whole, whole_len, &packet) == PKT_OK && packet.kind != PKT_KIND_FRAGMENT)
        packet_arrives(stack, &packet);
    else
        stack->counters.not_parsed++;
}

/* Addresses are checked for every packet, not for SYNs alone: §3.9.2.3 (MUST-57, MUST-63). */
static bool addresses_are_valid(struct ref_stack *stack, const struct pkt_ip *ip)
{
    if (!ref_address_is_ours(stack, &ip->dst)) {
        stack->counters.not_for_us++;
        return false;
    }
    if (!ref_address_is_unicast(stack, &ip->src) || ref_address_is_ours(stack, &ip->src)) {
        stack->counters.bad_source++;
        return false;
    }
    return true;
}

static void packet_arrives(struct ref_stack *stack, const struct packet *packet)
{
    if (!addresses_are_valid(stack, &packet->ip))
        return;
    bool checksum_ok = packet->ip.checksum_ok && (packet->kind != PKT_KIND_TCP || packet->tcp.checksum_ok) /* MUST-3 */
                    && (packet->kind != PKT_KIND_ICMP || packet->icmp.checksum_ok);
    if (!checksum_ok) {
        stack->counters.bad_checksum++;
        return;
    }
    switch (packet->kind) {
    case PKT_KIND_TCP:
        ref_segment_arrives(stack, packet);
        break;
    case PKT_KIND_ICMP:
        ref_icmp_arrives(stack, packet);
        break;
    case PKT_KIND_FRAGMENT:
        fragment_arrives(stack, packet);
        break;
    default:
        stack->counters.not_for_us++;
        break;
    }
}

void ref_input(struct ref_stack *stack, const uint8_t *bytes, size_t len, int64_t now_ns)
{
    struct packet packet;
    set_clock(stack, now_ns);
    stack->counters.packets_in++;
    if (pkt_parse(bytes, len, &packet) == PKT_OK)
        packet_arrives(stack, &packet);
    else
        stack->counters.not_parsed++;
    ref_reap(stack);
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

ssize_t ref_output(struct ref_stack *stack, uint8_t *out, size_t capacity, int64_t now_ns, int64_t *emitted_at_ns)
{
    set_clock(stack, now_ns);
    ssize_t len = ref_queue_take(stack, out, capacity, emitted_at_ns);
    if (stack->blocked_first && ref_queue_has_room(stack)) {
        ref_output_unblock(stack);
        ref_reap(stack);
    }
    return len;
}

bool ref_next_report(struct ref_stack *stack, struct ref_report *out)
{
    if (stack->report_count == 0)
        return false;
    *out = stack->reports[stack->report_first];
    stack->report_first = (stack->report_first + 1) % REF_REPORTS_MAX;
    stack->report_count--;
    return true;
}

const struct ref_counters *ref_counters(const struct ref_stack *stack)
{
    return &stack->counters;
}

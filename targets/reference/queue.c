/* Packets on their way out: built here, kept in order in one growing block of memory, taken by ref_output. */
#include "targets/reference/stack.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct record { /* stands before each packet */
    int64_t emitted_at_ns;
    uint32_t len;
};

enum { QUEUE_CAPACITY_MIN = 4096, TCP_HEADERS_MAX = REF_IPV6_HEADER + 60 };

static size_t used(const struct ref_queue *queue)
{
    return queue->tail - queue->head;
}

/* Data leaves a quarter of the queue to what must not wait: acknowledgments, resets, ICMP. */
bool ref_queue_has_room(const struct ref_stack *stack)
{
    size_t limit = stack->config.output_queue_bytes_max - stack->config.output_queue_bytes_max / 4;
    return used(&stack->queue) + stack->config.mtu + sizeof(struct record) <= limit;
}

/* Room for more octets at the tail: by moving what is left to the front, or by growing. */
static bool reserve(struct ref_stack *stack, size_t more)
{
    struct ref_queue *queue = &stack->queue;
    if (used(queue) + more > stack->config.output_queue_bytes_max)
        return false;
    if (queue->tail + more <= queue->capacity)
        return true;
    if (queue->head > queue->capacity / 2) {
        memmove(queue->bytes, queue->bytes + queue->head, used(queue));
        queue->tail -= queue->head;
        queue->head = 0;
        if (queue->tail + more <= queue->capacity)
            return true;
    }
    size_t capacity = queue->capacity ? queue->capacity * 2 : QUEUE_CAPACITY_MIN;
    while (capacity < queue->tail + more)
        capacity *= 2;
    uint8_t *bytes = realloc(queue->bytes, capacity);
    if (!bytes)
        return false;
    queue->bytes = bytes;
    queue->capacity = capacity;
    return true;
}

static void commit(struct ref_stack *stack, uint32_t len)
{
    struct record record = { .emitted_at_ns = stack->now_ns, .len = len };
    memcpy(stack->queue.bytes + stack->queue.tail, &record, sizeof record);
    stack->queue.tail += sizeof record + len;
    stack->counters.packets_out++;
}

static void push_copy(void *context, const uint8_t *bytes, size_t len)
{
    struct ref_stack *stack = context;
    if (!reserve(stack, sizeof(struct record) + len)) {
        stack->counters.output_queue_full++;
        return;
    }
    memcpy(stack->queue.bytes + stack->queue.tail + sizeof(struct record), bytes, len);
    commit(stack, (uint32_t)len);
}

/* What is larger than the link's MTU (an echo reply to a large echo) leaves in fragments. */
static void emit_in_fragments(struct ref_stack *stack, const struct pkt_spec *spec)
{
    uint8_t *bytes = malloc(PKT_BYTES_MAX);
    if (!bytes)
        return;
    ssize_t len = pkt_build(stack->builder, spec, bytes, PKT_BYTES_MAX);
    if (len > 0)
        pkt_fragment(bytes, (size_t)len, stack->config.mtu, (uint32_t)ref_random(stack), push_copy, stack);
    free(bytes);
}

void ref_emit(struct ref_stack *stack, const struct pkt_spec *spec)
{
    if (!stack->builder)
        stack->builder = pkt_builder_new_quick();
    if (!stack->builder)
        return;
    if (spec->payload_len + TCP_HEADERS_MAX > stack->config.mtu && spec->protocol != PKT_PROTO_TCP) {
        emit_in_fragments(stack, spec);
        return;
    }
    size_t room = spec->payload_len + TCP_HEADERS_MAX;
    if (!reserve(stack, sizeof(struct record) + room)) {
        stack->counters.output_queue_full++;
        return;
    }
    ssize_t len = pkt_build(stack->builder, spec, stack->queue.bytes + stack->queue.tail + sizeof(struct record), room);
    assert(len > 0);
    if (len > 0)
        commit(stack, (uint32_t)len);
}

ssize_t ref_queue_take(struct ref_stack *stack, uint8_t *out, size_t capacity, int64_t *emitted_at_ns)
{
    struct ref_queue *queue = &stack->queue;
    struct record record;
    if (used(queue) == 0)
        return 0;
    memcpy(&record, queue->bytes + queue->head, sizeof record);
    if (record.len > capacity)
        return -EMSGSIZE;
    memcpy(out, queue->bytes + queue->head + sizeof record, record.len);
    queue->head += sizeof record + record.len;
    if (queue->head == queue->tail)
        queue->head = queue->tail = 0;
    if (emitted_at_ns)
        *emitted_at_ns = record.emitted_at_ns;
    return record.len;
}

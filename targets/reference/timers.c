/* When something is due: each TCB's timers, and a binary heap of TCBs ordered by their earliest. */
#include "targets/reference/stack.h"

#include <assert.h>
#include <stdlib.h>

static const uint32_t NOT_IN_HEAP = UINT32_MAX;

static void place(struct ref_stack *stack, uint32_t index, struct ref_tcb *tcb)
{
    stack->heap[index] = tcb;
    tcb->heap_index = index;
}

static void sift_up(struct ref_stack *stack, uint32_t index)
{
    struct ref_tcb *tcb = stack->heap[index];
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;
        if (stack->heap[parent]->next_timer_at <= tcb->next_timer_at)
            break;
        place(stack, index, stack->heap[parent]);
        index = parent;
    }
    place(stack, index, tcb);
}

static void sift_down(struct ref_stack *stack, uint32_t index)
{
    struct ref_tcb *tcb = stack->heap[index];
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= stack->heap_count)
            break;
        if (child + 1 < stack->heap_count && stack->heap[child + 1]->next_timer_at < stack->heap[child]->next_timer_at)
            child++;
        if (tcb->next_timer_at <= stack->heap[child]->next_timer_at)
            break;
        place(stack, index, stack->heap[child]);
        index = child;
    }
    place(stack, index, tcb);
}

static void heap_remove(struct ref_tcb *tcb)
{
    struct ref_stack *stack = tcb->stack;
    uint32_t index = tcb->heap_index;
    struct ref_tcb *last = stack->heap[--stack->heap_count];
    tcb->heap_index = NOT_IN_HEAP;
    if (last == tcb)
        return;
    place(stack, index, last);
    sift_up(stack, index);
    sift_down(stack, last->heap_index);
}

/* Room was made when the TCB entered the table (ref_tcb_new): one place for each. */
static void heap_update(struct ref_tcb *tcb)
{
    struct ref_stack *stack = tcb->stack;
    if (tcb->next_timer_at == REF_NEVER) {
        if (tcb->heap_index != NOT_IN_HEAP)
            heap_remove(tcb);
        return;
    }
    if (tcb->heap_index == NOT_IN_HEAP) {
        assert(stack->heap_count < stack->heap_capacity);
        place(stack, stack->heap_count++, tcb);
    }
    sift_up(stack, tcb->heap_index);
    sift_down(stack, tcb->heap_index);
}

static int64_t earliest(const struct ref_tcb *tcb)
{
    int64_t at_ns = REF_NEVER;
    for (int i = 0; i < REF_TIMER_COUNT; i++) {
        if (tcb->timer_at[i] < at_ns)
            at_ns = tcb->timer_at[i];
    }
    return at_ns;
}

void ref_timer_set(struct ref_tcb *tcb, enum ref_timer timer, int64_t at_ns)
{
    if (tcb->timer_at[timer] == at_ns)
        return;
    tcb->timer_at[timer] = at_ns;
    int64_t next = earliest(tcb);
    if (next != tcb->next_timer_at) {
        tcb->next_timer_at = next;
        heap_update(tcb);
    }
}

void ref_timer_stop(struct ref_tcb *tcb, enum ref_timer timer)
{
    ref_timer_set(tcb, timer, REF_NEVER);
}

void ref_timers_stop_all(struct ref_tcb *tcb)
{
    for (int i = 0; i < REF_TIMER_COUNT; i++)
        tcb->timer_at[i] = REF_NEVER;
    tcb->next_timer_at = REF_NEVER;
    heap_update(tcb);
}

/* The arena that a scenario lives in: blocks of zeroed memory, cut from the front, chained so that they can be freed. */
#include "engine/scenario/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scn_arena_block {
    struct scn_arena_block *next;
    size_t used, capacity; /* octets behind this header */
    alignas(max_align_t) unsigned char bytes[];
};

struct scn_arena *scn_arena_new(void)
{
    return calloc(1, sizeof(struct scn_arena));
}

void scn_arena_free(struct scn_arena *arena)
{
    if (!arena)
        return;
    for (struct scn_arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

static struct scn_arena_block *new_block(struct scn_arena *arena, size_t bytes)
{
    size_t capacity = bytes > SCN_ARENA_BLOCK_BYTES ? bytes : SCN_ARENA_BLOCK_BYTES;
    size_t whole = sizeof(struct scn_arena_block) + capacity;
    if (whole > SCN_ARENA_BYTES_MAX - arena->used_bytes)
        return NULL;
    struct scn_arena_block *block = calloc(1, whole);
    if (!block)
        return NULL;
    block->capacity = capacity;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used_bytes += whole;
    return block;
}

static void *no_memory(struct scn_arena *arena)
{
    if (arena->escape)
        longjmp(*arena->escape, 1);
    return NULL;
}

void *scn_arena_alloc(struct scn_arena *arena, size_t count, size_t size)
{
    assert(size > 0);
    if (count > SCN_ARENA_BYTES_MAX / size)
        return no_memory(arena);
    size_t bytes = (count * size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    struct scn_arena_block *block = arena->blocks;
    if (!block || bytes > block->capacity - block->used)
        block = new_block(arena, bytes);
    if (!block)
        return no_memory(arena);
    void *start = block->bytes + block->used;
    block->used += bytes;
    return start;
}

char *scn_arena_text(struct scn_arena *arena, const char *text, size_t len)
{
    char *copy = scn_arena_alloc(arena, len + 1, 1);
    if (copy)
        memcpy(copy, text, len);
    return copy;
}

char *scn_arena_format(struct scn_arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = scn_arena_alloc(arena, (size_t)(len < 0 ? 0 : len) + 1, 1);
    if (text && len > 0)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

void scn_list_add(struct scn_arena *arena, struct scn_list *list, void *item)
{
    assert(arena->escape); /* so that growing cannot fail here */
    if (list->count == list->capacity) {
        unsigned capacity = list->capacity ? 2 * list->capacity : 4;
        void **items = scn_arena_alloc(arena, capacity, sizeof *items);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

/* Memory that is handed out piece by piece, from blocks that are given back together. */
#include "reports/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 << 10, ALIGNMENT = alignof(max_align_t) };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

/* A block of its own for what is large, behind the one being filled so that its rest is not lost. */
static struct arena_block *add_block(struct arena *arena, size_t need)
{
    const size_t size = need > BLOCK_BYTES / 4 ? need : BLOCK_BYTES;
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->size = size;
    if (size == need && arena->blocks) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    size_t need = 0;
    if (__builtin_mul_overflow(count, size, &need) || need > SIZE_MAX / 2)
        return NULL;
    need = (need + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < need)
        block = add_block(arena, need);
    if (!block)
        return NULL;
    void *piece = block->bytes + block->used;
    block->used += need;
    return piece;
}

char *arena_copy(struct arena *arena, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = arena_alloc(arena, size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}

void arena_release(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}

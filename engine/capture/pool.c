/* Blocks out of pieces of PIECE_LEN (pool.h).
 *
 * A piece is as long as a huge page and lies like one, and the kernel is asked to make it one: where each packet is of another
 * connection than the one before, half of the time went into looking up and first touching small pages. Only the first piece
 * is left in small ones, so that a capture of few connections takes no more than those need. */
#include "engine/capture/pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define POOL_SEPARATES true
#elif defined(__has_feature)
#define POOL_SEPARATES __has_feature(address_sanitizer)
#else
#define POOL_SEPARATES false
#endif

enum { PIECE_LEN = 2 << 20 };

struct piece { struct piece *next; };
struct spare { struct spare *next; }; /* a block that was given back */

struct pool {
    size_t block_size;
    struct piece *pieces;
    struct spare *spares;
    char *fresh, *end;     /* of the last piece: never used, and zero */
};

static size_t rounded(size_t size)
{
    return (size + POOL_ALIGNMENT - 1) / POOL_ALIGNMENT * POOL_ALIGNMENT;
}

struct pool *pool_new(size_t block_size)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool)
        pool->block_size = rounded(block_size);
    return pool;
}

/* Twice the length is sure to hold a piece that lies right; the rest is given back. */
static char *map_piece(void)
{
    char *mapped = mmap(NULL, 2 * PIECE_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return NULL;
    const size_t before = -(uintptr_t)mapped & (PIECE_LEN - 1), behind = PIECE_LEN - before;
    if (before)
        munmap(mapped, before);
    munmap(mapped + before + PIECE_LEN, behind);
    return mapped + before;
}

static bool add_piece(struct pool *pool)
{
    char *memory = map_piece();
    if (!memory)
        return false;
    if (pool->pieces)
        madvise(memory, PIECE_LEN, MADV_HUGEPAGE); /* an older kernel says no: then it is slower */
    struct piece *piece = (struct piece *)(void *)memory;
    piece->next = pool->pieces;
    pool->pieces = piece;
    pool->fresh = memory + rounded(sizeof *piece);
    pool->end = memory + PIECE_LEN;
    return true;
}

void *pool_take(struct pool *pool)
{
    void *block = pool->spares;
    if (POOL_SEPARATES) {
        block = aligned_alloc(POOL_ALIGNMENT, pool->block_size);
        return block ? memset(block, 0, pool->block_size) : NULL;
    }
    if (block) {
        pool->spares = pool->spares->next;
        return memset(block, 0, pool->block_size);
    }
    if ((size_t)(pool->end - pool->fresh) < pool->block_size && !add_piece(pool))
        return NULL;
    block = pool->fresh;
    pool->fresh += pool->block_size;
    return block;
}

void pool_give(struct pool *pool, void *block)
{
    if (POOL_SEPARATES) {
        free(block);
        return;
    }
    struct spare *spare = block;
    spare->next = pool->spares;
    pool->spares = spare;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    for (struct piece *piece = pool->pieces, *next; piece; piece = next) {
        next = piece->next;
        munmap(piece, PIECE_LEN);
    }
    free(pool);
}

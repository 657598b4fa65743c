/* Blocks out of pieces of PIECE_LEN (pool.h).
 *
 * A piece is as long as a huge page and lies like one, and the kernel is asked to make it one: where each packet is of another
 * connection than the one before, a quarter of the time goes into looking up and first touching small pages. Only the first piece
 * is left in small ones, so that a capture of few connections takes no more than those need. */
#include "engine/model/pool.h"

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

struct pool {
    size_t block_size;
    bool zeroed;
    struct piece *pieces;
    void **spares;         /* blocks that were given back; apart from them, so that none is read before its turn comes */
    size_t spare_count, spare_capacity;
    char *fresh, *end;     /* of the last piece: never used, and zero */
};

static size_t rounded(size_t size)
{
    return (size + POOL_ALIGNMENT - 1) / POOL_ALIGNMENT * POOL_ALIGNMENT;
}

struct pool *pool_new(size_t block_size, bool zeroed)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->block_size = rounded(block_size);
    pool->zeroed = zeroed;
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

static void *take_used(struct pool *pool)
{
    void *block = POOL_SEPARATES ? aligned_alloc(POOL_ALIGNMENT, pool->block_size) : pool->spares[--pool->spare_count];
    return block && pool->zeroed ? memset(block, 0, pool->block_size) : block;
}

void *pool_take(struct pool *pool)
{
    if (POOL_SEPARATES || pool->spare_count > 0)
        return take_used(pool);
    if ((size_t)(pool->end - pool->fresh) < pool->block_size && !add_piece(pool))
        return NULL;
    void *block = pool->fresh;
    pool->fresh += pool->block_size;
    return block;
}

/* Room to note one more. False: out of memory. */
static bool make_room(struct pool *pool)
{
    if (pool->spare_count < pool->spare_capacity)
        return true;
    const size_t capacity = pool->spare_capacity ? pool->spare_capacity * 2 : 64;
    void **spares = realloc(pool->spares, capacity * sizeof *spares);
    if (!spares)
        return false;
    pool->spares = spares;
    pool->spare_capacity = capacity;
    return true;
}

void pool_give(struct pool *pool, void *block)
{
    if (POOL_SEPARATES)
        free(block);
    else if (make_room(pool)) /* else it is freed with the pool */
        pool->spares[pool->spare_count++] = block;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    for (struct piece *piece = pool->pieces, *next; piece; piece = next) {
        next = piece->next;
        munmap(piece, PIECE_LEN);
    }
    free(pool->spares);
    free(pool);
}

/* A pool of blocks of one size, in large pieces of memory: thousands of them lie on few pages, and what is freed is used again. */
#ifndef TCPASSAY_MODEL_POOL_H
#define TCPASSAY_MODEL_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool;

/* zeroed: each block is, when it is taken. NULL: out of memory. */
struct pool *pool_new(size_t block_size, bool zeroed);
/* At a multiple of POOL_ALIGNMENT. NULL: out of memory. Under an address sanitizer, which is to see what is used after it was given
 * back, each block is allocated by itself. */
enum { POOL_ALIGNMENT = 64 };
void *pool_take(struct pool *pool);
void pool_give(struct pool *pool, void *block);
/* Frees the memory of all blocks, but one that was allocated by itself only if it was given back. */
void pool_free(struct pool *pool);

#endif

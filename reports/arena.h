/* Memory that is handed out piece by piece and given back all at once. */
#ifndef TCPASSAY_REPORTS_ARENA_H
#define TCPASSAY_REPORTS_ARENA_H

#include <stddef.h>

struct arena { /* starts zeroed */
    struct arena_block *blocks;
};

/* Zeroed memory, aligned for anything; NULL when there is none. It lives until arena_release(). */
void *arena_alloc(struct arena *arena, size_t count, size_t size);
/* A copy of text; NULL when there is no memory. */
char *arena_copy(struct arena *arena, const char *text);
void arena_release(struct arena *arena);

#endif

/* Buffers between pages that cannot be touched (see guarded.h). */
#include "targets/plugin/guarded.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 4, MARK = 0xa5, MARKED_BEFORE = 16 };

bool guarded_make(struct guarded *g, size_t capacity)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inner = (capacity + MARKED_BEFORE + ALIGNMENT + page - 1) / page * page;
    *g = (struct guarded){.mapped = inner + 2 * page};
    void *mapping = mmap(NULL, g->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
        return false;
    g->mapping = mapping;
    g->end = g->mapping + page + inner;
    return mprotect(g->mapping + page, inner, PROT_READ | PROT_WRITE) == 0;
}

void guarded_free(struct guarded *g)
{
    if (g->mapping)
        munmap(g->mapping, g->mapped);
    g->mapping = NULL;
}

uint8_t *guarded_lend(struct guarded *g, size_t len)
{
    g->lent = g->end - (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    g->lent_len = len;
    memset(g->lent - MARKED_BEFORE, MARK, MARKED_BEFORE);
    memset(g->lent + len, MARK, (size_t)(g->end - g->lent) - len);
    return g->lent;
}

static bool all_marked(const uint8_t *from, const uint8_t *to)
{
    for (; from < to; from++)
        if (*from != MARK)
            return false;
    return true;
}

bool guarded_intact(const struct guarded *g)
{
    return all_marked(g->lent - MARKED_BEFORE, g->lent) && all_marked(g->lent + g->lent_len, g->end);
}

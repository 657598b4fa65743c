/* Memory of one scenario: objects are taken from it one by one and given back all at once.
 *
 * An arena is bounded: SCN_ARENA_BYTES_MAX for a whole scenario. What happens when the bound, or the machine's memory, is reached
 * is the owner's choice through `escape`: while it is set, an allocation that cannot be met does not return but jumps there, so
 * that the parser need not test every one of its allocations. Without it such an allocation gives NULL. Nothing but the arena's own
 * blocks may therefore be held across an allocation while `escape` is set.
 */
#ifndef TCPASSAY_SCENARIO_ARENA_H
#define TCPASSAY_SCENARIO_ARENA_H

#include <setjmp.h>
#include <stddef.h>

enum { SCN_ARENA_BYTES_MAX = 64 << 20, SCN_ARENA_BLOCK_BYTES = 16 << 10 };

struct scn_arena_block;
struct scn_arena {
    struct scn_arena_block *blocks; /* the newest first */
    size_t used_bytes;              /* of all blocks together, headers included */
    jmp_buf *escape;                /* or NULL */
};

struct scn_arena *scn_arena_new(void); /* NULL: out of memory */
void scn_arena_free(struct scn_arena *arena);
/* Zeroed memory for count objects of size octets, aligned for anything; never NULL while escape is set. count 0 gives a valid
 * pointer. */
void *scn_arena_alloc(struct scn_arena *arena, size_t count, size_t size);
/* A terminated text, formatted as by printf. */
__attribute__((format(printf, 2, 3))) char *scn_arena_format(struct scn_arena *arena, const char *format, ...);
/* A terminated copy. */
char *scn_arena_text(struct scn_arena *arena, const char *text, size_t len);

/* Pointers in order, growing on an arena. Starts zeroed. */
struct scn_list {
    void **items;
    unsigned count, capacity;
};
void scn_list_add(struct scn_arena *arena, struct scn_list *list, void *item);

#endif

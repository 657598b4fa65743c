/* A scenario's steps in one row, as one sub-test plays them when everything comes as expected. */
#include "engine/scenario/bytes/inside.h"

#include <stdlib.h>

enum { TURNS_MAX = 4096, FLAT_FIRST = 64 };

static void add(struct flat_list *list, struct flat entry)
{
    if (list->count == list->capacity) {
        const unsigned capacity = list->capacity ? 2 * list->capacity : FLAT_FIRST;
        struct flat *grown = realloc(list->entries, capacity * sizeof *grown);
        list->failed |= !grown;
        if (!grown)
            return;
        list->entries = grown;
        list->capacity = capacity;
    }
    list->entries[list->count++] = entry;
}

static void add_repeat(struct flat_list *list, struct variables *variables, const struct scn_step *step)
{
    const int64_t times = bytes_constant(variables, step->repeat.times, 1);
    for (int64_t i = 0; i < times && !list->stopped && !list->failed && list->turns < TURNS_MAX; i++, list->turns++) {
        if (step->repeat.slot >= 0) {
            variables->values[step->repeat.slot] = (struct linear){.constant = i, .known = true};
            add(list, (struct flat){NULL, step->repeat.slot, i});
        }
        bytes_flatten(list, variables, &step->repeat.block);
    }
}

static bool skips(const struct scn_block *block)
{
    for (unsigned i = 0; i < block->count; i++)
        if (block->steps[i].kind == SCN_STEP_SKIP)
            return true;
    return false;
}

static void add_either(struct flat_list *list, struct variables *variables, const struct scn_step *step)
{
    unsigned chosen = 0;
    while (chosen + 1 < step->either.count && skips(&step->either.branches[chosen]))
        chosen++;
    if (!skips(&step->either.branches[chosen]))
        bytes_flatten(list, variables, &step->either.branches[chosen]);
}

void bytes_flatten(struct flat_list *list, struct variables *variables, const struct scn_block *block)
{
    for (unsigned i = 0; i < block->count && !list->stopped && !list->failed; i++) {
        const struct scn_step *step = &block->steps[i];
        if (step->kind == SCN_STEP_REPEAT)
            add_repeat(list, variables, step);
        else if (step->kind == SCN_STEP_EITHER)
            add_either(list, variables, step);
        else if (step->kind == SCN_STEP_NEVER && step->never.has_block)
            bytes_flatten(list, variables, &step->never.block);
        else
            add(list, (struct flat){step, -1, 0});
        if (step->kind == SCN_STEP_LET)
            bytes_track_let(variables, step);
        list->stopped |= step->kind == SCN_STEP_SKIP;
    }
}

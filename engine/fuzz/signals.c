/* Counters of what the model saw: merged, counted, named (see signals.h). */
#include "engine/fuzz/signals.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct signals) == SIGNALS_TUPLES + 2 * SIGNALS_RULES_MAX, "nothing lies between the counters");

static uint8_t class_of(uint8_t count)
{
    if (count < 4)
        return (uint8_t)(count ? 1u << (count - 1) : 0);
    return count < 8 ? 1u << 3 : count < 16 ? 1u << 4 : count < 32 ? 1u << 5 : count < 128 ? 1u << 6 : 1u << 7;
}

size_t signals_merge(struct signals_seen *seen, const struct signals *play)
{
    const uint8_t *counters = (const uint8_t *)play;
    size_t fresh = 0;
    for (size_t i = 0; i < SIGNALS_COUNT; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, counters + i, sizeof word);
        if (!word) /* nearly all of them */
            continue;
        for (size_t k = i; k < i + sizeof word; k++) {
            const uint8_t class = class_of(counters[k]);
            fresh += class && !(seen->classes[k] & class);
            seen->classes[k] |= class;
        }
    }
    return fresh;
}
_Static_assert(SIGNALS_COUNT % sizeof(uint64_t) == 0, "whole words");

static size_t count_seen(const uint8_t *classes, size_t count)
{
    size_t seen = 0;
    for (size_t i = 0; i < count; i++)
        seen += classes[i] != 0;
    return seen;
}

struct signals_total signals_total(const struct signals_seen *seen)
{
    const uint8_t *rules = seen->classes + SIGNALS_TUPLES;
    return (struct signals_total){.tuples = count_seen(seen->classes, SIGNALS_TUPLES), .rules_tested = count_seen(rules, SIGNALS_RULES_MAX),
                                  .rules_violated = count_seen(rules + SIGNALS_RULES_MAX, SIGNALS_RULES_MAX)};
}

const char *signals_text(size_t counter, char out[static SIGNALS_TEXT_MAX])
{
    char event[REACTION_EVENT_TEXT_MAX];
    if (counter < SIGNALS_TUPLES) {
        const unsigned reaction = (unsigned)(counter % REACTIONS), which = (unsigned)(counter / REACTIONS);
        snprintf(out, SIGNALS_TEXT_MAX, "%s: %s -> %s", reaction_state_name(which / REACTION_EVENTS),
                 reaction_event_name(which % REACTION_EVENTS, event), reaction_name(reaction));
        return out;
    }
    const size_t which = counter - SIGNALS_TUPLES, rule = which % SIGNALS_RULES_MAX;
    snprintf(out, SIGNALS_TEXT_MAX, "%s %s", which < SIGNALS_RULES_MAX ? "tests" : "breaks", rule < RULE_COUNT ? rule_at((enum rule_id)rule)->name : "?");
    return out;
}

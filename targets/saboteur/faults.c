/* The list of all faults, and finding one by its name. */
#include "targets/saboteur/sabotage.h"

#include <stdlib.h>
#include <string.h>

static const struct fault_group *const groups[SABOTEUR_GROUP_COUNT] = {
    &output_faults, &form_faults, &timing_faults, &input_faults, &call_faults, &setting_faults};

const char *saboteur_group_text(enum saboteur_group group)
{
    static const char *const texts[] = {
        [SABOTEUR_OUTPUT] = "what it sends is wrong, or missing",
        [SABOTEUR_FORM] = "what it sends is malformed, or marked wrongly",
        [SABOTEUR_TIMING] = "what it sends comes at the wrong time, or too often",
        [SABOTEUR_INPUT] = "what it is sent is not seen, or not checked",
        [SABOTEUR_CALLS] = "what it tells the application is wrong",
        [SABOTEUR_SETTINGS] = "it is set up wrongly (targets that know the setting)",
    };
    _Static_assert(sizeof texts / sizeof *texts == SABOTEUR_GROUP_COUNT, "a text for each group");
    return texts[group];
}

size_t saboteur_fault_count(void)
{
    size_t count = 0;
    for (size_t g = 0; g < SABOTEUR_GROUP_COUNT; g++)
        count += groups[g]->count;
    return count;
}

struct saboteur_fault saboteur_fault_at(size_t index)
{
    size_t g = 0;
    for (; index >= groups[g]->count; g++)
        index -= groups[g]->count;
    const struct fault *fault = &groups[g]->faults[index];
    return (struct saboteur_fault){fault->name, fault->says, groups[g]->group};
}

/* The N of "@N"; 0 when it is no such thing. */
static uint64_t parse_from(const char *text, size_t len)
{
    uint64_t n = 0;
    if (len < 2 || len > 7 || *text != '@')
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        n = n * 10 + (uint64_t)(text[i] - '0');
    }
    return n;
}

bool fault_find(const char *text, size_t len, struct fault_ref *out)
{
    const char *at = memchr(text, '@', len);
    size_t name_len = at ? (size_t)(at - text) : len;
    uint64_t from = at ? parse_from(at, len - name_len) : 1;
    for (size_t g = 0; g < SABOTEUR_GROUP_COUNT; g++)
        for (size_t i = 0; i < groups[g]->count; i++) {
            const struct fault *fault = &groups[g]->faults[i];
            if (strlen(fault->name) == name_len && !memcmp(fault->name, text, name_len)) {
                *out = (struct fault_ref){fault, groups[g]->group, from};
                return from > 0 && (!at || fault->matches);
            }
        }
    return false;
}

bool saboteur_fault_exists(const char *text)
{
    struct fault_ref found;
    return fault_find(text, strlen(text), &found);
}

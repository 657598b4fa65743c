/* The table of rules, compiled from rules.def, and how to find one. */
#include "engine/model/rules.h"

#include <stdio.h>
#include <string.h>

static const struct rule rules[] = {
#define RULE(id, name, section, requirements, level, condition, demand, violation) \
    [RULE_##id] = {name, section, requirements, level, condition, demand, violation},
#include "engine/model/rules.def"
#undef RULE
};

const struct rule *rule_at(enum rule_id id)
{
    return &rules[id];
}

const struct rule *rule_find(const char *name)
{
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (!strcmp(rules[i].name, name))
            return &rules[i];
    return NULL;
}

bool rule_requirement(const struct rule *rule, unsigned i, char out[static RULE_REQUIREMENT_MAX])
{
    const char *at = rule->requirements;
    for (; *at && i > 0; i--) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    size_t len = strcspn(at, " ");
    if (!len || len >= RULE_REQUIREMENT_MAX)
        return false;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

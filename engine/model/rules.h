/* The rules: what RFC 9293 and its companions permit and demand of an endpoint, one row each in rules.def, in the order of RFC
 * 9293's sections, to be read with the RFC open beside it. A rule says when it applies, what must then be true, and which entries
 * of the requirement catalogue it stands for. */
#ifndef TCPASSAY_MODEL_RULES_H
#define TCPASSAY_MODEL_RULES_H

#include "engine/model/catalogue.h"

enum rule_id {
#define RULE(id, name, section, requirements, level, condition, demand, violation) RULE_##id,
#include "engine/model/rules.def"
#undef RULE
    RULE_COUNT
};

struct rule {
    const char *name;         /* "ack-of-data-never-sent": `tcpassay explain rule:NAME` */
    const char *section;      /* "RFC 9293 §3.10.7.4" */
    const char *requirements; /* ids in the catalogue, separated by blanks; a finding is charged to the first unless it says otherwise */
    enum requirement_level level;
    const char *condition;    /* "a segment with the ACK bit is sent" */
    const char *demand;       /* "it acknowledges only what has been received" */
    const char *violation;    /* "acknowledges what was never sent" */
};

const struct rule *rule_at(enum rule_id id);
/* By name; NULL when there is none. */
const struct rule *rule_find(const char *name);
/* The i-th of the rule's requirement ids, copied into out; false beyond the last. */
enum { RULE_REQUIREMENT_MAX = 48 };
bool rule_requirement(const struct rule *rule, unsigned i, char out[static RULE_REQUIREMENT_MAX]);

#endif

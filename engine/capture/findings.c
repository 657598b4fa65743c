/* Holds findings, and decides at the end which of them stand (see findings.h). */
#include "engine/capture/findings.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 64 };

bool finding_is_failure(enum requirement_level level)
{
    return level == LEVEL_MUST || level == LEVEL_MUST_NOT || level == LEVEL_RULE;
}

static bool grow(struct findings *f)
{
    const uint32_t capacity = f->capacity ? f->capacity * 2 : CAPACITY_FIRST;
    struct held_finding *held = realloc(f->held, capacity * sizeof *held);
    if (!held)
        return false;
    f->held = held;
    f->capacity = capacity;
    return true;
}

/* The texts one behind the other in one piece of memory, which the first of them names. */
static bool copy_texts(const struct judge_finding *finding, struct held_finding *out)
{
    const char *const from[] = { finding->requirement, finding->message, finding->permitted, finding->observed };
    const char **const to[] = { &out->requirement, &out->message, &out->permitted, &out->observed };
    enum { TEXTS = sizeof from / sizeof *from };
    size_t lengths[TEXTS], sum = 0;
    for (size_t i = 0; i < TEXTS; i++)
        sum += lengths[i] = strlen(from[i]) + 1;
    char *at = malloc(sum);
    for (size_t i = 0; at && i < TEXTS; at += lengths[i++])
        *to[i] = memcpy(at, from[i], lengths[i]);
    return at != NULL;
}

void findings_hold(struct findings *findings, const struct judge_finding *finding, uint32_t connection, unsigned side,
                   uint32_t *first)
{
    struct held_finding held = {
        .rule = finding->rule, .level = finding->level, .side = side, .needs = finding->needs, .connection = connection,
        .segment = finding->segment, .at_ns = finding->at_ns, .next = *first,
    };
    if (findings->count >= findings->count_max) {
        ++*(finding->needs ? &findings->beyond_waiting : &findings->beyond_certain[finding->level]);
        return;
    }
    if ((findings->count + 1 >= findings->capacity && !grow(findings)) || !copy_texts(finding, &held)) {
        findings->out_of_memory = true;
        return;
    }
    *first = ++findings->count;
    findings->held[*first] = held;
}

static enum standing standing_of(const struct held_finding *finding, unsigned contradicted)
{
    const unsigned missing = finding->needs & contradicted;
    return missing & JUDGE_NEEDS_COMPLETE ? FINDING_CAPTURE_MISSES : missing ? FINDING_CAPTURE_REORDERS : FINDING_STANDS;
}

void findings_settle_pair(struct findings *findings, uint32_t first, unsigned contradicted, bool sums_unknown)
{
    for (struct held_finding *finding; first; first = finding->next) {
        finding = &findings->held[first];
        finding->standing = sums_unknown ? FINDING_SUMS_UNKNOWN : standing_of(finding, contradicted);
    }
}

void findings_settle_all(struct findings *findings, unsigned contradicted)
{
    for (uint32_t i = 1; i <= findings->count; i++)
        if (findings->held[i].standing == FINDING_STANDS)
            findings->held[i].standing = standing_of(&findings->held[i], contradicted);
}

void findings_release(struct findings *findings)
{
    for (uint32_t i = 1; i <= findings->count; i++)
        free((char *)findings->held[i].requirement);
    free(findings->held);
    *findings = (struct findings){ 0 };
}

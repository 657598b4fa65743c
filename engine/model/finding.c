/* From a broken rule to words. Nothing here is on the good path. */
#include "engine/model/inside.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_MAX = 768, SEGMENT_TEXT_MAX = 512 };

const char *side_number(const struct side *side, uint32_t number, char out[static NUMBER_TEXT_MAX])
{
    if (side->begun)
        snprintf(out, NUMBER_TEXT_MAX, "%" PRIu32, number - side->iss);
    else
        snprintf(out, NUMBER_TEXT_MAX, "%" PRIu32, number);
    return out;
}

/* "S. 0:0(0) ack 1 win 65535 <…>", relative to the initial sequence numbers as far as they are known. */
static void describe(const struct judge *j, const struct segment *s, char *out, size_t capacity)
{
    struct packet shown = *s->packet;
    if (j->out.begun)
        shown.tcp.seq -= j->out.iss;
    if (j->in.begun && (shown.tcp.flags & PKT_ACK))
        shown.tcp.ack -= j->in.iss;
    pkt_format(&shown, out, capacity);
}

static bool first_report(struct judge *j, enum rule_id rule, unsigned needs)
{
    uint32_t bit = 1u << (rule % 32), *reported = &j->reported[needs && judge_is_lossy(j)][rule / 32];
    bool first = !(*reported & bit);
    *reported |= bit;
    j->host->coverage.violated[rule]++;
    return first;
}

static void report(struct judge *j, enum rule_id id, uint32_t index, int64_t at_ns, unsigned needs, const char *permitted,
                   const char *observed, const char *format, va_list arguments)
{
    const struct rule *rule = rule_at(id);
    char message[MESSAGE_MAX], requirement[RULE_REQUIREMENT_MAX] = "";
    int used = snprintf(message, sizeof message, "%s: ", rule->violation);
    vsnprintf(message + used, sizeof message - (size_t)used, format, arguments);
    rule_requirement(rule, 0, requirement);
    j->report(j->context, &(struct judge_finding){
        .rule = id, .requirement = requirement, .level = rule->level, .at_ns = at_ns, .segment = index,
        .needs = judge_is_lossy(j) ? needs : 0, .message = message, .permitted = permitted, .observed = observed, .state = j->reaction.state,
        .event = j->reaction.event,
    });
}

void judge_find(struct judge *j, enum rule_id rule, const struct segment *s, unsigned needs, const char *permitted,
                const char *format, ...)
{
    char observed[SEGMENT_TEXT_MAX];
    va_list arguments;
    j->found = true;
    if (!first_report(j, rule, needs))
        return;
    describe(j, s, observed, sizeof observed);
    va_start(arguments, format);
    report(j, rule, s->index, s->at_ns, needs, permitted, observed, format, arguments);
    va_end(arguments);
}

void judge_find_silence(struct judge *j, enum rule_id rule, uint32_t cause, int64_t at_ns, const char *permitted,
                        const char *format, ...)
{
    va_list arguments;
    if (!first_report(j, rule, JUDGE_NEEDS_COMPLETE))
        return;
    va_start(arguments, format);
    report(j, rule, cause, at_ns, JUDGE_NEEDS_COMPLETE, permitted, "nothing", format, arguments);
    va_end(arguments);
}

void judge_find_later(struct judge *j, enum rule_id rule, uint32_t index, int64_t at_ns, unsigned needs, const char *permitted,
                      const char *observed, const char *format, ...)
{
    va_list arguments;
    if (!first_report(j, rule, needs))
        return;
    va_start(arguments, format);
    report(j, rule, index, at_ns, needs, permitted, observed, format, arguments);
    va_end(arguments);
}

int64_t judge_latest(const struct judge *j, int64_t from_ns, int64_t length_ns)
{
    const struct judge_host *h = j->host;
    return from_ns + length_ns + length_ns / 1000 * (int64_t)h->granularity_permille + h->granularity_ns + h->latency_ns;
}

/* Coverage adds up (see coverage.h). */
#include "engine/model/coverage.h"

#include <stdio.h>

const char *model_event_name(enum model_event event)
{
    static const char *const names[EVENT_COUNT] = {
        [EVENT_CALL_OPEN] = "OPEN call", [EVENT_CALL_SEND] = "SEND call", [EVENT_CALL_CLOSE] = "CLOSE call",
        [EVENT_CALL_ABORT] = "ABORT call", [EVENT_SYN] = "SYN arrives", [EVENT_SYN_ACK] = "SYN,ACK arrives",
        [EVENT_ACK] = "ACK arrives", [EVENT_DATA] = "data arrives", [EVENT_FIN] = "FIN arrives", [EVENT_RST] = "RST arrives",
        [EVENT_NO_ACK] = "segment without ACK arrives", [EVENT_UNACCEPTABLE] = "unacceptable segment arrives",
        [EVENT_ICMP] = "ICMP error arrives", [EVENT_TIMEOUT] = "timeout",
    };
    return names[event];
}

void coverage_add(struct coverage *sum, const struct coverage *more)
{
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        sum->tested[i] += more->tested[i];
        sum->violated[i] += more->violated[i];
    }
    for (unsigned from = 0; from < TCP_STATE_COUNT; from++)
        for (unsigned event = 0; event < EVENT_COUNT; event++)
            for (unsigned to = 0; to < TCP_STATE_COUNT; to++)
                sum->transitions[from][event][to] += more->transitions[from][event][to];
}

size_t coverage_changes(const struct coverage *coverage, char out[static COVERAGE_TRANSITIONS_MAX][COVERAGE_TRANSITION_TEXT_MAX])
{
    size_t count = 0;
    for (enum tcp_state from = 0; from < TCP_STATE_COUNT; from++)
        for (enum model_event event = 0; event < EVENT_COUNT; event++)
            for (enum tcp_state to = 0; to < TCP_STATE_COUNT; to++)
                if (from != to && coverage->transitions[from][event][to] && count < COVERAGE_TRANSITIONS_MAX)
                    snprintf(out[count++], COVERAGE_TRANSITION_TEXT_MAX, "%s: %s -> %s", model_event_name(event),
                             tcp_state_name(from), tcp_state_name(to));
    return count;
}

/* Coverage of a run: which rules were put to the test and which were broken, and which transitions were seen. Plain counters that
 * add up: coverage of two judges, or two runs, is their sum. */
#ifndef TCPASSAY_MODEL_COVERAGE_H
#define TCPASSAY_MODEL_COVERAGE_H

#include "engine/model/rules.h"
#include "engine/packet/state.h"

#include <stddef.h>
#include <stdint.h>

/* What may happen to a connection, coarse enough to make a table of (RFC 9293 §3.10: calls, arrivals, timeouts). */
enum model_event {
    EVENT_CALL_OPEN, EVENT_CALL_SEND, EVENT_CALL_CLOSE, EVENT_CALL_ABORT,
    EVENT_SYN, EVENT_SYN_ACK, EVENT_ACK, EVENT_DATA, EVENT_FIN, EVENT_RST, EVENT_NO_ACK /* neither SYN, RST nor ACK */,
    EVENT_UNACCEPTABLE /* outside the window */, EVENT_ICMP, EVENT_TIMEOUT, EVENT_COUNT
};
const char *model_event_name(enum model_event event); /* "SYN-ACK arrives", "CLOSE call" */

struct coverage {
    uint64_t tested[RULE_COUNT];   /* the rule's condition came true */
    uint64_t violated[RULE_COUNT];
    uint64_t transitions[TCP_STATE_COUNT][EVENT_COUNT][TCP_STATE_COUNT]; /* counted only where the state was certain */
};
void coverage_add(struct coverage *sum, const struct coverage *more);

enum { COVERAGE_TRANSITION_TEXT_MAX = 64, COVERAGE_TRANSITIONS_MAX = 64 };
/* The transitions that led from one state to another, each once, in the order of the states: "SYN arrives: LISTEN -> SYN-RECEIVED".
 * Returns how many; those beyond COVERAGE_TRANSITIONS_MAX are left out. */
size_t coverage_changes(const struct coverage *coverage, char out[static COVERAGE_TRANSITIONS_MAX][COVERAGE_TRANSITION_TEXT_MAX]);

#endif

/* What an endpoint has done in answer to what: (state, event, reaction) tuples, counted by the judges of a host whose owner wants
 * them (judge_host.reactions). Coverage of a black box for a fuzzer: finer than the transitions of coverage.h, and cheap.
 *
 * State: where the judge knows the endpoint to be just before the event; REACTION_STATE_UNCERTAIN where it may be in several.
 * Event: what came, and where it lay in the window; or a call; or nothing, when a segment is sent that nothing caused (a timer).
 * Reaction: all that was sent until the next event.
 */
#ifndef TCPASSAY_MODEL_REACTIONS_H
#define TCPASSAY_MODEL_REACTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/packet/state.h"

enum { REACTION_STATE_UNCERTAIN = TCP_STATE_COUNT, REACTION_STATES };

/* A segment's kind, times three, plus where it lies; then what is not a segment. */
enum reaction_segment { REACTION_SYN, REACTION_SYN_ACK, REACTION_RST, REACTION_RST_ACK, REACTION_NO_ACK /* neither SYN, RST nor ACK */, REACTION_ACK,
                        REACTION_DATA, REACTION_FIN, REACTION_SEGMENTS };
enum reaction_place { REACTION_NEXT /* at RCV.NXT, or no window is known */, REACTION_AHEAD /* within the window */, REACTION_OUTSIDE, REACTION_PLACES };
enum reaction_event {
    REACTION_ICMP = REACTION_SEGMENTS * REACTION_PLACES, REACTION_OPEN, REACTION_SEND, REACTION_RECEIVE, REACTION_SHUTDOWN, REACTION_CLOSE,
    REACTION_OTHER_CALL, REACTION_TIMEOUT, REACTION_EVENTS
};

enum reaction { REACTION_NOTHING, REACTION_IS_ACK, REACTION_IS_RST, REACTION_IS_RST_ACK, REACTION_IS_SYN, REACTION_IS_SYN_ACK, REACTION_IS_DATA,
                REACTION_IS_FIN, REACTION_SEVERAL /* segments of different kinds */, REACTIONS = 16 };

struct reactions {
    uint8_t counts[REACTION_STATES][REACTION_EVENTS][REACTIONS]; /* up to 255 */
};

const char *reaction_state_name(unsigned state);     /* "ESTABLISHED", "uncertain" */
/* "data, ahead", "CLOSE call", "timeout": into out, which is returned. */
enum { REACTION_EVENT_TEXT_MAX = 32 };
const char *reaction_event_name(unsigned event, char out[static REACTION_EVENT_TEXT_MAX]);
const char *reaction_name(unsigned reaction);        /* "RST,ACK" */

struct judge;
struct segment;
struct judge_call;
struct packet;
struct reaction_watch { /* what a judge remembers of the event at hand; starts zeroed */
    bool pending;
    uint8_t state, event, reaction;
};

#endif

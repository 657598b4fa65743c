/* Feedback for fuzzers beside code coverage: what the model saw, as 8-bit counters in an array of fixed size and layout.
 *
 * libFuzzer takes an array that lies in the section __libfuzzer_extra_counters (SIGNALS_SECTION), and clears it before each run;
 * an AFL++ harness adds it to its map; `tcpassay fuzz` looks at it after each play. Black boxes are guided by it too: all of it is
 * made of what crosses the link, and of calls.
 *
 * Layout: struct signals, octet by octet. reactions: (state, event, reaction) tuples (engine/model/reactions.h). tested, violated:
 * by enum rule_id: how often a rule's condition came true, and findings. Counters stop at 255.
 */
#ifndef TCPASSAY_FUZZ_SIGNALS_H
#define TCPASSAY_FUZZ_SIGNALS_H

#include <stddef.h>

#include "engine/model/reactions.h"
#include "engine/model/rules.h"

enum { SIGNALS_RULES_MAX = 256 };
_Static_assert((int)RULE_COUNT <= (int)SIGNALS_RULES_MAX, "room for all rules");

struct signals {
    struct reactions reactions;
    uint8_t tested[SIGNALS_RULES_MAX];
    uint8_t violated[SIGNALS_RULES_MAX];
};
enum { SIGNALS_COUNT = sizeof(struct signals), SIGNALS_TUPLES = sizeof(struct reactions) };

#define SIGNALS_SECTION __attribute__((section("__libfuzzer_extra_counters"))) /* of a struct signals with static storage */

/* What has been seen so far: of each counter which classes of values, a bit each (1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127,
 * 128 and more, as fuzzers count). signals_merge() adds a play's, and returns how many bits were new. */
struct signals_seen {
    uint8_t classes[SIGNALS_COUNT];
};
size_t signals_merge(struct signals_seen *seen, const struct signals *play);
/* How many tuples, of all, stand in seen; and how many rules were put to the test. */
struct signals_total { size_t tuples, rules_tested, rules_violated; };
struct signals_total signals_total(const struct signals_seen *seen);

/* The words for a counter: "ESTABLISHED: data, ahead -> ACK", "tests ack-of-data-never-sent". Returns out. */
enum { SIGNALS_TEXT_MAX = 128 };
const char *signals_text(size_t counter, char out[static SIGNALS_TEXT_MAX]);

#endif

/* Random scenarios, made in memory and not from a text: what a fuzzer's codec or a derivation may come up with. */
#ifndef TCPASSAY_SCENARIO_TEST_GENERATE_H
#define TCPASSAY_SCENARIO_TEST_GENERATE_H

#include "engine/scenario/scenario.h"

/* A scenario that the parser's checks would accept, the same for the same seed. NULL: out of memory. Free with scn_free(). */
struct scenario *generate_scenario(uint64_t seed);

#endif

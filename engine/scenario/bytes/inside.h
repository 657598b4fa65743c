/* Inside the byte codec: what both directions share beside the layout. Included by engine/scenario/bytes's own files only.
 *
 *   tables.c  what octets choose from        decode.c  octets to a scenario
 *   linear.c  expressions as base and offset encode.c  a scenario to octets
 */
#ifndef TCPASSAY_SCENARIO_BYTES_INSIDE_H
#define TCPASSAY_SCENARIO_BYTES_INSIDE_H

#include "engine/scenario/arena.h"
#include "engine/scenario/bytes/layout.h"

/* ---- expressions ------------------------------------------------------------------------------------------------- */

enum term { TERM_SND_NXT, TERM_SND_UNA, TERM_RCV_NXT, TERM_WINDOW, TERM_TS_RECENT, TERM_TICKS /* now() / 1000000 */, TERM_COUNT };

/* A sum of functions of the live connection and a constant. */
struct linear {
    int64_t constant;
    int8_t terms[TERM_COUNT];
    bool absolute; /* as it stands on the wire */
    bool known;    /* it is one */
};

struct variables { /* what a scenario's variables are, as far as that is known */
    const struct scenario *scenario;
    struct linear *values;
};
/* What an expression comes to; !known for what is no such sum. NULL is not known. */
struct linear bytes_linear(const struct variables *variables, const struct scn_expr *expr);
/* What a table's value comes to. */
struct linear bytes_linear_value(const struct scn_value *value);
static inline bool bytes_linear_constant(const struct linear *l)
{
    for (unsigned i = 0; i < TERM_COUNT; i++)
        if (l->terms[i])
            return false;
    return l->known;
}

#endif

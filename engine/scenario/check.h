/* What the checks share: where in the order of steps they are, and which variables have a value there. */
#ifndef TCPASSAY_SCENARIO_CHECK_H
#define TCPASSAY_SCENARIO_CHECK_H

#include "engine/scenario/parse.h"

struct scn_variable_set { uint64_t bits[SCN_VARIABLES_MAX / 64]; };

struct scn_checker {
    struct scn_parser *parser;
    struct scn_variable_set set; /* the variables that may have a value by now */
    struct scn_at place;         /* of the segment or step at hand */
    int64_t turns;               /* of the repeats around, as far as they are constant */
    bool may_capture;            /* false in a `never`, whose segment is not to come */
    const char *symbol;          /* in a strict script: a name that packetdrill's command line may define, or NULL */
};

static inline void scn_set_variable(struct scn_checker *checker, unsigned slot)
{
    checker->set.bits[slot / 64] |= UINT64_C(1) << slot % 64;
}

static inline bool scn_has_value(const struct scn_checker *checker, unsigned slot)
{
    return checker->set.bits[slot / 64] >> slot % 64 & 1;
}

/* ---- check_expr.c ------------------------------------------------------------------------------------------------ */

/* An expression that the runner evaluates. Turns names of flags into flags. */
void scn_check_expr(struct scn_checker *checker, struct scn_expr *expr);
/* As that, where only a number will do: says so when it is evidently something else, or a constant outside of min … max. */
void scn_check_number(struct scn_checker *checker, struct scn_expr *expr, const char *what, int64_t min, int64_t max);
/* An argument of a call: packetdrill's expressions besides. */
void scn_check_argument(struct scn_checker *checker, struct scn_expr *expr);
void scn_check_endpoint(struct scn_checker *checker, const struct scn_endpoint_ref *endpoint);
/* A number that is sent. */
void scn_check_sent(struct scn_checker *checker, struct scn_match *match, const char *what, int64_t min, int64_t max);
/* A number that is compared, or captured by a variable that has no value yet. */
void scn_check_compared(struct scn_checker *checker, struct scn_match *match, const char *what, int64_t min, int64_t max);

/* ---- check_packet.c ---------------------------------------------------------------------------------------------- */

void scn_check_packet(struct scn_checker *checker, struct scn_packet *packet, bool injection);

#endif

/* How good initial sequence numbers are (RFC 6528): can somebody off the path guess the next one? Sans-I/O. */
#ifndef TCPASSAY_PROBE_ISN_H
#define TCPASSAY_PROBE_ISN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct isn_sample { int64_t at_ns; uint32_t isn; };

enum isn_kind {
    ISN_UNDECIDED,       /* too few samples */
    ISN_CONSTANT,        /* always the same */
    ISN_PREDICTABLE,     /* the next one, for another connection, within ±error */
    ISN_UNEVEN,          /* no rule was found that predicts it, but chance would hardly give these numbers */
    ISN_RANDOM,          /* as far as these samples can tell */
};

enum isn_predictor { ISN_BY_SAME /* the last one again */, ISN_BY_STEP /* the last one and a fixed step */,
                     ISN_BY_CLOCK /* the last one and a clock */, ISN_BY_TREND /* the last change again */, ISN_PREDICTORS };

struct isn_judgement {
    enum isn_kind kind;
    unsigned ports, same;        /* samples of different ports; of one and the same pair of sockets */

    /* From port to port: what somebody needs who wants to guess for a connection of others. */
    enum isn_predictor predictor; /* the best */
    uint32_t error;              /* it is off by no more than this nine times of ten */
    double step, clock_hz;       /* of these predictors */
    double entropy_bits;         /* by the spacing of the values, or of their differences: whichever is less; 32 is all there is */
    double line;                 /* the strongest spectral line of values, first and second differences: 0 to 1 */
    double line_by_chance;       /* beyond this it is no chance (one in a million) */

    /* Of one pair of sockets: RFC 6528 §3 has a clock, so that old segments of it are not taken for new ones (RFC 9293 §3.4.1). */
    bool same_clock;
    double same_clock_hz;
    bool same_repeats;           /* the same number for two connections */
};

enum { ISN_SAMPLES_MIN = 8, ISN_SAMPLES_MAX = 256 };
/* Samples in the order of time; up to ISN_SAMPLES_MAX of each are used. */
struct isn_judgement isn_judge(const struct isn_sample *ports, size_t port_count, const struct isn_sample *same, size_t same_count);

#endif

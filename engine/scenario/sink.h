/* Where printed text goes: memory that grows, or a caller's array that does not. */
#ifndef TCPASSAY_SCENARIO_SINK_H
#define TCPASSAY_SCENARIO_SINK_H

#include "engine/scenario/scenario.h"

struct scn_sink {
    const struct scenario *scenario; /* whose variables and endpoints are named */
    char *out;
    size_t capacity, len;            /* len counts what did not fit, too, where it cannot grow */
    bool grows, failed;              /* failed: out of memory */
};

__attribute__((format(printf, 2, 3))) void scn_put(struct scn_sink *sink, const char *format, ...);
void scn_put_octets(struct scn_sink *sink, const char *octets, size_t len);
void scn_put_indent(struct scn_sink *sink, unsigned levels);
/* Text in quotes, with escapes; UTF-8 stands as it is. */
void scn_put_quoted(struct scn_sink *sink, const char *text, size_t len);
void scn_put_hex(struct scn_sink *sink, const uint8_t *octets, size_t len);
/* "0.2": seconds with as many decimals as it takes. */
void scn_put_time(struct scn_sink *sink, int64_t ns);
/* "SP.", "-" for none. */
void scn_put_flags(struct scn_sink *sink, unsigned flags);
void scn_put_endpoint(struct scn_sink *sink, const struct scn_endpoint_ref *endpoint);

/* ---- print_expr.c ------------------------------------------------------------------------------------------------ */

void scn_put_expr(struct scn_sink *sink, const struct scn_expr *expr);
/* As it may stand bare in a segment: in parentheses where it compares or negates. */
void scn_put_arith(struct scn_sink *sink, const struct scn_expr *expr);
/* As that, where `(` or another number comes behind it, or nothing it could be mistaken for a continuation of before it. */
void scn_put_closed(struct scn_sink *sink, const struct scn_expr *expr);
void scn_put_match(struct scn_sink *sink, const struct scn_match *match);
/* As scn_put_match(), but with `(` to follow. */
void scn_put_match_closed(struct scn_sink *sink, const struct scn_match *match);

/* ---- print_packet.c ---------------------------------------------------------------------------------------------- */

void scn_put_packet(struct scn_sink *sink, const struct scn_packet *packet, bool injection);

#endif

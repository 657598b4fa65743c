/* The state×event matrix: RFC 9293 §3.10.7 made into test cases.
 *
 * A *way in* brings the IUT into one of the eleven states by one way ("established/passive", "closing/active",
 * "fin-wait-1/passive-data"). A *case* is a way in and one *event*, a segment of some class: its flags, where it lies in the
 * window, what it acknowledges, how much text it has, what its timestamps are. Then probes tell which state the IUT is in. No case
 * expects a reaction: the model judges it.
 *
 * Each way in is an ordinary scenario whose table has a row for each event; its sub-tests are the cases. Their ids read
 * `matrix/STATE/WAY/FLAGS/SEQUENCE/ACKNOWLEDGMENT/OCTETS/OPTIONS`, all of them stable:
 * `matrix/established/passive/rst/inside/no-ack/0/no-ts`. docs/matrix.md explains the classes and the probes. Nothing here is kept
 * between calls; a way costs nothing until it is asked for.
 */
#ifndef TCPASSAY_SCENARIO_MATRIX_MATRIX_H
#define TCPASSAY_SCENARIO_MATRIX_MATRIX_H

#include "engine/scenario/scenario.h"

enum { MATRIX_NAME_MAX = 64, MATRIX_EVENT_MAX = 80 };

unsigned matrix_way_count(void);
/* "matrix/established/passive", which is what the ids of its cases begin with. */
const char *matrix_way_name(unsigned way);
/* The state that the way leads to. */
enum tcp_state matrix_way_state(unsigned way);

/* The scenario of a way in, with all its cases as sub-tests: scn_variant() gives "/rst/inside/no-ack/0/no-ts" for suffix. NULL: out
 * of memory, or, which would be a defect, diagnostics. The caller frees it with scn_free(). */
struct scenario *matrix_scenario(unsigned way, struct scn_diagnostics *diagnostics);
/* The scenario of one case alone as text that anybody can run; case_index is the sub-test's. malloc'ed; NULL: out of memory. */
char *matrix_case_text(unsigned way, unsigned case_index);

#endif

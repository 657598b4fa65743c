/* The target "saboteur:FAULT,TARGET": any other target, broken in one named way from outside. It is how a test is shown able to
 * fail.
 *
 * A fault imitates one defect of a TCP: it rewrites, drops, adds or delays the segments of the implementation under test (IUT),
 * feeds it altered input, misreports its calls, or opens it with a wrong setting. It acts from the beginning on every segment that
 * it is about, unless its description says otherwise. FAULT@N spares the first N-1 of them: with fin-dropped@2, the first FIN gets
 * through (faults about segments only). TARGET may itself be a saboteur: two faults at once. ICMP echo is never touched, so that
 * fences work. */
#ifndef TCPASSAY_TARGETS_SABOTEUR_SABOTEUR_H
#define TCPASSAY_TARGETS_SABOTEUR_SABOTEUR_H

#include "engine/runner/target.h"

enum saboteur_group { SABOTEUR_OUTPUT, SABOTEUR_FORM, SABOTEUR_TIMING, SABOTEUR_INPUT, SABOTEUR_CALLS, SABOTEUR_SETTINGS, SABOTEUR_GROUP_COUNT };
/* "what the IUT sends, rewritten or dropped": a heading for a list of the group's faults. */
const char *saboteur_group_text(enum saboteur_group group);

struct saboteur_fault {
    const char *name;          /* "ack-late-600ms" */
    const char *says;          /* the defect, in one sentence about the TCP that has it */
    enum saboteur_group group;
};
/* The faults there are, ordered by group; index runs from 0 to count - 1. */
size_t saboteur_fault_count(void);
struct saboteur_fault saboteur_fault_at(size_t index);
/* Is this "NAME" or "NAME@N", N from 1 on, of a fault there is (and for which @N means something)? */
bool saboteur_fault_exists(const char *text);

/* The targets that may be wrapped: a list ended by NULL, which must stay where it is. A driver's functions are handed no context,
 * so this is kept in the one variable of the module; call it once, before anything is opened. */
void saboteur_use_drivers(const struct target_driver *const *drivers);

/* For lists of targets. To open or to schedule one, ask saboteur_driver_for(), for whether its time is virtual is the wrapped
 * target's matter. */
extern const struct target_driver saboteur_driver;
/* The driver for an argument "FAULT,TARGET[:ARGUMENT]". Never NULL: with an argument that means nothing, preflight() and open() say
 * why. */
const struct target_driver *saboteur_driver_for(const char *argument);

#endif

/* A finding made small: by delta debugging on the steps of its input, then on their fields.
 *
 * Whether an input still shows the finding is asked of the caller, many inputs at once, because on a real target they can be played
 * at once. All is done on octets (docs/fuzz-bytes.md): first records are left out, in halves, quarters, … and one by one; then what
 * is left is made usual: octets become zero, which is what is usual, groups of them before single ones; then numbers are halved.
 * That is repeated until nothing helps or the plays are used up. Deterministic.
 */
#ifndef TCPASSAY_FUZZ_SHRINK_H
#define TCPASSAY_FUZZ_SHRINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/scenario/bytes/bytes.h"

struct shrink_input { size_t len; uint8_t octets[SCN_BYTES_MAX]; };

/* The index of the first of these inputs that still shows the finding; count when none does. They may be asked in any order. */
typedef size_t shrink_shows(void *context, const struct shrink_input *inputs, size_t count);

struct shrink {
    shrink_shows *shows;
    void *context;
    size_t plays_max;   /* inputs asked about, about */
    size_t at_once_max; /* in one question, at least 1 */
};

/* Makes *input small in place; it shows the finding as it is. Returns how many inputs were asked about; 0 with *input as it was
 * when memory is out. */
size_t shrink(const struct shrink *how, struct shrink_input *input);
/* Whole records only, the magic in front: what shrink() begins with, and every stored input is. */
void shrink_tidy(struct shrink_input *input);
unsigned shrink_steps(const struct shrink_input *input);

#endif

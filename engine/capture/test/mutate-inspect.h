/* Asks the inspection of captures what it thinks of a list of frames. */
#ifndef TCPASSAY_CAPTURE_TEST_MUTATE_INSPECT_H
#define TCPASSAY_CAPTURE_TEST_MUTATE_INSPECT_H

#include "engine/capture/inspection.h"
#include "engine/capture/test/mutate-frames.h"

/* The finished inspection; the caller frees it. Frames are numbered from 1 on, as in a file. */
struct inspection *inspect(const struct frames *frames);
/* Does a finding hold, and is it of a requirement that is a MUST? */
bool is_failure(const struct held_finding *finding);
/* The first such finding, or NULL. */
const struct held_finding *first_failure(const struct inspection *inspection);

#endif

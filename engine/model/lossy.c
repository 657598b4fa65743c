/* What the IUT sends, seen in a capture: nothing says which inputs have arrived, or what the capture has missed. */
#include "engine/model/inside.h"

void lossy_output(struct judge *j, const struct segment *s)
{
    (void)j;
    (void)s;
}

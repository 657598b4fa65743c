#include "engine/model/inside.h"

void timestamps_input(struct judge *j, const struct segment *s)
{
    (void)j;
    (void)s;
}

void timestamps_output(struct judge *j, const struct segment *s)
{
    (void)j;
    (void)s;
}

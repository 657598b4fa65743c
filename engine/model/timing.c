#include "engine/model/inside.h"

void timing_input(struct judge *j, const struct segment *s)
{
    (void)j;
    (void)s;
}

void timing_output(struct judge *j, const struct segment *s)
{
    (void)j;
    (void)s;
}

void timing_call(struct judge *j, const struct judge_call *call, int64_t at_ns)
{
    (void)j;
    (void)call;
    (void)at_ns;
}

void timing_time(struct judge *j, int64_t now_ns)
{
    (void)j;
    (void)now_ns;
}

int64_t timing_deadline(const struct judge *j)
{
    (void)j;
    return INT64_MAX;
}

#include "engine/model/inside.h"

void icmp_input(struct judge *j, const struct packet *packet, int64_t at_ns, uint32_t index)
{
    (void)j;
    (void)packet;
    (void)at_ns;
    (void)index;
}

void icmp_output(struct judge *j, const struct segment *s)
{
    (void)j;
    (void)s;
}

void icmp_call(struct judge *j, const struct judge_call *call, int64_t at_ns)
{
    (void)j;
    (void)call;
    (void)at_ns;
}

void icmp_time(struct judge *j, int64_t now_ns)
{
    (void)j;
    (void)now_ns;
}

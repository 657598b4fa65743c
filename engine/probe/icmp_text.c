/* ICMP errors in words. */
#include <stddef.h>

#include "engine/probe/probe.h"

struct meaning { uint8_t ip_version, type, code; const char *text; };

static const struct meaning meanings[] = {
    /* RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1 */
    {4, 3, 0, "network unreachable"}, {4, 3, 1, "host unreachable"}, {4, 3, 2, "protocol unreachable"}, {4, 3, 3, "port unreachable"},
    {4, 3, 4, "fragmentation needed"}, {4, 3, 5, "source route failed"}, {4, 3, 6, "destination network unknown"},
    {4, 3, 7, "destination host unknown"}, {4, 3, 8, "source host isolated"}, {4, 3, 9, "network administratively prohibited"},
    {4, 3, 10, "host administratively prohibited"}, {4, 3, 11, "network unreachable for this type of service"},
    {4, 3, 12, "host unreachable for this type of service"}, {4, 3, 13, "communication administratively prohibited"},
    {4, 3, 14, "host precedence violation"}, {4, 3, 15, "precedence cutoff in effect"}, {4, 11, 0, "time to live exceeded in transit"},
    {4, 11, 1, "fragment reassembly time exceeded"},
    /* RFC 4443 §3 */
    {6, 1, 0, "no route to destination"}, {6, 1, 1, "communication administratively prohibited"}, {6, 1, 2, "beyond scope of source address"},
    {6, 1, 3, "address unreachable"}, {6, 1, 4, "port unreachable"}, {6, 1, 5, "source address failed ingress/egress policy"},
    {6, 1, 6, "reject route to destination"}, {6, 2, 0, "packet too big"}, {6, 3, 0, "hop limit exceeded in transit"},
    {6, 3, 1, "fragment reassembly time exceeded"}, {6, 4, 1, "unrecognized next header"},
};

const char *probe_icmp_text(uint8_t ip_version, uint8_t type, uint8_t code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].ip_version == ip_version && meanings[i].type == type && meanings[i].code == code)
            return meanings[i].text;
    return ip_version == 4 && type == 12 ? "parameter problem" : ip_version == 6 && type == 4 ? "parameter problem" : "an ICMP error";
}

/* A tcpassay-lwip with an error: a packet with URG in its TCP header (IPv4, no options) ends it, or, with PSH as well, makes it
 * hang. Linked with --wrap=link_input, so everything else is the real one. */
#include "targets/lwip/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int64_t __real_link_input(const uint8_t *packet, size_t len);
int64_t __wrap_link_input(const uint8_t *packet, size_t len);

int64_t __wrap_link_input(const uint8_t *packet, size_t len)
{
    enum { FLAGS_AT = 20 + 13, URG = 0x20, PSH = 0x08 };
    bool urgent = len > FLAGS_AT && packet[0] == 0x45 && packet[FLAGS_AT] & URG;
    while (urgent && packet[FLAGS_AT] & PSH)
        pause();
    if (urgent) {
        puts("Assertion \"nothing is urgent\" failed");
        fflush(stdout);
        abort();
    }
    return __real_link_input(packet, len);
}

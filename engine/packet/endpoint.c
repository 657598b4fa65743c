/* Addresses of sockets, as the endpoints of packets. */
#include "engine/packet/endpoint.h"

#include <netinet/in.h>
#include <string.h>

bool pkt_endpoint_of_socket(const struct sockaddr_storage *address, struct pkt_endpoint *out)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    *out = (struct pkt_endpoint){.port = 0};
    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        out->addr.version = 4;
        out->port = ntohs(v4.sin_port);
        memcpy(out->addr.bytes, &v4.sin_addr, sizeof v4.sin_addr);
    } else if (address->ss_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        out->addr.version = 6;
        out->port = ntohs(v6.sin6_port);
        memcpy(out->addr.bytes, &v6.sin6_addr, sizeof v6.sin6_addr);
    }
    return out->addr.version != 0;
}

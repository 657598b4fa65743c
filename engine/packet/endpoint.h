/* Between the addresses of sockets and those of packets. */
#ifndef TCPASSAY_PACKET_ENDPOINT_H
#define TCPASSAY_PACKET_ENDPOINT_H

#include "engine/packet/packet.h"

struct sockaddr_storage;

/* The address and port of a socket's address; false, with version 0, when it is neither IPv4 nor IPv6. */
bool pkt_endpoint_of_socket(const struct sockaddr_storage *address, struct pkt_endpoint *out);

#endif

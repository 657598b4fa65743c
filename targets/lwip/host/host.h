/* The parts of tcpassay-lwip: a link without link layer, the sockets calls, STATUS. All of a process is one host, as lwIP is. */
#ifndef TCPASSAY_TARGETS_LWIP_HOST_HOST_H
#define TCPASSAY_TARGETS_LWIP_HOST_HOST_H

#include "targets/lwip/protocol.h"

#include <stdbool.h>
#include <stddef.h>

/* Brings the interface up. */
void link_begin(const struct lwip_settings *settings);

/* Hands lwIP a packet. 0 or a negative errno value. */
int64_t link_input(const uint8_t *packet, size_t len);

/* Called by the link for each packet that lwIP emits. */
void host_output(const uint8_t *packet, size_t len);

/* A request for the application's side; fills *answer, and octets (CHANNEL_OCTETS_MAX), of which answer->octets are to be sent. */
void calls_serve(const struct lwip_request *request, const uint8_t *request_octets, struct lwip_answer *answer, uint8_t *octets);

/* What every new socket is given. */
void calls_use(const struct lwip_settings *settings);

/* STATUS. 0 or a negative errno value. */
int64_t status_find(const struct lwip_endpoint *local, const struct lwip_endpoint *remote, struct lwip_status *out);

/* No connection waits for a timer. */
bool status_all_idle(void);

/* Aborts the connection behind a socket, as the ABORT of RFC 9293 §3.9.1.5. */
void status_abort_socket(int socket);

/* Octets that a socket's connection has neither sent nor seen acknowledged, or a negative errno value. */
int64_t status_unacknowledged(int socket);

/* "name=value" lines about the stack as it was compiled. Returns the length. */
size_t facts_write(char *out, size_t capacity);

#endif

/* An upper tester that speaks the AUTOSAR Testability Protocol, on plain sockets: groups GENERAL and TCP. It is there to test the
 * client with, and shares nothing with it: another reading of the same text (document 778, TC release 1.2.0). One thread, one
 * poll(2), nothing blocks. No authentication, as the protocol has none: for loopback and for networks of one's own. */
#ifndef TCPASSAY_TARGETS_AGENT_TESTABILITY_SERVER_H
#define TCPASSAY_TARGETS_AGENT_TESTABILITY_SERVER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { UT_SOCKETS_MAX = 512 };

struct ut_peer {
    struct sockaddr_storage address;
    socklen_t len;
};

struct ut_config {
    bool connects_at_once;   /* CONNECT is answered when it has been triggered; else when the connection is there, or refused */
    bool returns_request_id; /* §6.1 leaves open what a response has there */
    /* Sends a datagram to one who asked. */
    void (*send)(void *context, const struct ut_peer *to, const uint8_t *bytes, size_t len);
    void *context;
};

struct ut;
struct ut *ut_new(const struct ut_config *config); /* NULL: out of memory */
void ut_free(struct ut *ut);                       /* its connections are reset */

/* One datagram of a tester. */
void ut_input(struct ut *ut, const struct ut_peer *from, const uint8_t *bytes, size_t len);

/* What to wait for: so many of out[UT_SOCKETS_MAX]; and what came of it, in the same order. */
size_t ut_watch(struct ut *ut, struct pollfd *out);
void ut_work(struct ut *ut, const struct pollfd *watched, size_t count);

#endif

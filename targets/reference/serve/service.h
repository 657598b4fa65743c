/* The applications that the server runs on the stack, each a small state machine on octets: HTTP (80), echo (7), discard (9) and a
 * source of octets (19). Sans-I/O. */
#ifndef TCPASSAY_TARGETS_REFERENCE_SERVE_SERVICE_H
#define TCPASSAY_TARGETS_REFERENCE_SERVE_SERVICE_H

#include "targets/reference/serve/http.h"

struct service { /* one kind; state is of one connection */
    const char *name;
    uint16_t port;
    void *(*open)(const struct http_config *config);                       /* NULL: out of memory */
    void (*close)(void *state);
    size_t (*take)(void *state, const uint8_t *bytes, size_t len);         /* octets from the peer; how many it could take now */
    size_t (*give)(void *state, uint8_t *out, size_t capacity);            /* octets for the peer; 0: none now */
    bool (*is_busy)(const void *state);                                    /* will have octets to give without taking any */
    bool (*is_finished)(const void *state);                                /* wants to close, although the peer has not */
    bool ends_with_peer;                                                   /* nothing is worth giving once the peer has closed */
};

enum { SERVICE_COUNT = 4 };
extern const struct service services[SERVICE_COUNT];

#endif

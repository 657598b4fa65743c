/* The upper tester on the kernel's own sockets: the calls of struct target_ops, on a table of handles. On Linux and on the BSDs. */
#ifndef TCPASSAY_TARGETS_SOCKETS_SOCKETS_H
#define TCPASSAY_TARGETS_SOCKETS_SOCKETS_H

#include <poll.h>

#include "engine/runner/target.h"

enum { SOCKETS_MAX = 65536 }; /* of one instance; more are -EMFILE */

struct sockets;

/* What poll(2) is asked for. */
#ifdef POLLRDHUP
enum { SOCKETS_POLL_EVENTS = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };
#else
enum { SOCKETS_POLL_EVENTS = POLLIN | POLLOUT | POLLPRI };
#endif

/* Where sockets are made, and who is told of them. Each of the functions may be NULL; all get the context. */
struct sockets_place {
    int (*enter)(void *context);    /* around each socket(), such as a change of network namespace: 0 or a negative errno value */
    int (*leave)(void *context);
    bool (*watch)(void *context, int fd, int handle);   /* a new one; false: it cannot be had (-EMFILE) */
    void (*unwatch)(void *context, int fd, int handle); /* it is about to be closed */
    void *context;
};
/* NULL: out of memory. */
struct sockets *sockets_new(const struct sockets_place *place);
/* Aborts the connections that are still open. */
void sockets_free(struct sockets *s);

int64_t sockets_socket(struct sockets *s, uint8_t ip_version);
int64_t sockets_bind(struct sockets *s, int handle, const struct pkt_endpoint *local);
int64_t sockets_listen(struct sockets *s, int handle, int backlog);
int64_t sockets_accept(struct sockets *s, int handle, struct pkt_endpoint *peer);
int64_t sockets_connect(struct sockets *s, int handle, const struct pkt_endpoint *remote);
int64_t sockets_send(struct sockets *s, int handle, const uint8_t *data, size_t len, unsigned flags);
int64_t sockets_receive(struct sockets *s, int handle, uint8_t *out, size_t len, unsigned flags);
int64_t sockets_shutdown(struct sockets *s, int handle, enum target_shutdown how);
int64_t sockets_close(struct sockets *s, int handle);
int64_t sockets_abort(struct sockets *s, int handle); /* ABORT (RFC 9293 §3.9.1.5): closed with a reset */
/* SO_LINGER takes two values, on/off and seconds, and gives its seconds, or -1 when it is off; for the others see options.h. */
int64_t sockets_set_option(struct sockets *s, int handle, const char *name, const int64_t *values, unsigned count);
int64_t sockets_get_option(struct sockets *s, int handle, const char *name, int64_t *value);
int64_t sockets_ioctl(struct sockets *s, int handle, const char *name, int64_t *value);
unsigned sockets_poll(struct sockets *s, int handle);
int64_t sockets_local_endpoint(struct sockets *s, int handle, struct pkt_endpoint *out);

#endif

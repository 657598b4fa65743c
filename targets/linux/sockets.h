/* The upper tester on the kernel's own sockets: the calls of struct target_ops, on a table of handles. */
#ifndef TCPASSAY_TARGETS_LINUX_SOCKETS_H
#define TCPASSAY_TARGETS_LINUX_SOCKETS_H

#include "engine/runner/target.h"
#include "targets/tap/namespace.h"

enum { SOCKETS_MAX = 65536 }; /* of one instance; more are -EMFILE */

struct sockets;

/* Sockets are made in *ns, which outlives this, and report to the epoll descriptor, edge-triggered, with SOCKETS_EPOLL_DATA.
 * NULL: out of memory. */
#define SOCKETS_EPOLL_DATA UINT64_C(1)
struct sockets *sockets_new(const struct netns *ns, int epoll_fd);
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
/* SO_LINGER takes two values, on/off and seconds, and gives its seconds, or -1 when it is off; for the others see options.h. */
int64_t sockets_set_option(struct sockets *s, int handle, const char *name, const int64_t *values, unsigned count);
int64_t sockets_get_option(struct sockets *s, int handle, const char *name, int64_t *value);
int64_t sockets_ioctl(struct sockets *s, int handle, const char *name, int64_t *value);
unsigned sockets_poll(struct sockets *s, int handle);
int64_t sockets_local_endpoint(struct sockets *s, int handle, struct pkt_endpoint *out);

#endif

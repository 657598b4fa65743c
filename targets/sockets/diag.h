/* What the kernel knows of its TCP connections, asked through sock_diag(7). */
#ifndef TCPASSAY_TARGETS_SOCKETS_DIAG_H
#define TCPASSAY_TARGETS_SOCKETS_DIAG_H

#include "engine/runner/target.h"

/* A socket of the namespace the thread is in now. Returns a descriptor or a negative errno value. */
int diag_open(void);

/* As status() of struct target_ops. It finds half-open connections of a listener, orphans and TIME-WAIT too. */
int diag_status(int fd, const struct pkt_endpoint *local, const struct pkt_endpoint *remote, struct target_status *out);

/* Aborts every TCP connection and listener of the namespace, orphans too, which would otherwise keep it alive while they
 * retransmit. 0 or a negative errno value; -EOPNOTSUPP when the kernel was built without CONFIG_INET_DIAG_DESTROY. */
int diag_destroy_all(int fd);

/* How many TCP sockets there are in the namespace the thread is in, but for those in TIME-WAIT. */
unsigned diag_count(void);

#endif

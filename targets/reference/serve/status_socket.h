/* Where a running server tells about its connections: a UNIX socket of its owner's. Whoever connects is given one JSON document,
 * and then the end of the stream; nothing is read. */
#ifndef TCPASSAY_TARGETS_REFERENCE_SERVE_STATUS_SOCKET_H
#define TCPASSAY_TARGETS_REFERENCE_SERVE_STATUS_SOCKET_H

#include <poll.h>

#include "targets/reference/reference.h"

enum {
    STATUS_PATH_MAX = 108,       /* of a UNIX socket: sun_path */
    STATUS_CLIENTS_MAX = 4,      /* who comes beyond is turned away */
    STATUS_FDS_MAX = 1 + STATUS_CLIENTS_MAX,
    STATUS_CONNECTIONS_MAX = 4096, /* in a document; beyond, it says that there are more */
};
#define STATUS_PREFIX "tcpassay-serve."
#define STATUS_SUFFIX ".sock"

/* Folders where such sockets may lie, best first: $XDG_RUNTIME_DIR; where that is not set, /run and /tmp. NULL beyond the last. */
const char *status_folder(unsigned index);

struct status_socket;
/* At path, or when that is NULL at FOLDER/tcpassay-serve.INTERFACE.PID.sock, in the first folder where that is possible. NULL with
 * the reason in why: a server can do without. */
struct status_socket *status_socket_open(const char *path, const char *interface, char *why, size_t why_size);
/* Removes it. */
void status_socket_close(struct status_socket *s);
/* Adds what to wait for to fds, STATUS_FDS_MAX at most, and returns how many. */
nfds_t status_socket_fds(const struct status_socket *s, struct pollfd *fds);
/* When the slowest client is to be given up; INT64_MAX for never. */
int64_t status_socket_deadline(const struct status_socket *s);
/* Lets clients in and gives them of their document what they take. Never blocks. */
void status_socket_work(struct status_socket *s, const struct ref_stack *stack, int64_t now_ns);

#endif

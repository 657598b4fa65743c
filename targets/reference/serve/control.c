/* Joins sockets of the kernel and the agent's server core (see control.h).
 *
 * A connection is read while the core wants input, and closed once the core has finished and all of its output is sent, or when the
 * other side is gone. Output waits in the core until the socket takes it. */
#include "targets/reference/serve/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 65536, READS_A_TURN = 16 };
#define IDLE_NS INT64_C(600000000000) /* a tester that says nothing for so long has been lost */

struct connection {
    int fd;                      /* -1: free */
    bool lost;                   /* the other side has closed, or the connection broke */
    struct agent_server *server;
};

struct control {
    int listener;
    uint8_t key[AGENT_KEY_BYTES];
    struct agent_sockets *sockets;
    struct connection connections[CONTROL_CONNECTIONS_MAX];
    uint8_t buffer[READ_BYTES];
};

static bool somebody_is_served(void *context)
{
    const struct control *c = context;
    for (unsigned i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
        if (c->connections[i].fd >= 0 && agent_server_serves(c->connections[i].server))
            return true;
    return false;
}

static bool claim(void *context)
{
    return !somebody_is_served(context);
}

/* ---- connections ----------------------------------------------------------------------------------------------- */

static void drop(struct connection *connection)
{
    agent_server_free(connection->server);
    close(connection->fd);
    *connection = (struct connection){ .fd = -1 };
}

static void accept_one(struct control *c, struct connection *connection, int64_t now_ns)
{
    const int on = 1;
    struct agent_server_config config = { .sockets = c->sockets, .claim = claim, .context = c, .idle_ns = IDLE_NS };
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    memcpy(config.key, c->key, sizeof config.key);
    connection->server = agent_server_new(&config, now_ns);
    connection->fd = fd;
    connection->lost = false;
    if (!connection->server) {
        close(fd);
        connection->fd = -1;
    }
}

static void read_some(struct control *c, struct connection *connection, int64_t now_ns)
{
    for (int i = 0; i < READS_A_TURN && agent_server_wants_input(connection->server); i++) {
        ssize_t len = recv(connection->fd, c->buffer, sizeof c->buffer, MSG_DONTWAIT);
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (len <= 0) {
            connection->lost = true;
            return;
        }
        agent_server_input(connection->server, c->buffer, (size_t)len, now_ns);
    }
}

/* True when there is nothing left to write. */
static bool write_all(struct connection *connection)
{
    size_t len;
    const uint8_t *bytes;
    while ((bytes = agent_server_output(connection->server, &len)) && len) {
        ssize_t sent = send(connection->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            connection->lost = true;
        if (sent <= 0)
            return false;
        agent_server_sent(connection->server, (size_t)sent);
    }
    return true;
}

static void run_one(struct control *c, struct connection *connection, int64_t now_ns)
{
    agent_server_advance(connection->server, now_ns);
    read_some(c, connection, now_ns);
    if (agent_server_serves(connection->server))
        agent_server_work(connection->server);
    bool written = write_all(connection);
    if (connection->lost || (written && agent_server_finished(connection->server)))
        drop(connection);
}

void control_run(struct control *c, int64_t now_ns)
{
    for (unsigned i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
        struct connection *connection = &c->connections[i];
        if (connection->fd < 0)
            accept_one(c, connection, now_ns);
        if (connection->fd >= 0)
            run_one(c, connection, now_ns);
    }
}

unsigned control_poll_fds(const struct control *c, struct pollfd *out)
{
    unsigned count = 0, taken = 0;
    for (unsigned i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
        const struct connection *connection = &c->connections[i];
        size_t len = 0;
        if (connection->fd < 0)
            continue;
        taken++;
        agent_server_output(connection->server, &len);
        short events = (short)((agent_server_wants_input(connection->server) ? POLLIN : 0) | (len ? POLLOUT : 0));
        out[count++] = (struct pollfd){ .fd = connection->fd, .events = events };
    }
    if (taken < CONTROL_CONNECTIONS_MAX)
        out[count++] = (struct pollfd){ .fd = c->listener, .events = POLLIN };
    return count;
}

int64_t control_deadline(const struct control *c)
{
    int64_t deadline_ns = INT64_MAX;
    for (unsigned i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
        int64_t own_ns = c->connections[i].fd < 0 ? INT64_MAX : agent_server_deadline(c->connections[i].server);
        deadline_ns = own_ns < deadline_ns ? own_ns : deadline_ns;
    }
    return deadline_ns;
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static bool fail(struct target_error *error, enum target_error_kind kind, const char *why)
{
    error->kind = kind;
    snprintf(error->text, sizeof error->text, "the port of the upper tester: %s", why);
    return false;
}

static bool is_loopback(const struct pkt_addr *addr)
{
    static const uint8_t one[16] = { [15] = 1 };
    return addr->version == 6 ? memcmp(addr->bytes, one, sizeof one) == 0 : addr->bytes[0] == 127;
}

static bool listen_on(struct control *c, const struct pkt_endpoint *local, struct target_error *error)
{
    const int on = 1;
    const bool v6 = local->addr.version == 6;
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(local->port) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(local->port) };
    memcpy(&in.sin_addr, local->addr.bytes, sizeof in.sin_addr);
    memcpy(&in6.sin6_addr, local->addr.bytes, sizeof in6.sin6_addr);
    const struct sockaddr *address = v6 ? (const struct sockaddr *)&in6 : (const struct sockaddr *)&in;
    c->listener = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->listener < 0 || setsockopt(c->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0
        || bind(c->listener, address, v6 ? sizeof in6 : sizeof in) < 0 || listen(c->listener, CONTROL_CONNECTIONS_MAX) < 0)
        return fail(error, TARGET_ERR_UNAVAILABLE, strerror(errno));
    return true;
}

struct control *control_open(const struct pkt_endpoint *local, const uint8_t *key, struct agent_sockets *sockets,
                             struct target_error *error)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c) {
        fail(error, TARGET_ERR_UNAVAILABLE, "out of memory");
        return NULL;
    }
    c->sockets = sockets;
    c->listener = -1;
    for (unsigned i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
        c->connections[i].fd = -1;
    if (key)
        memcpy(c->key, key, sizeof c->key);
    if (!key && !is_loopback(&local->addr))
        fail(error, TARGET_ERR_USAGE, "without a key (--key FILE) it may be on loopback only");
    else if (listen_on(c, local, error))
        return c;
    control_close(c);
    return NULL;
}

void control_close(struct control *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
        if (c->connections[i].fd >= 0)
            drop(&c->connections[i]);
    if (c->listener >= 0)
        close(c->listener);
    free(c);
}

/* The client's stream on a TCP connection across the network, or on a socket that is connected already. */
#include "targets/agent/client.h"
#include "engine/packet/endpoint.h"
#include "targets/agent/key.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KEEPALIVE_IDLE_S = 10, KEEPALIVE_INTERVAL_S = 5, KEEPALIVE_PROBES = 4 }; /* a host that has vanished is noticed in half a minute */

struct tcp_stream {
    struct agent_stream base;  /* first: what the client sees */
    int fd;
    char host[256], port[8];   /* host "": it cannot be had again */
};

static struct tcp_stream *self(struct agent_stream *s)
{
    return (struct tcp_stream *)s;
}

static int64_t now_ns(struct agent_stream *s)
{
    (void)s;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* False when it is not ready by then. */
static bool wait_for(struct tcp_stream *s, short events, int64_t until_ns)
{
    for (;;) {
        struct pollfd asked = { .fd = s->fd, .events = events };
        int64_t left_ns = until_ns ? until_ns - now_ns(&s->base) : 0;
        struct timespec left = { .tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000 };
        int ready = left_ns > 0 ? ppoll(&asked, 1, &left, NULL) : 0;
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

static ssize_t stream_write(struct agent_stream *base, const uint8_t *bytes, size_t len, int64_t until_ns)
{
    struct tcp_stream *s = self(base);
    for (;;) {
        ssize_t written = send(s->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written > 0)
            return written;
        if (written < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (!wait_for(s, POLLOUT, until_ns))
            return 0;
    }
}

static ssize_t stream_read(struct agent_stream *base, uint8_t *out, size_t capacity, int64_t until_ns)
{
    struct tcp_stream *s = self(base);
    for (;;) {
        ssize_t taken = recv(s->fd, out, capacity, MSG_DONTWAIT);
        if (taken > 0)
            return taken;
        if (taken == 0)
            return -ECONNRESET;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        if (!wait_for(s, POLLIN, until_ns))
            return 0;
    }
}

static int stream_fd(struct agent_stream *s)
{
    return self(s)->fd;
}

static void stream_close(struct agent_stream *base)
{
    struct tcp_stream *s = self(base);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

/* ---- endpoints --------------------------------------------------------------------------------------------------- */

static bool stream_endpoints(struct agent_stream *base, struct pkt_endpoint *local, struct pkt_endpoint *remote)
{
    struct sockaddr_storage near = { .ss_family = AF_UNSPEC }, far = { .ss_family = AF_UNSPEC };
    socklen_t near_len = sizeof near, far_len = sizeof far;
    int fd = self(base)->fd;
    return getsockname(fd, (struct sockaddr *)&near, &near_len) == 0 && getpeername(fd, (struct sockaddr *)&far, &far_len) == 0 &&
           pkt_endpoint_of_socket(&near, local) && pkt_endpoint_of_socket(&far, remote);
}

/* ---- connecting -------------------------------------------------------------------------------------------------- */

static void set_number(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value);
}

/* 0, or a positive errno value; ETIMEDOUT when it is not connected by then. */
static int connect_to(struct tcp_stream *s, const struct addrinfo *where, int64_t until_ns)
{
    s->fd = socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (s->fd < 0)
        return errno;
    set_number(s->fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_number(s->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_number(s->fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_number(s->fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_number(s->fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    int code = connect(s->fd, where->ai_addr, where->ai_addrlen) == 0 ? 0 : errno;
    if (code == EINPROGRESS) {
        socklen_t len = sizeof code;
        code = ETIMEDOUT;
        if (wait_for(s, POLLOUT, until_ns))
            getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &code, &len);
    }
    if (code) {
        close(s->fd);
        s->fd = -1;
    }
    return code;
}

static bool explain(const struct tcp_stream *s, int code, struct target_error *error)
{
    const char *remedy = code == ECONNREFUSED ? "nothing listens there: start it with `tcpassay agent --listen ADDRESS --key FILE` on that host"
                       : code == ETIMEDOUT ? "silence: is the host up, and does a firewall let this port through?"
                       : strerror(code);
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "no agent at %.128s: %s", s->base.peer, remedy);
    return false;
}

static bool stream_reconnect(struct agent_stream *base, int64_t until_ns, struct target_error *error)
{
    struct tcp_stream *s = self(base);
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    struct addrinfo *list = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    if (!*s->host)
        return explain(s, ECONNRESET, error);
    int code = getaddrinfo(s->host, s->port, &hints, &list);
    if (code != 0) {
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "no agent at %.128s: %s", base->peer, gai_strerror(code));
        return false;
    }
    code = ETIMEDOUT;
    for (const struct addrinfo *at = list; at && code; at = at->ai_next)
        code = connect_to(s, at, until_ns);
    freeaddrinfo(list);
    return code == 0 || explain(s, code, error);
}

static const struct agent_stream_ops TCP_OPS = {
    .now_ns = now_ns, .write = stream_write, .read = stream_read, .fd = stream_fd, .endpoints = stream_endpoints,
    .reconnect = stream_reconnect, .close = stream_close,
};
static const struct agent_stream_ops ATTACHED_OPS = {
    .now_ns = now_ns, .write = stream_write, .read = stream_read, .fd = stream_fd, .close = stream_close,
};

static struct tcp_stream *stream_new(const struct agent_stream_ops *ops, int fd, struct target_error *error)
{
    struct tcp_stream *s = malloc(sizeof *s);
    if (!s) {
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "out of memory");
        return NULL;
    }
    *s = (struct tcp_stream){ .base.ops = ops, .fd = fd };
    return s;
}

struct upper *agent_connect(const char *host, uint16_t port, const char *key_file, int64_t patience_ns, struct target_error *error)
{
    uint8_t key[AGENT_KEY_BYTES] = { 0 };
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    if (key_file && !agent_key_read(key_file, key, error))
        return NULL;
    struct tcp_stream *s = stream_new(&TCP_OPS, -1, error);
    if (!s)
        return NULL;
    snprintf(s->host, sizeof s->host, "%s", host);
    snprintf(s->port, sizeof s->port, "%u", port ? port : AGENT_PORT_DEFAULT);
    snprintf(s->base.peer, sizeof s->base.peer, "%.100s port %s", host, s->port);
    patience_ns = patience_ns > 0 ? patience_ns : AGENT_PATIENCE_NS;
    if (!stream_reconnect(&s->base, now_ns(&s->base) + patience_ns, error)) {
        stream_close(&s->base);
        return NULL;
    }
    return agent_on_stream(&s->base, key, patience_ns, NULL, error);
}

struct upper *agent_attach(int fd, const uint8_t *key, int64_t patience_ns, struct target_error *error)
{
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    struct tcp_stream *s = stream_new(&ATTACHED_OPS, fd, error);
    if (!s) {
        close(fd);
        return NULL;
    }
    snprintf(s->base.peer, sizeof s->base.peer, "the other end of a pipe");
    return agent_on_stream(&s->base, key, patience_ns, NULL, error);
}

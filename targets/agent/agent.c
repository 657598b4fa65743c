/* The agent's control connections: accepted, pumped between socket and server core, and ended.
 *
 * Theory of operation. One thread, one loop: wait until a control connection, a socket of the tester's or the clock wants
 * something; do all that can be done; wait again. Up to CONNECTIONS_MAX control connections may be in their handshake at once, so
 * that nobody who does not know the key keeps out somebody who does: when there are too many, the oldest of them has to go. One
 * that has proved its knowledge of the key is served; until it has gone, others are told so (AGENT_REFUSED_BUSY).
 *
 * A connection that is over is shut down and kept for a moment, unread, so that its last words arrive before a reset would. */
#include "targets/agent/agent.h"
#include "targets/agent/key.h"
#include "targets/agent/plain.h"
#include "targets/agent/system.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>

enum { CONNECTIONS_MAX = 8, PIECE_BYTES = 65536, BACKLOG = 16 };
enum { KEEPALIVE_IDLE_S = 10, KEEPALIVE_INTERVAL_S = 5, KEEPALIVE_PROBES = 4 }; /* a tester that has vanished is noticed in half a minute */
#define IDLE_NS INT64_C(3600000000000)   /* a tester that says nothing for an hour has forgotten us */
#define LAST_WORDS_NS INT64_C(1000000000)

struct connection {
    int fd;                       /* -1: none */
    struct agent_server *server;  /* NULL: it is over, and only its last words are to arrive */
    bool served;                  /* it was, at some time */
    int64_t since_ns;             /* accepted; or over */
    char peer[INET6_ADDRSTRLEN + 16];
};

struct agent {
    const struct agent_options *options;
    int listener;
    struct agent_sockets *sockets;
    uint8_t key[AGENT_KEY_BYTES];
    struct connection connections[CONNECTIONS_MAX];
    sigset_t waiting;             /* the signals that are blocked while waiting */
    bool done;
    uint8_t piece[PIECE_BYTES];
};

static volatile sig_atomic_t stopped; /* a signal handler has nothing else to tell it by */

static void on_stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* ---- control connections ---------------------------------------------------------------------------------------- */

static void drop(struct agent *a, struct connection *c)
{
    const bool leaves = c->server && c->served;
    agent_server_free(c->server);
    close(c->fd);
    if (leaves)
        fprintf(stderr, "agent: %s has gone: the control connection was closed\n", c->peer);
    a->done |= leaves && a->options->once;
    *c = (struct connection){ .fd = -1 };
}

/* It is over: what remains to be sent has been. */
static void end(struct agent *a, struct connection *c)
{
    fprintf(stderr, "agent: %s %s: %s\n", c->peer, c->served ? "has gone" : "was turned away", agent_server_reason(c->server));
    a->done |= c->served && a->options->once;
    agent_server_free(c->server);
    c->server = NULL;
    c->since_ns = now_ns();
    shutdown(c->fd, SHUT_WR);
}

/* Sends what there is; the connection may be dropped by that. */
static void flush(struct agent *a, struct connection *c)
{
    size_t len;
    const uint8_t *bytes;
    if (!c->served && agent_server_serves(c->server)) {
        c->served = true;
        fprintf(stderr, "agent: serving %s\n", c->peer);
    }
    while ((bytes = agent_server_output(c->server, &len)), len > 0) {
        ssize_t sent = send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0) {
            drop(a, c);
            return;
        }
        agent_server_sent(c->server, (size_t)sent);
    }
    if (agent_server_finished(c->server))
        end(a, c);
}

/* Takes what has come. */
static void take(struct agent *a, struct connection *c)
{
    ssize_t taken = recv(c->fd, a->piece, sizeof a->piece, MSG_DONTWAIT);
    if (taken < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (taken <= 0) {
        drop(a, c);
        return;
    }
    if (!c->server)
        return; /* what comes after the end is thrown away */
    agent_server_input(c->server, a->piece, (size_t)taken, now_ns());
    flush(a, c);
}

/* Has its other end closed it? Then somebody else may be served, although we have not come round to it yet. */
static bool has_hung_up(const struct connection *c)
{
    uint8_t octet;
    ssize_t taken = recv(c->fd, &octet, sizeof octet, MSG_PEEK | MSG_DONTWAIT);
    return taken == 0 || (taken < 0 && errno != EAGAIN && errno != EINTR);
}

static bool claim(void *context)
{
    struct agent *a = context;
    for (struct connection *c = a->connections; c < a->connections + CONNECTIONS_MAX; c++) {
        if (!c->server || !agent_server_serves(c->server))
            continue;
        if (!has_hung_up(c))
            return false;
        drop(a, c);
    }
    return true;
}

/* A free place: there is always one, since all but one may be taken away from who has it. */
static struct connection *make_place(struct agent *a)
{
    struct connection *oldest = NULL;
    for (struct connection *c = a->connections; c < a->connections + CONNECTIONS_MAX; c++) {
        if (c->fd < 0)
            return c;
        if (!c->served && (!oldest || c->since_ns < oldest->since_ns))
            oldest = c;
    }
    if (oldest)
        drop(a, oldest);
    return oldest;
}

static void set_number(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value);
}

static void keep_alive(int fd)
{
    set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_KEEPIDLE
    set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
#endif
}

static void name_peer(struct connection *c, const struct sockaddr_storage *address)
{
    char text[INET6_ADDRSTRLEN] = "?";
    struct sockaddr_in v4;
    struct sockaddr_in6 v6 = { 0 };
    unsigned port = 0;
    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        port = ntohs(v4.sin_port);
    } else if (address->ss_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        port = ntohs(v6.sin6_port);
    }
    snprintf(c->peer, sizeof c->peer, "%s port %u", text, port);
}

static void accept_one(struct agent *a)
{
    struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof address;
    int fd = accept4(a->listener, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *c = fd >= 0 ? make_place(a) : NULL;
    struct agent_server_config config = { .sockets = a->sockets, .claim = claim, .context = a, .idle_ns = IDLE_NS };
    memcpy(config.key, a->key, sizeof config.key);
    struct agent_server *server = c ? agent_server_new(&config, now_ns()) : NULL;
    if (!server) {
        if (fd >= 0)
            close(fd);
        return;
    }
    *c = (struct connection){ .fd = fd, .server = server, .since_ns = now_ns() };
    name_peer(c, &address);
    set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    keep_alive(fd);
}

/* ---- the loop --------------------------------------------------------------------------------------------------- */

static int64_t deadline_of(const struct connection *c)
{
    if (c->fd < 0)
        return INT64_MAX;
    return c->server ? agent_server_deadline(c->server) : c->since_ns + LAST_WORDS_NS;
}

static void keep_time(struct agent *a, struct connection *c, int64_t at_ns)
{
    if (at_ns < deadline_of(c))
        return;
    if (!c->server) {
        drop(a, c);
        return;
    }
    agent_server_advance(c->server, at_ns);
    flush(a, c);
}

static short wanted(const struct connection *c)
{
    size_t len;
    if (!c->server)
        return POLLIN;
    agent_server_output(c->server, &len);
    return (short)((agent_server_wants_input(c->server) ? POLLIN : 0) | (len ? POLLOUT : 0));
}

/* fds: the listener, then the connections. False: something went wrong that will not get better. */
static bool wait_for_something(struct agent *a, struct pollfd fds[static CONNECTIONS_MAX + 1])
{
    int64_t deadline_ns = INT64_MAX;
    fds[0] = (struct pollfd){ .fd = a->listener, .events = POLLIN };
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        const struct connection *c = &a->connections[i];
        int64_t of_connection_ns = deadline_of(c);
        fds[i + 1] = (struct pollfd){ .fd = c->fd, .events = c->fd >= 0 ? wanted(c) : 0 };
        deadline_ns = of_connection_ns < deadline_ns ? of_connection_ns : deadline_ns;
    }
    int64_t left_ns = deadline_ns == INT64_MAX ? -1 : deadline_ns - now_ns();
    if (deadline_ns != INT64_MAX && left_ns < 0)
        left_ns = 0;
    return watch_wait(plain_watch(a->sockets), fds, CONNECTIONS_MAX + 1, left_ns, &a->waiting) >= 0 || errno == EINTR;
}

static void turn(struct agent *a, const struct pollfd fds[static CONNECTIONS_MAX + 1])
{
    int64_t at_ns = now_ns();
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &a->connections[i];
        if (c->fd >= 0 && fds[i + 1].revents & (POLLIN | POLLHUP | POLLERR))
            take(a, c);
        if (c->server) {
            agent_server_work(c->server);
            flush(a, c);
        }
        if (c->fd >= 0)
            keep_time(a, c, at_ns);
    }
    if (fds[0].revents)
        accept_one(a);
}

/* ---- beginning -------------------------------------------------------------------------------------------------- */

static bool fail(struct target_error *error, const char *what)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "%s (%s)", what, strerror(errno));
    return false;
}

static bool is_loopback(const struct pkt_addr *address)
{
    static const uint8_t LOOPBACK[16] = { [15] = 1 };
    return address->version == 4 ? address->bytes[0] == 127 : memcmp(address->bytes, LOOPBACK, sizeof LOOPBACK) == 0;
}

static socklen_t to_sockaddr(const struct pkt_endpoint *endpoint, struct sockaddr_storage *out)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(endpoint->port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(endpoint->port) };
    memset(out, 0, sizeof *out);
    memcpy(&v4.sin_addr, endpoint->addr.bytes, 4);
    memcpy(&v6.sin6_addr, endpoint->addr.bytes, 16);
    if (endpoint->addr.version == 4)
        memcpy(out, &v4, sizeof v4);
    else
        memcpy(out, &v6, sizeof v6);
    return endpoint->addr.version == 4 ? sizeof v4 : sizeof v6;
}

static bool open_listener(struct agent *a, struct target_error *error)
{
    struct sockaddr_storage address;
    struct connection said;
    socklen_t len = to_sockaddr(&a->options->listen, &address);
    a->listener = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (a->listener < 0)
        return fail(error, "no socket can be had");
    set_number(a->listener, SOL_SOCKET, SO_REUSEADDR, 1);
    name_peer(&said, &address);
    if (bind(a->listener, (const struct sockaddr *)&address, len) < 0 || listen(a->listener, BACKLOG) < 0) {
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "cannot listen on %s (%s)", said.peer, strerror(errno));
        return false;
    }
    return true;
}

/* Once it can serve: whoever started it may wait for this line. */
static void say_where(const struct agent *a)
{
    struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
    struct connection said;
    socklen_t len = sizeof address;
    getsockname(a->listener, (struct sockaddr *)&address, &len);
    name_peer(&said, &address);
    printf("agent: listening on %s%s\n", said.peer, a->options->key_file ? "" : ", without a key");
    fflush(stdout);
}

/* SIGINT and SIGTERM come while we wait, and at no other time. */
static void catch_signals(struct agent *a)
{
    struct sigaction action = { .sa_handler = on_stop };
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &a->waiting);
    sigdelset(&a->waiting, SIGINT);
    sigdelset(&a->waiting, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static bool check_options(const struct agent_options *options, struct target_error *error)
{
    const char *why = NULL;
    if (!options->key_file && !is_loopback(&options->listen.addr))
        why = "off loopback a key is required: make one with --make-key FILE, and start the agent with --key FILE";
    else if (!options->key_file && options->settings)
        why = "--settings requires a key: make one with --make-key FILE, and start the agent with --key FILE";
    if (!why)
        return true;
    error->kind = TARGET_ERR_USAGE;
    snprintf(error->text, sizeof error->text, "%s", why);
    return false;
}

static void run(struct agent *a)
{
    struct pollfd fds[CONNECTIONS_MAX + 1];
    while (!stopped && !a->done && wait_for_something(a, fds))
        if (!stopped)
            turn(a, fds);
    for (struct connection *c = a->connections; c < a->connections + CONNECTIONS_MAX; c++)
        if (c->fd >= 0)
            drop(a, c);
}

static bool begin(struct agent *a, struct keeper **keeper, struct target_error *error)
{
    const struct agent_options *options = a->options;
    if (!check_options(options, error) || (options->key_file && !agent_key_read(options->key_file, a->key, error)))
        return false;
    if (options->settings && !(*keeper = keeper_start(error)))
        return false;
    catch_signals(a);
    if (!open_listener(a, error) || !system_drop_privileges(error))
        return false;
    a->sockets = plain_new(*keeper);
    if (!a->sockets)
        return fail(error, "no descriptors can be had");
    say_where(a);
    return true;
}

bool agent_serve(const struct agent_options *options, struct target_error *error)
{
    struct keeper *keeper = NULL;
    struct agent *a = malloc(sizeof *a);
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    if (!a)
        return fail(error, "out of memory");
    *a = (struct agent){ .options = options, .listener = -1 };
    for (struct connection *c = a->connections; c < a->connections + CONNECTIONS_MAX; c++)
        c->fd = -1;
    bool begun = begin(a, &keeper, error);
    if (begun)
        run(a);
    if (a->sockets)
        plain_free(a->sockets);
    if (a->listener >= 0)
        close(a->listener);
    keeper_stop(keeper);
    free(a);
    return begun;
}

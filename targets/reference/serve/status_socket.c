/* Tells about connections on a UNIX socket (see status_socket.h).
 *
 * A document is made when its client comes in, and kept until the client has taken it, closes, or has been too slow: so no client
 * holds the server up. The socket is its owner's alone (mode 0600 before it has a name), and a client of anybody but its owner or
 * root is turned away.
 *
 * A name in a folder does not go with the process that made it. So a small process watches the server: a pipe that only the server
 * can write to tells it that all is well, or, by its end, that the server was killed; then it removes the name. */
#include "targets/reference/serve/status_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "targets/reference/serve/service.h"

#define CLIENT_PATIENCE_NS INT64_C(2000000000)

struct client {
    int fd;                  /* -1: none */
    char *text;
    size_t at, len;
    int64_t deadline_ns;
};

struct status_socket {
    int fd;
    pid_t watcher;           /* 0: none */
    int watcher_pipe;
    char path[STATUS_PATH_MAX], interface[32];
    struct client clients[STATUS_CLIENTS_MAX];
};

const char *status_folder(unsigned index)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime && *runtime == '/')
        return index == 0 ? runtime : NULL;
    return index == 0 ? "/run" : index == 1 ? "/tmp" : NULL;
}

/* ---- the document ---------------------------------------------------------------------------------------------- */

struct document { json_t *connections; size_t left_out; int64_t now_ns; };

static json_t *address(const struct pkt_addr *addr)
{
    char text[PKT_ADDR_TEXT_MAX];
    return addr->version ? json_string(pkt_addr_format(addr, text)) : json_null();
}

static json_t *timers(const struct ref_connection *c, int64_t now_ns)
{
    json_t *list = json_object();
    for (unsigned i = 0; i < c->timer_count; i++)
        json_object_set_new(list, c->timers[i].name, json_integer(c->timers[i].at_ns - now_ns));
    return list;
}

static const char *service_of(uint16_t port)
{
    for (unsigned i = 0; i < SERVICE_COUNT; i++)
        if (services[i].port == port)
            return services[i].name;
    return "";
}

static void put(json_t *object, const char *name, int64_t value)
{
    json_object_set_new(object, name, json_integer(value));
}

/* Numbers of a connection that has some. */
static void put_numbers(json_t *out, const struct ref_connection *c, int64_t now_ns)
{
    const struct ref_status *s = &c->status;
    const struct { const char *name; int64_t value; } numbers[] = {
        {"unread_octets", s->unread_bytes}, {"unsent_octets", s->unsent_bytes}, {"unacknowledged_octets", s->unacked_bytes},
        {"snd_una", s->snd_una}, {"snd_nxt", s->snd_nxt}, {"snd_wnd", s->snd_wnd}, {"rcv_nxt", s->rcv_nxt}, {"rcv_wnd", s->rcv_wnd},
        {"cwnd", s->cwnd_bytes}, {"ssthresh", s->ssthresh_bytes}, {"mss", s->mss_bytes}, {"pmtu", s->pmtu_bytes}, {"snd_wscale", s->snd_wscale},
        {"rcv_wscale", s->rcv_wscale}, {"rto_ns", s->rto_ns}, {"srtt_ns", s->srtt_ns}, {"rttvar_ns", s->rttvar_ns},
        {"retransmits", s->retransmits}, {"probes", s->probes},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        put(out, numbers[i].name, numbers[i].value);
    json_object_set_new(out, "timestamps", json_boolean(s->timestamps));
    json_object_set_new(out, "sack", json_boolean(s->sack));
    json_object_set_new(out, "ecn", json_boolean(s->ecn));
    json_object_set_new(out, "orphan", json_boolean(c->orphan));
    json_object_set_new(out, "timers_ns", timers(c, now_ns));
}

static void add(void *context, const struct ref_connection *c)
{
    struct document *document = context;
    if (json_array_size(document->connections) == STATUS_CONNECTIONS_MAX) {
        document->left_out++;
        return;
    }
    json_t *out = json_pack("{s:s,s:o,s:i,s:s}", "state", tcp_state_name(c->status.state), "local", address(&c->local.addr),
                            "local_port", c->local.port, "service", service_of(c->local.port));
    if (c->status.state == TCP_STATE_LISTEN) {
        put(out, "to_accept", c->waiting);
        put(out, "half_open", c->half_open);
    } else {
        json_object_set_new(out, "remote", address(&c->remote.addr));
        put(out, "remote_port", c->remote.port);
        put_numbers(out, c, document->now_ns);
    }
    json_array_append_new(document->connections, out);
}

/* malloc'ed; NULL: out of memory. */
static char *document_of(const struct status_socket *s, const struct ref_stack *stack, int64_t now_ns)
{
    const struct ref_counters *n = ref_counters(stack);
    struct document document = { .connections = json_array(), .now_ns = now_ns };
    ref_each_connection(stack, add, &document);
    json_t *all = json_pack("{s:i,s:s,s:i,s:o,s:I,s:{s:I,s:I,s:I,s:I,s:I}}", "schema", 1, "interface", s->interface, "pid",
                            (int)getpid(), "connections", document.connections, "left_out", (json_int_t)document.left_out,
                            "counters", "packets_in", (json_int_t)n->packets_in, "packets_out", (json_int_t)n->packets_out,
                            "retransmissions", (json_int_t)n->retransmissions, "bad_checksum", (json_int_t)n->bad_checksum,
                            "resets_sent", (json_int_t)n->resets_sent);
    char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(all);
    return text;
}

/* ---- the socket ------------------------------------------------------------------------------------------------ */

/* 0 or a negative errno value. */
static int listen_at(struct status_socket *s, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    memcpy(s->path, path, strlen(path) + 1);
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd >= 0 && fchmod(s->fd, 0600) == 0 && bind(s->fd, (struct sockaddr *)&address, sizeof address) == 0) {
        if (listen(s->fd, STATUS_CLIENTS_MAX) == 0)
            return 0;
        unlink(path);
    }
    const int code = errno;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    return -code;
}

static int listen_somewhere(struct status_socket *s)
{
    const char *folder;
    char path[STATUS_PATH_MAX];
    int status = -ENOENT;
    for (unsigned i = 0; status < 0 && (folder = status_folder(i)); i++) {
        const int len =
            snprintf(path, sizeof path, "%s/" STATUS_PREFIX "%s.%ld" STATUS_SUFFIX, folder, s->interface, (long)getpid());
        status = len < (int)sizeof path ? listen_at(s, path) : -ENAMETOOLONG;
    }
    return status;
}

/* What the watcher does: it keeps nothing of the server's open, and no signal of the server's terminal reaches it. */
static void watch(int pipe_end, const char *path)
{
    char farewell;
    setsid();
    signal(SIGTERM, SIG_IGN);
    dup2(pipe_end, STDIN_FILENO);
    close_range(STDOUT_FILENO, ~0u, 0);
    if (read(STDIN_FILENO, &farewell, 1) == 0)
        unlink(path);
    _exit(0);
}

/* Without one, the name may stay after kill -9, and whoever asks removes it. */
static void start_watcher(struct status_socket *s)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    const pid_t watcher = fork();
    if (watcher == 0) {
        close(ends[1]);
        watch(ends[0], s->path);
    }
    close(ends[0]);
    if (watcher < 0)
        close(ends[1]);
    s->watcher = watcher < 0 ? 0 : watcher;
    s->watcher_pipe = ends[1];
}

static void end_watcher(struct status_socket *s)
{
    if (!s->watcher)
        return;
    if (write(s->watcher_pipe, "", 1) != 1)
        kill(s->watcher, SIGKILL);
    close(s->watcher_pipe);
    waitpid(s->watcher, NULL, 0);
}

struct status_socket *status_socket_open(const char *path, const char *interface, char *why, size_t why_size)
{
    struct status_socket *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++)
        s->clients[i].fd = -1;
    snprintf(s->interface, sizeof s->interface, "%s", interface);
    for (char *c = s->interface; *c; c++)
        *c = *c == '/' || *c == '.' ? '_' : *c;
    const int status = path ? listen_at(s, path) : listen_somewhere(s);
    if (status == 0) {
        start_watcher(s);
        return s;
    }
    snprintf(why, why_size, "%s", strerror(-status));
    free(s);
    return NULL;
}

static void drop(struct client *client)
{
    close(client->fd);
    free(client->text);
    *client = (struct client){ .fd = -1 };
}

void status_socket_close(struct status_socket *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++)
        if (s->clients[i].fd >= 0)
            drop(&s->clients[i]);
    unlink(s->path);
    close(s->fd);
    end_watcher(s);
    free(s);
}

/* ---- clients --------------------------------------------------------------------------------------------------- */

nfds_t status_socket_fds(const struct status_socket *s, struct pollfd *fds)
{
    nfds_t count = 0;
    fds[count++] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
    for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++)
        if (s->clients[i].fd >= 0)
            fds[count++] = (struct pollfd){ .fd = s->clients[i].fd, .events = POLLOUT };
    return count;
}

int64_t status_socket_deadline(const struct status_socket *s)
{
    int64_t deadline_ns = INT64_MAX;
    for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++)
        if (s->clients[i].fd >= 0 && s->clients[i].deadline_ns < deadline_ns)
            deadline_ns = s->clients[i].deadline_ns;
    return deadline_ns;
}

static bool may_ask(int fd)
{
    struct ucred who;
    socklen_t len = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && (who.uid == 0 || who.uid == geteuid());
}

static void let_in(struct status_socket *s, const struct ref_stack *stack, int64_t now_ns)
{
    for (int fd; (fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
        unsigned i = 0;
        while (i < STATUS_CLIENTS_MAX && s->clients[i].fd >= 0)
            i++;
        char *text = i < STATUS_CLIENTS_MAX && may_ask(fd) ? document_of(s, stack, now_ns) : NULL;
        if (text)
            s->clients[i] = (struct client){ .fd = fd, .text = text, .len = strlen(text), .deadline_ns = now_ns + CLIENT_PATIENCE_NS };
        else
            close(fd);
    }
}

static void give(struct client *client, int64_t now_ns)
{
    while (client->at < client->len) {
        const ssize_t sent = send(client->fd, client->text + client->at, client->len - client->at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN && now_ns < client->deadline_ns)
            return;
        if (sent <= 0)
            break;
        client->at += (size_t)sent;
    }
    drop(client);
}

void status_socket_work(struct status_socket *s, const struct ref_stack *stack, int64_t now_ns)
{
    let_in(s, stack, now_ns);
    for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++)
        if (s->clients[i].fd >= 0)
            give(&s->clients[i], now_ns);
}

/* The wire of "unix:PATH": Ethernet frames on a UNIX socket, as the network back ends of virtual machines speak.
 *
 * Theory of operation. Four kinds, of one shape:
 *                 connecting                                     listening
 *   datagram      sends to PATH, is PATH.tester itself           is PATH; whoever sent the last frame is the other side
 *   stream        connects to PATH                               is PATH; whoever connects first is the other side
 * A datagram is a frame; on a stream each stands behind its length (framing.h). A path that begins with '@' is an abstract name,
 * and no file (unix(7)). The file of a path that is ours is removed by a process that outlives us (sweep.h).
 *
 * There is one other side at a time. When it closes, or says what cannot be a frame, the wire is gone until wire_recover(), which
 * waits a moment for it to come back. A frame that a stream takes only in part is kept, and goes on when there is room: fd() is an
 * epoll descriptor, which is also readable then. */
#include "targets/tap/clock.h"
#include "targets/tap/framing.h"
#include "targets/tap/sweep.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 8 << 20, EMPTY_FRAMES_MAX = 64, READS_MAX = 64 };
#define RETRY_NS INT64_C(20000000)
#define RECOVERY_NS INT64_C(500000000)
#define PATIENCE_NS INT64_C(3000000000)

struct unix_wire {
    struct wire base;        /* first: the station's view */
    char path[108];
    bool stream, listening;
    bool patient;            /* nobody waits for the other side: receive() looks whether it has come */
    struct sweep sweep;      /* of the file that is ours */
    int listener;            /* stream, listening; else -1 */
    int fd;                  /* towards the other side; -1: nobody is there */
    int epoll_fd;
    struct sockaddr_un peer; /* datagrams, listening: who sent last */
    socklen_t peer_len;
    int gone;                /* negative errno value; 0: it is there */
    uint64_t lost;
    bool wants_to_send;      /* pending octets wait for room */
    size_t pending_start, pending_end;
    uint8_t pending[FRAMING_LENGTH_BYTES + WIRE_FRAME_MAX];
    struct framing in;
};

static struct unix_wire *self(struct wire *w)
{
    return (struct unix_wire *)w;
}

static bool fail(const struct unix_wire *u, struct target_error *error, enum target_error_kind kind, const char *why)
{
    error->kind = kind;
    snprintf(error->text, sizeof error->text, "UNIX socket %.108s: %.300s", u->path, why);
    return false;
}

/* ---- names ----------------------------------------------------------------------------------------------------- */

/* Its length, or 0 when the name is too long. */
static socklen_t make_address(const char *path, const char *suffix, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    int len = snprintf(out->sun_path, sizeof out->sun_path, "%s%s", path, suffix);
    if (len <= 0 || len >= (int)sizeof out->sun_path)
        return 0;
    bool abstract = out->sun_path[0] == '@';
    if (abstract)
        out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len + !abstract);
}

/* A file that a process left behind is no obstacle; one that somebody listens on is. */
static bool remove_stale(const struct unix_wire *u, const struct sockaddr_un *address, socklen_t len)
{
    int probe = socket(AF_UNIX, (u->stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool stale = probe >= 0 && address->sun_path[0] && connect(probe, (const struct sockaddr *)address, len) < 0 && errno == ECONNREFUSED
              && unlink(address->sun_path) == 0;
    if (probe >= 0)
        close(probe);
    return stale;
}

static bool bind_here(struct unix_wire *u, int fd, const char *suffix, struct target_error *error)
{
    struct sockaddr_un address;
    socklen_t len = make_address(u->path, suffix, &address);
    if (len == 0)
        return fail(u, error, TARGET_ERR_USAGE, "the path is too long");
    int status = bind(fd, (const struct sockaddr *)&address, len) < 0 ? -errno : 0;
    if (status == -EADDRINUSE && remove_stale(u, &address, len))
        status = bind(fd, (const struct sockaddr *)&address, len) < 0 ? -errno : 0;
    if (status == -EADDRINUSE)
        return fail(u, error, TARGET_ERR_UNAVAILABLE, "somebody is there already: leave listen=yes away, or choose another path");
    if (status == 0 && address.sun_path[0])
        status = sweep_start(address.sun_path, &u->sweep);
    return status == 0 || fail(u, error, TARGET_ERR_UNAVAILABLE, strerror(-status));
}

/* ---- the other side -------------------------------------------------------------------------------------------- */

static int open_socket(const struct unix_wire *u)
{
    const int bytes = BUFFER_BYTES;
    int fd = socket(AF_UNIX, (u->stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return fd;
}

static void pause_until(int fd, int64_t until_ns)
{
    struct pollfd readable = { .fd = fd, .events = POLLIN };
    int64_t left_ns = until_ns - clock_monotonic_ns();
    const struct timespec timeout = { .tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000 };
    if (left_ns > 0)
        ppoll(&readable, 1, &timeout, NULL);
}

static bool try_to_connect(struct unix_wire *u)
{
    struct sockaddr_un address;
    socklen_t len = make_address(u->path, "", &address);
    if (len == 0 || (u->fd < 0 && (u->fd = open_socket(u)) < 0))
        return false;
    if (connect(u->fd, (const struct sockaddr *)&address, len) == 0)
        return true;
    int status = errno;
    if (u->stream) { /* of what was refused nothing is tried again */
        close(u->fd);
        u->fd = -1;
    }
    errno = status;
    return false;
}

static bool try_to_accept(struct unix_wire *u)
{
    u->fd = accept4(u->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return u->fd >= 0;
}

/* The first frame tells who is there, and stays to be received. One from somebody without a name, who cannot be answered, does not.
 */
static bool try_to_hear(struct unix_wire *u)
{
    uint8_t octet;
    u->peer_len = sizeof u->peer;
    if (recvfrom(u->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT, (struct sockaddr *)&u->peer, &u->peer_len) < 0)
        return false;
    if (u->peer_len > offsetof(struct sockaddr_un, sun_path))
        return true;
    recv(u->fd, &octet, 1, MSG_DONTWAIT);
    errno = EDESTADDRREQ;
    return false;
}

static const char *why_silent(int status)
{
    switch (status) {
    case ENOENT:
    case ECONNREFUSED: return "nobody is there: start the other side first, or let the tester be it (listen=yes)";
    case EPROTOTYPE: return "the other side is of the other kind: socket=stream, or socket=dgram";
    case EPERM: return "the other side speaks with somebody else";
    default: return strerror(status);
    }
}

/* Waits for it. */
static bool find_other_side(struct unix_wire *u, int64_t until_ns, struct target_error *error)
{
    for (;;) {
        bool found = !u->listening ? try_to_connect(u) : u->stream ? try_to_accept(u) : try_to_hear(u);
        if (found)
            return true;
        int status = errno;
        int64_t now_ns = clock_monotonic_ns(), again_ns = now_ns + RETRY_NS;
        if (now_ns < until_ns) {
            pause_until(u->listening ? (u->stream ? u->listener : u->fd) : -1, again_ns < until_ns ? again_ns : until_ns);
            continue;
        }
        if (u->listening)
            return fail(u, error, TARGET_ERR_UNAVAILABLE,
                        u->stream ? "nobody has connected to it" : "nobody has sent a frame to it: does the other side have a path of its own?");
        return fail(u, error, TARGET_ERR_UNAVAILABLE, why_silent(status));
    }
}

static bool watch(struct unix_wire *u, struct target_error *error)
{
    struct epoll_event event = { .events = EPOLLIN };
    return epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, u->fd, &event) == 0 || errno == EEXIST
        || fail(u, error, TARGET_ERR_UNAVAILABLE, strerror(errno));
}

/* A patient wire that listens is readable when somebody comes. */
static void await_other_side(struct unix_wire *u)
{
    struct epoll_event event = { .events = EPOLLIN };
    if (u->patient && u->listening)
        epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, u->stream ? u->listener : u->fd, &event);
}

/* ---- frames out ------------------------------------------------------------------------------------------------ */

static int vanish(struct unix_wire *u, int status)
{
    if (u->gone == 0) {
        u->gone = status;
        epoll_ctl(u->epoll_fd, EPOLL_CTL_DEL, u->fd, NULL); /* it would be readable for ever */
        await_other_side(u);
    }
    return u->gone;
}

static void wish_to_send(struct unix_wire *u, bool wish)
{
    struct epoll_event event = { .events = wish ? EPOLLIN | EPOLLOUT : EPOLLIN };
    if (wish != u->wants_to_send && epoll_ctl(u->epoll_fd, EPOLL_CTL_MOD, u->fd, &event) == 0)
        u->wants_to_send = wish;
}

/* 0 when nothing is pending any more, -EAGAIN, or what ended it. */
static int flush(struct unix_wire *u)
{
    while (u->pending_start < u->pending_end) {
        ssize_t sent = send(u->fd, u->pending + u->pending_start, u->pending_end - u->pending_start, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            wish_to_send(u, true);
            return -EAGAIN;
        }
        if (sent < 0)
            return vanish(u, -ECONNRESET);
        u->pending_start += (size_t)sent;
    }
    u->pending_start = u->pending_end = 0;
    wish_to_send(u, false);
    return 0;
}

static int send_on_stream(struct unix_wire *u, const uint8_t *bytes, size_t len)
{
    int status = flush(u);
    if (status < 0)
        return status;
    framing_length(len, u->pending);
    memcpy(u->pending + FRAMING_LENGTH_BYTES, bytes, len);
    u->pending_end = FRAMING_LENGTH_BYTES + len;
    status = flush(u);
    if (status == -EAGAIN && u->pending_start == 0) { /* none of it has gone */
        u->pending_end = 0;
        return -EAGAIN;
    }
    return status == -EAGAIN ? 0 : status;
}

static int unix_send(struct wire *w, const uint8_t *bytes, size_t len)
{
    struct unix_wire *u = self(w);
    if (u->gone)
        return u->patient ? 0 : u->gone;
    if (len > WIRE_FRAME_MAX)
        return -EMSGSIZE;
    if (u->stream)
        return send_on_stream(u, bytes, len);
    const struct sockaddr *to = u->listening ? (const struct sockaddr *)&u->peer : NULL;
    if (sendto(u->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL, to, to ? u->peer_len : 0) >= 0)
        return 0;
    if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE)
        return -errno;
    return vanish(u, -ECONNRESET);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Ends what connects us with the other side, but for the name that it knows us by. */
static void forget_other_side(struct unix_wire *u)
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    epoll_ctl(u->epoll_fd, EPOLL_CTL_DEL, u->fd, NULL);
    if (u->stream)
        close_fd(&u->fd);
    else if (!u->listening)
        (void)!connect(u->fd, &nobody, sizeof nobody); /* nobody any more: it cannot fail */
    u->in.start = u->in.end = u->pending_start = u->pending_end = 0;
    u->wants_to_send = false;
}

/* Looks for it until then. */
static bool find_again(struct unix_wire *u, int64_t until_ns, struct target_error *error)
{
    forget_other_side(u);
    if (!find_other_side(u, until_ns, error)) {
        await_other_side(u);
        return false;
    }
    if (u->listener >= 0)
        epoll_ctl(u->epoll_fd, EPOLL_CTL_DEL, u->listener, NULL);
    u->gone = 0;
    return watch(u, error);
}

/* ---- frames in ------------------------------------------------------------------------------------------------- */

static ssize_t receive_datagram(struct unix_wire *u, uint8_t *out, size_t capacity)
{
    for (int i = 0; i < EMPTY_FRAMES_MAX; i++) {
        struct sockaddr_un from;
        socklen_t from_len = sizeof from;
        ssize_t len = recvfrom(u->fd, out, capacity, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &from_len);
        if (len > 0 && u->listening && from_len > offsetof(struct sockaddr_un, sun_path)) {
            u->peer = from;
            u->peer_len = from_len;
        }
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (len < 0)
            return vanish(u, -ECONNRESET);
        if ((size_t)len > capacity)
            u->lost++;
        else if (len > 0)
            return len;
    }
    return 0;
}

static ssize_t receive_on_stream(struct unix_wire *u, uint8_t *out, size_t capacity)
{
    for (int i = 0; i < READS_MAX; i++) {
        const uint8_t *frame;
        uint8_t *at;
        ssize_t len = framing_next(&u->in, &frame);
        if (len < 0)
            return vanish(u, (int)len);
        if (len > 0 && (size_t)len <= capacity) {
            memcpy(out, frame, (size_t)len);
            return len;
        }
        size_t space = framing_space(&u->in, &at);
        len = recv(u->fd, at, space, MSG_DONTWAIT);
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (len <= 0)
            return vanish(u, -ECONNRESET);
        framing_filled(&u->in, (size_t)len);
    }
    return 0;
}

static ssize_t unix_receive(struct wire *w, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct unix_wire *u = self(w);
    struct target_error ignored;
    if (u->gone && !(u->patient && find_again(u, 0, &ignored)))
        return u->patient ? 0 : u->gone;
    *at_ns = 0;
    ssize_t len = u->pending_end && flush(u) < 0 && u->gone ? u->gone
                : u->stream ? receive_on_stream(u, out, capacity) : receive_datagram(u, out, capacity);
    return len < 0 && u->patient ? 0 : len;
}

static int unix_fd(struct wire *w)
{
    return self(w)->epoll_fd;
}

static uint64_t unix_lost(struct wire *w)
{
    return self(w)->lost;
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static void unix_close(struct wire *w)
{
    struct unix_wire *u = self(w);
    close_fd(&u->fd);
    close_fd(&u->listener);
    close_fd(&u->epoll_fd);
    sweep_end(&u->sweep);
    free(u);
}

static bool unix_recover(struct wire *w, struct target_error *error)
{
    struct unix_wire *u = self(w);
    return find_again(u, clock_monotonic_ns() + RECOVERY_NS, error);
}

static const struct wire_ops UNIX_OPS = {
    .close = unix_close, .send = unix_send, .receive = unix_receive, .fd = unix_fd, .lost = unix_lost, .recover = unix_recover,
};

/* What of ours the other side may look for. */
static bool open_our_side(struct unix_wire *u, struct target_error *error)
{
    u->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int fd = open_socket(u);
    if (u->stream)
        u->listener = fd;
    else
        u->fd = fd;
    if (fd < 0 || u->epoll_fd < 0)
        return fail(u, error, TARGET_ERR_UNAVAILABLE, strerror(errno));
    if (u->stream && !u->listening) {
        close_fd(&u->listener);
        return true;
    }
    if (!bind_here(u, fd, u->listening ? "" : ".tester", error))
        return false;
    return !u->stream || listen(fd, 1) == 0 || fail(u, error, TARGET_ERR_UNAVAILABLE, strerror(errno));
}

struct wire *wire_open_unix(const char *path, bool stream, bool listening, int64_t patience_ns, struct target_error *error)
{
    struct unix_wire *u = calloc(1, sizeof *u);
    if (!u) {
        *error = (struct target_error){ .kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory" };
        return NULL;
    }
    u->base.ops = &UNIX_OPS;
    u->stream = stream;
    u->listening = listening;
    u->fd = u->listener = u->epoll_fd = -1;
    int64_t until_ns = clock_monotonic_ns() + (patience_ns ? patience_ns : PATIENCE_NS);
    if (!*path || snprintf(u->path, sizeof u->path, "%s", path) >= (int)sizeof u->path)
        fail(u, error, TARGET_ERR_USAGE, "a path has 1 to 107 octets");
    else if (open_our_side(u, error) && (patience_ns < 0 || (find_other_side(u, until_ns, error) && watch(u, error)))) {
        snprintf(u->base.description, sizeof u->base.description, "UNIX socket %.90s (%s)", u->path, stream ? "stream" : "datagrams");
        u->patient = patience_ns < 0;
        if (u->patient)
            vanish(u, -ENOTCONN);
        return &u->base;
    }
    unix_close(&u->base);
    return NULL;
}

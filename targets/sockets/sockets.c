/* Maps the upper tester's calls to non-blocking sockets of the kernel.
 *
 * SO_LINGER is kept here. The kernel is told that every socket lingers for no time at all, so that whatever ends the process aborts
 * its connections: otherwise they would live on as orphans, and with them the namespace, for some two minutes. close() first tells
 * it what the application has asked for; but never a time, for which it would block. What is sent does not depend on that. */
#include "targets/sockets/sockets.h"
#include "targets/sockets/errors.h"
#include "targets/sockets/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct slot {
    int fd;             /* -1: free */
    uint8_t ip_version;
    struct linger linger; /* as the application has it */
    int next_free;      /* when free: the next free one, or -1 */
};

struct sockets {
    struct sockets_place place;
    struct slot *slots; /* a handle is an index */
    int slot_count;
    int first_free;     /* or -1 */
};

/* ---- handles --------------------------------------------------------------------------------------------------- */

static bool grow(struct sockets *s)
{
    int count = s->slot_count ? s->slot_count * 2 : 64;
    if (count > SOCKETS_MAX)
        return false;
    struct slot *slots = realloc(s->slots, (size_t)count * sizeof *slots);
    if (!slots)
        return false;
    for (int i = count - 1; i >= s->slot_count; i--) {
        slots[i] = (struct slot){ .fd = -1, .next_free = s->first_free };
        s->first_free = i;
    }
    s->slots = slots;
    s->slot_count = count;
    return true;
}

static struct slot *slot_of(struct sockets *s, int handle)
{
    return handle >= 0 && handle < s->slot_count && s->slots[handle].fd >= 0 ? &s->slots[handle] : NULL;
}

static int fd_of(struct sockets *s, int handle)
{
    const struct slot *slot = slot_of(s, handle);
    return slot ? slot->fd : -1; /* the kernel answers EBADF to that */
}

static void tell_linger(int fd, int on)
{
    const struct linger linger = { .l_onoff = on, .l_linger = 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/* Takes the descriptor over, also when it fails. */
static int64_t add(struct sockets *s, int fd, uint8_t ip_version, struct linger linger)
{
    if ((s->first_free < 0 && !grow(s)) || (s->place.watch && !s->place.watch(s->place.context, fd, s->first_free))) {
        close(fd);
        return error_result(EMFILE);
    }
    tell_linger(fd, 1);
    int handle = s->first_free;
    s->first_free = s->slots[handle].next_free;
    s->slots[handle] = (struct slot){ .fd = fd, .ip_version = ip_version, .linger = linger };
    return handle;
}

struct sockets *sockets_new(const struct sockets_place *place)
{
    struct sockets *s = malloc(sizeof *s);
    if (s)
        *s = (struct sockets){ .place = *place, .first_free = -1 };
    return s;
}

void sockets_free(struct sockets *s)
{
    if (!s)
        return;
    for (int handle = 0; handle < s->slot_count; handle++)
        if (s->slots[handle].fd >= 0)
            close(s->slots[handle].fd);
    free(s->slots);
    free(s);
}

/* ---- addresses ------------------------------------------------------------------------------------------------- */

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* For a socket of ip_version: an IPv4 address on an IPv6 socket becomes ::ffff:a.b.c.d. Returns the length. */
static socklen_t to_kernel(const struct pkt_endpoint *endpoint, uint8_t ip_version, union socket_address *out)
{
    memset(out, 0, sizeof *out);
    if (ip_version != 6 && endpoint->addr.version != 6) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(endpoint->port);
        memcpy(&out->v4.sin_addr, endpoint->addr.bytes, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(endpoint->port);
    if (endpoint->addr.version == 4) {
        out->v6.sin6_addr.s6_addr[10] = out->v6.sin6_addr.s6_addr[11] = 0xff;
        memcpy(out->v6.sin6_addr.s6_addr + 12, endpoint->addr.bytes, 4);
    } else {
        memcpy(&out->v6.sin6_addr, endpoint->addr.bytes, 16);
    }
    return sizeof out->v6;
}

static void from_kernel(const union socket_address *address, struct pkt_endpoint *out)
{
    *out = (struct pkt_endpoint){ .addr.version = 4 };
    if (address->any.sa_family == AF_INET) {
        out->port = ntohs(address->v4.sin_port);
        memcpy(out->addr.bytes, &address->v4.sin_addr, 4);
        return;
    }
    out->port = ntohs(address->v6.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
        memcpy(out->addr.bytes, address->v6.sin6_addr.s6_addr + 12, 4);
        return;
    }
    out->addr.version = 6;
    memcpy(out->addr.bytes, &address->v6.sin6_addr, 16);
}

/* ---- calls ----------------------------------------------------------------------------------------------------- */

static int64_t result_of(int64_t returned)
{
    return returned < 0 ? error_result(errno) : returned;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int64_t make_socket(struct sockets *s, uint8_t ip_version)
{
    const int family = ip_version == 6 ? AF_INET6 : AF_INET, type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(family, type, IPPROTO_TCP);
    if (fd < 0 && errno == EMFILE) {
        raise_descriptor_limit();
        fd = socket(family, type, IPPROTO_TCP);
    }
    return fd < 0 ? error_result(errno) : add(s, fd, ip_version == 6 ? 6 : 4, (struct linger){ 0 });
}

int64_t sockets_socket(struct sockets *s, uint8_t ip_version)
{
    int status = s->place.enter ? s->place.enter(s->place.context) : 0;
    if (status < 0)
        return status;
    int64_t result = make_socket(s, ip_version);
    status = s->place.leave ? s->place.leave(s->place.context) : 0;
    return status < 0 ? status : result;
}

int64_t sockets_bind(struct sockets *s, int handle, const struct pkt_endpoint *local)
{
    const struct slot *slot = slot_of(s, handle);
    if (!slot)
        return error_result(EBADF);
    union socket_address address;
    socklen_t len = to_kernel(local, slot->ip_version, &address);
    return result_of(bind(slot->fd, &address.any, len));
}

int64_t sockets_listen(struct sockets *s, int handle, int backlog)
{
    return result_of(listen(fd_of(s, handle), backlog));
}

int64_t sockets_accept(struct sockets *s, int handle, struct pkt_endpoint *peer)
{
    const struct slot *slot = slot_of(s, handle);
    if (!slot)
        return error_result(EBADF);
    const struct slot listener = *slot; /* add() may move the table */
    union socket_address address = { .any.sa_family = AF_INET };
    socklen_t len = sizeof address;
    int fd = accept4(slot->fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && errno == EMFILE) {
        raise_descriptor_limit();
        fd = accept4(slot->fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    if (fd < 0)
        return error_result(errno);
    if (peer)
        from_kernel(&address, peer);
    return add(s, fd, listener.ip_version, listener.linger); /* which Linux lets it inherit */
}

int64_t sockets_connect(struct sockets *s, int handle, const struct pkt_endpoint *remote)
{
    const struct slot *slot = slot_of(s, handle);
    if (!slot)
        return error_result(EBADF);
    union socket_address address;
    socklen_t len = to_kernel(remote, slot->ip_version, &address);
    int status = connect(slot->fd, &address.any, len);
    return status < 0 && errno == EALREADY ? error_result(EAGAIN) : result_of(status); /* asked again, and still under way */
}

static const struct message_flag { unsigned flag; int of_kernel; } MESSAGE_FLAGS[] = {
    { TARGET_MSG_OOB, MSG_OOB }, { TARGET_MSG_PEEK, MSG_PEEK },
#ifdef MSG_MORE
    { TARGET_MSG_MORE, MSG_MORE },
#endif
#ifdef MSG_FASTOPEN
    { TARGET_MSG_FASTOPEN, MSG_FASTOPEN },
#endif
};

/* Adds what they are to this kernel; false when it lacks one. */
static bool add_message_flags(unsigned flags, int *of_kernel)
{
    for (size_t i = 0; i < sizeof MESSAGE_FLAGS / sizeof *MESSAGE_FLAGS; i++)
        if (flags & MESSAGE_FLAGS[i].flag) {
            *of_kernel |= MESSAGE_FLAGS[i].of_kernel;
            flags &= ~MESSAGE_FLAGS[i].flag;
        }
    return flags == 0;
}

int64_t sockets_send(struct sockets *s, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    int of_kernel = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (!add_message_flags(flags & ~(unsigned)TARGET_MSG_PEEK, &of_kernel))
        return error_result(EOPNOTSUPP);
    return result_of(send(fd_of(s, handle), data, len, of_kernel));
}

int64_t sockets_receive(struct sockets *s, int handle, uint8_t *out, size_t len, unsigned flags)
{
    int of_kernel = MSG_DONTWAIT;
    add_message_flags(flags & (TARGET_MSG_OOB | TARGET_MSG_PEEK), &of_kernel);
    return result_of(recv(fd_of(s, handle), out, len, of_kernel));
}

int64_t sockets_shutdown(struct sockets *s, int handle, enum target_shutdown how)
{
    static const int KERNEL_HOW[] = { [TARGET_SHUT_RD] = SHUT_RD, [TARGET_SHUT_WR] = SHUT_WR, [TARGET_SHUT_RDWR] = SHUT_RDWR };
    return result_of(shutdown(fd_of(s, handle), KERNEL_HOW[how]));
}

static int64_t close_slot(struct sockets *s, int handle)
{
    struct slot *slot = &s->slots[handle];
    if (s->place.unwatch)
        s->place.unwatch(s->place.context, slot->fd, handle);
    int64_t result = result_of(close(slot->fd));
    *slot = (struct slot){ .fd = -1, .next_free = s->first_free };
    s->first_free = handle;
    return result;
}

int64_t sockets_close(struct sockets *s, int handle)
{
    struct slot *slot = slot_of(s, handle);
    if (!slot)
        return error_result(EBADF);
    if (!slot->linger.l_onoff || slot->linger.l_linger > 0)
        tell_linger(slot->fd, 0);
    return close_slot(s, handle);
}

int64_t sockets_abort(struct sockets *s, int handle)
{
    return slot_of(s, handle) ? close_slot(s, handle) : error_result(EBADF);
}

/* ---- options --------------------------------------------------------------------------------------------------- */

int64_t sockets_set_option(struct sockets *s, int handle, const char *name, const int64_t *values, unsigned count)
{
    struct slot *slot = slot_of(s, handle);
    if (!slot)
        return error_result(EBADF);
    if (strcmp(name, "SO_LINGER") != 0)
        return option_set(slot->fd, name, values, count);
    if (count < 2 || values[1] < 0 || values[1] > INT_MAX)
        return error_result(EINVAL);
    slot->linger = (struct linger){ .l_onoff = values[0] != 0, .l_linger = (int)values[1] };
    return 0;
}

int64_t sockets_get_option(struct sockets *s, int handle, const char *name, int64_t *value)
{
    const struct slot *slot = slot_of(s, handle);
    if (!slot)
        return error_result(EBADF);
    if (strcmp(name, "SO_LINGER") != 0)
        return option_get(slot->fd, name, value);
    *value = slot->linger.l_onoff ? slot->linger.l_linger : -1;
    return 0;
}

int64_t sockets_ioctl(struct sockets *s, int handle, const char *name, int64_t *value)
{
    return option_ioctl(fd_of(s, handle), name, value);
}

unsigned sockets_poll(struct sockets *s, int handle)
{
    static const struct { short kernel; unsigned event; } EVENTS[] = {
        { POLLIN, TARGET_EVENT_IN }, { POLLOUT, TARGET_EVENT_OUT }, { POLLPRI, TARGET_EVENT_URGENT },
        { POLLERR, TARGET_EVENT_ERROR }, { POLLHUP, TARGET_EVENT_HANGUP },
#ifdef POLLRDHUP
        { POLLRDHUP, TARGET_EVENT_READ_HANGUP },
#endif
    };
    struct pollfd asked = { .fd = fd_of(s, handle), .events = SOCKETS_POLL_EVENTS };
    unsigned events = 0;
    if (asked.fd < 0 || poll(&asked, 1, 0) <= 0)
        return 0;
    for (size_t i = 0; i < sizeof EVENTS / sizeof *EVENTS; i++)
        if (asked.revents & EVENTS[i].kernel)
            events |= EVENTS[i].event;
    return events;
}

int64_t sockets_local_endpoint(struct sockets *s, int handle, struct pkt_endpoint *out)
{
    union socket_address address = { .any.sa_family = AF_INET };
    socklen_t len = sizeof address;
    if (getsockname(fd_of(s, handle), &address.any, &len) < 0)
        return error_result(errno);
    from_kernel(&address, out);
    return 0;
}

/* Channels to an upper tester over UDP: a connected socket each, and one epoll descriptor over all. */
#include "targets/agent/testability/net.h"
#include "engine/packet/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RECEIVE_BUFFER_BYTES = 4 << 20 };

struct udp {
    struct tpsp_net base; /* first: what the client sees */
    int epoll_fd;
    int refusing_fd;                      /* a TCP socket that is bound and does not listen: whoever connects to it is refused */
    int fds[TPSP_CHANNELS_MAX];           /* -1: not in use */
    uint32_t overflow[TPSP_CHANNELS_MAX]; /* as the kernel counts it for each */
    uint64_t dropped;
    struct sockaddr_storage peer;
    socklen_t peer_len;
};

static struct udp *self(struct tpsp_net *n)
{
    return (struct udp *)n;
}

static int64_t udp_now(struct tpsp_net *n)
{
    (void)n;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int connected_socket(const struct udp *u)
{
    static const int on = 1, bytes = RECEIVE_BUFFER_BYTES;
    int fd = socket(u->peer.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (connect(fd, (const struct sockaddr *)&u->peer, u->peer_len) == 0)
        return fd;
    int error = errno;
    close(fd);
    return -error;
}

static int udp_open(struct tpsp_net *n)
{
    struct udp *u = self(n);
    int channel = 0;
    while (channel < TPSP_CHANNELS_MAX && u->fds[channel] >= 0)
        channel++;
    if (channel == TPSP_CHANNELS_MAX)
        return -EMFILE;
    int fd = connected_socket(u);
    if (fd < 0)
        return fd;
    struct epoll_event watched = {.events = EPOLLIN, .data.u32 = (uint32_t)channel};
    if (epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, fd, &watched) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    u->fds[channel] = fd;
    u->overflow[channel] = 0;
    return channel;
}

static void udp_shut(struct tpsp_net *n, int channel)
{
    struct udp *u = self(n);
    if (u->fds[channel] >= 0)
        close(u->fds[channel]);
    u->fds[channel] = -1;
}

static int udp_send(struct tpsp_net *n, int channel, const uint8_t *bytes, size_t len)
{
    return send(self(n)->fds[channel], bytes, len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void note_overflow(struct udp *u, int channel, struct msghdr *message)
{
    uint32_t count;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&count, CMSG_DATA(c), sizeof count);
        u->dropped += count - u->overflow[channel];
        u->overflow[channel] = count;
    }
}

static ssize_t take(struct udp *u, int channel, uint8_t *out, size_t capacity)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(uint32_t))];
    } control;
    struct iovec room = {.iov_base = out, .iov_len = capacity};
    struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t len = recvmsg(u->fds[channel], &message, 0);
    if (len < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    note_overflow(u, channel, &message);
    return len;
}

static ssize_t udp_receive(struct tpsp_net *n, int *channel, uint8_t *out, size_t capacity, int64_t until_ns)
{
    struct udp *u = self(n);
    for (;;) {
        int64_t left_ns = until_ns ? until_ns - udp_now(n) : 0;
        struct timespec left = {.tv_sec = left_ns > 0 ? left_ns / 1000000000 : 0,
                                .tv_nsec = left_ns > 0 ? left_ns % 1000000000 : 0};
        struct epoll_event ready;
        int count = epoll_pwait2(u->epoll_fd, &ready, 1, &left, NULL);
        if (count < 0 && errno != EINTR)
            return -errno;
        if (count == 0)
            return 0;
        *channel = (int)ready.data.u32;
        ssize_t len = count > 0 ? take(u, *channel, out, capacity) : 0;
        if (len)
            return len;
    }
}

static uint64_t udp_dropped(struct tpsp_net *n)
{
    return self(n)->dropped;
}

static int udp_fd(struct tpsp_net *n)
{
    return self(n)->epoll_fd;
}

/* The address of ours that the upper tester is reached from, and a TCP port there that stays closed. */
static bool udp_refusing(struct tpsp_net *n, struct pkt_endpoint *out)
{
    struct udp *u = self(n);
    struct sockaddr_storage ours = {0};
    socklen_t len = sizeof ours;
    int fd = connected_socket(u);
    if (fd < 0)
        return false;
    bool known = getsockname(fd, (struct sockaddr *)&ours, &len) == 0;
    close(fd);
    if (!known)
        return false;
    if (u->refusing_fd < 0)
        u->refusing_fd = socket(ours.ss_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    if (u->refusing_fd < 0 || (bind(u->refusing_fd, (struct sockaddr *)&ours, len) != 0 && errno != EINVAL))
        return false;
    len = sizeof ours;
    return getsockname(u->refusing_fd, (struct sockaddr *)&ours, &len) == 0 && pkt_endpoint_of_socket(&ours, out);
}

static void udp_close(struct tpsp_net *n)
{
    struct udp *u = self(n);
    for (int i = 0; i < TPSP_CHANNELS_MAX; i++)
        udp_shut(n, i);
    if (u->refusing_fd >= 0)
        close(u->refusing_fd);
    close(u->epoll_fd);
    free(u);
}

static const struct tpsp_net_ops udp_ops = {
    .now_ns = udp_now,
    .open = udp_open,
    .shut = udp_shut,
    .send = udp_send,
    .receive = udp_receive,
    .dropped = udp_dropped,
    .fd = udp_fd,
    .refusing = udp_refusing,
    .close = udp_close,
};

static struct tpsp_net *fail(struct target_error *error, const char *host, const char *why)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "the upper tester at %.200s: %.200s", host, why);
    return NULL;
}

struct tpsp_net *tpsp_udp(const char *host, uint16_t port, struct target_error *error)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV}, *found;
    snprintf(service, sizeof service, "%u", port);
    int unknown = getaddrinfo(host, service, &hints, &found);
    if (unknown)
        return fail(error, host, gai_strerror(unknown));
    struct udp *u = malloc(sizeof *u);
    int epoll_fd = u ? epoll_create1(EPOLL_CLOEXEC) : -1;
    if (epoll_fd < 0) {
        free(u);
        freeaddrinfo(found);
        return fail(error, host, strerror(errno));
    }
    *u = (struct udp){.base.ops = &udp_ops, .epoll_fd = epoll_fd, .refusing_fd = -1, .peer_len = found->ai_addrlen};
    memset(u->fds, -1, sizeof u->fds);
    memcpy(&u->peer, found->ai_addr, found->ai_addrlen);
    snprintf(u->base.peer, sizeof u->base.peer, "%.255s port %u", host, port);
    freeaddrinfo(found);
    return &u->base;
}

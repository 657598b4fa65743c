/* The target "linux": opens, feeds and closes instances of the kernel's own TCP.
 *
 * Theory of operation. An instance is a fresh network namespace with lo and one TAP device in it:
 *
 *     tester, 198.51.100.1 …, 2001:db8:1::1 …   --TAP--   kernel, 192.0.2.2, 2001:db8::2
 *              behind the router 192.0.2.1, 2001:db8::1, 02:00:00:00:00:01
 *
 * The tester's addresses lie behind a router, so that two permanent neighbour entries and two routes do for all of them, and no
 * address resolution comes between a segment and the reaction to it. The kernel deals with a frame inside of the write() that hands
 * it over: protocol processing runs in the caller's context, the device has no queueing discipline, and what is emitted is in the
 * device's ring before write() returns. That is what TARGET_SYNCHRONOUS promises (shown by test/timing.c).
 *
 * fd() is an epoll descriptor over the device (level-triggered) and all sockets (edge-triggered, lest one that stays readable, or
 * hung up, keep the runner spinning). An edge is gone once it has been taken, and the runner may have asked that socket just before
 * it came. So a batch of edges that receive() takes keeps fd() readable for one more turn, by an eventfd.
 *
 * Closing. Sockets are aborted, orphans destroyed (a socket keeps its namespace alive), and namespace and device left to the kernel
 * to remove. However the process ends otherwise, its sockets are aborted too, and the device goes with its descriptor; the
 * namespace follows, at the latest when the kernel has given up on connections that the application had closed before (some two
 * minutes). */
#include "targets/linux/target_linux.h"
#include "targets/linux/settings.h"
#include "targets/sockets/diag.h"
#include "targets/sockets/sockets.h"
#include "targets/tap/ether.h"
#include "targets/tap/namespace.h"
#include "targets/tap/netlink.h"
#include "targets/tap/stamps.h"
#include "targets/tap/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    TESTER_ADDRESSES = 200,
    QUEUE_FRAMES = 8192,      /* a flood's worth of replies, waiting to be received */
    SOCKET_EVENTS_BATCH = 64, /* edges taken at a time */
    LATENCY_NS = 5000000,     /* a busy machine takes a few milliseconds to run the tester again */
};
enum { EPOLL_DATA_SOCKET = 1, EPOLL_DATA_DEVICE = 2, EPOLL_DATA_AGAIN = 3 };

static const struct pkt_addr IUT[] = { { 4, { 192, 0, 2, 2 } }, { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } } };
static const struct pkt_addr ROUTER[] = { { 4, { 192, 0, 2, 1 } }, { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } } };
static const struct pkt_addr TESTER[] = { { 4, { 198, 51, 100, 1 } }, { 6, { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 1 } } };
static const struct pkt_addr TESTER_PREFIX[] = { { 4, { 198, 51, 100, 0 } }, { 6, { 0x20, 0x01, 0x0d, 0xb8, 0, 1 } } };
static const uint8_t PREFIX_LEN[] = { 24, 64 };
static const struct eth_addr IUT_MAC = { { 2, 0, 0, 0, 0, 2 } }, TESTER_MAC = { { 2, 0, 0, 0, 0, 1 } };

struct linux_target {
    struct target base;      /* first: the runner's view */
    struct netns ns;
    struct tap tap;
    struct ether *ether;
    struct stamps *stamps;
    struct sockets *sockets;
    int diag_fd, epoll_fd;
    int again_fd;            /* eventfd: readable when edges were taken in the last turn */
    bool again;
    uint8_t frame[TAP_FRAME_MAX];
};

static struct linux_target *self(struct target *t)
{
    return (struct linux_target *)t;
}

static int64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* ---- the link -------------------------------------------------------------------------------------------------- */

static int linux_send(struct target *t, const uint8_t *bytes, size_t len)
{
    struct linux_target *l = self(t);
    ssize_t frame_len = ether_wrap(l->ether, bytes, len, monotonic_ns(), l->frame, sizeof l->frame);
    if (frame_len <= 0)
        return frame_len < 0 ? (int)frame_len : -EHOSTUNREACH;
    return tap_write(&l->tap, l->frame, (size_t)frame_len);
}

/* Takes the sockets' edges; fd() then stays readable for one more turn. */
static void take_edges(struct linux_target *l)
{
    struct epoll_event events[SOCKET_EVENTS_BATCH];
    int count = epoll_wait(l->epoll_fd, events, SOCKET_EVENTS_BATCH, 0);
    bool edges = false;
    for (int i = 0; i < count; i++)
        edges |= events[i].data.u64 == EPOLL_DATA_SOCKET;
    if (edges == l->again)
        return;
    uint64_t counter = 1;
    ssize_t done = edges ? write(l->again_fd, &counter, sizeof counter) : read(l->again_fd, &counter, sizeof counter);
    if (done == (ssize_t)sizeof counter)
        l->again = edges;
}

/* Answers ARP and neighbour solicitations. */
static void reply(struct linux_target *l)
{
    uint8_t frame[ETH_HEADER_LEN + 128];
    ssize_t len;
    while ((len = ether_next(l->ether, monotonic_ns(), frame, sizeof frame)) > 0)
        tap_write(&l->tap, frame, (size_t)len);
}

static ssize_t linux_receive(struct target *t, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct linux_target *l = self(t);
    for (;;) {
        ssize_t len = tap_read(&l->tap, l->frame, sizeof l->frame);
        if (len <= 0) {
            take_edges(l);
            return len;
        }
        int64_t now_ns = monotonic_ns();
        *at_ns = stamps_find(l->stamps, l->frame, (size_t)len, now_ns);
        const uint8_t *packet;
        size_t packet_len;
        if (!ether_unwrap(l->ether, l->frame, (size_t)len, &packet, &packet_len)) {
            reply(l);
            continue;
        }
        if (packet_len > capacity)
            return -EMSGSIZE;
        memcpy(out, packet, packet_len);
        return (ssize_t)packet_len;
    }
}

static int64_t linux_deadline(struct target *t)
{
    (void)t;
    return INT64_MAX;
}

static void linux_advance(struct target *t, int64_t now_ns)
{
    (void)t;
    (void)now_ns;
}

static int linux_fd(struct target *t)
{
    return self(t)->epoll_fd;
}

/* ---- the upper tester ------------------------------------------------------------------------------------------ */

static int64_t linux_socket(struct target *t, uint8_t ip_version)
{
    return sockets_socket(self(t)->sockets, ip_version);
}

static int64_t linux_bind(struct target *t, int handle, const struct pkt_endpoint *local)
{
    return sockets_bind(self(t)->sockets, handle, local);
}

static int64_t linux_listen(struct target *t, int handle, int backlog)
{
    return sockets_listen(self(t)->sockets, handle, backlog);
}

static int64_t linux_accept(struct target *t, int handle, struct pkt_endpoint *peer)
{
    return sockets_accept(self(t)->sockets, handle, peer);
}

static int64_t linux_connect(struct target *t, int handle, const struct pkt_endpoint *remote)
{
    return sockets_connect(self(t)->sockets, handle, remote);
}

static int64_t linux_send_data(struct target *t, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    return sockets_send(self(t)->sockets, handle, data, len, flags);
}

static int64_t linux_receive_data(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    return sockets_receive(self(t)->sockets, handle, out, len, flags);
}

static int64_t linux_shutdown(struct target *t, int handle, enum target_shutdown how)
{
    return sockets_shutdown(self(t)->sockets, handle, how);
}

static int64_t linux_close_handle(struct target *t, int handle)
{
    return sockets_close(self(t)->sockets, handle);
}

static int64_t linux_set_option(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    return sockets_set_option(self(t)->sockets, handle, name, values, count);
}

static int64_t linux_get_option(struct target *t, int handle, const char *name, int64_t *value)
{
    return sockets_get_option(self(t)->sockets, handle, name, value);
}

static int64_t linux_ioctl(struct target *t, int handle, const char *name, int64_t *value)
{
    return sockets_ioctl(self(t)->sockets, handle, name, value);
}

static unsigned linux_poll(struct target *t, int handle)
{
    return sockets_poll(self(t)->sockets, handle);
}

static int64_t linux_local_endpoint(struct target *t, int handle, struct pkt_endpoint *out)
{
    return sockets_local_endpoint(self(t)->sockets, handle, out);
}

static int64_t linux_status(struct target *t, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                            struct target_status *out)
{
    if (!(t->info.capabilities & TARGET_STATUS))
        return -EOPNOTSUPP;
    return diag_status(self(t)->diag_fd, local, remote, out);
}

/* ---- closing --------------------------------------------------------------------------------------------------- */

/* Orphans would keep the namespace alive. True when none is left. */
static bool destroy_orphans(struct linux_target *l)
{
    if (l->ns.inside < 0 || netns_enter(&l->ns) < 0)
        return false;
    bool none = diag_count() == 0 || (l->diag_fd >= 0 && diag_destroy_all(l->diag_fd) == 0);
    return netns_leave(&l->ns) == 0 && none;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void linux_close(struct target *t)
{
    struct linux_target *l = self(t);
    sockets_free(l->sockets);
    if (destroy_orphans(l))
        tap_close_with_namespace(&l->tap);
    else
        tap_close(&l->tap); /* which leaves orphans without a device: they soon give up */
    stamps_close(l->stamps);
    ether_free(l->ether);
    close_fd(l->diag_fd);
    close_fd(l->again_fd);
    close_fd(l->epoll_fd);
    netns_close(&l->ns);
    free(l);
}

static const struct target_ops LINUX_OPS = {
    .close = linux_close, .send = linux_send, .receive = linux_receive, .deadline = linux_deadline, .advance = linux_advance,
    .fd = linux_fd, .socket = linux_socket, .bind = linux_bind, .listen = linux_listen, .accept = linux_accept,
    .connect = linux_connect, .send_data = linux_send_data, .receive_data = linux_receive_data, .shutdown = linux_shutdown,
    .close_handle = linux_close_handle, .set_option = linux_set_option, .get_option = linux_get_option, .ioctl = linux_ioctl,
    .poll = linux_poll, .local_endpoint = linux_local_endpoint, .status = linux_status,
};

/* ---- opening --------------------------------------------------------------------------------------------------- */

static bool failed(struct target_error *error, const char *what, int status)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "%s failed in the namespace (%s): is the limit on open files or memory reached?", what,
             strerror(-status));
    return false;
}

/* Addresses, route and neighbour of one IP version (0: IPv4, 1: IPv6). */
static int configure_ip(int rtnl, const struct tap *tap, int version)
{
    int status = rtnl_add_address(rtnl, tap->ifindex, &IUT[version], PREFIX_LEN[version]);
    if (status == 0)
        status = rtnl_add_neighbour(rtnl, tap->ifindex, &ROUTER[version], &TESTER_MAC);
    if (status == 0)
        status = rtnl_add_route(rtnl, tap->ifindex, &TESTER_PREFIX[version], PREFIX_LEN[version], &ROUTER[version]);
    return status;
}

static int configure_link(int rtnl, const struct tap *tap, uint16_t mtu, bool ipv6)
{
    const struct rtnl_link change = { .ifindex = tap->ifindex, .up = true, .mtu = mtu, .queue_frames = QUEUE_FRAMES, .mac = &IUT_MAC };
    int status = rtnl_set_link(rtnl, &change);
    if (status == 0)
        status = rtnl_remove_queueing(rtnl, tap->ifindex);
    if (status == 0)
        status = configure_ip(rtnl, tap, 0);
    if (status == 0 && ipv6)
        status = configure_ip(rtnl, tap, 1);
    return status;
}

static bool make_link(struct linux_target *l, bool ipv6, struct target_error *error)
{
    int status = tap_open("iut0", &l->tap);
    if (status < 0) {
        tap_explain(status, error);
        return false;
    }
    int rtnl = rtnl_open();
    status = rtnl < 0 ? rtnl : configure_link(rtnl, &l->tap, l->base.info.mtu, ipv6);
    close_fd(rtnl);
    if (status == 0)
        status = netns_loopback_up();
    return status == 0 || failed(error, "setting up the link", status);
}

/* Everything that is opened inside of the namespace. */
static bool open_inside(struct linux_target *l, const struct target_config *config, struct target_error *error)
{
    struct target_info *info = &l->base.info;
    if (!settings_apply(config, &info->mtu, error))
        return false;
    bool ipv6 = settings_have_ipv6() && info->mtu >= TAP_MTU_IPV6_MIN;
    if (ipv6)
        info->capabilities |= TARGET_IPV6;
    settings_record(info);
    if (!make_link(l, ipv6, error))
        return false;
    int status = stamps_open(l->tap.ifindex, &l->stamps);
    if (status < 0)
        return failed(error, "opening a packet socket", status);
    l->diag_fd = diag_open();
    return l->diag_fd >= 0 || failed(error, "opening a diagnosis socket", l->diag_fd);
}

static bool watch(int epoll_fd, int fd, uint64_t source)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = source };
    return fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* ---- where its sockets are (struct sockets_place) */

static int enter(void *context)
{
    return netns_enter(&((struct linux_target *)context)->ns);
}

static int leave(void *context)
{
    return netns_leave(&((struct linux_target *)context)->ns);
}

static bool watch_socket(void *context, int fd, int handle)
{
    (void)handle;
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET, .data.u64 = EPOLL_DATA_SOCKET,
    };
    return epoll_ctl(((struct linux_target *)context)->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_outside(struct linux_target *l, struct target_error *error)
{
    struct ether_config config = { .mac = TESTER_MAC, .peer_known = true, .peer_mac = IUT_MAC, .broadcast = { 4, { 192, 0, 2, 255 } } };
    for (int version = 0; version < 2; version++) {
        config.ranges[config.range_count++] = (struct ether_range){ .first = TESTER[version], .count = TESTER_ADDRESSES };
        config.ranges[config.range_count++] = (struct ether_range){ .first = ROUTER[version], .count = 1 };
    }
    l->ether = ether_new(&config);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->again_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    bool watched = watch(l->epoll_fd, l->tap.fd, EPOLL_DATA_DEVICE) && watch(l->epoll_fd, l->again_fd, EPOLL_DATA_AGAIN);
    int status = -errno;
    const struct sockets_place place = { .enter = enter, .leave = leave, .watch = watch_socket, .context = l };
    l->sockets = sockets_new(&place);
    return (watched && l->ether && l->sockets) || failed(error, "opening an event queue", watched ? -ENOMEM : status);
}

/* Can the kernel tell states? It can when it finds a listener that is known to be there. */
static bool probe_status(struct linux_target *l)
{
    struct target *t = &l->base;
    int64_t handle = sockets_socket(l->sockets, 4);
    struct pkt_endpoint local = { .addr = t->info.iut[0] }, remote = { .port = 0 };
    struct target_status status;
    bool found = handle >= 0 && sockets_bind(l->sockets, (int)handle, &local) == 0
              && sockets_listen(l->sockets, (int)handle, 1) == 0 && sockets_local_endpoint(l->sockets, (int)handle, &local) == 0
              && diag_status(l->diag_fd, &local, &remote, &status) == 0 && status.state == TCP_STATE_LISTEN;
    if (handle >= 0)
        sockets_close(l->sockets, (int)handle);
    return found;
}

static void describe(struct target_info *info)
{
    *info = (struct target_info){
        .name = "linux",
        .capabilities = TARGET_SYNCHRONOUS | TARGET_UPPER_TESTER | TARGET_IPV4 | TARGET_ECHO | TARGET_MANY | TARGET_DISRUPTION,
        .iut = { IUT[0], IUT[1] }, .tester = { TESTER[0], TESTER[1] }, .tester_count = TESTER_ADDRESSES, .latency_ns = LATENCY_NS,
    };
}

static bool open_all(struct linux_target *l, const struct target_config *config, struct target_error *error)
{
    if (!netns_open(&l->ns, error))
        return false;
    int status = netns_enter(&l->ns);
    if (status < 0)
        return failed(error, "entering", status);
    bool opened = open_inside(l, config, error);
    status = netns_leave(&l->ns);
    if (status < 0)
        return failed(error, "leaving", status);
    if (!opened || !open_outside(l, error))
        return false;
    if (probe_status(l))
        l->base.info.capabilities |= TARGET_STATUS;
    return true;
}

static bool refuse_argument(const char *argument, struct target_error *error)
{
    if (!argument || !*argument)
        return false;
    error->kind = TARGET_ERR_USAGE;
    snprintf(error->text, sizeof error->text, "target linux takes no argument, found \"%.64s\": write just \"linux\"", argument);
    return true;
}

static struct target *linux_open(const char *argument, const struct target_config *config, struct target_error *error)
{
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    if (refuse_argument(argument, error))
        return NULL;
    struct linux_target *l = malloc(sizeof *l);
    if (!l) {
        failed(error, "allocating memory", -ENOMEM);
        return NULL;
    }
    *l = (struct linux_target){
        .base.ops = &LINUX_OPS, .ns = { .inside = -1, .home = -1 }, .tap.fd = -1, .diag_fd = -1, .epoll_fd = -1, .again_fd = -1,
    };
    describe(&l->base.info);
    if (open_all(l, config, error))
        return &l->base;
    linux_close(&l->base);
    return NULL;
}

static bool attempt_opening(struct target_error *error)
{
    const struct target_config config = { 0 };
    return linux_open("", &config, error) != NULL;
}

static bool linux_preflight(const char *argument, struct target_error *error)
{
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    return !refuse_argument(argument, error) && netns_try(attempt_opening, error);
}

const struct target_driver linux_driver = {
    .name = "linux",
    .argument = NULL,
    .summary = "this machine's kernel, in a network namespace of its own, over TAP",
    .many = true,
    .virtual_time = false,
    .preflight = linux_preflight,
    .open = linux_open,
};

/* A wire on an interface of this machine: a packet socket (packet(7)) that puts frames on it and is given all that come in by it.
 *
 * Theory of operation. Outgoing frames are not shown (PACKET_IGNORE_OUTGOING), so the tester sees neither its own nor the kernel's.
 * The interface is made promiscuous for as long as the socket is open, for the tester has a MAC address of its own.
 *
 * What a wire would have shown. Between two kernels on one machine (veth, bridges) frames come with checksums that no card has
 * completed, and, of bulk data, as super-frames of up to 64 KiB. PACKET_VNET_HDR tells of both; checksums are completed and
 * super-frames cut here (offload.h). Nothing is set on the interface, so there is nothing to restore.
 *
 * Times are the kernel's, of when the frame came in. One recvmsg() a frame: about a microsecond, which a ring would halve; see
 * bench/wire.c. */
#include "targets/tap/wire_packet.h"
#include "targets/tap/clock.h"
#include "targets/tap/offload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 32 << 20 }; /* a flood's worth of replies, waiting to be received */

struct packet_wire {
    struct wire base;               /* first: the station's view */
    char interface[IFNAMSIZ];
    int fd;
    size_t link_len;                /* octets before the IP header */
    uint64_t lost;
    size_t super_len;               /* octets of a super-frame in frame[] that is being cut; 0: none */
    size_t segment_bytes;
    unsigned segment, segments;     /* the next one, and how many */
    int64_t super_at_ns;
    uint8_t frame[WIRE_FRAME_MAX];
};

static struct packet_wire *self(struct wire *w)
{
    return (struct packet_wire *)w;
}

/* ---- interfaces ------------------------------------------------------------------------------------------------ */

static int ask(int fd, const char *name, unsigned long what, struct ifreq *out)
{
    *out = (struct ifreq){ 0 };
    if (snprintf(out->ifr_name, sizeof out->ifr_name, "%s", name) >= (int)sizeof out->ifr_name)
        return -ENAMETOOLONG;
    return ioctl(fd, what, out) < 0 ? -errno : 0;
}

static void ask_driver(int fd, const char *name, struct wire_interface *out)
{
    struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
    struct ifreq request = { .ifr_data = (void *)&info };
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(fd, SIOCETHTOOL, &request) < 0 || strcmp(info.driver, "tun") != 0)
        return;
    out->is_tap = strcmp(info.bus_info, "tap") == 0;
    out->is_tun = !out->is_tap;
}

int wire_interface(const char *name, struct wire_interface *out)
{
    struct ifreq answer;
    *out = (struct wire_interface){ 0 };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int status = ask(fd, name, SIOCGIFINDEX, &answer);
    if (status == 0)
        out->index = (unsigned)answer.ifr_ifindex;
    if (status == 0 && (status = ask(fd, name, SIOCGIFFLAGS, &answer)) == 0)
        out->up = answer.ifr_flags & IFF_UP;
    if (status == 0 && (status = ask(fd, name, SIOCGIFMTU, &answer)) == 0)
        out->mtu = (uint16_t)(answer.ifr_mtu < UINT16_MAX ? answer.ifr_mtu : UINT16_MAX);
    if (status == 0 && (status = ask(fd, name, SIOCGIFHWADDR, &answer)) == 0) {
        out->is_ethernet = answer.ifr_hwaddr.sa_family == ARPHRD_ETHER;
        out->raw_ip = answer.ifr_hwaddr.sa_family == ARPHRD_NONE;
        ask_driver(fd, name, out);
    }
    close(fd);
    return status == -ENODEV ? 0 : status;
}

/* ---- frames out ------------------------------------------------------------------------------------------------ */

/* What says that the interface is gone, and not just this frame. */
static bool is_gone(int error)
{
    return error == ENETDOWN || error == ENXIO || error == ENODEV || error == EBADF;
}

static int packet_send(struct wire *w, const uint8_t *bytes, size_t len)
{
    struct packet_wire *p = self(w);
    struct virtio_net_hdr plain = { 0 };
    struct iovec parts[] = { { &plain, sizeof plain }, { (void *)(uintptr_t)bytes, len } };
    const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    if (sendmsg(p->fd, &message, MSG_DONTWAIT) >= 0)
        return 0;
    if (is_gone(errno))
        return -ENETDOWN;
    if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE)
        return -errno;
    p->lost++; /* EINVAL: shorter than an Ethernet header … */
    return 0;
}

/* ---- frames in ------------------------------------------------------------------------------------------------- */

static int64_t stamp_of(struct msghdr *message)
{
    struct timespec stamp = { 0 };
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
            memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    if (stamp.tv_sec == 0)
        return clock_monotonic_ns();
    int64_t now_ns = clock_monotonic_ns(), at_ns = clock_of_realtime(stamp.tv_sec * INT64_C(1000000000) + stamp.tv_nsec);
    return at_ns < now_ns ? at_ns : now_ns;
}

/* The next segment of the super-frame. */
static ssize_t next_segment(struct packet_wire *p, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    ssize_t len = offload_segment(p->frame, p->super_len, p->link_len, p->segment_bytes, p->segment, out, capacity);
    if (++p->segment == p->segments || len < 0)
        p->super_len = 0;
    *at_ns = p->super_at_ns;
    if (len < 0)
        p->lost++;
    return len < 0 ? 0 : len;
}

/* Notes a super-frame; false when the frame is none, and as it would be on a wire. */
static bool is_super(struct packet_wire *p, const struct virtio_net_hdr *header, size_t len)
{
    uint8_t type = header->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
    if (type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6)
        return false;
    p->segments = offload_segments(p->frame, len, p->link_len, header->gso_size);
    p->segment = 0;
    p->segment_bytes = header->gso_size;
    p->super_len = p->segments > 1 ? len : 0;
    return p->segments > 1;
}

/* One frame into p->frame: its length, 0 for none now, or -errno. */
static ssize_t read_frame(struct packet_wire *p, struct virtio_net_hdr *header, int64_t *at_ns)
{
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec parts[] = { { header, sizeof *header }, { p->frame, sizeof p->frame } };
    for (;;) {
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control };
        ssize_t len = recvmsg(p->fd, &message, MSG_DONTWAIT);
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (len < 0 && is_gone(errno))
            return -ENETDOWN;
        if (len <= (ssize_t)sizeof *header || (message.msg_flags & MSG_TRUNC)) {
            p->lost++; /* a super-frame of a kind that cannot be told */
            continue;
        }
        *at_ns = stamp_of(&message);
        return len - (ssize_t)sizeof *header;
    }
}

static ssize_t packet_receive(struct wire *w, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct packet_wire *p = self(w);
    struct virtio_net_hdr header;
    if (p->super_len)
        return next_segment(p, out, capacity, at_ns);
    ssize_t len = read_frame(p, &header, at_ns);
    if (len <= 0)
        return len;
    if (is_super(p, &header, (size_t)len)) {
        p->super_at_ns = *at_ns;
        return next_segment(p, out, capacity, at_ns);
    }
    if (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
        offload_complete(p->frame, (size_t)len, header.csum_start, header.csum_offset);
    if ((size_t)len > capacity)
        return -EMSGSIZE;
    memcpy(out, p->frame, (size_t)len);
    return len;
}

static int packet_fd(struct wire *w)
{
    return self(w)->fd;
}

static uint64_t packet_lost(struct wire *w)
{
    struct packet_wire *p = self(w);
    struct tpacket_stats since;
    socklen_t len = sizeof since;
    if (getsockopt(p->fd, SOL_PACKET, PACKET_STATISTICS, &since, &len) == 0)
        p->lost += since.tp_drops;
    return p->lost;
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static int configure(int fd, unsigned ifindex)
{
    const struct sockaddr_ll device = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)ifindex };
    const struct packet_mreq promiscuous = { .mr_ifindex = (int)ifindex, .mr_type = PACKET_MR_PROMISC };
    const int on = 1, bytes = BUFFER_BYTES;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0) /* past the machine's limit: as root only */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0
        || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0
        || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0
        || setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) < 0
        || bind(fd, (const struct sockaddr *)&device, sizeof device) < 0)
        return -errno;
    return 0;
}

static bool fail(struct target_error *error, const char *interface, const char *why)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "interface %.32s: %.300s", interface, why);
    return false;
}

static bool open_socket(struct packet_wire *p, struct target_error *error)
{
    struct wire_interface interface;
    int status = wire_interface(p->interface, &interface);
    if (status < 0)
        return fail(error, p->interface, strerror(-status));
    if (interface.index == 0)
        return fail(error, p->interface, "there is none of that name; `ip link` lists what there is");
    if (!interface.up)
        return fail(error, p->interface, "it is down; `ip link set NAME up` brings it up");
    if (!interface.is_ethernet && !interface.raw_ip)
        return fail(error, p->interface, "it carries neither Ethernet frames nor plain IP packets");
    p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    status = p->fd < 0 ? -errno : configure(p->fd, interface.index);
    if (status == -EPERM)
        return fail(error, p->interface, "a packet socket needs CAP_NET_RAW: run it as root, or with setpriv or setcap");
    if (status < 0)
        return fail(error, p->interface, strerror(-status));
    p->link_len = interface.raw_ip ? 0 : ETH_HEADER_LEN;
    p->base.raw_ip = interface.raw_ip;
    p->base.shared = !interface.is_tap && !interface.is_tun;
    p->base.mtu = interface.mtu;
    snprintf(p->base.description, sizeof p->base.description, "interface %s (packet socket)", p->interface);
    return true;
}

static void close_socket(struct packet_wire *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

static void packet_close(struct wire *w)
{
    close_socket(self(w));
    free(w);
}

static bool packet_recover(struct wire *w, struct target_error *error)
{
    struct packet_wire *p = self(w);
    packet_lost(w);
    close_socket(p);
    p->super_len = 0;
    return open_socket(p, error);
}

static const struct wire_ops PACKET_OPS = {
    .close = packet_close, .send = packet_send, .receive = packet_receive, .fd = packet_fd, .lost = packet_lost, .recover = packet_recover,
};

struct wire *wire_open_packet(const char *interface, struct target_error *error)
{
    struct packet_wire *p = calloc(1, sizeof *p);
    if (!p) {
        fail(error, interface, "out of memory");
        return NULL;
    }
    p->base.ops = &PACKET_OPS;
    p->fd = -1;
    if (snprintf(p->interface, sizeof p->interface, "%s", interface) >= (int)sizeof p->interface)
        fail(error, interface, "a name has 15 characters at the most");
    else if (open_socket(p, error))
        return &p->base;
    packet_close(&p->base);
    return NULL;
}

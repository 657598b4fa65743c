/* Injects with libnet and captures with libpcap.
 *
 * Theory of operation. libnet's link-layer injection writes whole frames to a packet socket. libnet binds that socket to nothing,
 * so that the kernel would also queue every frame of the machine in it; a filter that takes nothing prevents that. libpcap's ring
 * is shared with the kernel: a frame costs no system call but when the ring is found empty. Immediate mode (TPACKET_V2) gives each
 * frame a slot of the snap length, which is therefore that of the interface's longest frame.
 *
 * What is on the wire. A capture sees frames after the receiving card, or the kernel in its place, has put segments together (GRO,
 * LRO): this is switched off while the wire is open, and on again by the watcher. A virtual device's frames have not been on any
 * wire: segments may be without checksum, which is completed here, and longer than the link's MTU, which on a veth device an XDP
 * program prevents. A frame that is longer all the same counts as lost, for it shows nothing of what the IUT would have sent.
 *
 * Lost. The ring's and the interface's drops, frames that could not be sent, frames that were too long: whatever passes meanwhile
 * proves nothing against the IUT.
 *
 * Gone. An interface may go down, and come back, even as another of the same name. Until it does, what is sent is lost, nothing
 * arrives, and every REOPEN_NS the handles are opened anew; after NET_WIRE_PATIENCE_NS the wire is gone for good. */
#include "targets/remote/net_wire.h"
#include "targets/remote/bpf.h"
#include "targets/remote/filter.h"
#include "targets/remote/card.h"
#include "targets/remote/route.h"
#include "targets/tap/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <libnet.h>
#include <linux/filter.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    VLAN_TAG_LEN = 4,
    RING_BYTES = 16 << 20,     /* some 8000 frames of 1500 octets: a sixth of a second at 50,000 a second */
    SEND_QUEUE_BYTES = 4 << 20,
    SEND_PATIENCE_MS = 20,     /* for room in the queue */
};
#define REOPEN_NS INT64_C(100000000)
#define CARRIER_PATIENCE_NS INT64_C(1500000000) /* the kernel tells of carriers once a second */

struct net_wire {
    struct wire base;          /* first: the station's view */
    char interface[IFNAMSIZ];
    char filter[FILTER_TEXT_MAX];
    struct watcher *watcher;
    libnet_t *libnet;          /* both NULL while the interface is gone */
    pcap_t *pcap;
    int pass_fd;               /* XDP program on a veth device, -1 for none */
    int epoll_fd;
    bool completes_checksums;
    bool no_carrier;           /* was why the handles could not be opened */
    unsigned ifindex;
    uint32_t carrier_changes;  /* when the handles were opened, or last looked at */
    size_t frame_max;          /* that the link carries */
    uint64_t lost;             /* beside what the present capture … */
    uint64_t dropped;          /* … has dropped, as last read */
    int64_t last_ns;           /* the last stamp told; none is earlier */
    int64_t gone_ns;           /* since when the interface is gone; 0: it is there */
    int64_t retry_ns;          /* when it is looked for next */
};

static struct net_wire *self(struct wire *w)
{
    return (struct net_wire *)w;
}

static bool unavailable(struct target_error *error)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    return false;
}

/* ---- opening the handles --------------------------------------------------------------------------------------- */

static bool explain_privilege(struct target_error *error)
{
    snprintf(error->text, sizeof error->text,
             "raw packets need root, or the capabilities CAP_NET_RAW and CAP_NET_ADMIN: run it with sudo, or grant "
             "them once with: setcap cap_net_raw,cap_net_admin=ep \"$(command -v tcpassay)\"");
    return unavailable(error);
}

static bool explain_pcap(struct net_wire *w, pcap_t *pcap, int status, struct target_error *error)
{
    if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED)
        return explain_privilege(error);
    if (status == PCAP_ERROR_IFACE_NOT_UP)
        snprintf(error->text, sizeof error->text, "interface %s is down: switch it on with: ip link set %s up", w->interface,
                 w->interface);
    else if (status == PCAP_ERROR_NO_SUCH_DEVICE)
        snprintf(error->text, sizeof error->text, "there is no interface %s: \"ip -brief link\" lists those there are",
                 w->interface);
    else
        snprintf(error->text, sizeof error->text, "capturing on %s failed: %.300s", w->interface, pcap_geterr(pcap));
    return unavailable(error);
}

static bool set_filter(struct net_wire *w, pcap_t *pcap)
{
    struct bpf_program program;
    if (pcap_compile(pcap, &program, w->filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return false;
    int status = pcap_setfilter(pcap, &program);
    pcap_freecode(&program);
    return status == 0;
}

static bool open_capture(struct net_wire *w, struct target_error *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(w->interface, reason);
    if (!pcap) {
        snprintf(error->text, sizeof error->text, "capturing on %s failed: %s", w->interface, reason);
        return unavailable(error);
    }
    pcap_set_snaplen(pcap, (int)w->frame_max);
    pcap_set_promisc(pcap, 1); /* a card would not let the tester's own MAC address in otherwise */
    pcap_set_immediate_mode(pcap, 1);
    pcap_set_buffer_size(pcap, RING_BYTES);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    int status = pcap_activate(pcap);
    bool opened = status >= 0 || explain_pcap(w, pcap, status, error);
    if (opened && pcap_datalink(pcap) != DLT_EN10MB) {
        snprintf(error->text, sizeof error->text, "interface %s is no Ethernet: name another one with interface=NAME",
                 w->interface);
        opened = unavailable(error);
    }
    if (opened && (!set_filter(w, pcap) || pcap_setnonblock(pcap, 1, reason) < 0)) {
        snprintf(error->text, sizeof error->text, "capturing on %s failed: %.300s", w->interface, pcap_geterr(pcap));
        opened = unavailable(error);
    }
    struct epoll_event event = { .events = EPOLLIN };
    if (opened && epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, pcap_get_selectable_fd(pcap), &event) < 0) {
        snprintf(error->text, sizeof error->text, "waiting for frames on %s failed: %s", w->interface, strerror(errno));
        opened = unavailable(error);
    }
    if (!opened) {
        pcap_close(pcap);
        return false;
    }
    w->pcap = pcap;
    w->dropped = 0;
    return true;
}

/* libnet's socket is for sending: nothing is to be queued in it, and nobody to be kept waiting by it. */
static bool tame(libnet_t *libnet)
{
    struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
    const struct sock_fprog program = { .len = 1, .filter = nothing };
    const int bytes = SEND_QUEUE_BYTES;
    int fd = libnet_getfd(libnet);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0) /* past the machine's limit: as root only */
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    int flags = fcntl(fd, F_GETFL);
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 && flags >= 0
        && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool open_injection(struct net_wire *w, struct target_error *error)
{
    char reason[LIBNET_ERRBUF_SIZE] = "";
    w->libnet = libnet_init(LIBNET_LINK_ADV, w->interface, reason);
    if (w->libnet && tame(w->libnet))
        return true;
    if (w->libnet)
        libnet_destroy(w->libnet);
    w->libnet = NULL;
    snprintf(error->text, sizeof error->text, "injecting on %s failed: %.300s", w->interface, *reason ? reason : strerror(errno));
    return unavailable(error);
}

static void close_handles(struct net_wire *w)
{
    if (w->pcap)
        pcap_close(w->pcap);
    if (w->libnet)
        libnet_destroy(w->libnet);
    if (w->pass_fd >= 0)
        close(w->pass_fd);
    w->pcap = NULL;
    w->libnet = NULL;
    w->pass_fd = -1;
}

/* Has the interface hand up frames as they were on the wire. What cannot be switched off is left on: long frames then count as
 * lost. */
static void calm_interface(struct net_wire *w, unsigned ifindex)
{
    char driver[32];
    struct deed deed;
    memset(&deed, 0, sizeof deed); /* deeds are compared as octets */
    deed.kind = DEED_OFFLOADS_OFF;
    unsigned before = 0, now = 0;
    card_offloads(w->interface, &before);
    card_driver(w->interface, driver);
    w->completes_checksums = card_leaves_checksums(driver);
    if (strcmp(driver, "veth") == 0)
        w->pass_fd = bpf_hold_pass(ifindex);
    card_offloads(w->interface, &now); /* an XDP program switches GRO on */
    deed.offloads = before;
    memcpy(deed.interface, w->interface, sizeof deed.interface);
    if (now && (!before || watcher_tell(w->watcher, &deed)))
        card_switch(w->interface, now, false);
}

static bool check_link(struct net_wire *w, unsigned *ifindex, struct link *link, struct target_error *error)
{
    *ifindex = if_nametoindex(w->interface);
    w->no_carrier = false;
    if (!*ifindex || link_read(*ifindex, link) < 0)
        snprintf(error->text, sizeof error->text, "there is no interface %s: \"ip -brief link\" lists those there are",
                 w->interface);
    else if (!link->up)
        snprintf(error->text, sizeof error->text, "interface %s is down: switch it on with: ip link set %s up", w->interface,
                 w->interface);
    else if ((w->no_carrier = !link->running))
        snprintf(error->text, sizeof error->text, "interface %s has no carrier: is a cable missing, or the other end switched off?", w->interface);
    else if (!link->ethernet)
        snprintf(error->text, sizeof error->text, "interface %s is no Ethernet: name another one with interface=NAME",
                 w->interface);
    else
        return true;
    return unavailable(error);
}

static bool open_handles(struct net_wire *w, struct target_error *error)
{
    struct link link;
    unsigned ifindex;
    if (!check_link(w, &ifindex, &link, error))
        return false;
    w->base.mtu = link.mtu;
    w->frame_max = (size_t)link.mtu + ETH_HEADER_LEN + VLAN_TAG_LEN;
    calm_interface(w, ifindex);
    w->ifindex = ifindex;
    if (open_capture(w, error) && open_injection(w, error) && check_link(w, &ifindex, &link, error)) {
        w->carrier_changes = link.carrier_changes;
        return true;
    }
    close_handles(w);
    return false;
}

/* An interface that has just been switched on takes a moment to find its other end. */
static bool open_patiently(struct net_wire *w, struct target_error *error)
{
    static const struct timespec pause = { .tv_nsec = REOPEN_NS };
    int64_t until_ns = clock_monotonic_ns() + CARRIER_PATIENCE_NS;
    while (!open_handles(w, error)) {
        if (!w->no_carrier || clock_monotonic_ns() > until_ns)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

/* ---- an interface that goes and comes back --------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void note(struct net_wire *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(w->base.ailment, sizeof w->base.ailment, format, arguments);
    va_end(arguments);
}

static void read_drops(struct net_wire *w)
{
    struct pcap_stat stat;
    if (!w->pcap || pcap_stats(w->pcap, &stat) < 0)
        return;
    uint64_t dropped = (uint64_t)stat.ps_drop + stat.ps_ifdrop;
    if (dropped > w->dropped)
        note(w, "the capture on %s dropped %u frames, and the interface %u", w->interface, stat.ps_drop, stat.ps_ifdrop);
    w->dropped = dropped;
}

/* libpcap does not tell of a link that was gone for a moment, and nobody knows what was lost then. */
static void read_carrier(struct net_wire *w)
{
    struct link link;
    if (!w->pcap || link_read(w->ifindex, &link) < 0 || link.carrier_changes == w->carrier_changes)
        return;
    w->carrier_changes = link.carrier_changes;
    w->lost++;
    note(w, "the link of interface %s went down%s", w->interface, link.running ? ", and came back" : "");
}

static void lose_interface(struct net_wire *w, const char *why)
{
    read_drops(w);
    w->lost += w->dropped + 1;
    w->dropped = 0;
    close_handles(w);
    w->gone_ns = clock_monotonic_ns();
    w->retry_ns = w->gone_ns + REOPEN_NS;
    note(w, "the link is gone: %s", why);
}

/* 0 when the interface is there (again), -EAGAIN while it is gone, -ENETDOWN when that is for good. */
static int be_there(struct net_wire *w)
{
    if (!w->gone_ns)
        return 0;
    int64_t now_ns = clock_monotonic_ns();
    if (now_ns - w->gone_ns > NET_WIRE_PATIENCE_NS)
        return -ENETDOWN;
    if (now_ns < w->retry_ns)
        return -EAGAIN;
    struct target_error error;
    w->retry_ns = now_ns + REOPEN_NS;
    if (!open_handles(w, &error)) {
        note(w, "%.*s", (int)sizeof w->base.ailment - 1, error.text);
        return -EAGAIN;
    }
    w->gone_ns = 0;
    return 0;
}

/* ---- the wire -------------------------------------------------------------------------------------------------- */

static void net_wire_close(struct wire *base)
{
    struct net_wire *w = self(base);
    close_handles(w);
    if (w->epoll_fd >= 0)
        close(w->epoll_fd);
    free(w);
}

/* 0 or a negative errno value. */
static int inject(struct net_wire *w, const uint8_t *bytes, size_t len)
{
    if (libnet_write_link(w->libnet, bytes, (uint32_t)len) == (int)len)
        return 0;
    if (errno != EAGAIN)
        return -errno;
    struct pollfd room = { .fd = libnet_getfd(w->libnet), .events = POLLOUT };
    if (poll(&room, 1, SEND_PATIENCE_MS) == 1 && libnet_write_link(w->libnet, bytes, (uint32_t)len) == (int)len)
        return 0;
    return -errno;
}

static int net_wire_send(struct wire *base, const uint8_t *bytes, size_t len)
{
    struct net_wire *w = self(base);
    int status = be_there(w);
    if (status == -EAGAIN)
        w->lost++;
    if (status < 0)
        return status == -EAGAIN ? 0 : status;
    status = inject(w, bytes, len);
    if (status == 0)
        return 0;
    if (status == -ENETDOWN || status == -ENODEV || status == -ENXIO) {
        char why[64];
        snprintf(why, sizeof why, "interface %s: %s", w->interface, strerror(-status));
        lose_interface(w, why);
    } else if (status == -EMSGSIZE) {
        note(w, "a frame of %zu octets is too long for %s (MTU %u), and was not sent", len, w->interface, w->base.mtu);
    } else {
        note(w, "a frame could not be sent on %s: %s", w->interface, strerror(-status));
    }
    w->lost++;
    return 0;
}

static int64_t time_of(struct net_wire *w, const struct pcap_pkthdr *header)
{
    int64_t at_ns = clock_of_realtime(header->ts.tv_sec * INT64_C(1000000000) + header->ts.tv_usec); /* nanoseconds, as we asked for */
    if (at_ns > w->last_ns)
        w->last_ns = at_ns;
    return w->last_ns;
}

static ssize_t take(struct net_wire *w, const struct pcap_pkthdr *header, const u_char *bytes, uint8_t *out, size_t capacity)
{
    if (header->caplen < header->len || header->len > capacity) {
        w->lost++;
        note(
            w,
            "a frame of %u octets arrived, longer than the MTU of %s allows: switch segmentation off at its sender (ethtool -K … tso off gso off)",
             header->len, w->interface);
        return 0;
    }
    memcpy(out, bytes, header->len);
    if (w->completes_checksums && header->len > ETH_HEADER_LEN)
        card_complete_checksum(out + ETH_HEADER_LEN, header->len - ETH_HEADER_LEN);
    return (ssize_t)header->len;
}

static ssize_t net_wire_receive(struct wire *base, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct net_wire *w = self(base);
    int status = be_there(w);
    if (status < 0)
        return status == -EAGAIN ? 0 : status;
    struct pcap_pkthdr *header;
    const u_char *bytes;
    while ((status = pcap_next_ex(w->pcap, &header, &bytes)) == 1) {
        ssize_t len = take(w, header, bytes, out, capacity);
        if (len == 0)
            continue;
        *at_ns = time_of(w, header);
        return len;
    }
    if (status < 0) {
        char why[PCAP_ERRBUF_SIZE];
        snprintf(why, sizeof why, "interface %s: %s", w->interface, pcap_geterr(w->pcap));
        lose_interface(w, why);
    }
    return 0;
}

static int net_wire_fd(struct wire *base)
{
    return self(base)->epoll_fd;
}

static uint64_t net_wire_lost(struct wire *base)
{
    struct net_wire *w = self(base);
    read_drops(w);
    read_carrier(w);
    return w->lost + w->dropped;
}

static bool net_wire_recover(struct wire *base, struct target_error *error)
{
    struct net_wire *w = self(base);
    struct link link;
    unsigned ifindex;
    if (!w->gone_ns && check_link(w, &ifindex, &link, error) && ifindex == w->ifindex)
        return true;
    if (!w->gone_ns)
        lose_interface(w, "it went down");
    if (!open_patiently(w, error))
        return false;
    w->gone_ns = 0;
    return true;
}

static const struct wire_ops NET_WIRE_OPS = {
    .close = net_wire_close, .send = net_wire_send, .receive = net_wire_receive, .fd = net_wire_fd, .lost = net_wire_lost,
    .recover = net_wire_recover,
};

struct wire *net_wire_open(const struct net_wire_config *config, struct target_error *error)
{
    struct net_wire *w = malloc(sizeof *w);
    if (!w) {
        snprintf(error->text, sizeof error->text, "out of memory");
        unavailable(error);
        return NULL;
    }
    *w = (struct net_wire){
        .base = { .ops = &NET_WIRE_OPS, .shared = true }, .watcher = config->watcher, .pass_fd = -1, .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
    };
    snprintf(w->interface, sizeof w->interface, "%s", config->interface);
    snprintf(w->filter, sizeof w->filter, "%s", config->filter);
    if (!open_patiently(w, error)) {
        net_wire_close(&w->base);
        return NULL;
    }
    const char *version = pcap_lib_version(); /* "libpcap version 1.10.3 (with TPACKET_V3)" */
    version += strcspn(version, "0123456789");
    snprintf(w->base.description, sizeof w->base.description, "interface %s (libnet " LIBNET_VERSION ", libpcap %.*s)",
             w->interface, (int)strcspn(version, " "), version);
    return &w->base;
}

bool net_wire_preflight(struct target_error *error)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return explain_privilege(error);
    close(fd);
    return true;
}

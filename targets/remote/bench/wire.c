/* How many segments a second the wire sends and captures on a veth pair, beside bare loops of libnet, libpcap and sendto on the
 * same pair. Prints numbers and ratios; fails when a segment is dropped, or when the wire is slower than 50,000 segments a second.
 */
#include "targets/remote/filter.h"
#include "targets/remote/net_wire.h"
#include "targets/remote/test/veth.h"
#include "targets/tap/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnet.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEGMENTS = 200000, PACE_BATCH = 16, FRAME_LEN = 74 + 256, PATIENCE_MS = 500 };
#define RATE_MIN 50000.0

static const struct eth_addr TESTER_MAC = { { 2, 0, 0, 0, 0, 9 } }, HOST_MAC = { { 2, 0, 0, 0, 0, 2 } };
static const struct pkt_addr TESTER = { 4, { 192, 0, 2, 100 } }, HOST = { 4, { 192, 0, 2, 2 } };

struct bench {
    uint8_t to_host[FRAME_LEN], to_tester[FRAME_LEN];
    char filter[FILTER_TEXT_MAX];
    struct watcher *watcher;
};

_Noreturn static void give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static double seconds_since(int64_t start_ns)
{
    return (double)(clock_monotonic_ns() - start_ns) / 1e9;
}

static void make_frame(bool to_host, uint8_t out[static FRAME_LEN])
{
    static const uint8_t data[256];
    uint8_t packet[FRAME_LEN];
    struct pkt_builder *builder = pkt_builder_new();
    const struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = to_host ? TESTER : HOST, .dst = to_host ? HOST : TESTER, .src_port = 20000, .dst_port = 20001,
        .flags = PKT_ACK, .window = 65535, .payload = data, .payload_len = FRAME_LEN - ETH_HEADER_LEN - 40,
    };
    ssize_t len = pkt_build(builder, &spec, packet, sizeof packet);
    const struct eth_frame frame = {
        .dst = to_host ? HOST_MAC : TESTER_MAC, .src = to_host ? TESTER_MAC : HOST_MAC, .type = ETH_TYPE_IPV4, .payload = packet,
        .payload_len = (size_t)len,
    };
    if (len != FRAME_LEN - ETH_HEADER_LEN || eth_build(&frame, out, FRAME_LEN) != FRAME_LEN)
        give_up("building a frame");
    pkt_builder_free(builder);
}

/* ---- injection ------------------------------------------------------------------------------------------------- */

static struct wire *open_wire(const struct bench *b)
{
    struct target_error error;
    struct net_wire_config config = { .interface = VETH_NEAR, .filter = b->filter, .watcher = b->watcher };
    struct wire *wire = net_wire_open(&config, &error);
    if (!wire) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return wire;
}

static double inject_by_wire(const struct bench *b)
{
    struct wire *wire = open_wire(b);
    int64_t start_ns = clock_monotonic_ns();
    for (int i = 0; i < SEGMENTS; i++)
        if (wire->ops->send(wire, b->to_host, FRAME_LEN) < 0)
            give_up("sending on the wire");
    double rate = SEGMENTS / seconds_since(start_ns);
    if (wire->ops->lost(wire)) {
        fprintf(stderr, "injection lost %llu: %s\n", (unsigned long long)wire->ops->lost(wire), wire->ailment);
        exit(1);
    }
    wire->ops->close(wire);
    return rate;
}

static double inject_by_libnet(const struct bench *b)
{
    char reason[LIBNET_ERRBUF_SIZE];
    libnet_t *libnet = libnet_init(LIBNET_LINK_ADV, VETH_NEAR, reason);
    if (!libnet)
        give_up(reason);
    int64_t start_ns = clock_monotonic_ns();
    for (int i = 0; i < SEGMENTS; i++)
        if (libnet_write_link(libnet, b->to_host, FRAME_LEN) != FRAME_LEN)
            give_up("libnet");
    double rate = SEGMENTS / seconds_since(start_ns);
    libnet_destroy(libnet);
    return rate;
}

static int open_packet_socket(const char *interface)
{
    const struct sockaddr_ll device = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface) };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&device, sizeof device) < 0)
        give_up("packet socket");
    return fd;
}

static double inject_by_send(const struct bench *b)
{
    int fd = open_packet_socket(VETH_NEAR);
    int64_t start_ns = clock_monotonic_ns();
    for (int i = 0; i < SEGMENTS; i++)
        if (send(fd, b->to_host, FRAME_LEN, 0) != FRAME_LEN)
            give_up("send");
    double rate = SEGMENTS / seconds_since(start_ns);
    close(fd);
    return rate;
}

/* ---- capture --------------------------------------------------------------------------------------------------- */

struct sender {
    const struct bench *bench;
    double rate;             /* segments a second; 0: as fast as it goes */
    double reached;
    atomic_bool done;
};

static void *send_frames(void *context)
{
    struct sender *s = context;
    int fd = open_packet_socket(VETH_FAR);
    int64_t start_ns = clock_monotonic_ns();
    for (int i = 0; i < SEGMENTS; i++) {
        if (s->rate > 0 && i % PACE_BATCH == 0) {
            int64_t due_ns = start_ns + (int64_t)(i / s->rate * 1e9), wait_ns = due_ns - clock_monotonic_ns();
            struct timespec pause = { .tv_nsec = wait_ns };
            if (wait_ns > 50000)
                nanosleep(&pause, NULL);
        }
        if (send(fd, s->bench->to_tester, FRAME_LEN, 0) != FRAME_LEN)
            give_up("send");
    }
    s->reached = SEGMENTS / seconds_since(start_ns);
    close(fd);
    s->done = true;
    return NULL;
}

typedef int receive_fn(void *handle, int *fd); /* frames taken now; fd to wait for */

static int take_from_wire(void *handle, int *fd)
{
    static uint8_t frame[WIRE_FRAME_MAX];
    struct wire *wire = handle;
    int64_t at_ns;
    int count = 0;
    while (wire->ops->receive(wire, frame, sizeof frame, &at_ns) > 0)
        count++;
    *fd = wire->ops->fd(wire);
    return count;
}

static int take_from_pcap(void *handle, int *fd)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int count = 0;
    while (pcap_next_ex(handle, &header, &bytes) == 1)
        count++;
    *fd = pcap_get_selectable_fd(handle);
    return count;
}

/* Segments received a second, while a thread sends; *dropped: how many never came. */
static double receive_all(const struct bench *b, receive_fn *take, void *handle, double rate, double *sent_rate, int *dropped)
{
    struct sender sender = { .bench = b, .rate = rate };
    pthread_t thread;
    pthread_create(&thread, NULL, send_frames, &sender);
    int64_t start_ns = clock_monotonic_ns(), last_ns = start_ns;
    int got = 0;
    for (struct pollfd wait = { .events = POLLIN };;) {
        int now = take(handle, &wait.fd);
        got += now;
        if (now)
            last_ns = clock_monotonic_ns();
        else if (got >= SEGMENTS || (poll(&wait, 1, PATIENCE_MS) == 0 && sender.done))
            break;
    }
    pthread_join(thread, NULL);
    *sent_rate = sender.reached;
    *dropped = SEGMENTS - got;
    return got / ((double)(last_ns - start_ns) / 1e9);
}

static double capture_by_wire(const struct bench *b, double rate, double *sent_rate, int *dropped)
{
    struct wire *wire = open_wire(b);
    double reached = receive_all(b, take_from_wire, wire, rate, sent_rate, dropped);
    if (*dropped && !wire->ops->lost(wire))
        fprintf(stderr, "%d segments were lost in silence\n", *dropped);
    wire->ops->close(wire);
    return reached;
}

static double capture_by_libpcap(const struct bench *b, double rate, double *sent_rate, int *dropped)
{
    char reason[PCAP_ERRBUF_SIZE];
    struct bpf_program program;
    pcap_t *pcap = pcap_create(VETH_NEAR, reason);
    if (!pcap || pcap_set_snaplen(pcap, 1518) || pcap_set_promisc(pcap, 1) || pcap_set_immediate_mode(pcap, 1)
        || pcap_set_buffer_size(pcap, 16 << 20) || pcap_activate(pcap) < 0 || pcap_compile(pcap, &program, b->filter, 1, PCAP_NETMASK_UNKNOWN)
        || pcap_setfilter(pcap, &program) || pcap_setnonblock(pcap, 1, reason))
        give_up("libpcap");
    pcap_freecode(&program);
    double reached = receive_all(b, take_from_pcap, pcap, rate, sent_rate, dropped);
    pcap_close(pcap);
    return reached;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static int injections(const struct bench *b)
{
    double bare = inject_by_libnet(b), socket = inject_by_send(b), wire = inject_by_wire(b);
    printf("injection, %d-octet frames, segments a second\n", FRAME_LEN);
    printf("  this wire (libnet)      %9.0f\n", wire);
    printf("  bare loop of libnet     %9.0f   wire / libnet  %.2f\n", bare, wire / bare);
    printf("  bare send(2)            %9.0f   wire / send    %.2f\n", socket, wire / socket);
    return wire < RATE_MIN;
}

static int captures(const struct bench *b)
{
    static const double rates[] = { 50000, 100000, 0 };
    int bad = 0;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        double sent_wire, sent_pcap;
        int dropped_wire, dropped_pcap;
        double wire = capture_by_wire(b, rates[i], &sent_wire, &dropped_wire);
        double bare = capture_by_libpcap(b, rates[i], &sent_pcap, &dropped_pcap);
        if (rates[i] > 0)
            printf("capture while %.0f segments a second are sent\n", rates[i]);
        else
            printf("capture while as many are sent as a processor can\n");
        printf("  this wire (libpcap)     %9.0f of %9.0f sent, %d dropped\n", wire, sent_wire, dropped_wire);
        printf("  bare loop of libpcap    %9.0f of %9.0f sent, %d dropped   wire / libpcap  %.2f\n", bare, sent_pcap, dropped_pcap,
               wire / bare);
        bad |= i == 0 && (dropped_wire > 0 || wire < 0.9 * RATE_MIN);
    }
    return bad;
}

int main(void)
{
    static struct bench bench;
    struct target_error error = { 0 };
    struct netns ns;
    const struct filter filter = { .mac = TESTER_MAC, .tester = { TESTER, { 0 } }, .tester_count = 50 };
    if (!veth_enter(&ns, &error) || !(bench.watcher = watcher_start(&error))) {
        fprintf(stderr, "%s\n", error.text);
        return 77;
    }
    make_frame(true, bench.to_host);
    make_frame(false, bench.to_tester);
    filter_text(&filter, bench.filter, sizeof bench.filter);
    int bad = injections(&bench);
    bad |= captures(&bench);
    watcher_end(bench.watcher);
    veth_leave(&ns);
    return bad;
}

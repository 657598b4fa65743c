/* How many frames a second a wire sends and receives, beside a bare loop of the same system calls, in turns on the same link: a TAP
 * device, a veth pair by packet sockets, UNIX sockets. Needs a namespace; prints ratios. */
#include "targets/tap/clock.h"
#include "targets/tap/namespace.h"
#include "targets/tap/tap.h"
#include "targets/tap/wire.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME = 1514, BURST = 64, TURNS = 6, FRAMES_A_TURN = 60000, IDLE_MAX = 1000 };

static uint8_t frame[FRAME], buffer[WIRE_FRAME_MAX];

/* One way of sending frames and of taking them at the other end. */
struct way {
    bool (*send)(void *context);
    bool (*take)(void *context);
    void *context;
};

static double frames_per_second(const struct way *way)
{
    int64_t started_ns = clock_monotonic_ns();
    unsigned sent = 0, taken = 0, idle = 0;
    while (taken < FRAMES_A_TURN) {
        unsigned before = taken;
        for (unsigned i = 0; i < BURST && sent - taken < BURST && way->send(way->context); i++)
            sent++;
        while (way->take(way->context))
            taken++;
        idle = taken == before ? idle + 1 : 0;
        if (idle > IDLE_MAX) { /* the link was not up yet: what was sent is lost, and the clock starts again */
            sent = taken = idle = 0;
            started_ns = clock_monotonic_ns();
        }
    }
    return (double)taken * 1e9 / (double)(clock_monotonic_ns() - started_ns);
}

/* ---- a wire at each end ------------------------------------------------------------------------------------------ */

struct ends { struct wire *from, *to; };

static bool wire_sends(void *context)
{
    struct wire *w = ((struct ends *)context)->from;
    return w->ops->send(w, frame, sizeof frame) == 0;
}

static bool wire_takes(void *context)
{
    struct wire *w = ((struct ends *)context)->to;
    int64_t at_ns;
    return w->ops->receive(w, buffer, sizeof buffer, &at_ns) == FRAME;
}

/* ---- bare sockets -------------------------------------------------------------------------------------------------- */

struct sockets { int from, to; };

static bool socket_sends(void *context)
{
    return send(((struct sockets *)context)->from, frame, sizeof frame, MSG_DONTWAIT) == FRAME;
}

static bool socket_takes(void *context)
{
    return recv(((struct sockets *)context)->to, buffer, sizeof buffer, MSG_DONTWAIT) == FRAME;
}

static bool descriptor_takes(void *context)
{
    return read(((struct sockets *)context)->to, buffer, sizeof buffer) == FRAME;
}

static int packet_socket(const char *interface)
{
    const struct sockaddr_ll device = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface) };
    const int on = 1;
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0
        || bind(fd, (const struct sockaddr *)&device, sizeof device) < 0) {
        perror("packet socket");
        exit(1);
    }
    return fd;
}

static struct wire *opened(struct wire *wire, const struct target_error *error)
{
    if (wire)
        return wire;
    fprintf(stderr, "%s\n", error->text);
    exit(1);
}

static void report(const char *link, double ours, double bare, uint64_t lost)
{
    printf("%-26s wire %8.0f frames/s   bare loop %8.0f frames/s   ratio %.2f   lost %llu\n", link, ours, bare, ours / bare,
           (unsigned long long)lost);
}

/* Both ends of a link as wires, and then again bare: a packet socket sees whatever comes, so that both cannot be open at once. */
static void bench_interfaces(const char *link, const char *from, const char *to)
{
    double sums[2] = { 0 };
    uint64_t lost = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        struct target_error error = { .kind = TARGET_ERR_NONE };
        struct wire *receiver = opened(wire_open_tap(to, &error), &error);
        struct ends ends = { opened(wire_open_tap(from, &error), &error), receiver };
        const struct way ours = { wire_sends, wire_takes, &ends };
        sums[0] += frames_per_second(&ours) / TURNS;
        lost += ends.to->ops->lost(ends.to);
        ends.from->ops->close(ends.from);
        ends.to->ops->close(ends.to);
        struct tap tap = { .fd = -1 };
        struct sockets bare = { .to = strcmp(from, to) == 0 && tap_open(to, &tap) == 0 ? tap.fd : packet_socket(to) };
        bare.from = packet_socket(from);
        const struct way theirs = { socket_sends, tap.fd >= 0 ? descriptor_takes : socket_takes, &bare };
        sums[1] += frames_per_second(&theirs) / TURNS;
        close(bare.from);
        close(bare.to);
    }
    report(link, sums[0], sums[1], lost);
}

static void bench_unix(bool stream)
{
    struct target_error error = { .kind = TARGET_ERR_NONE };
    const char *name = stream ? "@tcpassay-bench-s" : "@tcpassay-bench-d";
    struct wire *to = opened(wire_open_unix(name, stream, true, -1, &error), &error);
    struct ends ends = { opened(wire_open_unix(name, stream, false, 0, &error), &error), to };
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
        exit(1);
    struct sockets bare = { pair[0], pair[1] };
    const struct way ours = { wire_sends, wire_takes, &ends }, theirs = { socket_sends, socket_takes, &bare };
    double sums[2] = { 0 };
    for (int turn = 0; turn < TURNS; turn++) { /* in turns, so that whatever else the machine does meets both */
        sums[0] += frames_per_second(&ours) / TURNS;
        sums[1] += frames_per_second(&theirs) / TURNS;
    }
    report(stream ? "UNIX socket, stream" : "UNIX socket, datagrams", sums[0], sums[1], 0);
    close(pair[0]);
    close(pair[1]);
    ends.from->ops->close(ends.from);
    ends.to->ops->close(ends.to);
}

int main(void)
{
    struct netns ns;
    struct target_error error;
    memset(frame, 0xff, 12);
    if (!netns_open(&ns, &error) || netns_enter(&ns) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    if (system("ip link add a0 type veth peer name b0 && ip link set a0 up && ip link set b0 up && " /* NOLINT(cert-env33-c) */
               "ip tuntap add dev t0 mode tap && ip link set t0 up") != 0)
        return 1;
    bench_interfaces("veth, packet sockets", "a0", "b0");
    bench_interfaces("TAP, packet to device", "t0", "t0");
    bench_unix(false);
    bench_unix(true);
    netns_leave(&ns);
    netns_close(&ns);
    return 0;
}

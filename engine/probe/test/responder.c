/* A host for tests of the probe, bad in one way: responder ADDRESS PORT HOW, on the only Ethernet interface of a namespace.
 *
 * It answers SYNs to a port of its kernel's own address, from a raw socket; the kernel itself is kept quiet by a listening
 * socket that takes in nothing. Ends when it is killed. HOW is one of
 *     constant  always the same ISN            step     each 64000 above the last
 *     resend    sends the SYN-ACK five times, 0.2 s apart, then RST
 *     hostile   options that lie               silent   answers nothing
 *     slow      answers after 0.2 s
 *     plain     answers only SYNs that ask for neither ECN nor fast open
 *     kernel    none of this: an HTTP server on the kernel's TCP, of both IP versions, with fast open */
#include <errno.h>
#include <stdint.h>
#include <linux/filter.h>
#include <net/ethernet.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/packet/packet.h"

enum how { CONSTANT, STEP, HOSTILE, RESEND, SILENT, SLOW, PLAIN, KERNEL, HOW_COUNT };
static const char *const hows[] = {"constant", "step", "hostile", "resend", "silent", "slow", "plain", "kernel"};

enum { RESENDS = 5, RESEND_MS = 200 };

struct responder {
    enum how how;
    struct pkt_addr addr;
    uint16_t port;
    int in, out;
    struct pkt_builder *builder;
    uint32_t isn;
    struct pkt_spec pending;     /* what is sent again */
    int left;                    /* and how often … */
    int64_t due_ms;              /* and when next */
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void send_segment(struct responder *r, struct pkt_spec *spec)
{
    uint8_t bytes[256];
    struct sockaddr_in to = {.sin_family = AF_INET};
    memcpy(&to.sin_addr, spec->dst.bytes, 4);
    const ssize_t len = pkt_build(r->builder, spec, bytes, sizeof bytes);
    if (len > 0)
        sendto(r->out, bytes, (size_t)len, 0, (struct sockaddr *)&to, sizeof to);
}

static const uint8_t good_options[] = {2, 4, 5, 0xb4}, lying_options[] = {8, 40, 2, 0, 3, 3, 200, 34, 255, 2, 4, 0, 0, 5, 99, 1};

static void answer(struct responder *r, const struct packet *syn)
{
    struct pkt_options asked;
    pkt_options_read(syn->tcp.options, syn->tcp.options_len, &asked);
    if (r->how == SILENT || (r->how == PLAIN && (asked.has_fastopen || (syn->tcp.flags & PKT_ECE))))
        return;
    r->isn = r->how == CONSTANT ? 7 : r->how == STEP ? r->isn + 64000 : (uint32_t)random() << 1;
    struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = r->addr, .dst = syn->ip.src, .src_port = r->port, .dst_port = syn->tcp.src_port, .seq = r->isn,
        .ack = syn->tcp.seq + 1, .flags = PKT_SYN | PKT_ACK, .window = 1000,
        .options = r->how == HOSTILE ? lying_options : good_options, .options_len = r->how == HOSTILE ? sizeof lying_options : sizeof good_options,
    };
    if (r->how != SLOW)
        send_segment(r, &spec);
    if ((r->how != RESEND && r->how != SLOW) || r->left)
        return;
    r->pending = spec;
    r->left = r->how == SLOW ? 1 : RESENDS;
    r->due_ms = now_ms() + RESEND_MS;
}

static void send_again(struct responder *r)
{
    r->due_ms += RESEND_MS;
    if (--r->left == 0 && r->how == RESEND)
        r->pending = (struct pkt_spec){.protocol = PKT_PROTO_TCP, .src = r->pending.src, .dst = r->pending.dst, .src_port = r->port,
                                       .dst_port = r->pending.dst_port, .seq = r->isn + 1, .flags = PKT_RST};
    send_segment(r, &r->pending);
}

static void take(struct responder *r)
{
    uint8_t bytes[2048];
    struct packet packet;
    const ssize_t len = recv(r->in, bytes, sizeof bytes, 0);
    if (len <= 0 || pkt_parse(bytes, (size_t)len, &packet) != PKT_OK || packet.kind != PKT_KIND_TCP || packet.tcp.dst_port != r->port
        || !pkt_addr_equal(&packet.ip.dst, &r->addr))
        return;
    if ((packet.tcp.flags & (PKT_SYN | PKT_ACK | PKT_RST)) == PKT_SYN)
        answer(r, &packet);
    else if (packet.tcp.dst_port == r->port && packet.tcp.src_port == r->pending.dst_port)
        r->left = 0; /* acknowledged, or reset */
}

static int hold(const struct pkt_addr *addr, uint16_t port)
{
    struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    const struct sock_fprog filter = {.len = 1, .filter = nothing};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&at.sin_addr, addr->bytes, 4);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) || bind(fd, (struct sockaddr *)&at, sizeof at) ? -1
         : listen(fd, 1);
}

/* One connection at a time; each request ends with an empty line. */
static int serve(uint16_t port)
{
    static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const int on = 1, queue = 16;
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue) < 0 ||
        listen(fd, 16) < 0)
        return 1;
    for (;;) {
        char octets[4096];
        const int connection = accept(fd, NULL, NULL);
        for (ssize_t len; (len = recv(connection, octets, sizeof octets, 0)) > 0;)
            if (memmem(octets, (size_t)len, "\r\n\r\n", 4))
                send(connection, page, sizeof page - 1, MSG_NOSIGNAL);
        close(connection);
    }
}

int main(int argc, char **argv)
{
    struct responder r = {.builder = pkt_builder_new()};
    if (argc != 4 || !pkt_addr_parse(argv[1], &r.addr) || !r.builder)
        return 2;
    r.port = (uint16_t)atoi(argv[2]);
    while (r.how < HOW_COUNT && strcmp(hows[r.how], argv[3]) != 0)
        r.how++;
    if (r.how == KERNEL) {
        pkt_builder_free(r.builder);
        return serve(r.port);
    }
    srandom((unsigned)time(NULL));
    r.in = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETHERTYPE_IP));
    r.out = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (r.how == HOW_COUNT || r.in < 0 || r.out < 0 || hold(&r.addr, r.port) < 0) {
        fprintf(stderr, "responder: %s\n", strerror(errno));
        return 1;
    }
    for (;;) {
        struct pollfd fd = {.fd = r.in, .events = POLLIN};
        const int64_t left_ms = r.due_ms - now_ms();
        if (poll(&fd, 1, !r.left ? -1 : left_ms > 0 ? (int)left_ms : 0) > 0)
            take(&r);
        if (r.left && now_ms() >= r.due_ms)
            send_again(&r);
    }
}

/* tcpassay-tpsp-server: the upper tester of server.h, on a UDP port. */
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: tcpassay-tpsp-server [--port N] [--connects-at-once] [--no-request-ids]\n"
    "An upper tester with the AUTOSAR testability protocol on this machine's TCP, at UDP port 10000 of all its addresses.\n"
    "It does whatever anybody asks of it: for network namespaces and test benches only.\n";

static void send_datagram(void *context, const struct ut_peer *to, const uint8_t *bytes, size_t len)
{
    if (sendto(*(int *)context, bytes, len, 0, (const struct sockaddr *)&to->address, to->len) < 0)
        fprintf(stderr, "a datagram could not be sent: %s\n", strerror(errno));
}

static int open_port(unsigned port)
{
    static const int bytes = 4 << 20;
    struct sockaddr_in6 all = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&all, sizeof all) == 0)
        return fd;
    fprintf(stderr, "UDP port %u: %s\n", port, strerror(errno));
    exit(3);
}

/* What sockets report goes before what is asked: so an answer comes after everything that had happened before the question. */
static void work(struct ut *ut)
{
    static struct pollfd watched[UT_SOCKETS_MAX];
    size_t count = ut_watch(ut, watched);
    if (count && poll(watched, count, 0) > 0)
        ut_work(ut, watched, count);
}

static void take_all(struct ut *ut, int fd)
{
    static uint8_t bytes[65536];
    for (;;) {
        work(ut);
        struct ut_peer from = {.len = sizeof from.address};
        ssize_t len = recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&from.address, &from.len);
        if (len < 0)
            return;
        ut_input(ut, &from, bytes, (size_t)len);
    }
}

int main(int argc, char **argv)
{
    unsigned port = 10000;
    struct ut_config config = {.returns_request_id = true, .send = send_datagram};
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--port") && i + 1 < argc) {
            port = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (!strcmp(argv[i], "--connects-at-once")) {
            config.connects_at_once = true;
        } else if (!strcmp(argv[i], "--no-request-ids")) {
            config.returns_request_id = false;
        } else {
            fputs(usage, strcmp(argv[i], "--help") ? stderr : stdout);
            return strcmp(argv[i], "--help") ? 2 : 0;
        }
    }
    int fd = open_port(port);
    config.context = &fd;
    struct ut *ut = ut_new(&config);
    while (ut) {
        static struct pollfd watched[UT_SOCKETS_MAX + 1];
        size_t count = ut_watch(ut, watched);
        watched[count] = (struct pollfd){.fd = fd, .events = POLLIN};
        if (poll(watched, count + 1, -1) < 0 && errno != EINTR)
            return 3;
        take_all(ut, fd);
    }
    return 3;
}

/* The round-trip time by ICMP echo: what the way costs, without the host's TCP. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/probe/inside.h"

/* A raw IPv4 socket gives the IP header, too, and sees all echoes of the machine. */
struct echo {
    int fd;
    bool raw, v6;
    uint16_t id, sequence;
};

enum { ECHO_REQUEST_V4 = 8, ECHO_REPLY_V4 = 0, ECHO_REQUEST_V6 = 128, ECHO_REPLY_V6 = 129, ECHO_HEADER = 8, SILENT_MAX = 2, STRANGERS_MAX = 256 };
#define ECHO_PATIENCE_NS NS_PER_S

void echo_close(struct echo *e)
{
    if (e && e->fd >= 0)
        close(e->fd);
    free(e);
}

/* A ping socket needs no privilege where net.ipv4.ping_group_range lets us; else a raw one. */
struct echo *echo_open(const struct pkt_endpoint *remote)
{
    struct echo *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    const int family = remote->addr.version == 6 ? AF_INET6 : AF_INET;
    const int protocol = remote->addr.version == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    const struct pkt_endpoint host = {.addr = remote->addr};
    struct sockaddr_storage address;
    socklen_t len = socket_address(&host, &address);
    *e = (struct echo){.v6 = remote->addr.version == 6, .id = (uint16_t)getpid()};
    e->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (e->fd < 0) {
        e->raw = true;
        e->fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    }
    if (e->fd >= 0 && connect(e->fd, (struct sockaddr *)&address, len) == 0)
        return e;
    echo_close(e);
    return NULL;
}

static bool send_echo(struct echo *e)
{
    uint8_t message[ECHO_HEADER + 8] = {e->v6 ? ECHO_REQUEST_V6 : ECHO_REQUEST_V4};
    e->sequence++;
    message[4] = (uint8_t)(e->id >> 8);
    message[5] = (uint8_t)e->id;
    message[6] = (uint8_t)(e->sequence >> 8);
    message[7] = (uint8_t)e->sequence;
    memcpy(message + ECHO_HEADER, "tcpassay", 8);
    if (!e->v6) { /* the kernel fills in that of ICMPv6 */
        const uint16_t sum = pkt_checksum(message, sizeof message);
        message[2] = (uint8_t)(sum >> 8);
        message[3] = (uint8_t)sum;
    }
    return send(e->fd, message, sizeof message, 0) == (ssize_t)sizeof message;
}

static bool is_reply(const struct echo *e, const uint8_t *message, size_t len)
{
    if (e->raw && !e->v6) {
        struct packet packet;
        if (pkt_parse(message, len, &packet) != PKT_OK || packet.kind != PKT_KIND_ICMP)
            return false;
        message = packet.payload;
        len = packet.payload_len;
    }
    if (len < ECHO_HEADER || message[0] != (e->v6 ? ECHO_REPLY_V6 : ECHO_REPLY_V4))
        return false;
    const uint16_t id = (uint16_t)(message[4] << 8 | message[5]), sequence = (uint16_t)(message[6] << 8 | message[7]);
    return sequence == e->sequence && (!e->raw || id == e->id); /* the kernel chooses the id of a ping socket */
}

/* True with *took_ns when the answer came in time. */
static bool one_echo(struct run *run, struct echo *e, int64_t *took_ns)
{
    const int64_t begun_ns = monotonic_ns();
    const int64_t patience_ns = run->config->wait_ns < ECHO_PATIENCE_NS ? run->config->wait_ns : ECHO_PATIENCE_NS;
    uint8_t message[2048];
    if (!send_echo(e))
        return false;
    for (int strangers = 0; strangers < STRANGERS_MAX && wait_for(run, e->fd, POLLIN, begun_ns + patience_ns); strangers++) {
        const ssize_t len = recv(e->fd, message, sizeof message, MSG_DONTWAIT);
        *took_ns = monotonic_ns() - begun_ns;
        if (len > 0 && is_reply(e, message, (size_t)len))
            return true;
    }
    return false;
}

void measure_echo(struct run *run)
{
    int64_t times_ns[PROBE_ECHOES], took_ns = 0;
    unsigned answered = 0, sent = 0;
    while (sent < PROBE_ECHOES && (answered || sent < SILENT_MAX) && !interrupted(run)) {
        const int64_t next_ns = monotonic_ns() + PROBE_PACE_NS;
        sent++;
        if (one_echo(run, run->echo, &took_ns))
            times_ns[answered++] = took_ns;
        wait_until(run, next_ns);
    }
    run->report->echo = times_of(times_ns, answered);
    run->report->echo_silent = !answered && sent;
}

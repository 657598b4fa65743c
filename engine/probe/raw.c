/* Raw SYNs from ports that take in nothing (see raw.h). */
#include "engine/probe/raw.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/probe/inside.h"

enum { OFFERED_WINDOW = 65535, OFFERED_WSCALE = 7, MSS_IPV4 = 1460, MSS_IPV6 = 1440 };

struct raw {
    struct pkt_builder *builder;
    int sender;
    struct pkt_addr local;
    struct pkt_endpoint remote;
    unsigned count;
    int holders[RAW_PORTS_MAX];
    uint16_t ports[RAW_PORTS_MAX];
};

/* A port of the local address that takes in nothing. */
static int hold_port(const struct pkt_addr *local, uint16_t *port)
{
    struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    const struct sock_fprog filter = {.len = 1, .filter = nothing};
    const struct pkt_endpoint any = {.addr = *local};
    struct sockaddr_storage address;
    struct pkt_endpoint bound;
    socklen_t len = socket_address(&any, &address);
    const int fd = socket(local->version == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0 || bind(fd, (struct sockaddr *)&address, len) < 0
        || listen(fd, 1) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0 || !pkt_endpoint_of_socket(&address, &bound)) {
        const int code = errno;
        close(fd);
        return -code;
    }
    *port = bound.port;
    return fd;
}

struct raw *raw_open(const struct pkt_addr *local, const struct pkt_endpoint *remote, unsigned ports, char *error,
                     size_t error_size)
{
    struct raw *raw = calloc(1, sizeof *raw);
    if (!raw)
        return NULL;
    raw->local = *local;
    raw->remote = *remote;
    raw->sender = socket(local->version == 6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW); /* with the header as given */
    if (raw->sender < 0)
        snprintf(error, error_size, "a raw socket: %s", strerror(errno));
    raw->builder = pkt_builder_new();
    bool good = raw->sender >= 0 && raw->builder;
    while (good && raw->count < ports && raw->count < RAW_PORTS_MAX) {
        const int fd = hold_port(local, &raw->ports[raw->count]);
        if (fd < 0)
            snprintf(error, error_size, "holding a port: %s", strerror(-fd));
        good = fd >= 0;
        if (good)
            raw->holders[raw->count++] = fd;
    }
    if (!good) {
        raw_close(raw);
        return NULL;
    }
    return raw;
}

void raw_close(struct raw *raw)
{
    if (!raw)
        return;
    for (unsigned i = 0; i < raw->count; i++)
        close(raw->holders[i]);
    if (raw->sender >= 0)
        close(raw->sender);
    pkt_builder_free(raw->builder);
    free(raw);
}

unsigned raw_count(const struct raw *raw)
{
    return raw->count;
}

uint16_t raw_port(const struct raw *raw, unsigned index)
{
    return raw->ports[index];
}

static int send_segment(struct raw *raw, unsigned index, struct pkt_spec *spec)
{
    uint8_t bytes[128];
    struct sockaddr_storage address;
    const struct pkt_endpoint to = {.addr = raw->remote.addr}; /* a raw socket has no ports */
    spec->protocol = PKT_PROTO_TCP;
    spec->src = raw->local;
    spec->dst = raw->remote.addr;
    spec->src_port = raw->ports[index];
    spec->dst_port = raw->remote.port;
    spec->dont_fragment = true;
    const ssize_t len = pkt_build(raw->builder, spec, bytes, sizeof bytes);
    const socklen_t address_len = socket_address(&to, &address);
    if (len < 0)
        return -EMSGSIZE;
    return sendto(raw->sender, bytes, (size_t)len, 0, (struct sockaddr *)&address, address_len) < 0 ? -errno : 0;
}

int raw_send_syn(struct raw *raw, const struct raw_syn *syn)
{
    struct timespec now;
    struct pkt_option_buffer options = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    pkt_put_mss(&options, raw->local.version == 6 ? MSS_IPV6 : MSS_IPV4);
    pkt_put_sack_permitted(&options);
    pkt_put_timestamp(&options, (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000), 0);
    pkt_put_nop(&options);
    pkt_put_wscale(&options, OFFERED_WSCALE);
    if (syn->everything)
        pkt_put_fastopen(&options, NULL, 0);
    struct pkt_spec spec = {
        .seq = syn->seq, .flags = syn->everything ? PKT_SYN | PKT_ECE | PKT_CWR : PKT_SYN, .window = OFFERED_WINDOW,
        .options = options.bytes, .options_len = options.len,
    };
    return send_segment(raw, syn->index, &spec);
}

int raw_send_reset(struct raw *raw, unsigned index, uint32_t seq)
{
    struct pkt_spec spec = {.seq = seq, .flags = PKT_RST};
    return send_segment(raw, index, &spec);
}

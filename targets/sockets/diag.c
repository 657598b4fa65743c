/* Queries and destroys TCP sockets through NETLINK_SOCK_DIAG.
 *
 * One connection is looked up by its addresses and ports as an incoming segment would be: first the connections (half-open and
 * TIME-WAIT ones included), then the listeners. The reply has the state, the queues, and struct tcp_info as an attribute. */
#include "targets/sockets/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_BYTES_MAX = 32768 }; /* a part of a dump is at most this long (netlink(7)) */

struct query {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
};

int diag_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    return fd < 0 ? -errno : fd;
}

static int send_query(int fd, uint16_t type, uint16_t flags, const struct inet_diag_req_v2 *body)
{
    const struct query query = {
        .header = { .nlmsg_len = sizeof query, .nlmsg_type = type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags) },
        .body = *body,
    };
    return send(fd, &query, sizeof query, 0) < 0 ? -errno : 0;
}

/* ---- one connection -------------------------------------------------------------------------------------------- */

static enum tcp_state state_of(uint8_t kernel_state)
{
    static const enum tcp_state STATES[] = { /* the kernel's numbers, include/net/tcp_states.h */
        [1] = TCP_STATE_ESTABLISHED, [2] = TCP_STATE_SYN_SENT, [3] = TCP_STATE_SYN_RECEIVED, [4] = TCP_STATE_FIN_WAIT_1,
        [5] = TCP_STATE_FIN_WAIT_2, [6] = TCP_STATE_TIME_WAIT, [7] = TCP_STATE_CLOSED, [8] = TCP_STATE_CLOSE_WAIT,
        [9] = TCP_STATE_LAST_ACK, [10] = TCP_STATE_LISTEN, [11] = TCP_STATE_CLOSING, [12] = TCP_STATE_SYN_RECEIVED,
    };
    return kernel_state < sizeof STATES / sizeof *STATES ? STATES[kernel_state] : TCP_STATE_CLOSED;
}

/* struct tcp_info grows from kernel to kernel: what lies beyond len is not known. tcpi_rcv_wnd (since 6.2) follows tcpi_snd_wnd. */
static void read_info(const uint8_t *attribute, size_t len, struct target_status *out)
{
    struct tcp_info info = { 0 };
    memcpy(&info, attribute, len < sizeof info ? len : sizeof info);
    const size_t rcv_wnd_at = offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof info.tcpi_snd_wnd;
    if (len >= rcv_wnd_at + sizeof out->rcv_wnd) {
        out->known |= TARGET_KNOWS_WINDOWS;
        out->snd_wnd = info.tcpi_snd_wnd;
        memcpy(&out->rcv_wnd, attribute + rcv_wnd_at, sizeof out->rcv_wnd);
    }
    if (len < offsetof(struct tcp_info, tcpi_pacing_rate))
        return;
    out->known |= TARGET_KNOWS_CONGESTION | TARGET_KNOWS_TIMERS;
    out->mss_bytes = info.tcpi_snd_mss;
    out->cwnd_bytes = info.tcpi_snd_cwnd * info.tcpi_snd_mss;
    uint64_t ssthresh_bytes = (uint64_t)info.tcpi_snd_ssthresh * info.tcpi_snd_mss;
    out->ssthresh_bytes = ssthresh_bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)ssthresh_bytes;
    out->retransmits = info.tcpi_retransmits;
    out->rto_ns = (int64_t)info.tcpi_rto * 1000;
    out->srtt_ns = (int64_t)info.tcpi_rtt * 1000;
    if (len >= offsetof(struct tcp_info, tcpi_notsent_bytes) + sizeof info.tcpi_notsent_bytes) {
        out->known |= TARGET_KNOWS_QUEUES;
        out->unsent_bytes = info.tcpi_notsent_bytes;
    }
}

/* Only a whole connection has numbers: a half-open one, or one in TIME-WAIT, has its state. */
static void read_reply(const uint8_t *message, size_t len, struct target_status *out)
{
    struct inet_diag_msg body;
    memcpy(&body, message, sizeof body);
    *out = (struct target_status){ .state = state_of(body.idiag_state), .retransmits = body.idiag_retrans };
    if (out->state == TCP_STATE_LISTEN)
        return;
    for (size_t at = NLMSG_ALIGN(sizeof body); at + sizeof(struct nlattr) <= len;) {
        struct nlattr attribute;
        memcpy(&attribute, message + at, sizeof attribute);
        if (attribute.nla_len < sizeof attribute || attribute.nla_len > len - at)
            return;
        if (attribute.nla_type == INET_DIAG_INFO)
            read_info(message + at + sizeof attribute, attribute.nla_len - sizeof attribute, out);
        at += NLMSG_ALIGN(attribute.nla_len);
    }
    out->unread_bytes = body.idiag_rqueue;
}

int diag_status(int fd, const struct pkt_endpoint *local, const struct pkt_endpoint *remote, struct target_status *out)
{
    struct inet_diag_req_v2 request = {
        .sdiag_family = local->addr.version == 6 ? AF_INET6 : AF_INET, .sdiag_protocol = IPPROTO_TCP,
        .idiag_ext = 1u << (INET_DIAG_INFO - 1), .idiag_states = UINT32_MAX,
        .id = { .idiag_sport = htons(local->port), .idiag_dport = htons(remote->port),
                .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } },
    };
    memcpy(request.id.idiag_src, local->addr.bytes, sizeof request.id.idiag_src);
    if (remote->port)
        memcpy(request.id.idiag_dst, remote->addr.bytes, sizeof request.id.idiag_dst);
    int code = send_query(fd, SOCK_DIAG_BY_FAMILY, 0, &request);
    if (code < 0)
        return code;
    _Alignas(struct nlmsghdr) uint8_t reply[4096];
    ssize_t len = recv(fd, reply, sizeof reply, 0);
    if (len < 0)
        return -errno;
    const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)reply;
    if ((size_t)len < sizeof *header || header->nlmsg_len > (size_t)len)
        return -EPROTO;
    const uint8_t *message = reply + NLMSG_HDRLEN;
    size_t message_len = header->nlmsg_len - NLMSG_HDRLEN;
    if (header->nlmsg_type == NLMSG_ERROR && message_len >= sizeof(struct nlmsgerr))
        return ((const struct nlmsgerr *)(const void *)message)->error;
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || message_len < sizeof(struct inet_diag_msg))
        return -EPROTO;
    read_reply(message, message_len, out);
    return 0;
}

/* ---- all of them ----------------------------------------------------------------------------------------------- */

static int destroy(int fd, const struct inet_diag_msg *found)
{
    const struct inet_diag_req_v2 request = {
        .sdiag_family = found->idiag_family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = UINT32_MAX, .id = found->id,
    };
    int code = send_query(fd, SOCK_DESTROY, NLM_F_ACK, &request);
    if (code < 0)
        return code;
    _Alignas(struct nlmsghdr) uint8_t reply[4096];
    if (recv(fd, reply, sizeof reply, 0) < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
        return -EPROTO;
    code = ((const struct nlmsgerr *)NLMSG_DATA((const struct nlmsghdr *)(const void *)reply))->error;
    return code == -ENOENT ? 0 : code; /* gone meanwhile */
}

/* Destroys what one part of a dump lists; *done when it was the last part. */
static int destroy_listed(int destroyer, const uint8_t *part, size_t len, bool *done)
{
    const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)part;
    for (; NLMSG_OK(header, len); header = NLMSG_NEXT(header, len)) {
        *done = header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR;
        if (*done)
            return 0;
        int code = destroy(destroyer, NLMSG_DATA(header));
        if (code < 0)
            return code;
    }
    return 0;
}

static int destroy_family(int fd, int destroyer, uint8_t family)
{
    const struct inet_diag_req_v2 all = { .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = UINT32_MAX };
    int code = send_query(fd, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &all);
    _Alignas(struct nlmsghdr) uint8_t part[REPLY_BYTES_MAX];
    for (bool done = false; !done && code >= 0;) {
        ssize_t len = recv(fd, part, sizeof part, 0);
        code = len < 0 ? -errno : destroy_listed(destroyer, part, (size_t)len, &done);
    }
    return code;
}

int diag_destroy_all(int fd)
{
    int destroyer = diag_open();
    if (destroyer < 0)
        return destroyer;
    int code = destroy_family(fd, destroyer, AF_INET);
    if (code >= 0)
        code = destroy_family(fd, destroyer, AF_INET6);
    close(destroyer);
    return code;
}

/* "TCP: inuse 3 …" */
static unsigned count_in(const char *path, const char *label)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    char line[256];
    unsigned count = 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, label, strlen(label)) == 0 && sscanf(line + strlen(label), " inuse %u", &count) == 1)
            break;
    fclose(file);
    return count;
}

unsigned diag_count(void)
{
    return count_in("/proc/thread-self/net/sockstat", "TCP:") + count_in("/proc/thread-self/net/sockstat6", "TCP6:");
}

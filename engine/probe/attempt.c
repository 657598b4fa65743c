/* One connect(), as an application does it: how long it takes, and all that a plain socket can be asked about it. */
#include <errno.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "engine/probe/inside.h"

enum { ERROR_QUEUE_MAX = 16 };

/* One ICMP error of the queue into the outcome; *own when it was our own kernel that found the neighbour missing. */
static void take_error(const struct cmsghdr *c, const struct pkt_addr *local, struct probe_outcome *out, bool *own)
{
    struct { struct sock_extended_err error; struct sockaddr_storage offender; } told = {0};
    const size_t len = c->cmsg_len > CMSG_LEN(0) ? c->cmsg_len - CMSG_LEN(0) : 0;
    struct pkt_endpoint from = {0};
    const bool known = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
        || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
    if (!known || len < sizeof told.error)
        return;
    memcpy(&told.error, CMSG_DATA(c), sizeof told.error);
    memcpy(&told.offender, CMSG_DATA(c) + sizeof told.error,
           len - sizeof told.error < sizeof told.offender ? len - sizeof told.error : sizeof told.offender);
    *own |= told.error.ee_origin == SO_EE_ORIGIN_LOCAL;
    if (told.error.ee_origin != SO_EE_ORIGIN_ICMP && told.error.ee_origin != SO_EE_ORIGIN_ICMP6)
        return;
    pkt_endpoint_of_socket(&told.offender, &from);
    *own |= from.addr.version && pkt_addr_equal(&from.addr, local);
    out->has_icmp = true;
    out->icmp_type = told.error.ee_type;
    out->icmp_code = told.error.ee_code;
    out->icmp_mtu = told.error.ee_info;
    out->icmp_from = from.addr;
}

/* Takes what ICMP said of this connection; true when our own kernel said so. */
static bool take_errors(int fd, const struct pkt_addr *local, struct probe_outcome *out)
{
    bool own = false;
    for (int i = 0; i < ERROR_QUEUE_MAX; i++) {
        uint8_t payload[512];
        _Alignas(struct cmsghdr) uint8_t control[512];
        struct iovec part = {payload, sizeof payload};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            break;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
            take_error(c, local, out, &own);
    }
    return own;
}

static enum probe_answer answer_of(int error, bool has_icmp, bool own)
{
    switch (error) {
    case 0: return PROBE_OPEN;
    case ECONNREFUSED: case ECONNRESET: return has_icmp ? PROBE_REFUSED : PROBE_CLOSED;
    case ETIMEDOUT: return PROBE_SILENT;
    case EHOSTUNREACH: return own || !has_icmp ? PROBE_NO_NEIGHBOUR : PROBE_REFUSED;
    default: return has_icmp && !own ? PROBE_REFUSED : PROBE_UNABLE;
    }
}

/* struct tcp_info grows from kernel to kernel; what is used here is in all of them. */
static void ask_kernel(struct attempt *a)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(a->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return;
    a->has_info = true;
    a->rtt_ns = (int64_t)info.tcpi_rtt * 1000;
    a->retransmits = info.tcpi_total_retrans;
    a->snd_mss = info.tcpi_snd_mss;
    a->path_mtu = info.tcpi_pmtu;
    a->ecn = info.tcpi_options & TCPI_OPT_ECN;
    a->agreed = (struct pkt_options){
        .has_timestamp = info.tcpi_options & TCPI_OPT_TIMESTAMPS, .sack_permitted = info.tcpi_options & TCPI_OPT_SACK,
        .has_wscale = info.tcpi_options & TCPI_OPT_WSCALE, .wscale = info.tcpi_snd_wscale,
    };
}

/* The socket has something to say, or is given up while it has not. */
static void conclude(struct attempt *a, const struct pkt_addr *local, int error)
{
    const bool own = take_errors(a->fd, local, &a->outcome);
    a->outcome.error = error;
    a->outcome.answer = answer_of(error, a->outcome.has_icmp, own);
    if (error == 0)
        ask_kernel(a);
    if (error != 0 && a->fd >= 0) {
        close(a->fd);
        a->fd = -1;
    }
}

bool attempt_begin(const struct pkt_endpoint *remote, const struct pkt_addr *local, struct attempt *out)
{
    const int on = 1;
    struct sockaddr_storage address;
    *out = (struct attempt){.fd = -1};
    socklen_t len = socket_address(remote, &address);
    out->fd = socket(remote->addr.version == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (out->fd < 0) {
        conclude(out, local, errno);
        return false;
    }
    if (remote->addr.version == 6)
        setsockopt(out->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    else
        setsockopt(out->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    out->begun_ns = monotonic_ns();
    const int code = connect(out->fd, (struct sockaddr *)&address, len) < 0 && errno != EINPROGRESS ? errno : 0;
    len = sizeof address;
    if (getsockname(out->fd, (struct sockaddr *)&address, &len) == 0)
        pkt_endpoint_of_socket(&address, &out->local);
    if (code) {
        out->outcome.took_ns = monotonic_ns() - out->begun_ns;
        conclude(out, local, code);
    }
    return !code;
}

void attempt_finish(const struct pkt_addr *local, struct attempt *a)
{
    int error = 0;
    socklen_t len = sizeof error;
    a->outcome.took_ns = monotonic_ns() - a->begun_ns;
    if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    conclude(a, local, error);
}

void attempt(struct run *run, const struct pkt_endpoint *remote, int64_t patience_ns, struct attempt *out)
{
    if (!attempt_begin(remote, &run->local, out))
        return;
    if (wait_for(run, out->fd, POLLOUT, out->begun_ns + patience_ns)) {
        attempt_finish(&run->local, out);
        return;
    }
    out->outcome.took_ns = monotonic_ns() - out->begun_ns;
    out->outcome.answer = interrupted(run) ? PROBE_UNKNOWN : PROBE_SILENT;
    close(out->fd);
    out->fd = -1;
}

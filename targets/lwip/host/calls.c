/* The application's side: each request is one call of lwIP's sockets layer, which never blocks.
 *
 * Where lwIP's sockets say less than the tester wants to know, this asks once more: what a connect() that has failed came to is
 * SO_ERROR; the end of the peer's data, which lwIP tells once, goes on to be told; and SO_LINGER with no time, which lwIP heeds
 * only while something is unacknowledged, is taken for what everybody means by it, the ABORT of RFC 9293 §3.9.1.5 (tcp_abort()). */
#include "targets/lwip/host/host.h"
#include "targets/lwip/host/port.h"

#include "engine/runner/target.h"

#include "lwip/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct extra { /* of a socket */
    bool connecting, linger;
    bool ended;             /* the end of the peer's data has been told */
    int64_t linger_s;
    uint8_t ip_version;
};

static struct {
    struct extra *extras;   /* by socket */
    int count;
    uint32_t keepalive[3];  /* 0: as lwIP has them */
} calls;

static struct extra *extra_of(int socket)
{
    static struct extra nothing;
    return socket >= 0 && socket < calls.count ? &calls.extras[socket] : &nothing;
}

static int64_t result_of(int64_t returned)
{
    return returned < 0 ? -(int64_t)errno : returned;
}

static const int KEEPALIVE_OPTIONS[] = { TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT };

void calls_use(const struct lwip_settings *settings)
{
    const uint32_t values[] = { settings->keepalive_idle_s, settings->keepalive_interval_s, settings->keepalive_probes };
    memcpy(calls.keepalive, values, sizeof values);
}

static int64_t add(int socket, uint8_t ip_version)
{
    if (socket < 0)
        return -errno;
    if (socket >= calls.count) {
        int count = 2 * socket + 8;
        calls.extras = realloc(calls.extras, (size_t)count * sizeof *calls.extras);
        if (!calls.extras)
            port_die("out of memory");
        calls.count = count;
    }
    calls.extras[socket] = (struct extra){ .ip_version = ip_version };
    lwip_fcntl(socket, F_SETFL, O_NONBLOCK);
    for (unsigned i = 0; i < 3; i++) {
        int value = (int)calls.keepalive[i];
        if (value)
            lwip_setsockopt(socket, IPPROTO_TCP, KEEPALIVE_OPTIONS[i], &value, sizeof value);
    }
    return socket;
}

/* ---- addresses -------------------------------------------------------------------------------------------------- */

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t to_lwip(const struct lwip_endpoint *endpoint, uint8_t ip_version, union socket_address *out)
{
    const struct lwip_address *address = &endpoint->address;
    memset(out, 0, sizeof *out);
    if (ip_version != 6 && address->version != 6) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(endpoint->port);
        memcpy(&out->v4.sin_addr, address->bytes, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(endpoint->port);
    if (address->version == 4) {
        out->v6.sin6_addr.s6_addr[10] = out->v6.sin6_addr.s6_addr[11] = 0xff;
        memcpy(out->v6.sin6_addr.s6_addr + 12, address->bytes, 4);
    } else {
        memcpy(&out->v6.sin6_addr, address->bytes, 16);
    }
    return sizeof out->v6;
}

static void from_lwip(const union socket_address *address, struct lwip_endpoint *out)
{
    static const uint8_t MAPPED[12] = { [10] = 0xff, 0xff };
    *out = (struct lwip_endpoint){ .address.version = 4 };
    if (address->any.sa_family == AF_INET) {
        out->port = ntohs(address->v4.sin_port);
        memcpy(out->address.bytes, &address->v4.sin_addr, 4);
        return;
    }
    const uint8_t *octets = address->v6.sin6_addr.s6_addr;
    out->port = ntohs(address->v6.sin6_port);
    if (memcmp(octets, MAPPED, sizeof MAPPED) == 0) {
        memcpy(out->address.bytes, octets + 12, 4);
        return;
    }
    out->address.version = 6;
    memcpy(out->address.bytes, octets, 16);
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static int64_t do_socket(const struct lwip_request *request)
{
    bool ipv6 = request->numbers[0] == 6;
    return add(lwip_socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0), ipv6 ? 6 : 4);
}

static int64_t do_bind(const struct lwip_request *request)
{
    union socket_address address;
    socklen_t len = to_lwip(&request->endpoint, extra_of(request->handle)->ip_version, &address);
    return result_of(lwip_bind(request->handle, &address.any, len));
}

static int64_t socket_error(int socket)
{
    int error = 0;
    socklen_t len = sizeof error;
    return lwip_getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

/* Asked again, lwIP says EALREADY while it is under way, EISCONN when it has come about, and something else when it has failed. */
static int64_t do_connect(const struct lwip_request *request)
{
    struct extra *extra = extra_of(request->handle);
    union socket_address address;
    socklen_t len = to_lwip(&request->endpoint, extra->ip_version, &address);
    int64_t error = extra->connecting ? socket_error(request->handle) : 0;
    int64_t result = result_of(lwip_connect(request->handle, &address.any, len));
    if (result == -EALREADY)
        return -EAGAIN;
    bool was_connecting = extra->connecting;
    extra->connecting = result == -EINPROGRESS;
    if (!was_connecting)
        return result;
    return result == -EISCONN ? 0 : error ? -error : result;
}

static int64_t do_accept(const struct lwip_request *request, struct lwip_answer *answer)
{
    union socket_address address = { .any.sa_family = AF_INET };
    socklen_t len = sizeof address;
    uint8_t ip_version = extra_of(request->handle)->ip_version;
    int64_t result = add(lwip_accept(request->handle, &address.any, &len), ip_version);
    from_lwip(&address, &answer->endpoint);
    return result;
}

static int64_t do_send(const struct lwip_request *request, const uint8_t *octets)
{
    if (request->numbers[0] & (TARGET_MSG_OOB | TARGET_MSG_FASTOPEN))
        return -EOPNOTSUPP;
    int flags = MSG_DONTWAIT | (request->numbers[0] & TARGET_MSG_MORE ? MSG_MORE : 0);
    int64_t result = result_of(lwip_send(request->handle, octets, request->octets, flags));
    return result == -EINPROGRESS && !extra_of(request->handle)->connecting ? -ENOTCONN : result; /* a listener's answer */
}

static int64_t do_receive(const struct lwip_request *request, struct lwip_answer *answer, uint8_t *out)
{
    if (request->numbers[1] & TARGET_MSG_OOB)
        return -EOPNOTSUPP;
    size_t len = request->numbers[0] > CHANNEL_OCTETS_MAX ? CHANNEL_OCTETS_MAX : (size_t)request->numbers[0];
    int flags = MSG_DONTWAIT | (request->numbers[1] & TARGET_MSG_PEEK ? MSG_PEEK : 0);
    int64_t result = result_of(lwip_recv(request->handle, out, len, flags));
    answer->octets = result > 0 ? (uint32_t)result : 0;
    struct extra *extra = extra_of(request->handle);
    if (result == -ENOTCONN && extra->ended)
        result = -socket_error(request->handle);
    extra->ended |= result == 0 && len > 0;
    return result;
}

static int64_t do_shutdown(const struct lwip_request *request)
{
    static const int HOW[] = { [TARGET_SHUT_RD] = SHUT_RD, [TARGET_SHUT_WR] = SHUT_WR, [TARGET_SHUT_RDWR] = SHUT_RDWR };
    return result_of(lwip_shutdown(request->handle, HOW[request->numbers[0]]));
}

static int64_t do_close(const struct lwip_request *request)
{
    const struct extra *extra = extra_of(request->handle);
    if (extra->linger && extra->linger_s == 0)
        status_abort_socket(request->handle);
    return result_of(lwip_close(request->handle));
}

static int64_t do_local_endpoint(const struct lwip_request *request, struct lwip_answer *answer)
{
    union socket_address address = { .any.sa_family = AF_INET };
    socklen_t len = sizeof address;
    int64_t result = result_of(lwip_getsockname(request->handle, &address.any, &len));
    from_lwip(&address, &answer->endpoint);
    return result;
}

static int64_t do_poll(const struct lwip_request *request, struct lwip_answer *answer)
{
    static const struct { short lwip; unsigned event; } EVENTS[] = {
        { POLLIN, TARGET_EVENT_IN }, { POLLOUT, TARGET_EVENT_OUT }, { POLLERR, TARGET_EVENT_ERROR }, { POLLHUP, TARGET_EVENT_HANGUP },
    };
    struct pollfd asked = { .fd = request->handle, .events = POLLIN | POLLOUT };
    if (lwip_poll(&asked, 1, 0) <= 0)
        return 0;
    for (size_t i = 0; i < sizeof EVENTS / sizeof *EVENTS; i++)
        if (asked.revents & EVENTS[i].lwip)
            answer->value |= EVENTS[i].event;
    return 0;
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

/* SO_RCVBUF is not among them: lwIP takes it, but the window of its TCP is a constant of the compilation. */
static const struct option { const char *name; int level, number; } OPTIONS[] = {
    { "SO_BROADCAST", SOL_SOCKET, SO_BROADCAST }, { "SO_ERROR", SOL_SOCKET, SO_ERROR },
    { "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE }, { "SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR },
    { "SO_TYPE", SOL_SOCKET, SO_TYPE },
    { "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT }, { "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE },
    { "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL }, { "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY },
    { "IP_TOS", IPPROTO_IP, IP_TOS }, { "IP_TTL", IPPROTO_IP, IP_TTL }, { "IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY },
};

static const struct option *find_option(const char *name)
{
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++)
        if (strcmp(OPTIONS[i].name, name) == 0)
            return &OPTIONS[i];
    return NULL;
}

/* SO_LINGER with a time would have close() wait, which lwIP refuses on sockets that do not block. */
static int64_t set_linger(const struct lwip_request *request)
{
    struct extra *extra = extra_of(request->handle);
    extra->linger = request->numbers[0] != 0;
    extra->linger_s = request->numbers[1];
    return 0;
}

static int64_t do_set_option(const struct lwip_request *request)
{
    const struct option *option = find_option(request->name);
    if (strcmp(request->name, "SO_LINGER") == 0)
        return set_linger(request);
    if (!option)
        return -ENOPROTOOPT;
    int value = (int)request->numbers[0];
    return result_of(lwip_setsockopt(request->handle, option->level, option->number, &value, sizeof value));
}

static int64_t do_get_option(const struct lwip_request *request, struct lwip_answer *answer)
{
    const struct option *option = find_option(request->name);
    const struct extra *extra = extra_of(request->handle);
    int value = 0;
    socklen_t len = sizeof value;
    if (strcmp(request->name, "SO_LINGER") == 0) {
        answer->value = extra->linger ? extra->linger_s : -1;
        return 0;
    }
    if (!option)
        return -ENOPROTOOPT;
    int64_t result = result_of(lwip_getsockopt(request->handle, option->level, option->number, &value, &len));
    answer->value = value;
    return result;
}

static int64_t do_ioctl(const struct lwip_request *request, struct lwip_answer *answer)
{
    int value = 0;
    int64_t result = -ENOTTY;
    if (strcmp(request->name, "SIOCINQ") == 0 || strcmp(request->name, "FIONREAD") == 0)
        result = result_of(lwip_ioctl(request->handle, FIONREAD, &value));
    else if (strcmp(request->name, "SIOCOUTQ") == 0)
        result = status_unacknowledged(request->handle);
    answer->value = result > 0 ? result : value;
    return result < 0 ? result : 0;
}

static int64_t do_status(const struct lwip_request *request, struct lwip_answer *answer, uint8_t *out)
{
    struct lwip_status status;
    int64_t result = status_find(&request->endpoint, &request->peer, &status);
    if (result == 0) {
        memcpy(out, &status, sizeof status);
        answer->octets = sizeof status;
    }
    return result;
}

void calls_serve(const struct lwip_request *request, const uint8_t *request_octets, struct lwip_answer *answer, uint8_t *octets)
{
    switch (request->call) {
    case ASK_SOCKET: answer->result = do_socket(request); break;
    case ASK_BIND: answer->result = do_bind(request); break;
    case ASK_CONNECT: answer->result = do_connect(request); break;
    case ASK_LISTEN: answer->result = result_of(lwip_listen(request->handle, (int)request->numbers[0])); break;
    case ASK_ACCEPT: answer->result = do_accept(request, answer); break;
    case ASK_SEND: answer->result = do_send(request, request_octets); break;
    case ASK_RECEIVE: answer->result = do_receive(request, answer, octets); break;
    case ASK_SHUTDOWN: answer->result = do_shutdown(request); break;
    case ASK_CLOSE: answer->result = do_close(request); break;
    case ASK_SET_OPTION: answer->result = do_set_option(request); break;
    case ASK_GET_OPTION: answer->result = do_get_option(request, answer); break;
    case ASK_IOCTL: answer->result = do_ioctl(request, answer); break;
    case ASK_POLL: answer->result = do_poll(request, answer); break;
    case ASK_LOCAL_ENDPOINT: answer->result = do_local_endpoint(request, answer); break;
    case ASK_STATUS: answer->result = do_status(request, answer, octets); break;
    default: answer->result = -ENOSYS;
    }
}

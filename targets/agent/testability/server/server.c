/* An upper tester on plain sockets (server.h). A socket's number is its place in the table, plus a multiple of the table's size
 * that grows whenever the place is taken anew, so that a number is not given twice in a row. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER = 16, ANSWER_MAX = 64, READ_AT_ONCE = 8192, UNLIMITED = 0xFFFF };

/* §6.8 */
enum rid {
    E_OK = 0x00,
    E_NOK = 0x01,
    E_NTF = 0xFF,
    E_PEN = 0xFE,
    E_INV = 0xFC,
    E_ISD = 0xEF,
    E_UCS = 0xEE,
    E_UBS = 0xED,
    TCP_INR = 0xE8,
    TCP_CAE = 0xE7,
    TCP_COC = 0xE6,
    TCP_CNE = 0xE5,
    TCP_CRE = 0xE4,
    TCP_CAT = 0xE3,
    TCP_COR = 0xE2,
    LATER = 0x100, /* no answer yet */
};

struct request {
    struct ut_peer from;
    uint8_t header[HEADER];
    const uint8_t *at, *end; /* parameters not yet taken */
    bool short_of;           /* there were too few */
    uint8_t answer[ANSWER_MAX];
    size_t answer_len;
};

struct place {
    int fd; /* -1: free */
    uint16_t number;
    bool listens, connecting, forwards, leaving; /* leaving: closed, with octets still to be sent */
    uint16_t accepts_left;
    uint32_t forward_max, read_left; /* octets of an event; octets to be read until it is over */
    struct request connect;          /* not answered yet */
    struct ut_peer told;             /* who hears of it */
    uint8_t *unsent;
    size_t unsent_at, unsent_len;
};

struct ut {
    struct ut_config config;
    unsigned rounds;
    struct place places[UT_SOCKETS_MAX];
};

/* ---- octets ------------------------------------------------------------------------------------------------------ */

static unsigned number(struct request *q, size_t octets)
{
    unsigned value = 0;
    if ((size_t)(q->end - q->at) < octets) {
        q->short_of = true;
        return 0;
    }
    for (; octets; octets--)
        value = value << 8 | *q->at++;
    return value;
}

/* A field whose length stands before it (§6.7.5). */
static const uint8_t *field(struct request *q, size_t *len)
{
    *len = number(q, 2);
    if ((size_t)(q->end - q->at) < *len) {
        q->short_of = true;
        *len = 0;
    }
    const uint8_t *start = q->at;
    q->at += *len;
    return start;
}

static void append(uint8_t *to, size_t *len, unsigned value, size_t octets)
{
    while (octets--)
        to[(*len)++] = (uint8_t)(value >> 8 * octets);
}

/* An IP address is 4 or 16 octets long, and that is its version (§6.7.5.1). */
static bool address(struct request *q, unsigned port, struct sockaddr_storage *out, socklen_t *out_len)
{
    size_t len;
    const uint8_t *octets = field(q, &len);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    memset(out, 0, sizeof *out);
    if (q->short_of || (len != 4 && len != 16))
        return false;
    if (len == 4) {
        memcpy(&v4.sin_addr, octets, 4);
        memcpy(out, &v4, sizeof v4);
    } else {
        memcpy(&v6.sin6_addr, octets, 16);
        memcpy(out, &v6, sizeof v6);
    }
    *out_len = len == 4 ? sizeof v4 : sizeof v6;
    return true;
}

static void append_endpoint(uint8_t *to, size_t *len, const struct sockaddr_storage *who)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (who->ss_family == AF_INET6) {
        memcpy(&v6, who, sizeof v6);
        append(to, len, ntohs(v6.sin6_port), 2);
        append(to, len, 16, 2);
        memcpy(to + *len, &v6.sin6_addr, 16);
        *len += 16;
        return;
    }
    memcpy(&v4, who, sizeof v4);
    append(to, len, ntohs(v4.sin_port), 2);
    append(to, len, 4, 2);
    memcpy(to + *len, &v4.sin_addr, 4);
    *len += 4;
}

/* ---- messages out ------------------------------------------------------------------------------------------------ */

static void respond(struct ut *ut, struct request *q, unsigned rid)
{
    uint8_t message[HEADER + ANSWER_MAX];
    size_t at = 4;
    memcpy(message, q->header, HEADER);
    append(message, &at, (unsigned)(8 + q->answer_len), 4);
    if (!ut->config.returns_request_id)
        memset(message + 8, 0, 4);
    message[14] = 0x80;
    message[15] = (uint8_t)rid;
    memcpy(message + HEADER, q->answer, q->answer_len);
    ut->config.send(ut->config.context, &q->from, message, HEADER + q->answer_len);
}

/* An event of the TCP group: its parameters stand in message from HEADER on. */
static void tell(struct ut *ut, const struct place *p, unsigned pid, unsigned rid, uint8_t *message, size_t len)
{
    size_t at = 0;
    memset(message, 0, HEADER);
    append(message, &at, 0x0105, 2);
    append(message, &at, 0x80 | 2, 1);
    append(message, &at, pid, 1);
    append(message, &at, (unsigned)(len - 8), 4);
    message[12] = message[13] = 1;
    message[14] = 0x02;
    message[15] = (uint8_t)rid;
    ut->config.send(ut->config.context, &p->told, message, len);
}

static void tell_end(struct ut *ut, struct place *p, unsigned rid)
{
    uint8_t message[HEADER + 4] = {0};
    p->forwards = false;
    tell(ut, p, 3, rid, message, sizeof message);
}

/* RFC 793's user errors, by what sockets say. */
static unsigned rid_of(int error)
{
    static const struct {
        int error;
        unsigned rid;
    } known[] = {
        {ECONNREFUSED, TCP_COR}, {ECONNRESET, TCP_CRE}, {EPIPE, TCP_COC},    {ETIMEDOUT, TCP_CAT},   {ENOTCONN, TCP_CNE},
        {EISCONN, TCP_CAE},      {ENOBUFS, TCP_INR},    {EADDRINUSE, E_UBS}, {EADDRNOTAVAIL, E_UBS},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].error == error)
            return known[i].rid;
    return error ? E_NOK : E_OK;
}

/* ---- sockets ----------------------------------------------------------------------------------------------------- */

static struct place *new_place(struct ut *ut, int fd)
{
    for (unsigned i = 0; i < UT_SOCKETS_MAX; i++) {
        struct place *p = &ut->places[i];
        if (p->fd >= 0)
            continue;
        unsigned round = ++ut->rounds % (0xFFFF / UT_SOCKETS_MAX);
        *p = (struct place){.fd = fd, .number = (uint16_t)(round * UT_SOCKETS_MAX + i)};
        return p;
    }
    return NULL;
}

static struct place *find_place(struct ut *ut, unsigned wanted)
{
    struct place *p = &ut->places[wanted % UT_SOCKETS_MAX];
    return p->fd >= 0 && p->number == wanted && !p->leaving ? p : NULL;
}

static void drop(struct place *p, bool reset)
{
    const struct linger now = {.l_onoff = 1};
    if (reset)
        setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(p->fd);
    free(p->unsent);
    *p = (struct place){.fd = -1};
}

/* Sends what is waiting. 0, or how it failed. */
static int flush(struct place *p)
{
    while (p->unsent_at < p->unsent_len) {
        ssize_t sent = send(p->fd, p->unsent + p->unsent_at, p->unsent_len - p->unsent_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : errno;
        p->unsent_at += (size_t)sent;
    }
    free(p->unsent);
    p->unsent = NULL;
    p->unsent_at = p->unsent_len = 0;
    return 0;
}

/* ---- the primitives: each gives its result (§6.10) ------------------------------------------------------------------ */

static unsigned get_version(struct ut *ut, struct request *q)
{
    (void)ut;
    append(q->answer, &q->answer_len, 1, 2);
    append(q->answer, &q->answer_len, 2, 2);
    append(q->answer, &q->answer_len, 0, 2);
    return E_OK;
}

static unsigned start_test(struct ut *ut, struct request *q)
{
    (void)ut, (void)q;
    return E_OK;
}

static unsigned end_test(struct ut *ut, struct request *q)
{
    (void)q;
    for (unsigned i = 0; i < UT_SOCKETS_MAX; i++)
        if (ut->places[i].fd >= 0)
            drop(&ut->places[i], true);
    return E_OK;
}

static unsigned close_socket(struct ut *ut, struct request *q)
{
    struct place *p = find_place(ut, number(q, 2));
    bool reset = number(q, 1) != 0;
    if (q->short_of || !p)
        return q->short_of ? E_INV : E_ISD;
    if (p->connecting)
        respond(ut, &p->connect, TCP_COC);
    p->forwards = p->connecting = false;
    p->leaving = !reset && p->unsent_len > 0;
    if (!p->leaving)
        drop(p, reset);
    return E_OK;
}

static unsigned create_and_bind(struct ut *ut, struct request *q)
{
    static const int on = 1;
    struct sockaddr_storage local = {0};
    socklen_t len;
    unsigned binds = number(q, 1), port = number(q, 2);
    if (!address(q, port == 0xFFFF ? 0 : port, &local, &len))
        return E_INV;
    int fd = socket(local.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    struct place *p = fd < 0 ? NULL : new_place(ut, fd);
    if (!p) {
        if (fd >= 0)
            close(fd);
        return E_UCS;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (binds && bind(fd, (struct sockaddr *)&local, len) != 0) {
        drop(p, false);
        return E_UBS;
    }
    append(q->answer, &q->answer_len, p->number, 2);
    return E_OK;
}

/* data is repeated up to totalLen. */
static uint8_t *repeated(const uint8_t *data, size_t len, size_t total)
{
    uint8_t *out = malloc(total);
    for (size_t i = 0; out && i < total; i++)
        out[i] = len ? data[i % len] : 0;
    return out;
}

static unsigned send_data(struct ut *ut, struct request *q)
{
    struct place *p = find_place(ut, number(q, 2));
    size_t len, total = number(q, 2);
    unsigned flags = number(q, 1);
    const uint8_t *data = field(q, &len);
    if (q->short_of || flags & 0x20) /* URG: not with these sockets, where it is one octet and has no flag */
        return E_INV;
    if (!p)
        return E_ISD;
    if (p->unsent_len)
        return E_PEN;
    total = total < len ? len : total;
    if (total == 0)
        return E_OK;
    p->unsent = repeated(data, len, total);
    if (!p->unsent)
        return TCP_INR;
    p->unsent_len = total;
    int failed = flush(p);
    if (failed) {
        free(p->unsent);
        p->unsent = NULL;
        p->unsent_len = 0;
    }
    return rid_of(failed);
}

/* Up to here everything is thrown away, from here on everything is forwarded. */
static unsigned receive_and_forward(struct ut *ut, struct request *q)
{
    uint8_t thrown[READ_AT_ONCE];
    unsigned wanted = number(q, 2), forward_max = number(q, 2), read_max = number(q, 2);
    struct place *p = find_place(ut, wanted);
    size_t count = 0;
    ssize_t len = 0;
    if (q->short_of || !p)
        return q->short_of ? E_INV : E_ISD;
    if (p->listens)
        return E_NOK;
    while (!p->connecting && (len = recv(p->fd, thrown, sizeof thrown, MSG_DONTWAIT)) > 0)
        count += (size_t)len;
    int error = len < 0 && errno != EAGAIN ? errno : 0;
    append(q->answer, &q->answer_len, count < 0xFFFF ? (unsigned)count : 0xFFFF, 2);
    p->forwards = !error;
    p->forward_max = forward_max;
    p->read_left = read_max == UNLIMITED ? UINT32_MAX : read_max;
    p->told = q->from;
    return rid_of(error);
}

static unsigned listen_and_accept(struct ut *ut, struct request *q)
{
    struct place *p = find_place(ut, number(q, 2));
    unsigned connections = number(q, 2);
    if (q->short_of || !p)
        return q->short_of ? E_INV : E_ISD;
    if (listen(p->fd, (int)connections) != 0)
        return rid_of(errno);
    p->listens = true;
    p->accepts_left = (uint16_t)connections;
    p->told = q->from;
    return E_OK;
}

static unsigned connect_socket(struct ut *ut, struct request *q)
{
    struct place *p = find_place(ut, number(q, 2));
    unsigned port = number(q, 2);
    struct sockaddr_storage remote = {0};
    socklen_t len;
    if (!address(q, port, &remote, &len))
        return E_INV;
    if (!p || p->connecting)
        return p ? E_PEN : E_ISD;
    int status = connect(p->fd, (struct sockaddr *)&remote, len) == 0 ? 0 : errno;
    if (status != EINPROGRESS || ut->config.connects_at_once)
        return status == EINPROGRESS ? E_OK : rid_of(status);
    p->connecting = true;
    p->connect = *q;
    return LATER;
}

static unsigned set_number(const struct place *p, int level, int option, int value)
{
    return setsockopt(p->fd, level, option, &value, sizeof value) == 0 ? E_OK : E_INV;
}

static bool is_version_6(const struct place *p)
{
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof local;
    return getsockname(p->fd, (struct sockaddr *)&local, &len) == 0 && local.ss_family == AF_INET6;
}

static unsigned configure_socket(struct ut *ut, struct request *q)
{
    struct place *p = find_place(ut, number(q, 2));
    unsigned parameter = number(q, 2);
    size_t len;
    const uint8_t *value = field(q, &len);
    if (q->short_of || len != (parameter == 5 ? 2 : 1))
        return E_INV;
    if (!p)
        return E_ISD;
    bool six = is_version_6(p);
    switch (parameter) {
    case 0: return six ? set_number(p, IPPROTO_IPV6, IPV6_UNICAST_HOPS, *value) : set_number(p, IPPROTO_IP, IP_TTL, *value);
    case 1:
    case 4: return six ? set_number(p, IPPROTO_IPV6, IPV6_TCLASS, *value) : set_number(p, IPPROTO_IP, IP_TOS, *value);
    case 5: return set_number(p, IPPROTO_TCP, TCP_MAXSEG, value[0] << 8 | value[1]);
    case 6: return set_number(p, IPPROTO_TCP, TCP_NODELAY, *value == 0);
    default: return E_NTF;
    }
}

static unsigned shut_down(struct ut *ut, struct request *q)
{
    static const int ways[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
    struct place *p = find_place(ut, number(q, 2));
    unsigned way = number(q, 1);
    if (q->short_of || way > 2)
        return E_INV;
    if (!p)
        return E_ISD;
    return shutdown(p->fd, ways[way]) == 0 ? E_OK : rid_of(errno);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static const struct primitive {
    uint8_t gid, pid;
    unsigned (*perform)(struct ut *ut, struct request *q);
} primitives[] = {
    {0, 1, get_version}, {0, 2, start_test},          {0, 3, end_test},          {2, 0, close_socket},   {2, 1, create_and_bind},
    {2, 2, send_data},   {2, 3, receive_and_forward}, {2, 4, listen_and_accept}, {2, 5, connect_socket}, {2, 6, configure_socket},
    {2, 7, shut_down},
};

static void perform(struct ut *ut, struct request *q)
{
    unsigned rid = E_NTF;
    for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++)
        if (q->header[2] == primitives[i].gid && q->header[3] == primitives[i].pid)
            rid = primitives[i].perform(ut, q);
    if (rid != LATER)
        respond(ut, q, rid);
}

void ut_input(struct ut *ut, const struct ut_peer *from, const uint8_t *bytes, size_t len)
{
    while (len >= HEADER) {
        struct request q = {.from = *from, .at = bytes + 4, .end = bytes + len};
        size_t follows = number(&q, 4);
        if (follows < 8 || follows > len - 8)
            return;
        memcpy(q.header, bytes, HEADER);
        q.at = bytes + HEADER;
        q.end = bytes + 8 + follows;
        bool ours = bytes[0] == 0x01 && bytes[1] == 0x05 && bytes[12] == 1 && bytes[13] == 1 && bytes[14] == 0x00;
        if (ours)
            perform(ut, &q);
        bytes += 8 + follows;
        len -= 8 + follows;
    }
}

/* ---- what sockets report ----------------------------------------------------------------------------------------- */

size_t ut_watch(struct ut *ut, struct pollfd *out)
{
    size_t count = 0;
    for (unsigned i = 0; i < UT_SOCKETS_MAX; i++) {
        const struct place *p = &ut->places[i];
        short events = (short)((p->connecting || p->unsent_len ? POLLOUT : 0) |
                               ((p->listens && p->accepts_left) || (p->forwards && !p->connecting) ? POLLIN : 0));
        if (p->fd >= 0 && events)
            out[count++] = (struct pollfd){.fd = p->fd, .events = events};
    }
    return count;
}

static void accept_all(struct ut *ut, struct place *p)
{
    while (p->accepts_left) {
        uint8_t message[HEADER + 24];
        struct sockaddr_storage who = {0};
        socklen_t who_len = sizeof who;
        size_t len = HEADER;
        int fd = accept4(p->fd, (struct sockaddr *)&who, &who_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct place *fresh = fd < 0 ? NULL : new_place(ut, fd);
        if (!fresh) {
            if (fd >= 0)
                close(fd);
            return;
        }
        p->accepts_left--;
        append(message, &len, p->number, 2);
        append(message, &len, fresh->number, 2);
        append_endpoint(message, &len, &who);
        tell(ut, p, 4, E_OK, message, len);
    }
}

static void connected(struct ut *ut, struct place *p)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    p->connecting = false;
    respond(ut, &p->connect, rid_of(error));
}

static void forward(struct ut *ut, struct place *p)
{
    static const size_t parameters = HEADER + 4;
    uint8_t message[HEADER + 4 + READ_AT_ONCE];
    while (p->forwards && p->read_left) {
        size_t wanted = p->read_left < READ_AT_ONCE ? p->read_left : READ_AT_ONCE, at = HEADER;
        ssize_t len = recv(p->fd, message + parameters, wanted, MSG_DONTWAIT);
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (len <= 0) {
            tell_end(ut, p, len == 0 ? TCP_COC : rid_of(errno));
            return;
        }
        if (p->read_left != UINT32_MAX)
            p->read_left -= (uint32_t)len;
        size_t told = (size_t)len < p->forward_max ? (size_t)len : p->forward_max;
        append(message, &at, (unsigned)len, 2);
        append(message, &at, (unsigned)told, 2);
        tell(ut, p, 3, E_OK, message, parameters + told);
    }
    p->forwards = false;
}

static void serve(struct ut *ut, struct place *p)
{
    if (p->connecting) {
        connected(ut, p);
        return;
    }
    if (p->listens)
        accept_all(ut, p);
    if (p->unsent_len && flush(p) != 0)
        p->unsent_at = p->unsent_len = 0;
    if (p->leaving && p->unsent_len == 0) {
        drop(p, false);
        return;
    }
    if (p->forwards)
        forward(ut, p);
}

void ut_work(struct ut *ut, const struct pollfd *watched, size_t count)
{
    for (unsigned i = 0; i < UT_SOCKETS_MAX; i++)
        for (size_t k = 0; k < count; k++)
            if (ut->places[i].fd >= 0 && watched[k].fd == ut->places[i].fd && watched[k].revents) {
                serve(ut, &ut->places[i]);
                break;
            }
}

struct ut *ut_new(const struct ut_config *config)
{
    struct ut *ut = calloc(1, sizeof *ut);
    if (!ut)
        return NULL;
    ut->config = *config;
    for (unsigned i = 0; i < UT_SOCKETS_MAX; i++)
        ut->places[i].fd = -1;
    return ut;
}

void ut_free(struct ut *ut)
{
    for (unsigned i = 0; i < UT_SOCKETS_MAX; i++)
        if (ut->places[i].fd >= 0)
            drop(&ut->places[i], true);
    free(ut);
}

/* What a request costs an application: on a new connection, on one that is there already, and with the request in the SYN (fast
 * open, RFC 7413). HTTP/1.1 without TLS. */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/probe/http.h"
#include "engine/probe/inside.h"

enum { REQUEST_MAX = 2048, READ_AT_A_TIME = 65536 };

struct exchange {
    int64_t connect_ns, first_byte_ns, whole_ns; /* since the first call */
    bool keeps_open, syn_data_acked;
    char status[64];
};

struct request {
    struct run *run;
    char text[REQUEST_MAX];
    size_t len;
    uint8_t buffer[READ_AT_A_TIME];
    struct answer answer;
};

static bool say(char why[static PROBE_TEXT_MAX], const char *what, const char *detail)
{
    snprintf(why, PROBE_TEXT_MAX, "%s%s%.180s", what, *detail ? ": " : "", detail);
    return false;
}

static bool compose(struct request *r)
{
    const struct probe_config *config = r->run->config;
    char port[8] = "";
    if (r->run->remote.port != 80)
        snprintf(port, sizeof port, ":%u", r->run->remote.port);
    const int len = snprintf(r->text, sizeof r->text, "GET %s HTTP/1.1\r\nHost: %s%s\r\nUser-Agent: tcpassay/" TCPASSAY_VERSION
                             "\r\nAccept: */*\r\n\r\n", config->request_path, config->request_host, port);
    r->len = (size_t)len;
    return len > 0 && (size_t)len < sizeof r->text;
}

static bool send_all(struct request *r, int fd, size_t sent, int64_t deadline_ns, char why[static PROBE_TEXT_MAX])
{
    while (sent < r->len) {
        const ssize_t now = send(fd, r->text + sent, r->len - sent, MSG_NOSIGNAL);
        if (now > 0)
            sent += (size_t)now;
        else if (errno != EAGAIN && errno != EINPROGRESS)
            return say(why, "sending the request", strerror(errno));
        else if (!wait_for(r->run, fd, POLLOUT, deadline_ns))
            return say(why, "the host takes no request", "");
    }
    return true;
}

static bool read_answer(struct request *r, int fd, int64_t begun_ns, struct exchange *out, char why[static PROBE_TEXT_MAX])
{
    const int64_t deadline_ns = monotonic_ns() + r->run->config->wait_ns;
    memset(&r->answer, 0, sizeof r->answer);
    while (r->answer.state != ANSWER_DONE) {
        if (!wait_for(r->run, fd, POLLIN, deadline_ns))
            return say(why, "no whole answer in the time given", "--wait gives more");
        const ssize_t got = recv(fd, r->buffer, sizeof r->buffer, 0);
        if (got < 0 && errno == EAGAIN)
            continue;
        if (got < 0)
            return say(why, "reading the answer", strerror(errno));
        if (!out->first_byte_ns)
            out->first_byte_ns = monotonic_ns() - begun_ns;
        if (got == 0 && !answer_end(&r->answer))
            return say(why, "the host closed the connection before its answer was whole", "");
        answer_take(&r->answer, r->buffer, (size_t)got);
        if (r->answer.state == ANSWER_BROKEN)
            return say(why, "what came is no HTTP/1 that can be read to its end", "");
    }
    out->whole_ns = monotonic_ns() - begun_ns;
    out->keeps_open = r->answer.keeps_open;
    memcpy(out->status, r->answer.status_text, sizeof out->status);
    return true;
}

/* A connection of its own; on success it is left open. */
static bool on_new(struct request *r, int *fd, struct exchange *out, char why[static PROBE_TEXT_MAX])
{
    struct attempt a;
    *out = (struct exchange){0};
    attempt(r->run, &r->run->remote, r->run->config->wait_ns, &a);
    *fd = a.fd;
    if (a.fd < 0)
        return say(why, "the connection was not opened", a.outcome.error ? strerror(a.outcome.error) : "");
    out->connect_ns = a.outcome.took_ns;
    return send_all(r, a.fd, 0, a.begun_ns + r->run->config->wait_ns, why) && read_answer(r, a.fd, a.begun_ns, out, why);
}

static bool on_reused(struct request *r, int fd, struct exchange *out, char why[static PROBE_TEXT_MAX])
{
    const int64_t begun_ns = monotonic_ns();
    *out = (struct exchange){0};
    return send_all(r, fd, 0, begun_ns + r->run->config->wait_ns, why) && read_answer(r, fd, begun_ns, out, why);
}

/* The request is given with the call that opens (RFC 7413 §4.2.1). The kernel sends it in the SYN when it has a cookie of the
 * host's; if not, it asks for one and sends afterwards. */
static bool on_fastopen(struct request *r, struct exchange *out, char why[static PROBE_TEXT_MAX])
{
    struct sockaddr_storage address;
    const socklen_t address_len = socket_address(&r->run->remote, &address);
    const int fd = socket(r->run->remote.addr.version == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *out = (struct exchange){0};
    if (fd < 0)
        return say(why, "a socket", strerror(errno));
    const int64_t begun_ns = monotonic_ns();
    ssize_t sent = sendto(fd, r->text, r->len, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&address, address_len);
    bool good = sent >= 0 || errno == EINPROGRESS;
    if (!good)
        say(why, errno == EOPNOTSUPP ? "this machine has it switched off (sysctl net.ipv4.tcp_fastopen, bit 1)" : "opening",
            errno == EOPNOTSUPP ? "" : strerror(errno));
    good = good && send_all(r, fd, sent > 0 ? (size_t)sent : 0, begun_ns + r->run->config->wait_ns, why)
        && read_answer(r, fd, begun_ns, out, why);
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    out->syn_data_acked =
        good && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && (info.tcpi_options & TCPI_OPT_SYN_DATA);
    close(fd);
    return good;
}

/* ---- several of each ------------------------------------------------------------------------------------------- */

struct samples { unsigned count; int64_t connect_ns[PROBE_REQUESTS], first_byte_ns[PROBE_REQUESTS], whole_ns[PROBE_REQUESTS]; };

static void add(struct samples *s, const struct exchange *e)
{
    s->connect_ns[s->count] = e->connect_ns;
    s->first_byte_ns[s->count] = e->first_byte_ns;
    s->whole_ns[s->count++] = e->whole_ns;
}

static void report_samples(struct probe_request *out, struct samples *s)
{
    if (!s->count)
        return;
    if (s->connect_ns[0])
        out->connect = times_of(s->connect_ns, s->count);
    out->first_byte = times_of(s->first_byte_ns, s->count);
    out->whole = times_of(s->whole_ns, s->count);
}

static void measure_new_and_reused(struct request *r)
{
    struct probe_request *requests = r->run->report->requests;
    struct samples fresh = {0}, reused = {0};
    char *why = requests[PROBE_REQUEST_REUSED].why_not;
    bool good = true;
    for (int i = 0; i < PROBE_REQUESTS && good && !interrupted(r->run); i++) {
        const int64_t next_ns = monotonic_ns() + PROBE_PACE_NS;
        struct exchange e;
        int fd;
        good = on_new(r, &fd, &e, requests[PROBE_REQUEST_NEW].why_not);
        if (good) {
            add(&fresh, &e);
            memcpy(r->run->report->request_status, e.status, sizeof e.status);
            if (!e.keeps_open)
                say(why, "the host closes the connection after its answer", "");
            else if (on_reused(r, fd, &e, why))
                add(&reused, &e);
        }
        if (fd >= 0)
            close(fd);
        wait_until(r->run, next_ns);
    }
    report_samples(&requests[PROBE_REQUEST_NEW], &fresh);
    report_samples(&requests[PROBE_REQUEST_REUSED], &reused);
}

/* The first one gets the cookie. */
static void measure_fastopen(struct request *r)
{
    struct probe_request *request = &r->run->report->requests[PROBE_REQUEST_FASTOPEN];
    struct samples samples = {0};
    bool good = true, in_syn = true;
    for (int i = 0; i <= PROBE_REQUESTS && good && in_syn && !interrupted(r->run); i++) {
        const int64_t next_ns = monotonic_ns() + PROBE_PACE_NS;
        struct exchange e;
        good = on_fastopen(r, &e, request->why_not);
        in_syn = good && (i == 0 || e.syn_data_acked);
        if (good && i > 0 && in_syn)
            add(&samples, &e);
        wait_until(r->run, next_ns);
    }
    if (good && !in_syn && !interrupted(r->run))
        say(request->why_not, "the host takes no data with a SYN: it gives no cookie, or does not take it back", "");
    report_samples(request, &samples);
}

void measure_requests(struct run *run)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r)
        return;
    r->run = run;
    run->report->requested = true;
    if (!compose(r)) {
        say(run->report->requests[PROBE_REQUEST_NEW].why_not, "path and host are too long for a request", "");
    } else {
        measure_new_and_reused(r);
        if (run->report->requests[PROBE_REQUEST_NEW].whole.count)
            measure_fastopen(r);
    }
    free(r);
}

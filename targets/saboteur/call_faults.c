/* Faults in what the IUT tells its application: calls that are answered wrongly, or not carried out. */
#include "targets/saboteur/sabotage.h"

#include <errno.h>
#include <string.h>

/* Not an error of the connection but an answer for now, or to a wrong call. */
static bool is_error_of_connection(int64_t result)
{
    return result < 0 && result != -EAGAIN && result != -EINPROGRESS && result != -EALREADY && result != -EINVAL && result != -EBADF &&
           result != -ENOTCONN && result != -EPIPE;
}

/* ---- accept, listen, connect */

static int64_t accept_nothing(struct target *t, int handle, struct pkt_endpoint *peer)
{
    (void)t;
    (void)handle;
    (void)peer;
    return -EAGAIN;
}

static void never_accepts(struct target_ops *ops)
{
    ops->accept = accept_nothing;
}

static int64_t listen_without_bound(struct target *t, int handle, int backlog)
{
    enum { PLENTY = 65535 };
    struct target *inner = saboteur_of(t)->inner;
    (void)backlog;
    return inner->ops->listen(inner, handle, PLENTY);
}

static void backlog_ignored(struct target_ops *ops)
{
    ops->listen = listen_without_bound;
}

static bool hangs(const struct saboteur *s, int handle)
{
    for (unsigned i = 0; i < s->hanging_count && i < HANGING_HANDLES_MAX; i++)
        if (s->hanging[i] == handle)
            return true;
    return false;
}

static int64_t connect_and_hang(struct target *t, int handle, const struct pkt_endpoint *remote)
{
    struct saboteur *s = saboteur_of(t);
    s->inner->ops->connect(s->inner, handle, remote);
    if (!hangs(s, handle))
        s->hanging[s->hanging_count++ % HANGING_HANDLES_MAX] = handle;
    return -EINPROGRESS;
}

static unsigned poll_while_hanging(struct target *t, int handle)
{
    struct saboteur *s = saboteur_of(t);
    return hangs(s, handle) ? 0 : s->inner->ops->poll(s->inner, handle);
}

static int64_t close_hanging(struct target *t, int handle)
{
    struct saboteur *s = saboteur_of(t);
    for (unsigned i = 0; i < s->hanging_count && i < HANGING_HANDLES_MAX; i++)
        if (s->hanging[i] == handle)
            s->hanging[i] = -1;
    return s->inner->ops->close_handle(s->inner, handle);
}

static void connect_hangs(struct target_ops *ops)
{
    ops->connect = connect_and_hang;
    ops->poll = poll_while_hanging;
    ops->close_handle = close_hanging;
}

static int64_t connect_again(struct target *t, int handle, const struct pkt_endpoint *remote)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->connect(inner, handle, remote);
    return result == -EISCONN || result == -EALREADY ? 0 : result;
}

static void connect_again_ok(struct target_ops *ops)
{
    ops->connect = connect_again;
}

/* ---- what is read */

static int64_t receive_corrupt(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->receive_data(inner, handle, out, len, flags);
    if (result > 0)
        out[0] ^= 0x55;
    return result;
}

static void read_corrupt(struct target_ops *ops)
{
    ops->receive_data = receive_corrupt;
}

static int64_t receive_more(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->receive_data(inner, handle, out, len, flags);
    if (result <= 0 || (size_t)result == len)
        return result;
    out[result] = 0;
    return result + 1;
}

static void read_too_long(struct target_ops *ops)
{
    ops->receive_data = receive_more;
}

static int64_t receive_end(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->receive_data(inner, handle, out, len, flags);
    return is_error_of_connection(result) ? 0 : result;
}

static void read_short_eof(struct target_ops *ops)
{
    ops->receive_data = receive_end;
}

static int64_t receive_unopened(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->receive_data(inner, handle, out, len, flags);
    return result == -ENOTCONN ? 0 : result;
}

static void read_unopened_eof(struct target_ops *ops)
{
    ops->receive_data = receive_unopened;
}

static int64_t receive_early_end(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->receive_data(inner, handle, out, len, flags);
    return result == -EAGAIN ? 0 : result;
}

static void read_early_eof(struct target_ops *ops)
{
    ops->receive_data = receive_early_end;
}

static int64_t receive_invented_error(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->receive_data(inner, handle, out, len, flags);
    return result == 0 && len > 0 ? -ECONNRESET : result;
}

static void error_invented(struct target_ops *ops)
{
    ops->receive_data = receive_invented_error;
}

/* ---- errors kept back */

static int64_t receive_no_error(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->receive_data(inner, handle, out, len, flags);
    return is_error_of_connection(result) ? -EAGAIN : result;
}

static int64_t send_no_error(struct target *t, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->send_data(inner, handle, data, len, flags);
    return is_error_of_connection(result) || result == -EPIPE ? (int64_t)len : result;
}

/* A handle tells its own endpoint only: any connection there counts. */
static bool is_shut_out(struct saboteur *s, int handle)
{
    struct pkt_endpoint local;
    if (s->inner->ops->local_endpoint(s->inner, handle, &local) < 0)
        return false;
    for (unsigned i = 0; i < s->tracker.count; i++)
        if (s->tracker.connections[i].probed && s->tracker.connections[i].zero_window &&
            s->tracker.connections[i].iut.port == local.port)
            return true;
    return false;
}

static int64_t receive_unless_shut_out(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    return is_shut_out(saboteur_of(t), handle) ? -ETIMEDOUT : inner->ops->receive_data(inner, handle, out, len, flags);
}

static void zero_window_times_out(struct target_ops *ops)
{
    ops->receive_data = receive_unless_shut_out;
}

static int64_t connect_no_error(struct target *t, int handle, const struct pkt_endpoint *remote)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->connect(inner, handle, remote);
    return is_error_of_connection(result) ? 0 : result;
}

static int64_t get_option_no_error(struct target *t, int handle, const char *name, int64_t *value)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->get_option(inner, handle, name, value);
    if (result >= 0 && !strcmp(name, "SO_ERROR"))
        *value = 0;
    return result;
}

static unsigned poll_no_error(struct target *t, int handle)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->poll(inner, handle) & ~(unsigned)TARGET_EVENT_ERROR;
}

static void error_swallowed(struct target_ops *ops)
{
    ops->receive_data = receive_no_error;
    ops->send_data = send_no_error;
    ops->connect = connect_no_error;
    ops->get_option = get_option_no_error;
    ops->poll = poll_no_error;
}

/* ---- not carried out */

static int64_t close_nothing(struct target *t, int handle)
{
    (void)t;
    (void)handle;
    return 0;
}

static void close_ignored(struct target_ops *ops)
{
    ops->close_handle = close_nothing;
}

static int64_t shutdown_nothing(struct target *t, int handle, enum target_shutdown how)
{
    (void)t;
    (void)handle;
    (void)how;
    return 0;
}

static void shutdown_ignored(struct target_ops *ops)
{
    ops->shutdown = shutdown_nothing;
}

/* A FIN behind the one that was sent already. A handle tells its own endpoint only: where several connections share that, all get
 * one. */
static void send_fin_again(struct saboteur *s, int handle)
{
    struct pkt_endpoint local;
    if (s->inner->ops->local_endpoint(s->inner, handle, &local) < 0)
        return;
    for (unsigned i = 0; i < s->tracker.count; i++) {
        const struct connection *c = &s->tracker.connections[i];
        struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = c->iut.addr, .dst = c->tester.addr, .src_port = c->iut.port,
                                .dst_port = c->tester.port, .seq = c->snd_nxt, .ack = c->rcv_nxt, .flags = PKT_FIN | PKT_ACK,
                                .window = c->last_window};
        if (c->fin_sent && !c->closed && c->iut.port == local.port)
            saboteur_emit(s, &spec);
    }
}

static int64_t shutdown_with_fin(struct target *t, int handle, enum target_shutdown how)
{
    struct saboteur *s = saboteur_of(t);
    if (how != TARGET_SHUT_RD)
        send_fin_again(s, handle);
    return s->inner->ops->shutdown(s->inner, handle, how);
}

static int64_t close_with_fin(struct target *t, int handle)
{
    struct saboteur *s = saboteur_of(t);
    send_fin_again(s, handle);
    return s->inner->ops->close_handle(s->inner, handle);
}

static void fin_each_close(struct target_ops *ops)
{
    ops->shutdown = shutdown_with_fin;
    ops->close_handle = close_with_fin;
}

static int64_t set_all_but(struct target *t, int handle, const char *ignored, const char *name, const int64_t *values,
                           unsigned count)
{
    struct target *inner = saboteur_of(t)->inner;
    return strcmp(name, ignored) ? inner->ops->set_option(inner, handle, name, values, count) : 0;
}

static int64_t set_all_but_linger(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    return set_all_but(t, handle, "SO_LINGER", name, values, count);
}

static void abort_as_close(struct target_ops *ops)
{
    ops->set_option = set_all_but_linger;
}

static int64_t set_all_but_nodelay(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    return set_all_but(t, handle, "TCP_NODELAY", name, values, count);
}

static void nodelay_ignored(struct target_ops *ops)
{
    ops->set_option = set_all_but_nodelay;
}

/* Turns an option on for whatever handle a call gave. */
static int64_t with_option(struct target *inner, int64_t handle, const char *name)
{
    const int64_t on = 1;
    if (handle >= 0)
        inner->ops->set_option(inner, (int)handle, name, &on, 1);
    return handle;
}

static int64_t socket_with_nodelay(struct target *t, uint8_t ip_version)
{
    struct target *inner = saboteur_of(t)->inner;
    return with_option(inner, inner->ops->socket(inner, ip_version), "TCP_NODELAY");
}

static int64_t accept_with_nodelay(struct target *t, int handle, struct pkt_endpoint *peer)
{
    struct target *inner = saboteur_of(t)->inner;
    return with_option(inner, inner->ops->accept(inner, handle, peer), "TCP_NODELAY");
}

static void nodelay_always(struct target_ops *ops)
{
    ops->socket = socket_with_nodelay;
    ops->accept = accept_with_nodelay;
}

static int64_t set_all_but_user_timeout(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    return set_all_but(t, handle, "TCP_USER_TIMEOUT", name, values, count);
}

static void user_timeout_ignored(struct target_ops *ops)
{
    ops->set_option = set_all_but_user_timeout;
}

/* ---- keep-alives */

static int64_t set_all_but_keepalive(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    return set_all_but(t, handle, "SO_KEEPALIVE", name, values, count);
}

static void keepalive_ignored(struct target_ops *ops)
{
    ops->set_option = set_all_but_keepalive;
}

static int64_t socket_with_keepalive(struct target *t, uint8_t ip_version)
{
    struct target *inner = saboteur_of(t)->inner;
    return with_option(inner, inner->ops->socket(inner, ip_version), "SO_KEEPALIVE");
}

static int64_t accept_with_keepalive(struct target *t, int handle, struct pkt_endpoint *peer)
{
    struct target *inner = saboteur_of(t)->inner;
    return with_option(inner, inner->ops->accept(inner, handle, peer), "SO_KEEPALIVE");
}

static void keepalive_on(struct target_ops *ops)
{
    ops->socket = socket_with_keepalive;
    ops->accept = accept_with_keepalive;
}

static int64_t set_keepalive_only_on(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    struct target *inner = saboteur_of(t)->inner;
    if (!strcmp(name, "SO_KEEPALIVE") && count > 0 && !values[0])
        return 0;
    return inner->ops->set_option(inner, handle, name, values, count);
}

static void keepalive_stays_on(struct target_ops *ops)
{
    ops->set_option = set_keepalive_only_on;
}

/* A probe numbered as things stand now, and again and again. */
static void probe_restlessly(struct saboteur *s, struct connection *c)
{
    static const int64_t INTERVAL_NS = 500000000;
    struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = c->iut.addr, .dst = c->tester.addr, .src_port = c->iut.port, .dst_port = c->tester.port,
                            .seq = c->snd_nxt - 1, .ack = c->rcv_nxt, .flags = PKT_ACK, .window = c->last_window ? c->last_window : UINT16_MAX};
    struct segment probe = {.bytes = s->outbound, .connection = c, .now_ns = saboteur_now(s)};
    ssize_t len = pkt_build(s->builder, &spec, probe.bytes, SEGMENT_BYTES_MAX);
    if (len <= 0)
        return;
    probe.len = (size_t)len;
    pkt_parse(probe.bytes, probe.len, &probe.packet);
    timed_repeat(&s->timed, &probe, (struct pace){.kind = REPEAT_REGARDLESS, .next_ns = probe.now_ns + INTERVAL_NS, .interval_ns = INTERVAL_NS,
                                                  .until_ns = INT64_MAX});
}

/* A handle tells its own endpoint only: where several connections share that, all are probed. */
static int64_t set_keepalive_restless(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    struct saboteur *s = saboteur_of(t);
    struct pkt_endpoint local;
    int64_t result = s->inner->ops->set_option(s->inner, handle, name, values, count);
    if (strcmp(name, "SO_KEEPALIVE") || count == 0 || !values[0] || s->inner->ops->local_endpoint(s->inner, handle, &local) < 0)
        return result;
    for (unsigned i = 0; i < s->tracker.count; i++)
        if (s->tracker.connections[i].iut.port == local.port && !s->tracker.connections[i].closed &&
            s->tracker.connections[i].has_irs)
            probe_restlessly(s, &s->tracker.connections[i]);
    return result;
}

static void keepalive_restless(struct target_ops *ops)
{
    ops->set_option = set_keepalive_restless;
}

/* ---- states and urgent data */

static enum tcp_state lie(enum tcp_state state)
{
    return (enum tcp_state)((state + 1) % TCP_STATE_COUNT);
}

/* A state is reported as the next in the RFC's list; no connection, as one in TIME-WAIT. */
static int64_t status_of_liar(struct target *t, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                              struct target_status *out)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->status(inner, local, remote, out);
    if (result == -ENOENT) {
        *out = (struct target_status){.state = TCP_STATE_TIME_WAIT};
        return 0;
    }
    if (result == 0)
        out->state = lie(out->state);
    return result == 0 && out->state == TCP_STATE_CLOSED ? -ENOENT : result;
}

static void state_lies(struct target_ops *ops)
{
    ops->status = status_of_liar;
}

static unsigned poll_not_urgent(struct target *t, int handle)
{
    struct target *inner = saboteur_of(t)->inner;
    return inner->ops->poll(inner, handle) & ~(unsigned)TARGET_EVENT_URGENT;
}

static int64_t receive_not_urgent(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *inner = saboteur_of(t)->inner;
    return flags & TARGET_MSG_OOB ? -EINVAL : inner->ops->receive_data(inner, handle, out, len, flags);
}

static int64_t ioctl_not_urgent(struct target *t, int handle, const char *name, int64_t *value)
{
    struct target *inner = saboteur_of(t)->inner;
    int64_t result = inner->ops->ioctl(inner, handle, name, value);
    if (result >= 0 && !strcmp(name, "SIOCATMARK"))
        *value = 0;
    return result;
}

static void urgent_unreported(struct target_ops *ops)
{
    ops->poll = poll_not_urgent;
    ops->receive_data = receive_not_urgent;
    ops->ioctl = ioctl_not_urgent;
}

static const struct fault faults[] = {
    {"never-accepts", "never hands a connection to the application that accepts", .replace = never_accepts},
    {"listen-backlog-ignored", "listens with a backlog of 65535, whatever it is told", .replace = backlog_ignored},
    {"connect-hangs", "never tells how a connect ended", .replace = connect_hangs},
    {"connect-again-ok", "carries out a second connect, or says so, where there is a connection already", .replace = connect_again_ok},
    {"read-corrupt", "hands the application other data than came", .replace = read_corrupt},
    {"read-too-long", "hands the application an octet more than came", .replace = read_too_long},
    {"read-short-eof", "reports the end of the stream where the connection was reset", .replace = read_short_eof},
    {"read-unopened-eof", "reports the end of the stream where there is no connection", .replace = read_unopened_eof},
    {"read-early-eof", "reports the end of the stream where nothing waits to be read", .replace = read_early_eof},
    {"error-invented", "reports a reset where the stream ended in good order", .replace = error_invented},
    {"zero-window-times-out", "takes a zero window that it has probed for a dead connection, whatever answers came", .replace = zero_window_times_out},
    {"error-swallowed", "reports no error of a connection", .replace = error_swallowed},
    {"close-ignored", "does not carry out CLOSE, and says it did", .replace = close_ignored},
    {"shutdown-ignored", "does not carry out the shutdown of one direction, and says it did", .replace = shutdown_ignored},
    {"fin-each-close", "sends a FIN for each CLOSE or shutdown, the second numbered behind the first", .replace = fin_each_close},
    {"abort-as-close", "closes where it is told to abort (SO_LINGER with zero seconds)", .replace = abort_as_close},
    {"nodelay-ignored", "keeps Nagle's algorithm on when it is turned off", .replace = nodelay_ignored},
    {"nodelay-always", "has no Nagle's algorithm, or has it turned off from the start", .replace = nodelay_always},
    {"keepalive-ignored", "keeps keep-alives off when they are turned on", .replace = keepalive_ignored},
    {"keepalive-on", "sends keep-alives without being asked to", .replace = keepalive_on},
    {"keepalive-stays-on", "goes on with keep-alives when they are turned off", .replace = keepalive_stays_on},
    {"keepalive-restless", "sends a keep-alive probe every 500 ms once they are turned on, whatever was heard or is outstanding",
     .replace = keepalive_restless},
    {"user-timeout-ignored", "does not heed the user timeout that the application sets", .replace = user_timeout_ignored},
    {"state-lies", "reports another state than it is in", .replace = state_lies},
    {"urgent-unreported", "does not tell the application of urgent data", .replace = urgent_unreported},
};
const struct fault_group call_faults = {SABOTEUR_CALLS, faults, sizeof faults / sizeof *faults};

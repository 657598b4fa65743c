/* Moves octets between sockets and services.
 *
 * Theory of operation. Each connection has a buffer of octets received that the service could not take yet, and one of octets that
 * the socket could not take yet. One turn moves what can be moved, within a bound, so that all get on. A connection ends
 *   when the peer has closed and everything has been answered, or
 *   when the service is finished: then our side is shut down, and what still comes is dropped until the peer closes too (to close
 * at once would reset the connection, RFC 9293 §3.6.1, and perhaps before the peer has read the last answer), or when the socket
 * reports an error. */
#include "targets/reference/serve/connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FASTOPEN_QUEUE = 32 }; /* requests in SYNs at one time (RFC 7413 §5.1) */
enum { CLOSING_MAX = 512 }; /* of those closed, that connections_list() still looks for; the oldest is forgotten */

struct buffer {
    size_t at, len; /* the octets from at to len are to go */
    uint8_t bytes[CONNECTION_BUFFER];
};

struct connection {
    const struct service *service;
    void *state;
    int handle;
    bool peer_closed, shut_down;
    struct buffer in, out;
};

struct endpoints { struct pkt_endpoint local, remote; };

struct connections {
    struct ref_stack *stack;
    const struct http_config *config;
    int listeners[SERVICE_COUNT];
    struct connection *open[CONNECTIONS_MAX];
    unsigned count;
    struct endpoints closing[CLOSING_MAX]; /* a ring */
    unsigned closing_next;
};

static bool open_listener(struct connections *c, unsigned i)
{
    const struct pkt_endpoint any = { .port = services[i].port };
    const int64_t fastopen_queue = FASTOPEN_QUEUE;
    c->listeners[i] = (int)ref_socket(c->stack, 6); /* takes IPv4 peers, too */
    if (c->listeners[i] < 0)
        c->listeners[i] = (int)ref_socket(c->stack, 4); /* a stack without an IPv6 address */
    return c->listeners[i] >= 0 && ref_bind(c->stack, c->listeners[i], &any) == 0 &&
           ref_set_option(c->stack, c->listeners[i], "TCP_FASTOPEN", &fastopen_queue, 1) == 0 &&
           ref_listen(c->stack, c->listeners[i], 128) == 0;
}

struct connections *connections_new(struct ref_stack *stack, const struct http_config *config)
{
    struct connections *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->stack = stack;
    c->config = config;
    for (unsigned i = 0; i < SERVICE_COUNT; i++) {
        if (!open_listener(c, i)) {
            free(c);
            return NULL;
        }
    }
    return c;
}

static void free_connection(struct connection *conn)
{
    conn->service->close(conn->state);
    free(conn);
}

void connections_free(struct connections *c)
{
    for (unsigned i = 0; c && i < c->count; i++)
        free_connection(c->open[i]);
    free(c);
}

/* ---- one connection -------------------------------------------------------------------------------------------- */

/* Each moves some octets and returns how many; a negative errno value when the connection is gone. */

static int64_t receive(struct connections *c, struct connection *conn)
{
    if (conn->in.at < conn->in.len || conn->peer_closed)
        return 0;
    int64_t got = ref_receive(c->stack, conn->handle, conn->in.bytes, sizeof conn->in.bytes, 0);
    if (got < 0)
        return got == -EAGAIN ? 0 : got;
    conn->peer_closed = got == 0;
    conn->in.at = 0;
    conn->in.len = (size_t)got;
    return got;
}

static int64_t feed(struct connection *conn)
{
    size_t len = conn->in.len - conn->in.at;
    size_t taken = conn->shut_down ? len : conn->service->take(conn->state, conn->in.bytes + conn->in.at, len);
    conn->in.at += taken;
    return (int64_t)taken;
}

static int64_t draw(struct connection *conn)
{
    if (conn->out.at < conn->out.len || conn->shut_down || (conn->peer_closed && conn->service->ends_with_peer))
        return 0;
    conn->out.at = 0;
    conn->out.len = conn->service->give(conn->state, conn->out.bytes, sizeof conn->out.bytes);
    return (int64_t)conn->out.len;
}

static int64_t transmit(struct connections *c, struct connection *conn)
{
    if (conn->out.at == conn->out.len)
        return 0;
    int64_t sent = ref_send(c->stack, conn->handle, conn->out.bytes + conn->out.at, conn->out.len - conn->out.at, 0);
    if (sent < 0)
        return sent == -EAGAIN ? 0 : sent;
    conn->out.at += (size_t)sent;
    return sent;
}

/* What a turn came to. */
enum outcome { WAITING, MORE, ENDED };

static enum outcome run(struct connections *c, struct connection *conn)
{
    int64_t moved_in_all = 0;
    for (int64_t moved = 1; moved && moved_in_all < CONNECTION_OCTETS_A_TURN; moved_in_all += moved) {
        int64_t received = receive(c, conn), taken = feed(conn), given = draw(conn), sent = transmit(c, conn);
        if (received < 0 || sent < 0)
            return ENDED;
        moved = received + taken + given + sent;
    }
    if (moved_in_all >= CONNECTION_OCTETS_A_TURN || (!conn->shut_down && conn->service->is_busy(conn->state)))
        return MORE;
    bool all_sent = conn->out.at == conn->out.len, all_taken = conn->in.at == conn->in.len;
    if (conn->peer_closed && all_sent && (all_taken || conn->shut_down))
        return ENDED;
    if (!conn->shut_down && all_sent && conn->service->is_finished(conn->state)) {
        ref_shutdown(c->stack, conn->handle, REF_SHUT_WR);
        conn->shut_down = true;
        return MORE;
    }
    return WAITING;
}

/* ---- all of them ----------------------------------------------------------------------------------------------- */

static void accept_from(struct connections *c, unsigned i)
{
    while (c->count < CONNECTIONS_MAX) {
        int64_t handle = ref_accept(c->stack, c->listeners[i], NULL);
        if (handle < 0)
            return;
        struct connection *conn = malloc(sizeof *conn);
        void *state = conn ? services[i].open(c->config) : NULL;
        if (!state) {
            free(conn);
            ref_abort(c->stack, (int)handle);
            return;
        }
        conn->service = &services[i];
        conn->state = state;
        conn->handle = (int)handle;
        conn->peer_closed = conn->shut_down = false;
        conn->in.at = conn->in.len = conn->out.at = conn->out.len = 0;
        c->open[c->count++] = conn;
    }
}

static void end(struct connections *c, unsigned i)
{
    struct connection *conn = c->open[i];
    struct endpoints *closing = &c->closing[c->closing_next];
    if (ref_local_endpoint(c->stack, conn->handle, &closing->local) == 0
        && ref_remote_endpoint(c->stack, conn->handle, &closing->remote) == 0)
        c->closing_next = (c->closing_next + 1) % CLOSING_MAX;
    ref_close(c->stack, conn->handle);
    free_connection(conn);
    c->open[i] = c->open[--c->count];
}

bool connections_run(struct connections *c)
{
    bool more = false;
    for (unsigned i = 0; i < SERVICE_COUNT; i++)
        accept_from(c, i);
    for (unsigned i = 0; i < c->count;) {
        enum outcome outcome = run(c, c->open[i]);
        more |= outcome == MORE;
        if (outcome == ENDED)
            end(c, i); /* the last one takes its place */
        else
            i++;
    }
    return more;
}

/* ---- the list -------------------------------------------------------------------------------------------------- */

static const char *endpoint_text(const struct pkt_endpoint *endpoint, char out[static PKT_ADDR_TEXT_MAX + 8])
{
    char addr[PKT_ADDR_TEXT_MAX];
    if (!endpoint->addr.version)
        snprintf(out, PKT_ADDR_TEXT_MAX + 8, "*:%u", endpoint->port);
    else
        snprintf(out, PKT_ADDR_TEXT_MAX + 8, endpoint->addr.version == 6 ? "[%s]:%u" : "%s:%u", pkt_addr_format(&endpoint->addr, addr),
                 endpoint->port);
    return out;
}

static void list_one(const struct ref_status *status, const struct endpoints *ends, const char *service, FILE *out)
{
    char local[PKT_ADDR_TEXT_MAX + 8], remote[PKT_ADDR_TEXT_MAX + 8];
    fprintf(out, "%-12s %8u %8u  %-28s %-28s", tcp_state_name(status->state), status->unread_bytes,
            status->unsent_bytes + status->unacked_bytes, endpoint_text(&ends->local, local), endpoint_text(&ends->remote, remote));
    if (status->state != TCP_STATE_LISTEN)
        fprintf(out, " rto %.0f ms, srtt %.2f ms, cwnd %u, retransmits %u", (double)status->rto_ns / 1e6,
                (double)status->srtt_ns / 1e6, status->cwnd_bytes, status->retransmits);
    fprintf(out, "%s%s\n", *service ? "  " : "", service);
}

static void list_handle(struct connections *c, int handle, const char *service, FILE *out)
{
    struct ref_status status;
    struct endpoints ends = { 0 };
    if (ref_handle_status(c->stack, handle, &status) != 0)
        return;
    ref_local_endpoint(c->stack, handle, &ends.local);
    ref_remote_endpoint(c->stack, handle, &ends.remote);
    list_one(&status, &ends, service, out);
}

void connections_list(struct connections *c, FILE *out)
{
    fprintf(out, "%-12s %8s %8s  %-28s %-28s\n", "State", "Recv-Q", "Send-Q", "Local", "Remote");
    for (unsigned i = 0; i < SERVICE_COUNT; i++)
        list_handle(c, c->listeners[i], services[i].name, out);
    for (unsigned i = 0; i < c->count; i++)
        list_handle(c, c->open[i]->handle, c->open[i]->service->name, out);
    for (unsigned i = 0; i < CLOSING_MAX; i++) {
        const struct endpoints *ends = &c->closing[i];
        struct ref_status status;
        if (ends->remote.port && ref_status(c->stack, &ends->local, &ends->remote, &status) == 0 &&
            status.state != TCP_STATE_LISTEN)
            list_one(&status, ends, "", out);
    }
}

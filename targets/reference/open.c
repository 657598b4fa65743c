/* RFC 9293 §3.10.1 OPEN: bind, listen, accept, connect; local addresses (MUST-43, -44) and ephemeral ports (RFC 6056). */
#include "targets/reference/stack.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- local sockets: who uses which ------------------------------------------------------------------------------- */

static bool addresses_overlap(const struct pkt_addr *a, const struct pkt_addr *b)
{
    return a->version == 0 || b->version == 0 || pkt_addr_equal(a, b);
}

/* Would a bind to local collide with another socket? With SO_REUSEADDR on both only listeners collide (MUST-42). */
static bool socket_in_use(const struct ref_stack *stack, const struct pkt_endpoint *local, const struct ref_socket *self)
{
    for (uint32_t i = 0; i < stack->sockets_capacity; i++) {
        struct ref_socket *other = stack->sockets[i];
        if (!other || other == self || !other->bound || other->local.port != local->port)
            continue;
        bool both_reuse = self->options.reuse_address && ref_socket_options(other)->reuse_address && !other->listener;
        if (!both_reuse && addresses_overlap(&other->local.addr, &local->addr))
            return true;
    }
    return false;
}

/* Connections without a socket of their own (orphans, TIME-WAIT, not accepted yet) keep their port, unless SO_REUSEADDR. */
static bool connection_in_use(const struct ref_stack *stack, const struct pkt_endpoint *local, const struct ref_socket *self)
{
    if (self->options.reuse_address)
        return false;
    for (const struct ref_tcb *tcb = stack->connections; tcb; tcb = tcb->hh.next) {
        if (tcb->tuple.local_port == local->port && addresses_overlap(&local->addr, &tcb->tuple.local))
            return true;
    }
    return false;
}

static uint16_t random_port(struct ref_stack *stack)
{
    uint32_t span = (uint32_t)stack->config.port_max - stack->config.port_min + 1;
    return (uint16_t)(stack->config.port_min + ref_random(stack) % span);
}

/* RFC 6056 §3.3.2: draw again while the port does not do; then look at all of them in turn. usable says whether it does. */
static uint16_t choose_port(struct ref_stack *stack, bool (*usable)(struct ref_stack *, const void *, uint16_t),
                            const void *context)
{
    enum { DRAWS = 16 };
    uint16_t port = 0;
    for (int i = 0; i < DRAWS; i++) {
        port = random_port(stack);
        if (usable(stack, context, port))
            return port;
    }
    uint32_t span = (uint32_t)stack->config.port_max - stack->config.port_min + 1;
    for (uint32_t i = 0; i < span; i++) {
        port = port == stack->config.port_max ? stack->config.port_min : (uint16_t)(port + 1);
        if (usable(stack, context, port))
            return port;
    }
    return 0;
}

struct bind_request { const struct ref_socket *socket; struct pkt_addr addr; };

static bool bind_usable(struct ref_stack *stack, const void *context, uint16_t port)
{
    const struct bind_request *request = context;
    const struct pkt_endpoint local = { .addr = request->addr, .port = port };
    return !socket_in_use(stack, &local, request->socket) && !connection_in_use(stack, &local, request->socket);
}

/* An address the application gave, for a socket of this version; version 0 is any. */
static int64_t check_local_address(const struct ref_stack *stack, const struct ref_socket *socket, struct pkt_addr *addr)
{
    static const struct pkt_addr any_ipv4 = { .version = 4 }, any_ipv6 = { .version = 6 };
    if (addr->version == 4 || socket->ip_version == 6)
        *addr = ref_address_unmap(addr);
    if (addr->version == 0 || pkt_addr_equal(addr, &any_ipv4) || pkt_addr_equal(addr, &any_ipv6)) {
        *addr = (struct pkt_addr){ 0 };
        return 0;
    }
    if (addr->version != socket->ip_version && (socket->ip_version != 6 || socket->options.v6only))
        return -EAFNOSUPPORT;
    return ref_address_is_ours(stack, addr) ? 0 : -EADDRNOTAVAIL;
}

static int64_t bind_socket(struct ref_stack *stack, struct ref_socket *socket, struct pkt_endpoint local)
{
    const struct bind_request request = { .socket = socket, .addr = local.addr };
    if (local.port == 0)
        local.port = choose_port(stack, bind_usable, &request);
    else if (!bind_usable(stack, &request, local.port))
        return -EADDRINUSE;
    if (local.port == 0)
        return -EADDRINUSE;
    socket->local = local;
    socket->bound = true;
    return 0;
}

int64_t ref_bind(struct ref_stack *stack, int handle, const struct pkt_endpoint *local)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    struct pkt_endpoint wanted = *local;
    if (!socket)
        return -EBADF;
    if (socket->bound || socket->tcb || socket->listener)
        return -EINVAL;
    int64_t error = check_local_address(stack, socket, &wanted.addr);
    return error ? error : bind_socket(stack, socket, wanted);
}

/* ---- passive OPEN ------------------------------------------------------------------------------------------------ */

/* A passive OPEN creates a record of its own or fails; it changes no other (MUST-41). */
static bool listener_exists(const struct ref_stack *stack, const struct ref_socket *socket)
{
    for (const struct ref_listener *l = stack->listeners; l; l = l->next) {
        bool versions_meet = l->socket->ip_version == socket->ip_version
                          || !(l->socket->ip_version == 6 ? l->socket : socket)->options.v6only;
        if (l->local.port == socket->local.port && versions_meet && addresses_overlap(&l->local.addr, &socket->local.addr))
            return true;
    }
    return false;
}

int64_t ref_listen(struct ref_stack *stack, int handle, int backlog)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    uint32_t bound = backlog < 1 ? 1 : (uint32_t)backlog;
    if (!socket)
        return -EBADF;
    if (socket->tcb)
        return -EINVAL;
    if (socket->listener) {
        socket->listener->backlog = bound;
        return 0;
    }
    if (!socket->bound) {
        int64_t error = bind_socket(stack, socket, (struct pkt_endpoint){ 0 });
        if (error)
            return error;
    }
    if (listener_exists(stack, socket))
        return -EADDRINUSE;
    if (stack->listener_count >= stack->config.listeners_max)
        return -ENOBUFS;
    struct ref_listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return -ENOMEM;
    listener->socket = socket;
    listener->local = socket->local;
    listener->backlog = bound;
    listener->next = stack->listeners;
    stack->listeners = listener;
    stack->listener_count++;
    socket->listener = listener;
    return 0;
}

static struct pkt_addr shown_to(const struct ref_socket *socket, const struct pkt_addr *addr)
{
    return socket->ip_version == 6 && addr->version == 4 ? ref_address_map(addr) : *addr;
}

int64_t ref_accept(struct ref_stack *stack, int handle, struct pkt_endpoint *peer)
{
    struct ref_socket *listening = ref_socket_get(stack, handle);
    int error = 0;
    if (!listening)
        return -EBADF;
    if (!listening->listener)
        return -EINVAL;
    if (stack->sockets_used >= stack->config.sockets_max)
        return -EMFILE;
    struct ref_tcb *tcb = ref_accept_queue_pop(listening->listener);
    if (!tcb)
        return -EAGAIN;
    struct ref_socket *socket = ref_socket_new(stack, listening->ip_version, &error);
    if (!socket) {
        ref_tcb_abort(tcb, 0);
        ref_reap(stack);
        return -error;
    }
    socket->bound = true;
    socket->local = (struct pkt_endpoint){ .addr = tcb->tuple.local, .port = tcb->tuple.local_port };
    socket->tcb = tcb;
    tcb->socket = socket;
    if (peer)
        *peer = (struct pkt_endpoint){ .addr = shown_to(socket, &tcb->tuple.remote), .port = tcb->tuple.remote_port };
    return socket->handle;
}

/* ---- active OPEN ------------------------------------------------------------------------------------------------- */

/* What the SYN offers is settled before it is sent. */
static void initialise(struct ref_tcb *tcb)
{
    const struct ref_config *config = &tcb->stack->config;
    uint8_t version = tcb->tuple.local.version;
    tcb->offer_wscale = config->window_scaling;
    tcb->offer_timestamps = config->timestamps;
    tcb->offer_sack = config->sack;
    tcb->offer_ecn = config->ecn == REF_ECN_ON;
    tcb->rcv_wscale = tcb->offer_wscale ? ref_window_shift((uint32_t)tcb->options.receive_buffer) : 0;
    tcb->rcv_mss = ref_announced_mss(tcb->stack, version, &tcb->options);
    tcb->snd_mss = version == 4 ? REF_DEFAULT_MSS_IPV4 : REF_DEFAULT_MSS_IPV6;
    ref_cc_established(tcb); /* again when the peer's MSS is known */
}

void ref_tcb_open_active(struct ref_tcb *tcb, const uint8_t *data, uint32_t len)
{
    struct ref_stack *stack = tcb->stack;
    initialise(tcb);
    tcb->iss = ref_isn(stack, &tcb->tuple, stack->now_ns);
    if (tcb->time_wait && seq_le(tcb->iss, tcb->time_wait->snd_nxt))
        tcb->iss = tcb->time_wait->snd_nxt + 1;
    tcb->snd_una = tcb->iss;
    tcb->snd_data = tcb->iss + 1;
    if (len && ref_ring_reserve(&tcb->snd_ring, len, 0, &stack->buffers)) {
        ref_ring_write(&tcb->snd_ring, 0, data, len);
        tcb->snd_queued = tcb->fastopen_syn_data = len;
    }
    tcb->snd_nxt = tcb->snd_rtx = tcb->snd_data + tcb->fastopen_syn_data;
    tcb->state = TCP_STATE_SYN_SENT;
    uint32_t window = ref_receive_window(tcb);
    tcb->rcv_wnd = window > UINT16_MAX ? UINT16_MAX : window; /* the SYN's is not scaled */
    ref_send_syn(tcb, true); /* <SEQ=ISS><CTL=SYN> */
    ref_arm_timers(tcb);
}

/* May this TIME-WAIT be left for a new active open? RFC 6191 §3: timestamps tell the incarnations apart. */
static bool reusable(const struct ref_tcb *tcb)
{
    return tcb->state == TCP_STATE_TIME_WAIT && tcb->stack->config.tw_reuse && tcb->timestamps && !tcb->socket
        && tcb->stack->now_ns - (tcb->timer_at[REF_TIMER_LIFETIME] - 2 * tcb->stack->config.msl_ns) >= REF_NS_PER_S;
}

static bool connect_usable(struct ref_stack *stack, const void *context, uint16_t port)
{
    struct ref_tuple tuple = *(const struct ref_tuple *)context;
    struct pkt_endpoint local = { .addr = tuple.local, .port = port };
    tuple.local_port = port;
    const struct ref_tcb *existing = ref_tcb_find(stack, &tuple);
    return !ref_listener_find(stack, &local) && (!existing || reusable(existing)); /* RFC 6056 §3.2: not a service's port */
}

static int64_t check_remote(const struct ref_stack *stack, struct ref_socket *socket, struct pkt_endpoint *remote)
{
    if (remote->addr.version == 4 || socket->ip_version == 6)
        remote->addr = ref_address_unmap(&remote->addr);
    if (remote->addr.version == 0 || remote->port == 0)
        return -EINVAL; /* "error: remote socket unspecified" */
    bool mapped = remote->addr.version == 4 && socket->ip_version == 6;
    if ((remote->addr.version != socket->ip_version && !mapped) || (mapped && socket->options.v6only))
        return -EAFNOSUPPORT;
    if (!ref_address_is_unicast(stack, &remote->addr) || ref_address_is_ours(stack, &remote->addr))
        return -ENETUNREACH; /* MUST-46; and there is no loopback */
    return ref_address_for(stack, remote->addr.version) ? 0 : -ENETUNREACH;
}

/* Fills in the local socket (MUST-43 to -45): as bound, else chosen. */
static int64_t complete_tuple(struct ref_stack *stack, struct ref_socket *socket, const struct pkt_endpoint *remote,
                              struct ref_tuple *tuple)
{
    *tuple = (struct ref_tuple){ .remote = remote->addr, .remote_port = remote->port };
    tuple->local = socket->bound && socket->local.addr.version ? socket->local.addr : *ref_address_for(stack, remote->addr.version);
    if (tuple->local.version != remote->addr.version)
        return -EINVAL;
    if (socket->bound) {
        tuple->local_port = socket->local.port;
        const struct ref_tcb *existing = ref_tcb_find(stack, tuple);
        return existing && !reusable(existing) ? -EADDRNOTAVAIL : 0; /* "error: connection already exists" */
    }
    tuple->local_port = choose_port(stack, connect_usable, tuple);
    return tuple->local_port ? 0 : -EADDRNOTAVAIL;
}

/* A socket whose connection is over, and the application knows it, may connect again. */
static bool may_try_anew(const struct ref_socket *socket)
{
    return socket->tcb->state == TCP_STATE_CLOSED && !socket->error && !socket->connect_unreported;
}

static void let_go(struct ref_socket *socket)
{
    struct ref_tcb *tcb = socket->tcb;
    socket->options = tcb->options;
    socket->tcb = NULL;
    tcb->socket = NULL;
    socket->read_shut = false;
    ref_tcb_release(tcb);
}

/* The outcome of an earlier connect(). */
static int64_t connect_again(struct ref_socket *socket)
{
    if (socket->error) {
        int error = socket->error;
        socket->error = 0;
        socket->connect_unreported = false;
        return -error;
    }
    if (socket->tcb->state == TCP_STATE_SYN_SENT || socket->tcb->state == TCP_STATE_SYN_RECEIVED)
        return -EALREADY;
    if (socket->tcb->state == TCP_STATE_CLOSED && socket->connect_unreported) {
        socket->connect_unreported = false;
        return -ECONNABORTED;
    }
    if (!socket->connect_unreported)
        return -EISCONN;
    socket->connect_unreported = false;
    return 0;
}

static int64_t open_active(struct ref_stack *stack, struct ref_socket *socket, struct pkt_endpoint remote, const uint8_t *data,
                           uint32_t len, bool fastopen)
{
    struct ref_tuple tuple;
    int64_t error = complete_tuple(stack, socket, &remote, &tuple);
    if (error)
        return error;
    struct ref_tcb *existing = ref_tcb_find(stack, &tuple);
    struct ref_tcb *tcb = existing ? ref_tcb_replace(existing, &socket->options) : ref_tcb_new(stack, &tuple, &socket->options);
    ref_reap(stack); /* one may have been evicted */
    if (!tcb)
        return -ENOBUFS; /* "error: insufficient resources" */
    socket->bound = true;
    socket->local = (struct pkt_endpoint){ .addr = tuple.local, .port = tuple.local_port };
    socket->tcb = tcb;
    socket->connect_unreported = true;
    tcb->socket = socket;
    tcb->fastopen_request = tcb->fastopen = fastopen;
    ref_tcb_open_active(tcb, data, len);
    return 0;
}

int64_t ref_connect(struct ref_stack *stack, int handle, const struct pkt_endpoint *remote)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    struct pkt_endpoint to = *remote;
    if (!socket)
        return -EBADF;
    if (socket->listener)
        return -EISCONN;
    if (socket->tcb && !may_try_anew(socket))
        return connect_again(socket);
    if (socket->tcb)
        let_go(socket);
    int64_t error = check_remote(stack, socket, &to);
    if (error)
        return error;
    if (socket->options.fastopen_connect && (stack->config.fastopen & REF_FASTOPEN_CLIENT) &&
        ref_fastopen_cached(stack, &to.addr)) {
        socket->fastopen_deferred = true;
        socket->deferred_remote = to;
        return 0;
    }
    error =
        open_active(stack, socket, to, NULL, 0, socket->options.fastopen_connect && (stack->config.fastopen & REF_FASTOPEN_CLIENT));
    return error ? error : -EINPROGRESS;
}

/* ---- SEND that opens: RFC 7413 §4.2.1, §4.2.2 -------------------------------------------------------------------- */

/* How much data the SYN may carry: with a cookie of that server, and not beyond its MSS (§4.1.3). */
static uint32_t syn_data_room(struct ref_stack *stack, const struct pkt_addr *remote)
{
    enum { SYN_OPTIONS_MAX = 40 };
    const struct ref_fastopen_entry *entry = ref_fastopen_cached(stack, remote);
    if (!entry || entry->cookie_len == 0)
        return 0;
    uint32_t mss = entry->mss ? entry->mss : remote->version == 4 ? REF_DEFAULT_MSS_IPV4 : REF_DEFAULT_MSS_IPV6;
    uint32_t link = stack->config.mtu - ref_headers_len(remote->version), most = remote->version == 4 ? 1460 : 1440;
    mss = mss < link ? mss : link;
    mss = mss < most ? mss : most;
    return mss > SYN_OPTIONS_MAX ? mss - SYN_OPTIONS_MAX : 0;
}

int64_t ref_send_to(struct ref_stack *stack, int handle, const struct pkt_endpoint *remote, const uint8_t *data, size_t len,
                    unsigned flags)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    bool deferred = socket->fastopen_deferred;
    if (socket->tcb || (!deferred && (!(flags & REF_MSG_FASTOPEN) || !remote)))
        return ref_send(stack, handle, data, len, flags);
    if (!(stack->config.fastopen & REF_FASTOPEN_CLIENT))
        return -EOPNOTSUPP;
    struct pkt_endpoint to = deferred ? socket->deferred_remote : *remote;
    int64_t error = check_remote(stack, socket, &to);
    uint32_t room = error ? 0 : syn_data_room(stack, &to.addr);
    uint32_t syn_data = len < room ? (uint32_t)len : room;
    if (!error)
        error = open_active(stack, socket, to, data, syn_data, true);
    if (error)
        return error;
    socket->fastopen_deferred = false;
    if (syn_data == 0)
        return -EINPROGRESS; /* a cookie was asked for; the data follows when the connection is there */
    return syn_data;
}

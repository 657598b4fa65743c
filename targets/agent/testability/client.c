/* An upper tester on the AUTOSAR Testability Protocol (client.h).
 *
 * Channels. Neither a response nor an event of RECEIVE_AND_FORWARD names the socket it is about (§6.10), and both go to whoever
 * asked. So each socket has a channel (a UDP port) of its own, and what comes there is its own. An upper tester that sends its
 * events to one place for all is understood as long as one socket at a time forwards.
 *
 * Sockets. CREATE_AND_BIND makes a socket and binds it in one step, so a handle has no socket at the other side before bind(),
 * connect() or listen(); options set before that are remembered and follow it.
 *
 * Exchanges. A handle has up to three requests under way: the call that waits for its answer, a CONNECT, which may be answered when
 * the connection is there, and the RECEIVE_AND_FORWARD that follows as soon as there is one. */
#include "targets/agent/testability/client.h"
#include "targets/agent/testability/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HANDLES_MAX = TPSP_CHANNELS_MAX - 1,
    OPTIONS_MAX = 8,
    REPLY_MAX = 16,
    BUFFER_MAX = 64 << 20, /* octets forwarded and not yet read, of a socket */
    SEND_MAX = 65000,      /* octets of one SEND_DATA, so that it fits a datagram … */
    FORWARD_MAX = 65000,   /* … and of one event */
    CONNECTIONS_MIN = 64,  /* of a listener: LISTEN_AND_ACCEPT's maxCon counts all it ever takes */
    CALLS_MEASURED = 8,
    EPOCHS = 1 << 20,
    PORTS_FIRST = 49152,
    PORTS = 16384,
    PORTS_TRIED = 32, /* where connect() binds: the protocol would not say which port was chosen */
};
static const int64_t patience_usual_ns = INT64_C(3000000000), repeat_ns = INT64_C(200000000), pending_ns = INT64_C(2000000),
                     refusal_ns = INT64_C(300000000);

enum slot { SLOT_CALL, SLOT_CONNECT, SLOT_FORWARD, SLOTS };

struct exchange {
    bool open, answered;
    uint8_t group, primitive, result;
    uint32_t id;
    uint8_t reply[REPLY_MAX];
    size_t reply_len;
};

struct option {
    uint16_t parameter;
    uint8_t value[2];
    uint8_t len;
};

enum phase { FREE, FRESH, CREATED, LISTENING, CONNECTING, CONNECTED, BROKEN };

struct handle {
    enum phase phase;
    uint8_t ip_version;
    uint16_t id, port; /* the upper tester's name for it; what it was bound to, 0: unknown */
    int channel;
    struct exchange under_way[SLOTS];
    struct option options[OPTIONS_MAX];
    unsigned option_count;
    bool aborts;    /* SO_LINGER with no time */
    int error;      /* of the connection, negative, not yet told */
    bool eof, hole; /* the peer has closed; something that came is not here */
    uint8_t *data;  /* what was forwarded and not read: octets data_at to data_len */
    size_t data_at, data_len, data_capacity;
    int listener;     /* the handle that has taken it in, until accept(); -1 */
    uint64_t arrival; /* in which order */
    struct pkt_endpoint peer;
    uint64_t full_generation; /* the last write found no room: not asked again before something was sent, or a while has passed */
    int64_t full_until_ns;
};

enum connects { CONNECTS_UNKNOWN, CONNECTS_WAITS, CONNECTS_AT_ONCE }; /* when CONNECT is answered */

struct client {
    struct upper base; /* first: what the station sees */
    struct tpsp_net *net;
    int64_t patience_ns;
    int control; /* the channel of the GENERAL group, -1: none */
    struct exchange general;
    struct handle handles[HANDLES_MAX];
    uint32_t next_id;
    bool echoes; /* the upper tester returns request ids */
    enum connects connects;
    bool lost;
    uint64_t losses, arrivals, generation, dropped;
    int epoch;          /* how often it began anew; part of each handle's number */
    uint64_t confirmed; /* the generation that was current when the upper tester last had its turn */
    unsigned next_port;
    char trouble[256];
    uint8_t in[TPSP_MESSAGE_MAX], out[TPSP_MESSAGE_MAX];
};

static struct client *self(struct upper *u)
{
    return (struct client *)u;
}

__attribute__((format(printf, 2, 3))) static int lose(struct client *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->trouble, sizeof c->trouble, format, arguments);
    va_end(arguments);
    c->lost = true;
    c->losses++;
    return -ECOMM;
}

/* A handle of before the last loss is nobody's any more, and not that of a test that began since. */
static struct handle *handle_at(struct client *c, int number)
{
    int place = number % HANDLES_MAX;
    return number >= 0 && number / HANDLES_MAX == c->epoch && c->handles[place].phase != FREE ? &c->handles[place] : NULL;
}

static int64_t number_of(const struct client *c, const struct handle *h)
{
    return (int64_t)c->epoch * HANDLES_MAX + (h - c->handles);
}

/* Why there is no such handle. */
static int64_t no_handle(const struct client *c, int number)
{
    return c->lost || number / HANDLES_MAX != c->epoch ? -ECOMM : -EBADF;
}

/* ---- handles ----------------------------------------------------------------------------------------------------- */

/* NULL with *error: no more to be had. */
static struct handle *new_handle(struct client *c, int64_t *error)
{
    int number = 0;
    while (number < HANDLES_MAX && c->handles[number].phase != FREE)
        number++;
    int channel = number < HANDLES_MAX ? c->net->ops->open(c->net) : -EMFILE;
    if (channel < 0) {
        *error = channel;
        return NULL;
    }
    c->handles[number] = (struct handle){.phase = FRESH, .channel = channel, .listener = -1};
    return &c->handles[number];
}

static void free_handle(struct client *c, struct handle *h)
{
    c->net->ops->shut(c->net, h->channel);
    free(h->data);
    *h = (struct handle){.phase = FREE};
}

static void free_everything(struct client *c)
{
    for (int i = 0; i < HANDLES_MAX; i++)
        if (c->handles[i].phase != FREE)
            free_handle(c, &c->handles[i]);
    if (c->control >= 0)
        c->net->ops->shut(c->net, c->control);
    c->control = -1;
}

static struct handle *handle_of_channel(struct client *c, int channel)
{
    for (int i = 0; i < HANDLES_MAX; i++)
        if (c->handles[i].phase != FREE && c->handles[i].channel == channel)
            return &c->handles[i];
    return NULL;
}

static struct handle *handle_of_id(struct client *c, uint16_t id)
{
    for (int i = 0; i < HANDLES_MAX; i++)
        if (c->handles[i].phase > FRESH && c->handles[i].id == id)
            return &c->handles[i];
    return NULL;
}

/* ---- exchanges --------------------------------------------------------------------------------------------------- */

static struct tpsp_writer begin(struct client *c, struct exchange *e, uint8_t group, uint8_t primitive)
{
    c->next_id = c->next_id % 0xFFFF + 1;
    *e = (struct exchange){.open = true, .group = group, .primitive = primitive, .id = 0x54430000 | c->next_id};
    return tpsp_begin(c->out, sizeof c->out, group, primitive, e->id);
}

static int transmit(struct client *c, int channel, struct tpsp_writer *w)
{
    size_t len = tpsp_end(w);
    int status = len ? c->net->ops->send(c->net, channel, c->out, len) : -EMSGSIZE;
    if (status == -ECONNREFUSED) /* an ICMP error about what was sent before */
        status = c->net->ops->send(c->net, channel, c->out, len);
    return status == 0 ? 0 : lose(c, "%s: cannot send to it: %s", c->net->peer, strerror(-status));
}

static void dispatch(struct client *c, int channel, const uint8_t *bytes, size_t len);

/* Takes what comes until the exchange is answered (NULL: until nothing more is there). 0; -ETIMEDOUT; -ECOMM. */
static int pump(struct client *c, const struct exchange *e, int64_t until_ns)
{
    while (!c->lost && !(e && e->answered)) {
        int channel;
        ssize_t len = c->net->ops->receive(c->net, &channel, c->in, sizeof c->in, e ? until_ns : 0);
        if (len == -ECONNREFUSED)
            return lose(c, "%s: nobody listens there any more", c->net->peer);
        if (len < 0)
            return lose(c, "%s: %s", c->net->peer, strerror((int)-len));
        if (len == 0)
            break;
        dispatch(c, channel, c->in, (size_t)len);
        uint64_t dropped = c->net->ops->dropped(c->net);
        if (dropped != c->dropped) {
            c->dropped = dropped;
            return lose(c, "%s: datagrams of it were lost on this machine, which is too busy", c->net->peer);
        }
    }
    return c->lost ? -ECOMM : e && !e->answered ? -ETIMEDOUT : 0;
}

static const char *name_of(const struct exchange *e)
{
    static const char *const general[] = {"?", "GET_VERSION", "START_TEST", "END_TEST"};
    static const char *const tcp[] = {"CLOSE_SOCKET",      "CREATE_AND_BIND", "SEND_DATA",        "RECEIVE_AND_FORWARD",
                                      "LISTEN_AND_ACCEPT", "CONNECT",         "CONFIGURE_SOCKET", "SHUTDOWN"};
    if (e->group == TPSP_GENERAL)
        return general[e->primitive <= TPSP_END_TEST ? e->primitive : 0];
    return tcp[e->primitive & 7];
}

static int await(struct client *c, struct exchange *e)
{
    int status = e->answered ? 0 : pump(c, e, c->net->ops->now_ns(c->net) + c->patience_ns);
    e->open = false;
    if (status != -ETIMEDOUT)
        return status;
    return lose(c, "%s: no answer to %s within %.1f s", c->net->peer, name_of(e), (double)c->patience_ns / 1e9);
}

/* A request that is in c->out from begin() on, and its answer: 0, or what its result comes to as a negative errno value. */
static int ask(struct client *c, struct handle *h, struct tpsp_writer *w)
{
    struct exchange *e = &h->under_way[SLOT_CALL];
    int status = transmit(c, h->channel, w);
    if (status == 0)
        status = await(c, e);
    return status < 0 ? status : tpsp_errno(e->result);
}

/* The same for what may be executed twice: asked again and again. Frees the octets it copies aside, as c->out may be used
 * meanwhile. */
static int ask_repeatedly(struct client *c, int channel, struct exchange *e, struct tpsp_writer *w, int64_t patience_ns)
{
    uint8_t copy[128];
    size_t len = tpsp_end(w);
    int64_t until_ns = c->net->ops->now_ns(c->net) + patience_ns;
    if (len == 0 || len > sizeof copy)
        return -EMSGSIZE;
    memcpy(copy, w->bytes, len);
    for (;;) {
        int64_t now_ns = c->net->ops->now_ns(c->net), next_ns = now_ns + repeat_ns < until_ns ? now_ns + repeat_ns : until_ns;
        int status = c->net->ops->send(c->net, channel, copy, len);
        if (status == 0 || status == -ECONNREFUSED)
            status = pump(c, e, next_ns);
        else
            status = lose(c, "%s: cannot send to it: %s", c->net->peer, strerror(-status));
        if (status == 0)
            e->open = false;
        if (status != -ETIMEDOUT)
            return status < 0 ? status : tpsp_errno(e->result);
        if (next_ns >= until_ns)
            return lose(c, "%s: no answer to %s within %.1f s", c->net->peer, name_of(e), (double)patience_ns / 1e9);
    }
}

/* ---- what comes in ----------------------------------------------------------------------------------------------- */

static bool answers(const struct client *c, const struct exchange *e, const struct tpsp_message *m)
{
    return e->open && !e->answered && e->group == m->group && e->primitive == m->primitive &&
           (!c->echoes || e->id == m->request_id);
}

static void start_forwarding(struct client *c, struct handle *h)
{
    struct tpsp_writer w = begin(c, &h->under_way[SLOT_FORWARD], TPSP_TCP, TPSP_RECEIVE_AND_FORWARD);
    tpsp_write_u16(&w, h->id);
    tpsp_write_u16(&w, FORWARD_MAX);
    tpsp_write_u16(&w, TPSP_LIMITLESS);
    transmit(c, h->channel, &w);
}

static void connect_answered(struct client *c, struct handle *h)
{
    struct exchange *e = &h->under_way[SLOT_CONNECT];
    e->open = false;
    if (h->phase != CONNECTING)
        return;
    h->error = tpsp_errno(e->result);
    h->phase = h->error ? BROKEN : CONNECTED;
    if (!h->error)
        start_forwarding(c, h);
}

/* What was there before RECEIVE_AND_FORWARD has been thrown away (§6.10: dropCnt). */
static void forward_answered(struct handle *h)
{
    struct exchange *e = &h->under_way[SLOT_FORWARD];
    e->open = false;
    bool counted = e->reply_len >= 2;
    uint16_t thrown_away = counted ? (uint16_t)(e->reply[0] << 8 | e->reply[1]) : 0;
    if (e->result == TPSP_TCP_COC)
        h->eof = true;
    else if (e->result != TPSP_OK)
        h->error = tpsp_errno(e->result);
    h->hole |= (e->result == TPSP_OK && !counted) || thrown_away > 0 || h->error == -ENOSYS || h->error == -EOPNOTSUPP;
}

static void take_response(struct client *c, int channel, const struct tpsp_message *m)
{
    struct handle *h = channel == c->control ? NULL : handle_of_channel(c, channel);
    struct exchange *e = NULL;
    if (channel == c->control && answers(c, &c->general, m))
        e = &c->general;
    for (int i = 0; h && !e && i < SLOTS; i++)
        if (answers(c, &h->under_way[i], m))
            e = &h->under_way[i];
    if (!e)
        return;
    e->answered = true;
    e->result = m->result;
    e->reply_len = m->parameters_len < REPLY_MAX ? m->parameters_len : REPLY_MAX;
    memcpy(e->reply, m->parameters, e->reply_len);
    if (e == &c->general && m->primitive == TPSP_GET_VERSION)
        c->echoes = m->request_id == e->id;
    if (h && e == &h->under_way[SLOT_CONNECT])
        connect_answered(c, h);
    if (h && e == &h->under_way[SLOT_FORWARD])
        forward_answered(h);
}

/* §6.10, the event of LISTEN_AND_ACCEPT: listenSocketId, newSocketId, port, address. */
static void take_connection(struct client *c, const struct tpsp_message *m)
{
    struct tpsp_reader r = tpsp_read(m);
    uint16_t listener = tpsp_read_u16(&r), id = tpsp_read_u16(&r);
    struct pkt_endpoint peer = {.port = tpsp_read_u16(&r)};
    tpsp_read_address(&r, &peer.addr);
    struct handle *l = handle_of_id(c, listener);
    int64_t error;
    if (r.failed || m->result != TPSP_OK || handle_of_id(c, id)) /* the latter: a datagram that came twice */
        return;
    struct handle *h = l && l->phase == LISTENING ? new_handle(c, &error) : NULL;
    if (!h)
        return;
    h->phase = CONNECTED;
    h->ip_version = peer.addr.version;
    h->id = id;
    h->port = l->port;
    h->peer = peer;
    h->listener = (int)(l - c->handles);
    h->arrival = c->arrivals++;
    start_forwarding(c, h);
}

/* Whose data an event brings, when it did not come on a channel of a socket that forwards: the only one that does. */
static struct handle *forwarding_handle(struct client *c, int channel)
{
    struct handle *h = channel == c->control ? NULL : handle_of_channel(c, channel), *only = NULL;
    if (h && (h->phase == CONNECTED || h->phase == BROKEN))
        return h;
    for (int i = 0; i < HANDLES_MAX; i++) {
        if (c->handles[i].phase != CONNECTED)
            continue;
        if (only) {
            lose(c, "%s: an event with data does not say of which socket they are", c->net->peer);
            return NULL;
        }
        only = &c->handles[i];
    }
    return only;
}

static bool grow(struct handle *h, size_t len)
{
    if (h->data_at == h->data_len)
        h->data_at = h->data_len = 0;
    if (h->data_capacity - h->data_len >= len)
        return true;
    if (h->data_len - h->data_at > BUFFER_MAX)
        return false;
    size_t capacity = 2 * h->data_capacity > h->data_len + len ? 2 * h->data_capacity : h->data_len + len + 4096;
    uint8_t *data = realloc(h->data, capacity);
    if (!data)
        return false;
    h->data = data;
    h->data_capacity = capacity;
    return true;
}

/* §6.10, the event of RECEIVE_AND_FORWARD in the TCP group: fullLen, payload. A result other than E_OK is how the connection ended.
 */
static void take_data(struct client *c, int channel, const struct tpsp_message *m)
{
    struct handle *h = forwarding_handle(c, channel);
    struct tpsp_reader r = tpsp_read(m);
    size_t len, full = tpsp_read_u16(&r);
    const uint8_t *octets = tpsp_read_octets(&r, &len);
    if (!h)
        return;
    if (m->result != TPSP_OK && m->result != TPSP_TCP_COC) {
        h->error = tpsp_errno(m->result);
        h->phase = BROKEN;
        return;
    }
    if (m->result == TPSP_TCP_COC || (!r.failed && full == 0)) {
        h->eof = true;
        return;
    }
    if (r.failed || len != full || h->eof || !grow(h, len)) {
        h->hole = true;
        return;
    }
    memcpy(h->data + h->data_len, octets, len);
    h->data_len += len;
}

static void dispatch(struct client *c, int channel, const uint8_t *bytes, size_t len)
{
    struct tpsp_message m;
    for (size_t taken; len && (taken = tpsp_decode(bytes, len, &m)) > 0; bytes += taken, len -= taken) {
        if (m.service != TPSP_SERVICE)
            continue;
        if (m.type == TPSP_RESPONSE && !m.event)
            take_response(c, channel, &m);
        else if (m.type == TPSP_EVENT && m.group == TPSP_TCP && m.primitive == TPSP_LISTEN_AND_ACCEPT)
            take_connection(c, &m);
        else if (m.type == TPSP_EVENT && m.group == TPSP_TCP && m.primitive == TPSP_RECEIVE_AND_FORWARD)
            take_data(c, channel, &m);
    }
}

static int general(struct client *c, uint8_t primitive, int64_t patience_ns)
{
    struct tpsp_writer w = begin(c, &c->general, TPSP_GENERAL, primitive);
    if (primitive == TPSP_END_TEST) { /* tcId, tsName: may be ignored (§6.10) */
        tpsp_write_u16(&w, 0);
        tpsp_write_octets(&w, NULL, 0);
    }
    return ask_repeatedly(c, c->control, &c->general, &w, patience_ns);
}

/* Before it is said that nothing has happened, although something was sent to the IUT: takes what came, and gives the upper tester
 * a turn in which to tell of it. Nothing obliges it to do so by then; what comes later is understood, too. */
static void catch_up(struct client *c)
{
    pump(c, NULL, 0);
    if (c->lost || c->confirmed == c->generation)
        return;
    c->confirmed = c->generation;
    general(c, TPSP_GET_VERSION, c->patience_ns);
    if (!c->lost)
        pump(c, NULL, 0);
}

/* ---- sockets at the other side ----------------------------------------------------------------------------------- */

static int configure_socket(struct client *c, struct handle *h, const struct option *option)
{
    struct exchange *e = &h->under_way[SLOT_CALL];
    struct tpsp_writer w = begin(c, e, TPSP_TCP, TPSP_CONFIGURE_SOCKET);
    tpsp_write_u16(&w, h->id);
    tpsp_write_u16(&w, option->parameter);
    tpsp_write_octets(&w, option->value, option->len);
    int status = ask_repeatedly(c, h->channel, e, &w, c->patience_ns);
    return status == -ENOSYS || status == -EOPNOTSUPP ? -ENOPROTOOPT : status;
}

/* 0, or -errno. local NULL: not bound. */
static int create(struct client *c, struct handle *h, const struct pkt_endpoint *local)
{
    struct exchange *e = &h->under_way[SLOT_CALL];
    struct pkt_addr any = {.version = h->ip_version};
    struct tpsp_writer w = begin(c, e, TPSP_TCP, TPSP_CREATE_AND_BIND);
    tpsp_write_u8(&w, local != NULL);
    tpsp_write_u16(&w, local && local->port ? local->port : TPSP_PORT_ANY);
    tpsp_write_address(&w, local && local->addr.version ? &local->addr : &any);
    int status = ask(c, h, &w);
    if (status == -ENOSYS && h->ip_version == 6)
        return -EAFNOSUPPORT;
    if (status < 0)
        return status;
    if (e->reply_len < 2)
        return lose(c, "%s: CREATE_AND_BIND gave no socket", c->net->peer);
    uint16_t id = (uint16_t)(e->reply[0] << 8 | e->reply[1]);
    if (handle_of_id(c, id))
        return lose(c, "%s: CREATE_AND_BIND gave socket %u, which is in use", c->net->peer, id);
    h->id = id;
    h->phase = CREATED;
    h->port = local ? local->port : 0;
    for (unsigned i = 0; i < h->option_count && status == 0; i++)
        status = configure_socket(c, h, &h->options[i]);
    return status;
}

static int close_socket(struct client *c, struct handle *h, bool aborts)
{
    struct tpsp_writer w = begin(c, &h->under_way[SLOT_CALL], TPSP_TCP, TPSP_CLOSE_SOCKET);
    tpsp_write_u16(&w, h->id);
    tpsp_write_u8(&w, aborts);
    return ask(c, h, &w);
}

/* Is CONNECT answered when the connection is there (or is refused), or at once? Tried with an endpoint that refuses: what is told
 * of it as a success says nothing. Silence is an upper tester that waits for longer. */
static int find_out_connects(struct client *c)
{
    struct pkt_endpoint refusing;
    int64_t error = 0;
    struct handle *h = c->net->ops->refusing(c->net, &refusing) ? new_handle(c, &error) : NULL;
    if (!h)
        return error < 0 ? (int)error : -ENOSYS;
    h->ip_version = refusing.addr.version;
    int status = create(c, h, NULL);
    struct exchange *e = &h->under_way[SLOT_CONNECT];
    if (status == 0) {
        struct tpsp_writer w = begin(c, e, TPSP_TCP, TPSP_CONNECT);
        tpsp_write_u16(&w, h->id);
        tpsp_write_u16(&w, refusing.port);
        tpsp_write_address(&w, &refusing.addr);
        status = transmit(c, h->channel, &w);
    }
    if (status == 0)
        status = pump(c, e, c->net->ops->now_ns(c->net) + refusal_ns);
    if (status == 0 || status == -ETIMEDOUT) {
        c->connects = e->answered && e->result == TPSP_OK ? CONNECTS_AT_ONCE : CONNECTS_WAITS;
        status = 0;
    }
    if (h->phase == CREATED && !c->lost)
        close_socket(c, h, true);
    free_handle(c, h);
    return c->lost ? -ECOMM : status;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static int64_t client_socket(struct upper *u, uint8_t ip_version)
{
    struct client *c = self(u);
    int64_t error;
    if (c->lost)
        return -ECOMM;
    struct handle *h = new_handle(c, &error);
    if (!h)
        return error;
    h->ip_version = ip_version;
    return number_of(c, h);
}

static int64_t client_bind(struct upper *u, int number, const struct pkt_endpoint *local)
{
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    if (c->lost || !h)
        return no_handle(c, number);
    return h->phase == FRESH ? create(c, h, local) : -EINVAL;
}

static int listen_at(struct client *c, struct handle *h, int connections)
{
    struct tpsp_writer w = begin(c, &h->under_way[SLOT_CALL], TPSP_TCP, TPSP_LISTEN_AND_ACCEPT);
    tpsp_write_u16(&w, h->id);
    tpsp_write_u16(&w, (uint16_t)connections);
    h->phase = LISTENING; /* an event may come before the answer */
    int status = ask(c, h, &w);
    h->phase = status == 0 ? LISTENING : CREATED;
    return status;
}

static int64_t client_listen(struct upper *u, int number, int backlog)
{
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    if (c->lost || !h)
        return no_handle(c, number);
    if (h->phase == LISTENING)
        return 0;
    int status = h->phase == FRESH ? create(c, h, NULL) : h->phase == CREATED ? 0 : -EINVAL;
    int connections = backlog < CONNECTIONS_MIN ? CONNECTIONS_MIN : backlog > UINT16_MAX ? UINT16_MAX : backlog;
    if (status == 0)
        status = listen_at(c, h, connections);
    if (status == -ENOSYS) /* as many are perhaps too many */
        status = listen_at(c, h, backlog < 1 ? 1 : backlog > UINT16_MAX ? UINT16_MAX : backlog);
    return status;
}

static int64_t client_accept(struct upper *u, int number, struct pkt_endpoint *peer)
{
    struct client *c = self(u);
    struct handle *l = handle_at(c, number), *first = NULL;
    if (c->lost || !l)
        return no_handle(c, number);
    if (l->phase != LISTENING)
        return -EINVAL;
    catch_up(c);
    for (int i = 0; i < HANDLES_MAX; i++)
        if (c->handles[i].phase != FREE && c->handles[i].listener == (int)(l - c->handles) &&
            (!first || c->handles[i].arrival < first->arrival))
            first = &c->handles[i];
    if (!first)
        return c->lost ? -ECOMM : -EAGAIN;
    if (first->under_way[SLOT_FORWARD].open && await(c, &first->under_way[SLOT_FORWARD]) < 0)
        return -ECOMM;
    first->listener = -1;
    *peer = first->peer;
    return number_of(c, first);
}

static int create_at_some_port(struct client *c, struct handle *h)
{
    int status = -EADDRINUSE;
    for (int i = 0; i < PORTS_TRIED && status == -EADDRINUSE; i++) {
        struct pkt_endpoint local = {.port = (uint16_t)(PORTS_FIRST + c->next_port++ % PORTS)};
        status = create(c, h, &local);
    }
    return status;
}

static int64_t client_connect(struct upper *u, int number, const struct pkt_endpoint *remote)
{
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    if (c->lost || !h)
        return no_handle(c, number);
    if (h->phase == CONNECTING || h->phase == CONNECTED)
        return h->phase == CONNECTING ? -EALREADY : -EISCONN;
    if (h->phase != FRESH && h->phase != CREATED)
        return -ENOSYS;
    int status = c->connects == CONNECTS_UNKNOWN ? find_out_connects(c) : 0;
    if (status == 0 && c->connects == CONNECTS_AT_ONCE)
        status = -ENOSYS;
    if (status == 0 && h->phase == FRESH)
        status = create_at_some_port(c, h);
    if (status < 0)
        return status;
    struct tpsp_writer w = begin(c, &h->under_way[SLOT_CONNECT], TPSP_TCP, TPSP_CONNECT);
    tpsp_write_u16(&w, h->id);
    tpsp_write_u16(&w, remote->port);
    tpsp_write_address(&w, &remote->addr);
    h->phase = CONNECTING;
    h->peer = *remote;
    return transmit(c, h->channel, &w) < 0 ? -ECOMM : -EINPROGRESS;
}

static int64_t client_send(struct upper *u, int number, const uint8_t *data, size_t len, unsigned flags)
{
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    if (c->lost || !h)
        return no_handle(c, number);
    if (flags)
        return -EOPNOTSUPP;
    if (h->phase == FRESH || h->phase == CONNECTING)
        return h->phase == FRESH ? -EPIPE : -EAGAIN;
    int64_t now_ns = c->net->ops->now_ns(c->net);
    if (h->full_generation == c->generation && now_ns < h->full_until_ns)
        return -EAGAIN;
    if (len == 0)
        return 0;
    len = len < SEND_MAX ? len : SEND_MAX;
    struct tpsp_writer w = begin(c, &h->under_way[SLOT_CALL], TPSP_TCP, TPSP_SEND_DATA);
    tpsp_write_u16(&w, h->id);
    tpsp_write_u16(&w, (uint16_t)len);
    tpsp_write_u8(&w, 0);
    tpsp_write_octets(&w, data, len);
    int status = ask(c, h, &w);
    if (status == -EAGAIN) {
        h->full_generation = c->generation;
        h->full_until_ns = now_ns + pending_ns;
    }
    return status < 0 ? status : (int64_t)len;
}

static int64_t client_receive(struct upper *u, int number, uint8_t *out, size_t len, unsigned flags)
{
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    if (c->lost || !h)
        return no_handle(c, number);
    if (flags)
        return -EOPNOTSUPP;
    if (h->data_len - h->data_at < len)
        catch_up(c);
    size_t there = h->data_len - h->data_at;
    if (c->lost || there || h->hole) {
        size_t taken = there < len ? there : len;
        if (!c->lost && !h->hole)
            memcpy(out, h->data + h->data_at, taken);
        h->data_at += taken;
        return c->lost ? -ECOMM : h->hole ? -ENOSYS : (int64_t)taken;
    }
    if (h->error) {
        int error = h->error;
        h->error = 0;
        h->eof = true;
        return error;
    }
    if (h->eof)
        return 0;
    return h->phase == CONNECTED || h->phase == CONNECTING ? -EAGAIN : -ENOTCONN;
}

static int64_t client_shutdown(struct upper *u, int number, enum target_shutdown how)
{
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    if (c->lost || !h)
        return no_handle(c, number);
    if (h->phase == FRESH)
        return -ENOTCONN;
    struct tpsp_writer w = begin(c, &h->under_way[SLOT_CALL], TPSP_TCP, TPSP_SHUTDOWN);
    tpsp_write_u16(&w, h->id);
    tpsp_write_u8(&w, how == TARGET_SHUT_RD ? 0 : how == TARGET_SHUT_WR ? 1 : 2);
    return ask(c, h, &w);
}

/* Connections that nobody accepted go with their listener, as they do at a stack. */
static void close_unaccepted(struct client *c, int listener)
{
    for (int i = 0; i < HANDLES_MAX; i++) {
        struct handle *h = &c->handles[i];
        if (h->phase == FREE || h->listener != listener)
            continue;
        if (!c->lost)
            close_socket(c, h, true);
        free_handle(c, h);
    }
}

static int64_t client_close_handle(struct upper *u, int number)
{
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    if (!h)
        return no_handle(c, number);
    bool listened = h->phase == LISTENING, unread = h->data_len > h->data_at || h->hole;
    int status = c->lost ? -ECOMM : h->phase == FRESH ? 0 : close_socket(c, h, h->aborts);
    if (listened)
        close_unaccepted(c, (int)(h - c->handles));
    /* An application that closes with octets unread resets the connection (RFC 9293 §3.6.1, SHLD-3); at the other side they were
     * read, and what follows on the wire is another story. */
    if (status == 0 && unread && !h->aborts)
        status = -ENOSYS;
    free_handle(c, h);
    return status;
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint16_t parameter;
    uint8_t len;
    bool inverted;
    int64_t least, most;
} parameters[] = {
    {"TCP_NODELAY", TPSP_NAGLE, 1, true, 0, 1}, {"TCP_MAXSEG", TPSP_MSS, 2, false, 500, 1460},
    {"IP_TTL", TPSP_TTL, 1, false, 1, 255},     {"IPV6_UNICAST_HOPS", TPSP_TTL, 1, false, 1, 255},
    {"IP_TOS", TPSP_TOS, 1, false, 0, 255},     {"IPV6_TCLASS", TPSP_PRIORITY, 1, false, 0, 255},
};

static int64_t linger(struct handle *h, const int64_t *values, unsigned count)
{
    if (count < 2 || (values[0] && values[1])) /* to wait for a while is not in the protocol */
        return -ENOPROTOOPT;
    h->aborts = values[0] != 0;
    return 0;
}

static int64_t client_set_option(struct upper *u, int number, const char *name, const int64_t *values, unsigned count)
{
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    if (c->lost || !h)
        return no_handle(c, number);
    if (!strcmp(name, "SO_LINGER"))
        return linger(h, values, count);
    if (!strcmp(name, "SO_REUSEADDR")) /* CREATE_AND_BIND does as it likes; a port that is taken is told */
        return 0;
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        if (strcmp(name, parameters[i].name))
            continue;
        if (count != 1 || values[0] < parameters[i].least || values[0] > parameters[i].most)
            return -ENOPROTOOPT;
        uint16_t value = (uint16_t)(parameters[i].inverted ? !values[0] : values[0]);
        struct option option = {.parameter = parameters[i].parameter, .len = parameters[i].len};
        option.value[0] = (uint8_t)(option.len == 2 ? value >> 8 : value);
        option.value[1] = (uint8_t)value;
        if (h->phase != FRESH)
            return configure_socket(c, h, &option);
        if (h->option_count == OPTIONS_MAX)
            return -ENOPROTOOPT;
        h->options[h->option_count++] = option;
        return 0;
    }
    return -ENOPROTOOPT;
}

/* How a connect ended is all that can be known. */
static int64_t client_get_option(struct upper *u, int number, const char *name, int64_t *value)
{
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    if (c->lost || !h)
        return no_handle(c, number);
    if (strcmp(name, "SO_ERROR"))
        return -ENOPROTOOPT;
    if (h->error == -ENOSYS)
        return -ENOSYS;
    *value = -h->error;
    h->error = 0;
    return 0;
}

static int64_t client_ioctl(struct upper *u, int number, const char *name, int64_t *value)
{
    (void)u, (void)number, (void)name, (void)value;
    return -EOPNOTSUPP;
}

static unsigned client_poll(struct upper *u, int number)
{
    enum { GONE = TARGET_EVENT_IN | TARGET_EVENT_OUT | TARGET_EVENT_ERROR | TARGET_EVENT_HANGUP | TARGET_EVENT_READ_HANGUP };
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    catch_up(c);
    if (c->lost || !h)
        return GONE;
    if (h->phase == LISTENING) {
        for (int i = 0; i < HANDLES_MAX; i++)
            if (c->handles[i].phase != FREE && c->handles[i].listener == (int)(h - c->handles))
                return TARGET_EVENT_IN;
        return 0;
    }
    if (h->error || h->phase == BROKEN)
        return GONE;
    if (h->phase != CONNECTED || h->under_way[SLOT_FORWARD].open)
        return 0;
    unsigned events = TARGET_EVENT_OUT;
    if (h->data_len > h->data_at || h->eof || h->hole)
        events |= TARGET_EVENT_IN;
    return h->eof ? events | TARGET_EVENT_READ_HANGUP : events;
}

static int64_t client_local_endpoint(struct upper *u, int number, struct pkt_endpoint *out)
{
    struct client *c = self(u);
    struct handle *h = handle_at(c, number);
    if (c->lost || !h)
        return no_handle(c, number);
    if (h->port == 0) /* nothing tells which one it chose */
        return -EOPNOTSUPP;
    *out = (struct pkt_endpoint){.port = h->port};
    return 0;
}

static int64_t client_status(struct upper *u, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                             struct target_status *out)
{
    (void)u, (void)local, (void)remote, (void)out;
    return -EOPNOTSUPP;
}

/* ---- the upper tester itself ------------------------------------------------------------------------------------- */

static void describe(struct client *c)
{
    struct exchange *e = &c->general;
    char version[48] = "?";
    if (e->reply_len >= 6)
        snprintf(version, sizeof version, "%u.%u.%u", e->reply[0] << 8 | e->reply[1], e->reply[2] << 8 | e->reply[3],
                 e->reply[4] << 8 | e->reply[5]);
    else if (e->reply_len >= 4)
        snprintf(version, sizeof version, "%u.%u", e->reply[0] << 8 | e->reply[1], e->reply[2] << 8 | e->reply[3]);
    c->base.pixit_count = 1;
    snprintf(c->base.pixit[0].name, sizeof c->base.pixit[0].name, "testability protocol");
    snprintf(c->base.pixit[0].value, sizeof c->base.pixit[0].value, "%s", version);
}

/* Whatever was there before is over at both sides. False: lost. */
static bool start(struct client *c)
{
    free_everything(c);
    c->epoch = (c->epoch + 1) % EPOCHS;
    c->lost = c->echoes = false;
    c->connects = CONNECTS_UNKNOWN;
    c->control = c->net->ops->open(c->net);
    if (c->control < 0) {
        lose(c, "%s: %s", c->net->peer, strerror(-c->control));
        c->control = -1;
        return false;
    }
    int status = general(c, TPSP_GET_VERSION, c->patience_ns);
    if (status < 0 && !c->lost)
        lose(c, "%s: GET_VERSION ended with %s", c->net->peer, tpsp_result_name(c->general.result));
    if (c->lost)
        return false;
    describe(c);
    general(c, TPSP_END_TEST, c->patience_ns);
    if (!c->lost)
        general(c, TPSP_START_TEST, c->patience_ns);
    return !c->lost;
}

static void measure(struct client *c)
{
    int64_t longest = 0;
    for (int i = 0; i < CALLS_MEASURED && !c->lost; i++) {
        int64_t began_ns = c->net->ops->now_ns(c->net);
        general(c, TPSP_GET_VERSION, c->patience_ns);
        int64_t took_ns = c->net->ops->now_ns(c->net) - began_ns;
        longest = took_ns > longest ? took_ns : longest;
    }
    c->base.call_ns = longest > 1000 ? longest : 1000;
}

static void client_close(struct upper *u)
{
    struct client *c = self(u);
    if (!c->lost)
        general(c, TPSP_END_TEST, c->patience_ns / 4);
    free_everything(c);
    c->net->ops->close(c->net);
    free(c);
}

static int client_fd(struct upper *u)
{
    return self(u)->net->ops->fd(self(u)->net);
}

static void client_work(struct upper *u)
{
    pump(self(u), NULL, 0);
}

static void client_touched(struct upper *u)
{
    self(u)->generation++;
}

static uint64_t client_trouble(struct upper *u, char *text, size_t capacity)
{
    struct client *c = self(u);
    snprintf(text, capacity, "%s", c->trouble);
    return c->losses;
}

static bool client_recover(struct upper *u, struct target_error *error)
{
    struct client *c = self(u);
    if (!c->lost || start(c))
        return true;
    *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE};
    snprintf(error->text, sizeof error->text, "%s", c->trouble);
    return false;
}

static bool client_configure(struct upper *u, const struct target_setting *settings, unsigned count, struct target_error *error)
{
    (void)u;
    if (count == 0)
        return true;
    error->kind = TARGET_ERR_UNSUPPORTED;
    snprintf(error->text, sizeof error->text, "the testability protocol cannot set %.64s", settings[0].name);
    return false;
}

static const struct upper_ops client_ops = {
    .close = client_close,
    .fd = client_fd,
    .work = client_work,
    .touched = client_touched,
    .trouble = client_trouble,
    .recover = client_recover,
    .configure = client_configure,
    .socket = client_socket,
    .bind = client_bind,
    .listen = client_listen,
    .accept = client_accept,
    .connect = client_connect,
    .send_data = client_send,
    .receive_data = client_receive,
    .shutdown = client_shutdown,
    .close_handle = client_close_handle,
    .set_option = client_set_option,
    .get_option = client_get_option,
    .ioctl = client_ioctl,
    .poll = client_poll,
    .local_endpoint = client_local_endpoint,
    .status = client_status,
};

struct upper *testability_on_net(struct tpsp_net *net, int64_t patience_ns, struct target_error *error)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        net->ops->close(net);
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
        return NULL;
    }
    c->base.ops = &client_ops;
    c->base.lacks = "urgent"; /* SEND_DATA has a flag for it, but nothing tells that urgent data have come */
    c->net = net;
    c->control = -1;
    c->next_port = (unsigned)(net->ops->now_ns(net) / 1000 % PORTS); /* not where the run before began */
    c->patience_ns = patience_ns ? patience_ns : patience_usual_ns;
    snprintf(c->base.description, sizeof c->base.description, "the upper tester at %.100s", net->peer);
    if (start(c))
        measure(c);
    if (!c->lost)
        return &c->base;
    *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE};
    snprintf(error->text, sizeof error->text,
             "%s; is there an upper tester with the AUTOSAR testability protocol over UDP, at this port (testability=HOST:PORT)?",
             c->trouble);
    client_close(&c->base);
    return NULL;
}

struct upper *testability_connect(const char *host, uint16_t port, int64_t patience_ns, struct target_error *error)
{
    struct tpsp_net *net = tpsp_udp(host, port ? port : TESTABILITY_PORT_DEFAULT, error);
    return net ? testability_on_net(net, patience_ns, error) : NULL;
}

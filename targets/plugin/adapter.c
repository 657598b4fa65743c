/* Performs calls on a plugin's instance, and believes nothing that comes back.
 *
 * Each request carries the time; when it has moved, advance() is told first: step by step at each of the plugin's own deadlines, or
 * at each of its ticks. What the plugin hands to output() is gathered, and goes back with the answer, as does the next deadline.
 * Octets are given and taken in guarded buffers. A result outside what the header permits ends the plugin, with words that say what
 * it was: what a stack answers after that could not be judged. */
#include "targets/plugin/within.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STUCK_MAX = 1000, IDLE_ADVANCES = 10000, IDLE_TIME_MIN_NS = 10000000, ERRNO_MAX = 4095, STATUS_ROOM = 512,
       DEFAULT_PREFIX_4 = 24, DEFAULT_PREFIX_6 = 64 };

_Static_assert(sizeof(struct tcpassay_address) == sizeof(struct pkt_addr), "addresses are copied as they are");
_Static_assert((int)TCPASSAY_TIME_WAIT == (int)TCP_STATE_TIME_WAIT && (int)TCPASSAY_SYN_SENT == (int)TCP_STATE_SYN_SENT,
               "states too");
_Static_assert((int)TCPASSAY_MSG_FASTOPEN == (int)TARGET_MSG_FASTOPEN && (int)TCPASSAY_MSG_MORE == (int)TARGET_MSG_MORE &&
                   (int)TCPASSAY_MSG_PEEK == (int)TARGET_MSG_PEEK && (int)TCPASSAY_MSG_OOB == (int)TARGET_MSG_OOB,
               "flags too");
_Static_assert((int)TCPASSAY_SHUT_RD == (int)TARGET_SHUT_RD && (int)TCPASSAY_SHUT_RDWR == (int)TARGET_SHUT_RDWR, "directions too");
_Static_assert((int)TCPASSAY_KNOWS_TIMERS == (int)TARGET_KNOWS_TIMERS && (int)TCPASSAY_KNOWS_QUEUES == (int)TARGET_KNOWS_QUEUES,
               "fields too");
_Static_assert((int)TCPASSAY_READ_HANGUP == (int)TARGET_EVENT_READ_HANGUP && (int)TCPASSAY_OUT == (int)TARGET_EVENT_OUT &&
                   (int)TCPASSAY_ERROR == (int)TARGET_EVENT_ERROR && (int)TCPASSAY_HANGUP == (int)TARGET_EVENT_HANGUP,
               "events too");

enum { EVENTS_ALL = TCPASSAY_IN | TCPASSAY_OUT | TCPASSAY_URGENT | TCPASSAY_ERROR | TCPASSAY_HANGUP | TCPASSAY_READ_HANGUP };

/* ---- blame */

_Noreturn void adapter_blame(struct adapter *a, bool hang, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    a->x->fault[0] = hang ? 'h' : 'c';
    vsnprintf(a->x->fault + 1, sizeof a->x->fault - 1, format, arguments);
    va_end(arguments);
    atomic_store(&a->x->fault_given, 1);
    a->fault(a->x);
    abort(); /* it does not return */
}

static const char *call_name(const struct adapter *a)
{
    return exchange_call_name(a->x->request.call);
}

/* A result of one of the application's calls: 0 to most, or a negative errno value. */
static int64_t checked(struct adapter *a, int64_t result, int64_t most)
{
    if (result > most)
        adapter_blame(a, false, "%s gave %" PRId64 ", where %" PRId64 " is the most there can be", call_name(a), result, most);
    if (result < -ERRNO_MAX)
        adapter_blame(a, false, "%s gave %" PRId64 ", which is no errno value", call_name(a), result);
    return result;
}

/* ---- what the plugin emits */

static void take_output(void *context, const void *packet, size_t length)
{
    struct adapter *a = context;
    struct exchange_answer *answer = &a->x->answer;
    if (!pthread_equal(pthread_self(), a->thread))
        adapter_blame(a, false, "output() was called from another thread");
    if (!packet || length == 0 || length > PKT_BYTES_MAX)
        adapter_blame(a, false, "output() was given %s of %zu octets", packet ? "a packet" : "no packet, but NULL,", length);
    const uint32_t len = (uint32_t)length, taken = (uint32_t)sizeof len + (len + 3) / 4 * 4;
    if (answer->outputs_bytes > EXCHANGE_OUTPUTS_MAX - taken)
        adapter_blame(a, true, "%s emitted more than %d octets of packets in one go", call_name(a), EXCHANGE_OUTPUTS_MAX);
    memcpy(a->x->outputs + answer->outputs_bytes, &len, sizeof len);
    memcpy(a->x->outputs + answer->outputs_bytes + sizeof len, packet, length);
    answer->outputs_bytes += taken;
    a->idle_advances = 0;
}

static void take_refusal(void *context, const char *why)
{
    struct adapter *a = context;
    snprintf(a->x->answer.words, sizeof a->x->answer.words, "%s", why && *why ? why : "it does not say why");
}

/* ---- time */

static int64_t deadline_of(struct adapter *a)
{
    if (!a->stack)
        return INT64_MAX;
    if (!a->plugin.next_deadline)
        return a->clock_started ? a->next_tick_ns : INT64_MAX;
    adapter_enters(a, EXCHANGE_DEADLINE);
    return a->plugin.next_deadline(a->stack);
}

static void tell_time(struct adapter *a, int64_t now_ns)
{
    adapter_enters(a, EXCHANGE_ADVANCE);
    a->now_ns = now_ns;
    a->plugin.advance(a->stack, now_ns);
}

static void tell_ticks(struct adapter *a, int64_t now_ns)
{
    for (; a->next_tick_ns <= now_ns; a->next_tick_ns += a->plugin.tick_ns)
        tell_time(a, a->next_tick_ns);
}

static void tell_deadlines(struct adapter *a, int64_t now_ns)
{
    unsigned stuck = 0;
    for (int64_t next; (next = deadline_of(a)) < now_ns;) {
        int64_t at = next > a->now_ns ? next : a->now_ns;
        stuck = at > a->now_ns ? 0 : stuck + 1;
        if (stuck > STUCK_MAX)
            adapter_blame(a, true,
                          "next_deadline() asks for %" PRId64 " ns, and goes on asking when it has been told %" PRId64
                          " ns; the clock cannot go on",
                          next, a->now_ns);
        tell_time(a, at);
    }
    tell_time(a, now_ns);
}

/* Tells the plugin that it is now_ns, when it does not know. Where the clock starts there is nothing to catch up with. */
static void bring_up(struct adapter *a, int64_t now_ns)
{
    if (!a->clock_started) {
        a->clock_started = true;
        a->next_tick_ns = now_ns + a->plugin.tick_ns;
        a->idle_since_ns = now_ns;
        tell_time(a, now_ns);
    } else if (!a->plugin.next_deadline) {
        tell_ticks(a, now_ns);
        a->now_ns = now_ns;
    } else if (now_ns > a->now_ns) {
        tell_deadlines(a, now_ns);
    }
}

/* Who wants to be told the time ever again, and never does anything with it, keeps the clock from going on. */
static void watch_idleness(struct adapter *a, int64_t now_ns)
{
    if (a->idle_advances++ == 0)
        a->idle_since_ns = now_ns;
    if (a->idle_advances < IDLE_ADVANCES)
        return;
    if (now_ns - a->idle_since_ns < IDLE_TIME_MIN_NS)
        adapter_blame(a, true, "next_deadline() has asked to be told the time %d times within %.3f ms, and nothing came of it",
                      IDLE_ADVANCES, (double)(now_ns - a->idle_since_ns) / 1e6);
    a->idle_advances = 0;
}

static int64_t perform_advance(struct adapter *a)
{
    const int64_t now_ns = a->x->request.now_ns;
    watch_idleness(a, now_ns);
    if (a->clock_started && a->plugin.next_deadline && now_ns <= a->now_ns)
        tell_time(a, a->now_ns); /* something is due at once */
    else
        bring_up(a, now_ns);
    return 0;
}

/* ---- life */

static bool knows_setting(const struct adapter *a, const char *name)
{
    for (const char *const *known = a->plugin.settings; known && *known; known++)
        if (!strcmp(*known, name))
            return true;
    return false;
}

/* The settings lie in data, one text behind the other. False, with words: it has none of that name. */
static bool read_settings(struct adapter *a, struct tcpassay_pair *settings)
{
    const struct exchange_request *request = &a->x->request;
    const char *text = (const char *)a->x->data;
    for (uint32_t i = 0; i < request->setting_count; i++) {
        settings[i].name = text;
        settings[i].value = text += strlen(text) + 1;
        text += strlen(text) + 1;
        if (!knows_setting(a, settings[i].name)) {
            snprintf(a->x->answer.words, sizeof a->x->answer.words, "there is no setting \"%.100s\"", settings[i].name);
            return false;
        }
    }
    return true;
}

static struct tcpassay_address address_of(const struct pkt_addr *addr)
{
    struct tcpassay_address out;
    memcpy(&out, addr, sizeof out);
    return out;
}

static int64_t perform_create(struct adapter *a)
{
    const struct exchange_request *request = &a->x->request;
    struct tcpassay_pair settings[EXCHANGE_SETTINGS_MAX];
    if (!read_settings(a, settings))
        return -EINVAL;
    const struct tcpassay_config config = {
        .size = sizeof config, .mtu = request->mtu, .ipv4_prefix = DEFAULT_PREFIX_4, .ipv6_prefix = DEFAULT_PREFIX_6, .seed = request->seed,
        .ipv4 = address_of(&request->iut[0]), .ipv6 = address_of(&request->iut[1]), .tester_ipv4 = address_of(&request->tester[0]),
        .tester_ipv6 = address_of(&request->tester[1]), .settings = settings, .setting_count = request->setting_count};
    a->tester = (struct tcpassay_tester){.size = sizeof a->tester, .context = a, .output = take_output, .refuse = take_refusal};
    a->now_ns = 0;
    a->clock_started = false;
    a->idle_advances = 0;
    memset(a->sockets, 0, sizeof a->sockets);
    a->watched_local.address.version = 0;
    a->stack = a->plugin.create(&config, &a->tester);
    if (a->stack)
        return 0;
    return *a->x->answer.words ? -EINVAL : -ENOMEM;
}

static int64_t perform_destroy(struct adapter *a)
{
    struct tcpassay_stack *stack = a->stack;
    a->stack = NULL;
    if (stack)
        a->plugin.destroy(stack);
    a->x->answer.outputs_bytes = 0;
    return 0;
}

static int64_t perform_input(struct adapter *a)
{
    const struct exchange_request *request = &a->x->request;
    uint8_t *packet = guarded_lend(&a->in, request->len);
    memcpy(packet, a->x->data, request->len);
    a->idle_advances = 0;
    a->plugin.input(a->stack, packet, request->len, request->now_ns);
    if (!guarded_intact(&a->in))
        adapter_blame(a, false, "input() wrote beyond the %u octets of the packet", request->len);
    return 0;
}

/* ---- the application's calls */

static struct tcpassay_endpoint endpoint_of(const struct pkt_endpoint *e)
{
    return (struct tcpassay_endpoint){.address = address_of(&e->addr), .port = e->port};
}

/* An endpoint as the plugin has it; version 0 only where none need be known. */
static void give_endpoint(struct adapter *a, const struct tcpassay_endpoint *e, bool may_be_none)
{
    struct pkt_endpoint *out = &a->x->answer.endpoint;
    const uint8_t version = e->address.version;
    if (version != 4 && version != 6 && !(version == 0 && may_be_none))
        adapter_blame(a, false, "%s gave an address of version %u", call_name(a), version);
    *out = (struct pkt_endpoint){.addr.version = version, .port = e->port};
    memcpy(out->addr.bytes, e->address.bytes, version == 4 ? 4 : version == 6 ? 16 : 0);
}

/* What is remembered of a socket; NULL: nothing. */
static struct adapter_socket *socket_of(struct adapter *a, int64_t handle)
{
    for (unsigned i = 0; i < ADAPTER_SOCKETS_MAX; i++)
        if (a->sockets[i].used && a->sockets[i].handle == handle)
            return &a->sockets[i];
    return NULL;
}

/* Remembers a new one, when there is room. */
static struct adapter_socket *remember_socket(struct adapter *a, int64_t handle)
{
    struct adapter_socket *socket = socket_of(a, handle);
    for (unsigned i = 0; i < ADAPTER_SOCKETS_MAX && !socket; i++)
        if (!a->sockets[i].used)
            socket = &a->sockets[i];
    if (socket)
        *socket = (struct adapter_socket){.used = true, .handle = handle};
    return socket;
}

static int64_t perform_socket(struct adapter *a)
{
    if (!a->plugin.socket)
        return -ENOSYS;
    int64_t result = checked(a, a->plugin.socket(a->stack, (int)a->x->request.flags), INT32_MAX);
    if (result >= 0)
        remember_socket(a, result);
    return result;
}

static int64_t perform_bind(struct adapter *a)
{
    const struct tcpassay_endpoint local = endpoint_of(&a->x->request.local);
    struct adapter_socket *socket = socket_of(a, a->x->request.handle);
    if (!a->plugin.bind)
        return -ENOSYS;
    int64_t result = checked(a, a->plugin.bind(a->stack, a->x->request.handle, &local), INT32_MAX);
    if (result >= 0 && socket)
        socket->local = local;
    return result;
}

static int64_t perform_listen(struct adapter *a)
{
    const struct exchange_request *request = &a->x->request;
    return a->plugin.listen ? checked(a, a->plugin.listen(a->stack, request->handle, (int)request->flags), INT32_MAX) : -ENOSYS;
}

static int64_t perform_accept(struct adapter *a)
{
    struct tcpassay_endpoint peer = {.port = 0};
    if (!a->plugin.accept)
        return -ENOSYS;
    const struct adapter_socket *listener = socket_of(a, a->x->request.handle);
    const struct tcpassay_endpoint local = listener ? listener->local : (struct tcpassay_endpoint){.port = 0};
    int64_t result = checked(a, a->plugin.accept(a->stack, a->x->request.handle, &peer), INT32_MAX);
    if (result < 0)
        return result;
    give_endpoint(a, &peer, false);
    struct adapter_socket *socket = remember_socket(a, result);
    if (socket)
        socket->local = local;
    return result;
}

/* The port that a SYN to remote comes from, among what this call has emitted; 0: there is none. */
static uint16_t port_of_syn(const struct adapter *a, const struct tcpassay_endpoint *remote)
{
    const struct exchange_answer *answer = &a->x->answer;
    uint32_t len;
    for (uint32_t at = 0; at < answer->outputs_bytes; at += (uint32_t)sizeof len + (len + 3) / 4 * 4) {
        struct packet packet;
        memcpy(&len, a->x->outputs + at, sizeof len);
        pkt_parse(a->x->outputs + at + sizeof len, len, &packet);
        if (packet.kind == PKT_KIND_TCP && (packet.tcp.flags & PKT_SYN) && packet.tcp.dst_port == remote->port)
            return packet.tcp.src_port;
    }
    return 0;
}

static int64_t perform_connect(struct adapter *a)
{
    const struct tcpassay_endpoint remote = endpoint_of(&a->x->request.remote);
    struct adapter_socket *socket = socket_of(a, a->x->request.handle);
    if (!a->plugin.connect)
        return -ENOSYS;
    int64_t result = checked(a, a->plugin.connect(a->stack, a->x->request.handle, &remote), INT32_MAX);
    if (!socket || (result < 0 && result != -EINPROGRESS))
        return result;
    if (!socket->local.port)
        socket->local.port = port_of_syn(a, &remote);
    socket->connecting = result == -EINPROGRESS && (!a->plugin.poll || !a->plugin.get_option);
    socket->remote = remote;
    return result;
}

/* Asks connect() again how it goes. */
static void follow_connect(struct adapter *a, struct adapter_socket *socket)
{
    int64_t result = checked(a, a->plugin.connect(a->stack, socket->handle, &socket->remote), INT32_MAX);
    socket->over = result != -EINPROGRESS && result != -EALREADY;
    socket->error = result >= 0 || result == -EISCONN ? 0 : -result;
}

static int64_t perform_poll(struct adapter *a)
{
    struct adapter_socket *socket = socket_of(a, a->x->request.handle);
    if (!socket || !socket->connecting)
        return a->plugin.poll ? (int64_t)(a->plugin.poll(a->stack, a->x->request.handle) & EVENTS_ALL) : -ENOSYS;
    if (!socket->over)
        follow_connect(a, socket);
    if (!socket->over)
        return 0;
    return socket->error ? TARGET_EVENT_ERROR : TARGET_EVENT_OUT;
}

static int64_t perform_send(struct adapter *a)
{
    const struct exchange_request *request = &a->x->request;
    if (!a->plugin.send)
        return -ENOSYS;
    uint8_t *data = guarded_lend(&a->in, request->len);
    memcpy(data, a->x->data, request->len);
    a->idle_advances = 0;
    return checked(a, a->plugin.send(a->stack, request->handle, data, request->len, request->flags), request->len);
}

static int64_t perform_receive(struct adapter *a)
{
    const struct exchange_request *request = &a->x->request;
    if (!a->plugin.receive)
        return -ENOSYS;
    uint8_t *out = guarded_lend(&a->out, request->len);
    int64_t result = checked(a, a->plugin.receive(a->stack, request->handle, out, request->len, request->flags), request->len);
    if (!guarded_intact(&a->out))
        adapter_blame(a, false, "receive() wrote beyond the %u octets it was given", request->len);
    if (result > 0)
        memcpy(a->x->data, out, (size_t)result);
    return result;
}

static int64_t perform_shutdown(struct adapter *a)
{
    const struct exchange_request *request = &a->x->request;
    return a->plugin.shutdown ? checked(a, a->plugin.shutdown(a->stack, request->handle, (int)request->flags), INT32_MAX) : -ENOSYS;
}

static int64_t perform_close(struct adapter *a)
{
    struct adapter_socket *socket = socket_of(a, a->x->request.handle);
    if (socket)
        socket->used = false;
    return a->plugin.close ? checked(a, a->plugin.close(a->stack, a->x->request.handle), INT32_MAX) : -ENOSYS;
}

static int64_t perform_set_option(struct adapter *a)
{
    struct exchange_request *request = &a->x->request;
    return a->plugin.set_option
               ? checked(a, a->plugin.set_option(a->stack, request->handle, request->name, request->values, request->flags), INT32_MAX)
               : -ENOSYS;
}

static int64_t perform_get_option(struct adapter *a)
{
    struct exchange_request *request = &a->x->request;
    struct adapter_socket *socket = socket_of(a, request->handle);
    if (socket && socket->connecting && socket->over && !strcmp(request->name, "SO_ERROR")) {
        a->x->answer.value = socket->error;
        socket->connecting = false; /* from here on it is a socket as any other */
        return 0;
    }
    return a->plugin.get_option ? checked(a, a->plugin.get_option(a->stack, request->handle, request->name, &a->x->answer.value), INT32_MAX)
                                : -ENOSYS;
}

static int64_t perform_ioctl(struct adapter *a)
{
    struct exchange_request *request = &a->x->request;
    return a->plugin.ioctl ? checked(a, a->plugin.ioctl(a->stack, request->handle, request->name, &a->x->answer.value), INT32_MAX)
                           : -ENOSYS;
}

static int64_t perform_local_endpoint(struct adapter *a)
{
    struct tcpassay_endpoint local = {.port = 0};
    const struct adapter_socket *socket = socket_of(a, a->x->request.handle);
    if (!a->plugin.local_endpoint && socket && socket->local.port) {
        give_endpoint(a, &socket->local, true);
        return 0;
    }
    if (!a->plugin.local_endpoint)
        return -ENOSYS;
    int64_t result = checked(a, a->plugin.local_endpoint(a->stack, a->x->request.handle, &local), INT32_MAX);
    if (result >= 0)
        give_endpoint(a, &local, true);
    return result;
}

/* The status of the connection watched, into the answer. */
static void look_at_status(struct adapter *a)
{
    union { struct tcpassay_status status; uint8_t room[STATUS_ROOM]; } out = {.room = {0}}; /* a later header's struct is longer */
    const struct tcpassay_status *s = &out.status;
    struct exchange_answer *answer = &a->x->answer;
    out.status.size = sizeof out.status;
    adapter_enters(a, EXCHANGE_STATUS);
    int64_t result = a->plugin.status(a->stack, &a->watched_local, &a->watched_remote, &out.status);
    if (result > INT32_MAX || result < -ERRNO_MAX)
        adapter_blame(a, false, "status() gave %" PRId64 ", which is neither 0 nor an errno value", result);
    if (result >= 0 && s->state >= TCP_STATE_COUNT)
        adapter_blame(a, false, "status() gave state %u, and there are %d", s->state, TCP_STATE_COUNT);
    answer->status_there = 1;
    answer->status_result = result < 0 ? result : 0;
    answer->status = (struct target_status){
        .state = (enum tcp_state)s->state, .known = s->known, .snd_una = s->snd_una, .snd_nxt = s->snd_nxt, .rcv_nxt = s->rcv_nxt,
        .snd_wnd = s->snd_wnd, .rcv_wnd = s->rcv_wnd, .unread_bytes = s->unread_bytes, .unsent_bytes = s->unsent_bytes,
        .cwnd_bytes = s->cwnd_bytes, .ssthresh_bytes = s->ssthresh_bytes, .mss_bytes = s->mss_bytes, .retransmits = s->retransmits,
        .rto_ns = s->rto_ns, .srtt_ns = s->srtt_ns};
}

static int64_t perform_status(struct adapter *a)
{
    if (!a->plugin.status)
        return -ENOSYS;
    a->watched_local = endpoint_of(&a->x->request.local);
    a->watched_remote = endpoint_of(&a->x->request.remote);
    return 0;
}

/* ---- one call */

void adapter_perform(struct adapter *a)
{
    static int64_t (*const table[EXCHANGE_CALL_COUNT])(struct adapter *) = {
        [EXCHANGE_CREATE] = perform_create, [EXCHANGE_DESTROY] = perform_destroy, [EXCHANGE_INPUT] = perform_input,
        [EXCHANGE_ADVANCE] = perform_advance, [EXCHANGE_SOCKET] = perform_socket, [EXCHANGE_BIND] = perform_bind,
        [EXCHANGE_LISTEN] = perform_listen, [EXCHANGE_ACCEPT] = perform_accept, [EXCHANGE_CONNECT] = perform_connect,
        [EXCHANGE_SEND] = perform_send, [EXCHANGE_RECEIVE] = perform_receive, [EXCHANGE_SHUTDOWN] = perform_shutdown,
        [EXCHANGE_CLOSE] = perform_close, [EXCHANGE_SET_OPTION] = perform_set_option, [EXCHANGE_GET_OPTION] = perform_get_option,
        [EXCHANGE_IOCTL] = perform_ioctl, [EXCHANGE_POLL] = perform_poll, [EXCHANGE_LOCAL_ENDPOINT] = perform_local_endpoint,
        [EXCHANGE_STATUS] = perform_status,
    };
    struct exchange *x = a->x;
    const enum exchange_call call = x->request.call;
    const bool lives = call != EXCHANGE_CREATE && call != EXCHANGE_DESTROY;
    x->answer = (struct exchange_answer){.result = -EINVAL};
    if ((unsigned)call >= EXCHANGE_CALL_COUNT || !table[call] || (lives && !a->stack))
        return;
    if (lives && call != EXCHANGE_ADVANCE)
        bring_up(a, x->request.now_ns);
    adapter_enters(a, call);
    const int64_t result = table[call](a);
    if (a->stack && a->watched_local.address.version)
        look_at_status(a); /* it will be asked next, mostly */
    x->answer.deadline_ns = deadline_of(a);
    x->answer.result = result;
}

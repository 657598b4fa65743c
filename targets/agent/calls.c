/* A table of the calls, and a function for each. */
#include "targets/agent/calls.h"

#include <string.h>

/* What goes over the wire by number. */
_Static_assert(TARGET_SHUT_RD == 0 && TARGET_SHUT_WR == 1 && TARGET_SHUT_RDWR == 2, "docs/agent-protocol.md");
_Static_assert(TARGET_MSG_OOB == 1 && TARGET_MSG_PEEK == 2 && TARGET_MSG_MORE == 4 && TARGET_MSG_FASTOPEN == 8,
               "docs/agent-protocol.md");
_Static_assert(TARGET_EVENT_IN == 1 && TARGET_EVENT_OUT == 2 && TARGET_EVENT_URGENT == 4 && TARGET_EVENT_ERROR == 8 &&
                   TARGET_EVENT_HANGUP == 16 && TARGET_EVENT_READ_HANGUP == 32,
               "docs/agent-protocol.md");
_Static_assert(TCP_STATE_CLOSED == 0 && TCP_STATE_LISTEN == 1 && TCP_STATE_SYN_SENT == 2 && TCP_STATE_SYN_RECEIVED == 3 &&
               TCP_STATE_ESTABLISHED == 4 && TCP_STATE_FIN_WAIT_1 == 5 && TCP_STATE_FIN_WAIT_2 == 6 && TCP_STATE_CLOSE_WAIT == 7 &&
               TCP_STATE_CLOSING == 8 && TCP_STATE_LAST_ACK == 9 && TCP_STATE_TIME_WAIT == 10, "docs/agent-protocol.md");
_Static_assert(TARGET_KNOWS_SEQUENCE == 1 && TARGET_KNOWS_WINDOWS == 2 && TARGET_KNOWS_QUEUES == 4 && TARGET_KNOWS_CONGESTION == 8 &&
               TARGET_KNOWS_TIMERS == 16, "docs/agent-protocol.md");
_Static_assert(TARGET_ERR_USAGE == 1 && TARGET_ERR_UNAVAILABLE == 2 && TARGET_ERR_UNSUPPORTED == 3, "docs/agent-protocol.md");

enum { SMALL_ANSWER = 512, IDENTITY_BYTES = 8 + 1 + AGENT_TEXT_MAX + 1 + TARGET_PIXIT_MAX * 2 * (1 + AGENT_NAME_MAX) };

/* ---- connections ------------------------------------------------------------------------------------------------ */

static int64_t opened(struct agent_call *c, int64_t handle)
{
    c->opened = handle >= 0 ? (int)handle : -1;
    return handle;
}

static int64_t call_socket(struct agent_call *c)
{
    uint8_t ip_version = agent_get8(&c->arguments);
    if (!agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    if (ip_version != 4 && ip_version != 6)
        return -AGENT_EINVAL;
    return opened(c, c->sockets->ops->socket(c->sockets, ip_version));
}

static int64_t call_bind(struct agent_call *c)
{
    struct pkt_endpoint local;
    agent_get_endpoint(&c->arguments, &local);
    return agent_read_all(&c->arguments) ? c->sockets->ops->bind(c->sockets, c->handle, &local) : -AGENT_EBADMSG;
}

static int64_t call_listen(struct agent_call *c)
{
    int backlog = (int)agent_get32(&c->arguments);
    return agent_read_all(&c->arguments) ? c->sockets->ops->listen(c->sockets, c->handle, backlog) : -AGENT_EBADMSG;
}

static int64_t call_accept(struct agent_call *c)
{
    struct pkt_endpoint peer = { .port = 0 };
    if (!agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    int64_t handle = opened(c, c->sockets->ops->accept(c->sockets, c->handle, &peer));
    if (handle >= 0)
        agent_put_endpoint(&c->data, &peer);
    return handle;
}

static int64_t call_connect(struct agent_call *c)
{
    struct pkt_endpoint remote;
    agent_get_endpoint(&c->arguments, &remote);
    return agent_read_all(&c->arguments) ? c->sockets->ops->connect(c->sockets, c->handle, &remote) : -AGENT_EBADMSG;
}

static int64_t call_shutdown(struct agent_call *c)
{
    uint8_t how = agent_get8(&c->arguments);
    if (!agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    return how <= TARGET_SHUT_RDWR ? c->sockets->ops->shutdown(c->sockets, c->handle, (enum target_shutdown)how) : -AGENT_EINVAL;
}

static int64_t call_close(struct agent_call *c)
{
    if (!agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    c->closed = true;
    return c->sockets->ops->close_handle(c->sockets, c->handle);
}

static int64_t call_abort(struct agent_call *c)
{
    if (!agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    c->closed = true;
    return c->sockets->ops->abort(c->sockets, c->handle);
}

static int64_t call_local_endpoint(struct agent_call *c)
{
    struct pkt_endpoint local = { .port = 0 };
    if (!agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    int64_t result = c->sockets->ops->local_endpoint(c->sockets, c->handle, &local);
    if (result >= 0)
        agent_put_endpoint(&c->data, &local);
    return result;
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

static int64_t call_send(struct agent_call *c)
{
    unsigned flags = agent_get8(&c->arguments);
    if (c->arguments.bad)
        return -AGENT_EBADMSG;
    return c->sockets->ops->send_data(c->sockets, c->handle, c->arguments.bytes, c->arguments.left, flags);
}

static int64_t call_receive(struct agent_call *c)
{
    unsigned flags = agent_get8(&c->arguments);
    size_t len = agent_get32(&c->arguments), room = c->data.capacity - c->data.len;
    if (!agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    len = len < room ? len : room;
    int64_t result = c->sockets->ops->receive_data(c->sockets, c->handle, c->data.bytes + c->data.len, len, flags);
    if (result > 0)
        c->data.len += (size_t)result;
    return result;
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static int64_t call_set_option(struct agent_call *c)
{
    char name[AGENT_NAME_MAX + 1];
    int64_t values[AGENT_OPTION_VALUES_MAX];
    agent_get_text(&c->arguments, name, AGENT_NAME_MAX);
    unsigned count = agent_get8(&c->arguments);
    for (unsigned i = 0; i < count && i < AGENT_OPTION_VALUES_MAX; i++)
        values[i] = agent_get64(&c->arguments);
    if (count > AGENT_OPTION_VALUES_MAX || !agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    return c->sockets->ops->set_option(c->sockets, c->handle, name, values, count);
}

/* GET_OPTION and IOCTL: a name in, a number out. */
static int64_t get_number(struct agent_call *c, int64_t (*get)(struct agent_sockets *, int, const char *, int64_t *))
{
    char name[AGENT_NAME_MAX + 1];
    int64_t value = 0;
    agent_get_text(&c->arguments, name, AGENT_NAME_MAX);
    if (!agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    int64_t result = get(c->sockets, c->handle, name, &value);
    if (result >= 0)
        agent_put64(&c->data, value);
    return result;
}

static int64_t call_get_option(struct agent_call *c)
{
    return get_number(c, c->sockets->ops->get_option);
}

static int64_t call_ioctl(struct agent_call *c)
{
    return get_number(c, c->sockets->ops->ioctl);
}

/* ---- what the host knows ---------------------------------------------------------------------------------------- */

static int64_t call_status(struct agent_call *c)
{
    struct pkt_endpoint local, remote;
    struct target_status status = { .state = TCP_STATE_CLOSED };
    agent_get_endpoint(&c->arguments, &local);
    agent_get_endpoint(&c->arguments, &remote);
    if (!agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    int64_t result = c->sockets->ops->status ? c->sockets->ops->status(c->sockets, &local, &remote, &status) : -AGENT_EOPNOTSUPP;
    if (result < 0)
        return result;
    const uint32_t numbers[] = { status.snd_una, status.snd_nxt, status.rcv_nxt, status.snd_wnd, status.rcv_wnd, status.unread_bytes,
                                 status.unsent_bytes, status.cwnd_bytes, status.ssthresh_bytes, status.mss_bytes, status.retransmits };
    agent_put8(&c->data, (uint8_t)status.state);
    agent_put8(&c->data, (uint8_t)status.known);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        agent_put32(&c->data, numbers[i]);
    agent_put64(&c->data, status.rto_ns);
    agent_put64(&c->data, status.srtt_ns);
    return result;
}

static int64_t call_settings(struct agent_call *c)
{
    struct { char name[AGENT_NAME_MAX + 1], value[AGENT_NAME_MAX + 1]; } texts[AGENT_SETTINGS_MAX];
    struct target_setting settings[AGENT_SETTINGS_MAX];
    struct target_error error = { .kind = TARGET_ERR_NONE };
    unsigned count = agent_get8(&c->arguments);
    for (unsigned i = 0; i < count && i < AGENT_SETTINGS_MAX; i++) {
        agent_get_text(&c->arguments, texts[i].name, AGENT_NAME_MAX);
        agent_get_text(&c->arguments, texts[i].value, AGENT_NAME_MAX);
        settings[i] = (struct target_setting){ texts[i].name, texts[i].value };
    }
    if (count > AGENT_SETTINGS_MAX || !agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    if (!c->sockets->ops->configure)
        return -AGENT_EOPNOTSUPP;
    if (c->sockets->ops->configure(c->sockets, settings, count, &error))
        return 0;
    agent_put8(&c->data, (uint8_t)error.kind);
    agent_put_text(&c->data, error.text, AGENT_TEXT_MAX);
    return -AGENT_EINVAL;
}

static int64_t call_identify(struct agent_call *c)
{
    const struct agent_sockets_ops *ops = c->sockets->ops;
    struct agent_identity identity = { .pixit_count = 0 };
    if (!agent_read_all(&c->arguments))
        return -AGENT_EBADMSG;
    if (ops->identify)
        ops->identify(c->sockets, &identity);
    unsigned count = identity.pixit_count < TARGET_PIXIT_MAX ? identity.pixit_count : TARGET_PIXIT_MAX;
    agent_put32(&c->data, AGENT_CAN_EVENTS | (ops->status ? AGENT_CAN_STATUS : 0) | (ops->configure ? AGENT_CAN_SETTINGS : 0));
    agent_put32(&c->data, (uint32_t)c->sockets->handles_max);
    agent_put_text(&c->data, identity.description, AGENT_TEXT_MAX);
    agent_put8(&c->data, (uint8_t)count);
    for (unsigned i = 0; i < count; i++) {
        agent_put_text(&c->data, identity.pixit[i].name, AGENT_NAME_MAX);
        agent_put_text(&c->data, identity.pixit[i].value, AGENT_NAME_MAX);
    }
    return 0;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static const struct call {
    bool has_handle;
    int64_t (*make)(struct agent_call *c);
} CALLS[] = {
    [AGENT_SOCKET] = { false, call_socket },         [AGENT_BIND] = { true, call_bind },
    [AGENT_LISTEN] = { true, call_listen },          [AGENT_ACCEPT] = { true, call_accept },
    [AGENT_CONNECT] = { true, call_connect },        [AGENT_SEND] = { true, call_send },
    [AGENT_RECEIVE] = { true, call_receive },        [AGENT_SHUTDOWN] = { true, call_shutdown },
    [AGENT_CLOSE] = { true, call_close },            [AGENT_ABORT] = { true, call_abort },
    [AGENT_SET_OPTION] = { true, call_set_option },  [AGENT_GET_OPTION] = { true, call_get_option },
    [AGENT_IOCTL] = { true, call_ioctl },            [AGENT_POLL] = { true, NULL },
    [AGENT_LOCAL_ENDPOINT] = { true, call_local_endpoint },
    [AGENT_STATUS] = { false, call_status },         [AGENT_SETTINGS] = { false, call_settings },
    [AGENT_IDENTIFY] = { false, call_identify },
};
enum { CALL_COUNT = sizeof CALLS / sizeof *CALLS };

bool agent_call_has_handle(uint8_t kind)
{
    return kind < CALL_COUNT && CALLS[kind].has_handle;
}

size_t agent_call_room(uint8_t kind, struct agent_reader arguments, size_t limit)
{
    size_t room = kind == AGENT_IDENTIFY ? IDENTITY_BYTES : SMALL_ANSWER;
    if (kind == AGENT_RECEIVE) {
        agent_get32(&arguments); /* the handle */
        agent_get8(&arguments);
        room = agent_get32(&arguments);
    }
    return room < limit ? room : limit;
}

int64_t agent_call_make(struct agent_call *c, uint8_t kind)
{
    return kind < CALL_COUNT && CALLS[kind].make ? CALLS[kind].make(c) : -AGENT_ENOSYS;
}

/* The upper tester over an agent: blocking calls, and a memory of what each socket is ready for.
 *
 * Theory of operation. A call is one message there and one back, within the client's patience. Between them, and whenever work() is
 * called, events come in: each says what a socket is ready for now. An answer about a socket says so too, as it is after the call.
 * Both sides therefore know the same of each socket, but for what is on its way (the theory of server.c).
 *
 * Remembered answers. A call that ended in -EAGAIN is answered so again, without asking, while the socket is not ready for it
 * (table WAITS). What is on its way could make that wrong for an application that asks once, just after the tester has sent a
 * packet: after touched(), memory counts only once a PING has been answered, because the agent tells all it knows before it answers
 * one.
 *
 * Wake-ups. An event that comes in during a call of somebody else's must still wake who waits for it: fd() is then kept readable,
 * by an eventfd, until work() has been called and nothing more has come.
 *
 * Lost. Whatever the agent says that it should not, and whatever it does not say in time, ends the connection: lost() takes down
 * why, and every call is -ECOMM from then on. Nothing that comes from the agent is trusted: numbers are checked, text cleaned. */
#include "targets/agent/client.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FAREWELL_NS INT64_C(1000000000) /* the last message may take so long */
enum { PINGS = 5, ERRNO_MOST = 4095, READ_AHEAD = 16384, SETTINGS_BYTES = 1 + AGENT_SETTINGS_MAX * 2 * (1 + AGENT_NAME_MAX) };

/* Calls that may be answered from memory. */
enum waiting { WAITS_TO_ACCEPT, WAITS_TO_RECEIVE, WAITS_FOR_URGENT, WAITS_TO_SEND, WAITS_TO_CONNECT, WAITING_KINDS };
enum { READ_END = TARGET_EVENT_ERROR | TARGET_EVENT_HANGUP | TARGET_EVENT_READ_HANGUP, WRITE_END = TARGET_EVENT_ERROR | TARGET_EVENT_HANGUP };
static const unsigned READY_FOR[WAITING_KINDS] = { /* any of these, and it is worth asking */
    [WAITS_TO_ACCEPT] = TARGET_EVENT_IN | READ_END, [WAITS_TO_RECEIVE] = TARGET_EVENT_IN | TARGET_EVENT_URGENT | READ_END,
    [WAITS_FOR_URGENT] = TARGET_EVENT_URGENT | READ_END, [WAITS_TO_SEND] = TARGET_EVENT_OUT | WRITE_END,
    [WAITS_TO_CONNECT] = TARGET_EVENT_OUT | WRITE_END,
};

struct remembered {
    bool open;
    uint8_t events;           /* as last told by the agent */
    uint8_t again;            /* a bit for each of enum waiting: ended in -EAGAIN, and nothing has changed since */
};

struct buffer {
    uint8_t *bytes;
    size_t at, len, capacity; /* what counts are the octets from at to len */
};

struct client {
    struct upper base;        /* first: what the station sees */
    struct agent_stream *stream;
    uint8_t key[AGENT_KEY_BYTES];
    int64_t patience_ns;
    void (*random)(uint8_t *out, size_t len);
    int epoll_fd, again_fd;   /* -1: the stream has no descriptor */
    bool again;               /* again_fd is readable */
    bool events_came;         /* since work() was last called */

    bool is_lost, stale;      /* stale: what is remembered may be out of date */
    uint64_t lost_count;
    char why[TARGET_TEXT_MAX];

    struct agent_seal to_agent, from_agent;
    uint32_t number;          /* of the last request */
    size_t message_max;       /* that the agent takes */
    unsigned abilities;
    struct buffer in, out;
    struct remembered *handles;
    size_t handle_count;
    uint8_t settings[SETTINGS_BYTES]; /* the last SETTINGS request's arguments, for recover() */
    size_t settings_len;
};

static struct client *self(struct upper *u)
{
    return (struct client *)u;
}

/* ---- trouble ---------------------------------------------------------------------------------------------------- */

static void lost(struct client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void lost(struct client *c, const char *format, ...)
{
    if (c->is_lost)
        return;
    va_list arguments;
    va_start(arguments, format);
    int len = snprintf(c->why, sizeof c->why, "the agent at %.100s ", c->stream->peer);
    if (len > 0 && (size_t)len < sizeof c->why)
        vsnprintf(c->why + len, sizeof c->why - (size_t)len, format, arguments);
    va_end(arguments);
    c->is_lost = true;
    c->lost_count++;
}

/* Text from elsewhere: printable, or a question mark. */
static void clean(char *text)
{
    for (; *text; text++)
        if (!isprint((unsigned char)*text) && !((unsigned char)*text & 0x80))
            *text = '?';
}

/* ---- octets ----------------------------------------------------------------------------------------------------- */

static bool reserve(struct client *c, struct buffer *b, size_t capacity)
{
    if (b->capacity >= capacity)
        return true;
    uint8_t *bytes = realloc(b->bytes, capacity);
    if (!bytes) {
        lost(c, "was given up: out of memory");
        return false;
    }
    b->bytes = bytes;
    b->capacity = capacity;
    return true;
}

static bool transmit(struct client *c, const uint8_t *bytes, size_t len, int64_t until_ns)
{
    while (len && !c->is_lost) {
        ssize_t written = c->stream->ops->write(c->stream, bytes, len, until_ns);
        if (written < 0)
            lost(c, "is gone: %s", strerror((int)-written));
        else if (written == 0)
            lost(c, "takes no more requests: it hangs, or the way to it is down");
        else {
            bytes += written;
            len -= (size_t)written;
        }
    }
    return !c->is_lost;
}

/* Reads, perhaps ahead, until len octets count; false when they are not there in time (which is no loss yet), or lost. */
static bool gather(struct client *c, size_t len, int64_t until_ns)
{
    struct buffer *in = &c->in;
    if (in->at) {
        memmove(in->bytes, in->bytes + in->at, in->len - in->at);
        in->len -= in->at;
        in->at = 0;
    }
    if (!reserve(c, in, len > READ_AHEAD ? len : READ_AHEAD))
        return false;
    while (in->len < len) {
        ssize_t taken = c->stream->ops->read(c->stream, in->bytes + in->len, in->capacity - in->len, until_ns);
        if (taken == -ECONNRESET)
            lost(c, "has closed the control connection: it was stopped, or it found fault with this tester");
        else if (taken < 0)
            lost(c, "is gone: %s", strerror((int)-taken));
        if (taken <= 0)
            return false;
        in->len += (size_t)taken;
    }
    return true;
}

/* The next whole message, without its length; valid until the next call. NULL: none in time, or lost. */
static uint8_t *gather_message(struct client *c, size_t most, int64_t until_ns, size_t *len)
{
    if (!gather(c, AGENT_LENGTH_BYTES, until_ns))
        return NULL;
    *len = agent_length_at(c->in.bytes);
    if (*len == 0 || *len > most) {
        lost(c, "speaks nonsense: a message of %zu octets", *len);
        return NULL;
    }
    if (!gather(c, AGENT_LENGTH_BYTES + *len, until_ns))
        return NULL;
    c->in.at = AGENT_LENGTH_BYTES + *len;
    return c->in.bytes + AGENT_LENGTH_BYTES;
}

/* ---- the handshake ---------------------------------------------------------------------------------------------- */

static void take_refusal(struct client *c, struct agent_reader *r)
{
    char text[AGENT_TEXT_MAX + 1];
    unsigned code = agent_get16(r), least = agent_get16(r), most = agent_get16(r);
    agent_get_text(r, text, AGENT_TEXT_MAX);
    clean(text);
    if (r->bad)
        lost(c, "refuses, and says nonsense");
    else if (code == AGENT_REFUSED_VERSION)
        lost(c, "speaks other versions of the protocol (%u to %u) than this tester (%d to %d): install the same tcpassay on both",
             least, most, AGENT_VERSION_MIN, AGENT_VERSION_MAX);
    else if (code == AGENT_REFUSED_KEY)
        lost(c,
             "has another key than this tester: give both the same key file (tcpassay agent --key FILE, key=FILE of the target)");
    else if (code == AGENT_REFUSED_BUSY)
        lost(c, "is serving another tester, and serves one at a time");
    else
        lost(c, "refuses: %.100s", text);
}

/* Takes the next message of the handshake, which must be of this kind; a reader behind its kind. */
static bool take_greeting(struct client *c, enum agent_greeting wanted, bool has_magic, int64_t until_ns, struct agent_reader *r)
{
    size_t len;
    const uint8_t *message = gather_message(c, AGENT_REFUSAL_BYTES + AGENT_TEXT_MAX, until_ns, &len);
    if (!message) {
        lost(c, "does not answer");
        return false;
    }
    *r = (struct agent_reader){ message, len, false };
    bool magic = len > AGENT_MAGIC_BYTES && memcmp(r->bytes, AGENT_MAGIC, AGENT_MAGIC_BYTES) == 0;
    bool refused = magic && r->bytes[AGENT_MAGIC_BYTES] == AGENT_REFUSAL;
    if (refused || (has_magic && magic))
        agent_get_bytes(r, AGENT_MAGIC_BYTES);
    uint8_t kind = agent_get8(r);
    if (refused)
        take_refusal(c, r);
    else if (kind != wanted || has_magic != magic)
        lost(c, "is none: something else answers there");
    return !c->is_lost;
}

static bool say_hello(struct client *c, struct agent_transcript *t, int64_t until_ns)
{
    uint8_t hello[AGENT_LENGTH_BYTES + AGENT_HELLO_BYTES], nonce[AGENT_NONCE_BYTES];
    struct agent_writer w = { hello, 0, sizeof hello, false };
    c->random(nonce, sizeof nonce);
    agent_put32(&w, AGENT_HELLO_BYTES);
    agent_put_bytes(&w, AGENT_MAGIC, AGENT_MAGIC_BYTES);
    agent_put8(&w, AGENT_HELLO);
    agent_put16(&w, AGENT_VERSION_MIN);
    agent_put16(&w, AGENT_VERSION_MAX);
    agent_put_bytes(&w, nonce, sizeof nonce);
    agent_transcribe(t, hello + AGENT_LENGTH_BYTES, AGENT_HELLO_BYTES);
    return transmit(c, hello, sizeof hello, until_ns);
}

static bool take_challenge(struct client *c, struct agent_transcript *t, int64_t until_ns)
{
    struct agent_reader r;
    if (!take_greeting(c, AGENT_CHALLENGE, true, until_ns, &r))
        return false;
    const uint8_t *challenge = r.bytes - (AGENT_MAGIC_BYTES + 1);
    unsigned version = agent_get16(&r);
    c->message_max = agent_get32(&r);
    agent_get_bytes(&r, AGENT_NONCE_BYTES);
    if (!agent_read_all(&r) || version < AGENT_VERSION_MIN || version > AGENT_VERSION_MAX || c->message_max < AGENT_MESSAGE_LEAST)
        lost(c, "speaks nonsense: its challenge is not one");
    else
        agent_transcribe(t, challenge, AGENT_CHALLENGE_BYTES);
    if (c->message_max > AGENT_MESSAGE_MAX)
        c->message_max = AGENT_MESSAGE_MAX;
    return !c->is_lost;
}

static bool prove(struct client *c, const struct agent_transcript *t, int64_t until_ns)
{
    uint8_t proof[AGENT_LENGTH_BYTES + AGENT_PROOF_MESSAGE_BYTES], wanted[AGENT_PROOF_BYTES];
    agent_length_to(proof, AGENT_PROOF_MESSAGE_BYTES);
    proof[AGENT_LENGTH_BYTES] = AGENT_PROOF;
    agent_derive(c->key, AGENT_PROOF_OF_TESTER, t, proof + AGENT_LENGTH_BYTES + 1);
    struct agent_reader r;
    if (!transmit(c, proof, sizeof proof, until_ns) || !take_greeting(c, AGENT_WELCOME, false, until_ns, &r))
        return false;
    agent_derive(c->key, AGENT_PROOF_OF_AGENT, t, wanted);
    const uint8_t *given = agent_get_bytes(&r, AGENT_PROOF_BYTES);
    if (!agent_read_all(&r) || !agent_same_proof(given, wanted))
        lost(c, "did not prove that it knows the key: it may be somebody else");
    return !c->is_lost;
}

static bool shake_hands(struct client *c)
{
    struct agent_transcript t = { .len = 0 };
    int64_t until_ns = c->stream->ops->now_ns(c->stream) + c->patience_ns;
    if (!say_hello(c, &t, until_ns) || !take_challenge(c, &t, until_ns) || !prove(c, &t, until_ns))
        return false;
    c->to_agent.number = c->from_agent.number = 0;
    agent_derive(c->key, AGENT_KEY_OF_TESTER, &t, c->to_agent.key);
    agent_derive(c->key, AGENT_KEY_OF_AGENT, &t, c->from_agent.key);
    return true;
}

/* ---- waking who waits -------------------------------------------------------------------------------------------- */

static void set_again(struct client *c, bool again)
{
    uint64_t counter = 1;
    if (c->again_fd < 0 || again == c->again)
        return;
    ssize_t done = again ? write(c->again_fd, &counter, sizeof counter) : read(c->again_fd, &counter, sizeof counter);
    if (done == (ssize_t)sizeof counter)
        c->again = again;
}

/* ---- what comes ------------------------------------------------------------------------------------------------- */

static struct remembered *remembered_of(struct client *c, int64_t handle)
{
    return handle >= 0 && (uint64_t)handle < c->handle_count && c->handles[handle].open ? &c->handles[handle] : NULL;
}

static void take_events(struct client *c, struct agent_reader *r)
{
    while (r->left) {
        struct remembered *h = remembered_of(c, agent_get32(r));
        uint8_t events = agent_get8(r);
        if (r->bad || !h) {
            lost(c, "speaks nonsense: an event of a socket that is not there");
            return;
        }
        h->events = events;
        h->again = 0;
    }
    c->events_came = true;
    set_again(c, true);
}

/* The next message, opened; an event is dealt with, and *is_answer says that it is none. False: none in time, or lost. */
static bool take_message(struct client *c, int64_t until_ns, bool *is_answer, uint32_t *number, struct agent_reader *r)
{
    size_t len;
    uint8_t *message = gather_message(c, AGENT_MESSAGE_MAX, until_ns, &len);
    if (!message)
        return false;
    if (len < AGENT_REQUEST_HEADER + AGENT_TAG_BYTES || !agent_open_message(&c->from_agent, message, len)) {
        lost(c, "sent a message that is not authentic: altered on the way, or somebody else's");
        return false;
    }
    *r = (struct agent_reader){ message, len - AGENT_TAG_BYTES, false };
    *number = agent_get32(r);
    uint8_t kind = agent_get8(r);
    *is_answer = kind == AGENT_ANSWER;
    if (kind == AGENT_EVENT && *number == 0)
        take_events(c, r);
    else if (kind != AGENT_ANSWER)
        lost(c, "speaks nonsense: a message of kind %u", kind);
    return !c->is_lost;
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

struct exchange {
    struct agent_writer request;
    struct agent_reader answer; /* behind the result and the events */
    int64_t result;
    uint8_t events;
};

/* A request of up to len octets behind its header. False: lost. */
static bool begin(struct client *c, struct exchange *x, enum agent_kind kind, size_t len)
{
    size_t plain = AGENT_REQUEST_HEADER + len;
    if (c->is_lost || !reserve(c, &c->out, AGENT_LENGTH_BYTES + plain + AGENT_TAG_BYTES))
        return false;
    x->request = (struct agent_writer){ c->out.bytes + AGENT_LENGTH_BYTES, 0, plain, false };
    c->number = c->number == UINT32_MAX ? 1 : c->number + 1;
    agent_put32(&x->request, c->number);
    agent_put8(&x->request, (uint8_t)kind);
    return true;
}

static bool await_answer(struct client *c, struct exchange *x, int64_t until_ns)
{
    for (;;) {
        bool is_answer;
        uint32_t number;
        if (!take_message(c, until_ns, &is_answer, &number, &x->answer)) {
            lost(c, "does not answer: it hangs, or the way to it is down");
            return false;
        }
        if (!is_answer)
            continue;
        x->result = agent_get64(&x->answer);
        x->events = agent_get8(&x->answer);
        if (number != c->number || x->answer.bad || x->result < -ERRNO_MOST || x->result == -ECOMM)
            lost(c, "speaks nonsense: an answer to nothing that was asked");
        return !c->is_lost;
    }
}

/* Sends the request and awaits its answer. False: lost. */
static bool end_within(struct client *c, struct exchange *x, int64_t patience_ns)
{
    assert(!x->request.full);
    int64_t until_ns = c->stream->ops->now_ns(c->stream) + patience_ns;
    size_t len = agent_seal_message(&c->to_agent, x->request.bytes, x->request.len, c->out.bytes);
    if (!transmit(c, c->out.bytes, len, until_ns) || !await_answer(c, x, until_ns))
        return false;
    if (c->in.len > c->in.at) /* read ahead, where poll() does not see it */
        set_again(c, true);
    return true;
}

static bool end(struct client *c, struct exchange *x)
{
    return end_within(c, x, c->patience_ns);
}

static int64_t nonsense(struct client *c, const char *what)
{
    lost(c, "speaks nonsense: %s", what);
    return -ECOMM;
}

/* ---- memory of sockets ------------------------------------------------------------------------------------------ */

/* Whatever the agent knows by now is known here afterwards. */
static bool synchronise(struct client *c)
{
    struct exchange x;
    c->stale = false;
    return begin(c, &x, AGENT_PING, 0) && end(c, &x);
}

/* Would this call end in -EAGAIN, as it did before? */
static bool still_waits(struct client *c, int handle, enum waiting kind)
{
    for (;;) {
        const struct remembered *h = remembered_of(c, handle);
        if (!h || !(h->again & 1u << kind) || (h->events & READY_FOR[kind]))
            return false;
        if (!c->stale)
            return true;
        if (!synchronise(c))
            return false;
    }
}

/* A request about a socket; the handle is written. */
static bool begin_on(struct client *c, struct exchange *x, enum agent_kind kind, int handle, size_t len)
{
    if (!begin(c, x, kind, 4 + len))
        return false;
    agent_put32(&x->request, (uint32_t)handle);
    return true;
}

/* Sends it, and remembers what the answer says of the socket; `keep`: what ended in -EAGAIN would do so still, unless its events
 * say otherwise. The result, or -ECOMM. */
static int64_t end_on(struct client *c, struct exchange *x, int handle, bool keep)
{
    if (!end(c, x))
        return -ECOMM;
    struct remembered *h = remembered_of(c, handle);
    if (h) {
        h->events = x->events;
        h->again = keep ? h->again : 0;
    }
    return x->result;
}

/* The same for one of the calls that may be answered from memory. */
static int64_t end_waiting(struct client *c, struct exchange *x, int handle, enum waiting kind)
{
    int64_t result = end_on(c, x, handle, true);
    struct remembered *h = remembered_of(c, handle);
    if (h)
        h->again = (uint8_t)(result == -EAGAIN && (c->abilities & AGENT_CAN_EVENTS) ? h->again | 1u << kind : h->again & ~(1u << kind));
    return result;
}

static int64_t remember(struct client *c, int64_t handle, uint8_t events)
{
    if (handle >= AGENT_HANDLES_MAX || remembered_of(c, handle))
        return nonsense(c, "a new socket that is none");
    if ((uint64_t)handle >= c->handle_count) {
        size_t count = (size_t)handle + 64;
        struct remembered *handles = realloc(c->handles, count * sizeof *handles);
        if (!handles) {
            lost(c, "was given up: out of memory");
            return -ECOMM;
        }
        memset(handles + c->handle_count, 0, (count - c->handle_count) * sizeof *handles);
        c->handles = handles;
        c->handle_count = count;
    }
    c->handles[handle] = (struct remembered){ .open = true, .events = events };
    return handle;
}

static void forget(struct client *c, int handle)
{
    if (remembered_of(c, handle))
        c->handles[handle].open = false;
}

/* ---- the calls of struct upper ---------------------------------------------------------------------------------- */

static int64_t client_socket(struct upper *u, uint8_t ip_version)
{
    struct client *c = self(u);
    struct exchange x;
    if (!begin(c, &x, AGENT_SOCKET, 1))
        return -ECOMM;
    agent_put8(&x.request, ip_version);
    if (!end(c, &x))
        return -ECOMM;
    if (x.result < 0)
        return x.result;
    uint8_t events = agent_get8(&x.answer);
    return agent_read_all(&x.answer) ? remember(c, x.result, events) : nonsense(c, "a socket without its events");
}

static int64_t client_bind(struct upper *u, int handle, const struct pkt_endpoint *local)
{
    struct client *c = self(u);
    struct exchange x;
    if (!begin_on(c, &x, AGENT_BIND, handle, 1 + 16 + 2))
        return -ECOMM;
    agent_put_endpoint(&x.request, local);
    return end_on(c, &x, handle, false);
}

static int64_t client_listen(struct upper *u, int handle, int backlog)
{
    struct client *c = self(u);
    struct exchange x;
    if (!begin_on(c, &x, AGENT_LISTEN, handle, 4))
        return -ECOMM;
    agent_put32(&x.request, (uint32_t)backlog);
    return end_on(c, &x, handle, false);
}

static int64_t client_accept(struct upper *u, int handle, struct pkt_endpoint *peer)
{
    struct client *c = self(u);
    struct exchange x;
    struct pkt_endpoint found;
    if (still_waits(c, handle, WAITS_TO_ACCEPT))
        return -EAGAIN;
    if (!begin_on(c, &x, AGENT_ACCEPT, handle, 0))
        return -ECOMM;
    int64_t result = end_waiting(c, &x, handle, WAITS_TO_ACCEPT);
    if (result < 0)
        return result;
    agent_get_endpoint(&x.answer, &found);
    uint8_t events = agent_get8(&x.answer);
    if (!agent_read_all(&x.answer))
        return nonsense(c, "a connection without its peer");
    if (peer)
        *peer = found;
    return remember(c, result, events);
}

static int64_t client_connect(struct upper *u, int handle, const struct pkt_endpoint *remote)
{
    struct client *c = self(u);
    struct exchange x;
    if (still_waits(c, handle, WAITS_TO_CONNECT))
        return -EAGAIN;
    if (!begin_on(c, &x, AGENT_CONNECT, handle, 1 + 16 + 2))
        return -ECOMM;
    agent_put_endpoint(&x.request, remote);
    return end_waiting(c, &x, handle, WAITS_TO_CONNECT);
}

static int64_t client_send(struct upper *u, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    struct client *c = self(u);
    struct exchange x;
    if (still_waits(c, handle, WAITS_TO_SEND))
        return -EAGAIN;
    len = len < c->message_max - AGENT_SEND_OVERHEAD ? len : c->message_max - AGENT_SEND_OVERHEAD;
    if (!begin_on(c, &x, AGENT_SEND, handle, 1 + len))
        return -ECOMM;
    agent_put8(&x.request, (uint8_t)flags);
    agent_put_bytes(&x.request, data, len);
    int64_t result = end_waiting(c, &x, handle, WAITS_TO_SEND);
    return result > (int64_t)len ? nonsense(c, "it sent more than it was given") : result;
}

static int64_t client_receive(struct upper *u, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct client *c = self(u);
    struct exchange x;
    enum waiting kind = flags & TARGET_MSG_OOB ? WAITS_FOR_URGENT : WAITS_TO_RECEIVE;
    const size_t most = AGENT_MESSAGE_MAX - AGENT_RECEIVE_OVERHEAD;
    if (still_waits(c, handle, kind))
        return -EAGAIN;
    if (!begin_on(c, &x, AGENT_RECEIVE, handle, 1 + 4))
        return -ECOMM;
    len = len < most ? len : most;
    agent_put8(&x.request, (uint8_t)flags);
    agent_put32(&x.request, (uint32_t)len);
    int64_t result = end_waiting(c, &x, handle, kind);
    if (result < 0)
        return result;
    if ((uint64_t)result != x.answer.left || x.answer.left > len)
        return nonsense(c, "other data than it says");
    if (result)
        memcpy(out, x.answer.bytes, x.answer.left);
    return result;
}

static int64_t client_shutdown(struct upper *u, int handle, enum target_shutdown how)
{
    struct client *c = self(u);
    struct exchange x;
    if (!begin_on(c, &x, AGENT_SHUTDOWN, handle, 1))
        return -ECOMM;
    agent_put8(&x.request, (uint8_t)how);
    return end_on(c, &x, handle, false);
}

static int64_t end_of(struct upper *u, int handle, enum agent_kind kind)
{
    struct client *c = self(u);
    struct exchange x;
    if (!begin_on(c, &x, kind, handle, 0))
        return -ECOMM;
    int64_t result = end_on(c, &x, handle, false);
    forget(c, handle);
    return result;
}

static int64_t client_close_handle(struct upper *u, int handle)
{
    return end_of(u, handle, AGENT_CLOSE);
}

int64_t agent_abort(struct upper *u, int handle)
{
    return end_of(u, handle, AGENT_ABORT);
}

static int64_t client_set_option(struct upper *u, int handle, const char *name, const int64_t *values, unsigned count)
{
    struct client *c = self(u);
    struct exchange x;
    if (strlen(name) > AGENT_NAME_MAX)
        return -ENOPROTOOPT;
    if (count > AGENT_OPTION_VALUES_MAX)
        return -EINVAL;
    if (!begin_on(c, &x, AGENT_SET_OPTION, handle, 1 + AGENT_NAME_MAX + 1 + AGENT_OPTION_VALUES_MAX * 8))
        return -ECOMM;
    agent_put_text(&x.request, name, AGENT_NAME_MAX);
    agent_put8(&x.request, (uint8_t)count);
    for (unsigned i = 0; i < count; i++)
        agent_put64(&x.request, values[i]);
    return end_on(c, &x, handle, false);
}

/* GET_OPTION and IOCTL. */
static int64_t get_number(struct upper *u, enum agent_kind kind, int handle, const char *name, int64_t *value)
{
    struct client *c = self(u);
    struct exchange x;
    if (!begin_on(c, &x, kind, handle, 1 + AGENT_NAME_MAX))
        return -ECOMM;
    agent_put_text(&x.request, name, AGENT_NAME_MAX);
    int64_t result = end_on(c, &x, handle, kind == AGENT_IOCTL);
    if (result < 0)
        return result;
    *value = agent_get64(&x.answer);
    return agent_read_all(&x.answer) ? result : nonsense(c, "a number that is none");
}

static int64_t client_get_option(struct upper *u, int handle, const char *name, int64_t *value)
{
    return strlen(name) > AGENT_NAME_MAX ? -ENOPROTOOPT : get_number(u, AGENT_GET_OPTION, handle, name, value);
}

static int64_t client_ioctl(struct upper *u, int handle, const char *name, int64_t *value)
{
    return strlen(name) > AGENT_NAME_MAX ? -ENOTTY : get_number(u, AGENT_IOCTL, handle, name, value);
}

/* Who waits for an event of a lost agent is told that there is an error: its next call then says which. */
static unsigned client_poll(struct upper *u, int handle)
{
    struct client *c = self(u);
    struct exchange x;
    if (!(c->abilities & AGENT_CAN_EVENTS)) {
        if (begin_on(c, &x, AGENT_POLL, handle, 0))
            end_on(c, &x, handle, true);
    } else if (c->stale && remembered_of(c, handle)) {
        synchronise(c);
    }
    const struct remembered *h = remembered_of(c, handle);
    return c->is_lost ? TARGET_EVENT_ERROR : h ? h->events : 0;
}

static int64_t client_local_endpoint(struct upper *u, int handle, struct pkt_endpoint *out)
{
    struct client *c = self(u);
    struct exchange x;
    if (!begin_on(c, &x, AGENT_LOCAL_ENDPOINT, handle, 0))
        return -ECOMM;
    int64_t result = end_on(c, &x, handle, true);
    if (result < 0)
        return result;
    agent_get_endpoint(&x.answer, out);
    return agent_read_all(&x.answer) ? result : nonsense(c, "an endpoint that is none");
}

static int64_t client_status(struct upper *u, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                             struct target_status *out)
{
    struct client *c = self(u);
    struct exchange x;
    if (!(c->abilities & AGENT_CAN_STATUS))
        return -EOPNOTSUPP;
    if (!begin(c, &x, AGENT_STATUS, (size_t)2 * (1 + 16 + 2)))
        return -ECOMM;
    agent_put_endpoint(&x.request, local);
    agent_put_endpoint(&x.request, remote);
    if (!end(c, &x))
        return -ECOMM;
    if (x.result < 0)
        return x.result;
    *out = (struct target_status){ .state = agent_get8(&x.answer), .known = agent_get8(&x.answer) };
    uint32_t *const numbers[] = { &out->snd_una, &out->snd_nxt, &out->rcv_nxt, &out->snd_wnd, &out->rcv_wnd, &out->unread_bytes,
                                  &out->unsent_bytes, &out->cwnd_bytes, &out->ssthresh_bytes, &out->mss_bytes, &out->retransmits };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = agent_get32(&x.answer);
    out->rto_ns = agent_get64(&x.answer);
    out->srtt_ns = agent_get64(&x.answer);
    return agent_read_all(&x.answer) && out->state < TCP_STATE_COUNT ? 0 : nonsense(c, "a state that is none");
}

/* ---- settings --------------------------------------------------------------------------------------------------- */

/* Sends c->settings. */
static bool send_settings(struct client *c, struct target_error *error)
{
    struct exchange x;
    char text[AGENT_TEXT_MAX + 1];
    *error = (struct target_error){ .kind = TARGET_ERR_UNAVAILABLE };
    bool answered = begin(c, &x, AGENT_SETTINGS, SETTINGS_BYTES);
    if (answered) {
        agent_put_bytes(&x.request, c->settings, c->settings_len);
        answered = end(c, &x);
    }
    if (!answered) {
        snprintf(error->text, sizeof error->text, "%s", c->why);
        return false;
    }
    if (x.result >= 0) {
        error->kind = TARGET_ERR_NONE;
        return true;
    }
    uint8_t kind = agent_get8(&x.answer);
    agent_get_text(&x.answer, text, AGENT_TEXT_MAX);
    clean(text);
    if (!x.answer.bad && kind >= TARGET_ERR_USAGE && kind <= TARGET_ERR_UNSUPPORTED)
        error->kind = (enum target_error_kind)kind;
    snprintf(error->text, sizeof error->text, "the agent at %.100s: %s", c->stream->peer, *text ? text : "it cannot make that setting");
    return false;
}

static bool refuse_setting(struct target_error *error, enum target_error_kind kind, const char *name, const char *why)
{
    error->kind = kind;
    snprintf(error->text, sizeof error->text, "setting %.64s: %s", name, why);
    return false;
}

static bool client_configure(struct upper *u, const struct target_setting *settings, unsigned count, struct target_error *error)
{
    struct client *c = self(u);
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    if (!(c->abilities & AGENT_CAN_SETTINGS))
        return count == 0 || refuse_setting(error, TARGET_ERR_UNSUPPORTED, settings[0].name,
                                            "the agent makes none; start it as root with --settings");
    if (count > AGENT_SETTINGS_MAX)
        return refuse_setting(error, TARGET_ERR_UNSUPPORTED, settings[0].name, "too many settings at once");
    struct agent_writer w = { c->settings, 0, sizeof c->settings, false };
    agent_put8(&w, (uint8_t)count);
    for (unsigned i = 0; i < count; i++) {
        if (strlen(settings[i].name) > AGENT_NAME_MAX || strlen(settings[i].value) > AGENT_NAME_MAX)
            return refuse_setting(error, TARGET_ERR_UNSUPPORTED, settings[i].name,
                                  "the agent knows no setting with so long a name or value");
        agent_put_text(&w, settings[i].name, AGENT_NAME_MAX);
        agent_put_text(&w, settings[i].value, AGENT_NAME_MAX);
    }
    c->settings_len = w.len;
    return send_settings(c, error);
}

/* ---- getting to know each other --------------------------------------------------------------------------------- */

static bool identify(struct client *c)
{
    struct exchange x;
    char text[AGENT_TEXT_MAX + 1];
    struct upper *u = &c->base;
    if (!begin(c, &x, AGENT_IDENTIFY, 0) || !end(c, &x))
        return false;
    c->abilities = agent_get32(&x.answer);
    agent_get32(&x.answer); /* how many sockets it has for us: it says -EMFILE when they are used up */
    agent_get_text(&x.answer, text, AGENT_TEXT_MAX);
    clean(text);
    snprintf(u->description, sizeof u->description, "%.*s", (int)sizeof u->description - 1, text);
    unsigned count = agent_get8(&x.answer);
    u->pixit_count = 0;
    for (unsigned i = 0; i < count && !x.answer.bad; i++) {
        char name[AGENT_NAME_MAX + 1], value[AGENT_NAME_MAX + 1];
        agent_get_text(&x.answer, name, AGENT_NAME_MAX);
        agent_get_text(&x.answer, value, AGENT_NAME_MAX);
        if (u->pixit_count == TARGET_PIXIT_MAX)
            continue;
        clean(name);
        clean(value);
        memcpy(u->pixit[u->pixit_count].name, name, sizeof name);
        memcpy(u->pixit[u->pixit_count++].value, value, sizeof value);
    }
    if (x.result < 0 || !agent_read_all(&x.answer))
        nonsense(c, "it does not say what it is");
    u->capabilities = c->abilities & AGENT_CAN_STATUS ? TARGET_STATUS : 0;
    u->configures = (c->abilities & AGENT_CAN_SETTINGS) != 0;
    return !c->is_lost;
}

static int order(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* How long a call usually takes: the median of a few. */
static bool measure(struct client *c)
{
    int64_t taken_ns[PINGS];
    for (size_t i = 0; i < PINGS; i++) {
        int64_t from_ns = c->stream->ops->now_ns(c->stream);
        if (!synchronise(c))
            return false;
        taken_ns[i] = c->stream->ops->now_ns(c->stream) - from_ns;
    }
    qsort(taken_ns, PINGS, sizeof *taken_ns, order);
    c->base.call_ns = taken_ns[PINGS / 2] > 0 ? taken_ns[PINGS / 2] : 1;
    return true;
}

static bool get_to_know(struct client *c)
{
    return shake_hands(c) && identify(c) && measure(c);
}

/* ---- descriptors ------------------------------------------------------------------------------------------------ */

static bool watch(struct client *c, int fd)
{
    struct epoll_event event = { .events = EPOLLIN };
    return fd >= 0 && epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* A stream without a descriptor (in a test) wakes nobody. */
static bool make_descriptors(struct client *c)
{
    if (c->stream->ops->fd(c->stream) < 0)
        return true;
    c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    c->again_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return c->epoll_fd >= 0 && watch(c, c->again_fd) && watch(c, c->stream->ops->fd(c->stream));
}

static int client_fd(struct upper *u)
{
    return self(u)->epoll_fd;
}

/* A lost connection stays readable for ever, and would keep its waiter spinning. */
static void unwatch_lost(struct client *c)
{
    if (c->is_lost && c->epoll_fd >= 0)
        epoll_ctl(c->epoll_fd, EPOLL_CTL_DEL, c->stream->ops->fd(c->stream), NULL);
}

static void client_work(struct upper *u)
{
    struct client *c = self(u);
    bool is_answer, came;
    uint32_t number;
    struct agent_reader r;
    while (!c->is_lost && take_message(c, 0, &is_answer, &number, &r))
        if (is_answer)
            nonsense(c, "an answer to nothing that was asked");
    came = c->events_came;
    c->events_came = false;
    set_again(c, came);
    unwatch_lost(c);
}

static void client_touched(struct upper *u)
{
    self(u)->stale = true;
}

/* ---- losing, and finding again ----------------------------------------------------------------------------------- */

static uint64_t client_trouble(struct upper *u, char *text, size_t capacity)
{
    const struct client *c = self(u);
    if (capacity)
        snprintf(text, capacity, "%s", c->why);
    return c->lost_count;
}

static void forget_all(struct client *c)
{
    if (c->handle_count)
        memset(c->handles, 0, c->handle_count * sizeof *c->handles);
    c->in.at = c->in.len = 0;
    c->stale = c->events_came = false;
}

static bool begin_anew(struct client *c, struct target_error *error)
{
    int64_t until_ns = c->stream->ops->now_ns(c->stream) + c->patience_ns;
    if (!c->stream->ops->reconnect || !c->stream->ops->reconnect(c->stream, until_ns, error)) {
        if (!c->stream->ops->reconnect)
            snprintf(error->text, sizeof error->text, "%s; it cannot be started again", c->why);
        return false;
    }
    forget_all(c);
    c->is_lost = false;
    if (c->epoll_fd >= 0)
        watch(c, c->stream->ops->fd(c->stream));
    if (!get_to_know(c)) {
        snprintf(error->text, sizeof error->text, "%s", c->why);
        return false;
    }
    return c->settings_len == 0 || send_settings(c, error);
}

static bool client_recover(struct upper *u, struct target_error *error)
{
    struct client *c = self(u);
    *error = (struct target_error){ .kind = TARGET_ERR_UNAVAILABLE };
    if (!c->is_lost || begin_anew(c, error)) {
        *error = (struct target_error){ .kind = TARGET_ERR_NONE };
        return true;
    }
    return false;
}

static void client_free(struct client *c)
{
    c->stream->ops->close(c->stream);
    if (c->epoll_fd >= 0)
        close(c->epoll_fd);
    if (c->again_fd >= 0)
        close(c->again_fd);
    free(c->in.bytes);
    free(c->out.bytes);
    free(c->handles);
    sodium_memzero(c, sizeof *c);
    free(c);
}

/* Waits for the agent to say that the sockets are gone, so that they are when this returns; but not for ever. */
static void client_close(struct upper *u)
{
    struct client *c = self(u);
    struct exchange x;
    if (begin(c, &x, AGENT_RESET, 0))
        end_within(c, &x, c->patience_ns < FAREWELL_NS ? c->patience_ns : FAREWELL_NS);
    client_free(c);
}

static const struct upper_ops CLIENT_OPS = {
    .close = client_close, .fd = client_fd, .work = client_work, .touched = client_touched, .trouble = client_trouble,
    .recover = client_recover, .configure = client_configure, .socket = client_socket, .bind = client_bind, .listen = client_listen,
    .accept = client_accept, .connect = client_connect, .send_data = client_send, .receive_data = client_receive,
    .shutdown = client_shutdown, .close_handle = client_close_handle, .set_option = client_set_option, .get_option = client_get_option,
    .ioctl = client_ioctl, .poll = client_poll, .local_endpoint = client_local_endpoint, .status = client_status,
};

/* ---- beginning --------------------------------------------------------------------------------------------------- */

static void random_octets(uint8_t *out, size_t len)
{
    randombytes_buf(out, len);
}

static struct upper *failed(struct target_error *error, const char *what)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "%s", what);
    return NULL;
}

struct upper *agent_on_stream(struct agent_stream *stream, const uint8_t *key, int64_t patience_ns,
                              void (*random)(uint8_t *out, size_t len), struct target_error *error)
{
    struct client *c = sodium_init() >= 0 ? malloc(sizeof *c) : NULL;
    if (!c) {
        stream->ops->close(stream);
        return failed(error, "out of memory");
    }
    *c = (struct client){
        .base.ops = &CLIENT_OPS, .stream = stream, .patience_ns = patience_ns > 0 ? patience_ns : AGENT_PATIENCE_NS,
        .random = random ? random : random_octets, .epoll_fd = -1, .again_fd = -1,
    };
    if (key)
        memcpy(c->key, key, sizeof c->key);
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    if (!make_descriptors(c))
        failed(error, "no descriptor can be had for the control connection: is the limit on open files reached?");
    else if (!get_to_know(c))
        failed(error, c->why);
    else
        return &c->base;
    client_free(c);
    return NULL;
}

bool agent_control_endpoints(struct upper *u, struct pkt_endpoint *local, struct pkt_endpoint *remote)
{
    struct client *c = self(u);
    return !c->is_lost && c->stream->ops->endpoints && c->stream->ops->endpoints(c->stream, local, remote);
}

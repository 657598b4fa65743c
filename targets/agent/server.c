/* One control connection, seen from the agent.
 *
 * Theory of operation. The connection is in one of four phases: a HELLO is awaited, a PROOF is awaited, a tester is being served,
 * or it is over. Bytes are gathered until a message is whole; each message is dealt with at once, and its answer added to what is
 * to be sent. While more than OUTPUT_HIGH octets wait to be sent, no message is dealt with: what has arrived waits, and the owner
 * is asked (agent_server_wants_input) to leave the rest to TCP.
 *
 * Events. For each socket of the tester's the server remembers which events it last told of, in an event or in an answer (each
 * answer about a socket tells them as they are after the call). Whatever differs is told: so both sides know the same, but for what
 * is on its way. A PING is answered after all that has changed has been told, which makes it a barrier.
 *
 * Bounds. Before the proof, messages have up to AGENT_GREETING_MAX octets; after it, AGENT_MESSAGE_MAX. The handshake, each message
 * and each answer have a time; a tester has handles_max sockets. A breach ends the connection, with its reason. Nothing is answered
 * to a message that is not authentic.
 *
 * The end, whatever it is: all sockets are aborted, and end() takes back what was set. */
#include "targets/agent/server.h"
#include "targets/agent/calls.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_HIGH = 65536 };

enum phase { AWAITS_HELLO, AWAITS_PROOF, SERVES, OVER };

struct handle {
    bool open, changed;   /* changed: in the list of those that are to be told of */
    uint8_t events;       /* as last told */
};

struct agent_buffer {
    uint8_t *bytes;
    size_t at, len, capacity; /* what counts are the octets from at to len */
};

struct agent_server {
    struct agent_server_config config;
    enum phase phase;
    bool begun;               /* begin() was called, and end() not yet */
    char reason[160];
    int64_t now_ns, started_ns, heard_ns, taken_ns; /* heard: the last whole message; taken: when output last went, or came to be */
    struct agent_transcript transcript;
    struct agent_seal from_tester, to_tester;
    struct agent_buffer in, out;
    struct handle *handles;   /* by handle */
    int *changed;             /* the handles that are to be told of */
    int handle_count, changed_count;
};

/* ---- buffers ---------------------------------------------------------------------------------------------------- */

/* Room for so many octets behind what counts; false: out of memory. */
static bool reserve(struct agent_buffer *b, size_t room)
{
    if (b->at && (b->at == b->len || b->capacity - b->len < room)) {
        memmove(b->bytes, b->bytes + b->at, b->len - b->at);
        b->len -= b->at;
        b->at = 0;
    }
    if (b->capacity - b->len >= room)
        return true;
    size_t capacity = b->len + room < 2 * b->capacity ? 2 * b->capacity : b->len + room;
    uint8_t *bytes = realloc(b->bytes, capacity);
    if (!bytes)
        return false;
    b->bytes = bytes;
    b->capacity = capacity;
    return true;
}

static size_t waiting(const struct agent_buffer *b)
{
    return b->len - b->at;
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

static void abort_all(struct agent_server *s)
{
    for (int handle = 0; handle < s->handle_count; handle++) {
        if (s->handles[handle].open)
            s->config.sockets->ops->abort(s->config.sockets, handle);
        s->handles[handle] = (struct handle){ .open = false };
    }
    s->changed_count = 0;
}

static void finish(struct agent_server *s, const char *reason)
{
    if (s->phase == OVER)
        return;
    s->phase = OVER;
    snprintf(s->reason, sizeof s->reason, "%s", reason);
    abort_all(s);
    if (s->begun && s->config.sockets->ops->end)
        s->config.sockets->ops->end(s->config.sockets);
    s->begun = false;
    sodium_memzero(&s->from_tester, sizeof s->from_tester);
}

/* ---- the handshake ---------------------------------------------------------------------------------------------- */

/* Adds a message of the handshake, which is not sealed. */
static void greet(struct agent_server *s, const uint8_t *message, size_t len)
{
    if (!reserve(&s->out, AGENT_LENGTH_BYTES + len)) {
        finish(s, "out of memory");
        return;
    }
    if (waiting(&s->out) == 0)
        s->taken_ns = s->now_ns;
    agent_length_to(s->out.bytes + s->out.len, (uint32_t)len);
    memcpy(s->out.bytes + s->out.len + AGENT_LENGTH_BYTES, message, len);
    s->out.len += AGENT_LENGTH_BYTES + len;
}

static void refuse(struct agent_server *s, enum agent_refusal code, const char *text)
{
    uint8_t message[AGENT_REFUSAL_BYTES + AGENT_TEXT_MAX];
    struct agent_writer w = { message, 0, sizeof message, false };
    agent_put_bytes(&w, AGENT_MAGIC, AGENT_MAGIC_BYTES);
    agent_put8(&w, AGENT_REFUSAL);
    agent_put16(&w, (uint16_t)code);
    agent_put16(&w, AGENT_VERSION_MIN);
    agent_put16(&w, AGENT_VERSION_MAX);
    agent_put_text(&w, text, AGENT_TEXT_MAX);
    greet(s, message, w.len);
    finish(s, text);
}

static void take_hello(struct agent_server *s, const uint8_t *message, size_t len)
{
    struct agent_reader r = { message, len, false };
    const uint8_t *magic = agent_get_bytes(&r, AGENT_MAGIC_BYTES);
    uint8_t kind = agent_get8(&r), challenge[AGENT_CHALLENGE_BYTES], nonce[AGENT_NONCE_BYTES];
    uint16_t least = agent_get16(&r), most = agent_get16(&r);
    if (!magic || memcmp(magic, AGENT_MAGIC, AGENT_MAGIC_BYTES) != 0) {
        finish(s, "something else than a tester has connected");
        return;
    }
    if (kind != AGENT_HELLO || !agent_get_bytes(&r, AGENT_NONCE_BYTES)) {
        refuse(s, AGENT_REFUSED_NONSENSE, "the HELLO is not one");
        return;
    }
    if (least > most || least > AGENT_VERSION_MAX || most < AGENT_VERSION_MIN) {
        refuse(s, AGENT_REFUSED_VERSION, "the tester speaks no version of the protocol that this agent speaks");
        return;
    }
    struct agent_writer w = { challenge, 0, sizeof challenge, false };
    s->config.random(nonce, sizeof nonce);
    agent_put_bytes(&w, AGENT_MAGIC, AGENT_MAGIC_BYTES);
    agent_put8(&w, AGENT_CHALLENGE);
    agent_put16(&w, most < AGENT_VERSION_MAX ? most : AGENT_VERSION_MAX);
    agent_put32(&w, AGENT_MESSAGE_MAX);
    agent_put_bytes(&w, nonce, sizeof nonce);
    agent_transcribe(&s->transcript, message, len);
    agent_transcribe(&s->transcript, challenge, w.len);
    greet(s, challenge, w.len);
    s->phase = AWAITS_PROOF;
}

static void begin(struct agent_server *s)
{
    uint8_t welcome[AGENT_PROOF_MESSAGE_BYTES] = { AGENT_WELCOME };
    agent_derive(s->config.key, AGENT_PROOF_OF_AGENT, &s->transcript, welcome + 1);
    agent_derive(s->config.key, AGENT_KEY_OF_TESTER, &s->transcript, s->from_tester.key);
    agent_derive(s->config.key, AGENT_KEY_OF_AGENT, &s->transcript, s->to_tester.key);
    s->phase = SERVES;
    s->begun = true;
    if (s->config.sockets->ops->begin)
        s->config.sockets->ops->begin(s->config.sockets);
    greet(s, welcome, sizeof welcome);
}

static void take_proof(struct agent_server *s, const uint8_t *message, size_t len)
{
    uint8_t wanted[AGENT_PROOF_BYTES];
    if (len != AGENT_PROOF_MESSAGE_BYTES || message[0] != AGENT_PROOF) {
        refuse(s, AGENT_REFUSED_NONSENSE, "a PROOF was to follow the HELLO");
        return;
    }
    agent_derive(s->config.key, AGENT_PROOF_OF_TESTER, &s->transcript, wanted);
    if (!agent_same_proof(wanted, message + 1))
        refuse(s, AGENT_REFUSED_KEY, "the tester has another key than this agent: give both the same key file");
    else if (s->config.claim && !s->config.claim(s->config.context))
        refuse(s, AGENT_REFUSED_BUSY, "another tester is connected to this agent, which serves one at a time");
    else
        begin(s);
}

/* ---- messages to the tester ------------------------------------------------------------------------------------- */

/* Where a message of up to len octets is written, before it is sealed in place; NULL: out of memory, and over. */
static uint8_t *message_begin(struct agent_server *s, size_t len)
{
    if (reserve(&s->out, AGENT_LENGTH_BYTES + len + AGENT_TAG_BYTES))
        return s->out.bytes + s->out.len + AGENT_LENGTH_BYTES;
    finish(s, "out of memory");
    return NULL;
}

static void message_end(struct agent_server *s, size_t len)
{
    uint8_t *at = s->out.bytes + s->out.len;
    if (waiting(&s->out) == 0)
        s->taken_ns = s->now_ns;
    s->out.len += agent_seal_message(&s->to_tester, at + AGENT_LENGTH_BYTES, len, at);
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

static struct handle *handle_of(struct agent_server *s, int64_t handle)
{
    return handle >= 0 && handle < s->handle_count && s->handles[handle].open ? &s->handles[handle] : NULL;
}

static bool grow_handles(struct agent_server *s, int64_t handle)
{
    int count = s->handle_count ? s->handle_count : 32;
    while (count <= handle)
        count *= 2;
    struct handle *handles = realloc(s->handles, (size_t)count * sizeof *handles);
    if (handles)
        s->handles = handles;
    int *changed = handles ? realloc(s->changed, (size_t)count * sizeof *changed) : NULL;
    if (!changed)
        return false;
    s->changed = changed;
    memset(handles + s->handle_count, 0, (size_t)(count - s->handle_count) * sizeof *handles);
    s->handle_count = count;
    return true;
}

/* The socket's events as they are now, which the tester is about to be told. */
static uint8_t tell(struct agent_server *s, int handle)
{
    struct handle *h = handle_of(s, handle);
    if (!h)
        return 0;
    h->events = (uint8_t)s->config.sockets->ops->poll(s->config.sockets, handle);
    return h->events;
}

static void notice(struct agent_server *s, int handle)
{
    struct handle *h = handle_of(s, handle);
    if (!h || h->changed || (uint8_t)s->config.sockets->ops->poll(s->config.sockets, handle) == h->events)
        return;
    h->changed = true;
    s->changed[s->changed_count++] = handle;
}

/* Tells of up to AGENT_EVENTS_MAX of the sockets that have changed; those may have changed back meanwhile. */
static void tell_events(struct agent_server *s)
{
    enum { EVENT_BYTES = 5 };
    uint8_t *message = message_begin(s, AGENT_REQUEST_HEADER + AGENT_EVENTS_MAX * EVENT_BYTES);
    if (!message)
        return;
    struct agent_writer w = { message, 0, AGENT_REQUEST_HEADER + AGENT_EVENTS_MAX * EVENT_BYTES, false };
    agent_put32(&w, 0);
    agent_put8(&w, AGENT_EVENT);
    for (int i = 0; i < AGENT_EVENTS_MAX && s->changed_count > 0; i++) {
        int handle = s->changed[--s->changed_count];
        s->handles[handle].changed = false;
        if (!s->handles[handle].open)
            continue;
        agent_put32(&w, (uint32_t)handle);
        agent_put8(&w, tell(s, handle));
    }
    if (w.len > AGENT_REQUEST_HEADER)
        message_end(s, w.len);
}

void agent_server_work(struct agent_server *s)
{
    struct agent_sockets *sockets = s->config.sockets;
    if (s->phase != SERVES)
        return;
    if (sockets->ops->changed)
        for (int handle; (handle = sockets->ops->changed(sockets)) >= 0;)
            notice(s, handle);
    else
        for (int handle = 0; handle < s->handle_count; handle++)
            notice(s, handle);
    while (s->phase == SERVES && s->changed_count > 0 && waiting(&s->out) < OUTPUT_HIGH)
        tell_events(s);
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

/* A new socket; the result of the call that made it. */
static int64_t adopt(struct agent_server *s, struct agent_call *c, int64_t result)
{
    bool known = c->opened < s->config.sockets->handles_max && (c->opened < s->handle_count || grow_handles(s, c->opened));
    if (!known) {
        s->config.sockets->ops->abort(s->config.sockets, c->opened);
        c->data.len = AGENT_ANSWER_HEADER;
        c->opened = -1;
        return -AGENT_EMFILE;
    }
    assert(!s->handles[c->opened].open);
    s->handles[c->opened].open = true; /* "changed" may be left from its predecessor, and stays in the list */
    agent_put8(&c->data, tell(s, c->opened));
    return result;
}

static int64_t reset(struct agent_server *s)
{
    struct target_error error = { .kind = TARGET_ERR_NONE };
    abort_all(s);
    if (s->config.sockets->ops->configure)
        s->config.sockets->ops->configure(s->config.sockets, NULL, 0, &error);
    return 0;
}

/* The echo that a PING asks for, after all that has happened. */
static int64_t ping(struct agent_call *c)
{
    if (c->arguments.left > AGENT_ECHO_MAX)
        return -AGENT_EBADMSG;
    agent_put_bytes(&c->data, c->arguments.bytes, c->arguments.left);
    return 0;
}

static int64_t make(struct agent_server *s, struct agent_call *c, uint8_t kind)
{
    if (agent_call_has_handle(kind)) {
        int64_t handle = agent_get32(&c->arguments);
        if (c->arguments.bad)
            return -AGENT_EBADMSG;
        if (!handle_of(s, handle))
            return -AGENT_EBADF;
        c->handle = (int)handle;
    }
    if (kind == AGENT_POLL)
        return agent_read_all(&c->arguments) ? 0 : -AGENT_EBADMSG;
    if (kind == AGENT_PING)
        return ping(c);
    if (kind == AGENT_RESET)
        return agent_read_all(&c->arguments) ? reset(s) : -AGENT_EBADMSG;
    int64_t result = agent_call_make(c, kind);
    if (c->closed)
        s->handles[c->handle].open = false;
    return c->opened >= 0 ? adopt(s, c, result) : result;
}

static void take_request(struct agent_server *s, const uint8_t *message, size_t len)
{
    struct agent_reader r = { message, len, false };
    uint32_t number = agent_get32(&r);
    uint8_t kind = agent_get8(&r);
    if (r.bad || number == 0) {
        finish(s, "the tester sent a message that is none of the protocol's");
        return;
    }
    if (kind == AGENT_PING)
        agent_server_work(s);
    size_t room = agent_call_room(kind, r, AGENT_MESSAGE_MAX - AGENT_ANSWER_HEADER - AGENT_TAG_BYTES);
    uint8_t *answer = message_begin(s, AGENT_ANSWER_HEADER + room);
    if (!answer)
        return;
    struct agent_call c = {
        .sockets = s->config.sockets, .arguments = r, .data = { answer, AGENT_ANSWER_HEADER, AGENT_ANSWER_HEADER + room, false },
        .handle = -1, .opened = -1,
    };
    int64_t result = make(s, &c, kind);
    struct agent_writer header = { answer, 0, AGENT_ANSWER_HEADER, false };
    agent_put32(&header, number);
    agent_put8(&header, AGENT_ANSWER);
    agent_put64(&header, result);
    agent_put8(&header, tell(s, c.handle));
    message_end(s, c.data.len);
}

static void take_sealed(struct agent_server *s, uint8_t *message, size_t len)
{
    if (agent_open_message(&s->from_tester, message, len))
        take_request(s, message, len - AGENT_TAG_BYTES);
    else
        finish(s, "a message was not authentic: altered, repeated, left out or made up");
}

/* ---- bytes in --------------------------------------------------------------------------------------------------- */

static bool length_is_possible(const struct agent_server *s, size_t len)
{
    return s->phase == SERVES ? len >= AGENT_REQUEST_HEADER + AGENT_TAG_BYTES && len <= AGENT_MESSAGE_MAX : len > 0 && len <= AGENT_GREETING_MAX;
}

/* Deals with the next message; false when none is whole, or none is to be dealt with now. */
static bool take_message(struct agent_server *s)
{
    if (s->phase == OVER || waiting(&s->in) < AGENT_LENGTH_BYTES || waiting(&s->out) >= OUTPUT_HIGH)
        return false;
    const size_t len = agent_length_at(s->in.bytes + s->in.at);
    uint8_t *message = s->in.bytes + s->in.at + AGENT_LENGTH_BYTES;
    if (!length_is_possible(s, len)) {
        finish(s, s->phase == SERVES ? "a message has an impossible length" : "something else than a tester has connected");
        return false;
    }
    if (waiting(&s->in) - AGENT_LENGTH_BYTES < len)
        return false;
    s->in.at += AGENT_LENGTH_BYTES + len;
    s->heard_ns = s->now_ns;
    switch (s->phase) {
    case AWAITS_HELLO: take_hello(s, message, len); break;
    case AWAITS_PROOF: take_proof(s, message, len); break;
    case SERVES: take_sealed(s, message, len); break;
    case OVER: break;
    }
    return true;
}

static void take_messages(struct agent_server *s)
{
    while (take_message(s))
        continue;
    if (s->phase == OVER)
        s->in.at = s->in.len = 0;
}

void agent_server_input(struct agent_server *s, const uint8_t *bytes, size_t len, int64_t now_ns)
{
    s->now_ns = now_ns;
    if (s->phase == OVER || len == 0)
        return;
    if (waiting(&s->in) == 0)
        s->heard_ns = now_ns; /* a message begins: its time counts from here */
    if (!reserve(&s->in, len)) {
        finish(s, "out of memory");
        return;
    }
    memcpy(s->in.bytes + s->in.len, bytes, len);
    s->in.len += len;
    take_messages(s);
}

bool agent_server_wants_input(const struct agent_server *s)
{
    return s->phase != OVER && waiting(&s->out) < OUTPUT_HIGH;
}

/* ---- bytes out -------------------------------------------------------------------------------------------------- */

const uint8_t *agent_server_output(struct agent_server *s, size_t *len)
{
    *len = waiting(&s->out);
    return *len ? s->out.bytes + s->out.at : NULL;
}

void agent_server_sent(struct agent_server *s, size_t len)
{
    assert(len <= waiting(&s->out));
    s->out.at += len;
    if (len)
        s->taken_ns = s->now_ns;
    if (waiting(&s->out) >= OUTPUT_HIGH)
        return;
    take_messages(s);
    if (s->changed_count > 0)
        agent_server_work(s);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static int64_t after(int64_t from_ns, int64_t span_ns)
{
    return from_ns > INT64_MAX - span_ns ? INT64_MAX : from_ns + span_ns;
}

/* The next bound, and what it means when it is reached. */
static int64_t bound(const struct agent_server *s, const char **meaning)
{
    *meaning = "";
    if (s->phase == OVER)
        return waiting(&s->out) ? after(s->taken_ns, AGENT_HANDSHAKE_NS) : INT64_MAX;
    if (s->phase != SERVES) {
        *meaning = "the handshake was not done in time";
        return after(s->started_ns, AGENT_HANDSHAKE_NS);
    }
    if (waiting(&s->out) > 0) {
        *meaning = "the tester does not take its answers";
        return after(s->taken_ns, AGENT_MESSAGE_NS);
    }
    if (waiting(&s->in) > 0) {
        *meaning = "a message was begun and never finished";
        return after(s->heard_ns, AGENT_MESSAGE_NS);
    }
    *meaning = "the tester said nothing for too long";
    return s->config.idle_ns ? after(s->heard_ns, s->config.idle_ns) : INT64_MAX;
}

int64_t agent_server_deadline(const struct agent_server *s)
{
    const char *meaning;
    return bound(s, &meaning);
}

void agent_server_advance(struct agent_server *s, int64_t now_ns)
{
    const char *meaning;
    s->now_ns = now_ns;
    if (now_ns < bound(s, &meaning))
        return;
    if (s->phase == OVER)
        s->out.at = s->out.len; /* it does not take its last words either */
    else
        finish(s, meaning);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static void random_octets(uint8_t *out, size_t len)
{
    randombytes_buf(out, len);
}

struct agent_server *agent_server_new(const struct agent_server_config *config, int64_t now_ns)
{
    assert(config->sockets->handles_max > 0 && config->sockets->handles_max <= AGENT_HANDLES_MAX);
    struct agent_server *s = sodium_init() >= 0 ? malloc(sizeof *s) : NULL;
    if (!s)
        return NULL;
    *s = (struct agent_server){ .config = *config, .now_ns = now_ns, .started_ns = now_ns, .heard_ns = now_ns, .taken_ns = now_ns };
    if (!s->config.random)
        s->config.random = random_octets;
    return s;
}

void agent_server_free(struct agent_server *s)
{
    if (!s)
        return;
    finish(s, "closed");
    free(s->in.bytes);
    free(s->out.bytes);
    free(s->handles);
    free(s->changed);
    sodium_memzero(s, sizeof *s);
    free(s);
}

bool agent_server_finished(const struct agent_server *s)
{
    return s->phase == OVER;
}

const char *agent_server_reason(const struct agent_server *s)
{
    return s->reason;
}

bool agent_server_serves(const struct agent_server *s)
{
    return s->phase == SERVES;
}

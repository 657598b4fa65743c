/* A fake stack, and both ends of a connection, in one process. */
#include "targets/agent/test/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const uint8_t world_key[AGENT_KEY_BYTES] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                                             26, 27, 28, 29, 30, 31 };

/* ---- the fake --------------------------------------------------------------------------------------------------- */

static struct fake *fake_of(struct agent_sockets *a)
{
    return (struct fake *)a;
}

static int64_t note(struct agent_sockets *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int64_t note(struct agent_sockets *a, const char *format, ...)
{
    struct fake *f = fake_of(a);
    size_t len = strlen(f->log);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f->log + len, sizeof f->log - len, format, arguments);
    va_end(arguments);
    f->calls++;
    return f->result;
}

static int64_t fresh(struct fake *f)
{
    for (int handle = 0; handle < FAKE_HANDLES; handle++)
        if (!f->open[handle]) {
            f->open[handle] = true;
            return handle;
        }
    return -EMFILE;
}

static void text_of(const struct pkt_endpoint *e, char out[static 64])
{
    char address[PKT_ADDR_TEXT_MAX];
    snprintf(out, 64, "%s:%u", e->addr.version ? pkt_addr_format(&e->addr, address) : "*", e->port);
}

static int64_t fake_socket(struct agent_sockets *a, uint8_t ip_version)
{
    return note(a, "socket %u;", ip_version) < 0 ? fake_of(a)->result : fresh(fake_of(a));
}

static int64_t fake_bind(struct agent_sockets *a, int handle, const struct pkt_endpoint *local)
{
    char text[64];
    text_of(local, text);
    return note(a, "bind %d %s;", handle, text);
}

static int64_t fake_listen(struct agent_sockets *a, int handle, int backlog)
{
    return note(a, "listen %d %d;", handle, backlog);
}

static int64_t fake_accept(struct agent_sockets *a, int handle, struct pkt_endpoint *peer)
{
    *peer = (struct pkt_endpoint){ { 6, { 0x20, 1, 0x0d, 0xb8, [15] = 7 } }, 4711 };
    return note(a, "accept %d;", handle) < 0 ? fake_of(a)->result : fresh(fake_of(a));
}

static int64_t fake_connect(struct agent_sockets *a, int handle, const struct pkt_endpoint *remote)
{
    char text[64];
    text_of(remote, text);
    return note(a, "connect %d %s;", handle, text);
}

static int64_t fake_send(struct agent_sockets *a, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    fake_of(a)->sent_len = len;
    return note(a, "send %d %zu %.*s %u;", handle, len, len < 16 ? (int)len : 0, (const char *)data, flags) < 0 ? fake_of(a)->result
                                                                                                             : (int64_t)len;
}

static int64_t fake_receive(struct agent_sockets *a, int handle, uint8_t *out, size_t len, unsigned flags)
{
    int64_t result = note(a, "receive %d %zu %u;", handle, len, flags);
    size_t given = len < sizeof fake_of(a)->received ? len : sizeof fake_of(a)->received;
    if (result > 0)
        memcpy(out, fake_of(a)->received, (size_t)result < given ? (size_t)result : given);
    return result;
}

static int64_t fake_shutdown(struct agent_sockets *a, int handle, enum target_shutdown how)
{
    return note(a, "shutdown %d %d;", handle, (int)how);
}

static int64_t fake_close(struct agent_sockets *a, int handle)
{
    fake_of(a)->open[handle] = false;
    return note(a, "close %d;", handle);
}

static int64_t fake_abort(struct agent_sockets *a, int handle)
{
    assert_true(fake_of(a)->open[handle]);
    fake_of(a)->open[handle] = false;
    fake_of(a)->aborted++;
    return note(a, "abort %d;", handle);
}

static int64_t fake_set_option(struct agent_sockets *a, int handle, const char *name, const int64_t *values, unsigned count)
{
    return note(a, "set %d %s %u %lld %lld;", handle, name, count, count > 0 ? (long long)values[0] : 0, count > 1 ? (long long)values[1] : 0);
}

static int64_t fake_get_option(struct agent_sockets *a, int handle, const char *name, int64_t *value)
{
    *value = -77;
    return note(a, "get %d %s;", handle, name);
}

static int64_t fake_ioctl(struct agent_sockets *a, int handle, const char *name, int64_t *value)
{
    *value = INT64_C(1) << 40;
    return note(a, "ioctl %d %s;", handle, name);
}

static unsigned fake_poll(struct agent_sockets *a, int handle)
{
    assert_true(fake_of(a)->open[handle]);
    fake_of(a)->polls++;
    return fake_of(a)->events[handle];
}

static int64_t fake_local_endpoint(struct agent_sockets *a, int handle, struct pkt_endpoint *out)
{
    *out = (struct pkt_endpoint){ { 4, { 192, 0, 2, 2 } }, 1025 };
    return note(a, "local %d;", handle);
}

static int64_t fake_status(struct agent_sockets *a, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                           struct target_status *out)
{
    char near[64], far[64];
    text_of(local, near);
    text_of(remote, far);
    *out = (struct target_status){
        .state = TCP_STATE_CLOSE_WAIT, .known = TARGET_KNOWS_QUEUES | TARGET_KNOWS_TIMERS, .snd_una = 1, .snd_nxt = 2, .rcv_nxt = 3,
        .snd_wnd = 4, .rcv_wnd = 5, .unread_bytes = 6, .unsent_bytes = 7, .cwnd_bytes = 8, .ssthresh_bytes = UINT32_MAX, .mss_bytes = 10,
        .retransmits = 11, .rto_ns = INT64_C(120000000000), .srtt_ns = -1,
    };
    return note(a, "status %s %s;", near, far);
}

static bool fake_configure(struct agent_sockets *a, const struct target_setting *settings, unsigned count,
                           struct target_error *error)
{
    note(a, "configure %u %s=%s;", count, count ? settings[0].name : "", count ? settings[count - 1].value : "");
    *error = fake_of(a)->refusal;
    return error->kind == TARGET_ERR_NONE;
}

static void fake_begin(struct agent_sockets *a)
{
    fake_of(a)->begun++;
}

static void fake_end(struct agent_sockets *a)
{
    fake_of(a)->ended++;
}

static void fake_identify(struct agent_sockets *a, struct agent_identity *out)
{
    (void)a;
    snprintf(out->description, sizeof out->description, "fake\n1.0");
    out->pixit_count = 1;
    snprintf(out->pixit[0].name, sizeof out->pixit[0].name, "colour");
    snprintf(out->pixit[0].value, sizeof out->pixit[0].value, "green");
}

void fake_init(struct fake *f)
{
    *f = (struct fake){
        .base.handles_max = FAKE_HANDLES,
        .ops = { .socket = fake_socket, .bind = fake_bind, .listen = fake_listen, .accept = fake_accept, .connect = fake_connect,
                 .send_data = fake_send, .receive_data = fake_receive, .shutdown = fake_shutdown, .close_handle = fake_close,
                 .abort = fake_abort, .set_option = fake_set_option, .get_option = fake_get_option, .ioctl = fake_ioctl,
                 .poll = fake_poll, .local_endpoint = fake_local_endpoint, .status = fake_status, .configure = fake_configure,
                 .begin = fake_begin, .end = fake_end, .identify = fake_identify },
    };
    f->base.ops = &f->ops;
}

/* ---- the stream ------------------------------------------------------------------------------------------------- */

static struct world *world_of(struct agent_stream *s)
{
    return (struct world *)(void *)((char *)s - offsetof(struct world, stream));
}

static int64_t stream_now(struct agent_stream *s)
{
    return world_of(s)->now_ns;
}

static ssize_t stream_write(struct agent_stream *s, const uint8_t *bytes, size_t len, int64_t until_ns)
{
    struct world *w = world_of(s);
    w->requests++;
    if (!w->server)
        return -EPIPE;
    if (w->deaf) {
        w->now_ns = until_ns;
        return 0;
    }
    len = w->piece && w->piece < len ? w->piece : len;
    agent_server_input(w->server, bytes, len, w->now_ns);
    return (ssize_t)len;
}

/* What the server says is altered on its way where a test wants it so. */
static ssize_t deliver(struct world *w, uint8_t *out, size_t capacity)
{
    size_t len;
    const uint8_t *bytes = agent_server_output(w->server, &len);
    len = len < capacity ? len : capacity;
    len = w->piece && w->piece < len ? w->piece : len;
    if (len)
        memcpy(out, bytes, len);
    if (w->flip_at && w->flip_at >= w->said && w->flip_at < w->said + len)
        out[w->flip_at - w->said] ^= 0x10;
    w->said += len;
    agent_server_sent(w->server, len);
    return (ssize_t)len;
}

static ssize_t stream_read(struct agent_stream *s, uint8_t *out, size_t capacity, int64_t until_ns)
{
    struct world *w = world_of(s);
    if (w->to_client_len) {
        size_t len = w->to_client_len < capacity ? w->to_client_len : capacity;
        memcpy(out, w->to_client, len);
        memmove(w->to_client, w->to_client + len, w->to_client_len - len);
        w->to_client_len -= len;
        return (ssize_t)len;
    }
    if (!w->server)
        return -ECONNRESET;
    ssize_t len = w->mute ? 0 : deliver(w, out, capacity);
    if (len)
        return len;
    if (agent_server_finished(w->server))
        return -ECONNRESET;
    if (until_ns)
        w->now_ns = until_ns;
    return 0;
}

static int stream_fd(struct agent_stream *s)
{
    (void)s;
    return -1;
}

static bool claim(void *context)
{
    return !((struct world *)context)->busy;
}

static void begin_connection(struct world *w)
{
    agent_server_free(w->server);
    w->server = agent_server_new(&w->config, w->now_ns);
    assert_non_null(w->server);
    w->said = 0;
}

static bool stream_reconnect(struct agent_stream *s, int64_t until_ns, struct target_error *error)
{
    struct world *w = world_of(s);
    (void)until_ns;
    if (w->refuses_reconnect) {
        snprintf(error->text, sizeof error->text, "nobody is there");
        return false;
    }
    begin_connection(w);
    return true;
}

static void stream_close(struct agent_stream *s)
{
    struct world *w = world_of(s);
    agent_server_free(w->server);
    w->server = NULL;
}

static const struct agent_stream_ops STREAM_OPS = {
    .now_ns = stream_now, .write = stream_write, .read = stream_read, .fd = stream_fd, .reconnect = stream_reconnect, .close = stream_close,
};

/* ---- the world -------------------------------------------------------------------------------------------------- */

void world_init(struct world *w)
{
    *w = (struct world){ .now_ns = 1000, .stream = { .ops = &STREAM_OPS, .peer = "here" } };
    fake_init(&w->fake);
    w->config = (struct agent_server_config){ .sockets = &w->fake.base, .claim = claim, .context = w, .idle_ns = INT64_C(60000000000) };
    memcpy(w->config.key, world_key, sizeof w->config.key);
}

struct upper *world_connect(struct world *w, const uint8_t *key, struct target_error *error)
{
    begin_connection(w);
    return agent_on_stream(&w->stream, key, 0, NULL, error);
}

struct upper *world_connected(struct world *w)
{
    struct target_error error;
    world_init(w);
    struct upper *u = world_connect(w, world_key, &error);
    if (!u)
        fail_msg("%s", error.text);
    w->fake.log[0] = '\0';
    return u;
}

void world_end(struct world *w)
{
    agent_server_free(w->server);
    w->server = NULL;
}

/* ---- a tester by hand ------------------------------------------------------------------------------------------- */

void raw_begin(struct raw *r, struct world *w)
{
    *r = (struct raw){ .world = w };
    begin_connection(w);
}

void raw_say(struct raw *r, const void *bytes, size_t len)
{
    agent_server_input(r->world->server, bytes, len, r->world->now_ns);
}

void raw_say_message(struct raw *r, const void *bytes, size_t len)
{
    uint8_t length[AGENT_LENGTH_BYTES];
    agent_length_to(length, (uint32_t)len);
    raw_say(r, length, sizeof length);
    raw_say(r, bytes, len);
}

void raw_hello(struct raw *r, uint16_t least, uint16_t most)
{
    uint8_t hello[AGENT_HELLO_BYTES];
    struct agent_writer w = { hello, 0, sizeof hello, false };
    agent_put_bytes(&w, AGENT_MAGIC, AGENT_MAGIC_BYTES);
    agent_put8(&w, AGENT_HELLO);
    agent_put16(&w, least);
    agent_put16(&w, most);
    memset(hello + w.len, 0x11, AGENT_NONCE_BYTES);
    agent_transcribe(&r->transcript, hello, sizeof hello);
    raw_say_message(r, hello, sizeof hello);
}

bool raw_take(struct raw *r, bool sealed)
{
    size_t len;
    const uint8_t *bytes = agent_server_output(r->world->server, &len);
    if (len < AGENT_LENGTH_BYTES)
        return false;
    r->last_len = agent_length_at(bytes);
    assert_true(r->last_len <= len - AGENT_LENGTH_BYTES && r->last_len <= sizeof r->last);
    memcpy(r->last, bytes + AGENT_LENGTH_BYTES, r->last_len);
    agent_server_sent(r->world->server, AGENT_LENGTH_BYTES + r->last_len);
    if (sealed) {
        assert_true(agent_open_message(&r->from_agent, r->last, r->last_len));
        r->last_len -= AGENT_TAG_BYTES;
    }
    return true;
}

void raw_prove(struct raw *r, const uint8_t *key)
{
    uint8_t proof[AGENT_PROOF_MESSAGE_BYTES] = { AGENT_PROOF };
    assert_true(raw_take(r, false));
    assert_int_equal(r->last[AGENT_MAGIC_BYTES], AGENT_CHALLENGE);
    agent_transcribe(&r->transcript, r->last, r->last_len);
    agent_derive(key, AGENT_PROOF_OF_TESTER, &r->transcript, proof + 1);
    agent_derive(key, AGENT_KEY_OF_TESTER, &r->transcript, r->to_agent.key);
    agent_derive(key, AGENT_KEY_OF_AGENT, &r->transcript, r->from_agent.key);
    raw_say_message(r, proof, sizeof proof);
}

void raw_authenticate(struct raw *r)
{
    raw_hello(r, 1, 1);
    raw_prove(r, world_key);
    assert_true(raw_take(r, false));
    assert_int_equal(r->last[0], AGENT_WELCOME);
    assert_true(agent_server_serves(r->world->server));
}

size_t raw_seal(struct raw *r, uint32_t number, uint8_t kind, const void *arguments, size_t len, uint8_t *out)
{
    uint8_t plain[RAW_MAX];
    struct agent_writer w = { plain, 0, sizeof plain, false };
    agent_put32(&w, number);
    agent_put8(&w, kind);
    agent_put_bytes(&w, arguments, len);
    assert_true(!w.full && w.len + AGENT_LENGTH_BYTES + AGENT_TAG_BYTES <= RAW_MAX);
    return agent_seal_message(&r->to_agent, plain, w.len, out);
}

void raw_request(struct raw *r, uint32_t number, uint8_t kind, const void *arguments, size_t len)
{
    uint8_t message[RAW_MAX];
    raw_say(r, message, raw_seal(r, number, kind, arguments, len, message));
}

int64_t raw_answer(struct raw *r, uint32_t number)
{
    assert_true(raw_take(r, true));
    struct agent_reader reader = { r->last, r->last_len, false };
    assert_int_equal(agent_get32(&reader), number);
    assert_int_equal(agent_get8(&reader), AGENT_ANSWER);
    return agent_get64(&reader);
}

/* Fuzzes the tester's side of the agent's protocol with what an agent says, as an impostor and as one who knows the key.
 *
 * First octet: bit 0, the agent knows the key: it shakes hands, and what follows are its messages, sealed here; otherwise the
 * octets come as they are. Then, again and again, an octet that chooses a call, and records for what the agent says meanwhile: a
 * length, an octet (bit 0: an answer's header is put before it, with the number asked for), and that many octets.
 *
 * A crash means that whoever sits at an agent's address, key or no key, can bring the tester down, or make it write where it must
 * not. */
#include "fuzz/input.h"
#include "targets/agent/client.h"

#include <errno.h>
#include <string.h>

enum { CALLS_MAX = 64, PLAIN_MAX = 300, HEARD_MAX = 16384 };

struct impostor {
    struct agent_stream base;
    struct input *in;
    bool knows_key;
    int phase;                   /* of the handshake: 0 HELLO awaited, 1 PROOF awaited, 2 done */
    uint8_t heard[HEARD_MAX];
    size_t heard_len;
    struct agent_transcript transcript;
    struct agent_seal from_tester, to_tester;
    uint32_t number;             /* of the last request */
    uint8_t said[AGENT_LENGTH_BYTES + PLAIN_MAX + AGENT_TAG_BYTES];
    size_t said_len, said_at;
    int64_t now_ns;
};

static struct impostor *self(struct agent_stream *s)
{
    return (struct impostor *)s;
}

static void no_random(uint8_t *out, size_t len)
{
    memset(out, 0x11, len);
}

static int64_t now_ns(struct agent_stream *s)
{
    return ++self(s)->now_ns;
}

static void say(struct impostor *i, const uint8_t *message, size_t len)
{
    agent_length_to(i->said, (uint32_t)len);
    memcpy(i->said + AGENT_LENGTH_BYTES, message, len);
    i->said_len = AGENT_LENGTH_BYTES + len;
    i->said_at = 0;
}

static void shake_hands(struct impostor *i, const uint8_t *message, size_t len)
{
    static const uint8_t key[AGENT_KEY_BYTES] = { 0 };
    uint8_t challenge[AGENT_CHALLENGE_BYTES] = "tcpassay\2\0\1\0\0\x10\0", welcome[AGENT_PROOF_MESSAGE_BYTES] = { AGENT_WELCOME };
    if (i->phase++ == 0) {
        agent_transcribe(&i->transcript, message, len);
        agent_transcribe(&i->transcript, challenge, sizeof challenge);
        say(i, challenge, sizeof challenge);
        return;
    }
    agent_derive(key, AGENT_PROOF_OF_AGENT, &i->transcript, welcome + 1);
    agent_derive(key, AGENT_KEY_OF_TESTER, &i->transcript, i->from_tester.key);
    agent_derive(key, AGENT_KEY_OF_AGENT, &i->transcript, i->to_tester.key);
    say(i, welcome, sizeof welcome);
}

static ssize_t hear(struct agent_stream *s, const uint8_t *bytes, size_t len, int64_t until_ns)
{
    struct impostor *i = self(s);
    (void)until_ns;
    if (!i->knows_key)
        return (ssize_t)len;
    must(len <= sizeof i->heard - i->heard_len, "the tester's messages are within bounds");
    memcpy(i->heard + i->heard_len, bytes, len);
    i->heard_len += len;
    size_t whole = AGENT_LENGTH_BYTES + agent_length_at(i->heard);
    if (i->heard_len < AGENT_LENGTH_BYTES || i->heard_len < whole)
        return (ssize_t)len;
    must(i->heard_len == whole, "the tester says one thing at a time");
    i->heard_len = 0;
    if (i->phase < 2) {
        shake_hands(i, i->heard + AGENT_LENGTH_BYTES, whole - AGENT_LENGTH_BYTES);
        return (ssize_t)len;
    }
    must(agent_open_message(&i->from_tester, i->heard + AGENT_LENGTH_BYTES, whole - AGENT_LENGTH_BYTES), "the tester's messages are authentic");
    struct agent_reader r = { i->heard + AGENT_LENGTH_BYTES, whole - AGENT_LENGTH_BYTES - AGENT_TAG_BYTES, false };
    i->number = agent_get32(&r);
    must(!r.bad && i->number != 0, "a request has a number");
    return (ssize_t)len;
}

/* The next record of the input, sealed. */
static void think(struct impostor *i)
{
    uint8_t plain[PLAIN_MAX];
    struct agent_writer w = { plain, 0, sizeof plain, false };
    size_t len = next8(i->in);
    uint8_t how = next8(i->in);
    if (how & 1) {
        agent_put32(&w, i->number);
        agent_put8(&w, AGENT_ANSWER);
        agent_put64(&w, how & 2 ? -(int64_t)(how >> 2) : how >> 2);
        agent_put8(&w, how);
    }
    while (len-- && i->in->left)
        agent_put8(&w, next8(i->in));
    i->said_len = agent_seal_message(&i->to_tester, plain, w.len, i->said);
    i->said_at = 0;
}

static ssize_t speak(struct agent_stream *s, uint8_t *out, size_t capacity, int64_t until_ns)
{
    struct impostor *i = self(s);
    if (i->knows_key && i->said_at == i->said_len && i->phase == 2 && i->in->left)
        think(i);
    if (i->said_at == i->said_len && (i->knows_key || !i->in->left)) {
        i->now_ns = until_ns > i->now_ns ? until_ns : i->now_ns;
        return i->in->left ? 0 : -ECONNRESET;
    }
    if (!i->knows_key) {
        size_t len = i->in->left < capacity ? i->in->left : capacity;
        memcpy(out, i->in->data, len);
        i->in->data += len;
        i->in->left -= len;
        return (ssize_t)len;
    }
    size_t len = i->said_len - i->said_at < capacity ? i->said_len - i->said_at : capacity;
    memcpy(out, i->said + i->said_at, len);
    i->said_at += len;
    return (ssize_t)len;
}

static int no_fd(struct agent_stream *s)
{
    (void)s;
    return -1;
}

static void stay(struct agent_stream *s)
{
    (void)s;
}

static const struct agent_stream_ops IMPOSTOR_OPS = { .now_ns = now_ns, .write = hear, .read = speak, .fd = no_fd, .close = stay };

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static void on_socket(struct upper *u, uint8_t call, int handle)
{
    uint8_t octets[40] = { 0 };
    struct pkt_endpoint endpoint = { { 4, { 192, 0, 2, 1 } }, 80 };
    int64_t value, result;
    switch (call % 12) {
    case 0: u->ops->bind(u, handle, &endpoint); break;
    case 1: u->ops->listen(u, handle, 1); break;
    case 2: u->ops->accept(u, handle, &endpoint); break;
    case 3: u->ops->connect(u, handle, &endpoint); break;
    case 4:
        result = u->ops->send_data(u, handle, octets, sizeof octets, 0);
        must(result <= (int64_t)sizeof octets, "no more is sent than was given");
        break;
    case 5:
        result = u->ops->receive_data(u, handle, octets, sizeof octets, call & 1);
        must(result <= (int64_t)sizeof octets, "no more is received than was asked for");
        break;
    case 6: u->ops->shutdown(u, handle, TARGET_SHUT_WR); break;
    case 7: u->ops->close_handle(u, handle); break;
    case 8: u->ops->get_option(u, handle, "SO_ERROR", &value); break;
    case 9: u->ops->ioctl(u, handle, "SIOCINQ", &value); break;
    case 10: u->ops->local_endpoint(u, handle, &endpoint); break;
    default: u->ops->set_option(u, handle, "TCP_NODELAY", &(int64_t){ 1 }, 1); break;
    }
}

static void call(struct upper *u, uint8_t which, uint8_t handle)
{
    const struct pkt_endpoint endpoint = { { 6, { 0x20, 1 } }, 80 };
    const struct target_setting setting = { "sack", "off" };
    struct target_status status;
    struct target_error error;
    switch (which % 8) {
    case 0: u->ops->socket(u, 6); break;
    case 1:
        if (u->ops->status(u, &endpoint, &endpoint, &status) == 0)
            must(status.state < TCP_STATE_COUNT, "a state is one");
        break;
    case 2: u->ops->configure(u, &setting, 1, &error); break;
    case 3: u->ops->work(u); break;
    case 4: u->ops->poll(u, handle); break;
    case 5: u->ops->touched(u); break;
    default: on_socket(u, which >> 3, handle); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct target_error error;
    struct impostor *i = calloc(1, sizeof *i);
    if (!i)
        return 0;
    *i = (struct impostor){ .base = { &IMPOSTOR_OPS, "fuzz" }, .in = &in, .knows_key = next8(&in) & 1 };
    struct upper *u = agent_on_stream(&i->base, NULL, 1000, no_random, &error);
    if (u) {
        for (int n = 0; n < CALLS_MAX && in.left; n++) {
            uint8_t which = next8(&in);
            call(u, which, next8(&in) % 4);
        }
        char why[128];
        must(u->ops->trouble(u, why, sizeof why) <= 1, "an agent is lost once");
        u->ops->close(u);
    } else {
        must(error.kind == TARGET_ERR_UNAVAILABLE && *error.text, "it is said why it cannot be opened");
    }
    free(i);
    return 0;
}

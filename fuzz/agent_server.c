/* Fuzzes the agent's server core with what a tester says, as an outsider and as one who knows the key.
 *
 * First octet: bit 0, the handshake has been done, and what follows are requests, sealed here; bit 1, pieces of few octets; bit 2,
 * answers are taken slowly. Then, for an outsider, octets as they come; else records: a length, an octet of what to do (events, a
 * damaged message, time), and the plain text of a request.
 *
 * A crash means that whoever reaches an agent's port can bring the agent down, on the machine that is tested; an outsider,
 * without even the key. */
#include "fuzz/input.h"
#include "targets/agent/server.h"

#include <string.h>

enum { HANDLES = 16, PLAIN_MAX = 255, TAKEN_SLOWLY = 100, RECEIVED_MAX = 4000, TAKEN_MAX = 16384 };

struct stack {
    struct agent_sockets base;
    bool open[HANDLES];
    unsigned events;
    struct input *in;      /* results come from the input too */
};

static struct stack *self(struct agent_sockets *a)
{
    return (struct stack *)a;
}

static int64_t result(struct agent_sockets *a)
{
    uint8_t octet = next8(self(a)->in);
    return octet < 200 ? 0 : -(int64_t)(octet - 199);
}

static int64_t fresh(struct agent_sockets *a)
{
    for (int handle = 0; handle < HANDLES; handle++)
        if (!self(a)->open[handle]) {
            self(a)->open[handle] = true;
            return handle;
        }
    return -24;
}

static int64_t on_handle(struct agent_sockets *a, int handle)
{
    must(handle >= 0 && handle < HANDLES && self(a)->open[handle], "a call is about a socket that is open");
    return result(a);
}

static int64_t stack_socket(struct agent_sockets *a, uint8_t ip_version)
{
    must(ip_version == 4 || ip_version == 6, "an IP version is one");
    return fresh(a);
}

static int64_t stack_bind(struct agent_sockets *a, int handle, const struct pkt_endpoint *local)
{
    must(local->addr.version == 0 || local->addr.version == 4 || local->addr.version == 6, "an address has an IP version");
    return on_handle(a, handle);
}

static int64_t stack_listen(struct agent_sockets *a, int handle, int backlog)
{
    (void)backlog;
    return on_handle(a, handle);
}

static int64_t stack_accept(struct agent_sockets *a, int handle, struct pkt_endpoint *peer)
{
    *peer = (struct pkt_endpoint){ .port = 1 };
    return on_handle(a, handle) < 0 ? -11 : fresh(a);
}

static int64_t stack_send(struct agent_sockets *a, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    unsigned sum = flags;
    for (size_t i = 0; i < len; i++)
        sum += data[i];
    must(sum < UINT32_MAX, "data can be read");
    return on_handle(a, handle) < 0 ? -11 : (int64_t)len;
}

static int64_t stack_receive(struct agent_sockets *a, int handle, uint8_t *out, size_t len, unsigned flags)
{
    (void)flags;
    len = len < RECEIVED_MAX ? len : RECEIVED_MAX;
    memset(out, 7, len);
    return on_handle(a, handle) < 0 ? -11 : (int64_t)len;
}

static int64_t stack_shutdown(struct agent_sockets *a, int handle, enum target_shutdown how)
{
    must(how <= TARGET_SHUT_RDWR, "there are three ways to shut down");
    return on_handle(a, handle);
}

static int64_t stack_close(struct agent_sockets *a, int handle)
{
    int64_t code = on_handle(a, handle);
    self(a)->open[handle] = false;
    return code;
}

static int64_t stack_set(struct agent_sockets *a, int handle, const char *name, const int64_t *values, unsigned count)
{
    must(strlen(name) <= AGENT_NAME_MAX && count <= AGENT_OPTION_VALUES_MAX && values, "an option is within bounds");
    return on_handle(a, handle);
}

static int64_t stack_get(struct agent_sockets *a, int handle, const char *name, int64_t *value)
{
    must(strlen(name) <= AGENT_NAME_MAX, "a name is within bounds");
    *value = 1;
    return on_handle(a, handle);
}

static unsigned stack_poll(struct agent_sockets *a, int handle)
{
    must(handle >= 0 && handle < HANDLES && self(a)->open[handle], "only sockets that are open are polled");
    return (self(a)->events + (unsigned)handle) & 63;
}

static int64_t stack_local(struct agent_sockets *a, int handle, struct pkt_endpoint *out)
{
    *out = (struct pkt_endpoint){ .port = 2 };
    return on_handle(a, handle);
}

static int64_t stack_status(struct agent_sockets *a, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                            struct target_status *out)
{
    (void)local;
    (void)remote;
    *out = (struct target_status){ .state = TCP_STATE_LISTEN };
    return result(a);
}

static bool stack_configure(struct agent_sockets *a, const struct target_setting *settings, unsigned count,
                            struct target_error *error)
{
    for (unsigned i = 0; i < count; i++)
        must(strlen(settings[i].name) <= AGENT_NAME_MAX && strlen(settings[i].value) <= AGENT_NAME_MAX,
             "a setting is within bounds");
    memset(error->text, 'x', sizeof error->text - 1);
    error->text[sizeof error->text - 1] = '\0';
    error->kind = TARGET_ERR_UNSUPPORTED;
    return result(a) == 0;
}

static const struct agent_sockets_ops STACK_OPS = {
    .socket = stack_socket, .bind = stack_bind, .listen = stack_listen, .accept = stack_accept, .connect = stack_bind,
    .send_data = stack_send, .receive_data = stack_receive, .shutdown = stack_shutdown, .close_handle = stack_close, .abort = stack_close,
    .set_option = stack_set, .get_option = stack_get, .ioctl = stack_get, .poll = stack_poll, .local_endpoint = stack_local,
    .status = stack_status, .configure = stack_configure,
};

/* ---- the tester ------------------------------------------------------------------------------------------------- */

struct tester {
    struct agent_server *server;
    struct agent_transcript transcript;
    struct agent_seal to_agent, from_agent;
    uint8_t taken[TAKEN_MAX];    /* of the agent's, not yet a whole message */
    size_t taken_len;
    size_t piece, taken_at_once;
    int64_t now_ns;
};

static void no_random(uint8_t *out, size_t len)
{
    memset(out, 0x22, len);
}

static void say(struct tester *t, const uint8_t *bytes, size_t len)
{
    while (len) {
        size_t part = t->piece && t->piece < len ? t->piece : len;
        uint8_t *exact = malloc(part); /* of just this size, so that a read past its end is seen */
        if (!exact)
            abort();
        memcpy(exact, bytes, part);
        agent_server_input(t->server, exact, part, t->now_ns);
        free(exact);
        bytes += part;
        len -= part;
    }
}

/* Whatever the agent says is a message, and opens. */
static void check_messages(struct tester *t, bool sealed)
{
    while (t->taken_len >= AGENT_LENGTH_BYTES) {
        size_t len = agent_length_at(t->taken), whole = AGENT_LENGTH_BYTES + len;
        must(len > 0 && whole <= TAKEN_MAX, "the agent's messages are within bounds");
        if (t->taken_len < whole)
            return;
        if (sealed)
            must(agent_open_message(&t->from_agent, t->taken + AGENT_LENGTH_BYTES, len), "the agent's messages are authentic");
        t->taken_len -= whole;
        memmove(t->taken, t->taken + whole, t->taken_len);
    }
}

static void take(struct tester *t, size_t most, bool sealed)
{
    size_t len;
    const uint8_t *bytes = agent_server_output(t->server, &len);
    while (len && most) {
        size_t part = len < most ? len : most;
        part = part < sizeof t->taken - t->taken_len ? part : sizeof t->taken - t->taken_len;
        memcpy(t->taken + t->taken_len, bytes, part);
        t->taken_len += part;
        most -= part;
        agent_server_sent(t->server, part);
        check_messages(t, sealed);
        bytes = agent_server_output(t->server, &len);
    }
}

static void authenticate(struct tester *t)
{
    static const uint8_t key[AGENT_KEY_BYTES] = { 0 };
    uint8_t hello[AGENT_HELLO_BYTES] = "tcpassay\1\0\1\0\1", proof[AGENT_LENGTH_BYTES + AGENT_PROOF_MESSAGE_BYTES] = { 0 };
    uint8_t length[AGENT_LENGTH_BYTES] = { 0, 0, 0, AGENT_HELLO_BYTES };
    size_t len;
    say(t, length, sizeof length);
    say(t, hello, sizeof hello);
    agent_transcribe(&t->transcript, hello, sizeof hello);
    const uint8_t *challenge = agent_server_output(t->server, &len);
    must(len == AGENT_LENGTH_BYTES + AGENT_CHALLENGE_BYTES, "a HELLO is answered by a CHALLENGE");
    agent_transcribe(&t->transcript, challenge + AGENT_LENGTH_BYTES, AGENT_CHALLENGE_BYTES);
    agent_server_sent(t->server, len);
    agent_length_to(proof, AGENT_PROOF_MESSAGE_BYTES);
    proof[AGENT_LENGTH_BYTES] = AGENT_PROOF;
    agent_derive(key, AGENT_PROOF_OF_TESTER, &t->transcript, proof + AGENT_LENGTH_BYTES + 1);
    agent_derive(key, AGENT_KEY_OF_TESTER, &t->transcript, t->to_agent.key);
    agent_derive(key, AGENT_KEY_OF_AGENT, &t->transcript, t->from_agent.key);
    say(t, proof, sizeof proof);
    must(agent_server_serves(t->server), "who knows the key is served");
    take(t, AGENT_LENGTH_BYTES + AGENT_PROOF_MESSAGE_BYTES, false);
}

static void request(struct tester *t, struct stack *stack, struct input *in)
{
    uint8_t plain[PLAIN_MAX], sealed[AGENT_LENGTH_BYTES + PLAIN_MAX + AGENT_TAG_BYTES];
    size_t len = next8(in);
    uint8_t deed = next8(in);
    for (size_t i = 0; i < len; i++)
        plain[i] = next8(in);
    if (deed & 1)
        stack->events += deed >> 3;
    if (deed & 2)
        agent_server_work(t->server);
    size_t whole = agent_seal_message(&t->to_agent, plain, len, sealed);
    if (deed == 0xfc)
        sealed[whole - 1] ^= 1;
    say(t, sealed, whole);
    take(t, t->taken_at_once, true);
    if (deed == 0xf4)
        agent_server_advance(t->server, agent_server_deadline(t->server));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    uint8_t how = next8(&in);
    struct stack stack = { .base = { &STACK_OPS, HANDLES }, .in = &in };
    const struct agent_server_config config = { .sockets = &stack.base, .idle_ns = 1000, .random = no_random };
    struct tester *t = calloc(1, sizeof *t);
    if (!t)
        return 0;
    t->server = agent_server_new(&config, 0);
    t->piece = how & 2 ? 3 : 0;
    t->taken_at_once = how & 4 ? TAKEN_SLOWLY : SIZE_MAX;
    if (!t->server)
        abort();
    if (how & 1) {
        authenticate(t);
        while (in.left && !agent_server_finished(t->server))
            request(t, &stack, &in);
    } else {
        say(t, in.data, in.left);
        must(!agent_server_serves(t->server), "who does not know the key is not served");
    }
    agent_server_advance(t->server, agent_server_deadline(t->server));
    agent_server_free(t->server);
    for (int handle = 0; handle < HANDLES; handle++)
        must(!stack.open[handle], "no socket is left");
    free(t);
    return 0;
}

/* Fuzzes both sides of the AUTOSAR testability protocol with what the other side may say.
 *
 * First octet, bit 0: the upper tester of ours gets the rest as datagrams (a length in two octets, then so many), but CONNECT.
 * Otherwise the tester's side: again and again an octet that chooses a call, and one for where its handle is kept; whenever it
 * waits, the next record is what it gets: a length (0: silence), an octet (bit 0: as the response to what was asked last, bit 1: as
 * an event of RECEIVE_AND_FORWARD, bit 2: of LISTEN_AND_ACCEPT, the rest: from which channel), and so many octets; without one of
 * these bits they come as they are.
 *
 * A crash means that a device under test can bring the tester down, or any host an upper tester of ours. */
#include "fuzz/input.h"
#include "targets/agent/testability/client.h"
#include "targets/agent/testability/server/server.h"

#include <errno.h>
#include <string.h>

enum { CALLS_MAX = 64, CHANNELS = 16, HANDLES = 8, SAID_MAX = 16 + 255 };

struct liar {
    struct tpsp_net base;
    struct input *in;
    int64_t now_ns;
    bool open[CHANNELS];
    uint8_t asked[16];
    int asked_at;
    bool closed;
};

static struct liar *self(struct tpsp_net *n)
{
    return (struct liar *)n;
}

static int64_t now_ns(struct tpsp_net *n)
{
    return ++self(n)->now_ns;
}

static int open_channel(struct tpsp_net *n)
{
    for (int i = 0; i < CHANNELS; i++)
        if (!self(n)->open[i]) {
            self(n)->open[i] = true;
            return i;
        }
    return -EMFILE;
}

static void shut_channel(struct tpsp_net *n, int channel)
{
    must(channel >= 0 && channel < CHANNELS && self(n)->open[channel], "a channel is shut that was open");
    self(n)->open[channel] = false;
}

static int hear(struct tpsp_net *n, int channel, const uint8_t *bytes, size_t len)
{
    must(channel >= 0 && channel < CHANNELS && self(n)->open[channel], "something is sent on an open channel");
    must(len >= 16 && len == 8u + (size_t)(bytes[4] << 24 | bytes[5] << 16 | bytes[6] << 8 | bytes[7]),
         "a request is as long as it says");
    memcpy(self(n)->asked, bytes, 16);
    self(n)->asked_at = channel;
    return 0;
}

static ssize_t say(struct tpsp_net *n, int *channel, uint8_t *out, size_t capacity, int64_t until_ns)
{
    struct liar *l = self(n);
    size_t len = next8(l->in);
    if (len == 0) {
        l->now_ns = until_ns > l->now_ns ? until_ns : l->now_ns;
        return 0;
    }
    must(capacity >= SAID_MAX, "there is room for a datagram");
    uint8_t how = next8(l->in), *at = out;
    *channel = how & 7 ? l->asked_at : how >> 3 & (CHANNELS - 1);
    if (how & 7) {
        memcpy(at, l->asked, 16);
        at[6] = 0;
        at[7] = (uint8_t)(len + 7); /* the first octet is the result */
        at[14] = how & 1 ? 0x80 : 0x02;
        at[15] = next8(l->in);
        at[2] = how & 1 ? at[2] : 0x82;
        at[3] = how & 1 ? at[3] : how & 2 ? 3 : 4;
        at[4] = at[5] = 0;
        at += 16;
        len--;
    }
    for (; len; len--)
        *at++ = next8(l->in);
    return at - out;
}

static uint64_t dropped(struct tpsp_net *n)
{
    (void)n;
    return 0;
}

static int no_fd(struct tpsp_net *n)
{
    (void)n;
    return -1;
}

static bool refusing(struct tpsp_net *n, struct pkt_endpoint *out)
{
    *out = (struct pkt_endpoint){.addr = {.version = 4, .bytes = {192, 0, 2, 1}}, .port = 9};
    return self(n)->in->left > 0;
}

static void close_net(struct tpsp_net *n)
{
    for (int i = 0; i < CHANNELS; i++)
        must(!self(n)->open[i], "every channel is shut in the end");
    self(n)->closed = true;
}

static const struct tpsp_net_ops liar_ops = {
    .now_ns = now_ns,
    .open = open_channel,
    .shut = shut_channel,
    .send = hear,
    .receive = say,
    .dropped = dropped,
    .fd = no_fd,
    .refusing = refusing,
    .close = close_net,
};

/* What gave a handle keeps it in *handle. */
static void call(struct upper *u, uint8_t which, int *given)
{
    static const struct pkt_endpoint somewhere = {.addr = {.version = 4, .bytes = {192, 0, 2, 100}}, .port = 1};
    static const int64_t values[2] = {1, 0};
    struct pkt_endpoint peer;
    struct target_error error;
    uint8_t data[64] = {0};
    int64_t value, result;
    int handle = *given;
    switch (which % 14) {
    case 0: result = u->ops->socket(u, which & 16 ? 6 : 4); break;
    case 1: result = u->ops->bind(u, handle, &somewhere); break;
    case 2: result = u->ops->listen(u, handle, which); break;
    case 3: result = u->ops->accept(u, handle, &peer); break;
    case 4: result = u->ops->connect(u, handle, &somewhere); break;
    case 5: result = u->ops->send_data(u, handle, data, sizeof data, 0); break;
    case 6:
        result = u->ops->receive_data(u, handle, data, sizeof data, 0);
        must(result <= (int64_t)sizeof data, "no more is read than there is room for");
        break;
    case 7: result = u->ops->shutdown(u, handle, TARGET_SHUT_WR); break;
    case 8: result = u->ops->close_handle(u, handle); break;
    case 9: result = u->ops->set_option(u, handle, which & 16 ? "SO_LINGER" : "IP_TTL", values, which & 16 ? 2 : 1); break;
    case 10: result = u->ops->get_option(u, handle, "SO_ERROR", &value); break;
    case 11: result = u->ops->poll(u, handle); break;
    case 12: result = u->ops->recover(u, &error); break;
    default:
        u->ops->touched(u);
        u->ops->work(u);
        result = 0;
    }
    if ((which % 14 == 0 || which % 14 == 3) && result >= 0)
        *given = (int)result;
    must(result >= -133, "a call returns an errno value of Linux");
}

static void fuzz_client(struct input *in)
{
    struct liar liar = {.base.ops = &liar_ops, .in = in};
    struct target_error error = {.kind = TARGET_ERR_NONE};
    char text[64];
    struct upper *u = testability_on_net(&liar.base, 0, &error);
    int handles[HANDLES] = {0};
    for (int i = 0; u && i < CALLS_MAX && in->left; i++) {
        uint8_t which = next8(in);
        int *handle = &handles[next8(in) % HANDLES];
        uint64_t losses = u->ops->trouble(u, text, sizeof text);
        int64_t began_ns = liar.now_ns;
        call(u, which, handle);
        must(u->ops->trouble(u, text, sizeof text) >= losses, "losses only grow");
        must(liar.now_ns - began_ns <= INT64_C(15000000000), "no call takes for ever");
    }
    if (u)
        u->ops->close(u);
    must(liar.closed, "the net is closed whichever way it ends");
}

static void swallow(void *context, const struct ut_peer *to, const uint8_t *bytes, size_t len)
{
    (void)context, (void)to;
    must(len >= 16 && len == 8u + (size_t)(bytes[6] << 8 | bytes[7]), "an answer is as long as it says");
}

static void fuzz_server(struct input *in)
{
    const struct ut_config config = {.send = swallow};
    const struct ut_peer from = {.len = sizeof(struct sockaddr_storage)};
    struct ut *ut = ut_new(&config);
    uint8_t bytes[512];
    while (ut && in->left) {
        size_t len = next16(in) % sizeof bytes;
        for (size_t i = 0; i < len; i++) {
            bytes[i] = next8(in);
            if (i > 0 && (bytes[i - 1] & 0x7F) == 2 && bytes[i] == 5) /* nothing is to leave this machine */
                bytes[i] = 3;
        }
        ut_input(ut, &from, bytes, len);
        struct pollfd watched[UT_SOCKETS_MAX];
        size_t count = ut_watch(ut, watched);
        if (count && poll(watched, count, 0) > 0)
            ut_work(ut, watched, count);
    }
    if (ut)
        ut_free(ut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {.data = data, .left = size};
    if (next8(&in) & 1)
        fuzz_server(&in);
    else
        fuzz_client(&in);
    return 0;
}

/* An upper tester in memory (fake.h). */
#include "fake.h"

#include <stdarg.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake *self(struct tpsp_net *n)
{
    return (struct fake *)n;
}

static int64_t fake_now(struct tpsp_net *n)
{
    return self(n)->now_ns;
}

static int fake_open(struct tpsp_net *n)
{
    for (int i = 0; i < TPSP_CHANNELS_MAX; i++)
        if (!self(n)->open[i]) {
            self(n)->open[i] = true;
            self(n)->opened++;
            return i;
        }
    return -EMFILE;
}

/* What was on its way to a channel is lost with it. */
static void fake_shut(struct tpsp_net *n, int channel)
{
    struct fake *f = self(n);
    unsigned kept = 0;
    assert_true(f->open[channel]);
    f->open[channel] = false;
    for (unsigned i = 0; i < f->queued; i++)
        if (f->queue[i].channel != channel)
            f->queue[kept++] = f->queue[i];
    f->queued = kept;
}

void fake_say(struct fake *f, int channel, const uint8_t *bytes, size_t len)
{
    assert_true(f->queued < FAKE_QUEUE && len <= FAKE_BYTES);
    struct fake_datagram *d = &f->queue[f->queued++];
    d->channel = channel;
    d->len = len;
    memcpy(d->bytes, bytes, len);
}

static size_t fill(uint8_t *message, uint8_t type, uint8_t result, const uint8_t *parameters, size_t len)
{
    message[4] = message[5] = 0;
    message[6] = (uint8_t)((len + 8) >> 8);
    message[7] = (uint8_t)(len + 8);
    message[14] = type;
    message[15] = result;
    if (len)
        memcpy(message + 16, parameters, len);
    return len + 16;
}

void fake_event(struct fake *f, int channel, uint8_t primitive, uint8_t result, const uint8_t *parameters, size_t len)
{
    uint8_t message[FAKE_BYTES] = {0x01, 0x05, 0x82, primitive};
    message[12] = message[13] = 1;
    size_t whole = fill(message, 0x02, result, parameters, len);
    fake_say(f, channel, message, whole);
}

void fake_respond(struct fake *f, unsigned asked, uint8_t result, const uint8_t *parameters, size_t len)
{
    uint8_t message[FAKE_BYTES];
    memcpy(message, f->asked[asked].bytes, 16);
    if (f->no_request_ids)
        memset(message + 8, 0, 4);
    size_t whole = fill(message, 0x80, result, parameters, len);
    fake_say(f, f->asked[asked].channel, message, whole);
    if (f->twice)
        fake_say(f, f->asked[asked].channel, message, whole);
}

static int fake_send(struct tpsp_net *n, int channel, const uint8_t *bytes, size_t len)
{
    struct fake *f = self(n);
    assert_true(f->open[channel] && f->asked_count < FAKE_LOG);
    struct fake_datagram *d = &f->asked[f->asked_count++];
    d->channel = channel;
    d->len = len;
    memcpy(d->bytes, bytes, len < FAKE_BYTES ? len : FAKE_BYTES);
    if (f->losses_left) {
        f->losses_left--;
        return 0;
    }
    struct fake_answer answer = {.group = bytes[2], .primitive = bytes[3]};
    for (unsigned i = 0; i < f->answer_count; i++)
        if (f->answers[i].group == bytes[2] && f->answers[i].primitive == bytes[3])
            answer = f->answers[i];
    if (bytes[2] == 2 && bytes[3] == 1 && !answer.len) {
        answer.len = 2;
        answer.parameters[0] = (uint8_t)(f->next_socket >> 8);
        answer.parameters[1] = (uint8_t)f->next_socket;
        f->next_socket++;
    }
    if (!answer.silent)
        fake_respond(f, f->asked_count - 1, answer.result, answer.parameters, answer.len);
    return 0;
}

static ssize_t fake_receive(struct tpsp_net *n, int *channel, uint8_t *out, size_t capacity, int64_t until_ns)
{
    struct fake *f = self(n);
    if (f->queued == 0) {
        f->now_ns = until_ns > f->now_ns ? until_ns : f->now_ns;
        return 0;
    }
    size_t len = f->queue[0].len;
    assert_true(len <= capacity);
    *channel = f->queue[0].channel;
    memcpy(out, f->queue[0].bytes, len);
    f->queued--;
    memmove(f->queue, f->queue + 1, f->queued * sizeof *f->queue);
    return (ssize_t)len;
}

static uint64_t fake_dropped(struct tpsp_net *n)
{
    return self(n)->dropped;
}

static int fake_fd(struct tpsp_net *n)
{
    (void)n;
    return -1;
}

static bool fake_refusing(struct tpsp_net *n, struct pkt_endpoint *out)
{
    (void)n;
    *out = (struct pkt_endpoint){.addr = {.version = 4, .bytes = {192, 0, 2, 1}}, .port = 9};
    return true;
}

static void fake_close(struct tpsp_net *n)
{
    for (int i = 0; i < TPSP_CHANNELS_MAX; i++)
        assert_false(self(n)->open[i]);
    self(n)->closed = true;
}

static const struct tpsp_net_ops fake_ops = {
    .now_ns = fake_now,
    .open = fake_open,
    .shut = fake_shut,
    .send = fake_send,
    .receive = fake_receive,
    .dropped = fake_dropped,
    .fd = fake_fd,
    .refusing = fake_refusing,
    .close = fake_close,
};

void fake_answer(struct fake *f, uint8_t group, uint8_t primitive, uint8_t result, const uint8_t *parameters, size_t len)
{
    assert_true(f->answer_count < FAKE_ANSWERS);
    struct fake_answer *a = &f->answers[f->answer_count++];
    *a = (struct fake_answer){.group = group, .primitive = primitive, .result = result, .len = len};
    if (len)
        memcpy(a->parameters, parameters, len);
}

void fake_silence(struct fake *f, uint8_t group, uint8_t primitive)
{
    fake_answer(f, group, primitive, 0, NULL, 0);
    f->answers[f->answer_count - 1].silent = true;
}

void fake_begin(struct fake *f)
{
    static const uint8_t version[6] = {0, 1, 0, 2, 0, 0}, nothing_dropped[2] = {0, 0};
    memset(f, 0, sizeof *f);
    f->base.ops = &fake_ops;
    snprintf(f->base.peer, sizeof f->base.peer, "192.0.2.2 port 10000");
    f->next_socket = 0x0101;
    fake_answer(f, 0, 1, 0, version, sizeof version);
    fake_answer(f, 2, 3, 0, nothing_dropped, sizeof nothing_dropped);
}

unsigned fake_count(const struct fake *f, uint8_t group, uint8_t primitive)
{
    unsigned count = 0;
    for (unsigned i = 0; i < f->asked_count; i++)
        count += f->asked[i].bytes[2] == group && f->asked[i].bytes[3] == primitive;
    return count;
}

const struct fake_datagram *fake_last(const struct fake *f, uint8_t group, uint8_t primitive)
{
    for (unsigned i = f->asked_count; i-- > 0;)
        if (f->asked[i].bytes[2] == group && f->asked[i].bytes[3] == primitive)
            return &f->asked[i];
    return NULL;
}

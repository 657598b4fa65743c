/* The reference stack as a plugin: what a stack's author writes, for a stack that has every call. Made from its driver, so that it
 * is told of settings and answers calls exactly as when it is built in. */
#include "targets/plugin/tcpassay_plugin.h"
#include "targets/reference/target_reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tcpassay_stack {
    struct target *target;
    const struct tcpassay_tester *tester;
    uint8_t packet[PKT_BYTES_MAX];
};

/* After whatever may have made it send. */
static int64_t emit(struct tcpassay_stack *s, int64_t result)
{
    int64_t at_ns;
    for (ssize_t len; (len = s->target->ops->receive(s->target, s->packet, sizeof s->packet, &at_ns)) > 0;)
        s->tester->output(s->tester->context, s->packet, (size_t)len);
    return result;
}

static struct pkt_endpoint endpoint_of(const struct tcpassay_endpoint *e)
{
    struct pkt_endpoint out = {.addr.version = e->address.version, .port = e->port};
    memcpy(out.addr.bytes, e->address.bytes, sizeof out.addr.bytes);
    return out;
}

static void give(struct tcpassay_endpoint *out, const struct pkt_endpoint *e)
{
    out->address.version = e->addr.version;
    memcpy(out->address.bytes, e->addr.bytes, sizeof out->address.bytes);
    out->port = e->port;
}

/* ---- life and time */

static struct tcpassay_stack *reference_create(const struct tcpassay_config *config, const struct tcpassay_tester *tester)
{
    struct target_setting settings[33];
    struct target_error error = {0};
    struct target_config wanted = {.seed = config->seed, .settings = settings};
    struct tcpassay_stack *s = calloc(1, sizeof *s);
    char mtu[8];
    snprintf(mtu, sizeof mtu, "%u", config->mtu);
    settings[wanted.setting_count++] = (struct target_setting){"mtu", mtu};
    for (uint32_t i = 0; i < config->setting_count && i < 32; i++)
        settings[wanted.setting_count++] = (struct target_setting){config->settings[i].name, config->settings[i].value};
    if (s)
        s->target = reference_driver.open("", &wanted, &error);
    if (!s || !s->target) {
        tester->refuse(tester->context, error.text);
        free(s);
        return NULL;
    }
    s->tester = tester;
    return s;
}

static void reference_destroy(struct tcpassay_stack *s)
{
    s->target->ops->close(s->target);
    free(s);
}

static void reference_input(struct tcpassay_stack *s, const void *packet, size_t length, int64_t now_ns)
{
    (void)now_ns; /* told by advance() already */
    emit(s, s->target->ops->send(s->target, packet, length));
}

static void reference_advance(struct tcpassay_stack *s, int64_t now_ns)
{
    s->target->ops->advance(s->target, now_ns);
    emit(s, 0);
}

static int64_t reference_next_deadline(struct tcpassay_stack *s)
{
    return s->target->ops->deadline(s->target);
}

/* ---- the application's calls */

static int64_t reference_socket(struct tcpassay_stack *s, int ip_version)
{
    return s->target->ops->socket(s->target, (uint8_t)ip_version);
}

static int64_t reference_bind(struct tcpassay_stack *s, int64_t handle, const struct tcpassay_endpoint *local)
{
    const struct pkt_endpoint e = endpoint_of(local);
    return s->target->ops->bind(s->target, (int)handle, &e);
}

static int64_t reference_listen(struct tcpassay_stack *s, int64_t handle, int backlog)
{
    return emit(s, s->target->ops->listen(s->target, (int)handle, backlog));
}

static int64_t reference_accept(struct tcpassay_stack *s, int64_t handle, struct tcpassay_endpoint *peer)
{
    struct pkt_endpoint e = {.port = 0};
    const int64_t result = s->target->ops->accept(s->target, (int)handle, &e);
    give(peer, &e);
    return emit(s, result);
}

static int64_t reference_connect(struct tcpassay_stack *s, int64_t handle, const struct tcpassay_endpoint *remote)
{
    const struct pkt_endpoint e = endpoint_of(remote);
    return emit(s, s->target->ops->connect(s->target, (int)handle, &e));
}

static int64_t reference_send(struct tcpassay_stack *s, int64_t handle, const void *data, size_t length, unsigned flags)
{
    return emit(s, s->target->ops->send_data(s->target, (int)handle, data, length, flags));
}

static int64_t reference_receive(struct tcpassay_stack *s, int64_t handle, void *out, size_t length, unsigned flags)
{
    return emit(s, s->target->ops->receive_data(s->target, (int)handle, out, length, flags));
}

static int64_t reference_shutdown(struct tcpassay_stack *s, int64_t handle, int how)
{
    return emit(s, s->target->ops->shutdown(s->target, (int)handle, (enum target_shutdown)how));
}

static int64_t reference_close(struct tcpassay_stack *s, int64_t handle)
{
    return emit(s, s->target->ops->close_handle(s->target, (int)handle));
}

static int64_t reference_set_option(struct tcpassay_stack *s, int64_t handle, const char *name, const int64_t *values,
                                    unsigned count)
{
    return emit(s, s->target->ops->set_option(s->target, (int)handle, name, values, count));
}

static int64_t reference_get_option(struct tcpassay_stack *s, int64_t handle, const char *name, int64_t *value)
{
    return s->target->ops->get_option(s->target, (int)handle, name, value);
}

static int64_t reference_ioctl(struct tcpassay_stack *s, int64_t handle, const char *name, int64_t *value)
{
    return s->target->ops->ioctl(s->target, (int)handle, name, value);
}

static unsigned reference_poll(struct tcpassay_stack *s, int64_t handle)
{
    return s->target->ops->poll(s->target, (int)handle);
}

static int64_t reference_local_endpoint(struct tcpassay_stack *s, int64_t handle, struct tcpassay_endpoint *local)
{
    struct pkt_endpoint e = {.port = 0};
    const int64_t result = s->target->ops->local_endpoint(s->target, (int)handle, &e);
    give(local, &e);
    return result;
}

static int64_t reference_status(struct tcpassay_stack *s, const struct tcpassay_endpoint *local,
                                const struct tcpassay_endpoint *remote, struct tcpassay_status *out)
{
    const struct pkt_endpoint here = endpoint_of(local), there = endpoint_of(remote);
    struct target_status status = {.known = 0};
    const int64_t result = s->target->ops->status(s->target, &here, &there, &status);
    *out = (struct tcpassay_status){
        .size = out->size, .state = status.state, .known = status.known, .snd_una = status.snd_una, .snd_nxt = status.snd_nxt,
        .rcv_nxt = status.rcv_nxt, .snd_wnd = status.snd_wnd, .rcv_wnd = status.rcv_wnd, .unread_bytes = status.unread_bytes,
        .unsent_bytes = status.unsent_bytes, .cwnd_bytes = status.cwnd_bytes, .ssthresh_bytes = status.ssthresh_bytes,
        .mss_bytes = status.mss_bytes, .retransmits = status.retransmits, .rto_ns = status.rto_ns, .srtt_ns = status.srtt_ns};
    return result;
}

/* ---- what it is */

static const char *const settings_known[] = {
    "syn-retries", "synack-retries", "data-retries", "orphan-retries", "syncookies", "max-syn-backlog", "timestamps", "sack", "window-scaling",
    "ecn", "fastopen", "fin-wait-2-ms", "tw-reuse", "rfc1337", "receive-buffer", "send-buffer", "syn-linear-timeouts", "challenge-ack-limit",
    "keepalive-idle-s", "keepalive-interval-s", "keepalive-probes", "min-rto-ms", "abort-on-overflow", "msl-ms", "delayed-ack-ms", NULL};

static const struct tcpassay_plugin reference = {
    .abi = TCPASSAY_PLUGIN_ABI, .size = sizeof reference, .name = "tcpassay " TCPASSAY_VERSION " reference TCP (RFC 9293)",
    .flags = TCPASSAY_IPV4 | TCPASSAY_IPV6 | TCPASSAY_ECHO, .granularity_ns = 1000000, .settings = settings_known,
    .create = reference_create, .destroy = reference_destroy, .input = reference_input, .advance = reference_advance,
    .next_deadline = reference_next_deadline, .socket = reference_socket, .bind = reference_bind, .listen = reference_listen,
    .accept = reference_accept, .connect = reference_connect, .send = reference_send, .receive = reference_receive,
    .shutdown = reference_shutdown, .close = reference_close, .set_option = reference_set_option, .get_option = reference_get_option,
    .ioctl = reference_ioctl, .poll = reference_poll, .local_endpoint = reference_local_endpoint, .status = reference_status,
};

TCPASSAY_PLUGIN_EXPORT const struct tcpassay_plugin *tcpassay_plugin_v1(void)
{
    return &reference;
}

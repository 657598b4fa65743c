/* Hands the agent's calls to the stack (see upper.h). */
#include "targets/reference/serve/upper.h"
#include "targets/reference/target_reference.h"

#include <stdio.h>
#include <string.h>

static struct target *target_of(struct agent_sockets *a)
{
    struct serve_sockets *s = (struct serve_sockets *)a;
    return s->host.target(s->host.context);
}

static int64_t upper_socket(struct agent_sockets *a, uint8_t ip_version)
{
    struct target *t = target_of(a);
    return t->ops->socket(t, ip_version);
}

static int64_t upper_bind(struct agent_sockets *a, int handle, const struct pkt_endpoint *local)
{
    struct target *t = target_of(a);
    return t->ops->bind(t, handle, local);
}

static int64_t upper_listen(struct agent_sockets *a, int handle, int backlog)
{
    struct target *t = target_of(a);
    return t->ops->listen(t, handle, backlog);
}

static int64_t upper_accept(struct agent_sockets *a, int handle, struct pkt_endpoint *peer)
{
    struct target *t = target_of(a);
    return t->ops->accept(t, handle, peer);
}

static int64_t upper_connect(struct agent_sockets *a, int handle, const struct pkt_endpoint *remote)
{
    struct target *t = target_of(a);
    return t->ops->connect(t, handle, remote);
}

static int64_t upper_send_data(struct agent_sockets *a, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    struct target *t = target_of(a);
    return t->ops->send_data(t, handle, data, len, flags);
}

static int64_t upper_receive_data(struct agent_sockets *a, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct target *t = target_of(a);
    return t->ops->receive_data(t, handle, out, len, flags);
}

static int64_t upper_shutdown(struct agent_sockets *a, int handle, enum target_shutdown how)
{
    struct target *t = target_of(a);
    return t->ops->shutdown(t, handle, how);
}

static int64_t upper_close_handle(struct agent_sockets *a, int handle)
{
    struct target *t = target_of(a);
    return t->ops->close_handle(t, handle);
}

static int64_t upper_abort(struct agent_sockets *a, int handle)
{
    return ref_abort(reference_target_stack(target_of(a)), handle);
}

static int64_t upper_set_option(struct agent_sockets *a, int handle, const char *name, const int64_t *values, unsigned count)
{
    struct target *t = target_of(a);
    return t->ops->set_option(t, handle, name, values, count);
}

static int64_t upper_get_option(struct agent_sockets *a, int handle, const char *name, int64_t *value)
{
    struct target *t = target_of(a);
    return t->ops->get_option(t, handle, name, value);
}

static int64_t upper_ioctl(struct agent_sockets *a, int handle, const char *name, int64_t *value)
{
    struct target *t = target_of(a);
    return t->ops->ioctl(t, handle, name, value);
}

static unsigned upper_poll(struct agent_sockets *a, int handle)
{
    struct target *t = target_of(a);
    return t->ops->poll(t, handle);
}

static int64_t upper_local_endpoint(struct agent_sockets *a, int handle, struct pkt_endpoint *out)
{
    struct target *t = target_of(a);
    return t->ops->local_endpoint(t, handle, out);
}

static int64_t upper_status(struct agent_sockets *a, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                            struct target_status *out)
{
    struct target *t = target_of(a);
    return t->ops->status(t, local, remote, out);
}

static bool upper_configure(struct agent_sockets *a, const struct target_setting *settings, unsigned count,
                            struct target_error *error)
{
    struct serve_sockets *s = (struct serve_sockets *)a;
    if (count == 0 && !s->configured)
        return true;
    if (!s->host.boot(s->host.context, settings, count, error))
        return false;
    s->configured = count > 0;
    return true;
}

static void upper_end(struct agent_sockets *a)
{
    struct target_error ignored;
    upper_configure(a, NULL, 0, &ignored);
}

static void upper_identify(struct agent_sockets *a, struct agent_identity *out)
{
    const struct target_info *info = &target_of(a)->info;
    snprintf(out->description, sizeof out->description, "tcpassay %s reference TCP (tcpassay serve)", TCPASSAY_VERSION);
    out->pixit_count = info->pixit_count;
    for (unsigned i = 0; i < info->pixit_count; i++) {
        memcpy(out->pixit[i].name, info->pixit[i].name, sizeof out->pixit[i].name);
        memcpy(out->pixit[i].value, info->pixit[i].value, sizeof out->pixit[i].value);
    }
}

static const struct agent_sockets_ops UPPER_OPS = {
    .socket = upper_socket, .bind = upper_bind, .listen = upper_listen, .accept = upper_accept, .connect = upper_connect,
    .send_data = upper_send_data, .receive_data = upper_receive_data, .shutdown = upper_shutdown, .close_handle = upper_close_handle,
    .abort = upper_abort, .set_option = upper_set_option, .get_option = upper_get_option, .ioctl = upper_ioctl, .poll = upper_poll,
    .local_endpoint = upper_local_endpoint, .status = upper_status, .configure = upper_configure, .end = upper_end,
    .identify = upper_identify,
};

void serve_sockets_init(struct serve_sockets *s, const struct upper_host *host)
{
    *s = (struct serve_sockets){ .base = { .ops = &UPPER_OPS, .handles_max = AGENT_HANDLES_MAX }, .host = *host };
}

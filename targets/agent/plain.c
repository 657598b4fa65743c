/* Joins the table of sockets, what watches them, and what the system tells and lets set, to what the server calls. */
#include "targets/agent/plain.h"
#include "targets/agent/system.h"
#include "targets/sockets/sockets.h"

#include <stdlib.h>
#include <unistd.h>

struct plain {
    struct agent_sockets base;   /* first: what the server sees */
    struct agent_sockets_ops ops; /* of what there is here */
    struct sockets *sockets;
    struct watch *watch;
    struct keeper *keeper;
    int status_fd;
};

static struct plain *self(struct agent_sockets *a)
{
    return (struct plain *)a;
}

static int64_t plain_socket(struct agent_sockets *a, uint8_t ip_version)
{
    return sockets_socket(self(a)->sockets, ip_version);
}

static int64_t plain_bind(struct agent_sockets *a, int handle, const struct pkt_endpoint *local)
{
    return sockets_bind(self(a)->sockets, handle, local);
}

static int64_t plain_listen(struct agent_sockets *a, int handle, int backlog)
{
    return sockets_listen(self(a)->sockets, handle, backlog);
}

static int64_t plain_accept(struct agent_sockets *a, int handle, struct pkt_endpoint *peer)
{
    return sockets_accept(self(a)->sockets, handle, peer);
}

static int64_t plain_connect(struct agent_sockets *a, int handle, const struct pkt_endpoint *remote)
{
    return sockets_connect(self(a)->sockets, handle, remote);
}

static int64_t plain_send(struct agent_sockets *a, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    return sockets_send(self(a)->sockets, handle, data, len, flags);
}

static int64_t plain_receive(struct agent_sockets *a, int handle, uint8_t *out, size_t len, unsigned flags)
{
    return sockets_receive(self(a)->sockets, handle, out, len, flags);
}

static int64_t plain_shutdown(struct agent_sockets *a, int handle, enum target_shutdown how)
{
    return sockets_shutdown(self(a)->sockets, handle, how);
}

static int64_t plain_close(struct agent_sockets *a, int handle)
{
    return sockets_close(self(a)->sockets, handle);
}

static int64_t plain_abort(struct agent_sockets *a, int handle)
{
    return sockets_abort(self(a)->sockets, handle);
}

static int64_t plain_set_option(struct agent_sockets *a, int handle, const char *name, const int64_t *values, unsigned count)
{
    return sockets_set_option(self(a)->sockets, handle, name, values, count);
}

static int64_t plain_get_option(struct agent_sockets *a, int handle, const char *name, int64_t *value)
{
    return sockets_get_option(self(a)->sockets, handle, name, value);
}

static int64_t plain_ioctl(struct agent_sockets *a, int handle, const char *name, int64_t *value)
{
    return sockets_ioctl(self(a)->sockets, handle, name, value);
}

static unsigned plain_poll(struct agent_sockets *a, int handle)
{
    unsigned events = sockets_poll(self(a)->sockets, handle);
    watch_known(self(a)->watch, handle, events);
    return events;
}

static int64_t plain_local_endpoint(struct agent_sockets *a, int handle, struct pkt_endpoint *out)
{
    return sockets_local_endpoint(self(a)->sockets, handle, out);
}

static int64_t plain_status(struct agent_sockets *a, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                            struct target_status *out)
{
    return system_status(self(a)->status_fd, local, remote, out);
}

static int plain_changed(struct agent_sockets *a)
{
    return watch_changed(self(a)->watch);
}

static bool plain_configure(struct agent_sockets *a, const struct target_setting *settings, unsigned count,
                            struct target_error *error)
{
    return keeper_configure(self(a)->keeper, settings, count, error);
}

static void plain_begin(struct agent_sockets *a)
{
    keeper_begin(self(a)->keeper);
}

static void plain_end(struct agent_sockets *a)
{
    keeper_end(self(a)->keeper);
}

static void plain_identify(struct agent_sockets *a, struct agent_identity *out)
{
    (void)a;
    system_identify(out);
}

/* ---- where its sockets are (struct sockets_place) --------------------------------------------------------------- */

static bool watch_socket(void *context, int fd, int handle)
{
    return watch_add(((struct plain *)context)->watch, fd, handle);
}

static void unwatch_socket(void *context, int fd, int handle)
{
    watch_remove(((struct plain *)context)->watch, fd, handle);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static const struct agent_sockets_ops PLAIN_OPS = {
    .socket = plain_socket, .bind = plain_bind, .listen = plain_listen, .accept = plain_accept, .connect = plain_connect,
    .send_data = plain_send, .receive_data = plain_receive, .shutdown = plain_shutdown, .close_handle = plain_close, .abort = plain_abort,
    .set_option = plain_set_option, .get_option = plain_get_option, .ioctl = plain_ioctl, .poll = plain_poll,
    .local_endpoint = plain_local_endpoint, .identify = plain_identify,
};

struct agent_sockets *plain_new(struct keeper *keeper)
{
    struct plain *p = malloc(sizeof *p);
    if (!p)
        return NULL;
    *p = (struct plain){ .base.handles_max = PLAIN_SOCKETS_MAX, .ops = PLAIN_OPS, .keeper = keeper };
    p->base.ops = &p->ops;
    p->status_fd = system_open_status();
    p->watch = watch_new();
    p->sockets = sockets_new(&(struct sockets_place){ .watch = watch_socket, .unwatch = unwatch_socket, .context = p });
    if (p->status_fd >= 0)
        p->ops.status = plain_status;
    if (watch_tells)
        p->ops.changed = plain_changed;
    if (keeper) {
        p->ops.configure = plain_configure;
        p->ops.begin = plain_begin;
        p->ops.end = plain_end;
    }
    if (p->watch && p->sockets)
        return &p->base;
    plain_free(&p->base);
    return NULL;
}

void plain_free(struct agent_sockets *a)
{
    struct plain *p = self(a);
    sockets_free(p->sockets);
    watch_free(p->watch);
    if (p->status_fd >= 0)
        close(p->status_fd);
    free(p);
}

struct watch *plain_watch(struct agent_sockets *a)
{
    return self(a)->watch;
}

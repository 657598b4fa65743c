/* The puppet (see puppet.h). */
#include "targets/saboteur/test/puppet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct puppet *last;
static unsigned open_count;

struct puppet *puppet_last(void)
{
    return last;
}

unsigned puppet_open_count(void)
{
    return open_count;
}

static struct puppet *self(struct target *t)
{
    return (struct puppet *)t;
}

static void keep(struct puppet_packet *packet, const uint8_t *bytes, size_t len)
{
    free(packet->bytes);
    *packet = (struct puppet_packet){.bytes = malloc(len ? len : 1), .len = len};
    if (!packet->bytes)
        abort();
    memcpy(packet->bytes, bytes, len);
}

void puppet_emits(struct puppet *p, const uint8_t *bytes, size_t len)
{
    if (p->queue_first == p->queue_end)
        p->queue_first = p->queue_end = 0;
    if (p->queue_end == PUPPET_PACKETS_MAX)
        abort();
    keep(&p->queue[p->queue_end++], bytes, len);
    uint64_t one = 1;
    if (p->event_fd >= 0 && write(p->event_fd, &one, sizeof one) < 0)
        abort();
}

void puppet_forget(struct puppet *p)
{
    free(p->got.bytes);
    p->got = (struct puppet_packet){0};
    *p->log = '\0';
}

static void note(struct puppet *p, const char *format, ...)
{
    size_t used = strlen(p->log);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->log + used, sizeof p->log - used, format, arguments);
    va_end(arguments);
}

/* ---- the interface */

static void puppet_close(struct target *t)
{
    struct puppet *p = self(t);
    puppet_forget(p);
    for (size_t i = 0; i < PUPPET_PACKETS_MAX; i++)
        free(p->queue[i].bytes);
    if (p->event_fd >= 0)
        close(p->event_fd);
    last = p == last ? NULL : last;
    open_count--;
    free(p);
}

static int puppet_send(struct target *t, const uint8_t *bytes, size_t len)
{
    keep(&self(t)->got, bytes, len);
    self(t)->got_count++;
    return 0;
}

static ssize_t puppet_receive(struct target *t, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct puppet *p = self(t);
    if (p->queue_first == p->queue_end)
        return 0;
    struct puppet_packet *packet = &p->queue[p->queue_first++];
    uint64_t counter;
    if (p->event_fd >= 0 && p->queue_first == p->queue_end && read(p->event_fd, &counter, sizeof counter) < 0)
        abort();
    if (packet->len > capacity)
        return -EMSGSIZE;
    memcpy(out, packet->bytes, packet->len);
    *at_ns = p->now_ns;
    return (ssize_t)packet->len;
}

static int64_t puppet_deadline(struct target *t)
{
    return self(t)->deadline_ns;
}

static void puppet_advance(struct target *t, int64_t now_ns)
{
    struct puppet *p = self(t);
    if (now_ns < p->now_ns)
        abort();
    p->now_ns = now_ns;
    if (p->deadline_ns <= now_ns)
        p->deadline_ns = INT64_MAX;
}

static int puppet_fd(struct target *t)
{
    return self(t)->event_fd;
}

static int64_t puppet_socket(struct target *t, uint8_t ip_version)
{
    note(self(t), "socket(%u) ", ip_version);
    return self(t)->result;
}

static int64_t puppet_bind(struct target *t, int handle, const struct pkt_endpoint *local)
{
    note(self(t), "bind(%d,%u) ", handle, local->port);
    return self(t)->result;
}

static int64_t puppet_listen(struct target *t, int handle, int backlog)
{
    note(self(t), "listen(%d,%d) ", handle, backlog);
    return self(t)->result;
}

static int64_t puppet_accept(struct target *t, int handle, struct pkt_endpoint *peer)
{
    (void)peer;
    note(self(t), "accept(%d) ", handle);
    return self(t)->result;
}

static int64_t puppet_connect(struct target *t, int handle, const struct pkt_endpoint *remote)
{
    note(self(t), "connect(%d,%u) ", handle, remote->port);
    return self(t)->result;
}

static int64_t puppet_send_data(struct target *t, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    (void)data;
    note(self(t), "send(%d,%zu,%u) ", handle, len, flags);
    return self(t)->result;
}

static int64_t puppet_receive_data(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    note(self(t), "receive(%d,%zu,%u) ", handle, len, flags);
    for (int64_t i = 0; i < self(t)->result && i < (int64_t)len; i++)
        out[i] = (uint8_t)('a' + i);
    return self(t)->result;
}

static int64_t puppet_shutdown(struct target *t, int handle, enum target_shutdown how)
{
    note(self(t), "shutdown(%d,%d) ", handle, how);
    return self(t)->result;
}

static int64_t puppet_close_handle(struct target *t, int handle)
{
    note(self(t), "close(%d) ", handle);
    return self(t)->result;
}

static int64_t puppet_set_option(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    note(self(t), "set(%d,%s,%" PRId64 ",%u) ", handle, name, values[0], count);
    return 0;
}

static int64_t puppet_get_option(struct target *t, int handle, const char *name, int64_t *value)
{
    note(self(t), "get(%d,%s) ", handle, name);
    *value = self(t)->value;
    return self(t)->result;
}

static int64_t puppet_ioctl(struct target *t, int handle, const char *name, int64_t *value)
{
    note(self(t), "ioctl(%d,%s) ", handle, name);
    *value = self(t)->value;
    return self(t)->result;
}

static unsigned puppet_poll(struct target *t, int handle)
{
    note(self(t), "poll(%d) ", handle);
    return self(t)->events;
}

static int64_t puppet_local_endpoint(struct target *t, int handle, struct pkt_endpoint *out)
{
    note(self(t), "local(%d) ", handle);
    *out = (struct pkt_endpoint){.addr = t->info.iut[0], .port = 8080};
    return self(t)->result;
}

static int64_t puppet_status(struct target *t, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                             struct target_status *out)
{
    note(self(t), "status(%u,%u) ", local->port, remote->port);
    *out = self(t)->status;
    return self(t)->result;
}

static const struct target_ops puppet_ops = {
    .close = puppet_close, .send = puppet_send, .receive = puppet_receive, .deadline = puppet_deadline, .advance = puppet_advance,
    .fd = puppet_fd, .socket = puppet_socket, .bind = puppet_bind, .listen = puppet_listen, .accept = puppet_accept,
    .connect = puppet_connect, .send_data = puppet_send_data, .receive_data = puppet_receive_data, .shutdown = puppet_shutdown,
    .close_handle = puppet_close_handle, .set_option = puppet_set_option, .get_option = puppet_get_option, .ioctl = puppet_ioctl,
    .poll = puppet_poll, .local_endpoint = puppet_local_endpoint, .status = puppet_status,
};

static struct puppet *make(const struct target_config *config)
{
    struct puppet *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->base.ops = &puppet_ops;
    p->base.info = (struct target_info){.name = "puppet", .description = "a puppet", .capabilities = TARGET_IPV4 | TARGET_IPV6,
                                        .iut = {{4, {192, 0, 2, 2}}, {6, {0x20, 1, 0xd, 0xb8, [15] = 2}}},
                                        .tester = {{4, {198, 51, 100, 1}}, {6, {0x20, 1, 0xd, 0xb8, 0, 1, [15] = 1}}}, .mtu = 1500};
    p->deadline_ns = INT64_MAX;
    p->event_fd = -1;
    for (unsigned i = 0; i < config->setting_count && i < PUPPET_SETTINGS_MAX; i++, p->setting_count++) {
        snprintf(p->settings[i][0], sizeof p->settings[i][0], "%s", config->settings[i].name);
        snprintf(p->settings[i][1], sizeof p->settings[i][1], "%s", config->settings[i].value);
    }
    open_count++;
    return last = p;
}

static struct target *puppet_open(const char *argument, const struct target_config *config, struct target_error *error)
{
    if (!strcmp(argument, "refuse")) {
        *error = (struct target_error){.kind = TARGET_ERR_UNSUPPORTED, .text = "it will not"};
        return NULL;
    }
    return &make(config)->base;
}

static struct target *puppet_real_open(const char *argument, const struct target_config *config, struct target_error *error)
{
    (void)argument;
    (void)error;
    struct puppet *p = make(config);
    p->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return &p->base;
}

static bool puppet_preflight(const char *argument, struct target_error *error)
{
    snprintf(error->text, sizeof error->text, "%s", argument);
    return strcmp(argument, "absent") != 0;
}

const struct target_driver puppet_driver = {.name = "puppet", .many = true, .virtual_time = true, .preflight = puppet_preflight, .open = puppet_open};
const struct target_driver puppet_real_driver = {.name = "puppet-real", .many = true, .open = puppet_real_open};
const struct target_driver puppet_only_driver = {.name = "puppet-only", .virtual_time = true, .open = puppet_open};

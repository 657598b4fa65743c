/* The wire of "tap:IFACE": chooses a side of the interface, and is the wire on the device's side.
 *
 * Theory of operation. A TAP device is a cable with two ends: an interface of the kernel, and a file descriptor. The tester needs
 * the end that the stack under test does not have:
 *   - nobody holds the descriptor: the tester takes it. The stack is on the interface's side: the kernel with its routes, a bridge
 * with a VM's device on it;
 *   - the descriptor is taken (by lwIP, by a VM, by `tcpassay serve`): the tester takes the interface's side, by a packet socket;
 *   - the interface is no TAP device (veth, bridge, VLAN, a network card): likewise.
 * Of a device with several queues the descriptor is never taken: it would be one of many, and get some of the frames.
 *
 * When nothing of that name exists the device is made, brought up, and gone again with its descriptor. */
#include "targets/tap/clock.h"
#include "targets/tap/namespace.h"
#include "targets/tap/netlink.h"
#include "targets/tap/stamps.h"
#include "targets/tap/tap.h"
#include "targets/tap/wire_packet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE_FRAMES = 8192 };

struct tap_wire {
    struct wire base;        /* first: the station's view */
    char interface[IFNAMSIZ];
    struct tap tap;
    struct stamps *stamps;   /* NULL: no CAP_NET_RAW; times are those of reading */
    bool made;               /* there was no such device before */
    uint64_t lost;
};

static struct tap_wire *self(struct wire *w)
{
    return (struct tap_wire *)w;
}

static bool fail(struct target_error *error, const char *interface, const char *why)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "interface %.32s: %.300s", interface, why);
    return false;
}

/* ---- frames ---------------------------------------------------------------------------------------------------- */

static int wire_tap_send(struct wire *w, const uint8_t *bytes, size_t len)
{
    struct tap_wire *t = self(w);
    int status = tap_write(&t->tap, bytes, len);
    if (status == -EIO || status == -EBADFD || status == -ENODEV) /* down; taken away */
        return -ENETDOWN;
    if (status == 0 || status == -EAGAIN || status == -ENOBUFS || status == -EMSGSIZE)
        return status;
    t->lost++;
    return 0;
}

static ssize_t wire_tap_receive(struct wire *w, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct tap_wire *t = self(w);
    ssize_t len = tap_read(&t->tap, out, capacity);
    if (len < 0)
        return -ENETDOWN;
    if (len == 0)
        return 0;
    *at_ns = clock_monotonic_ns();
    if (t->stamps)
        *at_ns = stamps_find(t->stamps, out, (size_t)len, *at_ns);
    return len;
}

static int wire_tap_fd(struct wire *w)
{
    return self(w)->tap.fd;
}

static uint64_t wire_tap_lost(struct wire *w)
{
    return self(w)->lost;
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static void wire_tap_close(struct wire *w)
{
    stamps_close(self(w)->stamps);
    tap_close(&self(w)->tap);
    free(w);
}

static bool bring_up(struct tap_wire *t, struct target_error *error)
{
    const struct rtnl_link change = { .ifindex = t->tap.ifindex, .up = true, .queue_frames = QUEUE_FRAMES };
    int rtnl = rtnl_open();
    int status = rtnl < 0 ? rtnl : rtnl_set_link(rtnl, &change);
    if (status == 0)
        status = rtnl_remove_queueing(rtnl, t->tap.ifindex);
    if (rtnl >= 0)
        close(rtnl);
    return status == 0 || fail(error, t->interface, strerror(-status));
}

/* The device is open already. */
static bool set_up(struct tap_wire *t, struct target_error *error)
{
    struct wire_interface interface;
    if (t->made && !bring_up(t, error))
        return false;
    int status = wire_interface(t->interface, &interface);
    if (status < 0 || interface.index == 0)
        return fail(error, t->interface, status < 0 ? strerror(-status) : "somebody has taken it away");
    if (!interface.up)
        return fail(error, t->interface, "it is down; `ip link set NAME up` brings it up");
    if (stamps_open(t->tap.ifindex, &t->stamps) < 0)
        t->stamps = NULL;
    t->base.mtu = interface.mtu;
    snprintf(t->base.description, sizeof t->base.description, "TAP device %s%s", t->interface, t->made ? " (made for the run)" : "");
    return true;
}

/* Down and up again, or made anew under the same name. */
static bool wire_tap_recover(struct wire *w, struct target_error *error)
{
    struct tap_wire *t = self(w);
    stamps_close(t->stamps);
    t->stamps = NULL;
    tap_close(&t->tap);
    int status = tap_open(t->interface, &t->tap);
    if (status < 0) {
        tap_explain(status, error);
        return false;
    }
    return set_up(t, error);
}

static const struct wire_ops TAP_OPS = {
    .close = wire_tap_close, .send = wire_tap_send, .receive = wire_tap_receive, .fd = wire_tap_fd, .lost = wire_tap_lost,
    .recover = wire_tap_recover,
};

static struct wire *wire_of_tap(const struct tap *tap, const char *interface, bool made, struct target_error *error)
{
    struct tap_wire *t = calloc(1, sizeof *t);
    if (!t) {
        struct tap unused = *tap;
        tap_close(&unused);
        fail(error, interface, "out of memory");
        return NULL;
    }
    t->base.ops = &TAP_OPS;
    t->tap = *tap;
    t->made = made;
    snprintf(t->interface, sizeof t->interface, "%s", interface);
    if (set_up(t, error))
        return &t->base;
    wire_tap_close(&t->base);
    return NULL;
}

struct wire *wire_open_tap(const char *interface, struct target_error *error)
{
    struct wire_interface found;
    struct tap tap;
    int status = wire_interface(interface, &found);
    if (status < 0 || !*interface || strchr(interface, '%')) {
        fail(error, interface, status < 0 ? strerror(-status) : "no name of an interface");
        return NULL;
    }
    if (found.index && !found.is_tap)
        return wire_open_packet(interface, error);
    status = tap_open(interface, &tap);
    if (found.index && (status == -EBUSY || status == -EINVAL)) /* taken; of several queues */
        return wire_open_packet(interface, error);
    if (status < 0) {
        tap_explain(status, error);
        return NULL;
    }
    return wire_of_tap(&tap, interface, found.index == 0, error);
}

/* Opens, reads and writes a TAP device. */
#include "targets/tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int attach(struct tap *tap, const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    if (snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name) >= (int)sizeof request.ifr_name)
        return -ENAMETOOLONG;
    if (ioctl(tap->fd, TUNSETIFF, &request) < 0)
        return -errno;
    if (ioctl(tap->fd, TUNSETOFFLOAD, 0ul) < 0)
        return -errno;
    memcpy(tap->name, request.ifr_name, sizeof tap->name);
    tap->ifindex = if_nametoindex(tap->name);
    return tap->ifindex ? 0 : -errno;
}

int tap_open(const char *name, struct tap *out)
{
    *out = (struct tap){ .fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC) };
    if (out->fd < 0)
        return -errno;
    int status = attach(out, name);
    if (status < 0)
        tap_close(out);
    return status;
}

void tap_close(struct tap *tap)
{
    if (tap->fd >= 0)
        close(tap->fd);
    tap->fd = -1;
}

/* A device that is persistent outlives its descriptor, but not its namespace. */
void tap_close_with_namespace(struct tap *tap)
{
    if (tap->fd >= 0)
        ioctl(tap->fd, TUNSETPERSIST, 1ul);
    tap_close(tap);
}

ssize_t tap_read(struct tap *tap, uint8_t *out, size_t capacity)
{
    ssize_t len = read(tap->fd, out, capacity);
    if (len >= 0)
        return len;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int tap_write(struct tap *tap, const uint8_t *frame, size_t len)
{
    return write(tap->fd, frame, len) < 0 ? -errno : 0;
}

/* Matches frames read from a device with the kernel's record of when they left.
 *
 * Theory of operation. A TAP device tells no times. A packet socket on the same device is given a copy of each frame just before
 * the device gets it, with a time stamp; a filter lets only outgoing frames in, and only their first octets. Copies arrive in the
 * order of the frames, give or take two processors sending at once, so stamps_find() looks for the first copy with the same first
 * octets and forgets those before it. A copy that is missing (the socket's buffer overflowed in a flood) costs precision, nothing
 * else. */
#include "targets/tap/stamps.h"
#include "targets/tap/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 96,     /* Ethernet, IPv6 and 42 octets of TCP: sequence numbers and options tell segments apart */
    BATCH = 32,          /* copies read at a time */
    BUFFER_BYTES = 4 << 20,
};

struct stamp {
    size_t len; /* of head */
    uint8_t head[HEAD_BYTES];
    int64_t real_ns;
};

struct stamps {
    int fd;
    int64_t last_ns; /* the last one told: none is earlier, even if somebody sets the clock meanwhile */
    unsigned first, count;
    struct stamp stamps[BATCH];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
    _Alignas(struct cmsghdr) uint8_t controls[BATCH][CMSG_SPACE(sizeof(struct timespec))];
};

static void prepare_messages(struct stamps *s)
{
    for (unsigned i = 0; i < BATCH; i++) {
        s->parts[i] = (struct iovec){ .iov_base = s->stamps[i].head, .iov_len = HEAD_BYTES };
        s->messages[i].msg_hdr = (struct msghdr){ .msg_iov = &s->parts[i], .msg_iovlen = 1, .msg_control = s->controls[i] };
    }
}

static int configure(int fd, unsigned ifindex)
{
    struct sock_filter code[] = { /* if (packet type == outgoing) keep HEAD_BYTES; else keep nothing */
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, HEAD_BYTES),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };
    const struct sockaddr_ll device = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)ifindex };
    const int on = 1, bytes = BUFFER_BYTES;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0) /* past the machine's limit: as root only */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0
        || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0
        || bind(fd, (const struct sockaddr *)&device, sizeof device) < 0)
        return -errno;
    return 0;
}

int stamps_open(unsigned ifindex, struct stamps **out)
{
    struct stamps *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    prepare_messages(s);
    s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int status = s->fd < 0 ? -errno : configure(s->fd, ifindex);
    if (status < 0) {
        if (s->fd >= 0)
            close(s->fd);
        free(s);
        return status;
    }
    *out = s;
    return 0;
}

/* Closing a packet socket waits some 20 ms for the other processors: in a thread, for the runner has other tests to attend to. */
static void *close_in_background(void *fd)
{
    close((int)(intptr_t)fd);
    return NULL;
}

void stamps_close(struct stamps *s)
{
    if (!s)
        return;
    pthread_t thread;
    if (pthread_create(&thread, NULL, close_in_background, (void *)(intptr_t)s->fd) == 0)
        pthread_detach(thread);
    else
        close(s->fd);
    free(s);
}

static int64_t stamp_of(struct msghdr *message)
{
    struct timespec stamp = { 0 };
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
            memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    return stamp.tv_sec * INT64_C(1000000000) + stamp.tv_nsec;
}

static bool refill(struct stamps *s)
{
    for (unsigned i = 0; i < BATCH; i++)
        s->messages[i].msg_hdr.msg_controllen = sizeof s->controls[i];
    int got = recvmmsg(s->fd, s->messages, BATCH, MSG_DONTWAIT, NULL);
    s->first = 0;
    s->count = got > 0 ? (unsigned)got : 0;
    for (unsigned i = 0; i < s->count; i++) {
        s->stamps[i].len = s->messages[i].msg_len;
        s->stamps[i].real_ns = stamp_of(&s->messages[i].msg_hdr);
    }
    return s->count > 0;
}

int64_t stamps_find(struct stamps *s, const uint8_t *frame, size_t len, int64_t now_ns)
{
    const size_t head_len = len < HEAD_BYTES ? len : HEAD_BYTES;
    while (s->first < s->count || refill(s)) {
        const struct stamp *stamp = &s->stamps[s->first++];
        if (stamp->len != head_len || memcmp(stamp->head, frame, head_len) != 0)
            continue;
        int64_t at_ns = clock_of_realtime(stamp->real_ns);
        at_ns = at_ns > s->last_ns ? at_ns : s->last_ns;
        return s->last_ns = at_ns < now_ns ? at_ns : now_ns;
    }
    return s->last_ns = now_ns;
}

/* A wire that misbehaves to order: carries frames between two network devices, and loses, doubles, delays and reorders the TCP in
 * them.
 *
 *     make-captures-wire DEVICE-A DEVICE-B [seed=N] [ab:WHAT=VALUE | ba:WHAT=VALUE | WHAT=VALUE]…
 *
 * What happens to TCP frames of a direction (ab: from A to B; without a prefix: both):
 *
 *     loss=‰ dup=‰ reorder=‰   the share of frames lost, doubled, or held back by held_us
 *     held_us=N                how long a reordered frame is held back (2000)
 *     drop=N,N…                lose the Nth frame of this direction, counted from 1
 *     after=N                  lose everything behind the Nth frame: a host that falls silent
 *     hole=OCTETS              lose IP packets longer than this, without a word: a black hole for path MTU discovery
 *     delay_us=N jitter_us=N   delay, and up to this much more; frames keep their order
 *     kbit=N                   the rate
 *     queue=FRAMES             how many may wait (1000); what comes then is lost
 *     ce=‰                     the share of ECN-capable packets marked Congestion Experienced
 *     mss=N                    the MSS option of SYNs is lowered to N, as routers do
 *
 * Other frames (ARP, neighbour discovery, ICMP) pass at once. One seed gives one sequence of decisions. It ends on SIGTERM or
 * SIGINT. It exists because not every kernel has netem; it needs CAP_NET_RAW, and belongs into a network namespace of its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 65550, QUEUE_MAX = 4096, DROPS_MAX = 32, ETHERNET_LEN = 14 };

struct settings {
    uint32_t loss, dup, reorder, held_us, after, hole, delay_us, jitter_us, kbit, queue, ce, mss;
    uint32_t drop[DROPS_MAX], drop_count;
};

struct waiting { /* a frame on its way */
    int64_t due_ns;
    size_t len;
    uint8_t *bytes;
};

struct direction {
    struct settings set;
    int from, to;             /* sockets */
    uint32_t frames;          /* of TCP that came */
    int64_t busy_until_ns;    /* when the last octet has left, at the rate */
    int64_t last_due_ns;
    uint32_t waiting_count;
    struct waiting waiting[QUEUE_MAX]; /* by due_ns, ascending */
};

struct wire {
    uint64_t random;
    struct direction ab, ba;
};

/* ---- settings -------------------------------------------------------------------------------------------------- */

static const struct { const char *name; size_t offset; } names[] = {
    { "loss", offsetof(struct settings, loss) },           { "dup", offsetof(struct settings, dup) },
    { "reorder", offsetof(struct settings, reorder) },     { "held_us", offsetof(struct settings, held_us) },
    { "after", offsetof(struct settings, after) },         { "hole", offsetof(struct settings, hole) },
    { "delay_us", offsetof(struct settings, delay_us) },   { "jitter_us", offsetof(struct settings, jitter_us) },
    { "kbit", offsetof(struct settings, kbit) },           { "queue", offsetof(struct settings, queue) },
    { "ce", offsetof(struct settings, ce) },               { "mss", offsetof(struct settings, mss) },
};

static bool set_drops(struct settings *set, const char *list)
{
    set->drop_count = 0;
    while (*list != '\0') {
        char *end;
        const unsigned long number = strtoul(list, &end, 10);
        if (end == list || number == 0 || set->drop_count == DROPS_MAX || (*end != '\0' && *end != ','))
            return false;
        set->drop[set->drop_count++] = (uint32_t)number;
        list = *end == ',' ? end + 1 : end;
    }
    return true;
}

static bool set_value(struct settings *set, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return false;
    const size_t name_len = (size_t)(equals - text);
    if (name_len == 4 && strncmp(text, "drop", 4) == 0)
        return set_drops(set, equals + 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) != name_len || strncmp(names[i].name, text, name_len) != 0)
            continue;
        char *end;
        const uint32_t value = (uint32_t)strtoul(equals + 1, &end, 10);
        memcpy((char *)set + names[i].offset, &value, sizeof value);
        return end != equals + 1 && *end == '\0';
    }
    return false;
}

static bool wire_set(struct wire *wire, const char *argument)
{
    if (strncmp(argument, "seed=", 5) == 0) {
        wire->random = strtoull(argument + 5, NULL, 10) * 2 + 1;
        return true;
    }
    if (strncmp(argument, "ab:", 3) == 0)
        return set_value(&wire->ab.set, argument + 3);
    if (strncmp(argument, "ba:", 3) == 0)
        return set_value(&wire->ba.set, argument + 3);
    return set_value(&wire->ab.set, argument) && set_value(&wire->ba.set, argument);
}

/* ---- chance and time ------------------------------------------------------------------------------------------- */

static uint32_t draw(struct wire *wire, uint32_t below) /* xorshift64* */
{
    wire->random ^= wire->random >> 12;
    wire->random ^= wire->random << 25;
    wire->random ^= wire->random >> 27;
    return (uint32_t)((wire->random * 0x2545F4914F6CDD1Du) >> 33) % below;
}

static bool happens(struct wire *wire, uint32_t permille) { return permille != 0 && draw(wire, 1000) < permille; }

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* ---- what is in a frame ---------------------------------------------------------------------------------------- */

struct view { uint8_t *ip, *tcp; size_t ip_len, tcp_len; bool v6; };

static bool view_tcp(uint8_t *frame, size_t len, struct view *out)
{
    if (len < ETHERNET_LEN + 40)
        return false;
    const unsigned type = (unsigned)(frame[12] << 8 | frame[13]);
    *out = (struct view){ .ip = frame + ETHERNET_LEN, .ip_len = len - ETHERNET_LEN, .v6 = type == ETHERTYPE_IPV6 };
    if (out->v6) {
        if (out->ip[6] != IPPROTO_TCP || out->ip_len < 60)
            return false;
        out->tcp = out->ip + 40;
    } else {
        if (type != ETHERTYPE_IP || out->ip[9] != IPPROTO_TCP)
            return false;
        out->tcp = out->ip + (size_t)(out->ip[0] & 15) * 4;
    }
    out->tcp_len = len - (size_t)(out->tcp - frame);
    return out->tcp_len >= 20 && out->tcp_len < len;
}

/* Changes a 16-bit word under a checksum (RFC 1624). */
static void change_word(uint8_t *word, uint16_t value, uint8_t *checksum)
{
    const uint32_t old = (uint32_t)(word[0] << 8 | word[1]);
    uint32_t sum = (uint32_t)(checksum[0] << 8 | checksum[1]);
    sum = (~sum & 0xffff) + (~old & 0xffff) + value;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
    checksum[0] = (uint8_t)(sum >> 8);
    checksum[1] = (uint8_t)sum;
    word[0] = (uint8_t)(value >> 8);
    word[1] = (uint8_t)value;
}

static void mark_ce(struct view *v)
{
    const unsigned tos = v->v6 ? (unsigned)(v->ip[0] << 4 | v->ip[1] >> 4) & 255 : v->ip[1];
    if ((tos & 3) == 0)
        return;
    if (v->v6)
        v->ip[1] |= 0x30;
    else
        change_word(v->ip, (uint16_t)(v->ip[0] << 8 | v->ip[1] | 3), v->ip + 10);
}

static void clamp_mss(struct view *v, uint32_t mss)
{
    size_t header_len = (size_t)(v->tcp[12] >> 4) * 4;
    if (!(v->tcp[13] & 2) || header_len > v->tcp_len)
        return;
    for (size_t at = 20; at + 1 < header_len && v->tcp[at] != 0;) {
        const uint8_t kind = v->tcp[at], len = kind == 1 ? 1 : v->tcp[at + 1];
        if (len == 0 || at + len > header_len)
            return;
        if (kind == 2 && len == 4 && at % 2 == 0 && (uint32_t)(v->tcp[at + 2] << 8 | v->tcp[at + 3]) > mss)
            change_word(v->tcp + at + 2, (uint16_t)mss, v->tcp + 16);
        at += len;
    }
}

/* ---- carrying -------------------------------------------------------------------------------------------------- */

static void put(int to, const uint8_t *frame, size_t len)
{
    if (send(to, frame, len, 0) < 0 && errno != ENOBUFS && errno != EMSGSIZE && errno != ENETDOWN)
        perror("make-captures-wire: send");
}

static void enqueue(struct direction *d, const uint8_t *frame, size_t len, int64_t due_ns)
{
    if (d->waiting_count >= d->set.queue || d->waiting_count >= QUEUE_MAX)
        return;
    uint8_t *copy = malloc(len);
    if (copy == NULL)
        return;
    memcpy(copy, frame, len);
    uint32_t at = d->waiting_count++;
    for (; at > 0 && d->waiting[at - 1].due_ns > due_ns; at--)
        d->waiting[at] = d->waiting[at - 1];
    d->waiting[at] = (struct waiting){ due_ns, len, copy };
}

static bool is_lost(struct wire *wire, struct direction *d, const struct view *v)
{
    for (uint32_t i = 0; i < d->set.drop_count; i++)
        if (d->set.drop[i] == d->frames)
            return true;
    if (d->set.after != 0 && d->frames > d->set.after)
        return true;
    if (d->set.hole != 0 && v->ip_len > d->set.hole)
        return true;
    return happens(wire, d->set.loss);
}

/* When this frame arrives on the other side. */
static int64_t due(struct wire *wire, struct direction *d, size_t len)
{
    const struct settings *s = &d->set;
    int64_t at = now_ns();
    if (s->kbit != 0) {
        at = (at > d->busy_until_ns ? at : d->busy_until_ns) + (int64_t)len * 8 * 1000000 / s->kbit;
        d->busy_until_ns = at;
    }
    at += (int64_t)s->delay_us * 1000 + (s->jitter_us != 0 ? (int64_t)draw(wire, s->jitter_us) * 1000 : 0);
    if (happens(wire, s->reorder))
        return at + (int64_t)s->held_us * 1000;
    d->last_due_ns = at > d->last_due_ns ? at : d->last_due_ns;
    return d->last_due_ns;
}

static void take(struct wire *wire, struct direction *d, uint8_t *frame, size_t len)
{
    struct view v;
    if (!view_tcp(frame, len, &v)) {
        put(d->to, frame, len);
        return;
    }
    d->frames++;
    if (is_lost(wire, d, &v))
        return;
    if (happens(wire, d->set.ce))
        mark_ce(&v);
    if (d->set.mss != 0)
        clamp_mss(&v, d->set.mss);
    const int copies = happens(wire, d->set.dup) ? 2 : 1;
    for (int i = 0; i < copies; i++)
        enqueue(d, frame, len, due(wire, d, len));
}

static void receive(struct wire *wire, struct direction *d)
{
    static uint8_t frame[FRAME_MAX];
    struct sockaddr_ll from;
    socklen_t from_len = sizeof from;
    const ssize_t len = recvfrom(d->from, frame, sizeof frame, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
    if (len > 0 && from.sll_pkttype != PACKET_OUTGOING)
        take(wire, d, frame, (size_t)len);
}

static void deliver(struct direction *d)
{
    const int64_t now = now_ns();
    uint32_t done = 0;
    for (; done < d->waiting_count && d->waiting[done].due_ns <= now; done++) {
        put(d->to, d->waiting[done].bytes, d->waiting[done].len);
        free(d->waiting[done].bytes);
    }
    if (done == 0)
        return;
    d->waiting_count -= done;
    memmove(d->waiting, d->waiting + done, d->waiting_count * sizeof *d->waiting);
}

static int open_device(const char *name)
{
    const int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name) };
    struct packet_mreq all = { .mr_ifindex = at.sll_ifindex, .mr_type = PACKET_MR_PROMISC };
    const int room = 4 << 20;
    if (fd < 0 || at.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0) {
        fprintf(stderr, "make-captures-wire: %s: %s\n", name, strerror(errno));
        exit(1);
    }
    return fd;
}

static int64_t next_due(const struct wire *wire)
{
    int64_t at = INT64_MAX;
    if (wire->ab.waiting_count != 0)
        at = wire->ab.waiting[0].due_ns;
    if (wire->ba.waiting_count != 0 && wire->ba.waiting[0].due_ns < at)
        at = wire->ba.waiting[0].due_ns;
    return at;
}

static volatile sig_atomic_t stopped; /* set by the signal handler only */
static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

static void carry(struct wire *wire)
{
    sigset_t none, ours;
    sigemptyset(&none);
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    while (!stopped) {
        const int64_t at = next_due(wire), wait = at == INT64_MAX ? 0 : at - now_ns() > 0 ? at - now_ns() : 0;
        const struct timespec timeout = { wait / 1000000000, wait % 1000000000 };
        struct pollfd fds[2] = { { .fd = wire->ab.from, .events = POLLIN }, { .fd = wire->ba.from, .events = POLLIN } };
        if (ppoll(fds, 2, at == INT64_MAX ? NULL : &timeout, &none) < 0)
            continue;
        if (fds[0].revents != 0)
            receive(wire, &wire->ab);
        if (fds[1].revents != 0)
            receive(wire, &wire->ba);
        deliver(&wire->ab);
        deliver(&wire->ba);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: make-captures-wire DEVICE-A DEVICE-B [seed=N] [[ab:|ba:]WHAT=VALUE]...\n");
        return 64;
    }
    struct wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL)
        return 1;
    wire->random = 3;
    wire->ab.set = wire->ba.set = (struct settings){ .held_us = 2000, .queue = 1000 };
    for (int i = 3; i < argc; i++) {
        if (!wire_set(wire, argv[i])) {
            fprintf(stderr, "make-captures-wire: %s: not a setting; see the top of make-captures-wire.c\n", argv[i]);
            free(wire);
            return 64;
        }
    }
    struct sigaction action = { .sa_handler = stop };
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    wire->ab.from = wire->ba.to = open_device(argv[1]);
    wire->ba.from = wire->ab.to = open_device(argv[2]);
    puts("ready");
    fflush(stdout);
    carry(wire);
    free(wire);
    return 0;
}

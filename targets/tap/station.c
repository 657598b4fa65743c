/* A target made of a wire and an upper tester (see station.h).
 *
 * Theory of operation.
 *
 *     runner → IP packet → neighbour layer → frame → wire → … the host under test
 *     runner ← IP packet ← neighbour layer ← frame ← wire ← …
 *
 * The tester is a station of its own on the link: a MAC address and a set of IP addresses that this machine's kernel knows nothing
 * of. The neighbour layer answers ARP and neighbour solicitations for them, and this file echo requests; whatever else is not for
 * one of these addresses is nobody's and is dropped, so that a shared wire is no trouble.
 *
 * Opening looks for the host of each IP version that has addresses: first its MAC address, or that of the router before it; then an
 * answer, to an echo request or, from hosts that answer none, to a SYN. What has answered is tested. From then on all packets go to
 * that MAC address: no address resolution comes between a segment and the reaction to it, and packets too damaged to have addresses
 * arrive as well. The time that the answers took becomes rtt_ns and latency_ns; a host that answers echo soon enough is
 * TARGET_FENCED.
 *
 * Trouble. What the wire loses is counted by the wire; a send that finds it full is tried for a moment, and then counted here. A
 * wire that is gone answers with its error until recover() has brought it back and found the host again. A flood does not keep
 * receive() busy for ever: after FRAMES_A_TURN frames it says once that there is nothing, and counts a trouble, for what comes
 * meanwhile is seen too late. */
#include "targets/tap/station.h"
#include "targets/tap/failure.h"
#include "targets/tap/clock.h"
#include "targets/tap/ether.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    ECHOES = 12,               /* round trips measured of each IP version … */
    FIRST_ANSWERS = 2,         /* … after these */
    ECHO_ID = 0xfffe,
    PROBE_PORT = 9099,         /* the tester's, of SYNs at opening: below those of the tests */
    CLOSED_PORT = 1,           /* likely: any answer will do */
    FRAMES_A_TURN = 20000,
    FULL_ATTEMPTS = 200,       /* sends tried again, FULL_PAUSE_NS apart, before a frame counts as lost */
    FULL_PAUSE_NS = 100000,
    MTU_DEFAULT = 1500,
};
#define NS_PER_MS INT64_C(1000000)
#define PATIENCE_NS (3000 * NS_PER_MS)
#define RECOVERY_PATIENCE_NS (3000 * NS_PER_MS) /* of address resolution: a second a question */
#define ECHO_PATIENCE_NS (1000 * NS_PER_MS)
#define SCHEDULING_NS (5 * NS_PER_MS)   /* a busy machine takes a few milliseconds to run the tester, or the host, again */
#define FENCED_RTT_NS (5 * NS_PER_MS)   /* nearer than this, waiting for an echo behind each packet costs little */
#define UNKNOWN_RTT_NS (20 * NS_PER_MS) /* of a host that answers nothing before the tests */

struct way { /* to the host, by one IP version */
    bool answered, echoes;
    int64_t rtt_ns;
};

struct station {
    struct target base;              /* first: the runner's view */
    struct pixit pixit;
    struct wire *wire;
    struct upper *upper;             /* NULL: none */
    struct ether *ether;             /* NULL: the wire carries IP packets */
    struct pkt_builder *builder;
    uint64_t (*deaths)(void *context, char *text, size_t capacity);
    bool (*restart)(void *context, struct target_error *error);
    void (*closing)(void *context);
    void *context;
    struct way ways[2];              /* as they were found at opening */
    int epoll_fd;
    bool stuck;                      /* the last frame found no room: the next one is not tried for long */
    int gone;                        /* negative errno value: the wire is gone; 0: it is there */
    bool configured;                 /* the upper tester put settings in force */
    unsigned turn_frames;            /* taken since receive() last said that there was nothing */
    uint64_t losses, vanishings, floods; /* ours; the wire and the upper tester count their own */
    uint64_t told_lost, told_upper;  /* what trouble() said last … */
    char told[TARGET_TEXT_MAX];      /* … in these words */
    uint8_t frame[WIRE_FRAME_MAX];
    uint8_t reply[WIRE_FRAME_MAX];
};

static struct station *self(struct target *t)
{
    return (struct station *)t;
}

static void say(char *out, size_t capacity, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(char *out, size_t capacity, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out, capacity, format, arguments);
    va_end(arguments);
}

/* ---- frames out ------------------------------------------------------------------------------------------------ */

static int lose(struct station *s, const char *why)
{
    s->losses++;
    say(s->told, sizeof s->told, "a frame could not be sent on %s: %s", s->wire->description, why);
    return 0;
}

static const char *why_gone(int status)
{
    switch (-status) {
    case ENETDOWN: return "the interface is down, or was taken away";
    case ECONNRESET: return "the other side has closed it";
    case EPROTO: return "the other side states a length that no frame has";
    default: return strerror(-status);
    }
}

static int vanish(struct station *s, int status)
{
    if (s->gone == 0) {
        s->gone = status;
        s->vanishings++;
        say(s->told, sizeof s->told, "%s is gone: %s", s->wire->description, why_gone(status));
    }
    return status;
}

/* 0 when it has gone out, or was lost and counted. */
static int put(struct station *s, const uint8_t *frame, size_t len)
{
    static const struct timespec pause = { .tv_nsec = FULL_PAUSE_NS };
    for (int attempt = 0; s->gone == 0; attempt++) {
        int status = s->wire->ops->send(s->wire, frame, len);
        if (status == -EMSGSIZE)
            return lose(s, "it is longer than the link's MTU permits");
        if (status < 0 && status != -EAGAIN && status != -ENOBUFS)
            return vanish(s, status);
        s->stuck &= status < 0;
        if (status >= 0)
            return 0;
        if (s->stuck || attempt == FULL_ATTEMPTS) {
            s->stuck = true;
            return lose(s, "the other side does not take any more");
        }
        nanosleep(&pause, NULL);
    }
    return s->gone;
}

/* What the neighbour layer has to say by itself. */
static void put_replies(struct station *s)
{
    ssize_t len;
    while (s->ether && (len = ether_next(s->ether, clock_monotonic_ns(), s->reply, sizeof s->reply)) > 0)
        put(s, s->reply, (size_t)len);
}

static int station_send(struct target *t, const uint8_t *bytes, size_t len)
{
    struct station *s = self(t);
    if (s->gone)
        return s->gone;
    if (s->upper && s->upper->ops->touched)
        s->upper->ops->touched(s->upper);
    if (!s->ether)
        return put(s, bytes, len);
    ssize_t frame_len = ether_wrap(s->ether, bytes, len, clock_monotonic_ns(), s->reply, sizeof s->reply);
    if (frame_len == -EMSGSIZE)
        return lose(s, "it is longer than any frame");
    return frame_len < 0 ? (int)frame_len : frame_len == 0 ? 0 : put(s, s->reply, (size_t)frame_len);
}

/* ---- frames in ------------------------------------------------------------------------------------------------- */

static bool is_tester(const struct station *s, const struct pkt_addr *addr)
{
    const struct ether_range range = { s->base.info.tester[addr->version == 6], s->base.info.tester_count };
    return addr->version && ether_range_holds(&range, addr);
}

/* An echo request for one of our addresses is answered as any host does (RFC 1122 §3.2.2.6, RFC 4443 §4.2). */
static bool answer_echo(struct station *s, const struct packet *packet)
{
    uint8_t bytes[1600];
    bool v6 = packet->ip.version == 6;
    if (packet->kind != PKT_KIND_ICMP || packet->icmp.type != (v6 ? 128 : 8) || !packet->icmp.checksum_ok)
        return false;
    const struct pkt_spec reply = {
        .protocol = v6 ? PKT_PROTO_ICMP6 : PKT_PROTO_ICMP, .src = packet->ip.dst, .dst = packet->ip.src, .icmp_type = v6 ? 129 : 0,
        .icmp_rest = packet->icmp.rest, .payload = packet->icmp.body, .payload_len = packet->icmp.body_len,
    };
    ssize_t len = pkt_build(s->builder, &reply, bytes, sizeof bytes);
    if (len > 0)
        station_send(&s->base, bytes, (size_t)len);
    return true;
}

/* On a shared wire others may have a TCP too. */
static bool is_strangers(const struct station *s, const struct packet *packet)
{
    return s->wire->shared && packet->kind == PKT_KIND_TCP &&
           !pkt_addr_equal(&packet->ip.src, &s->base.info.iut[packet->ip.version == 6]);
}

/* The IP packet in a frame; NULL when it is none for the tests. */
static const uint8_t *unwrap(struct station *s, size_t frame_len, size_t *len)
{
    const uint8_t *bytes = s->frame;
    struct packet packet;
    *len = frame_len;
    if (s->ether && !ether_unwrap(s->ether, s->frame, frame_len, &bytes, len)) {
        put_replies(s);
        return NULL;
    }
    pkt_parse(bytes, *len, &packet);
    if (!s->ether && !is_tester(s, &packet.ip.dst))
        return NULL;
    return answer_echo(s, &packet) || is_strangers(s, &packet) ? NULL : bytes;
}

static ssize_t nothing_now(struct station *s)
{
    s->turn_frames = 0;
    if (s->upper)
        s->upper->ops->work(s->upper);
    return 0;
}

static ssize_t station_receive(struct target *t, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct station *s = self(t);
    while (s->turn_frames < FRAMES_A_TURN) {
        size_t len;
        ssize_t frame_len = s->gone ? s->gone : s->wire->ops->receive(s->wire, s->frame, sizeof s->frame, at_ns);
        if (frame_len == 0)
            return nothing_now(s);
        if (frame_len < 0) {
            nothing_now(s);
            return vanish(s, (int)frame_len);
        }
        s->turn_frames++;
        const uint8_t *packet = unwrap(s, (size_t)frame_len, &len);
        if (!packet || len > capacity)
            continue;
        memcpy(out, packet, len);
        return (ssize_t)len;
    }
    s->floods++;
    say(s->told, sizeof s->told, "%s is flooded: %d frames without a pause", s->wire->description, FRAMES_A_TURN);
    return nothing_now(s);
}

/* ---- the upper tester ------------------------------------------------------------------------------------------ */

static int64_t station_socket(struct target *t, uint8_t ip_version)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->socket(u, ip_version) : -EOPNOTSUPP;
}

static int64_t station_bind(struct target *t, int handle, const struct pkt_endpoint *local)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->bind(u, handle, local) : -EOPNOTSUPP;
}

static int64_t station_listen(struct target *t, int handle, int backlog)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->listen(u, handle, backlog) : -EOPNOTSUPP;
}

static int64_t station_accept(struct target *t, int handle, struct pkt_endpoint *peer)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->accept(u, handle, peer) : -EOPNOTSUPP;
}

static int64_t station_connect(struct target *t, int handle, const struct pkt_endpoint *remote)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->connect(u, handle, remote) : -EOPNOTSUPP;
}

static int64_t station_send_data(struct target *t, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->send_data(u, handle, data, len, flags) : -EOPNOTSUPP;
}

static int64_t station_receive_data(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->receive_data(u, handle, out, len, flags) : -EOPNOTSUPP;
}

static int64_t station_shutdown(struct target *t, int handle, enum target_shutdown how)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->shutdown(u, handle, how) : -EOPNOTSUPP;
}

static int64_t station_close_handle(struct target *t, int handle)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->close_handle(u, handle) : -EOPNOTSUPP;
}

static int64_t station_set_option(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->set_option(u, handle, name, values, count) : -EOPNOTSUPP;
}

static int64_t station_get_option(struct target *t, int handle, const char *name, int64_t *value)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->get_option(u, handle, name, value) : -EOPNOTSUPP;
}

static int64_t station_ioctl(struct target *t, int handle, const char *name, int64_t *value)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->ioctl(u, handle, name, value) : -EOPNOTSUPP;
}

static unsigned station_poll(struct target *t, int handle)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->poll(u, handle) : 0;
}

static int64_t station_local_endpoint(struct target *t, int handle, struct pkt_endpoint *out)
{
    struct upper *u = self(t)->upper;
    return u ? u->ops->local_endpoint(u, handle, out) : -EOPNOTSUPP;
}

static int64_t station_status(struct target *t, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                              struct target_status *out)
{
    struct upper *u = self(t)->upper;
    return u && (t->info.capabilities & TARGET_STATUS) ? u->ops->status(u, local, remote, out) : -EOPNOTSUPP;
}

/* ---- looking for the host -------------------------------------------------------------------------------------- */

static bool has_version(const struct station *s, unsigned v)
{
    return s->pixit.iut[v].version && s->pixit.tester[v].version;
}

/* Sleeps until something comes, or the time is up. */
static void wait_until(struct station *s, int64_t until_ns)
{
    int64_t left_ns = until_ns - clock_monotonic_ns();
    struct timespec timeout = { .tv_sec = left_ns / (1000 * NS_PER_MS), .tv_nsec = left_ns % (1000 * NS_PER_MS) };
    struct pollfd wire = { .fd = s->wire->ops->fd(s->wire), .events = POLLIN };
    if (left_ns > 0)
        ppoll(&wire, 1, &timeout, NULL);
}

static const struct pkt_addr *next_hop(const struct station *s, unsigned v)
{
    return s->pixit.router[v].version ? &s->pixit.router[v] : &s->pixit.iut[v];
}

/* Of each version that has addresses, unless it is known. True when none is left. */
static bool ask_for_neighbours(struct station *s, int64_t now_ns)
{
    bool all = true;
    for (unsigned v = 0; v < 2; v++) {
        struct eth_addr mac;
        if (!has_version(s, v))
            continue;
        if (s->pixit.iut_mac_given) {
            ether_set_peer(s->ether, v ? 6 : 4, &s->pixit.iut_mac);
        } else if (ether_find(s->ether, next_hop(s, v), &mac)) {
            ether_set_peer(s->ether, v ? 6 : 4, &mac);
        } else {
            all = false;
            ether_ask(s->ether, &s->pixit.tester[v], next_hop(s, v), now_ns);
        }
    }
    return all;
}

/* True when at least one version's neighbour is known. */
static bool find_neighbours(struct station *s, int64_t until_ns)
{
    int64_t at_ns, now_ns;
    uint8_t ignored[1];
    ether_forget(s->ether);
    for (unsigned v = 0; v < 2; v++)
        ether_set_peer(s->ether, v ? 6 : 4, NULL);
    while (!ask_for_neighbours(s, now_ns = clock_monotonic_ns()) && now_ns < until_ns && s->gone == 0) {
        put_replies(s);
        int64_t again_ns = ether_deadline(s->ether);
        wait_until(s, again_ns < until_ns ? again_ns : until_ns);
        station_receive(&s->base, ignored, 0, &at_ns); /* the neighbour layer takes what is for it */
    }
    struct eth_addr mac;
    return s->pixit.iut_mac_given || (has_version(s, 0) && ether_find(s->ether, next_hop(s, 0), &mac))
        || (has_version(s, 1) && ether_find(s->ether, next_hop(s, 1), &mac));
}

static bool is_reachable(struct station *s, unsigned v)
{
    struct eth_addr mac;
    return has_version(s, v) && (!s->ether || s->pixit.iut_mac_given || ether_find(s->ether, next_hop(s, v), &mac));
}

/* A question that any host answers: an echo request, or a SYN. */
struct question {
    unsigned v;
    bool is_syn;
    uint16_t sequence, iut_port;
};

static uint16_t probe_port(const struct station *s, const struct question *q)
{
    return (uint16_t)((s->base.info.first_port ? s->base.info.first_port : PROBE_PORT) + q->sequence);
}

static bool answers(const struct station *s, const struct question *q, const struct packet *packet)
{
    if (!pkt_addr_equal(&packet->ip.src, &s->pixit.iut[q->v]))
        return false;
    if (q->is_syn)
        return packet->kind == PKT_KIND_TCP && packet->tcp.dst_port == probe_port(s, q) && packet->tcp.src_port == q->iut_port;
    return packet->kind == PKT_KIND_ICMP && packet->icmp.type == (q->v ? 129 : 0)
        && packet->icmp.rest == ((uint32_t)ECHO_ID << 16 | q->sequence);
}

static int put_question(struct station *s, const struct question *q)
{
    uint8_t bytes[128];
    struct pkt_spec spec = {
        .protocol = q->v ? PKT_PROTO_ICMP6 : PKT_PROTO_ICMP, .src = s->pixit.tester[q->v], .dst = s->pixit.iut[q->v],
        .icmp_type = q->v ? 128 : 8, .icmp_rest = (uint32_t)ECHO_ID << 16 | q->sequence,
    };
    if (q->is_syn) {
        spec.protocol = PKT_PROTO_TCP;
        spec.src_port = probe_port(s, q);
        spec.dst_port = q->iut_port;
        spec.flags = PKT_SYN;
        spec.seq = (uint32_t)clock_monotonic_ns();
        spec.window = UINT16_MAX;
    }
    ssize_t len = pkt_build(s->builder, &spec, bytes, sizeof bytes);
    return len < 0 ? -EINVAL : station_send(&s->base, bytes, (size_t)len);
}

/* A connection that our SYN has opened is not left half-open. */
static void hang_up(struct station *s, const struct packet *packet)
{
    uint8_t bytes[128];
    const struct pkt_spec reset = {
        .protocol = PKT_PROTO_TCP, .src = packet->ip.dst, .dst = packet->ip.src, .src_port = packet->tcp.dst_port,
        .dst_port = packet->tcp.src_port, .flags = PKT_RST, .seq = packet->tcp.ack,
    };
    ssize_t len = packet->kind == PKT_KIND_TCP && !(packet->tcp.flags & PKT_RST) ? pkt_build(s->builder, &reset, bytes, sizeof bytes) : 0;
    if (len > 0)
        station_send(&s->base, bytes, (size_t)len);
}

/* How long the answer took; negative when none came in time. */
static int64_t ask(struct station *s, const struct question *q, int64_t patience_ns)
{
    static const size_t capacity = PKT_BYTES_MAX;
    uint8_t *bytes = malloc(capacity);
    int64_t asked_ns = clock_monotonic_ns(), until_ns = asked_ns + patience_ns, took_ns = -ETIMEDOUT;
    if (!bytes || put_question(s, q) < 0)
        until_ns = 0;
    while (took_ns < 0 && s->gone == 0 && clock_monotonic_ns() < until_ns) {
        int64_t at_ns = 0;
        struct packet packet;
        ssize_t len = station_receive(&s->base, bytes, capacity, &at_ns);
        if (len == 0)
            wait_until(s, until_ns);
        if (len <= 0 || pkt_parse(bytes, (size_t)len, &packet) != PKT_OK || !answers(s, q, &packet))
            continue;
        took_ns = (at_ns > asked_ns ? at_ns : clock_monotonic_ns()) - asked_ns;
        hang_up(s, &packet);
    }
    free(bytes);
    return took_ns;
}

/* The longest of a few round trips; negative when the host does not answer. The first answers may have to wait for address
 * resolution, at the host and at routers on the way, and do not count. */
static int64_t measure(struct station *s, struct question *q, int64_t patience_ns)
{
    int64_t longest_ns = -ETIMEDOUT;
    int64_t until_ns = clock_monotonic_ns() + patience_ns;
    unsigned answers_seen = 0;
    for (unsigned n = 0; n < FIRST_ANSWERS + ECHOES && s->gone == 0; n++) {
        q->sequence++;
        int64_t left_ns = until_ns - clock_monotonic_ns();
        int64_t took_ns = ask(s, q, left_ns < ECHO_PATIENCE_NS ? left_ns : ECHO_PATIENCE_NS);
        if (took_ns < 0 && left_ns <= 0)
            return longest_ns;
        if (took_ns >= 0 && answers_seen++ < FIRST_ANSWERS)
            longest_ns = 0;
        else if (took_ns > longest_ns)
            longest_ns = took_ns;
    }
    return longest_ns;
}

static struct question question_of(const struct station *s, unsigned v, bool is_syn)
{
    return (struct question){ .v = v, .is_syn = is_syn, .iut_port = s->pixit.open_port ? s->pixit.open_port : CLOSED_PORT };
}

static struct way explore(struct station *s, unsigned v, int64_t patience_ns)
{
    struct way way = { .rtt_ns = -1 };
    struct question echo = question_of(s, v, false), syn = question_of(s, v, true);
    if (!is_reachable(s, v))
        return way;
    if (!s->pixit.no_echo)
        way.rtt_ns = measure(s, &echo, patience_ns);
    way.echoes = way.rtt_ns >= 0;
    if (!way.echoes)
        way.rtt_ns = measure(s, &syn, patience_ns);
    way.answered = way.rtt_ns >= 0;
    return way;
}

static bool describe_silence(struct station *s, bool neighbours, struct target_error *error)
{
    char v4[PKT_ADDR_TEXT_MAX] = "", v6[PKT_ADDR_TEXT_MAX] = "";
    for (unsigned v = 0; v < 2; v++)
        if (has_version(s, v))
            pkt_addr_format(neighbours ? &s->pixit.iut[v] : next_hop(s, v), v ? v6 : v4);
    const char *both = *v4 && *v6 ? " and " : "";
    if (s->gone)
        return target_fail(error, TARGET_ERR_UNAVAILABLE, "%s", s->told);
    if (neighbours)
        return target_fail(
            error, TARGET_ERR_UNAVAILABLE,
                    "%s%s%s on %s: is on the link, but answers neither echo requests nor SYNs: does it have a route back to the tester's "
                    "addresses, and does a filter drop them? port=N names a port that answers", v4, both, v6, s->wire->description);
    return target_fail(error, TARGET_ERR_UNAVAILABLE,
                "nobody answers for %s%s%s on %s: is the host up, is it on this link, are iut= and tester= of its network? router= names "
        "the way to a host behind a router, iut-mac= a host that answers neither ARP nor neighbour discovery",
        v4, both, v6, s->wire->description);
}

static void note_ways(struct station *s)
{
    const struct way *ways = s->ways;
    struct target_info *info = &s->base.info;
    bool echoes = true;
    int64_t rtt_ns = -1;
    for (unsigned v = 0; v < 2; v++) {
        if (!ways[v].answered)
            continue;
        info->capabilities |= v ? TARGET_IPV6 : TARGET_IPV4;
        echoes &= ways[v].echoes;
        rtt_ns = ways[v].rtt_ns > rtt_ns ? ways[v].rtt_ns : rtt_ns;
    }
    info->rtt_ns = rtt_ns >= 0 ? rtt_ns : UNKNOWN_RTT_NS;
    info->latency_ns = s->pixit.latency_ns ? s->pixit.latency_ns : 2 * info->rtt_ns + SCHEDULING_NS;
    if (echoes)
        info->capabilities |= TARGET_ECHO;
    if (echoes && info->rtt_ns <= FENCED_RTT_NS)
        info->capabilities |= TARGET_FENCED;
}

static bool find_host(struct station *s, int64_t patience_ns, struct target_error *error)
{
    int64_t until_ns = clock_monotonic_ns() + patience_ns;
    if (s->ether && !find_neighbours(s, until_ns))
        return describe_silence(s, false, error);
    for (unsigned v = 0; v < 2; v++)
        s->ways[v] = explore(s, v, patience_ns);
    if (!s->ways[0].answered && !s->ways[1].answered)
        return describe_silence(s, true, error);
    note_ways(s);
    return true;
}

/* As it did when it was found, but for how long it takes. */
static bool host_still_answers(struct station *s, int64_t patience_ns, struct target_error *error)
{
    int64_t until_ns = clock_monotonic_ns() + patience_ns;
    if (s->ether && !find_neighbours(s, until_ns))
        return describe_silence(s, false, error);
    for (unsigned v = 0; v < 2; v++) {
        struct question q = question_of(s, v, !s->ways[v].echoes);
        int64_t share_ns = (until_ns - clock_monotonic_ns()) / (2 - v);
        if (s->ways[v].answered && ask(s, &q, share_ns) < 0)
            return describe_silence(s, true, error);
    }
    return true;
}

/* ---- trouble --------------------------------------------------------------------------------------------------- */

static uint64_t station_trouble(struct target *t, char *text, size_t capacity)
{
    struct station *s = self(t);
    char why[TARGET_TEXT_MAX] = "";
    uint64_t lost = s->wire->ops->lost(s->wire), upper = s->upper ? s->upper->ops->trouble(s->upper, why, sizeof why) : 0;
    if (lost != s->told_lost)
        say(s->told, sizeof s->told, "%llu frames were lost on %.100s%s%.100s", (unsigned long long)(lost - s->told_lost), s->wire->description,
            *s->wire->ailment ? ": " : "", s->wire->ailment);
    if (upper != s->told_upper)
        say(s->told, sizeof s->told, "the upper tester: %.200s", why);
    s->told_lost = lost;
    s->told_upper = upper;
    if (capacity)
        say(text, capacity, "%s", s->told);
    return lost + upper + s->losses + s->vanishings + s->floods;
}

static uint64_t station_deaths(struct target *t, char *text, size_t capacity)
{
    struct station *s = self(t);
    return s->deaths ? s->deaths(s->context, text, capacity) : 0;
}

static bool watch(struct station *s, struct target_error *error)
{
    const int fds[] = { s->wire->ops->fd(s->wire), s->upper ? s->upper->ops->fd(s->upper) : -1 };
    for (unsigned i = 0; i < 2; i++) {
        struct epoll_event event = { .events = EPOLLIN };
        if (fds[i] >= 0 && epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fds[i], &event) < 0 && errno != EEXIST)
            return target_fail(error, TARGET_ERR_UNAVAILABLE, "waiting for %s: %s", s->wire->description, strerror(errno));
    }
    return true;
}

static bool station_recover(struct target *t, struct target_error *error)
{
    struct station *s = self(t);
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    if (s->restart && !s->restart(s->context, error))
        return false;
    if (s->gone && s->wire->ops->recover && !s->wire->ops->recover(s->wire, error))
        return false;
    s->gone = 0;
    s->turn_frames = 0;
    if (!host_still_answers(s, RECOVERY_PATIENCE_NS, error))
        return false;
    if (s->upper && !s->upper->ops->recover(s->upper, error))
        return false;
    return watch(s, error);
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static int64_t station_deadline(struct target *t)
{
    (void)t;
    return INT64_MAX;
}

static void station_advance(struct target *t, int64_t now_ns)
{
    (void)t;
    (void)now_ns;
}

static int station_fd(struct target *t)
{
    return self(t)->epoll_fd;
}

static void station_close(struct target *t)
{
    struct station *s = self(t);
    struct target_error ignored;
    if (s->upper && s->configured)
        s->upper->ops->configure(s->upper, NULL, 0, &ignored);
    if (s->upper)
        s->upper->ops->close(s->upper);
    s->wire->ops->close(s->wire);
    ether_free(s->ether);
    pkt_builder_free(s->builder);
    if (s->epoll_fd >= 0)
        close(s->epoll_fd);
    if (s->closing)
        s->closing(s->context);
    free(s);
}

static const struct target_ops STATION_OPS = {
    .close = station_close, .send = station_send, .receive = station_receive, .deadline = station_deadline, .advance = station_advance,
    .fd = station_fd, .socket = station_socket, .bind = station_bind, .listen = station_listen, .accept = station_accept,
    .connect = station_connect, .send_data = station_send_data, .receive_data = station_receive_data, .shutdown = station_shutdown,
    .close_handle = station_close_handle, .set_option = station_set_option, .get_option = station_get_option, .ioctl = station_ioctl,
    .poll = station_poll, .local_endpoint = station_local_endpoint, .status = station_status, .trouble = station_trouble,
    .deaths = station_deaths, .recover = station_recover,
};

/* Of one station, and always the same: locally administered, made of the first tester address. */
static struct eth_addr own_mac(const struct pixit *pixit)
{
    const struct pkt_addr *addr = pixit->tester[0].version ? &pixit->tester[0] : &pixit->tester[1];
    const uint8_t *last = addr->bytes + (addr->version == 6 ? 12 : 0);
    return pixit->mac_given ? pixit->mac : (struct eth_addr){ { 0x02, 0x74, last[0], last[1], last[2], last[3] } };
}

static struct pkt_addr broadcast_of(const struct pixit *pixit)
{
    struct pkt_addr addr = pixit->iut[0];
    for (unsigned bit = pixit->prefix[0]; addr.version && bit < 32; bit++)
        addr.bytes[bit / 8] = (uint8_t)(addr.bytes[bit / 8] | 0x80 >> bit % 8);
    return addr;
}

static bool make_ether(struct station *s, struct target_error *error)
{
    struct ether_config config = { .mac = own_mac(&s->pixit), .broadcast = broadcast_of(&s->pixit) };
    if (s->wire->raw_ip)
        return true;
    for (unsigned v = 0; v < 2; v++)
        if (has_version(s, v))
            config.ranges[config.range_count++] = (struct ether_range){ s->pixit.tester[v], s->pixit.tester_count };
    s->ether = ether_new(&config);
    return s->ether || target_fail(error, TARGET_ERR_UNAVAILABLE, "out of memory");
}

static void add_fact(struct target_info *info, const char *name, const char *value)
{
    if (info->pixit_count == TARGET_PIXIT_MAX)
        return;
    say(info->pixit[info->pixit_count].name, sizeof info->pixit->name, "%s", name);
    say(info->pixit[info->pixit_count++].value, sizeof info->pixit->value, "%.63s", value);
}

static void describe(struct station *s, const struct station_config *config)
{
    struct target_info *info = &s->base.info;
    const struct pixit *p = &s->pixit;
    const struct upper *u = s->upper;
    *info = (struct target_info){
        .capabilities = config->capabilities, .tester_count = p->tester_count, .granularity_ns = p->granularity_ns,
        .granularity_permille = p->granularity_permille, .open_port = p->open_port, .msl_ns = p->msl_ns,
        .first_port = config->first_port, .port_count = config->port_count,
        .mtu = p->mtu ? p->mtu : s->wire->mtu ? s->wire->mtu : MTU_DEFAULT, .call_ns = u ? u->call_ns : 0,
    };
    for (unsigned v = 0; v < 2; v++) {
        info->iut[v] = p->iut[v];
        info->tester[v] = p->tester[v];
    }
    if (u)
        info->capabilities |= TARGET_UPPER_TESTER | u->capabilities;
    if (p->disruption)
        info->capabilities |= TARGET_DISRUPTION;
    if (s->wire->shared)
        info->capabilities |= TARGET_SHARED;
    say(info->name, sizeof info->name, "%s", config->name);
    say(info->ledger, sizeof info->ledger, "%s", p->ledger);
    bool both = *p->lacks && u && u->lacks;
    say(info->lacks, sizeof info->lacks, "%s%s%s", p->lacks, both ? "+" : "", u && u->lacks ? u->lacks : "");
    if (p->description[0])
        say(info->description, sizeof info->description, "%s", p->description);
    else
        say(info->description, sizeof info->description, "%.120s on %.120s", u && *u->description ? u->description : "a host", s->wire->description);
    add_fact(info, "wire", s->wire->description);
    for (unsigned i = 0; u && i < u->pixit_count; i++)
        add_fact(info, u->pixit[i].name, u->pixit[i].value);
}

static void note_measurements(struct station *s)
{
    char text[64];
    snprintf(text, sizeof text, "%.3f ms", (double)s->base.info.rtt_ns / 1e6);
    add_fact(&s->base.info, "round trip, longest", text);
    if (s->base.info.call_ns) {
        snprintf(text, sizeof text, "%.3f ms", (double)s->base.info.call_ns / 1e6);
        add_fact(&s->base.info, "a call of the upper tester", text);
    }
}

static bool configure(struct station *s, const struct target_config *config, struct target_error *error)
{
    if (config->setting_count == 0)
        return true;
    if (!s->upper || !s->upper->configures)
        return target_fail(error, TARGET_ERR_UNSUPPORTED, "nobody can set %s at this target: it needs an agent that can",
                    config->settings[0].name);
    s->configured = true;
    if (!s->upper->ops->configure(s->upper, config->settings, config->setting_count, error))
        return false;
    for (unsigned i = 0; i < config->setting_count; i++)
        if (strcmp(config->settings[i].name, "mtu") == 0)
            s->base.info.mtu = (uint16_t)strtoul(config->settings[i].value, NULL, 10);
    return true;
}

static bool open_all(struct station *s, const struct station_config *config, const struct target_config *target_config,
                     struct target_error *error)
{
    if (!pixit_default_addresses(&s->pixit, error))
        return false;
    describe(s, config);
    s->builder = pkt_builder_new();
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!s->builder || s->epoll_fd < 0)
        return target_fail(error, TARGET_ERR_UNAVAILABLE, "out of memory or file descriptors");
    if (!configure(s, target_config, error) || !make_ether(s, error) || !watch(s, error))
        return false;
    if (!find_host(s, config->patience_ns ? config->patience_ns : PATIENCE_NS, error))
        return false;
    note_measurements(s);
    return true;
}

struct target *station_open(const struct station_config *config, const struct target_config *target_config,
                            struct target_error *error)
{
    struct station *s = malloc(sizeof *s);
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    if (!s) {
        target_fail(error, TARGET_ERR_UNAVAILABLE, "out of memory");
        if (config->upper)
            config->upper->ops->close(config->upper);
        config->wire->ops->close(config->wire);
        if (config->closing)
            config->closing(config->context);
        return NULL;
    }
    *s = (struct station){
        .base.ops = &STATION_OPS, .pixit = *config->pixit, .wire = config->wire, .upper = config->upper, .deaths = config->deaths,
        .restart = config->restart, .closing = config->closing, .context = config->context, .epoll_fd = -1,
    };
    if (open_all(s, config, target_config, error))
        return &s->base;
    station_close(&s->base);
    return NULL;
}

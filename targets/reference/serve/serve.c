/* Joins stack, services, an upper tester and a link in one loop.
 *
 * Theory of operation.
 *
 *     device → neighbour layer → impairment → stack ⇄ connections → services
 *     device ← neighbour layer ← impairment ← stack
 *
 * The loop sleeps in ppoll() until a frame has come, the command has ended, or the earliest deadline of stack, neighbour layer and
 * impairments is due. Each turn first tells the stack the time, then hands it at most FRAMES_A_TURN packets, lets the connections
 * move a bounded number of octets, and writes out what the stack has made of it. Without a device of its own name it makes a
 * network namespace in which the kernel is the other host of the link (192.0.2.1 and 2001:db8::1), and runs the command there.
 *
 * The link is a TAP device, or a UNIX socket, where whoever comes next is waited for when the other side has gone. With an upper
 * tester the stack is the one that the target "reference" is, timers and all, so that tests find the same; each change of its
 * settings boots a new one. Without, its retransmissions are as quick as those of other servers.
 *
 * What is recorded is what was on the wire: incoming packets before they may get lost, outgoing ones after. */
#include "targets/reference/serve/serve.h"
#include "targets/reference/serve/connections.h"
#include "targets/reference/serve/control.h"
#include "targets/reference/serve/recorder.h"
#include "targets/reference/serve/status_socket.h"
#include "targets/reference/serve/upper.h"
#include "targets/reference/target_reference.h"
#include "targets/agent/key.h"
#include "targets/tap/ether.h"
#include "targets/tap/namespace.h"
#include "targets/tap/netlink.h"
#include "targets/tap/pixit.h"
#include "targets/tap/tap.h"
#include "targets/tap/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES_A_TURN = 64, MTU = 1500, QUEUE_FRAMES = 1000, PATIENCE_MS = 2000, COULD_NOT_START = 127 };
#define NS_PER_S INT64_C(1000000000)
#define RECONNECT_NS INT64_C(50000000)
#define MIN_RTO_NS INT64_C(200000000) /* RFC 6298 §2.4 would rather have 1 s; this is what other servers do on a fast link */

static const struct serve_address STACK_SIDE[] = {
    { { 4, { 192, 0, 2, 2 } }, 24 }, { { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } }, 64 },
};
static const struct serve_address KERNEL_SIDE[] = {
    { { 4, { 192, 0, 2, 1 } }, 24 }, { { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } }, 64 },
};
enum { DEFAULT_ADDRESSES = 2 };

struct server {
    const struct serve_config *config;
    struct netns ns;
    bool own_namespace;
    struct tap tap;
    struct wire *wire;        /* instead of tap, when it is a socket */
    struct ether *ether;
    struct impair *in, *out;
    struct ref_config stack_config; /* without the settings of an upper tester */
    struct target *target;    /* the stack … */
    struct ref_stack *stack;  /* … itself */
    struct serve_sockets sockets;
    struct control *control;  /* NULL: no upper tester */
    struct http_config http;
    struct connections *connections;
    struct recorder *recorder;
    struct status_socket *status; /* NULL: nobody can ask */
    pid_t child;              /* 0: none, or it has ended */
    int child_fd;             /* readable when it has ended; -1: none */
    int child_status;
    int link_status;          /* negative errno value: the device is gone */
    int64_t next_status_ns;   /* INT64_MAX: never */
    uint8_t frame[TAP_FRAME_MAX], packet[PKT_BYTES_MAX];
};

static int64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static bool fail(struct target_error *error, enum target_error_kind kind, const char *what, const char *which, const char *why)
{
    error->kind = kind;
    snprintf(error->text, sizeof error->text, "%s%s%s%.200s: %.200s", what, which ? " \"" : "", which ? which : "", which ? "\"" : "", why);
    return false;
}

/* ---- the loop -------------------------------------------------------------------------------------------------- */

static void write_frame(struct server *s, ssize_t len)
{
    if (len > 0 && s->wire)
        s->wire->ops->send(s->wire, s->frame, (size_t)len);
    else if (len > 0)
        tap_write(&s->tap, s->frame, (size_t)len); /* what the device does not take is lost, as on any link */
}

static ssize_t read_frame(struct server *s)
{
    int64_t ignored;
    if (!s->wire)
        return tap_read(&s->tap, s->frame, sizeof s->frame);
    return s->wire->ops->receive(s->wire, s->frame, sizeof s->frame, &ignored);
}

/* Frames from the link, up to what one turn may take. True when there may be more. */
static bool take_frames(struct server *s, int64_t now_ns)
{
    for (int i = 0; i < FRAMES_A_TURN; i++) {
        const uint8_t *packet;
        size_t packet_len;
        ssize_t len = read_frame(s);
        if (len < 0)
            s->link_status = (int)len;
        if (len <= 0)
            return false;
        if (!ether_unwrap(s->ether, s->frame, (size_t)len, &packet, &packet_len))
            continue;
        recorder_put(s->recorder, packet, packet_len);
        impair_put(s->in, packet, packet_len, now_ns);
    }
    return true;
}

static void feed_stack(struct server *s, int64_t now_ns)
{
    size_t len;
    while ((len = impair_get(s->in, s->packet, sizeof s->packet, now_ns)) > 0)
        ref_input(s->stack, s->packet, len, now_ns);
}

static void drain_stack(struct server *s, int64_t now_ns)
{
    ssize_t len;
    size_t passed;
    while ((len = ref_output(s->stack, s->packet, sizeof s->packet, now_ns, NULL)) > 0)
        impair_put(s->out, s->packet, (size_t)len, now_ns);
    while ((passed = impair_get(s->out, s->packet, sizeof s->packet, now_ns)) > 0) {
        recorder_put(s->recorder, s->packet, passed);
        write_frame(s, ether_wrap(s->ether, s->packet, passed, now_ns, s->frame, sizeof s->frame));
    }
    while ((len = ether_next(s->ether, now_ns, s->frame, sizeof s->frame)) > 0)
        write_frame(s, len);
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void wait_for_something(struct server *s, bool more, const sigset_t *unblocked)
{
    struct pollfd fds[2 + CONTROL_FDS_MAX + STATUS_FDS_MAX] = { { .fd = s->wire ? s->wire->ops->fd(s->wire) : s->tap.fd, .events = POLLIN },
                                               { .fd = s->child_fd, .events = POLLIN } };
    nfds_t count = 2 + (s->control ? control_poll_fds(s->control, fds + 2) : 0);
    count += s->status ? status_socket_fds(s->status, fds + count) : 0;
    int64_t deadline_ns = earliest(ref_next_deadline(s->stack), ether_deadline(s->ether));
    deadline_ns = earliest(deadline_ns, earliest(impair_deadline(s->in), impair_deadline(s->out)));
    deadline_ns = earliest(deadline_ns, s->next_status_ns);
    if (s->control)
        deadline_ns = earliest(deadline_ns, control_deadline(s->control));
    if (s->status)
        deadline_ns = earliest(deadline_ns, status_socket_deadline(s->status));
    if (s->wire) /* whoever is to be connected to may have come */
        deadline_ns = earliest(deadline_ns, monotonic_ns() + RECONNECT_NS);
    int64_t wait_ns = more ? 0 : deadline_ns - monotonic_ns();
    wait_ns = wait_ns < 0 ? 0 : wait_ns;
    const struct timespec timeout = { .tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S };
    ppoll(fds, count, more || deadline_ns != INT64_MAX ? &timeout : NULL, unblocked);
    if (s->child && (fds[1].revents & POLLIN))
        s->child = waitpid(s->child, &s->child_status, WNOHANG) == s->child ? 0 : s->child;
}

static void show_status(struct server *s)
{
    const struct ref_counters *n = ref_counters(s->stack);
    const struct impair_counters in = impair_counters(s->in), out = impair_counters(s->out);
    connections_list(s->connections, stderr);
    fprintf(stderr, "packets in %llu, out %llu, retransmitted %llu (%llu fast), bad checksum %llu; link lost %llu in, %llu out\n",
            (unsigned long long)n->packets_in, (unsigned long long)n->packets_out, (unsigned long long)n->retransmissions,
            (unsigned long long)n->fast_retransmits, (unsigned long long)n->bad_checksum, (unsigned long long)in.lost,
            (unsigned long long)out.lost);
}

static void show_status_when_due(struct server *s, int64_t now_ns)
{
    if (now_ns < s->next_status_ns)
        return;
    show_status(s);
    s->next_status_ns = now_ns + s->config->status_interval_s * NS_PER_S;
}

/* Signals are let in while waiting only, so that none comes between looking at *interrupted and waiting. */
static enum serve_end loop(struct server *s, struct target_error *error)
{
    sigset_t blocked, unblocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &unblocked);
    bool more = false;
    while (!*s->config->interrupted && !(s->config->command && !s->child) && s->link_status == 0) {
        wait_for_something(s, more, &unblocked);
        int64_t now_ns = monotonic_ns();
        ref_advance(s->stack, now_ns);
        more = take_frames(s, now_ns);
        feed_stack(s, now_ns);
        more |= connections_run(s->connections);
        if (s->control)
            control_run(s->control, now_ns);
        drain_stack(s, now_ns);
        show_status_when_due(s, now_ns);
        if (s->status)
            status_socket_work(s->status, s->stack, now_ns);
    }
    sigprocmask(SIG_SETMASK, &unblocked, NULL);
    if (s->link_status < 0) {
        fail(error, TARGET_ERR_UNAVAILABLE, "the device", s->tap.name, "somebody has taken it away");
        return SERVE_FAILED;
    }
    return *s->config->interrupted ? SERVE_INTERRUPTED : SERVE_DONE;
}

/* ---- the command ----------------------------------------------------------------------------------------------- */

static void run_command(char *const *command, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(COULD_NOT_START);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    execvp(command[0], command);
    fprintf(stderr, "tcpassay serve: %s: %s\n", command[0], strerror(errno));
    _exit(COULD_NOT_START);
}

static bool start_command(struct server *s, struct target_error *error)
{
    if (!s->config->command)
        return true;
    pid_t parent = getpid();
    if (s->own_namespace && netns_enter(&s->ns) < 0)
        return fail(error, TARGET_ERR_UNAVAILABLE, "entering the namespace", NULL, strerror(errno));
    s->child = fork();
    if (s->child == 0)
        run_command(s->config->command, parent);
    int code = errno;
    if (s->own_namespace && netns_leave(&s->ns) < 0)
        return fail(error, TARGET_ERR_UNAVAILABLE, "leaving the namespace", NULL, strerror(errno));
    if (s->child < 0) {
        s->child = 0;
        return fail(error, TARGET_ERR_UNAVAILABLE, "starting", s->config->command[0], strerror(code));
    }
    s->child_fd = (int)syscall(SYS_pidfd_open, s->child, 0);
    return s->child_fd >= 0 || fail(error, TARGET_ERR_UNAVAILABLE, "watching", s->config->command[0], strerror(errno));
}

/* Asks it to end, and makes it. */
static void end_command(struct server *s)
{
    if (!s->child)
        return;
    struct pollfd ended = { .fd = s->child_fd, .events = POLLIN };
    kill(s->child, SIGTERM);
    if (s->child_fd < 0 || poll(&ended, 1, PATIENCE_MS) != 1)
        kill(s->child, SIGKILL);
    waitpid(s->child, &s->child_status, 0);
    s->child = 0;
}

static int exit_status_of(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static int configure_kernel_side(const struct tap *tap)
{
    int rtnl = rtnl_open();
    if (rtnl < 0)
        return rtnl;
    const struct rtnl_link change = { .ifindex = tap->ifindex, .up = true, .mtu = MTU, .queue_frames = QUEUE_FRAMES };
    int status = rtnl_set_link(rtnl, &change);
    for (int i = 0; i < DEFAULT_ADDRESSES && status == 0; i++) {
        status = rtnl_add_address(rtnl, tap->ifindex, &KERNEL_SIDE[i].addr, KERNEL_SIDE[i].prefix_len);
        if (KERNEL_SIDE[i].addr.version == 6 && (status == -EOPNOTSUPP || status == -EACCES))
            status = 0; /* a kernel without IPv6 */
    }
    close(rtnl);
    return status ? status : netns_loopback_up();
}

static bool open_own_device(struct server *s, struct target_error *error)
{
    if (!netns_open(&s->ns, error))
        return false;
    s->own_namespace = true;
    int status = netns_enter(&s->ns);
    if (status < 0)
        return fail(error, TARGET_ERR_UNAVAILABLE, "entering the namespace", NULL, strerror(-status));
    int opened = tap_open("tap0", &s->tap);
    int configured = opened < 0 ? 0 : configure_kernel_side(&s->tap);
    status = netns_leave(&s->ns);
    if (status < 0)
        return fail(error, TARGET_ERR_UNAVAILABLE, "leaving the namespace", NULL, strerror(-status));
    if (opened < 0)
        tap_explain(opened, error);
    else if (configured < 0)
        fail(error, TARGET_ERR_UNAVAILABLE, "setting up the link", NULL, strerror(-configured));
    return opened == 0 && configured == 0;
}

static bool open_unix_socket(struct server *s, struct target_error *error)
{
    struct pixit pixit;
    if (!pixit_parse(s->config->socket, &pixit, error))
        return false;
    s->wire = wire_open_unix(pixit.word, pixit.stream, pixit.listening, -1, error);
    return s->wire != NULL;
}

static bool open_device(struct server *s, struct target_error *error)
{
    if (s->config->socket)
        return open_unix_socket(s, error);
    if (!s->config->tap)
        return open_own_device(s, error);
    if (!if_nametoindex(s->config->tap))
        return fail(error, TARGET_ERR_UNAVAILABLE, "no interface", s->config->tap,
                    "make it (ip tuntap add dev NAME mode tap; ip link set NAME up), or leave --tap out");
    int status = tap_open(s->config->tap, &s->tap);
    if (status < 0)
        tap_explain(status, error);
    return status == 0;
}

static uint64_t seed_of(const struct serve_config *config, unsigned purpose)
{
    uint64_t seed = config->seed + purpose * UINT64_C(0x9e3779b97f4a7c15);
    if (!config->has_seed && getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed ^= (uint64_t)monotonic_ns();
    return seed;
}

/* ---- the stack ------------------------------------------------------------------------------------------------- */

static struct target *target_of(void *context)
{
    return ((struct server *)context)->target;
}

/* A new stack with these settings takes the place of the one there is. */
static bool boot(void *context, const struct target_setting *settings, unsigned count, struct target_error *error)
{
    struct server *s = context;
    const struct target_config config = { .settings = settings, .setting_count = count };
    struct target *target = reference_target_new(&s->stack_config, &config, monotonic_ns(), error);
    struct connections *connections = target ? connections_new(reference_target_stack(target), &s->http) : NULL;
    if (!connections) {
        if (target)
            target->ops->close(target);
        return target && fail(error, TARGET_ERR_UNAVAILABLE, "the stack", NULL, "out of memory");
    }
    connections_free(s->connections);
    if (s->target)
        s->target->ops->close(s->target);
    s->connections = connections;
    s->target = target;
    s->stack = reference_target_stack(target);
    return true;
}

static bool open_control(struct server *s, struct target_error *error)
{
    const struct serve_config *config = s->config;
    const struct upper_host host = { .target = target_of, .boot = boot, .context = s };
    uint8_t key[AGENT_KEY_BYTES];
    if (!config->has_control)
        return true;
    if (config->key_file && !agent_key_read(config->key_file, key, error))
        return false;
    serve_sockets_init(&s->sockets, &host);
    s->control = control_open(&config->control, config->key_file ? key : NULL, &s->sockets.base, error);
    return s->control != NULL;
}

static bool open_stack(struct server *s, struct target_error *error)
{
    const struct serve_config *config = s->config;
    unsigned count = config->address_count ? config->address_count : DEFAULT_ADDRESSES;
    const struct serve_address *addresses = config->address_count ? config->addresses : STACK_SIDE;
    struct ref_config stack = ref_config_default();
    struct ether_config ether = { .mac = { { 2, 0, 0, 0, 0, 2 } } };
    for (unsigned i = 0; i < count; i++) {
        stack.addresses[stack.address_count++] = addresses[i].addr;
        ether.ranges[ether.range_count++] = (struct ether_range){ addresses[i].addr, 1 };
        if (addresses[i].addr.version == 4)
            stack.ipv4_prefix_len = addresses[i].prefix_len;
    }
    stack.mtu = MTU;
    if (!config->has_control) {
        stack.min_rto_ns = MIN_RTO_NS;
        stack.fastopen = REF_FASTOPEN_SERVER;
    }
    stack.seed = seed_of(config, 0);
    if (!config->has_seed && getrandom(stack.secret, sizeof stack.secret, 0) != (ssize_t)sizeof stack.secret)
        return fail(error, TARGET_ERR_UNAVAILABLE, "the system's generator of random numbers", NULL, strerror(errno));
    struct impair_config in = config->link, out = config->link;
    in.seed = seed_of(config, 1);
    out.seed = seed_of(config, 2);
    s->stack_config = stack;
    if (!boot(s, NULL, 0, error))
        return fail(error, TARGET_ERR_USAGE, "--address", NULL,
                    "the stack refuses such addresses: one of a host is needed, not of a group");
    s->ether = ether_new(&ether);
    s->in = impair_new(&in);
    s->out = impair_new(&out);
    return (s->ether && s->in && s->out) || fail(error, TARGET_ERR_UNAVAILABLE, "the stack", NULL, "out of memory");
}

/* A place that was asked for has to be had; the one found by itself is a convenience. */
static bool open_status(struct server *s, struct target_error *error)
{
    char why[256] = "";
    s->status = status_socket_open(s->config->status_socket, s->config->tap ? s->config->tap : s->wire ? "unix" : s->tap.name, why, sizeof why);
    return s->status || !s->config->status_socket || fail(error, TARGET_ERR_UNAVAILABLE, "--socket", s->config->status_socket, why);
}

static bool open_files(struct server *s, struct target_error *error)
{
    const struct serve_config *config = s->config;
    char why[256];
    s->http.has_size = config->has_http_size;
    s->http.size = config->http_size;
    if (config->http_root) {
        s->http.root_fd = open(config->http_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (s->http.root_fd < 0)
            return fail(error, TARGET_ERR_USAGE, "--http-root", config->http_root, strerror(errno));
    }
    if (config->pcap && !(s->recorder = recorder_new(config->pcap, why, sizeof why)))
        return fail(error, TARGET_ERR_UNAVAILABLE, "--pcap", config->pcap, why);
    return true;
}

static bool close_all(struct server *s, struct target_error *error)
{
    end_command(s);
    control_close(s->control);
    status_socket_close(s->status);
    connections_free(s->connections);
    if (s->target)
        s->target->ops->close(s->target);
    if (s->wire)
        s->wire->ops->close(s->wire);
    impair_free(s->in);
    impair_free(s->out);
    ether_free(s->ether);
    tap_close(&s->tap);
    if (s->child_fd >= 0)
        close(s->child_fd);
    if (s->http.root_fd >= 0)
        close(s->http.root_fd);
    netns_close(&s->ns);
    return recorder_free(s->recorder)
        || fail(error, TARGET_ERR_UNAVAILABLE, "--pcap", s->config->pcap, "not everything could be written: is the disk full?");
}

static void say_where(const struct server *s)
{
    char v4[PKT_ADDR_TEXT_MAX], v6[PKT_ADDR_TEXT_MAX];
    if (s->config->command)
        return;
    if (s->config->tap || s->wire)
        fprintf(stderr, "serving on %s; stop with Ctrl-C\n", s->wire ? s->wire->description : s->config->tap);
    else
        fprintf(stderr,
                "serving on %s and %s, in a namespace of its own; stop with Ctrl-C. To get in there:\n"
                "    nsenter --net=/proc/%ld/fd/%d curl http://192.0.2.2/\n",
                pkt_addr_format(&STACK_SIDE[0].addr, v4), pkt_addr_format(&STACK_SIDE[1].addr, v6), (long)getpid(), s->ns.inside);
}

enum serve_end serve(const struct serve_config *config, int *command_status, struct target_error *error)
{
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    struct server *s = malloc(sizeof *s);
    if (!s) {
        fail(error, TARGET_ERR_UNAVAILABLE, "the server", NULL, "out of memory");
        return SERVE_FAILED;
    }
    *s = (struct server){
        .config = config, .ns = { .inside = -1, .home = -1 }, .tap.fd = -1, .http.root_fd = -1, .child_fd = -1,
        .next_status_ns = config->status && config->status_interval_s ? monotonic_ns() : INT64_MAX,
    };
    enum serve_end end = SERVE_FAILED;
    if (open_files(s, error) && open_device(s, error) && open_stack(s, error) && open_control(s, error) && open_status(s, error)
        && start_command(s, error)) {
        say_where(s);
        end = loop(s, error);
        if (config->status)
            show_status(s);
    }
    *command_status = exit_status_of(s->child_status);
    if (!close_all(s, error))
        end = SERVE_FAILED;
    free(s);
    return end;
}

/* Wires on what the kernel has: TAP devices and veth pairs in a namespace, UNIX sockets; and stations at their ends. */
#include "targets/tap/clock.h"
#include "targets/tap/framing.h"
#include "targets/tap/namespace.h"
#include "targets/tap/netlink.h"
#include "targets/tap/station.h"
#include "targets/tap/tap.h"
#include "targets/tap/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIP = 77, WATCHDOG_S = 60, TSO_BYTES = 60000 };

static struct netns ns;

static int run(const char *command)
{
    int status = system(command); /* NOLINT(cert-env33-c): ip(8), in a namespace of the test's own */
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int enter(void **state)
{
    struct target_error error;
    (void)state;
    if (!netns_open(&ns, &error) || netns_enter(&ns) < 0 || netns_loopback_up() < 0)
        return -1;
    return 0;
}

static int leave(void **state)
{
    (void)state;
    netns_leave(&ns);
    netns_close(&ns);
    return 0;
}

static struct target *open_over(struct wire *wire, const char *argument, struct target_error *error)
{
    struct pixit pixit;
    const struct target_config config = { .seed = 1 };
    assert_true(pixit_parse(argument, &pixit, error));
    const struct station_config station = { .name = "test", .pixit = &pixit, .wire = wire };
    return station_open(&station, &config, error);
}

static struct wire *tap_wire(const char *interface)
{
    struct target_error error = { .kind = TARGET_ERR_NONE };
    struct wire *wire = wire_open_tap(interface, &error);
    if (!wire) {
        fail_msg("%s", error.text);
        abort();
    }
    return wire;
}

/* ---- interfaces ------------------------------------------------------------------------------------------------ */

static void the_free_end_of_an_interface_is_taken(void **state)
{
    (void)state;
    struct tap holder;
    assert_int_equal(
        run("ip tuntap add dev t0 mode tap && ip link set t0 up && ip link add a0 type veth peer name b0 && ip link set a0 up"), 0);
    struct wire *device = tap_wire("t0");
    assert_non_null(strstr(device->description, "TAP device t0"));
    device->ops->close(device);
    assert_int_equal(tap_open("t0", &holder), 0);
    struct wire *interface = tap_wire("t0");
    assert_non_null(strstr(interface->description, "packet socket"));
    assert_false(interface->shared);
    interface->ops->close(interface);
    tap_close(&holder);
    struct wire *pair = tap_wire("a0");
    assert_non_null(strstr(pair->description, "packet socket"));
    assert_true(pair->shared);
    pair->ops->close(pair);
    struct wire *made = tap_wire("fresh0");
    assert_non_null(strstr(made->description, "made for the run"));
    assert_int_equal(run("ip link show fresh0 >/dev/null 2>&1"), 0);
    made->ops->close(made);
    assert_int_not_equal(run("ip link show fresh0 >/dev/null 2>&1"), 0);
}

static void the_kernel_is_found_on_a_device(void **state)
{
    (void)state;
    struct target_error error;
    assert_int_equal(run("ip tuntap add dev t0 mode tap && ip link set t0 up && ip addr add 192.0.2.2/24 dev t0 && "
                         "ip addr add 2001:db8::2/64 dev t0 nodad"),
                     0);
    struct target *t = open_over(tap_wire("t0"), "t0", &error);
    assert_non_null(t);
    const unsigned wanted = TARGET_IPV4 | TARGET_IPV6 | TARGET_ECHO | TARGET_FENCED;
    assert_int_equal(t->info.capabilities & wanted, wanted);
    assert_int_equal(t->info.capabilities & (TARGET_UPPER_TESTER | TARGET_SHARED), 0);
    assert_true(t->info.rtt_ns > 0 && t->info.latency_ns > t->info.rtt_ns);
    assert_int_equal(t->ops->trouble(t, NULL, 0), 0);
    assert_int_equal(t->ops->socket(t, 4), -EOPNOTSUPP);
    t->ops->close(t);
}

static void an_interface_goes_down_and_comes_back(void **state)
{
    (void)state;
    struct target_error error;
    uint8_t bytes[2000];
    char text[TARGET_TEXT_MAX];
    int64_t at_ns;
    assert_int_equal(
        run("ip link add a0 type veth peer name b0 && ip link set a0 up && ip link set b0 up && ip addr add 192.0.2.2/24 dev b0"),
        0);
    struct target *t = open_over(tap_wire("a0"), "a0,iut=192.0.2.2,tester=192.0.2.100", &error);
    assert_non_null(t);
    assert_int_equal(run("ip link set a0 down"), 0);
    ssize_t got;
    while ((got = t->ops->receive(t, bytes, sizeof bytes, &at_ns)) > 0)
        ;
    assert_int_equal(got, -ENETDOWN);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(t->ops->send(t, bytes, 40), -ENETDOWN);
    assert_int_equal(t->ops->trouble(t, text, sizeof text), 1);
    assert_non_null(strstr(text, "the interface is down"));
    assert_false(t->ops->recover(t, &error));
    assert_non_null(strstr(error.text, "it is down"));
    assert_int_equal(run("ip link set a0 up"), 0);
    assert_true(t->ops->recover(t, &error));
    while ((got = t->ops->receive(t, bytes, sizeof bytes, &at_ns)) > 0)
        ;
    assert_int_equal(got, 0);
    assert_int_equal(run("ip link del a0"), 0);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(t->ops->send(t, bytes, 40), -ENETDOWN);
    assert_false(t->ops->recover(t, &error));
    t->ops->close(t);
}

/* ---- what the kernel leaves to a network card ------------------------------------------------------------------ */

struct transfer {
    struct target *t;
    struct pkt_builder *builder;
    uint32_t next, isn;
    size_t octets, segments, longest;
};

static void answer(struct transfer *x, const struct packet *packet, uint16_t flags, uint32_t ack)
{
    uint8_t bytes[200];
    const uint8_t options[] = { 2, 4, 0x05, 0xb4, 3, 3, 7, 0 };
    const bool syn = flags & PKT_SYN;
    const struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = packet->ip.dst, .dst = packet->ip.src, .src_port = packet->tcp.dst_port,
        .dst_port = packet->tcp.src_port, .seq = syn ? x->isn : x->isn + 1, .ack = ack, .flags = flags, .window = UINT16_MAX,
        .options = options, .options_len = syn ? sizeof options : 0,
    };
    ssize_t len = pkt_build(x->builder, &spec, bytes, sizeof bytes);
    assert_true(len > 0);
    assert_int_equal(x->t->ops->send(x->t, bytes, (size_t)len), 0);
}

static void take_segment(struct transfer *x, const uint8_t *bytes, size_t len)
{
    struct packet packet;
    assert_int_equal(pkt_parse(bytes, len, &packet), PKT_OK);
    if (packet.kind != PKT_KIND_TCP)
        return;
    assert_true(packet.tcp.checksum_ok && packet.ip.checksum_ok);
    if (packet.tcp.flags & PKT_SYN) {
        x->next = packet.tcp.seq + 1;
        answer(x, &packet, PKT_SYN | PKT_ACK, x->next);
        return;
    }
    x->longest = len > x->longest ? len : x->longest;
    if (packet.tcp.payload_len == 0 || packet.tcp.seq != x->next)
        return;
    x->next += packet.tcp.payload_len;
    x->octets += packet.tcp.payload_len;
    x->segments++;
    answer(x, &packet, PKT_ACK, x->next);
}

/* The kernel sends in super-frames with checksums still to be made; the station shows what a wire would have. */
static void bulk_data_of_a_kernel_come_in_segments(void **state)
{
    (void)state;
    struct target_error error;
    static uint8_t data[TSO_BYTES], bytes[PKT_BYTES_MAX];
    const struct sockaddr_in tester = { .sin_family = AF_INET, .sin_port = htons(20480), .sin_addr = { htonl(0xc0000264) } };
    assert_int_equal(run("ip link add a0 type veth peer name b0 && ip link set a0 up && ip link set b0 up && ip addr add 192.0.2.2/24 dev b0"), 0);
    struct transfer x = { .t = open_over(tap_wire("a0"), "a0,iut=192.0.2.2,tester=192.0.2.100", &error), .builder = pkt_builder_new(), .isn = 77 };
    assert_non_null(x.t);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(connect(fd, (const struct sockaddr *)&tester, sizeof tester) < 0 && errno == EINPROGRESS);
    for (size_t sent = 0; x.octets < TSO_BYTES;) {
        int64_t at_ns;
        ssize_t len = sent < TSO_BYTES ? send(fd, data + sent, TSO_BYTES - sent, MSG_NOSIGNAL) : 0;
        sent += len > 0 ? (size_t)len : 0;
        struct pollfd wait = { .fd = x.t->ops->fd(x.t), .events = POLLIN };
        poll(&wait, 1, 10);
        while ((len = x.t->ops->receive(x.t, bytes, sizeof bytes, &at_ns)) > 0)
            take_segment(&x, bytes, (size_t)len);
        assert_int_equal(len, 0);
    }
    assert_true(x.longest <= 1500);
    assert_true(x.segments >= TSO_BYTES / 1460);
    assert_int_equal(x.t->ops->trouble(x.t, NULL, 0), 0);
    close(fd);
    pkt_builder_free(x.builder);
    x.t->ops->close(x.t);
}

/* ---- UNIX sockets ---------------------------------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tcpassay-wires.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

/* Nothing is left in it. */
static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char path[108];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static struct wire *unix_wire(const char *path, bool stream, bool listening, int64_t patience_ns)
{
    struct target_error error = { .kind = TARGET_ERR_NONE };
    struct wire *wire = wire_open_unix(path, stream, listening, patience_ns, &error);
    if (!wire)
        fail_msg("%s", error.text);
    return wire;
}

static void frames_pass_both_ways(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        uint8_t out[100] = { 1, 2, 3 }, in[200];
        int64_t at_ns;
        struct wire *there = unix_wire(path_of("s"), stream, true, -1), *here = unix_wire(path_of("s"), stream, false, 0);
        assert_int_equal(there->ops->send(there, out, sizeof out), 0); /* to nobody yet: lost */
        assert_int_equal(here->ops->send(here, out, sizeof out), 0);
        assert_int_equal(there->ops->receive(there, in, sizeof in, &at_ns), sizeof out);
        assert_memory_equal(in, out, sizeof out);
        assert_int_equal(there->ops->receive(there, in, sizeof in, &at_ns), 0);
        assert_int_equal(there->ops->send(there, out, 60), 0);
        assert_int_equal(here->ops->receive(here, in, sizeof in, &at_ns), 60);
        assert_int_equal(here->ops->lost(here), 0);
        here->ops->close(here);
        here = unix_wire(path_of("s"), stream, false, 0); /* another one comes */
        assert_int_equal(here->ops->send(here, out, 61), 0);
        ssize_t len;
        for (int turn = 0; (len = there->ops->receive(there, in, sizeof in, &at_ns)) == 0 && turn < 3; turn++)
            ;
        assert_int_equal(len, 61);
        here->ops->close(here);
        there->ops->close(there);
    }
}

static void a_full_stream_loses_no_part_of_a_frame(void **state)
{
    (void)state;
    static uint8_t out[WIRE_FRAME_MAX], in[WIRE_FRAME_MAX];
    int64_t at_ns;
    struct wire *there = unix_wire(path_of("s"), true, true, -1), *here = unix_wire(path_of("s"), true, false, 0);
    int sent = 0, received = 0, status;
    while ((status = here->ops->send(here, out, sizeof out)) == 0)
        out[0] = (uint8_t)++sent;
    assert_int_equal(status, -EAGAIN);
    for (;;) {
        ssize_t len = there->ops->receive(there, in, sizeof in, &at_ns);
        here->ops->receive(here, out, sizeof out, &at_ns); /* what is left goes on */
        if (len == 0 && received == sent)
            break;
        assert_true(len == 0 || (len == WIRE_FRAME_MAX && in[0] == (uint8_t)received));
        received += len > 0;
    }
    here->ops->close(here);
    there->ops->close(there);
}

static int stranger_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void nonsense_ends_a_stream_and_no_more(void **state)
{
    (void)state;
    static const uint8_t nonsense[] = { 0, 0, 0, 2, 'a', 'b', 0xff, 0xff, 0xff, 0xff, 'x' };
    uint8_t in[100];
    int64_t at_ns;
    struct target_error error;
    struct wire *wire = unix_wire(path_of("s"), true, true, -1);
    wire->ops->close(wire);
    pid_t child = fork(); /* connects as soon as there is something to connect to */
    if (child == 0) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        snprintf(address.sun_path, sizeof address.sun_path, "%s", path_of("s"));
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        while (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
            poll(NULL, 0, 5);
        _exit(write(fd, nonsense, sizeof nonsense) == (ssize_t)sizeof nonsense && read(fd, in, 1) == 0 ? 0 : 1);
    }
    wire = unix_wire(path_of("s"), true, true, 0);
    struct pollfd wait = { .fd = wire->ops->fd(wire), .events = POLLIN };
    ssize_t len;
    while ((len = wire->ops->receive(wire, in, sizeof in, &at_ns)) == 0)
        poll(&wait, 1, 1000);
    assert_int_equal(len, 2);
    while ((len = wire->ops->receive(wire, in, sizeof in, &at_ns)) == 0)
        poll(&wait, 1, 1000);
    assert_int_equal(len, -EPROTO);
    assert_int_equal(wire->ops->send(wire, in, 60), -EPROTO);
    assert_false(wire->ops->recover(wire, &error));
    assert_non_null(strstr(error.text, "nobody has connected"));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    int fd = stranger_at(path_of("s")); /* comes back */
    assert_true(wire->ops->recover(wire, &error));
    assert_int_equal(wire->ops->send(wire, in, 60), 0);
    close(fd);
    wire->ops->close(wire);
}

/* ---- a wire that never pauses ----------------------------------------------------------------------------------- */

static void flood_close(struct wire *w)
{
    (void)w;
}

static int flood_send(struct wire *w, const uint8_t *bytes, size_t len)
{
    (void)w;
    (void)bytes;
    (void)len;
    return 0;
}

static ssize_t flood_receive(struct wire *w, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    (void)w;
    assert_true(capacity >= 60);
    memset(out, 0xff, 60); /* to everybody, of no protocol */
    *at_ns = 0;
    return 60;
}

static int flood_fd(struct wire *w)
{
    (void)w;
    return -1; /* it is not to be waited for */
}

static uint64_t flood_lost(struct wire *w)
{
    (void)w;
    return 0;
}

/* Each look at the wire ends, and so does the search for a host on it. */
static void a_flood_is_taken_in_turns(void **state)
{
    (void)state;
    static const struct wire_ops ops = {
        .close = flood_close, .send = flood_send, .receive = flood_receive, .fd = flood_fd, .lost = flood_lost,
    };
    struct wire flood = { .ops = &ops, .description = "a flood" };
    struct pixit pixit;
    struct target_error error;
    const struct target_config config = { .seed = 1 };
    const struct station_config station = { .name = "flood", .pixit = &pixit, .wire = &flood, .patience_ns = 50000000 };
    assert_true(pixit_parse("x", &pixit, &error));
    assert_null(station_open(&station, &config, &error));
    assert_int_equal(error.kind, TARGET_ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "nobody answers"));
}

static void the_file_of_a_socket_goes_even_when_the_process_is_killed(void **state)
{
    (void)state;
    int ready[2];
    char octet;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct target_error error;
        wire_open_unix(path_of("k"), true, true, -1, &error);
        _exit(write(ready[1], "r", 1) == 1 && pause() ? 0 : 1);
    }
    assert_int_equal(read(ready[0], &octet, 1), 1);
    assert_int_equal(access(path_of("k"), F_OK), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (access(path_of("k"), F_OK) == 0) /* the watchdog ends a test that waits in vain */
        poll(NULL, 0, 5);
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_free_end_of_an_interface_is_taken, enter, leave),
        cmocka_unit_test_setup_teardown(the_kernel_is_found_on_a_device, enter, leave),
        cmocka_unit_test_setup_teardown(an_interface_goes_down_and_comes_back, enter, leave),
        cmocka_unit_test_setup_teardown(bulk_data_of_a_kernel_come_in_segments, enter, leave),
        cmocka_unit_test_setup_teardown(frames_pass_both_ways, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_full_stream_loses_no_part_of_a_frame, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(nonsense_ends_a_stream_and_no_more, make_folder, remove_folder),
        cmocka_unit_test(a_flood_is_taken_in_turns),
        cmocka_unit_test_setup_teardown(the_file_of_a_socket_goes_even_when_the_process_is_killed, make_folder, remove_folder),
    };
    struct target_error error;
    if (!netns_preflight(&error)) {
        fprintf(stderr, "skipped: %s\n", error.text);
        return SKIP;
    }
    alarm(WATCHDOG_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

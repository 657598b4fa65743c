/* Tests that nothing is left behind, and that the local kernel is kept out of the tester's connections: the watcher outlives a
 * tester that is killed, a fake nft records what it is told, and the eBPF filter keeps this machine's resets away. */
#include "targets/remote/card.h"
#include "targets/remote/firewall.h"
#include "targets/remote/net_wire.h"
#include "targets/remote/test/veth.h"
#include "targets/tap/clock.h"
#include "targets/tap/netlink.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIP = 77, PATIENCE_MS = 5000, A_MOMENT_MS = 10 };

static const struct pkt_addr NEAR = { 4, { 192, 0, 2, 1 } }, FAR = { 4, { 192, 0, 2, 2 } };
static const struct pkt_addr NEAR6 = { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } }, FAR6 = { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } };
static const struct eth_addr FAR_MAC = { { 2, 0, 0, 0, 0, 2 } };

/* ---- a fake nft ------------------------------------------------------------------------------------------------ */

struct fake { /* a folder at the head of PATH with a program nft in it, which notes what it reads */
    char folder[64], program[128], log[128];
    char path[4000]; /* as it was */
};

static void fake_nft(struct fake *f, const char *script)
{
    char path[4096];
    strcpy(f->folder, "/tmp/tcpassay-nft-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->program, sizeof f->program, "%s/nft", f->folder);
    snprintf(f->log, sizeof f->log, "%s/log", f->folder);
    FILE *file = fopen(f->program, "we");
    assert_non_null(file);
    fprintf(file, script, f->log);
    fclose(file);
    assert_int_equal(chmod(f->program, 0755), 0);
    const char *before = getenv("PATH");
    snprintf(f->path, sizeof f->path, "%s", before ? before : "");
    snprintf(path, sizeof path, "%s:%s", f->folder, f->path);
    setenv("PATH", path, 1);
}

static void remove_fake(struct fake *f)
{
    setenv("PATH", f->path, 1);
    unlink(f->log);
    unlink(f->program);
    rmdir(f->folder);
}

static void read_log(const struct fake *f, char *out, size_t capacity)
{
    FILE *file = fopen(f->log, "re");
    size_t len = file ? fread(out, 1, capacity - 1, file) : 0;
    out[len] = '\0';
    if (file)
        fclose(file);
}

#define FAKE_NOTES "#!/bin/sh\nexec cat >>%s\n"
#define FAKE_REFUSES "#!/bin/sh\n: >%s\necho 'Error: it is Sunday' >&2\nexit 1\n"

static const struct guarded_ports GUARDED[] = { { { 4, { 192, 0, 2, 2 } }, { 4, { 192, 0, 2, 1 } }, 16384, 32767 } }; /* FAR, NEAR */

/* Gone, or waiting to be buried by whoever adopted it. */
static bool is_gone(pid_t pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%*d %*s %c", &state) != 1)
        state = 'Z';
    if (file)
        fclose(file);
    return state == 'Z';
}

static bool has_ended(pid_t pid)
{
    for (int i = 0; i < PATIENCE_MS / A_MOMENT_MS; i++) {
        if (is_gone(pid))
            return true;
        poll(NULL, 0, A_MOMENT_MS);
    }
    return false;
}

/* ---- ends ------------------------------------------------------------------------------------------------------ */

static void a_table_is_made_and_removed(void **state)
{
    struct fake fake;
    struct firewall firewall;
    struct target_error error;
    char log[4096], expected[4096];
    (void)state;
    fake_nft(&fake, FAKE_NOTES);
    struct watcher *watcher = watcher_start(&error);
    assert_non_null(watcher);
    assert_true(firewall_open(&firewall, watcher, 1, GUARDED, 1, &error));
    assert_string_equal(firewall.means, "nftables");
    assert_true(firewall_text(firewall.table, GUARDED, 1, expected, sizeof expected) > 0);
    read_log(&fake, log, sizeof log);
    assert_string_equal(log, expected);
    pid_t pid = watcher_pid(watcher);
    firewall_close(&firewall);
    watcher_end(watcher);
    assert_true(has_ended(pid));
    size_t len = strlen(expected);
    snprintf(expected + len, sizeof expected - len, "delete table inet %s\n", firewall.table);
    read_log(&fake, log, sizeof log);
    assert_string_equal(log, expected);
    remove_fake(&fake);
}

/* A tester that changes what there is to change, tells who watches it, and then waits to be killed. */
_Noreturn static void play_tester(int out)
{
    struct firewall firewall;
    struct target_error error;
    struct watcher *watcher = watcher_start(&error);
    pid_t pid = watcher ? watcher_pid(watcher) : -1;
    struct net_wire_config config = { .interface = VETH_NEAR, .filter = "arp", .watcher = watcher };
    setpgid(0, 0);
    if (!watcher || !net_wire_open(&config, &error) || !firewall_open(&firewall, watcher, 1, GUARDED, 1, &error))
        pid = -1;
    if (write(out, &pid, sizeof pid) == (ssize_t)sizeof pid)
        pause();
    _exit(1);
}

static void nothing_is_left_by_a_tester_that_is_ended_by(int signal_number, bool whole_group)
{
    struct fake fake;
    char log[4096];
    int ends[2];
    unsigned on;
    pid_t watcher = -1;
    fake_nft(&fake, FAKE_NOTES);
    assert_int_equal(card_switch(VETH_NEAR, CARD_GRO, true), 0);
    assert_int_equal(pipe(ends), 0);
    pid_t tester = fork();
    assert_true(tester >= 0);
    if (tester == 0)
        play_tester(ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &watcher, sizeof watcher), sizeof watcher);
    assert_true(watcher > 0);
    assert_int_equal(card_offloads(VETH_NEAR, &on), 0);
    assert_int_equal(on & CARD_GRO, 0);
    assert_int_equal(kill(whole_group ? -tester : tester, signal_number), 0);
    assert_int_equal(waitpid(tester, NULL, 0), tester);
    assert_true(has_ended(watcher));
    assert_int_equal(card_offloads(VETH_NEAR, &on), 0);
    assert_int_equal(on & CARD_GRO, CARD_GRO);
    read_log(&fake, log, sizeof log);
    assert_non_null(strstr(log, "delete table inet tcpassay_"));
    close(ends[0]);
    remove_fake(&fake);
}

static void nothing_is_left_when_the_tester_is_killed(void **state)
{
    (void)state;
    nothing_is_left_by_a_tester_that_is_ended_by(SIGKILL, false);
}

static void nothing_is_left_when_the_testers_whole_group_is_killed(void **state)
{
    (void)state;
    nothing_is_left_by_a_tester_that_is_ended_by(SIGKILL, true);
}

static void nothing_is_left_when_the_terminal_interrupts_everybody(void **state)
{
    (void)state;
    nothing_is_left_by_a_tester_that_is_ended_by(SIGINT, true);
}

static void a_deed_that_is_told_again_counts_once_and_there_is_an_end_to_them(void **state)
{
    struct target_error error;
    struct deed deed;
    (void)state;
    memset(&deed, 0, sizeof deed);
    struct watcher *watcher = watcher_start(&error);
    assert_non_null(watcher);
    strcpy(deed.interface, "no-such-device");
    for (unsigned i = 0; i < WATCHER_DEEDS_MAX; i++) {
        deed.offloads = i;
        assert_true(watcher_tell(watcher, &deed));
        assert_true(watcher_tell(watcher, &deed));
    }
    deed.offloads = WATCHER_DEEDS_MAX;
    assert_false(watcher_tell(watcher, &deed));
    watcher_end(watcher);
}

static void a_watcher_that_was_killed_is_told_nothing_any_more(void **state)
{
    struct target_error error;
    struct deed deed;
    (void)state;
    memset(&deed, 0, sizeof deed);
    struct watcher *watcher = watcher_start(&error);
    assert_non_null(watcher);
    assert_int_equal(kill(watcher_pid(watcher), SIGKILL), 0);
    assert_false(watcher_tell(watcher, &deed));
    watcher_end(watcher);
}

/* ---- the filter ------------------------------------------------------------------------------------------------ */

/* Does this machine's kernel answer a SYN from the far end to that port of the near end? */
static bool kernel_answers(struct wire *far, const struct pkt_addr *from, const struct pkt_addr *to, uint16_t port)
{
    uint8_t packet[128], frame[WIRE_FRAME_MAX];
    struct eth_frame head = { .src = FAR_MAC, .type = to->version == 6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4, .payload = packet };
    struct pkt_builder *builder = pkt_builder_new();
    const struct pkt_spec syn = {
        .protocol = PKT_PROTO_TCP, .src = *from, .dst = *to, .src_port = 80, .dst_port = port, .flags = PKT_SYN, .seq = 1,
    };
    const struct pkt_spec echo = {
        .protocol = to->version == 6 ? PKT_PROTO_ICMP6 : PKT_PROTO_ICMP, .src = *from, .dst = *to, .icmp_type = to->version == 6 ? 128 : 8,
        .icmp_rest = port,
    };
    const struct pkt_spec *specs[] = { &syn, &echo }; /* once the echo is answered, so is the SYN, or never */
    for (int i = 0; i < 2; i++) {
        ssize_t len = pkt_build(builder, specs[i], packet, sizeof packet);
        head.payload_len = (size_t)len;
        memset(&head.dst, 0xff, sizeof head.dst);
        memcpy(head.dst.bytes, (const uint8_t[]){ 2, 0, 0, 0, 0, 1 }, 6);
        len = eth_build(&head, frame, sizeof frame);
        assert_int_equal(far->ops->send(far, frame, (size_t)len), 0);
    }
    pkt_builder_free(builder);
    bool reset = false;
    for (int64_t until_ns = clock_monotonic_ns() + PATIENCE_MS * INT64_C(1000000); clock_monotonic_ns() < until_ns;) {
        int64_t at_ns;
        struct packet got;
        struct pollfd wait = { .fd = far->ops->fd(far), .events = POLLIN };
        ssize_t len = far->ops->receive(far, frame, sizeof frame, &at_ns);
        if (len == 0)
            poll(&wait, 1, A_MOMENT_MS);
        if (len <= ETH_HEADER_LEN)
            continue;
        pkt_parse(frame + ETH_HEADER_LEN, (size_t)len - ETH_HEADER_LEN, &got);
        reset |= got.kind == PKT_KIND_TCP && got.tcp.src_port == port && (got.tcp.flags & PKT_RST);
        if (got.kind == PKT_KIND_ICMP && got.icmp.type == (to->version == 6 ? 129 : 0) && got.icmp.rest == port)
            return reset;
    }
    fail_msg("the kernel does not answer an echo request");
    return false;
}

/* The near end gets addresses of this machine's kernel, and the far end a MAC address that it knows. */
static void configure_near(void)
{
    const struct eth_addr mac = { { 2, 0, 0, 0, 0, 1 } };
    int rtnl = rtnl_open();
    const struct rtnl_link link = { .ifindex = if_nametoindex(VETH_NEAR), .up = true, .mac = &mac };
    assert_int_equal(rtnl_set_link(rtnl, &link), 0);
    assert_int_equal(rtnl_add_address(rtnl, link.ifindex, &NEAR, 24), 0);
    assert_int_equal(rtnl_add_address(rtnl, link.ifindex, &NEAR6, 64), 0);
    assert_int_equal(rtnl_add_neighbour(rtnl, link.ifindex, &FAR, &FAR_MAC), 0);
    assert_int_equal(rtnl_add_neighbour(rtnl, link.ifindex, &FAR6, &FAR_MAC), 0);
    close(rtnl);
}

static void the_filter_keeps_the_kernel_from_answering(void **state)
{
    static const struct row { uint16_t port; bool answered; } rows[] = { { 16383, true }, { 16384, false }, { 32767, false }, { 32768, true } };
    const struct pkt_addr *from[] = { &FAR, &FAR6 }, *to[] = { &NEAR, &NEAR6 };
    struct target_error error;
    (void)state;
    configure_near();
    struct watcher *watcher = watcher_start(&error);
    const struct net_wire_config config = { .interface = VETH_FAR, .filter = "ether dst 02:00:00:00:00:02", .watcher = watcher };
    struct wire *far = net_wire_open(&config, &error);
    assert_non_null(far);
    for (int v = 0; v < 2; v++) {
        const struct guarded_ports guarded = { *from[v], *to[v], 16384, 32767 }, elsewhere = { *to[v], *to[v], 16384, 32767 };
        int held = bpf_hold_port_filter(if_nametoindex(VETH_NEAR), &guarded);
        if (held == -EINVAL || held == -EPERM) {
            fprintf(stderr, "this kernel has no tcx: the filter is not tested\n");
            break;
        }
        assert_true(held >= 0);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            if (kernel_answers(far, from[v], to[v], rows[i].port) != rows[i].answered)
                fail_msg("IPv%d, port %u: expected the kernel to %s", v ? 6 : 4, rows[i].port, rows[i].answered ? "answer" : "be silent");
        close(held);
        assert_true(kernel_answers(far, from[v], to[v], 16384));
        held = bpf_hold_port_filter(if_nametoindex(VETH_NEAR), &elsewhere);
        assert_true(kernel_answers(far, from[v], to[v], 16384));
        close(held);
    }
    far->ops->close(far);
    watcher_end(watcher);
}

static void without_nft_the_filter_takes_its_place(void **state)
{
    struct fake fake;
    struct firewall firewall;
    struct target_error error;
    (void)state;
    fake_nft(&fake, FAKE_REFUSES);
    struct watcher *watcher = watcher_start(&error);
    bool opened = firewall_open(&firewall, watcher, if_nametoindex(VETH_NEAR), GUARDED, 1, &error);
    if (opened) {
        assert_string_equal(firewall.means, "eBPF");
        firewall_close(&firewall);
    } else {
        assert_non_null(strstr(error.text, "it is Sunday"));
    }
    assert_false(firewall_open(&firewall, watcher, 0x7ffffff0, GUARDED, 1, &error)); /* no such interface */
    assert_non_null(strstr(error.text, "it is Sunday"));
    assert_int_equal(error.kind, TARGET_ERR_UNAVAILABLE);
    watcher_end(watcher);
    remove_fake(&fake);
}

/* ---------------------------------------------------------------------------------------------------------------- */

static struct netns lab;

static int set_up(void **state)
{
    (void)state;
    return veth_make();
}

static int tear_down(void **state)
{
    (void)state;
    return veth_remove();
}

#define UNDO_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    struct target_error error = { 0 };
    const struct CMUnitTest tests[] = {
        UNDO_TEST(a_table_is_made_and_removed),
        UNDO_TEST(nothing_is_left_when_the_tester_is_killed),
        UNDO_TEST(nothing_is_left_when_the_testers_whole_group_is_killed),
        UNDO_TEST(nothing_is_left_when_the_terminal_interrupts_everybody),
        UNDO_TEST(a_deed_that_is_told_again_counts_once_and_there_is_an_end_to_them),
        UNDO_TEST(a_watcher_that_was_killed_is_told_nothing_any_more),
        UNDO_TEST(the_filter_keeps_the_kernel_from_answering),
        UNDO_TEST(without_nft_the_filter_takes_its_place),
    };
    if (!veth_enter(&lab, &error)) {
        fprintf(stderr, "skipped: %s\n", error.text);
        return SKIP;
    }
    veth_remove();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    veth_leave(&lab);
    return failed;
}

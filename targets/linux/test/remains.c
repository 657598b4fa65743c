/* Nothing of the target "linux" is left behind: no namespace, device, descriptor or process, however it ends.
 *
 * A network namespace cannot be listed, but it can be counted: in a user namespace of its own this program lowers the number that
 * may exist at a time (user.max_net_namespaces). While one too many is left, the next cannot be made. The kernel removes them in
 * the background, so the test tries again until it can; a watchdog ends it when it never can. */
#include "targets/linux/test/fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NAMESPACES_MAX = 3, WATCHDOG_S = 60, RETRY_MS = 5 };

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return written;
}

/* The program's own network is one more. */
static bool limit_namespaces(void)
{
    char map[64], limit[16];
    snprintf(map, sizeof map, "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
    snprintf(limit, sizeof limit, "%d", NAMESPACES_MAX + 1);
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write_text("/proc/self/uid_map", map)
        && write_text("/proc/sys/user/max_net_namespaces", limit);
}

static struct target *open_patiently(void)
{
    const struct target_config config = { 0 };
    struct target_error error;
    struct target *t;
    while (!(t = linux_driver.open("", &config, &error))) {
        if (!strstr(error.text, "max_net_namespaces"))
            fail_msg("%s", error.text);
        poll(NULL, 0, RETRY_MS);
    }
    return t;
}

static void all_namespaces_are_to_be_had(void)
{
    struct target *targets[NAMESPACES_MAX];
    for (int i = 0; i < NAMESPACES_MAX; i++)
        targets[i] = open_patiently();
    for (int i = 0; i < NAMESPACES_MAX; i++)
        targets[i]->ops->close(targets[i]);
}

/* Connections in many states, with data that the peer never acknowledges. The ones that the application closes live on as orphans.
 */
static void make_connections(struct target *t, bool orphans)
{
    static const uint8_t data[3000];
    for (uint16_t i = 0; i < 8; i++) {
        struct peer *p = peer_new(t, i % 2, 4000, (uint16_t)(8080 + i));
        int handle = peer_establish_passively(p);
        assert_int_equal(t->ops->send_data(t, handle, data, sizeof data, 0), sizeof data);
        if (i & 2)
            peer_send(p, PKT_FIN | PKT_ACK, NULL);
        if (orphans && (i & 4))
            assert_int_equal(t->ops->close_handle(t, handle), 0);
        while (peer_take(p))
            ;
        peer_free(p);
    }
    struct peer *p = peer_new(t, 0, 5000, 9090);
    peer_listen(p);
    peer_send(p, PKT_SYN, NULL);
    peer_free(p);
}

/* ---- what can be seen of it ------------------------------------------------------------------------------------ */

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    int count = 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void read_devices(char *out, size_t capacity)
{
    FILE *file = fopen("/proc/thread-self/net/dev", "re");
    assert_non_null(file);
    size_t len = fread(out, 1, capacity - 1, file);
    out[len] = '\0';
    fclose(file);
}

static void assert_descriptors_return_to(int count)
{
    while (count_descriptors() != count) /* a packet socket is closed by a thread */
        poll(NULL, 0, RETRY_MS);
}

static void no_process_and_no_device_ever_appears(void **state)
{
    static char before[4096], after[4096];
    (void)state;
    read_devices(before, sizeof before);
    struct target *t = open_patiently();
    make_connections(t, true);
    read_devices(after, sizeof after);
    assert_string_equal(before, after);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    t->ops->close(t);
}

static void closing_leaves_no_descriptor_and_no_namespace(void **state)
{
    for (int i = 0; i < 10 * NAMESPACES_MAX; i++) {
        struct target *t = open_patiently();
        make_connections(t, true);
        t->ops->close(t);
    }
    assert_descriptors_return_to(*(const int *)*state);
    all_namespaces_are_to_be_had();
}

static void a_refused_opening_leaves_nothing(void **state)
{
    const struct target_setting setting = { "no-such-thing", "1" };
    const struct target_config config = { .settings = &setting, .setting_count = 1 };
    for (int i = 0; i < 3 * NAMESPACES_MAX; i++) {
        struct target_error error = { .kind = TARGET_ERR_NONE };
        while (error.kind != TARGET_ERR_UNSUPPORTED)
            assert_null(linux_driver.open("", &config, &error));
    }
    assert_descriptors_return_to(*(const int *)*state);
    all_namespaces_are_to_be_had();
}

/* Without orphans: in an abandoned namespace those would last for two minutes. */
static void live_until_killed(int ready)
{
    alarm(WATCHDOG_S);
    for (int i = 0; i < NAMESPACES_MAX; i++)
        make_connections(open_patiently(), false);
    if (write(ready, "", 1) == 1)
        pause();
    _exit(1);
}

static void being_killed_leaves_nothing(void **state)
{
    assert_descriptors_return_to(*(const int *)*state); /* lest the child inherit one of a namespace that is to go */
    int ends[2], status;
    char byte;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        live_until_killed(ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    all_namespaces_are_to_be_had();
}

int main(void)
{
    int descriptors = count_descriptors();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_process_and_no_device_ever_appears),
        cmocka_unit_test_prestate(closing_leaves_no_descriptor_and_no_namespace, &descriptors),
        cmocka_unit_test_prestate(a_refused_opening_leaves_nothing, &descriptors),
        cmocka_unit_test_prestate(being_killed_leaves_nothing, &descriptors),
    };
    int skip = fixture_preflight();
    if (skip)
        return skip;
    if (!limit_namespaces()) {
        fprintf(stderr, "skipped: counting namespaces needs a user namespace (%s)\n", strerror(errno));
        return FIXTURE_SKIP;
    }
    alarm(WATCHDOG_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Makes network namespaces, as root or by way of a user namespace, and says in plain words why it cannot.
 *
 * Theory of operation. A thread's network namespace decides where its new sockets and devices live, and which /proc/sys/net it
 * sees. unshare(CLONE_NEWNET) gives the thread a fresh one; a descriptor of /proc/thread-self/ns/net keeps it alive; setns() with
 * the descriptor of the former one brings the thread home. No process is started, nothing is mounted, so nothing can be left
 * behind: the namespace lives as long as some descriptor, or socket, of this process refers to it.
 *
 * All this needs CAP_SYS_ADMIN over the namespaces concerned. An ordinary user gets it by unshare(CLONE_NEWUSER), but only over
 * namespaces made later: such a process could never come back to the network it started in. So it takes a fresh, empty one along
 * (CLONE_NEWUSER | CLONE_NEWNET) which becomes its home. User and group ids are mapped to themselves, so files it writes keep their
 * owner. The capabilities held show whether this has been done: no state is kept here. A container's root may have them without
 * owning the network it is in; then only the empty network is taken. */
#include "targets/tap/namespace.h"
#include "targets/tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- reasons --------------------------------------------------------------------------------------------------- */

enum stage { STAGE_DONE, STAGE_USER_NAMESPACE, STAGE_ID_MAP, STAGE_NETWORK_NAMESPACE, STAGE_TAP };

/* -1 when there is no such file. */
static long read_number(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    return len > 0 ? strtol(text, NULL, 10) : -1;
}

static const char *why_no_user_namespace(int code)
{
    if (read_number("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        return "kernel.unprivileged_userns_clone is 0: run as root, or set it to 1";
    if (read_number("/proc/sys/user/max_user_namespaces") == 0)
        return "user.max_user_namespaces is 0: run as root, or raise it";
    if (read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        return "AppArmor restricts them (kernel.apparmor_restrict_unprivileged_userns is 1): run as root, or set it to 0";
    if (code == ENOSPC || code == EUSERS)
        return "the limit user.max_user_namespaces is reached, or they are nested too deep: run as root, or raise it";
    if (code == EINVAL)
        return "this process has several threads, or the kernel was built without CONFIG_USER_NS: run as root";
    return "a container's seccomp or security policy forbids them: run as root with CAP_SYS_ADMIN and CAP_NET_ADMIN, or loosen it "
           "(docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun)";
}

static const char *why_no_network_namespace(int code)
{
    if (code == ENOSPC || code == EUSERS)
        return "the limit user.max_net_namespaces is reached: raise it, or run fewer at once";
    if (code == EINVAL)
        return "the kernel was built without CONFIG_NET_NS: use one with it";
    if (code == EMFILE || code == ENFILE)
        return "too many files are open: raise ulimit -n";
    return "a container's seccomp or security policy forbids it: allow unshare() and setns(), or run outside of the container";
}

static const char *why_no_tap(int code)
{
    if (code == ENOENT || code == ENODEV || code == ENXIO)
        return "/dev/net/tun is missing: load the module (modprobe tun), and in a container pass the device in "
               "(docker run --device /dev/net/tun)";
    if (code == EACCES)
        return "/dev/net/tun may not be opened: make it readable and writable for this user (chmod 0666 /dev/net/tun, the usual mode)";
    if (code == EPERM)
        return "/dev/net/tun refuses: a container's device policy forbids it (docker run --device /dev/net/tun), or CAP_NET_ADMIN lacks";
    if (code == EBUSY)
        return "another program holds that device: end it, or name another one";
    if (code == EINVAL)
        return "no such kind of device can be made under that name: is it the name of another interface?";
    return "see the kernel's log";
}

static void explain(enum stage stage, int code, struct target_error *error)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    const char *what = "a network namespace cannot be made", *why = why_no_network_namespace(code);
    if (stage == STAGE_USER_NAMESPACE || stage == STAGE_ID_MAP) {
        what = "this process is not privileged, and a user namespace cannot be made";
        why = why_no_user_namespace(code);
    } else if (stage == STAGE_TAP) {
        what = "a TAP device cannot be made";
        why = why_no_tap(code);
    }
    snprintf(error->text, sizeof error->text, "%s (%s): %s", what, strerror(code), why);
}

void tap_explain(int status, struct target_error *error)
{
    explain(STAGE_TAP, -status, error);
}

/* ---- privilege ------------------------------------------------------------------------------------------------- */

static bool has_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { 0 } };
    const uint32_t needed = 1u << CAP_SYS_ADMIN | 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW;
    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & needed) == needed;
}

static int open_current(void)
{
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* May the thread come back to the network it is in? Not when that belongs to a user namespace above its own. */
static bool may_return(void)
{
    int home = open_current();
    bool may = home >= 0 && setns(home, CLONE_NEWNET) == 0;
    if (home >= 0)
        close(home);
    return may;
}

/* 0 or a positive errno value. */
static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    size_t len = strlen(text);
    ssize_t written = write(fd, text, len);
    int code = written == (ssize_t)len ? 0 : written < 0 ? errno : EIO;
    close(fd);
    return code;
}

/* Maps the user and the group to themselves; the kernel takes a group's map only after setgroups() is given up
 * (user_namespaces(7)). */
static int map_ids(uid_t uid, gid_t gid)
{
    char text[64];
    snprintf(text, sizeof text, "%u %u 1", (unsigned)uid, (unsigned)uid);
    int code = write_text("/proc/self/uid_map", text);
    if (code)
        return code;
    code = write_text("/proc/self/setgroups", "deny");
    if (code && code != ENOENT)
        return code;
    snprintf(text, sizeof text, "%u %u 1", (unsigned)gid, (unsigned)gid);
    return write_text("/proc/self/gid_map", text);
}

static enum stage become_privileged(int *code)
{
    if (has_capabilities()) {
        if (may_return() || unshare(CLONE_NEWNET) == 0)
            return STAGE_DONE;
        *code = errno;
        return STAGE_NETWORK_NAMESPACE;
    }
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
        *code = errno;
        return STAGE_USER_NAMESPACE;
    }
    *code = map_ids(uid, gid);
    return *code ? STAGE_ID_MAP : STAGE_DONE;
}

/* ---- namespaces ------------------------------------------------------------------------------------------------ */

static bool make(struct netns *ns)
{
    ns->home = open_current();
    if (ns->home < 0 || unshare(CLONE_NEWNET) < 0)
        return false;
    ns->inside = open_current();
    int code = ns->inside < 0 ? errno : 0;
    if (setns(ns->home, CLONE_NEWNET) < 0)
        return false;
    errno = code;
    return !code;
}

bool netns_open(struct netns *out, struct target_error *error)
{
    *out = (struct netns){ .inside = -1, .home = -1 };
    int code = 0;
    enum stage stage = become_privileged(&code);
    if (stage == STAGE_DONE && !make(out)) {
        stage = STAGE_NETWORK_NAMESPACE;
        code = errno;
    }
    if (stage == STAGE_DONE)
        return true;
    netns_close(out);
    explain(stage, code, error);
    return false;
}

void netns_close(struct netns *ns)
{
    if (ns->inside >= 0)
        close(ns->inside);
    if (ns->home >= 0)
        close(ns->home);
    *ns = (struct netns){ .inside = -1, .home = -1 };
}

int netns_enter(const struct netns *ns)
{
    return setns(ns->inside, CLONE_NEWNET) < 0 ? -errno : 0;
}

int netns_leave(const struct netns *ns)
{
    return setns(ns->home, CLONE_NEWNET) < 0 ? -errno : 0;
}

int netns_loopback_up(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int status = ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
    close(fd);
    return status;
}

/* ---- preflight ------------------------------------------------------------------------------------------------- */

/* Tells the parent what came of it; a child that a policy kills tells nothing. */
static void report_attempt(bool (*attempt)(struct target_error *error), int out)
{
    struct target_error result = { .kind = TARGET_ERR_NONE };
    attempt(&result);
    _exit(write(out, &result, sizeof result) == (ssize_t)sizeof result ? 0 : 1);
}

bool netns_try(bool (*attempt)(struct target_error *error), struct target_error *error)
{
    int ends[2] = { -1, -1 };
    pid_t child = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (child == 0)
        report_attempt(attempt, ends[1]);
    if (child < 0) {
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "no process for the preflight (%s): free some memory, or raise ulimit -u and -n",
                 strerror(errno));
    }
    if (ends[1] >= 0)
        close(ends[1]);
    if (child > 0) {
        if (read(ends[0], error, sizeof *error) != (ssize_t)sizeof *error)
            explain(STAGE_USER_NAMESPACE, EPERM, error);
        waitpid(child, NULL, 0);
    }
    if (ends[0] >= 0)
        close(ends[0]);
    return error->kind == TARGET_ERR_NONE;
}

static bool attempt_device(struct target_error *error)
{
    struct netns ns;
    struct tap tap;
    if (!netns_open(&ns, error))
        return false;
    int status = netns_enter(&ns);
    if (status == 0)
        status = tap_open("tap%d", &tap);
    if (status < 0)
        tap_explain(status, error);
    return status == 0;
}

bool netns_preflight(struct target_error *error)
{
    return netns_try(attempt_device, error);
}

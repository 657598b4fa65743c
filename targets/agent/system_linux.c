/* An agent on Linux: sock_diag, sysctls below /proc/sys/net, capabilities. */
#include "targets/agent/system.h"
#include "targets/sockets/diag.h"
#include "targets/sockets/sysctl.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { NOBODY = 65534 };

_Static_assert((int)SYSTEM_NAME_MAX == (int)SYSCTL_PATH_MAX && (int)SYSTEM_VALUE_MAX == (int)SYSCTL_VALUE_MAX, "the same texts");
_Static_assert(SYSCTL_FACTS + 3 <= TARGET_PIXIT_MAX, "an identity holds every sysctl, the kernel, its HZ and the MSL");

/* ---- what the system tells -------------------------------------------------------------------------------------- */

int system_open_status(void)
{
    int fd = diag_open();
    return fd < 0 ? -1 : fd;
}

int64_t system_status(int fd, const struct pkt_endpoint *local, const struct pkt_endpoint *remote, struct target_status *out)
{
    return diag_status(fd, local, remote, out);
}

static void add_fact(struct agent_identity *out, const char *name, const char *value)
{
    unsigned i = out->pixit_count++;
    snprintf(out->pixit[i].name, sizeof out->pixit[i].name, "%s", name);
    snprintf(out->pixit[i].value, sizeof out->pixit[i].value, "%s", value);
}

void system_identify(struct agent_identity *out)
{
    struct utsname kernel;
    char text[SYSCTL_VALUE_MAX], name[SYSCTL_PATH_MAX];
    uname(&kernel);
    snprintf(out->description, sizeof out->description, "Linux %.64s (%.32s)", kernel.release, kernel.machine);
    snprintf(text, sizeof text, "%.30s %.30s", kernel.release, kernel.version);
    add_fact(out, "kernel", text);
    snprintf(text, sizeof text, "%lld (a timer fires up to 2/HZ + 12.5 %% late)", (long long)(1000000000 / sysctl_jiffy_ns()));
    add_fact(out, "HZ", text);
    add_fact(out, "MSL", "30 s (TIME-WAIT lasts 60 s: TCP_TIMEWAIT_LEN, a constant)");
    for (const char *const *path = sysctl_facts; *path; path++) {
        if (!sysctl_read(*path, text))
            continue;
        sysctl_name(*path, name);
        add_fact(out, name, text);
    }
}

/* ---- settings --------------------------------------------------------------------------------------------------- */

bool system_can_set(struct target_error *error)
{
    char value[SYSCTL_VALUE_MAX];
    const char *probe = "ipv4/tcp_no_metrics_save";
    int code = sysctl_read(probe, value) ? sysctl_write(probe, strcmp(value, "1") == 0 ? "0" : "1") : ENOENT;
    if (code == 0)
        sysctl_write(probe, value);
    if (code == 0)
        return true;
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text,
             "--settings needs to write /proc/sys/net/%s (%s): start the agent as root, where /proc/sys is writable", probe,
             strerror(code));
    return false;
}

static void change_from(const struct sysctl_change *found, struct system_change *out)
{
    memcpy(out->name, found->path, sizeof out->name);
    memcpy(out->value, found->value, sizeof out->value);
    out->without = found->without;
}

bool system_change_of(const struct target_setting *setting, struct system_change *out, struct target_error *error)
{
    struct sysctl_change found;
    if (strcmp(setting->name, "mtu") == 0)
        return sysctl_refuse(error, TARGET_ERR_UNSUPPORTED, setting, "an agent leaves the links of its host alone");
    if (!sysctl_of_setting(setting, &found, error))
        return false;
    change_from(&found, out);
    return true;
}

bool system_read(const char *name, char out[static SYSTEM_VALUE_MAX])
{
    return sysctl_read(name, out);
}

int system_write(const char *name, const char *value)
{
    return sysctl_write(name, value);
}

bool system_baseline(unsigned i, struct system_change *out)
{
    const struct sysctl_value *row = &sysctl_baseline[i];
    *out = (struct system_change){ .without = NULL };
    if (!row->path)
        return false;
    snprintf(out->name, sizeof out->name, "%s", row->path);
    snprintf(out->value, sizeof out->value, "%s", row->value);
    return true;
}

/* ---- privileges ------------------------------------------------------------------------------------------------- */

static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
    return syscall(SYS_capset, &header, none) == 0;
}

/* False where there is no such user, as in a user namespace of one user: dropping the capabilities does then, for they are what
 * root is. */
static bool become_nobody(void)
{
    return geteuid() == 0 && setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

bool system_drop_privileges(struct target_error *error)
{
    become_nobody();
    bool dropped = drop_capabilities() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    if (dropped)
        return true;
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "privileges cannot be dropped (%s)", strerror(errno));
    return false;
}

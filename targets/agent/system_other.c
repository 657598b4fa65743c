/* An agent on a system that we know no more of than POSIX: the BSDs. Its sockets work; states and settings are not offered. */
#include "targets/agent/system.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { NOBODY = 65534, LINUX_EOPNOTSUPP = 95 };

int system_open_status(void)
{
    return -1;
}

int64_t system_status(int fd, const struct pkt_endpoint *local, const struct pkt_endpoint *remote, struct target_status *out)
{
    (void)fd;
    (void)local;
    (void)remote;
    (void)out;
    return -LINUX_EOPNOTSUPP;
}

void system_identify(struct agent_identity *out)
{
    struct utsname kernel;
    if (uname(&kernel) < 0)
        return;
    snprintf(out->description, sizeof out->description, "%.32s %.48s (%.32s)", kernel.sysname, kernel.release, kernel.machine);
    snprintf(out->pixit[0].name, sizeof out->pixit[0].name, "kernel");
    snprintf(out->pixit[0].value, sizeof out->pixit[0].value, "%.60s", kernel.version);
    out->pixit_count = 1;
}

bool system_can_set(struct target_error *error)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "the agent makes no settings on this system: leave out --settings");
    return false;
}

bool system_change_of(const struct target_setting *setting, struct system_change *out, struct target_error *error)
{
    (void)out;
    error->kind = TARGET_ERR_UNSUPPORTED;
    snprintf(error->text, sizeof error->text, "setting %.64s: not on this system", setting->name);
    return false;
}

bool system_read(const char *name, char out[static SYSTEM_VALUE_MAX])
{
    (void)name;
    out[0] = '\0';
    return false;
}

int system_write(const char *name, const char *value)
{
    (void)name;
    (void)value;
    return ENOENT;
}

bool system_baseline(unsigned i, struct system_change *out)
{
    (void)i;
    (void)out;
    return false;
}

bool system_drop_privileges(struct target_error *error)
{
    if (geteuid() != 0 || (setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0))
        return true;
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "privileges cannot be dropped (%s)", strerror(errno));
    return false;
}

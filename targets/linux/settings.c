/* The sysctls that a run relies on, the settings of a scenario, and the PIXIT.
 *
 * A fresh network namespace has the kernel's own defaults, but for a few values that it copies from the machine's. Those, and
 * whatever would hide a reaction that a test waits for, are set for every run; the rest stays as the kernel ships it,
 * because that is what is being tested. A value that cannot be written but is in force already will do: a container may have a
 * read-only /proc/sys. */
#include "targets/linux/settings.h"
#include "targets/sockets/sysctl.h"
#include "targets/tap/tap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- what every run relies on ---------------------------------------------------------------------------------- */

static const struct sysctl_value RELIED_ON[] = { /* beyond sysctl_baseline */
    /* A source address anywhere is acceptable, any port may be bound. */
    { "ipv4/conf/all/rp_filter", "0" },
    { "ipv4/conf/default/rp_filter", "0" },
    { "ipv4/ip_unprivileged_port_start", "0" },
    /* IPv6 that works at once, and says nothing by itself. */
    { "ipv6/conf/all/disable_ipv6", "0" },
    { "ipv6/conf/default/disable_ipv6", "0" },
    { "ipv6/conf/default/accept_ra", "0" },
    { "ipv6/conf/default/accept_dad", "0" },
    { "ipv6/conf/default/autoconf", "0" },
    { "ipv6/conf/default/router_solicitations", "0" },
    { "ipv6/conf/default/addr_gen_mode", "1" },
    { NULL, NULL },
};

static bool apply_values(const struct sysctl_value *values, struct target_error *error)
{
    for (const struct sysctl_value *at = values; at->path; at++) {
        int code = sysctl_write(at->path, at->value);
        if (code == 0 || code == ENOENT) /* an older kernel, without that limit */
            continue;
        error->kind = TARGET_ERR_UNAVAILABLE;
        const char *remedy =
            "make /proc/sys writable (in a container: docker run --privileged, or --security-opt systempaths=unconfined)";
        snprintf(error->text, sizeof error->text, "/proc/sys/net/%s cannot be set to \"%s\" in the namespace (%s): %s", at->path,
                 at->value, strerror(code), remedy);
        return false;
    }
    return true;
}

/* ---- settings -------------------------------------------------------------------------------------------------- */

static bool apply_mtu(const struct target_setting *wanted, uint16_t *mtu, struct target_error *error)
{
    uint32_t number;
    if (!sysctl_parse_number(wanted->value, &number))
        return sysctl_refuse(error, TARGET_ERR_USAGE, wanted, "write the MTU in octets, as in \"mtu 1280\"");
    if (number < TAP_MTU_MIN || number > TAP_MTU_MAX)
        return sysctl_refuse(error, TARGET_ERR_UNSUPPORTED, wanted, "this link has an MTU of 68 to 65521 octets");
    *mtu = (uint16_t)number;
    return true;
}

static bool apply_one(const struct target_setting *wanted, uint16_t *mtu, struct target_error *error)
{
    struct sysctl_change change;
    if (strcmp(wanted->name, "mtu") == 0)
        return apply_mtu(wanted, mtu, error);
    return sysctl_of_setting(wanted, &change, error) && sysctl_make(&change, wanted, error);
}

bool settings_apply(const struct target_config *config, uint16_t *mtu, struct target_error *error)
{
    *mtu = LINUX_MTU_DEFAULT;
    if (!apply_values(sysctl_baseline, error) || !apply_values(RELIED_ON, error))
        return false;
    for (unsigned i = 0; i < config->setting_count; i++)
        if (!apply_one(&config->settings[i], mtu, error))
            return false;
    return true;
}

bool settings_have_ipv6(void)
{
    return access("/proc/sys/net/ipv6", F_OK) == 0;
}

/* ---- the PIXIT ------------------------------------------------------------------------------------------------- */

_Static_assert(SYSCTL_FACTS + 3 <= TARGET_PIXIT_MAX, "the PIXIT holds every sysctl, the kernel, its HZ and the MSL");

static void record(struct target_info *info, const char *name, const char *value)
{
    unsigned i = info->pixit_count++;
    snprintf(info->pixit[i].name, sizeof info->pixit[i].name, "%s", name);
    snprintf(info->pixit[i].value, sizeof info->pixit[i].value, "%s", value);
}

static void record_sysctl(struct target_info *info, const char *path)
{
    char name[SYSCTL_PATH_MAX], value[SYSCTL_VALUE_MAX];
    if (!sysctl_read(path, value))
        return;
    sysctl_name(path, name);
    record(info, name, value);
}

void settings_record(struct target_info *info)
{
    struct utsname kernel;
    uname(&kernel);
    snprintf(info->description, sizeof info->description, "Linux %.64s (%.32s) in a network namespace of its own", kernel.release,
             kernel.machine);
    char text[SYSCTL_VALUE_MAX];
    snprintf(text, sizeof text, "%.30s %.30s", kernel.release, kernel.version);
    record(info, "kernel", text);
    snprintf(text, sizeof text, "%lld (a timer fires up to 2/HZ + 12.5 %% late)", (long long)(1000000000 / sysctl_jiffy_ns()));
    record(info, "HZ", text);
    record(info, "MSL", "30 s (TIME-WAIT lasts 60 s: TCP_TIMEWAIT_LEN, a constant)");
    for (const char *const *path = sysctl_facts; *path; path++)
        record_sysctl(info, *path);
    info->granularity_ns = 2 * sysctl_jiffy_ns();
    info->granularity_permille = 125;
}

/* Tables of sysctls: what a run relies on, what a setting means to Linux, what goes into the PIXIT.
 *
 * A fresh network namespace has the kernel's own defaults, but for a few values that it copies from the machine's. Those, and
 * whatever would hide a reaction that a test waits for, are set for every run (RELIED_ON); the rest stays as the kernel ships it,
 * because that is what is being tested. A value that cannot be written but is in force already will do: a container may have a
 * read-only /proc/sys. */
#include "targets/linux/settings.h"
#include "targets/tap/tap.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { PATH_TEXT_MAX = 128, VALUE_TEXT_MAX = 64 };

/* ---- one sysctl ------------------------------------------------------------------------------------------------ */

/* path is below /proc/sys/net. False when there is no such file. Tabs become blanks, and the line end goes. */
static bool sysctl_read(const char *path, char out[static VALUE_TEXT_MAX])
{
    char file[PATH_TEXT_MAX];
    snprintf(file, sizeof file, "/proc/sys/net/%s", path);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, out, VALUE_TEXT_MAX - 1);
    close(fd);
    if (len < 0)
        return false;
    while (len && isspace((unsigned char)out[len - 1]))
        len--;
    out[len] = '\0';
    for (char *c = out; *c; c++)
        if (*c == '\t')
            *c = ' ';
    return true;
}

/* 0, also when it cannot be written but has that value; or a positive errno value. */
static int sysctl_write(const char *path, const char *value)
{
    char file[PATH_TEXT_MAX], present[VALUE_TEXT_MAX];
    snprintf(file, sizeof file, "/proc/sys/net/%s", path);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    int code = fd < 0 || write(fd, value, strlen(value)) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return code && sysctl_read(path, present) && strcmp(present, value) == 0 ? 0 : code;
}

/* ---- what every run relies on ---------------------------------------------------------------------------------- */

static const struct { const char *path, *value; } RELIED_ON[] = {
    /* Rate limits: a reaction that is due must not be swallowed because another test has just had one. */
    { "ipv4/tcp_invalid_ratelimit", "0" },
    { "ipv4/tcp_challenge_ack_limit", "2147483647" },
    { "ipv4/icmp_ratelimit", "0" },
    { "ipv4/icmp_ratemask", "0" },
    { "ipv6/icmp/ratelimit", "0" },
    /* Memory from one connection to the next one with the same address: each test starts from nothing. */
    { "ipv4/tcp_no_metrics_save", "1" },
    { "ipv4/tcp_no_ssthresh_metrics_save", "1" },
    /* Copied from the machine: the kernel's documented defaults, and the congestion control of the RFCs (RFC 5681). */
    { "ipv4/tcp_rmem", "4096 131072 6291456" },
    { "ipv4/tcp_wmem", "4096 16384 4194304" },
    { "ipv4/tcp_congestion_control", "reno" },
    /* A source address anywhere is acceptable, any port may be bound, a long queue of connections may be asked for. */
    { "ipv4/conf/all/rp_filter", "0" },
    { "ipv4/conf/default/rp_filter", "0" },
    { "ipv4/ip_unprivileged_port_start", "0" },
    { "core/somaxconn", "4096" },
    /* IPv6 that works at once, and says nothing by itself. */
    { "ipv6/conf/all/disable_ipv6", "0" },
    { "ipv6/conf/default/disable_ipv6", "0" },
    { "ipv6/conf/default/accept_ra", "0" },
    { "ipv6/conf/default/accept_dad", "0" },
    { "ipv6/conf/default/autoconf", "0" },
    { "ipv6/conf/default/router_solicitations", "0" },
    { "ipv6/conf/default/addr_gen_mode", "1" },
};

static bool apply_relied_on(struct target_error *error)
{
    for (size_t i = 0; i < sizeof RELIED_ON / sizeof *RELIED_ON; i++) {
        int code = sysctl_write(RELIED_ON[i].path, RELIED_ON[i].value);
        if (code == 0 || code == ENOENT) /* an older kernel, without that limit */
            continue;
        error->kind = TARGET_ERR_UNAVAILABLE;
        const char *remedy =
            "make /proc/sys writable (in a container: docker run --privileged, or --security-opt systempaths=unconfined)";
        snprintf(error->text, sizeof error->text, "/proc/sys/net/%s cannot be set to \"%s\" in the namespace (%s): %s",
                 RELIED_ON[i].path, RELIED_ON[i].value, strerror(code), remedy);
        return false;
    }
    return true;
}

/* ---- settings -------------------------------------------------------------------------------------------------- */

enum value_form { FORM_NUMBER, FORM_SWITCH, FORM_WORD, FORM_SECONDS_FROM_MS, FORM_US_FROM_MS, FORM_BUFFER, FORM_MTU };

static const struct setting {
    const char *name;
    enum value_form form;
    const char *path;
    const char *without;     /* where the kernel lacks the file: the value it behaves as; NULL: unknown */
    const char *words;       /* FORM_WORD: "word=value …" */
} SETTINGS[] = {
    { "syn-retries", FORM_NUMBER, "ipv4/tcp_syn_retries", NULL, NULL },
    { "synack-retries", FORM_NUMBER, "ipv4/tcp_synack_retries", NULL, NULL },
    { "syn-linear-timeouts", FORM_NUMBER, "ipv4/tcp_syn_linear_timeouts", "0", NULL },
    { "data-retries", FORM_NUMBER, "ipv4/tcp_retries2", NULL, NULL },
    { "orphan-retries", FORM_NUMBER, "ipv4/tcp_orphan_retries", NULL, NULL },
    { "syncookies", FORM_WORD, "ipv4/tcp_syncookies", "0", "off=0 on=1 always=2" },
    { "max-syn-backlog", FORM_NUMBER, "ipv4/tcp_max_syn_backlog", NULL, NULL },
    { "timestamps", FORM_SWITCH, "ipv4/tcp_timestamps", NULL, NULL },
    { "sack", FORM_SWITCH, "ipv4/tcp_sack", NULL, NULL },
    { "window-scaling", FORM_SWITCH, "ipv4/tcp_window_scaling", NULL, NULL },
    { "ecn", FORM_SWITCH, "ipv4/tcp_ecn", NULL, NULL },
    { "fastopen", FORM_WORD, "ipv4/tcp_fastopen", NULL, "off=0 client=1 server=2 both=3" },
    { "fin-wait-2-ms", FORM_SECONDS_FROM_MS, "ipv4/tcp_fin_timeout", NULL, NULL },
    { "tw-reuse", FORM_SWITCH, "ipv4/tcp_tw_reuse", NULL, NULL },
    { "rfc1337", FORM_SWITCH, "ipv4/tcp_rfc1337", NULL, NULL },
    { "mtu", FORM_MTU, NULL, NULL, NULL },
    { "receive-buffer", FORM_BUFFER, "ipv4/tcp_rmem", NULL, NULL },
    { "send-buffer", FORM_BUFFER, "ipv4/tcp_wmem", NULL, NULL },
    { "challenge-ack-limit", FORM_NUMBER, "ipv4/tcp_challenge_ack_limit", NULL, NULL },
    { "keepalive-idle-s", FORM_NUMBER, "ipv4/tcp_keepalive_time", NULL, NULL },
    { "keepalive-interval-s", FORM_NUMBER, "ipv4/tcp_keepalive_intvl", NULL, NULL },
    { "keepalive-probes", FORM_NUMBER, "ipv4/tcp_keepalive_probes", NULL, NULL },
    { "min-rto-ms", FORM_US_FROM_MS, "ipv4/tcp_rto_min_us", "200000", NULL },
    { "abort-on-overflow", FORM_SWITCH, "ipv4/tcp_abort_on_overflow", NULL, NULL },
};

static bool parse_number(const char *text, uint32_t *out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    *out = (uint32_t)value;
    return isdigit((unsigned char)text[0]) && !*end && !errno && value <= INT32_MAX;
}

/* The value of word in "word=value …". */
static bool look_up_word(const char *words, const char *word, char out[static VALUE_TEXT_MAX])
{
    size_t len = strlen(word);
    for (const char *at = words; at && len; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, word, len) == 0 && at[len] == '=') {
            snprintf(out, VALUE_TEXT_MAX, "%.*s", (int)strcspn(at + len + 1, " "), at + len + 1);
            return true;
        }
    }
    return false;
}

/* Writes what the kernel wants to read. False when the value makes no sense. */
static bool translate(const struct setting *setting, const char *value, char out[static VALUE_TEXT_MAX])
{
    uint32_t number = 0;
    if (setting->form == FORM_SWITCH)
        return look_up_word("off=0 on=1", value, out);
    if (setting->form == FORM_WORD)
        return look_up_word(setting->words, value, out);
    if (!parse_number(value, &number))
        return false;
    uint64_t scaled = number;
    if (setting->form == FORM_SECONDS_FROM_MS)
        scaled = number ? (scaled + 999) / 1000 : 1;
    if (setting->form == FORM_US_FROM_MS)
        scaled *= 1000;
    if (setting->form == FORM_BUFFER) /* the maximum as well, lest the kernel's tuning grow past it */
        snprintf(out, VALUE_TEXT_MAX, "%u %u %u", number < 4096 ? number : 4096, number, number);
    else
        snprintf(out, VALUE_TEXT_MAX, "%llu", (unsigned long long)scaled);
    return true;
}

static bool refuse(struct target_error *error, enum target_error_kind kind, const struct target_setting *setting, const char *why)
{
    error->kind = kind;
    snprintf(error->text, sizeof error->text, "setting %s %s: %s", setting->name, setting->value, why);
    return false;
}

static bool apply_mtu(const struct target_setting *wanted, uint16_t *mtu, struct target_error *error)
{
    uint32_t number;
    if (!parse_number(wanted->value, &number))
        return refuse(error, TARGET_ERR_USAGE, wanted, "write the MTU in octets, as in \"mtu 1280\"");
    if (number < TAP_MTU_MIN || number > TAP_MTU_MAX)
        return refuse(error, TARGET_ERR_UNSUPPORTED, wanted, "this link has an MTU of 68 to 65521 octets");
    *mtu = (uint16_t)number;
    return true;
}

static bool set_to(const char *path, const char *without, const char *value, const struct target_setting *wanted,
                   struct target_error *error)
{
    char why[160];
    int code = sysctl_write(path, value);
    if (code == 0 || (code == ENOENT && without && strcmp(without, value) == 0))
        return true;
    if (code == ENOENT)
        snprintf(why, sizeof why, "this kernel has no /proc/sys/net/%s in a namespace", path);
    else
        snprintf(why, sizeof why, "this kernel refuses \"%s\" in /proc/sys/net/%s (%s)", value, path, strerror(code));
    return refuse(error, TARGET_ERR_UNSUPPORTED, wanted, why);
}

/* "net.ipv4.tcp_frto": any sysctl of the namespace. */
static bool apply_raw(const struct target_setting *wanted, struct target_error *error)
{
    char path[PATH_TEXT_MAX / 2];
    size_t len = (size_t)snprintf(path, sizeof path, "%s", wanted->name + strlen("net."));
    if (len >= sizeof path || strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789_.") != len || strstr(path, "..") || path[0] == '.')
        return refuse(error, TARGET_ERR_USAGE, wanted, "write the sysctl's name as in \"net.ipv4.tcp_frto\"");
    for (char *c = path; *c; c++)
        if (*c == '.')
            *c = '/';
    return set_to(path, NULL, wanted->value, wanted, error);
}

static bool apply_one(const struct target_setting *wanted, uint16_t *mtu, struct target_error *error)
{
    if (strncmp(wanted->name, "net.", 4) == 0)
        return apply_raw(wanted, error);
    const struct setting *setting = SETTINGS, *end = SETTINGS + sizeof SETTINGS / sizeof *SETTINGS;
    while (setting < end && strcmp(setting->name, wanted->name) != 0)
        setting++;
    if (setting == end)
        return refuse(error, TARGET_ERR_UNSUPPORTED, wanted, "the target linux knows no such setting");
    if (setting->form == FORM_MTU)
        return apply_mtu(wanted, mtu, error);
    char value[VALUE_TEXT_MAX];
    if (!translate(setting, wanted->value, value))
        return refuse(error, TARGET_ERR_USAGE, wanted, setting->words ? setting->words : setting->form == FORM_SWITCH
                      ? "write on or off" : "write a number from 0 to 2147483647");
    if (strcmp(wanted->name, "orphan-retries") == 0 && strcmp(value, "0") == 0)
        return refuse(error, TARGET_ERR_UNSUPPORTED, wanted, "Linux takes 0 for its default, 8");
    return set_to(setting->path, setting->without, value, wanted, error);
}

bool settings_apply(const struct target_config *config, uint16_t *mtu, struct target_error *error)
{
    *mtu = LINUX_MTU_DEFAULT;
    if (!apply_relied_on(error))
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

static const char *const RECORDED[] = { /* whatever decides what a test sees */
    "ipv4/tcp_congestion_control", "ipv4/tcp_syn_retries", "ipv4/tcp_syn_linear_timeouts", "ipv4/tcp_synack_retries",
    "ipv4/tcp_retries2", "ipv4/tcp_orphan_retries", "ipv4/tcp_rto_min_us", "ipv4/tcp_rto_max_ms", "ipv4/tcp_syncookies",
    "ipv4/tcp_max_syn_backlog", "ipv4/tcp_abort_on_overflow", "ipv4/tcp_timestamps", "ipv4/tcp_sack", "ipv4/tcp_window_scaling",
    "ipv4/tcp_ecn", "ipv4/tcp_fastopen", "ipv4/tcp_fin_timeout", "ipv4/tcp_tw_reuse", "ipv4/tcp_rfc1337",
    "ipv4/tcp_keepalive_time", "ipv4/tcp_keepalive_intvl", "ipv4/tcp_keepalive_probes", "ipv4/tcp_challenge_ack_limit",
    "ipv4/tcp_invalid_ratelimit", "ipv4/icmp_ratelimit", "ipv4/tcp_comp_sack_nr", "ipv4/tcp_rmem", "ipv4/tcp_wmem",
    "ipv4/tcp_no_metrics_save",
};
enum { RECORDED_COUNT = sizeof RECORDED / sizeof *RECORDED };
_Static_assert(RECORDED_COUNT + 3 <= TARGET_PIXIT_MAX, "the PIXIT holds every sysctl, the kernel, its HZ and the MSL");

static void record(struct target_info *info, const char *name, const char *value)
{
    unsigned i = info->pixit_count++;
    snprintf(info->pixit[i].name, sizeof info->pixit[i].name, "%s", name);
    snprintf(info->pixit[i].value, sizeof info->pixit[i].value, "%s", value);
}

static void record_sysctl(struct target_info *info, const char *path)
{
    char name[sizeof info->pixit[0].name], value[VALUE_TEXT_MAX];
    if (!sysctl_read(path, value))
        return;
    snprintf(name, sizeof name, "net.%s", path);
    for (char *c = name; *c; c++)
        if (*c == '/')
            *c = '.';
    record(info, name, value);
}

/* The coarse clock moves once a jiffy. */
static int64_t jiffy_ns(void)
{
    struct timespec resolution;
    if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) < 0 || resolution.tv_sec || !resolution.tv_nsec)
        return 10000000; /* HZ=100, the coarsest there is */
    return resolution.tv_nsec;
}

void settings_record(struct target_info *info)
{
    struct utsname kernel;
    uname(&kernel);
    snprintf(info->description, sizeof info->description, "Linux %.64s (%.32s) in a network namespace of its own", kernel.release,
             kernel.machine);
    char text[VALUE_TEXT_MAX];
    snprintf(text, sizeof text, "%.30s %.30s", kernel.release, kernel.version);
    record(info, "kernel", text);
    snprintf(text, sizeof text, "%lld (a timer fires up to 2/HZ + 12.5 %% late)", (long long)(1000000000 / jiffy_ns()));
    record(info, "HZ", text);
    record(info, "MSL", "30 s (TIME-WAIT lasts 60 s: TCP_TIMEWAIT_LEN, a constant)");
    for (unsigned i = 0; i < RECORDED_COUNT; i++)
        record_sysctl(info, RECORDED[i]);
    info->granularity_ns = 2 * jiffy_ns();
    info->granularity_permille = 125;
}

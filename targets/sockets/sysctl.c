/* Tables of sysctls: what a setting means to Linux, and what goes into the PIXIT. */
#include "targets/sockets/sysctl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FILE_NAME_MAX = sizeof "/proc/sys/net/" + SYSCTL_PATH_MAX };

/* ---- one sysctl ------------------------------------------------------------------------------------------------ */

bool sysctl_read(const char *path, char out[static SYSCTL_VALUE_MAX])
{
    char file[FILE_NAME_MAX];
    snprintf(file, sizeof file, "/proc/sys/net/%s", path);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, out, SYSCTL_VALUE_MAX - 1);
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

int sysctl_write(const char *path, const char *value)
{
    char file[FILE_NAME_MAX], present[SYSCTL_VALUE_MAX];
    snprintf(file, sizeof file, "/proc/sys/net/%s", path);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    int code = fd < 0 || write(fd, value, strlen(value)) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return code && sysctl_read(path, present) && strcmp(present, value) == 0 ? 0 : code;
}

/* ---- settings --------------------------------------------------------------------------------------------------- */

enum value_form { FORM_NUMBER, FORM_SWITCH, FORM_WORD, FORM_SECONDS_FROM_MS, FORM_US_FROM_MS, FORM_BUFFER };

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
    { "receive-buffer", FORM_BUFFER, "ipv4/tcp_rmem", NULL, NULL },
    { "send-buffer", FORM_BUFFER, "ipv4/tcp_wmem", NULL, NULL },
    { "challenge-ack-limit", FORM_NUMBER, "ipv4/tcp_challenge_ack_limit", NULL, NULL },
    { "keepalive-idle-s", FORM_NUMBER, "ipv4/tcp_keepalive_time", NULL, NULL },
    { "keepalive-interval-s", FORM_NUMBER, "ipv4/tcp_keepalive_intvl", NULL, NULL },
    { "keepalive-probes", FORM_NUMBER, "ipv4/tcp_keepalive_probes", NULL, NULL },
    { "min-rto-ms", FORM_US_FROM_MS, "ipv4/tcp_rto_min_us", "200000", NULL },
    { "abort-on-overflow", FORM_SWITCH, "ipv4/tcp_abort_on_overflow", NULL, NULL },
};

bool sysctl_parse_number(const char *text, uint32_t *out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    *out = (uint32_t)value;
    return isdigit((unsigned char)text[0]) && !*end && !errno && value <= INT32_MAX;
}

/* The value of word in "word=value …". */
static bool look_up_word(const char *words, const char *word, char out[static SYSCTL_VALUE_MAX])
{
    size_t len = strlen(word);
    for (const char *at = words; at && len; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, word, len) == 0 && at[len] == '=') {
            snprintf(out, SYSCTL_VALUE_MAX, "%.*s", (int)strcspn(at + len + 1, " "), at + len + 1);
            return true;
        }
    }
    return false;
}

/* Writes what the kernel wants to read. False when the value makes no sense. */
static bool translate(const struct setting *setting, const char *value, char out[static SYSCTL_VALUE_MAX])
{
    uint32_t number = 0;
    if (setting->form == FORM_SWITCH)
        return look_up_word("off=0 on=1", value, out);
    if (setting->form == FORM_WORD)
        return look_up_word(setting->words, value, out);
    if (!sysctl_parse_number(value, &number))
        return false;
    uint64_t scaled = number;
    if (setting->form == FORM_SECONDS_FROM_MS)
        scaled = number ? (scaled + 999) / 1000 : 1;
    if (setting->form == FORM_US_FROM_MS)
        scaled *= 1000;
    if (setting->form == FORM_BUFFER) /* the maximum as well, lest the kernel's tuning grow past it */
        snprintf(out, SYSCTL_VALUE_MAX, "%u %u %u", number < 4096 ? number : 4096, number, number);
    else
        snprintf(out, SYSCTL_VALUE_MAX, "%llu", (unsigned long long)scaled);
    return true;
}

bool sysctl_refuse(struct target_error *error, enum target_error_kind kind, const struct target_setting *setting, const char *why)
{
    error->kind = kind;
    snprintf(error->text, sizeof error->text, "setting %.64s %.64s: %s", setting->name, setting->value, why);
    return false;
}

/* "net.ipv4.tcp_frto": any sysctl of the namespace. */
static bool change_by_name(const struct target_setting *wanted, struct sysctl_change *out, struct target_error *error)
{
    size_t len = (size_t)snprintf(out->path, sizeof out->path, "%s", wanted->name + strlen("net."));
    if (len >= sizeof out->path || strspn(out->path, "abcdefghijklmnopqrstuvwxyz0123456789_.") != len || strstr(out->path, "..") ||
        out->path[0] == '.')
        return sysctl_refuse(error, TARGET_ERR_USAGE, wanted, "write the sysctl's name as in \"net.ipv4.tcp_frto\"");
    if ((size_t)snprintf(out->value, sizeof out->value, "%s", wanted->value) >= sizeof out->value)
        return sysctl_refuse(error, TARGET_ERR_USAGE, wanted, "no sysctl has so long a value");
    for (char *c = out->path; *c; c++)
        if (*c == '.')
            *c = '/';
    return true;
}

bool sysctl_of_setting(const struct target_setting *wanted, struct sysctl_change *out, struct target_error *error)
{
    *out = (struct sysctl_change){ .without = NULL };
    if (strncmp(wanted->name, "net.", 4) == 0)
        return change_by_name(wanted, out, error);
    const struct setting *setting = SETTINGS, *end = SETTINGS + sizeof SETTINGS / sizeof *SETTINGS;
    while (setting < end && strcmp(setting->name, wanted->name) != 0)
        setting++;
    if (setting == end)
        return sysctl_refuse(error, TARGET_ERR_UNSUPPORTED, wanted, "Linux knows no such setting");
    if (!translate(setting, wanted->value, out->value))
        return sysctl_refuse(error, TARGET_ERR_USAGE, wanted, setting->words ? setting->words : setting->form == FORM_SWITCH
                             ? "write on or off" : "write a number from 0 to 2147483647");
    if (strcmp(wanted->name, "orphan-retries") == 0 && strcmp(out->value, "0") == 0)
        return sysctl_refuse(error, TARGET_ERR_UNSUPPORTED, wanted, "Linux takes 0 for its default, 8");
    snprintf(out->path, sizeof out->path, "%s", setting->path);
    out->without = setting->without;
    return true;
}

bool sysctl_make(const struct sysctl_change *change, const struct target_setting *setting, struct target_error *error)
{
    char why[224];
    int code = sysctl_write(change->path, change->value);
    if (code == 0 || (code == ENOENT && change->without && strcmp(change->without, change->value) == 0))
        return true;
    if (code == ENOENT)
        snprintf(why, sizeof why, "this kernel has no /proc/sys/net/%s in a namespace", change->path);
    else
        snprintf(why, sizeof why, "this kernel refuses \"%s\" in /proc/sys/net/%s (%s)", change->value, change->path,
                 strerror(code));
    return sysctl_refuse(error, TARGET_ERR_UNSUPPORTED, setting, why);
}

/* ---- what every run relies on ------------------------------------------------------------------------------------ */

const struct sysctl_value sysctl_baseline[] = {
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
    { "core/somaxconn", "4096" }, /* a long queue of connections may be asked for */
    { NULL, NULL },
};

/* ---- facts ------------------------------------------------------------------------------------------------------ */

const char *const sysctl_facts[] = {
    "ipv4/tcp_congestion_control", "ipv4/tcp_syn_retries", "ipv4/tcp_syn_linear_timeouts", "ipv4/tcp_synack_retries",
    "ipv4/tcp_retries2", "ipv4/tcp_orphan_retries", "ipv4/tcp_rto_min_us", "ipv4/tcp_rto_max_ms", "ipv4/tcp_syncookies",
    "ipv4/tcp_max_syn_backlog", "ipv4/tcp_abort_on_overflow", "ipv4/tcp_timestamps", "ipv4/tcp_sack", "ipv4/tcp_window_scaling",
    "ipv4/tcp_ecn", "ipv4/tcp_fastopen", "ipv4/tcp_fin_timeout", "ipv4/tcp_tw_reuse", "ipv4/tcp_rfc1337",
    "ipv4/tcp_keepalive_time", "ipv4/tcp_keepalive_intvl", "ipv4/tcp_keepalive_probes", "ipv4/tcp_challenge_ack_limit",
    "ipv4/tcp_invalid_ratelimit", "ipv4/icmp_ratelimit", "ipv4/tcp_comp_sack_nr", "ipv4/tcp_rmem", "ipv4/tcp_wmem",
    "ipv4/tcp_no_metrics_save", NULL,
};
_Static_assert(sizeof sysctl_facts / sizeof *sysctl_facts == SYSCTL_FACTS + 1, "the header counts them");

void sysctl_name(const char *path, char out[static SYSCTL_PATH_MAX])
{
    snprintf(out, SYSCTL_PATH_MAX, "net.%s", path);
    for (char *c = out; *c; c++)
        if (*c == '/')
            *c = '.';
}

/* The coarse clock moves once a jiffy. */
int64_t sysctl_jiffy_ns(void)
{
    struct timespec resolution;
    if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) < 0 || resolution.tv_sec || !resolution.tv_nsec)
        return 10000000; /* HZ=100, the coarsest there is */
    return resolution.tv_nsec;
}

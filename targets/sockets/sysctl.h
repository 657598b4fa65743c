/* Linux's sysctls of a network namespace: reading and writing one, which ones a setting (target.h) means, which ones are facts for
 * the results. All of them in the namespace the thread is in. */
#ifndef TCPASSAY_TARGETS_SOCKETS_SYSCTL_H
#define TCPASSAY_TARGETS_SOCKETS_SYSCTL_H

#include "engine/runner/target.h"

enum { SYSCTL_PATH_MAX = 64, SYSCTL_VALUE_MAX = 64 }; /* octets of text, the NUL included */

/* path is below /proc/sys/net, as in "ipv4/tcp_sack". False when there is no such file. Tabs become blanks and the line end goes.
 */
bool sysctl_read(const char *path, char out[static SYSCTL_VALUE_MAX]);
/* 0, also when it cannot be written but has that value; or a positive errno value. */
int sysctl_write(const char *path, const char *value);

/* What a setting means: write this there. */
struct sysctl_change {
    char path[SYSCTL_PATH_MAX];
    char value[SYSCTL_VALUE_MAX];
    const char *without; /* where the kernel lacks the file: the value it behaves as; NULL: unknown */
};
/* Any of target.h's but "mtu", which is of the link, or a sysctl by its name ("net.ipv4.tcp_frto"). False with *error: UNSUPPORTED,
 * when Linux has no such thing; USAGE, when the value makes no sense. */
bool sysctl_of_setting(const struct target_setting *setting, struct sysctl_change *out, struct target_error *error);
/* Makes it. False with *error: UNSUPPORTED, when this kernel lacks the file, or refuses the value. setting: for the message. */
bool sysctl_make(const struct sysctl_change *change, const struct target_setting *setting, struct target_error *error);
/* Fills *error, saying which setting it is about; returns false. */
bool sysctl_refuse(struct target_error *error, enum target_error_kind kind, const struct target_setting *setting, const char *why);
/* A whole number up to INT32_MAX. */
bool sysctl_parse_number(const char *text, uint32_t *out);

/* What every run relies on, on any host: no rate limits, no memory of earlier connections, the congestion control of the RFCs.
 * Ended by a path NULL. Older kernels lack some. */
struct sysctl_value { const char *path, *value; };
extern const struct sysctl_value sysctl_baseline[];

/* What decides what a test sees, each "ipv4/…", ended by NULL. */
extern const char *const sysctl_facts[];
enum { SYSCTL_FACTS = 29 };
/* "net.ipv4.tcp_sack" of "ipv4/tcp_sack". */
void sysctl_name(const char *path, char out[static SYSCTL_PATH_MAX]);
/* A timer tick. */
int64_t sysctl_jiffy_ns(void);

#endif

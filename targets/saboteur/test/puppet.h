/* A target without a mind of its own, for tests of what wraps it: emits what it is told to, and remembers what was done to it. */
#ifndef TCPASSAY_TARGETS_SABOTEUR_TEST_PUPPET_H
#define TCPASSAY_TARGETS_SABOTEUR_TEST_PUPPET_H

#include "engine/runner/target.h"

enum { PUPPET_PACKETS_MAX = 4096, PUPPET_LOG_MAX = 4096, PUPPET_SETTINGS_MAX = 8 };

struct puppet_packet { uint8_t *bytes; size_t len; };

struct puppet {
    struct target base;
    struct puppet_packet got;                      /* what it was sent last; bytes NULL: nothing since puppet_forget() */
    size_t got_count;
    struct puppet_packet queue[PUPPET_PACKETS_MAX]; /* what it will emit */
    size_t queue_first, queue_end;
    int64_t deadline_ns, now_ns;
    int event_fd;                                  /* real: readable while there is something to emit */
    char log[PUPPET_LOG_MAX];                      /* the upper-tester calls, "listen(3,5) " */
    int64_t result;                                /* of every upper-tester call */
    int64_t value;                                 /* what get_option and ioctl give */
    unsigned events;                               /* what poll gives */
    struct target_status status;
    char settings[PUPPET_SETTINGS_MAX][2][64];     /* opened with: name, value */
    unsigned setting_count;
};

/* "puppet" lives in virtual time, "puppet-real" in real time, and "puppet-only" may be open once at a time. */
extern const struct target_driver puppet_driver, puppet_real_driver, puppet_only_driver;

/* The one opened last; NULL when it was closed. */
struct puppet *puppet_last(void);
/* How many are open. */
unsigned puppet_open_count(void);

void puppet_emits(struct puppet *p, const uint8_t *bytes, size_t len);
void puppet_forget(struct puppet *p); /* what it was sent, and the log */

#endif

/* A play apart: in a child process, so that a target in this process may die of it, and how is known.
 *
 * For what other fuzzers left behind (`tcpassay fuzz --shrink`): virtual targets only. */
#ifndef TCPASSAY_FUZZ_APART_H
#define TCPASSAY_FUZZ_APART_H

#include "engine/fuzz/play.h"
#include "engine/fuzz/trial.h"

enum { APART_SECONDS_MAX = 20, APART_FINDINGS_MAX = 8, APART_PACKETS_MAX = 512, APART_BYTES_MAX = 1 << 19, APART_TEXT_MAX = 640 };

struct apart_finding { /* as struct fuzz_finding, with texts of its own */
    char rule[64], requirement[64], message[APART_TEXT_MAX], observed[APART_TEXT_MAX];
    enum requirement_level level;
    uint8_t state, event;
    uint32_t key;
};

struct apart_outcome {
    bool finished;                  /* else the target's process died: how says it, findings[0] is that */
    bool unable;                    /* the target could not be opened: how says why */
    char how[APART_TEXT_MAX];       /* "crash: heap-use-after-free in timers_fire", "hang: …" */
    unsigned finding_count;
    struct apart_finding findings[APART_FINDINGS_MAX]; /* those that make a test fail */
    unsigned packet_count;          /* what crossed the link, until it died too */
    size_t bytes_len;
    struct { int64_t at_ns; size_t offset, len; } packets[APART_PACKETS_MAX];
    uint8_t bytes[APART_BYTES_MAX];
};

struct apart;
/* Memory shared with the children. NULL: out of memory. */
struct apart *apart_new(const struct trial *trial);
void apart_free(struct apart *apart);
/* Plays the input in a child. The outcome lives until the next play; NULL with errno when no child can be had. */
const struct apart_outcome *apart_play(struct apart *apart, const struct shrink_input *input);
/* The same, shaped as the fast play tells it. */
struct fuzz_finding apart_finding(const struct apart_finding *finding);
/* The packets of an outcome as pcap. 0, or -1 with the reason in error. */
int apart_write_pcap(const struct apart_outcome *outcome, const char *path, char *error, size_t error_size);

#endif

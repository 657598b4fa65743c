/* Inside a fuzz play: what its files share. Included by engine/fuzz/play*.c only.
 *
 *   play.c          life cycle, steps, outcome          play_segment.c  a record into a packet
 *   play_call.c     the application's calls             play_virtual.c  the clock of a virtual target
 */
#ifndef TCPASSAY_FUZZ_PLAY_INSIDE_H
#define TCPASSAY_FUZZ_PLAY_INSIDE_H

#include "engine/fuzz/play.h"
#include "engine/model/pool.h"
#include "engine/runner/craft.h"
#include "engine/runner/judging.h"
#include "engine/scenario/bytes/layout.h"

enum { PLAY_TRANSFER_MAX = 65536 };

struct fuzz_play {
    struct fuzz_play_config config;
    struct player *player;         /* its parts; of a scenario without steps */
    struct scenario scenario;
    struct scn_endpoint endpoints[ENDPOINT_COUNT];
    const uint8_t *records;        /* as they are in the octets … */
    size_t records_len;            /* … with so many octets, the last record perhaps cut short */
    uint8_t header[SCN_BYTES_HEADER_LEN];
    unsigned next, opening_count, record_count; /* next: steps of the opening, then records */
    bool begun, collected, cut_short, died;
    struct craft craft;            /* of the packet at hand; payload is its own */
    struct pool *octets;           /* memory of the judges */
    uint8_t *transfer;             /* PLAY_TRANSFER_MAX octets that the application sends or receives */
    uint64_t tested[RULE_COUNT], violated[RULE_COUNT]; /* of the judges, when the play began */
    struct fuzz_outcome outcome;
    struct fuzz_finding findings[FUZZ_FINDINGS_MAX];
};

/* One step: a record, or one of the opening's, which has its descriptor apart. */
struct fuzz_step {
    enum op op;
    const uint8_t *record;
    unsigned which;                /* the descriptor that it is about, or that it makes: FD_FIRST and up */
};

/* ---- play_segment.c: false with the play stopped when it cannot be built. */
bool play_segment(struct fuzz_play *f, const uint8_t *record);
bool play_icmp(struct fuzz_play *f, const uint8_t *record);

/* ---- play_call.c */
bool play_is_call(enum op op);
/* Makes the call, whatever it comes to. The play may be stopped by that. */
void play_octet_call(struct fuzz_play *f, const struct fuzz_step *step);

#endif

/* A fuzzing campaign: breeds inputs, plays them on a target, keeps what shows something new, and settles what looks like a finding.
 *
 * Feedback is the model's (signals.h), so any target can be fuzzed with guidance. With two sides every input is played on both:
 * then what they do differently, and may, is listed too (differ.h).
 *
 * On virtual targets a campaign is a function of its seed, its corpus as it was at the beginning, and the number of runs. All that
 * it finds is on disk by the time it is told; whatever ends a campaign, what was found is kept.
 */
#ifndef TCPASSAY_FUZZ_CAMPAIGN_H
#define TCPASSAY_FUZZ_CAMPAIGN_H

#include "engine/fuzz/differ.h"
#include "engine/fuzz/suspects.h"

enum { CAMPAIGN_SIDES = 2, CAMPAIGN_STEPS_DEFAULT = 24 };

struct campaign_side {
    const struct target_driver *driver;
    const char *argument;
    const char *name;              /* as on the command line */
    const struct ledger *ledger;   /* may be NULL */
};

struct campaign_status {
    int64_t elapsed_ns;
    uint64_t plays, segments;      /* segments: in both directions */
    uint64_t disturbed;            /* plays that proved nothing: the tester or the link failed, or a call is not there */
    uint64_t deaths;               /* of the target */
    uint64_t stalls;               /* times that it no longer accepted connections */
    size_t tuples, rules, inputs;  /* (state, event, reaction) tuples and rules put to the test, and the corpus */
    size_t findings, known, doubted;
    uint64_t deviations;           /* a SHOULD not followed, in plays */
    size_t choices;                /* of a comparison */
    size_t seeds_left;             /* of the corpus as it was at the beginning, still to be played */
};

struct campaign_config {
    struct campaign_side sides[CAMPAIGN_SIDES];
    unsigned side_count;
    uint64_t seed;
    uint64_t runs_max;             /* inputs played; 0: no bound */
    int64_t time_max_ns;           /* 0: no bound */
    unsigned jobs, steps_max;      /* 0: the defaults */
    bool strict;
    bool blind;                    /* no feedback: see corpus_be_blind() */
    struct apart *apart;           /* what is shrunk is played in children, since it may kill; NULL: it is played here */
    const char *corpus;            /* a folder; NULL: in memory only */
    const char *out;               /* DIR; must be there */
    const struct shrink_input *seeds; /* beside the corpus; may be NULL */
    size_t seed_count;
    struct results_writer *writer;
    const volatile sig_atomic_t *interrupted;

    void (*say)(void *context, const char *what);      /* something that a person should know: a file skipped, a target that died */
    void (*found)(void *context, const struct campaign_side *side, const struct finding *finding);
    void (*unsaved)(void *context, const struct finding *finding, const char *text, const char *why);
    void (*status)(void *context, const struct campaign_status *status); /* about once a second */
    void *context;
};

enum campaign_end { CAMPAIGN_DONE, CAMPAIGN_INTERRUPTED, CAMPAIGN_UNABLE /* error says why */ };

struct campaign;
struct campaign *campaign_new(const struct campaign_config *config, char *error, size_t error_size);
enum campaign_end campaign_run(struct campaign *campaign, char *error, size_t error_size);
void campaign_free(struct campaign *campaign);

/* Of a campaign that has run, or runs. */
void campaign_status(const struct campaign *campaign, struct campaign_status *out);
const struct suspects *campaign_suspects(const struct campaign *campaign, unsigned side);
const struct differ *campaign_differ(const struct campaign *campaign); /* NULL with one side */

#endif

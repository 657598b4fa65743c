/* A finding of a campaign: confirmed by the player, made small, stored so that anybody can see it again.
 *
 * In DIR (the results' directory):
 *   findings/NAME.pkt     the shrunk scenario, behind a head of comments: rule, requirement, message, where, target, seed, how
 * often findings/NAME.pcap    the packets of a play that shows it results.jsonl         a test "fuzz/NAME" that fails, so that
 * every report has it NAME is the rule, the state and the event it was found at, where they are known; of a crash, also a number
 * made of the place in the stack where it died.
 */
#ifndef TCPASSAY_FUZZ_FINDING_H
#define TCPASSAY_FUZZ_FINDING_H

#include "engine/fuzz/play.h"
#include "engine/fuzz/trial.h"
#include "engine/runner/ledger.h"

enum { FINDING_NAME_MAX = 160, FINDING_TEXT_MAX = 640, FINDING_PLAYS_REAL = 5 };

struct finding {
    char name[FINDING_NAME_MAX];
    char rule[64], requirement[64];
    enum requirement_level level;
    char message[FINDING_TEXT_MAX];
    char known_note[FINDING_TEXT_MAX]; /* what the target's ledger says of it; "" when it does not know it */
    uint8_t state, event;         /* as struct fuzz_finding */
    uint64_t key;                 /* finding_key() */
    struct shrink_input input;    /* shrunk */
    unsigned plays, shown;        /* of the stored scenario: in how many of the plays it was seen again */
    uint64_t seen;                /* how often the search met it */
};

/* Findings with one key are taken for one: rule, state and event; of what kills the stack, how and where it died as well. */
uint64_t finding_key(const struct fuzz_finding *found);
/* The part of a key that is the place of a death, from what was observed; 0 of what is none. */
uint32_t finding_place(const char *rule, const char *observed);
/* Is it this rule, requirement and place of death? */
bool finding_is(const struct finding *finding, const char *rule, const char *requirement, const char *observed);
/* Takes over what the fast play found. */
void finding_begin(struct finding *finding, const struct fuzz_finding *found, const struct shrink_input *input);

struct finding_store { /* where findings go */
    const char *out;              /* DIR */
    const char *target;           /* as on the command line */
    const char *suffix;           /* of names; "" for none */
    const struct ledger *ledger;  /* NULL: nothing is known */
    struct results_writer *writer;
};
/* Plays the input as the stored scenario will be, as often as its target asks for, and stores it. 0 with finding's name, plays,
 * shown, message and known_note filled in, also when no play has shown it again; -1 with the reason in error: then the scenario's
 * text is in *unsaved, malloc'ed, where it could not be written. */
int finding_keep(struct finding *finding, const struct finding_store *store, const struct trial *trial, char **unsaved, char *error,
                 size_t error_size);

/* Takes away the text of one that no play has shown again. */
void finding_forget(const struct finding *finding, const struct finding_store *store);
/* The same for an input that kills the process that plays it (apart.h): shrunk and played in children. shown and plays are filled
 * in. */
struct apart;
int finding_keep_death(struct finding *finding, const struct finding_store *store, struct apart *apart, const struct trial *trial,
                       char **unsaved, char *error, size_t error_size);

/* The head of a stored finding: whose it is, and with which seed it shows. False when the file is none. */
struct finding_head { char target[512]; uint64_t seed; };
bool finding_read_head(const char *path, struct finding_head *head);

/* Text from a target in one line: without control characters. */
void finding_plain_text(char *text);

#endif

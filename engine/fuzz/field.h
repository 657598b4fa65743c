/* Where a campaign plays: one instance of a target and as many machines (play.h) as play on it at once.
 *
 * Virtual. One machine; field_begin() plays to the end before it returns. Each play has an instance as new.
 *
 * Real. Each seat has a machine; what begins on a free seat gets a place of its own, addresses and ports dealt as engine/runner
 * deals them. field_turn() waits for whatever comes next and runs whoever it is for, all from one epoll. What a play leaves behind
 * at the IUT, connections that nobody closes any more, is reset when it ends. A dead instance is mended or opened anew.
 */
#ifndef TCPASSAY_FUZZ_FIELD_H
#define TCPASSAY_FUZZ_FIELD_H

#include "engine/fuzz/play.h"
#include "engine/fuzz/shrink.h"
#include "reports/results.h"

struct field_ended { /* a play that is over; lives during the call */
    const struct shrink_input *input;
    const struct fuzz_outcome *outcome;
    const struct signals *signals;
    void *tag;
};

struct field_config {
    const struct target_driver *driver;
    const char *argument;
    uint64_t seed;            /* of each play; fuzz_seed() */
    unsigned jobs;            /* seats on a real target; 0: the default */
    bool strict;
    void (*ended)(void *context, const struct field_ended *ended);
    void *context;
};

enum { FIELD_JOBS_DEFAULT = 128, FIELD_JOBS_MAX = 1024, FIELD_OPENINGS_MAX = 3 };

struct field;
/* NULL with *error when the target cannot be opened. */
struct field *field_open(const struct field_config *config, struct target_error *error);
void field_close(struct field *field);

/* Is there a free seat? Always, on a virtual target. */
bool field_has_room(const struct field *field);
unsigned field_playing(const struct field *field);
/* Begins a play on a free seat; the input is copied. False when the target is lost: field_error(). ended() may be called within. */
bool field_begin(struct field *field, const struct shrink_input *input, void *tag);
/* Waits for something to happen, at most a few milliseconds, and sees to it. busy: somebody will begin a play behind it, so it
 * does not wait. False when the target is lost. */
bool field_turn(struct field *field, bool busy);
/* Plays on until nobody does. */
bool field_drain(struct field *field);
/* Closes the instance, where there can be but one, so that a trial can open its own; the next field_begin() opens one again. With
 * anew, also where there can be many: the next play is on a fresh one. Nobody may be playing. */
void field_rest(struct field *field, bool anew);

/* Why the target is lost. */
const struct target_error *field_error(const struct field *field);
/* How the instance died or failed last, and how often. "" and 0: it did not. */
struct field_deaths { uint64_t count; char how[256]; };
const struct field_deaths *field_deaths(const struct field *field);
/* Adds what the judges have gathered in all plays so far. */
void field_gather(struct field *field, struct result_model *sum);

#endif

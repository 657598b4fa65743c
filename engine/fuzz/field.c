/* Where a campaign plays: the virtual case, and the choice (see field.h). */
#include "engine/fuzz/field_real.h"

#include "engine/fuzz/trial.h"

#include <stdio.h>
#include <stdlib.h>

struct field {
    struct field_config config;
    struct field_real *real;    /* NULL: the target is virtual */
    struct fuzz_virtual *v;     /* NULL: closed, for now */
    struct shrink_input input;
    struct signals signals;
    struct target_error error;
    struct field_deaths deaths;
};

static bool open_virtual(struct field *f)
{
    const struct fuzz_virtual_config config = {
        .driver = f->config.driver, .argument = f->config.argument,
        .play = {.judged = true, .strict = f->config.strict, .signals = &f->signals},
    };
    f->v = fuzz_virtual_new(&config, &f->error);
    return f->v != NULL;
}

struct field *field_open(const struct field_config *config, struct target_error *error)
{
    struct field *f = calloc(1, sizeof *f);
    *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
    if (!f)
        return NULL;
    f->config = *config;
    const bool opened = config->driver->virtual_time ? open_virtual(f) : (f->real = field_real_open(config, error)) != NULL;
    if (opened)
        return f;
    if (!f->real && config->driver->virtual_time)
        *error = f->error;
    free(f);
    return NULL;
}

void field_close(struct field *f)
{
    if (!f)
        return;
    fuzz_virtual_free(f->v);
    field_real_close(f->real);
    free(f);
}

bool field_has_room(const struct field *f)
{
    return f->real ? field_real_has_room(f->real) : true;
}

unsigned field_playing(const struct field *f)
{
    return f->real ? field_real_playing(f->real) : 0;
}

static void note_death(struct field *f, const struct fuzz_outcome *outcome)
{
    if (outcome->end != FUZZ_DIED)
        return;
    f->deaths.count++;
    snprintf(f->deaths.how, sizeof f->deaths.how, "%.250s", outcome->reason);
}

bool field_begin(struct field *f, const struct shrink_input *input, void *tag)
{
    if (f->real)
        return field_real_begin(f->real, input, tag);
    if (!f->v && !open_virtual(f))
        return false;
    f->input = *input;
    f->signals = (struct signals){.tested = {0}};
    const struct fuzz_outcome *outcome = NULL;
    for (unsigned i = 0; i < FIELD_OPENINGS_MAX && !outcome; i++) /* one that dies while it is opened is opened again */
        outcome = fuzz_virtual_play(f->v, f->input.octets, f->input.len, fuzz_seed(f->config.seed, TRIAL_ID));
    if (!outcome) {
        f->error = *fuzz_virtual_error(f->v);
        return false;
    }
    note_death(f, outcome);
    const struct field_ended ended = {.input = &f->input, .outcome = outcome, .signals = &f->signals, .tag = tag};
    f->config.ended(f->config.context, &ended);
    return true;
}

bool field_turn(struct field *f, bool busy)
{
    return f->real ? field_real_turn(f->real, busy) : true;
}

bool field_drain(struct field *f)
{
    bool alive = true;
    while (alive && field_playing(f))
        alive = field_turn(f, false);
    return alive;
}

/* A virtual instance is as new for each play, and in nobody's way. */
void field_rest(struct field *f, bool anew)
{
    if (f->real)
        field_real_rest(f->real, anew);
}

const struct target_error *field_error(const struct field *f)
{
    return f->real ? field_real_error(f->real) : &f->error;
}

const struct field_deaths *field_deaths(const struct field *f)
{
    return f->real ? field_real_deaths(f->real) : &f->deaths;
}

void field_gather(struct field *f, struct result_model *sum)
{
    const struct judge_host *host = f->real || !f->v ? NULL : fuzz_play_judged(fuzz_virtual_machine(f->v));
    if (f->real)
        field_real_gather(f->real, sum);
    if (!host)
        return;
    coverage_add(&sum->coverage, &host->coverage);
    portrait_add(&sum->portrait, &host->portrait);
}

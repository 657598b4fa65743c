/* From suspicion to finding (see suspects.h). */
#include "engine/fuzz/suspects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAYS_VIRTUAL = 4000, PLAYS_REAL = 400, AT_ONCE_VIRTUAL = 16, AT_ONCE_REAL = 64, TRIES_REAL = 3 };

enum standing { STANDING_PENDING, STANDING_DOUBTED, STANDING_SETTLED };

struct suspicion {
    uint64_t key;
    enum standing standing;
    unsigned attempts;
    uint64_t seen;           /* while it is not settled */
    struct finding *finding; /* settled: one of the findings; else the suspicion's own */
};

struct suspects {
    struct suspects_config config;
    struct suspicion *list;
    size_t count, pending;
    struct finding **findings;
    size_t finding_count;
};

struct suspects *suspects_new(const struct suspects_config *config)
{
    struct suspects *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->config = *config;
    s->list = calloc(SUSPECTS_KEYS_MAX, sizeof *s->list);
    s->findings = calloc(SUSPECTS_KEYS_MAX, sizeof(struct finding *));
    if (s->list && s->findings)
        return s;
    suspects_free(s);
    return NULL;
}

void suspects_free(struct suspects *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].standing != STANDING_SETTLED)
            free(s->list[i].finding);
    for (size_t i = 0; i < s->finding_count; i++)
        free(s->findings[i]);
    free(s->list);
    free(s->findings);
    free(s);
}

static struct suspicion *find(struct suspects *s, uint64_t key)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].key == key)
            return &s->list[i];
    return NULL;
}

static void suspect(struct suspects *s, struct suspicion *suspicion, const struct fuzz_finding *found,
                    const struct shrink_input *input)
{
    if (s->pending == SUSPECTS_PENDING_MAX)
        return;
    if (!suspicion->finding)
        suspicion->finding = malloc(sizeof *suspicion->finding);
    if (!suspicion->finding)
        return;
    finding_begin(suspicion->finding, found, input);
    suspicion->standing = STANDING_PENDING;
    s->pending++;
}

void suspects_note(struct suspects *s, const struct fuzz_finding *found, const struct shrink_input *input)
{
    const uint64_t key = finding_key(found);
    struct suspicion *suspicion = find(s, key);
    if (!suspicion) {
        if (s->count == SUSPECTS_KEYS_MAX)
            return;
        suspicion = &s->list[s->count++];
        *suspicion = (struct suspicion){.key = key, .standing = STANDING_DOUBTED};
    }
    if (suspicion->standing == STANDING_SETTLED) {
        suspicion->finding->seen++;
        return;
    }
    suspicion->seen++;
    if (suspicion->standing == STANDING_DOUBTED && suspicion->attempts < SUSPECTS_ATTEMPTS_MAX)
        suspect(s, suspicion, found, input);
}

size_t suspects_pending(const struct suspects *s)
{
    return s->pending;
}

/* ---- trying */

struct trying {
    const struct suspects *s;
    const struct finding *finding;
    size_t first;                 /* input that shows it */
    bool stop_at_first;
    struct target_error error;
    bool unable;
};

/* Another requirement of the same rule is another finding, and so is another death. */
static bool is_same(const struct trying *t, const struct result_test *result)
{
    for (size_t i = 0; result->verdict == VERDICT_FAIL && i < result->finding_count; i++) {
        const struct result_finding *f = &result->findings[i];
        if (trial_fails(f, t->s->config.trial.strict) && finding_is(t->finding, f->rule, f->requirement, f->observed))
            return true;
    }
    return false;
}

static bool on_tried(void *context, size_t index, struct result_test *result, const struct player *player)
{
    struct trying *t = context;
    (void)player;
    if (index < t->first && is_same(t, result))
        t->first = index;
    return !(t->stop_at_first && t->first == index);
}

/* By the fast play: what the player says of the end of it all counts. */
static size_t shows_fast(void *context, const struct shrink_input *inputs, size_t count)
{
    struct trying *t = context;
    struct finding where;
    if (*t->s->config.trial.interrupted)
        return count;
    return t->s->config.locate(t->s->config.context, inputs, count, t->finding, &where);
}

static size_t shows(void *context, const struct shrink_input *inputs, size_t count)
{
    struct trying *t = context;
    t->first = count;
    if (t->unable || *t->s->config.trial.interrupted)
        return count;
    t->unable = trial_play(&t->s->config.trial, inputs, count, on_tried, t, &t->error) == TRIAL_UNABLE;
    return t->first;
}

/* On a real target what was seen once may not be seen at once again. */
static bool shows_again(struct trying *t, const struct finding *finding)
{
    const size_t tries = t->stop_at_first ? 1 : TRIES_REAL;
    struct shrink_input *inputs = malloc(tries * sizeof *inputs);
    if (!inputs)
        return false;
    for (size_t i = 0; i < tries; i++)
        inputs[i] = finding->input;
    t->first = tries;
    static const volatile sig_atomic_t never = 0; /* one play is not much: it is made to its end */
    struct trial trial = t->s->config.trial;
    trial.interrupted = &never;
    t->unable = trial_play(&trial, inputs, tries, on_tried, t, &t->error) == TRIAL_UNABLE;
    free(inputs);
    return t->first < tries;
}

/* ---- settling */

static bool keep(struct suspects *s, struct suspicion *suspicion, char *error, size_t error_size)
{
    static const volatile sig_atomic_t never = 0;
    struct trial trial = s->config.trial;
    struct finding *finding = suspicion->finding;
    char *text;
    trial.interrupted = &never;
    finding->seen += suspicion->seen;
    const int failed = finding_keep(finding, &s->config.store, &trial, &text, error, error_size);
    if (!failed && finding->shown == 0) { /* once it was seen, and never again */
        finding_forget(finding, &s->config.store);
        suspicion->standing = STANDING_DOUBTED;
        return true;
    }
    suspicion->standing = STANDING_SETTLED;
    s->findings[s->finding_count++] = finding;
    if (failed)
        s->config.unsaved(s->config.context, finding, text ? text : "", error);
    else
        s->config.found(s->config.context, finding);
    free(text);
    return !failed;
}

/* Where it is in the shrunk input. That may be a place that has been settled already: then it is one more of that. */
static struct suspicion *same_place(struct suspects *s, struct suspicion *suspicion)
{
    struct finding *finding = suspicion->finding, where = *finding;
    if (s->config.locate(s->config.context, &finding->input, 1, finding, &where))
        return NULL;
    finding->key = where.key;
    finding->state = where.state;
    finding->event = where.event;
    struct suspicion *same = find(s, where.key);
    return same && same != suspicion && same->standing == STANDING_SETTLED ? same : NULL;
}

static void join(struct suspicion *suspicion, struct suspicion *same)
{
    same->finding->seen += suspicion->seen;
    free(suspicion->finding);
    suspicion->finding = same->finding;
    suspicion->standing = STANDING_SETTLED;
}

/* Its place is settled as well, also when another input of it still waits. */
static void settle_place(struct suspects *s, struct suspicion *suspicion)
{
    struct finding *finding = suspicion->finding;
    struct suspicion *place = find(s, finding->key);
    if (place == suspicion || (!place && s->count == SUSPECTS_KEYS_MAX))
        return;
    if (!place) {
        place = &s->list[s->count++];
    } else {
        s->pending -= place->standing == STANDING_PENDING;
        finding->seen += place->seen;
        free(place->finding);
    }
    *place = (struct suspicion){.key = finding->key, .standing = STANDING_SETTLED, .finding = finding};
}

/* First by the fast play. Where the player does not see in the result what it has seen before, by the player. */
static void make_small(struct suspects *s, struct trying *t, struct finding *finding)
{
    const bool is_virtual = s->config.trial.driver->virtual_time;
    struct shrink how = {.shows = shows_fast, .context = t, .plays_max = is_virtual ? PLAYS_VIRTUAL : PLAYS_REAL,
                         .at_once_max = is_virtual ? AT_ONCE_VIRTUAL : AT_ONCE_REAL};
    const struct shrink_input as_it_was = finding->input;
    if (*s->config.trial.interrupted)
        return;
    shrink(&how, &finding->input);
    if (t->unable || shows_again(t, finding))
        return;
    finding->input = as_it_was;
    how.shows = shows;
    shrink(&how, &finding->input);
}

static bool settle(struct suspects *s, struct suspicion *suspicion, char *error, size_t error_size)
{
    struct trying t = {.s = s, .finding = suspicion->finding, .stop_at_first = s->config.trial.driver->virtual_time};
    suspicion->attempts++;
    s->pending--;
    const bool again = shows_again(&t, suspicion->finding);
    if (!again) {
        suspicion->standing = STANDING_DOUBTED;
        if (t.unable)
            snprintf(error, error_size, "%s", t.error.text);
        return !t.unable;
    }
    make_small(s, &t, suspicion->finding);
    struct suspicion *same = same_place(s, suspicion);
    if (same) {
        join(suspicion, same);
        return true;
    }
    const bool kept = keep(s, suspicion, error, error_size);
    if (suspicion->standing == STANDING_SETTLED)
        settle_place(s, suspicion);
    return kept;
}

bool suspects_settle(struct suspects *s, size_t most, char *error, size_t error_size)
{
    bool all = true;
    for (size_t i = 0; i < s->count && s->pending && most; i++) {
        if (s->list[i].standing != STANDING_PENDING)
            continue;
        all &= settle(s, &s->list[i], error, error_size);
        most--;
    }
    return all;
}

/* ---- counts */

size_t suspects_findings(const struct suspects *s)
{
    return s->finding_count;
}

const struct finding *suspects_finding(const struct suspects *s, size_t index)
{
    return s->findings[index];
}

const struct finding *suspects_doubted(const struct suspects *s, size_t index)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].standing == STANDING_DOUBTED && s->list[i].finding && index-- == 0)
            return s->list[i].finding;
    return NULL;
}

struct suspects_count suspects_count(const struct suspects *s)
{
    struct suspects_count count = {0};
    for (size_t i = 0; i < s->finding_count; i++) {
        count.known += *s->findings[i]->known_note != '\0';
        count.fresh += *s->findings[i]->known_note == '\0';
    }
    while (suspects_doubted(s, count.doubted))
        count.doubted++;
    return count;
}

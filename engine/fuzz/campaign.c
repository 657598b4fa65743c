/* A fuzzing campaign (see campaign.h).
 *
 * Theory of operation. A campaign has one or two *sides*, each a field (field.h) and the suspects found on it. Each input is one
 * *shot*: a play on every side. When a side's play ends, its signals become features and are offered to the corpus, and its failing
 * findings are noted by the suspects; when all sides are done, the two reactions are compared.
 *
 * Order. First the corpus as it was left, then seeds where there was none, then what breed.c makes of it. Between plays suspects
 * are settled: at once in virtual time; on a real clock one after the other, as long as the search gets its half of the time, since
 * those who play meanwhile are late.
 *
 * Patience. In virtual time most inputs are kept below a minute, since timers that go off cost time too; one in eight may take its
 * hours. On a real clock most are hurried to a few milliseconds, and a quarter of the seats may play what takes a second: delayed
 * ACKs and retransmissions need that.
 *
 * Liveness. A real target is greeted now and then: does a listener still answer a SYN? When it does not, several times over, the
 * inputs last played are put aside, and the target is opened anew; one that does not answer then either is given up. */
#include "engine/fuzz/campaign.h"

#include "engine/fuzz/apart.h"
#include "engine/fuzz/breed.h"
#include "engine/fuzz/field.h"
#include "engine/fuzz/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CLASSES = 8, SIDE_FEATURES = SIGNALS_COUNT * CLASSES, RECENT = 64, GREETINGS_MAX = 3, STALLS_MAX = 3, SLOW_ONE_IN = 4, LONG_ONE_IN = 8 };
static const int64_t ns_per_s = 1000000000, hurried_ns = 5000000, patient_ns = 1200000000, virtual_ns = 60000000000, greeting_every_ns = 2000000000,
                     settle_every_ns = 1000000000, progress_every_ns = 5000000000;

struct side {
    const struct campaign_side *config;
    struct campaign *campaign;
    unsigned index;
    struct field *field;
    struct suspects *suspects;
    uint64_t deaths_told;
    /* liveness */
    bool greeting_out;
    int64_t greet_at_ns;
    unsigned unanswered, stalls_in_a_row;
    struct shrink_input *recent; /* RECENT of them, what was begun last; real targets only */
    uint64_t recent_count;
};

struct shot {
    struct shot *next, **place;  /* in the campaign's list of what is played */
    struct campaign *campaign;
    unsigned sides_left;
    bool slow, greeting, clean;  /* clean: no side broke a rule */
    struct locating *locating;   /* what the play is for, instead of all the rest; NULL: it is not */
    struct shrink_input *input;  /* with two sides, else NULL */
    struct reactions *did;       /* of each side, with two sides */
};

struct queued { uint8_t *octets; size_t len; };

struct locating { const struct finding *finding; struct finding where; bool found; }; /* is this rule broken in a play, and where? */

struct campaign {
    struct campaign_config config;
    struct side sides[CAMPAIGN_SIDES];
    struct corpus *corpus;
    struct differ *differ;
    struct queued *queue;
    size_t queued, taken;
    struct signals_seen *seen;   /* of all sides together */
    uint32_t *features;          /* of the play at hand */
    struct shot *shots;          /* that are played */
    uint64_t random;
    int64_t begun_ns, told_ns, settled_ns, settling_ns /* how long that took */, progress_ns;
    unsigned slow, slow_max;
    uint64_t begun;              /* inputs */
    struct campaign_status count; /* what is counted as it happens */
    FILE *progress;
    char *error;                 /* of campaign_run() */
    size_t error_size;
    bool failed;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * ns_per_s + t.tv_nsec;
}

static void fail(struct campaign *c, const char *why)
{
    if (!c->failed)
        snprintf(c->error, c->error_size, "%s", why);
    c->failed = true;
}

static void say(const struct campaign *c, const char *what)
{
    if (c->config.say)
        c->config.say(c->config.context, what);
}

static bool is_real(const struct side *side)
{
    return !side->config->driver->virtual_time;
}

/* ---- what a play has shown */

static unsigned class_of(uint8_t count)
{
    static const uint8_t least[CLASSES] = {1, 2, 3, 4, 8, 16, 32, 128};
    unsigned class = 0;
    while (class + 1 < CLASSES && count >= least[class + 1])
        class ++;
    return class;
}

static size_t features_of(const struct signals *signals, unsigned side, uint32_t *out)
{
    const uint8_t *counters = (const uint8_t *)signals;
    size_t count = 0;
    for (size_t i = 0; i < SIGNALS_COUNT; i++)
        if (counters[i])
            out[count++] = (uint32_t)(side * SIDE_FEATURES + i * CLASSES + class_of(counters[i]));
    return count;
}

static bool proves_nothing(const struct fuzz_outcome *outcome)
{
    return outcome->end == FUZZ_STOPPED || outcome->lost_something;
}

static uint64_t cost_of(const struct side *side, const struct fuzz_outcome *outcome, size_t len)
{
    const uint64_t time = is_real(side) ? (uint64_t)(outcome->duration_ns / 1000000) : 0;
    return 1 + len / SCN_BYTES_RECORD_LEN + outcome->sent + outcome->received + time;
}

static void learn(struct campaign *c, const struct side *side, const struct field_ended *ended)
{
    if (ended->outcome->end == FUZZ_DIED)
        return; /* its children would mostly die of the same */
    const size_t count = features_of(ended->signals, side->index, c->features);
    signals_merge(c->seen, ended->signals);
    corpus_offer(c->corpus, ended->input->octets, ended->input->len, c->features, count,
                 cost_of(side, ended->outcome, ended->input->len));
    if (corpus_failure(c->corpus))
        fail(c, corpus_failure(c->corpus));
}

/* True when a rule was broken. */
static bool note_findings(struct campaign *c, const struct side *side, const struct field_ended *ended)
{
    bool broken = false;
    for (unsigned i = 0; i < ended->outcome->finding_count; i++) {
        const struct fuzz_finding *found = &ended->outcome->findings[i];
        if (fuzz_finding_fails(found, c->config.strict)) {
            suspects_note(side->suspects, found, ended->input);
            broken = true;
        } else if (found->level != LEVEL_MAY) {
            c->count.deviations++;
        }
    }
    return broken;
}

static void list_shot(struct campaign *c, struct shot *shot)
{
    shot->campaign = c;
    shot->next = c->shots;
    shot->place = &c->shots;
    if (c->shots)
        c->shots->place = &shot->next;
    c->shots = shot;
}

static void free_shot(struct shot *shot)
{
    *shot->place = shot->next;
    if (shot->next)
        shot->next->place = shot->place;
    free(shot->input);
    free(shot->did);
    free(shot);
}

static void end_shot(struct shot *shot)
{
    struct campaign *c = shot->campaign;
    if (shot->input && shot->clean)
        differ_note(c->differ, shot->input, &shot->did[0], &shot->did[1]);
    c->slow -= shot->slow;
    free_shot(shot);
}

static void end_greeting(struct side *side, const struct field_ended *ended)
{
    bool answered = false;
    for (unsigned state = 0; state < REACTION_STATES; state++)
        answered |=
            ended->signals->reactions.counts[state][REACTION_SYN * REACTION_PLACES + REACTION_NEXT][REACTION_IS_SYN_ACK] != 0;
    side->greeting_out = false;
    side->unanswered = answered ? 0 : side->unanswered + 1;
    side->stalls_in_a_row = answered ? 0 : side->stalls_in_a_row;
    side->greet_at_ns = now_ns() + greeting_every_ns / (answered ? 1 : 10);
}

static void end_locating(struct locating *l, const struct fuzz_outcome *outcome)
{
    for (unsigned i = 0; i < outcome->finding_count && !l->found; i++) {
        const struct fuzz_finding *found = &outcome->findings[i];
        if (!finding_is(l->finding, found->rule, found->requirement, found->observed))
            continue;
        finding_begin(&l->where, found, &l->finding->input);
        l->found = true;
    }
}

static void on_ended(void *context, const struct field_ended *ended)
{
    struct side *side = context;
    struct campaign *c = side->campaign;
    struct shot *shot = ended->tag;
    c->count.segments += ended->outcome->sent + ended->outcome->received;
    if (shot->locating || shot->greeting) {
        if (shot->locating)
            end_locating(shot->locating, ended->outcome);
        else
            end_greeting(side, ended);
        free_shot(shot);
        return;
    }
    c->count.plays++;
    if (proves_nothing(ended->outcome)) {
        c->count.disturbed++;
        shot->clean = false;
    } else {
        shot->clean &= ended->outcome->lateness_ns <= SCHEDULE_LATENESS_MAX_NS && !note_findings(c, side, ended);
        learn(c, side, ended);
    }
    if (shot->did)
        shot->did[side->index] = ended->signals->reactions;
    if (--shot->sides_left == 0)
        end_shot(shot);
}

/* ---- the next input */

static void take_queued(struct campaign *c, struct shrink_input *out)
{
    struct queued *next = &c->queue[c->taken++];
    out->len = next->len < SCN_BYTES_MAX ? next->len : SCN_BYTES_MAX;
    memcpy(out->octets, next->octets, out->len);
    free(next->octets);
    next->octets = NULL;
}

static void next_input(struct campaign *c, struct shot *shot, struct shrink_input *out)
{
    bool any_real = false;
    if (c->taken < c->queued)
        take_queued(c, out);
    else
        breed_next(c->corpus, c->config.steps_max, &c->random, out);
    for (unsigned i = 0; i < c->config.side_count; i++)
        any_real |= is_real(&c->sides[i]);
    if (!any_real) {
        if (breed_random(&c->random) % LONG_ONE_IN)
            breed_hurry(out, virtual_ns);
        return;
    }
    shot->slow = c->slow < c->slow_max && breed_random(&c->random) % SLOW_ONE_IN == 0;
    c->slow += shot->slow;
    breed_hurry(out, shot->slow ? patient_ns : hurried_ns);
}

static void remember(struct side *side, const struct shrink_input *input)
{
    if (side->recent)
        side->recent[side->recent_count++ % RECENT] = *input;
}

static struct shot *new_shot(struct campaign *c)
{
    struct shot *shot = calloc(1, sizeof *shot);
    if (!shot)
        return NULL;
    *shot = (struct shot){.sides_left = c->config.side_count, .clean = true};
    list_shot(c, shot);
    if (!c->differ)
        return shot;
    shot->input = malloc(sizeof *shot->input);
    shot->did = calloc(CAMPAIGN_SIDES, sizeof *shot->did);
    if (shot->input && shot->did)
        return shot;
    free_shot(shot);
    return NULL;
}

static void shoot(struct campaign *c)
{
    struct shrink_input input;
    struct shot *shot = new_shot(c);
    if (!shot) {
        fail(c, "out of memory");
        return;
    }
    next_input(c, shot, &input);
    if (shot->input)
        *shot->input = input;
    c->begun++;
    for (unsigned i = 0; i < c->config.side_count && !c->failed; i++) {
        remember(&c->sides[i], &input);
        if (!field_begin(c->sides[i].field, &input, shot))
            fail(c, field_error(c->sides[i].field)->text);
    }
}

/* ---- liveness */

static void greet(struct side *side)
{
    struct shot *shot = field_has_room(side->field) ? calloc(1, sizeof *shot) : NULL;
    struct shrink_input input;
    if (!shot)
        return;
    *shot = (struct shot){.greeting = true};
    list_shot(side->campaign, shot);
    breed_greeting(&input);
    side->greeting_out = true;
    if (!field_begin(side->field, &input, shot))
        fail(side->campaign, field_error(side->field)->text);
}

/* What was played last is put where somebody can play it again. */
static void put_aside(struct side *side)
{
    char path[4096], error[600];
    const size_t count = side->recent_count < RECENT ? (size_t)side->recent_count : RECENT;
    snprintf(path, sizeof path, "%s/stall-%" PRIu64, side->campaign->config.out, side->campaign->count.stalls);
    int failed = store_make_folder(path, error, sizeof error);
    for (size_t i = 0; i < count && !failed; i++) {
        const struct shrink_input *input = &side->recent[(side->recent_count - count + i) % RECENT];
        snprintf(path, sizeof path, "%s/stall-%" PRIu64 "/%02zu", side->campaign->config.out, side->campaign->count.stalls, i + 1);
        failed = store_write(path, input->octets, input->len, error, sizeof error);
    }
    if (failed)
        fail(side->campaign, error);
}

/* It has not answered several SYNs in a row. */
static void stall(struct side *side)
{
    struct campaign *c = side->campaign;
    char text[256];
    if (field_playing(side->field))
        return; /* first those who play come to their end */
    c->count.stalls++;
    put_aside(side);
    side->unanswered = 0;
    if (++side->stalls_in_a_row == STALLS_MAX) {
        snprintf(text, sizeof text, "target %.100s no longer accepts connections, nor does it when it is opened anew",
                 side->config->name);
        fail(c, text);
        return;
    }
    snprintf(text, sizeof text,
             "target %.60s no longer accepts connections; it is opened anew, and what was played last is in %.60s/stall-%" PRIu64,
             side->config->name, c->config.out, c->count.stalls);
    say(c, text);
    field_rest(side->field, true);
}

static bool is_stalled(const struct side *side)
{
    return side->unanswered >= GREETINGS_MAX;
}

static void look_after(struct side *side, int64_t now)
{
    const struct field_deaths *deaths = field_deaths(side->field);
    if (deaths->count != side->deaths_told) {
        char text[512];
        snprintf(text, sizeof text, "target %.100s died: %.250s; it is opened anew", side->config->name, deaths->how);
        if (side->deaths_told == 0)
            say(side->campaign, text);
        side->deaths_told = deaths->count;
    }
    if (!is_real(side))
        return;
    if (is_stalled(side))
        stall(side);
    else if (!side->greeting_out && now >= side->greet_at_ns)
        greet(side);
}

/* ---- suspects */

static bool is_locating(const struct campaign *c)
{
    for (const struct shot *shot = c->shots; shot; shot = shot->next)
        if (shot->locating)
            return true;
    return false;
}

static bool begin_locating(struct side *side, const struct shrink_input *input, struct locating *locating)
{
    while (!field_has_room(side->field))
        if (!field_turn(side->field, false))
            return false;
    struct shot *shot = calloc(1, sizeof *shot);
    if (!shot)
        return false;
    *shot = (struct shot){.locating = locating};
    list_shot(side->campaign, shot);
    return field_begin(side->field, input, shot);
}

static size_t locate_apart(const struct campaign *c, const struct shrink_input *inputs, size_t count, const struct finding *finding,
                           struct finding *where)
{
    for (size_t i = 0; i < count; i++) {
        const struct apart_outcome *outcome = apart_play(c->config.apart, &inputs[i]);
        for (unsigned k = 0; outcome && k < outcome->finding_count; k++) {
            const struct fuzz_finding found = apart_finding(&outcome->findings[k]);
            if (!finding_is(finding, found.rule, found.requirement, found.observed))
                continue;
            finding_begin(where, &found, &inputs[i]);
            return i;
        }
    }
    return count;
}

/* On a virtual target one after the other until it is found; else all at once. Others may be playing beside them. */
static size_t locate(void *context, const struct shrink_input *inputs, size_t count, const struct finding *finding,
                     struct finding *where)
{
    struct side *side = context;
    if (side->campaign->config.apart)
        return locate_apart(side->campaign, inputs, count, finding, where);
    struct locating *list = side->campaign->failed ? NULL : calloc(count, sizeof *list);
    size_t begun = 0, first = 0;
    bool alive = list != NULL;
    for (; begun < count && alive; begun++) {
        list[begun].finding = finding;
        alive = begin_locating(side, &inputs[begun], &list[begun]);
        if (list[begun].found)
            break;
    }
    while (alive && is_real(side) && is_locating(side->campaign))
        alive = field_turn(side->field, false);
    if (!alive) /* nobody is turned to any more, so nobody answers */
        fail(side->campaign, list ? field_error(side->field)->text : "out of memory");
    while (first < count && list && !list[first].found)
        first++;
    if (first < count && list)
        *where = list[first].where;
    const size_t found = list ? first : count;
    free(list);
    return found;
}

static void on_found(void *context, const struct finding *finding)
{
    const struct side *side = context;
    if (side->campaign->config.found)
        side->campaign->config.found(side->campaign->config.context, side->config, finding);
}

static void on_unsaved(void *context, const struct finding *finding, const char *text, const char *why)
{
    const struct side *side = context;
    if (side->campaign->config.unsaved)
        side->campaign->config.unsaved(side->campaign->config.context, finding, text, why);
}

static void settle(struct campaign *c, struct side *side, size_t most)
{
    char error[1024];
    const int64_t begun_ns = now_ns();
    if (suspects_pending(side->suspects) == 0)
        return;
    field_rest(side->field, false);
    if (!suspects_settle(side->suspects, most, error, sizeof error))
        fail(c, error);
    c->settled_ns = now_ns();
    c->settling_ns = c->settled_ns - begun_ns;
}

static bool wants_settling(const struct campaign *c, const struct side *side, int64_t now)
{
    const size_t pending = suspects_pending(side->suspects);
    return pending && (!is_real(side) || now - c->settled_ns > (c->settling_ns > settle_every_ns ? c->settling_ns : settle_every_ns));
}

/* ---- telling */

void campaign_status(const struct campaign *c, struct campaign_status *out)
{
    const struct signals_total total = signals_total(c->seen);
    *out = c->count;
    out->elapsed_ns = now_ns() - c->begun_ns;
    out->tuples = total.tuples;
    out->rules = total.rules_tested;
    out->inputs = corpus_count(c->corpus);
    out->seeds_left = c->queued - c->taken;
    out->choices = c->differ ? differ_count(c->differ) : 0;
    for (unsigned i = 0; i < c->config.side_count; i++) {
        const struct suspects_count count = suspects_count(c->sides[i].suspects);
        out->findings += count.fresh;
        out->known += count.known;
        out->doubted += count.doubted;
        out->deaths += field_deaths(c->sides[i].field)->count;
    }
}

static void write_progress(struct campaign *c, const struct campaign_status *s)
{
    if (!c->progress)
        return;
    fprintf(c->progress,
            "{\"at_ns\":%" PRId64 ",\"plays\":%" PRIu64 ",\"segments\":%" PRIu64
            ",\"tuples\":%zu,\"rules\":%zu,\"inputs\":%zu,\"findings\":%zu,\"known\":%zu}\n",
            s->elapsed_ns, s->plays, s->segments, s->tuples, s->rules, s->inputs, s->findings, s->known);
    if (fflush(c->progress) == 0)
        return;
    char text[600];
    snprintf(text, sizeof text, "%.400s/progress.jsonl: %s", c->config.out, strerror(errno));
    fclose(c->progress);
    c->progress = NULL;
    fail(c, text);
}

static void tell(struct campaign *c, int64_t now, bool last)
{
    struct campaign_status status;
    const bool due = now - c->told_ns >= ns_per_s, progress_due = last || now - c->progress_ns >= progress_every_ns;
    if (!due && !last)
        return;
    campaign_status(c, &status);
    c->told_ns = now;
    if (c->config.status && !last)
        c->config.status(c->config.context, &status);
    if (progress_due) {
        c->progress_ns = now;
        write_progress(c, &status);
    }
}

/* ---- the loop */

static bool is_over(const struct campaign *c, int64_t now)
{
    return c->failed || *c->config.interrupted || (c->config.runs_max && c->begun >= c->config.runs_max) ||
           (c->config.time_max_ns && now - c->begun_ns >= c->config.time_max_ns);
}

static bool has_room(const struct campaign *c)
{
    for (unsigned i = 0; i < c->config.side_count; i++)
        if (!field_has_room(c->sides[i].field) || is_stalled(&c->sides[i]))
            return false;
    return true;
}

static bool anybody_plays(const struct campaign *c)
{
    for (unsigned i = 0; i < c->config.side_count; i++)
        if (field_playing(c->sides[i].field))
            return true;
    return false;
}

static void turn(struct campaign *c, bool busy)
{
    for (unsigned i = 0; i < c->config.side_count && !c->failed; i++)
        if (!field_turn(c->sides[i].field, busy))
            fail(c, field_error(c->sides[i].field)->text);
}

/* Where the player needs the only instance there can be, nobody begins anything until it is free. Elsewhere others play on beside
 * it, and when they were late for that, it is known (on_ended). True: wait. */
static bool settle_if_wanted(struct campaign *c, int64_t now)
{
    for (unsigned i = 0; i < c->config.side_count && !c->failed; i++) {
        struct side *side = &c->sides[i];
        if (!wants_settling(c, side, now))
            continue;
        if (field_playing(side->field) && is_real(side) && !side->config->driver->many)
            return true;
        settle(c, side, is_real(side) && side->config->driver->many ? 1 : SIZE_MAX);
    }
    return false;
}

static void one_round(struct campaign *c)
{
    enum { SHOTS_AT_ONCE = 8 };
    const int64_t now = now_ns();
    const bool settling = settle_if_wanted(c, now);
    for (unsigned i = 0; i < c->config.side_count && !settling && !c->failed; i++)
        look_after(&c->sides[i], now);
    for (unsigned i = 0; i < SHOTS_AT_ONCE && !settling && has_room(c) && !is_over(c, now); i++)
        shoot(c);
    turn(c, !settling && has_room(c));
    tell(c, now, false);
}

/* All that plays comes to its end, and all that was noted is settled. */
static void wind_up(struct campaign *c)
{
    while (anybody_plays(c) && !c->failed)
        turn(c, false);
    for (unsigned i = 0; i < c->config.side_count; i++)
        settle(c, &c->sides[i], SIZE_MAX);
}

static void write_model(struct campaign *c)
{
    struct result_model *seen = calloc(1, sizeof *seen);
    for (unsigned i = 0; i < c->config.side_count && seen; i++)
        field_gather(c->sides[i].field, seen);
    if (seen && c->config.writer && results_writer_model(c->config.writer, seen) < 0)
        fail(c, results_writer_error(c->config.writer));
    free(seen);
}

enum campaign_end campaign_run(struct campaign *c, char *error, size_t error_size)
{
    c->error = error;
    c->error_size = error_size;
    c->begun_ns = c->told_ns = c->settled_ns = c->progress_ns = now_ns();
    while (!is_over(c, now_ns()))
        one_round(c);
    wind_up(c);
    if (c->differ) {
        differ_sort(c->differ);
        if (differ_store(c->differ, c->config.out, c->sides[0].config->name, c->sides[1].config->name, error, error_size) < 0)
            c->failed = true;
    }
    tell(c, now_ns(), true);
    write_model(c);
    return c->failed ? CAMPAIGN_UNABLE : *c->config.interrupted ? CAMPAIGN_INTERRUPTED : CAMPAIGN_DONE;
}

/* ---- life cycle */

static bool enqueue(void *context, const uint8_t *octets, size_t len)
{
    struct campaign *c = context;
    struct queued *grown = realloc(c->queue, (c->queued + 1) * sizeof *grown);
    if (grown)
        c->queue = grown;
    uint8_t *copy = grown ? malloc(len ? len : 1) : NULL;
    if (!copy)
        return false;
    memcpy(copy, octets, len);
    c->queue[c->queued++] = (struct queued){copy, len};
    return true;
}

static void on_skipped(void *context, const char *path, const char *why)
{
    char text[5000];
    snprintf(text, sizeof text, "the corpus: %s is left out: %s", path, why);
    say(context, text);
}

static bool open_corpus(struct campaign *c, char *error, size_t error_size)
{
    c->corpus = corpus_new(c->config.corpus, CAMPAIGN_SIDES * SIDE_FEATURES, error, error_size);
    if (c->corpus && c->config.blind)
        corpus_be_blind(c->corpus, c->config.seed);
    if (!c->corpus || corpus_load(c->corpus, enqueue, on_skipped, c, error, error_size) < 0)
        return false;
    const bool wants_seeds = c->queued == 0;
    for (size_t i = 0; i < c->config.seed_count && wants_seeds; i++)
        enqueue(c, c->config.seeds[i].octets, c->config.seeds[i].len);
    return true;
}

static bool open_progress(struct campaign *c, char *error, size_t error_size)
{
    char path[4096];
    if (!c->config.out)
        return true;
    snprintf(path, sizeof path, "%s/progress.jsonl", c->config.out);
    c->progress = fopen(path, "ae");
    if (!c->progress)
        snprintf(error, error_size, "%.400s: %s", path, strerror(errno));
    return c->progress != NULL;
}

static bool open_side(struct campaign *c, unsigned index, char *error, size_t error_size)
{
    struct side *side = &c->sides[index];
    struct target_error target_error = {0};
    *side = (struct side){.config = &c->config.sides[index], .campaign = c, .index = index};
    const struct field_config field = {
        .driver = side->config->driver, .argument = side->config->argument, .seed = c->config.seed, .jobs = c->config.jobs,
        .strict = c->config.strict, .ended = on_ended, .context = side,
    };
    const struct suspects_config suspects = {
        .trial = {.driver = side->config->driver, .argument = side->config->argument, .seed = c->config.seed, .strict = c->config.strict,
                  .interrupted = c->config.interrupted},
        .store = {.out = c->config.out, .target = side->config->name, .suffix = index ? "against" : "", .ledger = side->config->ledger,
                  .writer = c->config.writer},
        .locate = locate, .found = on_found, .unsaved = on_unsaved, .context = side,
    };
    side->suspects = suspects_new(&suspects);
    side->recent = is_real(side) ? calloc(RECENT, sizeof *side->recent) : NULL;
    if (!side->suspects || (is_real(side) && !side->recent)) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    side->field = field_open(&field, &target_error);
    if (!side->field)
        snprintf(error, error_size, "target %.100s: %s", side->config->name, target_error.text);
    return side->field != NULL;
}

struct campaign *campaign_new(const struct campaign_config *config, char *error, size_t error_size)
{
    struct campaign *c = calloc(1, sizeof *c);
    bool opened = c != NULL;
    snprintf(error, error_size, "out of memory");
    if (!c)
        return NULL;
    c->config = *config;
    c->config.steps_max = config->steps_max ? config->steps_max : CAMPAIGN_STEPS_DEFAULT;
    c->config.jobs = config->jobs;
    c->slow_max = (config->jobs ? config->jobs : FIELD_JOBS_DEFAULT) / 4;
    c->random = config->seed;
    c->seen = calloc(1, sizeof *c->seen);
    c->features = calloc(SIGNALS_COUNT, sizeof *c->features);
    c->differ = config->side_count > 1 ? differ_new() : NULL;
    opened = c->seen && c->features && (config->side_count == 1 || c->differ) && open_corpus(c, error, error_size) &&
             open_progress(c, error, error_size);
    for (unsigned i = 0; i < config->side_count && opened; i++)
        opened = open_side(c, i, error, error_size);
    if (opened)
        return c;
    campaign_free(c);
    return NULL;
}

void campaign_free(struct campaign *c)
{
    if (!c)
        return;
    while (c->shots)
        free_shot(c->shots);
    for (unsigned i = 0; i < CAMPAIGN_SIDES; i++) {
        field_close(c->sides[i].field);
        suspects_free(c->sides[i].suspects);
        free(c->sides[i].recent);
    }
    for (size_t i = c->taken; i < c->queued; i++)
        free(c->queue[i].octets);
    free(c->queue);
    corpus_free(c->corpus);
    differ_free(c->differ);
    free(c->seen);
    free(c->features);
    if (c->progress)
        fclose(c->progress);
    free(c);
}

const struct suspects *campaign_suspects(const struct campaign *c, unsigned side)
{
    return c->sides[side].suspects;
}

const struct differ *campaign_differ(const struct campaign *c)
{
    return c->differ;
}

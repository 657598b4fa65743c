/* The virtual clock for a fuzz play: as engine/runner/schedule_virtual.c, which says why, with instances that begin again. */
#include "engine/fuzz/play_inside.h"

#include <stdlib.h>

static const int64_t virtual_start_ns = INT64_C(3600) * SCN_NS_PER_S;
static const struct player_place only_place = {.tester_address = 0, .tester_port = 20480, .iut_port = 8080, .echo_id = 1};

struct fuzz_virtual {
    struct fuzz_virtual_config config;
    struct target *target;         /* of the last play, not begun again yet; NULL: none */
    struct fuzz_play *play;
    uint8_t *buffer;               /* PKT_BYTES_MAX octets */
    int64_t now_ns;
    bool any;                      /* something has come since this was last false */
    struct target_error error;
};

/* Hands over all that the IUT has emitted. */
static void drain(void *context)
{
    struct fuzz_virtual *v = context;
    int64_t at_ns;
    for (ssize_t len; (len = v->target->ops->receive(v->target, v->buffer, PKT_BYTES_MAX, &at_ns)) > 0; v->any = true)
        fuzz_play_receive(v->play, v->buffer, (size_t)len, v->now_ns - v->target->info.rtt_ns, v->now_ns);
}

static void show_packet(void *context, int64_t at_ns, const uint8_t *bytes, size_t len)
{
    const struct fuzz_virtual *v = context;
    v->config.play.packet(v->config.play.context, at_ns, bytes, len);
}

static bool open_target(struct fuzz_virtual *v, uint64_t seed)
{
    const struct target_config config = {.seed = seed};
    v->error = (struct target_error){0};
    v->target = v->config.driver->open(v->config.argument ? v->config.argument : "", &config, &v->error);
    return v->target;
}

/* An instance as new. */
static bool renew_target(struct fuzz_virtual *v, uint64_t seed)
{
    struct target *old = v->target;
    if (old && old->ops->restart && old->ops->restart(old, seed))
        return true;
    if (old)
        old->ops->close(old);
    v->target = NULL;
    if (!open_target(v, seed))
        return false;
    if (v->play)
        fuzz_play_move(v->play, v->target);
    return true;
}

struct fuzz_virtual *fuzz_virtual_new(const struct fuzz_virtual_config *config, struct target_error *error)
{
    struct fuzz_virtual *v = calloc(1, sizeof *v);
    *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
    if (!v)
        return NULL;
    v->config = *config;
    if (!v->config.rounds_max)
        v->config.rounds_max = FUZZ_ROUNDS_DEFAULT;
    v->buffer = malloc(PKT_BYTES_MAX);
    if (v->buffer && renew_target(v, 0)) {
        struct fuzz_play_config play = config->play;
        play.target = v->target;
        play.catch_up = drain;
        play.packet = config->play.packet ? show_packet : NULL;
        play.context = v;
        v->play = fuzz_play_new(&play);
    }
    if (v->play)
        return v;
    if (v->error.kind != TARGET_ERR_NONE)
        *error = v->error;
    fuzz_virtual_free(v);
    return NULL;
}

void fuzz_virtual_free(struct fuzz_virtual *v)
{
    if (!v)
        return;
    fuzz_play_free(v->play);
    if (v->target)
        v->target->ops->close(v->target);
    free(v->buffer);
    free(v);
}

static void turn_the_clock(struct fuzz_virtual *v)
{
    struct target *target = v->target;
    for (unsigned rounds = 0; !fuzz_play_finished(v->play); rounds++) {
        v->any = false;
        fuzz_play_run(v->play, v->now_ns);
        drain(v);
        if (v->any)
            continue;
        if (fuzz_play_finished(v->play))
            return;
        const int64_t iut = target->ops->deadline(target), wish = fuzz_play_deadline(v->play), next = wish < iut ? wish : iut;
        if (next == INT64_MAX || rounds >= v->config.rounds_max) {
            fuzz_play_abort(v->play, next == INT64_MAX ? FUZZ_STOPPED : FUZZ_CUT_SHORT,
                            next == INT64_MAX ? "neither the tester nor the IUT will ever do anything again" : "more turns of the clock than the bound");
            return;
        }
        if (next > v->now_ns)
            v->now_ns = next;
        target->ops->advance(target, v->now_ns);
        drain(v);
    }
}

static void see_who_died(struct fuzz_virtual *v)
{
    char how[TARGET_TEXT_MAX] = "";
    struct target *target = v->target;
    if (target->ops->finish)
        target->ops->finish(target);
    if (target->ops->deaths && target->ops->deaths(target, how, sizeof how) > 0)
        fuzz_play_iut_died(v->play, how);
}

const struct fuzz_outcome *fuzz_virtual_play(struct fuzz_virtual *v, const uint8_t *octets, size_t len, uint64_t seed)
{
    if (!renew_target(v, seed))
        return NULL;
    v->now_ns = virtual_start_ns;
    v->target->ops->advance(v->target, virtual_start_ns);
    if (!fuzz_play_begin(v->play, octets, len, &only_place, seed, virtual_start_ns)) {
        v->error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
        return NULL;
    }
    turn_the_clock(v);
    see_who_died(v);
    return fuzz_play_outcome(v->play);
}

const struct target_error *fuzz_virtual_error(const struct fuzz_virtual *v)
{
    return &v->error;
}

struct target *fuzz_virtual_target(struct fuzz_virtual *v)
{
    return v->target;
}

struct fuzz_play *fuzz_virtual_machine(struct fuzz_virtual *v)
{
    return v->play;
}

/* The virtual clock: it stands still while anything can be done, then jumps to the next thing that wants to be (see schedule.h). */
#include "engine/runner/schedule_internal.h"

#include <stdlib.h>
#include <string.h>

enum { VIRTUAL_ROUNDS_MAX = 20000000 };
/* Not zero, so that no clock of the IUT starts at zero. */
static const int64_t virtual_start_ns = INT64_C(3600) * SCN_NS_PER_S;

static const struct player_place only_place = {.tester_address = 0, .tester_port = 20480, .iut_port = 8080, .echo_id = 1};

struct virtual_play {
    struct target *target;
    struct player *player;
    uint8_t *buffer;
    int64_t now_ns;
    bool any;              /* something has come since this was last false */
};

/* Hands over all that the IUT has emitted. */
static void drain(void *context)
{
    struct virtual_play *v = context;
    int64_t at_ns;
    for (ssize_t len; (len = v->target->ops->receive(v->target, v->buffer, PKT_BYTES_MAX, &at_ns)) > 0; v->any = true)
        player_receive(v->player, v->buffer, (size_t)len, v->now_ns - v->target->info.rtt_ns, v->now_ns);
}

static void play(struct virtual_play *v)
{
    struct target *target = v->target;
    for (unsigned rounds = 0; !player_finished(v->player); rounds++) {
        v->any = false;
        player_run(v->player, v->now_ns);
        drain(v);
        if (v->any)
            continue;
        int64_t next = target->ops->deadline(target), wish = player_deadline(v->player);
        if (wish < next)
            next = wish;
        if (player_finished(v->player))
            return;
        if (next == INT64_MAX || rounds == VIRTUAL_ROUNDS_MAX) {
            player_abort(v->player, next == INT64_MAX ? "neither the tester nor the IUT will ever do anything again" : "virtual time does not advance");
            return;
        }
        if (next > v->now_ns)
            v->now_ns = next;
        target->ops->advance(target, v->now_ns);
        drain(v);
    }
}

static int play_test(const struct schedule *s, const struct suite_test *test, uint8_t *buffer, struct target_error *error)
{
    const struct scenario *scenario = test->file->scenario;
    char reason[256], how[SCHEDULE_TROUBLE_TEXT_MAX] = "";
    struct target *target = schedule_open(s, test, error);
    if (!target)
        return error->kind == TARGET_ERR_UNSUPPORTED ? schedule_report_unplayed(s, test, VERDICT_NOT_APPLICABLE, error->text) : -1;
    int stop;
    if (schedule_not_applicable(s, scenario, &target->info, schedule_ip_version(test), reason, sizeof reason)) {
        stop = schedule_report_unplayed(s, test, VERDICT_NOT_APPLICABLE, reason);
        target->ops->close(target);
        return stop;
    }
    struct virtual_play v = {.target = target, .buffer = buffer, .now_ns = virtual_start_ns};
    struct player_config player_config = {.scenario = scenario, .variant = test->variant, .id = test->id, .target = target,
                                          .place = only_place, .seed = s->seed, .strict = s->strict, .judged = s->judged,
                                          .catch_up = drain, .context = &v};
    target->ops->advance(target, virtual_start_ns);
    struct player *player = v.player = player_new(&player_config, virtual_start_ns);
    if (player) {
        struct result_test result;
        play(&v);
        if (target->ops->finish)
            target->ops->finish(target);
        if (schedule_deaths(target, how, sizeof how) > 0)
            player_iut_died(player, how);
        player_result(player, &result);
        result.started_ns = 0;
        stop = s->finished(s->context, test, &result, player);
    } else {
        stop = schedule_report_unplayed(s, test, VERDICT_ERROR, "out of memory");
    }
    player_free(player);
    target->ops->close(target);
    return stop;
}

enum schedule_end schedule_virtual(const struct schedule *s, struct target_error *error)
{
    uint8_t *buffer = malloc(PKT_BYTES_MAX);
    enum schedule_end end = SCHEDULE_DONE;
    for (size_t i = 0; i < s->test_count && end == SCHEDULE_DONE; i++) {
        int stop = buffer ? play_test(s, s->tests[i], buffer, error) : -1;
        if (stop)
            end = error->kind != TARGET_ERR_NONE && error->kind != TARGET_ERR_UNSUPPORTED ? SCHEDULE_FAILED : SCHEDULE_STOPPED;
        else if (*s->interrupted)
            end = SCHEDULE_INTERRUPTED;
        if (s->progress)
            s->progress(s->context, i + 1, 0);
    }
    free(buffer);
    return end;
}

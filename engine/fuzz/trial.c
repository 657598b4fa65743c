/* Plays inputs through the scheduler and the player (see trial.h). */
#include "engine/fuzz/trial.h"

#include <stdlib.h>
#include <string.h>

struct trying {
    const struct suite_test *tests;
    trial_seen *seen;
    void *context;
    size_t told;
    bool stopped;
};

enum { OPENINGS_MAX = 3 }; /* an instance that cannot be opened may be the last one's death throes */

static int on_finished(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct trying *trying = context;
    trying->told++;
    if (trying->seen(trying->context, (size_t)(test - trying->tests), result, player))
        return 0;
    trying->stopped = true;
    return 1;
}

static enum trial_end play_tests(const struct trial *trial, struct trying *trying, size_t count, struct target_error *error)
{
    const struct suite_test **list = calloc(count + 1, sizeof *list);
    enum schedule_end end = SCHEDULE_FAILED;
    *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
    if (list) {
        for (size_t i = 0; i < count; i++)
            list[i] = &trying->tests[i];
        const struct schedule schedule = {
            .driver = trial->driver, .argument = trial->argument, .tests = list, .test_count = count, .seed = trial->seed, .strict = trial->strict,
            .judged = true, .disruption_allowed = true, .interrupted = trial->interrupted, .finished = on_finished, .context = trying,
        };
        for (unsigned i = 0; i < OPENINGS_MAX && end == SCHEDULE_FAILED && trying->told == 0; i++) {
            *error = (struct target_error){0};
            end = schedule_run(&schedule, error);
        }
    }
    free(list);
    return trying->stopped || end == SCHEDULE_INTERRUPTED ? TRIAL_STOPPED : end == SCHEDULE_DONE ? TRIAL_DONE : TRIAL_UNABLE;
}

static char trial_id[] = TRIAL_ID;

enum trial_end trial_play(const struct trial *trial, const struct shrink_input *inputs, size_t count, trial_seen *seen,
                          void *context, struct target_error *error)
{
    struct suite_file *files = calloc(count + 1, sizeof *files);
    struct suite_test *tests = calloc(count + 1, sizeof *tests);
    bool made = files && tests;
    for (size_t i = 0; i < count && made; i++) {
        files[i] = (struct suite_file){.path = trial_id, .name = trial_id, .id = trial_id,
                                       .scenario = scn_bytes_decode(inputs[i].octets, inputs[i].len)};
        tests[i] = (struct suite_test){.file = &files[i], .id = trial_id};
        made = files[i].scenario != NULL;
    }
    struct trying trying = {.tests = tests, .seen = seen, .context = context};
    enum trial_end end = TRIAL_UNABLE;
    *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
    if (made)
        end = play_tests(trial, &trying, count, error);
    for (size_t i = 0; files && i < count; i++)
        scn_free(files[i].scenario);
    free(files);
    free(tests);
    return end;
}

enum trial_end trial_repeat(const struct trial *trial, const struct scenario *scenario, size_t times, trial_seen *seen,
                            void *context, struct target_error *error)
{
    struct suite_file file = {.path = trial_id, .name = trial_id, .id = trial_id, .scenario = (struct scenario *)scenario};
    struct suite_test *tests = calloc(times + 1, sizeof *tests);
    struct trying trying = {.tests = tests, .seen = seen, .context = context};
    enum trial_end end = TRIAL_UNABLE;
    *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
    for (size_t i = 0; tests && i < times; i++)
        tests[i] = (struct suite_test){.file = &file, .id = trial_id};
    if (tests)
        end = play_tests(trial, &trying, times, error);
    free(tests);
    return end;
}

bool trial_fails(const struct result_finding *finding, bool strict)
{
    return finding->level != LEVEL_MAY && (strict || !requirement_level_is_should(finding->level));
}

const struct result_finding *trial_find(const struct result_test *result, const char *rule, bool strict)
{
    for (size_t i = 0; i < result->finding_count; i++)
        if (!strcmp(result->findings[i].rule, rule) && trial_fails(&result->findings[i], strict))
            return &result->findings[i];
    return NULL;
}

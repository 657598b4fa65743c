/* What both clocks share: applicability, verdicts without a play, and the choice between them (see schedule.h). */
#include "engine/runner/open_port.h"
#include "engine/runner/pics.h"
#include "engine/runner/schedule_internal.h"

#include <stdio.h>
#include <string.h>

enum { SETTINGS_MAX = 32 };

static const struct { unsigned need, capability; const char *lacks; } need_table[] = {
    {SCN_NEEDS_CONNECT, TARGET_UPPER_TESTER, "has no upper tester that could connect"},
    {SCN_NEEDS_LISTEN, TARGET_UPPER_TESTER, "has no upper tester that could listen"},
    {SCN_NEEDS_URGENT, TARGET_UPPER_TESTER, "has no upper tester for urgent data"},
    {SCN_NEEDS_IPV6, TARGET_IPV6, "has no IPv6"},
    {SCN_NEEDS_STATUS, TARGET_STATUS, "does not reveal its state"},
    {SCN_NEEDS_VIRTUAL_TIME, TARGET_VIRTUAL_TIME, "lives in real time, and this would take hours"},
};

unsigned schedule_addresses_needed(const struct scenario *scenario)
{
    unsigned most = 1;
    for (unsigned i = 0; i < scenario->endpoint_count; i++)
        if (scenario->endpoints[i].address_index > most)
            most = scenario->endpoints[i].address_index;
    return most;
}

bool schedule_cannot_play(const struct schedule *s, const struct scenario *scenario, const struct target_info *info,
                          const struct open_port *port, unsigned variant, uint8_t ip_version, char *reason, size_t reason_size)
{
    bool by_port = port && port->probed && !(info->capabilities & TARGET_UPPER_TESTER) && info->open_port;
    if (scenario->unsupported) {
        snprintf(reason, reason_size, "no target can do it: %s", scenario->unsupported);
        return true;
    }
    for (size_t i = 0; i < sizeof need_table / sizeof *need_table; i++)
        if ((scenario->needs & need_table[i].need) && !(info->capabilities & need_table[i].capability) &&
            !(by_port && need_table[i].capability == TARGET_UPPER_TESTER)) {
            snprintf(reason, reason_size, "the target %s", need_table[i].lacks);
            return true;
        }
    const struct pics_feature *lacking = pics_lacking(info, scenario);
    if (lacking) {
        snprintf(reason, reason_size, "the target does not claim %s: %s (PICS)", lacking->name, lacking->meaning);
        return true;
    }
    if (!(info->capabilities & (ip_version == 6 ? TARGET_IPV6 : TARGET_IPV4))) {
        snprintf(reason, reason_size, "the target has no IPv%u", ip_version);
        return true;
    }
    if (schedule_addresses_needed(scenario) > info->tester_count) {
        snprintf(reason, reason_size, "it takes %u addresses of the tester, and there are %u", schedule_addresses_needed(scenario),
                 info->tester_count);
        return true;
    }
    if ((scenario->needs & SCN_NEEDS_DISRUPTIVE) && !(info->capabilities & TARGET_DISRUPTION) && !s->disruption_allowed) {
        snprintf(reason, reason_size, "disruptive: not run on this target unless asked for by name");
        return true;
    }
    return by_port && !open_port_suffices(port, scenario, variant, reason, reason_size);
}

bool schedule_not_applicable(const struct schedule *s, const struct scenario *scenario, const struct target_info *info,
                             uint8_t ip_version, char *reason, size_t reason_size)
{
    return schedule_cannot_play(s, scenario, info, NULL, 0, ip_version, reason, reason_size);
}

uint8_t schedule_ip_version(const struct suite_test *test)
{
    struct scn_variant variant;
    struct scn_value values[SCN_VARIABLES_MAX + 1];
    scn_variant(test->file->scenario, test->variant, &variant, values);
    return variant.ip_version;
}

int schedule_report_unplayed(const struct schedule *s, const struct suite_test *test, enum verdict verdict, const char *reason)
{
    const struct scenario *scenario = test->file->scenario;
    struct result_test result = {
        .id = test->id, .title = scenario->title ? scenario->title : "", .verdict = verdict, .reason = reason, .covers = scenario->covers,
        .cover_count = scenario->cover_count, .file = scenario->file,
    };
    return s->finished(s->context, test, &result, NULL);
}

static uint64_t mix(uint64_t seed, const char *text)
{
    for (; *text; text++)
        seed = (seed ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return seed;
}

struct target *schedule_open(const struct schedule *s, const struct suite_test *test, struct target_error *error)
{
    struct target_setting settings[SETTINGS_MAX];
    struct target_config config = {.seed = mix(s->seed, test ? test->id : ""), .settings = settings};
    const struct scenario *scenario = test ? test->file->scenario : NULL;
    *error = (struct target_error){0};
    for (unsigned i = 0; scenario && i < scenario->setting_count; i++) {
        if (i == SETTINGS_MAX) {
            *error = (struct target_error){.kind = TARGET_ERR_UNSUPPORTED};
            snprintf(error->text, sizeof error->text, "more than %d settings", SETTINGS_MAX);
            return NULL;
        }
        settings[config.setting_count++] = (struct target_setting){scenario->settings[i].name, scenario->settings[i].value};
    }
    return s->driver->open(s->argument, &config, error);
}

uint64_t schedule_troubles(struct target *target, char *text, size_t capacity)
{
    return target->ops->trouble ? target->ops->trouble(target, text, capacity) : 0;
}

uint64_t schedule_deaths(struct target *target, char *text, size_t capacity)
{
    return target->ops->deaths ? target->ops->deaths(target, text, capacity) : 0;
}

enum schedule_end schedule_run(const struct schedule *schedule, struct target_error *error)
{
    return schedule->driver->virtual_time ? schedule_virtual(schedule, error) : schedule_real(schedule, error);
}

/* Shared by the two clocks of the scheduler; engine/runner's own. */
#ifndef TCPASSAY_RUNNER_SCHEDULE_INTERNAL_H
#define TCPASSAY_RUNNER_SCHEDULE_INTERNAL_H

#include "engine/runner/schedule.h"

enum schedule_end schedule_virtual(const struct schedule *s, struct target_error *error);
enum schedule_end schedule_real(const struct schedule *s, struct target_error *error);

/* As schedule_not_applicable(), where an open port may stand for an upper tester (open_port.h); port NULL: it may not. */
struct open_port;
bool schedule_cannot_play(const struct schedule *schedule, const struct scenario *scenario, const struct target_info *info,
                          const struct open_port *port, unsigned variant, uint8_t ip_version, char *reason, size_t reason_size);

/* Reports a verdict for a test that was not played. What finished() returned. */
int schedule_report_unplayed(const struct schedule *s, const struct suite_test *test, enum verdict verdict, const char *reason);
/* How many of the tester's addresses, side by side, a scenario uses. */
unsigned schedule_addresses_needed(const struct scenario *scenario);
uint8_t schedule_ip_version(const struct suite_test *test);

enum { SCHEDULE_TROUBLE_TEXT_MAX = 256 };
/* How often the link or upper tester, or the IUT itself, has failed so far (target.h); text: what happened last. */
uint64_t schedule_troubles(struct target *target, char *text, size_t capacity);
uint64_t schedule_deaths(struct target *target, char *text, size_t capacity);

/* Opens an instance for this test: its settings, and a seed of its own. */
struct target *schedule_open(const struct schedule *s, const struct suite_test *test, struct target_error *error);

#endif

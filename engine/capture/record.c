/* Turns an inspection's report into tests of the results schema, one at a time, so that all reports can be made from it. */
#include "engine/capture/record.h"

#include <inttypes.h>

#include "engine/capture/text.h"

enum { TEST_FINDINGS_MAX = 256, ID_MAX = 600, REASON_MAX = 512, NAME_SHOWN_MAX = 400 };

struct record { /* what one test points to */
    const struct inspection_report *report;
    const char *name;
    bool strict;
    record_test *take;
    void *context;
    struct result_finding findings[TEST_FINDINGS_MAX];
    struct result_event trace[TEST_FINDINGS_MAX];
    size_t finding_count;
};

/* Offending segments are all that is kept of a connection's packets. */
static void add_finding(struct record *r, const struct held_finding *f, const struct inspected_connection *c)
{
    const int64_t at_ns = f->at_ns - c->first_ns;
    if (r->finding_count == TEST_FINDINGS_MAX)
        return;
    r->findings[r->finding_count] = (struct result_finding){
        .rule = rule_at(f->rule)->name, .requirement = f->requirement, .level = f->level, .message = f->message, .expected = f->permitted,
        .observed = f->observed, .at_ns = at_ns, .segment = f->segment,
    };
    r->trace[r->finding_count++] = (struct result_event){
        .at_ns = at_ns, .kind = RESULT_RECEIVED, .index = f->segment, .segment = f->observed, .text = f->message,
    };
}

/* The failures, or the others, of one end, in the order they were made: the list has the last one first. */
static void collect(struct record *r, const struct inspected_connection *c, unsigned side, bool failures)
{
    const struct held_finding *held = r->report->findings.held;
    uint32_t order[TEST_FINDINGS_MAX];
    size_t count = 0;
    for (uint32_t i = c->first_finding; i && count < TEST_FINDINGS_MAX; i = held[i].next)
        if (held[i].standing == FINDING_STANDS && held[i].side == side && finding_is_failure(held[i].level) == failures)
            order[count++] = i;
    while (count > 0)
        add_finding(r, &held[order[--count]], c);
}

static enum verdict verdict_of(const struct record *r, const char *inconclusive)
{
    for (size_t i = 0; i < r->finding_count; i++)
        if (finding_is_failure(r->findings[i].level) || r->strict)
            return VERDICT_FAIL;
    return inconclusive ? VERDICT_INCONCLUSIVE : VERDICT_PASS;
}

static int record_end(struct record *r, const struct inspected_connection *c, unsigned side)
{
    char id[ID_MAX], title[ID_MAX], reason[REASON_MAX] = "", ends[2][ENDPOINT_TEXT_MAX];
    const char *inconclusive = c->inconclusive[side];
    r->finding_count = 0;
    collect(r, c, side, true);
    collect(r, c, side, false);
    if (c->segments[side] == 0 && r->finding_count == 0)
        return 0; /* it never said a word */
    endpoint_text(&c->ends[side], ends[0]);
    endpoint_text(&c->ends[!side], ends[1]);
    snprintf(id, sizeof id, "capture/%.*s/%u/%s", NAME_SHOWN_MAX, r->name, c->number, ends[0]);
    snprintf(title, sizeof title, "%s, talking to %s, frames %u to %u%s", ends[0], ends[1], c->first_frame, c->last_frame,
             c->from_start ? "" : ", from before the capture on");
    const enum verdict verdict = verdict_of(r, inconclusive);
    if (verdict == VERDICT_FAIL)
        snprintf(reason, sizeof reason, "frame %u: %s", r->findings[0].segment, r->findings[0].message);
    else if (verdict == VERDICT_INCONCLUSIVE)
        snprintf(reason, sizeof reason, "%s", inconclusive);
    const struct result_test test = {
        .id = id, .title = title, .verdict = verdict, .reason = reason, .duration_ns = c->last_ns - c->first_ns, .level = LEVEL_MUST,
        .findings = r->findings, .finding_count = r->finding_count, .trace = r->trace, .trace_count = r->finding_count, .file = r->name,
    };
    return r->take(r->context, &test);
}

static int record_rest(struct record *r)
{
    char id[ID_MAX], title[ID_MAX];
    if (r->report->unlisted == 0)
        return 0;
    snprintf(id, sizeof id, "capture/%.*s/others", NAME_SHOWN_MAX, r->name);
    snprintf(title, sizeof title, "%" PRIu64 " more connections, without a finding", r->report->unlisted);
    return r->take(r->context, &(struct result_test){ .id = id, .title = title, .verdict = VERDICT_PASS, .file = r->name });
}

static int record_damage(struct record *r, const char *damage)
{
    char id[ID_MAX], reason[REASON_MAX];
    if (!damage)
        return 0;
    snprintf(id, sizeof id, "capture/%.*s/file", NAME_SHOWN_MAX, r->name);
    snprintf(reason, sizeof reason, "partial: the file could not be read beyond frame %" PRIu64 ": %s", r->report->frames, damage);
    const struct result_test test = { .id = id, .title = "The file can be read to its end", .verdict = VERDICT_ERROR, .reason = reason, .file = r->name };
    return r->take(r->context, &test);
}

int inspection_record(const struct inspection_report *report, const char *name, bool strict, const char *damage, record_test *take,
                      void *context)
{
    struct record r = { .report = report, .name = name, .strict = strict, .take = take, .context = context };
    int result = 0;
    for (uint32_t i = 0; result == 0 && i < report->listed; i++)
        for (unsigned side = 0; result == 0 && side < 2; side++)
            result = record_end(&r, &report->connections_listed[i], side);
    if (result == 0)
        result = record_rest(&r);
    return result == 0 ? record_damage(&r, damage) : result;
}

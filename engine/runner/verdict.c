/* How a broken expectation becomes a verdict: by the phase it broke in, and by the level of the requirement it is charged to. */
#include "engine/runner/judging.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void stop(struct player *p, enum verdict verdict)
{
    p->verdict = verdict;
    p->verdict_line = play_line(p);
    judging_end(p);
    play_note_unseen(p);
    p->finished = true;
    play_close_descriptors(p);
}

void play_stop(struct player *p, enum verdict verdict, const char *format, ...)
{
    if (p->finished)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->reason, sizeof p->reason, format, arguments);
    va_end(arguments);
    stop(p, verdict);
}

void play_pass(struct player *p)
{
    if (p->finished)
        return;
    p->reason[0] = '\0';
    stop(p, VERDICT_PASS);
}

static char *copy_text(const char *text)
{
    return strdup(text ? text : "");
}

static void add_finding(struct player *p, const struct play_cause *cause, const char *requirement, enum requirement_level level)
{
    if (p->finding_count == PLAYER_FINDINGS_MAX)
        return;
    p->findings[p->finding_count++] = (struct result_finding){
        .rule = cause->rule, .requirement = requirement ? requirement : "", .level = level, .message = copy_text(cause->message),
        .expected = copy_text(cause->expected), .observed = copy_text(cause->observed), .at_ns = play_since_start(p, p->now_ns),
        .segment = cause->segment,
    };
}

/* The level that decides: the scenario's own word for what it tests, else the catalogue's for the requirement. */
static enum requirement_level level_of(const struct player *p, const struct play_cause *cause)
{
    static const enum requirement_level own[] = {
        [SCN_LEVEL_MUST] = LEVEL_MUST, [SCN_LEVEL_SHOULD] = LEVEL_SHOULD, [SCN_LEVEL_MAY] = LEVEL_MAY};
    bool own_purpose = !cause->requirement && (p->scenario->cover_count == 0 || p->requirement == p->scenario->covers[0]);
    if (own_purpose && p->scenario->level != SCN_LEVEL_DEFAULT)
        return own[p->scenario->level];
    const char *id = cause->requirement ? cause->requirement : p->requirement;
    const struct requirement *requirement = id ? requirement_find(id) : NULL;
    return requirement ? requirement->level : LEVEL_MUST;
}

void play_blame(struct player *p, const struct play_cause *cause)
{
    if (p->finished)
        return;
    bool whole_run = cause->requirement != NULL; /* a checksum is wrong in a preamble too */
    if (p->phase == SCN_POSTAMBLE && !whole_run) {
        play_note(p, "in the postamble: %s", cause->message);
        if (!cause->goes_on)
            play_pass(p);
        return;
    }
    enum requirement_level level = level_of(p, cause);
    add_finding(p, cause, cause->requirement ? cause->requirement : p->requirement, level);
    if (p->phase == SCN_PREAMBLE && !whole_run) {
        play_stop(p, VERDICT_INCONCLUSIVE, "the preamble did not succeed: %s", cause->message);
    } else if (level == LEVEL_MAY || (requirement_level_is_should(level) && !p->strict_levels)) {
        if (!cause->goes_on)
            play_stop(p, VERDICT_PASS, "%s", cause->message);
    } else {
        play_stop(p, VERDICT_FAIL, "%s", cause->message);
    }
}

/* No requirement is charged: no RFC says that a TCP shall live. */
void player_iut_died(struct player *p, const char *how)
{
    const char *rule = strncmp(how, "hang", 4) ? "crash" : "hang";
    struct play_cause cause = {.rule = rule, .expected = "a stack that lives", .observed = how};
    snprintf(cause.message, sizeof cause.message, "the stack under test died: %.400s", how);
    add_finding(p, &cause, NULL, LEVEL_MUST);
    play_stop(p, VERDICT_FAIL, "%s", cause.message);
    p->verdict = VERDICT_FAIL; /* also where the play was over already */
    snprintf(p->reason, sizeof p->reason, "%s", cause.message);
}

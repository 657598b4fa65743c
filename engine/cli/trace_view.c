/* The ladder of a play in plain text (see trace_view.h). */
#include "engine/cli/trace_view.h"

#include <string.h>

static const char *const arrows[RESULT_EVENT_COUNT] = {
    [RESULT_SENT] = "--->", [RESULT_RECEIVED] = "<---", [RESULT_CALL] = "call", [RESULT_RETURN] = "  =", [RESULT_STATE] = "****",
    [RESULT_NOTE] = "note", [RESULT_DROPPED] = "-x--",
};

/* Segments come with the scenario's own direction sign; the arrow says it already. */
static const char *without_sign(const char *segment)
{
    return (segment[0] == '<' || segment[0] == '>') && segment[1] == ' ' ? segment + 2 : segment;
}

void trace_view(const struct result_test *test, FILE *out, bool color)
{
    uint32_t offender = test->finding_count ? test->findings[0].segment : 0;
    fprintf(out, "  %11s  %-6s %s\n", "seconds", "", "tester ---> IUT, with the scenario's numbers, then those on the wire");
    for (size_t i = 0; i < test->trace_count; i++) {
        const struct result_event *e = &test->trace[i];
        bool marked = e->index && e->index == offender;
        fprintf(out, "%s%c %11.6f  %-6s ", marked && color ? "\033[31m" : "", marked ? '*' : ' ', (double)e->at_ns / 1e9, arrows[e->kind]);
        if (e->index)
            fprintf(out, "#%-3u ", e->index);
        fprintf(out, "%s%s%s%s%s\n", without_sign(e->segment), *e->segment && *e->text ? "   [" : "", e->text,
                *e->segment && *e->text ? "]" : "", marked && color ? "\033[0m" : "");
    }
}

/* The ladder of a play in plain text (see trace_view.h).
 *
 * A row has three parts: when and which way (the prefix), what, and what the scenario wants. The last two are columns of their own,
 * each broken where it is full. Where there is no room for two columns, what was expected is told by the findings alone. */
#include "engine/cli/trace_view.h"

#include <string.h>

#include "reports/text.h"

enum { TEXT_MAX = 1024, PREFIX_MAX = 32, COLUMNS_MIN = 40, COLUMNS_NARROW = 60, AROUND_FINDING = 10, BESIDE_GAP = 3 };

static const char *const arrows[RESULT_EVENT_COUNT] = {
    [RESULT_SENT] = "--->", [RESULT_RECEIVED] = "<---", [RESULT_CALL] = "call", [RESULT_RETURN] = "  =", [RESULT_STATE] = "****",
    [RESULT_NOTE] = "note", [RESULT_DROPPED] = "-x--",
};

struct rows {
    const struct result_test *test;
    const struct trace_view *view;
    FILE *out;
    size_t what, wants;   /* columns of the two; 0: as long as it likes, and none */
    uint32_t last_step;   /* whose line has been shown */
};

/* ---- columns ------------------------------------------------------------------------------------------------------------- */

static bool begins_letter(char octet)
{
    return ((unsigned char)octet & 0xc0) != 0x80;
}

/* The octets of text that are its next line, of so many columns: up to a blank, or behind a comma, unless that is far off. */
static size_t next_line(const char *text, size_t columns)
{
    size_t at = 0, used = 0, good = 0;
    for (; text[at]; at++) {
        if (begins_letter(text[at]) && used++ == columns)
            break;
        if (text[at] == ' ' && at)
            good = at;
        else if (text[at] == ',' && used < columns)
            good = at + 1;
    }
    if (!text[at] || columns == 0)
        return strlen(text);
    return text[at] == ' ' ? at : good > at / 3 ? good : at;
}

static size_t columns_of(const char *text, size_t len)
{
    size_t columns = 0;
    for (size_t i = 0; i < len; i++)
        columns += begins_letter(text[i]);
    return columns;
}

static const char *behind(const char *text, size_t len)
{
    return text + len + strspn(text + len, " ");
}

static void put_row(const struct rows *r, const char *prefix, const char *what, const char *wants, const char *color)
{
    const size_t indent = columns_of(prefix, strlen(prefix));
    for (bool first = true; first || *what || *wants; first = false) {
        const size_t len = next_line(what, r->what ? r->what - indent : 0);
        fprintf(r->out, "%s%-*s%.*s", color, (int)indent, first ? prefix : "", (int)len, what);
        if (*wants) {
            const size_t shown = columns_of(what, len), wanted = next_line(wants, r->wants);
            fprintf(r->out, "%*s%s | %.*s", (int)(r->what - indent - shown), "", *color ? "\033[0m" : "", (int)wanted, wants);
            wants = behind(wants, wanted);
        } else if (*color) {
            fputs("\033[0m", r->out);
        }
        fputc('\n', r->out);
        what = behind(what, len);
    }
}

/* ---- what the scenario wants --------------------------------------------------------------------------------------------- */

/* Line number step of the scenario, with its number, when it was not shown for the event before. */
static const char *wanted_line(struct rows *r, uint32_t step, char out[static TEXT_MAX])
{
    *out = '\0';
    if (!r->wants || step == 0 || step == r->last_step)
        return out;
    r->last_step = step;
    const char *line = r->view->scenario;
    for (uint32_t i = 1; i < step && line; i++) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (!line)
        return out;
    char text[TEXT_MAX], shown[TEXT_MAX - 16];
    size_t len = 0;
    for (const char *c = line; *c && *c != '\n' && len < sizeof text - 1; c++) {
        char letter = *c == '\t' || *c == '\r' ? ' ' : *c;
        if (letter != ' ' || (len && text[len - 1] != ' '))
            text[len++] = letter;
    }
    text[len] = '\0';
    snprintf(out, TEXT_MAX, "%4u  %s", step, text_show(text, shown, sizeof shown));
    return out;
}

/* ---- events -------------------------------------------------------------------------------------------------------------- */

static bool is_text(const char *text)
{
    return text && *text;
}

/* Segments come with the scenario's own direction sign; the arrow says it already. */
static const char *without_sign(const char *segment)
{
    return (segment[0] == '<' || segment[0] == '>') && segment[1] == ' ' ? segment + 2 : segment;
}

/* What follows only if there is room: the numbers on the wire, which the relative ones stand for. */
static bool may_be_left_out(const struct rows *r, const struct result_event *e, size_t used, size_t more)
{
    return r->what && strstr(e->text, " on the wire") && used + more > r->what;
}

static void event_text(const struct rows *r, const struct result_event *e, const struct result_event *result, size_t indent,
                       char out[static TEXT_MAX])
{
    char segment[TEXT_MAX / 2], text[TEXT_MAX / 2], number[16] = "";
    text_show(is_text(e->segment) ? without_sign(e->segment) : "", segment, sizeof segment);
    text_show(is_text(e->text) ? e->text : "", text, sizeof text);
    if (e->index)
        snprintf(number, sizeof number, "#%-3u ", e->index);
    size_t used = indent + strlen(number) + columns_of(segment, strlen(segment));
    bool both = *segment && *text && !may_be_left_out(r, e, used, strlen(text) + 5);
    size_t len = (size_t)snprintf(out, TEXT_MAX, "%s%s%s%s%s", number, segment, both ? "   [" : "", both || !*segment ? text : "", both ? "]" : "");
    if (!result || len >= TEXT_MAX - 8)
        return;
    char *expected = strrchr(out, '='); /* a call stands as the scenario wants it, result and all */
    if (expected && expected > out && expected[-1] == ' ')
        expected[-1] = '\0';
    len = strlen(out);
    snprintf(out + len, TEXT_MAX - len, " = %s", text_show(result->text, text, sizeof text));
}

static void prefix_text(const struct rows *r, bool marked, int64_t at_ns, const char *arrow, char out[static PREFIX_MAX])
{
    const bool narrow = r->view->columns && r->view->columns < COLUMNS_NARROW;
    snprintf(out, PREFIX_MAX, narrow ? "%c%.6f %s " : "%c %12.6f  %-4s  ", marked ? '*' : ' ', (double)at_ns / 1e9, arrow);
}

static bool is_offender(const struct result_test *test, const struct result_event *e)
{
    for (size_t i = 0; i < test->finding_count; i++)
        if (e->index && test->findings[i].segment == e->index)
            return true;
    return false;
}

/* The return of this call, when nothing came between. */
static const struct result_event *result_of(const struct result_test *test, size_t i)
{
    const struct result_event *call = &test->trace[i], *next = i + 1 < test->trace_count ? call + 1 : NULL;
    return call->kind == RESULT_CALL && next && next->kind == RESULT_RETURN && next->step == call->step && is_text(next->text) ? next : NULL;
}

static void put_event(struct rows *r, size_t i)
{
    const struct result_event *e = &r->test->trace[i];
    const bool marked = is_offender(r->test, e);
    char prefix[PREFIX_MAX], what[TEXT_MAX], wants[TEXT_MAX];
    prefix_text(r, marked, e->at_ns, arrows[e->kind], prefix);
    event_text(r, e, result_of(r->test, i), strlen(prefix), what);
    put_row(r, prefix, what, wanted_line(r, e->step, wants), marked && r->view->color ? "\033[31m" : "");
}

/* ---- findings ------------------------------------------------------------------------------------------------------------ */

static void put_finding(const struct rows *r, const struct result_finding *f)
{
    char text[TEXT_MAX], shown[TEXT_MAX - 64], requirement[TEXT_MAX / 4], rule[TEXT_MAX / 4];
    struct rows whole = *r;
    whole.what = r->view->columns ? r->what + (r->wants ? r->wants + BESIDE_GAP : 0) : 0;
    const bool should = requirement_level_is_should(f->level);
    const char *color = r->view->color ? should ? "\033[33m" : "\033[31m" : "", *level = requirement_level_text(f->level);
    text_show(is_text(f->requirement) ? f->requirement : "", requirement, sizeof requirement);
    text_show(is_text(f->rule) ? f->rule : "", rule, sizeof rule);
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s%s", should ? "not as it should be" : "not permitted", *requirement ? ": " : "", requirement,
             *level ? ", " : "", level, *rule ? " (rule " : "", rule, *rule ? ")" : "");
    put_row(&whole, "*   ", text, "", color);
    const struct { const char *name, *text; } lines[] = {{"*     ", f->message}, {"*     expected  ", f->expected}, {"*     came      ", f->observed}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (is_text(lines[i].text) && (i > 0 || !is_text(f->expected) || !strstr(f->message, f->expected)))
            put_row(&whole, lines[i].name, text_show(lines[i].text, shown, sizeof shown), "", color);
}

/* The event that a finding stands behind: its segment; of a silence, the last one before its time. */
static size_t place_of(const struct result_test *test, const struct result_finding *f)
{
    size_t place = 0;
    for (size_t i = 0; f->segment && i < test->trace_count; i++)
        if (test->trace[i].index == f->segment)
            return i;
    for (size_t i = 0; i < test->trace_count; i++)
        if (test->trace[i].at_ns <= f->at_ns)
            place = i;
    return place;
}

static void put_findings_behind(const struct rows *r, size_t i)
{
    for (size_t k = 0; k < r->test->finding_count; k++)
        if (place_of(r->test, &r->test->findings[k]) == i)
            put_finding(r, &r->test->findings[k]);
}

/* A note of the model about what is among the findings: they say it better. */
static bool is_told_by_finding(const struct result_test *test, const struct result_event *e)
{
    char rule[TEXT_MAX];
    if (e->kind != RESULT_NOTE || !is_text(e->text) || strncmp(e->text, "the model, segment ", 19) != 0)
        return false;
    for (size_t i = 0; i < test->finding_count; i++) {
        snprintf(rule, sizeof rule, "(rule %s, ", is_text(test->findings[i].rule) ? test->findings[i].rule : "");
        if (strstr(e->text, rule))
            return true;
    }
    return false;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------------- */

static bool is_shown(const struct rows *r, size_t i)
{
    const size_t most = r->view->events_max, count = r->test->trace_count;
    if (!most || count <= most || i < most / 2 || i >= count - most / 2)
        return true;
    for (size_t k = i < AROUND_FINDING ? 0 : i - AROUND_FINDING; k < count && k <= i + AROUND_FINDING; k++)
        if (is_offender(r->test, &r->test->trace[k]))
            return true;
    return false;
}

static void set_columns(struct rows *r)
{
    const size_t columns = r->view->columns && r->view->columns < COLUMNS_MIN ? COLUMNS_MIN : r->view->columns;
    const bool beside = r->view->scenario && columns >= TRACE_VIEW_BESIDE;
    r->what = beside ? columns * 3 / 5 : columns;
    r->wants = beside ? columns - r->what - BESIDE_GAP : 0;
}

void trace_view(const struct result_test *test, const struct trace_view *view, FILE *out)
{
    struct rows r = {.test = test, .view = view, .out = out};
    set_columns(&r);
    const char *head = r.what ? "seconds, tester ---> IUT" : "seconds, tester ---> IUT, with the scenario's numbers, then those on the wire";
    put_row(&r, "  ", head, r.wants ? "line  what the scenario wants" : "", "");
    size_t left_out = 0;
    for (size_t i = 0; i < test->trace_count; i++) {
        left_out += !is_shown(&r, i);
        if (!is_shown(&r, i))
            continue;
        if (left_out)
            fprintf(out, "    ... %zu more ...\n", left_out);
        left_out = 0;
        if (!is_told_by_finding(test, &test->trace[i]))
            put_event(&r, i);
        const size_t last = result_of(test, i) ? i + 1 : i;
        put_findings_behind(&r, i);
        if (last > i)
            put_findings_behind(&r, ++i);
    }
    if (test->trace_count == 0)
        for (size_t i = 0; i < test->finding_count; i++)
            put_finding(&r, &test->findings[i]);
}

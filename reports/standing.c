/* How a run stands (see standing.h). */
#include "reports/standing.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/markup.h"
#include "reports/requirements.h"
#include "reports/text.h"

static const struct {
    const char *text, *color;
} standings[] = {
    [STANDING_INCOMPLETE] = {"incomplete", "#9f9f9f"}, [STANDING_ERRORS] = {"errors", "#a63ec0"}, [STANDING_FAILED] = {"failed", "#c43a2b"},
    [STANDING_EMPTY] = {"nothing tested", "#9f9f9f"},  [STANDING_KNOWN] = {"known", "#7a7a00"},   [STANDING_PASSED] = {"passed", "#2f7d32"},
};
static_assert(sizeof standings / sizeof standings[0] == STANDING_COUNT, "a row for each");

const char *standing_word(enum standing standing)
{
    assert((unsigned)standing < STANDING_COUNT);
    return standings[standing].text;
}

const char *standing_color(enum standing standing)
{
    assert((unsigned)standing < STANDING_COUNT);
    return standings[standing].color;
}

bool results_are_complete(const struct results *results)
{
    return results->finished && !results->torn && results->test_count >= results->run.planned;
}

enum standing standing_of(const struct results *results)
{
    struct results_summary s;
    results_summarise(results->tests, results->test_count, &s);
    if (!results_are_complete(results))
        return STANDING_INCOMPLETE;
    if (s.verdicts[VERDICT_ERROR])
        return STANDING_ERRORS;
    if (s.verdicts[VERDICT_FAIL] > s.known)
        return STANDING_FAILED;
    if (s.verdicts[VERDICT_PASS] + s.verdicts[VERDICT_FAIL] == 0)
        return STANDING_EMPTY;
    return s.known ? STANDING_KNOWN : STANDING_PASSED;
}

/* ---- line ------------------------------------------------------------------------------------------------------ */

struct line {
    char *out;
    size_t used, size;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int len = vsnprintf(line->out + line->used, line->size - line->used, format, arguments);
    va_end(arguments);
    if (len > 0)
        line->used += (size_t)len < line->size - line->used ? (size_t)len : line->size - line->used - 1;
}

static void put_head(struct line *line, const struct results *results)
{
    char target[128];
    const enum standing standing = standing_of(results);
    if (standing == STANDING_INCOMPLETE && results->run.planned)
        put(line, "INCOMPLETE, %zu of %" PRIu32 " tests: ", results->test_count, results->run.planned);
    else if (standing == STANDING_INCOMPLETE)
        put(line, "INCOMPLETE: ");
    else if (standing == STANDING_ERRORS)
        put(line, "ERRORS: ");
    else if (standing == STANDING_EMPTY)
        put(line, "NOTHING TESTED: ");
    put(line, "%s: ", text_show(results->run.target_name, target, sizeof target));
}

static void put_tests(struct line *line, const struct results *results)
{
    static const struct { enum verdict verdict; const char *word; } words[] = {
        {VERDICT_INCONCLUSIVE, "inconclusive"}, {VERDICT_ERROR, "errors"}, {VERDICT_NOT_APPLICABLE, "not applicable"}};
    struct results_summary s;
    results_summarise(results->tests, results->test_count, &s);
    put(line, "%" PRIu32 " passed, %" PRIu32 " failed", s.verdicts[VERDICT_PASS], s.verdicts[VERDICT_FAIL]);
    if (s.known && s.known == s.verdicts[VERDICT_FAIL])
        put(line, " (all known)");
    else if (s.known)
        put(line, " (%" PRIu32 " known)", s.known);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (s.verdicts[words[i].verdict])
            put(line, ", %" PRIu32 " %s", s.verdicts[words[i].verdict], words[i].word);
    if (s.deviations)
        put(line, ", %" PRIu32 " deviations", s.deviations);
}

const char *standing_line(const struct results *results, char *out, size_t size)
{
    struct line line = {.out = out, .size = size};
    struct requirement_results requirements;
    assert(size > 0);
    *out = '\0';
    put_head(&line, results);
    put_tests(&line, results);
    if (requirements_judge(results, &requirements)) {
        put(&line, "; requirements: %zu satisfied, %zu violated, %zu deviated", requirements.statuses[STATUS_SATISFIED],
            requirements.statuses[STATUS_VIOLATED], requirements.statuses[STATUS_DEVIATED]);
        requirements_release(&requirements);
    }
    return out;
}

/* ---- badge ----------------------------------------------------------------------------------------------------- */

const char *standing_badge_text(const struct results *results, char out[static STANDING_BADGE_MAX])
{
    struct results_summary s;
    const enum standing standing = standing_of(results);
    results_summarise(results->tests, results->test_count, &s);
    const uint32_t failed = s.verdicts[VERDICT_FAIL], passed = s.verdicts[VERDICT_PASS];
    switch (standing) {
    case STANDING_FAILED: snprintf(out, STANDING_BADGE_MAX, "%" PRIu32 " failed", failed - s.known); break;
    case STANDING_ERRORS: snprintf(out, STANDING_BADGE_MAX, "%" PRIu32 " errors", s.verdicts[VERDICT_ERROR]); break;
    case STANDING_KNOWN: snprintf(out, STANDING_BADGE_MAX, "%" PRIu32 " passed, %" PRIu32 " known", passed, failed); break;
    case STANDING_PASSED: snprintf(out, STANDING_BADGE_MAX, "%" PRIu32 " passed", passed); break;
    default: snprintf(out, STANDING_BADGE_MAX, "%s", standing_word(standing)); break;
    }
    return out;
}

/* Of a character at 11 pixels: wide enough for every font that stands in, since textLength says how wide it is to be. */
static unsigned width_of(const char *text)
{
    unsigned width = 10;
    for (; *text; text++)
        width += strchr("il,.: ", *text) ? 4 : strchr("mw", *text) ? 10 : 7;
    return width;
}

static void put_word(const char *text, unsigned left, unsigned width, FILE *out)
{
    fprintf(out, "<text x=\"%u\" y=\"14\" textLength=\"%u\" lengthAdjust=\"spacingAndGlyphs\">", left + width / 2, width - 10);
    markup_text(text, out);
    fputs("</text>\n", out);
}

bool standing_print_badge(const struct results *results, FILE *out)
{
    static const char label[] = "TCP conformance";
    char value[STANDING_BADGE_MAX], line[STANDING_LINE_MAX];
    standing_badge_text(results, value);
    standing_line(results, line, sizeof line);
    const unsigned left = width_of(label), right = width_of(value);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"20\" role=\"img\" aria-label=\"%s: %s\">\n<title>",
            left + right, label, value);
    markup_text(line, out);
    fprintf(out,
            "</title>\n<clipPath id=\"r\"><rect width=\"%u\" height=\"20\" rx=\"3\"/></clipPath>\n"
                 "<g clip-path=\"url(#r)\"><rect width=\"%u\" height=\"20\" fill=\"#444\"/>"
                 "<rect x=\"%u\" width=\"%u\" height=\"20\" fill=\"%s\"/></g>\n"
                 "<g fill=\"#fff\" text-anchor=\"middle\" font-family=\"Verdana,Geneva,DejaVu Sans,sans-serif\" font-size=\"11\">\n",
            left + right, left, left, right, standing_color(standing_of(results)));
    put_word(label, 0, left, out);
    put_word(value, left, right, out);
    fputs("</g>\n</svg>\n", out);
    return true;
}

/* The HTML report (see html.h): the page's frame, what can be read of a run without its script, and the data.
 *
 * The page is made of plain files beside this one, put together at build time (embed.c); nothing of it depends on a run. What does
 * is printed here, escaped, and in payload.c, as data. The page's policy lets only its own script and styles work, by their
 * digests, and forbids the script to make markup out of text: whatever stands in results can but be shown.
 */
#include "reports/html/html.h"

#include <inttypes.h>

#include "reports/formats.h"
#include "reports/standing.h"
#include "reports/text.h"

#include "html_page.inc" /* html_css, html_frame */

enum frame { FRAME_TITLE, FRAME_STATIC, FRAME_DATA, FRAME_END, FRAME_COUNT };
_Static_assert(sizeof html_frame / sizeof *html_frame == FRAME_COUNT,
               "page.html has a line <!--TITLE-->, <!--STATIC--> and <!--DATA-->");

enum { STATIC_TESTS_MAX = 200, STATIC_TEXT_MAX = 600 };

void html_print_text(const char *text, FILE *out)
{
    static const struct { char character; const char *entity; } entities[] = {
        { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" } };
    char shown[STATIC_TEXT_MAX];
    text_show(text, shown, sizeof shown);
    for (const char *p = shown; *p; p++) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
            entity = *p == entities[i].character ? entities[i].entity : entity;
        if (entity)
            fputs(entity, out);
        else
            putc(*p, out);
    }
}

static void print_element(const char *tag, const char *text, FILE *out)
{
    fprintf(out, "<%s>", tag);
    html_print_text(text, out);
    fprintf(out, "</%s>", tag);
}

static void print_title(const struct results *results, FILE *out)
{
    fputs("<title>TCP conformance of ", out);
    html_print_text(results->run.target_name, out);
    fputs("</title>\n", out);
}

static void print_counts(const struct results *results, FILE *out)
{
    struct results_summary sum;
    results_summarise(results->tests, results->test_count, &sum);
    fputs("<table><thead><tr><th scope=\"col\">Verdict</th><th scope=\"col\">Tests</th></tr></thead><tbody>\n", out);
    for (int v = 0; v < VERDICT_COUNT; v++)
        fprintf(out, "<tr><th scope=\"row\">%s</th><td>%" PRIu32 "</td></tr>\n", verdict_text((enum verdict)v), sum.verdicts[v]);
    fprintf(out,
            "<tr><th scope=\"row\">known, of the failures</th><td>%" PRIu32 "</td></tr>\n"
            "<tr><th scope=\"row\">deviations (a SHOULD not followed)</th><td>%" PRIu32 "</td></tr></tbody></table>\n",
            sum.known, sum.deviations);
}

/* Tests of these outcomes, as many as there is room for. */
static void print_list(const struct results *results, const char *title, enum outcome outcome, FILE *out)
{
    size_t count = 0;
    for (size_t i = 0; i < results->test_count; i++)
        count += outcome_of(&results->tests[i]) == outcome;
    if (count == 0)
        return;
    fprintf(out, "<h2>%s: %zu</h2>\n<ul>\n", title, count);
    size_t listed = 0;
    for (size_t i = 0; i < results->test_count && listed < STATIC_TESTS_MAX; i++) {
        const struct result_test *test = &results->tests[i];
        if (outcome_of(test) != outcome)
            continue;
        listed++;
        fputs("<li>", out);
        print_element("code", test->id, out);
        fputs(": ", out);
        html_print_text(outcome == OUTCOME_KNOWN && *test->known_note ? test->known_note : test->reason, out);
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
    if (listed < count)
        fprintf(out, "<p>And %zu more.</p>\n", count - listed);
}

/* The summary that needs no script; the script puts its own in its place. */
static void print_static(const struct results *results, FILE *out)
{
    const struct result_run *run = &results->run;
    fputs("<section id=\"static\" class=\"static\">\n<h1>TCP conformance of ", out);
    html_print_text(run->target_name, out);
    fputs("</h1>\n", out);
    print_element("p", run->target_description, out);
    fputs("<p>Tested with tcpassay ", out);
    html_print_text(run->tcpassay, out);
    fputs(" on ", out);
    html_print_text(run->started, out);
    fputs(", profile ", out);
    html_print_text(run->profile, out);
    fprintf(out, ", seed %" PRId64 ".</p>\n", run->seed);
    if (!results_are_complete(results))
        fprintf(out, "<p class=\"partial\"><strong>Partial: the run is not whole.</strong> %zu tests are in its results.</p>\n",
                results->test_count);
    print_counts(results, out);
    print_list(results, "Failures", OUTCOME_FAILED, out);
    print_list(results, "Errors of the tester", OUTCOME_ERROR, out);
    print_list(results, "Known failures", OUTCOME_KNOWN, out);
    fputs(
        "<p class=\"fine\">This is only the summary. All the rest of this file, each test with its packets, takes a browser with JavaScript, which "
          "loads nothing from anywhere; if it does not follow in a moment, the file is not complete.</p>\n<p id=\"trouble\" class=\"partial\" hidden></p>\n</section>\n",
          out);
}

bool format_html(const struct results *results, FILE *out)
{
    fputs(html_frame[FRAME_TITLE], out);
    print_title(results, out);
    fputs(html_frame[FRAME_STATIC], out);
    print_static(results, out);
    fputs(html_frame[FRAME_DATA], out);
    const bool good = html_print_payload(results, out);
    fputs(html_frame[FRAME_END], out);
    return good;
}

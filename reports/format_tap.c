/* results.tap: TAP version 14 (testanything.org), with a YAML block for everything that did not simply pass.
 *
 * What does not count as a failure follows the same rule as in JUnit: known failures are "not ok … # TODO", which harnesses
 * report and forgive; what was not applicable or stayed inconclusive is "ok … # SKIP". A run that was cut short bails out.
 */
#include "reports/formats.h"

#include <inttypes.h>
#include <stdlib.h>

#include "reports/text.h"

/* Of one string; what is longer ends in "...". Harnesses take lines apart with regular expressions that give up on long ones. */
enum { LINE_TEXT_BYTES_MAX = 2000, YAML_TEXT_BYTES_MAX = 8000 };

/* The one function that makes a string fit for a test line: one line, with # and \ escaped so that it holds no directive. */
static void print_line_text(const char *text, FILE *out)
{
    const char *start = text;
    uint32_t code = 0;
    for (size_t len; (len = text_decode(text, &code)) > 0; text += len) {
        if (text - start > LINE_TEXT_BYTES_MAX) {
            fputs("...", out);
            return;
        }
        char visible[TEXT_VISIBLE_MAX];
        const size_t put = text_make_visible(text, len, code, visible);
        if (code == '#' || code == '\\' || visible[0] == '\\')
            fputc('\\', out);
        fwrite(visible, 1, put, out);
    }
}

/* And the one for YAML: a double-quoted scalar, whose escapes are JSON's and \xNN (YAML 1.2 §5.7). */
static void print_yaml_text(const char *text, FILE *out)
{
    const char *start = text;
    uint32_t code = 0;
    fputc('"', out);
    for (size_t len; (len = text_decode(text, &code)) > 0; text += len) {
        if (text - start > YAML_TEXT_BYTES_MAX) {
            fputs("...", out);
            break;
        }
        if (code == '"' || code == '\\')
            fprintf(out, "\\%c", (char)code);
        else if (code == TEXT_NOT_UTF8)
            fputs("\\ufffd", out);
        else if (text_is_control(code) || code == 0xfffe || code == 0xffff)
            fprintf(out, "\\u%04" PRIx32, code);
        else
            fwrite(text, 1, len, out);
    }
    fputc('"', out);
}

static void print_pair(const char *indent, const char *key, const char *value, FILE *out)
{
    if (!*value)
        return;
    fprintf(out, "%s%s: ", indent, key);
    print_yaml_text(value, out);
    fputc('\n', out);
}

static void print_finding(const struct result_finding *f, FILE *out)
{
    static const char indent[] = "      ";
    fputs("    - at_ns: ", out);
    fprintf(out, "%" PRId64 "\n", f->at_ns);
    print_pair(indent, "requirement", f->requirement, out);
    print_pair(indent, "level", requirement_level_text(f->level), out);
    print_pair(indent, "rule", f->rule, out);
    print_pair(indent, "message", f->message, out);
    print_pair(indent, "expected", f->expected, out);
    print_pair(indent, "observed", f->observed, out);
    if (f->segment)
        fprintf(out, "%ssegment: %" PRIu32 "\n", indent, f->segment);
}

static void print_block(const struct result_test *test, FILE *out)
{
    static const char indent[] = "  ";
    fputs("  ---\n", out);
    print_pair(indent, "verdict", verdict_text(test->verdict), out);
    print_pair(indent, "title", test->title, out);
    print_pair(indent, "reason", test->reason, out);
    print_pair(indent, "file", test->file, out);
    if (test->line)
        fprintf(out, "  line: %" PRIu32 "\n", test->line);
    print_pair(indent, "pcap", test->pcap, out);
    fprintf(out, "  duration_ms: %" PRId64 ".%06" PRId64 "\n", test->duration_ns / 1000000, test->duration_ns % 1000000);
    if (test->finding_count)
        fputs("  findings:\n", out);
    for (size_t i = 0; i < test->finding_count; i++)
        print_finding(&test->findings[i], out);
    fputs("  ...\n", out);
}

/* False when memory ran out. */
static bool print_directive(const struct result_test *test, FILE *out)
{
    const enum outcome outcome = outcome_of(test);
    if (!outcome_is_skipped(outcome))
        return true;
    char *why = outcome_explain(test);
    if (!why)
        return false;
    fputs(outcome == OUTCOME_KNOWN ? " # TODO " : " # SKIP ", out);
    print_line_text(why, out);
    free(why);
    return true;
}

static bool print_test(size_t number, const struct result_test *test, FILE *out)
{
    const bool ok =
        outcome_of(test) == OUTCOME_PASSED || (outcome_is_skipped(outcome_of(test)) && outcome_of(test) != OUTCOME_KNOWN);
    fprintf(out, "%s %zu - ", ok ? "ok" : "not ok", number);
    print_line_text(test->id, out);
    const bool good = print_directive(test, out);
    fputc('\n', out);
    if (test->verdict != VERDICT_PASS || test->finding_count)
        print_block(test, out);
    return good;
}

bool format_tap(const struct results *results, FILE *out)
{
    struct sections sections;
    if (!sections_make(results, &sections))
        return false;
    bool good = true;
    fprintf(out, "TAP version 14\n1..%zu%s\n", results->test_count, results->test_count ? "" : " # SKIP no test was run");
    fputs("# tcpassay ", out);
    print_line_text(results->run.tcpassay, out);
    fputs(" against ", out);
    print_line_text(results->run.target_name, out);
    fputc('\n', out);
    for (size_t i = 0; i < results->test_count; i++)
        good = print_test(i + 1, sections.tests[i], out) && good;
    if (!results->finished)
        fputs("Bail out! the run was cut short\n", out);
    sections_release(&sections);
    return good;
}

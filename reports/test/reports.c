/* Every format says the same about one run, is well formed whatever the results hold, and appears whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "reports/compare.h"
#include "reports/report.h"
#include "reports/requirements.h"
#include "reports/test/sample.h"
#include "reports/test/schema.h"

enum { KINDS = SAMPLE_EMPTY + 1 };

/* One run of each kind, made once for all tests. */
static int make_samples(void **state)
{
    static struct results *samples[KINDS];
    for (int k = 0; k < KINDS; k++)
        samples[k] = sample_results((enum sample_kind)k);
    *state = samples;
    return 0;
}

static int free_samples(void **state)
{
    struct results **samples = *state;
    for (int k = 0; k < KINDS; k++)
        results_free(samples[k]);
    return 0;
}

static const struct results *sample(void **state, enum sample_kind kind)
{
    return ((struct results **)*state)[kind];
}

/* The report as text; the caller frees. */
static char *print(const struct results *results, enum report_format format, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    assert_non_null(out);
    assert_int_equal(report_print(results, format, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *print_console(const struct results *results, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    assert_non_null(out);
    report_console_summary(results, out, false, 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* Behind the next newline; NULL after the last. */
static const char *next_line(const char *text)
{
    const char *newline = strchr(text, '\n');
    return newline ? newline + 1 : NULL;
}

/* How many lines start with this. */
static unsigned lines_starting(const char *text, const char *start)
{
    unsigned count = 0;
    const size_t len = strlen(start);
    for (const char *line = text; line; line = next_line(line))
        count += strncmp(line, start, len) == 0;
    return count;
}

static const char *line_starting(const char *text, const char *start)
{
    const size_t len = strlen(start);
    for (const char *line = text; line && *line; line = next_line(line))
        if (strncmp(line, start, len) == 0)
            return line;
    fail_msg("no line starts with %s", start);
    return NULL;
}

struct counts { /* what a run adds up to, counted by the test itself */
    unsigned pass, fail, known, inconclusive, error, not_applicable, deviations;
};

static struct counts count(const struct results *results)
{
    struct counts n = { 0 };
    for (size_t i = 0; i < results->test_count; i++) {
        const struct result_test *t = &results->tests[i];
        unsigned *const where[] = { [VERDICT_PASS] = &n.pass, [VERDICT_FAIL] = &n.fail, [VERDICT_INCONCLUSIVE] = &n.inconclusive,
                                    [VERDICT_ERROR] = &n.error, [VERDICT_NOT_APPLICABLE] = &n.not_applicable };
        ++*where[t->verdict];
        n.known += t->verdict == VERDICT_FAIL && t->known;
        for (size_t f = 0; f < t->finding_count && t->verdict != VERDICT_FAIL; f++)
            n.deviations += t->findings[f].level == LEVEL_SHOULD || t->findings[f].level == LEVEL_SHOULD_NOT;
    }
    return n;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static json_t *load(const char *text, size_t len)
{
    json_error_t error;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!value)
        fail_msg("line %d: %s", error.line, error.text);
    return value;
}

static void json_follows_its_schema(void **state)
{
    json_error_t why;
    json_t *schema = json_load_file("reports/results.schema.json", 0, &why);
    if (!schema)
        fail_msg("reports/results.schema.json:%d: %s", why.line, why.text);
    for (int k = 0; k < KINDS; k++) {
        char error[512];
        size_t len = 0;
        const struct results *results = sample(state, (enum sample_kind)k);
        char *text = print(results, REPORT_JSON, &len);
        json_t *value = load(text, len);
        if (!schema_check(schema, schema, value, error, sizeof error))
            fail_msg("kind %d: %s", k, error);
        json_object_set_new(value, "unheard-of", json_integer(1)); /* and the validator can say no */
        assert_false(schema_check(schema, schema, value, error, sizeof error));
        json_decref(value);
        free(text);
    }
    json_decref(schema);
}

static void json_reads_back_as_the_same_results(void **state)
{
    for (int k = 0; k < KINDS; k++) {
        char error[512];
        size_t len = 0, again_len = 0;
        const struct results *results = sample(state, (enum sample_kind)k);
        char *text = print(results, REPORT_JSON, &len);
        struct results *again = results_read_bytes(text, len, "results.json", error, sizeof error);
        if (!again)
            fail_msg("%s", error);
        char *same = print(again, REPORT_JSON, &again_len);
        assert_int_equal(len, again_len);
        assert_memory_equal(text, same, len);
        results_free(again);
        free(text);
        free(same);
    }
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static unsigned member(const json_t *summary, const char *key)
{
    return (unsigned)json_integer_value(json_object_get(summary, key));
}

static void assert_json_counts(const struct results *results, const struct counts *n)
{
    size_t len = 0;
    char *text = print(results, REPORT_JSON, &len);
    json_t *value = load(text, len), *sum = json_object_get(value, "summary");
    assert_int_equal(member(sum, "pass"), n->pass);
    assert_int_equal(member(sum, "fail"), n->fail);
    assert_int_equal(member(sum, "known"), n->known);
    assert_int_equal(member(sum, "inconclusive"), n->inconclusive);
    assert_int_equal(member(sum, "error"), n->error);
    assert_int_equal(member(sum, "not_applicable"), n->not_applicable);
    assert_int_equal(member(sum, "deviations"), n->deviations);
    assert_int_equal(json_array_size(json_object_get(value, "tests")), results->test_count);
    json_decref(value);
    free(text);
}

static unsigned xpath_number(xmlDocPtr doc, const char *expression)
{
    xmlXPathContextPtr context = xmlXPathNewContext(doc);
    xmlXPathObjectPtr object = xmlXPathEvalExpression(BAD_CAST expression, context);
    assert_non_null(object);
    const double number = xmlXPathCastToNumber(object);
    xmlXPathFreeObject(object);
    xmlXPathFreeContext(context);
    return (unsigned)number;
}

static xmlDocPtr load_xml(const char *text, size_t len)
{
    xmlDocPtr doc = xmlReadMemory(text, (int)len, "junit.xml", NULL, XML_PARSE_NONET | XML_PARSE_HUGE);
    assert_non_null(doc);
    return doc;
}

static void assert_junit_counts(const struct results *results, const struct counts *n)
{
    size_t len = 0;
    char *text = print(results, REPORT_JUNIT, &len);
    xmlDocPtr doc = load_xml(text, len);
    const unsigned skipped = n->known + n->inconclusive + n->not_applicable;
    assert_int_equal(xpath_number(doc, "count(//testcase)"), results->test_count);
    assert_int_equal(xpath_number(doc, "count(//failure)"), n->fail - n->known);
    assert_int_equal(xpath_number(doc, "count(//error)"), n->error);
    assert_int_equal(xpath_number(doc, "count(//skipped)"), skipped);
    assert_int_equal(xpath_number(doc, "count(//testcase[not(failure|error|skipped)])"), n->pass);
    const struct { const char *name; unsigned expected; } attributes[] = {
        { "tests", (unsigned)results->test_count }, { "failures", n->fail - n->known }, { "errors", n->error }, { "skipped", skipped },
    };
    for (size_t a = 0; a < ARRAY_LEN(attributes); a++) {
        char expression[64];
        snprintf(expression, sizeof expression, "number(/testsuites/@%s)", attributes[a].name);
        assert_int_equal(xpath_number(doc, expression), attributes[a].expected);
        snprintf(expression, sizeof expression, "sum(//testsuite/@%s)", attributes[a].name);
        assert_int_equal(xpath_number(doc, expression), attributes[a].expected);
    }
    assert_int_equal(xpath_number(doc, "count(//testsuite[@tests != count(testcase)])"), 0);
    xmlFreeDoc(doc);
    free(text);
}

static void assert_tap_counts(const struct results *results, const struct counts *n)
{
    size_t len = 0;
    char *text = print(results, REPORT_TAP, &len), plan[32];
    snprintf(plan, sizeof plan, "1..%zu", results->test_count);
    assert_int_equal(lines_starting(text, plan), 1);
    assert_int_equal(lines_starting(text, "1.."), 1);
    assert_int_equal(lines_starting(text, "not ok "), n->fail + n->error);
    assert_int_equal(lines_starting(text, "ok "), n->pass + n->inconclusive + n->not_applicable);
    unsigned skip = 0, todo = 0;
    assert_int_equal(lines_starting(text, "Bail out!"), results->finished ? 0 : 1);
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        skip += *line == 'o' && strstr(line, " # SKIP ");
        todo += *line == 'n' && strstr(line, " # TODO ");
    }
    assert_int_equal(skip, n->inconclusive + n->not_applicable);
    assert_int_equal(todo, n->known);
    free(text);
}

static void assert_markdown_counts(const struct results *results, const struct counts *n)
{
    size_t len = 0;
    char *text = print(results, REPORT_MARKDOWN, &len), row[160];
    snprintf(row, sizeof row, "| `all` | %u | %u | %u | %u | %u | %u | %u |\n", n->pass, n->fail, n->known, n->inconclusive,
             n->error, n->not_applicable, n->deviations);
    assert_memory_equal(line_starting(text, "| `all` |"), row, strlen(row));
    free(text);
}

/* What was left out, summed over the reasons that are shown. */
static __attribute__((noinline)) unsigned left_out_in(const char *text) /* inline, gcc 12 sees a pointer that dangles and does not */
{
    static const char heading[] = "\nLeft out, since\n";
    const char *line = strstr(text, heading);
    unsigned sum = 0, count;
    if (!line)
        return 0;
    for (line += sizeof heading - 1; *line == ' ' && sscanf(line, "%7u  ", &count) == 1; line += strcspn(line, "\n") + 1)
        sum += count;
    return sum;
}

static void assert_console_counts(const struct results *results, const struct counts *n)
{
    size_t len = 0;
    char *text = print_console(results, &len), expected[200], known[32] = "";
    if (n->known)
        snprintf(known, sizeof known, " (%u as known)", n->known);
    snprintf(expected, sizeof expected, "%u passed, %u failed%s, %u inconclusive, %u errors, %u not applicable, %u deviations",
             n->pass, n->fail, known, n->inconclusive, n->error, n->not_applicable, n->deviations);
    if (!strstr(text, expected))
        fail_msg("expected %s in\n%s", expected, text);
    if (!strstr(text, " other reasons, each in"))
        assert_int_equal(left_out_in(text), n->not_applicable);
    free(text);
}

static void all_formats_agree_on_the_numbers(void **state)
{
    for (int k = 0; k < KINDS; k++) {
        const struct results *results = sample(state, (enum sample_kind)k);
        const struct counts n = count(results);
        assert_json_counts(results, &n);
        assert_junit_counts(results, &n);
        assert_tap_counts(results, &n);
        assert_markdown_counts(results, &n);
        assert_console_counts(results, &n);
    }
}

static void equal_results_give_identical_bytes(void **state)
{
    for (int k = 0; k < KINDS; k++) {
        const struct results *one = sample(state, (enum sample_kind)k);
        struct results *other = sample_results((enum sample_kind)k);
        for (unsigned f = 0; f < REPORT_COUNT; f++) {
            size_t one_len = 0, other_len = 0;
            char *a = print(one, (enum report_format)f, &one_len), *b = print(other, (enum report_format)f, &other_len);
            assert_int_equal(one_len, other_len);
            assert_memory_equal(a, b, one_len);
            free(a);
            free(b);
        }
        results_free(other);
    }
}

/* ---- JUnit ------------------------------------------------------------------------------------------------------- */

static void junit_is_valid_against_the_common_schema(void **state)
{
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt("reports/test/junit.xsd");
    xmlSchemaPtr schema = xmlSchemaParse(parser);
    assert_non_null(schema);
    for (int k = 0; k < KINDS; k++) {
        size_t len = 0;
        const struct results *results = sample(state, (enum sample_kind)k);
        char *text = print(results, REPORT_JUNIT, &len);
        xmlDocPtr doc = load_xml(text, len);
        xmlSchemaValidCtxtPtr valid = xmlSchemaNewValidCtxt(schema);
        assert_int_equal(xmlSchemaValidateDoc(valid, doc), 0);
        xmlSchemaFreeValidCtxt(valid);
        xmlFreeDoc(doc);
        free(text);
    }
    xmlSchemaFree(schema);
    xmlSchemaFreeParserCtxt(parser);
}

static char *xpath_string(xmlDocPtr doc, const char *expression)
{
    xmlXPathContextPtr context = xmlXPathNewContext(doc);
    xmlXPathObjectPtr object = xmlXPathEvalExpression(BAD_CAST expression, context);
    char *text = (char *)xmlXPathCastToString(object);
    xmlXPathFreeObject(object);
    xmlXPathFreeContext(context);
    return text;
}

static void junit_says_what_failed_and_why_the_rest_was_skipped(void **state)
{
    static const struct { const char *expression, *expected; } rows[] = {
        { "string(//testcase[failure][1]/@name)", "rfc9293/3.6-closing/time-wait" },
        { "string(//testcase[failure][1]/@classname)", "rfc9293.3_6-closing" },
        { "string(//testsuite[2]/@name)", "rfc9293/3.6-closing" },
        { "string(//testsuite[1]/@timestamp)", "2025-01-31T12:00:00" },
        { "string(//testcase[contains(@name,'500ms')]/failure/@message)",
          "RFC9293:MUST-40: The ACK came too late: expected ACK 11 by +0.500 s, observed came at +0.612 s" },
        { "string(//testcase[contains(@name,'500ms')]/failure/@type)", "expect" },
        { "string(//testcase[contains(@name,'500ms')]/@time)", "0.612000003" },
        { "string(//testcase[contains(@name,'500ms')]/@line)", "14" },
        { "string(//testcase[contains(@name,'illegal')]/skipped/@message)", "known: stops reading options; see the ledger" },
        { "string(//testcase[contains(@name,'closing/fin')]/skipped/@message)", "inconclusive: never reached ESTABLISHED" },
        { "string(//testcase[contains(@name,'urgent')]/skipped/@message)", "not applicable: the target has no IPv6" },
        { "string(//testcase[@name='loose']/error/@message)", "loose.pkt:3:9: expected a time" },
        { "string(//testcase[@name='loose']/@classname)", "other" },
        { "string(contains(//failure[contains(@message,'MUST-40')], '+0.612000000  received  2  > . 1:1(0) ack 11'))", "true" },
        { "string(//property[@name='seed']/@value)", "9223372036854775807" },
    };
    size_t len = 0;
    const struct results *results = sample(state, SAMPLE_PLAIN);
    char *text = print(results, REPORT_JUNIT, &len);
    xmlDocPtr doc = load_xml(text, len);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *found = xpath_string(doc, rows[i].expression);
        if (strcmp(found, rows[i].expected) != 0)
            fail_msg("%s: expected \"%s\", found \"%s\"", rows[i].expression, rows[i].expected, found);
        xmlFree(found);
    }
    xmlFreeDoc(doc);
    free(text);
}

static void junit_keeps_hostile_text_as_text(void **state)
{
    size_t len = 0;
    const struct results *results = sample(state, SAMPLE_HOSTILE);
    char *text = print(results, REPORT_JUNIT, &len);
    xmlDocPtr doc = load_xml(text, len);
    char *message = xpath_string(doc, "string(//skipped[starts-with(@message,'inconclusive')]/@message)");
    assert_non_null(strstr(message, "</testcase>]]>&amp;<script>alert(1)</script>\"'-->"));
    assert_non_null(strstr(message, "\\x01\\x02\\x08\\x0b\\x0c\\x0e\\x1b[31mred"));
    assert_non_null(strstr(message, "\\u202e reversed \\ufffe \\uffff"));
    assert_int_equal(xpath_number(doc, "count(//script)"), 0);
    xmlFree(message);
    xmlFreeDoc(doc);
    free(text);
}

/* ---- TAP --------------------------------------------------------------------------------------------------------- */

/* Every line is one of those that the format has, indented where it must be. */
static bool is_tap_line(const char *line, size_t number)
{
    static const char *const starts[] = { "1..", "# ", "ok ", "not ok ", "Bail out! the run was cut short", "  ---", "  ...",
                                          "  verdict: \"", "  title: \"", "  reason: \"", "  file: \"", "  line: ", "  pcap: \"",
                                          "  duration_ms: ", "  findings:", "    - at_ns: ", "      requirement: \"", "      level: \"",
                                          "      rule: \"", "      message: \"", "      expected: \"", "      observed: \"",
                                          "      segment: " };
    if (number == 0)
        return strcmp(line, "TAP version 14") == 0;
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (strncmp(line, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* A quoted scalar is closed at the end of its line and not before. */
static bool quotes_match(const char *line)
{
    const char *p = strchr(line, '"');
    if (!p || *line != ' ')
        return true;
    for (p++; *p && *p != '"'; p++)
        p += *p == '\\' && p[1] ? 1 : 0;
    return *p == '"' && p[1] == '\0';
}

static void tap_has_no_line_that_the_results_forged(void **state)
{
    for (int k = 0; k < KINDS; k++) {
        size_t len = 0, number = 0;
        const struct results *results = sample(state, (enum sample_kind)k);
        char *text = print(results, REPORT_TAP, &len), *rest = text;
        for (char *line; (line = strsep(&rest, "\n")) && (rest || *line); number++) {
            if (!is_tap_line(line, number) || !quotes_match(line))
                fail_msg("line %zu: %.200s", number + 1, line);
            if (strpbrk(line, "\r\x1b\x01"))
                fail_msg("line %zu has a control character", number + 1);
        }
        free(text);
    }
}

static void tap_knows_todo_and_skip(void **state)
{
    static const char *const lines[] = {
        "ok 1 - rfc9293/3.5-establishing/simultaneous-open\n",
        "ok 2 - rfc9293/3.6-closing/fin # SKIP inconclusive: never reached ESTABLISHED\n",
        "not ok 3 - rfc9293/3.6-closing/time-wait\n  ---\n  verdict: \"fail\"\n",
        "ok 4 - rfc9293/3.6-closing/urgent # SKIP not applicable: the target has no IPv6\n",
        "not ok 7 - rfc9293/3.10-events/illegal-option-length # TODO known: stops reading options; see the ledger\n",
        "not ok 9 - loose\n",
    };
    size_t len = 0;
    const struct results *results = sample(state, SAMPLE_PLAIN);
    char *text = print(results, REPORT_TAP, &len);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (!strstr(text, lines[i]))
            fail_msg("missing: %s", lines[i]);
    free(text);

    results = sample(state, SAMPLE_HOSTILE);
    text = print(results, REPORT_TAP, &len);
    assert_non_null(strstr(text, " \\# TODO x \\# SKIP y")); /* a directive of the results' own is none */
    free(text);
}

/* ---- Markdown ---------------------------------------------------------------------------------------------------- */

/* Takes the code spans out of a line (CommonMark §6.1): a run of backquotes, and all up to the next run of that length. */
static void remove_spans(char *line)
{
    for (char *open; (open = strchr(line, '`'));) {
        const size_t fence = strspn(open, "`");
        char *close = strchr(open + fence, '`');
        while (close && strspn(close, "`") != fence)
            close = strchr(close + strspn(close, "`"), '`');
        assert_non_null(close);
        if (close)
            memmove(open, close + fence, strlen(close + fence) + 1);
    }
}

/* GitHub ends a cell at any border but an escaped one, in a code span too. */
static unsigned borders_of(const char *line)
{
    unsigned borders = 0;
    for (const char *p = line; (p = strchr(p, '|')); p++)
        borders += p == line || p[-1] != '\\';
    return *line == '|' ? borders : 0;
}

static void markdown_has_no_markup_that_the_results_brought(void **state)
{
    for (int k = 0; k < KINDS; k++) {
        size_t len = 0;
        const struct results *results = sample(state, (enum sample_kind)k);
        char *text = print(results, REPORT_MARKDOWN, &len), *rest = text;
        assert_null(strpbrk(text, "\r\t\x1b\x01\x7f"));
        assert_true(len < 100000); /* of 1 MB strings too: cut, and said so */
        for (char *line; (line = strsep(&rest, "\n"));) {
            const unsigned borders = borders_of(line);
            if (borders != 0 && borders != 9)
                fail_msg("a row of %u borders: %s", borders, line);
            remove_spans(line);
            if (strpbrk(line, "<>[]&@\\_"))
                fail_msg("markup outside of a code span: %s", line);
        }
        free(text);
    }
}

static void markdown_lists_what_needs_a_look(void **state)
{
    static const char *const wanted[] = {
        "# Conformance of `linux`\n", "| `rfc9293/3.8-data` | 1 | 1 | 0 | 0 | 0 | 0 | 1 |\n", "## Failures\n", "## Errors of the tester\n",
        "## Inconclusive\n", "## Deviations", "## Known failures", "## Passes, though the ledger", "## Requirements\n",
        "- `RFC9293:MUST-40` violated: ", "  - `RFC9293:MUST-40`; expected `ACK 11 by +0.500 s`; observed `came at +0.612 s` (segment 2)\n",
    };
    size_t len = 0;
    const struct results *results = sample(state, SAMPLE_PLAIN);
    char *text = print(results, REPORT_MARKDOWN, &len);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (!strstr(text, wanted[i]))
            fail_msg("missing: %s in\n%s", wanted[i], text);
    free(text);
}

/* ---- console ----------------------------------------------------------------------------------------------------- */

static void the_console_sees_no_control_character(void **state)
{
    for (int k = 0; k < KINDS; k++) {
        size_t len = 0;
        const struct results *results = sample(state, (enum sample_kind)k);
        char *text = print_console(results, &len);
        for (size_t i = 0; i < len; i++)
            if (((uint8_t)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f)
                fail_msg("octet %zu is 0x%02x", i, (uint8_t)text[i]);
        assert_null(strstr(text, "\xe2\x80\xae"));
        assert_null(strstr(text, "\xc2\x9b"));
        assert_int_equal(lines_starting(text, "not ok"), 0);
        assert_true(len < 100000);
        free(text);
    }
}

static void a_failure_is_one_line_that_names_requirement_expected_observed_and_file(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    report_console_line(&sample_tests[2], "out/", out, false); /* as the runner has it, NULL where a string is missing */
    report_console_line(&sample_tests[2], NULL, out, true);
    report_console_line(&sample_tests[0], "out", out, false);
    report_console_line(&sample_tests[7], NULL, out, false);
    report_console_line(&sample_tests[1], NULL, out, false);
    report_console_line(&sample_tests[6], NULL, out, false);
    const struct result_test bare = { .id = "bare", .verdict = VERDICT_FAIL };
    report_console_line(&bare, NULL, out, false);
    fclose(out);
    assert_string_equal(
        text,
        "FAIL rfc9293/3.8-data/ack-within-500ms  RFC9293:MUST-40  expected ACK 11 by +0.500 s, observed came at +0.612 s (segment 2)"
        "  open out/pcap/ack-within-500ms.pcap\n"
        "\x1b[1;31mFAIL\x1b[0m rfc9293/3.8-data/ack-within-500ms  RFC9293:MUST-40  expected ACK 11 by +0.500 s, observed came at +0.612 s"
        " (segment 2)  open pcap/ack-within-500ms.pcap\n"
        "KNOWN rfc9293/3.10-events/illegal-option-length  RFC9293:MUST-7  expected S. with ack 1, observed nothing"
        "  open tests-suite/a.pkt:9  known: stops reading options; see the ledger\n"
        "ERROR loose  ACME:1  loose.pkt:3:9: expected a time\n"
        "PASS rfc9293/3.5-establishing/simultaneous-open  0.001 s\n"
        "NOT APPLICABLE rfc9293/3.6-closing/urgent  the target has no IPv6\n"
        "FAIL bare  \n");
    free(text);
}

static void the_console_ends_with_the_new_failures_and_the_totals(void **state)
{
    size_t len = 0;
    const struct results *results = sample(state, SAMPLE_PLAIN);
    char *text = print_console(results, &len);
    const char *table = line_starting(text, "rfc9293/3.8-data"), *known = line_starting(text, "KNOWN"),
               *error = line_starting(text, "ERROR"), *failure = line_starting(text, "FAIL"),
               *total = line_starting(text, "3 passed, 3 failed (1 as known), 1 inconclusive");
    assert_true(table < known && known < error && error < failure && failure < total);
    assert_non_null(strstr(text, "NOTE rfc9293/3.10-events/once-broken  passes, though the target's ledger lists it"));
    static const char head[] = "section                    pass  fail  known  inconclusive  error   n/a  deviations\n",
                      all[] = "all                           3     3      1             1      1     1           1\n",
                      data[] = "rfc9293/3.8-data              1     1      .             .      .     .           1\n";
    assert_memory_equal(line_starting(text, "section"), head, sizeof head - 1);
    assert_memory_equal(line_starting(text, "all "), all, sizeof all - 1);
    assert_memory_equal(line_starting(text, "rfc9293/3.8-data"), data, sizeof data - 1);
    assert_non_null(
        line_starting(text, "The stack: offers an MSS of 1440 to 1460 octets · offers a window scale of 7 · offers SACK: yes ·"));
    assert_non_null(line_starting(text, "The model: 2 of "));
    assert_non_null(strstr(text, "put to the test, 1 broken; 2 transitions seen\n"));
    free(text);

    results = sample(state, SAMPLE_EMPTY); /* has no end line */
    text = print_console(results, &len);
    assert_null(strstr(text, "The stack"));
    assert_null(strstr(text, "The model"));
    assert_non_null(strstr(text, "The run was cut short: 0 tests finished; --resume goes on.\n"));
    free(text);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void a_report_appears_whole_or_not_at_all(void **state)
{
    char dir[SAMPLE_DIR_MAX], path[SAMPLE_DIR_MAX + 32], error[512];
    size_t len = 0, printed_len = 0;
    const struct results *results = sample(state, SAMPLE_PLAIN);
    sample_dir_make(dir);
    signal(SIGXFSZ, SIG_IGN);
    for (unsigned f = 0; f < REPORT_COUNT; f++) {
        const enum report_format format = (enum report_format)f;
        snprintf(path, sizeof path, "%s/%s", dir, report_file_name(format));
        if (report_write(results, format, path, error, sizeof error) != 0)
            fail_msg("%s", error);
        struct rlimit limit = { 100, RLIM_INFINITY }; /* stands in for a full disk */
        setrlimit(RLIMIT_FSIZE, &limit);
        const int full = report_write(results, format, path, error, sizeof error);
        limit.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_FSIZE, &limit);
        assert_int_equal(full, -1);
        assert_non_null(strstr(error, ": the report cannot be written: File too large"));

        char *there = sample_slurp(path, &len), *printed = print(results, format, &printed_len);
        assert_int_equal(len, printed_len);
        assert_memory_equal(there, printed, len);
        free(there);
        free(printed);
        snprintf(path, sizeof path, "%s/%s.new", dir, report_file_name(format));
        assert_int_not_equal(access(path, F_OK), 0);
    }
    sample_dir_remove(dir);
}

static void a_report_that_cannot_be_written_says_so(void **state)
{
    char error[512];
    const struct results *results = sample(state, SAMPLE_PLAIN);
    assert_int_equal(report_write(results, REPORT_TAP, "/nonexistent/x.tap", error, sizeof error), -1);
    assert_string_equal(error, "/nonexistent/x.tap: the report cannot be written: No such file or directory");
    assert_int_equal(report_write(results, REPORT_JSON, "/dev/full", error, sizeof error), -1);
    assert_string_equal(error, "/dev/full: the report cannot be written: No space left on device");
    assert_int_equal(report_write(results, REPORT_JUNIT, "/dev/full", error, sizeof error), -1);
    assert_int_equal(report_write(results, REPORT_JUNIT, "/dev/null", error, sizeof error), 0);
}

static void formats_are_known_by_their_names(void **state)
{
    (void)state;
    static const char *const names[] = { "json", "junit", "tap", "md", "sarif", "csv", "tests-csv", "pcapng", "badge" };
    assert_true(REPORT_COUNT >= ARRAY_LEN(names));
    for (unsigned f = 0; f < ARRAY_LEN(names); f++) {
        enum report_format format = REPORT_COUNT;
        assert_string_equal(report_format_text((enum report_format)f), names[f]);
        assert_true(report_format_parse(names[f], &format));
        assert_int_equal(format, f);
    }
    enum report_format format;
    assert_false(report_format_parse("html5", &format));
}

/* ---- requirements ------------------------------------------------------------------------------------------------ */

static const struct requirement_result *find_requirement(const struct requirement_results *all, const char *id)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->list[i].id, id) == 0)
            return &all->list[i];
    fail_msg("%s is missing", id);
    return NULL;
}

static void requirements_follow_from_tests_and_findings(void **state)
{
    static const struct { const char *id; enum requirement_status status; size_t tests; const char *because; } rows[] = {
        { "RFC9293:MUST-10", STATUS_SATISFIED, 1, "its test passed" },
        { "RFC9293:MUST-40", STATUS_VIOLATED, 1, "a finding names it" },
        { "RFC9293:SHLD-18", STATUS_UNTESTED, 1, "covered by the same failing test, which stopped at something else" },
        { "RFC9293:SHLD-19", STATUS_DEVIATED, 1, "the test passed, with a finding of level SHOULD" },
        { "RFC9293:MUST-58", STATUS_SATISFIED, 1, "covered by the test that deviates from another" },
        { "RFC9293:MUST-13", STATUS_VIOLATED, 1, "a finding that names none counts against what is covered" },
        { "RFC9293:MUST-7", STATUS_VIOLATED, 2, "known failures are violations; another test that passes does not outweigh them" },
        { "RFC9293:REC-1", STATUS_UNTESTABLE, 0, "the catalogue says so" },
        { "RFC9293:MUST-1", STATUS_UNTESTED, 0, "no test" },
        { "ACME:1", STATUS_UNTESTED, 1, "its test was in error; not in the catalogue, but claimed" },
    };
    const struct results *results = sample(state, SAMPLE_PLAIN);
    struct requirement_results all;
    assert_true(requirements_judge(results, &all));
    assert_int_equal(all.count, requirement_count() + 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct requirement_result *r = find_requirement(&all, rows[i].id);
        if (r->status != rows[i].status || r->test_count != rows[i].tests)
            fail_msg("%s (%s): %s, %zu tests", r->id, rows[i].because, requirement_status_text(r->status), r->test_count);
    }
    size_t total = 0;
    for (size_t i = 0; i < STATUS_COUNT; i++)
        total += all.statuses[i];
    assert_int_equal(total, all.count);
    for (size_t i = 1; i < all.count; i++)
        assert_true(strverscmp(all.list[i - 1].id, all.list[i].id) < 0);
    requirements_release(&all);
}

/* ---- comparison -------------------------------------------------------------------------------------------------- */

static struct results *read_run(const char *target, const char *tests, bool finished)
{
    char text[4096], error[512];
    const int len = snprintf(text, sizeof text, "{\"type\":\"run\",\"schema\":1,\"target\":{\"name\":\"%s\"}}\n%s%s", target, tests,
                             finished ? "{\"type\":\"end\"}\n" : "");
    struct results *results = results_read_bytes(text, (size_t)len, "x", error, sizeof error);
    if (!results)
        fail_msg("%s", error);
    return results;
}

static struct results *read_lines(const char *tests)
{
    return read_run("linux", tests, true);
}

#define LINE(id, verdict) "{\"type\":\"test\",\"id\":\"" id "\",\"verdict\":\"" verdict "\",\"reason\":\"why\"}\n"

static void a_comparison_tells_new_failures_from_old_ones(void **state)
{
    (void)state;
    struct results *before = read_lines(LINE("a2", "fail") LINE("a10", "fail") LINE("b", "pass") LINE("c", "fail") LINE("d", "fail")
                                        LINE("e", "inconclusive") LINE("g", "pass") LINE("h", "pass"));
    struct results *now = read_lines(LINE("a2", "fail") LINE("a10", "pass") LINE("b", "fail") LINE("c", "error") LINE("e", "fail")
                                     LINE("f", "fail") LINE("g", "pass") LINE("i", "not_applicable"));
    struct comparison c;
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(compare_results(before, now, &c), 0);
    FILE *out = open_memstream(&text, &len);
    comparison_print(&c, out, false);
    fclose(out);
    assert_string_equal(
        text, "NEW FAILURE b  why  was pass\n"
                              "NEW FAILURE e  why  was inconclusive\n"
                              "NEW FAILURE f  why  was not in the baseline\n"
                              "STILL FAILING a2\n"
                              "FIXED a10\n"
                              "UNDECIDED c  was fail, now error\n"
                              "UNDECIDED d  was fail, now not run\n"
                              "APPEARED i  not_applicable, and was not in the baseline\n"
                              "VANISHED h  was pass, and was not run\n"
                              "Against the baseline: 3 new failures, 1 still failing, 1 fixed, 2 undecided; 1 tests appeared, 1 vanished.\n");
    assert_int_equal(c.counts[COMPARE_NEW_FAILURE], 3);
    free(text);
    comparison_release(&c);
    results_free(before);
    results_free(now);
}

static char *print_comparison(const struct results *before, const struct results *now)
{
    struct comparison c;
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(compare_results(before, now, &c), 0);
    FILE *out = open_memstream(&text, &len);
    comparison_print(&c, out, false);
    fclose(out);
    comparison_release(&c);
    return text;
}

static void a_comparison_says_when_the_two_are_not_of_a_kind(void **state)
{
    (void)state;
    struct results *linux_run = read_run("linux", LINE("a", "pass"), true),
                   *cut = read_run("bsd\\u001b[31m", LINE("a", "pass"), false);
    char *other = print_comparison(cut, linux_run), *same = print_comparison(linux_run, linux_run);
    assert_non_null(strstr(other, "NOTE the baseline is of another target: bsd\\x1b[31m, and this run of linux\n"));
    assert_non_null(strstr(other, "NOTE the baseline is incomplete"));
    assert_null(strstr(same, "NOTE"));
    free(other);
    free(same);
    results_free(linux_run);
    results_free(cut);
}

static void of_thousands_that_vanished_the_first_few_are_listed(void **state)
{
    (void)state;
    char lines[1200] = "";
    for (int i = 0; i < 20; i++)
        snprintf(lines + strlen(lines), sizeof lines - strlen(lines), LINE("v%d", "pass"), i);
    struct results *before = read_lines(lines), *now = read_lines("");
    char *text = print_comparison(before, now);
    assert_int_equal(lines_starting(text, "VANISHED "), 10);
    assert_non_null(strstr(text, "0 tests appeared, 20 vanished."));
    free(text);
    results_free(before);
    results_free(now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_follows_its_schema),
        cmocka_unit_test(json_reads_back_as_the_same_results),
        cmocka_unit_test(all_formats_agree_on_the_numbers),
        cmocka_unit_test(equal_results_give_identical_bytes),
        cmocka_unit_test(junit_is_valid_against_the_common_schema),
        cmocka_unit_test(junit_says_what_failed_and_why_the_rest_was_skipped),
        cmocka_unit_test(junit_keeps_hostile_text_as_text),
        cmocka_unit_test(tap_has_no_line_that_the_results_forged),
        cmocka_unit_test(tap_knows_todo_and_skip),
        cmocka_unit_test(markdown_has_no_markup_that_the_results_brought),
        cmocka_unit_test(markdown_lists_what_needs_a_look),
        cmocka_unit_test(the_console_sees_no_control_character),
        cmocka_unit_test(a_failure_is_one_line_that_names_requirement_expected_observed_and_file),
        cmocka_unit_test(the_console_ends_with_the_new_failures_and_the_totals),
        cmocka_unit_test(a_report_appears_whole_or_not_at_all),
        cmocka_unit_test(a_report_that_cannot_be_written_says_so),
        cmocka_unit_test(formats_are_known_by_their_names),
        cmocka_unit_test(requirements_follow_from_tests_and_findings),
        cmocka_unit_test(a_comparison_tells_new_failures_from_old_ones),
        cmocka_unit_test(a_comparison_says_when_the_two_are_not_of_a_kind),
        cmocka_unit_test(of_thousands_that_vanished_the_first_few_are_listed),
    };
    const int failed = cmocka_run_group_tests(tests, make_samples, free_samples);
    xmlCleanupParser();
    return failed;
}

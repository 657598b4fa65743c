/* junit.xml: the schema that Jenkins and GitLab read (reports/test/junit.xsd), a suite for each RFC section.
 *
 * A report is red exactly when the run's exit code is not 0: new failures are failures, errors are errors; known failures, what
 * was not applicable and what stayed inconclusive are skipped, with the reason. A test's name is its id, ready to be given to
 * `tcpassay run`; its class is the section with dots and slashes swapped for what Jenkins takes for a package and a class.
 */
#include "reports/formats.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xmlwriter.h>

#include "reports/text.h"

struct junit {
    xmlTextWriterPtr xml;
    bool failed;
};

static void check(struct junit *j, int written)
{
    if (written < 0)
        j->failed = true;
}

/* ---- text ------------------------------------------------------------------------------------------------------ */

/* XML 1.0 §2.2: tab and newline pass, everything that is no Char, or would be invisible, is shown instead. */
static bool passes(uint32_t code)
{
    return code == '\t' || code == '\n' || (!text_is_control(code) && code < TEXT_NOT_UTF8 && code != 0xfffe && code != 0xffff);
}

/* The one function that makes a string fit for XML; markup is escaped by the library. The caller frees. */
static char *xml_text(const char *text)
{
    char *clean = malloc(strlen(text) * TEXT_VISIBLE_MAX + 1), *end = clean;
    uint32_t code = 0;
    for (size_t len; clean && (len = text_decode(text, &code)) > 0; text += len) {
        if (passes(code)) {
            memcpy(end, text, len);
            end += len;
        } else if (code == 0xfffe || code == 0xffff) {
            end += sprintf(end, "\\u%04x", code);
        } else {
            end += text_make_visible(text, len, code, end);
        }
    }
    if (clean)
        *end = '\0';
    return clean;
}

static void put_attribute(struct junit *j, const char *name, const char *value)
{
    char *clean = xml_text(value);
    check(j, clean ? xmlTextWriterWriteAttribute(j->xml, BAD_CAST name, BAD_CAST clean) : -1);
    free(clean);
}

static void put_number(struct junit *j, const char *name, uint64_t value)
{
    check(j, xmlTextWriterWriteFormatAttribute(j->xml, BAD_CAST name, "%" PRIu64, value));
}

static void put_seconds(struct junit *j, int64_t ns)
{
    check(j,
          xmlTextWriterWriteFormatAttribute(j->xml, BAD_CAST "time", "%" PRId64 ".%09" PRId64, ns / 1000000000, ns % 1000000000));
}

static void put_text(struct junit *j, const char *text)
{
    char *clean = xml_text(text);
    check(j, clean ? xmlTextWriterWriteString(j->xml, BAD_CAST clean) : -1);
    free(clean);
}

static void start(struct junit *j, const char *name)
{
    check(j, xmlTextWriterStartElement(j->xml, BAD_CAST name));
}

static void end(struct junit *j)
{
    check(j, xmlTextWriterEndElement(j->xml));
}

static void put_property(struct junit *j, const char *name, const char *value)
{
    start(j, "property");
    put_attribute(j, "name", name);
    put_attribute(j, "value", value);
    end(j);
}

/* ---- tests ----------------------------------------------------------------------------------------------------- */

static void put_line(struct junit *j, const char *label, const char *text)
{
    if (!*text)
        return;
    put_text(j, label);
    put_text(j, text);
    put_text(j, "\n");
}

static void put_finding(struct junit *j, const struct result_finding *f)
{
    put_text(j, "\n");
    put_line(j, "finding:     ", f->message);
    put_line(j, "requirement: ", f->requirement);
    put_line(j, "level:       ", requirement_level_text(f->level));
    put_line(j, "rule:        ", f->rule);
    put_line(j, "expected:    ", f->expected);
    put_line(j, "observed:    ", f->observed);
    if (f->segment)
        check(j, xmlTextWriterWriteFormatString(j->xml, "segment:     %" PRIu32 "\n", f->segment));
}

static void put_event(struct junit *j, const struct result_event *e)
{
    const uint64_t ns = e->at_ns < 0 ? 0 - (uint64_t)e->at_ns : (uint64_t)e->at_ns;
    check(j, xmlTextWriterWriteFormatString(j->xml, "%c%" PRIu64 ".%09" PRIu64 "  %-8s  ", e->at_ns < 0 ? '-' : '+', ns / 1000000000,
                                            ns % 1000000000, result_event_kind_text(e->kind)));
    if (e->index)
        check(j, xmlTextWriterWriteFormatString(j->xml, "%" PRIu32 "  ", e->index));
    put_text(j, e->segment);
    put_text(j, *e->segment && *e->text ? "  " : "");
    put_text(j, e->text);
    put_text(j, "\n");
}

static void put_details(struct junit *j, const struct result_test *test)
{
    put_text(j, "\n");
    put_line(j, "title:       ", test->title);
    put_line(j, "scenario:    ", test->file);
    put_line(j, "capture:     ", test->pcap);
    for (size_t i = 0; i < test->finding_count; i++)
        put_finding(j, &test->findings[i]);
    put_text(j, test->trace_count ? "\ntrace:\n" : "");
    for (size_t i = 0; i < test->trace_count; i++)
        put_event(j, &test->trace[i]);
}

/* "RFC9293:MUST-40: The ACK came too late: expected ACK 11 by +0.500 s, observed +0.612 s" */
static void put_message(struct junit *j, const struct result_test *test)
{
    const struct result_finding *f = leading_finding(test);
    char *message = NULL;
    if (!f) {
        put_attribute(j, "message", test->reason);
        return;
    }
    const int len = asprintf(&message, "%s%s%s%s%s%s%s", f->requirement, *f->requirement ? ": " : "", *f->message ? f->message : test->reason,
                             *f->expected ? ": expected " : "", f->expected, *f->observed ? ", observed " : "", f->observed);
    if (len < 0) {
        j->failed = true;
        return;
    }
    put_attribute(j, "message", message);
    free(message);
}

static void put_broken(struct junit *j, const struct result_test *test, const char *element)
{
    const struct result_finding *f = leading_finding(test);
    start(j, element);
    put_message(j, test);
    put_attribute(j, "type", f && *f->rule ? f->rule : verdict_text(test->verdict));
    put_details(j, test);
    end(j);
}

static void put_skipped(struct junit *j, const struct result_test *test)
{
    char *why = outcome_explain(test);
    if (!why) {
        j->failed = true;
        return;
    }
    start(j, "skipped");
    put_attribute(j, "message", why);
    end(j);
    free(why);
}

static void put_outcome(struct junit *j, const struct result_test *test)
{
    switch (outcome_of(test)) {
    case OUTCOME_PASSED:
        break;
    case OUTCOME_FAILED:
        put_broken(j, test, "failure");
        break;
    case OUTCOME_ERROR:
        put_broken(j, test, "error");
        break;
    case OUTCOME_KNOWN:
    case OUTCOME_INCONCLUSIVE:
    case OUTCOME_NOT_APPLICABLE:
        put_skipped(j, test);
        break;
    }
}

/* A skipped or passed test that has something to show shows it here: a known failure's evidence, a deviation. */
static void put_output(struct junit *j, const struct result_test *test)
{
    const enum outcome outcome = outcome_of(test);
    if (outcome == OUTCOME_FAILED || outcome == OUTCOME_ERROR || test->finding_count == 0)
        return;
    start(j, "system-out");
    put_details(j, test);
    end(j);
}

static void put_class(struct junit *j, const struct section *section)
{
    char *name = strndup(section->name, section->name_len);
    if (!name) {
        j->failed = true;
        return;
    }
    for (char *p = name; *p; p++)
        *p = (char)(*p == '/' ? '.' : *p == '.' ? '_' : *p);
    put_attribute(j, "classname", name);
    free(name);
}

static void put_test(struct junit *j, const struct section *section, const struct result_test *test)
{
    start(j, "testcase");
    put_attribute(j, "name", test->id);
    put_class(j, section);
    put_seconds(j, test->duration_ns);
    if (*test->file)
        put_attribute(j, "file", test->file);
    if (test->line)
        put_number(j, "line", test->line);
    put_outcome(j, test);
    put_output(j, test);
    end(j);
}

/* ---- suites ---------------------------------------------------------------------------------------------------- */

static void put_counts(struct junit *j, const struct result_test *const *tests, size_t count, int64_t duration_ns)
{
    size_t failures = 0, errors = 0, skipped = 0;
    for (size_t i = 0; i < count; i++) {
        const enum outcome outcome = outcome_of(tests[i]);
        failures += outcome == OUTCOME_FAILED;
        errors += outcome == OUTCOME_ERROR;
        skipped += outcome_is_skipped(outcome);
    }
    put_number(j, "tests", count);
    put_number(j, "failures", failures);
    put_number(j, "errors", errors);
    put_number(j, "skipped", skipped);
    put_seconds(j, duration_ns);
}

/* The schema wants a time without zone; what does not look like one is left out. */
static void put_timestamp(struct junit *j, const char *started)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    char stamp[sizeof shape] = "";
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        const bool digit = started[i] >= '0' && started[i] <= '9';
        if (shape[i] == 'd' ? !digit : started[i] != shape[i])
            return;
        stamp[i] = started[i];
    }
    put_attribute(j, "timestamp", stamp);
}

static void put_properties(struct junit *j, const struct results *results)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRId64, results->run.seed);
    start(j, "properties");
    put_property(j, "tcpassay", results->run.tcpassay);
    put_property(j, "target", results->run.target_name);
    put_property(j, "target.description", results->run.target_description);
    put_property(j, "profile", results->run.profile);
    put_property(j, "seed", seed);
    put_property(j, "finished", results->finished ? "true" : "false");
    for (size_t i = 0; i < results->run.pixit_count; i++)
        put_property(j, results->run.pixit[i].name, results->run.pixit[i].value);
    end(j);
}

static void put_suite(struct junit *j, const struct results *results, const struct sections *sections,
                      const struct section *section)
{
    char *name = strndup(section->name, section->name_len);
    start(j, "testsuite");
    put_attribute(j, "name", name ? name : "");
    j->failed = j->failed || !name;
    free(name);
    put_counts(j, sections->tests + section->first, section->count, section->duration_ns);
    put_timestamp(j, results->run.started);
    put_properties(j, results);
    for (size_t i = 0; i < section->count; i++)
        put_test(j, section, sections->tests[section->first + i]);
    end(j);
}

static void put_document(struct junit *j, const struct results *results, const struct sections *sections)
{
    check(j, xmlTextWriterSetIndent(j->xml, 1));
    check(j, xmlTextWriterStartDocument(j->xml, NULL, "UTF-8", NULL));
    start(j, "testsuites");
    put_attribute(j, "name", "tcpassay");
    put_counts(j, sections->tests, results->test_count, results->duration_ns);
    for (size_t i = 0; i < sections->count; i++)
        put_suite(j, results, sections, &sections->list[i]);
    end(j);
    check(j, xmlTextWriterEndDocument(j->xml));
}

/* The library's way to the stream. Errors stay in ferror(out), where the caller looks; told of them, the library would print. */
static int write_some(void *context, const char *bytes, int len)
{
    FILE *out = context;
    fwrite(bytes, 1, (size_t)len, out);
    return len;
}

bool format_junit(const struct results *results, FILE *out)
{
    struct sections sections;
    if (!sections_make(results, &sections))
        return false;
    xmlOutputBufferPtr buffer = xmlOutputBufferCreateIO(write_some, NULL, out, NULL);
    struct junit j = { .xml = buffer ? xmlNewTextWriter(buffer) : NULL };
    if (j.xml)
        put_document(&j, results, &sections);
    xmlFreeTextWriter(j.xml); /* and the buffer; the stream stays open */
    sections_release(&sections);
    return j.xml && !j.failed;
}

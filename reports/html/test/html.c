/* Unit tests of the HTML report as a file: what it holds is the run, and nothing of the run is markup. How it behaves is for the
 * browser tests. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "reports/html/html.h"
#include "reports/test/sample.h"

struct page { char *text; size_t len; };

static char *text_of_every_file(const struct result_sources *sources, const char *file)
{
    (void)sources;
    return strdup(file);
}

static struct page page_of(const struct results *results)
{
    struct page page = { NULL, 0 };
    FILE *out = open_memstream(&page.text, &page.len);
    assert_non_null(out);
    assert_true(format_html(results, out));
    fclose(out);
    return page;
}

static size_t occurrences(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)); text += strlen(word))
        count++;
    return count;
}

/* The content of <script … id="data-ID">; the caller frees. */
static char *part_of(const struct page *page, const char *id)
{
    char head[64];
    snprintf(head, sizeof head, "id=\"data-%s\">", id);
    const char *from = strstr(page->text, head);
    assert_non_null(from);
    from += strlen(head);
    const char *to = strstr(from, "</script>");
    assert_non_null(to);
    return strndup(from, (size_t)(to - from));
}

static unsigned digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    assert_true(at && c);
    return (unsigned)(at - digits);
}

static size_t from_base64(char *text)
{
    size_t used = 0;
    const size_t len = strlen(text);
    assert_int_equal(len % 4, 0);
    for (size_t i = 0; i < len; i += 4) {
        const unsigned pad = text[i + 2] == '=' ? 2 : text[i + 3] == '=' ? 1 : 0;
        uint32_t three = digit_of(text[i]) << 18 | digit_of(text[i + 1]) << 12;
        three |= (pad > 1 ? 0 : digit_of(text[i + 2]) << 6) | (pad ? 0 : digit_of(text[i + 3]));
        for (unsigned k = 0; k < 3 - pad; k++)
            text[used++] = (char)(three >> (16 - 8 * k) & 0xff);
    }
    return used;
}

static json_t *unpacked(const struct page *page, const char *id)
{
    enum { UNPACKED_MAX = 32 << 20 };
    char *text = part_of(page, id), *raw = malloc(UNPACKED_MAX);
    uLongf len = UNPACKED_MAX;
    const size_t packed = from_base64(text);
    assert_non_null(raw);
    assert_int_equal(uncompress((unsigned char *)raw, &len, (const unsigned char *)text, packed), Z_OK);
    json_t *value = json_loadb(raw, len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    free(text);
    free(raw);
    return value;
}

static void the_page_holds_the_run(void **state)
{
    (void)state;
    struct results *results = sample_results(SAMPLE_PLAIN);
    const struct result_sources sources = { text_of_every_file };
    results->sources = &sources;
    struct page page = page_of(results);
    char *text = part_of(&page, "head");
    json_t *head = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *tests = unpacked(&page, "tests"),
           *traces = unpacked(&page, "trace-0"), *texts = unpacked(&page, "sources");
    assert_non_null(head);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(head, "summary"), "fail")), 3);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(head, "summary"), "known")), 1);
    assert_int_equal(json_array_size(tests), sample_count);
    size_t with_trace = 0;
    for (size_t i = 0; i < sample_count; i++) {
        const json_t *row = json_array_get(tests, i);
        assert_string_equal(json_string_value(json_array_get(row, 0)), results->tests[i].id);
        assert_string_equal(json_string_value(json_array_get(row, 2)), verdict_text(results->tests[i].verdict));
        assert_int_equal(json_integer_value(json_array_get(row, 4)), results->tests[i].started_ns);
        char place[24];
        snprintf(place, sizeof place, "%zu", i);
        assert_int_equal(json_array_size(json_object_get(traces, place)), results->tests[i].trace_count);
        assert_int_equal(json_integer_value(json_array_get(row, json_array_size(row) - 1)), results->tests[i].trace_count ? 0 : -1);
        with_trace += results->tests[i].trace_count > 0;
    }
    assert_int_equal(with_trace, 1);
    assert_string_equal(json_string_value(json_object_get(texts, "tests-suite/a.pkt")), "tests-suite/a.pkt");
    json_decref(head);
    json_decref(tests);
    json_decref(traces);
    json_decref(texts);
    free(text);
    free(page.text);
    results_free(results);
}

static void nothing_of_a_run_is_markup(void **state)
{
    (void)state;
    struct results *empty = sample_results(SAMPLE_EMPTY);
    struct page plain = page_of(empty);
    for (enum sample_kind kind = SAMPLE_HOSTILE; kind <= SAMPLE_HUGE; kind++) {
        struct results *results = sample_results(kind);
        const struct result_sources sources = { text_of_every_file };
        results->sources = &sources;
        struct page page = page_of(results);
        assert_int_equal(strlen(page.text), page.len); /* no NUL */
        assert_int_equal(occurrences(page.text, "alert(1)</script>"), 0);
        assert_int_equal(occurrences(page.text, "<b>"), 0);
        assert_int_equal(occurrences(page.text, "</testcase>"), 0);
        assert_int_equal(occurrences(page.text, "\x1b"), 0);
        assert_int_equal(occurrences(page.text, "\xe2\x80\xae"), 0); /* U+202E, but in packed parts */
        char *head = part_of(&page, "head");
        json_t *value = json_loads(head, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(value);
        assert_int_equal(occurrences(head, "<"), 0);
        json_decref(value);
        json_t *tests = unpacked(&page, "tests");
        assert_int_equal(json_array_size(tests), results->test_count);
        json_decref(tests);
        /* as many elements with a script's name as without any test, and those of the traces */
        assert_int_equal(occurrences(page.text, "<script") - occurrences(page.text, "id=\"data-trace-"),
                         occurrences(plain.text, "<script"));
        free(head);
        free(page.text);
        results_free(results);
    }
    free(plain.text);
    results_free(empty);
}

static void equal_results_are_equal_pages(void **state)
{
    (void)state;
    struct results *results = sample_results(SAMPLE_PLAIN);
    struct page one = page_of(results), two = page_of(results);
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.text, two.text, one.len);
    free(one.text);
    free(two.text);
    results_free(results);
}

static void a_fuzzing_shows_how_it_went_and_nothing_else_of_its_file(void **state)
{
    (void)state;
    static const char *const progress[] = {
        "{\"at_ns\":1,\"plays\":2,\"tuples\":3,\"rules\":4,\"inputs\":5,\"findings\":6,\"known\":0}\n", /* the only good one */
        "</script><script>alert(1)</script>\n",
        "{\"at_ns\":\"<b>\",\"plays\":2,\"tuples\":3,\"rules\":4,\"inputs\":5,\"findings\":6}\n",
        "[1]\n\n{\"at_ns\":7",
    };
    char dir[SAMPLE_DIR_MAX], path[SAMPLE_DIR_MAX + 32];
    sample_dir_make(dir);
    snprintf(path, sizeof path, "%s/progress.jsonl", dir);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    for (size_t i = 0; i < ARRAY_LEN(progress); i++)
        fputs(progress[i], out);
    fclose(out);
    struct results *results = sample_results(SAMPLE_EMPTY);
    results->dir = dir;
    struct page page = page_of(results);
    assert_int_equal(occurrences(page.text, "\"progress\":[[1,2,3,4,5,6]]"), 1);
    free(page.text);
    results_free(results);
    sample_dir_remove(dir);
}

/* An error of writing is the caller's to see. */
static void a_full_disk_is_seen(void **state)
{
    (void)state;
    struct results *results = sample_results(SAMPLE_PLAIN);
    FILE *full = fopen("/dev/full", "wb");
    if (!full)
        skip();
    format_html(results, full);
    assert_true(fflush(full) != 0 || ferror(full));
    fclose(full);
    results_free(results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_holds_the_run),
        cmocka_unit_test(nothing_of_a_run_is_markup),
        cmocka_unit_test(equal_results_are_equal_pages),
        cmocka_unit_test(a_fuzzing_shows_how_it_went_and_nothing_else_of_its_file),
        cmocka_unit_test(a_full_disk_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

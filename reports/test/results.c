/* What a run writes is what a reader gets back, whatever happens to the file, the disk and the strings in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/results.h"
#include "reports/test/sample.h"
#include "reports/text.h"

struct place {
    char dir[SAMPLE_DIR_MAX];
    char file[SAMPLE_DIR_MAX + 32];
    char error[1024];
};

static int setup(void **state)
{
    static struct place place;
    sample_dir_make(place.dir);
    snprintf(place.file, sizeof place.file, "%s/results.jsonl", place.dir);
    place.error[0] = '\0';
    *state = &place;
    return 0;
}

static int teardown(void **state)
{
    sample_dir_remove(((struct place *)*state)->dir);
    return 0;
}

static struct results_writer *must_open(struct place *p, enum results_mode mode)
{
    struct results_writer *w = results_writer_open(p->dir, mode, &sample_run, p->error, sizeof p->error);
    if (!w)
        fail_msg("%s", p->error);
    return w;
}

static void must_write(struct results_writer *w, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (results_writer_test(w, &sample_tests[i]) != 0)
            fail_msg("%s", results_writer_error(w));
}

static struct results *must_read(struct place *p, const char *path)
{
    struct results *results = results_read(path, p->error, sizeof p->error);
    if (!results)
        fail_msg("%s", p->error);
    return results;
}

static void write_text(const char *path, const char *text, size_t len)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void assert_same_settings(const struct result_setting *a, size_t a_count, const struct result_setting *b, size_t b_count)
{
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++) {
        assert_string_equal(a[i].name, b[i].name);
        assert_string_equal(a[i].value, b[i].value);
    }
}

static void assert_same_finding(const struct result_finding *a, const struct result_finding *b)
{
    assert_string_equal(a->rule, b->rule);
    assert_string_equal(a->requirement, b->requirement);
    assert_int_equal(a->level, b->level);
    assert_string_equal(a->message, b->message);
    assert_string_equal(a->expected, b->expected);
    assert_string_equal(a->observed, b->observed);
    assert_int_equal(a->at_ns, b->at_ns);
    assert_int_equal(a->segment, b->segment);
}

static void assert_same_event(const struct result_event *a, const struct result_event *b)
{
    assert_int_equal(a->at_ns, b->at_ns);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->step, b->step);
    assert_string_equal(or_empty(a->segment), or_empty(b->segment));
    assert_string_equal(or_empty(a->text), or_empty(b->text));
}

static void assert_same_test(const struct result_test *a, const struct result_test *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(or_empty(a->title), or_empty(b->title));
    assert_int_equal(a->verdict, b->verdict);
    assert_string_equal(or_empty(a->reason), or_empty(b->reason));
    assert_int_equal(a->started_ns, b->started_ns);
    assert_int_equal(a->duration_ns, b->duration_ns);
    assert_int_equal(a->cover_count, b->cover_count);
    for (size_t i = 0; i < a->cover_count; i++)
        assert_string_equal(a->covers[i], b->covers[i]);
    assert_int_equal(a->level, b->level);
    assert_int_equal(a->finding_count, b->finding_count);
    for (size_t i = 0; i < a->finding_count; i++)
        assert_same_finding(&a->findings[i], &b->findings[i]);
    assert_int_equal(a->known, b->known);
    assert_string_equal(or_empty(a->known_note), or_empty(b->known_note));
    assert_int_equal(a->reruns, b->reruns);
    assert_string_equal(or_empty(a->file), or_empty(b->file));
    assert_int_equal(a->line, b->line);
    assert_string_equal(or_empty(a->pcap), or_empty(b->pcap));
    assert_same_settings(a->pixit, a->pixit_count, b->pixit, b->pixit_count);
    assert_int_equal(a->trace_count, b->trace_count);
    for (size_t i = 0; i < a->trace_count; i++)
        assert_same_event(&a->trace[i], &b->trace[i]);
    assert_int_equal(a->transition_count, b->transition_count);
    for (size_t i = 0; i < a->transition_count; i++)
        assert_string_equal(a->transitions[i], b->transitions[i]);
}

static void assert_holds_sample(const struct results *results, size_t count)
{
    assert_int_equal(results->test_count, count);
    for (size_t i = 0; i < count; i++) {
        const struct result_test *test = results_find(results, sample_tests[i].id);
        assert_non_null(test);
        assert_same_test(&sample_tests[i], test);
    }
}

/* ---- what is written is read ------------------------------------------------------------------------------------- */

static void everything_written_is_read_back(void **state)
{
    struct place *p = *state;
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    must_write(w, 0, sample_count);
    assert_int_equal(results_writer_end(w, 42), 0);
    results_writer_close(w);

    struct results *results = must_read(p, p->dir);
    assert_holds_sample(results, sample_count);
    assert_true(results->finished);
    assert_false(results->torn);
    assert_int_equal(results->duration_ns, 42);
    const struct result_run *run = &results->run;
    assert_string_equal(run->tcpassay, TCPASSAY_VERSION);
    assert_string_equal(run->target_name, sample_run.target_name);
    assert_string_equal(run->target_description, sample_run.target_description);
    assert_same_settings(run->pixit, run->pixit_count, sample_run.pixit, sample_run.pixit_count);
    assert_string_equal(run->started, sample_run.started);
    assert_true(run->seed == sample_run.seed);
    assert_string_equal(run->profile, sample_run.profile);
    assert_int_equal(run->selector_count, 2);
    assert_string_equal(run->selectors[1], sample_run.selectors[1]);
    assert_int_equal(run->planned, sample_run.planned);
    results_free(results);
}

static void tests_are_read_in_the_order_of_their_ids_numbers_by_value(void **state)
{
    (void)state;
    struct results *results = sample_results(SAMPLE_PLAIN);
    static const char *const order[] = {
        "loose", "rfc9293/3.5-establishing/simultaneous-open", "rfc9293/3.6-closing/fin", "rfc9293/3.6-closing/time-wait",
        "rfc9293/3.6-closing/urgent", "rfc9293/3.8-data/ack-every-second", "rfc9293/3.8-data/ack-within-500ms",
        "rfc9293/3.10-events/illegal-option-length", "rfc9293/3.10-events/once-broken",
    };
    assert_int_equal(results->test_count, ARRAY_LEN(order));
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        assert_string_equal(results->tests[i].id, order[i]);
    results_free(results);
}

static void a_run_without_an_end_line_was_cut_short(void **state)
{
    struct place *p = *state;
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    must_write(w, 0, 3);
    results_writer_close(w);
    struct results *results = must_read(p, p->file);
    assert_holds_sample(results, 3);
    assert_false(results->finished);
    results_free(results);
}

static void the_later_of_two_lines_of_one_test_counts(void **state)
{
    struct place *p = *state;
    struct result_test again = sample_tests[1];
    again.verdict = VERDICT_FAIL;
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    must_write(w, 0, 3);
    assert_int_equal(results_writer_test(w, &again), 0);
    results_writer_close(w);
    struct results *results = must_read(p, p->file);
    assert_int_equal(results->test_count, 3);
    assert_int_equal(results_find(results, again.id)->verdict, VERDICT_FAIL);
    results_free(results);
}

static void hostile_strings_come_back_as_valid_utf8_and_otherwise_unchanged(void **state)
{
    struct place *p = *state;
    struct result_test test = sample_tests[1];
    test.title = sample_hostile_text;
    test.reason = "\xff";
    test.known_note = "plain \xc3\xa9\x01\n";
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    assert_int_equal(results_writer_test(w, &test), 0);
    results_writer_close(w);
    struct results *results = must_read(p, p->file);
    assert_true(text_is_utf8(results->tests[0].title));
    assert_non_null(strstr(results->tests[0].title, "</testcase>]]>&amp;<script>"));
    assert_non_null(strstr(results->tests[0].title, "\x1b[31mred\x1b[0m\x7f\xc2\x9b\xef\xbf\xbd\xef\xbf\xbd"));
    assert_string_equal(results->tests[0].reason, "\xef\xbf\xbd");
    assert_string_equal(results->tests[0].known_note, test.known_note);
    results_free(results);
}

/* ---- mishaps ----------------------------------------------------------------------------------------------------- */

static void a_line_torn_at_any_octet_is_left_out_and_cut_off_by_a_resumed_run(void **state)
{
    struct place *p = *state;
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    must_write(w, 0, 2);
    results_writer_close(w);
    size_t two_len = 0, three_len = 0;
    free(sample_slurp(p->file, &two_len));
    w = must_open(p, RESULTS_RESUME);
    must_write(w, 2, 3);
    results_writer_close(w);
    char *three = sample_slurp(p->file, &three_len);

    for (size_t len = two_len + 1; len < three_len; len += 97) {
        write_text(p->file, three, len);
        struct results *results = must_read(p, p->file);
        assert_true(results->torn);
        assert_holds_sample(results, 2);
        results_free(results);

        w = must_open(p, RESULTS_RESUME);
        must_write(w, 2, 4);
        results_writer_close(w);
        results = must_read(p, p->file);
        assert_false(results->torn);
        assert_holds_sample(results, 4);
        results_free(results);
    }
    free(three);
}

static void a_resumed_run_keeps_its_first_header_and_adds_up_its_stretches(void **state)
{
    struct place *p = *state;
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    must_write(w, 0, 2);
    assert_int_equal(results_writer_end(w, 40), 0);
    results_writer_close(w);

    struct result_run other = sample_run;
    other.seed = 7;
    w = results_writer_open(p->dir, RESULTS_RESUME, &other, p->error, sizeof p->error);
    assert_non_null(w);
    must_write(w, 2, 3);
    struct results *results = must_read(p, p->dir);
    assert_false(results->finished);
    results_free(results);
    assert_int_equal(results_writer_end(w, 2), 0);
    results_writer_close(w);

    results = must_read(p, p->dir);
    assert_holds_sample(results, 3);
    assert_true(results->finished);
    assert_true(results->run.seed == sample_run.seed);
    assert_int_equal(results->duration_ns, 42);
    results_free(results);
}

static void what_the_model_saw_adds_up_over_lines_and_stretches(void **state)
{
    struct place *p = *state;
    struct result_model seen, twice = {0};
    sample_model(&seen);
    result_model_add(&twice, &seen);
    result_model_add(&twice, &seen);
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    must_write(w, 0, 1);
    assert_int_equal(results_writer_model(w, &seen), 0);
    assert_int_equal(results_writer_end(w, 40), 0);
    results_writer_close(w);
    struct results *results = must_read(p, p->dir);
    assert_memory_equal(&results->model, &seen, sizeof seen);
    results_free(results);

    w = must_open(p, RESULTS_RESUME);
    must_write(w, 1, 2);
    assert_int_equal(results_writer_model(w, &seen), 0);
    results_writer_close(w);
    results = must_read(p, p->dir);
    assert_memory_equal(&results->model, &twice, sizeof twice);
    results_free(results);
}

static void resuming_nothing_starts_a_run(void **state)
{
    struct place *p = *state;
    struct results_writer *w = must_open(p, RESULTS_RESUME);
    results_writer_close(w);
    write_text(p->file, "{\"type\":\"ru", 11); /* and a torn header is nothing */
    w = must_open(p, RESULTS_RESUME);
    must_write(w, 0, 1);
    results_writer_close(w);
    struct results *results = must_read(p, p->dir);
    assert_holds_sample(results, 1);
    results_free(results);
}

static void limit_file_size(rlim_t octets)
{
    const struct rlimit limit = { octets, RLIM_INFINITY };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_costs_the_line_that_met_it_and_no_other(void **state)
{
    struct place *p = *state;
    signal(SIGXFSZ, SIG_IGN); /* the limit on file sizes stands in for the disk: a short write, then an error */
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    must_write(w, 0, 2);
    size_t before_len = 0, after_len = 0;
    char *before = sample_slurp(p->file, &before_len);
    limit_file_size(before_len + 100);
    const int full = results_writer_test(w, &sample_tests[2]);
    char *after = sample_slurp(p->file, &after_len);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(full, -1);
    assert_non_null(strstr(results_writer_error(w), "results.jsonl: a line could not be written: File too large"));
    assert_non_null(strstr(results_writer_error(w), "--resume"));
    assert_int_equal(after_len, before_len);
    assert_memory_equal(after, before, before_len);
    free(before);
    free(after);

    must_write(w, 3, 4); /* there is room again */
    results_writer_close(w);
    struct results *results = must_read(p, p->file);
    assert_int_equal(results->test_count, 3);
    assert_false(results->torn);
    results_free(results);
}

static void a_new_run_that_cannot_start_leaves_the_old_results_alone(void **state)
{
    struct place *p = *state;
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    must_write(w, 0, 2);
    results_writer_close(w);
    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(10);
    w = results_writer_open(p->dir, RESULTS_REPLACE, &sample_run, p->error, sizeof p->error);
    limit_file_size(RLIM_INFINITY);
    assert_null(w);
    struct results *results = must_read(p, p->file);
    assert_holds_sample(results, 2);
    results_free(results);
    w = must_open(p, RESULTS_REPLACE); /* and once it can, they are replaced */
    results_writer_close(w);
    results = must_read(p, p->file);
    assert_int_equal(results->test_count, 0);
    results_free(results);
}

static void a_killed_run_loses_nothing_that_was_finished(void **state)
{
    struct place *p = *state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct results_writer *w = results_writer_open(p->dir, RESULTS_REPLACE, &sample_run, p->error, sizeof p->error);
        for (size_t i = 0; w && i < 5; i++)
            results_writer_test(w, &sample_tests[i]);
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct results *results = must_read(p, p->dir);
    assert_holds_sample(results, 5);
    results_free(results);
    results_writer_close(must_open(p, RESULTS_RESUME)); /* its lock went with it */
}

static void two_runs_cannot_share_a_directory(void **state)
{
    struct place *p = *state;
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    assert_null(results_writer_open(p->dir, RESULTS_RESUME, &sample_run, p->error, sizeof p->error));
    assert_non_null(strstr(p->error, "another run is writing its results here"));
    results_writer_close(w);
    results_writer_close(must_open(p, RESULTS_RESUME));
}

static void directories_are_made_or_refused_with_a_reason(void **state)
{
    struct place *p = *state;
    char path[SAMPLE_DIR_MAX + 64];
    snprintf(path, sizeof path, "%s/a//b/c/", p->dir);
    struct results_writer *w = results_writer_open(path, RESULTS_REPLACE, &sample_run, p->error, sizeof p->error);
    if (!w)
        fail_msg("%s", p->error);
    results_writer_close(w);

    write_text(p->file, "", 0);
    snprintf(path, sizeof path, "%s/results.jsonl/below", p->dir);
    assert_null(results_writer_open(path, RESULTS_REPLACE, &sample_run, p->error, sizeof p->error));
    assert_non_null(strstr(p->error, "Not a directory; name a directory that can be written with --out"));
    assert_null(results_writer_open(p->file, RESULTS_REPLACE, &sample_run, p->error, sizeof p->error));
    assert_null(results_writer_open("", RESULTS_REPLACE, &sample_run, p->error, sizeof p->error));
}

static void what_a_reader_would_refuse_is_not_written(void **state)
{
    struct place *p = *state;
    struct results_writer *w = must_open(p, RESULTS_REPLACE);
    struct result_test test = sample_tests[1];
    char *huge = malloc(RESULTS_LINE_BYTES_MAX + 1);
    assert_non_null(huge);
    memset(huge, 'x', RESULTS_LINE_BYTES_MAX);
    huge[RESULTS_LINE_BYTES_MAX] = '\0';
    test.title = huge;
    assert_int_equal(results_writer_test(w, &test), -1);
    assert_non_null(strstr(results_writer_error(w), "more than the"));
    memset(huge, '\xff', RESULTS_ID_BYTES_MAX / 2);
    huge[RESULTS_ID_BYTES_MAX / 2] = '\0'; /* fits as it is, but not once it is UTF-8 */
    test = sample_tests[1];
    test.id = huge;
    assert_int_equal(results_writer_test(w, &test), -1);
    free(huge);
    must_write(w, 0, 1);
    results_writer_close(w);
    struct results *results = must_read(p, p->file);
    assert_holds_sample(results, 1);
    results_free(results);
}

/* ---- what is wrong is said where --------------------------------------------------------------------------------- */

#define HEADER "{\"type\":\"run\",\"schema\":1}\n"
#define TEST(fields) HEADER "{\"type\":\"test\",\"id\":\"a\",\"verdict\":\"pass\"," fields "}\n"

#define MODEL(members) HEADER "{\"type\":\"model\"," members "}\n"

static void what_is_wrong_is_said_with_file_and_line(void **state)
{
    (void)state;
    static const struct { const char *text, *error; } rows[] = {
        { "", "x:1: empty: no run has written here" },
        { "{\"type\":\"run\",\"schema\":1}", "x:1: only a torn header: nothing was finished" },
        { "\n", "x:2: column 0: not JSON: '[' or '{' expected near end of file" },
        { "[]\n", "x:1: expected an object, found a list" },
        { "{}\n", "x: schema: missing: this is no file of results" },
        { "{\"type\":\"run\"}\n", "x:1: schema: missing: this is no file of results" },
        { "{\"type\":\"run\",\"schema\":2}\n", "x:1: schema: 2 was written by a newer tcpassay; this one reads up to 1" },
        { "{\"type\":\"run\",\"schema\":0}\n", "x:1: schema: 0 is out of range: 1 to 9223372036854775807 are possible" },
        { "{\"type\":\"run\",\"schema\":\"1\"}\n", "x:1: schema: expected a whole number, found a string" },
        { "{\"type\":\"run\",\"schema\":1,\"schema\":1}\n", "x:1: column 33: not JSON: duplicate object key near '\"schema\"'" },
        { "{\"type\":\"run\",\"schema\":1,\"target\":[]}\n", "x:1: target: expected an object, found a list" },
        { "{\"type\":\"run\",\"schema\":1,\"target\":{\"pixit\":{\"a\":1}}}\n", "x:1: pixit: expected strings for values, found a whole number" },
        { "{\"type\":\"run\",\"schema\":1,\"seed\":-1}\n", "x:1: seed: -1 is out of range: 0 to 9223372036854775807 are possible" },
        { "{\"type\":\"run\",\"schema\":1,\"selectors\":[\"a\",null]}\n", "x:1: selectors: entry 1: expected a string, found null" },
        { "{\"type\":\"test\",\"id\":\"a\",\"verdict\":\"pass\"}\n", "x:1: \"type\" \"test\" before the header; the first line is \"type\" \"run\"" },
        { HEADER HEADER, "x:2: a second header: \"type\" \"run\" stands in the first line only" },
        { HEADER "\n", "x:2: column 0: not JSON: '[' or '{' expected near end of file" },
        { HEADER "[]\n", "x:2: expected an object, found a list" },
        { HEADER "{}\n", "x:2: type: missing; expected \"run\", \"test\", \"model\" or \"end\"" },
        { HEADER "{\"type\":\"\\u001b[2J\"}\n", "x:2: type: expected \"run\", \"test\", \"model\" or \"end\", found \"\\x1b[2J\"" },
        { HEADER "{\"type\":\"test\",\"verdict\":\"pass\"}\n", "x:2: id: expected 1 to 1024 octets, found 0" },
        { HEADER "{\"type\":\"test\",\"id\":\"a\"}\n", "x:2: verdict: expected pass, fail, inconclusive, error or not_applicable, found \"\"" },
        { HEADER "{\"type\":\"test\",\"id\":\"a\",\"verdict\":\"passed\"}\n", "x:2: verdict: expected pass, fail, inconclusive, error or not_applicable, found \"passed\"" },
        { HEADER "{\"type\":\"test\",\"id\":\"a\\u0000b\",\"verdict\":\"pass\"}\n", "x:2: column 30: not JSON: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"a\\u0000b\"'" },
        { TEST("\"duration_ns\":1.5"), "x:2: duration_ns: expected a whole number, found a number with a fraction" },
        { TEST("\"duration_ns\":-1"), "x:2: duration_ns: -1 is out of range: 0 to 9223372036854775807 are possible" },
        { TEST("\"duration_ns\":9223372036854775808"), "x:2: column 74: not JSON: too big integer near '9223372036854775808'" },
        { TEST("\"line\":4294967296"), "x:2: line: 4294967296 is out of range: 0 to 4294967295 are possible" },
        { TEST("\"known\":1"), "x:2: known: expected true or false, found a whole number" },
        { TEST("\"level\":\"OUGHT\""), "x:2: level: expected MUST, MUST NOT, SHOULD, SHOULD NOT, MAY, RULE or \"\", found \"OUGHT\"" },
        { TEST("\"findings\":[{},7]"), "x:2: findings[1]: expected an object, found a whole number" },
        { TEST("\"findings\":[{},{\"level\":true}]"), "x:2: findings[1].level: expected a string, found true" },
        { TEST("\"trace\":[{}]"), "x:2: trace[0].kind: expected sent, received, call, return, state, note or dropped, found \"\"" },
        { TEST("\"trace\":[{\"kind\":\"sent\",\"index\":-1}]"), "x:2: trace[0].index: -1 is out of range: 0 to 4294967295 are possible" },
        { TEST("\"trace\":{}"), "x:2: trace: expected a list, found an object" },
        { TEST("\"title\":\"\xff\""), "x:2: column 50: not JSON: unable to decode byte 0xff near '\"'" },
        { HEADER "{\"type\":\"end\",\"duration_ns\":9223372036854775807}\n{\"type\":\"end\",\"duration_ns\":1}\n",
          "x:3: duration_ns: the durations add up to more than 2^63" },
        { MODEL("\"coverage\":7"), "x:2: coverage: expected an object, found a whole number" },
        { MODEL("\"coverage\":{\"rules\":[7]}"), "x:2: rules[0]: expected an object, found a whole number" },
        { MODEL("\"coverage\":{\"rules\":[{\"rule\":\"gap-in-sequence\",\"tested\":-1}]}"), "x:2: rules[0].tested: -1 is out of range: 0 to 9223372036854775807 are possible" },
        { MODEL("\"portrait\":[{\"choice\":\"ttl\",\"count\":1,\"min\":2,\"max\":1}]"), "x:2: portrait[0].min: is more than max" },
        { MODEL("\"portrait\":[{\"choice\":\"ttl\",\"count\":1,\"sum\":9223372036854775807},{\"choice\":\"ttl\",\"count\":1,\"sum\":1}]"),
          "x:2: portrait[1].sum: the sums add up to more than 2^63" },
        { "{\"schema\":1,\n \"tests\":7}", "x: tests: expected a list, found a whole number" },
        { "{\"schema\":1,\n \"tests\":[{\"id\":\"a\",\"verdict\":\"pass\"},7]}", "x: tests[1]: expected an object" },
        { "{\"schema\":1,\n \"tests\":[{\"id\":\"a\",\"verdict\":\"pass\",\"findings\":[{\"at_ns\":\"\"}]}]}",
          "x: tests[0].findings[0].at_ns: expected a whole number, found a string" },
        { "{\"schema\":1,\n \"tests\":[", "x:2: column 10: not JSON: ']' expected near end of file" },
    };
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char error[512] = "";
        struct results *results = results_read_bytes(rows[i].text, strlen(rows[i].text), "x", error, sizeof error);
        results_free(results);
        if (results || strcmp(error, rows[i].error) != 0) {
            print_error("row %zu: expected\n%s\ngot\n%s\n", i, rows[i].error, results ? "results" : error);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void what_is_absent_is_empty_and_what_is_unknown_is_left_alone(void **state)
{
    (void)state;
    static const char text[] =
        "{\"schema\":1,\"type\":\"run\",\"later\":{}}\n{\"id\":\"a\",\"verdict\":\"error\",\"type\":\"test\",\"new\":[1]}\n"
        "{\"type\":\"model\",\"coverage\":{\"rules\":[{\"rule\":\"of-tomorrow\",\"tested\":1}],"
        "\"transitions\":[{\"from\":\"NOWHERE\",\"event\":\"x\",\"to\":\"CLOSED\"}]},"
        "\"portrait\":[{\"choice\":\"of-tomorrow\",\"count\":1}]}\n";
    const struct result_model nothing = {0};
    char error[512];
    struct results *results = results_read_bytes(text, strlen(text), "x", error, sizeof error);
    assert_non_null(results);
    assert_string_equal(results->run.target_name, "");
    assert_int_equal(results->test_count, 1);
    assert_string_equal(results->tests[0].title, "");
    assert_int_equal(results->tests[0].verdict, VERDICT_ERROR);
    assert_int_equal(results->tests[0].trace_count, 0);
    assert_memory_equal(&results->model, &nothing, sizeof nothing);
    results_free(results);
}

static void too_long_a_line_is_refused_by_name(void **state)
{
    (void)state;
    enum { LEN = RESULTS_LINE_BYTES_MAX + 10 };
    char *text = malloc(LEN);
    char error[512];
    assert_non_null(text);
    memset(text, ' ', LEN);
    assert_null(results_read_bytes(text, LEN, "x", error, sizeof error));
    assert_string_equal(error, "x:1: longer than 16777216 octets, which no line of results is");
    free(text);
}

static void nesting_beyond_reason_is_refused(void **state)
{
    (void)state;
    enum { LEN = 1 << 20 };
    char *text = malloc(LEN);
    char error[512];
    assert_non_null(text);
    memset(text, '[', LEN);
    assert_null(results_read_bytes(text, LEN, "x", error, sizeof error));
    assert_non_null(strstr(error, "maximum parsing depth reached"));
    free(text);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct place *p = *state;
    assert_null(results_read(p->dir, p->error, sizeof p->error));
    assert_non_null(strstr(p->error, "results.jsonl: cannot be opened: No such file or directory; name a directory of results"));
}

/* ---- what it adds up to ------------------------------------------------------------------------------------------ */

static void the_summary_counts_known_failures_and_deviations(void **state)
{
    (void)state;
    struct results_summary sum;
    results_summarise(sample_tests, sample_count, &sum);
    assert_int_equal(sum.verdicts[VERDICT_PASS], 3);
    assert_int_equal(sum.verdicts[VERDICT_FAIL], 3);
    assert_int_equal(sum.verdicts[VERDICT_INCONCLUSIVE], 1);
    assert_int_equal(sum.verdicts[VERDICT_ERROR], 1);
    assert_int_equal(sum.verdicts[VERDICT_NOT_APPLICABLE], 1);
    assert_int_equal(sum.known, 1); /* the one that fails, not the listed one that passes */
    assert_int_equal(sum.deviations, 1);

    struct result_test failing = sample_tests[3]; /* the deviating one: under --strict it fails, and is a failure only */
    failing.verdict = VERDICT_FAIL;
    results_summarise(&failing, 1, &sum);
    assert_int_equal(sum.deviations, 0);
}

static void ids_are_ordered_by_folder_and_number(void **state)
{
    (void)state;
    static const char *const order[] = { "",        "a",         "a/b",       "a-b",       "rfc793/3.4/x", "rfc9293/3.5/x",  "rfc9293/3.5/x/ipv4",
                                         "rfc9293/3.5/x-y", "rfc9293/3.5/y", "rfc9293/3.5.1/x", "rfc9293/3.9/x", "rfc9293/3.10/x",
                                         "s/n=02", "s/n=2", "s/n=10", "s/n=99999999999999999999999", "s/n=x", "\xff" };
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        for (size_t j = 0; j < ARRAY_LEN(order); j++) {
            const int found = result_id_compare(order[i], order[j]);
            if ((found > 0) - (found < 0) != (i > j) - (i < j))
                fail_msg("\"%s\" and \"%s\": %d", order[i], order[j], found);
        }
}

static void text_is_decoded_strictly(void **state)
{
    (void)state;
    static const struct { const char *octets; size_t len; uint32_t code; } rows[] = {
        { "", 0, 7 },
        { "a", 1, 'a' },
        { "\x7f", 1, 0x7f },
        { "\x80", 1, TEXT_NOT_UTF8 },
        { "\xc1\xbf", 1, TEXT_NOT_UTF8 },
        { "\xc2\x80", 2, 0x80 },
        { "\xc2", 1, TEXT_NOT_UTF8 },
        { "\xe0\x9f\xbf", 1, TEXT_NOT_UTF8 },
        { "\xe0\xa0\x80", 3, 0x800 },
        { "\xed\x9f\xbf", 3, 0xd7ff },
        { "\xed\xa0\x80", 1, TEXT_NOT_UTF8 },
        { "\xef\xbf\xbf", 3, 0xffff },
        { "\xf0\x8f\xbf\xbf", 1, TEXT_NOT_UTF8 },
        { "\xf0\x90\x80\x80", 4, 0x10000 },
        { "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
        { "\xf4\x90\x80\x80", 1, TEXT_NOT_UTF8 },
        { "\xf5\x80\x80\x80", 1, TEXT_NOT_UTF8 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t code = 7;
        const size_t len = text_decode(rows[i].octets, &code);
        if (len != rows[i].len || code != rows[i].code)
            fail_msg("row %zu: %zu octets, U+%04X", i, len, (unsigned)code);
    }
}

static void shown_text_is_visible_and_says_when_it_was_cut(void **state)
{
    (void)state;
    static const struct { const char *text; size_t size; const char *shown; } rows[] = {
        { "plain", 6, "plain" },
        { "plain!", 6, "pl..." },
        { "\x1b[2J\n\xff\xc2\x9b", 32, "\\x1b[2J\\x0a\\xff\\x9b" },
        { "\xe2\x80\xae", 32, "\\u202e" },
        { "\xe2\x80\xae", 6, "..." },
        { "\xc3\xa9\xc3\xa9\xc3\xa9", 7, "\xc3\xa9\xc3\xa9\xc3\xa9" },
        { "\xc3\xa9\xc3\xa9\xc3\xa9", 6, "\xc3\xa9..." },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[32];
        if (strcmp(text_show(rows[i].text, out, rows[i].size), rows[i].shown) != 0)
            fail_msg("row %zu: %s", i, out);
    }
}

int main(void)
{
#define in_a_directory(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        in_a_directory(everything_written_is_read_back),
        in_a_directory(a_run_without_an_end_line_was_cut_short),
        in_a_directory(the_later_of_two_lines_of_one_test_counts),
        in_a_directory(hostile_strings_come_back_as_valid_utf8_and_otherwise_unchanged),
        in_a_directory(a_line_torn_at_any_octet_is_left_out_and_cut_off_by_a_resumed_run),
        in_a_directory(a_resumed_run_keeps_its_first_header_and_adds_up_its_stretches),
        in_a_directory(what_the_model_saw_adds_up_over_lines_and_stretches),
        in_a_directory(resuming_nothing_starts_a_run),
        in_a_directory(a_full_disk_costs_the_line_that_met_it_and_no_other),
        in_a_directory(a_new_run_that_cannot_start_leaves_the_old_results_alone),
        in_a_directory(a_killed_run_loses_nothing_that_was_finished),
        in_a_directory(two_runs_cannot_share_a_directory),
        in_a_directory(directories_are_made_or_refused_with_a_reason),
        in_a_directory(what_a_reader_would_refuse_is_not_written),
        in_a_directory(a_file_that_is_not_there_is_named),
        cmocka_unit_test(tests_are_read_in_the_order_of_their_ids_numbers_by_value),
        cmocka_unit_test(what_is_wrong_is_said_with_file_and_line),
        cmocka_unit_test(what_is_absent_is_empty_and_what_is_unknown_is_left_alone),
        cmocka_unit_test(too_long_a_line_is_refused_by_name),
        cmocka_unit_test(nesting_beyond_reason_is_refused),
        cmocka_unit_test(the_summary_counts_known_failures_and_deviations),
        cmocka_unit_test(ids_are_ordered_by_folder_and_number),
        cmocka_unit_test(text_is_decoded_strictly),
        cmocka_unit_test(shown_text_is_visible_and_says_when_it_was_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

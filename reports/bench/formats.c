/* How long reports take, of 12,000 results as a suite with its matrix leaves them: reading, and each format, in CPU time beside a
 * yardstick, the same results.json read and written by jansson alone. The budget: all formats with reading in less than 2 s and 200
 * MB. An argument is a results' directory to take instead. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <jansson.h>

#include "reports/report.h"
#include "reports/test/sample.h"

enum { TESTS = 12000, EVENTS = 30, ROUNDS = 3, BUDGET_MS = 2000, BUDGET_MB = 200 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long peak_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

/* A third of the tests with a trace, a tenth failing: what the suite and the matrix leave on a kernel, rounded up. */
static void write_tests(struct results_writer *writer)
{
    static const char *const covers[] = {"RFC9293:MUST-40", "RFC9293:3.10.7.4-b", "RFC9293:3.10.7.4-c"};
    static const struct result_finding finding = {
        .rule = "unacceptable-segment-is-acknowledged", .requirement = "RFC9293:3.10.7.4-b", .level = LEVEL_MUST, .at_ns = 8316235, .segment = 6,
        .message = "does not acknowledge an unacceptable segment: nothing came within 15 ms", .expected = "a segment with ACK", .observed = "nothing"};
    struct result_event events[EVENTS];
    for (int i = 0; i < EVENTS; i++)
        events[i] = (struct result_event){.at_ns = i * 1000003, .kind = i % 3 ? RESULT_SENT : RESULT_NOTE, .index = i % 3 ? (uint32_t)i : 0,
                                          .step = 12 + (uint32_t)i,
                                          .segment = i % 3 ? "> . 1:1(0) ack 11 win 65535 <nop,nop,TS val 2467360875 ecr 1000>" : "",
                                          .text = "seq 3735928560 ack 1000000011, ESTABLISHED"};
    for (int i = 0; i < TESTS; i++) {
        char id[128];
        const bool fails = i % 10 == 0, traced = i % 3 == 0 || fails;
        snprintf(id, sizeof id, "matrix/established/passive/syn/window-%d/ack-of-nothing-sent/%d/no-ts", i % 97, i);
        const struct result_test test = {
            .id = id, .title = "Whatever arrives in ESTABLISHED is answered as permitted (passive)", .verdict = fails ? VERDICT_FAIL : VERDICT_PASS,
            .reason = fails ? "the model: the IUT does not acknowledge an unacceptable segment: nothing came within 15 ms (segment 6)" : "",
            .duration_ns = 37155811 + i, .covers = covers, .cover_count = 3, .level = LEVEL_MUST, .findings = &finding, .finding_count = fails,
            .known = fails && i % 20, .known_note = "Outside of the window a segment without ACK is dropped in silence", .file = "matrix/established/passive",
            .trace = events, .trace_count = traced ? EVENTS : 0};
        if (results_writer_test(writer, &test) != 0)
            abort();
    }
}

static struct results *read_all(const char *dir)
{
    char error[512];
    struct results *results = results_read(dir, error, sizeof error);
    if (!results) {
        fprintf(stderr, "%s\n", error);
        exit(EXIT_FAILURE);
    }
    return results;
}

static double time_reading(const char *dir)
{
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        const double start = now_ms();
        results_free(read_all(dir));
        const double took = now_ms() - start;
        best = took < best ? took : best;
    }
    return best;
}

static double time_format(const struct results *results, enum report_format format)
{
    double best = 1e9;
    char error[512];
    for (int i = 0; i < ROUNDS; i++) {
        const double start = now_ms();
        if (report_write(results, format, "/dev/null", error, sizeof error) != 0)
            abort();
        const double took = now_ms() - start;
        best = took < best ? took : best;
    }
    return best;
}

/* What a JSON library takes for the same document, there and back. */
static double time_yardstick(const struct results *results)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out || report_print(results, REPORT_JSON, out) != 0 || fclose(out) != 0)
        abort();
    const double start = now_ms();
    json_t *value = json_loadb(text, len, 0, NULL);
    if (!value || json_dump_file(value, "/dev/null", JSON_COMPACT) != 0)
        abort();
    const double took = now_ms() - start;
    printf("yardstick: %zu MB of results.json by jansson, there and back: %.0f ms\n", len >> 20, took);
    json_decref(value);
    free(text);
    return took;
}

int main(int argc, char **argv)
{
    char dir[SAMPLE_DIR_MAX], error[512];
    double formats[REPORT_COUNT], total;
    sample_dir_make(dir);
    if (argc == 1) {
        struct results_writer *writer = results_writer_open(dir, RESULTS_REPLACE, &sample_run, error, sizeof error);
        if (!writer)
            abort();
        write_tests(writer);
        results_writer_end(writer, 1);
        results_writer_close(writer);
    }
    const char *from = argc > 1 ? argv[1] : dir;
    total = time_reading(from);
    struct results *results = read_all(from);
    const double reading = total;
    for (int f = 0; f < REPORT_COUNT; f++)
        total += formats[f] = time_format(results, (enum report_format)f);
    const long mb = peak_mb();
    printf("%zu tests\n", results->test_count);
    const double yardstick = time_yardstick(results);
    printf("%-10s %6.0f ms  %.2f of the yardstick\n", "reading", reading, reading / yardstick);
    for (int f = 0; f < REPORT_COUNT; f++)
        printf("%-10s %6.0f ms  %.2f\n", report_format_text((enum report_format)f), formats[f], formats[f] / yardstick);
    printf("%-10s %6.0f ms  %.2f, %ld MB at the most (budget: %d ms, %d MB)\n", "all", total, total / yardstick, mb, BUDGET_MS,
           BUDGET_MB);
    results_free(results);
    sample_dir_remove(dir);
    return total < BUDGET_MS && mb < BUDGET_MB ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Writes the pages that the browser tests look at: pages FOLDER. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/report.h"
#include "reports/test/sample.h"

static char *scenario_text(const struct result_sources *sources, const char *file)
{
    (void)sources;
    return strcmp(file, "tests-suite/rfc9293/3.8-data/ack-within-500ms.pkt") == 0
               ? strdup("//: title      A delayed ACK\n//: purpose    The IUT may wait,\n//: purpose    but less than 0.5 s.\n\n+0\tsocket(...) = 3\n</script><b>\n")
           : *file == '<' ? strdup(sample_hostile_text)
                          : NULL;
}

static const struct result_sources sources = { scenario_text };

static int write_page(struct results *results, const char *folder, const char *name)
{
    char path[4096], error[600];
    results->sources = &sources;
    results->dir = folder;
    snprintf(path, sizeof path, "%s/%s.html", folder, name);
    const int failed = report_write(results, REPORT_HTML, path, error, sizeof error);
    results_free(results);
    if (failed)
        fprintf(stderr, "%s\n", error);
    return failed;
}

/* What a fuzzing campaign leaves beside its results. */
static bool write_progress(const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/progress.jsonl", folder);
    FILE *out = fopen(path, "wb");
    for (int i = 1; out && i <= 5; i++)
        fprintf(out, "{\"at_ns\":%d000000000,\"plays\":%d,\"tuples\":%d,\"rules\":%d,\"inputs\":%d,\"findings\":%d}\n", i, i * 1000,
                300 + i * i, 80 + i, i * 20, i / 3);
    return out && fclose(out) == 0;
}

/* The sample without its end, and with a last line torn in half. */
static struct results *cut_short(void)
{
    static const char journal[] =
        "{\"type\":\"run\",\"schema\":1,\"tcpassay\":\"0.1.0\",\"target\":{\"name\":\"cut\",\"description\":\"\",\"pixit\":{}},"
        "\"started\":\"\",\"seed\":1,\"profile\":\"full\",\"selectors\":[],\"planned\":3}\n"
        "{\"type\":\"test\",\"id\":\"rfc9293/3.5/a\",\"title\":\"A\",\"verdict\":\"pass\",\"reason\":\"\",\"duration_ns\":1,"
        "\"covers\":[\"RFC9293:MUST-10\"],\"level\":\"MUST\",\"findings\":[],\"known\":false,\"known_note\":\"\",\"reruns\":0,"
        "\"file\":\"\",\"line\":0,\"pcap\":\"\",\"pixit\":{},\"trace\":[]}\n"
        "{\"type\":\"test\",\"id\":\"rfc92";
    char error[600];
    struct results *results = results_read_bytes(journal, sizeof journal - 1, "cut", error, sizeof error);
    if (!results) {
        fprintf(stderr, "%s\n", error);
        exit(EXIT_FAILURE);
    }
    return results;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: pages FOLDER\n", stderr);
        return EXIT_FAILURE;
    }
    const char *folder = argv[1];
    if (!write_progress(folder))
        return EXIT_FAILURE;
    return write_page(sample_results(SAMPLE_PLAIN), folder, "plain") || write_page(sample_results(SAMPLE_HOSTILE), folder, "hostile")
                   || write_page(sample_results(SAMPLE_HUGE), folder, "huge") || write_page(sample_results(SAMPLE_EMPTY), folder, "empty")
                   || write_page(cut_short(), folder, "partial")
               ? EXIT_FAILURE
               : EXIT_SUCCESS;
}

/* Fuzzes `tcpassay check`: any octets as a capture file, read, judged and reported, as text and as results. The first octet says
 * with which bounds, and whether the octets behind it are the file as it stands, or frames to be put into one: of a link type, each
 * behind its length and the time since the one before.
 *
 * A crash means that a capture, made by anybody's traffic, stops `tcpassay check`, or worse, when it is looked at. */
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/capture/link.h"
#include "engine/capture/record.h"
#include "engine/capture/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static int take_test(void *context, const struct result_test *test)
{
    unsigned *tests = context;
    must(test->id && *test->id && test->title && (test->verdict == VERDICT_PASS || *test->reason));
    must(test->verdict != VERDICT_FAIL || test->finding_count > 0);
    ++*tests;
    return 0;
}

static void report(const struct inspection *inspection, int link)
{
    const struct text_config config = { .name = "fuzzed", .link = link, .verbose = true };
    const struct inspection_report *r = inspection_report(inspection);
    struct inspection_counts counts;
    unsigned tests = 0;
    char *text = NULL;
    size_t len = 0, skipped = 0;
    FILE *out = open_memstream(&text, &len);
    must(out != NULL);
    inspection_print(r, &config, out);
    fclose(out);
    must(len > 0);
    free(text);
    inspection_count(r, &counts);
    must(inspection_record(r, "fuzzed", true, NULL, take_test, &tests) == 0);
    for (enum skipped reason = 0; reason < SKIPPED_COUNT; reason++)
        skipped += r->skipped[reason];
    must(r->segments + skipped <= r->frames + 1 && r->endpoints <= 2 * r->connections && r->duration_ns >= 0);
    must(inspection_open(inspection) == 0);
}

static struct inspection *begin(uint8_t bounds, int link)
{
    const struct inspection_config config = {
        .link = link, .offload = bounds & 3 ? (bounds & 3) - 1u : OFFLOAD_AUTO, .connections_max = bounds & 4 ? 2 : 0,
        .findings_max = bounds & 8 ? 3 : 0, .listed_max = bounds & 16 ? 1 : 100, .portraits = bounds & 32,
    };
    struct inspection *inspection = inspection_new(&config);
    must(inspection != NULL);
    return inspection;
}

static void end(struct inspection *inspection, int link)
{
    inspection_finish(inspection);
    report(inspection, link);
    inspection_free(inspection);
}

/* The first is left to libpcap, the second is not. */
static FILE *memory_file(const uint8_t *data, size_t size)
{
    return fmemopen((void *)data, size, "rb");
}

static FILE *real_file(const uint8_t *data, size_t size)
{
    const int fd = memfd_create("capture", 0);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    return fdopen(fd, "rb");
}

static void check_file(uint8_t bounds, const uint8_t *data, size_t size)
{
    char error[512];
    int filter_is_wrong;
    FILE *file = size ? (bounds & 128 ? real_file : memory_file)(data, size) : NULL;
    struct capture_reader *reader = file ? capture_open(file, NULL, &filter_is_wrong, error, sizeof error) : NULL;
    if (!reader)
        return;
    const int link = capture_link(reader);
    struct inspection *inspection = begin(bounds, link);
    while (inspection_read(inspection, reader) == CAPTURE_FRAME)
        continue;
    end(inspection, link);
    capture_close(reader);
}

static void check_frames(uint8_t bounds, const uint8_t *data, size_t size)
{
    static const int links[] = { DLT_RAW, DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_PPP, DLT_PPP_ETHER, DLT_LOOP };
    const int link = links[size ? data[0] % (sizeof links / sizeof *links) : 0];
    struct inspection *inspection = begin(bounds, link);
    struct capture_frame frame = { 0 };
    for (size_t at = 1; at + 4 <= size; at += frame.len) {
        const size_t len = data[at] < size - at - 4 ? data[at] : size - at - 4;
        uint8_t *bytes = malloc(len ? len : 1); /* of just this size, so that a read past its end is seen */
        must(bytes != NULL);
        const int64_t later_ns = (int8_t)data[at + 1] * (INT64_C(1) << data[at + 2] % 48), at_ns = frame.at_ns + later_ns;
        frame = (struct capture_frame){ frame.number + 1, at_ns < 0 ? 0 : at_ns, bytes, len, len + data[at + 3] % 8 };
        at += 4;
        memcpy(bytes, data + at, len);
        inspection_frame(inspection, &frame);
        free(bytes);
    }
    end(inspection, link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        (data[0] & 64 ? check_frames : check_file)(data[0], data + 1, size - 1);
    return 0;
}

/* Reading captures: a file that is read here gives just what libpcap would give, and whatever is wrong with it ends it alike. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/capture/reader.h"
#include "engine/packet/test/random.h"
#include "engine/packet/test/support.h"

enum { FILE_MAX = 1 << 20, FRAMES_MAX = FILE_MAX / 16, FILES = 400 };

struct file {
    bool foreign; /* of a machine of the other byte order */
    uint8_t bytes[FILE_MAX];
    size_t len;
};

static void put(struct file *file, const void *bytes, size_t len)
{
    assert_true(file->len + len <= sizeof file->bytes);
    memcpy(file->bytes + file->len, bytes, len);
    file->len += len;
}

static void put32(struct file *file, uint32_t word)
{
    word = file->foreign ? __builtin_bswap32(word) : word;
    put(file, &word, sizeof word);
}

static void put_header(struct file *file, uint32_t magic, uint32_t snapshot)
{
    const uint16_t major = 2, minor = 4, version[2] = { file->foreign ? major << 8 : major, file->foreign ? minor << 8 : minor };
    put32(file, magic);
    put(file, version, sizeof version);
    put32(file, 0);
    put32(file, 0);
    put32(file, snapshot);
    put32(file, 1); /* Ethernet */
}

static void put_record(struct file *file, struct random *random, uint32_t len)
{
    static uint8_t frame[300000];
    const uint32_t odd[] = { 0, 999999, 1000000, UINT32_MAX, 999999999 };
    for (unsigned i = 0; i < 32 && i < len; i++)
        frame[i] = (uint8_t)random_next(random);
    put32(file, random_one_in(random, 50) ? UINT32_MAX : (uint32_t)file->len);
    put32(file, random_one_in(random, 20) ? odd[random_below(random, 5)] : random_below(random, 1000000));
    put32(file, len);
    put32(file, len + (random_one_in(random, 5) ? 100 : 0));
    put(file, frame, len);
}

static uint32_t random_len(struct random *random)
{
    static const uint32_t limits[] = { 1, 100, 1515, 1515, 1515, 66000 };
    return random_below(random, limits[random_below(random, sizeof limits / sizeof *limits)]);
}

/* Sometimes cut short, with a record longer than it should be, with anything else wrong, or empty. */
static void make_file(struct file *file, struct random *random, unsigned number)
{
    static const uint32_t magics[] = { 0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34 /* of another kind */ };
    static const uint32_t snapshots[] = { 65535, 262144, 1000, 0 };
    const unsigned records = random_below(random, random_one_in(random, 2) ? 2000 : 10);
    file->len = 0;
    file->foreign = number % 8 == 1;
    put_header(file, magics[random_below(random, number % 8 ? 2 : 3)], snapshots[random_below(random, 4)]);
    for (unsigned i = 0; i < records && file->len < FILE_MAX - 400000; i++)
        put_record(file, random, random_len(random));
    if (random_one_in(random, 4))
        put_record(file, random, 262144 + random_below(random, 3) - 1);
    if (random_one_in(random, 2))
        file->len = file->len - random_below(random, 40 < file->len - 24 ? 40 : (uint32_t)file->len - 23);
    for (unsigned i = 0; random_one_in(random, 3) && i < 5; i++)
        file->bytes[24 + random_below(random, (uint32_t)file->len + 1 - 24)] ^= (uint8_t)(1u << random_below(random, 8));
}

static struct capture_reader *open_reader(FILE *stream)
{
    char error[512];
    int filter_is_wrong;
    assert_non_null(stream);
    struct capture_reader *reader = capture_open(stream, NULL, &filter_is_wrong, error, sizeof error);
    if (!reader)
        fail_msg("%s", error);
    return reader;
}

struct taken { /* all that was read of a file */
    struct capture_frame frames[FRAMES_MAX];
    uint64_t prints[FRAMES_MAX];
    unsigned count;
    enum capture_next end;
    char error[512];
};

static uint64_t print_of(const struct capture_frame *frame)
{
    uint64_t print = 1469598103934665603u;
    for (size_t i = 0; i < frame->len; i += i < 64 ? 1 : 61)
        print = (print ^ frame->bytes[i]) * 1099511628211u;
    return print;
}

/* What libpcap reads when nothing else can be done: of a stream that is no file. */
static void take_all(FILE *stream, struct taken *taken)
{
    struct capture_reader *reader = open_reader(stream);
    struct capture_frame frame;
    taken->count = 0;
    while ((taken->end = capture_read(reader, &frame)) == CAPTURE_FRAME) {
        assert_true(taken->count < FRAMES_MAX);
        taken->frames[taken->count] = frame;
        taken->prints[taken->count++] = print_of(&frame);
    }
    snprintf(taken->error, sizeof taken->error, "%s", taken->end == CAPTURE_DAMAGED ? capture_error(reader) : "");
    capture_close(reader);
}

/* The file itself, behind a few octets of something else, which were read already. */
static FILE *real_file(const struct file *file, unsigned before)
{
    FILE *stream = tmpfile();
    char skipped[16];
    assert_non_null(stream);
    assert_int_equal(fwrite("something before", 1, before, stream), before);
    assert_int_equal(fwrite(file->bytes, 1, file->len, stream), file->len);
    rewind(stream);
    assert_int_equal(fread(skipped, 1, before, stream), before);
    return stream;
}

static void assert_frame(const struct capture_frame *frame, const struct taken *expected, unsigned index)
{
    assert_true(index < expected->count);
    assert_int_equal(frame->len, expected->frames[index].len);
    assert_int_equal(frame->wire_len, expected->frames[index].wire_len);
    assert_true(print_of(frame) == expected->prints[index]);
}

static void compare(FILE *stream, const struct taken *expected, unsigned *seen_ahead)
{
    struct capture_reader *reader = open_reader(stream);
    struct capture_frame frame, coming;
    enum capture_next end;
    unsigned count = 0, shown = 0;
    while ((end = capture_read(reader, &frame)) == CAPTURE_FRAME) {
        assert_frame(&frame, expected, count);
        assert_int_equal(frame.number, expected->frames[count].number);
        assert_true(frame.at_ns == expected->frames[count].at_ns);
        count++;
        for (unsigned now = 0; capture_look_ahead(reader, &coming); now++) {
            assert_true(now < FRAMES_AHEAD);
            shown = shown > count ? shown : count;
            assert_frame(&coming, expected, shown++);
            ++*seen_ahead;
        }
        assert_frame(&frame, expected, count - 1); /* is still there */
    }
    assert_int_equal(count, expected->count);
    assert_int_equal(capture_frames(reader), count);
    assert_int_equal(end, expected->end);
    assert_string_equal(end == CAPTURE_DAMAGED ? capture_error(reader) : "", expected->error);
    capture_close(reader);
}

static void a_file_gives_what_libpcap_gives(void **state)
{
    static struct file file;
    static struct taken expected;
    struct random random = random_from_environment();
    unsigned frames = 0, seen_ahead = 0, damaged = 0;
    (void)state;
    for (unsigned i = 0; i < FILES; i++) {
        make_file(&file, &random, i);
        take_all(fmemopen(file.bytes, file.len, "rb"), &expected);
        compare(real_file(&file, i % 3 ? 0 : i % 16), &expected, &seen_ahead);
        frames += expected.count;
        damaged += expected.end == CAPTURE_DAMAGED;
    }
    assert_true(seen_ahead > frames / 4);
    assert_in_range(damaged, FILES / 8, FILES * 7 / 8);
}

static void a_pipe_gives_the_same(void **state)
{
    static struct file file;
    static struct taken expected;
    struct random random = random_from_environment();
    unsigned seen_ahead = 0;
    int ends[2];
    (void)state;
    put_header(&file, 0xa1b2c3d4, 65535);
    for (unsigned i = 0; i < 20; i++)
        put_record(&file, &random, 1000);
    take_all(fmemopen(file.bytes, file.len, "rb"), &expected);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], file.bytes, file.len), file.len);
    close(ends[1]);
    compare(fdopen(ends[0], "rb"), &expected, &seen_ahead);
    assert_int_equal(expected.count, 20);
    assert_int_equal(seen_ahead, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gives_what_libpcap_gives),
        cmocka_unit_test(a_pipe_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

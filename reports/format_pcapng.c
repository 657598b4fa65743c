/* packets.pcapng: the captures that a run kept, in one file, with what happened beside the packets.
 *
 * A test is an interface of its own, named by the test's id (tshark: frame.interface_name), described by its title; verdict and
 * reason are its comment. A packet's comment (pcapng's opt_comment, "Packet comments" in Wireshark, frame.comment in tshark) says
 * what came before it on the tester's side, calls, states and notes; the step of the scenario that it belongs to; and, of the
 * offending segment, what was found. A finding about something that did not come stands at the last packet before it. Captures are
 * read from the results' directory and from nowhere else; one that cannot be read leaves its interface, whose comment says so.
 * Blocks are little-endian (draft-ietf-opsawg-pcapng).
 */
#include "reports/formats.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/file.h"
#include "reports/text.h"

enum {
    COMMENT_BYTES_MAX = 16 << 10, TEXT_BYTES_MAX = 1500, CAPTURE_BYTES_MAX = 64 << 20, FRAME_BYTES_MAX = 256 << 10,
    PCAP_HEADER_BYTES = 24, RECORD_HEADER_BYTES = 16,
    BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6,
    OPT_COMMENT = 1, SHB_APPLICATION = 4, IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9,
    LINKTYPE_RAW = 101, TSRESOL_NS = 9,
};

/* ---- blocks ---------------------------------------------------------------------------------------------------- */

struct block { /* being put together */
    uint8_t *bytes;
    size_t len, capacity;
    bool failed;
};

static void put_bytes(struct block *b, const void *bytes, size_t len)
{
    static const uint8_t zeros[4];
    const size_t padding = (4 - len % 4) % 4;
    if (len == 0)
        return;
    if (!b->bytes || b->len + len + padding > b->capacity) {
        const size_t capacity = 2 * (b->len + len + padding) + 4096;
        uint8_t *more = realloc(b->bytes, capacity);
        b->failed = b->failed || !more;
        if (!more)
            return;
        b->bytes = more;
        b->capacity = capacity;
    }
    memcpy(b->bytes + b->len, bytes, len);
    memcpy(b->bytes + b->len + len, zeros, padding);
    b->len += len + padding;
}

static void put_u32(struct block *b, uint32_t value)
{
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    put_bytes(b, bytes, sizeof bytes);
}

static void put_option(struct block *b, uint32_t code, const void *bytes, size_t len)
{
    put_u32(b, code | (uint32_t)len << 16);
    put_bytes(b, bytes, len);
}

static void put_text(struct block *b, uint32_t code, const char *text)
{
    if (*text)
        put_option(b, code, text, strlen(text));
}

/* Ends options and block; both lengths say the same. */
static void write_block(struct block *b, uint32_t type, FILE *out)
{
    struct block frame = {0};
    put_u32(b, 0); /* opt_endofopt */
    const uint32_t len = (uint32_t)b->len + 12;
    put_u32(&frame, type);
    put_u32(&frame, len);
    put_u32(&frame, len);
    if (!b->failed && !frame.failed) {
        fwrite(frame.bytes, 1, 8, out);
        fwrite(b->bytes, 1, b->len, out);
        fwrite(frame.bytes + 8, 1, 4, out);
    }
    b->failed = b->failed || frame.failed;
    free(frame.bytes);
    b->len = 0;
}

/* ---- comments -------------------------------------------------------------------------------------------------- */

struct comment {
    char text[COMMENT_BYTES_MAX];
    size_t used;
    bool full;
};

/* Adds a line; what is too much is left out, and said. Strings must have gone through text_show(). */
__attribute__((format(printf, 2, 3))) static void say(struct comment *c, const char *format, ...)
{
    char line[4 * TEXT_BYTES_MAX];
    static const char more[] = "\n(and more: see results.json)";
    va_list arguments;
    if (c->full)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    c->full = c->used + strlen(line) + sizeof more + 1 > sizeof c->text;
    c->used += (size_t)snprintf(c->text + c->used, sizeof c->text - c->used, "%s%s", c->used && !c->full ? "\n" : "", c->full ? more : line);
}

static const char *shown(const char *text, char out[static TEXT_BYTES_MAX])
{
    return text_show(text, out, TEXT_BYTES_MAX);
}

static void say_event(struct comment *c, const struct result_event *e)
{
    static const char *const words[] = {[RESULT_CALL] = "call", [RESULT_RETURN] = "returns", [RESULT_STATE] = "state", [RESULT_NOTE] = "note"};
    char text[TEXT_BYTES_MAX];
    if (e->index || e->kind >= sizeof words / sizeof *words || !words[e->kind])
        return;
    if (e->step)
        say(c, "before, %s: %s (line %" PRIu32 ")", words[e->kind], shown(e->text, text), e->step);
    else
        say(c, "before, %s: %s", words[e->kind], shown(e->text, text));
}

static void say_segment(struct comment *c, const struct result_event *e)
{
    static const char *const words[RESULT_EVENT_COUNT] = {
        [RESULT_SENT] = "tester to IUT", [RESULT_RECEIVED] = "IUT to tester", [RESULT_DROPPED] = "lost on purpose"};
    char segment[TEXT_BYTES_MAX], step[32] = "";
    if (e->step)
        snprintf(step, sizeof step, " (line %" PRIu32 ")", e->step);
    say(c, "segment %" PRIu32 ", %s: %s%s", e->index, words[e->kind] ? words[e->kind] : "other", shown(e->segment, segment), step);
}

static void say_finding(struct comment *c, const struct result_test *test, const struct result_finding *f, const char *where)
{
    char text[TEXT_BYTES_MAX];
    say(c, "%s%s: %s", requirement_level_is_should(f->level) ? "DEVIATION" : test->known ? "FAULT (known)" : "FAULT", where,
        shown(*f->message ? f->message : test->reason, text));
    if (*f->expected)
        say(c, "  expected: %s", shown(f->expected, text));
    if (*f->observed)
        say(c, "  observed: %s", shown(f->observed, text));
    if (*f->requirement)
        say(c, "  requirement: %s", shown(f->requirement, text));
    say(c, "  rule: %s", shown(f->rule, text));
}

/* The packet that a finding about something missing stands at: the last before its time. */
static uint32_t place_of(const struct result_test *test, const struct result_finding *f)
{
    uint32_t index = 1;
    for (size_t i = 0; !f->segment && i < test->trace_count; i++)
        if (test->trace[i].index && test->trace[i].at_ns <= f->at_ns)
            index = test->trace[i].index;
    return f->segment ? f->segment : index;
}

/* Everything about frame `index`: *event is where the trace goes on. */
static void say_frame(struct comment *c, const struct result_test *test, uint32_t index, bool last, size_t *event)
{
    size_t end = *event;
    c->used = 0;
    c->full = false;
    c->text[0] = '\0';
    while (end < test->trace_count && test->trace[end].index != index)
        end++;
    if (end < test->trace_count) {
        for (; *event < end; ++*event)
            say_event(c, &test->trace[*event]);
        say_segment(c, &test->trace[(*event)++]);
    }
    for (size_t i = 0; i < test->finding_count; i++)
        if (place_of(test, &test->findings[i]) == index)
            say_finding(c, test, &test->findings[i], test->findings[i].segment ? "" : " after this packet");
    for (; last && *event < test->trace_count; ++*event)
        if (!test->trace[*event].index) {
            char text[TEXT_BYTES_MAX];
            say(c, "after: %s", shown(test->trace[*event].text, text));
        }
}

/* ---- captures -------------------------------------------------------------------------------------------------- */

struct capture { /* a classic pcap file, read whole */
    uint8_t *bytes;
    size_t len;
    bool swapped;
    uint32_t ns_per_tick, link;
};

static uint32_t get_u32(const struct capture *c, size_t at)
{
    const uint8_t *p = c->bytes + at;
    const uint32_t little = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return c->swapped ? __builtin_bswap32(little) : little;
}

static const char *parse_header(struct capture *c)
{
    static const struct { uint32_t magic, ns_per_tick; bool swapped; } magics[] = {
        {0xa1b2c3d4, 1000, false}, {0xa1b23c4d, 1, false}, {0xd4c3b2a1, 1000, true}, {0x4d3cb2a1, 1, true}};
    if (c->len < PCAP_HEADER_BYTES)
        return "is no capture";
    const uint32_t magic = get_u32(c, 0);
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (magic == magics[i].magic) {
            c->swapped = magics[i].swapped;
            c->ns_per_tick = magics[i].ns_per_tick;
            c->link = get_u32(c, 20) & 0xffff;
            return NULL;
        }
    return "is no capture";
}

/* Only a plain file below the directory. Returns why not, or NULL. */
static const char *read_capture(const struct results *results, const char *name, struct capture *c)
{
    char path[PATH_MAX];
    struct stat info;
    if (!file_is_below(name))
        return "does not lie in the results' directory";
    if (snprintf(path, sizeof path, "%s/%s", *results->dir ? results->dir : ".", name) >= (int)sizeof path)
        return "has too long a name";
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > CAPTURE_BYTES_MAX) {
        const int why = errno;
        if (fd >= 0)
            close(fd);
        return fd < 0 && why == ENOENT ? "is not there" : "cannot be read";
    }
    c->bytes = malloc((size_t)info.st_size + 1);
    ssize_t got = 0;
    while (c->bytes && c->len < (size_t)info.st_size && (got = read(fd, c->bytes + c->len, (size_t)info.st_size - c->len)) > 0)
        c->len += (size_t)got;
    close(fd);
    return c->bytes ? parse_header(c) : "is too large for the memory";
}

/* The record at *at, moved past it; false at the end, or where the file is cut or broken. */
static bool next_record(const struct capture *c, size_t *at, uint64_t *time_ns, const uint8_t **frame, uint32_t *len,
                        uint32_t *original)
{
    if (c->len - *at < RECORD_HEADER_BYTES)
        return false;
    *time_ns = get_u32(c, *at) * UINT64_C(1000000000) + (uint64_t)get_u32(c, *at + 4) * c->ns_per_tick;
    *len = get_u32(c, *at + 8);
    *original = get_u32(c, *at + 12);
    if (*len > FRAME_BYTES_MAX || *len > c->len - *at - RECORD_HEADER_BYTES)
        return false;
    *frame = c->bytes + *at + RECORD_HEADER_BYTES;
    *at += RECORD_HEADER_BYTES + *len;
    return true;
}

static bool is_last(const struct capture *c, size_t at)
{
    uint64_t time_ns;
    const uint8_t *frame;
    uint32_t len, original;
    return !next_record(c, &at, &time_ns, &frame, &len, &original);
}

/* ---- file ------------------------------------------------------------------------------------------------------ */

static void write_section(const struct results *results, struct block *b, FILE *out)
{
    char comment[4 * TEXT_BYTES_MAX], target[TEXT_BYTES_MAX], description[TEXT_BYTES_MAX], version[64], application[96];
    put_u32(b, 0x1a2b3c4d);
    put_u32(b, 1); /* version 1.0 */
    put_u32(b, UINT32_MAX);
    put_u32(b, UINT32_MAX); /* of unspecified length */
    snprintf(comment, sizeof comment, "%s: %s%s", shown(results->run.target_name, target), shown(results->run.target_description, description),
             results->finished ? "" : "\nThe run was cut short.");
    put_text(b, OPT_COMMENT, comment);
    snprintf(application, sizeof application, "tcpassay %s", text_show(results->run.tcpassay, version, sizeof version));
    put_text(b, SHB_APPLICATION, application);
    write_block(b, BLOCK_SECTION, out);
}

static void write_interface(const struct result_test *test, const struct capture *c, const char *fault, struct block *b, FILE *out)
{
    static const uint8_t resolution = TSRESOL_NS;
    char text[TEXT_BYTES_MAX], comment[2 * TEXT_BYTES_MAX];
    put_u32(b, fault ? LINKTYPE_RAW : c->link);
    put_u32(b, 0); /* no limit on the length of packets */
    put_text(b, IF_NAME, shown(test->id, text));
    put_text(b, IF_DESCRIPTION, shown(test->title, text));
    snprintf(comment, sizeof comment, "%s%s%s%s", outcome_of(test) == OUTCOME_KNOWN ? "fail (known)" : verdict_text(test->verdict),
             *test->reason ? ": " : "", shown(test->reason, text), "");
    if (fault)
        snprintf(comment, sizeof comment, "the capture %s %s", shown(test->pcap, text), fault);
    put_text(b, OPT_COMMENT, comment);
    put_option(b, IF_TSRESOL, &resolution, 1);
    write_block(b, BLOCK_INTERFACE, out);
}

static void write_packets(const struct result_test *test, const struct capture *c, uint32_t interface, struct comment *comment,
                          struct block *b, FILE *out)
{
    uint64_t time_ns;
    const uint8_t *frame;
    uint32_t len, original, index = 0;
    size_t event = 0;
    for (size_t at = PCAP_HEADER_BYTES; next_record(c, &at, &time_ns, &frame, &len, &original);) {
        say_frame(comment, test, ++index, is_last(c, at), &event);
        put_u32(b, interface);
        put_u32(b, (uint32_t)(time_ns >> 32));
        put_u32(b, (uint32_t)time_ns);
        put_u32(b, len);
        put_u32(b, original);
        put_bytes(b, frame, len);
        put_text(b, OPT_COMMENT, comment->text);
        write_block(b, BLOCK_PACKET, out);
    }
}

bool format_pcapng(const struct results *results, FILE *out)
{
    struct block block = {0};
    struct comment *comment = malloc(sizeof *comment);
    uint32_t interface = 0;
    if (!comment)
        return false;
    write_section(results, &block, out);
    for (size_t i = 0; i < results->test_count && !block.failed; i++) {
        const struct result_test *test = &results->tests[i];
        struct capture capture = {0};
        if (!*test->pcap)
            continue;
        const char *fault = read_capture(results, test->pcap, &capture);
        write_interface(test, &capture, fault, &block, out);
        if (!fault)
            write_packets(test, &capture, interface, comment, &block, out);
        interface++;
        free(capture.bytes);
    }
    free(comment);
    free(block.bytes);
    return !block.failed;
}

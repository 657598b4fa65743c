/* Reads captures into lists of frames, and writes such lists as captures. */
#include "engine/capture/test/mutate-frames.h"

#include <assert.h>
#include <dirent.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "engine/capture/link.h"
#include "engine/capture/reader.h"

static void *grown(void *pointer, size_t bytes)
{
    void *more = realloc(pointer, bytes);
    if (more == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return more;
}

static void reserve(struct frames *frames, size_t count)
{
    if (count <= frames->capacity)
        return;
    frames->capacity = count * 2;
    frames->at = grown(frames->at, frames->capacity * sizeof *frames->at);
}

/* Bytes are stored at offsets first, since the store moves as it grows. */
static bool read_all(struct capture_reader *reader, struct frames *out)
{
    size_t used = 0, room = 0;
    struct capture_frame frame;
    while (capture_read(reader, &frame) == CAPTURE_FRAME) {
        if (used + frame.len > room)
            out->store = grown(out->store, room = (used + frame.len) * 2);
        memcpy(out->store + used, frame.bytes, frame.len);
        reserve(out, out->count + 1);
        out->at[out->count++] =
            (struct frame){.at_ns = frame.at_ns, .len = (uint32_t)frame.len, .wire_len = (uint32_t)frame.wire_len};
        used += frame.len;
    }
    const uint8_t *at = out->store;
    for (size_t i = 0; i < out->count; at += out->at[i].len, i++)
        out->at[i].bytes = at;
    return out->count > 0;
}

bool frames_read(const char *path, struct frames *out)
{
    *out = (struct frames){ .link = 0 };
    FILE *file = fopen(path, "rb");
    char error[512] = "cannot be opened";
    int filter_is_wrong = 0;
    struct capture_reader *reader = file == NULL ? NULL : capture_open(file, NULL, &filter_is_wrong, error, sizeof error);
    if (reader == NULL) {
        fprintf(stderr, "%s: %s\n", path, error);
        return false;
    }
    out->link = capture_link(reader);
    const bool any = read_all(reader, out);
    capture_close(reader);
    return any;
}

void frames_free(struct frames *frames)
{
    free(frames->at);
    free(frames->store);
    *frames = (struct frames){ .link = 0 };
}

void frames_copy(struct frames *to, const struct frames *from)
{
    reserve(to, from->count);
    to->link = from->link;
    to->count = from->count;
    memcpy(to->at, from->at, from->count * sizeof *from->at);
}

void frames_remove(struct frames *frames, size_t i)
{
    assert(i < frames->count);
    memmove(frames->at + i, frames->at + i + 1, (--frames->count - i) * sizeof *frames->at);
}

void frames_insert(struct frames *frames, size_t i, struct frame frame)
{
    assert(i <= frames->count);
    reserve(frames, frames->count + 1);
    memmove(frames->at + i + 1, frames->at + i, (frames->count++ - i) * sizeof *frames->at);
    frames->at[i] = frame;
}

void frames_move(struct frames *frames, size_t from, size_t to)
{
    const int64_t at_ns = frames->at[to].at_ns;
    const struct frame moved = frames->at[from];
    frames_remove(frames, from);
    frames_insert(frames, to, moved);
    frames->at[to].at_ns = at_ns;
}

size_t frames_write(const struct frames *frames, uint8_t **bytes)
{
    const struct pcap_file_header head = { .magic = 0xa1b23c4d, .version_major = 2, .version_minor = 4, .snaplen = 262144,
                                           .linktype = frames->link == DLT_RAW ? 101 : (uint32_t)frames->link };
    size_t size = sizeof head;
    for (size_t i = 0; i < frames->count; i++)
        size += 16 + frames->at[i].len;
    uint8_t *to = *bytes = grown(NULL, size);
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    for (size_t i = 0; i < frames->count; i++) {
        const struct frame *f = &frames->at[i];
        const uint32_t record[4] = { (uint32_t)(f->at_ns / 1000000000), (uint32_t)(f->at_ns % 1000000000), f->len, f->wire_len };
        memcpy(to, record, sizeof record);
        memcpy(to + sizeof record, f->bytes, f->len);
        to += sizeof record + f->len;
    }
    return size;
}

bool frames_packet(const struct frames *frames, size_t i, struct packet *out, size_t *offset)
{
    const struct frame *f = &frames->at[i];
    struct link_packet packet;
    if (link_unwrap(frames->link, f->bytes, f->len, f->wire_len, &packet) != LINK_IP)
        return false;
    *offset = (size_t)(packet.bytes - f->bytes);
    return pkt_parse_cut(packet.bytes, packet.len, packet.wire_len, out) == PKT_OK;
}

static int is_capture(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && (strcmp(dot, ".pcap") == 0 || strcmp(dot, ".pcapng") == 0);
}

bool captures_each(const char *path, bool (*each)(void *context, const char *path), void *context)
{
    struct dirent **entries;
    const int count = scandir(path, &entries, is_capture, alphasort);
    if (count < 0)
        return each(context, path);
    bool good = count > 0;
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        free(entries[i]);
        good = each(context, file) && good;
    }
    free(entries);
    return good;
}

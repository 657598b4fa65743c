/* Frames out of a capture file (see reader.h).
 *
 * libpcap reads every kind of file, a packet at a time, copying each. What most files are, pcap in this machine's byte order with
 * nothing odd in it, is read here: the file comes in large pieces, in which the frames stay where they are. Whatever is not like
 * that (other formats, pipes, a record that is cut short or longer than it should be) is left to libpcap, which can go on from any
 * record, so that there is one way only of understanding it.
 *
 * The filter is applied here and not by pcap_setfilter(), which would leave no trace of the frames it skips, so that numbers would
 * no longer be those that other tools show. Times are asked for in nanoseconds, whatever the file has. */
#include "engine/capture/reader.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
enum { FILE_BUFFER_LEN = 1 << 15 }; /* a file system's block, which stdio takes by itself, costs a system call for every few packets */
#define SECONDS_MAX (INT64_MAX / NS_PER_S - 1)

struct file_header { uint32_t magic; uint16_t major, minor; uint32_t unused[4]; };
struct record_header { int32_t seconds, fraction; uint32_t len, wire_len; };

#define MAGIC_US UINT32_C(0xa1b2c3d4)
#define MAGIC_NS UINT32_C(0xa1b23c4d)
enum { PIECE_LEN = 1 << 16, RECORD_LEN_MAX = PIECE_LEN - sizeof(struct record_header) };

struct plain { /* a file that need not be left to libpcap */
    int fd;
    off_t offset;           /* in the file, of the end of what is in piece */
    uint8_t *piece;         /* PIECE_LEN octets; NULL: it is left to libpcap */
    size_t begin, end;      /* of what is there and not yet read */
    size_t ahead;           /* how far was looked ahead: a record begins there … */
    unsigned ahead_by;      /* … so many behind the one at begin */
    uint32_t len_max;
    int64_t fraction_ns;
};

struct capture_reader {
    pcap_t *pcap;
    struct plain plain;
    struct bpf_program filter;
    bool has_filter;
    uint32_t frames;
};

static bool compile(struct capture_reader *reader, const char *filter)
{
    if (!filter)
        return true;
    reader->has_filter = pcap_compile(reader->pcap, &reader->filter, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
    return reader->has_filter;
}

/* ---- plain files ---------------------------------------------------------------------------------------------------- */

/* start: where the capture begins in the file. */
static void begin_plain(struct capture_reader *reader, off_t start)
{
    struct file_header header;
    struct plain *plain = &reader->plain;
    const int fd = fileno(pcap_file(reader->pcap)), snapshot = pcap_snapshot(reader->pcap);
    if (start < 0 || pread(fd, &header, sizeof header, start) != sizeof header)
        return;
    if ((header.magic != MAGIC_US && header.magic != MAGIC_NS) || header.major != 2 || header.minor != 4)
        return;
    *plain = (struct plain){
        .fd = fd, .offset = start + (off_t)sizeof header, .piece = malloc(PIECE_LEN), .fraction_ns = header.magic == MAGIC_US ? 1000 : 1,
        .len_max = snapshot < RECORD_LEN_MAX ? (uint32_t)snapshot : RECORD_LEN_MAX,
    };
}

/* Has the rest of the piece followed by what the file has next. */
static void refill(struct plain *plain)
{
    ssize_t got;
    memmove(plain->piece, plain->piece + plain->begin, plain->end - plain->begin);
    plain->end -= plain->begin;
    plain->begin = 0;
    while (plain->end < PIECE_LEN &&
           (got = pread(plain->fd, plain->piece + plain->end, PIECE_LEN - plain->end, plain->offset)) > 0) {
        plain->end += (size_t)got;
        plain->offset += got;
    }
}

/* The record that begins there, when it is in the piece and is as it should be. */
static bool has_record(const struct plain *plain, size_t at, struct record_header *out)
{
    if (plain->end - at < sizeof *out)
        return false;
    memcpy(out, plain->piece + at, sizeof *out);
    return out->len <= plain->len_max && out->len <= plain->end - at - sizeof *out;
}

/* libpcap goes on where we are. */
static void leave_to_libpcap(struct plain *plain, pcap_t *pcap)
{
    if (fseeko(pcap_file(pcap), plain->offset - (off_t)(plain->end - plain->begin), SEEK_SET) != 0)
        return; /* it will say that it cannot read */
    free(plain->piece);
    plain->piece = NULL;
}

static bool next_plain(struct plain *plain, struct pcap_pkthdr *header, const u_char **bytes)
{
    struct record_header record;
    if (!has_record(plain, plain->begin, &record)) {
        refill(plain);
        if (!has_record(plain, plain->begin, &record))
            return false;
    }
    *header = (struct pcap_pkthdr){ { record.seconds, (suseconds_t)record.fraction * plain->fraction_ns }, record.len, record.wire_len };
    *bytes = plain->piece + plain->begin + sizeof record;
    plain->begin += sizeof record + record.len;
    if (plain->ahead_by > 0)
        plain->ahead_by--;
    else
        plain->ahead = plain->begin;
    return true;
}

bool capture_look_ahead(struct capture_reader *reader, struct capture_frame *out)
{
    struct plain *plain = &reader->plain;
    struct record_header record;
    if (!plain->piece || plain->ahead_by >= FRAMES_AHEAD || !has_record(plain, plain->ahead, &record))
        return false;
    *out = (struct capture_frame){ .bytes = plain->piece + plain->ahead + sizeof record, .len = record.len, .wire_len = record.wire_len };
    plain->ahead += sizeof record + record.len;
    plain->ahead_by++;
    return true;
}

/* ---- frames --------------------------------------------------------------------------------------------------------- */

struct capture_reader *capture_open(FILE *file, const char *filter, int *filter_is_wrong, char *error, size_t error_size)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    struct capture_reader *reader = calloc(1, sizeof *reader);
    const off_t start = ftello(file);
    *filter_is_wrong = false;
    setvbuf(file, NULL, _IOFBF, FILE_BUFFER_LEN);
    if (reader)
        reader->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason);
    if (!reader || !reader->pcap) {
        snprintf(error, error_size, "%s", reader ? reason : "out of memory");
        fclose(file);
        free(reader);
        return NULL;
    }
    begin_plain(reader, start);
    if (compile(reader, filter))
        return reader;
    snprintf(error, error_size, "%s", pcap_geterr(reader->pcap));
    *filter_is_wrong = true;
    capture_close(reader);
    return NULL;
}

static int64_t time_of(const struct pcap_pkthdr *header)
{
    const int64_t seconds = header->ts.tv_sec, fraction = header->ts.tv_usec; /* which are ns here */
    return seconds < 0 || seconds > SECONDS_MAX || fraction < 0 || fraction >= NS_PER_S ? 0 : seconds * NS_PER_S + fraction;
}

/* As pcap_next_ex(). */
static int next(struct capture_reader *reader, struct pcap_pkthdr *header, const u_char **bytes)
{
    struct pcap_pkthdr *of_pcap;
    if (reader->plain.piece) {
        if (next_plain(&reader->plain, header, bytes))
            return 1;
        leave_to_libpcap(&reader->plain, reader->pcap);
    }
    const int result = pcap_next_ex(reader->pcap, &of_pcap, bytes);
    if (result == 1)
        *header = *of_pcap;
    return result;
}

enum capture_next capture_read(struct capture_reader *reader, struct capture_frame *out)
{
    struct pcap_pkthdr header;
    const u_char *bytes;
    do {
        const int result = next(reader, &header, &bytes);
        if (result == PCAP_ERROR_BREAK)
            return CAPTURE_END;
        if (result != 1)
            return CAPTURE_DAMAGED;
        reader->frames++;
    } while (reader->has_filter && pcap_offline_filter(&reader->filter, &header, bytes) == 0);
    *out = (struct capture_frame){ reader->frames, time_of(&header), bytes, header.caplen, header.len };
    return CAPTURE_FRAME;
}

int capture_link(const struct capture_reader *reader)
{
    return pcap_datalink(reader->pcap);
}

uint32_t capture_frames(const struct capture_reader *reader)
{
    return reader->frames;
}

const char *capture_error(const struct capture_reader *reader)
{
    return pcap_geterr(reader->pcap);
}

void capture_close(struct capture_reader *reader)
{
    if (!reader)
        return;
    if (reader->has_filter)
        pcap_freecode(&reader->filter);
    pcap_close(reader->pcap);
    free(reader->plain.piece);
    free(reader);
}

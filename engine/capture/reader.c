/* Frames out of a capture file (see reader.h).
 *
 * The filter is applied here and not by pcap_setfilter(), which would leave no trace of the frames it skips, so that numbers would
 * no longer be those that other tools show. Times are asked for in nanoseconds, whatever the file has. */
#include "engine/capture/reader.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)
enum { FILE_BUFFER_LEN = 1 << 15 }; /* a file system's block, which stdio takes by itself, costs a system call for every few packets */
#define SECONDS_MAX (INT64_MAX / NS_PER_S - 1)

struct capture_reader {
    pcap_t *pcap;
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

struct capture_reader *capture_open(FILE *file, const char *filter, int *filter_is_wrong, char *error, size_t error_size)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    struct capture_reader *reader = calloc(1, sizeof *reader);
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

enum capture_next capture_read(struct capture_reader *reader, struct capture_frame *out)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    do {
        const int result = pcap_next_ex(reader->pcap, &header, &bytes);
        if (result == PCAP_ERROR_BREAK)
            return CAPTURE_END;
        if (result != 1)
            return CAPTURE_DAMAGED;
        reader->frames++;
    } while (reader->has_filter && pcap_offline_filter(&reader->filter, header, bytes) == 0);
    *out = (struct capture_frame){ reader->frames, time_of(header), bytes, header->caplen, header->len };
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
    free(reader);
}

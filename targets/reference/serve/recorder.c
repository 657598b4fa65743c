/* libpcap's writer, which is told when the disk is full. */
#include "targets/reference/serve/recorder.h"

#include "engine/packet/packet.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct recorder {
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    bool failed;
};

struct recorder *recorder_new(const char *path, char *error, size_t error_size)
{
    struct recorder *r = calloc(1, sizeof *r);
    if (r)
        r->pcap = pcap_open_dead_with_tstamp_precision(DLT_RAW, PKT_BYTES_MAX, PCAP_TSTAMP_PRECISION_NANO);
    if (r && r->pcap)
        r->dumper = pcap_dump_open(r->pcap, path);
    if (r && r->dumper)
        return r;
    snprintf(error, error_size, "%s", r && r->pcap ? pcap_geterr(r->pcap) : "out of memory");
    if (r && r->pcap)
        pcap_close(r->pcap);
    free(r);
    return NULL;
}

void recorder_put(struct recorder *r, const uint8_t *bytes, size_t len)
{
    if (!r || r->failed)
        return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct pcap_pkthdr header = {
        .ts = { .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec }, .caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len,
    };
    pcap_dump((u_char *)r->dumper, &header, bytes);
    r->failed = ferror(pcap_dump_file(r->dumper)) != 0;
}

bool recorder_free(struct recorder *r)
{
    if (!r)
        return true;
    bool written = pcap_dump_flush(r->dumper) == 0 && !r->failed;
    pcap_dump_close(r->dumper);
    pcap_close(r->pcap);
    free(r);
    return written;
}

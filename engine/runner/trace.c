/* The record of one play (see trace.h). */
#include "engine/runner/trace.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

void trace_release(struct trace *trace)
{
    for (size_t i = 0; i < trace->event_count; i++) {
        free((char *)trace->events[i].segment);
        free((char *)trace->events[i].text);
    }
    free(trace->events);
    free(trace->packets);
    free(trace->bytes);
    *trace = (struct trace){0};
}

/* Makes room for one more element of an array that doubles. False when memory is out. */
static bool grow(void **array, size_t *capacity, size_t needed, size_t element)
{
    if (needed <= *capacity)
        return true;
    size_t wanted = *capacity ? *capacity : 16;
    while (wanted < needed)
        wanted *= 2;
    void *grown = realloc(*array, wanted * element);
    if (!grown)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

uint32_t trace_packet(struct trace *trace, int64_t at_ns, const uint8_t *bytes, size_t len)
{
    uint32_t index = ++trace->segments;
    if (trace->silent) {
        if (trace->watch)
            trace->watch(trace->watch_context, at_ns, bytes, len);
        return index;
    }
    if (trace->full || trace->bytes_len + len > TRACE_PACKET_BYTES_MAX ||
        !grow((void **)&trace->packets, &trace->packet_capacity, trace->packet_count + 1, sizeof *trace->packets) ||
        !grow((void **)&trace->bytes, &trace->bytes_capacity, trace->bytes_len + len, 1)) {
        trace->full = true;
        return index;
    }
    trace->packets[trace->packet_count++] = (struct trace_packet){at_ns, trace->bytes_len, len};
    memcpy(trace->bytes + trace->bytes_len, bytes, len);
    trace->bytes_len += len;
    return index;
}

void trace_event(struct trace *trace, enum result_event_kind kind, int64_t at_ns, uint32_t index, uint32_t step,
                 const char *segment, const char *text)
{
    if (trace->silent)
        return;
    if (trace->event_count >= TRACE_EVENTS_MAX ||
        !grow((void **)&trace->events, &trace->event_capacity, trace->event_count + 1, sizeof *trace->events)) {
        trace->full = true;
        return;
    }
    char *segment_copy = strdup(segment ? segment : ""), *text_copy = strdup(text ? text : "");
    if (!segment_copy || !text_copy) {
        free(segment_copy);
        free(text_copy);
        trace->full = true;
        return;
    }
    trace->events[trace->event_count++] = (struct result_event){
        .at_ns = at_ns, .kind = kind, .index = index, .step = step, .segment = segment_copy, .text = text_copy};
}

int trace_write_pcap(const struct trace *trace, const char *path, char *error, size_t error_size)
{
    pcap_t *pcap = pcap_open_dead_with_tstamp_precision(DLT_RAW, PKT_BYTES_MAX, PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper_t *dumper = pcap ? pcap_dump_open(pcap, path) : NULL;
    if (!dumper) {
        snprintf(error, error_size, "%s", pcap ? pcap_geterr(pcap) : "out of memory");
        if (pcap)
            pcap_close(pcap);
        return -1;
    }
    for (size_t i = 0; i < trace->packet_count; i++) {
        const struct trace_packet *p = &trace->packets[i];
        struct pcap_pkthdr header = {
            .ts = {.tv_sec = p->at_ns / 1000000000, .tv_usec = p->at_ns % 1000000000},
            .caplen = (bpf_u_int32)p->len,
            .len = (bpf_u_int32)p->len,
        };
        pcap_dump((u_char *)dumper, &header, trace->bytes + p->offset);
    }
    int failed = pcap_dump_flush(dumper);
    if (failed)
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
    pcap_dump_close(dumper);
    pcap_close(pcap);
    return failed ? -1 : 0;
}

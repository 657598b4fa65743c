/* What happened during one play, in order: events in words for reports, and the packets themselves for the pcap. Bounded. */
#ifndef TCPASSAY_RUNNER_TRACE_H
#define TCPASSAY_RUNNER_TRACE_H

#include "engine/packet/packet.h"
#include "reports/results.h"

enum { TRACE_EVENTS_MAX = 4000, TRACE_PACKET_BYTES_MAX = 8 << 20 };

struct trace_packet {
    int64_t at_ns;          /* since the start of the play */
    size_t offset, len;     /* within bytes */
};

struct trace {
    struct result_event *events;
    size_t event_count, event_capacity;
    struct trace_packet *packets;
    size_t packet_count, packet_capacity;
    uint8_t *bytes;
    size_t bytes_len, bytes_capacity;
    bool full;              /* a bound was reached: later events and packets were counted, not kept */
    uint32_t segments;      /* index given to the last packet; frame number while nothing was dropped */
    bool silent;            /* nobody will read it: packets are counted, and shown to watch, nothing is kept */
    void (*watch)(void *context, int64_t at_ns, const uint8_t *bytes, size_t len); /* is told each packet when it is silent; may be NULL */
    void *watch_context;
};

void trace_release(struct trace *trace);
/* Records a packet and gives it its index (from 1). It is kept for the pcap while there is room. */
uint32_t trace_packet(struct trace *trace, int64_t at_ns, const uint8_t *bytes, size_t len);
/* Records an event; segment and text are copied, either may be NULL. */
void trace_event(struct trace *trace, enum result_event_kind kind, int64_t at_ns, uint32_t index, uint32_t step,
                 const char *segment, const char *text);
/* Writes the packets as pcap, DLT_RAW, nanosecond stamps counted from the epoch. 0, or -1 with error filled. */
int trace_write_pcap(const struct trace *trace, const char *path, char *error, size_t error_size);

#endif

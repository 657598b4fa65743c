/* An inspection: every connection of one capture, judged at both ends by the model, with the application unknown.
 *
 * Frames go in, in the order of the file; after inspection_finish() the report is there to be read, and to be printed by
 * text.h or record.h. Nothing here prints. Memory grows with the connections that are open at one time, up to the
 * bounds of the configuration, not with the capture.
 */
#ifndef TCPASSAY_CAPTURE_INSPECTION_H
#define TCPASSAY_CAPTURE_INSPECTION_H

#include "engine/capture/findings.h"
#include "engine/capture/reader.h"

/* Does the capture show segments before a network card has cut them up and filled in their checksums, or after it has joined them?
 */
enum offload { OFFLOAD_AUTO /* as soon as something shows it */, OFFLOAD_YES, OFFLOAD_NO };

struct inspection_config {
    int link;                  /* pcap's DLT_* */
    enum offload offload;
    uint32_t connections_max;  /* open at one time; 0: CONNECTIONS_MAX. Beyond it those idle longest are no longer followed */
    uint32_t findings_max;     /* held; 0: FINDINGS_MAX */
    uint32_t listed_max;       /* connections without a finding to list in the report; the rest is counted */
    bool portraits;            /* of each host, up to PORTRAITS_MAX of them */
    uint64_t seed;             /* of the hash table: nothing in the report depends on it */
};
enum { CONNECTIONS_MAX = 50000, CLOSED_KEPT_MAX = 512, FINDINGS_MAX = 10000, PORTRAITS_MAX = 64 };

struct inspected_connection { /* from a pair's first segment until it is over, or no longer followed */
    uint32_t number;           /* from 1 on, in the order of first segments */
    struct pkt_endpoint ends[2]; /* [0] sent the first segment that was seen */
    uint32_t segments[2];      /* sent by each */
    uint32_t first_frame, last_frame;
    int64_t first_ns, last_ns;
    bool from_start;           /* that was a SYN */
    unsigned contradicted;     /* enum judge_need */
    bool sums_unknown;
    char *inconclusive[2];     /* why an end was not judged to its end, or NULL */
    uint32_t first_finding;    /* in findings.held; 0: none */
};

/* Frames and packets that no judge saw, by reason. */
enum skipped {
    SKIPPED_NOT_IP, SKIPPED_OTHER_PROTOCOL, SKIPPED_ICMP /* that is about no connection here */, SKIPPED_DAMAGED /* IP or TCP header */,
    SKIPPED_CUT /* within its headers */, SKIPPED_FRAGMENT /* of an unfinished packet */, SKIPPED_COPY /* seen elsewhere too */,
    SKIPPED_SELF /* from an endpoint to itself */, SKIPPED_COUNT
};
const char *skipped_text(enum skipped reason); /* "of other protocols": what stands behind a number */

struct inspected_host { struct pkt_addr addr; struct judge_host *host; };

struct inspection_report { /* times are ns since the first frame */
    int64_t start_ns, duration_ns; /* of the first frame since the epoch; to the last */
    uint64_t frames, segments;     /* frames that came; TCP segments judged */
    uint64_t skipped[SKIPPED_COUNT];
    uint64_t likely_copies;        /* repeated at once: judged as arrived twice and sent once */
    uint64_t clock_steps;          /* times that the clock went back so far that everything was judged anew from there */
    uint64_t connections, endpoints; /* endpoints: that sent anything */
    uint64_t not_followed;         /* connections dropped as there were too many open ones */
    uint64_t unlisted;             /* connections without a finding that are not in the list */
    uint64_t inconclusive;         /* endpoints */
    unsigned contradicted;         /* enum judge_need: by the whole capture */
    bool offload_seen, out_of_memory;
    struct inspected_connection *connections_listed; /* those with findings are all here */
    uint32_t listed;
    struct findings findings;
    struct inspected_host hosts[PORTRAITS_MAX];
    unsigned host_count;
    const struct coverage *coverage; /* of all hosts */
};

struct inspection;
/* NULL: out of memory. */
struct inspection *inspection_new(const struct inspection_config *config);
void inspection_frame(struct inspection *inspection, const struct capture_frame *frame);
/* Takes the next frame from a reader; the same, but faster, since it looks ahead. */
enum capture_next inspection_read(struct inspection *inspection, struct capture_reader *reader);
/* No more will come. */
void inspection_finish(struct inspection *inspection);
/* Valid until the inspection is freed; complete once it is finished. */
const struct inspection_report *inspection_report(const struct inspection *inspection);
/* Connections followed now. */
uint32_t inspection_open(const struct inspection *inspection);
void inspection_free(struct inspection *inspection);

struct inspection_counts { uint64_t failures, deviations, withheld[FINDING_STANDINGS]; };
void inspection_count(const struct inspection_report *report, struct inspection_counts *out);

#endif

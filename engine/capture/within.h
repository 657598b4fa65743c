/* What the parts of an inspection share; included by engine/capture's own files only.
 *
 *   frames.c      from a frame to a segment of a pair: time, link layer, IP, checksums     inspection.c  life cycle, the report
 *   connections.c pairs, their judges, and when they end                                   ahead.c       frames that will come
 */
#ifndef TCPASSAY_CAPTURE_WITHIN_H
#define TCPASSAY_CAPTURE_WITHIN_H

#include "engine/capture/inspection.h"
#include "engine/capture/link.h"
#include "engine/capture/pairs.h"
#include "engine/model/pool.h"

struct inspection {
    struct inspection_config config;
    struct inspection_report report;
    struct pairs *pairs;
    struct pkt_reassembler *reassembler;
    struct pool *octets;        /* for the octets that judges compare later */
    struct judge_host *shared;  /* of all hosts that have no portrait of their own */
    uint32_t listed_capacity;
    int64_t now_ns, shift_ns;   /* time since the first frame, and what is added to that of the file to get it */
    uint32_t frame;             /* being read */
    bool started;
    bool expecting;             /* ahead.c: the last frame looked at is a segment, of a pair with this hash */
    uint32_t expected;
};

struct sighting { /* a packet, and how the capture shows it */
    const struct packet *packet;
    bool whole;
    uint64_t origin;
};

/* ---- connections.c */
/* A TCP segment, or an ICMP error about one. */
void connections_segment(struct inspection *in, const struct sighting *sighting);
void connections_error(struct inspection *in, const struct sighting *sighting);
/* Time has gone on: looks at a few of those that wait, and ends what is over. */
void connections_sweep(struct inspection *in);
/* Ends all. */
void connections_end_all(struct inspection *in);

static inline void skip(struct inspection *in, enum skipped reason) { in->report.skipped[reason]++; }

#endif

/* The pairs of endpoints that are being judged: found by address and port, forgotten when they are over or there are too many. */
#ifndef TCPASSAY_CAPTURE_PAIRS_H
#define TCPASSAY_CAPTURE_PAIRS_H

#include "engine/capture/copies.h"
#include "engine/model/judge.h"

struct pair;
struct inspection;

struct pair_end { /* one endpoint */
    struct inspection *inspection;
    struct pair *pair;
    struct judge *judge;
    struct pkt_endpoint endpoint;
    struct copies copies;       /* of what it sends */
    uint32_t segments;
    uint32_t sums_right, sums_wrong; /* checksums */
    bool fresh;                 /* has sent nothing since its peer's SYN, before which nothing is known of it */
    bool fin;                   /* has sent one */
};

struct pair_key { uint64_t words[5]; };

enum pair_queue { PAIR_OPEN, PAIR_CLOSED /* a RST, or FINs of both were seen */, PAIR_QUEUES };

struct pair {
    struct pair_key key;
    uint32_t hash;
    struct pair *prev, *next;   /* in its queue */
    enum pair_queue queue;
    int64_t queued_ns, last_ns, first_ns;
    struct pair_end ends[2];    /* [0] sent the first segment that was seen */
    uint32_t number, first_frame, last_frame;
    bool from_start;            /* that segment was a SYN */
    unsigned contradicted;      /* enum judge_need: what we know of the capture that contradicts completeness or order here */
    bool sums_unknown;          /* so many checksums are wrong that they must have been computed later */
    uint32_t first_finding;     /* see findings.h; 0: none */
};

struct pairs;

/* seed is for the hash: with one that nobody knows, nobody can choose addresses that make it slow. NULL: out of memory. */
struct pairs *pairs_new(uint64_t seed);
/* Frees the pairs too, but not what they point to. */
void pairs_free(struct pairs *pairs);
/* The pair of a segment between two different endpoints, or NULL; *side says which of its ends src is. */
struct pair *pairs_find(struct pairs *pairs, const struct pkt_endpoint *src, const struct pkt_endpoint *dst, unsigned *side);
/* Segments of two pairs are expected: the processor gets what pairs_find() will need first for the pair of these endpoints, and all
 * that the other, whose hash was returned here before, will need. */
uint32_t pairs_expect(const struct pairs *pairs, const struct pkt_endpoint *src, const struct pkt_endpoint *dst);
void pairs_prepare(const struct pairs *pairs, uint32_t hash);
/* A new one, zeroed but for ends[0] = src and ends[1] = dst, at the end of the queue PAIR_OPEN. NULL: out of memory. */
struct pair *pairs_add(struct pairs *pairs, const struct pkt_endpoint *src, const struct pkt_endpoint *dst, int64_t now_ns);
/* To the end of a queue. */
void pairs_queue(struct pairs *pairs, struct pair *pair, enum pair_queue queue, int64_t now_ns);
/* The first in a queue, which has been there longest, or NULL. */
struct pair *pairs_first(const struct pairs *pairs, enum pair_queue queue);
size_t pairs_count(const struct pairs *pairs, enum pair_queue queue);
/* Zeroed memory for the judge of an end, as long as the pair is there. */
void *pairs_judge_memory(struct pair *pair, unsigned side);
/* Takes it out and frees it. */
void pairs_remove(struct pairs *pairs, struct pair *pair);

#endif

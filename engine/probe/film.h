/* What was on the wire: the segments to and from one port of one host, and ICMP errors about them, captured with libpcap on the
 * interface that leads there. Nothing is put into promiscuous mode; payloads are not kept. */
#ifndef TCPASSAY_PROBE_FILM_H
#define TCPASSAY_PROBE_FILM_H

#include "engine/packet/packet.h"

enum { FILM_SNAP = 256, FILM_FRAMES_MAX = 16384 /* 5 MB; beyond, nothing is kept */ };

struct film_frame {
    int64_t at_ns;               /* CLOCK_REALTIME, by the kernel */
    bool from_client;            /* us */
    struct packet packet;        /* a whole segment, or an ICMP error; bytes point into this frame */
    uint8_t bytes[FILM_SNAP];
};

struct film;
/* NULL with error. */
struct film *film_open(const char *interface, const struct pkt_endpoint *remote, char *error, size_t error_size);
void film_close(struct film *film);
int film_fd(const struct film *film);
/* Takes what is there, without waiting. */
void film_take(struct film *film);
size_t film_count(const struct film *film);
const struct film_frame *film_at(const struct film *film, size_t index);

/* Segments of one of our ports, from where one left off. */
struct film_flow {
    uint16_t port;
    size_t next;
};
/* NULL: no more, for now. */
const struct film_frame *film_next(const struct film *film, struct film_flow *flow);

#endif

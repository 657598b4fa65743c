/* What the parts of engine/probe share: the run under way, and waiting. */
#ifndef TCPASSAY_PROBE_INSIDE_H
#define TCPASSAY_PROBE_INSIDE_H

#include <poll.h>
#include <sys/socket.h>

#include "engine/probe/film.h"
#include "engine/packet/endpoint.h"
#include "engine/probe/probe.h"
#include "engine/probe/raw.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

struct echo;
struct run {
    const struct probe_config *config;
    struct probe_report *report;
    struct pkt_endpoint remote;
    struct pkt_addr local;
    struct film *film;           /* NULL: no capture */
    struct raw *raw;             /* NULL: no SYNs of our own */
    struct echo *echo;           /* NULL: no echoes */
    int64_t round_trip_ns;       /* about: of the first answer; 0: none yet */
};

/* ---- waiting: probe.c */
int64_t monotonic_ns(void);
bool interrupted(const struct run *run);
/* Waits until fd (-1: none) has one of the events, taking in what is captured meanwhile. True: it has; false: the deadline has
 * come, or we were interrupted. */
bool wait_for(struct run *run, int fd, short events, int64_t deadline_ns);
void wait_until(struct run *run, int64_t deadline_ns);
/* Takes in captured frames until enough(context) or some milliseconds have passed: what has happened is captured soon. */
void wait_for_film(struct run *run, bool (*enough)(const void *context), const void *context, int64_t patience_ns);

/* ---- addresses: route.c */
socklen_t socket_address(const struct pkt_endpoint *endpoint, struct sockaddr_storage *out);
/* Which address of ours, and which interface, lead there. 0 or a negative errno value. */
int route_to(const struct pkt_endpoint *remote, struct pkt_addr *local, char interface[static 16]);

/* ---- one connect(): attempt.c */
struct attempt {
    int fd;                      /* -1: not connected */
    struct pkt_endpoint local;
    struct probe_outcome outcome;
    bool has_info;               /* of a connection */
    int64_t rtt_ns;
    uint32_t retransmits, snd_mss, path_mtu;
    struct pkt_options agreed;   /* what both sides have agreed on */
    bool ecn;
    int64_t begun_ns;            /* CLOCK_MONOTONIC */
};
/* Connects; the socket stays open when it succeeds. A try that is still unanswered at the deadline is given up: PROBE_SILENT. */
void attempt(struct run *run, const struct pkt_endpoint *remote, int64_t patience_ns, struct attempt *out);
/* The same in two steps, for many at once: false when it is over already; then, once the socket can be written to, what came of it.
 */
bool attempt_begin(const struct pkt_endpoint *remote, const struct pkt_addr *local, struct attempt *out);
void attempt_finish(const struct pkt_addr *local, struct attempt *a);

/* ---- echo.c: NULL when echoes cannot be sent */
struct echo *echo_open(const struct pkt_endpoint *remote);
void echo_close(struct echo *e);
void measure_echo(struct run *run);
/* ---- sample.c: with SYNs of our own */
void begin_syn_ack_schedule(struct run *run, struct film_flow *flow);
void end_syn_ack_schedule(struct run *run, struct film_flow *flow);
void ask_for_everything(struct run *run);
void sample_isns(struct run *run);
/* ---- request.c */
void measure_requests(struct run *run);

#endif

/* What can be learned of one TCP port from outside, as `tcpassay probe` tells it: whether it is open, how long a handshake takes
 * and what it costs, what the SYN-ACK offers, how both sides retransmit, how its initial sequence numbers are made. Measures into a
 * struct; prints nothing.
 *
 * Two depths. With CAP_NET_RAW it captures (libpcap, on the route's interface, this port only), sends echoes, and sends SYNs of its
 * own from ports that it holds with sockets that take in nothing (raw.h); nothing is left behind, whatever way it ends. Without, it
 * measures what a plain socket can, and report.missing says what could not be seen and what would show it.
 *
 * It is no flood: the bounds below hold for one run, and SYNs are PROBE_PACE_NS apart at least. All times are nanoseconds. */
#ifndef TCPASSAY_PROBE_PROBE_H
#define TCPASSAY_PROBE_PROBE_H

#include <signal.h>

#include "engine/packet/packet.h"
#include "engine/packet/state.h"
#include "engine/probe/isn.h"
#include "engine/probe/ladder.h"
#include "engine/probe/resend.h"
#include "engine/probe/times.h"

enum {
    PROBE_ADDRESSES_MAX = 8,
    PROBE_TRIES_MAX = 200,       /* handshakes */
    PROBE_ISN_MAX = 256,         /* SYNs sent to sample sequence numbers */
    PROBE_REQUESTS = 5,          /* of each kind */
    PROBE_ECHOES = 5,
    PROBE_MISSING_MAX = 16,
    PROBE_TEXT_MAX = 256,
};
#define PROBE_PACE_NS INT64_C(10000000)

struct probe_config {
    struct pkt_endpoint remotes[PROBE_ADDRESSES_MAX]; /* every address of the host, the one preferred first */
    unsigned remote_count;       /* at least 1 */
    unsigned tries;              /* 1 to PROBE_TRIES_MAX */
    int64_t interval_ns;         /* from the start of one try to that of the next, PROBE_PACE_NS or more */
    int64_t wait_ns;             /* how long one connect() may take */
    int64_t schedule_ns;         /* how long to watch the host retransmit its SYN-ACK; 0: not at all */
    unsigned isn_samples;        /* SYNs sent for that, up to PROBE_ISN_MAX; 0: none */
    bool unprivileged;           /* as if there were no privilege */
    const char *request_path;    /* HTTP GET of it; NULL: no request */
    const char *request_host;    /* for the Host: field */
    const volatile sig_atomic_t *interrupted;
    void (*progress)(void *context, const char *what); /* what is being measured now; may be NULL */
    void *context;
};

enum probe_answer {
    PROBE_UNKNOWN,               /* not tried: interrupted */
    PROBE_OPEN,
    PROBE_CLOSED,                /* RST */
    PROBE_REFUSED,               /* an ICMP error */
    PROBE_SILENT,                /* nothing, for as long as was waited */
    PROBE_NO_NEIGHBOUR,          /* nobody on the link has the address, as our kernel found out with ARP or ND */
    PROBE_UNABLE,                /* our machine could not even send: no route, forbidden */
};

struct probe_outcome { /* of one connect() */
    enum probe_answer answer;
    int error;                   /* errno, what the application was told; 0 when it is open, or was still waiting */
    int64_t took_ns;
    bool has_icmp;
    uint8_t icmp_type, icmp_code; /* of the version of the address */
    uint32_t icmp_mtu;
    struct pkt_addr icmp_from;
};

struct probe_address {
    struct pkt_endpoint remote;
    struct pkt_addr local;       /* version 0: no route */
    char interface[16];          /* of the route; "" when not known */
    struct probe_outcome outcome;
};

enum probe_source { PROBE_NOWHERE, PROBE_FROM_TCP_INFO /* what was agreed on */, PROBE_FROM_KERNEL /* the answer to our kernel's SYN */,
                    PROBE_FROM_OWN_SYN /* to one that asked for everything */ };

struct probe_offer {
    enum probe_source source;
    bool ecn_asked, fastopen_asked, timestamps_asked, scale_asked, sack_asked; /* only what is asked for is offered */
    bool everything_unanswered;  /* a SYN that asked for ECN and fast open got no answer, a plainer one did */
    struct pkt_options options;
    char options_text[160];      /* in the order of the wire; "" from TCP_INFO */
    uint16_t window;             /* of the SYN-ACK itself: never scaled */
    bool ecn;
    uint8_t ttl;                 /* 0: not seen */
    bool tick_known;
    double tick_hz;              /* of the timestamps' clock */
};

enum probe_request_kind { PROBE_REQUEST_NEW, PROBE_REQUEST_REUSED, PROBE_REQUEST_FASTOPEN, PROBE_REQUEST_KINDS };
struct probe_request { /* times from the first call to the last octet */
    struct probe_times connect, first_byte, whole; /* count 0: not measured; connect only of PROBE_REQUEST_NEW */
    char why_not[PROBE_TEXT_MAX]; /* when it was not */
};

struct probe_missing { char what[PROBE_TEXT_MAX], mend[PROBE_TEXT_MAX]; };

struct probe_report {
    struct probe_address addresses[PROBE_ADDRESSES_MAX];
    unsigned address_count;
    unsigned chosen;             /* the one that all below is about: the first that is open, else the first */
    bool captured, raw;          /* what was possible */

    unsigned tries, lost;        /* handshakes begun; those whose SYN or SYN-ACK had to be sent again */
    bool answers_differ;         /* between tries: `different` is one that was not like the first */
    struct probe_outcome different;
    unsigned different_count;
    struct probe_times connect;  /* as the application sees it, until open or refused; without those that had to be sent again */
    struct probe_times wire;     /* SYN to the answer, as captured */
    struct probe_times kernel_rtt; /* as the kernel measured it (TCP_INFO) */
    struct probe_times echo;     /* ICMP */
    bool echo_silent;            /* echoes were sent, and not answered */
    bool mss_known; uint32_t snd_mss, path_mtu; /* TCP_INFO: octets in a segment; what our kernel takes for the path's MTU */
    struct probe_offer offer;

    struct ladder ladder;
    struct pkt_endpoint ladder_local;

    struct resends syn;         /* our kernel's, towards a silent host */
    struct resend_plan syn_plan; /* what its settings make of it */
    struct resends syn_ack;     /* the host's */

    unsigned isn_sent;
    struct isn_judgement isn;

    bool requested;
    char request_status[64];     /* "200 OK" */
    struct probe_request requests[PROBE_REQUEST_KINDS];

    struct probe_missing missing[PROBE_MISSING_MAX];
    unsigned missing_count;
};

enum probe_end { PROBE_DONE, PROBE_INTERRUPTED, PROBE_FAILED };
/* Measures, and drops the process's capabilities once what needs them is open. On PROBE_FAILED error says why nothing could be
 * measured; an interrupted report holds what there was until then. */
enum probe_end probe(const struct probe_config *config, struct probe_report *report, char error[static PROBE_TEXT_MAX]);

/* Every address of a host and the number of a port (a service's name, or decimal). ip_version 4, 6 or 0 for both. */
enum probe_resolved { PROBE_RESOLVED, PROBE_BAD_PORT, PROBE_NO_HOST };
enum probe_resolved probe_resolve(const char *host, const char *port, int ip_version, struct probe_config *out,
                                  char error[static PROBE_TEXT_MAX]);

/* "host unreachable", "communication administratively prohibited": of an ICMP error. */
const char *probe_icmp_text(uint8_t ip_version, uint8_t type, uint8_t code);

#endif

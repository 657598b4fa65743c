/* The reference TCP: one host's complete TCP over IPv4 and IPv6, without I/O, threads, globals or a clock of its own.
 *
 * The caller owns the link and the time. It hands in IP packets (ref_input) and takes out IP packets (ref_output); it asks when the
 * stack next has something to do (ref_next_deadline) and tells it the time (ref_advance). Everything happens inside these calls and
 * the application calls below, in nanoseconds of a clock that never runs backwards: the same seed, inputs and times give the same
 * outputs. A loop over a real link is:
 *
 *     wait until the link is readable or ref_next_deadline() has come;
 *     ref_advance(stack, now);
 *     for each packet read:  ref_input(stack, bytes, len, now);
 *     application calls (ref_accept, ref_receive, ref_send ...) as ref_poll() tells;
 *     while ((len = ref_output(stack, out, sizeof out, now, NULL)) > 0)  write the packet;
 *
 * Specifications: RFC 9293 with 1122, 1191, 2018, 2883, 3042, 3168, 4987, 5482, 5681, 5927, 5961, 6056, 6093, 6191, 6298, 6429,
 * 6528, 6582, 6633, 6675, 6691, 7323, 7413, 8201. Left out: IP security compartments (§3.10.7.4 third), IPv4 source routes
 * (§3.9.2.1), TCP-MD5 and TCP-AO, jumbograms, a loopback interface.
 */
#ifndef TCPASSAY_TARGETS_REFERENCE_REFERENCE_H
#define TCPASSAY_TARGETS_REFERENCE_REFERENCE_H

#include "engine/packet/packet.h"
#include "engine/packet/state.h"

/* ---- configuration ----------------------------------------------------------------------------------------------- */

enum { REF_ADDRESSES_MAX = 4, REF_SECRET_LEN = 16 };

enum ref_syncookies { REF_SYNCOOKIES_OFF, REF_SYNCOOKIES_ON /* when the backlog is full */, REF_SYNCOOKIES_ALWAYS };
enum ref_fastopen { REF_FASTOPEN_OFF = 0, REF_FASTOPEN_CLIENT = 1, REF_FASTOPEN_SERVER = 2, REF_FASTOPEN_BOTH = 3 };
enum ref_ecn { REF_ECN_OFF, REF_ECN_ACCEPT /* when the peer asks */, REF_ECN_ON /* ask, too */ };

struct ref_config { /* start from ref_config_default() and set what differs */
    uint64_t seed;                         /* of everything random: ISNs, ports, cookies, timestamp offsets */
    uint8_t secret[REF_SECRET_LEN];        /* mixed into the seed; fill it from the system's generator on a network with strangers */
    struct pkt_addr addresses[REF_ADDRESSES_MAX]; /* the host's own; the first of a version is the source of active opens */
    unsigned address_count;
    uint8_t ipv4_prefix_len;               /* of the link: tells which addresses are its broadcast addresses */
    uint16_t mtu;                          /* of the link, octets: 68 or more, 1280 or more with IPv6 */

    /* Bounds, each with what happens when it is reached. */
    uint32_t connections_max;              /* TIME-WAIT makes room, then orphans (RFC 6429 §4); then -ENOBUFS, SYNs are dropped */
    uint32_t sockets_max;                  /* -EMFILE */
    uint32_t listeners_max;                /* -ENOBUFS */
    uint32_t syn_backlog_max;              /* half-open connections per listener: SYN cookies, or the SYN is dropped */
    uint32_t output_queue_bytes_max;       /* data waits in its send buffer; ACKs, RSTs and ICMP replies are dropped */
    uint64_t buffer_bytes_max;             /* of all send and receive buffers: -ENOBUFS; received text is dropped unacknowledged */

    /* Connection establishment and failure: RFC 9293 §3.8.3. */
    uint32_t syn_retries, synack_retries, data_retries; /* R2 as a count of retransmissions */
    uint32_t orphan_retries;               /* the same after the application closed; 0: as data_retries */
    uint32_t syn_linear_timeouts;          /* SYN retransmissions before the backoff starts */
    uint32_t r1_retries;                   /* R1: the application is told */
    enum ref_syncookies syncookies;
    bool abort_on_overflow;                /* RST when the accept queue is full, instead of ignoring the last ACK of the handshake */

    /* Timers. */
    int64_t msl_ns;
    int64_t initial_rto_ns, min_rto_ns, max_rto_ns; /* RFC 6298 */
    int64_t delayed_ack_ns;                /* < 0.5 s (MUST-40) */
    int64_t sws_override_ns;               /* §3.8.6.2.1 (4): 0.1 to 1 s */
    int64_t fin_wait_2_ns;                 /* an orphan's stay in FIN-WAIT-2 */
    int64_t keepalive_idle_ns, keepalive_interval_ns;
    uint32_t keepalive_probes;

    /* Options and algorithms offered. */
    bool timestamps, sack, window_scaling;
    enum ref_ecn ecn;
    unsigned fastopen;                     /* enum ref_fastopen bits */
    bool tw_reuse;                         /* a TIME-WAIT may be left early for an active open (timestamps needed, RFC 6191 §3) */
    bool rfc1337;                          /* RST is ignored in TIME-WAIT */
    bool hard_errors_abort;                /* ICMP hard errors abort synchronized connections too (SHLD-26); off: RFC 5927 §5.2 */
    uint32_t receive_buffer, send_buffer;  /* octets, default of each socket */
    uint32_t challenge_ack_limit;          /* per connection (RFC 5961 §7) … */
    int64_t challenge_ack_interval_ns;     /* … within this time */
    uint16_t port_min, port_max;           /* ephemeral ports (RFC 6056) */
};

/* RFC defaults, conservative; no addresses, seed 0. */
struct ref_config ref_config_default(void);

/* ---- life and time ----------------------------------------------------------------------------------------------- */

struct ref_stack;

/* A new host whose clock shows now_ns. NULL: out of memory, or a configuration that makes no sense (no address, MTU too small). */
struct ref_stack *ref_stack_new(const struct ref_config *config, int64_t now_ns);
/* Begins anew: as ref_stack_new() with the same configuration but for the seed; peers are not told. Quicker, since it keeps what
 * memory it has. */
void ref_stack_restart(struct ref_stack *stack, uint64_t seed, int64_t now_ns);
/* Frees everything; peers are not told. */
void ref_stack_free(struct ref_stack *stack);

/* One IP packet from the link, any bytes. Sets the clock to now_ns but runs no timer: call ref_advance() before, or after, to say
 * which came first. */
void ref_input(struct ref_stack *stack, const uint8_t *bytes, size_t len, int64_t now_ns);

/* The next IP packet for the link: its length, 0 when there is none, -EMSGSIZE when capacity is too small (the packet stays; the
 * link's MTU always suffices). *emitted_at_ns, if wanted: when the stack made it. */
ssize_t ref_output(struct ref_stack *stack, uint8_t *out, size_t capacity, int64_t now_ns, int64_t *emitted_at_ns);

/* When the stack next wants to be told the time; INT64_MAX for never. Reading output does not count as something to wait for. */
int64_t ref_next_deadline(const struct ref_stack *stack);

/* Sets the clock and runs every timer due, each once, at now_ns. */
void ref_advance(struct ref_stack *stack, int64_t now_ns);
int64_t ref_now(const struct ref_stack *stack);

/* ---- the application's calls: RFC 9293 §3.9.1 as sockets, never blocking --------------------------------------------
 * All return >= 0 or a negative errno value of Linux. What cannot be done yet is -EAGAIN; connect() says -EINPROGRESS, then
 * -EALREADY. A handle is a small number as with file descriptors; -EBADF when it is none.
 */

enum ref_shutdown { REF_SHUT_RD, REF_SHUT_WR, REF_SHUT_RDWR };
enum ref_message_flag { REF_MSG_OOB = 1u << 0, REF_MSG_PEEK = 1u << 1, REF_MSG_MORE = 1u << 2, REF_MSG_FASTOPEN = 1u << 3 };
enum ref_event { REF_EVENT_IN = 1u << 0, REF_EVENT_OUT = 1u << 1, REF_EVENT_URGENT = 1u << 2, REF_EVENT_ERROR = 1u << 3,
                 REF_EVENT_HANGUP = 1u << 4, REF_EVENT_READ_HANGUP = 1u << 5 };

/* ip_version 4 or 6; a v6 socket takes IPv4 peers as ::ffff:a.b.c.d unless IPV6_V6ONLY. */
int64_t ref_socket(struct ref_stack *stack, uint8_t ip_version);
/* addr.version 0: any address; port 0: an ephemeral one. -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL when bound already. */
int64_t ref_bind(struct ref_stack *stack, int handle, const struct pkt_endpoint *local);
/* Passive OPEN. backlog bounds the accept queue. Again: changes the backlog. */
int64_t ref_listen(struct ref_stack *stack, int handle, int backlog);
/* The next connection's handle; *peer, if not NULL, its remote endpoint. -EAGAIN: none yet. */
int64_t ref_accept(struct ref_stack *stack, int handle, struct pkt_endpoint *peer);
/* Active OPEN. -ENETUNREACH for an address no TCP peer can have (MUST-46). With TCP_FASTOPEN_CONNECT it may return 0 and wait for
 * data. */
int64_t ref_connect(struct ref_stack *stack, int handle, const struct pkt_endpoint *remote);
/* SEND: the number of octets taken. ref_send_to with REF_MSG_FASTOPEN opens the connection, too (RFC 7413 §4.2.1). */
int64_t ref_send(struct ref_stack *stack, int handle, const uint8_t *data, size_t len, unsigned flags);
int64_t ref_send_to(struct ref_stack *stack, int handle, const struct pkt_endpoint *remote, const uint8_t *data, size_t len,
                    unsigned flags);
/* RECEIVE: the number of octets, 0 when the peer has closed. */
int64_t ref_receive(struct ref_stack *stack, int handle, uint8_t *out, size_t len, unsigned flags);
int64_t ref_shutdown(struct ref_stack *stack, int handle, enum ref_shutdown how);
/* CLOSE; the handle is gone whatever is returned. Unread data: RST instead of FIN (SHLD-3). SO_LINGER {1, 0}: ABORT. */
int64_t ref_close(struct ref_stack *stack, int handle);
/* ABORT: RST, and the handle is gone. */
int64_t ref_abort(struct ref_stack *stack, int handle);

/* Options by their sockets names (the table is in sockopts.c); unknown: -ENOPROTOOPT, value out of range: -EINVAL. "SO_LINGER"
 * takes two values (on, seconds), and so does "REF_UTO" (RFC 5482: enabled, seconds to announce); "REF_REPORTS" 0 turns reports
 * off. */
int64_t ref_set_option(struct ref_stack *stack, int handle, const char *name, const int64_t *values, unsigned count);
int64_t ref_get_option(struct ref_stack *stack, int handle, const char *name, int64_t *value);
/* "SIOCINQ", "SIOCOUTQ", "SIOCATMARK". */
int64_t ref_ioctl(struct ref_stack *stack, int handle, const char *name, int64_t *value);
/* enum ref_event bits pending now. */
unsigned ref_poll(struct ref_stack *stack, int handle);
int64_t ref_local_endpoint(struct ref_stack *stack, int handle, struct pkt_endpoint *out);
int64_t ref_remote_endpoint(struct ref_stack *stack, int handle, struct pkt_endpoint *out);

/* ---- STATUS and reports ------------------------------------------------------------------------------------------ */

struct ref_status { /* RFC 9293 §3.9.1.5; sequence numbers absolute, windows in octets */
    enum tcp_state state;
    uint32_t iss, irs, snd_una, snd_nxt, snd_wnd, snd_up, rcv_nxt, rcv_wnd, rcv_up;
    uint32_t unread_bytes, unsent_bytes, unacked_bytes;
    uint32_t cwnd_bytes, ssthresh_bytes, mss_bytes, pmtu_bytes;
    uint32_t retransmits, probes;          /* of the segment at SND.UNA; unanswered zero-window or keep-alive probes */
    int64_t rto_ns, srtt_ns, rttvar_ns;    /* srtt 0: not measured yet */
    int64_t user_timeout_ns;               /* 0: none */
    uint8_t snd_wscale, rcv_wscale;
    bool timestamps, sack, window_scaling, ecn, passive;
};
/* Of the connection between two endpoints; of the listener at local when there is none (or remote's port is 0). -ENOENT: CLOSED. */
int64_t ref_status(struct ref_stack *stack, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                   struct ref_status *out);
int64_t ref_handle_status(struct ref_stack *stack, int handle, struct ref_status *out);

enum ref_report_kind { /* §3.9.1.8 */
    REF_REPORT_ICMP_ERROR,                 /* soft error: value is the errno it would be */
    REF_REPORT_RETRANSMISSIONS,            /* R1 was reached: value is how many */
    REF_REPORT_URGENT,                     /* the urgent pointer advanced: value is how many urgent octets there are to read */
    REF_REPORT_USER_TIMEOUT,               /* the peer announced a user timeout (RFC 5482): value in seconds */
};
struct ref_report {
    enum ref_report_kind kind;
    int handle;
    int64_t at_ns, value;
};
/* The oldest asynchronous report, if any (at most 64 are kept, then the oldest is lost and counted). The option "REF_REPORTS" 0
 * turns them off for one socket (SHLD-20). */
bool ref_next_report(struct ref_stack *stack, struct ref_report *out);

struct ref_connection { /* as a list of them shows it */
    struct pkt_endpoint local, remote;     /* of a listener, remote.port is 0; local.addr.version 0: any address */
    struct ref_status status;
    bool orphan;                           /* the application has closed it */
    uint32_t waiting;                      /* of a listener: connections to be accepted … */
    uint32_t half_open;                    /* … and those in SYN-RECEIVED */
    unsigned timer_count;
    struct { const char *name; int64_t at_ns; } timers[8]; /* that run now: "retransmit", "delayed-ack" … and when they are due */
};
/* Visits every listener, then every connection there is, half-open ones and those in TIME-WAIT included. The visitor calls nothing
 * of the stack. */
void ref_each_connection(const struct ref_stack *stack, void (*visit)(void *context, const struct ref_connection *connection),
                         void *context);

struct ref_counters {
    uint64_t packets_in, packets_out;
    uint64_t not_parsed, bad_checksum, not_for_us, bad_source;   /* dropped on arrival */
    uint64_t resets_sent, challenge_acks, challenge_acks_limited, cookies_sent, cookies_accepted, retransmissions, fast_retransmits;
    uint64_t connections_full, syn_backlog_full, accept_queue_full, evicted, output_queue_full, buffers_full, ranges_full,
             reports_lost;                                       /* bounds reached */
};
const struct ref_counters *ref_counters(const struct ref_stack *stack);

/* NULL when all is well, else which internal invariant is broken: for tests and fuzzing. */
const char *ref_check_invariants(const struct ref_stack *stack);

#endif

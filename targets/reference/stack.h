/* The insides of the reference stack: the connection record (TCB) of RFC 9293 §3.3.1, what surrounds it, and what the files of this
 * folder offer each other, in the RFC's order. Users of the stack include reference.h; this is for the stack itself and its tests.
 *
 * Lifetimes. A TCB is in the connection table while its state is not CLOSED. When it is closed (ref_tcb_close) it leaves the table;
 * if a socket still holds it, the socket may read what had arrived and learn the error, and frees it with ref_close; else it goes
 * to the graveyard, which ref_reap() empties at the end of each public call. So no pointer dies in the middle of one.
 */
#ifndef TCPASSAY_TARGETS_REFERENCE_STACK_H
#define TCPASSAY_TARGETS_REFERENCE_STACK_H

#include "engine/packet/packet.h"
#include "engine/packet/seq.h"
#include "engine/packet/state.h"
#include "targets/reference/ranges.h"
#include "targets/reference/reference.h"
#include "targets/reference/ring.h"
#include "targets/reference/rtt.h"

#define HASH_NONFATAL_OOM 1 /* an element that found no memory has hh.tbl == NULL */
#include <uthash.h>

enum {
    REF_NS_PER_S = 1000000000, REF_NS_PER_MS = 1000000,
    REF_IPV4_HEADER = 20, REF_IPV6_HEADER = 40, REF_TCP_HEADER = 20,
    REF_IPV4_MTU_MIN = 68, REF_IPV6_MTU_MIN = 1280,     /* RFC 1191 §3, RFC 8201 §4 */
    REF_DEFAULT_MSS_IPV4 = 536, REF_DEFAULT_MSS_IPV6 = 1220, /* MUST-15 */
    REF_MSS_MIN = 48,                                   /* a peer that asks for less gets this: 8 octets of text behind 40 of options */
    REF_WSCALE_MAX = 14,                                /* RFC 7323 §2.3 */
    REF_DUP_THRESH = 3,                                 /* RFC 5681 §3.2, RFC 6675 §2 */
    REF_REPORTS_MAX = 64, REF_PMTU_ENTRIES_MAX = 64, REF_FASTOPEN_ENTRIES_MAX = 64,
    REF_FASTOPEN_COOKIE_LEN = 8,
    REF_EMPTY_ANSWERED_PER_S_MAX = 100,
};
#define REF_NEVER INT64_MAX

struct ref_tuple { /* one connection: a pair of sockets. No padding: compared and hashed as bytes */
    struct pkt_addr local, remote;
    uint16_t local_port, remote_port;
};
_Static_assert(sizeof(struct ref_tuple) == 2 * sizeof(struct pkt_addr) + 4, "tuples are compared as bytes");

enum ref_timer {
    REF_TIMER_RETRANSMIT,
    REF_TIMER_PERSIST,      /* zero-window probes; the override of SWS avoidance and of TCP_CORK */
    REF_TIMER_DELAYED_ACK,
    REF_TIMER_KEEPALIVE,
    REF_TIMER_USER,         /* user timeout */
    REF_TIMER_LIFETIME,     /* 2MSL in TIME-WAIT; an orphan's stay in FIN-WAIT-2 */
    REF_TIMER_DEFER,        /* TCP_DEFER_ACCEPT gives up waiting for data */
    REF_TIMER_COUNT
};

enum ref_recovery {
    REF_RECOVERY_NONE,
    REF_RECOVERY_NEWRENO,   /* fast recovery without SACK: RFC 6582 */
    REF_RECOVERY_SACK,      /* fast recovery with SACK: RFC 6675 */
    REF_RECOVERY_GO_BACK,   /* after a timeout, a reopened window or a smaller path MTU: resending from snd_rtx up to recover */
};

struct ref_options { /* of a socket, by their sockets names; a new connection copies its listener's */
    int32_t nodelay, cork, quickack, max_segment, window_clamp, syn_count, user_timeout_ms, defer_accept_s, fastopen_queue,
            fastopen_connect, linger2_s;
    int32_t keepalive, keep_idle_s, keep_interval_s, keep_count;
    int32_t reuse_address, receive_buffer, send_buffer, oob_inline, linger_on, linger_s, reports;
    int32_t tos, ttl, mtu_discover, v6only;
    int32_t uto_on, uto_advertise_s; /* RFC 5482: ENABLED, ADV_UTO */
    int32_t uto_fixed;               /* not CHANGEABLE: the application has set the user timeout itself */
};

struct ref_stack;
struct ref_tcb;

struct ref_listener { /* a TCB in LISTEN, and its two queues */
    struct ref_listener *next;
    struct ref_socket *socket;
    struct pkt_endpoint local;       /* addr.version 0: any address */
    uint32_t backlog;                /* bound of the accept queue */
    uint32_t half_open;              /* connections in SYN-RECEIVED that came from here */
    uint32_t fastopen_pending;       /* of these, how many by fast open */
    struct { int64_t until_ns; } fastopen_penalties[8]; /* fast-open requests reset in SYN-RECEIVED still count (RFC 7413 §5.1) */
    uint32_t accept_count;           /* established, not yet accepted */
    struct ref_tcb *accept_first, *accept_last;
    int64_t cookies_until_ns;        /* ACKs are taken for cookies until then */
};

struct ref_socket {
    int handle;
    uint8_t ip_version;
    bool bound;
    bool connect_unreported;         /* the outcome of connect() has not been told */
    bool fastopen_deferred;          /* TCP_FASTOPEN_CONNECT: connect() was called, the SYN waits for data */
    bool read_shut;
    int error;                       /* SO_ERROR: errno value, told once */
    struct pkt_endpoint local, deferred_remote;
    struct ref_options options;      /* until there is a connection; then the connection's own count */
    struct ref_tcb *tcb;
    struct ref_listener *listener;
};

struct ref_tcb {
    struct ref_stack *stack;
    struct ref_tuple tuple;
    UT_hash_handle hh;
    struct ref_socket *socket;       /* NULL: not accepted yet, or an orphan */
    struct ref_listener *listener;   /* while half open or in the accept queue */
    struct ref_tcb *accept_next, *blocked_next, *grave_next;
    struct ref_tcb *time_wait;       /* the incarnation in TIME-WAIT that this one, still in SYN-RECEIVED, replaces (MAY-2) */
    struct ref_tcb *replaced_by;     /* the other way round: this one is out of the table and the heap */
    struct ref_options options;
    enum tcp_state state;
    bool passive;                    /* SYN-RECEIVED was, or will be, reached by a passive OPEN (MUST-11) */
    bool in_accept_queue, output_blocked;
    bool orphan;                     /* the application has closed: nobody reads, nobody is told */
    bool accept_deferred;            /* TCP_DEFER_ACCEPT: established, but not shown before data comes */

    /* Send sequence space, Table 2. Data: the ring's first octet is number snd_data. */
    uint32_t iss, snd_una, snd_nxt, snd_wnd, snd_up, snd_wl1, snd_wl2;
    uint32_t max_snd_wnd;
    uint32_t snd_data, snd_queued;   /* the first octet in the ring, and how many there are: sent and unsent */
    struct ref_ring snd_ring;
    bool syn_acked;
    bool snd_urgent;                 /* snd_up is meaningful */
    bool fin_queued;                 /* the FIN follows the last octet queued */
    bool more_coming;                /* MSG_MORE: a partial segment waits */
    bool override;                   /* §3.8.6.2.1 (4): the override timeout has come */
    uint8_t snd_wscale, rcv_wscale;

    /* Receive sequence space, Table 3. Unread data in order, then out of order, in one ring. */
    uint32_t irs, rcv_nxt, rcv_wnd, rcv_up;
    uint32_t rcv_unread;             /* octets in order, not yet read: the ring's first */
    struct ref_ring rcv_ring;
    struct ref_ranges rcv_ranges;    /* arrived above rcv_nxt; a FIN counts as an octet */
    struct ref_range rcv_recent[PKT_SACK_BLOCKS_MAX]; /* most recently changed first (RFC 2018 §4) */
    uint8_t rcv_recent_count;
    bool has_dsack;
    struct ref_range dsack;          /* to be reported in the next ACK (RFC 2883) */
    bool fin_known, fin_received;    /* a FIN has arrived, perhaps above a gap; rcv_nxt has passed it */
    uint32_t fin_seq;
    bool urgent_known;               /* rcv_up is meaningful */
    bool urgent_taken;               /* the octet before rcv_up was read out of band */

    /* When to acknowledge: §3.8.6.3. */
    bool ack_now;
    uint32_t segments_unacked, last_ack_sent;
    uint32_t challenge_acks;
    int64_t challenge_ack_at_ns;
    uint32_t empty_answered;         /* unacceptable empty segments answered … */
    int64_t empty_answered_since_ns; /* … since then */

    /* Options agreed upon. */
    bool window_scaling, timestamps, sack, ecn;
    bool offer_wscale, offer_timestamps, offer_sack, offer_ecn; /* in our SYN */
    uint16_t snd_mss;                /* the peer's MSS option, or the default (MUST-15) */
    uint16_t rcv_mss;                /* what we announced */
    uint32_t ts_recent, ts_offset;
    int64_t ts_recent_at_ns;
    bool ts_recent_valid;

    /* Retransmission: §3.8.1, §3.8.3. */
    struct ref_rtt rtt;
    bool rtt_timing;                 /* without timestamps: one segment is timed (Karn) */
    uint32_t rtt_seq;                /* … until this is acknowledged */
    int64_t rtt_at_ns;
    uint32_t retransmits;            /* timeouts of the segment at snd_una */
    uint32_t probes, persist_backoff; /* zero-window probes: not answered since the last ACK; sent since the window closed */
    uint32_t keepalives;             /* keep-alive probes since the peer was last heard */
    bool waiting;                    /* something is unacknowledged, or held back by a closed window, since … */
    bool syn_retransmitted, r1_reported;
    int64_t waiting_since_ns;        /* … then, or since the last ACK of something new */
    int soft_error;                  /* errno of the last soft ICMP error */

    /* Congestion control: RFC 5681, 6582, 6675, 3168. */
    enum ref_recovery recovery;
    uint32_t cwnd, ssthresh, cwnd_acked;
    uint32_t dup_acks, flight_at_first_dup;
    bool recover_valid;
    uint32_t recover;                /* "recover" of RFC 6582, RecoveryPoint of RFC 6675 */
    uint32_t snd_rtx;                /* go-back: the next to resend. SACK: HighRxt + 1 */
    bool rescued;                    /* rule (4) has been used in this recovery */
    enum { REF_SEND_FREELY, REF_SEND_ONE, REF_SEND_SENT_ONE } send_limit; /* RFC 1191 §6.4: one segment until ACKs come back */
    struct ref_ranges sacked;        /* the scoreboard */
    int64_t last_data_sent_ns;
    bool ecn_echo;                   /* as receiver: ECE until CWR */
    bool ecn_cwr;                    /* as sender: CWR on the next new segment */
    bool ecn_hold;                   /* one segment of cwnd and ECE: wait for the timer (§6.1.2) */
    bool ecn_reacted;
    uint32_t ecn_point;              /* one reaction until this is acknowledged */

    /* Path MTU: RFC 1191, 8201, 5927 §7.2. */
    uint32_t pmtu;
    int64_t pmtu_raise_at_ns;
    uint32_t max_size_sent, max_size_acked, size_pending;
    uint32_t size_pending_seq;       /* when acknowledged, size_pending octets have got through */
    uint32_t ptb_mtu, ptb_seq;       /* a recorded, not yet honoured Packet Too Big; mtu 0: none */

    /* User timeout: RFC 5482. */
    int64_t user_timeout_ns;         /* 0: none but R2 */
    uint16_t uto_pending;            /* announcements still to send */

    /* Fast open: RFC 7413. */
    bool fastopen;                   /* this connection took data from a SYN, or sent it */
    bool fastopen_reply;             /* the SYN,ACK hands out a cookie */
    bool fastopen_request;           /* our SYN asks for one or shows one */
    uint32_t fastopen_syn_data;      /* octets our SYN carried */

    int64_t last_heard_ns;           /* for keep-alives */
    int64_t timer_at[REF_TIMER_COUNT];
    int64_t next_timer_at;           /* the earliest of them */
    uint32_t heap_index;             /* in the stack's timer heap, UINT32_MAX: not in it */
};

struct ref_segment { /* SEGMENT ARRIVES: the current segment, Table 4, trimmed as it is processed */
    const struct packet *packet;
    struct ref_tuple tuple;
    uint32_t seq, ack, wnd;          /* wnd in octets, once the connection's scale is known */
    uint32_t up;                     /* SEG.SEQ + SEG.UP: the urgent pointer as a sequence number */
    uint16_t flags;
    const uint8_t *text;
    uint32_t text_len;
    bool ce;                         /* IP says congestion experienced */
    struct pkt_options options;
};

static inline uint32_t ref_segment_len(const struct ref_segment *seg) /* SEG.LEN */
{
    return seg->text_len + ((seg->flags & PKT_SYN) ? 1u : 0u) + ((seg->flags & PKT_FIN) ? 1u : 0u);
}

struct ref_pmtu_entry { struct pkt_addr remote; uint32_t mtu; int64_t raise_at_ns; };

struct ref_fastopen_entry { /* the client's cache: RFC 7413 §4.1.3 */
    struct pkt_addr remote;
    uint8_t cookie_len, cookie[PKT_FASTOPEN_COOKIE_MAX];
    uint16_t mss;
    int64_t disabled_until_ns; /* a negative response */
    int64_t used_at_ns;
};

struct ref_queue { /* packets made, waiting for ref_output */
    uint8_t *bytes;
    size_t capacity, head, tail; /* records lie in [head, tail) */
};

struct ref_stack {
    struct ref_config config;
    int64_t now_ns;
    uint8_t key[16];                 /* of every keyed hash here; the purpose is hashed along */
    uint64_t random_counter;
    struct ref_socket **sockets;     /* by handle */
    uint32_t sockets_capacity, sockets_used;
    struct ref_listener *listeners;
    uint32_t listener_count;
    struct ref_tcb *connections;     /* uthash */
    struct ref_tcb *graveyard;
    struct ref_tcb *blocked_first, *blocked_last; /* have data for a full output queue */
    struct ref_tcb **heap;
    uint32_t heap_count, heap_capacity;
    struct ref_budget buffers;
    struct ref_queue queue;
    struct pkt_builder *builder;     /* made on first use */
    struct pkt_reassembler *reassembler;
    uint8_t *scratch;                /* one packet */
    struct ref_pmtu_entry *pmtu;     /* REF_PMTU_ENTRIES_MAX of them, made on first use */
    struct ref_fastopen_entry *fastopen;
    struct ref_report reports[REF_REPORTS_MAX];
    uint32_t report_first, report_count;
    struct ref_counters counters;
};

/* ---- host.c: addresses ------------------------------------------------------------------------------------------- */
bool ref_address_is_ours(const struct ref_stack *stack, const struct pkt_addr *addr);
/* Neither broadcast, multicast, unspecified nor loopback: an address one host can have (RFC 1122 §3.2.1.3). */
bool ref_address_is_unicast(const struct ref_stack *stack, const struct pkt_addr *addr);
const struct pkt_addr *ref_address_for(const struct ref_stack *stack, uint8_t version);
struct pkt_addr ref_address_map(const struct pkt_addr *addr);            /* 192.0.2.1 → ::ffff:192.0.2.1 */
/* And back; others are unchanged, but for octets that an IPv4 address does not have: they become zero, as addresses are hashed. */
struct pkt_addr ref_address_unmap(const struct pkt_addr *addr);
static inline uint32_t ref_headers_len(uint8_t version)
{
    return (version == 4 ? REF_IPV4_HEADER : REF_IPV6_HEADER) + REF_TCP_HEADER;
}

/* ---- secrets.c: keyed hashes ------------------------------------------------------------------------------------- */
enum ref_purpose { REF_PURPOSE_TABLE, REF_PURPOSE_ISN, REF_PURPOSE_TIMESTAMP, REF_PURPOSE_COOKIE, REF_PURPOSE_FASTOPEN,
                   REF_PURPOSE_FLOW_LABEL, REF_PURPOSE_RANDOM };
void ref_secrets_init(struct ref_stack *stack);
uint64_t ref_hash(const struct ref_stack *stack, enum ref_purpose purpose, const void *bytes, size_t len);
uint64_t ref_random(struct ref_stack *stack);
uint32_t ref_isn(const struct ref_stack *stack, const struct ref_tuple *tuple, int64_t now_ns); /* RFC 6528 §3 */
uint32_t ref_timestamp_offset(const struct ref_stack *stack, const struct ref_tuple *tuple);    /* RFC 7323 §7.1 */
uint32_t ref_flow_label(const struct ref_stack *stack, const struct ref_tuple *tuple);
static inline uint32_t ref_timestamp_clock(int64_t now_ns) { return (uint32_t)(now_ns / REF_CLOCK_GRANULARITY_NS); }

/* ---- tables.c: connections, listeners, sockets ------------------------------------------------------------------- */
struct ref_tcb *ref_tcb_find(const struct ref_stack *stack, const struct ref_tuple *tuple);
/* A new TCB in CLOSED, in the table. NULL: the bound is reached and nothing can be evicted, or no memory. */
struct ref_tcb *ref_tcb_new(struct ref_stack *stack, const struct ref_tuple *tuple, const struct ref_options *options);
/* Enter CLOSED, delete the TCB; error != 0: the application is told. */
void ref_tcb_close(struct ref_tcb *tcb, int error);
/* The socket lets go of a closed TCB. */
void ref_tcb_release(struct ref_tcb *tcb);
void ref_reap(struct ref_stack *stack);
void ref_tcb_destroy(struct ref_tcb *tcb); /* at the stack's end */
/* Takes an incarnation in TIME-WAIT out of the table in favour of a new one; NULL as for ref_tcb_new. */
struct ref_tcb *ref_tcb_replace(struct ref_tcb *time_wait, const struct ref_options *options);
/* The new one came to nothing: its TCB is deleted, TIME-WAIT goes on (or, if nothing was replaced, CLOSED). */
void ref_tcb_give_back(struct ref_tcb *tcb);
struct ref_listener *ref_listener_find(const struct ref_stack *stack, const struct pkt_endpoint *local);
void ref_accept_queue_push(struct ref_listener *listener, struct ref_tcb *tcb);
struct ref_tcb *ref_accept_queue_pop(struct ref_listener *listener);
void ref_leave_listener(struct ref_tcb *tcb);
void ref_report(struct ref_tcb *tcb, enum ref_report_kind kind, int64_t value);

/* ---- timers.c ---------------------------------------------------------------------------------------------------- */
void ref_timer_set(struct ref_tcb *tcb, enum ref_timer timer, int64_t at_ns);
void ref_timer_stop(struct ref_tcb *tcb, enum ref_timer timer);
void ref_timers_stop_all(struct ref_tcb *tcb);
static inline bool ref_timer_runs(const struct ref_tcb *tcb, enum ref_timer timer) { return tcb->timer_at[timer] != REF_NEVER; }
static inline void ref_timer_start(struct ref_tcb *tcb, enum ref_timer timer, int64_t at_ns) /* unless it runs */
{
    if (!ref_timer_runs(tcb, timer))
        ref_timer_set(tcb, timer, at_ns);
}

/* ---- queue.c: packets on their way out --------------------------------------------------------------------------- */
bool ref_queue_has_room(const struct ref_stack *stack);
/* Builds and queues; drops and counts when the queue is full. */
void ref_emit(struct ref_stack *stack, const struct pkt_spec *spec);
ssize_t ref_queue_take(struct ref_stack *stack, uint8_t *out, size_t capacity, int64_t *emitted_at_ns);

/* ---- calls.c: §3.10.1-§3.10.6, what segments and timers need of them --------------------------------------------- */
struct ref_socket *ref_socket_get(const struct ref_stack *stack, int handle);
struct ref_socket *ref_socket_new(struct ref_stack *stack, uint8_t ip_version, int *error);
void ref_socket_free(struct ref_stack *stack, struct ref_socket *socket);
struct ref_options ref_options_default(const struct ref_config *config);
static inline struct ref_options *ref_socket_options(struct ref_socket *socket)
{
    return socket->tcb ? &socket->tcb->options : &socket->options;
}
/* ABORT: <SEQ=SND.NXT><CTL=RST> where §3.10.5 asks for one, and CLOSED. */
void ref_tcb_abort(struct ref_tcb *tcb, int error);
/* The application's end of an active open: fills in the TCB and sends the SYN. */
void ref_tcb_open_active(struct ref_tcb *tcb, const uint8_t *data, uint32_t len);
uint32_t ref_send_room(const struct ref_tcb *tcb);

/* ---- segment_arrives.c: §3.10.7; listen.c, syn_sent.c, other_states.c -------------------------------------------- */
void ref_segment_arrives(struct ref_stack *stack, const struct packet *packet);
void ref_arrives_closed(struct ref_stack *stack, const struct ref_segment *seg);
void ref_arrives_listen(struct ref_stack *stack, struct ref_listener *listener, struct ref_segment *seg);
void ref_arrives_syn_sent(struct ref_tcb *tcb, struct ref_segment *seg);
void ref_arrives_other(struct ref_tcb *tcb, struct ref_segment *seg);
/* Table 6. */
bool ref_segment_acceptable(uint32_t rcv_nxt, uint32_t rcv_wnd, uint32_t seq, uint32_t len);
/* Passive OPEN meets SYN: a TCB in SYN-RECEIVED (nothing sent yet), or NULL when a bound is reached. */
struct ref_tcb *ref_listen_open(struct ref_stack *stack, struct ref_listener *listener, const struct ref_segment *syn,
                                uint32_t iss);
/* From SYN-RECEIVED or SYN-SENT, the handshake done. False: the accept queue is full, and the segment is dropped. */
bool ref_enter_established(struct ref_tcb *tcb);
void ref_enter_time_wait(struct ref_tcb *tcb);
/* Sixth to eighth, for text and control that came with a SYN as well. */
void ref_check_urg_text_fin(struct ref_tcb *tcb, struct ref_segment *seg);
/* Text and FIN are held until the connection is ESTABLISHED. */
void ref_hold_text(struct ref_tcb *tcb, struct ref_segment *seg);
void ref_challenge_ack(struct ref_tcb *tcb);

/* ---- acknowledge.c: the fifth check's ESTABLISHED part ----------------------------------------------------------- */
void ref_acknowledge(struct ref_tcb *tcb, const struct ref_segment *seg);
static inline bool ref_fin_acked(const struct ref_tcb *tcb) /* our FIN is sent, and everything is acknowledged */
{
    return tcb->fin_queued && tcb->snd_una == tcb->snd_data + tcb->snd_queued + 1;
}

/* ---- receive.c: seventh and eighth, and RECEIVE's side of the window (§3.8.6.2.2) -------------------------------- */
void ref_process_text(struct ref_tcb *tcb, struct ref_segment *seg);
void ref_check_fin(struct ref_tcb *tcb, struct ref_segment *seg);
void ref_take_held(struct ref_tcb *tcb);
uint32_t ref_receive_window(const struct ref_tcb *tcb); /* what may be offered now */
void ref_window_update(struct ref_tcb *tcb);            /* after RECEIVE: an ACK if the window opened enough */
static inline uint32_t ref_unread_seq(const struct ref_tcb *tcb) /* number of the first unread octet */
{
    return tcb->rcv_nxt - (tcb->fin_received ? 1u : 0u) - tcb->rcv_unread;
}

/* ---- output.c: §3.7, §3.8, when to send; segment.c: what goes on the wire ---------------------------------------- */
void ref_tcp_output(struct ref_tcb *tcb);
void ref_output_unblock(struct ref_stack *stack);
void ref_arm_timers(struct ref_tcb *tcb);
uint32_t ref_eff_mss(const struct ref_tcb *tcb);         /* Eff.snd.MSS without SACK blocks */
void ref_send_syn(struct ref_tcb *tcb, bool with_data);
void ref_send_syn_ack(struct ref_tcb *tcb);
void ref_send_ack(struct ref_tcb *tcb);                  /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
void ref_send_probe(struct ref_tcb *tcb, uint32_t seq);  /* an empty segment with this SEQ: keep-alive */
/* Up to len octets of the stream from seq on, and the FIN when it follows; advances SND.NXT. Returns the sequence space used. */
uint32_t ref_send_data(struct ref_tcb *tcb, uint32_t seq, uint32_t len, bool may_fin);
void ref_send_reset(struct ref_tcb *tcb);                /* <SEQ=SND.NXT><CTL=RST> */
void ref_send_reset_reply(struct ref_stack *stack, const struct ref_segment *seg); /* §3.5.2 */
uint32_t ref_data_room(const struct ref_tcb *tcb);       /* octets of text that fit into a segment sent now */
static inline uint32_t ref_data_end(const struct ref_tcb *tcb) { return tcb->snd_data + tcb->snd_queued; }
/* Number after the last octet, FIN included, that is to be sent. */
static inline uint32_t ref_stream_end(const struct ref_tcb *tcb) { return ref_data_end(tcb) + (tcb->fin_queued ? 1u : 0u); }
static inline bool ref_syn_unacked(const struct ref_tcb *tcb) { return !tcb->syn_acked; } /* not SND.UNA = ISS: numbers come round */

/* ---- options.c: options of arriving and leaving segments --------------------------------------------------------- */
void ref_options_from_syn(struct ref_tcb *tcb, const struct ref_segment *syn);
void ref_put_syn_options(const struct ref_tcb *tcb, bool is_syn_ack, struct pkt_option_buffer *out);
void ref_put_options(struct ref_tcb *tcb, bool with_sack, bool consume, struct pkt_option_buffer *out);
uint32_t ref_tsval(const struct ref_tcb *tcb);
uint16_t ref_announced_mss(const struct ref_stack *stack, uint8_t version, const struct ref_options *options);
uint8_t ref_window_shift(uint32_t receive_buffer);
bool ref_paws_rejects(const struct ref_tcb *tcb, const struct ref_segment *seg);       /* RFC 7323 §5.3 R1 */
void ref_paws_update(struct ref_tcb *tcb, const struct ref_segment *seg);              /* R3 */
void ref_user_timeout_received(struct ref_tcb *tcb, uint16_t value);                   /* RFC 5482 §3.1 */

/* ---- congestion.c: RFC 5681, 6582, 3042, 3168 -------------------------------------------------------------------- */
void ref_cc_established(struct ref_tcb *tcb);
void ref_cc_ack(struct ref_tcb *tcb, uint32_t acked, uint32_t flight_before);
void ref_cc_duplicate_ack(struct ref_tcb *tcb);
void ref_cc_timeout(struct ref_tcb *tcb);
void ref_cc_go_back(struct ref_tcb *tcb);                /* resend everything outstanding, no congestion */
void ref_cc_before_send(struct ref_tcb *tcb);            /* restart after idle */
void ref_cc_ecn_echo(struct ref_tcb *tcb, uint32_t ack);
/* How many octets congestion control lets out now. */
uint32_t ref_cc_room(const struct ref_tcb *tcb);
static inline uint32_t ref_flight(const struct ref_tcb *tcb) /* FlightSize: the SYN does not count */
{
    return tcb->snd_nxt - tcb->snd_una - (ref_syn_unacked(tcb) ? 1u : 0u);
}

/* ---- sack.c: RFC 6675's scoreboard; RFC 2018 and 2883's blocks --------------------------------------------------- */
bool ref_sack_received(struct ref_tcb *tcb, const struct ref_segment *seg); /* true: it told something new */
bool ref_sack_is_lost(const struct ref_tcb *tcb, uint32_t seq);
uint32_t ref_sack_pipe(const struct ref_tcb *tcb);
enum ref_sack_rule { REF_SACK_RULE_1 = 1, REF_SACK_RULE_3 = 3, REF_SACK_RULE_4 = 4 };
/* NextSeg(): where rule says to retransmit; false when it says nothing. */
bool ref_sack_next(const struct ref_tcb *tcb, enum ref_sack_rule rule, struct ref_range *out);
/* What a segment tells about what we hold: blocks in the order of RFC 2018 §4, a D-SACK first. */
unsigned ref_sack_blocks(const struct ref_tcb *tcb, uint32_t (*out)[2], unsigned max);
void ref_sack_note_arrival(struct ref_tcb *tcb, uint32_t seq);
void ref_sack_note_duplicate(struct ref_tcb *tcb, uint32_t left, uint32_t right);

/* ---- syncookie.c: RFC 4987 §3.6 ---------------------------------------------------------------------------------- */
void ref_syncookie_send(struct ref_stack *stack, const struct ref_segment *syn, struct ref_listener *listener);
/* A TCB in SYN-RECEIVED from an ACK whose number is a valid cookie; NULL when it is none. */
struct ref_tcb *ref_syncookie_open(struct ref_stack *stack, const struct ref_segment *ack, struct ref_listener *listener);

/* ---- fastopen.c: RFC 7413 ---------------------------------------------------------------------------------------- */
bool ref_fastopen_accepts(struct ref_stack *stack, struct ref_listener *listener, const struct ref_segment *syn);
bool ref_fastopen_enabled(const struct ref_stack *stack, const struct ref_listener *listener);
void ref_fastopen_cookie(const struct ref_stack *stack, const struct ref_tuple *tuple, int64_t age,
                         uint8_t out[REF_FASTOPEN_COOKIE_LEN]);
const struct ref_fastopen_entry *ref_fastopen_cached(struct ref_stack *stack, const struct pkt_addr *remote);
void ref_fastopen_remember(struct ref_tcb *tcb, const struct ref_segment *syn_ack);
void ref_fastopen_negative(struct ref_tcb *tcb);
void ref_fastopen_penalty(struct ref_listener *listener, int64_t now_ns);

/* ---- icmp.c, pmtu.c ---------------------------------------------------------------------------------------------- */
void ref_icmp_arrives(struct ref_stack *stack, const struct packet *packet);
uint32_t ref_pmtu_for(struct ref_stack *stack, const struct pkt_addr *remote, int64_t *raise_at_ns);
void ref_pmtu_too_big(struct ref_tcb *tcb, const struct packet *quoted, uint32_t mtu);
void ref_pmtu_acked(struct ref_tcb *tcb);
void ref_pmtu_sent(struct ref_tcb *tcb, uint32_t size, uint32_t seq_end);
void ref_pmtu_timed_out(struct ref_tcb *tcb);

/* ---- timeouts.c: §3.10.8 ----------------------------------------------------------------------------------------- */
void ref_timer_fired(struct ref_tcb *tcb, enum ref_timer timer);
void ref_user_timer_arm(struct ref_tcb *tcb);
void ref_keepalive_arm(struct ref_tcb *tcb);
void ref_heard(struct ref_tcb *tcb); /* something came from the peer: it is alive */

#endif

/* The judge: does RFC 9293 permit what this endpoint just sent, or failed to send?
 *
 * One judge watches one endpoint of one pair of endpoints: the implementation under test (IUT) on one side, its peer on the other.
 * It is told what goes in (segments and ICMP towards the IUT), what comes out, what the application does, and the time; it never
 * sees inside. It reports *findings*: which rule (rules.h) was broken by which segment, what was permitted instead, and how the
 * closest explanation failed.
 *
 * How it stays sound, and why it is bounded: see the theory of operation at the top of judge.c and docs/model.md.
 *
 * Words of RFC 9293 (SND.UNA, RCV.NXT …) are meant as seen from the IUT. Times are ns on one clock that never goes backwards
 * between calls, but for the `earliest` of an output. Segments are known by an index that the caller chooses (the number in a
 * trace, the frame in a capture; 0 is none). A judge keeps copies of what it needs; nothing given to it must outlive the call. Not
 * thread-safe; judges share nothing but their host.
 */
#ifndef TCPASSAY_MODEL_JUDGE_H
#define TCPASSAY_MODEL_JUDGE_H

#include "engine/model/coverage.h"
#include "engine/model/octets.h"
#include "engine/model/portrait.h"
#include "engine/model/reactions.h"
#include "engine/model/rules.h"
#include "engine/packet/packet.h"
#include "engine/packet/state.h"

/* ---- what is known about the endpoint -------------------------------------------------------------------------- */

enum judge_link {
    JUDGE_SYNCHRONOUS, /* what an input causes at once is seen before the next input: targets in process, TAP */
    JUDGE_ORDERED,     /* nothing is lost or overtaken, but an output may have left before the last inputs arrived */
    JUDGE_LOSSY,       /* a capture: inputs may be lost or overtaken behind it, outputs before it, and it may miss either */
};

enum { JUDGE_CHALLENGES_MAX = 10 };

/* What all judges of one host share. The caller owns it, fills it in, and keeps it as long as its judges. */
struct judge_host {
    enum judge_link link;
    bool application_known;        /* every call of the application is told; else it may do anything at any time */
    bool offload;                  /* a capture may show packets before segmentation and checksums were done (or after they were merged) */
    uint16_t mtu;                  /* of the link at the IUT, 0 when unknown */
    int64_t granularity_ns;        /* a timer of the IUT may fire this much late (absolute part) … */
    uint32_t granularity_permille; /* … plus this share of its length */
    int64_t latency_ns;            /* an immediate reaction is seen within this time */
    bool pressed;                  /* half-open connections or SYNs beyond a listener's backlog: it may keep silent to a SYN, or use cookies */
    int64_t challenges_ns[JUDGE_CHALLENGES_MAX]; /* filled in by the judges: when segments came that may be attacks (RFC 5961 §7) */
    unsigned challenge_count;
    bool timers_configured;        /* retries, retransmission or keep-alive times are not the stack's own: none of its defaults is judged */
    struct octets_store octets;    /* memory for octets compared later, zero at first; what it holds is filled in by the judges */
    struct coverage coverage;      /* filled in by the judges */
    struct portrait portrait;      /* filled in by the judges */
    struct reactions *reactions;   /* where judges count (state, event, reaction) tuples; NULL: nowhere, as in a capture. The caller's */
};

/* ---- findings -------------------------------------------------------------------------------------------------- */

enum judge_need { /* what must be true of a capture for a finding to hold; the caller decides at its end (see evidence) */
    JUDGE_NEEDS_COMPLETE = 1u << 0, /* the capture missed no packet */
    JUDGE_NEEDS_ORDER = 1u << 1,    /* no packet of this direction overtook another before the capture */
    JUDGE_NEEDS_UNIQUE = 1u << 2,   /* the network doubled no packet */
};

struct judge_finding { /* texts live until the report returns */
    enum rule_id rule;
    const char *requirement;       /* the id in the catalogue that is violated */
    enum requirement_level level;
    int64_t at_ns;
    uint32_t segment;              /* the offending one, or, of a silence, the one that was not answered; 0: none */
    unsigned needs;                /* enum judge_need; 0 on a link that is not lossy */
    const char *message;           /* a sentence: "acknowledges data that was never sent: ACK 1461, but only 1..1001 has come" */
    const char *permitted;         /* all alternatives */
    const char *observed;          /* the segment as the scenario language writes it, or "nothing" */
    uint8_t state, event;          /* where reactions are counted: the tuple at hand (reactions.h) */
};
typedef void judge_report(void *context, const struct judge_finding *finding);

/* ---- a judge --------------------------------------------------------------------------------------------------- */

struct judge_config {
    struct judge_host *host;
    struct pkt_endpoint iut, peer;
    unsigned states;               /* where the IUT may be: a bit (1u << state) each. 0: anywhere (a capture that begins here). Only where no
                                      connection is, CLOSED or LISTEN, is everything judged: else its numbers are not known */
    judge_report *report;
    void *context;
};

struct judge;
struct judge *judge_new(const struct judge_config *config); /* NULL: out of memory */
void judge_free(struct judge *judge);
/* The same in memory of the caller, who frees it after judge_clear(): judge_memory_len() octets, zeroed, aligned for anything. */
size_t judge_memory_len(void);
struct judge *judge_place(void *memory, const struct judge_config *config);
void judge_clear(struct judge *judge);
/* judge_clear() and judge_place() in one, which keeps what the judge has allocated. Not for captures. */
void judge_again(struct judge *judge, const struct judge_config *config);
/* Has the processor get what it will need of a judge in a capture (JUDGE_LOSSY) for its next segment. */
void judge_prefetch(const void *judge);

/* The peer's packet went towards the IUT: TCP of this pair, or ICMP that quotes it. bytes of a capture may be cut short: whole is
 * false, then no checksum or content is judged. */
void judge_input(struct judge *judge, const struct packet *packet, bool whole, int64_t at_ns, uint32_t index);
/* The IUT emitted a segment of this pair, at some time between earliest_ns and at_ns. */
void judge_output(struct judge *judge, const struct packet *packet, bool whole, int64_t earliest_ns, int64_t at_ns, uint32_t index);

enum judge_call_kind {
    JUDGE_CALL_LISTEN,      /* a passive OPEN now covers this pair */
    JUDGE_CALL_UNLISTEN,    /* the listener is gone: its connections not yet accepted may be reset */
    JUDGE_CALL_CONNECT,     /* active OPEN */
    JUDGE_CALL_ACCEPT,      /* the application has the connection */
    JUDGE_CALL_SEND,        /* amount octets were taken: data when it is not NULL; name: NULL, "MSG_OOB" (urgent) or "MSG_MORE" */
    JUDGE_CALL_RECEIVE,     /* amount octets were given to the application; 0: it was told of the peer's FIN */
    JUDGE_CALL_SHUTDOWN,    /* no more SENDs (shutdown SHUT_WR): a half-close */
    JUDGE_CALL_CLOSE,       /* close(): neither SENDs nor RECEIVEs */
    JUDGE_CALL_ABORT,       /* close() with SO_LINGER 0, or the like */
    JUDGE_CALL_ERROR,       /* the application was told of an error (amount: errno): reset, refused, timed out … */
    JUDGE_CALL_OPTION,      /* name and amount: "TCP_NODELAY", "TCP_CORK", "SO_KEEPALIVE", "TCP_KEEPIDLE", "TCP_USER_TIMEOUT", …; "SHUT_RD" */
};
struct judge_call {
    enum judge_call_kind kind;
    int64_t amount;
    const uint8_t *data;
    const char *name;
};
void judge_call(struct judge *judge, const struct judge_call *call, int64_t at_ns);

/* The IUT itself has told its state (STATUS). */
void judge_state(struct judge *judge, enum tcp_state state, int64_t at_ns);
/* It is now_ns: obligations that ran out are found. On a link that is not lossy, call it at least before each input and at the
 * end; judge_deadline() says when it would find something next (INT64_MAX: never). */
void judge_time(struct judge *judge, int64_t now_ns);
int64_t judge_deadline(const struct judge *judge);
/* The IUT has just answered something (an echo) that was sent after every input so far, on a link in order: what it owes at once,
 * it owes no longer. */
void judge_fence(struct judge *judge, int64_t now_ns);
/* Is a reaction due at once that has not come? */
bool judge_owes(const struct judge *judge);
/* Nothing more will come: what only the end can decide is decided. */
void judge_end(struct judge *judge, int64_t now_ns);

/* How many connections have begun between the two endpoints so far. */
unsigned judge_lives(const struct judge *judge);
/* The states the IUT may be in now, a bit each. */
unsigned judge_states(const struct judge *judge);
/* Why nothing more is judged here ("hypotheses beyond the bound …"), or NULL. */
const char *judge_inconclusive(const struct judge *judge);
/* What in this capture contradicts completeness or order, enum judge_need: findings with such a need do not hold. Packets that
 * are themselves the subject of a finding do not count. */
unsigned judge_evidence(const struct judge *judge);
/* No record is held at the IUT any more (CLOSED is the only state left, or TIME-WAIT has run out): the caller may free the judge.
 */
bool judge_is_over(const struct judge *judge, int64_t now_ns);

#endif

/* Inside a judge: the state that its parts share. Included by engine/model's own files and its fuzz harness only.
 *
 *   judge.c      life cycle, the order of things, the set of hypotheses     facts.c    what both sides have put on the wire
 *   arrival.c    SEGMENT ARRIVES (§3.10.7): what may and must follow        emission.c which hypotheses explain an output
 *   call.c       the calls of the application (§3.10.1-6)                   finding.c  from a broken rule to words
 *   header.c     checksum, reserved bits, header fields of an output        options.c  negotiation, MSS, window scale, fast open
 *   timestamps.c RFC 7323 §3-5                                              sack.c     RFC 2018, 2883
 *   ecn.c        RFC 3168                                                   content.c  the octets: retransmissions, SENDs
 *   timing.c     RFC 6298, persist, delayed ACK, keep-alive: when           icmp.c     RFC 5927, 5461, 1191, 8201
 *   choices.c    which of two permitted reactions: for the portrait         reactions.c for fuzzers: what was done in answer to
 * what
 *
 * Each part that watches has two or three functions, called in the order of judge.c: PART_input (facts still as before this
 * segment), PART_output (likewise: facts of everything before this segment), PART_time. A part keeps its own state in its own
 * struct within struct judge, reads everybody's facts, and changes none but its own.
 */
#ifndef TCPASSAY_MODEL_INSIDE_H
#define TCPASSAY_MODEL_INSIDE_H

#include "engine/model/judge.h"
#include "engine/packet/seq.h"

/* ---- a segment being judged ------------------------------------------------------------------------------------ */

struct segment { /* TCP, in either direction */
    const struct packet *packet;
    const struct pkt_tcp *tcp;   /* = &packet->tcp */
    struct pkt_options options;  /* read once */
    bool whole;                  /* not cut short by the capture */
    bool odd;                    /* an option of illegal length, or a signature: it may be dropped (MUST-7, RFC 2385, RFC 5925) */
    bool valid;                  /* an input: the IUT can be expected to take it as TCP (checksums right, header sound) */
    bool ack_doubtful;           /* it acknowledges what was not seen (a capture): not to be learned from */
    int64_t earliest_ns, at_ns;  /* the same for inputs */
    uint32_t index;
    uint32_t seq, len, end;      /* SEG.SEQ, SEG.LEN with SYN and FIN, SEG.SEQ + SEG.LEN */
};

/* ---- what one side has put on the wire in this incarnation of the connection (facts.c) --------------------------- */

enum { FACTS_RANGES_MAX = 16, FACTS_ODD_FINS_MAX = 4 };
struct range { uint32_t left, right; };

struct offer { /* of the side's SYN or SYN-ACK */
    bool seen;                   /* the SYN itself was seen: else nothing is known of the options */
    bool unsure;                 /* another SYN offered other things, and nobody knows which was answered */
    bool has_mss, has_wscale, sack_permitted, has_timestamp, has_fastopen, ecn_setup;
    uint16_t mss;
    uint8_t wscale;              /* at most 14: larger ones count as 14 (RFC 7323 §2.3) */
};

struct side {
    bool known;                  /* anything was seen: the numbers mean something */
    bool begun;                  /* its SYN was seen: iss is known */
    uint32_t iss;                /* ISS of the IUT, IRS of the peer */
    uint32_t start;              /* where the stream begins for us: iss, or the first number seen */
    uint32_t gapless;            /* everything from start to here was seen */
    uint32_t nxt;                /* the highest SEG.SEQ + SEG.LEN */
    struct range ranges[FACTS_RANGES_MAX]; /* seen beyond gapless, ascending, apart from each other */
    unsigned range_count;
    bool ranges_full;            /* some were forgotten */
    bool fin_seen;
    uint32_t fin;                /* SEG.SEQ of the FIN */
    bool ack_known;
    uint32_t ack;                /* the highest SEG.ACK sent */
    uint32_t edge;               /* the highest right edge granted: SEG.ACK + (SEG.WND << scale) */
    uint32_t window;             /* of the last segment, scaled */
    uint32_t window_max;         /* the largest ever: MAX.SND.WND of the other side */
    struct offer offer;
    bool ts_known;
    uint32_t ts_val_max;         /* the highest TSval */
    uint64_t segments;
    uint32_t last_index;
    int64_t live_ns;             /* when the last segment but RSTs came */
    uint32_t odd_fins[FACTS_ODD_FINS_MAX]; /* FINs with text behind them, or another FIN elsewhere */
    unsigned odd_fin_count;
    bool odd_fins_full;          /* some were forgotten */
};

/* The scale in force for windows of this side in segments without SYN (RFC 7323 §2.2: both must have sent the option). -1: not
 * known, since a SYN was missed. */
int facts_scale(const struct side *of, const struct side *other);
/* Both sides have sent the option. unknown: a SYN was missed. */
enum agreed { AGREED_NO, AGREED_YES, AGREED_UNKNOWN };
enum agreed facts_sack(const struct side *a, const struct side *b);
enum agreed facts_timestamps(const struct side *a, const struct side *b);
/* Was all of [left, right) seen from this side? */
bool facts_covers(const struct side *side, uint32_t left, uint32_t right);
/* Takes a segment into account. */
void facts_note(struct side *side, const struct side *other, const struct segment *segment);
void facts_reset(struct side *side);

/* ---- hypotheses (judge.c) ---------------------------------------------------------------------------------------- */

/* A reaction that must still come. */
enum due_kind { DUE_ACK, DUE_SYN_ACK, DUE_RST, DUE_FIN };
struct due {
    enum due_kind kind;
    enum rule_id rule;           /* broken when it does not come */
    int64_t deadline_ns;
    uint32_t cause;              /* index of the input it answers; 0: a call */
    uint32_t seq, ack;           /* RST: its numbers; ACK: acknowledges at least ack */
    bool has_ack;                /* RST: with ACK */
    bool loose;                  /* RST: any of the numbers that RFC 9293 §3.5.2 gives, or SND.NXT */
    bool at_once;                /* not bound to a timer: overdue as soon as the IUT has answered anything later */
};
enum { HYPOTHESIS_DUES_MAX = 4, HYPOTHESES_MAX = 16 };

struct hypothesis { /* one possible situation of the IUT; numbers are bounds, both inclusive */
    uint8_t state;               /* enum tcp_state */
    bool passive;                /* came from LISTEN */
    bool reopened;               /* SYN-RECEIVED while an older connection was, or may have been, there: judge.candidate is its peer's SYN */
    bool faded;                  /* no connection, but only because the one that was being opened may have been given up unseen */
    uint8_t due_count;
    uint32_t rcv_nxt_low, rcv_nxt_high;
    uint32_t snd_una_low, snd_una_high;
    struct due dues[HYPOTHESIS_DUES_MAX]; /* in order of their causes */
};

struct hypotheses {
    unsigned count;
    struct hypothesis of[HYPOTHESES_MAX];
};

/* Adds one; joined with another of the same state and obligations (the hull of their bounds), so that there are never more than a
 * few. */
void hypotheses_add(struct judge *j, struct hypotheses *set, const struct hypothesis *h);
void hypotheses_copy(struct hypotheses *to, const struct hypotheses *from);
/* A bit for each state. */
unsigned hypotheses_states(const struct hypotheses *set);

/* ---- the application, as told (call.c) --------------------------------------------------------------------------- */

struct application {
    bool listening, connecting, accepted, shut, closed, aborted, unlistened, error_told, no_delay, corked, keep_alive, linger_zero,
         deaf,                   /* no more RECEIVEs (shutdown SHUT_RD) */
         buffer_changed;         /* while a window was advertised, which may have become too large */
    uint64_t sent;               /* octets taken from it */
    uint64_t received;           /* octets given to it */
    bool fin_told;
    int64_t closed_ns;
};

enum { JUDGE_REPLIES_MAX = 8 };

/* ---- watching parts: their own state ------------------------------------------------------------------------------ */

#include "engine/model/parts.h"

struct judge { /* what a capture needs of it for each segment comes first, so that it lies together in memory */
    struct judge_host *host;
    int64_t now_ns, last_input_ns, last_output_ns;
    struct side in, out;         /* the peer's side of the wire, and the IUT's */
    unsigned evidence;           /* enum judge_need */
    bool blind;                  /* which connection there is nobody can tell any more: segments are judged by nothing but their headers */
    bool found;                  /* the segment at hand has broken a rule: it teaches nothing */
    bool disturbed;              /* a finding has shown that the IUT is not where it should be, or nobody can tell where it is: from now on
                                    segments are judged by themselves only */
    bool reset;                  /* the connection ended by a RST from the peer */
    bool last_input_was_rst, last_input_without_ack; /* of a segment that was sound */
    bool cut_short;              /* more situations than the bound allows */
    uint32_t last_input_index;
    unsigned reply_count;        /* ever; the last JUDGE_REPLIES_MAX are kept */
    struct reply { uint32_t seq, ack; bool has_ack; } replies[JUDGE_REPLIES_MAX]; /* RSTs that the last inputs may be answered with */
    struct lossy_watch lossy;
    struct options_watch options;
    struct timestamps_watch timestamps;
    struct sack_watch sack;
    struct ecn_watch ecn;
    struct content_watch content;

    struct pkt_endpoint iut, peer;
    judge_report *report;
    void *context;
    struct hypotheses *now, *before; /* before: as they were before the last input. In a capture: anything, and never changed */
    struct side *candidate;      /* of a peer's SYN that may begin a new incarnation while the old one is still there; else NULL */
    uint32_t ts_recent;          /* TS.Recent is at least this … */
    int64_t ts_recent_ns;        /* … since then */
    bool ts_recent_known, unicast;
    bool snd_edge_known;
    uint32_t snd_edge;           /* SND.UNA + SND.WND is at least this … */
    uint32_t snd_wl1;            /* … and SND.WL1 at most this */
    uint32_t snd_wnd_most;       /* SND.WND is at most this */
    uint32_t max_snd_wnd;        /* MAX.SND.WND (RFC 5961 §5.2) is at least this */
    bool from_time_wait;         /* this incarnation began in the TIME-WAIT of the one before */
    bool reacting;               /* nothing has happened since the last input: it may still be in processing */
    bool received_since_output;  /* the application has taken data since the last output: the window may have grown */
    int64_t challenged_ns, challenged_before_ns; /* when an ACK last answered what might be an attack, and before the input at hand; 0: never */
    int64_t progress_ns;         /* the last input that was taken */
    struct { bool set; uint8_t state; enum rule_id rule; uint32_t cause; } unanswered; /* the obligation that went by while another
                                    situation was left, and the state that had it */
    struct application app;
    unsigned lives;              /* incarnations begun */
    uint32_t reported[2][(RULE_COUNT + 31) / 32]; /* rules already reported here, for certain and with needs: one finding a rule is enough */
    struct calls_watch calls;
    struct timing_watch timing;
    struct choices_watch choices;
    struct icmp_watch icmp;
    struct reaction_watch reaction;
};

static inline bool judge_is_lossy(const struct judge *j) { return j->host->link == JUDGE_LOSSY; }
static inline bool judge_is_exact(const struct judge *j) { return j->host->link == JUDGE_SYNCHRONOUS && !j->disturbed; }

/* ---- finding.c ----------------------------------------------------------------------------------------------------- */

/* The rule's condition has come true. */
static inline void judge_tested(struct judge *j, enum rule_id rule) { j->host->coverage.tested[rule]++; }
/* The rule is broken by the segment. permitted: all alternatives, in words; the format tells what is wrong, after
 * the rule's violation text: "ACK 1461, but only 1..1001 has come". needs counts on a lossy link only. */
void judge_find(struct judge *j, enum rule_id rule, const struct segment *segment, unsigned needs, const char *permitted,
                const char *format, ...) __attribute__((format(printf, 6, 7)));
/* The same of an input that was not answered. */
void judge_find_silence(struct judge *j, enum rule_id rule, uint32_t cause, int64_t at_ns, const char *permitted,
                        const char *format, ...) __attribute__((format(printf, 6, 7)));
/* The same of an earlier segment, described when it came. */
void judge_find_later(struct judge *j, enum rule_id rule, uint32_t index, int64_t at_ns, unsigned needs, const char *permitted,
                      const char *observed, const char *format, ...) __attribute__((format(printf, 8, 9)));
/* A number of this side as a person reads it: relative to its ISS where that is known ("1461"), else absolute. */
enum { NUMBER_TEXT_MAX = 24 };
const char *side_number(const struct side *side, uint32_t number, char out[static NUMBER_TEXT_MAX]);

/* The latest time for something that is due after length_ns at the latest, counted from from_ns: granularity and latency included.
 */
int64_t judge_latest(const struct judge *j, int64_t from_ns, int64_t length_ns);

/* ---- reactions.c: nothing of it where nobody wants it -------------------------------------------------------------- */

static inline bool reactions_wanted(const struct judge *j) { return j->host->reactions; }
void reactions_input(struct judge *j, const struct segment *s);
void reactions_icmp(struct judge *j);
void reactions_call(struct judge *j, const struct judge_call *call);
void reactions_output(struct judge *j, const struct segment *s);
void reactions_settle(struct judge *j); /* nothing follows at once: the tuple at hand is complete */

/* ---- the machine: judge.c, arrival.c, emission.c, call.c ------------------------------------------------------------ */

bool judge_may_be(const struct judge *j, enum tcp_state state);
/* All hypotheses are in one of these states (a bit each). */
bool judge_must_be(const struct judge *j, unsigned states);
/* Where a connection that is gone leaves the pair: LISTEN behind a listener, else CLOSED; both where nobody tells. */
void judge_add_gone(struct judge *j, struct hypotheses *set, const struct hypothesis *h);
/* The furthest that the peer's window may reach. An ACK of something new moves it even where SND.WL1 says that the window in it is
 * older than the one in force (§3.10.7.4). */
uint32_t judge_send_edge_most(const struct judge *j);
/* By now the connection may be gone, unseen: the hypotheses of that are added. */
void judge_let_die(struct judge *j, int64_t now_ns);
/* Counts what has become of a single state by the event, where both are certain. */
void judge_count_transition(struct judge *j, unsigned from, enum model_event event);
/* So many challenge ACKs were due in the last seconds that RFC 5961 §7 lets the host leave out one; counts this one. */
bool judge_host_throttles(struct judge_host *host, int64_t now_ns);
/* A segment with everything read. */
void judge_read_segment(struct segment *s, const struct packet *packet, bool whole, int64_t earliest_ns, int64_t at_ns,
                        uint32_t index);

/* What has become of a segment, as far as it is known. */
struct fate {
    bool taken;                  /* it may have been processed beyond its acceptability … */
    bool doubted;                /* … but may as well have been refused */
};
/* Everything that may follow from the segment in this situation. */
void arrive(struct judge *j, const struct hypothesis *h, const struct segment *s, struct hypotheses *next, struct fate *fate);
void due_add(struct hypothesis *h, const struct due *due);

/* Why a hypothesis does not explain an output. The later a check comes, the closer the explanation was. */
struct misfit {
    enum rule_id rule;
    unsigned depth;
    enum tcp_state state;
    uint32_t low, high;          /* what was permitted, of sequence or acknowledgment numbers, where the rule is about one */
};
/* Adds what follows from the output, or says why it is not explained. */
bool emit(struct judge *j, const struct hypothesis *h, const struct segment *s, struct hypotheses *next, struct misfit *misfit);
/* RFC 9293 §3.8.6: the right edge of the window does not move back (SHLD-14). */
void emit_judge_window(struct judge *j, const struct segment *s);
void emit_report(struct judge *j, const struct segment *s, const struct misfit *misfit);

/* ---- lossy.c: the same for a capture, where hypotheses would be too wide to say much: what the facts of both sides forbid ---- */

/* Does the segment belong to the connection at hand (after beginning a new one, if it does that)? */
bool lossy_begin_input(struct judge *j, const struct segment *s);
bool lossy_begin_output(struct judge *j, const struct segment *s);
void lossy_input(struct judge *j, struct segment *s); /* likewise */
/* Sent after everything else seen: it acknowledges no less than anything before. */
bool lossy_is_newest(const struct judge *j, const struct segment *s);
/* May turn *s into what is to be learned from it, when its numbers are wrong. False: nothing. */
bool lossy_output(struct judge *j, struct segment *s);
void lossy_end(struct judge *j, int64_t now_ns);
void lossy_release(struct judge *j);

/* judge.c: a new incarnation of the connection: everything about the old one is forgotten. */
void judge_begin_incarnation(struct judge *j);
/* Keeps what a peer's SYN says, for the case that it begins a new incarnation. */
void judge_note_candidate(struct judge *j, const struct segment *s);

#endif

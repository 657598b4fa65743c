/* Inside a player: the state that its parts share. Included by engine/runner's own files, and by engine/fuzz/play*.c, which play
 * octets on the same parts.
 *
 *   player.c   life cycle, arrival of packets, running                   steps.c    one function a kind of step
 *   expect.c   expectations: windows of time, passing over, misses      call.c     sockets calls: when to try, what to make of it
 *   match.c    one segment against one pattern                          sockets.c  the calls themselves
 *   craft.c    a pattern into a packet, overrides, fragments            link.c     what the link records, loses, delays
 *   eval.c     expressions                                              verdict.c  from a broken expectation to a verdict
 *   places.c   endpoints on their ports                                 judging.c  the model, told all that happens
 *   endpoint.c, trace.c
 */
#ifndef TCPASSAY_RUNNER_PLAY_H
#define TCPASSAY_RUNNER_PLAY_H

#include "engine/runner/endpoint.h"
#include "engine/runner/player.h"
#include "engine/runner/trace.h"

enum {
    PLAYER_FINDINGS_MAX = 8, PLAYER_NEVERS_MAX = 16, PLAYER_LINK_RULES_MAX = 128, PLAYER_HELD_MAX = 64, PLAYER_FDS_MAX = 256,
    PLAYER_ENDPOINTS_MAX = PLAYER_PORTS, PLAYER_CAUSE_MAX = 640, PLAYER_INBOX_MAX = 100000,
};

struct interval { int64_t earliest, latest; }; /* ns on the target's clock */

struct seen { /* a packet of the IUT, in order of arrival */
    struct packet packet;     /* points into bytes */
    uint8_t *bytes;
    struct interval at;
    struct endpoint *endpoint;
    uint32_t index;           /* in the trace */
};

enum frame_kind { FRAME_BLOCK, FRAME_REPEAT, FRAME_NEVER };
struct frame {
    enum frame_kind kind;
    const struct scn_block *block;
    unsigned pc;
    int64_t iteration, times; /* FRAME_REPEAT */
    int slot;
};

struct never { /* patterns that must not come while a block runs */
    const struct scn_step *step;
    unsigned depth;           /* of the frame stack when it was entered */
};

struct link_rule { enum scn_link_event event; bool inbound; int64_t nth, delay_ns; };
struct held { /* a packet that the link keeps back */
    bool inbound;             /* towards the IUT */
    bool until_next;          /* reorder: until the next of its direction, else until due */
    int64_t due_ns;
    uint8_t *bytes;
    size_t len;
    uint32_t index;           /* in the trace, of the IUT's packets */
};

struct arrival { /* a packet of the IUT that was read but has not gone through the link yet */
    uint8_t *bytes;       /* capacity octets, used again by the next one that has this place */
    size_t len, capacity;
    struct interval at;
    uint32_t index;
};

struct descriptor { /* a script's number for a socket of the IUT */
    int64_t number;
    int handle;
    bool open, nonblocking;
    struct endpoint *endpoint; /* of a connection, once known */
    uint64_t read_bytes;       /* consumed so far: the place in the tester's stream … */
    unsigned tester_stream;    /* … and which of its endpoint's that is */
    uint64_t written_bytes;    /* the place in its own stream */
    struct pair *pair;         /* judging.c: the connection, once known … */
    unsigned life;             /* … and which of those that its endpoints have had, as judge_lives() counts */
    uint16_t bound_port;
    bool linger_zero, opens_fast, connect_deferred; /* SO_LINGER {1, 0}; TCP_FASTOPEN_CONNECT; its SYN waits for data */
    bool connect_untold;       /* connect() said EINPROGRESS; the next one may tell what came of it */
};

struct pending_call {
    const struct scn_step *step;
    struct interval begun;
    int64_t due_ns;            /* the result must be there by then; INT64_MAX until somebody waits for it */
    int64_t done_bytes;        /* of a write that goes on */
    bool connecting;
    enum scn_phase phase;
    int64_t timeout_ns;        /* poll: when it returns 0 */
};
enum { PLAYER_PENDING_MAX = 64 };

enum progress {
    STEP_DONE,    /* go on (also when a frame was pushed: then into it) */
    STEP_WAITS,   /* for time, or for something to come */
    STEP_STOPPED, /* the play is over */
};

struct settling { /* settle.c: has everything sent to a fenced target been dealt with? */
    bool stirred;             /* something was sent, or called, since it last had */
    bool asked;
    uint16_t sequence;        /* of the echo */
    int64_t give_up_ns, answered_ns;
};

struct closest { /* for the message of an expectation that nothing met */
    unsigned differences;
    uint32_t index;
    char text[PLAYER_CAUSE_MAX];
};

struct step_state { /* of the step being performed; zeroed when the next one begins */
    bool entered;
    struct interval base;     /* when the step before happened */
    int64_t due_ns;           /* its own time */
    bool lateness_noted;
    bool past_due;            /* its time ran out: watching whether the link is alive, and whether it comes late */
    int64_t watch_until_ns;
    uint16_t echo_sequence;   /* of the fence */
    unsigned lost_before;     /* fences, when this one was begun */
    uint64_t dead;            /* either: branches that cannot come true any more, a bit each */
    uint32_t passed_over;
    struct closest closest;
};

struct player {
    const struct scenario *scenario;
    struct scn_variant variant;
    char *id;
    struct target *target;
    struct player_place place;
    uint64_t random;              /* state of the player's own generator */
    bool strict_levels;
    struct pkt_builder *builder;
    struct pkt_reassembler *reassembler;

    struct scn_value *values;
    struct endpoint **endpoints;
    unsigned endpoint_count, endpoints_made; /* made: those beyond the count are left from the play before */
    struct descriptor fds[PLAYER_FDS_MAX];
    unsigned fd_count;
    struct pending_call pending[PLAYER_PENDING_MAX];
    unsigned pending_count;

    struct judging *judging;      /* NULL: the model does not judge */
    void (*catch_up)(void *context); /* reads what the IUT has sent; may be NULL */
    void *catch_up_context;
    struct arrival *arrivals;
    size_t arrival_count, arrival_capacity, arrival_cursor; /* cursor: the first not taken yet */
    struct seen *inbox;
    size_t inbox_count, inbox_capacity, cursor; /* cursor: the first not consumed */
    struct frame stack[SCN_NESTING_MAX + 2];
    unsigned depth;
    struct never nevers[PLAYER_NEVERS_MAX];
    unsigned never_count;
    struct link_rule rules[PLAYER_LINK_RULES_MAX];
    unsigned rule_count;
    struct held held[PLAYER_HELD_MAX];
    unsigned held_count;

    int64_t start_ns, now_ns, wake_ns;
    struct interval base;         /* when the step before happened */
    struct step_state step;
    uint16_t echo_sequence, echo_answered;
    bool on_open_port;            /* the IUT has no upper tester: its own server stands for the scenario's (open_port.c) */
    bool states_left_out;         /* the IUT's state is not asked for the trace's and the model's sake */
    bool echo_is_last;            /* nothing was sent to the IUT behind the last echo */
    struct settling settling;
    unsigned fences_lost;         /* echoes that were not answered */
    bool place_taken;             /* its port at the IUT was still in use */
    uint16_t ip_id;
    int64_t worst_lateness_ns;

    uint32_t sent;                /* packets towards the IUT, fences apart */
    unsigned record;              /* of octets (engine/fuzz/play.c): the one being played, from 1 */
    enum scn_phase phase;
    const char *requirement;      /* failures are charged to it */
    bool finished, ending;
    enum verdict verdict;
    char reason[PLAYER_CAUSE_MAX];
    uint32_t verdict_line;
    struct result_finding findings[PLAYER_FINDINGS_MAX]; /* of the scenario's own expectations */
    unsigned finding_count;
    struct result_finding *all_findings; /* with the model's, once the result was asked for */
    struct result_setting *settings;
    struct trace trace;
};

/* ---- link.c */
/* Sends a packet through the link's rules, in either direction. index: in the trace, of a packet of the IUT. */
void play_through_link(struct player *p, bool inbound, const uint8_t *bytes, size_t len, struct interval at, uint32_t index);
/* Lets packets go that the link has delayed long enough. */
void play_release_due(struct player *p);
/* A packet in the trace, with what is wrong with it. */
void play_note_packet(struct player *p, enum result_event_kind kind, struct endpoint *e, const uint8_t *bytes, size_t len,
                      bool from_tester, int64_t at_ns, uint32_t index);

/* ---- player.c */
/* What has come out of the link: recorded, put in the inbox, checked for what always holds. */
void play_accept(struct player *p, const uint8_t *bytes, size_t len, struct interval at, uint32_t index);
/* At the end of a play: what has come too late for it stands in the trace, for the model has judged it. */
void play_note_unseen(struct player *p);
const struct scn_step *play_current_step(const struct player *p);
/* What comes before the steps in a run: arrivals, what the link held back, calls tried again. */
void play_resume(struct player *p, int64_t now_ns);
/* Begins another play, of no steps, with what a former one has allocated: at this place, with this state of the generator. False:
 * out of memory. */
bool play_again(struct player *p, const struct player_place *place, uint64_t random, int64_t now_ns);
/* A finding in the words given; charges it to the current requirement, and ends the play as the phase and level demand. */
struct play_cause {
    const char *rule;             /* "expect", "never", "state", "call", "assert", "checksum", "stream" */
    const char *requirement;      /* NULL: the current one */
    const char *expected, *observed;
    char message[PLAYER_CAUSE_MAX];
    uint32_t segment;
    bool goes_on;                 /* noted, but the play continues (unless it fails) */
};
void play_blame(struct player *p, const struct play_cause *cause);
/* Ends the play with this verdict. */
void play_stop(struct player *p, enum verdict verdict, const char *format, ...) __attribute__((format(printf, 3, 4)));
void play_pass(struct player *p); /* with nothing to say */
void play_note(struct player *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Asks for player_run() at this time at the latest. */
static inline void play_wake_at(struct player *p, int64_t at_ns)
{
    if (at_ns < p->wake_ns)
        p->wake_ns = at_ns;
}
/* Puts bytes on the link towards the IUT, through the link rules; label describes it in the trace. */
void play_send(struct player *p, struct endpoint *e, const uint8_t *bytes, size_t len);
uint16_t play_send_echo(struct player *p);
bool play_echo_answered(const struct player *p, uint16_t sequence);
/* On a fenced target: something was sent to the IUT, or called (settle.c). */
void play_stirred(struct player *p);
/* Has everything that was sent or called been dealt with? When not, the player is woken to ask again. Always true on other targets.
 */
bool play_settled(struct player *p);
/* Notes the IUT's state in the trace when it has changed. */
void play_note_state(struct player *p, struct endpoint *e);
/* The endpoint a reference means, made when new. NULL with the play stopped when there are too many, or the subscript has no value.
 */
struct endpoint *play_endpoint(struct player *p, const struct scn_endpoint_ref *ref);
struct endpoint *play_endpoint_at(struct player *p, unsigned slot, int64_t subscript);
struct endpoint *play_endpoint_of_port(struct player *p, const struct pkt_addr *tester, uint16_t port);
uint64_t play_random(struct player *p);
/* What the clock says at this moment: p->now_ns in virtual time. */
int64_t play_clock_ns(const struct player *p);
int64_t play_since_start(const struct player *p, int64_t at_ns);
/* The absolute slack for something that should happen at once, and for a timer of this length. */
int64_t play_slack_ns(const struct player *p, int64_t length_ns);
int64_t play_early_slack_ns(const struct player *p);
uint32_t play_line(const struct player *p);
/* A step as written, without its time. */
const char *play_words(const struct scn_step *step);
/* A segment as the scenario would write it, with the endpoint's numbers. */
void play_describe(const struct endpoint *e, const struct packet *packet, bool from_tester, char *out, size_t capacity);

/* ---- eval.c: false with a reason in error (PLAYER_CAUSE_MAX) when there is no value. absolute: the number came from abs(), iss()
 * or irs(). */
struct evaluated {
    struct scn_value value;
    bool absolute;
};
bool eval(struct player *p, const struct scn_value *values, const struct scn_expr *expr, struct evaluated *out, char *error);
/* As eval, but it must be a number. */
bool eval_number(struct player *p, const struct scn_value *values, const struct scn_expr *expr, int64_t *out, bool *absolute,
                 char *error);

/* ---- match.c */
struct match_result {
    unsigned differences;
    bool impossible;              /* a value could not be computed: text says why */
    char text[PLAYER_CAUSE_MAX];  /* "ack: expected 11, was 1; flags: …": every difference */
};
/* Compares; captures go into values (a scratch copy the caller commits). */
void match_packet(struct player *p, const struct scn_packet *want, const struct seen *seen, struct scn_value *values,
                  struct match_result *result);
/* A number against a pattern; captures. name, expected and was are for the text. */
bool match_number(struct player *p, const struct scn_match *want, int64_t value, struct scn_value *values, char *error);
void match_describe(struct player *p, const struct scn_match *want, const struct scn_value *values, char *out, size_t capacity);

/* ---- craft.c: injects; false with the play stopped when it cannot be built. */
bool craft_and_send(struct player *p, const struct scn_packet *packet);

/* ---- expect.c */
enum progress play_expect(struct player *p, const struct scn_step *step);
enum progress play_never_span(struct player *p, const struct scn_step *step);
enum progress play_either(struct player *p, const struct scn_step *step);
enum progress play_gather(struct player *p, const struct scn_step *step);
/* Checks a new arrival against the nevers in force. */
void play_check_nevers(struct player *p, const struct seen *seen);

/* ---- steps.c */
enum progress play_step(struct player *p, const struct scn_step *step);
/* A fence whose time has come; visited until it is done. */
enum progress play_fence(struct player *p);
/* Notes the base on the first visit of a step; true once its own time has come. */
bool play_due(struct player *p, const struct scn_step *step);
bool play_push(struct player *p, struct frame frame);
/* The time span of an expectation, slack included. */
struct window { int64_t low, high; };
struct window play_window(const struct player *p, const struct scn_step *step);
/* The state the target reveals for the endpoint's connection; false when it cannot tell. */
bool play_reveal_state(struct player *p, struct endpoint *e, enum tcp_state *out);
/* Is the IUT in one of these states now? Also answers for "no connection record" behind a listener. */
enum tristate { STATE_NO, STATE_YES, STATE_UNKNOWN };
enum tristate play_state_is(struct player *p, const struct scn_step *step, enum tcp_state *now);

/* ---- sockets.c */
/* The open descriptor of this number, or NULL. */
struct descriptor *play_find_descriptor(struct player *p, int64_t number);
struct descriptor *play_add_descriptor(struct player *p, int64_t number, int handle); /* NULL: too many */
/* connect() has returned this: from now on, unless it failed, the descriptor is a connection to the endpoint. remote is what it was
 * called with. */
void play_note_connect(struct player *p, struct descriptor *fd, struct endpoint *e, const struct pkt_endpoint *remote,
                       int64_t result);
/* The next octets that the application writes by this descriptor; and that so many were taken (or an error, below 0). */
void play_fill_write(const struct descriptor *fd, uint8_t *out, size_t len);
void play_note_write(struct descriptor *fd, int64_t result);
/* After accept() and connect(): the port that the IUT has chosen becomes that of the endpoint, whose stream the descriptor reads.
 */
void play_learn_local_port(struct player *p, struct descriptor *fd);
/* The name of a sockets option in the play's IP version. */
const char *play_option_name(const struct player *p, const char *name);
/* Octets the application has read: are they the tester's, or the text where that is a string? Notes how many. text may be NULL. */
void play_check_read(struct player *p, struct descriptor *fd, const uint8_t *data, size_t len, const struct scn_expr *text,
                     unsigned flags);

/* ---- call.c */
enum progress play_call(struct player *p, const struct scn_step *step);
/* Tries pending calls again; blames those that are overdue. */
void play_retry_calls(struct player *p);
/* At the end: does anything still have to return? Sets deadlines. */
bool play_calls_outstanding(struct player *p);
void play_close_descriptors(struct player *p);

#endif

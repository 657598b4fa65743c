/* A scenario in memory: the one form that text, fuzz bytes and the state×event table all become, and that the runner plays.
 *
 * docs/scenario-language.md is the specification of the language; this is its abstract syntax. A scenario is immutable once
 * parsed, owns everything it points to (an arena), and knows nothing of targets or time: playing it is the runner's business.
 * Names are resolved by the parser: variables and endpoints are small indices into the scenario's tables.
 */
#ifndef TCPASSAY_SCENARIO_SCENARIO_H
#define TCPASSAY_SCENARIO_SCENARIO_H

#include "engine/packet/packet.h"
#include "engine/packet/state.h"

enum {
    SCN_VARIABLES_MAX = 256, SCN_ENDPOINTS_MAX = 64, SCN_NESTING_MAX = 32, SCN_STEPS_MAX = 100000, SCN_EXPANSION_MAX = 20000,
    SCN_TEXT_BYTES_MAX = 1 << 20, /* of a file */
    SCN_EXPR_DEPTH_MAX = 64, SCN_REPEAT_MAX = 1000000, /* turns of repeats within one another, as far as they are constant */
};
#define SCN_NS_PER_S INT64_C(1000000000)
#define SCN_PATIENCE_DEFAULT_NS (2 * SCN_NS_PER_S)

struct scn_at { int line, column; }; /* from 1; 0: not from a text */

/* ---- values and expressions -------------------------------------------------------------------------------------- */

enum scn_expr_kind {
    SCN_EXPR_NUMBER,    /* number; a time literal is in ns */
    SCN_EXPR_FLAGS,     /* flags as a value: number holds enum pkt_flag bits */
    SCN_EXPR_STRING,    /* text, text_len: octets between quotes, escapes resolved */
    SCN_EXPR_NAME,      /* text: SOCK_STREAM, F_SETFL … */
    SCN_EXPR_VARIABLE,  /* slot */
    SCN_EXPR_ELLIPSIS,
    SCN_EXPR_ENDPOINT,  /* slot, child[0] a subscript if any */
    SCN_EXPR_UNARY,     /* op, child[0] */
    SCN_EXPR_BINARY,    /* op, child[0], child[1] */
    SCN_EXPR_CALL,      /* text: the function; children: arguments */
    SCN_EXPR_LIST,      /* [ … ] */
    SCN_EXPR_STRUCT,    /* { … }: children, of which some are fields */
    SCN_EXPR_FIELD,     /* text = child[0]; for msg_iov(1)=… child[1] is the 1 */
    SCN_EXPR_FLOAT,     /* real; only as an argument of a packetdrill call */
    SCN_EXPR_CONCAT,    /* STRING followed by an ellipsis, as packetdrill allows */
};
enum scn_op {
    SCN_OP_ADD, SCN_OP_SUB, SCN_OP_MUL, SCN_OP_DIV, SCN_OP_MOD, SCN_OP_AND, SCN_OP_OR, SCN_OP_SHL, SCN_OP_SHR,
    SCN_OP_EQ, SCN_OP_NE, SCN_OP_LT, SCN_OP_LE, SCN_OP_GT, SCN_OP_GE, SCN_OP_LOGICAL_AND, SCN_OP_LOGICAL_OR,
    SCN_OP_NOT, SCN_OP_NEGATE
};
struct scn_expr {
    enum scn_expr_kind kind;
    enum scn_op op;
    struct scn_at at;
    unsigned slot;
    int64_t number;
    double real;
    const char *text;   /* also of FLOAT: as it was written */
    size_t text_len;
    struct scn_expr **child;
    unsigned child_count;
    unsigned depth;     /* 1 for a leaf; at most SCN_EXPR_DEPTH_MAX */
};

enum scn_value_kind { SCN_VALUE_UNSET, SCN_VALUE_NUMBER, SCN_VALUE_FLAGS, SCN_VALUE_STRING, SCN_VALUE_ENDPOINT };
struct scn_value {
    enum scn_value_kind kind;
    int64_t number;         /* NUMBER; FLAGS: the bits; ENDPOINT: slot */
    const char *text;       /* STRING; lives as long as the scenario */
    size_t text_len;
};

/* A number to send or to compare with. In an injection only EQ and NONE occur; NONE is "filled in" there, "not compared" in an
 * expectation. EQ with a bare variable that has no value yet captures. */
enum scn_relation { SCN_NONE, SCN_ANY, SCN_EQ, SCN_NE, SCN_LT, SCN_LE, SCN_GT, SCN_GE, SCN_BETWEEN };
struct scn_match {
    enum scn_relation relation;
    struct scn_expr *value, *upper; /* upper with BETWEEN, inclusive */
};

/* ---- time -------------------------------------------------------------------------------------------------------- */

enum scn_time_kind {
    SCN_TIME_NONE,      /* left out: +0 */
    SCN_TIME_RELATIVE,  /* +from, or +from~+to */
    SCN_TIME_ABSOLUTE,  /* from, or from~to */
    SCN_TIME_ANY,       /* * */
};
struct scn_time {
    enum scn_time_kind kind;
    bool is_range;          /* from~to */
    bool has_return;        /* ...return_ns: a blocking call, relative if return_relative */
    bool return_relative;
    int64_t from_ns, to_ns; /* to_ns == from_ns unless is_range */
    int64_t return_ns;
};

/* ---- segments ---------------------------------------------------------------------------------------------------- */

struct scn_endpoint_ref { unsigned slot; struct scn_expr *subscript; /* or NULL */ };

enum scn_option_form { /* how values[] are to be read */
    SCN_OPT_PLAIN,          /* kind alone: nop, eol, sackOK */
    SCN_OPT_NUMBER,         /* values[0]: mss, wscale, uto */
    SCN_OPT_TIMESTAMP,      /* values[0] TSval, values[1] TSecr */
    SCN_OPT_SACK,           /* values[2i], values[2i+1]: relative edges */
    SCN_OPT_BYTES,          /* bytes: FO, FOEXP (without its 0xF989), md5, kind N; in an expectation values[0] may be ANY: any octets */
    SCN_OPT_ACCECN,         /* kind 172 or 174, values[]: up to three 24-bit counters in wire order */
};
enum { SCN_OPTION_VALUES_MAX = 10 };
struct scn_option {
    uint8_t kind;
    enum scn_option_form form;
    bool experimental;      /* FOEXP: kind 254 with 0xF989 */
    bool negated;           /* !TS: must not be there */
    bool has_bytes;
    struct scn_match values[SCN_OPTION_VALUES_MAX];
    unsigned value_count;
    const uint8_t *bytes;
    uint8_t bytes_len;
    const char *symbol;          /* a name instead of the octets, which packetdrill's -D would define: parsed only; or NULL */
    struct scn_expr *stated_len; /* len N, or NULL */
    struct scn_at at;
};

enum scn_key { /* with KEY VALUE */
    SCN_KEY_CHECKSUM, SCN_KEY_DOFF, SCN_KEY_RESERVED, SCN_KEY_OPTIONS, SCN_KEY_PAYLOAD, SCN_KEY_TRUNCATE, SCN_KEY_FRAGMENT,
    SCN_KEY_SPORT, SCN_KEY_DPORT, SCN_KEY_SEQ_ABS, SCN_KEY_ACK_ABS,
    SCN_KEY_IP_CHECKSUM, SCN_KEY_IP_LEN, SCN_KEY_IP_IHL, SCN_KEY_IP_VERSION, SCN_KEY_IP_PROTO, SCN_KEY_IP_TTL, SCN_KEY_IP_TOS,
    SCN_KEY_IP_ID, SCN_KEY_IP_DF, SCN_KEY_IP_SRC, SCN_KEY_IP_DST,
    SCN_KEY_COUNT
};
enum scn_special { SCN_NOT_SPECIAL, SCN_BAD, SCN_GOOD, SCN_FILL };
struct scn_override {
    enum scn_key key;
    enum scn_special special;   /* checksum bad / good; payload fill N */
    struct scn_match value;     /* the number, or FILL's octet */
    const uint8_t *bytes;       /* options HEX, payload "text" */
    size_t bytes_len;
    struct pkt_addr address;    /* ip.src, ip.dst */
    struct scn_at at;
};

enum scn_protocol { SCN_TCP, SCN_ICMP, SCN_RAW, SCN_UDP /* packetdrill's, parsed only */ };
enum scn_ecn { SCN_ECN_NONE_GIVEN, SCN_ECN_NOT_ECT, SCN_ECN_ECT0, SCN_ECN_ECT1, SCN_ECN_ECT01, SCN_ECN_CE };

struct scn_icmp {
    struct scn_expr *type, *code;  /* NAME ("unreachable", "frag_needed") or NUMBER; code may be NULL */
    struct scn_match mtu, id;
    bool quotes_segment;           /* [seq:seq(len)]: the packet's seq, seq_end, len */
    const char *quotes_other;      /* "udp (8)", "raw (8)": packetdrill's, parsed only; or NULL */
};

struct scn_packet {
    enum scn_protocol protocol;
    struct scn_endpoint_ref endpoint;
    bool flags_any;                /* > any */
    uint16_t flags_open;           /* expectation: of those always compared, which are not */
    uint16_t flags, flags_care;    /* expectation: (SEG.flags & care) == flags; injection: flags */
    struct scn_expr *flags_value;  /* a variable instead, or NULL */
    int ace;                       /* packetdrill's .N AccECN counter, or -1; its bits are in flags as AE, CWR, ECE too */
    struct scn_match seq, seq_end, len, ack, window, urgent;
    bool options_given, options_any, options_open; /* <…> was written; it is <...>; it ends with an ellipsis */
    struct scn_option *options;
    unsigned option_count;
    enum scn_ecn ecn;
    struct scn_match tos, ttl, flow_label, src_port, dst_port; /* packetdrill's places; numbers */
    struct scn_icmp icmp;
    const uint8_t *raw;            /* SCN_RAW */
    size_t raw_len;
    struct scn_override *overrides;
    unsigned override_count;
    int capture_at_slot;           /* at $t, or -1 */
    const char *encapsulation;     /* packetdrill's, as written: "ipv4 1.1.1.1 > 2.2.2.2:", parsed only; or NULL */
    const char *unsupported;       /* parsed, but no target can do it: "encapsulation", or NULL */
    struct scn_at at;
};

/* ---- steps ------------------------------------------------------------------------------------------------------- */

enum scn_step_kind {
    SCN_STEP_INJECT, SCN_STEP_EXPECT, SCN_STEP_CALL, SCN_STEP_COMMAND, SCN_STEP_CODE, SCN_STEP_PHASE, SCN_STEP_COVERS,
    SCN_STEP_STATE, SCN_STEP_NEVER, SCN_STEP_FENCE, SCN_STEP_EITHER, SCN_STEP_REPEAT, SCN_STEP_GATHER, SCN_STEP_LET, SCN_STEP_ASSERT,
    SCN_STEP_LINK, SCN_STEP_INCARNATION, SCN_STEP_WAIT, SCN_STEP_SKIP, SCN_STEP_KIND_COUNT
};
enum scn_phase { SCN_BODY, SCN_PREAMBLE, SCN_POSTAMBLE };
enum scn_link_event { SCN_LINK_DROP, SCN_LINK_DUPLICATE, SCN_LINK_DELAY, SCN_LINK_REORDER };

struct scn_step;
struct scn_block { struct scn_step *steps; unsigned count; };

struct scn_call {
    const char *name;
    struct scn_expr **arguments;
    unsigned argument_count;
    struct scn_match result;       /* ANY for "...", NONE for no result given */
    const char *error;             /* "ECONNREFUSED", or NULL */
    const char *note;              /* what stood in parentheses behind it, or NULL */
};

struct scn_step {
    enum scn_step_kind kind;
    struct scn_at at;
    struct scn_time time;
    const char *source;            /* the step's own text, first line, blanks squeezed, for messages */
    union {
        struct scn_packet *packet;             /* INJECT, EXPECT */
        struct scn_call call;                  /* CALL */
        const char *text;                      /* COMMAND, CODE; SKIP: the reason */
        enum scn_phase phase;                  /* PHASE */
        struct { const char **ids; unsigned count; } covers;
        struct { struct scn_endpoint_ref endpoint; unsigned state_mask; /* 1u << enum tcp_state */ } state;
        struct { struct scn_packet **packets; unsigned count; bool has_block; struct scn_block block; } never;
        struct { struct scn_endpoint_ref endpoint; } fence, incarnation;
        struct { struct scn_block *branches; unsigned count; } either;
        struct { struct scn_expr *times; int slot; /* -1 */ struct scn_block block; } repeat;
        struct { struct scn_endpoint_ref endpoint; struct scn_match from, to; } gather;
        struct { unsigned slot; struct scn_expr *value; } let;
        struct { struct scn_expr *condition; const char *why; } assertion;
        struct { enum scn_link_event event; bool inbound; /* '<' */ struct scn_expr *nth; int64_t delay_ns; } link;
    };
};

/* ---- the scenario ------------------------------------------------------------------------------------------------ */

enum scn_level { SCN_LEVEL_DEFAULT, SCN_LEVEL_MUST, SCN_LEVEL_SHOULD, SCN_LEVEL_MAY };
enum scn_profile { SCN_QUICK, SCN_FULL, SCN_SOAK };
enum scn_need {
    SCN_NEEDS_CONNECT = 1u << 0, SCN_NEEDS_LISTEN = 1u << 1, SCN_NEEDS_IPV6 = 1u << 2, SCN_NEEDS_ICMP = 1u << 3, SCN_NEEDS_URGENT = 1u << 4,
    SCN_NEEDS_STATUS = 1u << 5, SCN_NEEDS_EXCLUSIVE = 1u << 6, SCN_NEEDS_DISRUPTIVE = 1u << 7, SCN_NEEDS_VIRTUAL_TIME = 1u << 8,
};

struct scn_setting { const char *name, *value; };
struct scn_endpoint { const char *name; unsigned address_index /* from 1 */, port_index; };
struct scn_table { unsigned *slots; unsigned slot_count; struct scn_value *cells; /* rows × slots */ char **row_labels; unsigned row_count; };

struct scenario {
    const char *file;              /* as given to the parser */
    const char *source_text;       /* the whole file, terminated */
    bool has_front_matter;         /* portable, else strict */
    const char *title, *purpose;
    const char **covers;
    unsigned cover_count;
    const char **killed_by;
    unsigned killed_by_count;
    enum scn_level level;
    enum scn_profile profile;
    unsigned needs;                /* enum scn_need */
    bool ipv4, ipv6;               /* which sub-tests there are */
    struct scn_setting *settings;
    unsigned setting_count;
    struct scn_setting *options;       /* packetdrill's --name=value lines, value "" without one; --define is resolved and not among them */
    unsigned option_count;
    bool has_isn;
    uint32_t isn;
    int64_t patience_ns, tolerance_ns; /* tolerance < 0: the target's */
    const char *judge_off;             /* why the model does not judge the plays of this scenario; NULL: it does */
    struct scn_endpoint *endpoints;    /* [0] is "a" */
    unsigned endpoint_count;
    const char **variables;            /* names without $ */
    unsigned variable_count;
    struct scn_table *tables;
    unsigned table_count;
    struct scn_block body;
    const char *unsupported;           /* the first thing in it no target can do, with its line, or NULL */
    struct scn_arena *arena;
};

struct scn_diagnostic { struct scn_at at; char message[256]; };
enum { SCN_DIAGNOSTICS_MAX = 16 };
struct scn_diagnostics { unsigned count; struct scn_diagnostic list[SCN_DIAGNOSTICS_MAX]; };

/* Parses text (any bytes; need not be terminated). NULL when there is an error, and then diagnostics has at least one; it may hold
 * warnings otherwise. file is only copied, for messages. Frees itself on failure. */
struct scenario *scn_parse(const char *file, const char *text, size_t len, struct scn_diagnostics *diagnostics);
/* Reads a file. As scn_parse; an unreadable file is a diagnostic at line 0. */
struct scenario *scn_parse_file(const char *path, struct scn_diagnostics *diagnostics);
void scn_free(struct scenario *scenario);
/* "a.pkt:14:9: expected flags after `<`, found `win`" for one diagnostic, into out. */
int scn_format_diagnostic(const char *file, const struct scn_diagnostic *diagnostic, char *out, size_t capacity);

/* Prints the scenario in canonical form; parsing that gives an equal scenario. The text is malloc'ed; NULL: out of memory. */
char *scn_print(const struct scenario *scenario);
/* One step, or one packet, in canonical form, without a newline at its end; always terminated; they return what snprintf would. */
int scn_print_step(const struct scenario *scenario, const struct scn_step *step, char *out, size_t capacity);
int scn_print_packet(const struct scenario *scenario, const struct scn_packet *packet, bool injection, char *out, size_t capacity);
/* Same meaning? Places and source texts are not compared. */
bool scn_equal(const struct scenario *a, const struct scenario *b);

/* ---- sub-tests --------------------------------------------------------------------------------------------------- */

/* One sub-test: an IP version and a row of each table. Index runs from 0 to scn_variant_count() - 1, IP version slowest, the last
 * table fastest. */
unsigned scn_variant_count(const struct scenario *scenario);
struct scn_variant {
    uint8_t ip_version;
    char suffix[160];              /* "/ipv6/flags=S,n=0", "" where there is just one; distinct within the scenario */
};
/* Fills *out and sets the variables that tables give in values[scenario->variable_count]; the others become UNSET. */
void scn_variant(const struct scenario *scenario, unsigned index, struct scn_variant *out, struct scn_value *values);

/* The name of an override key ("ip.ttl"), a need ("listen"), a profile; for messages and printing. */
const char *scn_key_name(enum scn_key key);
const char *scn_need_name(enum scn_need need);
const char *scn_profile_name(enum scn_profile profile);

#endif

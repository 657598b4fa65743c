/* Faults in when, and how often, the IUT sends: segments delayed, doubled, repeated at a pace of their own, or invented. */
#include "targets/saboteur/sabotage.h"

#define MS INT64_C(1000000)
#define S INT64_C(1000000000)
static const int64_t LATE_NS = 600 * MS;          /* more than an ACK may be delayed (MUST-40) */
static const int64_t EARLY_NS = 100 * MS;         /* less than any RTO */
static const int64_t LINEAR_NS = 1 * S, LINEAR_FOR_NS = 300 * S;

static bool any_segment(const struct segment *s) { return segment_is_tcp(s); }
static bool syn(const struct segment *s) { return s->connection && segment_is_syn(s); }
static bool synack(const struct segment *s) { return s->connection && segment_is_synack(s); }
static bool data(const struct segment *s) { return s->connection && segment_is_data(s); }
static bool fin(const struct segment *s) { return s->connection && segment_is_fin(s); }
static bool probing(const struct segment *s) { return s->probe; }
static bool new_syn(const struct segment *s) { return syn(s) && !s->retransmission; }
static bool new_synack(const struct segment *s) { return synack(s) && !s->retransmission; }
static bool new_fin(const struct segment *s) { return fin(s) && !s->retransmission; }
static bool new_data(const struct segment *s) { return data(s) && !s->retransmission; }

static void late(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    s->delay_ns = LATE_NS;
}

static void twice(struct saboteur *saboteur, struct segment *s)
{
    timed_hold(&saboteur->timed, s->bytes, s->len, s->now_ns);
}

/* A copy too early, and no more. */
static void early(struct saboteur *saboteur, struct segment *s)
{
    timed_repeat(&saboteur->timed, s, (struct pace){.next_ns = s->now_ns + EARLY_NS, .until_ns = s->now_ns + EARLY_NS});
}

/* Its own retransmissions make room for those at a steady pace. */
static void linear(struct saboteur *saboteur, struct segment *s)
{
    struct pace pace = {.next_ns = s->now_ns + LINEAR_NS, .interval_ns = LINEAR_NS, .until_ns = s->now_ns + LINEAR_FOR_NS};
    if (s->retransmission)
        s->dropped = true;
    else
        timed_repeat(&saboteur->timed, s, pace);
}

/* The first is repeated, and the others make room; a window that opens and closes again is not probed any more. */
static void linear_probe(struct saboteur *saboteur, struct segment *s)
{
    if (saboteur->matched > saboteur->fault.from)
        s->dropped = true;
    else
        timed_repeat(&saboteur->timed, s, (struct pace){.kind = REPEAT_WHILE_WINDOW_ZERO, .next_ns = s->now_ns + LINEAR_NS, .interval_ns = LINEAR_NS,
                                                        .until_ns = INT64_MAX});
}

static void regardless(struct saboteur *saboteur, struct segment *s)
{
    timed_repeat(&saboteur->timed, s, (struct pace){.kind = REPEAT_REGARDLESS, .next_ns = s->now_ns + LINEAR_NS, .interval_ns = LINEAR_NS,
                                                    .until_ns = INT64_MAX});
}

static void once_afterwards(struct saboteur *saboteur, struct segment *s)
{
    timed_repeat(&saboteur->timed, s, (struct pace){.kind = REPEAT_ONCE_AFTERWARDS, .next_ns = INT64_MAX, .interval_ns = LINEAR_NS});
}

/* A second FIN, where the first would have been followed by nothing. */
static void another_fin(struct saboteur *saboteur, struct segment *s)
{
    const struct packet *p = &s->packet;
    struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = p->ip.src, .dst = p->ip.dst, .src_port = p->tcp.src_port, .dst_port = p->tcp.dst_port,
                            .seq = p->tcp.seq + pkt_seg_len(&p->tcp), .ack = p->tcp.ack, .flags = PKT_FIN | PKT_ACK, .window = p->tcp.window,
                            .options = p->tcp.options, .options_len = p->tcp.options_len};
    saboteur_emit(saboteur, &spec);
}

/* An octet that nobody has sent, behind the FIN. */
static void more_data(struct saboteur *saboteur, struct segment *s)
{
    static const uint8_t octet[] = {0};
    const struct packet *p = &s->packet;
    struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = p->ip.src, .dst = p->ip.dst, .src_port = p->tcp.src_port, .dst_port = p->tcp.dst_port,
                            .seq = p->tcp.seq + pkt_seg_len(&p->tcp), .ack = p->tcp.ack, .flags = PKT_PSH | PKT_ACK, .window = p->tcp.window,
                            .options = p->tcp.options, .options_len = p->tcp.options_len, .payload = octet, .payload_len = sizeof octet};
    saboteur_emit(saboteur, &spec);
}

static const struct fault faults[] = {
    {"all-late-600ms", "sends every TCP segment 600 ms late", .matches = any_segment, .act = late},
    {"ack-late-600ms", "sends ACKs that are nothing else 600 ms late", .matches = segment_is_pure_ack, .act = late},
    {"ack-each-twice", "sends each ACK that is nothing else twice", .matches = segment_is_pure_ack, .act = twice},
    {"syn-early", "retransmits a SYN after 100 ms", .matches = new_syn, .act = early},
    {"synack-early", "retransmits a SYN-ACK after 100 ms", .matches = new_synack, .act = early},
    {"fin-early", "retransmits a FIN after 100 ms", .matches = new_fin, .act = early},
    {"data-early", "retransmits data after 100 ms", .matches = new_data, .act = early},
    {"syn-linear", "retransmits a SYN every second, without backoff, for five minutes", .matches = syn, .act = linear},
    {"synack-linear", "retransmits a SYN-ACK every second, without backoff, for five minutes", .matches = synack, .act = linear},
    {"data-linear", "retransmits data every second, without backoff, for five minutes", .matches = data, .act = linear},
    {"fin-linear", "retransmits a FIN every second, without backoff, for five minutes", .matches = fin, .act = linear},
    {"probe-linear", "probes a zero window every second, without backoff", .matches = probing, .act = linear_probe},
    {"syn-forever", "sends a SYN again every second, answered or not, and never gives up", .matches = new_syn, .act = regardless},
    {"synack-forever", "sends a SYN-ACK again every second, acknowledged or not, and never gives up", .matches = new_synack, .act = regardless},
    {"data-forever", "sends data again every second, acknowledged or not, and never gives up", .matches = new_data, .act = regardless},
    {"fin-forever", "sends a FIN again every second, acknowledged or not, and never gives up", .matches = new_fin, .act = regardless},
    {"fin-again", "sends a FIN once more a second after it was acknowledged", .matches = fin, .act = once_afterwards},
    {"fin-twice", "sends behind each FIN a second one, numbered one higher", .matches = new_fin, .act = another_fin},
    {"data-after-fin", "sends behind each FIN an octet of data", .matches = new_fin, .act = more_data},
};
const struct fault_group timing_faults = {SABOTEUR_TIMING, faults, sizeof faults / sizeof *faults};

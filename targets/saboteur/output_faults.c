/* Faults in what the IUT sends: segments rewritten, or dropped. */
#include "targets/saboteur/sabotage.h"

/* ---- which segments */

static bool any_segment(const struct segment *s) { return segment_is_tcp(s); }
static bool synchronized_ack(const struct segment *s) { return segment_has(s, PKT_ACK) && !segment_has_any(s, PKT_SYN | PKT_RST); }
static bool ack_but_reset(const struct segment *s) { return segment_has(s, PKT_ACK) && !segment_has_any(s, PKT_RST); }
static bool either_syn(const struct segment *s) { return segment_has(s, PKT_SYN) && !segment_has_any(s, PKT_RST); }
static bool reset(const struct segment *s) { return segment_has(s, PKT_RST); }
static bool reset_with_ack(const struct segment *s) { return segment_has(s, PKT_RST | PKT_ACK); }
static bool reset_without_ack(const struct segment *s) { return segment_has(s, PKT_RST) && !segment_has_any(s, PKT_ACK); }
static bool after_syn(const struct segment *s) { return segment_is_tcp(s) && !segment_has_any(s, PKT_SYN | PKT_RST); }
static bool urgent(const struct segment *s) { return segment_has(s, PKT_URG); }
static bool pushed(const struct segment *s) { return segment_has(s, PKT_PSH); }
static bool first_syn(const struct segment *s) { return either_syn(s) && s->connection && !s->connection->isn_shift; }
static bool first_data(const struct segment *s) { return segment_is_data(s) && !s->retransmission && s->connection; }
static bool syn_numbered(const struct segment *s) { return either_syn(s) && s->connection && s->retransmission; }
static bool challenge_ack(const struct segment *s) { return s->answers_unacceptable; }
static bool syn_again(const struct segment *s) { return segment_is_syn(s) && s->retransmission; }
static bool synack_again(const struct segment *s) { return segment_is_synack(s) && s->retransmission; }
static bool data_again(const struct segment *s) { return segment_is_data(s) && s->retransmission; }
static bool fin_again(const struct segment *s) { return segment_is_fin(s) && s->retransmission; }
static bool data_again_at_once(const struct segment *s) { return data_again(s) && s->answers_at_once; }
static bool probe(const struct segment *s) { return s->probe; }
static bool keepalive(const struct segment *s) { return s->keepalive; }
static bool empty_keepalive(const struct segment *s) { return s->keepalive && s->packet.tcp.payload_len == 0; }
static bool with_timestamp(const struct segment *s)
{
    struct pkt_option option;
    return segment_is_tcp(s) && segment_find_option(s, PKT_OPT_TIMESTAMP, &option);
}
static bool timestamp_after_syn(const struct segment *s) { return after_syn(s) && with_timestamp(s); }
static bool with_ecn(const struct segment *s) { return segment_has_any(s, PKT_ECE | PKT_CWR); }
static bool echo_of_timestamp(const struct segment *s) { return ack_but_reset(s) && with_timestamp(s); }
static bool sack_blocks(const struct segment *s)
{
    struct pkt_option option;
    return segment_is_tcp(s) && segment_find_option(s, PKT_OPT_SACK, &option);
}
static bool synack_without_wscale(const struct segment *s) { return segment_is_synack(s) && s->connection && !s->connection->offer.wscale; }
static bool peer_without_timestamps(const struct segment *s) { return ack_but_reset(s) && s->connection && !s->connection->offer.timestamp; }
static bool peer_without_sack(const struct segment *s)
{
    return ack_but_reset(s) && s->connection && !s->connection->offer.sack && (segment_is_synack(s) || s->connection->has_gap);
}

/* ---- numbers */

static void ack_up(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_ack(s, s->packet.tcp.ack + 1);
}

static void ack_down(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_ack(s, s->packet.tcp.ack - 1);
}

static void ack_zero(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_ack(s, 0);
}

static void seq_up(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_seq(s, s->packet.tcp.seq + 1);
}

enum { CONSTANT_ISN = 4096 };

static void constant_isn(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    s->connection->isn_shift = CONSTANT_ISN - s->packet.tcp.seq;
}

static void slow_isn(struct saboteur *saboteur, struct segment *s)
{
    s->connection->isn_shift = (uint32_t)(saboteur_now(saboteur) / 1000000000) - s->packet.tcp.seq;
}

static void renumber(struct saboteur *saboteur, struct segment *s)
{
    enum { FURTHER = 64000 };
    (void)saboteur;
    s->connection->isn_shift += FURTHER;
}

/* ---- flags and other fields */

static void clear_ack(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags & (uint16_t)~PKT_ACK);
    segment_set_ack(s, 0);
}

static void add_ack(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags | PKT_ACK);
}

static void set_ece(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, (s->packet.tcp.flags & (uint16_t)~PKT_CWR) | PKT_ECE);
}

static void clear_ecn(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags & (uint16_t) ~(PKT_ECE | PKT_CWR));
}

static void set_ect0(struct saboteur *saboteur, struct segment *s)
{
    enum { ECN_MASK = 3, ECT_0 = 2 };
    (void)saboteur;
    segment_set_tos(s, (uint8_t)((s->packet.ip.tos & ~ECN_MASK) | ECT_0));
}

static void clear_push(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags & (uint16_t)~PKT_PSH);
}

static void add_urgent(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags | PKT_URG);
    segment_set_urgent(s, 1);
}

static void add_reset(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags | PKT_RST);
}

static void add_fin(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags | PKT_FIN);
}

static void urgent_up(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_urgent(s, (uint16_t)(s->packet.tcp.urgent + 1));
}

static void source_wrong(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_raise_source(s);
}

static void tos_zero(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_tos(s, 0);
}

static void ttl_frozen(struct saboteur *saboteur, struct segment *s)
{
    enum { TTL = 64 };
    (void)saboteur;
    segment_set_ttl(s, TTL);
}

static void window_zero(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_window(s, 0);
}

static void window_divided(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_window(s, s->packet.tcp.window >> 7);
}

/* Halves what it offers each time, so that the right edge goes back whatever was acknowledged in between. */
static void window_shrunk(struct saboteur *saboteur, struct segment *s)
{
    enum { SHIFT_MAX = 15 };
    (void)saboteur;
    if (!s->connection)
        return;
    s->connection->shrunk += s->connection->shrunk < SHIFT_MAX;
    segment_set_window(s, (uint16_t)(s->packet.tcp.window >> s->connection->shrunk));
}

static void add_octet(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_append_octet(s, 0);
}

static void spoil_checksum(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_spoil_checksum(s);
}

static void corrupt_data(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_payload_octet(s, 0, s->packet.tcp.payload[0] ^ 0x55);
}

/* ---- options */

static void remove_mss(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_remove_option(s, PKT_OPT_MSS);
}

static void mss_zero(struct saboteur *saboteur, struct segment *s)
{
    struct pkt_option mss;
    (void)saboteur;
    if (segment_find_option(s, PKT_OPT_MSS, &mss))
        segment_set_option16(s, &mss, 0, 0);
}

static void add_mss(struct saboteur *saboteur, struct segment *s)
{
    static const uint8_t mss[] = {1460 >> 8, 1460 & 0xff};
    (void)saboteur;
    segment_add_option(s, PKT_OPT_MSS, mss, sizeof mss);
}

static void add_wscale(struct saboteur *saboteur, struct segment *s)
{
    static const uint8_t shift[] = {7};
    (void)saboteur;
    segment_add_option(s, PKT_OPT_WSCALE, shift, sizeof shift);
}

static void add_timestamp(struct saboteur *saboteur, struct segment *s)
{
    if (!with_timestamp(s))
        segment_add_timestamp(s, (uint32_t)(saboteur_now(saboteur) / 1000000), 0);
}

static void remove_timestamp(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_remove_option(s, PKT_OPT_TIMESTAMP);
}

static void wrong_echo(struct saboteur *saboteur, struct segment *s)
{
    struct pkt_option ts;
    struct pkt_options options;
    (void)saboteur;
    pkt_options_read(s->packet.tcp.options, s->packet.tcp.options_len, &options);
    if (segment_find_option(s, PKT_OPT_TIMESTAMP, &ts))
        segment_set_option32(s, &ts, 4, options.ts_ecr + 7);
}

static void frozen_timestamp(struct saboteur *saboteur, struct segment *s)
{
    struct pkt_option ts;
    (void)saboteur;
    if (s->connection && s->connection->has_ts_sent && segment_find_option(s, PKT_OPT_TIMESTAMP, &ts))
        segment_set_option32(s, &ts, 0, s->connection->first_ts_sent);
}

static void add_sack(struct saboteur *saboteur, struct segment *s)
{
    const struct connection *c = s->connection;
    struct pkt_option_buffer blocks = {0};
    const uint32_t edges[][2] = {{c->gap_left, c->gap_right}};
    (void)saboteur;
    if (segment_is_synack(s)) {
        segment_add_option(s, PKT_OPT_SACK_PERMITTED, NULL, 0);
    } else {
        pkt_put_sack(&blocks, edges, 1);
        segment_add_option(s, PKT_OPT_SACK, blocks.bytes + 2, (uint8_t)(blocks.len - 2));
    }
}

static void wrong_sack(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_shift_sack(s, 1);
}

/* ---- dropped */

static void drop(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    s->dropped = true;
}

static const struct fault faults[] = {
    {"ack-plus-one", "acknowledges one octet more than has come (all but SYN-ACK and RST)", .matches = synchronized_ack, .act = ack_up},
    {"ack-minus-one", "acknowledges one octet less than has come (all but SYN-ACK and RST)", .matches = synchronized_ack, .act = ack_down},
    {"synack-ack-plus-one", "acknowledges in a SYN-ACK one more than the SYN", .matches = segment_is_synack, .act = ack_up},
    {"synack-ack-zero", "sends SYN-ACKs whose acknowledgment number is zero", .matches = segment_is_synack, .act = ack_zero},
    {"synack-without-ack-flag", "leaves the ACK flag out of SYN-ACKs", .matches = segment_is_synack, .act = clear_ack},
    {"seq-plus-one", "numbers segments with data one too high", .matches = segment_is_data, .act = seq_up},
    {"fin-seq-plus-one", "numbers segments with FIN one too high", .matches = segment_is_fin, .act = seq_up},
    {"rst-seq-plus-one", "numbers RSTs one too high", .matches = reset, .act = seq_up},
    {"rst-ack-plus-one", "acknowledges in a RST one more than came", .matches = reset_with_ack, .act = ack_up},
    {"rst-without-ack", "leaves acknowledgment and ACK flag out of RSTs", .matches = reset_with_ack, .act = clear_ack},
    {"rst-with-ack", "sets the ACK flag of RSTs that must not have it", .matches = reset_without_ack, .act = add_ack},
    {"isn-constant", "begins every connection with the same sequence number", .matches = first_syn, .act = constant_isn},
    {"isn-slow", "lets its initial sequence number grow by just one a second", .matches = first_syn, .act = slow_isn},
    {"isn-changed", "sends a SYN or SYN-ACK again with another initial sequence number", .matches = syn_numbered, .act = renumber},
    {"data-without-ack-flag", "leaves the ACK flag out of segments with data", .matches = segment_is_data, .act = clear_ack},
    {"fin-on-data", "sets FIN in every segment with data, whether or not there is more to come", .matches = first_data, .act = add_fin},
    {"window-zero", "always offers a window of zero", .matches = ack_but_reset, .act = window_zero},
    {"window-shrunk", "takes back window it offered: each segment after the SYN offers half of what the one before did", .matches = synchronized_ack,
     .act = window_shrunk},
    {"checksum-bad", "sends wrong TCP checksums", .matches = any_segment, .act = spoil_checksum},
    {"data-corrupt", "sends other data than the application wrote", .matches = segment_is_data, .act = corrupt_data},
    {"keepalive-with-octet", "sends keep-alive probes with an octet of data", .matches = empty_keepalive, .act = add_octet},
    {"urgent-pointer-off-by-one", "points the urgent pointer one octet too far", .matches = urgent, .act = urgent_up},
    {"psh-never", "never sets PSH", .matches = pushed, .act = clear_push},
    {"flags-add-urg", "sets URG though nothing is urgent (all but SYN and RST)", .matches = after_syn, .act = add_urgent},
    {"source-address-wrong", "sends from the address after its own, once the SYNs are exchanged (all but SYN, SYN-ACK and RST)", .matches = after_syn,
     .act = source_wrong},
    {"tos-zero", "sends every segment with a Differentiated Services field (and ECN bits) of zero", .matches = any_segment, .act = tos_zero},
    {"ttl-frozen", "sends every segment with a TTL of 64", .matches = any_segment, .act = ttl_frozen},
    {"ecn-unasked", "sets ECE in every SYN-ACK, asked or not", .matches = segment_is_synack, .act = set_ece},
    {"ece-never", "never sets ECE nor CWR", .matches = with_ecn, .act = clear_ecn},
    {"ect-on-syn", "sends SYN and SYN-ACK as ECN-capable, ECT(0)", .matches = either_syn, .act = set_ect0},
    {"fin-with-rst", "sets RST in segments with FIN", .matches = segment_is_fin, .act = add_reset},

    {"mss-missing", "sends SYN and SYN-ACK without the MSS option", .matches = either_syn, .act = remove_mss},
    {"mss-zero", "offers an MSS of zero", .matches = either_syn, .act = mss_zero},
    {"mss-on-data", "sends the MSS option in segments without SYN, too", .matches = after_syn, .act = add_mss},
    {"wscale-unasked", "answers a SYN without window scaling with a SYN-ACK that has it", .matches = synack_without_wscale, .act = add_wscale},
    {"wscale-applied-unasked", "offers windows (but in SYNs) divided by 128, whether or not scaling was agreed", .matches = after_syn,
     .act = window_divided},
    {"ts-unasked", "sends timestamps to a peer that did not offer them", .matches = peer_without_timestamps, .act = add_timestamp},
    {"ts-missing", "agrees on timestamps and then sends none", .matches = timestamp_after_syn, .act = remove_timestamp},
    {"ts-echo-wrong", "echoes other timestamps than it got", .matches = echo_of_timestamp, .act = wrong_echo},
    {"ts-frozen", "sends the same timestamp for the whole connection", .matches = with_timestamp, .act = frozen_timestamp},
    {"sack-unasked", "permits SACK to a peer that did not, and sends it SACK blocks", .matches = peer_without_sack, .act = add_sack},
    {"sack-wrong", "reports SACK blocks that are one octet off", .matches = sack_blocks, .act = wrong_sack},

    {"syn-dropped", "sends no SYN", .matches = segment_is_syn, .act = drop},
    {"synack-dropped", "sends no SYN-ACK", .matches = segment_is_synack, .act = drop},
    {"ack-dropped", "sends no ACK that is nothing else", .matches = segment_is_pure_ack, .act = drop},
    {"challenge-ack-dropped", "does not answer what is not acceptable (a SYN, a RST off RCV.NXT, numbers outside the windows) with an ACK",
     .matches = challenge_ack, .act = drop},
    {"rst-dropped", "sends no RST", .matches = reset, .act = drop},
    {"fin-dropped", "sends no FIN, nor the data in that segment", .matches = segment_is_fin, .act = drop},
    {"data-dropped", "sends no data", .matches = segment_is_data, .act = drop},
    {"syn-once", "never retransmits a SYN", .matches = syn_again, .act = drop},
    {"synack-once", "never retransmits a SYN-ACK", .matches = synack_again, .act = drop},
    {"data-once", "never retransmits data", .matches = data_again, .act = drop},
    {"fin-once", "never retransmits a FIN", .matches = fin_again, .act = drop},
    {"fast-retransmit-never", "retransmits data only when a timer asks for it, not in answer to duplicate ACKs", .matches = data_again_at_once, .act = drop},
    {"probe-never", "never probes a zero window", .matches = probe, .act = drop},
    {"keepalive-never", "never sends keep-alive probes", .matches = keepalive, .act = drop},
};
const struct fault_group output_faults = {SABOTEUR_OUTPUT, faults, sizeof faults / sizeof *faults};

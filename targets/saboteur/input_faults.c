/* Faults in what the IUT is sent: segments that do not reach it, or reach it altered so that a check of its own has nothing to
 * find; and answers that no TCP would give. */
#include "targets/saboteur/sabotage.h"
#include "engine/packet/seq.h"

#include <errno.h>

/* ---- which segments */

static bool has_connection(const struct segment *s) { return segment_is_tcp(s) && s->connection && s->connection->has_iss && !s->connection->closed; }
static bool knows_both(const struct segment *s) { return has_connection(s) && s->connection->has_irs; }
static bool any_syn(const struct segment *s) { return segment_has(s, PKT_SYN); }
static bool reset(const struct segment *s) { return segment_has(s, PKT_RST); }
static bool fin(const struct segment *s) { return segment_has(s, PKT_FIN); }
static bool urgent(const struct segment *s) { return segment_has(s, PKT_URG); }
static bool no_reset(const struct segment *s) { return segment_is_tcp(s) && !segment_has_any(s, PKT_RST); }
static bool intact(const struct segment *s) { return segment_is_tcp(s) && s->packet.tcp.checksum_ok; }
static bool checksum_wrong(const struct segment *s) { return segment_is_tcp(s) && !s->packet.tcp.checksum_ok; }
static bool seq_wrong(const struct segment *s) { return knows_both(s) && !segment_has_any(s, PKT_SYN) && !s->acceptable; }
static bool ack_wrong(const struct segment *s) { return has_connection(s) && segment_has(s, PKT_ACK) && !s->ack_acceptable; }
static bool syn_in_window(const struct segment *s) { return segment_has(s, PKT_SYN) && knows_both(s) && s->acceptable; }
static bool with_options(const struct segment *s) { return segment_is_tcp(s) && s->packet.tcp.options_len > 0; }
static bool window_other(const struct segment *s) { return no_reset(s) && s->packet.tcp.window != UINT16_MAX; }
static bool window_zero(const struct segment *s) { return no_reset(s) && !segment_has_any(s, PKT_SYN) && s->packet.tcp.window == 0; }
static bool reset_in_syn_sent(const struct segment *s) { return reset(s) && has_connection(s) && !s->connection->has_irs; }
static bool without_ack(const struct segment *s) { return has_connection(s) && !segment_has_any(s, PKT_ACK | PKT_SYN | PKT_RST); }
static bool syn_with_fin(const struct segment *s) { return segment_has(s, PKT_SYN | PKT_FIN); }
static bool syn_with_data(const struct segment *s) { return any_syn(s) && s->packet.tcp.payload_len > 0; }
static bool error_with_connection(const struct segment *s) { return segment_is_icmp_error(s) && s->connection && !s->connection->closed; }

static bool reset_off(const struct segment *s)
{
    return reset(s) && has_connection(s) && (s->connection->has_irs ? s->packet.tcp.seq != s->connection->rcv_nxt : !s->ack_acceptable);
}

/* The peer's FIN once more, both having been acknowledged: what restarts the timer of TIME-WAIT. */
static bool fin_in_time_wait(const struct segment *s)
{
    return fin(s) && s->established && s->connection->fin_sent && s->connection->snd_una == s->connection->snd_nxt &&
           seq_le(s->packet.tcp.seq + pkt_seg_len(&s->packet.tcp), s->connection->rcv_nxt);
}

static bool with_option(const struct segment *s, uint8_t kind)
{
    struct pkt_option option;
    return segment_is_tcp(s) && segment_find_option(s, kind, &option);
}

static bool with_sack(const struct segment *s) { return with_option(s, PKT_OPT_SACK); }
static bool with_timestamp(const struct segment *s) { return with_option(s, PKT_OPT_TIMESTAMP); }
static bool timestamp_after_syn(const struct segment *s) { return with_timestamp(s) && !segment_has_any(s, PKT_SYN); }
static bool syn_with_wscale(const struct segment *s) { return any_syn(s) && with_option(s, PKT_OPT_WSCALE); }

static bool timestamp_old(const struct segment *s)
{
    struct pkt_options options;
    if (!with_timestamp(s) || !s->connection || !s->connection->has_ts_recent)
        return false;
    pkt_options_read(s->packet.tcp.options, s->packet.tcp.options_len, &options);
    return seq_lt(options.ts_val, s->connection->ts_recent);
}

static bool ahead(const struct segment *s)
{
    return (segment_is_data(s) || segment_is_fin(s)) && knows_both(s) && seq_gt(s->packet.tcp.seq, s->connection->rcv_nxt);
}

static bool above_gap(const struct segment *s)
{
    return knows_both(s) && s->acceptable && !segment_has_any(s, PKT_SYN | PKT_RST) &&
           seq_gt(s->packet.tcp.seq, s->connection->rcv_nxt);
}

/* Part of its data came before, part did not. */
static bool overlapping(const struct segment *s)
{
    if (!segment_is_data(s) || !knows_both(s))
        return false;
    const struct connection *c = s->connection;
    uint32_t left = s->packet.tcp.seq, right = left + s->packet.tcp.payload_len;
    bool with_read = seq_lt(left, c->rcv_nxt) && seq_gt(right, c->rcv_nxt);
    bool with_waiting = c->has_gap && seq_lt(left, c->gap_right) && seq_gt(right, c->gap_left);
    return with_read || with_waiting;
}

static bool quotes_other_number(const struct segment *s)
{
    struct packet quoted;
    return error_with_connection(s) && segment_quoted(s, &quoted) &&
           !seq_in_window(quoted.tcp.seq, s->connection->snd_una, s->connection->snd_nxt - s->connection->snd_una);
}

/* Multicast, broadcast, loopback: of no single host on a network. */
static bool is_of_no_host(const struct pkt_addr *addr)
{
    static const struct pkt_addr loopback6 = {6, {[15] = 1}};
    enum { LOOPBACK4 = 127, MULTICAST4 = 224, MULTICAST6 = 0xff };
    if (addr->version == 6)
        return addr->bytes[0] == MULTICAST6 || pkt_addr_equal(addr, &loopback6);
    return addr->bytes[0] == LOOPBACK4 || addr->bytes[0] >= MULTICAST4;
}

static bool to_or_from_no_host(const struct segment *s)
{
    return no_reset(s) && (is_of_no_host(&s->packet.ip.src) || is_of_no_host(&s->packet.ip.dst));
}

static bool good_pure_ack(const struct segment *s)
{
    return segment_is_pure_ack(s) && s->packet.tcp.checksum_ok && knows_both(s) && s->acceptable && s->ack_acceptable;
}

/* ---- not seen */

static void hide(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    s->dropped = true;
}

/* What the application may ask for is gone, but the segments that wait and their timers are not. */
static void forget_half(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    s->dropped = true;
    if (s->connection)
        s->connection->denied = true;
}

static int64_t deny_connection(struct target *t, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                               struct target_status *out)
{
    struct saboteur *s = saboteur_of(t);
    const struct connection *c = track_lookup(&s->tracker, local, remote);
    return c && c->denied ? -ENOENT : s->inner->ops->status(s->inner, local, remote, out);
}

static void connection_denied(struct target_ops *ops)
{
    ops->status = deny_connection;
}

static void hide_fin(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags & (uint16_t)~PKT_FIN);
}

static void hide_urgent(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags & (uint16_t)~PKT_URG);
    segment_set_urgent(s, 0);
}

static void strip_options(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_options(s, NULL, 0);
}

static void hide_sack(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_remove_option(s, PKT_OPT_SACK);
}

static void hide_timestamp(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_remove_option(s, PKT_OPT_TIMESTAMP);
}

/* ---- not checked, or not heeded */

static void mend_checksum(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_mend_checksum(s);
}

static void make_seq_next(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_seq(s, s->connection->rcv_nxt);
}

static void make_ack_good(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_ack(s, s->connection->snd_nxt);
}

/* In SYN-SENT it is the acknowledgment that makes a RST acceptable. */
static void make_reset_good(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    if (s->connection->has_irs) {
        segment_set_seq(s, s->connection->rcv_nxt);
        return;
    }
    segment_set_flags(s, s->packet.tcp.flags | PKT_ACK);
    segment_set_ack(s, s->connection->snd_nxt);
}

static void make_reset_answer_the_syn(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags | PKT_ACK);
    segment_set_ack(s, s->connection->iss + 1);
}

static void give_it_an_ack(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags | PKT_ACK);
    segment_set_ack(s, s->connection->snd_nxt);
}

static void make_timestamp_recent(struct saboteur *saboteur, struct segment *s)
{
    struct pkt_option ts;
    (void)saboteur;
    if (segment_find_option(s, PKT_OPT_TIMESTAMP, &ts))
        segment_set_option32(s, &ts, 0, s->connection->ts_recent);
}

static void open_window(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_window(s, UINT16_MAX);
}

static void raise_mss(struct saboteur *saboteur, struct segment *s)
{
    static const uint8_t most[] = {0xff, 0xff};
    struct pkt_option mss;
    (void)saboteur;
    if (segment_find_option(s, PKT_OPT_MSS, &mss))
        segment_set_option16(s, &mss, 0, UINT16_MAX);
    else
        segment_add_option(s, PKT_OPT_MSS, most, sizeof most);
}

static void wscale_zero(struct saboteur *saboteur, struct segment *s)
{
    static const uint8_t shift[] = {0};
    (void)saboteur;
    segment_remove_option(s, PKT_OPT_WSCALE);
    segment_add_option(s, PKT_OPT_WSCALE, shift, sizeof shift);
}

static void quote_good_number(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_quoted_seq(s, s->connection->snd_una);
}

/* The error becomes a RST of the peer's that ends the connection in any state; the peer gets one, too. */
static void error_to_reset(struct saboteur *saboteur, struct segment *s)
{
    const struct connection *c = s->connection;
    struct pkt_spec own = {.protocol = PKT_PROTO_TCP, .src = c->iut.addr, .dst = c->tester.addr, .src_port = c->iut.port, .dst_port = c->tester.port,
                           .seq = c->snd_nxt, .flags = PKT_RST};
    struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = c->tester.addr, .dst = c->iut.addr, .src_port = c->tester.port,
                            .dst_port = c->iut.port, .seq = c->has_irs ? c->rcv_nxt : 0, .ack = c->snd_nxt, .flags = PKT_RST | PKT_ACK};
    saboteur_emit(saboteur, &own);
    ssize_t len = pkt_build(saboteur->builder, &spec, s->bytes, SEGMENT_BYTES_MAX);
    s->len = len > 0 ? (size_t)len : 0;
    s->dropped = len <= 0;
    pkt_parse(s->bytes, s->len, &s->packet);
}

/* ---- answered, though nothing is to be said */

static struct pkt_spec answer_to(const struct segment *s)
{
    const struct packet *p = &s->packet;
    return (struct pkt_spec){.protocol = PKT_PROTO_TCP, .src = p->ip.dst, .dst = p->ip.src, .src_port = p->tcp.dst_port, .dst_port = p->tcp.src_port};
}

static void answer_with_reset(struct saboteur *saboteur, struct segment *s)
{
    struct pkt_spec spec = answer_to(s);
    spec.src = saboteur->base.info.iut[s->packet.ip.version == 6]; /* whatever address it came to */
    bool has_ack = segment_has(s, PKT_ACK);
    spec.flags = has_ack ? PKT_RST : PKT_RST | PKT_ACK;
    spec.seq = has_ack ? s->packet.tcp.ack : 0;
    spec.ack = has_ack ? 0 : s->packet.tcp.seq + pkt_seg_len(&s->packet.tcp);
    saboteur_emit(saboteur, &spec);
}

static void answer_with_ack(struct saboteur *saboteur, struct segment *s)
{
    const struct connection *c = s->connection;
    struct pkt_spec spec = answer_to(s);
    struct pkt_options came;
    struct pkt_option_buffer options = {0};
    pkt_options_read(s->packet.tcp.options, s->packet.tcp.options_len, &came);
    if (c->has_ts_sent && came.has_timestamp)
        pkt_put_timestamp(&options, c->last_ts_sent, came.ts_val);
    spec.flags = PKT_ACK;
    spec.seq = c->snd_nxt;
    spec.ack = c->rcv_nxt;
    spec.window = c->last_window ? c->last_window : (uint16_t)(c->rcv_wnd < UINT16_MAX ? c->rcv_wnd : UINT16_MAX);
    spec.options = options.bytes;
    spec.options_len = options.len;
    saboteur_emit(saboteur, &spec);
}

/* The answer it would have given, without the timer knowing. */
static void answer_and_hide(struct saboteur *saboteur, struct segment *s)
{
    answer_with_ack(saboteur, s);
    s->dropped = true;
}

static const struct fault faults[] = {
    {"deaf-to-syn", "does not see SYNs, nor SYN-ACKs", .matches = any_syn, .act = hide},
    {"deaf-to-ack", "does not see ACKs that are nothing else", .matches = segment_is_pure_ack, .act = hide},
    {"deaf-to-rst", "does not see RSTs", .matches = reset, .act = hide},
    {"rst-leaves-timers", "forgets a connection that a RST ends, but goes on sending what it had to send", .matches = reset, .act = forget_half,
     .replace = connection_denied},
    {"deaf-to-fin", "does not see FIN flags; the data with them it does", .matches = fin, .act = hide_fin},
    {"deaf-to-data", "does not see segments with data", .matches = segment_is_data, .act = hide},
    {"deaf-to-icmp", "does not see ICMP errors", .matches = segment_is_icmp_error, .act = hide},
    {"deaf-to-urgent", "does not see URG flags and urgent pointers", .matches = urgent, .act = hide_urgent},
    {"syn-fin-dropped", "drops a SYN that carries FIN, and says nothing", .matches = syn_with_fin, .act = hide},
    {"syn-text-dropped", "drops a SYN that carries data, and says nothing", .matches = syn_with_data, .act = hide},
    {"syn-in-window-hidden", "does not see a SYN in the window of a connection", .matches = syn_in_window, .act = hide},
    {"out-of-order-dropped", "drops data that is not the next, and says nothing", .matches = ahead, .act = hide},
    {"overlap-hidden", "drops data of which a part came before, and says nothing", .matches = overlapping, .act = hide},
    {"zero-window-hidden", "takes a zero window for one of 65535", .matches = window_zero, .act = open_window},
    {"options-stripped", "does not see TCP options", .matches = with_options, .act = strip_options},
    {"sack-hidden", "does not see SACK blocks", .matches = with_sack, .act = hide_sack},
    {"ts-hidden", "agrees on timestamps and then does not see any", .matches = timestamp_after_syn, .act = hide_timestamp},

    {"checksum-unchecked", "does not check TCP checksums", .matches = checksum_wrong, .act = mend_checksum},
    {"seq-unchecked", "takes any segment but a SYN, wherever outside of the window, for the next one", .matches = seq_wrong, .act = make_seq_next},
    {"gap-ignored", "takes a segment behind a gap for the next one", .matches = above_gap, .act = make_seq_next},
    {"ack-unchecked", "takes an acknowledgment of anything else for one of all it sent", .matches = ack_wrong, .act = make_ack_good},
    {"rst-seq-unchecked", "takes a RST whatever its numbers are", .matches = reset_off, .act = make_reset_good},
    {"rst-ack-unchecked", "takes any RST in SYN-SENT for an answer to its SYN", .matches = reset_in_syn_sent, .act = make_reset_answer_the_syn},
    {"ack-bit-added", "takes a segment without ACK (SYN, RST) for one that acknowledges all it sent", .matches = without_ack, .act = give_it_an_ack},
    {"paws-unchecked", "takes an old timestamp for a recent one", .matches = timestamp_old, .act = make_timestamp_recent},
    {"icmp-seq-unchecked", "takes an ICMP error for one about the connection whatever number it quotes", .matches = quotes_other_number,
     .act = quote_good_number},
    {"icmp-aborts", "resets a connection for any ICMP error about it", .matches = error_with_connection, .act = error_to_reset},
    {"mss-ignored", "does not heed the MSS that the peer offers, nor the default", .matches = any_syn, .act = raise_mss},
    {"wscale-ignored", "does not scale the windows that the peer offers", .matches = syn_with_wscale, .act = wscale_zero},
    {"window-ignored", "takes every window for one of 65535", .matches = window_other, .act = open_window},

    {"rst-extra", "answers every segment with a RST, even a RST, besides what it has to say", .matches = intact, .act = answer_with_reset},
    {"rst-answered", "answers a RST with a RST", .matches = reset, .act = answer_with_reset},
    {"time-wait-not-restarted", "acknowledges the peer's FIN in TIME-WAIT, but does not restart the timer", .matches = fin_in_time_wait,
     .act = answer_and_hide},
    {"group-address-answered", "answers with a RST what comes to or from a multicast, broadcast or loopback address", .matches = to_or_from_no_host,
     .act = answer_with_reset},
    {"ack-extra", "acknowledges an ACK that is nothing else", .matches = good_pure_ack, .act = answer_with_ack},
};
const struct fault_group input_faults = {SABOTEUR_INPUT, faults, sizeof faults / sizeof *faults};

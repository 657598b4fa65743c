/* The octets themselves: what is sent again is what was sent first, and what the application gave; what it is given is what came.
 *
 * Two streams are held by their sequence numbers, each in at most OCTETS_SPAN_MAX octets of memory (octets.h). That of the IUT
 * holds what the application SENT, where that is told, and what was seen on the wire, from its first transmission until the peer
 * acknowledges it. That of the peer holds what came until the application receives it, and is kept only where the application
 * is known. What was forgotten, cut short by a capture or damaged on the way is not compared.
 *
 * Not compared either: the octet of a keep-alive (SEG.SEQ = SND.NXT-1, RFC 9293 §3.8.4 allows garbage), which lies before what is
 * held once the peer's ACK was seen; in a capture, which may have missed that ACK, no single octet at SND.NXT-1 is. A window probe
 * carries the next octet of the stream, and is held like any other. Data on a SYN begins at SEG.SEQ+1, sent again behind the SYN or
 * not. Where the peer itself sends two different octets under one number, either may be delivered: from there on nothing is
 * compared.
 *
 * Urgent data (§3.8.5) is judged where the application is known and tells it (the name of a SEND is "MSG_OOB"): the pointer must be
 * the end of an urgent SEND. A capture does not say which octets are urgent. */
#include "engine/model/inside.h"

#include <inttypes.h>
#include <string.h>

static bool application_counts(const struct judge *j)
{
    return j->host->application_known && !judge_is_lossy(j) && j->out.begun;
}

/* The number after the last octet that the application has SENT. */
static uint32_t end_of_sends(const struct judge *j)
{
    return j->out.iss + 1 + (uint32_t)j->calls.sent;
}

void content_release(struct judge *j)
{
    octets_release(&j->content.out, &j->host->octets);
    octets_release(&j->content.in, &j->host->octets);
}

/* ---- outputs ------------------------------------------------------------------------------------------------------- */

/* The checksum is what a host leaves in the field when its network card is to complete it: the sum of the pseudo header. A packet
 * that was damaged on the way does not look so. */
static bool left_to_the_card(const struct segment *s)
{
    const struct pkt_ip *ip = &s->packet->ip;
    uint32_t sum = (uint16_t)~pkt_transport_checksum(&ip->src, &ip->dst, PKT_PROTO_TCP, NULL, 0) + s->packet->payload_len;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return s->tcp->checksum == sum;
}

/* Are the octets those that were sent? */
static bool is_sound(const struct judge *j, const struct segment *s)
{
    if (!s->whole || s->tcp->flags & PKT_RST)
        return false;
    return s->tcp->checksum_ok || (j->host->offload && left_to_the_card(s));
}

static void report_change(struct judge *j, const struct segment *s, uint32_t at, uint8_t is)
{
    bool again = seq_lt(at, j->out.nxt);
    char number[NUMBER_TEXT_MAX];
    judge_find(j, again ? RULE_RETRANSMISSION_CHANGED : RULE_SEND_CHANGED, s, 0,
               again ? "the octets of the first transmission" : "the octets that the application gave",
               "octet %s is 0x%02x, %s 0x%02x", side_number(&j->out, at, number), is, again ? "but was first sent as" : "where the application gave",
               (unsigned)octets_at(&j->content.out, at));
}

static void watch_octets(struct judge *j, const struct segment *s)
{
    uint32_t left = s->seq + (s->tcp->flags & PKT_SYN ? 1 : 0), len = s->tcp->payload_len, at;
    const uint8_t *data = s->tcp->payload;
    struct octets *held = &j->content.out;
    if (!is_sound(j, s) || (judge_is_lossy(j) && len == 1 && left + 1 == j->out.nxt))
        return;
    if (held->count > 0 && seq_lt(left, held->ranges[held->count - 1].right)) {
        judge_tested(j, seq_lt(left, j->out.nxt) ? RULE_RETRANSMISSION_CHANGED : RULE_SEND_CHANGED);
        if (octets_differ(held, left, data, len, &at)) {
            report_change(j, s, at, data[at - left]);
            return;
        }
    }
    if (j->in.ack_known && seq_lt(left, j->in.ack)) { /* acknowledged: nobody needs it any more */
        uint32_t known = j->in.ack - left;
        if (known >= len)
            return;
        left += known;
        data += known;
        len -= known;
    }
    octets_hold(held, left, data, len, &j->host->octets);
}

/* RFC 9293 §3.9.1.2: without a PUSH flag in its interface an endpoint sets PSH in the last segment it has buffered. A FIN says the
 * same. */
static void watch_push(struct judge *j, const struct segment *s)
{
    if (s->tcp->flags & PKT_SYN || seq_le(s->end, j->out.nxt) || s->end != end_of_sends(j) || j->calls.push_withheld ||
        j->host->link != JUDGE_SYNCHRONOUS)
        return;
    judge_tested(j, RULE_PSH_ON_LAST);
    portrait_note(&j->host->portrait, CHOICE_PSH_ON_LAST, s->tcp->flags & PKT_PSH ? 1 : 0);
    if (!(s->tcp->flags & PKT_PSH))
        judge_find(j, RULE_PSH_ON_LAST, s, 0, "PSH set in this segment",
                   "the application has given no more than these %" PRIu64 " octets", j->calls.sent);
}

static void watch_amount(struct judge *j, const struct segment *s)
{
    uint32_t limit = end_of_sends(j), end = s->end - (s->tcp->flags & PKT_FIN ? 1 : 0);
    char number[NUMBER_TEXT_MAX];
    if (s->tcp->payload_len > 0) {
        judge_tested(j, RULE_DATA_WITHOUT_SEND);
        if (seq_gt(end, limit))
            judge_find(j, RULE_DATA_WITHOUT_SEND, s, 0, "only data that the application has given",
                       "the data goes up to %s, but the application has SENT %" PRIu64 " octets", side_number(&j->out, end, number),
                       j->calls.sent);
        else
            watch_push(j, s);
    }
    if (s->tcp->flags & PKT_FIN) {
        judge_tested(j, RULE_FIN_BEFORE_DATA);
        if (seq_lt(end, limit))
            judge_find(j, RULE_FIN_BEFORE_DATA, s, 0, "a FIN behind all octets that the application has given",
                       "the FIN is number %s, but the application has SENT %" PRIu64 " octets", side_number(&j->out, end, number),
                       j->calls.sent);
    }
}

/* RFC 9293 §3.8.5: the pointer is the octet following the urgent data; one that is out of reach is stated as 65535. */
static void watch_urgent(struct judge *j, const struct segment *s)
{
    uint32_t pointer = s->seq + s->tcp->urgent;
    char number[NUMBER_TEXT_MAX];
    if (j->calls.urgent_count == 0 || j->calls.urgent_count > CALLS_URGENT_MAX)
        return;
    judge_tested(j, RULE_URGENT_POINTER);
    for (unsigned i = 0; i < j->calls.urgent_count; i++) {
        uint32_t end = j->out.iss + 1 + j->calls.urgent_ends[i];
        if (pointer == end || (s->tcp->urgent == UINT16_MAX && seq_gt(end, pointer)))
            return;
    }
    judge_find(j, RULE_URGENT_POINTER, s, 0, "the number of the octet after the urgent data",
               "the pointer says %s, where no urgent data ends", side_number(&j->out, pointer, number));
}

void content_output(struct judge *j, const struct segment *s)
{
    if ((s->tcp->flags & (PKT_SYN | PKT_ACK)) == PKT_SYN)
        j->content.attached = true;
    if (s->tcp->payload_len > 0)
        watch_octets(j, s);
    if (!application_counts(j) || s->tcp->flags & PKT_RST)
        return;
    if (s->len > 0)
        watch_amount(j, s);
    if (s->tcp->flags & PKT_URG)
        watch_urgent(j, s);
}

void content_forget_stream(struct judge *j)
{
    struct calls_watch *c = &j->calls;
    c->sent = c->received = 0;
    c->urgent_count = 0;
    c->failed = false;
}

/* ---- inputs -------------------------------------------------------------------------------------------------------- */

/* No window reaches there; to hold it would leave no room for what may be received. */
static bool is_far_away(const struct judge *j, uint32_t left)
{
    enum { FAR = 1 << 20 };
    const int32_t from_ack = seq_distance(j->out.ack, left), from_edge = seq_distance(j->out.edge, left);
    return j->out.ack_known && (from_ack < -FAR || (from_ack > 0 && from_edge > FAR));
}

/* What the application may be given. */
static void hold_input(struct judge *j, const struct segment *s)
{
    struct content_watch *w = &j->content;
    uint32_t left = s->seq + (s->tcp->flags & PKT_SYN ? 1 : 0), at;
    if (s->tcp->flags & PKT_URG)
        w->in_mixed = true; /* urgent octets may be taken out of the stream */
    if (w->in_mixed || !s->whole || s->tcp->flags & PKT_RST || is_far_away(j, left))
        return;
    if (octets_differ(&w->in, left, s->tcp->payload, s->tcp->payload_len, &at)) {
        w->in_mixed = true;
        octets_release(&w->in, &j->host->octets);
        return;
    }
    octets_hold(&w->in, left, s->tcp->payload, s->tcp->payload_len, &j->host->octets);
}

void content_input(struct judge *j, const struct segment *s)
{
    uint32_t ack = s->tcp->ack;
    if (s->tcp->flags & PKT_ACK && j->content.out.count > 0 && seq_gt(ack, j->content.out.ranges[0].left) &&
        seq_le(ack, j->out.nxt))
        octets_forget(&j->content.out, ack, &j->host->octets);
    if (s->tcp->payload_len > 0 && j->host->application_known && !judge_is_lossy(j))
        hold_input(j, s);
}

/* ---- the application ----------------------------------------------------------------------------------------------- */

static void note_send(struct judge *j, const struct judge_call *call)
{
    struct calls_watch *c = &j->calls;
    struct octets *held = &j->content.out;
    uint32_t left = end_of_sends(j), len = (uint32_t)call->amount;
    c->sent += (uint64_t)call->amount;
    if (call->name && !strcmp(call->name, "MSG_OOB"))
        c->urgent_ends[c->urgent_count++ % CALLS_URGENT_MAX] = (uint32_t)c->sent;
    if (call->name && !strcmp(call->name, "MSG_MORE"))
        c->push_withheld = true;
    if (!call->data || !application_counts(j))
        return;
    if (held->count > 0) { /* what goes out first is kept, rather than what came last */
        uint32_t room = OCTETS_SPAN_MAX - (left - held->ranges[0].left);
        if (left - held->ranges[0].left >= OCTETS_SPAN_MAX)
            return;
        len = len < room ? len : room;
    }
    if (len > OCTETS_SPAN_MAX)
        len = OCTETS_SPAN_MAX;
    octets_hold(held, left, call->data, len, &j->host->octets);
}

/* How many octets the peer has sent without a gap; of a FIN with text behind it, only that it may not count. */
static uint32_t octets_come(const struct judge *j)
{
    uint32_t end = j->in.gapless;
    if (j->in.fin_seen && !j->in.odd_fin_count && j->in.fin + 1 == end)
        end = j->in.fin;
    return end - j->in.iss - 1;
}

static void compare_received(struct judge *j, const struct judge_call *call, uint32_t left, int64_t at_ns)
{
    uint32_t at, len = (uint32_t)call->amount;
    if (call->data && !j->content.in_mixed && j->content.in.count > 0) {
        judge_tested(j, RULE_RECEIVE_CHANGED);
        if (octets_differ(&j->content.in, left, call->data, len, &at)) {
            char number[NUMBER_TEXT_MAX];
            judge_find_silence(j, RULE_RECEIVE_CHANGED, 0, at_ns, "the octets that the peer sent",
                               "octet %s came as 0x%02x, and was given as 0x%02x", side_number(&j->in, at, number),
                               (unsigned)octets_at(&j->content.in, at), call->data[at - left]);
        }
    }
    if (j->content.in.count > 0)
        octets_forget(&j->content.in, left + len, &j->host->octets);
}

/* §3.6: the application is told of the peer's FIN when it has come, behind all data. recv() says 0 as well once a connection has
 * failed, or after shutdown(SHUT_RD). */
static void watch_end_of_file(struct judge *j, int64_t at_ns)
{
    static const unsigned open = 1u << TCP_STATE_ESTABLISHED | 1u << TCP_STATE_FIN_WAIT_1 | 1u << TCP_STATE_FIN_WAIT_2;
    if (j->calls.failed || !judge_is_exact(j))
        return;
    judge_tested(j, RULE_END_WITHOUT_FIN);
    if ((!j->in.fin_seen || seq_le(j->in.gapless, j->in.fin)) && !j->in.odd_fin_count && judge_must_be(j, open))
        judge_find_silence(j, RULE_END_WITHOUT_FIN, 0, at_ns, "the application waits on", "%s",
                           j->in.fin_seen ? "data before the FIN is missing" : "the peer has sent no FIN");
}

static void note_receive(struct judge *j, const struct judge_call *call, int64_t at_ns)
{
    uint32_t left = j->in.iss + 1 + (uint32_t)j->calls.received;
    if (judge_is_lossy(j) || !j->host->application_known || !j->in.begun || !j->content.attached)
        return;
    if (call->amount == 0) {
        watch_end_of_file(j, at_ns);
        return;
    }
    j->calls.received += (uint64_t)call->amount;
    if (!judge_is_exact(j)) /* what it takes for a sequence is not known any more */
        return;
    judge_tested(j, RULE_RECEIVE_BEYOND);
    if ((int32_t)((uint32_t)j->calls.received - octets_come(j)) > 0)
        judge_find_silence(j, RULE_RECEIVE_BEYOND, 0, at_ns, "only what has come without a gap",
                           "%" PRIu64 " octets were given to it, but only %" PRIu32 " have come in sequence", j->calls.received,
                           octets_come(j));
    compare_received(j, call, left, at_ns);
}

static void note_option(struct calls_watch *c, const struct judge_call *call)
{
    static const char *const of_timers[] = {"TCP_USER_TIMEOUT", "TCP_SYNCNT", "TCP_THIN_LINEAR_TIMEOUTS", "TCP_RTO_MIN_US",
                                            "TCP_RTO_MAX_MS", "TCP_MAXRT"};
    for (size_t i = 0; i < sizeof of_timers / sizeof *of_timers; i++)
        c->timers_configured |= !strcmp(call->name, of_timers[i]);
    c->discovery_configured |= strstr(call->name, "MTU") != NULL;
    if (!strcmp(call->name, "SHUT_RD"))
        c->failed = true;
    else if (!strcmp(call->name, "TCP_CORK") || !strcmp(call->name, "TCP_NOPUSH"))
        c->push_withheld = true;
    else if (!strcmp(call->name, "SO_KEEPALIVE"))
        c->keep_alive_asked |= call->amount != 0; /* one that was asked for may be under way when they are turned off */
    else if (!strcmp(call->name, "TCP_KEEPIDLE") && call->amount <= 0)
        c->keep_idle_any = true;
    else if (!strcmp(call->name, "TCP_KEEPIDLE") && (!c->keep_idle_s || call->amount < c->keep_idle_s))
        c->keep_idle_s = call->amount;
}

void content_call(struct judge *j, const struct judge_call *call, int64_t at_ns)
{
    switch (call->kind) {
    case JUDGE_CALL_CONNECT:
    case JUDGE_CALL_ACCEPT:
        content_forget_stream(j);
        j->content.attached |= call->kind == JUDGE_CALL_ACCEPT;
        break;
    case JUDGE_CALL_SEND:
        note_send(j, call);
        break;
    case JUDGE_CALL_RECEIVE:
        note_receive(j, call, at_ns);
        break;
    case JUDGE_CALL_ERROR:
        j->calls.failed = true;
        break;
    case JUDGE_CALL_OPTION:
        note_option(&j->calls, call);
        break;
    default:
        break;
    }
}

/* Follows the states of both sides (RFC 9293 §3.3.2) from the segments seen near the client.
 *
 * States are those that a conforming host is in once it has dealt with the segment; whether the server has got a segment shows in
 * its answers only. So where a SYN is answered by nothing, the server's state is unknown, and one that answers with RST was CLOSED.
 */
#include "engine/probe/ladder.h"

#include <string.h>

#include "engine/packet/seq.h"

enum { CLIENT, SERVER };

static enum tcp_state after_sending_fin(enum tcp_state state)
{
    return state == TCP_STATE_CLOSE_WAIT ? TCP_STATE_LAST_ACK
         : state == TCP_STATE_ESTABLISHED || state == TCP_STATE_SYN_RECEIVED ? TCP_STATE_FIN_WAIT_1 : state;
}

static enum tcp_state after_fin_acked(enum tcp_state state)
{
    return state == TCP_STATE_FIN_WAIT_1 ? TCP_STATE_FIN_WAIT_2 : state == TCP_STATE_CLOSING ? TCP_STATE_TIME_WAIT
         : state == TCP_STATE_LAST_ACK ? TCP_STATE_CLOSED : state;
}

static enum tcp_state after_receiving_fin(enum tcp_state state)
{
    return state == TCP_STATE_ESTABLISHED || state == TCP_STATE_SYN_RECEIVED ? TCP_STATE_CLOSE_WAIT
         : state == TCP_STATE_FIN_WAIT_1 ? TCP_STATE_CLOSING : state == TCP_STATE_FIN_WAIT_2 ? TCP_STATE_TIME_WAIT : state;
}

static void follow_syn(struct ladder *ladder, const struct pkt_tcp *t, int from)
{
    ladder->side[from].first = t->seq;
    ladder->side[from].has_first = true;
    if (!(t->flags & PKT_ACK)) {
        ladder->side[from].state = TCP_STATE_SYN_SENT;
        ladder->side[!from].state = from == CLIENT ? LADDER_UNKNOWN : ladder->side[!from].state;
    } else {
        ladder->side[from].state = TCP_STATE_SYN_RECEIVED;
        if (ladder->side[!from].state == TCP_STATE_SYN_SENT)
            ladder->side[!from].state = TCP_STATE_ESTABLISHED;
    }
}

static void follow_ack(struct ladder *ladder, const struct pkt_tcp *t, int from)
{
    const int to = !from;
    if (ladder->side[to].state == TCP_STATE_SYN_RECEIVED && t->ack == ladder->side[to].first + 1)
        ladder->side[to].state = TCP_STATE_ESTABLISHED;
    if (ladder->side[to].fin_sent && seq_ge(t->ack, ladder->side[to].fin_ack))
        ladder->side[to].state = after_fin_acked(ladder->side[to].state);
}

static void follow_fin(struct ladder *ladder, const struct pkt_tcp *t, int from)
{
    if (!ladder->side[from].fin_sent)
        ladder->side[from].state = after_sending_fin(ladder->side[from].state);
    const bool again = ladder->side[from].fin_sent;
    ladder->side[from].fin_sent = true;
    ladder->side[from].fin_ack = t->seq + pkt_seg_len(t);
    if (!again)
        ladder->side[!from].state = after_receiving_fin(ladder->side[!from].state);
}

static void follow(struct ladder *ladder, const struct pkt_tcp *t, int from)
{
    if (t->flags & PKT_RST) {
        ladder->side[CLIENT].state = ladder->side[SERVER].state = TCP_STATE_CLOSED;
        return;
    }
    if (t->flags & PKT_SYN) {
        follow_syn(ladder, t, from);
        return;
    }
    if (t->flags & PKT_ACK)
        follow_ack(ladder, t, from);
    if (t->flags & PKT_FIN)
        follow_fin(ladder, t, from);
}

void ladder_add(struct ladder *ladder, const struct packet *segment, bool from_client, int64_t at_ns)
{
    const struct pkt_tcp *t = &segment->tcp;
    const int from = from_client ? CLIENT : SERVER;
    if (ladder->count == LADDER_MAX) {
        ladder->cut = true;
        return;
    }
    if (!ladder->count) {
        ladder->first_ns = at_ns;
        ladder->side[CLIENT].state = TCP_STATE_CLOSED;
        ladder->side[SERVER].state = LADDER_UNKNOWN;
    }
    follow(ladder, t, from);
    struct ladder_rung *rung = &ladder->rungs[ladder->count++];
    *rung = (struct ladder_rung){
        .at_ns = at_ns - ladder->first_ns, .from_client = from_client, .flags = t->flags, .window = t->window,
        .seq = t->seq, .ack = t->flags & PKT_ACK ? t->ack : 0, .payload_len = t->payload_len,
        .rel_seq = ladder->side[from].has_first ? t->seq - ladder->side[from].first : 0,
        .rel_ack = t->flags & PKT_ACK && ladder->side[!from].has_first ? t->ack - ladder->side[!from].first : 0,
        .client = ladder->side[CLIENT].state, .server = ladder->side[SERVER].state,
    };
    if (t->options_len)
        pkt_format_options(t->options, t->options_len, rung->options, sizeof rung->options);
}

/* What the server was in when a SYN reached it shows in its first answer. */
void ladder_end(struct ladder *ladder)
{
    unsigned answer = 0;
    while (answer < ladder->count && ladder->rungs[answer].from_client)
        answer++;
    if (answer == ladder->count)
        return;
    const uint16_t flags = ladder->rungs[answer].flags;
    const enum tcp_state was = flags & PKT_RST ? TCP_STATE_CLOSED : flags & PKT_SYN ? TCP_STATE_SYN_RECEIVED : LADDER_UNKNOWN;
    for (unsigned i = 0; i < answer; i++)
        ladder->rungs[i].server = ladder->rungs[i].server == LADDER_UNKNOWN ? was : ladder->rungs[i].server;
}

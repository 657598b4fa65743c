/* The ways into each state: RFC 9293 §3.5 and §3.6 as preambles, put together from the pieces that connections are made of.
 *
 * "passive": the IUT listened and the tester connected; "active": the other way round; "simultaneous": both at once (§3.5, figure
 * 8). What follows is a state's name for how it got there, or for what else is the case when the event arrives: data            the
 * IUT has text outstanding, unacknowledged       blocked       … that it cannot send: our window is closed zero-window     nobody
 * reads, and the IUT's window is closed        small-window  a segment fills its window out-of-order    it holds a segment behind a
 * gap                     closed        the application has closed, and is gone wrap            RCV.NXT is 2^32-5: the event
 * crosses the wrap       wrap-at       RCV.NXT is 0, all that is old lies before it stamped         timestamps are in use ipv6 the
 * same over IPv6 A state that follows on others without variation (TIME-WAIT after FIN-WAIT-2 or CLOSING) says through which it
 * came.
 *
 * Where a preamble waits for a segment it takes any that fits; what else comes is the model's to judge.
 */
#include "engine/scenario/matrix/inside.h"

#define ISN 4000000000u         /* far from the wrap: windows are 65535 at most, unless scaled */
#define ISN_OF(rcv_nxt) ((uint32_t)((rcv_nxt) - 1u)) /* RCV.NXT right after the handshake */

/* ---- pieces ------------------------------------------------------------------------------------------------------- */

#define LISTENS \
    " 0      socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n" \
    "+0      setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0\n" /* ports come round while others linger in TIME-WAIT */ \
    "+0      bind(3, ..., ...) = 0\n" \
    "+0      listen(3, 1) = 0\n"
#define LISTENS_SMALL \
    " 0      socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n" \
    "+0      setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0\n" \
    "+0      setsockopt(3, SOL_SOCKET, SO_RCVBUF, [2048], 4) = 0\n" \
    "+0      bind(3, ..., ...) = 0\n" \
    "+0      listen(3, 1) = 0\n"
#define SYN_COMES \
    "+0      < S  0:0(0) win 65535 " MARK_SYN "\n" \
    MARK_SYN_ACK
#define ACCEPTS \
    "+0      < .  1:1(0) ack 1 win 65535" MARK_OPTIONS "\n" \
    "+0      accept(3, ..., ...) = 4\n"
#define PASSIVE LISTENS, SYN_COMES ACCEPTS
#define PASSIVE_SMALL LISTENS_SMALL, SYN_COMES ACCEPTS

#define CONNECTS \
    " 0      socket(..., SOCK_STREAM, IPPROTO_TCP) = 4\n" \
    "+0      fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n" \
    "+0      connect(4, @a, ...) = -1 EINPROGRESS (Operation now in progress)\n" \
    "*       > S  0:0(0) <...>\n"
#define SYN_ACK_COMES \
    "+0      < S. 0:0(0) ack 1 win 65535 " MARK_SYN "\n" \
    "*       > .  1:1(0) ack 1\n"
#define ACTIVE CONNECTS, SYN_ACK_COMES
#define SYNS_CROSS /* with window scaling: some stacks repeat it in their SYN-ACK, offered or not, which would be found here in each case */ \
    "+0      < S  0:0(0) win 65535 <mss 1460, wscale 0>\n" \
    "*       > S. 0:0(0) ack 1 <...>\n"
#define SIMULTANEOUS CONNECTS, SYNS_CROSS "+0      < .  1:1(0) ack 1 win 65535" MARK_OPTIONS "\n"

#define SENDS_TEXT \
    "+0      write(4, ..., 100) = 100\n" \
    "*       gather 1:101\n"
#define IS_BLOCKED \
    "+0      < .  1:1(0) ack 1 win 0" MARK_OPTIONS "\n" \
    "fence\n" \
    "+0      write(4, ..., 100) = 100\n"
#define HOLDS_TEXT_BEHIND_A_GAP(ack) "+0      < P. 11:21(10) ack " ack " win 65535" MARK_OPTIONS "\n"
#define WINDOW_CLOSES /* octet by octet at last: a receiver may offer no more than it can take */ \
    "repeat 100 {\n" \
    "    repeat (window() > 0) {\n" \
    "        +0      < P. snd_una():snd_una()+min(window(), 500)(min(window(), 500)) ack 1\n" \
    "        *       > .  1:1(0) ack snd_nxt()\n" \
    "    }\n" \
    "}\n" \
    "assert (window() == 0) \"the window is closed\"\n"

#define SHUTS "+0      shutdown(4, SHUT_WR) = 0\n*       > F. 1:1(0)\n"
#define SHUTS_AFTER_TEXT "+0      shutdown(4, SHUT_WR) = 0\n*       gather 101:102\n"
#define SHUTS_AFTER_FIN SHUTS
#define CLOSES "+0      close(4) = 0\n*       > F. 1:1(0)\n"
#define FIN_ACKED "+0      < .  snd_una():snd_una()(0) ack 2 win 65535" MARK_OPTIONS "\n"
#define FIN_COMES "+0      < F. 1:1(0) ack 1 win 65535" MARK_OPTIONS "\n*       > .  ack 2\n"            /* the IUT's own is not acknowledged */
#define FIN_COMES_LAST "+0      < F. 1:1(0) ack 2 win 65535" MARK_OPTIONS "\n*       > .  2:2(0) ack 2\n" /* it is */
#define ALL_ACKED "+0      < .  2:2(0) ack 2 win 65535" MARK_OPTIONS "\n"

#define APP WAY_APPLICATION
#define WRAP ISN_OF(UINT32_C(0xfffffffb))
#define WRAP_AT ISN_OF(UINT32_C(0))

/* ---- the ways ----------------------------------------------------------------------------------------------------- */

const struct way matrix_ways[] = {
    {"matrix/closed/no-listener", TCP_STATE_CLOSED, 0, EVENTS_NO_CONNECTION, ISN, 0, 0, {" 0      wait\n"}},
    {"matrix/closed/refused", TCP_STATE_CLOSED, WAY_ACTIVE, EVENTS_NO_CONNECTION_FEW, ISN, 0, 1,
     {CONNECTS, "+0      < R. 0:0(0) ack 1\n"}},
    {"matrix/closed/reset", TCP_STATE_CLOSED, 0, EVENTS_NO_CONNECTION_FEW, ISN, 0, 1,
     {PASSIVE, "+0      close(3) = 0\n+0      < R  1:1(0)\n"}},
    {"matrix/closed/aborted", TCP_STATE_CLOSED, 0, EVENTS_NO_CONNECTION_FEW, ISN, 0, 1,
     {PASSIVE, "+0      close(3) = 0\n+0      setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0\n+0      close(4) = 0\n"}},
    {"matrix/closed/last-ack", TCP_STATE_CLOSED, 0, EVENTS_NO_CONNECTION_FEW, ISN, 0, 1,
     {PASSIVE, "+0      close(3) = 0\n", FIN_COMES, SHUTS_AFTER_FIN, ALL_ACKED}},
    {"matrix/closed/ipv6", TCP_STATE_CLOSED, WAY_IPV6, EVENTS_NO_CONNECTION_FEW, ISN, 0, 0, {" 0      wait\n"}},

    {"matrix/listen/passive", TCP_STATE_LISTEN, 0, EVENTS_NO_CONNECTION, ISN, 0, 0, {LISTENS}},
    {"matrix/listen/returned", TCP_STATE_LISTEN, 0, EVENTS_NO_CONNECTION_FEW, ISN, 0, 0,
     {LISTENS, SYN_COMES, "+0      < R  1:1(0)\n"}},
    {"matrix/listen/ipv6", TCP_STATE_LISTEN, WAY_IPV6, EVENTS_NO_CONNECTION_FEW, ISN, 0, 0, {LISTENS}},

    {"matrix/syn-sent/active", TCP_STATE_SYN_SENT, WAY_ACTIVE | APP, EVENTS_SYN_SENT, ISN, 0, 1, {CONNECTS}},
    {"matrix/syn-sent/ipv6", TCP_STATE_SYN_SENT, WAY_ACTIVE | WAY_IPV6 | APP, EVENTS_SYN_SENT_FEW, ISN, 0, 1, {CONNECTS}},

    {"matrix/syn-received/passive", TCP_STATE_SYN_RECEIVED, 0, EVENTS_CONNECTED, ISN, 0, 1, {LISTENS, SYN_COMES}},
    {"matrix/syn-received/simultaneous", TCP_STATE_SYN_RECEIVED, WAY_ACTIVE | APP, EVENTS_CONNECTED, ISN, 0, 1,
     {CONNECTS, SYNS_CROSS}},
    {"matrix/syn-received/wrap", TCP_STATE_SYN_RECEIVED, 0, EVENTS_CONNECTED_SHORT, WRAP, 0, 1, {LISTENS, SYN_COMES}},
    {"matrix/syn-received/stamped", TCP_STATE_SYN_RECEIVED, WAY_STAMPED, EVENTS_STAMPED, ISN, 0, 1, {LISTENS, SYN_COMES}},
    {"matrix/syn-received/ipv6", TCP_STATE_SYN_RECEIVED, WAY_IPV6, EVENTS_CONNECTED_FEW, ISN, 0, 1, {LISTENS, SYN_COMES}},

    {"matrix/established/passive", TCP_STATE_ESTABLISHED, APP, EVENTS_CONNECTED, ISN, 1, 1, {PASSIVE}},
    {"matrix/established/active", TCP_STATE_ESTABLISHED, WAY_ACTIVE | APP, EVENTS_CONNECTED, ISN, 1, 1, {ACTIVE}},
    {"matrix/established/simultaneous", TCP_STATE_ESTABLISHED, WAY_ACTIVE | APP, EVENTS_CONNECTED_SHORT, ISN, 1, 1, {SIMULTANEOUS}},
    {"matrix/established/data", TCP_STATE_ESTABLISHED, APP, EVENTS_CONNECTED_SHORT, ISN, 1, 101, {PASSIVE, SENDS_TEXT}},
    {"matrix/established/blocked", TCP_STATE_ESTABLISHED, APP, EVENTS_CONNECTED_SHORT, ISN, 1, 1, {PASSIVE, IS_BLOCKED}},
    {"matrix/established/zero-window", TCP_STATE_ESTABLISHED, APP | WAY_WINDOW_CLOSED, EVENTS_CONNECTED_SHORT, ISN, 1, 1,
     {PASSIVE_SMALL, WINDOW_CLOSES}},
    {"matrix/established/small-window", TCP_STATE_ESTABLISHED, APP, EVENTS_SMALL_WINDOW, ISN, 1, 1, {PASSIVE_SMALL}},
    {"matrix/established/out-of-order", TCP_STATE_ESTABLISHED, APP, EVENTS_CONNECTED_SHORT, ISN, 1, 1,
     {PASSIVE, HOLDS_TEXT_BEHIND_A_GAP("1")}},
    {"matrix/established/wrap", TCP_STATE_ESTABLISHED, APP, EVENTS_CONNECTED_SHORT, WRAP, 1, 1, {PASSIVE}},
    {"matrix/established/wrap-at", TCP_STATE_ESTABLISHED, APP, EVENTS_CONNECTED_SHORT, WRAP_AT, 1, 1, {PASSIVE}},
    {"matrix/established/stamped", TCP_STATE_ESTABLISHED, APP | WAY_STAMPED, EVENTS_STAMPED, ISN, 1, 1, {PASSIVE}},
    {"matrix/established/ipv6", TCP_STATE_ESTABLISHED, APP | WAY_IPV6, EVENTS_CONNECTED_FEW, ISN, 1, 1, {PASSIVE}},

    {"matrix/fin-wait-1/passive", TCP_STATE_FIN_WAIT_1, APP | WAY_FIN_UNACKED, EVENTS_CONNECTED, ISN, 1, 2, {PASSIVE, SHUTS}},
    {"matrix/fin-wait-1/active", TCP_STATE_FIN_WAIT_1, WAY_ACTIVE | APP | WAY_FIN_UNACKED, EVENTS_CONNECTED_SHORT, ISN, 1, 2,
     {ACTIVE, SHUTS}},
    {"matrix/fin-wait-1/simultaneous", TCP_STATE_FIN_WAIT_1, WAY_ACTIVE | APP, EVENTS_CONNECTED_SHORT, ISN, 1, 2,
     {SIMULTANEOUS, SHUTS}},
    {"matrix/fin-wait-1/closed", TCP_STATE_FIN_WAIT_1, 0, EVENTS_CONNECTED_SHORT, ISN, 1, 2, {PASSIVE, CLOSES}},
    {"matrix/fin-wait-1/data", TCP_STATE_FIN_WAIT_1, APP | WAY_FIN_UNACKED, EVENTS_CONNECTED_SHORT, ISN, 1, 102,
     {PASSIVE, SENDS_TEXT, SHUTS_AFTER_TEXT}},
    {"matrix/fin-wait-1/zero-window", TCP_STATE_FIN_WAIT_1, APP | WAY_WINDOW_CLOSED, EVENTS_CONNECTED_SHORT, ISN, 1, 2,
     {PASSIVE_SMALL, WINDOW_CLOSES, SHUTS}},
    {"matrix/fin-wait-1/out-of-order", TCP_STATE_FIN_WAIT_1, APP, EVENTS_CONNECTED_SHORT, ISN, 1, 2,
     {PASSIVE, HOLDS_TEXT_BEHIND_A_GAP("1"), SHUTS}},
    {"matrix/fin-wait-1/wrap", TCP_STATE_FIN_WAIT_1, APP, EVENTS_CONNECTED_SHORT, WRAP, 1, 2, {PASSIVE, SHUTS}},
    {"matrix/fin-wait-1/stamped", TCP_STATE_FIN_WAIT_1, APP | WAY_STAMPED, EVENTS_STAMPED, ISN, 1, 2, {PASSIVE, SHUTS}},
    {"matrix/fin-wait-1/ipv6", TCP_STATE_FIN_WAIT_1, APP | WAY_IPV6, EVENTS_CONNECTED_FEW, ISN, 1, 2, {PASSIVE, SHUTS}},

    {"matrix/fin-wait-2/passive", TCP_STATE_FIN_WAIT_2, APP, EVENTS_CONNECTED, ISN, 2, 2, {PASSIVE, SHUTS, FIN_ACKED}},
    {"matrix/fin-wait-2/active", TCP_STATE_FIN_WAIT_2, WAY_ACTIVE | APP, EVENTS_CONNECTED_SHORT, ISN, 2, 2,
     {ACTIVE, SHUTS, FIN_ACKED}},
    {"matrix/fin-wait-2/simultaneous", TCP_STATE_FIN_WAIT_2, WAY_ACTIVE | APP, EVENTS_CONNECTED_SHORT, ISN, 2, 2,
     {SIMULTANEOUS, SHUTS, FIN_ACKED}},
    {"matrix/fin-wait-2/closed", TCP_STATE_FIN_WAIT_2, 0, EVENTS_CONNECTED_SHORT, ISN, 2, 2, {PASSIVE, CLOSES, FIN_ACKED}},
    {"matrix/fin-wait-2/zero-window", TCP_STATE_FIN_WAIT_2, APP | WAY_WINDOW_CLOSED, EVENTS_CONNECTED_SHORT, ISN, 2, 2,
     {PASSIVE_SMALL, WINDOW_CLOSES, SHUTS, FIN_ACKED}},
    {"matrix/fin-wait-2/out-of-order", TCP_STATE_FIN_WAIT_2, APP, EVENTS_CONNECTED_SHORT, ISN, 2, 2,
     {PASSIVE, SHUTS, FIN_ACKED, HOLDS_TEXT_BEHIND_A_GAP("2")}},
    {"matrix/fin-wait-2/wrap", TCP_STATE_FIN_WAIT_2, APP, EVENTS_CONNECTED_SHORT, WRAP, 2, 2, {PASSIVE, SHUTS, FIN_ACKED}},
    {"matrix/fin-wait-2/stamped", TCP_STATE_FIN_WAIT_2, APP | WAY_STAMPED, EVENTS_STAMPED, ISN, 2, 2, {PASSIVE, SHUTS, FIN_ACKED}},
    {"matrix/fin-wait-2/ipv6", TCP_STATE_FIN_WAIT_2, APP | WAY_IPV6, EVENTS_CONNECTED_FEW, ISN, 2, 2, {PASSIVE, SHUTS, FIN_ACKED}},

    {"matrix/close-wait/passive", TCP_STATE_CLOSE_WAIT, APP, EVENTS_CONNECTED, ISN, 1, 1, {PASSIVE, FIN_COMES}},
    {"matrix/close-wait/active", TCP_STATE_CLOSE_WAIT, WAY_ACTIVE | APP, EVENTS_CONNECTED_SHORT, ISN, 1, 1, {ACTIVE, FIN_COMES}},
    {"matrix/close-wait/simultaneous", TCP_STATE_CLOSE_WAIT, WAY_ACTIVE | APP, EVENTS_CONNECTED_SHORT, ISN, 1, 1,
     {SIMULTANEOUS, FIN_COMES}},
    {"matrix/close-wait/data", TCP_STATE_CLOSE_WAIT, APP, EVENTS_CONNECTED_SHORT, ISN, 1, 101, {PASSIVE, SENDS_TEXT, FIN_COMES}},
    {"matrix/close-wait/wrap", TCP_STATE_CLOSE_WAIT, APP, EVENTS_CONNECTED_SHORT, WRAP, 1, 1, {PASSIVE, FIN_COMES}},
    {"matrix/close-wait/stamped", TCP_STATE_CLOSE_WAIT, APP | WAY_STAMPED, EVENTS_STAMPED, ISN, 1, 1, {PASSIVE, FIN_COMES}},
    {"matrix/close-wait/ipv6", TCP_STATE_CLOSE_WAIT, APP | WAY_IPV6, EVENTS_CONNECTED_FEW, ISN, 1, 1, {PASSIVE, FIN_COMES}},

    {"matrix/closing/passive", TCP_STATE_CLOSING, APP | WAY_FIN_UNACKED, EVENTS_CONNECTED, ISN, 1, 2, {PASSIVE, SHUTS, FIN_COMES}},
    {"matrix/closing/active", TCP_STATE_CLOSING, WAY_ACTIVE | APP | WAY_FIN_UNACKED, EVENTS_CONNECTED_SHORT, ISN, 1, 2,
     {ACTIVE, SHUTS, FIN_COMES}},
    {"matrix/closing/closed", TCP_STATE_CLOSING, 0, EVENTS_CONNECTED_SHORT, ISN, 1, 2, {PASSIVE, CLOSES, FIN_COMES}},
    {"matrix/closing/data", TCP_STATE_CLOSING, APP | WAY_FIN_UNACKED, EVENTS_CONNECTED_SHORT, ISN, 1, 102,
     {PASSIVE, SENDS_TEXT, SHUTS_AFTER_TEXT, FIN_COMES}},
    {"matrix/closing/wrap", TCP_STATE_CLOSING, APP, EVENTS_CONNECTED_SHORT, WRAP, 1, 2, {PASSIVE, SHUTS, FIN_COMES}},
    {"matrix/closing/stamped", TCP_STATE_CLOSING, APP | WAY_STAMPED, EVENTS_STAMPED, ISN, 1, 2, {PASSIVE, SHUTS, FIN_COMES}},
    {"matrix/closing/ipv6", TCP_STATE_CLOSING, APP | WAY_IPV6, EVENTS_CONNECTED_FEW, ISN, 1, 2, {PASSIVE, SHUTS, FIN_COMES}},

    {"matrix/last-ack/passive", TCP_STATE_LAST_ACK, APP | WAY_FIN_UNACKED, EVENTS_CONNECTED, ISN, 1, 2,
     {PASSIVE, FIN_COMES, SHUTS}},
    {"matrix/last-ack/active", TCP_STATE_LAST_ACK, WAY_ACTIVE | APP | WAY_FIN_UNACKED, EVENTS_CONNECTED_SHORT, ISN, 1, 2,
     {ACTIVE, FIN_COMES, SHUTS}},
    {"matrix/last-ack/closed", TCP_STATE_LAST_ACK, 0, EVENTS_CONNECTED_SHORT, ISN, 1, 2, {PASSIVE, FIN_COMES, CLOSES}},
    {"matrix/last-ack/data", TCP_STATE_LAST_ACK, APP | WAY_FIN_UNACKED, EVENTS_CONNECTED_SHORT, ISN, 1, 102,
     {PASSIVE, SENDS_TEXT, FIN_COMES, SHUTS_AFTER_TEXT}},
    {"matrix/last-ack/wrap", TCP_STATE_LAST_ACK, APP, EVENTS_CONNECTED_SHORT, WRAP, 1, 2, {PASSIVE, FIN_COMES, SHUTS}},
    {"matrix/last-ack/stamped", TCP_STATE_LAST_ACK, APP | WAY_STAMPED, EVENTS_STAMPED, ISN, 1, 2, {PASSIVE, FIN_COMES, SHUTS}},
    {"matrix/last-ack/ipv6", TCP_STATE_LAST_ACK, APP | WAY_IPV6, EVENTS_CONNECTED_FEW, ISN, 1, 2, {PASSIVE, FIN_COMES, SHUTS}},

    {"matrix/time-wait/passive-fin-wait-2", TCP_STATE_TIME_WAIT, APP, EVENTS_CONNECTED, ISN, 2, 2,
     {PASSIVE, SHUTS, FIN_ACKED, FIN_COMES_LAST}},
    {"matrix/time-wait/active-fin-wait-2", TCP_STATE_TIME_WAIT, WAY_ACTIVE | APP, EVENTS_CONNECTED_SHORT, ISN, 2, 2,
     {ACTIVE, SHUTS, FIN_ACKED, FIN_COMES_LAST}},
    {"matrix/time-wait/passive-closing", TCP_STATE_TIME_WAIT, APP, EVENTS_CONNECTED_SHORT, ISN, 2, 2,
     {PASSIVE, SHUTS, FIN_COMES, ALL_ACKED}},
    {"matrix/time-wait/active-closing", TCP_STATE_TIME_WAIT, WAY_ACTIVE | APP, EVENTS_CONNECTED_SHORT, ISN, 2, 2,
     {ACTIVE, SHUTS, FIN_COMES, ALL_ACKED}},
    {"matrix/time-wait/passive-fin-wait-1", TCP_STATE_TIME_WAIT, APP, EVENTS_CONNECTED_SHORT, ISN, 2, 2,
     {PASSIVE, SHUTS, FIN_COMES_LAST}},
    {"matrix/time-wait/active-fin-wait-1", TCP_STATE_TIME_WAIT, WAY_ACTIVE | APP, EVENTS_CONNECTED_SHORT, ISN, 2, 2,
     {ACTIVE, SHUTS, FIN_COMES_LAST}},
    {"matrix/time-wait/closed", TCP_STATE_TIME_WAIT, 0, EVENTS_CONNECTED_SHORT, ISN, 2, 2,
     {PASSIVE, CLOSES, FIN_ACKED, FIN_COMES_LAST}},
    {"matrix/time-wait/wrap", TCP_STATE_TIME_WAIT, APP, EVENTS_CONNECTED_SHORT, WRAP, 2, 2,
     {PASSIVE, SHUTS, FIN_ACKED, FIN_COMES_LAST}},
    {"matrix/time-wait/stamped", TCP_STATE_TIME_WAIT, APP | WAY_STAMPED, EVENTS_STAMPED, ISN, 2, 2,
     {PASSIVE, SHUTS, FIN_ACKED, FIN_COMES_LAST}},
    {"matrix/time-wait/ipv6", TCP_STATE_TIME_WAIT, APP | WAY_IPV6, EVENTS_CONNECTED_FEW, ISN, 2, 2,
     {PASSIVE, SHUTS, FIN_ACKED, FIN_COMES_LAST}},
};
const unsigned matrix_ways_count = sizeof matrix_ways / sizeof *matrix_ways;

/* The eleven connection states of RFC 9293 §3.3.2, and their names. */
#ifndef TCPASSAY_PACKET_STATE_H
#define TCPASSAY_PACKET_STATE_H

enum tcp_state {
    TCP_STATE_CLOSED, /* fictional: no connection record */
    TCP_STATE_LISTEN,
    TCP_STATE_SYN_SENT,
    TCP_STATE_SYN_RECEIVED,
    TCP_STATE_ESTABLISHED,
    TCP_STATE_FIN_WAIT_1,
    TCP_STATE_FIN_WAIT_2,
    TCP_STATE_CLOSE_WAIT,
    TCP_STATE_CLOSING,
    TCP_STATE_LAST_ACK,
    TCP_STATE_TIME_WAIT,
    TCP_STATE_COUNT
};

/* "SYN-RECEIVED": the RFC's spelling. Never NULL for a value below TCP_STATE_COUNT. */
const char *tcp_state_name(enum tcp_state state);

/* The state named by text ("SYN-RECEIVED", "SYN_RECEIVED", any case), or TCP_STATE_COUNT. */
enum tcp_state tcp_state_from_name(const char *text);

#endif

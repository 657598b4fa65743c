/* What the tester and tcpassay-lwip say to each other, on a SOCK_SEQPACKET pair that the program inherits as descriptor 3. Both are
 * of one build, so values travel as the machine has them.
 *
 * One request at a time. Each is a struct lwip_request and its octets in one message. The program answers with as many
 * ANSWER_OUTPUT messages as lwIP has emitted meanwhile, in order, then with one ANSWER_DONE: whatever the request has caused at
 * once has been said by then. Nothing is sent unasked: lwIP lives on the tester's clock, and its timers run when a request tells it
 * a later time. */
#ifndef TCPASSAY_TARGETS_LWIP_PROTOCOL_H
#define TCPASSAY_TARGETS_LWIP_PROTOCOL_H

#include <stdint.h>

enum { CHANNEL_FD = 3, CHANNEL_OCTETS_MAX = 65536, CHANNEL_NAME_MAX = 32 };

enum lwip_call {
    ASK_BEGIN,         /* octets: struct lwip_settings; answers facts about the stack, "name=value" lines */
    ASK_ADVANCE,       /* nothing but the time */
    ASK_INPUT,         /* octets: an IP packet */
    ASK_SOCKET,        /* numbers[0]: IP version */
    ASK_BIND, ASK_CONNECT, /* endpoint */
    ASK_LISTEN,        /* numbers[0]: backlog */
    ASK_ACCEPT,        /* answers the peer's endpoint */
    ASK_SEND,          /* octets; numbers[0]: enum target_message_flag */
    ASK_RECEIVE,       /* numbers[0]: how many at most, numbers[1]: flags; answers octets */
    ASK_SHUTDOWN,      /* numbers[0]: enum target_shutdown */
    ASK_CLOSE,
    ASK_SET_OPTION,    /* name, numbers */
    ASK_GET_OPTION, ASK_IOCTL, /* name; answers value */
    ASK_POLL,          /* answers enum target_event in value */
    ASK_LOCAL_ENDPOINT, /* answers endpoint */
    ASK_STATUS,        /* endpoint: local, peer: remote; answers octets: struct lwip_status */
    ASK_CALLS
};

struct lwip_address { /* version 0: any */
    uint8_t version, bytes[16];
};
struct lwip_endpoint {
    struct lwip_address address;
    uint16_t port;
};

struct lwip_settings {
    uint64_t seed;                /* of rand(), from which lwIP takes its ephemeral ports */
    struct lwip_address addresses[2], router; /* its own, with prefixes of 24 and 64 bits; IPv4's way to everybody else */
    uint16_t mtu;
    uint32_t keepalive_idle_s, keepalive_interval_s, keepalive_probes; /* of every new socket; 0: as lwIP has them */
};

struct lwip_request {
    uint32_t call;                /* enum lwip_call */
    int32_t handle;
    int64_t now_ns;               /* never earlier than in the request before */
    int64_t numbers[2];
    struct lwip_endpoint endpoint, peer;
    char name[CHANNEL_NAME_MAX];
    uint32_t octets;              /* how many follow */
};

enum lwip_answer_kind { ANSWER_OUTPUT, ANSWER_DONE };
struct lwip_answer {
    uint32_t message;             /* enum lwip_answer_kind */
    uint32_t octets;              /* how many follow */
    int64_t at_ns;                /* ANSWER_OUTPUT: when it was emitted; ANSWER_DONE: when a timer runs out next, INT64_MAX: never */
    int64_t result;               /* >= 0 or a negative errno value */
    int64_t value;
    struct lwip_endpoint endpoint;
};

struct lwip_status {
    uint32_t state;               /* as lwIP counts them: RFC 9293's order, from CLOSED 0 to TIME-WAIT 10 */
    uint32_t snd_una, snd_nxt, rcv_nxt, snd_wnd, rcv_wnd;
    uint32_t unread_bytes, unsent_bytes, cwnd_bytes, ssthresh_bytes, mss_bytes, retransmits;
    int64_t rto_ns, srtt_ns;
    uint32_t connection;          /* 0: a listener, of which only the state is known */
};

#endif

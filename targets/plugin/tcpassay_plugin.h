/* tcpassay_plugin.h: what a TCP stack implements so that tcpassay can test it as a shared library:
 *
 *     cc -shared -fPIC -o mystack.so mystack_plugin.c mystack/…        tcpassay run --target plugin:./mystack.so
 *
 * This file is all that is needed; it depends on nothing else, and serves C99 and C++. The page "your stack in an afternoon"
 * (your-stack.md) goes through it step by step, beside a template that compiles and runs.
 *
 * The idea. An *instance* of your stack is one host with one IPv4 and one IPv6 address on a link that carries IP packets, without
 * Ethernet around them. The tester plays everybody else, and the application on your host as well:
 *
 *     create()              makes a host
 *     input()               a packet comes in from the link          output() (theirs)   you put one on the link
 *     advance()             time has passed                          next_deadline()     when you next want to be told
 *     socket(), bind() …    the application's calls, as sockets      status()            the state of a connection
 *     destroy()             the host is gone; peers are not told
 *
 * Four functions must be there: create, destroy, input and advance. Whatever else is missing (NULL) is said to be missing, and
 * tests that need it are not_applicable.
 *
 * Time is virtual: nanoseconds of a clock that the tester moves. It stands still while you work, and jumps when nobody has anything
 * left to do; two hours of keep-alive take a moment. Never look at another clock, never sleep, never wait: what cannot be done yet
 * is -EAGAIN, and is asked again. Never use randomness of another source than the seed: then a run with the same seed is the same
 * run.
 *
 * One thread. Each call ends before the next begins, also for several instances at once. output() may be called from within any of
 * your functions, any number of times (in destroy() it is in vain); not from a thread of your own.
 *
 * A crash, an endless loop, an exit, a value that cannot be (more octets read than were asked for): your stack runs in a process of
 * its own, the test that was being played fails and says what happened where, and the run goes on in a new process. The buffers
 * that are handed to you end at a page that cannot be touched, so that a read or write beyond them does not go unnoticed. Built
 * with -fsanitize=address,undefined your stack is tested harder still; what it prints goes into the report of a crash.
 *
 * Versions. `abi` and `size` come first in struct tcpassay_plugin. Later versions of this header add members at the ends of structs
 * only, and a program takes what it knows of them: a plugin built with an older or newer header goes on working. What cannot be
 * kept that way gets another ABI number and another entry point.
 */
#ifndef TCPASSAY_PLUGIN_H
#define TCPASSAY_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TCPASSAY_PLUGIN_ABI 1u

/* ---- values ------------------------------------------------------------------------------------------------------ */

struct tcpassay_address {
    uint8_t version;   /* 4 or 6; 0: any, or none */
    uint8_t bytes[16]; /* network order; the first 4 hold an IPv4 address, the rest are then zero */
};

struct tcpassay_endpoint {
    struct tcpassay_address address;
    uint16_t port;     /* host order; 0: any */
};

struct tcpassay_pair { /* of texts: a setting and its value, a fact and its value */
    const char *name, *value;
};

enum tcpassay_shutdown { TCPASSAY_SHUT_RD = 0, TCPASSAY_SHUT_WR = 1, TCPASSAY_SHUT_RDWR = 2 };

enum tcpassay_message { /* flags of send() and receive() */
    TCPASSAY_MSG_OOB = 1,  /* the urgent octet */
    TCPASSAY_MSG_PEEK = 2, /* read, and leave it there */
    TCPASSAY_MSG_MORE = 4, /* more will follow: no need to push this */
    TCPASSAY_MSG_FASTOPEN = 8
};

enum tcpassay_event { /* of poll() */
    TCPASSAY_IN = 1,          /* octets, the end of the stream, or a connection can be taken */
    TCPASSAY_OUT = 2,         /* connected, and there is room to write */
    TCPASSAY_URGENT = 4,      /* urgent data is there */
    TCPASSAY_ERROR = 8,       /* the connection has failed: option SO_ERROR says how */
    TCPASSAY_HANGUP = 16,     /* both directions are closed */
    TCPASSAY_READ_HANGUP = 32 /* the peer has closed its direction */
};

enum tcpassay_state { /* RFC 9293, section 3.3.2 */
    TCPASSAY_CLOSED, TCPASSAY_LISTEN, TCPASSAY_SYN_SENT, TCPASSAY_SYN_RECEIVED, TCPASSAY_ESTABLISHED, TCPASSAY_FIN_WAIT_1,
    TCPASSAY_FIN_WAIT_2, TCPASSAY_CLOSE_WAIT, TCPASSAY_CLOSING, TCPASSAY_LAST_ACK, TCPASSAY_TIME_WAIT
};

enum tcpassay_known { /* which members of struct tcpassay_status you have filled */
    TCPASSAY_KNOWS_SEQUENCE = 1,   /* snd_una, snd_nxt, rcv_nxt */
    TCPASSAY_KNOWS_WINDOWS = 2,    /* snd_wnd, rcv_wnd */
    TCPASSAY_KNOWS_QUEUES = 4,     /* unread_bytes, unsent_bytes */
    TCPASSAY_KNOWS_CONGESTION = 8, /* cwnd_bytes, ssthresh_bytes, mss_bytes */
    TCPASSAY_KNOWS_TIMERS = 16     /* retransmits, rto_ns, srtt_ns */
};

struct tcpassay_status {   /* all zero when you get it, but size */
    uint32_t size;         /* of the struct as the tester knows it */
    uint32_t state;        /* enum tcpassay_state; always to be filled */
    uint32_t known;        /* enum tcpassay_known; 0: the state only */
    uint32_t snd_una, snd_nxt, rcv_nxt; /* sequence numbers as on the wire */
    uint32_t snd_wnd, rcv_wnd;          /* octets, after scaling */
    uint32_t unread_bytes, unsent_bytes;
    uint32_t cwnd_bytes, ssthresh_bytes, mss_bytes;
    uint32_t retransmits;  /* of the segment at SND.UNA, so far */
    int64_t rto_ns, srtt_ns;
};

/* ---- what the tester gives --------------------------------------------------------------------------------------- */

struct tcpassay_config {           /* valid during create() only: copy what you keep */
    uint32_t size;                 /* of the struct as the tester knows it */
    uint16_t mtu;                  /* of the link, octets of an IP packet */
    uint8_t ipv4_prefix, ipv6_prefix; /* of the link, bits */
    uint64_t seed;                 /* of everything random: ISNs, ports, secrets */
    int64_t now_ns;                /* the clock as it stands; the first advance() may jump far ahead */
    struct tcpassay_address ipv4, ipv6;               /* your addresses */
    struct tcpassay_address tester_ipv4, tester_ipv6; /* the first of the tester's; all are reached by output(), in the prefix or not */
    const struct tcpassay_pair *settings;             /* to be made; none that is not in your list of settings */
    uint32_t setting_count;
};

struct tcpassay_tester { /* valid as long as the instance */
    uint32_t size;
    void *context;       /* for the first argument of the functions below */
    /* One IP packet for the link; it is copied. */
    void (*output)(void *context, const void *packet, size_t length);
    /* In create(), before NULL is returned: a setting's value is beyond you, and why; the test is then not_applicable. NULL without it
     * counts as a crash. */
    void (*refuse)(void *context, const char *why);
};

/* ---- what you give ----------------------------------------------------------------------------------------------- */

/* An instance. It is yours: define the struct as you like. */
struct tcpassay_stack;

enum tcpassay_flag {
    TCPASSAY_IPV4 = 1,    /* it speaks IPv4 */
    TCPASSAY_IPV6 = 2,    /* it speaks IPv6 */
    TCPASSAY_ECHO = 4,    /* it answers ICMP echo requests, in order with TCP */
    TCPASSAY_GLOBALS = 8  /* it has global state that destroy() does not undo: each instance needs a process of its own (slower) */
};

/* The application's calls return a value >= 0, or a negative errno value of Linux (-EAGAIN: not yet; -EOPNOTSUPP: your stack has no
 * such thing, and the test is not_applicable). A handle is a number >= 0 of your choice, as a file descriptor is. */
struct tcpassay_plugin {
    uint32_t abi;                  /* TCPASSAY_PLUGIN_ABI */
    uint32_t size;                 /* sizeof(struct tcpassay_plugin) */
    const char *name;              /* "mystack 1.2" */
    const char *description;       /* a line more for reports; NULL: none */
    uint32_t flags;                /* enum tcpassay_flag */
    uint16_t open_port;            /* without the application's calls: a TCP port that is always open; 0: none */
    int64_t granularity_ns;        /* your timers may fire this much late: 10000000 for a stack that ticks every 10 ms */
    uint32_t granularity_permille; /* … plus this share of their length; mostly 0 */
    int64_t tick_ns;               /* without next_deadline(): advance() is called each tick_ns, at that time exactly; 0: 10 ms */
    int64_t msl_ns;                /* half of your stay in TIME-WAIT; 0: unsaid */
    const char *const *settings;   /* names of the settings that create() understands, ended by NULL; NULL: none (your-stack.md) */
    const char *lacks;             /* features that your stack does not claim, "urgent+fastopen"; NULL: none */
    const struct tcpassay_pair *facts; /* more about it for the reports ("minimum RTO", "200 ms"), ended by a NULL name; NULL: none */

    /* -- life and time: must be there */

    /* A new host. NULL: no memory, or refused. *tester and its context stay valid until destroy(). */
    struct tcpassay_stack *(*create)(const struct tcpassay_config *config, const struct tcpassay_tester *tester);
    void (*destroy)(struct tcpassay_stack *stack);
    /* One IP packet from the link: any octets whatever, a good packet, a malformed one, or one for another host. They are a copy, and lie
     * at an address divisible by 4. now_ns: the clock, of which advance() has been told before. */
    void (*input)(struct tcpassay_stack *stack, const void *packet, size_t length, int64_t now_ns);
    /* The clock shows now_ns: do what is due. It never runs backwards, and it is told before any other call when it has moved. */
    void (*advance)(struct tcpassay_stack *stack, int64_t now_ns);
    /* When you next want to be told; INT64_MAX: never, until something else happens. The tester may come earlier, but never later.
     * NULL: you are told each tick_ns instead. */
    int64_t (*next_deadline)(struct tcpassay_stack *stack);

    /* -- the application's calls: all of them may be NULL, and then the tests of the application's side are not_applicable */

    int64_t (*socket)(struct tcpassay_stack *stack, int ip_version);                                  /* a new handle; 4 or 6 */
    int64_t (*bind)(struct tcpassay_stack *stack, int64_t handle, const struct tcpassay_endpoint *local);
    int64_t (*listen)(struct tcpassay_stack *stack, int64_t handle, int backlog);
    int64_t (*accept)(struct tcpassay_stack *stack, int64_t handle, struct tcpassay_endpoint *peer);  /* a new handle; -EAGAIN: none yet */
    /* Begins: -EINPROGRESS (or 0 when it needs no waiting). How it ended is then asked with poll() and SO_ERROR. Without these two it
     * is connect() that is asked again: -EINPROGRESS or -EALREADY: still at it; 0 or -EISCONN: connected; else how it failed. */
    int64_t (*connect)(struct tcpassay_stack *stack, int64_t handle, const struct tcpassay_endpoint *remote);
    int64_t (*send)(struct tcpassay_stack *stack, int64_t handle, const void *data, size_t length, unsigned flags); /* octets taken */
    int64_t (*receive)(struct tcpassay_stack *stack, int64_t handle, void *out, size_t length, unsigned flags);     /* octets; 0: the end */
    int64_t (*shutdown)(struct tcpassay_stack *stack, int64_t handle, int how);                       /* enum tcpassay_shutdown */
    int64_t (*close)(struct tcpassay_stack *stack, int64_t handle); /* the handle is gone; option SO_LINGER {1, 0} before: ABORT */
    /* By the names of sockets: "TCP_NODELAY", "SO_KEEPALIVE", "SO_LINGER" (two values: on, seconds) …; unknown: -ENOPROTOOPT. */
    int64_t (*set_option)(struct tcpassay_stack *stack, int64_t handle, const char *name, const int64_t *values, unsigned count);
    int64_t (*get_option)(struct tcpassay_stack *stack, int64_t handle, const char *name, int64_t *value);
    int64_t (*ioctl)(struct tcpassay_stack *stack, int64_t handle, const char *name, int64_t *value); /* SIOCINQ, SIOCOUTQ, SIOCATMARK */
    unsigned (*poll)(struct tcpassay_stack *stack, int64_t handle);                                   /* enum tcpassay_event now pending */
    /* Without it: the port of bind(), or of the SYN that connect() emits. */
    int64_t (*local_endpoint)(struct tcpassay_stack *stack, int64_t handle, struct tcpassay_endpoint *local);

    /* STATUS of the connection between two endpoints; of the listener at local when there is none, or remote's port is 0. 0; -ENOENT:
     * there is neither, which is CLOSED. NULL: tests that look at the state are not_applicable. */
    int64_t (*status)(struct tcpassay_stack *stack, const struct tcpassay_endpoint *local, const struct tcpassay_endpoint *remote,
                      struct tcpassay_status *out);
};

/* The one symbol that your library exports. What it returns is never freed, and does not change. */
#if defined(__GNUC__)
#define TCPASSAY_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define TCPASSAY_PLUGIN_EXPORT
#endif
TCPASSAY_PLUGIN_EXPORT const struct tcpassay_plugin *tcpassay_plugin_v1(void);

#ifdef __cplusplus
}
#endif

#endif

/* What can be tested: the interface between the runner and an implementation under test (IUT). Owned by the runner; written so that
 * the author of a stack implements it in an afternoon.
 *
 * A *driver* opens *instances*. An instance is one host with one TCP: a link that carries IP packets, and an upper tester that
 * plays the application on it. Drivers know nothing of scenarios. All calls come from one thread and none may block.
 *
 * Link.   send() hands the IUT one IP packet; receive() takes the next one the IUT emitted. Link layers (Ethernet, ARP, ND) are the
 *         driver's own business: packets for the tester's addresses (the info's tester prefixes) come up, everything else does not.
 * Time.   Nanoseconds. A *virtual* instance lives on the runner's clock: it does something only inside a call, is told the time by
 *         advance(), and says through deadline() when it next wants to be told. A *real* instance lives on CLOCK_MONOTONIC, and
 *         fd() becomes readable whenever receive() or an upper-tester call may give something new.
 * Upper.  RFC 9293 §3.9.1's calls in the form everyone knows them, sockets, never blocking: what cannot be done yet is -EAGAIN (or
 *         -EINPROGRESS for the first connect()), and is asked again. Every call returns >= 0 or a negative errno value of Linux;
 *         -ENOSYS: the target has no such call, and a test that makes it is not applicable.
 *         An upper tester on another host answers after a round trip (info.call_ns), and each call takes that long. -ECOMM: it
 * cannot be reached any more; the test then ends in error, and trouble() says why.
 */
#ifndef TCPASSAY_RUNNER_TARGET_H
#define TCPASSAY_RUNNER_TARGET_H

#include "engine/packet/packet.h"
#include "engine/packet/state.h"

/* ---- what an instance can do, and its PIXIT -------------------------------------------------------------------- */

enum target_capability {
    TARGET_VIRTUAL_TIME = 1u << 0,
    TARGET_SYNCHRONOUS = 1u << 1,  /* whatever a packet causes at once can be received as soon as send() returns */
    TARGET_UPPER_TESTER = 1u << 2,
    TARGET_STATUS = 1u << 3,       /* status() works */
    TARGET_IPV4 = 1u << 4, TARGET_IPV6 = 1u << 5,
    TARGET_ECHO = 1u << 6,         /* answers ICMP echo in order with TCP: fences work */
    TARGET_MANY = 1u << 7,         /* several instances may be open at once */
    TARGET_DISRUPTION = 1u << 8,   /* floods harm nobody */
    TARGET_FENCED = 1u << 9,       /* not synchronous, but in order and near: an echo proves that what was sent before it has been dealt with,
                                      and each further packet of a test waits for it, so that the model can judge as if it were */
    TARGET_SHARED = 1u << 10,      /* others may talk to the IUT meanwhile: what it does elsewhere is none of ours */
};

enum { TARGET_PIXIT_MAX = 32, TARGET_TEXT_MAX = 256 };

struct target_info {
    char name[64];                 /* as on the command line */
    char description[TARGET_TEXT_MAX]; /* "Linux 6.18.44 in a network namespace" */
    unsigned capabilities;         /* enum target_capability */
    struct pkt_addr iut[2];        /* the IUT's IPv4 and IPv6 address */
    struct pkt_addr tester[2];     /* the first of the tester's addresses, IPv4 and IPv6 … */
    uint32_t tester_count;         /* … and how many follow on, counting up the last octets; all are routed to the tester */
    uint16_t first_port, port_count; /* of the tester's ports, those that it may use; 0: as it likes */
    uint16_t mtu;
    int64_t granularity_ns;        /* a timer of the IUT may fire this much late (absolute part) … */
    uint32_t granularity_permille; /* … plus this share of its length (Linux's timer wheel: 125) */
    int64_t latency_ns;            /* an immediate reaction is seen within this time on an idle machine, the way there and back included */
    int64_t rtt_ns;                /* the way there and back; 0 in process */
    int64_t call_ns;               /* a call of the upper tester takes so long; 0: at once */
    uint16_t open_port;            /* without an upper tester: a TCP port that is open; 0: none known */
    int64_t msl_ns;                /* its MSL where that is known, else 0 */
    char ledger[64];               /* whose known failures count, when not those of the target's own name; "" */
    char lacks[256];               /* features that it does not claim (PICS), by the names of a scenario's needs, with '+' between */
    unsigned pixit_count;          /* further facts worth recording: sysctls, versions */
    struct { char name[64]; char value[64]; } pixit[TARGET_PIXIT_MAX];
};

/* ---- settings: how a scenario asks for another configuration of the IUT ------------------------------------------ */

/* Names every target may know. A driver that lacks one refuses it from open() with TARGET_ERR_UNSUPPORTED: not_applicable.
 *   syn-retries N         retransmissions of a SYN before giving up       synack-retries N     the same for a SYN-ACK
 *   data-retries N        retransmissions of data before giving up        orphan-retries N     the same after the application
 * closed syncookies off|on|always                                              max-syn-backlog N    half-open connections per
 * listener timestamps, sack, window-scaling, ecn on|off                          fastopen off|client|server|both fin-wait-2-ms N an
 * orphan's stay in FIN-WAIT-2                  tw-reuse on|off      TIME-WAIT left early for active opens rfc1337 on|off        RST
 * ignored in TIME-WAIT                        mtu N                of the link receive-buffer N      default receive buffer, octets
 * send-buffer N syn-linear-timeouts N SYN retransmissions before the backoff starts   challenge-ack-limit N a second
 *   keepalive-idle-s N, keepalive-interval-s N, keepalive-probes N        min-rto-ms N         abort-on-overflow on|off
 *   msl-ms N              half of the stay in TIME-WAIT                   delayed-ack-ms N     an ACK may wait so long
 */
struct target_setting { const char *name, *value; };

struct target_config {
    uint64_t seed;                 /* of everything random in a virtual instance */
    const struct target_setting *settings;
    unsigned setting_count;
};

enum target_error_kind {
    TARGET_ERR_NONE,
    TARGET_ERR_USAGE,        /* the argument after the colon is wrong: exit 2 */
    TARGET_ERR_UNAVAILABLE,  /* privilege, device, agent …: exit 3 */
    TARGET_ERR_UNSUPPORTED,  /* a setting this target cannot make: not_applicable */
};
struct target_error {
    enum target_error_kind kind;
    char text[512];          /* what, where, and what to do next */
};

/* ---- the upper tester -------------------------------------------------------------------------------------------- */

enum target_shutdown { TARGET_SHUT_RD, TARGET_SHUT_WR, TARGET_SHUT_RDWR };
enum target_message_flag { TARGET_MSG_OOB = 1u << 0, TARGET_MSG_PEEK = 1u << 1, TARGET_MSG_MORE = 1u << 2, TARGET_MSG_FASTOPEN = 1u << 3 };
enum target_event { TARGET_EVENT_IN = 1u << 0, TARGET_EVENT_OUT = 1u << 1, TARGET_EVENT_URGENT = 1u << 2,
                    TARGET_EVENT_ERROR = 1u << 3, TARGET_EVENT_HANGUP = 1u << 4, TARGET_EVENT_READ_HANGUP = 1u << 5,
                    TARGET_EVENT_UNKNOWN = 1u << 30 /* the target has no such call */ };

struct target_status { /* STATUS (RFC 9293 §3.9.1.6); a field counts when its bit is set in known */
    enum tcp_state state;
    unsigned known;
    uint32_t snd_una, snd_nxt, rcv_nxt, snd_wnd, rcv_wnd; /* absolute; windows in octets */
    uint32_t unread_bytes, unsent_bytes, cwnd_bytes, ssthresh_bytes, mss_bytes;
    uint32_t retransmits;    /* of the segment at SND.UNA, so far */
    int64_t rto_ns, srtt_ns;
};
enum target_status_field { TARGET_KNOWS_SEQUENCE = 1u << 0, TARGET_KNOWS_WINDOWS = 1u << 1, TARGET_KNOWS_QUEUES = 1u << 2,
                           TARGET_KNOWS_CONGESTION = 1u << 3, TARGET_KNOWS_TIMERS = 1u << 4 };

/* ---- an instance ------------------------------------------------------------------------------------------------- */

struct target;
struct target_ops {
    void (*close)(struct target *t);  /* frees t; nothing of it is left on the machine */

    /* 0, or -errno when the link is gone. bytes are an IP packet, perhaps a malformed one; the driver copies what it keeps. */
    int (*send)(struct target *t, const uint8_t *bytes, size_t len);
    /* The next packet's length, 0 when there is none now, -errno when the link is gone. *at_ns: when it was emitted, as early as is known. */
    ssize_t (*receive)(struct target *t, uint8_t *out, size_t capacity, int64_t *at_ns);

    int64_t (*deadline)(struct target *t);              /* virtual: INT64_MAX for never */
    void (*advance)(struct target *t, int64_t now_ns);  /* virtual: never backwards */
    int (*fd)(struct target *t);                        /* real */

    int64_t (*socket)(struct target *t, uint8_t ip_version);        /* → a handle >= 0; 6 takes IPv4-mapped peers only if the IUT does */
    int64_t (*bind)(struct target *t, int handle, const struct pkt_endpoint *local); /* addr.version 0: any; port 0: ephemeral */
    int64_t (*listen)(struct target *t, int handle, int backlog);
    int64_t (*accept)(struct target *t, int handle, struct pkt_endpoint *peer);      /* → a new handle */
    int64_t (*connect)(struct target *t, int handle, const struct pkt_endpoint *remote);
    int64_t (*send_data)(struct target *t, int handle, const uint8_t *data, size_t len, unsigned flags);
    int64_t (*receive_data)(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags); /* 0: the peer closed */
    int64_t (*shutdown)(struct target *t, int handle, enum target_shutdown how);
    int64_t (*close_handle)(struct target *t, int handle);
    /* Options by their sockets names ("TCP_NODELAY", "SO_LINGER": values[0] on/off, values[1] seconds); unknown: -ENOPROTOOPT. */
    int64_t (*set_option)(struct target *t, int handle, const char *name, const int64_t *values, unsigned count);
    int64_t (*get_option)(struct target *t, int handle, const char *name, int64_t *value);
    int64_t (*ioctl)(struct target *t, int handle, const char *name, int64_t *value); /* "SIOCINQ", "SIOCOUTQ", "SIOCATMARK" */
    unsigned (*poll)(struct target *t, int handle);                 /* enum target_event now pending */
    int64_t (*local_endpoint)(struct target *t, int handle, struct pkt_endpoint *out);

    /* The connection between these two endpoints, or the listener at local when remote's port is 0 or no connection is there.
     * 0; -ENOENT: no record, which is CLOSED; -EOPNOTSUPP: cannot tell. */
    int64_t (*status)(struct target *t, const struct pkt_endpoint *local, const struct pkt_endpoint *remote, struct target_status *out);

    /* How often the link or the upper tester has failed the tester so far (frames that the capture dropped, an agent that was lost),
     * and what happened last, in words. What did not pass while the number grew is no fault of the IUT's TCP: it is played again, or
     * ends in error. NULL: never. */
    uint64_t (*trouble)(struct target *t, char *text, size_t capacity);
    /* How often the IUT itself has died so far (the process of a stack crashed, or hung and was ended), and how, in words after the
     * kind: "crash: ended by signal 11 (Segmentation fault) in input()", "hang: …". The test that played is a failure; of several that
     * played at once each is played again alone, where the driver can have many instances, to find the one. NULL: never. */
    uint64_t (*deaths)(struct target *t, char *text, size_t capacity);
    /* The test is over: takes the IUT down now, so that what dies in that counts for this test. Only deaths() and close() follow. Virtual
     * instances only. NULL: close() does it all. */
    void (*finish)(struct target *t);
    /* Begins anew, as if it had just been opened with the same argument and settings, and with this seed: for fuzzing, where opening takes
     * longer than a play. Virtual instances only. NULL, or false: it is closed and opened instead. */
    bool (*restart)(struct target *t, uint64_t seed);
    /* After either: tries to make the instance usable again, with nothing left of before; false with *error when it is lost for
     * good. NULL: nothing can be done, the instance is closed and opened anew. */
    bool (*recover)(struct target *t, struct target_error *error);
};

struct target {              /* a driver embeds this as its first member */
    const struct target_ops *ops;
    struct target_info info;
};

/* ---- a driver ---------------------------------------------------------------------------------------------------- */

struct target_driver {
    const char *name;        /* what stands before the colon: "linux" */
    const char *argument;    /* what may stand behind it: "HOST", or NULL for nothing */
    const char *summary;     /* one line for `tcpassay targets` */
    bool many;               /* several instances may be open at once: each exclusive scenario gets its own */
    bool virtual_time;
    /* Checks privilege, devices, reachability without opening; true when open() should work, else what is missing and how to mend it. */
    bool (*preflight)(const char *argument, struct target_error *error);
    /* NULL with *error filled when it cannot be opened. argument is "" when none was given. */
    struct target *(*open)(const char *argument, const struct target_config *config, struct target_error *error);
};

#endif

/* The upper tester of a target that is not in this process: the application's side of struct target_ops, by itself, so that any
 * wire can be given any upper tester. targets/agent implements it twice: over our own agent's protocol, and over the AUTOSAR
 * Testability Protocol. A host without one is a station whose upper tester is NULL.
 *
 * Far away. A call is a request and an answer on a control connection, and returns when the answer is there, after one round trip;
 * call_ns says how long that usually is, and no call takes longer than patience_ns: then the upper tester counts as lost. What the
 * agent reports by itself (a socket has become readable …) arrives on fd() and is remembered, so that poll() and a call repeated
 * after -EAGAIN cost nothing while nothing has happened.
 *
 * Lost. When the control connection breaks or the other side speaks nonsense, every call returns -ECOMM from then on, trouble()
 * counts it and says in words what happened; recover() tries to begin anew (a host that reboots comes back). The handles of before
 * are gone then. */
#ifndef TCPASSAY_TARGETS_TAP_UPPER_H
#define TCPASSAY_TARGETS_TAP_UPPER_H

#include "engine/runner/target.h"

struct upper;
struct upper_ops {
    void (*close)(struct upper *u); /* its sockets at the IUT are aborted */
    int (*fd)(struct upper *u);     /* readable when work() has something to do; -1: never */
    void (*work)(struct upper *u);  /* takes what came by itself; never blocks */
    /* Packets have been sent to the IUT since: what is remembered of its sockets may be out of date, and is asked for before it is
     * used again. Costs nothing itself. NULL: nothing is remembered. */
    void (*touched)(struct upper *u);
    /* How often the upper tester was lost so far; text: what happened last, in words. */
    uint64_t (*trouble)(struct upper *u, char *text, size_t capacity);
    bool (*recover)(struct upper *u, struct target_error *error);
    /* Puts the settings of a test (target.h) in force at the IUT, or takes them back (count 0). False with *error: UNSUPPORTED … */
    bool (*configure)(struct upper *u, const struct target_setting *settings, unsigned count, struct target_error *error);

    /* As in struct target_ops. */
    int64_t (*socket)(struct upper *u, uint8_t ip_version);
    int64_t (*bind)(struct upper *u, int handle, const struct pkt_endpoint *local);
    int64_t (*listen)(struct upper *u, int handle, int backlog);
    int64_t (*accept)(struct upper *u, int handle, struct pkt_endpoint *peer);
    int64_t (*connect)(struct upper *u, int handle, const struct pkt_endpoint *remote);
    int64_t (*send_data)(struct upper *u, int handle, const uint8_t *data, size_t len, unsigned flags);
    int64_t (*receive_data)(struct upper *u, int handle, uint8_t *out, size_t len, unsigned flags);
    int64_t (*shutdown)(struct upper *u, int handle, enum target_shutdown how);
    int64_t (*close_handle)(struct upper *u, int handle);
    int64_t (*set_option)(struct upper *u, int handle, const char *name, const int64_t *values, unsigned count);
    int64_t (*get_option)(struct upper *u, int handle, const char *name, int64_t *value);
    int64_t (*ioctl)(struct upper *u, int handle, const char *name, int64_t *value);
    unsigned (*poll)(struct upper *u, int handle);
    int64_t (*local_endpoint)(struct upper *u, int handle, struct pkt_endpoint *out);
    int64_t (*status)(struct upper *u, const struct pkt_endpoint *local, const struct pkt_endpoint *remote, struct target_status *out);
};

struct upper { /* a kind embeds this as its first member */
    const struct upper_ops *ops;
    unsigned capabilities;   /* TARGET_STATUS or not; what it cannot do (urgent data …) its calls refuse with -EOPNOTSUPP */
    bool configures;         /* configure() can do something */
    int64_t call_ns;         /* how long a call usually takes, measured when it was opened */
    const char *lacks;       /* features whose tests it cannot play, by the names of the PICS with '+' between; NULL: none */
    char description[128];   /* of the IUT, as the upper tester tells it: "Linux 6.18.44"; "" */
    unsigned pixit_count;    /* facts it told about the IUT, for the results */
    struct { char name[64]; char value[64]; } pixit[TARGET_PIXIT_MAX];
};

#endif

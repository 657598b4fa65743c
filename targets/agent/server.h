/* The agent's side of its protocol (docs/agent-protocol.md) without any input or output of its own: bytes in, bytes out, and the
 * calls on a table of functions. So it runs on plain sockets (agent.c), on the reference stack in one process with it, and on lwIP.
 *
 * One struct agent_server is one control connection, from its first octet. Whoever owns the connection
 *
 *   - hands over what arrives           agent_server_input(), while agent_server_wants_input()
 *   - sends what there is to send       agent_server_output(), then agent_server_sent(); again after every other call
 *   - says that sockets may have changed agent_server_work()
 *   - tells the time                    agent_server_advance(), at agent_server_deadline() at the latest
 *   - and closes the connection once agent_server_finished() and all output has been sent; agent_server_free() then aborts what
 *     sockets are left. It does the same when the connection is lost.
 *
 * Nothing blocks, but for what the functions of the table do. Before the other side has proved its knowledge of the key it costs a
 * few hundred octets and AGENT_HANDSHAKE_NS at most. Needs nothing but libsodium (sodium_init() is called) and libc. */
#ifndef TCPASSAY_TARGETS_AGENT_SERVER_H
#define TCPASSAY_TARGETS_AGENT_SERVER_H

#include "engine/runner/target.h"
#include "targets/agent/protocol.h"

/* ---- what the owner of a stack implements ------------------------------------------------------------------------ */

struct agent_identity {
    char description[128];   /* "Linux 6.18.44 (x86_64)" */
    unsigned pixit_count;    /* facts for the results: sysctls, versions */
    struct { char name[64]; char value[64]; } pixit[TARGET_PIXIT_MAX];
};

struct agent_sockets;
struct agent_sockets_ops { /* never blocking; results as in struct target_ops: >= 0, or a negative errno value of *Linux* */
    int64_t (*socket)(struct agent_sockets *a, uint8_t ip_version); /* → a handle, 0 <= handle < handles_max */
    int64_t (*bind)(struct agent_sockets *a, int handle, const struct pkt_endpoint *local);
    int64_t (*listen)(struct agent_sockets *a, int handle, int backlog);
    int64_t (*accept)(struct agent_sockets *a, int handle, struct pkt_endpoint *peer);
    int64_t (*connect)(struct agent_sockets *a, int handle, const struct pkt_endpoint *remote);
    int64_t (*send_data)(struct agent_sockets *a, int handle, const uint8_t *data, size_t len, unsigned flags);
    int64_t (*receive_data)(struct agent_sockets *a, int handle, uint8_t *out, size_t len, unsigned flags);
    int64_t (*shutdown)(struct agent_sockets *a, int handle, enum target_shutdown how);
    int64_t (*close_handle)(struct agent_sockets *a, int handle);
    int64_t (*abort)(struct agent_sockets *a, int handle); /* ABORT (RFC 9293 §3.9.1.5): a reset, and the handle is gone */
    int64_t (*set_option)(struct agent_sockets *a, int handle, const char *name, const int64_t *values, unsigned count);
    int64_t (*get_option)(struct agent_sockets *a, int handle, const char *name, int64_t *value);
    int64_t (*ioctl)(struct agent_sockets *a, int handle, const char *name, int64_t *value);
    unsigned (*poll)(struct agent_sockets *a, int handle); /* enum target_event now pending */
    int64_t (*local_endpoint)(struct agent_sockets *a, int handle, struct pkt_endpoint *out);

    /* NULL from here on where there is no such thing. */
    int64_t (*status)(struct agent_sockets *a, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                      struct target_status *out);
    /* A handle whose events may have changed since they were last asked for, each once; -1: none any more. NULL: all of them are
     * asked whenever agent_server_work() is called, and before a PING is answered. */
    int (*changed)(struct agent_sockets *a);
    /* Takes back the settings of before, then puts these in force (count 0: none). False with *error. */
    bool (*configure)(struct agent_sockets *a, const struct target_setting *settings, unsigned count, struct target_error *error);
    /* A tester has proved its knowledge of the key; it has gone, and its sockets have been aborted: whatever it set is taken back. */
    void (*begin)(struct agent_sockets *a);
    void (*end)(struct agent_sockets *a);
    void (*identify)(struct agent_sockets *a, struct agent_identity *out); /* filled with zeros before */
};
struct agent_sockets {     /* an implementation embeds this as its first member */
    const struct agent_sockets_ops *ops;
    int handles_max;       /* up to AGENT_HANDLES_MAX */
};

/* ---- one control connection ------------------------------------------------------------------------------------- */

struct agent_server_config {
    uint8_t key[AGENT_KEY_BYTES];  /* all zero: no key */
    struct agent_sockets *sockets; /* outlives the server */
    /* Asked when the other side has proved its knowledge of the key: false when another tester is being served. NULL: true. A server
     * that was given true gives the place back by being freed: the owner sees to that. */
    bool (*claim)(void *context);
    void *context;
    int64_t idle_ns;               /* an authenticated tester that says nothing for so long is given up; 0: never */
    void (*random)(uint8_t *out, size_t len); /* NULL: libsodium's; another one is for tests and fuzzing only */
};

struct agent_server;
/* NULL: out of memory, or libsodium cannot be initialised. now_ns: any clock that never goes backwards. */
struct agent_server *agent_server_new(const struct agent_server_config *config, int64_t now_ns);
void agent_server_free(struct agent_server *s);

/* Takes all of it. What comes after the end (agent_server_finished) is thrown away. */
void agent_server_input(struct agent_server *s, const uint8_t *bytes, size_t len, int64_t now_ns);
/* False while the other side does not take its answers: leave its bytes unread, so that TCP holds it back. */
bool agent_server_wants_input(const struct agent_server *s);

/* What is to be sent now; *len 0 and NULL: nothing. Valid until the next call. */
const uint8_t *agent_server_output(struct agent_server *s, size_t *len);
void agent_server_sent(struct agent_server *s, size_t len); /* so many of these octets have gone */

/* Sockets may have changed: reports their edges. To be called after the stack has done something, or when a descriptor of it says
 * so. */
void agent_server_work(struct agent_server *s);

int64_t agent_server_deadline(const struct agent_server *s); /* INT64_MAX: never */
void agent_server_advance(struct agent_server *s, int64_t now_ns);

/* No more is understood from this connection; why, in words for a log ("" while it goes on). */
bool agent_server_finished(const struct agent_server *s);
const char *agent_server_reason(const struct agent_server *s);
/* Has the other side proved its knowledge of the key, and is it being served? */
bool agent_server_serves(const struct agent_server *s);

#endif

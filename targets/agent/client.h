/* The tester's side of the agent's protocol (docs/agent-protocol.md): an upper tester (targets/tap/upper.h) on another host.
 *
 * Each call is one round trip. What the agent reports of its sockets is remembered, so that poll() and a call repeated after
 * -EAGAIN are answered at once while nothing has happened. What is remembered may be older than a packet that the tester has just
 * sent: so after touched(), the next call that would be answered from memory first asks the agent whether anything has changed,
 * which takes one round trip for all sockets together. */
#ifndef TCPASSAY_TARGETS_AGENT_CLIENT_H
#define TCPASSAY_TARGETS_AGENT_CLIENT_H

#include "targets/agent/protocol.h"
#include "targets/tap/upper.h"

/* ---- an agent across the network --------------------------------------------------------------------------------- */

/* host: a name or an address; port 0: AGENT_PORT_DEFAULT; key_file NULL: no key, as an agent on loopback may do. No call takes
 * longer than patience_ns, nor does connecting (0: 3 s). recover() connects again. NULL with *error: who is silent, whose key is
 * wrong, of which version, and how to mend it. */
struct upper *agent_connect(const char *host, uint16_t port, const char *key_file, int64_t patience_ns, struct target_error *error);

/* The same on a stream socket that is connected already (to a process of ours): taken over, also when it fails; blocking or not.
 * key NULL: no key. It cannot recover(). */
struct upper *agent_attach(int fd, const uint8_t *key, int64_t patience_ns, struct target_error *error);

/* ---- beyond struct upper ------------------------------------------------------------------------------------------ */

/* ABORT (RFC 9293 §3.9.1.5): a reset, and the handle is gone. */
int64_t agent_abort(struct upper *u, int handle);
/* The control connection's endpoints, so that a capture can leave it out. False when it has none (agent_attach), or is lost. */
bool agent_control_endpoints(struct upper *u, struct pkt_endpoint *local, struct pkt_endpoint *remote);

/* ---- on any stream of octets (the tests, the fuzz harness) --------------------------------------------------------- */

struct agent_stream;
struct agent_stream_ops {
    int64_t (*now_ns)(struct agent_stream *s);
    /* Octets written or read, at least one; 0: none before until_ns (0: do not wait at all); negative: -errno, lost. Reading: -ECONNRESET
     * when the other side has closed. */
    ssize_t (*write)(struct agent_stream *s, const uint8_t *bytes, size_t len, int64_t until_ns);
    ssize_t (*read)(struct agent_stream *s, uint8_t *out, size_t capacity, int64_t until_ns);
    int (*fd)(struct agent_stream *s); /* readable when there is something to read; -1: none */
    /* Who is talking to whom. NULL: nobody knows. */
    bool (*endpoints)(struct agent_stream *s, struct pkt_endpoint *local, struct pkt_endpoint *remote);
    /* A new connection; false with *error. NULL: cannot be had. */
    bool (*reconnect)(struct agent_stream *s, int64_t until_ns, struct target_error *error);
    void (*close)(struct agent_stream *s); /* frees s */
};
struct agent_stream {
    const struct agent_stream_ops *ops;
    char peer[128];          /* who is at the other end, for messages: "192.0.2.2 port 32743" */
};
/* Takes the stream over, also when it fails. random NULL: libsodium's. */
struct upper *agent_on_stream(struct agent_stream *stream, const uint8_t *key, int64_t patience_ns,
                              void (*random)(uint8_t *out, size_t len), struct target_error *error);

#endif

/* The reference stack as a server on a TAP device or a UNIX socket, in real time: what `tcpassay serve` does. */
#ifndef TCPASSAY_TARGETS_REFERENCE_SERVE_SERVE_H
#define TCPASSAY_TARGETS_REFERENCE_SERVE_SERVE_H

#include <signal.h>

#include "engine/runner/target.h"
#include "targets/reference/reference.h"
#include "targets/reference/serve/impair.h"

struct serve_address {
    struct pkt_addr addr;
    uint8_t prefix_len;
};

struct serve_config {
    const char *tap;                  /* an existing device to attach to; NULL: one in a namespace of its own, with the kernel on it */
    const char *socket;               /* PATH[,socket=dgram|stream][,listen=yes] as behind unix:, a UNIX socket instead of a device; or NULL */
    bool has_control;                 /* an upper tester is let in … */
    struct pkt_endpoint control;      /* … at this endpoint of the kernel, by the agent's protocol … */
    const char *key_file;             /* … with the key in there; NULL: none, on loopback only */
    struct serve_address addresses[REF_ADDRESSES_MAX]; /* the stack's */
    unsigned address_count;           /* 0: 192.0.2.2/24 and 2001:db8::2/64 */
    struct impair_config link;        /* for each direction; its seed is not used */
    bool has_seed;                    /* everything random follows from seed; otherwise from the system's generator */
    uint64_t seed;
    const char *http_root;            /* directory served over HTTP, or NULL */
    bool has_http_size;
    uint64_t http_size;               /* octets of pattern for any path */
    const char *pcap;                 /* file to record the link to, or NULL */
    bool status;                      /* list the connections on stderr every status_interval_s, and at the end */
    unsigned status_interval_s;       /* 0: at the end only */
    const char *status_socket;        /* where `serve --status` asks; NULL: a place is found, or it does without */
    char *const *command;             /* program to run on the kernel's side, ended by NULL; NULL: serve until interrupted */
    const volatile sig_atomic_t *interrupted;
};

enum serve_end { SERVE_DONE /* the command has ended */, SERVE_INTERRUPTED, SERVE_FAILED /* *error says why */ };

/* Serves until the command has ended, or *interrupted is set. *command_status is the command's exit status, 128 + N when signal N
 * ended it, 127 when it could not be started. Nothing is left behind. */
enum serve_end serve(const struct serve_config *config, int *command_status, struct target_error *error);

#endif

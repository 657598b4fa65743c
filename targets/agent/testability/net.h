/* What the client stands on: datagrams to and from one upper tester, on several channels (UDP ports of ours). The real one is in
 * udp.c; the tests and the fuzz harness have one in memory, with a clock of their own. */
#ifndef TCPASSAY_TARGETS_AGENT_TESTABILITY_NET_H
#define TCPASSAY_TARGETS_AGENT_TESTABILITY_NET_H

#include "engine/runner/target.h"

#include <stdint.h>
#include <sys/types.h>

enum { TPSP_CHANNELS_MAX = 768 };

struct tpsp_net;
struct tpsp_net_ops {
    int64_t (*now_ns)(struct tpsp_net *n);
    int (*open)(struct tpsp_net *n); /* → a channel that is not in use, below TPSP_CHANNELS_MAX, or -errno */
    void (*shut)(struct tpsp_net *n, int channel);
    int (*send)(struct tpsp_net *n, int channel, const uint8_t *bytes, size_t len); /* 0, or -errno */
    /* The next datagram on any channel, waiting for one until until_ns (0: not at all). Its length; 0: none; -errno: the other side
     * has said that nobody listens there (-ECONNREFUSED), or worse. */
    ssize_t (*receive)(struct tpsp_net *n, int *channel, uint8_t *out, size_t capacity, int64_t until_ns);
    uint64_t (*dropped)(struct tpsp_net *n); /* datagrams that came and found no room, so far */
    int (*fd)(struct tpsp_net *n);           /* readable when there is something to receive; -1: none */
    /* An endpoint of this machine towards the upper tester where a TCP connection is refused. False: there is none. */
    bool (*refusing)(struct tpsp_net *n, struct pkt_endpoint *out);
    void (*close)(struct tpsp_net *n); /* frees it */
};
struct tpsp_net {
    const struct tpsp_net_ops *ops;
    char peer[300]; /* for messages: "192.0.2.2 port 10000" */
};

/* UDP. NULL with *error. */
struct tpsp_net *tpsp_udp(const char *host, uint16_t port, struct target_error *error);

#endif

/* A wire: what carries frames between the tester and a host that the tester did not make. One kind a file: a TAP device or a UNIX
 * socket (here), libnet and libpcap (targets/remote). A station (station.h) makes a target of a wire and an upper tester. */
#ifndef TCPASSAY_TARGETS_TAP_WIRE_H
#define TCPASSAY_TARGETS_TAP_WIRE_H

#include "engine/packet/ethernet.h"
#include "engine/runner/target.h"

enum { WIRE_FRAME_MAX = PKT_BYTES_MAX + ETH_HEADER_LEN };

struct wire;
struct wire_ops {
    void (*close)(struct wire *w); /* frees it; nothing of it is left on the machine */
    /* One frame, or one IP packet on a wire without link layer. 0 or -errno: -EAGAIN and -ENOBUFS when it is full now, anything
     * else when it is gone (interface down, peer closed). Never blocks. */
    int (*send)(struct wire *w, const uint8_t *bytes, size_t len);
    /* The next one's length, 0 when there is none now, -errno when the wire is gone. *at_ns: CLOCK_MONOTONIC when it came, by the
     * kernel's stamp where there is one. */
    ssize_t (*receive)(struct wire *w, uint8_t *out, size_t capacity, int64_t *at_ns);
    /* Readable whenever receive() may give something new. */
    int (*fd)(struct wire *w);
    /* How many frames were lost on the tester's side of the wire so far (drops of the capture, sends that failed for good): tests
     * that ran meanwhile prove nothing against the IUT. */
    uint64_t (*lost)(struct wire *w);
    /* After it was gone: tries to have it again, for some seconds at the most; false with *error. NULL: it heals by itself, or never. */
    bool (*recover)(struct wire *w, struct target_error *error);
};

struct wire { /* a kind embeds this as its first member */
    const struct wire_ops *ops;
    bool raw_ip;   /* carries IP packets, and no link layer */
    bool shared;   /* others' traffic is seen here too, and ours by others */
    uint16_t mtu;  /* of the link; 0: not known */
    char description[128]; /* "interface veth0 (libnet 1.1.6, libpcap 1.10.3)" */
    char ailment[192];     /* what happened last, when lost() grew: "the link is gone: interface veth0 is down"; "" */
};

/* An existing TAP device, or one that is made for the run when nothing of that name exists (needs CAP_NET_ADMIN). NULL with *error.
 */
struct wire *wire_open_tap(const char *interface, struct target_error *error);
/* Ethernet frames on a UNIX socket: a datagram socket (a VM's "dgram" back end), or a stream where each frame follows its length
 * (32 bits, most significant first), as QEMU's -netdev stream/socket speaks. path: where it lies. listening: we make it, and wait
 * up to patience_ns for somebody to come (0: 3 s; negative: not at all, receive() looks whether somebody has come, and comes again
 * after he has gone; what is sent to nobody is lost). NULL with *error. */
struct wire *wire_open_unix(const char *path, bool stream, bool listening, int64_t patience_ns, struct target_error *error);

#endif

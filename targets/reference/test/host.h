/* One reference stack and a peer made of single segments: what the unit tests speak in. */
#ifndef TCPASSAY_TARGETS_REFERENCE_TEST_HOST_H
#define TCPASSAY_TARGETS_REFERENCE_TEST_HOST_H

#include "targets/reference/stack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))

enum { HOST_PORT = 80, PEER_PORT = 5000 };
static const int64_t MS = 1000000, S = 1000000000;

struct host {
    struct ref_stack *stack;
    struct pkt_builder *builder;
    struct pkt_endpoint local, peer;
    int64_t now_ns;
    int listener, handle;        /* -1: none */
    /* The peer's side of the connection. */
    uint32_t seq, ack;           /* the next number it sends; the next it expects, which is the host's SND.NXT after a handshake */
    bool timestamps;             /* put a timestamp into each segment */
    uint32_t ts_val, ts_ecr;
    /* The segment that the host sent last. */
    uint8_t bytes[PKT_BYTES_MAX];
    struct packet got;
    struct pkt_options options;
};

struct seg { /* of the peer; unset fields have the values a well-behaved peer would give them */
    const char *flags;           /* "S.", "FP." … */
    int32_t seq, ack;            /* offsets from host.seq and host.ack */
    uint32_t len;                /* octets of text */
    uint32_t win;                /* 0: 65535; ZERO_WINDOW: 0 */
    uint16_t urgent, mss;        /* mss 0: no option */
    uint8_t tos;
    bool no_timestamp;
    const struct pkt_option_buffer *options; /* instead of all others */
    const uint8_t *text;         /* NULL: octets numbered by the stream */
};
enum { ZERO_WINDOW = 0x10000 };

/* A host with RFC defaults, changed by change() if not NULL; version 4 or 6. */
struct host *host_new(uint8_t version, void (*change)(struct ref_config *));
void host_free(struct host *h);

uint16_t flags_from(const char *text);
void inject(struct host *h, struct seg seg);
/* The same, and the peer's numbers move on over what was sent. */
void say(struct host *h, struct seg seg);
/* Takes the next packet the host sends; false when there is none. */
bool hear(struct host *h);
void advance_to(struct host *h, int64_t now_ns);   /* each timer at its time */
static inline void advance_by(struct host *h, int64_t ns) { advance_to(h, h->now_ns + ns); }
uint8_t stream_octet(uint32_t offset);
struct ref_tcb *tcb_of(const struct host *h);
enum tcp_state state_of(struct host *h);

/* The host sends exactly these next: flags, SEQ and ACK as offsets from host.ack and host.seq, octets of text. */
#define EXPECT(h, flags, seq, ack, len) expect_segment((h), (flags), (seq), (ack), (len), __FILE__, __LINE__)
#define EXPECT_NOTHING(h) expect_nothing((h), __FILE__, __LINE__)
#define EXPECT_STATE(h, wanted) expect_state((h), (wanted), __FILE__, __LINE__)
void expect_segment(struct host *h, const char *flags, int32_t seq, int32_t ack, uint32_t len, const char *file, int line);
void expect_nothing(struct host *h, const char *file, int line);
void expect_state(struct host *h, enum tcp_state wanted, const char *file, int line);

/* A socket that listens on HOST_PORT, into host.listener. */
void host_listens(struct host *h);
/* Through the handshake, passively, to ESTABLISHED and accepted; syn says what the peer's SYN carries (its flags are not used). */
void peer_connects(struct host *h, struct seg syn);
/* The same, actively: the host's socket is in host.handle. */
void host_connects(struct host *h);
void set_option(struct host *h, const char *name, int64_t value);
/* Writes len octets of the stream. */
int64_t host_sends(struct host *h, uint32_t len);

int with_host_v4(void **state), with_host_v6(void **state), without_host(void **state);

#endif

/* What the tests of the target "linux" share: an instance, a peer that speaks segment by segment, and the way to skip. */
#ifndef TCPASSAY_TARGETS_LINUX_TEST_FIXTURE_H
#define TCPASSAY_TARGETS_LINUX_TEST_FIXTURE_H

#include "targets/linux/target_linux.h"

enum { FIXTURE_SKIP = 77 }; /* the exit code that CTest takes for "skipped" */

/* 0 when the tests can run here; otherwise says why not, and returns FIXTURE_SKIP. */
int fixture_preflight(void);

/* Fails the test when it cannot be opened. */
struct target *fixture_open(const struct target_setting *settings, unsigned count);

/* The tester's side of one connection with the IUT. All numbers are absolute. */
struct peer {
    struct target *target;
    struct pkt_builder *builder;
    unsigned ip;                    /* 0: IPv4, 1: IPv6 */
    struct pkt_endpoint tester, iut;
    uint32_t snd_nxt, rcv_nxt;
    uint8_t bytes[PKT_BYTES_MAX];
    struct packet seen;             /* the last one taken, in bytes */
    int64_t seen_at_ns;
};
struct peer *peer_new(struct target *t, unsigned ip, uint16_t tester_port, uint16_t iut_port);
void peer_free(struct peer *p);

/* Sends a segment at snd_nxt, acknowledging rcv_nxt when flags have ACK, and moves snd_nxt on. */
void peer_send(struct peer *p, uint16_t flags, const char *data);
void peer_send_at(struct peer *p, uint16_t flags, uint32_t seq, uint32_t ack, const char *data);
void peer_send_echo(struct peer *p, uint16_t sequence);

/* Takes the next packet of any kind; false when there is none now. */
bool peer_take(struct peer *p);
/* Takes the next packet, other connections' segments aside, which must be a segment of this one with just these flags (PSH aside);
 * rcv_nxt follows it. */
void peer_expect(struct peer *p, uint16_t flags);
void peer_expect_nothing(struct peer *p);

/* A listener on p's IUT endpoint; a connection through it, accepted; one opened by the IUT. They return the handle. */
int peer_listen(struct peer *p);
int peer_establish_passively(struct peer *p);
int peer_establish_actively(struct peer *p);

/* STATUS of p's connection; CLOSED when there is none. */
enum tcp_state peer_state(struct peer *p);

#endif

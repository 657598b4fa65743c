/* STATUS in every state of RFC 9293 §3.3.2, each reached by events, over IPv4 and IPv6. */
#include "targets/linux/test/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Linux may delay the acknowledgment of a FIN: takes it if it is there. */
static void peer_closes(struct peer *p)
{
    peer_send(p, PKT_FIN | PKT_ACK, NULL);
    while (peer_take(p))
        ;
}

/* Each brings the connection into the state it is named after. */

static void closed(struct peer *p)
{
    (void)p;
}

static void listening(struct peer *p)
{
    peer_listen(p);
}

static void syn_sent(struct peer *p)
{
    int handle = (int)p->target->ops->socket(p->target, p->iut.addr.version);
    assert_int_equal(p->target->ops->bind(p->target, handle, &p->iut), 0);
    assert_int_equal(p->target->ops->connect(p->target, handle, &p->tester), -EINPROGRESS);
    peer_expect(p, PKT_SYN);
}

static void syn_received(struct peer *p)
{
    peer_listen(p);
    peer_send(p, PKT_SYN, NULL);
    peer_expect(p, PKT_SYN | PKT_ACK);
}

static void syn_received_by_simultaneous_open(struct peer *p)
{
    syn_sent(p);
    peer_send(p, PKT_SYN, NULL);
    peer_expect(p, PKT_SYN | PKT_ACK);
}

static void established_passively(struct peer *p)
{
    peer_establish_passively(p);
}

static void established_actively(struct peer *p)
{
    peer_establish_actively(p);
}

static int fin_sent(struct peer *p)
{
    int handle = peer_establish_passively(p);
    assert_int_equal(p->target->ops->shutdown(p->target, handle, TARGET_SHUT_WR), 0);
    peer_expect(p, PKT_FIN | PKT_ACK);
    return handle;
}

static void fin_wait_1(struct peer *p)
{
    fin_sent(p);
}

static void fin_wait_2(struct peer *p)
{
    fin_sent(p);
    peer_send(p, PKT_ACK, NULL);
}

static void fin_wait_2_as_an_orphan(struct peer *p)
{
    int handle = fin_sent(p);
    assert_int_equal(p->target->ops->close_handle(p->target, handle), 0);
    peer_send(p, PKT_ACK, NULL);
}

static void close_wait(struct peer *p)
{
    peer_establish_passively(p);
    peer_closes(p);
}

static void closing(struct peer *p)
{
    fin_sent(p);
    p->rcv_nxt--; /* as if its FIN had not arrived */
    peer_closes(p);
}

static void last_ack(struct peer *p)
{
    int handle = peer_establish_passively(p);
    peer_closes(p);
    assert_int_equal(p->target->ops->close_handle(p->target, handle), 0);
    peer_expect(p, PKT_FIN | PKT_ACK);
}

static void time_wait(struct peer *p)
{
    fin_wait_2(p);
    peer_closes(p);
}

static const struct row { const char *says; void (*reach)(struct peer *p); enum tcp_state state; } rows[] = {
    { "closed", closed, TCP_STATE_CLOSED },
    { "listening", listening, TCP_STATE_LISTEN },
    { "after connect()", syn_sent, TCP_STATE_SYN_SENT },
    { "half open", syn_received, TCP_STATE_SYN_RECEIVED },
    { "both opened", syn_received_by_simultaneous_open, TCP_STATE_SYN_RECEIVED },
    { "opened by the peer", established_passively, TCP_STATE_ESTABLISHED },
    { "opened by the IUT", established_actively, TCP_STATE_ESTABLISHED },
    { "after shutdown()", fin_wait_1, TCP_STATE_FIN_WAIT_1 },
    { "its FIN acknowledged", fin_wait_2, TCP_STATE_FIN_WAIT_2 },
    { "its FIN acknowledged, the application gone", fin_wait_2_as_an_orphan, TCP_STATE_FIN_WAIT_2 },
    { "the peer's FIN taken", close_wait, TCP_STATE_CLOSE_WAIT },
    { "both closed at once", closing, TCP_STATE_CLOSING },
    { "closed after the peer", last_ack, TCP_STATE_LAST_ACK },
    { "both FINs acknowledged", time_wait, TCP_STATE_TIME_WAIT },
};

static void status_tells_every_state(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    assert_true(t->info.capabilities & TARGET_STATUS);
    for (unsigned ip = 0; ip < 2; ip++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct peer *p = peer_new(t, ip, (uint16_t)(4000 + i), (uint16_t)(8000 + i));
            rows[i].reach(p);
            enum tcp_state found = peer_state(p);
            if (found != rows[i].state)
                fail_msg("%s: expected %s, found %s", rows[i].says, tcp_state_name(rows[i].state), tcp_state_name(found));
            peer_free(p);
        }
    }
    t->ops->close(t);
}

/* The listener is told of when the remote port is 0, or when no connection is there; nothing at all is CLOSED. */
static void status_falls_back_to_the_listener(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 0, 4000, 8080);
    const struct pkt_endpoint none = { .port = 0 };
    struct target_status status;
    assert_int_equal(t->ops->status(t, &p->iut, &none, &status), -ENOENT);
    peer_listen(p);
    assert_int_equal(t->ops->status(t, &p->iut, &none, &status), 0);
    assert_int_equal(status.state, TCP_STATE_LISTEN);
    assert_int_equal(peer_state(p), TCP_STATE_LISTEN);
    peer_send(p, PKT_SYN, NULL);
    assert_int_equal(peer_state(p), TCP_STATE_SYN_RECEIVED);
    peer_free(p);
    t->ops->close(t);
}

static void status_has_the_connections_numbers(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    struct peer *p = peer_new(t, 1, 4000, 8080);
    int handle = peer_establish_passively(p);
    struct target_status status;
    peer_send(p, PKT_ACK | PKT_PSH, "unread");
    assert_int_equal(t->ops->status(t, &p->iut, &p->tester, &status), 0);
    assert_true(status.known & TARGET_KNOWS_QUEUES && status.known & TARGET_KNOWS_TIMERS && status.known & TARGET_KNOWS_CONGESTION);
    assert_int_equal(status.unread_bytes, 6);
    assert_int_equal(status.unsent_bytes, 0);
    assert_int_equal(status.mss_bytes, 1220); /* no MSS option: the IPv6 default (RFC 9293 §3.7.1) */
    assert_true(status.rto_ns >= 200000000);
    if (status.known & TARGET_KNOWS_WINDOWS)
        assert_int_equal(status.snd_wnd, 65535);
    while (peer_take(p))
        ;
    static const uint8_t data[65536];
    int64_t queued = t->ops->send_data(t, handle, data, sizeof data, 0);
    assert_true(queued > 20000);
    uint32_t emitted = 0;
    while (peer_take(p))
        emitted += p->seen.tcp.payload_len;
    assert_int_equal(t->ops->status(t, &p->iut, &p->tester, &status), 0);
    assert_true(emitted > 0 && emitted < queued);
    assert_int_equal(status.unsent_bytes, queued - emitted);
    assert_true(status.cwnd_bytes >= emitted);
    peer_free(p);
    t->ops->close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_tells_every_state),
        cmocka_unit_test(status_falls_back_to_the_listener),
        cmocka_unit_test(status_has_the_connections_numbers),
    };
    int skip = fixture_preflight();
    return skip ? skip : cmocka_run_group_tests(tests, NULL, NULL);
}

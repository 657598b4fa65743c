/* A peer for the kernel's TCP, played by the tests segment by segment. */
#include "targets/linux/test/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FIRST_SEQUENCE_NUMBER = -8 }; /* just below the wrap */

int fixture_preflight(void)
{
    struct target_error error;
    if (linux_driver.preflight("", &error))
        return 0;
    fprintf(stderr, "skipped: %s\n", error.text);
    return FIXTURE_SKIP;
}

struct target *fixture_open(const struct target_setting *settings, unsigned count)
{
    const struct target_config config = { .settings = settings, .setting_count = count };
    struct target_error error;
    struct target *t = linux_driver.open("", &config, &error);
    if (!t)
        fail_msg("%s", error.text);
    return t;
}

struct peer *peer_new(struct target *t, unsigned ip, uint16_t tester_port, uint16_t iut_port)
{
    struct peer *p = malloc(sizeof *p);
    assert_non_null(p);
    *p = (struct peer){
        .target = t, .builder = pkt_builder_new(), .ip = ip, .tester = { t->info.tester[ip], tester_port },
        .iut = { t->info.iut[ip], iut_port }, .snd_nxt = (uint32_t)FIRST_SEQUENCE_NUMBER,
    };
    assert_non_null(p->builder);
    return p;
}

void peer_free(struct peer *p)
{
    pkt_builder_free(p->builder);
    free(p);
}

/* ---- segments -------------------------------------------------------------------------------------------------- */

static void put(struct peer *p, const struct pkt_spec *spec)
{
    uint8_t out[2048];
    ssize_t len = pkt_build(p->builder, spec, out, sizeof out);
    assert_true(len > 0);
    assert_int_equal(p->target->ops->send(p->target, out, (size_t)len), 0);
}

void peer_send_at(struct peer *p, uint16_t flags, uint32_t seq, uint32_t ack, const char *data)
{
    const struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = p->tester.addr, .dst = p->iut.addr, .src_port = p->tester.port, .dst_port = p->iut.port,
        .seq = seq, .ack = ack, .flags = flags, .window = 65535,
        .payload = (const uint8_t *)data, .payload_len = data ? (uint32_t)strlen(data) : 0,
    };
    put(p, &spec);
}

void peer_send(struct peer *p, uint16_t flags, const char *data)
{
    peer_send_at(p, flags, p->snd_nxt, flags & PKT_ACK ? p->rcv_nxt : 0, data);
    p->snd_nxt += (data ? (uint32_t)strlen(data) : 0) + !!(flags & PKT_SYN) + !!(flags & PKT_FIN);
}

void peer_send_echo(struct peer *p, uint16_t sequence)
{
    const struct pkt_spec spec = {
        .protocol = p->ip ? PKT_PROTO_ICMP6 : PKT_PROTO_ICMP, .src = p->tester.addr, .dst = p->iut.addr,
        .icmp_type = p->ip ? 128 : 8, .icmp_rest = 0x12340000u | sequence,
    };
    put(p, &spec);
}

bool peer_take(struct peer *p)
{
    ssize_t len = p->target->ops->receive(p->target, p->bytes, sizeof p->bytes, &p->seen_at_ns);
    assert_true(len >= 0);
    if (len == 0)
        return false;
    assert_int_equal(pkt_parse(p->bytes, (size_t)len, &p->seen), PKT_OK);
    return true;
}

static bool is_of_another_connection(const struct peer *p)
{
    return p->seen.kind == PKT_KIND_TCP && (p->seen.tcp.src_port != p->iut.port || p->seen.tcp.dst_port != p->tester.port);
}

void peer_expect(struct peer *p, uint16_t flags)
{
    do {
        if (!peer_take(p))
            fail_msg("expected a segment, nothing came");
    } while (is_of_another_connection(p));
    char text[256] = "";
    pkt_format(&p->seen, text, sizeof text);
    const struct pkt_tcp *tcp = &p->seen.tcp;
    if (p->seen.kind != PKT_KIND_TCP || (tcp->flags & ~PKT_PSH) != flags)
        fail_msg("expected flags %#x, came %s", flags, text);
    assert_true(tcp->checksum_ok && p->seen.ip.checksum_ok);
    p->rcv_nxt = tcp->seq + pkt_seg_len(tcp);
}

void peer_expect_nothing(struct peer *p)
{
    if (!peer_take(p))
        return;
    char text[256] = "";
    pkt_format(&p->seen, text, sizeof text);
    fail_msg("expected nothing, came %s", text);
}

/* ---- connections ----------------------------------------------------------------------------------------------- */

int peer_listen(struct peer *p)
{
    const struct target_ops *ops = p->target->ops;
    int handle = (int)ops->socket(p->target, p->iut.addr.version);
    assert_true(handle >= 0);
    assert_int_equal(ops->bind(p->target, handle, &p->iut), 0);
    assert_int_equal(ops->listen(p->target, handle, 16), 0);
    return handle;
}

int peer_establish_passively(struct peer *p)
{
    const struct target_ops *ops = p->target->ops;
    int listener = peer_listen(p);
    peer_send(p, PKT_SYN, NULL);
    peer_expect(p, PKT_SYN | PKT_ACK);
    assert_int_equal(p->seen.tcp.ack, p->snd_nxt);
    struct pkt_endpoint from;
    assert_int_equal(ops->accept(p->target, listener, &from), -EAGAIN);
    peer_send(p, PKT_ACK, NULL);
    int handle = (int)ops->accept(p->target, listener, &from);
    assert_true(handle >= 0);
    assert_true(pkt_addr_equal(&from.addr, &p->tester.addr));
    assert_int_equal(from.port, p->tester.port);
    assert_int_equal(ops->close_handle(p->target, listener), 0);
    return handle;
}

int peer_establish_actively(struct peer *p)
{
    const struct target_ops *ops = p->target->ops;
    int handle = (int)ops->socket(p->target, p->iut.addr.version);
    assert_true(handle >= 0);
    assert_int_equal(ops->bind(p->target, handle, &p->iut), 0);
    assert_int_equal(ops->connect(p->target, handle, &p->tester), -EINPROGRESS);
    peer_expect(p, PKT_SYN);
    assert_int_equal(ops->connect(p->target, handle, &p->tester), -EAGAIN);
    peer_send(p, PKT_SYN | PKT_ACK, NULL);
    peer_expect(p, PKT_ACK);
    assert_int_equal(p->seen.tcp.ack, p->snd_nxt);
    assert_int_equal(ops->connect(p->target, handle, &p->tester), 0);
    return handle;
}

enum tcp_state peer_state(struct peer *p)
{
    struct target_status status;
    int64_t result = p->target->ops->status(p->target, &p->iut, &p->tester, &status);
    if (result == -ENOENT)
        return TCP_STATE_CLOSED;
    assert_int_equal(result, 0);
    return status.state;
}

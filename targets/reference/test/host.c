/* One reference stack and a peer made of single segments. */
#include "targets/reference/test/host.h"

#include <errno.h>
#include <stdlib.h>

struct host *host_new(uint8_t version, void (*change)(struct ref_config *))
{
    struct host *h = calloc(1, sizeof *h);
    struct ref_config c = ref_config_default();
    h->local.port = HOST_PORT;
    h->peer.port = PEER_PORT;
    pkt_addr_parse(version == 4 ? "192.0.2.2" : "2001:db8::2", &h->local.addr);
    pkt_addr_parse(version == 4 ? "198.51.100.1" : "2001:db8:1::1", &h->peer.addr);
    c.addresses[c.address_count++] = h->local.addr;
    c.seed = 7;
    if (change)
        change(&c);
    h->stack = ref_stack_new(&c, 0);
    h->builder = pkt_builder_new();
    h->listener = h->handle = -1;
    h->seq = 0xfffffff0u; /* across the wrap, always */
    h->ts_val = 0xfffffffeu;
    assert_non_null(h->stack);
    return h;
}

void host_free(struct host *h)
{
    ref_stack_free(h->stack);
    pkt_builder_free(h->builder);
    free(h);
}

uint8_t stream_octet(uint32_t offset)
{
    return (uint8_t)(offset * 7 + offset / 256);
}

uint16_t flags_from(const char *text)
{
    static const struct { char letter; uint16_t flag; } letters[] = {
        { 'F', PKT_FIN }, { 'S', PKT_SYN }, { 'R', PKT_RST }, { 'P', PKT_PSH }, { '.', PKT_ACK }, { 'U', PKT_URG }, { 'E', PKT_ECE },
        { 'W', PKT_CWR }, { 'A', PKT_AE },
    };
    uint16_t flags = 0;
    for (; *text; text++) {
        for (size_t i = 0; i < ARRAY_LEN(letters); i++)
            flags |= letters[i].letter == *text ? letters[i].flag : 0;
    }
    return flags;
}

void inject(struct host *h, struct seg seg)
{
    uint8_t text[70000], bytes[PKT_BYTES_MAX];
    struct pkt_option_buffer options = { 0 };
    assert_true(seg.len <= sizeof text);
    for (uint32_t i = 0; i < seg.len; i++)
        text[i] = stream_octet((uint32_t)seg.seq + i);
    if (seg.mss)
        pkt_put_mss(&options, seg.mss);
    if (h->timestamps && !seg.no_timestamp)
        pkt_put_timestamp(&options, h->ts_val, h->ts_ecr);
    const struct pkt_option_buffer *chosen = seg.options ? seg.options : &options;
    const struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = h->peer.addr, .dst = h->local.addr, .src_port = h->peer.port, .dst_port = h->local.port,
        .flags = flags_from(seg.flags), .seq = h->seq + (uint32_t)seg.seq, .ack = flags_from(seg.flags) & PKT_ACK ? h->ack + (uint32_t)seg.ack : 0,
        .window = seg.win == 0 ? UINT16_MAX : (uint16_t)seg.win, .urgent = seg.urgent, .tos = seg.tos,
        .options = chosen->bytes, .options_len = chosen->len,
        .payload = seg.text ? seg.text : text, .payload_len = seg.len,
    };
    ssize_t len = pkt_build(h->builder, &spec, bytes, sizeof bytes);
    assert_true(len > 0);
    ref_input(h->stack, bytes, (size_t)len, h->now_ns);
    const char *broken = ref_check_invariants(h->stack);
    if (broken)
        fail_msg("after an arrival this does not hold: %s", broken);
}

void say(struct host *h, struct seg seg)
{
    uint16_t flags = flags_from(seg.flags);
    inject(h, seg);
    h->seq += (uint32_t)seg.seq + seg.len + (flags & PKT_SYN ? 1u : 0u) + (flags & PKT_FIN ? 1u : 0u);
}

bool hear(struct host *h)
{
    ssize_t len = ref_output(h->stack, h->bytes, sizeof h->bytes, h->now_ns, NULL);
    if (len <= 0)
        return false;
    assert_int_equal(pkt_parse(h->bytes, (size_t)len, &h->got), PKT_OK);
    assert_true(h->got.ip.checksum_ok);
    if (h->got.kind == PKT_KIND_TCP) {
        assert_true(h->got.tcp.checksum_ok);
        pkt_options_read(h->got.tcp.options, h->got.tcp.options_len, &h->options);
        if (h->options.has_timestamp)
            h->ts_ecr = h->options.ts_val;
    }
    return true;
}

void advance_to(struct host *h, int64_t now_ns)
{
    while (ref_next_deadline(h->stack) < now_ns)
        ref_advance(h->stack, ref_next_deadline(h->stack));
    h->now_ns = now_ns;
    ref_advance(h->stack, now_ns);
    const char *broken = ref_check_invariants(h->stack);
    if (broken)
        fail_msg("after a timer this does not hold: %s", broken);
}

struct ref_tcb *tcb_of(const struct host *h)
{
    const struct ref_tuple tuple = { .local = h->local.addr, .remote = h->peer.addr, .local_port = h->local.port, .remote_port = h->peer.port };
    return ref_tcb_find(h->stack, &tuple);
}

enum tcp_state state_of(struct host *h)
{
    struct ref_tcb *tcb = tcb_of(h);
    return tcb ? tcb->state : TCP_STATE_CLOSED;
}

/* ---- expectations ------------------------------------------------------------------------------------------------ */

static void describe(const struct host *h, char *out, size_t size)
{
    if (h->got.kind == PKT_KIND_TCP)
        pkt_format(&h->got, out, size);
    else
        snprintf(out, size, "a packet that is not TCP");
}

void expect_segment(struct host *h, const char *flags, int32_t seq, int32_t ack, uint32_t len, const char *file, int line)
{
    char text[256] = "nothing";
    if (hear(h))
        describe(h, text, sizeof text);
    else
        h->got.kind = PKT_KIND_UNPARSED;
    uint16_t wanted = flags_from(flags);
    uint32_t wanted_seq = h->ack + (uint32_t)seq, wanted_ack = h->seq + (uint32_t)ack;
    bool matches = h->got.kind == PKT_KIND_TCP && h->got.tcp.flags == wanted && h->got.tcp.seq == wanted_seq
                && (!(wanted & PKT_ACK) || h->got.tcp.ack == wanted_ack) && h->got.tcp.payload_len == len;
    if (!matches) {
        char message[600];
        snprintf(message, sizeof message, "expected %s %u:%u(%u) ack %u, saw %s", flags, wanted_seq, wanted_seq + len, len,
                 wanted_ack, text);
        print_error("%s\n", message);
        _fail(file, line);
    }
}

void expect_nothing(struct host *h, const char *file, int line)
{
    char text[256];
    if (!hear(h))
        return;
    describe(h, text, sizeof text);
    print_error("expected nothing, saw %s\n", text);
    _fail(file, line);
}

void expect_state(struct host *h, enum tcp_state wanted, const char *file, int line)
{
    if (state_of(h) == wanted)
        return;
    print_error("expected state %s, found %s\n", tcp_state_name(wanted), tcp_state_name(state_of(h)));
    _fail(file, line);
}

/* ---- ways to begin ----------------------------------------------------------------------------------------------- */

void host_listens(struct host *h)
{
    h->listener = (int)ref_socket(h->stack, h->local.addr.version);
    const struct pkt_endpoint any = { .port = HOST_PORT };
    assert_int_equal(ref_bind(h->stack, h->listener, &any), 0);
    assert_int_equal(ref_listen(h->stack, h->listener, 5), 0);
}

void peer_connects(struct host *h, struct seg syn)
{
    if (h->listener < 0)
        host_listens(h);
    syn.flags = "S";
    say(h, syn);
    assert_true(hear(h));
    assert_int_equal(h->got.tcp.flags & (PKT_SYN | PKT_ACK), PKT_SYN | PKT_ACK);
    h->ack = h->got.tcp.seq + 1;
    h->timestamps = h->options.has_timestamp;
    inject(h, (struct seg){ .flags = ".", .win = syn.win });
    h->handle = (int)ref_accept(h->stack, h->listener, NULL);
    assert_true(h->handle >= 0);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
}

void host_connects(struct host *h)
{
    h->handle = (int)ref_socket(h->stack, h->local.addr.version);
    const struct pkt_endpoint local = { .addr = h->local.addr, .port = HOST_PORT };
    assert_int_equal(ref_bind(h->stack, h->handle, &local), 0);
    assert_int_equal(ref_connect(h->stack, h->handle, &h->peer), -EINPROGRESS);
    assert_true(hear(h));
    h->ack = h->got.tcp.seq + 1;
    say(h, (struct seg){ .flags = "S.", .mss = 1460 });
    EXPECT(h, ".", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
}

void set_option(struct host *h, const char *name, int64_t value)
{
    assert_int_equal(ref_set_option(h->stack, h->handle, name, &value, 1), 0);
}

int64_t host_sends(struct host *h, uint32_t len)
{
    uint8_t text[200000];
    assert_true(len <= sizeof text);
    for (uint32_t i = 0; i < len; i++)
        text[i] = stream_octet(i);
    int64_t taken = ref_send(h->stack, h->handle, text, len, 0);
    const char *broken = ref_check_invariants(h->stack);
    if (broken)
        fail_msg("after SEND this does not hold: %s", broken);
    return taken;
}

int with_host_v4(void **state)
{
    *state = host_new(4, NULL);
    return 0;
}

int with_host_v6(void **state)
{
    *state = host_new(6, NULL);
    return 0;
}

int without_host(void **state)
{
    host_free(*state);
    return 0;
}

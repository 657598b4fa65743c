/* Fuzzes the reference stack: bytes become segments relative to a live connection, ICMP errors, application calls and the passing
 * of time; after each, the stack's invariants must hold and whatever it sent must be well formed.
 *
 * A crash means that whoever can send packets to the reference stack (`tcpassay serve` puts it on networks) can bring it down or
 * make it misbehave. */
#include "fuzz/input.h"
#include "targets/reference/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 400, HANDLES = 4, PORT = 80, TESTER_PORTS = 4, TEXT_MAX = 3000 };

struct play {
    struct input in;
    struct ref_stack *stack;
    struct pkt_builder *builder;
    uint8_t version;
    int64_t now_ns;
    int handles[HANDLES];  /* of sockets the application holds; -1: none */
    int listener;
};

/* ---- the host ---------------------------------------------------------------------------------------------------- */

static struct pkt_addr address(uint8_t version, bool tester)
{
    struct pkt_addr addr;
    if (version == 4)
        pkt_addr_parse(tester ? "198.51.100.1" : "192.0.2.2", &addr);
    else
        pkt_addr_parse(tester ? "2001:db8:1::1" : "2001:db8::2", &addr);
    return addr;
}

static void set(struct play *p, int handle, const char *name, int64_t value)
{
    ref_set_option(p->stack, handle, name, &value, 1);
}

static void set_up(struct play *p)
{
    uint8_t bits = next8(&p->in), more = next8(&p->in);
    struct ref_config c = ref_config_default();
    p->version = bits & 1 ? 6 : 4;
    c.addresses[c.address_count++] = address(p->version, false);
    c.timestamps = bits & 2;
    c.sack = bits & 4;
    c.window_scaling = bits & 8;
    c.ecn = bits & 16 ? REF_ECN_ON : REF_ECN_OFF;
    c.syncookies = (enum ref_syncookies)((bits >> 5) % 3);
    c.fastopen = more & 1 ? REF_FASTOPEN_BOTH : REF_FASTOPEN_OFF;
    c.receive_buffer = more & 2 ? 700 : 131072;
    c.send_buffer = more & 4 ? 3000 : 131072;
    c.abort_on_overflow = more & 8;
    c.tw_reuse = more & 16;
    c.rfc1337 = more & 32;
    c.hard_errors_abort = more & 64;
    c.output_queue_bytes_max = more & 128 ? 12000 : 1 << 20;
    c.syn_backlog_max = 3;
    c.connections_max = 6;
    c.buffer_bytes_max = 1 << 18;
    p->stack = ref_stack_new(&c, 0);
    p->listener = (int)ref_socket(p->stack, p->version);
    const struct pkt_endpoint local = { .port = PORT };
    ref_bind(p->stack, p->listener, &local);
    set(p, p->listener, "TCP_FASTOPEN", 2);
    ref_listen(p->stack, p->listener, 2);
    for (int i = 0; i < HANDLES; i++)
        p->handles[i] = -1;
}

/* ---- what the stack says must be well formed --------------------------------------------------------------------- */

static void drain(struct play *p)
{
    uint8_t bytes[PKT_BYTES_MAX];
    struct packet packet;
    ssize_t len;
    while ((len = ref_output(p->stack, bytes, sizeof bytes, p->now_ns, NULL)) > 0) {
        must(len <= p->stack->config.mtu, "no packet is larger than the MTU");
        must(pkt_parse(bytes, (size_t)len, &packet) == PKT_OK, "what is sent parses");
        must(packet.ip.checksum_ok, "IP checksum");
        if (packet.kind != PKT_KIND_TCP)
            continue;
        struct pkt_options options;
        pkt_options_read(packet.tcp.options, packet.tcp.options_len, &options);
        must(packet.tcp.checksum_ok, "TCP checksum (MUST-2)");
        must(!options.illegal && !options.padding_not_zero, "options are legal (MUST-69)");
        must((packet.tcp.flags & (PKT_SYN | PKT_FIN | PKT_RST)) == 0 || (packet.tcp.flags & PKT_SYN) == 0
             || (packet.tcp.flags & (PKT_FIN | PKT_RST)) == 0, "a SYN comes without FIN or RST");
        must((packet.tcp.flags & PKT_SYN) || (!options.has_mss && !options.has_wscale && !options.sack_permitted),
             "SYN options on SYNs alone (MUST-65)");
    }
    const char *broken = ref_check_invariants(p->stack);
    must(!broken, broken);
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

/* The n-th connection, or NULL when there is none. */
static struct ref_tcb *connection(struct play *p, uint8_t n)
{
    unsigned count = HASH_COUNT(p->stack->connections), at = count ? n % count : 0;
    struct ref_tcb *tcb = p->stack->connections;
    for (; tcb && at; at--)
        tcb = tcb->hh.next;
    return tcb;
}

/* Near an edge, or far away. */
static uint32_t offset(struct input *in)
{
    uint8_t how = next8(in);
    int8_t near = (int8_t)next8(in);
    if (how < 128)
        return 0;
    return how < 220 ? (uint32_t)near : (uint32_t)near << (how % 28);
}

static uint32_t pick(struct input *in, const uint32_t *values, uint8_t count)
{
    return values[next8(in) % count] + offset(in);
}

static void put_options(struct play *p, const struct ref_tcb *tcb, struct pkt_option_buffer *o)
{
    uint8_t which = next8(&p->in);
    if (which & 1)
        pkt_put_mss(o, next16(&p->in));
    if (which & 2)
        pkt_put_wscale(o, next8(&p->in) % 17);
    if (which & 4)
        pkt_put_sack_permitted(o);
    if ((which & 8) || (tcb && tcb->timestamps && !(which & 128)))
        pkt_put_timestamp(o, (tcb ? tcb->ts_recent : 0) + offset(&p->in), tcb ? ref_tsval(tcb) - (next8(&p->in) & 63u) : 0);
    if (which & 16) {
        uint8_t cookie[REF_FASTOPEN_COOKIE_LEN];
        const struct ref_tuple tuple = { .remote = address(p->version, true) };
        ref_fastopen_cookie(p->stack, &tuple, 0, cookie);
        pkt_put_fastopen(o, cookie, which & 64 ? 0 : sizeof cookie);
    }
    if ((which & 32) && tcb) {
        const uint32_t edges[] = { tcb->snd_una, tcb->snd_nxt };
        uint32_t blocks[3][2];
        uint8_t count = 1 + next8(&p->in) % 3;
        for (uint8_t i = 0; i < count; i++) {
            blocks[i][0] = pick(&p->in, edges, 2);
            blocks[i][1] = blocks[i][0] + next16(&p->in);
        }
        pkt_put_sack(o, (const uint32_t(*)[2])blocks, count);
    }
    if (which & 64)
        pkt_put_raw_option(o, next8(&p->in), next8(&p->in), (const uint8_t *)"abcdefgh", next8(&p->in) % 8);
    pkt_pad_options(o);
}

static void inject(struct play *p, const struct pkt_spec *spec)
{
    uint8_t bytes[TEXT_MAX + 200];
    ssize_t len = pkt_build(p->builder, spec, bytes, sizeof bytes);
    if (len > 0)
        ref_input(p->stack, bytes, (size_t)len, p->now_ns);
}

static struct pkt_spec from_tester(struct play *p, const struct ref_tcb *tcb)
{
    return (struct pkt_spec){
        .protocol = PKT_PROTO_TCP, .src = address(p->version, true), .dst = address(p->version, false),
        .src_port = tcb ? tcb->tuple.remote_port : (uint16_t)(1000 + next8(&p->in) % TESTER_PORTS),
        .dst_port = tcb ? tcb->tuple.local_port : PORT,
    };
}

static void segment(struct play *p)
{
    static const uint8_t text[TEXT_MAX];
    static const uint16_t likely[] = { PKT_ACK, PKT_ACK, PKT_ACK | PKT_PSH, PKT_ACK | PKT_FIN, PKT_SYN, PKT_SYN | PKT_ACK, PKT_RST, PKT_ACK | PKT_URG };
    struct pkt_option_buffer options = { 0 };
    uint8_t how = next8(&p->in);
    struct ref_tcb *tcb = how & 1 ? connection(p, how >> 1) : NULL;
    struct pkt_spec spec = from_tester(p, tcb);
    uint8_t flags = next8(&p->in);
    spec.flags = flags < 200 ? likely[flags % 8] : next16(&p->in) & 0xfff;
    if (tcb) {
        const uint32_t seqs[] = { tcb->rcv_nxt, tcb->rcv_nxt, tcb->rcv_nxt + tcb->rcv_wnd, tcb->irs };
        const uint32_t acks[] = { tcb->snd_una, tcb->snd_nxt, tcb->snd_nxt, tcb->snd_una - tcb->max_snd_wnd };
        spec.seq = pick(&p->in, seqs, 4);
        spec.ack = pick(&p->in, acks, 4);
    } else {
        spec.seq = next16(&p->in);
    }
    spec.window = next8(&p->in) < 60 ? 0 : next16(&p->in);
    spec.urgent = next16(&p->in);
    spec.tos = next8(&p->in) & 3;
    uint8_t amount = next8(&p->in);
    spec.payload = text;
    spec.payload_len = amount < 128 ? 0 : amount < 200 ? amount - 127u : (uint32_t)(amount - 199) * 53;
    put_options(p, tcb, &options);
    spec.options = options.bytes;
    spec.options_len = options.len;
    inject(p, &spec);
}

/* The tester's side of a handshake, done right: most of what is interesting comes after it. */
static void establish(struct play *p)
{
    struct pkt_option_buffer options = { 0 };
    struct pkt_spec spec = from_tester(p, NULL);
    spec.flags = PKT_SYN | PKT_ECE | PKT_CWR;
    spec.seq = (uint32_t)next8(&p->in) - 100;
    spec.window = next16(&p->in);
    pkt_put_mss(&options, next16(&p->in) % 2000);
    pkt_put_wscale(&options, next8(&p->in) % 15);
    pkt_put_sack_permitted(&options);
    pkt_put_timestamp(&options, 7, 0);
    pkt_pad_options(&options);
    spec.options = options.bytes;
    spec.options_len = options.len;
    inject(p, &spec);
    const struct ref_tuple tuple = { .local = spec.dst, .remote = spec.src, .local_port = PORT, .remote_port = spec.src_port };
    struct ref_tcb *tcb = ref_tcb_find(p->stack, &tuple);
    if (!tcb)
        return;
    options = (struct pkt_option_buffer){ 0 };
    if (tcb->timestamps)
        pkt_put_timestamp(&options, 8, ref_tsval(tcb));
    spec.flags = PKT_ACK;
    spec.seq = tcb->rcv_nxt;
    spec.ack = tcb->snd_nxt;
    spec.options_len = options.len;
    inject(p, &spec);
}

static void icmp(struct play *p)
{
    uint8_t quoted[200];
    struct ref_tcb *tcb = connection(p, next8(&p->in));
    if (!tcb)
        return;
    const uint32_t seqs[] = { tcb->snd_una, tcb->snd_nxt };
    const struct pkt_spec ours = { .protocol = PKT_PROTO_TCP, .src = tcb->tuple.local, .dst = tcb->tuple.remote,
                                   .src_port = tcb->tuple.local_port, .dst_port = tcb->tuple.remote_port,
                                   .seq = pick(&p->in, seqs, 2), .flags = PKT_ACK };
    ssize_t len = pkt_build(p->builder, &ours, quoted, sizeof quoted);
    static const uint8_t types[2][6] = { { 3, 3, 11, 12, 4, 8 }, { 1, 2, 3, 4, 1, 128 } };
    const struct pkt_spec error = {
        .protocol = p->version == 4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6, .src = address(p->version, true), .dst = address(p->version, false),
        .icmp_type = types[p->version == 6][next8(&p->in) % 6], .icmp_code = next8(&p->in) % 7, .icmp_rest = next16(&p->in),
        .payload = quoted, .payload_len = len > 0 ? (uint32_t)len : 0,
    };
    inject(p, &error);
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static int *slot(struct play *p, bool empty)
{
    uint8_t from = next8(&p->in);
    for (int i = 0; i < HANDLES; i++) {
        int *handle = &p->handles[(from + i) % HANDLES];
        if ((*handle < 0) == empty)
            return handle;
    }
    return NULL;
}

static void open_one(struct play *p, bool active)
{
    int *handle = slot(p, true);
    if (!handle)
        return;
    if (!active) {
        *handle = (int)ref_accept(p->stack, p->listener, NULL);
        return;
    }
    const struct pkt_endpoint remote = { .addr = address(p->version, true), .port = (uint16_t)(1000 + next8(&p->in) % TESTER_PORTS) };
    const struct pkt_endpoint local = { .port = next8(&p->in) & 1 ? 5000 : 0 };
    *handle = (int)ref_socket(p->stack, p->version);
    set(p, *handle, "SO_REUSEADDR", 1);
    ref_bind(p->stack, *handle, &local);
    if (next8(&p->in) & 1)
        ref_send_to(p->stack, *handle, &remote, (const uint8_t *)"early", 5, REF_MSG_FASTOPEN);
    ref_connect(p->stack, *handle, &remote);
}

static void use(struct play *p)
{
    static const char *const names[] = { "TCP_NODELAY", "TCP_CORK", "SO_KEEPALIVE", "TCP_USER_TIMEOUT", "SO_RCVBUF", "SO_SNDBUF", "SO_OOBINLINE",
                                         "TCP_MAXSEG", "TCP_QUICKACK", "TCP_KEEPIDLE", "IP_MTU_DISCOVER", "TCP_LINGER2", "TCP_WINDOW_CLAMP" };
    static uint8_t bytes[TEXT_MAX];
    int *handle = slot(p, false);
    if (!handle)
        return;
    uint8_t call = next8(&p->in), flags = next8(&p->in);
    uint16_t amount = next16(&p->in);
    const int64_t pair[2] = { flags & 1, amount & 1 ? 0 : amount };
    switch (call % 9) {
    case 0:
    case 1:
        ref_send(p->stack, *handle, bytes, amount % TEXT_MAX, flags < 60 ? flags & (REF_MSG_OOB | REF_MSG_MORE) : 0);
        break;
    case 2:
    case 3:
        ref_receive(p->stack, *handle, bytes, amount % TEXT_MAX, flags < 60 ? flags & (REF_MSG_OOB | REF_MSG_PEEK) : 0);
        break;
    case 4:
        ref_shutdown(p->stack, *handle, (enum ref_shutdown)(flags % 3));
        break;
    case 5:
        (void)(flags & 1 ? ref_abort(p->stack, *handle) : ref_close(p->stack, *handle));
        *handle = -1;
        break;
    case 6:
        set(p, *handle, names[flags % (sizeof names / sizeof *names)], amount);
        break;
    case 7:
        ref_set_option(p->stack, *handle, flags & 2 ? "REF_UTO" : "SO_LINGER", pair, 2);
        break;
    default:
        ref_poll(p->stack, *handle);
        break;
    }
}

static void pass_time(struct play *p)
{
    uint8_t how = next8(&p->in);
    int64_t deadline_ns = ref_next_deadline(p->stack);
    int64_t to_ns = p->now_ns + ((int64_t)1 << how % 38);
    if (how & 128)
        to_ns = deadline_ns;
    if (to_ns == INT64_MAX || to_ns < p->now_ns || to_ns > INT64_MAX / 2)
        return;
    p->now_ns = to_ns;
    ref_advance(p->stack, p->now_ns);
}

static void step(struct play *p)
{
    switch (next8(&p->in) % 12) {
    case 0: case 1: case 2: case 3: case 4:
        segment(p);
        break;
    case 5: case 6:
        use(p);
        break;
    case 7:
        pass_time(p);
        break;
    case 8:
        establish(p);
        break;
    case 9:
        open_one(p, false);
        break;
    case 10:
        open_one(p, true);
        break;
    default:
        icmp(p);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pkt_builder *builder;
    if (!builder)
        builder = pkt_builder_new();
    struct play play = { .in = { data, size }, .builder = builder };
    set_up(&play);
    for (int i = 0; i < STEPS_MAX && play.in.left; i++) {
        step(&play);
        drain(&play);
    }
    ref_stack_free(play.stack);
    return 0;
}
